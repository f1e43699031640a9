//! RESV MESSAGE ARRIVES (RFC 2209), RFC 2205 sections 3.1.4, 3.1.8 and 3.5.
//!
//! The outgoing interface is the one whose handle the message carries (section 3.3). Each FF flow descriptor stands or
//! falls alone, with a ResvErr of its own; SE and WF stand or fall as a whole. What a refused change would have
//! replaced is left in place.

use super::confirm::Wish;
use super::errors::ErrorFlow;
use super::{Arrived, normal, read, same_content};
use crate::door::Discard;
use crate::interface::InterfaceId;
use crate::node::Node;
use crate::process::path::store;
use crate::state::arena::Ix;
use crate::state::resv::{From, Item, Request};
use crate::state::session::SessionState;
use crate::time::Instant;
use rsvp_wire::{
    ErrorCode, ErrorSpec, FilterSpec, FlowDescriptor, Flowspec, ObjectRef, ResvConfirm, RsvpHop, Sharing,
    Style, Why as ParseWhy, error_value, flow_descriptors,
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
    pub(crate) fn resv_arrives(&mut self, arrived: &Arrived<'_>) -> Result<(), Discard> {
        let hop = read::<RsvpHop>(&arrived.message)?;
        let interface = self.interfaces.by_lih(hop.lih).map(|i| i.config.id).ok_or(Discard::BadLih)?;
        let expires = self.expiry_of(arrived)?;
        let from = From::Hop { interface, address: hop.address };
        let session = self.find_session(&arrived.session);
        let known = session.and_then(|session| self.find_request(session, from));
        if let Some(ix) = known
            && self.state.requests[ix].in_full
            && same_content(&self.state.requests[ix].octets, arrived.rx.octets)
        {
            self.state.requests[ix].items.iter_mut().for_each(|item| item.expires = expires);
            return Ok(());
        }
        let style = read::<Style>(&arrived.message)?;
        if !is_style(style) {
            self.answer_resv_err(arrived, &hop, ErrorCode::UNKNOWN_STYLE, 0);
            return Err(Discard::Rejected);
        }
        let (demands, all_readable) = self.read_demands(arrived, from, style)?;
        let session = match session {
            Some(session) if self.state.sessions[session].paths.is_some() => session,
            _ => {
                for demand in &demands {
                    self.refuse(arrived, from, style, demand, (ErrorCode::NO_PATH, 0), false);
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
        self.replace_style(known, style);
        let asker = Asker { session, from, interface, style, expires };
        self.take_demands(arrived, asker, &demands, all_readable)
    }

    /// Processes every demand of a message whose session and style are in order.
    fn take_demands(
        &mut self,
        arrived: &Arrived<'_>,
        asker: Asker,
        demands: &[Demand<'_>],
        all_readable: bool,
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
                store(&mut self.state.requests[ix].octets, arrived.rx.octets);
                // A repetition of this message must not keep alive what it does not name.
                let named = |item: &Item| {
                    let by =
                        |d: &Demand<'_>| item.filter.map_or(d.filters.is_empty(), |f| d.filters.contains(&f));
                    demands.iter().any(by)
                };
                let all_named = self.state.requests[ix].items.iter().all(named);
                self.state.requests[ix].in_full = in_full && all_named;
                self.handled(arrived.rx.octets.len());
            }
            self.state.arm_request(ix);
        }
        if let (Some(address), Some(ix)) = (confirm, request) {
            for demand in demands {
                let wish = Wish { address, request: ix, filters: &demand.filters, flowspec: demand.flowspec };
                self.wish_confirm(&wish);
            }
        }
        self.intend_resv_for(asker.session, |_| true);
        match (any, limited) {
            (true, _) => Ok(()),
            (false, true) => Err(Discard::LimitReached),
            (false, false) => Err(Discard::Rejected),
        }
    }

    pub(crate) fn find_request(&self, session: Ix<SessionState>, from: From) -> Option<Ix<Request>> {
        let same = |r: &Request| match (r.from, from) {
            (From::App { app: a, .. }, From::App { app: b, .. }) => a == b,
            (a, b) => a == b,
        };
        self.state.requests_of(session).find(|(_, r)| same(r)).map(|(ix, _)| ix)
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

    /// A request that comes back in another style is a new one: the old is taken out first.
    fn replace_style(&mut self, known: Option<Ix<Request>>, style: Style) {
        let Some(ix) = known.filter(|ix| self.state.requests[*ix].style.options != style.options) else {
            return;
        };
        self.drop_request(ix);
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
                return Err(Discard::LimitReached);
            }
            if let Some(demand) = demands.last_mut().filter(|_| style.options == Style::SE.options) {
                if demand.object.at() != object.at() {
                    return Err(Discard::BadGrammar);
                }
                demand.filters.extend(filter);
                continue;
            }
            let flowspec = match object.read::<Flowspec>() {
                Ok(flowspec) if flowspec.tspec().is_legal() => flowspec,
                Ok(_) => {
                    self.refuse_unreadable(arrived, from, style, &object, filter, ParseWhy::BodyValue);
                    return Err(Discard::Rejected);
                }
                Err(error) => {
                    if !matches!(error.why, ParseWhy::BodyValue | ParseWhy::UnknownCType) {
                        return Err(Discard::Malformed(error));
                    }
                    self.refuse_unreadable(arrived, from, style, &object, filter, error.why);
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

    fn refuse_unreadable(
        &mut self,
        arrived: &Arrived<'_>,
        from: From,
        style: Style,
        object: &ObjectRef<'_>,
        filter: Option<FilterSpec>,
        why: ParseWhy,
    ) {
        let (code, value) = match why {
            ParseWhy::BodyValue => (ErrorCode::TRAFFIC_CONTROL, error_value::BAD_FLOWSPEC),
            ParseWhy::UnknownCType => {
                (ErrorCode::UNKNOWN_CTYPE, super::grammar::unknown_value(object.class, object.ctype))
            }
            _ => return,
        };
        let filters: FilterList = filter.into_iter().collect();
        let flow = ErrorFlow {
            style,
            flowspec: Some(object.octets()),
            filters: &filters,
            because_of: Some(arrived.message),
        };
        self.report_resv_error(from, &arrived.session, code, value, 0, &flow);
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
        if self.service_conflicts(session, own, &demand.flowspec) {
            let why = (ErrorCode::TRAFFIC_CONTROL, error_value::SERVICE_CONFLICT);
            self.refuse(arrived, from, style, demand, why, false);
            return Taken::Refused;
        }
        let ix = match own {
            Some(ix) => ix,
            None if self.state.sessions[session].request_count >= self.config.limits.requests_per_session => {
                return Taken::Limited;
            }
            None => self.state.add_request(Request {
                session,
                next: None,
                from,
                style,
                items: SmallVec::new(),
                octets: Box::default(),
                in_full: false,
                timer: None,
            }),
        };
        let before = self.state.requests[ix].items.clone();
        let new = filters.iter().filter(|f| !before.iter().any(|item| item.filter == Some(**f))).count();
        if new > 0 && before.len() + new > self.config.limits.filters_per_request as usize {
            return Taken::Limited;
        }
        self.merge_items(ix, asker, demand.flowspec, &filters);
        let sender = (style.sharing() == Sharing::Distinct).then(|| filters.first().copied()).flatten();
        if let Err(refused) = self.update_traffic_control(session, interface, sender) {
            let in_place = self.find_reserved(session, interface, sender.as_ref()).is_some();
            self.state.requests[ix].items = before;
            // What is in place stays, also while more is asked for again and again (RFC 2205 section 2.5, KR-I).
            let named = |item: &&mut Item| item.filter.map_or(wildcard, |f| filters.contains(&f));
            self.state.requests[ix]
                .items
                .iter_mut()
                .filter(named)
                .for_each(|item| item.expires = asker.expires);
            if self.state.requests[ix].items.is_empty() {
                self.state.remove_request(ix);
            }
            self.refuse(arrived, from, style, demand, refused, in_place);
            return Taken::Refused;
        }
        if filters.len() == demand.filters.len() { Taken::InFull } else { Taken::InPart }
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

    /// All receivers of a session must choose the same service (RFC 2210 section 2.2).
    pub(crate) fn service_conflicts(
        &self,
        session: Ix<SessionState>,
        own: Option<Ix<Request>>,
        flowspec: &Flowspec,
    ) -> bool {
        self.state
            .requests_of(session)
            .filter(|(ix, _)| Some(*ix) != own)
            .flat_map(|(_, r)| &r.items)
            .any(|item| item.flowspec.service() != flowspec.service())
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
            because_of: Some(arrived.message),
        };
        self.report_resv_error(from, &arrived.session, code, value, flags, &flow);
    }

    /// Takes a whole request out, and adjusts what is installed for it.
    pub(crate) fn drop_request(&mut self, ix: Ix<Request>) {
        let request = self.state.remove_request(ix);
        self.items_gone(request.session, request.interface(), request.style, &request.items);
    }

    /// Adjusts what is installed after items are gone from a request.
    pub(crate) fn items_gone(
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
            if let Err((code, value)) = self.update_traffic_control(session, interface, sender) {
                // Less is wanted than before, so only contradictory requests can end here.
                tracing::warn!(?code, value, "traffic control refused to shrink a reservation");
            }
        }
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
