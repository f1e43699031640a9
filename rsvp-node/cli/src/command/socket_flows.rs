//! `rsvp flows`: flows that applications have given their sockets (QOS2), and what the network has on the way to a peer.

use super::connection::{answered, by_either, greeted};
use super::options::Looking;
use super::show::aligned;
use super::{Failure, names};
use clap::{Args, Subcommand};
use core::time::Duration;
use rsvp_client::flows::{FlowError, FlowOptions, Flows, Fundamentals, Row, SocketRow, TrafficType, Version};
use rsvp_node::units::{show_rate, show_time};
use serde_json::json;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// What `rsvp flows` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  rsvp flows list\n  rsvp flows measure --to 10.0.2.2:5000")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Lists flows of sockets with their marks and rates: this user's, or, as root and members of rsvpd's group, all
    #[command(after_help = "Example:\n  rsvp flows list --json | jq '.[] | select(.traffic == \"voice\")'")]
    List(Looking),
    /// Measures what the network has on the way to a peer whose rsvpd helps with that
    #[command(
        after_help = "Example:\n  rsvp flows measure --to 10.0.2.2:5000 --json | jq .bottleneck_bps\n\n\
        The rsvpd at the other end needs `[responder] enabled = true`. Exit status: 0 if something is known, 1 if not."
    )]
    Measure(Measuring),
}

#[derive(Clone, Debug, Args)]
struct Measuring {
    /// The peer, with the port that the traffic goes to
    #[arg(long, value_name = "HOST:PORT", value_parser = names::host_and_port)]
    to: SocketAddr,
    #[command(flatten)]
    looking: Looking,
}

impl From<FlowError> for Failure {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Daemon(error) => Self::Client(error),
            other => Self::Asked(other.to_string()),
        }
    }
}

/// `rsvp flows`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let text = match arguments.command {
        Command::List(looking) => {
            let (flows, socket) = by_either(&looking, |path| Flows::open_at(Version::V1_0, path)).await?;
            let rows = answered(&socket, flows.list()).await?;
            if looking.json { json!(rows).to_string() } else { table(&rows) }
        }
        Command::Measure(Measuring { to, looking }) => {
            let path = looking.anybody();
            let flows = greeted(&path, Flows::open_at(Version::V1_0, &path)).await?;
            let any: IpAddr =
                if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
            let socket = UdpSocket::bind(SocketAddr::new(any, 0)).map_err(Failure::at("a socket"))?;
            let options = FlowOptions { destination: Some(to), adaptive: true };
            let flow = answered(&path, flows.add(&socket, TrafficType::BestEffort, options)).await?;
            let known = answered(&path, flow.fundamentals(true)).await?;
            if looking.json { json!(known).to_string() } else { said(&known) }
        }
    };
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).map_err(Failure::at("standard output"))
}

fn said(known: &Fundamentals) -> String {
    let rate = |bps: Option<u64>| bps.map_or_else(|| "not known".to_owned(), |bps| show_rate(bps as f64));
    let time =
        known.round_trip_us.map_or_else(|| "not known".to_owned(), |us| show_time(Duration::from_micros(us)));
    let rows = vec![
        vec!["narrowest link".to_owned(), rate(known.bottleneck_bps)],
        vec!["left of it".to_owned(), rate(known.available_bps)],
        vec!["there and back".to_owned(), time],
        vec!["known by".to_owned(), known.by.clone()],
    ];
    aligned(&["WHAT", "VALUE"], rows)
}

fn word<T: serde::Serialize>(value: T) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

fn table(rows: &[Row]) -> String {
    let line = |row: &Row, socket: Option<&SocketRow>| {
        let of = |text: &dyn Fn(&SocketRow) -> String| socket.map_or_else(|| "-".to_owned(), text);
        let excess = row.marks.excess_dscp.map_or_else(String::new, |dscp| format!("/{dscp}"));
        let rate = row.rate.map_or_else(
            || "-".to_owned(),
            |rate| format!("{} {}", show_rate(rate.bandwidth_bps as f64), word(rate.shaping)),
        );
        vec![
            row.flow.to_string(),
            row.uid.to_string(),
            word(row.traffic),
            format!("{}{excess}", row.marks.dscp),
            rate,
            of(&|socket| word(socket.transport)),
            of(&|socket| socket.destination.to_string()),
            of(&|socket| socket.interface.clone().unwrap_or_else(|| "-".to_owned())),
        ]
    };
    let lines = rows.iter().flat_map(|row| match &row.sockets[..] {
        [] => vec![line(row, None)],
        sockets => sockets.iter().map(|socket| line(row, Some(socket))).collect(),
    });
    let titles = ["FLOW", "USER", "TRAFFIC", "DSCP", "RATE", "PROTOCOL", "TO", "INTERFACE"];
    aligned(&titles, lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_said_in_the_units_of_all_tables() {
        let known = Fundamentals {
            bottleneck_bps: Some(2_000_000),
            available_bps: None,
            round_trip_us: Some(1_500),
            by: "tcp".to_owned(),
        };
        let said = said(&known);
        for words in ["2Mbit/s", "not known", "1.5ms", "tcp"] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}
