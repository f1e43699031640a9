//! Packets on links and LANs: who gets them, when, and what becomes of those that are for somebody else.

use super::happenings::Happening;
use super::record::Sent;
use super::routing::{NodeRoutes, Routing};
use super::run::World;
use super::topology::Topology;
use super::watch::Notice;
use crate::describe;
use crate::scenario::model::{LinkId, NodeId, Scenario};
use core::net::IpAddr;
use core::time::Duration;
use rsvp_node::{Host, Input, RouteAnswer, RouteQuery, Rx, Source, Transmit};
use std::sync::Arc;

/// An IP packet with an RSVP message.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ttl: u8,
    pub(super) router_alert: bool,
    pub(super) octets: Vec<u8>,
    /// Its place among the messages that are recorded.
    pub(super) recorded: Option<usize>,
}

impl Packet {
    /// Octets with the IP header: Router Alert is an option of 4 octets in IPv4, a hop-by-hop header of 8 in IPv6.
    fn length(&self) -> usize {
        let header = match (self.destination.is_ipv4(), self.router_alert) {
            (true, alert) => 20 + 4 * usize::from(alert),
            (false, alert) => 40 + 8 * usize::from(alert),
        };
        header + self.octets.len()
    }
}

impl World {
    /// An engine's message, as an IP packet on its link.
    pub(super) fn packet(&self, node: NodeId, transmit: &Transmit<'_>) -> Option<(LinkId, Packet)> {
        let mut link = self.topology.link_of(node, transmit.interface)?;
        let own = self.topology.attachment(node, link)?.address;
        let (source, destination) = match transmit.source {
            Source::Own => (own, self.topology.owner(transmit.destination)),
            Source::Foreign(address) => (address, None),
        };
        // A hop behind routers without RSVP is reached as routing says, which need not be the way its messages come.
        if let Some(there) = destination.filter(|there| self.topology.attachment(*there, link).is_none()) {
            let session = self.topology.sessions_to(transmit.destination).next();
            let way = self.routing.next_hop(&self.scenario, node, there, session, Some(node));
            link = way.map_or(link, |(link, _)| link);
        }
        let packet = Packet {
            source,
            destination: transmit.destination,
            ttl: transmit.ttl,
            router_alert: transmit.router_alert,
            octets: self.with_carried(node, transmit.octets),
            recorded: None,
        };
        Some((link, packet))
    }

    /// Puts a packet on a link.
    pub(super) fn send(&mut self, node: NodeId, link: LinkId, packet: Packet, forwarded: bool) {
        let plan = &self.scenario.links[link.0];
        let (to, addressee) = recipients(
            &self.scenario,
            &self.topology,
            &self.routing,
            (node, link),
            (packet.source, packet.destination),
        );
        let serialisation = packet.length() as u64 * 8 * 1_000_000 / plan.rate_bps.max(1);
        let (delay, loss) = (plan.delay, if self.is_faulty() { plan.loss } else { 0.0 });
        let busy = self.busy.entry((link, node)).or_insert(self.now);
        *busy = (*busy).max(self.now) + Duration::from_micros(serialisation);
        let arrival = *busy + delay;
        let recorded = self.keeps_record().then_some(self.record.sent.len());
        let packet = Arc::new(Packet { recorded, ..packet });
        let mut missed = Vec::new();
        for &receiver in &to {
            if !self.network.link_up[link.0] || self.is_cut(link) || self.random.chance(loss) {
                missed.push(receiver);
                continue;
            }
            let link_generation = self.link_generation[link.0];
            for (late, packet) in self.copies(link, &packet) {
                self.happenings.plan(
                    arrival + late,
                    Happening::Arrive { node: receiver, link, link_generation, packet },
                );
            }
        }
        self.messages += 1;
        if self.notices.is_some() && !forwarded {
            let (destination, octets) = (packet.destination, packet.octets.clone());
            self.notice(Notice::Sent { node, link, destination, octets });
        }
        if !self.keeps_record() {
            return;
        }
        let message = describe::message(&self.topology, &packet.octets);
        let facts = message
            .facts
            .word("from", self.scenario.nodes[node.0].name.as_str())
            .word("to", called(&self.scenario, link, addressee))
            .word("link", self.scenario.links[link.0].name.as_str());
        self.record.sent.push(Sent {
            order: self.record.order(),
            at: self.now,
            arrival,
            from: node,
            to,
            link,
            missed,
            forwarded,
            source: packet.source,
            destination: packet.destination,
            ttl: packet.ttl,
            router_alert: packet.router_alert,
            octets: packet.octets.clone(),
            label: message.label,
            facts,
        });
    }

