//! What travels over the control socket: one JSON object per line both ways (`docs/control.md`).
//!
//! The calls are those of RFC 2205 section 3.11.1. Words are those of scenario files; units are in the names: rates in
//! bits per second (`_bps`), times in microseconds (`_us`), sizes in octets. What is said of traffic is in [`qos`], what
//! is listed in [`rows`]. Nothing here decides anything, and nothing here reads or writes.
//!
//! [`qos`]: crate::qos
//! [`rows`]: crate::rows
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

mod any_address;
mod carried;
#[cfg(feature = "engine")]
mod engine;
mod event;
pub mod flows;
mod line;
pub mod metrics;
pub mod policy;
pub mod qos;
pub mod rows;
pub mod sockets;
pub mod tc;
mod text;

pub use any_address::{is_any_address, session_at, session_or_any};
pub use carried::{Carried, NoOctets, Octets};
pub use event::{Direction, Discarded, Event, EventKind, Fault, Gone, MessageRow, Undelivered, Watched};
pub use line::{Done, Line, Problem};

use crate::qos::{Service, Style, Traffic};
use rsvp_wire::{FilterSpec, SenderTemplate, Session};
use serde::{Deserialize, Serialize};

/// The version of the protocol that this is. It is raised when something that is there changes its meaning; new requests, new
/// kinds of events and new fields in what the daemon says do not raise it.
pub const VERSION: u32 = 1;

/// Where `rsvpd` listens unless told otherwise.
pub const DEFAULT_SOCKET: &str = "/run/rsvpd/control.sock";

/// The environment variable that names another socket.
pub const SOCKET_VARIABLE: &str = "RSVP_SOCKET";

/// Longest line that a client may send, in octets without its end.
pub const LONGEST_LINE: usize = 65_536;

/// Most rows of one listing; there is more than `rows` when `total` is larger.
pub const MOST_ROWS: usize = 200_000;

