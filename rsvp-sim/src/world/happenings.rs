//! The heap of what is going to happen, in the order of time and, at one time, of planning.

use super::delivery::Packet;
use crate::scenario::model::{LinkId, NodeId, ReceiverId, SenderId};
use core::net::IpAddr;
use rsvp_node::Instant;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

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
    /// A node hears that its routes have changed.
    Reroute { node: NodeId, destination: Option<IpAddr> },
    /// A packet reaches a node, if the link has been up all the time.
    Arrive { node: NodeId, link: LinkId, link_generation: u32, packet: Arc<Packet> },
    /// An engine asked to be woken.
    Wake(NodeId),
}

/// One of them, and when it was planned.
#[derive(Clone, Debug)]
struct Planned {
    at: Instant,
    number: u64,
    happening: Happening,
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What comes first is the greatest: that is what a heap gives.
impl Ord for Planned {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Happenings {
    heap: BinaryHeap<Planned>,
    count: u64,
}

impl Happenings {
    pub(super) fn plan(&mut self, at: Instant, happening: Happening) {
        self.heap.push(Planned { at, number: self.count, happening });
        self.count += 1;
    }

    /// The next one, when it comes no later than `end`.
    pub(super) fn next(&mut self, end: Instant) -> Option<(Instant, Happening)> {
        if self.heap.peek()?.at > end {
            return None;
        }
        self.heap.pop().map(|next| (next.at, next.happening))
    }
}
