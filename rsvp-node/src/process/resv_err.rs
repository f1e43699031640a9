//! RERR MESSAGE ARRIVES (RFC 2209), RFC 2205 sections 3.1.8 and 3.5: blockade state for an Admission Control failure,
//! and the error on to those who may have caused it.
//!
//! That is who asks for a sender that the error names, and in SE also who is left out because of it, having asked for
//! other senders in the same message.

use super::behind::Behind;
use super::blockade::Elements;
use super::errors::ErrorFlow;
use super::kept::filters;
use super::left_out::{Choice, distinct};
use super::scope::Addresses;
use super::{Arrived, read};
use crate::api::Discard;
use crate::config::Limit;
use crate::interface::InterfaceId;
use crate::key::{Flow, SenderKey, StyleKind};
use crate::merge::flowspec;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::numbers::Numbers;
use crate::state::resv::{Request, RequestOrigin};
use crate::state::session::SessionState;
use crate::state::upstream::Upstream;
use rsvp_wire::{Class, ErrorCode, ErrorSpec, Flowspec, RsvpHop, SenderSelection, Style};
use smallvec::SmallVec;
use std::collections::BTreeMap;

type Filters = SmallVec<[SenderKey; 4]>;

/// Whom to tell, with which flags, about which senders.
type Addressed = (RequestOrigin, ErrorSpec, Filters);

/// A ResvErr as it concerns this node.
pub(crate) struct Failure<'a> {
    pub(crate) upstream: Ix<Upstream>,
    pub(crate) error: ErrorSpec,
    /// As it came: it may be none that is known, and its flags go on.
    pub(crate) style: Style,
    /// Qe, and the object it came in.
    flowspec: Option<Flowspec>,
    object: Option<&'a [u8]>,
    /// Empty for WF, or where the message names none.
    pub(crate) filters: Filters,
}

/// The error as a neighbour can report it: NotGuilty is set towards applications only (RFC 2205 Appendix A.5).
fn received_error(arrived: &Arrived<'_>) -> Result<ErrorSpec, Discard> {
    let error = read::<ErrorSpec>(&arrived.message)?;
    Ok(ErrorSpec { flags: error.flags & ErrorSpec::IN_PLACE, ..error })
}

impl Failure<'_> {
    fn is_admission(&self) -> bool {
        self.error.code == ErrorCode::ADMISSION_CONTROL
    }

    /// Whether a reservation is in place where it failed.
    pub(crate) fn is_in_place(&self) -> bool {
        self.error.flags & ErrorSpec::IN_PLACE != 0
    }

    pub(crate) fn is_wildcard(&self) -> bool {
        self.style.sender_selection() == SenderSelection::Wildcard
    }
}

/// What is left out because of a failure: what goes up with its blockade state, and what would without.
#[derive(Default)]
pub(crate) struct Consequence {
    pub(crate) with: SmallVec<[Choice; 1]>,
    pub(crate) without: SmallVec<[Choice; 1]>,
}

impl Consequence {
    /// The senders for which a request no longer goes up, and would if it were not for the failure.
    fn of(&self, request: Ix<Request>) -> SmallVec<[Flow; 4]> {
        let out = |choices: &[Choice]| -> SmallVec<[Flow; 4]> {
            let mut all: SmallVec<[Flow; 4]> = choices.iter().flat_map(|c| c.left_out(request)).collect();
            all.sort_unstable();
            all
        };
        let before = out(&self.without);
        let mut lost = out(&self.with);
        lost.retain(|flow| before.binary_search(flow).is_err());
        lost
    }
}

fn keys(senders: &[(SenderKey, u32)]) -> Filters {
    senders.iter().map(|(sender, _)| *sender).collect()
}

impl Node {
    pub(crate) fn resv_err_arrives(&mut self, arrived: &Arrived<'_>) -> Result<(), Discard> {
        let session = self.state.find_session(&arrived.session).ok_or(Discard::NoState)?;
        self.session_changes(session);
        let object = arrived.message.objects().filter(|object| object.class == Class::FLOWSPEC).last();
        let upstream = self.upstream_in_error(session, arrived)?;
        let Upstream { address, interface, .. } = self.state.upstreams[upstream];
        if !self.comes_from(&arrived.rx, address, interface) {
            return Err(self.foreign(arrived));
        }
        let failure = Failure {
            upstream,
            error: received_error(arrived)?,
            style: read(&arrived.message)?,
            flowspec: object.and_then(|object| object.read().ok()),
            object: object.map(|object| object.octets()),
            filters: filters(&arrived.message).collect(),
        };
        let more = failure.filters.len().max(1) as u64 * Blockade::CHARGE;
        if failure.is_admission() && !self.state.accounts.has_room(self.cause, more) {
            return Err(self.no_room(Limit::NeighbourState));
        }
        let (elements, consequence) = match failure.flowspec.filter(|_| failure.is_admission()) {
            Some(qe) => self.blockade(&failure, qe),
            None => (Elements::new(), Consequence::default()),
        };
        let letters = self.addressed(&failure, &elements, &consequence);
        self.send_failure(arrived, &failure, session, letters);
        Ok(())
    }

