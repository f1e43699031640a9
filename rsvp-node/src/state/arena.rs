//! Tables of state blocks: chunks that never move, places that are reused, generations that tell users apart.
//!
//! A table grows by one chunk at a time, so no insertion ever copies what is already there.

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::num::NonZeroU32;
use core::ops::{Index, IndexMut, Range};

const CHUNK: usize = 256;

/// Place of a `T` in its [`Arena`]. Valid as long as the block that holds the link keeps the two consistent; where a
/// block may have gone in the meantime, an [`Id`] is used.
pub(crate) struct Ix<T>(NonZeroU32, PhantomData<fn() -> T>);

impl<T> Ix<T> {
    fn new(place: usize) -> Option<Self> {
        let number = u32::try_from(place).ok()?.checked_add(1)?;
        NonZeroU32::new(number).map(|n| Self(n, PhantomData))
    }

    pub(crate) const fn place(self) -> u32 {
        self.0.get() - 1
    }

    pub(crate) fn from_place(place: u32) -> Option<Self> {
        Self::new(place as usize)
    }

    const fn split(self) -> (usize, usize) {
        let place = self.place() as usize;
        (place / CHUNK, place % CHUNK)
    }
}

impl<T> Clone for Ix<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Ix<T> {}
impl<T> PartialEq for Ix<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Ix<T> {}
impl<T> fmt::Debug for Ix<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.place())
    }
}

/// A place and the generation of its user: survives the block it names.
pub(crate) struct Id<T> {
    pub(crate) ix: Ix<T>,
    pub(crate) generation: u32,
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}.{}", self.ix, self.generation)
    }
}

#[derive(Clone, Debug)]
enum Slot<T> {
    Free(Option<Ix<T>>),
    Full(T),
}

/// Generations stand apart from the blocks: they are looked at only where an id may be stale.
#[derive(Clone, Debug)]
struct Chunk<T> {
    slots: Vec<Slot<T>>,
    generations: Vec<u32>,
}

/// A table of `T`.
#[derive(Clone, Debug)]
pub(crate) struct Arena<T> {
    chunks: Vec<Chunk<T>>,
    free: Option<Ix<T>>,
    len: u32,
    /// How often a block was looked at: what shows that the cost of an input does not grow with the table.
    visits: Cell<u64>,
}

impl<T> Arena<T> {
    /// An empty table whose list of chunks will not move before `expected` blocks are in it.
    pub(crate) fn new(expected: u32) -> Self {
        Self {
            chunks: Vec::with_capacity(expected as usize / CHUNK + 1),
            free: None,
            len: 0,
            visits: Cell::new(0),
        }
    }

    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// How often blocks were looked at since the beginning.
    pub(crate) fn visits(&self) -> u64 {
        self.visits.get()
    }

    fn visit(&self) {
        self.visits.set(self.visits.get() + 1);
    }

    /// Puts `value` into the table.
    pub(super) fn insert(&mut self, value: T) -> Ix<T> {
        self.len += 1;
        if let Some(ix) = self.free {
            if let Slot::Free(next) = core::mem::replace(self.slot_mut(ix), Slot::Full(value)) {
                self.free = next;
            }
            return ix;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.slots.len() == CHUNK) {
            let slots = Vec::with_capacity(CHUNK);
            self.chunks.push(Chunk { slots, generations: vec![0; CHUNK] });
        }
        let last = self.chunks.len() - 1;
        let chunk = &mut self.chunks[last];
        chunk.slots.push(Slot::Full(value));
        Ix::new(last * CHUNK + chunk.slots.len() - 1).expect("limits keep tables below 2^32 blocks")
    }

    /// Takes the block out; its place is reused under another generation.
    pub(super) fn remove(&mut self, ix: Ix<T>) -> T {
        let free = Slot::Free(self.free);
        let Slot::Full(value) = core::mem::replace(self.slot_mut(ix), free) else { gone() };
        let (chunk, at) = ix.split();
        let generation = &mut self.chunks[chunk].generations[at];
        *generation = generation.wrapping_add(1);
        self.free = Some(ix);
        self.len -= 1;
        value
    }

