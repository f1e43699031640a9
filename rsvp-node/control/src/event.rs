//! What happens: to an application's sessions, and to the node.

use crate::Carried;
use crate::qos::{Offer, Service, Style, Traffic};
use crate::rows::{RequestRow, ReservationRow, SenderRow};
use core::net::IpAddr;
use rsvp_wire::{FilterSpec, SenderTemplate, Session};
use serde::{Deserialize, Serialize};

/// Something that happened in a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The session.
    #[serde(with = "crate::text")]
    pub session: Session,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Kinds of events: what the network did for the application (RFC 2205 section 3.11.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum EventKind {
    /// The host has the session's address, and the session is open: of a client that opened one for every address.
    SessionOpened {},
    /// The host has the session's address no longer: its reservation is given up, and nothing more is told of it.
    SessionClosed {},
    /// A sender is there, or what it says has changed.
    Path {
        /// The sender.
        #[serde(with = "crate::text")]
        sender: SenderTemplate,
        /// Its traffic.
        traffic: Traffic,
        /// What the path offers, when the sender asked for that to be collected.
        adspec: Option<Offer>,
        /// Policy and marks that came with it.
        #[serde(flatten)]
        carried: Carried,
    },
    /// A sender is gone.
    PathGone {
        /// The sender.
        #[serde(with = "crate::text")]
        sender: SenderTemplate,
        /// Torn down or timed out.
        why: Gone,
    },
    /// A reservation stands on this sender host's interface, or has changed.
    Resv {
        /// Its style.
        style: Style,
        /// The effective flowspec.
        flowspec: Service,
        /// The senders it is for; empty for WF.
        #[serde(with = "crate::text::list")]
        filters: Vec<FilterSpec>,
        /// Policy and marks that came with the requests of which it is made.
        #[serde(flatten)]
        carried: Carried,
    },
    /// A reservation is gone.
    ResvGone {
        /// Its style.
        style: Style,
        /// The senders it was for; empty for WF.
        #[serde(with = "crate::text::list")]
        filters: Vec<FilterSpec>,
    },
    /// A node found fault with what a sender announced.
    PathError {
        /// The sender.
        #[serde(with = "crate::text")]
        sender: SenderTemplate,
        /// The fault.
        error: Fault,
    },
    /// A Path of this client's sender did not get to where the data goes: somebody on the way said so by ICMP.
    Undelivered {
        /// The sender.
        #[serde(with = "crate::text")]
        sender: SenderTemplate,
        /// Who said so.
        node: IpAddr,
        /// What that was.
        #[serde(flatten)]
        why: Undelivered,
    },
    /// A node found fault with a reservation to which this client contributed.
    ResvError {
        /// Style of the failed reservation.
        style: Style,
        /// The flowspec that failed, where the message carried one.
        flowspec: Option<Service>,
        /// The senders concerned; empty for WF.
        #[serde(with = "crate::text::list")]
        filters: Vec<FilterSpec>,
        /// The fault.
        error: Fault,
    },
    /// The reservation is probably in place.
    ResvConfirm {
        /// The node that confirms: a sender's host or a merge point.
        node: IpAddr,
        /// Style of the confirmed reservation.
        style: Style,
        /// The confirmed flowspec.
        flowspec: Option<Service>,
        /// The senders; empty for WF.
        #[serde(with = "crate::text::list")]
        filters: Vec<FilterSpec>,
    },
}

/// How state ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gone {
    /// By a teardown.
    Torn,
    /// By the absence of refreshes.
    TimedOut,
}

/// What an ERROR_SPEC says (RFC 2205 Appendix B).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Error code.
    pub code: u8,
    /// Error value.
    pub value: u16,
    /// Both in words.
    pub meaning: String,
    /// The node that found the fault.
    pub node: IpAddr,
    /// InPlace: a reservation stands as it was before.
    #[serde(default)]
    pub in_place: bool,
    /// NotGuilty: what this client asked for is less than what failed.
    #[serde(default)]
    pub not_guilty: bool,
}

