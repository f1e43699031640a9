//! Flows of sockets in the kernel, with a capture behind the host as judge: modes and rates that a socket asks for, before and after
//! something is reserved; services of this host alone; marks; names.

use super::super::capture::Capture;
use super::super::commands::run;
use super::super::eventually;
use super::super::plane::keys;
use super::super::plane::seen::{Seen, amount, beyond, by_dscp, seen};
use super::{Hosts, RECEIVER, SENDER, receiving};
use rsvp_client::qos::objects::traffic::SdMode;
use rsvp_client::qos::{Flowspec, Object, Qos, ServiceType, Status};
use rsvp_client::{QosHost, QosSocket};
use rsvp_wire::MsgType;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tokio::net::UdpSocket;

/// Octets of a packet's own; with headers they are 1,000.
const OWN: usize = 972;
/// What is signalled with headers: octets per second, and octets.
const RATE: u64 = 125_000;
const BUCKET: u64 = 10_000;
/// The largest packet of the link.
const MTU: f64 = 1_500.0;

fn kernel(more: &str) -> String {
    format!(
        "[data_plane]\nkind = \"kernel\"\n[interfaces]\nbandwidth = \"10mbit\"\npriority_tags = true\n{more}"
    )
}

/// A sender of this service, with these objects.
fn sends(service: ServiceType, objects: Vec<Object>) -> Qos {
    let sending = Flowspec {
        // 121,500 · 1000/972 are 125,000.
        token_rate: Some(121_500),
        token_bucket_size: Some(9_972),
        max_sdu_size: Some(OWN as u32),
        minimum_policed_size: Some(OWN as u32),
        ..Flowspec::of(service)
    };
    Qos { sending, objects, ..Qos::default() }
}

fn receives(service: ServiceType) -> Qos {
    let rate = (service == ServiceType::Guaranteed).then_some(RATE as u32);
    Qos { receiving: Flowspec { token_rate: rate, ..Flowspec::of(service) }, ..Qos::default() }
}

/// A sender at `a`, a receiver at `b`, and what the wire between them has.
struct Bed {
    hosts: Hosts,
    wire: Capture,
    sender: QosSocket<UdpSocket>,
    receiver: QosSocket<UdpSocket>,
}

impl Bed {
    fn new(test: &str, config: &str) -> Option<Self> {
        let mut hosts = Hosts::new(test, config)?;
        let wire = hosts.net.capture_many("b", "to-a", "ip or vlan");
        let (sender, receiver) = (hosts.bound("a", SENDER), hosts.bound("b", RECEIVER));
        hosts.connect("a", &sender, RECEIVER);
        Some(Self { hosts, wire, sender, receiver })
    }

    /// What the only flow of `a` is, once it is of this service.
    fn flow(&self, service: &str) -> Value {
        let mut client = self.hosts.net.client("a");
        eventually(service, || {
            let rows = client.list("flows");
            rows.into_iter().next().filter(|row| row["service"] == service)
        })
    }

    /// The sender says what it needs, and it is reserved.
    fn reserve(&self, service: ServiceType, objects: Vec<Object>) -> Value {
        self.hosts.set(&self.receiver, &receives(service));
        self.hosts.set(&self.sender, &sends(service, objects));
        self.hosts.told_of(&self.sender, Status::RECEIVERS);
        self.flow(match service {
            ServiceType::Guaranteed => "guaranteed",
            ServiceType::Qualitative => "null",
            _ => "controlled-load",
        })
    }

    /// What is on the wire for the receiver so far.
    fn so_far(&self) -> Vec<Seen> {
        seen(&self.wire, 5000).into_iter().filter(|packet| packet.ports.1 == 5000).collect()
    }

    /// Sends so many packets as fast as the socket takes them, and gives them as they were on the wire.
    fn burst(&self, count: usize) -> Vec<Seen> {
        let before = self.so_far().len();
        self.hosts.at("a", async {
            for _ in 0..count {
                self.sender.send(&[0; OWN]).await.expect("sent");
            }
        });
        eventually("all of them", || Some(self.so_far().split_off(before)).filter(|all| all.len() == count))
    }

