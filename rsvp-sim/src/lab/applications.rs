//! Sending and receiving applications: the same plans as in the simulator, over the control sockets of real daemons.
//!
//! Only those that are QoS sockets send their data: of others it is tested what is reserved for it. Receivers of a group do join it, as
//! they would.

use super::connection::{Ask, Heard, Line, TimedEvent};
use super::error::{LabError, Trying};
use super::run::Lab;
use super::socket::{End, Plug};
use crate::describe;
use crate::facts::Facts;
use crate::scenario::model::{
    Deed, Flow, NodeId, ReceiverId, Request, ReservationStyle, Scenario, SenderId, Traffic,
};
use crate::world::applications::{flowspec, tspec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use rsvp_client::{Adspec, Announcement, ClientError, Reservation, Style};
use rsvp_node::{AppId, Event, EventKind};
use rsvp_wire::FilterSpec;
use socket2::{Domain, InterfaceIndexOrAddress, Socket, Type};
use std::collections::BTreeSet;
use std::io;

/// A sender as it is.
#[derive(Debug)]
pub(super) struct SenderState {
    started: bool,
    torn: bool,
    traffic: Traffic,
    line: Option<Line>,
}

/// A receiver as it is.
#[derive(Debug)]
pub(super) struct ReceiverState {
    announced: BTreeSet<FilterSpec>,
    reserved: bool,
    torn: bool,
    left: bool,
    started: bool,
    request: Option<Request>,
    /// While it has the session open.
    line: Option<Line>,
    /// Membership in its group.
    joined: Option<Socket>,
}

pub(super) fn senders(scenario: &Scenario) -> Vec<SenderState> {
    let state = |traffic| SenderState { started: false, torn: false, traffic, line: None };
    scenario.senders.iter().map(|sender| state(sender.traffic)).collect()
}

pub(super) fn receivers(scenario: &Scenario) -> Vec<ReceiverState> {
    let state = |request| ReceiverState {
        announced: BTreeSet::new(),
        reserved: false,
        torn: false,
        left: false,
        started: false,
        request,
        line: None,
        joined: None,
    };
    scenario.receivers.iter().map(|receiver| state(receiver.request.clone())).collect()
}

fn adspec(offer: Option<(bool, bool)>) -> Adspec {
    match offer {
        Some((true, true)) => Adspec::Both,
        Some((true, false)) => Adspec::Guaranteed,
        Some((false, _)) => Adspec::ControlledLoad,
        None => Adspec::None,
    }
}

/// A UDP socket at this address, whose packets have this TTL.
fn bound(at: SocketAddr, ttl: Option<u8>) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, None)?;
    if let Some(ttl) = ttl.map(u32::from) {
        if at.is_ipv4() {
            socket.set_ttl_v4(ttl)?;
            socket.set_multicast_ttl_v4(ttl)?;
        } else {
            socket.set_unicast_hops_v6(ttl)?;
            socket.set_multicast_hops_v6(ttl)?;
        }
    }
    socket.bind(&at.into())?;
    Ok(socket)
}

impl Lab {
    fn sender_app(sender: SenderId) -> AppId {
        AppId(sender.0 as u32)
    }

    fn receiver_app(&self, receiver: ReceiverId) -> AppId {
        AppId((self.scenario.senders.len() + receiver.0) as u32)
    }

    /// A refusal is something the application is told; anything else that fails is a fault of the lab, unless the daemon
    /// is meant to be gone.
    fn answered(
        &mut self,
        node: NodeId,
        app: AppId,
        answer: Result<(), ClientError>,
    ) -> Result<(), LabError> {
        match answer {
            Err(ClientError::Refused(problem)) => {
                let facts = Facts::default().word("event", "refused");
                self.told(node, app, super::clock::now(), (format!("refused: {problem}"), facts));
                Ok(())
            }
            Err(_) if self.daemons[node.0].is_none() => Ok(()),
            other => other.trying(|| format!("talk to rsvpd of {}", self.scenario.nodes[node.0].name)),
        }
    }

