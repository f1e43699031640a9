//! Flows that are made by hand, in the kernel: flows as any other, but for what their packets are told by.

use super::super::bpf::{Egress, EgressError, Rule, SocketPeer};
use super::super::by_hand::FlowByHand;
use super::super::desired::Desired;
use super::super::wishes::{OfSenders, Wishes};
use super::super::{Answer, Facts, Failure};
use super::{FlowId, Kernel, Refusal};
use rsvp_control::rows::FlowRow;
use rsvp_node::{Reservation, ReservationId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What was asked for.
#[derive(Clone)]
pub(super) enum Told {
    /// By the engine.
    Signalled(Reservation),
    /// By a program of this host.
    ByHand(Arc<FlowByHand>),
}

impl Told {
    /// What it is to be on an interface; nothing if its packets are to be left alone.
    pub(super) fn desired(
        &self,
        on: u32,
        facts: &Facts,
        own: &BTreeSet<IpAddr>,
        wishes: &OfSenders,
    ) -> Result<Option<Desired>, Failure> {
        let (told, begins_here, wishes) = match self {
            Self::Signalled(told) => {
                let wishes = Wishes::of(wishes, &told.session, &told.filters);
                let are_own =
                    !told.filters.is_empty() && told.filters.iter().all(|f| own.contains(&f.address()));
                // Of a wildcard nobody says who sends, but for the sockets of this host.
                (told.clone(), are_own || wishes.begins_here, wishes)
            }
            Self::ByHand(flow) => (flow.reservation(), flow.rules.is_empty(), flow.wishes),
        };
        if wishes.left_alone {
            return Ok(None);
        }
        let mut desired = Desired::wished(&told, on, &facts.manner, facts.overhead, begins_here, &wishes)?;
        if let Self::ByHand(flow) = self {
            desired.keys.clear();
            let excess = &mut desired.handling.excess;
            excess.dscp = flow.excess.0.or(excess.dscp);
            excess.pcp = excess.pcp.map(|pcp| flow.excess.1.unwrap_or(pcp));
            if let Some(waiting) = flow.waiting {
                desired.count_packets_alone(waiting);
            }
        }
        Ok(Some(desired))
    }

    fn by_hand(&self) -> Option<&Arc<FlowByHand>> {
        match self {
            Self::Signalled(_) => None,
            Self::ByHand(flow) => Some(flow),
        }
    }
}

/// Flows that are made by hand, of each the latest: nothing for one that is to go.
pub(super) type Changes = Vec<(ReservationId, Option<Arc<FlowByHand>>)>;

impl Kernel {
    /// Has flows stand, follow or go. Filters go before others come, which may have their patterns.
    pub(super) fn change_by_hand(&mut self, changes: Changes, now: Duration) -> Vec<Answer> {
        let mut touched = BTreeSet::new();
        for (id, wanted) in &changes {
            touched.extend(self.standing.get(id).map(|standing| standing.interface));
            match wanted {
                None => self.withdraw(*id, Some(now)),
                Some(wanted) => self.remove_filters(*id, wanted),
            }
        }
        let mut answers = Vec::new();
        for (reservation, wanted) in changes {
            let id = reservation;
            let Some(wanted) = wanted else {
                answers.push(Answer { reservation, interface: 0, failure: None });
                continue;
            };
            let on = wanted.interface;
            touched.insert(on);
            let done = self.install(id, on, Told::ByHand(wanted), now).and_then(|()| self.add_filters(id));
            match &done {
                Ok(()) => self.works(on),
                Err(failure) => {
                    self.refuse(on, Refusal::Reservation, failure.clone());
                    self.withdraw(id, Some(now));
                }
            }
            answers.push(Answer { reservation: id, interface: on, failure: done.err() });
        }
        for on in touched {
            let shared = self.share(on).and_then(|()| self.write_rules(on));
            let Err(failure) = shared else { continue };
            fail_all(&mut answers, on, &failure);
        }
        answers
    }

    /// Removes what packets were told by and are no longer.
    fn remove_filters(&mut self, id: ReservationId, wanted: &FlowByHand) {
        let Some(standing) = self.standing.get_mut(&id) else { return };
        let gone: Vec<_> = standing.filters.difference(&wanted.filters).copied().collect();
        for pattern in gone {
            standing.filters.remove(&pattern);
            if let Err(error) = self.egress.remove_filter(standing.interface, &pattern) {
                tracing::warn!(%error, "a filter is left in the egress program");
            }
        }
        let gone: Vec<_> = standing.sockets.difference(&wanted.sockets).copied().collect();
        for socket in gone {
            standing.sockets.remove(&socket);
            remove_socket(&mut self.egress, standing.interface, &socket, standing.flow);
        }
    }

    /// Adds what packets are to be told by and are not yet.
    fn add_filters(&mut self, id: ReservationId) -> Result<(), Failure> {
        let Some(standing) = self.standing.get_mut(&id) else { return Ok(()) };
        let Told::ByHand(wanted) = &standing.told else { return Ok(()) };
        for pattern in wanted.filters.difference(&standing.filters.clone()) {
            self.egress.add_filter(standing.interface, pattern, standing.flow)?;
            standing.filters.insert(*pattern);
        }
        for socket in wanted.sockets.difference(&standing.sockets.clone()) {
            self.egress.set_socket(standing.interface, socket, standing.flow)?;
            standing.sockets.insert(*socket);
        }
        Ok(())
    }

    /// Tells the program the rules of an interface.
    fn write_rules(&mut self, on: u32) -> Result<(), Failure> {
        if !self.interfaces.contains_key(&on) {
            return Ok(());
        }
        let here = self.standing.values().filter(|standing| standing.interface == on);
        let rules: Vec<(Rule, FlowId)> = here
            .filter_map(|standing| Some((standing.told.by_hand()?, standing.flow)))
            .flat_map(|(flow, id)| flow.rules.iter().map(move |rule| (*rule, id)))
            .collect();
        Ok(self.egress.set_rules(on, &rules)?)
    }

    /// What a flow's packets were told by goes with it.
    pub(super) fn forget_filters(&mut self, standing: &super::Standing) {
        for pattern in &standing.filters {
            match self.egress.remove_filter(standing.interface, pattern) {
                Ok(()) | Err(EgressError::NoKey) => {}
                Err(error) => tracing::warn!(%error, "a filter is left in the egress program"),
            }
        }
        for socket in &standing.sockets {
            remove_socket(&mut self.egress, standing.interface, socket, standing.flow);
        }
        if standing.told.by_hand().is_some_and(|flow| !flow.rules.is_empty())
            && let Err(failure) = self.write_rules(standing.interface)
        {
            tracing::warn!("{failure}");
        }
    }

    /// What stands of flows by hand, and what was counted of them.
    pub(super) fn rows_by_hand(&mut self) -> Result<BTreeMap<ReservationId, FlowRow>, String> {
        let classes = self.classes().map_err(|error| error.to_string())?;
        let all = self.standing.iter().filter(|(_, standing)| standing.told.by_hand().is_some());
        let row = |(id, of): (&ReservationId, &super::Standing)| {
            let listed = classes.get(&of.interface).map(Vec::as_slice).unwrap_or_default();
            let row = self.counted(of.flow, of.interface, &of.desired, of.class, listed);
            row.map(|row| (*id, row)).map_err(|error| error.to_string())
        };
        all.map(row).collect()
    }

    /// Flows by hand end with the daemon, whatever else is left to its next run: so do their clients' connections.
    pub(super) fn end_by_hand(&mut self) {
        let all = self.standing.iter().filter(|(_, standing)| standing.told.by_hand().is_some());
        for id in all.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.withdraw(id, None);
        }
    }
}

/// What has been done on an interface is not, for what all of it needs has failed.
pub(super) fn fail_all(answers: &mut [Answer], on: u32, failure: &Failure) {
    for answer in answers.iter_mut().filter(|answer| answer.interface == on && answer.failure.is_none()) {
        answer.failure = Some(failure.clone());
    }
}

/// Packets of a socket are of a flow no longer. They may be of another by now.
fn remove_socket(egress: &mut Egress, on: u32, socket: &SocketPeer, flow: FlowId) {
    match egress.remove_socket(on, socket, flow) {
        Ok(()) | Err(EgressError::NoKey) => {}
        Err(error) => tracing::warn!(%error, "a flow of a socket is left in the egress program"),
    }
}
