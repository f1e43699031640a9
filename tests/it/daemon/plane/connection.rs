//! TCP connections for tests: from one node to another, closed by either side first.

use super::super::eventually;
use super::super::net::Net;
use super::seen::Seen;
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

const FIN: u8 = 1;
const ACK: u8 = 16;

/// Who closes first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Closes {
    Client,
    Server,
}

fn socket(net: &Net, node: &str, address: &str, use_it: impl FnOnce(&Socket) + Send) -> Socket {
    net.within(node, || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let address: SocketAddr = address.parse().expect("an address");
        // What was bound there before is open for a moment in children of other tests, until they run their programs.
        let bound = eventually("a free address", || match socket.bind(&address.into()) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => None,
            done => Some(done),
        });
        bound.expect("an address of this node");
        use_it(&socket);
        socket
    })
}

/// A listener.
pub(super) fn listen(net: &Net, node: &str, address: &str) -> TcpListener {
    socket(net, node, address, |socket| socket.listen(8).expect("a listener")).into()
}

/// A connection from an address.
pub(super) fn connect(net: &Net, node: &str, address: &str, to: &str) -> TcpStream {
    let to: SocketAddr = to.parse().expect("an address");
    socket(net, node, address, |socket| socket.connect(&to.into()).expect("somebody listens")).into()
}

/// A few octets there and back, and an orderly end.
pub(super) fn talk(client: TcpStream, server: TcpStream, closes: Closes) {
    let (mut first, mut second) = if closes == Closes::Client { (client, server) } else { (server, client) };
    let mut octets = [0; 5];
    for _ in 0..3 {
        first.write_all(b"hello").expect("it is open");
        second.read_exact(&mut octets).expect("they come");
        second.write_all(&octets).expect("it is open");
        first.read_exact(&mut octets).expect("they come");
    }
    drop(first);
    assert_eq!(second.read(&mut octets).expect("an orderly end"), 0);
}

/// Whether a connection has ended: both sides have sent a FIN, and the last one is acknowledged.
pub(super) fn is_over(packets: &[Seen]) -> bool {
    let fins: Vec<usize> = (0..packets.len()).filter(|n| packets[*n].flags & FIN != 0).collect();
    let (Some(first), Some(last)) = (fins.first(), fins.last()) else { return false };
    let is_answer = |packet: &Seen| packet.flags & ACK != 0 && packet.ports != packets[*last].ports;
    packets[*first].ports != packets[*last].ports && packets[last + 1..].iter().any(is_answer)
}
