//! Packets of data: sent by the scenario's traffic, queued and scheduled where they leave a node, and counted where they arrive.
//!
//! Data lives beside the messages of RSVP, in an order of its own and by the nanosecond: what happens to it between two things
//! that happen to nodes is worked out before the second of them, and changes nothing for them. Messages do not wait for data,
//! as routers send network control first. What is not simulated: fragments, and the damage, copies and disorder of faulty links.

mod outlet;
mod police;
mod schedule;
mod streams;

use super::random::Random;
use super::run::World;
use super::wire::Wire;
use crate::scenario::model::{Destination, LinkId, NodeId, Scenario, Scheduler, SessionId, Source};
use outlet::Outlet;
use rsvp_node::Instant;
use rsvp_wire::FilterSpec;
use schedule::Schedule;
use std::collections::{BTreeMap, BTreeSet};
use streams::Tallies;

pub use outlet::Class;
pub use streams::{Figures, Interval, Packet, Stream};

/// Nanoseconds of a microsecond, which is what nodes count in.
const NS: u64 = 1000;
/// Hops of a packet of no sender; routes that a scenario says may go round.
const HOPS: u8 = 255;

/// A packet.
#[derive(Clone, Copy, Debug)]
struct Parcel {
    load: usize,
    number: u64,
    octets: u32,
    sent_ns: u64,
    hops: u8,
    /// It did not conform where it was policed, and is best effort from there on.
    is_excess: bool,
}

/// What happens to data.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// The next packet of a load is sent.
    Send(usize),
    /// A packet has left a node.
    Left(NodeId, LinkId),
    /// A packet comes out of a link, if that has been up all the time.
    Arrive(Flight),
}

/// A packet on a link.
#[derive(Clone, Copy, Debug)]
struct Flight {
    from: NodeId,
    class: Class,
    to: NodeId,
    link: LinkId,
    /// How often the link had changed when it left.
    generation: u32,
    parcel: Parcel,
}

/// Where the packets of a load go, and how they are known.
#[derive(Clone, Debug)]
struct Way {
    from: NodeId,
    /// None for a group.
    to: Option<NodeId>,
    session: Option<(SessionId, FilterSpec)>,
    /// Over how many links: the TTL that the sender's data has.
    hops: u8,
}

/// All data of a world.
#[derive(Clone, Debug)]
pub(super) struct Traffic {
    ways: Vec<Way>,
    schedules: Vec<Schedule>,
    /// By time, then by the order of planning.
    deeds: BTreeMap<(u64, u64), Deed>,
    count: u64,
    outlets: BTreeMap<(NodeId, LinkId), Outlet>,
    /// What is kept on links that hold what they carry, in the order in which it came.
    held: Vec<Flight>,
    tallies: Tallies,
    random: Random,
}

impl Traffic {
    /// None where the scenario has none.
    pub(super) fn new(scenario: &Scenario, topology: &super::topology::Topology) -> Option<Self> {
        let ways = scenario.loads.iter().map(|load| match load.source {
            Source::Nodes(from, to) => Way { from, to: Some(to), session: None, hops: HOPS },
            Source::Sender(sender) => {
                let plan = &scenario.senders[sender.0];
                let to = match scenario.sessions[plan.session.0].destination {
                    Destination::Node(node) => Some(node),
                    _ => None,
                };
                let session = Some((plan.session, topology.sender(sender)));
                Way { from: plan.node, to, session, hops: plan.ttl }
            }
        });
        let mut traffic = Self {
            ways: ways.collect(),
            schedules: scenario.loads.iter().map(Schedule::new).collect(),
            deeds: BTreeMap::new(),
            count: 0,
            outlets: BTreeMap::new(),
            held: Vec::new(),
            tallies: Tallies::new(scenario.duration),
            random: Random::new(scenario.seed ^ 0x0074_7261_6666_6963),
        };
        for load in 0..traffic.schedules.len() {
            traffic.plan_next(load);
        }
        (!scenario.loads.is_empty()).then_some(traffic)
    }

    /// The reservations of a node are others.
    pub(super) fn reserved(&mut self, node: NodeId) {
        let all = (node, LinkId(0))..=(node, LinkId(usize::MAX));
        self.outlets.range_mut(all).for_each(|(_, outlet)| outlet.is_stale = true);
    }

    /// What waits at a node is lost with it.
    pub(super) fn crashed(&mut self, now: Instant, node: NodeId) {
        let all = (node, LinkId(0))..=(node, LinkId(usize::MAX));
        for (at, outlet) in self.outlets.range_mut(all) {
            for class in outlet.empty() {
                self.tallies.lost(now.0.saturating_mul(NS), *at, class);
            }
        }
    }

