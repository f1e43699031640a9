//! The `rsvp` command: its command line, and what each of its commands is done by.
//!
//! Its offline parts look at captured messages and make messages up; without the feature `daemon` it needs nothing but
//! files. What talks to a daemon, holds reservations or sends packets is in `command`; marks of packets are in `dscp`, which
//! needs no daemon, but sockets.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

#[cfg(feature = "daemon")]
mod command;
mod decode;
#[cfg(feature = "daemon")]
mod dscp;
mod encode;
mod network;
mod shell;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a newcomer begins with.
const EXAMPLES: &str = if cfg!(feature = "daemon") {
    "Examples:\n  \
    rsvp recv --port 5000                         # on one host, where rsvpd runs\n  \
    rsvp send --to 10.0.2.2:5000 --rate 2mbit     # on another, to that one\n  \
    rsvp show reservations                        # on any node between\n  \
    rsvp doctor                                   # where it does not work\n  \
    rsvp decode capture.pcap\n\n\
    `rsvp COMMAND --help` has examples of each."
} else {
    "Examples:\n  rsvp decode capture.pcap\n\n`rsvp COMMAND --help` has examples of each."
};

/// RSVP, the Resource ReSerVation Protocol (RFC 2205 and its family): reserve for a flow, look at what is reserved, look
/// into what was captured.
#[derive(Debug, Parser)]
#[command(name = "rsvp", version = env!("RSVP_VERSION"), long_about = None, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one, for as long as the command line is read")]
enum Command {
    #[cfg(feature = "daemon")]
    #[command(flatten)]
    Daemon(crate::command::Command),
    #[cfg(feature = "daemon")]
    Dscp(dscp::Arguments),
    Decode(decode::Args),
    Encode(encode::Args),
    #[command(flatten)]
    Shell(shell::Command),
}

/// Where a command reads and writes.
pub struct Streams<'s> {
    /// What `-` reads from.
    pub input: Box<dyn Read + 's>,
    /// Where the result goes.
    pub output: Box<dyn Write + 's>,
    /// Where what went wrong is said.
    pub errors: Box<dyn Write + 's>,
    /// Whether somebody is watching the output, so that each message is to be seen at once.
    pub prompt: bool,
}

/// What the `rsvp` binary does.
pub fn main() -> ExitCode {
    let command = match Cli::parse().command {
        #[cfg(feature = "daemon")]
        Command::Daemon(command) => return crate::command::main(command),
        #[cfg(feature = "daemon")]
        Command::Dscp(arguments) => return dscp::main(arguments),
        Command::Shell(command) => return shell::main(&command),
        offline => offline,
    };
    // Standard output would be buffered by lines, although the commands gather what they write themselves.
    let output: Box<dyn Write> = match decode::unbuffered(&io::stdout()) {
        Ok(file) => Box::new(file),
        Err(_) => Box::new(io::stdout()),
    };
    let prompt = io::IsTerminal::is_terminal(&io::stdout());
    let streams = Streams { input: Box::new(io::stdin()), output, errors: Box::new(io::stderr()), prompt };
    ExitCode::from(offline(command, streams))
}

/// Runs a command line of an offline part, the command's name included, and gives back the exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>, mut streams: Streams<'_>) -> u8 {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => offline(cli.command, streams),
        Err(error) => {
            let to = if error.use_stderr() { &mut streams.errors } else { &mut streams.output };
            let _ = write!(to, "{}", error.render());
            if error.use_stderr() { 2 } else { 0 }
        }
    }
}

fn offline(command: Command, mut streams: Streams<'_>) -> u8 {
    match command {
        Command::Decode(args) => decode::main(&args, streams),
        Command::Encode(args) => encode::main(&args, streams),
        _ => {
            let _ = writeln!(streams.errors, "rsvp: only `decode` and `encode` can be run here");
            2
        }
    }
}

/// Why a command ends before its time.
enum Stop {
    /// Nobody reads the output any more.
    Quiet,
    /// Something went wrong, in words.
    Failed(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Quiet,
            _ => Self::Failed(format!("cannot write: {error}")),
        }
    }
}
