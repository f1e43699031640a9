//! The sockets of RSVP: IPv4 and IPv6, what is addressed to this node and what Router Alert diverts, and the UDP sockets of
//! RFC 2205 Appendix C, which `udp` opens.
//!
//! Receiving: packets for this node, and on routers transit packets with the Router Alert option, which the kernel then
//! does not forward. Sending: the kernel makes the IP header, so that messages larger than the MTU are fragmented; TOS
//! 0xc0; source, interface, TTL and Router Alert are said with each message (RFC 2205 section 3.3). Messages are
//! deliberately not looked into.

use super::packet::{self, Parcel};
use super::sys::{self, Inbox};
use super::udp;
use rsvp_capture::Timestamp;
use rsvp_capture::fragments::{Fragments, Limits};
use rsvp_capture::ip::Datagram;
use rsvp_wire::IP_PROTOCOL;
use socket2::{Domain, Protocol, Socket, Type};
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::task::Poll;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// "Internetwork control" (RFC 791).
pub(super) const TOS: libc::c_int = 0xc0;
/// Kernel buffer of each socket, in octets: room for a burst of refreshes.
const BUFFER: usize = 16 << 20;

const IP_ROUTER_ALERT: libc::c_int = 5;
pub(super) const IP_MTU_DISCOVER_DONT: libc::c_int = 0;
const IPV6_ROUTER_ALERT: libc::c_int = 22;
const IPV6_ROUTER_ALERT_ISOLATE: libc::c_int = 30;
/// Which Router Alert value is RSVP's in IPv6 (RFC 2711).
const RSVP_ALERT: libc::c_int = 1;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {error}")]
pub(super) struct SocketError {
    pub(super) what: &'static str,
    pub(super) error: io::Error,
}

/// A sequence of options; the first that fails is named.
pub(super) fn option(
    socket: &Socket,
    what: &'static str,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> Result<(), SocketError> {
    sys::set_option(socket.as_fd(), level, name, &value.to_ne_bytes())
        .map_err(|error| SocketError { what, error })
}

fn raw(domain: Domain, protocol: i32, what: &'static str) -> Result<Socket, SocketError> {
    let failed = |error| SocketError { what, error };
    let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(protocol))).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    enlarge(&socket);
    Ok(socket)
}

/// Makes room for bursts.
pub(super) fn enlarge(socket: &Socket) {
    // Beyond the system's limit where that is allowed, else up to it.
    let force = [libc::SO_RCVBUFFORCE, libc::SO_SNDBUFFORCE];
    let size = (BUFFER as libc::c_int).to_ne_bytes();
    for name in force {
        if sys::set_option(socket.as_fd(), libc::SOL_SOCKET, name, &size).is_err() {
            let plain = if name == libc::SO_RCVBUFFORCE { libc::SO_RCVBUF } else { libc::SO_SNDBUF };
            let _ = sys::set_option(socket.as_fd(), libc::SOL_SOCKET, plain, &size);
        }
    }
}

/// The IPv4 socket: for this node, and diverted by Router Alert.
fn open_v4() -> Result<Socket, SocketError> {
    let socket = raw(Domain::IPV4, i32::from(IP_PROTOCOL), "a raw IPv4 socket for protocol 46")?;
    let ip = libc::IPPROTO_IP;
    option(&socket, "IP_PKTINFO", ip, libc::IP_PKTINFO, 1)?;
    option(&socket, "IP_TRANSPARENT", ip, libc::IP_TRANSPARENT, 1)?;
    option(&socket, "IP_MTU_DISCOVER", ip, libc::IP_MTU_DISCOVER, IP_MTU_DISCOVER_DONT)?;
    option(&socket, "IP_TOS", ip, libc::IP_TOS, TOS)?;
    // What this node sends is not for this node: the engine tells local applications itself.
    option(&socket, "IP_MULTICAST_LOOP", ip, libc::IP_MULTICAST_LOOP, 0)?;
    option(&socket, "IP_ROUTER_ALERT", ip, IP_ROUTER_ALERT, 1)?;
    Ok(socket)
}

