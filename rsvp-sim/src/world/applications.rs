//! Sending and receiving applications: what they ask of their node's engine, and what it tells them.

use super::record::{EventRecord, Told};
use super::run::{News, World};
use super::watch::Notice;
use crate::describe::{self, Said};
use crate::facts::Facts;
use crate::scenario::model::{
    Deed, NodeId, ReceiverId, Request, ReservationStyle, Scenario, SenderId, Service, SessionId, Traffic,
};
use rsvp_node::qos::Notifications;
use rsvp_node::{AdspecOffer, AppId, Command, Event, EventKind, FlowRequest, Input, Outcome};
use rsvp_wire::{FilterSpec, Flowspec, Rspec, SenderTemplate, Style, Tspec};
use std::collections::BTreeSet;

/// A sender as it is.
#[derive(Clone, Debug)]
pub(super) struct SenderState {
    started: bool,
    torn: bool,
    traffic: Traffic,
    /// What it is told, if it is a QoS socket.
    socket: Option<Notifications>,
}

/// A receiver as it is.
#[derive(Clone, Debug)]
pub(super) struct ReceiverState {
    pub(super) open: bool,
    /// Senders that were announced to it.
    announced: BTreeSet<FilterSpec>,
    reserved: bool,
    /// It gave up its reservation, or the session; a sender that appears does not change that.
    torn: bool,
    left: bool,
    started: bool,
    /// A reservation was confirmed to it, ever.
    pub(super) confirmed: bool,
    request: Option<Request>,
    /// What it is told, if it is a QoS socket.
    socket: Option<Notifications>,
}

pub(super) fn senders(scenario: &Scenario) -> Vec<SenderState> {
    let state = |s: &crate::scenario::model::Sender| SenderState {
        started: false,
        torn: false,
        traffic: s.traffic,
        socket: s.socket.then(Notifications::default),
    };
    scenario.senders.iter().map(state).collect()
}

pub(super) fn receivers(scenario: &Scenario) -> Vec<ReceiverState> {
    let state = |r: &crate::scenario::model::Receiver| ReceiverState {
        open: false,
        announced: BTreeSet::new(),
        reserved: false,
        torn: false,
        left: false,
        started: false,
        confirmed: false,
        request: r.request.clone(),
        socket: r.socket.then(Notifications::default),
    };
    scenario.receivers.iter().map(state).collect()
}

impl World {
    /// Whether a sender has started and not stopped.
    pub(super) fn is_sending(&self, sender: SenderId) -> bool {
        self.senders[sender.0].started && !self.senders[sender.0].torn
    }
}

/// Rates travel in octets per second.
pub(crate) fn tspec(traffic: Traffic) -> Tspec {
    Tspec {
        rate: (traffic.rate_bps / 8.0) as f32,
        bucket: traffic.bucket as f32,
        peak: (traffic.peak_bps / 8.0) as f32,
        min_policed_unit: traffic.min_packet,
        max_packet_size: traffic.max_packet,
    }
}

pub(crate) fn flowspec(traffic: Traffic, service: Service) -> Flowspec {
    match service {
        Service::ControlledLoad => Flowspec::ControlledLoad(tspec(traffic)),
        Service::Guaranteed { reserve_bps, slack_us } => {
            Flowspec::Guaranteed(tspec(traffic), Rspec { rate: (reserve_bps / 8.0) as f32, slack: slack_us })
        }
    }
}

impl World {
    fn sender_app(sender: SenderId) -> AppId {
        AppId(sender.0 as u32)
    }

    pub(crate) fn receiver_app(&self, receiver: ReceiverId) -> AppId {
        AppId((self.scenario.senders.len() + receiver.0) as u32)
    }

    /// Gives a command; a refusal is something the application is told.
    fn command(&mut self, node: NodeId, app: AppId, command: Command<'_>) {
        if !self.network.node_up[node.0] {
            return;
        }
        let asked = matches!(command, Command::Reserve { .. });
        let outcome = self.input(node, Input::Command(command));
        if asked {
            self.notice(Notice::Asked { app, refused: matches!(outcome, Outcome::Refused(_)) });
        }
        if let Outcome::Refused(why) = outcome {
            let facts = Facts::default().word("event", "refused");
            self.told(node, app, Told::Refused(why), Said { facts, label: format!("refused: {why}") });
        }
    }

