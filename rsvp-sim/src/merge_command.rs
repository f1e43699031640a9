//! `rsvp-sim search --merge`: the lines that the shards of a search have written, as one outcome. A seed that no line tells of was
//! not tried: its shard is missing, or was killed.

use crate::{BAD_FILE, complain, say};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Seeds that a message has room for.
const MOST_SHOWN: usize = 10;

/// What is known of a seed.
struct Tried {
    large: bool,
    promise: Option<String>,
    seen: String,
}

pub(crate) fn run(files: &[PathBuf], (first, last): (u64, u64), json: bool) -> ExitCode {
    let mut tried: BTreeMap<u64, Tried> = BTreeMap::new();
    for file in files {
        if let Err(fault) = read(file, &mut tried) {
            complain(&format!("{}: {fault}", file.display()));
            return ExitCode::from(BAD_FILE);
        }
    }
    let missing: Vec<u64> = (first..last).filter(|seed| !tried.contains_key(seed)).collect();
    let failed =
        || tried.iter().filter_map(|(seed, each)| each.promise.as_ref().map(|promise| (seed, promise, each)));
    let count = failed().count();
    if json {
        let failures: Vec<Value> = failed()
            .map(|(seed, promise, each)| serde_json::json!({ "seed": seed, "promise": promise, "seen": each.seen }))
            .collect();
        say(&format!(
            "{}\n",
            serde_json::json!({ "seeds": [first, last], "worlds": tried.len(), "missing": missing, "failures": failures })
        ));
    } else {
        for (seed, promise, each) in failed().take(MOST_SHOWN) {
            say(&format!("seed {seed} fails: not so: {promise}\n{}\n", each.seen.trim_end()));
        }
        say(&format!("{} worlds of {} files, {count} fail\n", tried.len(), files.len()));
    }
    if !missing.is_empty() {
        let shown: Vec<String> = missing.iter().take(MOST_SHOWN).map(u64::to_string).collect();
        let more = if missing.len() > MOST_SHOWN { ", …" } else { "" };
        complain(&format!(
            "{} of the seeds {first}..{last} are in no file: {}{more}; a shard is missing or was killed: run it again",
            missing.len(),
            shown.join(", ")
        ));
    }
    if count == 0 && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(file: &std::path::Path, tried: &mut BTreeMap<u64, Tried>) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|fault| format!("cannot read it: {fault}"))?;
    let lines = text.lines().count();
    for (n, line) in text.lines().enumerate() {
        let whole = text.ends_with('\n') || n + 1 < lines;
        let value: Value = match serde_json::from_str(line) {
            Ok(value) => value,
            // The last line of a shard that was killed may be the beginning of one; its seed is then missing.
            Err(_) if !whole => break,
            Err(_) => {
                return Err(format!("line {}: expected what `rsvp-sim search --json` writes", n + 1));
            }
        };
        // The line with the digest of all has none.
        let Some(seed) = value["seed"].as_u64() else { continue };
        let promise = match value["held"].as_bool() {
            Some(true) => None,
            Some(false) => Some(value["promise"].as_str().unwrap_or_default().to_owned()),
            None => return Err(format!("line {}: expected `held`, true or false", n + 1)),
        };
        let large = value["large"].as_bool().unwrap_or_default();
        if tried.values().next().is_some_and(|other| other.large != large) {
            let (these, those) = if large { ("of", "without") } else { ("without", "of") };
            return Err(format!(
                "line {}: {these} --large, the seeds before are {those} it: merge them apart",
                n + 1
            ));
        }
        let seen = value["seen"].as_str().unwrap_or_default().to_owned();
        if tried.insert(seed, Tried { large, promise, seen }).is_some() {
            return Err(format!("line {}: seed {seed} is in two lines: is a file there twice?", n + 1));
        }
    }
    Ok(())
}
