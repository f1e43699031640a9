//! `rsvp-sim lab`: a scenario in network namespaces, with a real `rsvpd` for every node.

use crate::{BAD_FILE, What, chosen, complain, report, write_capture};
use clap::Args;
use rsvp_sim::lab::{self, LabError, Settings};
use rsvp_sim::{Report, capture};
use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) const AFTER_HELP: &str = "Example:\n  sudo rsvp-sim lab --pcap lab.pcap \
    rsvp-sim/scenarios/three-routers.toml\n\n\
    Exit status: 0 if no expectation failed, 1 if one did, 2 for a bad file or bad arguments, 3 without root, 4 if the \
    lab could not be set up or did not come to its end. Nothing is left behind in any case.";

const NOT_ROOT: u8 = 3;
const NO_LAB: u8 = 4;

/// Arguments.
#[derive(Args)]
pub(crate) struct Lab {
    #[command(flatten)]
    what: What,
    /// The daemon to run for every node; by default the one beside this program.
    #[arg(long, value_name = "PATH")]
    rsvpd: Option<PathBuf>,
    /// How much faster than the scenario's time real time is; by default what the scenario says, or else as fast as
    /// makes R a second.
    #[arg(long, value_parser = speed)]
    speed: Option<f64>,
    /// Leave configurations and logs of the daemons in this folder.
    #[arg(long, value_name = "FOLDER")]
    logs: Option<PathBuf>,
}

fn speed(text: &str) -> Result<f64, String> {
    let sound = text.parse().ok().filter(|speed: &f64| (0.1..=1000.0).contains(speed));
    sound.ok_or_else(|| "expected a number from 0.1 to 1000".to_owned())
}

pub(crate) fn run(arguments: &Lab) -> ExitCode {
    let Some(scenario) = chosen(&arguments.what) else { return ExitCode::from(BAD_FILE) };
    let settings =
        Settings { rsvpd: arguments.rsvpd.clone(), speed: arguments.speed, logs: arguments.logs.clone() };
    let outcome = match lab::run(scenario, &settings) {
        Ok(outcome) => outcome,
        Err(fault) => {
            complain(&fault.to_string());
            return ExitCode::from(if matches!(fault, LabError::NotRoot) { NOT_ROOT } else { NO_LAB });
        }
    };
    if !write_capture(&arguments.what, |file| capture::write_packets(outcome.packets, file)) {
        return ExitCode::from(BAD_FILE);
    }
    let made = Report::new(&outcome.scenario, &outcome.record);
    // Past the report, so that it is heard with --quiet, --json and --trace, too.
    made.unenforced_lines().for_each(|line| complain(&line));
    report(&arguments.what, &made, &outcome.record)
}
