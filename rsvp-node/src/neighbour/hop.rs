//! Who sent a message: the RSVP_HOP in it, which answers go to, must be an address that a neighbour can have.

use super::accounts::Party;
use crate::api::{Discard, Rx};
use crate::interface::{HopSources, InterfaceId};
use crate::key::SessionKey;
use crate::node::Node;
use core::net::IpAddr;
use rsvp_wire::{Message, RsvpHop, Session};

impl Node {
    /// Whether an address is one of this node's.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        self.interfaces.by_address(address).is_some()
    }

    /// Whom a message is charged to: an address on the link where it arrived, or all others who are heard there. A Path names its
    /// previous hop, for its source is the sender; whatever else there is comes from a neighbour itself.
    pub(crate) fn party(&self, rx: &Rx<'_>, previous_hop: Option<IpAddr>) -> Party {
        let address = previous_hop.unwrap_or(rx.source);
        let on = self.interfaces.find(rx.interface);
        let on_link = on.is_some_and(|on| on.config.is_on_link(address)) && !self.is_own(address);
        Party { interface: rx.interface, address: on_link.then_some(address) }
    }

    /// Whether a message comes from a hop: from its own address, or from another on the link of the interface that it is a hop of
    /// (a link-local one only where it arrived), unless the interface says that this is not looked at.
    pub(crate) fn comes_from(&self, rx: &Rx<'_>, hop: IpAddr, on: InterfaceId) -> bool {
        let Some(on) = self.interfaces.find(on).map(|on| &on.config) else { return rx.source == hop };
        let is_strict = match on.hop_sources {
            HopSources::OnLink => on.is_on_link(hop),
            HopSources::Always => true,
            HopSources::Never => false,
        };
        let local = matches!(rx.source, IpAddr::V6(address) if address.is_unicast_link_local());
        let near =
            || on.is_on_link(rx.source) && (!local || rx.interface == on.id) && !self.is_own(rx.source);
        rx.source == hop || !is_strict || near()
    }

    /// Whether a Path or PathTear comes from the address of its sender (RFC 2205 section 3.1.3), or by an interface behind which others
    /// announce senders, which is counted.
    pub(crate) fn comes_from_sender(&mut self, rx: &Rx<'_>, sender: IpAddr) -> bool {
        if rx.source == sender {
            return true;
        }
        let may = self.interfaces.find(rx.interface).is_some_and(|on| on.config.proxies);
        if may {
            self.counters.count_proxied_path();
        }
        may
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