    fn told(&mut self, node: NodeId, app: AppId, told: Told, Said { facts, label }: Said) {
        if !self.keeps_record() {
            return;
        }
        let application = self.application_name(app).to_owned();
        let facts = facts.word("application", application.as_str());
        let order = self.record.order();
        let told = Some(told);
        self.record.told.push(EventRecord { order, at: self.now, application, node, told, label, facts });
    }

    /// An engine's event reaches its application, which may act on it.
    pub(super) fn tell(&mut self, node: NodeId, event: &Event) {
        if let Some(guests) = &mut self.guests {
            guests.push((node, News::Event(event.clone())));
            // Their numbers are above those of the scenario's.
            if event.app.0 as usize >= self.senders.len() + self.receivers.len() {
                return;
            }
        }
        let place = (event.app.0 as usize).checked_sub(self.scenario.senders.len());
        let socket = match place {
            None => self.senders[event.app.0 as usize].socket.as_mut(),
            Some(place) => self.receivers.get_mut(place).and_then(|receiver| receiver.socket.as_mut()),
        };
        if self.notices.is_some() {
            self.notice(Notice::Told { event: event.clone() });
        } else if let Some(socket) = socket {
            socket.happened(&Event { session: event.session.with_flags(0), ..event.clone() });
            let told: Vec<_> = core::iter::from_fn(|| socket.take()).collect();
            for status in told {
                let said = describe::fd_qos(&self.topology, &status);
                self.told(node, event.app, Told::Status(status), said);
            }
        } else if self.keeps_record() {
            let said = describe::event(&self.topology, event);
            self.told(node, event.app, Told::Event(event.clone()), said);
        }
        let Some(place) = place else { return };
        let Some(state) = self.receivers.get_mut(place) else { return };
        match &event.kind {
            EventKind::ResvConfirm { .. } => state.confirmed = true,
            EventKind::Path { sender, .. } => {
                state.announced.insert(sender.0);
                self.reserve_if_ready(ReceiverId(place));
            }
            _ => {}
        }
    }

    pub(super) fn start_sender(&mut self, sender: SenderId) {
        self.senders[sender.0].started = true;
        if !self.senders[sender.0].torn {
            self.announce(sender);
        }
    }

    fn announce(&mut self, sender: SenderId) {
        let plan = &self.scenario.senders[sender.0];
        let app = Self::sender_app(sender);
        let command = Command::Sender {
            carried: None,
            app,
            session: self.topology.session(plan.session),
            sender: SenderTemplate(self.topology.sender(sender)),
            tspec: tspec(self.senders[sender.0].traffic),
            adspec: plan.adspec.map(|(guaranteed, controlled_load)| AdspecOffer {
                guaranteed,
                controlled_load,
                null: false,
            }),
            ttl: plan.ttl,
            interface: None,
        };
        self.command(plan.node, app, command);
    }

    pub(super) fn start_receiver(&mut self, receiver: ReceiverId) {
        if self.receivers[receiver.0].left {
            return;
        }
        self.receivers[receiver.0].started = true;
        let node = self.scenario.receivers[receiver.0].node;
        if !self.network.node_up[node.0] {
            return;
        }
        let session = self.scenario.receivers[receiver.0].session;
        self.receivers[receiver.0].open = true;
        let app = self.receiver_app(receiver);
        let session_object = self.topology.session(session);
        self.command(node, app, Command::OpenSession { app, session: session_object });
        let destination = session_object.destination();
        if destination.is_multicast() {
            self.change_members(session, |members| members.insert(node));
        }
        self.reserve_if_ready(receiver);
    }

    pub(super) fn reserve_if_ready(&mut self, receiver: ReceiverId) {
        let plan = &self.scenario.receivers[receiver.0];
        let state = &self.receivers[receiver.0];
        let early = plan.reserve_at.is_some_and(|at| self.now < rsvp_node::Instant::ZERO + at);
        let waits = plan.wait_for_path && !self.is_wanted_announced(state);
        if state.open && !early && !waits && !state.reserved && !state.torn {
            self.reserve(receiver);
        }
    }

