//! Flows and filters by hand: the traffic control interface of the QoS APIs, for programs that make flows without signalling.
//!
//! A flow belongs to the client that made it and ends with it; nobody else may change it. It takes its share of the interface as a
//! reservation does, by the engine's admission, and is carried out by the data plane like one. What packets are told by are
//! filters, and rules by the DSCP with which forwarded packets come. As pure as the control service: what is to be carried out is handed
//! on when the data plane has time ([`TcService::hand_on`]).

mod filters;
mod patterns;
mod report;

use crate::control::service::{ClientId, EngineAccess, named, peak_above, refused_claim};
use crate::data_plane::bpf::{Mask, Mode, Pattern, Rule};
use crate::data_plane::by_hand::FlowByHand;
use crate::data_plane::wishes::Wishes;
use rsvp_control::qos::Service;
use rsvp_control::tc::{self, Event, Filter};
use rsvp_control::{Done, Problem, Request};
use rsvp_node::{Claim, Command, InterfaceId, Outcome, ReservationId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Numbers of flows from here on are not the engine's; what tells these from those of sockets is their generation.
const FIRST_FLOW: u32 = 1 << 31;
const GENERATION: u32 = 1;

/// What one client may have.
const MOST_FLOWS: usize = 4_096;
const MOST_FILTERS: usize = 16_384;
/// Octets of a flow's name.
const LONGEST_NAME: usize = 256;

/// A flow.
#[derive(Debug)]
struct Made {
    client: ClientId,
    interface: InterfaceId,
    said: tc::Flow,
    filters: BTreeMap<u64, (Filter, Pattern)>,
}

/// What is known of an interface, for those that are told of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Known {
    up: bool,
    remaining_bps: u64,
    flows: usize,
}

/// Flows, filters, and who wants to know of them.
#[derive(Debug, Default)]
pub struct TcService {
    flows: BTreeMap<u64, Made>,
    /// The flow of each filter.
    filters: BTreeMap<u64, u64>,
    /// Patterns that are taken on an interface, by which filter.
    taken: BTreeMap<(InterfaceId, Pattern), u64>,
    next_flow: u64,
    next_filter: u64,
    /// Flows that have changed since the data plane was told of them, and flows that are gone.
    changed: BTreeSet<u64>,
    subscribers: BTreeSet<ClientId>,
    known: BTreeMap<InterfaceId, Known>,
    /// How many flows interfaces have, and what their filters look at.
    counts: BTreeMap<InterfaceId, usize>,
    masks: BTreeMap<InterfaceId, BTreeMap<Mask, usize>>,
    asking: Vec<report::Asking>,
    /// Those that are answered with the listing that is being made.
    listed: Vec<report::Asking>,
    told: VecDeque<(ClientId, Event)>,
}

impl TcService {
    /// A client asks for something.
    ///
    /// # Errors
    /// When it cannot be done; then nothing has changed.
    pub fn request(
        &mut self,
        client: ClientId,
        request: Request,
        access: &mut dyn EngineAccess,
    ) -> Result<Done, Problem> {
        let done = Done::default();
        match request {
            Request::TcFlowAdd(flow) => {
                let flow = self.add(client, flow, access)?;
                Ok(Done { flow: Some(flow), ..done })
            }
            Request::TcFlowModify(flow) => self.modify(client, flow, access).map(|()| done),
            Request::TcFlowDelete { flow } => {
                self.own(client, flow)?;
                let ended = self.end(flow, "its client has deleted it", access);
                ended.iter().for_each(|(_, event)| self.tell(None, event));
                Ok(done)
            }
            Request::TcFilterAdd(filter) => {
                let filter = self.add_filter(client, filter)?;
                Ok(Done { filter: Some(filter), ..done })
            }
            Request::TcFilterDelete { filter } => self.remove_filter(client, filter).map(|()| done),
            Request::TcSet(set) => self.set(&set, access).map(|()| done),
            Request::TcSubscribe {} => {
                self.look_again(access);
                self.subscribers.insert(client);
                self.note_parameters(access, false);
                Ok(done)
            }
            _ => Err(Problem::new("bad-request", "this request is not about flows that are made by hand")),
        }
    }

