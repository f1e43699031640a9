//! Marks: of traffic types, of a DSCP that is set, in mid-connection, and gone with the flow (B4, B5, B6, B7, B14).

use super::{Bed, KERNEL, PEER, TYPES, bound, connect, listener, unconnected};
use rsvp_client::Dscp;
use rsvp_client::flows::{FlowOptions, OutgoingRate, Refusal, Shaping, TrafficType};
use std::io::{Read, Write};

const SYN: u8 = 2;

#[test]
fn a_socket_is_marked_from_its_flow_to_its_end() {
    let Some(bed) = Bed::new("a mark of QOS2", KERNEL) else { return };
    let socket = bed.connected();
    assert_eq!(bed.mark(&socket), 0);
    let flow = bed.add(&bed.flows(), &socket, TrafficType::Voice);
    assert_eq!(bed.mark(&socket), 56);
    bed.at(flow.remove()).expect("it was there");
    assert_eq!(bed.mark(&socket), 0);
    // Dropped, nobody waits for it.
    let flow = bed.add(&bed.flows(), &socket, TrafficType::Voice);
    assert_eq!(bed.mark(&socket), 56);
    drop(flow);
    super::eventually("no mark", || (bed.mark(&socket) == 0).then_some(()));
}

#[test]
fn traffic_types_have_their_dscps_and_a_query_says_them() {
    let Some(bed) = Bed::new("traffic types on the wire", KERNEL) else { return };
    let flows = bed.flows();
    let free = bound(bed.net(), "a", "0.0.0.0:0");
    for (traffic, dscp) in TYPES {
        let socket = bed.connected();
        // What the program has marked itself is replaced.
        rsvp_client::mark(&socket, Dscp::AF41).expect("a mark");
        assert_eq!(bed.mark(&socket), 34);
        let flow = bed.add(&flows, &socket, traffic);
        assert_eq!(bed.mark(&socket), dscp, "{traffic:?}");
        let marks = bed.at(flow.priority()).expect("its marks");
        assert_eq!((marks.dscp, marks.excess_dscp, marks.priority), (dscp, None, 0), "{traffic:?}");
        let options =
            FlowOptions { destination: Some(PEER.parse().expect("an address")), ..Default::default() };
        let _by_destination = bed.at(flows.add(&free, traffic, options)).expect("a flow");
        assert_eq!(bed.mark_to(&free, PEER), dscp, "{traffic:?}");
        assert_eq!(bed.mark_to(&free, "10.0.1.2:5001"), 0, "another port is another peer");
    }
}

#[test]
fn a_stream_is_marked_from_its_syn_on_and_changes_in_mid_connection() {
    let Some(bed) = Bed::new("a stream of QOS2", KERNEL) else { return };
    let (flows, listener) = (bed.flows(), listener(bed.net()));
    let socket = unconnected(bed.net());
    let options = FlowOptions { destination: Some(PEER.parse().expect("an address")), ..Default::default() };
    let flow = bed.at(flows.add(&socket, TrafficType::AudioVideo, options)).expect("a flow");
    let (mut client, mut server) = connect(bed.net(), socket, &listener);
    let port = client.local_addr().expect("a name").port();
    let mut exchange = |count: usize| {
        let before = bed.from(port, 0).len();
        client.write_all(&vec![0; count]).expect("it is open");
        server.read_exact(&mut vec![0; count]).expect("it comes");
        bed.from(port, before + 1)[before..].iter().map(|packet| packet.dscp()).collect::<Vec<_>>()
    };
    exchange(100);
    let first = bed.from(port, 2);
    assert!(first[0].flags & SYN != 0, "{first:?}");
    assert!(first.iter().all(|packet| packet.dscp() == 40), "{first:?}");
    for (traffic, dscp) in
        [(TrafficType::Voice, 56), (TrafficType::Background, 8), (TrafficType::BestEffort, 0)]
    {
        bed.at(flow.set_traffic(traffic)).expect("it is there");
        // An acknowledgement of before may still be on its way.
        let marks = exchange(1_000);
        assert_eq!(marks.last(), Some(&dscp), "{traffic:?}: {marks:?}");
    }
    assert_eq!(
        bed.from(port, 1).iter().filter(|packet| packet.flags & SYN != 0).count(),
        1,
        "one connection"
    );
    // One that stands already.
    let (mut later, mut other) = connect(bed.net(), unconnected(bed.net()), &listener);
    let _second = bed.add(&flows, &later, TrafficType::Voice);
    let port = later.local_addr().expect("a name").port();
    let before = bed.from(port, 2).len();
    later.write_all(b"hello").expect("it is open");
    other.read_exact(&mut [0; 5]).expect("it comes");
    assert_eq!(bed.from(port, before + 1).last().expect("a packet").dscp(), 56);
}

