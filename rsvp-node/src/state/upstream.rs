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
    /// A confirmation request to go into the next Resv.
    pub(crate) confirm: Option<IpAddr>,
    /// Unknown-class objects to go into the next ResvTear (RFC 2205 section 3.10).
    #[expect(clippy::box_collection, reason = "rare, and eight octets where it is absent")]
    pub(crate) tear_objects: Option<Box<Vec<u8>>>,
    pub(crate) timer: Timer<TimerLink>,
    /// An intent to write is queued.
    pub(crate) queued: bool,
    /// Because of whose message what is to be said has changed.
    pub(crate) cause: Owner,
    /// The refresh timer fired, or a request is half sent: send even if nothing changed.
    pub(crate) refresh_due: bool,
    /// It has heard of what is requested.
    pub(crate) is_known: bool,
    /// How many of the messages into which the request is divided have left, while not all have.
    pub(crate) parts_sent: u16,
}

impl Upstream {
    /// Nothing waits to be sent any more.
    pub(crate) fn all_sent(&mut self) {
        (self.queued, self.refresh_due, self.parts_sent, self.confirm) = (false, false, 0, None);
    }
}