    /// A client is gone, and all that it has made.
    pub fn gone(&mut self, client: ClientId, access: &mut dyn EngineAccess) {
        self.subscribers.remove(&client);
        self.asking.retain(|asking| !asking.is_of(client));
        self.listed.retain(|asking| !asking.is_of(client));
        let of_client = self.flows.iter().filter(|(_, made)| made.client == client);
        let flows: Vec<u64> = of_client.map(|(flow, _)| *flow).collect();
        for flow in flows {
            let ended = self.end(flow, "its client is gone", access);
            ended.iter().for_each(|(_, event)| self.tell(None, event));
        }
        self.told.retain(|(to, _)| *to != client);
    }

    /// The daemon ends: all flows do.
    pub fn everyone_gone(&mut self, access: &mut dyn EngineAccess) {
        let flows: Vec<u64> = self.flows.keys().copied().collect();
        flows.into_iter().for_each(|flow| self.close(flow, "the daemon ends", access));
        self.hand_on(access);
    }

    /// The data plane cannot carry a flow out: whether it is one of these, which ends.
    pub fn failed(&mut self, id: ReservationId, why: &str, access: &mut dyn EngineAccess) -> bool {
        if id.index < FIRST_FLOW || id.generation != GENERATION {
            return false;
        }
        let flow = u64::from(id.index - FIRST_FLOW);
        // What was said of it meanwhile is tried first.
        if !self.changed.contains(&flow) {
            self.close(flow, why, access);
        }
        true
    }

    /// Interfaces may have come, gone, or changed.
    pub fn look_again(&mut self, access: &mut dyn EngineAccess) {
        let interfaces: Vec<(InterfaceId, bool)> =
            access.engine().interfaces().map(|(interface, _)| (interface.id, interface.up)).collect();
        // Those that are there from the beginning are no news.
        let is_first = self.known.is_empty();
        for (id, up) in interfaces {
            let before =
                self.known.entry(id).or_insert_with(|| Known { up: is_first && up, ..Known::default() });
            let was_up = core::mem::replace(&mut before.up, up);
            let interface = name(id, access);
            match (was_up, up) {
                (true, false) => self.tell(None, &Event::InterfaceDown { interface }),
                (false, true) => self.tell(None, &Event::InterfaceUp { interface }),
                _ => {}
            }
        }
        let is_gone = |(_, made): &(&u64, &Made)| !access.is_there(made.interface);
        let lost: Vec<u64> = self.flows.iter().filter(is_gone).map(|(flow, _)| *flow).collect();
        lost.into_iter().for_each(|flow| self.close(flow, "its interface is gone", access));
    }

    /// Tells those that want to know what has changed of interfaces' parameters.
    pub fn settle(&mut self, access: &dyn EngineAccess) {
        if !self.subscribers.is_empty() {
            self.note_parameters(access, true);
        }
    }

    /// Hands on to the data plane what has changed.
    pub fn hand_on(&mut self, access: &mut dyn EngineAccess) {
        for flow in core::mem::take(&mut self.changed) {
            let carried_out = self.flows.get(&flow).map(|made| Arc::new(made.carried_out()));
            access.flow_by_hand(id_of(flow), carried_out);
        }
    }

    /// What a client is to be told, in order.
    pub fn told(&mut self) -> Option<(ClientId, Event)> {
        self.told.pop_front()
    }

    fn tell(&mut self, owner: Option<ClientId>, event: &Event) {
        let other = owner.filter(|owner| !self.subscribers.contains(owner));
        let everyone = self.subscribers.iter().copied().chain(other);
        self.told.extend(everyone.map(|client| (client, event.clone())));
    }

    /// Notes what remains of interfaces and how many flows they have, and tells what is different.
    fn note_parameters(&mut self, access: &dyn EngineAccess, tells: bool) {
        let mut events = Vec::new();
        for (interface, reserved_bps) in access.engine().interfaces() {
            let flows = self.counts.get(&interface.id).copied().unwrap_or(0);
            let remaining_bps = interface.reservable_bps.saturating_sub(reserved_bps);
            let before = self.known.entry(interface.id).or_default();
            let numbers = [("remaining-bps", before.remaining_bps, remaining_bps)];
            let counts = [("flows", before.flows as u64, flows as u64)];
            for (parameter, _, is) in numbers.into_iter().chain(counts).filter(|(_, was, is)| was != is) {
                let (interface, parameter) = (name(interface.id, access), parameter.to_owned());
                events.push(Event::ParameterChanged { interface, parameter, value: Some(is) });
            }
            (before.remaining_bps, before.flows) = (remaining_bps, flows);
        }
        events.iter().filter(|_| tells).for_each(|event| self.tell(None, event));
    }

