//! Labs that stay when their scenario is over, until they are ended.
//!
//! A process of its own keeps such a lab: it runs the scenario, then looks after applications and daemons. The namespaces have names
//! (`ip netns`), which outlive a process that is killed, so a file says what there is before any of it is made. Whatever ends the
//! keeper, and whenever: [`down`] finds by that file what is left, and removes it. Daemons die with the keeper in any case.

use super::error::{LabError, Trying};
use super::sys::die_with_parent;
use super::{Outcome, Settings, run};
use crate::Scenario;
use crate::scenario::error::one_of;
use core::time::Duration;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// Where the files of labs that stay are.
const FOLDER: &str = "/run/rsvp-lab";
/// In the environment of the process that keeps a lab, and of its daemons: the lab's name.
pub const KEEPER: &str = "RSVP_SIM_LAB_KEEPER";
/// Between two looks whether processes that were killed are gone.
const PAUSE: Duration = Duration::from_millis(10);
/// After as many looks they are given up.
const MOST_LOOKS: u32 = 1000;

/// A lab that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// The process that keeps it, or makes it.
    pub process: u32,
    /// When that process started, in the kernel's ticks: numbers of processes are used again.
    started: u64,
    /// Of each node the name of its network namespace.
    pub namespaces: BTreeMap<String, String>,
}

impl Kept {
    /// The lab of a scenario, kept by this process. Nothing is made yet.
    #[must_use]
    pub fn new(name: &str, scenario: &Scenario) -> Self {
        let namespaces =
            scenario.nodes.iter().map(|node| (node.name.clone(), format!("{name}-{}", node.name)));
        let process = std::process::id();
        let started = started(process).unwrap_or_default();
        Self { name: name.to_owned(), process, started, namespaces: namespaces.collect() }
    }

    /// Where configurations, logs and sockets are.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        Path::new(FOLDER).join(&self.name)
    }

    /// The control socket of a node's daemon.
    #[must_use]
    pub fn socket(&self, node: &str) -> PathBuf {
        self.folder().join(format!("{node}.sock"))
    }

    /// The network namespace of a node.
    ///
    /// # Errors
    ///
    /// There is no such node; the nearest one is named.
    pub fn namespace_of(&self, node: &str) -> Result<&str, LabError> {
        let nodes: Vec<&String> = self.namespaces.keys().collect();
        let namespace = self.namespaces.get(node).map(String::as_str);
        namespace.ok_or_else(|| one_of(node, &nodes)).trying(|| format!("enter {node}"))
    }

    fn file(&self) -> PathBuf {
        Path::new(FOLDER).join(format!("{}.json", self.name))
    }

    /// Whether its keeper is alive.
    #[must_use]
    pub fn is_up(&self) -> bool {
        started(self.process) == Some(self.started)
    }

    /// Makes sure that its namespaces will be its own: those of others are not touched, and [`down`](Self::down) removes them by
    /// their names.
    ///
    /// # Errors
    ///
    /// There is one of such a name.
    pub fn claim(&self) -> Result<(), LabError> {
        match self.namespaces.values().find(|name| is_there(name)) {
            Some(name) => {
                Err(format!("the network namespace {name} is there already; --name gives another name"))
                    .trying(|| format!("make the lab {}", self.name))
            }
            None => Ok(()),
        }
    }

    /// Says in its file that it is there.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn announce(&self) -> Result<(), LabError> {
        let file = self.file();
        let step = || format!("write {}", file.display());
        fs::create_dir_all(FOLDER).trying(step)?;
        let text = serde_json::to_string_pretty(self).trying(step)?;
        // Whole or not at all, whenever somebody is killed.
        let part = file.with_extension("part");
        fs::write(&part, text).trying(step)?;
        fs::rename(&part, &file).trying(step)
    }

    /// Ends it: the keeper, its daemons, the namespaces, the files. Nothing is left.
    ///
    /// # Errors
    ///
    /// Something of it cannot be ended or removed.
    pub fn down(&self) -> Result<(), LabError> {
        if self.is_up() && self.process != std::process::id() {
            kill(Pid::from_raw(self.process.cast_signed()), Signal::SIGKILL)
                .trying(|| format!("end the process {}", self.process))?;
        }
        let step = || format!("wait until the processes of the lab {} are gone", self.name);
        let mut looks = 0;
        while (self.is_up() && self.process != std::process::id()) || !self.processes().is_empty() {
            looks += 1;
            if looks > MOST_LOOKS {
                return Err("they do not end").trying(step);
            }
            for process in self.processes() {
                let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
            }
            pause();
        }
        for name in self.namespaces.values().filter(|name| is_there(name)) {
            let gone = ip(&["netns", "del", name]);
            // Another may have been faster: who made it, and `down`, both remove what a keeper leaves.
            if gone.is_err() && is_there(name) {
                return gone;
            }
        }
        for (path, is_folder) in
            [(self.folder(), true), (self.file().with_extension("part"), false), (self.file(), false)]
        {
            let gone = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            if let Err(fault) = gone.as_ref()
                && fault.kind() != std::io::ErrorKind::NotFound
            {
                return gone.trying(|| format!("remove {}", path.display()));
            }
        }
        // Others may have labs there.
        let _ = fs::remove_dir(FOLDER);
        Ok(())
    }

    /// Its keeper and daemons, whatever has become of whoever started them.
    fn processes(&self) -> Vec<i32> {
        let mark = format!("{KEEPER}={}", self.name);
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = all.filter_map(|entry| entry.file_name().to_string_lossy().parse::<i32>().ok());
        let is_ours = |number: &i32| {
            let environment = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
            environment.split(|octet| *octet == 0).any(|each| each == mark.as_bytes())
        };
        let numbers = numbers.filter(|number| number.cast_unsigned() != std::process::id());
        numbers.filter(is_ours).collect()
    }
}

