//! Rows A27, A43 and A18: what is wrong with a request, one request at least for each code from 11016 to 11031.

use super::{g711, octets, receiving, sending};
use rsvp_node::qos::objects::filterspec::FilterSpec;
use rsvp_node::qos::objects::policy::PolicyElement;
use rsvp_node::qos::objects::reserve_info::{FilterStyle, FlowDescriptor, ReserveInfo};
use rsvp_node::qos::objects::traffic::{DiffservRule, SdMode};
use rsvp_node::qos::objects::{Object, from_octets};
use rsvp_node::qos::{
    Endpoint, ErrorClass, ErrorValue, Flowspec, Invalid, Peak, Qos, ServiceType, Status, Transport,
};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

fn udp() -> Endpoint {
    Endpoint { local: Some("10.0.0.1:80".parse().expect("an address")), ..Endpoint::new(Transport::Udp) }
}

fn connected() -> Endpoint {
    Endpoint { peer: Some("10.0.0.2:4000".parse().expect("an address")), ..udp() }
}

/// What a call answers to octets: reading them, then judging what they say.
fn call(octets: &[u8], socket: &Endpoint) -> Result<(), Invalid> {
    Qos::from_octets(octets)?.validate(socket)
}

/// A request with objects that are octets.
fn with(objects: &str) -> Vec<u8> {
    let objects = octets(objects);
    let mut whole = Qos::default().to_octets();
    whole[64..68].copy_from_slice(&u32::try_from(objects.len()).expect("short").to_le_bytes());
    whole[68..72].copy_from_slice(&72u32.to_le_bytes());
    whole.extend(objects);
    whole
}

fn asking(object: Object) -> Qos {
    Qos { objects: vec![object], ..receiving(g711(ServiceType::ControlledLoad)) }
}

fn filter(host: u8) -> FilterSpec {
    FilterSpec::V4 { address: Ipv4Addr::new(10, 0, 0, host), port: 4000 }
}

fn reserving(style: FilterStyle, descriptors: Vec<(Flowspec, Vec<FilterSpec>)>) -> Qos {
    let descriptor = |(flowspec, filters)| FlowDescriptor { flowspec, filters };
    let flow_descriptors = descriptors.into_iter().map(descriptor).collect();
    asking(Object::Reserve(ReserveInfo { style, flow_descriptors, ..ReserveInfo::default() }))
}

/// A27: by code, a request that has it; in octets where no value of ours could say it.
#[test]
fn one_malformed_request_per_code() {
    let flow = g711(ServiceType::ControlledLoad);
    let fixed = |filters| reserving(FilterStyle::FixedFilter, vec![(flow, filters)]).to_octets();
    let mut unknown_service = Qos::default().to_octets();
    unknown_service[20] = 7;
    let multicast = FilterSpec::V4 { address: Ipv4Addr::new(239, 0, 0, 1), port: 4000 };
    let best_effort = vec![(Flowspec::of(ServiceType::BestEffort), vec![filter(2)])];
    let repeated = vec![(flow, vec![filter(2)]), (flow, vec![filter(2)])];
    let private = PolicyElement { element_type: 53_248, data: Vec::new() };
    let zero_rate = Flowspec { token_rate: Some(0), ..flow };
    let table = [
        (11016, unknown_service),
        (11017, sending(zero_rate).to_octets()),
        (11018, with("d2070000 0c0000")),
        (11019, with("e9030000 1c000000 04000000 00000000 00000000 00000000 00000000")),
        (11020, with("ec030000 24000000 01000000 06000000 0a000002 00000050 00000000 00000000 00000000")),
        (11021, fixed(vec![filter(2), filter(3)])),
        (11022, with("d2070000 08000000")),
        (11023, reserving(FilterStyle::Wildcard, vec![(flow, vec![])]).to_octets()),
        (11024, with("b80b0000 08000000")),
        (11025, with("eb030000 10000000 01000000 0800 0300")),
        (11026, reserving(FilterStyle::FixedFilter, repeated).to_octets()),
        (11027, reserving(FilterStyle::FixedFilter, best_effort).to_octets()),
        (11028, fixed(vec![multicast])),
        (11029, with("d2070000 0c000000 04000000")),
        (11030, asking(Object::ShapingRate(0)).to_octets()),
        (11031, asking(Object::Policy(vec![private])).to_octets()),
    ];
    let mut seen = BTreeSet::new();
    for (code, octets) in table {
        let answer = call(&octets, &udp()).expect_err("malformed");
        assert_eq!(answer.status.0, code, "{answer}");
        assert!(answer.status.name().is_some_and(|name| name.starts_with('E') || code == 11031));
        assert!((56811..=56837).contains(&answer.value.0) && answer.value.name().is_some(), "{answer:?}");
        seen.insert(code);
    }
    assert!(seen.into_iter().eq(11016..=11031));
}

