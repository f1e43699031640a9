//! RESV MESSAGE ARRIVES (RFC 2209), RFC 2205 sections 3.1.4, 3.1.8 and 3.5.
//!
//! The outgoing interface is the one whose handle the message carries (section 3.3). Each FF flow descriptor stands or
//! falls alone, with a ResvErr of its own; SE and WF stand or fall as a whole. What a refused change would have
//! replaced is left in place.

use super::confirm::Wish;
use super::errors::{ErrorFlow, scope_of};
use super::{Arrived, normal, read, same_content};
use crate::config::Limit;
use crate::door::Discard;
use crate::host::Host;
use crate::interface::InterfaceId;
use crate::node::Node;
use crate::process::path::store;
use crate::state::arena::Ix;
use crate::state::resv::{From, Item, Request};
use crate::state::session::SessionState;
use crate::time::Instant;
use rsvp_wire::{
    Class, ErrorCode, ErrorSpec, FilterSpec, FlowDescriptor, Flowspec, ObjectRef, ParseError, ResvConfirm,
    RsvpHop, Sharing, Style, Why as ParseWhy, error_value, flow_descriptors,
};
use smallvec::SmallVec;

type FilterList = SmallVec<[FilterSpec; 4]>;

/// One thing that is admitted or refused as a whole: an FF descriptor, or all that an SE or WF message asks for.
struct Demand<'a> {
    object: ObjectRef<'a>,
    flowspec: Flowspec,
    filters: FilterList,
}

/// Who asks for what kind of reservation, and until when.
#[derive(Clone, Copy)]
struct Asker {
    session: Ix<SessionState>,
    from: From,
    interface: InterfaceId,
    style: Style,
    expires: Instant,
}

impl Node {
    pub(crate) fn resv_arrives(&mut self, arrived: &Arrived<'_>, host: &mut dyn Host) -> Result<(), Discard> {
        let hop = read::<RsvpHop>(&arrived.message)?;
        let interface = self
            .interfaces
            .by_lih(hop.lih)
            .map(|i| i.config.id)
            .ok_or_else(|| self.unknown_handle(&arrived.rx))?;
        let expires = self.expiry_of(arrived)?;
        let from = From::Hop { interface, address: hop.address };
        let session = self.find_session(&arrived.session);
        let known = session.and_then(|session| self.find_request(session, from));
        if let Some(ix) = known
            && self.state.requests[ix].refreshable
            && same_content(&self.state.requests[ix].octets, arrived.rx.octets)
        {
            self.state.requests[ix].items.iter_mut().for_each(|item| item.expires = expires);
            return Ok(());
        }
        let style = read::<Style>(&arrived.message)?;
        if !is_style(style) {
            self.answer_resv_err(&arrived.message, interface, hop.address, (ErrorCode::UNKNOWN_STYLE, 0));
            return Err(Discard::Rejected);
        }
        let (demands, all_readable) = self.read_demands(arrived, from, style)?;
        let session = match session {
            Some(session) if self.state.sessions[session].paths.is_some() => session,
            _ => {
                let conflict = session.is_none() && self.state.conflicts_in_ports(&arrived.session);
                let code = if conflict { ErrorCode::CONFLICTING_DEST_PORTS } else { ErrorCode::NO_PATH };
                for demand in &demands {
                    self.refuse(arrived, from, style, demand, (code, 0), false);
                }
                return Err(Discard::Rejected);
            }
        };
        if let Some(existing) = self.conflicting_style(session, style, known) {
            let value = (existing.options & 0xffff) as u16;
            for demand in &demands {
                self.refuse(arrived, from, style, demand, (ErrorCode::CONFLICTING_STYLE, value), false);
            }
            return Err(Discard::Rejected);
        }
        // A request that comes back in another style is a new one; the old is put back if nothing of it is granted.
        let replaced = known
            .filter(|ix| self.state.requests[*ix].style.options != style.options)
            .map(|ix| self.drop_request(ix));
        // Flags of a STYLE are not assigned; they are no part of what is kept (RFC 2205 Appendix A).
        let asker = Asker { session, from, interface, style: Style { flags: 0, ..style }, expires };
        let taken = self.take_demands(arrived, asker, &demands, all_readable, host);
        if let Some(replaced) = replaced.filter(|_| self.find_request(session, from).is_none()) {
            self.reinstate(replaced);
        }
        taken
    }

