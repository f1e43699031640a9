//! What carries IP in IP: IP itself, GRE, and VXLAN and GENEVE over UDP.
//!
//! A tunnel over UDP is told by its destination port. What is on that port and no tunnel is left as it is.

use etherparse::IpNumber;

use crate::link::{self, Next};

/// VXLAN (RFC 7348 8), and the port that Linux uses where it is told no other.
const VXLAN: [u16; 2] = [4789, 8472];
/// GENEVE (RFC 8926 3.3).
const GENEVE: u16 = 6081;

/// Whether packets of a protocol may carry others.
pub(crate) const fn may_carry(protocol: u8) -> bool {
    matches!(IpNumber(protocol), IpNumber::IPV4 | IpNumber::IPV6 | IpNumber::GRE | IpNumber::UDP)
}

/// The IP packet in the payload of a protocol.
#[inline]
pub(crate) fn inner(protocol: u8, payload: &[u8]) -> Option<&[u8]> {
    match IpNumber(protocol) {
        IpNumber::IPV4 | IpNumber::IPV6 => Some(payload),
        IpNumber::GRE => gre(payload),
        IpNumber::UDP => udp(payload),
        _ => None,
    }
}

/// The IP packet in a GRE packet (RFC 2784 2, with the key and sequence number of RFC 2890); source routes of the
/// older RFC 1701 are not followed.
fn gre(octets: &[u8]) -> Option<&[u8]> {
    let (&[flags, version, t0, t1], _) = octets.split_first_chunk::<4>()?;
    let (checksum, routing, key, sequence) = (flags & 0x80, flags & 0x40, flags & 0x20, flags & 0x10);
    if version & 7 != 0 || routing != 0 {
        return None;
    }
    let optional = [checksum, key, sequence].iter().filter(|flag| **flag != 0).count();
    link::follow(Next::EtherType(u16::from_be_bytes([t0, t1]), octets.get(4 + optional * 4..)?))
}

#[inline]
fn udp(octets: &[u8]) -> Option<&[u8]> {
    let (&[_, _, d0, d1, _, _, _, _], payload) = octets.split_first_chunk::<8>()?;
    match u16::from_be_bytes([d0, d1]) {
        GENEVE => geneve(payload),
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

/// Version 0, a number of words of options, an EtherType, a network identifier, the options (RFC 8926 3.4).
fn geneve(octets: &[u8]) -> Option<&[u8]> {
    let (&[first, _, t0, t1, ..], rest) = octets.split_first_chunk::<8>()?;
    let (version, words) = (first >> 6, usize::from(first & 0x3f));
    if version != 0 {
        return None;
    }
    link::follow(Next::EtherType(u16::from_be_bytes([t0, t1]), rest.get(words * 4..)?))
}
