//! Rows A17 and A18: styles by default, and by request.

use super::g711;
use rsvp_node::qos::objects::filterspec::FilterSpec;
use rsvp_node::qos::objects::reserve_info::{FilterStyle, FlowDescriptor, ReserveInfo};
use rsvp_node::qos::style::{Reserve, default_style, reserve};
use rsvp_node::qos::{Endpoint, Flowspec, Invalid, ServiceType, Status, Transport};
use rsvp_wire::{FilterSpec as WireFilterSpec, Style};
use std::net::Ipv4Addr;

fn socket(transport: Transport, peer: bool, group: bool) -> Endpoint {
    let at = |text: &str| text.parse().expect("an address");
    Endpoint {
        transport,
        local: Some(at("10.0.0.1:80")),
        peer: peer.then(|| at("10.0.0.2:4000")),
        groups: group.then(|| at("239.1.1.1:80")).into_iter().collect(),
    }
}

fn sender(host: u8) -> FilterSpec {
    FilterSpec::V4 { address: Ipv4Addr::new(10, 0, 0, host), port: 4000 }
}

fn wire(host: u8) -> WireFilterSpec {
    WireFilterSpec::new(Ipv4Addr::new(10, 0, 0, host).into(), 4000)
}

fn descriptor(rate: u32, hosts: impl IntoIterator<Item = u8>) -> FlowDescriptor {
    let flowspec = Flowspec { token_rate: Some(rate), ..Flowspec::of(ServiceType::ControlledLoad) };
    FlowDescriptor { flowspec, filters: hosts.into_iter().map(sender).collect() }
}

fn asked(
    socket: &Endpoint,
    style: FilterStyle,
    flow_descriptors: Vec<FlowDescriptor>,
) -> Result<Reserve, Invalid> {
    let info = ReserveInfo { style, confirm_request: true, flow_descriptors, ..ReserveInfo::default() };
    reserve(socket, &g711(ServiceType::ControlledLoad), Some(&info))
}

#[track_caller]
fn refused(answer: Result<Reserve, Invalid>, status: Status) {
    assert_eq!(answer.expect_err("refused").status, status);
}

/// A17: FF for TCP and for UDP with a peer, WF for multicast and for UDP without one.
#[test]
fn default_styles_follow_from_the_socket() {
    let table = [
        (Transport::Tcp, true, false, Style::FF),
        (Transport::Tcp, false, false, Style::FF),
        (Transport::Udp, true, false, Style::FF),
        (Transport::Udp, false, false, Style::WF),
        (Transport::Udp, false, true, Style::WF),
        (Transport::Udp, true, true, Style::WF),
    ];
    for (transport, peer, group, style) in table {
        let socket = socket(transport, peer, group);
        assert_eq!(default_style(&socket), style, "{socket:?}");
        let plain = reserve(&socket, &g711(ServiceType::ControlledLoad), None).expect("a reservation");
        assert_eq!((plain.style, plain.confirm), (style, false));
        let filters = if style == Style::FF && peer { vec![wire(2)] } else { Vec::new() };
        assert_eq!(plain.flows, [(g711(ServiceType::ControlledLoad), filters)]);
        let by_default = asked(&socket, FilterStyle::Default, Vec::new()).expect("a reservation");
        assert_eq!((by_default.style, by_default.confirm), (style, true));
    }
}

/// A16, the pure part: a socket that gets a peer goes from WF to FF, and does not come back.
#[test]
fn a_socket_that_gets_a_peer_goes_from_wf_to_ff() {
    let mut udp = socket(Transport::Udp, false, false);
    assert_eq!(default_style(&udp), Style::WF);
    udp.peer = socket(Transport::Udp, true, false).peer;
    assert_eq!(default_style(&udp), Style::FF);
    assert_eq!(asked(&udp, FilterStyle::Default, Vec::new()).map(|r| r.style), Ok(Style::FF));
}