/// The IPv6 socket for this node, which also sends.
fn open_v6() -> Result<Socket, SocketError> {
    let socket = raw(Domain::IPV6, i32::from(IP_PROTOCOL), "a raw IPv6 socket for protocol 46")?;
    let ip = libc::IPPROTO_IPV6;
    option(&socket, "IPV6_RECVPKTINFO", ip, libc::IPV6_RECVPKTINFO, 1)?;
    option(&socket, "IPV6_RECVHOPLIMIT", ip, libc::IPV6_RECVHOPLIMIT, 1)?;
    option(&socket, "IPV6_TRANSPARENT", ip, libc::IPV6_TRANSPARENT, 1)?;
    option(&socket, "IPV6_MTU_DISCOVER", ip, libc::IPV6_MTU_DISCOVER, IP_MTU_DISCOVER_DONT)?;
    option(&socket, "IPV6_TCLASS", ip, libc::IPV6_TCLASS, TOS)?;
    option(&socket, "IPV6_MULTICAST_LOOP", ip, libc::IPV6_MULTICAST_LOOP, 0)?;
    Ok(socket)
}

/// The IPv6 socket for what Router Alert diverts; it delivers whole packets, fragments one by one.
fn open_v6_alert() -> Result<Socket, SocketError> {
    let socket = raw(Domain::IPV6, libc::IPPROTO_RAW, "a raw IPv6 socket for Router Alert")?;
    let ip = libc::IPPROTO_IPV6;
    option(&socket, "IPV6_RECVPKTINFO", ip, libc::IPV6_RECVPKTINFO, 1)?;
    // Without it, this socket would also swallow what other network namespaces are to forward.
    option(&socket, "IPV6_ROUTER_ALERT_ISOLATE", ip, IPV6_ROUTER_ALERT_ISOLATE, 1)?;
    option(&socket, "IPV6_ROUTER_ALERT", ip, IPV6_ROUTER_ALERT, RSVP_ALERT)?;
    Ok(socket)
}

/// Which socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    V4,
    V6,
    V6Alert,
    /// UDP, by the port it listens on.
    PuV4,
    PuV6,
    PuPrimeV4,
    PuPrimeV6,
}

impl Which {
    const ALL: [Self; 7] =
        [Self::V4, Self::V6, Self::V6Alert, Self::PuV4, Self::PuV6, Self::PuPrimeV4, Self::PuPrimeV6];

    /// The one that sends to an address, in a UDP datagram if there is a port.
    pub(super) fn to_send(destination: IpAddr, port: Option<u16>) -> Self {
        match (destination, port) {
            (IpAddr::V4(_), None) => Self::V4,
            (IpAddr::V6(_), None) => Self::V6,
            (IpAddr::V4(_), Some(_)) => Self::PuV4,
            (IpAddr::V6(_), Some(_)) => Self::PuV6,
        }
    }

    /// The UDP port that it listens on.
    fn port(self) -> Option<u16> {
        match self {
            Self::V4 | Self::V6 | Self::V6Alert => None,
            Self::PuV4 | Self::PuV6 => Some(udp::PU),
            Self::PuPrimeV4 | Self::PuPrimeV6 => Some(udp::PU_PRIME),
        }
    }
}

/// The opened sockets, before a runtime watches them.
pub(super) struct Opened(Vec<(Which, Socket)>);

impl Opened {
    /// Opens all that a raw node has. A node without IPv6 does without; so does one where UDP's port is taken.
    pub(super) fn raw() -> Result<Self, SocketError> {
        let mut sockets = vec![(Which::V4, open_v4()?)];
        if let Some(v6) = unless_no_v6(open_v6())? {
            sockets.extend([(Which::V6, v6), (Which::V6Alert, open_v6_alert()?)]);
        }
        match Self::udp([Which::PuV4, Which::PuV6]) {
            Ok(Self(udp)) => sockets.extend(udp),
            Err(SocketError { what, error }) => {
                tracing::warn!("{what}: {error}; hosts that can only send UDP are not served");
            }
        }
        Ok(Self(sockets))
    }

