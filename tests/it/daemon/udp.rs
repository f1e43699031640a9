//! UDP encapsulation (RFC 2205 Appendix C): hosts that can only send UDP (Hu) run without any privilege, among raw hosts (Hr)
//! and routers; nobody takes a message twice.

use super::capture::Capture;
use super::client::Client;
use super::commands::{Running, is_event};
use super::eventually;
use super::net::Net;
use crate::programs;
use serde_json::{Value, json};
use std::net::{IpAddr, UdpSocket};

/// Refreshes are far away: what is counted was sent once.
const HR: &str = "[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"300s\"\nudp = \"auto\"\n";
const HU: &str = "[node]\ntransport = \"udp\"\n[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"300s\"\n";
/// Serves hosts that have not sent a Path.
const ON: &str = "[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"300s\"\nudp = \"on\"\n";
/// Both ports of RSVP in UDP, and raw RSVP.
const RSVP: &str = "udp portrange 1698-1699 or ip proto 46 or ip6 protochain 46";

fn driver(client: &mut Client, name: &str) -> u64 {
    counters(client)["driver"][name].as_u64().unwrap_or_else(|| panic!("no counter {name}"))
}

fn counters(client: &mut Client) -> Value {
    client.ask(json!({"request": "list", "what": "counters"})).expect("counters")["counters"].take()
}

/// Messages of a type that the engine got.
fn received(client: &mut Client, kind: &str) -> u64 {
    counters(client)["received"][kind].as_u64().unwrap_or(0)
}

/// Whether UDP is on at an interface.
fn is_on(client: &mut Client, interface: &str) -> bool {
    let rows = client.list("interfaces");
    rows.iter().any(|row| row["name"] == interface && row["udp"] == true)
}

/// What `rsvp decode` reads in a capture, from one address to any.
fn decoded(capture: &Capture, from: &str) -> Vec<Value> {
    let mut decode = std::process::Command::new(programs::folder().join("rsvp"));
    let done = decode.args(["decode", "--json"]).arg(&capture.file).output().expect("rsvp runs");
    let lines = String::from_utf8(done.stdout).expect("UTF-8");
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|packet| packet["src"] == from).collect()
}

/// Waits for a message by UDP from one address to another: its port and its IP TTL.
fn seen(capture: &Capture, from: &str, to: &str, kind: &str) -> (u64, u64) {
    eventually(&format!("a {kind} by UDP from {from} to {to}"), || {
        let packets = decoded(capture, from);
        let found =
            packets.iter().find(|p| p["dst"] == to && p["message"] == kind && p["udp_dst_port"].is_u64());
        found.map(|p| (p["udp_dst_port"].as_u64().expect("a port"), p["ttl"].as_u64().expect("a TTL")))
    })
}

/// A Hu at each end of two routers.
fn check_two_hu(family: &str, receiver: &str, sender: &str) {
    let Some(mut net) = Net::four_in_a_row(&format!("UDP-only hosts, {family}")) else { return };
    let (near, far) = (net.capture_of("r", "to-a", RSVP), net.capture_of("q", "to-b", RSVP));
    net.unprivileged_daemon("a", HU);
    net.daemon("r", HR);
    // The receiver sends nothing before it has heard a Path: the RFC's failure mode, for which there is configuration.
    net.daemon("q", &format!("{HR}[interface.to-b]\nudp = \"on\"\n"));
    net.unprivileged_daemon("b", HU);
    let (mut a, mut b, mut r, mut q) = (net.client("a"), net.client("b"), net.client("r"), net.client("q"));
    let session = format!("udp {receiver}:5000");
    assert!(!is_on(&mut r, "to-a") && is_on(&mut q, "to-b"));
    b.ask(json!({"request": "open-session", "session": session})).expect("a session");
    a.send(&session, sender, 2);
    let path = b.event("path");
    // Send_TTL stands for the TTL that UDP does not have: no hop without RSVP is suspected.
    assert_eq!(path["adspec"]["break"], false, "{path}");
    b.reserve(&session, sender, 1);
    b.event("resv-confirm");
    a.event("resv");
    for router in [&mut r, &mut q] {
        assert_eq!(router.until("reservations", 1)[0]["charge_bps"], json!(1_000_000));
    }
    // One side of one router was heard of.
    assert!(is_on(&mut r, "to-a") && !is_on(&mut r, "to-q") && !is_on(&mut q, "to-r"));

    // Figure 13: Hu to Pu of its router, routers to Pu' of D or of the previous hop; all of them stay on the link.
    let sender = sender.trim_end_matches(":4000").trim_matches(['[', ']']);
    let receiver = receiver.trim_matches(['[', ']']);
    let (r_near, q_far) =
        if family == "IPv4" { ("10.0.1.2", "10.0.3.1") } else { ("fd00:1::2", "fd00:3::1") };
    assert_eq!(seen(&near, sender, r_near, "Path"), (1698, 1));
    assert_eq!(seen(&near, r_near, sender, "Resv"), (1699, 1));
    assert_eq!(seen(&near, sender, r_near, "ResvConf"), (1698, 1));
    assert_eq!(seen(&far, q_far, receiver, "Path"), (1699, 1));
    assert_eq!(seen(&far, receiver, q_far, "Resv"), (1698, 1));
    assert_eq!(seen(&far, q_far, receiver, "ResvConf"), (1699, 1));
    // A Hu sends nothing else, and takes everything once.
    assert!(decoded(&near, sender).iter().all(|packet| packet["udp_dst_port"] == 1698));
    assert_eq!((received(&mut b, "Path"), received(&mut b, "ResvConf"), received(&mut a, "Resv")), (1, 1, 1));

    // Tears go the same ways.
    drop(b);
    a.event("resv-gone");
    r.until("reservations", 0);
    drop(a);
    r.until("senders", 0);
    q.until("senders", 0);
    assert_eq!(seen(&far, q_far, receiver, "PathTear"), (1699, 1));
    assert_eq!(driver(&mut r, "udp-not-rsvp") + driver(&mut r, "udp-ignored"), 0);
}

