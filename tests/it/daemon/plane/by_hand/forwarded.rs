//! DiffServ mode (A54): forwarded packets that come with a DSCP leave with the marks of their rule.

use super::super::super::net::Net;
use super::super::datagrams_sent::{at, burst, from};
use super::super::kernel;
use super::super::seen::seen;
use super::{eventually, marked, of_protocol, paced_with, to_port};
use rsvpd::set_option;
use serde_json::json;
use socket2::{Domain, Protocol, Socket, Type};
use std::net::SocketAddr;
use std::os::fd::AsFd;

const IPPROTO_IPV6: i32 = 41;
const IPV6_TCLASS: i32 = 67;

#[test]
fn forwarded_packets_leave_with_the_pair_of_their_rule_and_local_ones_do_not() {
    let Some(mut net) = Net::three_in_a_row("rules by inbound DSCP") else { return };
    net.daemon("r", &kernel("auto", "priority_tags = true\n"));
    let capture = net.capture_many("b", "to-r", "ip or vlan");
    let local = net.capture_many("r", "to-a", "ip or vlan");
    let mut r = net.client("r");
    let rules = json!({"rules": [
        {"inbound": 46, "dscp": 34, "excess_dscp": 8, "priority": 5, "excess_priority": 1},
        {"inbound": 10, "dscp": 12, "excess_dscp": 14},
    ]});
    // 3 kB, and a hundred octets a second: three packets conform.
    let flow = r.flow("to-b", &paced_with(800, 3_000, &rules));
    r.report();
    let _receivers =
        [at(&net, "b", "10.0.2.2:5000"), at(&net, "b", "10.0.2.2:5001"), at(&net, "r", "10.0.1.2:5000")];
    let marks = |port: u16, count: usize| {
        let packets = || Some(seen(&capture, port)).filter(|packets| packets.len() >= count);
        let packets = eventually("the packets", packets);
        packets.iter().map(|packet| (packet.tos, packet.tag.map(|(_, pcp)| pcp))).collect::<Vec<_>>()
    };
    // ECN stays.
    burst(&from(&net, "a", "10.0.1.1:4000", "10.0.2.2:5000", 0xb9), 1_000, 5);
    let mut found = marks(5000, 5);
    // What does not conform is in another class, behind.
    found.sort_unstable_by_key(|(tos, _)| *tos == 0x21);
    assert_eq!(found, [[(0x89, Some(5)); 3].as_slice(), &[(0x21, Some(1)); 2]].concat());
    // Another DSCP is as it came, and so is a packet that begins on the router.
    burst(&from(&net, "a", "10.0.1.1:4001", "10.0.2.2:5001", 0x28), 1_000, 1);
    burst(&from(&net, "a", "10.0.1.1:4002", "10.0.2.2:5001", 0x30), 1_000, 1);
    burst(&from(&net, "r", "10.0.2.1:4000", "10.0.2.2:5001", 0xb8), 1_000, 1);
    let mut found = marks(5001, 3);
    found.sort_unstable();
    assert_eq!(found, [(0x30, None), (0x38, None), (0xb8, None)]);
    // What is for the router itself is not forwarded.
    burst(&from(&net, "a", "10.0.1.1:4003", "10.0.1.2:5000", 0xb8), 1_000, 1);
    let arrived = eventually("a packet for the router", || seen(&local, 4003).pop());
    assert_eq!(arrived.tos, 0xb8);
    let counted = r.report_of(flow)["counted"].take();
    assert_eq!((&counted["packets"], &counted["excess_packets"]), (&json!(3), &json!(3)), "{counted}");
    // A filter is looked at before a rule; what it does not set, no rule sets either.
    let other = r.flow("to-b", &marked(&json!({"dscp": 26})));
    r.filter(other, &to_port(5000));
    r.report();
    burst(&from(&net, "a", "10.0.1.1:4000", "10.0.2.2:5000", 0xb8), 1_000, 1);
    assert_eq!(marks(5000, 6)[5].0 >> 2, 26);
    r.remove_flow(other);
    r.remove_flow(flow);
    r.report();
    burst(&from(&net, "a", "10.0.1.1:4000", "10.0.2.2:5000", 0xb8), 1_000, 1);
    assert_eq!(marks(5000, 7)[6], (0xb8, None));
}

/// The same of IPv6, and of packets without ports.
#[test]
fn forwarded_ipv6_packets_leave_with_the_pair_of_their_rule() {
    let Some(mut net) = Net::three_in_a_row("rules of IPv6") else { return };
    net.daemon("r", &kernel("auto", ""));
    let capture = net.capture_many("b", "to-r", "ip6 proto 50");
    let mut r = net.client("r");
    let rules = json!({"rules": [{"inbound": 46, "dscp": 34, "excess_dscp": 8}]});
    // 3 kB, and a hundred octets a second: three packets conform.
    r.flow("to-b", &paced_with(800, 3_000, &rules));
    r.report();
    // From which node, with which traffic class, of an index by which they are known.
    for (node, class, index, count) in [("a", 0xb8_i32, 1_u8, 5), ("a", 0x28, 2, 1), ("r", 0xb8, 3, 1)] {
        net.within(node, || {
            let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::from(50))).expect("a socket");
            set_option(socket.as_fd(), IPPROTO_IPV6, IPV6_TCLASS, &class.to_ne_bytes()).expect("IPV6_TCLASS");
            let to: SocketAddr = "[fd00:2::2]:0".parse().expect("an address");
            for _ in 0..count {
                socket.send_to(&[index; 960], &to.into()).expect("a route");
            }
        });
    }
    let all = eventually("all packets", || Some(of_protocol(&capture, 50)).filter(|all| all.len() == 7));
    let marks = |of: u8| {
        let mut marks: Vec<u8> =
            all.iter().filter(|(_, octets)| octets[0] == of).map(|(dscp, _)| *dscp).collect();
        // What does not conform is in another class, behind.
        marks.sort_unstable_by_key(|dscp| *dscp == 8);
        marks
    };
    assert_eq!([marks(1), marks(2), marks(3)], [vec![34, 34, 34, 8, 8], vec![10], vec![46]]);
}

#[test]
fn a_dscp_has_one_rule_on_an_interface() {
    let Some(mut net) = Net::three_in_a_row("duplicate rules") else { return };
    net.daemon("r", &kernel("auto", ""));
    let mut r = net.client("r");
    let rule = |inbound: u8| json!({"inbound": inbound, "dscp": 1, "excess_dscp": 2});
    let with = |rules: &[u8]| {
        paced_with(8_000, 1_500, &json!({"rules": rules.iter().map(|n| rule(*n)).collect::<Vec<_>>()}))
    };
    let twice = r.try_flow("to-b", &with(&[46, 46])).expect_err("twice in one flow");
    assert_eq!(twice["code"], "rule-taken");
    let flow = r.flow("to-b", &with(&[46, 10]));
    let mut other = net.client("r");
    let taken = other.try_flow("to-b", &with(&[12, 10])).expect_err("it is taken");
    let message = taken["message"].as_str().expect("a message");
    assert!(
        taken["code"] == "rule-taken"
            && message.contains("DSCP 10")
            && message.contains(&format!("flow {flow}")),
        "{taken}"
    );
    // On another interface it is free; and here, once the flow has none for it any more.
    other.flow("to-a", &with(&[46, 10]));
    r.modify(flow, &with(&[46])).expect("a change");
    let own = other.flow("to-b", &with(&[12, 10]));
    let taken = other.modify(own, &with(&[46])).expect_err("it is taken");
    assert_eq!(taken["code"], "rule-taken");
}
