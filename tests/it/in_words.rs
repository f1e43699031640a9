//! Values that people read and write, and rates for delays: functions of the engine's crate, from outside.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use rsvp_node::guaranteed::{NoRate, queueing_bound_us, rspec_for_delay};
use rsvp_node::qos::events::announced;
use rsvp_node::qos::objects::filterspec::FilterSpec;
use rsvp_node::qos::policy::Prefix;
use rsvp_node::qos::policy::precedence::Criterion;
use rsvp_node::qos::service_type::ServiceType;
use rsvp_node::units::{rate, share, show_rate, size, time};
use rsvp_node::{NonRsvpHops, Refusal};
use rsvp_wire::{
    AdspecSummary, FilterSpec as WireFilterSpec, Flowspec, GeneralParams, GuaranteedParams, SenderTemplate,
    ServiceParams, Tspec,
};
use std::collections::BTreeSet;

fn tspec(peak: f32) -> Tspec {
    Tspec { rate: 125_000.0, bucket: 15_000.0, peak, min_policed_unit: 64, max_packet_size: 1_500 }
}

/// A path of 1 MB/s that offers Guaranteed service.
fn path(terms: GuaranteedParams) -> AdspecSummary {
    let global = GeneralParams { break_bit: false, hops: 1, bandwidth: 1e6, latency_us: 500, mtu: 1_500 };
    AdspecSummary { global, guaranteed: Some(terms), controlled_load: None, null: None }
}

#[test]
fn sizes_have_their_units_and_refusals_say_what_is_expected() {
    for (text, octets) in
        [("3B", 3.0), ("15kB", 15e3), ("2 MB", 2e6), ("16KiB", 16_384.0), ("1MiB", 1_048_576.0)]
    {
        assert_eq!(size(text), Ok(octets), "{text}");
    }
    assert_eq!(share("40%"), Ok(0.4));
    let refused = [
        (size("3 parsecs").unwrap_err(), "unknown unit \"parsecs\""),
        (size("3").unwrap_err(), "has no unit"),
        (size("5e3MB").unwrap_err(), "unknown unit"),
        (size("9000000MB").unwrap_err(), "out of range"),
        (rate("much").unwrap_err(), "does not start with a number"),
        (rate("-2mbit").unwrap_err(), "is negative"),
        (rate("0.5bit").unwrap_err(), "too small"),
        (rate("2miles").unwrap_err(), "unknown unit"),
        (time("2 fortnights").unwrap_err(), "unknown unit"),
        (share("0.4").unwrap_err(), "has no unit"),
        (share("140%").unwrap_err(), "out of range"),
    ];
    for (said, part) in refused {
        assert!(said.contains(part) && said.contains("expected a "), "{said}");
    }
    let shown = [950.0, 2e3, 1.5e6, 3e9, f64::INFINITY].map(show_rate);
    assert_eq!(shown, ["950bit/s", "2kbit/s", "1.5Mbit/s", "3Gbit/s", "unlimited"]);
}

