//! The arithmetic of conformance, over hours of virtual time.

use super::{Meter, Nanos};
use crate::Traffic;
use crate::pace::PaceError;

const SECOND: Nanos = 1_000_000_000;
/// The grid of a coarse timer.
const TICK: Nanos = 1_000_000;

fn traffic(rate_bps: f64, bucket: f64) -> Traffic {
    Traffic { bucket, min_packet: 64, max_packet: 1500, ..Traffic::of(rate_bps) }
}

fn meter(traffic: Traffic) -> Meter {
    Meter::new(traffic, SECOND).expect("sound traffic")
}

/// Sends packets without a pause by a timer that wakes `late` after each is due; gives times and lengths.
fn shaped(
    meter: &mut Meter,
    lengths: impl IntoIterator<Item = u64>,
    late: impl Fn(Nanos) -> Nanos,
) -> Vec<(Nanos, u64)> {
    let mut now = SECOND;
    let mut sent = Vec::new();
    for length in lengths {
        let due = meter.due(length, now).expect("it fits");
        if due > now {
            now = late(due);
        }
        meter.take(length, due);
        sent.push((now, length));
    }
    sent
}

/// Whether a bucket of that rate and depth, full at first, has room for all of it. Octets times 10^9.
fn fits(sent: &[(Nanos, u64)], rate: u64, depth: u64) -> bool {
    let (rate, depth) = (i128::from(rate), i128::from(depth) * 1_000_000_000);
    let (mut level, mut at) = (depth, sent[0].0);
    sent.iter().all(|&(now, length)| {
        level = (level + i128::from(now - at) * rate).min(depth) - i128::from(length) * 1_000_000_000;
        at = now;
        level >= 0
    })
}

#[test]
fn what_is_in_the_bucket_leaves_at_once_and_the_rest_with_the_rate() {
    let mut meter = meter(traffic(8e6, 3000.0));
    let sent = shaped(&mut meter, [1000; 6], |due| due);
    let ms: Vec<_> = sent.iter().map(|(at, _)| (at - SECOND) / TICK).collect();
    assert_eq!(ms, [0, 0, 0, 1, 2, 3]);
}

/// A hundred seconds at rates that no nanosecond divides: as many octets as the rate says, to the packet.
#[test]
fn nothing_is_rounded_away() {
    for rate in [124_999u64, 333_333, 2_500_001] {
        let mut meter = meter(traffic(rate as f64 * 8.0, 1500.0));
        let packets = rate * 100 / 777;
        let sent = shaped(&mut meter, std::iter::repeat_n(777, packets as usize), |due| due);
        let took = sent[sent.len() - 1].0 - SECOND;
        let expected = u128::from(packets * 777 - 1500) * u128::from(SECOND) / u128::from(rate);
        // A wait is rounded up to a nanosecond, and what that is too much is kept for the next.
        assert!((expected..=expected + 1).contains(&u128::from(took)), "{rate}: {took}, not {expected}");
    }
}

/// On a grid of a millisecond the rate is r, as long as b covers a tick; and nobody's bucket overflows.
#[test]
fn a_late_timer_loses_no_rate() {
    for (rate, bucket) in [(125_000u64, 1500u64), (2_500_000, 5000), (12_500_000, 15_000)] {
        let mut meter = meter(traffic(rate as f64 * 8.0, bucket as f64));
        let packets = rate * 10 / 1250;
        let sent = shaped(&mut meter, std::iter::repeat_n(1250, packets as usize), |due| {
            // At the tick after the one in which it is due.
            (due / TICK + 1) * TICK
        });
        let took = sent[sent.len() - 1].0 - SECOND;
        let expected = (packets * 1250 - bucket) * SECOND / rate;
        assert!(took >= expected && took <= expected + TICK, "{rate}: {took}, not {expected}");
        assert!(fits(&sent, rate, bucket + 1250), "{rate}");
    }
}