/// All labs that stay, or are left of such.
///
/// # Errors
///
/// Their files cannot be read.
pub fn all() -> Result<Vec<Kept>, LabError> {
    let step = || format!("read the files in {FOLDER}");
    let entries = match fs::read_dir(FOLDER) {
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.trying(step)?,
    };
    let mut labs = Vec::new();
    for entry in entries {
        let path = entry.trying(step)?.path();
        if path.extension().is_some_and(|end| end == "json") {
            let text = fs::read_to_string(&path).trying(step)?;
            labs.push(serde_json::from_str(&text).trying(|| format!("read {}", path.display()))?);
        }
    }
    labs.sort_by(|a: &Kept, b| a.name.cmp(&b.name));
    Ok(labs)
}

/// Removes what was left of a lab whose maker was killed before there was anything else of it; without a name, of all such.
pub fn remove_parts(name: Option<&str>) {
    for entry in fs::read_dir(FOLDER).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_meant = name.is_none_or(|name| path.file_stem().is_some_and(|stem| stem == name));
        if is_meant
            && path.extension().is_some_and(|end| end == "part")
            && !path.with_extension("json").exists()
        {
            let _ = fs::remove_file(path);
        }
    }
    // Others may have labs there.
    let _ = fs::remove_dir(FOLDER);
}

/// Runs a scenario in a lab whose namespaces have names, says what came of it to `ready`, and keeps the lab until the process is
/// ended. Whoever started this process may be gone from then on.
///
/// # Errors
///
/// When the lab cannot be set up or does not come to its end. There is nothing left of it then.
pub fn stay(
    scenario: Scenario,
    settings: &Settings,
    kept: &Kept,
    ready: impl FnOnce(Outcome),
) -> Result<(), LabError> {
    let settings = Settings { logs: Some(kept.folder()), ..settings.clone() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.trying(|| "start an async runtime".to_owned())?.block_on(async {
        let step = || "listen for signals".to_owned();
        let mut interrupt = signal(SignalKind::interrupt()).trying(step)?;
        let mut terminate = signal(SignalKind::terminate()).trying(step)?;
        tokio::select! {
            ended = run::keep(scenario, &settings, kept, |outcome| {
                // First it can be found, then it is a lab of its own, then that is said.
                kept.announce()?;
                set_pdeathsig(None).trying(|| "outlive who has started it".to_owned())?;
                let _ = nix::unistd::setsid();
                ready(outcome);
                Ok(())
            }) => ended,
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        }
    });
    // It goes also where the keeper has failed.
    let gone = kept.down();
    ended.and(gone)
}

/// Starts the process that is to keep a lab; it ends with this one until it has told that it is ready.
///
/// # Errors
///
/// It cannot be started.
pub fn start(command: &mut Command, name: &str) -> Result<Child, LabError> {
    command.env(KEEPER, name);
    die_with_parent(command);
    command.spawn().trying(|| "start the process that keeps the lab".to_owned())
}

/// The name of the lab that this process is to keep; none if [`start`] has not started it.
///
/// # Errors
///
/// The process that started it is gone: nobody would hear of the lab.
pub fn named() -> Result<Option<String>, LabError> {
    let Some(name) = std::env::var(KEEPER).ok() else { return Ok(None) };
    let parent = nix::unistd::getppid().as_raw().cast_unsigned();
    match all()?.into_iter().any(|lab| lab.name == name && lab.process == parent) {
        true => Ok(Some(name)),
        false => Err("whoever started this is gone").trying(|| format!("keep the lab {name}")),
    }
}

/// While this is kept, Ctrl-C ends the keeper only, which is waited for.
///
/// # Errors
///
/// The kernel has no room for it.
pub fn leave_interrupts() -> Result<tokio::runtime::Runtime, LabError> {
    let step = || "listen for Ctrl-C".to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().trying(step)?;
    let inside = runtime.enter();
    let _handled = signal(SignalKind::interrupt()).trying(step)?;
    drop(inside);
    Ok(runtime)
}

/// Whether there is a network namespace of a name.
fn is_there(name: &str) -> bool {
    Path::new("/run/netns").join(name).exists()
}

/// Gives the namespace of a process or thread a name.
pub(super) fn name_namespace(name: &str, process: u32) -> Result<(), LabError> {
    ip(&["netns", "attach", name, &process.to_string()])
}

fn ip(arguments: &[&str]) -> Result<(), LabError> {
    let step = || format!("run `ip {}`", arguments.join(" "));
    let done = Command::new("ip").args(arguments).output().trying(step)?;
    match done.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()).trying(step),
    }
}

/// When a process started; none if there is no such process, or only what is left of one.
fn started(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may have any octet.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    (state != "Z" && state != "X").then(|| fields.nth(18)?.parse().ok()).flatten()
}

#[allow(clippy::disallowed_methods, reason = "a lab is in real time, and so are its processes")]
fn pause() {
    std::thread::sleep(PAUSE);
}
