//! RESV MESSAGE ARRIVES (RFC 2209), RFC 2205 sections 3.1.4, 3.1.8 and 3.5.
//!
//! The outgoing interface is the one whose handle the message carries (section 3.3). Each FF flow descriptor stands or
//! falls alone, with a ResvErr of its own; SE and WF stand or fall as a whole. What a refused change would have
//! replaced is left in place.

use super::Arrived;
use super::confirm::{Standing, Wish};
use super::demands::{Demand, FilterList, asked_by, sender_of};
use super::errors::{ErrorFlow, scope_of};
use crate::api::Discard;
use crate::config::Limit;
use crate::host::Host;
use crate::key::{Flow, SenderKey, StyleKind};
use crate::merge::flowspec::{self, service_bit};
use crate::node::Node;
use crate::rate::Seldom;
use crate::state::arena::Ix;
use crate::state::kept::Kept;
use crate::state::resv::{Asked, Item, Request, RequestOrigin};
use crate::state::traffic::Branch;
use crate::state::wheel::Timer;
use crate::time::{Instant, Since};
use core::net::IpAddr;
use rsvp_wire::{ErrorCode, ErrorSpec, Flowspec, ResvConfirm, RsvpHop, Sharing, Style, error_value};
use smallvec::SmallVec;

/// Who asks for what kind of reservation, and until when.
#[derive(Clone, Copy)]
struct Asker {
    branch: Branch,
    from: RequestOrigin,
    style: StyleKind,
    expires: Instant,
}

impl Node {
    pub(crate) fn resv_arrives(&mut self, arrived: &Arrived<'_>, host: &mut dyn Host) -> Result<(), Discard> {
        let hop = arrived.read::<RsvpHop>()?;
        let interface = self.outgoing_interface(&arrived.rx, &hop)?;
        let expires = self.expiry_of(arrived)?;
        let from = RequestOrigin::Hop { interface, address: hop.address };
        let session = self.state.find_session(&arrived.session);
        let known = session.and_then(|session| self.state.find_request(session, from));
        if !self.comes_from_next_hop(arrived, (interface, hop.address), known) {
            return Err(self.foreign(arrived));
        }
        if known.is_some_and(|ix| self.refreshes(ix, arrived, expires)) {
            return Ok(());
        }
        session.into_iter().for_each(|session| self.session_changes(session));
        self.owner_of(&arrived.rx, &arrived.message);
        let said = arrived.read::<Style>()?;
        let Some(style) = StyleKind::of(said) else {
            self.answer_resv_err(&arrived.message, interface, hop.address, (ErrorCode::UNKNOWN_STYLE, 0));
            return Err(Discard::Rejected);
        };
        // Flags of a STYLE are not assigned: what is refused at once hears its own, and nothing of them is kept (RFC 2205
        // Appendix A).
        let (demands, all_readable) = self.read_demands(arrived, from, said)?;
        let session = match session {
            Some(session) if self.state.sessions[session].paths.is_some() => session,
            _ => {
                let conflict = session.is_none() && self.state.conflicts_in_ports(&arrived.session);
                let code = if conflict { ErrorCode::CONFLICTING_DEST_PORTS } else { ErrorCode::NO_PATH };
                for demand in &demands {
                    self.refuse(arrived, from, said, demand, (code, 0), false);
                }
                return Err(Discard::Rejected);
            }
        };
        if let Some(existing) = self.conflicting_style(session, style, known) {
            let why = (ErrorCode::CONFLICTING_STYLE, existing.error_value());
            for demand in &demands {
                self.refuse(arrived, from, said, demand, why, false);
            }
            if let Some(known) = known {
                self.note_asked(known, Asked::OtherStyle);
            }
            return Err(Discard::Rejected);
        }
        if !self.has_room_for_request(session, known, arrived) {
            return Err(self.reject_beyond(&arrived.rx, &arrived.message, Limit::NeighbourState));
        }
        // A request that comes back in another style is a new one; the old, and what is left over of others in another
        // style, is put back if nothing of it is granted.
        let aside = self.set_aside(session, style);
        let asker = Asker { branch: Branch { session, interface }, from, style, expires };
        let taken = self.take_demands(arrived, asker, &demands, all_readable, host);
        let granted = self.state.find_request(session, from).is_some();
        for request in aside {
            if granted {
                self.tell_displaced(&request, style);
            } else {
                self.reinstate(request);
            }
        }
        taken
    }

