//! What can be reserved is what there is: shares and the most that one flow may have, what packets have on the link beside IP, the
//! error terms of the scheduler, and speeds that nobody has.

use super::super::capture::Capture;
use super::super::client::Client;
use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{at, burst, from};
use super::{SENDER, SESSION, class_of, controlled_load, kernel, traffic};
use rsvp_wire::{AdspecSummary, Message, MsgType};
use serde_json::{Value, json};

fn interface(net: &Net, node: &str, name: &str) -> Value {
    net.client(node).list("interfaces").into_iter().find(|row| row["name"] == name).expect("an interface")
}

fn guaranteed(rate_bps: u64) -> Value {
    json!({"service": "guaranteed", "traffic": traffic(rate_bps, 20_000), "reserve_bps": rate_bps})
}

/// What becomes of a request: the error's code and value, or a confirmation.
fn outcome(b: &mut Client, flowspec: &Value) -> Option<(u64, u64)> {
    b.ask_for(SESSION, "ff", &[SENDER], flowspec);
    loop {
        let event = b.next_event();
        match event["event"].as_str() {
            Some("resv-confirm") => return None,
            Some("resv-error") => {
                let number = |field: &str| event["error"][field].as_u64().expect("a number");
                return Some((number("code"), number("value")));
            }
            _ => {}
        }
    }
}

