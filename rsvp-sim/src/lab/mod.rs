//! Scenarios on real kernels: a network namespace and an `rsvpd` for every node, veth pairs and bridges between them.
//!
//! Addresses, routes and multicast trees are those that the simulator computes; what is expected is judged by the same
//! judge, on what the daemons list, what applications are told, and what the lab itself captures on the links. Time is
//! real, and runs faster than the scenario's by the lab's speed. Nothing of RSVP is decided here. Daemons have the kernel
//! enforce what is reserved; where they cannot, the record says so.

mod applications;
mod capture;
mod clock;
mod connection;
mod daemon;
mod data;
mod error;
pub mod keep;
mod look;
mod messages;
mod multicast;
mod namespace;
mod routes;
mod run;
mod skip;
mod socket;
mod sys;
mod unenforced;
mod watch;
mod wiring;

#[cfg(test)]
mod testing;

pub use error::LabError;

use crate::Scenario;
use crate::world::Record;
use error::Trying;
use rsvp_node::Instant;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

/// What can be chosen for a run.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The daemon to run; otherwise the one beside this program.
    pub rsvpd: Option<PathBuf>,
    /// How much faster than the scenario's time real time is; otherwise what the scenario says.
    pub speed: Option<f64>,
    /// Where to leave configurations and logs of the daemons; otherwise they are removed.
    pub logs: Option<PathBuf>,
}

/// What a run leaves behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was run.
    pub scenario: Scenario,
    /// What was seen.
    pub record: Record,
    /// Every RSVP packet as a node put it on a link, from the IP header on, with the scenario's time.
    pub packets: Vec<(Instant, Vec<u8>)>,
}

/// Runs a scenario with real daemons in network namespaces, all of which are gone when this returns.
///
/// # Errors
///
/// When the lab cannot be set up or does not come to its end; what the scenario expects and does not get is no error.
pub fn run(scenario: Scenario, settings: &Settings) -> Result<Outcome, LabError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.trying(|| "start an async runtime".to_owned())?.block_on(async {
        let step = || "listen for Ctrl-C".to_owned();
        let mut interrupt = signal(SignalKind::interrupt()).trying(step)?;
        let mut terminate = signal(SignalKind::terminate()).trying(step)?;
        tokio::select! {
            outcome = run::run(scenario, settings) => outcome,
            _ = interrupt.recv() => Err(LabError::Interrupted),
            _ = terminate.recv() => Err(LabError::Interrupted),
        }
    })
}
