//! What a raw socket delivers and what it is given, as plain values: IP headers are read here.
//!
//! IPv4 raw sockets deliver the IP header along (RFC 791); the IPv6 Router Alert socket does too, with extension
//! headers (RFC 8200), an IPv6 raw socket does not. RSVP itself is deliberately not looked into.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// RSVP's IP protocol number.
pub(super) const RSVP: u8 = 46;

/// A message to send: what the kernel makes an IP header of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parcel<'a> {
    pub(super) interface: u32,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ttl: u8,
    pub(super) router_alert: bool,
    /// The UDP port it goes to; a raw IP packet, when there is none.
    pub(super) port: Option<u16>,
    pub(super) octets: &'a [u8],
}

/// A packet without its IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stripped<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ttl: u8,
    pub(super) octets: &'a [u8],
    /// Set when this is a piece of a fragmented packet (IPv6; the kernel puts IPv4 packets together).
    pub(super) fragment: Option<Fragment>,
}

/// Which piece of which packet (RFC 8200 section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) identification: u32,
    pub(super) offset: usize,
    pub(super) more: bool,
}

/// Takes an IPv4 header off.
pub(super) fn strip_v4(packet: &[u8]) -> Option<Stripped<'_>> {
    let header = packet.get(..20)?;
    let header_length = usize::from(header[0] & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let address = |at: usize| header[at..at + 4].try_into().map(|o: [u8; 4]| IpAddr::V4(Ipv4Addr::from(o)));
    if header[0] >> 4 != 4 || header_length < 20 || header[9] != RSVP {
        return None;
    }
    Some(Stripped {
        source: address(12).ok()?,
        destination: address(16).ok()?,
        ttl: header[8],
        octets: packet.get(header_length..total.min(packet.len()))?,
        fragment: None,
    })
}

/// Takes an IPv6 header and its extension headers off; `None` when what they carry is not RSVP.
pub(super) fn strip_v6(packet: &[u8]) -> Option<Stripped<'_>> {
    const HOP_BY_HOP: u8 = 0;
    const ROUTING: u8 = 43;
    const FRAGMENT: u8 = 44;
    const DESTINATION: u8 = 60;
    let header = packet.get(..40)?;
    let address = |at: usize| header[at..at + 16].try_into().map(|o: [u8; 16]| IpAddr::V6(Ipv6Addr::from(o)));
    let payload = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let mut rest = packet.get(40..)?.get(..payload)?;
    let mut next = header[6];
    let mut fragment = None;
    while matches!(next, HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION) {
        let front = rest.get(..8)?;
        let length = if next == FRAGMENT { 8 } else { 8 + usize::from(front[1]) * 8 };
        if next == FRAGMENT {
            let field = u16::from_be_bytes([front[2], front[3]]);
            let piece = Fragment {
                identification: u32::from_be_bytes([front[4], front[5], front[6], front[7]]),
                offset: usize::from(field & 0xfff8),
                more: field & 1 == 1,
            };
            // A fragment header that divides nothing stands for a whole packet (RFC 6946).
            fragment = (piece.more || piece.offset > 0).then_some(piece);
        }
        next = front[0];
        rest = rest.get(length..)?;
        // The headers after it are in the first piece only.
        if fragment.is_some_and(|f| f.offset > 0) {
            break;
        }
    }
    (header[0] >> 4 == 6 && next == RSVP).then_some(())?;
    Some(Stripped {
        source: address(8).ok()?,
        destination: address(24).ok()?,
        ttl: header[7],
        octets: rest,
        fragment,
    })
}
