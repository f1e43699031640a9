//! Does again what a journal says, and compares what comes out with what came out then.

use super::input::{self, Kept};
use super::{Said, VERSION};
use crate::{Config, Engine, Host, Instant, Limits, Output, RouteAnswer, RouteQuery};
use core::fmt;
use core::time::Duration;
use serde_json::Value;
use std::collections::BTreeMap;

/// Octets that an engine is given for a message at first, and at most.
const ROOM: (usize, usize) = (2048, 1 << 17);

/// How much of a journal was done again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Lives of nodes.
    pub lives: u64,
    /// Inputs.
    pub inputs: u64,
    /// Outputs that were the same.
    pub outputs: u64,
    /// The line at which it ends early, which is not there whole or not at all: all before it was done again.
    pub cut: Option<usize>,
}

/// Why a journal was not done again to its end; each begins with the number of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// It is no journal, is one of another version, or has a line that makes no sense.
    Unsound(String),
    /// Something else comes out than then: both.
    Differs(String),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unsound(what) | Self::Differs(what)) = self;
        f.write_str(what)
    }
}

impl core::error::Error for ReplayError {}

/// Replays a journal.
///
/// # Errors
///
/// The first line that makes no sense, or at which something else comes out, with both.
pub fn replay(journal: &str) -> Result<Replayed, ReplayError> {
    let count = journal.lines().count();
    let mut lines = journal.lines().enumerate();
    let header = lines.next().and_then(|(_, line)| serde_json::from_str::<Value>(line).ok());
    let promised = read_header(header).map_err(ReplayError::Unsound)?;
    let mut done = Replayed::default();
    let mut engines: BTreeMap<u64, Engine> = BTreeMap::new();
    for (n, line) in lines {
        let wrong = |what: &str| ReplayError::Unsound(format!("{}: {what}", n + 1));
        let differs = |what: &str| ReplayError::Differs(format!("{}: {what}", n + 1));
        let line: Value = match serde_json::from_str(line) {
            Ok(line) => line,
            // Whoever wrote it was killed, or had no room left: a whole line has its end.
            Err(_) if n + 1 == count && !journal.ends_with('\n') => {
                done.cut = Some(n + 1);
                break;
            }
            Err(fault) => return Err(wrong(&fault.to_string())),
        };
        let node = line["node"].as_u64().ok_or_else(|| wrong("no node"))?;
        if let Some(config) = line.get("config") {
            let config = read_config(config).ok_or_else(|| wrong("the configuration makes no sense"))?;
            engines.insert(node, Engine::new(config));
            done.lives += 1;
            continue;
        }
        let engine = engines.get_mut(&node).ok_or_else(|| wrong("a node that has not come to life"))?;
        let kept = input::read(&line["input"]).ok_or_else(|| wrong("the input makes no sense"))?;
        let at = Instant(line["at"].as_u64().ok_or_else(|| wrong("no time"))?);
        let mut host =
            Journalled { answers: line["answers"].as_array().cloned().unwrap_or_default(), fault: None };
        host.answers.reverse();
        let said = take(engine, at, &kept, &mut host);
        if let Some(fault) = host.fault {
            return Err(differs(&fault));
        }
        let outputs = line["outputs"].as_array().cloned().unwrap_or_default();
        let then = Said { outcome: line["outcome"].clone(), outputs };
        if said != then {
            return Err(differs(&format!("node {node} at {at}:\n  then {then}\n  now  {said}")));
        }
        done.inputs += 1;
        done.outputs += said.outputs.len() as u64;
    }
    if promised.is_some_and(|promised| (count as u64) <= promised) {
        done.cut.get_or_insert(count + 1);
    }
    Ok(done)
}

/// How many lines follow the first one, where it says so.
fn read_header(header: Option<Value>) -> Result<Option<u64>, String> {
    let header = header.filter(|header| header.get("journal").is_some());
    let header = header.ok_or_else(|| "1: this is no journal".to_owned())?;
    let version = &header["version"];
    if *version != VERSION {
        return Err(format!(
            "1: a journal of version {version}; this program does those of version {VERSION} again, the one that wrote \
             it its own"
        ));
    }
    Ok(header["lines"].as_u64())
}

fn take(engine: &mut Engine, at: Instant, kept: &Kept, host: &mut Journalled) -> Said {
    let mut said = Said::new(kept.with(|input| engine.handle(at, input, host)));
    let mut buffer = vec![0; ROOM.0];
    loop {
        let room = buffer.len();
        let output = engine.poll(at, &mut buffer);
        said.output(&output);
        match output {
            Output::NeedSpace(octets) if octets > room && octets <= ROOM.1 => buffer.resize(octets, 0),
            Output::NeedSpace(_) | Output::Idle { .. } => return said,
            _ => {}
        }
    }
}

fn read_config(value: &Value) -> Option<Config> {
    let limit = |n: usize| value["limits"].get(n)?.as_u64().and_then(|n| u32::try_from(n).ok());
    Some(Config {
        seed: value["seed"].as_u64()?,
        blockade_multiplier: u32::try_from(value["blockade_multiplier"].as_u64()?).ok()?,
        hash_seed: value["hash_seed"].as_u64()?,
        ttl: u8::try_from(value["ttl"].as_u64()?).ok()?,
        strict_tspec: value["strict_tspec"].as_bool()?,
        // Journals of before have neither.
        timer_latency: Duration::from_micros(value["timer_latency_us"].as_u64().unwrap_or(0)),
        repeats_new: value["repeats_new"].as_bool().unwrap_or(false),
        lays_out: false,
        few: Config::default().few,
        limits: Limits {
            sessions: limit(0)?,
            senders_per_session: limit(1)?,
            requests_per_session: limit(2)?,
            filters_per_request: limit(3)?,
            queue: limit(4)?,
            // Journals of before have none.
            refresh_ms: limit(5).unwrap_or(u32::MAX),
            state_octets: value["limits"].get(6).map_or(Some(u64::MAX), Value::as_u64)?,
            neighbours_per_interface: limit(7).unwrap_or(2),
        },
    })
}

/// Answers what was answered then, to the same questions in the same order.
struct Journalled {
    /// The next one last.
    answers: Vec<Value>,
    fault: Option<String>,
}

impl Host for Journalled {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        let kept = self.answers.pop();
        let answer = kept.as_ref().and_then(input::read_answer);
        match (kept, answer) {
            (Some(kept), Some(answer)) if input::is_same_question(&query, &kept) => answer,
            (kept, _) => {
                let then = kept.map_or_else(|| "nothing".to_owned(), |kept| kept.to_string());
                self.fault.get_or_insert_with(|| format!("routing was asked {query:?}, then it was {then}"));
                RouteAnswer::NoRoute
            }
        }
    }
}
