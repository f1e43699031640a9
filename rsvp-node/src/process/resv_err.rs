//! RERR MESSAGE ARRIVES (RFC 2209), RFC 2205 sections 3.1.8 and 3.5: blockade state for an Admission Control failure,
//! and the error on to those who may have caused it.
//!
//! That is who asks for a sender that the error names, and in SE also who is left out because of it, having asked for
//! other senders in the same message.

use super::blockade::Elements;
use super::errors::ErrorFlow;
use super::kept::filters;
use super::left_out::Choice;
use super::{Arrived, read};
use crate::api::Discard;
use crate::key::{Flow, SenderKey, StyleKind};
use crate::merge::flowspec;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::resv::{Request, RequestOrigin};
use crate::state::session::SessionState;
use crate::state::upstream::Upstream;
use rsvp_wire::{Class, ErrorCode, ErrorSpec, Flowspec, RsvpHop, SenderSelection, Style};
use smallvec::SmallVec;

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

    /// Whether the error is about a sender.
    fn names(&self, sender: &SenderKey) -> bool {
        self.filters.is_empty() || self.filters.contains(sender)
    }
}

/// What is left out because of a failure: what goes up with its blockade state, and what would without.
#[derive(Default)]
struct Consequence {
    with: SmallVec<[Choice; 1]>,
    without: SmallVec<[Choice; 1]>,
}

impl Consequence {
    /// The senders for which a request no longer goes up, and would if it were not for the failure.
    fn of(&self, request: Ix<Request>) -> SmallVec<[Flow; 4]> {
        let out = |choices: &[Choice]| -> SmallVec<[Flow; 4]> {
            choices.iter().flat_map(|c| c.left_out(request)).copied().collect()
        };
        let before = out(&self.without);
        out(&self.with).into_iter().filter(|flow| !before.contains(flow)).collect()
    }
}

impl Node {
    pub(crate) fn resv_err_arrives(&mut self, arrived: &Arrived<'_>) -> Result<(), Discard> {
        let session = self.state.find_session(&arrived.session).ok_or(Discard::NoState)?;
        let object = arrived.message.objects().filter(|object| object.class == Class::FLOWSPEC).last();
        let failure = Failure {
            upstream: self.upstream_in_error(session, arrived)?,
            error: received_error(arrived)?,
            style: read(&arrived.message)?,
            flowspec: object.and_then(|object| object.read().ok()),
            object: object.map(|object| object.octets()),
            filters: filters(&arrived.message).collect(),
        };
        let elements = match failure.flowspec.filter(|_| failure.is_admission()) {
            Some(qe) => self.blockade(&failure, qe),
            None => Elements::new(),
        };
        self.forward_failure(arrived, &failure, &elements);
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

    /// What the failure has led to that its blockade state accounts for.
    fn consequence(&self, failure: &Failure<'_>, elements: &Elements) -> Consequence {
        let mut consequence = Consequence::default();
        for &ix in elements {
            let flow = self.state.blockades[ix].sender;
            let choice = |bars: &dyn Fn(Ix<Blockade>) -> bool| {
                self.choice(failure.upstream, failure.style.sharing(), &flow, |_| true, bars)
            };
            consequence.with.extend(choice(&|_| true));
            consequence.without.extend(choice(&|ix| !elements.contains(&ix)));
        }
        consequence
    }

    /// The senders for which a request goes to the previous hop that the error came from.
    fn asked_there(&self, request: &Request, upstream: Ix<Upstream>) -> Filters {
        let behind =
            || self.state.paths_behind(upstream).filter(|p| self.applies(request, p)).map(|p| p.sender);
        if request.style.is_wildcard() {
            return behind().collect();
        }
        request.items.iter().filter_map(|i| i.filter).filter(|f| behind().any(|s| s == *f)).collect()
    }

    /// Tells next hops and local applications (section 3.5, rule 5, and section 3.1.8).
    fn forward_failure(&mut self, arrived: &Arrived<'_>, failure: &Failure<'_>, elements: &Elements) {
        let upstream = &self.state.upstreams[failure.upstream];
        let (session, incoming) = (upstream.session, upstream.interface);
        let style = StyleKind::of(failure.style);
        let consequence = self.consequence(failure, elements);
        let mut letters = SmallVec::<[Addressed; 4]>::new();
        // Whose request is in place asks for less than what failed and need not know; unless nobody else could have
        // caused it: then it was a merge of theirs.
        let mut spared = SmallVec::<[Addressed; 4]>::new();
        let mut merged: Option<Flowspec> = None;
        for (ix, request) in self.state.requests_of(session) {
            if request.interface() == Some(incoming) || Some(request.style) != style {
                continue;
            }
            let asked = self.asked_there(request, failure.upstream);
            let lost = consequence.of(ix);
            let suffers = !lost.is_empty();
            let named: Filters =
                asked.iter().copied().filter(|s| failure.names(s) || lost.contains(&Some(*s))).collect();
            if named.is_empty() && !suffers {
                continue;
            }
            let one = named.first().or_else(|| asked.first());
            let Some(qi) = one.and_then(|s| request.item_for(s)).map(|i| i.flowspec) else { continue };
            let mut error = failure.error;
            let clears = |b: &Ix<Blockade>| self.state.blockades[*b].failed.clears(&qi, error.value);
            let exceeds = elements.is_empty() || !elements.iter().all(clears);
            if failure.is_admission() && !exceeds && request.app().is_some() {
                error.flags |= ErrorSpec::NOT_GUILTY;
            }
            let filters = match (failure.is_wildcard(), named.is_empty()) {
                (true, _) => failure.filters.clone(),
                (false, true) => asked,
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
        self.send_failure(arrived, failure, session, letters);
    }

    fn send_failure(
        &mut self,
        arrived: &Arrived<'_>,
        failure: &Failure<'_>,
        session: Ix<SessionState>,
        letters: SmallVec<[Addressed; 4]>,
    ) {
        let key = self.state.key_of(session);
        for (from, error, filters) in letters {
            let scope = match from {
                RequestOrigin::Hop { interface, .. } => {
                    self.resv_err_scope(session, &arrived.message, interface)
                }
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
