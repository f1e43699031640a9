//! What is asked for one sender on an interface of a crowd: a column of what each request there asks for, merged in steps.
//!
//! What those of [`SIDE_BY_SIDE`] places ask for is merged by itself, that of [`PARTS`] times as many once more, and all of that again. So where
//! somebody asks for something else, a few others are looked at again, and not all; and where something has failed, most are judged together.

use crate::merge::flowspec;
use crate::merge::span::Span;
use rsvp_wire::Flowspec;
use smallvec::SmallVec;

/// Places of which the requests are merged by themselves: there are 64 times as many in a session, or twice that.
pub(super) const SIDE_BY_SIDE: u32 = 16;

/// So many parts are merged by themselves once more, where half of them or more are there.
const PARTS: usize = 8;

/// What several requests ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Together {
    #[default]
    Nothing,
    /// The merge of all.
    Flowspec(Flowspec),
    /// Several services, which are not merged: what gives way to what is to be found out one by one.
    Services,
}

impl Together {
    pub(crate) fn add(&mut self, other: Self) {
        *self = match (*self, other) {
            (Self::Nothing, one) | (one, Self::Nothing) => one,
            (Self::Flowspec(a), Self::Flowspec(b)) => {
                flowspec::merge(&a, &b).map_or(Self::Services, Self::Flowspec)
            }
            _ => Self::Services,
        }
    }
}

impl FromIterator<Self> for Together {
    fn from_iter<I: IntoIterator<Item = Self>>(all: I) -> Self {
        let mut together = Self::Nothing;
        all.into_iter().for_each(|one| together.add(one));
        together
    }
}

/// The same, with between what and what it lies; that is nothing where several services are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Joint {
    pub(crate) together: Together,
    pub(crate) span: Option<Span>,
}

impl Joint {
    pub(crate) const fn of(one: Flowspec) -> Self {
        Self { together: Together::Flowspec(one), span: Some(Span::of(one)) }
    }

    /// That of several, given as what each of them is and between what it lies.
    fn of_all(together: impl Iterator<Item = Together>, spans: impl Iterator<Item = Span>) -> Self {
        let together = together.collect();
        let is_one_service = matches!(together, Together::Flowspec(_));
        let joined = || spans.reduce(|a, b| a.join(&b).unwrap_or(a));
        Self { together, span: is_one_service.then(joined).flatten() }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.span = match (self.together, other.together) {
            (Together::Nothing, _) => other.span,
            (_, Together::Nothing) => self.span,
            _ => self.span.zip(other.span).and_then(|(a, b)| a.join(&b)),
        };
        self.together.add(other.together);
    }
}

/// What is asked for one sender by those that stand side by side; there is none where nobody of them asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    /// Where they stand: that many parts before.
    at: u32,
    /// Which of them ask, a bit for each.
    pub(crate) rows: u16,
    /// What each of these asks for.
    asked: SmallVec<[Flowspec; 1]>,
    pub(crate) joint: Joint,
}

impl Part {
    pub(crate) fn at(&self) -> usize {
        self.at as usize
    }

    /// What each of them asks for, with its bit.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u16, Flowspec)> {
        let bits = (0..SIDE_BY_SIDE).map(|n| 1 << n).filter(|bit| self.rows & bit != 0);
        bits.zip(self.asked.iter().copied())
    }

    fn set(&mut self, row: u32, asked: Option<Flowspec>) {
        let bit: u16 = 1 << (row % SIDE_BY_SIDE);
        let place = (self.rows & (bit - 1)).count_ones() as usize;
        match (self.rows & bit != 0, asked) {
            (true, Some(asked)) => self.asked[place] = asked,
            (true, None) => drop(self.asked.remove(place)),
            (false, Some(asked)) => {
                self.asked.insert(place, asked);
                self.rows |= bit;
                return self.joint.add(&Joint::of(asked));
            }
            (false, None) => return,
        }
        self.rows = if asked.is_some() { self.rows | bit } else { self.rows & !bit };
        let asked = self.asked.iter().copied();
        self.joint = Joint::of_all(asked.clone().map(Together::Flowspec), asked.map(Span::of));
    }

    fn block(&self) -> u32 {
        self.at / PARTS as u32
    }
}

/// Parts that are merged by themselves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Block {
    at: u32,
    /// Who asks, of each part.
    pub(crate) rows: [u16; PARTS],
    pub(crate) joint: Joint,
}

impl Block {
    fn of(parts: &[Part]) -> Option<Self> {
        let at = parts.first().filter(|_| parts.len() >= PARTS / 2)?.block();
        let mut rows = [0; PARTS];
        parts.iter().for_each(|part| rows[part.at() % PARTS] = part.rows);
        let joints = parts.iter().map(|part| &part.joint);
        let joint =
            Joint::of_all(joints.clone().map(|joint| joint.together), joints.filter_map(|joint| joint.span));
        Some(Self { at, rows, joint })
    }

    /// Where the first of its parts stands.
    pub(crate) fn at(&self) -> usize {
        self.at as usize * PARTS
    }

    /// How many of its parts there are.
    fn parts(&self) -> usize {
        self.rows.iter().filter(|rows| **rows != 0).count()
    }

    /// Whether a part is one of these.
    pub(crate) fn has(&self, part: usize) -> bool {
        part / PARTS == self.at as usize
    }
}

/// Parts that stand together, which are merged by themselves if they are many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'a> {
    pub(crate) block: Option<&'a Block>,
    pub(crate) parts: &'a [Part],
}

/// What is asked for one sender on an interface.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Column {
    /// In the order of their places, as are the blocks.
    pub(super) parts: SmallVec<[Part; 1]>,
    blocks: Vec<Block>,
    pub(super) all: Together,
}

