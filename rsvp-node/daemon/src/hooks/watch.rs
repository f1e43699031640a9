//! Which sockets are watched, for as long as somebody wants to know.
//!
//! A [`Watcher`] is given to whoever is handed descriptors: a socket is marked while its copy is still open, so that no close can be
//! missed. A [`Watch`] goes with what is known of the socket, and when the last one is dropped nothing hangs at the cgroup any more.

use super::programs::{MOST_WATCHED, Programs};
use super::{Change, HookError};
use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Watches sockets; or nothing, where the kernel does not tell.
#[derive(Clone, Default)]
pub struct Watcher(Option<Arc<Mutex<Watching>>>);

/// That a socket is watched, until this is dropped.
#[derive(Debug, Default)]
pub struct Watch {
    watcher: Watcher,
    cookie: u64,
}

struct Watching {
    programs: Programs,
    sockets: BTreeMap<u64, Watched>,
    /// It is said once that they cannot be attached, until they can.
    has_complained: bool,
    /// It is said once that there are too many sockets.
    was_full: bool,
}

struct Watched {
    protocol: u8,
    /// How many want to know.
    by: usize,
    /// What has happened before anybody was there to hear of it.
    missed: Option<Change>,
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("watches", &self.0.is_some()).finish_non_exhaustive()
    }
}

impl Watcher {
    pub(super) fn new(programs: Programs) -> Self {
        let (sockets, has_complained, was_full) = (BTreeMap::new(), false, false);
        Self(Some(Arc::new(Mutex::new(Watching { programs, sockets, has_complained, was_full }))))
    }

    fn inner(&self) -> Option<MutexGuard<'_, Watching>> {
        let inner = self.0.as_ref()?;
        // Nothing is left half done in there.
        Some(inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Watches a socket of a protocol from now on, by a descriptor and what the kernel calls it. Where that cannot be, it is not watched: the log
    /// says so, and its QoS ends with the connection of its client.
    #[must_use]
    pub fn watch(&self, socket: BorrowedFd<'_>, cookie: u64, protocol: u8) -> Watch {
        let is_watched = self.inner().is_some_and(|mut inner| inner.watch(socket, cookie, protocol));
        let watcher = if is_watched { self.clone() } else { Self::default() };
        Watch { watcher, cookie }
    }

    /// What has become of a socket that nobody speaks for yet, until somebody does.
    pub(super) fn keep(&self, cookie: u64, change: Change) {
        if let Some(watched) = self.inner().as_mut().and_then(|inner| inner.sockets.get_mut(&cookie))
            && watched.missed != Some(Change::Released)
        {
            watched.missed = Some(change);
        }
    }

    /// The sockets that are watched, with their protocols.
    pub(super) fn sockets(&self) -> Vec<(u64, u8)> {
        let all = |inner: MutexGuard<'_, Watching>| {
            inner.sockets.iter().map(|(cookie, watched)| (*cookie, watched.protocol)).collect()
        };
        self.inner().map(all).unwrap_or_default()
    }

    pub(super) fn watches(&self, cookie: u64) -> bool {
        self.inner().is_some_and(|inner| inner.sockets.contains_key(&cookie))
    }

    pub(super) fn untold(&self) -> [u64; 2] {
        self.inner().map(|inner| inner.programs.untold()).unwrap_or_default()
    }
}

impl Watch {
    /// What has become of the socket before this was asked, once.
    pub(crate) fn missed(&self) -> Option<Change> {
        self.watcher.inner()?.sockets.get_mut(&self.cookie)?.missed.take()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(mut inner) = self.watcher.inner() {
            inner.leave(self.cookie);
        }
    }
}

impl Watching {
    fn watch(&mut self, socket: BorrowedFd<'_>, cookie: u64, protocol: u8) -> bool {
        if !self.sockets.contains_key(&cookie) {
            if self.sockets.len() >= MOST_WATCHED {
                if !core::mem::replace(&mut self.was_full, true) {
                    tracing::warn!(
                        "{MOST_WATCHED} sockets are watched, and no more can be: the QoS of others ends with `qos-close`, or with \
                         their client's connection"
                    );
                }
                return false;
            }
            if let Err(why) = self.programs.mark(socket, cookie) {
                self.complain(&why);
                self.programs.forget(cookie);
                return false;
            }
        }
        self.sockets.entry(cookie).or_insert(Watched { protocol, by: 0, missed: None }).by += 1;
        // A socket that is marked is told of from when they hang there, whichever socket has led to that.
        match self.programs.attach() {
            Ok(()) => self.has_complained = false,
            Err(why) => self.complain(&why),
        }
        true
    }

    fn complain(&mut self, why: &HookError) {
        if !core::mem::replace(&mut self.has_complained, true) {
            super::say_what_is_missing(why);
        }
    }

    fn leave(&mut self, cookie: u64) {
        let Some(watched) = self.sockets.get_mut(&cookie) else { return };
        watched.by -= 1;
        if watched.by > 0 {
            return;
        }
        self.sockets.remove(&cookie);
        self.programs.forget(cookie);
        if self.sockets.is_empty() {
            self.programs.detach();
        }
    }
}
