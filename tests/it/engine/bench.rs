//! A node under test: an engine with four interfaces, a host with routes to set, a clock, and everything that came out.
//!
//! The interfaces are a, b, c and d, each with neighbours 1, 2, …; routes are those of RFC 2205 Figure 4 until a test
//! changes them: S1 arrives on a, other senders on b, all leave on c and d. Every message that leaves is held against
//! what holds for all messages of its type, so no test needs to say that again. And all that goes in and comes out is in a
//! journal, which is done again at the end: whatever a test does, an engine that is told the same says the same.

use super::message::{Arriving, lih};
use super::sent::Sent;
use super::words::{Family, interface, rate};
use core::net::IpAddr;
use core::time::Duration;
use rsvp_node::journal::{self, Journal, Overheard, Said};
use rsvp_node::{
    Claim, Command, Config, Engine, Event, Host, Input, Instant, Interface, InterfaceId, Outcome, Output,
    Reservation, ReservationId, Route, RouteAnswer, RouteQuery, TcChange, TrafficControl,
};
use rsvp_wire::Session;
use std::collections::{BTreeMap, HashMap};

/// Routes by destination and source, and the questions that were asked.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    answers: HashMap<(IpAddr, Option<IpAddr>), RouteAnswer>,
    pub(crate) asked: Vec<RouteQuery>,
}

impl Host for Routes {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        self.asked.push(query);
        let answer = self.answers.get(&(query.destination, query.source));
        answer.cloned().unwrap_or(RouteAnswer::NoRoute)
    }
}

/// A node under test and everything that came out of it and was not looked at yet.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) family: Family,
    pub(crate) engine: Engine,
    pub(crate) now: Instant,
    pub(crate) routes: Routes,
    pub(crate) session: Session,
    pub(crate) sent: Vec<Sent>,
    pub(crate) events: Vec<Event>,
    pub(crate) traffic: Vec<TrafficControl>,
    /// What a data plane that does as it is told has installed.
    pub(super) installed: BTreeMap<ReservationId, (InterfaceId, Reservation)>,
    /// What flows have that are not signalled: their interface, and bits per second.
    pub(super) claims: BTreeMap<u32, (InterfaceId, u64)>,
    /// Whether neighbours have no logical interface handles.
    pub(super) zero_handles: bool,
    wake: Option<Instant>,
    buffer: Vec<u8>,
    journal: Option<Journal>,
}

impl Bench {
    /// A node in each family, in a multicast session.
    pub(crate) fn both() -> [Self; 2] {
        [Family::V4, Family::V6].map(|family| Self::new(family, Config { seed: 7, ..Config::default() }))
    }

    /// A node in each family, in a unicast session whose data leaves on c.
    pub(crate) fn unicast() -> [Self; 2] {
        Self::both().map(|mut bench| {
            bench.session = Session::new(bench.family.named("U"), 17, 7000);
            for sender in ["S1", "S2", "S3"] {
                bench.route(sender, None, "c");
            }
            bench
        })
    }

    /// A node in a multicast session, its interfaces up, nothing else known to it.
    pub(crate) fn new(family: Family, config: Config) -> Self {
        let mut journal = Journal::default();
        journal.boot(0, &config);
        let mut bench = Self {
            family,
            engine: Engine::new(config),
            now: Instant::from_millis(1_000_000),
            routes: Routes::default(),
            session: Session::new(family.named("G"), 17, 7000),
            sent: Vec::new(),
            events: Vec::new(),
            traffic: Vec::new(),
            installed: BTreeMap::new(),
            claims: BTreeMap::new(),
            zero_handles: false,
            wake: None,
            buffer: Vec::new(),
            journal: Some(journal),
        };
        for letter in ["a", "b", "c", "d"] {
            bench.change(letter, |_| {});
        }
        bench.route("S1", Some("a"), "cd");
        for number in 2..10 {
            bench.route(&format!("S{number}"), Some("b"), "cd");
        }
        bench
    }

    /// The interface of this name as it comes, changed.
    pub(crate) fn change(&mut self, letter: &str, change: impl FnOnce(&mut Interface)) -> &mut Self {
        let id = interface(letter);
        let mut config = self.interface(letter).unwrap_or_else(|| {
            let mut config = Interface::new(id);
            config.lih = lih(id);
            for family in [Family::V4, Family::V6] {
                match family.named(&format!("{letter}0")) {
                    IpAddr::V4(a) => config.ipv4 = Some(a),
                    IpAddr::V6(a) => config.ipv6 = Some(a),
                }
            }
            config.subnets = vec![
                (Family::V4.named(&format!("{letter}0")), 24),
                (Family::V6.named(&format!("{letter}0")), 64),
            ];
            (config.bandwidth_bps, config.reservable_bps) = (10_000_000, 8_000_000);
            config
        });
        change(&mut config);
        self.input(Input::InterfaceChanged(config));
        self
    }

    /// An interface as the node knows it.
    pub(crate) fn interface(&self, letter: &str) -> Option<Interface> {
        self.engine.interfaces().find(|(i, _)| i.id == interface(letter)).map(|(i, _)| i.clone())
    }

