//! The router between the neighbours: it takes steps, and each is measured.

use super::clock::Clock;
use super::messages::{DOWNSTREAM, ELSEWHERE, LARGEST, Neighbours, Said, UPSTREAM};
use rsvp_node::{
    Config, Engine, Host, Input, Instant, Interface, InterfaceId, Limits, Outcome, Output, Route,
    RouteAnswer, RouteQuery, Rx,
};
use rsvp_wire::MsgType;
use std::collections::BTreeMap;

/// Routing: down, and for the first destinations elsewhere.
struct Routes {
    neighbours: Neighbours,
    moved: u32,
}

impl Host for Routes {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        let moved = self.neighbours.number(query.destination) < self.moved;
        let to = if moved { ELSEWHERE } else { DOWNSTREAM };
        let incoming = query.destination.is_multicast().then_some(UPSTREAM);
        RouteAnswer::Known(Route { incoming, outgoing: [to].into_iter().collect() })
    }
}

/// Messages and what they cost together.
#[derive(Clone, Copy, Default)]
pub(super) struct Cost {
    pub(super) count: u64,
    pub(super) ns: u64,
}

impl Cost {
    pub(super) fn add(&mut self, count: u64, ns: u64) {
        self.count += count;
        self.ns += ns;
    }
}

/// One input, and all that follows until the router is idle.
#[derive(Default)]
pub(super) struct Step {
    pub(super) ns: u64,
    /// Looks at blocks of state.
    pub(super) looks: u64,
    /// What was sent, with the time of writing it.
    pub(super) sent: BTreeMap<u8, Cost>,
}

pub(super) struct Router {
    pub(super) engine: Engine,
    pub(super) now: Instant,
    neighbours: Neighbours,
    routes: Routes,
    clock: Clock,
    wake: Option<Instant>,
    buffer: Box<[u8]>,
    message: Box<[u8]>,
}

impl Router {
    pub(super) fn new(neighbours: Neighbours) -> Self {
        let limits = Limits {
            sessions: neighbours.paths.max(1 << 20),
            requests_per_session: 1 << 16,
            ..Limits::default()
        };
        let mut router = Self {
            engine: Engine::new(Config { seed: 1, hash_seed: 1, limits, ..Config::default() }),
            now: Instant::from_millis(1),
            neighbours,
            routes: Routes { neighbours, moved: 0 },
            clock: Clock::new(),
            wake: None,
            buffer: vec![0; 65_535].into(),
            message: vec![0; LARGEST].into(),
        };
        for id in [UPSTREAM, DOWNSTREAM, ELSEWHERE] {
            router.set_up(id, true);
        }
        router
    }

    /// An interface is there and up, or down.
    pub(super) fn set_up(&mut self, id: InterfaceId, up: bool) -> Step {
        let mut interface = Interface::new(id);
        match self.neighbours.neighbour(id, 0) {
            core::net::IpAddr::V4(own) => interface.ipv4 = Some(own),
            core::net::IpAddr::V6(own) => interface.ipv6 = Some(own),
        }
        (interface.bandwidth_bps, interface.reservable_bps, interface.up) = (1 << 60, 1 << 60, up);
        self.step(Input::InterfaceChanged(interface))
    }

    /// Routes of the first `moved` destinations lead elsewhere, and all others down.
    pub(super) fn move_routes(&mut self, moved: u32) -> Step {
        self.routes.moved = moved;
        self.step(Input::RouteChanged { destination: None })
    }

    /// The `n`th message of a kind arrives.
    pub(super) fn hear(&mut self, said: Said, n: u32) -> Step {
        let mut message = core::mem::take(&mut self.message);
        let octets = self.neighbours.write(&mut message, said, n);
        let (interface, _) = self.neighbours.speaker(said, n);
        let source = self.neighbours.source(said, n);
        let destination = match said.comes_from_above() {
            true => self.neighbours.destination(n),
            false => self.neighbours.neighbour(interface, 0),
        };
        let step = self.step(Input::Packet(Rx { interface, source, destination, ttl: 62, octets }));
        self.message = message;
        step
    }

    /// The next step that time asks for, if there is one up to then.
    pub(super) fn tick(&mut self, until: Instant) -> Option<Step> {
        self.now = self.now.max(self.wake.filter(|wake| *wake <= until)?);
        Some(self.step(Input::Timer))
    }

    fn step(&mut self, input: Input<'_>) -> Step {
        let looks = self.engine.work().states_visited;
        let mut step = Step::default();
        let start = self.clock.read();
        let outcome = self.engine.handle(self.now, input, &mut self.routes);
        let (ns, mut read) = self.clock.since(start);
        step.ns += ns;
        assert!(matches!(outcome, Outcome::Taken), "the router takes all that is said: {outcome:?}");
        loop {
            let sent = match self.engine.poll(self.now, &mut self.buffer) {
                Output::Transmit(sent) => sent.octets.get(1).copied(),
                Output::Idle { until, .. } => {
                    self.wake = until;
                    break;
                }
                Output::NeedSpace(need) => panic!("a message of {need} octets"),
                _ => None,
            };
            if let Some(msg_type) = sent {
                let ns;
                (ns, read) = self.clock.since(read);
                step.ns += ns;
                step.sent.entry(msg_type).or_default().add(1, ns);
            }
        }
        step.ns += self.clock.since(read).0;
        step.looks = self.engine.work().states_visited - looks;
        step
    }
}

/// The name of a message that was sent.
pub(super) fn name_of(msg_type: u8) -> String {
    MsgType(msg_type).to_string()
}
