//! A router's random history in one session, the same for a seed each time: Paths, Resvs that fit and that do not, errors from further up,
//! applications, and time that passes. Shared by the tests that hold what a node keeps merged to what is asked of it.

#![allow(dead_code, reason = "not every user needs all of it")]

use core::fmt::Write as _;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use rsvp_node::{
    AppId, Command, Config, Engine, FlowRequest, Host, Input, Instant, Interface, InterfaceId, Output, Route,
    RouteAnswer, RouteQuery, Rx,
};
use rsvp_wire::{
    ErrorCode, ErrorSpec, FilterSpec, Flowspec, MessageWriter, MsgType, ResvConfirm, Rspec, RsvpHop, Scope,
    SenderTemplate, SenderTspec, Session, Sharing, Style, TimeValues, Tspec, error_value,
};

const UPSTREAM: InterfaceId = InterfaceId(1);
const DOWNSTREAM: [InterfaceId; 2] = [InterfaceId(2), InterfaceId(3)];
const APPS: u32 = 2;

struct Multicast;

impl Host for Multicast {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        // What some senders send leaves by one interface only.
        let is_odd = matches!(query.source, Some(IpAddr::V4(source)) if source.to_bits() % 2 == 1);
        let outgoing = DOWNSTREAM.into_iter().take(if is_odd { 1 } else { 2 }).collect();
        RouteAnswer::Known(Route { incoming: Some(UPSTREAM), outgoing })
    }
}

/// How much there is of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) style: Style,
    pub(crate) senders: u16,
    /// Of each of two interfaces; every third has another address than it sends from.
    pub(crate) next_hops: u16,
    pub(crate) previous_hops: u16,
    /// Requests for another service among the rest, in so many of a thousand.
    pub(crate) services: u32,
    /// Requests before the first step: more than steps have together, which take time.
    pub(crate) asked: u32,
    pub(crate) steps: u32,
}

/// A history of a seed.
pub(crate) struct History {
    pub(crate) engine: Engine,
    plan: Plan,
    now: Instant,
    wake: Option<Instant>,
    random: u64,
    buffer: Vec<u8>,
    /// What was done, and what the engine has said to it.
    pub(crate) said: String,
}

impl History {
    pub(crate) fn new(seed: u64, plan: Plan, few: u32) -> Self {
        let mut engine = Engine::new(Config { seed, few, ..Config::default() });
        for (id, bps) in [(UPSTREAM, 1 << 40), (DOWNSTREAM[0], 900_000), (DOWNSTREAM[1], 400_000)] {
            let mut interface = Interface::new(id);
            let [.., net] = id.0.to_be_bytes();
            (interface.lih, interface.ipv4) = (id.0, Some(Ipv4Addr::new(192, 0, net, 1)));
            (interface.proxies, interface.bandwidth_bps, interface.reservable_bps) = (true, bps, bps);
            engine.handle(Instant::ZERO, Input::InterfaceChanged(interface), &mut Multicast);
        }
        let (buffer, said) = (vec![0; 65_535], String::new());
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let now = Instant::from_millis(1);
        let mut history = Self { engine, plan, now, wake: None, random, buffer, said };
        // Apart, or all would time out at once: then how much is done in one call depends on the looks that it takes.
        for sender in 0..plan.senders {
            history.path(sender);
            history.pass(Duration::from_secs(2));
        }
        // The same goes for requests.
        for _ in 0..plan.asked {
            history.resv();
            history.pass(Duration::from_millis(100));
        }
        history
    }

