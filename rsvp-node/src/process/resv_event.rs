//! RESV_EVENT: what local senders are told of the reservations that stand for them (RFC 2205 section 3.11.1, RFC 2209 UPDATE TRAFFIC
//! CONTROL).

use crate::carried::Carried;
use crate::event::{AppId, EventKind};
use crate::interface::InterfaceId;
use crate::key::SenderKey;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::path::{Origin, PathState};
use crate::state::traffic::{Branch, Filters, Reserved};
use smallvec::SmallVec;

impl Node {
    /// RESV_EVENT to the local senders the reservation is for.
    pub(crate) fn tell_reserved(&mut self, ix: Ix<Reserved>) {
        let reserved = &self.state.reserved[ix];
        // A router has nobody to read messages for.
        if !self.state.has_local_sender(reserved.session) {
            return;
        }
        let kind = self.resv_event(reserved);
        let (branch, filters) = (reserved.branch(), reserved.filters.clone());
        let id = self.state.reserved.id(ix).into();
        self.extensions.iter_mut().for_each(|each| each.was_told(id, &kind));
        self.tell_senders(branch, &filters, &kind);
    }

    /// Local senders hear again of reservations on an interface where what comes with them has changed, and nothing else.
    pub(crate) fn tell_news(&mut self, branch: Branch) {
        if !self.state.has_local_sender(branch.session) {
            return;
        }
        let is_news = |ix: &Ix<Reserved>| self.extensions.iter().any(|each| each.has_news(&self.state, *ix));
        let news = self.state.reserved_on(branch).map(|(ix, _)| ix).filter(is_news);
        for ix in news.collect::<SmallVec<[_; 4]>>() {
            self.tell_reserved(ix);
        }
    }

    fn resv_event(&self, reserved: &Reserved) -> EventKind {
        let mut objects = Vec::new();
        self.extensions.iter().for_each(|each| each.tell(&self.state, reserved, &mut objects));
        EventKind::Resv {
            style: reserved.style.object(),
            flowspec: reserved.flowspec,
            filters: reserved.filters.objects(),
            carried: Carried::union(objects),
        }
    }

    /// A new local sender hears of the reservations that stand for it already.
    pub(crate) fn tell_standing(&mut self, path: Ix<PathState>, app: AppId, interface: InterfaceId) {
        let (session, sender) = (self.state.paths[path].session, self.state.paths[path].sender);
        let key = self.state.key_of(session);
        let standing = self.state.reserved_on(Branch { session, interface }).map(|(_, r)| r);
        let standing = standing.filter(|r| r.filters.selects(&sender));
        let events: SmallVec<[EventKind; 1]> = standing.map(|r| self.resv_event(r)).collect();
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
        let (branch, left) = (reserved.branch(), Filters::Many(left));
        let (style, filters) = (reserved.style.object(), left.objects());
        self.tell_senders(branch, &left, &EventKind::ResvGone { style, filters });
    }

    pub(super) fn tell_senders(&mut self, branch: Branch, filters: &Filters, kind: &EventKind) {
        if self.state.sessions[branch.session].apps().is_empty() {
            return;
        }
        let key = self.state.key_of(branch.session);
        let mut told: SmallVec<[_; 4]> = SmallVec::new();
        let one = if let Filters::One(sender) = filters { Some(sender) } else { None };
        let of_one = one.into_iter().flat_map(|sender| self.state.paths_from(branch.session, sender));
        let all = one.is_none().then(|| self.state.paths_of(branch.session)).into_iter().flatten();
        for (_, path) in of_one.chain(all) {
            if let Origin::App(app) = path.origin
                && filters.selects(&path.sender)
                && path.routes_to(branch.interface)
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