    /// An event reaches its application, which may act on it.
    pub(super) async fn hear(&mut self, heard: TimedEvent) -> Result<(), LabError> {
        let said = match &heard.heard {
            Heard::Event(event) => describe::event(&self.topology, event),
            Heard::Socket(told) => describe::fd_qos(&self.topology, told),
        };
        let place = (heard.app.0 as usize).checked_sub(self.scenario.senders.len());
        let node = match place {
            None => self.scenario.senders[heard.app.0 as usize].node,
            Some(place) => self.scenario.receivers[place].node,
        };
        self.told(node, heard.app, heard.at, (said.label, said.facts));
        if let (Some(place), Heard::Event(Event { kind: EventKind::Path { sender, .. }, .. })) =
            (place, &heard.heard)
        {
            self.receivers[place].announced.insert(sender.0);
            self.reserve_if_ready(ReceiverId(place)).await?;
        }
        Ok(())
    }

    async fn line(
        &mut self,
        node: NodeId,
        app: AppId,
        session: rsvp_wire::Session,
    ) -> Result<Option<Line>, LabError> {
        let Some(daemon) = &self.daemons[node.0] else { return Ok(None) };
        match Line::open(&daemon.socket, app, session, self.hearing.clone()).await {
            Ok(line) => Ok(Some(line)),
            Err(fault) => self.answered(node, app, Err(fault)).map(|()| None),
        }
    }

    pub(super) async fn start_sender(&mut self, sender: SenderId) -> Result<(), LabError> {
        self.senders[sender.0].started = true;
        if self.senders[sender.0].torn { Ok(()) } else { self.announce(sender).await }
    }

    async fn announce(&mut self, sender: SenderId) -> Result<(), LabError> {
        let plan = &self.scenario.senders[sender.0];
        let (node, app, session) = (plan.node, Self::sender_app(sender), self.topology.session(plan.session));
        let announcement = Announcement {
            sender: self.topology.sender(sender),
            traffic: tspec(self.senders[sender.0].traffic).into(),
            adspec: adspec(plan.adspec),
            ttl: plan.ttl,
            interface: None,
            carried: rsvp_client::Carried::default(),
        };
        if self.senders[sender.0].line.is_none() {
            self.senders[sender.0].line = match plan.socket {
                true => self.plug(node, app, session, End::Sender(sender)).await?,
                false => self.line(node, app, session).await?,
            };
        }
        let Some(line) = &self.senders[sender.0].line else { return Ok(()) };
        let answer = line.ask(Ask::Announce(announcement)).await;
        self.answered(node, app, answer)
    }

    pub(super) async fn start_receiver(&mut self, receiver: ReceiverId) -> Result<(), LabError> {
        if self.receivers[receiver.0].left {
            return Ok(());
        }
        self.receivers[receiver.0].started = true;
        let plan = &self.scenario.receivers[receiver.0];
        let (node, number, is_socket) = (plan.node, plan.session, plan.socket);
        if self.daemons[node.0].is_none() {
            return Ok(());
        }
        let session = self.topology.session(number);
        let group = session.destination();
        let app = self.receiver_app(receiver);
        if is_socket {
            self.receivers[receiver.0].line = self.plug(node, app, session, End::Receiver(receiver)).await?;
        } else {
            if group.is_multicast() {
                let socket = move || Socket::new(Domain::for_address((group, 0).into()), Type::DGRAM, None);
                self.receivers[receiver.0].joined = Some(self.open(node, socket, Some(group)).await?);
            }
            self.receivers[receiver.0].line = self.line(node, app, session).await?;
        }
        if group.is_multicast() && self.network.members[number.0].insert(node) {
            self.reroute(None).await?;
        }
        self.reserve_if_ready(receiver).await
    }

