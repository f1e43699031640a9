//! How QoS ends: each way sends the teardown of its direction, and nothing of the other; and what does not end it.

use super::super::eventually;
use super::{CONFIG, Hosts, RECEIVER, REFRESHED, SENDER, kinds, receiving, sending, sending_at, voice};
use rsvp_client::QosSocket;
use rsvp_client::qos::{Qos, ServiceType, Status};
use rsvp_control::sockets::How;
use rsvp_wire::{MsgType, Style};
use serde_json::json;
use tokio::net::UdpSocket;

/// A socket on each host that sends to the other and receives from it, with the reservations standing.
fn both_ways(hosts: &Hosts) -> [QosSocket<UdpSocket>; 2] {
    let both = Qos { sending: voice(), ..receiving(ServiceType::ControlledLoad) };
    let ends = [("a", SENDER, RECEIVER), ("b", RECEIVER, SENDER)].map(|(node, at, to)| {
        let socket = hosts.bound(node, at);
        hosts.connect(node, &socket, to);
        hosts.set(&socket, &both);
        socket
    });
    for socket in &ends {
        let mut told = [hosts.told(socket).status, hosts.told(socket).status];
        told.sort();
        assert_eq!(told, [Status::RECEIVERS, Status::SENDERS]);
    }
    ends
}

/// What one end does to end something.
type Ends = fn(&Hosts, QosSocket<UdpSocket>) -> Option<QosSocket<UdpSocket>>;

fn set(
    hosts: &Hosts,
    socket: QosSocket<UdpSocket>,
    sends: bool,
    service: ServiceType,
) -> Option<QosSocket<UdpSocket>> {
    let mut qos = Qos::default();
    let direction = if sends { &mut qos.sending } else { &mut qos.receiving };
    direction.service = service.into();
    hosts.set(&socket, &qos);
    Some(socket)
}

fn shut(hosts: &Hosts, socket: QosSocket<UdpSocket>, how: How) -> Option<QosSocket<UdpSocket>> {
    hosts.at("a", socket.shutdown(how)).expect("the daemon is there");
    Some(socket)
}

/// What ends, and of which direction: sending, receiving.
const WAYS: [(&str, Ends, bool, bool); 9] = [
    (
        "closing",
        |_, socket| {
            drop(socket);
            None
        },
        true,
        true,
    ),
    (
        "ending",
        |hosts, socket| {
            drop(hosts.at("a", socket.end()));
            None
        },
        true,
        true,
    ),
    ("shutting down what it sends", |hosts, socket| shut(hosts, socket, How::Sending), true, false),
    ("shutting down what it receives", |hosts, socket| shut(hosts, socket, How::Receiving), false, true),
    ("shutting down both", |hosts, socket| shut(hosts, socket, How::Both), true, true),
    ("sending no traffic", |hosts, socket| set(hosts, socket, true, ServiceType::NoTraffic), true, false),
    ("sending best effort", |hosts, socket| set(hosts, socket, true, ServiceType::BestEffort), true, false),
    ("receiving no traffic", |hosts, socket| set(hosts, socket, false, ServiceType::NoTraffic), false, true),
    (
        "receiving best effort",
        |hosts, socket| set(hosts, socket, false, ServiceType::BestEffort),
        false,
        true,
    ),
];

