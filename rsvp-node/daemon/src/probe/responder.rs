//! The responder: helps others to measure the way to this host. Off unless the configuration says so.
//!
//! Nobody can use it against others: who has no cookie gets one of 24 octets for a question of 64, no more than so many a second, and nothing is
//! kept of that; with one, each answer is no longer than its question. A cookie is a keyed hash of address, port and time, so that it takes
//! nobody's memory and says nothing; who forges an address does not see it. What is kept are the last trains of some peers, each bounded.

use super::message::{HEADER, Header, Kind, MOST, write_arrivals};
use crate::packet::Parcel;
use crate::socket::option;
use crate::sys::{self, Datagram, Inbox};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};
use tokio::io::Interest;

/// Peers whose trains are kept.
const MOST_PEERS: usize = 64;
/// Packets of trains of one peer, and cookies of all, in a second.
const PACKETS_A_SECOND: u32 = 2_000;
const COOKIES_A_SECOND: u32 = 200;
/// A cookie is good for the time in which it was given and the next.
const COOKIE_TIME: Duration = Duration::from_secs(60);

/// The trains of a peer.
#[derive(Debug)]
struct Peer {
    number: u32,
    /// When the first came, and the others after it.
    first: Duration,
    arrivals: Vec<(u16, u32)>,
    last: Instant,
    budget: Budget,
}

/// So many in a second.
#[derive(Clone, Copy, Debug)]
struct Budget {
    since: Instant,
    left: u32,
}

impl Budget {
    fn take(&mut self, now: Instant, in_a_second: u32) -> bool {
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            (self.since, self.left) = (now, in_a_second);
        }
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }
}

/// What a responder knows: no socket, and no clock but what it is told.
#[derive(Debug)]
pub struct Responder {
    secret: RandomState,
    started: Instant,
    peers: BTreeMap<SocketAddr, Peer>,
    cookies: Budget,
}

impl Responder {
    /// One that has heard nothing.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let cookies = Budget { since: now, left: COOKIES_A_SECOND };
        Self { secret: RandomState::new(), started: now, peers: BTreeMap::new(), cookies }
    }

    fn cookie(&self, from: SocketAddr, time: u64) -> u64 {
        self.secret.hash_one((from, time))
    }

    fn time(&self, now: Instant) -> u64 {
        now.duration_since(self.started).as_secs() / COOKIE_TIME.as_secs()
    }

    fn knows(&self, from: SocketAddr, cookie: u64, now: Instant) -> bool {
        let time = self.time(now);
        cookie == self.cookie(from, time) || time > 0 && cookie == self.cookie(from, time - 1)
    }

    /// The answer to a datagram that came at a time of the kernel's clock, if it gets one.
    pub fn answer(
        &mut self,
        octets: &[u8],
        from: SocketAddr,
        came: Duration,
        now: Instant,
    ) -> Option<Vec<u8>> {
        let header = Header::read(octets)?;
        if octets.len() < header.kind.least()? {
            return None;
        }
        if header.kind == Kind::Hello {
            let is_left = self.cookies.take(now, COOKIES_A_SECOND);
            let cookie = self.cookie(from, self.time(now));
            return is_left.then(|| Header { kind: Kind::Cookie, cookie, ..header }.write());
        }
        if !self.knows(from, header.cookie, now) {
            return None;
        }
        match header.kind {
            Kind::Ping => Some(Header { kind: Kind::Pong, ..header }.write()),
            Kind::Train => {
                self.came(&header, from, came, now);
                None
            }
            Kind::Ask => {
                let peer = self.peers.get(&from).filter(|peer| peer.number == header.number)?;
                let count = u16::try_from(peer.arrivals.len()).ok()?;
                let mut octets = Header { kind: Kind::Came, count, ..header }.write();
                write_arrivals(&mut octets, &peer.arrivals);
                Some(octets)
            }
            _ => None,
        }
    }

    fn came(&mut self, header: &Header, from: SocketAddr, came: Duration, now: Instant) {
        if !self.peers.contains_key(&from) && self.peers.len() >= MOST_PEERS {
            let quietest = self.peers.iter().min_by_key(|(_, peer)| peer.last).map(|(from, _)| *from);
            quietest.map(|quietest| self.peers.remove(&quietest));
        }
        let peer = self.peers.entry(from).or_insert_with(|| Peer {
            number: header.number.wrapping_add(1),
            first: came,
            arrivals: Vec::new(),
            last: now,
            budget: Budget { since: now, left: PACKETS_A_SECOND },
        });
        if !peer.budget.take(now, PACKETS_A_SECOND) {
            return;
        }
        if peer.number != header.number {
            (peer.number, peer.first) = (header.number, came);
            peer.arrivals.clear();
        }
        peer.last = now;
        if peer.arrivals.len() < MOST {
            let after = u32::try_from(came.saturating_sub(peer.first).as_micros()).unwrap_or(u32::MAX);
            peer.arrivals.push((header.index, after));
        }
    }
}

