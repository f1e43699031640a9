//! The token bucket that SENDER_TSPEC and FLOWSPEC carry, and the headers around it: RFC 2210 3.1, 3.2 and Appendix 1.
//!
//! ```text
//! message header     | version (4) | unused (12)     | length in words (16)      |
//! service header     | service (8) | break (1) | reserved (7) | words (16)       |
//! parameter header   | number (8)  | flags (8)       | length in words (16)      |
//! Token_Bucket_TSpec: parameter 127, 5 words: r, b, p (IEEE single), m, M (32 bits)
//! ```
//!
//! Lengths count words of 32 bits after the header they are in. Flags and reserved bits are ignored.

use bytes::BufMut;
use nom::Parser;
use nom::combinator::verify;

use super::body::{Parsed, fault, finite, half, maybe_infinite, octet, word, words};
use crate::error::Why;

/// Token bucket parameters of a flow, RFC 2215 3.6 and RFC 2210 3.1.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Tspec {
    /// Token rate r, in octets per second.
    pub rate: f32,
    /// Bucket depth b, in octets.
    pub bucket: f32,
    /// Peak rate p, in octets per second; may be positive infinity.
    pub peak: f32,
    /// Minimum policed unit m, in octets; smaller packets count as this large. See [`is_legal`](Self::is_legal).
    pub min_policed_unit: u32,
    /// Maximum packet size M, in octets.
    pub max_packet_size: u32,
}

/// Octets per second: from one to forty terabytes (RFC 2215 3.6). Negative zero is outside, as it has to be.
const RATES: core::ops::RangeInclusive<f32> = 1.0..=40e12;
/// Octets: from one to 250 gigabytes (RFC 2215 3.6).
const BUCKETS: core::ops::RangeInclusive<f32> = 1.0..=250e9;

impl Tspec {
    /// What is known of traffic for the Null service: only M, in octets (RFC 2997 2).
    pub const fn null(max_packet_size: u32) -> Self {
        Self { rate: 0.0, bucket: 0.0, peak: 0.0, min_policed_unit: 0, max_packet_size }
    }

    /// Whether the values keep to RFC 2215 3.6, RFC 2210 3.1 and RFC 2212: r, b and p within their ranges (p may be infinite),
    /// p at least r, m not zero, M at least m. Reading accepts what does not, because traffic engineering routers send m = 0 and M = 0, and a
    /// dissector has to show it.
    #[must_use]
    pub fn is_legal(&self) -> bool {
        let peak = RATES.contains(&self.peak) || self.peak == f32::INFINITY;
        let sizes = self.min_policed_unit != 0 && self.min_policed_unit <= self.max_packet_size;
        let rates = RATES.contains(&self.rate) && self.peak >= self.rate;
        rates && BUCKETS.contains(&self.bucket) && peak && sizes
    }

    /// Whether nothing is wrong with the values unless it is m = 0, which routers in wide use send.
    #[must_use]
    pub fn is_legal_but_for_m(&self) -> bool {
        Self { min_policed_unit: self.min_policed_unit.max(1), ..*self }.is_legal()
    }
}

/// Words of parameter 127 with its header.
pub(super) const TSPEC_WORDS: u16 = 6;
const TOKEN_BUCKET: u8 = 127;
/// Service number of the Null service, RFC 2997.
pub(super) const NULL: u8 = 6;
/// Words of its parameter 128 with its header.
pub(super) const NULL_WORDS: u16 = 2;
const NULL_TSPEC: u8 = 128;

/// The fragment of the Null service, RFC 2997 4.3: M.
pub(super) fn null(input: &[u8]) -> Parsed<'_, u32> {
    let (input, _) = verify(octet, |&service: &u8| service == NULL).parse(input)?;
    let (input, _) = (octet, length_of(NULL_WORDS)).parse(input)?;
    let (input, ()) = parameter_header(NULL_TSPEC, 1).parse(input)?;
    word(input)
}

pub(super) fn put_null(max_packet_size: u32, out: &mut impl BufMut) {
    put_service_header(NULL, false, NULL_WORDS, out);
    put_parameter_header(NULL_TSPEC, 1, out);
    out.put_u32(max_packet_size);
}

