//! The ways of data: shortest paths over what is up, and the hops with RSVP on them.

use super::{Demand, Hop};
use crate::scenario::model::{Destination, LinkId, NodeId, Scenario, SenderId};
use std::collections::BTreeMap;

/// The way of every sender's data: the shortest, and among equal ones that by the node and the link named first.
pub(crate) fn ways(scenario: &Scenario, demand: &Demand) -> BTreeMap<(SenderId, NodeId), Hop> {
    let mut paths = BTreeMap::new();
    for (n, sender) in scenario.senders.iter().enumerate().filter(|(n, _)| demand.senders[*n].is_some()) {
        match scenario.sessions[sender.session.0].destination {
            Destination::Node(to) => {
                let tree = tree(scenario, demand, to);
                let mut at = sender.node;
                while let Some((link, next)) = tree[at.0] {
                    paths.insert((SenderId(n), next), (link, at));
                    at = next;
                }
            }
            _ => {
                let tree = tree(scenario, demand, sender.node);
                for (receiver, _) in
                    scenario.receivers.iter().zip(&demand.listens).filter(|(_, listens)| **listens)
                {
                    let mut at = receiver.node;
                    while let Some((link, parent)) = tree[at.0].filter(|_| receiver.session == sender.session)
                    {
                        paths.insert((SenderId(n), at), (link, parent));
                        at = parent;
                    }
                }
            }
        }
    }
    paths
}

/// The hops among these ways: the nearest node with RSVP before each that has it.
pub(super) fn hops(
    scenario: &Scenario,
    ways: &BTreeMap<(SenderId, NodeId), Hop>,
) -> BTreeMap<(SenderId, NodeId), Hop> {
    let with_rsvp = ways.iter().filter(|((_, node), _)| !scenario.nodes[node.0].plain);
    let hop = |(&(sender, node), &hop): (&(SenderId, NodeId), &Hop)| {
        let mut hop = hop;
        while scenario.nodes[hop.1.0].plain {
            hop = *ways.get(&(sender, hop.1))?;
        }
        Some(((sender, node), hop))
    };
    with_rsvp.filter_map(hop).collect()
}

/// The step from every node towards a root. Hosts do not forward.
fn tree(scenario: &Scenario, demand: &Demand, root: NodeId) -> Vec<Option<Hop>> {
    let mut steps: Vec<Option<(u64, NodeId, LinkId)>> = vec![None; scenario.nodes.len()];
    for _ in &scenario.nodes {
        for (n, link) in scenario.links.iter().enumerate().filter(|(n, _)| demand.link_up[*n]) {
            for (&from, &to) in link.ends.iter().flat_map(|a| link.ends.iter().map(move |b| (a, b))) {
                let cost = if from == root { Some(0) } else { steps[from.0].map(|step| step.0) };
                let forwards = from == root || scenario.nodes[from.0].router;
                let Some(cost) = cost.filter(|_| forwards && from != to && to != root) else { continue };
                let step = (cost + link.cost, from, LinkId(n));
                steps[to.0] = Some(steps[to.0].map_or(step, |old| old.min(step)));
            }
        }
    }
    steps.into_iter().map(|step| step.map(|(_, parent, link)| (link, parent))).collect()
}
