//! Memory of state that is gone goes back to the kernel: by itself the C library keeps what was freed below anything that is still in use.

use crate::sys;
use std::time::Duration;

/// Fewer blocks of state than these are not worth it.
const FEW: u32 = 20_000;
/// How long after the last of them has gone: more may be about to.
const SOON: Duration = Duration::from_secs(1);
/// It takes a while, and so is not done more often than this.
const SELDOM: Duration = Duration::from_secs(60);

/// How much state there was, and when memory was given back.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The most blocks since it was.
    most: u32,
    /// How many there were at the last look.
    last: u32,
    given: Option<Duration>,
    /// When to, if it stays so.
    due: Option<Duration>,
}

impl Memory {
    /// There are so many blocks of state; whether it is time to give memory back. Half of them have to have gone.
    pub(super) fn look(&mut self, blocks: u32, now: Duration) -> bool {
        self.most = self.most.max(blocks);
        let goes = blocks < core::mem::replace(&mut self.last, blocks);
        if self.most - blocks < FEW || blocks > self.most / 2 {
            self.due = None;
            return false;
        }
        let soon = || self.given.map_or(Duration::ZERO, |given| given + SELDOM).max(now + SOON);
        let due = self.due.filter(|_| !goes).unwrap_or_else(soon);
        if due > now {
            self.due = Some(due);
            return false;
        }
        *self = Self { most: blocks, last: blocks, given: Some(now), due: None };
        true
    }

    pub(super) const fn wake_at(&self) -> Option<Duration> {
        self.due
    }
}

/// Gives it back beside whatever else there is to do.
pub(super) fn give_back() {
    drop(tokio::task::spawn_blocking(sys::give_memory_back));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_seldom_and_after_much_has_gone() {
        let mut memory = Memory::default();
        let at = Duration::from_secs;
        assert!(!memory.look(100_000, at(1)) && !memory.look(60_000, at(5)), "more than half is there");
        assert_eq!(memory.wake_at(), None);
        assert!(!memory.look(50_000, at(10)), "more may go");
        assert_eq!(memory.wake_at(), Some(at(11)));
        assert!(!memory.look(30_000, at(11)) && !memory.look(20_000, at(12)), "more goes");
        assert_eq!(memory.wake_at(), Some(at(13)));
        assert!(!memory.look(51_000, at(13)), "some came instead");
        assert!(!memory.look(9, at(14)) && memory.look(9, at(15)));
        assert_eq!(memory.wake_at(), None, "and nobody is woken for it");
        assert!(!memory.look(30_000, at(20)) && !memory.look(0, at(21)));
        assert_eq!(memory.wake_at(), Some(at(75)), "not so soon again");
        assert!(!memory.look(0, at(74)) && memory.look(0, at(75)));
        assert!(
            !memory.look(FEW - 1, at(200)) && !memory.look(0, at(300)) && !memory.look(0, at(400)),
            "too few"
        );
    }
}
