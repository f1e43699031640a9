//! Captured packets as the messages of a record: who sent them to whom, and what they say.
//!
//! What is below RSVP is read by `rsvp decode`'s reader, pieces of packets included.

use crate::describe;
use crate::scenario::model::{LinkId, NodeId, Scenario};
use crate::world::routing::Routing;
use crate::world::{Sent, Topology, called, recipients};
use core::net::IpAddr;
use rsvp_capture::packet::Packet;
use rsvp_node::Instant;
use rsvp_wire::{Message, RsvpHop};

/// A captured packet as a message of the record.
pub(super) fn sent(
    scenario: &Scenario,
    topology: &Topology,
    routing: &Routing,
    (from, link): (NodeId, LinkId),
    packet: &Packet<'_>,
    at: Instant,
) -> Option<Sent> {
    let (source, destination) = packet.addresses?;
    let said = describe::message(topology, packet.octets);
    let (to, addressee) = recipients(scenario, topology, routing, (from, link), (source, destination));
    let facts = said
        .facts
        .word("from", scenario.nodes[from.0].name.as_str())
        .word("to", called(scenario, link, addressee))
        .word("link", scenario.links[link.0].name.as_str());
    Some(Sent {
        order: 0,
        at,
        arrival: at,
        from,
        to,
        missed: Vec::new(),
        link,
        forwarded: !is_own(topology, from, source, packet.octets),
        source,
        destination,
        ttl: packet.ttl,
        router_alert: packet.router_alert,
        octets: packet.octets.to_vec(),
        label: said.label,
        facts,
    })
}

/// Whether the node's daemon made this message, or its kernel passed on somebody else's: the hop in it says so, and
/// where there is none, the source address.
fn is_own(topology: &Topology, node: NodeId, source: IpAddr, octets: &[u8]) -> bool {
    let hop = Message::parse(octets).ok().and_then(|message| message.get::<RsvpHop>()?.ok());
    let maker = hop.map_or(source, |hop: RsvpHop| hop.address);
    topology.owner(maker) == Some(node)
}
