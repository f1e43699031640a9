//! The course of a lab: everything is set up, then one checkpoint of the scenario comes after the other.
//!
//! What is seen on the way, and how it is judged, is in `watch`; what applications do, in `applications`.

use super::applications::{ReceiverState, SenderState, receivers, senders};
use super::capture::{Captured, Captures};
use super::clock::{self, Clock};
use super::connection::TimedEvent;
use super::daemon::{Daemon, Folder, config, find};
use super::data::DataLog;
use super::error::{LabError, Trying};
use super::keep::{Kept, name_namespace};
use super::routes::Routes;
use super::watch::News;
use super::wiring::Wiring;
use super::{Outcome, Settings, skip};
use crate::scenario::model::{Deed, Expectation, LinkId, NodeId, ReceiverId, Scenario, SenderId, What, When};
use crate::world::routing::{Network, Routing, first_members};
use crate::world::{Record, Topology};
use core::time::Duration;
use rsvp_capture::packet::Finder;
use rsvp_node::units::show_time;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tokio::sync::mpsc;

/// Between one look and the next at a lab that stays.
const PAUSE: Duration = Duration::from_secs(1);

/// Something to do at a time of the scenario. At one time, what is judged comes first, then as listed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Checkpoint {
    /// A span of time begins in which something is expected: what came before has to be over.
    Settle,
    /// An expectation about this time, or a span that ends with it.
    Judge(usize),
    Boot(NodeId),
    StartReceiver(ReceiverId),
    MayReserve(ReceiverId),
    StartSender(SenderId),
    Act(usize),
}

/// A lab while it runs. Daemons go before the namespaces they are in.
pub(super) struct Lab {
    pub(super) daemons: Vec<Option<Daemon>>,
    pub(super) senders: Vec<SenderState>,
    pub(super) receivers: Vec<ReceiverState>,
    pub(super) scenario: Scenario,
    pub(super) topology: Topology,
    pub(super) network: Network,
    pub(super) routing: Routing,
    routes: Routes,
    pub(super) wiring: Wiring,
    pub(super) captures: Captures,
    pub(super) packets: Vec<Captured>,
    /// What reads the packets that a node sends on a link.
    pub(super) finders: BTreeMap<(NodeId, LinkId), Finder>,
    pub(super) clock: Clock,
    /// The scenario's time of the last checkpoint.
    pub(super) reached: Duration,
    pub(super) record: Record,
    pub(super) news: News,
    /// What QoS sockets send and get.
    pub(super) data: DataLog,
    pub(super) hearing: mpsc::UnboundedSender<TimedEvent>,
    heard: mpsc::UnboundedReceiver<TimedEvent>,
    folder: Folder,
    rsvpd: PathBuf,
}

/// Runs a scenario in namespaces of its own, which are gone afterwards.
pub(super) async fn run(scenario: Scenario, settings: &Settings) -> Result<Outcome, LabError> {
    if !nix::unistd::geteuid().is_root() {
        return Err(LabError::NotRoot);
    }
    let mut lab = Lab::new(scenario, settings).await?;
    lab.whole().await
}

/// The same in namespaces with names, which stay until this is dropped; or ends.
pub(super) async fn keep(
    scenario: Scenario,
    settings: &Settings,
    kept: &Kept,
    ready: impl FnOnce(Outcome) -> Result<(), LabError>,
) -> Result<(), LabError> {
    let mut lab = Lab::new(scenario, settings).await?;
    for place in &lab.wiring.places {
        let name = kept.namespaces.get(&place.namespace.name);
        let thread = place.namespace.run(|| nix::unistd::gettid().as_raw().cast_unsigned()).await?;
        if let Some(name) = name {
            name_namespace(name, thread)?;
        }
    }
    ready(lab.whole().await?)?;
    loop {
        // Daemons may be ended by whoever tries what happens then.
        let _ = lab.wait(PAUSE).await;
        lab.forget();
    }
}

impl Lab {
    async fn whole(&mut self) -> Result<Outcome, LabError> {
        if let Some(reason) = skip::reason(&self.scenario) {
            let all = 0..self.scenario.expectations.len();
            self.record.skipped = all.map(|n| (n, reason.clone())).collect();
        }
        self.skip_traffic();
        self.start().await?;
        self.go().await?;
        self.finish().await
    }
}

