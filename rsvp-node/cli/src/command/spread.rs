//! How delays are spread: counts by size, from which percentiles can be told however many packets there were.
//!
//! Pure. Sizes are told apart to one part in 32, so that a percentile is at most 3 % more than it was.

use std::collections::BTreeMap;

/// Sizes that are told apart between a power of two and the next.
const STEPS: u64 = 32;

/// Delays in microseconds, by size. They are negative where clocks differ.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread {
    counts: BTreeMap<i64, u64>,
    total: u64,
}

impl Spread {
    /// One more delay.
    pub(super) fn add(&mut self, us: i64) {
        // Those below zero count downwards from -1.
        let size = if us < 0 { -1 - size(us.unsigned_abs() - 1) } else { size(us as u64) };
        *self.counts.entry(size).or_default() += 1;
        self.total += 1;
    }

    /// What so many of a hundred delays are at most; nothing when there is none.
    pub(super) fn percentile(&self, percent: u64) -> Option<i64> {
        let rank = (self.total * percent).div_ceil(100).max(1);
        let mut below = 0;
        let reached = |count: &u64| {
            below += count;
            below >= rank
        };
        let mut counts = self.counts.iter();
        let mut reached = reached;
        let (size, _) = counts.find(|(_, count)| reached(count))?;
        Some(if *size < 0 { -1 - (smallest(-1 - size)) as i64 } else { largest(*size) as i64 })
    }
}

/// The number of a size, in ascending order.
fn size(us: u64) -> i64 {
    if us < STEPS {
        return us as i64;
    }
    let shift = us.ilog2() - STEPS.ilog2();
    (u64::from(shift) * STEPS + (us >> shift)) as i64
}

/// The smallest delay of a size.
fn smallest(size: i64) -> u64 {
    let size = size as u64;
    if size < STEPS {
        return size;
    }
    let shift = size / STEPS - 1;
    (STEPS + size % STEPS) << shift
}

/// The largest delay of a size.
fn largest(size: i64) -> u64 {
    smallest(size + 1) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_each_other_without_a_gap() {
        for us in (0..100_000).chain([u64::from(u32::MAX), 1 << 40]) {
            let of = size(us);
            assert!((smallest(of)..=largest(of)).contains(&us), "{us}");
            assert!(largest(of) - smallest(of) <= us / STEPS, "{us}");
        }
    }

    #[test]
    fn percentiles_are_those_of_the_delays() {
        let mut spread = Spread::default();
        assert_eq!(spread.percentile(50), None);
        (1..=1_000).for_each(|us| spread.add(us));
        for (percent, expected) in [(1, 10), (50, 500), (99, 990), (100, 1_000)] {
            let found = spread.percentile(percent).expect("delays");
            assert!((expected..=expected + expected / 32).contains(&found), "{percent}: {found}");
        }
    }

    #[test]
    fn delays_below_zero_come_first() {
        let mut spread = Spread::default();
        [-5, -3, 0, 7].into_iter().for_each(|us| spread.add(us));
        assert_eq!([25, 50, 75, 100].map(|percent| spread.percentile(percent)), [-5, -3, 0, 7].map(Some));
    }
}
