//! Packets of a flow as a capture has them, and what a token bucket says of them.

use super::super::capture::{Capture, frames};
use super::super::net::Net;
use std::collections::BTreeMap;

const TCP: u8 = 6;

/// A packet on a wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::daemon) struct Seen {
    /// When, in microseconds, by the kernel's clock.
    pub(in crate::daemon) at: u64,
    /// Octets from the IP header on.
    pub(in crate::daemon) octets: u64,
    pub(in crate::daemon) tos: u8,
    /// VLAN and priority, where there is a tag.
    pub(in crate::daemon) tag: Option<(u16, u8)>,
    /// Source and destination.
    pub(in crate::daemon) ports: (u16, u16),
    /// The flags of TCP; 0 of other protocols.
    pub(in crate::daemon) flags: u8,
}

impl Seen {
    pub(in crate::daemon) fn dscp(&self) -> u8 {
        self.tos >> 2
    }
}

impl Net {
    /// Captures the headers of what a filter lets through, with room for many of them.
    pub(in crate::daemon) fn capture_many(&mut self, node: &str, interface: &str, filter: &str) -> Capture {
        Capture { file: self.tcpdump(node, interface, &["-s", "96", "-B", "65536", filter]) }
    }
}

/// All IPv4 packets of a capture to or from a port, in their order.
pub(in crate::daemon) fn seen(capture: &Capture, port: u16) -> Vec<Seen> {
    seen_of(capture, port, 4)
}

/// The same of IPv6, as far as they have no extension headers.
pub(in crate::daemon) fn seen_v6(capture: &Capture, port: u16) -> Vec<Seen> {
    seen_of(capture, port, 6)
}

fn seen_of(capture: &Capture, port: u16, version: u8) -> Vec<Seen> {
    let read = |(seconds, micros, frame): (u32, u32, Vec<u8>)| {
        let two = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
        let is_tagged = two(12)? == 0x8100;
        let start = if is_tagged { 18 } else { 14 };
        let packet = frame.get(start..)?;
        let is_v6 = version == 6;
        let header = if is_v6 { 40 } else { usize::from(packet.first()? & 15) * 4 };
        let transport = start + header;
        let protocol = *packet.get(if is_v6 { 6 } else { 9 })?;
        let seen = Seen {
            at: u64::from(seconds) * 1_000_000 + u64::from(micros),
            octets: if is_v6 { u64::from(two(start + 4)?) + 40 } else { two(start + 2)?.into() },
            tos: if is_v6 { packet[0] << 4 | packet[1] >> 4 } else { packet[1] },
            tag: if is_tagged { Some((two(14)? & 0xfff, frame[14] >> 5)) } else { None },
            ports: (two(transport)?, two(transport + 2)?),
            flags: if protocol == TCP { *frame.get(transport + 13)? } else { 0 },
        };
        (packet[0] >> 4 == version && (seen.ports.0 == port || seen.ports.1 == port)).then_some(seen)
    };
    frames(&capture.file).into_iter().filter_map(read).collect()
}

/// How many packets have each DSCP.
pub(in crate::daemon) fn by_dscp(packets: &[Seen]) -> BTreeMap<u8, usize> {
    let mut found = BTreeMap::new();
    for packet in packets {
        *found.entry(packet.dscp()).or_default() += 1;
    }
    found
}

/// Octets of packets, and how long it took from the first to the last, in seconds.
pub(in crate::daemon) fn amount<'a>(packets: impl IntoIterator<Item = &'a Seen>) -> (u64, f64) {
    let (mut octets, mut first, mut last) = (0, None, 0);
    for packet in packets {
        octets += packet.octets;
        first = first.or(Some(packet.at));
        last = packet.at;
    }
    (octets, (last - first.unwrap_or(last)) as f64 / 1e6)
}

/// By how many octets more than r t + b came in the window in which that was the most; below zero where the bucket was
/// never empty.
pub(in crate::daemon) fn beyond(packets: &[Seen], rate: u64, bucket: u64) -> f64 {
    let (mut level, mut most, mut last) = (0.0_f64, 0.0_f64, packets.first().map_or(0, |packet| packet.at));
    for packet in packets {
        level =
            (level - (packet.at.saturating_sub(last) * rate) as f64 / 1e6).max(0.0) + packet.octets as f64;
        last = packet.at;
        most = most.max(level);
    }
    most - bucket as f64
}
