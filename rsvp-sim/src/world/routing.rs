//! Shortest-path unicast routes and source-rooted multicast trees over what is up at the moment.
//!
//! Routing itself is deliberately instantaneous: every change is in all tables at once. Nodes may hear of it later
//! (`convergence` of a scenario). Hosts never forward.

use super::topology::Topology;
use crate::scenario::model::{Destination, ExplicitRoute, LinkId, NodeId, RouteTarget, Scenario, SessionId};
use core::cell::OnceCell;
use core::net::IpAddr;
use rsvp_node::{Host, Route, RouteAnswer, RouteQuery};
use std::collections::BTreeSet;

/// What is up and who listens.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) link_up: Vec<bool>,
    pub(crate) node_up: Vec<bool>,
    /// Per session, the nodes where an application has it open to receive.
    pub(crate) members: Vec<BTreeSet<NodeId>>,
}

/// A step towards the root of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    cost: u64,
    link: LinkId,
    parent: NodeId,
}

/// All routes of the moment.
///
/// A tree is made when it is asked for, and has no places for leaves, hosts with one link to a router: their step is that link, and
/// the tree of one is that of its router. So a world of many hosts has as many trees, and as large ones, as it has routers in use.
#[derive(Clone, Debug)]
pub(crate) struct Routing {
    /// Per root and place of a node, the step towards the root. Costs are symmetric, so this serves both the way to a
    /// destination and the tree from a source.
    trees: Vec<OnceCell<Vec<Option<Step>>>>,
    /// Per node, its links, its place in trees, and its step to its router where it is a leaf.
    links: Vec<Vec<LinkId>>,
    places: Vec<usize>,
    leaves: Vec<Option<(LinkId, NodeId)>>,
    network: Network,
}

impl Routing {
    pub(crate) fn new(scenario: &Scenario, network: &Network) -> Self {
        let mut links = vec![Vec::new(); scenario.nodes.len()];
        for (n, link) in scenario.links.iter().enumerate() {
            link.ends.iter().for_each(|end| links[end.0].push(LinkId(n)));
        }
        let leaf = |n: usize| -> Option<(LinkId, NodeId)> {
            let &[link] = links[n].as_slice() else { return None };
            let plan = &scenario.links[link.0];
            let other = *plan.ends.iter().find(|end| end.0 != n)?;
            (!scenario.nodes[n].router && !plan.lan && scenario.nodes[other.0].router)
                .then_some((link, other))
        };
        let leaves: Vec<Option<(LinkId, NodeId)>> = (0..links.len()).map(leaf).collect();
        let mut next = 0;
        let place = |leaf: &Option<_>| {
            let place = next;
            next += usize::from(leaf.is_none());
            place
        };
        let places = leaves.iter().map(place).collect();
        let trees = vec![OnceCell::new(); links.len()];
        Self { trees, links, places, leaves, network: network.clone() }
    }

    /// Those who listen to a session are others; no way changes.
    pub(crate) fn set_members(&mut self, session: SessionId, members: &BTreeSet<NodeId>) {
        self.network.members[session.0].clone_from(members);
    }

    /// The step of a leaf, when it is up.
    fn leaf(&self, scenario: &Scenario, node: NodeId) -> Option<Option<Step>> {
        let (link, parent) = self.leaves[node.0]?;
        let up =
            self.network.link_up[link.0] && self.network.node_up[node.0] && self.network.node_up[parent.0];
        Some(up.then(|| Step { cost: scenario.links[link.0].cost, link, parent }))
    }

