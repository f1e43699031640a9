//! ServiceType: which service a flowspec asks for, and what is left out locally.
//!
//! ```text
//!  31 30        24                             7             0
//! +--+--+------+--+---------------------------+---------------+
//! |T |Q |      |T |                           | service       |   T T: no traffic control, Q: no QoS signalling
//! +--+--+------+--+---------------------------+---------------+
//! ```
//!
//! Source: the published pages of FLOWSPEC and of the service types. The services that were defined in bits 16 to 23
//! "but not supported" (0x80010000 and its like) are deliberately unknown. What a service does to packets is in
//! [`marking`](super::marking).

use rsvp_wire::Flowspec as WireFlowspec;

/// The services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ServiceType {
    /// No traffic in this direction; signalling is off for it.
    NoTraffic,
    /// Best effort: nothing is signalled.
    BestEffort,
    /// As if the network had no load (RFC 2211).
    ControlledLoad,
    /// A rate for sure, and a bound of the delay (RFC 2212).
    Guaranteed,
    /// Said by the network only: it is gone.
    NetworkUnavailable,
    /// Of a sender only: receivers may choose any service.
    GeneralInformation,
    /// This direction stays as it is.
    #[default]
    NoChange,
    /// The class of traffic that does not conform.
    NonConforming,
    /// What controls the network, RSVP itself for one.
    NetworkControl,
    /// Better than best effort, but in no numbers (RFC 2997).
    Qualitative,
}

const NO_TRAFFIC_CONTROL: u32 = 0x8100_0000;
const NO_QOS_SIGNALING: u32 = 0x4000_0000;

/// All services with their numbers.
const NUMBERS: [(ServiceType, u32); 10] = [
    (ServiceType::NoTraffic, 0x0),
    (ServiceType::BestEffort, 0x1),
    (ServiceType::ControlledLoad, 0x2),
    (ServiceType::Guaranteed, 0x3),
    (ServiceType::NetworkUnavailable, 0x4),
    (ServiceType::GeneralInformation, 0x5),
    (ServiceType::NoChange, 0x6),
    (ServiceType::NonConforming, 0x9),
    (ServiceType::NetworkControl, 0xa),
    (ServiceType::Qualitative, 0xd),
];

impl ServiceType {
    /// The number of the service.
    #[must_use]
    pub fn number(self) -> u32 {
        NUMBERS.iter().find(|(service, _)| *service == self).map_or(0, |(_, number)| *number)
    }

    /// The service of a number.
    #[must_use]
    pub fn of_number(number: u32) -> Option<Self> {
        NUMBERS.iter().find(|(_, listed)| *listed == number).map(|(service, _)| *service)
    }

    /// Whether RSVP has a service for it. Network control and non-conforming traffic have classes on this host only.
    #[must_use]
    pub const fn is_signalled(self) -> bool {
        matches!(self, Self::ControlledLoad | Self::Guaranteed | Self::GeneralInformation | Self::Qualitative)
    }

    /// The service that a reservation is of.
    #[must_use]
    pub const fn of_reservation(flowspec: &WireFlowspec) -> Self {
        match flowspec {
            WireFlowspec::ControlledLoad(_) => Self::ControlledLoad,
            WireFlowspec::Guaranteed(..) => Self::Guaranteed,
            WireFlowspec::Null(_) => Self::Qualitative,
        }
    }
}

/// The whole field: a service, and what is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Service {
    /// The service.
    pub service_type: ServiceType,
    /// SERVICE_NO_TRAFFIC_CONTROL: traffic control of this host stays out of it.
    pub no_traffic_control: bool,
    /// SERVICE_NO_QOS_SIGNALING: no Path for a sender, no Resv for a receiver until the flag is cleared.
    pub no_qos_signaling: bool,
}

impl From<ServiceType> for Service {
    fn from(service_type: ServiceType) -> Self {
        Self { service_type, no_traffic_control: false, no_qos_signaling: false }
    }
}

impl Service {
    /// The field as a word; `None` for a service that is unknown or not supported.
    #[must_use]
    pub fn of_word(word: u32) -> Option<Self> {
        let no_traffic_control = word & NO_TRAFFIC_CONTROL == NO_TRAFFIC_CONTROL;
        let flag = if no_traffic_control { NO_TRAFFIC_CONTROL } else { 0 };
        Some(Self {
            service_type: ServiceType::of_number(word & !flag & !NO_QOS_SIGNALING)?,
            no_traffic_control,
            no_qos_signaling: word & NO_QOS_SIGNALING != 0,
        })
    }

    /// The field as a word.
    #[must_use]
    pub fn word(self) -> u32 {
        let flag = |set, flag| if set { flag } else { 0 };
        self.service_type.number()
            | flag(self.no_traffic_control, NO_TRAFFIC_CONTROL)
            | flag(self.no_qos_signaling, NO_QOS_SIGNALING)
    }

    /// Whether this direction turns RSVP on.
    #[must_use]
    pub const fn is_signalled(self) -> bool {
        self.service_type.is_signalled() && !self.no_qos_signaling
    }
}