    fn number(&self, of: &str) -> u64 {
        self.hosts.net.client("a").list("flows")[0][of].as_u64().expect("a number")
    }

    /// The classes of `a`, as tc has them.
    fn classes(&self) -> String {
        self.hosts.net.exec("a", &["tc", "class", "show", "dev", "to-b"])
    }
}

/// DSCP and priority of packets.
fn marks(packets: &[Seen]) -> BTreeMap<(u8, Option<u8>), usize> {
    let mut found = BTreeMap::new();
    for packet in packets {
        *found.entry((packet.dscp(), packet.tag.map(|(_, priority)| priority))).or_default() += 1;
    }
    found
}

/// Row A31: Guaranteed service shapes by itself, this socket does not want that.
#[test]
fn what_borrows_leaves_at_once_and_what_conforms_has_its_services_marks() {
    let Some(bed) = Bed::new("borrowing", &kernel("")) else { return };
    bed.reserve(ServiceType::Guaranteed, vec![Object::SdMode(SdMode::Borrow)]);
    let packets = bed.burst(60);
    let (conforming, excess) = (bed.number("packets"), bed.number("excess_packets"));
    assert_eq!((conforming + excess, bed.number("dropped_packets")), (60, 0));
    // The bucket holds ten, and is filled while the others leave.
    assert!((10..30).contains(&conforming), "{conforming} conform");
    let expected = BTreeMap::from([
        ((40, Some(5)), usize::try_from(conforming).expect("few")),
        ((0, Some(1)), usize::try_from(excess).expect("few")),
    ]);
    assert_eq!(marks(&packets), expected);
}

/// Row A32: Controlled-Load borrows by itself, this socket waits.
#[test]
fn what_a_socket_has_shaped_waits_and_none_is_lost() {
    let Some(bed) = Bed::new("shaping", &kernel("")) else { return };
    bed.reserve(ServiceType::ControlledLoad, vec![Object::SdMode(SdMode::Shape)]);
    let packets = bed.burst(120);
    let excess = beyond(&packets, RATE, BUCKET);
    assert!(excess <= MTU, "{excess} octets more than the bucket");
    assert_eq!(marks(&packets), BTreeMap::from([((24, Some(4)), 120)]));
    assert_eq!((bed.number("packets"), bed.number("dropped_packets")), (120, 0));
}

/// Row A34: half of the TokenRate, 60,750 octets of its own a second.
#[test]
fn a_shaper_has_the_rate_that_its_object_says() {
    let Some(bed) = Bed::new("a shaping rate", &kernel("")) else { return };
    let objects = vec![Object::SdMode(SdMode::Shape), Object::ShapingRate(60_750)];
    let row = bed.reserve(ServiceType::ControlledLoad, objects);
    assert_eq!(row["rate_bps"], 500_000);
    let packets = bed.burst(135);
    let excess = beyond(&packets, RATE / 2, BUCKET);
    assert!(excess <= MTU, "{excess} octets more than the bucket");
    // What the bucket held is gone with the first ten: from then on it is the rate.
    let (octets, took) = amount(&packets[10..]);
    let share = (octets - packets[10].octets) as f64 / took / (RATE / 2) as f64;
    println!("a shaping rate: {share:.4} of it in {took:.3} s");
    assert!((0.95..=1.05).contains(&share), "{share} of the rate in {took} s");
    assert_eq!(bed.number("dropped_packets"), 0);
}

