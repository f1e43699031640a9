//! Completions for shells and manual pages, made from the command line's own definition.

use crate::{BAD_FILE, complain};
use clap::Command;
use clap_mangen::Man;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// Writes the completions for a shell to standard output.
pub(crate) fn completions(shell: clap_complete::Shell, mut command: Command) -> ExitCode {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "rsvp-sim", &mut text);
    crate::say(&String::from_utf8_lossy(&text));
    ExitCode::SUCCESS
}

/// Writes the pages of the program and of its commands.
pub(crate) fn pages(command: Command, directory: &Path) -> ExitCode {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let folder = directory.join("man1");
    match std::fs::create_dir_all(&folder).and_then(|()| page(&command, &folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            complain(&format!("{}: cannot write the manual pages: {fault}", folder.display()));
            ExitCode::from(BAD_FILE)
        }
    }
}

fn page(command: &Command, folder: &Path) -> io::Result<()> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).try_for_each(|sub| page(sub, folder))?;
    let man = Man::new(command.clone()).section("1");
    let mut file = io::BufWriter::new(std::fs::File::create(folder.join(man.get_filename()))?);
    man.render(&mut file)?;
    file.flush()
}
