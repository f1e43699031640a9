//! What services do to packets, with a capture behind the host as judge: marks and priorities of each service, borrowing, discarding
//! and shaping, before a reservation, while it stands and after it; connections that either side closes first.

use super::super::capture::{Capture, frames};
use super::super::client::Client;
use super::super::eventually;
use super::super::net::Net;
use super::connection::{Closes, connect, is_over, listen, talk};
use super::datagrams_sent::{arrived, at, burst, from};
use super::enforced::number;
use super::seen::{Seen, beyond, seen};
use super::{SENDER, SESSION, classes, compared, kernel, keys, traffic};
use nix::sys::signal::Signal;
use rsvp_wire::{ErrorSpec, Message, MsgType};
use serde_json::{Value, json};

const TO: &str = "10.0.2.2:5000";
const TAGS: &str = "priority_tags = true\n";
/// A service, the mark of its packets that conform, and their priority (row A37 and A38).
const SERVICES: [(&str, u8, u8); 2] = [("guaranteed", 40, 5), ("controlled-load", 24, 4)];

/// A flowspec of a service with r, or R, and b, for packets of 1,000 octets.
fn flowspec(service: &str, rate: u64, bucket: u64) -> Value {
    let mut flowspec = json!({"service": service, "traffic": traffic(rate * 8, bucket)});
    flowspec["traffic"]["max_packet"] = json!(1_000);
    if service == "guaranteed" {
        flowspec["reserve_bps"] = json!(rate * 8);
    }
    flowspec
}

/// `a` - `r` - `b` with daemons, a capture behind `a`, and applications that announce and hear of it.
struct Bed {
    net: Net,
    capture: Capture,
    a: Client,
    b: Client,
}

impl Bed {
    fn new(test: &str, configs: [&str; 3]) -> Option<Self> {
        let mut net = Net::three_in_a_row(test)?;
        for (node, config) in ["a", "r", "b"].into_iter().zip(configs) {
            net.daemon(node, config);
        }
        let capture = net.capture_many("r", "to-a", "ip or vlan");
        let (a, b) = (net.client("a"), net.client("b"));
        Some(Self { net, capture, a, b })
    }

    fn announce(&mut self, session: &str, service: &str, rate: u64, bucket: u64) {
        let offers = if service == "null" { "null" } else { "both" };
        let traffic = flowspec(service, rate, bucket)["traffic"].take();
        let request = json!({"request": "sender", "session": session, "sender": SENDER, "adspec": offers,
                             "traffic": traffic});
        self.a.ask(request).expect("a sender");
        self.b.hears(session);
    }

    fn reserve(&mut self, session: &str, service: &str, rate: u64, bucket: u64) {
        self.announce(session, service, rate, bucket);
        self.b.ask_for(session, "ff", &[SENDER], &flowspec(service, rate, bucket));
        self.net.client("a").until("flows", 1);
    }

    /// What has left the host for port 5000, once it is so much.
    fn left(&self, count: usize) -> Vec<Seen> {
        let to = |packets: Vec<Seen>| packets.into_iter().filter(|packet| packet.ports.1 == 5000).collect();
        let packets: Vec<Seen> = eventually("all that leaves the host", || {
            Some(to(seen(&self.capture, 5000))).filter(|packets: &Vec<Seen>| packets.len() >= count)
        });
        assert_eq!(packets.len(), count, "{packets:?}");
        packets
    }

    fn row(&self) -> Value {
        compared(&self.net, "a").remove(0)
    }
}

/// How many packets have these marks, of packets that all have them or those.
fn marked(packets: &[Seen], conforming: (u8, u8), excess: (u8, u8)) -> (usize, usize) {
    let of = |(dscp, priority): (u8, u8)| {
        let is_so = |packet: &&Seen| (packet.dscp(), packet.tag) == (dscp, Some((0, priority)));
        packets.iter().filter(is_so).count()
    };
    assert_eq!(of(conforming) + of(excess), packets.len(), "{packets:?}");
    (of(conforming), of(excess))
}

