//! Two hosts and a router: Path, Resv and ResvConf over real sockets, with what RFC 2205 section 3.3 says of their IP headers.

use super::net::Net;
use nix::sys::signal::Signal;
use rsvp_wire::MsgType;
use serde_json::json;

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
