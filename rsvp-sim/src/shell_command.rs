//! Completions for shells and manual pages, made from the command line's own definition.

use crate::{BAD_FILE, complain};
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
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
    man.render_title(&mut file)?;
    man.render_name_section(&mut file)?;
    man.render_synopsis_section(&mut file)?;
    man.render_description_section(&mut file)?;
    man.render_options_section(&mut file)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut file)?;
    }
    let mut roff = Roff::default();
    rest(command, &mut roff);
    roff.to_writer(&mut file)?;
    file.flush()
}

/// What stands behind the options: the text after the help, in the sections that the pages of `rsvp` have.
fn rest(command: &Command, roff: &mut Roff) {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (text, status) = match after.split_once("Exit status:") {
        Some((text, status)) => (text, status.trim()),
        None => (after.as_str(), "0 on success, 1 if something failed, 2 for a bad file or bad arguments."),
    };
    let paragraphs = text.split("\n\n").map(str::trim_end).filter(|text| !text.is_empty());
    let (examples, notes): (Vec<_>, Vec<_>) = paragraphs.partition(|text| text.starts_with("Example"));
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
    }
    for text in examples {
        // Below the word "Example" or "Examples".
        verbatim(text.split_once('\n').map_or(text, |(_, lines)| lines), roff);
    }
    if !notes.is_empty() {
        roff.control("SH", ["NOTES"]);
    }
    for text in notes {
        roff.control("PP", []).text([roman(text)]);
    }
    roff.control("SH", ["EXIT STATUS"]);
    verbatim(status, roff);
}

/// Lines as they are.
fn verbatim(text: &str, roff: &mut Roff) {
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line.trim_end())]);
    }
    roff.control("fi", []);
}
