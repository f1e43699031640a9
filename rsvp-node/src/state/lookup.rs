//! What is found in the state without changing it.

use super::State;
use super::arena::{Arena, Ix};
use super::blockade::Blockade;
use super::crowd::Crowd;
use super::path::{Origin, PathState};
use super::resv::{Request, RequestOrigin};
use super::session::SessionState;
use super::traffic::{Branch, Filters, Reserved};
use super::upstream::Upstream;
use crate::event::AppId;
use crate::interface::InterfaceId;
use crate::key::{Flow, SenderKey, SessionKey, StyleKind};
use core::net::IpAddr;
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

    /// The path states of all sessions with a destination, by the index, if there are no more than `most`.
    pub(crate) fn paths_to(&self, destination: IpAddr, most: usize) -> Option<Vec<Ix<PathState>>> {
        let mut found = Vec::new();
        for protocol in 0..=u8::MAX {
            let first = self.groups.find(&SessionKey::to(destination, protocol), &self.sessions);
            let mut next = first;
            while let Some(session) = next {
                let room = most + 1 - found.len();
                found.extend(self.paths_of(session).map(|(ix, _)| ix).take(room));
                next = self.sessions[session].group_next.filter(|next| Some(*next) != first);
                // Sessions without path state are looked at, too.
                if found.len() > most {
                    return None;
                }
            }
        }
        Some(found)
    }

    pub(crate) fn paths_of(&self, session: Ix<SessionState>) -> Walk<'_, PathState> {
        Walk { arena: &self.paths, link: self.sessions[session].paths, next: |p| p.next }
    }

    /// Whether an application of this node sends in a session.
    pub(crate) fn has_local_sender(&self, session: Ix<SessionState>) -> bool {
        // An application that sends has opened the session.
        !self.sessions[session].apps().is_empty()
            && self.paths_of(session).any(|(_, path)| matches!(path.origin, Origin::App(_)))
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

    /// The path states of a sender.
    pub(crate) fn paths_from(&self, session: Ix<SessionState>, sender: &SenderKey) -> PathsFrom<'_> {
        let state = &self.sessions[session];
        let (link, known): (_, &[Ix<PathState>]) = match state.crowd() {
            None => (state.paths, &[]),
            Some(crowd) => {
                (None, crowd.number(sender).map_or(&[], |number| crowd.known(number).paths.as_slice()))
            }
        };
        PathsFrom { arena: &self.paths, sender: *sender, link, known }
    }

    /// Blockade state of a previous hop, the newest first.
    pub(crate) fn blockades_of(&self, upstream: Ix<Upstream>) -> Walk<'_, Blockade> {
        Walk { arena: &self.blockades, link: self.upstreams[upstream].blockades, next: |b| b.next }
    }

    /// The blockade state at some places.
    pub(crate) fn blockades_in(&self, places: &[Ix<Blockade>]) -> SmallVec<[&Blockade; 2]> {
        places.iter().map(|ix| &self.blockades[*ix]).collect()
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
        let Upstream { session, paths, .. } = self.upstreams[upstream];
        let crowd = self.crowd(session);
        let walk = crowd.is_none().then(|| self.paths_of(session).map(|(_, p)| p));
        let behind = move |p: &&PathState| p.upstream() == Some(upstream);
        let walk = walk.into_iter().flatten().filter(behind).take(paths as usize);
        let known = crowd.into_iter().flat_map(move |crowd| crowd.behind(upstream));
        walk.chain(known.map(|ix| &self.paths[ix]))
    }

    /// Whether what is asked for goes to several previous hops.
    pub(crate) fn has_several_previous_hops(&self, session: Ix<SessionState>) -> bool {
        let mut upstreams =
            self.paths_of(session).filter(|(_, p)| !p.flags.local_only()).filter_map(|(_, p)| p.upstream());
        let first = upstreams.next();
        upstreams.any(|u| Some(u) != first)
    }

    /// What is installed on an interface.
    pub(crate) fn reserved_on(&self, branch: Branch) -> impl Iterator<Item = (Ix<Reserved>, &Reserved)> {
        self.reserved_of(branch.session).filter(move |(_, r)| r.interface == branch.interface)
    }

    /// The same; where senders have a reservation each, for one of them.
    pub(crate) fn find_reserved(&self, branch: Branch, sender: Flow) -> Option<Ix<Reserved>> {
        if let Some(sender) = sender
            && let Some(crowd) = self.crowd(branch.session)
            && let Some(found) = self.reserved_for(crowd, branch, &sender)
        {
            return found;
        }
        let selects = |r: &Reserved| sender.is_none_or(|s| r.filters.selects(&s));
        self.reserved_on(branch).find(|(_, r)| selects(r)).map(|(ix, _)| ix)
    }

    /// In a crowd the FF reservation of a sender on an interface; the outer `None` where reservations are shared.
    fn reserved_for(
        &self,
        crowd: &Crowd,
        branch: Branch,
        sender: &SenderKey,
    ) -> Option<Option<Ix<Reserved>>> {
        let known = crowd.number(sender).map(|number| crowd.known(number).reserved.as_slice());
        let here = |ix: &&Ix<Reserved>| self.reserved[**ix].interface == branch.interface;
        let found = known.unwrap_or_default().iter().find(here).copied();
        let all_distinct = || self.first_style(branch.session).is_none_or(|s| s == StyleKind::FixedFilter);
        (found.is_some() || all_distinct()).then_some(found)
    }

    fn first_style(&self, session: Ix<SessionState>) -> Option<StyleKind> {
        self.reserved_of(session).next().map(|(_, r)| r.style)
    }

    /// The reservations that share a sender with one that has these filters.
    pub(crate) fn overlapping(
        &self,
        session: Ix<SessionState>,
        filters: &Filters,
    ) -> SmallVec<[Ix<Reserved>; 4]> {
        if let (Filters::One(sender), Some(crowd)) = (filters, self.crowd(session))
            && self.first_style(session) == Some(StyleKind::FixedFilter)
        {
            let known = crowd.number(sender).map(|number| crowd.known(number).reserved.as_slice());
            return known.unwrap_or_default().iter().copied().collect();
        }
        self.reserved_of(session).filter(|(_, r)| r.filters.overlap(filters)).map(|(ix, _)| ix).collect()
    }

    /// The path state of a sender that is forwarded, or else any.
    pub(crate) fn path_of_sender(
        &self,
        session: Ix<SessionState>,
        sender: &SenderKey,
    ) -> Option<(Ix<PathState>, &PathState)> {
        let mut found = None;
        for (ix, path) in self.paths_from(session, sender) {
            if !path.flags.local_only() {
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
        if !path.flags.multicast() || !path.routes_to(interface) || !self.may_have_several_paths(path.session)
        {
            return path.routes_to(interface);
        }
        let mut speaker = None;
        for (at, other) in self.paths_from(path.session, &path.sender) {
            if !other.routes_to(interface) {
                continue;
            }
            speaker = speaker.or(Some(at));
            if !other.flags.misplaced() {
                speaker = Some(at);
                break;
            }
        }
        speaker == Some(ix)
    }

    /// The path states that speak for their senders on an interface, one for each sender: those that `filters` names, or all.
    pub(crate) fn speakers(&self, branch: Branch, filters: &[SenderKey]) -> SmallVec<[Ix<PathState>; 8]> {
        let routed = |(_, p): &(_, &PathState)| p.routes_to(branch.interface);
        let mut speakers: SmallVec<[Ix<PathState>; 8]> = match filters {
            [one] => self.paths_from(branch.session, one).filter(routed).map(|(ix, _)| ix).collect(),
            [] => self.paths_of(branch.session).filter(routed).map(|(ix, _)| ix).collect(),
            several => {
                let mut sorted: SmallVec<[SenderKey; 4]> = several.into();
                sorted.sort_unstable();
                let all = self.paths_of(branch.session).filter(routed);
                all.filter(|(_, p)| sorted.binary_search(&p.sender).is_ok()).map(|(ix, _)| ix).collect()
            }
        };
        if self.may_have_several_paths(branch.session) {
            // Stable, so that of one sender's the first of the list stays first.
            speakers.sort_by_key(|ix| (self.paths[*ix].sender, self.paths[*ix].flags.misplaced()));
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

/// The path states of a sender: those that the crowd knows, or those of the list that are of it.
#[derive(Clone)]
pub(crate) struct PathsFrom<'s> {
    arena: &'s Arena<PathState>,
    sender: SenderKey,
    link: Option<Ix<PathState>>,
    known: &'s [Ix<PathState>],
}

impl<'s> Iterator for PathsFrom<'s> {
    type Item = (Ix<PathState>, &'s PathState);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while let Some(ix) = self.link {
            let path = &self.arena[ix];
            self.link = path.next;
            if path.sender == self.sender {
                return Some((ix, path));
            }
        }
        let (first, rest) = self.known.split_first()?;
        self.known = rest;
        Some((*first, &self.arena[*first]))
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