#[test]
fn every_refusal_has_a_word_of_its_own() {
    use Refusal as R;
    let all = [
        R::BadSession,
        R::BadSender,
        R::BadTrafficParameter,
        R::BadStyle,
        R::ConflictingPorts,
        R::ConflictingStyle,
        R::ConflictingService,
        R::NoInterface,
        R::NotFound,
        R::LimitReached,
    ];
    let words: BTreeSet<&str> = all.iter().map(|refusal| refusal.name()).collect();
    assert_eq!(words.len(), all.len());
    assert!(words.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-')), "{words:?}");
}

#[test]
fn ways_to_know_of_hops_without_rsvp_are_read_as_they_are_written() {
    for way in [NonRsvpHops::ByTtl, NonRsvpHops::Never, NonRsvpHops::Always] {
        assert_eq!(way.word().parse(), Ok(way));
    }
}

/// RFC 2212: the bound that the rate gives is the one that was asked for, whatever the peak; and why there is no rate.
#[test]
fn a_rate_for_a_delay_gives_that_delay() {
    let terms = GuaranteedParams { ctot: 3_000, dtot: 1_000, ..Default::default() };
    let delay = Duration::from_millis(60);
    for peak in [f32::INFINITY, 500_000.0, 150_000.0, 125_000.0] {
        let asked = tspec(peak);
        let rspec = rspec_for_delay(&asked, &path(terms), delay).expect("a rate");
        let bound = queueing_bound_us(&asked, rspec.rate, terms.ctot, terms.dtot) + 500.0;
        let left = 60_000.0 - bound - f64::from(rspec.slack);
        assert!((-0.01..2.0).contains(&left), "peak {peak}: {rspec:?} leaves {left} us");
    }
    // So little time that only more than the peak would do.
    let fast = rspec_for_delay(&tspec(150_000.0), &path(terms), Duration::from_millis(11)).expect("a rate");
    assert!(fast.rate > 150_000.0, "{fast:?}");
    let refused =
        |adspec: &AdspecSummary, delay| rspec_for_delay(&tspec(f32::INFINITY), adspec, delay).unwrap_err();
    assert_eq!(refused(&AdspecSummary { guaranteed: None, ..path(terms) }, delay), NoRate::NotOffered);
    assert_eq!(refused(&path(GuaranteedParams { break_bit: true, ..terms }), delay), NoRate::Break);
    assert_eq!(refused(&path(GuaranteedParams { ctot: u32::MAX, ..terms }), delay), NoRate::Unbounded);
    assert_eq!(refused(&path(terms), Duration::from_millis(1)), NoRate::TooShort { fixed_us: 1_500 });
    let beyond = refused(&path(terms), Duration::from_millis(5));
    assert!(matches!(beyond, NoRate::BeyondPath { path_bps: 8e6, .. }), "{beyond}");
    assert!(beyond.to_string().ends_with("the path has 8Mbit/s"), "{beyond}");
}

#[test]
fn a_policy_that_lost_is_told_by_what() {
    use Criterion as C;
    let all =
        [C::Default, C::Precedence, C::User, C::App, C::Count, C::Kind, C::Prefix, C::SinglePort, C::Name];
    let said: BTreeSet<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), all.len());
    for text in ["10.0.0.0/8", "fd00:1::/32"] {
        assert_eq!(text.parse::<Prefix>().expect("a prefix").to_string(), text);
    }
}

#[test]
fn senders_of_every_kind_go_there_and_back() {
    let (v4, v6) = (Ipv4Addr::new(10, 0, 0, 1), Ipv6Addr::LOCALHOST);
    let all = [
        WireFilterSpec::new(IpAddr::V4(v4), 4_000),
        WireFilterSpec::new(IpAddr::V6(v6), 4_000),
        WireFilterSpec::Ipv6FlowLabel { address: v6, reserved: 0, label: 7 },
    ];
    for sender in all {
        assert_eq!(FilterSpec::of_sender(&SenderTemplate(sender)).to_wire(), Some(sender));
    }
}

#[test]
fn what_is_told_of_a_sender_is_the_one_service_that_it_offers() {
    let offers = |guaranteed: bool, controlled_load: bool, null: bool| AdspecSummary {
        guaranteed: guaranteed.then(GuaranteedParams::default),
        controlled_load: controlled_load.then(ServiceParams::default),
        null: null.then_some(false),
        ..path(GuaranteedParams::default())
    };
    let of = |adspec: Option<&AdspecSummary>| announced(&tspec(f32::INFINITY), adspec).service.service_type;
    assert_eq!(of(Some(&offers(true, false, false))), ServiceType::Guaranteed);
    assert_eq!(of(Some(&offers(false, true, false))), ServiceType::ControlledLoad);
    assert_eq!(of(Some(&offers(false, false, true))), ServiceType::Qualitative);
    assert_eq!(of(Some(&offers(true, true, false))), ServiceType::GeneralInformation);
    assert_eq!(of(None), ServiceType::GeneralInformation);
    assert_eq!(ServiceType::of_reservation(&Flowspec::Null(Tspec::null(1_500))), ServiceType::Qualitative);
}
