//! QOS2: flows that applications give their sockets without signalling. A flow marks and holds back what its sockets send to their
//! peers, and says what the network beyond has.
//!
//! A socket travels as a descriptor beside its line (SCM_RIGHTS), and is called by its cookie. A flow ends with the connection of its
//! client. Numbers and names are those of the published interface: [`TrafficType`], [`Shaping`], [`Reason`].

use core::net::{IpAddr, SocketAddr};
use serde::{Deserialize, Serialize};

/// What a greeting says of a daemon that takes these requests.
pub const CAN_FLOWS: &str = "flows";

/// What a flow is for (QOS_TRAFFIC_TYPE).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrafficType {
    /// Nothing in particular.
    #[default]
    BestEffort,
    /// May wait for everything else.
    Background,
    /// Matters more than best effort.
    ExcellentEffort,
    /// A stream of sound and pictures.
    AudioVideo,
    /// Speech of people who wait for an answer.
    Voice,
    /// What controls the network.
    Control,
}

/// How a flow keeps to its rate (QOS_SHAPING).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shaping {
    /// What is too much waits, and the flow has no mark meanwhile.
    ShapeOnly,
    /// What is too much waits; all packets have the mark.
    ShapeAndMark,
    /// Nothing waits; what is too much has no mark.
    UseNonConformantMarkings,
}

/// Why a rate was set (QOS_FLOWRATE_REASON).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// For no reason that is among these.
    #[default]
    NotApplicable,
    /// The content has another rate now.
    ContentChange,
    /// The network was congested.
    Congestion,
    /// The content is encoded at a higher rate.
    HigherContentEncoding,
    /// The user wanted that.
    UserCaused,
}

/// A rate (QOS_FLOWRATE_OUTGOING).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutgoingRate {
    /// In bits per second of whole IP packets, their headers included.
    pub bandwidth_bps: u64,
    /// What becomes of what is too much.
    pub shaping: Shaping,
    /// Why it is set.
    #[serde(default)]
    pub reason: Reason,
}

/// A socket that is added to a flow (QOSAddSocketToFlow).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The socket is the oldest descriptor of this connection that no line has taken.
    pub fd: bool,
    /// The peer: it has to be said of a socket that is not connected, and is that of one that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<SocketAddr>,
    /// The flow, if there is one already; else one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<u64>,
    /// What the flow is for. Nothing is said of one that is there already, or the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<TrafficType>,
    /// Whether the flow follows what the network has: it gets its mark with its rate, if there is so much, and has one socket.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub adaptive: bool,
}

/// A change of a flow (QOSSetFlow): one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The flow.
    pub flow: u64,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<TrafficType>,
    /// Its rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<OutgoingRate>,
    /// Its DSCP instead of that of its traffic type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dscp: Option<u8>,
}

/// A socket leaves a flow, or the flow ends (QOSRemoveSocketFromFlow).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// The flow.
    pub flow: u64,
    /// The socket is a descriptor that comes along; without it the whole flow ends.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub fd: bool,
}

/// A question about a flow (QOSQueryFlow).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// The flow.
    pub flow: u64,
    /// Which.
    pub what: What,
    /// What was measured before does not count.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub fresh: bool,
}

/// What can be asked of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// What the network has: [`Fundamentals`].
    Fundamentals,
    /// The marks of its packets: [`PacketPriority`].
    PacketPriority,
    /// Its rate, as it was set.
    OutgoingRate,
}

/// A wish to be told, once (QOSNotifyFlow). The answer comes when it is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// The flow.
    pub flow: u64,
    /// Of what.
    pub when: When,
    /// With `available`: so much bandwidth, in bits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_bps: Option<u64>,
}

/// What can be told of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// The network has less than the flow's rate.
    Congested,
    /// It has as much, or more.
    Uncongested,
    /// It has so much.
    Available,
}

/// A host whose path is to be known before a flow to it has a rate (QOSStartTrackingClient).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Track {
    /// The host.
    pub host: IpAddr,
}

/// What the network has on a flow's way (QOS_FLOW_FUNDAMENTALS); what is not known is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fundamentals {
    /// The rate of the narrowest link, in bits per second of IP packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck_bps: Option<u64>,
    /// What of it others leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_bps: Option<u64>,
    /// The time to the peer and back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_us: Option<u64>,
    /// By what it is known: `adspec`, `responder` or `tcp`.
    #[serde(default)]
    pub by: String,
}

/// The marks of a flow's packets (QOS_PACKET_PRIORITY); those of packets that do not conform where there are any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketPriority {
    /// The DSCP.
    pub dscp: u8,
    /// That of packets beyond the rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_dscp: Option<u8>,
    /// The IEEE 802.1p priority, where packets have one.
    pub priority: u8,
    /// That of packets beyond the rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_priority: Option<u8>,
}

/// A flow as it is listed (QOSEnumerateFlows), or a part of that as the answer to a question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its number.
    pub flow: u64,
    /// Whose it is.
    pub uid: u32,
    /// What it is for.
    pub traffic: TrafficType,
    /// Whether it follows what the network has.
    pub adaptive: bool,
    /// Its rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<OutgoingRate>,
    /// The marks of its packets.
    pub marks: PacketPriority,
    /// Its sockets.
    pub sockets: Vec<SocketRow>,
}

/// A socket of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketRow {
    /// Its cookie.
    pub socket: u64,
    /// Its protocol.
    pub transport: crate::sockets::Transport,
    /// Where it is bound, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<SocketAddr>,
    /// The peer for which it has the flow.
    pub destination: SocketAddr,
    /// The interface by which its packets leave; nothing while none leads there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Whether the peer is on the link.
    pub on_link: bool,
}

impl OutgoingRate {
    /// `bandwidth_bps` of this much is no rate: a flow is held to none any more (QOS_OUTGOING_DEFAULT_MINIMUM_BANDWIDTH).
    pub const NO_RATE_BPS: u64 = 0xffff_ffff;

    /// A rate in bits per second of whole IP packets, for no reason that is said.
    #[must_use]
    pub const fn new(bandwidth_bps: u64, shaping: Shaping) -> Self {
        Self { bandwidth_bps, shaping, reason: Reason::NotApplicable }
    }

    /// The same for a reason.
    #[must_use]
    pub const fn because(self, reason: Reason) -> Self {
        Self { reason, ..self }
    }
}
