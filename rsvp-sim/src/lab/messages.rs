//! Captured packets as the messages of a record: who sent them to whom, and what they say.
//!
//! Deliberately only as much of IP is read as a report shows (RFC 791, RFC 8200; Router Alert: RFC 2113, RFC 2711).

use super::capture::Captured;
use crate::describe;
use crate::scenario::model::{NodeId, Scenario};
use crate::world::routing::Routing;
use crate::world::{Delivery, Sent, Topology, recipients};
use core::net::IpAddr;
use rsvp_node::Instant;
use rsvp_wire::{Message, RsvpHop};

/// What IP says about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header<'p> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ttl: u8,
    pub(super) router_alert: bool,
    pub(super) octets: &'p [u8],
}

impl<'p> Header<'p> {
    /// Reads an IP packet; what is too short is nothing.
    pub(super) fn read(packet: &'p [u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Self::read_ipv4(packet),
            6 => Self::read_ipv6(packet),
            _ => None,
        }
    }

    fn read_ipv4(packet: &'p [u8]) -> Option<Self> {
        let length = usize::from(packet[0] & 0xf) * 4;
        let address =
            |at: usize| -> Option<IpAddr> { Some(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?.into()) };
        Some(Self {
            source: address(12)?,
            destination: address(16)?,
            ttl: *packet.get(8)?,
            router_alert: packet.get(20..length)?.starts_with(&[0x94, 4]),
            octets: packet.get(length..)?,
        })
    }

    fn read_ipv6(packet: &'p [u8]) -> Option<Self> {
        let address = |at: usize| -> Option<IpAddr> {
            Some(<[u8; 16]>::try_from(packet.get(at..at + 16)?).ok()?.into())
        };
        let hop_by_hop = *packet.get(6)? == 0;
        let extension = if hop_by_hop { 8 + 8 * usize::from(*packet.get(41)?) } else { 0 };
        let options = packet.get(40..40 + extension)?;
        Some(Self {
            source: address(8)?,
            destination: address(24)?,
            ttl: *packet.get(7)?,
            router_alert: options.windows(4).any(|option| option == [5, 2, 0, 1]),
            octets: packet.get(40 + extension..)?,
        })
    }
}

/// A captured packet as a message of the record.
pub(super) fn sent(
    scenario: &Scenario,
    topology: &Topology,
    routing: &Routing,
    captured: &Captured,
    at: Instant,
) -> Option<Sent> {
    let header = Header::read(&captured.packet)?;
    let said = describe::message(topology, header.octets);
    let (to, to_name) = recipients(
        scenario,
        topology,
        routing,
        (captured.from, captured.link),
        (header.source, header.destination),
    );
    let facts = said
        .facts
        .word("from", scenario.nodes[captured.from.0].name.as_str())
        .word("to", to_name)
        .word("link", scenario.links[captured.link.0].name.as_str());
    Some(Sent {
        order: 0,
        at,
        arrival: at,
        from: captured.from,
        fate: if to.is_empty() { Delivery::Nobody } else { Delivery::Underway },
        to,
        link: captured.link,
        forwarded: !is_own(topology, captured.from, &header),
        source: header.source,
        destination: header.destination,
        ttl: header.ttl,
        router_alert: header.router_alert,
        octets: header.octets.to_vec(),
        label: said.label,
        facts,
    })
}

/// Whether the node's daemon made this message, or its kernel passed on somebody else's: the hop in it says so, and
/// where there is none, the source address.
fn is_own(topology: &Topology, node: NodeId, header: &Header<'_>) -> bool {
    let hop = Message::parse(header.octets).ok().and_then(|message| message.get::<RsvpHop>()?.ok());
    let maker = hop.map_or(header.source, |hop: RsvpHop| hop.address);
    topology.owner(maker) == Some(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn router_alert_is_found_in_both_families() {
        let mut packet = vec![0x46, 0xc0, 0, 28, 0, 0, 0, 0, 63, 46, 0, 0, 10, 0, 1, 1, 224, 1, 0, 1];
        packet.extend([0x94, 4, 0, 0, 1, 2, 3, 4]);
        let header = Header::read(&packet).unwrap();
        assert!(header.router_alert);
        assert_eq!((header.ttl, header.octets), (63, &[1, 2, 3, 4][..]));
        let mut packet = vec![0x6c, 0, 0, 0, 0, 12, 0, 62];
        packet.extend([0; 32]);
        // RFC 2711: option 5, two octets, value 1 (RSVP).
        packet.extend([46, 0, 5, 2, 0, 1, 1, 0, 9, 8, 7, 6]);
        let header = Header::read(&packet).unwrap();
        assert_eq!((header.ttl, header.router_alert, header.octets), (62, true, &[9, 8, 7, 6][..]));
    }
}
