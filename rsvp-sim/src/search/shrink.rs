//! Makes a failing world smaller while it fails in the same way: actions, receivers, senders, nodes, links and faults are
//! taken away one at a time. Deliberately greedy: a small world matters, the smallest does not.

use super::{Failure, settled_at, try_world};
use crate::scenario::model::{
    Action, Deed, Destination, LinkId, NodeId, ReceiverId, Request, ReservationStyle, Scenario, SenderId,
};
use core::time::Duration;

/// Runs after which what is left is small enough.
const MOST_RUNS: u32 = 600;

/// The smaller world, and how it fails.
#[must_use]
pub fn shrink(scenario: &Scenario, failure: &Failure) -> (Scenario, Failure) {
    let mut shrinking = Shrinking { best: scenario.clone(), failure: failure.clone(), runs: 0 };
    loop {
        let before = size(&shrinking.best);
        shrinking.halve_actions();
        shrinking.each(
            |s| s.actions.len(),
            |s, n| {
                s.actions.remove(n);
            },
        );
        shrinking.each_cut(|k| &mut k.receivers);
        shrinking.each_cut(|k| &mut k.senders);
        shrinking.each_cut(|k| &mut k.sessions);
        shrinking.each_cut(|k| &mut k.nodes);
        shrinking.each_cut(|k| &mut k.links);
        shrinking.calm();
        if size(&shrinking.best) == before || shrinking.runs > MOST_RUNS {
            return (shrinking.best, shrinking.failure);
        }
    }
}

fn size(s: &Scenario) -> [usize; 6] {
    [s.nodes.len(), s.links.len(), s.sessions.len(), s.senders.len(), s.receivers.len(), s.actions.len()]
}

struct Shrinking {
    best: Scenario,
    failure: Failure,
    runs: u32,
}

impl Shrinking {
    /// Takes a smaller world if it fails in the same way.
    fn attempt(&mut self, mut smaller: Scenario) -> bool {
        if self.runs > MOST_RUNS {
            return false;
        }
        self.runs += 1;
        smaller.duration = settled_at(&smaller);
        match try_world(&smaller).failure {
            Some(failure) if failure.promise == self.failure.promise => {
                (self.best, self.failure) = (smaller, failure);
                true
            }
            _ => false,
        }
    }

    /// Half of the actions at once, while that works.
    fn halve_actions(&mut self) {
        loop {
            let half = self.best.actions.len() / 2;
            let (mut first, mut second) = (self.best.clone(), self.best.clone());
            first.actions.truncate(half);
            second.actions.drain(..half);
            if half == 0 || !(self.attempt(first) || self.attempt(second)) {
                return;
            }
        }
    }

    /// One at a time, from the last.
    fn each(&mut self, count: impl Fn(&Scenario) -> usize, drop: impl Fn(&mut Scenario, usize)) {
        for n in (0..count(&self.best)).rev() {
            if n < count(&self.best) {
                let mut smaller = self.best.clone();
                drop(&mut smaller, n);
                self.attempt(smaller);
            }
        }
    }

    fn each_cut(&mut self, places: impl Fn(&mut Keep) -> &mut Vec<bool>) {
        let mut n = places(&mut Keep::all(&self.best)).len();
        while n > 0 {
            n -= 1;
            let mut keep = Keep::all(&self.best);
            let Some(place) = places(&mut keep).get_mut(n) else { continue };
            *place = false;
            let smaller = keep.cut(&self.best);
            if !smaller.nodes.is_empty() && !smaller.links.is_empty() {
                self.attempt(smaller);
            }
        }
    }

    /// Without some kind of fault, everywhere or at one place.
    fn calm(&mut self) {
        let rules: [fn(&mut Scenario); 5] = [
            |s| s.links.iter_mut().for_each(|l| l.loss = 0.0),
            |s| s.links.iter_mut().for_each(|l| l.duplicate = 0.0),
            |s| s.links.iter_mut().for_each(|l| l.reorder = 0.0),
            |s| s.links.iter_mut().for_each(|l| l.corrupt = 0.0),
            |s| s.nodes.iter_mut().for_each(|n| n.clock_ppm = 0),
        ];
        for rule in rules {
            let mut calmer = self.best.clone();
            rule(&mut calmer);
            let faulty = |s: &Scenario| {
                s.links.iter().map(|l| l.loss + l.duplicate + l.reorder + l.corrupt).sum::<f64>()
                    + s.nodes.iter().map(|n| f64::from(n.clock_ppm.abs())).sum::<f64>()
            };
            if faulty(&calmer) < faulty(&self.best) {
                self.attempt(calmer);
            }
        }
        let faulty =
            |s: &Scenario| s.links.iter().any(|l| l.loss + l.duplicate + l.reorder + l.corrupt > 0.0);
        if !self.best.convergence.is_zero() {
            self.attempt(Scenario { convergence: Duration::ZERO, ..self.best.clone() });
        }
        if self.best.faults_until.is_some() && !faulty(&self.best) {
            let mut calmer = self.best.clone();
            calmer.faults_until = None;
            self.attempt(calmer);
        }
    }
}

/// What stays of a scenario.
struct Keep {
    nodes: Vec<bool>,
    links: Vec<bool>,
    sessions: Vec<bool>,
    senders: Vec<bool>,
    receivers: Vec<bool>,
}

impl Keep {
    fn all(s: &Scenario) -> Self {
        Self {
            nodes: vec![true; s.nodes.len()],
            links: vec![true; s.links.len()],
            sessions: vec![true; s.sessions.len()],
            senders: vec![true; s.senders.len()],
            receivers: vec![true; s.receivers.len()],
        }
    }

