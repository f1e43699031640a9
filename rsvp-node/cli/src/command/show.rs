//! `rsvp show`: the state of the node as tables, or as JSON.

mod chosen;
mod layout;
mod tables;

use super::connection::answered;
use super::options::{Daemon, span};
use super::output::interrupted;
use super::{Failure, connection, names, texts};
use chosen::Filters;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use core::time::Duration;
use rsvp_client::rows::{Counters, FlowRow, ReservationRow, Rows};
use rsvp_client::{Client, ClientError, What, metrics};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use tokio::time::{MissedTickBehavior, interval};

use layout::laid_out;
use tables::{address, bps, finished, table};

/// What `rsvp show` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp show reservations\n  \
    rsvp show requests --session \"udp 10.0.2.2:5000\"\n  \
    rsvp show reservations --stats\n  \
    rsvp show senders --detail --interface eth0\n  \
    rsvp show flows --watch 2s\n  \
    rsvp show counters --prometheus\n  \
    rsvp show interfaces --json | jq '.[].reserved_bps'")]
pub(crate) struct Arguments {
    /// What to show
    #[arg(value_enum)]
    what: Shown,
    /// Only what is of this session, such as "udp 10.0.2.2:5000"
    #[arg(long, value_name = "PROTOCOL HOST:PORT", value_parser = names::session)]
    session: Option<rsvp_wire::Session>,
    /// With reservations: what the data plane has counted of each
    #[arg(long)]
    stats: bool,
    #[command(flatten)]
    filters: Filters,
    /// With senders: the TTL, and what the path offers
    #[arg(long)]
    detail: bool,
    /// Shows it again and again: every second, or as often as TIME says
    #[arg(long, value_name = "TIME", value_parser = span, num_args = 0..=1, default_missing_value = "1s")]
    watch: Option<Duration>,
    /// Columns that there are; a table that is wider is shown as a paragraph for each row; 0 for never [default: those of the terminal]
    #[arg(long, value_name = "COLUMNS", conflicts_with = "json")]
    width: Option<usize>,
    /// With counters: as Prometheus reads them, with interfaces and totals
    #[arg(long, conflicts_with_all = ["json", "width"])]
    prometheus: bool,
    /// As JSON: an array of rows, one object for counters
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

impl Arguments {
    /// Refuses options that mean nothing for what is to be shown.
    fn refuse(&self) -> Result<(), Failure> {
        use What::{
            Blockades, Counters, Events, Flows, Interfaces, Neighbours, Requests, Reservations, Senders,
            Sessions,
        };
        let Filters { interface, peer, sender } = &self.filters;
        // As they are used, whether they are, and for what.
        let options: [(&str, bool, &[What]); 7] = [
            (
                "--session \"udp 10.0.2.2:5000\"",
                self.session.is_some(),
                &[Sessions, Senders, Requests, Reservations, Blockades, Flows, Events],
            ),
            (
                "--interface eth0",
                interface.is_some(),
                &[Senders, Requests, Reservations, Blockades, Interfaces, Neighbours, Flows],
            ),
            ("--peer 10.0.1.1", peer.is_some(), &[Senders, Requests, Blockades, Neighbours, Events]),
            (
                "--sender 10.0.1.1:4000",
                sender.is_some(),
                &[Senders, Requests, Reservations, Blockades, Flows],
            ),
            ("--stats", self.stats, &[Reservations]),
            ("--detail", self.detail, &[Senders]),
            ("--prometheus", self.prometheus, &[Counters]),
        ];
        let useless = |(_, is_said, of): &&(&str, bool, &[What])| *is_said && !of.contains(&self.what.0);
        let Some((option, _, of)) = options.iter().find(useless) else { return Ok(()) };
        let names: Vec<String> = of.iter().map(|what| Shown(*what).name()).collect();
        let (what, example) = (self.what.name(), names.first().map_or("", String::as_str));
        let name = option.split(' ').next().unwrap_or(option);
        Err(Failure::Arguments(format!(
            "{name} means nothing for {what}: it goes with {}, as in `rsvp show {example} {option}`",
            names.join(", ")
        )))
    }

