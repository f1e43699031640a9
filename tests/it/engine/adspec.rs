//! The ADSPEC hop by hop: RFC 2210 section 3.3, RFC 2215 section 3, RFC 2212.

use super::bench::Bench;
use super::message::written;
use super::words::interface;
use rsvp_node::{EventKind, NonRsvpHops};
use rsvp_wire::{AdspecSummary, GeneralParams, GuaranteedParams, Overrides, ServiceParams};

/// An ADSPEC with every fragment and no overrides.
pub(crate) fn full() -> AdspecSummary {
    AdspecSummary {
        global: GeneralParams { break_bit: false, hops: 3, bandwidth: 2e6, latency_us: 500, mtu: 9000 },
        guaranteed: Some(GuaranteedParams { ctot: 1, dtot: 2, csum: 3, dsum: 4, ..Default::default() }),
        controlled_load: Some(ServiceParams::default()),
        null: None,
    }
}

/// The ADSPEC that leaves through c when one arrives.
fn through(b: &mut Bench, adspec: &AdspecSummary) -> AdspecSummary {
    sent_on_c(b, written(adspec), 60).get()
}

fn sent_on_c(b: &mut Bench, adspec: Vec<u8>, ttl: u8) -> super::sent::Sent {
    b.change("c", |i| {
        (i.mtu, i.latency_us, i.error_c, i.error_d_us, i.bandwidth_bps) = (1400, 70, 100, 200, 8_000_000);
    });
    b.takes(&b.message("a1 Path S1{9B}").last(adspec).ttl(ttl));
    let sent = b.sent.drain(..).find(|s| s.interface == interface("c"));
    sent.expect("a Path leaves through c")
}

/// RFC 2215 sections 3.2 to 3.5, RFC 2212: hops count one more, the smallest bandwidth and MTU, sums of latency and
/// error terms.
#[test]
fn every_parameter_is_composed_with_the_outgoing_interface() {
    for mut b in Bench::both() {
        let expected = AdspecSummary {
            global: GeneralParams { break_bit: false, hops: 4, bandwidth: 1e6, latency_us: 570, mtu: 1400 },
            guaranteed: Some(GuaranteedParams {
                ctot: 101,
                dtot: 202,
                csum: 103,
                dsum: 204,
                ..Default::default()
            }),
            controlled_load: Some(ServiceParams::default()),
            null: None,
        };
        assert_eq!(through(&mut b, &full()), expected);
    }
}

/// RFC 2205 section 3.1.3: the ADSPECs that leave through different interfaces differ.
#[test]
fn each_interface_composes_its_own() {
    for mut b in Bench::both() {
        b.change("d", |i| i.mtu = 576);
        b.takes(&b.message("a1 Path S1{9B}").adspec(&full()));
        let mtu = |letter: &str| {
            let sent = b.sent.iter().find(|s| s.interface == interface(letter)).expect("sent");
            sent.get::<AdspecSummary>().global.mtu
        };
        assert_eq!((mtu("c"), mtu("d")), (1500, 576));
    }
}

/// RFC 2215 sections 3.3 and 3.5: what is smaller upstream stays.
#[test]
fn a_smaller_bandwidth_and_mtu_of_the_path_so_far_stay() {
    for mut b in Bench::both() {
        let mut adspec = full();
        (adspec.global.bandwidth, adspec.global.mtu) = (5e4, 576);
        let global = through(&mut b, &adspec).global;
        assert_eq!((global.bandwidth, global.mtu), (5e4, 576));
    }
}

/// RFC 2215 sections 3.2 and 3.4: the hop count ends at 255, latency at 2^32 - 1 (indeterminate).
#[test]
fn counts_and_sums_stop_at_their_largest_value() {
    for mut b in Bench::both() {
        let mut adspec = full();
        (adspec.global.hops, adspec.global.latency_us) = (255, u32::MAX - 10);
        if let Some(guaranteed) = &mut adspec.guaranteed {
            (guaranteed.ctot, guaranteed.dsum) = (u32::MAX, u32::MAX - 1);
        }
        let sent = through(&mut b, &adspec);
        assert_eq!((sent.global.hops, sent.global.latency_us), (255, u32::MAX));
        let guaranteed = sent.guaranteed.expect("it is there");
        assert_eq!((guaranteed.ctot, guaranteed.dsum), (u32::MAX, u32::MAX));
    }
}

