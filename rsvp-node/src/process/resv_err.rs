//! RERR MESSAGE ARRIVES (RFC 2209), RFC 2205 sections 3.1.8 and 3.5: blockade state for an Admission Control failure,
//! and the error on to those who may have caused it.

use super::errors::ErrorFlow;
use super::{Arrived, normal, read};
use crate::door::Discard;
use crate::merge::flowspec;
use crate::node::Node;
use crate::state::TimerOwner;
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::resv::{From, Item};
use crate::state::upstream::Upstream;
use core::time::Duration;
use rsvp_wire::{
    ErrorCode, ErrorSpec, FilterSpec, Flowspec, RsvpHop, SenderSelection, Style, flow_descriptors,
};
use smallvec::SmallVec;

/// Whom to tell, with which flags, about which senders.
type Addressed = (From, ErrorSpec, SmallVec<[FilterSpec; 4]>);

/// A ResvErr as it concerns this node.
struct Failure<'a> {
    upstream: Ix<Upstream>,
    error: ErrorSpec,
    style: Style,
    /// Qe, and the object it came in.
    flowspec: Option<Flowspec>,
    object: Option<&'a [u8]>,
    /// Empty for WF, or where the message names none.
    filters: SmallVec<[FilterSpec; 4]>,
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

    /// Whether an item is for a sender for which it failed.
    fn names(&self, item: &Item) -> bool {
        self.filters.is_empty() || item.filter.is_none_or(|f| self.filters.contains(&f))
    }

    /// Whether an item failed, or made it fail: an SE message has one flowspec for all its senders, so that what is asked
    /// for one can be too much for another.
    fn concerns(&self, item: &Item) -> bool {
        let shared = self.is_admission() && self.style.options == Style::SE.options;
        let too_much = || self.flowspec.is_some_and(|qe| flowspec::blockades(&qe, &item.flowspec));
        self.names(item) || (shared && too_much())
    }
}

impl Node {
    pub(crate) fn resv_err_arrives(&mut self, arrived: &Arrived<'_>) -> Result<(), Discard> {
        let hop = read::<RsvpHop>(&arrived.message)?;
        let session = self.find_session(&arrived.session).ok_or(Discard::NoState)?;
        let from_there = |u: &Upstream| u.address == hop.address && u.interface == arrived.rx.interface;
        let mut upstreams = self.state.upstreams_of(session).filter(|(_, u)| from_there(u));
        // The handle tells two of one address apart; RFC 2205 does not say that it must be in a ResvErr.
        let first = upstreams.next().ok_or(Discard::NoState)?;
        let upstream =
            core::iter::once(first).chain(upstreams).find(|(_, u)| u.lih == hop.lih).unwrap_or(first).0;
        let mut failure = Failure {
            upstream,
            error: received_error(arrived)?,
            style: read(&arrived.message)?,
            flowspec: None,
            object: None,
            filters: SmallVec::new(),
        };
        for descriptor in flow_descriptors(&arrived.message) {
            if let Some(object) = descriptor.flowspec {
                failure.flowspec = object.read().ok();
                failure.object = Some(object.octets());
            }
            if let Some(filter) = descriptor.filter {
                failure.filters.push(normal(filter.read().map_err(Discard::Malformed)?));
            }
        }
        if failure.is_admission()
            && let Some(qe) = failure.flowspec
        {
            self.blockade(&failure, qe);
        }
        self.forward_failure(arrived, &failure);
        Ok(())
    }

