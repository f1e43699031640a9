//! FLOWSPEC, RFC 2205 A.8, RFC 2210 3.2 and RFC 2997 4.4: the quality of service a receiver asks for.
//!
//! ```text
//! C-Type 2, Controlled-Load: message header (7 words), service header (service 5, 6 words), parameter 127
//! C-Type 2, Guaranteed: message header (10 words), service header (service 2, 9 words), parameter 127, then
//! |     130     |    flags    |             2             |
//! |  Rate [R]  (32-bit IEEE floating point number)        |
//! |  Slack Term [S]  (32-bit integer)                     |
//! C-Type 2, Null service: message header (3 words), service header (service 6, 2 words), parameter 128 with M
//! ```
//!
//! C-Type 1 is obsolete: it is known, but has no typed form. Comparing and merging flowspecs is the engine's part.

use bytes::BufMut;
use nom::Parser;
use nom::combinator::verify;

use super::Object;
use super::body::{Parsed, fault, finite, octet, whole, word};
use super::tspec::{self, TSPEC_WORDS, Tspec};
use crate::code::{CType, Class};
use crate::error::{ParseError, Why};
use crate::message::ObjectRef;

/// What Guaranteed service adds to a Tspec, RFC 2212 and RFC 2210 3.2.2.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Rspec {
    /// Rate R, in octets per second.
    pub rate: f32,
    /// Slack term S, in microseconds.
    pub slack: u32,
}

/// A reservation request, RFC 2210 3.2.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum Flowspec {
    /// Controlled-Load service (5), RFC 2211.
    ControlledLoad(Tspec),
    /// Guaranteed service (2), RFC 2212.
    Guaranteed(Tspec, Rspec),
    /// Null service (6), RFC 2997: nothing but to be known by the network; of the Tspec only M counts, as
    /// [`Tspec::null`] makes it.
    Null(Tspec),
}

/// Service number of Guaranteed.
pub(super) const GUARANTEED: u8 = 2;
/// Service number of Controlled-Load.
pub(super) const CONTROLLED_LOAD: u8 = 5;
const GUARANTEED_WORDS: u16 = TSPEC_WORDS + 3;
const RSPEC: u8 = 130;

impl Flowspec {
    /// The traffic parameters.
    #[inline]
    pub const fn tspec(&self) -> &Tspec {
        let (Self::ControlledLoad(tspec) | Self::Guaranteed(tspec, _) | Self::Null(tspec)) = self;
        tspec
    }

    /// Whether the values keep to what the services demand: traffic parameters as in [`Tspec::is_legal`], and for
    /// Guaranteed service a peak rate p and a reserved rate R of at least the token rate r (RFC 2212). Reading accepts
    /// what does not.
    #[must_use]
    pub fn is_legal(&self) -> bool {
        let enough = match self {
            Self::Null(tspec) => return tspec.max_packet_size != 0,
            Self::ControlledLoad(_) => true,
            Self::Guaranteed(tspec, rspec) => (tspec.rate..f32::INFINITY).contains(&rspec.rate),
        };
        enough && self.tspec().is_legal()
    }

    /// Whether nothing is wrong with the values unless it is m = 0; see [`Tspec::is_legal_but_for_m`].
    #[must_use]
    pub fn is_legal_but_for_m(&self) -> bool {
        let mut raised = *self;
        let (Self::ControlledLoad(tspec) | Self::Guaranteed(tspec, _) | Self::Null(tspec)) = &mut raised;
        tspec.min_policed_unit = tspec.min_policed_unit.max(1);
        raised.is_legal()
    }

    /// The service number: 5 for Controlled-Load, 2 for Guaranteed, 6 for Null.
    #[inline]
    pub const fn service(&self) -> u8 {
        match self {
            Self::ControlledLoad(_) => CONTROLLED_LOAD,
            Self::Guaranteed(..) => GUARANTEED,
            Self::Null(_) => tspec::NULL,
        }
    }
}

#[inline]
fn flowspec(input: &[u8]) -> Parsed<'_, Flowspec> {
    if let Some(read) = tspec::after_headers(CONTROLLED_LOAD, TSPEC_WORDS, input) {
        return read.map(|(rest, tspec)| (rest, Flowspec::ControlledLoad(tspec)));
    }
    let after_message_header = tspec::message_header.parse(input)?;
    let (service_input, overall) = after_message_header;
    if overall == tspec::NULL_WORDS.saturating_add(1) && service_input.first() == Some(&tspec::NULL) {
        return tspec::null.map(|m| Flowspec::Null(Tspec::null(m))).parse(service_input);
    }
    let (input_words, service) =
        verify(octet, |service: &u8| [GUARANTEED, CONTROLLED_LOAD].contains(service)).parse(service_input)?;
    let words = if service == GUARANTEED { GUARANTEED_WORDS } else { TSPEC_WORDS };
    // RFC 2210 3.2.2 draws an overall length of 10 words for Guaranteed and says 9 below the drawing: both are taken.
    if overall != words.saturating_add(1) && (service, overall) != (GUARANTEED, 9) {
        return fault(input.get(2..).unwrap_or_default(), Why::BodyLength);
    }
    let (input, _) = (octet, tspec::length_of(words)).parse(input_words)?;
    let (input, traffic) = tspec::tspec(input)?;
    if service == CONTROLLED_LOAD {
        return Ok((input, Flowspec::ControlledLoad(traffic)));
    }
    (tspec::parameter_header(RSPEC, 2), finite, word)
        .map(|((), rate, slack)| Flowspec::Guaranteed(traffic, Rspec { rate, slack }))
        .parse(input)
}