/// A18: n descriptors of FF make n flows, each with its own flowspec and sender.
#[test]
fn fixed_filter_has_a_flow_per_descriptor() {
    let udp = socket(Transport::Udp, false, false);
    let three = vec![descriptor(100, [2]), descriptor(200, [3]), descriptor(300, [4])];
    let made = asked(&udp, FilterStyle::FixedFilter, three).expect("a reservation");
    let rates: Vec<_> = made.flows.iter().map(|(f, filters)| (f.token_rate, filters.clone())).collect();
    assert_eq!(made.style, Style::FF);
    assert_eq!(rates, [(Some(100), vec![wire(2)]), (Some(200), vec![wire(3)]), (Some(300), vec![wire(4)])]);
    refused(asked(&udp, FilterStyle::FixedFilter, Vec::new()), Status::EFLOWCOUNT);
    refused(asked(&udp, FilterStyle::FixedFilter, vec![descriptor(1, [2, 3])]), Status::EFILTERCOUNT);
    refused(asked(&udp, FilterStyle::FixedFilter, vec![descriptor(1, [])]), Status::EFILTERCOUNT);
    let twice = vec![descriptor(1, [2]), descriptor(1, [2])];
    refused(asked(&udp, FilterStyle::FixedFilter, twice), Status::EFLOWDESC);
}

/// A18: several FF descriptors, and SE, are not for sockets with one sender.
#[test]
fn a_socket_with_a_peer_has_one_flow_and_nobody_to_share_with() {
    for socket in [socket(Transport::Tcp, true, false), socket(Transport::Udp, true, false)] {
        let one = asked(&socket, FilterStyle::FixedFilter, vec![descriptor(1, [2])]).expect("one is fine");
        assert_eq!(one.flows.len(), 1);
        let two = vec![descriptor(1, [2]), descriptor(1, [3])];
        refused(asked(&socket, FilterStyle::FixedFilter, two), Status::EFLOWCOUNT);
        refused(asked(&socket, FilterStyle::SharedExplicit, vec![descriptor(1, [2])]), Status::EFILTERSTYLE);
    }
    let listener = socket(Transport::Tcp, false, false);
    refused(asked(&listener, FilterStyle::SharedExplicit, vec![descriptor(1, [2])]), Status::EFILTERSTYLE);
}

/// A18: SE has one descriptor with all its senders; the hundredth sender is refused.
#[test]
fn shared_explicit_has_one_descriptor_with_all_senders() {
    let group = socket(Transport::Udp, false, true);
    let made = asked(&group, FilterStyle::SharedExplicit, vec![descriptor(7, [2, 3])]).expect("made");
    assert_eq!(made.style, Style::SE);
    assert_eq!(made.flows[0].1, [wire(2), wire(3)]);
    assert_eq!(made.flows.len(), 1);
    assert!(asked(&group, FilterStyle::SharedExplicit, vec![descriptor(7, 1..=99)]).is_ok());
    refused(asked(&group, FilterStyle::SharedExplicit, vec![descriptor(7, 1..=100)]), Status::EFILTERCOUNT);
    refused(asked(&group, FilterStyle::SharedExplicit, vec![descriptor(7, [])]), Status::EFILTERCOUNT);
    refused(asked(&group, FilterStyle::SharedExplicit, Vec::new()), Status::EFLOWCOUNT);
    let two = vec![descriptor(7, [2]), descriptor(7, [3])];
    refused(asked(&group, FilterStyle::SharedExplicit, two), Status::EFLOWCOUNT);
    refused(asked(&group, FilterStyle::SharedExplicit, vec![descriptor(7, [2, 2])]), Status::EFLOWDESC);
}

/// A18: WF has no descriptors, by request or by default.
#[test]
fn wildcard_with_descriptors_is_rejected() {
    let udp = socket(Transport::Udp, false, false);
    assert_eq!(asked(&udp, FilterStyle::Wildcard, Vec::new()).map(|r| r.style), Ok(Style::WF));
    refused(asked(&udp, FilterStyle::Wildcard, vec![descriptor(1, [2])]), Status::EFLOWCOUNT);
    refused(asked(&udp, FilterStyle::Default, vec![descriptor(1, [2])]), Status::EFLOWCOUNT);
    let connected = socket(Transport::Udp, true, false);
    assert_eq!(asked(&connected, FilterStyle::Wildcard, Vec::new()).map(|r| r.style), Ok(Style::WF));
}
