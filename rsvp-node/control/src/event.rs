//! What happens: to an application's sessions, and to the node.

use crate::Carried;
use crate::qos::{Offer, Service, Style, Traffic};
use crate::rows::ReservationRow;
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
}
