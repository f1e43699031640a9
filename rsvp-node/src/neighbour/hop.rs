//! Who sent a message: the RSVP_HOP in it, which answers go to, must be an address that a neighbour can have.

use crate::api::{Discard, Rx};
use crate::key::SessionKey;
use crate::node::Node;
use core::net::IpAddr;
use rsvp_wire::{Message, RsvpHop, Session};

impl Node {
    /// Whether an address is one of this node's.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        self.interfaces.by_address(address).is_some()
    }

    /// Whether a hop is an address that a neighbour can have: of the family that the message came in, whatever family its
    /// SESSION says it is of or does not say, and none of this node's own.
    pub(crate) fn is_neighbour(&self, rx: &Rx<'_>, message: &Message<'_>, hop: &RsvpHop) -> bool {
        let fits = match message.get::<Session>() {
            Some(Ok(session)) => check_hop(message, &SessionKey::of(session), rx.source).is_ok(),
            Some(Err(_)) => is_host(hop.address, rx.source),
            None => false,
        };
        let family = hop.address.is_ipv4() == rx.source.is_ipv4();
        fits && family && !self.is_own(hop.address)
    }
}

/// The hop must be a node's address of the session's family. `None` where the message has none.
pub(crate) fn check_hop(
    message: &Message<'_>,
    session: &SessionKey,
    source: IpAddr,
) -> Result<Option<IpAddr>, Discard> {
    let Some(hop) = message.get::<RsvpHop>() else { return Ok(None) };
    let hop = hop.map_err(Discard::Malformed)?.address;
    let usable = hop.is_ipv4() == session.destination().is_ipv4() && is_host(hop, source);
    if usable { Ok(Some(hop)) } else { Err(Discard::BadAddress) }
}

/// Whether an address in a message can be that of a node: 0/8 and 240/4 (RFC 1122 section 3.2.1.3, RFC 1112 section 4) cannot,
/// nor IPv6 addresses that stand for one of IPv4 (RFC 4291 section 2.5.5.2). Loopback addresses are those of whoever uses them: in
/// what comes from elsewhere they would be this node's own.
pub(crate) fn is_host(address: IpAddr, source: IpAddr) -> bool {
    let never = match address {
        IpAddr::V4(a) => matches!(a.octets()[0], 0 | 240..),
        IpAddr::V6(a) => a.to_ipv4_mapped().is_some(),
    };
    let foreign = address.is_loopback() && !source.is_loopback();
    !address.is_unspecified() && !address.is_multicast() && !never && !foreign
}
