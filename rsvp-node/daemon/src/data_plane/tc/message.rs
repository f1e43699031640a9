//! Requests to the kernel as octets, in the host's order: `nlmsghdr`, `tcmsg`, attributes.

use super::htb::{self, HtbClass};
use std::fmt;
use std::os::fd::RawFd;

const RTM_NEWQDISC: u16 = 36;
const RTM_DELQDISC: u16 = 37;
pub(super) const RTM_GETQDISC: u16 = 38;
const RTM_NEWTCLASS: u16 = 40;
const RTM_DELTCLASS: u16 = 41;
pub(super) const RTM_GETTCLASS: u16 = 42;
const RTM_NEWTFILTER: u16 = 44;
pub(super) const RTM_GETTFILTER: u16 = 46;

const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
pub(super) const NLM_F_DUMP: u16 = 0x300;
const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;

pub(super) const TCA_KIND: u16 = 1;
pub(super) const TCA_OPTIONS: u16 = 2;
const TCA_STAB: u16 = 8;
const TCA_STAB_BASE: u16 = 1;

pub(super) const TCA_TBF_PARMS: u16 = 1;
const TCA_BPF_FD: u16 = 6;
const TCA_BPF_NAME: u16 = 7;

const TCA_TBF_RATE64: u16 = 4;
const TCA_TBF_BURST: u16 = 6;

/// Octets of `nlmsghdr` and of `tcmsg`.
pub(super) const HEADER: usize = 16;
pub(super) const PLACE: usize = 20;
/// What a batch holds at most, so that one system call takes it and the answers to all of it find room in the socket.
const MOST_OCTETS: usize = 28 * 1024;
const MOST_REQUESTS: usize = 128;

/// The number of a queueing discipline (`major:`) or of a class in it (`major:minor`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub u32);

impl Handle {
    /// Where an interface's own queueing discipline hangs.
    pub const ROOT: Self = Self(0xffff_ffff);

    /// Where filters of what leaves by an interface hang in its `clsact`.
    pub const CLSACT_EGRESS: Self = Self(0xffff_fff3);

    /// `major:minor`.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self((major as u32) << 16 | minor as u32)
    }

    /// The number of the queueing discipline.
    #[must_use]
    pub const fn major(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The number of the class in it; 0 is the queueing discipline itself.
    #[must_use]
    pub const fn minor(self) -> u16 {
        self.0 as u16
    }
}

impl fmt::Display for Handle {
    /// As `tc` has it: `1:20`, in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor() {
            _ if *self == Self::ROOT => f.write_str("root"),
            0 => write!(f, "{:x}:", self.major()),
            minor => write!(f, "{:x}:{minor:x}", self.major()),
        }
    }
}

/// A queueing discipline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Classes with rates (`sch_htb`); what no class takes goes to this minor number. Never 0, which would let it pass
    /// unshaped.
    Htb {
        /// The class of what is not classified.
        default: u16,
    },
    /// First in, first out, up to so many octets.
    Bfifo {
        /// Octets that wait at most.
        limit: u32,
    },
    /// First in, first out, up to so many packets.
    Pfifo {
        /// Packets that wait at most.
        limit: u32,
    },
    /// A token bucket, exact to the octet, which segments what is larger than it (`sch_tbf`).
    Tbf {
        /// Octets per second.
        rate: u64,
        /// Octets.
        burst: u32,
        /// Octets that wait at most.
        limit: u32,
        /// What a packet counts as beyond what it does at the root.
        overhead: u16,
    },
}

/// Requests that the kernel carries out one after the other.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(super) octets: Vec<u8>,
    starts: Vec<usize>,
}

impl Batch {
    /// A batch without a request.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many requests are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Adds a queueing discipline below `parent`; it must not be there yet. At the root of an interface one that the kernel
    /// has put there by itself is replaced. With `overhead` a packet counts as that much longer or shorter than the octets
    /// of its frame.
    pub fn add_qdisc(&mut self, interface: u32, parent: Handle, handle: Handle, queue: Queue, overhead: i16) {
        self.qdisc(NLM_F_CREATE | NLM_F_EXCL, (interface, parent, handle), queue, overhead);
    }

