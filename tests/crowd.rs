//! A transit router with one unicast session of many senders and many requests, driven by real messages: shared by the test that
//! counts what a message costs and the bench that measures it.

#![allow(dead_code, reason = "not every user needs all of it")]

use core::net::{IpAddr, Ipv4Addr};
use rsvp_node::{
    Config, Engine, Host, Input, Instant, Interface, InterfaceId, Outcome, Output, Route, RouteAnswer,
    RouteQuery, Rx,
};
use rsvp_wire::{
    ErrorCode, ErrorSpec, FilterSpec, Flowspec, MessageWriter, MsgType, RsvpHop, SenderTemplate, SenderTspec,
    Session, Sharing, Style, TimeValues, Tspec, error_value,
};

const UPSTREAM: InterfaceId = InterfaceId(1);
const DOWNSTREAM: InterfaceId = InterfaceId(2);

struct Downstream;

impl Host for Downstream {
    fn route(&mut self, _: RouteQuery) -> RouteAnswer {
        RouteAnswer::Known(Route { incoming: None, outgoing: [DOWNSTREAM].into_iter().collect() })
    }
}

/// What there is of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) style: Style,
    pub(crate) senders: u16,
    pub(crate) previous_hops: u16,
    pub(crate) requests: u16,
    /// Filters of a request.
    pub(crate) filters: u16,
}

/// The router.
pub(crate) struct Crowd {
    pub(crate) engine: Engine,
    pub(crate) shape: Shape,
    now: Instant,
    wake: Option<Instant>,
    buffer: Box<[u8]>,
    /// Messages it has sent so far, and their octets.
    pub(crate) sent: u64,
    pub(crate) octets_sent: usize,
    /// How what a step costs is read: the difference of two readings.
    meter: fn(&Engine) -> u64,
    /// The most that one call of `handle` or `poll` has cost since this was set.
    pub(crate) longest: u64,
}

impl Crowd {
    /// With the path states, and without requests.
    pub(crate) fn new(shape: Shape, meter: fn(&Engine) -> u64) -> Self {
        let mut engine = Engine::new(Config { seed: 1, ..Config::default() });
        for id in [UPSTREAM, DOWNSTREAM] {
            let interface = Self::interface(id, 1 << 50);
            engine.handle(Instant::ZERO, Input::InterfaceChanged(interface), &mut Downstream);
        }
        let buffer = vec![0; 65_535].into();
        let now = Instant::from_millis(1);
        let mut crowd =
            Self { engine, shape, now, wake: None, buffer, sent: 0, octets_sent: 0, meter, longest: 0 };
        (0..shape.senders).for_each(|sender| crowd.path(sender, 1e6));
        crowd
    }

    fn interface(id: InterfaceId, reservable_bps: u64) -> Interface {
        let [.., net] = id.0.to_be_bytes();
        let mut interface = Interface::new(id);
        (interface.lih, interface.ipv4) = (id.0, Some(Ipv4Addr::new(192, 0, net, 1)));
        (interface.proxies, interface.bandwidth_bps) = (true, 1 << 50);
        interface.reservable_bps = reservable_bps;
        interface
    }

    /// No more than this can be reserved from now on.
    pub(crate) fn reserve_at_most(&mut self, bps: u64) {
        self.handle(Input::InterfaceChanged(Self::interface(DOWNSTREAM, bps)));
        self.drain();
    }

