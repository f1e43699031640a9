//! Where the classes of single flows are: beside each other while they are few, then in *shards*.
//!
//! ```text
//! 7276:1         the link
//! 7276:100…1ff     the first flows
//! 7276:8000…       a class for each shard, in which is
//!   7277:            an HTB of its own
//!   7277:1…80          128 flows more
//! ```
//!
//! The kernel goes through all classes of a queueing discipline when one comes or goes, so that each of many costs as much as
//! there are. A shard's class has the sum of what its flows have, and so holds up none of them; those of Guaranteed
//! service and others have different ones, because the order in which they are served is that of the shards.

use super::super::tc::{Batch, Handle, HtbClass, Queue};
use super::{FlowClass, Full, LINK, MAJOR, leaf};

/// Flows that have their classes below the link's have the minor numbers from here on,
const FIRST: u16 = 0x100;
/// and are so many.
const BESIDE: u16 = 256;
/// The class of the first shard; its major number is the one after the root's.
const FIRST_SHARD: u16 = 0x8000;
/// Flows of a shard: the bits of a word.
const IN_SHARD: u16 = 128;
/// Shards, as many as the egress program knows (`SHARDS` in `flow.h`).
const SHARDS: u16 = 220;
/// What a class may send in its turn, at most.
const LARGEST_TURN: u32 = 60_000;

/// The place of a flow: its number among all that there can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u16);

/// How many flows there is room for.
pub(super) const ROOM: u16 = BESIDE + SHARDS * IN_SHARD;

/// Flows that share a class of the link.
#[derive(Clone, Debug, Default)]
struct Shard {
    guaranteed: bool,
    /// What packets have on the link beside IP: the same for all that are promised something.
    overhead: u16,
    /// Which of its places are taken.
    used: u128,
    /// The sums of what its flows have.
    rate: u64,
    burst: u64,
    bucket: u64,
    turn: u64,
}

/// Which places there are, and which are taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// Of those beside each other: numbers that flows have had, the one that is free for longest first, and the next new one.
    free: std::collections::VecDeque<u16>,
    next: u16,
    shards: Vec<Shard>,
}

impl Place {
    /// The place of a class, if it is one of a single flow.
    pub(super) fn of(class: Handle) -> Option<Self> {
        let (major, minor) = (class.major(), class.minor());
        let shard = major.checked_sub(MAJOR + 1);
        match shard {
            None if major == MAJOR => minor.checked_sub(FIRST).filter(|at| *at < BESIDE).map(Self),
            Some(shard) if shard < SHARDS => {
                let at = minor.checked_sub(1).filter(|at| *at < IN_SHARD)?;
                Some(Self(BESIDE + shard * IN_SHARD + at))
            }
            _ => None,
        }
    }

    /// Its shard and its place there.
    fn in_shard(self) -> Option<(u16, u16)> {
        self.0.checked_sub(BESIDE).map(|at| (at / IN_SHARD, at % IN_SHARD))
    }

    /// Its class.
    pub(super) fn class(self) -> Handle {
        match self.in_shard() {
            None => Handle::new(MAJOR, FIRST + self.0),
            Some((shard, at)) => Handle::new(MAJOR + 1 + shard, 1 + at),
        }
    }

    /// What its class hangs on.
    pub(super) fn parent(self) -> Handle {
        self.in_shard().map_or(LINK, |(shard, _)| Handle::new(MAJOR + 1 + shard, 0))
    }

    /// What its class is. Within a shard there is nothing to borrow from: it is the shard that borrows.
    pub(super) fn htb(self, class: &FlowClass) -> HtbClass {
        let htb = class.htb();
        let burst = if self.in_shard().is_some() { htb.cburst } else { htb.burst };
        HtbClass { burst, ..htb }
    }

    /// Its queue.
    pub(super) fn queue(self) -> Handle {
        leaf(FIRST + self.0)
    }
}

impl Shard {
    fn add(&mut self, class: &FlowClass) {
        let htb = class.htb();
        self.overhead = class.overhead;
        self.rate += class.rate;
        self.burst += u64::from(htb.burst);
        self.bucket += u64::from(htb.cburst) + u64::from(class.max_packet);
        self.turn += u64::from(class.max_packet);
    }

    fn subtract(&mut self, class: &FlowClass) {
        let htb = class.htb();
        self.rate -= class.rate;
        self.burst -= u64::from(htb.burst);
        self.bucket -= u64::from(htb.cburst) + u64::from(class.max_packet);
        self.turn -= u64::from(class.max_packet);
    }