#[test]
fn hosts_without_privileges_reserve_across_routers() {
    check_two_hu("IPv4", "10.0.3.2", "10.0.1.1:4000");
}

#[test]
fn hosts_without_privileges_reserve_across_routers_in_ipv6() {
    check_two_hu("IPv6", "[fd00:3::2]", "[fd00:1::1]:4000");
}

/// `a` and a router `r`, which is on a LAN with `u` and `h`: addresses .1, .2 and .3 of link 2.
fn lan(test: &str) -> Option<Net> {
    let mut net = Net::new(test)?;
    net.router("r");
    ["a", "u", "h"].into_iter().for_each(|node| net.host(node));
    net.link("a", "r");
    net.lan(&["r", "u", "h"]);
    for (node, link, end) in [("a", 1, 2), ("u", 2, 1), ("h", 2, 1)] {
        net.default_route(node, link, end);
    }
    for (node, interface) in [("a", "to-r"), ("r", "to-a"), ("r", "to-lan"), ("u", "to-lan"), ("h", "to-lan")]
    {
        net.hears_ipv6_groups(node, interface);
    }
    Some(net)
}

/// A router's flow to a group.
fn flow(group: IpAddr, incoming: &str, outgoing: &str) -> String {
    format!(
        "[[multicast_route]]\ngroup = \"{group}\"\nincoming = \"{incoming}\"\noutgoing = [\"{outgoing}\"]\n"
    )
}

/// A raw sender's flow reaches a Hu and a Hr on the last link, each once.
fn check_group_to_both(family: &str, group: &str, sender: &str) {
    let Some(mut net) = lan(&format!("a group with both kinds of hosts, {family}")) else { return };
    let group: IpAddr = group.parse().expect("an address");
    let _members = [net.join("u", "to-lan", group), net.join("h", "to-lan", group)];
    net.daemon("a", HR);
    net.daemon("r", &format!("{ON}{}", flow(group, "to-a", "to-lan")));
    net.unprivileged_daemon("u", HU);
    net.daemon("h", HR);
    let (mut a, mut r, mut u, mut h) = (net.client("a"), net.client("r"), net.client("u"), net.client("h"));
    let session = if group.is_ipv4() { format!("udp {group}:5000") } else { format!("udp [{group}]:5000") };
    for receiver in [&mut u, &mut h] {
        receiver.ask(json!({"request": "open-session", "session": session})).expect("a session");
    }
    a.send(&session, sender, 2);
    for receiver in [&mut u, &mut h] {
        receiver.event("path");
        receiver.reserve(&session, sender, 1);
        receiver.event("resv-confirm");
    }
    let requests = r.until("requests", 2);
    assert!(requests.iter().all(|row| row["interface"] == "to-lan"), "{requests:?}");
    r.until("reservations", 1);
    // Each has taken every Path that the router has sent there, once.
    let sent = counters(&mut r)["sent"]["Path"].as_u64().expect("a count");
    assert_eq!((received(&mut u, "Path"), received(&mut h, "Path")), (sent, sent));
    assert_eq!((driver(&mut u, "messages-discarded"), driver(&mut h, "udp-received")), (0, 0));
}

