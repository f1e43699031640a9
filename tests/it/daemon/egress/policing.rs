//! What conforms to token buckets, counted to the billionth of an octet.

use super::frame::{ETHERNET, Frame, UDP};
use super::{Bench, addresses, attached, in_class};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use rsvpd::data_plane::bpf::{
    Filter, Flow, FlowId, Limits, MOST_RATE, Mode, Outcome, Segments, Statistics, Treatment, Trial,
};
use std::time::Duration;

const NANO: i128 = 1_000_000_000;

fn limits(rate: u64, bucket: u32) -> Limits {
    Limits { rate, bucket, ..Limits::default() }
}

/// A flow whose excess is in class 0x10002, and a frame of it that is this long.
fn policed(bench: &mut Bench, is_v6: bool, limits: Limits, length: usize) -> (FlowId, Frame) {
    let [from, to, _] = addresses(is_v6);
    let excess = Treatment { class: Some(0x10002), ..Treatment::default() };
    let flow = Flow { mode: Mode::Borrow, limits, excess, ..in_class(0x10001) };
    let key = bench.key(to, UDP, 5000, Filter::Any);
    (bench.flow(&flow, &key), Frame::udp(from, 4000, to, 5000).of_length(length))
}

/// A flow like that whose bucket has been empty, and is now so large that it will not be full again while the test runs,
/// even if the machine does something else for a while.
fn drained(bench: &mut Bench, is_v6: bool, rate: u64, length: usize) -> (FlowId, Frame) {
    let (id, frame) = policed(bench, is_v6, limits(rate, 3000), length);
    while bench.counted(id).excess.packets < 1000 {
        bench.again(&frame, 10_000);
    }
    let excess = Treatment { class: Some(0x10002), ..Treatment::default() };
    let flow = Flow { mode: Mode::Borrow, limits: limits(rate, u32::MAX), excess, ..in_class(0x10001) };
    bench.egress.change_flow(id, &flow).expect("a change");
    (id, frame)
}

/// What was let through between two moments is what the bucket had then, has now, and got.
fn is_exact(rate: u64, length: u64, before: &Statistics, after: &Statistics) {
    let packets = after.conforming.packets - before.conforming.packets;
    assert_eq!(after.conforming.octets - before.conforming.octets, packets * length, "whole packets");
    let through = i128::from(packets * length) * NANO;
    let took = (after.last - before.last).as_nanos() as i128;
    let had = i128::from(before.level) - i128::from(after.level);
    assert_eq!(through, had + took * i128::from(rate), "{before:?} {after:?}");
}

#[test]
fn a_bucket_lets_through_what_it_got_and_no_octet_more() {
    attached("exact policing", |bench| {
        for (is_v6, length) in [(false, 100), (true, 1400)] {
            let rate = if length == 100 { 12_500_000 } else { 125_000_000 };
            let (id, frame) = drained(bench, is_v6, rate, length);
            let before = bench.counted(id);
            bench.again(&frame, 400_000);
            let after = bench.counted(id);
            is_exact(rate, length as u64, &before, &after);
            let tried = |s: &Statistics| s.conforming.packets + s.excess.packets;
            assert_eq!(tried(&after) - tried(&before), 400_000);
            bench.egress.remove_flow(id).expect("it was there");
        }
    });
}

#[test]
fn two_senders_on_two_processors_share_a_bucket_exactly() {
    attached("two processors", |bench| {
        let (id, frame) = drained(bench, false, 12_500_000, 100);
        let [from, to, _] = addresses(false);
        let frames = [4000, 4001].map(|port| Frame { ports: (port, 5000), ..frame.clone() });
        for Frame { ports, .. } in &frames {
            let key = bench.key(to, UDP, 5000, Filter::Sender(from, ports.0));
            bench.egress.set_key(&key, id).expect("a key");
        }
        let before = bench.counted(id);
        let processors = std::thread::available_parallelism().map_or(1, usize::from).min(2);
        std::thread::scope(|scope| {
            for (processor, frame) in frames.iter().enumerate() {
                let bench = &*bench;
                scope.spawn(move || {
                    let mut only = CpuSet::new();
                    only.set(processor % processors).expect("a processor");
                    sched_setaffinity(Pid::from_raw(0), &only).expect("a thread of our own");
                    for _ in 0..20 {
                        bench.again(frame, 20_000);
                    }
                });
            }
        });
        let after = bench.counted(id);
        is_exact(12_500_000, 100, &before, &after);
        let tried = |s: &Statistics| s.conforming.packets + s.excess.packets;
        assert_eq!(tried(&after) - tried(&before), 800_000);
    });
}

