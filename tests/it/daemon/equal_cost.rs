//! Equal-cost paths: the reservation is on the path that the data takes, which is looked at with real datagrams.
//!
//! Two nodes, `x` and `y`, have the address that data goes to; who gets a datagram is the path it took. `r` forwards what
//! `a` sends, `h` sends by itself; both have two equally good next hops.

use super::client::Client;
use super::eventually;
use super::net::Net;
use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};

const CONFIG: &str = "[interfaces]\nbandwidth = \"10mbit\"\n";
const SOURCE_PORTS: core::ops::Range<u16> = 4_000..4_008;
const DESTINATION_PORTS: core::ops::Range<u16> = 5_000..5_008;
/// As many as pairs of ports.
const FLOWS: usize = 64;

/// The node that a flow, by its ports or by its source port and label, leads to.
type Ways = BTreeMap<(u16, u16), &'static str>;

struct Diamond {
    net: Net,
    v6: bool,
    /// Sockets at both ends of the paths, for all that is sent. They stay: one that is closed may be open still in a child
    /// that another test has just started, and then its port is taken.
    receivers: Vec<(&'static str, UdpSocket)>,
}

impl Diamond {
    /// Chosen by what `fib_multipath_hash_policy` says: 0 is addresses, 1 is ports too.
    fn new(test: &str, v6: bool, policy: u8) -> Option<Self> {
        let mut net = Net::new(test)?;
        net.host("a");
        net.host("h");
        for router in ["r", "x", "y"] {
            net.router(router);
        }
        for (one, other) in [("a", "r"), ("r", "x"), ("r", "y"), ("h", "x"), ("h", "y")] {
            net.link(one, other);
        }
        net.default_route("a", 1, 2);
        for node in ["x", "y"] {
            net.ip(node, "addr add 10.9.9.9/32 dev lo");
            net.ip(node, "addr add fd09::9/128 dev lo");
        }
        for (node, [one, other]) in [("r", [2, 3]), ("h", [4, 5])] {
            net.ip(node, &format!("route add 10.9.9.9 nexthop via 10.0.{one}.2 nexthop via 10.0.{other}.2"));
            net.ip(
                node,
                &format!("-6 route add fd09::9 nexthop via fd00:{one}::2 nexthop via fd00:{other}::2"),
            );
            let family = if v6 { "ipv6" } else { "ipv4" };
            net.sysctl(node, &format!("net.{family}.fib_multipath_hash_policy"), &policy.to_string());
        }
        // An address of the sending host that is on none of the two links: the kernel prefers the link of the source.
        net.ip("h", "link add own type veth peer name end");
        net.ip("h", "addr add 10.8.8.8/32 dev own");
        net.ip("h", "addr add fd08::8/128 dev own nodad");
        net.ip("h", "link set end up");
        net.ip("h", "link set own up");
        // What the kernel of the test would carry from a socket to another node's routing, and no wire does: the hash that
        // automatic flow labels are made of.
        net.sysctl("a", "net.ipv6.auto_flowlabels", "0");
        for (node, link) in [("x", 4), ("y", 5)] {
            net.ip(node, &format!("route add 10.8.8.8 via 10.0.{link}.1"));
            net.ip(node, &format!("-6 route add fd08::8 via fd00:{link}::1"));
        }
        let mut diamond = Self { net, v6, receivers: Vec::new() };
        diamond.receivers = diamond.receivers();
        Some(diamond)
    }

    fn address(&self, v4: &str, v6: &str) -> IpAddr {
        if self.v6 { v6 } else { v4 }.parse().expect("an address")
    }

    fn destination(&self) -> IpAddr {
        self.address("10.9.9.9", "fd09::9")
    }

    /// Announces all flows at a node, and asks `at` where the Paths leave.
    fn reserved_for(&self, node: &str, at: &str, source: IpAddr) -> Ways {
        self.reserved(&mut self.net.client(node), at, source)
    }

    fn reserved(&self, application: &mut Client, at: &str, source: IpAddr) -> Ways {
        for (from, to) in flows() {
            let session = format!("udp {}", SocketAddr::new(self.destination(), to));
            application.send(&session, &SocketAddr::new(source, from).to_string(), 1);
        }
        self.net.client(at).until("senders", FLOWS).iter().map(way).collect()
    }

    fn receivers(&self) -> Vec<(&'static str, UdpSocket)> {
        let mut sockets = Vec::new();
        for node in ["x", "y"] {
            for port in DESTINATION_PORTS {
                let at = SocketAddr::new(self.destination(), port);
                let socket = self.net.within(node, || UdpSocket::bind(at).expect("a socket"));
                socket.set_nonblocking(true).expect("a socket that does not wait");
                sockets.push((node, socket));
            }
        }
        sockets
    }

