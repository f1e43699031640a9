//! Routers without RSVP between daemons (RFC 2205 sections 2.9 and 3.8): what receivers are told of them, what cannot be had
//! across them, and messages that go back another way.

use super::commands::{Running, is_event, run};
use super::net::Net;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// Refreshes are far away: what is told was told at once.
const CONFIG: &str = "[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"300s\"\n";

/// The only router on the way does not speak RSVP.
fn check_last_hop(family: &str, receiver: &str, sender: &str) {
    let Some(mut net) = Net::three_in_a_row(&format!("a plain router as last hop, {family}")) else { return };
    net.daemon("a", CONFIG);
    net.daemon("b", CONFIG);
    let session = format!("udp {receiver}:5000");
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    b.ask(json!({"request": "open-session", "session": session})).expect("a session");
    a.send(&session, sender, 1);
    let path = b.event("path");
    assert_eq!(path["adspec"]["break"], true, "{path}");
    // It keeps nobody from reserving.
    b.reserve(&session, sender, 1);
    b.event("resv-confirm");

    let address = receiver.trim_matches(['[', ']']);
    let recv =
        |more: &str| format!("recv --address {address} --port 5000 --service guaranteed {more} --json");
    drop(b);
    a.event("resv-gone");
    let arguments = recv("--delay 50ms");
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let (done, said, complaint) = run(&net, "b", &arguments);
    assert!(!done, "a bound is refused: {said}");
    let told = said.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    assert!(told.into_iter().any(|line| line["event"]["adspec"]["break"] == true), "{said}");
    assert!(
        complaint.contains(sender)
            && complaint.contains("does not speak RSVP")
            && complaint.contains("--reserve"),
        "the sender, the reason and a remedy: {complaint}"
    );
    // A rate without a bound can be had.
    let rate = Running::start(&net, "b", &recv("--reserve 2mbit --confirm"));
    rate.until("confirmation", is_event("resv-confirm"));
    drop(rate);
    a.event("resv-gone");

    // Where the TTL does not tell, the interface's configuration does.
    let config = format!("{CONFIG}[interface.to-r]\nnon_rsvp_hops = \"never\"\n");
    net.signal("b", Signal::SIGTERM);
    assert!(net.ended("b").success());
    net.daemon("b", &config);
    drop(a);
    let mut a = net.client("a");
    let bound = Running::start(&net, "b", &recv("--delay 50ms --confirm"));
    bound.until("beginning", |line| line["note"].is_string());
    a.send(&session, sender, 1);
    let path = bound.until("sender", is_event("path"));
    assert_eq!(path["event"]["adspec"]["break"], false, "{path}");
    bound.until("confirmation", is_event("resv-confirm"));
}

#[test]
fn a_plain_router_as_last_hop_is_told_and_bounds_nothing() {
    check_last_hop("IPv4", "10.0.2.2", "10.0.1.1:4000");
}

#[test]
fn a_plain_router_as_last_hop_is_told_and_bounds_nothing_in_ipv6() {
    check_last_hop("IPv6", "[fd00:2::2]", "[fd00:1::1]:4000");
}

/// Data goes `a` - `p` - `q` - `b`, what is addressed to `a` comes back over `s`.
fn check_way_back(family: &str, receiver: &str, sender: &str) {
    let Some(mut net) = Net::new(&format!("another way back, {family}")) else { return };
    net.host("a");
    ["p", "q", "s"].into_iter().for_each(|node| net.router(node));
    net.host("b");
    for (one, other) in [("a", "p"), ("p", "q"), ("q", "b"), ("p", "s"), ("s", "b")] {
        net.link(one, other);
    }
    net.default_route("a", 1, 2);
    net.default_route("p", 2, 2);
    net.default_route("q", 2, 1);
    net.default_route("s", 4, 1);
    net.default_route("b", 5, 1);
    for node in ["p", "b"] {
        // The way there is not the way back, which a reverse path filter would mind.
        net.sysctl(node, "net.ipv4.conf.all.rp_filter", "0");
        net.sysctl(node, "net.ipv4.conf.default.rp_filter", "0");
    }
    for (node, interface) in [("p", "to-s"), ("p", "to-q"), ("b", "to-q"), ("b", "to-s")] {
        net.sysctl(node, &format!("net.ipv4.conf.{interface}.rp_filter"), "0");
    }
    net.daemon("a", CONFIG);
    net.daemon("b", CONFIG);
    let session = format!("udp {receiver}:5000");
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    b.ask(json!({"request": "open-session", "session": session})).expect("a session");
    a.send(&session, sender, 1);
    let path = b.event("path");
    assert_eq!(path["adspec"]["break"], true, "{path}");
    b.reserve(&session, sender, 1);
    a.event("resv");
    b.event("resv-confirm");
}

#[test]
fn a_resv_goes_to_the_previous_hop_by_whatever_way_there_is() {
    check_way_back("IPv4", "10.0.3.2", "10.0.1.1:4000");
}

#[test]
fn a_resv_goes_to_the_previous_hop_by_whatever_way_there_is_in_ipv6() {
    check_way_back("IPv6", "[fd00:3::2]", "[fd00:1::1]:4000");
}
