//! The heap of what is going to happen, in the order of time and, at one time, of planning.

use super::delivery::Packet;
use crate::scenario::model::{LinkId, NodeId, ReceiverId, SenderId};
use rsvp_node::Instant;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

/// Something that is going to happen.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// An expectation about state is due.
    Look(usize),
    /// A node comes to life, first or again.
    Boot(NodeId),
    /// A receiver opens its session.
    StartReceiver(ReceiverId),
    /// A receiver may reserve from now on.
    MayReserve(ReceiverId),
    /// A sender starts.
    StartSender(SenderId),
    /// An action of the scenario.
    Act(usize),
    /// A packet reaches a node, if the link has been up all the time.
    Arrive { node: NodeId, link: LinkId, link_generation: u32, packet: Rc<Packet> },
    /// An engine asked to be woken.
    Wake(NodeId),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Happenings {
    /// Happenings are kept aside of the heap's keys, as they have no order of their own.
    heap: BinaryHeap<Reverse<(Instant, u64)>>,
    planned: std::collections::BTreeMap<u64, Happening>,
    count: u64,
}

impl Happenings {
    pub(super) fn plan(&mut self, at: Instant, happening: Happening) {
        self.heap.push(Reverse((at, self.count)));
        self.planned.insert(self.count, happening);
        self.count += 1;
    }

    /// The next one, when it comes no later than `end`.
    pub(super) fn next(&mut self, end: Instant) -> Option<(Instant, Happening)> {
        let Reverse((at, number)) = *self.heap.peek()?;
        if at > end {
            return None;
        }
        self.heap.pop();
        self.planned.remove(&number).map(|happening| (at, happening))
    }
}