/// DSCP and priority tag of the RSVP messages that a node has sent.
fn of_messages(capture: &Capture, source: [u8; 4]) -> Vec<(u8, Option<(u16, u8)>)> {
    let read = |frame: &[u8]| {
        let tag = (frame[12..14] == [0x81, 0])
            .then(|| (u16::from(frame[14] & 15) << 8 | u16::from(frame[15]), frame[14] >> 5));
        let packet = &frame[if tag.is_some() { 18 } else { 14 }..];
        (packet[0] >> 4 == 4 && packet[9] == 46 && packet[12..16] == source).then(|| (packet[1] >> 2, tag))
    };
    frames(&capture.file).iter().filter_map(|(.., frame)| read(frame)).collect()
}

/// Borrowing (A31): the excess leaves at once with the marks of excess. Discarding (A33): it is dropped, and counted.
#[test]
fn excess_borrows_or_is_dropped_and_what_conforms_has_its_services_marks() {
    for (service, dscp, priority) in SERVICES {
        for excess in ["borrow", "discard"] {
            let more = format!("{TAGS}excess.{} = \"{excess}\"\n", service.replace('-', "_"));
            let (config, plain) = (kernel("auto", &more), kernel("auto", ""));
            let Some(mut bed) = Bed::new(&format!("{service}: {excess}"), [&config, &plain, &plain]) else {
                return;
            };
            // A hundred octets a second: the bucket is all there is.
            bed.reserve(SESSION, service, 100, 5_000);
            let receiver = at(&bed.net, "b", TO);
            // The application's own mark, and ECN, which stays.
            let sender = from(&bed.net, "a", SENDER, TO, 0xb9);
            let took = burst(&sender, 1_000, 20);
            let is_dropped = excess == "discard";
            let packets = bed.left(if is_dropped { 5 } else { 20 });
            assert!(packets.iter().all(|packet| packet.tos & 3 == 1), "ECN: {packets:?}");
            let counted = marked(&packets, (dscp, priority), (0, 1));
            assert_eq!(counted, (5, if is_dropped { 0 } else { 15 }), "{service} {excess}: {packets:?}");
            // Nothing waits for anything: at the rate it would be minutes.
            let spread = packets[packets.len() - 1].at - packets[0].at;
            assert!(spread < took.as_micros() as u64 + 2_000_000, "{spread} us");
            let row = bed.row();
            let numbers = ["packets", "excess_packets", "dropped_packets"].map(|field| number(&row, field));
            assert_eq!(numbers, [5, 15, if is_dropped { 15 } else { 0 }], "{row}");
            // The router shapes Guaranteed service, whatever the edge does with it.
            let mut all = 0;
            eventually("the same on the far side", || {
                all += arrived(&receiver);
                (service == "guaranteed" || all == packets.len() as u64).then_some(())
            });
        }
    }
}

/// Shaping (A32): nothing leaves above the rate once the bucket is empty, and nothing is lost, whichever the service.
#[test]
fn excess_that_is_shaped_waits_and_all_of_it_has_the_services_marks() {
    for (service, dscp, priority) in SERVICES {
        let more = format!("{TAGS}excess.{} = \"shape\"\n", service.replace('-', "_"));
        let (config, plain) = (kernel("auto", &more), kernel("auto", ""));
        let Some(mut bed) = Bed::new(&format!("{service} shaped"), [&config, &plain, &plain]) else { return };
        let (rate, bucket) = (100_000, 10_000);
        bed.reserve(SESSION, service, rate, bucket);
        let _receiver = at(&bed.net, "b", TO);
        burst(&from(&bed.net, "a", SENDER, TO, 0), 1_000, 60);
        let packets = bed.left(60);
        assert_eq!(marked(&packets, (dscp, priority), (0, 1)), (60, 0), "{packets:?}");
        let excess = beyond(&packets, rate, bucket);
        assert!(excess <= 1_500.0, "{service}: {excess} octets more than the bucket");
        let took = (packets[59].at - packets[0].at) as f64 / 1e6;
        assert!(took >= 0.48, "50 kB at 100 kB/s, in {took} s");
        let row = bed.row();
        assert_eq!((number(&row, "packets"), number(&row, "dropped_packets")), (60, 0), "{row}");
    }
}

