//! What a run showed, for people and for programs.
//!
//! A report owns everything it shows; the ladder and the text are made from it, and `--json` is this structure as it is.

mod content;
#[cfg(feature = "pictures")]
mod html;
mod junit;
mod ladder;
#[cfg(feature = "pictures")]
mod layout;
mod look;
mod series;
#[cfg(feature = "pictures")]
mod svg;
mod text;
mod topology;
mod traffic;

use crate::facts::{Fact, Facts};
use crate::judge::{Verdict, judge};
use crate::scenario::model::{Family, Link, LinkId, Node, NodeId, Scenario};
use crate::world::{Record, Sent, Topology, Use, World};
use core::net::IpAddr;
use rsvp_node::units::{show_rate, show_time};
use serde::Serialize;
use std::collections::BTreeMap;

pub use content::Content;
pub use look::Look;
pub use traffic::{DataReport, LoadReport, TrafficReport};

/// A run and its outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: String,
    /// What it shows.
    pub description: String,
    /// The seed it ran with.
    pub seed: u64,
    /// `ipv4` or `ipv6`.
    pub family: &'static str,
    /// Length of the run in seconds.
    pub duration_s: f64,
    /// How much faster than that a lab's real time was; none in virtual time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lab_speed: Option<f64>,
    /// In a lab: nodes that only signal reservations, and why their kernels do not enforce them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unenforced: Vec<UnenforcedReport>,
    /// Nodes, in the order of the ladder's columns.
    pub nodes: Vec<NodeReport>,
    /// Links and LANs.
    pub links: Vec<LinkReport>,
    /// Messages, in the order they were sent.
    pub messages: Vec<MessageReport>,
    /// What the scenario did to the world.
    pub notes: Vec<NoteReport>,
    /// Reservations per direction of a link.
    pub reservations: Vec<UseReport>,
    /// When what is reserved on a direction of a link changed, and to what.
    pub series: Vec<SeriesReport>,
    /// What applications were told.
    pub events: Vec<EventReport>,
    /// Data of QoS sockets, in a lab.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<DataReport>,
    /// Packets of the scenario's traffic, to each node that they are for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traffic: Vec<TrafficReport>,
    /// What data there was on each direction of a link, over time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<LoadReport>,
    /// Messages that nodes dropped.
    pub discards: Vec<DiscardReport>,
    /// Expectations.
    pub expectations: Vec<Verdict>,
    /// Why the run was cut short, if it was.
    pub fault: Option<String>,
}

/// A node of a lab that only signals reservations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnenforcedReport {
    /// Its name.
    pub node: String,
    /// Why its kernel does not enforce them.
    pub reason: String,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeReport {
    /// Name.
    pub name: String,
    /// `host` or `router`.
    pub kind: &'static str,
    /// Applications on it.
    pub applications: Vec<String>,
}

/// A link or LAN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkReport {
    /// Name.
    pub name: String,
    /// `link` or `lan`.
    pub kind: &'static str,
    /// Nodes on it.
    pub ends: Vec<String>,
    /// Addresses of those nodes.
    pub addresses: Vec<IpAddr>,
    /// Bits per second.
    pub rate_bps: u64,
    /// What can be reserved of that.
    pub reservable_bps: u64,
    /// Delay, MTU and loss, in words.
    pub properties: String,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageReport {
    /// Place among messages, notes and events.
    pub order: usize,
    /// Seconds.
    pub at: f64,
    /// Who sent it.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// Which link.
    pub link: String,
    /// IP source.
    pub source: IpAddr,
    /// IP destination.
    pub destination: IpAddr,
    /// IP TTL.
    pub ttl: u8,
    /// Octets of the message.
    pub octets: usize,
    /// Seconds until it arrives.
    pub delay_s: f64,
    /// `Path`, `Resv` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it was only passed on by IP, not sent by the node's engine.
    pub forwarded: bool,
    /// What it says, in typed fields.
    #[serde(flatten)]
    pub content: Content,
    /// What it says.
    pub text: String,
    /// Whether it reached nobody: the link lost it, or nobody took it.
    pub lost: bool,
    /// Whom of those it did not reach.
    pub lost_to: Vec<String>,
    /// Whether it says the same as the message of its kind before it.
    pub refresh: bool,
}

/// Something the scenario did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoteReport {
    /// Place among messages, notes and events.
    pub order: usize,
    /// Seconds.
    pub at: f64,
    /// What.
    pub text: String,
}

/// Reservations on one direction of a link.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UseReport {
    /// The sending node.
    pub from: String,
    /// The link.
    pub link: String,
    /// Its other ends.
    pub to: Vec<String>,
    /// What can be reserved.
    pub reservable_bps: u64,
    /// What is reserved at the end.
    pub reserved_bps: u64,
    /// By which reservations.
    pub reservations: Vec<String>,
    /// The same in typed fields.
    pub installed: Vec<Content>,
    /// What was reserved when it was most.
    pub peak_bps: u64,
    /// By which reservations.
    pub peak_reservations: Vec<String>,
    /// When that was, in seconds.
    pub peak_at: f64,
}

