//! Timers of blocks: what is armed, and whose time has come.

use super::State;
use super::arena::Ix;
use super::blockade::Blockade;
use super::path::PathState;
use super::resv::Request;
use super::upstream::Upstream;
use crate::time::Instant;

/// Octets that a timer is charged with.
pub(super) const TIMER: usize = 32;

/// Whose deadline a timer watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimerOwner {
    Path(Ix<PathState>),
    Request(Ix<Request>),
    Upstream(Ix<Upstream>),
    Blockade(Ix<Blockade>),
}

impl State {
    /// Sees to it that the timers of a block fire no later than its earliest deadline.
    pub(crate) fn arm_path(&mut self, ix: Ix<PathState>) {
        let path = &mut self.paths[ix];
        let at = path.deadline();
        self.wheel.not_later(&mut path.timer, at, TimerOwner::Path(ix));
    }

    pub(crate) fn arm_request(&mut self, ix: Ix<Request>) {
        let request = &mut self.requests[ix];
        let at = request.deadline();
        self.wheel.not_later(&mut request.timer, at, TimerOwner::Request(ix));
    }

    /// Starts the refresh timer of a previous hop anew.
    pub(crate) fn arm_upstream(&mut self, ix: Ix<Upstream>, at: Instant) {
        let upstream = &mut self.upstreams[ix];
        self.wheel.cancel(&mut upstream.timer);
        upstream.timer = self.wheel.arm(at, TimerOwner::Upstream(ix));
    }

    /// Sees to it that a previous hop is looked at no later than then, be it for a refresh.
    pub(crate) fn hasten_upstream(&mut self, ix: Ix<Upstream>, at: Instant) {
        let upstream = &mut self.upstreams[ix];
        self.wheel.not_later(&mut upstream.timer, at, TimerOwner::Upstream(ix));
    }

    /// Starts the timer of new blockade state.
    pub(crate) fn arm_blockade(&mut self, ix: Ix<Blockade>, at: Instant) {
        self.blockades[ix].timer = self.wheel.arm(at, TimerOwner::Blockade(ix));
    }

    /// The owner of a timer that is due, while there is one and steps are left.
    pub(crate) fn due(&mut self, now: Instant, steps: &mut u32) -> Option<TimerOwner> {
        self.wheel.pop(now, steps)
    }

    /// When to look at timers again, and for whom where that is known.
    pub(crate) fn wake(&self) -> Option<(Instant, Option<TimerOwner>)> {
        self.wheel.wake()
    }
}
