//! The command `rsvp-sim replay`: does again what a journal says, and compares what comes out.

use crate::{BAD_FILE, complain, say};
use rsvp_sim::journal::{self, ReplayError};
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(file: &Path) -> ExitCode {
    let name = file.display();
    let text = match std::fs::read(file) {
        // It may end within a character.
        Ok(octets) => String::from_utf8_lossy(&octets).into_owned(),
        Err(fault) => {
            complain(&format!("{name}: cannot read it: {fault}"));
            return ExitCode::from(BAD_FILE);
        }
    };
    match journal::replay(&text) {
        Ok(done) => {
            let so_far = if done.cut.is_some() { " up to there" } else { "" };
            if let Some(line) = done.cut {
                complain(&format!("{name}:{line}: the journal ends early: this line is cut or not there"));
            }
            say(&format!(
                "{name}: {} lives of nodes, {} inputs, {} outputs, all as they were{so_far}\n",
                done.lives, done.inputs, done.outputs
            ));
            if done.cut.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(fault) => {
            complain(&format!("{name}:{fault}"));
            match fault {
                ReplayError::Unsound(_) => ExitCode::from(BAD_FILE),
                ReplayError::Differs(_) => ExitCode::FAILURE,
            }
        }
    }
}
