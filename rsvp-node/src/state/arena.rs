//! Tables of state blocks: chunks that never move, places that are reused, generations that tell users apart.
//!
//! A table grows by one chunk at a time, so no insertion ever copies what is already there.

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::num::NonZeroU32;
use core::ops::{Index, IndexMut};

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

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    next_free: Option<Ix<T>>,
    value: Option<T>,
}

/// A table of `T`.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    chunks: Vec<Vec<Slot<T>>>,
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
    pub(crate) fn insert(&mut self, value: T) -> Ix<T> {
        self.len += 1;
        if let Some(ix) = self.free {
            let slot = self.slot_mut(ix);
            slot.value = Some(value);
            let next = slot.next_free.take();
            self.free = next;
            return ix;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let chunk = self.chunks.len() - 1;
        self.chunks[chunk].push(Slot { generation: 0, next_free: None, value: Some(value) });
        Ix::new(chunk * CHUNK + self.chunks[chunk].len() - 1).expect("limits keep tables below 2^32 blocks")
    }

    /// Takes the block out; its place is reused under another generation.
    pub(crate) fn remove(&mut self, ix: Ix<T>) -> T {
        let free = self.free;
        let slot = self.slot_mut(ix);
        slot.generation = slot.generation.wrapping_add(1);
        slot.next_free = free;
        let value = slot.value.take().expect("a link to a block that is gone");
        self.free = Some(ix);
        self.len -= 1;
        value
    }

    pub(crate) fn id(&self, ix: Ix<T>) -> Id<T> {
        let (chunk, at) = ix.split();
        Id { ix, generation: self.chunks[chunk][at].generation }
    }

    /// The place behind an id, if its user is still the same.
    pub(crate) fn find(&self, id: Id<T>) -> Option<Ix<T>> {
        let (chunk, at) = id.ix.split();
        let slot = self.chunks.get(chunk)?.get(at)?;
        (slot.generation == id.generation && slot.value.is_some()).then_some(id.ix)
    }

    /// The block at a place that may be free, for walks over the whole table.
    pub(crate) fn at(&self, place: u32) -> Option<&T> {
        self.visit();
        let place = place as usize;
        self.chunks.get(place / CHUNK)?.get(place % CHUNK)?.value.as_ref()
    }

    /// One more than the highest place ever used.
    pub(crate) fn places(&self) -> u32 {
        self.chunks.last().map_or(0, |last| ((self.chunks.len() - 1) * CHUNK + last.len()) as u32)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ix<T>, &T)> {
        self.chunks.iter().enumerate().flat_map(|(c, chunk)| {
            chunk
                .iter()
                .enumerate()
                .filter_map(move |(i, slot)| Some((Ix::new(c * CHUNK + i)?, slot.value.as_ref()?)))
        })
    }

    fn slot_mut(&mut self, ix: Ix<T>) -> &mut Slot<T> {
        let (chunk, at) = ix.split();
        &mut self.chunks[chunk][at]
    }
}

impl<T> Index<Ix<T>> for Arena<T> {
    type Output = T;

    fn index(&self, ix: Ix<T>) -> &T {
        self.visit();
        let (chunk, at) = ix.split();
        self.chunks[chunk][at].value.as_ref().expect("a link to a block that is gone")
    }
}

impl<T> IndexMut<Ix<T>> for Arena<T> {
    fn index_mut(&mut self, ix: Ix<T>) -> &mut T {
        self.visit();
        self.slot_mut(ix).value.as_mut().expect("a link to a block that is gone")
    }
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
        assert_eq!(arena.iter().count(), 10 * CHUNK);
        assert_eq!(arena.places() as usize, 10 * CHUNK);
    }
}