    /// Puts back a request that was taken out for one that is refused. Nobody asks for it any more, so it is left to time
    /// out; until then it serves as it did.
    fn reinstate(&mut self, mut request: Request) {
        let (session, interface) = (request.session, request.interface());
        let distinct = request.style.sharing() == Sharing::Distinct;
        request.timer = None;
        let senders: FilterList = request.items.iter().filter_map(|i| i.filter).collect();
        let ix = self.state.add_request(request);
        self.state.arm_request(ix);
        let Some(interface) = interface else { return };
        let each: SmallVec<[Option<FilterSpec>; 4]> =
            if distinct { senders.into_iter().map(Some).collect() } else { [None].into_iter().collect() };
        for sender in each {
            // What it takes was free a moment ago.
            if self.update_traffic_control(session, interface, sender).is_err() {
                self.judge_again(session, interface);
            }
        }
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
        let (mut in_full, mut any, mut limited) = (all_readable, false, false);
        for demand in demands {
            match self.take_demand(arrived, asker, demand) {
                Taken::InFull => any = true,
                Taken::InPart => (any, in_full) = (true, false),
                Taken::Refused => in_full = false,
                Taken::Limited => (limited, in_full) = (true, false),
            }
        }
        let request = self.find_request(asker.session, asker.from);
        if let Some(ix) = request {
            if any {
                let request = &mut self.state.requests[ix];
                store(&mut request.octets, arrived.rx.octets);
                // Items that this message does not name live on until they expire, which equal refreshes must not undo; and
                // a message that asks for confirmation is never a mere refresh (RFC 2209).
                let names_all = request.items.iter().all(|i| i.expires == asker.expires);
                request.refreshable = in_full && names_all && confirm.is_none();
                self.handled(arrived.rx.octets.len());
            }
            self.state.arm_request(ix);
        }
        if let (Some(address), Some(ix)) = (confirm, request) {
            for demand in demands {
                let items = &self.state.requests[ix].items;
                let granted = |f: &FilterSpec| items.iter().any(|i| i.filter == Some(*f));
                let filters: FilterList = demand.filters.iter().copied().filter(granted).collect();
                if filters.is_empty() == demand.filters.is_empty() {
                    let wish = Wish { address, request: ix, filters: &filters, flowspec: demand.flowspec };
                    if let Some(answered) = self.wish_confirm(&wish).answered {
                        self.send_resv_conf(&Wish { filters: &answered, ..wish }, host);
                    }
                }
            }
        }
        self.intend_resv_for(asker.session, |_| true);
        match (any, limited) {
            (true, _) => Ok(()),
            (false, true) => Err(Discard::LimitReached),
            (false, false) => Err(Discard::Rejected),
        }
    }

