//! How often something may be done: so many times at once, and then once in each interval.

use crate::time::{Instant, Since};
use core::time::Duration;

/// What may be done how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) at_once: u32,
    pub(crate) interval: Duration,
}

/// A bucket that fills with time. It has its own time alone, so that a new one is full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    used_until: Instant,
}

impl Default for Rate {
    fn default() -> Self {
        Self { used_until: Instant::ZERO }
    }
}

impl Rate {
    /// Whether it may be done now, and takes that.
    pub(crate) fn take(&mut self, now: Instant, pace: Pace) -> bool {
        let may = self.next(now, pace) == now;
        if may {
            self.reserve(now, pace);
        }
        may
    }

    /// When it may be done next.
    pub(crate) fn next(&self, now: Instant, pace: Pace) -> Instant {
        let ahead = pace.interval.saturating_mul(pace.at_once.saturating_sub(1));
        let free = self.used_until.as_micros().saturating_sub(ahead.as_micros() as u64);
        now.max(Instant(free))
    }

    /// Takes the next time, be it now or later.
    pub(crate) fn reserve(&mut self, now: Instant, pace: Pace) {
        self.used_until = self.used_until.max(now) + pace.interval;
    }
}

/// The same of what is done seldom, in four octets: so many times at once, and then once in each interval, to a tenth of a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seldom {
    used_until: u32,
}

impl Seldom {
    /// Whether it may be done now, `at_once` times in a row, and takes that.
    pub(crate) fn take(&mut self, now: Instant, at_once: u32, interval: Duration) -> bool {
        let now = Since::of(now).tenths();
        let interval = Since::of(Instant::ZERO + interval).tenths().max(1);
        let until = self.used_until.max(now);
        let may = until - now <= interval.saturating_mul(at_once.saturating_sub(1));
        if may {
            self.used_until = until.saturating_add(interval);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_then_one_in_each_interval() {
        let pace = Pace { at_once: 3, interval: Duration::from_millis(100) };
        let mut rate = Rate::default();
        let at = Instant::from_millis;
        let taken = |rate: &mut Rate, ms| (0..9).filter(|_| rate.take(at(ms), pace)).count();
        assert_eq!([5_000, 5_099, 5_100, 5_350, 90_000].map(|ms| taken(&mut rate, ms)), [3, 0, 1, 2, 3]);
        assert_eq!(rate.next(at(90_000), pace), at(90_100));
        rate.reserve(at(90_000), pace);
        assert_eq!(rate.next(at(90_000), pace), at(90_200), "what is taken ahead counts");
    }

    #[test]
    fn so_many_times_at_once_and_then_once_in_each_interval() {
        let mut seldom = Seldom::default();
        let mut taken = |ms| {
            let now = Instant::from_millis(ms);
            (0..9).filter(|_| seldom.take(now, 2, Duration::from_secs(30))).count()
        };
        assert_eq!([5_000, 34_900, 35_000, 64_900, 65_000, 900_000].map(&mut taken), [2, 0, 1, 0, 1, 2]);
    }
}