    /// Drops what refers to what is dropped.
    fn close(&mut self, s: &Scenario) {
        for (n, link) in s.links.iter().enumerate() {
            self.links[n] &= link.ends.iter().filter(|end| self.nodes[end.0]).count() > 1;
        }
        // A node without a link has no address.
        for n in 0..s.nodes.len() {
            self.nodes[n] &=
                s.links.iter().zip(&self.links).any(|(l, up)| *up && l.ends.contains(&NodeId(n)));
        }
        for (n, session) in s.sessions.iter().enumerate() {
            self.sessions[n] &= !matches!(session.destination, Destination::Node(to) if !self.nodes[to.0]);
        }
        for (n, sender) in s.senders.iter().enumerate() {
            self.senders[n] &= self.sessions[sender.session.0] && self.nodes[sender.node.0];
        }
        for (n, receiver) in s.receivers.iter().enumerate() {
            self.receivers[n] &= self.sessions[receiver.session.0] && self.nodes[receiver.node.0];
        }
    }

    fn cut(mut self, s: &Scenario) -> Scenario {
        self.close(s);
        let mut cut = s.clone();
        retain(&mut cut.nodes, &self.nodes);
        cut.links.iter_mut().for_each(|link| {
            link.ends.retain(|end| self.nodes[end.0]);
            link.ends.iter_mut().for_each(|end| end.0 = place(&self.nodes, end.0));
            link.lan &= link.ends.len() > 1;
        });
        retain(&mut cut.links, &self.links);
        retain(&mut cut.sessions, &self.sessions);
        for (n, session) in cut.sessions.iter_mut().enumerate() {
            // The file has no number for a group: it is its place.
            if let Destination::Group(number) = &mut session.destination {
                *number = n as u16 + 1;
            }
            if let Destination::Node(to) = &mut session.destination {
                to.0 = place(&self.nodes, to.0);
            }
        }
        for sender in &mut cut.senders {
            sender.node.0 = place(&self.nodes, sender.node.0);
            sender.session.0 = place(&self.sessions, sender.session.0);
        }
        retain(&mut cut.senders, &self.senders);
        for receiver in &mut cut.receivers {
            receiver.node.0 = place(&self.nodes, receiver.node.0);
            receiver.session.0 = place(&self.sessions, receiver.session.0);
            receiver.request = receiver.request.take().and_then(|request| self.request(request));
        }
        retain(&mut cut.receivers, &self.receivers);
        cut.actions =
            s.actions.iter().filter_map(|a| Some(Action { at: a.at, deed: self.deed(&a.deed)? })).collect();
        cut
    }

    fn request(&self, mut request: Request) -> Option<Request> {
        if request.style == ReservationStyle::Wf {
            return Some(request);
        }
        for flow in &mut request.flows {
            flow.filters = self.filters(&flow.filters);
        }
        request.flows.retain(|flow| !flow.filters.is_empty());
        (!request.flows.is_empty()).then_some(request)
    }

    fn filters(&self, filters: &[SenderId]) -> Vec<SenderId> {
        filters.iter().filter_map(|s| self.sender(*s)).collect()
    }

    fn sender(&self, sender: SenderId) -> Option<SenderId> {
        self.senders[sender.0].then(|| SenderId(place(&self.senders, sender.0)))
    }

    fn receiver(&self, receiver: ReceiverId) -> Option<ReceiverId> {
        self.receivers[receiver.0].then(|| ReceiverId(place(&self.receivers, receiver.0)))
    }

    fn link(&self, link: LinkId) -> Option<LinkId> {
        self.links[link.0].then(|| LinkId(place(&self.links, link.0)))
    }

    fn deed(&self, deed: &Deed) -> Option<Deed> {
        Some(match deed {
            Deed::ChangeSender(sender, traffic) => Deed::ChangeSender(self.sender(*sender)?, *traffic),
            Deed::TearSender(sender) => Deed::TearSender(self.sender(*sender)?),
            Deed::ChangeReceiver(receiver, request) => {
                Deed::ChangeReceiver(self.receiver(*receiver)?, self.request(request.clone())?)
            }
            Deed::TearReceiver(receiver, filters) => {
                let left = self.filters(filters);
                if left.is_empty() && !filters.is_empty() {
                    return None;
                }
                Deed::TearReceiver(self.receiver(*receiver)?, left)
            }
            Deed::Leave(receiver) => Deed::Leave(self.receiver(*receiver)?),
            Deed::LinkDown(link) => Deed::LinkDown(self.link(*link)?),
            Deed::LinkUp(link) => Deed::LinkUp(self.link(*link)?),
            Deed::Crash(node, away) if self.nodes[node.0] => {
                Deed::Crash(NodeId(place(&self.nodes, node.0)), *away)
            }
            Deed::Crash(..) => return None,
        })
    }
}

/// Where something stands among those that are kept.
fn place(keep: &[bool], old: usize) -> usize {
    keep[..old].iter().filter(|kept| **kept).count()
}

fn retain<T>(all: &mut Vec<T>, keep: &[bool]) {
    let mut kept = keep.iter();
    all.retain(|_| kept.next().copied().unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_still_refers_to_what_it_did() {
        for seed in 0..200 {
            let whole = super::super::world_of(seed);
            for n in 0..whole.nodes.len() {
                let mut keep = Keep::all(&whole);
                keep.nodes[n] = false;
                let cut = keep.cut(&whole);
                for sender in &cut.senders {
                    let old = whole.senders.iter().find(|s| s.name == sender.name).expect("it was there");
                    assert_eq!(cut.nodes[sender.node.0].name, whole.nodes[old.node.0].name);
                    assert_eq!(cut.sessions[sender.session.0].name, whole.sessions[old.session.0].name);
                }
                assert!(cut.nodes.len() < whole.nodes.len());
            }
        }
    }
}
