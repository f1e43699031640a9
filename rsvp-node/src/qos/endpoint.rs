//! What is known of a socket: its protocol, its addresses and its groups; and which sessions it takes part in.
//!
//! Source: the published pages of receiving applications and of TCP and UDP receivers, for the table of
//! [`Endpoint::joins`]. Nothing here asks a kernel.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use rsvp_wire::{FilterSpec, SenderTemplate, Session};

/// The protocols whose sockets have QoS: stream and datagram, and no other type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP, a stream.
    Tcp,
    /// UDP, datagrams.
    Udp,
}

impl Transport {
    /// IP protocol.
    #[must_use]
    pub const fn protocol(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }
}

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its protocol.
    pub transport: Transport,
    /// Where it is bound; the address may be the unspecified one. `None` until it is bound.
    pub local: Option<SocketAddr>,
    /// Its peer, once it is connected.
    pub peer: Option<SocketAddr>,
    /// The groups it receives, having joined them by the call for that; joining by a socket option alone does not count, and
    /// a group it only sends to is its peer.
    pub groups: Vec<SocketAddr>,
}

impl Endpoint {
    /// A socket of which nothing is known yet.
    #[must_use]
    pub const fn new(transport: Transport) -> Self {
        Self { transport, local: None, peer: None, groups: Vec::new() }
    }

    /// Whether it is a TCP socket, or a UDP socket with a peer: it has one sender, and all know which.
    #[must_use]
    pub const fn has_one_sender(&self) -> bool {
        matches!(self.transport, Transport::Tcp) || self.peer.is_some()
    }

    /// Whether path state, its session and its sender, is for this socket: the table of receivers.
    ///
    /// | socket | joins when |
    /// |---|---|
    /// | TCP, not connected | never |
    /// | TCP, connected | the session is its address and port, the sender its peer |
    /// | UDP, not bound | never |
    /// | UDP, bound to any address | the ports are equal; when connected, the sender is its peer, too |
    /// | UDP, bound to an address | the address is, too |
    /// | multicast, not joined | never |
    /// | multicast, joined | the session is the group, wherever the socket is bound |
    #[must_use]
    pub fn joins(&self, session: &Session, sender: &SenderTemplate) -> bool {
        if session.protocol() != self.transport.protocol() {
            return false;
        }
        let destination = SocketAddr::new(session.destination(), session.port());
        if session.is_multicast() {
            let group =
                |joined: &SocketAddr| joined.port() == destination.port() && same(joined, destination.ip());
            return self.transport == Transport::Udp && self.groups.iter().any(group);
        }
        let Some(local) = &self.local else { return false };
        let here = local.port() == destination.port()
            && (same(local, destination.ip()) || is_any_for(local.ip(), destination.ip()));
        match (&self.peer, self.transport) {
            (Some(peer), _) => here && is_from(sender, peer),
            (None, Transport::Udp) => here,
            (None, Transport::Tcp) => false,
        }
    }
}

/// Whether it is this address; an IPv4 address within IPv6, as dual-stack sockets have it, is the IPv4 address.
fn same(socket: &SocketAddr, address: IpAddr) -> bool {
    socket.ip().to_canonical() == address.to_canonical()
}

/// Whether a socket bound to `bound` takes what goes to `address`; `::` takes both families.
fn is_any_for(bound: IpAddr, address: IpAddr) -> bool {
    match bound {
        IpAddr::V4(bound) => bound.is_unspecified() && address.is_ipv4(),
        IpAddr::V6(bound) => bound == Ipv6Addr::UNSPECIFIED,
    }
}

/// Whether the sender is this peer. A flow label stands for whatever port the peer has.
fn is_from(sender: &SenderTemplate, peer: &SocketAddr) -> bool {
    let label = matches!(sender.0, FilterSpec::Ipv6FlowLabel { .. });
    same(peer, sender.0.address()) && (label || sender.0.port() == peer.port())
}