/// The sockets of a responder, opened where privileges and namespace are still those of the start.
pub(crate) struct Opened(Vec<Socket>);

fn socket(address: IpAddr, port: u16) -> io::Result<Socket> {
    let domain = if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    let done = if address.is_ipv4() {
        option(&socket, "IP_PKTINFO", libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
    } else {
        socket.set_only_v6(true)?;
        option(&socket, "IPV6_RECVPKTINFO", libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)
    };
    done.and_then(|()| option(&socket, "SO_TIMESTAMPNS", libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1))
        .map_err(|error| error.error)?;
    socket.bind(&SocketAddr::new(address, port).into())?;
    Ok(socket)
}

impl Opened {
    /// Opens the sockets on a port; of IPv6 where the system has it.
    pub(crate) fn open(port: u16) -> io::Result<Self> {
        let mut all = vec![socket(Ipv4Addr::UNSPECIFIED.into(), port)?];
        all.extend(socket(Ipv6Addr::UNSPECIFIED.into(), port).ok());
        Ok(Self(all))
    }

    /// Answers on a thread of its own until the process ends.
    pub(crate) fn start(self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let work = move || {
            runtime.block_on(async {
                let mut all: Vec<_> = self.0.into_iter().map(respond).map(Box::pin).collect();
                core::future::poll_fn(|context| {
                    all.retain_mut(|one| one.as_mut().poll(context).is_pending());
                    if all.is_empty() { core::task::Poll::Ready(()) } else { core::task::Poll::Pending }
                })
                .await;
            });
        };
        std::thread::Builder::new().name("responder".to_owned()).spawn(work).map(drop)
    }
}

/// Answers on a port, on threads of its own, until the process ends.
///
/// # Errors
/// When the port cannot be had.
pub fn serve(port: u16) -> io::Result<()> {
    Opened::open(port)?.start()
}

async fn respond(socket: Socket) {
    let Ok(socket) = sys::watch(socket, Interest::READABLE) else { return };
    let (mut responder, mut inbox) = (Responder::new(Instant::now()), Inbox::new());
    loop {
        let received = socket.async_io(Interest::READABLE, |socket| inbox.receive(socket.as_fd())).await;
        let Ok(count) = received else {
            // An error of an earlier answer comes here, and is nobody's.
            tokio::task::yield_now().await;
            continue;
        };
        let now = Instant::now();
        for n in 0..count {
            let datagram = inbox.datagram(n);
            let from = SocketAddr::new(datagram.source, datagram.port);
            let came = datagram.came.unwrap_or_default();
            if let Some(octets) = responder.answer(datagram.octets, from, came, now) {
                debug_assert!(octets.len() <= datagram.octets.len() && octets.len() >= HEADER);
                // What cannot be sent now is asked again.
                let _ = sys::send(socket.get_ref().as_fd(), &[parcel(&datagram, &octets)]);
            }
        }
    }
}

/// An answer goes back from where the question came to.
fn parcel<'a>(to: &Datagram<'_>, octets: &'a [u8]) -> Parcel<'a> {
    let any: IpAddr =
        if to.source.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    Parcel {
        // The way back need not be the way here, but for addresses of one link alone.
        interface: match to.source {
            IpAddr::V6(source) if source.is_unicast_link_local() => to.interface.unwrap_or(0),
            _ => 0,
        },
        source: to.destination.unwrap_or(any),
        destination: to.source,
        ttl: 64,
        router_alert: false,
        port: Some(to.port),
        octets,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::message::{LONG, SHORT, read_arrivals};

    fn asked(kind: Kind, cookie: u64, index: u16) -> Vec<u8> {
        Header { kind, index, cookie, number: 7, count: 3 }.question()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn with_a_cookie_trains_are_told_and_without_one_nothing() {
        let now = Instant::now();
        let mut responder = Responder::new(now);
        let from: SocketAddr = "10.0.1.1:4000".parse().unwrap();
        let mut answer = |octets: &[u8], from, at| responder.answer(octets, from, ms(at), now);
        assert_eq!(answer(&asked(Kind::Ping, 0, 0), from, 0), None);
        let cookie = Header::read(&answer(&asked(Kind::Hello, 0, 0), from, 0).unwrap()).unwrap().cookie;
        let pong = answer(&asked(Kind::Ping, cookie, 0), from, 0).unwrap();
        assert_eq!(Header::read(&pong).unwrap().kind, Kind::Pong);
        for (index, at) in [(0, 5), (1, 7), (3, 11)] {
            assert_eq!(answer(&asked(Kind::Train, cookie, index), from, at), None, "no answer to each");
        }
        let came = answer(&asked(Kind::Ask, cookie, 0), from, 20).unwrap();
        assert_eq!(read_arrivals(&came), [(0, 0), (1, 2_000), (3, 6_000)]);
        // Another's cookie is none, be it of the same host.
        let other: SocketAddr = "10.0.1.1:4001".parse().unwrap();
        for kind in [Kind::Ping, Kind::Train, Kind::Ask] {
            assert_eq!(answer(&asked(kind, cookie, 0), other, 30), None, "{kind:?}");
        }
        assert!(!responder.peers.contains_key(&other));
    }

    #[test]
    fn no_answer_is_longer_than_its_question() {
        let now = Instant::now();
        let mut responder = Responder::new(now);
        let from: SocketAddr = "[fd00::1]:4000".parse().unwrap();
        let cookie = responder.cookie(from, 0);
        for index in 0..200 {
            responder.answer(&asked(Kind::Train, cookie, index), from, ms(index.into()), now);
        }
        for kind in Kind::ALL {
            for length in 0..=LONG + 100 {
                let mut octets = asked(kind, cookie, 0);
                octets.resize(length.max(HEADER), 0);
                octets.truncate(length);
                let answered = responder.answer(&octets, from, ms(300), now).map_or(0, |answer| answer.len());
                assert!(answered <= length, "{kind:?}: {answered} octets for {length}");
                if length < SHORT {
                    assert_eq!(answered, 0, "{kind:?} of {length} octets");
                }
            }
        }
    }

    #[test]
    fn what_is_kept_and_sent_is_bounded() {
        let now = Instant::now();
        let mut responder = Responder::new(now);
        for port in 1..1_000 {
            let from = SocketAddr::from(([10, 0, 1, 1], port));
            let cookie = responder.cookie(from, 0);
            (0..100).for_each(|n| drop(responder.answer(&asked(Kind::Train, cookie, n), from, ms(1), now)));
        }
        assert_eq!(responder.peers.len(), MOST_PEERS);
        assert!(responder.peers.values().all(|peer| peer.arrivals.len() == MOST));
        let hello = |responder: &mut Responder, at| {
            let from = SocketAddr::from(([10, 0, 1, 2], 1));
            (0..5_000)
                .filter(|_| responder.answer(&asked(Kind::Hello, 0, 0), from, ms(1), at).is_some())
                .count()
        };
        assert_eq!(hello(&mut responder, now), COOKIES_A_SECOND as usize);
        assert_eq!(hello(&mut responder, now + Duration::from_secs(1)), COOKIES_A_SECOND as usize);
        // A cookie does not last.
        let from = SocketAddr::from(([10, 0, 1, 1], 1));
        let cookie = responder.cookie(from, 0);
        let ping = asked(Kind::Ping, cookie, 0);
        assert!(responder.answer(&ping, from, ms(1), now + COOKIE_TIME).is_some());
        assert!(responder.answer(&ping, from, ms(1), now + 2 * COOKIE_TIME).is_none());
    }
}