/// By default (A36): nothing is done before there is a reservation and after it; with it Guaranteed shapes, Controlled-Load borrows,
/// and what has none is left alone beside it.
#[test]
fn packets_are_best_effort_before_a_reservation_and_after_it() {
    let config = kernel("auto", "");
    for (service, dscp, _) in SERVICES {
        let Some(mut bed) = Bed::new(&format!("{service} in time"), [&config; 3]) else { return };
        let (_receiver, _other) = (at(&bed.net, "b", TO), at(&bed.net, "b", "10.0.2.2:5001"));
        let sender = from(&bed.net, "a", SENDER, TO, 0);
        let rate = if service == "guaranteed" { 50_000 } else { 1 };
        bed.announce(SESSION, service, rate, 5_000);
        burst(&sender, 1_000, 10);
        assert!(bed.left(10).iter().all(|packet| (packet.dscp(), packet.tag) == (0, None)));
        bed.b.ask_for(SESSION, "ff", &[SENDER], &flowspec(service, rate, 5_000));
        bed.net.client("a").until("flows", 1);
        burst(&sender, 1_000, 10);
        let during = bed.left(20).split_off(10);
        let conforming = during.iter().filter(|packet| packet.dscp() == dscp).count();
        assert_eq!(conforming, if service == "guaranteed" { 10 } else { 5 }, "{during:?}");
        let spread = during[9].at - during[0].at;
        assert!(service != "guaranteed" || spread >= 80_000, "5 kB at 50 kB/s, in {spread} us");
        // Another port is nobody's.
        burst(&from(&bed.net, "a", "10.0.1.1:4001", "10.0.2.2:5001", 0x28), 1_000, 10);
        let others =
            eventually("the others", || Some(seen(&bed.capture, 5001)).filter(|seen| seen.len() == 10));
        assert!(others.iter().all(|packet| (packet.tos, packet.tag) == (0x28, None)), "{others:?}");
        bed.b.ask(json!({"request": "release", "session": SESSION})).expect("it is given up");
        bed.net.client("a").until("flows", 0);
        burst(&sender, 1_000, 10);
        assert!(bed.left(30)[20..].iter().all(|packet| packet.dscp() == 0));
    }
}

/// The other services of A37 and A38: qualitative traffic, network control, and what has no reservation.
#[test]
fn network_control_and_qualitative_traffic_have_their_marks_too() {
    let (config, plain) = (kernel("auto", TAGS), kernel("auto", ""));
    let Some(mut bed) = Bed::new("marks of other services", [&config, &plain, &plain]) else { return };
    bed.reserve(SESSION, "null", 1, 1_500);
    let _receiver = at(&bed.net, "b", TO);
    burst(&from(&bed.net, "a", SENDER, TO, 0xb8), 1_000, 20);
    let packets = bed.left(20);
    assert_eq!(marked(&packets, (0, 0), (0, 1)), (20, 0), "{packets:?}");
    // A message that leaves from now on; those before had no tag, because nothing was reserved here.
    let before = of_messages(&bed.capture, [10, 0, 1, 1]).len();
    bed.a.announce("udp 10.0.2.2:7000", "10.0.1.1:7000", &traffic(8_000, 1_500));
    let messages = eventually("a message", || {
        Some(of_messages(&bed.capture, [10, 0, 1, 1])).filter(|messages| messages.len() > before)
    });
    assert!(messages.iter().all(|(dscp, _)| *dscp == 48), "{messages:?}");
    assert_eq!(messages[before].1, Some((0, 7)), "{messages:?}");
}

