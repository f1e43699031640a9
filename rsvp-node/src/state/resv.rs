//! Reservation requests: what RFC 2209 calls RSBs. One block holds all that one next hop, over one outgoing interface,
//! or one local application asks for in a session; its items are the elementary requests, one per filter.
//!
//! FF items have a flowspec each; SE items share one; WF is a single item without filter.

use super::TimerOwner;
use super::arena::Ix;
use super::session::SessionState;
use super::wheel::TimerIx;
use crate::event::AppId;
use crate::interface::InterfaceId;
use crate::key::{SenderKey, StyleKind};
use crate::time::Instant;
use core::net::IpAddr;
use rsvp_wire::{Flowspec, Message};
use smallvec::SmallVec;

/// One reservation request block.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) session: Ix<SessionState>,
    /// Next request of the session.
    pub(crate) next: Option<Ix<Self>>,
    pub(crate) from: RequestOrigin,
    pub(crate) style: StyleKind,
    pub(crate) items: SmallVec<[Item; 1]>,
    /// The Resv messages that were accepted last, in full or in part, one after the other: one, unless the next hop
    /// divides what it asks for. Empty when there is none. What they forward is copied out of here.
    pub(crate) octets: Box<[u8]>,
    /// There are messages that are in place with all they asked for: a refresh equal to one of them only moves expiry
    /// times.
    pub(crate) refreshable: bool,
    /// Where those begin; they are the last.
    pub(crate) refreshable_from: u32,
    /// What its owner has asked for last.
    pub(crate) asked: Asked,
    pub(crate) timer: Option<TimerIx<TimerOwner>>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestOrigin {
    /// A next hop (NHOP) over an outgoing interface (OI).
    Hop { interface: InterfaceId, address: IpAddr },
    /// A local application, receiving on `interface` or where routing says.
    App { app: AppId, interface: Option<InterfaceId>, confirm: Confirm },
}

/// What has become of a local application's wish for confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirm {
    /// There is none, or none any more: it was confirmed.
    Done,
    /// There is no sender yet.
    Waits,
    /// It was passed on, once (RFC 2205 section 2.6).
    Asked,
    /// What was to be confirmed has failed, or its sender was gone: each refresh is another try, and asks again.
    Again,
}

/// What the owner of a request has asked for last. When that is refused, what stood before is left in place; nobody asks
/// for it any more, and so it stands in nobody's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All that the items say.
    Items,
    /// This service; items of another one are left over.
    Service(u8),
    /// Another style: all of it is left over.
    OtherStyle,
}

/// An elementary request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Item {
    /// The sender; `None` for WF.
    pub(crate) filter: Option<SenderKey>,
    pub(crate) flowspec: Flowspec,
    pub(crate) expires: Instant,
}

impl Request {
    /// The outgoing interface; `None` for a local application.
    pub(crate) fn interface(&self) -> Option<InterfaceId> {
        match self.from {
            RequestOrigin::Hop { interface, .. } => Some(interface),
            RequestOrigin::App { .. } => None,
        }
    }

    pub(crate) fn app(&self) -> Option<AppId> {
        match self.from {
            RequestOrigin::Hop { .. } => None,
            RequestOrigin::App { app, .. } => Some(app),
        }
    }

    /// What has become of its wish for confirmation, if it is a local application's.
    pub(crate) fn set_confirm(&mut self, to: Confirm) {
        if let RequestOrigin::App { confirm, .. } = &mut self.from {
            *confirm = to;
        }
    }

    /// Whether an item is asked for, and not left over from before a change that was refused.
    pub(crate) fn asks_for(&self, item: &Item) -> bool {
        match self.asked {
            Asked::Items => true,
            Asked::Service(service) => item.flowspec.service() == service,
            Asked::OtherStyle => false,
        }
    }

    /// The item that selects `sender`.
    pub(crate) fn item_for(&self, sender: &SenderKey) -> Option<&Item> {
        self.items.iter().find(|item| item.filter.is_none_or(|f| f == *sender))
    }

    /// The stored Resv messages.
    pub(crate) fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        split(&self.octets).map(Message::trusted)
    }

    /// The stored messages whose refreshes only move expiry times.
    pub(crate) fn refreshable(&self) -> impl Iterator<Item = &[u8]> {
        let from = if self.refreshable { self.refreshable_from as usize } else { self.octets.len() };
        split(self.octets.get(from..).unwrap_or_default())
    }

    /// The earliest of its deadlines.
    pub(crate) fn deadline(&self) -> Instant {
        self.items.iter().map(|item| item.expires).fold(Instant::NEVER, Instant::min)
    }
}

/// Splits octets that were put together from whole messages, each with its length in its header.
fn split(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = octets;
    core::iter::from_fn(move || {
        let length = usize::from(u16::from_be_bytes([*rest.get(6)?, *rest.get(7)?])).max(8);
        let (message, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(message)
    })
}