    /// Changes the numbers of a queueing discipline in place.
    pub fn change_qdisc(&mut self, interface: u32, parent: Handle, handle: Handle, queue: Queue) {
        self.qdisc(0, (interface, parent, handle), queue, 0);
    }

    /// Changes what packets count as from now on, beyond the octets of their frames; all else about the queueing discipline stays.
    pub fn change_size_table(
        &mut self,
        interface: u32,
        parent: Handle,
        handle: Handle,
        kind: &str,
        overhead: i16,
    ) {
        self.request(RTM_NEWQDISC, 0, (interface, parent, handle), |octets| {
            attribute(octets, TCA_KIND, format!("{kind}\0").as_bytes());
            write_overhead(octets, overhead);
        });
    }

    /// Puts a queueing discipline in the place of the one below `parent`.
    pub fn replace_qdisc(
        &mut self,
        interface: u32,
        parent: Handle,
        handle: Handle,
        queue: Queue,
        overhead: i16,
    ) {
        self.qdisc(NLM_F_CREATE | NLM_F_REPLACE, (interface, parent, handle), queue, overhead);
    }

    /// Puts a queueing discipline that was listed at the root of an interface again.
    pub fn restore_qdisc(&mut self, interface: u32, handle: Handle, kind: &str, options: &[u8]) {
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        self.request(RTM_NEWQDISC, flags, (interface, Handle::ROOT, handle), |octets| {
            attribute(octets, TCA_KIND, format!("{kind}\0").as_bytes());
            if !options.is_empty() {
                attribute(octets, TCA_OPTIONS, options);
            }
        });
    }

    /// Removes a queueing discipline with all that is in it; its packets are lost.
    pub fn remove_qdisc(&mut self, interface: u32, parent: Handle, handle: Handle) {
        self.request(RTM_DELQDISC, 0, (interface, parent, handle), |_| {});
    }

    /// Adds a class, which must not be there yet.
    pub fn add_class(&mut self, interface: u32, parent: Handle, handle: Handle, class: &HtbClass) {
        self.class(NLM_F_CREATE | NLM_F_EXCL, (interface, parent, handle), class);
    }

    /// Changes the numbers of a class in place: no packet is lost.
    pub fn change_class(&mut self, interface: u32, parent: Handle, handle: Handle, class: &HtbClass) {
        self.class(0, (interface, parent, handle), class);
    }

    /// Removes a class; its packets are lost.
    pub fn remove_class(&mut self, interface: u32, parent: Handle, handle: Handle) {
        self.request(RTM_DELTCLASS, 0, (interface, parent, handle), |_| {});
    }

    /// Has an eBPF program, by its descriptor, say which class packets are in that come to a queueing discipline; one that is
    /// there already makes room.
    pub fn set_program(&mut self, interface: u32, qdisc: Handle, program: RawFd, name: &str) {
        /// Its priority, 1, and the packets that it is for: all (`ETH_P_ALL`).
        const FIRST_OF_ALL: u32 = 1 << 16 | 3_u16.to_be() as u32;
        let start = self.octets.len();
        let place = (interface, qdisc, Handle(1));
        self.request(RTM_NEWTFILTER, NLM_F_CREATE, place, |octets| {
            attribute(octets, TCA_KIND, b"bpf\0");
            nest(octets, TCA_OPTIONS, |octets| {
                attribute(octets, TCA_BPF_FD, &program.to_ne_bytes());
                attribute(octets, TCA_BPF_NAME, format!("{name}\0").as_bytes());
            });
        });
        let info = start + HEADER + PLACE - 4;
        self.octets[info..info + 4].copy_from_slice(&FIRST_OF_ALL.to_ne_bytes());
    }

