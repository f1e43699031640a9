//! `--filter`: which messages to show.
//!
//! ```text
//! expression = all { "or" all }
//! all        = one { "and" one }
//! one        = "not" one | "(" expression ")" | term
//! term       = "type" NAME-or-NUMBER          message type: type Path, type 20
//!            | "session" SESSION              udp 10.0.2.2:5000, 10.0.2.2, [fd00::1]:80
//!            | "address" NETWORK              IP source or destination, also of an error of ICMP that quotes the
//!                                              message, or at the start of any object's body
//!            | "src" NETWORK | "dst" NETWORK  of the IP header; a network is 10.0.0.1 or 10.0.0.0/8
//!            | "class" NAME-or-NUMBER         any object of the class: class ADSPEC, class 13
//!            | "error" [CODE [/ VALUE]]       an ERROR_SPEC: error (no confirmation), error 1, error 1/2
//!            | "malformed" | "quoted"         in an error of ICMP
//! ```

use std::net::IpAddr;
use std::str::FromStr;

use nom::branch::alt;
use nom::bytes::complete::{tag_no_case, take_while1};
use nom::character::complete::{char, multispace0, multispace1, u8 as octet, u16 as port};
use nom::combinator::{all_consuming, cut, map_opt, map_res, opt, peek, value};
use nom::error::{Error, ErrorKind};
use nom::multi::separated_list1;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};
use rsvp_wire::{Class, ErrorCode, ErrorSpec, MsgType, Session};

use super::body;
use super::verdict::Judged;
use crate::network::Network;
use rsvp_capture::packet::Packet;

/// A filter expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
    Type(MsgType),
    Session(SessionPattern),
    Address(Network),
    Source(Network),
    Destination(Network),
    Class(Class),
    Error(Option<u8>, Option<u16>),
    Malformed,
    Quoted,
}

/// A session, of which protocol and port may be left open.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct SessionPattern {
    protocol: Option<u8>,
    destination: IpAddr,
    port: Option<u16>,
}

impl Filter {
    /// Whether a message is to be shown.
    pub(super) fn holds(&self, packet: &Packet<'_>, judged: &Judged<'_>) -> bool {
        match self {
            Self::Any(filters) => filters.iter().any(|filter| filter.holds(packet, judged)),
            Self::All(filters) => filters.iter().all(|filter| filter.holds(packet, judged)),
            Self::Not(filter) => !filter.holds(packet, judged),
            Self::Type(msg_type) => judged.header.is_some_and(|header| header.msg_type == *msg_type),
            Self::Session(pattern) => judged
                .objects()
                .filter(|object| object.class == Class::SESSION)
                .any(|object| pattern.holds(object.read().ok(), body::address(&object))),
            Self::Address(network) => {
                packet.source().is_some_and(|address| network.holds(address))
                    || packet.destination().is_some_and(|address| network.holds(address))
                    || packet.quoted.is_some_and(|quoted| {
                        network.holds(quoted.source) || network.holds(quoted.destination)
                    })
                    || judged.objects().filter_map(|object| body::address(&object)).any(|a| network.holds(a))
            }
            Self::Source(network) => packet.source().is_some_and(|address| network.holds(address)),
            Self::Destination(network) => packet.destination().is_some_and(|address| network.holds(address)),
            Self::Class(class) => judged.objects().any(|object| object.class == *class),
            Self::Error(code, value) => judged.objects().any(|object| {
                object.class == Class::ERROR_SPEC
                    && match object.read::<ErrorSpec>() {
                        Ok(error) => {
                            // Who asks for errors does not mean confirmations, which have the object, too.
                            code.map_or(error.code != ErrorCode::CONFIRMATION, |code| code == error.code.0)
                                && value.is_none_or(|value| value == error.value)
                        }
                        Err(_) => code.is_none(),
                    }
            }),
            Self::Malformed => judged.fault.is_some(),
            Self::Quoted => packet.quoted.is_some(),
        }
    }
}