/// Row A36: Guaranteed service is held to its rate also while nothing is reserved, without a promise and with best effort's marks;
/// the others borrow, before and after.
#[test]
fn a_guaranteed_socket_is_shaped_before_its_reservation_and_others_are_not() {
    let Some(bed) = Bed::new("before the Resv", &kernel("")) else { return };
    bed.hosts.set(&bed.sender, &sends(ServiceType::Guaranteed, Vec::new()));
    bed.flow("best-effort");
    let packets = bed.burst(100);
    let excess = beyond(&packets, RATE, BUCKET);
    assert!(excess <= MTU, "{excess} octets more than the bucket");
    assert_eq!(marks(&packets), BTreeMap::from([((0, Some(0)), 100)]), "best effort");
    let classes = bed.classes();
    let own = classes.lines().find(|line| line.contains("7276:100 ")).expect("a class of its own");
    assert!(own.contains("prio 3") && own.contains("rate 8bit ceil 1Mbit"), "promised nothing: {own}");
    // Reserved: the same pace, and the service's marks. Nothing of the other flow stays.
    bed.hosts.set(&bed.receiver, &receives(ServiceType::Guaranteed));
    bed.hosts.told_of(&bed.sender, Status::RECEIVERS);
    bed.flow("guaranteed");
    bed.hosts.net.client("a").until("flows", 1);
    let packets = bed.burst(100);
    assert!(beyond(&packets, RATE, BUCKET) <= MTU, "shaped after it, too");
    assert_eq!(marks(&packets), BTreeMap::from([((40, Some(5)), 100)]));
    // The receiver gives up: as before it.
    bed.hosts.set(&bed.receiver, &receiving(ServiceType::NoTraffic));
    bed.hosts.told_of(&bed.sender, Status::NO_RECEIVERS);
    bed.flow("best-effort");
    assert_eq!(marks(&bed.burst(20)), BTreeMap::from([((0, Some(0)), 20)]));
    // Controlled-Load borrows: there is nothing to hold back before its reservation.
    bed.hosts.set(&bed.sender, &sends(ServiceType::ControlledLoad, Vec::new()));
    bed.hosts.net.client("a").until("flows", 0);
    bed.hosts.set(&bed.receiver, &receives(ServiceType::ControlledLoad));
    bed.hosts.told_of(&bed.sender, Status::RECEIVERS);
    bed.flow("controlled-load");
    let before = (bed.number("packets"), bed.number("excess_packets"));
    bed.burst(60);
    assert!(bed.number("excess_packets") > before.1 + 20, "it borrows after it");
    assert_eq!(bed.number("dropped_packets"), 0);
}

/// Row A36 of best effort, and a mode that a socket asks for before anything is reserved.
#[test]
fn best_effort_borrows_unless_its_socket_says_otherwise() {
    let Some(bed) = Bed::new("best effort", &kernel("")) else { return };
    bed.hosts.set(&bed.sender, &sends(ServiceType::BestEffort, Vec::new()));
    bed.flow("best-effort");
    let packets = bed.burst(60);
    assert_eq!(by_dscp(&packets), BTreeMap::from([(0, 60)]));
    assert!(bed.number("excess_packets") >= 30 && bed.number("dropped_packets") == 0, "it borrows");
    bed.hosts.set(&bed.sender, &sends(ServiceType::BestEffort, vec![Object::SdMode(SdMode::Shape)]));
    eventually("its own class", || bed.classes().contains("7276:100 ").then_some(()));
    let packets = bed.burst(60);
    assert!(beyond(&packets, RATE, BUCKET) <= MTU, "it is shaped");
    // Without a rate or an object there is nothing to do for it.
    let plain = Qos { sending: Flowspec::of(ServiceType::BestEffort), ..Qos::default() };
    bed.hosts.set(&bed.sender, &Qos { objects: vec![Object::FriendlyName("plain".to_owned())], ..plain });
    bed.hosts.net.client("a").until("flows", 0);
    assert!(bed.hosts.net.client("a").list("senders").is_empty(), "nothing is announced");
}

