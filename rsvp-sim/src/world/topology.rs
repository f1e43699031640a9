//! Who is attached where, with which address, and the names of addresses, sessions and senders.
//!
//! Addresses follow from the places of links and nodes in the scenario: `10.<link>.<place>`, where the link has two octets, or
//! `fd00:<link>::<place>`. A LAN with more than 254 nodes takes the numbers of several links in IPv4.

use crate::scenario::model::{
    Destination, Family, LinkId, NodeId, ReceiverId, Scenario, SenderId, SessionId,
};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use rsvp_node::{Interface, InterfaceId};
use rsvp_wire::{FilterSpec, Session};
use std::collections::{BTreeMap, BTreeSet};

/// Addresses and attachments of a scenario.
#[derive(Clone, Debug)]
pub struct Topology {
    attachments: Vec<Vec<Attachment>>,
    owners: BTreeMap<IpAddr, NodeId>,
    sessions: Vec<Session>,
    senders: Vec<(SessionId, FilterSpec)>,
    node_names: Vec<String>,
    session_names: Vec<String>,
    sender_names: Vec<String>,
    /// The same the other way round; among equals the first.
    session_places: BTreeMap<Session, SessionId>,
    sessions_to: BTreeMap<IpAddr, Vec<SessionId>>,
    sender_places: BTreeMap<(Session, FilterSpec), SenderId>,
    /// Which senders of a session an address has.
    senders_at: BTreeMap<(Session, IpAddr), Vec<SenderId>>,
    /// From where to where data goes.
    data: BTreeSet<(IpAddr, IpAddr)>,
    /// Which receivers of a session a node has.
    receivers_at: BTreeMap<(SessionId, NodeId), Vec<ReceiverId>>,
    /// Whether anything is refused on any link.
    refuses: bool,
}

/// A node's interface to a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attachment {
    pub(crate) interface: InterfaceId,
    pub(crate) link: LinkId,
    pub(crate) address: IpAddr,
}