impl SessionPattern {
    fn holds(&self, session: Option<Session>, destination: Option<IpAddr>) -> bool {
        match session {
            Some(session) => {
                session.destination() == self.destination
                    && self.protocol.is_none_or(|protocol| protocol == session.protocol())
                    && self.port.is_none_or(|port| port == session.port())
            }
            // Sessions without protocol and port (RFC 2207, RFC 3209 …) are told by their destination.
            None => self.protocol.is_none() && self.port.is_none() && destination == Some(self.destination),
        }
    }
}

type Parsed<'a, T> = IResult<&'a str, T>;

fn expression(text: &str) -> Parsed<'_, Filter> {
    let any = separated_list1(delimited(multispace0, word("or"), multispace0), all);
    any.map(|filters| one_or(filters, Filter::Any)).parse(text)
}

fn all(text: &str) -> Parsed<'_, Filter> {
    let all = separated_list1(delimited(multispace0, word("and"), multispace0), one);
    all.map(|filters| one_or(filters, Filter::All)).parse(text)
}

fn one_or(mut filters: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    if filters.len() == 1 { filters.remove(0) } else { many(filters) }
}

fn one(text: &str) -> Parsed<'_, Filter> {
    // Parentheses and `not` nest by recursion, which a command line can make too deep.
    if text.matches(['(', '!']).count() + text.matches("not").count() > 64 {
        return Err(nom::Err::Failure(Error::new(text, ErrorKind::TooLarge)));
    }
    let not = preceded((word("not"), multispace0), cut(one)).map(|filter| Filter::Not(Box::new(filter)));
    let group = delimited((char('('), multispace0), cut(expression), (multispace0, char(')')));
    preceded(multispace0, alt((not, group, term))).parse(text)
}

fn term(text: &str) -> Parsed<'_, Filter> {
    let spaced = |name: &'static str| terminated(word(name), multispace1);
    let error = preceded(word("error"), opt(preceded(multispace1, (octet, opt(preceded(char('/'), port))))));
    alt((
        preceded(spaced("type"), cut(message_type)).map(Filter::Type),
        preceded(spaced("session"), cut(session)).map(Filter::Session),
        preceded(spaced("address"), cut(network)).map(Filter::Address),
        preceded(spaced("src"), cut(network)).map(Filter::Source),
        preceded(spaced("dst"), cut(network)).map(Filter::Destination),
        preceded(spaced("class"), cut(class)).map(Filter::Class),
        error.map(|error| Filter::Error(error.map(|error| error.0), error.and_then(|error| error.1))),
        value(Filter::Malformed, word("malformed")),
        value(Filter::Quoted, word("quoted")),
    ))
    .parse(text)
}

/// A word that ends where it ends.
fn word<'a>(name: &'static str) -> impl Parser<&'a str, Output = &'a str, Error = Error<&'a str>> {
    let end = alt((
        value((), multispace1),
        value((), char('(')),
        value((), char(')')),
        nom::combinator::eof.map(drop),
    ));
    terminated(tag_no_case(name), peek(end))
}

fn name(text: &str) -> Parsed<'_, &str> {
    take_while1(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-').parse(text)
}

fn message_type(text: &str) -> Parsed<'_, MsgType> {
    let by_name = |name: &str| named(name, |number| MsgType(number).name()).map(MsgType);
    map_opt(name, by_name).parse(text)
}

fn class(text: &str) -> Parsed<'_, Class> {
    let by_name = |name: &str| named(name, |number| Class(number).name()).map(Class);
    map_opt(name, by_name).parse(text)
}

/// The number that was given, or the one with the name; case, `-`, `_` and spaces do not matter.
fn named(text: &str, name: impl Fn(u8) -> Option<&'static str>) -> Option<u8> {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let number =
        || (0..=u8::MAX).find(|&number| name(number).is_some_and(|known| plain(known) == plain(text)));
    text.parse().ok().or_else(number)
}

