//! The reference: what must stand where once everything has settled, worked out from scratch.
//!
//! From the topology that is left at the end, who sends and who reserves, it says which path state leads where and which
//! reservation stands on which link (RFC 2205 sections 1.3, 2.2 and 2.5; RFC 2211 section 8 and RFC 2212 for the
//! arithmetic). Deliberately there is no state machine, no message and no time in here, nothing is shared with the engine,
//! and explicit routes, admission and applications that disagree are not its business.

mod flowspec;
mod ways;

use crate::scenario::model::{
    Deed, LinkId, NodeId, Request, ReservationStyle, Scenario, SenderId, SessionId, Traffic,
};
use crate::world::applications::{flowspec as requested, tspec};
use rsvp_wire::{Flowspec, Tspec};
use std::collections::{BTreeMap, BTreeSet};
use ways::hops;

pub(crate) use flowspec::{charge_bps, limit, merge, sum};
pub(crate) use ways::ways;

/// What everybody wants when all actions are done, and the links that are up then.
#[derive(Clone, Debug)]
pub struct Demand {
    /// Per link.
    pub link_up: Vec<bool>,
    /// Per sender, what it announces; nothing if it has stopped.
    pub senders: Vec<Option<Traffic>>,
    /// Per receiver, whether it has the session open.
    pub listens: Vec<bool>,
    /// Per receiver, what it asks for.
    pub requests: Vec<Option<Request>>,
}

/// A reservation that stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Its style.
    pub style: ReservationStyle,
    /// Whose packets may use it; none for WF.
    pub filters: BTreeSet<SenderId>,
    /// The effective flowspec.
    pub flowspec: Flowspec,
}

/// A reservation's place: the node, the link it leaves by, the session, and for FF the sender.
pub type Place = (NodeId, LinkId, SessionId, Option<SenderId>);

/// Where data of a sender comes from: the node before this one, and the link by which it leaves that. Routers without RSVP
/// are no hops: what leaves one node with RSVP comes to the next, whatever is between them.
pub type Hop = (LinkId, NodeId);

/// What must stand.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    /// Per sender and node with RSVP that its data reaches, where it comes from.
    pub paths: BTreeMap<(SenderId, NodeId), Hop>,
    /// The same for all nodes and links: what is on the way, with RSVP or without.
    pub ways: BTreeMap<(SenderId, NodeId), Hop>,
    /// Reservations.
    pub reservations: BTreeMap<Place, Standing>,
    /// Whether some request depends on itself, around a loop of shared reservations: such a request can keep itself alive
    /// (RFC 2205 section 3.4), so that what is there need not be what must be there.
    pub loops: bool,
    /// Whether something is asked for on a link that refuses it whatever else stands there: larger packets than it
    /// carries, or a larger bucket than other software takes.
    pub refuses: bool,
}

/// What a node asks of a previous hop.
#[derive(Clone, Default)]
struct Asked {
    /// A flowspec for each sender, or one without for WF.
    flows: Flows,
    /// The hosts whose senders a WF request is for; without it is for all (SCOPE, RFC 2205 section 3.4).
    scope: Option<BTreeSet<NodeId>>,
}

type Flows = BTreeMap<Option<SenderId>, Flowspec>;

