//! What blockade state leaves out of a merge (RFC 2205 sections 2.5 and 3.5).
//!
//! RFC 2205 judges each sender, or previous hop, by itself. An SE message has one flowspec for all its senders, so there
//! the failures of all senders that a message asks for decide together: what is too much for one of them is left out for
//! all, and the smaller flowspec goes up. A sender for whom everything is blockaded leaves the message instead of
//! holding down those who did not ask for it; unless something is in place for it, which must not be torn down (KR-I).
//!
//! Senders of whom the same has failed are judged together, as a class.

use super::behind::{Behind, Names};
use crate::key::Flow;
use crate::merge::failure::{Failed, blockades};
use crate::merge::flowspec;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::numbers::Numbers;
use crate::state::resv::Request;
use crate::state::upstream::Upstream;
use rsvp_wire::{Flowspec, Sharing};
use smallvec::SmallVec;

/// What goes to a previous hop with one flowspec.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) flowspec: Flowspec,
    /// All senders that are asked for, and the numbers of those that go up.
    names: Names,
    going: Numbers,
    /// Requests that blockade state leaves out, by their place, each for some senders.
    left_out: Vec<(Ix<Request>, Numbers)>,
    /// Nothing was let through: the flowspec is the GLB of everything.
    pub(crate) lowered: bool,
}

/// What one request asks of a previous hop.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) request: Ix<Request>,
    pub(crate) flowspec: Flowspec,
    pub(crate) flows: Numbers,
}

impl Choice {
    /// The senders that go up, in ascending order.
    pub(crate) fn flows(&self) -> impl Iterator<Item = Flow> {
        self.names.iter().filter(|(_, number)| self.going.has(*number)).map(|(flow, _)| *flow)
    }

    fn number(&self, flow: &Flow) -> Option<u32> {
        self.names.binary_search_by_key(flow, |(flow, _)| *flow).ok().map(|at| self.names[at].1)
    }

    /// Whether a sender goes up.
    pub(crate) fn goes(&self, flow: &Flow) -> bool {
        self.number(flow).is_some_and(|number| self.going.has(number))
    }

    /// Whether a request goes up for a sender.
    pub(crate) fn has(&self, request: Ix<Request>, flow: &Flow) -> bool {
        self.goes(flow)
            && !self.number(flow).is_some_and(|n| self.numbers_out(request).is_some_and(|o| o.has(n)))
    }

    fn numbers_out(&self, request: Ix<Request>) -> Option<&Numbers> {
        let at = self.left_out.binary_search_by_key(&request.place(), |(ix, _)| ix.place()).ok()?;
        Some(&self.left_out[at].1)
    }

    /// The requests that are left out.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = Ix<Request>> {
        self.left_out.iter().map(|(request, _)| *request)
    }

    /// The requests that are left out here and are not in another choice, with the senders for which that is so.
    pub(crate) fn newly_left_out(&self, before: &Self) -> impl Iterator<Item = (Ix<Request>, Numbers)> {
        // Both are in the order of places.
        let mut before = before.left_out.iter().peekable();
        self.left_out.iter().filter_map(move |(request, out)| {
            while before.next_if(|(other, _)| other.place() < request.place()).is_some() {}
            let newly = match before.next_if(|(other, _)| other == request) {
                Some((_, before)) => out.without(before),
                None => out.clone(),
            };
            (!newly.is_empty()).then_some((*request, newly))
        })
    }

    /// Whether what a request asks for goes up for one of its senders.
    pub(crate) fn takes(&self, asked: &Asked) -> bool {
        let goes = asked.flows.and(&self.going);
        match self.numbers_out(asked.request) {
            Some(out) => !goes.without(out).is_empty(),
            None => !goes.is_empty(),
        }
    }
}

impl Node {
    /// Merges what is asked for senders behind one previous hop that share a flowspec: all of them in WF and SE, a single
    /// one in FF, as `sharing` and `flow` say. `counts` and `bars` say which requests and which blockade state are looked
    /// at. `None` when nothing is asked for.
    pub(crate) fn choice(
        &self,
        upstream: Ix<Upstream>,
        sharing: Sharing,
        flow: &Flow,
        counts: impl Fn(Ix<Request>) -> bool,
        bars: impl Fn(Ix<Blockade>) -> bool,
    ) -> Option<Choice> {
        let one = flow.as_ref().filter(|_| sharing == Sharing::Distinct);
        let concerns =
            |b: &Blockade| b.sender.is_none() == flow.is_none() && (one.is_none() || b.sender == *flow);
        let standing = self.state.blockades_of(upstream);
        let barred: SmallVec<[&Blockade; 8]> =
            standing.filter(|(ix, b)| concerns(b) && bars(*ix)).map(|(_, b)| b).collect();
        let behind = Behind::new(self, upstream, one);
        let asked = behind.all_asked(self, sharing, flow.is_none(), counts);
        self.choose(&behind, flow.is_none(), &asked, &barred)
    }

