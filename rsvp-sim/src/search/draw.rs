//! Where a drawn world takes its choices from: a seed, or octets that a fuzzer makes.

use crate::world::random::Random;

/// A source of choices.
#[derive(Clone, Debug)]
pub struct Draw<'o> {
    random: Random,
    /// Octets to take choices from first; once they are used up every choice is the first.
    octets: Option<&'o [u8]>,
}

impl<'o> Draw<'o> {
    /// Everything follows from a seed.
    #[must_use]
    pub fn seed(seed: u64) -> Self {
        // Seeds are near each other, worlds must not be.
        let mut random = Random::new(seed ^ 0x776f_726c_6473);
        random.next();
        Self { random, octets: None }
    }

    /// Everything follows from octets.
    #[must_use]
    pub fn octets(octets: &'o [u8]) -> Self {
        Self { random: Random::new(0), octets: Some(octets) }
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let Some(octets) = &mut self.octets else { return self.random.below(bound as u64) as usize };
        let Some((first, rest)) = octets.split_first() else { return 0 };
        *octets = rest;
        usize::from(*first) % bound.max(1)
    }

    /// A number from `least` to `most`.
    pub(super) fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    /// True so many times in a hundred. A source that is used up says no.
    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent.min(100)
    }

    /// One of several.
    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}
