//! The tables of `rsvp show`, for people.

use super::super::texts;
use super::layout::laid_out;
use core::time::Duration;
use rsvp_client::Flow;
use rsvp_client::rows::{Counters, FlowRow, InterfaceRow, NeighbourRow, RequestRow, Rows, SenderRow};
use rsvp_node::units::{show_rate, show_time};

pub(super) fn bps(bps: u64) -> String {
    show_rate(bps as f64)
}

/// How long ago, or in how long; `-` where nobody refreshes.
fn time(ms: Option<u64>) -> String {
    ms.map_or_else(|| "-".to_owned(), |ms| show_time(Duration::from_millis(ms / 100 * 100)))
}

pub(super) fn address(address: Option<impl ToString>) -> String {
    address.map_or_else(|| "-".to_owned(), |address| address.to_string())
}

fn flows(flows: &[Flow]) -> String {
    let flow =
        |flow: &Flow| format!("{} for {}", texts::service(&flow.flowspec), texts::filters(&flow.filters));
    flows.iter().map(flow).collect::<Vec<_>>().join("\n")
}

/// Tables for people.
pub(super) fn table(rows: &Rows, total: usize, detail: bool, width: Option<usize>) -> String {
    let (head, lines): (&[&str], Vec<Vec<String>>) = match rows {
        Rows::Counters(counters) => return counts(counters, width),
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
        Rows::Senders(rows) => {
            let head = if detail { &SENDERS[..] } else { &SENDERS[..SENDERS.len() - 2] };
            (head, rows.iter().map(|row| sender(row, detail)).collect())
        }
        Rows::Requests(rows) => (&REQUESTS, rows.iter().map(request).collect()),
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
    finished(head, lines, total, width)
}

fn sender(row: &SenderRow, detail: bool) -> Vec<String> {
    let to = match &row.not_forwarded {
        Some(why) if row.local_only => format!("local: {why}"),
        _ if row.local_only => "local".to_owned(),
        Some(why) => format!("nowhere: {why}"),
        None => {
            let undelivered = row.undelivered.iter().map(|why| format!("not delivered: {why}"));
            row.outgoing.iter().cloned().chain(undelivered).collect::<Vec<_>>().join(", ")
        }
    };
    let (session, sender) = (row.session.to_string(), row.sender.to_string());
    let from = address(row.interface.as_ref());
    let mut line = vec![session, sender, texts::traffic(&row.traffic), row.previous_hop.clone(), from, to];
    line.extend([Some(row.age_ms), row.refreshed_ms, row.expires_ms].map(time));
    if detail {
        let path = row.adspec.as_ref().map_or_else(|| "-".to_owned(), texts::offer);
        line.extend([row.ttl.to_string(), path]);
    }
    line
}

fn request(row: &RequestRow) -> Vec<String> {
    let from = row.application.map_or_else(|| row.next_hop.clone(), |n| format!("application {n}"));
    let (session, style) = (row.session.to_string(), row.style.to_string());
    let mut line = vec![session, style, from, address(row.interface.as_ref()), flows(&row.flows)];
    line.extend([Some(row.age_ms), row.refreshed_ms, row.expires_ms].map(time));
    line
}

/// A table, with a word where there is nothing in it or not all.
pub(super) fn finished(head: &[&str], lines: Vec<Vec<String>>, total: usize, width: Option<usize>) -> String {
    let shown = lines.len();
    let mut text = laid_out(head, lines, width);
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
            &["SESSION", "SENDER", "PREVIOUS HOP", "INCOMING", "BLOCKED"],
            rows.iter()
                .map(|row| {
                    let sender = row.sender.map_or_else(|| "all".to_owned(), |sender| sender.to_string());
                    let (session, hop) = (row.session.to_string(), row.previous_hop.to_string());
                    vec![session, sender, hop, row.incoming.clone(), texts::service(&row.flowspec)]
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
            &[
                "INTERFACE",
                "NEIGHBOUR",
                "SENDERS",
                "REQUESTS",
                "HEARD",
                "STATES",
                "OCTETS",
                "MESSAGES",
                "REFUSED",
            ],
            rows.iter().map(neighbour).collect(),
        ),
        Rows::Flows(rows) => {
            // Names are shown where there are any.
            let named = rows.iter().any(|row| row.name.is_some());
            let head = if named { &FLOWS[..] } else { &FLOWS[..FLOWS.len() - 1] };
            (head, rows.iter().map(|row| flow(row, named)).collect())
        }
        Rows::Events(rows) => (
            &["AGO", "WHAT"],
            rows.iter().map(|row| vec![time(Some(row.ago_ms)), texts::watched(&row.watched)]).collect(),
        ),
        _ => (&[], Vec::new()),
    }
}

fn neighbour(row: &NeighbourRow) -> Vec<String> {
    let refused: Vec<_> = row.refused.iter().map(|(cause, times)| format!("{cause} {times}")).collect();
    let mut line = vec![row.interface.clone(), texts::neighbour(row.address)];
    line.extend([row.senders, row.requests].map(|n| n.to_string()));
    line.push(time(row.heard_ms));
    line.extend([row.states, row.octets, row.messages].map(address));
    line.push(if refused.is_empty() { "-".to_owned() } else { refused.join(", ") });
    line
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
    let udp = if row.udp { "on" } else { "-" };
    let refused = (row.udp_refused > 0).then(|| format!("{udp}, {} refused", row.udp_refused));
    line.extend([refresh, refused.unwrap_or_else(|| udp.to_owned())]);
    // Why it is not there or was refused is in the JSON, and in the log.
    line.push(row.data_plane.split(':').next().unwrap_or_default().to_owned());
    line
}

/// What is shown of senders; the last two in detail.
const SENDERS: [&str; 11] =
    ["SESSION", "SENDER", "TRAFFIC", "FROM", "INTERFACE", "TO", "AGE", "REFRESHED", "EXPIRES", "TTL", "PATH"];

/// What is shown of requests.
const REQUESTS: [&str; 8] =
    ["SESSION", "STYLE", "FROM", "INTERFACE", "ASKS FOR", "AGE", "REFRESHED", "EXPIRES"];

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
fn counts(counters: &Counters, width: Option<usize>) -> String {
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
    laid_out(&["", "COUNTER", "TIMES"], lines, width)
}
