//! Which packets conform to a TSpec, and when the next one does: token buckets (r, b) and (p, M) of RFC 2215 section 3.6, of
//! times that are given, in whole octets and nanoseconds.
//!
//! A bucket counts octets times 10^9: a rate of r octets per second fills it with exactly r of those in a nanosecond, so nothing
//! is rounded away however long it runs.
//!
//! Whoever waits for a packet to conform takes it out of the bucket at the time at which it was *due*, not at that when a timer
//! woke it. What came together meanwhile is there for the next packet, up to b: a timer that is late costs no rate. And since a
//! packet that is due goes before the next one is looked at, one packet at most is late: what leaves fits a bucket
//! (r, b + one packet).

use super::PaceError;
use crate::Traffic;

/// Nanoseconds since some time in the past.
pub(super) type Nanos = u64;

const PER_SECOND: u128 = 1_000_000_000;

/// A token bucket that fills with a rate up to its depth.
#[derive(Clone, Debug)]
struct Bucket {
    /// Octets per second, not zero.
    rate: u64,
    /// Octets.
    depth: u64,
    /// What was in it at that time, in octets times 10^9.
    level: u128,
    at: Nanos,
}

impl Bucket {
    fn full(rate: u64, depth: u64, at: Nanos) -> Self {
        Self { rate, depth, level: u128::from(depth) * PER_SECOND, at }
    }

    fn level(&self, at: Nanos) -> u128 {
        let since = u128::from(at.saturating_sub(self.at));
        (self.level + since * u128::from(self.rate)).min(u128::from(self.depth) * PER_SECOND)
    }

    /// When so many octets are in it, from then on; `None` when it is not as deep.
    fn due(&self, octets: u64, from: Nanos) -> Option<Nanos> {
        let from = from.max(self.at);
        let missing = (u128::from(octets) * PER_SECOND).saturating_sub(self.level(from));
        let wait = missing.div_ceil(u128::from(self.rate));
        let due = from.saturating_add(u64::try_from(wait).unwrap_or(u64::MAX));
        (octets <= self.depth).then_some(due)
    }

    fn take(&mut self, octets: u64, at: Nanos) {
        self.level = self.level(at).saturating_sub(u128::from(octets) * PER_SECOND);
        self.at = self.at.max(at);
    }
}

/// What a TSpec leaves to send.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    /// (r, b).
    bucket: Bucket,
    /// (p, M), when there is a peak.
    peak: Option<Bucket>,
    /// m, in octets.
    min_policed: u64,
    /// M, in octets.
    pub(super) max_packet: u64,
}

impl Meter {
    /// With full buckets at this time.
    pub(super) fn new(traffic: Traffic, at: Nanos) -> Result<Self, PaceError> {
        let Traffic { rate_bps, bucket, peak_bps, min_packet, max_packet } = traffic;
        let octets_per_second = |bps: f64| (bps / 8.0) as u64;
        // Not a number fails every comparison, and is refused like what is too small.
        if !(rate_bps >= 8.0 && rate_bps.is_finite()) {
            return Err(PaceError::Rate(rate_bps));
        }
        if let Some(peak) = peak_bps.filter(|peak| peak.is_nan() || *peak < rate_bps) {
            return Err(PaceError::Peak { peak, rate: rate_bps });
        }
        if max_packet == 0 || min_packet > max_packet {
            return Err(PaceError::Sizes { min: min_packet, max: max_packet });
        }
        if !(bucket >= f64::from(max_packet) && bucket.is_finite()) {
            return Err(PaceError::Bucket { bucket, packet: max_packet });
        }
        let peak = peak_bps.filter(|peak| peak.is_finite()).map(octets_per_second);
        Ok(Self {
            bucket: Bucket::full(octets_per_second(rate_bps), bucket as u64, at),
            peak: peak.map(|peak| Bucket::full(peak, max_packet.into(), at)),
            min_policed: min_packet.into(),
            max_packet: max_packet.into(),
        })
    }

    /// When a packet of this IP length conforms, from then on; `None` when it is larger than M and never does.
    pub(super) fn due(&self, length: u64, from: Nanos) -> Option<Nanos> {
        let octets = self.counted(length);
        let of_bucket = self.bucket.due(octets, from)?;
        let of_peak = self.peak.as_ref().map_or(Some(from), |peak| peak.due(octets, from))?;
        (length <= self.max_packet).then_some(of_bucket.max(of_peak))
    }

    /// Whether it conforms at this time.
    pub(super) fn conforms(&self, length: u64, at: Nanos) -> bool {
        self.due(length, at).is_some_and(|due| due <= at)
    }

    /// Counts a packet that conforms at this time.
    pub(super) fn take(&mut self, length: u64, at: Nanos) {
        let octets = self.counted(length);
        self.bucket.take(octets, at);
        if let Some(peak) = &mut self.peak {
            peak.take(octets, at);
        }
    }

    /// A packet counts as m octets when it is smaller.
    fn counted(&self, length: u64) -> u64 {
        length.max(self.min_policed)
    }
}

#[cfg(test)]
mod tests;