/// The same requests without their faults are fine.
#[test]
fn what_is_well_formed_is_taken() {
    let flow = g711(ServiceType::ControlledLoad);
    let fine = [
        sending(g711(ServiceType::Guaranteed)),
        sending(Flowspec::of(ServiceType::Qualitative)),
        sending(Flowspec::of(ServiceType::NoTraffic)),
        receiving(Flowspec::of(ServiceType::ControlledLoad)),
        reserving(FilterStyle::FixedFilter, vec![(flow, vec![filter(2)]), (flow, vec![filter(3)])]),
        reserving(FilterStyle::SharedExplicit, vec![(flow, vec![filter(2), filter(3)])]),
        asking(Object::Policy(vec![PolicyElement { element_type: 3, data: vec![0; 8] }])),
        asking(Object::Policy(vec![PolicyElement { element_type: 49_152, data: vec![0; 8] }])),
        asking(Object::SdMode(SdMode::Discard)),
        asking(Object::ShapingRate(1)),
        asking(Object::DsClass(63)),
        asking(Object::TrafficClass(7)),
        asking(Object::TcpTraffic),
        asking(Object::FriendlyName("a name".into())),
        asking(Object::Destination("10.0.0.2:5000".parse().expect("an address"))),
    ];
    for qos in fine {
        assert_eq!(call(&qos.to_octets(), &udp()), Ok(()), "{qos:?}");
    }
}

/// 11016 and 11017: services and numbers that a direction cannot have.
#[test]
fn bad_flowspecs() {
    let good = g711(ServiceType::ControlledLoad);
    let bad = [
        (Status::ESERVICETYPE, sending(Flowspec::of(ServiceType::NetworkUnavailable))),
        (Status::ESERVICETYPE, receiving(Flowspec::of(ServiceType::NetworkUnavailable))),
        (Status::ESERVICETYPE, receiving(g711(ServiceType::GeneralInformation))),
        (Status::EFLOWSPEC, sending(Flowspec { token_rate: None, ..good })),
        (Status::EFLOWSPEC, sending(Flowspec { peak_bandwidth: Some(Peak::Finite(8499)), ..good })),
        (Status::EFLOWSPEC, receiving(Flowspec { token_rate: Some(0), ..good })),
        (Status::EFLOWSPEC, sending(Flowspec { minimum_policed_size: Some(0), ..good })),
        (Status::EFLOWSPEC, sending(Flowspec { max_sdu_size: Some(339), ..good })),
        (Status::EFLOWSPEC, sending(Flowspec { minimum_policed_size: None, max_sdu_size: Some(0), ..good })),
        (Status::EFLOWSPEC, sending(Flowspec { token_bucket_size: Some(u32::MAX), ..good })),
        (Status::EFLOWSPEC, sending(Flowspec { peak_bandwidth: Some(Peak::Finite(u32::MAX - 1)), ..good })),
        (Status::EFLOWSPEC, receiving(Flowspec::of(ServiceType::Guaranteed))),
    ];
    for (status, qos) in bad {
        assert_eq!(qos.validate(&udp()).expect_err("bad").status, status, "{qos:?}");
    }
}

