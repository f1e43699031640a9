//! Ethernet and what an EtherType leads to: VLAN tags, PPPoE, MPLS label stacks, bridged frames; IEEE 802.3 with LLC and SNAP.

use etherparse::{EtherType, Ethernet2HeaderSlice, SingleVlanHeaderSlice};

use super::{Next, is_ip, ppp};

/// The largest value of a type field that is a length (IEEE 802.3 3.2.6); types are from 0x0600 on.
const LONGEST: u16 = 0x05dc;
const MPLS: u16 = 0x8847;
const MPLS_UPSTREAM: u16 = 0x8848;
const PPPOE_SESSION: u16 = 0x8864;
/// Transparent Ethernet bridging, in GRE, GENEVE and the like.
const BRIDGED: u16 = 0x6558;
/// Labels in one stack.
const STACK: usize = 16;

#[inline]
pub(super) fn frame(octets: &[u8]) -> Option<Next<'_>> {
    let header = Ethernet2HeaderSlice::from_slice(octets).ok()?;
    Some(Next::EtherType(header.ether_type().0, octets.get(header.slice().len()..)?))
}

#[inline]
pub(super) fn by_ether_type(ether_type: u16, octets: &[u8]) -> Option<Next<'_>> {
    match EtherType(ether_type) {
        EtherType::IPV4 | EtherType::IPV6 => Some(Next::Ip(octets)),
        EtherType::VLAN_TAGGED_FRAME | EtherType::PROVIDER_BRIDGING | EtherType::VLAN_DOUBLE_TAGGED_FRAME => {
            let tag = SingleVlanHeaderSlice::from_slice(octets).ok()?;
            Some(Next::EtherType(tag.ether_type().0, octets.get(tag.slice().len()..)?))
        }
        EtherType(MPLS | MPLS_UPSTREAM) => Some(Next::Mpls(octets)),
        EtherType(PPPOE_SESSION) => ppp::over_ethernet(octets),
        EtherType(BRIDGED) => Some(Next::Ethernet(octets)),
        // What fills a short frame up comes after the length.
        EtherType(length @ ..=LONGEST) => {
            Some(Next::Llc(octets.get(..usize::from(length)).unwrap_or(octets)))
        }
        _ => None,
    }
}

/// IEEE 802.2: unnumbered information of SNAP, or of the access point of IP.
pub(super) fn llc(octets: &[u8]) -> Option<Next<'_>> {
    const SNAP: [u8; 3] = [0xaa, 0xaa, 3];
    const IP: [u8; 3] = [6, 6, 3];
    match octets.split_first_chunk::<3>()? {
        // Unlike in Frame Relay, two octets of padding come before a bridged frame (RFC 2684 5.2).
        (&SNAP, rest) => match snap(rest)? {
            Next::Ethernet(frame) => Some(Next::Ethernet(frame.strip_prefix(&[0, 0]).unwrap_or(frame))),
            next => Some(next),
        },
        (&IP, rest) => Some(Next::Ip(rest)),
        _ => None,
    }
}

/// An organization and its protocol: EtherTypes (RFC 1042), those of IEEE 802.1H, and bridged frames (RFC 2684 5.2, RFC 2427
/// 4.2), with check sequence or without.
pub(super) fn snap(octets: &[u8]) -> Option<Next<'_>> {
    const ETHER_TYPES: [u8; 3] = [0, 0, 0];
    const ETHER_TYPES_802_1H: [u8; 3] = [0, 0, 0xf8];
    const IEEE_802_1: [u8; 3] = [0, 0x80, 0xc2];
    let (&[o0, o1, o2, p0, p1], rest) = octets.split_first_chunk::<5>()?;
    match ([o0, o1, o2], u16::from_be_bytes([p0, p1])) {
        (ETHER_TYPES | ETHER_TYPES_802_1H, ether_type @ LONGEST..) => Some(Next::EtherType(ether_type, rest)),
        (IEEE_802_1, 1 | 7) => Some(Next::Ethernet(rest)),
        _ => None,
    }
}

/// The packet under a label stack (RFC 3032 2.1). The stack does not say what it is: IP shows by its version.
pub(super) fn mpls(octets: &[u8]) -> Option<Next<'_>> {
    const BOTTOM_OF_STACK: u8 = 1;
    let mut rest = octets;
    for _ in 0..STACK {
        let (&[_, _, low, _], after) = rest.split_first_chunk::<4>()?;
        rest = after;
        if low & BOTTOM_OF_STACK != 0 {
            return is_ip(rest).then_some(Next::Ip(rest));
        }
    }
    None
}
