//! The raw sockets of RSVP: IPv4 and IPv6, what is addressed to this node and what Router Alert diverts.
//!
//! Receiving: packets for this node, and on routers transit packets with the Router Alert option, which the kernel then
//! does not forward. Sending: the kernel makes the IP header, so that messages larger than the MTU are fragmented; TOS
//! 0xc0; source, interface, TTL and Router Alert are said with each message (RFC 2205 section 3.3). Messages are
//! deliberately not looked into.

use super::fragments::Fragments;
use super::packet::{self, Parcel, RSVP};
use super::sys::{self, Inbox};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// "Internetwork control" (RFC 791).
const TOS: u32 = 0xc0;
/// Kernel buffer of each socket, in octets: room for a burst of refreshes.
const BUFFER: usize = 16 << 20;

const IP_ROUTER_ALERT: libc::c_int = 5;
const IP_MTU_DISCOVER_DONT: libc::c_int = 0;
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
fn option(
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
    // Beyond the system's limit where that is allowed, else up to it.
    let force = [libc::SO_RCVBUFFORCE, libc::SO_SNDBUFFORCE];
    let size = (BUFFER as libc::c_int).to_ne_bytes();
    for name in force {
        if sys::set_option(socket.as_fd(), libc::SOL_SOCKET, name, &size).is_err() {
            let plain = if name == libc::SO_RCVBUFFORCE { libc::SO_RCVBUF } else { libc::SO_SNDBUF };
            let _ = sys::set_option(socket.as_fd(), libc::SOL_SOCKET, plain, &size);
        }
    }
    Ok(socket)
}

/// The IPv4 socket: for this node, and diverted by Router Alert.
fn open_v4() -> Result<Socket, SocketError> {
    let socket = raw(Domain::IPV4, i32::from(RSVP), "a raw IPv4 socket for protocol 46")?;
    let ip = libc::IPPROTO_IP;
    option(&socket, "IP_PKTINFO", ip, libc::IP_PKTINFO, 1)?;
    option(&socket, "IP_TRANSPARENT", ip, libc::IP_TRANSPARENT, 1)?;
    option(&socket, "IP_MTU_DISCOVER", ip, libc::IP_MTU_DISCOVER, IP_MTU_DISCOVER_DONT)?;
    option(&socket, "IP_TOS", ip, libc::IP_TOS, TOS as libc::c_int)?;
    // What this node sends is not for this node: the engine tells local applications itself.
    option(&socket, "IP_MULTICAST_LOOP", ip, libc::IP_MULTICAST_LOOP, 0)?;
    option(&socket, "IP_ROUTER_ALERT", ip, IP_ROUTER_ALERT, 1)?;
    Ok(socket)
}