/// What is reserved on a direction of a link from a time on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesReport {
    /// Seconds.
    pub at: f64,
    /// The sending node.
    pub from: String,
    /// The link.
    pub link: String,
    /// What is reserved.
    pub reserved_bps: u64,
}

/// An event at an application.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventReport {
    /// Place among messages, notes and events.
    pub order: usize,
    /// Seconds.
    pub at: f64,
    /// The application.
    pub application: String,
    /// Its node.
    pub node: String,
    /// Which event: `path`, `resv-confirm` and so on.
    pub event: String,
    /// What it says, in typed fields.
    #[serde(flatten)]
    pub content: Content,
    /// What it was told.
    pub text: String,
}

/// Messages that a node dropped for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiscardReport {
    /// The node.
    pub node: String,
    /// Why.
    pub reason: String,
    /// How often.
    pub count: u64,
}

impl Report {
    /// Runs a scenario and reports.
    #[must_use]
    pub fn of(scenario: Scenario) -> Self {
        let (scenario, record) = World::new(scenario).run();
        Self::new(&scenario, &record)
    }

    /// Reports a run.
    #[must_use]
    pub fn new(scenario: &Scenario, record: &Record) -> Self {
        let topology = Topology::new(scenario);
        let name = |n: NodeId| scenario.nodes[n.0].name.clone();
        Self {
            scenario: scenario.name.clone(),
            description: scenario.description.clone(),
            seed: scenario.seed,
            family: match scenario.family {
                Family::Ipv4 => "ipv4",
                Family::Ipv6 => "ipv6",
            },
            duration_s: scenario.duration.as_secs_f64(),
            lab_speed: record.lab_speed,
            unenforced: record
                .unenforced
                .iter()
                .map(|(node, reason)| UnenforcedReport { node: name(*node), reason: reason.clone() })
                .collect(),
            nodes: nodes(scenario),
            links: scenario.links.iter().enumerate().map(|(n, l)| link(scenario, &topology, n, l)).collect(),
            messages: messages(scenario, record),
            notes: record
                .notes
                .iter()
                .map(|note| NoteReport {
                    order: note.order,
                    at: note.at.as_secs_f64(),
                    text: note.text.clone(),
                })
                .collect(),
            reservations: uses(scenario, record),
            series: series::points(scenario, record),
            events: record
                .told
                .iter()
                .map(|told| EventReport {
                    order: told.order,
                    at: told.at.as_secs_f64(),
                    application: told.application.clone(),
                    node: name(told.node),
                    event: told.facts.word_of("event").to_owned(),
                    content: Content::of(&told.facts),
                    text: told.label.clone(),
                })
                .collect(),
            data: record.data.iter().map(traffic::data).collect(),
            traffic: record.streams.iter().map(|stream| traffic::stream(stream, scenario.duration)).collect(),
            loads: record.loads.iter().map(|interval| traffic::interval(scenario, interval)).collect(),
            discards: record
                .discards
                .iter()
                .map(|(node, reason, count)| DiscardReport {
                    node: name(*node),
                    reason: reason.clone(),
                    count: *count,
                })
                .collect(),
            expectations: judge(scenario, record),
            fault: record.fault.clone(),
        }
    }

    /// Whether every expectation held and the run came to its end.
    #[must_use]
    pub fn held(&self) -> bool {
        self.fault.is_none()
            && self.expectations.iter().all(|verdict| verdict.held || verdict.skipped.is_some())
    }
}

fn nodes(scenario: &Scenario) -> Vec<NodeReport> {
    let report = |(n, node): (usize, &Node)| {
        let senders = scenario.senders.iter().filter(|s| s.node.0 == n).map(|s| s.name.clone());
        let receivers = scenario.receivers.iter().filter(|r| r.node.0 == n).map(|r| r.name.clone());
        NodeReport {
            name: node.name.clone(),
            kind: match (node.router, node.plain) {
                (_, true) => "plain",
                (true, false) => "router",
                (false, false) => "host",
            },
            applications: senders.chain(receivers).collect(),
        }
    };
    let mut nodes: Vec<NodeReport> = Vec::new();
    let all: Vec<NodeReport> = scenario.nodes.iter().enumerate().map(report).collect();
    // Senders to the left, receivers to the right, what is between them in the order of the file.
    let sends = |name: &str| scenario.senders.iter().any(|s| scenario.nodes[s.node.0].name == name);
    nodes.extend(all.iter().filter(|n| n.kind == "host" && sends(&n.name)).cloned());
    nodes.extend(all.iter().filter(|n| n.kind != "host").cloned());
    nodes.extend(all.iter().filter(|n| n.kind == "host" && !sends(&n.name)).cloned());
    nodes
}

