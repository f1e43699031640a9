//! `rsvp dscp check`: whether packets have the mark that they should have.

use super::count::{Counts, Verdict};
use super::filter::Filter;
use super::tap::Tap;
use super::{Failure, report};
use crate::command::span;
use clap::{ArgGroup, Args};
use core::time::Duration;
use rsvp_capture::Capture;
use rsvp_client::Dscp;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

/// The exit status when no check took place, or not to its end.
pub(super) const CANNOT: u8 = 2;

/// Counts the packets of an interface or a capture file by their mark, and fails when one has another than expected
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true))]
#[command(after_help = "Examples:\n  \
    rsvp dscp check --interface lo --expect ef --for 10s dst port 8086\n  \
    rsvp dscp check --interface eth0 --expect af41 --count 1000 'udp and (net 10.0.0.0/8 or net fd00::/8)'\n  \
    rsvp dscp check --read capture.pcap --expect ef --json not icmp | jq .verdict\n\n\
    The filter is in the manner of tcpdump's:\n  \
    tcp | udp | sctp | icmp | icmp6 | proto N | ip | ip6\n  \
    [src | dst] port N | portrange N-M | host ADDRESS | net NETWORK, after a protocol or on their own\n  \
    and, or, not, parentheses; `and` and `or` bind alike, from left to right\n\n\
    What counts is the DSCP of the outermost IP header; ECN is left out. Each packet counts once, on loopback too, and each\n\
    fragment for itself: a later one, which has no ports, goes with the first of its datagram if that was seen in the minute\n\
    before it. Where segments are put together before they are captured (offloads), what was put together is one packet.\n\
    Ctrl-C ends the check with the verdict on what was seen.\n\n\
    Exit status:\n  \
    0  every packet has the mark\n  \
    1  at least one has another\n  \
    2  the check was not possible, or not to its end\n  \
    3  there was no packet to check\n  \
    4  every packet that was seen has the mark, but some could not be looked at: the kernel dropped them (of all that\n     \
       passed, whatever the filter), or their headers cannot be read")]
pub(super) struct Arguments {
    /// Captures from an interface, until Ctrl-C, --count or --for; needs CAP_NET_RAW
    #[arg(long, value_name = "IF", group = "source")]
    interface: Option<String>,
    /// Reads a capture file (pcap or pcapng) instead; `-` is standard input
    #[arg(long, value_name = "FILE", group = "source")]
    read: Option<PathBuf>,
    /// The mark that every packet should have: a name such as ef, or a number
    #[arg(long, value_name = "DSCP")]
    expect: Dscp,
    /// Ends after so many packets that the filter lets through
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Ends after so long
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with = "read")]
    r#for: Option<Duration>,
    /// Writes a line `ready` to standard error once packets are captured, so that a script can begin to send
    #[arg(long, conflicts_with = "read")]
    ready: bool,
    /// The result as a JSON object
    #[arg(long)]
    json: bool,
    /// Which packets to check [default: all of IP]
    #[arg(value_name = "FILTER")]
    filter: Vec<String>,
}

/// `rsvp dscp check`.
pub(super) fn main(arguments: &Arguments) -> Result<u8, Failure> {
    let text = arguments.filter.join(" ");
    let filter = if arguments.filter.is_empty() {
        None
    } else {
        Some(text.parse::<Filter>().map_err(|error| Failure::Asked(error.to_string()))?)
    };
    let mut counts = Counts::new(arguments.expect, filter);
    let ended = match (&arguments.interface, &arguments.read) {
        (Some(interface), _) => live(arguments, interface, &mut counts)?,
        (None, Some(path)) => file(arguments, path, &mut counts)?,
        (None, None) => return Err(Failure::Asked("say --interface or --read".to_owned())),
    };
    let verdict = counts.verdict();
    if arguments.json {
        report::json(&counts, verdict, &text)?;
    } else {
        report::text(&counts, verdict)?;
    }
    // What was counted until something failed is shown, but a check is only one if it came to its end.
    ended.map_err(Failure::Asked)?;
    Ok(match verdict {
        Verdict::All => 0,
        Verdict::Other => 1,
        Verdict::Nothing => 3,
        Verdict::Incomplete => 4,
    })
}

impl Arguments {
    fn is_enough(&self, counts: &Counts) -> bool {
        self.count.is_some_and(|count| counts.packets() >= count)
    }
}

/// Why a source gave no more before its time, if it did.
type Ended = Result<(), String>;

fn file(arguments: &Arguments, path: &Path, counts: &mut Counts) -> Result<Ended, Failure> {
    let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| Failure::Asked(at(&error)))?)
    };
    let mut capture = Capture::open(input).map_err(|error| Failure::Asked(at(&error)))?;
    loop {
        match capture.next_frame() {
            Ok(Some(frame)) => counts.add(&frame),
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(at(&error))),
        }
        if arguments.is_enough(counts) {
            return Ok(Ok(()));
        }
    }
}

fn live(arguments: &Arguments, interface: &str, counts: &mut Counts) -> Result<Ended, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))
            .map_err(|error| Failure::Asked(format!("cannot wait for signal {signal}: {error}")))?;
    }
    let mut tap = Tap::open(interface).map_err(Failure::Asked)?;
    if arguments.ready {
        eprintln!("ready");
    } else {
        eprintln!("rsvp dscp check: capturing on {interface}, Ctrl-C ends it");
    }
    let end = arguments.r#for.map(|time| Instant::now() + time);
    let is_over = || interrupted.load(Ordering::Relaxed) || end.is_some_and(|end| Instant::now() >= end);
    let counted = all(&mut tap, arguments, counts, is_over);
    let done = tap.dropped().and_then(|dropped| {
        counts.dropped = dropped;
        counted
    });
    Ok(done.map_err(|error| format!("capturing on {interface} ended: {error}")))
}

/// Counts until it is over, and then what came before it was.
fn all(
    tap: &mut Tap,
    arguments: &Arguments,
    counts: &mut Counts,
    is_over: impl Fn() -> bool,
) -> io::Result<()> {
    let mut closed = false;
    loop {
        if !closed && is_over() {
            tap.close()?;
            closed = true;
        }
        match tap.next_frame()? {
            Some(frame) => counts.add(&frame),
            None if closed => return Ok(()),
            None => {}
        }
        if arguments.is_enough(counts) {
            return Ok(());
        }
    }
}
