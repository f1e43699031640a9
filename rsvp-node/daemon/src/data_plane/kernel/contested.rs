//! Keys that several reservations want at once. A virtual port (RFC 2207) is in no packet, so that sessions which differ by it alone
//! have the same packets where they name the same security parameter index, or none (WF).
//!
//! Such packets are of the reservation that came last; when that one gives the key up, they are of another that wants it.

use super::Kernel;
use crate::data_plane::bpf::{FlowId, Key};

impl Kernel {
    /// A reservation has given up keys: those that another wants, too, are that one's from now on.
    pub(super) fn hand_on(&mut self, given_up: &[Key]) {
        for key in given_up {
            if !self.contested.remove(key) {
                continue;
            }
            let wants = self.standing.values().filter(|standing| standing.desired.keys.contains(key));
            let wanting: Vec<FlowId> = wants.map(|standing| standing.flow).collect();
            if wanting.len() > 1 {
                self.contested.insert(*key);
            }
            let Some(next) = wanting.first() else { continue };
            // It has moved before where a change has brought it to another.
            let is_free = self.egress.flow_of(key).is_ok_and(|flow| flow.is_none());
            if is_free && let Err(error) = self.egress.set_key(key, *next) {
                tracing::warn!(%error, "packets of a reservation are of no flow");
            }
        }
    }
}
