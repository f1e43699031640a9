//! What became of data: of QoS sockets in a lab, and of the scenario's traffic in virtual time.

use crate::scenario::model::Scenario;
use crate::world::{DataStream, Figures, Interval, Stream};
use core::time::Duration;
use rsvp_node::Instant;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What became of the packets of one sender for one receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DataReport {
    /// The sender.
    pub sender: String,
    /// The receiver.
    pub receiver: String,
    /// Packets that were sent while the receiver was there.
    pub sent: usize,
    /// Those that came.
    pub received: u64,
    /// Those that did not.
    pub lost: u64,
    /// How many came with which DSCP.
    pub dscp: BTreeMap<String, u64>,
}

/// What became of the packets of the scenario's traffic for one node. Those that are on their way at the end do not count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrafficReport {
    /// Name of the traffic.
    pub traffic: String,
    /// The node.
    pub to: String,
    /// Octets of each packet.
    pub octets: u32,
    /// Packets that were sent.
    pub sent: u64,
    /// Those that came.
    pub delivered: u64,
    /// Those that did not.
    pub lost: u64,
    /// Those that came as best effort, because they were more than what is reserved for allows.
    pub excess: u64,
    /// Seconds from being sent to being there: the median.
    pub delay_median_s: f64,
    /// What 99 of 100 packets did not exceed.
    pub delay_99_s: f64,
    /// The longest.
    pub delay_s: f64,
}

/// What a direction of a link carried of a class of data, from a time to that of the next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadReport {
    /// Seconds.
    pub at: f64,
    /// The sending node.
    pub from: String,
    /// The link.
    pub link: String,
    /// `guaranteed`, `controlled-load` or `best-effort`.
    pub class: &'static str,
    /// Octets that left.
    pub octets: u64,
    /// Packets that were lost.
    pub lost: u64,
    /// Seconds: the longest that a packet which left was there, its own transmission included.
    pub delay_s: f64,
}

pub(super) fn data(stream: &DataStream) -> DataReport {
    let came = stream.came();
    let (sent, received) = (stream.packets.len(), came.values().sum());
    DataReport {
        sender: stream.sender.clone(),
        receiver: stream.receiver.clone(),
        sent,
        received,
        lost: sent as u64 - received,
        dscp: came.into_iter().map(|(dscp, packets)| (dscp.to_string(), packets)).collect(),
    }
}

pub(super) fn stream(stream: &Stream, duration: Duration) -> TrafficReport {
    let Figures { sent, delivered, excess, delay_median_s, delay_99_s, delay_worst_s } =
        stream.figures(Instant::ZERO, Instant::ZERO + duration);
    TrafficReport {
        traffic: stream.name.clone(),
        to: stream.to.clone(),
        octets: stream.octets,
        sent,
        delivered,
        lost: sent - delivered,
        excess,
        delay_median_s,
        delay_99_s,
        delay_s: delay_worst_s,
    }
}

pub(super) fn interval(scenario: &Scenario, interval: &Interval) -> LoadReport {
    LoadReport {
        at: interval.at_ns as f64 / 1e9,
        from: scenario.nodes[interval.node.0].name.clone(),
        link: scenario.links[interval.link.0].name.clone(),
        class: interval.class.word(),
        octets: interval.octets,
        lost: interval.lost,
        delay_s: interval.worst_ns as f64 / 1e9,
    }
}

impl TrafficReport {
    /// A line of the report as text.
    pub(super) fn line(&self, out: &mut String) {
        let share = 100.0 * self.lost as f64 / self.sent.max(1) as f64;
        let ms = |seconds: f64| (seconds * 1e6).round() / 1e3;
        let _ = write!(out, "  {} to {}: {} of {} packets", self.traffic, self.to, self.delivered, self.sent);
        let _ = write!(out, " of {}B came ({:.2}% lost)", self.octets, share);
        if self.excess > 0 {
            let _ = write!(out, ", {} as best effort, beyond what was reserved", self.excess);
        }
        if self.delivered > 0 {
            let (median, most, worst) = (ms(self.delay_median_s), ms(self.delay_99_s), ms(self.delay_s));
            let _ = write!(out, "; delay {median}ms in the middle, 99% within {most}ms, {worst}ms at most");
        }
        out.push('\n');
    }
}