    /// Whether a sender that a receiver wants has been announced to it.
    fn is_wanted_announced(&self, state: &ReceiverState) -> bool {
        let Some(request) = &state.request else { return false };
        if request.style == ReservationStyle::Wf {
            return !state.announced.is_empty();
        }
        let mut wanted = request.flows.iter().flat_map(|flow| &flow.filters);
        wanted.any(|filter| state.announced.contains(&self.topology.sender(*filter)))
    }

    /// Replaces a reservation that was asked for; one that was not waits for its time.
    fn reserve_anew(&mut self, receiver: ReceiverId) {
        if self.receivers[receiver.0].reserved {
            self.reserve(receiver);
        } else {
            self.reserve_if_ready(receiver);
        }
    }

    pub(super) fn reserve_for_confirmation(&mut self, receiver: ReceiverId) {
        if let Some(request) = self.receivers[receiver.0].request.as_mut() {
            request.confirm = true;
        }
        self.reserve_anew(receiver);
    }

    fn reserve(&mut self, receiver: ReceiverId) {
        let Some(request) = self.receivers[receiver.0].request.clone() else { return };
        self.receivers[receiver.0].reserved = true;
        if let Some(socket) = &mut self.receivers[receiver.0].socket {
            socket.requested();
        }
        let plan = &self.scenario.receivers[receiver.0];
        let flows: Vec<(Flowspec, Vec<FilterSpec>)> = request
            .flows
            .iter()
            .map(|flow| {
                let filters = flow.filters.iter().map(|filter| self.topology.sender(*filter)).collect();
                (flowspec(flow.traffic, flow.service), filters)
            })
            .collect();
        let flows: Vec<FlowRequest<'_>> =
            flows.iter().map(|(flowspec, filters)| FlowRequest { flowspec: *flowspec, filters }).collect();
        let (node, app) = (plan.node, self.receiver_app(receiver));
        let command = Command::Reserve {
            carried: None,
            app,
            session: self.topology.session(plan.session),
            style: match request.style {
                ReservationStyle::Wf => Style::WF,
                ReservationStyle::Ff => Style::FF,
                ReservationStyle::Se => Style::SE,
            },
            flows: &flows,
            confirm: request.confirm,
            interface: None,
        };
        self.command(node, app, command);
    }

    pub(super) fn act_application(&mut self, deed: Deed) {
        match deed {
            Deed::ChangeSender(sender, traffic) => {
                self.note(format!("{} changes what it sends", self.scenario.senders[sender.0].name));
                self.senders[sender.0].traffic = traffic;
                self.senders[sender.0].torn = false;
                // One that had not started yet does so with this.
                self.senders[sender.0].started = true;
                self.announce(sender);
            }
            Deed::TearSender(sender) => self.tear_sender(sender),
            Deed::ChangeReceiver(receiver, request) => {
                self.note(format!("{} changes its request", self.scenario.receivers[receiver.0].name));
                self.receivers[receiver.0].request = Some(request);
                self.receivers[receiver.0].torn = false;
                self.reserve_anew(receiver);
            }
            Deed::TearReceiver(receiver, filters) => self.tear_receiver(receiver, &filters),
            Deed::Leave(receiver) => self.leave_session(receiver),
            Deed::LinkDown(_) | Deed::LinkUp(_) | Deed::Crash(..) => {}
        }
    }

    fn tear_sender(&mut self, sender: SenderId) {
        let plan = &self.scenario.senders[sender.0];
        let (node, app, session) = (plan.node, Self::sender_app(sender), self.topology.session(plan.session));
        self.note(format!("{} stops sending", self.scenario.senders[sender.0].name));
        let was_on = self.senders[sender.0].started && !self.senders[sender.0].torn;
        self.senders[sender.0].torn = true;
        if was_on {
            self.notice(Notice::Released { app });
            // An application that is done has no interest in the session either.
            self.command(node, app, Command::Release { app, session });
        }
    }

