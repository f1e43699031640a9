//! What carries IP in IP: IP itself, GRE with ERSPAN and PPTP, EtherIP, and VXLAN, VXLAN-GPE and GENEVE over UDP.
//!
//! A tunnel over UDP is told by its destination port. What is on that port and no tunnel is left as it is.

use etherparse::IpNumber;

use crate::link::{self, Next};

/// VXLAN (RFC 7348 8), and the port that Linux uses where it is told no other.
const VXLAN: [u16; 2] = [4789, 8472];
/// VXLAN with a field for what it carries (draft-ietf-nvo3-vxlan-gpe 3).
const VXLAN_GPE: u16 = 4790;
/// GENEVE (RFC 8926 3.3).
const GENEVE: u16 = 6081;

/// EtherIP (RFC 3378).
const ETHER_IP: IpNumber = IpNumber(97);

/// Whether packets of a protocol may carry others.
pub(crate) const fn may_carry(protocol: u8) -> bool {
    matches!(IpNumber(protocol), IpNumber::IPV4 | IpNumber::IPV6 | IpNumber::GRE | IpNumber::UDP | ETHER_IP)
}

/// The IP packet in the payload of a protocol.
#[inline]
pub(crate) fn inner(protocol: u8, payload: &[u8]) -> Option<&[u8]> {
    match IpNumber(protocol) {
        IpNumber::IPV4 | IpNumber::IPV6 => Some(payload),
        IpNumber::GRE => gre(payload),
        IpNumber::UDP => udp(payload),
        // Version 3 and reserved bits before the frame (RFC 3378 3).
        ETHER_IP => link::follow(Next::Ethernet(payload.strip_prefix(&[0x30, 0])?)),
        _ => None,
    }
}

/// What GRE carries besides EtherTypes: PPP, of PPTP, and mirrored frames.
const PPP: u16 = 0x880b;
const ERSPAN: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;

/// The IP packet in a GRE packet (RFC 2784 2, with the key and sequence number of RFC 2890); source routes of the
/// older RFC 1701 are not followed.
fn gre(octets: &[u8]) -> Option<&[u8]> {
    let (&[flags, version, t0, t1], _) = octets.split_first_chunk::<4>()?;
    let (checksum, routing, key, sequence) = (flags & 0x80, flags & 0x40, flags & 0x20, flags & 0x10);
    let acknowledgement = version & 0x80;
    let protocol = u16::from_be_bytes([t0, t1]);
    let is_pptp = version & 7 == 1 && protocol == PPP;
    if !is_pptp && version & 7 != 0 || routing != 0 {
        return None;
    }
    let also = if is_pptp { acknowledgement } else { 0 };
    let optional = [checksum, key, sequence, also].iter().filter(|flag| **flag != 0).count();
    let rest = octets.get(4 + optional * 4..)?;
    link::follow(match protocol {
        // With a key that is a length and a call, and perhaps without address and control (RFC 2637 4.1).
        PPP if is_pptp => Next::Ppp(rest.strip_prefix(&[0xff, 3]).unwrap_or(rest)),
        ERSPAN | ERSPAN_3 => Next::Ethernet(mirrored(protocol, sequence != 0, rest)?),
        _ => Next::EtherType(protocol, rest),
    })
}

/// A mirrored frame (draft-foschiano-erspan 4): of type I as it is, of type II, which has sequence numbers, after 8 octets, of type
/// III after 12 and perhaps 8 more.
fn mirrored(protocol: u16, numbered: bool, octets: &[u8]) -> Option<&[u8]> {
    const MORE: u8 = 1;
    match (protocol, numbered) {
        (ERSPAN, false) => Some(octets),
        (ERSPAN, true) => octets.get(8..),
        _ => {
            let more = octets.get(11)? & MORE != 0;
            octets.get(if more { 20 } else { 12 }..)
        }
    }
}

#[inline]
fn udp(octets: &[u8]) -> Option<&[u8]> {
    let (&[_, _, d0, d1, _, _, _, _], payload) = octets.split_first_chunk::<8>()?;
    match u16::from_be_bytes([d0, d1]) {
        GENEVE => geneve(payload),
        VXLAN_GPE => vxlan_gpe(payload),
        port if VXLAN.contains(&port) => vxlan(payload),
        _ => None,
    }
}

/// Flags of which one is set, a network identifier, an Ethernet frame (RFC 7348 5).
fn vxlan(octets: &[u8]) -> Option<&[u8]> {
    const IDENTIFIED: u8 = 0x08;
    let (&[flags, ..], frame) = octets.split_first_chunk::<8>()?;
    if flags & IDENTIFIED == 0 { None } else { link::follow(Next::Ethernet(frame)) }
}

/// Version 0 and a flag that says that the last octet of the first word is what follows, a network identifier, a packet.
fn vxlan_gpe(octets: &[u8]) -> Option<&[u8]> {
    const VERSION: u8 = 0x30;
    const NEXT_PROTOCOL: u8 = 0x04;
    let (&[flags, _, _, next, ..], rest) = octets.split_first_chunk::<8>()?;
    if flags & (VERSION | NEXT_PROTOCOL) != NEXT_PROTOCOL {
        return None;
    }
    link::follow(match next {
        1 | 2 => Next::Ip(rest),
        3 => Next::Ethernet(rest),
        5 => Next::Mpls(rest),
        _ => return None,
    })
}

/// Version 0, a number of words of options, an EtherType, a network identifier, the options (RFC 8926 3.4).
fn geneve(octets: &[u8]) -> Option<&[u8]> {
    let (&[first, _, t0, t1, ..], rest) = octets.split_first_chunk::<8>()?;
    let (version, words) = (first >> 6, usize::from(first & 0x3f));
    if version != 0 {
        return None;
    }
    link::follow(Next::EtherType(u16::from_be_bytes([t0, t1]), rest.get(words * 4..)?))
}
