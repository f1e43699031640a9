//! The loop: takes the next happening, hands it to an engine, drains that engine until it is idle.

use super::delivery::Packet;
use super::happenings::{Happening, Happenings};
use super::random::Random;
use super::record::{Record, Use};
use super::routing::{Network, NodeRoutes, Routing, first_members};
use super::topology::Topology;
use crate::describe;
use crate::scenario::model::{Action, Deed, LinkId, NodeId, ReceiverId, Scenario, SenderId, When};
use crate::scenario::units::show_time;
use core::time::Duration;
use rsvp_node::{AppId, Config, Engine, Event, Input, Instant, Outcome, Output};
use std::collections::BTreeMap;

/// Inputs at one instant after which a node is taken to spin.
const MOST_WAKES_AT_ONE_TIME: u32 = 20_000;

/// Largest message an engine is given room for.
const LARGEST_MESSAGE: usize = 1 << 17;

/// A world in which a scenario happens.
#[derive(Debug)]
pub struct World {
    pub(super) scenario: Scenario,
    pub(super) topology: Topology,
    pub(super) network: Network,
    pub(super) routing: Routing,
    pub(super) happenings: Happenings,
    pub(super) now: Instant,
    pub(super) random: Random,
    pub(super) record: Record,
    pub(super) nodes: Vec<VirtualNode>,
    pub(super) senders: Vec<super::applications::SenderState>,
    pub(super) receivers: Vec<super::applications::ReceiverState>,
    /// When each direction of each link has sent what it was given.
    pub(super) busy: BTreeMap<(LinkId, NodeId), Instant>,
    /// Raised when a link goes down, so that packets underway know.
    pub(super) link_generation: Vec<u32>,
    buffer: Vec<u8>,
}

/// A node's engine and when it wants to be woken.
#[derive(Debug)]
pub(super) struct VirtualNode {
    pub(super) engine: Engine,
    wake: Option<Instant>,
    /// Wake-ups at the present instant.
    restless: (Instant, u32),
    lives: u64,
}

impl World {
    /// Sets up a scenario.
    #[must_use]
    pub fn new(scenario: Scenario) -> Self {
        let topology = Topology::new(&scenario);
        let network = Network {
            link_up: vec![true; scenario.links.len()],
            node_up: vec![true; scenario.nodes.len()],
            members: first_members(&scenario),
        };
        let routing = Routing::new(&scenario, &network);
        let node = |_| VirtualNode {
            engine: Engine::new(Config::default()),
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
            buffer: vec![0; 2048],
            happenings: Happenings::default(),
            now: Instant::ZERO,
            random: Random::new(scenario.seed),
            record: Record::default(),
            topology,
            network,
            routing,
            scenario,
        };
        world.plan();
        world
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

    /// Runs to the end.
    #[must_use]
    pub fn run(mut self) -> (Scenario, Record) {
        let end = Instant::ZERO + self.scenario.duration;
        while self.record.fault.is_none()
            && let Some((at, happening)) = self.happenings.next(end)
        {
            self.now = at;
            self.happen(happening);
        }
        (self.scenario, self.record)
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Look(n) => self.look(n),
            Happening::Boot(node) => self.boot(node),
            Happening::StartReceiver(receiver) => self.start_receiver(receiver),
            Happening::MayReserve(receiver) => self.reserve_if_ready(receiver),
            Happening::StartSender(sender) => self.start_sender(sender),
            Happening::Act(n) => self.act(n),
            Happening::Arrive { node, link, link_generation, packet } => {
                if self.link_generation[link.0] == link_generation {
                    let packet: &Packet = &packet;
                    self.arrive(node, link, packet);
                }
            }
            Happening::Wake(node) => self.wake(node),
        }
    }

    /// The driver: one input, then everything the engine has to say about it.
    pub(super) fn input(&mut self, node: NodeId, input: Input<'_>) -> Outcome {
        let mut routes =
            NodeRoutes { scenario: &self.scenario, topology: &self.topology, routing: &self.routing, node };
        let outcome = self.nodes[node.0].engine.handle(self.now, input, &mut routes);
        for event in self.drain(node) {
            self.tell(node, &event);
        }
        outcome
    }

    fn drain(&mut self, node: NodeId) -> Vec<Event> {
        let mut events = Vec::new();
        let mut reserved = false;
        let mut buffer = core::mem::take(&mut self.buffer);
        loop {
            let room = buffer.len();
            match self.nodes[node.0].engine.poll(self.now, &mut buffer) {
                Output::Transmit(transmit) => {
                    if let Some((link, packet)) = self.packet(node, &transmit) {
                        self.send(node, link, packet, false);
                    }
                }
                Output::TrafficControl(_) => reserved = true,
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
            }
        }
        self.buffer = buffer;
        if reserved {
            self.measure(node);
        }
        events
    }

