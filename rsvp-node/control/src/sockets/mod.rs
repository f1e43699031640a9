//! QoS sockets: an application hands over a socket, says what it needs, and is told what the network did (Generic QoS).
//!
//! A socket travels as a descriptor beside its line (SCM_RIGHTS), or, where descriptors cannot, as its type and names in words.
//! The daemon closes its copy at once and calls the socket by its cookie (SO_COOKIE). What is said of traffic is in [`values`].

#[cfg(feature = "engine")]
mod engine;
pub mod values;

use core::net::SocketAddr;
use rsvp_wire::{SenderTemplate, Session};
use serde::{Deserialize, Serialize};
use values::{Flowspec, Qos};

use crate::qos::Offer;
use crate::{Carried, Fault};

/// Where `rsvpd` listens for programs of any user unless told otherwise: requests about QoS sockets are all it takes there.
pub const DEFAULT_QOS_SOCKET: &str = "/run/rsvpd/qos.sock";

/// The environment variable that names another socket for [`DEFAULT_QOS_SOCKET`].
pub const QOS_SOCKET_VARIABLE: &str = "RSVP_QOS_SOCKET";

/// What a greeting says the daemon can do beside the requests that all daemons of the version take.
pub const CAN_QOS: &str = "qos";

/// And that it keeps templates.
pub const CAN_TEMPLATES: &str = "templates";

/// Most descriptors that may wait on a connection for the lines that they belong to.
pub const MOST_DESCRIPTORS: usize = 16;

/// The protocols whose sockets have QoS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A socket that is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Its descriptor is the oldest one of this connection that no line has taken; then nothing else is said.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fd: bool,
    /// In words: its protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// In words: where it is bound, as `10.0.1.1:4000` or `0.0.0.0:4000`; nothing while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<SocketAddr>,
    /// In words: its peer, once it is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<SocketAddr>,
}

/// A request for a socket's traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The socket.
    pub socket: u64,
    /// What it needs. A direction that says `no-change` stays as it is.
    pub qos: Qos,
}

/// What the host can do for a socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The socket.
    pub socket: u64,
    /// For this traffic; otherwise for what was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<Qos>,
}

/// A template: traffic by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// What it says.
    pub qos: Qos,
}

/// A template as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRow {
    /// Its name.
    pub name: String,
    /// It is one of those that are always there.
    pub base: bool,
    /// What it says of what is sent.
    pub sending: Flowspec,
    /// What it says of what is received.
    pub receiving: Flowspec,
}

/// A group that a socket takes part in, which is the only way to multicast QoS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The socket.
    pub socket: u64,
    /// Address and port of the group.
    pub group: SocketAddr,
    /// As what.
    #[serde(default)]
    pub leaf: Leaf,
    /// What it needs there; otherwise what was set for the socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<Qos>,
    /// The interface, by name; otherwise the one that routing implies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
}

/// As what a socket is in a group: JL_SENDER_ONLY, JL_RECEIVER_ONLY, JL_BOTH.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leaf {
    /// It sends.
    Sender,
    /// It receives.
    Receiver,
    /// Both.
    #[default]
    Both,
}

impl Leaf {
    /// Whether it sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::Sender | Self::Both)
    }

    /// Whether it receives.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::Receiver | Self::Both)
    }
}

/// A socket was bound, connected, connected elsewhere or disconnected: its names are to be read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// The socket.
    pub socket: u64,
    /// Its descriptor comes along, as in [`Open`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub fd: bool,
    /// In words, of a socket that was opened in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<SocketAddr>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<SocketAddr>,
}

/// A direction of a socket was shut down, and its QoS with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// The socket.
    pub socket: u64,
    /// Which.
    pub how: How,
}

/// Directions of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// What it sends.
    Sending,
    /// What it receives.
    Receiving,
    /// Both.
    Both,
}

/// What a socket that was handed over is, as the daemon sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// What it is called from now on: its cookie (SO_COOKIE), or a number for one in words.
    pub socket: u64,
    /// Its protocol.
    pub transport: Transport,
    /// Where it is bound.
    pub local: Option<SocketAddr>,
    /// Its peer.
    pub peer: Option<SocketAddr>,
}

/// The six checks (SIO_CHK_QOS, 50001 to 50006); nothing where the host does not know. A "no" is advice: what is sent anyway is
/// best effort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// 50001: the rate that is set for sending is within what is allowed to one flow.
    pub allowed_to_send_data: Option<bool>,
    /// 50002: and so the rate for receiving.
    pub able_to_recv_rsvp: Option<bool>,
    /// 50003: the capacity of the interface, in kilobits per second.
    pub line_rate_kbps: Option<u32>,
    /// 50004: there is traffic control.
    pub local_traffic_control: Option<bool>,
    /// 50005: this host can do QoS.
    pub local_qosability: Option<bool>,
    /// 50006: and so can the whole path.
    pub end_to_end_qosability: Option<bool>,
}

/// A notification (FD_QOS): what the network did for a socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FdQos {
    /// The socket.
    pub socket: u64,
    /// What it is about: a WSA_QOS_* number, 11005 to 11031.
    pub status: u32,
    /// And its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// ExtendedStatus1 and ExtendedStatus2: general code and finer value, 56000 and up; zeroes for none.
    pub extended: (u32, u32),
    /// Of which session; nothing where notifications were lost.
    #[serde(with = "crate::text::option")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// What this host sends, as the network has it; otherwise it says `no-change`.
    #[serde(default)]
    pub sending: Flowspec,
    /// What this host receives, as the network has it; otherwise it says `no-change`.
    #[serde(default)]
    pub receiving: Flowspec,
    /// What the path offers a receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adspec: Option<Offer>,
    /// The senders it is about: all that are there, those that are reserved for, or those in error; none for all.
    #[serde(with = "crate::text::list")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub senders: Vec<SenderTemplate>,
    /// Policy and marks that came with what it is about.
    #[serde(flatten)]
    pub carried: Carried,
    /// The error, with the node that found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
    /// Why a Path of the sender did not get where it was to go, as errors of ICMP say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undelivered: Option<String>,
    /// How many notifications were lost before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}