    /// The step of a node towards a root.
    fn towards(&self, scenario: &Scenario, root: NodeId, node: NodeId) -> Option<Step> {
        if root == node {
            return None;
        }
        if let Some(own) = self.leaf(scenario, node) {
            let own = own?;
            let rest = self.cost(scenario, root, own.parent)?;
            return Some(Step { cost: own.cost + rest, ..own });
        }
        if let Some(last) = self.leaf(scenario, root) {
            let last = last?;
            if last.parent == node {
                return Some(Step { parent: root, ..last });
            }
            let step = self.towards(scenario, last.parent, node)?;
            return Some(Step { cost: step.cost + last.cost, ..step });
        }
        self.trees[root.0].get_or_init(|| self.tree(scenario, root))[self.places[node.0]]
    }

    /// Where a packet to `to` leaves `node`, and whom it goes to.
    pub(crate) fn next_hop(
        &self,
        scenario: &Scenario,
        node: NodeId,
        to: NodeId,
        session: Option<SessionId>,
        source: Option<NodeId>,
    ) -> Option<(LinkId, NodeId)> {
        let explicit = explicit(scenario, node, source, |target| match target {
            RouteTarget::Node(node) => node == to,
            RouteTarget::Session(named) => Some(named) == session,
        });
        let Some(route) = explicit else {
            return self.towards(scenario, to, node).map(|step| (step.link, step.parent));
        };
        let link = *route.outgoing.first().filter(|link| self.network.link_up[link.0])?;
        let ends = &scenario.links[link.0].ends;
        let nearest = ends
            .iter()
            .filter(|&&end| end != node && self.network.node_up[end.0])
            .filter(|&&end| end == to || scenario.nodes[end.0].router)
            .filter_map(|&end| self.cost(scenario, to, end).map(|cost| (cost, end)))
            .min()?;
        Some((link, nearest.1))
    }

    /// On which link data from `source` is expected at `node`, and where it leaves.
    pub(super) fn multicast(
        &self,
        scenario: &Scenario,
        node: NodeId,
        session: SessionId,
        source: NodeId,
    ) -> (Option<LinkId>, BTreeSet<LinkId>) {
        let mut incoming = self.towards(scenario, source, node).map(|step| step.link);
        let mut outgoing = BTreeSet::new();
        for member in &self.network.members[session.0] {
            let mut at = *member;
            while let Some(step) = self.towards(scenario, source, at) {
                if step.parent == node {
                    outgoing.insert(step.link);
                }
                at = step.parent;
            }
        }
        if let Some(route) = explicit(scenario, node, Some(source), |t| t == RouteTarget::Session(session)) {
            incoming = route.incoming.or(incoming);
            outgoing = route.outgoing.iter().copied().filter(|link| self.network.link_up[link.0]).collect();
        }
        if !scenario.nodes[node.0].router && node != source {
            outgoing.clear();
        }
        outgoing.retain(|link| Some(*link) != incoming);
        (incoming, outgoing)
    }

    fn cost(&self, scenario: &Scenario, root: NodeId, node: NodeId) -> Option<u64> {
        if root == node { Some(0) } else { self.towards(scenario, root, node).map(|step| step.cost) }
    }

    /// Dijkstra from a root that is no leaf; among equals the lower node and link win. Leaves are no way to anywhere.
    fn tree(&self, scenario: &Scenario, root: NodeId) -> Vec<Option<Step>> {
        let network = &self.network;
        let mut steps: Vec<Option<Step>> = vec![None; self.places.last().map_or(0, |last| last + 1)];
        if !network.node_up[root.0] {
            return steps;
        }
        let mut todo = BTreeSet::from([(0u64, root)]);
        while let Some((cost, node)) = todo.pop_first() {
            if node != root && !scenario.nodes[node.0].router {
                continue;
            }
            for &id in self.links[node.0].iter().filter(|link| network.link_up[link.0]) {
                let link = &scenario.links[id.0];
                let step = Step { cost: cost + link.cost, link: id, parent: node };
                let others = link.ends.iter().filter(|&&end| end != node && end != root);
                for end in others.filter(|end| network.node_up[end.0] && self.leaves[end.0].is_none()) {
                    let old = &mut steps[self.places[end.0]];
                    let key = |s: Step| (s.cost, s.parent, s.link);
                    if old.is_none_or(|old| key(step) < key(old)) {
                        if let Some(old) = old {
                            todo.remove(&(old.cost, *end));
                        }
                        *old = Some(step);
                        todo.insert((step.cost, *end));
                    }
                }
            }
        }
        steps
    }
}

