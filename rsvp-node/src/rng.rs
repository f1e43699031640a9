//! Seeded pseudo-random numbers for refresh jitter: SplitMix64, a published 64-bit generator.
//!
//! Deliberately no source of real randomness: the seed is part of the configuration. Not for secrets.

use core::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Rng {
    state: u64,
    /// In microseconds, by how much what is timed here may come late.
    latency: u64,
}

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed, latency: 0 }
    }

    /// The same where what is timed may come late.
    pub(crate) fn late(self, latency: Duration) -> Self {
        Self { latency: latency.as_micros() as u64, ..self }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A duration drawn evenly from [0.5 R, 1.5 R] (RFC 2205 section 3.7, rule 1), less at its end what may come late.
    pub(crate) fn jitter(&mut self, refresh: Duration) -> Duration {
        let micros = refresh.as_micros() as u64;
        Duration::from_micros(micros / 2 + self.next() % (micros.saturating_sub(self.latency) + 1))
    }
}

/// The output function of SplitMix64; also used to spread index hashes.
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_half_and_one_and_a_half_r() {
        let mut rng = Rng::new(7);
        let r = Duration::from_secs(30);
        let draws: Vec<_> = (0..10_000).map(|_| rng.jitter(r)).collect();
        assert!(draws.iter().all(|d| *d >= r / 2 && *d <= r * 3 / 2));
        assert!(draws.iter().any(|d| *d < r * 6 / 10) && draws.iter().any(|d| *d > r * 14 / 10));
    }

    #[test]
    fn what_may_come_late_is_timed_so_much_earlier() {
        let (ms, r) = (Duration::from_millis, Duration::from_millis(100));
        let mut rng = Rng::new(7).late(ms(25));
        let draws: Vec<_> = (0..10_000).map(|_| rng.jitter(r)).collect();
        assert!(draws.iter().all(|drawn| (ms(50)..=ms(125)).contains(drawn)));
        assert!(draws.iter().any(|drawn| *drawn > ms(124)) && draws.iter().any(|drawn| *drawn < ms(51)));
    }
}
