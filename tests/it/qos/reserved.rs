//! Rows A6, A17 and A18 on the wire: the Resv that follows from a socket's request, in octets.

use super::host::{HERE, Node};
use super::octets;
use rsvp_node::qos::objects::filterspec::FilterSpec;
use rsvp_node::qos::objects::reserve_info::{FilterStyle, FlowDescriptor, ReserveInfo};
use rsvp_node::qos::receiver::reservation;
use rsvp_node::qos::style::reserve;
use rsvp_node::qos::{Endpoint, Flowspec, Overhead, ServiceType, Transport};
use rsvp_wire::{FilterSpec as WireFilterSpec, Session, Tspec};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// r = 9200, b = 708, p = 18400 octets per second, m = M = 368.
const TSPEC: Tspec =
    Tspec { rate: 9200.0, bucket: 708.0, peak: 18_400.0, min_policed_unit: 368, max_packet_size: 368 };
/// Its five words.
const TSPEC_OCTETS: &str = "460fc000 44310000 468fc000 00000170 00000170";
const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(239, 1, 1, 1));

fn sender(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 9, host)
}

/// A socket of this host, with 10.0.9.2:4000 as its peer, or in the group.
fn socket(transport: Transport, peer: bool, group: bool) -> Endpoint {
    Endpoint {
        transport,
        local: Some(SocketAddr::new(HERE.into(), 80)),
        peer: peer.then(|| SocketAddr::new(sender(2).into(), 4000)),
        groups: group.then(|| SocketAddr::new(GROUP, 80)).into_iter().collect(),
    }
}

/// The Resv, from the style on, that a host sends when three senders are there and a socket asks for this.
fn resv(socket: &Endpoint, receiving: &Flowspec, info: Option<&ReserveInfo>) -> Vec<u8> {
    let destination = if socket.groups.is_empty() { HERE.into() } else { GROUP };
    let session = Session::new(destination, socket.transport.protocol(), 80);
    let mut node = Node::new();
    for host in [2, 3, 4] {
        node.hears_path(session, WireFilterSpec::new(sender(host).into(), 4000), TSPEC);
    }
    node.sent.clear();
    let asked = reserve(socket, receiving, info).expect("it makes sense");
    let overhead = Overhead::of(socket.transport, destination);
    let flow = |(flowspec, filters): (Flowspec, Vec<WireFilterSpec>)| {
        let made = reservation(&flowspec, overhead, &TSPEC, None).expect("it can be asked for");
        (made.expect("something is"), filters)
    };
    let flows: Vec<_> = asked.flows.into_iter().map(flow).collect();
    node.reserves(session, asked.style, &flows);
    assert_eq!(node.sent.len(), 1, "one Resv for one previous hop");
    let octets = node.sent.remove(0);
    let style = octets.windows(4).position(|word| word == [0, 8, 8, 1]).expect("a STYLE");
    octets[style..].to_vec()
}

/// A FLOWSPEC of Controlled-Load.
fn flowspec(tspec: &str) -> String {
    format!("00240902 00000007 05000006 7f000005 {tspec}")
}

fn filter(host: u8) -> String {
    format!("000c0a01 0a0009{host:02x} 00000fa0")
}

/// A6: with only a service said, the Resv has the sender's Tspec.
#[test]
fn a_controlled_load_receiver_sends_the_senders_tspec() {
    let udp = socket(Transport::Udp, false, false);
    let found = resv(&udp, &Flowspec::of(ServiceType::ControlledLoad), None);
    assert_eq!(found, octets(&format!("00080801 00000011 {}", flowspec(TSPEC_OCTETS))));
}

/// A17: FF for TCP and UDP with a peer, for that peer; WF for multicast and UDP without one.
#[test]
fn default_styles_are_in_the_resv() {
    let flowspec = flowspec(TSPEC_OCTETS);
    let ff = octets(&format!("00080801 0000000a {flowspec} {}", filter(2)));
    let wf = octets(&format!("00080801 00000011 {flowspec}"));
    let table = [
        (socket(Transport::Tcp, true, false), &ff),
        (socket(Transport::Udp, true, false), &ff),
        (socket(Transport::Udp, false, false), &wf),
        (socket(Transport::Udp, false, true), &wf),
    ];
    for (socket, expected) in table {
        let found = resv(&socket, &Flowspec::of(ServiceType::ControlledLoad), None);
        assert_eq!(found, *expected, "{socket:?}");
    }
}

fn descriptor(rate: Option<u32>, hosts: &[u8]) -> FlowDescriptor {
    let flowspec = Flowspec { token_rate: rate, ..Flowspec::of(ServiceType::ControlledLoad) };
    let filter = |host: &u8| FilterSpec::V4 { address: sender(*host), port: 4000 };
    FlowDescriptor { flowspec, filters: hosts.iter().map(filter).collect() }
}

/// A18: n descriptors of FF in one Resv, each with its own flowspec.
#[test]
fn several_fixed_filters_are_in_one_resv() {
    let flow_descriptors = vec![descriptor(None, &[2]), descriptor(Some(4250), &[3]), descriptor(None, &[4])];
    let info = ReserveInfo { style: FilterStyle::FixedFilter, flow_descriptors, ..ReserveInfo::default() };
    let udp = socket(Transport::Udp, false, false);
    let found = resv(&udp, &Flowspec::of(ServiceType::ControlledLoad), Some(&info));
    // 4250 * 368/340 = 4600 for the second.
    let less = flowspec(&TSPEC_OCTETS.replace("460fc000", "458fc000"));
    let same = flowspec(TSPEC_OCTETS);
    let each =
        [(&same, 2), (&less, 3), (&same, 4)].map(|(flowspec, host)| format!("{flowspec} {}", filter(host)));
    // In whichever order the descriptors are.
    for one in &each {
        let one = octets(one);
        assert!(found.windows(one.len()).any(|part| part == one), "{found:02x?}");
    }
    assert!(found.starts_with(&octets("00080801 0000000a")));
    assert_eq!(found.len(), 8 + 3 * (36 + 12));
}

/// A18: SE has one flowspec for all the senders it names.
#[test]
fn shared_explicit_is_in_the_resv_with_its_senders() {
    let info = ReserveInfo {
        style: FilterStyle::SharedExplicit,
        flow_descriptors: vec![descriptor(None, &[2, 4])],
        ..ReserveInfo::default()
    };
    let group = socket(Transport::Udp, false, true);
    let found = resv(&group, &Flowspec::of(ServiceType::ControlledLoad), Some(&info));
    let whole = format!("00080801 00000012 {} {} {}", flowspec(TSPEC_OCTETS), filter(2), filter(4));
    assert_eq!(found, octets(&whole));
}
