//! Timers: a hierarchical wheel of eight levels of 64 slots, 1024 microseconds the finest tick.
//!
//! Every state block has at most one entry, at the earliest of its deadlines. A deadline that moves later is left
//! where it is and looked at again when the entry fires. A timer fires up to one tick after its deadline, never before.

use super::arena::{Arena, Ix};
use crate::time::Instant;

const LEVELS: usize = 8;
const SLOTS: usize = 64;
const TICK_SHIFT: u32 = 10;

/// An entry of the wheel, for the block it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Entry<O> {
    deadline: u64,
    prev: Option<Ix<Self>>,
    next: Option<Ix<Self>>,
    owner: O,
}

/// Names an entry.
pub(crate) type TimerIx<O> = Ix<Entry<O>>;

#[derive(Clone, Debug)]
pub(crate) struct Wheel<O> {
    entries: Arena<Entry<O>>,
    slots: [[Option<TimerIx<O>>; SLOTS]; LEVELS],
    occupied: [u64; LEVELS],
    /// All ticks before this one are done.
    elapsed: u64,
}

impl<O: Copy> Wheel<O> {
    pub(crate) fn new(expected: u32) -> Self {
        Self {
            entries: Arena::without_ids(expected),
            slots: [[None; SLOTS]; LEVELS],
            occupied: [0; LEVELS],
            elapsed: 0,
        }
    }

    /// Arms a timer; `Instant::NEVER` arms nothing.
    pub(crate) fn arm(&mut self, at: Instant, owner: O) -> Option<TimerIx<O>> {
        if at == Instant::NEVER {
            return None;
        }
        let (deadline, level, slot) = self.place_of(tick_of(at));
        let next = self.slots[level][slot];
        let ix = self.entries.insert(Entry { deadline, prev: None, next, owner });
        self.put(ix, level, slot);
        Some(ix)
    }

    /// Takes a timer out, if there is one.
    pub(crate) fn cancel(&mut self, timer: &mut Option<TimerIx<O>>) {
        if let Some(ix) = timer.take() {
            self.unlink(ix);
            self.entries.remove(ix);
        }
    }

    /// Makes sure that the timer of `owner` fires no later than `at`; later is left for when it fires.
    pub(crate) fn not_later(&mut self, timer: &mut Option<TimerIx<O>>, at: Instant, owner: O) {
        if timer.is_none_or(|ix| self.entries[ix].deadline > tick_of(at)) {
            self.cancel(timer);
            *timer = self.arm(at, owner);
        }
    }

    /// The owner of a timer that is due, taking the timer out; `None` when none is due at `now` or when sorting took
    /// `steps` to nothing.
    pub(crate) fn pop(&mut self, now: Instant, steps: &mut u32) -> Option<O> {
        let now = now.0 >> TICK_SHIFT;
        while *steps > 0 {
            let (level, slot, start) = self.earliest()?;
            if start > now {
                return None;
            }
            *steps -= 1;
            self.elapsed = self.elapsed.max(start);
            let ix = self.slots[level][slot]?;
            let Entry { deadline, next, .. } = self.entries[ix];
            self.take_head(level, slot, next);
            if deadline <= self.elapsed {
                return Some(self.entries.remove(ix).owner);
            }
            let (deadline, level, slot) = self.place_of(deadline);
            let entry = &mut self.entries[ix];
            (entry.deadline, entry.next) = (deadline, self.slots[level][slot]);
            self.put(ix, level, slot);
        }
        None
    }

    /// When `pop` will next have something to do, and for whom; sorting counts.
    pub(crate) fn wake(&self) -> Option<(Instant, Option<O>)> {
        let (level, slot, start) = self.earliest()?;
        let owner = if level == 0 { self.slots[level][slot].map(|ix| self.entries[ix].owner) } else { None };
        Some((Instant(start << TICK_SHIFT), owner))
    }

    /// Octets of memory of the entries.
    pub(crate) fn octets(&self) -> usize {
        self.entries.octets()
    }

    pub(crate) const fn len(&self) -> u32 {
        self.entries.len()
    }

    /// How often entries were looked at.
    pub(crate) fn visits(&self) -> u64 {
        self.entries.visits()
    }

    /// The slot that begins first, over all levels. All that waits in a level lies within the slot of the next level that is
    /// now, so the lowest level that is not empty has it; but for that slot itself, which is sorted when its time has come, and
    /// not before `elapsed` is where it begins.
    fn earliest(&self) -> Option<(usize, usize, u64)> {
        let mut first = None;
        for (level, occupied) in self.occupied.iter().enumerate().filter(|(_, occupied)| **occupied != 0) {
            let shift = 6 * level as u32;
            if first.is_some() && self.elapsed & ((1 << shift) - 1) != 0 {
                break;
            }
            let at = (self.elapsed >> shift) as u32 % SLOTS as u32;
            let ahead = occupied.rotate_right(at).trailing_zeros();
            if ahead == 0 || first.is_none() {
                let start = ((self.elapsed >> shift) + u64::from(ahead)) << shift;
                first = Some((level, (at + ahead) as usize % SLOTS, start));
            }
            if ahead == 0 {
                break;
            }
        }
        first
    }

