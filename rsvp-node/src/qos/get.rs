//! When a socket may be asked for its QoS, and what the six checks answer.
//!
//! A sender only once it has a peer or a group, a receiver as soon as it is bound. The checks (SIO_CHK_QOS, 50001 to 50006)
//! are answered from what the host knows of itself; "no" is advice, data that is sent anyway is best effort. Source: the
//! published pages of receiving QoS information and of SIO_CHK_QOS.

use super::endpoint::Endpoint;
use super::flowspec::Flowspec;
use thiserror::Error;

/// Of which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What this host sends.
    Sending,
    /// What this host receives.
    Receiving,
}

/// Why a socket has no QoS to tell of yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GetRefused {
    /// A sender without a peer.
    #[error("a sender is asked for its QoS once it is connected")]
    NotConnected,
    /// A receiver without an address.
    #[error("a receiver is asked for its QoS once it is bound")]
    NotBound,
}

/// Whether the QoS of a direction can be asked for.
///
/// # Errors
/// When it is too early.
pub const fn may_get(socket: &Endpoint, direction: Direction) -> Result<(), GetRefused> {
    let has_group = !socket.groups.is_empty();
    match direction {
        Direction::Sending if socket.peer.is_none() && !has_group => Err(GetRefused::NotConnected),
        Direction::Receiving if socket.local.is_none() && !has_group => Err(GetRefused::NotBound),
        Direction::Sending | Direction::Receiving => Ok(()),
    }
}

/// What a check asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// 50001: whether data at the rate that is asked for may be sent.
    AllowedToSendData,
    /// 50002: whether it could be received.
    AbleToRecvRsvp,
    /// 50003: the capacity of the interface, in kilobits per second.
    LineRate,
    /// 50004: whether traffic control is there.
    LocalTrafficControl,
    /// 50005: whether this host can do QoS.
    LocalQosability,
    /// 50006: whether the whole path can.
    EndToEndQosability,
}

/// What the host knows; `None` where it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct HostKnows {
    /// Capacity of the interface, in bits per second.
    pub line_rate_bps: Option<u64>,
    /// What the administrator allows one flow, in octets per second.
    pub limit: Option<u32>,
    /// Whether traffic control is there.
    pub traffic_control: Option<bool>,
    /// Whether this host can do QoS.
    pub qos: Option<bool>,
    /// Whether the whole path can: the ADSPEC has no break bit.
    pub path: Option<bool>,
}

/// INFO_NOT_AVAILABLE.
pub const NOT_AVAILABLE: u32 = u32::MAX;

impl Check {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::AllowedToSendData,
        Self::AbleToRecvRsvp,
        Self::LineRate,
        Self::LocalTrafficControl,
        Self::LocalQosability,
        Self::EndToEndQosability,
    ];

    /// The number of the check.
    #[must_use]
    pub const fn number(self) -> u32 {
        50_001 + self as u32
    }

    /// The check of a number.
    #[must_use]
    pub fn of_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.number() == number)
    }

    /// The answer: 1 or 0, a rate, or [`NOT_AVAILABLE`].
    #[must_use]
    pub fn answer(self, asked: &Flowspec, host: &HostKnows) -> u32 {
        let known = |yes: Option<bool>| yes.map_or(NOT_AVAILABLE, u32::from);
        match self {
            Self::AllowedToSendData | Self::AbleToRecvRsvp => {
                known(asked.token_rate.zip(host.limit).map(|(rate, limit)| rate <= limit))
            }
            Self::LineRate => host
                .line_rate_bps
                .map_or(NOT_AVAILABLE, |bps| u32::try_from(bps / 1000).unwrap_or(NOT_AVAILABLE - 1)),
            Self::LocalTrafficControl => known(host.traffic_control),
            Self::LocalQosability => known(host.qos),
            Self::EndToEndQosability => known(host.path),
        }
    }
}
