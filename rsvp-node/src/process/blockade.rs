//! Blockade state is made, renewed and ended (RFC 2205 section 3.5, rules 1 to 4).
//!
//! RFC 2205 keeps one flowspec for each sender or previous hop, and the last failure replaces it. Two merges that fail in
//! turn would so let each other through, without end. Here each failure is an element of its own, which its own repetition
//! restarts and nothing else; a failure of more does not lift that of less. What an element leaves out is in `left_out`.

use super::behind::Behind;
use super::in_crowd::{InCrowd, Sifted};
use super::left_out::Choice;
use super::resv_err::{Consequence, Failure};
use crate::key::{Flow, SenderKey};
use crate::merge::failure::Failed;
use crate::merge::span::{Span, span};
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::crowd::Crowd;
use crate::state::numbers::Numbers;
use crate::state::path::PathState;
use crate::state::upstream::Upstream;
use crate::state::wheel::Timer;
use core::time::Duration;
use rsvp_wire::{Flowspec, Sharing};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// Elements for one sender or previous hop; those beyond are joined with the newest.
const MOST: usize = 8;

/// Elements of blockade state.
pub(crate) type Elements = SmallVec<[Ix<Blockade>; 4]>;

/// What goes to a previous hop with one flowspec, and what of it is left out.
pub(crate) enum Chosen {
    Nothing,
    Looked {
        choice: Choice,
        /// Between what and what that lies which is merged into it.
        members: Option<Span>,
    },
    Sifted(Sifted),
}

impl Chosen {
    fn flowspec(&self) -> Option<Flowspec> {
        match self {
            Self::Nothing => None,
            Self::Looked { choice, .. } => Some(choice.flowspec),
            Self::Sifted(sifted) => Some(sifted.flowspec),
        }
    }

    fn members(&self) -> Option<Span> {
        match self {
            Self::Nothing => None,
            Self::Looked { members, .. } | Self::Sifted(Sifted { members, .. }) => *members,
        }
    }

    /// The places of requests that are left out.
    pub(crate) fn left_out(&self, crowd: Option<&Crowd>) -> BTreeSet<u32> {
        match (self, crowd) {
            (Self::Looked { choice, .. }, _) => choice.left_out().map(Ix::place).collect(),
            (Self::Sifted(sifted), Some(crowd)) => sifted.out.requests(crowd).map(Ix::place).collect(),
            _ => BTreeSet::new(),
        }
    }

    fn is_lowered(&self) -> bool {
        matches!(
            self,
            Self::Looked { choice: Choice { lowered: true, .. }, .. }
                | Self::Sifted(Sifted { lowered: true, .. })
        )
    }
}

impl Node {
    /// Creates or renews an element for each sender of a failure, and asks for what is not blockaded at once. What that leaves
    /// out is the consequence.
    pub(crate) fn blockade(&mut self, failure: &Failure<'_>, qe: Flowspec) -> (Elements, Consequence) {
        let (upstream, sharing) = (failure.upstream, failure.style.sharing());
        let session = self.state.upstreams[upstream].session;
        let senders: SmallVec<[Flow; 4]> = if failure.is_wildcard() {
            [None].into_iter().collect()
        } else {
            let behind = |(_, p): (_, &PathState)| p.upstream() == Some(upstream);
            let is_behind = |f: &&SenderKey| self.state.paths_from(session, f).any(behind);
            failure.filters.iter().filter(is_behind).copied().map(Some).collect()
        };
        // All of them failed together, so each is judged by what there was before.
        let before = self.choices(upstream, sharing, &senders, |_| true);
        let judge = |chosen: &Chosen| {
            let own = chosen.flowspec();
            let members = chosen.members();
            let failed = Failed::new(qe, failure.error.value, members.as_ref(), own).shared_by(senders.len());
            (failed, own.is_some_and(|own| failed.may_be_due_to(&own)))
        };
        let judged: Vec<(Failed, bool)> = before.iter().map(judge).collect();
        let mut standing = BTreeMap::<Flow, Elements>::new();
        for (ix, blockade) in self.state.blockades_of(upstream) {
            standing.entry(blockade.sender).or_default().push(ix);
        }
        let (mut elements, mut renewed) = (Elements::new(), false);
        for (at, flow) in senders.iter().enumerate() {
            // What is shared has failed for all of them alike.
            let Some(failed) = judged.get(at).or_else(|| judged.first()) else { break };
            let own = standing.entry(*flow).or_default();
            let others = own.len();
            elements.push(self.note_failure(upstream, *flow, *failed, failure.is_in_place(), own));
            renewed |= own.len() == others;
        }
        let now = self.choices(upstream, sharing, &senders, |_| true);
        if now.iter().any(|chosen| chosen.flowspec().is_some() && !chosen.is_lowered()) {
            self.intend_resv(upstream);
        }
        let own: Numbers = elements.iter().map(|ix| ix.place()).collect();
        let without = match renewed {
            true => self.choices(upstream, sharing, &senders, |ix| !own.has(ix.place())),
            false => before,
        };
        (elements, Consequence::new(self.state.crowd(session), sharing, &now, &without))
    }

