//! Timers: a hierarchical wheel of six levels of 64 slots, 1024 microseconds the finest tick.
//!
//! Every state block has at most one, at the earliest of its deadlines, and it is in the block itself: a slot of the wheel is the
//! head of a list through the blocks. A deadline that moves later is left where it is and looked at again when the timer fires. A
//! timer fires up to one tick after its deadline, never before; but for one that is farther away than the wheel reaches, 50 days.

use crate::time::Instant;

const LEVELS: usize = 6;
const SLOTS: usize = 64;
const TICK_SHIFT: u32 = 10;

/// The timer of a block.
#[derive(Clone, Debug)]
pub(crate) struct Timer<L> {
    /// The last octets of the tick; no timer is so far away that they would not do.
    deadline: u32,
    /// Who is before it in its slot; for the first anybody. `None` where the timer is not armed.
    prev: Option<L>,
    next: Option<L>,
}

impl<L> Timer<L> {
    /// Not armed.
    pub(crate) const fn new() -> Self {
        Self { deadline: 0, prev: None, next: None }
    }
}

/// Where the blocks are in which timers are.
pub(crate) trait Timed<L> {
    fn timer(&mut self, of: L) -> &mut Timer<L>;
}

#[derive(Clone, Debug)]
pub(crate) struct Wheel<L> {
    slots: [[Option<L>; SLOTS]; LEVELS],
    occupied: [u64; LEVELS],
    /// All ticks before this one are done.
    elapsed: u64,
    armed: u32,
}

impl<L: Copy + Eq> Wheel<L> {
    pub(crate) fn new() -> Self {
        Self { slots: [[None; SLOTS]; LEVELS], occupied: [0; LEVELS], elapsed: 0, armed: 0 }
    }

    /// Arms a timer that is not armed; `Instant::NEVER` arms nothing.
    pub(crate) fn arm(&mut self, blocks: &mut impl Timed<L>, of: L, at: Instant) {
        if at != Instant::NEVER {
            self.armed += 1;
            self.put(blocks, of, tick_of(at));
        }
    }

    /// Takes a timer out, if it is armed.
    pub(crate) fn cancel(&mut self, blocks: &mut impl Timed<L>, of: L) {
        let Timer { deadline, prev, next } = *blocks.timer(of);
        let Some(prev) = prev else { return };
        *blocks.timer(of) = Timer::new();
        self.armed -= 1;
        let deadline = self.whole(deadline);
        // Which is the first is known by the slot alone. Its level depends on the time at which it was put there: look in each.
        let is_head = |level: &usize| self.slots[*level][slot_of(deadline, *level)] == Some(of);
        match (0..LEVELS).find(is_head) {
            Some(level) => self.set_head(level, slot_of(deadline, level), next),
            None => {
                blocks.timer(prev).next = next;
                if let Some(next) = next {
                    blocks.timer(next).prev = Some(prev);
                }
            }
        }
    }

    /// Makes sure that a timer fires no later than `at`; later is left for when it fires.
    pub(crate) fn not_later(&mut self, blocks: &mut impl Timed<L>, of: L, at: Instant) {
        let Timer { deadline, prev, .. } = *blocks.timer(of);
        if prev.is_none() || self.whole(deadline) > tick_of(at) {
            self.cancel(blocks, of);
            self.arm(blocks, of, at);
        }
    }

    /// Whose timer is due, which is not armed any more; `None` when none is due at `now` or when sorting took `steps` to nothing.
    pub(crate) fn pop(&mut self, blocks: &mut impl Timed<L>, now: Instant, steps: &mut u32) -> Option<L> {
        let now = now.0 >> TICK_SHIFT;
        while *steps > 0 {
            let (level, slot, start) = self.earliest()?;
            if start > now {
                return None;
            }
            *steps -= 1;
            self.elapsed = self.elapsed.max(start);
            let of = self.slots[level][slot]?;
            let timer = blocks.timer(of);
            let deadline = self.whole(timer.deadline);
            let Timer { next, .. } = core::mem::replace(timer, Timer::new());
            self.set_head(level, slot, next);
            if deadline <= self.elapsed {
                self.armed -= 1;
                return Some(of);
            }
            self.put(blocks, of, deadline);
        }
        None
    }

    /// When `pop` will next have something to do, and for whom; sorting counts.
    pub(crate) fn wake(&self) -> Option<(Instant, Option<L>)> {
        let (level, slot, start) = self.earliest()?;
        let of = if level == 0 { self.slots[level][slot] } else { None };
        Some((Instant(start << TICK_SHIFT), of))
    }