impl Demand {
    /// All actions of a scenario, one after the other.
    #[must_use]
    pub fn at_the_end(scenario: &Scenario) -> Self {
        let mut demand = Self {
            link_up: vec![true; scenario.links.len()],
            senders: scenario.senders.iter().map(|s| Some(s.traffic)).collect(),
            listens: vec![true; scenario.receivers.len()],
            requests: scenario.receivers.iter().map(|r| r.request.clone()).collect(),
        };
        let mut actions: Vec<_> = scenario.actions.iter().collect();
        actions.sort_by_key(|action| action.at);
        // What a receiver that has given up would ask for; it matters when it changes its mind in part.
        let mut wishes = demand.requests.clone();
        for action in actions {
            match &action.deed {
                Deed::ChangeSender(sender, traffic) => demand.senders[sender.0] = Some(*traffic),
                Deed::TearSender(sender) => demand.senders[sender.0] = None,
                Deed::ChangeReceiver(receiver, request) => {
                    wishes[receiver.0] = Some(request.clone());
                    demand.requests[receiver.0] = wishes[receiver.0].clone();
                }
                Deed::TearReceiver(receiver, filters) => {
                    let standing = demand.requests[receiver.0].is_some();
                    let rest = wishes[receiver.0].as_ref().map(|wish| without(wish, filters));
                    let rest = rest.filter(|rest| !rest.flows.is_empty() && !filters.is_empty());
                    demand.requests[receiver.0] = rest.clone().filter(|_| standing);
                    wishes[receiver.0] = rest.or_else(|| wishes[receiver.0].clone());
                }
                Deed::Leave(receiver) => demand.listens[receiver.0] = false,
                Deed::LinkDown(link) => demand.link_up[link.0] = false,
                Deed::LinkUp(link) => demand.link_up[link.0] = true,
                Deed::Crash(..) => {}
            }
        }
        for (request, listens) in demand.requests.iter_mut().zip(&demand.listens) {
            request.take_if(|_| !listens);
        }
        demand
    }
}

fn without(request: &Request, gone: &[SenderId]) -> Request {
    let mut rest = request.clone();
    rest.flows.iter_mut().for_each(|flow| flow.filters.retain(|filter| !gone.contains(filter)));
    rest.flows.retain(|flow| !flow.filters.is_empty());
    rest
}

impl Reference {
    /// Works it out.
    #[must_use]
    pub fn new(scenario: &Scenario, demand: &Demand) -> Self {
        let ways = ways(scenario, demand);
        let mut reference = Self { paths: hops(scenario, &ways), ways, ..Self::default() };
        let mut asking = Asking {
            scenario,
            demand,
            paths: &reference.paths,
            known: BTreeMap::new(),
            loops: false,
            refuses: false,
        };
        let mut reservations = BTreeMap::new();
        for (&(sender, _), &(link, node)) in &reference.paths {
            let session = scenario.senders[sender.0].session;
            for (key, standing) in asking.standing(session, node, link) {
                reservations.insert((node, link, session, key), standing);
            }
        }
        (reference.loops, reference.refuses) = (asking.loops, asking.refuses);
        reference.reservations = reservations;
        reference
    }

    /// The last node with RSVP on a sender's way to a node, or that itself.
    pub(crate) fn last_with_rsvp(&self, scenario: &Scenario, sender: SenderId, mut at: NodeId) -> NodeId {
        while let Some(&(_, hop)) = self.ways.get(&(sender, at)).filter(|_| scenario.nodes[at.0].plain) {
            at = hop;
        }
        at
    }

    /// Whether there is a router without RSVP on a sender's way to a node.
    pub(crate) fn has_break(&self, scenario: &Scenario, sender: SenderId, to: NodeId) -> bool {
        let mut at = to;
        while let Some(&(_, hop)) = self.ways.get(&(sender, at)) {
            if scenario.nodes[hop.0].plain {
                return true;
            }
            at = hop;
        }
        false
    }

    /// The nodes with RSVP that a sender's data goes through to reach a node, and the links it leaves them by; the last comes first.
    pub(crate) fn way(&self, sender: SenderId, to: NodeId) -> Vec<(NodeId, LinkId)> {
        let mut way = Vec::new();
        let mut at = to;
        while let Some(&(link, hop)) = self.paths.get(&(sender, at)) {
            way.push((hop, link));
            at = hop;
        }
        way
    }
}

/// Works out who asks whom for what.
struct Asking<'a> {
    scenario: &'a Scenario,
    demand: &'a Demand,
    paths: &'a BTreeMap<(SenderId, NodeId), Hop>,
    /// What was worked out; nothing while that is still going on.
    known: BTreeMap<(SessionId, NodeId, Hop), Option<Asked>>,
    loops: bool,
    refuses: bool,
}

