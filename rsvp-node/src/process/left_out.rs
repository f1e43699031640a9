//! What blockade state leaves out of a merge (RFC 2205 sections 2.5 and 3.5).
//!
//! RFC 2205 judges each sender, or previous hop, by itself. An SE message has one flowspec for all its senders, so there
//! the failures of all senders that a message asks for decide together: what is too much for one of them is left out for
//! all, and the smaller flowspec goes up. A sender for whom everything is blockaded leaves the message instead of
//! holding down those who did not ask for it; unless something is in place for it, which must not be torn down (KR-I).

use crate::key::Flow;
use crate::merge::failure::{Failed, blockades};
use crate::merge::flowspec;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::path::PathState;
use crate::state::resv::Request;
use rsvp_wire::{Flowspec, Sharing};
use smallvec::SmallVec;

/// What goes to a previous hop with one flowspec.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) flowspec: Flowspec,
    pub(crate) flows: SmallVec<[Flow; 2]>,
    /// Requests that blockade state leaves out, each for the senders named.
    left_out: Vec<(Ix<Request>, SmallVec<[Flow; 2]>)>,
    /// Nothing was let through: the flowspec is the GLB of everything.
    pub(crate) lowered: bool,
}

/// What one request asks of a previous hop.
struct Asked {
    request: Ix<Request>,
    flowspec: Flowspec,
    flows: SmallVec<[Flow; 2]>,
}

impl Choice {
    /// Whether a request goes up for a sender.
    pub(crate) fn has(&self, request: Ix<Request>, flow: &Flow) -> bool {
        self.flows.contains(flow)
            && !self.left_out.iter().any(|(ix, flows)| *ix == request && flows.contains(flow))
    }

    /// The senders for which a request is left out.
    pub(crate) fn left_out(&self, request: Ix<Request>) -> &[Flow] {
        self.left_out.iter().find(|(ix, _)| *ix == request).map_or(&[], |(_, flows)| flows)
    }
}

impl Node {
    /// Merges what is asked for senders behind one previous hop that share a flowspec: all of them in WF and SE, a single
    /// one in FF, as `sharing` and `wildcard` say. `counts` and `bars` say which requests and which blockade state are looked
    /// at. `None` when nothing is asked for.
    pub(crate) fn choose<'a>(
        &'a self,
        sharing: Sharing,
        wildcard: bool,
        paths: impl Iterator<Item = &'a PathState> + Clone,
        counts: impl Fn(Ix<Request>) -> bool,
        bars: impl Fn(Ix<Blockade>) -> bool,
    ) -> Option<Choice> {
        let first = paths.clone().next()?;
        let one = sharing == Sharing::Distinct;
        let concerns = |b: &Blockade| {
            Some(b.upstream) == first.upstream()
                && b.sender.is_none() == wildcard
                && (!one || b.sender == Some(first.sender))
        };
        let standing = self.state.blockades_of(first.session);
        let barred: SmallVec<[&Blockade; 8]> =
            standing.filter(|(ix, b)| concerns(b) && bars(*ix)).map(|(_, b)| b).collect();
        if barred.is_empty() {
            return self.merge_all(wildcard, paths, counts);
        }
        let mut asked: Vec<Asked> = Vec::new();
        for path in paths {
            let flow = (!wildcard).then_some(path.sender);
            for (request, _, item) in self.items_for(path).filter(|(ix, ..)| counts(*ix)) {
                match asked.iter_mut().find(|a| a.request == request) {
                    Some(known) if wildcard => debug_assert_eq!(known.flows.len(), 1),
                    Some(known) => known.flows.push(flow),
                    None => asked.push(Asked {
                        request,
                        flowspec: item.flowspec,
                        flows: [flow].into_iter().collect(),
                    }),
                }
            }
        }
        select(&asked, &barred)
    }

    /// The LUB of everything, where nothing is blockaded.
    fn merge_all<'a>(
        &'a self,
        wildcard: bool,
        paths: impl Iterator<Item = &'a PathState>,
        counts: impl Fn(Ix<Request>) -> bool,
    ) -> Option<Choice> {
        let mut merged: Option<Flowspec> = None;
        let mut flows: SmallVec<[Flow; 2]> = SmallVec::new();
        for path in paths {
            let mut items = self.items_for(path).filter(|(ix, ..)| counts(*ix)).map(|(.., i)| i.flowspec);
            let Some(first) = items.next() else { continue };
            let before = merged.unwrap_or(first);
            let all = items.fold(join(before, &first), |all, q| join(all, &q));
            merged = Some(all);
            if !wildcard || flows.is_empty() {
                flows.push((!wildcard).then_some(path.sender));
            }
        }
        Some(Choice { flowspec: merged?, flows, left_out: Vec::new(), lowered: false })
    }
}

/// LUB; services never differ here, and if they did the first would stand.
fn join(a: Flowspec, b: &Flowspec) -> Flowspec {
    flowspec::merge(&a, b).unwrap_or(a)
}

fn least_upper_bound<'a>(all: impl Iterator<Item = &'a Flowspec>) -> Option<Flowspec> {
    all.copied().reduce(|a, b| join(a, &b))
}