/// Rows A37 and A38, of services that only a socket can ask for.
#[test]
fn sockets_of_network_control_and_best_effort_have_the_marks_of_these() {
    let Some(bed) = Bed::new("network control", &kernel("")) else { return };
    let control = Qos { sending: Flowspec::of(ServiceType::NetworkControl), ..Qos::default() };
    let refused = bed.hosts.at("a", bed.sender.set(&control)).expect_err("any user's socket");
    assert!(refused.to_string().contains("`highest_dscp`"), "{refused}");
    bed.hosts.set(
        &bed.sender,
        &Qos { objects: vec![Object::SdMode(SdMode::Borrow)], ..sends(ServiceType::BestEffort, vec![]) },
    );
    bed.flow("best-effort");
    // The mark of its own gives way.
    rsvp_client::mark(&*bed.sender, "af41".parse().expect("a DSCP")).expect("marked");
    assert_eq!(marks(&bed.burst(3)), BTreeMap::from([((0, Some(0)), 3)]));
    // The administrator's socket has no quotas.
    let Bed { hosts, wire, sender, receiver } = bed;
    let socket = hosts.at("a", sender.end());
    let host = hosts.at("a", QosHost::connect(hosts.net.socket("a"))).expect("the control socket");
    let sender = hosts.at("a", host.attach(socket)).map_err(|not| not.error).expect("handed over");
    let bed = Bed { hosts, wire, sender, receiver };
    bed.hosts.set(&bed.sender, &control);
    bed.flow("network-control");
    assert_eq!(marks(&bed.burst(3)), BTreeMap::from([((48, Some(7)), 3)]));
    assert!(bed.hosts.net.client("a").list("senders").is_empty(), "of this host alone");
    bed.reserve(ServiceType::Qualitative, Vec::new());
    assert_eq!(marks(&bed.burst(3)), BTreeMap::from([((0, Some(0)), 3)]), "Qualitative");
}

/// Row A39, of flows of sockets: the interface's table wins over the system's.
#[test]
fn tables_of_marks_hold_for_flows_of_sockets() {
    let tables = "[interfaces.marks]\nbest_effort = { dscp = \"cs1\", pcp = 1 }\nnetwork_control = { dscp = \"cs2\", pcp = 2 }\n\
                  guaranteed = { dscp = \"ef\", pcp = 3 }\n[interface.to-b.marks]\nnetwork_control = { dscp = \"cs7\", pcp = 6 }\n\
                  [qos]\nhighest_dscp = 63\n";
    let Some(bed) = Bed::new("tables of marks", &kernel(tables)) else { return };
    bed.hosts.set(&bed.sender, &Qos { sending: Flowspec::of(ServiceType::NetworkControl), ..Qos::default() });
    bed.flow("network-control");
    assert_eq!(marks(&bed.burst(2)), BTreeMap::from([((56, Some(6)), 2)]));
    bed.hosts.set(&bed.sender, &sends(ServiceType::Guaranteed, Vec::new()));
    bed.flow("best-effort");
    assert_eq!(marks(&bed.burst(2)), BTreeMap::from([((8, Some(1)), 2)]), "before the reservation");
    bed.reserve(ServiceType::Guaranteed, Vec::new());
    assert_eq!(marks(&bed.burst(2)), BTreeMap::from([((46, Some(3)), 2)]));
}

/// Row A41: the priority of a socket's object, and of no packet that does not conform.
#[test]
fn the_priority_of_a_sockets_object_is_in_its_tags() {
    let Some(bed) = Bed::new("a traffic class", &kernel("")) else { return };
    bed.reserve(ServiceType::ControlledLoad, vec![Object::TrafficClass(6)]);
    assert_eq!(marks(&bed.burst(5)), BTreeMap::from([((24, Some(6)), 5)]));
    let found: BTreeSet<_> = marks(&bed.burst(60)).into_keys().collect();
    assert_eq!(found, BTreeSet::from([(24, Some(6)), (0, Some(1))]));
}

