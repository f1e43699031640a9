//! Shell completions and man pages, made from the command line's own definition.

mod pages;

use super::Cli;
use clap::{CommandFactory, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Writes completions for a shell to standard output
    #[command(after_help = "Examples:\n  \
        rsvp completions bash > /etc/bash_completion.d/rsvp\n  \
        rsvp completions bash --program rsvpd > /etc/bash_completion.d/rsvpd")]
    Completions {
        /// The shell that is to complete
        shell: Shell,
        /// The program whose command line is completed
        #[arg(long, value_enum, default_value_t = Program::Rsvp)]
        program: Program,
    },
    /// Writes the man pages of `rsvp`, its commands, `rsvpd` and `rsvpd.toml` into man1, man8 and man5 of a directory
    #[command(after_help = "Example:\n  rsvp man /usr/local/share/man")]
    Man {
        /// Where man1, man5 and man8 are, or are to be made
        directory: PathBuf,
    },
}

/// Programs with completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Program {
    Rsvp,
    #[cfg(feature = "daemon")]
    Rsvpd,
}

pub(super) fn main(command: &Command) -> ExitCode {
    match command {
        Command::Completions { shell, program } => {
            let (mut command, name) = match program {
                Program::Rsvp => (Cli::command(), "rsvp"),
                #[cfg(feature = "daemon")]
                Program::Rsvpd => (rsvpd::command_line(), "rsvpd"),
            };
            clap_complete::generate(*shell, &mut command, name, &mut std::io::stdout());
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
    let made = |name: &str| {
        let folder = directory.join(name);
        std::fs::create_dir_all(&folder).map(|()| folder)
    };
    pages::write(Cli::command(), "1", &made("man1")?)?;
    #[cfg(feature = "daemon")]
    {
        pages::write(rsvpd::command_line(), "8", &made("man8")?)?;
        pages::write_configuration(rsvpd::config::EXAMPLE, &made("man5")?)?;
    }
    Ok(())
}
