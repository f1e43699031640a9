//! RERR MESSAGE ARRIVES (RFC 2209), RFC 2205 sections 3.1.8 and 3.5: blockade state for an Admission Control failure,
//! and the error on to those who may have caused it.
//!
//! That is who asks for a sender that the error names, and in SE also who is left out because of it, having asked for
//! other senders in the same message.

use super::behind::Behind;
use super::blockade::{Chosen, Elements};
use super::errors::{ErrorFlow, goes_on};
use super::in_crowd::Out;
use super::kept::filters;
use super::left_out::distinct;
use super::scope::Addresses;
use super::{Arrived, read};
use crate::api::Discard;
use crate::config::Limit;
use crate::copies::{self, ErrorCopy, FilterTable, NamedSenders, Original};
use crate::interface::InterfaceId;
use crate::key::{SenderKey, StyleKind};
use crate::merge::flowspec;
use crate::node::Node;
use crate::queue::{Envelope, Pending};
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::crowd::Crowd;
use crate::state::numbers::Numbers;
use crate::state::resv::{Request, RequestOrigin};
use crate::state::session::SessionState;
use crate::state::upstream::Upstream;
use core::net::IpAddr;
use rsvp_wire::{Class, ErrorCode, ErrorSpec, Flowspec, RsvpHop, SenderSelection, Sharing, Style};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::sync::Arc;

type Filters = SmallVec<[SenderKey; 4]>;

/// Whom to tell, with which flags, about which senders.
type Addressed = (RequestOrigin, ErrorSpec, Senders);

/// The senders that an error names to somebody.
enum Senders {
    Keys(Filters),
    /// By number, where many are told.
    Numbers(NamedSenders),
}

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

    /// The previous hop has no path state for what it was asked for.
    fn is_of_no_sender(&self) -> bool {
        [ErrorCode::NO_PATH, ErrorCode::NO_SENDER].contains(&self.error.code)
    }

    pub(crate) fn is_wildcard(&self) -> bool {
        self.style.sender_selection() == SenderSelection::Wildcard
    }
}

/// Who is left out because of a failure: each request with the senders for which it no longer goes up, and would if it were not for
/// the failure. In FF, where each sender fails by itself, those are among the ones that the error names, and not told apart.
#[derive(Default)]
pub(crate) struct Consequence {
    lost: BTreeMap<u32, Numbers>,
}

impl Consequence {
    /// What goes up with the blockade state of a failure, and what would without; there are as many of both, one for each sender.
    pub(crate) fn new(crowd: Option<&Crowd>, sharing: Sharing, with: &[Chosen], without: &[Chosen]) -> Self {
        let (mut lost, mut sifted) = (BTreeMap::<u32, Numbers>::new(), Out::default());
        for pair in with.iter().zip(without) {
            match pair {
                (Chosen::Sifted(with), Chosen::Sifted(without)) => sifted.add_newly(&with.out, &without.out),
                (Chosen::Looked { choice: with, .. }, Chosen::Looked { choice: without, .. }) => {
                    for (request, senders) in with.newly_left_out(without) {
                        let all = lost.entry(request.place()).or_default();
                        // In FF each has numbers of its own.
                        if sharing == Sharing::Shared {
                            all.add(&senders);
                        }
                    }
                }
                (with, without) => {
                    let before = without.left_out(crowd);
                    let newly = with.left_out(crowd).into_iter().filter(|place| !before.contains(place));
                    lost.extend(newly.map(|place| (place, Numbers::default())));
                }
            }
        }
        let sifted = crowd.into_iter().flat_map(|crowd| sifted.requests(crowd));
        lost.extend(sifted.map(|request| (request.place(), Numbers::default())));
        Self { lost }
    }