    /// Opens a socket on a node, a member of a group on all interfaces.
    async fn open(
        &self,
        node: NodeId,
        open: impl FnOnce() -> io::Result<Socket> + Send + 'static,
        group: Option<IpAddr>,
    ) -> Result<Socket, LabError> {
        let place = &self.wiring.places[node.0];
        let indexes: Vec<u32> = place.ports.iter().map(|port| port.index).collect();
        let opened = place.namespace.run(move || {
            let socket = open()?;
            for index in indexes {
                match group {
                    Some(IpAddr::V4(group)) => {
                        socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index))?;
                    }
                    Some(IpAddr::V6(group)) => socket.join_multicast_v6(&group, index)?,
                    None => {}
                }
            }
            Ok::<_, io::Error>(socket)
        });
        opened.await?.trying(|| format!("open a socket on {}", place.namespace.name))
    }

    /// The application is a QoS socket: it is handed over.
    async fn plug(
        &mut self,
        node: NodeId,
        app: AppId,
        session: rsvp_wire::Session,
        end: End,
    ) -> Result<Option<Line>, LabError> {
        let Some(daemon) = &self.daemons[node.0] else { return Ok(None) };
        let destination = session.destination();
        let (at, ttl, group) = match end {
            End::Sender(sender) => {
                let own = self.topology.sender(sender);
                let ttl = self.scenario.senders[sender.0].ttl;
                (SocketAddr::new(own.address(), own.port()), Some(ttl), None)
            }
            End::Receiver(_) if destination.is_multicast() => {
                let any = if destination.is_ipv4() {
                    Ipv4Addr::UNSPECIFIED.into()
                } else {
                    Ipv6Addr::UNSPECIFIED.into()
                };
                (SocketAddr::new(any, session.port()), None, Some(destination))
            }
            End::Receiver(_) => (SocketAddr::new(destination, session.port()), None, None),
        };
        let socket = self.open(node, move || bound(at, ttl), group).await?.into();
        let plug = Plug { app, session, end, socket };
        match Line::of_socket(&daemon.socket, plug, self.data.clone(), self.hearing.clone()).await {
            Ok(line) => Ok(Some(line)),
            Err(fault) => self.answered(node, app, Err(fault)).map(|()| None),
        }
    }

    pub(super) async fn reserve_if_ready(&mut self, receiver: ReceiverId) -> Result<(), LabError> {
        let plan = &self.scenario.receivers[receiver.0];
        let state = &self.receivers[receiver.0];
        let early = plan.reserve_at.is_some_and(|at| self.reached < at);
        // A QoS socket waits by itself.
        let waits = plan.wait_for_path && !plan.socket && !self.is_wanted_announced(state);
        if state.line.is_some() && !early && !waits && !state.reserved && !state.torn {
            self.reserve(receiver).await?;
        }
        Ok(())
    }

    fn is_wanted_announced(&self, state: &ReceiverState) -> bool {
        let Some(request) = &state.request else { return false };
        if request.style == ReservationStyle::Wf {
            return !state.announced.is_empty();
        }
        let mut wanted = request.flows.iter().flat_map(|flow| &flow.filters);
        wanted.any(|filter| state.announced.contains(&self.topology.sender(*filter)))
    }

    /// Replaces a reservation that was asked for; one that was not waits for its time.
    async fn reserve_anew(&mut self, receiver: ReceiverId) -> Result<(), LabError> {
        match self.receivers[receiver.0].reserved {
            true => self.reserve(receiver).await,
            false => self.reserve_if_ready(receiver).await,
        }
    }

    async fn reserve(&mut self, receiver: ReceiverId) -> Result<(), LabError> {
        let Some(request) = &self.receivers[receiver.0].request else { return Ok(()) };
        let flow = |flow: &Flow| rsvp_client::Flow {
            filters: flow.filters.iter().map(|filter| self.topology.sender(*filter)).collect(),
            flowspec: flowspec(flow.traffic, flow.service).into(),
        };
        let style = match request.style {
            ReservationStyle::Wf => Style::Wf,
            ReservationStyle::Ff => Style::Ff,
            ReservationStyle::Se => Style::Se,
        };
        let mut reservation = Reservation::new(style, request.flows.iter().map(flow).collect());
        reservation.confirm = request.confirm;
        self.receivers[receiver.0].reserved = true;
        self.ask(receiver, Ask::Reserve(reservation)).await
    }

    async fn ask(&mut self, receiver: ReceiverId, ask: Ask) -> Result<(), LabError> {
        let Some(line) = &self.receivers[receiver.0].line else { return Ok(()) };
        let answer = line.ask(ask).await;
        self.answered(self.scenario.receivers[receiver.0].node, self.receiver_app(receiver), answer)
    }

    pub(super) async fn act_application(&mut self, deed: Deed) -> Result<(), LabError> {
        match deed {
            Deed::ChangeSender(sender, traffic) => {
                self.note(format!("{} changes what it sends", self.scenario.senders[sender.0].name));
                let state = &mut self.senders[sender.0];
                state.traffic = traffic;
                state.torn = false;
                // One that had not started yet does so with this.
                state.started = true;
                self.announce(sender).await
            }
            Deed::TearSender(sender) => {
                self.note(format!("{} stops sending", self.scenario.senders[sender.0].name));
                self.senders[sender.0].torn = true;
                // An application that is done has no interest in the session either.
                self.senders[sender.0].line = None;
                Ok(())
            }
            Deed::ChangeReceiver(receiver, request) => {
                self.note(format!("{} changes its request", self.scenario.receivers[receiver.0].name));
                self.receivers[receiver.0].request = Some(request);
                self.receivers[receiver.0].torn = false;
                self.reserve_anew(receiver).await
            }
            Deed::TearReceiver(receiver, filters) => self.tear_receiver(receiver, &filters).await,
            Deed::Leave(receiver) => self.leave(receiver).await,
            Deed::LinkDown(_) | Deed::LinkUp(_) | Deed::Crash(..) => Ok(()),
        }
    }

    async fn tear_receiver(&mut self, receiver: ReceiverId, filters: &[SenderId]) -> Result<(), LabError> {
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
            return self.reserve_anew(receiver).await;
        }
        self.note(format!("{name} gives up its reservation"));
        self.receivers[receiver.0].torn = true;
        match core::mem::take(&mut self.receivers[receiver.0].reserved) {
            true => self.ask(receiver, Ask::Release).await,
            false => Ok(()),
        }
    }

    async fn leave(&mut self, receiver: ReceiverId) -> Result<(), LabError> {
        self.note(format!("{} leaves the session", self.scenario.receivers[receiver.0].name));
        let state = &mut self.receivers[receiver.0];
        state.left = true;
        state.reserved = false;
        state.line = None;
        self.part(receiver).await
    }

    /// Nobody on the node listens to a group any more.
    async fn part(&mut self, receiver: ReceiverId) -> Result<(), LabError> {
        self.receivers[receiver.0].joined = None;
        let plan = &self.scenario.receivers[receiver.0];
        let (node, session) = (plan.node, plan.session);
        let mut others = self.scenario.receivers.iter().zip(&self.receivers);
        let still = others.any(|(r, s)| r.node == node && r.session == session && s.line.is_some());
        let multicast = self.topology.session(session).destination().is_multicast();
        if multicast && !still && self.network.members[session.0].remove(&node) {
            self.reroute(None).await?;
        }
        Ok(())
    }

    /// A crash takes applications with it.
    pub(super) async fn forget_applications(&mut self, node: NodeId) -> Result<(), LabError> {
        for n in 0..self.senders.len() {
            if self.scenario.senders[n].node == node {
                self.senders[n].line = None;
            }
        }
        for n in 0..self.receivers.len() {
            if self.scenario.receivers[n].node == node && self.receivers[n].line.take().is_some() {
                self.receivers[n].announced.clear();
                self.receivers[n].reserved = false;
                self.part(ReceiverId(n)).await?;
            }
        }
        Ok(())
    }

    /// After a crash, those that had been started start again.
    pub(super) async fn restart_applications(&mut self, node: NodeId) -> Result<(), LabError> {
        for n in 0..self.receivers.len() {
            if self.scenario.receivers[n].node == node && self.receivers[n].started {
                self.start_receiver(ReceiverId(n)).await?;
            }
        }
        for n in 0..self.senders.len() {
            if self.scenario.senders[n].node == node && self.senders[n].started {
                self.start_sender(SenderId(n)).await?;
            }
        }
        Ok(())
    }

    /// The application behind an id, by its place: senders first.
    pub(super) fn application_name(&self, app: AppId) -> &str {
        let place = app.0 as usize;
        match place.checked_sub(self.scenario.senders.len()) {
            None => &self.scenario.senders[place].name,
            Some(place) => self.scenario.receivers.get(place).map_or("?", |r| r.name.as_str()),
        }
    }
}