    fn session() -> Session {
        Session::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 17, 5000)
    }

    pub(crate) fn sender(n: u16) -> FilterSpec {
        FilterSpec::new(IpAddr::V4(Ipv4Addr::new(11, 0, 0, 1)), 1000 + n)
    }

    fn previous_hop(&self, n: u16) -> IpAddr {
        let n = n % self.shape.previous_hops;
        IpAddr::V4(Ipv4Addr::from_bits(0xc080_0101 + u32::from(n)))
    }

    fn next_hop(n: u16) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(0xc040_0101 + u32::from(n)))
    }

    pub(crate) fn flowspec(rate: f32) -> Flowspec {
        let tspec =
            Tspec { rate, bucket: 1e3, peak: f32::INFINITY, min_policed_unit: 64, max_packet_size: 1500 };
        Flowspec::ControlledLoad(tspec)
    }

    fn octets(msg_type: MsgType, hop: RsvpHop, put: impl Fn(&mut MessageWriter<'_>)) -> Vec<u8> {
        let mut buffer = vec![0; 65_535];
        let mut writer = MessageWriter::new(&mut buffer, msg_type, 62);
        writer.put(&Self::session()).put(&hop);
        put(&mut writer);
        writer.finish().expect("room").to_vec()
    }

    /// The filters of a request.
    pub(crate) fn filters(&self, request: u16) -> impl Iterator<Item = u16> + Clone {
        let Shape { senders, filters, .. } = self.shape;
        (0..filters).map(move |n| (n + request) % senders)
    }

    fn put_flows(style: Style, w: &mut MessageWriter<'_>, rate: f32, filters: impl Iterator<Item = u16>) {
        w.put(&style);
        if style.options == Style::WF.options {
            w.put(&Self::flowspec(rate));
            return;
        }
        for (n, filter) in filters.enumerate() {
            if n == 0 || style.sharing() == Sharing::Distinct {
                w.put(&Self::flowspec(rate));
            }
            w.put(&Self::sender(filter));
        }
    }

    /// A Path of a sender that announces a rate.
    pub(crate) fn path(&mut self, sender: u16, rate: f32) {
        let hop = RsvpHop { address: self.previous_hop(sender), lih: 7 };
        let tspec = *Self::flowspec(rate).tspec();
        let octets = Self::octets(MsgType::PATH, hop, |w| {
            w.put(&TimeValues { refresh_ms: 30_000 });
            w.put(&SenderTemplate(Self::sender(sender))).put(&SenderTspec::from(tspec));
        });
        self.receive(UPSTREAM, hop.address, Self::session().destination(), &octets);
    }

    /// A PathTear of a sender.
    pub(crate) fn path_tear(&mut self, sender: u16) {
        let hop = RsvpHop { address: self.previous_hop(sender), lih: 7 };
        let octets = Self::octets(MsgType::PATH_TEAR, hop, |w| {
            w.put(&SenderTemplate(Self::sender(sender)));
        });
        self.receive(UPSTREAM, hop.address, Self::session().destination(), &octets);
    }

    /// The same, and it may be refused.
    pub(crate) fn resv_in_vain(&mut self, request: u16, rate: f32) {
        let (style, filters) = (self.shape.style, self.filters(request).collect::<Vec<u16>>());
        self.resv_saying(request, |w| Self::put_flows(style, w, rate, filters.iter().copied()));
    }

    /// A Resv of a next hop that asks for a rate.
    pub(crate) fn resv(&mut self, request: u16, rate: f32) {
        self.receive_from_next_hop(MsgType::RESV, request, rate);
    }

    /// A Resv that says what is put into it, and may be refused. Returns its length.
    pub(crate) fn resv_saying(&mut self, request: u16, put: impl Fn(&mut MessageWriter<'_>)) -> usize {
        let hop = RsvpHop { address: Self::next_hop(request), lih: DOWNSTREAM.0 };
        let octets = Self::octets(MsgType::RESV, hop, |w| {
            w.put(&TimeValues { refresh_ms: 30_000 });
            put(w);
        });
        self.outcome(DOWNSTREAM, hop.address, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), &octets);
        octets.len()
    }

    /// The ResvTear of the same.
    pub(crate) fn resv_tear(&mut self, request: u16) {
        self.receive_from_next_hop(MsgType::RESV_TEAR, request, 1e3);
    }

    fn receive_from_next_hop(&mut self, msg_type: MsgType, request: u16, rate: f32) {
        let hop = RsvpHop { address: Self::next_hop(request), lih: DOWNSTREAM.0 };
        let octets = Self::octets(msg_type, hop, |w| {
            if msg_type == MsgType::RESV {
                w.put(&TimeValues { refresh_ms: 30_000 });
            }
            Self::put_flows(self.shape.style, w, rate, self.filters(request));
        });
        self.receive(DOWNSTREAM, hop.address, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), &octets);
    }

    /// A ResvErr of the first previous hop: so much failed for the senders behind it that a request names.
    pub(crate) fn resv_err(&mut self, rate: f32) {
        let hop = RsvpHop { address: self.previous_hop(0), lih: 7 };
        let octets = Self::octets(MsgType::RESV_ERR, hop, |w| {
            let (code, value) = (ErrorCode::ADMISSION_CONTROL, error_value::BANDWIDTH_UNAVAILABLE);
            w.put(&ErrorSpec { node: hop.address, flags: 0, code, value });
            let behind = |n: &u16| n.is_multiple_of(self.shape.previous_hops);
            Self::put_flows(self.shape.style, w, rate, self.filters(0).filter(behind));
        });
        self.receive(UPSTREAM, hop.address, IpAddr::V4(Ipv4Addr::new(192, 0, 1, 1)), &octets);
    }

    fn receive(&mut self, interface: InterfaceId, source: IpAddr, destination: IpAddr, octets: &[u8]) {
        assert_eq!(self.outcome(interface, source, destination, octets), Outcome::Taken);
    }

    /// Has a message arrive, and does all that follows.
    fn outcome(
        &mut self,
        interface: InterfaceId,
        source: IpAddr,
        destination: IpAddr,
        octets: &[u8],
    ) -> Outcome {
        let rx = Rx { interface, source, destination, ttl: 62, octets };
        let outcome = self.handle(Input::Packet(rx));
        while self.drain() == Some(self.now) {
            self.handle(Input::Timer);
        }
        outcome
    }

    /// Does the next step that time asks for.
    pub(crate) fn step(&mut self) {
        self.now = self.now.max(self.wake.expect("state that is refreshed"));
        self.handle(Input::Timer);
        self.drain();
    }

    fn handle(&mut self, input: Input<'_>) -> Outcome {
        let before = (self.meter)(&self.engine);
        let outcome = self.engine.handle(self.now, input, &mut Downstream);
        self.longest = self.longest.max((self.meter)(&self.engine) - before);
        outcome
    }

    fn drain(&mut self) -> Option<Instant> {
        loop {
            let before = (self.meter)(&self.engine);
            let output = self.engine.poll(self.now, &mut self.buffer);
            let idle = match output {
                Output::Transmit(transmit) => {
                    self.sent += 1;
                    self.octets_sent += transmit.octets.len();
                    None
                }
                Output::Idle { until, .. } => Some(until),
                Output::NeedSpace(need) => panic!("a message of {need} octets"),
                _ => None,
            };
            self.longest = self.longest.max((self.meter)(&self.engine) - before);
            if let Some(until) = idle {
                self.wake = until;
                return until;
            }
        }
    }
}
