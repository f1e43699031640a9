//! `rsvp show`: the state of the node as tables, or as JSON.

use super::options::Daemon;
use super::{Failure, connection, texts};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use core::time::Duration;
use rsvp_client::rows::{Counters, FlowRow, InterfaceRow, ReservationRow, Rows};
use rsvp_client::{ClientError, Flow, What};
use rsvp_node::units::{show_rate, show_time};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// What `rsvp show` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp show reservations\n  \
    rsvp show requests --session \"udp 10.0.2.2:5000\"\n  \
    rsvp show reservations --stats\n  \
    rsvp show flows\n  \
    rsvp show interfaces --json | jq '.[].reserved_bps'")]
pub(crate) struct Arguments {
    /// What to show
    #[arg(value_enum)]
    what: Shown,
    /// Only of this session
    #[arg(long, value_name = "PROTOCOL ADDRESS:PORT")]
    session: Option<rsvp_wire::Session>,
    /// With reservations: what the data plane has counted of each
    #[arg(long)]
    stats: bool,
    /// As JSON: an array of rows, one object for counters
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// What can be shown.
#[derive(Clone, Copy, Debug)]
struct Shown(What);

/// All of it, in the order of the help text.
const SHOWN: [Shown; 9] = [
    Shown(What::Sessions),
    Shown(What::Senders),
    Shown(What::Requests),
    Shown(What::Reservations),
    Shown(What::Blockades),
    Shown(What::Interfaces),
    Shown(What::Neighbours),
    Shown(What::Flows),
    Shown(What::Counters),
];

impl ValueEnum for Shown {
    fn value_variants<'a>() -> &'a [Self] {
        &SHOWN
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self.0 {
            What::Sessions => ("sessions", "Sessions and how much of everything they have"),
            What::Senders => ("senders", "Path state: what senders announce"),
            What::Requests => ("requests", "What next hops and local applications ask for"),
            What::Reservations => ("reservations", "What is installed"),
            What::Blockades => {
                ("blockades", "Requests that are left out of merging for a while after they failed")
            }
            What::Interfaces => ("interfaces", "Interfaces and what is reserved on them"),
            What::Neighbours => ("neighbours", "Previous and next hops"),
            What::Flows => ("flows", "What the data plane has of reservations, and has counted"),
            What::Counters => ("counters", "What was counted since the daemon started"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

/// `rsvp show`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    if arguments.stats && arguments.what.0 != What::Reservations {
        let why = "--stats goes with reservations, as in `rsvp show reservations --stats`";
        return Err(Failure::Asked(why.to_owned()));
    }
    let client = connection::look(&arguments.daemon).await?;
    let (rows, total) = client.list(arguments.what.0, arguments.session).await?;
    let text = match rows {
        Rows::Reservations(rows) if arguments.stats => {
            let (flows, _) = client.list(What::Flows, arguments.session).await?;
            let Rows::Flows(flows) = flows else { return Err(ClientError::Disconnected.into()) };
            let counted = counted(rows, flows);
            if arguments.json {
                serde_json::to_string(&counted).unwrap_or_default()
            } else {
                stats(&counted, total)
            }
        }
        rows if arguments.json => json(&rows),
        rows => table(&rows, total),
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").map_err(Failure::at("standard output"))
}

/// A reservation with what was counted of it.
#[derive(Debug, Serialize)]
struct Counted {
    #[serde(flatten)]
    reservation: ReservationRow,
    /// Nothing where nothing carries it out.
    stats: Option<Stats>,
}

/// What was counted of a reservation since it was installed.
#[derive(Debug, Serialize)]
struct Stats {
    class: Option<String>,
    packets: u64,
    octets: u64,
    excess_packets: u64,
    excess_octets: u64,
    dropped_packets: u64,
    /// Nothing where it shares a class.
    backlog_octets: Option<u32>,
}

/// Puts together what reservations and flows have the same name for.
fn counted(reservations: Vec<ReservationRow>, flows: Vec<FlowRow>) -> Vec<Counted> {
    let stats = |flow: FlowRow| Stats {
        class: flow.class,
        packets: flow.packets,
        octets: flow.octets,
        excess_packets: flow.excess_packets,
        excess_octets: flow.excess_octets,
        dropped_packets: flow.dropped_packets,
        backlog_octets: flow.backlog_octets,
    };
    let mut flows: BTreeMap<String, Stats> =
        flows.into_iter().map(|flow| (flow.id.clone(), stats(flow))).collect();
    let with = |reservation: ReservationRow| Counted { stats: flows.remove(&reservation.id), reservation };
    reservations.into_iter().map(with).collect()
}

fn stats(rows: &[Counted], total: usize) -> String {
    let line = |Counted { reservation: row, stats }: &Counted| {
        let mut line = vec![row.session.to_string(), row.interface.clone(), texts::filters(&row.filters)];
        line.extend([texts::service(&row.flowspec), bps(row.charge_bps)]);
        let Some(stats) = stats else {
            line.extend(["-"; 5].map(str::to_owned));
            return line;
        };
        let counts = [stats.packets, stats.octets, stats.excess_packets, stats.dropped_packets];
        line.extend(counts.map(|count| count.to_string()));
        line.push(address(stats.backlog_octets));
        line
    };
    let head = [
        "SESSION",
        "INTERFACE",
        "FOR",
        "SERVICE",
        "TAKES",
        "PACKETS",
        "OCTETS",
        "EXCESS",
        "DROPPED",
        "BACKLOG",
    ];
    finished(&head, rows.iter().map(line).collect(), total)
}

/// The rows alone: what they are is what was asked for.
fn json(rows: &Rows) -> String {
    let value = match rows {
        Rows::Sessions(rows) => serde_json::to_string(rows),
        Rows::Senders(rows) => serde_json::to_string(rows),
        Rows::Requests(rows) => serde_json::to_string(rows),
        Rows::Reservations(rows) => serde_json::to_string(rows),
        Rows::Blockades(rows) => serde_json::to_string(rows),
        Rows::Interfaces(rows) => serde_json::to_string(rows),
        Rows::Neighbours(rows) => serde_json::to_string(rows),
        Rows::Flows(rows) => serde_json::to_string(rows),
        Rows::Counters(counters) => serde_json::to_string(counters),
    };
    // Rows that came as JSON go as JSON.
    value.unwrap_or_default()
}

fn bps(bps: u64) -> String {
    show_rate(bps as f64)
}

fn address(address: Option<impl ToString>) -> String {
    address.map_or_else(|| "-".to_owned(), |address| address.to_string())
}

fn flows(flows: &[Flow]) -> String {
    let flow =
        |flow: &Flow| format!("{} for {}", texts::service(&flow.flowspec), texts::filters(&flow.filters));
    flows.iter().map(flow).collect::<Vec<_>>().join("\n")
}

/// Tables for people.
fn table(rows: &Rows, total: usize) -> String {
    let (head, lines): (&[&str], Vec<Vec<String>>) = match rows {
        Rows::Counters(counters) => return counts(counters),
        Rows::Sessions(rows) => (
            &["SESSION", "APPLICATIONS", "SENDERS", "REQUESTS", "RESERVATIONS", "RESERVED"],
            rows.iter()
                .map(|row| {
                    let numbers = [row.applications, row.senders, row.requests, row.reservations];
                    let mut line = vec![row.session.to_string()];
                    line.extend(numbers.map(|n| n.to_string()));
                    line.push(bps(row.charge_bps));
                    line
                })
                .collect(),
        ),
        Rows::Senders(rows) => (
            &["SESSION", "SENDER", "TRAFFIC", "FROM", "INTERFACE", "TO"],
            rows.iter()
                .map(|row| {
                    let to = if row.local_only { "local".to_owned() } else { row.outgoing.join(", ") };
                    let (session, sender) = (row.session.to_string(), row.sender.to_string());
                    let from = address(row.interface.as_ref());
                    vec![session, sender, texts::traffic(&row.traffic), row.previous_hop.clone(), from, to]
                })
                .collect(),
        ),
        Rows::Requests(rows) => (
            &["SESSION", "STYLE", "FROM", "INTERFACE", "ASKS FOR"],
            rows.iter()
                .map(|row| {
                    let from =
                        row.application.map_or_else(|| row.next_hop.clone(), |n| format!("application {n}"));
                    let (session, style) = (row.session.to_string(), row.style.to_string());
                    vec![session, style, from, address(row.interface.as_ref()), flows(&row.flows)]
                })
                .collect(),
        ),
        Rows::Reservations(rows) => (
            &["SESSION", "INTERFACE", "STYLE", "FOR", "SERVICE", "TAKES", "POLICE"],
            rows.iter()
                .map(|row| {
                    let (session, style) = (row.session.to_string(), row.style.to_string());
                    let (filters, service) = (texts::filters(&row.filters), texts::service(&row.flowspec));
                    let (takes, police) = (bps(row.charge_bps), row.police.join(", "));
                    vec![session, row.interface.clone(), style, filters, service, takes, police]
                })
                .collect(),
        ),
        other => more(other),
    };
    finished(head, lines, total)
}

/// A table, with a word where there is nothing in it or not all.
fn finished(head: &[&str], lines: Vec<Vec<String>>, total: usize) -> String {
    let shown = lines.len();
    let mut text = aligned(head, lines);
    if shown == 0 {
        text = "none".to_owned();
    } else if total > shown {
        text += &format!("\n{shown} of {total} rows; --session shows those of one session");
    }
    text
}

/// The tables about what is around the sessions.
fn more(rows: &Rows) -> (&'static [&'static str], Vec<Vec<String>>) {
    match rows {
        Rows::Blockades(rows) => (
            &["SESSION", "SENDER", "PREVIOUS HOP", "BLOCKED"],
            rows.iter()
                .map(|row| {
                    let sender = row.sender.map_or_else(|| "all".to_owned(), |sender| sender.to_string());
                    let (session, hop) = (row.session.to_string(), row.previous_hop.to_string());
                    vec![session, sender, hop, texts::service(&row.flowspec)]
                })
                .collect(),
        ),
        Rows::Interfaces(rows) => (
            &[
                "INTERFACE",
                "STATE",
                "IPV4",
                "IPV6",
                "MTU",
                "RESERVED",
                "RESERVABLE",
                "BANDWIDTH",
                "REFRESH",
                "UDP",
                "DATA PLANE",
            ],
            rows.iter().map(interface).collect(),
        ),
        Rows::Neighbours(rows) => (
            &["INTERFACE", "NEIGHBOUR", "SENDERS", "REQUESTS"],
            rows.iter()
                .map(|row| {
                    let (senders, requests) = (row.senders.to_string(), row.requests.to_string());
                    vec![row.interface.clone(), row.address.to_string(), senders, requests]
                })
                .collect(),
        ),
        Rows::Flows(rows) => {
            // Names are shown where there are any.
            let named = rows.iter().any(|row| row.name.is_some());
            let head = if named { &FLOWS[..] } else { &FLOWS[..FLOWS.len() - 1] };
            (head, rows.iter().map(|row| flow(row, named)).collect())
        }
        _ => (&[], Vec::new()),
    }
}

fn interface(row: &InterfaceRow) -> Vec<String> {
    let state = match (row.up, row.enabled) {
        (_, false) => "no RSVP",
        (true, true) => "up",
        (false, true) => "down",
    };
    let refresh = show_time(Duration::from_millis(row.refresh_ms));
    let mut line = vec![row.name.clone(), state.to_owned(), address(row.ipv4), address(row.ipv6)];
    line.push(row.mtu.to_string());
    line.extend([row.reserved_bps, row.reservable_bps, row.bandwidth_bps].map(bps));
    line.extend([refresh, if row.udp { "on" } else { "-" }.to_owned()]);
    // Why it is not there or was refused is in the JSON, and in the log.
    line.push(row.data_plane.split(':').next().unwrap_or_default().to_owned());
    line
}

/// What is shown of flows.
const FLOWS: [&str; 12] = [
    "SESSION",
    "INTERFACE",
    "FOR",
    "SERVICE",
    "CLASS",
    "RATE",
    "PACKETS",
    "OCTETS",
    "EXCESS",
    "DROPPED",
    "BACKLOG",
    "NAME",
];

fn flow(row: &FlowRow, named: bool) -> Vec<String> {
    let mut line = vec![row.session.to_string(), row.interface.clone(), texts::filters(&row.filters)];
    let service = match row.state.as_str() {
        "installed" => row.service.clone(),
        state => format!("{} ({state})", row.service),
    };
    line.extend([service, address(row.class.as_ref()), bps(row.rate_bps)]);
    let counted = [row.packets, row.octets, row.excess_packets, row.dropped_packets];
    line.extend(counted.map(|count| count.to_string()));
    line.push(address(row.backlog_octets));
    line.extend(named.then(|| address(row.name.as_ref())));
    line
}

/// Counters that are not zero, and all that tell of messages.
fn counts(counters: &Counters) -> String {
    let groups = [
        ("received", &counters.received, true),
        ("sent", &counters.sent, true),
        ("discarded", &counters.discards, false),
        ("daemon", &counters.driver, true),
    ];
    let mut lines = Vec::new();
    for (group, names, all) in groups {
        let shown = names.iter().filter(|(_, times)| all || **times > 0);
        lines.extend(shown.map(|(name, times)| vec![group.to_owned(), name.clone(), times.to_string()]));
    }
    aligned(&["", "COUNTER", "TIMES"], lines)
}

pub(super) fn aligned(head: &[&str], lines: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    for line in lines {
        table.add_row(line);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
