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
#[derive(Debug)]
pub(crate) struct Entry<O> {
    deadline: u64,
    prev: Option<Ix<Self>>,
    next: Option<Ix<Self>>,
    owner: O,
}

/// Names an entry.
pub(crate) type TimerIx<O> = Ix<Entry<O>>;

#[derive(Debug)]
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
            entries: Arena::new(expected),
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
        let ix = self.entries.insert(Entry { deadline: tick_of(at), prev: None, next: None, owner });
        self.link(ix);
        Some(ix)
    }

    /// Takes a timer out.
    pub(crate) fn cancel(&mut self, ix: TimerIx<O>) {
        self.unlink(ix);
        self.entries.remove(ix);
    }

    /// Makes sure that the timer of `owner` fires no later than `at`; later is left for when it fires.
    pub(crate) fn not_later(&mut self, timer: &mut Option<TimerIx<O>>, at: Instant, owner: O) {
        match *timer {
            Some(ix) if self.entries[ix].deadline <= tick_of(at) => {}
            Some(ix) => {
                self.cancel(ix);
                *timer = self.arm(at, owner);
            }
            None => *timer = self.arm(at, owner),
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
            self.unlink(ix);
            if self.entries[ix].deadline <= self.elapsed {
                return Some(self.entries.remove(ix).owner);
            }
            self.link(ix);
        }
        None
    }

    /// When `pop` will next have something to do, and for whom; sorting counts.
    pub(crate) fn wake(&self) -> Option<(Instant, Option<O>)> {
        let (level, slot, start) = self.earliest()?;
        let owner = if level == 0 { self.slots[level][slot].map(|ix| self.entries[ix].owner) } else { None };
        Some((Instant(start << TICK_SHIFT), owner))
    }

    pub(crate) const fn len(&self) -> u32 {
        self.entries.len()
    }

    /// How often entries were looked at.
    pub(crate) fn visits(&self) -> u64 {
        self.entries.visits()
    }

    /// The slot that begins first, over all levels.
    fn earliest(&self) -> Option<(usize, usize, u64)> {
        let mut best: Option<(usize, usize, u64)> = None;
        for level in 0..LEVELS {
            let occupied = self.occupied[level];
            if occupied == 0 {
                continue;
            }
            let shift = 6 * level as u32;
            let at = (self.elapsed >> shift) as u32 % SLOTS as u32;
            let ahead = occupied.rotate_right(at).trailing_zeros();
            let start = ((self.elapsed >> shift) + u64::from(ahead)) << shift;
            let slot = (at + ahead) as usize % SLOTS;
            if best.is_none_or(|(_, _, s)| start < s) {
                best = Some((level, slot, start));
            }
        }
        best
    }

    fn link(&mut self, ix: TimerIx<O>) {
        let deadline = self.entries[ix].deadline.max(self.elapsed);
        self.entries[ix].deadline = deadline;
        let level = level_of(self.elapsed, deadline);
        let slot = slot_of(deadline, level);
        let head = self.slots[level][slot];
        self.entries[ix].prev = None;
        self.entries[ix].next = head;
        if let Some(head) = head {
            self.entries[head].prev = Some(ix);
        }
        self.slots[level][slot] = Some(ix);
        self.occupied[level] |= 1 << slot;
    }

    fn unlink(&mut self, ix: TimerIx<O>) {
        let (prev, next) = (self.entries[ix].prev, self.entries[ix].next);
        if let Some(next) = next {
            self.entries[next].prev = prev;
        }
        if let Some(prev) = prev {
            self.entries[prev].next = next;
            return;
        }
        // A head does not know its level, which depends on the time at which it was linked: look in each.
        let deadline = self.entries[ix].deadline;
        for level in 0..LEVELS {
            let slot = slot_of(deadline, level);
            if self.slots[level][slot] == Some(ix) {
                self.slots[level][slot] = next;
                if next.is_none() {
                    self.occupied[level] &= !(1 << slot);
                }
                return;
            }
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
        let a = wheel.arm(Instant::from_millis(5_000), 1);
        let mut b = wheel.arm(Instant::from_millis(9_000), 2);
        assert_eq!(run(&mut wheel, 4_000_000), []);
        wheel.cancel(a.expect("armed"));
        wheel.not_later(&mut b, Instant::from_millis(7_000), 2);
        wheel.not_later(&mut b, Instant::from_millis(8_000), 2);
        assert_eq!(run(&mut wheel, 20_000_000), [(7_000_064, 2)]);
    }
}
