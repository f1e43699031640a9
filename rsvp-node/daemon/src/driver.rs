//! The loop around the engine: whatever happens is handed to it, and what it says is carried out.
//!
//! One turn does a bounded amount of each kind of work, so that no flood of one kind starves the others: what arrived, the engine's
//! timers, and all that is to be sent because of them. Timers fire together, in ticks, and packets that come densely are taken by
//! the same ticks (`pace`). Every `handle` is followed by draining `poll`. Decisions about the protocol are deliberately not made here.

mod access;
mod alarm;
mod answers;
mod changes;
mod memory;
mod pace;
mod policies;
mod reasons;
mod reload;
mod sockets;

use super::config::{DaemonConfig, Overrides};
use super::control::server::{FromClient, Switchboard};
use super::control::service::ControlService;
use super::data_plane::bpf::SocketMarks;
use super::data_plane::worker::{Said, Worker};
use super::flow_service::{Measured, Target};
use super::hooks::Hooks;
use super::icmp::IcmpErrors;
use super::monitor::Monitor;
use super::multicast::Multicast;
use super::policies::Policies;
use super::probe::Prober;
use super::queues::Sockets;
use super::receiver::{IncomingMessage, Received, Receiver};
use super::recorder::Recorder;
use super::routes::Routes;
use super::send_queue::SendQueue;
use super::templates::Shelf;
use super::transmit::transmit_to;
use super::udp::Encapsulation;
use super::witness::Witness;
use alarm::waited;
pub(super) use alarm::{Alarm, Timer};
pub(super) use pace::{Pace, TICK_US};
use reasons::Reasons;
use rsvp_node::{Engine, Event, Input, Instant, InterfaceId, Outcome, Output, Rx, TrafficControl};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Requests of clients done in one turn, and for how long more of them are begun.
const REQUESTS: usize = 64;
const FOR_REQUESTS: Duration = Duration::from_millis(2);

/// What the program around the driver wants of it.
#[derive(Debug)]
pub(super) enum Order {
    /// Use another configuration.
    Reload(Box<DaemonConfig>),
    /// Withdraw what local applications asked for, and end.
    Stop,
    /// End without a word, so that the next run goes on with what stands.
    Leave,
}

/// What the engine had to say, until the control service can be told.
enum EngineOutput {
    Event(Event),
    TrafficControl(TrafficControl),
}

/// The engine and what it speaks through.
pub(super) struct EngineIo {
    pub(super) engine: Engine,
    pub(super) routes: Routes,
    pub(super) sockets: Arc<Sockets>,
    pub(super) send_queue: SendQueue,
    pub(super) encapsulation: Encapsulation,
    pub(super) plane: Worker,
    /// Measures ways.
    pub(super) prober: Option<Prober>,
    /// Where templates are kept.
    pub(super) shelf: Shelf,
    /// Marks and rates for programs that do not ask.
    pub(super) policies: Policies,
    /// Whether RSVP is spoken.
    pub(super) signals: bool,
    /// What programs say of interfaces, and whether that has changed.
    overrides: Overrides,
    is_overridden: bool,
    recorder: Option<Recorder>,
    started: tokio::time::Instant,
    until: Option<Instant>,
    buffer: Vec<u8>,
    told: Vec<EngineOutput>,
    witness: Witness,
    reasons: Reasons,
    received: Received,
    messages_taken: u64,
    messages_discarded: u64,
    /// What the kernel had no room to tell of sockets: releases, connects.
    untold_of_sockets: [u64; 2],
    memory: memory::Memory,
}

impl EngineIo {
    pub(super) fn new(
        engine: Engine,
        routes: Routes,
        sockets: Arc<Sockets>,
        encapsulation: Encapsulation,
        plane: Worker,
        recorder: Option<Recorder>,
    ) -> Self {
        Self {
            engine,
            routes,
            sockets,
            send_queue: SendQueue::default(),
            encapsulation,
            plane,
            prober: None,
            shelf: Shelf::default(),
            policies: Policies::default(),
            signals: true,
            overrides: Overrides::default(),
            is_overridden: false,
            recorder,
            started: tokio::time::Instant::now(),
            until: None,
            buffer: vec![0; 65_536],
            told: Vec::new(),
            witness: Witness::default(),
            reasons: Reasons::default(),
            received: Received::default(),
            messages_taken: 0,
            messages_discarded: 0,
            untold_of_sockets: [0; 2],
            memory: memory::Memory::default(),
        }
    }

