//! One session on this node: heads of the lists of everything that belongs to it.

use super::arena::Ix;
use super::crowd::Crowd;
use super::path::PathState;
use super::resv::Request;
use super::traffic::Reserved;
use super::upstream::Upstream;
use crate::event::AppId;
use crate::key::SessionKey;

/// A session (RFC 2205 section 1.1), found by its key through the session index.
#[derive(Clone, Debug)]
pub(crate) struct SessionState {
    pub(crate) key: SessionKey,
    /// Next session in the same bucket of the index.
    pub(crate) chain: Option<Ix<Self>>,
    /// Next session in the same bucket of the index by destination; only one session of each group is in it.
    pub(crate) group_chain: Option<Ix<Self>>,
    /// The ring of all sessions with this destination and protocol; `None` when there is no other.
    pub(crate) group_next: Option<Ix<Self>>,
    pub(crate) group_prev: Option<Ix<Self>>,
    pub(crate) paths: Option<Ix<PathState>>,
    pub(crate) requests: Option<Ix<Request>>,
    pub(crate) reserved: Option<Ix<Reserved>>,
    pub(crate) upstreams: Option<Ix<Upstream>>,
    pub(crate) path_count: u32,
    pub(crate) request_count: u32,
    /// How often something has come that may have changed its state; refreshes do not.
    pub(crate) changes: u32,
    beside: Option<Box<Beside>>,
}

/// What few sessions have.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    /// Local applications that opened the session; a router has none.
    apps: Vec<AppId>,
    /// The senders by number, where they are many.
    pub(super) crowd: Option<Crowd>,
}

impl SessionState {
    pub(crate) fn new(key: SessionKey) -> Self {
        Self {
            key,
            chain: None,
            group_chain: None,
            group_next: None,
            group_prev: None,
            paths: None,
            requests: None,
            reserved: None,
            upstreams: None,
            path_count: 0,
            request_count: 0,
            changes: 0,
            beside: None,
        }
    }

    /// Whether nothing is left that would keep the session.
    pub(crate) fn is_unused(&self) -> bool {
        self.paths.is_none() && self.requests.is_none() && self.apps().is_empty()
    }

    pub(crate) fn apps(&self) -> &[AppId] {
        self.beside.as_ref().map_or(&[], |beside| &beside.apps)
    }

    /// An application opens the session; false if it has.
    pub(crate) fn open(&mut self, app: AppId) -> bool {
        let is_new = !self.apps().contains(&app);
        if is_new {
            self.beside_mut().apps.push(app);
        }
        is_new
    }

    /// An application leaves the session; false if it has not opened it.
    pub(crate) fn close(&mut self, app: AppId) -> bool {
        let was_open = self.apps().contains(&app);
        if let Some(beside) = self.beside.as_deref_mut().filter(|_| was_open) {
            beside.apps.retain(|a| *a != app);
            if beside.apps.is_empty() && beside.crowd.is_none() {
                self.beside = None;
            }
        }
        was_open
    }

    pub(super) fn crowd(&self) -> Option<&Crowd> {
        self.beside.as_ref()?.crowd.as_ref()
    }

    pub(super) fn crowd_mut(&mut self) -> Option<&mut Crowd> {
        self.beside.as_mut()?.crowd.as_mut()
    }

    pub(super) fn beside_mut(&mut self) -> &mut Beside {
        self.beside.get_or_insert_default()
    }

    /// Octets of memory of what few have.
    pub(super) fn octets_beside(&self) -> usize {
        let size = if self.beside.is_some() { size_of::<Beside>() } else { 0 };
        size + size_of_val(self.apps()) + self.crowd().map_or(0, Crowd::octets)
    }
}
