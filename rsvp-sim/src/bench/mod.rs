//! The command `rsvp-sim bench`: what a router does with very many reservations, measured. One transit router stands between
//! neighbours that are made up; time is virtual, octets are real.
//!
//! Each run is a process of its own, because memory that a run has given back would be there for the next one.

mod clock;
mod measured;
mod messages;
mod phases;
mod router;
mod table;

use crate::{BAD_FILE, complain, say};
use clap::{Args, ValueEnum as _};
use measured::Measured;
use messages::{Family, Shape};
use std::io::{IsTerminal, Write};
use std::process::{Command, ExitCode, Stdio};

/// What to measure.
#[derive(Args)]
#[command(after_help = "Examples:\n  rsvp-sim bench --reservations 1000,100000 --shape ff\n  \
    rsvp-sim bench --reservations 1000000 --shape ff --family ipv4 --json > million.json\n\n\
    Processor time is that of the thread, so other work disturbs it little. A million reservations need 3 GB \
    of memory. Only a program that was built with --release has figures that mean something.")]
pub(crate) struct Bench {
    /// How many unicast FF reservations, up to 10 million; several numbers make several runs.
    #[arg(long, value_name = "N,...", default_values = ["1000", "10000", "100000"], value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    reservations: Vec<u32>,
    /// Which kind of reservations; all three if not given.
    #[arg(long, value_delimiter = ',')]
    shape: Vec<Shape>,
    /// The address family; both if not given.
    #[arg(long, value_delimiter = ',')]
    family: Vec<Family>,
    /// One JSON document instead of tables.
    #[arg(long)]
    json: bool,
}

/// One run.
type What = (Shape, Family, u32);

impl Bench {
    fn runs(&self) -> Vec<What> {
        let shapes = if self.shape.is_empty() { Shape::value_variants() } else { &self.shape };
        let families = if self.family.is_empty() { Family::value_variants() } else { &self.family };
        let mut runs = Vec::new();
        for shape in shapes {
            // The other shapes have their own numbers.
            let numbers = match shape {
                Shape::Ff => &*self.reservations,
                Shape::Se => &[messages::SE],
                Shape::Wf => &[messages::WF],
            };
            for number in numbers {
                runs.extend(families.iter().map(|family| (*shape, *family, *number)));
            }
        }
        runs
    }
}

pub(crate) fn run(bench: &Bench) -> ExitCode {
    let measured: Result<Vec<Measured>, String> = match bench.runs().as_slice() {
        [one] => Ok(vec![measure(*one)]),
        several => several.iter().map(|each| measure_apart(*each)).collect(),
    };
    match measured.and_then(|all| shown(bench, &all)) {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(fault) => {
            complain(&fault);
            ExitCode::from(BAD_FILE)
        }
    }
}

fn shown(bench: &Bench, all: &[Measured]) -> Result<String, String> {
    if bench.json {
        serde_json::to_string_pretty(all).map(|json| json + "\n").map_err(|fault| fault.to_string())
    } else {
        Ok(table::text(all))
    }
}

fn measure((shape, family, reservations): What) -> Measured {
    let mut progress = |phase: &str| {
        let end = if std::io::stderr().is_terminal() { "\x1b[K\r" } else { "\n" };
        let name = table::name(shape, family, reservations);
        let _ = write!(std::io::stderr(), "{name}: {phase}{end}");
    };
    let measured = phases::measure(shape, family, reservations, &mut progress);
    progress("done");
    measured
}

/// Measures in a process of its own.
fn measure_apart((shape, family, reservations): What) -> Result<Measured, String> {
    let word = |value: Option<clap::builder::PossibleValue>| value.map(|v| v.get_name().to_owned());
    let of = || -> std::io::Result<Vec<u8>> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "--json", "--reservations", &reservations.to_string()]);
        command.arg("--shape").args(word(shape.to_possible_value()));
        command.arg("--family").args(word(family.to_possible_value()));
        Ok(command.stderr(Stdio::inherit()).output()?.stdout)
    };
    let octets = of().map_err(|fault| format!("cannot measure in a process of its own: {fault}"))?;
    let all: Vec<Measured> = serde_json::from_slice(&octets).map_err(|_| {
        format!("{shape:?} {family:?} with {reservations} reservations ended without a result: what it said is above")
    })?;
    all.into_iter().next().ok_or_else(|| "a run without a result".to_owned())
}
