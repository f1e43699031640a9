//! `rsvp dscp`: marks of packets (RFC 2474) by name, a client whose every packet is marked, and a check that they are.
//!
//! Nothing here needs a daemon: sockets are marked as any program may mark its own.

mod check;
mod count;
mod filter;
mod list;
mod report;
mod request;
mod tap;
mod url;

use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Shows the marks of packets, fetches over a marked connection, and checks how packets are marked
#[derive(Debug, Args)]
#[command(after_help = "Example, on one machine:\n  \
    python3 -m http.server 8086 --bind 127.0.0.1 &\n  \
    sudo rsvp dscp check --interface lo --expect ef --for 10s dst port 8086 &\n  \
    rsvp dscp get http://127.0.0.1:8086/ --dscp ef")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Arguments),
    Get(request::Arguments),
    Check(check::Arguments),
}

/// Why a command did not do what it was asked for, in words.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot write to standard output: {0}")]
    Output(#[source] std::io::Error),
    #[error("{0}")]
    Asked(String),
}

/// Runs the command.
pub(super) fn main(arguments: Arguments) -> ExitCode {
    let (name, done) = match arguments.command {
        Command::List(arguments) => ("list", list::main(&arguments)),
        Command::Get(arguments) => ("get", request::main(&arguments)),
        Command::Check(arguments) => ("check", check::main(&arguments)),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        // Whoever was to read it has seen enough.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("rsvp dscp {name}: {failure}");
            // A check's 1 means a wrong mark.
            ExitCode::from(if name == "check" { check::CANNOT } else { 1 })
        }
    }
}

/// Writes to standard output at once.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::Output)
}
