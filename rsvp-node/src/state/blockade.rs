//! Blockade state: what RFC 2209 calls BSBs (RFC 2205 section 3.5).

use super::TimerOwner;
use super::arena::Ix;
use super::session::SessionState;
use super::upstream::Upstream;
use super::wheel::TimerIx;
use crate::key::SenderKey;
use crate::merge::failure::Failed;

/// How far an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It leaves requests out.
    InForce,
    /// It does, because what failed has been tried anew and has failed again.
    InForceAgain,
    /// What failed is being tried anew.
    OnTrial,
}

/// One element of blockade state. When its time is up it is no longer in force, and is kept for the answer to what is
/// then tried again.
#[derive(Debug)]
pub(crate) struct Blockade {
    pub(crate) session: Ix<SessionState>,
    /// Next blockade of the session.
    pub(crate) next: Option<Ix<Self>>,
    /// The previous hop the error came from.
    pub(crate) upstream: Ix<Upstream>,
    /// The sender, for explicit styles; `None` blockades the previous hop as a whole.
    pub(crate) sender: Option<SenderKey>,
    /// The flowspec that failed, Qb, and in what.
    pub(crate) failed: Failed,
    /// The error said that a reservation is in place where it failed.
    pub(crate) in_place: bool,
    pub(crate) stage: Stage,
    pub(crate) timer: Option<TimerIx<TimerOwner>>,
}

impl Blockade {
    pub(crate) fn is_in_force(&self) -> bool {
        self.stage != Stage::OnTrial
    }
}
