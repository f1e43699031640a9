//! The loop: takes the next happening, hands it to an engine, drains that engine until it is idle.

use super::happenings::{Happening, Happenings};
use super::random::Random;
use super::record::Record;
use super::recording::{Recording, Step};
use super::routing::{Network, NodeRoutes, Routing, first_members};
use super::topology::Topology;
use super::traffic::Traffic;
use super::watch::Notice;
use super::wire::Wire;
use crate::describe::{self, Said};
use crate::scenario::index::Index;
use crate::scenario::model::{Action, LinkId, NodeId, ReceiverId, Scenario, SenderId, When};
use core::time::Duration;
use rsvp_node::{AppId, Config, Engine, Event, Input, Instant, Outcome, Output, TrafficControl};
use std::collections::BTreeMap;

/// Inputs at one instant after which a node is taken to spin.
const MOST_WAKES_AT_ONE_TIME: u32 = 20_000;

/// Largest message an engine is given room for.
const LARGEST_MESSAGE: usize = 1 << 17;

/// A world in which a scenario happens.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) scenario: Scenario,
    pub(super) topology: Topology,
    pub(super) network: Network,
    pub(super) routing: Routing,
    pub(super) happenings: Happenings,
    pub(super) now: Instant,
    pub(super) random: Random,
    /// Luck of its own, so that a run without faults does not depend on there being a rule for them.
    pub(super) fault_random: Random,
    pub(super) record: Record,
    pub(super) nodes: Vec<VirtualNode>,
    pub(super) senders: Vec<super::applications::SenderState>,
    pub(super) receivers: Vec<super::applications::ReceiverState>,
    /// When each direction of each link has sent what it was given.
    pub(super) busy: BTreeMap<(LinkId, NodeId), Instant>,
    /// Raised when a link goes down, so that packets underway know.
    pub(super) link_generation: Vec<u32>,
    /// What is done to links without anybody being told.
    pub(super) wires: Vec<Wire>,
    buffer: Vec<u8>,
    pub(super) recording: Recording,
    /// What happened, where somebody watches; there is no record then.
    pub(super) notices: Option<Vec<Notice>>,
    /// What was done between steps.
    pub(super) done: Vec<Action>,
    /// What was done as well, and when, for which scenario files have no words.
    pub(super) wordless: Vec<(Instant, String)>,
    /// Whether there is none at all.
    pub(super) is_unrecorded: bool,
    /// Messages that were put on links.
    pub(super) messages: u64,
    pub(super) traffic: Option<Traffic>,
    /// What applications that are no part of the scenario have to hear of, where there are such.
    pub(super) guests: Option<Vec<(NodeId, News)>>,
}

/// Something of a node that its control service passes on.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "client"), expect(dead_code, reason = "only a control service passes it on"))]
pub(crate) enum News {
    /// An application is told something.
    Event(Event),
    /// A reservation changes.
    TrafficControl(TrafficControl),
    /// Routes may be others.
    Routes,
}

/// A node's engine and when it wants to be woken.
#[derive(Clone, Debug)]
pub(super) struct VirtualNode {
    pub(super) engine: Engine,
    pub(super) wake: Option<Instant>,
    /// Wake-ups at the present instant.
    restless: (Instant, u32),
    /// How often it has come to life.
    pub(super) lives: u64,
}

