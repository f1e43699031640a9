//! The sockets of RSVP as the loop uses them: a receive queue for each interface, and one look at those that have something.
//!
//! What arrives at an interface where RSVP is spoken waits in queues of that interface, so that a flood there drops what others
//! send nowhere else. The socket that was opened first has what arrives elsewhere, and sends. A queue that has something says so once,
//! and then is looked at by whoever drives the loop, as often as that makes sense, until it has nothing left: under load packets
//! wake nobody.

use super::packet::Parcel;
use super::socket::{Opened, SocketError, Which};
use super::sys;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{SockFilter, Socket};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Interfaces with queues of their own; what arrives at more of them shares one.
const MOST: usize = 64;

/// Which queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Queue {
    pub(super) which: Which,
    /// Of an interface, or of all that have none.
    pub(super) interface: Option<u32>,
}

impl Queue {
    const fn shared(which: Which) -> Self {
        Self { which, interface: None }
    }

    fn token(self) -> u64 {
        u64::from(self.which.number()) << 32 | u64::from(self.interface.unwrap_or(0))
    }

    fn of_token(token: u64) -> Option<Self> {
        let which = Which::ALL.into_iter().find(|which| u64::from(which.number()) == token >> 32)?;
        Some(Self { which, interface: Some(token as u32).filter(|interface| *interface != 0) })
    }
}

/// What is waited on, as one thing that a runtime can watch.
pub(super) struct Waiting(Epoll);

impl AsRawFd for Waiting {
    fn as_raw_fd(&self) -> RawFd {
        self.0.0.as_raw_fd()
    }
}

/// The sockets, watched by a runtime.
pub(super) struct Sockets {
    shared: Vec<(Which, Socket)>,
    waiting: AsyncFd<Waiting>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By queue, those of one interface.
    own: BTreeMap<Queue, Socket>,
    /// Queues that have something, or had when they were last looked at.
    awake: BTreeSet<Queue>,
    /// Dropped by queues that are closed.
    dropped: u64,
}

/// Told once, until it is asked for again.
const ONCE: EpollFlags = EpollFlags::EPOLLIN.union(EpollFlags::EPOLLONESHOT);

impl Sockets {
    /// Needs a runtime around it.
    pub(super) fn new(opened: Opened) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let shared = opened.into_sockets();
        for (which, socket) in &shared {
            epoll.add(socket, EpollEvent::new(ONCE, Queue::shared(*which).token()))?;
        }
        let waiting = sys::watch(Waiting(epoll), Interest::READABLE)?;
        Ok(Self { shared, waiting, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of the shared sockets, if it is there.
    pub(super) fn socket(&self, which: Which) -> Option<&Socket> {
        self.shared.iter().find(|(this, _)| *this == which).map(|(_, socket)| socket)
    }

    /// Gives these interfaces queues of their own, and no others.
    pub(super) fn follow(&self, interfaces: impl Iterator<Item = u32>) {
        let interfaces: BTreeSet<u32> = interfaces.take(MOST).collect();
        let raw =
            [Which::V4, Which::V6, Which::V6Alert].into_iter().filter(|raw| self.socket(*raw).is_some());
        let mut state = self.state();
        for which in raw {
            let of = |queue: &Queue| queue.which == which;
            let is_gone =
                |queue: &Queue| of(queue) && queue.interface.is_none_or(|on| !interfaces.contains(&on));
            let gone: Vec<Queue> = state.own.keys().copied().filter(is_gone).collect();
            for queue in &gone {
                state.awake.remove(queue);
                let dropped = state.own.remove(queue).and_then(|socket| sys::dropped(socket.as_fd()).ok());
                state.dropped += u64::from(dropped.unwrap_or(0));
            }
            let mut is_changed = !gone.is_empty();
            for interface in &interfaces {
                let queue = Queue { which, interface: Some(*interface) };
                if state.own.contains_key(&queue) {
                    continue;
                }
                match self.open(queue) {
                    Ok(socket) => {
                        state.own.insert(queue, socket);
                        // What came since it is there told nobody.
                        state.awake.insert(queue);
                        is_changed = true;
                    }
                    // It may have gone meanwhile; what arrives there is heard as before.
                    Err(SocketError { what, error }) => {
                        tracing::debug!(%error, interface, "{what}: no receive queue for an interface");
                    }
                }
            }
            if is_changed {
                let own = state.own.keys().filter(|queue| of(queue)).filter_map(|queue| queue.interface);
                self.share(which, own);
            }
        }
    }

    fn open(&self, queue: Queue) -> Result<Socket, SocketError> {
        let failed = |error| SocketError { what: "a receive queue", error };
        let socket = queue.which.open_queue(queue.interface.unwrap_or(0))?;
        let event = EpollEvent::new(ONCE, queue.token());
        self.waiting.get_ref().0.add(&socket, event).map_err(|error| failed(error.into()))?;
        Ok(socket)
    }

    /// Has a shared socket receive what none of these interfaces does, by a filter (socket(7), `SO_ATTACH_FILTER`).
    fn share(&self, which: Which, own: impl Iterator<Item = u32>) {
        // A load from this place gives the number of the interface, which is not in the packet itself (linux/filter.h).
        const INTERFACE: u32 = (-0x1000_i32 + 8) as u32;
        const EVERYTHING: u32 = 0x4_0000;
        let step = |code: u32, jt, jf, k| SockFilter::new(code as u16, jt, jf, k);
        let answer = |octets| step(libc::BPF_RET | libc::BPF_K, 0, 0, octets);
        let mut filter = vec![step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, INTERFACE)];
        for interface in own {
            filter.push(step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, interface));
            filter.push(answer(0));
        }
        filter.push(answer(EVERYTHING));
        if let Some(Err(error)) = self.socket(which).map(|socket| socket.attach_filter(&filter)) {
            tracing::warn!(%error, "messages are received twice, by the queue of their interface and that of all");
        }
    }

