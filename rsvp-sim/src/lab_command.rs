//! `rsvp-sim lab`: a scenario in network namespaces, with a real `rsvpd` for every node.

use crate::{BAD_FILE, What, chosen, complain, outputs, report, say, write_capture};
use clap::Args;
use rsvp_sim::lab::keep::{self, Kept};
use rsvp_sim::lab::{self, LabError, Outcome, Settings};
use rsvp_sim::{Report, Scenario, capture};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

pub(crate) const AFTER_HELP: &str = "Examples:\n  sudo rsvp-sim lab --pcap lab.pcap \
    rsvp-sim/scenarios/three-routers.toml\n  sudo rsvp-sim lab --keep rsvp-sim/scenarios/three-routers.toml\n  \
    sudo rsvp-sim lab --shell r2\n  sudo rsvp-sim lab --down\n\n\
    Exit status: 0 if no expectation failed, 1 if one did, 2 for a bad file or bad arguments, 3 without root, 4 if the \
    lab could not be set up or did not come to its end. Nothing is left behind in any case, but for a lab with --keep, until --down.";

/// What is said of labs that stay: one thing at a time.
const STAYS: &str = "stays";

const NOT_ROOT: u8 = 3;
const NO_LAB: u8 = 4;

/// What a keeper says at the end of its report, before the exit status, when the lab is there to stay.
const READY: u8 = 0;

/// Arguments.
#[derive(Args)]
pub(crate) struct Lab {
    /// The scenario file.
    #[arg(required_unless_present_any = ["shell", "down"])]
    file: Option<PathBuf>,
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
    #[arg(long, value_name = "FOLDER", conflicts_with = "keep")]
    logs: Option<PathBuf>,
    /// Leave the lab as it is at the scenario's end, with its applications, in namespaces with names, until --down.
    #[arg(long, group = STAYS)]
    keep: bool,
    /// A shell, or what $SHELL names, in a node of a lab that stays; `rsvp` there talks to the node's daemon.
    #[arg(long, value_name = "NODE", conflicts_with = "file", group = STAYS)]
    shell: Option<String>,
    /// End a lab that stays, or what is left of one; without --name all of them.
    #[arg(long, conflicts_with = "file", group = STAYS)]
    down: bool,
    /// What a lab that stays is called; by default as its scenario.
    #[arg(long, value_name = "NAME", value_parser = name, requires = STAYS)]
    name: Option<String>,
}

fn speed(text: &str) -> Result<f64, String> {
    let sound = text.parse().ok().filter(|speed: &f64| (0.1..=1000.0).contains(speed));
    sound.ok_or_else(|| "expected a number from 0.1 to 1000".to_owned())
}

fn name(text: &str) -> Result<String, String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match text.chars().all(sound) && (1..=40).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err("expected up to 40 letters, digits, '-' or '_'".to_owned()),
    }
}

pub(crate) fn run(arguments: &Lab) -> ExitCode {
    let done = match &arguments.shell {
        Some(node) => shell(arguments.name.as_deref(), node),
        None if arguments.down => down(arguments.name.as_deref()),
        None => return run_file(arguments),
    };
    done.unwrap_or_else(|fault| failed(&fault))
}

fn failed(fault: &LabError) -> ExitCode {
    complain(&fault.to_string());
    ExitCode::from(if matches!(fault, LabError::NotRoot) { NOT_ROOT } else { NO_LAB })
}

fn run_file(arguments: &Lab) -> ExitCode {
    let file = arguments.file.clone().unwrap_or_default();
    let Some(scenario) = chosen(&file, &arguments.what) else { return ExitCode::from(BAD_FILE) };
    if !outputs::are_apart(&file, &arguments.what, None) {
        return ExitCode::from(BAD_FILE);
    }
    let settings =
        Settings { rsvpd: arguments.rsvpd.clone(), speed: arguments.speed, logs: arguments.logs.clone() };
    if arguments.keep {
        let name = arguments.name.clone().unwrap_or_else(|| scenario.name.replace(['.', '\''], "-"));
        let done = keep::named().and_then(|started| match started {
            None => make(&name, &scenario),
            Some(name) => keep(arguments, &file, scenario, &settings, &name),
        });
        return done.unwrap_or_else(|fault| failed(&fault));
    }
    match lab::run(scenario, &settings) {
        Ok(outcome) => ExitCode::from(tell(arguments, &file, outcome)),
        Err(fault) => failed(&fault),
    }
}

/// The report; says what the exit status is.
fn tell(arguments: &Lab, file: &Path, outcome: Outcome) -> u8 {
    if !write_capture(&arguments.what, |file| capture::write_packets(outcome.packets, file)) {
        return BAD_FILE;
    }
    let made = Report::new(&outcome.scenario, &outcome.record);
    // Past the report, so that it is heard with --quiet, --json and --trace, too.
    made.unenforced_lines().for_each(|line| complain(&line));
    let status = report((file, &arguments.what), &made, &outcome.record);
    if status == ExitCode::from(BAD_FILE) { BAD_FILE } else { u8::from(!made.held()) }
}

