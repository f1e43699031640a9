//! PPP, on serial lines and over Ethernet, and Cisco's HDLC, which shares their lines.

use super::{Next, is_ip};

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

/// A packet that is whole in its frame (RFC 1990 3): the bits of beginning and end, and a sequence number of 24 bits or of 12, which
/// the peers have agreed on; the packet shows which. The parts of others are left alone.
fn multilink(octets: &[u8]) -> Option<Next<'_>> {
    const WHOLE: u8 = 0xc0;
    let first = octets.first()?;
    [(4, 0xff), (2, 0xf0)].into_iter().find_map(|(header, bits)| {
        let inner = octets.get(header..).filter(|_| first & bits == WHOLE)?;
        let known = match protocol(inner)? {
            (IPV4 | IPV6, packet) => is_ip(packet),
            (number, _) => matches!(number, MPLS | MPLS_MULTICAST),
        };
        known.then_some(Next::Ppp(inner))
    })
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