impl<'a> Object<'a> for Flowspec {
    const CLASS: Class = Class::FLOWSPEC;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        match object.ctype.0 {
            2 => whole(object, flowspec),
            _ => Err(object.unknown_ctype()),
        }
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(2)
    }

    #[inline]
    fn body_len(&self) -> usize {
        match self {
            Self::ControlledLoad(_) => 32,
            Self::Guaranteed(..) => 44,
            Self::Null(_) => 16,
        }
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        if let Self::Null(tspec) = self {
            tspec::put_message_header(tspec::NULL_WORDS.saturating_add(1), out);
            return tspec::put_null(tspec.max_packet_size, out);
        }
        let words = if let Self::Guaranteed(..) = self { GUARANTEED_WORDS } else { TSPEC_WORDS };
        tspec::put_message_header(words.saturating_add(1), out);
        tspec::put_service_header(self.service(), false, words, out);
        tspec::put_tspec(self.tspec(), out);
        if let Self::Guaranteed(_, rspec) = self {
            tspec::put_parameter_header(RSPEC, 2, out);
            out.put_f32(rspec.rate);
            out.put_u32(rspec.slack);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;

    const TSPEC: Tspec = Tspec {
        rate: 10_000.0,
        bucket: 2_000.0,
        peak: 12_000.0,
        min_policed_unit: 64,
        max_packet_size: 1500,
    };
    /// By hand from RFC 2210 3.2.2, Guaranteed.
    const GUARANTEED_HEX: &str =
        "00300902 0000000a 02000009 7f000005 461c4000 44fa0000 463b8000 00000040 000005dc
                                  82000002 469c4000 000003e8";

    #[test]
    fn null_service() {
        // By hand from RFC 2997 4.4: M = 1500.
        let null = Flowspec::Null(Tspec::null(1500));
        both_ways(&octets("00140902 00000003 06000002 80000001 000005dc"), &null);
        assert!(null.is_legal() && null.service() == 6 && !Flowspec::Null(Tspec::null(0)).is_legal());
        refused::<Flowspec>(&octets("00140902 00000003 06000003 80000001 000005dc"), 10, Why::BodyLength);
        refused::<Flowspec>(&octets("00140902 00000003 06000002 7f000001 000005dc"), 12, Why::BodyValue);
    }

    #[test]
    fn controlled_load() {
        // By hand from RFC 2210 3.2.1, with the numbers of kom-real-3hop, packet 1.
        let octets =
            octets("00240902 00000007 05000006 7f000005 461c4000 44fa0000 463b8000 00000040 000005dc");
        let flowspec = Flowspec::ControlledLoad(TSPEC);
        let without_m = Flowspec::ControlledLoad(Tspec { min_policed_unit: 0, ..TSPEC });
        assert!(flowspec.is_legal() && !without_m.is_legal() && without_m.is_legal_but_for_m());
        both_ways(&octets, &flowspec);
        assert_eq!((flowspec.service(), flowspec.tspec()), (5, &TSPEC));
    }

    #[test]
    fn guaranteed() {
        let flowspec = Flowspec::Guaranteed(TSPEC, Rspec { rate: 20_000.0, slack: 1000 });
        both_ways(&octets(GUARANTEED_HEX), &flowspec);
        assert_eq!((flowspec.service(), flowspec.tspec()), (2, &TSPEC));
    }

    #[test]
    fn the_other_overall_length_of_guaranteed() {
        // RFC 2210 3.2.2 (b) in words: 9.
        let mut octets = octets(GUARANTEED_HEX);
        octets[7] = 9;
        let (object, _) = ObjectRef::split_first(&octets, 0).unwrap();
        let flowspec = Flowspec::Guaranteed(TSPEC, Rspec { rate: 20_000.0, slack: 1000 });
        assert_eq!(object.read(), Ok(flowspec));
        octets[7] = 8;
        refused::<Flowspec>(&octets, 6, Why::BodyLength);
    }

    #[test]
    fn bad_values() {
        for bad in [f32::NAN, f32::INFINITY, -1.0] {
            let mut octets = octets(GUARANTEED_HEX);
            octets[40..44].copy_from_slice(&bad.to_be_bytes());
            refused::<Flowspec>(&octets, 40, Why::BodyValue);
        }
        // A service number that RFC 2210 does not define, and a version.
        let mut octets = octets(GUARANTEED_HEX);
        octets[8] = 3;
        refused::<Flowspec>(&octets, 8, Why::BodyValue);
        octets[4] = 0x10;
        refused::<Flowspec>(&octets, 4, Why::BodyValue);
    }

    #[test]
    fn bad_lengths() {
        // A Guaranteed request that ends before its Rspec, and a Controlled-Load one with something after its Tspec.
        let mut octets = octets(GUARANTEED_HEX);
        octets.truncate(36);
        octets[1] = 36;
        refused::<Flowspec>(&octets, 36, Why::BodyLength);
        octets[7] = 7;
        octets[8] = 5;
        octets[11] = 6;
        octets.extend([0; 4]);
        octets[1] = 40;
        refused::<Flowspec>(&octets, 36, Why::BodyLength);
        octets[3] = 1;
        refused::<Flowspec>(&octets, 3, Why::UnknownCType);
    }
}
