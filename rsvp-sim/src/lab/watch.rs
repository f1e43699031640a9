//! What a lab sees, and when it is judged: captured messages become a record like the simulator's, and an expectation
//! that does not hold yet at its time is given a little patience.
//!
//! While it is waited for, the scenario's time stands still. What must not be seen has until then to show up, no longer.

use super::Outcome;
use super::capture::Captured;
use super::clock;
use super::error::LabError;
use super::look::Look;
use super::messages;
use super::run::Lab;
use super::unenforced;
use crate::describe::{self, Said};
use crate::facts::Facts;
use crate::judge::judge_one;
use crate::scenario::model::{LinkId, NodeId, What};
use crate::world::{EventRecord, Note, Sent};
use core::time::Duration;
use rsvp_capture::{Frame, LinkType, Timestamp};
use rsvp_node::AppId;
use std::collections::{BTreeMap, BTreeSet};

/// How long something may come late, in real time.
const PATIENCE: Duration = Duration::from_secs(2);
/// When nobody has said anything new for so long, the network has come to rest.
const QUIET: Duration = Duration::from_millis(150);
/// Between one look and the next.
const PAUSE: Duration = Duration::from_millis(15);

/// Packets from the IP header on, in the registry of pcap link types.
const RAW_IP: u32 = 101;

/// What has been said, and when something new was said last.
#[derive(Debug, Default)]
pub(super) struct News {
    said: BTreeSet<(NodeId, LinkId, String)>,
    last: Duration,
    /// When the scenario last did something.
    pub(super) acted: Duration,
    /// Real times of what is in the record.
    sent: Vec<Duration>,
    told: Vec<Duration>,
    notes: Vec<Duration>,
}

impl Lab {
    /// Takes over what has been captured.
    pub(super) fn absorb(&mut self) {
        for captured in self.captures.take() {
            let sent = self.sent(&captured);
            let at = captured.at;
            self.packets.push(captured);
            let Some(sent) = sent else { continue };
            if self.news.said.insert((sent.from, sent.link, sent.label.clone())) {
                self.news.last = self.news.last.max(at);
            }
            self.news.sent.push(at);
            self.record.sent.push(sent);
        }
    }

    /// The message in a captured packet, or the one that it is the last piece of.
    fn sent(&mut self, captured: &Captured) -> Option<Sent> {
        let place = (captured.from, captured.link);
        let time =
            Timestamp { seconds: captured.at.as_secs(), nanos: captured.at.subsec_nanos(), fine: true };
        let frame = Frame { number: 0, time: Some(time), link: LinkType(RAW_IP), octets: &captured.packet };
        // A packet that is sent on in pieces has the same name on every link.
        let packet = self.finders.entry(place).or_default().find(&frame)?;
        let at = self.clock.at(captured.at);
        messages::sent(&self.scenario, &self.topology, &self.routing, place, &packet, at)
    }

    pub(super) fn note(&mut self, text: String) {
        let now = clock::now();
        self.news.notes.push(now);
        self.record.notes.push(Note { order: 0, at: self.clock.at(now), text });
    }

    pub(super) fn told(&mut self, node: NodeId, app: AppId, at: Duration, (label, facts): (String, Facts)) {
        let application = self.application_name(app).to_owned();
        let facts = facts.word("application", application.as_str());
        self.news.told.push(at);
        let at = self.clock.at(at);
        self.record.told.push(EventRecord { order: 0, at, application, node, told: None, label, facts });
    }

    /// Waits until nobody says anything new.
    pub(super) async fn settle(&mut self) -> Result<(), LabError> {
        self.quiet_since(Duration::ZERO).await
    }

    /// Waits until what the last action of the scenario has caused is over.
    pub(super) async fn rest(&mut self) -> Result<(), LabError> {
        self.quiet_since(self.news.acted).await
    }

    async fn quiet_since(&mut self, since: Duration) -> Result<(), LabError> {
        let start = clock::now();
        loop {
            self.wait(Duration::ZERO).await?;
            let now = clock::now();
            if now.saturating_sub(self.news.last.max(since)) > QUIET || now.saturating_sub(start) > PATIENCE {
                return Ok(());
            }
            self.wait(PAUSE).await?;
        }
    }

    /// Waits until an expectation holds, or patience ends.
    pub(super) async fn judge(&mut self, place: usize) -> Result<(), LabError> {
        let start = clock::now();
        loop {
            self.wait(Duration::ZERO).await?;
            let seen = self.look(self.scenario.expectations[place].what).await?;
            self.record.looks.insert(place, seen);
            if self.scenario.expectations[place].what == What::Data {
                self.record.data = self.data.streams(&self.scenario, &self.clock);
            }
            let verdict = judge_one(place, &self.scenario.expectations[place], &self.record);
            if verdict.held || verdict.skipped.is_some() || clock::now().saturating_sub(start) > PATIENCE {
                return Ok(());
            }
            self.wait(PAUSE).await?;
        }
    }