    /// Sets what a reservation may take of an interface, in multiples of B.
    pub(crate) fn reservable(&mut self, letter: &str, n: u64) -> &mut Self {
        self.change(letter, |i| i.reservable_bps = n * 8000)
    }

    /// Sets the route of a sender's data in the session, without a word to the engine.
    pub(crate) fn route(&mut self, sender: &str, incoming: Option<&str>, outgoing: &str) -> &mut Self {
        let route = Route {
            incoming: incoming.map(interface),
            outgoing: outgoing.split("").filter(|l| !l.is_empty()).map(interface).collect(),
        };
        self.route_answer(sender, RouteAnswer::Known(route))
    }

    /// Sets the answer to the question where a sender's data goes.
    pub(crate) fn route_answer(&mut self, sender: &str, answer: RouteAnswer) -> &mut Self {
        let destination = self.session.destination();
        self.routes.answers.insert((destination, Some(self.family.named(sender))), answer);
        self
    }

    /// Sets where messages to a node (a ResvConf) go.
    pub(crate) fn route_to(&mut self, node: &str, outgoing: &str) -> &mut Self {
        let route = Route { incoming: None, outgoing: [interface(outgoing)].into_iter().collect() };
        self.routes.answers.insert((self.family.named(node), None), RouteAnswer::Known(route));
        self
    }

    /// From here on every neighbour is without handles: what goes back to it has none.
    pub(crate) fn handles_of_zero(&mut self) -> &mut Self {
        self.zero_handles = true;
        self
    }

    /// A message to be changed before it is heard.
    pub(crate) fn message(&self, text: &str) -> Arriving {
        Arriving::read(self.family, self.session, text)
    }

    /// Hands the node an input and takes everything that comes out.
    pub(crate) fn input(&mut self, input: Input<'_>) -> Outcome {
        let written = journal::write_input(&input);
        let claimed = match &input {
            Input::Command(Command::Claim(claim)) => Some(*claim),
            _ => None,
        };
        let mut host = Overheard { host: &mut self.routes, answers: Vec::new() };
        let outcome = self.engine.handle(self.now, input, &mut host);
        let (answers, mut said) = (host.answers, Said::new(outcome));
        if let Some(Claim { flow, interface, flowspec }) = claimed.filter(|_| outcome == Outcome::Taken) {
            self.claims.remove(&flow);
            let rate = flowspec.map(|flowspec| rate(&flowspec));
            self.claims.extend(rate.map(|rate| (flow, (interface, rate as u64 * 8))));
        }
        self.drain(&mut said);
        if let Some(journal) = &mut self.journal {
            journal.step(0, self.now, written, &answers, &said);
        }
        outcome
    }

    /// The engine, for a test that hands it something itself; what it is told then is in no journal.
    pub(crate) fn without_journal(&mut self) -> (&mut Engine, &mut Routes) {
        self.journal = None;
        (&mut self.engine, &mut self.routes)
    }

    fn drain(&mut self, said: &mut Said) {
        for outputs in 0.. {
            assert!(outputs < 10_000, "one input has no end of outputs");
            let output = self.engine.poll(self.now, &mut self.buffer);
            said.output(&output);
            match output {
                Output::Transmit(t) => {
                    let sent = Sent {
                        at: self.now,
                        interface: t.interface,
                        destination: t.destination,
                        source: t.source,
                        ttl: t.ttl,
                        router_alert: t.router_alert,
                        octets: t.octets.to_vec(),
                    };
                    self.audit(&sent);
                    self.sent.push(sent);
                }
                Output::TrafficControl(told) => {
                    let removed = match &told.change {
                        TcChange::Install(r) => {
                            self.installed.insert(told.reservation, (told.interface, r.clone()));
                            true
                        }
                        TcChange::Remove => self.installed.remove(&told.reservation).is_some(),
                    };
                    assert!(removed, "only what was installed is removed");
                    self.traffic.push(told);
                }
                Output::Event(event) => self.events.push(event),
                Output::NeedSpace(need) => {
                    assert!(need > self.buffer.len(), "space is asked for only when there is too little");
                    self.buffer.resize(need, 0);
                }
                Output::Idle { until, .. } => {
                    self.wake = until;
                    break;
                }
                other => panic!("an output that no test knows: {other:?}"),
            }
        }
        self.audit_budgets();
    }

    /// Lets time pass, waking the node whenever it asked for that.
    pub(crate) fn pass(&mut self, time: Duration) -> &mut Self {
        let end = self.now + time;
        let mut at_once = 0;
        while let Some(at) = self.wake.filter(|at| *at <= end) {
            at_once = if at > self.now { 0 } else { at_once + 1 };
            assert!(at_once < 1000, "a node that never sleeps");
            self.now = self.now.max(at);
            self.input(Input::Timer);
        }
        self.now = end;
        self
    }

    /// Lets seconds pass.
    pub(crate) fn seconds(&mut self, seconds: f64) -> &mut Self {
        self.pass(Duration::from_secs_f64(seconds))
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let (Some(journal), false) = (&self.journal, std::thread::panicking()) {
            journal::replay(journal.text()).expect("an engine that is told the same says the same");
        }
    }
}