/// The explicit route at a node, one for a certain sender before one for all.
fn explicit(
    scenario: &Scenario,
    node: NodeId,
    source: Option<NodeId>,
    wanted: impl Fn(RouteTarget) -> bool,
) -> Option<&ExplicitRoute> {
    let here = || scenario.routes.iter().filter(|r| r.node == node && wanted(r.target));
    let for_sender = here().find(|r| r.sender.is_some_and(|s| Some(scenario.senders[s.0].node) == source));
    for_sender.or_else(|| here().find(|r| r.sender.is_none()))
}

/// Answers an engine's questions.
pub(crate) struct NodeRoutes<'w> {
    pub(crate) scenario: &'w Scenario,
    pub(crate) topology: &'w Topology,
    pub(crate) routing: &'w Routing,
    pub(crate) node: NodeId,
}

impl NodeRoutes<'_> {
    fn known(&self, incoming: Option<LinkId>, outgoing: impl IntoIterator<Item = LinkId>) -> RouteAnswer {
        let interface = |link| self.topology.attachment(self.node, link).map(|a| a.interface);
        RouteAnswer::Known(Route {
            incoming: incoming.and_then(interface),
            outgoing: outgoing.into_iter().filter_map(interface).collect(),
        })
    }

    fn answer(&self, query: RouteQuery) -> RouteAnswer {
        let source = query.source.and_then(|address| self.topology.owner(address));
        if query.destination.is_multicast() {
            let Some(source) = source else { return RouteAnswer::NoRoute };
            let mut incoming = None;
            let mut outgoing = BTreeSet::new();
            for session in self.topology.sessions_to(query.destination) {
                let (from, to) = self.routing.multicast(self.scenario, self.node, session, source);
                incoming = incoming.or(from);
                outgoing.extend(to);
            }
            if incoming.is_none() && source != self.node {
                return RouteAnswer::NoRoute;
            }
            return self.known(incoming, outgoing);
        }
        match self.topology.owner(query.destination) {
            None => RouteAnswer::NoRoute,
            Some(node) if node == self.node => self.known(None, []),
            Some(node) => {
                // Explicit routes of a session hold for data, which has a source.
                let session = query.source.and_then(|_| self.topology.sessions_to(query.destination).next());
                match self.routing.next_hop(self.scenario, self.node, node, session, source) {
                    Some((link, _)) => self.known(None, [link]),
                    None => RouteAnswer::NoRoute,
                }
            }
        }
    }

    /// The answers that routing gives for every sender of every session, or for those to one destination.
    pub(crate) fn all(&self, of: Option<IpAddr>) -> Vec<(IpAddr, RouteAnswer)> {
        let mut answers = Vec::new();
        for sender in &self.scenario.senders {
            let destination = self.topology.session(sender.session).destination();
            if of.is_some_and(|of| of != destination) {
                continue;
            }
            let source = self.topology.attachments(sender.node).first().map(|a| a.address);
            answers.push((destination, self.answer(RouteQuery { source, ..RouteQuery::to(destination) })));
        }
        answers
    }
}

impl Host for NodeRoutes<'_> {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        self.answer(query)
    }
}

/// The members of a session before anybody opened it: none, or for unicast its destination.
pub(crate) fn first_members(scenario: &Scenario) -> Vec<BTreeSet<NodeId>> {
    let destination = |plan: &crate::scenario::model::SessionPlan| match plan.destination {
        Destination::Node(node) => BTreeSet::from([node]),
        _ => BTreeSet::new(),
    };
    scenario.sessions.iter().map(destination).collect()
}
