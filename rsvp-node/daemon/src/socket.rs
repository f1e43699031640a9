//! The sockets of RSVP: IPv4 and IPv6, what is addressed to this node and what Router Alert diverts, and the UDP sockets of
//! RFC 2205 Appendix C, which `udp` opens. How they are waited on is in `queues`, how they are received from in `receiver`.
//!
//! Receiving: packets for this node, and on routers transit packets with the Router Alert option, which the kernel then
//! does not forward. Sending: the kernel makes the IP header, so that messages larger than the MTU are fragmented; TOS
//! 0xc0; source, interface, TTL and Router Alert are said with each message (RFC 2205 section 3.3). Messages are
//! deliberately not looked into.

use super::sys;
use super::udp;
use rsvp_wire::IP_PROTOCOL;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;

/// "Internetwork control" (RFC 791).
pub(super) const TOS: libc::c_int = 0xc0;
/// Kernel buffer of each socket, in octets: room for a burst of refreshes.
pub(super) const BUFFER: usize = 16 << 20;
/// The same of the receive queue of one interface.
const QUEUE: usize = 4 << 20;

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
    enlarge(&socket, BUFFER);
    Ok(socket)
}

/// Makes room for bursts.
pub(super) fn enlarge(socket: &Socket, octets: usize) {
    // Beyond the system's limit where that is allowed, else up to it.
    let force = [libc::SO_RCVBUFFORCE, libc::SO_SNDBUFFORCE];
    let size = (octets as libc::c_int).to_ne_bytes();
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    pub(super) const ALL: [Self; 7] =
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

    /// A small number, as long as this program runs.
    pub(super) const fn number(self) -> u32 {
        self as u32
    }

    /// A raw socket that receives what arrives at one interface alone.
    pub(super) fn open_queue(self, interface: u32) -> Result<Socket, SocketError> {
        const SO_BINDTOIFINDEX: libc::c_int = 62;
        let socket = match self {
            Self::V6 => open_v6()?,
            Self::V6Alert => open_v6_alert()?,
            _ => open_v4()?,
        };
        enlarge(&socket, QUEUE);
        let index = libc::c_int::try_from(interface).unwrap_or(0);
        option(&socket, "SO_BINDTOIFINDEX", libc::SOL_SOCKET, SO_BINDTOIFINDEX, index)?;
        Ok(socket)
    }

    /// The UDP port that it listens on.
    pub(super) fn port(self) -> Option<u16> {
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

    pub(super) fn into_sockets(self) -> Vec<(Which, Socket)> {
        self.0
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
