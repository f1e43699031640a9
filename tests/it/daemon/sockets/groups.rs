//! Groups: joining is the only way to multicast QoS, and each group keeps its own.

use super::super::eventually;
use super::{
    CONFIG, Hosts, SENDER, kinds, receiving, sending, sending_at, session, session_of, template, tspec_of,
};
use rsvp_client::Leaf;
use rsvp_client::qos::{ServiceType, Status};
use rsvp_wire::{MsgType, Style};
use std::net::SocketAddr;

const ONE: &str = "239.1.2.3:5000";
const OTHER: &str = "239.1.2.4:5000";

fn group(text: &str) -> SocketAddr {
    text.parse().expect("a group")
}

#[test]
fn a_sender_of_a_group_sends_paths_there_and_a_receiver_reserves_for_all() {
    let Some(mut hosts) = Hosts::new("a group", CONFIG) else { return };
    let (near, far) = (hosts.net.capture("a", "to-b"), hosts.net.capture("b", "to-a"));
    let (sender, receiver) = (hosts.bound("a", SENDER), hosts.bound("b", "0.0.0.0:5000"));
    // What is set without a group, and being a member by the kernel's own call, leads to nothing.
    hosts.set(&sender, &sending());
    hosts.set(&receiver, &receiving(ServiceType::ControlledLoad));
    let member = hosts.net.join("b", "to-a", group(ONE).ip());
    assert!(hosts.net.client("a").list("senders").is_empty());
    hosts.at("b", receiver.join(group(ONE), Leaf::Receiver, None)).expect("joined");
    hosts.at("a", sender.join(group(ONE), Leaf::Sender, None)).expect("joined");
    let path = far.first(MsgType::PATH);
    assert_eq!((session_of(&path), super::sender_of(&path)), (session(ONE), template(SENDER)));
    assert_eq!(path.ttl, 1, "that of the data: a socket's TTL to groups is 1");
    hosts.told_of(&receiver, Status::SENDERS);
    hosts.told_of(&sender, Status::RECEIVERS);
    assert_eq!(kinds(&near, &[MsgType::RESV]), [(MsgType::RESV, Style::WF)]);
    // A sender alone is told of no senders.
    let also = hosts.net.client("b");
    drop((also, member));
    assert_eq!(sender.try_next(), None);
}

#[test]
fn a_socket_that_does_both_announces_and_reserves() {
    let Some(hosts) = Hosts::new("both in a group", CONFIG) else { return };
    let ends = [("a", "0.0.0.0:5000"), ("b", "0.0.0.0:5000")].map(|(node, at)| {
        let socket = hosts.bound(node, at);
        let both =
            rsvp_client::qos::Qos { sending: super::voice(), ..receiving(ServiceType::ControlledLoad) };
        hosts.at(node, socket.join(group(ONE), Leaf::Both, Some(&both))).expect("joined");
        socket
    });
    for socket in &ends {
        let told = [hosts.told(socket).status, hosts.told(socket).status];
        assert!(told.contains(&Status::SENDERS) && told.contains(&Status::RECEIVERS), "{told:?}");
    }
    for node in ["a", "b"] {
        let mut client = hosts.net.client(node);
        client.until("senders", 2);
        client.until("reservations", 1);
    }
}

#[test]
fn each_group_keeps_its_flowspec_until_one_is_set_for_all() {
    let Some(mut hosts) = Hosts::new("several groups", CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let sender = hosts.bound("a", SENDER);
    for (to, rate) in [(ONE, 8_500), (OTHER, 17_000)] {
        hosts.at("a", sender.join(group(to), Leaf::Sender, Some(&sending_at(rate)))).expect("joined");
    }
    let rates = |of: &str| -> Vec<f32> {
        let paths = capture.of(MsgType::PATH).into_iter().filter(|path| session_of(path) == session(of));
        paths.map(|path| tspec_of(&path).rate).collect()
    };
    let seen = |of, expected: &[f32]| {
        eventually("the Paths", || (rates(of) == expected).then_some(()));
    };
    seen(ONE, &[9_200.0]);
    seen(OTHER, &[18_400.0]);
    hosts.set(&sender, &sending_at(34_000));
    seen(ONE, &[9_200.0, 36_800.0]);
    seen(OTHER, &[18_400.0, 36_800.0]);
}
