//! Timers of blocks: what is armed, and whose time has come.

use super::State;
use super::arena::{Arena, Ix};
use super::blockade::Blockade;
use super::path::PathState;
use super::resv::Request;
use super::upstream::Upstream;
use super::wheel::{Timed, Timer, Wheel};
use crate::time::Instant;
use core::num::NonZeroU32;

/// Whose deadline a timer watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimerOwner {
    Path(Ix<PathState>),
    Request(Ix<Request>),
    Upstream(Ix<Upstream>),
    Blockade(Ix<Blockade>),
}

/// The same in four octets, as timers name each other: kind and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerLink(NonZeroU32);

impl TimerLink {
    fn of(owner: TimerOwner) -> Self {
        let (kind, place) = match owner {
            TimerOwner::Path(ix) => (1, ix.place()),
            TimerOwner::Request(ix) => (2, ix.place()),
            TimerOwner::Upstream(ix) => (3, ix.place()),
            TimerOwner::Blockade(ix) => (4, ix.place()),
        };
        let number = place.checked_mul(4).and_then(|place| place.checked_add(kind));
        Self(number.and_then(NonZeroU32::new).expect("limits keep tables below 2^30 blocks"))
    }

    fn owner(self) -> TimerOwner {
        let number = self.0.get() - 1;
        let place = number / 4;
        match number % 4 {
            0 => TimerOwner::Path(Ix::at(place)),
            1 => TimerOwner::Request(Ix::at(place)),
            2 => TimerOwner::Upstream(Ix::at(place)),
            _ => TimerOwner::Blockade(Ix::at(place)),
        }
    }
}

/// The tables in whose blocks there are timers.
pub(super) struct Blocks<'s> {
    paths: &'s mut Arena<PathState>,
    requests: &'s mut Arena<Request>,
    upstreams: &'s mut Arena<Upstream>,
    blockades: &'s mut Arena<Blockade>,
}

impl Timed<TimerLink> for Blocks<'_> {
    #[inline]
    fn timer(&mut self, of: TimerLink) -> &mut Timer<TimerLink> {
        match of.owner() {
            TimerOwner::Path(ix) => &mut self.paths[ix].timer,
            TimerOwner::Request(ix) => &mut self.requests[ix].timer,
            TimerOwner::Upstream(ix) => &mut self.upstreams[ix].timer,
            TimerOwner::Blockade(ix) => &mut self.blockades[ix].timer,
        }
    }
}

impl State {
    fn timed(&mut self) -> (&mut Wheel<TimerLink>, Blocks<'_>) {
        let Self { wheel, paths, requests, upstreams, blockades, .. } = self;
        (wheel, Blocks { paths, requests, upstreams, blockades })
    }

    fn not_later(&mut self, owner: TimerOwner, at: Instant) {
        let (wheel, mut blocks) = self.timed();
        wheel.not_later(&mut blocks, TimerLink::of(owner), at);
    }

    /// Stops the timer of a block, which goes.
    pub(super) fn cancel(&mut self, owner: TimerOwner) {
        let (wheel, mut blocks) = self.timed();
        wheel.cancel(&mut blocks, TimerLink::of(owner));
    }

    /// Sees to it that the timers of a block fire no later than its earliest deadline.
    pub(crate) fn arm_path(&mut self, ix: Ix<PathState>) {
        self.not_later(TimerOwner::Path(ix), self.paths[ix].deadline());
    }

    pub(crate) fn arm_request(&mut self, ix: Ix<Request>) {
        self.not_later(TimerOwner::Request(ix), self.requests[ix].deadline());
    }

    /// Starts the refresh timer of a previous hop anew.
    pub(crate) fn arm_upstream(&mut self, ix: Ix<Upstream>, at: Instant) {
        let (wheel, mut blocks) = self.timed();
        let link = TimerLink::of(TimerOwner::Upstream(ix));
        wheel.cancel(&mut blocks, link);
        wheel.arm(&mut blocks, link, at);
    }

    /// Sees to it that a previous hop is looked at no later than then, be it for a refresh.
    pub(crate) fn hasten_upstream(&mut self, ix: Ix<Upstream>, at: Instant) {
        self.not_later(TimerOwner::Upstream(ix), at);
    }

    /// Starts the timer of new blockade state.
    pub(crate) fn arm_blockade(&mut self, ix: Ix<Blockade>, at: Instant) {
        let (wheel, mut blocks) = self.timed();
        wheel.arm(&mut blocks, TimerLink::of(TimerOwner::Blockade(ix)), at);
    }

    /// Whose timer is due, while there is one and steps are left.
    pub(crate) fn due(&mut self, now: Instant, steps: &mut u32) -> Option<TimerOwner> {
        let (wheel, mut blocks) = self.timed();
        wheel.pop(&mut blocks, now, steps).map(TimerLink::owner)
    }

    /// When to look at timers again, and for whom where that is known.
    pub(crate) fn wake(&self) -> Option<(Instant, Option<TimerOwner>)> {
        self.wheel.wake().map(|(at, link)| (at, link.map(TimerLink::owner)))
    }
}