#[test]
fn each_way_to_end_tears_down_its_direction_alone() {
    let Some(mut hosts) = Hosts::new("ends", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let from_a =
        |kind| capture.of(kind).into_iter().filter(|seen| seen.hop == "10.0.1.1".parse().ok()).count();
    for (way, ends, path, resv) in WAYS {
        let [one, other] = both_ways(&hosts);
        let before = (from_a(MsgType::PATH_TEAR), from_a(MsgType::RESV_TEAR));
        let kept = ends(&hosts, one);
        // What has ended is gone at the other end; what has not stands.
        hosts.net.client("b").until("senders", if path { 1 } else { 2 });
        hosts.net.client("b").until("reservations", usize::from(!resv));
        let expected = (before.0 + usize::from(path), before.1 + usize::from(resv));
        eventually(way, || {
            ((from_a(MsgType::PATH_TEAR), from_a(MsgType::RESV_TEAR)) == expected).then_some(())
        });
        drop((kept, other));
        for node in ["a", "b"] {
            hosts.net.client(node).until("sessions", 0);
        }
    }
}

#[test]
fn two_directions_are_two_reservations_and_one_goes_without_the_other() {
    let Some(hosts) = Hosts::new("two directions", CONFIG) else { return };
    let [one, other] = both_ways(&hosts);
    for node in ["a", "b"] {
        assert_eq!(hosts.net.client(node).list("reservations").len(), 1);
        assert_eq!(hosts.net.client(node).list("senders").len(), 2);
    }
    let one = set(&hosts, one, false, ServiceType::NoTraffic).expect("it is kept");
    hosts.told_of(&other, Status::NO_RECEIVERS);
    assert_eq!(hosts.net.client("a").list("reservations").len(), 1, "what a sends is reserved");
    hosts.net.client("b").until("reservations", 0);
    assert_eq!((one.try_next(), other.try_next()), (None, None));
}

#[test]
fn a_client_that_dies_leaves_nothing() {
    let Some(hosts) = Hosts::new("a client dies", CONFIG) else { return };
    let (sender, receiver) = hosts.sender_and_receiver();
    hosts.told_of(&sender, Status::RECEIVERS);
    // By hand, so that the connection alone ends: the socket stays open.
    let host = hosts.host("a");
    let kept = hosts.udp("a", "10.0.1.1:4001");
    let other = hosts.at("a", host.attach(kept)).expect("handed over");
    hosts.set(&other, &sending());
    hosts.connect("a", &other, RECEIVER);
    hosts.told_of(&receiver, Status::SENDERS);
    drop((other, host, sender));
    hosts.told_of(&receiver, Status::NO_SENDERS);
    hosts.net.client("a").until("sessions", 0);
}

#[test]
fn signalling_goes_on_after_a_failure_until_it_succeeds() {
    let Some(mut hosts) = Hosts::new("after a failure", REFRESHED) else { return };
    let capture = hosts.net.capture("a", "to-b");
    // Somebody has 7 of the 7.5 Mbit/s that can be reserved.
    let (mut a, mut b) = (hosts.net.client("a"), hosts.net.client("b"));
    a.send("udp 10.0.1.2:6000", "10.0.1.1:4500", 7);
    b.ask(json!({"request": "open-session", "session": "udp 10.0.1.2:6000"})).expect("a session");
    b.event("path");
    b.reserve("udp 10.0.1.2:6000", "10.0.1.1:4500", 7);
    a.event("resv");
    let receiver = hosts.bound("b", RECEIVER);
    hosts.set(&receiver, &super::confirmed());
    let sender = hosts.bound("a", SENDER);
    hosts.set(&sender, &sending_at(120_000));
    hosts.connect("a", &sender, RECEIVER);
    hosts.told_of(&receiver, Status::SENDERS);
    hosts.told_of(&receiver, Status::ADMISSION_FAILURE);
    let of_socket = || {
        capture
            .of(MsgType::RESV)
            .iter()
            .filter(|seen| super::session_of(seen) == super::session(RECEIVER))
            .count()
    };
    let before = of_socket();
    eventually("five more refreshes", || (of_socket() >= before + 5).then_some(()));
    assert_eq!(sender.try_next(), None, "nothing is reserved");
    b.ask(json!({"request": "release", "session": "udp 10.0.1.2:6000"})).expect("given up");
    hosts.told_of(&sender, Status::RECEIVERS);
    // And who receives is told, too: by the confirmation that was asked for, once.
    let told =
        eventually("success", || receiver.try_next().filter(|told| told.status != Status::ADMISSION_FAILURE));
    assert_eq!(told.status, Status::REQUEST_CONFIRMED, "{told:?}");
    let before = of_socket();
    eventually("five more refreshes", || (of_socket() >= before + 5).then_some(()));
    assert_eq!(receiver.try_next(), None);
    let asks = capture
        .of(MsgType::RESV)
        .into_iter()
        .rev()
        .filter(|seen| super::session_of(seen) == super::session(RECEIVER));
    let last = asks.map(|seen| seen.octets).next().expect("a Resv");
    let message = rsvp_wire::Message::parse(&last).expect("sound");
    assert!(message.get::<rsvp_wire::ResvConfirm>().is_none(), "what is confirmed is not asked for any more");
}

/// Dissolving the association (`connect` to no address) ends what depended on the peer, in each direction.
#[test]
fn a_socket_without_its_peer_has_no_path_and_reserves_for_all_again() {
    let Some(mut hosts) = Hosts::new("disconnecting", CONFIG) else { return };
    let (near, far) = (hosts.net.capture("a", "to-b"), hosts.net.capture("b", "to-a"));
    let [one, other] = both_ways(&hosts);
    let tears = far.of(MsgType::PATH_TEAR).len();
    hosts.at("a", one.disconnect()).expect("dissolved");
    assert!(one.peer_addr().is_err(), "it has no peer");
    // What it sent is torn down; what it receives it now reserves for whoever sends.
    eventually("its PathTear", || (far.of(MsgType::PATH_TEAR).len() == tears + 1).then_some(()));
    let mut told = [hosts.told(&other).status, hosts.told(&other).status, hosts.told(&other).status];
    told.sort();
    assert_eq!(told, [Status::RECEIVERS, Status::NO_SENDERS, Status::NO_RECEIVERS]);
    let of_one = [(MsgType::RESV, Style::FF), (MsgType::RESV_TEAR, Style::FF), (MsgType::RESV, Style::WF)];
    let from_one = || {
        let all = kinds(&far, &[MsgType::RESV, MsgType::RESV_TEAR]);
        all.iter().filter(|kind| of_one.contains(kind)).copied().collect::<Vec<_>>()
    };
    eventually("WF again", || from_one().ends_with(&of_one[1..]).then_some(()));
    hosts.net.client("b").until("senders", 1);
    // And a new peer has it all again.
    hosts.connect("a", &one, RECEIVER);
    eventually("it as a sender", || other.try_next().filter(|told| told.status == Status::SENDERS));
    hosts.net.client("b").until("senders", 2);
    drop((near, one, other));
    for node in ["a", "b"] {
        hosts.net.client(node).until("sessions", 0);
    }
}
