//! Traffic for tests: datagrams from one node to another, and what has come of them.

use super::super::eventually;
use super::super::net::Net;
use rsvpd::set_option;
use socket2::{Domain, Socket, Type};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

const SOL_SOCKET: i32 = 1;
const SO_RCVBUFFORCE: i32 = 33;
const IP_TOS: i32 = 1;
/// Room for all that a test sends.
const ROOM: i32 = 64 * 1024 * 1024;
/// A machine that was busy for longer than this does not catch up with what it should have sent: it would be no flow of that rate.
const CATCH_UP: Duration = Duration::from_millis(50);

fn socket(net: &Net, node: &str, address: &str) -> UdpSocket {
    net.within(node, || {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("a socket");
        let address: SocketAddr = address.parse().expect("an address");
        // What was bound there before is open for a moment in children of other tests, until they run their programs.
        let bound = eventually("a free address", || match socket.bind(&address.into()) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => None,
            done => Some(done),
        });
        bound.expect("an address of this node");
        socket.into()
    })
}

/// A socket that sends to `to`, with this octet as TOS.
pub(super) fn from(net: &Net, node: &str, address: &str, to: &str, tos: i32) -> UdpSocket {
    let socket = socket(net, node, address);
    set_option(socket.as_fd(), 0, IP_TOS, &tos.to_ne_bytes()).expect("IP_TOS");
    socket.connect(to).expect("a route");
    socket
}

/// A socket that has room for everything.
pub(super) fn at(net: &Net, node: &str, address: &str) -> UdpSocket {
    let socket = socket(net, node, address);
    set_option(socket.as_fd(), SOL_SOCKET, SO_RCVBUFFORCE, &ROOM.to_ne_bytes()).expect("room");
    socket.set_nonblocking(true).expect("it need not wait");
    socket
}

/// How many datagrams wait at a socket; they are taken.
pub(super) fn arrived(socket: &UdpSocket) -> u64 {
    let mut octets = [0; 2_000];
    let mut count = 0;
    loop {
        match socket.recv(&mut octets) {
            Ok(_) => count += 1,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return count,
            Err(error) => panic!("{error}"),
        }
    }
}

/// A flow of packets of one size and rate.
pub(super) struct Steady<'a> {
    pub(super) socket: &'a UdpSocket,
    /// Octets of a packet from the IP header on.
    pub(super) packet: usize,
    /// Octets per second, IP headers included.
    pub(super) rate: u64,
    /// Whether it sends later what it was too late for, however much that is: a flood does.
    pub(super) floods: bool,
}

/// Sends several flows for some time; gives how many packets of each, and from when to when.
#[expect(clippy::disallowed_methods, reason = "traffic has a rate in real time")]
pub(super) fn send(flows: &[Steady<'_>], duration: Duration) -> (Vec<u64>, Duration) {
    let octets = vec![0; 2_000];
    let mut sent = vec![0; flows.len()];
    let started = Instant::now();
    // What the machine was late by is not made up for.
    let (mut lost, mut last) = (Duration::ZERO, Duration::ZERO);
    loop {
        let elapsed = started.elapsed();
        lost += elapsed.saturating_sub(last).saturating_sub(CATCH_UP);
        last = elapsed;
        let flowed = elapsed - lost;
        for (flow, sent) in flows.iter().zip(&mut sent) {
            let sending = if flow.floods { elapsed } else { flowed };
            let due = flow.rate * sending.as_micros() as u64 / 1_000_000 / flow.packet as u64;
            while *sent < due {
                let payload = octets.get(..flow.packet - 28).expect("a small packet");
                flow.socket.send(payload).expect("room");
                *sent += 1;
            }
        }
        if flowed >= duration {
            return (sent, started.elapsed());
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Sends so many packets as fast as the socket takes them; gives how long that took.
#[expect(clippy::disallowed_methods, reason = "what is held back takes time")]
pub(super) fn burst(socket: &UdpSocket, packet: usize, count: usize) -> Duration {
    let started = Instant::now();
    for _ in 0..count {
        socket.send(&vec![0; packet - 28]).expect("room");
    }
    started.elapsed()
}