fn link(scenario: &Scenario, topology: &Topology, n: usize, link: &Link) -> LinkReport {
    let mut properties = vec![show_time(link.delay), format!("MTU {}", link.mtu)];
    if link.loss > 0.0 {
        properties.push(format!("loses {:.3}%", link.loss * 100.0));
    }
    LinkReport {
        name: link.name.clone(),
        kind: if link.lan { "lan" } else { "link" },
        ends: link.ends.iter().map(|end| scenario.nodes[end.0].name.clone()).collect(),
        addresses: topology.addresses(LinkId(n), &link.ends),
        rate_bps: link.rate_bps,
        reservable_bps: link.reservable_bps,
        properties: properties.join(", "),
    }
}

fn names(scenario: &Scenario, nodes: &[NodeId]) -> Vec<String> {
    nodes.iter().map(|node| scenario.nodes[node.0].name.clone()).collect()
}

fn messages(scenario: &Scenario, record: &Record) -> Vec<MessageReport> {
    let mut refreshes = Refreshes { last: BTreeMap::new(), gap_s: scenario.refresh.as_secs_f64() * 2.0 };
    let mut reports = Vec::new();
    for sent in &record.sent {
        reports.push(MessageReport {
            order: sent.order,
            at: sent.at.as_secs_f64(),
            from: scenario.nodes[sent.from.0].name.clone(),
            to: names(scenario, &sent.to),
            link: scenario.links[sent.link.0].name.clone(),
            source: sent.source,
            destination: sent.destination,
            ttl: sent.ttl,
            octets: sent.octets.len(),
            delay_s: (sent.arrival - sent.at).as_secs_f64(),
            kind: sent.facts.word_of("type").to_owned(),
            forwarded: sent.forwarded,
            content: Content::of(&sent.facts),
            text: sent.label.clone(),
            lost: sent.is_lost(),
            lost_to: names(scenario, &sent.missed),
            refresh: refreshes.is_refresh(sent),
        });
    }
    reports
}

/// From, link, to, session, sender.
type Stream = (NodeId, LinkId, String, String, String);

/// Tells refreshes from messages that say something new.
struct Refreshes<'r> {
    last: BTreeMap<(Stream, String), (f64, &'r Facts)>,
    /// After a longer silence the state is set up anew.
    gap_s: f64,
}

impl<'r> Refreshes<'r> {
    fn is_refresh(&mut self, sent: &'r Sent) -> bool {
        let word = |name: &str| sent.facts.word_of(name).to_owned();
        let stream = (sent.from, sent.link, word("to"), word("session"), word("sender"));
        let kind = word("type");
        // What was torn is not refreshed.
        if let Some(torn) = kind.strip_suffix("Tear") {
            self.last.remove(&(stream.clone(), torn.to_owned()));
        }
        // Errors and confirmations are never refreshes, however often they come.
        if kind != "Path" && kind != "Resv" {
            return false;
        }
        let at = sent.at.as_secs_f64();
        let Some((before, facts)) = self.last.insert((stream, kind), (at, &sent.facts)) else { return false };
        at - before <= self.gap_s && same_but_confirmation(facts, &sent.facts)
    }
}

/// A confirmation is asked for once: later refreshes without it say the same.
fn same_but_confirmation(before: &Facts, now: &Facts) -> bool {
    let asks =
        now.0.get("confirm") == Some(&Fact::Truth(true)) && before.0.get("confirm") != now.0.get("confirm");
    let content = |facts: &Facts| facts.clone().with("confirm", Fact::Truth(false));
    !asks && content(before) == content(now)
}

fn uses(scenario: &Scenario, record: &Record) -> Vec<UseReport> {
    let report = |(&(node, link), used): (&(_, _), &Use)| {
        let node: NodeId = node;
        let link: LinkId = link;
        let plan = &scenario.links[link.0];
        UseReport {
            from: scenario.nodes[node.0].name.clone(),
            link: plan.name.clone(),
            to: plan.ends.iter().filter(|e| **e != node).map(|e| scenario.nodes[e.0].name.clone()).collect(),
            reservable_bps: plan.reservable_bps,
            reserved_bps: used.last.0,
            reservations: used.last.1.clone(),
            installed: used.installed.iter().map(Content::of).collect(),
            peak_bps: used.peak.0,
            peak_reservations: used.peak.1.clone(),
            peak_at: used.peak_at.as_secs_f64(),
        }
    };
    record.uses.iter().map(report).collect()
}

/// A rate and its unit.
fn shown(bps: u64) -> String {
    show_rate(bps as f64)
}