    /// The flow of a client.
    fn own(&mut self, client: ClientId, flow: u64) -> Result<&mut Made, Problem> {
        match self.flows.get_mut(&flow) {
            Some(made) if made.client == client => Ok(made),
            Some(_) => {
                let message =
                    format!("flow {flow} is another client's: only the connection that made it changes it");
                Err(Problem::new("not-permitted", message))
            }
            None => Err(Problem::new(
                "not-found",
                format!("there is no flow {flow}: `tc-query` lists those there are"),
            )),
        }
    }

    fn add(
        &mut self,
        client: ClientId,
        said: tc::Flow,
        access: &mut dyn EngineAccess,
    ) -> Result<u64, Problem> {
        if said.flow.is_some() {
            return Err(bad_request(
                "`flow` is for `tc-flow-modify`: a flow that is made is given its number",
            ));
        }
        let missing = || bad_request("`interface` has to be there: the name of that by which packets leave");
        let interface = named(said.interface.as_deref(), access)?.ok_or_else(missing)?;
        let enforces = access.engine().interfaces().any(|(on, _)| on.id == interface && on.enforces);
        if !enforces || !access.is_there(interface) {
            let (name, why) = (name(interface, access), access.data_plane_on(interface));
            let message = format!("interface {name}: nothing carries out flows there ({why})");
            return Err(Problem::new("data-plane", message));
        }
        if self.flows.values().filter(|made| made.client == client).count() >= MOST_FLOWS {
            return Err(limit(format!("one client has {MOST_FLOWS} flows at most: use another connection")));
        }
        self.judge(None, interface, &said, access)?;
        let flow = self.next_flow;
        claim(flow, interface, Some(&said), access)?;
        loop {
            self.next_flow = (self.next_flow + 1) % u64::from(FIRST_FLOW);
            if !self.flows.contains_key(&self.next_flow) && !self.changed.contains(&self.next_flow) {
                break;
            }
        }
        self.flows.insert(flow, Made { client, interface, said, filters: BTreeMap::new() });
        *self.counts.entry(interface).or_default() += 1;
        self.changed.insert(flow);
        Ok(flow)
    }

    fn modify(
        &mut self,
        client: ClientId,
        said: tc::Flow,
        access: &mut dyn EngineAccess,
    ) -> Result<(), Problem> {
        let missing = || bad_request("`flow` has to be there: the number of the flow to change");
        let flow = said.flow.ok_or_else(missing)?;
        let made = self.own(client, flow)?;
        let (interface, before) = (made.interface, made.said.interface.clone());
        if said.interface.as_ref().is_some_and(|name| Some(name) != before.as_ref()) {
            return Err(bad_request("a flow stays on its interface: delete it, and add one on the other"));
        }
        self.judge(Some(flow), interface, &said, access)?;
        claim(flow, interface, Some(&said), access)?;
        let made = self.own(client, flow)?;
        made.said = tc::Flow { flow: None, interface: before, ..said };
        self.changed.insert(flow);
        Ok(())
    }

    /// Ends a flow that its client has not given up: it is told, as those are that have asked for that.
    fn close(&mut self, flow: u64, why: &str, access: &mut dyn EngineAccess) {
        let ended = self.end(flow, why, access);
        ended.iter().for_each(|(client, event)| self.tell(Some(*client), event));
    }

    /// Ends a flow with all that belongs to it; whose it was, and what there is to tell.
    fn end(&mut self, flow: u64, why: &str, access: &mut dyn EngineAccess) -> Option<(ClientId, Event)> {
        let made = self.flows.remove(&flow)?;
        for (filter, (_, pattern)) in &made.filters {
            self.filters.remove(filter);
            self.give_back(made.interface, pattern);
        }
        self.counts.entry(made.interface).and_modify(|flows| *flows -= 1);
        // It only gives back what it has.
        let _ = claim(flow, made.interface, None, access);
        self.changed.insert(flow);
        let interface = made.said.interface.unwrap_or_default();
        let event = Event::FlowClosed { flow, name: made.said.name, interface, why: why.to_owned() };
        Some((made.client, event))
    }

