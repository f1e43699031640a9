//! Which packets `rsvp dscp check` looks at: a small language in the manner of pcap's.
//!
//! ```text
//! expression = one { ("and" | "&&" | "or" | "||") one }
//! one        = ("not" | "!") one | "(" expression ")" | term
//! term       = ["ip" | "ip6"] [protocol] [what]          at least one of them
//! protocol   = "tcp" | "udp" | "sctp" | "icmp" | "icmp6" | "proto" NAME-or-NUMBER
//! what       = ["src" | "dst"] ( ["host"] ADDRESS | "net" NETWORK | "port" PORT | "portrange" PORT-PORT )
//! ```
//!
//! As in pcap-filter(7), `and` and `or` bind alike and from left to right, so that a filter means the same to tcpdump;
//! whoever mixes them had better use parentheses. Neither `src` nor `dst` means either of them. An address stands alone only
//! after `src` or `dst`. Names of hosts and of ports are deliberately not looked up: what a filter means depends on nothing
//! else. A packet without ports (ICMP, a later fragment) has none that would match, so `not port 80` lets it through.

use crate::network::Network;
use rsvp_capture::headers::Headers;
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Parentheses and `not` within each other.
const DEPTH: usize = 64;
/// Protocols that can be named.
const PROTOCOLS: [(&str, u8); 11] = [
    ("tcp", 6),
    ("udp", 17),
    ("sctp", 132),
    ("icmp", 1),
    ("icmp6", 58),
    // From here on only after `proto`.
    ("igmp", 2),
    ("rsvp", 46),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("dccp", 33),
];
/// How many of them are words of their own.
const WORDS: usize = 5;
/// Protocols without ports, of those that are words.
const WITHOUT_PORTS: [u8; 2] = [1, 58];

/// A filter expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// Several, from left to right.
    Chain(Box<Self>, Vec<(Joint, Self)>),
    Not(Box<Self>),
    Term(Term),
}

/// What joins two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    And,
    Or,
}

/// All that is said has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    version: Option<Version>,
    protocol: Option<u8>,
    what: Option<(Side, What)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Ip,
    Ip6,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Either,
    Source,
    Destination,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Host(Network),
    Net(Network),
    Ports(RangeInclusive<u16>),
}

impl Filter {
    /// Whether a packet is one of those looked for.
    pub(super) fn holds(&self, packet: &Headers) -> bool {
        match self {
            Self::Chain(first, rest) => {
                rest.iter().fold(first.holds(packet), |so_far, (joint, filter)| match joint {
                    Joint::And => so_far && filter.holds(packet),
                    Joint::Or => so_far || filter.holds(packet),
                })
            }
            Self::Not(filter) => !filter.holds(packet),
            Self::Term(term) => term.holds(packet),
        }
    }

    /// Whether it depends on ports.
    pub(super) fn asks_for_ports(&self) -> bool {
        match self {
            Self::Chain(first, rest) => {
                first.asks_for_ports() || rest.iter().any(|(_, filter)| filter.asks_for_ports())
            }
            Self::Not(filter) => filter.asks_for_ports(),
            Self::Term(term) => matches!(term.what, Some((_, What::Ports(_)))),
        }
    }
}

impl Term {
    fn holds(&self, packet: &Headers) -> bool {
        let version = if packet.source.is_ipv4() { Version::Ip } else { Version::Ip6 };
        self.version.is_none_or(|asked| asked == version)
            && self.protocol.is_none_or(|asked| asked == packet.protocol)
            && self.what.as_ref().is_none_or(|(side, what)| match what {
                What::Host(network) | What::Net(network) => {
                    side.holds((packet.source, packet.destination), |address| network.holds(address))
                }
                What::Ports(range) => {
                    packet.ports.is_some_and(|ports| side.holds(ports, |port| range.contains(&port)))
                }
            })
    }
}

impl Side {
    fn holds<T>(self, (source, destination): (T, T), test: impl Fn(T) -> bool) -> bool {
        match self {
            Self::Either => test(source) || test(destination),
            Self::Source => test(source),
            Self::Destination => test(destination),
        }
    }
}

/// What does not fit, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FilterError {
    text: String,
    /// In characters.
    at: usize,
    length: usize,
    why: String,
}

/// What is wrong, the filter, and a mark below the place.
impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, at, length, why } = self;
        write!(f, "{why}\n  {text}\n  {:at$}{}", "", "^".repeat(*length))
    }
}