/// The IPv6 socket for this node, which also sends.
fn open_v6() -> Result<Socket, SocketError> {
    let socket = raw(Domain::IPV6, i32::from(RSVP), "a raw IPv6 socket for protocol 46")?;
    let ip = libc::IPPROTO_IPV6;
    option(&socket, "IPV6_RECVPKTINFO", ip, libc::IPV6_RECVPKTINFO, 1)?;
    option(&socket, "IPV6_RECVHOPLIMIT", ip, libc::IPV6_RECVHOPLIMIT, 1)?;
    option(&socket, "IPV6_TRANSPARENT", ip, libc::IPV6_TRANSPARENT, 1)?;
    option(&socket, "IPV6_MTU_DISCOVER", ip, libc::IPV6_MTU_DISCOVER, IP_MTU_DISCOVER_DONT)?;
    option(&socket, "IPV6_TCLASS", ip, libc::IPV6_TCLASS, TOS as libc::c_int)?;
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

/// The opened sockets, before a runtime watches them.
pub(super) struct Opened {
    v4: Socket,
    v6: Option<(Socket, Socket)>,
}

impl Opened {
    /// Opens all of them. A node without IPv6 does without.
    pub(super) fn open() -> Result<Self, SocketError> {
        let v6 = match open_v6() {
            Ok(socket) => Some((socket, open_v6_alert()?)),
            Err(SocketError { error, .. }) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => None,
            Err(error) => return Err(error),
        };
        Ok(Self { v4: open_v4()?, v6 })
    }

    pub(super) fn has_v6(&self) -> bool {
        self.v6.is_some()
    }
}

/// A received message and its IP header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived<'a> {
    pub(super) interface: u32,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ttl: u8,
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
pub(super) struct Sockets {
    v4: AsyncFd<Socket>,
    v6: Option<AsyncFd<Socket>>,
    v6_alert: Option<AsyncFd<Socket>>,
}

/// Which socket.
#[derive(Clone, Copy, Debug)]
enum Which {
    V4,
    V6,
    V6Alert,
}

impl Sockets {
    /// Needs a runtime around it.
    pub(super) fn new(opened: Opened) -> io::Result<Self> {
        let (v6, v6_alert) = opened.v6.unzip();
        Ok(Self {
            v4: sys::watch(opened.v4, Interest::READABLE | Interest::WRITABLE)?,
            v6: v6.map(|v6| sys::watch(v6, Interest::READABLE | Interest::WRITABLE)).transpose()?,
            v6_alert: v6_alert.map(|alert| sys::watch(alert, Interest::READABLE)).transpose()?,
        })
    }

    fn socket(&self, which: Which) -> Option<&AsyncFd<Socket>> {
        match which {
            Which::V4 => Some(&self.v4),
            Which::V6 => self.v6.as_ref(),
            Which::V6Alert => self.v6_alert.as_ref(),
        }
    }

    /// Waits until a datagram is there.
    pub(super) async fn readable(&self) {
        async fn one(socket: Option<&AsyncFd<Socket>>) {
            match socket {
                // An error shows when it is received from.
                Some(socket) => drop(socket.readable().await),
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = one(Some(&self.v4)) => {}
            () = one(self.v6.as_ref()) => {}
            () = one(self.v6_alert.as_ref()) => {}
        }
    }

    /// Waits until there is room to send on the socket that had none.
    pub(super) async fn writable(&self, v6: bool) {
        let socket = if v6 { self.v6.as_ref() } else { Some(&self.v4) };
        match socket {
            Some(socket) => drop(socket.writable().await),
            None => std::future::pending().await,
        }
    }

    /// Sends parcels of one address family without waiting; returns how many left. An error is that of the first.
    pub(super) fn send(&self, v6: bool, parcels: &[Parcel<'_>]) -> io::Result<usize> {
        let socket = if v6 { self.v6.as_ref() } else { Some(&self.v4) };
        let Some(socket) = socket else { return Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)) };
        socket.try_io(Interest::WRITABLE, |socket| sys::send(socket.as_fd(), parcels))
    }

    /// Datagrams that the kernel dropped because a socket's buffer was full.
    pub(super) fn kernel_drops(&self) -> u64 {
        let sockets = [Which::V4, Which::V6, Which::V6Alert].map(|which| self.socket(which));
        let drops = sockets.into_iter().flatten().filter_map(|s| sys::dropped(s.get_ref().as_fd()).ok());
        drops.map(u64::from).sum()
    }
}

/// Takes datagrams from the sockets and IP headers from the datagrams.
pub(super) struct Receiver {
    inbox: Inbox,
    fragments: Fragments,
    pub(super) received: Received,
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self { inbox: Inbox::new(), fragments: Fragments::default(), received: Received::default() }
    }

    /// Takes up to `batches` batches from each socket and hands every message to `take`.
    pub(super) fn receive(
        &mut self,
        sockets: &Sockets,
        batches: usize,
        now_us: u64,
        mut take: impl FnMut(Arrived<'_>),
    ) {
        self.fragments.expire(now_us);
        for which in [Which::V4, Which::V6, Which::V6Alert] {
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
        let Some(socket) = sockets.socket(which) else { return 0 };
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

    fn read(&mut self, which: Which, n: usize, now_us: u64, take: &mut impl FnMut(Arrived<'_>)) {
        let datagram = self.inbox.datagram(n);
        let Some(interface) = datagram.interface else {
            self.received.not_rsvp += 1;
            return;
        };
        let stripped = match which {
            Which::V4 => packet::strip_v4(datagram.octets),
            Which::V6Alert => packet::strip_v6(datagram.octets),
            Which::V6 => datagram.destination.zip(datagram.hop_limit).map(|(destination, ttl)| {
                let source = datagram.source;
                packet::Stripped { source, destination, ttl, octets: datagram.octets, fragment: None }
            }),
        };
        let Some(stripped) = stripped else {
            self.received.not_rsvp += 1;
            return;
        };
        let packet::Stripped { source, destination, ttl, octets, fragment } = stripped;
        let arrived = Arrived { interface, source, destination, ttl, octets };
        let Some(fragment) = fragment else { return take(arrived) };
        match self.fragments.add(now_us, interface, &stripped, fragment) {
            Some(whole) => take(Arrived { octets: &whole, ..arrived }),
            None => self.received.fragments += 1,
        }
    }
}
