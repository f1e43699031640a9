//! Installed reservations: what RFC 2209 calls TCSBs. One for each session and outgoing interface, and for FF for each
//! sender too.

use super::arena::{Id, Ix};
use super::flags::flags;
use super::session::SessionState;
use crate::api::{Police, Remark, ReservationId};
use crate::budget::Charge;
use crate::interface::InterfaceId;
use crate::key::{SenderKey, StyleKind};
use rsvp_wire::{FilterSpec, Flowspec};

/// Where data of a session leaves this node, and has its reservations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) session: Ix<SessionState>,
    pub(crate) interface: InterfaceId,
}

/// One traffic control state block.
#[derive(Clone, Debug)]
pub(crate) struct Reserved {
    pub(crate) session: Ix<SessionState>,
    /// The installed reservations of the session before and behind it.
    pub(crate) prev: Option<Ix<Self>>,
    pub(crate) next: Option<Ix<Self>>,
    pub(crate) interface: InterfaceId,
    pub(crate) style: StyleKind,
    pub(crate) filters: Filters,
    /// The effective flowspec.
    pub(crate) flowspec: Flowspec,
    /// What it takes of the interface's budget, in bits per second.
    pub(crate) charge_bps: u64,
    pub(crate) remark: Remark,
    pub(crate) flags: ReservedFlags,
}

flags! {
    /// How a reservation is policed, and what has been said of it.
    ReservedFlags {
        /// The policing flags (RFC 2205 section 3.8).
        entry, set_entry = 0;
        merge, set_merge = 1;
        branch, set_branch = 2;
        /// The data plane has made it smaller than was asked for; it stays so while the same is asked for.
        reduced, set_reduced = 3;
        /// An intent to tell the data plane is queued.
        queued, set_queued = 4;
        /// The data plane has been told of it.
        announced, set_announced = 5;
    }
}

impl Reserved {
    pub(crate) fn branch(&self) -> Branch {
        Branch { session: self.session, interface: self.interface }
    }

    /// How it is policed.
    pub(crate) fn police(&self) -> Police {
        Police { entry: self.flags.entry(), merge: self.flags.merge(), branch: self.flags.branch() }
    }

    /// What it takes of the interface's budget.
    pub(crate) fn charge(&self) -> Charge {
        Charge { bps: self.charge_bps, guaranteed: matches!(self.flowspec, Flowspec::Guaranteed(..)) }
    }
}

impl From<Id<Reserved>> for ReservationId {
    fn from(Id { ix, generation }: Id<Reserved>) -> Self {
        Self { index: ix.place(), generation }
    }
}

/// The senders a reservation is for, in ascending order: none named for WF, one for FF, a list for SE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filters {
    Wildcard,
    One(SenderKey),
    Many(Box<[SenderKey]>),
}

impl Filters {
    pub(crate) fn as_slice(&self) -> &[SenderKey] {
        match self {
            Self::Wildcard => &[],
            Self::One(filter) => core::slice::from_ref(filter),
            Self::Many(filters) => filters,
        }
    }

    pub(crate) fn objects(&self) -> Vec<FilterSpec> {
        SenderKey::objects(self.as_slice())
    }

    /// Whether some sender may use both.
    pub(crate) fn overlap(&self, other: &Self) -> bool {
        matches!(self, Self::Wildcard) || matches!(other, Self::Wildcard) || {
            other.as_slice().iter().any(|f| self.selects(f))
        }
    }

    pub(crate) fn selects(&self, sender: &SenderKey) -> bool {
        matches!(self, Self::Wildcard) || self.as_slice().binary_search(sender).is_ok()
    }
}
