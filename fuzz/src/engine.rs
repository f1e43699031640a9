//! A node fed with whatever the octets say: messages sound, mutated, cut off and made up, commands of applications,
//! changes of interfaces and routes, and time.
//!
//! After every step what is promised of a node at any time is looked at; when the octets are used up the world falls
//! silent, and what is not an application's has to go away.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use rsvp_node::{
    AdspecOffer, AppId, Carried, Claim, Command, Config, Engine, FlowRequest, Held, Host, Input, Instant,
    Interface, InterfaceId, Limits, Outcome, Output, Requester, Reservation, ReservationId, Route,
    RouteAnswer, RouteQuery, Rx, TcChange,
};
use rsvp_wire::{
    AdspecSummary, ErrorCode, ErrorSpec, FilterSpec, Flowspec, GeneralParams, GuaranteedParams, Message,
    MessageWriter, MsgType, ResvConfirm, Rspec, RsvpHop, SenderSelection, SenderTemplate, SenderTspec,
    ServiceParams, Session, Style, TimeValues, Tspec,
};
use std::collections::BTreeMap;

const INTERFACES: u8 = 4;
const APPS: u32 = 3;
/// Longer than the longest lifetime a message can ask for: (3 + 0.5) * 1.5 * 2^32 ms.
const FOREVER: Duration = Duration::from_secs(300 * 24 * 3600);

/// The octets, taken one by one; zeros when they are used up.
struct Script<'a> {
    octets: &'a [u8],
    /// Whether there are sessions with virtual ports (RFC 2207), too, and flows that nobody signals.
    has_more: bool,
}

/// From this first octet on a script has more.
const MORE: u8 = 0xc0;
/// The bit of a session's number that gives it a virtual port, where a script has these.
const VIRTUAL: u8 = 0x10;

impl Script<'_> {
    fn octet(&mut self) -> u8 {
        let Some((first, rest)) = self.octets.split_first() else { return 0 };
        self.octets = rest;
        *first
    }

    fn below(&mut self, n: u8) -> u8 {
        self.octet() % n
    }

    fn session(&mut self) -> Session {
        let n = self.octet();
        session(if self.has_more { n } else { n & !VIRTUAL })
    }

    /// A sender of a session; some are of the other kind, which no session has.
    fn sender(&mut self, of: &Session) -> FilterSpec {
        let n = self.octet();
        let is_other = self.has_more && n >= 0xe0;
        sender(of.destination().is_ipv4(), of.is_gpi() != is_other, n)
    }
}

/// Routes that the script changes: for each sender address, what the last octet of it says.
struct Routes([u8; 8]);

impl Host for Routes {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        let last = match query.source.unwrap_or(query.destination) {
            IpAddr::V4(a) => a.octets()[3],
            IpAddr::V6(a) => a.octets()[15],
        };
        let said = self.0[usize::from(last % 8)];
        match said {
            255 => return RouteAnswer::NoRoute,
            254 => return RouteAnswer::Pending,
            _ => {}
        }
        let outgoing = (1..=INTERFACES).filter(|i| said & (1 << i) != 0).map(|i| InterfaceId(i.into()));
        let incoming = (said & 1 != 0).then_some(InterfaceId(u32::from(said >> 5)));
        RouteAnswer::Known(Route { incoming, outgoing: outgoing.collect() })
    }
}

/// The node, and a data plane that does what it is told.
struct World {
    engine: Engine,
    now: Instant,
    wake: Option<Instant>,
    routes: Routes,
    installed: BTreeMap<ReservationId, (InterfaceId, Reservation)>,
    reserved_bps: BTreeMap<InterfaceId, u64>,
    /// What flows have that nobody signals, by interface and number.
    claims: BTreeMap<(InterfaceId, u32), u64>,
    buffer: Vec<u8>,
}

/// Runs a script of octets against one node.
///
/// # Panics
/// When a promise of the engine is broken.
pub fn engine_packets(data: &[u8]) {
    let has_more = data.first().is_some_and(|first| *first >= MORE);
    let mut script = Script { octets: data, has_more };
    let limits = Limits {
        sessions: 3,
        senders_per_session: 5,
        requests_per_session: 4,
        filters_per_request: 4,
        queue: 16,
        ..Limits::default()
    };
    let mut world = World {
        engine: Engine::new(Config { seed: u64::from(script.octet()), limits, ..Config::default() }),
        now: Instant::from_millis(1),
        wake: None,
        routes: Routes([0b0_1101, 0b10_1100, 0b100_1101, 0b1_1000, 0b1100, 0b1_0110, 255, 254]),
        installed: BTreeMap::new(),
        reserved_bps: BTreeMap::new(),
        claims: BTreeMap::new(),
        buffer: Vec::new(),
    };
    for id in 1..=INTERFACES {
        world.input(Input::InterfaceChanged(interface(id)));
    }
    while !script.octets.is_empty() {
        step(&mut world, &mut script);
        world.check();
    }
    silence(&mut world, data.len().is_multiple_of(2));
}