    /// Sends a datagram of each flow and looks where it arrives. What is sent is two octets that name the flow with the port.
    fn data(&self, node: &str, send: impl FnOnce() + Send) -> Ways {
        self.net.within(node, send);
        let mut found = Ways::new();
        eventually("all datagrams", || {
            let mut octets = [0; 2];
            for (node, socket) in &self.receivers {
                while socket.recv(&mut octets).is_ok() {
                    let port = socket.local_addr().expect("an address").port();
                    found.insert((u16::from_be_bytes(octets), port), *node);
                }
            }
            (found.len() == FLOWS).then_some(())
        });
        found
    }

    /// Sends from a socket that is bound to what was announced.
    fn data_from(&self, node: &str, source: IpAddr, connected: bool) -> Ways {
        let destination = self.destination();
        self.data(node, || {
            for (from, to) in flows() {
                let source = SocketAddr::new(source, from);
                let socket = Socket::new(Domain::for_address(source), Type::DGRAM, None).expect("a socket");
                // The one before may be open still in a child that another test has just started.
                socket.set_reuse_address(true).expect("an option");
                socket.bind(&source.into()).expect("a source");
                let to = SocketAddr::new(destination, to).into();
                if connected {
                    socket.connect(&to).expect("a route");
                    socket.send(&from.to_be_bytes()).expect("sent");
                } else {
                    socket.send_to(&from.to_be_bytes(), &to).expect("sent");
                }
            }
        })
    }
}

/// An IPv6 datagram with a flow label, as hosts send them, whose data is what `data` expects.
fn labelled(source: Ipv6Addr, destination: Ipv6Addr, (from, to): (u16, u16), label: u32) -> Vec<u8> {
    let udp =
        [from.to_be_bytes(), to.to_be_bytes(), 10_u16.to_be_bytes(), [0; 2], from.to_be_bytes()].concat();
    let addresses = [source.octets(), destination.octets()].concat();
    // The pseudo-header: addresses, length and next header.
    let words = [&addresses[..], &[0, 10, 0, 17], &udp].concat();
    let sum: u32 = words.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !((folded & 0xffff) + (folded >> 16)) as u16;
    let front = [(6 << 28 | label).to_be_bytes(), [0, 10, 17, 64]].concat();
    [&front[..], &addresses, &udp[..6], &checksum.to_be_bytes(), &udp[8..]].concat()
}

fn flows() -> impl Iterator<Item = (u16, u16)> {
    SOURCE_PORTS.flat_map(|from| DESTINATION_PORTS.map(move |to| (from, to)))
}

/// A row of a listing of senders: where it leads.
fn way(row: &Value) -> ((u16, u16), &'static str) {
    let port = |what: &str| {
        let (_, port) = row[what].as_str().expect("text").rsplit_once(':').expect("a port");
        port.parse().expect("a port")
    };
    let way = match row["outgoing"].as_array().expect("a list").as_slice() {
        [only] if only == "to-x" => "x",
        [only] if only == "to-y" => "y",
        other => panic!("{other:?}"),
    };
    ((port("sender"), port("session")), way)
}

fn share(ways: &Ways) -> usize {
    ways.values().filter(|way| **way == "x").count()
}

/// How many of the flows have their reservation where their data is.
fn together(reserved: &Ways, data: &Ways) -> usize {
    reserved.iter().filter(|(flow, way)| data.get(flow) == Some(way)).count()
}

#[test]
fn a_router_reserves_where_it_forwards() {
    for v6 in [false, true] {
        for policy in [0, 1] {
            let Some(mut diamond) = Diamond::new("equal-cost paths of a router", v6, policy) else { return };
            for node in ["a", "r"] {
                diamond.net.daemon(node, CONFIG);
            }
            let source = diamond.address("10.0.1.1", "fd00:1::1");
            let reserved = diamond.reserved_for("a", "r", source);
            let data = diamond.data_from("a", source, false);
            assert_eq!(together(&reserved, &data), FLOWS, "v6 {v6} policy {policy}: {reserved:?} {data:?}");
            // By addresses all of them have one path, by ports they have not.
            assert_eq!([0, FLOWS].contains(&share(&data)), policy == 0, "{data:?}");
        }
    }
}

#[test]
fn a_host_reserves_where_it_sends() {
    for v6 in [false, true] {
        for policy in [0, 1] {
            let Some(mut diamond) = Diamond::new("equal-cost paths of a host", v6, policy) else { return };
            diamond.net.daemon("h", CONFIG);
            for (v4_source, v6_source) in
                [("10.8.8.8", "fd08::8"), ("10.0.4.1", "fd00:4::1"), ("10.0.5.1", "fd00:5::1")]
            {
                let source = diamond.address(v4_source, v6_source);
                let reserved = diamond.reserved_for("h", "h", source);
                for connected in [false, true] {
                    let data = diamond.data_from("h", source, connected);
                    let what = format!("{source} policy {policy} connected {connected}");
                    assert_eq!(together(&reserved, &data), FLOWS, "{what}: {reserved:?} {data:?}");
                }
                diamond.net.client("h").until("senders", 0);
            }
        }
    }
}

/// Sends all flows from `a` with labels.
fn labelled_data(diamond: &Diamond, label: impl Fn(u16, u16) -> u32 + Sync) -> Ways {
    let (Ok(source), IpAddr::V6(destination)) = ("fd00:1::1".parse(), diamond.destination()) else {
        panic!()
    };
    diamond.data("a", || {
        let raw = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::from(255))).expect("a raw socket");
        let there = SocketAddr::from((destination, 0)).into();
        for (from, to) in flows() {
            let packet = labelled(source, destination, (from, to), label(from, to));
            raw.send_to(&packet, &there).expect("sent");
        }
    })
}

