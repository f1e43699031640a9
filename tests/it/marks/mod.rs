//! What an application marks and paces by itself, seen on the wire: two hosts that each test makes for itself, and a capture at the
//! far one. Everything is done by threads without any capability.

mod datagrams;
mod paced;
mod paced_datagrams;
mod streams;
mod wire;

use crate::daemon::eventually;
use crate::daemon::net::Net;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use wire::{Capture, Packet};

/// Two hosts `a` and `b` and a capture of TCP and UDP at `b`.
struct Pair {
    net: Net,
    capture: Capture,
}

impl Pair {
    fn new(test: &str) -> Option<Self> {
        let mut net = Net::new(test)?;
        net.host("a");
        net.host("b");
        net.link("a", "b");
        // As many packets on the wire as TCP has segments.
        net.ip("a", "link set to-b gso_max_segs 1");
        net.ip("b", "link set to-a gso_max_segs 1");
        let capture = Capture::start(&mut net, "b", "to-a");
        Some(Self { net, capture })
    }

    /// Runs something on a host, in a thread that has no capability.
    fn on<T: Send>(&self, host: &str, what: impl FnOnce() -> T + Send) -> T {
        self.net.within(host, || {
            for set in [caps::CapSet::Effective, caps::CapSet::Permitted] {
                caps::clear(None, set).expect("less is always possible");
            }
            assert!(
                !caps::has_cap(None, caps::CapSet::Effective, caps::Capability::CAP_NET_ADMIN)
                    .expect("capabilities are listed")
            );
            what()
        })
    }

    /// Runs something on a host within a runtime, in a thread that has no capability.
    fn run<T: Send, F: Future<Output = T>>(&self, host: &str, what: impl FnOnce() -> F + Send) -> T {
        self.on(host, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            runtime.expect("a runtime").block_on(async { what().await })
        })
    }

    /// Waits until the capture has what is asked for.
    fn seen(&self, what: &str, enough: impl Fn(&[Packet]) -> bool) -> Vec<Packet> {
        eventually(what, || Some(self.capture.packets()).filter(|packets| enough(packets)))
    }
}

/// A way for packets between the hosts.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// To which the server binds.
    bind: &'static str,
    /// To which the client connects.
    to: &'static str,
    /// Of what family the client's socket is.
    client: &'static str,
}

/// In both families, and IPv4 between sockets of IPv6, on one side or both.
const WAYS: [Way; 5] = [
    Way { bind: "10.0.1.2:0", to: "10.0.1.2", client: "0.0.0.0:0" },
    Way { bind: "[fd00:1::2]:0", to: "fd00:1::2", client: "[::]:0" },
    Way { bind: "[::]:0", to: "10.0.1.2", client: "0.0.0.0:0" },
    Way { bind: "[::]:0", to: "::ffff:10.0.1.2", client: "[::]:0" },
    Way { bind: "[::]:0", to: "fd00:1::2", client: "[::]:0" },
];

/// A socket that binds to this address, for both families if it is one of IPv6.
fn socket(kind: socket2::Type, bind: &str) -> socket2::Socket {
    let address: SocketAddr = bind.parse().expect("an address");
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), kind, None).expect("a socket");
    if address.is_ipv6() {
        socket.set_only_v6(false).expect("IPV6_V6ONLY");
    }
    socket.bind(&address.into()).expect("a free port");
    socket
}

fn address(to: &str, port: u16) -> SocketAddr {
    SocketAddr::new(to.parse::<IpAddr>().expect("an address"), port)
}

fn port(socket: &socket2::Socket) -> u16 {
    socket.local_addr().expect("bound").as_socket().expect("an address").port()
}

/// A socket of the runtime's.
fn tokio_udp(socket: socket2::Socket) -> tokio::net::UdpSocket {
    socket.set_nonblocking(true).expect("O_NONBLOCK");
    tokio::net::UdpSocket::from_std(socket.into()).expect("a runtime")
}