/// A word, a parenthesis or `!`, and where it is in octets.
#[derive(Clone, Copy)]
struct Token<'t> {
    at: usize,
    word: &'t str,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        // An exclamation mark is one only where a word may begin.
        let alone = matches!(character, '(' | ')') || character == '!' && start.is_none();
        if alone || character.is_whitespace() {
            if let Some(from) = start.take() {
                found.push(Token { at: from, word: text.get(from..at).unwrap_or_default() });
            }
            if alone {
                found.push(Token { at, word: text.get(at..=at).unwrap_or_default() });
            }
        } else {
            start.get_or_insert(at);
        }
    }
    found
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    next: usize,
    depth: usize,
}

type Parsed<T> = Result<T, FilterError>;

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t str> {
        self.tokens.get(self.next).map(|token| token.word)
    }

    /// Goes past one of these words, if it is next.
    fn accept<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<T> {
        let next = self.peek()?;
        let (_, value) = words.iter().find(|(word, _)| *word == next)?;
        self.next += 1;
        Some(*value)
    }

    /// An error at the next word.
    fn wrong<T>(&self, expected: &str) -> Parsed<T> {
        Err(self.error_at(self.next, expected))
    }

    fn error_at(&self, index: usize, expected: &str) -> FilterError {
        let token = self.tokens.get(index);
        let before = self.text.get(..token.map_or(self.text.len(), |token| token.at)).unwrap_or_default();
        let (at, length) = (before.chars().count(), token.map_or(1, |token| token.word.chars().count()));
        let why = match token {
            Some(token) => format!("`{}` (at character {}) does not fit: {expected}", token.word, at + 1),
            None => format!("the filter ends too early: {expected}"),
        };
        // In one line, so that the mark below is under its word.
        let text = self.text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        FilterError { text, at, length, why }
    }

    fn expression(&mut self) -> Parsed<Filter> {
        const JOINTS: [(&str, Joint); 4] =
            [("and", Joint::And), ("&&", Joint::And), ("or", Joint::Or), ("||", Joint::Or)];
        let first = self.one()?;
        let mut rest = Vec::new();
        while let Some(joint) = self.accept(&JOINTS) {
            rest.push((joint, self.one()?));
        }
        Ok(if rest.is_empty() { first } else { Filter::Chain(Box::new(first), rest) })
    }

    fn one(&mut self) -> Parsed<Filter> {
        let Some(group) = self.accept(&[("not", false), ("!", false), ("(", true)]) else {
            return self.term().map(Filter::Term);
        };
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.error_at(self.next - 1, "parentheses and `not` are within each other too deep"));
        }
        let filter = if group {
            let inner = self.expression()?;
            if self.accept(&[(")", ())]).is_none() {
                return self.wrong("expected `and`, `or` or `)`");
            }
            inner
        } else {
            Filter::Not(Box::new(self.one()?))
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn term(&mut self) -> Parsed<Term> {
        let version = self.accept(&[("ip", Version::Ip), ("ip6", Version::Ip6)]);
        let protocol = match self.accept(&PROTOCOLS[..WORDS]) {
            Some(number) => Some(number),
            None if self.accept(&[("proto", ())]).is_some() => Some(self.protocol()?),
            None => None,
        };
        let side = self.accept(&[("src", Side::Source), ("dst", Side::Destination)]);
        let what = self.what(version, protocol, side)?;
        if version.is_none() && protocol.is_none() && what.is_none() {
            let address = self.peek().is_some_and(|word| word.parse::<IpAddr>().is_ok());
            return self.wrong(if address {
                "an address needs `host`, `src` or `dst` before it"
            } else {
                "expected `host ADDRESS`, `net NETWORK`, `port N`, `portrange N-M` (after `src`, `dst` or neither), `tcp`, `udp`, \
                 `icmp`, `proto N`, `ip`, `ip6`, `not` or `(`"
            });
        }
        Ok(Term { version, protocol, what: what.map(|what| (side.unwrap_or(Side::Either), what)) })
    }

    /// What follows `src` or `dst`, or neither; nothing, if nothing has to.
    fn what(
        &mut self,
        version: Option<Version>,
        protocol: Option<u8>,
        side: Option<Side>,
    ) -> Parsed<Option<What>> {
        const KINDS: [(&str, u8); 4] = [("host", 0), ("net", 1), ("port", 2), ("portrange", 3)];
        let kind_at = self.next;
        let what = match self.accept(&KINDS) {
            Some(0) => What::Host(self.host(version)?),
            Some(1) => What::Net(self.net(version)?),
            Some(_) if protocol.is_some_and(|number| WITHOUT_PORTS.contains(&number)) => {
                return Err(self.error_at(kind_at, "packets of ICMP have no ports"));
            }
            Some(2) => What::Ports(self.port()?),
            Some(_) => What::Ports(self.range()?),
            None if side.is_some() && self.peek().is_some_and(|word| word.parse::<IpAddr>().is_ok()) => {
                What::Host(self.host(version)?)
            }
            None if side.is_some() => {
                return self.wrong(
                    "expected `port N`, `portrange N-M`, `net NETWORK`, `host ADDRESS` or an address",
                );
            }
            None => return Ok(None),
        };
        Ok(Some(what))
    }

    /// Reads the next word, which has to be what is `expected`.
    fn word<T>(&mut self, expected: &str, read: impl Fn(&str) -> Option<T>) -> Parsed<T> {
        match self.peek().and_then(read) {
            Some(value) => {
                self.next += 1;
                Ok(value)
            }
            None => self.wrong(expected),
        }
    }

    fn protocol(&mut self) -> Parsed<u8> {
        self.word("expected a protocol: a number from 0 to 255 or a name such as `rsvp`", |word| {
            let named = PROTOCOLS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
            named.or_else(|| digits(word))
        })
    }

    fn host(&mut self, version: Option<Version>) -> Parsed<Network> {
        let address = |word: &str| Network::new(word.parse().ok()?, None).filter(|_| fits(version, word));
        self.word(&format!("expected an address of {}; names are not looked up", family(version)), address)
    }

    fn net(&mut self, version: Option<Version>) -> Parsed<Network> {
        let network = |word: &str| {
            let (address, bits) = match word.split_once('/') {
                Some((address, bits)) => (address, Some(digits(bits)?)),
                None => (word, None),
            };
            Network::new(address.parse().ok()?, bits).filter(|_| fits(version, word))
        };
        let example = if version == Some(Version::Ip6) { "fd00::/8" } else { "10.0.0.0/8" };
        self.word(&format!("expected a network of {} such as `{example}`", family(version)), network)
    }

    fn port(&mut self) -> Parsed<RangeInclusive<u16>> {
        self.word("expected a port from 0 to 65535; names are not looked up", |word| {
            digits(word).map(|port| port..=port)
        })
    }

    fn range(&mut self) -> Parsed<RangeInclusive<u16>> {
        self.word("expected two ports such as `8000-8086`, the smaller one first", |word| {
            let (low, high) = word.split_once('-')?;
            let (low, high) = (digits(low)?, digits(high)?);
            (low <= high).then_some(low..=high)
        })
    }
}

