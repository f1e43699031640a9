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
use crate::time::Instant;
use core::net::IpAddr;
use rsvp_wire::{FilterSpec, Flowspec, Message, Style};
use smallvec::SmallVec;

/// One reservation request block.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) session: Ix<SessionState>,
    /// Next request of the session.
    pub(crate) next: Option<Ix<Self>>,
    pub(crate) from: From,
    pub(crate) style: Style,
    pub(crate) items: SmallVec<[Item; 1]>,
    /// The last Resv message that was accepted, in full or in part; empty when there is none. What it forwards is
    /// copied out of here.
    pub(crate) octets: Box<[u8]>,
    /// The items are what that message asked for, all of it and nothing else, and it is all in place: a refresh equal to
    /// it only moves expiry times.
    pub(crate) refreshable: bool,
    /// What its owner has asked for last.
    pub(crate) asked: Asked,
    pub(crate) timer: Option<TimerIx<TimerOwner>>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// A next hop (NHOP) over an outgoing interface (OI).
    Hop { interface: InterfaceId, address: IpAddr },
    /// A local application, receiving on `interface` or where routing says.
    App { app: AppId, interface: Option<InterfaceId>, confirm: bool },
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
    pub(crate) filter: Option<FilterSpec>,
    pub(crate) flowspec: Flowspec,
    pub(crate) expires: Instant,
}

impl Request {
    /// The outgoing interface; `None` for a local application.
    pub(crate) fn interface(&self) -> Option<InterfaceId> {
        match self.from {
            From::Hop { interface, .. } => Some(interface),
            From::App { .. } => None,
        }
    }

    pub(crate) fn app(&self) -> Option<AppId> {
        match self.from {
            From::Hop { .. } => None,
            From::App { app, .. } => Some(app),
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
    pub(crate) fn item_for(&self, sender: &FilterSpec) -> Option<&Item> {
        self.items.iter().find(|item| item.filter.is_none_or(|f| f == *sender))
    }

    /// The stored Resv message, if there is one.
    pub(crate) fn message(&self) -> Option<Message<'_>> {
        (!self.octets.is_empty()).then(|| Message::trusted(&self.octets))
    }

    /// The earliest of its deadlines.
    pub(crate) fn deadline(&self) -> Instant {
        self.items.iter().map(|item| item.expires).fold(Instant::NEVER, Instant::min)
    }
}
