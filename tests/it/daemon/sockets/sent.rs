//! Senders: which Path leaves for a socket, and when.

use super::super::eventually;
use super::{
    CONFIG, Hosts, RECEIVER, SENDER, receiving, sender_of, sending, sending_at, session, session_of,
    template, tspec_of,
};
use rsvp_client::qos::{Object, Qos, ServiceType, Status};
use rsvp_client::{QosError, QosSocket};
use rsvp_wire::MsgType;
use std::net::TcpListener;
use tokio::net::TcpStream;

#[test]
fn a_connected_udp_socket_sends_the_path_of_its_peer_and_its_flowspec() {
    let Some(mut hosts) = Hosts::new("a connected sender", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let sender = hosts.bound("a", SENDER);
    hosts.set(&sender, &sending());
    hosts.connect("a", &sender, RECEIVER);
    let path = capture.first(MsgType::PATH);
    assert_eq!((session_of(&path), sender_of(&path)), (session(RECEIVER), template(SENDER)));
    let tspec = tspec_of(&path);
    // 28 octets of headers: 8,500 · 368/340.
    assert_eq!((tspec.rate, tspec.bucket, tspec.peak), (9_200.0, 708.0, f32::INFINITY));
    assert_eq!((tspec.min_policed_unit, tspec.max_packet_size), (368, 368));
    assert_eq!(path.ttl, 64, "that of the data");
}

#[test]
fn a_tcp_connection_sends_a_path_as_soon_as_it_stands() {
    let Some(mut hosts) = Hosts::new("a connection", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let listener = hosts.net.within("b", || TcpListener::bind("10.0.1.2:80")).expect("a listener");
    let host = hosts.host("a");
    let sender = hosts.at("a", QosSocket::<TcpStream>::connect(&host, "10.0.1.2:80", &sending()));
    let sender = sender.expect("connected");
    let path = capture.first(MsgType::PATH);
    assert_eq!(session_of(&path), "tcp 10.0.1.2:80".parse().expect("a session"));
    assert_eq!(sender_of(&path), template(&sender.local_addr().expect("a name").to_string()));
    // 40 octets of headers.
    assert_eq!((tspec_of(&path).rate, tspec_of(&path).max_packet_size), (9_500.0, 380));
    // What the connection carries is the application's business as before.
    let (mut accepted, _) = listener.accept().expect("a connection");
    hosts
        .at("a", async { tokio::io::AsyncWriteExt::write_all(&mut { sender }, b"hello").await })
        .expect("sent");
    let mut octets = [0; 5];
    std::io::Read::read_exact(&mut accepted, &mut octets).expect("it arrives");
    assert_eq!(&octets, b"hello");
    capture.first(MsgType::PATH_TEAR);
}

#[test]
fn qos_set_before_or_after_connecting_gives_the_same_path_and_a_second_one_another() {
    let Some(mut hosts) = Hosts::new("both orders", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let one = hosts.bound("a", SENDER);
    hosts.set(&one, &sending());
    hosts.connect("a", &one, RECEIVER);
    capture.first(MsgType::PATH);
    drop(one);
    capture.first(MsgType::PATH_TEAR);
    let other = hosts.udp("a", SENDER);
    hosts.at("a", other.connect(RECEIVER)).expect("connected");
    let other = hosts.attached("a", other);
    hosts.set(&other, &sending());
    let paths = |count| eventually("Paths", || Some(capture.of(MsgType::PATH)).filter(|p| p.len() == count));
    let both = paths(2);
    assert_eq!(both[0].octets, both[1].octets);
    hosts.set(&other, &sending_at(17_000));
    assert_eq!(tspec_of(&paths(3)[2]).rate, 18_400.0);
    // What is refused changes nothing.
    let refused = hosts.at("a", other.set(&sending_at(0))).expect_err("a rate of zero");
    assert!(matches!(refused, QosError::Invalid { status: Status::EFLOWSPEC, .. }), "{refused}");
    hosts.set(&other, &receiving(ServiceType::NoChange));
    assert_eq!(capture.of(MsgType::PATH).len(), 3, "nothing to tell");
}

#[test]
fn a_socket_without_a_peer_sends_to_the_destination_it_is_told() {
    let Some(mut hosts) = Hosts::new("a destination", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    // Bound to any address: the route says which one is the sender's.
    let sender = hosts.bound("a", "0.0.0.0:4000");
    hosts.set(&sender, &sending());
    assert!(hosts.net.client("a").list("senders").is_empty(), "nobody knows where it sends to");
    let to = Object::Destination(RECEIVER.parse().expect("an address"));
    hosts.set(&sender, &Qos { objects: vec![to], ..sending() });
    let path = capture.first(MsgType::PATH);
    assert_eq!((session_of(&path), sender_of(&path)), (session(RECEIVER), template(SENDER)));
}

#[test]
fn ipv6_has_its_own_headers_and_addresses() {
    let Some(mut hosts) = Hosts::new("IPv6", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let sender = hosts.bound("a", "[fd00:1::1]:4000");
    hosts.set(&sender, &sending());
    hosts.connect("a", &sender, "[fd00:1::2]:5000");
    let path = capture.first(MsgType::PATH);
    assert_eq!(
        (session_of(&path), sender_of(&path)),
        (session("[fd00:1::2]:5000"), template("[fd00:1::1]:4000"))
    );
    // 48 octets of headers.
    assert_eq!((tspec_of(&path).rate, tspec_of(&path).max_packet_size), (9_700.0, 388));
}
