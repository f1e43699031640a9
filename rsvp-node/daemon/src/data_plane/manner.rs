//! What the configuration says of an interface's traffic: what becomes of packets beyond a TSpec, marks, classes by DSCP.

use super::bpf::Mode;
use super::tree::Service;
use std::collections::BTreeMap;

/// What flows are treated as: services that can be reserved, and those of flows of this host without a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reserved {
    /// Guaranteed service (RFC 2212).
    Guaranteed,
    /// Controlled-Load service (RFC 2211).
    ControlledLoad,
    /// The Null service (RFC 2997): a mark, and no rate.
    Qualitative,
    /// What controls the network; of this host alone.
    NetworkControl,
    /// Best effort; of this host alone.
    BestEffort,
}

impl Reserved {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Guaranteed, Self::ControlledLoad, Self::Qualitative, Self::NetworkControl, Self::BestEffort];

    /// What it is called in configurations and listings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Guaranteed => "guaranteed",
            Self::ControlledLoad => "controlled-load",
            Self::Qualitative => "null",
            Self::NetworkControl => "network-control",
            Self::BestEffort => "best-effort",
        }
    }
}

/// Marks of packets. What is not set stays as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The DSCP, 0 to 63.
    pub dscp: Option<u8>,
    /// The priority code point of IEEE 802.1Q, 0 to 7, written into a VLAN tag.
    pub pcp: Option<u8>,
}

/// What is done to the packets of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handling {
    /// What is done about packets beyond the TSpec.
    pub mode: Mode,
    /// The marks of packets that conform.
    pub conforming: Marks,
    /// And of those that do not.
    pub excess: Marks,
}

/// What the configuration says of an interface's traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Whether a queueing discipline that somebody has put there is replaced, and put back at the end.
    pub take_over: bool,
    /// Whether marks that requests ask for take the place of those of the tables, for packets that conform.
    pub received_marks: bool,
    /// What is done to the packets of each service.
    pub handling: BTreeMap<Reserved, Handling>,
    /// The class of packets that belong to no flow, by DSCP.
    pub classes: BTreeMap<u8, Service>,
    /// Their priority code point, by DSCP; others get none.
    pub priorities: BTreeMap<u8, u8>,
}

impl Manner {
    /// What is done to the packets of a service; nothing, where nothing was said.
    #[must_use]
    pub fn of(&self, service: Reserved) -> Handling {
        let nothing = Handling { mode: Mode::Borrow, conforming: Marks::default(), excess: Marks::default() };
        self.handling.get(&service).copied().unwrap_or(nothing)
    }
}
