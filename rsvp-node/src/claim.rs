//! What takes its share of an interface beside reservations: flows that nobody signals, and what an earlier run has left.

use crate::interface::InterfaceId;
use rsvp_wire::{Flowspec, Session};

/// A flow that an application makes without signalling (RFC 2205 section 3.11.2: TC_AddFlowspec, TC_ModFlowspec and
/// TC_DelFlowspec of a local program): it is admitted as reservations are, and the engine does nothing else about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// The flow, by a number that whoever makes it has chosen.
    pub flow: u32,
    /// The interface by which it leaves.
    pub interface: InterfaceId,
    /// What it is to have in the place of what it has; nothing gives that back.
    pub flowspec: Option<Flowspec>,
}

/// What a session still has of an interface from an earlier run of this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The interface; one that is not known is ignored.
    pub interface: InterfaceId,
    /// The session.
    pub session: Session,
    /// What it has is of Guaranteed service's share; else of Controlled-Load's.
    pub guaranteed: bool,
    /// Bits per second, with the headers of the link; 0 when nothing is left.
    pub bps: u64,
}
