//! Multicast: routers get hold of every Path, and send each on once, with their own RSVP_HOP.

use super::capture::Capture;
use super::client::Client;
use super::commands::run;
use super::net::Net;
use rsvp_wire::MsgType;
use serde_json::json;
use std::net::IpAddr;

const FAST: &str = "[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"300ms\"\n";

/// The router's configuration: where flows from `a` to the group go.
fn flow(group: &str, more: &str) -> String {
    let source = if group.contains(':') { "fd00:1::1" } else { "10.0.1.1" };
    format!(
        "{FAST}{more}[[multicast_route]]\ngroup = \"{group}\"\nsource = \"{source}\"\nincoming = \"to-a\"\noutgoing = [\"to-b\"]\n"
    )
}

/// `a` sends to the group, `b` reserves; what is seen between router and receiver, and what has to live on.
fn reserve(net: &mut Net, group: &str, router: &str) -> (Capture, [Client; 2], socket2::Socket) {
    let (session, sender) = match group.parse().expect("an address") {
        IpAddr::V4(_) => (format!("udp {group}:5000"), "10.0.1.1:4000"),
        IpAddr::V6(_) => (format!("udp [{group}]:5000"), "[fd00:1::1]:4000"),
    };
    let wire = net.capture("r", "to-b");
    net.daemon("a", FAST);
    net.daemon("r", router);
    net.daemon("b", FAST);
    let member = net.join("b", "to-r", group.parse().expect("an address"));
    let (mut a, mut b, mut r) = (net.client("a"), net.client("b"), net.client("r"));
    a.send(&session, sender, 2);
    b.reserve(&session, sender, 1);
    b.event("resv-confirm");
    let row = r.until("reservations", 1).remove(0);
    assert_eq!(row["interface"], json!("to-b"));
    (wire, [a, b], member)
}

/// How many Path packets were seen, and how many of them came from the router.
fn paths(wire: &Capture, router: &str) -> (usize, usize) {
    let router: IpAddr = router.parse().expect("an address");
    let paths = wire.of(MsgType::PATH);
    (paths.len(), paths.iter().filter(|p| p.hop == Some(router)).count())
}

fn until_paths(wire: &Capture, count: usize) {
    super::eventually("more Paths", || (wire.of(MsgType::PATH).len() >= count).then_some(()));
}

#[test]
fn a_router_intercepts_ipv4_multicast() {
    let Some(mut net) = Net::three_in_a_row("IPv4 multicast") else { return };
    let (wire, _applications, _member) = reserve(&mut net, "239.1.1.1", &flow("239.1.1.1", ""));
    until_paths(&wire, 3);
    let (all, from_router) = paths(&wire, "10.0.2.1");
    assert_eq!(all, from_router, "nothing is seen twice: {:?}", wire.of(MsgType::PATH));
    let path = wire.first(MsgType::PATH);
    assert_eq!((path.source.to_string().as_str(), path.ttl), ("10.0.1.1", 63));
    assert!(path.router_alert);
    // The kernel forwards the flow's data as the configuration says.
    let cache = net.exec("r", &["ip", "mroute", "show"]);
    assert!(cache.contains("(10.0.1.1,239.1.1.1)") && cache.contains("Oifs: to-b"), "{cache}");
}

#[test]
fn a_local_receiver_on_the_router_does_not_make_the_kernel_forward_as_well() {
    let Some(mut net) = Net::three_in_a_row("IPv4 multicast with a local receiver") else { return };
    let _local = net.join("r", "to-a", "239.1.1.1".parse().expect("an address"));
    let (wire, _applications, _member) = reserve(&mut net, "239.1.1.1", &flow("239.1.1.1", ""));
    until_paths(&wire, 3);
    let (all, from_router) = paths(&wire, "10.0.2.1");
    assert_eq!(all, from_router, "nothing is seen twice: {:?}", wire.of(MsgType::PATH));
    // The rule is the daemon's, and goes with it, however it goes.
    assert!(net.exec("r", &["nft", "list", "tables"]).contains("rsvpd"));
    net.signal("r", nix::sys::signal::Signal::SIGKILL);
    net.ended("r");
    assert!(!net.exec("r", &["nft", "list", "tables"]).contains("rsvpd"));
}

#[test]
fn without_the_rule_the_kernel_would_forward_as_well() {
    let Some(mut net) = Net::three_in_a_row("IPv4 multicast without a rule") else { return };
    let _local = net.join("r", "to-a", "239.1.1.1".parse().expect("an address"));
    let router = flow("239.1.1.1", "[multicast]\nfirewall = false\n");
    let (wire, _applications, _member) = reserve(&mut net, "239.1.1.1", &router);
    until_paths(&wire, 4);
    let (all, from_router) = paths(&wire, "10.0.2.1");
    assert!(all > from_router && from_router > 0, "the rule is needed: {:?}", wire.of(MsgType::PATH));
}

#[test]
fn a_router_joins_ipv6_groups_where_their_flows_come_in() {
    let Some(mut net) = Net::three_in_a_row("IPv6 multicast") else { return };
    let (wire, _applications, _member) = reserve(&mut net, "ff0e::1:1", &flow("ff0e::1:1", ""));
    until_paths(&wire, 3);
    let (all, from_router) = paths(&wire, "fd00:2::1");
    assert_eq!(all, from_router, "nothing is seen twice: {:?}", wire.of(MsgType::PATH));
    let path = wire.first(MsgType::PATH);
    assert_eq!((path.source.to_string().as_str(), path.ttl), ("fd00:1::1", 63));
    assert!(path.router_alert);
}

#[test]
fn a_route_that_names_another_incoming_interface_is_named() {
    let Some(mut net) = Net::three_in_a_row("a multicast route the wrong way round") else { return };
    net.daemon("a", FAST);
    let (right, wrong) =
        ("incoming = \"to-a\"\noutgoing = [\"to-b\"]", "incoming = \"to-b\"\noutgoing = [\"to-a\"]");
    let config = flow("239.1.1.1", "");
    assert!(config.contains(right));
    net.daemon("r", &config.replace(right, wrong));
    let mut a = net.client("a");
    a.send("udp 239.1.1.1:5000", "10.0.1.1:4000", 2);
    let row = net.client("r").until("senders", 1).remove(0);
    let words =
        "the [[multicast_route]] of 239.1.1.1 has the incoming interface to-b, but the Path came by to-a";
    assert_eq!(row["not_forwarded"], words, "{row}");
    for command in ["show senders", "doctor"] {
        let (_, said, complaint) = run(&net, "r", &command.split(' ').collect::<Vec<_>>());
        assert!(said.contains(words) && !said.contains("no multicast route"), "{command}: {said}{complaint}");
    }
}
