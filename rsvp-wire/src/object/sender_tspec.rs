//! SENDER_TSPEC, RFC 2205 A.11, RFC 2210 3.1 and RFC 2997 4.3: the traffic a sender generates.
//!
//! ```text
//! C-Type 2: message header (7 words), service header (service 1, 6 words), parameter 127
//! Null service, alone or after the above: service header (service 6, 2 words), parameter 128 with M (1 word)
//! ```

use bytes::BufMut;
use nom::Parser;
use nom::combinator::verify;

use super::Object;
use super::body::{fault, octet, whole};
use super::tspec::{self, TSPEC_WORDS, Tspec};
use crate::code::{CType, Class};
use crate::error::{ParseError, Why};
use crate::message::ObjectRef;

/// The Tspec of a Path, RFC 2210 3.1, and whether the Null service is offered.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct SenderTspec(pub Tspec, pub NullTspec);

/// The Tspec of the Null service, RFC 2997 4.3.
#[derive(Copy, Clone, PartialEq, Eq, Default, Debug)]
pub enum NullTspec {
    /// There is none.
    #[default]
    Absent,
    /// It follows the token bucket, with this M in octets.
    Beside(u32),
    /// There is no token bucket: of the Tspec only M is meant, see [`Tspec::null`].
    Alone,
}

impl From<Tspec> for SenderTspec {
    fn from(tspec: Tspec) -> Self {
        Self(tspec, NullTspec::Absent)
    }
}

impl SenderTspec {
    /// What a sender announces that offers the Null service only, RFC 2997 3.2.
    pub const fn null(max_packet_size: u32) -> Self {
        Self(Tspec::null(max_packet_size), NullTspec::Alone)
    }

    /// Whether the values keep to what the services demand; see [`Tspec::is_legal`].
    #[must_use]
    pub fn is_legal(&self) -> bool {
        match self.1 {
            NullTspec::Absent => self.0.is_legal(),
            NullTspec::Beside(max_packet_size) => self.0.is_legal() && max_packet_size != 0,
            NullTspec::Alone => self.0.max_packet_size != 0,
        }
    }

    /// Whether nothing is wrong with the values unless it is m = 0; see [`Tspec::is_legal_but_for_m`].
    #[must_use]
    pub fn is_legal_but_for_m(&self) -> bool {
        self.is_legal() || (self.0.is_legal_but_for_m() && self.1 != NullTspec::Beside(0))
    }
}

/// Service number of default and global parameters.
pub(super) const GENERAL: u8 = 1;
const OVERALL_WORDS: u16 = TSPEC_WORDS + 1;
const NULL_FRAGMENT_WORDS: u16 = tspec::NULL_WORDS + 1;

impl<'a> Object<'a> for SenderTspec {
    const CLASS: Class = Class::SENDER_TSPEC;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        if object.ctype != CType(2) {
            return Err(object.unknown_ctype());
        }
        whole(object, |input| {
            if let Some(read) = tspec::after_headers(GENERAL, TSPEC_WORDS, input) {
                return read.map(|(rest, tspec)| (rest, Self::from(tspec)));
            }
            let (after, words) = tspec::message_header.parse(input)?;
            if words == tspec::NULL_WORDS.saturating_add(1) {
                return tspec::null.map(Self::null).parse(after);
            }
            let beside = words == OVERALL_WORDS.saturating_add(NULL_FRAGMENT_WORDS);
            if !beside && words != OVERALL_WORDS {
                return fault(input.get(2..).unwrap_or_default(), Why::BodyLength);
            }
            let (input, _) = verify(octet, |&service: &u8| service == GENERAL).parse(after)?;
            let (input, _) = (octet, tspec::length_of(TSPEC_WORDS)).parse(input)?;
            let (input, tspec) = tspec::tspec.parse(input)?;
            match beside {
                true => tspec::null.map(|m| Self(tspec, NullTspec::Beside(m))).parse(input),
                false => Ok((input, Self::from(tspec))),
            }
        })
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(2)
    }

    #[inline]
    fn body_len(&self) -> usize {
        match self.1 {
            NullTspec::Absent => 32,
            NullTspec::Beside(_) => 44,
            NullTspec::Alone => 16,
        }
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        let (token_bucket, null) = match self.1 {
            NullTspec::Absent => (true, None),
            NullTspec::Beside(max_packet_size) => (true, Some(max_packet_size)),
            NullTspec::Alone => (false, Some(self.0.max_packet_size)),
        };
        let words = self.body_len().saturating_sub(4) / 4;
        tspec::put_message_header(words as u16, out);
        if token_bucket {
            tspec::put_service_header(GENERAL, false, TSPEC_WORDS, out);
            tspec::put_tspec(&self.0, out);
        }
        if let Some(max_packet_size) = null {
            tspec::put_null(max_packet_size, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::testing::{both_ways, octets, refused};
    use super::*;

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
        both_ways(&octets(CAPTURED), &SenderTspec::from(TSPEC));
    }

    #[test]
    fn peak_may_be_infinite() {
        // RFC 2210 3.1: exponent all ones, sign and mantissa zero.
        both_ways(&with(6, 0x7f80_0000), &SenderTspec::from(Tspec { peak: f32::INFINITY, ..TSPEC }));
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
    fn null_service_alone_and_beside() {
        // By hand from RFC 2997 4.3: M = 1400.
        const NULL: &str = "06000002 80000001 00000578";
        let alone = octets(&std::format!("00140c02 00000003 {NULL}"));
        both_ways(&alone, &SenderTspec::null(1400));
        assert!(SenderTspec::null(1400).is_legal() && !SenderTspec::null(0).is_legal());
        let bucket = CAPTURED.strip_prefix("00240c02 00000007 ").unwrap();
        let beside = octets(&std::format!("00300c02 0000000a {bucket} {NULL}"));
        both_ways(&beside, &SenderTspec(TSPEC, NullTspec::Beside(1400)));
        refused::<SenderTspec>(&octets("00140c02 00000003 05000002 80000001 00000578"), 8, Why::BodyValue);
        refused::<SenderTspec>(&octets("00140c02 00000003 06000002 7f000001 00000578"), 12, Why::BodyValue);
    }

    #[test]
    fn packet_sizes_are_read_as_they_are_and_judged_apart() {
        let tspec = |word, value| {
            let octets = with(word, value);
            let (object, _) = ObjectRef::split_first(&octets, 0).unwrap();
            object.read::<SenderTspec>().unwrap().0
        };
        assert!(TSPEC.is_legal());
        assert!(!tspec(7, 0).is_legal() && tspec(7, 0).is_legal_but_for_m(), "m = 0");
        assert!(!tspec(8, 63).is_legal() && !tspec(8, 63).is_legal_but_for_m(), "M < m");
        assert!(!tspec(8, 0).is_legal_but_for_m(), "M = 0");
        let p = |rate: f32| tspec(6, rate.to_bits());
        assert!(p(10_000.0).is_legal() && !p(9_999.0).is_legal(), "p < r");
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
        assert_eq!(object.read(), Ok(SenderTspec::from(TSPEC)));
    }
}