    /// The previous hop that a ResvErr comes from: the one with the address in its HOP. The handle tells two of one
    /// address apart, and then the interface it arrived on; the way back need not be that of the Resv.
    fn upstream_in_error(
        &self,
        session: Ix<SessionState>,
        arrived: &Arrived<'_>,
    ) -> Result<Ix<Upstream>, Discard> {
        let hop = read::<RsvpHop>(&arrived.message)?;
        let of_address = self.state.upstreams_of(session).filter(|(_, u)| u.address == hop.address);
        let best = of_address.max_by_key(|(_, u)| (u.lih == hop.lih, u.interface == arrived.rx.interface));
        best.map(|(ix, _)| ix).ok_or(Discard::NoState)
    }

    /// Which next hops and local applications are told (section 3.5, rule 5, and section 3.1.8).
    fn addressed(
        &self,
        failure: &Failure<'_>,
        elements: &Elements,
        consequence: &Consequence,
    ) -> SmallVec<[Addressed; 4]> {
        let upstream = &self.state.upstreams[failure.upstream];
        let (session, incoming) = (upstream.session, upstream.interface);
        let style = StyleKind::of(failure.style);
        let behind = Behind::new(self, failure.upstream, None);
        let mut failed: Filters = failure.filters.clone();
        failed.sort_unstable();
        let named_by = |s: &SenderKey| failed.is_empty() || failed.binary_search(s).is_ok();
        let failed: Numbers = behind.senders().filter(|(s, _)| named_by(s)).map(|(_, n)| n).collect();
        let failures = distinct(elements.iter().map(|ix| &self.state.blockades[*ix].failed));
        let mut letters = SmallVec::<[Addressed; 4]>::new();
        // Whose request is in place asks for less than what failed and need not know; unless nobody else could have
        // caused it: then it was a merge of theirs.
        let mut spared = SmallVec::<[Addressed; 4]>::new();
        let mut merged: Option<Flowspec> = None;
        for (ix, request) in self.state.requests_of(session) {
            if request.interface() == Some(incoming) || Some(request.style) != style {
                continue;
            }
            let asked = behind.asked_in_order(self, request);
            let lost = consequence.of(ix);
            let suffers = !lost.is_empty();
            let is_named = |(s, number): &&(SenderKey, u32)| {
                failed.has(*number) || (suffers && lost.binary_search(&Some(*s)).is_ok())
            };
            let named: Filters = asked.iter().filter(is_named).map(|(s, _)| *s).collect();
            if named.is_empty() && !suffers {
                continue;
            }
            let one = named.first().or_else(|| asked.first().map(|(s, _)| s));
            let Some(qi) = one.and_then(|s| self.state.item_for(ix, s)).map(|i| i.flowspec) else { continue };
            let mut error = failure.error;
            let exceeds = elements.is_empty() || !failures.iter().all(|f| f.clears(&qi, error.value));
            if failure.is_admission() && !exceeds && request.app().is_some() {
                error.flags |= ErrorSpec::NOT_GUILTY;
            }
            let filters = match (failure.is_wildcard(), named.is_empty()) {
                (true, _) => failure.filters.clone(),
                (false, true) => keys(&asked),
                (false, false) => named,
            };
            if !failure.is_admission() || !failure.is_in_place() || suffers || exceeds {
                letters.push((request.from, error, filters));
            } else {
                merged = merged.map_or(Some(qi), |m| flowspec::merge(&m, &qi));
                spared.push((request.from, error, filters));
            }
        }
        let failed = elements.first().map(|ix| self.state.blockades[*ix].failed);
        if letters.is_empty()
            && failed.zip(merged).is_some_and(|(failed, merged)| failed.is_reached_by(&merged))
        {
            letters = spared;
        }
        letters
    }

    fn send_failure(
        &mut self,
        arrived: &Arrived<'_>,
        failure: &Failure<'_>,
        session: Ix<SessionState>,
        letters: SmallVec<[Addressed; 4]>,
    ) {
        let key = self.state.key_of(session);
        let mut scopes = BTreeMap::<InterfaceId, Option<Addresses>>::new();
        for (from, error, filters) in letters {
            let scope = match from {
                RequestOrigin::Hop { interface, .. } => scopes
                    .entry(interface)
                    .or_insert_with(|| self.resv_err_scope(session, &arrived.message, interface))
                    .clone(),
                RequestOrigin::App { .. } => None,
            };
            if scope.as_ref().is_some_and(|s| s.is_empty()) {
                continue;
            }
            if let RequestOrigin::App { app, .. } = from {
                self.unconfirmed(session, Some(app), None);
            }
            let flow = ErrorFlow {
                style: failure.style,
                flowspec: failure.object,
                filters: &filters,
                scope: &scope.unwrap_or_default(),
                because_of: Some(arrived.message),
            };
            self.pass_resv_error(from, &key, error, &flow);
        }
    }
}
