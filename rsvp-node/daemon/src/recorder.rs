//! The journal of a running daemon: everything that goes into its engine and comes out, in the file that the configuration
//! names, so that `rsvp-sim replay` does it again elsewhere.
//!
//! What lines say is the business of [`rsvp_node::journal`]. A journal that cannot be written any more ends, and the daemon
//! goes on; files are deliberately not rotated, a journal is only whole from its beginning.

use rsvp_node::journal::{Journal, Overheard, Said, write_input};
use rsvp_node::{Config, Engine, Host, Input, Instant, Outcome, Output};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The number of the only node in the journal.
const NODE: u64 = 0;

/// An input whose outputs are still to come.
struct Step {
    at: Instant,
    input: Value,
    answers: Vec<Value>,
    said: Said,
}

/// Writes the journal.
pub(super) struct Recorder {
    journal: Journal,
    step: Option<Step>,
    file: Option<File>,
}

impl Recorder {
    /// A new journal; one of an earlier life is replaced. Only the owner may read it: it has the seed of the hash tables,
    /// which neighbours must not know.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        Ok(Self { journal: Journal::default(), step: None, file: Some(options.open(path)?) })
    }

    pub(super) fn boot(&mut self, config: &Config) {
        self.journal.boot(NODE, config);
    }

    /// Has the engine handle an input.
    pub(super) fn handle(
        &mut self,
        engine: &mut Engine,
        at: Instant,
        input: Input<'_>,
        host: &mut dyn Host,
    ) -> Outcome {
        let written = write_input(&input);
        let mut overheard = Overheard { host, answers: Vec::new() };
        let outcome = engine.handle(at, input, &mut overheard);
        let said = Said::new(outcome);
        self.step = Some(Step { at, input: written, answers: overheard.answers, said });
        outcome
    }

    /// What the engine says about the input; the last is that it is idle.
    pub(super) fn output(&mut self, output: &Output<'_>) {
        if let Some(step) = &mut self.step {
            step.said.output(output);
        }
        if matches!(output, Output::Idle { .. })
            && let Some(Step { at, input, answers, said }) = self.step.take()
        {
            self.journal.step(NODE, at, input, &answers, &said);
        }
    }

    /// Hands what is whole to the kernel.
    pub(super) fn flush(&mut self) {
        let text = self.journal.take();
        let Some(file) = self.file.as_mut().filter(|_| !text.is_empty()) else { return };
        if let Err(error) = file.write_all(text.as_bytes()) {
            tracing::error!("the journal ends here: it cannot be written any more: {error}");
            self.file = None;
        }
    }
}