impl Asking<'_> {
    fn senders(&self, session: SessionId) -> Vec<SenderId> {
        let all = (0..self.scenario.senders.len()).map(SenderId);
        all.filter(|s| self.scenario.senders[s.0].session == session && self.demand.senders[s.0].is_some())
            .collect()
    }

    /// The links by which a sender's data leaves a node.
    fn leaves_by(&self, sender: SenderId, node: NodeId) -> BTreeSet<LinkId> {
        self.paths
            .iter()
            .filter(|((s, _), hop)| *s == sender && hop.1 == node)
            .map(|(_, hop)| hop.0)
            .collect()
    }

    /// Everything that is asked of a node for one of its links, by those beyond it.
    fn asked_for(&mut self, session: SessionId, node: NodeId, link: LinkId) -> Vec<(NodeId, Asked)> {
        let of_session = |sender: SenderId| self.scenario.senders[sender.0].session == session;
        let hops = self.paths.iter().filter(|((s, _), hop)| of_session(*s) && **hop == (link, node));
        let others: BTreeSet<NodeId> = hops.map(|((_, next), _)| *next).collect();
        others.into_iter().map(|next| (next, self.asked_of(session, next, (link, node)))).collect()
    }

    /// What a node asks of a previous hop (RFC 2205 section 2.2): for each sender behind it the merge of what the
    /// applications here and the next hops on the sender's way ask for.
    fn asked_of(&mut self, session: SessionId, node: NodeId, hop: Hop) -> Asked {
        match self.known.get(&(session, node, hop)) {
            Some(Some(asked)) => return asked.clone(),
            Some(None) => {
                self.loops = true;
                return Asked::default();
            }
            None => self.known.insert((session, node, hop), None),
        };
        let mut asked = Flows::new();
        let mut behind = BTreeSet::new();
        let shared = self.style(session) == Some(ReservationStyle::Se);
        for sender in self.senders(session) {
            if self.paths.get(&(sender, node)) != Some(&hop) {
                continue;
            }
            let mut flows: Vec<_> = self.asked_by_applications(session, node, sender);
            for link in self.leaves_by(sender, node) {
                for (_, asked_here) in self.asked_for(session, node, link) {
                    if asked_here.scope.is_none_or(|s| s.contains(&self.scenario.senders[sender.0].node)) {
                        flows.extend(
                            asked_here.flows.into_iter().filter(|(key, _)| key.is_none_or(|k| k == sender)),
                        );
                    }
                }
            }
            if !flows.is_empty() {
                behind.insert(self.scenario.senders[sender.0].node);
            }
            flows.into_iter().for_each(|(key, flowspec)| join(&mut asked, key, flowspec));
        }
        if let Some(merged) = asked.values().copied().reduce(|a, b| merge(&a, &b)).filter(|_| shared) {
            asked.values_mut().for_each(|each| *each = merged);
        }
        let asked = Asked { flows: asked, scope: self.has_scope(session, node).then_some(behind) };
        self.known.insert((session, node, hop), Some(asked.clone()));
        asked
    }

    fn asked_by_applications(
        &self,
        session: SessionId,
        node: NodeId,
        sender: SenderId,
    ) -> Vec<(Option<SenderId>, Flowspec)> {
        let receivers = self.scenario.receivers.iter().zip(&self.demand.requests);
        let here = receivers.filter(|(receiver, _)| receiver.node == node && receiver.session == session);
        let mut asked = Vec::new();
        for request in here.filter_map(|(_, request)| request.as_ref()) {
            let wildcard = request.style == ReservationStyle::Wf;
            for flow in request.flows.iter().filter(|f| wildcard || f.filters.contains(&sender)) {
                asked.push(((!wildcard).then_some(sender), requested(flow.traffic, flow.service)));
            }
        }
        asked
    }

    /// Whether a node's WF requests have a SCOPE: if they go to several previous hops, or one that came has one.
    fn has_scope(&mut self, session: SessionId, node: NodeId) -> bool {
        let senders = self.senders(session);
        let hops: BTreeSet<_> = senders.iter().filter_map(|s| self.paths.get(&(*s, node))).collect();
        let links: BTreeSet<_> = senders.iter().flat_map(|s| self.leaves_by(*s, node)).collect();
        self.style(session) == Some(ReservationStyle::Wf)
            && (hops.len() > 1
                || links.into_iter().any(|link| {
                    let asked = self.asked_for(session, node, link);
                    asked.iter().any(|(_, asked)| !asked.flows.is_empty() && asked.scope.is_some())
                }))
    }

    fn style(&self, session: SessionId) -> Option<ReservationStyle> {
        let all = self.scenario.receivers.iter().zip(&self.demand.requests);
        all.filter(|(receiver, _)| receiver.session == session)
            .find_map(|(_, request)| Some(request.as_ref()?.style))
    }

    /// What stands on a link: the merge of what those beyond it ask for, limited to what the senders send there.
    fn standing(
        &mut self,
        session: SessionId,
        node: NodeId,
        link: LinkId,
    ) -> Vec<(Option<SenderId>, Standing)> {
        let Some(style) = self.style(session) else { return Vec::new() };
        let mut asked = Flows::new();
        for (_, by_one) in self.asked_for(session, node, link) {
            self.refuses |= self.is_refused(session, (link, node), &by_one.flows);
            by_one.flows.into_iter().for_each(|(key, flowspec)| join(&mut asked, key, flowspec));
        }
        let groups: Vec<Flows> = match style {
            ReservationStyle::Ff => asked.into_iter().map(|each| Flows::from([each])).collect(),
            _ => vec![asked],
        };
        let mut standing = Vec::new();
        for group in groups {
            let Some(merged) = group.values().copied().reduce(|a, b| merge(&a, &b)) else { continue };
            let filters: BTreeSet<SenderId> = group.keys().flatten().copied().collect();
            let Some(path) = self.sent(session, (link, node), &filters) else { continue };
            let key = filters.first().copied().filter(|_| style == ReservationStyle::Ff);
            standing.push((key, Standing { style, filters, flowspec: limit(&merged, &path) }));
        }
        standing
    }

    /// What these senders, or all, send by a link.
    fn sent(&self, session: SessionId, (link, node): Hop, filters: &BTreeSet<SenderId>) -> Option<Tspec> {
        let sends = |s: &SenderId| {
            (filters.is_empty() || filters.contains(s)) && self.leaves_by(*s, node).contains(&link)
        };
        let traffic =
            self.senders(session).into_iter().filter(sends).filter_map(|s| self.demand.senders[s.0]);
        traffic.map(tspec).reduce(|a, b| sum(&a, &b))
    }

    /// Whether what one neighbour asks for on a link is refused for what it is, and not for what else stands there. In FF
    /// each flow is judged alone, and otherwise all have the same flowspec.
    fn is_refused(&self, session: SessionId, hop: Hop, flows: &Flows) -> bool {
        let link = &self.scenario.links[hop.0.0];
        let distinct = self.style(session) == Some(ReservationStyle::Ff);
        let all: BTreeSet<SenderId> = flows.keys().flatten().copied().collect();
        flows.iter().any(|(key, flowspec)| {
            let alone = key.iter().copied().collect();
            let path = self.sent(session, hop, if distinct { &alone } else { &all });
            let packet = path.map_or(0, |path| limit(flowspec, &path).tspec().max_packet_size);
            let bucket = f64::from(flowspec.tspec().bucket);
            packet > link.mtu || link.refusal.is_some_and(|refusal| bucket > refusal.bucket)
        })
    }
}

fn join(asked: &mut Flows, key: Option<SenderId>, flowspec: Flowspec) {
    asked.entry(key).and_modify(|so_far| *so_far = merge(so_far, &flowspec)).or_insert(flowspec);
}
