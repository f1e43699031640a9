//! A reservation of each service as it is to be in the kernel.

use super::*;
use crate::config::DaemonConfig;
use rsvp_node::{Police, Remark};
use rsvp_wire::{Rspec, Style};
use std::path::Path;

fn manner(text: &str) -> Manner {
    DaemonConfig::parse(Path::new("rsvpd.toml"), text).unwrap().manner_of("eth0")
}

fn tspec(rate: f32) -> Tspec {
    Tspec { rate, bucket: 5_000.4, peak: f32::INFINITY, min_policed_unit: 64, max_packet_size: 1_500 }
}

fn reservation(flowspec: Flowspec, filters: &[&str]) -> Reservation {
    Reservation {
        session: "udp 10.0.2.2:5000".parse().unwrap(),
        style: if filters.is_empty() { Style::WF } else { Style::FF },
        filters: filters.iter().map(|filter| filter.parse().unwrap()).collect(),
        flowspec,
        charge_bps: 0,
        police: Police { entry: true, ..Police::default() },
        remark: Remark::default(),
    }
}

fn desired(text: &str, told: &Reservation) -> Desired {
    Desired::new(told, 7, &manner(text), 0, false).unwrap()
}

fn controlled_load(rate: f32) -> Reservation {
    reservation(Flowspec::ControlledLoad(tspec(rate)), &["10.0.1.1:4000"])
}

fn guaranteed() -> Reservation {
    let rspec = Rspec { rate: 250_000.0, slack: 0 };
    reservation(Flowspec::Guaranteed(tspec(125_000.0), rspec), &["10.0.1.1:4000"])
}

const ALONE: Handle = Handle::new(0x7276, 0x100);

#[test]
fn controlled_load_is_policed_and_shares_a_class() {
    let load = desired("", &controlled_load(125_000.0));
    let limits =
        Limits { rate: 125_000, bucket: 5_000, peak: None, max_packet: Some(1_500), min_policed: 64 };
    assert_eq!((load.limits, load.class, load.shares()), (limits, None, Some((125_000, 5_000))));
    assert!(load.needs_classes());
    let flow = load.flow(true, None);
    assert_eq!(flow.mode, Mode::Borrow);
    let conforming = Treatment { dscp: Some(24), pcp: None, class: Some(Service::ControlledLoad.class().0) };
    let excess = Treatment { dscp: Some(0), pcp: None, class: Some(Service::NonConforming.class().0) };
    assert_eq!((flow.conforming, flow.excess), (conforming, excess));
    assert_eq!(load.flow(false, None).conforming.class, None, "no class where there are none");
    let Session { destination, protocol, port } = load.keys[0].session;
    assert_eq!((destination.to_string().as_str(), protocol, port), ("10.0.2.2", 17, 5000));
    assert_eq!(load.keys[0].filter, Filter::Sender("10.0.1.1".parse().unwrap(), 4000));
}

#[test]
fn guaranteed_service_has_its_rate_in_a_class_of_its_own() {
    let told = guaranteed();
    let flow = desired("", &told);
    let class = FlowClass {
        guaranteed: true,
        promised: true,
        rate: 250_000,
        peak: None,
        bucket: 5_000,
        max_packet: 1_500,
        min_policed: 64,
        overhead: 0,
        queue: None,
        weight: None,
    };
    assert_eq!((flow.class, flow.shares(), flow.handling.mode), (Some(class), None, Mode::Shape));
    assert_eq!(flow.flow(true, Some(ALONE)).conforming.class, Some(ALONE.0));
    // Where it begins its sender waits instead of losing packets.
    let first = Desired::new(&told, 7, &manner(""), 0, true).unwrap();
    assert_eq!(first.class.and_then(|class| class.queue), Some(LOCAL_QUEUE));
    // With its excess policed it has the class all the same.
    for (mode, word) in [(Mode::Borrow, "borrow"), (Mode::Discard, "discard")] {
        let flow = desired(&format!("[interfaces]\nexcess.guaranteed = \"{word}\"\n"), &told);
        assert_eq!((flow.handling.mode, flow.class), (mode, Some(class)));
    }
}

