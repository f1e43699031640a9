//! What the data plane answers (RFC 2205 section 3.11.2): a reservation that was admitted and could not be installed, that
//! something more important has taken the place of, or that has to do with less (RFC 4495).
//!
//! Why something is more important is not decided here: there is no policy in this engine.

use super::demands::sender_of;
use super::errors::{ErrorFlow, scope_of};
use super::scope::Addresses;
use crate::api::{Discard, ReservationId, TcAnswer, TcVerdict};
use crate::composer::object_of;
use crate::key::{Flow, SenderKey, StyleKind};
use crate::merge::flowspec;
use crate::node::Node;
use crate::state::arena::{Id, Ix};
use crate::state::resv::{Item, Request, RequestOrigin};
use crate::state::traffic::Branch;
use rsvp_wire::{ErrorCode, ErrorSpec, FlowDescriptor, Flowspec, Sharing, error_value, flow_descriptors};

/// Who is to be told of a refusal, and of what.
type Concerned = (RequestOrigin, StyleKind, Item, Vec<SenderKey>, Addresses);

/// An error about an installed reservation.
pub(crate) struct Report {
    pub(crate) code: ErrorCode,
    pub(crate) value: u16,
    pub(crate) flags: u8,
    /// What the error message says failed or can be had; else what each requester asked for.
    pub(crate) flowspec: Option<Flowspec>,
}

impl Node {
    /// An answer about a reservation that is gone, or has changed hands since, is ignored.
    pub(crate) fn traffic_control_answers(&mut self, answer: TcAnswer) -> Result<(), Discard> {
        let ReservationId { index, generation } = answer.reservation;
        let id = Ix::from_place(index).map(|ix| Id { ix, generation });
        let ix = id.and_then(|id| self.state.reserved.find(id)).ok_or(Discard::NoState)?;
        let reserved = &self.state.reserved[ix];
        let (branch, standing) = (reserved.branch(), reserved.flowspec);
        let distinct = reserved.style.sharing() == Sharing::Distinct;
        let sender = distinct.then(|| reserved.filters.as_slice().first().copied()).flatten();
        self.session_changes(branch.session);
        let (code, value) = match answer.verdict {
            TcVerdict::Failed => (ErrorCode::TRAFFIC_CONTROL_SYSTEM, 0),
            TcVerdict::Unfit { value } => (ErrorCode::TRAFFIC_CONTROL, value),
            TcVerdict::Preempted => (ErrorCode::SERVICE_PREEMPTED, 0),
            TcVerdict::Reduced { rate } => {
                self.reduce(branch, sender, flowspec::at_rate(&standing, rate));
                return Ok(());
            }
        };
        let report = Report { code, value, flags: 0, flowspec: None };
        self.tell_requesters(branch, sender, &report, |_, _| true);
        for ix in self.state.requests_on(branch) {
            self.remove_items(ix, |item| sender.is_none() || item.filter == sender);
        }
        Ok(())
    }

    /// Partial preemption (RFC 4495 section 5): what is installed shrinks, those who asked are told what is left, and
    /// nothing is torn down. It stays so while they ask for the same; what the data plane cannot give now it cannot give
    /// with the next refresh, whatever this engine's own budget says.
    fn reduce(&mut self, branch: Branch, sender: Flow, left: Flowspec) {
        let report = Report {
            code: ErrorCode::POLICY_CONTROL,
            value: error_value::PARTIALLY_PREEMPTED,
            flags: ErrorSpec::IN_PLACE,
            flowspec: Some(left),
        };
        self.tell_requesters(branch, sender, &report, |_, item| {
            flowspec::charge_bps(&item.flowspec) > flowspec::charge_bps(&left)
        });
        for ix in self.state.requests_on(branch) {
            self.spell_out(ix);
            let no_more = |asked: &Flowspec| flowspec::lower_bound(asked, &left).unwrap_or(*asked);
            self.state.change_flowspecs(ix, &sender, no_more);
        }
        self.update_for_less(branch, sender);
        if let Some(ix) = self.state.find_reserved(branch, sender) {
            self.state.reserved[ix].flags.set_reduced(true);
        }
        self.intend_resvs(branch.session);
    }

    /// What is left of a request that the data plane has reduced, if `flowspec` is what it has asked for all along.
    pub(crate) fn still_reduced(
        &self,
        request: &Request,
        branch: Branch,
        filters: &[SenderKey],
        flowspec: &Flowspec,
    ) -> Option<Flowspec> {
        let reserved = self.state.find_reserved(branch, sender_of(request.style, filters))?;
        if !self.state.reserved[reserved].flags.reduced() {
            return None;
        }
        let named = |filter: Option<SenderKey>| filter.is_none_or(|f| filters.contains(&f));
        let item = request.items.iter().find(|i| named(i.filter))?;
        let same = |FlowDescriptor { flowspec: asked, filter }: FlowDescriptor<'_>| {
            let filter = filter.and_then(|f| f.read().ok()).map(SenderKey::of);
            filter == item.filter && asked.is_some_and(|f| f.read::<Flowspec>().as_ref() == Ok(flowspec))
        };
        let same = request.messages().any(|asked| flow_descriptors(&asked).any(same));
        same.then_some(item.flowspec)
    }

    /// Sends an error to those whose requests an installed reservation is made of, where their items are meant.
    pub(crate) fn tell_requesters(
        &mut self,
        branch: Branch,
        sender: Flow,
        report: &Report,
        meant: impl Fn(Ix<Request>, &Item) -> bool,
    ) {
        let key = self.state.key_of(branch.session);
        let concerned: Vec<Concerned> = self
            .state
            .requests_of(branch.session)
            .filter(|(_, r)| r.interface() == Some(branch.interface))
            .filter_map(|(ix, r)| {
                let item = r.items.iter().find(|i| sender.is_none() || i.filter == sender)?;
                if !meant(ix, item) {
                    return None;
                }
                let filters = r.items.iter().filter(|i| sender.is_none() || i.filter == sender);
                let scope = r.messages().next().map(|m| scope_of(&m)).unwrap_or_default();
                Some((r.from, r.style, *item, filters.filter_map(|i| i.filter).collect(), scope))
            })
            .collect();
        for (from, style, item, filters, scope) in concerned {
            let object = object_of(&report.flowspec.unwrap_or(item.flowspec));
            let flow = ErrorFlow {
                style: style.object(),
                flowspec: Some(&object),
                filters: &filters,
                scope: &scope,
                because_of: None,
            };
            self.report_resv_error(from, &key, report.code, report.value, report.flags, &flow);
        }
    }
}