/// Something that happened on the node, whoever it concerns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Watched {
    /// A local application was told of this.
    Application {
        /// Which; the number that listings of requests show.
        application: u32,
        /// What it was told.
        #[serde(flatten)]
        event: Event,
    },
    /// A reservation was installed, or is another one now.
    Reserved(ReservationRow),
    /// A reservation was removed.
    Unreserved(ReservationRow),
    /// Path state is there, or says something else than before.
    SenderArrived(SenderRow),
    /// Path state is gone.
    SenderGone(SenderRow),
    /// A next hop or a local application asks for a reservation, or for another one than before.
    RequestArrived(RequestRow),
    /// It asks for it no longer.
    RequestGone(RequestRow),
    /// A message that reports an error, confirms, or tears down.
    Message {
        /// Whether it came or left.
        direction: Direction,
        /// Which.
        #[serde(flatten)]
        of: MessageRow,
        /// What it reports, if it does.
        error: Option<Fault>,
    },
    /// A message of a neighbour was dropped.
    Discarded(Discarded),
    /// Something has happened to policies, or one was left out.
    Policy(crate::policy::PolicyEvent),
    /// A message of this node did not get where it was to go: somebody on the way said so by ICMP.
    Undelivered {
        /// Which; its peer is who said so.
        #[serde(flatten)]
        of: MessageRow,
        /// What that was.
        #[serde(flatten)]
        why: Undelivered,
    },
}

impl Watched {
    /// The session that it is about, where it is about one.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        match self {
            Self::Application { event, .. } => Some(event.session),
            Self::Reserved(row) | Self::Unreserved(row) => Some(row.session),
            Self::SenderArrived(row) | Self::SenderGone(row) => Some(row.session),
            Self::RequestArrived(row) | Self::RequestGone(row) => Some(row.session),
            Self::Message { of, .. } | Self::Undelivered { of, .. } => of.session,
            Self::Discarded(discarded) => discarded.of.session,
            Self::Policy(_) => None,
        }
    }

    /// The neighbour that it is about: who sent a message, or is to get it; the hop from which state came.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        match self {
            Self::Application { .. } | Self::Reserved(_) | Self::Unreserved(_) | Self::Policy(_) => None,
            Self::SenderArrived(row) | Self::SenderGone(row) => row.previous_hop.parse().ok(),
            Self::RequestArrived(row) | Self::RequestGone(row) => row.next_hop.parse().ok(),
            Self::Message { of, .. } | Self::Undelivered { of, .. } => Some(of.peer),
            Self::Discarded(discarded) => Some(discarded.of.peer),
        }
    }
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// It came from a neighbour.
    Received,
    /// It was sent.
    Sent,
}

/// A message, as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Its type, as `PathErr`.
    pub message: String,
    /// The interface, where it is known.
    pub interface: Option<String>,
    /// Where it came from, or goes to.
    pub peer: IpAddr,
    /// Its session.
    #[serde(with = "crate::text::option")]
    pub session: Option<Session>,
    /// The first sender that it names.
    #[serde(with = "crate::text::option")]
    pub sender: Option<FilterSpec>,
}

/// A message that was dropped, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discarded {
    /// The message.
    #[serde(flatten)]
    pub of: MessageRow,
    /// Under which name it is counted.
    pub cause: String,
    /// The same in words.
    pub meaning: String,
    /// The error by which it was answered.
    pub answer: Option<Fault>,
    /// How many were left out since the last one that was told, from the same neighbour for the same cause: a flood gives few lines.
    pub left_out: u64,
}

/// Why a message did not get where it was to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// `no-rsvp`, `no-way`, `refused`, `too-big`, `ttl` or `other`.
    pub cause: String,
    /// The same in words.
    pub meaning: String,
}
