//! `rsvp decode`: what RSVP there is in a capture.
//!
//! One pass over the capture on one core; every message is judged, filtered and shown before the next is looked at, and
//! nothing of it is kept but what `--stats` counts and diagrams draw, within fixed bounds.

mod body;
mod compact;
mod fields;
mod filter;
mod hops;
mod json;
mod keys;
mod ladder;
mod lanes;
mod look;
mod one_line;
mod repeats;
mod rows;
mod source;
mod stats;
mod svg;
mod text;
mod tree;
mod verdict;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use crate::{Stop, Streams};
use rsvp_capture::LinkType;
use rsvp_capture::packet::{Finder, Packet};

use filter::Filter;
use keys::{Given, Integrity, Keys};
use ladder::Ladder;
use look::{Look, When};
use repeats::Repeats;
use source::Source;
use stats::Stats;
use svg::Picture;
use text::Text;
use verdict::Judged;

/// Octets of output that are gathered before they are written.
const GATHERED: usize = 64 << 10;

/// Shows the RSVP messages of a capture: one line each, or as a tree, JSON, counts or a diagram.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    rsvp decode capture.pcap\n  \
    rsvp decode -v --filter 'type Resv and session 10.0.2.2' capture.pcap\n  \
    rsvp decode --svg ladder.svg capture.pcap\n  \
    rsvp decode --json capture.pcap | jq .message\n  \
    rsvp decode --interface eth0\n  \
    tcpdump -U -w - -i eth0 'proto 46' | rsvp decode --color always --local-time\n  \
    zstd -dc --long=31 huge.pcapng.zst | rsvp decode --stats -\n  \
    rsvp decode --link-type ppp-hdlc wrongly-labelled.pcap.gz\n  \
    rsvp decode --strict --key 7:md5:text:secret --key @keys.txt capture.pcap\n\n\
    Exit status: 0, 1 if --strict found a malformed message or a wrong digest, 2 if the capture could not be read.")]
pub(super) struct Args {
    /// A capture file (pcap or pcapng, also compressed by gzip or zstd); `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,

    /// The file has hex digits: messages or IP packets (with --link-type: frames), separated by empty lines.
    #[arg(long)]
    hex: bool,

    /// Read all frames as of this link type, whatever the capture says: a name such as ethernet, ppp, ppp-hdlc, c-hdlc,
    /// frelay, linux-sll or raw, or a number of the registry of pcap link types.
    #[arg(long, value_name = "TYPE", conflicts_with = "interface")]
    link_type: Option<LinkType>,

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

    /// Draw the messages as a sequence diagram in the terminal: from node to node, with refreshes counted in the line of what they
    /// refresh. Addresses that are seen to be of one node share a line. What is captured live is drawn at once, message by message.
    #[arg(long, group = "form")]
    ladder: bool,

    /// With --ladder: how many lanes there are (6, or as many as fit). Of more nodes, those that come last share the last lane.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=64))]
    lanes: Option<u16>,

    /// Draw the messages (the first 2,000) as a sequence diagram in an SVG file.
    #[arg(long, value_name = "OUT", group = "form")]
    svg: Option<PathBuf>,

    /// With --ladder or --svg: draw each refresh like any other message.
    #[arg(long)]
    refreshes: bool,

    /// With --stats: how many sessions and neighbours to show, the busiest first; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,

    /// Only the messages for which an expression holds, such as `type Path and session 10.0.2.2`. Terms: type, session,
    /// address, src, dst, class, error, malformed, quoted; joined by and, or, not and parentheses.
    #[arg(long, value_name = "EXPRESSION")]
    filter: Vec<Filter>,

    /// Verify INTEGRITY digests (RFC 2747) with this key; may be given more than once. The algorithm is md5, sha1, sha256,
    /// sha384 or sha512; the key is hex digits, or `text:` and a text. `@FILE` reads keys from a file, one a line, where other
    /// users do not see them; blanks around them do not count, and lines that begin with `#` are comments.
    #[arg(long = "key", value_name = "ID:ALGORITHM:HEX")]
    keys: Vec<Given>,

    /// Exit with status 1 if any message was malformed, or had a digest that is wrong by the keys that were given.
    #[arg(long)]
    strict: bool,

    /// Show times by the clock of this machine's time zone (or that of the variable TZ) instead of UTC.
    #[arg(long, conflicts_with = "json")]
    local_time: bool,

    /// Whether to use colours.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto)]
    color: When,

    /// Fold lines, and leave out what does not fit, at so many columns; 0 for never. Without it, those of the terminal.
    #[arg(long, value_name = "COLUMNS")]
    width: Option<u16>,
}

/// How messages are shown.
enum Form {
    OneLine,
    Tree,
    Json,
    Stats(Box<Stats>),
    Ladder(Box<Ladder>),
    Svg(Box<Picture>, PathBuf),
}

/// Everything that is going on.
struct Run<'o> {
    filter: Filter,
    keys: Keys,
    form: Form,
    look: Look,
    repeats: Repeats,
    text: Text,
    out: Box<dyn Write + 'o>,
    /// Whether each message is to be seen at once.
    prompt: bool,
    shown: u64,
    malformed: u64,
    bad_digests: u64,
}

