//! Links that are cut or held without anybody being told: interfaces stay up and routes as they are, as when a cable behind
//! a switch breaks. Links that go down, which is noticed, are in `change`.

use super::delivery::Packet;
use super::happenings::Happening;
use super::run::World;
use crate::scenario::model::{LinkId, NodeId};
use std::sync::Arc;

/// What becomes of packets on a link.
#[derive(Clone, Debug)]
pub(super) enum Wire {
    /// They arrive.
    Whole,
    /// They are lost.
    Cut,
    /// They wait, in the order of their arrival.
    Held(Vec<(NodeId, Arc<Packet>)>),
}

impl World {
    pub(super) fn is_cut(&self, link: LinkId) -> bool {
        matches!(self.wires[link.0], Wire::Cut)
    }

    /// Whether a packet that has come to the end of its link gets out of it.
    pub(super) fn passes(&mut self, node: NodeId, link: LinkId, packet: &Arc<Packet>) -> bool {
        match &mut self.wires[link.0] {
            Wire::Whole => true,
            Wire::Cut => false,
            Wire::Held(packets) => {
                packets.push((node, Arc::clone(packet)));
                false
            }
        }
    }

    /// What was held arrives now, in its order, unless it is to be lost.
    pub(super) fn set_wire(&mut self, link: LinkId, wire: Wire) {
        let before = core::mem::replace(&mut self.wires[link.0], wire);
        let (Wire::Held(packets), false) = (before, self.is_cut(link)) else { return };
        let link_generation = self.link_generation[link.0];
        for (node, packet) in packets {
            self.happenings.plan(self.now, Happening::Arrive { node, link, link_generation, packet });
        }
    }
}