    /// Creates or refreshes blockade state, and asks for what is not blockaded at once (section 3.5, rules 1 to 4).
    fn blockade(&mut self, failure: &Failure<'_>, qe: Flowspec) {
        let upstream = &self.state.upstreams[failure.upstream];
        let (session, interface) = (upstream.session, upstream.interface);
        let refresh = self.interfaces.find(interface).map(|i| i.refresh).unwrap_or_default();
        let until = self.now + refresh.checked_mul(self.config.blockade_multiplier).unwrap_or(Duration::MAX);
        let wildcard = failure.style.sender_selection() == SenderSelection::Wildcard;
        let senders: SmallVec<[Option<FilterSpec>; 4]> = if wildcard {
            [None].into_iter().collect()
        } else {
            failure.filters.iter().copied().map(Some).collect()
        };
        for sender in senders {
            let behind = |p: &FilterSpec| {
                self.state
                    .paths_of(session)
                    .any(|(_, q)| q.sender == *p && q.upstream() == Some(failure.upstream))
            };
            if sender.is_some_and(|s| !behind(&s)) {
                continue;
            }
            let known = self
                .state
                .blockades_of(session)
                .find(|(_, b)| b.sender == sender && b.upstream == failure.upstream)
                .map(|(ix, _)| ix);
            if let Some(ix) = known {
                // What is held back stays so: two requests that fail in turn would else let each other through, without
                // end. As long as the new failure is none of less, the time of the old one counts.
                let old = self.state.blockades[ix].flowspec;
                if let Some(joint) = flowspec::joint_blockade(&old, &qe).filter(|joint| *joint != qe) {
                    self.state.blockades[ix].flowspec = joint;
                    continue;
                }
                self.state.remove_blockade(ix);
            }
            let ix = self.state.add_blockade(Blockade {
                session,
                next: None,
                upstream: failure.upstream,
                sender,
                flowspec: qe,
                timer: None,
            });
            self.state.blockades[ix].timer = self.state.wheel.arm(until, TimerOwner::Blockade(ix));
        }
        if self.has_unblockaded(failure, wildcard) {
            self.intend_resv(failure.upstream);
        }
    }

    /// Whether some request for the failed flows is not blockaded; if all are, the next refresh is early enough.
    fn has_unblockaded(&self, failure: &Failure<'_>, wildcard: bool) -> bool {
        let session = self.state.upstreams[failure.upstream].session;
        self.state
            .paths_of(session)
            .filter(|(_, p)| p.upstream() == Some(failure.upstream))
            .filter(|(_, p)| wildcard || failure.filters.contains(&p.sender))
            .any(|(_, p)| {
                self.items_for(p).any(|(_, request, item)| !self.is_left_out(p, wildcard, request, item))
            })
    }

    /// Tells next hops and local applications (section 3.5, rule 5, and section 3.1.8).
    fn forward_failure(&mut self, arrived: &Arrived<'_>, failure: &Failure<'_>) {
        let upstream = &self.state.upstreams[failure.upstream];
        let (session, incoming) = (upstream.session, upstream.interface);
        let key = self.key_of(session);
        let in_place = failure.error.flags & ErrorSpec::IN_PLACE != 0;
        // Whose request is in place asks for less than what failed and need not know (RFC 2209 step 1); unless nobody who
        // asks for the same sender could have caused it: then it was a merge, and stands in the way of what it merged.
        let (mut letters, mut spared) =
            (SmallVec::<[Addressed; 4]>::new(), SmallVec::<[Addressed; 4]>::new());
        let mut alone = false;
        for (_, request) in self.state.requests_of(session) {
            if request.interface() == Some(incoming) || request.style.options != failure.style.options {
                continue;
            }
            let mut behind =
                self.state.paths_of(session).filter(|(_, p)| p.upstream() == Some(failure.upstream));
            let selected = |item: &Item| failure.concerns(item);
            let applies = behind
                .any(|(_, p)| self.applies(request, p) && request.item_for(&p.sender).is_some_and(selected));
            if !applies {
                continue;
            }
            let mut concerned = request.items.iter().filter(|i| failure.concerns(i)).peekable();
            let Some(qi) = concerned.peek().map(|i| i.flowspec) else { continue };
            let greater = failure.flowspec.is_some_and(|qe| !flowspec::blockades(&qe, &qi));
            let mut error = failure.error;
            if failure.is_admission() && greater && request.app().is_some() {
                error.flags |= ErrorSpec::NOT_GUILTY;
            }
            let spare = failure.is_admission() && in_place && greater;
            // What a merge with it would change has not gone into what failed; blockade state had left it out.
            let had_part = failure.flowspec.is_none_or(|qe| flowspec::merge(&qe, &qi) == Some(qe));
            alone |= !spare && had_part && request.items.iter().any(|i| failure.names(i));
            let list = if spare { &mut spared } else { &mut letters };
            let named = concerned.filter_map(|i| i.filter).filter(|f| failure.filters.contains(f));
            let mut named: SmallVec<[FilterSpec; 4]> = named.collect();
            if named.is_empty() {
                named.clone_from(&failure.filters);
            }
            list.push((request.from, error, named));
        }
        if !alone {
            letters.extend(spared);
        }
        for (from, error, filters) in letters {
            let scope = match from {
                From::Hop { interface, .. } => self.resv_err_scope(session, &arrived.message, interface),
                From::App { .. } => None,
            };
            if scope.as_ref().is_some_and(|s| s.is_empty()) {
                continue;
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
