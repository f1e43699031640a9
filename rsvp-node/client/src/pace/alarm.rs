//! Waiting for a point in time, to some ten microseconds: the runtime's own timer has a grid of a millisecond, which at 20 Mbit/s is
//! 2,500 octets.

use super::bucket::Nanos;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe;

const PER_SECOND: Nanos = 1_000_000_000;

/// The kernel's monotonic clock.
pub(crate) fn now() -> io::Result<Nanos> {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC)?;
    Ok(time.tv_sec() as Nanos * PER_SECOND + time.tv_nsec() as Nanos)
}

/// A timer of the kernel's.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: TimerFd,
    /// The same timer as the runtime watches it: like a pipe from which eight octets can be read when it has run out.
    expired: pipe::Receiver,
    set: Option<Nanos>,
}

impl Alarm {
    /// Must be called within a runtime.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        let expired = pipe::Receiver::from_owned_fd_unchecked(timer.as_fd().try_clone_to_owned()?)?;
        Ok(Self { timer, expired, set: None })
    }

    /// Ready from this time on.
    pub(crate) fn poll(&mut self, at: Nanos, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while now()? < at {
            if self.set != Some(at) {
                let time = TimeSpec::new((at / PER_SECOND) as _, (at % PER_SECOND) as _);
                self.timer.set(Expiration::OneShot(time), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
                self.set = Some(at);
            }
            let mut times = [0; 8];
            ready!(Pin::new(&mut self.expired).poll_read(context, &mut ReadBuf::new(&mut times)))?;
            self.set = None;
        }
        Poll::Ready(Ok(()))
    }
}
