//! What is sent to one previous hop: (session, PHOP, incoming interface). Owns the Resv refresh timer and the last
//! Resv sent, because descriptors for all senders behind one previous hop go into one message (RFC 2205 Figure 6).

use super::arena::Ix;
use super::blockade::Blockade;
use super::session::SessionState;
use super::timers::TimerLink;
use super::wheel::Timer;
use crate::interface::InterfaceId;
use crate::neighbour::accounts::Owner;
use core::net::IpAddr;

/// One previous hop of a session.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) session: Ix<SessionState>,
    /// Next upstream of the session.
    pub(crate) next: Option<Ix<Self>>,
    /// Address and LIH from the RSVP_HOP of its Path messages.
    pub(crate) address: IpAddr,
    pub(crate) lih: u32,
    /// The incoming interface: where its Path messages arrive and our Resv messages leave.
    pub(crate) interface: InterfaceId,
    /// Path states that lead here; the block goes with the last.
    pub(crate) paths: u32,
    /// Its blockade state.
    pub(crate) blockades: Option<Ix<Blockade>>,
    /// What the last Resv said from its STYLE on, and before it the objects it forwarded. Empty when nothing is
    /// requested here.
    pub(crate) last_sent: Box<[u8]>,
    /// The changes of the session when that was composed.
    pub(crate) composed_at: u32,
    pub(crate) beside: Option<Box<Beside>>,
    pub(crate) timer: Timer<TimerLink>,
    /// An intent to write is queued.
    pub(crate) queued: bool,
    /// Because of whose message what is to be said has changed.
    pub(crate) cause: Owner,
    /// The refresh timer fired, or a request is half sent: send even if nothing changed.
    pub(crate) refresh_due: bool,
    /// It has heard of what is requested.
    pub(crate) is_known: bool,
}

/// What few previous hops have, and those not for long.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// A confirmation request to go into the next Resv.
    confirm: Option<IpAddr>,
    /// Unknown-class objects to go into the next ResvTear (RFC 2205 section 3.10).
    tear_objects: Vec<u8>,
    /// How many of the messages into which the request is divided have left, while not all have.
    parts_sent: u16,
}

impl Upstream {
    /// A confirmation request to go into the next Resv.
    pub(crate) fn confirm(&self) -> Option<IpAddr> {
        self.beside.as_ref()?.confirm
    }

    pub(crate) fn set_confirm(&mut self, to: Option<IpAddr>) {
        if to != self.confirm() {
            self.beside.get_or_insert_default().confirm = to;
        }
    }

    /// Unknown-class objects to go into the next ResvTear (RFC 2205 section 3.10).
    pub(crate) fn tear_objects(&self) -> &[u8] {
        self.beside.as_ref().map_or(&[], |beside| &beside.tear_objects)
    }

    pub(crate) fn set_tear_objects(&mut self, to: Vec<u8>) {
        if !(to.is_empty() && self.tear_objects().is_empty()) {
            self.beside.get_or_insert_default().tear_objects = to;
        }
    }

    /// How many of the messages into which the request is divided have left, while not all have.
    pub(crate) fn parts_sent(&self) -> u16 {
        self.beside.as_ref().map_or(0, |beside| beside.parts_sent)
    }

    pub(crate) fn set_parts_sent(&mut self, to: u16) {
        if to != self.parts_sent() {
            self.beside.get_or_insert_default().parts_sent = to;
        }
    }

    /// Nothing waits to be sent any more.
    pub(crate) fn all_sent(&mut self) {
        (self.queued, self.refresh_due) = (false, false);
        if let Some(beside) = &mut self.beside {
            (beside.parts_sent, beside.confirm) = (0, None);
            if beside.tear_objects.is_empty() {
                self.beside = None;
            }
        }
    }

    /// Octets of memory of what few have.
    pub(super) fn octets_beside(&self) -> usize {
        self.beside.as_ref().map_or(0, |beside| size_of::<Beside>() + beside.tear_objects.capacity())
    }
}
