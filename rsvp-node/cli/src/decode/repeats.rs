//! What an object was shown as, for the next time: RSVP says the same again in every refresh.
//!
//! A fixed number of slots, each with the last object that fell into it. Whether the octets and the place are the same is
//! compared, not only hashed; what is not found is written as if nothing was kept here.
//!
//! Without it everything would be the same but for time: a capture of refreshes takes more than twice as long then, and one
//! in which nothing repeats a fiftieth less (docs/performance.md).

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use super::text::Text;

const SLOTS: usize = 512;
/// Octets of the longest object that is kept, and of the longest text.
const OBJECT: usize = 1024;
const SHOWN: usize = 8192;

#[derive(Clone, Default)]
struct Slot {
    at: u16,
    depth: usize,
    octets: Vec<u8>,
    shown: Vec<u8>,
}

pub(super) struct Repeats {
    hasher: DefaultHashBuilder,
    slots: Vec<Slot>,
}

impl Repeats {
    pub(super) fn new() -> Self {
        Self { hasher: DefaultHashBuilder::default(), slots: vec![Slot::default(); SLOTS] }
    }

    /// Puts what `write` puts for these octets at this place and depth, nested in as much else.
    #[inline]
    pub(super) fn put(
        &mut self,
        octets: &[u8],
        (at, depth): (u16, usize),
        out: &mut Text,
        write: impl FnOnce(&mut Text),
    ) {
        let slot = self.hasher.hash_one(octets) as usize % SLOTS;
        let Some(slot) = self.slots.get_mut(slot).filter(|_| octets.len() <= OBJECT) else {
            return write(out);
        };
        if slot.at == at && slot.depth == depth && slot.octets == octets {
            out.bytes(&slot.shown);
            return;
        }
        let start = out.len();
        write(out);
        let shown = out.as_bytes().get(start..).unwrap_or_default();
        if shown.len() <= SHOWN {
            (slot.at, slot.depth) = (at, depth);
            slot.octets.clear();
            slot.octets.extend_from_slice(octets);
            slot.shown.clear();
            slot.shown.extend_from_slice(shown);
        }
    }
}
