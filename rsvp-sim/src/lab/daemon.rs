//! The `rsvpd` of a node: its configuration from the scenario, its life and its death.
//!
//! Times that are configured are the scenario's divided by the lab's speed; rates are as they are.

use super::clock::Clock;
use super::error::{LabError, Trying};
use super::sys::die_with_parent;
use super::wiring::Place;
use crate::scenario::model::{NodeId, Scenario};
use core::fmt::Write;
use core::time::Duration;
use rsvp_client::Client;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// How long a daemon may take until it answers.
const START: Duration = Duration::from_secs(15);
/// Between one look and the next at whether it does.
const PAUSE: Duration = Duration::from_millis(10);
/// Lines of its log that an error shows.
const LOG_LINES: usize = 8;

/// A running daemon.
#[derive(Debug)]
pub(super) struct Daemon {
    child: Child,
    log: PathBuf,
    /// Where applications connect.
    pub(super) socket: PathBuf,
    /// A connection to look at its state with.
    pub(super) observer: Client,
}

/// A folder for configurations, sockets and logs, which is gone when the lab is, unless it was named.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    kept: bool,
}

impl Folder {
    pub(super) fn new(named: Option<&Path>) -> Result<Self, LabError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let own = || {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            std::env::temp_dir().join(format!("rsvp-lab-{}-{number}", std::process::id()))
        };
        let path = named.map_or_else(own, Path::to_path_buf);
        fs::create_dir_all(&path).trying(|| format!("make the folder {}", path.display()))?;
        Ok(Self { path, kept: named.is_some() })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The daemon that was named, or the one beside this program.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf, LabError> {
    let beside = || {
        let own = std::env::current_exe().unwrap_or_default();
        // Tests are one folder further down.
        let folders = own.ancestors().skip(1).take(2);
        let places: Vec<PathBuf> = folders.map(|folder| folder.join("rsvpd")).collect();
        places.iter().find(|path| path.is_file()).or_else(|| places.first()).cloned().unwrap_or_default()
    };
    let path = named.map_or_else(beside, Path::to_path_buf);
    if path.is_file() { Ok(path) } else { Err(LabError::NoDaemon(path)) }
}

impl Daemon {
    /// Starts a node's daemon in its namespace and waits until it answers.
    pub(super) async fn start(
        rsvpd: &Path,
        folder: &Path,
        place: &Place,
        config: String,
    ) -> Result<Self, LabError> {
        let name = &place.namespace.name;
        let path = |end: &str| folder.join(format!("{name}.{end}"));
        let (file, socket, log) = (path("toml"), path("sock"), path("log"));
        let step = || format!("start rsvpd for {name}");
        fs::write(&file, config).trying(step)?;
        let output = File::options().create(true).append(true).open(&log).trying(step)?;
        let mut command = Command::new(rsvpd);
        command.arg("--config").arg(&file).stdin(Stdio::null());
        command.stdout(output.try_clone().trying(step)?).stderr(output);
        die_with_parent(&mut command);
        // The thread of the namespace is the parent, and lives as long as the namespace is wanted.
        let child = place.namespace.run(move || command.spawn()).await?.trying(step)?;
        let mut starting = Starting { child: Some(child) };
        let mut waited = Duration::ZERO;
        loop {
            let last = match Client::connect(&socket).await {
                Ok(observer) => return starting.done(observer, socket, log).trying(step),
                Err(fault) => fault.to_string(),
            };
            let ended = starting.child.as_mut().map(Child::try_wait).transpose().trying(step)?.flatten();
            let why = match ended {
                Some(status) => format!("it ended at once ({status})"),
                None if waited > START => format!("after {START:?} still: {last}"),
                None => String::new(),
            };
            if !why.is_empty() {
                return Err(why + &tail(&log)).trying(step);
            }
            tokio::time::sleep(PAUSE).await;
            waited += PAUSE;
        }
    }

    /// Why the daemon is not running any more, if so.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        Some(format!("rsvpd ended ({status}){}", tail(&self.log)))
    }
}

/// A child that nobody answers for yet.
struct Starting {
    child: Option<Child>,
}

impl Starting {
    fn done(&mut self, observer: Client, socket: PathBuf, log: PathBuf) -> Result<Daemon, &'static str> {
        let child = self.child.take().ok_or("it was given up")?;
        Ok(Daemon { child, log, socket, observer })
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            end(child);
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// By SIGKILL: a daemon has to bear it.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
    if last.is_empty() { "; it said nothing".to_owned() } else { format!("; it said:\n{}", last.join("\n")) }
}

/// `rsvpd.toml` of a node.
pub(super) fn config(
    scenario: &Scenario,
    clock: &Clock,
    folder: &Path,
    node: NodeId,
    place: &Place,
) -> String {
    let name = &place.namespace.name;
    let socket = folder.join(format!("{name}.sock"));
    let span = |time: Duration| format!("\"{}us\"", clock.real(time).as_micros());
    let mut out = format!(
        "control.socket = {:?}\nnode.state = {:?}\nnode.blockade_multiplier = {}\nnode.seed = {}\n\
         # The kernel enforces what is reserved, and what it has of that ends with the daemon.\n\
         data_plane = {{ kind = \"auto\", pins = \"\" }}\n\n[interfaces]\nrefresh = {}\n\
         local_repair_wait = {}\nlifetime_multiplier = {}\n",
        socket,
        folder,
        scenario.blockade_multiplier,
        (scenario.seed ^ node.0 as u64) & i64::MAX as u64,
        span(scenario.refresh),
        span(scenario.local_repair_wait),
        scenario.lifetime_multiplier,
    );
    for port in &place.ports {
        let link = &scenario.links[port.link.0];
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "\n[interface.{:?}]\nbandwidth = \"{}bit\"\nreservable = \"{}bit\"\nlatency = {}\nerror_c = {}\n\
             error_d = \"{}us\"\n",
            port.name,
            link.rate_bps,
            link.reservable_bps,
            span(link.delay),
            link.error_c,
            link.error_d_us,
        );
    }
    out
}