/// 11018, 11024, 11029, 11030 and 11031, and A43: values of objects.
#[test]
fn bad_values_of_objects() {
    let element = |element_type| PolicyElement { element_type, data: vec![0; 4] };
    let rule = DiffservRule {
        inbound_dscp: 0,
        conforming_dscp: 0,
        nonconforming_dscp: 0,
        conforming_priority: 0,
        nonconforming_priority: 0,
    };
    let back =
        |status| Object::StatusInfo { status, class: ErrorClass::NO_ERRORCODE, value: ErrorValue::NONE };
    let at = |text: &str| Object::Destination(text.parse().expect("an address"));
    let reserve = |policy| Object::Reserve(ReserveInfo { policy, ..ReserveInfo::default() });
    let bad = [
        (Status::EPROVSPECBUF, Object::DsClass(64)),
        (Status::EPROVSPECBUF, Object::TrafficClass(8)),
        (Status::EPROVSPECBUF, Object::FriendlyName("x".repeat(257))),
        (Status::EPROVSPECBUF, Object::FriendlyName("a\0b".into())),
        (Status::EPROVSPECBUF, at("0.0.0.0:5000")),
        (Status::EPROVSPECBUF, at("10.0.0.2:0")),
        (Status::EUNKOWNPSOBJ, Object::DiffServ(vec![rule])),
        (Status::EUNKOWNPSOBJ, back(Status::SENDERS)),
        (Status::EUNKOWNPSOBJ, Object::FilterspecList(Vec::new())),
        (Status::ESDMODEOBJ, Object::SdMode(SdMode::BorrowPlus)),
        (Status::ESHAPERATEOBJ, Object::ShapingRate(u32::MAX)),
        (Status::ESHAPERATEOBJ, Object::ShapingRate(u32::MAX - 1)),
        (Status::RESERVED_PETYPE, Object::Policy(vec![element(0)])),
        (Status::RESERVED_PETYPE, Object::Policy(vec![element(3), element(2)])),
        (Status::RESERVED_PETYPE, Object::Policy(vec![element(u16::MAX)])),
        (Status::RESERVED_PETYPE, reserve(vec![element(53_248)])),
        (Status::EPOLICYOBJ, Object::Policy(vec![PolicyElement { element_type: 3, data: vec![0; 3] }])),
    ];
    for (status, object) in bad {
        let qos = asking(object);
        assert_eq!(qos.validate(&udp()).expect_err("bad").status, status, "{qos:?}");
    }
    let twice = Qos { objects: vec![Object::DsClass(1), Object::DsClass(1)], ..Qos::default() };
    assert_eq!(twice.validate(&udp()).expect_err("twice").status, Status::EPROVSPECBUF);
    // A socket with a peer, or of TCP, sends there and nowhere else.
    for socket in [connected(), Endpoint::new(Transport::Tcp)] {
        let told = asking(at("10.0.0.2:5000")).validate(&socket);
        assert_eq!(told.expect_err("has a peer").status, Status::EPROVSPECBUF);
    }
}

/// 11019 to 11021, 11023 and 11026 to 11028: descriptors and filters that do not fit style, socket or each other.
#[test]
fn bad_descriptors() {
    let flow = g711(ServiceType::ControlledLoad);
    let one = |style, filter| reserving(style, vec![(flow, vec![filter])]);
    let v6 = FilterSpec::V6 { address: "2001:db8::2".parse().expect("an address"), port: 1 };
    let gpi = FilterSpec::V4Gpi { address: Ipv4Addr::new(10, 0, 0, 2), general_port_id: 7 };
    let nobody = FilterSpec::V4 { address: Ipv4Addr::UNSPECIFIED, port: 1 };
    let zero = Flowspec { token_rate: Some(0), ..flow };
    let no_rate = Flowspec::of(ServiceType::Guaranteed);
    let bad = [
        (Status::EFILTERSTYLE, connected(), one(FilterStyle::SharedExplicit, filter(2))),
        (Status::EFILTERTYPE, udp(), one(FilterStyle::FixedFilter, gpi)),
        (Status::EPSFILTERSPEC, udp(), one(FilterStyle::FixedFilter, v6)),
        (Status::EPSFILTERSPEC, udp(), one(FilterStyle::SharedExplicit, nobody)),
        (Status::EPSFLOWSPEC, udp(), reserving(FilterStyle::FixedFilter, vec![(zero, vec![filter(2)])])),
        (Status::EPSFLOWSPEC, udp(), reserving(FilterStyle::FixedFilter, vec![(no_rate, vec![filter(2)])])),
        (Status::EFLOWCOUNT, udp(), one(FilterStyle::Default, filter(2))),
    ];
    for (status, socket, qos) in bad {
        assert_eq!(qos.validate(&socket).expect_err("bad").status, status, "{qos:?}");
    }
}