    async fn look(&mut self, what: What) -> Result<Vec<Facts>, LabError> {
        let mut seen = Vec::new();
        for (place, daemon) in self.wiring.places.iter().zip(&self.daemons) {
            if let Some(daemon) = daemon {
                let (scenario, topology, observer) = (&self.scenario, &self.topology, &daemon.observer);
                seen.extend(Look { scenario, topology, place, observer }.state(what).await?);
            }
        }
        self.measure().await?;
        Ok(seen)
    }

    /// Notes how full links are. Between looks it can have been otherwise.
    async fn measure(&mut self) -> Result<(), LabError> {
        let now = self.clock.at(clock::now());
        for (n, (place, daemon)) in self.wiring.places.iter().zip(&self.daemons).enumerate() {
            let mut sums: BTreeMap<LinkId, (u64, Vec<Said>)> = BTreeMap::new();
            if let Some(daemon) = daemon {
                let (scenario, topology, observer) = (&self.scenario, &self.topology, &daemon.observer);
                let installed = Look { scenario, topology, place, observer }.installed().await?;
                for (interface, reservation) in installed {
                    let Some(port) = place.ports.iter().find(|port| port.name == interface) else { continue };
                    let sum = sums.entry(port.link).or_default();
                    sum.0 += reservation.charge_bps;
                    sum.1.push(describe::reservation(topology, &reservation));
                }
            }
            for port in &place.ports {
                let (bps, said) = sums.remove(&port.link).unwrap_or_default();
                self.record.measured((NodeId(n), port.link), now, bps, said);
            }
        }
        Ok(())
    }

    /// Nothing more is sent, and what was sent has come.
    async fn end_data(&mut self) -> Result<(), LabError> {
        if !self.scenario.senders.iter().any(|sender| sender.socket) {
            return Ok(());
        }
        self.data.stop();
        self.quiet_since(clock::now()).await?;
        self.record.data = self.data.streams(&self.scenario, &self.clock);
        Ok(())
    }

    /// Keeps nothing of what was seen: there will be no report.
    pub(super) fn forget(&mut self) {
        (self.record, self.news) = Default::default();
        self.packets.clear();
    }

    /// Everything that was seen, in the order in which it happened.
    pub(super) async fn finish(&mut self) -> Result<Outcome, LabError> {
        self.end_data().await?;
        self.absorb();
        self.measure().await?;
        for (n, (place, daemon)) in self.wiring.places.iter().zip(&self.daemons).enumerate() {
            let Some(daemon) = daemon else { continue };
            if let Some(why) = unenforced::reason(&daemon.observer).await? {
                self.record.unenforced.push((NodeId(n), why));
            }
            let (scenario, topology, observer) = (&self.scenario, &self.topology, &daemon.observer);
            let dropped = Look { scenario, topology, place, observer }.dropped().await?;
            self.record.discards.extend(dropped.into_iter().map(|(why, times)| (NodeId(n), why, times)));
        }
        let (mut record, news) = (core::mem::take(&mut self.record), core::mem::take(&mut self.news));
        let mut packets = core::mem::take(&mut self.packets);
        sort(&mut record.sent, &news.sent);
        sort(&mut record.told, &news.told);
        sort(&mut record.notes, &news.notes);
        number(&mut record, news);
        packets.sort_by_key(|captured| captured.at);
        let packet = |captured: Captured| (self.clock.at(captured.at), captured.packet);
        Ok(Outcome {
            scenario: self.scenario.clone(),
            record,
            packets: packets.into_iter().map(packet).collect(),
        })
    }
}

fn sort<T>(things: &mut Vec<T>, times: &[Duration]) {
    let mut timed: Vec<(Duration, T)> = times.iter().copied().zip(core::mem::take(things)).collect();
    timed.sort_by_key(|(time, _)| *time);
    things.extend(timed.into_iter().map(|(_, thing)| thing));
}

/// Gives messages, events and notes their places among each other.
fn number(record: &mut crate::world::Record, mut news: News) {
    enum Order<'r> {
        Sent(&'r mut Sent),
        Told(&'r mut EventRecord),
        Note(&'r mut Note),
    }
    [&mut news.sent, &mut news.told, &mut news.notes].into_iter().for_each(|times| times.sort());
    let mut all: Vec<(Duration, Order<'_>)> = Vec::new();
    // At one time an action comes before what it causes, and a message before what it tells.
    all.extend(news.notes.iter().copied().zip(record.notes.iter_mut().map(Order::Note)));
    all.extend(news.sent.iter().copied().zip(record.sent.iter_mut().map(Order::Sent)));
    all.extend(news.told.iter().copied().zip(record.told.iter_mut().map(Order::Told)));
    all.sort_by_key(|(time, _)| *time);
    for (order, (_, each)) in all.into_iter().enumerate() {
        match each {
            Order::Sent(sent) => sent.order = order,
            Order::Told(told) => told.order = order,
            Order::Note(note) => note.order = order,
        }
    }
}