    /// Whether a flow can be as it is said, beside those that there are.
    fn judge(
        &self,
        flow: Option<u64>,
        on: InterfaceId,
        said: &tc::Flow,
        access: &dyn EngineAccess,
    ) -> Result<(), Problem> {
        if !matches!(said.flowspec, Service::Null { .. }) {
            peak_above(said.flowspec.traffic())?;
        }
        patterns::check_marks(said)?;
        if said.name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME) {
            return Err(bad_request(&format!("`name` has {LONGEST_NAME} octets at most")));
        }
        let others =
            self.flows.iter().filter(|(number, made)| made.interface == on && Some(**number) != flow);
        for (number, made) in others {
            let twice =
                said.rules.iter().find(|rule| made.said.rules.iter().any(|r| r.inbound == rule.inbound));
            if let Some(tc::Rule { inbound, .. }) = twice {
                let message = format!(
                    "packets that come with DSCP {inbound} have a rule on {} already, of flow {number}: a DSCP has one there",
                    name(on, access)
                );
                return Err(Problem::new("rule-taken", message));
            }
        }
        Ok(())
    }

    fn set(&mut self, set: &tc::Set, access: &mut dyn EngineAccess) -> Result<(), Problem> {
        let on = named(set.interface.as_deref(), access)?;
        access.set_marks(set).map_err(|why| bad_request(&why))?;
        let all: Vec<InterfaceId> = access.engine().interfaces().map(|(interface, _)| interface.id).collect();
        for id in all.into_iter().filter(|id| on.is_none_or(|on| on == *id)) {
            let (interface, parameter) = (name(id, access), "marks".to_owned());
            self.tell(None, &Event::ParameterChanged { interface, parameter, value: None });
        }
        Ok(())
    }
}

impl Made {
    /// As the data plane has it.
    fn carried_out(&self) -> FlowByHand {
        let said = &self.said;
        let wishes = Wishes {
            left_alone: false,
            mode: said.mode.map(|mode| match mode {
                tc::Mode::Borrow => Mode::Borrow,
                tc::Mode::Shape => Mode::Shape,
                tc::Mode::Discard => Mode::Discard,
            }),
            shaping_rate: said.shaping_rate_bps.map(|bps| bps / 8),
            dscp: said.dscp,
            priority: said.priority,
            tcp_traffic: said.tcp_traffic,
            begins_here: said.rules.is_empty(),
            unreserved: None,
        };
        let rule = |rule: &tc::Rule| Rule {
            inbound: rule.inbound,
            dscp: [rule.dscp, rule.excess_dscp],
            pcp: [rule.priority, rule.excess_priority],
        };
        FlowByHand {
            interface: self.interface.0,
            flowspec: said.flowspec.into(),
            wishes,
            excess: if said.tcp_traffic { (None, None) } else { (said.excess_dscp, said.excess_priority) },
            filters: self.filters.values().map(|(_, pattern)| *pattern).collect(),
            sockets: BTreeSet::new(),
            waiting: None,
            rules: said.rules.iter().map(rule).collect(),
        }
    }
}

/// Has a flow take its share of an interface, or give it back. One that is shaped at a higher rate than that of its traffic takes that.
fn claim(
    flow: u64,
    interface: InterfaceId,
    said: Option<&tc::Flow>,
    access: &mut dyn EngineAccess,
) -> Result<(), Problem> {
    let charged = |said: &tc::Flow| -> rsvp_wire::Flowspec {
        let mut flowspec = said.flowspec;
        if let Some(shaping) = said.shaping_rate_bps.map(|bps| bps as f64) {
            if let Service::Guaranteed { reserve_bps, .. } = &mut flowspec {
                *reserve_bps = reserve_bps.max(shaping);
            } else {
                let traffic = flowspec.traffic_mut();
                traffic.rate_bps = traffic.rate_bps.max(shaping);
                traffic.peak_bps = traffic.peak_bps.map(|peak| peak.max(shaping));
            }
        }
        flowspec.into()
    };
    let flowspec = said.map(charged);
    let claim = Claim { flow: u32::try_from(flow).unwrap_or(u32::MAX), interface, flowspec };
    match access.command(Command::Claim(claim)) {
        Outcome::Refused(why) => Err(refused_claim(why, &claim, access)),
        _ => Ok(()),
    }
}

/// How the data plane calls a flow.
fn id_of(flow: u64) -> ReservationId {
    ReservationId { index: FIRST_FLOW | u32::try_from(flow).unwrap_or(0), generation: GENERATION }
}

fn name(id: InterfaceId, access: &dyn EngineAccess) -> String {
    access.interface_name(id).map_or_else(|| format!("interface {}", id.0), str::to_owned)
}

fn bad_request(why: &str) -> Problem {
    Problem::new("bad-request", why)
}

fn limit(why: String) -> Problem {
    Problem::new("limit-reached", why)
}
