//! The prober: a thread that measures one way at a time. Whoever has to wait for that is not the daemon's loop.

use super::message::{Header, Kind, LONG, MOST, read_arrivals};
use super::{connection, trains};
use crate::flow_service::{Measured, Target};
use rsvp_control::flows::Fundamentals;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Packets of a train.
const PACKETS: u16 = 60;
/// How long an answer is waited for, how often it is asked for.
const PATIENCE: Duration = Duration::from_millis(300);
const TIMES: usize = 2;
/// Echoes: the quickest counts.
const ECHOES: u32 = 5;
/// From this rate on no train is sent at a rate: no clock here is so exact.
const MOST_PACED: u64 = 200_000_000;
/// A train takes no longer than this; a link on which it would is measured by what came.
const LONGEST_TRAIN: Duration = Duration::from_secs(2);
/// Octets of an IP packet of a train beside what UDP carries: of IPv4, of IPv6.
const HEADERS: [usize; 2] = [28, 48];

/// The prober as the daemon's loop has it.
pub(crate) struct Prober {
    orders: Option<Sender<Target>>,
    measured: UnboundedReceiver<(Target, Measured)>,
}

impl Prober {
    /// Starts the thread in the network namespace of this one.
    pub(crate) fn start(port: u16) -> io::Result<Self> {
        let (orders, targets) = channel::<Target>();
        let (sender, measured) = unbounded_channel();
        std::thread::Builder::new().name("prober".to_owned()).spawn(move || {
            let mut number = 0;
            while let Ok(target) = targets.recv() {
                let found = measure(target.host, port, &mut number).ok().flatten();
                let found = found.or_else(|| {
                    let (cookie, port) = target.connection?;
                    connection::look(cookie, port)
                });
                if sender.send((target, found)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { orders: Some(orders), measured })
    }

    /// Has a way measured.
    pub(crate) fn measure(&self, target: Target) {
        // A thread that is gone measures nothing: who asks waits for its patience.
        let _ = self.orders.as_ref().map(|orders| orders.send(target));
    }

    /// What was measured; for ever nothing once the thread is gone.
    pub(crate) async fn measured(&mut self) -> (Target, Measured) {
        match self.measured.recv().await {
            Some(measured) => measured,
            None => std::future::pending().await,
        }
    }
}

/// An exchange with a responder.
struct Exchange {
    socket: UdpSocket,
    cookie: u64,
    number: u32,
    /// Octets of an IP packet of a train.
    packet: usize,
}

/// What is measured with the help of the other side; nothing where nobody answers.
fn measure(host: IpAddr, port: u16, number: &mut u32) -> io::Result<Measured> {
    let (any, headers): (IpAddr, usize) = match host {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), HEADERS[0]),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), HEADERS[1]),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(SocketAddr::new(host, port))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    *number = number.wrapping_add(1);
    let mut exchange = Exchange { socket, cookie: 0, number: *number, packet: LONG + headers };
    let Some((hello, ..)) = exchange.ask(Kind::Hello, Kind::Cookie)? else { return Ok(None) };
    exchange.cookie = hello.cookie;
    let round_trip = exchange.round_trip()?;
    let bottleneck = exchange.train(None, number)?;
    let available = match bottleneck {
        Some(bottleneck) if bottleneck <= MOST_PACED => {
            exchange.train(Some(bottleneck), number)?.map(|came| trains::available_bps(bottleneck, came))
        }
        other => other,
    };
    Ok(Some(Fundamentals {
        bottleneck_bps: bottleneck,
        available_bps: available,
        round_trip_us: round_trip.and_then(|time| u64::try_from(time.as_micros()).ok()),
        by: "responder".to_owned(),
    }))
}

impl Exchange {
    fn header(&self, kind: Kind, index: u16) -> Header {
        Header { kind, index, cookie: self.cookie, number: self.number, count: PACKETS }
    }

    /// Asks until there is an answer; with how long it took.
    fn ask(&self, question: Kind, answer: Kind) -> io::Result<Option<(Header, Vec<u8>, Duration)>> {
        let mut octets = [0; 2 * LONG];
        for _ in 0..TIMES {
            let started = Instant::now();
            self.socket.send(&self.header(question, 0).question())?;
            while let Some(left) = PATIENCE.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
                self.socket.set_read_timeout(Some(left))?;
                match self.socket.recv(&mut octets) {
                    Ok(length) => {
                        let took = started.elapsed();
                        let octets = octets.get(..length).unwrap_or_default();
                        let header = Header::read(octets);
                        if let Some(header) = header.filter(|h| h.kind == answer && h.number == self.number) {
                            return Ok(Some((header, octets.to_vec(), took)));
                        }
                    }
                    Err(error)
                        if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
                    {
                        break;
                    }
                    // Nobody listens there.
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(None)
    }

    fn round_trip(&self) -> io::Result<Option<Duration>> {
        let mut quickest: Option<Duration> = None;
        for _ in 0..ECHOES {
            let Some((.., took)) = self.ask(Kind::Ping, Kind::Pong)? else { break };
            quickest = Some(quickest.map_or(took, |quickest| quickest.min(took)));
        }
        Ok(quickest)
    }

    /// Sends a train, at once or at a rate; the rate at which it came.
    fn train(&mut self, at_bps: Option<u64>, number: &mut u32) -> io::Result<Option<u64>> {
        *number = number.wrapping_add(1);
        self.number = *number;
        let gap = at_bps.map(|bps| Duration::from_nanos(self.packet as u64 * 8 * 1_000_000_000 / bps.max(1)));
        let gap = gap.filter(|gap| *gap * u32::from(PACKETS) <= LONGEST_TRAIN);
        let started = Instant::now();
        for index in 0..PACKETS {
            if let Some(gap) = gap {
                wait_until(started + gap * u32::from(index));
            }
            // A packet for which there is no room is one that does not come.
            match self.socket.send(&self.header(Kind::Train, index).question()) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
        // What was sent last has come when the answer to what is sent now does.
        let Some((_, octets, _)) = self.ask_patiently()? else { return Ok(None) };
        let mut arrivals = read_arrivals(&octets);
        arrivals.truncate(MOST);
        Ok(trains::rate_bps(&arrivals, self.packet))
    }

    /// Asks for what came: a train may take its time on a narrow link.
    fn ask_patiently(&self) -> io::Result<Option<(Header, Vec<u8>, Duration)>> {
        for _ in 0..4 {
            if let Some(answer) = self.ask(Kind::Ask, Kind::Came)? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }
}

/// Sleeps, and for the last of it looks at the clock.
fn wait_until(at: Instant) {
    const EXACT: Duration = Duration::from_micros(150);
    loop {
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        if left > EXACT {
            std::thread::park_timeout(left - EXACT);
        } else {
            std::hint::spin_loop();
        }
    }
}
