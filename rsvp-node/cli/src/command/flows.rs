//! The flows that `rsvp recv` receives, and what is measured of each.

use super::Failure;
use super::measure::Arrivals;
use super::output::Output;
use super::payload::{Payload, wall_clock_us};
use rsvp_node::units::show_size;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Flows that are remembered when they have fallen silent.
const MOST_FLOWS: usize = 1_024;

/// By their senders.
#[derive(Default)]
pub(super) struct Flows {
    flows: BTreeMap<(SocketAddr, u32), Arrivals>,
    /// Packets of other programs than `rsvp send`, and their octets with headers.
    others: Others,
    others_reported: Others,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Others {
    packets: u64,
    octets: u64,
}

impl Flows {
    /// A packet has come, of so many octets with its headers.
    pub(super) fn arrived(&mut self, from: SocketAddr, payload: &Payload, octets: u64) {
        let now = wall_clock_us();
        let key = (from, payload.flow);
        if self.flows.len() >= MOST_FLOWS && !self.flows.contains_key(&key) {
            // Those that have fallen silent have been reported on.
            self.flows.retain(|_, flow| flow.is_lively());
        }
        self.flows
            .entry(key)
            .and_modify(|flow| flow.packet(payload, now, octets))
            .or_insert_with(|| Arrivals::new(payload, now, octets));
    }

    /// A packet has come that is not from `rsvp send`: there is nothing in it to measure.
    pub(super) fn other_arrived(&mut self, octets: u64) {
        self.others.packets += 1;
        self.others.octets += octets;
    }

    /// Whether any data has come.
    pub(super) fn have_come(&self) -> bool {
        !self.flows.is_empty() || self.others.packets > 0
    }

    /// Says what was measured in so many seconds.
    pub(super) fn report(&mut self, seconds: f64, output: &Output) -> Result<(), Failure> {
        for ((from, _), flow) in &mut self.flows {
            // A flow that has fallen silent is reported so once.
            let was_lively = flow.is_lively();
            let report = flow.report(seconds);
            if was_lively || report.packets > 0 {
                output.received(&from.to_string(), &report)?;
            }
        }
        let before = core::mem::replace(&mut self.others_reported, self.others);
        let Others { packets, octets } = self.others;
        let since = Others { packets: packets - before.packets, octets: octets - before.octets };
        since.say("other-report", "", output)
    }

    /// What there is to say at the end.
    pub(super) fn sum_up(&self, output: &Output) -> Result<(), Failure> {
        self.flows
            .iter()
            .try_for_each(|((from, _), flow)| output.summed_up(&from.to_string(), &flow.summary()))?;
        self.others.say("other-summary", "in all ", output)
    }
}

impl Others {
    fn say(self, kind: &str, how: &str, output: &Output) -> Result<(), Failure> {
        let Self { packets, octets } = self;
        if packets == 0 {
            return Ok(());
        }
        let words = format!("{how}{packets} packets, {}, of other programs", show_size(octets));
        output.note(kind, &words, json!({ "packets": packets, "octets": octets }))
    }
}
