//! ADSPEC, RFC 2205 A.12 and RFC 2210 3.3: what the path can do, gathered hop by hop.
//!
//! ```text
//! C-Type 2: message header, then fragments of a service header and its parameters; service 1 is always first
//! +-------------+-------------+-------------+-------------+
//! |   service   |x| reserved  |   words after this one    |   x: break bit
//! +-------------+-------------+-------------+-------------+
//! |  parameter  |I|   flags   |   words after this one    |   I: value not processed everywhere
//! +-------------+-------------+-------------+-------------+
//! //                       (value)                        //
//! +-------------+-------------+-------------+-------------+
//! ```
//!
//! This is the view that keeps fragments of unknown services; [`AdspecSummary`] is the one with numbers. Composing
//! the values of a hop into an ADSPEC (RFC 2215) is the engine's part.

use bytes::BufMut;
use nom::Parser;
use nom::bytes::complete::take;

use super::Object;
use super::adspec_summary::{AdspecSummary, survey};
use super::body::{Parsed, half, octet};
use super::tspec::service_header;
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::{OBJECT_HEADER_LEN, ObjectRef};

/// An ADSPEC whose fragments and parameters are sound, where it lies in the message.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Adspec<'a> {
    object: ObjectRef<'a>,
    summary: AdspecSummary,
}

/// Octets of the message header before the first fragment.
const MESSAGE_HEADER_LEN: usize = 4;

impl<'a> Adspec<'a> {
    /// The fragments in order, those of unknown services included.
    pub fn fragments(&self) -> AdspecFragments<'a> {
        let at = usize::from(self.object.at()).saturating_add(OBJECT_HEADER_LEN + MESSAGE_HEADER_LEN);
        AdspecFragments {
            rest: self.object.body().get(MESSAGE_HEADER_LEN..).unwrap_or_default(),
            at: at as u16,
        }
    }

    /// The values of the general, Guaranteed and Controlled-Load fragments.
    #[inline]
    pub const fn summary(&self) -> AdspecSummary {
        self.summary
    }
}

/// The part of an ADSPEC that is about one service.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct AdspecFragment<'a> {
    /// Service number: 1 general, 2 Guaranteed, 5 Controlled-Load.
    pub service: u8,
    /// A node on the path does not support the service (for service 1: does not support RSVP).
    pub break_bit: bool,
    /// Offset of the service header in the message, in octets.
    pub at: u16,
    data: &'a [u8],
}

impl<'a> AdspecFragment<'a> {
    /// Flag of a parameter: the value was not correctly processed at one or more nodes of the path (RFC 2210 Appendix 1).
    pub const INVALID: u8 = 0x80;

    /// The parameters in order.
    pub const fn params(&self) -> AdspecParams<'a> {
        AdspecParams { rest: self.data }
    }
}

/// One parameter: number, flags, and value as whole words of 4 octets.
pub type AdspecParam<'a> = (u8, u8, &'a [u8]);

/// Iterator of [`Adspec::fragments`].
#[derive(Clone, Debug)]
pub struct AdspecFragments<'a> {
    rest: &'a [u8],
    at: u16,
}

impl<'a> Iterator for AdspecFragments<'a> {
    type Item = AdspecFragment<'a>;

    fn next(&mut self) -> Option<AdspecFragment<'a>> {
        let (rest, (service, break_bit, data)) = fragment(self.rest).ok()?;
        let taken = self.rest.len().saturating_sub(rest.len());
        let at = self.at;
        self.at = at.saturating_add(taken as u16);
        self.rest = rest;
        Some(AdspecFragment { service, break_bit, at, data })
    }
}

/// Iterator of [`AdspecFragment::params`].
#[derive(Clone, Debug)]
pub struct AdspecParams<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for AdspecParams<'a> {
    type Item = AdspecParam<'a>;

    fn next(&mut self) -> Option<AdspecParam<'a>> {
        let (rest, found) = parameter(self.rest).ok()?;
        self.rest = rest;
        Some(found)
    }
}

#[inline]
pub(super) fn fragment(input: &[u8]) -> Parsed<'_, (u8, bool, &[u8])> {
    let (input, (service, break_bit, words)) = service_header(input)?;
    let (input, data) = take(octets(words)).parse(input)?;
    Ok((input, (service, break_bit, data)))
}

#[inline]
pub(super) fn parameter(input: &[u8]) -> Parsed<'_, AdspecParam<'_>> {
    let (input, (number, flags, words)) = (octet, octet, half).parse(input)?;
    let (input, value) = take(octets(words)).parse(input)?;
    Ok((input, (number, flags, value)))
}

#[inline]
pub(super) fn octets(words: u16) -> usize {
    usize::from(words).saturating_mul(4)
}

impl<'a> Object<'a> for Adspec<'a> {
    const CLASS: Class = Class::ADSPEC;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        Ok(Self { object, summary: survey(object)? })
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(2)
    }

    #[inline]
    fn body_len(&self) -> usize {
        self.object.body().len()
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        out.put_slice(self.object.body());
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn fragments_of_unknown_services_are_kept() {
        // By hand from RFC 2210 3.3.1: the general fragment, then service 200 with parameters 200 (2 words, flag I)
        // and 4 (an override that nobody here reads, 0 words).
        let octets = octets(
            "00400d02 0000000e 01000008 04000001 00000001 06000001 49989680 08000001 00000000
                             0a000001 000005dc c8800004 c8800002 01020304 05060708 04000000",
        );
        let (object, _) = ObjectRef::split_first(&octets, 100).unwrap();
        let adspec: Adspec<'_> = object.read().unwrap();
        let fragments: Vec<_> =
            adspec.fragments().map(|part| (part.service, part.break_bit, part.at)).collect();
        assert_eq!(fragments, [(1, false, 108), (200, true, 144)]);
        let unknown = adspec.fragments().nth(1).unwrap();
        let expected: [AdspecParam<'_>; 2] = [(200, 0x80, &[1, 2, 3, 4, 5, 6, 7, 8]), (4, 0, &[])];
        assert!(unknown.params().eq(expected));
        assert_eq!(adspec.summary().global.mtu, 1500);
        both_ways(&octets, &object.read::<Adspec<'_>>().unwrap());
    }

    #[test]
    fn refused_like_its_summary() {
        refused::<Adspec<'_>>(&octets("00080d02 00000001"), 6, Why::BodyLength);
        refused::<Adspec<'_>>(&octets("00080d02 00000000"), 8, Why::BodyLength);
    }
}