    /// Processes every demand of a message whose session and style are in order.
    fn take_demands(
        &mut self,
        arrived: &Arrived<'_>,
        asker: Asker,
        demands: &[Demand<'_>],
        all_readable: bool,
        host: &mut dyn Host,
    ) -> Result<(), Discard> {
        let confirm = match arrived.message.get::<ResvConfirm>() {
            Some(confirm) => Some(confirm.map_err(Discard::Malformed)?.address),
            None => None,
        };
        let Asker { branch, from, .. } = asker;
        if let Some(ix) = self.state.find_request(branch.session, from) {
            self.spell_out_beside(ix, arrived);
        }
        for extension in &mut self.extensions {
            extension.resv_arrives(&self.state, branch.session, from, arrived.rx.octets);
        }
        let stands = confirm.is_some() && self.stands(branch.session, from, demands);
        let Judged { mut in_full, any, limited } = self.judge(arrived, asker, demands);
        in_full &= all_readable;
        let request = self.state.find_request(branch.session, from);
        if let Some(ix) = request {
            if any {
                // A message that asks for confirmation is never a mere refresh (RFC 2209).
                self.keep_message(ix, arrived, in_full && confirm.is_none());
            }
            self.state.charge_request(ix);
            self.state.arm_request(ix);
        }
        self.extensions.iter_mut().for_each(|each| each.resv_was_judged());
        self.tell_news(branch);
        self.follow_remarks(branch, Some(&arrived.message));
        if let (Some(address), Some(ix)) = (confirm, request)
            && !(stands && self.wishes_too_often(ix, branch.interface))
        {
            self.confirm_demands(address, ix, demands, host);
        }
        self.intend_resvs(branch.session);
        match (any, limited) {
            (true, _) => Ok(()),
            (false, true) => Err(Discard::LimitReached),
            (false, false) => Err(Discard::Rejected),
        }
    }

    /// Deals with the wish for confirmation of a message; what this node confirms of it goes in one ResvConf.
    fn confirm_demands(
        &mut self,
        address: IpAddr,
        request: Ix<Request>,
        demands: &[Demand<'_>],
        host: &mut dyn Host,
    ) {
        let (mut confirmed, mut standing) = (SmallVec::<[(Flow, Flowspec); 2]>::new(), Standing::new());
        for Demand { filters, flowspec, .. } in demands {
            let granted = |f: &SenderKey| self.state.place_of(request, &Some(*f)).is_some();
            let granted: FilterList = filters.iter().copied().filter(granted).collect();
            if granted.is_empty() != filters.is_empty() {
                continue;
            }
            let flowspec = *flowspec;
            let wish = Wish { address, request, filters: &granted, flowspec, behind: None };
            match self.wish_confirm(&wish, &mut standing).answered {
                Some(all) if all.is_empty() => confirmed.push((None, flowspec)),
                Some(some) => confirmed.extend(some.into_iter().map(|f| (Some(f), flowspec))),
                None => {}
            }
        }
        if !confirmed.is_empty() {
            self.send_resv_conf(address, request, &confirmed, host);
        }
    }

    /// Puts all that a message names in the place of what was asked for before, and then asks traffic control for each
    /// demand (RFC 2205 section 2.3). What is refused is put back.
    fn judge(&mut self, arrived: &Arrived<'_>, asker: Asker, demands: &[Demand<'_>]) -> Judged {
        let Asker { branch, from, style, .. } = asker;
        let asked = asked_by(demands);
        let own = self.state.find_request(branch.session, from);
        if let Some(own) = own {
            self.note_asked(own, asked);
        }
        let mut judged = Judged { in_full: true, any: false, limited: false };
        let others = self.asked_services(branch.session, |ix, _| Some(ix) != own);
        let mut fit: SmallVec<[Fit<'_>; 2]> = SmallVec::new();
        for demand in demands {
            match self.take_demand(arrived, asker, (own, others), demand) {
                Some(filters) => fit.push(Fit { demand, filters, flowspec: demand.flowspec }),
                None => judged.in_full = false,
            }
        }
        if fit.is_empty() {
            return judged;
        }
        let Some(ix) = self.request_of(asker, asked, arrived.rx.source) else {
            fit.iter().for_each(|fit| self.exceeds(arrived, asker, fit.demand, Limit::RequestsPerSession));
            return Judged { limited: true, in_full: false, ..judged };
        };
        let before = self.items_before(ix, style);
        for Fit { filters, flowspec, .. } in &mut fit {
            let left = self.still_reduced(&self.state.requests[ix], branch, filters, flowspec);
            *flowspec = left.unwrap_or(*flowspec);
        }
        fit.retain(|fit| {
            let merged = self.merge_items(ix, asker, fit.flowspec, &fit.filters);
            if !merged {
                (judged.limited, judged.in_full) = (true, false);
                self.exceeds(arrived, asker, fit.demand, Limit::FiltersPerRequest);
            }
            merged
        });
        // What is given back can be had by what takes more, wherever it stands in the list.
        fit.sort_by_cached_key(|fit| self.takes_more(asker, fit));
        for Fit { demand, filters, flowspec } in &fit {
            let sender = sender_of(style, filters);
            let too_large = self.too_large_packets(branch, filters, flowspec);
            let updated = too_large.map_or_else(|| self.update_for_request(ix, branch, sender), Err);
            let reserved = self.state.find_reserved(branch, sender);
            match updated {
                Ok(()) => {
                    judged.any = true;
                    // Filters of senders that are not known here were left out.
                    judged.in_full &= filters.len() == demand.filters.len();
                    if let Some(reserved) = reserved {
                        let flags = &mut self.state.reserved[reserved].flags;
                        flags.set_reduced(flags.reduced() && *flowspec != demand.flowspec);
                    }
                }
                Err(refused) => {
                    judged.in_full = false;
                    self.restore_items(ix, &before, demand, filters, asker);
                    self.refuse(arrived, from, style.object(), demand, refused, reserved.is_some());
                }
            }
        }
        if self.state.requests[ix].items.is_empty() {
            self.state.remove_request(ix);
        }
        judged
    }

    /// What a request asks for; in FF by the order of the filters, to be found by them.
    fn items_before(&self, ix: Ix<Request>, style: StyleKind) -> SmallVec<[Item; 1]> {
        let mut before = self.state.requests[ix].items.clone();
        if style.sharing() == Sharing::Distinct {
            before.sort_unstable_by_key(|item| item.filter);
        }
        before
    }

    /// Holds a demand against path state and the requests of others: the filters whose senders are known here. `None`
    /// when it is refused.
    fn take_demand(
        &mut self,
        arrived: &Arrived<'_>,
        asker: Asker,
        (own, others): (Option<Ix<Request>>, u32),
        demand: &Demand<'_>,
    ) -> Option<FilterList> {
        let Asker { branch: Branch { session, interface }, from, style, .. } = asker;
        let mut filters = demand.filters.clone();
        filters.retain(|f| self.state.paths_from(session, f).any(|(_, p)| p.routes_to(interface)));
        let any = || self.state.paths_of(session).any(|(_, p)| p.routes_to(interface));
        if filters.is_empty() && !(demand.filters.is_empty() && any()) {
            self.refuse(arrived, from, style.object(), demand, (ErrorCode::NO_SENDER, 0), false);
            return None;
        }
        if others & !service_bit(&demand.flowspec) != 0 {
            let why = (ErrorCode::TRAFFIC_CONTROL, error_value::SERVICE_CONFLICT);
            let stands = |own| match filters.as_slice() {
                [] => true,
                named => named.iter().any(|f| self.state.place_of(own, &Some(*f)).is_some()),
            };
            let in_place = own.is_some_and(stands);
            self.refuse(arrived, from, style.object(), demand, why, in_place);
            return None;
        }
        Some(filters)
    }

    /// The request that demands go into, made when it is new; `None` when the session has as many as it may.
    fn request_of(&mut self, asker: Asker, asked: Asked, source: IpAddr) -> Option<Ix<Request>> {
        let Asker { branch: Branch { session, .. }, from, style, .. } = asker;
        let is_other = |hop: IpAddr| hop != source;
        let source = from.hop().filter(|hop| is_other(*hop)).map(|_| source);
        if let Some(own) = self.state.find_request(session, from) {
            return Some(own);
        }
        if self.has_all_requests(session, self.cause) {
            return None;
        }
        Some(self.state.add_request(Request {
            session,
            next: None,
            from,
            style,
            items: SmallVec::new(),
            kept: Kept::nothing(),
            refreshable: false,
            asked,
            timer: Timer::new(),
            owner: self.cause,
            beside: Request::from_source(source),
            charged: 0,
            since: Since::of(self.now),
            wishes: Seldom::default(),
        }))
    }

    /// Whether a demand takes more of the interface than what is installed for its senders.
    fn takes_more(&self, asker: Asker, fit: &Fit<'_>) -> bool {
        let sender = sender_of(asker.style, &fit.filters);
        let installed = self.state.find_reserved(asker.branch, sender);
        let now_bps = installed.map_or(0, |ix| self.state.reserved[ix].charge_bps);
        let path = self.path_tspec(asker.branch, &fit.filters);
        let effective = path.map_or(fit.flowspec, |path| flowspec::limit(&fit.flowspec, &path));
        let overhead = self.interfaces.find(asker.branch.interface).map_or(0, |on| on.config.overhead);
        flowspec::cost_bps(&effective, overhead) > now_bps
    }

    /// A demand for which there is no room: answered as often as such things are.
    fn exceeds(&mut self, arrived: &Arrived<'_>, asker: Asker, demand: &Demand<'_>, limit: Limit) {
        self.refused(limit);
        if self.may_answer_limit() {
            let why = (ErrorCode::RSVP_SYSTEM, limit.error_value());
            self.refuse(arrived, asker.from, asker.style.object(), demand, why, false);
        }
    }

    /// Puts back what a refused demand would have replaced. It has been asked for again, so it lives on (RFC 2209
    /// restarts the cleanup timer before it calls traffic control); unless it was for another service, for which nobody
    /// asks any more.
    fn restore_items(
        &mut self,
        ix: Ix<Request>,
        before: &[Item],
        demand: &Demand<'_>,
        filters: &[SenderKey],
        asker: Asker,
    ) {
        let restored = |item: &Item, named: bool| {
            let asked_again = named && item.flowspec.service() == demand.flowspec.service();
            Item { expires: if asked_again { asker.expires } else { item.expires }, ..*item }
        };
        if let (Sharing::Distinct, [sender]) = (asker.style.sharing(), filters) {
            let filter = Some(*sender);
            if let Ok(stood) = before.binary_search_by_key(&filter, |item| item.filter) {
                self.state.put_item(ix, restored(&before[stood], true));
            } else if let Some(place) = self.state.place_of(ix, &filter) {
                self.state.take_item(ix, place);
            }
            return;
        }
        let mut sorted: FilterList = filters.into();
        sorted.sort_unstable();
        let named = |item: &Item| item.filter.is_none_or(|f| sorted.binary_search(&f).is_ok());
        self.state.requests[ix].items = before.iter().map(|item| restored(item, named(item))).collect();
        self.state.index_request(ix);
    }

    /// Puts a demand into the request: flowspec and expiry of the items it names. False, and nothing changes, if there
    /// would be more of them than a request may have.
    fn merge_items(
        &mut self,
        ix: Ix<Request>,
        asker: Asker,
        flowspec: Flowspec,
        filters: &[SenderKey],
    ) -> bool {
        let shared = asker.style.sharing() == Sharing::Shared;
        let limit = self.config.limits.filters_per_request as usize;
        let new = filters.iter().filter(|f| self.state.place_of(ix, &Some(**f)).is_none()).count();
        if new > 0 && self.state.requests[ix].items.len() + new > limit {
            return false;
        }
        if shared {
            self.state.change_flowspecs(ix, &None, |_| flowspec);
        }
        let wildcard = filters.is_empty().then_some(None);
        for filter in filters.iter().copied().map(Some).chain(wildcard) {
            self.state.put_item(ix, Item { filter, flowspec, expires: asker.expires });
        }
        true
    }

    fn refuse(
        &mut self,
        arrived: &Arrived<'_>,
        from: RequestOrigin,
        style: Style,
        demand: &Demand<'_>,
        (code, value): (ErrorCode, u16),
        in_place: bool,
    ) {
        let flags = if in_place { ErrorSpec::IN_PLACE } else { 0 };
        let flow = ErrorFlow {
            style,
            flowspec: Some(demand.object.octets()),
            filters: &demand.filters,
            scope: &scope_of(&arrived.message),
            because_of: self.goes_on_in_refusal(arrived.message),
        };
        self.report_resv_error(from, &arrived.session, code, value, flags, &flow);
    }
}

/// A demand that can be asked of traffic control.
struct Fit<'d> {
    demand: &'d Demand<'d>,
    /// The filters that count.
    filters: FilterList,
    /// What is asked for, or what is left of it.
    flowspec: Flowspec,
}

/// How the demands of a message fared.
struct Judged {
    in_full: bool,
    /// Something was granted.
    any: bool,
    /// Something was more than a request, or a session, may have.
    limited: bool,
}