fn step(world: &mut World, script: &mut Script<'_>) {
    match script.below(16) {
        0..=6 => {
            let (rx, octets) = message(script);
            world.packet(rx, &octets);
        }
        7 => {
            let (rx, mut octets) = message(script);
            octets[2..4].fill(0);
            for _ in 0..=script.below(3) {
                let at = usize::from(script.octet()) % octets.len();
                octets[at] ^= script.octet();
            }
            world.packet(rx, &octets);
        }
        8 => {
            let (rx, octets) = message(script);
            let end = usize::from(script.octet()) % (octets.len() + 1);
            world.packet(rx, &octets[..end]);
        }
        9 => {
            let (rx, _) = message(script);
            let (raw, rest) = script.octets.split_at(script.octets.len().min(64));
            script.octets = rest;
            world.packet(rx, raw);
        }
        10 | 11 => command(world, script),
        12 => {
            let mut changed = interface(1 + script.below(INTERFACES));
            changed.reservable_bps = [8_000, 80_000, 800_000, u64::MAX][usize::from(script.below(4))];
            changed.up = script.below(4) != 0;
            changed.enabled = script.below(4) != 0;
            changed.mtu = 1000 + u32::from(script.below(2)) * 500;
            world.input(Input::InterfaceChanged(changed));
        }
        13 => {
            let at = usize::from(script.below(8));
            world.routes.0[at] = script.octet();
            let destination = script.session().destination();
            let destination = (script.below(2) == 0).then_some(destination);
            world.input(Input::RouteChanged { destination });
        }
        14 if script.has_more => claim(world, script),
        15 if script.has_more && script.below(2) == 0 => {
            let bps = [0, 8_000, 80_000, u64::MAX][usize::from(script.below(4))];
            let (interface, guaranteed) = (on(script), script.below(2) == 0);
            world.input(Input::Held(Held { interface, session: script.session(), guaranteed, bps }));
        }
        _ => world.pass(Duration::from_millis(u64::from(script.octet()) * u64::from(script.octet()))),
    }
}

impl World {
    fn packet(&mut self, rx: Rx<'_>, octets: &[u8]) {
        self.input(Input::Packet(Rx { octets, ..rx }));
    }

    fn input(&mut self, input: Input<'_>) -> Outcome {
        let outcome = self.engine.handle(self.now, input, &mut self.routes);
        for _ in 0..100_000 {
            match self.engine.poll(self.now, &mut self.buffer) {
                Output::NeedSpace(need) => {
                    assert!(need > self.buffer.len(), "space is asked for only when there is too little");
                    self.buffer.resize(need, 0);
                }
                Output::Idle { until, .. } => {
                    self.wake = until;
                    return outcome;
                }
                Output::TrafficControl(told) => match told.change {
                    TcChange::Install(r) => {
                        drop(self.installed.insert(told.reservation, (told.interface, r)))
                    }
                    TcChange::Remove => {
                        let removed = self.installed.remove(&told.reservation);
                        assert!(removed.is_some(), "only what was installed is removed");
                    }
                },
                Output::Transmit(sent) => {
                    let message = Message::parse(sent.octets).expect("a sound message leaves");
                    assert_eq!(message.send_ttl(), sent.ttl);
                    let kind = message.msg_type();
                    let alert = matches!(kind, MsgType::PATH | MsgType::PATH_TEAR | MsgType::RESV_CONF);
                    assert_eq!(sent.router_alert, alert);
                    let (config, _) =
                        self.engine.interfaces().find(|(i, _)| i.id == sent.interface).expect("it exists");
                    assert!(config.up && config.enabled);
                }
                _ => {}
            }
        }
        panic!("one input has no end of outputs");
    }

    fn does(&mut self, command: Command<'_>) {
        self.input(Input::Command(command));
    }

