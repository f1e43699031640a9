//! A world runs to its end, to a time, until something is so, or step by step. However time is cut up, the same happens.

use super::happenings::Happening;
use super::record::{EventRecord, Note, Record, Sent};
use super::recording::Recording;
use super::run::World;
use crate::journal::Journal;
use crate::report::Report;
use crate::scenario::index::Index;
use crate::scenario::model::{LinkId, NodeId, ReceiverId, Scenario, SenderId, What};
use crate::scenario::{Builder, ScenarioError};
use core::time::Duration;
use rsvp_node::Instant;

/// Why nothing is said of what is expected of data.
const NO_DATA: &str = "no data is sent in virtual time: `rsvp-sim lab` sends it";
/// Why nothing is said of messages and events of a world that keeps no record.
const NO_RECORD: &str = "this world keeps no record of messages and events";

/// One thing that happened, and what came of it at once.
#[derive(Clone, Copy, Debug)]
pub struct Step<'w> {
    /// When.
    pub at: Instant,
    /// What.
    pub cause: Cause,
    /// Messages that were sent because of it.
    pub sent: &'w [Sent],
    /// What applications were told.
    pub told: &'w [EventRecord],
    /// What the scenario did to the world.
    pub notes: &'w [Note],
}

/// Why there is a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An expectation of the scenario looks at state; nothing changes.
    Look,
    /// A node comes to life.
    Boot(NodeId),
    /// A receiver opens its session.
    Receiver(ReceiverId),
    /// A receiver may reserve from now on.
    MayReserve(ReceiverId),
    /// A sender starts.
    Sender(SenderId),
    /// An action of the scenario, by its place there.
    Action(usize),
    /// A node hears that its routes have changed, some time after they did.
    Routes(NodeId),
    /// A packet comes to the end of a link.
    Packet {
        /// The node at that end.
        node: NodeId,
        /// The link.
        link: LinkId,
    },
    /// A timer of a node's engine.
    Timer(NodeId),
}

impl Cause {
    fn of(happening: &Happening) -> Self {
        match *happening {
            Happening::Look(_) => Self::Look,
            Happening::Boot(node) => Self::Boot(node),
            Happening::StartReceiver(receiver) => Self::Receiver(receiver),
            Happening::MayReserve(receiver) => Self::MayReserve(receiver),
            Happening::StartSender(sender) => Self::Sender(sender),
            Happening::Act(n) => Self::Action(n),
            Happening::Reroute { node, .. } => Self::Routes(node),
            Happening::Arrive { node, link, .. } => Self::Packet { node, link },
            Happening::Wake(node) => Self::Timer(node),
        }
    }
}

impl World {
    /// Builds a world in code.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A world that keeps no record, as large ones have to: there is what nodes have, who is confirmed and how many messages were
    /// sent, but nothing of what was sent and told before. Who asks for that is told so, and a report has expectations of
    /// messages and events as skipped.
    #[must_use]
    pub fn unrecorded(scenario: Scenario) -> Self {
        let mut world = Self::new(scenario);
        world.is_unrecorded = true;
        world
    }

    /// How many messages were put on links so far.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Runs to the end, and records everything that goes into the engines and comes out.
    #[must_use]
    pub fn run_recorded(mut self) -> (Scenario, Record, Journal) {
        self.recording = Recording::Journal(Journal::default());
        self.run_until(self.scenario.duration);
        self.close();
        let journal = match self.recording {
            Recording::Journal(journal) => journal,
            _ => Journal::default(),
        };
        self.scenario.index = Index::default();
        (self.scenario, self.record, journal)
    }

    /// Runs to the end.
    #[must_use]
    pub fn run(mut self) -> (Scenario, Record) {
        self.run_until(self.scenario.duration);
        self.close();
        self.scenario.index = Index::default();
        (self.scenario, self.record)
    }

    /// Lets everything happen that happens up to a time since the start, and at it; then it is that time. The scenario's
    /// `duration` is no bound here.
    pub fn run_until(&mut self, time: Duration) {
        let end = Instant::ZERO + time;
        while self.may_go_on() && self.advance(end) {}
    }

    /// Runs until something is so, and no longer than to a time since the start; says whether it is so. It is looked at
    /// now, and after each step.
    ///
    /// # Errors
    ///
    /// What `holds` says.
    pub fn run_until_that(
        &mut self,
        mut holds: impl FnMut(&Self) -> Result<bool, ScenarioError>,
        deadline: Duration,
    ) -> Result<bool, ScenarioError> {
        let end = Instant::ZERO + deadline;
        while !holds(self)? {
            if !(self.may_go_on() && self.advance(end)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Lets the next thing happen, and says what it was and what came of it. Nothing, when nothing will ever happen again.
    pub fn step(&mut self) -> Option<Step<'_>> {
        if !self.may_go_on() {
            return None;
        }
        let (at, happening) = self.happenings.next(Instant::NEVER)?;
        let (sent, told, notes) = (self.record.sent.len(), self.record.told.len(), self.record.notes.len());
        let cause = Cause::of(&happening);
        self.data_before(at);
        self.now = at;
        self.happen(happening);
        Some(Step {
            at,
            cause,
            sent: &self.record.sent[sent..],
            told: &self.record.told[told..],
            notes: &self.record.notes[notes..],
        })
    }

    /// Lets the next thing happen, if it comes no later than `end`; if none does, it is `end` now.
    pub(crate) fn advance(&mut self, end: Instant) -> bool {
        let Some((at, happening)) = self.happenings.next(end) else {
            self.data_up_to(end);
            self.now = self.now.max(end);
            return false;
        };
        self.data_before(at);
        self.now = at;
        self.happen(happening);
        true
    }

    /// A node has done what none may: there is no going on from there.
    pub(crate) fn may_go_on(&self) -> bool {
        self.record.fault.is_none()
    }

    /// What has happened so far: messages, events, notes.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// A report of the run so far.
    pub fn report(&mut self) -> Report {
        self.close();
        Report::new(&self.scenario, &self.record)
    }

    /// Whether such things happen in it and are not kept.
    pub(super) fn knows_nothing_of(&self, what: What) -> bool {
        matches!(what, What::Messages | What::Events) && !self.keeps_record()
    }

    /// Completes the record by what is only known in the end.
    fn close(&mut self) {
        let all = self.scenario.expectations.iter().enumerate();
        let skipped = all.filter_map(|(place, expectation)| match expectation.what {
            What::Data => Some((place, NO_DATA.to_owned())),
            what => self.knows_nothing_of(what).then(|| (place, NO_RECORD.to_owned())),
        });
        self.record.skipped = skipped.collect();
        let discards = self.nodes.iter().enumerate().flat_map(|(n, node)| {
            let discards = node.engine.counters().discards().filter(|(_, times)| *times > 0);
            discards.map(move |(why, times)| (NodeId(n), why.to_owned(), times))
        });
        self.record.discards = discards.collect();
        self.close_data();
    }
}
