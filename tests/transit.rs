//! One transit router between a previous hop and a next hop, driven by real messages: shared by the scale test and the
//! engine's benches. Driving it allocates nothing, so that what is counted is the engine's.

#![allow(dead_code, reason = "not every user needs all of it")]

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use rsvp_node::{
    Config, Engine, Host, Input, Instant, Interface, InterfaceId, Limits, Outcome, Output, Route,
    RouteAnswer, RouteQuery, Rx,
};
use rsvp_wire::{
    AdspecSummary, FilterSpec, Flowspec, GeneralParams, GuaranteedParams, MessageWriter, MsgType, RsvpHop,
    SenderTemplate, SenderTspec, ServiceParams, Session, Style, TimeValues, Tspec,
};

/// The interface towards the senders.
pub(crate) const UPSTREAM: InterfaceId = InterfaceId(1);
/// The interface towards the receivers.
pub(crate) const DOWNSTREAM: InterfaceId = InterfaceId(2);

/// Routes everything downstream.
pub(crate) struct Downstream;

impl Host for Downstream {
    fn route(&mut self, _: RouteQuery) -> RouteAnswer {
        RouteAnswer::Known(Route { incoming: None, outgoing: [DOWNSTREAM].into_iter().collect() })
    }
}

/// The router, its clock, and the buffers that messages are made in.
pub(crate) struct Transit {
    /// The router's engine.
    pub(crate) engine: Engine,
    /// The time.
    pub(crate) now: Instant,
    /// Messages it has sent so far.
    pub(crate) sent: u64,
    wake: Option<Instant>,
    buffer: Box<[u8]>,
}

impl Transit {
    /// A router that can hold `sessions` sessions.
    pub(crate) fn new(sessions: u32) -> Self {
        let limits = Limits { sessions, ..Limits::default() };
        let mut engine = Engine::new(Config { seed: 1, limits, ..Config::default() });
        for (id, net) in [(UPSTREAM, 1), (DOWNSTREAM, 2)] {
            let mut interface = Interface::new(id);
            interface.ipv4 = Some(Ipv4Addr::new(192, 0, net, 1));
            // Its Paths come from the neighbour, whoever the sender is.
            interface.proxies = true;
            interface.bandwidth_bps = 400_000_000_000;
            interface.reservable_bps = 400_000_000_000;
            engine.handle(Instant::ZERO, Input::InterfaceChanged(interface), &mut Downstream);
        }
        Self { engine, now: Instant::from_millis(1), sent: 0, wake: None, buffer: vec![0; 2048].into() }
    }

    /// Hands a message to the engine and drains it.
    pub(crate) fn receive(&mut self, interface: InterfaceId, destination: IpAddr, octets: &[u8]) -> Outcome {
        let source = neighbour(interface);
        let rx = Rx { interface, source, destination, ttl: 62, octets };
        let outcome = self.engine.handle(self.now, Input::Packet(rx), &mut Downstream);
        self.drain();
        outcome
    }

    /// The Path of session `n`, as the previous hop sends it.
    pub(crate) fn path(&mut self, octets: &[u8], n: u32) -> Outcome {
        self.receive(UPSTREAM, IpAddr::V4(destination(n)), octets)
    }

    /// The Resv of a session, as the next hop sends it.
    pub(crate) fn resv(&mut self, octets: &[u8]) -> Outcome {
        self.receive(DOWNSTREAM, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), octets)
    }

    /// Moves the clock and does everything that is due by then.
    pub(crate) fn advance(&mut self, micros: u64) {
        let end = Instant(self.now.0 + micros);
        while let Some(at) = self.drain().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.engine.handle(self.now, Input::Timer, &mut Downstream);
        }
        self.now = end;
    }

    /// Lets time pass until `count` more messages have left.
    pub(crate) fn send(&mut self, count: u64) {
        let mut left = count;
        while left > 0 {
            match self.engine.poll(self.now, &mut self.buffer) {
                Output::Transmit(_) => left -= 1,
                Output::Idle { until, .. } => {
                    self.now = self.now.max(until.expect("state that is refreshed"));
                    self.engine.handle(self.now, Input::Timer, &mut Downstream);
                }
                Output::NeedSpace(need) => panic!("a message of {need} octets"),
                _ => {}
            }
        }
        self.sent += count;
    }

    /// Gives an interface another refresh period; meant for one that nothing was sent on yet.
    pub(crate) fn refresh_every(&mut self, interface: InterfaceId, period: Duration) {
        let mut config =
            self.engine.interfaces().find(|(i, _)| i.id == interface).expect("an interface").0.clone();
        config.refresh = period;
        self.engine.handle(self.now, Input::InterfaceChanged(config), &mut Downstream);
        self.drain();
    }

    /// When it wants to be woken.
    pub(crate) fn wake(&self) -> Option<Instant> {
        self.wake
    }

    /// One step that time asks for.
    pub(crate) fn tick(&mut self) {
        self.engine.handle(self.now, Input::Timer, &mut Downstream);
        self.drain();
    }

    /// Takes all that the router says now.
    pub(crate) fn drain(&mut self) -> Option<Instant> {
        loop {
            match self.engine.poll(self.now, &mut self.buffer) {
                Output::Transmit(_) => self.sent += 1,
                Output::Idle { until, .. } => {
                    self.wake = until;
                    return until;
                }
                Output::NeedSpace(need) => panic!("a message of {need} octets"),
                _ => {}
            }
        }
    }
}

