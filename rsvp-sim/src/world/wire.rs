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

    /// Whether a packet that has come to the end of its link gets out of it now.
    pub(super) fn passes(&mut self, node: NodeId, link: LinkId, packet: &Arc<Packet>) -> bool {
        match &mut self.wires[link.0] {
            Wire::Held(packets) => {
                packets.push((node, Arc::clone(packet)));
                false
            }
            Wire::Whole | Wire::Cut => true,
        }
    }

    /// What was held arrives now, in its order, unless it is to be lost.
    pub(super) fn set_wire(&mut self, link: LinkId, wire: Wire) {
        let before = core::mem::replace(&mut self.wires[link.0], wire);
        let (generation, arrives) = (self.link_generation[link.0], !self.is_cut(link));
        if let (Wire::Held(_), Some(traffic)) = (&before, &mut self.traffic) {
            traffic.released(self.now, link, generation, arrives);
        }
        let Wire::Held(packets) = before else { return };
        for (node, packet) in packets {
            if arrives {
                let again = Happening::Arrive { node, link, link_generation: generation, packet };
                self.happenings.plan(self.now, again);
            } else {
                self.lose(node, &packet);
            }
        }
    }
}