    /// What goes to a previous hop for each of some senders, one for all where they share it; `bars` says which elements of blockade state
    /// count.
    fn choices(
        &self,
        upstream: Ix<Upstream>,
        sharing: Sharing,
        senders: &[Flow],
        bars: impl Fn(Ix<Blockade>) -> bool,
    ) -> Vec<Chosen> {
        let shared = sharing == Sharing::Shared;
        let session = self.state.upstreams[upstream].session;
        let style = self.state.requests_of(session).next().map(|(_, request)| request.style);
        let crowd = style.filter(|_| !shared).and_then(|style| InCrowd::new(self, session, style));
        // Where senders share a flowspec, what has failed for any of them is judged together.
        let wildcard = senders.first().is_some_and(Option::is_none);
        let judged_as = |sender: Flow| if shared { None } else { sender };
        let mut barred = BTreeMap::<Flow, SmallVec<[&Blockade; 2]>>::new();
        let concerned = self.state.blockades_of(upstream).filter(|(_, b)| b.sender.is_none() == wildcard);
        for (_, blockade) in concerned.filter(|(ix, _)| bars(*ix)) {
            barred.entry(judged_as(blockade.sender)).or_default().push(blockade);
        }
        let most = if shared { 1 } else { usize::MAX };
        let of = |flow: &Flow| {
            let own = barred.get(&judged_as(*flow)).map_or(&[][..], |own| own);
            let sender = flow.as_ref().filter(|_| !shared);
            if let Some((crowd, sender)) = crowd.as_ref().zip(sender)
                && let Some(sifted) = self.sifted(crowd, upstream, sender, own)
            {
                return sifted.map_or(Chosen::Nothing, Chosen::Sifted);
            }
            let behind = Behind::new(self, upstream, sender);
            let asked = behind.all_asked(self, sharing, wildcard, |_| true);
            match self.choose(&behind, wildcard, &asked, own) {
                Some(choice) => {
                    let taken = asked.iter().filter(|a| choice.takes(a));
                    let members = span(taken.map(|a| a.flowspec));
                    Chosen::Looked { choice, members }
                }
                None => Chosen::Nothing,
            }
        };
        senders.iter().take(most).map(of).collect()
    }

    /// The same for a sender in a crowd, in FF, where that is known without a look at each request.
    fn sifted(
        &self,
        crowd: &InCrowd<'_>,
        upstream: Ix<Upstream>,
        sender: &SenderKey,
        barred: &[&Blockade],
    ) -> Option<Option<Sifted>> {
        crowd.sift(self.path_behind(upstream, sender)?, barred, None)
    }

    /// The path state of a sender behind a previous hop.
    pub(crate) fn path_behind(&self, upstream: Ix<Upstream>, sender: &SenderKey) -> Option<&PathState> {
        let mut paths = self.state.paths_from(self.state.upstreams[upstream].session, sender).map(|(_, p)| p);
        paths.find(|path| path.upstream() == Some(upstream))
    }

    fn note_failure(
        &mut self,
        upstream: Ix<Upstream>,
        sender: Flow,
        (failed, is_own): (Failed, bool),
        in_place: bool,
        standing: &mut Elements,
    ) -> Ix<Blockade> {
        let Upstream { session, interface, .. } = self.state.upstreams[upstream];
        let refresh = self.interfaces.refresh_on(interface);
        let mut until =
            self.now + refresh.checked_mul(self.config.blockade_multiplier).unwrap_or(Duration::MAX);
        if failed.is_in_part() {
            // Whoever merges this with what others ask for tries that anew after Tb, and not at the same time: if what they ask
            // for fails again, the part asked for here may yet be granted.
            until = until + refresh / 2;
        }
        let of = |ix: &Ix<Blockade>| &self.state.blockades[*ix].failed;
        let again = standing.iter().copied().find(|ix| of(ix).is_again(&failed));
        let full = standing.first().copied().filter(|_| standing.len() >= MOST);
        let (known, failed) = match (again, full.and_then(|ix| Some((ix, of(&ix).join(&failed)?)))) {
            (None, Some((ix, joined))) => (Some(ix), joined),
            // What it is judged by stays where this node has asked for something else since.
            (Some(ix), _) if !is_own => (Some(ix), *of(&ix)),
            (Some(ix), _) => (Some(ix), failed),
            (None, None) => (None, failed),
        };
        if let Some(ix) = known {
            self.state.remove_blockade(ix);
            standing.retain(|standing| *standing != ix);
        }
        let ix = self.state.add_blockade(Blockade {
            session,
            prev: None,
            next: None,
            upstream,
            sender,
            failed,
            in_place,
            timer: Timer::new(),
            owner: self.cause,
        });
        // The newest comes first.
        standing.insert(0, ix);
        self.state.arm_blockade(ix, until);
        ix
    }
}