    /// The requests in pieces that the kernel takes at once, each with the number of its first.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let end = |n: usize| self.starts.get(n).copied().unwrap_or(self.octets.len());
        let mut first = 0;
        std::iter::from_fn(move || {
            let start = *self.starts.get(first)?;
            let mut next = first + 1;
            while next < self.len() && next - first < MOST_REQUESTS && end(next + 1) - start <= MOST_OCTETS {
                next += 1;
            }
            let piece = (first, self.octets.get(start..end(next))?);
            first = next;
            Some(piece)
        })
    }

    fn class(&mut self, flags: u16, place: (u32, Handle, Handle), class: &HtbClass) {
        self.request(RTM_NEWTCLASS, flags, place, |octets| {
            attribute(octets, TCA_KIND, b"htb\0");
            nest(octets, TCA_OPTIONS, |octets| class.write(octets));
        });
    }

    fn qdisc(&mut self, flags: u16, place: (u32, Handle, Handle), queue: Queue, overhead: i16) {
        self.request(RTM_NEWQDISC, flags, place, |octets| {
            attribute(octets, TCA_KIND, queue.kind());
            queue.write(octets);
            write_overhead(octets, overhead);
        });
    }

    fn request(
        &mut self,
        kind: u16,
        flags: u16,
        place: (u32, Handle, Handle),
        attributes: impl FnOnce(&mut Vec<u8>),
    ) {
        self.starts.push(self.octets.len());
        write_request(&mut self.octets, kind, NLM_F_REQUEST | flags, place, attributes);
    }
}

/// Writes one message; its sequence number is written when it is sent.
pub(super) fn write_request(
    octets: &mut Vec<u8>,
    kind: u16,
    flags: u16,
    (interface, parent, handle): (u32, Handle, Handle),
    attributes: impl FnOnce(&mut Vec<u8>),
) {
    let start = octets.len();
    octets.extend_from_slice(&[0; 4]);
    octets.extend_from_slice(&kind.to_ne_bytes());
    octets.extend_from_slice(&(NLM_F_REQUEST | flags).to_ne_bytes());
    octets.extend_from_slice(&[0; 8]);
    octets.extend_from_slice(&[0; 4]);
    for word in [interface, handle.0, parent.0, 0] {
        octets.extend_from_slice(&word.to_ne_bytes());
    }
    attributes(octets);
    let length = (octets.len() - start) as u32;
    octets[start..start + 4].copy_from_slice(&length.to_ne_bytes());
}

/// Numbers the messages of a piece from `sequence` on and asks for an answer to the last: the kernel answers in order, and
/// to the others only when it refuses.
pub(super) fn number(piece: &mut [u8], mut sequence: u32) {
    let mut rest = piece;
    while rest.len() >= HEADER {
        let length = u32::from_ne_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
        let (message, after) = rest.split_at_mut(length.min(rest.len()).max(HEADER));
        if after.is_empty() {
            let flags = u16::from_ne_bytes([message[6], message[7]]) | NLM_F_ACK;
            message[6..8].copy_from_slice(&flags.to_ne_bytes());
        }
        message[8..12].copy_from_slice(&sequence.to_ne_bytes());
        sequence = sequence.wrapping_add(1);
        rest = after;
    }
}

/// Appends an attribute, padded to four octets.
pub(super) fn attribute(octets: &mut Vec<u8>, kind: u16, value: &[u8]) {
    nest(octets, kind, |octets| octets.extend_from_slice(value));
}

