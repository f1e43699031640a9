//! Manual pages: what the command line says of itself, in the sections that people look for, and `rsvpd.toml(5)` from the example
//! that has every key.
//!
//! Of the text after the options, what begins with "Example" becomes EXAMPLES, "Exit status" EXIT STATUS, anything else NOTES.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::io;
use std::path::Path;

/// What is where, for commands with these options, and for the daemon.
const FILES: [(&str, &str, &str); 3] = [
    (
        "socket",
        "/run/rsvpd/control.sock",
        "The control socket of rsvpd, for root and the group that is configured; RSVP_SOCKET names another one.",
    ),
    (
        "qos_socket",
        "/run/rsvpd/qos.sock",
        "Its socket for the sockets of any user's programs; RSVP_QOS_SOCKET names another one.",
    ),
    ("config", "/etc/rsvp/rsvpd.toml", "The configuration of rsvpd, and of commands with --standalone."),
];

/// What values are called that are files of the user's.
const NAMED: [&str; 4] = ["FILE", "OUT", "PATH", "DIRECTORY"];

/// The words before a section's text.
const EXAMPLES: &str = "Example";
const EXIT_STATUS: &str = "Exit status:";

/// Writes the pages of a command and all its subcommands.
pub(super) fn write(command: Command, section: &str, directory: &Path) -> io::Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let root = command.get_name().to_owned();
    write_all(&command, section, &root, directory)
}

fn write_all(command: &Command, section: &str, root: &str, directory: &Path) -> io::Result<()> {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        write_all(sub, section, root, directory)?;
    }
    let man = Man::new(command.clone()).section(section);
    let path = directory.join(man.get_filename());
    let mut file = io::BufWriter::new(std::fs::File::create(path)?);
    man.render_title(&mut file)?;
    man.render_name_section(&mut file)?;
    man.render_synopsis_section(&mut file)?;
    man.render_description_section(&mut file)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut file)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut file)?;
    }
    let mut roff = Roff::default();
    rest(command, section, root, &mut roff);
    roff.to_writer(&mut file)?;
    io::Write::flush(&mut file)
}

/// What stands behind the options.
fn rest(command: &Command, section: &str, root: &str, roff: &mut Roff) {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (text, status) = match after.split_once(EXIT_STATUS) {
        Some((text, status)) => (text, status.trim()),
        None => (after.as_str(), "0 on success, 1 if something failed, 2 for bad arguments."),
    };
    let (examples, notes): (Vec<_>, Vec<_>) =
        paragraphs(text).into_iter().partition(|text| text.starts_with(EXAMPLES));
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
        for text in examples {
            verbatim(text.split_once('\n').map_or(text, |(_, lines)| lines), roff);
        }
    }
    if !notes.is_empty() {
        roff.control("SH", ["NOTES"]);
        for text in notes {
            roff.control("PP", []);
            verbatim(text, roff);
        }
    }
    roff.control("SH", ["EXIT STATUS"]);
    verbatim(status, roff);
    let files = files(command, section);
    if !files.is_empty() {
        roff.control("SH", ["FILES"]);
        for (path, text) in files {
            roff.control("TP", []).text([roman(path)]).text([roman(text)]);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    let own = command.get_display_name().unwrap_or(root);
    let subcommands = command
        .get_subcommands()
        .filter_map(|sub| sub.get_display_name())
        .map(|name| format!("{name}({section})"));
    let others = ["rsvp(1)", "rsvpd.toml(5)", "rsvpd(8)"]
        .into_iter()
        .filter(|page| page.split('(').next() != Some(own));
    let pages: Vec<_> = subcommands.chain(others.map(str::to_owned)).collect();
    roff.text([roman(pages.join(", "))]);
}

/// Files and sockets that a command uses: those with a place of their own, and those that are named on its command line.
fn files(command: &Command, section: &str) -> Vec<(String, String)> {
    let fixed = FILES.into_iter().filter(|(option, ..)| section == "8" || has(command, option));
    let fixed = fixed.map(|(_, path, text)| (path.to_owned(), text.to_owned()));
    let named = command.get_arguments().filter_map(|argument| {
        let is_fixed = FILES.iter().any(|(option, ..)| argument.get_id() == *option);
        let name = argument.get_value_names()?.first()?.to_string();
        if is_fixed || !NAMED.contains(&name.as_str()) {
            return None;
        }
        let path = argument.get_long().map_or_else(|| name.clone(), |long| format!("--{long} {name}"));
        Some((path, argument.get_help().map(ToString::to_string).unwrap_or_default()))
    });
    fixed.chain(named).collect()
}

/// Whether a command, or one of its own, has an option.
fn has(command: &Command, option: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_id() == option)
        || command.get_subcommands().any(|sub| has(sub, option))
}

