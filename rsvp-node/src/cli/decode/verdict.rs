//! What is to be said of a message as a whole: is it sound, and if not, what is wrong where.
//!
//! A wrong checksum does not hide what else is wrong: the structure is judged first. Octets that the capture left out
//! are no fault of the message.

use std::fmt;

use rsvp_wire::{ChecksumVerdict, Header, ObjectRef, Scan, Why};

use super::body;
use super::keys::{Integrity, Keys};
use crate::cli::packet::Packet;

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
    pub(super) octets: &'a [u8],
    pub(super) header: Option<Header>,
    pub(super) checksum: ChecksumVerdict,
    /// Whether there are fewer octets than the header announces.
    pub(super) truncated: bool,
    pub(super) fault: Option<Fault>,
    pub(super) integrity: Option<Integrity>,
}

impl<'a> Judged<'a> {
    #[inline]
    pub(super) fn new(packet: &Packet<'a>, keys: &Keys) -> Self {
        let scan = Scan::new(packet.octets);
        let checksum = scan.checksum();
        let truncated = scan.truncated();
        let mut fault = structure(&scan, packet);
        if checksum == ChecksumVerdict::Bad {
            fault = fault.or(Some(Fault { offset: 2, why: Why::Checksum }));
        }
        let integrity = if keys.is_empty() { None } else { keys.verify(&scan, packet.octets) };
        Self { scan, octets: packet.octets, header: scan.header(), checksum, truncated, fault, integrity }
    }

    /// The objects that can be told apart, whatever follows them.
    #[inline]
    pub(super) fn objects(&self) -> impl Iterator<Item = ObjectRef<'a>> + use<'a> {
        self.scan.objects().map_while(Result::ok)
    }
}

/// The first fault of header, framing and bodies.
#[inline]
fn structure(scan: &Scan<'_>, packet: &Packet<'_>) -> Option<Fault> {
    let at_hand = packet.octets.len();
    let fault = |offset, why| Some(Fault { offset, why });
    let Some(header) = scan.header() else {
        return if packet.cut { None } else { fault(at_hand as u16, Why::Truncated) };
    };
    let length = usize::from(header.length);
    if header.version != 1 {
        return fault(0, Why::Version);
    }
    if length < 8 || !length.is_multiple_of(4) || length < at_hand {
        return fault(6, Why::Length);
    }
    for object in scan.objects() {
        match object {
            Ok(object) => {
                if let Err(error) = body::check(&object) {
                    return fault(error.at, error.why);
                }
            }
            Err(error) if error.why == Why::Truncated => break,
            Err(error) => return fault(error.at, error.why),
        }
    }
    if length > at_hand && !packet.cut {
        return fault(at_hand as u16, Why::Truncated);
    }
    None
}

/// The words of the JSON contract.
pub(super) const fn checksum_word(verdict: ChecksumVerdict) -> &'static str {
    match verdict {
        ChecksumVerdict::Ok => "ok",
        ChecksumVerdict::Zero => "zero",
        ChecksumVerdict::Bad => "bad",
        ChecksumVerdict::Unverifiable => "unverifiable",
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed at octet {}: {}", self.offset, self.why)
    }
}
