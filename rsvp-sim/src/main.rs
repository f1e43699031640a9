//! The command `rsvp-sim`: arguments in, report out. Everything else is the library's.

mod bench;
#[cfg(feature = "lab")]
mod lab_command;
mod merge_command;
mod outputs;
mod progress;
mod replay_command;
mod search_command;
mod shell_command;
mod terminal;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use rsvp_sim::scenario::model::Family;
use rsvp_sim::world::Record;
use rsvp_sim::{Report, Scenario, World, capture};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs RSVP networks in virtual time, from scenario files.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  rsvp-sim run rsvp-sim/scenarios/three-routers.toml\n\n\
    A scenario is a TOML file: nodes, links, sessions, senders, receivers, what happens to them and what is expected. \
    SCENARIOS.md, beside the source, has every key.\n\n\
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
        rsvp-sim/scenarios/three-routers.toml\n  rsvp-sim run --html run.html rsvp-sim/scenarios/killer-reservation.toml\n\n\
        Exit status: 0 if all expectations held, 1 if not, 2 for a bad file or bad arguments.")]
    Run(Run),
    /// Run a scenario with real daemons in network namespaces; needs root.
    #[cfg(feature = "lab")]
    #[command(after_help = lab_command::AFTER_HELP)]
    Lab(lab_command::Lab),
    /// Not in this program: what to build is said.
    #[cfg(not(feature = "lab"))]
    #[command(hide = true, disable_help_flag = true)]
    Lab {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        _rest: Vec<std::ffi::OsString>,
    },
    /// Test the engine itself: draw networks in which everything goes wrong, and check them against a reference model.
    Search(search_command::Search),
    /// Measure time and memory of a router with very many reservations.
    Bench(bench::Bench),
    /// Repeat a run from its journal (`run --journal`), and check that every node says the same again.
    #[command(
        after_help = "Example:\n  rsvp-sim run --journal run.jsonl rsvp-sim/scenarios/three-routers.toml\n  \
        rsvp-sim replay run.jsonl\n\nExit status: 0 if the same came out, 1 if not or if the journal ends early, 2 if it is no \
        journal."
    )]
    Replay {
        /// What `rsvp-sim run --journal` has written.
        journal: PathBuf,
    },
    /// Write completions for a shell to standard output.
    #[command(after_help = "Example:\n  rsvp-sim completions bash > /etc/bash_completion.d/rsvp-sim")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages of `rsvp-sim` and its commands into man1 of a directory.
    #[command(after_help = "Example:\n  rsvp-sim man /usr/local/share/man")]
    Man {
        /// Where man1 is, or is to be made.
        directory: PathBuf,
    },
    /// Say whether scenario files are sound, without running them.
    #[command(after_help = "Example:\n  rsvp-sim check rsvp-sim/scenarios/*.toml\n\n\
        Exit status: 0 if all are sound, 2 if one is not: what is wrong, where, and what would be right is said.")]
    Check {
        /// Scenario files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Args)]
struct Run {
    /// The scenario file.
    file: PathBuf,
    /// Write a journal of all that came into every node and out of it, for `rsvp-sim replay`.
    #[arg(long, value_name = "OUT")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    what: What,
}

/// What to run, and how to show what came of it.
#[derive(Args)]
struct What {
    /// Print the report as one JSON document instead of text.
    #[arg(long, conflicts_with_all = ["trace", "quiet"])]
    json: bool,
    /// Print one line per message in place of the report, then which expectations did not hold.
    #[arg(long)]
    trace: bool,
    /// Write all messages to a capture file, for Wireshark or `rsvp decode`.
    #[arg(long, value_name = "OUT")]
    pcap: Option<PathBuf>,
    /// Write a page that shows the run, and plays it, in a browser.
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
    /// Draw topology and messages as an SVG file.
    #[arg(long, value_name = "OUT")]
    svg: Option<PathBuf>,
    /// Write what is reserved, and delay and loss of each message, over time, as a table with commas.
    #[arg(long, value_name = "OUT")]
    csv: Option<PathBuf>,
    /// Write the outcome of the expectations as JUnit's XML.
    #[arg(long, value_name = "OUT")]
    junit: Option<PathBuf>,
    /// Another seed than the file's: losses, delays of refreshes and everything else that is random come from it.
    #[arg(long)]
    seed: Option<u64>,
    /// Another address family than the file's.
    #[arg(long)]
    family: Option<FamilyName>,
    /// Print only which expectations did not hold, and nothing if all did.
    #[arg(long, short, conflicts_with = "trace")]
    quiet: bool,
    /// Fold lines at so many columns; 0 for never [default: those of the terminal, and never in files and pipes]
    #[arg(long, value_name = "COLUMNS", conflicts_with = "json")]
    width: Option<u16>,
}

#[derive(Clone, Copy, ValueEnum)]
enum FamilyName {
    Ipv4,
    Ipv6,
}

const BAD_FILE: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // What was asked for, help or the version, can fail to be written as everything else.
        Err(asked) if !asked.use_stderr() => {
            written(asked.print().and_then(|()| std::io::stdout().flush()));
            return ExitCode::SUCCESS;
        }
        Err(fault) => fault.exit(),
    };
    match arguments.command {
        Command::Run(run) => run_file(&run),
        #[cfg(feature = "lab")]
        Command::Lab(lab) => lab_command::run(&lab),
        #[cfg(not(feature = "lab"))]
        Command::Lab { .. } => {
            complain(
                "this program was built without labs: build it and the daemon with `cargo build -p rsvpd -p rsvp-sim \
                 --features rsvp-sim/lab`",
            );
            ExitCode::from(BAD_FILE)
        }
        Command::Completions { shell } => shell_command::completions(shell, Arguments::command()),
        Command::Man { directory } => shell_command::pages(Arguments::command(), &directory),
        Command::Check { files } => check(&files),
        Command::Search(search) => search_command::run(&search),
        Command::Bench(bench) => bench::run(&bench),
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
    let _ = writeln!(std::io::stderr(), "rsvp-sim: {}", terminal::characters().fit(what));
}