    /// What a link has held comes out of it now, or is lost.
    pub(super) fn released(&mut self, now: Instant, link: LinkId, generation: u32, arrives: bool) {
        let now = now.0.saturating_mul(NS);
        for flight in core::mem::take(&mut self.held) {
            if flight.link != link {
                self.held.push(flight);
            } else if arrives {
                self.plan(now, Deed::Arrive(Flight { generation, ..flight }));
            } else {
                self.tallies.lost(now, (flight.from, link), flight.class);
            }
        }
    }

    fn plan(&mut self, at: u64, deed: Deed) {
        self.deeds.insert((at, self.count), deed);
        self.count += 1;
    }

    fn plan_next(&mut self, load: usize) {
        if let Some(at) = self.schedules[load].next_ns() {
            self.plan(at, Deed::Send(load));
        }
    }

    /// What comes next, if it comes before a time.
    fn next(&mut self, before: u64) -> Option<(u64, Deed)> {
        let first = self.deeds.first_entry().filter(|first| first.key().0 < before)?;
        let ((at, _), deed) = first.remove_entry();
        Some((at, deed))
    }

    /// Packets that are still on their way: load and number. Of a packet for a group, wherever a copy still is.
    fn underway(&self) -> BTreeSet<(usize, u64)> {
        let waiting = self.outlets.values().flat_map(Outlet::parcels);
        let flying = self.deeds.values().filter_map(|deed| match deed {
            Deed::Arrive(flight) => Some(&flight.parcel),
            _ => None,
        });
        let held = self.held.iter().map(|flight| &flight.parcel);
        waiting.chain(flying).chain(held).map(|parcel| (parcel.load, parcel.number)).collect()
    }

    /// What became of the packets so far.
    pub(super) fn record(&self, scenario: &Scenario) -> (Vec<Stream>, Vec<Interval>) {
        (self.tallies.streams(scenario, &self.underway()), self.tallies.intervals())
    }
}

impl World {
    /// Lets all that happens to data before something happens to nodes at a time.
    pub(super) fn data_before(&mut self, time: Instant) {
        self.data_until(time.0.saturating_mul(NS));
    }

    /// And at that time, when nothing else does.
    pub(super) fn data_up_to(&mut self, time: Instant) {
        self.data_until(time.0.saturating_mul(NS).saturating_add(1));
    }

    fn data_until(&mut self, before: u64) {
        // In between, data is looked at with the rest of the world as it is.
        let Some(mut traffic) = self.traffic.take() else { return };
        while let Some((at, deed)) = traffic.next(before) {
            match deed {
                Deed::Send(load) => self.data_sent(&mut traffic, at, load),
                Deed::Left(node, link) => self.data_left(&mut traffic, at, node, link),
                Deed::Arrive(flight) => self.data_lands(&mut traffic, at, flight),
            }
        }
        self.traffic = Some(traffic);
    }

    /// A packet is at the end of its link.
    fn data_lands(&self, traffic: &mut Traffic, at: u64, flight: Flight) {
        let Flight { from, class, to, link, generation, parcel } = flight;
        let is_up = self.link_generation[link.0] == generation && self.network.node_up[to.0];
        match self.wires[link.0] {
            Wire::Whole if is_up => self.data_arrives(traffic, at, to, Some(link), parcel),
            Wire::Held(_) if is_up => traffic.held.push(flight),
            _ => traffic.tallies.lost(at, (from, link), class),
        }
    }

    fn data_sent(&self, traffic: &mut Traffic, at: u64, load: usize) {
        let plan = &self.scenario.loads[load];
        let number = traffic.schedules[load].take();
        traffic.plan_next(load);
        let Way { from, to, session, hops } = traffic.ways[load].clone();
        let sends = match plan.source {
            Source::Sender(sender) => self.is_sending(sender),
            Source::Nodes(..) => true,
        };
        if !self.network.node_up[from.0] || !sends {
            return;
        }
        let receivers: BTreeSet<NodeId> = match (to, session) {
            (Some(to), _) => BTreeSet::from([to]),
            (None, Some((session, _))) => self.network.members[session.0].clone(),
            (None, None) => BTreeSet::new(),
        };
        for receiver in receivers.into_iter().filter(|receiver| *receiver != from) {
            traffic.tallies.sent((load, receiver), number, at);
        }
        let parcel = Parcel { load, number, octets: plan.packet, sent_ns: at, hops, is_excess: false };
        self.data_arrives(traffic, at, from, None, parcel);
    }

