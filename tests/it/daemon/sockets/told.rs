//! What sockets are told: which status, how often, by which way, and what they may ask.

use super::super::eventually;
use super::{
    CONFIG, Hosts, RECEIVER, REFRESHED, SENDER, confirmed, receiving, sending, sending_at, session, template,
};
use rsvp_client::qos::get::Direction;
use rsvp_client::qos::{ErrorClass, ErrorValue, FdQos, Object, Qos, ServiceType, Status};
use rsvp_client::{QosError, QosSocket};
use rsvp_wire::object::ErrorSpec;
use rsvp_wire::{ErrorCode, MessageWriter, MsgType, SenderTspec, Tspec};
use serde_json::json;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Sends `a` an error of this code and value about its sender, as a router behind the link would.
fn path_error(hosts: &Hosts, code: u8, value: u16) {
    let mut message = vec![0; 512];
    let tspec = Tspec { rate: 1.0, bucket: 1.0, peak: 1.0, min_policed_unit: 1, max_packet_size: 1 };
    let node = "10.0.1.2".parse().expect("an address");
    let mut writer = MessageWriter::new(&mut message, MsgType::PATH_ERR, 64);
    writer.put(&session(RECEIVER)).put(&ErrorSpec { node, flags: 0, code: ErrorCode(code), value });
    writer.put(&template(SENDER)).put(&SenderTspec::from(tspec));
    let length = writer.finish().expect("there is room").len();
    let mut packet = vec![0x45, 0xc0, 0, 0, 0, 0, 0, 0, 64, 46, 0, 0, 10, 0, 1, 2, 10, 0, 1, 1];
    packet.extend(&message[..length]);
    let to: SocketAddr = "10.0.1.1:0".parse().expect("an address");
    hosts.net.raw("b").send_to(&packet, &to.into()).expect("it leaves");
}

#[test]
fn each_status_comes_to_the_side_it_is_for() {
    let Some(hosts) = Hosts::new("eleven codes", CONFIG) else { return };
    let (sender, receiver) = (hosts.bound("a", SENDER), hosts.bound("b", RECEIVER));
    hosts.set(&receiver, &confirmed());
    hosts.set(&sender, &sending());
    hosts.connect("a", &sender, RECEIVER);
    hosts.told_of(&receiver, Status::SENDERS);
    let told = hosts.told_of(&sender, Status::RECEIVERS);
    assert_eq!((told.class, told.value), (ErrorClass::NO_ERRORCODE, ErrorValue::NONE));
    assert_eq!((told.sending.token_rate, told.receiving.token_rate), (Some(9_200), None));
    assert_eq!(told.receiving.service.service_type, ServiceType::NoChange);
    let told = hosts.told_of(&receiver, Status::REQUEST_CONFIRMED);
    assert_eq!(told.sending.service.service_type, ServiceType::NoChange);
    let errors = [
        (1, 2, Status::ADMISSION_FAILURE, 56100, 56103),
        (2, 3, Status::POLICY_FAILURE, 56200, 56203),
        (13, 0, Status::BAD_OBJECT, 56300, 56309),
        (21, 2, Status::TRAFFIC_CTRL_ERROR, 56700, 56702),
        (3, 0, Status::GENERIC_ERROR, 56300, 56301),
    ];
    for (code, value, status, class, fine) in errors {
        path_error(&hosts, code, value);
        let told = hosts.told_of(&sender, status);
        assert_eq!((told.class, told.value), (ErrorClass(class), ErrorValue(fine)));
        assert_eq!(told.fault.expect("the error itself").node.to_string(), "10.0.1.2");
    }
    // The receiver goes, and comes again where somebody else has another style.
    drop(receiver);
    hosts.told_of(&sender, Status::NO_RECEIVERS);
    let mut other = hosts.net.client("b");
    other.ask(json!({"request": "open-session", "session": "udp 10.0.1.2:5000"})).expect("a session");
    other.reserve("udp 10.0.1.2:5000", SENDER, 1);
    hosts.told_of(&sender, Status::RECEIVERS);
    let receiver = hosts.bound("b", RECEIVER);
    hosts.set(&receiver, &receiving(ServiceType::ControlledLoad));
    let mut told = [hosts.told(&receiver).status, hosts.told(&receiver).status];
    told.sort();
    assert_eq!(told, [Status::SENDERS, Status::BAD_STYLE]);
    drop(other);
    drop(sender);
    hosts.told_of(&receiver, Status::NO_SENDERS);
    // More than the link has.
    let sender = hosts.bound("a", SENDER);
    hosts.set(&sender, &sending_at(2_000_000));
    hosts.connect("a", &sender, RECEIVER);
    hosts.told_of(&receiver, Status::SENDERS);
    let told = hosts.told_of(&receiver, Status::ADMISSION_FAILURE);
    assert_eq!((told.class, told.value), (ErrorClass::NET_ADMISSION, ErrorValue(56103)));
}

