//! RESV_EVENT: what local senders are told of the reservations that stand for them (RFC 2205 section 3.11.1, RFC 2209 UPDATE TRAFFIC
//! CONTROL).

use crate::event::{AppId, EventKind};
use crate::interface::InterfaceId;
use crate::key::SenderKey;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::path::{Origin, PathState};
use crate::state::session::SessionState;
use crate::state::traffic::{Filters, Reserved};
use smallvec::SmallVec;

impl Node {
    /// RESV_EVENT to the local senders the reservation is for.
    pub(crate) fn tell_reserved(&mut self, ix: Ix<Reserved>) {
        let reserved = &self.state.reserved[ix];
        let session = reserved.session;
        // A router has nobody to read messages for.
        if !self.state.has_local_sender(session) {
            return;
        }
        let kind = self.resv_event(reserved);
        let copy = Reserved { filters: reserved.filters.clone(), next: None, ..*reserved };
        self.extensions.were_told(self.state.reserved.id(ix), &kind);
        self.tell_senders(session, &copy, &kind);
    }

    /// Local senders hear again of reservations on an interface where what comes with them has changed, and nothing else.
    pub(crate) fn tell_news(&mut self, session: Ix<SessionState>, interface: InterfaceId) {
        if !self.state.has_local_sender(session) {
            return;
        }
        let there = self.state.reserved_of(session).filter(|(_, r)| r.interface == interface);
        let news = there.map(|(ix, _)| ix).filter(|ix| self.extensions.have_news(&self.state, *ix));
        for ix in news.collect::<SmallVec<[_; 4]>>() {
            self.tell_reserved(ix);
        }
    }

    fn resv_event(&self, reserved: &Reserved) -> EventKind {
        EventKind::Resv {
            style: reserved.style.object(),
            flowspec: reserved.flowspec,
            filters: reserved.filters.objects(),
            carried: self.extensions.told_with(&self.state, reserved),
        }
    }

    /// A new local sender hears of the reservations that stand for it already.
    pub(crate) fn tell_standing(&mut self, path: Ix<PathState>, app: AppId, interface: InterfaceId) {
        let (session, sender) = (self.state.paths[path].session, self.state.paths[path].sender);
        let key = self.state.key_of(session);
        let standing = self.state.reserved_of(session).map(|(_, r)| r);
        let events: SmallVec<[EventKind; 1]> = standing
            .filter(|r| r.interface == interface && r.filters.selects(&sender))
            .map(|r| self.resv_event(r))
            .collect();
        for kind in events {
            self.tell(app, &key, kind);
        }
    }

    /// Local senders that a reservation is no longer for hear so while it goes on for others.
    pub(super) fn tell_left(&mut self, ix: Ix<Reserved>, filters: &Filters) {
        let reserved = &self.state.reserved[ix];
        let left = reserved.filters.as_slice().iter().filter(|f| !filters.selects(f));
        let left: Box<[SenderKey]> = left.copied().collect();
        if left.is_empty() {
            return;
        }
        let gone = Reserved { filters: Filters::Many(left), next: None, ..*reserved };
        let (style, filters) = (gone.style.object(), gone.filters.objects());
        self.tell_senders(gone.session, &gone, &EventKind::ResvGone { style, filters });
    }

    pub(super) fn tell_senders(&mut self, session: Ix<SessionState>, reserved: &Reserved, kind: &EventKind) {
        let key = self.state.key_of(session);
        let mut told: SmallVec<[_; 4]> = SmallVec::new();
        for (_, path) in self.state.paths_of(session) {
            if let Origin::App(app) = path.origin
                && reserved.filters.selects(&path.sender)
                && path.routes_to(reserved.interface)
                && !told.contains(&app)
            {
                told.push(app);
            }
        }
        for app in told {
            self.tell(app, &key, kind.clone());
        }
    }
}