/// Starts a process that keeps the lab, and passes on what it says until the lab is there to stay.
fn make(name: &str, scenario: &Scenario) -> Result<ExitCode, LabError> {
    if !nix::unistd::geteuid().is_root() {
        return Err(LabError::NotRoot);
    }
    let kept = Kept::new(name, scenario);
    if let Some(before) = keep::all()?.into_iter().find(|lab| lab.name == name) {
        if before.is_up() {
            let remedy =
                format!("`rsvp-sim lab --down --name {name}` ends it, or give this one another --name");
            return Err(no(format!("make the lab {name}"), format!("there is one of this name; {remedy}")));
        }
        before.down()?;
    }
    kept.claim()?;
    // Before there is anything of it.
    kept.announce()?;
    let _interrupts = keep::leave_interrupts()?;
    let ended = start(name).and_then(|mut child| {
        pass_on(&mut child).map_err(|fault| no("hear of the lab".to_owned(), fault.to_string()))
    });
    match ended {
        Ok(Some(status)) => {
            enter(&kept);
            Ok(ExitCode::from(status))
        }
        Ok(None) => kept.down().map(|()| ExitCode::from(NO_LAB)),
        Err(fault) => {
            kept.down()?;
            Err(fault)
        }
    }
}

fn no(step: String, why: String) -> LabError {
    LabError::Step { step, why }
}

/// The same program with the same arguments, as a keeper.
fn start(name: &str) -> Result<Child, LabError> {
    let own =
        std::env::current_exe().map_err(|fault| no("find this program".to_owned(), fault.to_string()))?;
    let mut command = Command::new(own);
    command.args(std::env::args_os().skip(1)).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    keep::start(&mut command, name)
}

/// Passes on what a keeper says; its exit status for the report, or nothing if it has ended.
fn pass_on(child: &mut Child) -> std::io::Result<Option<u8>> {
    if let Some(mut errors) = child.stderr.take() {
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::stderr()));
    }
    let Some(mut said) = child.stdout.take() else { return Ok(None) };
    let mut out = std::io::stdout();
    let mut buffer = [0; 8192];
    loop {
        let count = said.read(&mut buffer)?;
        let part = &buffer[..count];
        if let Some(end) = part.iter().position(|octet| *octet == READY) {
            out.write_all(&part[..end])?;
            out.flush()?;
            let mut status = part[end + 1..].to_vec();
            if status.is_empty() {
                status = vec![0];
                said.read_exact(&mut status)?;
            }
            return Ok(status.first().map(|octet| octet - b'0'));
        }
        if count == 0 {
            child.wait()?;
            return Ok(None);
        }
        out.write_all(part)?;
    }
}

/// How to enter each node.
fn enter(kept: &Kept) {
    let mut text =
        format!("\nThe lab {} stays until `rsvp-sim lab --down --name {0}`. In its nodes:\n", kept.name);
    for (node, namespace) in &kept.namespaces {
        text += &format!(
            "  {node:<12} rsvp-sim lab --name {} --shell {node}    or  ip netns exec {namespace} COMMAND",
            kept.name
        );
        if kept.socket(node).exists() {
            text += &format!("    rsvp show reservations --socket {}", kept.socket(node).display());
        }
        text.push('\n');
    }
    // Beside the report, which may be JSON; a closed standard error is no reason to fail.
    let _ = write!(std::io::stderr(), "{text}");
}

/// The process that keeps a lab.
fn keep(
    arguments: &Lab,
    file: &Path,
    scenario: Scenario,
    settings: &Settings,
    name: &str,
) -> Result<ExitCode, LabError> {
    let kept = Kept::new(name, &scenario);
    let ready = |outcome| {
        let status = tell(arguments, file, outcome);
        say(&format!("{}{status}", char::from(READY)));
    };
    keep::stay(scenario, settings, &kept, ready)?;
    Ok(ExitCode::SUCCESS)
}

/// The lab that is meant: by its name, or the only one.
fn meant(name: Option<&str>) -> Result<Kept, LabError> {
    let labs = keep::all()?;
    let names: Vec<&str> = labs.iter().map(|lab| lab.name.as_str()).collect();
    let chosen = match (name, labs.as_slice()) {
        (None, [one]) => Some(one),
        (name, labs) => labs.iter().find(|lab| Some(lab.name.as_str()) == name),
    };
    chosen.cloned().ok_or_else(|| {
        let why = match names.as_slice() {
            [] => "there is none; `rsvp-sim lab --keep FILE` makes one".to_owned(),
            names => format!("--name has to be one of {}", names.join(", ")),
        };
        no("find the lab".to_owned(), why)
    })
}

fn shell(name: Option<&str>, node: &str) -> Result<ExitCode, LabError> {
    let kept = meant(name)?;
    let namespace = kept.namespace_of(node)?;
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{namespace}")).arg(shell);
    command.env("RSVP_SOCKET", kept.socket(node)).env("RSVP_LAB_NODE", node);
    let fault = command.exec();
    Err(no(format!("enter {node}"), format!("nsenter: {fault}")))
}

fn down(name: Option<&str>) -> Result<ExitCode, LabError> {
    if !nix::unistd::geteuid().is_root() {
        return Err(LabError::NotRoot);
    }
    keep::remove_parts(name);
    let labs = match name {
        Some(name) => vec![meant(Some(name))?],
        None => keep::all()?,
    };
    if labs.is_empty() {
        complain("there is no lab that stays");
    }
    labs.iter().try_for_each(Kept::down)?;
    Ok(ExitCode::SUCCESS)
}