    /// A packet does not reach a node after all.
    pub(super) fn lose(&mut self, node: NodeId, packet: &Packet) {
        if let Some(sent) = packet.recorded.and_then(|place| self.record.sent.get_mut(place)) {
            sent.missed.push(node);
        }
    }

    /// A packet has reached a node.
    pub(super) fn arrive(&mut self, node: NodeId, link: LinkId, packet: &Packet) {
        if !self.network.node_up[node.0] {
            return self.lose(node, packet);
        }
        if self.scenario.nodes[node.0].plain {
            return self.pass_on(node, link, packet);
        }
        let own = self.topology.owner(packet.destination) == Some(node);
        let router = self.scenario.nodes[node.0].router;
        let multicast = packet.destination.is_multicast();
        if own || (packet.router_alert && router) || (multicast && (router || self.joined(node, packet))) {
            let Some(attachment) = self.topology.attachment(node, link) else { return };
            let Some(octets) = self.judged(node, link, packet) else { return };
            let rx = Rx {
                interface: attachment.interface,
                source: packet.source,
                destination: packet.destination,
                ttl: packet.ttl,
                octets: &octets,
            };
            self.input(node, Input::Packet(rx));
        } else if router && !multicast {
            self.forward(node, packet);
        }
    }

    fn joined(&self, node: NodeId, packet: &Packet) -> bool {
        self.topology.sessions_to(packet.destination).any(|s| self.network.members[s.0].contains(&node))
    }

    /// A router without RSVP: Router Alert means nothing to it, and nobody there takes what is for the router itself.
    /// What goes from a sender to its session takes the way of data, as a Path has to; all else that of its destination.
    fn pass_on(&mut self, node: NodeId, link: LinkId, packet: &Packet) {
        if !self.topology.is_data(packet.source, packet.destination) {
            return self.forward(node, packet);
        }
        let Self { scenario, topology, routing, .. } = &*self;
        let query = RouteQuery { source: Some(packet.source), ..RouteQuery::to(packet.destination) };
        let answer = NodeRoutes { scenario, topology, routing, node }.route(query);
        let RouteAnswer::Known(route) = answer else { return };
        let arrived_by = topology.attachment(node, link).map(|a| a.interface);
        if packet.destination.is_multicast() && route.incoming != arrived_by {
            return;
        }
        let links: Vec<LinkId> =
            route.outgoing.iter().filter_map(|interface| topology.link_of(node, *interface)).collect();
        for link in links {
            self.hop(node, link, packet);
        }
    }

    /// Ordinary IP forwarding, which does not look into the packet.
    fn forward(&mut self, node: NodeId, packet: &Packet) {
        let Some(owner) = self.topology.owner(packet.destination) else { return };
        let source = self.topology.owner(packet.source);
        if let Some((link, _)) = self.routing.next_hop(&self.scenario, node, owner, None, source) {
            self.hop(node, link, packet);
        }
    }

    fn hop(&mut self, node: NodeId, link: LinkId, packet: &Packet) {
        if packet.ttl > 1 {
            self.send(node, link, Packet { ttl: packet.ttl - 1, ..packet.clone() }, true);
        }
    }
}

/// Who gets a packet that a node puts on a link, and which of them it is for; none if it is for all of a LAN, or nobody.
pub(crate) fn recipients(
    scenario: &Scenario,
    topology: &Topology,
    routing: &Routing,
    (node, link): (NodeId, LinkId),
    (source, destination): (IpAddr, IpAddr),
) -> (Vec<NodeId>, Option<NodeId>) {
    let plan = &scenario.links[link.0];
    let others = || plan.ends.iter().copied().filter(|&end| end != node);
    if !plan.lan {
        let others: Vec<NodeId> = others().collect();
        let first = others.first().copied();
        return (others, first);
    }
    if destination.is_multicast() {
        return (others().collect(), None);
    }
    let Some(owner) = topology.owner(destination) else { return (Vec::new(), None) };
    if owner != node && topology.attachment(owner, link).is_some() {
        return (vec![owner], Some(owner));
    }
    let session = topology.sessions_to(destination).next();
    match routing.next_hop(scenario, node, owner, session, topology.owner(source)) {
        Some((via, next)) if via == link => (vec![next], Some(next)),
        _ => (Vec::new(), None),
    }
}

/// How a message on a link says whom it is for.
pub(crate) fn called(scenario: &Scenario, link: LinkId, addressee: Option<NodeId>) -> &str {
    addressee.map_or(&scenario.links[link.0].name, |node| &scenario.nodes[node.0].name)
}