#[test]
fn services_have_shares_and_one_flow_may_have_so_much() {
    let far = "shares = { guaranteed = \"2mbit\", controlled_load = \"50%\", flow = \"4mbit\" }\n\
               [interface.to-b]\nbandwidth = \"10mbit\"\nreservable = \"9mbit\"\n";
    let (near, far) = (kernel("auto", ""), kernel("auto", far));
    let Some(mut net) = Net::three_in_a_row("shares") else { return };
    for (node, config) in [("a", &near), ("r", &far), ("b", &near)] {
        net.daemon(node, config);
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.announce(SESSION, SENDER, &traffic(8_000_000, 20_000));
    b.hears(SESSION);
    assert_eq!(outcome(&mut b, &controlled_load(4_500_000, 20_000)), Some((1, 0x8002)), "beyond one flow's");
    assert_eq!(outcome(&mut b, &guaranteed(3_000_000)), Some((1, 2)), "beyond Guaranteed's");
    assert_eq!(outcome(&mut b, &guaranteed(2_000_000)), None);
    assert_eq!(interface(&net, "r", "to-b")["reserved_bps"], 2_000_000);
    assert_eq!(outcome(&mut b, &controlled_load(4_000_000, 20_000)), None);
    // Another session: of Controlled-Load's 5 Mbit/s there is one left, though 5 of all are.
    let other = "udp 10.0.2.2:6000";
    a.announce(other, SENDER, &traffic(8_000_000, 20_000));
    let mut c = net.client("b");
    c.hears(other);
    c.ask_for(other, "ff", &[SENDER], &controlled_load(2_000_000, 20_000));
    let error = c.event("resv-error");
    assert_eq!((&error["error"]["code"], &error["error"]["value"]), (&json!(1), &json!(2)), "{error}");
    c.ask_for(other, "ff", &[SENDER], &controlled_load(1_000_000, 20_000));
    c.event("resv-confirm");
    assert_eq!(interface(&net, "r", "to-b")["reserved_bps"], 5_000_000);
}

/// Ctot and Dtot of the last Path on a wire.
fn terms(capture: &Capture) -> Option<(u32, u32)> {
    let seen = capture.of(MsgType::PATH).pop()?;
    let message = Message::parse(&seen.octets).expect("a sound message");
    let guaranteed = message.get::<AdspecSummary>()?.ok()?.guaranteed?;
    Some((guaranteed.ctot, guaranteed.dtot))
}

/// RFC 2212: C = M, D = M / link and the timer.
#[test]
fn the_error_terms_are_those_of_the_scheduler_unless_they_are_said() {
    let plain = kernel("auto", "");
    let said = kernel("auto", "[interface.to-b]\nerror_c = 3000\nerror_d = \"5ms\"\n");
    let Some(mut net) = Net::three_in_a_row("error terms") else { return };
    let (near, far) = (net.capture("r", "to-a"), net.capture("b", "to-r"));
    for (node, config) in [("a", &plain), ("r", &said), ("b", &plain)] {
        net.daemon(node, config);
    }
    let mut a = net.client("a");
    a.announce(SESSION, SENDER, &traffic(800_000, 20_000));
    // 1500 octets at 100 Mbit/s are 120 us; a timer may be late by a millisecond.
    eventually("what leaves the host", || (terms(&near)? == (1_500, 1_120)).then_some(()));
    eventually("what leaves the router", || (terms(&far)? == (4_500, 6_120)).then_some(()));
}

#[test]
fn a_speed_that_a_virtual_link_makes_up_is_told_of() {
    let config =
        kernel("auto", "[interface.to-b]\nbandwidth = \"10mbit\"\n").replace("bandwidth = \"100mbit\"\n", "");
    let Some(mut net) = Net::three_in_a_row("speeds that nobody has") else { return };
    net.daemon("r", &config);
    let log = net.log("r");
    assert!(log.contains("interface to-a: 10000000000 bit/s is what a veth says"), "{log}");
    assert!(!log.contains("interface to-b: 1"), "{log}");
}

/// A tunnel over the link: a packet is of the flow on the tunnel, with the tunnel's headers, and on the link below it is nobody's.
#[test]
fn a_packet_through_a_tunnel_is_charged_once_and_with_its_headers() {
    let Some(mut net) = Net::three_in_a_row("a tunnel") else { return };
    for (node, near, far) in [("a", "10.0.1.1", "10.0.1.2"), ("r", "10.0.1.2", "10.0.1.1")] {
        let device = if node == "a" { "to-r" } else { "to-a" };
        net.ip(
            node,
            &format!("link add vx type vxlan id 7 local {near} remote {far} dstport 4789 dev {device}"),
        );
        let own = if node == "a" { "10.9.0.1/24" } else { "10.9.0.2/24" };
        net.ip(node, &format!("addr add {own} dev vx"));
        net.ip(node, "link set vx up");
    }
    let config = kernel("auto", "");
    ["a", "r"].into_iter().for_each(|node| net.daemon(node, &config));
    let (session, sender) = ("udp 10.9.0.2:5000", "10.9.0.1:4000");
    let (mut a, mut r) = (net.client("a"), net.client("r"));
    // The tunnel takes packets of up to 1450 octets.
    let mut wish = controlled_load(800_000, 20_000);
    wish["traffic"]["max_packet"] = json!(1_400);
    a.announce(session, sender, &wish["traffic"]);
    r.hears(session);
    r.ask_for(session, "ff", &[sender], &wish);
    r.event("resv-confirm");
    let row = net.client("a").until("flows", 1).remove(0);
    assert_eq!((&row["interface"], &row["rate_bps"]), (&json!("vx"), &json!(800_000)), "{row}");
    // 50 octets with each of as many packets of m = 64 octets as there can be.
    assert_eq!(interface(&net, "a", "vx")["reserved_bps"], 800_000 + 800_000 * 50 / 64);
    assert_eq!(interface(&net, "a", "to-r")["reserved_bps"], 0);
    let socket = from(&net, "a", sender, "10.9.0.2:5000", 0);
    let _receiver = at(&net, "r", "10.9.0.2:5000");
    burst(&socket, 1_000, 10);
    let row =
        eventually("ten packets", || net.client("a").list("flows").pop().filter(|row| row["packets"] == 10));
    assert_eq!(row["octets"], 10_000, "{row}");
    let class = class_of(&net, "a", "vx", 3);
    // It counts octets of IP; what they have on the link beside those it takes from its rate.
    assert_eq!((class.counters.packets, class.counters.octets), (10, 10 * 1_000));
    assert_eq!(class.htb.expect("a class of HTB").rate, 100_000 + 100_000 * 50 / 64);
    let plain = net.exec("a", &["tc", "qdisc", "show", "dev", "to-r"]);
    assert!(!plain.contains("htb"), "{plain}");
}