#[test]
fn a_group_reaches_both_kinds_of_hosts_once() {
    check_group_to_both("IPv4", "239.1.1.1", "10.0.1.1:4000");
}

#[test]
fn a_group_reaches_both_kinds_of_hosts_once_in_ipv6() {
    check_group_to_both("IPv6", "ff0e::1:1", "[fd00:1::1]:4000");
}

/// A Hu sends to a group: the Hr on its link and the router hear it by G*, and a raw host behind the router.
fn check_group_from_hu(family: &str, group: &str, sender: &str) {
    let Some(mut net) = lan(&format!("a group of a UDP-only sender, {family}")) else { return };
    let group: IpAddr = group.parse().expect("an address");
    let _members = [net.join("a", "to-r", group), net.join("h", "to-lan", group)];
    net.daemon("a", HR);
    net.daemon("r", &format!("{HR}{}", flow(group, "to-lan", "to-a")));
    net.unprivileged_daemon("u", HU);
    net.daemon("h", HR);
    let (mut a, mut r, mut u, mut h) = (net.client("a"), net.client("r"), net.client("u"), net.client("h"));
    let session = if group.is_ipv4() { format!("udp {group}:5000") } else { format!("udp [{group}]:5000") };
    for receiver in [&mut a, &mut h] {
        receiver.ask(json!({"request": "open-session", "session": session})).expect("a session");
    }
    u.send(&session, sender, 2);
    for receiver in [&mut a, &mut h] {
        receiver.event("path");
        receiver.reserve(&session, sender, 1);
        receiver.event("resv-confirm");
    }
    u.event("resv");
    r.until("reservations", 1);
    let sent = counters(&mut u)["sent"]["Path"].as_u64().expect("a count");
    assert_eq!((received(&mut r, "Path"), received(&mut h, "Path")), (sent, sent));
    assert!(is_on(&mut r, "to-lan") && is_on(&mut h, "to-lan") && !is_on(&mut r, "to-a"));
    drop(u);
    a.event("path-gone");
    h.event("path-gone");
}

#[test]
fn a_group_of_a_udp_only_sender_is_heard_by_all_on_the_link() {
    check_group_from_hu("IPv4", "239.1.1.1", "10.0.2.2:4000");
}

#[test]
fn a_group_of_a_udp_only_sender_is_heard_by_all_on_the_link_in_ipv6() {
    check_group_from_hu("IPv6", "ff0e::1:1", "[fd00:2::2]:4000");
}

#[test]
fn both_kinds_of_hosts_talk_to_each_other_on_a_link() {
    let Some(mut net) = lan("both kinds of hosts on a link") else { return };
    let wire = net.capture_of("h", "to-lan", RSVP);
    net.unprivileged_daemon("u", HU);
    net.daemon("h", HR);
    let (mut u, mut h) = (net.client("u"), net.client("h"));
    let (to_h, to_u) = ("udp 10.0.2.3:5000", "udp 10.0.2.2:5000");
    // Hu to Hr: D is on the link, so it gets the Path itself.
    u.send(to_h, "10.0.2.2:4000", 2);
    h.event_after_reserving(to_h, "10.0.2.2:4000", 1, "resv-confirm");
    u.event("resv");
    assert_eq!(seen(&wire, "10.0.2.2", "10.0.2.3", "Path"), (1698, 1));
    // Hr to Hu: it has heard that UDP is needed here.
    h.send(to_u, "10.0.2.3:4000", 2);
    u.event_after_reserving(to_u, "10.0.2.3:4000", 1, "resv-confirm");
    h.event("resv");
    assert_eq!(seen(&wire, "10.0.2.3", "10.0.2.2", "Path"), (1699, 1));
    // Raw as well, as always.
    let raw = |packet: &Value| packet["message"] == "Path" && packet["udp_dst_port"].is_null();
    assert!(decoded(&wire, "10.0.2.3").iter().any(raw));
    assert_eq!((received(&mut u, "Path"), received(&mut h, "Path")), (1, 1));
    assert_eq!((received(&mut u, "Resv"), received(&mut h, "Resv")), (1, 1));
}

#[test]
fn udp_is_on_as_long_as_its_paths_live() {
    let Some(mut net) = Net::three_in_a_row("UDP that ends") else { return };
    net.unprivileged_daemon("a", &HU.replace("300s", "300ms"));
    net.daemon("r", HR);
    let (mut a, mut r) = (net.client("a"), net.client("r"));
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 2);
    eventually("UDP is on", || is_on(&mut r, "to-a").then_some(()));
    net.signal("a", nix::sys::signal::Signal::SIGKILL);
    net.ended("a");
    eventually("UDP is off", || (!is_on(&mut r, "to-a")).then_some(()));
    r.until("senders", 0);
}

