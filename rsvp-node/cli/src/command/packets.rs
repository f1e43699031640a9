//! Packets of a flow that `rsvp send` sends: how large they are, when each is due by its token bucket, and what was sent of them.

use super::Failure;
use super::course::Course;
use super::output::Output;
use super::payload::{Payload, wall_clock_us};
use core::time::Duration;
use rsvp_client::Traffic;
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;

/// The packets of one flow, all of one size.
pub(super) struct Packets {
    rate_bps: f64,
    bucket: f64,
    /// Octets of the headers before an application's own, which a token bucket counts.
    headers: u32,
    packet: Vec<u8>,
    /// Octets of a packet with its headers.
    pub(super) octets: u32,
    number: u32,
    /// How many there were.
    pub(super) sequence: u64,
    /// Between packets.
    every: Duration,
    /// How far behind it may be and still keep to the bucket.
    behind: Duration,
    /// When the next one is due.
    pub(super) next: Instant,
    since: Sent,
    in_all: Sent,
}

/// What was sent, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Sent {
    pub(super) packets: u64,
    /// With their headers.
    pub(super) octets: u64,
    pub(super) failed: u64,
}

impl Packets {
    pub(super) fn new(traffic: &Traffic, headers: u32) -> Self {
        let now = wall_clock_us();
        let mut packets = Self {
            rate_bps: traffic.rate_bps,
            bucket: traffic.bucket,
            headers,
            packet: Vec::new(),
            octets: 0,
            number: (now as u32) ^ std::process::id(),
            sequence: 0,
            every: Duration::ZERO,
            behind: Duration::ZERO,
            next: Instant::now(),
            since: Sent::default(),
            in_all: Sent::default(),
        };
        packets.resize(traffic.max_packet);
        packets
    }

    /// From now on packets have so many octets, headers included.
    pub(super) fn resize(&mut self, octets: u32) {
        let bits = |octets: f64| Duration::from_secs_f64(octets * 8.0 / self.rate_bps);
        self.every = bits(f64::from(octets));
        self.behind = bits((self.bucket - f64::from(octets)).max(0.0));
        self.packet.resize(octets.saturating_sub(self.headers) as usize, 0);
        self.octets = octets;
    }

    /// Whoever is late catches up as far as the bucket allows.
    pub(super) fn catch_up(&mut self, now: Instant) {
        self.next = self.next.max(now.checked_sub(self.behind).unwrap_or(now));
    }

    /// The next packet, if it is due.
    pub(super) fn due(&mut self, now: Instant) -> Option<&[u8]> {
        if self.next > now {
            return None;
        }
        let payload = Payload { flow: self.number, sequence: self.sequence, sent_us: wall_clock_us() };
        payload.write(&mut self.packet);
        self.sequence += 1;
        self.next += self.every;
        Some(&self.packet)
    }

    /// What became of the last one.
    pub(super) fn sent(&mut self, well: bool) {
        for sent in [&mut self.since, &mut self.in_all] {
            if well {
                sent.packets += 1;
                sent.octets += u64::from(self.octets);
            } else {
                sent.failed += 1;
            }
        }
    }

    /// Says what was sent since the last report, a second ago.
    pub(super) fn report(&mut self, output: &Output) -> Result<(), Failure> {
        let Sent { packets, octets, failed } = core::mem::take(&mut self.since);
        output.sent(octets as f64 * 8.0, packets, failed)
    }

    /// Says what was sent in all and how the flow went; what the command ends with.
    pub(super) fn sum_up(&self, course: &Course, output: &Output) -> Result<(), Failure> {
        output.sent_in_all(self.in_all, course)?;
        let note = format!("ends after {} packets; the flow is withdrawn", self.sequence);
        output.note("ends", &note, json!({ "packets": self.sequence }))?;
        let nobody = match (course.has_reserved(), self.in_all.failed) {
            (false, _) => "no receiver has reserved",
            (true, 0) => "nothing was sent",
            (true, _) => "none of the packets could be sent: nobody may be listening there",
        };
        course.verdict(course.has_reserved() && self.in_all.packets > 0, nobody)
    }
}
