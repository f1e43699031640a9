//! Which packets a filter takes (A52): the narrower of two that overlap, ICMP by type, ESP by its index.

use super::super::super::eventually;
use super::{Bed, marked, of_protocol};
use serde_json::json;
use socket2::{Domain, Protocol, Socket, Type};
use std::net::SocketAddr;

impl Bed {
    /// Sends what follows the IP header, of a protocol.
    fn send_raw(&self, protocol: u8, to: &str, octets: &[u8]) {
        self.net.within("a", || {
            let to: SocketAddr = to.parse().expect("an address");
            let domain = if to.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
            let socket =
                Socket::new(domain, Type::RAW, Some(Protocol::from(i32::from(protocol)))).expect("a socket");
            socket.send_to(octets, &to.into()).expect("a route");
        });
    }
}

/// Overlapping filters: each packet is of the narrower one's flow, and of the wider one's when that is gone.
#[test]
fn of_overlapping_filters_the_narrower_one_has_the_packet() {
    let Some(mut bed) = Bed::new("overlapping filters", "") else { return };
    let flows = [10, 12, 14, 46].map(|dscp| bed.a.flow("to-r", &marked(&json!({"dscp": dscp}))));
    let filters = [
        json!({"destination": "10.0.0.0/8"}),
        json!({"destination": "10.0.2.0/24", "protocol": "udp"}),
        json!({"destination": "10.0.2.2", "protocol": "udp", "destination_port": "0x1380/0xff80"}),
        json!({"destination": "10.0.2.2", "protocol": "udp", "destination_port": 5000}),
    ];
    // The widest comes last: the order in which they come does not matter.
    let made: Vec<u64> = (0..4).rev().map(|n| bed.a.filter(flows[n], &filters[n])).collect();
    bed.a.report();
    bed.send(4000, 5000, 1);
    bed.send(4000, 5001, 1);
    bed.send(4000, 6000, 1);
    assert_eq!([5000, 5001, 6000].map(|port| bed.dscps(port, 0, 1)[0]), [46, 14, 12]);
    // One after the other goes.
    for (place, dscp) in [14, 12, 10].into_iter().enumerate() {
        bed.a.remove_filter(made[place]);
        bed.a.report();
        bed.send(4000, 5000, 1);
        assert_eq!(bed.dscps(5000, 1 + place, 1), [dscp]);
    }
    bed.a.remove_filter(made[3]);
    bed.a.report();
    bed.send(4000, 5000, 1);
    assert_eq!(bed.dscps(5000, 4, 1), [0]);
}

#[test]
fn filters_take_icmp_by_type_and_ipsec_by_index() {
    let Some(mut bed) = Bed::new("ICMP and ESP", "") else { return };
    let echo = bed.a.flow("to-r", &marked(&json!({"dscp": 46})));
    let esp = bed.a.flow("to-r", &marked(&json!({"dscp": 34})));
    for (protocol, kind) in [("icmp", 8), ("icmpv6", 128)] {
        bed.a.filter(echo, &json!({"protocol": protocol, "icmp_type": kind}));
    }
    bed.a.filter(esp, &json!({"protocol": "esp", "spi": "0x12345678"}));
    bed.a.filter(esp, &json!({"protocol": "ah", "spi": 305_419_896_u32, "destination": "10.0.2.2"}));
    bed.a.report();
    // Echo requests and timestamps; indexes of the flow and others. Checksums are nobody's business here.
    for kind in [8, 13] {
        bed.send_raw(1, "10.0.2.2:0", &[kind, 0, 0, 0, 0, 7, 0, 1]);
    }
    for spi in [0x1234_5678_u32, 0x1234_5679] {
        let octets = [&spi.to_be_bytes()[..], &[0; 12]].concat();
        bed.send_raw(50, "10.0.2.2:0", &octets);
        bed.send_raw(50, "[fd00:2::2]:0", &octets);
        let octets = [&[59, 4, 0, 0][..], &spi.to_be_bytes(), &[0; 16]].concat();
        bed.send_raw(51, "10.0.2.2:0", &octets);
    }
    bed.send_raw(58, "[fd00:2::2]:0", &[128, 0, 0, 0, 0, 7, 0, 1]);
    let until = |protocol, count| {
        eventually("the packets", || {
            Some(of_protocol(&bed.capture, protocol)).filter(|found| found.len() >= count)
        })
    };
    let of_type = |protocol: u8, kind: u8| {
        let found = until(protocol, 1);
        found.into_iter().find(|(_, octets)| octets[0] == kind).map(|(dscp, _)| dscp)
    };
    eventually("both", || (of_protocol(&bed.capture, 1).len() >= 2).then_some(()));
    assert_eq!((of_type(1, 8), of_type(1, 13)), (Some(46), Some(0)));
    let echoed = eventually("an echo request", || of_type(58, 128));
    assert_eq!(echoed, 46);
    for (protocol, count, at) in [(50, 4, 3), (51, 2, 7)] {
        for (dscp, octets) in until(protocol, count) {
            assert_eq!(dscp, if octets[at] == 0x78 { 34 } else { 0 }, "{protocol}: {octets:x?}");
        }
    }
}
