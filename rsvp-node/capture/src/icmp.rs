//! Packets that errors of ICMP (RFC 792) and ICMPv6 (RFC 4443) quote, and what the errors are called.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::ip::{self, Datagram};

/// IP protocols.
pub(crate) const ICMP: u8 = 1;
pub(crate) const ICMPV6: u8 = 58;
/// Octets of an error before what it quotes.
const HEADER: usize = 8;

/// The error in which a message is quoted.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Quoted {
    /// Who says so: IP source address of the error.
    pub source: IpAddr,
    /// To whom: the one who is said to have sent the message.
    pub destination: IpAddr,
    /// Type of the error.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// What it says besides.
    pub detail: Option<Detail>,
}

/// What some errors say in the word after the checksum.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Detail {
    /// The largest packet that fits the next link (RFC 1191 4, RFC 4443 3.2).
    Mtu(u32),
    /// The octet of the packet that is the problem (RFC 792, RFC 4443 3.4).
    Pointer(u32),
    /// Which way to send instead (RFC 792).
    Gateway(Ipv4Addr),
}

impl Detail {
    /// By protocol, type and code. Routers older than RFC 1191 say an MTU of 0, which is none.
    fn of(protocol: u8, kind: u8, code: u8, word: [u8; 4]) -> Option<Self> {
        let [first, _, high, low] = word;
        Some(match (protocol, kind, code) {
            (ICMP, 3, 4) if (high, low) == (0, 0) => return None,
            (ICMP, 3, 4) => Self::Mtu(u16::from_be_bytes([high, low]).into()),
            (ICMP, 5, _) => Self::Gateway(Ipv4Addr::from(word)),
            (ICMP, 12, 0) => Self::Pointer(first.into()),
            (ICMPV6, 2, _) => Self::Mtu(u32::from_be_bytes(word)),
            (ICMPV6, 4, _) => Self::Pointer(u32::from_be_bytes(word)),
            _ => return None,
        })
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mtu(mtu) => write!(f, "MTU {mtu}"),
            Self::Pointer(octet) => write!(f, "pointer {octet}"),
            Self::Gateway(address) => write!(f, "gateway {address}"),
        }
    }
}

impl Quoted {
    /// `ICMP` or `ICMPv6`.
    pub const fn protocol(&self) -> &'static str {
        if self.source.is_ipv4() { "ICMP" } else { "ICMPv6" }
    }

    /// What the error is called.
    pub const fn meaning(&self) -> Option<&'static str> {
        if self.source.is_ipv4() { icmp(self.kind, self.code) } else { icmpv6(self.kind, self.code) }
    }
}

/// RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.
const fn icmp(kind: u8, code: u8) -> Option<&'static str> {
    Some(match (kind, code) {
        (3, 0) => "net unreachable",
        (3, 1) => "host unreachable",
        (3, 2) => "protocol unreachable",
        (3, 3) => "port unreachable",
        (3, 4) => "fragmentation needed and DF set",
        (3, 5) => "source route failed",
        (3, 6) => "destination network unknown",
        (3, 7) => "destination host unknown",
        (3, 8) => "source host isolated",
        (3, 9) => "communication with destination network is administratively prohibited",
        (3, 10) => "communication with destination host is administratively prohibited",
        (3, 11) => "network unreachable for type of service",
        (3, 12) => "host unreachable for type of service",
        (3, 13) => "communication administratively prohibited",
        (3, 14) => "host precedence violation",
        (3, 15) => "precedence cutoff in effect",
        (4, _) => "source quench",
        (5, _) => "redirect",
        (11, 0) => "time to live exceeded in transit",
        (11, 1) => "fragment reassembly time exceeded",
        (12, 1) => "parameter problem: a required option is missing",
        (12, 2) => "parameter problem: bad length",
        (12, _) => "parameter problem",
        _ => return None,
    })
}

/// RFC 4443 3.
const fn icmpv6(kind: u8, code: u8) -> Option<&'static str> {
    Some(match (kind, code) {
        (1, 0) => "no route to destination",
        (1, 1) => "communication with destination administratively prohibited",
        (1, 2) => "beyond scope of source address",
        (1, 3) => "address unreachable",
        (1, 4) => "port unreachable",
        (1, 5) => "source address failed ingress/egress policy",
        (1, 6) => "reject route to destination",
        (2, _) => "packet too big",
        (3, 0) => "hop limit exceeded in transit",
        (3, 1) => "fragment reassembly time exceeded",
        (4, 0) => "erroneous header field encountered",
        (4, 1) => "unrecognized Next Header type encountered",
        (4, 2) => "unrecognized IPv6 option encountered",
        _ => return None,
    })
}

/// The error that a raw socket of ICMP or ICMPv6 has delivered, and the packet that it quotes, as far as it does: of IPv4 with its IP
/// header in front, of IPv6 without, for which the addresses are to be told. `None` for what is no error or quotes no IP packet.
pub fn delivered<'a>(
    source: IpAddr,
    destination: IpAddr,
    octets: &'a [u8],
) -> Option<(Quoted, Datagram<'a>)> {
    let (quoted, quote) = match source {
        IpAddr::V4(_) => quoting(&ip::datagram(octets)?)?,
        IpAddr::V6(_) => quoted_by(ICMPV6, source, destination, octets)?,
    };
    Some((quoted, ip::datagram(quote)?))
}

/// The error that a datagram is, and the octets of the packet that it quotes; `None` if it quotes nothing.
pub(crate) fn quoting<'a>(datagram: &Datagram<'a>) -> Option<(Quoted, &'a [u8])> {
    quoted_by(datagram.protocol, datagram.source, datagram.destination, datagram.payload)
}

fn quoted_by(protocol: u8, source: IpAddr, destination: IpAddr, octets: &[u8]) -> Option<(Quoted, &[u8])> {
    let (&[kind, code, _, _, word_0, word_1, word_2, word_3], quote) =
        octets.split_first_chunk::<HEADER>()?;
    // How much of it is the quoted packet, before extensions (RFC 4884 3 to 5); of senders that do not say so, all of it.
    let length = match (protocol, kind) {
        (ICMP, 3 | 11 | 12) => usize::from(word_1) * 4,
        (ICMPV6, 1 | 3) => usize::from(word_0) * 8,
        (ICMP, 4 | 5) | (ICMPV6, 2 | 4) => 0,
        _ => return None,
    };
    let quote = if length == 0 { quote } else { quote.get(..length).unwrap_or(quote) };
    let detail = Detail::of(protocol, kind, code, [word_0, word_1, word_2, word_3]);
    let quoted = Quoted { source, destination, kind, code, detail };
    Some((quoted, quote))
}
