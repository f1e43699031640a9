//! The command `rsvp-sim search`: spreads seeds over the cores, shows how far it is, and stops at the first world that
//! breaks a promise, with everything that is needed to look into it.

use crate::{BAD_FILE, complain, merge_command, read, say};
use clap::Args;
use rsvp_sim::Scenario;
use rsvp_sim::search::{self, Failure, Outcome, Summary};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// What to search.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  rsvp-sim search --seeds 0..10000\n  rsvp-sim search --large --seeds 0..20\n  \
    rsvp-sim search --seeds 0..1000000 --minutes 10\n  \
    rsvp-sim search --seeds 0..1000000 --shard 3/8 --all --json > part-3.jsonl\n  \
    rsvp-sim search --seeds 0..1000000 --merge part-*.jsonl\n\n\
    A world is a network with its applications and all that happens to them; everything in it is drawn from its seed. The first that \
    fails is made smaller and written as a scenario file.\n\n\
    Exit status: 0 if no world failed, 1 if one did or if a thousand and more never had what a search has to meet, 2 for bad \
    arguments."
)]
pub(crate) struct Search {
    /// Seeds of the worlds: from A up to B, but without B.
    #[arg(long, value_name = "A..B", default_value = "0..1000", value_parser = seeds)]
    seeds: (u64, u64),
    /// Stop drawing new worlds after so many minutes, and say before which seed that was. To --merge, the seeds from there on are
    /// missing.
    #[arg(long, value_name = "N", value_parser = minutes)]
    minutes: Option<f64>,
    /// Only every n-th seed, beginning with the i-th.
    #[arg(long, value_name = "I/N", default_value = "1/1", value_parser = shard)]
    shard: (u64, u64),
    /// Draw worlds of 300 nodes. Their seeds are others than those of usual worlds.
    #[arg(long, conflicts_with = "scenario")]
    large: bool,
    /// One line of JSON per seed.
    #[arg(long)]
    json: bool,
    /// Go on after a world that fails: tell of every one that does, and make none of them smaller.
    #[arg(long)]
    all: bool,
    /// End with a digest (SHA-256) of everything that all nodes said, in the words of a journal: two versions of the engine with the
    /// same digest did the same.
    #[arg(long, conflicts_with = "minutes")]
    digest: bool,
    /// Check the world of a scenario file in place of drawn ones.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "minutes", "shard", "digest"])]
    scenario: Option<PathBuf>,
    /// Join what shards have written with --json --all: fails if a world failed, or if one of the seeds is in no file.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["minutes", "shard", "digest", "scenario", "all"])]
    merge: Vec<PathBuf>,
    /// Where to write the scenario of a world that fails.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let range = text.split_once("..").and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    range
        .filter(|(a, b)| a < b)
        .ok_or_else(|| "expected two numbers, the lesser first, such as 0..1000".to_owned())
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let shard = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    let sound = |(i, n): &(u64, u64)| *i >= 1 && i <= n;
    shard.filter(sound).ok_or_else(|| "expected such as 3/8: the third of eight".to_owned())
}

fn minutes(text: &str) -> Result<f64, String> {
    let sound = text.parse().ok().filter(|minutes: &f64| *minutes > 0.0 && minutes.is_finite());
    sound.ok_or_else(|| "expected more than 0, such as 10 or 0.5".to_owned())
}