#[test]
fn a_class_keeps_the_peak_rate_that_there_is() {
    let Flowspec::Guaranteed(tspec, rspec) = guaranteed().flowspec else { panic!("Guaranteed service") };
    let peak = |peak| {
        let told =
            Reservation { flowspec: Flowspec::Guaranteed(Tspec { peak, ..tspec }, rspec), ..guaranteed() };
        Desired::new(&told, 7, &manner(""), 50, false).unwrap().class.unwrap().peak
    };
    // By hand: m is 64, so 50 octets with each; 640000 / 64 * 50 = 500000 octets a second.
    assert_eq!((peak(640_000.0), peak(f32::INFINITY)), (Some(1_140_000), None));
}

#[test]
fn controlled_load_that_is_shaped_has_a_class_of_its_own() {
    let flow = desired("[interfaces]\nexcess.controlled_load = \"shape\"\n", &controlled_load(125_000.0));
    assert_eq!(flow.class.map(|class| (class.guaranteed, class.rate)), Some((false, 125_000)));
    assert_eq!(flow.shares(), None);
}

#[test]
fn classes_have_room_for_what_a_packet_has_on_the_link() {
    // By hand: m is 64, so 50 octets with each; 125000 / 64 * 50 = 97657 octets a second, 5000 / 64 * 50 = 3907.
    let load = Desired::new(&controlled_load(125_000.0), 7, &manner(""), 50, false).unwrap();
    assert_eq!(load.shares(), Some((222_657, 8_907)));
    assert_eq!(
        (load.rate, load.limits.rate, load.limits.bucket),
        (125_000, 125_000, 5_000),
        "buckets are of IP"
    );
    let class = Desired::new(&guaranteed(), 7, &manner(""), 50, false).unwrap().class.unwrap();
    assert_eq!((class.rate, class.bucket), (445_313, 8_907));
    assert_eq!((class.max_packet, class.min_policed), (1_550, 114));
}

#[test]
fn a_class_that_is_found_says_what_it_was_made_for() {
    for overhead in [0, 7, 50, 1_500] {
        for rate in [1.0, 63.0, 250_000.0, 123_456_789.0] {
            let Flowspec::Guaranteed(tspec, _) = guaranteed().flowspec else { panic!("Guaranteed service") };
            let flowspec = Flowspec::Guaranteed(tspec, Rspec { rate, slack: 0 });
            let told = Reservation { flowspec, ..guaranteed() };
            let made = Desired::new(&told, 7, &manner(""), overhead, false).unwrap();
            let class = made.class.unwrap();
            // The kernel lists the rate and the least that a packet counts as; the flow's record has the rest.
            let found = class_found(&made.limits, class.rate, class.min_policed);
            assert_eq!(FlowClass { guaranteed: true, ..found }, class, "{overhead} {rate}");
            assert_eq!(rate_found(&made.limits, &found), made.rate, "{overhead} {rate}");
        }
    }
}

#[test]
fn the_null_service_is_a_mark() {
    let told = reservation(Flowspec::Null(Tspec::null(1_500)), &["10.0.1.1:4000"]);
    let flow = desired("[interfaces]\nmarks.null = { dscp = \"af11\" }\n", &told);
    assert!(!flow.needs_classes() && flow.class.is_none() && flow.shares().is_none());
    assert_eq!(flow.flow(false, None).conforming, Treatment { dscp: Some(10), ..Treatment::default() });
    assert_eq!(flow.flow(true, None).conforming.class, Some(Service::Qualitative.class().0));
}

#[test]
fn marks_that_are_asked_for_are_those_of_what_conforms() {
    let mut told = controlled_load(125_000.0);
    told.remark = Remark { dscp: Some(46), priority: Some(6) };
    let marks = |text: &str, told: &Reservation| {
        let handling = desired(text, told).handling;
        [(handling.conforming.dscp, handling.conforming.pcp), (handling.excess.dscp, handling.excess.pcp)]
    };
    let [conforming, excess] = marks("", &told);
    assert_eq!(
        (conforming, excess),
        ((Some(46), None), (Some(0), None)),
        "no tags unless somebody wants them"
    );
    let tags = "[interfaces]\npriority_tags = true\n";
    assert_eq!(marks(tags, &told), [(Some(46), Some(6)), (Some(0), Some(1))]);
    let own = marks(&format!("{tags}received_marks = false\n"), &told);
    assert_eq!(own, [(Some(24), Some(4)), (Some(0), Some(1))]);
    told.remark.dscp = None;
    assert_eq!(marks(tags, &told)[0], (Some(24), Some(6)));
}

