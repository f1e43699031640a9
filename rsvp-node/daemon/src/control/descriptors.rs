//! What comes from a client: octets, and descriptors of sockets beside them (SCM_RIGHTS).
//!
//! A descriptor is looked at when it comes and closed at once: the daemon never keeps one, so that the last close of the
//! application's is the last. What remains of it are the socket's names and its cookie, and that the kernel tells what becomes of it.

use crate::data_plane::bpf::SocketMarks;
use crate::hooks::{Watch, Watcher};
use crate::sys;
use core::net::SocketAddr;
use rsvp_control::Problem;
use rsvp_control::sockets::MOST_DESCRIPTORS;
use rsvp_node::qos::Transport;
use socket2::{Domain, Protocol, SockRef, Type};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;
use tokio::io::{AsyncRead, AsyncReadExt, Interest, ReadHalf};
use tokio::net::unix::OwnedReadHalf;

/// Octets of one read.
const PIECE: usize = 16_384;

/// What was read at once.
pub(super) struct Octets {
    /// None when the client is gone.
    pub(super) octets: Vec<u8>,
    /// The sockets that came with them.
    pub(super) sockets: Vec<Handed>,
    /// More descriptors came than there was room for.
    pub(super) were_cut: bool,
}

/// A socket that was handed over, or why it cannot be used.
pub type Handed = Result<Looked, Problem>;

/// What remains of a descriptor.
#[derive(Debug)]
pub struct Looked {
    /// What the socket is.
    pub names: Names,
    /// That it is watched, from before its names were read on.
    pub watch: Watch,
    /// It is a socket of IPv6, be it for both families.
    pub is_v6: bool,
    /// Octets that its buffer for sending has.
    pub sending: u32,
    /// The data plane knows it, so that it can have a flow.
    pub is_marked: bool,
}

/// Who is told of sockets that come, while their descriptors are there.
#[derive(Clone, Debug, Default)]
pub struct Keepers {
    /// Watches what becomes of them.
    pub watcher: Watcher,
    /// Marks them for the data plane.
    pub marks: SocketMarks,
}

/// What a socket is: read from its descriptor, or said in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// What the kernel calls it (SO_COOKIE); nothing where it was said in words.
    pub cookie: Option<u64>,
    /// Its protocol.
    pub transport: Transport,
    /// Where it is bound; nothing while it is not.
    pub local: Option<SocketAddr>,
    /// Its peer.
    pub peer: Option<SocketAddr>,
    /// IP TTL of its packets.
    pub ttl: u8,
    /// IP TTL of its packets to groups.
    pub group_ttl: u8,
    /// It waits for connections: it has no traffic of its own.
    pub listens: bool,
}

impl Names {
    /// A socket of which no more is known.
    #[must_use]
    pub const fn in_words(transport: Transport, local: Option<SocketAddr>, peer: Option<SocketAddr>) -> Self {
        Self { cookie: None, transport, local, peer, ttl: 64, group_ttl: 64, listens: false }
    }

    /// It was connected, or no longer is. A local name that nothing is said of stays.
    pub(crate) fn renamed(&mut self, local: Option<SocketAddr>, peer: Option<SocketAddr>) {
        self.local = local.or(self.local);
        self.peer = peer;
    }
}

/// Where a client's octets come from.
pub(super) trait Source: Send {
    /// Waits for more.
    fn read(&mut self) -> impl Future<Output = io::Result<Octets>> + Send;
}

/// A stream that carries no descriptors.
pub(super) struct Words<S>(pub(super) ReadHalf<S>);

impl<S: AsyncRead + Send> Source for Words<S> {
    async fn read(&mut self) -> io::Result<Octets> {
        let mut octets = vec![0; PIECE];
        let length = self.0.read(&mut octets).await?;
        octets.truncate(length);
        Ok(Octets { octets, sockets: Vec::new(), were_cut: false })
    }
}

/// A UNIX socket, and who is told of the sockets that come over it.
pub(super) struct WithSockets(pub(super) OwnedReadHalf, pub(super) Keepers);

