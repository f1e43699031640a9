//! SENDER_TSPEC, RFC 2205 A.11 and RFC 2210 3.1: the traffic a sender generates.
//!
//! ```text
//! C-Type 2: message header (7 words), service header (service 1, 6 words), parameter 127
//! ```

use bytes::BufMut;
use nom::Parser;
use nom::combinator::verify;

use super::Object;
use super::body::{octet, whole};
use super::tspec::{self, TSPEC_WORDS, Tspec};
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// The Tspec of a Path, RFC 2210 3.1.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct SenderTspec(pub Tspec);

/// Service number of default and global parameters.
pub(super) const GENERAL: u8 = 1;
const OVERALL_WORDS: u16 = TSPEC_WORDS + 1;

impl<'a> Object<'a> for SenderTspec {
    const CLASS: Class = Class::SENDER_TSPEC;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        if object.ctype != CType(2) {
            return Err(object.unknown_ctype());
        }
        whole(object, |input| {
            if let Some(read) = tspec::after_headers(GENERAL, TSPEC_WORDS, input) {
                return read.map(|(rest, tspec)| (rest, Self(tspec)));
            }
            let (input, _) = verify(octet, |&first: &u8| first >> 4 == 0).parse(input)?;
            let (input, _) = (octet, tspec::length_of(OVERALL_WORDS)).parse(input)?;
            let (input, _) = verify(octet, |&service: &u8| service == GENERAL).parse(input)?;
            let (input, _) = (octet, tspec::length_of(TSPEC_WORDS)).parse(input)?;
            tspec::tspec.map(Self).parse(input)
        })
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(2)
    }

    #[inline]
    fn body_len(&self) -> usize {
        32
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        tspec::put_message_header(OVERALL_WORDS, out);
        tspec::put_service_header(GENERAL, false, TSPEC_WORDS, out);
        tspec::put_tspec(&self.0, out);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    /// kom-real-3hop, packet 1, octet 52.
    const CAPTURED: &str = "00240c02 00000007 01000006 7f000005 461c4000 44fa0000 463b8000 00000040 000005dc";
    const TSPEC: Tspec = Tspec {
        rate: 10_000.0,
        bucket: 2_000.0,
        peak: 12_000.0,
        min_policed_unit: 64,
        max_packet_size: 1500,
    };

    /// The captured object with one word replaced.
    fn with(word: usize, value: u32) -> Vec<u8> {
        let mut octets = octets(CAPTURED);
        octets[4 * word..][..4].copy_from_slice(&value.to_be_bytes());
        octets
    }

    #[test]
    fn as_captured() {
        both_ways(&octets(CAPTURED), &SenderTspec(TSPEC));
    }

    #[test]
    fn peak_may_be_infinite() {
        // RFC 2210 3.1: exponent all ones, sign and mantissa zero.
        both_ways(&with(6, 0x7f80_0000), &SenderTspec(Tspec { peak: f32::INFINITY, ..TSPEC }));
    }

    #[test]
    fn values_the_rfc_forbids() {
        let nan = f32::NAN.to_bits();
        let (minus, infinite) = ((-1.0f32).to_bits(), f32::INFINITY.to_bits());
        for (word, bad) in
            [(4, nan), (4, minus), (4, infinite), (5, nan), (5, minus), (5, infinite), (6, nan), (6, minus)]
        {
            refused::<SenderTspec>(&with(word, bad), word as u16 * 4, Why::BodyValue);
        }
    }

    #[test]
    fn packet_sizes_are_read_as_they_are_and_judged_apart() {
        let tspec = |word, value| {
            let octets = with(word, value);
            let (object, _) = ObjectRef::split_first(&octets, 0).unwrap();
            object.read::<SenderTspec>().unwrap().0
        };
        assert!(TSPEC.is_legal());
        assert!(!tspec(7, 0).is_legal(), "m = 0");
        assert!(!tspec(8, 63).is_legal(), "M < m");
    }

    #[test]
    fn headers_must_be_those_of_a_token_bucket() {
        refused::<SenderTspec>(&with(1, 0x1000_0007), 4, Why::BodyValue);
        refused::<SenderTspec>(&with(1, 0x0000_0008), 6, Why::BodyLength);
        refused::<SenderTspec>(&with(2, 0x0500_0006), 8, Why::BodyValue);
        refused::<SenderTspec>(&with(2, 0x0100_0005), 10, Why::BodyLength);
        refused::<SenderTspec>(&with(3, 0x7e00_0005), 12, Why::BodyValue);
        refused::<SenderTspec>(&with(3, 0x7f00_0004), 14, Why::BodyLength);
        refused::<SenderTspec>(&octets("00080c02 00000007"), 8, Why::BodyLength);
        refused::<SenderTspec>(&octets("00080c01 00000007"), 3, Why::UnknownCType);
    }

    #[test]
    fn reserved_bits_are_ignored() {
        let mut octets = with(1, 0x0fff_0007);
        octets[9] = 0xff;
        octets[13] = 0xff;
        let (object, _) = ObjectRef::split_first(&octets, 0).unwrap();
        assert_eq!(object.read(), Ok(SenderTspec(TSPEC)));
    }
}
