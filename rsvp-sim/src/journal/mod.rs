//! The recorder: everything that goes into the engines of a run and everything that comes out, one line of JSON each, so
//! that any moment of it can be had again ([`replay`]).
//!
//! A line is a node's configuration when it comes to life, or one input with the time its clock showed, the answers that
//! routing gave meanwhile, the outcome, and the outputs. RSVP objects stand as the octets they have on the wire, so
//! that nothing is rounded. Deliberately no state is written: it follows from the inputs.

mod input;
mod replay;

pub use replay::{Replayed, replay};

use crate::scenario::model::NodeId;
use rsvp_node::{Config, Host, Input, Instant, Outcome, Output, RouteAnswer, RouteQuery};
use serde_json::{Value, json};

/// First line of a journal.
const HEADER: &str = "{\"journal\":\"rsvp-sim\",\"version\":1}";

/// A journal as it is written.
#[derive(Clone, Debug)]
pub struct Journal {
    text: String,
}

impl Default for Journal {
    fn default() -> Self {
        Self { text: format!("{HEADER}\n") }
    }
}

impl Journal {
    /// The journal so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A node comes to life.
    pub(crate) fn boot(&mut self, node: NodeId, config: &Config) {
        let limits = config.limits;
        let line = json!({
            "node": node.0,
            "config": {
                "seed": config.seed,
                "blockade_multiplier": config.blockade_multiplier,
                "hash_seed": config.hash_seed,
                "ttl": config.ttl,
                "limits": [
                    limits.sessions,
                    limits.senders_per_session,
                    limits.requests_per_session,
                    limits.filters_per_request,
                    limits.queue,
                ],
            },
        });
        self.line(&line);
    }

    /// A node has taken an input and said everything it has to say about it.
    pub(crate) fn step(&mut self, node: NodeId, at: Instant, input: Value, answers: &[Value], said: &Said) {
        let outputs = &said.outputs;
        let line = json!({
            "node": node.0, "at": at.0, "input": input, "answers": answers, "outcome": said.outcome, "outputs": outputs,
        });
        self.line(&line);
    }

    fn line(&mut self, line: &Value) {
        self.text.push_str(&line.to_string());
        self.text.push('\n');
    }
}

/// What an engine said about an input.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) outcome: String,
    pub(crate) outputs: Vec<String>,
}

impl Said {
    pub(crate) fn new(outcome: Outcome) -> Self {
        Self { outcome: format!("{outcome:?}"), outputs: Vec::new() }
    }

    /// Keeps an output. A request for space is none: it depends on the driver's buffer.
    pub(crate) fn output(&mut self, output: &Output<'_>) {
        let text = match output {
            Output::NeedSpace(_) => return,
            Output::Transmit(t) => format!(
                "transmit {} {} {:?} ttl {} alert {} {}",
                t.interface.0,
                t.destination,
                t.source,
                t.ttl,
                t.router_alert,
                input::hex(t.octets)
            ),
            other => format!("{other:?}"),
        };
        self.outputs.push(text);
    }
}

/// What an input looks like in a journal.
pub(crate) fn write_input(input: &Input<'_>) -> Value {
    input::write(input)
}

/// A host whose answers are written down.
pub(crate) struct Overheard<'h> {
    pub(crate) host: &'h mut dyn Host,
    pub(crate) answers: Vec<Value>,
}

impl Host for Overheard<'_> {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        let answer = self.host.route(query);
        self.answers.push(input::answer(&query, &answer));
        answer
    }
}
