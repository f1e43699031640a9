//! `rsvp decode`: what RSVP there is in a capture.
//!
//! One pass over the capture on one core; every message is judged, filtered and shown before the next is looked at, and
//! nothing of it is kept but what `--stats` counts and a picture draws.

mod body;
mod fields;
mod filter;
mod json;
mod keys;
mod one_line;
mod repeats;
mod source;
mod stats;
mod text;
mod tree;
mod verdict;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::packet::{Finder, Packet};

use filter::Filter;
use keys::{Key, Keys};
use repeats::Repeats;
use source::{Source, Stop};
use stats::Stats;
use text::Text;
use verdict::Judged;

/// Octets of output that are gathered before they are written.
const GATHERED: usize = 256 << 10;

/// Shows the RSVP messages of a capture: one line each, or as a tree, JSON, counts or a diagram.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0, 1 if --strict found a malformed message, 2 if the capture could not be read.")]
pub(super) struct Args {
    /// A capture file (pcap or pcapng); `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,

    /// The file has hex digits: messages or IP packets, separated by empty lines.
    #[arg(long)]
    hex: bool,

    /// Capture from an interface until interrupted, instead of reading a file.
    #[arg(long, value_name = "IF", conflicts_with_all = ["file", "hex"])]
    interface: Option<String>,

    /// Show each message as a tree with names, units and offsets.
    #[arg(short, long, group = "form")]
    verbose: bool,

    /// Show each message as a line of JSON, which `rsvp encode` turns back into packets.
    #[arg(long, group = "form")]
    json: bool,

    /// Count messages by type, session, neighbour and error instead of showing them.
    #[arg(long, group = "form")]
    stats: bool,

    /// With --stats: how many sessions and neighbours to show, the busiest first; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,

    /// Only the messages for which an expression holds, such as `type Path and session 10.0.2.2`. Terms: type, session,
    /// address, src, dst, class, error, malformed; joined by and, or, not and parentheses.
    #[arg(long, value_name = "EXPRESSION")]
    filter: Vec<Filter>,

    /// Verify INTEGRITY digests (RFC 2747) with this key; may be given more than once. The algorithm is md5, sha1, sha256,
    /// sha384 or sha512.
    #[arg(long = "key", value_name = "ID:ALGORITHM:HEX")]
    keys: Vec<Key>,

    /// Exit with status 1 if any message was malformed.
    #[arg(long)]
    strict: bool,
}

/// How messages are shown.
enum Form {
    OneLine,
    Tree,
    Json,
    Stats(Box<Stats>),
}

/// Everything that is going on.
struct Run<'o> {
    filter: Filter,
    keys: Keys,
    form: Form,
    repeats: Repeats,
    text: Text,
    out: Box<dyn Write + 'o>,
    /// Whether each message is to be seen at once.
    prompt: bool,
    shown: u64,
    malformed: u64,
}

/// Runs the command.
pub(super) fn main(args: &Args) -> ExitCode {
    match run(args) {
        Ok(malformed) if args.strict && malformed > 0 => ExitCode::from(1),
        Ok(_) => ExitCode::SUCCESS,
        Err(Stop::Quiet) => ExitCode::SUCCESS,
        Err(Stop::Failed(why)) => {
            eprintln!("rsvp decode: {why}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<u64, Stop> {
    // The file behind standard output: what is gathered here need not be buffered by lines once more.
    let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let form = match args {
        Args { verbose: true, .. } => Form::Tree,
        Args { json: true, .. } => Form::Json,
        Args { stats: true, .. } => Form::Stats(Box::new(Stats::new(args.top))),
        _ => Form::OneLine,
    };
    let mut run = Run {
        filter: Filter::All(args.filter.clone()),
        keys: Keys::new(args.keys.clone()),
        form,
        repeats: Repeats::new(),
        text: Text::new(),
        prompt: args.interface.is_some() || out.is_terminal(),
        out: Box::new(out),
        shown: 0,
        malformed: 0,
    };
    let mut finder = Finder::new();
    let ended = Source::open(args.interface.as_deref(), &args.file, args.hex)?.each(&mut finder, &mut run);
    // What was found before a capture turned out to be damaged is shown in any case.
    while let Some(packet) = finder.given_up(true) {
        run.message(&packet)?;
    }
    run.end(&finder)?;
    ended.map(|()| run.malformed)
}

impl Run<'_> {
    #[inline]
    fn message(&mut self, packet: &Packet<'_>) -> Result<(), Stop> {
        let judged = Judged::new(packet, &self.keys);
        if !self.filter.holds(packet, &judged) {
            return Ok(());
        }
        self.shown += 1;
        self.malformed += u64::from(judged.fault.is_some());
        match &mut self.form {
            Form::OneLine => one_line::write(packet, &judged, &mut self.text),
            Form::Tree => tree::write(packet, &judged, &mut self.repeats, &mut self.text),
            Form::Json => json::write(packet, &judged, &mut self.repeats, &mut self.text),
            Form::Stats(stats) => stats.count(packet, &judged),
        }
        if self.text.len() >= GATHERED || self.prompt { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Stop> {
        self.text.drain_to(&mut self.out)?;
        if self.prompt {
            self.out.flush()?;
        }
        Ok(())
    }

    fn end(&mut self, finder: &Finder) -> Result<(), Stop> {
        if let Form::Stats(stats) = &mut self.form {
            stats.write(finder.layers(), &mut self.text);
        }
        self.flush()?;
        self.out.flush()?;
        remarks(finder, self.shown);
        Ok(())
    }
}

/// What somebody who wonders about the output should know; not part of it.
fn remarks(finder: &Finder, shown: u64) {
    let layers = finder.layers();
    let remark = |count: u64, what: &str| {
        if count > 0 {
            eprintln!("rsvp decode: {count} {what}");
        }
    };
    remark(layers.unreadable, "frames could not be read as IP");
    remark(layers.incomplete, "fragmented datagrams are incomplete");
    if let Some(link) = layers.unknown_link {
        eprintln!("rsvp decode: frames of link type {} cannot be read", link.0);
    }
    if shown == 0 {
        eprintln!("rsvp decode: no RSVP message to show in {} frames", layers.frames);
    }
}