impl World {
    /// Sets up a scenario.
    #[must_use]
    pub fn new(mut scenario: Scenario) -> Self {
        scenario.index = Index::of(&scenario);
        let topology = Topology::new(&scenario);
        let network = Network {
            link_up: vec![true; scenario.links.len()],
            node_up: vec![true; scenario.nodes.len()],
            members: first_members(&scenario),
        };
        let routing = Routing::new(&scenario, &network);
        let node = |_| VirtualNode {
            engine: Engine::new(Config { lays_out: false, ..Config::default() }),
            wake: None,
            restless: (Instant::ZERO, 0),
            lives: 0,
        };
        let mut world = Self {
            nodes: (0..scenario.nodes.len()).map(node).collect(),
            senders: super::applications::senders(&scenario),
            receivers: super::applications::receivers(&scenario),
            busy: BTreeMap::new(),
            link_generation: vec![0; scenario.links.len()],
            wires: vec![Wire::Whole; scenario.links.len()],
            buffer: vec![0; 2048],
            notices: None,
            done: Vec::new(),
            wordless: Vec::new(),
            is_unrecorded: false,
            messages: 0,
            traffic: Traffic::new(&scenario, &topology),
            guests: None,
            recording: Recording::Nothing,
            happenings: Happenings::default(),
            now: Instant::ZERO,
            random: Random::new(scenario.seed),
            fault_random: Random::new(scenario.seed ^ 0x6661_756c_7473),
            record: Record::default(),
            topology,
            network,
            routing,
            scenario,
        };
        world.plan();
        world
    }

    /// Whether messages, events and notes are kept: about 2 kB for each message.
    pub(super) fn keeps_record(&self) -> bool {
        self.notices.is_none() && !self.is_unrecorded
    }

    /// At one time, state is looked at before anything happens, and receivers come before senders.
    fn plan(&mut self) {
        let at = |time: Duration| Instant::ZERO + time;
        for (n, expectation) in self.scenario.expectations.iter().enumerate() {
            if let When::At(time) = expectation.when {
                self.happenings.plan(at(time), Happening::Look(n));
            }
        }
        for n in 0..self.scenario.nodes.len() {
            self.happenings.plan(Instant::ZERO, Happening::Boot(NodeId(n)));
        }
        for (n, receiver) in self.scenario.receivers.iter().enumerate() {
            self.happenings.plan(at(receiver.start), Happening::StartReceiver(ReceiverId(n)));
            if let Some(time) = receiver.reserve_at {
                self.happenings.plan(at(time), Happening::MayReserve(ReceiverId(n)));
            }
        }
        for (n, sender) in self.scenario.senders.iter().enumerate() {
            self.happenings.plan(at(sender.start), Happening::StartSender(SenderId(n)));
        }
        for (n, action) in self.scenario.actions.iter().enumerate() {
            self.happenings.plan(at(action.at), Happening::Act(n));
        }
    }

