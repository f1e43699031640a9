//! The arithmetic of a receiver that wants a delay: from what the path offers and the delay to R and S of Guaranteed
//! service (RFC 2212).
//!
//! With the token bucket (r, b, p, M) of the sender and the error terms Ctot and Dtot of the path, the end-to-end
//! queueing delay is at most
//!
//! ```text
//! (b-M)/R * (p-R)/(p-r) + (M+Ctot)/R + Dtot     for p > R >= r
//!                         (M+Ctot)/R + Dtot     for R >= p >= r
//! ```
//!
//! ("End-to-End Behavior"). Pure functions for applications; the engine itself chooses no rate.

use crate::units::show_rate;
use core::time::Duration;
use rsvp_wire::{AdspecSummary, GuaranteedParams, Rspec, Tspec};
use thiserror::Error;

/// Microseconds in a second: delays are in the one, rates per the other.
const US: f64 = 1e6;

/// Why there is no rate for a delay.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum NoRate {
    /// The sender has left the service out of its ADSPEC, so it should not be used (RFC 2210 section 2.2).
    #[error("the sender does not offer Guaranteed service")]
    NotOffered,
    /// The global break bit: nothing that the ADSPEC says holds for the whole path (RFC 2210 section 2.3.1).
    #[error("a router on the path does not speak RSVP, and bounds nothing")]
    NonRsvpHop,
    /// The break bit of the service.
    #[error("a router on the path does not do Guaranteed service")]
    Break,
    /// Ctot or Dtot is as large as it can be, which is what larger ones are told as (RFC 2212, "Exported Information").
    #[error("the error terms of the path are larger than can be told")]
    Unbounded,
    /// The fixed part of the delay is as long already, whatever is reserved.
    #[error("no rate is enough: the path alone takes {fixed_us} us")]
    TooShort {
        /// Dtot and the latency of the path, in microseconds.
        fixed_us: u64,
    },
    /// The path has no room for the rate that it takes.
    #[error("it would take {}, and the path has {}", show_rate(*rate_bps), show_rate(*path_bps))]
    BeyondPath {
        /// The rate it would take, in bits per second.
        rate_bps: f64,
        /// The bandwidth of the path, in bits per second.
        path_bps: f64,
    },
}

/// The longest that a conforming packet is queued on the way when `rate` (octets per second, at least r) is reserved,
/// in microseconds: RFC 2212, "End-to-End Behavior". The latency of the path is not in it.
#[must_use]
pub fn queueing_bound_us(tspec: &Tspec, rate: f32, ctot: u32, dtot_us: u32) -> f64 {
    let (r, p, rate) = (f64::from(tspec.rate), f64::from(tspec.peak), f64::from(rate));
    let rate_dependent = (packet(tspec) + f64::from(ctot)) / rate;
    let burst = if p > rate { burst(tspec) / rate * above_peak(p, rate, r) } else { 0.0 };
    (burst + rate_dependent) * US + f64::from(dtot_us)
}

/// The least R with which no packet takes longer than `delay` from end to end, and the slack S that is left where the
/// sender's own rate r is more than enough (RFC 2212, "Guidelines for Implementors": S = Dreq - the delay with R = r).
///
/// The delay is that of queueing and the latency that the path tells of; a path that does not know its latency
/// (RFC 2215 section 3.4) counts as one without.
///
/// # Errors
/// When the path does not have the service, the delay or the rate.
pub fn rspec_for_delay(tspec: &Tspec, adspec: &AdspecSummary, delay: Duration) -> Result<Rspec, NoRate> {
    let terms = bounding_terms(adspec)?;
    let latency_us = terms.overrides.latency_us.unwrap_or(adspec.global.latency_us);
    let latency_us = if latency_us == u32::MAX { 0 } else { latency_us };
    let fixed_us = u64::from(latency_us) + u64::from(terms.dtot);
    let left = (delay.as_secs_f64() * US - fixed_us as f64) / US;
    if left <= 0.0 {
        return Err(NoRate::TooShort { fixed_us });
    }
    let rate = upwards(rate_for(tspec, terms.ctot, left).max(f64::from(tspec.rate)));
    let path = terms.overrides.bandwidth.unwrap_or(adspec.global.bandwidth);
    // A path that does not know its bandwidth (RFC 2215 section 3.3) may have room: admission control will tell.
    if path > 0.0 && rate > path {
        let (rate_bps, path_bps) = (f64::from(rate) * 8.0, f64::from(path) * 8.0);
        return Err(NoRate::BeyondPath { rate_bps, path_bps });
    }
    // Only a rate that could not be any smaller leaves slack that nobody can use otherwise.
    let spare = delay.as_secs_f64() * US
        - f64::from(latency_us)
        - queueing_bound_us(tspec, rate, terms.ctot, terms.dtot);
    let slack = if rate > tspec.rate { 0 } else { spare.max(0.0) as u32 };
    Ok(Rspec { rate, slack })
}