/// To standard output; a reader that has seen enough (`| head`) is no fault, a full disk is the end.
fn say(text: &str) {
    let mut out = std::io::stdout();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// What came of writing to standard output.
fn written(outcome: std::io::Result<()>) {
    let Err(fault) = outcome else { return };
    if fault.kind() != std::io::ErrorKind::BrokenPipe {
        complain(&format!("cannot write to standard output: {fault}"));
        std::process::exit(BAD_FILE.into());
    }
}

fn check(files: &[PathBuf]) -> ExitCode {
    let mut sound = true;
    for file in files {
        match read(file) {
            None => sound = false,
            Some(scenario) => {
                say(&format!(
                    "{}: ok: {} nodes, {} links, {} senders, {} receivers, {} expectations\n",
                    file.display(),
                    scenario.nodes.len(),
                    scenario.links.len(),
                    scenario.senders.len(),
                    scenario.receivers.len(),
                    scenario.expectations.len()
                ));
                for note in scenario.notes() {
                    say(&format!("{}: note: {note}\n", file.display()));
                }
            }
        }
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::from(BAD_FILE) }
}

/// The scenario, with what was chosen for this run.
fn chosen(file: &Path, what: &What) -> Option<Scenario> {
    let mut scenario = read(file)?;
    scenario.seed = what.seed.unwrap_or(scenario.seed);
    scenario.family = match what.family {
        None => scenario.family,
        Some(FamilyName::Ipv4) => Family::Ipv4,
        Some(FamilyName::Ipv6) => Family::Ipv6,
    };
    if let Some(link) = scenario.too_small_for(scenario.family) {
        complain(&format!(
            "--family ipv6: link \"{}\" has an MTU of {}, and IPv6 wants {} at least (RFC 8200 section 5)",
            link.name,
            link.mtu,
            scenario.family.least_mtu()
        ));
        return None;
    }
    Some(scenario)
}

fn run_file(run: &Run) -> ExitCode {
    let Some(scenario) = chosen(&run.file, &run.what) else { return ExitCode::from(BAD_FILE) };
    if !outputs::are_apart(&run.file, &run.what, run.journal.as_deref()) {
        return ExitCode::from(BAD_FILE);
    }
    let duration = scenario.duration;
    let mut world = World::new(scenario);
    let (scenario, record) = match &run.journal {
        None => {
            progress::run(&mut world, duration);
            world.run()
        }
        Some(path) => {
            let (scenario, record, journal) = world.run_recorded();
            if let Err(fault) = std::fs::write(path, journal.whole()) {
                complain(&format!("{}: cannot write the journal: {fault}", path.display()));
                return ExitCode::from(BAD_FILE);
            }
            (scenario, record)
        }
    };
    if !write_capture(&run.what, |file| capture::write(&record, file)) {
        return ExitCode::from(BAD_FILE);
    }
    report((&run.file, &run.what), &Report::new(&scenario, &record), &record)
}

/// Writes a capture file, if one is wanted; false when that fails.
fn write_capture(what: &What, write: impl FnOnce(BufWriter<std::fs::File>) -> std::io::Result<()>) -> bool {
    let Some(path) = &what.pcap else { return true };
    let file = std::fs::File::create(path).map_err(|fault| fault.to_string());
    let written = file.and_then(|file| write(BufWriter::new(file)).map_err(|fault| fault.to_string()));
    let said =
        written.map_err(|fault| complain(&format!("{}: cannot write the capture: {fault}", path.display())));
    said.is_ok()
}

/// Shows a report; its outcome is the program's.
fn report((file, what): (&Path, &What), report: &Report, record: &Record) -> ExitCode {
    if !outputs::write((file, what), report, record) {
        return ExitCode::from(BAD_FILE);
    }
    show(what, report);
    if report.held() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(run: &What, report: &Report) {
    let look = terminal::look(run.width);
    if run.json {
        match serde_json::to_string_pretty(report) {
            Ok(json) => say(&(json + "\n")),
            Err(fault) => complain(&fault.to_string()),
        }
    } else if run.trace {
        say(&look.fit(&report.trace()));
        say(&report.brief(look));
    } else if run.quiet {
        if !report.held() {
            say(&report.brief(look));
        }
    } else {
        say(&report.text(look));
    }
}
