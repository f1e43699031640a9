//! Between what and what several flowspecs of one service lie, component by component: what holds for both ends holds for all of them, where it
//! holds the more, the more is asked for.
//!
//! That is not what is merged: M and m are taken as they stand, so that an end may be no flowspec that anybody could ask for.

use super::flowspec::of_both;
use rsvp_wire::{Flowspec, Rspec, Tspec};

/// The least and the most of each component.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) low: Flowspec,
    pub(crate) high: Flowspec,
}

impl Span {
    pub(crate) const fn of(one: Flowspec) -> Self {
        Self { low: one, high: one }
    }

    /// That of both; `None` where services differ.
    pub(crate) fn join(&self, other: &Self) -> Option<Self> {
        let ends = |a: &Flowspec,
                    b: &Flowspec,
                    less: fn(f32, f32) -> f32,
                    few: fn(u32, u32) -> u32,
                    many: fn(u32, u32) -> u32| {
            let (s, t) = (a.tspec(), b.tspec());
            let tspec = Tspec {
                rate: less(s.rate, t.rate),
                bucket: less(s.bucket, t.bucket),
                peak: less(s.peak, t.peak),
                min_policed_unit: many(s.min_policed_unit, t.min_policed_unit),
                max_packet_size: few(s.max_packet_size, t.max_packet_size),
            };
            of_both(a, b, tspec, |a, b| Rspec { rate: less(a.rate, b.rate), slack: many(a.slack, b.slack) })
        };
        Some(Self {
            low: ends(&self.low, &other.low, f32::min, u32::min, u32::max)?,
            high: ends(&self.high, &other.high, f32::max, u32::max, u32::min)?,
        })
    }

    /// The greatest lower bound of all, as merging has it.
    pub(crate) fn lower_bound(&self) -> Flowspec {
        super::flowspec::lower_bound(&self.low, &self.low).unwrap_or(self.low)
    }
}

/// That of several, if there are any.
pub(crate) fn span(all: impl Iterator<Item = Flowspec>) -> Option<Span> {
    all.map(Span::of).reduce(|a, b| a.join(&b).unwrap_or(a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::flowspec::lower_bound;

    fn guaranteed(rate: f32, m: u32, max: u32, slack: u32) -> Flowspec {
        let tspec =
            Tspec { rate, bucket: 1e4, peak: f32::INFINITY, min_policed_unit: m, max_packet_size: max };
        Flowspec::Guaranteed(tspec, Rspec { rate, slack })
    }

    #[test]
    fn the_low_end_is_below_and_the_high_end_above_in_everything_and_the_bound_is_that_of_merging() {
        let all = [guaranteed(3.0, 600, 1500, 9), guaranteed(1.0, 64, 500, 7), guaranteed(2.0, 100, 900, 30)];
        let found = span(all.into_iter()).expect("some");
        assert_eq!((found.low, found.high), (guaranteed(1.0, 600, 500, 30), guaranteed(3.0, 64, 1500, 7)));
        let bound = all.into_iter().reduce(|a, b| lower_bound(&a, &b).expect("one service"));
        assert_eq!(Some(found.lower_bound()), bound);
        assert_eq!(found.join(&Span::of(Flowspec::Null(Tspec::null(1500)))), None);
    }
}