    /// Columns, where there is a limit.
    fn columns(&self) -> Option<usize> {
        let of_terminal = || if std::io::stdout().is_terminal() { layout::columns() } else { None };
        self.width.or_else(of_terminal).filter(|width| *width > 0)
    }
}

/// What can be shown.
#[derive(Clone, Copy, Debug)]
struct Shown(What);

impl Shown {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// All of it, in the order of the help text.
const SHOWN: [Shown; 10] = [
    Shown(What::Sessions),
    Shown(What::Senders),
    Shown(What::Requests),
    Shown(What::Reservations),
    Shown(What::Blockades),
    Shown(What::Interfaces),
    Shown(What::Neighbours),
    Shown(What::Flows),
    Shown(What::Events),
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
            What::Events => {
                ("events", "What happened of late: errors, dropped messages, what applications were told")
            }
            What::Counters => ("counters", "What was counted since the daemon started"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

/// `rsvp show`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    arguments.refuse()?;
    let client = connection::look(&arguments.daemon).await?;
    let socket = &arguments.daemon.socket;
    let Some(every) = arguments.watch else {
        return print(&answered(socket, look(&client, &arguments)).await?, false);
    };
    let mut looks = interval(every);
    looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut interrupted = core::pin::pin!(interrupted());
    let is_drawn = std::io::stdout().is_terminal() && !arguments.json;
    loop {
        tokio::select! {
            () = &mut interrupted => return Ok(()),
            _ = looks.tick() => print(&answered(socket, look(&client, &arguments)).await?, is_drawn)?,
        }
    }
}

/// In a terminal in the place of what was there before, if so wanted.
fn print(text: &str, is_drawn: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let cleared = if is_drawn { write!(out, "\x1b[H\x1b[2J") } else { Ok(()) };
    cleared
        .and_then(|()| writeln!(out, "{text}"))
        .and_then(|()| out.flush())
        .map_err(Failure::at("standard output"))
}

/// What there is to show.
async fn look(client: &Client, arguments: &Arguments) -> Result<String, Failure> {
    let (all, total) = client.list(arguments.what.0, arguments.session).await?;
    let rows = arguments.filters.choose(all);
    // What filters leave out is not missed.
    let total = if arguments.filters.is_empty() { total } else { 0 };
    let width = arguments.columns();
    Ok(match rows {
        Rows::Counters(counters) if arguments.prometheus => exposition(client, &counters).await?,
        Rows::Reservations(rows) if arguments.stats => {
            let (flows, _) = client.list(What::Flows, arguments.session).await?;
            let Rows::Flows(flows) = flows else { return Err(ClientError::Disconnected.into()) };
            let counted = counted(rows, flows);
            if arguments.json {
                serde_json::to_string(&counted).unwrap_or_default()
            } else {
                stats(&counted, total, width)
            }
        }
        rows if arguments.json => json(&rows),
        rows => table(&rows, total, arguments.detail, width),
    })
}

/// What the daemon's own endpoint for Prometheus would answer.
async fn exposition(client: &Client, counters: &Counters) -> Result<String, Failure> {
    let (Rows::Interfaces(interfaces), _) = client.list(What::Interfaces, None).await? else {
        return Err(ClientError::Disconnected.into());
    };
    let mut totals = [0; metrics::COUNTED.len()];
    for (what, total) in metrics::COUNTED.into_iter().zip(&mut totals) {
        *total = client.count(what).await?;
    }
    Ok(metrics::text(counters, &interfaces, totals).trim_end().to_owned())
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

fn stats(rows: &[Counted], total: usize, width: Option<usize>) -> String {
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
    finished(&head, rows.iter().map(line).collect(), total, width)
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
        Rows::Events(rows) => serde_json::to_string(rows),
        Rows::Counters(counters) => serde_json::to_string(counters),
    };
    // Rows that came as JSON go as JSON.
    value.unwrap_or_default()
}

/// A table as wide as it is.
pub(super) fn aligned(head: &[&str], lines: Vec<Vec<String>>) -> String {
    laid_out(head, lines, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    /// `|` is a space within a word.
    fn arguments(line: &str) -> Arguments {
        let words = line.split(' ').map(|word| word.replace('|', " "));
        let words = ["rsvp".to_owned(), "show".to_owned()].into_iter().chain(words);
        let cli = crate::Cli::try_parse_from(words).expect(line);
        let crate::Command::Daemon(super::super::Command::Show(arguments)) = cli.command else {
            panic!("{line}")
        };
        arguments
    }

    #[test]
    fn options_without_effect_are_refused_with_what_they_go_with() {
        let all = SHOWN.map(Shown::name);
        for (option, of) in [
            (
                "--session udp|10.0.2.2:5000",
                "sessions, senders, requests, reservations, blockades, flows, events",
            ),
            ("--interface eth0", "senders, requests, reservations, blockades, interfaces, neighbours, flows"),
            ("--peer 10.0.1.1", "senders, requests, blockades, neighbours, events"),
            ("--sender 10.0.1.1:4000", "senders, requests, reservations, blockades, flows"),
            ("--stats", "reservations"),
            ("--detail", "senders"),
            ("--prometheus", "counters"),
        ] {
            for what in &all {
                let is_fitting = of.split(", ").any(|fitting| fitting == what);
                let refused = arguments(&format!("{what} {option}")).refuse();
                assert_eq!(refused.is_ok(), is_fitting, "{what} {option}");
                let Err(failure) = refused else { continue };
                let (name, said) = (option.split(' ').next().expect("a name"), failure.to_string());
                assert!(
                    failure.status() == 2 && said.starts_with(&format!("{name} means nothing for {what}")),
                    "{said}"
                );
                assert!(said.contains(&format!("it goes with {of}, as in `rsvp show ")), "{said}");
            }
        }
    }

    #[test]
    fn no_columns_are_no_limit() {
        assert_eq!(arguments("senders --width 0").columns(), None);
        assert_eq!(arguments("senders --width 60").columns(), Some(60));
    }
}
