//! What is kept of a run: messages, events, notes about actions, and how full links were.

use super::data::DataStream;
use super::traffic::{Interval, Stream};
use crate::describe::Said;
use crate::facts::Facts;
use crate::scenario::model::{LinkId, NodeId};
use core::net::IpAddr;
use rsvp_node::qos::FdQos;
use rsvp_node::{Event, Instant, Refusal};
use rsvp_wire::{Message, ParseError};
use std::collections::BTreeMap;

/// Everything a run leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Messages, in the order they were sent.
    pub sent: Vec<Sent>,
    /// What applications were told, in order.
    pub told: Vec<EventRecord>,
    /// What the scenario did to the world, in order.
    pub notes: Vec<Note>,
    /// Use of each direction of each link that ever carried a reservation.
    pub uses: BTreeMap<(NodeId, LinkId), Use>,
    /// When the use of a direction of a link changed, and to how many bits per second.
    pub series: Vec<(Instant, NodeId, LinkId, u64)>,
    /// State as it was when expectations asked for it, by their places.
    pub looks: BTreeMap<usize, Vec<Facts>>,
    /// Messages that nodes dropped: where, why, how many.
    pub discards: Vec<(NodeId, String, u64)>,
    /// Data of QoS sockets.
    pub data: Vec<DataStream>,
    /// Packets of the scenario's traffic, to each node that they are for.
    pub streams: Vec<Stream>,
    /// What data there was on each direction of a link, over time.
    pub loads: Vec<Interval>,
    /// Expectations about which nothing can be said, by their places, and why.
    pub skipped: BTreeMap<usize, String>,
    /// In a lab: nodes that only signal reservations, and why their kernels do not enforce them.
    pub unenforced: Vec<(NodeId, String)>,
    /// How much faster than the scenario's time real time was; none in virtual time.
    pub lab_speed: Option<f64>,
    /// Why the run was cut short.
    pub fault: Option<String>,
}

/// A message on a link.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Place among messages, notes and events.
    pub order: usize,
    /// When it was sent.
    pub at: Instant,
    /// When it arrives.
    pub arrival: Instant,
    /// Who sent it.
    pub from: NodeId,
    /// Who gets it.
    pub to: Vec<NodeId>,
    /// The link.
    pub link: LinkId,
    /// Whom of those it did not reach: the link lost it or was down before it came out, or the node was down by then.
    pub missed: Vec<NodeId>,
    /// Whether it was only passed on by IP, not sent by the node's engine.
    pub forwarded: bool,
    /// IP source.
    pub source: IpAddr,
    /// IP destination.
    pub destination: IpAddr,
    /// IP TTL.
    pub ttl: u8,
    /// Whether Router Alert is on.
    pub router_alert: bool,
    /// The message.
    pub octets: Vec<u8>,
    /// The message in a few words.
    pub label: String,
    /// The message as facts.
    pub facts: Facts,
}

impl Sent {
    /// Whether it reaches nobody: the link lost it, or nobody there takes it.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.to.iter().all(|to| self.missed.contains(to))
    }
}

/// An event at an application.
#[derive(Clone, Debug)]
pub struct EventRecord {
    /// Place among messages, notes and events.
    pub order: usize,
    /// When.
    pub at: Instant,
    /// Name of the application.
    pub application: String,
    /// The node it runs on.
    pub node: NodeId,
    /// What it was told, in the engine's own words; not in a lab, where it hears of it by a socket.
    pub told: Option<Told>,
    /// The event in a few words.
    pub label: String,
    /// The event as facts.
    pub facts: Facts,
}

/// What an application can be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// An event of its engine.
    Event(Event),
    /// What it has asked for was refused at once.
    Refused(Refusal),
    /// A status, if it is a QoS socket.
    Status(FdQos),
}

/// Reservations on one direction of a link.
#[derive(Clone, Debug, Default)]
pub struct Use {
    /// At the end: bits per second and the reservations in a few words.
    pub last: (u64, Vec<String>),
    /// Those reservations as facts.
    pub installed: Vec<Facts>,
    /// When they took most, for the first time.
    pub peak: (u64, Vec<String>),
    /// When that was.
    pub peak_at: Instant,
}

/// Something the scenario did to the world.
#[derive(Clone, Debug)]
pub struct Note {
    /// Place among messages, notes and events.
    pub order: usize,
    /// When.
    pub at: Instant,
    /// What.
    pub text: String,
}

impl Sent {
    /// The message as the wire has it.
    ///
    /// # Errors
    ///
    /// What is wrong with octets that are no message; an engine sends none, but somebody may have put them on a link.
    pub fn message(&self) -> Result<Message<'_>, ParseError> {
        Message::parse(&self.octets)
    }
}

impl Record {
    /// Notes what reservations stand on a direction of a link, if there ever were any.
    pub(crate) fn measured(
        &mut self,
        (node, link): (NodeId, LinkId),
        now: Instant,
        bps: u64,
        mut said: Vec<Said>,
    ) {
        if said.is_empty() && !self.uses.contains_key(&(node, link)) {
            return;
        }
        said.sort_by(|a, b| a.label.cmp(&b.label));
        let used = self.uses.entry((node, link)).or_default();
        if used.last.0 != bps {
            self.series.push((now, node, link, bps));
        }
        used.last = (bps, said.iter().map(|each| each.label.clone()).collect());
        used.installed = said.into_iter().map(|each| each.facts).collect();
        if bps > used.peak.0 {
            used.peak = used.last.clone();
            used.peak_at = now;
        }
    }

    /// The place of what is noted next.
    pub(super) fn order(&self) -> usize {
        self.sent.len() + self.told.len() + self.notes.len()
    }
}