#[test]
fn a_flow_label_is_part_of_the_addresses_and_no_port() {
    let Some(mut diamond) = Diamond::new("flow labels and ports", true, 1) else { return };
    for node in ["a", "r"] {
        diamond.net.daemon(node, CONFIG);
    }
    let source = diamond.address("10.0.1.1", "fd00:1::1");
    let reserved = diamond.reserved_for("a", "r", source);
    let drawn = |from: u16, to: u16| (u32::from(from) * 7_919 + u32::from(to) * 104_729) & 0xf_ffff;
    let data = labelled_data(&diamond, drawn);
    assert_eq!(together(&reserved, &data), FLOWS, "{reserved:?} {data:?}");
    // What remains: by addresses, labels that RSVP does not hear of have about half of the flows part.
    diamond.net.sysctl("r", "net.ipv6.fib_multipath_hash_policy", "0");
    let data = labelled_data(&diamond, drawn);
    assert!((1..FLOWS).contains(&share(&data)), "{data:?}");
}

#[test]
fn a_flow_label_that_is_announced_counts() {
    let Some(mut diamond) = Diamond::new("flow labels that are announced", true, 0) else { return };
    for node in ["a", "r"] {
        diamond.net.daemon(node, CONFIG);
    }
    let label = |from: u16, to: u16| u32::from(from - 4_000) * 8 + u32::from(to - 5_000) + 1;
    let mut application = diamond.net.client("a");
    for (from, to) in flows() {
        application.send(&format!("udp [fd09::9]:{to}"), &format!("fd00:1::1 label {}", label(from, to)), 1);
    }
    let reserved = diamond.net.client("r").until("senders", FLOWS);
    let ways = |row: &Value| {
        let label: u16 =
            row["sender"].as_str().and_then(|s| s.rsplit(' ').next()?.parse().ok()).expect("a label");
        let (_, way) =
            way(&serde_json::json!({"sender": ":0", "session": row["session"], "outgoing": row["outgoing"]}));
        ((4_000 + (label - 1) / 8, 5_000 + (label - 1) % 8), way)
    };
    let reserved: Ways = reserved.iter().map(ways).collect();
    let data = labelled_data(&diamond, label);
    assert_eq!(together(&reserved, &data), FLOWS, "{reserved:?} {data:?}");
    assert!((1..FLOWS).contains(&share(&data)), "{data:?}");
}

#[test]
fn a_sender_on_this_node_follows_its_route() {
    let Some(mut diamond) = Diamond::new("a route of the host changes", false, 1) else { return };
    diamond.net.daemon("h", CONFIG);
    let source = diamond.address("10.8.8.8", "fd08::8");
    let mut application = diamond.net.client("h");
    let reserved = diamond.reserved(&mut application, "h", source);
    assert!((1..FLOWS).contains(&share(&reserved)), "{reserved:?}");
    diamond.net.ip("h", "route replace 10.9.9.9 via 10.0.5.2");
    let mut looks = diamond.net.client("h");
    // Those that were left are not given up at once, as with any change of routes.
    let follows = |row: &Value| row["outgoing"].as_array().is_some_and(|by| by.iter().any(|by| by == "to-y"));
    eventually("all on the one path that is left", || {
        looks.list("senders").iter().all(follows).then_some(())
    });
}