fn neighbour(interface: InterfaceId) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, interface.0 as u8, 2))
}

fn destination(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0000 + n)
}

fn session(n: u32) -> Session {
    Session::new(IpAddr::V4(destination(n)), 17, 5000)
}

fn sender(n: u32) -> FilterSpec {
    FilterSpec::new(IpAddr::V4(Ipv4Addr::from(0x0b00_0000 + n)), 4000)
}

fn tspec() -> Tspec {
    Tspec {
        rate: 125_000.0,
        bucket: 15_000.0,
        peak: f32::INFINITY,
        min_policed_unit: 64,
        max_packet_size: 1500,
    }
}

/// Writes the Path of session `n` with a full ADSPEC: 172 octets.
pub(crate) fn write_path(buffer: &mut [u8], n: u32) -> &[u8] {
    let mut writer = MessageWriter::new(buffer, MsgType::PATH, 62);
    let global = GeneralParams { break_bit: false, hops: 1, bandwidth: 1.25e8, latency_us: 500, mtu: 1500 };
    writer
        .put(&session(n))
        .put(&RsvpHop { address: neighbour(UPSTREAM), lih: 7 })
        .put(&TimeValues { refresh_ms: 30_000 })
        .put(&SenderTemplate(sender(n)))
        .put(&SenderTspec::from(tspec()))
        .put(&AdspecSummary {
            global,
            guaranteed: Some(GuaranteedParams {
                ctot: 1500,
                dtot: 10,
                csum: 1500,
                dsum: 10,
                ..Default::default()
            }),
            controlled_load: Some(ServiceParams::default()),
            null: None,
        });
    writer.finish().expect("room for a Path")
}

/// Writes the FF Resv of session `n`, Controlled-Load.
pub(crate) fn write_resv(buffer: &mut [u8], n: u32) -> &[u8] {
    write_resv_of(buffer, n, &Request { style: Style::FF, next_hop: 2, rate: tspec().rate })
}

/// What a next hop asks for.
pub(crate) struct Request {
    /// The style, FF or SE.
    pub(crate) style: Style,
    /// The last octet of its address.
    pub(crate) next_hop: u8,
    /// The token rate in octets a second.
    pub(crate) rate: f32,
}

/// Writes the Resv in which a next hop asks for the sender of session `n`, Controlled-Load.
pub(crate) fn write_resv_of<'b>(buffer: &'b mut [u8], n: u32, request: &Request) -> &'b [u8] {
    let mut writer = MessageWriter::new(buffer, MsgType::RESV, 64);
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, DOWNSTREAM.0 as u8, request.next_hop));
    writer
        .put(&session(n))
        .put(&RsvpHop { address, lih: DOWNSTREAM.0 })
        .put(&TimeValues { refresh_ms: 30_000 })
        .put(&request.style)
        .put(&Flowspec::ControlledLoad(Tspec { rate: request.rate, ..tspec() }))
        .put(&sender(n));
    writer.finish().expect("room for a Resv")
}

/// Writes the PathTear of session `n`.
pub(crate) fn write_path_tear(buffer: &mut [u8], n: u32) -> &[u8] {
    let mut writer = MessageWriter::new(buffer, MsgType::PATH_TEAR, 62);
    writer
        .put(&session(n))
        .put(&RsvpHop { address: neighbour(UPSTREAM), lih: 7 })
        .put(&SenderTemplate(sender(n)));
    writer.finish().expect("room for a PathTear")
}

/// Writes the ResvTear of what [`write_resv`] asks for.
pub(crate) fn write_resv_tear(buffer: &mut [u8], n: u32) -> &[u8] {
    let mut writer = MessageWriter::new(buffer, MsgType::RESV_TEAR, 64);
    writer
        .put(&session(n))
        .put(&RsvpHop { address: neighbour(DOWNSTREAM), lih: DOWNSTREAM.0 })
        .put(&Style::FF)
        .put(&sender(n));
    writer.finish().expect("room for a ResvTear")
}
