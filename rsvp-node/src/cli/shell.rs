//! Shell completions and man pages, made from the command line's own definition.

use super::Cli;
use clap::{CommandFactory, Subcommand};
use clap_complete::Shell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Writes completions for a shell to standard output
    #[command(after_help = "Example:\n  rsvp completions bash > /etc/bash_completion.d/rsvp")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Writes the man pages of `rsvp` and its commands into a directory
    #[command(after_help = "Example:\n  rsvp man /usr/local/share/man/man1")]
    Man {
        /// Where to; it is made if it is not there
        directory: PathBuf,
    },
}

pub(super) fn main(command: &Command) -> ExitCode {
    match command {
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "rsvp", &mut std::io::stdout());
            ExitCode::SUCCESS
        }
        Command::Man { directory } => match write_pages(directory) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("rsvp: the man pages cannot be written into {}: {error}", directory.display());
                ExitCode::FAILURE
            }
        },
    }
}

fn write_pages(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(Cli::command(), directory)
}
