//! Whether there is room for what a message asks to be kept: what neighbours have is in `neighbour/accounts`, and how it is divided
//! among them.
//!
//! Limits that count, of sessions and within a session, leave something to whoever has little of what they count, so that
//! nobody can take all of it; then there may be more than they say, up to the half more sessions and twice as much within a session.

use super::Arrived;
use super::kept::filters;
use crate::api::{Discard, Rx};
use crate::interface::{HopSources, InterfaceId};
use crate::key::SenderKey;
use crate::neighbour::accounts::{Cause, Owner};
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::crowd::Crowd;
use crate::state::kept::Kept;
use crate::state::path::PathState;
use crate::state::resv::{Index, Request};
use crate::state::session::SessionState;
use core::net::IpAddr;
use rsvp_wire::{Message, MsgType, RsvpHop};
use smallvec::SmallVec;

/// What part of a limit within a session is left to each neighbour.
const PART: u32 = 16;

/// Octets of a Resv that asks for one thing and carries nothing, at the most.
const PLAIN: usize = 160;

impl Node {
    /// Whose message this is that is being processed; the first time it counts as heard.
    pub(crate) fn owner_of(&mut self, rx: &Rx<'_>, message: &Message<'_>) -> Owner {
        if self.cause == Owner::NODE {
            let hop = match message.msg_type() {
                MsgType::PATH | MsgType::PATH_TEAR => message.get::<RsvpHop>().and_then(Result::ok),
                _ => None,
            };
            let party = self.party(rx, hop.map(|hop| hop.address));
            self.cause = self.state.accounts.of(party);
            self.state.accounts.heard(self.cause, self.now);
        }
        self.cause
    }

    /// Whether there is room for path state that a Path makes, or changes.
    pub(crate) fn has_room_for_path(&self, known: Option<Ix<PathState>>, length: usize) -> bool {
        let known = known.map(|ix| &self.state.paths[ix]).filter(|path| path.owner == self.cause);
        let had = known.map_or(0, PathState::charge);
        let more = PathState::charge_for(length).saturating_sub(had);
        self.state.accounts.has_room(self.cause, more)
    }

    /// Whether there is room for what a Resv asks for. What it replaces counts where it replaces all there is.
    pub(crate) fn has_room_for_request(
        &self,
        session: Ix<SessionState>,
        known: Option<Ix<Request>>,
        arrived: &Arrived<'_>,
    ) -> bool {
        let named: SmallVec<[SenderKey; 4]> = filters(&arrived.message).collect();
        let count = named.len().max(1);
        let alone = Request::charge_for(arrived.rx.octets.len(), count);
        let is_same = |ix: &Ix<Request>| {
            let request = &self.state.requests[*ix];
            request.items.len() == count
                && request.messages().count() <= 1
                && named.iter().all(|f| self.state.place_of(*ix, &Some(*f)).is_some())
        };
        let same = known.is_some_and(|ix| is_same(&ix));
        let alone = alone
            + match known.filter(|_| same) {
                Some(ix) => self.state.requests[ix].charge_in_crowd(),
                None => self.charge_in_crowd(session, named.len()),
            };
        let Some(ix) = known else { return self.state.accounts.has_room(self.cause, alone.into()) };
        let request = &self.state.requests[ix];
        // Where a digest is kept, this message may become one as well: what plain messages have is not counted then.
        let digest = matches!(request.kept, Kept::Digest { .. });
        let spared = if digest { arrived.rx.octets.len().min(PLAIN) as u32 } else { 0 };
        let more = alone.saturating_sub(if same { request.charged + spared } else { 0 });
        self.state.accounts.has_room(request.owner, more.into())
    }

    /// What is charged for a new request for so many senders beside what it is alone, if its session is or becomes one of many.
    fn charge_in_crowd(&self, session: Ix<SessionState>, named: usize) -> u32 {
        match self.state.crowd(session) {
            Some(_) if named == 0 => Index::charge_for(0, 1),
            None if named <= self.state.few => 0,
            crowd => Index::charge_for(crowd.map_or(0, Crowd::size) + named, named),
        }
    }

    /// Whether there are as many sessions as there may be, and this neighbour has made some of them. Applications of this node may have
    /// an eighth more.
    pub(crate) fn has_all_sessions(&self, owner: Owner) -> bool {
        let limit = self.config.limits.sessions;
        match owner {
            Owner::NODE => self.state.sessions.len() >= limit.saturating_add(limit / 8),
            _ => self.state.sessions.len() >= limit && !self.state.accounts.has_few(owner),
        }
    }

    /// Whether a session has as many senders as it may, and this neighbour or node some of them.
    pub(crate) fn has_all_senders(&self, session: Ix<SessionState>, owner: Owner) -> bool {
        let own = || self.state.paths_of(session).filter(|(_, path)| path.owner == owner).count();
        is_full(self.state.sessions[session].path_count, self.config.limits.senders_per_session, own)
    }

    /// The same of requests.
    pub(crate) fn has_all_requests(&self, session: Ix<SessionState>, owner: Owner) -> bool {
        let own = || self.state.requests_of(session).filter(|(_, request)| request.owner == owner).count();
        is_full(self.state.sessions[session].request_count, self.config.limits.requests_per_session, own)
    }

    /// A message that does not come from whom it says is dropped without an answer.
    pub(crate) fn foreign(&mut self, arrived: &Arrived<'_>) -> Discard {
        let owner = self.owner_of(&arrived.rx, &arrived.message);
        self.blame(owner, Cause::ForeignSource);
        Discard::ForeignSource
    }

    /// Whether a Resv or ResvTear comes from its next hop: at first as [`comes_from`](Self::comes_from) has it, and from then on from
    /// the hop's address, or from the one that has made the request.
    pub(crate) fn comes_from_next_hop(
        &self,
        arrived: &Arrived<'_>,
        (interface, address): (InterfaceId, IpAddr),
        known: Option<Ix<Request>>,
    ) -> bool {
        let source = arrived.rx.source;
        let Some(request) = known.map(|ix| &self.state.requests[ix]) else {
            return self.comes_from(&arrived.rx, address, interface);
        };
        let on = self.interfaces.find(interface);
        let any = on.is_some_and(|on| on.config.hop_sources == HopSources::Never);
        source == address || any || request.source() == Some(source)
    }

    /// What there is no room for is not answered where it is no request.
    pub(crate) fn no_room(&mut self, limit: crate::config::Limit) -> Discard {
        self.refused(limit);
        Discard::LimitReached
    }
}

fn is_full(count: u32, limit: u32, own: impl Fn() -> usize) -> bool {
    count >= limit && (count / 2 >= limit || own() >= (limit / PART) as usize)
}