    /// Opens all that a UDP-only host has.
    pub(super) fn udp_only() -> Result<Self, SocketError> {
        Self::udp([Which::PuV4, Which::PuV6, Which::PuPrimeV4, Which::PuPrimeV6])
    }

    fn udp(which: impl IntoIterator<Item = Which>) -> Result<Self, SocketError> {
        let mut sockets = Vec::new();
        for which in which {
            let port = which.port().unwrap_or(udp::PU);
            match which {
                Which::PuV6 | Which::PuPrimeV6 => {
                    sockets.extend(unless_no_v6(udp::open_v6(port))?.map(|socket| (which, socket)));
                }
                _ => sockets.push((which, udp::open_v4(port)?)),
            }
        }
        Ok(Self(sockets))
    }

    pub(super) fn has_v6(&self) -> bool {
        self.0.iter().any(|(which, _)| matches!(which, Which::V6 | Which::PuPrimeV6))
    }
}

/// A system without IPv6 is no error.
fn unless_no_v6(opened: Result<Socket, SocketError>) -> Result<Option<Socket>, SocketError> {
    match opened {
        Ok(socket) => Ok(Some(socket)),
        Err(SocketError { error, .. }) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A received message and its IP header.
#[derive(Clone, Copy, Debug)]
pub(super) struct IncomingMessage<'a> {
    pub(super) interface: u32,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ttl: u8,
    /// The UDP port it came to, if it was encapsulated.
    pub(super) port: Option<u16>,
    pub(super) octets: &'a [u8],
}

/// What became of received datagrams that are no messages for the engine.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Received {
    /// Datagrams taken from the sockets.
    pub(super) datagrams: u64,
    /// Those without a sound IP header of an RSVP packet.
    pub(super) not_rsvp: u64,
    /// Fragments that wait for the rest of their packet, or were dropped waiting.
    pub(super) fragments: u64,
    /// Failed receive calls.
    pub(super) errors: u64,
}

/// The sockets, watched by a runtime.
pub(super) struct Sockets(Vec<(Which, AsyncFd<Socket>)>);

impl Sockets {
    /// Needs a runtime around it.
    pub(super) fn new(opened: Opened) -> io::Result<Self> {
        let watched = opened.0.into_iter().map(|(which, socket)| {
            let interest = match which {
                Which::V6Alert => Interest::READABLE,
                _ => Interest::READABLE | Interest::WRITABLE,
            };
            Ok((which, sys::watch(socket, interest)?))
        });
        watched.collect::<io::Result<_>>().map(Self)
    }

    fn watched(&self, which: Which) -> Option<&AsyncFd<Socket>> {
        self.0.iter().find(|(this, _)| *this == which).map(|(_, socket)| socket)
    }

    /// One of the sockets, if it is there.
    pub(super) fn socket(&self, which: Which) -> Option<&Socket> {
        self.watched(which).map(AsyncFd::get_ref)
    }

