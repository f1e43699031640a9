//! Two hosts and a router: Path, Resv and ResvConf over real sockets, with what RFC 2205 section 3.3 says of their IP headers.

use super::eventually;
use super::net::Net;
use nix::sys::signal::Signal;
use rsvp_wire::MsgType;
use serde_json::json;
use std::net::SocketAddr;

const RATE: &str = "[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"1s\"\n";

fn check_one_reservation(net: &mut Net, session: &str, sender: &str) {
    for node in ["a", "r", "b"] {
        net.daemon(node, RATE);
    }
    let (mut a, mut b, mut r) = (net.client("a"), net.client("b"), net.client("r"));
    a.send(session, sender, 2);
    b.reserve(session, sender, 1);
    assert_eq!(b.event("path")["sender"], sender);
    b.event("resv-confirm");
    a.event("resv");
    let row = r.until("reservations", 1).remove(0);
    assert_eq!((&row["interface"], &row["charge_bps"]), (&json!("to-b"), &json!(1_000_000)));
}

#[test]
fn a_reservation_is_made_across_a_router() {
    let Some(mut net) = Net::three_in_a_row("a reservation across a router") else { return };
    let (before, after) = (net.capture("r", "to-a"), net.capture("r", "to-b"));
    check_one_reservation(&mut net, "udp 10.0.2.2:5000", "10.0.1.1:4000");
    let address = |text: &str| text.parse::<std::net::IpAddr>().unwrap();
    // Path: the flow's addresses, Router Alert, a hop less to live behind the router.
    for (capture, hop, ttl) in [(&before, "10.0.1.1", 64), (&after, "10.0.2.1", 63)] {
        let path = capture.first(MsgType::PATH);
        assert_eq!((path.source, path.destination), (address("10.0.1.1"), address("10.0.2.2")));
        assert_eq!((path.hop, path.ttl, path.send_ttl), (Some(address(hop)), ttl, ttl));
        assert!(path.router_alert && path.tos == 0xc0, "{path:?}");
        // The router sends it on, and nobody else does.
        assert!(capture.of(MsgType::PATH).iter().all(|p| p.hop == Some(address(hop))));
    }
    // Resv: from hop to hop.
    for (capture, from, to) in [(&before, "10.0.1.2", "10.0.1.1"), (&after, "10.0.2.2", "10.0.2.1")] {
        let resv = capture.first(MsgType::RESV);
        assert_eq!((resv.source, resv.destination), (address(from), address(to)));
        assert!(!resv.router_alert && resv.tos == 0xc0 && resv.ttl == resv.send_ttl, "{resv:?}");
    }
    // ResvConf: to the receiver, from each node's own address.
    for (capture, from) in [(&before, "10.0.1.1"), (&after, "10.0.2.1")] {
        let confirm = capture.first(MsgType::RESV_CONF);
        assert_eq!((confirm.source, confirm.destination), (address(from), address("10.0.2.2")));
        assert!(confirm.router_alert, "{confirm:?}");
        assert_eq!(capture.of(MsgType::RESV_CONF).len(), 1);
    }
}

#[test]
fn a_reservation_is_made_across_a_router_in_ipv6() {
    let Some(mut net) = Net::three_in_a_row("a reservation across a router in IPv6") else { return };
    let (before, after) = (net.capture("r", "to-a"), net.capture("r", "to-b"));
    check_one_reservation(&mut net, "udp [fd00:2::2]:5000", "[fd00:1::1]:4000");
    let address = |text: &str| text.parse::<std::net::IpAddr>().unwrap();
    for (capture, hop, ttl) in [(&before, "fd00:1::1", 64), (&after, "fd00:2::1", 63)] {
        let path = capture.first(MsgType::PATH);
        assert_eq!((path.source, path.destination), (address("fd00:1::1"), address("fd00:2::2")));
        assert_eq!((path.hop, path.ttl, path.send_ttl), (Some(address(hop)), ttl, ttl));
        assert!(path.router_alert && path.tos == 0xc0, "{path:?}");
        assert!(capture.of(MsgType::PATH).iter().all(|p| p.hop == Some(address(hop))));
    }
    let resv = after.first(MsgType::RESV);
    assert_eq!((resv.source, resv.destination), (address("fd00:2::2"), address("fd00:2::1")));
    assert!(!resv.router_alert && resv.tos == 0xc0 && resv.ttl == resv.send_ttl, "{resv:?}");
    assert_eq!(after.first(MsgType::RESV_CONF).source, address("fd00:2::1"));
}

#[test]
fn who_ends_takes_along_what_was_asked_for() {
    let Some(mut net) = Net::three_in_a_row("teardown") else { return };
    let (session, sender) = ("udp 10.0.2.2:5000", "10.0.1.1:4000");
    let wire = net.capture("r", "to-a");
    for node in ["a", "r", "b"] {
        net.daemon(node, "[interfaces]\nbandwidth = \"10mbit\"\n");
    }
    let (mut a, mut b, mut r) = (net.client("a"), net.client("b"), net.client("r"));
    a.send(session, sender, 2);
    b.reserve(session, sender, 1);
    a.event("resv");
    // The receiver's application is gone: a ResvTear goes up the path at once.
    drop(b);
    assert_eq!(a.event("resv-gone")["filters"], json!([sender]));
    wire.first(MsgType::RESV_TEAR);
    assert_eq!(wire.of(MsgType::RESV_TEAR).len(), 1);
    r.until("reservations", 0);
    // The sender's daemon is told to end: a PathTear goes down the path.
    net.signal("a", Signal::SIGTERM);
    assert!(net.ended("a").success(), "{}", net.log("a"));
    r.until("senders", 0);
    wire.first(MsgType::PATH_TEAR);
    assert_eq!(wire.of(MsgType::PATH_TEAR).len(), 1);
    assert!(!net.socket("a").exists(), "the control socket is taken away");
}

