//! Sets of small numbers, a bit for each: what many senders and many requests have in common is found by words.

use smallvec::SmallVec;

/// A set of numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers(SmallVec<[u64; 1]>);

const BITS: u32 = u64::BITS;

const fn place(number: u32) -> (usize, u64) {
    ((number / BITS) as usize, 1 << (number % BITS))
}

impl Numbers {
    pub(crate) fn insert(&mut self, number: u32) {
        let (word, bit) = place(number);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    pub(crate) fn remove(&mut self, number: u32) {
        let (word, bit) = place(number);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
    }

    pub(crate) fn has(&self, number: u32) -> bool {
        let (word, bit) = place(number);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// Adds all of another set.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    /// What both have.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    /// What another has not.
    pub(crate) fn without(&self, other: &Self) -> Self {
        let others = other.0.iter().copied().chain(core::iter::repeat(0));
        Self(self.0.iter().zip(others).map(|(a, b)| a & !b).collect())
    }

    /// All of them, in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            core::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(at as u32 * BITS + bit)
            })
        })
    }
}

impl FromIterator<u32> for Numbers {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut set = Self::default();
        numbers.into_iter().for_each(|number| set.insert(number));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_different_lengths_go_together() {
        let of = |numbers: &[u32]| numbers.iter().copied().collect::<Numbers>();
        let all = |set: Numbers| set.iter().collect::<Vec<_>>();
        let (short, long) = (of(&[0, 63]), of(&[63, 64, 1000]));
        assert_eq!((all(short.and(&long)), all(long.and(&short))), (vec![63], vec![63]));
        assert_eq!((all(short.without(&long)), all(long.without(&short))), (vec![0], vec![64, 1000]));
        assert!(short.meets(&long) && !of(&[0]).meets(&long) && !of(&[]).meets(&long));
        let mut both = short.clone();
        both.add(&long);
        assert_eq!((both.count(), both.has(1000), both.has(999)), (4, true, false));
        both.remove(1000);
        both.remove(5000);
        assert_eq!(all(both), [0, 63, 64]);
        assert!(of(&[]).is_empty() && !short.is_empty());
    }
}