    /// Waits until a datagram is there.
    pub(super) async fn readable(&self) {
        // An error shows when it is received from.
        poll_fn(|context| {
            let ready = self.0.iter().any(|(_, socket)| socket.poll_read_ready(context).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Waits until there is room to send on the socket that had none.
    pub(super) async fn writable(&self, which: Which) {
        match self.watched(which) {
            Some(socket) => drop(socket.writable().await),
            None => std::future::pending().await,
        }
    }

    /// Sends parcels by one of the sockets without waiting; returns how many left. An error is that of the first.
    pub(super) fn send(&self, which: Which, parcels: &[Parcel<'_>]) -> io::Result<usize> {
        let socket = self.watched(which);
        let Some(socket) = socket else { return Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)) };
        socket.try_io(Interest::WRITABLE, |socket| sys::send(socket.as_fd(), parcels))
    }

    /// Datagrams that the kernel dropped because a socket's buffer was full.
    pub(super) fn kernel_drops(&self) -> u64 {
        let drops = self.0.iter().filter_map(|(_, socket)| sys::dropped(socket.get_ref().as_fd()).ok());
        drops.map(u64::from).sum()
    }
}

/// Takes datagrams from the sockets and IP headers from the datagrams.
pub(super) struct Receiver {
    inbox: Inbox,
    fragments: Fragments,
    pub(super) received: Received,
}

/// What is kept of fragments, which only the IPv6 Router Alert socket delivers.
const FRAGMENTS: Limits = Limits { datagrams: 64, octets: 4 << 20, seconds: 60, given_up: 0 };

fn timestamp(now_us: u64) -> Timestamp {
    Timestamp { seconds: now_us / 1_000_000, ..Timestamp::default() }
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self { inbox: Inbox::new(), fragments: Fragments::new(FRAGMENTS), received: Received::default() }
    }

    /// Takes up to `batches` batches from each socket and hands every message to `take`.
    pub(super) fn receive(
        &mut self,
        sockets: &Sockets,
        batches: usize,
        now_us: u64,
        mut take: impl FnMut(IncomingMessage<'_>),
    ) {
        self.fragments.expire(Some(timestamp(now_us)));
        for which in Which::ALL {
            for _ in 0..batches {
                let count = self.receive_batch(sockets, which);
                for n in 0..count {
                    self.received.datagrams += 1;
                    self.read(which, n, now_us, &mut take);
                }
                if count < sys::BATCH {
                    break;
                }
            }
        }
    }

    fn receive_batch(&mut self, sockets: &Sockets, which: Which) -> usize {
        let Some(socket) = sockets.watched(which) else { return 0 };
        let inbox = &mut self.inbox;
        match socket.try_io(Interest::READABLE, |socket| inbox.receive(socket.as_fd())) {
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => {
                tracing::debug!(%error, ?which, "receiving failed");
                self.received.errors += 1;
                0
            }
        }
    }

    fn read(&mut self, which: Which, n: usize, now_us: u64, take: &mut impl FnMut(IncomingMessage<'_>)) {
        let datagram = self.inbox.datagram(n);
        let Some(interface) = datagram.interface else {
            self.received.not_rsvp += 1;
            return;
        };
        let (source, octets, destination) = (datagram.source, datagram.octets, datagram.destination);
        let found = match which {
            Which::V4 | Which::V6Alert => {
                let Some(datagram) = packet::strip(octets) else {
                    self.received.not_rsvp += 1;
                    return;
                };
                if datagram.fragment.is_some() {
                    if !keep(&mut self.fragments, (interface, now_us), &datagram, take) {
                        self.received.fragments += 1;
                    }
                    return;
                }
                Some((datagram.source, datagram.destination, datagram.ttl, datagram.payload))
            }
            Which::V6 => destination.zip(datagram.hop_limit).map(|(to, ttl)| (source, to, ttl, octets)),
            Which::PuV4 | Which::PuV6 | Which::PuPrimeV4 | Which::PuPrimeV6 => {
                destination.map(|to| (source, to, udp::effective_ttl(octets), octets))
            }
        };
        let Some((source, destination, ttl, octets)) = found else {
            self.received.not_rsvp += 1;
            return;
        };
        take(IncomingMessage { interface, source, destination, ttl, port: which.port(), octets });
    }
}

/// Keeps a fragment; hands the message to `take` when it is the last that was missing. The kernel puts packets together
/// before it hands them up, but not what Router Alert diverts in IPv6.
fn keep(
    fragments: &mut Fragments,
    arrived: (u32, u64),
    datagram: &Datagram<'_>,
    take: &mut impl FnMut(IncomingMessage<'_>),
) -> bool {
    let (interface, now_us) = arrived;
    let whole = fragments.add(interface, 0, Some(timestamp(now_us)), datagram);
    let Some((whole, octets)) = whole.and_then(|whole| Some((whole, whole.payload()?))) else { return false };
    let (source, destination, ttl) = (whole.source, whole.destination, whole.ttl);
    take(IncomingMessage { interface, source, destination, ttl, port: None, octets });
    true
}
