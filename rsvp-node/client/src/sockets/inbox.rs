//! Notifications of one socket, until the application takes them: by waiting, by a descriptor, or by a call of its own.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use futures_core::Stream;
use nix::sys::eventfd::{EfdFlags, EventFd};
use rsvp_node::qos::get::Direction;
use rsvp_node::qos::{FdQos, Notifications, Qos, ServiceType};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Callback = Box<dyn FnMut(FdQos) + Send>;

/// What waits for the application.
#[derive(Default)]
pub(crate) struct Inbox {
    queue: Mutex<Queue>,
    callback: Mutex<Option<Callback>>,
}

#[derive(Default)]
struct Queue {
    waiting: Notifications,
    /// The last of each direction.
    last: [Option<FdQos>; 2],
    wakers: Vec<Waker>,
    event: Option<EventFd>,
    has_callback: bool,
    ended: bool,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("waiting", &self.queue().waiting.waiting()).finish_non_exhaustive()
    }
}

impl Inbox {
    /// What is kept stays consistent whatever a holder of the lock was doing.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The daemon tells something.
    pub(crate) fn put(&self, told: FdQos) {
        let mut queue = self.queue();
        for (nth, flowspec) in [&told.sending, &told.receiving].into_iter().enumerate() {
            if flowspec.service.service_type != ServiceType::NoChange {
                queue.last[nth] = Some(told.clone());
            }
        }
        queue.waiting.put(told);
        queue.signal();
        let has_callback = queue.has_callback;
        drop(queue);
        if has_callback {
            self.call();
        }
    }

    /// Nothing more will come.
    pub(super) fn end(&self) {
        let mut queue = self.queue();
        queue.ended = true;
        queue.signal();
    }

    /// The application was asked to take what waits: it is called for each.
    fn call(&self) {
        let mut callback = self.callback.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(call) = callback.as_mut() else { return };
        while let Some(told) = self.take() {
            call(told);
        }
    }

    pub(super) fn take(&self) -> Option<FdQos> {
        let mut queue = self.queue();
        let told = queue.waiting.take();
        if queue.waiting.waiting() == 0
            && !queue.ended
            && let Some(event) = &queue.event
        {
            // It has nothing to read when nobody has written since.
            let _ = event.read();
        }
        told
    }

    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<FdQos>> {
        if let Some(told) = self.take() {
            return Poll::Ready(Some(told));
        }
        let mut queue = self.queue();
        // It may have come between the two.
        if queue.waiting.waiting() > 0 {
            return Poll::Ready(queue.waiting.take());
        }
        if queue.ended {
            return Poll::Ready(None);
        }
        if !queue.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            queue.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }

    pub(super) fn event_fd(&self) -> io::Result<OwnedFd> {
        let mut queue = self.queue();
        if queue.event.is_none() {
            let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
            queue.event = Some(EventFd::from_value_and_flags(0, flags)?);
            if queue.waiting.waiting() > 0 || queue.ended {
                queue.signal();
            }
        }
        match &queue.event {
            Some(event) => event.as_fd().try_clone_to_owned(),
            None => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }

    pub(super) fn set_callback(&self, callback: Option<Callback>) {
        let is_there = callback.is_some();
        *self.callback.lock().unwrap_or_else(PoisonError::into_inner) = callback;
        self.queue().has_callback = is_there;
        self.call();
    }

    /// What was told last of a direction: of the other it says NOCHANGE.
    pub(super) fn last(&self, direction: Direction) -> Option<Qos> {
        let nth = match direction {
            Direction::Sending => 0,
            Direction::Receiving => 1,
        };
        self.queue().last[nth].as_ref().map(FdQos::to_qos)
    }
}

impl Queue {
    /// Whoever waits looks again.
    fn signal(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
        if let Some(event) = &self.event {
            // It is readable already when its number cannot grow.
            let _ = event.write(1);
        }
    }
}

/// What is told of a socket, as a stream that is independent of it: it ends when the socket's QoS does. It shares the waiting
/// notifications with all other ways to take them, so that each is taken once.
#[derive(Debug)]
pub struct FdQosEvents {
    pub(super) inbox: Arc<Inbox>,
}

impl Stream for FdQosEvents {
    type Item = FdQos;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<FdQos>> {
        self.inbox.poll(context)
    }
}

impl FdQosEvents {
    /// The next notification; `None` when there will be none.
    pub async fn next(&mut self) -> Option<FdQos> {
        core::future::poll_fn(|context| self.inbox.poll(context)).await
    }
}