/// Row A55: the name is shown with the flow, and goes with it.
#[test]
fn a_flow_is_shown_with_the_name_that_its_application_gave() {
    let Some(bed) = Bed::new("a friendly name", &kernel("")) else { return };
    let row = bed.reserve(ServiceType::ControlledLoad, vec![Object::FriendlyName("camera 3".to_owned())]);
    assert_eq!(row["name"], "camera 3");
    let (done, table, complaint) = run(&bed.hosts.net, "a", &["show", "flows"]);
    assert!(done && table.contains("NAME") && table.contains("camera 3"), "{table} {complaint}");
    bed.hosts.set(&bed.sender, &sends(ServiceType::ControlledLoad, vec![Object::TcpTraffic]));
    let gone = |row: Value| row["name"].is_null().then_some(());
    eventually("a flow without a name", || gone(bed.flow("controlled-load")));
    let (done, table, complaint) = run(&bed.hosts.net, "a", &["show", "flows"]);
    assert!(done && table.contains("BACKLOG") && !table.contains("NAME"), "{table} {complaint}");
    // The marks of all TCP, also of what does not conform.
    assert_eq!(marks(&bed.burst(30)), BTreeMap::from([((0, Some(0)), 30)]));
    // A flow of this host alone has its name as well.
    let named = vec![Object::FriendlyName("backup".to_owned())];
    bed.hosts.set(&bed.sender, &sends(ServiceType::BestEffort, named));
    eventually("its name", || (bed.flow("best-effort")["name"] == "backup").then_some(()));
}

/// Row A61, the other half: a daemon that does not speak RSVP does what a host can do alone.
#[test]
fn without_signalling_a_host_marks_and_polices_what_its_sockets_send() {
    let config = format!("[signalling]\nenabled = false\n{}", kernel(""));
    let Some(mut hosts) = Hosts::new("no signalling", &config) else { return };
    let messages = hosts.net.capture("a", "to-b");
    let wire = hosts.net.capture_many("b", "to-a", "ip or vlan");
    let (sender, receiver) = (hosts.bound("a", SENDER), hosts.bound("b", RECEIVER));
    hosts.set(&receiver, &receives(ServiceType::ControlledLoad));
    hosts.set(&sender, &sends(ServiceType::ControlledLoad, Vec::new()));
    hosts.connect("a", &sender, RECEIVER);
    let bed = Bed { hosts, wire, sender, receiver };
    bed.flow("controlled-load");
    let found: BTreeSet<_> = marks(&bed.burst(60)).into_keys().collect();
    assert_eq!(found, BTreeSet::from([(24, Some(4)), (0, Some(1))]), "policed by this host");
    let checks = bed.hosts.at("a", bed.sender.check()).expect("answers");
    assert_eq!((checks.local_traffic_control, checks.local_qosability), (Some(true), Some(true)));
    assert!(bed.hosts.net.client("a").list("senders").is_empty());
    assert!(messages.packets().is_empty() && messages.of(MsgType::PATH).is_empty(), "no RSVP");
    assert_eq!((bed.sender.try_next(), bed.receiver.try_next()), (None, None));
    let (done, table, complaint) = run(&bed.hosts.net, "a", &["show", "interfaces"]);
    assert!(done && table.contains("no RSVP"), "{table} {complaint}");
    drop(bed.sender);
    bed.hosts.net.client("a").until("flows", 0);
}

/// Row S8, of a flow that a socket has alone: what it has sent arrives although it waits, and then nothing is left of it.
#[test]
fn what_a_closed_socket_has_sent_without_a_reservation_arrives_and_nothing_is_left() {
    let Some(bed) = Bed::new("closed at once", &kernel("")) else { return };
    let shaped = sends(ServiceType::BestEffort, vec![Object::SdMode(SdMode::Shape)]);
    bed.hosts.set(&bed.sender, &shaped);
    eventually("its own class", || bed.classes().contains("7276:100 ").then_some(()));
    bed.hosts.at("a", async {
        for _ in 0..50 {
            bed.sender.send(&[0; OWN]).await.expect("sent");
        }
    });
    let Bed { hosts, wire, sender, receiver: _receiver } = bed;
    drop(sender);
    eventually("all fifty", || (seen(&wire, 5000).len() == 50).then_some(()));
    hosts.net.client("a").until("flows", 0);
    eventually("its class to be gone", || {
        let classes = hosts.net.exec("a", &["tc", "class", "show", "dev", "to-b"]);
        (!classes.contains("7276:100 ")).then_some(())
    });
    assert_eq!(keys(&hosts.net, "a"), []);
}
