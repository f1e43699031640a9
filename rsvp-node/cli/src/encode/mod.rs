//! `rsvp encode`: packets from JSON, in the form that `rsvp decode --json` writes.
//!
//! So a test bench can take a capture, change what it wants to and write it back, or make up a message from nothing; with
//! `--raw` also one that no sender would send. What a layout knows is written by `rsvp-wire`; here is what is around it.
//! Nothing is fragmented, and nothing is sent.

mod packet;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rsvp_capture::LinkType;
use rsvp_capture::write::PcapWriter;
use rsvp_wire::encode::{self, Lengths};
use serde_json::{Deserializer, Value};

use super::{Stop, Streams};
use packet::Outer;

/// Keys of `rsvp decode --json` that are not about the message itself.
const OUTER: [&str; 12] = [
    "frame",
    "time",
    "direction",
    "src",
    "dst",
    "ttl",
    "router_alert",
    "udp_src_port",
    "udp_dst_port",
    "ip_protocol",
    "quoted",
    "integrity",
];

/// Makes packets from JSON: objects in the form of `rsvp decode --json`, one after the other.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    rsvp decode --json capture.pcap | rsvp encode --output again.pcap\n  \
    rsvp encode --raw --hex wrong.json\n\n\
    Without --raw, lengths, counts and checksums are computed, and `length`, `offset`, `name`, \
                        `truncated` and `error` in the JSON are ignored.\nExit status: 0, 2 if the JSON cannot be encoded.")]
pub(super) struct Args {
    /// A file of JSON objects; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,

    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,

    /// Write the messages as hex digits, without IP, instead of a pcap file; `rsvp decode --hex` reads them.
    #[arg(long)]
    hex: bool,

    /// Take `length` of messages, objects and what is in them, and `checksum_value`, from the JSON, right or wrong.
    #[arg(long)]
    raw: bool,
}

/// Where packets go.
enum Sink<'o> {
    Hex(BufWriter<Box<dyn Write + 'o>>),
    /// Opened with the first packet, whose time says in which resolution.
    Pcap(Option<Box<dyn Write + 'o>>, Option<PcapWriter<BufWriter<Box<dyn Write + 'o>>>>),
}

/// Runs the command.
pub(super) fn main(args: &Args, streams: Streams<'_>) -> u8 {
    let Streams { input, output, mut errors, prompt } = streams;
    match run(args, input, output, prompt) {
        Ok(0) | Err(Stop::Quiet) => 0,
        Ok(quoted) => {
            let _ = writeln!(errors, "rsvp encode: {quoted} messages that are quoted by ICMP are left out");
            0
        }
        Err(Stop::Failed(why)) => {
            let _ = writeln!(errors, "rsvp encode: {why}");
            2
        }
    }
}

/// Gives back how many messages were left out.
fn run<'o>(
    args: &Args,
    input: Box<dyn Read + '_>,
    output: Box<dyn Write + 'o>,
    terminal: bool,
) -> Result<u64, Stop> {
    let failed = |path: &Path, error| Stop::Failed(format!("{}: {error}", path.display()));
    let input: Box<dyn Read + '_> = if args.file == Path::new("-") {
        input
    } else {
        Box::new(File::open(&args.file).map_err(|error| failed(&args.file, error))?)
    };
    let output: Box<dyn Write + 'o> = match &args.output {
        Some(path) => Box::new(File::create(path).map_err(|error| failed(path, error))?),
        None if terminal && !args.hex => {
            return Err(Stop::Failed("a pcap file is not for a terminal: use -o FILE, or --hex".into()));
        }
        None => output,
    };
    let mut sink = if args.hex { Sink::Hex(BufWriter::new(output)) } else { Sink::Pcap(Some(output), None) };
    let lengths = if args.raw { Lengths::AsGiven } else { Lengths::Computed };
    let (mut number, mut quoted) = (0, 0);
    for json in Deserializer::from_reader(BufReader::new(input)).into_iter::<Value>() {
        number += 1;
        let wrong = |why: String| Stop::Failed(format!("message {number}: {why}"));
        let json = json.map_err(|error| wrong(format!("this is no JSON: {error}")))?;
        // What came back in an error was not sent as a packet of its own.
        if json.get("quoted").is_some_and(|quoted| !quoted.is_null()) {
            quoted += 1;
            continue;
        }
        let octets = encode::message(&json, lengths, &OUTER).map_err(|error| wrong(error.to_string()))?;
        let outer = Outer::read(&json).map_err(wrong)?;
        sink.put(&outer, number, &octets, wrong)?;
    }
    sink.end().map(|()| quoted)
}

impl Sink<'_> {
    fn put(
        &mut self,
        outer: &Outer,
        number: u64,
        octets: &[u8],
        wrong: impl Fn(String) -> Stop,
    ) -> Result<(), Stop> {
        match self {
            Self::Hex(out) => {
                writeln!(out, "{}# message {number}", if number > 1 { "\n" } else { "" })?;
                for row in octets.chunks(16) {
                    let words =
                        row.chunks(4).map(|word| word.iter().map(|octet| format!("{octet:02x}")).collect());
                    writeln!(out, "{}", words.collect::<Vec<String>>().join(" "))?;
                }
                Ok(())
            }
            Self::Pcap(output, writer) => {
                let packet = outer.packet(octets).map_err(&wrong)?;
                if let Some(output) = output.take() {
                    *writer = Some(open(output, outer.fine)?);
                }
                let Some(writer) = writer else { return Ok(()) };
                writer
                    .write(outer.time.unwrap_or(Duration::ZERO), &packet)
                    .map_err(|error| wrong(error.to_string()))
            }
        }
    }

    fn end(self) -> Result<(), Stop> {
        match self {
            Self::Hex(mut out) => out.flush()?,
            Self::Pcap(Some(output), _) => open(output, false)?.into_inner().flush()?,
            Self::Pcap(None, Some(writer)) => writer.into_inner().flush()?,
            Self::Pcap(None, None) => {}
        }
        Ok(())
    }
}

fn open(output: Box<dyn Write + '_>, fine: bool) -> Result<PcapWriter<BufWriter<Box<dyn Write + '_>>>, Stop> {
    PcapWriter::new(BufWriter::new(output), LinkType::RAW, fine)
        .map_err(|error| Stop::Failed(format!("cannot write: {error}")))
}