impl Column {
    /// One asks for something else, or for nothing.
    pub(super) fn set(&mut self, row: u32, asked: Option<Flowspec>) {
        let at = row / SIDE_BY_SIDE;
        // Mostly all parts are there. To search among what is in no cache takes longer than to merge it.
        let dense = self.parts.get(at as usize).filter(|part| part.at == at).map(|_| Ok(at as usize));
        let place = match dense.unwrap_or_else(|| self.parts.binary_search_by_key(&at, |part| part.at)) {
            Ok(place) => place,
            Err(_) if asked.is_none() => return,
            Err(place) => {
                self.parts.insert(place, Part { at, ..Part::default() });
                place
            }
        };
        let part = &mut self.parts[place];
        let (rows, joint) = (part.rows, part.joint);
        part.set(row, asked);
        let part = &self.parts[place];
        let (block, is_as_before) = (part.block(), (part.rows, part.joint) == (rows, joint));
        match asked.filter(|_| part.rows > rows) {
            Some(more) => self.merge_more(place, &Joint::of(more)),
            None => {
                if part.rows == 0 {
                    self.parts.remove(place);
                }
                if !is_as_before {
                    self.merge_again(block, place);
                }
            }
        }
    }

    /// Somebody more asks for something, in the part of a place.
    fn merge_more(&mut self, place: usize, more: &Joint) {
        let part = &self.parts[place];
        match self.blocks.binary_search_by_key(&part.block(), |block| block.at) {
            Ok(place) => {
                let block = &mut self.blocks[place];
                block.rows[part.at() % PARTS] = part.rows;
                block.joint.add(more);
            }
            Err(_) => self.make_block(part.block(), place),
        }
        self.all.add(more.together);
    }

    /// Makes a block of the parts that are there, or none; they are before and behind a place.
    fn make_block(&mut self, at: u32, place: usize) {
        let (before, behind) = self.parts.split_at(place);
        let from = place - before.iter().rev().take_while(|part| part.block() == at).count();
        let until = place + behind.iter().take_while(|part| part.block() == at).count();
        let now = Block::of(&self.parts[from..until]);
        match (self.blocks.binary_search_by_key(&at, |block| block.at), now) {
            (Ok(place), Some(now)) => self.blocks[place] = now,
            (Ok(place), None) => drop(self.blocks.remove(place)),
            (Err(place), Some(now)) => {
                self.blocks.reserve_exact(1);
                self.blocks.insert(place, now);
            }
            (Err(_), None) => {}
        }
    }

    /// Something in a block is not as before, in the part of a place, or that part is gone.
    fn merge_again(&mut self, at: u32, place: usize) {
        self.make_block(at, place);
        let mut all = Together::Nothing;
        for Group { block, parts } in self.groups() {
            match block {
                Some(block) => all.add(block.joint.together),
                None => parts.iter().for_each(|part| all.add(part.joint.together)),
            }
        }
        self.all = all;
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        let (mut rest, mut blocks) = (&self.parts[..], self.blocks.iter().peekable());
        // Parts of blocks need not be looked at.
        let no_others = self.blocks.iter().map(Block::parts).sum::<usize>() == self.parts.len();
        core::iter::from_fn(move || {
            let block = blocks
                .next_if(|block| no_others || rest.first().is_some_and(|part| part.block() == block.at));
            let count = match block {
                Some(block) => block.parts(),
                None => {
                    let at = rest.first()?.block();
                    rest.iter().take_while(|part| part.block() == at).count()
                }
            };
            let (parts, others) = rest.split_at(count);
            rest = others;
            Some(Group { block, parts })
        })
    }

    pub(super) fn octets(&self) -> usize {
        let asked = self.parts.iter().map(|part| &part.asked).filter(|asked| asked.spilled());
        let parts = if self.parts.spilled() { self.parts.capacity() * size_of::<Part>() } else { 0 };
        let merged = parts + self.blocks.capacity() * size_of::<Block>();
        merged + asked.map(|asked| asked.capacity() * size_of::<Flowspec>()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_wire::{Rspec, Tspec};
    use std::collections::BTreeMap;

    #[test]
    fn a_column_has_what_each_row_asks_for_and_the_merge_of_it() {
        let (mut column, mut asked) = (Column::default(), BTreeMap::new());
        let mut random = 1_u32;
        for _ in 0..5_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [row, rate, service, what] = random.to_be_bytes();
            let rate = f32::from(rate % 8);
            let tspec =
                Tspec { rate, bucket: 9.0 - rate, peak: 1e9, min_policed_unit: 64, max_packet_size: 1500 };
            let flowspec = match service % 64 {
                0 => Flowspec::Guaranteed(tspec, Rspec { rate, slack: 0 }),
                _ => Flowspec::ControlledLoad(tspec),
            };
            // Few of many, so that those who stand side by side come and go, too.
            let now = Some(flowspec).filter(|_| what % 8 == 0);
            column.set(row.into(), now);
            match now {
                Some(now) => drop(asked.insert(u32::from(row), now)),
                None => drop(asked.remove(&u32::from(row))),
            }
            let each = column.parts.iter().flat_map(|part| {
                part.each().map(|(bit, asked)| (part.at * SIDE_BY_SIDE + bit.trailing_zeros(), asked))
            });
            assert!(each.eq(asked.clone()));
            assert_eq!(column.all, asked.values().copied().map(Together::Flowspec).collect());
            assert!(column.parts.iter().all(|part| part.rows != 0));
            for Group { block, parts } in column.groups() {
                assert_eq!(block, Block::of(parts).as_ref());
            }
            assert_eq!(column.groups().filter(|group| group.block.is_some()).count(), column.blocks.len());
        }
    }
}
