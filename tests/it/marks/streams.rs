//! Marks of TCP: every packet from the SYN to the last ACK, in both families, whoever closes first.

use super::wire::{ACK, FIN, Packet, RST, SYN};
use super::{Capture, Net, Pair, WAYS, Way, address, port, socket};
use rsvp_client::{Dscp, mark, marked};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Who closes first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Closes {
    Client,
    Server,
}

fn listener(pair: &Pair, way: Way, dscp: Option<Dscp>) -> (TcpListener, u16) {
    pair.on("b", || {
        let socket = socket(socket2::Type::STREAM, way.bind);
        if let Some(dscp) = dscp {
            mark(&socket, dscp).expect("no privilege is needed");
            assert_eq!(marked(&socket).expect("it has one"), dscp);
        }
        socket.listen(8).expect("a listener");
        let port = port(&socket);
        (socket.into(), port)
    })
}

/// A client that is marked before it connects.
fn client(pair: &Pair, way: Way, port: u16, dscp: Dscp) -> TcpStream {
    pair.on("a", || {
        let socket = socket(socket2::Type::STREAM, way.client);
        mark(&socket, dscp).expect("no privilege is needed");
        socket.connect(&address(way.to, port).into()).expect("the server listens");
        assert_eq!(marked(&socket).expect("it has one"), dscp);
        socket.into()
    })
}

