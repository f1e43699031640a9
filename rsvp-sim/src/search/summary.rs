//! What a search has gone through: how many worlds had what, and how large they were.

use super::Outcome;
use super::settled::is_unicast;
use crate::scenario::model::{Deed, Family, Receiver, Scenario, Service};
use core::fmt::Write;
use std::collections::{BTreeMap, BTreeSet};

/// What a search must have met at least once to be worth anything.
const NEEDED: [&str; 30] = [
    "loss",
    "duplication",
    "reordering",
    "corruption",
    "link flap",
    "crash",
    "wrong clock",
    "admission refusal",
    "wf",
    "ff",
    "se",
    "blockade",
    "merge",
    "confirmation",
    "route change",
    "sender and receiver on one node",
    "different MTUs",
    "equal rates, different buckets",
    "equal rates, different packet sizes",
    "change of service",
    "change of service by several receivers",
    "two services in one message",
    "everybody changes service",
    "SE for disjoint senders",
    "SE for overlapping senders",
    "senders added with a wish for confirmation",
    "refusal by other software",
    "objects that nobody understands",
    "router without RSVP",
    "router without RSVP just before a receiver",
];

/// Counts over many worlds.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Worlds.
    pub worlds: u64,
    /// Worlds with each feature.
    pub features: BTreeMap<&'static str, u64>,
    nodes: u64,
    reservations: u64,
    messages: u64,
}

impl Summary {
    /// Counts a world.
    pub fn add(&mut self, outcome: &Outcome) {
        self.worlds += 1;
        self.nodes += outcome.nodes as u64;
        self.reservations += outcome.reservations as u64;
        self.messages += outcome.messages;
        for feature in &outcome.features {
            *self.features.entry(feature).or_default() += 1;
        }
    }

    /// Counts what another has counted.
    pub fn join(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.nodes += other.nodes;
        self.reservations += other.reservations;
        self.messages += other.messages;
        for (feature, count) in &other.features {
            *self.features.entry(feature).or_default() += count;
        }
    }

    /// What was never met though it should have been.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        NEEDED.into_iter().filter(|needed| !self.features.contains_key(needed)).collect()
    }

    /// Nodes and reservations of a world, in the mean.
    #[must_use]
    pub fn mean_size(&self) -> (f64, f64) {
        let worlds = self.worlds.max(1) as f64;
        (self.nodes as f64 / worlds, self.reservations as f64 / worlds)
    }

    /// The summary as text.
    #[must_use]
    pub fn text(&self) -> String {
        let (nodes, reservations) = self.mean_size();
        let mut text = format!(
            "{} worlds, {} messages; in the mean {nodes:.1} nodes and {reservations:.1} reservations. Worlds with\n",
            self.worlds, self.messages
        );
        for (feature, count) in &self.features {
            let _ = writeln!(text, "  {count:>7}  {feature}");
        }
        for missing in self.missing() {
            let _ = writeln!(text, "  {:>7}  {missing}: too few worlds, or too tame ones", 0);
        }
        text
    }
}

/// What a scenario has in it before it is run.
pub(super) fn note_plan(scenario: &Scenario, features: &mut BTreeSet<&'static str>) {
    let mut note = |there: bool, feature| {
        if there {
            features.insert(feature);
        }
    };
    note(scenario.links.iter().any(|l| l.loss > 0.0), "loss");
    note(scenario.links.iter().any(|l| l.duplicate > 0.0), "duplication");
    note(scenario.links.iter().any(|l| l.reorder > 0.0), "reordering");
    note(scenario.links.iter().any(|l| l.corrupt > 0.0), "corruption");
    note(scenario.links.iter().any(|l| l.lan), "lan");
    note(scenario.nodes.iter().any(|n| n.clock_ppm != 0), "wrong clock");
    note(scenario.actions.iter().any(|a| matches!(a.deed, Deed::LinkDown(_))), "link flap");
    note(scenario.actions.iter().any(|a| matches!(a.deed, Deed::Crash(..))), "crash");
    note(scenario.family == Family::Ipv4, "ipv4");
    note(scenario.family == Family::Ipv6, "ipv6");
    let mut requests = scenario.receivers.iter().filter_map(|r| r.request.as_ref()).flat_map(|r| &r.flows);
    note(requests.any(|flow| matches!(flow.service, Service::Guaranteed { .. })), "guaranteed service");
    let together =
        |r: &Receiver| scenario.senders_of(r.session).iter().any(|s| scenario.senders[s.0].node == r.node);
    note(scenario.receivers.iter().any(together), "sender and receiver on one node");
    super::features::note(scenario, features);
    let mut note = |there: bool, feature| {
        if there {
            features.insert(feature);
        }
    };
    let unicast = |n: usize| is_unicast(scenario, crate::scenario::model::SessionId(n));
    note((0..scenario.sessions.len()).any(unicast), "unicast");
    note(!(0..scenario.sessions.len()).all(unicast), "multicast");
}
