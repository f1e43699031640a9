//! What a socket's traffic is and needs, in the words of Generic QoS: QOS, FLOWSPEC and the objects beside them.
//!
//! Unlike the rest of the protocol, rates are in octets per second and sizes in octets of the application's own, as those
//! structures have them; what headers add is the daemon's business. What the values may be is judged by it, too.

use crate::Octets;
use crate::qos::Style;
use core::net::SocketAddr;
use rsvp_wire::FilterSpec;
use serde::{Deserialize, Serialize};

/// QOS: two directions, and objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Qos {
    /// What this host sends.
    #[serde(default)]
    pub sending: Flowspec,
    /// What this host receives.
    #[serde(default)]
    pub receiving: Flowspec,
    /// The objects of the provider-specific buffer; those that only come back have no words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Object>,
}

/// FLOWSPEC: one direction. What is not there is not specified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flowspec {
    /// The service.
    #[serde(default)]
    pub service: ServiceType,
    /// Rate of the token bucket, in octets per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_rate: Option<u32>,
    /// Depth of the token bucket, in octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_bucket_size: Option<u32>,
    /// Limit of the rate within bursts, in octets per second, or `"infinite"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_bandwidth: Option<Peak>,
    /// Longest delay, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u32>,
    /// Difference between longest and shortest delay, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_variation_us: Option<u32>,
    /// Largest packet, in octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_sdu_size: Option<u32>,
    /// Smaller packets count as this large, in octets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_policed_size: Option<u32>,
    /// SERVICE_NO_TRAFFIC_CONTROL.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub no_traffic_control: bool,
    /// SERVICE_NO_QOS_SIGNALING.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub no_qos_signaling: bool,
}

/// The services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceType {
    /// SERVICETYPE_NOTRAFFIC.
    NoTraffic,
    /// SERVICETYPE_BESTEFFORT.
    BestEffort,
    /// SERVICETYPE_CONTROLLEDLOAD.
    ControlledLoad,
    /// SERVICETYPE_GUARANTEED.
    Guaranteed,
    /// SERVICETYPE_NETWORK_UNAVAILABLE: in notifications only.
    NetworkUnavailable,
    /// SERVICETYPE_GENERAL_INFORMATION.
    GeneralInformation,
    /// SERVICETYPE_NOCHANGE.
    #[default]
    NoChange,
    /// SERVICETYPE_NONCONFORMING.
    NonConforming,
    /// SERVICETYPE_NETWORK_CONTROL.
    NetworkControl,
    /// SERVICETYPE_QUALITATIVE.
    Qualitative,
}

/// PeakBandwidth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Peak {
    /// In octets per second.
    Rate(u32),
    /// No limit.
    Word(Infinite),
}

/// The word for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Infinite {
    /// POSITIVE_INFINITY_RATE.
    Infinite,
}

/// An object of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "object", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Object {
    /// RSVP_RESERVE_INFO, 1001.
    ReserveInfo {
        /// WF, FF or SE; the socket's own, when not there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        style: Option<Style>,
        /// Asks for a confirmation.
        #[serde(default, skip_serializing_if = "super::is_false")]
        confirm: bool,
        /// Policy elements, each whole.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        policy: Vec<Octets>,
        /// What is asked for whom.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        flows: Vec<FlowDescriptor>,
    },
    /// RSVP_POLICY_INFO, 1003.
    PolicyInfo {
        /// Policy elements, each whole: length and type in front (RFC 2750).
        elements: Vec<Octets>,
    },
    /// QOS_SD_MODE, 2002.
    SdMode {
        /// What becomes of traffic that does not conform.
        mode: SdMode,
    },
    /// QOS_SHAPING_RATE, 2003.
    ShapingRate {
        /// In octets per second.
        rate: u32,
    },
    /// QOS_DESTADDR, 2004.
    Destination {
        /// Where a socket without a peer sends to.
        address: SocketAddr,
    },
    /// QOS_DS_CLASS, 4001.
    DsClass {
        /// 0 to 63.
        dscp: u32,
    },
    /// QOS_TRAFFIC_CLASS, 4002.
    TrafficClass {
        /// 0 to 7.
        priority: u32,
    },
    /// QOS_TCP_TRAFFIC, 4004.
    TcpTraffic {},
    /// QOS_FRIENDLY_NAME, 4005.
    FriendlyName {
        /// A name for displays.
        name: String,
    },
}

/// FLOWDESCRIPTOR: a request, and the senders it is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowDescriptor {
    /// The request.
    pub flowspec: Flowspec,
    /// The senders, as `10.0.1.1:4000`.
    #[serde(with = "crate::text::list")]
    #[serde(default)]
    pub filters: Vec<FilterSpec>,
}

/// ShapeDiscardMode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SdMode {
    /// TC_NONCONF_BORROW.
    Borrow,
    /// TC_NONCONF_SHAPE.
    Shape,
    /// TC_NONCONF_DISCARD.
    Discard,
    /// TC_NONCONF_BORROW_PLUS, which is refused.
    BorrowPlus,
}