#[test]
fn a_change_is_one_notification_and_a_refresh_is_none() {
    let Some(mut hosts) = Hosts::new("edges", REFRESHED) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let (sender, receiver) = hosts.sender_and_receiver();
    let told = hosts.told_of(&sender, Status::RECEIVERS);
    for (nth, rate) in [(1, 17_000), (2, 8_500)] {
        let before = capture.of(MsgType::PATH).len();
        eventually("five refreshes", || (capture.of(MsgType::PATH).len() >= before + 5).then_some(()));
        assert_eq!((sender.try_next(), receiver.try_next()), (None, None), "{nth}: nothing has changed");
        hosts.set(&sender, &sending_at(rate));
        let changed = hosts.told_of(&receiver, Status::SENDERS);
        assert_ne!(changed.receiving, told.receiving);
        hosts.told_of(&sender, Status::RECEIVERS);
    }
    assert_eq!((sender.try_next(), receiver.try_next()), (None, None), "one each");
}

/// Waits until a descriptor can be read from.
fn readable(descriptor: &impl AsFd) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let mut polled = [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
    poll(&mut polled, PollTimeout::from(60_000_u16)).expect("it can be polled") == 1
}

#[test]
fn the_same_event_comes_by_a_descriptor_a_call_and_a_future() {
    let Some(hosts) = Hosts::new("three ways", CONFIG) else { return };
    let ways: [fn(&Hosts, &QosSocket<UdpSocket>) -> FdQos; 4] = [
        |_, socket| {
            let descriptor = socket.event_fd().expect("a descriptor");
            assert!(readable(&descriptor));
            let told = socket.try_next().expect("it says so");
            assert_eq!(socket.try_next(), None);
            told
        },
        |_, socket| {
            let (heard, hears) = mpsc::channel();
            socket.on_event(move |told| heard.send(told).expect("it is waited for"));
            hears.recv_timeout(Duration::from_secs(60)).expect("it is called")
        },
        |hosts, socket| hosts.told(socket),
        |hosts, socket| {
            let mut events = socket.events();
            hosts.at("b", async move { events.next().await }).expect("it is there")
        },
    ];
    let mut all = Vec::new();
    for way in ways {
        let (sender, receiver) = (hosts.bound("a", SENDER), hosts.bound("b", RECEIVER));
        hosts.set(&sender, &sending());
        hosts.connect("a", &sender, RECEIVER);
        hosts.set(&receiver, &receiving(ServiceType::ControlledLoad));
        all.push(way(&hosts, &receiver));
        drop(sender);
        hosts.net.client("b").until("senders", 0);
    }
    assert_eq!(all[0].status, Status::SENDERS);
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
}