    pub(crate) fn id(&self, ix: Ix<T>) -> Id<T> {
        let (chunk, at) = ix.split();
        Id { ix, generation: self.chunks[chunk].generations[at] }
    }

    /// The place behind an id, if its user is still the same.
    pub(crate) fn find(&self, id: Id<T>) -> Option<Ix<T>> {
        let (chunk, at) = id.ix.split();
        let chunk = self.chunks.get(chunk)?;
        let same = *chunk.generations.get(at)? == id.generation;
        (same && matches!(chunk.slots.get(at)?, Slot::Full(_))).then_some(id.ix)
    }

    /// The block at a place that may be free, for walks over the whole table.
    pub(crate) fn at(&self, place: u32) -> Option<&T> {
        self.visit();
        let place = place as usize;
        match self.chunks.get(place / CHUNK)?.slots.get(place % CHUNK)? {
            Slot::Full(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// One more than the highest place ever used.
    pub(crate) fn places(&self) -> u32 {
        self.chunks.last().map_or(0, |last| ((self.chunks.len() - 1) * CHUNK + last.slots.len()) as u32)
    }

    /// What is at these places.
    pub(crate) fn iter_in(&self, places: Range<u32>) -> impl Iterator<Item = (Ix<T>, &T)> {
        let (from, to) = (places.start as usize, places.end.min(self.places()) as usize);
        let chunks = self.chunks.iter().enumerate().take(to.div_ceil(CHUNK)).skip(from / CHUNK);
        chunks.flat_map(move |(c, chunk)| {
            let first = c * CHUNK;
            let slots = chunk.slots.iter().enumerate().take(to - first).skip(from.saturating_sub(first));
            slots.filter_map(move |(i, slot)| match slot {
                Slot::Full(value) => Some((Ix::new(first + i)?, value)),
                Slot::Free(_) => None,
            })
        })
    }

    fn slot_mut(&mut self, ix: Ix<T>) -> &mut Slot<T> {
        let (chunk, at) = ix.split();
        &mut self.chunks[chunk].slots[at]
    }
}

impl<T> Index<Ix<T>> for Arena<T> {
    type Output = T;

    fn index(&self, ix: Ix<T>) -> &T {
        self.visit();
        let (chunk, at) = ix.split();
        match &self.chunks[chunk].slots[at] {
            Slot::Full(value) => value,
            Slot::Free(_) => gone(),
        }
    }
}

impl<T> IndexMut<Ix<T>> for Arena<T> {
    fn index_mut(&mut self, ix: Ix<T>) -> &mut T {
        self.visit();
        match self.slot_mut(ix) {
            Slot::Full(value) => value,
            Slot::Free(_) => gone(),
        }
    }
}

/// Links are kept consistent by whoever removes a block; this is where a mistake in that shows.
#[cold]
fn gone() -> ! {
    panic!("a link to a block that is gone")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_place_has_another_generation() {
        let mut arena = Arena::new(4);
        let a = arena.insert("a");
        let id = arena.id(a);
        assert_eq!(arena.find(id), Some(a));
        assert_eq!(arena.remove(a), "a");
        assert_eq!(arena.find(id), None);
        let b = arena.insert("b");
        assert_eq!(b, a, "the place is reused");
        assert_eq!(arena.find(id), None, "but the old id does not name it");
        assert_eq!(arena[b], "b");
    }

    #[test]
    fn blocks_never_move() {
        let mut arena = Arena::new(0);
        let first = arena.insert(0_usize);
        let at = core::ptr::from_ref(&arena[first]);
        for n in 1..10 * CHUNK {
            arena.insert(n);
        }
        assert_eq!(core::ptr::from_ref(&arena[first]), at);
        assert_eq!(arena.iter_in(0..u32::MAX).count(), 10 * CHUNK);
        assert_eq!(arena.places() as usize, 10 * CHUNK);
        let places = |range| arena.iter_in(range).map(|(_, n)| *n).collect::<Vec<_>>();
        assert_eq!(places(1..3), [1, 2]);
        assert_eq!(places(254..259), [254, 255, 256, 257, 258]);
        assert_eq!(places(2_558..u32::MAX), [2_558, 2_559]);
        assert_eq!((places(7..7), places(9_999..10_001)), (vec![], vec![]));
    }
}