/// 11018 to 11028: octets that do not add up.
#[test]
fn bad_octets() {
    let filter = "01000000 0a000002 00000050 00000000 00000000 00000000";
    let flow = "34210000 a8020000 68420000 ffffffff ffffffff 02000000 54010000 54010000";
    let descriptor = |filters: &str| {
        format!("e9030000 5c000000 02000000 00000000 00000000 01000000 1c000000 {flow} {filters}")
    };
    let table = [
        // An object shorter than its header, longer than the buffer, longer than what it says.
        (Status::EOBJLENGTH, "d2070000 07000000 00000000".to_owned()),
        (Status::EOBJLENGTH, "d2070000 10000000 00000000".to_owned()),
        (Status::EOBJLENGTH, "d2070000 10000000 00000000 00000000".to_owned()),
        (Status::EOBJLENGTH, "a40f0000 0c000000 00000000".to_owned()),
        (Status::EOBJLENGTH, "e8030000 10000000 00000000 00000000".to_owned()),
        (Status::EOBJLENGTH, "a30f0000 10000000 01000000 2e280805".to_owned()),
        (Status::EOBJLENGTH, "a50f0000 0a000000 6100".to_owned()),
        (Status::EOBJLENGTH, "ec030000 0c000000 01000000".to_owned()),
        // An ADSPEC whose service is longer, or shorter, than what it has.
        (
            Status::EOBJLENGTH,
            format!(
                "ea030000 40000000 {} 01000000 20000000 02000000 {}",
                "00000000".repeat(5),
                "00000000".repeat(7)
            ),
        ),
        (Status::EOBJLENGTH, format!("ea030000 24000000 {} 01000000 03000000", "00000000".repeat(5))),
        // Half of a pair of UTF-16.
        (Status::EPROVSPECBUF, format!("a50f0000 08020000 34d8 {}", "0000".repeat(255))),
        // Destinations: of no family, of another length, where the object is not.
        (
            Status::EPROVSPECBUF,
            format!("d4070000 20000000 10000000 10000000 0300 1388 0a000002 {}", "00".repeat(8)),
        ),
        (
            Status::EPROVSPECBUF,
            format!("d4070000 20000000 10000000 0f000000 0200 1388 0a000002 {}", "00".repeat(8)),
        ),
        (
            Status::EPROVSPECBUF,
            format!("d4070000 20000000 04000000 10000000 0200 1388 0a000002 {}", "00".repeat(8)),
        ),
        (Status::EPROVSPECBUF, "d4070000 14000000 10000000 04000000 1700 1388".to_owned()),
        // Policy elements: of no length, of no whole words, where the object is not, none at all.
        (Status::EPOLICYOBJ, "eb030000 10000000 01000000 0000 0300".to_owned()),
        (Status::EPOLICYOBJ, "eb030000 14000000 01000000 0500 0300 01000000".to_owned()),
        (Status::EPOLICYOBJ, "e9030000 1c000000 00000000 00000000 ff000000 00000000 00000000".to_owned()),
        (Status::EPOLICYOBJ, "e9030000 1c000000 00000000 00000000 08000000 00000000 00000000".to_owned()),
        (
            Status::EPOLICYOBJ,
            "e9030000 28000000 00000000 00000000 1c000000 00000000 00000000 ec030000 0c000000 00000000"
                .to_owned(),
        ),
        // Flow descriptors that are not there, that are too many, that lie in what was read before.
        (Status::EFLOWDESC, "e9030000 1c000000 00000000 00000000 00000000 01000000 00000000".to_owned()),
        (Status::EFLOWDESC, "e9030000 1c000000 00000000 00000000 00000000 00000000 1c000000".to_owned()),
        (Status::EFLOWDESC, "e9030000 1c000000 00000000 00000000 00000000 ffffffff 1c000000".to_owned()),
        (
            Status::EFLOWDESC,
            descriptor(&format!("01000000 44000000 {filter}")).replace("1c000000 3421", "08000000 3421"),
        ),
        // Filters that are not there, that are too many, that lie in the descriptor.
        (Status::EFILTERCOUNT, descriptor(&format!("01000000 00000000 {filter}"))),
        (Status::EFILTERCOUNT, descriptor(&format!("02000000 44000000 {filter}"))),
        (Status::EFILTERCOUNT, descriptor(&format!("01000000 1c000000 {filter}"))),
        (Status::EFILTERTYPE, descriptor(&format!("01000000 44000000 09{}", &filter[2..]))),
        (
            Status::EPSFLOWSPEC,
            descriptor(&format!("01000000 44000000 {filter}"))
                .replace("ffffffff 02000000", "ffffffff 07000000"),
        ),
    ];
    for (status, text) in table {
        let answer = from_octets(&octets(&text)).expect_err("bad octets");
        assert_eq!(answer.status, status, "{answer}: {text}");
    }
    let good = descriptor(&format!("01000000 44000000 {filter}"));
    assert!(from_octets(&octets(&good)).is_ok());
}

/// 11018: a buffer that is not where the QOS says, and a QOS that is not whole.
#[test]
fn a_provider_specific_buffer_lies_behind_the_qos() {
    let whole = with("a40f0000 08000000");
    for (at, octet) in [(64, 9), (68, 71), (68, 73), (71, 1)] {
        let mut moved = whole.clone();
        moved[at] = octet;
        assert_eq!(call(&moved, &udp()).expect_err("outside").status, Status::EPROVSPECBUF);
    }
    for len in 0..72 {
        assert_eq!(call(&whole[..len], &udp()).expect_err("short").status, Status::EPROVSPECBUF);
    }
}
