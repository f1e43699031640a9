//! The token buckets of a TSpec: (r, b) and (p, M), with the minimum policed unit m (RFC 2211 section 3.1, RFC 2212 "Policing").
//!
//! Rates are in billionths of an octet a second, levels in billionths of that, so that a rate times nanoseconds leaves no remainder.

use rsvp_wire::Tspec;

/// Of a level.
pub(super) const SCALE: u128 = 1_000_000_000_000_000_000;

/// A rate of a TSpec in billionths of an octet a second.
pub(super) fn rate(octets_per_second: f32) -> u128 {
    (f64::from(octets_per_second) * 1e9).round() as u128
}

/// Both buckets, full at first.
#[derive(Clone, Debug)]
pub(super) struct Policer {
    buckets: Vec<Bucket>,
    min_policed: u32,
    max_packet: u32,
}

#[derive(Clone, Debug)]
struct Bucket {
    rate: u128,
    depth: u128,
    level: u128,
    at_ns: u64,
}

impl Policer {
    pub(super) fn new(tspec: &Tspec, now_ns: u64) -> Self {
        let bucket = |octets_per_second: f32, depth: f64| {
            let depth = depth.max(0.0) as u128 * SCALE;
            Bucket { rate: rate(octets_per_second), depth, level: depth, at_ns: now_ns }
        };
        let mut buckets = vec![bucket(tspec.rate, f64::from(tspec.bucket))];
        if tspec.peak.is_finite() {
            buckets.push(bucket(tspec.peak, f64::from(tspec.max_packet_size)));
        }
        Self { buckets, min_policed: tspec.min_policed_unit, max_packet: tspec.max_packet_size }
    }

    /// Takes over how full the buckets of another are; what does not fit runs over.
    pub(super) fn go_on(&mut self, from: &Self) {
        for (bucket, before) in self.buckets.iter_mut().zip(&from.buckets) {
            bucket.level = before.level.min(bucket.depth);
            bucket.at_ns = before.at_ns;
        }
    }

    /// Whether a packet conforms; it is charged only then.
    pub(super) fn conforms(&mut self, octets: u32, now_ns: u64) -> bool {
        let charge = u128::from(octets.max(self.min_policed)) * SCALE;
        for bucket in &mut self.buckets {
            let gained = bucket.rate.saturating_mul(u128::from(now_ns - bucket.at_ns));
            bucket.level = bucket.level.saturating_add(gained).min(bucket.depth);
            bucket.at_ns = now_ns;
        }
        let fits = octets <= self.max_packet && self.buckets.iter().all(|bucket| bucket.level >= charge);
        if fits {
            self.buckets.iter_mut().for_each(|bucket| bucket.level -= charge);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_what_the_bucket_lets_through() {
        // 1,000 octets a second, 3,000 at once, 500 octets counted at least.
        let tspec = Tspec {
            rate: 1000.0,
            bucket: 3000.0,
            peak: f32::INFINITY,
            min_policed_unit: 500,
            max_packet_size: 1500,
        };
        let mut policer = Policer::new(&tspec, 0);
        let passed = |policer: &mut Policer, octets, at: u64| policer.conforms(octets, at);
        assert_eq!(
            [1000, 1000, 1000, 1].map(|octets| passed(&mut policer, octets, 0)),
            [true, true, true, false]
        );
        // After half a second there are 500 octets, and not one nanosecond sooner.
        assert!(!passed(&mut policer, 100, 499_999_999));
        assert!(passed(&mut policer, 100, 500_000_000), "counts as 500");
        assert!(!passed(&mut policer, 1, 500_000_001));
        // Never more than the depth, and nothing above M.
        assert!(!passed(&mut policer, 1501, 60_000_000_000));
        let at = 60_000_000_000;
        assert_eq!([1500, 1500, 500].map(|octets| passed(&mut policer, octets, at)), [true, true, false]);
    }

    #[test]
    fn the_peak_counts_too() {
        let tspec =
            Tspec { rate: 1000.0, bucket: 3000.0, peak: 2000.0, min_policed_unit: 0, max_packet_size: 1000 };
        let mut policer = Policer::new(&tspec, 0);
        assert!(policer.conforms(1000, 0));
        assert!(!policer.conforms(1000, 499_999_999) && policer.conforms(1000, 500_000_000));
        let mut wider = Policer::new(&Tspec { bucket: 9000.0, ..tspec }, 0);
        wider.go_on(&policer);
        assert!(!wider.conforms(1000, 500_000_000), "what was used stays used");
    }
}
