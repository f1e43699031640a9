//! Two nodes joined by one link, each a real engine behind a real service: what `rsvpd` would drive, in this process.
//!
//! Time is tokio's, which the tests pause: it moves when nothing else can.

use rsvp_client::Client;
use rsvp_node::{
    Command, Config, Engine, Event, Host, Input, Instant, Interface, InterfaceId, Outcome, Output, Route,
    RouteAnswer, RouteQuery, Rx, Source, TrafficControl,
};
use rsvpd::control::server::{FromClient, Switchboard, attend, next_client};
use rsvpd::control::service::{ControlService, EngineAccess};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;

/// What the one link of each node is called there.
pub(crate) const LINK: &str = "link0";
/// What can be reserved on the link.
pub(crate) const RESERVABLE_BPS: u64 = 8_000_000;
const BANDWIDTH_BPS: u64 = 10_000_000;
const ON: InterfaceId = InterfaceId(7);
/// 10.0.0.1, where tests send from.
pub(crate) const LEFT: usize = 0;
/// 10.0.0.2, where tests receive.
pub(crate) const RIGHT: usize = 1;

fn address(side: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, if side == LEFT { 1 } else { 2 })
}

/// A packet on the link.
struct Packet {
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    octets: Vec<u8>,
}

/// All traffic that is not for the node itself leaves by its only link.
struct OneLink(Ipv4Addr);

impl Host for OneLink {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        let mut route = Route::default();
        if query.destination != IpAddr::V4(self.0) {
            route.outgoing.push(ON);
        }
        RouteAnswer::Known(route)
    }
}

/// An engine and what came out of it and waits to be taken on.
struct Node {
    engine: Engine,
    address: Ipv4Addr,
    now: Instant,
    until: Option<Instant>,
    sent: VecDeque<Packet>,
    events: VecDeque<Event>,
    changes: VecDeque<TrafficControl>,
}

impl Node {
    fn new(side: usize) -> Self {
        let mut node = Self {
            engine: Engine::new(Config { seed: side as u64, ..Config::default() }),
            address: address(side),
            now: Instant::ZERO,
            until: None,
            sent: VecDeque::new(),
            events: VecDeque::new(),
            changes: VecDeque::new(),
        };
        let interface = Interface {
            ipv4: Some(address(side)),
            bandwidth_bps: BANDWIDTH_BPS,
            reservable_bps: RESERVABLE_BPS,
            error_c: 1_500,
            error_d_us: 100,
            ..Interface::new(ON)
        };
        node.input(Input::InterfaceChanged(interface));
        node
    }

    fn input(&mut self, input: Input<'_>) -> Outcome {
        let outcome = self.engine.handle(self.now, input, &mut OneLink(self.address));
        let mut buffer = vec![0; 65_536];
        loop {
            match self.engine.poll(self.now, &mut buffer) {
                Output::Transmit(transmit) => self.sent.push_back(Packet {
                    source: match transmit.source {
                        Source::Own => self.address.into(),
                        Source::Foreign(address) => address,
                    },
                    destination: transmit.destination,
                    ttl: transmit.ttl,
                    octets: transmit.octets.to_vec(),
                }),
                Output::TrafficControl(change) => self.changes.push_back(change),
                Output::Event(event) => self.events.push_back(event),
                Output::NeedSpace(octets) => panic!("more than a datagram: {octets}"),
                Output::Idle { until, .. } => {
                    self.until = until.filter(|at| *at != Instant::NEVER);
                    return outcome;
                }
                other => panic!("an output that no test knows: {other:?}"),
            }
        }
    }
}

impl EngineAccess for Node {
    fn command(&mut self, command: Command<'_>) -> Outcome {
        self.input(Input::Command(command))
    }

    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn interface_name(&self, id: InterfaceId) -> Option<&str> {
        (id == ON).then_some(LINK)
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("sent-packets", 42)]
    }
}

/// What tests look at from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) is_empty: [bool; 2],
    pub(crate) cut_off: [u64; 2],
    pub(crate) clients: [usize; 2],
}

