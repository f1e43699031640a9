//! Datagrams that say when they were sent; the kernel says when it had them where they arrived. Both times are of one clock, and
//! neither waits for a program that is to receive them.

use super::super::super::eventually;
use super::super::super::net::Net;
use super::super::datagrams_sent::{at, from};
use super::stalls::urgently;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use std::io::IoSliceMut;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A machine that was busy for longer than this does not catch up with what it should have sent.
const CATCH_UP: Duration = Duration::from_millis(20);
/// Between looks at what is due.
const NAP: Duration = Duration::from_micros(250);
/// The sequence number of the packet behind the last one, and of those that nobody counts.
const END: u64 = u64::MAX;
const UNCOUNTED: u64 = END - 1;

/// When a flow sends. Rates are in octets per second, IP headers included.
#[derive(Clone, Copy)]
pub(in super::super) enum Pattern {
    /// Evenly, from some time on.
    Steady { rate: u64, from: Duration },
    /// The same, and it makes up for everything that the machine was too late for.
    Flood { rate: u64 },
    /// So many packets at once, and the next as many so much later or more.
    Bursts { packets: u64, every: Duration },
}

/// A flow of packets of one size, with both its ends.
pub(in super::super) struct Flow {
    socket: UdpSocket,
    receiver: UdpSocket,
    /// Octets of a packet from the IP header on.
    packet: usize,
    pub(super) pattern: Pattern,
}

/// What has become of a flow's packets.
pub(super) struct Delays {
    pub(super) sent: u64,
    /// In ascending order.
    pub(super) delays: Vec<Duration>,
}

impl Flow {
    /// A flow between two nodes; addresses with ports.
    pub(in super::super) fn new(
        net: &Net,
        [source, destination]: [(&str, &str); 2],
        packet: usize,
        pattern: Pattern,
    ) -> Self {
        kernel_times();
        let receiver = at(net, destination.0, destination.1);
        setsockopt(&receiver, sockopt::ReceiveTimestampns, &true).expect("times of the kernel");
        let socket = from(net, source.0, source.1, destination.1, 0);
        Self { socket, receiver, packet, pattern }
    }

    /// The same with a mark of its own: a TOS octet.
    pub(in super::super) fn marked(self, tos: u32) -> Self {
        socket2::SockRef::from(&self.socket).set_tos_v4(tos).expect("IP_TOS");
        self
    }

    fn send(&self, octets: &mut [u8], sequence: u64) {
        let payload = &mut octets[..self.packet - 28];
        payload[..8].copy_from_slice(&sequence.to_be_bytes());
        payload[8..16].copy_from_slice(&(now().as_nanos() as u64).to_be_bytes());
        self.socket.send(payload).expect("room");
    }

    /// How many packets are due by now, of which so many are sent. `flowed` is without what the machine was too late by.
    fn due(&self, sent: u64, elapsed: Duration, flowed: Duration, free_from: &mut Duration) -> u64 {
        let by_rate =
            |rate: u64, time: Duration| rate * time.as_micros() as u64 / 1_000_000 / self.packet as u64;
        match self.pattern {
            Pattern::Steady { rate, from } => by_rate(rate, flowed.saturating_sub(from)),
            Pattern::Flood { rate } => by_rate(rate, elapsed),
            Pattern::Bursts { .. } if elapsed < *free_from => sent,
            Pattern::Bursts { packets, every } => {
                *free_from = elapsed + every;
                sent + packets
            }
        }
    }

    /// One packet that nobody counts.
    pub(in super::super) fn send_one(&self) {
        self.send(&mut [0; 2_000], UNCOUNTED);
    }

    /// Reads what has arrived, up to the packet behind the last one: when each was sent, and when it was there.
    fn arrived(&self) -> Vec<[Duration; 2]> {
        self.send(&mut [0; 2_000], END);
        let mut times = Vec::new();
        eventually("the last packet of a flow", || {
            while let Some((sequence, sent_and_there)) = self.receive() {
                match sequence {
                    END => return Some(()),
                    UNCOUNTED => {}
                    _ => times.push(sent_and_there),
                }
            }
            None
        });
        times
    }

