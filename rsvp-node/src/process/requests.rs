//! Reservation requests as a whole: finding them, what they conflict with, and taking them or parts of them away. Used
//! by every procedure that ends a request: ResvTear, timeout, a local application's withdrawal, a change of style.

use crate::interface::InterfaceId;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::resv::{From, Item, Request};
use crate::state::session::SessionState;
use rsvp_wire::{FilterSpec, Flowspec, Sharing, Style};
use smallvec::SmallVec;

impl Node {
    /// What a next hop over an interface has asked for.
    pub(crate) fn find_request(&self, session: Ix<SessionState>, from: From) -> Option<Ix<Request>> {
        self.state.requests_of(session).find(|(_, r)| r.from == from).map(|(ix, _)| ix)
    }

    /// The style of another request that cannot stand beside `style` (RFC 2205 section 1.3).
    pub(crate) fn conflicting_style(
        &self,
        session: Ix<SessionState>,
        style: Style,
        own: Option<Ix<Request>>,
    ) -> Option<Style> {
        self.state
            .requests_of(session)
            .find(|(ix, r)| Some(*ix) != own && r.style.options != style.options)
            .map(|(_, r)| r.style)
    }

    /// Whether a flowspec asks for another service than requests that stand: all receivers of a session must choose the
    /// same (RFC 2210 section 2.2). What it would replace, in the request `own`, does not count.
    pub(crate) fn service_conflicts(
        &self,
        session: Ix<SessionState>,
        own: Option<Ix<Request>>,
        filters: &[FilterSpec],
        flowspec: &Flowspec,
    ) -> bool {
        let stays = |ix: Ix<Request>, request: &Request, item: &Item| {
            let named = item.filter.is_none_or(|f| filters.contains(&f));
            Some(ix) != own || (request.style.sharing() == Sharing::Distinct && !named)
        };
        let mut requests = self.state.requests_of(session);
        requests.any(|(ix, r)| {
            r.items.iter().any(|i| stays(ix, r, i) && i.flowspec.service() != flowspec.service())
        })
    }

    /// Has the refreshes of an interface's requests judged anew, because what they stand on has changed: the next
    /// refresh is taken for a change.
    pub(crate) fn judge_again(&mut self, session: Ix<SessionState>, interface: InterfaceId) {
        let concerned: SmallVec<[Ix<Request>; 4]> = self
            .state
            .requests_of(session)
            .filter(|(_, r)| r.interface() == Some(interface))
            .map(|(ix, _)| ix)
            .collect();
        for ix in concerned {
            self.state.requests[ix].refreshable = false;
        }
    }

    /// Takes a whole request out, and adjusts what is installed for it.
    pub(crate) fn drop_request(&mut self, ix: Ix<Request>) -> Request {
        let request = self.state.remove_request(ix);
        self.items_gone(request.session, request.interface(), request.style, &request.items);
        request
    }

    /// Removes the items of a request that match, and the request with the last of them; installed reservations and
    /// previous hops follow.
    pub(crate) fn remove_items(&mut self, ix: Ix<Request>, matches: impl Fn(&Item) -> bool) {
        let request = &mut self.state.requests[ix];
        let (session, style, interface) = (request.session, request.style, request.interface());
        let mut gone: SmallVec<[Item; 1]> = SmallVec::new();
        request.items.retain(|item| {
            let matched = matches(item);
            if matched {
                gone.push(*item);
            }
            !matched
        });
        if request.items.is_empty() {
            self.state.remove_request(ix);
        } else if !gone.is_empty() {
            request.refreshable = false;
        }
        self.items_gone(session, interface, style, &gone);
        self.intend_resv_for(session, |_| true);
        self.state.release_session(session);
    }

    /// Adjusts what is installed after items are gone from a request.
    fn items_gone(
        &mut self,
        session: Ix<SessionState>,
        interface: Option<InterfaceId>,
        style: Style,
        gone: &[Item],
    ) {
        let Some(interface) = interface else { return };
        let distinct = style.sharing() == Sharing::Distinct;
        for item in gone.iter().take(if distinct { usize::MAX } else { 1 }) {
            let sender = item.filter.filter(|_| distinct);
            self.update_for_less(session, interface, sender);
        }
    }
}
