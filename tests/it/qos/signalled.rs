//! Rows A4 to A7: what is on the wire, in the octets of a Path and a Resv that an engine sends.

use super::host::{APP, HERE, Node};
use super::{g711, octets};
use core::time::Duration;
use rsvp_node::Command;
use rsvp_node::guaranteed::{NoRate, queueing_bound_us, rspec_for_delay};
use rsvp_node::qos::receiver::{NoReservation, reservation};
use rsvp_node::qos::sender::{self, DEFAULT_MAX_SDU_SIZE, offer, tspec};
use rsvp_node::qos::{Flowspec, Overhead, Peak, ServiceType, Status, Transport};
use rsvp_wire::{
    AdspecSummary, FilterSpec, Flowspec as WireFlowspec, GeneralParams, GuaranteedParams, Message, Rspec,
    SenderTemplate, SenderTspec, Session, Tspec,
};
use std::net::{IpAddr, Ipv4Addr};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 9, 9));

/// The Path with which a host announces this flowspec, and what an application on it reads of its Tspec.
fn announced(sending: &Flowspec, transport: Transport, destination: IpAddr) -> (Vec<u8>, Tspec) {
    let from = if destination.is_ipv4() { HERE.into() } else { HERE.to_ipv6_mapped().into() };
    let overhead = Overhead::of(transport, destination);
    let announce = Command::Sender {
        carried: None,
        app: APP,
        session: Session::new(destination, transport.protocol(), 5000),
        sender: SenderTemplate(FilterSpec::new(from, 4000)),
        tspec: tspec(sending, overhead, DEFAULT_MAX_SDU_SIZE).expect("a Tspec"),
        adspec: offer(sending),
        ttl: 63,
        interface: None,
    };
    let mut node = Node::new();
    node.does(announce);
    let path = node.sent.pop().expect("a Path leaves");
    let message = Message::parse(&path).expect("a sound message");
    let SenderTspec(tspec, _) = message.get::<SenderTspec>().expect("a Tspec").expect("a sound one");
    (path, tspec)
}

/// A4: 8500/340 by UDP is 9200, a peak of 17000 is 18400, sizes and bucket grow by 28: in the octets of the Path.
#[test]
fn udp_8500_of_340_is_signalled_as_9200() {
    let (path, tspec) = announced(&g711(ServiceType::Guaranteed), Transport::Udp, V4);
    let by_hand = octets("0024 0c02 00000007 01000006 7f000005 460fc000 44310000 468fc000 00000170 00000170");
    assert!(path.windows(by_hand.len()).any(|part| part == by_hand), "{path:02x?}");
    let expected =
        Tspec { rate: 9200.0, bucket: 708.0, peak: 18_400.0, min_policed_unit: 368, max_packet_size: 368 };
    assert_eq!(tspec, expected);
}

/// A4: TCP has 40 octets, IPv6 twenty more.
/// By hand: of 64 octets, 28 are headers of UDP over IPv4 and 48 of UDP over IPv6, so that 36 and 16 of 64 are the application's.
#[test]
fn the_flowspec_of_traffic_with_headers_is_signalled_as_that_traffic() {
    let traffic = Tspec {
        rate: 250_000.0,
        bucket: 15_000.0,
        peak: 500_000.0,
        min_policed_unit: 64,
        max_packet_size: 1500,
    };
    let (v4, v6) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(std::net::Ipv6Addr::LOCALHOST));
    for (to, rate, headers) in [(v4, 140_625, 28), (v6, 62_500, 48)] {
        let overhead = Overhead::of(Transport::Udp, to);
        let own = sender::flowspec(&traffic, overhead, ServiceType::Guaranteed).expect("there is room");
        let expected = Flowspec {
            token_rate: Some(rate),
            token_bucket_size: Some(15_000 - headers),
            peak_bandwidth: Some(Peak::Finite(2 * rate)),
            max_sdu_size: Some(1500 - headers),
            minimum_policed_size: Some(64 - headers),
            ..Flowspec::of(ServiceType::Guaranteed)
        };
        assert_eq!(own, expected);
        assert_eq!(tspec(&own, overhead, 9000), Ok(traffic));
        let unlimited = Tspec { peak: f32::INFINITY, ..traffic };
        let own = sender::flowspec(&unlimited, overhead, ServiceType::Guaranteed).expect("there is room");
        assert_eq!(tspec(&own, overhead, 9000), Ok(unlimited));
        let no_room = Tspec { min_policed_unit: headers, ..traffic };
        let no_rate = Tspec { rate: 0.5, ..traffic };
        for nothing in [no_room, no_rate] {
            assert_eq!(sender::flowspec(&nothing, overhead, ServiceType::Guaranteed), None);
        }
    }
}

