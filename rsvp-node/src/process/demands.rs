//! What a Resv asks for: its flow descriptor list, read by the rules of its style (RFC 2205 section 3.1.4).
//!
//! Values that cannot be read are answered here (section 3.1.8); whether what is asked for can be had is judged in `resv`.

use super::Arrived;
use super::errors::{ErrorFlow, scope_of};
use super::kept::filters;
use crate::api::Discard;
use crate::config::Limit;
use crate::key::{Flow, SenderKey, StyleKind};
use crate::neighbour::accounts::Cause;
use crate::node::Node;
use crate::state::resv::{Asked, RequestOrigin};
use rsvp_wire::{
    ErrorCode, FlowDescriptor, Flowspec, ObjectRef, ParseError, Sharing, Style, Why as ParseWhy, error_value,
    flow_descriptors,
};
use smallvec::SmallVec;
use std::collections::BTreeMap;

pub(crate) type FilterList = SmallVec<[SenderKey; 4]>;

/// One thing that is admitted or refused as a whole: an FF descriptor, or all that an SE or WF message asks for.
pub(crate) struct Demand<'a> {
    pub(crate) object: ObjectRef<'a>,
    pub(crate) flowspec: Flowspec,
    pub(crate) filters: FilterList,
}

impl Node {
    /// Reads the flow descriptor list by the rules of its style (RFC 2205 section 3.1.4). An FF descriptor with a bad
    /// flowspec is answered and left out, and the second value is false; SE and WF are refused with theirs.
    pub(crate) fn read_demands<'a>(
        &mut self,
        arrived: &Arrived<'a>,
        from: RequestOrigin,
        style: Style,
    ) -> Result<(SmallVec<[Demand<'a>; 2]>, bool), Discard> {
        let mut all_readable = true;
        let mut demands: SmallVec<[Demand<'a>; 2]> = SmallVec::new();
        let limit = self.config.limits.filters_per_request as usize;
        let mut count = 0;
        let kind = StyleKind::of(style);
        let wildcard = kind.is_some_and(StyleKind::is_wildcard);
        for FlowDescriptor { flowspec, filter } in flow_descriptors(&arrived.message) {
            let object = flowspec.ok_or(Discard::BadGrammar)?;
            let filter =
                filter.map(|f| f.read().map(SenderKey::of)).transpose().map_err(Discard::Malformed)?;
            if filter.is_none() != wildcard {
                return Err(Discard::BadGrammar);
            }
            count += 1;
            if count > limit {
                return Err(self.reject_beyond(&arrived.rx, &arrived.message, Limit::FiltersPerRequest));
            }
            if let Some(demand) = demands.last_mut().filter(|_| kind == Some(StyleKind::SharedExplicit)) {
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
            let filters: FilterList = filter.into_iter().collect();
            demands.push(Demand { object, flowspec, filters });
        }
        if demands.is_empty() && !all_readable {
            return Err(Discard::Rejected);
        }
        if demands.is_empty() || (wildcard && demands.len() > 1) {
            return Err(Discard::BadGrammar);
        }
        last_of_each(&mut demands);
        Ok((demands, all_readable))
    }

    /// Answers a bad flowspec: an FF descriptor with its own filter, anything else with all that it would be for.
    fn refuse_unreadable(
        &mut self,
        arrived: &Arrived<'_>,
        from: RequestOrigin,
        style: Style,
        object: &ObjectRef<'_>,
        filter: Option<SenderKey>,
    ) {
        self.blame(self.cause, Cause::Unsound);
        let filters: FilterList = if style.sharing() == Sharing::Distinct {
            filter.into_iter().collect()
        } else {
            filters(&arrived.message).collect()
        };
        let flow = ErrorFlow {
            style,
            flowspec: Some(object.octets()),
            filters: &filters,
            scope: &scope_of(&arrived.message),
            because_of: self.goes_on_in_refusal(arrived.message),
        };
        // The service number stands after the message header (RFC 2210 section 3.2).
        let value = match object.body().get(4) {
            Some(2 | 5 | 6) | None => error_value::BAD_FLOWSPEC,
            Some(_) => error_value::SERVICE_UNSUPPORTED,
        };
        self.report_resv_error(from, &arrived.session, ErrorCode::TRAFFIC_CONTROL, value, 0, &flow);
    }
}

/// Of a sender that is named twice the last counts, as if it had come in a message of its own.
fn last_of_each(demands: &mut SmallVec<[Demand<'_>; 2]>) {
    if demands.len() > 1 {
        let named = demands.iter().enumerate().map(|(n, d)| (d.filters.first().copied(), n));
        let last: BTreeMap<Flow, usize> = named.collect();
        let mut places = 0..;
        demands.retain(|d| places.next() == last.get(&d.filters.first().copied()).copied());
    }
}

/// What a message asks for: a service, unless it asks for several.
pub(crate) fn asked_by(demands: &[Demand<'_>]) -> Asked {
    let mut services = demands.iter().map(|d| d.flowspec.service());
    match services.next() {
        Some(first) if services.all(|service| service == first) => Asked::Service(first),
        _ => Asked::Items,
    }
}

/// The sender that a reservation is for: one in FF, all there are in other styles.
pub(crate) fn sender_of(style: StyleKind, filters: &[SenderKey]) -> Flow {
    filters.first().copied().filter(|_| style.sharing() == Sharing::Distinct)
}
