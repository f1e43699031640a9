//! Blockade state: what RFC 2209 calls BSBs (RFC 2205 section 3.5).

use super::arena::Ix;
use super::session::SessionState;
use super::timers::TimerLink;
use super::upstream::Upstream;
use super::wheel::Timer;
use crate::key::SenderKey;
use crate::merge::failure::Failed;
use crate::neighbour::accounts::Owner;

/// One element of blockade state; it ends when its timer fires.
#[derive(Clone, Debug)]
pub(crate) struct Blockade {
    pub(crate) session: Ix<SessionState>,
    /// The blockades of the previous hop before and behind it.
    pub(crate) prev: Option<Ix<Self>>,
    pub(crate) next: Option<Ix<Self>>,
    /// The previous hop the error came from.
    pub(crate) upstream: Ix<Upstream>,
    /// The sender, for explicit styles; `None` blockades the previous hop as a whole.
    pub(crate) sender: Option<SenderKey>,
    /// The flowspec that failed, Qb, and in what.
    pub(crate) failed: Failed,
    /// The error said that a reservation is in place where it failed.
    pub(crate) in_place: bool,
    pub(crate) timer: Timer<TimerLink>,
    /// Whom it is charged to.
    pub(crate) owner: Owner,
}

impl Blockade {
    /// Octets that are charged for it.
    pub(crate) const CHARGE: u64 = size_of::<Self>() as u64;
}