    fn plan_wake(&mut self, node: NodeId, until: Option<Instant>) {
        let until = until.filter(|at| *at != Instant::NEVER).map(|at| at.max(self.now));
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
    fn measure(&mut self, node: NodeId) {
        let mut sums: BTreeMap<LinkId, (u64, Vec<String>)> = BTreeMap::new();
        for (_, interface, reservation) in self.nodes[node.0].engine.reservations() {
            let Some(link) = self.topology.link_of(node, interface) else { continue };
            let sum = sums.entry(link).or_default();
            sum.0 += reservation.charge_bps;
            sum.1.push(describe::reservation(&self.topology, &reservation).label);
        }
        for attachment in self.topology.attachments(node) {
            let key = (node, attachment.link);
            let mut sum = sums.remove(&attachment.link).unwrap_or_default();
            if sum.1.is_empty() && !self.record.uses.contains_key(&key) {
                continue;
            }
            sum.1.sort();
            let used = self.record.uses.entry(key).or_insert_with(Use::default);
            if sum.0 > used.peak.0 {
                used.peak = sum.clone();
                used.peak_at = self.now;
            }
            used.last = sum;
        }
    }

    fn boot(&mut self, node: NodeId) {
        let seed =
            Random::new(self.scenario.seed ^ ((node.0 as u64 + 1) << 32) ^ self.nodes[node.0].lives).next();
        let config = Config {
            seed,
            blockade_multiplier: self.scenario.blockade_multiplier,
            local_repair_wait: self.scenario.local_repair_wait,
            ..Config::default()
        };
        let again = self.nodes[node.0].lives > 0;
        let state = &mut self.nodes[node.0];
        state.engine = Engine::new(config);
        state.lives += 1;
        state.wake = None;
        if again {
            self.note(format!("{} is back, without any state", self.scenario.nodes[node.0].name));
        }
        for attachment in self.topology.attachments(node).to_vec() {
            let up = self.network.link_up[attachment.link.0];
            let interface = self.topology.interface(&self.scenario, attachment, up);
            self.input(node, Input::InterfaceChanged(interface));
        }
        if again {
            self.change_network(None, |network| network.node_up[node.0] = true);
            self.restart_applications(node);
        }
    }

    pub(super) fn note(&mut self, what: String) {
        self.record.notes.push((self.now, what));
    }

    /// Changes the network and tells every node whose routes that changes.
    pub(super) fn change_network(
        &mut self,
        destination: Option<core::net::IpAddr>,
        change: impl FnOnce(&mut Network),
    ) {
        let answers = |world: &Self| -> Vec<_> {
            let (scenario, topology, routing) = (&world.scenario, &world.topology, &world.routing);
            (0..world.nodes.len())
                .map(|n| NodeRoutes { scenario, topology, routing, node: NodeId(n) }.all())
                .collect()
        };
        let before = answers(self);
        change(&mut self.network);
        self.routing = Routing::new(&self.scenario, &self.network);
        let after = answers(self);
        for n in 0..self.nodes.len() {
            if before[n] != after[n] && self.network.node_up[n] {
                self.input(NodeId(n), Input::RouteChanged { destination });
            }
        }
    }

    fn act(&mut self, n: usize) {
        let Action { deed, .. } = self.scenario.actions[n].clone();
        match deed {
            Deed::LinkDown(link) => self.switch_link(link, false),
            Deed::LinkUp(link) => self.switch_link(link, true),
            Deed::Crash(node, time) => self.crash(node, time),
            deed => self.act_application(deed),
        }
    }

    fn switch_link(&mut self, link: LinkId, up: bool) {
        if self.network.link_up[link.0] == up {
            return;
        }
        self.link_generation[link.0] += 1;
        let state = if up { "up" } else { "down" };
        self.note(format!("link {} goes {state}", self.scenario.links[link.0].name));
        // The interfaces first: an engine that is asked to route anew has to know what it can use.
        for end in self.scenario.links[link.0].ends.clone() {
            if let Some(attachment) = self.topology.attachment(end, link) {
                let interface = self.topology.interface(&self.scenario, attachment, up);
                self.input(end, Input::InterfaceChanged(interface));
            }
        }
        self.change_network(None, |network| network.link_up[link.0] = up);
    }

    fn crash(&mut self, node: NodeId, time: Duration) {
        if !self.network.node_up[node.0] {
            return;
        }
        self.note(format!("{} crashes for {}", self.scenario.nodes[node.0].name, show_time(time)));
        self.nodes[node.0].wake = None;
        self.nodes[node.0].engine = Engine::new(Config::default());
        self.measure(node);
        self.forget_applications(node);
        self.change_network(None, |network| network.node_up[node.0] = false);
        self.happenings.plan(self.now + time, Happening::Boot(node));
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
