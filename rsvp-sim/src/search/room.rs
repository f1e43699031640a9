//! Nobody is refused for what others have taken: a neighbour that has less than its floor, with what it asks for, is not.

use super::Failure;
use crate::scenario::model::NodeId;
use crate::world::World;
use core::net::IpAddr;
use rsvp_node::InterfaceId;
use rsvp_wire::{Class, Message, ObjectRef};
use std::collections::BTreeMap;

/// More than a path state or a request takes beside its message, and than each filter of it.
const BLOCKS: u64 = 700;
const FILTER: u64 = 300;

/// A neighbour: an address on an interface, or all others there.
type Neighbour = (InterfaceId, Option<IpAddr>);

/// How often each neighbour of each node was refused something.
#[derive(Clone, Debug, Default)]
pub(super) struct Room(Vec<BTreeMap<Neighbour, u64>>);

impl Room {
    pub(super) fn new(nodes: usize) -> Self {
        Self(vec![BTreeMap::new(); nodes])
    }

    /// A message has arrived at a node and was processed: whether it was refused for want of room, which must be its neighbour's
    /// own fault.
    pub(super) fn arrived(&mut self, world: &World, node: NodeId, octets: &[u8]) -> Result<bool, Failure> {
        let mut bites = false;
        for row in world.engine(node).neighbours() {
            let Some((_, now)) = row.refused.iter().find(|(why, _)| *why == "state-octets") else { continue };
            let before = self.0[node.0].insert((row.interface, row.address), *now);
            if before.is_some_and(|before| before >= *now) {
                continue;
            }
            bites = true;
            let filter = |object: &ObjectRef<'_>| object.class == Class::FILTER_SPEC;
            let filters =
                Message::parse(octets).map_or(0, |message| message.objects().filter(filter).count());
            let asked = octets.len() as u64 + BLOCKS + FILTER * filters.max(1) as u64;
            if row.octets + asked <= row.floor {
                let name = &world.scenario().nodes[node.0].name;
                let seen = format!("{name}: {row:?} is refused {asked} octets more");
                let promise = "nobody is refused while its share is free";
                return Err(Failure { promise, at: world.now(), seen });
            }
        }
        Ok(bites)
    }
}
