//! The end of path state, by PathTear, timeout or command: RFC 2205 section 3.1.5, RFC 2209 PTEAR MESSAGE ARRIVES.
//!
//! Reservation state that depended on the path is adjusted without a word upstream: the PathTear has already made the
//! changes there, and a ResvErr for each would be a shower. What a local application asked for stays asked for.

use crate::event::{EventKind, Gone};
use crate::interface::InterfaceId;
use crate::key::SenderKey;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::blockade::Blockade;
use crate::state::path::PathState;
use crate::state::session::SessionState;
use crate::state::traffic::Branch;
use rsvp_wire::SenderTemplate;
use smallvec::SmallVec;

impl Node {
    /// Removes path state and forwards a PathTear where Path messages went. `tear` is the PathTear message that said
    /// so, if one did: objects of unknown class go on from there.
    pub(crate) fn remove_path(&mut self, ix: Ix<PathState>, why: Gone, tear: Option<&[u8]>) {
        let path = &self.state.paths[ix];
        let (session, sender, upstream) = (path.session, path.sender, path.upstream());
        let interfaces = path.interfaces();
        self.session_changes(session);
        tracing::debug!(%sender, ?why, "path state removed");
        let multicast = self.state.sessions[session].key.is_multicast();
        let spoke = |i: &&InterfaceId| multicast && self.state.speaks_for_sender(ix, **i);
        let spoke: SmallVec<[InterfaceId; 4]> = interfaces.iter().filter(spoke).copied().collect();
        let before = self.said_of(session, &sender);
        self.state.unlink_path(ix);
        if multicast {
            self.leave_to_others(session, &sender, &spoke);
        }
        for interface in interfaces {
            let branch = Branch { session, interface };
            self.drop_requests_for(branch, &sender);
            self.update_without_sender(branch, &sender);
        }
        if let Some(upstream) = upstream {
            let ours = |b: &Blockade| b.sender == Some(sender);
            let all = self.state.blockades_of(upstream).filter(|(_, b)| ours(b));
            let gone: SmallVec<[Ix<Blockade>; 4]> = all.map(|(blockade, _)| blockade).collect();
            gone.into_iter().for_each(|blockade| self.state.remove_blockade(blockade));
            self.state.leave_upstream(upstream);
        }
        self.tell_path_gone(session, ix, why, before);
        self.bury_path(ix, tear);
        self.state.release_session(session);
    }

    /// Tells applications that a sender is gone, unless it is still announced over another interface (multicast, while
    /// its way changes): then they hear what it says there, if that is something else.
    fn tell_path_gone(
        &mut self,
        session: Ix<SessionState>,
        gone: Ix<PathState>,
        why: Gone,
        before: Option<EventKind>,
    ) {
        let path = &self.state.paths[gone];
        let (sender, origin) = (path.sender, path.origin);
        let others = self.state.path_of_sender(session, &sender).filter(|(_, p)| p.upstream().is_some());
        if others.is_some() {
            self.tell_other(session, &sender, before.as_ref());
        } else {
            let kind = EventKind::PathGone { sender: SenderTemplate(sender.object()), why };
            self.tell_listeners(session, origin, &kind);
            self.unconfirmed(session, None, Some(sender));
        }
    }

    /// Where path state from another previous hop speaks for the sender now, it is forwarded at once.
    fn leave_to_others(&mut self, session: Ix<SessionState>, sender: &SenderKey, left: &[InterfaceId]) {
        let others = self.state.paths_from(session, sender);
        let others: SmallVec<[Ix<PathState>; 2]> = others.map(|(ix, _)| ix).collect();
        for ix in others {
            for outgoing in &mut self.state.paths[ix].outgoing {
                outgoing.due |= !outgoing.leaving && left.contains(&outgoing.interface);
            }
            self.intend_path(ix);
        }
    }

    /// Keeps the block as a tombstone until its PathTears are written, or drops it when there are none to write.
    fn bury_path(&mut self, ix: Ix<PathState>, tear: Option<&[u8]>) {
        if self.state.paths[ix].outgoing.is_empty() {
            self.state.drop_path(ix);
            return;
        }
        let path = &self.state.paths[ix];
        let (session, sender) = (path.session, path.sender);
        let others = |i: InterfaceId| self.state.paths_from(session, &sender).any(|(_, p)| p.routes_to(i));
        // What is announced from elsewhere, too, is not torn down.
        let due: SmallVec<[bool; 4]> =
            path.outgoing.iter().map(|o| !o.leaving && !others(o.interface)).collect();
        let path = &mut self.state.paths[ix];
        path.flags.set_dead(true);
        path.outgoing.iter_mut().zip(due).for_each(|(o, due)| o.due = due);
        if let Some(octets) = tear {
            path.octets = octets.into();
        }
        self.intend_path(ix);
    }

    /// Deletes what next hops of a branch had reserved for a sender whose path state is gone: the filter for
    /// explicit styles, everything for the wildcard style when it was the last sender that leads there.
    fn drop_requests_for(&mut self, branch: Branch, sender: &SenderKey) {
        let leads = |(_, p): (_, &PathState)| p.routes_to(branch.interface);
        let last = !self.state.paths_of(branch.session).any(leads);
        if self.state.paths_from(branch.session, sender).any(leads) {
            return;
        }
        for ix in self.state.requests_on(branch) {
            if self.state.requests[ix].style.is_wildcard() {
                if last {
                    self.state.remove_request(ix);
                }
                continue;
            }
            let Some(place) = self.state.place_of(ix, &Some(*sender)) else { continue };
            self.state.take_item(ix, place);
            let request = &mut self.state.requests[ix];
            request.refreshable = false;
            if request.items.is_empty() {
                self.state.remove_request(ix);
            } else {
                self.state.charge_request(ix);
            }
        }
    }
}
