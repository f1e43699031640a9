//! State as facts, for expectations about a point in time.

use super::run::World;
use crate::describe;
use crate::facts::{Fact, Facts};
use crate::judge::{Verdict, judge_one};
use crate::scenario::error::unrecorded;
use crate::scenario::model::{LinkId, NodeId, What};
use crate::scenario::{ScenarioError, expectations};
use core::panic::Location;
use rsvp_node::Requester;

impl World {
    /// Keeps what an expectation asks for.
    pub(super) fn look(&mut self, expectation: usize) {
        let what = self.scenario.expectations[expectation].what;
        let seen = (0..self.nodes.len()).flat_map(|n| self.state(NodeId(n), what)).collect();
        self.record.looks.insert(expectation, seen);
    }

    /// Judges an expectation by what there is now, and by what has happened so far.
    #[track_caller]
    pub(crate) fn judge_now(&mut self, keys: &str) -> Result<Verdict, ScenarioError> {
        let from = Location::caller();
        self.close_data();
        let scenario = self.scenario_so_far();
        let expectation = expectations::read_one(&scenario, keys).map_err(|fault| fault.at(from))?;
        if self.knows_nothing_of(expectation.what) {
            return Err(unrecorded(&format!("which {} there were", expectation.what.word()), from));
        }
        // Expectations of the scenario have the places before it.
        let place = self.scenario.expectations.len();
        let seen = (0..self.nodes.len()).flat_map(|n| self.state(NodeId(n), expectation.what)).collect();
        self.record.looks.insert(place, seen);
        let verdict = judge_one(place, &expectation, &self.record);
        self.record.looks.remove(&place);
        Ok(verdict)
    }

    fn state(&self, node: NodeId, what: What) -> Vec<Facts> {
        match what {
            What::Reservations => self.reservations(node),
            What::Paths => self.paths(node),
            What::Requests => self.requests(node),
            What::Blockades => self.blockades(node),
            What::Discards => self.discards(node),
            What::Empty => self.remains(node),
            What::Messages | What::Events | What::Data | What::Traffic => Vec::new(),
        }
    }

    fn here(&self, node: NodeId) -> Facts {
        Facts::default().word("node", self.scenario.nodes[node.0].name.as_str())
    }

    fn link_name(&self, link: Option<LinkId>) -> &str {
        link.map_or("none", |link| self.scenario.links[link.0].name.as_str())
    }

    fn reservations(&self, node: NodeId) -> Vec<Facts> {
        let engine = &self.nodes[node.0].engine;
        engine
            .reservations()
            .map(|(_, interface, reservation)| {
                let link = self.topology.link_of(node, interface);
                let facts = describe::reservation(&self.topology, &reservation).facts;
                join(self.here(node).word("link", self.link_name(link)), facts)
            })
            .collect()
    }

    fn paths(&self, node: NodeId) -> Vec<Facts> {
        let engine = &self.nodes[node.0].engine;
        engine
            .senders()
            .map(|path| {
                let link = path.incoming.and_then(|interface| self.topology.link_of(node, interface));
                let hop = path
                    .previous_hop
                    .map_or_else(|| "application".to_owned(), |a| self.topology.node_name(a));
                self.here(node)
                    .word("link", self.link_name(link))
                    .word("session", self.topology.session_name(&path.session))
                    .word("sender", self.topology.sender_name(&path.session, &path.sender.0))
                    .with("rate", Fact::Rate(f64::from(path.tspec.rate) * 8.0))
                    .word("previous_hop", hop)
            })
            .collect()
    }

    fn requests(&self, node: NodeId) -> Vec<Facts> {
        let engine = &self.nodes[node.0].engine;
        engine
            .requests()
            .map(|request| {
                let (link, hop) = match request.from {
                    Requester::App(_) => (None, "application".to_owned()),
                    Requester::NextHop { interface, address } => {
                        (self.topology.link_of(node, interface), self.topology.node_name(address))
                    }
                };
                self.here(node)
                    .word("link", self.link_name(link))
                    .word("next_hop", hop)
                    .word("session", self.topology.session_name(&request.session))
                    .word("style", describe::style(request.style))
                    .with(
                        "flows",
                        describe::flows(&self.topology, &request.session, request.style, &request.flows),
                    )
            })
            .collect()
    }

    fn blockades(&self, node: NodeId) -> Vec<Facts> {
        let engine = &self.nodes[node.0].engine;
        engine
            .blockades()
            .map(|blockade| {
                let facts = self
                    .here(node)
                    .word("session", self.topology.session_name(&blockade.session))
                    .word("previous_hop", self.topology.node_name(blockade.previous_hop));
                let facts = match &blockade.sender {
                    Some(sender) => {
                        facts.word("sender", self.topology.sender_name(&blockade.session, sender))
                    }
                    None => facts,
                };
                join(facts, describe::flowspec(&blockade.flowspec))
            })
            .collect()
    }

    /// One record for each message dropped.
    fn discards(&self, node: NodeId) -> Vec<Facts> {
        let counters = self.nodes[node.0].engine.counters();
        let record = |name: &str| self.here(node).word("reason", name);
        // Nobody lists a thousand discards, but a count has to come out right.
        let most = |times: u64| usize::try_from(times).unwrap_or(usize::MAX).min(100_000);
        counters.discards().flat_map(|(name, times)| vec![record(name); most(times)]).collect()
    }

    /// State that is left on a node, in words.
    fn remains(&self, node: NodeId) -> Vec<Facts> {
        let kinds = [
            ("path state", self.paths(node)),
            ("request", self.requests(node)),
            ("reservation", self.reservations(node)),
            ("blockade", self.blockades(node)),
        ];
        let mut left: Vec<Facts> = Vec::new();
        for (kind, states) in kinds {
            left.extend(states.into_iter().map(|facts| facts.word("kind", kind)));
        }
        // Sessions that applications have open are no remains; without them the engine has to be empty altogether.
        if left.is_empty() && !self.has_open_sessions(node) && !self.nodes[node.0].engine.is_empty() {
            left.push(self.here(node).word("kind", "something that no view shows"));
        }
        left
    }
}

fn join(mut one: Facts, other: Facts) -> Facts {
    one.0.extend(other.0);
    one
}
