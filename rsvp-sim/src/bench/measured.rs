//! What comes out of a run: plain figures, which are shown as tables or as JSON.

use super::messages::{Family, Shape};
use super::router::{Step, name_of};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Upper ends of the histogram of steps, in microseconds; the last class has no end.
pub(super) const CLASSES: [u64; 7] = [1, 4, 16, 64, 250, 1_000, 5_000];

/// All of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(super) shape: Shape,
    pub(super) family: Family,
    pub(super) reservations: u32,
    /// Of set-up, by processor time.
    pub(super) set_ups_per_second: u64,
    pub(super) octets: Octets,
    /// What one refresh period takes of a core.
    pub(super) steady_percent: f64,
    pub(super) phases: Vec<Phase>,
}

/// Memory, in octets; what the process has is there where the system says so.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Octets {
    /// By the engine's own account, when all is set up.
    pub(super) counted: u64,
    pub(super) resident: Option<u64>,
    /// The same when all is gone, each as it was measured first.
    pub(super) counted_at_end: u64,
    pub(super) resident_at_end: Option<u64>,
}

/// One thing that is done with all there is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Phase {
    pub(super) name: String,
    /// Processor time of all steps.
    pub(super) ns: u64,
    pub(super) steps: u64,
    /// What arrived and what left, with the time that each took in the mean.
    pub(super) messages: BTreeMap<String, Mean>,
    pub(super) longest: Longest,
    /// The most looks at blocks of state in one step.
    pub(super) most_looks: u64,
    /// Steps by the time they took: up to 1, 4, 16, 64, 250, 1,000, 5,000 microseconds, and more.
    pub(super) histogram: [u64; CLASSES.len() + 1],
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Mean {
    pub(super) count: u64,
    pub(super) total_ns: u64,
}

impl Mean {
    pub(super) fn ns(&self) -> u64 {
        self.total_ns.checked_div(self.count).unwrap_or(0)
    }
}

/// The step that took longest.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Longest {
    pub(super) ns: u64,
    pub(super) looks: u64,
    /// What it was.
    pub(super) what: String,
}

impl Phase {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// A step that a message, or another event, made.
    pub(super) fn add(&mut self, what: &str, step: &Step) {
        self.count(what, step);
        self.message(what.to_owned(), 1, step.ns);
    }

    /// A step that time made: what it took is that of the messages it sent.
    pub(super) fn add_tick(&mut self, step: &Step) {
        self.count("timers", step);
        let (sent, writing) = step.sent.values().fold((0, 0), |(n, ns), cost| (n + cost.count, ns + cost.ns));
        let rest = step.ns.saturating_sub(writing);
        for (msg_type, cost) in &step.sent {
            let share = rest * cost.count / sent;
            self.message(format!("{} out", name_of(*msg_type)), cost.count, cost.ns + share);
        }
        if sent == 0 {
            self.message("timers without a message".to_owned(), 1, step.ns);
        }
    }

    fn message(&mut self, name: String, count: u64, ns: u64) {
        let mean = self.messages.entry(name).or_default();
        mean.count += count;
        mean.total_ns += ns;
    }

    fn count(&mut self, what: &str, step: &Step) {
        self.ns += step.ns;
        self.steps += 1;
        self.most_looks = self.most_looks.max(step.looks);
        if step.ns > self.longest.ns {
            self.longest = Longest { ns: step.ns, looks: step.looks, what: what.to_owned() };
        }
        let class = CLASSES.iter().position(|end| step.ns <= end * 1_000).unwrap_or(CLASSES.len());
        self.histogram[class] += 1;
    }
}