    fn tear_receiver(&mut self, receiver: ReceiverId, filters: &[SenderId]) {
        let name = self.scenario.receivers[receiver.0].name.clone();
        let state = &mut self.receivers[receiver.0];
        let mut left = false;
        if let Some(request) = state.request.as_mut().filter(|_| !filters.is_empty()) {
            for flow in &mut request.flows {
                flow.filters.retain(|filter| !filters.contains(filter));
            }
            request.flows.retain(|flow| !flow.filters.is_empty());
            left = !request.flows.is_empty();
        }
        if left {
            let gone: Vec<&str> = filters.iter().map(|s| self.scenario.senders[s.0].name.as_str()).collect();
            self.note(format!("{name} gives up its reservation for {}", gone.join(", ")));
            self.reserve_anew(receiver);
            return;
        }
        self.note(format!("{name} gives up its reservation"));
        let was_on = core::mem::take(&mut self.receivers[receiver.0].reserved);
        self.receivers[receiver.0].torn = true;
        if was_on {
            let plan = &self.scenario.receivers[receiver.0];
            let (node, app) = (plan.node, self.receiver_app(receiver));
            let session = self.topology.session(plan.session);
            self.command(node, app, Command::ReleaseReservation { app, session });
        }
    }

    fn leave_session(&mut self, receiver: ReceiverId) {
        let plan = &self.scenario.receivers[receiver.0];
        let (node, session) = (plan.node, plan.session);
        self.note(format!("{} leaves the session", plan.name));
        let app = self.receiver_app(receiver);
        let was_open = core::mem::take(&mut self.receivers[receiver.0].open);
        self.receivers[receiver.0].left = true;
        self.receivers[receiver.0].reserved = false;
        if !was_open {
            return;
        }
        let session_object = self.topology.session(session);
        self.command(node, app, Command::Release { app, session: session_object });
        self.part(node, session);
    }

    /// Nobody on the node listens to a group any more.
    fn part(&mut self, node: NodeId, session: SessionId) {
        let is_multicast = self.topology.session(session).destination().is_multicast();
        if is_multicast && !self.is_open_at(session, node) {
            self.change_members(session, |members| members.remove(&node));
        }
    }

    /// Whether any receiver of the scenario has this session open at a node.
    pub(super) fn is_open_at(&self, session: SessionId, node: NodeId) -> bool {
        self.topology.receivers_at(session, node).iter().any(|id| self.receivers[id.0].open)
    }

    /// A crash takes applications with it.
    pub(super) fn forget_applications(&mut self, node: NodeId) {
        for (sender, state) in self.scenario.senders.iter().zip(&mut self.senders) {
            if sender.node == node {
                state.socket = sender.socket.then(Notifications::default);
            }
        }
        for n in 0..self.receivers.len() {
            if self.scenario.receivers[n].node == node {
                self.receivers[n].socket = self.scenario.receivers[n].socket.then(Notifications::default);
            }
            if self.scenario.receivers[n].node == node && core::mem::take(&mut self.receivers[n].open) {
                self.receivers[n].announced.clear();
                self.receivers[n].reserved = false;
                self.part(node, self.scenario.receivers[n].session);
            }
        }
    }

    /// After a crash, those that had been started start again.
    pub(super) fn restart_applications(&mut self, node: NodeId) {
        for n in 0..self.receivers.len() {
            if self.scenario.receivers[n].node == node && self.receivers[n].started {
                self.start_receiver(ReceiverId(n));
            }
        }
        for n in 0..self.senders.len() {
            if self.scenario.senders[n].node == node && self.senders[n].started {
                self.start_sender(SenderId(n));
            }
        }
    }

    /// Whether an application of the node has a session open, as sender or receiver.
    pub(super) fn has_open_sessions(&self, node: NodeId) -> bool {
        let receiver = |n: usize| self.scenario.receivers[n].node == node && self.receivers[n].open;
        let sender = |n: usize| {
            self.scenario.senders[n].node == node && self.senders[n].started && !self.senders[n].torn
        };
        (0..self.receivers.len()).any(receiver) || (0..self.senders.len()).any(sender)
    }
}