    /// The next packet that has arrived: its number, when it was sent, and when it was there.
    fn receive(&self) -> Option<(u64, [Duration; 2])> {
        let mut octets = [0; 2_000];
        let mut parts = [IoSliceMut::new(&mut octets)];
        let mut beside = nix::cmsg_space!(TimeSpec);
        let flags = MsgFlags::MSG_DONTWAIT;
        let arrived = match recvmsg::<()>(self.receiver.as_raw_fd(), &mut parts, Some(&mut beside), flags) {
            Err(Errno::EAGAIN) => return None,
            other => other.expect("a datagram"),
        };
        let at = arrived.cmsgs().expect("room for all").find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
            _ => None,
        });
        let at = at.expect("the kernel's time");
        let word = |at: usize| u64::from_be_bytes(octets[at..at + 8].try_into().expect("eight octets"));
        Some((word(0), [Duration::from_nanos(word(8)), at]))
    }
}

impl Delays {
    /// The share of packets that did not arrive.
    pub(super) fn lost(&self) -> f64 {
        1.0 - self.delays.len() as f64 / self.sent as f64
    }

    /// The delay that so many of a hundred packets have at most, of those that arrived; without end, if none has.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.delays.len() * percent).div_ceil(100);
        self.delays.get(rank.saturating_sub(1)).copied().unwrap_or(Duration::MAX)
    }

    pub(super) fn worst(&self) -> Duration {
        self.percentile(100)
    }
}

/// Has the kernel stamp whatever arrives from now on, for as long as this process runs. It begins a moment after it is asked to, and
/// would stop with the last socket that wants times: a packet without one is stamped when it is read. So this is to be called
/// before anything else is set up.
pub(in super::super) fn kernel_times() {
    static WANTS_THEM: OnceLock<UdpSocket> = OnceLock::new();
    WANTS_THEM.get_or_init(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true).expect("times of the kernel");
        socket
    });
}

#[expect(clippy::disallowed_methods, reason = "the kernel's times are of this clock")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970")
}

/// Sends flows for some time; `drained` is to wait until no queue on the way has anything in it.
pub(super) fn run(flows: &[&Flow], duration: Duration, drained: impl FnOnce()) -> Vec<Delays> {
    let sent = sent(flows, duration);
    drained();
    let delays = |(flow, sent): (&&Flow, u64)| {
        let on_the_way = |[sent, there]: [Duration; 2]| there.saturating_sub(sent);
        let mut delays: Vec<Duration> = flow.arrived().into_iter().map(on_the_way).collect();
        delays.sort_unstable();
        Delays { sent, delays }
    };
    flows.iter().zip(sent).map(delays).collect()
}

/// Sends flows once; when the packets of each were there, in ascending order.
pub(in super::super) fn times(flows: &[&Flow], drained: impl FnOnce()) -> Vec<Vec<Duration>> {
    sent(flows, Duration::ZERO);
    drained();
    let times = |flow: &&Flow| {
        let mut times: Vec<Duration> = flow.arrived().into_iter().map(|[_, there]| there).collect();
        times.sort_unstable();
        times
    };
    flows.iter().map(times).collect()
}

/// Sends flows in a thread that ordinary ones do not hold up.
fn sent(flows: &[&Flow], duration: Duration) -> Vec<u64> {
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            urgently();
            send(flows, duration)
        });
        sending.join().expect("it sends")
    })
}

#[expect(clippy::disallowed_methods, reason = "traffic has a rate in real time")]
fn send(flows: &[&Flow], duration: Duration) -> Vec<u64> {
    let mut octets = [0; 2_000];
    let mut sent = vec![(0, Duration::ZERO); flows.len()];
    let started = Instant::now();
    let (mut lost, mut last) = (Duration::ZERO, Duration::ZERO);
    loop {
        let elapsed = started.elapsed();
        lost += elapsed.saturating_sub(last).saturating_sub(CATCH_UP);
        last = elapsed;
        let flowed = elapsed - lost;
        for (flow, (sent, free_from)) in flows.iter().zip(&mut sent) {
            let due = flow.due(*sent, elapsed, flowed, free_from);
            while *sent < due {
                flow.send(&mut octets, *sent);
                *sent += 1;
            }
        }
        if flowed >= duration {
            return sent.into_iter().map(|(sent, _)| sent).collect();
        }
        std::thread::park_timeout(NAP);
    }
}