    pub(super) fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Look(n) => self.look(n),
            Happening::Boot(node) => self.boot(node),
            Happening::StartReceiver(receiver) => self.start_receiver(receiver),
            Happening::MayReserve(receiver) => self.reserve_if_ready(receiver),
            Happening::StartSender(sender) => self.start_sender(sender),
            Happening::Act(n) => self.act_of_plan(n),
            Happening::Reroute { node, destination } => self.hear_of_routes(node, destination),
            Happening::Arrive { node, link, link_generation, packet } => {
                if self.link_generation[link.0] != link_generation || self.is_cut(link) {
                    self.lose(node, &packet);
                } else if self.passes(node, link, &packet) {
                    self.arrive(node, link, &packet);
                }
            }
            Happening::Wake(node) => self.wake(node),
        }
    }

    /// The driver: one input, then everything the engine has to say about it.
    pub(crate) fn input(&mut self, node: NodeId, input: Input<'_>) -> Outcome {
        if self.scenario.nodes[node.0].plain {
            // A router without RSVP has nobody to tell.
            return Outcome::Taken;
        }
        if self.notices.is_some() {
            self.notice(match &input {
                Input::Packet(rx) => Notice::Arrived { node, octets: rx.octets.to_vec() },
                _ => Notice::Stirred { node },
            });
        }
        if let (Some(guests), Input::RouteChanged { .. }) = (&mut self.guests, &input) {
            guests.push((node, News::Routes));
        }
        let mut routes =
            NodeRoutes { scenario: &self.scenario, topology: &self.topology, routing: &self.routing, node };
        let local = self.clock(node);
        let engine = &mut self.nodes[node.0].engine;
        let (outcome, mut step) = self.recording.handle(engine, local, input, &mut routes);
        let events = self.drain(node, &mut step);
        if let Some(step) = step {
            self.recording.step(node.0 as u64, local, step);
        }
        for event in events {
            self.tell(node, &event);
        }
        outcome
    }

    fn drain(&mut self, node: NodeId, step: &mut Option<Step>) -> Vec<Event> {
        let local = self.clock(node);
        let mut events = Vec::new();
        let mut reserved = false;
        let mut buffer = core::mem::take(&mut self.buffer);
        loop {
            let room = buffer.len();
            let output = self.nodes[node.0].engine.poll(local, &mut buffer);
            if let Some(step) = step {
                step.said.output(&output);
            }
            match output {
                Output::Transmit(transmit) => {
                    if let Some((link, packet)) = self.packet(node, &transmit) {
                        self.send(node, link, packet, false);
                    }
                }
                Output::TrafficControl(change) => {
                    reserved = true;
                    if let Some(guests) = &mut self.guests {
                        guests.push((node, News::TrafficControl(change)));
                    }
                }
                Output::Event(event) => events.push(event),
                Output::NeedSpace(octets) if octets > room && octets <= LARGEST_MESSAGE => {
                    buffer.resize(octets, 0)
                }
                Output::NeedSpace(octets) => {
                    self.fault(node, &format!("asks for {octets} octets for a message"));
                    break;
                }
                Output::Idle { until, .. } => {
                    self.plan_wake(node, until);
                    break;
                }
                other => self.fault(node, &format!("says what nobody here knows: {other:?}")),
            }
        }
        self.buffer = buffer;
        if reserved {
            self.reservations_change(node);
        }
        events
    }

    fn reservations_change(&mut self, node: NodeId) {
        if let Some(traffic) = &mut self.traffic {
            traffic.reserved(node);
        }
        match self.notices.is_some() {
            true => self.notice(Notice::Installed { node }),
            false => self.measure(node),
        }
    }

    fn plan_wake(&mut self, node: NodeId, until: Option<Instant>) {
        let until = until.filter(|at| *at != Instant::NEVER);
        let until = until.map(|at| self.when_clock_shows(node, at).max(self.now));
        if self.nodes[node.0].wake != until {
            self.nodes[node.0].wake = until;
            if let Some(at) = until {
                self.happenings.plan(at, Happening::Wake(node));
            }
        }
    }

    fn wake(&mut self, node: NodeId) {
        let state = &mut self.nodes[node.0];
        // Wake-ups are not taken back when an engine thinks better of them.
        if state.wake != Some(self.now) {
            return;
        }
        state.wake = None;
        if state.restless.0 != self.now {
            state.restless = (self.now, 0);
        }
        state.restless.1 += 1;
        if state.restless.1 > MOST_WAKES_AT_ONE_TIME {
            self.fault(node, "does not come to rest");
            return;
        }
        self.input(node, Input::Timer);
    }

    fn fault(&mut self, node: NodeId, what: &str) {
        let name = &self.scenario.nodes[node.0].name;
        self.record.fault = Some(format!("at {}: node {name} {what}", self.now));
    }

    /// Notes how full the links of a node are, after a reservation changed.
    pub(super) fn measure(&mut self, node: NodeId) {
        if !self.keeps_record() {
            return;
        }
        let mut sums: BTreeMap<LinkId, (u64, Vec<Said>)> = BTreeMap::new();
        for (_, interface, reservation) in self.nodes[node.0].engine.reservations() {
            let Some(link) = self.topology.link_of(node, interface) else { continue };
            let sum = sums.entry(link).or_default();
            sum.0 += reservation.charge_bps;
            sum.1.push(describe::reservation(&self.topology, &reservation));
        }
        for attachment in self.topology.attachments(node) {
            let (bps, said) = sums.remove(&attachment.link).unwrap_or_default();
            self.record.measured((node, attachment.link), self.now, bps, said);
        }
    }

    /// The application behind an id, by its place: senders first.
    pub(super) fn application_name(&self, app: AppId) -> &str {
        let place = app.0 as usize;
        match place.checked_sub(self.scenario.senders.len()) {
            None => &self.scenario.senders[place].name,
            Some(place) => self.scenario.receivers.get(place).map_or("?", |r| r.name.as_str()),
        }
    }
}
