//! `rsvp-sim search --merge`: the lines that the shards of a search have written, as one outcome. A seed that no line tells of was
//! not tried: its shard is missing, was killed, or its time was up.

use crate::{BAD_FILE, complain, say};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Seeds that a message has room for.
const MOST_SHOWN: usize = 10;

/// What is known of a seed.
struct Tried {
    promise: Option<String>,
    seen: String,
}

/// A shard whose time was up before its seeds were tried.
struct Stopped {
    file: String,
    shard: String,
    minutes: f64,
    next: u64,
}

/// What all files say.
#[derive(Default)]
struct Joined {
    tried: BTreeMap<u64, Tried>,
    stopped: Vec<Stopped>,
    /// How many shards there are: one number, unless files of several searches came together.
    shards: BTreeSet<u64>,
}

pub(crate) fn run(files: &[PathBuf], (first, last): (u64, u64), large: bool, json: bool) -> ExitCode {
    let mut joined = Joined::default();
    for file in files {
        if let Err(fault) = read(file, large, &mut joined) {
            complain(&format!("{}: {fault}", file.display()));
            return ExitCode::from(BAD_FILE);
        }
    }
    let tried = &joined.tried;
    let missing: Vec<u64> = (first..last).filter(|seed| !tried.contains_key(seed)).collect();
    let failed =
        || tried.iter().filter_map(|(seed, each)| each.promise.as_ref().map(|promise| (seed, promise, each)));
    let count = failed().count();
    if json {
        let failures: Vec<Value> = failed()
            .map(|(seed, promise, each)| serde_json::json!({ "seed": seed, "promise": promise, "seen": each.seen }))
            .collect();
        let stopped: Vec<Value> = joined
            .stopped
            .iter()
            .map(|each| serde_json::json!({ "file": each.file, "shard": each.shard, "next": each.next }))
            .collect();
        let line = serde_json::json!({
            "seeds": [first, last],
            "worlds": tried.len(),
            "missing": missing,
            "stopped": stopped,
            "failures": failures,
        });
        say(&format!("{line}\n"));
    } else {
        for (seed, promise, each) in failed().take(MOST_SHOWN) {
            say(&format!("seed {seed} fails: not so: {promise}\n{}\n", each.seen.trim_end()));
        }
        say(&format!("{} worlds of {} files, {count} fail\n", tried.len(), files.len()));
    }
    if !missing.is_empty() {
        complain_of(&missing, &joined, (first, last), large);
    }
    if count == 0 && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says which seeds are missing, why as far as the files say it, and what to do.
fn complain_of(missing: &[u64], joined: &Joined, (first, last): (u64, u64), large: bool) {
    let shown: Vec<String> = missing.iter().take(MOST_SHOWN).map(u64::to_string).collect();
    let more = if missing.len() > MOST_SHOWN { ", …" } else { "" };
    complain(&format!(
        "{} of the seeds {first}..{last} are in no file: {}{more}",
        missing.len(),
        shown.join(", ")
    ));
    for Stopped { file, shard, minutes, next } in &joined.stopped {
        complain(&format!(
            "{file}: the time of shard {shard} (--minutes {minutes}) was up before seed {next}: give it more, or leave it out"
        ));
    }
    let mut said = "a shard is missing, was killed or its time was up: run it again".to_owned();
    let several = joined.shards.len() > 1;
    if let Some(shards) = joined.shards.first().filter(|_| !several) {
        let again: BTreeSet<u64> = missing.iter().map(|seed| (seed - first) % shards + 1).collect();
        let flag = if large { " --large" } else { "" };
        let seeds = format!("{first}..{last}");
        said.push_str(", in place of its file:");
        for shard in again.iter().take(MOST_SHOWN) {
            said.push_str(&format!(
                "\n  rsvp-sim search{flag} --seeds {seeds} --shard {shard}/{shards} --all --json > FILE"
            ));
        }
        if again.len() > MOST_SHOWN {
            said.push_str("\n  …");
        }
        if *shards > 1 && !large {
            let array: Vec<String> = again.iter().map(u64::to_string).collect();
            said.push_str(&format!(
                "\nor, where Slurm has done it:\n  sbatch --array={} --export=ALL,SHARDS={shards},SEEDS={seeds},OUT=FOLDER \
                 rsvp-sim/cluster/search.sbatch",
                array.join(",")
            ));
        }
    }
    complain(&said);
}

fn read(file: &Path, large: bool, joined: &mut Joined) -> Result<(), String> {
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
        let shards = value["shard"].as_str().and_then(|shard| shard.split_once('/')?.1.parse::<u64>().ok());
        if let Some(shards) = shards.filter(|shards| *shards > 0) {
            joined.shards.insert(shards);
        }
        let Some(seed) = value["seed"].as_u64() else {
            joined.stopped.extend(stopped(file, &value));
            continue;
        };
        if value["large"].as_bool().unwrap_or_default() != large {
            let (these, this) = if large { ("of usual worlds", "with") } else { ("of --large", "without") };
            return Err(format!(
                "line {}: a seed {these}, and this is a search {this} --large: their seeds are not the same worlds; \
                 merge them apart",
                n + 1
            ));
        }
        let promise = match value["held"].as_bool() {
            Some(true) => None,
            Some(false) => Some(value["promise"].as_str().unwrap_or_default().to_owned()),
            None => return Err(format!("line {}: expected `held`, true or false", n + 1)),
        };
        let seen = value["seen"].as_str().unwrap_or_default().to_owned();
        if joined.tried.insert(seed, Tried { promise, seen }).is_some() {
            return Err(format!("line {}: seed {seed} is in two lines: is a file there twice?", n + 1));
        }
    }
    Ok(())
}

/// The line at the end of a shard whose time was up. Others without a seed, as that with a digest, say nothing here.
fn stopped(file: &Path, value: &Value) -> Option<Stopped> {
    Some(Stopped {
        file: file.display().to_string(),
        shard: value["shard"].as_str()?.to_owned(),
        minutes: value["minutes"].as_f64()?,
        next: value["next"].as_u64()?,
    })
}
