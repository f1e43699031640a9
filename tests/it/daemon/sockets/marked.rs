//! Packets of sockets: best effort before the reservation, its service's marks while it stands, and best effort after it.

use super::super::capture::{Capture, frames};
use super::super::eventually;
use super::{Hosts, RECEIVER, SENDER, receiving, sending};
use rsvp_client::QosSocket;
use rsvp_client::qos::{Flowspec, Qos, Service, ServiceType, Status};
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