    /// Reads the flow descriptor list by the rules of its style (RFC 2205 section 3.1.4). An FF descriptor with a bad
    /// flowspec is answered and left out, and the second value is false; SE and WF are refused with theirs.
    fn read_demands<'a>(
        &mut self,
        arrived: &Arrived<'a>,
        from: From,
        style: Style,
    ) -> Result<(SmallVec<[Demand<'a>; 2]>, bool), Discard> {
        let mut all_readable = true;
        let mut demands: SmallVec<[Demand<'a>; 2]> = SmallVec::new();
        let limit = self.config.limits.filters_per_request as usize;
        let mut count = 0;
        for FlowDescriptor { flowspec, filter } in flow_descriptors(&arrived.message) {
            let object = flowspec.ok_or(Discard::BadGrammar)?;
            let filter =
                filter.map(|f| f.read::<FilterSpec>().map(normal)).transpose().map_err(Discard::Malformed)?;
            if filter.is_none() != (style == wf(style)) {
                return Err(Discard::BadGrammar);
            }
            count += 1;
            if count > limit {
                return Err(self.reject_beyond(&arrived.rx, &arrived.message, Limit::FiltersPerRequest));
            }
            if let Some(demand) = demands.last_mut().filter(|_| style.options == Style::SE.options) {
                if demand.object.at() != object.at() {
                    return Err(Discard::BadGrammar);
                }
                demand.filters.extend(filter);
                continue;
            }
            let legal = |f: Flowspec| {
                let illegal = ParseError { at: object.at(), why: ParseWhy::BodyValue };
                let takes = self.takes_traffic(arrived, f.is_legal(), f.is_legal_but_for_m());
                takes.then_some(f).ok_or(illegal)
            };
            let flowspec = match object.read::<Flowspec>().and_then(legal) {
                Ok(flowspec) => flowspec,
                Err(error) => {
                    if error.why != ParseWhy::BodyValue {
                        return Err(Discard::Malformed(error));
                    }
                    self.refuse_unreadable(arrived, from, style, &object, filter);
                    if style.sharing() == Sharing::Shared {
                        return Err(Discard::Rejected);
                    }
                    all_readable = false;
                    continue;
                }
            };
            demands.push(Demand { object, flowspec, filters: filter.into_iter().collect() });
        }
        if demands.is_empty() && !all_readable {
            return Err(Discard::Rejected);
        }
        if demands.is_empty() || (style == wf(style) && demands.len() > 1) {
            return Err(Discard::BadGrammar);
        }
        Ok((demands, all_readable))
    }

    /// Answers a bad flowspec: an FF descriptor with its own filter, anything else with all that it would be for.
    fn refuse_unreadable(
        &mut self,
        arrived: &Arrived<'_>,
        from: From,
        style: Style,
        object: &ObjectRef<'_>,
        filter: Option<FilterSpec>,
    ) {
        let filters: FilterList = if style.sharing() == Sharing::Distinct {
            filter.into_iter().collect()
        } else {
            let all = arrived.message.objects().filter(|o| o.class == Class::FILTER_SPEC);
            all.filter_map(|o| o.read().ok()).map(normal).collect()
        };
        let flow = ErrorFlow {
            style,
            flowspec: Some(object.octets()),
            filters: &filters,
            scope: &scope_of(&arrived.message),
            because_of: Some(arrived.message),
        };
        // The service number stands after the message header (RFC 2210 section 3.2).
        let value = match object.body().get(4) {
            Some(2 | 5 | 6) | None => error_value::BAD_FLOWSPEC,
            Some(_) => error_value::SERVICE_UNSUPPORTED,
        };
        self.report_resv_error(from, &arrived.session, ErrorCode::TRAFFIC_CONTROL, value, 0, &flow);
    }

    fn take_demand(&mut self, arrived: &Arrived<'_>, asker: Asker, demand: &Demand<'_>) -> Taken {
        let Asker { session, from, interface, style, .. } = asker;
        let mut filters = demand.filters.clone();
        let wildcard = filters.is_empty();
        filters
            .retain(|f| self.state.paths_of(session).any(|(_, p)| p.sender == *f && p.routes_to(interface)));
        let somebody = self.state.paths_of(session).any(|(_, p)| p.routes_to(interface));
        if !somebody || (!wildcard && filters.is_empty()) {
            self.refuse(arrived, from, style, demand, (ErrorCode::NO_SENDER, 0), false);
            return Taken::Refused;
        }
        let own = self.find_request(session, from);
        if self.service_conflicts(session, own, &filters, &demand.flowspec) {
            let why = (ErrorCode::TRAFFIC_CONTROL, error_value::SERVICE_CONFLICT);
            self.refuse(arrived, from, style, demand, why, false);
            return Taken::Refused;
        }
        let ix = match own {
            Some(ix) => ix,
            None if self.state.sessions[session].request_count >= self.config.limits.requests_per_session => {
                return self.exceeds(arrived, asker, demand, Limit::RequestsPerSession);
            }
            None => self.state.add_request(Request {
                session,
                next: None,
                from,
                style,
                items: SmallVec::new(),
                octets: Box::default(),
                refreshable: false,
                timer: None,
            }),
        };
        let before = self.state.requests[ix].items.clone();
        let new = filters.iter().filter(|f| !before.iter().any(|item| item.filter == Some(**f))).count();
        if new > 0 && before.len() + new > self.config.limits.filters_per_request as usize {
            return self.exceeds(arrived, asker, demand, Limit::FiltersPerRequest);
        }
        self.merge_items(ix, asker, demand.flowspec, &filters);
        let sender = (style.sharing() == Sharing::Distinct).then(|| filters.first().copied()).flatten();
        let judged = match self.too_large_packets(session, interface, &filters, &demand.flowspec) {
            Some(refused) => Err(refused),
            None => self.update_for_request(ix, interface, sender),
        };
        if let Err(refused) = judged {
            let in_place = self.find_reserved(session, interface, sender.as_ref()).is_some();
            self.restore_items(ix, before, demand, &filters, asker.expires);
            self.refuse(arrived, from, style, demand, refused, in_place);
            return Taken::Refused;
        }
        if filters.len() == demand.filters.len() { Taken::InFull } else { Taken::InPart }
    }

    /// A demand for which there is no room: answered as often as such things are.
    fn exceeds(&mut self, arrived: &Arrived<'_>, asker: Asker, demand: &Demand<'_>, limit: Limit) -> Taken {
        if self.may_answer_limit(arrived.rx.interface) {
            let why = (ErrorCode::RSVP_SYSTEM, limit.error_value());
            self.refuse(arrived, asker.from, asker.style, demand, why, false);
        }
        Taken::Limited
    }

    /// Puts back what a refused demand would have replaced. It has been asked for again, so it lives on (RFC 2209
    /// restarts the cleanup timer before it calls traffic control); unless it was for another service, for which nobody
    /// asks any more, and which would keep every request for the new one out (RFC 2210 section 2.2).
    fn restore_items(
        &mut self,
        ix: Ix<Request>,
        before: SmallVec<[Item; 1]>,
        demand: &Demand<'_>,
        filters: &[FilterSpec],
        expires: Instant,
    ) {
        if before.is_empty() {
            self.state.remove_request(ix);
            return;
        }
        let request = &mut self.state.requests[ix];
        request.items = before;
        for item in &mut request.items {
            let named = item.filter.is_none_or(|f| filters.contains(&f));
            if named && item.flowspec.service() == demand.flowspec.service() {
                item.expires = expires;
            }
        }
    }

    /// Puts a demand into the request: flowspec and expiry of the items it names.
    fn merge_items(&mut self, ix: Ix<Request>, asker: Asker, flowspec: Flowspec, filters: &[FilterSpec]) {
        let shared = asker.style.sharing() == Sharing::Shared;
        let items = &mut self.state.requests[ix].items;
        if shared {
            items.iter_mut().for_each(|item| item.flowspec = flowspec);
        }
        let wildcard = filters.is_empty().then_some(None);
        for filter in filters.iter().copied().map(Some).chain(wildcard) {
            match items.iter_mut().find(|item| item.filter == filter) {
                Some(item) => (item.flowspec, item.expires) = (flowspec, asker.expires),
                None => items.push(Item { filter, flowspec, expires: asker.expires }),
            }
        }
    }

    fn refuse(
        &mut self,
        arrived: &Arrived<'_>,
        from: From,
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
            because_of: Some(arrived.message),
        };
        self.report_resv_error(from, &arrived.session, code, value, flags, &flow);
    }
}

/// How a demand fared.
enum Taken {
    InFull,
    /// Filters of senders that are not known here were left out.
    InPart,
    Refused,
    Limited,
}

/// Whether a style is one of WF, FF and SE.
pub(crate) fn is_style(style: Style) -> bool {
    [Style::WF, Style::FF, Style::SE].iter().any(|known| known.options == style.options)
}

fn wf(style: Style) -> Style {
    Style { flags: style.flags, ..Style::WF }
}