#[test]
fn headers_are_those_of_protocol_and_family() {
    let v6: IpAddr = "2001:db8::9".parse().expect("an address");
    let mapped = IpAddr::V6(Ipv4Addr::new(10, 0, 9, 9).to_ipv6_mapped());
    let table = [
        (Transport::Udp, V4, 28),
        (Transport::Tcp, V4, 40),
        (Transport::Udp, v6, 48),
        (Transport::Tcp, v6, 60),
        (Transport::Udp, mapped, 28),
    ];
    for (transport, destination, overhead) in table {
        assert_eq!(Overhead::of(transport, destination).octets(), overhead);
    }
    let (_, tcp) = announced(&g711(ServiceType::ControlledLoad), Transport::Tcp, V4);
    assert_eq!((tcp.rate, tcp.peak, tcp.bucket), (9500.0, 19_000.0, 720.0));
    assert_eq!((tcp.min_policed_unit, tcp.max_packet_size), (380, 380));
    let overhead = Overhead::of(Transport::Udp, v6);
    let udp6 = tspec(&g711(ServiceType::ControlledLoad), overhead, 1500).expect("a Tspec");
    assert_eq!((udp6.rate, udp6.bucket, udp6.max_packet_size), (9700.0, 728.0, 388));
}

/// A5: 1500 (or the MTU) and 128, in the Path.
#[test]
fn sizes_that_are_not_specified_are_1500_and_128() {
    let sending = Flowspec { token_rate: Some(12_800), ..Flowspec::of(ServiceType::ControlledLoad) };
    let (path, found) = announced(&sending, Transport::Udp, V4);
    // r = 12800 * (1 + 28/128) = 15600, b = 1500, p = infinity, m = 128, M = 1500.
    let by_hand = octets("7f000005 4673c000 44bb8000 7f800000 00000080 000005dc");
    assert!(path.windows(by_hand.len()).any(|part| part == by_hand), "{path:02x?}");
    assert_eq!((found.min_policed_unit, found.max_packet_size), (128, 1500));
    let of_mtu = tspec(&sending, Overhead::of(Transport::Udp, V4), 9000).expect("a Tspec");
    assert_eq!((of_mtu.min_policed_unit, of_mtu.max_packet_size), (128, 9000));
    // Less than a packet that counts as the smallest is no largest packet.
    let large = Flowspec { minimum_policed_size: Some(2000), ..sending };
    let found = tspec(&large, Overhead::of(Transport::Udp, V4), 1500).expect("a Tspec");
    assert_eq!((found.min_policed_unit, found.max_packet_size), (2028, 2028));
}

/// A5: a rate has to be given, but for Qualitative service, of which only M is announced.
#[test]
fn a_sender_has_to_give_a_rate_unless_it_is_qualitative() {
    let overhead = Overhead::of(Transport::Udp, V4);
    for service in [ServiceType::ControlledLoad, ServiceType::Guaranteed, ServiceType::GeneralInformation] {
        let refused = tspec(&Flowspec::of(service), overhead, 1500).expect_err("no rate");
        assert_eq!(refused.status, Status::EFLOWSPEC);
    }
    let null = tspec(&Flowspec::of(ServiceType::Qualitative), overhead, 1500);
    assert_eq!(null, Ok(Tspec::null(1500)));
}

/// r = 10000, b = 4000, p = 50000 octets per second, m = 64, M = 1000.
const PATH: Tspec = Tspec { rate: 1e4, bucket: 4e3, peak: 5e4, min_policed_unit: 64, max_packet_size: 1000 };

fn adspec() -> AdspecSummary {
    AdspecSummary {
        global: GeneralParams { break_bit: false, hops: 3, bandwidth: 1e6, latency_us: 0, mtu: 1500 },
        guaranteed: Some(GuaranteedParams { ctot: 500, dtot: 7_000, ..GuaranteedParams::default() }),
        controlled_load: None,
        null: None,
    }
}

fn reserve(receiving: &Flowspec) -> Result<Option<WireFlowspec>, NoReservation> {
    reservation(receiving, Overhead::of(Transport::Udp, V4), &PATH, Some(&adspec()))
}

/// A6: nothing but the service is said.
#[test]
fn a_controlled_load_receiver_asks_for_the_senders_tspec() {
    let asked = reserve(&Flowspec::of(ServiceType::ControlledLoad));
    assert_eq!(asked, Ok(Some(WireFlowspec::ControlledLoad(PATH))));
}

