//! Hierarchical token buckets (`sch_htb`): the numbers of a class.
//!
//! The kernel lets a class send its burst and one packet more: whoever wants a bucket of b octets asks for b - M. A class
//! within its own rate is not held by its parent's ceiling; the sum of the rates has to fit, which is the business of
//! admission.

use super::message::attribute;

const TCA_HTB_PARMS: u16 = 1;
const TCA_HTB_INIT: u16 = 2;
const TCA_HTB_RATE64: u16 = 6;
const TCA_HTB_CEIL64: u16 = 7;
/// `tc_htb_opt`: two rates of 12 octets and five words.
const PARMS: usize = 44;
/// The kernel's ticks, in which it takes times, are of 64 nanoseconds.
const TICK_NS: u128 = 64;

/// A class. Rates are in octets per second, bursts in octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HtbClass {
    /// What it has for itself; never 0.
    pub rate: u64,
    /// What it may have while its parent has room; at least the rate.
    pub ceil: u64,
    /// The bucket at the rate.
    pub burst: u32,
    /// The bucket at the ceiling.
    pub cburst: u32,
    /// Who is first served with what is left over: 0 before 7.
    pub priority: u32,
    /// Octets that a class may send in its turn when several borrow.
    pub quantum: u32,
    /// The least that a packet counts as: the minimum policed unit m.
    pub min_policed: u16,
    /// What a packet counts as beyond what it does at the root. The kernel knows nothing below zero here.
    pub overhead: u16,
}

impl HtbClass {
    /// The class as the kernel lists it: bursts are times in its ticks, which are coarse at high rates.
    #[must_use]
    pub fn listed(self) -> Self {
        let burst = octets_of(ticks(self.burst, self.rate), self.rate);
        let cburst = octets_of(ticks(self.cburst, self.ceil), self.ceil);
        Self { burst, cburst, ..self }
    }

    /// The options of the class.
    pub(super) fn write(&self, octets: &mut Vec<u8>) {
        let (rate, ceil) = (self.rate.max(1), self.ceil.max(self.rate).max(1));
        let mut parms = Vec::with_capacity(PARMS);
        parms.extend_from_slice(&rate_spec(rate, self.min_policed, self.overhead));
        parms.extend_from_slice(&rate_spec(ceil, self.min_policed, self.overhead));
        let level = 0;
        for word in
            [ticks(self.burst, rate), ticks(self.cburst, ceil), self.quantum.max(1), level, self.priority]
        {
            parms.extend_from_slice(&word.to_ne_bytes());
        }
        attribute(octets, TCA_HTB_PARMS, &parms);
        for (kind, rate) in [(TCA_HTB_RATE64, rate), (TCA_HTB_CEIL64, ceil)] {
            if rate > u64::from(u32::MAX) {
                attribute(octets, kind, &rate.to_ne_bytes());
            }
        }
    }

    /// The class in the options that the kernel lists.
    pub(super) fn read(options: &super::dump::Attributes<'_>) -> Option<Self> {
        let parms = options.find(TCA_HTB_PARMS)?;
        let word = |at: usize| Some(u32::from_ne_bytes(parms.get(at..at + 4)?.try_into().ok()?));
        let half = |at: usize| Some(u16::from_ne_bytes(parms.get(at..at + 2)?.try_into().ok()?));
        let long = |kind, short: Option<u32>| {
            let long =
                options.find(kind).and_then(|v| Some(u64::from_ne_bytes(v.get(..8)?.try_into().ok()?)));
            long.or_else(|| short.map(u64::from))
        };
        let (rate, ceil) = (long(TCA_HTB_RATE64, word(8))?, long(TCA_HTB_CEIL64, word(20))?);
        Some(Self {
            rate,
            ceil,
            burst: octets_of(word(24)?, rate),
            cburst: octets_of(word(28)?, ceil),
            quantum: word(32)?,
            priority: word(40)?,
            min_policed: half(6)?,
            overhead: half(2)?,
        })
    }
}

/// The options of the queueing discipline itself: `tc_htb_glob`.
pub(super) fn write_root(octets: &mut Vec<u8>, default: u16) {
    const VERSION: u32 = 3;
    // A quantum is given for each class, so what it would be derived from does not matter.
    const RATE_TO_QUANTUM: u32 = 10;
    let words = [VERSION, RATE_TO_QUANTUM, u32::from(default), 0, 0];
    let glob: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    attribute(octets, TCA_HTB_INIT, &glob);
}

/// `tc_ratespec`. With a link layer given the kernel needs no table of rates.
pub(super) fn rate_spec(rate: u64, min_policed: u16, overhead: u16) -> [u8; 12] {
    const LINKLAYER_ETHERNET: u8 = 1;
    let mut spec = [0; 12];
    spec[1] = LINKLAYER_ETHERNET;
    spec[2..4].copy_from_slice(&overhead.to_ne_bytes());
    spec[6..8].copy_from_slice(&min_policed.to_ne_bytes());
    spec[8..12].copy_from_slice(&u32::try_from(rate).unwrap_or(u32::MAX).to_ne_bytes());
    spec
}

/// How long a burst takes at a rate, in the kernel's ticks.
pub(super) fn ticks(burst: u32, rate: u64) -> u32 {
    let ns = u128::from(burst) * 1_000_000_000 / u128::from(rate.max(1));
    u32::try_from(ns / TICK_NS).unwrap_or(u32::MAX)
}

/// The burst that takes so many ticks, rounded up: what was written, but for the ticks' coarseness at high rates.
fn octets_of(ticks: u32, rate: u64) -> u32 {
    let octets = (u128::from(ticks) * TICK_NS * u128::from(rate)).div_ceil(1_000_000_000);
    u32::try_from(octets).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_a_time_in_ticks_of_64_ns() {
        // 1,500 octets at 1 Mbit/s, 125,000 octets a second, are 12 ms.
        assert_eq!(ticks(1_500, 125_000), 187_500);
        assert_eq!(octets_of(187_500, 125_000), 1_500);
        assert_eq!(ticks(u32::MAX, 1), u32::MAX, "no more than the field takes");
    }

    #[test]
    fn what_is_written_is_read() {
        for rate in [1_000, 125_000, 312_500_000, 12_500_000_000] {
            let class = HtbClass {
                rate,
                ceil: 2 * rate,
                burst: 8_000,
                cburst: 1_600,
                priority: 3,
                quantum: 1_500,
                min_policed: 64,
                overhead: 38,
            };
            let mut octets = Vec::new();
            class.write(&mut octets);
            let read = HtbClass::read(&super::super::dump::Attributes::new(&octets)).expect("a class");
            let close = |a: u32, b: u32| a.abs_diff(b) <= (rate / 10_000_000) as u32 + 1;
            assert!(close(read.burst, class.burst) && close(read.cburst, class.cburst), "{read:?}");
            assert_eq!(HtbClass { burst: 8_000, cburst: 1_600, ..read }, class);
        }
    }

    #[test]
    fn no_class_has_no_rate() {
        let mut octets = Vec::new();
        HtbClass::default().write(&mut octets);
        let read = HtbClass::read(&super::super::dump::Attributes::new(&octets)).expect("a class");
        assert_eq!((read.rate, read.ceil, read.quantum), (1, 1, 1));
    }
}