/// Priorities come from the interface's table before the system's, as DSCPs do (A39).
#[test]
fn the_tables_of_priorities_are_the_interfaces_before_the_systems() {
    let system = format!("{TAGS}marks.controlled_load = {{ pcp = 6, excess_pcp = 2 }}\n");
    let own = format!("{system}[interface.to-r.marks]\ncontrolled_load = {{ pcp = 3 }}\n");
    let (config, plain) = (kernel("auto", &own), kernel("auto", ""));
    let Some(mut bed) = Bed::new("tables of priorities", [&config, &plain, &plain]) else { return };
    bed.reserve(SESSION, "controlled-load", 1, 2_000);
    let _receiver = at(&bed.net, "b", TO);
    let sender = from(&bed.net, "a", SENDER, TO, 0);
    burst(&sender, 1_000, 3);
    assert_eq!(marked(&bed.left(3), (24, 3), (0, 2)), (2, 1));
    // Another table, for what is reserved already.
    std::fs::write(bed.net.file("a.toml"), kernel("auto", &system)).expect("a configuration");
    bed.net.signal("a", Signal::SIGHUP);
    eventually("the new configuration", || bed.net.log("a").contains("was read again").then_some(()));
    bed.reserve_again(4_000);
    burst(&sender, 1_000, 2);
    assert_eq!(marked(&bed.left(5)[3..], (24, 6), (0, 2)).0, 2);
}

impl Bed {
    /// Asks for a larger bucket, and waits until it is there.
    fn reserve_again(&mut self, bucket: u64) {
        self.b.ask(json!({"request": "release", "session": SESSION})).expect("it is given up");
        self.net.client("a").until("flows", 0);
        self.b.ask_for(SESSION, "ff", &[SENDER], &flowspec("controlled-load", 1, bucket));
        self.net.client("a").until("flows", 1);
    }
}

/// Every packet of a connection that is reserved in both directions is marked, from the SYN to the last ACK, whoever closes first;
/// when the applications are gone, so is everything that the kernel had for them (S8).
#[test]
fn both_directions_of_a_connection_are_marked_to_the_last_ack_and_nothing_is_left() {
    let config = kernel("auto", "");
    for closes in [Closes::Client, Closes::Server] {
        let Some(mut net) = Net::three_in_a_row("a connection") else { return };
        ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, &config));
        let captures = [("r", "to-a"), ("r", "to-b")].map(|(node, on)| net.capture_many(node, on, "tcp"));
        let (mut a, mut b) = (net.client("a"), net.client("b"));
        let there = ("tcp 10.0.2.2:5000", "10.0.1.1:4000");
        let back = ("tcp 10.0.1.1:4000", "10.0.2.2:5000");
        let load = flowspec("controlled-load", 1_000_000, 100_000);
        a.announce(there.0, there.1, &load["traffic"]);
        b.hears(there.0);
        b.announce(back.0, back.1, &load["traffic"]);
        a.hears(back.0);
        b.ask_for(there.0, "ff", &[there.1], &load);
        a.ask_for(back.0, "ff", &[back.1], &load);
        for (node, count) in [("a", 1), ("r", 2), ("b", 1)] {
            net.client(node).until("flows", count);
        }
        let listener = listen(&net, "b", TO);
        let client = connect(&net, "a", there.1, TO);
        talk(client, listener.accept().expect("a connection").0, closes);
        drop(listener);
        for capture in &captures {
            let packets = eventually("the last ACK", || Some(seen(capture, 5000)).filter(|p| is_over(p)));
            assert!(packets.iter().all(|packet| packet.dscp() == 24), "{closes:?}: {packets:?}");
        }
        drop((a, b));
        for (node, interface) in [("a", "to-r"), ("r", "to-a"), ("r", "to-b"), ("b", "to-r")] {
            net.client(node).until("flows", 0);
            assert_eq!(keys(&net, node), [], "{node}");
            // The six that every tree has.
            assert_eq!(classes(&net, node, interface).len(), 6, "{node} {interface}");
        }
    }
}