/// What a client may ask. In a line it has an `id` beside it, which the reply repeats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// SESSION: this client is told of the session's events from now on, and of every sender that is there already.
    OpenSession {
        /// The session, as `udp 10.0.2.2:5000`; or `udp *:5000`, which is one for each address of the host, as they come and go.
        #[serde(with = "crate::any_address")]
        session: Session,
    },
    /// SENDER: announces a flow, or changes what was announced. Opens the session too.
    Sender(Sender),
    /// Stops announcing one sender; a PathTear leaves.
    RemoveSender {
        /// The session.
        #[serde(with = "crate::text")]
        session: Session,
        /// The sender, as `10.0.1.1:4000`.
        #[serde(with = "crate::text")]
        sender: SenderTemplate,
    },
    /// RESERVE: makes the reservation of this client in the session, or replaces it. Opens the session too.
    Reserve(Reserve),
    /// Gives up the reservation of this client in the session; a ResvTear leaves.
    Release {
        /// The session.
        #[serde(with = "crate::text")]
        session: Session,
    },
    /// RELEASE: gives up senders, reservation and interest in the session.
    CloseSession {
        /// The session, or what was opened for every address.
        #[serde(with = "crate::any_address")]
        session: Session,
    },
    /// Lists state of the node.
    List {
        /// Which.
        what: What,
        /// Only of this session.
        #[serde(with = "crate::text::option")]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<Session>,
        /// No more rows than these; see [`MOST_ROWS`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<usize>,
    },
    /// From now on this client is told of everything that [`Watched`] has.
    Subscribe {},
    /// And no longer.
    Unsubscribe {},
    /// Hands over a socket.
    QosOpen(sockets::Open),
    /// Says what a socket's traffic needs (SIO_SET_QOS).
    QosSet(sockets::Set),
    /// Makes a socket a sender or a receiver of a group (WSAJoinLeaf).
    QosJoin(sockets::Join),
    /// A socket was bound or connected, or is not connected any more.
    QosMoved(sockets::Moved),
    /// A direction of a socket was shut down.
    QosShutdown(sockets::Shutdown),
    /// Ends a socket's QoS. The socket itself is the application's.
    QosClose {
        /// The socket.
        socket: u64,
    },
    /// What the host can do for a socket (SIO_CHK_QOS).
    QosCheck(sockets::Check),
    /// The names of all templates, and what they say of traffic (WSAGetQOSByName without a name).
    TemplateList {},
    /// What a template says (WSAGetQOSByName).
    TemplateRead {
        /// Its name, in whichever case.
        name: String,
    },
    /// Keeps a template, in place of one of this name (WSCInstallQOSTemplate).
    TemplateInstall(sockets::Template),
    /// Keeps it no longer (WSCRemoveQOSTemplate).
    TemplateRemove {
        /// Its name.
        name: String,
    },
    /// Makes a flow without signalling (TcAddFlow). It ends with this client.
    TcFlowAdd(tc::Flow),
    /// Changes a flow of this client; what is said takes the place of all that was, but for its filters (TcModifyFlow).
    TcFlowModify(tc::Flow),
    /// Ends a flow of this client, with its filters (TcDeleteFlow).
    TcFlowDelete {
        /// The flow.
        flow: u64,
    },
    /// Has packets belong to a flow of this client (TcAddFilter).
    TcFilterAdd(tc::Filter),
    /// And no longer (TcDeleteFilter).
    TcFilterDelete {
        /// The filter.
        filter: u64,
    },
    /// What interfaces and flows have, and what was counted (TcQueryInterface, TcQueryFlow, TcEnumerateFlows).
    TcQuery(tc::Query),
    /// Marks of services, and classes by DSCP, in the place of those of the configuration (TcSetInterface).
    TcSet(tc::Set),
    /// From now on this client is told what happens to interfaces and flows (TcRegisterClient).
    TcSubscribe {},
    /// Adds a socket to a flow, or makes a flow for it (QOSAddSocketToFlow).
    FlowAdd(flows::Add),
    /// Changes a flow of this client (QOSSetFlow).
    FlowSet(flows::Set),
    /// A socket leaves a flow of this client, or the flow ends (QOSRemoveSocketFromFlow).
    FlowRemove(flows::Remove),
    /// Asks about a flow of this client (QOSQueryFlow).
    FlowQuery(flows::Query),
    /// Is answered when something is so (QOSNotifyFlow).
    FlowNotify(flows::Notify),
    /// Gives up an earlier request of this connection about flows: what it has made goes, what waits for it ends (QOSCancel).
    FlowCancel {
        /// The `id` of that request.
        of: u64,
    },
    /// All flows of this user, or, for those who may ask everything, of all (QOSEnumerateFlows).
    FlowList {},
    /// Has the way to a host measured now and then (QOSStartTrackingClient).
    Track(flows::Track),
    /// And no longer (QOSStopTrackingClient).
    Untrack(flows::Track),
    /// All policies, with settings and with what was left out.
    PolicyList {},
    /// What sockets were given by policies, and why.
    PolicyExplain(policy::Explain),
    /// The policy for what an HTTP server answers.
    PolicyMatch(policy::Matching),
    /// Keeps a policy.
    PolicyPut(policy::Put),
    /// Keeps it no longer.
    PolicyRemove(policy::Remove),
    /// Sets what holds for the computer, in the active store; what is not said is set no longer there.
    PolicySettings(policy::Settings),
    /// Reads all stores again.
    PolicyRefresh {},
}

impl Request {
    /// Whether it is about templates, which programs of any user may list and read.
    #[must_use]
    pub const fn is_about_templates(&self) -> bool {
        matches!(
            self,
            Self::TemplateList {}
                | Self::TemplateRead { .. }
                | Self::TemplateInstall(_)
                | Self::TemplateRemove { .. }
        )
    }

    /// Whether it is about flows of sockets without signalling, for which programs of any user may ask.
    #[must_use]
    pub const fn is_about_flows(&self) -> bool {
        matches!(
            self,
            Self::FlowAdd(_)
                | Self::FlowSet(_)
                | Self::FlowRemove(_)
                | Self::FlowQuery(_)
                | Self::FlowNotify(_)
                | Self::FlowCancel { .. }
                | Self::FlowList {}
                | Self::Track(_)
                | Self::Untrack(_)
        )
    }

