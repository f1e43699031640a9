//! Packets of sockets: best effort before the reservation, its service's marks while it stands, and best effort after it.

use super::super::capture::{Capture, frames};
use super::super::eventually;
use super::{Hosts, RECEIVER, SENDER, receiving, sending};
use rsvp_client::QosSocket;
use rsvp_client::qos::objects::traffic::SdMode;
use rsvp_client::qos::{Flowspec, Object, Qos, Service, ServiceType, Status};
use rsvp_wire::MsgType;
use tokio::net::UdpSocket;

const KERNEL: &str = "[data_plane]\nkind = \"kernel\"\n[interfaces]\nbandwidth = \"10mbit\"\n";

/// The DSCPs of the datagrams to port 5000 so far.
fn dscps(capture: &Capture) -> Vec<u8> {
    let to_receiver =
        |frame: &&Vec<u8>| frame[14] == 0x45 && frame[23] == 17 && frame[36..38] == 5000_u16.to_be_bytes();
    frames(&capture.file)
        .iter()
        .map(|(.., frame)| frame)
        .filter(to_receiver)
        .map(|frame| frame[15] >> 2)
        .collect()
}

/// Sends one, and sees how it is marked.
fn mark(hosts: &Hosts, capture: &Capture, socket: &QosSocket<UdpSocket>) -> u8 {
    let before = dscps(capture).len();
    hosts.at("a", socket.send(&[0; 100])).expect("sent");
    eventually("the packet", || dscps(capture).get(before).copied())
}

/// Waits until the data plane of `a` has done what came before.
fn flows(hosts: &Hosts, count: usize) {
    hosts.net.client("a").until("flows", count);
}

#[test]
fn packets_are_marked_from_the_reservation_to_its_end() {
    let Some(mut hosts) = Hosts::new("the timeline", KERNEL) else { return };
    let capture = hosts.net.capture_of("b", "to-a", "udp");
    let (sender, receiver) = hosts.sender_and_receiver();
    hosts.told_of(&sender, Status::RECEIVERS);
    flows(&hosts, 1);
    assert_eq!(mark(&hosts, &capture, &sender), 24, "Controlled-Load");
    hosts.set(&receiver, &receiving(ServiceType::BestEffort));
    hosts.told_of(&sender, Status::NO_RECEIVERS);
    flows(&hosts, 0);
    assert_eq!(mark(&hosts, &capture, &sender), 0, "best effort after the reservation");
    hosts.set(&receiver, &receiving(ServiceType::ControlledLoad));
    hosts.told_of(&sender, Status::RECEIVERS);
    flows(&hosts, 1);
    assert_eq!(mark(&hosts, &capture, &sender), 24);
    // Ended, but open: the socket is like any other.
    let socket = hosts.at("a", sender.end());
    flows(&hosts, 0);
    let again = hosts.attached("a", socket);
    assert_eq!(mark(&hosts, &capture, &again), 0);
}

#[test]
fn packets_are_best_effort_until_somebody_reserves() {
    let Some(mut hosts) = Hosts::new("before the reservation", KERNEL) else { return };
    let capture = hosts.net.capture_of("b", "to-a", "udp");
    let sender = hosts.bound("a", SENDER);
    hosts.set(&sender, &sending());
    hosts.connect("a", &sender, RECEIVER);
    hosts.net.client("b").until("senders", 1);
    assert_eq!(mark(&hosts, &capture, &sender), 0, "announced, not reserved");
}

#[test]
fn a_receiver_without_signalling_hears_of_senders_and_reserves_when_it_says_so() {
    let Some(mut hosts) = Hosts::new("without signalling", super::CONFIG) else { return };
    let capture = hosts.net.capture("a", "to-b");
    let receiver = hosts.bound("b", RECEIVER);
    let quiet = Service { no_qos_signaling: true, ..ServiceType::ControlledLoad.into() };
    let quiet = Qos { receiving: Flowspec { service: quiet, ..Flowspec::default() }, ..Qos::default() };
    hosts.set(&receiver, &quiet);
    let sender = hosts.bound("a", SENDER);
    hosts.set(&sender, &sending());
    hosts.connect("a", &sender, RECEIVER);
    hosts.told_of(&receiver, Status::SENDERS);
    assert!(hosts.net.client("b").list("requests").is_empty());
    assert!(capture.of(MsgType::RESV).is_empty());
    hosts.set(&receiver, &receiving(ServiceType::ControlledLoad));
    capture.first(MsgType::RESV);
    hosts.told_of(&sender, Status::RECEIVERS);
}

