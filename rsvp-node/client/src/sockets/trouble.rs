//! What can go wrong with a QoS socket, and what to do about it.

use crate::ClientError;
use core::fmt;
use rsvp_control::Problem;
use rsvp_node::qos::get::GetRefused;
use rsvp_node::qos::{ErrorValue, Invalid, Status};
use std::io;

/// Why something could not be had for a socket.
#[derive(Debug, thiserror::Error)]
pub enum QosError {
    /// The request makes no sense: one of 11016 to 11031.
    #[error("{status} ({}): {message}", status.0)]
    Invalid {
        /// Which.
        status: Status,
        /// The finer number, 56811 to 56837.
        value: ErrorValue,
        /// What is wrong, in words.
        message: String,
    },
    /// It is too early to ask.
    #[error(transparent)]
    TooEarly(#[from] GetRefused),
    /// The socket is of a kind that has no QoS.
    #[error("{0} has no QoS: a UDP or a TCP socket of IPv4 or IPv6 has")]
    NotCapable(String),
    /// It is handed over already, perhaps by another descriptor.
    #[error(
        "this socket is handed over to the daemon already: use the `QosSocket` that there is, or end it first"
    )]
    HandedOverBefore,
    /// The daemon knows no QoS sockets.
    #[error("{daemon} takes no sockets: install a newer rsvpd, or switch `[qos]` on in its rsvpd.toml")]
    NoSockets {
        /// Name and version of the daemon.
        daemon: String,
    },
    /// The daemon keeps no templates.
    #[error("{daemon} keeps no templates: install a newer rsvpd")]
    NoTemplates {
        /// Name and version of the daemon.
        daemon: String,
    },
    /// The system refuses something about the socket itself.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The daemon refused, or is gone.
    #[error(transparent)]
    Daemon(ClientError),
}

impl QosError {
    /// The system's error about something that was tried.
    pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}

impl From<Invalid> for QosError {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid { status: invalid.status, value: invalid.value, message: invalid.why.to_owned() }
    }
}

impl From<ClientError> for QosError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(Problem { qos: Some((status, value)), message, .. }) => {
                Self::Invalid { status: Status(status), value: ErrorValue(value), message }
            }
            other => Self::Daemon(other),
        }
    }
}

/// A socket that was not handed over: here it is again, as it was.
pub struct NotHandedOver<S> {
    /// The socket.
    pub socket: S,
    /// Why.
    pub error: QosError,
}

/// What handing a socket over yields.
pub type HandingOver<T, S> = Result<T, NotHandedOver<S>>;

impl<S> fmt::Debug for NotHandedOver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotHandedOver").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<S> fmt::Display for NotHandedOver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<S> core::error::Error for NotHandedOver<S> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.error.source()
    }
}

impl<S> From<NotHandedOver<S>> for QosError {
    fn from(not: NotHandedOver<S>) -> Self {
        not.error
    }
}