    fn now(&self) -> Instant {
        let us = self.started.elapsed().as_micros();
        Instant(u64::try_from(us).unwrap_or(u64::MAX))
    }

    pub(super) fn handle(&mut self, input: Input<'_>) -> Outcome {
        let now = self.now();
        let (engine, routes) = (&mut self.engine, &mut self.routes);
        let outcome = match &mut self.recorder {
            None => engine.handle(now, input, routes),
            Some(recorder) => recorder.handle(engine, now, input, routes),
        };
        self.drain(now);
        outcome
    }

    fn drain(&mut self, now: Instant) {
        loop {
            let output = self.engine.poll(now, &mut self.buffer);
            if let Some(recorder) = &mut self.recorder {
                recorder.output(&output);
            }
            match output {
                Output::Transmit(transmit) => {
                    let name = self.routes.links.name(transmit.interface);
                    self.witness.leaves(&transmit, name, now.as_micros());
                    let (send_queue, routes) = (&mut self.send_queue, &mut self.routes);
                    transmit_to(send_queue, routes, &self.encapsulation, &transmit, now.as_micros());
                    if self.send_queue.is_full() {
                        self.send();
                    }
                }
                Output::Event(event) => self.told.push(EngineOutput::Event(event)),
                Output::TrafficControl(change) => self.told.push(EngineOutput::TrafficControl(change)),
                Output::NeedSpace(octets) => self.buffer.resize(octets, 0),
                Output::Idle { until, .. } => {
                    self.until = until;
                    return;
                }
                other => tracing::warn!(?other, "an output that this driver does not know is passed over"),
            }
        }
    }

    /// Sends what waits.
    fn send(&mut self) {
        let now_us = self.now().as_micros();
        let sockets = &self.sockets;
        self.send_queue.flush(now_us, |which, parcels| sockets.send(which, parcels));
    }

    fn packet(&mut self, arrived: IncomingMessage<'_>) {
        let IncomingMessage { interface, source, destination, ttl, port, octets } = arrived;
        tracing::trace!(interface, %source, %destination, ttl, port, octets = octets.len(), "packet");
        let raw = Rx { interface: InterfaceId(interface), source, destination, ttl, octets };
        let now_us = self.now().as_micros();
        let admitted = match port {
            None => Some(raw),
            Some(_) => self.encapsulation.admit(&arrived, &self.routes.links, now_us),
        };
        let Some(rx) = admitted else { return };
        self.witness.comes();
        let outcome = self.handle(Input::Packet(rx));
        self.witness.came(&rx, self.routes.links.name(rx.interface), outcome, now_us);
        match outcome {
            Outcome::Taken => {
                self.messages_taken += 1;
                match port {
                    Some(_) => self.encapsulation.taken(&rx, &self.routes.links, now_us),
                    None => self.encapsulation.heard_raw(&rx, &self.routes.links, now_us),
                }
            }
            _ => self.messages_discarded += 1,
        }
    }

    /// Looks at links and addresses again and tells the engine what is different.
    pub(super) fn look_at_links(&mut self, config: &DaemonConfig) {
        let Routes { netlink, links, .. } = &mut self.routes;
        match links.look(netlink, config, |index| self.plane.enforces(index)) {
            Ok(changed) => changed.into_iter().for_each(|interface| {
                self.handle(Input::InterfaceChanged(interface));
            }),
            Err(error) => tracing::error!(%error, "the kernel does not tell about its interfaces"),
        }
        self.look_at_manners(config);
    }

    /// Tells the data plane what holds on interfaces now.
    fn look_at_manners(&mut self, config: &DaemonConfig) {
        self.is_overridden = false;
        let surroundings = self.routes.links.surroundings(&self.overrides.over(config));
        let names = surroundings.interfaces.iter().map(|(index, facts)| (*index, facts.name.clone()));
        self.policies.interfaces(names.collect());
        self.plane.look(surroundings);
    }