/// What an interface had before the daemon began, and what it gets later.
#[test]
fn applications_send_from_each_address_of_an_interface() {
    let Some(mut net) = Net::three_in_a_row("further addresses") else { return };
    net.ip("a", "addr add 10.0.1.7/24 dev to-r");
    net.ip("a", "addr add fd00:1::7/64 dev to-r nodad");
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, RATE));
    net.ip("a", "addr add 10.0.1.8/24 dev to-r");
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    for (session, sender) in [
        ("udp 10.0.2.2:5000", "10.0.1.1:4000"),
        ("udp 10.0.2.2:5001", "10.0.1.7:4000"),
        ("udp 10.0.2.2:5002", "10.0.1.8:4000"),
        ("udp [fd00:2::2]:5000", "[fd00:1::1]:4000"),
        ("udp [fd00:2::2]:5001", "[fd00:1::7]:4000"),
    ] {
        let traffic = json!({"rate_bps": 1_000_000});
        let request = json!({"request": "sender", "session": session, "sender": sender, "traffic": traffic});
        // The kernel tells the daemon of an address when it has it.
        eventually(sender, || a.ask(request.clone()).ok());
        b.reserve(session, sender, 1);
        assert_eq!(b.event("resv-confirm")["session"], session);
    }
    let foreign = json!({"request": "sender", "session": "udp 10.0.2.2:5003", "sender": "10.0.1.9:4000",
                         "traffic": {"rate_bps": 1_000_000}});
    let refused = a.ask(foreign).expect_err("the address of another host");
    let said = refused["message"].as_str().expect("words");
    assert!(said.contains("none of this node's addresses, 10.0.1.1, 10.0.1.7, 10.0.1.8"), "{said}");
}

/// An error of ICMP that 10.0.1.2 sends to 10.0.1.1: host unreachable, about a Path to 10.9.9.9 of which no more than the IP header,
/// with Router Alert or without, and 8 octets are quoted (RFC 792).
fn short_quote(router_alert: bool) -> Vec<u8> {
    let [host, router, far] = [[10, 0, 1, 1], [10, 0, 1, 2], [10, 9, 9, 9]];
    let options: &[u8] = if router_alert { &[148, 4, 0, 0] } else { &[] };
    let first = if router_alert { 0x46 } else { 0x45 };
    let header = [first, 0xc0, 0, 124, 0, 1, 0, 0, 63, 46, 0, 0];
    let path = [0x10, 1, 0x12, 0x34, 64, 0, 0, 100];
    let mut error = [&[3, 1, 0, 0, 0, 0, 0, 0][..], &header, &host, &far, options, &path].concat();
    let words = error.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
    let sum: u32 = words.sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    error[2..4].copy_from_slice(&sum.to_be_bytes());
    [&[0x45, 0, 0, 0, 0, 1, 0, 0, 64, 1, 0, 0][..], &router, &host, &error].concat()
}

#[test]
fn an_error_that_quotes_8_octets_is_told_to_all_that_it_can_mean() {
    let Some(mut net) = Net::three_in_a_row("short quotes of ICMP") else { return };
    // Of its own the router says nothing.
    net.ip("r", "route add blackhole 10.9.9.0/24");
    net.daemon("a", RATE);
    let (mut one, mut two, mut other) = (net.client("a"), net.client("a"), net.client("a"));
    one.send("udp 10.9.9.9:5000", "10.0.1.1:4000", 1);
    two.send("udp 10.9.9.9:5001", "10.0.1.1:4001", 1);
    other.send("udp 10.9.9.8:5000", "10.0.1.1:4002", 1);
    for router_alert in [true, false] {
        let to = SocketAddr::from(([10, 0, 1, 1], 0));
        net.raw("r").send_to(&short_quote(router_alert), &to.into()).expect("it is sent");
        for (client, sender) in [(&mut one, "10.0.1.1:4000"), (&mut two, "10.0.1.1:4001")] {
            let told = client.event("undelivered");
            assert_eq!(
                (&told["sender"], &told["node"], &told["cause"]),
                (&json!(sender), &json!("10.0.1.2"), &json!("no-way")),
                "{told}"
            );
            let said = told["meaning"].as_str().expect("words");
            assert!(said.starts_with("10.0.1.2 does not reach 10.9.9.9 (ICMP host unreachable)"), "{said}");
        }
    }
    assert!(other.waiting().iter().all(|event| event["event"] != "undelivered"));
    for row in net.client("a").list("senders") {
        let is_meant = row["sender"] != "10.0.1.1:4002";
        assert_eq!(row["undelivered"].is_string(), is_meant, "{row}");
    }
}