    /// Each of its flows may send its bucket and one packet more, which is borrowed from the link as far as it is ahead of its rate.
    fn class(&self) -> HtbClass {
        let word = |sum| u32::try_from(sum).unwrap_or(u32::MAX);
        let turn = word(self.turn).clamp(1, LARGEST_TURN);
        HtbClass {
            rate: self.rate,
            ceil: self.rate,
            burst: word(self.burst),
            cburst: word(self.bucket),
            priority: if self.guaranteed { 1 } else { 2 },
            quantum: turn,
            min_policed: 0,
            overhead: self.overhead,
        }
    }
}

/// The class of a shard.
fn shard_class(shard: u16) -> Handle {
    Handle::new(MAJOR, FIRST_SHARD + shard)
}

impl Places {
    /// Places of which these are taken.
    pub(super) fn taken<'a>(by: impl Iterator<Item = (Place, &'a FlowClass)>) -> Self {
        let mut this = Self::default();
        let mut beside = std::collections::BTreeSet::new();
        for (place, class) in by {
            let Some((shard, at)) = place.in_shard() else {
                beside.insert(place.0);
                continue;
            };
            let shard = usize::from(shard);
            this.shards.resize(this.shards.len().max(shard + 1), Shard::default());
            let shard = &mut this.shards[shard];
            shard.used |= 1 << at;
            shard.guaranteed |= class.guaranteed;
            shard.add(class);
        }
        this.next = beside.last().map_or(0, |last| last + 1);
        this.free = (0..this.next).filter(|at| !beside.contains(at)).collect();
        this
    }

    /// A place for a flow, and what makes it.
    pub(super) fn take(
        &mut self,
        interface: u32,
        class: &FlowClass,
        batch: &mut Batch,
    ) -> Result<Place, Full> {
        if self.next < BESIDE || !self.free.is_empty() {
            let at = self.free.pop_front().unwrap_or(self.next);
            self.next = self.next.max(at + 1);
            return Ok(Place(at));
        }
        // A shard has the sum of what its flows are promised.
        if !class.promised {
            return Err(Full);
        }
        let has_room = |shard: &Shard| {
            shard.used == 0 || (shard.used != u128::MAX && shard.guaranteed == class.guaranteed)
        };
        let shard = self.shards.iter().position(has_room).unwrap_or(self.shards.len());
        if shard == usize::from(SHARDS) {
            return Err(Full);
        }
        if shard == self.shards.len() {
            self.shards.push(Shard::default());
        }
        let (number, shard) = (shard as u16, &mut self.shards[shard]);
        let (outer, inner) = (shard_class(number), Handle::new(MAJOR + 1 + number, 0));
        let at = shard.used.trailing_ones() as u16;
        let is_new = shard.used == 0;
        shard.used |= 1 << at;
        shard.add(class);
        if is_new {
            shard.guaranteed = class.guaranteed;
            batch.add_class(interface, LINK, outer, &shard.class());
            batch.add_qdisc(interface, outer, inner, Queue::Htb { default: 0xffff }, 0);
        } else {
            batch.change_class(interface, LINK, outer, &shard.class());
        }
        Ok(Place(BESIDE + number * IN_SHARD + at))
    }

    /// A flow has another class in its place now.
    pub(super) fn change(
        &mut self,
        interface: u32,
        place: Place,
        (before, now): (&FlowClass, &FlowClass),
        batch: &mut Batch,
    ) {
        let Some((number, _)) = place.in_shard() else { return };
        let Some(shard) = self.shards.get_mut(usize::from(number)) else { return };
        let standing = shard.class();
        shard.subtract(before);
        shard.add(now);
        if shard.class() != standing {
            batch.change_class(interface, LINK, shard_class(number), &shard.class());
        }
    }

    /// A flow has left its place, with its class; what was there for it alone goes.
    pub(super) fn give_back(&mut self, interface: u32, place: Place, class: &FlowClass, batch: &mut Batch) {
        let Some((number, at)) = place.in_shard() else {
            self.free.push_back(place.0);
            return;
        };
        let Some(shard) = self.shards.get_mut(usize::from(number)) else { return };
        shard.used &= !(1 << at);
        shard.subtract(class);
        if shard.used == 0 {
            batch.remove_class(interface, LINK, shard_class(number));
        } else {
            batch.change_class(interface, LINK, shard_class(number), &shard.class());
        }
    }

    /// The classes of shards as they should stand.
    pub(super) fn classes(&self) -> impl Iterator<Item = (Handle, HtbClass)> {
        let used = self.shards.iter().zip(0..).filter(|(shard, _)| shard.used != 0);
        used.map(|(shard, number)| (shard_class(number), shard.class()))
    }
}
