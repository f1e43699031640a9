//! The `rsvp` command: its offline parts, which look at captured messages and make messages up.
//!
//! What it deliberately does not do: it holds no reservation and sends no packet; without the feature `daemon` it needs
//! nothing but files.

pub mod capture;
mod decode;
mod encode;
pub mod packet;

use std::ffi::OsString;
use std::io::{self, Read, Write};
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
    Encode(encode::Args),
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
    // Standard output would be buffered by lines, although the commands gather what they write themselves.
    let output: Box<dyn Write> = match decode::unbuffered(&io::stdout()) {
        Ok(file) => Box::new(file),
        Err(_) => Box::new(io::stdout()),
    };
    let prompt = io::IsTerminal::is_terminal(&io::stdout());
    let streams = Streams { input: Box::new(io::stdin()), output, errors: Box::new(io::stderr()), prompt };
    ExitCode::from(run(std::env::args_os(), streams))
}

/// Runs a command line, the command's name included, and gives back the exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>, mut streams: Streams<'_>) -> u8 {
    let command = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli.command,
        Err(error) => {
            let to = if error.use_stderr() { &mut streams.errors } else { &mut streams.output };
            let _ = write!(to, "{}", error.render());
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    match command {
        Command::Decode(args) => decode::main(&args, streams),
        Command::Encode(args) => encode::main(&args, streams),
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
