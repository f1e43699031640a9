//! What is kept of a run beside its record: nothing, a journal of everything in and out of its engines, or a digest of
//! what they say.

use crate::journal::{Journal, Overheard, Said, write_input};
use rsvp_node::{Config, Engine, Host, Input, Instant, Outcome};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What is kept.
#[derive(Clone, Debug, Default)]
pub(super) enum Recording {
    #[default]
    Nothing,
    Journal(Journal),
    /// Of each outcome and output, in the words of a journal, with its node and time; inputs follow from them.
    Digest(Sha256),
}

/// One input that is underway.
pub(super) struct Step {
    input: Option<(Value, Vec<Value>)>,
    pub(super) said: Said,
}

impl Recording {
    /// A node comes to life.
    pub(super) fn boot(&mut self, node: u64, config: &Config) {
        if let Self::Journal(journal) = self {
            journal.boot(node, config);
        }
    }

    /// Has an engine handle an input; where something is kept, what it says goes into the step.
    pub(super) fn handle(
        &self,
        engine: &mut Engine,
        at: Instant,
        input: Input<'_>,
        host: &mut dyn Host,
    ) -> (Outcome, Option<Step>) {
        match self {
            Self::Nothing => (engine.handle(at, input, host), None),
            Self::Digest(_) => {
                let outcome = engine.handle(at, input, host);
                (outcome, Some(Step { input: None, said: Said::new(outcome) }))
            }
            Self::Journal(_) => {
                let written = write_input(&input);
                let mut host = Overheard { host, answers: Vec::new() };
                let outcome = engine.handle(at, input, &mut host);
                (outcome, Some(Step { input: Some((written, host.answers)), said: Said::new(outcome) }))
            }
        }
    }

    /// A step is over.
    pub(super) fn step(&mut self, node: u64, at: Instant, step: Step) {
        match (self, step.input) {
            (Self::Journal(journal), Some((input, answers))) => {
                journal.step(node, at, input, &answers, &step.said);
            }
            (Self::Digest(digest), _) => digest.update(format!("{node} {} {}\n", at.0, step.said)),
            _ => {}
        }
    }
}