    /// Has a flow that nobody signals take its share of an interface, or give it back.
    fn claim(&mut self, claim: Claim) {
        let Claim { flow, interface, flowspec } = claim;
        let reserved = |world: &Self| {
            world.engine.interfaces().find(|(i, _)| i.id == interface).map_or(0, |(_, bps)| bps)
        };
        let before = reserved(self);
        let outcome = self.input(Input::Command(Command::Claim(claim)));
        let had = self.claims.get(&(interface, flow)).copied().unwrap_or(0);
        match outcome {
            Outcome::Refused(_) => {
                assert!(flowspec.is_some() && reserved(self) == before, "what is refused changes nothing");
            }
            _ => {
                let has = reserved(self) - (before - had);
                assert!(flowspec.is_some() || has == 0, "what is given back is free");
                self.claims.insert((interface, flow), has);
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let mut at_once = 0;
        while let Some(at) = self.wake.filter(|at| *at <= end) {
            at_once = if at > self.now { 0 } else { at_once + 1 };
            assert!(at_once < 1000, "a node that never sleeps");
            self.now = self.now.max(at);
            self.input(Input::Timer);
            self.check();
        }
        self.now = end;
    }

    /// What is promised at any time.
    fn check(&mut self) {
        let held: BTreeMap<_, _> = self.engine.reservations().map(|(id, on, r)| (id, (on, r))).collect();
        assert_eq!(held, self.installed, "the data plane has what the node says");
        for (config, reserved_bps) in self.engine.interfaces() {
            let on = held.values().filter(|(on, _)| *on == config.id).map(|(_, r)| u128::from(r.charge_bps));
            let claims = self.claims.iter().filter(|((on, _), _)| *on == config.id);
            let all = on.chain(claims.map(|(_, bps)| u128::from(*bps))).sum::<u128>();
            assert_eq!(all, u128::from(reserved_bps), "charges add up");
            let before = self.reserved_bps.insert(config.id, reserved_bps).unwrap_or(0);
            assert!(reserved_bps <= config.reservable_bps.max(before), "never more than may be reserved");
        }
        let requests: Vec<_> = self.engine.requests().collect();
        for request in &requests {
            let others = requests.iter().filter(|r| r.session == request.session);
            assert!(others.clone().all(|r| r.style.options == request.style.options), "styles do not mix");
            assert!(others.count() <= 4 && !request.flows.is_empty() && request.flows.len() <= 4);
        }
        for (on, reservation) in held.values() {
            let wildcard = reservation.style.sender_selection() == SenderSelection::Wildcard;
            assert_eq!(wildcard, reservation.filters.is_empty());
            let mut kinds = reservation.filters.iter().map(is_by_index);
            assert!(
                kinds.all(|is| is == reservation.session.is_gpi()),
                "senders are of their session's kind"
            );
            let asked = |r: &&rsvp_node::RequestView| {
                r.session == reservation.session
                    && matches!(r.from, Requester::NextHop { interface, .. } if interface == *on)
            };
            assert!(requests.iter().any(|r| asked(&r)), "nobody asked for this reservation");
        }
    }
}

/// No message comes any more: soft state ends, and with the applications gone nothing is left.
fn silence(world: &mut World, release: bool) {
    for id in 1..=INTERFACES {
        // Refreshes of what has a long life yet would only take time here.
        let refresh = Duration::from_secs(10 * 24 * 3600);
        world.input(Input::InterfaceChanged(Interface { refresh, ..interface(id) }));
    }
    if release {
        for app in 0..APPS {
            for number in (0..4).chain(VIRTUAL..VIRTUAL + 4) {
                world.input(Input::Command(Command::Release { app: AppId(app), session: session(number) }));
            }
        }
    }
    for (interface, flow) in world.claims.keys().copied().collect::<Vec<_>>() {
        world.claim(Claim { flow, interface, flowspec: None });
    }
    world.pass(FOREVER);
    world.check();
    assert_eq!(world.engine.reservations().count(), 0);
    assert_eq!(world.engine.blockades().count(), 0);
    assert!(world.engine.senders().all(|s| s.previous_hop.is_none()));
    assert!(world.engine.requests().all(|r| matches!(r.from, Requester::App(_))));
    assert!(world.engine.interfaces().all(|(_, reserved_bps)| reserved_bps == 0));
    if release {
        assert!(world.engine.is_empty(), "something is left of nothing");
    }
}

fn address(v4: bool, net: u8, host: u8) -> IpAddr {
    if v4 {
        IpAddr::V4(Ipv4Addr::new(10, 0, net, host))
    } else {
        IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, net.into(), 0, 0, 0, host.into()))
    }
}

