//! Flows and filters by hand: what a program says that makes flows without signalling, as the traffic control interface of the QoS
//! APIs has it (RFC 2205 section 3.11.2 has the same calls).
//!
//! A flow belongs to its client and ends with it. A filter has bits and which of them count: [`AddressMask`], [`PortMask`].

mod bits;

pub use bits::{AddressMask, PortMask, Protocol, Spi};

use crate::qos::Service;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a greeting says of a daemon that takes these requests.
pub const CAN_TC: &str = "tc";

/// What becomes of packets beyond a flow's traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They leave, marked, behind everything else.
    Borrow,
    /// They wait.
    Shape,
    /// They are dropped.
    Discard,
}

/// A flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// To change it: the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<u64>,
    /// To make it: the interface by which its packets leave, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The service, and the traffic that is to get it.
    pub flowspec: Service,
    /// What becomes of packets beyond the traffic; else as the interface has it for the service (QOS_SD_MODE).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The DSCP of packets that conform; else that of the service (QOS_DS_CLASS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dscp: Option<u8>,
    /// Their IEEE 802.1p priority, where priority tags are written (QOS_TRAFFIC_CLASS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// The DSCP of packets that do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_dscp: Option<u8>,
    /// Their priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_priority: Option<u8>,
    /// The rate of shaping in the place of the traffic's, in bits per second (QOS_SHAPING_RATE).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shaping_rate_bps: Option<u64>,
    /// The packets have the marks of TCP traffic, which are those of best effort, whatever else is said (QOS_TCP_TRAFFIC).
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub tcp_traffic: bool,
    /// What it is called in listings (QOS_FRIENDLY_NAME).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Forwarded packets that are of it by the DSCP with which they come (QOS_DIFFSERV).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// Forwarded packets that come with a DSCP, and the marks with which they leave (QOS_DIFFSERV_RULE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The DSCP with which they come.
    pub inbound: u8,
    /// The DSCP with which they leave if they conform.
    pub dscp: u8,
    /// And if they do not.
    pub excess_dscp: u8,
    /// Their priority if they conform, where priority tags are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// And if they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_priority: Option<u8>,
}

/// Packets of a flow: those that have all that is said. What is not said is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// The flow.
    pub flow: u64,
    /// Destination address: `10.0.2.2`, `10.0.2.0/24`, `10.0.0.2/255.0.0.255`.
    #[serde(with = "crate::text::option")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<AddressMask>,
    /// Source address.
    #[serde(with = "crate::text::option")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<AddressMask>,
    /// IP protocol, by number or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Source port: `4000`, `0x1000/0xf000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_port: Option<PortMask>,
    /// Destination port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_port: Option<PortMask>,
    /// Type of ICMP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icmp_type: Option<u8>,
    /// Code of ICMP; only with a type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icmp_code: Option<u8>,
    /// Security parameter index of ESP or AH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spi: Option<Spi>,
}

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Only of this interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Only this flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<u64>,
}

/// The marks of a service. What is not said is not changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// The DSCP of packets that conform, by name or number; `keep` leaves them theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dscp: Option<String>,
    /// Their priority, where priority tags are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// The DSCP of packets that do not conform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_dscp: Option<String>,
    /// Their priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_priority: Option<u8>,
}

/// What is set of an interface, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The interface, by name; else it holds for all that have not been told otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Marks by service: `guaranteed`, `controlled-load`, `null`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<String, Marks>,
    /// The class of packets of no flow by their DSCP: `network-control`, `best-effort`, `qualitative`, `non-conforming`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<BTreeMap<String, String>>,
    /// Before that, what was set is forgotten: the configuration holds.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub reset: bool,
}

/// What interfaces and flows have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Interfaces.
    pub interfaces: Vec<InterfaceReport>,
    /// Flows.
    pub flows: Vec<FlowReport>,
}

/// What an interface has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceReport {
    /// Its name.
    pub interface: String,
    /// False while the link is down.
    pub up: bool,
    /// Rate of the link, in bits per second.
    pub bandwidth_bps: u64,
    /// What flows and reservations may have together, in bits per second.
    pub reservable_bps: u64,
    /// What is left of that.
    pub remaining_bps: u64,
    /// Flows that are made by hand.
    pub flows: usize,
    /// Their filters.
    pub filters: usize,
    /// How many masks these have, of 16 that can be.
    pub masks: usize,
    /// What carries flows out here, in a few words.
    pub data_plane: String,
}

/// A flow, and what was counted of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowReport {
    /// Its number.
    pub flow: u64,
    /// Whether it is of the client that asks.
    pub own: bool,
    /// The interface by which its packets leave.
    pub interface: String,
    /// What was said of it.
    pub said: Flow,
    /// Its filters, by their numbers.
    pub filters: BTreeMap<u64, Filter>,
    /// The rate to which it is held, in bits per second; 0 of the Null service, and while it does not stand yet.
    pub rate_bps: u64,
    /// What the data plane has; nothing while it does not stand there yet.
    pub counted: Option<Counted>,
}

/// What the data plane has of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The class of packets that conform; nothing where the interface has no classes.
    pub class: Option<String>,
    /// Packets that conformed.
    pub packets: u64,
    /// Their octets, from the IP header on.
    pub octets: u64,
    /// Packets that did not conform.
    pub excess_packets: u64,
    /// Their octets.
    pub excess_octets: u64,
    /// Packets that were dropped: of the excess, or because the flow's own class was full.
    pub dropped_packets: u64,
    /// Octets that wait in the flow's own class; nothing where it shares one.
    pub backlog_octets: Option<u32>,
}

/// Something that happened to interfaces and flows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A flow has ended (TC_NOTIFY_FLOW_CLOSE).
    FlowClosed {
        /// The flow.
        flow: u64,
        /// What it was called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The interface that it was on.
        interface: String,
        /// Why, in words.
        why: String,
    },
    /// An interface went down (TC_NOTIFY_IFC_CLOSE). Flows stay unless it is gone.
    InterfaceDown {
        /// The interface.
        interface: String,
    },
    /// An interface is up (TC_NOTIFY_IFC_UP).
    InterfaceUp {
        /// The interface.
        interface: String,
    },
    /// A parameter of an interface has changed (TC_NOTIFY_PARAM_CHANGED).
    ParameterChanged {
        /// The interface.
        interface: String,
        /// Which: `remaining-bps`, `flows`, `marks`.
        parameter: String,
        /// What it is now; nothing of marks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<u64>,
    },
}
