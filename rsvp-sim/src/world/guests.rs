//! What a world has for applications that are no part of its scenario: they talk to control services of its nodes.

use super::routing::NodeRoutes;
use super::run::{News, World};
use super::topology::Topology;
use crate::scenario::model::{NodeId, SessionId};
use core::net::IpAddr;
use rsvp_node::InterfaceId;
use rsvp_wire::Session;

impl World {
    /// From now on it keeps what such applications have to hear of.
    pub(crate) fn invite(&mut self) {
        self.guests.get_or_insert_default();
    }

    /// What there is for them since the last call, in the order in which it happened.
    pub(crate) fn news(&mut self) -> Vec<(NodeId, News)> {
        self.guests.as_mut().map(core::mem::take).unwrap_or_default()
    }

    pub(crate) fn has_news(&self) -> bool {
        self.guests.as_ref().is_some_and(|news| !news.is_empty())
    }

    /// Why a node has no daemon, if it has none.
    pub(crate) fn without_daemon(&self, node: NodeId) -> Option<&'static str> {
        if self.scenario.nodes[node.0].plain {
            return Some("does not speak RSVP");
        }
        (!self.network.node_up[node.0]).then_some("has crashed and is not back yet")
    }

    /// How often a node has come to life.
    pub(crate) fn life(&self, node: NodeId) -> u64 {
        self.nodes[node.0].lives
    }

    /// Applications of the scenario; their numbers are below this.
    pub(crate) fn applications(&self) -> u32 {
        (self.senders.len() + self.receivers.len()) as u32
    }

    pub(crate) const fn routes(&self, node: NodeId) -> NodeRoutes<'_> {
        NodeRoutes { scenario: &self.scenario, topology: &self.topology, routing: &self.routing, node }
    }

    /// An interface is called as its link.
    pub(crate) fn interface_name(&self, node: NodeId, interface: InterfaceId) -> Option<&str> {
        let link = self.topology.link_of(node, interface)?;
        Some(&self.scenario.links[link.0].name)
    }

    /// The group that a session has in this world.
    pub(crate) fn group(&self, session: &Session) -> Option<SessionId> {
        let destination = session.destination();
        self.topology.sessions_to(destination).next().filter(|_| destination.is_multicast())
    }

    /// Such an application listens to a group, or nobody of the node does any more.
    pub(crate) fn guests_listen(&mut self, group: SessionId, node: NodeId, listens: bool) {
        if !self.is_open_at(group, node) {
            self.change_members(
                group,
                |members| {
                    if listens { members.insert(node) } else { members.remove(&node) }
                },
            );
        }
    }
}

impl Topology {
    /// The address by which a node is known: that of its first link.
    pub(crate) fn first_address(&self, node: NodeId) -> Option<IpAddr> {
        self.attachments(node).first().map(|each| each.address)
    }

    /// The address of an interface.
    pub(crate) fn address_of(&self, node: NodeId, interface: InterfaceId) -> Option<IpAddr> {
        self.attachments(node).iter().find(|each| each.interface == interface).map(|each| each.address)
    }
}
