//! What is to be said of a message as a whole: is it sound, and if not, what is wrong where.
//!
//! A wrong checksum does not hide what else is wrong: the structure is judged first, the objects in their order. A message
//! that the capture has not all of is judged by what there is of it.

use std::fmt;

use rsvp_wire::{ChecksumVerdict, Header, ObjectRef, Scan, Why};

use super::keys::{Integrity, Keys};
use rsvp_capture::packet::Packet;

/// Where a message is wrong, and how.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    /// Offset in the message, in octets.
    pub(super) offset: u16,
    pub(super) why: Why,
}

/// A message and the judgement of it.
#[derive(Copy, Clone, Debug)]
pub(super) struct Judged<'a> {
    pub(super) scan: Scan<'a>,
    pub(super) header: Option<Header>,
    pub(super) fault: Option<Fault>,
    pub(super) integrity: Option<Integrity>,
}

impl<'a> Judged<'a> {
    #[inline]
    pub(super) fn new(packet: &Packet<'a>, keys: &Keys) -> Self {
        let scan = Scan::new(packet.octets);
        // Errors quote the beginning of a message; that it ends there is nothing wrong with it.
        let fault = judge(&scan).filter(|fault| packet.quoted.is_none() || fault.why != Why::Truncated);
        let integrity = if keys.is_empty() { None } else { keys.verify(&scan, packet.octets) };
        Self { scan, header: scan.header(), fault, integrity }
    }

    /// The objects that can be told apart, whatever follows them.
    #[inline]
    pub(super) fn objects(&self) -> impl Iterator<Item = ObjectRef<'a>> + use<'a> {
        self.scan.objects().map_while(Result::ok)
    }
}

/// The first fault of header, framing and bodies.
#[inline]
fn structure(scan: &Scan<'_>) -> Option<Fault> {
    let at_hand = scan.octets().len();
    let fault = |offset: usize, why| Some(Fault { offset: offset.min(usize::from(u16::MAX)) as u16, why });
    let Some(header) = scan.header() else { return fault(at_hand, Why::Truncated) };
    let length = usize::from(header.length);
    if header.version != 1 {
        return fault(0, Why::Version);
    }
    if length < 8 || !length.is_multiple_of(4) || length < at_hand {
        return fault(6, Why::Length);
    }
    for object in scan.objects() {
        if let Err(error) = object.and_then(|object| object.check()) {
            return fault(error.at.into(), error.why);
        }
    }
    for message in scan.messages() {
        match message.map(|(at, scan)| (at, judge(&scan))) {
            Err(error) => return fault(error.at.into(), error.why),
            Ok((at, Some(inner))) => return fault(usize::from(at) + usize::from(inner.offset), inner.why),
            Ok(_) => {}
        }
    }
    if length > at_hand { fault(at_hand, Why::Truncated) } else { None }
}

/// What is wrong with a message. A wrong checksum is said only if nothing else is.
#[inline]
pub(super) fn judge(scan: &Scan<'_>) -> Option<Fault> {
    structure(scan).or_else(|| {
        let wrong = scan.checksum() == ChecksumVerdict::Bad;
        wrong.then_some(Fault { offset: 2, why: Why::Checksum })
    })
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed at octet {}: {}", self.offset, self.why)
    }
}
