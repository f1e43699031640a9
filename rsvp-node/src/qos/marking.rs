//! What a service does to packets: what becomes of those that do not conform, and the marks of both.
//!
//! | service | mode | DSCP | 802.1p | not conforming |
//! |---|---|---|---|---|
//! | network control | borrow (ours) | 48 | 7 | 0, 1 |
//! | Guaranteed | shape | 40 | 5 | 0, 1 |
//! | Controlled-Load | borrow | 24 | 4 | 0, 1 |
//! | best effort, Qualitative | borrow (of Qualitative ours) | 0 | 0 | 0, 0 |
//!
//! Marks come from the first that has one: QOS_TCP_TRAFFIC (the marks of all TCP), QOS_DS_CLASS and QOS_TRAFFIC_CLASS of the
//! application or of the network (for conforming packets), the table of the interface, the table of the system, this
//! table. Source: the published pages of the objects and of traffic control, and the Windows 2000 registry reference for
//! 802.1p. Which packets conform is deliberately not decided here.

use super::objects::traffic::SdMode;
use super::service_type::{Service, ServiceType};
use std::collections::BTreeMap;

/// The marks of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Marks {
    /// The DSCP, 0 to 63: the upper six bits of the DS field.
    pub dscp: u8,
    /// The IEEE 802.1p priority, 0 to 7.
    pub priority: u8,
}

/// Marks, as far as somebody says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct OwnMarks {
    dscp: Option<u8>,
    priority: Option<u8>,
}

impl OwnMarks {
    /// `None` when the DSCP is above 63 or the priority above 7.
    #[must_use]
    pub fn new(dscp: Option<u8>, priority: Option<u8>) -> Option<Self> {
        let fit = dscp.is_none_or(|dscp| dscp < 64) && priority.is_none_or(|priority| priority < 8);
        fit.then_some(Self { dscp, priority })
    }

    const fn or(self, other: Self) -> Self {
        let dscp = if self.dscp.is_some() { self.dscp } else { other.dscp };
        let priority = if self.priority.is_some() { self.priority } else { other.priority };
        Self { dscp, priority }
    }
}

/// Marks that an administrator has changed, of an interface or of the system.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MarkTable {
    /// Of packets that conform.
    pub conforming: BTreeMap<ServiceType, OwnMarks>,
    /// Of those that do not.
    pub nonconforming: BTreeMap<ServiceType, OwnMarks>,
    /// Of TCP traffic that is to have the marks of all TCP.
    pub tcp: OwnMarks,
}

/// What a flow's objects, or the network's answer, say about its marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FlowMarks {
    /// QOS_TCP_TRAFFIC is there.
    pub tcp_traffic: bool,
    /// QOS_DS_CLASS and QOS_TRAFFIC_CLASS, or DCLASS and TCLASS from the network.
    pub own: OwnMarks,
}

/// What becomes of packets that do not conform, when a flow does not say otherwise; before a reservation is there, too.
#[must_use]
pub const fn default_mode(service: ServiceType) -> SdMode {
    match service {
        ServiceType::Guaranteed => SdMode::Shape,
        _ => SdMode::Borrow,
    }
}

/// The service that packets are marked for: best effort until a reservation is there, unless none is asked for.
#[must_use]
pub const fn marked_as(service: Service, reserved: bool) -> ServiceType {
    if service.is_signalled() && !reserved { ServiceType::BestEffort } else { service.service_type }
}

/// The marks of the built-in table.
#[must_use]
pub const fn default_marks(service: ServiceType, conforms: bool) -> Marks {
    match (service, conforms) {
        (ServiceType::NetworkControl, true) => Marks { dscp: 48, priority: 7 },
        (ServiceType::Guaranteed, true) => Marks { dscp: 40, priority: 5 },
        (ServiceType::ControlledLoad, true) => Marks { dscp: 24, priority: 4 },
        (ServiceType::NetworkControl | ServiceType::Guaranteed | ServiceType::ControlledLoad, false)
        | (ServiceType::NonConforming, _) => Marks { dscp: 0, priority: 1 },
        _ => Marks { dscp: 0, priority: 0 },
    }
}

/// The marks of a packet of this service.
#[must_use]
pub fn marks(
    service: ServiceType,
    conforms: bool,
    flow: &FlowMarks,
    interface: &MarkTable,
    system: &MarkTable,
) -> Marks {
    let Marks { dscp, priority } = default_marks(service, conforms);
    let built_in = OwnMarks { dscp: Some(dscp), priority: Some(priority) };
    let own = if conforms { flow.own } else { OwnMarks::default() };
    let of = |table: &MarkTable| {
        let part = if conforms { &table.conforming } else { &table.nonconforming };
        part.get(&service).copied().unwrap_or_default()
    };
    let chosen = if flow.tcp_traffic {
        interface.tcp.or(system.tcp)
    } else {
        own.or(of(interface)).or(of(system)).or(built_in)
    };
    Marks { dscp: chosen.dscp.unwrap_or(0), priority: chosen.priority.unwrap_or(0) }
}

/// Services from the first to be sent to the last.
pub const SCHEDULED: [ServiceType; 6] = [
    ServiceType::NetworkControl,
    ServiceType::Guaranteed,
    ServiceType::ControlledLoad,
    ServiceType::BestEffort,
    ServiceType::Qualitative,
    ServiceType::NonConforming,
];

/// Access categories of wireless networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wmm {
    /// AC_VO.
    Voice,
    /// AC_VI.
    Video,
    /// AC_BE.
    BestEffort,
    /// AC_BK.
    Background,
}

/// The access category of a DSCP, by its class selector.
#[must_use]
pub const fn wmm(dscp: u8) -> Wmm {
    match dscp {
        48.. => Wmm::Voice,
        32..=47 => Wmm::Video,
        8..=23 => Wmm::Background,
        24..=31 | 0..=7 => Wmm::BestEffort,
    }
}
