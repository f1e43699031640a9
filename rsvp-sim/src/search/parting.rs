//! The end of a world, when no message is lost any more: receivers ask for confirmation once more and get it (RFC 2205
//! section 2.6); then everybody leaves, and what is torn down is gone at once, not after a lifetime (section 2.4).

use super::settled::selects;
use super::{Failure, Trial};
use crate::reference::{Demand, Reference};
use crate::scenario::model::{NodeId, ReceiverId, SenderId};
use core::time::Duration;
use rsvp_node::{AppId, Instant, Requester};

/// Enough for a message to cross any world and for the answer to come back.
const AT_ONCE: Duration = Duration::from_secs(2);

impl Trial {
    /// Every receiver that has what it asked for asks for it again, and wants to have that confirmed. The wish takes octets where
    /// it is kept: whoever has no room for it says so.
    pub(super) fn everybody_is_confirmed(
        &mut self,
        demand: &Demand,
        reference: &Reference,
    ) -> Result<(), Failure> {
        for n in 0..self.world.scenario().receivers.len() {
            let receiver = &self.world.scenario().receivers[n];
            let Some(request) = demand.requests[n].as_ref().filter(|_| demand.listens[n]) else { continue };
            let reaches = |s: SenderId| {
                let here = self.world.scenario().senders[s.0].node == receiver.node;
                (here && demand.senders[s.0].is_some()) || reference.paths.contains_key(&(s, receiver.node))
            };
            let served = |s: SenderId| selects(request, s) && reaches(s);
            let app = AppId((self.world.scenario().senders.len() + n) as u32);
            let senders = self.world.scenario().senders_of(receiver.session);
            if !senders.into_iter().any(served) || self.checker.refused.contains(&app) {
                continue;
            }
            let name = receiver.name.clone();
            self.checker.confirmed.remove(&app);
            let errors = self.checker.errors.len();
            self.world.ask_for_confirmation(ReceiverId(n));
            self.pass(AT_ONCE)?;
            let has_no_room = self.checker.features.contains("limits bite")
                && self.checker.errors[errors..].iter().any(|told| told.app == app);
            if !self.checker.confirmed.contains(&app) && !has_no_room {
                let seen = format!("{name} has not heard within {AT_ONCE:?}");
                return Err(Failure { promise: "who asks is confirmed", at: self.world.now(), seen });
            }
        }
        Ok(())
    }

    /// First all requests are given up, then all senders stop.
    pub(super) fn tears_arrive(&mut self) -> Result<(), Failure> {
        for n in 0..self.world.scenario().receivers.len() {
            self.world.release_reservation(ReceiverId(n));
            self.checker.look(&mut self.world)?;
        }
        self.pass(AT_ONCE)?;
        self.nowhere("a reservation that is given up is gone at once", |trial, node| {
            let engine = trial.world.engine(node);
            let mut requests = engine.requests();
            let asked = requests.find(|r| matches!(r.from, Requester::NextHop { .. }));
            let stands = || engine.reservations().next().map(|(_, _, r)| format!("{r:?}"));
            asked.map(|r| format!("{r:?}")).or_else(stands)
        })?;
        for n in 0..self.world.scenario().senders.len() {
            self.world.leave_or_stop(AppId(n as u32));
            self.checker.look(&mut self.world)?;
        }
        self.pass(AT_ONCE)?;
        self.nowhere("a sender that has stopped is gone at once", |trial, node| {
            trial.world.engine(node).senders().next().map(|path| format!("{path:?}"))
        })
    }

    fn nowhere(
        &self,
        promise: &'static str,
        there: impl Fn(&Self, NodeId) -> Option<String>,
    ) -> Result<(), Failure> {
        for (n, node) in self.world.scenario().nodes.iter().enumerate() {
            if let Some(what) = there(self, NodeId(n)) {
                let seen = format!("{}: {what}", node.name);
                return Err(Failure { promise, at: self.world.now(), seen });
            }
        }
        Ok(())
    }

    fn pass(&mut self, time: Duration) -> Result<(), Failure> {
        let now = self.world.now() - Instant::ZERO;
        self.until(now + time)
    }
}
