//! A change of service when all is quiet (RFC 2205 section 2.3, RFC 2210 section 2.2): every receiver of a session asks for
//! the other service, and has it when the refreshes that were on their way have come once around. Whoever is alone has it
//! with the first.
//!
//! Deliberately not asked of several receivers of senders in several places: requests that meet head-on are in each
//! other's way until one of them has timed out, and no node between them can know better.

use super::settled::{Settled, is_guaranteed};
use super::upheaval::with_service;
use super::{Failure, Trial};
use crate::reference::{Demand, Reference};
use crate::scenario::model::{NodeId, ReceiverId, Request, SessionId};
use core::time::Duration;
use rsvp_node::Instant;
use std::collections::BTreeSet;

/// Enough for a message to cross any world.
const AT_ONCE: Duration = Duration::from_secs(2);

impl Trial {
    /// The receivers of some sessions change to the other service.
    pub(super) fn services_change(&mut self, demand: &Demand) -> Result<(), Failure> {
        let mut changed = demand.clone();
        let scenario = self.world.scenario().clone();
        let mut hops = 0;
        for session in (0..scenario.sessions.len()).map(SessionId) {
            let here = |n: &usize| scenario.receivers[*n].session == session && demand.requests[*n].is_some();
            let receivers: Vec<usize> = (0..scenario.receivers.len()).filter(here).collect();
            let nodes: BTreeSet<NodeId> = receivers.iter().map(|n| scenario.receivers[*n].node).collect();
            // Applications of one node can change only one after the other, and the first is refused at once.
            let sending = scenario.senders_of(session).into_iter().filter(|s| demand.senders[s.0].is_some());
            let places: BTreeSet<NodeId> = sending.map(|s| scenario.senders[s.0].node).collect();
            if nodes.len() < receivers.len() || (receivers.len() > 1 && places.len() > 1) {
                continue;
            }
            hops = hops.max(receivers.len().min(2) - receivers.len().min(1));
            receivers.iter().for_each(|n| changed.requests[*n].iter_mut().for_each(change));
        }
        let reference = Reference::new(&scenario, &changed);
        let refused = BTreeSet::new();
        let state =
            Settled { world: &self.world, demand: &changed, reference: &reference, refused: &refused };
        if changed.requests == demand.requests || !state.fits() || reference.loops {
            return Ok(());
        }
        self.outcome.features.insert("everybody changes service");
        let deepest = reference.paths.keys().map(|(s, n)| reference.way(*s, *n).len()).max();
        let changes: Vec<(ReceiverId, Request)> = (0..scenario.receivers.len())
            .filter(|n| changed.requests[*n] != demand.requests[*n])
            .filter_map(|n| Some((ReceiverId(n), changed.requests[n].clone()?)))
            .collect();
        // A clock may be a tenth slow. Where several change, each merge point in turn may have to wait for a refresh.
        let period = scenario.refresh * 3 / 2 * 115 / 100 + AT_ONCE;
        let rounds = 1 + if hops > 0 { deepest.unwrap_or_default() } else { 0 };
        let mut last = Ok(());
        for round in 0..rounds * 4 {
            for (receiver, request) in &changes {
                let app = self.world.receiver_app(*receiver);
                // Whoever is refused at once by its own node, where others have not changed yet, tries again.
                if round == 0 || self.checker.refused.contains(&app) {
                    self.world.change_request(*receiver, request.clone());
                    self.checker.look(&mut self.world)?;
                }
            }
            let now = self.world.now() - Instant::ZERO;
            self.until(now + period / 4)?;
            let refused = BTreeSet::new();
            let state =
                Settled { world: &self.world, demand: &changed, reference: &reference, refused: &refused };
            last = state.equals_reference();
            if last.is_ok() {
                return Ok(());
            }
        }
        let promise = "whoever changes to what fits and agrees has it within a refresh period";
        last.map_err(|failure| Failure { promise, ..failure })
    }
}

fn change(request: &mut Request) {
    let guaranteed = request.flows.iter().any(|flow| is_guaranteed(flow.service));
    request.flows.iter_mut().for_each(|flow| with_service(flow, !guaranteed));
    request.confirm = false;
}