    /// Whether it is about policies, of which programs of any user may list, explain and match.
    #[must_use]
    pub const fn is_about_policies(&self) -> bool {
        matches!(
            self,
            Self::PolicyList {}
                | Self::PolicyExplain(_)
                | Self::PolicyMatch(_)
                | Self::PolicyPut(_)
                | Self::PolicyRemove(_)
                | Self::PolicySettings(_)
                | Self::PolicyRefresh {}
        )
    }

    /// Whether it is about QoS sockets, for which programs of any user may ask.
    #[must_use]
    pub const fn is_about_sockets(&self) -> bool {
        matches!(
            self,
            Self::QosOpen(_)
                | Self::QosSet(_)
                | Self::QosJoin(_)
                | Self::QosMoved(_)
                | Self::QosShutdown(_)
                | Self::QosClose { .. }
                | Self::QosCheck(_)
        )
    }
}

/// A flow to announce.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// The session.
    #[serde(with = "crate::text")]
    pub session: Session,
    /// Source address and port of the data, as `10.0.1.1:4000`; the address is one of the node's.
    #[serde(with = "crate::text")]
    pub sender: SenderTemplate,
    /// The traffic the sender will generate.
    pub traffic: Traffic,
    /// Which services the receivers may choose from.
    #[serde(default)]
    pub adspec: Adspec,
    /// IP TTL of the data.
    #[serde(default = "default_ttl")]
    pub ttl: u8,
    /// The interface the data leaves through, by name; otherwise the one with the sender's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// POLICY_DATA: the policy elements of each, as hexadecimal digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<Octets>,
    /// DCLASS: DSCPs for the packets of the flow, 0 to 63.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dclass: Vec<u8>,
    /// TCLASS: an IEEE 802.1p priority, 0 to 7; it goes no further than the next hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tclass: Option<u8>,
}

fn default_ttl() -> u8 {
    64
}

/// A reservation to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// The session.
    #[serde(with = "crate::text")]
    pub session: Session,
    /// WF, FF or SE.
    pub style: Style,
    /// WF: one, without filters. SE: one, with filters. FF: each with exactly one filter.
    pub flows: Vec<Flow>,
    /// Asks for a confirmation.
    #[serde(default)]
    pub confirm: bool,
    /// The interface on which the data is received, by name; otherwise the one routing implies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// POLICY_DATA: the policy elements of each, as hexadecimal digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<Octets>,
    /// DCLASS: DSCPs for the packets of the flow, 0 to 63.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dclass: Vec<u8>,
    /// TCLASS: an IEEE 802.1p priority, 0 to 7; it goes no further than the next hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tclass: Option<u8>,
}

/// One element of a reservation: a QoS and the senders it is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// The senders; empty for WF.
    #[serde(with = "crate::text::list")]
    #[serde(default)]
    pub filters: Vec<FilterSpec>,
    /// The service and its parameters.
    pub flowspec: Service,
}

/// The services a sender offers its receivers (RFC 2210 section 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adspec {
    /// Both.
    #[default]
    Both,
    /// Guaranteed service alone.
    Guaranteed,
    /// Controlled-Load alone.
    ControlledLoad,
    /// The Null service (RFC 2997) only.
    Null,
    /// No ADSPEC is sent.
    None,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Sessions and how much of everything they have.
    Sessions,
    /// Path state: what senders announce.
    Senders,
    /// What next hops and local applications ask for.
    Requests,
    /// What is installed.
    Reservations,
    /// Requests that are left out of merging for a while after they failed.
    Blockades,
    /// Interfaces and what is reserved on them.
    Interfaces,
    /// Previous and next hops.
    Neighbours,
    /// What the data plane has of reservations, and has counted.
    Flows,
    /// What was counted since the daemon started.
    Counters,
    /// What happened of late: errors, messages that were dropped or came back, and what applications were told.
    Events,
}