    fn is_due(&self) -> bool {
        self.until.is_some_and(|until| until <= self.now())
    }

    /// When there is something to do that nobody tells: at the tick in which a timer of the engine's is due, at once where it has
    /// more to do, when the kernel is asked again that had no memory, and when it is given some back.
    fn wake_at(&self) -> Option<tokio::time::Instant> {
        let now_us = self.now().as_micros();
        let due = self.until.map(|until| pace::tick_of(until.as_micros(), now_us));
        let at = due.into_iter().chain(self.send_queue.again_at).min();
        let gives_back = self.memory.wake_at().map(|at| self.started + at);
        at.map(|at| self.at(at)).into_iter().chain(gives_back).min()
    }

    fn at(&self, us: u64) -> tokio::time::Instant {
        self.started + Duration::from_micros(us)
    }
}

/// The whole of a running node.
pub(super) struct Driver {
    pub(super) config: DaemonConfig,
    pub(super) node: EngineIo,
    pub(super) receiver: Receiver,
    pub(super) monitor: Monitor,
    pub(super) multicast: Multicast,
    pub(super) service: ControlService,
    pub(super) switchboard: Switchboard,
    pub(super) hooks: Hooks,
    pub(super) marks: SocketMarks,
    pub(super) icmp: IcmpErrors,
    pub(super) pace: Pace,
    pub(super) alarm: Alarm,
}

/// What ended a wait.
enum Woken {
    Said(FromClient),
    Ordered(Order),
    Answered(Option<Said>),
    Measured(Target, Measured),
    /// Something that the turn finds by itself.
    Otherwise,
}

impl Driver {
    /// Runs until ordered to stop.
    pub(super) async fn run(
        mut self,
        mut clients: mpsc::Receiver<FromClient>,
        mut orders: mpsc::Receiver<Order>,
    ) {
        self.look_again();
        self.node.policies.refresh(tokio::time::Instant::now());
        self.look_first().await;
        self.say_what_is_missing();
        let leaves = loop {
            let (woken, has_waited) = waited(self.wait(&mut clients, &mut orders)).await;
            match woken {
                Woken::Ordered(Order::Stop) => break false,
                Woken::Ordered(Order::Leave) => break true,
                Woken::Ordered(Order::Reload(config)) => self.reload(*config),
                Woken::Said(said) => self.said(said, &mut clients),
                Woken::Answered(said) => self.answered(said),
                Woken::Measured(target, measured) => self.service.measured(target, measured),
                Woken::Otherwise => {}
            }
            self.turn();
            if !has_waited {
                // Other tasks of this thread, the connections of clients, get their turn too.
                tokio::task::yield_now().await;
            }
        };
        if !leaves {
            self.service.everyone_gone(&mut self.node);
            self.tell();
            self.node.policies.end();
        }
        self.node.send();
        self.node.plane.end(leaves).await;
        if let Some(recorder) = &mut self.node.recorder {
            recorder.flush();
        }
    }

    async fn wait(
        &mut self,
        clients: &mut mpsc::Receiver<FromClient>,
        orders: &mut mpsc::Receiver<Order>,
    ) -> Woken {
        let is_awake = self.node.sockets.is_awake();
        let look_at = is_awake.then(|| self.node.at(self.pace.look_at(self.node.now().as_micros())));
        let measures_at = self.service.measures_at().map(|at| self.node.at(at.as_micros()));
        let own =
            self.node.wake_at().into_iter().chain(self.hooks.wake_at()).chain(self.node.policies.wake_at());
        let wake_at = own.chain(look_at).chain(measures_at).min();
        let blocked = self.node.send_queue.blocked;
        let writable = Arc::clone(&self.node.sockets);
        let room = async {
            match blocked {
                Some(which) => writable.writable(which).await,
                None => std::future::pending().await,
            }
        };
        let is_due = wake_at.is_some_and(|at| at <= tokio::time::Instant::now());
        let is_more = is_due || self.switchboard.is_more(&self.service);
        let at_once = async move {
            match is_more {
                true => {}
                false => std::future::pending().await,
            }
        };
        let EngineIo { plane, sockets, prober, policies, .. } = &mut self.node;
        let measured = async {
            match prober {
                Some(prober) => prober.measured().await,
                None => std::future::pending().await,
            }
        };
        let alarm = &mut self.alarm;
        alarm.set(wake_at);
        tokio::select! {
            order = orders.recv() => Woken::Ordered(order.unwrap_or(Order::Stop)),
            Some(said) = clients.recv() => Woken::Said(said),
            said = plane.said() => Woken::Answered(said),
            (target, measured) = measured => Woken::Measured(target, measured),
            () = sockets.readable() => Woken::Otherwise,
            _ = self.monitor.changed() => Woken::Otherwise,
            () = self.hooks.told() => Woken::Otherwise,
            () = self.icmp.readable() => Woken::Otherwise,
            () = policies.changed() => Woken::Otherwise,
            () = alarm.rings() => Woken::Otherwise,
            () = room => Woken::Otherwise,
            () = at_once => Woken::Otherwise,
        }
    }

