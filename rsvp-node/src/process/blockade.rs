//! Blockade state is made, renewed and ended (RFC 2205 section 3.5, rules 1 to 4).
//!
//! RFC 2205 keeps one flowspec for each sender or previous hop, and the last failure replaces it. Two merges that fail in
//! turn would so let each other through, without end. Here each failure is an element of its own, which its own repetition
//! restarts and nothing else; a failure of more does not lift that of less. What an element leaves out is in `left_out`.

use super::left_out::Choice;
use super::resv_err::Failure;
use crate::key::{Flow, SenderKey};
use crate::merge::failure::Failed;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::path::PathState;
use crate::state::resv::Request;
use crate::state::upstream::Upstream;
use core::time::Duration;
use rsvp_wire::{Flowspec, Sharing};
use smallvec::SmallVec;

/// Elements for one sender or previous hop; those beyond are joined with the newest.
const MOST: usize = 8;

/// Elements of blockade state.
pub(crate) type Elements = SmallVec<[Ix<Blockade>; 4]>;

impl Node {
    /// Creates or renews an element for each sender of a failure, and asks for what is not blockaded at once.
    pub(crate) fn blockade(&mut self, failure: &Failure<'_>, qe: Flowspec) -> Elements {
        let (upstream, sharing) = (failure.upstream, failure.style.sharing());
        let senders: SmallVec<[Flow; 4]> = if failure.is_wildcard() {
            [None].into_iter().collect()
        } else {
            let behind = |f: &&SenderKey| self.state.paths_behind(upstream).any(|p| p.sender == **f);
            failure.filters.iter().filter(behind).copied().map(Some).collect()
        };
        // All of them failed together, so each is judged by what there was before.
        let failed: SmallVec<[(Flow, Failed, bool); 4]> = senders
            .iter()
            .map(|flow| {
                let choice = self.choice(upstream, sharing, flow, |_| true, |_| true);
                let members = choice.as_ref().map(|c| self.members(upstream, c)).unwrap_or_default();
                let own = choice.map(|c| c.flowspec);
                let failed = Failed::new(qe, failure.error.value, &members, own).shared_by(senders.len());
                (*flow, failed, own.is_some_and(|own| failed.may_be_due_to(&own)))
            })
            .collect();
        let note = |(flow, failed, is_own)| {
            self.note_failure(upstream, flow, (failed, is_own), failure.is_in_place())
        };
        let elements: Elements = failed.into_iter().map(note).collect();
        let some = senders
            .iter()
            .filter_map(|flow| self.choice(upstream, sharing, flow, |_| true, |_| true))
            .any(|choice| !choice.lowered);
        if some {
            self.intend_resv(upstream);
        }
        elements
    }

    /// What goes to a previous hop for a sender, or for all that share with it; `counts` and `bars` say which requests and
    /// which elements of blockade state count.
    pub(crate) fn choice(
        &self,
        upstream: Ix<Upstream>,
        sharing: Sharing,
        flow: &Flow,
        counts: impl Fn(Ix<Request>) -> bool,
        bars: impl Fn(Ix<Blockade>) -> bool,
    ) -> Option<Choice> {
        let own = |p: &&PathState| sharing == Sharing::Shared || *flow == Some(p.sender);
        self.choose(sharing, flow.is_none(), self.state.paths_behind(upstream).filter(own), counts, bars)
    }

    /// The flowspecs that are merged into a choice, be it for whichever of its senders.
    fn members(&self, upstream: Ix<Upstream>, choice: &Choice) -> SmallVec<[Flowspec; 4]> {
        let mut members = SmallVec::new();
        for path in self.state.paths_behind(upstream) {
            let through = self.items_for(path).filter(|(ix, ..)| {
                choice.flows.iter().any(|f| f.is_none_or(|f| f == path.sender) && choice.has(*ix, f))
            });
            members.extend(through.map(|(.., item)| item.flowspec));
        }
        members
    }

    fn note_failure(
        &mut self,
        upstream: Ix<Upstream>,
        sender: Flow,
        (failed, is_own): (Failed, bool),
        in_place: bool,
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
        let all = self.state.blockades_of(session);
        // The newest comes first.
        let standing: Elements =
            all.filter(|(_, b)| b.upstream == upstream && b.sender == sender).map(|(ix, _)| ix).collect();
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
        }
        let ix = self.state.add_blockade(Blockade {
            session,
            next: None,
            upstream,
            sender,
            failed,
            in_place,
            timer: None,
        });
        self.state.arm_blockade(ix, until);
        ix
    }
}
