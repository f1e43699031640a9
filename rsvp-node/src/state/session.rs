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
    /// Local applications that opened the session. Boxed twice because most nodes are routers and have none.
    #[expect(clippy::box_collection, reason = "eight octets in every session that has no application")]
    pub(crate) apps: Option<Box<Vec<AppId>>>,
    /// The senders by number, where they are many.
    pub(crate) crowd: Option<Box<Crowd>>,
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
            apps: None,
            crowd: None,
        }
    }

    /// Whether nothing is left that would keep the session.
    pub(crate) fn is_unused(&self) -> bool {
        self.paths.is_none() && self.requests.is_none() && self.apps.is_none()
    }

    pub(crate) fn apps(&self) -> &[AppId] {
        self.apps.as_ref().map_or(&[], |apps| apps.as_slice())
    }
}
