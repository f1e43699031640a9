//! Row A14: which path state is for which socket, a test per row of the table.

use rsvp_node::qos::{Endpoint, Transport};
use rsvp_wire::{FilterSpec, SenderTemplate, Session};
use std::net::{Ipv6Addr, SocketAddr};

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address and a port")
}

fn socket(transport: Transport, local: &str, peer: &str, groups: &[&str]) -> Endpoint {
    let some = |text: &str| (!text.is_empty()).then(|| at(text));
    Endpoint {
        transport,
        local: some(local),
        peer: some(peer),
        groups: groups.iter().map(|group| at(group)).collect(),
    }
}

/// Whether a socket joins `session` when a Path of `sender` is there.
#[track_caller]
fn joins(socket: &Endpoint, session: &str, sender: &str, expected: bool) {
    let session: Session = session.parse().expect("a session");
    let sender = at(sender);
    let sender = SenderTemplate(FilterSpec::new(sender.ip(), sender.port()));
    assert_eq!(socket.joins(&session, &sender), expected, "{socket:?}: {session}");
}

#[test]
fn tcp_without_a_peer_never_joins() {
    for local in ["", "10.0.0.1:80", "0.0.0.0:80"] {
        joins(&socket(Transport::Tcp, local, "", &[]), "tcp 10.0.0.1:80", "10.0.0.2:4000", false);
    }
}

#[test]
fn tcp_with_a_peer_joins_its_own_session_for_its_peer() {
    let tcp = socket(Transport::Tcp, "10.0.0.1:80", "10.0.0.2:4000", &[]);
    joins(&tcp, "tcp 10.0.0.1:80", "10.0.0.2:4000", true);
    joins(&tcp, "tcp 10.0.0.1:81", "10.0.0.2:4000", false);
    joins(&tcp, "tcp 10.0.0.3:80", "10.0.0.2:4000", false);
    joins(&tcp, "tcp 10.0.0.1:80", "10.0.0.2:4001", false);
    joins(&tcp, "tcp 10.0.0.1:80", "10.0.0.3:4000", false);
    joins(&tcp, "udp 10.0.0.1:80", "10.0.0.2:4000", false);
}

#[test]
fn udp_that_is_not_bound_never_joins() {
    joins(&socket(Transport::Udp, "", "", &[]), "udp 10.0.0.1:80", "10.0.0.2:4000", false);
    joins(&socket(Transport::Udp, "", "10.0.0.2:4000", &[]), "udp 10.0.0.1:80", "10.0.0.2:4000", false);
}

#[test]
fn udp_bound_to_any_address_joins_by_port() {
    let udp = socket(Transport::Udp, "0.0.0.0:80", "", &[]);
    joins(&udp, "udp 10.0.0.1:80", "10.0.0.2:4000", true);
    joins(&udp, "udp 10.0.0.7:80", "10.0.0.3:4001", true);
    joins(&udp, "udp 10.0.0.1:81", "10.0.0.2:4000", false);
    joins(&udp, "tcp 10.0.0.1:80", "10.0.0.2:4000", false);
    joins(&udp, "udp [2001:db8::1]:80", "[2001:db8::2]:4000", false);
}

#[test]
fn udp_bound_to_an_address_joins_by_address_and_port() {
    let udp = socket(Transport::Udp, "10.0.0.1:80", "", &[]);
    joins(&udp, "udp 10.0.0.1:80", "10.0.0.2:4000", true);
    joins(&udp, "udp 10.0.0.7:80", "10.0.0.2:4000", false);
    joins(&udp, "udp 10.0.0.1:81", "10.0.0.2:4000", false);
}

#[test]
fn udp_bound_to_any_address_with_a_peer_joins_by_port_and_sender() {
    let udp = socket(Transport::Udp, "0.0.0.0:80", "10.0.0.2:4000", &[]);
    joins(&udp, "udp 10.0.0.7:80", "10.0.0.2:4000", true);
    joins(&udp, "udp 10.0.0.7:81", "10.0.0.2:4000", false);
    joins(&udp, "udp 10.0.0.7:80", "10.0.0.2:4001", false);
    joins(&udp, "udp 10.0.0.7:80", "10.0.0.3:4000", false);
}

#[test]
fn udp_bound_to_an_address_with_a_peer_joins_by_all_of_them() {
    let udp = socket(Transport::Udp, "10.0.0.1:80", "10.0.0.2:4000", &[]);
    joins(&udp, "udp 10.0.0.1:80", "10.0.0.2:4000", true);
    joins(&udp, "udp 10.0.0.7:80", "10.0.0.2:4000", false);
    joins(&udp, "udp 10.0.0.1:80", "10.0.0.2:4001", false);
}

#[test]
fn multicast_that_is_not_joined_never_joins() {
    for local in ["0.0.0.0:80", "239.1.1.1:80", "10.0.0.1:80"] {
        joins(&socket(Transport::Udp, local, "", &[]), "udp 239.1.1.1:80", "10.0.0.2:4000", false);
    }
}

#[test]
fn multicast_that_is_joined_joins_its_group_wherever_it_is_bound() {
    for local in ["", "0.0.0.0:99", "10.0.0.1:80"] {
        let udp = socket(Transport::Udp, local, "", &["239.1.1.1:80", "239.1.1.2:80"]);
        joins(&udp, "udp 239.1.1.1:80", "10.0.0.2:4000", true);
        joins(&udp, "udp 239.1.1.2:80", "10.0.0.2:4000", true);
        joins(&udp, "udp 239.1.1.3:80", "10.0.0.2:4000", false);
        joins(&udp, "udp 239.1.1.1:81", "10.0.0.2:4000", false);
    }
}

/// A dual-stack socket has IPv4 addresses within IPv6 ones, and one bound to `::` takes both families.
#[test]
fn dual_stack_sockets_join_sessions_of_both_families() {
    let any = socket(Transport::Udp, "[::]:80", "", &[]);
    joins(&any, "udp 10.0.0.1:80", "10.0.0.2:4000", true);
    joins(&any, "udp [2001:db8::1]:80", "[2001:db8::2]:4000", true);
    let mapped = socket(Transport::Tcp, "[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.2]:4000", &[]);
    joins(&mapped, "tcp 10.0.0.1:80", "10.0.0.2:4000", true);
    joins(&mapped, "tcp 10.0.0.1:80", "10.0.0.3:4000", false);
}

/// A sender that is told by its flow label has whatever port the peer has.
#[test]
fn a_flow_label_stands_for_the_peers_port() {
    let udp = socket(Transport::Udp, "[2001:db8::1]:80", "[2001:db8::2]:4000", &[]);
    let session: Session = "udp [2001:db8::1]:80".parse().expect("a session");
    let address: Ipv6Addr = "2001:db8::2".parse().expect("an address");
    let sender = SenderTemplate(FilterSpec::Ipv6FlowLabel { address, reserved: 0, label: 5 });
    assert!(udp.joins(&session, &sender));
}
