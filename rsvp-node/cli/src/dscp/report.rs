//! What a check found, for people and as JSON.

use super::count::{Counts, Other, SHOWN, Verdict};
use super::{Failure, print};
use core::time::Duration;
use rsvp_capture::Timestamp;
use rsvp_client::Dscp;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::UNIX_EPOCH;

/// The name and number of a mark, or the number alone.
fn shown(dscp: Dscp) -> String {
    dscp.name().map_or_else(|| dscp.to_string(), |name| format!("{name} ({})", dscp.value()))
}

fn time(time: Timestamp) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::new(time.seconds, time.nanos));
    // The last year that can be written in four digits.
    let at = at.filter(|_| time.seconds < 253_402_300_800);
    at.map_or_else(|| time.seconds.to_string(), |at| humantime::format_rfc3339_micros(at).to_string())
}

fn protocol(number: u8) -> String {
    match number {
        1 => "ICMP".to_owned(),
        6 => "TCP".to_owned(),
        17 => "UDP".to_owned(),
        58 => "ICMPv6".to_owned(),
        132 => "SCTP".to_owned(),
        other => format!("protocol {other}"),
    }
}

/// What is missing from the proof, line by line.
fn gaps(counts: &Counts) -> Vec<String> {
    let mut lines = Vec::new();
    if counts.dropped > 0 {
        lines.push(format!(
            "the kernel dropped {} packets before they could be looked at: check fewer at a time",
            counts.dropped
        ));
    }
    if counts.unreadable > 0 {
        lines.push(format!(
            "{} packets have headers that cannot be read, or that the capture cut off",
            counts.unreadable
        ));
    }
    if let Some(link) = counts.unknown_link {
        lines.push(format!("frames of link type {} are not looked into", link.0));
    }
    lines
}

/// Lines for people.
pub(super) fn text(counts: &Counts, verdict: Verdict) -> Result<(), Failure> {
    let (packets, matching) = (counts.packets(), counts.matching());
    let mut text = String::new();
    if packets > 0 {
        let _ = writeln!(text, "{:18}{:>10}{:>10}{:>10}", "DSCP", "IPV4", "IPV6", "PACKETS");
        for (dscp, [four, six]) in counts.marks() {
            let _ = writeln!(text, "{:18}{four:>10}{six:>10}{:>10}", shown(dscp), four + six);
        }
        text.push('\n');
    }
    for other in &counts.others {
        let _ = writeln!(text, "{}", line(other));
    }
    if packets - matching > SHOWN as u64 {
        let _ = writeln!(text, "and {} more", packets - matching - SHOWN as u64);
    }
    for gap in gaps(counts) {
        let _ = writeln!(text, "{gap}");
    }
    let expected = shown(counts.expected);
    let _ = match verdict {
        Verdict::All => write!(text, "{}: marked {expected}", number(packets, "all")),
        Verdict::Other => {
            write!(text, "{} of {} not marked {expected}", packets - matching, number(packets, ""))
        }
        Verdict::Nothing => write!(text, "no packet to check among {} frames", counts.frames),
        Verdict::Incomplete => {
            write!(text, "{} seen: marked {expected}, but not all were seen", number(packets, "all"))
        }
    };
    print(&text)
}

fn number(packets: u64, all: &str) -> String {
    match (packets, all) {
        (1, _) => "1 packet".to_owned(),
        (_, "") => format!("{packets} packets"),
        _ => format!("{all} {packets} packets"),
    }
}

/// When, which frame, between whom, and the mark that it has.
fn line(other: &Other) -> String {
    let headers = &other.headers;
    let at = other.time.map_or_else(String::new, |at| format!("{}  ", time(at)));
    let between = match headers.ports {
        Some((from, to)) => {
            format!(
                "{} > {}",
                SocketAddr::new(headers.source, from),
                SocketAddr::new(headers.destination, to)
            )
        }
        None => format!("{} > {}", headers.source, headers.destination),
    };
    let fragment = if headers.fragment.is_some() { ", a fragment" } else { "" };
    let (frame, protocol, mark) = (other.frame, protocol(headers.protocol), shown(other.dscp()));
    format!("{at}frame {frame}: {between} {protocol}{fragment}: {mark}")
}

/// One JSON object.
pub(super) fn json(counts: &Counts, verdict: Verdict, filter: &str) -> Result<(), Failure> {
    let mark = |(dscp, [four, six]): (Dscp, [u64; 2])| json!({ "dscp": dscp.value(), "name": dscp.name(), "ipv4": four, "ipv6": six, "packets": four + six });
    let other = |other: &Other| {
        let headers = &other.headers;
        json!({
            "time": other.time.map(time),
            "frame": other.frame,
            "source": headers.source,
            "destination": headers.destination,
            "protocol": headers.protocol,
            "source_port": headers.ports.map(|ports| ports.0),
            "destination_port": headers.ports.map(|ports| ports.1),
            "fragment": headers.fragment.is_some(),
            "dscp": other.dscp().value(),
            "name": other.dscp().name(),
        })
    };
    let verdict = match verdict {
        Verdict::All => "all",
        Verdict::Other => "other",
        Verdict::Nothing => "nothing",
        Verdict::Incomplete => "incomplete",
    };
    let object = json!({
        "expect": counts.expected.value(),
        "name": counts.expected.name(),
        "filter": filter,
        "verdict": verdict,
        "packets": counts.packets(),
        "matching": counts.matching(),
        "marks": counts.marks().map(mark).collect::<Vec<Value>>(),
        "others": counts.others.iter().map(other).collect::<Vec<Value>>(),
        "frames": counts.frames,
        "dropped": counts.dropped,
        "unreadable": counts.unreadable,
        "unknown_link": counts.unknown_link.map(|link| link.0),
    });
    print(&object.to_string())
}
