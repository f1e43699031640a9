//! When the loop looks: timers fire at ticks, and so are packets taken that come densely.
//!
//! Each look costs a wake-up, a call to receive and one to send, however much there is. What comes alone is taken when it comes; where
//! several have come in a tick, the next takes what has come until then. So a message waits for a tick at most, and no
//! node wakes up more often than there are ticks, whatever it has to refresh.

use crate::receiver::Look;

/// Ticks of the engine's wheel, of which this is a multiple (`rsvp_node`, `state/wheel`).
pub(crate) const TICK_US: u64 = 24 << 10;

/// Datagrams in one tick from which on packets come densely: more than setting one reservation up takes.
const DENSE: u64 = 4;

/// How densely packets come.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// The tick that is counted in, and what has come in it.
    tick: u64,
    datagrams: u64,
    /// What came in the tick before.
    before: u64,
    is_more: bool,
}

impl Pace {
    /// A look has found something, or not.
    pub(super) fn looked(&mut self, now_us: u64, look: Look) {
        let tick = now_us / TICK_US;
        if tick != self.tick {
            self.before = if tick == self.tick + 1 { self.datagrams } else { 0 };
            (self.tick, self.datagrams) = (tick, 0);
        }
        self.datagrams += look.datagrams;
        self.is_more = look.is_more;
    }

    /// Whether packets have come so densely lately that the next are waited for.
    pub(super) fn is_dense(&self, now_us: u64) -> bool {
        let latest = match (now_us / TICK_US).saturating_sub(self.tick) {
            0 => self.datagrams.max(self.before),
            1 => self.datagrams,
            _ => 0,
        };
        latest >= DENSE
    }

    /// Whether queues that have something are to be looked at now: whatever else wakes the loop, they were not yet in this tick.
    pub(super) fn is_due(&self, now_us: u64) -> bool {
        self.is_more || now_us / TICK_US != self.tick || !self.is_dense(now_us)
    }

    /// When they are looked at next.
    pub(super) fn look_at(&self, now_us: u64) -> u64 {
        if self.is_due(now_us) { now_us } else { tick_of(now_us + 1, now_us) }
    }
}

/// The tick in which what is due at a time is done; what is due already is done at once.
pub(super) fn tick_of(due_us: u64, now_us: u64) -> u64 {
    if due_us <= now_us { now_us } else { due_us.div_ceil(TICK_US).saturating_mul(TICK_US) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_at_ticks_and_what_is_due_at_once() {
        assert_eq!(tick_of(5, 7), 7);
        assert_eq!(tick_of(7, 7), 7);
        assert_eq!(tick_of(8, 7), TICK_US);
        assert_eq!(tick_of(TICK_US, 7), TICK_US);
        assert_eq!(tick_of(TICK_US + 1, 7), 2 * TICK_US);
    }

    #[test]
    fn packets_that_come_alone_are_taken_when_they_come() {
        let mut pace = Pace::default();
        let one = Look { datagrams: 1, is_more: false };
        pace.looked(10 * TICK_US, one);
        assert!(!pace.is_dense(10 * TICK_US + 5));
        pace.looked(10 * TICK_US + 5, Look { datagrams: DENSE - 1, is_more: false });
        assert!(pace.is_dense(10 * TICK_US + 6) && pace.is_dense(11 * TICK_US + 6));
        assert_eq!(pace.look_at(10 * TICK_US + 6), 11 * TICK_US);
        assert!(!pace.is_due(11 * TICK_US - 1) && pace.is_due(11 * TICK_US));
        assert!(!pace.is_dense(12 * TICK_US), "a tick without any ends it");
        // Looking again and again finds it so as long as they come.
        for tick in 20..30 {
            pace.looked(tick * TICK_US, Look { datagrams: DENSE, is_more: false });
            assert!(pace.is_dense(tick * TICK_US + 1));
        }
    }

    #[test]
    fn a_full_batch_is_followed_by_the_next_at_once() {
        let mut pace = Pace::default();
        pace.looked(5, Look { datagrams: 64, is_more: true });
        assert_eq!(pace.look_at(9), 9);
    }
}