#[test]
fn all_keys_of_a_flow_share_its_bucket() {
    attached("one bucket", |bench| {
        let [from, to, other] = addresses(false);
        let (id, frame) = policed(bench, false, limits(1, 250), 100);
        let key = bench.key(to, UDP, 5000, Filter::Sender(other, 4000));
        bench.egress.set_key(&key, id).expect("a key");
        // The wildcard's, the one's by its own key, and again a packet that only the wildcard fits.
        let senders = [(from, 4000), (other, 4000), (other, 4001)];
        let classes = senders
            .map(|(source, port)| bench.class_of(&Frame { source, ports: (port, 5000), ..frame.clone() }));
        assert_eq!(classes, [0x10001, 0x10001, 0x10002]);
    });
}

#[test]
fn slowest_and_fastest_rates_and_the_largest_bucket_do_not_overflow() {
    attached("extremes", |bench| {
        for rate in [1, MOST_RATE] {
            for bucket in [1500, u32::MAX] {
                let (id, frame) = policed(bench, false, limits(rate, bucket), 1500);
                let full = i64::from(bucket) * NANO as i64;
                assert_eq!(bench.counted(id).level, full);
                assert_eq!(bench.class_of(&frame), 0x10001);
                let before = bench.counted(id);
                assert_eq!(before.level, full - 1500 * NANO as i64, "the first packet is paid by the bucket");
                bench.class_of(&frame);
                let after = bench.counted(id);
                let got = (after.last - before.last).as_nanos() as i128 * i128::from(rate);
                let level = (i128::from(before.level) + got).min(full.into());
                let paid = if level >= 1500 * NANO { 1500 * NANO } else { 0 };
                assert_eq!(i128::from(after.level), level - paid, "rate {rate}, bucket {bucket}");
                bench.egress.remove_flow(id).expect("it was there");
            }
        }
    });
}

#[test]
fn small_packets_cost_the_minimum_policed_unit() {
    attached("minimum policed unit", |bench| {
        let limits = Limits { min_policed: 500, ..limits(1, 1500) };
        let (id, frame) = policed(bench, false, limits, 100);
        let classes: Vec<u32> = (0..4).map(|_| bench.class_of(&frame)).collect();
        assert_eq!(classes, [0x10001, 0x10001, 0x10001, 0x10002]);
        assert_eq!(bench.counted(id).conforming.octets, 300, "what is counted is what was sent");
    });
}

#[test]
fn larger_packets_than_the_maximum_do_not_conform() {
    attached("maximum packet size", |bench| {
        for peak in [None, Some(MOST_RATE)] {
            let limits = Limits { max_packet: Some(600), peak, ..limits(MOST_RATE, u32::MAX) };
            let (id, frame) = policed(bench, true, limits, 600);
            assert_eq!(bench.class_of(&frame), 0x10001, "{peak:?}");
            assert_eq!(bench.class_of(&frame.of_length(601)), 0x10002, "{peak:?}");
            bench.egress.remove_flow(id).expect("it was there");
        }
    });
}