    /// A packet is at a node: it is for somebody there, or goes on.
    fn data_arrives(
        &self,
        traffic: &mut Traffic,
        at: u64,
        node: NodeId,
        by: Option<LinkId>,
        mut parcel: Parcel,
    ) {
        let Way { from, to, session, .. } = traffic.ways[parcel.load].clone();
        if to == Some(node) {
            return traffic.tallies.came((parcel.load, node), parcel, at);
        }
        let router = self.scenario.nodes[node.0].router;
        if (by.is_some() && !router) || parcel.hops == 0 {
            if session.is_some_and(|(session, _)| self.network.members[session.0].contains(&node)) {
                traffic.tallies.came((parcel.load, node), parcel, at);
            }
            return;
        }
        parcel.hops -= 1;
        let session_id = session.map(|(session, _)| session);
        if let Some(to) = to {
            let way = self.routing.next_hop(&self.scenario, node, to, session_id, Some(from));
            if let Some((link, _)) = way {
                self.data_leaves(traffic, at, (node, link), parcel);
            }
            return;
        }
        let Some(session) = session_id else { return };
        if self.network.members[session.0].contains(&node) && by.is_some() {
            traffic.tallies.came((parcel.load, node), parcel, at);
        }
        let (incoming, outgoing) = self.routing.multicast(&self.scenario, node, session, from);
        if by.is_some() && incoming != by {
            return;
        }
        for link in outgoing {
            self.data_leaves(traffic, at, (node, link), parcel);
        }
    }

    /// A packet is to leave a node by a link.
    fn data_leaves(
        &self,
        traffic: &mut Traffic,
        at: u64,
        (node, link): (NodeId, LinkId),
        mut parcel: Parcel,
    ) {
        let plan = &self.scenario.links[link.0];
        let is_fifo = plan.scheduler == Scheduler::Fifo || self.scenario.nodes[node.0].plain;
        let outlet = traffic.outlets.entry((node, link)).or_insert_with(|| Outlet::new(plan.queue));
        if outlet.is_stale && !is_fifo {
            let interface = self.topology.attachment(node, link).map(|attachment| attachment.interface);
            let all = self.nodes[node.0].engine.reservations();
            outlet.renew(at, all.filter(|(_, on, _)| Some(*on) == interface));
        }
        let session = traffic.ways[parcel.load].session;
        let known = session.map(|(session, filter)| (self.topology.session(session), filter));
        let (class, kept) = outlet.take(at, &mut parcel, known);
        if !kept {
            traffic.tallies.lost(at, (node, link), class);
            return;
        }
        if outlet.is_idle() {
            Self::data_starts(traffic, at, (node, link), plan.rate_bps);
        }
    }

    /// The next packet that waits begins to leave.
    fn data_starts(traffic: &mut Traffic, at: u64, (node, link): (NodeId, LinkId), rate_bps: u64) {
        let Some(outlet) = traffic.outlets.get_mut(&(node, link)) else { return };
        if let Some(octets) = outlet.start() {
            traffic.plan(at + transmission_ns(octets, rate_bps), Deed::Left(node, link));
        }
    }

    fn data_left(&self, traffic: &mut Traffic, at: u64, node: NodeId, link: LinkId) {
        let plan = &self.scenario.links[link.0];
        let Some((parcel, class, since)) = traffic.outlets.get_mut(&(node, link)).and_then(Outlet::finish)
        else {
            return;
        };
        traffic.tallies.left(at, (node, link), class, parcel.octets, at - since);
        let is_faulty = self.scenario.faults_until.is_none_or(|until| u128::from(at) < until.as_nanos());
        let loss = if is_faulty { plan.loss } else { 0.0 };
        let generation = self.link_generation[link.0];
        let up = self.network.link_up[link.0] && self.network.node_up[node.0];
        for to in self.takers(traffic, node, link, parcel) {
            if !up || self.is_cut(link) || traffic.random.chance(loss) {
                traffic.tallies.lost(at, (node, link), class);
                continue;
            }
            let arrival = at + plan.delay.as_nanos() as u64;
            let flight = Flight { from: node, class, to, link, generation, parcel };
            traffic.plan(arrival, Deed::Arrive(flight));
        }
        Self::data_starts(traffic, at, (node, link), plan.rate_bps);
    }

    /// Who takes a packet off a link.
    fn takers(&self, traffic: &Traffic, node: NodeId, link: LinkId, parcel: Parcel) -> Vec<NodeId> {
        let way = &traffic.ways[parcel.load];
        let session = way.session.map(|(session, _)| session);
        match way.to {
            Some(to) => {
                let hop = self.routing.next_hop(&self.scenario, node, to, session, Some(way.from));
                hop.filter(|(by, _)| *by == link).map(|(_, next)| next).into_iter().collect()
            }
            None => self.scenario.links[link.0].ends.iter().copied().filter(|end| *end != node).collect(),
        }
    }

    /// What the record has of data.
    pub(super) fn close_data(&mut self) {
        if let Some(traffic) = &self.traffic {
            (self.record.streams, self.record.loads) = traffic.record(&self.scenario);
        }
    }
}

/// How long a packet takes to leave: not shorter than the rate allows.
fn transmission_ns(octets: u32, rate_bps: u64) -> u64 {
    (u128::from(octets) * 8 * 1_000_000_000).div_ceil(u128::from(rate_bps.max(1))) as u64
}
