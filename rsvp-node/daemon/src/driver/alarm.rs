//! The loop's timer: one of the kernel's (timerfd_create(2)), which wakes it when it is told and at no other time.
//!
//! The runtime's own timers wake up in between to sort themselves, and have it wake itself once more whenever one is set.

use crate::sys;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

/// The kernel's timer, as one that a runtime can watch.
pub(crate) struct Timer(TimerFd);

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// Wakes the loop.
pub(crate) struct Alarm {
    timer: AsyncFd<Timer>,
    /// When.
    at: Option<Instant>,
}

impl Alarm {
    /// Needs a runtime around it.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = Timer(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?);
        Ok(Self { timer: sys::watch(timer, Interest::READABLE)?, at: None })
    }

    /// Rings then and no more before; what was set before is forgotten. A time that has passed is as good as none.
    pub(super) fn set(&mut self, at: Option<Instant>) {
        if core::mem::replace(&mut self.at, at) == at {
            return;
        }
        let timer = &self.timer.get_ref().0;
        let left = at.map(|at| at.saturating_duration_since(Instant::now()));
        let done = match left.filter(|left| !left.is_zero()) {
            // Not a nanosecond early.
            Some(left) => {
                let expiration =
                    Expiration::OneShot(TimeSpec::from_duration(left + Duration::from_micros(1)));
                timer.set(expiration, TimerSetTimeFlags::empty())
            }
            None => timer.unset(),
        };
        if let Err(error) = done {
            tracing::error!(%error, "the kernel's timer cannot be set");
        }
    }

    /// Waits until it rings.
    pub(super) async fn rings(&mut self) {
        match self.timer.readable().await {
            Ok(mut ready) => ready.clear_ready(),
            Err(_) => std::future::pending().await,
        }
    }
}

/// What comes of it, and whether that took time in which others had their turn.
pub(super) async fn waited<T>(what: impl Future<Output = T>) -> (T, bool) {
    let (mut what, mut has_waited) = (core::pin::pin!(what), false);
    core::future::poll_fn(|context| {
        let polled = what.as_mut().poll(context);
        has_waited |= polled.is_pending();
        polled.map(|done| (done, has_waited))
    })
    .await
}
