//! What is known of a scenario while it is read, so that reading takes as long as the file is, and not its square; and while it runs.
//! In between it may be changed by whoever has it, so it keeps none of this.

use super::error::ScenarioError;
use super::model::{NodeId, Scenario, SenderId, SessionId};
use super::read::look_up;
use super::section::Item;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Names by their places, and what else would have to be searched for again and again.
#[derive(Clone, Default)]
pub(crate) struct Index {
    pub(crate) nodes: BTreeMap<String, usize>,
    pub(crate) links: BTreeMap<String, usize>,
    pub(super) sessions: BTreeMap<String, usize>,
    /// Where sessions go, with protocol and port, in words.
    pub(super) destinations: BTreeMap<String, SessionId>,
    pub(crate) senders: BTreeMap<String, usize>,
    pub(crate) receivers: BTreeMap<String, usize>,
    pub(super) loads: BTreeMap<String, usize>,
    /// Nodes that have a link.
    pub(super) attached: BTreeSet<NodeId>,
    pub(super) least_mtu: Option<u32>,
    /// Node, session, and port or SPI of the senders.
    pub(super) origins: BTreeMap<(NodeId, SessionId, u32), SenderId>,
    /// The senders of each session; none after a scenario has been read.
    pub(super) senders_of: Option<BTreeMap<SessionId, Vec<SenderId>>>,
}

impl Index {
    pub(super) fn reading() -> Self {
        Self { senders_of: Some(BTreeMap::new()), ..Self::default() }
    }

    /// The names of a scenario that does not change any more, because it runs.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        fn places<'n>(names: impl Iterator<Item = &'n String>) -> BTreeMap<String, usize> {
            let mut places = BTreeMap::new();
            for (place, name) in names.enumerate() {
                places.entry(name.clone()).or_insert(place);
            }
            places
        }
        Self {
            nodes: places(scenario.nodes.iter().map(|node| &node.name)),
            links: places(scenario.links.iter().map(|link| &link.name)),
            sessions: places(scenario.sessions.iter().map(|session| &session.name)),
            senders: places(scenario.senders.iter().map(|sender| &sender.name)),
            receivers: places(scenario.receivers.iter().map(|receiver| &receiver.name)),
            ..Self::default()
        }
    }
}

/// No part of what a scenario is.
impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Index")
    }
}

/// Names of one kind, to be looked up in an index, or else one by one.
pub(super) fn find<'n>(
    item: Item<'_>,
    kind: &str,
    index: &BTreeMap<String, usize>,
    names: impl Iterator<Item = &'n str>,
) -> Result<usize, ScenarioError> {
    match index.get(item.word()?) {
        Some(place) => Ok(*place),
        None => look_up(item, kind, names),
    }
}
