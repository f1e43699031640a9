//! The scenario's time over real time: it runs faster by the lab's speed, and stands still at a checkpoint until what is
//! to be done there has begun.
//!
//! So a lab on a busy machine comes late but never in the wrong order: whatever is seen before an action has an earlier
//! time than the action, and a look is judged at the time it is for. This is the one place of the lab that reads a clock.

use core::time::Duration;
use rsvp_node::Instant;
use std::time::SystemTime;

/// Where the clock stands still before a checkpoint, so that what is seen meanwhile is before it.
const MOMENT: Duration = Duration::from_micros(1);

/// A stretch over which the scenario's time runs.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// Since the epoch.
    real: Duration,
    scenario: Duration,
    /// Where it stands still when it gets there.
    until: Duration,
}

/// Turns real times into times of the scenario.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    speed: f64,
    stretches: Vec<Stretch>,
}

/// Real time, since the epoch: the same that the kernel stamps captured packets with.
#[expect(clippy::disallowed_methods, reason = "a lab runs in real time")]
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

impl Clock {
    /// A clock that stands at nought.
    pub(super) fn new(speed: f64) -> Self {
        Self { speed, stretches: Vec::new() }
    }

    /// Real time per time of the scenario.
    pub(super) fn real(&self, scenario: Duration) -> Duration {
        scenario.div_f64(self.speed)
    }

    /// From now on it is `scenario`, until it is `until`.
    pub(super) fn run(&mut self, scenario: Duration, until: Duration) {
        self.stretches.push(Stretch { real: now(), scenario, until });
    }

    /// How much real time is left before it stands still.
    pub(super) fn left(&self) -> Duration {
        let Some(last) = self.stretches.last() else { return Duration::ZERO };
        let end = last.real + self.real(last.until.saturating_sub(last.scenario));
        end.saturating_sub(now())
    }

    /// The time of the scenario at a real time.
    pub(super) fn at(&self, real: Duration) -> Instant {
        let stretch = self.stretches.iter().rev().find(|stretch| stretch.real <= real);
        let scenario = stretch.map_or(Duration::ZERO, |stretch| {
            let run = (real - stretch.real).mul_f64(self.speed);
            (stretch.scenario + run).min(stretch.until.saturating_sub(MOMENT)).max(stretch.scenario)
        });
        Instant::ZERO + scenario
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_faster_and_stands_still_at_a_checkpoint() {
        let seconds = Duration::from_secs;
        let mut clock = Clock::new(10.0);
        clock.stretches.push(Stretch { real: seconds(100), scenario: seconds(0), until: seconds(20) });
        clock.stretches.push(Stretch { real: seconds(105), scenario: seconds(20), until: seconds(30) });
        let at = |ms: u64| clock.at(Duration::from_millis(ms)).as_micros() / 1000;
        assert_eq!([at(99_000), at(100_000), at(101_000)], [0, 0, 10_000]);
        // Late by three seconds at the checkpoint: no time has gone by.
        assert_eq!([at(102_000), at(104_999), at(105_000), at(105_500)], [19_999, 19_999, 20_000, 25_000]);
    }
}