    /// Where an entry belongs, and its deadline, which is not before what is done.
    fn place_of(&self, deadline: u64) -> (u64, usize, usize) {
        let deadline = deadline.max(self.elapsed);
        let level = level_of(self.elapsed, deadline);
        (deadline, level, slot_of(deadline, level))
    }

    /// Makes an entry, which knows what is there, the head of a slot.
    fn put(&mut self, ix: TimerIx<O>, level: usize, slot: usize) {
        if let Some(head) = self.slots[level][slot].replace(ix) {
            self.entries[head].prev = Some(ix);
        }
        self.occupied[level] |= 1 << slot;
    }

    /// Takes out the head of a slot, which `next` follows.
    fn take_head(&mut self, level: usize, slot: usize, next: Option<TimerIx<O>>) {
        self.slots[level][slot] = next;
        match next {
            Some(next) => self.entries[next].prev = None,
            None => self.occupied[level] &= !(1 << slot),
        }
    }

    fn unlink(&mut self, ix: TimerIx<O>) {
        let Entry { deadline, prev, next, .. } = self.entries[ix];
        let Some(prev) = prev else {
            // A head does not know its level, which depends on the time at which it was linked: look in each.
            let is_head = |level: &usize| self.slots[*level][slot_of(deadline, *level)] == Some(ix);
            if let Some(level) = (0..LEVELS).find(is_head) {
                self.take_head(level, slot_of(deadline, level), next);
            }
            return;
        };
        self.entries[prev].next = next;
        if let Some(next) = next {
            self.entries[next].prev = Some(prev);
        }
    }
}

const fn slot_of(deadline: u64, level: usize) -> usize {
    (deadline >> (6 * level as u32)) as usize % SLOTS
}

/// The first tick that is not before `at`; what no wheel could hold is cut to its last tick.
fn tick_of(at: Instant) -> u64 {
    at.0.div_ceil(1 << TICK_SHIFT).min((1 << (6 * LEVELS)) - 1)
}

/// The level at which two ticks first fall into different slots of the same round.
fn level_of(elapsed: u64, deadline: u64) -> usize {
    let differing = (elapsed ^ deadline) | (SLOTS as u64 - 1);
    ((differing.ilog2() / 6) as usize).min(LEVELS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use core::time::Duration;

    /// Runs the wheel to `end` as a driver would and returns (fired at, owner).
    fn run(wheel: &mut Wheel<u32>, end: u64) -> Vec<(u64, u32)> {
        let mut fired = Vec::new();
        while let Some((at, _)) = wheel.wake().filter(|(at, _)| at.0 <= end) {
            let mut steps = 3;
            while let Some(owner) = wheel.pop(at, &mut steps) {
                fired.push((at.0, owner));
            }
        }
        fired
    }

    #[test]
    fn every_timer_fires_once_within_a_tick_after_its_deadline_and_in_order() {
        let (mut wheel, mut rng, mut deadlines) = (Wheel::new(0), Rng::new(3), Vec::new());
        for n in 0..2_000_u32 {
            let at = rng.jitter(Duration::from_micros(1 << (n % 40))).as_micros() as u64;
            deadlines.push(at);
            wheel.arm(Instant(at), n);
        }
        let fired = run(&mut wheel, u64::MAX);
        assert_eq!(fired.len(), 2_000);
        assert_eq!(wheel.len(), 0);
        assert!(fired.is_sorted_by_key(|(at, _)| *at));
        for (at, owner) in fired {
            let deadline = deadlines[owner as usize];
            assert!(at >= deadline && at < deadline + 1024, "{owner}: due {deadline}, fired {at}");
        }
    }

    #[test]
    fn cancelled_timers_do_not_fire_and_earlier_deadlines_move_the_entry() {
        let mut wheel = Wheel::new(0);
        let mut a = wheel.arm(Instant::from_millis(5_000), 1);
        let mut b = wheel.arm(Instant::from_millis(9_000), 2);
        assert_eq!(run(&mut wheel, 4_000_000), []);
        wheel.cancel(&mut a);
        wheel.not_later(&mut b, Instant::from_millis(7_000), 2);
        wheel.not_later(&mut b, Instant::from_millis(8_000), 2);
        assert_eq!(run(&mut wheel, 20_000_000), [(7_000_064, 2)]);
    }
}