fn interface(id: u8) -> Interface {
    let mut interface = Interface::new(InterfaceId(id.into()));
    for v4 in [true, false] {
        match address(v4, id, 1) {
            IpAddr::V4(a) => interface.ipv4 = Some(a),
            IpAddr::V6(a) => interface.ipv6 = Some(a),
        }
    }
    interface.lih = 100 + u32::from(id);
    (interface.bandwidth_bps, interface.reservable_bps) = (1_000_000, 80_000);
    // Messages come from anywhere: most would else go no further than that.
    (interface.proxies, interface.hop_sources) = (true, rsvp_node::HopSources::Never);
    interface
}

/// A group and a unicast destination in each family, with a port or a virtual one.
fn session(n: u8) -> Session {
    let to = match n % 4 {
        0 => IpAddr::V4(Ipv4Addr::new(239, 0, 0, 1)),
        1 => address(true, 50, 1),
        2 => IpAddr::V6(Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 0, 1)),
        _ => address(false, 50, 1),
    };
    if n & VIRTUAL == 0 { Session::new(to, 17, 7) } else { Session::gpi(to, 50, 7) }
}

fn sender(v4: bool, by_index: bool, n: u8) -> FilterSpec {
    // The last two are this node's own addresses.
    let n = n % 6;
    let address = if n < 4 { address(v4, 60, n) } else { address(v4, n - 1, 1) };
    if by_index { FilterSpec::gpi(address, 9) } else { FilterSpec::new(address, 9) }
}

fn is_by_index(filter: &FilterSpec) -> bool {
    matches!(filter, FilterSpec::Ipv4Gpi { .. } | FilterSpec::Ipv6Gpi { .. })
}

/// One of the interfaces.
fn on(script: &mut Script<'_>) -> InterfaceId {
    InterfaceId(1 + u32::from(script.below(INTERFACES)))
}

/// A flow that nobody signals comes, changes, or goes.
fn claim(world: &mut World, script: &mut Script<'_>) {
    let (flow, interface) = (u32::from(script.below(3)), on(script));
    let flowspec = (script.below(4) != 0).then(|| flowspec(script));
    world.claim(Claim { flow, interface, flowspec });
}

fn tspec(script: &mut Script<'_>) -> Tspec {
    let rate = [100.0, 1000.0, 2500.0, 10_000.0, f32::MAX, 0.0][usize::from(script.below(6))];
    let max_packet_size = 500 + u32::from(script.below(3)) * 500;
    Tspec { rate, bucket: 1e3, peak: f32::INFINITY, min_policed_unit: 64, max_packet_size }
}

fn flowspec(script: &mut Script<'_>) -> Flowspec {
    let tspec = tspec(script);
    let kind = script.below(8);
    if kind < 6 {
        return Flowspec::ControlledLoad(tspec);
    }
    Flowspec::Guaranteed(tspec, Rspec { rate: tspec.rate, slack: u32::from(kind) })
}

fn style(script: &mut Script<'_>) -> Style {
    [Style::WF, Style::FF, Style::SE, Style { flags: 0, options: 1 }][usize::from(script.octet() % 13 / 4)]
}

/// STYLE and flow descriptors.
fn flows(w: &mut MessageWriter<'_>, script: &mut Script<'_>, of: &Session) {
    let style = style(script);
    w.put(&style).put(&flowspec(script));
    if style.sender_selection() == SenderSelection::Wildcard {
        return;
    }
    w.put(&script.sender(of));
    for _ in 0..script.below(4) {
        if style == Style::FF {
            w.put(&flowspec(script));
        }
        w.put(&script.sender(of));
    }
}

fn adspec() -> AdspecSummary {
    AdspecSummary {
        global: GeneralParams { break_bit: false, hops: 3, bandwidth: 2e6, latency_us: 500, mtu: 9000 },
        guaranteed: Some(GuaranteedParams::default()),
        controlled_load: Some(ServiceParams::default()),
        null: None,
    }
}