impl Lab {
    async fn new(scenario: Scenario, settings: &Settings) -> Result<Self, LabError> {
        let rsvpd = find(settings.rsvpd.as_deref())?;
        let folder = Folder::new(settings.logs.as_deref())?;
        let topology = Topology::new(&scenario);
        let wiring = Wiring::new(&scenario, &topology).await?;
        let routes = Routes::new(&scenario, &wiring).await?;
        let network = Network {
            link_up: vec![true; scenario.links.len()],
            node_up: vec![true; scenario.nodes.len()],
            members: first_members(&scenario),
        };
        let speed = settings.speed.or(scenario.lab_speed).unwrap_or_else(|| default_speed(&scenario));
        let (hearing, heard) = mpsc::unbounded_channel();
        Ok(Self {
            daemons: scenario.nodes.iter().map(|_| None).collect(),
            senders: senders(&scenario),
            receivers: receivers(&scenario),
            routing: Routing::new(&scenario, &network),
            network,
            topology,
            routes,
            wiring,
            captures: Captures::default(),
            packets: Vec::new(),
            finders: BTreeMap::new(),
            clock: Clock::new(speed),
            reached: Duration::ZERO,
            record: Record { lab_speed: Some(speed), ..Record::default() },
            news: News::default(),
            data: DataLog::default(),
            hearing,
            heard,
            folder,
            rsvpd,
            scenario,
        })
    }

    /// Routes, captures, daemons: everything that is there before the scenario begins.
    async fn start(&mut self) -> Result<(), LabError> {
        self.reroute(None).await?;
        for (n, place) in self.wiring.places.iter().enumerate() {
            self.captures.watch(NodeId(n), place).await?;
        }
        for n in 0..self.scenario.nodes.len() {
            self.boot(NodeId(n)).await?;
        }
        Ok(())
    }

    /// A router without RSVP is its kernel, which is there already.
    async fn boot(&mut self, node: NodeId) -> Result<(), LabError> {
        if self.scenario.nodes[node.0].plain {
            return Ok(());
        }
        let place = &self.wiring.places[node.0];
        let config = config(&self.scenario, &self.clock, &self.folder.path, node, place);
        let daemon = Daemon::start(&self.rsvpd, &self.folder.path, place, config).await?;
        self.daemons[node.0] = Some(daemon);
        Ok(())
    }

    /// Makes routes what routing says now.
    pub(super) async fn reroute(&mut self, switched: Option<LinkId>) -> Result<(), LabError> {
        let Self { scenario, topology, wiring, network, .. } = self;
        self.routing = Routing::new(scenario, network);
        self.routes.follow(scenario, topology, wiring, network, switched).await
    }

    async fn go(&mut self) -> Result<(), LabError> {
        let plan = plan(&self.scenario);
        let times: Vec<Duration> = plan.keys().copied().collect();
        for (n, (at, checkpoints)) in plan.into_iter().enumerate() {
            self.pass().await?;
            self.reached = at;
            let (judged, done): (Vec<_>, Vec<_>) = checkpoints
                .into_iter()
                .partition(|each| matches!(each, Checkpoint::Settle | Checkpoint::Judge(_)));
            for checkpoint in judged {
                self.reach(checkpoint).await?;
            }
            if done.iter().any(|each| matches!(each, Checkpoint::Act(_))) {
                self.rest().await?;
            }
            self.clock.run(at, times.get(n + 1).copied().unwrap_or(self.scenario.duration));
            for checkpoint in done {
                self.reach(checkpoint).await?;
                self.news.acted = clock::now();
            }
        }
        Ok(())
    }

    /// Lets real time go by until the clock stands still; applications act on what they hear.
    async fn pass(&mut self) -> Result<(), LabError> {
        loop {
            let left = self.clock.left();
            self.wait(left).await?;
            if left.is_zero() {
                return Ok(());
            }
        }
    }

    /// Lets real time go by, or less if an application hears something.
    pub(super) async fn wait(&mut self, time: Duration) -> Result<(), LabError> {
        tokio::select! {
            biased;
            Some(heard) = self.heard.recv() => self.hear(heard).await?,
            () = tokio::time::sleep(time) => {}
        }
        self.absorb();
        for n in 0..self.daemons.len() {
            let ended = self.daemons[n].as_mut().and_then(Daemon::ended);
            if let Some(why) = ended {
                return Err(why).trying(|| format!("go on without {}", self.scenario.nodes[n].name));
            }
        }
        Ok(())
    }

    async fn reach(&mut self, checkpoint: Checkpoint) -> Result<(), LabError> {
        match checkpoint {
            Checkpoint::Settle => self.settle().await,
            Checkpoint::Judge(n) => self.judge(n).await,
            Checkpoint::Boot(node) => self.come_back(node).await,
            Checkpoint::StartReceiver(receiver) => self.start_receiver(receiver).await,
            Checkpoint::MayReserve(receiver) => self.reserve_if_ready(receiver).await,
            Checkpoint::StartSender(sender) => self.start_sender(sender).await,
            Checkpoint::Act(n) => match self.scenario.actions[n].deed.clone() {
                Deed::LinkDown(link) => self.switch_link(link, false).await,
                Deed::LinkUp(link) => self.switch_link(link, true).await,
                Deed::Crash(node, time) => self.crash(node, time).await,
                deed => self.act_application(deed).await,
            },
        }
    }

