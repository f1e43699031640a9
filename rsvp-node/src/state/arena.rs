//! Tables of state blocks: chunks that do not move, places that are reused, generations that tell users apart.
//!
//! A table grows by one chunk at a time, so that an insertion copies nothing of what is already there: no more than the first chunk, which
//! has the room that it needs until it is full, so that a small table is small. A chunk in which nothing is left is given
//! back, but for one, so that what comes and goes at its border allocates nothing.

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

    /// A place that was one before.
    pub(super) const fn at(place: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(place), PhantomData)
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
    /// With the next free place of the chunk.
    Free(Option<u16>),
    Full(T),
}

/// Generations stand apart from the blocks: they are looked at only where an id may be stale.
#[derive(Clone, Debug)]
struct Chunk<T> {
    slots: Vec<Slot<T>>,
    generations: Vec<u32>,
    free: Option<u16>,
    live: u16,
    /// It is among those that have room.
    listed: bool,
}

impl<T> Chunk<T> {
    fn new() -> Self {
        Self { slots: Vec::new(), generations: Vec::new(), free: None, live: 0, listed: false }
    }

    fn is_full(&self) -> bool {
        self.live as usize == CHUNK
    }

    /// Puts a block in; there is room. Slots are there for as many blocks as `expected`, further ones as they are needed.
    fn put(&mut self, value: T, generation: Option<u32>, expected: usize) -> usize {
        if self.is_absent() {
            self.slots = Vec::with_capacity(expected);
            self.generations = generation.map(|first| vec![first; CHUNK]).unwrap_or_default();
        }
        self.live += 1;
        let Some(at) = self.free else {
            self.slots.push(Slot::Full(value));
            return self.slots.len() - 1;
        };
        if let Slot::Free(next) = core::mem::replace(&mut self.slots[usize::from(at)], Slot::Full(value)) {
            self.free = next;
        }
        usize::from(at)
    }

    /// Whether its memory was given back.
    fn is_absent(&self) -> bool {
        self.slots.capacity() == 0
    }

    fn is_spare(&self) -> bool {
        self.live == 0 && !self.is_absent()
    }
}

/// A table of `T`.
#[derive(Clone, Debug)]
pub(crate) struct Arena<T> {
    chunks: Vec<Chunk<T>>,
    /// Chunks with room. It has space for the numbers of all, so that taking a block out allocates nothing.
    room: Vec<u32>,
    /// The chunk that is kept though nothing is in it.
    spare: Option<u32>,
    /// With which generation new chunks begin: above those of all that were given back. `None` where nothing has an id.
    generation: Option<u32>,
    len: u32,
    /// How often a block was looked at: what shows that the cost of an input does not grow with the table.
    visits: Cell<u64>,
}

impl<T> Arena<T> {
    /// An empty table whose list of chunks will not move before `expected` blocks are in it.
    pub(crate) fn new(expected: u32) -> Self {
        Self {
            chunks: Vec::with_capacity((expected as usize).div_ceil(CHUNK)),
            room: Vec::new(),
            spare: None,
            generation: Some(0),
            len: 0,
            visits: Cell::new(0),
        }
    }

    /// The same of blocks that are named by their places alone, and never by an [`Id`].
    pub(crate) fn without_ids(expected: u32) -> Self {
        Self { generation: None, ..Self::new(expected) }
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
        let number = loop {
            match self.room.last().map(|number| *number as usize) {
                None => {
                    self.chunks.push(Chunk { listed: true, ..Chunk::new() });
                    self.room.reserve(self.chunks.len());
                    self.room.push(self.chunks.len() as u32 - 1);
                }
                Some(full) if self.chunks[full].is_full() => {
                    self.chunks[full].listed = false;
                    self.room.pop();
                }
                Some(number) => break number,
            }
        };
        // A small table, of which a simulation has tens of thousands, takes the room of few blocks.
        let expected = if number == 0 { 1 } else { CHUNK };
        let at = self.chunks[number].put(value, self.generation, expected);
        Ix::new(number * CHUNK + at).expect("limits keep tables below 2^32 blocks")
    }

    /// Takes the block out; its place is reused under another generation.
    pub(super) fn remove(&mut self, ix: Ix<T>) -> T {
        let (number, at) = ix.split();
        let chunk = &mut self.chunks[number];
        let free = Slot::Free(chunk.free);
        let Slot::Full(value) = core::mem::replace(&mut chunk.slots[at], free) else { gone() };
        if let Some(generation) = chunk.generations.get_mut(at) {
            *generation = generation.wrapping_add(1);
        }
        chunk.free = Some(at as u16);
        chunk.live -= 1;
        self.len -= 1;
        if !core::mem::replace(&mut chunk.listed, true) {
            self.room.push(number as u32);
        }
        if self.chunks[number].live == 0 {
            self.is_emptied(number as u32);
        }
        value
    }

