//! What changes around a daemon: routes, links, addresses, its configuration, and the daemon itself.

use super::client::Client;
use super::eventually;
use super::net::Net;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

const SESSION: &str = "udp 10.0.9.2:5000";
const SENDER: &str = "10.0.1.1:4000";
/// A refresh so long that nothing here happens by one.
const SLOW: &str = "[interfaces]\nbandwidth = \"10mbit\"\nlocal_repair_wait = \"50ms\"\n";

/// `a` - `r`, then two ways, by `p` and by `q`, to `s` - `b`. The flow goes by `p`.
fn two_ways(test: &str, config: &str) -> Option<(Net, [Client; 2])> {
    let mut net = Net::new(test)?;
    net.host("a");
    ["r", "p", "q", "s"].into_iter().for_each(|node| net.router(node));
    net.host("b");
    // Links 1 to 6; the receiver's has an address that is easy to tell.
    for (one, other) in [("a", "r"), ("r", "p"), ("r", "q"), ("p", "s"), ("q", "s"), ("s", "b")] {
        net.link(one, other);
    }
    net.ip("s", "addr add 10.0.9.1/24 dev to-b");
    net.ip("b", "addr flush dev to-s");
    net.ip("b", "addr add 10.0.9.2/24 dev to-s");
    for (node, route) in [
        ("a", "default via 10.0.1.2"),
        ("r", "10.0.9.0/24 via 10.0.2.2"),
        ("r", "10.0.9.0/24 via 10.0.3.2 metric 9"),
        ("p", "10.0.1.0/24 via 10.0.2.1"),
        ("p", "10.0.9.0/24 via 10.0.4.2"),
        ("q", "10.0.1.0/24 via 10.0.3.1"),
        ("q", "10.0.9.0/24 via 10.0.5.2"),
        ("s", "10.0.1.0/24 via 10.0.4.1"),
        ("b", "default via 10.0.9.1"),
    ] {
        net.ip(node, &format!("route add {route}"));
    }
    ["a", "r", "p", "q", "s", "b"].into_iter().for_each(|node| net.daemon(node, config));
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.send(SESSION, SENDER, 2);
    b.reserve(SESSION, SENDER, 1);
    b.event("resv-confirm");
    net.client("p").until("reservations", 1);
    net.client("q").until("senders", 0);
    a.event("resv");
    Some((net, [a, b]))
}

#[test]
fn a_moved_route_moves_the_reservation() {
    let Some((net, _applications)) = two_ways("a moved route", SLOW) else { return };
    net.ip("r", "route replace 10.0.9.0/24 via 10.0.3.2");
    // RFC 2205 section 3.6: Path and Resv go the new way at once, not at the next refresh.
    let sender = net.client("q").until("senders", 1).remove(0);
    assert_eq!(sender["previous_hop"], "10.0.3.1");
    assert_eq!(net.client("q").until("reservations", 1)[0]["interface"], "to-s");
    let ways =
        || net.client("r").list("reservations").iter().map(|r| r["interface"].clone()).collect::<Vec<_>>();
    eventually("the new way", || ways().contains(&json!("to-q")).then_some(()));
}

#[test]
fn a_link_that_goes_down_moves_the_reservation() {
    let Some((net, _applications)) = two_ways("a link that goes down", SLOW) else { return };
    net.ip("r", "link set to-p down");
    // The kernel takes the route away without telling; the change of the link is what tells.
    net.client("q").until("reservations", 1);
    let up = |name: &str| {
        let rows = net.client("r").list("interfaces");
        rows.iter().find(|row| row["name"] == name).map(|row| row["up"].clone())
    };
    assert_eq!((up("to-p"), up("to-q")), (Some(json!(false)), Some(json!(true))));
}

#[test]
fn a_killed_daemon_comes_back_to_its_reservation() {
    let config = "[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"1s\"\n";
    let Some((mut net, mut applications)) = two_ways("a killed daemon", config) else { return };
    let handle = |net: &Net| {
        let rows = net.client("p").list("interfaces");
        rows.iter().find(|row| row["name"] == "to-s").map(|row| row["lih"].clone())
    };
    let before = handle(&net);
    net.signal("p", Signal::SIGKILL);
    net.ended("p");
    net.daemon("p", config);
    assert_ne!(handle(&net), before, "logical interface handles are new at each start");
    net.client("p").until("reservations", 1);
    // Its neighbours' state stood all the time. The applications may have heard what really happened: that a Resv found a
    // node without path state, which is error 03 (RFC 2205 Appendix B). Nothing was lost.
    assert_eq!(net.client("r").list("reservations").len(), 1);
    for application in &mut applications {
        let told = application.waiting();
        // Or that a Path came by, as through a node without RSVP, while there was no daemon.
        let is_so = |event: &Value| {
            event["event"] == "path" || (event["event"] == "resv-error" && event["error"]["code"] == 3)
        };
        assert!(told.iter().all(is_so), "{told:?}");
    }
}

