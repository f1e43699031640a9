//! From a frame to the IP packet in it: the link layers that can carry RSVP, VLAN tags and MPLS label stacks.
//!
//! Nothing of these headers is kept. Numbers are those of the registry of pcap link types and of EtherTypes.

use etherparse::{EtherType, Ethernet2HeaderSlice, SingleVlanHeaderSlice};

use crate::LinkType;

const NULL: u32 = 0;
const ETHERNET: u32 = 1;
const PPP: u32 = 9;
/// Raw IP as some systems number it in files.
const RAW_12: u32 = 12;
const RAW_14: u32 = 14;
const CISCO_HDLC: u32 = 104;
const LOOP: u32 = 108;
const LINUX_COOKED: u32 = 113;
const IPV4: u32 = 228;
const IPV6: u32 = 229;
const LINUX_COOKED_2: u32 = 276;
/// Octets of Linux cooked headers, and where the protocol is in them.
const COOKED: (usize, usize) = (16, 14);
const COOKED_2: (usize, usize) = (20, 0);
/// VLAN tags or MPLS labels in one frame.
const STACK: usize = 16;

const MPLS: u16 = 0x8847;
const MPLS_UPSTREAM: u16 = 0x8848;
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;
const PPP_MPLS: u16 = 0x0281;

/// What a frame carries.
pub(super) enum Network<'a> {
    /// Octets that should be an IP packet.
    Ip(&'a [u8]),
    /// Something else.
    Other,
    /// A link layer that is not known here.
    UnknownLink,
}

#[inline]
pub(super) fn network(link: LinkType, octets: &[u8]) -> Network<'_> {
    let payload = match link.0 {
        ETHERNET => ethernet(octets),
        101 | RAW_12 | RAW_14 | IPV4 | IPV6 => Some(octets),
        LINUX_COOKED => cooked(octets, COOKED),
        LINUX_COOKED_2 => cooked(octets, COOKED_2),
        NULL | LOOP => loopback(octets),
        PPP => ppp(octets),
        CISCO_HDLC => cisco_hdlc(octets),
        _ => return Network::UnknownLink,
    };
    payload.map_or(Network::Other, Network::Ip)
}

fn ethernet(octets: &[u8]) -> Option<&[u8]> {
    let header = Ethernet2HeaderSlice::from_slice(octets).ok()?;
    by_ether_type(header.ether_type().0, octets.get(header.slice().len()..)?)
}

/// The IP packet after an EtherType, past VLAN tags and MPLS labels.
pub(super) fn by_ether_type(ether_type: u16, octets: &[u8]) -> Option<&[u8]> {
    let (mut ether_type, mut octets) = (EtherType(ether_type), octets);
    for _ in 0..STACK {
        match ether_type {
            EtherType::IPV4 | EtherType::IPV6 => return Some(octets),
            EtherType::VLAN_TAGGED_FRAME
            | EtherType::PROVIDER_BRIDGING
            | EtherType::VLAN_DOUBLE_TAGGED_FRAME => {
                let tag = SingleVlanHeaderSlice::from_slice(octets).ok()?;
                ether_type = tag.ether_type();
                octets = octets.get(tag.slice().len()..)?;
            }
            EtherType(MPLS | MPLS_UPSTREAM) => return mpls(octets),
            _ => return None,
        }
    }
    None
}

/// The packet under a label stack (RFC 3032 2.1). The stack does not say what it is: IP shows by its version.
pub(super) fn mpls(octets: &[u8]) -> Option<&[u8]> {
    const BOTTOM_OF_STACK: u8 = 1;
    let mut rest = octets;
    for _ in 0..STACK {
        let (&[_, _, low, _], after) = rest.split_first_chunk::<4>()?;
        rest = after;
        if low & BOTTOM_OF_STACK != 0 {
            return matches!(rest.first()? >> 4, 4 | 6).then_some(rest);
        }
    }
    None
}

fn cooked(octets: &[u8], (length, protocol): (usize, usize)) -> Option<&[u8]> {
    let ether_type = octets.get(protocol..)?.first_chunk()?;
    by_ether_type(u16::from_be_bytes(*ether_type), octets.get(length..)?)
}

/// The address family is in the byte order of the machine that captured; the families of IPv6 differ between systems,
/// so the version of IP says more than they do.
fn loopback(octets: &[u8]) -> Option<&[u8]> {
    let packet = octets.get(4..)?;
    matches!(packet.first()? >> 4, 4 | 6).then_some(packet)
}

fn ppp(octets: &[u8]) -> Option<&[u8]> {
    // Address and control (RFC 1662) may be compressed away.
    let octets = octets.strip_prefix(&[0xff, 0x03]).unwrap_or(octets);
    let (protocol, rest) = octets.split_first_chunk::<2>()?;
    match u16::from_be_bytes(*protocol) {
        PPP_IPV4 | PPP_IPV6 => Some(rest),
        PPP_MPLS => mpls(rest),
        _ => None,
    }
}

fn cisco_hdlc(octets: &[u8]) -> Option<&[u8]> {
    let ether_type = octets.get(2..)?.first_chunk()?;
    by_ether_type(u16::from_be_bytes(*ether_type), octets.get(4..)?)
}