/// A6: what is specified is the receiver's, the rest the sender's.
#[test]
fn what_a_controlled_load_receiver_specifies_is_its_own() {
    // m is 64, of which 36 are the application's: 3600 * 64/36 = 6400.
    let own = Flowspec {
        token_rate: Some(3600),
        peak_bandwidth: Some(Peak::Infinite),
        ..Flowspec::of(ServiceType::ControlledLoad)
    };
    let expected = Tspec { rate: 6400.0, peak: f32::INFINITY, ..PATH };
    assert_eq!(reserve(&own), Ok(Some(WireFlowspec::ControlledLoad(expected))));
    // As the sender said it, so that both ask for the same.
    let path = tspec(&g711(ServiceType::ControlledLoad), Overhead::of(Transport::Udp, V4), 1500);
    let path = path.expect("a Tspec");
    let same = reservation(&g711(ServiceType::ControlledLoad), Overhead::of(Transport::Udp, V4), &path, None);
    assert_eq!(same, Ok(Some(WireFlowspec::ControlledLoad(path))));
}

fn guaranteed(rate: Option<u32>, slack: Option<u32>, latency: Option<u32>) -> Flowspec {
    Flowspec {
        token_rate: rate,
        delay_variation_us: slack,
        latency_us: latency,
        ..Flowspec::of(ServiceType::Guaranteed)
    }
}

/// A7: {rate, slack} is copied, a latency beside it ignored, a slack that is not specified zero.
#[test]
fn rate_and_slack_are_copied() {
    let asked = |rate, slack| Ok(Some(WireFlowspec::Guaranteed(PATH, Rspec { rate, slack })));
    assert_eq!(reserve(&guaranteed(Some(20_000), Some(300), None)), asked(2e4, 300));
    assert_eq!(reserve(&guaranteed(Some(20_000), Some(300), Some(1))), asked(2e4, 300));
    assert_eq!(reserve(&guaranteed(Some(20_000), None, None)), asked(2e4, 0));
    // RFC 2212: R is at least r.
    assert_eq!(reserve(&guaranteed(Some(9_000), None, None)), asked(1e4, 0));
}

/// A7: {slack, latency}: the bound with R, and the slack on top, keep within the latency.
#[test]
fn slack_and_latency_compute_the_rate_from_the_adspec() {
    // The bound with R = 20000 is 194.5 ms (RFC 2212: 3000/R * 30000/40000 + 1500/R + 7 ms).
    let Ok(Some(WireFlowspec::Guaranteed(of_path, rspec))) =
        reserve(&guaranteed(None, Some(5_500), Some(200_000)))
    else {
        panic!("a Guaranteed reservation");
    };
    assert_eq!((of_path, rspec.slack), (PATH, 5_500));
    assert!((rspec.rate - 2e4).abs() < 0.1, "{}", rspec.rate);
    let bound = queueing_bound_us(&PATH, rspec.rate, 500, 7_000) + 5_500.0;
    assert!((bound - 200_000.0).abs() < 1.0, "{bound}");
    let plain = rspec_for_delay(&PATH, &adspec(), Duration::from_micros(194_500)).expect("a rate");
    assert_eq!(rspec.rate, plain.rate);
}

/// A7: {rate, latency} is not enough, nor is less; and a path may not be able to.
#[test]
fn rate_and_latency_are_rejected() {
    let refused = [
        (Some(20_000), None, Some(200_000)),
        (None, None, Some(200_000)),
        (None, Some(5_500), None),
        (None, None, None),
    ];
    for (rate, slack, latency) in refused {
        let answer = reserve(&guaranteed(rate, slack, latency));
        let Err(NoReservation::Invalid(invalid)) = answer else { panic!("{answer:?}") };
        assert_eq!(invalid.status, Status::EFLOWSPEC);
    }
    let late = reserve(&guaranteed(None, Some(5_500), Some(5_500)));
    assert_eq!(late, Err(NoReservation::NoRate(NoRate::TooShort { fixed_us: 7_000 })));
    let overhead = Overhead::of(Transport::Udp, V4);
    let blind = reservation(&guaranteed(None, Some(0), Some(200_000)), overhead, &PATH, None);
    assert_eq!(blind, Err(NoReservation::NoRate(NoRate::NotOffered)));
}

/// Qualitative service is the Null service of RFC 2997; where nothing is signalled nothing is reserved.
#[test]
fn what_is_not_signalled_is_not_reserved() {
    let asked = reserve(&Flowspec::of(ServiceType::Qualitative));
    assert_eq!(asked, Ok(Some(WireFlowspec::Null(Tspec::null(1000)))));
    for service in [ServiceType::NoTraffic, ServiceType::BestEffort, ServiceType::NoChange] {
        assert_eq!(reserve(&Flowspec::of(service)), Ok(None), "{service:?}");
    }
    let mut quiet = g711(ServiceType::ControlledLoad);
    quiet.service.no_qos_signaling = true;
    assert_eq!(reserve(&quiet), Ok(None));
    let general = reserve(&Flowspec::of(ServiceType::GeneralInformation));
    assert!(
        matches!(general, Err(NoReservation::Invalid(invalid)) if invalid.status == Status::ESERVICETYPE)
    );
}
