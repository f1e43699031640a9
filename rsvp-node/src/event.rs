//! Events: what the network did for the application (RFC 2205 section 3.11.1).
//!
//! Path and reservation events come on first occurrence and on change; every error and every confirmation is
//! delivered. Coalescing and other application programming interfaces are deliberately left to layers above.

use crate::carried::Carried;
use core::net::IpAddr;
use rsvp_wire::{AdspecSummary, ErrorSpec, FilterSpec, Flowspec, SenderTemplate, Session, Style, Tspec};

/// Names a local application; chosen by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(pub u32);

/// Something an application should know.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Who is told.
    pub app: AppId,
    /// In which session.
    pub session: Session,
    /// What happened.
    pub kind: EventKind,
}

/// Kinds of events.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// PATH_EVENT: a sender is there, or what it says has changed.
    Path {
        /// The sender.
        sender: SenderTemplate,
        /// Its traffic.
        tspec: Tspec,
        /// What the path offers, when the sender asked for that to be collected; a bandwidth of zero and the largest
        /// latency are values that some node on the path does not know (RFC 2215 sections 3.3 and 3.4).
        adspec: Option<AdspecSummary>,
        /// What the Path carries for this application.
        carried: Carried,
    },
    /// A sender is gone.
    PathGone {
        /// The sender.
        sender: SenderTemplate,
        /// Torn down or timed out.
        why: Gone,
    },
    /// RESV_EVENT: a reservation stands on this sender host's interface, or has changed.
    Resv {
        /// Its style.
        style: Style,
        /// The effective flowspec.
        flowspec: Flowspec,
        /// The senders it is for; empty for WF.
        filters: Vec<FilterSpec>,
        /// What the requests of which it is made carry for this application.
        carried: Carried,
    },
    /// A reservation is gone.
    ResvGone {
        /// Its style.
        style: Style,
        /// The senders it was for; empty for WF.
        filters: Vec<FilterSpec>,
    },
    /// PATH_ERROR: a node found fault with what a sender announced.
    PathError {
        /// Code, value and node.
        error: ErrorSpec,
        /// The sender.
        sender: SenderTemplate,
    },
    /// RESV_ERR: a node found fault with a reservation to which this application contributed.
    ResvError {
        /// Code, value, node and flags; NotGuilty is set when this application asked for less than what failed.
        error: ErrorSpec,
        /// Style of the failed reservation.
        style: Style,
        /// The flowspec that failed, where the error message carried one.
        flowspec: Option<Flowspec>,
        /// The senders concerned; empty for WF.
        filters: Vec<FilterSpec>,
    },
    /// RESV_CONFIRM: the reservation is probably in place.
    ResvConfirm {
        /// The node that confirms: a sender's host or a merge point.
        node: IpAddr,
        /// Style of the confirmed reservation.
        style: Style,
        /// The confirmed flowspec.
        flowspec: Option<Flowspec>,
        /// The senders; empty for WF.
        filters: Vec<FilterSpec>,
    },
}

/// How state ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// By a teardown message or command.
    Torn,
    /// By the absence of refreshes.
    TimedOut,
}
