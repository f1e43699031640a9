//! The text forms of sessions, senders and rates: what configuration files, command lines and reports show.
//!
//! Reading is the inverse of printing, up to what the text form leaves out (flags and reserved bits).

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};
use core::str::FromStr;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::{space1, u8 as decimal_u8, u16 as decimal_u16, u32 as decimal_u32};
use nom::combinator::{all_consuming, map_opt, opt, value, verify};
use nom::error::Error;
use nom::number::complete::float;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use crate::object::{FilterSpec, SenderTemplate, Session};
use crate::show::Rate;

/// A text that is not of the expected form.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unexpected text at octet {at}; expected for example `{example}`")]
pub struct TextError {
    /// Offset of the text that does not fit, in octets.
    pub at: usize,
    /// A text of the expected form.
    pub example: &'static str,
}

/// Protocols that have a name: the first two in sessions with a virtual port.
const ESP: u8 = 50;
const AH: u8 = 51;
const SCTP: u8 = 132;

type Text<'a, T> = IResult<&'a str, T, Error<&'a str>>;

fn whole<'a, T>(
    text: &'a str,
    example: &'static str,
    parser: impl Parser<&'a str, Output = T, Error = Error<&'a str>>,
) -> Result<T, TextError> {
    match all_consuming(parser).parse(text) {
        Ok((_, found)) => Ok(found),
        Err(nom::Err::Error(error) | nom::Err::Failure(error)) => {
            Err(TextError { at: text.len().saturating_sub(error.input.len()), example })
        }
        Err(nom::Err::Incomplete(_)) => Err(TextError { at: text.len(), example }),
    }
}

fn address(text: &str) -> Text<'_, IpAddr> {
    let characters = take_while1(|c: char| c.is_ascii_hexdigit() || c == ':' || c == '.');
    map_opt(characters, |text: &str| text.parse().ok()).parse(text)
}

/// An address without a colon of its own, so that a port may follow.
fn ipv4(text: &str) -> Text<'_, IpAddr> {
    let characters = take_while1(|c: char| c.is_ascii_digit() || c == '.');
    map_opt(characters, |text: &str| text.parse().ok().map(IpAddr::V4)).parse(text)
}

/// `10.0.0.1:80`, `[fd00::1]:80`, and without a port `10.0.0.1`, `[fd00::1]`, `fd00::1`.
fn address_and_port(text: &str) -> Text<'_, (IpAddr, u16)> {
    let bracketed = delimited(tag("["), verify(address, IpAddr::is_ipv6), tag("]"));
    let port = opt(preceded(tag(":"), decimal_u16)).map(|port| port.unwrap_or(0));
    alt(((alt((bracketed, ipv4)), port), address.map(|address| (address, 0)))).parse(text)
}

/// The protocol of a session with a virtual port (RFC 2207).
fn gpi_protocol(text: &str) -> Text<'_, u8> {
    alt((value(ESP, tag("esp")), value(AH, tag("ah")), preceded(tag("gpi"), decimal_u8))).parse(text)
}

fn protocol(text: &str) -> Text<'_, u8> {
    let named = (value(6, tag("tcp")), value(17, tag("udp")), value(SCTP, tag("sctp")));
    alt((alt(named), preceded(tag("proto"), decimal_u8))).parse(text)
}

fn filter(text: &str) -> Text<'_, FilterSpec> {
    let label = (ipv6, space1, tag("label"), space1, verify(decimal_u32, |&label: &u32| label < 1 << 24))
        .map(|(address, _, _, _, label)| FilterSpec::Ipv6FlowLabel { address, reserved: 0, label });
    let spi = (address, space1, tag("spi"), space1, spi)
        .map(|(address, _, _, _, spi)| FilterSpec::gpi(address, spi));
    alt((label, spi, address_and_port.map(|(address, port)| FilterSpec::new(address, port)))).parse(text)
}

/// A security parameter index, as `0x1234` or `4660`.
fn spi(text: &str) -> Text<'_, u32> {
    let digits = take_while1(|c: char| c.is_ascii_hexdigit());
    let hexadecimal = map_opt(digits, |text: &str| u32::from_str_radix(text, 16).ok());
    alt((preceded(tag("0x"), hexadecimal), decimal_u32)).parse(text)
}

fn ipv6(text: &str) -> Text<'_, Ipv6Addr> {
    map_opt(address, |address| if let IpAddr::V6(address) = address { Some(address) } else { None })
        .parse(text)
}

impl FromStr for Session {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let of_packets = protocol.map(|protocol| (protocol, false));
        let protocol = alt((gpi_protocol.map(|protocol| (protocol, true)), of_packets));
        let session =
            (protocol, space1, address_and_port).map(|((protocol, is_gpi), _, (destination, port))| {
                if is_gpi {
                    Self::gpi(destination, protocol, port)
                } else {
                    Self::new(destination, protocol, port)
                }
            });
        whole(text, "udp 10.0.2.2:5000", session)
    }
}

impl FromStr for FilterSpec {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        whole(text, "10.0.1.1:4000", filter)
    }
}

impl FromStr for SenderTemplate {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        text.parse().map(Self)
    }
}

impl FromStr for Rate {
    type Err = TextError;

    /// `2Mbit/s`, `64kbit/s`, `inf`. Negative rates and rates that are no number do not fit.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let unit = alt((
            value(1e9, tag("Gbit/s")),
            value(1e6, tag("Mbit/s")),
            value(1e3, tag("kbit/s")),
            value(1.0, tag("bit/s")),
        ));
        let number = verify(float, |number: &f32| number.is_finite() && *number >= 0.0);
        let rate = (number, unit).map(|(number, unit): (f32, f64)| (f64::from(number) * unit / 8.0) as f32);
        whole(text, "2Mbit/s", alt((rate, value(f32::INFINITY, tag("inf")))).map(Self))
    }
}

struct AddressAndPort(IpAddr, u16);

impl fmt::Display for AddressAndPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self(address, 0) => write!(f, "{address}"),
            Self(address, port) => write!(f, "{}", core::net::SocketAddr::new(address, port)),
        }
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol() {
            ESP if self.is_gpi() => f.write_str("esp")?,
            AH if self.is_gpi() => f.write_str("ah")?,
            other if self.is_gpi() => write!(f, "gpi{other}")?,
            6 => f.write_str("tcp")?,
            17 => f.write_str("udp")?,
            SCTP => f.write_str("sctp")?,
            other => write!(f, "proto{other}")?,
        }
        write!(f, " {}", AddressAndPort(self.destination(), self.port()))
    }
}

impl fmt::Display for FilterSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv6FlowLabel { address, label, .. } => write!(f, "{address} label {label}"),
            Self::Ipv4Gpi { gpi, .. } | Self::Ipv6Gpi { gpi, .. } => {
                write!(f, "{} spi {gpi:#x}", self.address())
            }
            _ => write!(f, "{}", AddressAndPort(self.address(), self.port())),
        }
    }
}

impl fmt::Display for SenderTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
