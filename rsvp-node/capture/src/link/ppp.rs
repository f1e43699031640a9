//! PPP, on serial lines and over Ethernet, and Cisco's HDLC, which shares their lines.

use super::{Next, is_ip};
use crate::multilink::{HEADERS, Part};

const IPV4: u16 = 0x0021;
const IPV6: u16 = 0x0057;
const MULTILINK: u16 = 0x003d;
const MPLS: u16 = 0x0281;
const MPLS_MULTICAST: u16 = 0x0283;
/// Addresses of Cisco's HDLC, where PPP has 0xff (RFC 1547 4.3.1).
const CISCO: [u8; 2] = [0x0f, 0x8f];

/// A packet after address and control (RFC 1662 3.1), which may be compressed away.
pub(super) fn frame(octets: &[u8]) -> Option<Next<'_>> {
    Some(Next::Ppp(octets.strip_prefix(&[0xff, 0x03]).unwrap_or(octets)))
}

/// A protocol, of which a leading octet of zero may be compressed away as the last octet is odd (RFC 1661 2), and what follows.
fn protocol(octets: &[u8]) -> Option<(u16, &[u8])> {
    match *octets {
        [short, ref rest @ ..] if short & 1 == 1 => Some((u16::from(short), rest)),
        [high, low, ref rest @ ..] => Some((u16::from_be_bytes([high, low]), rest)),
        _ => None,
    }
}

/// From the protocol field on.
pub(super) fn packet(octets: &[u8]) -> Option<Next<'_>> {
    match protocol(octets)? {
        (IPV4 | IPV6, rest) => Some(Next::Ip(rest)),
        (MPLS | MPLS_MULTICAST, rest) => Some(Next::Mpls(rest)),
        (MULTILINK, rest) => multilink(rest),
        _ => None,
    }
}

/// A packet that is whole in its frame, or a part of one (RFC 1990 3).
fn multilink(octets: &[u8]) -> Option<Next<'_>> {
    let mut read = HEADERS.into_iter().filter_map(|header| Part::read(octets, header));
    let whole = |part: &Part<'_>| part.begins && part.ends && begins_packet(part.octets);
    match read.clone().find(whole) {
        Some(part) => Some(Next::Ppp(part.octets)),
        None => read.any(|part| !(part.begins && part.ends)).then_some(Next::Part(octets)),
    }
}

/// Whether a packet that is looked into begins here, with its protocol.
pub(crate) fn begins_packet(octets: &[u8]) -> bool {
    match protocol(octets) {
        Some((IPV4 | IPV6, packet)) => is_ip(packet),
        Some((number, _)) => matches!(number, MPLS | MPLS_MULTICAST),
        None => false,
    }
}

/// A serial line, on which the first octet says whether it is PPP or Cisco's HDLC.
pub(super) fn serial(octets: &[u8]) -> Option<Next<'_>> {
    if octets.first().is_some_and(|address| CISCO.contains(address)) {
        cisco_hdlc(octets)
    } else {
        frame(octets)
    }
}

/// Address, control, and an EtherType.
pub(super) fn cisco_hdlc(octets: &[u8]) -> Option<Next<'_>> {
    let (&[_, _, t0, t1], rest) = octets.split_first_chunk::<4>()?;
    Some(Next::EtherType(u16::from_be_bytes([t0, t1]), rest))
}

/// The session stage of PPPoE (RFC 2516 4): version and type, a code of zero, session, length.
pub(super) fn over_ethernet(octets: &[u8]) -> Option<Next<'_>> {
    let (&[0x11, 0, _, _, l0, l1], rest) = octets.split_first_chunk::<6>()? else { return None };
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    Some(Next::Ppp(rest.get(..length).unwrap_or(rest)))
}
