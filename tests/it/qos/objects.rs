//! Rows A2, A18, A23 and A25, the octets: each object laid out by hand from its figure, read and written.

use super::{g711, octets};
use rsvp_node::qos::objects::adspec::{AdGeneralParams, AdGuaranteed, ControlService, OfService, RsvpAdspec};
use rsvp_node::qos::objects::filterspec::FilterSpec;
use rsvp_node::qos::objects::policy::PolicyElement;
use rsvp_node::qos::objects::reserve_info::{FilterStyle, FlowDescriptor, ReserveInfo};
use rsvp_node::qos::objects::traffic::{DiffservRule, SdMode};
use rsvp_node::qos::objects::{Object, from_octets, to_octets};
use rsvp_node::qos::{ErrorClass, ErrorValue, Flowspec, Qos, ServiceType, Status};
use rsvp_wire::{AdspecSummary, GeneralParams, GuaranteedParams, Overrides, ServiceParams};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Reads and writes one object, and the end of the list behind it.
#[track_caller]
fn both_ways(text: &str, object: Object) {
    let by_hand = octets(&format!("{text} d1070000 08000000"));
    assert_eq!(to_octets(std::slice::from_ref(&object)), by_hand, "{object:?}");
    assert_eq!(from_octets(&by_hand), Ok(vec![object.clone()]));
    // The end of the list may be left out.
    assert_eq!(from_octets(&octets(text)), Ok(vec![object]));
}

fn v6() -> Ipv6Addr {
    "2001:db8::1".parse().expect("an address")
}

/// 1000: StatusCode 11010, 56100, 56103.
#[test]
fn status_info() {
    let object = Object::StatusInfo {
        status: Status::ADMISSION_FAILURE,
        class: ErrorClass::NET_ADMISSION,
        value: ErrorValue(56103),
    };
    both_ways("e8030000 14000000 022b0000 24db0000 27db0000", object);
}

/// 1001 with style DEFAULT, confirmation and empty lists: the article's own example.
#[test]
fn reserve_info_with_empty_lists() {
    let info = ReserveInfo { confirm_request: true, ..ReserveInfo::default() };
    both_ways("e9030000 1c000000 00000000 01000000 00000000 00000000 00000000", Object::Reserve(info));
}

/// 1001 with everything: policy behind the fixed part, then the descriptors, then their filters.
#[test]
fn reserve_info_with_policy_and_descriptors() {
    let flowspec = g711(ServiceType::ControlledLoad);
    let first = vec![
        FilterSpec::V4 { address: Ipv4Addr::new(10, 0, 0, 2), port: 4000 },
        FilterSpec::V6 { address: v6(), port: 4001 },
    ];
    let second = vec![FilterSpec::V6Flow { address: v6(), label: 0x0a_bcde }];
    let info = ReserveInfo {
        style: FilterStyle::FixedFilter,
        confirm_request: false,
        policy: vec![PolicyElement { element_type: 3, data: vec![1, 2, 3, 4] }],
        flow_descriptors: vec![
            FlowDescriptor { flowspec, filters: first },
            FlowDescriptor { flowspec, filters: second },
        ],
    };
    let said = "34210000 a8020000 68420000 ffffffff ffffffff 02000000 54010000 54010000";
    // Policy at 28, 20 octets; descriptors at 48, 40 each; filters at 128, 24 each.
    let text = format!(
        "e9030000 c8000000 02000000 00000000 1c000000 02000000 30000000
         eb030000 14000000 01000000 0800 0300 01020304
         {said} 02000000 80000000
         {said} 01000000 b0000000
         01000000 0a000002 0000 0fa0 000000000000000000000000
         02000000 20010db8000000000000000000000001 0000 0fa1
         03000000 20010db8000000000000000000000001 00 0abcde"
    );
    both_ways(&text, Object::Reserve(info));
}