/// However long the timer sleeps: after it, b and the packet that was due, and no more.
#[test]
fn the_receivers_bucket_never_overflows() {
    let (rate, bucket) = (250_000u64, 4000u64);
    let mut meter = meter(traffic(rate as f64 * 8.0, bucket as f64));
    let mut seed = 1u64;
    let lengths: Vec<u64> = (0..20_000u64).map(|n| 64 + n * 7919 % 1437).collect();
    let lateness: Vec<Nanos> = std::iter::repeat_with(|| {
        // Small numbers mostly, now and then a stall of up to 130 ms.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = seed >> 33;
        if drawn.is_multiple_of(50) { drawn % (1 << 27) } else { drawn % 300_000 }
    })
    .take(64)
    .collect();
    let sent = shaped(&mut meter, lengths, |due| due + lateness[(due % 61) as usize]);
    assert!(fits(&sent, rate, bucket + 1500));
    assert!(!fits(&sent, rate, bucket - 500), "the bound is of use");
    for start in (0..sent.len()).step_by(97) {
        assert!(fits(&sent[start..], rate, bucket + 1500), "from any packet on");
    }
}

#[test]
fn the_peak_bounds_bursts() {
    let mut meter = meter(Traffic { peak_bps: Some(16e6), ..traffic(8e6, 15_000.0) });
    let sent = shaped(&mut meter, [1500; 40], |due| due);
    assert!(fits(&sent, 2_000_000, 1500) && fits(&sent, 1_000_000, 15_000));
    // The bucket's 15,000 and what comes together meanwhile leave at 2 octets a microsecond, what follows at 1.
    let gap = |n: usize| (sent[n].0 - sent[n - 1].0) / 1000;
    assert_eq!((gap(1), gap(17), gap(39)), (750, 750, 1500));
}

#[test]
fn small_packets_count_as_the_minimum_and_large_ones_never_conform() {
    let mut meter = meter(Traffic { min_packet: 500, ..traffic(8000.0, 1500.0) });
    for _ in 0..3 {
        assert!(meter.conforms(28, SECOND));
        meter.take(28, SECOND);
    }
    assert!(!meter.conforms(28, SECOND));
    assert_eq!(meter.due(28, SECOND), Some(SECOND + SECOND / 2));
    assert_eq!(meter.due(1501, SECOND), None);
    assert!(!meter.conforms(1501, 1000 * SECOND));
}

/// A packet that does not conform takes nothing.
#[test]
fn exactly_what_fits_conforms() {
    let mut meter = meter(traffic(8e6, 3000.0));
    let conform = |meter: &mut Meter, at| {
        let conforms = meter.conforms(1000, at);
        if conforms {
            meter.take(1000, at);
        }
        conforms
    };
    let found: Vec<_> = (0..12u64).map(|n| conform(&mut meter, SECOND + n * TICK / 4)).collect();
    // Three of the bucket, and then as a quarter of a packet comes with each.
    let expected = [true, true, true, false, true, false, false, false, true, false, false, false];
    assert_eq!(found, expected);
}

#[test]
fn what_is_no_traffic_is_refused() {
    let refused = |traffic| Meter::new(traffic, 0).expect_err("no traffic");
    for rate in [0.0, -1.0, 7.9, f64::NAN, f64::INFINITY] {
        assert!(matches!(refused(traffic(rate, 1500.0)), PaceError::Rate(_)), "{rate}");
    }
    for bucket in [0.0, 1499.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(refused(traffic(1e6, bucket)), PaceError::Bucket { .. }), "{bucket}");
    }
    for peak in [0.0, 999_999.0, f64::NAN] {
        let refused = refused(Traffic { peak_bps: Some(peak), ..traffic(1e6, 1500.0) });
        assert!(matches!(refused, PaceError::Peak { .. }), "{peak}");
    }
    let sizes = Traffic { min_packet: 1501, ..traffic(1e6, 1500.0) };
    assert!(matches!(refused(sizes), PaceError::Sizes { min: 1501, max: 1500 }));
    let unlimited = Traffic { peak_bps: Some(f64::INFINITY), ..traffic(1e6, 1500.0) };
    assert!(Meter::new(unlimited, 0).expect("a peak that is none").peak.is_none());
}
