//! The socket on which requests go and answers come.

use super::dump::Attributes;
use super::dump::{Class, Program, Qdisc};
use super::message::{
    Batch, HEADER, Handle, NLM_F_DUMP, RTM_GETQDISC, RTM_GETTCLASS, RTM_GETTFILTER, number, write_request,
};
use crate::netlink::{NLM_F_DUMP_INTR, whole};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use std::io;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// The message's own octets are not repeated in an error.
const NLM_F_CAPPED: u16 = 0x100;
/// An error has attributes behind it.
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;
/// A piece of a dump is this long at most (`NLMSG_GOODSIZE` and what the kernel makes of large reads).
const READ: usize = 32 * 1024;

/// That the kernel has refused a request, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", io::Error::from_raw_os_error(*.errno), .message.as_ref().map(|m| format!(": {m}")).unwrap_or_default())]
pub struct Refusal {
    /// Which request of the batch.
    pub request: usize,
    /// The kernel's error number, for instance `EEXIST`.
    pub errno: i32,
    /// What the kernel says in words.
    pub message: Option<String>,
}

/// The kernel's traffic control in the network namespace in which it was opened. Needs `CAP_NET_ADMIN` to change anything.
pub struct Tc {
    socket: Socket,
    sequence: u32,
}

impl std::fmt::Debug for Tc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tc").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

impl Tc {
    /// Opens a socket.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_ext_ack(true)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Has all requests carried out, also those after one that is refused, and says which are.
    ///
    /// # Errors
    /// When the kernel cannot be asked; what was carried out until then is not known.
    pub fn apply(&mut self, batch: &Batch) -> io::Result<Vec<Refusal>> {
        let mut refused = Vec::new();
        for (first, piece) in batch.pieces() {
            let mut piece = piece.to_vec();
            let base = self.sequence.wrapping_add(1);
            number(&mut piece, base);
            let requests = split(&piece).count() as u32;
            self.sequence = self.sequence.wrapping_add(requests);
            self.socket.send(&piece, 0)?;
            self.answers(|answer| {
                let number = answer.sequence.wrapping_sub(base);
                if number >= requests {
                    return false;
                }
                if answer.errno != 0 {
                    let request = first + number as usize;
                    refused.push(Refusal { request, errno: answer.errno, message: answer.words() });
                }
                number + 1 == requests
            })?;
        }
        Ok(refused)
    }

    /// The queueing disciplines of an interface.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn qdiscs(&mut self, interface: u32) -> io::Result<Vec<Qdisc>> {
        let all = self.dump(RTM_GETQDISC, interface, Handle(0), Qdisc::read)?;
        // The kernel lists those of all interfaces, whatever is asked for.
        Ok(all.into_iter().filter(|qdisc| qdisc.interface == interface).collect())
    }

    /// The classes of an interface.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn classes(&mut self, interface: u32) -> io::Result<Vec<Class>> {
        self.dump(RTM_GETTCLASS, interface, Handle(0), Class::read)
    }

    /// How many filters the queueing discipline at the root of an interface has.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn filters(&mut self, interface: u32) -> io::Result<usize> {
        self.dump(RTM_GETTFILTER, interface, Handle(0), |_| Some(())).map(|found| found.len())
    }

    /// The programs that filters run on what leaves by an interface, where its `clsact` has any.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn programs(&mut self, interface: u32) -> io::Result<Vec<Program>> {
        self.dump(RTM_GETTFILTER, interface, Handle::CLSACT_EGRESS, Program::read)
    }

    /// A listing. One in which something has changed while the kernel made it is asked for again.
    fn dump<T>(
        &mut self,
        kind: u16,
        interface: u32,
        parent: Handle,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        whole(|| self.dump_once(kind, interface, parent, &read))
    }

    /// A listing, and whether it is of one moment.
    fn dump_once<T>(
        &mut self,
        kind: u16,
        interface: u32,
        parent: Handle,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> io::Result<(Vec<T>, bool)> {
        let mut octets = Vec::new();
        write_request(&mut octets, kind, NLM_F_DUMP, (interface, parent, Handle(0)), |_| {});
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        octets[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.socket.send(&octets, 0)?;
        let (mut found, mut errno, mut is_whole) = (Vec::new(), 0, true);
        self.answers(|answer| {
            if answer.sequence != sequence {
                return false;
            }
            errno = answer.errno;
            is_whole &= answer.flags & NLM_F_DUMP_INTR == 0;
            match answer.kind {
                NLMSG_ERROR | NLMSG_DONE => true,
                _ => {
                    found.extend(read(answer.octets));
                    false
                }
            }
        })?;
        if errno != 0 { Err(io::Error::from_raw_os_error(errno)) } else { Ok((found, is_whole)) }
    }

    /// Reads answers until one is the last.
    fn answers(&mut self, mut is_last: impl FnMut(&Answer<'_>) -> bool) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(READ);
        loop {
            buffer.clear();
            self.socket.recv(&mut buffer, 0)?;
            for octets in split(&buffer) {
                if Answer::read(octets).is_some_and(|answer| is_last(&answer)) {
                    return Ok(());
                }
            }
        }
    }
}

/// The messages in what goes or comes.
fn split(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(octets.get(..4)?.try_into().ok()?) as usize;
        let message = octets.get(..length).filter(|_| length >= HEADER)?;
        octets = octets.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}

/// One message from the kernel.
struct Answer<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    /// 0 where it is no error.
    errno: i32,
    octets: &'a [u8],
}

impl<'a> Answer<'a> {
    fn read(octets: &'a [u8]) -> Option<Self> {
        let half = |at: usize| Some(u16::from_ne_bytes(octets.get(at..at + 2)?.try_into().ok()?));
        let word = |at: usize| Some(u32::from_ne_bytes(octets.get(at..at + 4)?.try_into().ok()?));
        let kind = half(4)?;
        let carries_error = matches!(kind, NLMSG_ERROR | NLMSG_DONE);
        let errno =
            if carries_error { word(HEADER).map_or(0, |code| (code as i32).wrapping_neg()) } else { 0 };
        Some(Self { kind, flags: half(6)?, sequence: word(8)?, errno, octets })
    }

    /// What an error says in words: an attribute behind the header of the request, and behind all of it if it is repeated.
    fn words(&self) -> Option<String> {
        if self.flags & NLM_F_ACK_TLVS == 0 {
            return None;
        }
        let request = HEADER + 4;
        let length = u32::from_ne_bytes(self.octets.get(request..request + 4)?.try_into().ok()?) as usize;
        let repeated = if self.flags & NLM_F_CAPPED == 0 { length.next_multiple_of(4) } else { HEADER };
        let text = Attributes::new(self.octets.get(request + repeated..)?).find(NLMSGERR_ATTR_MSG)?;
        Some(String::from_utf8_lossy(text).trim_end_matches('\0').to_owned())
    }
}
