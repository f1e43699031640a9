//! Addresses, protocols and ports (C6, C7, C8), each of both families, of both protocols and of either side.

use super::super::plane::seen::{seen, seen_v6};
use super::*;
use socket2::{Domain, Socket, Type};

/// The DSCP of a datagram, or of the first packet of a connection, to a port where nobody listens.
fn mark(site: &Site, capture: &Capture, is_tcp: bool, from: &str, to: &str) -> u8 {
    let [from, to]: [SocketAddr; 2] = [from, to].map(|text| text.parse().expect("an address"));
    let (kind, port) = (if is_tcp { Type::STREAM } else { Type::DGRAM }, from.port());
    site.net.within("a", || {
        let socket = Socket::new(Domain::for_address(from), kind, None).expect("a socket");
        socket.bind(&from.into()).expect("bound");
        if is_tcp {
            socket.connect(&to.into()).expect_err("nobody listens");
        } else {
            socket.send_to(b"hello", &to.into()).expect("sent");
        }
    });
    let is_v6 = to.ip().to_canonical().is_ipv6();
    eventually("a packet", || {
        let all = if is_v6 { seen_v6(capture, port) } else { seen(capture, port) };
        let is_it = |packet: &&Seen| packet.ports == (port, to.port()) && (packet.flags & 2 != 0) == is_tcp;
        all.iter().find(is_it).map(Seen::dscp)
    })
}

#[test]
fn addresses_of_either_side_and_of_both_families_are_told_apart() {
    let Some(mut site) = Site::new("policies_addresses") else { return };
    site.net.ip("a", "addr add 10.0.1.11/24 dev to-b");
    site.net.ip("a", "addr add fd00:1::11/64 dev to-b nodad preferred_lft 0");
    let text = [
        policy("an address", "local = \"10.0.1.11\"", "dscp = 10"),
        policy("its prefix", "local = \"10.0.1.0/28\"", "dscp = 12"),
        policy("of IPv6", "local = \"fd00:1::11\"", "dscp = 14"),
        policy("to IPv6", "remote = \"fd00:1::/64\"", "dscp = 16"),
        policy("elsewhere", "remote = \"fd00:9::/64\"", "dscp = 18"),
        policy("both", "local = \"fd00:1::/64\", remote = \"fd00:1::2\", remote_port = 6609", "dscp = 20"),
    ];
    let report = site.say("a", "all", &text.concat());
    assert_eq!(report["complaints"], json!([]), "{report:#}");
    let capture = site.captures();
    let cases = [
        ("10.0.1.1:4210", "10.0.1.2:6600", 12),
        ("10.0.1.11:4211", "10.0.1.2:6600", 10),
        ("[fd00:1::1]:4212", "[fd00:1::2]:6600", 16),
        // The source address counts for more than the destination.
        ("[fd00:1::11]:4213", "[fd00:1::2]:6600", 14),
        ("[fd00:1::11]:4214", "[fd00:1::2]:6609", 20),
        // What is bound nowhere has the address that routing gives (an address out of use is not), and what speaks IPv4 by IPv6 is IPv4.
        ("0.0.0.0:4215", "10.0.1.2:6600", 12),
        ("[::]:4216", "[fd00:1::2]:6600", 16),
        ("[::]:4217", "[::ffff:10.0.1.2]:6600", 12),
    ];
    for is_tcp in [false, true] {
        for (from, to, expected) in cases {
            assert_eq!(mark(&site, &capture, is_tcp, from, to), expected, "tcp {is_tcp}: {from} to {to}");
        }
    }
}

#[test]
fn protocols_and_ports_are_told_apart_in_both_families() {
    let Some(mut site) = Site::new("policies_ports") else { return };
    let text = [
        policy("tcp", "protocol = \"tcp\", remote_port = 6700", "dscp = 10"),
        policy("udp", "protocol = \"udp\", remote_port = 6700", "dscp = 12"),
        policy("from", "local_port = \"4310:4312\"", "dscp = 14"),
        policy("from one", "local_port = 4311", "dscp = 16"),
        policy("to", "remote_port = \"6730:6731\"", "dscp = 18"),
        policy("either", "port = 6720", "dscp = 20"),
    ];
    let report = site.say("a", "all", &text.concat());
    assert_eq!(report["complaints"], json!([]), "{report:#}");
    let capture = site.captures();
    // Source and destination port, and the marks by UDP and by TCP.
    let cases = [
        (4300, 6700, [12, 10]),
        (4301, 6701, [0, 0]),
        (4309, 6702, [0, 0]),
        (4310, 6703, [14, 14]),
        (4311, 6704, [16, 16]),
        (4312, 6705, [14, 14]),
        (4313, 6706, [0, 0]),
        (4302, 6720, [20, 20]),
        (6720, 6707, [20, 20]),
        (4303, 6729, [0, 0]),
        (4304, 6730, [18, 18]),
        (4305, 6731, [18, 18]),
        (4306, 6732, [0, 0]),
    ];
    for (local, remote) in [("10.0.1.1", SERVER), ("[fd00:1::1]", "[fd00:1::2]")] {
        for (from, to, expected) in cases {
            let (from, to) = (format!("{local}:{from}"), format!("{remote}:{to}"));
            let found = [false, true].map(|is_tcp| mark(&site, &capture, is_tcp, &from, &to));
            assert_eq!(found, expected, "{from} to {to}");
        }
    }
}
