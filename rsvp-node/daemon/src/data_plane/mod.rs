//! The data plane: what keeps the promises of reservations in the kernel (RFC 2205 section 3.11.2).
//!
//! What the engine says in [`TrafficControl`] is carried out by a [`DataPlane`]: `kernel`, or
//! `none`, which promises nothing. `worker` runs it beside the daemon's loop. Of the parts of `kernel`, `desired` says what a
//! reservation is to be in the kernel, `policing` where its packets are policed, `tree` which classes an interface has, `bpf` finds flows, polices and marks them, and `tc`
//! speaks with the kernel's traffic control. What is reserved for whom is deliberately decided elsewhere.

pub mod bpf;
pub mod by_hand;
pub mod desired;
pub mod kernel;
pub mod manner;
pub mod policies;
pub mod policing;
pub mod tc;
pub mod tree;
pub mod wishes;

mod none;
pub(crate) mod worker;

pub use none::Nothing;

use bpf::{EgressError, SocketMarks};
use by_hand::FlowByHand;
use manner::Manner;
use policies::WantedPolicies;
use rsvp_control::rows::FlowRow;
use rsvp_node::{Held, ReservationId, TrafficControl};
use rsvp_wire::{FilterSpec, Session, error_value};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use wishes::Wishes;

/// What a data plane has to know of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is called.
    pub name: String,
    /// Its rate, in octets per second; 0 if that is not known.
    pub rate: u64,
    /// The largest packet, in octets.
    pub mtu: u32,
    /// Octets that a packet has on the link beyond those of IP.
    pub overhead: u32,
    /// What the configuration says of it.
    pub manner: Manner,
    /// How long flows of an earlier run are kept here while nobody asks for them: as long as neighbours' state of it would
    /// live, so that a neighbour that is there has refreshed by then.
    pub keep: Duration,
}

/// What a data plane has to know of the node: the interfaces that are there, by number, and the node's own addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The interfaces.
    pub interfaces: BTreeMap<u32, Facts>,
    /// Addresses of this node: flows that come from them begin here.
    pub own: BTreeSet<IpAddr>,
}

/// Why a reservation cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// Nobody here can do what it asks for: error 21 with this value (RFC 2205 Appendix B).
    #[error("{why}")]
    Unfit {
        /// The Error Value.
        value: u16,
        /// What it is.
        why: String,
    },
    /// The kernel refuses, or its traffic control is in other hands: error 22.
    #[error("{0}")]
    System(String),
}

impl From<EgressError> for Failure {
    fn from(error: EgressError) -> Self {
        let why = error.to_string();
        match error {
            EgressError::Flow(_) => Self::Unfit { value: error_value::BAD_FLOWSPEC, why },
            EgressError::Key(_) => Self::Unfit { value: error_value::SERVICE_UNSUPPORTED, why },
            _ => Self::System(why),
        }
    }
}

/// What became of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The reservation.
    pub reservation: ReservationId,
    /// The interface it is on.
    pub interface: u32,
    /// Nothing if it stands.
    pub failure: Option<Failure>,
}

/// What a data plane is on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whether what is reserved there is carried out, as far as is known.
    pub enforces: bool,
    /// What there is, in a few words.
    pub words: String,
}

/// Carries out reservations. Every call may wait for the kernel; times are of a clock that only goes forward.
pub trait DataPlane: Send {
    /// Interfaces have come, gone or changed: what stands on those that are gone is forgotten, the rest follows. Answers for
    /// reservations that cannot.
    fn look(&mut self, surroundings: Surroundings, now: Duration) -> Vec<Answer>;
    /// What applications ask for the packets of these senders, or no longer: reservations of theirs that stand are told again.
    fn wish(&mut self, _wishes: Vec<((Session, FilterSpec), Option<Wishes>)>) {}
    /// Carries out changes, of each reservation the latest; answers for each that is to stand.
    fn apply(&mut self, changes: Vec<TrafficControl>, now: Duration) -> Vec<Answer>;
    /// Has flows that are made by hand stand, follow or go, of each the latest; answers for each, whether it stands or is gone.
    fn by_hand(
        &mut self,
        changes: Vec<(ReservationId, Option<Arc<FlowByHand>>)>,
        _now: Duration,
    ) -> Vec<Answer> {
        let failure = || Failure::System("nothing carries out flows here".to_owned());
        let answer = |(reservation, flow): (ReservationId, Option<Arc<FlowByHand>>)| Answer {
            reservation,
            interface: flow.as_ref().map_or(0, |flow| flow.interface),
            failure: flow.map(|_| failure()),
        };
        changes.into_iter().map(answer).collect()
    }
    /// Has interfaces have what policies need; what of that cannot be, in words, where that was not said before.
    fn policies(&mut self, _wanted: Arc<WantedPolicies>, _now: Duration) -> Vec<String> {
        Vec::new()
    }
    /// Why policies for programs, cgroups and units match nothing, if there are policies and it is so.
    fn unhooked(&self) -> Option<String> {
        None
    }
    /// What stands of those, and what was counted of it; who uses a flow is to be filled in.
    ///
    /// # Errors
    /// What the kernel says, in words.
    fn flows_by_hand(&mut self) -> Result<BTreeMap<ReservationId, FlowRow>, String> {
        Ok(BTreeMap::new())
    }
    /// What marks sockets that are handed over, so that they can have flows.
    fn socket_marks(&self) -> SocketMarks {
        SocketMarks::default()
    }
    /// What stands, and what was counted of it.
    ///
    /// # Errors
    /// What the kernel says, in words.
    fn flows(&mut self) -> Result<Vec<FlowRow>, String>;
    /// What sessions still have of interfaces from an earlier run: nothing of that may be given to others. Flows only go from
    /// it, because somebody has asked for them again or their time is over.
    fn held(&self) -> Vec<Held> {
        Vec::new()
    }
    /// What it is on each interface of which there is something to say.
    fn states(&self) -> BTreeMap<u32, State>;
    /// When [`tick`](Self::tick) is to be called, if at all.
    fn due(&self) -> Option<Duration>;
    /// Does what time has come for.
    fn tick(&mut self, now: Duration);
    /// Takes everything out of the kernel.
    fn end(&mut self);
    /// Leaves everything in the kernel as it is for the next run, where that is possible; else as [`end`](Self::end).
    fn leave(&mut self) {
        self.end();
    }
}