    /// Nothing is left in a chunk: of two such the first is kept, so that the memory of the table shrinks towards where it began.
    fn is_emptied(&mut self, number: u32) {
        let other = self.spare.filter(|other| *other != number && self.chunks[*other as usize].is_spare());
        self.spare = Some(other.map_or(number, |other| other.min(number)));
        let Some(other) = other else { return };
        let chunk = &mut self.chunks[other.max(number) as usize];
        if let Some(first) = &mut self.generation {
            let last = chunk.generations.iter().fold(*first, |last, each| last.max(*each));
            *first = last.wrapping_add(1);
        }
        (chunk.slots, chunk.generations, chunk.free) = (Vec::new(), Vec::new(), None);
        let before = self.chunks.len();
        while self.chunks.last().is_some_and(Chunk::is_absent) {
            self.chunks.pop();
        }
        if self.chunks.len() < before {
            self.room.retain(|number| (*number as usize) < self.chunks.len());
        }
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

    /// Octets of memory of the table, without what its blocks point to.
    pub(super) fn octets(&self) -> usize {
        let chunk = |c: &Chunk<T>| c.slots.capacity() * size_of::<Slot<T>>() + c.generations.capacity() * 4;
        let lists = self.chunks.capacity() * size_of::<Chunk<T>>() + self.room.capacity() * 4;
        lists + self.chunks.iter().map(chunk).sum::<usize>()
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
        let mut arena = Arena::new(0);
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
    fn blocks_do_not_move_once_a_chunk_is_full_of_them() {
        let mut arena = Arena::new(0);
        let first = arena.insert(0_usize);
        assert!(arena.octets() < 2 * CHUNK * size_of::<u32>(), "one block has no chunk of room");
        for n in 1..CHUNK {
            arena.insert(n);
        }
        let second = arena.insert(CHUNK);
        let at = [first, second].map(|ix| core::ptr::from_ref(&arena[ix]));
        for n in CHUNK + 1..10 * CHUNK {
            arena.insert(n);
        }
        assert_eq!([first, second].map(|ix| core::ptr::from_ref(&arena[ix])), at);
        assert_eq!(arena.iter_in(0..u32::MAX).count(), 10 * CHUNK);
        assert_eq!(arena.places() as usize, 10 * CHUNK);
        let places = |range| arena.iter_in(range).map(|(_, n)| *n).collect::<Vec<_>>();
        assert_eq!(places(1..3), [1, 2]);
        assert_eq!(places(254..259), [254, 255, 256, 257, 258]);
        assert_eq!(places(2_558..u32::MAX), [2_558, 2_559]);
        assert_eq!((places(7..7), places(9_999..10_001)), (vec![], vec![]));
    }

    /// Ids of blocks that went with their chunk name nobody, whoever comes to their places.
    #[test]
    fn chunks_in_which_nothing_is_left_are_given_back() {
        let mut arena = Arena::new(0);
        let empty = arena.octets();
        let all: Vec<_> = (0..10 * CHUNK).map(|n| arena.insert(n)).collect();
        let ids: Vec<_> = all.iter().map(|ix| arena.id(*ix)).collect();
        let full = arena.octets() - empty;
        // All but one, in an order that is none.
        let kept = all[5 * CHUNK + 7];
        let order = (0..all.len()).map(|n| all[n * 7919 % all.len()]).filter(|ix| *ix != kept);
        order.for_each(|ix| assert_eq!(all[arena.remove(ix)], ix));
        assert!(arena.octets() - empty < full * 3 / 10, "{} of {full}", arena.octets() - empty);
        assert_eq!((arena.iter_in(0..u32::MAX).count(), arena[kept]), (1, 5 * CHUNK + 7));
        assert_eq!(arena.places() as usize, 5 * CHUNK + CHUNK);
        let again: Vec<_> = (0..10 * CHUNK).map(|n| arena.insert(n)).collect();
        assert!(again.iter().all(|ix| *ix != kept));
        let found = ids.iter().filter_map(|id| arena.find(*id));
        assert!(found.eq([kept]), "only the one that has stayed");
        assert_eq!(arena.len() as usize, 10 * CHUNK + 1);
    }
}
