//! What flows are in the data plane: one flow by hand for each interface by which packets of a flow leave, and who waits until that
//! stands.
//!
//! What is wanted has a version that goes up with each change. The data plane is handed the latest whenever it has time, and answers; a
//! request is answered when all that it wanted was handed on and answered.

use super::flow::Settings;
use super::{FlowService, aborted, problem};
use crate::control::service::{ClientId, EngineAccess};
use crate::data_plane::by_hand::FlowByHand;
use rsvp_control::Done;
use rsvp_control::rows::FlowRow;
use rsvp_node::{Instant, InterfaceId, ReservationId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

/// Numbers of flows from here on are not the engine's; what tells these from others that are not is their generation.
const FIRST_LEG: u32 = 1 << 31;
const GENERATION: u32 = 2;

/// A flow on an interface.
#[derive(Debug)]
struct Leg {
    flow: u64,
    interface: InterfaceId,
    /// Nothing once it is to go.
    wanted: Option<Arc<FlowByHand>>,
    version: u64,
    /// The version that the data plane was told last, and the one that it has answered.
    handed: u64,
    answered: u64,
    /// Octets that it has sent, when that was counted, and in bits per second what it sent before that.
    octets: u64,
    counted: Option<Instant>,
    sent_bps: u64,
}

/// Those that there are, and who waits.
#[derive(Debug, Default)]
pub(super) struct Legs {
    all: BTreeMap<u32, Leg>,
    places: BTreeMap<(u64, InterfaceId), u32>,
    next: u32,
    /// Those that have changed since the data plane was told.
    changed: BTreeSet<u32>,
    waits: Vec<Wait>,
}

/// A request that waits until the data plane has done what it takes.
#[derive(Debug)]
struct Wait {
    asked: (ClientId, u64),
    flow: u64,
    done: Done,
    /// Versions of legs.
    on: BTreeMap<u32, u64>,
    undo: Undo,
}

/// What is taken back if it cannot be done, or the request is given up.
#[derive(Debug)]
pub(super) enum Undo {
    Nothing,
    /// The flow that was made.
    Flow,
    /// The socket that was added.
    Member((u64, SocketAddr)),
    /// What was set.
    Settings(Settings),
}

const fn id_of(leg: u32) -> ReservationId {
    ReservationId { index: FIRST_LEG + leg, generation: GENERATION }
}

impl FlowService {
    /// What a flow is in the data plane follows what is known of it.
    pub(super) fn follow(&mut self, number: u64, access: &mut dyn EngineAccess) {
        if let Some(flow) = self.flows.get_mut(&number) {
            for ((_, peer), member) in &mut flow.members {
                member.way = access.way_to(member.transport, member.local, *peer);
            }
        }
        let flow = self.flows.get(&number);
        let interfaces = flow.map(super::Flow::interfaces).unwrap_or_default();
        let standing = self.legs.places.range((number, InterfaceId(0))..=(number, InterfaceId(u32::MAX)));
        let mut all: BTreeSet<InterfaceId> = standing.map(|((_, on), _)| *on).collect();
        all.extend(&interfaces);
        for on in all {
            let mtu = || access.engine().interfaces().find(|(i, _)| i.id == on).map(|(i, _)| i.mtu);
            let flow = flow.filter(|_| interfaces.contains(&on));
            let wanted = flow
                .and_then(|flow| flow.carried_out(on, mtu().unwrap_or(1_500), self.limits.shape_only_marks));
            self.legs.want(number, on, wanted);
        }
    }

    /// The same, and a request waits for it.
    pub(super) fn settle(
        &mut self,
        asked: (ClientId, u64),
        number: u64,
        done: Done,
        undo: Undo,
        access: &mut dyn EngineAccess,
    ) {
        self.follow(number, access);
        self.wait(asked, number, done, undo);
    }

    /// A request waits for all that a flow has asked of the data plane.
    pub(super) fn wait(&mut self, asked: (ClientId, u64), flow: u64, done: Done, undo: Undo) {
        let of_flow = self.legs.all.iter().filter(|(_, leg)| leg.flow == flow && leg.answered < leg.version);
        let on: BTreeMap<u32, u64> = of_flow.map(|(number, leg)| (*number, leg.version)).collect();
        if on.is_empty() {
            self.answers.push_back((asked.0, asked.1, Ok(done)));
        } else {
            self.legs.waits.push(Wait { asked, flow, done, on, undo });
        }
    }

    /// Nobody waits for a flow any more, because it ends.
    pub(super) fn end_waiting(&mut self, flow: u64) {
        for wait in self.legs.waits.extract_if(.., |wait| wait.flow == flow) {
            self.answers.push_back((wait.asked.0, wait.asked.1, Err(aborted())));
        }
    }

    /// A client gives up a request: what it has made goes.
    pub(super) fn cancel(&mut self, client: ClientId, request: u64, access: &mut dyn EngineAccess) {
        let asked = (client, request);
        if let Some(at) = self.legs.waits.iter().position(|wait| wait.asked == asked) {
            let wait = self.legs.waits.remove(at);
            self.answers.push_back((client, request, Err(aborted())));
            return self.undo(wait.flow, wait.undo, access);
        }
        if self.cancel_asking(asked) {
            self.answers.push_back((client, request, Err(aborted())));
            return;
        }
        // It was done already, and the client has not heard of it.
        let made = self.flows.iter().find(|(_, flow)| (flow.client, flow.request) == asked);
        if let Some(number) = made.map(|(number, _)| *number) {
            return self.end(number, access);
        }
        let of_client = self.flows.iter().filter(|(_, flow)| flow.client == client);
        let added =
            of_client.flat_map(|(number, flow)| flow.members.iter().map(move |(k, m)| (*number, *k, m)));
        let added =
            added.filter(|(.., member)| member.request == request).map(|(number, key, _)| (number, key));
        if let Some((number, key)) = added.collect::<Vec<_>>().pop() {
            self.undo(number, Undo::Member(key), access);
        }
    }

    fn undo(&mut self, number: u64, undo: Undo, access: &mut dyn EngineAccess) {
        match undo {
            Undo::Nothing => {}
            Undo::Flow => self.end(number, access),
            Undo::Member(key) => self.leave(number, key),
            Undo::Settings(before) => {
                if let Some(flow) = self.flows.get_mut(&number) {
                    flow.settings = before;
                }
            }
        }
        self.follow(number, access);
    }

    /// What was counted of flows.
    pub(super) fn count(&mut self, rows: &BTreeMap<ReservationId, FlowRow>, now: Instant) {
        for (number, leg) in &mut self.legs.all {
            let Some(row) = rows.get(&id_of(*number)) else { continue };
            let octets = row.octets + row.excess_octets;
            if let Some(before) = leg.counted {
                let us = now.as_micros().saturating_sub(before.as_micros()).max(1);
                leg.sent_bps = octets.saturating_sub(leg.octets).saturating_mul(8_000_000) / us;
            }
            (leg.octets, leg.counted) = (octets, Some(now));
        }
    }

    /// What a flow has sent of late, in bits per second.
    pub(super) fn sent_bps(&self, flow: u64) -> u64 {
        self.legs.all.values().filter(|leg| leg.flow == flow).map(|leg| leg.sent_bps).sum()
    }

    /// Hands on to the data plane what has changed.
    pub fn hand_on(&mut self, access: &mut dyn EngineAccess) {
        for number in core::mem::take(&mut self.legs.changed) {
            let Some(leg) = self.legs.all.get_mut(&number) else { continue };
            leg.handed = leg.version;
            access.flow_by_hand(id_of(number), leg.wanted.clone());
        }
    }

    /// The data plane has done what it was told, or not; whether it is about one of these.
    pub fn answered(
        &mut self,
        id: ReservationId,
        failure: Option<&str>,
        access: &mut dyn EngineAccess,
    ) -> bool {
        if id.index < FIRST_LEG || id.generation != GENERATION {
            return false;
        }
        let number = id.index - FIRST_LEG;
        let Some(handed) = self.legs.answered(number, failure.is_some()) else { return true };
        let waits = core::mem::take(&mut self.legs.waits);
        let mut undone = Vec::new();
        for mut wait in waits {
            let (client, id) = wait.asked;
            match (failure, wait.on.get(&number)) {
                (Some(why), Some(version)) if *version <= handed => {
                    let why =
                        problem("service-dependency-fail", format!("the data plane cannot do it: {why}"));
                    self.answers.push_back((client, id, Err(why)));
                    undone.push((wait.flow, wait.undo));
                    continue;
                }
                (None, Some(version)) if *version <= handed => drop(wait.on.remove(&number)),
                _ => {}
            }
            if wait.on.is_empty() {
                self.answers.push_back((client, id, Ok(wait.done)));
            } else {
                self.legs.waits.push(wait);
            }
        }
        // The last that was asked for is taken back first.
        for (flow, undo) in undone.into_iter().rev() {
            self.undo(flow, undo, access);
        }
        true
    }
}

impl Legs {
    fn want(&mut self, flow: u64, interface: InterfaceId, wanted: Option<FlowByHand>) {
        let place = self.places.get(&(flow, interface)).copied();
        let leg = match (place, &wanted) {
            (Some(number), _) => number,
            (None, None) => return,
            (None, Some(_)) => self.another(flow, interface),
        };
        let Some(standing) = self.all.get_mut(&leg) else { return };
        if standing.wanted.as_deref() == wanted.as_ref() {
            return;
        }
        standing.wanted = wanted.map(Arc::new);
        standing.version += 1;
        self.changed.insert(leg);
    }

    fn another(&mut self, flow: u64, interface: InterfaceId) -> u32 {
        while self.all.contains_key(&self.next) {
            self.next = (self.next + 1) % FIRST_LEG;
        }
        let leg = Leg {
            flow,
            interface,
            wanted: None,
            version: 0,
            handed: 0,
            answered: 0,
            octets: 0,
            counted: None,
            sent_bps: 0,
        };
        self.all.insert(self.next, leg);
        self.places.insert((flow, interface), self.next);
        self.next
    }

    /// The version that the answer is about. What is gone is forgotten; what has failed is nothing now.
    fn answered(&mut self, number: u32, failed: bool) -> Option<u64> {
        let leg = self.all.get_mut(&number)?;
        let handed = leg.handed;
        leg.answered = handed;
        if failed && leg.version == handed {
            leg.wanted = None;
        }
        if leg.wanted.is_none() && leg.version == handed {
            self.places.remove(&(leg.flow, leg.interface));
            self.all.remove(&number);
        }
        Some(handed)
    }
}