/// 1002: general parameters, Guaranteed with its error terms, Controlled-Load without any of its own.
#[test]
fn adspec() {
    let general = AdGeneralParams {
        int_serv_aware_hop_count: 3,
        path_bandwidth_estimate: 1_250_000,
        minimum_latency_us: 0xffff_ffff,
        path_mtu: 1500,
        flags: 1,
    };
    let guaranteed = ControlService {
        service: 3,
        overrides: AdGeneralParams { path_mtu: 1400, ..general },
        of_service: OfService::Guaranteed(AdGuaranteed { c_total: 500, d_total: 7000, c_sum: 5, d_sum: 70 }),
    };
    let controlled_load =
        ControlService { service: 2, overrides: general, of_service: OfService::Parameters(Vec::new()) };
    let other = ControlService {
        service: 13,
        overrides: general,
        of_service: OfService::Parameters(vec![(140, vec![9, 8, 7])]),
    };
    let object = RsvpAdspec { general, services: vec![guaranteed, controlled_load, other] };
    both_ways(
        "ea030000 8f000000
         03000000 d0121300 ffffffff dc050000 01000000
         03000000
         2c000000 03000000 03000000 d0121300 ffffffff 78050000 01000000 f4010000 581b0000 05000000 46000000
         1c000000 02000000 03000000 d0121300 ffffffff dc050000 01000000
         27000000 0d000000 03000000 d0121300 ffffffff dc050000 01000000 8c000000 03000000 090807",
        Object::Adspec(object),
    );
}

/// A25: what a receiver sees is what the Path said: the break bit, and a service's own values over the general ones.
#[test]
fn an_adspec_shows_what_the_path_said() {
    let path = AdspecSummary {
        global: GeneralParams {
            break_bit: true,
            hops: 3,
            bandwidth: f32::INFINITY,
            latency_us: 70,
            mtu: 1500,
        },
        guaranteed: Some(GuaranteedParams {
            break_bit: false,
            ctot: 500,
            dtot: 7000,
            csum: 5,
            dsum: 70,
            overrides: Overrides { mtu: Some(1400), bandwidth: Some(125.0), ..Overrides::default() },
        }),
        controlled_load: Some(ServiceParams::default()),
        null: Some(false),
    };
    let seen = RsvpAdspec::from(&path);
    let general = AdGeneralParams {
        int_serv_aware_hop_count: 3,
        path_bandwidth_estimate: 0xffff_fffe,
        minimum_latency_us: 70,
        path_mtu: 1500,
        flags: 1,
    };
    assert_eq!(seen.general, general);
    let services: Vec<_> = seen.services.iter().map(|s| (s.service, s.overrides)).collect();
    let own = AdGeneralParams { path_mtu: 1400, path_bandwidth_estimate: 125, ..general };
    assert_eq!(services, [(3, own), (2, general), (13, general)]);
    let terms = AdGuaranteed { c_total: 500, d_total: 7000, c_sum: 5, d_sum: 70 };
    assert_eq!(seen.services[0].of_service, OfService::Guaranteed(terms));
    // Without a break there is none, but for a service that a node does not have.
    let mut whole = path;
    whole.global.break_bit = false;
    whole.controlled_load = Some(ServiceParams { break_bit: true, ..ServiceParams::default() });
    let seen = RsvpAdspec::from(&whole);
    assert_eq!((seen.general.flags, seen.services[1].overrides.flags), (0, 1));
}

/// 1003: two elements, one without data.
#[test]
fn policy_info() {
    let elements = vec![
        PolicyElement { element_type: 3, data: vec![1, 2, 3, 4, 5, 6, 7, 8] },
        PolicyElement { element_type: 0xc000, data: Vec::new() },
    ];
    both_ways("eb030000 1c000000 02000000 0c00 0300 01020304 05060708 0400 00c0", Object::Policy(elements));
}