/// The error terms of a path that bounds delays.
///
/// # Errors
/// When it does not.
pub fn bounding_terms(adspec: &AdspecSummary) -> Result<GuaranteedParams, NoRate> {
    match adspec.guaranteed {
        _ if adspec.global.break_bit => Err(NoRate::NonRsvpHop),
        None => Err(NoRate::NotOffered),
        Some(terms) if terms.break_bit => Err(NoRate::Break),
        Some(terms) if terms.ctot == u32::MAX || terms.dtot == u32::MAX => Err(NoRate::Unbounded),
        Some(terms) => Ok(terms),
    }
}

/// The bound solved for R, in octets per second: `left` seconds are there for its first two terms.
fn rate_for(tspec: &Tspec, ctot: u32, left: f64) -> f64 {
    let (r, p) = (f64::from(tspec.rate), f64::from(tspec.peak));
    let fixed = packet(tspec) + f64::from(ctot);
    let at_peak = fixed / left;
    if at_peak >= p || p <= r {
        return at_peak;
    }
    if p.is_infinite() {
        return (burst(tspec) + fixed) / left;
    }
    // k (p-R)/R + fixed/R = left, with k = (b-M)/(p-r).
    let k = burst(tspec) / (p - r);
    (k * p + fixed) / (left + k)
}

/// M, but never more than the bucket lets through at once.
fn packet(tspec: &Tspec) -> f64 {
    f64::from(tspec.max_packet_size).min(f64::from(tspec.bucket))
}

/// b - M.
fn burst(tspec: &Tspec) -> f64 {
    f64::from(tspec.bucket) - packet(tspec)
}

/// (p-R)/(p-r), which is one for an unlimited peak.
fn above_peak(p: f64, rate: f64, r: f64) -> f64 {
    if p.is_infinite() { 1.0 } else { (p - rate) / (p - r) }
}

