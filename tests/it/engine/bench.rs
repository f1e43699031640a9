//! A node under test: an engine with four interfaces, a host with routes to set, a clock, and everything that came out.
//!
//! The interfaces are a, b, c and d, each with neighbours 1, 2, …; routes are those of RFC 2205 Figure 4 until a test
//! changes them: S1 arrives on a, other senders on b, all leave on c and d. Every message that leaves is held against
//! what holds for all messages of its type, so no test needs to say that again.

use super::message::{Arriving, lih, neighbour_lih};
use super::words::{Family, Flows, error_name, interface, interface_name, name, sender_name};
use core::net::IpAddr;
use core::time::Duration;
use rsvp_node::{
    AppId, Command, Config, Discard, Engine, Event, EventKind, FlowRequest, Host, Input, Instant, Interface,
    InterfaceId, Outcome, Output, Refusal, Reservation, Route, RouteAnswer, RouteQuery, Source, TcChange,
    TrafficControl,
};
use rsvp_wire::{
    ErrorSpec, Flowspec, Message, MsgType, Object, ResvConfirm, RsvpHop, SenderTemplate, SenderTspec,
    Session, TimeValues,
};
use std::collections::HashMap;

/// Routes by the question asked of them.
#[derive(Debug, Default)]
pub(crate) struct Routes(pub(crate) HashMap<RouteQuery, RouteAnswer>);

impl Host for Routes {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        self.0.get(&query).cloned().unwrap_or(RouteAnswer::NoRoute)
    }
}

/// A message that left, with what its IP header shall say.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Instant,
    pub(crate) interface: InterfaceId,
    pub(crate) destination: IpAddr,
    pub(crate) source: Source,
    pub(crate) ttl: u8,
    pub(crate) router_alert: bool,
    pub(crate) octets: Vec<u8>,
}

