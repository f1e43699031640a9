//! The `rsvp` command: its offline parts, which look at captured messages and make messages up.
//!
//! What it deliberately does not do: it holds no reservation and sends no packet; without the feature `daemon` it needs
//! nothing but files.

pub mod capture;
mod decode;
pub mod packet;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Looks into RSVP, the Resource ReSerVation Protocol (RFC 2205 and its family).
#[derive(Debug, Parser)]
#[command(name = "rsvp", version, about, long_about = None, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Decode(decode::Args),
}

/// What the `rsvp` binary does.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Decode(args) => decode::main(&args),
    }
}