/// An interface of `a` without an address.
fn add_dummy(net: &Net) {
    net.ip("a", "link add dummy-0 type veth peer name dummy-1");
    net.ip("a", "link set dummy-0 up");
    net.ip("a", "link set dummy-1 up");
}

/// What the daemon says of it.
fn dummy(client: &mut Client) -> Option<Value> {
    client.list("interfaces").into_iter().find(|row| row["name"] == "dummy-0")
}

#[test]
fn interfaces_and_addresses_may_come_later() {
    let Some(mut net) = Net::new("interfaces that come later") else { return };
    net.host("a");
    net.daemon("a", "");
    assert_eq!(net.client("a").list("interfaces").len(), 0, "a loopback that nobody can reach is none");
    add_dummy(&net);
    net.ip("a", "addr add 10.7.7.1/24 dev dummy-0");
    let mut client = net.client("a");
    eventually("an address", || dummy(&mut client).filter(|row| row["ipv4"] == "10.7.7.1"));
    net.ip("a", "addr del 10.7.7.1/24 dev dummy-0");
    eventually("no address", || dummy(&mut client).filter(|row| row["ipv4"].is_null()));
    net.ip("a", "link del dummy-0");
    eventually("no interface", || dummy(&mut client).filter(|row| row["up"] == false));
}

/// Neighbours know an interface by its address. Of those of IPv6 the kernel lists the newest first.
#[test]
fn a_newer_address_does_not_take_the_place_of_the_interfaces_own() {
    let Some(mut net) = Net::new("a newer address") else { return };
    net.host("a");
    add_dummy(&net);
    net.ip("a", "addr add fd00:7::1/64 dev dummy-0 nodad");
    net.daemon("a", "");
    let mut client = net.client("a");
    eventually("an address", || dummy(&mut client).filter(|row| row["ipv6"] == "fd00:7::1"));
    net.ip("a", "addr add fd00:7::2/64 dev dummy-0 nodad");
    // This one shows that the daemon has looked since.
    net.ip("a", "addr add 10.7.7.1/24 dev dummy-0");
    let row_now = eventually("another", || dummy(&mut client).filter(|row| row["ipv4"] == "10.7.7.1"));
    assert_eq!(row_now["ipv6"], "fd00:7::1");
    net.ip("a", "addr del fd00:7::1/64 dev dummy-0");
    eventually("the one that is left", || dummy(&mut client).filter(|row| row["ipv6"] == "fd00:7::2"));
}

#[test]
fn a_configuration_is_read_again() {
    let Some(mut net) = Net::three_in_a_row("SIGHUP") else { return };
    net.daemon("r", "[interfaces]\nbandwidth = \"10mbit\"\n");
    let mut client = net.client("r");
    let mut row = |what: &str| {
        let rows = client.list("interfaces");
        rows.iter().find(|row| row["name"] == "to-b").expect("an interface")[what].clone()
    };
    assert_eq!(row("reservable_bps"), 7_500_000, "three quarters, when nothing is said");
    let config =
        "[interfaces]\nbandwidth = \"10mbit\"\nreservable = \"20%\"\n[interface.to-b]\nenabled = false\n";
    std::fs::write(net.file("r.toml"), config).expect("it is written");
    net.signal("r", Signal::SIGHUP);
    eventually("the new configuration", || (row("reservable_bps") == 2_000_000).then_some(()));
    assert_eq!(row("enabled"), false);
    // What cannot be read changes nothing.
    std::fs::write(net.file("r.toml"), "[interfaces]\nreservabel = \"30%\"\n").expect("it is written");
    net.signal("r", Signal::SIGHUP);
    let said = "did you mean `reservable`?";
    eventually("the complaint", || net.log("r").contains(said).then_some(()));
    assert_eq!(row("reservable_bps"), 2_000_000);
}
