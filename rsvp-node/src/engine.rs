//! The engine: the door in and the door out.

use crate::config::Config;
use crate::counters::Counters;
use crate::door::{Input, Outcome, Output, Reservation, ReservationId, Why};
use crate::host::Host;
use crate::interface::{Interface, InterfaceId};
use crate::time::Instant;
use crate::view::{BlockadeView, RequestView, SenderView};

/// One RSVP node.
#[derive(Debug)]
pub struct Engine {
    counters: Counters,
}

impl Engine {
    /// A node without interfaces and without state.
    #[must_use]
    pub fn new(_config: Config) -> Self {
        Self { counters: Counters::default() }
    }

    /// Takes one input. Drain [`Self::poll`] until it is idle afterwards.
    pub fn handle(&mut self, _now: Instant, _input: Input<'_>, _host: &mut dyn Host) -> Outcome {
        Outcome::Taken
    }

    /// The next output; messages are written into `buf`.
    pub fn poll<'b>(&mut self, _now: Instant, _buf: &'b mut [u8]) -> Output<'b> {
        Output::Idle { until: None, why: Why::Nothing }
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Every interface with the bits per second reserved on it.
    pub fn interfaces(&self) -> impl Iterator<Item = (&Interface, u64)> {
        core::iter::empty()
    }

    /// Every path state.
    pub fn senders(&self) -> impl Iterator<Item = SenderView> + '_ {
        core::iter::empty()
    }

    /// Every reservation request.
    pub fn requests(&self) -> impl Iterator<Item = RequestView> + '_ {
        core::iter::empty()
    }

    /// Every installed reservation.
    pub fn reservations(&self) -> impl Iterator<Item = (ReservationId, InterfaceId, Reservation)> + '_ {
        core::iter::empty()
    }

    /// Every element of blockade state.
    pub fn blockades(&self) -> impl Iterator<Item = BlockadeView> + '_ {
        core::iter::empty()
    }

    /// Whether no session, path, reservation, blockade or pending output is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        true
    }
}
