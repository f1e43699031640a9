//! Timers: soft state dies without refreshes, and is refreshed on time (RFC 2205 sections 2.3 and 3.7).

use crate::event::Gone;
use crate::node::{Enough, Node};
use crate::state::TimerOwner;
use crate::state::arena::Ix;
use crate::state::path::PathState;
use crate::state::resv::Request;

/// Timers looked at in one call; more wait for the next.
const STEPS: u32 = 256;

impl Node {
    /// Does what is due, a bounded amount of it.
    pub(crate) fn time_passes(&mut self) {
        let mut steps = STEPS;
        let enough = Enough::for_now(&self.state);
        while !enough.is_reached(&self.state)
            && let Some(owner) = self.state.due(self.now, &mut steps)
        {
            match owner {
                TimerOwner::Path(ix) => self.path_timer(ix),
                TimerOwner::Request(ix) => self.request_timer(ix),
                TimerOwner::Upstream(ix) => {
                    let upstream = &mut self.state.upstreams[ix];
                    upstream.refresh_due = true;
                    if let Some(interface) = self.interfaces.find_mut(upstream.interface) {
                        interface.slew(self.now);
                    }
                    self.wish_again(ix);
                    self.intend_resv(ix);
                }
                TimerOwner::Blockade(ix) => {
                    // Nothing is sent now: the next refresh tries the larger request again (section 3.5).
                    // Tried again at once and not with the next refresh, where all that failed together would meet again
                    // and fail again: one after the other, what fits is granted.
                    self.session_changes(self.state.blockades[ix].session);
                    self.intend_resv(self.state.blockades[ix].upstream);
                    self.state.remove_blockade(ix);
                }
            }
        }
    }

    fn path_timer(&mut self, ix: Ix<PathState>) {
        let now = self.now;
        let path = &mut self.state.paths[ix];
        if path.expires <= now {
            self.remove_path(ix, Gone::TimedOut, None);
            return;
        }
        if path.repair_at <= now {
            self.repair_path(ix);
        }
        let mut due = false;
        for outgoing in &mut self.state.paths[ix].outgoing {
            if outgoing.refresh_at <= now && !outgoing.leaving {
                outgoing.due = true;
                due = true;
                // Written messages set the real time; this one stands if nothing can be written.
                let state = self.interfaces.find_mut(outgoing.interface);
                let refresh = state.map(|i| i.slew(now)).unwrap_or_default();
                outgoing.refresh_at = now + self.rng.jitter(refresh);
            }
        }
        if due {
            self.intend_path(ix);
        }
        self.state.arm_path(ix);
    }

    fn request_timer(&mut self, ix: Ix<Request>) {
        let now = self.now;
        let request = &mut self.state.requests[ix];
        if request.deadline() > now {
            self.state.arm_request(ix);
            return;
        }
        tracing::debug!(from = ?request.from, "reservation request timed out");
        self.cause = request.owner;
        if request.items.iter().any(|item| item.expires > now) {
            self.remove_items(ix, |item| item.expires <= now);
            self.state.arm_request(ix);
        } else {
            self.remove_items(ix, |_| true);
        }
    }
}
