//! What the daemon says: a line, what a request yields, and why one was not done.

use crate::rows::Rows;
use crate::{Event, Watched, flows, policy, sockets, tc};
use serde::{Deserialize, Serialize};

/// A line of the daemon: the greeting, the answer to a request, or something that happened. Exactly one of the groups is
/// there; a client passes over what it does not know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Greeting: the [`VERSION`](crate::VERSION) that the daemon speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Greeting: name and version of the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemon: Option<String>,
    /// Greeting: what the daemon can do beside what all daemons of the version can; [`sockets::CAN_QOS`] for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can: Option<Vec<String>>,
    /// Answer: the `id` of the request; not there when the request had none that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// Answer: it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Done>,
    /// Answer: it was not, and nothing has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// Something happened in a session that this client has open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// The network did something for a socket that this client has handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<sockets::FdQos>,
    /// Something happened to a flow of this client that was made by hand, or to any for those that asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tc: Option<tc::Event>,
    /// The last descriptor of this socket, which this client has handed over, is closed: its QoS has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<u64>,
    /// Something happened on the node, for those that subscribed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Watched>,
}

/// What a request that was done yields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Listing: how many rows there are, also those beyond what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
    /// Listing: the rows.
    #[serde(default, skip_serializing_if = "Option::is_none", flatten)]
    pub rows: Option<Rows>,
    /// A socket that was handed over, as the daemon sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<sockets::Opened>,
    /// What the host can do for a socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<sockets::Checks>,
    /// The number of a flow that was made by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<u64>,
    /// The number of its filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<u64>,
    /// What interfaces and flows have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tc: Option<tc::Report>,
    /// What the network has on the way of a flow of sockets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fundamentals: Option<flows::Fundamentals>,
    /// The marks of its packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<flows::PacketPriority>,
    /// Its rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<flows::OutgoingRate>,
    /// Flows of sockets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket_flows: Option<Vec<flows::Row>>,
    /// What was asked of policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<policy::Report>,
    /// All templates, the base ones first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub templates: Option<Vec<sockets::TemplateRow>>,
    /// A template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<sockets::Template>,
}

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// One word for programs; `docs/control.md` has them all.
    pub code: String,
    /// A sentence for people: what was wrong and what to do.
    pub message: String,
    /// Of a request for a socket's traffic that makes no sense: the WSA_QOS_* status, 11016 to 11031, and the finer value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<(u32, u32)>,
}

impl Problem {
    /// A problem of this kind.
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), qos: None }
    }
}
