//! What is counted of data: of each packet whether and when it came, and of each link what it carried over time.

use super::{Class, Parcel};
use crate::facts::{Fact, Facts};
use crate::scenario::model::{LinkId, NodeId, Scenario};
use core::time::Duration;
use rsvp_node::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// Intervals of a run, of which each has its counts.
const INTERVALS: u64 = 200;

/// A packet that did not come.
const NEVER: u64 = u64::MAX;

/// The packets of one load for one node.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Name of the load.
    pub name: String,
    /// Name of the node that they are for.
    pub to: String,
    /// Octets of each packet.
    pub octets: u32,
    /// The packets that came or are lost, in the order of sending; those on their way are neither.
    pub packets: Vec<Packet>,
}

/// A packet, in nanoseconds since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    number: u64,
    sent_ns: u64,
    delay_ns: u64,
    /// Whether it was more than its sender's bucket allows, and so best effort.
    is_excess: bool,
}

/// What became of the packets that were sent in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Packets that were sent.
    pub sent: u64,
    /// Those that came.
    pub delivered: u64,
    /// Those that came as best effort because they did not conform.
    pub excess: u64,
    /// Seconds: the median of those that came,
    pub delay_median_s: f64,
    /// what 99 of 100 did not exceed,
    pub delay_99_s: f64,
    /// and the longest.
    pub delay_worst_s: f64,
}

/// What a direction of a link carried of a class in an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// When it begins, in nanoseconds since the start.
    pub at_ns: u64,
    /// The sending node.
    pub node: NodeId,
    /// The link.
    pub link: LinkId,
    /// The class.
    pub class: Class,
    /// Octets that left.
    pub octets: u64,
    /// Packets that were lost: there was no room, the node crashed before they left, or the link lost them on their way; each
    /// copy for itself, where a LAN has several nodes that take it. Those that no route leads on, or whose TTL is used up, are on no link.
    pub lost: u64,
    /// The longest that a packet which left was there, in nanoseconds, its own transmission included.
    pub worst_ns: u64,
}

impl Packet {
    /// When it was sent, in nanoseconds since the start.
    #[must_use]
    pub fn sent_ns(&self) -> u64 {
        self.sent_ns
    }

    /// From when it was sent to when it came, in nanoseconds; none if it did not.
    #[must_use]
    pub fn delay_ns(&self) -> Option<u64> {
        (self.delay_ns != NEVER).then_some(self.delay_ns)
    }
}

impl Stream {
    /// Figures of the packets that were sent from one time to another, both included.
    #[must_use]
    pub fn figures(&self, from: Instant, to: Instant) -> Figures {
        let span = from.0.saturating_mul(1000)..=to.0.saturating_mul(1000);
        let sent = self.packets.iter().filter(|packet| span.contains(&packet.sent_ns));
        let mut delays: Vec<u64> = sent.clone().filter_map(Packet::delay_ns).collect();
        delays.sort_unstable();
        // The least delay that so many of a hundred do not exceed.
        let rank = |percent: usize| {
            let place = (delays.len() * percent).div_ceil(100).max(1) - 1;
            delays.get(place).map_or(0.0, |ns| *ns as f64 / 1e9)
        };
        Figures {
            sent: sent.clone().count() as u64,
            delivered: delays.len() as u64,
            excess: sent.filter(|packet| packet.is_excess).count() as u64,
            delay_median_s: rank(50),
            delay_99_s: rank(99),
            delay_worst_s: rank(100),
        }
    }

    /// The same for expectations; nothing where nothing was sent.
    pub(crate) fn facts(&self, from: Instant, to: Instant) -> Option<Facts> {
        let figures = self.figures(from, to);
        if figures.sent == 0 {
            return None;
        }
        let share = |packets: u64| Fact::Share(packets as f64 / figures.sent as f64);
        let facts = Facts::default()
            .word("traffic", self.name.as_str())
            .word("to", self.to.as_str())
            .with("packets", Fact::Number(figures.sent))
            .with("delivered", share(figures.delivered))
            .with("lost", share(figures.sent - figures.delivered))
            .with("excess", share(figures.excess));
        // What did not come has no delay, and holds no bound of one.
        Some(match figures.delivered {
            0 => facts,
            _ => facts
                .with("delay", Fact::Seconds(figures.delay_worst_s))
                .with("delay_99", Fact::Seconds(figures.delay_99_s)),
        })
    }
}

/// Node, link, class and interval.
type Cell = ((NodeId, LinkId), Class, u64);

#[derive(Clone, Debug)]
pub(super) struct Tallies {
    interval_ns: u64,
    packets: BTreeMap<(usize, NodeId), Vec<Packet>>,
    links: BTreeMap<Cell, (u64, u64, u64)>,
}

impl Tallies {
    pub(super) fn new(duration: Duration) -> Self {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self { interval_ns: (ns / INTERVALS).max(1), packets: BTreeMap::new(), links: BTreeMap::new() }
    }

    pub(super) fn sent(&mut self, stream: (usize, NodeId), number: u64, sent_ns: u64) {
        let packet = Packet { number, sent_ns, delay_ns: NEVER, is_excess: false };
        self.packets.entry(stream).or_default().push(packet);
    }

    pub(super) fn came(&mut self, stream: (usize, NodeId), parcel: Parcel, now: u64) {
        let Some(packets) = self.packets.get_mut(&stream) else { return };
        let Ok(place) = packets.binary_search_by_key(&parcel.number, |packet| packet.number) else { return };
        // Of copies the first counts.
        if packets[place].delay_ns == NEVER {
            packets[place].delay_ns = now - parcel.sent_ns;
            packets[place].is_excess = parcel.is_excess;
        }
    }

    pub(super) fn left(&mut self, now: u64, at: (NodeId, LinkId), class: Class, octets: u32, stayed: u64) {
        let (sum, _, worst) = self.cell(now, at, class);
        *sum += u64::from(octets);
        *worst = stayed.max(*worst);
    }

    pub(super) fn lost(&mut self, now: u64, at: (NodeId, LinkId), class: Class) {
        *self.cell(now, at, class).1 += 1;
    }

    fn cell(&mut self, now: u64, at: (NodeId, LinkId), class: Class) -> (&mut u64, &mut u64, &mut u64) {
        let (octets, lost, worst) = self.links.entry((at, class, now / self.interval_ns)).or_default();
        (octets, lost, worst)
    }

    /// All streams; `underway` has load and number of the packets that are still on their way.
    pub(super) fn streams(&self, scenario: &Scenario, underway: &BTreeSet<(usize, u64)>) -> Vec<Stream> {
        let stream = |(&(load, to), packets): (&(usize, NodeId), &Vec<Packet>)| {
            let known =
                |packet: &&Packet| packet.delay_ns != NEVER || !underway.contains(&(load, packet.number));
            Stream {
                name: scenario.loads[load].name.clone(),
                to: scenario.nodes[to.0].name.clone(),
                octets: scenario.loads[load].packet,
                packets: packets.iter().filter(known).copied().collect(),
            }
        };
        self.packets.iter().map(stream).collect()
    }

    /// In the order of time.
    pub(super) fn intervals(&self) -> Vec<Interval> {
        let interval = |(&((node, link), class, number), &(octets, lost, worst_ns))| Interval {
            at_ns: number * self.interval_ns,
            node,
            link,
            class,
            octets,
            lost,
            worst_ns,
        };
        let mut all: Vec<Interval> = self.links.iter().map(interval).collect();
        all.sort_by_key(|interval| interval.at_ns);
        all
    }
}
