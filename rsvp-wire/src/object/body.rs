//! The nom parsers that object bodies are made of, and the way from their failures to an offset in the message.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::BufMut;
use nom::error::ErrorKind;
use nom::{IResult, Parser};

use crate::error::{ParseError, Why};
use crate::message::{OBJECT_HEADER_LEN, ObjectRef};

/// A failure inside a body: the octets from the offending field on, and what is wrong with it.
#[derive(Debug)]
pub(super) struct Fault<'a> {
    rest: &'a [u8],
    why: Why,
}

impl<'a> nom::error::ParseError<&'a [u8]> for Fault<'a> {
    #[inline]
    fn from_error_kind(rest: &'a [u8], kind: ErrorKind) -> Self {
        // A field that is there but fails its check is a bad value; everything else is a matter of length.
        Self { rest, why: if kind == ErrorKind::Verify { Why::BodyValue } else { Why::BodyLength } }
    }

    #[inline]
    fn append(_: &'a [u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

pub(super) type Parsed<'a, T> = IResult<&'a [u8], T, Fault<'a>>;

#[inline]
pub(super) fn fault<'a, T>(rest: &'a [u8], why: Why) -> Parsed<'a, T> {
    Err(nom::Err::Error(Fault { rest, why }))
}

/// Applies a parser to a whole body: octets left over are a bad length.
#[inline]
pub(super) fn whole<'a, T>(
    object: ObjectRef<'a>,
    mut parser: impl Parser<&'a [u8], Output = T, Error = Fault<'a>>,
) -> Result<T, ParseError> {
    let body = object.body();
    let fault = match parser.parse(body) {
        Ok(([], value)) => return Ok(value),
        Ok((rest, _)) => Fault { rest, why: Why::BodyLength },
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => fault,
        Err(nom::Err::Incomplete(_)) => Fault { rest: body, why: Why::BodyLength },
    };
    // A fault may lie in a part that was taken out of the body, so only its address tells where it is.
    let inside = fault.rest.as_ptr().addr().saturating_sub(body.as_ptr().addr()).min(body.len());
    let at = inside.saturating_add(OBJECT_HEADER_LEN) as u16;
    Err(ParseError::new(object.at().saturating_add(at), fault.why))
}

/// A fixed number of octets. One length check per field, or per group of fields, keeps reading branch-free.
#[inline]
pub(super) fn array<const N: usize>(input: &[u8]) -> Parsed<'_, [u8; N]> {
    match input.split_first_chunk::<N>() {
        Some((head, rest)) => Ok((rest, *head)),
        None => fault(input, Why::BodyLength),
    }
}

#[inline]
pub(super) fn octet(input: &[u8]) -> Parsed<'_, u8> {
    array::<1>.map(|[octet]| octet).parse(input)
}

#[inline]
pub(super) fn half(input: &[u8]) -> Parsed<'_, u16> {
    array.map(u16::from_be_bytes).parse(input)
}

#[inline]
pub(super) fn word(input: &[u8]) -> Parsed<'_, u32> {
    array.map(u32::from_be_bytes).parse(input)
}

/// Some words at once: one length check for all.
#[inline]
pub(super) fn words<const N: usize>(input: &[u8]) -> Parsed<'_, [u32; N]> {
    let (all, _) = input.as_chunks::<4>();
    match (all.first_chunk::<N>(), input.get(N.saturating_mul(4)..)) {
        (Some(words), Some(rest)) => Ok((rest, words.map(u32::from_be_bytes))),
        // The first word that is not there.
        _ => fault(input.get(all.len().saturating_mul(4)..).unwrap_or_default(), Why::BodyLength),
    }
}

#[inline]
pub(super) fn float(input: &[u8]) -> Parsed<'_, f32> {
    array.map(f32::from_be_bytes).parse(input)
}

/// A rate or size that must be a number, not negative and not infinite.
#[inline]
pub(super) fn finite(input: &[u8]) -> Parsed<'_, f32> {
    nom::combinator::verify(float, |value: &f32| value.is_finite() && *value >= 0.0).parse(input)
}

/// A rate that must be a number and not negative, but may be infinite.
#[inline]
pub(super) fn maybe_infinite(input: &[u8]) -> Parsed<'_, f32> {
    nom::combinator::verify(float, |value: &f32| *value >= 0.0).parse(input)
}

#[inline]
pub(super) fn ipv4(input: &[u8]) -> Parsed<'_, Ipv4Addr> {
    array::<4>.map(Ipv4Addr::from).parse(input)
}

#[inline]
pub(super) fn ipv6(input: &[u8]) -> Parsed<'_, Ipv6Addr> {
    array::<16>.map(Ipv6Addr::from).parse(input)
}

/// An object whose C-Type 1 has an IPv4 and 2 an IPv6 address before the rest of its fields.
#[inline]
pub(super) fn addressed<'a, T, V>(
    object: ObjectRef<'a>,
    rest: impl Parser<&'a [u8], Output = T, Error = Fault<'a>>,
    build: impl Fn(IpAddr, T) -> V,
) -> Result<V, ParseError> {
    // The value is built inside the parser: handing an `IpAddr` out first means copying it through memory.
    match object.ctype.0 {
        1 => whole(object, (ipv4, rest).map(|(address, rest)| build(IpAddr::V4(address), rest))),
        2 => whole(object, (ipv6, rest).map(|(address, rest)| build(IpAddr::V6(address), rest))),
        _ => Err(object.unknown_ctype()),
    }
}

/// The C-Type of such an object.
#[inline]
pub(super) const fn address_ctype(address: IpAddr) -> crate::code::CType {
    crate::code::CType(if address.is_ipv4() { 1 } else { 2 })
}

/// Octets of an address.
#[inline]
pub(super) const fn address_len(address: IpAddr) -> usize {
    if address.is_ipv4() { 4 } else { 16 }
}

#[inline]
pub(super) fn put_address(address: IpAddr, out: &mut impl BufMut) {
    match address {
        IpAddr::V4(address) => out.put_slice(&address.octets()),
        IpAddr::V6(address) => out.put_slice(&address.octets()),
    }
}