/// RFC 2205 section 3.8, RFC 2210 section 3.3.2: TTL and Send_TTL that differ tell of hops without RSVP.
#[test]
fn the_global_break_bit_is_set_behind_hops_without_rsvp() {
    for mut b in Bench::both() {
        let sent: AdspecSummary = sent_on_c(&mut b, written(&full()), 58).get();
        assert!(sent.global.break_bit);
        assert!(!sent.controlled_load.expect("it is there").break_bit);
        let sent: AdspecSummary = sent_on_c(&mut b, written(&full()), 60).get();
        assert!(!sent.global.break_bit, "and is not there when they agree again");
    }
}

/// The break bit in the only event there is, for a Path of S1 with this ADSPEC and these TTLs; none without an event.
fn told(b: &mut Bench, adspec: &AdspecSummary, ttl: u8, send_ttl: u8) -> Option<bool> {
    b.forget();
    b.takes(&b.message("a1 Path S1{9B}").adspec(adspec).ttl(ttl).with(|m| m.send_ttl = send_ttl));
    let event = b.events.pop()?;
    assert!(b.events.is_empty(), "{:?}", b.events);
    let EventKind::Path { adspec: Some(adspec), .. } = event.kind else { panic!("{event:?}") };
    Some(adspec.global.break_bit)
}

/// RFC 2205 section 3.8, RFC 2210 section 2.2: a receiver is told of hops without RSVP just before its own node, too, which
/// nobody else can see; and when they come and go.
#[test]
fn a_receiver_is_told_of_hops_without_rsvp_just_before_it() {
    for mut b in Bench::both() {
        b.opens(1);
        assert_eq!(told(&mut b, &full(), 60, 60), Some(false));
        assert_eq!(told(&mut b, &full(), 58, 60), Some(true));
        assert_eq!(told(&mut b, &full(), 58, 60), None, "nothing new");
        // Whoever opens the session later hears the same.
        b.opens(2);
        let told_late = b.events.iter().any(|event| {
            matches!(&event.kind, EventKind::Path { adspec: Some(adspec), .. } if adspec.global.break_bit)
        });
        assert!(told_late, "{:?}", b.events);
        b.releases(2);
        assert_eq!(told(&mut b, &full(), 60, 60), Some(false));
        // What is broken already does not change.
        let mut broken = full();
        broken.global.break_bit = true;
        assert_eq!(told(&mut b, &broken, 60, 60), Some(true));
        assert_eq!(told(&mut b, &broken, 58, 60), None);
    }
}

/// RFC 2205 section 2.3: what changes in a Path is forwarded at once; here it is only what the TTL was when it was sent.
#[test]
fn a_hop_without_rsvp_that_comes_and_goes_is_passed_on_at_once() {
    for mut b in Bench::both() {
        for (send_ttl, broken) in [(58, false), (60, true), (58, false)] {
            b.forget();
            b.takes(&b.message("a1 Path S1{9B}").adspec(&full()).ttl(58).with(|m| m.send_ttl = send_ttl));
            let sent = b.sent.iter().find(|s| s.interface == interface("c")).expect("a Path leaves");
            assert_eq!(sent.get::<AdspecSummary>().global.break_bit, broken);
        }
    }
}

/// RFC 2205 section 3.8: "the TTL is not always a reliable indicator", so an interface may know better.
#[test]
fn an_interface_may_know_better_than_the_ttl() {
    for mut b in Bench::both() {
        b.opens(1).change("a", |i| i.non_rsvp_hops = NonRsvpHops::Never);
        assert_eq!(told(&mut b, &full(), 58, 60), Some(false));
        // As of the next Path.
        b.change("a", |i| i.non_rsvp_hops = NonRsvpHops::Always);
        assert_eq!(told(&mut b, &full(), 58, 60), Some(true));
        assert_eq!(told(&mut b, &full(), 60, 60), None);
        assert!(b.sent.iter().any(|s| s.get::<AdspecSummary>().global.break_bit), "downstream, too");
        b.change("b", |i| i.non_rsvp_hops = NonRsvpHops::Always);
        b.change("a", |i| i.non_rsvp_hops = NonRsvpHops::ByTtl);
        assert_eq!(told(&mut b, &full(), 60, 60), Some(false), "it is the interface of arrival that counts");
    }
}