pub(crate) fn run(search: &Search) -> ExitCode {
    if !search.merge.is_empty() {
        return merge_command::run(&search.merge, search.seeds, search.large, search.json);
    }
    if let Some(file) = &search.scenario {
        return run_one(file, search.json);
    }
    let Progress { summary, mut failures, digests, stopped, .. } = run_all(search);
    if let Some(next) = stopped {
        say_stopped(search, next);
    }
    if search.digest && (failures.is_empty() || search.all) {
        say_digest(search, &digests);
    }
    if search.all {
        failures.sort_by_key(|(seed, _)| *seed);
        for (seed, failure) in failures.iter().filter(|_| !search.json) {
            say(&format!("seed {seed} fails: {}\n", tell(failure)));
        }
        if !search.json {
            say(&summary.text());
        }
        return if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let Some((seed, failure)) = failures.into_iter().min_by_key(|(seed, _)| *seed) else {
        if !search.json {
            say(&summary.text());
        }
        // Few worlds need not have met everything; many must have.
        return if summary.worlds < 1000 || summary.missing().is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    };
    complain(&format!("seed {seed}: {}; making the world smaller", tell(&failure)));
    let (smaller, failure) = search::shrink(&drawn(search, seed), &failure);
    let file = search.out.join(format!("{}world-{seed}.toml", if search.large { "large-" } else { "" }));
    let written = std::fs::write(&file, smaller.to_toml());
    say(&format!("seed {seed} fails: {}\n", tell(&failure)));
    match written {
        Ok(()) => say(&format!(
            "smaller world:  {0}\nreplay:         rsvp-sim search --scenario {0}\nlook:           rsvp-sim run --trace {0}\n",
            file.display()
        )),
        Err(fault) => complain(&format!("{}: cannot write it: {fault}", file.display())),
    }
    say(&format!(
        "replay whole:   rsvp-sim search{} --seeds {seed}..{}\n",
        if search.large { " --large" } else { "" },
        seed + 1
    ));
    ExitCode::FAILURE
}

/// The world of a seed.
fn drawn(search: &Search, seed: u64) -> Scenario {
    if search.large { search::large_scenario(seed) } else { search::world_of(seed) }
}

/// The time was up: before which seed.
fn say_stopped(search: &Search, next: u64) {
    let (shard, shards) = search.shard;
    if search.json {
        let shard = format!("{shard}/{shards}");
        say(&format!(
            "{}\n",
            serde_json::json!({ "stopped": "time is up", "minutes": search.minutes, "shard": shard, "next": next })
        ));
    } else {
        say(&format!("the time was up before seed {next}\n"));
    }
}

/// One digest of all worlds', in the order of their seeds.
fn say_digest(search: &Search, digests: &BTreeMap<u64, [u8; 32]>) {
    let mut all = Sha256::new();
    digests.values().for_each(|digest| all.update(digest));
    let digest = hex(&all.finalize());
    let (first, last) = search.seeds;
    if search.json {
        say(&format!(
            "{}\n",
            serde_json::json!({ "seeds": [first, last], "worlds": digests.len(), "digest": digest })
        ));
    } else {
        say(&format!("digest of {} worlds, seeds {first}..{last}: {digest}\n", digests.len()));
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn tell(failure: &Failure) -> String {
    format!("at {}: not so: {}\n{}", failure.at, failure.promise, failure.seen.trim_end())
}

fn run_one(file: &Path, json: bool) -> ExitCode {
    let Some(scenario) = read(file) else { return ExitCode::from(BAD_FILE) };
    if !scenario.routes.is_empty() {
        complain(&format!("{}: the reference knows no explicit routes", file.display()));
        return ExitCode::from(BAD_FILE);
    }
    let outcome = search::try_world(&scenario);
    if json {
        let mut line = line_of(&outcome);
        line["scenario"] = file.display().to_string().into();
        say(&format!("{line}\n"));
        return if outcome.failure.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let Some(failure) = &outcome.failure else {
        let features: Vec<&str> = outcome.features.iter().copied().collect();
        say(&format!("all promises held: {}\n", features.join(", ")));
        return ExitCode::SUCCESS;
    };
    say(&format!("{} fails: {}\n", file.display(), tell(failure)));
    ExitCode::FAILURE
}

/// What came of a world, as one line of JSON, but for which it is.
fn line_of(outcome: &Outcome) -> Value {
    let features: Vec<&str> = outcome.features.iter().copied().collect();
    let failure = outcome.failure.as_ref();
    serde_json::json!({
        "held": failure.is_none(),
        "nodes": outcome.nodes,
        "reservations": outcome.reservations,
        "messages": outcome.messages,
        "features": features,
        "promise": failure.map(|f| f.promise),
        "seen": failure.map(|f| f.seen.as_str()),
    })
}

/// Runs seeds on all cores until all are done, time is up or one fails.
fn run_all(search: &Search) -> Progress {
    let (first, last) = search.seeds;
    let (shard, shards) = search.shard;
    let next = AtomicU64::new(first + shard - 1);
    let stop = AtomicBool::new(false);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (sender, receiver) = mpsc::channel::<(u64, Outcome)>();
    let clock = Clock::start(search.minutes);
    let try_world = if search.digest { search::digest_world } else { search::try_world };
    let mut progress = Progress {
        total: (last - first).div_ceil(shards),
        json: search.json,
        large: search.large,
        shard: search.shard,
        ..Progress::default()
    };
    thread::scope(|scope| {
        for _ in 0..cores {
            let (sender, next, stop, clock) = (sender.clone(), &next, &stop, &clock);
            scope.spawn(move || {
                // However short the time is, a world is tried.
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(shards, Ordering::Relaxed);
                    if seed >= last || sender.send((seed, try_world(&drawn(search, seed)))).is_err() {
                        return;
                    }
                    if clock.is_over() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (seed, outcome) in receiver {
            if outcome.failure.is_some() && !search.all {
                stop.store(true, Ordering::Relaxed);
            }
            progress.take(seed, outcome, &clock);
        }
    });
    progress.end();
    // Seeds are taken in their order, and what was taken is done: without a failure only the time can have been up.
    let next = next.into_inner();
    progress.stopped = (next < last && !stop.into_inner()).then_some(next);
    progress
}

/// How far the search is.
#[derive(Default)]
struct Progress {
    total: u64,
    json: bool,
    large: bool,
    shard: (u64, u64),
    summary: Summary,
    failures: Vec<(u64, Failure)>,
    digests: BTreeMap<u64, [u8; 32]>,
    /// The first seed that was not tried because the time was up.
    stopped: Option<u64>,
    messages: u64,
    lasted: Duration,
    shown: Duration,
}

impl Progress {
    fn take(&mut self, seed: u64, outcome: Outcome, clock: &Clock) {
        self.summary.add(&outcome);
        self.messages += outcome.messages;
        self.lasted += outcome.lasted;
        self.digests.extend(outcome.digest.map(|digest| (seed, digest)));
        if self.json {
            let mut line = line_of(&outcome);
            line["seed"] = seed.into();
            line["large"] = self.large.into();
            line["shard"] = format!("{}/{}", self.shard.0, self.shard.1).into();
            if let Some(digest) = &outcome.digest {
                line["digest"] = hex(digest).into();
            }
            say(&format!("{line}\n"));
        }
        self.failures.extend(outcome.failure.map(|failure| (seed, failure)));
        let elapsed = clock.elapsed();
        let often = if std::io::stderr().is_terminal() { 1 } else { 10 };
        if elapsed >= self.shown + Duration::from_secs(often) {
            self.shown = elapsed;
            let (nodes, reservations) = self.summary.mean_size();
            let end = if std::io::stderr().is_terminal() { "\r" } else { "\n" };
            let _ = write!(
                std::io::stderr(),
                "{} of {} worlds in {:.0} s, {:.1} nodes and {:.1} reservations in the mean; \
                 {:.0} messages a second, {:.1} h of virtual time{end}",
                self.summary.worlds,
                self.total,
                elapsed.as_secs_f64(),
                nodes,
                reservations,
                self.messages as f64 / elapsed.as_secs_f64().max(1e-9),
                self.lasted.as_secs_f64() / 3600.0
            );
        }
    }

    fn end(&self) {
        if std::io::stderr().is_terminal() {
            let _ = writeln!(std::io::stderr());
        }
    }
}

/// Real time, of which only the person at the command knows.
struct Clock {
    start: Instant,
    most: Option<Duration>,
}

impl Clock {
    #[allow(
        clippy::disallowed_methods,
        reason = "--minutes is about the time of whoever waits, not of a world"
    )]
    fn now() -> Instant {
        Instant::now()
    }

    fn start(minutes: Option<f64>) -> Self {
        let most = minutes.map(|minutes| Duration::from_secs_f64((minutes * 60.0).clamp(0.0, 1e9)));
        Self { start: Self::now(), most }
    }

    fn elapsed(&self) -> Duration {
        Self::now() - self.start
    }

    fn is_over(&self) -> bool {
        self.most.is_some_and(|most| self.elapsed() >= most)
    }
}
