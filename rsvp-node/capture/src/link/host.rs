//! What hosts put before packets that they capture without a link layer of their own: loopback and Linux cooked headers.

use super::{Next, is_ip};

/// Octets of Linux cooked headers, and where the protocol is in them.
const COOKED: (usize, usize) = (16, 14);
const COOKED_2: (usize, usize) = (20, 0);

pub(super) fn cooked(octets: &[u8]) -> Option<Next<'_>> {
    after(octets, COOKED)
}

pub(super) fn cooked_2(octets: &[u8]) -> Option<Next<'_>> {
    after(octets, COOKED_2)
}

/// A protocol of up to 0x0600 is one of Linux: 4 is a header of IEEE 802.2, the others lead to no IP.
fn after(octets: &[u8], (length, protocol): (usize, usize)) -> Option<Next<'_>> {
    const LLC: u16 = 4;
    let ether_type = u16::from_be_bytes(*octets.get(protocol..)?.first_chunk()?);
    let rest = octets.get(length..)?;
    match ether_type {
        LLC => Some(Next::Llc(rest)),
        ..0x0600 => None,
        _ => Some(Next::EtherType(ether_type, rest)),
    }
}

/// The address family is in the byte order of the machine that captured; the families of IPv6 differ between systems,
/// so the version of IP says more than they do.
pub(super) fn loopback(octets: &[u8]) -> Option<Next<'_>> {
    let packet = octets.get(4..)?;
    is_ip(packet).then_some(Next::Ip(packet))
}
