//! An interface goes down, or RSVP is switched off there (RFC 2205 section 3.11.4).
//!
//! Nobody is left to refresh what came in by it, or was asked for on it. That ends at once and not by timeouts, as they would end
//! it: PathTears follow the data, ResvTears go to the previous hops. Where routing has another way for a sender, local repair
//! has its time first (section 3.6). When the interface is back, the Paths that could not leave there do so at once; neighbours
//! that have lost the same state need not wait for a refresh.

use crate::event::Gone;
use crate::node::{Enough, Node};
use crate::state::arena::Ix;
use crate::state::path::PathState;
use crate::state::resv::Request;
use crate::state::traffic::Branch;

/// Requests looked at in one call.
const PIECE: u32 = 1_024;

impl Node {
    /// Ends path state that came in by an interface that is down; true if it did. Of other path state it is noted what cannot be
    /// sent.
    pub(crate) fn leave_path(&mut self, ix: Ix<PathState>) -> bool {
        let interfaces = &self.interfaces;
        let path = &mut self.state.paths[ix];
        // Where multicast routing expects the data from elsewhere now, local repair waits for the Path from there.
        if !path.flags.misplaced() && path.incoming().is_some_and(|on| interfaces.usable(on).is_none()) {
            self.remove_path(ix, Gone::TimedOut, None);
            return true;
        }
        for outgoing in &mut path.outgoing {
            outgoing.unsent |= interfaces.usable(outgoing.interface).is_none();
        }
        false
    }

    /// Sends the Paths that an interface has kept from leaving, if it is back.
    pub(crate) fn send_unsent(&mut self, ix: Ix<PathState>) {
        let mut due = false;
        for outgoing in &mut self.state.paths[ix].outgoing {
            let is =
                outgoing.unsent && !outgoing.leaving && self.interfaces.usable(outgoing.interface).is_some();
            outgoing.due |= is;
            due |= is;
        }
        if due {
            self.intend_path(ix);
        }
    }

    /// Ends the next requests on interfaces that are down, until it is enough; true if there are more.
    pub(crate) fn leave_requests(&mut self, next: &mut u32, enough: &Enough) -> bool {
        let last = next.saturating_add(PIECE).min(self.state.requests.places());
        while *next < last && !enough.is_reached(&self.state) {
            let place = *next;
            *next += 1;
            if self.state.requests.at(place).is_some()
                && let Some(ix) = Ix::from_place(place)
            {
                self.leave_request(ix);
            }
        }
        *next < self.state.requests.places()
    }

    /// The same for what routing has left when local repair ends.
    pub(crate) fn leave_branch(&mut self, branch: Branch) {
        for ix in self.state.requests_on(branch) {
            self.leave_request(ix);
        }
    }

    fn leave_request(&mut self, ix: Ix<Request>) {
        let request = &self.state.requests[ix];
        let Some(on) = request.interface().filter(|on| self.interfaces.usable(*on).is_none()) else { return };
        let repaired = |path: &PathState| {
            path.outgoing.iter().any(|o| o.interface == on && o.leaving)
                && path.outgoing.iter().any(|o| !o.leaving && self.interfaces.usable(o.interface).is_some())
        };
        if !self.state.paths_of(request.session).any(|(_, path)| repaired(path)) {
            tracing::debug!(from = ?request.from, "reservation request ends with its interface");
            self.remove_items(ix, |_| true);
        }
    }
}