    /// Waits until a queue has something.
    pub(super) async fn readable(&self) {
        if let Ok(mut ready) = self.waiting.readable().await {
            let mut events = [EpollEvent::empty(); 64];
            let count = self.waiting.get_ref().0.wait(&mut events, EpollTimeout::ZERO).unwrap_or(0);
            let mut state = self.state();
            state.awake.extend(events.iter().take(count).filter_map(|event| Queue::of_token(event.data())));
            if count < events.len() {
                ready.clear_ready();
            }
        }
    }

    /// Waits until there is room to send on the socket that had none.
    pub(super) async fn writable(&self, which: Which) {
        let Some(socket) = self.socket(which) else { return std::future::pending().await };
        // Watched by a descriptor of its own and only now: each message that leaves makes room, which would wake the loop.
        let watched = socket.try_clone().and_then(|socket| sys::watch(socket, Interest::WRITABLE));
        match watched {
            Ok(watched) => drop(watched.writable().await),
            Err(_) => std::future::pending().await,
        }
    }

    /// Queues to be looked at.
    pub(super) fn awake(&self) -> Vec<Queue> {
        self.state().awake.iter().copied().collect()
    }

    /// Whether there are any.
    pub(super) fn is_awake(&self) -> bool {
        !self.state().awake.is_empty()
    }

    /// A queue has nothing left: it says so when that changes.
    pub(super) fn sleeps(&self, queue: Queue) {
        let mut state = self.state();
        state.awake.remove(&queue);
        let event = &mut EpollEvent::new(ONCE, queue.token());
        let epoll = &self.waiting.get_ref().0;
        let asked = match (state.own.get(&queue), self.socket(queue.which)) {
            (Some(socket), _) => epoll.modify(socket, event),
            (None, Some(socket)) if queue.interface.is_none() => epoll.modify(socket, event),
            _ => Ok(()),
        };
        if let Err(error) = asked {
            tracing::error!(%error, ?queue, "a receive queue cannot be waited on");
        }
    }

    /// Has one of the queues do something.
    pub(super) fn with<T>(&self, queue: Queue, act: impl FnOnce(&Socket) -> T) -> Option<T> {
        match queue.interface {
            None => self.socket(queue.which).map(act),
            Some(_) => self.state().own.get(&queue).map(act),
        }
    }

    /// Sends parcels by one of the sockets without waiting; returns how many left. An error is that of the first.
    pub(super) fn send(&self, which: Which, parcels: &[Parcel<'_>]) -> io::Result<usize> {
        let socket = self.socket(which);
        let Some(socket) = socket else { return Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)) };
        sys::send(socket.as_fd(), parcels)
    }

    /// Datagrams that the kernel dropped because a queue was full.
    pub(super) fn kernel_drops(&self) -> u64 {
        let state = self.state();
        let sockets = self.shared.iter().map(|(_, socket)| socket).chain(state.own.values());
        let drops = sockets.filter_map(|socket| sys::dropped(socket.as_fd()).ok());
        state.dropped + drops.map(u64::from).sum::<u64>()
    }
}