impl Source for WithSockets {
    async fn read(&mut self) -> io::Result<Octets> {
        let Self(half, keepers) = self;
        let mut octets = vec![0; PIECE];
        let stream = half.as_ref();
        let receive = || sys::receive_descriptors::<MOST_DESCRIPTORS>(stream.as_fd(), &mut octets);
        let received = stream.async_io(Interest::READABLE, receive).await?;
        octets.truncate(received.octets);
        let sockets = received.descriptors.into_iter().map(|descriptor| look(descriptor, keepers)).collect();
        Ok(Octets { octets, sockets, were_cut: received.were_cut })
    }
}

/// Has a socket watched and marked, reads what it is, and closes the descriptor.
fn look(descriptor: OwnedFd, keepers: &Keepers) -> Handed {
    let socket = SockRef::from(&descriptor);
    let unusable = |why: &str| {
        let message = format!(
            "{why}: hand over a UDP or a TCP socket of IPv4 or IPv6, of the daemon's network namespace"
        );
        Problem::new("no-qos-socket", message)
    };
    let (Ok(domain), Ok(kind), Ok(protocol)) = (socket.domain(), socket.r#type(), socket.protocol()) else {
        return Err(unusable("the descriptor is no socket"));
    };
    let transport = match (domain, kind, protocol) {
        (Domain::IPV4 | Domain::IPV6, Type::STREAM, Some(Protocol::TCP)) => Transport::Tcp,
        (Domain::IPV4 | Domain::IPV6, Type::DGRAM, Some(Protocol::UDP)) => Transport::Udp,
        _ => return Err(unusable(&format!("a socket of {domain:?}, {kind:?} has no QoS"))),
    };
    if !is_of_this_namespace(&descriptor) {
        return Err(unusable("the socket is of another network namespace"));
    }
    let cookie = socket.cookie().map_err(|error| unusable(&format!("the socket has no cookie ({error})")))?;
    // Before its names are read: what changes them later is told.
    let watch = keepers.watcher.watch(descriptor.as_fd(), cookie, transport.protocol());
    let is_marked = keepers.marks.mark(descriptor.as_fd(), cookie).is_ok();
    let sending = socket.send_buffer_size().ok().and_then(|size| u32::try_from(size).ok()).unwrap_or(0);
    let names = names_of(&socket, cookie, transport, domain);
    Ok(Looked { names, watch, is_v6: domain == Domain::IPV6, sending, is_marked })
}

fn names_of(socket: &SockRef<'_>, cookie: u64, transport: Transport, domain: Domain) -> Names {
    // A port of zero is none: an address alone makes no session.
    let name = |name: io::Result<socket2::SockAddr>| name.ok()?.as_socket().filter(|name| name.port() != 0);
    let ttl = |ttl: io::Result<u32>| ttl.ok().and_then(|ttl| u8::try_from(ttl).ok()).filter(|ttl| *ttl > 0);
    let (local, peer) = (name(socket.local_addr()), name(socket.peer_addr()));
    let (own, of_groups) =
        if domain == Domain::IPV4 || peer.is_some_and(|peer| peer.ip().to_canonical().is_ipv4()) {
            (socket.ttl_v4(), socket.multicast_ttl_v4())
        } else {
            (socket.unicast_hops_v6(), socket.multicast_hops_v6())
        };
    Names {
        cookie: Some(cookie),
        transport,
        local,
        peer,
        ttl: ttl(own).unwrap_or(64),
        group_ttl: ttl(of_groups).unwrap_or(1),
        listens: transport == Transport::Tcp && socket.is_listener().unwrap_or(false),
    }
}

/// Whether a socket is of the daemon's network namespace. A kernel that does not say (before Linux 5.14) is believed.
fn is_of_this_namespace(socket: &OwnedFd) -> bool {
    static OWN: OnceLock<Option<u64>> = OnceLock::new();
    let own = *OWN.get_or_init(|| {
        let probe = socket2::Socket::new(Domain::IPV4, Type::DGRAM, None).ok()?;
        sys::namespace_cookie(probe.as_fd()).ok()
    });
    let other = sys::namespace_cookie(socket.as_fd()).ok();
    own.zip(other).is_none_or(|(own, other)| own == other)
}
