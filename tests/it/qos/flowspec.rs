//! Rows A2 and A3: FLOWSPEC and service types.

use super::{g711, octets, receiving, sending};
use rsvp_node::qos::{
    Endpoint, Flowspec, Overhead, Peak, Qos, Service, ServiceType, Status, Transport, sender,
};

/// The two flowspecs, and no objects.
const BOTH: &str = "
    34210000 a8020000 68420000 01000000 02000000 03000000 54010000 53010000
    ffffffff ffffffff feffffff ffffffff ffffffff 06000000 ffffffff ffffffff
    00000000 00000000";

/// A2: the order of the fields, 0xFFFFFFFF for "not specified" and 0xFFFFFFFE for a peak without limit.
#[test]
fn all_fields_go_there_and_back() {
    let qos = Qos {
        sending: Flowspec {
            token_rate: Some(8500),
            token_bucket_size: Some(680),
            peak_bandwidth: Some(Peak::Finite(17_000)),
            latency_us: Some(1),
            delay_variation_us: Some(2),
            service: ServiceType::Guaranteed.into(),
            max_sdu_size: Some(340),
            minimum_policed_size: Some(339),
        },
        receiving: Flowspec { peak_bandwidth: Some(Peak::Infinite), ..Flowspec::default() },
        objects: Vec::new(),
    };
    assert_eq!(qos.to_octets(), octets(BOTH));
    assert_eq!(Qos::from_octets(&octets(BOTH)), Ok(qos));
}

/// A2: a new socket specifies nothing and changes nothing.
#[test]
fn the_default_is_not_specified_and_nochange() {
    let nothing = "ffffffff ffffffff ffffffff ffffffff ffffffff 06000000 ffffffff ffffffff";
    assert_eq!(Qos::default().to_octets()[..32], octets(nothing));
    assert_eq!(Qos::of_group(), Qos::default());
}

/// A2: infinity is infinity on the wire; so is a peak that is not specified.
#[test]
fn an_infinite_peak_is_infinity_in_the_tspec() {
    let overhead = Overhead::of(Transport::Udp, [10, 0, 0, 1].into());
    for peak in [Some(Peak::Infinite), None] {
        let flowspec = Flowspec { peak_bandwidth: peak, ..g711(ServiceType::Guaranteed) };
        let tspec = sender::tspec(&flowspec, overhead, 1500).expect("a Tspec");
        assert_eq!(tspec.peak, f32::INFINITY);
        assert_eq!(Flowspec::of_tspec(ServiceType::Guaranteed, &tspec).peak_bandwidth, Some(Peak::Infinite));
    }
}

/// A3: the numbers of the services, and the two flags.
#[test]
fn service_types_have_their_numbers() {
    let table = [
        (0x0, ServiceType::NoTraffic, false),
        (0x1, ServiceType::BestEffort, false),
        (0x2, ServiceType::ControlledLoad, true),
        (0x3, ServiceType::Guaranteed, true),
        (0x4, ServiceType::NetworkUnavailable, false),
        (0x5, ServiceType::GeneralInformation, true),
        (0x6, ServiceType::NoChange, false),
        (0x9, ServiceType::NonConforming, false),
        (0xa, ServiceType::NetworkControl, false),
        (0xd, ServiceType::Qualitative, true),
    ];
    for (number, service_type, signalled) in table {
        let plain = Service::from(service_type);
        assert_eq!((plain.word(), plain.is_signalled()), (number, signalled), "{service_type:?}");
        for (flags, no_traffic_control, no_qos_signaling) in [
            (0, false, false),
            (0x8100_0000, true, false),
            (0x4000_0000, false, true),
            (0xc100_0000, true, true),
        ] {
            let service = Service { service_type, no_traffic_control, no_qos_signaling };
            assert_eq!(Service::of_word(number | flags), Some(service));
            assert_eq!(service.word(), number | flags);
            assert_eq!(service.is_signalled(), signalled && !no_qos_signaling);
        }
    }
    // Not assigned; half of a flag; defined, but "not supported".
    let unknown = [0x7, 0x8, 0xb, 0xc, 0xe, 0x8000_0002, 0x0100_0002];
    for word in unknown.into_iter().chain([0x8001_0000, 0x8002_0000, 0x8004_0000, 0x8020_0000]) {
        assert_eq!(Service::of_word(word), None, "{word:#x}");
    }
}

/// A3: GENERAL_INFORMATION is a sender's only.
#[test]
fn a_receiver_using_general_information_gets_an_error() {
    let socket = Endpoint::new(Transport::Udp);
    let general = g711(ServiceType::GeneralInformation);
    assert_eq!(sending(general).validate(&socket), Ok(()));
    let refused = receiving(general).validate(&socket).expect_err("refused");
    assert_eq!((refused.status, refused.value.name()), (Status::ESERVICETYPE, Some("SETQOS_BADFLOWSPEC")));
}

/// A3: NOCHANGE leaves its direction, NOTRAFFIC ends it, and neither touches the other.
#[test]
fn nochange_leaves_the_other_direction_untouched() {
    let before =
        Qos { receiving: g711(ServiceType::ControlledLoad), ..sending(g711(ServiceType::Guaranteed)) };
    assert_eq!(Qos::default().over(before.clone()), before);
    let ended = sending(Flowspec::of(ServiceType::NoTraffic)).over(before.clone());
    assert_eq!(ended.sending, Flowspec::of(ServiceType::NoTraffic));
    assert_eq!(ended.receiving, before.receiving);
    let less = receiving(Flowspec::of(ServiceType::ControlledLoad)).over(before.clone());
    assert_eq!((less.sending, less.receiving), (before.sending, Flowspec::of(ServiceType::ControlledLoad)));
}

/// A3: what a sender offers its receivers.
#[test]
fn a_concrete_service_offers_only_itself_and_general_information_all() {
    let offered = |service| {
        sender::offer(&g711(service)).map(|offer| (offer.guaranteed, offer.controlled_load, offer.null))
    };
    assert_eq!(offered(ServiceType::Guaranteed), Some((true, false, false)));
    assert_eq!(offered(ServiceType::ControlledLoad), Some((false, true, false)));
    assert_eq!(offered(ServiceType::Qualitative), Some((false, false, true)));
    assert_eq!(offered(ServiceType::GeneralInformation), Some((true, true, true)));
    for silent in [ServiceType::NoTraffic, ServiceType::BestEffort, ServiceType::NetworkControl] {
        assert_eq!(offered(silent), None, "{silent:?}");
    }
    let mut quiet = g711(ServiceType::Guaranteed);
    quiet.service.no_qos_signaling = true;
    assert_eq!(sender::offer(&quiet), None);
}