fn greatest_lower_bound<'a>(all: impl Iterator<Item = &'a Flowspec>) -> Option<Flowspec> {
    all.copied().reduce(|a, b| flowspec::lower_bound(&a, &b).unwrap_or(a))
}

fn select(asked: &[Asked], barred: &[&Blockade]) -> Option<Choice> {
    let failures = |flow: Flow| barred.iter().filter(move |b| b.sender == flow).map(|b| &b.failed);
    let blocked = |a: &Asked, flow: &Flow| blockades(failures(*flow), &a.flowspec);
    let mut flows: SmallVec<[Flow; 2]> = asked.iter().flat_map(|a| a.flows.iter().copied()).collect();
    flows.sort_unstable();
    flows.dedup();
    // Nobody who asks for these is let through; they have no say in what goes up for the others.
    let (silent, deciding): (Vec<Flow>, Vec<Flow>) = flows
        .iter()
        .partition(|flow| asked.iter().filter(|a| a.flows.contains(flow)).all(|a| blocked(a, flow)));
    let mut through: Vec<&Asked> = asked
        .iter()
        .filter(|a| a.flows.iter().any(|f| deciding.contains(f)))
        .filter(|a| deciding.iter().all(|flow| !blocked(a, flow)))
        .collect();
    // What is in place stays in the message, whoever is let through.
    let senders = |all: &[&Asked]| {
        flows.iter().filter(|f| is_in_place(f, barred) || all.iter().any(|a| a.flows.contains(f))).count()
    };
    let own: Vec<&Failed> = deciding.iter().flat_map(|flow| failures(*flow)).collect();
    leave_out(&mut through, &own, senders);
    if !through.is_empty() {
        return Some(chosen(asked, &through, &own, flows, &silent, barred));
    }
    // What is not all of what failed has not failed itself: the rest may be what was too much, whatever the error said.
    let all: Vec<&Failed> = barred.iter().map(|b| &b.failed).collect();
    let untried = |a: &&Asked| !all.iter().any(|f| f.is_reached_for(senders(&[*a]), &a.flowspec));
    through = asked.iter().filter(untried).collect();
    leave_out(&mut through, &all, senders);
    if !through.is_empty() {
        let asks = |flow: &Flow| through.iter().any(|a| a.flows.contains(flow));
        let without: Vec<Flow> = flows.iter().filter(|flow| !asks(flow)).copied().collect();
        return Some(chosen(asked, &through, &all, flows, &without, barred));
    }
    let flowspec = greatest_lower_bound(asked.iter().map(|a| &a.flowspec))?;
    let left_out = asked.iter().map(|a| (a.request, a.flows.clone())).collect();
    Some(Choice { flowspec, flows, left_out, lowered: true })
}

/// Whether an error has said that something is in place for a sender.
fn is_in_place(flow: &Flow, barred: &[&Blockade]) -> bool {
    barred.iter().any(|b| b.sender == *flow && b.in_place)
}

/// Takes out who asks for the most of what failed, until what is left together is none of what failed; `senders` says for
/// how many senders it goes up.
fn leave_out<'a>(
    through: &mut Vec<&'a Asked>,
    failures: &[&Failed],
    senders: impl Fn(&[&'a Asked]) -> usize,
) {
    while let Some(merged) = least_upper_bound(through.iter().map(|a| &a.flowspec))
        && let Some(failed) = failures.iter().find(|f| f.is_reached_for(senders(through), &merged))
        && let Some(most) = (0..through.len()).reduce(|a, b| {
            if failed.order(&through[a].flowspec, &through[b].flowspec).is_lt() { b } else { a }
        })
    {
        through.remove(most);
    }
}

/// The merge of what is let through.
fn chosen(
    asked: &[Asked],
    through: &[&Asked],
    failures: &[&Failed],
    flows: SmallVec<[Flow; 2]>,
    silent: &[Flow],
    barred: &[&Blockade],
) -> Choice {
    let mut flowspec = least_upper_bound(through.iter().map(|a| &a.flowspec)).unwrap_or(asked[0].flowspec);
    let alone = |flow: &Flow| through.iter().all(|a| a.flows.contains(flow));
    // Where all that goes up asks for it, it holds nobody else down, and what stands downstream is left in place.
    let (held, leaving): (Vec<Flow>, Vec<Flow>) =
        silent.iter().partition(|flow| is_in_place(flow, barred) || alone(flow));
    for flow in &held {
        // What is in place was granted to a smaller request, which this one has replaced; it stays as it is while the
        // greater is asked for.
        let wanted = asked.iter().filter(|a| a.flows.contains(flow)).map(|a| &a.flowspec);
        let raised = greatest_lower_bound(wanted).map_or(flowspec, |q| join(flowspec, &q));
        if !failures.iter().any(|f| f.is_reached_by(&raised)) {
            flowspec = raised;
        }
    }
    let mut left_out = Vec::new();
    for a in asked {
        let goes = through.iter().any(|t| t.request == a.request);
        let without: SmallVec<[Flow; 2]> =
            a.flows.iter().copied().filter(|flow| !goes || silent.contains(flow)).collect();
        if !without.is_empty() {
            left_out.push((a.request, without));
        }
    }
    let flows = flows.into_iter().filter(|flow| !leaving.contains(flow)).collect();
    Choice { flowspec, flows, left_out, lowered: false }
}