#[test]
fn both_buckets_have_to_hold_a_packet_and_neither_pays_for_one_that_does_not_conform() {
    attached("peak rate", |bench| {
        // At one octet a second nothing is filled again while the test runs (an hour would be 3,600 octets).
        let limits = Limits { peak: Some(1), max_packet: Some(1500), ..limits(1, 100_000) };
        let (id, frame) = policed(bench, false, limits, 1000);
        let classes: Vec<u32> = (0..3).map(|_| bench.class_of(&frame)).collect();
        assert_eq!(classes, [0x10001, 0x10002, 0x10002]);
        let counted = bench.counted(id);
        let whole = |level: i64| (level as f64 / NANO as f64).floor();
        assert_eq!(counted.conforming.packets, 1);
        assert!((99_000.0..99_100.0).contains(&whole(counted.level)), "{counted:?}");
        assert!((500.0..600.0).contains(&whole(counted.peak_level)), "{counted:?}");
        // The other way round: the peak's bucket holds it, the token bucket does not.
        let limits = Limits { peak: Some(MOST_RATE), bucket: 1500, ..limits };
        bench.egress.remove_flow(id).expect("it was there");
        let (id, frame) = policed(bench, false, limits, 1000);
        let classes: Vec<u32> = (0..2).map(|_| bench.class_of(&frame)).collect();
        assert_eq!(classes, [0x10001, 0x10002]);
        assert_eq!(bench.counted(id).peak_level, 1500 * NANO as i64, "full, and not charged by the second");
    });
}

/// A super-packet of 30 packets of 100 octets behind headers of 42 or 62. Trials take no larger ones.
fn super_packet(bench: &Bench, is_v6: bool) -> Outcome {
    let [from, to, _] = addresses(is_v6);
    let headers = if is_v6 { 48 } else { 28 };
    let frame = Frame::udp(from, 4000, to, 5000).of_length(headers + 30 * 100).octets();
    let segments = Segments { count: 30, size: 100, headers: (ETHERNET + headers) as u32 };
    let trial =
        Trial { interface: bench.interface, frame: &frame, class: 0, repeat: 1, segments: Some(segments) };
    bench.egress.try_packet(&trial).expect("it runs")
}

#[test]
fn a_super_packet_conforms_by_its_first_packet_and_is_charged_whole() {
    attached("super-packets", |bench| {
        for is_v6 in [false, true] {
            let each = if is_v6 { 148 } else { 128 };
            let (id, _) = policed(bench, is_v6, limits(1, 200), 100);
            assert_eq!(super_packet(bench, is_v6).class, 0x10001);
            let counted = bench.counted(id);
            assert_eq!((counted.conforming.packets, counted.conforming.octets), (30, 30 * each));
            assert_eq!(counted.level, (200 - 30 * each as i64) * NANO as i64, "below zero, and exactly");
            assert_eq!(super_packet(bench, is_v6).class, 0x10002);
            assert_eq!(bench.counted(id).excess.packets, 30);
            bench.egress.remove_flow(id).expect("it was there");
            // A bucket that is one octet too small for the first.
            let (id, _) = policed(bench, is_v6, limits(1, each as u32 - 1), 100);
            assert_eq!(super_packet(bench, is_v6).class, 0x10002);
            bench.egress.remove_flow(id).expect("it was there");
            // Each counts at least m; M is about the packets, not about all of them.
            let most = Limits { min_policed: 2000, max_packet: Some(each as u32), ..limits(1, 2000) };
            let (id, _) = policed(bench, is_v6, most, 100);
            assert_eq!(super_packet(bench, is_v6).class, 0x10001);
            assert_eq!(bench.counted(id).level, (2000 - 30 * 2000) * NANO as i64);
            bench.egress.remove_flow(id).expect("it was there");
        }
    });
}

#[test]
fn a_change_in_place_keeps_what_is_in_the_bucket() {
    attached("a change of limits", |bench| {
        let (id, frame) = policed(bench, false, limits(1, 3000), 1000);
        bench.class_of(&frame);
        let level = |bench: &Bench| bench.counted(id).level / NANO as i64;
        assert_eq!(level(bench), 2000);
        let with = |limits| Flow { mode: Mode::Borrow, limits, ..in_class(0x10001) };
        bench.egress.change_flow(id, &with(limits(1, 1500))).expect("a change");
        bench.class_of(&frame);
        assert_eq!(level(bench), 500, "no more than the smaller bucket");
        bench.egress.change_flow(id, &with(limits(1, 100_000))).expect("a change");
        bench.class_of(&frame);
        assert!((500..600).contains(&level(bench)), "a larger one is filled at r");
        let counted = bench.counted(id);
        assert_eq!((counted.conforming.packets, counted.excess.packets), (2, 1));
        assert!(counted.last > Duration::ZERO);
    });
}