    /// The senders for which a request is left out, if it is.
    fn of(&self, request: Ix<Request>) -> Option<&Numbers> {
        self.lost.get(&request.place())
    }
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
        let key = self.state.key_of(session);
        let behind = Behind::new(self, upstream, None);
        // What claims to be this node's own answer about a limit is bounded as those are.
        let is_copied = failure.error.code != ErrorCode::RSVP_SYSTEM || !self.is_own(failure.error.node);
        let filters = (is_copied && behind.is_crowd()).then(|| FilterTable::of(behind.senders())).flatten();
        let original = filters.map(|filters| {
            let descriptor = copies::descriptor(failure.style, failure.object);
            Arc::new(Original { session: key, forwarded: goes_on(&arrived.message), descriptor, filters })
        });
        let letters = self.addressed(&failure, &behind, original.is_some(), &elements, &consequence);
        drop(behind);
        self.send_failure(arrived, &failure, original.as_ref(), letters);
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
        behind: &Behind<'_>,
        is_copied: bool,
        elements: &Elements,
        consequence: &Consequence,
    ) -> SmallVec<[Addressed; 4]> {
        let upstream = &self.state.upstreams[failure.upstream];
        let (session, incoming) = (upstream.session, upstream.interface);
        let style = StyleKind::of(failure.style);
        let mut failed: Filters = failure.filters.clone();
        failed.sort_unstable();
        let named_by = |s: &SenderKey| failed.is_empty() || failed.binary_search(s).is_ok();
        let elsewhere =
            |s: &SenderKey| failure.is_of_no_sender() && self.is_expected_elsewhere(failure.upstream, s);
        let senders = behind.senders();
        let failed: Numbers = senders.filter(|(s, _)| named_by(s) && !elsewhere(s)).map(|(_, n)| n).collect();
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
            let lost = consequence.of(ix);
            let suffers = lost.is_some();
            let concerned = self.concerned_by(failure, behind, is_copied, request, (&failed, lost));
            let Some((qi, filters)) = concerned else { continue };
            let mut error = failure.error;
            let exceeds = elements.is_empty() || !failures.iter().all(|f| f.clears(&qi, error.value));
            if failure.is_admission() && !exceeds && request.app().is_some() {
                error.flags |= ErrorSpec::NOT_GUILTY;
            }
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

    /// Whether a sender's data is to come from another previous hop by now. After a change of routes a node may hold the old way
    /// until local repair ends, or until its path state times out, when the hop there has given it up already: what that one lacks
    /// has failed for nobody.
    fn is_expected_elsewhere(&self, upstream: Ix<Upstream>, sender: &SenderKey) -> bool {
        let session = self.state.upstreams[upstream].session;
        self.state.paths_from(session, sender).any(|(_, path)| match path.upstream() {
            Some(hop) if hop == upstream => path.flags.misplaced(),
            Some(_) => !path.flags.misplaced() && !path.flags.local_only(),
            None => false,
        })
    }

    /// What a request asks for where an error concerns it, and the senders that are named to whoever made it. `failed` and `lost` are the
    /// senders of the error, and those for which the request is left out because of it, if it is.
    fn concerned_by(
        &self,
        failure: &Failure<'_>,
        behind: &Behind<'_>,
        is_copied: bool,
        request: &Request,
        (failed, lost): (&Numbers, Option<&Numbers>),
    ) -> Option<(Flowspec, Senders)> {
        if request.style.is_wildcard() {
            let applied = behind.applied(self, request);
            let concerns = applied.meets(failed) || (lost.is_some() && !applied.is_empty());
            return concerns
                .then_some((request.items.first()?.flowspec, Senders::Keys(failure.filters.clone())));
        }
        let asked = behind.asked(self, request);
        let also = lost.map(|lost| asked.and(lost));
        let mut named = asked.and(failed);
        also.iter().for_each(|also| named.add(also));
        if named.is_empty() {
            lost?;
            named = asked;
        }
        if let Some(order) = behind.order(request).filter(|_| is_copied && request.app().is_none()) {
            let place = order.iter().position(|number| named.has(*number))?;
            let senders = Senders::Numbers(NamedSenders { named, order: Arc::clone(order) });
            return Some((request.items.get(place)?.flowspec, senders));
        }
        let in_order = behind.in_order(request, &named);
        let first = behind.key(self, *in_order.first()?);
        let place = self.state.place_in(request, &first)?;
        let senders = Senders::Keys(in_order.iter().map(|number| behind.key(self, *number)).collect());
        Some((request.items.get(place)?.flowspec, senders))
    }

    fn send_failure(
        &mut self,
        arrived: &Arrived<'_>,
        failure: &Failure<'_>,
        original: Option<&Arc<Original>>,
        letters: SmallVec<[Addressed; 4]>,
    ) {
        let session = self.state.upstreams[failure.upstream].session;
        let key = self.state.key_of(session);
        let mut scopes = BTreeMap::<InterfaceId, Option<Addresses>>::new();
        for (n, (from, error, senders)) in letters.into_iter().enumerate() {
            // Next hops cost nothing to whoever invents them, and an error that is due comes again.
            if n > 0 && from.hop().is_some() && !self.state.accounts.may_go_on(self.cause, self.now) {
                self.counters.count_discard(Discard::ErrorSuppressed);
                continue;
            }
            let filters = match (senders, original, from) {
                (Senders::Numbers(named), Some(original), RequestOrigin::Hop { interface, address }) => {
                    self.send_copy((interface, address), error, named, original);
                    continue;
                }
                (Senders::Keys(filters), ..) => filters,
                (Senders::Numbers(_), ..) => continue,
            };
            let scope = match from {
                RequestOrigin::Hop { interface, .. } if failure.is_wildcard() => scopes
                    .entry(interface)
                    .or_insert_with(|| self.resv_err_scope(session, &arrived.message, interface))
                    .clone(),
                _ => None,
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

    fn send_copy(
        &mut self,
        (interface, address): (InterfaceId, IpAddr),
        error: ErrorSpec,
        named: NamedSenders,
        original: &Arc<Original>,
    ) {
        let Some(hop) = self.own_hop(interface, address) else { return };
        let envelope = Envelope::to_neighbour(interface, address, self.config.ttl);
        let copy = ErrorCopy { envelope, hop, error, named, original: Arc::clone(original) };
        if !self.queue.offer(Pending::Copy(Box::new(copy))) {
            self.counters.count_discard(Discard::QueueFull);
        }
    }
}