    /// The same with what is asked for and what is held against it.
    pub(crate) fn choose(
        &self,
        behind: &Behind<'_>,
        wildcard: bool,
        asked: &[Asked],
        barred: &[&Blockade],
    ) -> Option<Choice> {
        let mut going = Numbers::default();
        asked.iter().for_each(|a| going.add(&a.flows));
        let names = behind.names(self, &going, wildcard);
        if !barred.is_empty() {
            return Contest::new(asked, &names, barred).select();
        }
        let flowspec = least_upper_bound(asked.iter().map(|a| &a.flowspec))?;
        Some(Choice { flowspec, names, going, left_out: Vec::new(), lowered: false })
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

/// Senders of whom the same has failed.
struct Class<'b> {
    flows: Numbers,
    failures: SmallVec<[&'b Failed; 2]>,
    /// Whether each request is blockaded by these failures.
    blocked: Vec<bool>,
}

/// Requests, and the failures that are held against them.
struct Contest<'c> {
    asked: &'c [Asked],
    names: &'c Names,
    barred: &'c [&'c Blockade],
    /// In the order of the first of their senders.
    classes: Vec<Class<'c>>,
    /// The senders for whom an error has said that something is in place.
    in_place: Numbers,
}

impl<'c> Contest<'c> {
    fn new(asked: &'c [Asked], names: &'c Names, barred: &'c [&'c Blockade]) -> Self {
        let mut by_sender: SmallVec<[&Blockade; 8]> = barred.into();
        by_sender.sort_by_key(|b| b.sender);
        let (mut classes, mut in_place) = (Vec::<Class<'_>>::new(), Numbers::default());
        for (flow, number) in names {
            let from = by_sender.partition_point(|b| b.sender < *flow);
            let own = by_sender[from..].iter().take_while(|b| b.sender == *flow);
            if own.clone().any(|b| b.in_place) {
                in_place.insert(*number);
            }
            let failures: SmallVec<[&Failed; 2]> = own.map(|b| &b.failed).collect();
            match classes.iter_mut().find(|class| class.failures == failures) {
                Some(class) => class.flows.insert(*number),
                None => {
                    let is_blocked = |a: &Asked| blockades(failures.iter().copied(), &a.flowspec);
                    let blocked = asked.iter().map(is_blocked).collect();
                    classes.push(Class { flows: [*number].into_iter().collect(), failures, blocked });
                }
            }
        }
        Self { asked, names, barred, classes, in_place }
    }

    fn all(&self) -> Numbers {
        let mut all = Numbers::default();
        self.asked.iter().for_each(|a| all.add(&a.flows));
        all
    }

    fn select(&self) -> Option<Choice> {
        // Nobody who asks for these is let through; they have no say in what goes up for the others.
        let (mut silent, mut deciding) = (Numbers::default(), Numbers::default());
        for class in &self.classes {
            let mut open = Numbers::default();
            let free = self.asked.iter().zip(&class.blocked).filter(|(_, blocked)| !**blocked);
            free.for_each(|(a, _)| open.add(&a.flows));
            silent.add(&class.flows.without(&open));
            deciding.add(&class.flows.and(&open));
        }
        let judges: Vec<&Class<'_>> = self.classes.iter().filter(|c| c.flows.meets(&deciding)).collect();
        let passes = |at: &usize| {
            self.asked[*at].flows.meets(&deciding) && judges.iter().all(|class| !class.blocked[*at])
        };
        let mut through: Vec<usize> = (0..self.asked.len()).filter(passes).collect();
        let own = self.failures_of(&deciding);
        self.leave_out(&mut through, &own);
        if !through.is_empty() {
            return Some(self.chosen(&through, &own, &silent));
        }
        // What is not all of what failed has not failed itself: the rest may be what was too much, whatever the error said.
        let all = distinct(self.barred.iter().map(|b| &b.failed));
        let untried = |at: &usize| {
            let asked = &self.asked[*at];
            !all.iter().any(|f| f.is_reached_by(&asked.flowspec) && f.is_shared_by(self.senders(&[*at])))
        };
        through = (0..self.asked.len()).filter(untried).collect();
        self.leave_out(&mut through, &all);
        if !through.is_empty() {
            let mut wanted = Numbers::default();
            through.iter().for_each(|at| wanted.add(&self.asked[*at].flows));
            return Some(self.chosen(&through, &all, &self.all().without(&wanted)));
        }
        let flowspec = greatest_lower_bound(self.asked.iter().map(|a| &a.flowspec))?;
        let left_out = self.asked.iter().map(|a| (a.request, a.flows.clone()));
        Some(Choice {
            flowspec,
            names: self.names.clone(),
            going: self.all(),
            left_out: by_place(left_out.collect()),
            lowered: true,
        })
    }

    /// The failures of some senders, in the order of the senders.
    fn failures_of(&self, senders: &Numbers) -> Vec<&'c Failed> {
        let mut classes: Vec<&Class<'c>> = Vec::new();
        let mut seen = Numbers::default();
        for (_, number) in self.names.iter().filter(|(_, number)| senders.has(*number)) {
            if !seen.has(*number)
                && let Some(class) = self.classes.iter().find(|class| class.flows.has(*number))
            {
                seen.add(&class.flows);
                classes.push(class);
            }
        }
        distinct(classes.into_iter().flat_map(|class| class.failures.iter().copied()))
    }

    /// For how many senders some requests go up. What is in place stays in the message, whoever is let through.
    fn senders(&self, requests: &[usize]) -> usize {
        let mut senders = self.in_place.clone();
        requests.iter().for_each(|at| senders.add(&self.asked[*at].flows));
        senders.count()
    }

    /// Takes out who asks for the most of what failed, until what is left together is none of what failed.
    fn leave_out(&self, through: &mut Vec<usize>, failures: &[&Failed]) {
        let asked = |at: usize| &self.asked[at].flowspec;
        while let Some(merged) = least_upper_bound(through.iter().map(|at| asked(*at)))
            && let Some(failed) =
                failures.iter().find(|f| f.is_reached_by(&merged) && f.is_shared_by(self.senders(through)))
            && let Some(most) = (0..through.len())
                .reduce(|a, b| if failed.order(asked(through[a]), asked(through[b])).is_lt() { b } else { a })
        {
            through.remove(most);
        }
    }

    /// The merge of what is let through.
    fn chosen(&self, through: &[usize], failures: &[&Failed], silent: &Numbers) -> Choice {
        let goes = |at: usize| &self.asked[at];
        let first = self.asked[0].flowspec;
        let mut flowspec = least_upper_bound(through.iter().map(|at| &goes(*at).flowspec)).unwrap_or(first);
        let common = through.iter().map(|at| goes(*at).flows.clone()).reduce(|a, b| a.and(&b));
        let common = common.unwrap_or_default();
        // Where all that goes up asks for it, it holds nobody else down, and what stands downstream is left in place.
        let is_held = |number: u32| self.in_place.has(number) || common.has(number);
        for (_, number) in self.names.iter().filter(|(_, number)| silent.has(*number) && is_held(*number)) {
            // What is in place was granted to a smaller request, which this one has replaced; it stays as it is while the
            // greater is asked for.
            let wanted = self.asked.iter().filter(|a| a.flows.has(*number)).map(|a| &a.flowspec);
            let raised = greatest_lower_bound(wanted).map_or(flowspec, |q| join(flowspec, &q));
            if !failures.iter().any(|f| f.is_reached_by(&raised)) {
                flowspec = raised;
            }
        }
        let mut is_through = vec![false; self.asked.len()];
        through.iter().for_each(|at| is_through[*at] = true);
        let left_out = self
            .asked
            .iter()
            .zip(is_through)
            .map(|(a, goes)| (a.request, if goes { a.flows.and(silent) } else { a.flows.clone() }));
        let left_out = left_out.filter(|(_, without)| !without.is_empty()).collect();
        let leaving: Numbers = silent.iter().filter(|number| !is_held(*number)).collect();
        let (names, going) = (self.names.clone(), self.all().without(&leaving));
        Choice { flowspec, names, going, left_out: by_place(left_out), lowered: false }
    }
}

fn by_place(mut left_out: Vec<(Ix<Request>, Numbers)>) -> Vec<(Ix<Request>, Numbers)> {
    left_out.sort_unstable_by_key(|(ix, _)| ix.place());
    left_out
}

/// Each failure once, in the order in which they come.
pub(crate) fn distinct<'f>(failures: impl Iterator<Item = &'f Failed>) -> Vec<&'f Failed> {
    let mut all: Vec<&Failed> = Vec::new();
    for failed in failures {
        if !all.contains(&failed) {
            all.push(failed);
        }
    }
    all
}
