//! What is on a wire: packets of protocol 46 as tcpdump wrote them, read by hand.

use super::eventually;
use super::net::Net;
use rsvp_wire::{Message, MsgType, RsvpHop};
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// A running capture.
pub(super) struct Capture {
    pub(super) file: PathBuf,
}

/// An RSVP packet on a wire.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    /// When, by the kernel's clock, which all captures share.
    pub(super) at: Duration,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ttl: u8,
    pub(super) tos: u8,
    pub(super) router_alert: bool,
    pub(super) kind: MsgType,
    /// Who sent it, by its RSVP_HOP.
    pub(super) hop: Option<IpAddr>,
    /// Send_TTL of the common header.
    pub(super) send_ttl: u8,
    /// The message.
    pub(super) octets: Vec<u8>,
}

impl Net {
    /// Captures what an interface of a node sends and receives from now on.
    pub(super) fn capture(&mut self, node: &str, interface: &str) -> Capture {
        self.capture_of(node, interface, "ip proto 46 or ip6 protochain 46")
    }

    /// Captures what a filter of tcpdump's lets through.
    pub(super) fn capture_of(&mut self, node: &str, interface: &str, filter: &str) -> Capture {
        Capture { file: self.tcpdump(node, interface, &[filter]) }
    }

    /// Runs tcpdump on an interface of a node until the test ends; gives the file it writes to, once it captures.
    pub(crate) fn tcpdump(&mut self, node: &str, interface: &str, arguments: &[&str]) -> PathBuf {
        let file = self.file(&format!("{node}-{interface}.pcap"));
        let mut command = self.command(node, "tcpdump");
        // The ring of 2 MiB that is usual holds some thirty frames of the largest size: too few where the machine is busy.
        let ring = ["-B", "65536"];
        command
            .args(["-U", "--immediate-mode", "-n", "-Z", "root"])
            .args(ring)
            .args(["-i", interface, "-w"])
            .arg(&file);
        command.args(arguments);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("tcpdump runs");
        let mut said = BufReader::new(child.stderr.take().expect("piped")).lines();
        let ready = said.any(|line| line.is_ok_and(|line| line.contains("listening on")));
        assert!(ready, "tcpdump listens");
        self.others.push(child);
        file
    }
}

/// The whole frames in a file that tcpdump writes to: seconds, the fraction of a second in the file's unit, octets.
pub(crate) fn frames(file: &Path) -> Vec<(u32, u32, Vec<u8>)> {
    let octets = std::fs::read(file).expect("a capture");
    let mut rest = octets.get(24..).unwrap_or_default();
    let mut frames = Vec::new();
    while let Some(header) = rest.get(..16) {
        let number = |at: usize| u32::from_ne_bytes(header[at..at + 4].try_into().expect("four octets"));
        let Some(frame) = rest.get(16..16 + number(8) as usize) else { break };
        frames.push((number(0), number(4), frame.to_vec()));
        rest = &rest[16 + frame.len()..];
    }
    frames
}

impl Capture {
    /// All packets so far.
    pub(super) fn packets(&self) -> Vec<Seen> {
        let at = |seconds: u32, micros: u32| {
            Duration::from_secs(seconds.into()) + Duration::from_micros(micros.into())
        };
        frames(&self.file).iter().map(|(seconds, micros, frame)| read(at(*seconds, *micros), frame)).collect()
    }

    /// Packets of a type so far.
    pub(super) fn of(&self, kind: MsgType) -> Vec<Seen> {
        self.packets().into_iter().filter(|p| p.kind == kind).collect()
    }

    /// Waits for a packet of a type; gives the first.
    pub(super) fn first(&self, kind: MsgType) -> Seen {
        eventually(&format!("a packet of type {kind:?}"), || self.of(kind).into_iter().next())
    }
}

fn read(at: Duration, frame: &[u8]) -> Seen {
    let packet = &frame[14..];
    let v4 = |at: usize| IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(&packet[at..at + 4]).expect("four")));
    let v6 =
        |at: usize| IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(&packet[at..at + 16]).expect("sixteen")));
    let (source, destination, ttl, tos, router_alert, octets) = if packet[0] >> 4 == 4 {
        let header = usize::from(packet[0] & 15) * 4;
        let length = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
        // RFC 2113: type 148, length 4, value 0.
        let alert = packet[20..header] == [148, 4, 0, 0];
        assert!(header == 20 || alert, "an option that nobody asked for: {packet:?}");
        (v4(12), v4(16), packet[8], packet[1], alert, &packet[header..length])
    } else {
        // RFC 2711: type 5, length 2, value 1, padded to eight octets.
        let alert = packet[6] == 0;
        assert!(!alert || packet[40..48] == [46, 0, 5, 2, 0, 1, 1, 0], "{packet:?}");
        let tos = packet[0] << 4 | packet[1] >> 4;
        (v6(8), v6(24), packet[7], tos, alert, &packet[if alert { 48 } else { 40 }..])
    };
    let message = Message::parse(octets).expect("a sound message");
    let hop = message.get::<RsvpHop>().and_then(Result::ok).map(|hop| hop.address);
    let (kind, send_ttl) = (message.msg_type(), octets[4]);
    Seen { at, source, destination, ttl, tos, router_alert, kind, hop, send_ttl, octets: octets.to_vec() }
}