#[test]
fn within_the_network_nothing_is_dropped_or_delayed_by_configuration() {
    let (mut load, mut bounded) = (controlled_load(125_000.0), guaranteed());
    (load.police, bounded.police) = (Police::default(), Police::default());
    for word in ["discard", "shape"] {
        let text =
            format!("[interfaces]\nexcess = {{ guaranteed = \"{word}\", controlled_load = \"{word}\" }}\n");
        let flow = desired(&text, &load);
        assert_eq!((flow.handling.mode, flow.class), (Mode::Borrow, None));
        assert_eq!(desired(&text, &bounded).handling.mode, Mode::Shape);
    }
}

#[test]
fn filters_become_keys_of_one_flow() {
    let spec = Flowspec::ControlledLoad(tspec(125_000.0));
    let all = desired("", &reservation(spec, &[]));
    assert_eq!(all.keys.iter().map(|key| key.filter).collect::<Vec<_>>(), [Filter::Any]);
    let several = desired("", &reservation(spec, &["10.0.1.1:4000", "10.0.1.2:4000", "10.0.1.1:4000"]));
    assert_eq!(several.keys.len(), 2);
    let mut told = reservation(spec, &["fd00::1 label 5", "fd00::2 label 0"]);
    told.session = "udp [fd00::9]:5000".parse().unwrap();
    let labelled = desired("", &told);
    let filters: Vec<Filter> = labelled.keys.iter().map(|key| key.filter).collect();
    let sender = Filter::Sender("fd00::2".parse().unwrap(), 0);
    assert_eq!(filters, [sender, Filter::FlowLabel("fd00::1".parse().unwrap(), 5)]);
}

#[test]
fn what_cannot_be_is_unfit() {
    let unfit = |told: &Reservation| match Desired::new(told, 7, &manner(""), 0, false) {
        Err(Failure::Unfit { value, .. }) => value,
        other => panic!("{other:?}"),
    };
    assert_eq!(unfit(&controlled_load(40e12)), error_value::BAD_FLOWSPEC);
    assert_eq!(unfit(&controlled_load(0.3)), error_value::BAD_FLOWSPEC);
    let mut portless = controlled_load(125_000.0);
    portless.session = "proto89 10.0.2.2:7".parse().unwrap();
    assert_eq!(unfit(&portless), error_value::SERVICE_UNSUPPORTED);
}

#[test]
fn a_peak_is_policed_where_it_is_one() {
    let mut told = controlled_load(125_000.0);
    told.flowspec = Flowspec::ControlledLoad(Tspec { peak: 200_000.0, ..tspec(125_000.0) });
    assert_eq!(desired("", &told).limits.peak, Some(200_000));
}

#[test]
fn only_what_is_different_changes() {
    let one = desired("", &controlled_load(125_000.0));
    assert_eq!(one.difference(&one), Difference::default());
    let faster = desired("", &controlled_load(250_000.0));
    assert_eq!(one.difference(&faster), Difference { is_other_flow: true, ..Difference::default() });
    let mut told = controlled_load(125_000.0);
    told.filters = vec!["10.0.1.2:4000".parse().unwrap()];
    let elsewhere = desired("", &told);
    let keys = Difference { added: elsewhere.keys.clone(), removed: one.keys.clone(), is_other_flow: false };
    assert_eq!(one.difference(&elsewhere), keys);
}

#[test]
fn what_controlled_load_shares_is_the_sum() {
    let flows = [
        desired("", &controlled_load(125_000.0)),
        desired("", &controlled_load(1_000.0)),
        desired("", &guaranteed()),
    ];
    assert_eq!(shared_by(flows.iter()), (126_000, 10_000));
    assert_eq!(shared_by([].into_iter()), (0, 0));
}
