//! The `rsvp` command: its command line, and what each of its commands is done by.
//!
//! Without the feature `daemon` it needs nothing but files. What talks to a daemon is in `daemon::command`.

mod shell;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// RSVP, the Resource ReSerVation Protocol (RFC 2205 and its family): reserve for a flow, look at what is reserved.
#[derive(Debug, Parser)]
#[command(name = "rsvp", version, about, long_about = None, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one, for as long as the command line is read")]
enum Command {
    #[cfg(feature = "daemon")]
    #[command(flatten)]
    Daemon(crate::daemon::command::Command),
    #[command(flatten)]
    Shell(shell::Command),
}

/// What the `rsvp` binary does.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        #[cfg(feature = "daemon")]
        Command::Daemon(command) => crate::daemon::command::main(command),
        Command::Shell(command) => shell::main(&command),
    }
}
