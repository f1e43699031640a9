//! The recorder: everything that goes into engines and everything that comes out, one line of JSON each, so that any
//! moment of a simulator's run or a daemon's life can be had again ([`replay`]).
//!
//! A line is a node's configuration when it comes to life, or one input with the time its clock showed, the answers that
//! routing gave meanwhile, the outcome, and the outputs. RSVP objects stand as the octets they have on the wire, so
//! that nothing is rounded; everything else has a name of the journal's own, so that what is renamed in the engine reads
//! the same here. Another form has another version. Deliberately no state is written: it follows from the inputs. Files are the driver's business.

mod input;
mod output;
mod replay;

pub use replay::{ReplayError, Replayed, replay};

use crate::{Config, Host, Input, Instant, Outcome, Output, RouteAnswer, RouteQuery};
use core::fmt;
use serde_json::{Value, json};

/// The version of what is written here, in the first line of a journal. One of another version is not done again: what
/// came out would be compared with words that mean something else.
const VERSION: u64 = 2;

/// A journal as it is written.
#[derive(Clone, Debug)]
pub struct Journal {
    text: String,
}

impl Default for Journal {
    fn default() -> Self {
        Self { text: format!("{}\n", json!({ "journal": "rsvp", "version": VERSION })) }
    }
}

impl Journal {
    /// The journal so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The journal of a run that has come to its end: the first line says how many follow, so that it is noticed when some are cut
    /// off. That of a life that goes on cannot say it.
    #[must_use]
    pub fn whole(&self) -> String {
        let (_, lines) = self.text.split_once('\n').unwrap_or_default();
        let header = json!({ "journal": "rsvp", "version": VERSION, "lines": lines.lines().count() });
        format!("{header}\n{lines}")
    }

    /// What was written since this was asked last, for a journal that is kept elsewhere.
    #[must_use]
    pub fn take(&mut self) -> String {
        core::mem::take(&mut self.text)
    }

    /// A node, by its number, comes to life.
    pub fn boot(&mut self, node: u64, config: &Config) {
        let limits = config.limits;
        let line = json!({
            "node": node,
            "config": {
                "seed": config.seed,
                "blockade_multiplier": config.blockade_multiplier,
                "hash_seed": config.hash_seed,
                "ttl": config.ttl,
                "strict_tspec": config.strict_tspec,
                "timer_latency_us": u64::try_from(config.timer_latency.as_micros()).unwrap_or(u64::MAX),
                "repeats_new": config.repeats_new,
                "limits": [
                    limits.sessions,
                    limits.senders_per_session,
                    limits.requests_per_session,
                    limits.filters_per_request,
                    limits.queue,
                    limits.refresh_ms,
                    limits.state_octets,
                    limits.neighbours_per_interface,
                ],
            },
        });
        self.line(&line);
    }

    /// A node has taken an input and said everything it has to say about it.
    pub fn step(&mut self, node: u64, at: Instant, input: Value, answers: &[Value], said: &Said) {
        let Said { outcome, outputs } = said;
        let line = json!({
            "node": node, "at": at.0, "input": input, "answers": answers, "outcome": outcome, "outputs": outputs,
        });
        self.line(&line);
    }

    fn line(&mut self, line: &Value) {
        self.text.push_str(&line.to_string());
        self.text.push('\n');
    }
}

/// What an engine said about an input, in the words of a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    outcome: Value,
    outputs: Vec<Value>,
}

impl Said {
    /// The beginning: what came of the input.
    #[must_use]
    pub fn new(outcome: Outcome) -> Self {
        Self { outcome: output::write_outcome(outcome), outputs: Vec::new() }
    }

    /// Keeps an output. A request for space is none: it depends on the driver's buffer.
    pub fn output(&mut self, output: &Output<'_>) {
        self.outputs.extend(output::write(output));
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.outcome)?;
        self.outputs.iter().try_for_each(|output| write!(f, " {output}"))
    }
}

/// What an input looks like in a journal.
#[must_use]
pub fn write_input(input: &Input<'_>) -> Value {
    input::write(input)
}

/// A host whose answers are written down.
pub struct Overheard<'h> {
    /// Who answers.
    pub host: &'h mut dyn Host,
    /// The answers so far, as the journal has them.
    pub answers: Vec<Value>,
}

impl Host for Overheard<'_> {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        let answer = self.host.route(query);
        self.answers.push(input::answer(&query, &answer));
        answer
    }
}