impl Topology {
    /// Gives out the addresses.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let mut attachments: Vec<Vec<Attachment>> = vec![Vec::new(); scenario.nodes.len()];
        let mut owners = BTreeMap::new();
        let mut number = 1;
        for (n, link) in scenario.links.iter().enumerate() {
            for (place, end) in link.ends.iter().enumerate() {
                let address = address(scenario.family, number, place);
                let interface = InterfaceId(attachments[end.0].len() as u32 + 1);
                attachments[end.0].push(Attachment { interface, link: LinkId(n), address });
                owners.insert(address, *end);
            }
            number += numbers_taken(link.ends.len());
        }
        let first = |node: NodeId| {
            attachments[node.0].first().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |each| each.address)
        };
        let sessions: Vec<Session> = scenario
            .sessions
            .iter()
            .enumerate()
            .map(|(n, plan)| {
                let destination = match plan.destination {
                    Destination::Node(node) => first(node),
                    Destination::Address(address)
                        if address.is_ipv4() == (scenario.family == Family::Ipv4) =>
                    {
                        address
                    }
                    // A literal of the other family cannot be used; any group will do.
                    Destination::Address(_) => group(scenario.family, n as u16 + 1),
                    Destination::Group(number) => group(scenario.family, number),
                };
                match plan.gpi {
                    false => Session::new(destination, plan.protocol, plan.port),
                    true => Session::gpi(destination, plan.protocol, plan.port),
                }
            })
            .collect();
        let sender = |s: &crate::scenario::model::Sender| match scenario.sessions[s.session.0].gpi {
            false => FilterSpec::new(first(s.node), s.port),
            true => FilterSpec::gpi(first(s.node), s.spi),
        };
        let senders = scenario.senders.iter().map(|s| (s.session, sender(s))).collect();
        let mut receivers_at: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (n, plan) in scenario.receivers.iter().enumerate() {
            receivers_at.entry((plan.session, plan.node)).or_default().push(ReceiverId(n));
        }
        Self {
            receivers_at,
            refuses: scenario.links.iter().any(|link| link.refusal.is_some()),
            session_places: BTreeMap::new(),
            sessions_to: BTreeMap::new(),
            sender_places: BTreeMap::new(),
            senders_at: BTreeMap::new(),
            data: BTreeSet::new(),
            attachments,
            owners,
            sessions,
            senders,
            node_names: scenario.nodes.iter().map(|n| n.name.clone()).collect(),
            session_names: scenario.sessions.iter().map(|s| s.name.clone()).collect(),
            sender_names: scenario.senders.iter().map(|s| s.name.clone()).collect(),
        }
        .with_places()
    }

    fn with_places(mut self) -> Self {
        for (n, session) in self.sessions.iter().enumerate() {
            self.session_places.entry(*session).or_insert(SessionId(n));
            self.sessions_to.entry(session.destination()).or_default().push(SessionId(n));
        }
        for (n, (session, filter)) in self.senders.iter().enumerate() {
            let session = self.sessions[session.0];
            self.sender_places.entry((session, *filter)).or_insert(SenderId(n));
            self.senders_at.entry((session, filter.address())).or_default().push(SenderId(n));
            self.data.insert((filter.address(), session.destination()));
        }
        self
    }

    pub(crate) fn attachments(&self, node: NodeId) -> &[Attachment] {
        &self.attachments[node.0]
    }

    /// Addresses of nodes on a link.
    pub(crate) fn addresses(&self, link: LinkId, nodes: &[NodeId]) -> Vec<IpAddr> {
        nodes.iter().filter_map(|&node| self.attachment(node, link)).map(|a| a.address).collect()
    }

    /// The node with this address.
    #[must_use]
    pub fn owner(&self, address: IpAddr) -> Option<NodeId> {
        self.owners.get(&address).copied()
    }

    pub(super) fn link_of(&self, node: NodeId, interface: InterfaceId) -> Option<LinkId> {
        self.attachments[node.0].iter().find(|a| a.interface == interface).map(|a| a.link)
    }

    pub(crate) fn attachment(&self, node: NodeId, link: LinkId) -> Option<Attachment> {
        self.attachments[node.0].iter().find(|a| a.link == link).copied()
    }

    /// The session as the wire has it.
    #[must_use]
    pub fn session(&self, session: SessionId) -> Session {
        self.sessions[session.0]
    }

    pub(crate) fn sessions_to(&self, destination: IpAddr) -> impl Iterator<Item = SessionId> + '_ {
        self.sessions_to.get(&destination).into_iter().flatten().copied()
    }

    pub(super) fn receivers_at(&self, session: SessionId, node: NodeId) -> &[ReceiverId] {
        self.receivers_at.get(&(session, node)).map_or(&[], Vec::as_slice)
    }

    /// Whether anything is refused on any link.
    pub(super) fn refuses(&self) -> bool {
        self.refuses
    }

    /// Whether packets from `source` to `destination` are a sender's data, or take the same way.
    pub(super) fn is_data(&self, source: IpAddr, destination: IpAddr) -> bool {
        self.data.contains(&(source, destination))
    }

    /// Address and port of a sender.
    #[must_use]
    pub fn sender(&self, sender: SenderId) -> FilterSpec {
        self.senders[sender.0].1
    }

    /// The name of the node with this address, or the address.
    #[must_use]
    pub fn node_name(&self, address: IpAddr) -> String {
        self.owner(address).map_or_else(|| address.to_string(), |node| self.node_names[node.0].clone())
    }

    /// The name of a session.
    #[must_use]
    pub fn session_name(&self, session: &Session) -> String {
        // Routers set flags in the object that the scenario does not know.
        let place = self.session_places.get(&session.with_flags(0));
        place.map_or_else(|| session.to_string(), |place| self.session_names[place.0].clone())
    }

    /// The names of the senders of a session at these addresses; an address where there is none stands for itself.
    #[must_use]
    pub fn senders_at(&self, session: &Session, addresses: impl Iterator<Item = IpAddr>) -> BTreeSet<String> {
        let bare = session.with_flags(0);
        let mut names = BTreeSet::new();
        for address in addresses {
            match self.senders_at.get(&(bare, address)) {
                Some(found) => names.extend(found.iter().map(|sender| self.sender_names[sender.0].clone())),
                None => _ = names.insert(address.to_string()),
            }
        }
        names
    }

    /// The name of a sender of a session.
    #[must_use]
    pub fn sender_name(&self, session: &Session, filter: &FilterSpec) -> String {
        let place = self.sender_places.get(&(session.with_flags(0), *filter));
        place.map_or_else(|| filter.to_string(), |place| self.sender_names[place.0].clone())
    }

    /// The logical interface handle: as on a real node, whose loopback interface has the first number.
    pub(super) fn handle(&self, interface: InterfaceId) -> u32 {
        interface.0 + 1
    }

    /// An engine's interface for an attachment.
    pub(super) fn interface(&self, scenario: &Scenario, attachment: Attachment, up: bool) -> Interface {
        let link = &scenario.links[attachment.link.0];
        let mut interface = Interface::new(attachment.interface);
        match attachment.address {
            IpAddr::V4(address) => interface.ipv4 = Some(address),
            IpAddr::V6(address) => interface.ipv6 = Some(address),
        }
        // What is on a link begins like this address: see `address` below.
        interface.subnets.push((attachment.address, if attachment.address.is_ipv4() { 24 } else { 64 }));
        interface.lih = self.handle(attachment.interface);
        interface.up = up;
        interface.mtu = link.mtu;
        interface.bandwidth_bps = link.rate_bps;
        interface.reservable_bps = link.reservable_bps;
        interface.latency_us = u32::try_from(link.delay.as_micros()).unwrap_or(u32::MAX);
        interface.error_c = link.error_c;
        interface.error_d_us = link.error_d_us;
        interface.refresh = scenario.refresh;
        interface.local_repair_wait = scenario.local_repair_wait;
        interface.lifetime_multiplier = scenario.lifetime_multiplier;
        interface
    }
}

/// Addresses of a link number in IPv4.
const PLACES: usize = 254;

/// The link numbers that so many nodes on one link take.
pub(crate) fn numbers_taken(ends: usize) -> usize {
    ends.div_ceil(PLACES).max(1)
}

fn address(family: Family, link: usize, place: usize) -> IpAddr {
    match family {
        Family::Ipv4 => {
            let [high, low] = ((link + place / PLACES) as u16).to_be_bytes();
            IpAddr::V4(Ipv4Addr::new(10, high, low, (place % PLACES) as u8 + 1))
        }
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0xfd00, link as u16, 0, 0, 0, 0, 0, place as u16 + 1)),
    }
}

fn group(family: Family, number: u16) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::new(224, 1, high, low)),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 1, number)),
    }
}