    /// How many timers are armed.
    pub(crate) const fn armed(&self) -> u32 {
        self.armed
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

    /// The tick of an armed timer, which is not before what is done.
    fn whole(&self, deadline: u32) -> u64 {
        self.elapsed + u64::from(deadline.wrapping_sub(self.elapsed as u32))
    }

    /// Makes a timer the first of the slot where it belongs.
    fn put(&mut self, blocks: &mut impl Timed<L>, of: L, deadline: u64) {
        let deadline = deadline.clamp(self.elapsed, self.elapsed + u64::from(u32::MAX));
        let level = level_of(self.elapsed, deadline);
        let slot = slot_of(deadline, level);
        let next = self.slots[level][slot].replace(of);
        *blocks.timer(of) = Timer { deadline: deadline as u32, prev: Some(of), next };
        if let Some(next) = next {
            blocks.timer(next).prev = Some(of);
        }
        self.occupied[level] |= 1 << slot;
    }

    fn set_head(&mut self, level: usize, slot: usize, head: Option<L>) {
        self.slots[level][slot] = head;
        if head.is_none() {
            self.occupied[level] &= !(1 << slot);
        }
    }
}

const fn slot_of(deadline: u64, level: usize) -> usize {
    (deadline >> (6 * level as u32)) as usize % SLOTS
}

/// The first tick that is not before `at`.
fn tick_of(at: Instant) -> u64 {
    at.0.div_ceil(1 << TICK_SHIFT)
}

/// The level at which two ticks first fall into different slots of the same round. Of the last level there is no round: what is there is
/// never farther away than it reaches.
fn level_of(elapsed: u64, deadline: u64) -> usize {
    let differing = (elapsed ^ deadline) | (SLOTS as u64 - 1);
    ((differing.ilog2() / 6) as usize).min(LEVELS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use core::time::Duration;

    impl Timed<u32> for Vec<Timer<u32>> {
        fn timer(&mut self, of: u32) -> &mut Timer<u32> {
            &mut self[of as usize]
        }
    }

    fn blocks(count: usize) -> Vec<Timer<u32>> {
        vec![Timer::new(); count]
    }

    /// Runs the wheel to `end` as a driver would and returns (fired at, whose).
    fn run(wheel: &mut Wheel<u32>, blocks: &mut Vec<Timer<u32>>, end: u64) -> Vec<(u64, u32)> {
        let mut fired = Vec::new();
        while let Some((at, _)) = wheel.wake().filter(|(at, _)| at.0 <= end) {
            let mut steps = 3;
            while let Some(of) = wheel.pop(blocks, at, &mut steps) {
                fired.push((at.0, of));
            }
        }
        fired
    }

    #[test]
    fn every_timer_fires_once_within_a_tick_after_its_deadline_and_in_order() {
        let (mut wheel, mut blocks, mut rng) = (Wheel::new(), blocks(2_000), Rng::new(3));
        let mut deadlines = Vec::new();
        for n in 0..2_000_u32 {
            let at = rng.jitter(Duration::from_micros(1 << (n % 40))).as_micros() as u64;
            deadlines.push(at);
            wheel.arm(&mut blocks, n, Instant(at));
        }
        // From anywhere in their lists.
        let gone: Vec<u32> = (0..2_000).filter(|n| n % 7 == 3 || n % 11 == 5).collect();
        gone.iter().for_each(|n| wheel.cancel(&mut blocks, *n));
        let fired = run(&mut wheel, &mut blocks, u64::MAX);
        assert_eq!(fired.len(), 2_000 - gone.len());
        assert_eq!(wheel.armed(), 0);
        assert!(fired.is_sorted_by_key(|(at, _)| *at));
        for (at, of) in fired {
            let deadline = deadlines[of as usize];
            assert!(at >= deadline && at < deadline + 1024, "{of}: due {deadline}, fired {at}");
            assert!(!gone.contains(&of), "{of} was cancelled");
        }
    }

    #[test]
    fn cancelled_timers_do_not_fire_and_earlier_deadlines_move_them() {
        let (mut wheel, mut blocks) = (Wheel::new(), blocks(3));
        wheel.arm(&mut blocks, 1, Instant::from_millis(5_000));
        wheel.arm(&mut blocks, 2, Instant::from_millis(9_000));
        assert_eq!(run(&mut wheel, &mut blocks, 4_000_000), []);
        wheel.cancel(&mut blocks, 1);
        wheel.cancel(&mut blocks, 1);
        wheel.not_later(&mut blocks, 2, Instant::from_millis(7_000));
        wheel.not_later(&mut blocks, 2, Instant::from_millis(8_000));
        assert_eq!(run(&mut wheel, &mut blocks, 20_000_000), [(7_000_064, 2)]);
    }

    /// Ticks of a hundred years do not fit what is kept of them; what is farther away than 50 days is looked at then.
    #[test]
    fn time_goes_on_for_longer_than_a_timer_reaches() {
        let (mut wheel, mut blocks) = (Wheel::new(), blocks(2));
        let day = 86_400_000_000;
        for from in (0..36_500).step_by(40) {
            wheel.arm(&mut blocks, 0, Instant((from + 40) * day));
            wheel.arm(&mut blocks, 1, Instant((from + 39) * day + 1));
            let fired = run(&mut wheel, &mut blocks, u64::MAX);
            let late: Vec<u64> =
                fired.iter().map(|(at, of)| at - (from + 40 - u64::from(*of)) * day).collect();
            assert_eq!(fired.iter().map(|(_, of)| *of).collect::<Vec<_>>(), [1, 0]);
            assert!(late.iter().all(|late| *late <= 1_024), "{late:?} at day {from}");
        }
        wheel.arm(&mut blocks, 0, Instant(u64::MAX - 1));
        let [(at, 0)] = run(&mut wheel, &mut blocks, u64::MAX)[..] else { panic!("once") };
        assert!((49..51).contains(&(at / day - 36_520)), "day {}", at / day);
    }
}
