//! Path state: what RFC 2209 calls a PSB, one for each sender of a session (and incoming interface, in multicast).

use super::arena::Ix;
use super::flags::flags;
use super::session::SessionState;
use super::timers::TimerLink;
use super::upstream::Upstream;
use super::wheel::Timer;
use crate::event::AppId;
use crate::interface::InterfaceId;
use crate::key::SenderKey;
use crate::neighbour::accounts::Owner;
use crate::time::{Instant, Since};
use rsvp_wire::{AdspecSummary, Message, SenderTspec, Tspec};
use smallvec::SmallVec;

/// One path state block.
#[derive(Clone, Debug)]
pub(crate) struct PathState {
    pub(crate) session: Ix<SessionState>,
    /// Next path state of the session.
    pub(crate) next: Option<Ix<Self>>,
    pub(crate) sender: SenderKey,
    /// The sender's number in the session's crowd, where there is one.
    pub(crate) number: u32,
    pub(crate) origin: Origin,
    /// Whom it is charged to.
    pub(crate) owner: Owner,
    /// The Path message as it arrived, or as a local sender would have received it. Everything that is forwarded is
    /// copied out of here.
    pub(crate) octets: Box<[u8]>,
    pub(crate) outgoing: SmallVec<[Outgoing; 1]>,
    /// When the state dies unless it is refreshed; never for a local sender.
    pub(crate) expires: Instant,
    /// When local repair takes its next step: Path on all outgoing interfaces, then an end to those that are leaving
    /// (RFC 2205 section 3.6).
    pub(crate) repair_at: Instant,
    pub(crate) timer: Timer<TimerLink>,
    pub(crate) since: Since,
    /// TTL with which the message arrived, or with which a local sender's data leaves.
    pub(crate) ttl: u8,
    pub(crate) flags: PathFlags,
}

/// Where path state comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A previous hop, and the interface its messages arrive on. (That is in the upstream too; here it spares a
    /// refresh from looking there.)
    Hop(Ix<Upstream>, InterfaceId),
    /// A sender on this node.
    App(AppId),
}

/// An interface on which Path messages leave, each with its own refresh timer and jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) refresh_at: Instant,
    pub(crate) interface: InterfaceId,
    /// A message (Path, or PathTear once the block is a tombstone) waits to be written.
    pub(crate) due: bool,
    /// A Path has left here.
    pub(crate) is_known: bool,
    /// Routing has left this interface: no Path goes there any more, but what is reserved there still counts until
    /// local repair has had time to reserve elsewhere.
    pub(crate) leaving: bool,
    /// The interface has been of no use since the last message was to leave there.
    pub(crate) unsent: bool,
}

flags! {
    /// What a path state is like, and where it is with its messages.
    PathFlags {
        /// Never forwarded, matches local reservations only (RFC 2205 section 3.9).
        local_only, set_local_only = 0;
        /// Routing no longer expects the data here: Local_Only when local repair ends, and not forwarded until then.
        misplaced, set_misplaced = 1;
        /// There are hops without RSVP just before this node (RFC 2205 section 3.8).
        non_rsvp, set_non_rsvp = 2;
        /// Its session is multicast, so that the sender may have other path state.
        multicast, set_multicast = 3;
        /// Routing has answered, and will say when the answer changes.
        routed, set_routed = 4;
        /// Local repair has sent Path, and waits for the reservations to follow.
        settling, set_settling = 5;
        /// An intent to write is queued.
        queued, set_queued = 6;
        /// A tombstone: in no index, kept until its PathTear is written.
        dead, set_dead = 7;
    }
}

impl PathState {
    /// Octets that are charged for one with a message of this length: as if it had its session and its previous hop alone.
    pub(crate) const fn charge_for(length: usize) -> u64 {
        let blocks = size_of::<Self>() + size_of::<SessionState>() + size_of::<Upstream>();
        (blocks + length) as u64
    }

    pub(crate) const fn charge(&self) -> u64 {
        Self::charge_for(self.octets.len())
    }

    /// The stored Path message.
    pub(crate) fn message(&self) -> Message<'_> {
        Message::trusted(&self.octets)
    }

    /// SENDER_TSPEC; stored messages have a sound one.
    pub(crate) fn tspec(&self) -> Option<Tspec> {
        self.message().get::<SenderTspec>().and_then(Result::ok).map(|t| t.0)
    }

    /// Summary of the ADSPEC as a receiver on this node is told it, where there is one: with what this node itself has
    /// found out about the hops just before it (RFC 2210 section 3.3.2).
    pub(crate) fn adspec(&self) -> Option<AdspecSummary> {
        let mut adspec = self.message().get::<AdspecSummary>().and_then(Result::ok)?;
        adspec.global.break_bit |= self.flags.non_rsvp();
        Some(adspec)
    }

    /// Whether data of this sender is forwarded to `interface`, or was until just now.
    pub(crate) fn routes_to(&self, interface: InterfaceId) -> bool {
        !self.flags.local_only() && self.outgoing.iter().any(|o| o.interface == interface)
    }

    pub(crate) fn upstream(&self) -> Option<Ix<Upstream>> {
        match self.origin {
            Origin::Hop(ix, _) => Some(ix),
            Origin::App(_) => None,
        }
    }

    /// The interface it arrives on.
    pub(crate) fn incoming(&self) -> Option<InterfaceId> {
        match self.origin {
            Origin::Hop(_, interface) => Some(interface),
            Origin::App(_) => None,
        }
    }

    /// The interfaces it leads to, those that routing has left among them.
    pub(crate) fn interfaces(&self) -> SmallVec<[InterfaceId; 4]> {
        self.outgoing.iter().map(|o| o.interface).collect()
    }

    /// The earliest of its deadlines.
    pub(crate) fn deadline(&self) -> Instant {
        let refreshed = self.outgoing.iter().filter(|o| !o.leaving);
        refreshed.map(|o| o.refresh_at).fold(self.expires.min(self.repair_at), Instant::min)
    }
}