#[test]
fn a_router_told_to_ignores_udp() {
    let Some(mut net) = Net::three_in_a_row("UDP that is off") else { return };
    net.unprivileged_daemon("a", &HU.replace("300s", "300ms"));
    net.daemon("r", &format!("{HR}[interface.to-a]\nudp = \"off\"\n"));
    let (mut a, mut r) = (net.client("a"), net.client("r"));
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 2);
    eventually("ignored Paths", || (driver(&mut r, "udp-ignored") >= 2).then_some(()));
    assert!(r.list("senders").is_empty() && !is_on(&mut r, "to-a"));
    assert_eq!(driver(&mut r, "udp-ignored"), driver(&mut r, "udp-received"));
    // Read again, the configuration says otherwise.
    std::fs::write(net.file("r.toml"), HR).expect("a configuration is written");
    net.signal("r", nix::sys::signal::Signal::SIGHUP);
    r.until("senders", 1);
}

#[test]
fn nobody_speaks_for_another_host() {
    let Some(mut net) = Net::three_in_a_row("forged UDP") else { return };
    net.ip("a", "addr add 10.0.1.77/24 dev to-r");
    let wire = net.capture("r", "to-a");
    net.daemon("a", HR);
    net.daemon("r", HR);
    let (mut a, mut r) = (net.client("a"), net.client("r"));
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 2);
    let path = wire.first(rsvp_wire::MsgType::PATH).octets;
    r.until("senders", 1);
    let send = |from: &str, path: &[u8]| {
        let socket = net.within("a", || UdpSocket::bind((from, 0)).expect("a socket"));
        socket.send_to(path, "10.0.1.2:1698").expect("it is sent");
    };
    let say = |from: &str| send(from, &path);
    // A user of the host could have sent it from the host's address; it has RSVP_HOP 10.0.1.1.
    say("10.0.1.77");
    eventually("a forged Path", || (driver(&mut r, "udp-forged") == 1).then_some(()));
    // With a hop of its own, but for the sender of another host: that would take the flow away from it.
    let hop = path.windows(8).position(|w| w == [0, 12, 3, 1, 10, 0, 1, 1]).expect("RSVP_HOP");
    let mut taken_over = path.clone();
    taken_over[hop + 7] = 77;
    taken_over[2..4].fill(0);
    send("10.0.1.77", &taken_over);
    eventually("another", || (driver(&mut r, "udp-forged") == 2).then_some(()));
    assert!(!is_on(&mut r, "to-a") && received(&mut r, "Path") == 1);
    // Who is heard raw needs no UDP, which any user of the host could have sent.
    say("10.0.1.1");
    eventually("a third", || (driver(&mut r, "udp-of-raw-neighbours") == 1).then_some(()));
    assert!(!is_on(&mut r, "to-a") && received(&mut r, "Path") == 1);
}

#[test]
fn errors_reach_a_host_without_privileges() {
    let Some(mut net) = Net::three_in_a_row("errors by UDP") else { return };
    let wire = net.capture_of("r", "to-b", RSVP);
    net.daemon("a", HR);
    net.daemon("r", ON);
    net.unprivileged_daemon("b", HU);
    let (mut a, mut b, mut r) = (net.client("a"), net.client("b"), net.client("r"));
    // More than the router has.
    let (session, sender) = ("udp 10.0.2.2:5000", "10.0.1.1:4000");
    b.ask(json!({"request": "open-session", "session": session})).expect("a session");
    a.send(session, sender, 20);
    b.event("path");
    let error = b.event_after_reserving(session, sender, 20, "resv-error");
    assert_eq!(
        (&error["error"]["code"], &error["error"]["node"]),
        (&json!(1), &json!("10.0.2.1")),
        "{error}"
    );
    assert_eq!(seen(&wire, "10.0.2.1", "10.0.2.2", "ResvErr"), (1699, 1));
    assert!(r.list("reservations").is_empty());
}