/// RFC 2210 section 3.3.2: once set upstream it stays.
#[test]
fn a_break_bit_from_upstream_stays() {
    for mut b in Bench::both() {
        let mut adspec = full();
        adspec.global.break_bit = true;
        adspec.controlled_load = Some(ServiceParams { break_bit: true, ..Default::default() });
        let sent = through(&mut b, &adspec);
        assert!(sent.global.break_bit && sent.controlled_load.expect("it is there").break_bit);
        assert!(!sent.guaranteed.expect("it is there").break_bit);
    }
}

/// RFC 2210 section 3.3.3: an empty fragment becomes a full one, composed from zeros, its break bit preserved.
#[test]
fn an_empty_guaranteed_fragment_is_expanded() {
    for mut b in Bench::both() {
        for break_bit in [true, false] {
            let mut octets = written(&AdspecSummary { guaranteed: None, controlled_load: None, ..full() });
            octets.extend_from_slice(&[2, u8::from(break_bit) << 7, 0, 0]);
            octets[0..2].copy_from_slice(&48_u16.to_be_bytes());
            octets[6..8].copy_from_slice(&10_u16.to_be_bytes());
            let sent = sent_on_c(&mut b, octets, 60);
            assert_eq!(sent.objects(13)[0].len(), 48 + 32);
            let guaranteed = sent.get::<AdspecSummary>().guaranteed.expect("it is there");
            let expected = GuaranteedParams {
                break_bit,
                ctot: 100,
                dtot: 200,
                csum: 100,
                dsum: 200,
                overrides: Overrides::default(),
            };
            assert_eq!(guaranteed, expected);
        }
    }
}

/// RFC 2210 section 3.3.5: service-specific values are composed like the general ones they override.
#[test]
fn overrides_are_composed() {
    for mut b in Bench::both() {
        let mut adspec = full();
        let overrides =
            Overrides { hops: Some(7), bandwidth: Some(9e6), latency_us: Some(10), mtu: Some(600) };
        adspec.controlled_load = Some(ServiceParams { break_bit: false, overrides });
        let sent = through(&mut b, &adspec).controlled_load.expect("it is there").overrides;
        let expected =
            Overrides { hops: Some(8), bandwidth: Some(1e6), latency_us: Some(80), mtu: Some(600) };
        assert_eq!(sent, expected);
    }
}

/// RFC 2210 section 3.3.1: a service this node does not have gets its break bit, its data unchanged.
#[test]
fn an_unknown_service_gets_its_break_bit() {
    for mut b in Bench::both() {
        let mut octets = written(&AdspecSummary { guaranteed: None, controlled_load: None, ..full() });
        // Parameter 10 would be an MTU to compose if the service were one that has general parameters here.
        let data = [200, 0, 0, 1, 1, 2, 3, 4, 10, 0, 0, 1, 0, 0, 0xff, 0xff];
        octets.extend_from_slice(&[&[77, 0, 0, 4][..], &data].concat());
        octets[0..2].copy_from_slice(&64_u16.to_be_bytes());
        octets[6..8].copy_from_slice(&14_u16.to_be_bytes());
        let sent = sent_on_c(&mut b, octets, 60);
        let adspec = &sent.objects(13)[0];
        assert_eq!(adspec[44..], [&[77, 0x80, 0, 4][..], &data].concat());
    }
}

/// RFC 2210 section 2.2: without an ADSPEC from the sender none is made up.
#[test]
fn a_path_without_adspec_leaves_without() {
    for mut b in Bench::both() {
        b.opens(1);
        b.takes(&b.message("a1 Path S1{9B}").ttl(58));
        let EventKind::Path { adspec: None, .. } = b.events[0].kind else { panic!("{:?}", b.events) };
        assert!(b.sent.len() == 2 && b.sent.iter().all(|s| s.objects(13).is_empty()));
        b.forget();
        b.takes(&b.message("a1 Path S1{9B}").adspec(&full()));
        assert_eq!(b.sent.len(), 2, "an ADSPEC that appears is a change");
        assert!(b.sent.iter().all(|s| s.objects(13).len() == 1), "and goes on");
    }
}
