//! Why a lab could not be set up or run; what a scenario expects and does not get is no error but a verdict.

use std::fmt::Display;
use std::path::PathBuf;
use thiserror::Error;

/// What went wrong, and what to do about it.
#[derive(Debug, Error)]
pub enum LabError {
    /// Namespaces need privileges.
    #[error(
        "a lab makes network namespaces, which only root may: run it with sudo (`rsvp-sim run` needs no privileges)"
    )]
    NotRoot,
    /// There is no daemon to run.
    #[error(
        "no rsvpd at {}: build it with `cargo build -p rsvpd`, or name one with \
         --rsvpd PATH", .0.display()
    )]
    NoDaemon(PathBuf),
    /// Somebody pressed Ctrl-C.
    #[error("interrupted; everything the lab had made is gone")]
    Interrupted,
    /// A step failed.
    #[error("cannot {step}: {why}")]
    Step {
        /// What was tried.
        step: String,
        /// What came of it.
        why: String,
    },
}

/// Says what was tried when it failed.
pub(super) trait Trying<T> {
    /// Names the step.
    fn trying(self, step: impl FnOnce() -> String) -> Result<T, LabError>;
}

impl<T, E: Display> Trying<T> for Result<T, E> {
    fn trying(self, step: impl FnOnce() -> String) -> Result<T, LabError> {
        self.map_err(|why| LabError::Step { step: step(), why: why.to_string() })
    }
}