/// A number of nothing but digits: the parser of integers would take a sign, too.
fn digits<T: FromStr>(word: &str) -> Option<T> {
    word.bytes().all(|octet| octet.is_ascii_digit()).then(|| word.parse().ok()).flatten()
}

/// Whether an address or network is of the version that was said before it.
fn fits(version: Option<Version>, word: &str) -> bool {
    version.is_none_or(|version| word.contains(':') == (version == Version::Ip6))
}

const fn family(version: Option<Version>) -> &'static str {
    match version {
        Some(Version::Ip) => "IPv4",
        Some(Version::Ip6) => "IPv6",
        None => "IPv4 or IPv6",
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser { text, tokens: tokens(text), next: 0, depth: 0 };
        let filter = parser.expression()?;
        if parser.peek().is_some() { parser.wrong("expected `and`, `or` or the end") } else { Ok(filter) }
    }
}

/// As it can be read again; parentheses where the order needs them.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grouped = |filter: &Self| match filter {
            Self::Chain(..) => format!("({filter})"),
            other => other.to_string(),
        };
        match self {
            Self::Chain(first, rest) => {
                f.write_str(&grouped(first))?;
                rest.iter().try_for_each(|(joint, filter)| {
                    let joint = if *joint == Joint::And { "and" } else { "or" };
                    write!(f, " {joint} {}", grouped(filter))
                })
            }
            Self::Not(filter) => write!(f, "not {}", grouped(filter)),
            Self::Term(term) => term.fmt(f),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        words
            .extend(self.version.map(|version| if version == Version::Ip { "ip" } else { "ip6" }.to_owned()));
        words.extend(self.protocol.map(|number| {
            let named = PROTOCOLS[..WORDS].iter().find(|(_, known)| *known == number);
            named.map_or_else(|| format!("proto {number}"), |(name, _)| (*name).to_owned())
        }));
        if let Some((side, what)) = &self.what {
            match side {
                Side::Either => {}
                Side::Source => words.push("src".to_owned()),
                Side::Destination => words.push("dst".to_owned()),
            }
            words.push(match what {
                What::Host(network) => format!("host {network}"),
                What::Net(network) => format!("net {network}"),
                What::Ports(ports) if ports.start() == ports.end() => format!("port {}", ports.start()),
                What::Ports(ports) => format!("portrange {}-{}", ports.start(), ports.end()),
            });
        }
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests;