/// Packets of a sender that a shared reservation names no longer are taken for its no longer (S8).
#[test]
fn a_sender_that_leaves_a_shared_reservation_is_best_effort_again() {
    let config = kernel("auto", "");
    let Some(mut bed) = Bed::new("a sender that leaves", [&config; 3]) else { return };
    let other = "10.0.1.1:4001";
    let load = flowspec("controlled-load", 1, 20_000);
    for sender in [SENDER, other] {
        bed.a.announce(SESSION, sender, &load["traffic"]);
    }
    bed.net.client("b").until("senders", 2);
    let _receiver = at(&bed.net, "b", TO);
    let sockets = [SENDER, other].map(|sender| from(&bed.net, "a", sender, TO, 0));
    for (filters, expected) in [(&[SENDER, other][..], [24, 24]), (&[SENDER][..], [24, 0])] {
        bed.b.ask_for(SESSION, "se", filters, &load);
        eventually("its keys", || (keys(&bed.net, "a").len() == filters.len()).then_some(()));
        let before = seen(&bed.capture, 5000).len();
        for socket in &sockets {
            burst(socket, 1_000, 1);
        }
        let packets = bed.left(before + 2).split_off(before);
        assert_eq!([packets[0].dscp(), packets[1].dscp()], expected, "{filters:?}");
    }
    compared(&bed.net, "a");
}

/// A socket that is closed at once loses nothing of what it has sent, also where that waits; afterwards nothing is left of it (S8).
#[test]
fn fifty_datagrams_of_a_socket_that_is_closed_at_once_all_arrive() {
    let config = kernel("auto", "");
    for (service, _, _) in SERVICES {
        let Some(mut bed) = Bed::new(&format!("a closed socket: {service}"), [&config; 3]) else { return };
        // Half a second for all of them, where they are shaped.
        bed.reserve(SESSION, service, 100_000, 5_000);
        let receiver = at(&bed.net, "b", TO);
        let sender = from(&bed.net, "a", SENDER, TO, 0);
        burst(&sender, 1_000, 50);
        drop(sender);
        // The application ends as well, while they are on their way.
        drop(bed.a);
        let mut delivered = 0;
        eventually("all fifty", || {
            delivered += arrived(&receiver);
            (delivered == 50).then_some(())
        });
        drop(bed.b);
        for (node, interface) in [("a", "to-r"), ("r", "to-b")] {
            bed.net.client(node).until("flows", 0);
            eventually("classes that have drained", || {
                (classes(&bed.net, node, interface).len() == 6).then_some(())
            });
            assert_eq!(keys(&bed.net, node), [], "{node}");
        }
    }
}

/// What is beyond the share is an admission failure, which the far side sees, and how much is left can be asked (A57).
#[test]
fn what_is_beyond_the_share_is_refused_on_the_wire() {
    let (config, plain) = (kernel("auto", "reservable = \"20%\"\n"), kernel("auto", ""));
    let Some(mut bed) = Bed::new("beyond the share", [&plain, &config, &plain]) else { return };
    let far = bed.net.capture("b", "to-r");
    bed.announce(SESSION, "controlled-load", 12_000_000, 20_000);
    let ask = |b: &mut Client, mbit: u64| {
        b.ask_for(SESSION, "ff", &[SENDER], &flowspec("controlled-load", mbit * 125_000, 20_000))
    };
    ask(&mut bed.b, 21);
    bed.b.event("resv-error");
    let error = far.first(MsgType::RESV_ERR);
    let message = Message::parse(&error.octets).expect("a sound message");
    let why = message.get::<ErrorSpec>().expect("an ERROR_SPEC").expect("a sound one");
    assert_eq!((why.code.0, why.value & 0xfff), (1, 2), "Admission Control failure: bandwidth");
    ask(&mut bed.b, 20);
    bed.net.client("r").until("flows", 1);
    let rows = bed.net.client("r").list("interfaces");
    let row = rows.iter().find(|row| row["name"] == "to-b").expect("an interface");
    assert_eq!(
        (&row["reserved_bps"], &row["reservable_bps"]),
        (&json!(20_000_000), &json!(20_000_000)),
        "{row}"
    );
}

