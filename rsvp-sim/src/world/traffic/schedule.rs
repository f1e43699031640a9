//! When the packets of a load are sent: worked out for each packet from the first, so that nothing is rounded twice.

use super::police::{self, SCALE};
use crate::scenario::model::{Load, Pattern};
use crate::world::applications::tspec;

const SECOND: u128 = 1_000_000_000;

/// When the next packet is sent.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    pattern: Pattern,
    octets: u32,
    start_ns: u64,
    end_ns: u64,
    number: u64,
}

impl Schedule {
    pub(super) fn new(load: &Load) -> Self {
        let ns = |time: core::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            pattern: load.pattern,
            octets: load.packet,
            start_ns: ns(load.start),
            end_ns: ns(load.end),
            number: 0,
        }
    }

    /// When the next packet is sent; none when the last has been.
    pub(super) fn next_ns(&self) -> Option<u64> {
        let (size, number) = (u128::from(self.octets), u128::from(self.number));
        let after = match self.pattern {
            Pattern::Constant(bps) => ns(number * size, bps),
            Pattern::Bursty(bps, burst) => {
                let packets = (burst as u128 / size).max(1);
                ns(number / packets * packets * size, bps)
            }
            Pattern::Bucket(traffic) => {
                // Up to a packet's end no more than min(M + p t, b + r t) has been sent, as its TSpec says it; each counts as m at least.
                let tspec = tspec(traffic);
                let sent = (number + 1) * size.max(u128::from(tspec.min_policed_unit));
                let after = |depth: u128, rate: f32| {
                    (sent.saturating_sub(depth) * SCALE).div_ceil(police::rate(rate).max(1))
                };
                let by_peak = match tspec.peak.is_finite() {
                    true => after(u128::from(tspec.max_packet_size), tspec.peak),
                    false => 0,
                };
                by_peak.max(after(f64::from(tspec.bucket) as u128, tspec.rate))
            }
        };
        let at = u64::try_from(u128::from(self.start_ns) + after).ok()?;
        (at < self.end_ns).then_some(at)
    }

    /// The number of the packet that is sent now.
    pub(super) fn take(&mut self) -> u64 {
        self.number += 1;
        self.number - 1
    }
}

/// How long so many octets take, in nanoseconds; not shorter than the rate allows.
fn ns(octets: u128, bps: f64) -> u128 {
    (octets * 8 * SECOND).div_ceil((bps.round() as u128).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::model::{NodeId, Source, Traffic};
    use core::time::Duration;

    fn times(pattern: Pattern, count: usize) -> Vec<u64> {
        let mut schedule = Schedule::new(&Load {
            name: "a".to_owned(),
            source: Source::Nodes(NodeId(0), NodeId(1)),
            pattern,
            packet: 1000,
            start: Duration::from_millis(5),
            end: Duration::from_secs(1),
        });
        (0..count)
            .map_while(|_| {
                let at = schedule.next_ns()?;
                schedule.take();
                Some(at / 1_000_000)
            })
            .collect()
    }

    #[test]
    fn patterns() {
        // 1,000 octets at 1 Mbit/s are 8 ms.
        assert_eq!(times(Pattern::Constant(1e6), 4), [5, 13, 21, 29]);
        assert_eq!(times(Pattern::Bursty(1e6, 3500.0), 7), [5, 5, 5, 29, 29, 29, 53]);
        let bucket =
            Traffic { rate_bps: 1e6, bucket: 3000.0, peak_bps: 4e6, min_packet: 64, max_packet: 1000 };
        // At the peak, 2 ms each, while the bucket has tokens: then as they come. n M / p against ((n + 1) M - b) / r.
        assert_eq!(times(Pattern::Bucket(bucket), 6), [5, 7, 9, 13, 21, 29]);
        let unlimited = Traffic { peak_bps: f64::INFINITY, ..bucket };
        assert_eq!(times(Pattern::Bucket(unlimited), 5), [5, 5, 5, 13, 21]);
        let counted = Traffic { min_packet: 2000, max_packet: 2000, ..unlimited };
        // Each counts as 2,000 octets: one fits into the bucket.
        assert_eq!(times(Pattern::Bucket(counted), 4), [5, 13, 29, 45]);
        assert_eq!(times(Pattern::Constant(8.0), 5), [5], "the end comes before the second");
    }

    #[test]
    fn what_the_bucket_allows_conforms_to_it() {
        let of = [
            (100_010.0, 64, 700),
            (12_345.0, 64, 333),
            (1_234_570.0, 500, 100),
            (0.3e9, 64, 1500),
            (8.1, 64, 64),
        ];
        for (rate_bps, min_packet, packet) in of {
            let traffic =
                Traffic { rate_bps, bucket: 3000.0, peak_bps: 3.1 * rate_bps, min_packet, max_packet: 1500 };
            let mut schedule = Schedule::new(&Load {
                name: "a".to_owned(),
                source: Source::Nodes(NodeId(0), NodeId(1)),
                pattern: Pattern::Bucket(traffic),
                packet,
                start: Duration::ZERO,
                end: Duration::from_secs(100_000),
            });
            let mut policer = police::Policer::new(&tspec(traffic), 0);
            for n in 0..20_000 {
                let Some(at) = schedule.next_ns() else { break };
                schedule.take();
                assert!(policer.conforms(packet, at), "{rate_bps} bit/s, packet {n}");
            }
        }
    }
}