/// 1004: a sender of each type.
#[test]
fn filterspec_list() {
    let address = Ipv4Addr::new(10, 0, 0, 2);
    let senders = vec![
        FilterSpec::V4 { address, port: 80 },
        FilterSpec::V6 { address: v6(), port: 80 },
        FilterSpec::V6Flow { address: v6(), label: 0x0f_ffff },
        FilterSpec::V4Gpi { address, general_port_id: 0x0102_0304 },
        FilterSpec::V6Gpi { address: v6(), general_port_id: 0x0102_0304 },
    ];
    both_ways(
        "ec030000 84000000 05000000
         01000000 0a000002 00000050 00000000 00000000 00000000
         02000000 20010db8 00000000 00000000 00000001 00000050
         03000000 20010db8 00000000 00000000 00000001 000fffff
         04000000 0a000002 04030201 00000000 00000000 00000000
         05000000 20010db8 00000000 00000000 00000001 04030201",
        Object::FilterspecList(senders),
    );
}

/// 2002 to 2004: the modes, a rate, a destination of either family.
#[test]
fn objects_of_a_sender() {
    let modes = [SdMode::Borrow, SdMode::Shape, SdMode::Discard, SdMode::BorrowPlus];
    for (number, mode) in modes.into_iter().enumerate() {
        both_ways(&format!("d2070000 0c000000 0{number}000000"), Object::SdMode(mode));
    }
    both_ways("d3070000 0c000000 34210000", Object::ShapingRate(8500));
    both_ways(
        "d4070000 20000000 10000000 10000000 0200 1388 0a000002 0000000000000000",
        Object::Destination("10.0.0.2:5000".parse().expect("an address")),
    );
    both_ways(
        "d4070000 2c000000 10000000 1c000000 1700 1388 00000000 20010db8000000000000000000000001 00000000",
        Object::Destination("[2001:db8::1]:5000".parse().expect("an address")),
    );
}

/// 4001 to 4005.
#[test]
fn objects_of_traffic_control() {
    both_ways("a10f0000 0c000000 2e000000", Object::DsClass(46));
    both_ways("a20f0000 0c000000 05000000", Object::TrafficClass(5));
    let rule = |inbound_dscp, conforming_dscp| DiffservRule {
        inbound_dscp,
        conforming_dscp,
        nonconforming_dscp: 8,
        conforming_priority: 5,
        nonconforming_priority: 1,
    };
    let rules = Object::DiffServ(vec![rule(46, 40), rule(10, 0x0c)]);
    both_ways("a30f0000 16000000 02000000 2e28080501 0a0c080501", rules);
    both_ways("a40f0000 08000000", Object::TcpTraffic);
    let name = format!("a50f0000 08020000 6a00 e400 34d8 1edd {}", "0000".repeat(252));
    both_ways(&name, Object::FriendlyName("jä\u{1d11e}".into()));
    let longest = "x".repeat(256);
    both_ways(&format!("a50f0000 08020000 {}", "7800".repeat(256)), Object::FriendlyName(longest));
}

/// The whole of a request: objects behind the flowspecs, as many octets as are said, wherever they are.
#[test]
fn objects_lie_where_the_qos_says() {
    let qos = Qos {
        sending: Flowspec::of(ServiceType::Guaranteed),
        objects: vec![Object::SdMode(SdMode::Discard), Object::DsClass(46)],
        ..Qos::default()
    };
    let objects = "d2070000 0c000000 02000000 a10f0000 0c000000 2e000000 d1070000 08000000";
    let nothing = "ffffffff ffffffff ffffffff ffffffff ffffffff";
    let directions = format!("{nothing} 03000000 ffffffff ffffffff {nothing} 06000000 ffffffff ffffffff");
    let by_hand = octets(&format!("{directions} 20000000 48000000 {objects}"));
    assert_eq!(qos.to_octets(), by_hand);
    assert_eq!(Qos::from_octets(&by_hand), Ok(qos.clone()));
    let elsewhere = octets(&format!("{directions} 20000000 4c000000 55555555 {objects} 5555"));
    assert_eq!(Qos::from_octets(&elsewhere), Ok(qos));
}

/// Behind the end of the list nothing is read.
#[test]
fn what_is_behind_the_end_of_the_list_is_of_nobody() {
    let text = "a40f0000 08000000 d1070000 08000000 ffffffff ff";
    assert_eq!(from_octets(&octets(text)), Ok(vec![Object::TcpTraffic]));
    assert_eq!((from_octets(&[]), to_octets(&[])), (Ok(Vec::new()), Vec::new()));
}