/// Without traffic control (A61) reservations are made, and packets leave as they came.
#[test]
fn without_a_data_plane_nothing_is_marked() {
    let none = kernel("auto", TAGS).replace("\"kernel\"", "\"none\"");
    let Some(mut bed) = Bed::new("nothing is marked", [&none; 3]) else { return };
    bed.announce(SESSION, "controlled-load", 1, 5_000);
    bed.b.ask_for(SESSION, "ff", &[SENDER], &flowspec("controlled-load", 1, 5_000));
    bed.b.event("resv-confirm");
    let _receiver = at(&bed.net, "b", TO);
    burst(&from(&bed.net, "a", SENDER, TO, 0xb9), 1_000, 20);
    let packets = bed.left(20);
    assert!(packets.iter().all(|packet| (packet.tos, packet.tag) == (0xb9, None)), "{packets:?}");
    let messages = of_messages(&bed.capture, [10, 0, 1, 1]);
    assert!(messages.iter().all(|message| *message == (48, None)), "{messages:?}");
    // Whoever asks whether there is any is told so.
    let rows = bed.net.client("a").list("interfaces");
    assert!(rows.iter().all(|row| row["data_plane"] == "none: as configured"), "{rows:?}");
}

/// A tunnel over a link, both with classes: a packet is charged to its flow once, on the tunnel; on the link below it has the mark, and
/// nothing of another flow whose class has the number that its own has on the tunnel.
#[test]
fn below_a_tunnel_a_packet_has_its_mark_and_is_of_no_flow() {
    let config = kernel("auto", "");
    let Some(mut bed) = Bed::new("below a tunnel", [&config; 3]) else { return };
    for (node, near, far, own) in
        [("a", "10.0.1.1", "10.0.1.2", "10.9.0.1/24"), ("r", "10.0.1.2", "10.0.1.1", "10.9.0.2/24")]
    {
        let device = if node == "a" { "to-r" } else { "to-a" };
        let net = &bed.net;
        net.ip(
            node,
            &format!(
                "link add vx type vxlan id 7 local {near} remote {far} dstport 4789 dev {device} tos inherit"
            ),
        );
        net.ip(node, &format!("addr add {own} dev vx"));
        net.ip(node, "link set vx up");
        eventually("the tunnel", || {
            net.client(node)
                .list("interfaces")
                .iter()
                .any(|row| row["name"] == "vx" && row["up"] == true)
                .then_some(())
        });
    }
    // One flow on the link, and then one on the tunnel: each is the first there.
    bed.reserve(SESSION, "guaranteed", 100_000, 10_000);
    let (session, sender) = ("udp 10.9.0.2:5500", "10.9.0.1:4000");
    let mut wish = flowspec("guaranteed", 100_000, 10_000);
    wish["traffic"]["max_packet"] = json!(1_400);
    let mut r = bed.net.client("r");
    bed.a.announce(session, sender, &wish["traffic"]);
    r.hears(session);
    r.ask_for(session, "ff", &[sender], &wish);
    let rows = bed.net.client("a").until("flows", 2);
    assert!(rows.iter().all(|row| row["class"] == "7276:100"), "{rows:?}");
    let _receiver = at(&bed.net, "r", "10.9.0.2:5500");
    burst(&from(&bed.net, "a", sender, "10.9.0.2:5500", 0), 1_000, 10);
    let outer = eventually("ten packets of the tunnel", || {
        let packets = seen(&bed.capture, 4789);
        Some(packets.into_iter().filter(|packet| packet.octets > 1_000).collect::<Vec<_>>())
            .filter(|p| p.len() == 10)
    });
    assert!(outer.iter().all(|packet| (packet.dscp(), packet.octets) == (40, 1_050)), "{outer:?}");
    let rows = bed.net.client("a").list("flows");
    let of = |name: &str| rows.iter().find(|row| row["interface"] == name).expect("a flow");
    assert_eq!((number(of("vx"), "packets"), number(of("vx"), "octets")), (10, 10_000), "{rows:?}");
    assert_eq!(number(of("to-r"), "packets"), 0, "{rows:?}");
    let own = |interface: &str| super::class_of(&bed.net, "a", interface, 0x100).counters.packets;
    assert_eq!((own("vx"), own("to-r")), (10, 0), "the class of the other flow");
}