#[test]
fn a_socket_is_asked_for_one_direction_and_not_too_early() {
    let Some(hosts) = Hosts::new("asking", CONFIG) else { return };
    let sender = hosts.bound("a", SENDER);
    hosts.set(&sender, &sending());
    let early = sender.get(Direction::Sending).expect_err("a sender without a peer");
    assert!(matches!(early, QosError::TooEarly(_)) && early.to_string().contains("once it is connected"));
    let receiver = hosts.bound("b", RECEIVER);
    hosts.set(&receiver, &receiving(ServiceType::ControlledLoad));
    // Nobody has said anything yet: what was set.
    let asked = receiver.get(Direction::Receiving).expect("a bound receiver");
    assert_eq!(asked, receiving(ServiceType::ControlledLoad));
    hosts.connect("a", &sender, RECEIVER);
    // All that waits, until nothing does.
    hosts.told_of(&receiver, Status::SENDERS);
    assert_eq!(receiver.try_next(), None);
    let said = receiver.get(Direction::Receiving).expect("a bound receiver");
    assert_eq!(said.sending.service.service_type, ServiceType::NoChange, "one direction");
    assert_eq!(said.receiving.token_rate, Some(9_200));
    let status = Object::StatusInfo {
        status: Status::SENDERS,
        class: ErrorClass::NO_ERRORCODE,
        value: ErrorValue::NONE,
    };
    assert_eq!(said.objects[0], status);
    // All or nothing, and the first word says how much it takes.
    let needed = said.write_into(&mut []).expect_err("no room").needed;
    let mut short = vec![0; needed - 1];
    assert_eq!(said.write_into(&mut short).expect_err("one too few").needed, needed);
    assert_eq!(short[..4], u32::try_from(needed).expect("few").to_le_bytes());
    let mut enough = vec![0; needed];
    assert_eq!(said.write_into(&mut enough), Ok(needed));
    assert_eq!(Qos::from_octets(&enough).expect("a QOS").receiving, said.receiving);
    hosts.told_of(&sender, Status::RECEIVERS);
    let said = sender.get(Direction::Sending).expect("it is connected");
    assert_eq!(said.receiving.service.service_type, ServiceType::NoChange);
    assert_eq!(said.sending.token_rate, Some(9_200));
    // There are no groups.
    assert_eq!(sender.group_qos(), Qos::default());
}

#[test]
fn the_checks_are_answered_from_what_the_host_knows() {
    let limited = format!("{CONFIG}[qos]\nrate_per_flow = \"80kbit\"\n");
    let Some(mut hosts) = Hosts::new("checks", CONFIG) else { return };
    let (sender, receiver) = hosts.sender_and_receiver();
    let checks = hosts.at("a", sender.check()).expect("answers");
    assert_eq!(checks.line_rate_kbps, Some(10_000), "the link's, as configured");
    assert_eq!((checks.allowed_to_send_data, checks.local_qosability), (Some(true), Some(true)));
    assert_eq!(checks.local_traffic_control, Some(false), "there is no data plane");
    assert_eq!(checks.end_to_end_qosability, None, "no Path says anything to a sender");
    let checks = hosts.at("b", receiver.check()).expect("answers");
    assert_eq!(checks.able_to_recv_rsvp, None, "no rate is asked for");
    assert_eq!(
        checks.end_to_end_qosability,
        Some(false),
        "the sender's host does not enforce what it offers"
    );
    drop((sender, receiver));
    // 80 kbit/s are 10,000 octets a second.
    hosts.net.signal("a", nix::sys::signal::Signal::SIGTERM);
    hosts.net.ended("a");
    hosts.net.daemon("a", &limited);
    let sender = hosts.bound("a", SENDER);
    for (rate, allowed) in [(8_500, true), (10_000, true)] {
        hosts.set(&sender, &sending_at(rate));
        assert_eq!(hosts.at("a", sender.check()).expect("answers").allowed_to_send_data, Some(allowed));
    }
    let refused = hosts.at("a", sender.set(&sending_at(10_001))).expect_err("beyond the quota");
    assert!(refused.to_string().contains("`rate_per_flow` in [qos]"), "{refused}");
    // The administrator's socket has no quota: there the check alone tells.
    let host =
        hosts.at("a", rsvp_client::QosHost::connect(hosts.net.socket("a"))).expect("the control socket");
    drop(sender);
    let sender = hosts.at("a", host.attach(hosts.udp("a", SENDER))).expect("handed over");
    hosts.set(&sender, &sending_at(10_001));
    assert_eq!(hosts.at("a", sender.check()).expect("answers").allowed_to_send_data, Some(false));
}