/// A few octets there and back, and an orderly end.
fn talk(client: TcpStream, server: TcpStream, closes: Closes) {
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

/// The packets of one connection, with those of the client first; none until its last ACK is there.
fn connection(packets: &[Packet], port: u16) -> Option<(Vec<Packet>, Vec<Packet>)> {
    // The last SYN to the listener says whose it is: its port may have been a client's before.
    let begin = packets.iter().rposition(|p| p.destination == port && p.flags & (SYN | ACK) == SYN)?;
    let peer = packets[begin].source;
    let is_of = |p: &&Packet| [(peer, port), (port, peer)].contains(&(p.source, p.destination));
    let of: Vec<_> = packets[begin..].iter().filter(is_of).cloned().collect();
    let (client, server): (Vec<_>, Vec<_>) = of.iter().cloned().partition(|p| p.destination == port);
    let both = [&client, &server].iter().all(|side| side.iter().any(|p| p.has(FIN)));
    let last = of.iter().rposition(|p| p.has(FIN))?;
    let acknowledged = of[last + 1..].iter().any(|p| p.has(ACK) && p.source != of[last].source);
    (both && acknowledged).then_some((client, server))
}

fn dscps(packets: &[Packet]) -> Vec<u8> {
    let mut found: Vec<u8> = packets.iter().map(Packet::dscp).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// S1 and S4: the client's packets have its mark, SYN, FIN and the last ACK included, and the server's have none, or the
/// mark of the listener, SYN-ACK included.
#[test]
fn every_packet_is_marked_from_the_syn_to_the_last_ack() {
    let Some(pair) = Pair::new("marks of TCP") else { return };
    for way in WAYS {
        for (closes, listens) in [
            (Closes::Client, None),
            (Closes::Server, None),
            (Closes::Client, Some(Dscp::AF41)),
            (Closes::Server, Some(Dscp::AF41)),
        ] {
            let (listener, port) = listener(&pair, way, listens);
            let client = client(&pair, way, port, Dscp::EF);
            let (server, _) = listener.accept().expect("it has connected");
            assert_eq!(marked(&server).expect("it has one"), listens.unwrap_or_default());
            talk(client, server, closes);
            let seen = pair.seen("a connection", |packets| connection(packets, port).is_some());
            let (client, server) = connection(&seen, port).expect("it is there");
            let version = if way.to.contains('.') { 4 } else { 6 };
            assert!(client.iter().all(|packet| packet.version == version), "{way:?}");
            // SYN, ACK, three times five octets, FIN, ACK at least.
            assert!(client[0].flags & (SYN | ACK) == SYN && client.len() >= 6, "{client:?}");
            assert!(server[0].has(SYN | ACK) && server.len() >= 5, "{server:?}");
            assert_eq!(dscps(&client), [46], "{way:?} {closes:?}: {client:?}");
            let expected = listens.unwrap_or_default().value();
            assert_eq!(dscps(&server), [expected], "{way:?} {closes:?}: {server:?}");
        }
    }
}

/// A mark that changes does so from the next packet on.
#[test]
fn a_mark_may_change_in_mid_connection() {
    let Some(pair) = Pair::new("a change of marks of TCP") else { return };
    for way in WAYS {
        let (listener, port) = listener(&pair, way, None);
        let client = client(&pair, way, port, Dscp::DF);
        let (server, _) = listener.accept().expect("it has connected");
        pair.on("a", || mark(&client, Dscp::CS5).expect("no privilege is needed"));
        assert_eq!(marked(&client).expect("it has one"), Dscp::CS5);
        talk(client, server, Closes::Client);
        let seen = pair.seen("a connection", |packets| connection(packets, port).is_some());
        let (client, _) = connection(&seen, port).expect("it is there");
        let of = |data: bool| -> Vec<_> {
            client.iter().filter(|p| (p.data_length > 0 || p.has(FIN)) == data).cloned().collect()
        };
        assert_eq!(dscps(&of(true)), [40], "{way:?}: {client:?}");
        assert_eq!(client[0].dscp(), 0, "the SYN was there before");
    }
}

/// With ECN negotiated the kernel sets ECT(0) on data; a mark leaves that alone.
#[test]
fn ecn_of_a_connection_survives() {
    let Some(pair) = Pair::new("ECN of TCP") else { return };
    for host in ["a", "b"] {
        pair.net.sysctl(host, "net.ipv4.tcp_ecn", "1");
    }
    for way in WAYS {
        let (listener, port) = listener(&pair, way, None);
        let client = client(&pair, way, port, Dscp::AF31);
        let (server, _) = listener.accept().expect("it has connected");
        mark(&client, Dscp::EF).expect("no privilege is needed");
        talk(client, server, Closes::Client);
        let seen = pair.seen("a connection", |packets| connection(packets, port).is_some());
        let (client, _) = connection(&seen, port).expect("it is there");
        let data: Vec<_> = client.into_iter().filter(|packet| packet.data_length > 0).collect();
        assert!(data.len() >= 3, "{data:?}");
        assert!(data.iter().all(|packet| packet.ds == 46 << 2 | 2), "{way:?}: {data:?}");
    }
}

/// A reset of a connection that is given up has its mark; that of a closed port the mark of what it answers.
#[test]
fn resets_are_marked() {
    let Some(pair) = Pair::new("resets") else { return };
    for way in WAYS {
        let (listener, port) = listener(&pair, way, None);
        let client = client(&pair, way, port, Dscp::EF);
        let (mut server, _) = listener.accept().expect("it has connected");
        server.write_all(b"unread").expect("it is open");
        client.peek(&mut [0; 6]).expect("it comes");
        drop(client);
        let is_reset = |p: &&Packet| p.destination == port && p.has(RST);
        let seen = pair.seen("a reset", |packets| packets.iter().any(|p| is_reset(&p)));
        assert!(seen.iter().filter(is_reset).all(|reset| reset.dscp() == 46), "{way:?}: {seen:?}");
        drop(listener);
        let refused = pair.on("a", || {
            let socket = socket(socket2::Type::STREAM, way.client);
            mark(&socket, Dscp::AF21).expect("no privilege is needed");
            socket.connect(&address(way.to, port).into())
        });
        assert_eq!(refused.expect_err("nobody listens").kind(), std::io::ErrorKind::ConnectionRefused);
        let is_answer = |p: &&Packet| p.source == port && p.has(RST);
        let seen = pair.seen("an answer", |packets| packets.iter().any(|p| is_answer(&p)));
        assert!(seen.iter().filter(is_answer).all(|reset| reset.dscp() == 18), "{way:?}: {seen:?}");
    }
}

/// S2: a request on loopback gets its reply, and only the client is marked.
#[test]
fn a_request_on_loopback_is_marked() {
    let Some(mut net) = Net::new("marks on loopback") else { return };
    net.host("a");
    let capture = Capture::start(&mut net, "a", "lo");
    let pair = Pair { net, capture };
    let way = Way { bind: "127.0.0.1:8086", to: "127.0.0.1", client: "0.0.0.0:0" };
    let listener = pair.on("a", || {
        let socket = socket(socket2::Type::STREAM, way.bind);
        socket.listen(8).expect("a listener");
        TcpListener::from(socket)
    });
    let mut client = client(&pair, way, 8086, Dscp::EF);
    let (mut server, _) = listener.accept().expect("it has connected");
    let request = b"GET / HTTP/1.0\r\n\r\n";
    client.write_all(request).expect("it is open");
    server.read_exact(&mut [0; 18]).expect("the request");
    server.write_all(b"HTTP/1.0 200 OK\r\n\r\nyes").expect("it is open");
    drop(server);
    let mut reply = String::new();
    client.read_to_string(&mut reply).expect("a reply");
    assert!(reply.ends_with("yes"), "{reply}");
    drop(client);
    let seen = pair.seen("the request", |packets| connection(packets, 8086).is_some());
    let (client, server) = connection(&seen, 8086).expect("it is there");
    assert!(client.iter().any(|packet| packet.data.starts_with(request)), "{client:?}");
    assert!(client.iter().all(|packet| packet.ds == 0xb8), "{client:?}");
    assert!(server.iter().all(|packet| packet.ds == 0), "{server:?}");
}
