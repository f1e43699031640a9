//! From a frame to the IP packet in it: the link layers that can carry RSVP, each family in a file of its own.
//!
//! Nothing of these headers is kept. Numbers are those of the registry of pcap link types and of EtherTypes.

mod ethernet;
mod frame_relay;
mod host;
pub(super) mod ppp;

use std::fmt;
use std::str::FromStr;

use crate::LinkType;
use crate::packet::Direction;

/// Layers of one frame that are followed: VLAN tags, SNAP, PPPoE, bridged frames, one in the other.
const LAYERS: usize = 16;

/// What a frame carries.
pub(super) enum Network<'a> {
    /// Octets that should be an IP packet.
    Ip(&'a [u8]),
    /// A fragment of PPP multilink, behind its protocol field.
    Part(&'a [u8]),
    /// Something else.
    Other,
    /// A link layer that is not known here.
    UnknownLink,
}

/// What comes next in a frame.
#[derive(Copy, Clone)]
pub(super) enum Next<'a> {
    /// An IP packet, of either version.
    Ip(&'a [u8]),
    /// What an EtherType says.
    EtherType(u16, &'a [u8]),
    /// An Ethernet frame.
    Ethernet(&'a [u8]),
    /// A header of IEEE 802.2.
    Llc(&'a [u8]),
    /// A PPP packet, from its protocol field on.
    Ppp(&'a [u8]),
    /// A fragment of PPP multilink, behind its protocol field.
    Part(&'a [u8]),
    /// A stack of labels.
    Mpls(&'a [u8]),
}

/// The table of link types: number, names without `LINKTYPE_`, and who reads the frames.
macro_rules! link_types {
    ($($number:literal $($name:literal)+ => $read:expr;)*) => {
        const NAMES: &[(u32, &[&str])] = &[$(($number, &[$($name),+])),*];

        /// What a frame of a link type begins with; `None` if the type is not in the table.
        #[inline]
        fn first(link: u32, octets: &[u8]) -> Option<Option<Next<'_>>> {
            match link {
                $($number => Some($read(octets)),)*
                _ => None,
            }
        }
    };
}

link_types! {
    1 "ethernet" "en10mb" => ethernet::frame;
    101 "raw" => raw;
    // Raw IP as some systems number it in files.
    12 "raw-12" => raw;
    14 "raw-14" => raw;
    0 "null" => host::loopback;
    9 "ppp" => ppp::frame;
    50 "ppp-hdlc" "ppp-serial" => ppp::serial;
    51 "ppp-ether" "pppoe" => ppp::over_ethernet;
    104 "c-hdlc" "hdlc" => ppp::cisco_hdlc;
    107 "frelay" "frame-relay" => frame_relay::frame;
    108 "loop" => host::loopback;
    113 "linux-sll" => host::cooked;
    204 "ppp-with-dir" => |octets| directed(octets, ppp::frame);
    205 "c-hdlc-with-dir" => |octets| directed(octets, ppp::cisco_hdlc);
    206 "frelay-with-dir" => |octets| directed(octets, frame_relay::frame);
    228 "ipv4" => raw;
    229 "ipv6" => raw;
    276 "linux-sll2" => host::cooked_2;
}

#[inline]
pub(super) fn network(link: LinkType, octets: &[u8]) -> Network<'_> {
    match first(link.0, octets) {
        None => Network::UnknownLink,
        Some(next) => next.and_then(carried).unwrap_or(Network::Other),
    }
}

/// The IP packet in what comes next, past everything that carries it.
#[inline]
pub(super) fn follow(next: Next<'_>) -> Option<&[u8]> {
    match carried(next)? {
        Network::Ip(packet) => Some(packet),
        _ => None,
    }
}

#[inline]
fn carried(next: Next<'_>) -> Option<Network<'_>> {
    let mut next = next;
    for _ in 0..LAYERS {
        next = match next {
            Next::Ip(packet) => return Some(Network::Ip(packet)),
            Next::Part(part) => return Some(Network::Part(part)),
            Next::EtherType(ether_type, octets) => ethernet::by_ether_type(ether_type, octets)?,
            Next::Ethernet(octets) => ethernet::frame(octets)?,
            Next::Llc(octets) => ethernet::llc(octets)?,
            Next::Ppp(octets) => ppp::packet(octets)?,
            Next::Mpls(octets) => ethernet::mpls(octets)?,
        };
    }
    None
}

fn raw(octets: &[u8]) -> Option<Next<'_>> {
    Some(Next::Ip(octets))
}

/// Which way a frame went; only the types that begin with an octet for it say.
#[inline]
pub(super) fn direction(link: LinkType, octets: &[u8]) -> Option<Direction> {
    match (link.0, octets.first()) {
        (204..=206, Some(0)) => Some(Direction::Received),
        (204..=206, Some(_)) => Some(Direction::Sent),
        _ => None,
    }
}

/// A frame after an octet that says whether it was sent or received.
fn directed(octets: &[u8], read: fn(&[u8]) -> Option<Next<'_>>) -> Option<Next<'_>> {
    read(octets.get(1..)?)
}

/// The version of IP shows in its first octet.
fn is_ip(octets: &[u8]) -> bool {
    octets.first().is_some_and(|first| matches!(first >> 4, 4 | 6))
}

impl LinkType {
    /// Its name in the registry of pcap link types, in lower case, with hyphens; of those that are known here.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(number, _)| *number == self.0).and_then(|(_, names)| names.first().copied())
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Why a text is no link type.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no link type that is known here; those are {known}, or their numbers", known = known())]
pub struct NoLinkType(String);

fn known() -> String {
    NAMES.iter().filter_map(|(_, names)| names.first().copied()).collect::<Vec<_>>().join(", ")
}

impl FromStr for LinkType {
    type Err = NoLinkType;

    /// A number, or a name with or without `LINKTYPE_` or `DLT_`; case does not matter, and `_` is `-`.
    fn from_str(text: &str) -> Result<Self, NoLinkType> {
        let plain = text.to_ascii_lowercase().replace('_', "-");
        let plain = plain.strip_prefix("linktype-").or_else(|| plain.strip_prefix("dlt-")).unwrap_or(&plain);
        let number = plain.parse().ok();
        let row = NAMES.iter().find(|(known, names)| Some(*known) == number || names.contains(&plain));
        row.map(|(number, _)| Self(*number)).ok_or_else(|| NoLinkType(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (number, names) in NAMES {
            for name in *names {
                assert_eq!(name.parse(), Ok(LinkType(*number)));
            }
            assert_eq!(number.to_string().parse(), Ok(LinkType(*number)));
            assert_eq!(LinkType(*number).to_string(), format!("{number} ({})", names[0]));
        }
        assert_eq!("LINKTYPE_PPP_WITH_DIR".parse(), Ok(LinkType(204)));
        assert_eq!("DLT_EN10MB".parse(), Ok(LinkType(1)));
        let wrong = "147".parse::<LinkType>().expect_err("not known").to_string();
        assert!(wrong.starts_with("`147` is no link type") && wrong.contains("linux-sll2, or"), "{wrong}");
    }

    #[test]
    fn what_carries_itself_ends() {
        // A VLAN tag after the other, and Ethernet in SNAP in Ethernet, deeper than anybody nests.
        let tags = [[0x81, 0, 0, 1]; 64].concat();
        let frame = [&[0; 12][..], &tags, &[8, 0, 0x45]].concat();
        assert!(matches!(network(LinkType(1), &frame), Network::Other));
        let bridged = [&[0; 12][..], &[0x05, 0xdc, 0xaa, 0xaa, 3, 0x00, 0x80, 0xc2, 0, 7, 0, 0]].concat();
        let frame = [bridged.repeat(40), [&[0; 12][..], &[8, 0, 0x45]].concat()].concat();
        assert!(matches!(network(LinkType(1), &frame), Network::Other));
        let frame = [bridged, [&[0; 12][..], &[8, 0, 0x45]].concat()].concat();
        assert!(matches!(network(LinkType(1), &frame), Network::Ip([0x45])));
    }

    #[test]
    fn multilink() {
        // RFC 1990 3: whole packets after sequence numbers of 24 bits and of 12, which also may look like a protocol.
        for whole in [
            &[0, 0x3d, 0xc0, 0, 0, 1, 0x21, 0x45][..],
            &[0x3d, 0xc0, 0, 0, 1, 0, 0x21, 0x45],
            &[0x3d, 0xc0, 0x01, 0x21, 0x45],
            &[0x3d, 0xcf, 0xff, 0, 0x21, 0x45],
        ] {
            assert!(matches!(network(LinkType(9), whole), Network::Ip([0x45])), "{whole:x?}");
        }
        // The first part, the last, and one between.
        for part in [
            &[0x3d, 0x80, 0, 0, 1, 0x21, 0x45][..],
            &[0x3d, 0x40, 0, 0, 1, 0x45],
            &[0, 0x3d, 0x0f, 0xff, 0x45],
        ] {
            assert!(matches!(network(LinkType(9), part), Network::Part([_, .., 0x45])), "{part:x?}");
        }
        // What is in no protocol of IP, and what has bits that are no part's; multilink in itself ends.
        for other in [&[0x3d, 0xc0, 0, 0, 1, 0x55][..], &[0x3d, 0xb0, 0, 0, 1, 0x21, 0x45], &[0x3d, 0x80]] {
            assert!(matches!(network(LinkType(9), other), Network::Other), "{other:x?}");
        }
        let nested = [0x3d, 0xc0, 0, 0, 1].repeat(100);
        assert!(matches!(network(LinkType(9), &nested), Network::Other));
    }
}
