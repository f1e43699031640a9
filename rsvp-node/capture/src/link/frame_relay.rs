//! Frame Relay: multiprotocol encapsulation (RFC 2427), PPP (RFC 1973), and Cisco's, which has an EtherType.

use super::{Next, ethernet};

/// Octets of a Q.922 address.
const ADDRESS: core::ops::RangeInclusive<usize> = 2..=4;
/// The last octet of an address (RFC 2427 3).
const LAST: u8 = 1;
/// Unnumbered information.
const CONTROL: u8 = 3;
const PAD: u8 = 0;
const NLPID_SNAP: u8 = 0x80;
const NLPID_IPV6: u8 = 0x8e;
const NLPID_IPV4: u8 = 0xcc;
const NLPID_PPP: u8 = 0xcf;

pub(super) fn frame(octets: &[u8]) -> Option<Next<'_>> {
    let address = octets.iter().position(|octet| octet & LAST != 0)? + 1;
    if !ADDRESS.contains(&address) {
        return None;
    }
    let rest = octets.get(address..)?;
    let Some(rest) = rest.strip_prefix(&[CONTROL]) else {
        let (&[t0, t1], rest) = rest.split_first_chunk::<2>()?;
        return Some(Next::EtherType(u16::from_be_bytes([t0, t1]), rest));
    };
    let (&protocol, rest) = rest.strip_prefix(&[PAD]).unwrap_or(rest).split_first()?;
    match protocol {
        NLPID_IPV4 | NLPID_IPV6 => Some(Next::Ip(rest)),
        NLPID_SNAP => ethernet::snap(rest),
        NLPID_PPP => Some(Next::Ppp(rest)),
        _ => None,
    }
}