/// The least of the numbers that travel that is not below.
fn upwards(rate: f64) -> f32 {
    let near = rate as f32;
    if f64::from(near) < rate { near.next_up() } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_wire::{GeneralParams, Overrides};

    /// r = 10000, b = 4000, p = 50000 octets per second, M = 1000.
    const TSPEC: Tspec =
        Tspec { rate: 1e4, bucket: 4e3, peak: 5e4, min_policed_unit: 64, max_packet_size: 1000 };

    fn path(ctot: u32, dtot: u32) -> AdspecSummary {
        AdspecSummary {
            global: GeneralParams { break_bit: false, hops: 3, bandwidth: 1e6, latency_us: 0, mtu: 1500 },
            guaranteed: Some(GuaranteedParams { ctot, dtot, ..GuaranteedParams::default() }),
            controlled_load: None,
            null: None,
        }
    }

    fn us(us: u64) -> Duration {
        Duration::from_micros(us)
    }

    #[test]
    fn the_bound_below_the_peak() {
        // By hand: R = 20000: 3000/20000 * 30000/40000 = 0.1125 s; (1000+500)/20000 = 0.075 s; Dtot 7000 us.
        assert!((queueing_bound_us(&TSPEC, 2e4, 500, 7_000) - 194_500.0).abs() < 1e-6);
        // R = r: 3000/10000 * 1 + 1500/10000 = 0.45 s.
        assert!((queueing_bound_us(&TSPEC, 1e4, 500, 0) - 450_000.0).abs() < 1e-6);
    }

    #[test]
    fn the_bound_at_and_above_the_peak() {
        // 1500/50000 = 0.03 s; 1500/60000 = 0.025 s.
        assert!((queueing_bound_us(&TSPEC, 5e4, 500, 0) - 30_000.0).abs() < 1e-6);
        assert!((queueing_bound_us(&TSPEC, 6e4, 500, 10) - 25_010.0).abs() < 1e-6);
    }

    #[test]
    fn an_unlimited_peak_leaves_b_over_r() {
        // RFC 2212, "Guidelines for Implementors": without knowledge of the peak the delay is b/R + Ctot/R + Dtot.
        let tspec = Tspec { peak: f32::INFINITY, ..TSPEC };
        assert!((queueing_bound_us(&tspec, 2e4, 500, 7) - (4_500.0 / 2e4 * 1e6 + 7.0)).abs() < 1e-6);
    }

    #[test]
    fn the_rate_is_the_bound_read_backwards() {
        // The delays of the two tests above give their rates back.
        let found =
            |delay, ctot, dtot| rspec_for_delay(&TSPEC, &path(ctot, dtot), us(delay)).expect("a rate");
        assert!((found(194_500, 500, 7_000).rate - 2e4).abs() < 0.01);
        assert!((found(25_010, 500, 10).rate - 6e4).abs() < 0.01);
        let tspec = Tspec { peak: f32::INFINITY, ..TSPEC };
        let rspec = rspec_for_delay(&tspec, &path(500, 7), us(225_007)).expect("a rate");
        assert!((rspec.rate - 2e4).abs() < 0.01 && rspec.slack == 0);
    }

    #[test]
    fn the_rate_is_enough_and_hardly_more() {
        for peak in [1e4, 1.5e4, 5e4, f32::INFINITY] {
            for bucket in [500.0, 1e3, 4e3, 1e5] {
                for delay in [12_000, 20_000, 100_000, 400_000] {
                    let tspec = Tspec { peak, bucket, ..TSPEC };
                    let Ok(rspec) = rspec_for_delay(&tspec, &path(900, 2_000), us(delay)) else { continue };
                    let bound = |rate| queueing_bound_us(&tspec, rate, 900, 2_000);
                    assert!(bound(rspec.rate) <= delay as f64 + 0.01, "{tspec:?} {delay}");
                    let less = rspec.rate * 0.999;
                    assert!(rspec.rate == tspec.rate || bound(less) > delay as f64, "{tspec:?} {delay}");
                }
            }
        }
    }

    #[test]
    fn what_r_does_not_need_is_slack() {
        // RFC 2212: S = Dreq - (delay with R = r) = 500 ms - 450 ms.
        let rspec = rspec_for_delay(&TSPEC, &path(500, 0), us(500_000)).expect("a rate");
        assert_eq!((rspec.rate, rspec.slack), (1e4, 50_000));
    }

    #[test]
    fn the_latency_of_the_path_counts_where_it_is_known() {
        let mut adspec = path(500, 7_000);
        adspec.global.latency_us = 1_000;
        let rspec = rspec_for_delay(&TSPEC, &adspec, us(195_500)).expect("a rate");
        assert!((rspec.rate - 2e4).abs() < 0.01);
        // Guaranteed service may have its own (RFC 2210 section 3.3.5).
        adspec.guaranteed.as_mut().expect("offered").overrides =
            Overrides { latency_us: Some(u32::MAX), ..Overrides::default() };
        let rspec = rspec_for_delay(&TSPEC, &adspec, us(194_500)).expect("a rate");
        assert!((rspec.rate - 2e4).abs() < 0.01);
    }

    #[test]
    fn a_path_of_unknown_bandwidth_limits_nothing() {
        let mut adspec = path(500, 7_000);
        adspec.global.bandwidth = 0.0;
        let rspec = rspec_for_delay(&TSPEC, &adspec, us(8_000)).expect("a rate");
        assert!((rspec.rate - 1.5e6).abs() < 1.0);
        // Guaranteed service may have its own, unknown or not.
        let own = |bandwidth| Overrides { bandwidth: Some(bandwidth), ..Overrides::default() };
        adspec.guaranteed.as_mut().expect("offered").overrides = own(1e6);
        assert!(rspec_for_delay(&TSPEC, &adspec, us(8_000)).is_err());
        adspec.global.bandwidth = 1e6;
        adspec.guaranteed.as_mut().expect("offered").overrides = own(0.0);
        assert!(rspec_for_delay(&TSPEC, &adspec, us(8_000)).is_ok());
    }

    #[test]
    fn what_the_path_cannot_do() {
        let mut adspec = path(500, 7_000);
        assert_eq!(rspec_for_delay(&TSPEC, &adspec, us(7_000)), Err(NoRate::TooShort { fixed_us: 7_000 }));
        // (1000+500)/0.001 s = 1.5e6 octets per second.
        let beyond = rspec_for_delay(&TSPEC, &adspec, us(8_000));
        assert!(matches!(beyond, Err(NoRate::BeyondPath { rate_bps, path_bps })
            if (rate_bps - 12e6).abs() < 10.0 && path_bps == 8e6));
        // Neither is zero no bandwidth at all: it is one that nobody on the way knows.
        adspec.global.bandwidth = 0.0;
        assert!(rspec_for_delay(&TSPEC, &adspec, us(8_000)).is_ok_and(|r| (r.rate - 1.5e6).abs() < 10.0));
        adspec.global.break_bit = true;
        assert_eq!(rspec_for_delay(&TSPEC, &adspec, us(500_000)), Err(NoRate::NonRsvpHop));
        adspec.global.break_bit = false;
        adspec.guaranteed.as_mut().expect("offered").break_bit = true;
        assert_eq!(rspec_for_delay(&TSPEC, &adspec, us(500_000)), Err(NoRate::Break));
        for (ctot, dtot) in [(u32::MAX, 0), (0, u32::MAX)] {
            let delay = Duration::from_secs(10_000);
            assert_eq!(rspec_for_delay(&TSPEC, &path(ctot, dtot), delay), Err(NoRate::Unbounded));
        }
        adspec.guaranteed = None;
        assert_eq!(rspec_for_delay(&TSPEC, &adspec, us(500_000)), Err(NoRate::NotOffered));
    }
}