    /// A bounded piece of whatever there is to do.
    fn turn(&mut self) {
        if self.node.is_due() {
            self.node.handle(Input::Timer);
        }
        let changes = self.monitor.take();
        if !changes.is_empty() {
            self.changed(&changes);
        }
        let now_us = self.node.now().as_micros();
        if self.pace.is_due(now_us) {
            let sockets = Arc::clone(&self.node.sockets);
            let (node, pace) = (&mut self.node, &self.pace);
            let stays = || pace.is_dense(now_us);
            let look = self.receiver.look(&sockets, now_us, stays, |arrived| node.packet(arrived));
            self.pace.looked(now_us, look);
        }
        self.node.received = self.receiver.received;
        self.hear_what_came_back(now_us);
        self.follow_sockets();
        self.node.policies.turn(tokio::time::Instant::now());
        self.service.measure(&mut self.node);
        self.tell();
        if self.switchboard.is_more(&self.service) {
            self.switchboard.go_on(&mut self.service, &mut self.node);
            self.tell();
        }
        self.node.send();
        let node = &mut self.node;
        if node.memory.look(node.engine.blocks(), node.started.elapsed()) {
            memory::give_back();
        }
        if let Some(recorder) = &mut node.recorder {
            recorder.flush();
        }
    }

    /// What the engine said goes to the service, what the control service says to the clients.
    fn tell(&mut self) {
        loop {
            let told = std::mem::take(&mut self.node.told);
            for each in &told {
                match each {
                    EngineOutput::Event(event) => self.service.event(event),
                    EngineOutput::TrafficControl(change) => {
                        let name = self.node.routes.links.name(change.interface);
                        tracing::debug!(?change, interface = name, "reservation");
                        self.service.traffic_control(change, name);
                        self.node.plane.change(change);
                    }
                }
            }
            self.node.witness.is_watched = self.service.is_watched();
            std::mem::take(&mut self.node.witness.seen).into_iter().for_each(|seen| self.service.saw(seen));
            self.service.look_at_state(&self.node);
            // What a socket has heard may have it ask for something.
            self.service.settle(&mut self.node);
            // A client that is cut off here makes the engine say more.
            self.switchboard.deliver(&mut self.service, &mut self.node);
            if self.node.told.is_empty() {
                break;
            }
        }
        self.say_policies();
        if self.node.is_overridden {
            self.node.look_at_manners(&self.config);
        }
        if !self.node.plane.is_busy() {
            self.service.hand_on(&mut self.node);
        }
        if self.service.asks_for_flows() {
            self.node.plane.list();
        }
        if self.node.plane.go_on() {
            self.service.flows_are_listed();
        }
    }

    fn said(&mut self, first: FromClient, clients: &mut mpsc::Receiver<FromClient>) {
        let begun = tokio::time::Instant::now();
        let more = std::iter::from_fn(|| clients.try_recv().ok());
        for said in std::iter::once(first).chain(more.take(REQUESTS - 1)) {
            self.switchboard.handle(said, &mut self.service, &mut self.node);
            self.tell();
            if begun.elapsed() > FOR_REQUESTS {
                break;
            }
        }
    }
}