#[test]
fn without_traffic_control_there_is_signalling_and_without_signalling_traffic_control() {
    let Some(mut hosts) = Hosts::new("the two flags", KERNEL) else { return };
    let capture = hosts.net.capture_of("b", "to-a", "udp or proto 46");
    let (sender, _receiver) = hosts.sender_and_receiver();
    hosts.told_of(&sender, Status::RECEIVERS);
    flows(&hosts, 1);
    let with = |no_traffic_control, no_qos_signaling| {
        let service_type = ServiceType::ControlledLoad;
        let service = Service { service_type, no_traffic_control, no_qos_signaling };
        Qos { sending: Flowspec { service, ..super::voice() }, ..Qos::default() }
    };
    hosts.set(&sender, &with(true, false));
    flows(&hosts, 0);
    assert_eq!(mark(&hosts, &capture, &sender), 0, "left alone");
    assert_eq!(hosts.net.client("a").list("reservations").len(), 1, "and reserved for");
    // Back, and then without signalling: the Path is torn down, the packets are treated as before.
    hosts.set(&sender, &with(false, false));
    flows(&hosts, 1);
    assert_eq!(mark(&hosts, &capture, &sender), 24);
    hosts.set(&sender, &with(false, true));
    hosts.net.client("b").until("senders", 0);
    flows(&hosts, 1);
    assert_eq!(mark(&hosts, &capture, &sender), 24, "policed and marked by itself");
    hosts.set(&sender, &with(true, true));
    flows(&hosts, 0);
    assert_eq!(mark(&hosts, &capture, &sender), 0, "neither");
}

#[test]
fn the_objects_of_a_socket_are_its_packets_marks_and_mode() {
    let Some(mut hosts) = Hosts::new("objects", KERNEL) else { return };
    let capture = hosts.net.capture_of("b", "to-a", "udp");
    let (sender, _receiver) = hosts.sender_and_receiver();
    hosts.told_of(&sender, Status::RECEIVERS);
    flows(&hosts, 1);
    // The mark of its own, then that of all TCP, which wins. Nothing here is beyond the bucket.
    let roomy = Flowspec { token_bucket_size: Some(100_000), ..super::voice() };
    let marked = Qos { sending: roomy, objects: vec![Object::DsClass(46)], ..Qos::default() };
    hosts.set(&sender, &marked);
    hosts.told_of(&sender, Status::RECEIVERS);
    flows(&hosts, 1);
    assert_eq!(mark(&hosts, &capture, &sender), 46);
    hosts.set(&sender, &Qos { objects: vec![Object::DsClass(46), Object::TcpTraffic], ..marked });
    flows(&hosts, 1);
    assert_eq!(mark(&hosts, &capture, &sender), 0);
    hosts.set(&sender, &Qos { objects: vec![Object::SdMode(SdMode::Discard)], ..sending() });
    hosts.told_of(&sender, Status::RECEIVERS);
    flows(&hosts, 1);
    // Discarded beyond the bucket of 708 octets: of a burst of 100 packets with 128 octets each, few get through.
    let before = dscps(&capture).len();
    for _ in 0..100 {
        hosts.at("a", sender.send(&[0; 100])).expect("sent");
    }
    let dropped = |hosts: &Hosts| hosts.net.client("a").list("flows")[0]["dropped_packets"].as_u64();
    let dropped = eventually("counted", || dropped(&hosts).filter(|dropped| *dropped > 0));
    assert!(dropped >= 80, "{dropped} of 100 are dropped");
    assert!(dscps(&capture).len() - before <= 20);
}