/// Runs the command.
pub(super) fn main(args: &Args, streams: Streams<'_>) -> u8 {
    let Streams { input, output, mut errors, prompt } = streams;
    let look = match Look::new(args.local_time, args.color, args.width, prompt) {
        Ok(look) => look,
        Err(why) => {
            let _ = writeln!(errors, "rsvp decode: {why}");
            return 2;
        }
    };
    let mut run = Run {
        filter: Filter::All(args.filter.clone()),
        keys: Keys::new(&args.keys),
        form: Form::new(args, &look, prompt),
        look,
        repeats: Repeats::new(),
        text: Text::new(),
        out: output,
        prompt: prompt || args.interface.is_some(),
        shown: 0,
        malformed: 0,
        bad_digests: 0,
    };
    let mut finder = Finder::new();
    match run.all(args, input, &mut finder) {
        Ok(()) => {}
        Err(Stop::Quiet) => return 0,
        Err(Stop::Failed(why)) => {
            let _ = writeln!(errors, "rsvp decode: {why}");
            return 2;
        }
    }
    let _ = remarks(&finder, run.shown, &mut errors);
    u8::from(args.strict && run.malformed + run.bad_digests > 0)
}

/// The file behind standard output.
pub(super) fn unbuffered(output: &io::Stdout) -> io::Result<File> {
    output.as_fd().try_clone_to_owned().map(File::from)
}

impl Form {
    fn new(args: &Args, look: &Look, prompt: bool) -> Self {
        match args {
            Args { verbose: true, .. } => Self::Tree,
            Args { json: true, .. } => Self::Json,
            Args { stats: true, .. } => Self::Stats(Box::new(Stats::new(args.top))),
            Args { ladder: true, .. } => {
                let live = args.interface.is_some() || (prompt && args.file.as_os_str() == "-");
                Self::Ladder(Box::new(Ladder::new(args.lanes, look, live, args.refreshes)))
            }
            Args { svg: Some(path), .. } => Self::Svg(Box::new(Picture::new(args.refreshes)), path.clone()),
            _ => Self::OneLine,
        }
    }
}

impl Run<'_> {
    fn all(&mut self, args: &Args, input: Box<dyn Read + '_>, finder: &mut Finder) -> Result<(), Stop> {
        let source = Source::open(args.interface.as_deref(), &args.file, args.hex, input)?;
        let ended = source.each(args.link_type, finder, self);
        if matches!(ended, Err(Stop::Quiet)) {
            return ended;
        }
        // What was found before a capture turned out to be damaged is shown in any case.
        while let Some(packet) = finder.given_up(true) {
            self.message(&packet)?;
        }
        self.end(finder)?;
        ended
    }

    #[inline]
    fn message(&mut self, packet: &Packet<'_>) -> Result<(), Stop> {
        let judged = Judged::new(packet, &self.keys);
        if !self.filter.holds(packet, &judged) {
            return Ok(());
        }
        self.shown += 1;
        if packet.quoted.is_none() {
            self.malformed += u64::from(judged.fault.is_some());
            self.bad_digests += u64::from(judged.integrity == Some(Integrity::Bad));
        }
        let look = &self.look;
        match &mut self.form {
            Form::OneLine => one_line::write(packet, &judged, look, &mut self.text),
            Form::Tree => tree::write(packet, &judged, &mut self.repeats, look, &mut self.text),
            Form::Json => json::write(packet, &judged, &mut self.repeats, &mut self.text),
            Form::Stats(stats) => stats.count(packet, &judged),
            Form::Ladder(ladder) => ladder.add(packet, &judged, look, &mut self.text),
            Form::Svg(picture, _) => picture.add(packet, &judged),
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
        match &mut self.form {
            Form::Stats(stats) => stats.write(finder.layers(), &self.look, &mut self.text),
            Form::Ladder(ladder) => ladder.draw(&self.look, &mut self.text),
            Form::Svg(picture, path) => {
                let mut drawn = Text::new();
                picture.draw(&self.look, &mut drawn);
                std::fs::write(&*path, drawn.as_bytes())
                    .map_err(|error| Stop::Failed(format!("cannot write {}: {error}", path.display())))?;
            }
            _ => {}
        }
        self.flush()?;
        self.out.flush()?;
        Ok(())
    }
}

/// What somebody who wonders about the output should know; not part of it.
fn remarks(finder: &Finder, shown: u64, errors: &mut dyn Write) -> io::Result<()> {
    let layers = finder.layers();
    for (count, what) in [
        (layers.unreadable, "frames could not be read as IP"),
        (layers.incomplete, "fragmented datagrams are incomplete"),
    ] {
        if count > 0 {
            writeln!(errors, "rsvp decode: {count} {what}")?;
        }
    }
    if let Some(link) = layers.unknown_link {
        writeln!(
            errors,
            "rsvp decode: frames of link type {} are not looked into; --link-type says what they are",
            link.0
        )?;
    }
    if shown == 0 {
        writeln!(errors, "rsvp decode: no RSVP message to show in {} frames", layers.frames)?;
    }
    Ok(())
}
