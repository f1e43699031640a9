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
    /// Writes the man pages of `rsvp`, its commands and `rsvpd` into man1 and man8 of a directory
    #[command(after_help = "Example:\n  rsvp man /usr/local/share/man")]
    Man {
        /// Where man1 and man8 are, or are to be made
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
    let commands = directory.join("man1");
    std::fs::create_dir_all(&commands)?;
    clap_mangen::generate_to(Cli::command(), commands)?;
    #[cfg(feature = "daemon")]
    {
        let daemons = directory.join("man8");
        std::fs::create_dir_all(&daemons)?;
        let page = clap_mangen::Man::new(rsvpd::command_line()).section("8");
        page.render(&mut std::fs::File::create(daemons.join("rsvpd.8"))?)?;
    }
    Ok(())
}
