//! The flows that `rsvp recv` receives, and what is measured of each.

use super::Failure;
use super::measure::Arrivals;
use super::output::Output;
use super::payload::{Payload, wall_clock_us};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Flows that are remembered when they have fallen silent.
const MOST_FLOWS: usize = 1_024;

/// By their senders.
#[derive(Default)]
pub(super) struct Flows {
    flows: BTreeMap<(SocketAddr, u32), Arrivals>,
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
        Ok(())
    }

    /// What there is to say at the end.
    pub(super) fn sum_up(&self, output: &Output) -> Result<(), Failure> {
        self.flows
            .iter()
            .try_for_each(|((from, _), flow)| output.summed_up(&from.to_string(), &flow.summary()))
    }
}
