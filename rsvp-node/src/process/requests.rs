//! Reservation requests as a whole: finding them, what they conflict with, and taking them or parts of them away. Used
//! by every procedure that ends a request: ResvTear, timeout, a local application's withdrawal, a change of style.

use super::errors::ErrorFlow;
use crate::composer::object_of;
use crate::interface::InterfaceId;
use crate::key::{Flow, SenderKey, StyleKind};
use crate::merge::flowspec::service_bit;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::resv::{Asked, Item, Request};
use crate::state::session::SessionState;
use crate::state::traffic::Branch;
use core::cell::OnceCell;
use rsvp_wire::{ErrorCode, Flowspec, Sharing};
use smallvec::SmallVec;

impl Node {
    /// The style of another request that cannot stand beside `style` (RFC 2205 section 1.3).
    pub(crate) fn conflicting_style(
        &self,
        session: Ix<SessionState>,
        style: StyleKind,
        own: Option<Ix<Request>>,
    ) -> Option<StyleKind> {
        let mut requests = self.state.requests_of(session);
        let conflicts = |ix, r: &Request| Some(ix) != own && r.asked != Asked::OtherStyle && r.style != style;
        requests.find(|(ix, r)| conflicts(*ix, r)).map(|(_, r)| r.style)
    }

    /// Whether another request asks for another service: all receivers of a session must choose the same (RFC 2210
    /// section 2.2). What the same requester has asked for, in the same message or before, does not count: it is
    /// replaced, or it is for other senders in FF, where nothing is merged with it.
    pub(crate) fn service_conflicts(
        &self,
        session: Ix<SessionState>,
        own: Option<Ix<Request>>,
        flowspec: &Flowspec,
    ) -> bool {
        self.asked_services(session, |ix, _| Some(ix) != own) & !service_bit(flowspec) != 0
    }

    /// The services that requests ask for, among those that count.
    pub(crate) fn asked_services(
        &self,
        session: Ix<SessionState>,
        counts: impl Fn(Ix<Request>, &Request) -> bool,
    ) -> u32 {
        let counted = self.state.requests_of(session).filter(|(ix, r)| counts(*ix, r));
        counted.fold(0, |all, (_, request)| all | request.asked_services())
    }

    /// Notes what the owner of a request asks for now, whatever becomes of it.
    pub(crate) fn note_asked(&mut self, ix: Ix<Request>, asked: Asked) {
        let request = &mut self.state.requests[ix];
        if request.asked != asked {
            request.asked = asked;
            request.refreshable = false;
        }
    }

    /// Whether an item that is left over gives way to what is asked for in another service: to what it would be merged
    /// with, among the requests that count. What that is, is found out once for all items of a sender, or of a session where senders share
    /// a reservation.
    pub(crate) fn gives_way(
        &self,
        request: &Request,
        item: &Item,
        asked: &OnceCell<u32>,
        counts: impl Fn(&Request) -> bool,
    ) -> bool {
        if request.asks_for(item) {
            return false;
        }
        let asked = asked.get_or_init(|| match request.style.sharing() {
            Sharing::Shared => self.asked_services(request.session, |_, r| counts(r)),
            _ => self.services_for(request.session, &item.filter, counts),
        });
        asked & !service_bit(&item.flowspec) != 0
    }

    /// The services that are asked for a sender.
    fn services_for(
        &self,
        session: Ix<SessionState>,
        sender: &Flow,
        counts: impl Fn(&Request) -> bool,
    ) -> u32 {
        let number = self.state.number_of(session, sender);
        let counted = self.state.requests_of(session).map(|(_, r)| r).filter(|r| counts(r));
        let items = counted.filter_map(|r| Some((r, &r.items[r.place_of(sender, number)?])));
        items.filter(|(r, i)| r.asks_for(i)).fold(0, |all, (_, i)| all | service_bit(&i.flowspec))
    }

    /// Takes out all requests of another style than `style`, when none of them conflicts with it any more.
    pub(crate) fn set_aside(
        &mut self,
        session: Ix<SessionState>,
        style: StyleKind,
    ) -> SmallVec<[Request; 1]> {
        let requests = self.state.requests_of(session);
        let others: SmallVec<[Ix<Request>; 1]> =
            requests.filter(|(_, r)| r.style != style).map(|(ix, _)| ix).collect();
        others.into_iter().map(|ix| self.drop_request(ix)).collect()
    }

    /// An application whose request was left over from before a refused change of style, and is gone for another style,
    /// is told: its requests do not time out.
    pub(crate) fn tell_displaced(&mut self, gone: &Request, style: StyleKind) {
        if gone.app().is_none() {
            return;
        }
        let key = self.state.key_of(gone.session);
        let filters: SmallVec<[SenderKey; 4]> = gone.items.iter().filter_map(|i| i.filter).collect();
        let object = gone.items.first().map(|item| object_of(&item.flowspec));
        let (code, value) = (ErrorCode::CONFLICTING_STYLE, style.error_value());
        let (flowspec, filters) = (object.as_deref(), filters.as_slice());
        let flow = ErrorFlow { style: gone.style.object(), flowspec, filters, scope: &[], because_of: None };
        self.report_resv_error(gone.from, &key, code, value, 0, &flow);
    }

    /// Puts back a request that was set aside for one that is refused. Nobody asks for it any more, so it is left to time
    /// out; until then it serves as it did.
    pub(crate) fn reinstate(&mut self, mut request: Request) {
        let (session, interface) = (request.session, request.interface());
        let distinct = request.style.sharing() == Sharing::Distinct;
        (request.refreshable, request.asked) = (false, Asked::OtherStyle);
        let senders: SmallVec<[SenderKey; 4]> = request.items.iter().filter_map(|i| i.filter).collect();
        let ix = self.state.add_request(request);
        self.state.arm_request(ix);
        let Some(interface) = interface else { return };
        let branch = Branch { session, interface };
        let each: SmallVec<[Flow; 4]> =
            if distinct { senders.into_iter().map(Some).collect() } else { [None].into_iter().collect() };
        for sender in each {
            // What it takes was free a moment ago.
            if self.update_traffic_control(branch, sender).is_err() {
                self.judge_again(branch);
            }
        }
    }

    /// Has the refreshes of an interface's requests judged anew, because what they stand on has changed: the next
    /// refresh is taken for a change.
    pub(crate) fn judge_again(&mut self, branch: Branch) {
        if self.judged_again.replace(branch) != Some(branch) {
            for ix in self.state.requests_on(branch) {
                self.state.requests[ix].refreshable = false;
            }
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
        let gone = self.state.take_items(ix, matches);
        let request = &mut self.state.requests[ix];
        let (session, style, interface) = (request.session, request.style, request.interface());
        if request.items.is_empty() {
            self.state.remove_request(ix);
        } else if !gone.is_empty() {
            request.refreshable = false;
            self.state.charge_request(ix);
        }
        self.session_changes(session);
        self.items_gone(session, interface, style, &gone);
        self.intend_resvs(session);
        self.state.release_session(session);
    }

    /// Adjusts what is installed after items are gone from a request.
    fn items_gone(
        &mut self,
        session: Ix<SessionState>,
        interface: Option<InterfaceId>,
        style: StyleKind,
        gone: &[Item],
    ) {
        let Some(interface) = interface else { return };
        let branch = Branch { session, interface };
        let distinct = style.sharing() == Sharing::Distinct;
        for item in gone.iter().take(if distinct { usize::MAX } else { 1 }) {
            self.update_for_less(branch, item.filter.filter(|_| distinct));
        }
        self.tell_news(branch);
        self.follow_remarks(branch, None);
    }
}