/// The two nodes, running until the value is dropped.
pub(crate) struct Pair {
    pub(crate) doors: [mpsc::Sender<FromClient>; 2],
    seen: Arc<Mutex<Seen>>,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Pair {
    pub(crate) fn start() -> Self {
        let (left, from_left) = mpsc::channel(64);
        let (right, from_right) = mpsc::channel(64);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let driver = tokio::spawn(Driver::new(Arc::clone(&seen)).run(from_left, from_right));
        Self { doors: [left, right], seen, driver }
    }

    /// A raw connection to a node.
    pub(crate) fn raw(&self, side: usize) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(attend(theirs, next_client(), self.doors[side].clone()));
        ours
    }

    pub(crate) async fn client(&self, side: usize) -> Client {
        Client::over(self.raw(side)).await.expect("a greeting")
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().expect("no panic in the driver").clone()
    }

    /// Waits, in time that does not pass outside, until something is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Seen) -> bool) {
        for _ in 0..600 {
            if is_so(&self.seen()) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("not within a minute: {what}: {:?}", self.seen());
    }
}

struct Driver {
    nodes: [Node; 2],
    services: [ControlService; 2],
    boards: [Switchboard; 2],
    start: tokio::time::Instant,
    seen: Arc<Mutex<Seen>>,
}

impl Driver {
    fn new(seen: Arc<Mutex<Seen>>) -> Self {
        Self {
            nodes: [Node::new(LEFT), Node::new(RIGHT)],
            services: Default::default(),
            boards: Default::default(),
            start: tokio::time::Instant::now(),
            seen,
        }
    }

    async fn run(mut self, mut left: mpsc::Receiver<FromClient>, mut right: mpsc::Receiver<FromClient>) {
        loop {
            self.settle();
            let next = self.nodes.iter().filter_map(|node| node.until).min();
            let next = next.map(|at| self.start + std::time::Duration::from_micros(at.as_micros()));
            let said = tokio::select! {
                said = left.recv() => said.map(|said| (LEFT, said)),
                said = right.recv() => said.map(|said| (RIGHT, said)),
                () = async { match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                } } => None,
            };
            let now = Instant(self.start.elapsed().as_micros() as u64);
            for node in &mut self.nodes {
                node.now = now;
                if node.until.is_some_and(|at| at <= now) {
                    node.input(Input::Timer);
                }
            }
            if let Some((side, said)) = said {
                self.boards[side].handle(said, &mut self.services[side], &mut self.nodes[side]);
            }
        }
    }

    /// Takes everything on until neither node has anything to say.
    fn settle(&mut self) {
        loop {
            let mut idle = true;
            for side in [LEFT, RIGHT] {
                while let Some(packet) = self.nodes[side].sent.pop_front() {
                    idle = false;
                    let rx = Rx {
                        interface: ON,
                        source: packet.source,
                        destination: packet.destination,
                        ttl: packet.ttl,
                        octets: &packet.octets,
                    };
                    self.nodes[1 - side].input(Input::Packet(rx));
                }
                while let Some(event) = self.nodes[side].events.pop_front() {
                    self.services[side].event(&event);
                }
                while let Some(change) = self.nodes[side].changes.pop_front() {
                    self.services[side].traffic_control(&change, Some(LINK));
                }
                self.boards[side].deliver(&mut self.services[side], &mut self.nodes[side]);
                if self.boards[side].is_more(&self.services[side]) {
                    idle = false;
                    self.boards[side].go_on(&mut self.services[side], &mut self.nodes[side]);
                    self.boards[side].deliver(&mut self.services[side], &mut self.nodes[side]);
                }
                // Cutting a client off makes the engine speak again.
                idle &= self.nodes[side].sent.is_empty() && self.nodes[side].events.is_empty();
            }
            if idle {
                break;
            }
        }
        let mut seen = self.seen.lock().expect("no panic in a test's look");
        for side in [LEFT, RIGHT] {
            seen.is_empty[side] = self.nodes[side].engine.is_empty();
            seen.cut_off[side] = self.boards[side].cut_off;
            seen.clients[side] = self.boards[side].clients();
        }
    }
}