#[test]
fn a_router_that_is_not_on_the_link_is_configured_at_both_ends() {
    // `r` routes and knows nothing of RSVP.
    let Some(mut net) = Net::four_in_a_row("a router that is not on the link") else { return };
    let wire = net.capture_of("r", "to-a", RSVP);
    let ta = "[node]\ntransport = \"udp\"\nudp_routers = [\"10.0.2.2\"]\nudp_ttl = 2\n";
    net.unprivileged_daemon("a", &format!("{ta}{HR}").replace("300s", "300ms"));
    net.daemon("q", HR);
    net.daemon("b", HR);
    let (mut a, mut q, mut b) = (net.client("a"), net.client("q"), net.client("b"));
    let (session, sender) = ("udp 10.0.3.2:5000", "10.0.1.1:4000");
    a.send(session, sender, 2);
    // By default a stranger is not believed.
    eventually("a stranger's Path", || (driver(&mut q, "udp-off-link") >= 2).then_some(()));
    assert!(q.list("senders").is_empty() && !is_on(&mut q, "to-r"));
    let on = format!("{HR}[interface.to-r]\nudp = \"on\"\n");
    std::fs::write(net.file("q.toml"), on).expect("a configuration is written");
    net.signal("q", nix::sys::signal::Signal::SIGHUP);
    b.reserve(session, sender, 1);
    b.event("resv-confirm");
    a.event("resv");
    q.until("reservations", 1);
    assert_eq!(seen(&wire, "10.0.1.1", "10.0.2.2", "Path"), (1698, 2));
    let (port, ttl) = seen(&wire, "10.0.2.2", "10.0.1.1", "Resv");
    assert!(port == 1699 && ttl > 2, "{ttl}");
}

#[test]
fn noise_on_the_port_changes_nothing_and_is_counted() {
    const DATAGRAMS: u64 = 20_000;
    let Some(mut net) = Net::three_in_a_row("noise by UDP") else { return };
    for node in ["a", "r", "b"] {
        // The kernel drops what is being sent while an interface gets its classes.
        net.daemon(node, &format!("{HR}[data_plane]\nkind = \"none\"\n"));
    }
    let (mut a, mut b, mut r) = (net.client("a"), net.client("b"), net.client("r"));
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 2);
    b.reserve("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    b.event("resv-confirm");
    let stands = |r: &mut Client| {
        let mut rows = [r.list("senders"), r.list("requests"), r.list("reservations")].concat();
        // Times go on.
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.remove("age_ms");
            row.remove("refreshed_ms");
            row.remove("expires_ms");
        }
        rows
    };
    let (before, taken) = (stands(&mut r), driver(&mut r, "messages-taken"));
    let socket = net.within("a", || UdpSocket::bind("10.0.1.1:0").expect("a socket"));
    let mut dice: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice
    };
    for n in 0..DATAGRAMS {
        let length = (next() % 200) as usize;
        let mut octets: Vec<u8> = (0..length).map(|_| next() as u8).collect();
        // Half of them begin as a Path without a checksum does, with the right length.
        if n % 2 == 0 && length >= 8 {
            octets[..4].copy_from_slice(&[0x10, 1, 0, 0]);
            octets[6..8].copy_from_slice(&(length as u16).to_be_bytes());
        }
        socket.send_to(&octets, "10.0.1.2:1698").expect("it is sent");
    }
    let accounted = |r: &mut Client| driver(r, "udp-received") + driver(r, "kernel-drops");
    eventually("all of them", || (accounted(&mut r) == DATAGRAMS).then_some(()));
    let ways = ["udp-not-rsvp", "udp-forged", "udp-of-raw-neighbours", "messages-discarded"];
    let ways: u64 = ways.iter().map(|way| driver(&mut r, way)).sum();
    assert_eq!(ways + driver(&mut r, "kernel-drops"), DATAGRAMS);
    assert_eq!((stands(&mut r), driver(&mut r, "messages-taken")), (before, taken));
    assert!(!is_on(&mut r, "to-a"));
}

#[test]
fn a_user_sends_and_receives_without_a_daemon() {
    let Some(mut net) = Net::three_in_a_row("rsvp --standalone --udp") else { return };
    net.daemon("r", ON);
    let program = net.program("rsvp");
    let start = |node: &str, arguments: &str| {
        let mut command = net.unprivileged(node);
        command.arg(&program).args(arguments.split(' ')).args(["--standalone", "--udp", "--json"]);
        Running::of(command)
    };
    let receiver = start("b", "recv --port 5000 --confirm");
    receiver.until("beginning", |line| line["note"].is_string());
    let sender = start("a", "send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 2mbit");
    receiver.until("confirmation", is_event("resv-confirm"));
    receiver.until("packets", |line| line["report"]["packets"].as_u64() > Some(0));
    net.client("r").until("reservations", 1);
    receiver.signal(nix::sys::signal::Signal::SIGTERM);
    sender.until("end of the reservation", is_event("resv-gone"));
    sender.signal(nix::sys::signal::Signal::SIGTERM);
    net.client("r").until("senders", 0);
}
