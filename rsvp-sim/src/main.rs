//! The command `rsvp-sim`: arguments in, report out. Everything else is the library's.

mod replay_command;
mod search_command;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rsvp_sim::scenario::model::Family;
use rsvp_sim::{Look, Report, Scenario, World, capture};
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs RSVP networks in virtual time, from scenario files.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  rsvp-sim run rsvp-sim/scenarios/three-routers.toml\n\n\
    Exit status: 0 if all expectations held, 1 if not, 2 for a bad file or bad arguments."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a scenario and show topology, messages, reservations, events and which expectations held.
    #[command(after_help = "Example:\n  rsvp-sim run --seed 7 --family ipv6 --pcap run.pcap \
        rsvp-sim/scenarios/three-routers.toml")]
    Run(Run),
    /// Draw worlds in which everything goes wrong, and check them against the reference.
    Search(search_command::Search),
    /// Do again what a journal says, and compare what comes out.
    Replay {
        /// The journal.
        journal: PathBuf,
    },
    /// Say whether scenario files are sound, without running them.
    Check {
        /// Scenario files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Args)]
struct Run {
    /// Write configuration, every input and every output of every engine to a journal.
    #[arg(long, value_name = "OUT")]
    journal: Option<PathBuf>,
    /// The scenario file.
    file: PathBuf,
    /// One JSON document instead of text.
    #[arg(long, conflicts_with_all = ["trace", "quiet"])]
    json: bool,
    /// One line per message, then the expectations.
    #[arg(long)]
    trace: bool,
    /// Write all messages to a capture file.
    #[arg(long, value_name = "OUT")]
    pcap: Option<PathBuf>,
    /// Another seed than the file's.
    #[arg(long)]
    seed: Option<u64>,
    /// Another address family than the file's.
    #[arg(long)]
    family: Option<FamilyName>,
    /// Only what did not hold.
    #[arg(long, short, conflicts_with = "trace")]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum FamilyName {
    Ipv4,
    Ipv6,
}

const BAD_FILE: u8 = 2;

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(run) => run_file(&run),
        Command::Check { files } => check(&files),
        Command::Search(search) => search_command::run(&search),
        Command::Replay { journal } => replay_command::run(&journal),
    }
}

fn read(file: &Path) -> Option<Scenario> {
    let name = file.display().to_string();
    let read = std::fs::read(file).map_err(|fault| format!("{name}: cannot read it: {fault}"));
    let parsed = read.and_then(|octets| Scenario::parse(&name, &octets).map_err(|fault| fault.to_string()));
    parsed.map_err(|fault| complain(&fault)).ok()
}

/// To standard error; a closed one is no reason to fail differently.
fn complain(what: &str) {
    let _ = writeln!(std::io::stderr(), "rsvp-sim: {what}");
}

/// To standard output; a reader that has seen enough (`| head`) is no fault.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn check(files: &[PathBuf]) -> ExitCode {
    let mut sound = true;
    for file in files {
        match read(file) {
            None => sound = false,
            Some(scenario) => say(&format!(
                "{}: ok: {} nodes, {} links, {} senders, {} receivers, {} expectations\n",
                file.display(),
                scenario.nodes.len(),
                scenario.links.len(),
                scenario.senders.len(),
                scenario.receivers.len(),
                scenario.expectations.len()
            )),
        }
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::from(BAD_FILE) }
}

fn run_file(run: &Run) -> ExitCode {
    let Some(mut scenario) = read(&run.file) else { return ExitCode::from(BAD_FILE) };
    scenario.seed = run.seed.unwrap_or(scenario.seed);
    scenario.family = match run.family {
        None => scenario.family,
        Some(FamilyName::Ipv4) => Family::Ipv4,
        Some(FamilyName::Ipv6) => Family::Ipv6,
    };
    let world = World::new(scenario);
    let (scenario, record) = match &run.journal {
        None => world.run(),
        Some(path) => {
            let (scenario, record, journal) = world.run_recorded();
            if let Err(fault) = std::fs::write(path, journal.text()) {
                complain(&format!("{}: cannot write the journal: {fault}", path.display()));
                return ExitCode::from(BAD_FILE);
            }
            (scenario, record)
        }
    };
    if let Some(path) = &run.pcap {
        let file = std::fs::File::create(path).map_err(|fault| fault.to_string());
        let written = file.and_then(|file| {
            capture::write(&record, BufWriter::new(file)).map_err(|fault| fault.to_string())
        });
        if let Err(fault) = written {
            complain(&format!("{}: cannot write the capture: {fault}", path.display()));
            return ExitCode::from(BAD_FILE);
        }
    }
    let report = Report::new(&scenario, &record);
    show(run, &report);
    if report.held() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(run: &Run, report: &Report) {
    let colours =
        std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let look = Look { colours };
    if run.json {
        match serde_json::to_string_pretty(report) {
            Ok(json) => say(&(json + "\n")),
            Err(fault) => complain(&fault.to_string()),
        }
    } else if run.trace {
        say(&report.trace());
        say(&report.brief(look));
    } else if run.quiet {
        if !report.held() {
            say(&report.brief(look));
        }
    } else {
        say(&report.text(look));
    }
}