fn session(text: &str) -> Parsed<'_, SessionPattern> {
    let protocol = alt((
        value(17, tag_no_case("udp")),
        value(6, tag_no_case("tcp")),
        value(132, tag_no_case("sctp")),
        preceded(tag_no_case("proto"), octet),
    ));
    let bracketed = delimited(char('['), address, char(']'));
    let with_port = (alt((bracketed, ipv4)), opt(preceded(char(':'), port)));
    let bare = address.map(|address| (address, None));
    (opt(terminated(protocol, multispace1)), alt((with_port, bare)))
        .map(|(protocol, (destination, port))| SessionPattern { protocol, destination, port })
        .parse(text)
}

fn network(text: &str) -> Parsed<'_, Network> {
    let network = (address, opt(preceded(char('/'), octet)));
    map_opt(network, |(address, bits)| Network::new(address, bits)).parse(text)
}

fn address(text: &str) -> Parsed<'_, IpAddr> {
    let characters = take_while1(|c: char| c.is_ascii_hexdigit() || c == ':' || c == '.');
    map_res(characters, str::parse).parse(text)
}

/// An address without a colon of its own, so that a port may follow.
fn ipv4(text: &str) -> Parsed<'_, IpAddr> {
    let characters = take_while1(|c: char| c.is_ascii_digit() || c == '.');
    map_res(characters, |text: &str| text.parse().map(IpAddr::V4)).parse(text)
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match all_consuming(terminated(expression, multispace0)).parse(text) {
            Ok((_, filter)) => Ok(filter),
            Err(nom::Err::Error(error) | nom::Err::Failure(error)) => Err(explained(text, error.input)),
            Err(nom::Err::Incomplete(_)) => Err(explained(text, "")),
        }
    }
}

fn explained(text: &str, rest: &str) -> String {
    const TERMS: &str = "type Path | session udp 10.0.2.2:5000 | address 10.0.0.0/8 | src A | dst A | class ADSPEC | \
                         error 1/2 | malformed | quoted, joined by and, or, not and parentheses";
    let at = text.len().saturating_sub(rest.len());
    match rest.split_whitespace().next() {
        Some(word) => format!("`{word}` (at character {at}) does not fit; expected: {TERMS}"),
        None => format!("it ends too early; expected: {TERMS}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let path = || Filter::Type(MsgType::PATH);
        let parse = |text: &str| text.parse::<Filter>();
        assert_eq!(parse("type path"), Ok(path()));
        assert_eq!(parse(" type 1 "), Ok(path()));
        assert_eq!(parse("class resv-confirm"), Ok(Filter::Class(Class::RESV_CONFIRM)));
        let either =
            Filter::Any(vec![path(), Filter::All(vec![Filter::Malformed, Filter::Error(Some(1), Some(2))])]);
        assert_eq!(parse("type Path or malformed and error 1/2"), Ok(either));
        let nested = Filter::All(vec![Filter::Not(Box::new(path())), Filter::Error(None, None)]);
        assert_eq!(parse("(not (type Path)) and error"), Ok(nested));
        let network = |text: &str, bits| Network::new(text.parse().unwrap(), Some(bits)).unwrap();
        assert_eq!(parse("src 10.0.0.0/8"), Ok(Filter::Source(network("10.0.0.0", 8))));
        assert_eq!(parse("address fd00::1"), Ok(Filter::Address(network("fd00::1", 128))));
        let session = |protocol, address: &str, port| {
            Filter::Session(SessionPattern { protocol, destination: address.parse().unwrap(), port })
        };
        assert_eq!(parse("session udp 10.0.2.2:5000"), Ok(session(Some(17), "10.0.2.2", Some(5000))));
        assert_eq!(parse("session [fd00::1]:80"), Ok(session(None, "fd00::1", Some(80))));
        assert_eq!(parse("session fd00::1"), Ok(session(None, "fd00::1", None)));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let wrong = |text: &str| text.parse::<Filter>().unwrap_err();
        assert!(wrong("type Pfad").starts_with("`Pfad` (at character 5)"), "{}", wrong("type Pfad"));
        assert!(wrong("type Path xor").starts_with("`xor` (at character 10)"), "{}", wrong("type Path xor"));
        assert!(wrong("src 10.0.0.0/33").contains("at character 4"));
        assert!(wrong("").starts_with("it ends too early"));
        assert!(wrong(&"(".repeat(100_000)).contains("does not fit"));
    }
}