    /// Takes one more step.
    pub(crate) fn step(&mut self) {
        self.said.clear();
        match self.below(100) {
            0..12 => {
                let sender = self.below(self.plan.senders.into()) as u16;
                self.path(sender);
            }
            12..15 => self.path_tear(),
            15..60 => self.resv(),
            60..68 => self.resv_tear(),
            68..80 => self.resv_err(),
            80..86 => self.application(),
            _ => {
                let wait = u64::from(self.below(20_000));
                self.pass(Duration::from_millis(wait));
            }
        }
        let mut requests: Vec<String> = self.engine.requests().map(|r| format!("{r:?}")).collect();
        requests.sort_unstable();
        let mut reserved: Vec<String> =
            self.engine.reservations().map(|(_, on, r)| format!("{on:?} {r:?}")).collect();
        reserved.sort_unstable();
        let _ = writeln!(self.said, "{requests:#?}\n{reserved:#?}");
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (((self.random >> 32) * u64::from(bound)) >> 32) as u32
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u32) as usize]
    }

    fn session() -> Session {
        Session::new(IpAddr::V4(Ipv4Addr::new(239, 1, 1, 1)), 17, 5000)
    }

    fn sender(n: u16) -> FilterSpec {
        FilterSpec::new(IpAddr::V4(Ipv4Addr::from_bits(0x0b00_0001 + u32::from(n % 8))), 1000 + n)
    }

    fn tspec(&mut self) -> Tspec {
        Tspec {
            rate: self.one_of(&[1e3, 2e3, 4e3, 8e3, 1.6e4, 5e4]),
            bucket: self.one_of(&[1e3, 1e4]),
            peak: f32::INFINITY,
            min_policed_unit: self.one_of(&[0, 64, 100]),
            max_packet_size: self.one_of(&[500, 1500]),
        }
    }

    fn flowspec(&mut self) -> Flowspec {
        let tspec = self.tspec();
        if self.below(1_000) < self.plan.services {
            let slack = self.one_of(&[0, 50]);
            return Flowspec::Guaranteed(tspec, Rspec { rate: tspec.rate, slack });
        }
        Flowspec::ControlledLoad(tspec)
    }

    /// Some senders, often one and sometimes all.
    fn some(&mut self) -> Vec<u16> {
        let all = self.plan.senders;
        let from = self.below(u32::from(all)) as u16;
        let count = match self.below(4) {
            0 => 1,
            1 => all,
            _ => 1 + self.below(u32::from(all)) as u16,
        };
        (0..count).map(|n| (from + n) % all).collect()
    }

    fn previous_hop(&self, sender: u16) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 1, 10 + (sender % self.plan.previous_hops) as u8))
    }

    fn octets(msg_type: MsgType, hop: RsvpHop, put: impl Fn(&mut MessageWriter<'_>)) -> Vec<u8> {
        let mut buffer = vec![0; 65_535];
        let mut writer = MessageWriter::new(&mut buffer, msg_type, 62);
        writer.put(&Self::session()).put(&hop);
        put(&mut writer);
        writer.finish().expect("room").to_vec()
    }

    fn path(&mut self, sender: u16) {
        let tspec = self.tspec();
        let hop = RsvpHop { address: self.previous_hop(sender), lih: 7 };
        let octets = Self::octets(MsgType::PATH, hop, |w| {
            w.put(&TimeValues { refresh_ms: 30_000 });
            w.put(&SenderTemplate(Self::sender(sender))).put(&SenderTspec::from(tspec));
        });
        self.receive(UPSTREAM, hop.address, Self::session().destination(), &octets);
    }

    fn path_tear(&mut self) {
        let sender = self.below(self.plan.senders.into()) as u16;
        let hop = RsvpHop { address: self.previous_hop(sender), lih: 7 };
        let octets = Self::octets(MsgType::PATH_TEAR, hop, |w| {
            w.put(&SenderTemplate(Self::sender(sender)));
        });
        self.receive(UPSTREAM, hop.address, Self::session().destination(), &octets);
    }

    fn put_flows(&self, w: &mut MessageWriter<'_>, flowspecs: &[Flowspec], senders: &[u16]) {
        let style = self.plan.style;
        w.put(&style);
        if style.options == Style::WF.options {
            w.put(&flowspecs[0]);
            return;
        }
        for (n, sender) in senders.iter().enumerate() {
            let distinct = style.sharing() == Sharing::Distinct;
            if n == 0 || distinct {
                w.put(&flowspecs[if distinct { n % flowspecs.len() } else { 0 }]);
            }
            w.put(&Self::sender(*sender));
        }
    }

    fn next_hop(&mut self) -> (InterfaceId, IpAddr) {
        let (on, n) = (self.one_of(&DOWNSTREAM), self.below(self.plan.next_hops.into()) as u8);
        let [.., net] = on.0.to_be_bytes();
        (on, IpAddr::V4(Ipv4Addr::new(192, 0, net, 10 + n)))
    }

    fn resv(&mut self) {
        let ((on, address), senders) = (self.next_hop(), self.some());
        let flowspecs = [self.flowspec(), self.flowspec(), self.flowspec()];
        let (confirm, scope) = (self.below(8) == 0, self.below(6) == 0);
        let scope: Vec<u8> = senders
            .iter()
            .flat_map(|n| (0x0b00_0001 + u32::from(*n % 8)).to_be_bytes())
            .collect::<Vec<u8>>()
            .into_iter()
            .filter(|_| scope)
            .collect();
        let octets = Self::octets(MsgType::RESV, RsvpHop { address, lih: on.0 }, |w| {
            w.put(&TimeValues { refresh_ms: 30_000 });
            if confirm {
                w.put(&ResvConfirm { address });
            }
            if !scope.is_empty() && self.plan.style.options == Style::WF.options {
                w.put(&Scope::Ipv4(&scope));
            }
            self.put_flows(w, &flowspecs, &senders);
        });
        self.receive(on, address, Self::own(on), &octets);
    }

    fn resv_tear(&mut self) {
        let ((on, address), senders, flowspec) = (self.next_hop(), self.some(), self.flowspec());
        let octets = Self::octets(MsgType::RESV_TEAR, RsvpHop { address, lih: on.0 }, |w| {
            self.put_flows(w, &[flowspec], &senders);
        });
        self.receive(on, address, Self::own(on), &octets);
    }

    fn resv_err(&mut self) {
        let (mut senders, flowspec) = (self.some(), self.flowspec());
        let address = self.previous_hop(senders[0]);
        senders.retain(|n| self.previous_hop(*n) == address);
        let flags = self.one_of(&[0, 0, ErrorSpec::IN_PLACE]);
        let value = self.one_of(&[error_value::BANDWIDTH_UNAVAILABLE, error_value::MTU_TOO_LARGE, 0]);
        let code = self.one_of(&[ErrorCode::ADMISSION_CONTROL; 4]);
        let octets = Self::octets(MsgType::RESV_ERR, RsvpHop { address, lih: 7 }, |w| {
            w.put(&ErrorSpec { node: address, flags, code, value });
            self.put_flows(w, &[flowspec], &senders);
        });
        self.receive(UPSTREAM, address, Self::own(UPSTREAM), &octets);
    }

    fn own(on: InterfaceId) -> IpAddr {
        let [.., net] = on.0.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(192, 0, net, 1))
    }

    fn application(&mut self) {
        let (app, session) = (AppId(self.below(APPS)), Self::session());
        if self.below(2) == 0 {
            return self.input(Input::Command(Command::Release { app, session }));
        }
        let filters: Vec<FilterSpec> = self.some().into_iter().map(Self::sender).collect();
        let (style, flowspec, confirm) = (self.plan.style, self.flowspec(), self.below(2) == 0);
        let each = match (style.options == Style::WF.options, style.sharing()) {
            (true, _) => vec![FlowRequest { flowspec, filters: &[] }],
            (_, Sharing::Distinct) => {
                filters.chunks(1).map(|filters| FlowRequest { flowspec, filters }).collect()
            }
            _ => vec![FlowRequest { flowspec, filters: &filters }],
        };
        let flows = &each;
        self.input(Input::Command(Command::Reserve {
            app,
            session,
            style,
            flows,
            confirm,
            interface: None,
            carried: None,
        }));
    }

    fn receive(&mut self, interface: InterfaceId, source: IpAddr, destination: IpAddr, octets: &[u8]) {
        let _ = writeln!(self.said, "at {:?} from {source}: {octets:02x?}", self.now);
        self.input(Input::Packet(Rx { interface, source, destination, ttl: 62, octets }));
    }

    fn input(&mut self, input: Input<'_>) {
        let outcome = self.engine.handle(self.now, input, &mut Multicast);
        let _ = writeln!(self.said, "{outcome:?}");
        self.drain();
        self.pass(Duration::ZERO);
    }

    fn pass(&mut self, wait: Duration) {
        let end = self.now + wait;
        while let Some(due) = self.wake.filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.engine.handle(self.now, Input::Timer, &mut Multicast);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        loop {
            match self.engine.poll(self.now, &mut self.buffer) {
                Output::Idle { until, .. } => {
                    self.wake = until;
                    return;
                }
                output => {
                    let _ = writeln!(self.said, "{output:02x?}");
                }
            }
        }
    }
}

/// Runs a history to its end, with a look at the engine after each step.
pub(crate) fn run(seed: u64, plan: Plan, few: u32, mut look: impl FnMut(&Engine)) {
    let mut history = History::new(seed, plan, few);
    for _ in 0..plan.steps {
        history.step();
        look(&history.engine);
    }
}

/// Runs a history on two nodes, one of which takes all sessions for large and the other none, and holds one to the other.
pub(crate) fn compare(seed: u64, plan: Plan) {
    let [mut large, mut small] = [1, u32::MAX].map(|few| History::new(seed, plan, few));
    for step in 0..plan.steps {
        large.step();
        small.step();
        let differ = large.said.lines().zip(small.said.lines()).find(|(large, small)| large != small);
        let asked = large.said.lines().next().unwrap_or_default();
        assert!(large.said == small.said, "{plan:?}, seed {seed}, step {step}, {asked}: {differ:#?}");
    }
}