    async fn switch_link(&mut self, link: LinkId, up: bool) -> Result<(), LabError> {
        let plan = self.scenario.links[link.0].clone();
        if self.network.link_up[link.0] == up {
            return Ok(());
        }
        self.note(format!("link {} goes {}", plan.name, if up { "up" } else { "down" }));
        self.network.link_up[link.0] = up;
        if !up {
            // In the simulator routing knows at once. Here routes leave the link just before it goes, or daemons would find
            // in between that nothing leads on and end what another way could keep.
            self.reroute(Some(link)).await?;
        }
        for end in &plan.ends {
            let place = &self.wiring.places[end.0];
            let Some(port) = place.port(link) else { continue };
            place.switch(port.index, up).await.trying(|| format!("switch {}", plan.name))?;
        }
        if up {
            self.wiring.until_running(&plan, link).await?;
            self.reroute(Some(link)).await?;
        }
        Ok(())
    }

    /// SIGKILL for the daemon and its applications; nor does the node forward any more.
    async fn crash(&mut self, node: NodeId, time: Duration) -> Result<(), LabError> {
        if !core::mem::take(&mut self.network.node_up[node.0]) {
            return Ok(());
        }
        self.daemons[node.0] = None;
        self.note(format!("{} crashes for {}", self.scenario.nodes[node.0].name, show_time(time)));
        self.forward(node, false).await?;
        self.forget_applications(node).await?;
        self.reroute(None).await
    }

    async fn come_back(&mut self, node: NodeId) -> Result<(), LabError> {
        if self.network.node_up[node.0] {
            return Ok(());
        }
        self.note(format!("{} is back, without any state", self.scenario.nodes[node.0].name));
        self.forward(node, true).await?;
        self.boot(node).await?;
        self.network.node_up[node.0] = true;
        self.reroute(None).await?;
        self.restart_applications(node).await
    }

    async fn forward(&self, node: NodeId, on: bool) -> Result<(), LabError> {
        let value = if on && self.scenario.nodes[node.0].router { "1" } else { "0" };
        let keys = ["ipv4/ip_forward", "ipv6/conf/all/forwarding"];
        let parameters = keys.map(|key| (key.to_owned(), value));
        self.wiring.places[node.0].namespace.set(parameters.into()).await
    }
}

/// So fast that R becomes a second, but never slower than the scenario says.
fn default_speed(scenario: &Scenario) -> f64 {
    scenario.refresh.as_secs_f64().max(1.0)
}

/// All checkpoints by their times. The last is the end.
fn plan(scenario: &Scenario) -> BTreeMap<Duration, Vec<Checkpoint>> {
    let mut plan: BTreeMap<Duration, Vec<Checkpoint>> = BTreeMap::new();
    let mut add = |at: Duration, checkpoint| {
        if at <= scenario.duration {
            plan.entry(at).or_default().push(checkpoint);
        }
    };
    for (n, expectation) in scenario.expectations.iter().enumerate() {
        match expectation.when {
            When::At(at) => add(at, Checkpoint::Judge(n)),
            When::Within(from, to) => {
                if settles(expectation, from) {
                    add(from, Checkpoint::Settle);
                }
                add(to, Checkpoint::Judge(n));
            }
        }
    }
    add(scenario.duration, Checkpoint::Settle);
    for (n, receiver) in scenario.receivers.iter().enumerate() {
        add(receiver.start, Checkpoint::StartReceiver(ReceiverId(n)));
        if let Some(at) = receiver.reserve_at {
            add(at, Checkpoint::MayReserve(ReceiverId(n)));
        }
    }
    for (n, sender) in scenario.senders.iter().enumerate() {
        add(sender.start, Checkpoint::StartSender(SenderId(n)));
    }
    for (n, action) in scenario.actions.iter().enumerate() {
        add(action.at, Checkpoint::Act(n));
        if let Deed::Crash(node, time) = action.deed {
            add(action.at + time, Checkpoint::Boot(node));
        }
    }
    for checkpoints in plan.values_mut() {
        checkpoints.sort_by_key(|each| match each {
            // Actions happen in the order of the file.
            Checkpoint::Act(n) => (Checkpoint::Act(0), *n),
            Checkpoint::StartReceiver(r) | Checkpoint::MayReserve(r) => {
                (Checkpoint::StartReceiver(ReceiverId(0)), r.0)
            }
            other => (*other, 0),
        });
    }
    plan
}

/// Whether what happened before a span could be taken for something in it.
fn settles(expectation: &Expectation, from: Duration) -> bool {
    matches!(expectation.what, What::Messages | What::Data) && !from.is_zero()
}