/// Lines with an empty one between them and the next.
fn paragraphs(text: &str) -> Vec<&str> {
    text.split("\n\n")
        .map(|text| text.trim_end().trim_start_matches('\n'))
        .filter(|text| !text.trim().is_empty())
        .collect()
}

/// Lines as they are.
fn verbatim(text: &str, roff: &mut Roff) {
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line.trim_end())]);
    }
    roff.control("fi", []);
}

/// `rsvpd.toml(5)`, from the example.
#[cfg(feature = "daemon")]
pub(super) fn write_configuration(example: &str, directory: &Path) -> io::Result<()> {
    let mut roff = Roff::default();
    roff.control("TH", ["rsvpd.toml", "5"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman("rsvpd.toml - configuration of rsvpd, the RSVP daemon")]);
    roff.control("SH", ["DESCRIPTION"]);
    let (before, tables) = example.split_once("\n[").unwrap_or((example, ""));
    section(before, &mut roff);
    for table in tables.split("\n[") {
        let (name, text) = table.split_once('\n').unwrap_or((table, ""));
        roff.control("SS", [format!("[{name}").as_str()]);
        section(text, &mut roff);
    }
    roff.control("SH", ["FILES"]);
    roff.control("TP", [])
        .text([roman("/etc/rsvp/rsvpd.toml")])
        .text([roman("Where it is looked for; it need not be there.")]);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("rsvpd(8), rsvp(1)")]);
    let mut file = std::fs::File::create(directory.join("rsvpd.toml.5"))?;
    roff.to_writer(&mut file)
}

/// Comments as text, keys as they are written, without the sign that makes them a comment.
#[cfg(feature = "daemon")]
fn section(text: &str, roff: &mut Roff) {
    let mut words = Vec::new();
    for line in text.lines() {
        let comment = line.strip_prefix("# ");
        match comment {
            Some(comment) => words.push(comment),
            None => {
                if !words.is_empty() {
                    roff.control("PP", []).text([roman(core::mem::take(&mut words).join(" "))]);
                }
                let key = line.strip_prefix('#').unwrap_or(line);
                if !key.trim().is_empty() {
                    roff.control("nf", []).text([roman(format!("    {key}"))]).control("fi", []);
                }
            }
        }
    }
    if !words.is_empty() {
        roff.control("PP", []).text([roman(words.join(" "))]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_after_the_options_comes_under_its_heading() {
        let after = "Examples:\n  frob --all\n\nIt minds nothing.\n\nExit status: 0, or 7 at night.";
        let command = Command::new("frob").display_name("frob").after_help(after);
        let mut roff = Roff::default();
        rest(&command, "1", "frob", &mut roff);
        let text = roff.render();
        let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} in {text}"));
        let order = [
            "EXAMPLES",
            "frob",
            "NOTES",
            "It minds nothing",
            "EXIT STATUS",
            "0, or 7 at night",
            "SEE ALSO",
            "rsvpd(8)",
        ];
        assert!(order.map(place).is_sorted(), "{text}");
        assert!(!text.contains("FILES"), "it talks to no daemon: {text}");
    }

    /// The pages of a command and all below it, by their names.
    fn pages(command: &Command, all: &mut Vec<(String, String)>) {
        command.get_subcommands().for_each(|sub| pages(sub, all));
        let mut roff = Roff::default();
        rest(command, "1", "rsvp", &mut roff);
        all.push((
            command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned(),
            roff.render(),
        ));
    }

    #[test]
    fn every_page_has_examples_and_the_files_that_it_is_about() {
        let mut command = <crate::Cli as clap::CommandFactory>::command().disable_help_subcommand(true);
        command.build();
        let mut all = Vec::new();
        pages(&command, &mut all);
        for (name, page) in &all {
            assert!(page.contains("EXAMPLES"), "{name}: {page}");
        }
        let page = |name: &str| {
            let found = all.iter().find(|(page, _)| page == name);
            found.map_or_else(|| panic!("{name}"), |(_, page)| page.replace('\\', ""))
        };
        assert!(page("rsvp-decode").contains("FILES") && page("rsvp-decode").contains("--svg OUT"));
        assert!(page("rsvp-man").contains("DIRECTORY") && !page("rsvp-completions").contains("FILES"));
        #[cfg(feature = "daemon")]
        {
            let (watch, send, tc) = (page("rsvp-watch"), page("rsvp-send"), page("rsvp-tc"));
            assert!(watch.contains("control.sock") && !watch.contains("qos.sock"), "{watch}");
            assert!(send.contains("qos.sock") && send.contains("rsvpd.toml"), "{send}");
            assert!(tc.contains("control.sock"), "of its commands: {tc}");
            let put = page("rsvp-policy-put");
            assert!(put.contains("FILE") && put.contains("A file with one policy"), "{put}");
        }
    }
}