impl Sent {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.octets).expect("a sound message leaves")
    }

    pub(crate) fn msg_type(&self) -> MsgType {
        self.message().msg_type()
    }

    /// The object of a type that the message has.
    #[track_caller]
    pub(crate) fn get<'a, T: Object<'a>>(&'a self) -> T {
        self.message().get::<T>().expect("the object is there").expect("the object is sound")
    }

    /// The objects of a class, whole.
    pub(crate) fn objects(&self, class: u8) -> Vec<Vec<u8>> {
        self.message().objects().filter(|o| o.class.0 == class).map(|o| o.octets().to_vec()).collect()
    }

    fn name(&self) -> String {
        let kind = self.msg_type();
        let error = || error_name(&self.get::<ErrorSpec>());
        let sender = || sender_name(&self.get::<SenderTemplate>().0);
        let rate = || self.get::<SenderTspec>().0.rate / 1000.0;
        let flows = || Flows::of(&self.message()).name();
        let confirm = self.message().get::<ResvConfirm>().map(|c| name(c.expect("sound").address));
        let said = match kind {
            MsgType::PATH => format!("{}{{{}B}}", sender(), rate()),
            MsgType::PATH_TEAR => sender(),
            MsgType::PATH_ERR => format!("{} {}", error(), sender()),
            MsgType::RESV_ERR => format!("{} {}", error(), flows()),
            MsgType::RESV_CONF => format!("{} {}", name(self.get::<ErrorSpec>().node), flows()),
            _ => flows() + &confirm.map(|c| format!(" confirm {c}")).unwrap_or_default(),
        };
        format!("{}>{} {kind} {said}", interface_name(self.interface), name(self.destination))
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
    wake: Option<Instant>,
    buffer: Vec<u8>,
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
        let mut bench = Self {
            family,
            engine: Engine::new(config),
            now: Instant::from_millis(1_000_000),
            routes: Routes::default(),
            session: Session::new(family.named("G"), 17, 7000),
            sent: Vec::new(),
            events: Vec::new(),
            traffic: Vec::new(),
            wake: None,
            buffer: Vec::new(),
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
        let query = RouteQuery { destination, source: Some(self.family.named(sender)) };
        self.routes.0.insert(query, answer);
        self
    }

    /// Sets where messages to a node (a ResvConf) go.
    pub(crate) fn route_to(&mut self, node: &str, outgoing: &str) -> &mut Self {
        let route = Route { incoming: None, outgoing: [interface(outgoing)].into_iter().collect() };
        let query = RouteQuery { destination: self.family.named(node), source: None };
        self.routes.0.insert(query, RouteAnswer::Known(route));
        self
    }

    /// A message to be changed before it is heard.
    pub(crate) fn message(&self, text: &str) -> Arriving {
        Arriving::read(self.family, self.session, text)
    }

    /// Hands the node an input and takes everything that comes out.
    pub(crate) fn input(&mut self, input: Input<'_>) -> Outcome {
        let outcome = self.engine.handle(self.now, input, &mut self.routes);
        self.drain();
        outcome
    }

    fn drain(&mut self) {
        loop {
            match self.engine.poll(self.now, &mut self.buffer) {
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
                Output::TrafficControl(change) => self.traffic.push(change),
                Output::Event(event) => self.events.push(event),
                Output::NeedSpace(need) => {
                    assert!(need > self.buffer.len(), "space is asked for only when there is too little");
                    self.buffer.resize(need, 0);
                }
                Output::Idle { until, .. } => {
                    self.wake = until;
                    break;
                }
            }
        }
        self.audit_budgets();
    }

    /// Lets time pass, waking the node whenever it asked for that.
    pub(crate) fn pass(&mut self, time: Duration) -> &mut Self {
        let end = self.now + time;
        while let Some(at) = self.wake.filter(|at| *at <= end) {
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

    /// A message arrives and is processed.
    #[track_caller]
    pub(crate) fn hears(&mut self, text: &str) -> &mut Self {
        self.takes(&self.message(text))
    }

    /// A message made by hand arrives and is processed.
    #[track_caller]
    pub(crate) fn takes(&mut self, message: &Arriving) -> &mut Self {
        let octets = message.octets();
        let outcome = self.input(Input::Packet(message.rx(&octets)));
        assert_eq!(outcome, Outcome::Taken, "{:?}: {message:?}", self.family);
        self
    }

    /// A message arrives and is dropped; exactly the counter of that reason goes up, by one.
    #[track_caller]
    pub(crate) fn drops(&mut self, message: &Arriving, why: Discard) -> &mut Self {
        let octets = message.octets();
        self.drops_rx(message, &octets, why)
    }

    /// The same for octets made by hand.
    #[track_caller]
    pub(crate) fn drops_rx(&mut self, message: &Arriving, octets: &[u8], why: Discard) -> &mut Self {
        let counters = self.engine.counters();
        let (before, all) = (counters.discarded(why), counters.discarded_total());
        let outcome = self.input(Input::Packet(message.rx(octets)));
        assert_eq!(outcome, Outcome::Discarded(why), "{:?}", self.family);
        let counters = self.engine.counters();
        assert_eq!((counters.discarded(why), counters.discarded_total()), (before + 1, all + 1));
        self
    }

    /// Gives a command.
    pub(crate) fn command(&mut self, command: Command<'_>) -> Outcome {
        self.input(Input::Command(command))
    }

    /// Gives a command that is carried out.
    #[track_caller]
    pub(crate) fn does(&mut self, command: Command<'_>) -> &mut Self {
        let outcome = self.command(command);
        assert_eq!(outcome, Outcome::Taken, "{:?}", self.family);
        self
    }

    /// Gives a command that is refused and changes nothing.
    #[track_caller]
    pub(crate) fn refuses(&mut self, command: Command<'_>, why: Refusal) -> &mut Self {
        let before = self.state();
        let outcome = self.command(command);
        assert_eq!(outcome, Outcome::Refused(why), "{:?}", self.family);
        assert_eq!(self.state(), before, "a refused command changes nothing");
        self
    }

    /// Everything the views show.
    pub(crate) fn state(&self) -> String {
        let engine = &self.engine;
        let senders: Vec<_> = engine.senders().collect();
        let requests: Vec<_> = engine.requests().collect();
        let reservations: Vec<_> = engine.reservations().collect();
        let empty = engine.is_empty();
        format!(
            "{senders:?} {requests:?} {reservations:?} {:?} {empty}",
            engine.blockades().collect::<Vec<_>>()
        )
    }

    /// An application opens the session.
    #[track_caller]
    pub(crate) fn opens(&mut self, app: u32) -> &mut Self {
        let session = self.session;
        self.does(Command::OpenSession { app: AppId(app), session })
    }

    /// An application reserves, e.g. `WF{4B}`.
    #[track_caller]
    pub(crate) fn reserves(&mut self, app: u32, flows: &str) -> &mut Self {
        let outcome = self.reserve(app, flows, false);
        assert_eq!(outcome, Outcome::Taken, "{:?}", self.family);
        self
    }

    /// An application reserves, with or without a wish for confirmation.
    pub(crate) fn reserve(&mut self, app: u32, flows: &str, confirm: bool) -> Outcome {
        let words: Vec<&str> = flows.split(' ').collect();
        let Flows { style, flows } = Flows::read(self.family, &words);
        let flows: Vec<FlowRequest<'_>> = flows
            .iter()
            .map(|(flowspec, filters)| FlowRequest { flowspec: flowspec.expect("a flowspec"), filters })
            .collect();
        let session = self.session;
        self.command(Command::Reserve {
            app: AppId(app),
            session,
            style,
            flows: &flows,
            confirm,
            interface: None,
        })
    }

    /// An application announces a sender of 9B on this node, e.g. `C0`.
    #[track_caller]
    pub(crate) fn announces(&mut self, app: u32, sender: &str) -> &mut Self {
        let (session, sender) = (self.session, SenderTemplate(self.family.sender(sender)));
        let tspec = super::words::tspec(9.0);
        let app = AppId(app);
        self.does(Command::Sender { app, session, sender, tspec, adspec: None, ttl: 33, interface: None })
    }

    /// An application leaves the session.
    #[track_caller]
    pub(crate) fn releases(&mut self, app: u32) -> &mut Self {
        let session = self.session;
        self.does(Command::Release { app: AppId(app), session })
    }

    /// Routing says that the session's routes changed.
    pub(crate) fn reroutes(&mut self) -> &mut Self {
        let destination = Some(self.session.destination());
        self.input(Input::RouteChanged { destination });
        self
    }

    /// Paths of S1 from a1, and of S2 and S3 from b1, as in RFC 2205 Figure 4; what that made is not looked at.
    #[track_caller]
    pub(crate) fn figure_4(&mut self) -> &mut Self {
        for path in ["a1 Path S1{9B}", "b1 Path S2{9B}", "b1 Path S3{9B}"] {
            self.hears(path);
        }
        self.forget()
    }

    /// Forgets what came out so far.
    pub(crate) fn forget(&mut self) -> &mut Self {
        self.sent.clear();
        self.events.clear();
        self.traffic.clear();
        self
    }

    /// What was sent since the last look is this, in any order.
    #[track_caller]
    pub(crate) fn sends(&mut self, expected: &[&str]) -> &mut Self {
        let sent = self.sent.drain(..).map(|s| s.name()).collect();
        check(self.family, "sent", sent, expected);
        self
    }

    /// What was sent since the last look, if it is one message.
    #[track_caller]
    pub(crate) fn sends_one(&mut self, expected: &str) -> Sent {
        let sent = self.sent.clone();
        self.sends(&[expected]);
        sent.into_iter().next().expect("one message")
    }

    /// What applications were told since the last look is this, in any order.
    #[track_caller]
    pub(crate) fn tells(&mut self, expected: &[&str]) -> &mut Self {
        let told = self.events.drain(..).map(|e| event_name(&e)).collect();
        check(self.family, "told", told, expected);
        self
    }

    /// The reservations that are installed are these, and the data plane was told so.
    #[track_caller]
    pub(crate) fn installs(&mut self, expected: &[&str]) -> &mut Self {
        let held: Vec<_> = self.engine.reservations().map(|(_, on, r)| reservation_name(on, &r)).collect();
        check(self.family, "installed", held, expected);
        self
    }

    /// What the data plane was told since the last look, in its order: `+c WF{4B}` and `-c`.
    #[track_caller]
    pub(crate) fn commands_traffic_control(&mut self, expected: &[&str]) -> &mut Self {
        let told: Vec<String> = self
            .traffic
            .drain(..)
            .map(|t| match t.change {
                TcChange::Install(r) => format!("+{}", reservation_name(t.interface, &r)),
                TcChange::Remove => format!("-{}", interface_name(t.interface)),
            })
            .collect();
        assert_eq!(told, expected, "{:?}: traffic control", self.family);
        self
    }

    /// Nothing was sent and nobody was told anything since the last look.
    #[track_caller]
    pub(crate) fn is_silent(&mut self) -> &mut Self {
        self.sends(&[]).tells(&[])
    }

    /// What is reserved on an interface, in multiples of B.
    pub(crate) fn reserved(&self, letter: &str) -> f64 {
        let bps = self.engine.interfaces().find(|(i, _)| i.id == interface(letter)).map_or(0, |(_, bps)| bps);
        bps as f64 / 8000.0
    }

    /// Nothing at all is left in the node.
    #[track_caller]
    pub(crate) fn is_empty(&mut self) -> &mut Self {
        assert!(self.engine.is_empty(), "{:?}: {}", self.family, self.state());
        assert!(self.engine.interfaces().all(|(_, bps)| bps == 0), "{:?}: budgets are free", self.family);
        self
    }

    /// What holds for every message of its type (RFC 2205 sections 3.1.3 to 3.1.9 and 3.3).
    fn audit(&self, sent: &Sent) {
        let message = sent.message();
        let kind = message.msg_type();
        let (_, config) = (0, self.engine.interfaces().find(|(i, _)| i.id == sent.interface));
        let (config, _) = config.expect("a message leaves by an interface that exists");
        assert!(config.up && config.enabled, "nothing leaves by an interface that is down or without RSVP");
        assert_eq!(message.send_ttl(), sent.ttl, "Send_TTL is the IP TTL");
        assert!(sent.ttl > 0 && message.octets()[2..4] != [0, 0], "a TTL and a checksum");
        assert_eq!(sent.get::<Session>().flags(), 0, "E_Police is off behind a node that polices");
        let with_data = matches!(kind, MsgType::PATH | MsgType::PATH_TEAR);
        assert_eq!(sent.router_alert, with_data || kind == MsgType::RESV_CONF, "Router Alert of a {kind}");
        let own = config.address_like(sent.destination).expect("an address of the family");
        if with_data {
            let sender = sent.get::<SenderTemplate>().0.address();
            assert_eq!(sent.source, Source::Foreign(sender), "a {kind} comes from the flow's sender");
            assert_eq!(
                sent.destination,
                sent.get::<Session>().destination(),
                "a {kind} goes where data goes"
            );
        } else {
            assert_eq!(sent.source, Source::Own, "a {kind} comes from this node");
            assert!(!sent.destination.is_multicast(), "a {kind} goes to one node");
        }
        if matches!(kind, MsgType::RESV | MsgType::RESV_TEAR) {
            let neighbour = name(sent.destination)[1..].parse().expect("a neighbour");
            let theirs = RsvpHop { address: own, lih: neighbour_lih(sent.interface, neighbour) };
            assert_eq!(sent.get::<RsvpHop>(), theirs, "the handle the previous hop chose");
        } else if with_data || kind == MsgType::RESV_ERR {
            assert_eq!(sent.get::<RsvpHop>(), RsvpHop { address: own, lih: config.lih });
        }
        if matches!(kind, MsgType::PATH | MsgType::RESV) {
            let refresh_ms = config.refresh.as_millis() as u32;
            assert_eq!(sent.get::<TimeValues>(), TimeValues { refresh_ms }, "R of the interface");
        }
    }

    /// What is charged is what is installed, on every interface.
    fn audit_budgets(&self) {
        for (config, reserved_bps) in self.engine.interfaces() {
            let on = self.engine.reservations().filter(|(_, on, _)| *on == config.id);
            assert_eq!(on.map(|(_, _, r)| r.charge_bps).sum::<u64>(), reserved_bps, "{:?}", config.id);
        }
    }
}

#[track_caller]
fn check(family: Family, what: &str, mut actual: Vec<String>, expected: &[&str]) {
    let mut expected = expected.to_vec();
    actual.sort();
    expected.sort_unstable();
    assert_eq!(actual, expected, "{family:?}: {what}");
}

fn reservation_name(on: InterfaceId, r: &Reservation) -> String {
    let flows = Flows { style: r.style, flows: vec![(Some(r.flowspec), r.filters.clone())] };
    format!("{} {}", interface_name(on), flows.name())
}

fn event_name(event: &Event) -> String {
    let flows = |style, flowspec: &Option<Flowspec>, filters: &[_]| {
        Flows { style, flows: vec![(*flowspec, filters.to_vec())] }.name()
    };
    let said = match &event.kind {
        EventKind::Path { sender, tspec, .. } => {
            format!("Path {}{{{}B}}", sender_name(&sender.0), tspec.rate / 1000.0)
        }
        EventKind::PathGone { sender, why } => format!("PathGone {} {why:?}", sender_name(&sender.0)),
        EventKind::Resv { style, flowspec, filters } => {
            format!("Resv {}", flows(*style, &Some(*flowspec), filters))
        }
        EventKind::ResvGone { style, filters } => format!("ResvGone {}", flows(*style, &None, filters)),
        EventKind::PathError { error, sender } => {
            format!("PathError {} {} at {}", error_name(error), sender_name(&sender.0), name(error.node))
        }
        EventKind::ResvError { error, style, flowspec, filters } => {
            format!(
                "ResvError {} {} at {}",
                error_name(error),
                flows(*style, flowspec, filters),
                name(error.node)
            )
        }
        EventKind::ResvConfirm { node, style, flowspec, filters } => {
            format!("ResvConfirm {} {}", name(*node), flows(*style, flowspec, filters))
        }
    };
    format!("{} {said}", event.app.0)
}