#[inline]
pub(super) fn tspec(input: &[u8]) -> Parsed<'_, Tspec> {
    let (input, ()) = parameter_header(TOKEN_BUCKET, 5).parse(input)?;
    token_bucket(input)
}

/// The five words, checked at once; only a value that fails is looked for field by field.
#[inline]
fn token_bucket(input: &[u8]) -> Parsed<'_, Tspec> {
    let (rest, [rate, bucket, peak, min_policed_unit, max_packet_size]) = words::<5>(input)?;
    let [rate, bucket, peak] = [rate, bucket, peak].map(f32::from_bits);
    let rates = (0.0..f32::INFINITY).contains(&rate) & (0.0..f32::INFINITY).contains(&bucket) & (peak >= 0.0);
    if rates {
        return Ok((rest, Tspec { rate, bucket, peak, min_policed_unit, max_packet_size }));
    }
    forbidden_value(input)
}

/// A token bucket read to find the field that is not allowed.
#[cold]
fn forbidden_value(input: &[u8]) -> Parsed<'_, Tspec> {
    let (input, (rate, bucket, peak)) = (finite, finite, maybe_infinite).parse(input)?;
    let (input, (min_policed_unit, max_packet_size)) = (word, word).parse(input)?;
    Ok((input, Tspec { rate, bucket, peak, min_policed_unit, max_packet_size }))
}

/// A body with one service and a token bucket first: the overall length is one word more than that of the service.
/// The usual headers are compared as three words; None says that they differ, in bits that are ignored or in what
/// they mean.
#[inline]
pub(super) fn after_headers<'a>(
    service: u8,
    service_words: u16,
    input: &'a [u8],
) -> Option<Parsed<'a, Tspec>> {
    let (rest, [message, service_header, parameter]) = words::<3>(input).ok()?;
    let differs = message ^ u32::from(service_words).wrapping_add(1)
        | service_header ^ (u32::from(service) << 24 | u32::from(service_words))
        | parameter ^ (u32::from(TOKEN_BUCKET) << 24 | 5);
    (differs == 0).then(|| token_bucket(rest))
}

#[inline]
pub(super) fn put_tspec(tspec: &Tspec, out: &mut impl BufMut) {
    put_parameter_header(TOKEN_BUCKET, 5, out);
    out.put_f32(tspec.rate);
    out.put_f32(tspec.bucket);
    out.put_f32(tspec.peak);
    out.put_u32(tspec.min_policed_unit);
    out.put_u32(tspec.max_packet_size);
}

/// The message header; yields the overall length in words.
#[inline]
pub(super) fn message_header(input: &[u8]) -> Parsed<'_, u16> {
    (verify(octet, |&first: &u8| first >> 4 == 0), octet, half).map(|(_, _, words)| words).parse(input)
}

/// A service header; yields service number, break bit and length in words.
#[inline]
pub(super) fn service_header(input: &[u8]) -> Parsed<'_, (u8, bool, u16)> {
    (octet, octet, half).map(|(service, flags, words)| (service, flags & 0x80 != 0, words)).parse(input)
}

/// The header of one particular parameter.
#[inline]
pub(super) fn parameter_header<'a>(number: u8, words: u16) -> impl FnMut(&'a [u8]) -> Parsed<'a, ()> {
    move |input| {
        let (input, _) = verify(octet, |&found: &u8| found == number).parse(input)?;
        let (input, _) = octet(input)?;
        let (input, ()) = length_of(words)(input)?;
        Ok((input, ()))
    }
}

/// A length field that must have one particular value.
#[inline]
pub(super) fn length_of<'a>(words: u16) -> impl FnMut(&'a [u8]) -> Parsed<'a, ()> {
    move |input| match half(input)? {
        (rest, found) if found == words => Ok((rest, ())),
        _ => fault(input, Why::BodyLength),
    }
}

#[inline]
pub(super) fn put_message_header(words: u16, out: &mut impl BufMut) {
    out.put_u32(u32::from(words));
}

#[inline]
pub(super) fn put_service_header(service: u8, break_bit: bool, words: u16, out: &mut impl BufMut) {
    out.put_u32(u32::from(service) << 24 | u32::from(break_bit) << 23 | u32::from(words));
}

#[inline]
pub(super) fn put_parameter_header(number: u8, words: u16, out: &mut impl BufMut) {
    out.put_u32(u32::from(number) << 24 | u32::from(words));
}