/// Where an interface writes priorities those of a type are for adaptive flows to peers on the link, and all others have 0.
#[test]
fn priorities_are_those_of_adaptive_flows_on_the_link() {
    let Some(net) = super::super::super::net::Net::three_in_a_row("priorities of QOS2") else { return };
    let config = KERNEL.replace("[interfaces]\n", "[interfaces]\npriority_tags = true\n");
    let mut net = net;
    net.daemon("a", &config);
    let capture = net.capture_many("r", "to-a", "ip or vlan");
    let receiver = bound(&net, "r", PEER);
    let _far = bound(&net, "b", "10.0.2.2:5000");
    let bed = Bed { hosts: super::Hosts::of(net), capture, _receiver: receiver };
    let flows = bed.flows();
    let priority = |adaptive, traffic, peer: &str| {
        let socket = bound(bed.net(), "a", "0.0.0.0:0");
        socket.connect(peer).expect("a route");
        let options = FlowOptions { adaptive, ..FlowOptions::default() };
        let flow = bed.at(flows.add(&socket, traffic, options)).expect("a flow");
        if adaptive {
            // Nobody says what the network has.
            bed.at(flow.set_rate(OutgoingRate::new(8_000_000, Shaping::ShapeAndMark))).expect("a rate");
        }
        let said = bed.at(flow.priority()).expect("its marks").priority;
        socket.send(&[0; 100]).expect("sent");
        let packet = bed.from(socket.local_addr().expect("a name").port(), 1)[0];
        assert_eq!(packet.tag, Some((0, said)), "{traffic:?}, adaptive: {adaptive}, to {peer}");
        said
    };
    for ((traffic, _), expected) in TYPES.into_iter().zip([0, 2, 5, 5, 7, 7]) {
        assert_eq!(priority(true, traffic, PEER), expected, "{traffic:?}");
    }
    assert_eq!(priority(false, TrafficType::Voice, PEER), 0, "not adaptive");
    assert_eq!(priority(true, TrafficType::Voice, "10.0.2.2:5000"), 0, "behind a router");
}

#[test]
fn a_dscp_is_for_those_who_may() {
    let config = format!("{KERNEL}[qos]\nflow_dscps = {{ 1000 = [\"ef\"], 1001 = [\"10\"] }}\n");
    let Some(bed) = Bed::new("DSCPs of QOS2", &config) else { return };
    let socket = bed.connected();
    let all = bed.privileged();
    let flow = bed.add(&all, &socket, TrafficType::Voice);
    for dscp in [0, 1, 46, 63] {
        bed.at(flow.set_dscp(Dscp::new(dscp).expect("a DSCP"))).expect("root may");
        assert_eq!(bed.mark(&socket), dscp);
        assert_eq!(bed.at(flow.priority()).expect("its marks").dscp, dscp);
    }
    bed.at(flow.set_traffic(TrafficType::Voice)).expect("it is there");
    assert_eq!(bed.mark(&socket), 56, "the type's again");
    drop(flow);
    // Where any user may ask it is the list that allows, of root as of anybody.
    let flows = bed.flows();
    let flow = bed.add(&flows, &bed.connected(), TrafficType::Voice);
    assert_eq!(bed.refused(flow.set_dscp(Dscp::EF)), Refusal::AccessDenied);
    for (uid, dscp, may) in
        [(1000, 46, true), (1000, 10, false), (1001, 10, true), (1001, 46, false), (1002, 46, false)]
    {
        let said = asked_by(&bed, uid, dscp);
        assert_eq!(said.contains("marked"), may, "user {uid}, DSCP {dscp}: {said}");
        assert_eq!(said.contains("access-denied"), !may, "user {uid}, DSCP {dscp}: {said}");
    }
}

/// A program of a user adds a flow and sets a DSCP; what it is told, and `marked` where a packet of it has that.
fn asked_by(bed: &Bed, uid: u32, dscp: u8) -> String {
    const PROGRAM: &str = "
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect(('10.0.1.2', 5000))
flow = ask({'id': 1, 'request': 'flow-add', 'fd': True, 'traffic': 'voice'}, [udp.fileno()])['ok']['flow']
print(ask({'id': 2, 'request': 'flow-set', 'flow': flow, 'dscp': int(sys.argv[2])}))
udp.send(b'x')
print('port', udp.getsockname()[1])
";
    let mut said = bed.client_of(Some(uid), PROGRAM, &[&dscp.to_string()]);
    let port = said.lines().filter_map(|line| line.strip_prefix("port ")).next().expect("a port");
    if bed.from(port.parse().expect("a number"), 1)[0].dscp() == dscp {
        said.push_str("marked");
    }
    said
}