/// A message from a neighbour, sound in itself.
fn message(script: &mut Script<'_>) -> (Rx<'static>, Vec<u8>) {
    let msg_type = MsgType([1, 1, 2, 2, 2, 3, 4, 5, 6, 7][usize::from(script.below(10))]);
    let on = 1 + script.below(INTERFACES);
    let session = script.session();
    let v4 = session.destination().is_ipv4();
    let source = address(v4, on, 2 + script.below(2));
    let ttl = [60, 59, 1, 2][usize::from(script.octet() % 10 / 3)];
    let mut buffer = vec![0; 2048];
    let mut w = MessageWriter::new(&mut buffer, msg_type, 60);
    w.put(&session);
    let downstream = matches!(msg_type, MsgType::PATH | MsgType::PATH_TEAR | MsgType::RESV_ERR);
    if !matches!(msg_type, MsgType::PATH_ERR | MsgType::RESV_CONF) {
        let lih = if downstream { 7 } else { 100 + u32::from(1 + script.below(INTERFACES)) };
        w.put(&RsvpHop { address: source, lih });
    }
    if matches!(msg_type, MsgType::PATH | MsgType::RESV) {
        w.put(&TimeValues { refresh_ms: [30_000, 5_000, 90_000, 0][usize::from(script.octet() % 10 / 3)] });
    }
    if matches!(msg_type, MsgType::PATH_ERR | MsgType::RESV_ERR | MsgType::RESV_CONF) {
        let (code, flags) = (script.below(4), script.below(4));
        w.put(&ErrorSpec { node: source, flags, code: ErrorCode(code), value: 2 });
    }
    let mut destination =
        if downstream && msg_type != MsgType::RESV_ERR { session.destination() } else { address(v4, on, 1) };
    if msg_type == MsgType::RESV_CONF {
        destination = address(v4, 1 + script.below(6), 1);
    }
    if msg_type == MsgType::RESV_CONF || (msg_type == MsgType::RESV && script.below(3) == 0) {
        w.put(&ResvConfirm {
            address: if msg_type == MsgType::RESV { address(v4, 70, 1) } else { destination },
        });
    }
    if script.below(4) == 0 {
        w.copy(&[
            0,
            8,
            [0xc0, 0xc1, 0x80, 0x70][usize::from(script.octet() % 13 / 4)],
            1,
            1,
            2,
            3,
            script.below(3),
        ]);
    }
    if matches!(msg_type, MsgType::PATH | MsgType::PATH_TEAR | MsgType::PATH_ERR) {
        w.put(&SenderTemplate(script.sender(&session)));
        if msg_type != MsgType::PATH_TEAR {
            w.put(&SenderTspec::from(tspec(script)));
            if script.below(2) == 0 {
                w.put(&adspec());
            }
        }
    } else {
        flows(&mut w, script, &session);
    }
    let octets = w.finish().expect("room for the message").to_vec();
    (Rx { interface: InterfaceId(on.into()), source, destination, ttl, octets: &[] }, octets)
}

fn command(world: &mut World, script: &mut Script<'_>) {
    let app = AppId(u32::from(script.below(APPS as u8)));
    let session = script.session();
    let interface = match script.below(8) {
        0 => Some(InterfaceId(1 + u32::from(script.below(INTERFACES)))),
        _ => None,
    };
    let own = SenderTemplate(script.sender(&session));
    let filters: Vec<FilterSpec> = (0..script.below(4)).map(|_| script.sender(&session)).collect();
    match script.below(8) {
        0 => world.does(Command::OpenSession { app, session }),
        1 | 2 => {
            let tspec = tspec(script);
            let adspec = Some(AdspecOffer {
                guaranteed: true,
                controlled_load: script.below(2) == 0,
                null: script.below(4) == 0,
            });
            let sender = own;
            let ttl = script.below(3);
            let carried = carried(script);
            world.does(Command::Sender {
                carried: carried.as_ref(),
                app,
                session,
                sender,
                tspec,
                adspec,
                ttl,
                interface,
            });
        }
        3 => world.does(Command::RemoveSender { app, session, sender: own }),
        4 => world.does(Command::ReleaseReservation { app, session }),
        5 => world.does(Command::Release { app, session }),
        _ => {
            let style = style(script);
            let flowspec = flowspec(script);
            let flows: Vec<FlowRequest<'_>> = if style == Style::FF {
                filters.chunks(1).map(|filters| FlowRequest { flowspec, filters }).collect()
            } else {
                vec![FlowRequest { flowspec, filters: if style == Style::WF { &[] } else { &filters } }]
            };
            let confirm = script.below(2) == 0;
            let carried = carried(script);
            let carried = carried.as_ref();
            let reserve =
                Command::Reserve { carried, app, session, style, flows: &flows, confirm, interface };
            world.does(reserve);
        }
    }
}

/// What an application has carried beside, which may be nothing.
fn carried(script: &mut Script<'_>) -> Option<Carried> {
    let carried = Carried::default();
    match script.below(8) {
        1 => carried.with_dclass(&[script.octet(), 46]),
        2 => carried.with_tclass(script.octet()),
        3 => carried.with_policy(&[0, 8, 0, script.octet(), 1, 2, 3, 4]),
        4 => carried.with_dclass(&[10])?.with_tclass(5),
        _ => None,
    }
}
