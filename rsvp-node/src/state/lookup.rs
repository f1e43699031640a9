//! What is found in the state without changing it.

use super::State;
use super::arena::{Arena, Ix};
use super::blockade::Blockade;
use super::path::{Origin, PathState};
use super::resv::{Request, RequestOrigin};
use super::session::SessionState;
use super::traffic::{Branch, Reserved};
use super::upstream::Upstream;
use crate::event::AppId;
use crate::interface::InterfaceId;
use crate::key::{Flow, SenderKey, SessionKey};
use smallvec::SmallVec;

impl State {
    /// The session with this key, if it is known.
    pub(crate) fn find_session(&self, key: &SessionKey) -> Option<Ix<SessionState>> {
        self.index.find(key, &self.sessions)
    }

    /// Whether sessions with the destination and protocol of `key` exist that have a port where it has none, or none
    /// where it has one (RFC 2205 section 3.2, rule 1). One of them speaks for all.
    pub(crate) fn conflicts_in_ports(&self, key: &SessionKey) -> bool {
        let member = self.groups.find(key, &self.sessions);
        member.is_some_and(|ix| (self.sessions[ix].key.port() == 0) != (key.port() == 0))
    }

    pub(crate) fn paths_of(&self, session: Ix<SessionState>) -> Walk<'_, PathState> {
        Walk { arena: &self.paths, link: self.sessions[session].paths, next: |p| p.next }
    }

    /// Whether an application of this node sends in a session.
    pub(crate) fn has_local_sender(&self, session: Ix<SessionState>) -> bool {
        self.paths_of(session).any(|(_, path)| matches!(path.origin, Origin::App(_)))
    }

    pub(crate) fn requests_of(&self, session: Ix<SessionState>) -> Walk<'_, Request> {
        Walk { arena: &self.requests, link: self.sessions[session].requests, next: |r| r.next }
    }

    pub(crate) fn reserved_of(&self, session: Ix<SessionState>) -> Walk<'_, Reserved> {
        Walk { arena: &self.reserved, link: self.sessions[session].reserved, next: |r| r.next }
    }

    pub(crate) fn upstreams_of(&self, session: Ix<SessionState>) -> Walk<'_, Upstream> {
        Walk { arena: &self.upstreams, link: self.sessions[session].upstreams, next: |u| u.next }
    }

    pub(crate) fn blockades_of(&self, session: Ix<SessionState>) -> Walk<'_, Blockade> {
        Walk { arena: &self.blockades, link: self.sessions[session].blockades, next: |b| b.next }
    }

    /// The key of a session.
    pub(crate) fn key_of(&self, session: Ix<SessionState>) -> SessionKey {
        self.sessions[session].key
    }

    /// What a next hop over an interface has asked for.
    pub(crate) fn find_request(&self, session: Ix<SessionState>, from: RequestOrigin) -> Option<Ix<Request>> {
        self.requests_of(session).find(|(_, r)| r.from == from).map(|(ix, _)| ix)
    }

    /// What a local application has asked for.
    pub(crate) fn own_request(&self, session: Ix<SessionState>, app: AppId) -> Option<Ix<Request>> {
        self.requests_of(session).find(|(_, r)| r.app() == Some(app)).map(|(ix, _)| ix)
    }

    /// What is asked for on an interface.
    pub(crate) fn requests_on(&self, branch: Branch) -> SmallVec<[Ix<Request>; 4]> {
        let requests = self.requests_of(branch.session);
        requests.filter(|(_, r)| r.interface() == Some(branch.interface)).map(|(ix, _)| ix).collect()
    }

    /// Path states that come from a previous hop.
    pub(crate) fn paths_behind(&self, upstream: Ix<Upstream>) -> impl Iterator<Item = &PathState> + Clone {
        let session = self.upstreams[upstream].session;
        self.paths_of(session).map(|(_, p)| p).filter(move |p| p.upstream() == Some(upstream))
    }

    /// Whether what is asked for goes to several previous hops.
    pub(crate) fn has_several_previous_hops(&self, session: Ix<SessionState>) -> bool {
        let mut upstreams =
            self.paths_of(session).filter(|(_, p)| !p.flags.local_only).filter_map(|(_, p)| p.upstream());
        let first = upstreams.next();
        upstreams.any(|u| Some(u) != first)
    }

    /// What is installed on an interface.
    pub(crate) fn reserved_on(&self, branch: Branch) -> impl Iterator<Item = (Ix<Reserved>, &Reserved)> {
        self.reserved_of(branch.session).filter(move |(_, r)| r.interface == branch.interface)
    }

    /// The same; where senders have a reservation each, for one of them.
    pub(crate) fn find_reserved(&self, branch: Branch, sender: Flow) -> Option<Ix<Reserved>> {
        let selects = |r: &Reserved| sender.is_none_or(|s| r.filters.selects(&s));
        self.reserved_on(branch).find(|(_, r)| selects(r)).map(|(ix, _)| ix)
    }

    /// The path state of a sender that is forwarded, or else any.
    pub(crate) fn path_of_sender(
        &self,
        session: Ix<SessionState>,
        sender: &SenderKey,
    ) -> Option<(Ix<PathState>, &PathState)> {
        let mut found = None;
        for (ix, path) in self.paths_of(session).filter(|(_, p)| p.sender == *sender) {
            if !path.flags.local_only {
                return Some((ix, path));
            }
            found = Some((ix, path));
        }
        found
    }

    /// Whether a path state speaks for its sender on an interface: is forwarded there, and counts. In multicast a sender may
    /// have several, from several previous hops (RFC 2205 section 3.1.3) or, where routing does not say where its data
    /// arrives, interfaces; the one that said something new last speaks for all, those before others that routing expects.
    pub(crate) fn speaks_for_sender(&self, ix: Ix<PathState>, interface: InterfaceId) -> bool {
        let path = &self.paths[ix];
        if !path.routes_to(interface) || !self.may_have_several_paths(path.session) {
            return path.routes_to(interface);
        }
        let mut speaker = None;
        for (at, other) in self.paths_of(path.session) {
            if other.sender != path.sender || !other.routes_to(interface) {
                continue;
            }
            speaker = speaker.or(Some(at));
            if !other.flags.misplaced {
                speaker = Some(at);
                break;
            }
        }
        speaker == Some(ix)
    }

    /// The path states that speak for their senders on an interface, one for each sender.
    pub(crate) fn speakers(&self, branch: Branch) -> SmallVec<[Ix<PathState>; 8]> {
        let routed = self.paths_of(branch.session).filter(|(_, p)| p.routes_to(branch.interface));
        let mut speakers: SmallVec<[Ix<PathState>; 8]> = routed.map(|(ix, _)| ix).collect();
        if self.may_have_several_paths(branch.session) {
            // Stable, so that of one sender's the first of the list stays first.
            speakers.sort_by_key(|ix| (self.paths[*ix].sender, self.paths[*ix].flags.misplaced));
            speakers.dedup_by_key(|ix| self.paths[*ix].sender);
        }
        speakers
    }

    /// Whether a sender can have more than one path state: in multicast, and where there are several previous hops.
    pub(super) fn may_have_several_paths(&self, session: Ix<SessionState>) -> bool {
        let session = &self.sessions[session];
        session.key.is_multicast() && session.upstreams.is_some_and(|u| self.upstreams[u].next.is_some())
    }
}

/// The blocks of a session, one after the other.
pub(crate) struct Walk<'s, T> {
    arena: &'s Arena<T>,
    link: Option<Ix<T>>,
    next: fn(&T) -> Option<Ix<T>>,
}

impl<T> Clone for Walk<'_, T> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'s, T> Iterator for Walk<'s, T> {
    type Item = (Ix<T>, &'s T);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let ix = self.link?;
        let block = &self.arena[ix];
        self.link = (self.next)(block);
        Some((ix, block))
    }
}
