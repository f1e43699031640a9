//! What the kernel lists.

use super::htb::HtbClass;
use super::message::{HEADER, Handle, PLACE, TCA_KIND, TCA_OPTIONS, TCA_TBF_PARMS};

const TCA_BPF_NAME: u16 = 7;
const TCA_STATS2: u16 = 7;
const TCA_STATS_BASIC: u16 = 1;
const TCA_STATS_QUEUE: u16 = 3;
const TCA_STATS_PKT64: u16 = 8;
/// The kernel marks nested attributes in the uppermost bits of their type.
const TYPE: u16 = 0x3fff;

/// A queueing discipline as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qdisc {
    /// Number of the interface.
    pub interface: u32,
    /// Its own number; 0 when the kernel has put it there by itself.
    pub handle: Handle,
    /// The class that it serves, or the root.
    pub parent: Handle,
    /// `htb`, `bfifo`, …
    pub kind: String,
    /// Its options as the kernel has them, to put the same there again.
    pub options: Vec<u8>,
    /// What has gone through it.
    pub counters: Counters,
}

/// A class as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Number of the interface.
    pub interface: u32,
    /// Its own number.
    pub handle: Handle,
    /// The class above it, or the root.
    pub parent: Handle,
    /// Rates and bursts; `None` for a class of another queueing discipline than HTB.
    pub htb: Option<HtbClass>,
    /// What has gone through it.
    pub counters: Counters,
}

/// A filter that runs an eBPF program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its priority among the filters.
    pub priority: u16,
    /// Its number among those of the priority.
    pub handle: Handle,
    /// What the program is called.
    pub program: String,
}

/// What has gone through a queueing discipline or class, and what waits there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Octets that were sent, as they were counted for rates.
    pub octets: u64,
    /// Packets that were sent.
    pub packets: u64,
    /// Packets that were dropped.
    pub drops: u32,
    /// Octets that wait.
    pub backlog_octets: u32,
    /// Packets that wait.
    pub backlog_packets: u32,
}

/// Attributes one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The first of a type. What does not fit its own length ends the list.
    pub(super) fn find(&self, wanted: u16) -> Option<&'a [u8]> {
        let mut rest = self.0;
        while let [a, b, c, d, ..] = *rest {
            let (length, kind) = (usize::from(u16::from_ne_bytes([a, b])), u16::from_ne_bytes([c, d]));
            let value = rest.get(4..length)?;
            if kind & TYPE == wanted {
                return Some(value);
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        None
    }
}

/// What a message of a dump says, but for its kind.
struct Listed<'a> {
    interface: u32,
    handle: Handle,
    parent: Handle,
    info: u32,
    attributes: Attributes<'a>,
}

impl<'a> Listed<'a> {
    fn read(message: &'a [u8]) -> Option<Self> {
        let body = message.get(HEADER..)?;
        let word = |at: usize| Some(u32::from_ne_bytes(body.get(at..at + 4)?.try_into().ok()?));
        Some(Self {
            interface: word(4)?,
            handle: Handle(word(8)?),
            parent: Handle(word(12)?),
            info: word(16)?,
            attributes: Attributes(body.get(PLACE..)?),
        })
    }

    fn kind(&self) -> Option<String> {
        let name = self.attributes.find(TCA_KIND)?;
        Some(String::from_utf8_lossy(name).trim_end_matches('\0').to_owned())
    }

    fn counters(&self) -> Counters {
        let Some(stats) = self.attributes.find(TCA_STATS2).map(Attributes) else {
            return Counters::default();
        };
        let word = |of: &[u8], at: usize| {
            of.get(at..at + 4).and_then(|w| w.try_into().ok()).map_or(0, u32::from_ne_bytes)
        };
        let long = |of: &[u8]| of.get(..8).and_then(|w| w.try_into().ok()).map(u64::from_ne_bytes);
        let basic = stats.find(TCA_STATS_BASIC).unwrap_or_default();
        let queue = stats.find(TCA_STATS_QUEUE).unwrap_or_default();
        Counters {
            octets: long(basic).unwrap_or(0),
            packets: stats.find(TCA_STATS_PKT64).and_then(long).unwrap_or_else(|| word(basic, 8).into()),
            backlog_packets: word(queue, 0),
            backlog_octets: word(queue, 4),
            drops: word(queue, 8),
        }
    }
}

impl Qdisc {
    /// What waits at most in it: octets of `bfifo` and `tbf`, packets of `pfifo`.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        let options = match self.kind.as_str() {
            "bfifo" | "pfifo" => self.options.as_slice(),
            // Two rates are before it in `tc_tbf_qopt`.
            "tbf" => Attributes(&self.options).find(TCA_TBF_PARMS)?.get(24..)?,
            _ => return None,
        };
        options.first_chunk().map(|octets| u32::from_ne_bytes(*octets))
    }

    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let listed = Listed::read(message)?;
        Some(Self {
            interface: listed.interface,
            handle: listed.handle,
            parent: listed.parent,
            kind: listed.kind()?,
            options: listed.attributes.find(TCA_OPTIONS).unwrap_or_default().to_vec(),
            counters: listed.counters(),
        })
    }
}

impl Program {
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let listed = Listed::read(message)?;
        let options = listed.attributes.find(TCA_OPTIONS).map(Attributes)?;
        let name = options.find(TCA_BPF_NAME).filter(|_| listed.kind().as_deref() == Some("bpf"))?;
        Some(Self {
            priority: (listed.info >> 16) as u16,
            handle: listed.handle,
            program: String::from_utf8_lossy(name).trim_end_matches('\0').to_owned(),
        })
    }
}

impl Class {
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let listed = Listed::read(message)?;
        let options = listed.attributes.find(TCA_OPTIONS).map(Attributes);
        let htb = options.filter(|_| listed.kind().as_deref() == Some("htb"));
        Some(Self {
            interface: listed.interface,
            handle: listed.handle,
            parent: listed.parent,
            htb: htb.and_then(|options| HtbClass::read(&options)),
            counters: listed.counters(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_do_not_fit_end_the_list() {
        let octets =
            [&8u16.to_ne_bytes()[..], &1u16.to_ne_bytes(), b"abcd", &99u16.to_ne_bytes(), &[2, 0]].concat();
        let attributes = Attributes(&octets);
        assert_eq!(attributes.find(1), Some(&b"abcd"[..]));
        assert_eq!(attributes.find(2), None);
        for cut in 0..octets.len() {
            Attributes(&octets[..cut]).find(2);
        }
        assert_eq!(Attributes(&[0; 64]).find(2), None, "a length of nothing does not go on for ever");
    }
}