/// Appends an attribute that `content` writes.
pub(super) fn nest(octets: &mut Vec<u8>, kind: u16, content: impl FnOnce(&mut Vec<u8>)) {
    let start = octets.len();
    octets.extend_from_slice(&[0; 2]);
    octets.extend_from_slice(&kind.to_ne_bytes());
    content(octets);
    let length = (octets.len() - start) as u16;
    octets[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    octets.resize(octets.len().next_multiple_of(4), 0);
}

/// The kernel takes a request that says nothing of it for one to count frames as they are.
fn write_overhead(octets: &mut Vec<u8>, overhead: i16) {
    if overhead != 0 {
        nest(octets, TCA_STAB, |octets| attribute(octets, TCA_STAB_BASE, &size_table(overhead)));
    }
}

/// `tc_sizespec` without a table: what a packet counts as is the length of its frame and `overhead`.
fn size_table(overhead: i16) -> [u8; 24] {
    const LINKLAYER_ETHERNET: u32 = 1;
    let mut spec = [0; 24];
    spec[4..8].copy_from_slice(&i32::from(overhead).to_ne_bytes());
    spec[8..12].copy_from_slice(&LINKLAYER_ETHERNET.to_ne_bytes());
    spec
}

impl Queue {
    pub(super) const fn kind(self) -> &'static [u8] {
        match self {
            Self::Htb { .. } => b"htb\0",
            Self::Bfifo { .. } => b"bfifo\0",
            Self::Pfifo { .. } => b"pfifo\0",
            Self::Tbf { .. } => b"tbf\0",
        }
    }

    fn write(self, octets: &mut Vec<u8>) {
        match self {
            Self::Htb { default } => nest(octets, TCA_OPTIONS, |octets| htb::write_root(octets, default)),
            Self::Bfifo { limit } | Self::Pfifo { limit } => {
                attribute(octets, TCA_OPTIONS, &limit.to_ne_bytes());
            }
            Self::Tbf { rate, burst, limit, overhead } => nest(octets, TCA_OPTIONS, |octets| {
                // `tc_tbf_qopt`: rate, peak rate, limit, bucket in ticks, mtu.
                let mut parms = Vec::with_capacity(36);
                parms.extend_from_slice(&htb::rate_spec(rate, 0, overhead));
                parms.extend_from_slice(&htb::rate_spec(0, 0, 0));
                for word in [limit, htb::ticks(burst, rate), 0] {
                    parms.extend_from_slice(&word.to_ne_bytes());
                }
                attribute(octets, TCA_TBF_PARMS, &parms);
                if rate > u64::from(u32::MAX) {
                    attribute(octets, TCA_TBF_RATE64, &rate.to_ne_bytes());
                }
                attribute(octets, TCA_TBF_BURST, &burst.to_ne_bytes());
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_shown_as_tc_shows_them() {
        assert_eq!(Handle::new(1, 0x20).to_string(), "1:20");
        assert_eq!(Handle::new(0x8001, 0).to_string(), "8001:");
        assert_eq!(Handle::ROOT.to_string(), "root");
    }

    #[test]
    fn a_request_is_laid_out_as_the_headers_say() {
        let mut batch = Batch::new();
        batch.add_qdisc(7, Handle::new(1, 0x20), Handle::new(2, 0), Queue::Pfifo { limit: 10 }, 0);
        let mut octets = batch.octets.clone();
        number(&mut octets, 5);
        let words: Vec<u32> =
            octets.chunks_exact(4).map(|w| u32::from_ne_bytes([w[0], w[1], w[2], w[3]])).collect();
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
        let attribute = |length: u32, kind: u16| u32::from(kind) << 16 | length;
        let expected = [
            56,
            u32::from(flags) << 16 | u32::from(RTM_NEWQDISC),
            5,
            0,
            0,
            7,
            0x0002_0000,
            0x0001_0020,
            0,
            attribute(10, TCA_KIND),
            u32::from_ne_bytes(*b"pfif"),
            u32::from_ne_bytes(*b"o\0\0\0"),
            attribute(8, TCA_OPTIONS),
            10,
        ];
        assert_eq!(words, expected, "on a little-endian machine");
    }

    #[test]
    fn a_long_batch_is_divided_between_requests() {
        let mut batch = Batch::new();
        let class = HtbClass { rate: 1_000, ceil: 1_000, ..HtbClass::default() };
        for minor in 1..=1_000 {
            batch.add_class(1, Handle::new(1, 0), Handle::new(1, minor), &class);
        }
        let pieces: Vec<(usize, &[u8])> = batch.pieces().collect();
        assert!(pieces.iter().all(|(_, piece)| piece.len() <= MOST_OCTETS));
        assert_eq!(pieces.iter().map(|(_, piece)| piece.len()).sum::<usize>(), batch.octets.len());
        for (first, piece) in pieces {
            let handle = u32::from_ne_bytes([piece[24], piece[25], piece[26], piece[27]]);
            assert_eq!(handle & 0xffff, first as u32 + 1);
        }
        assert_eq!(Batch::new().pieces().count(), 0);
    }
}
