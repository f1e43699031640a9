//! `rsvp tc`: flows and filters by hand, without signalling.
//!
//! A flow belongs to the connection that made it. So `flow` and `filter` hold what they make until they end.

mod said;
mod shown;

use super::Failure;
use super::connection::{answered, look};
use super::options::{Daemon, span};
use super::output::{Output, interrupted};
use clap::{Args, Subcommand};
use core::time::Duration;
use rsvp_client::tc::{Event, Filter, Flow, Query, Set};
use rsvp_client::{Client, ClientError};
use said::{FilterWords, Marked, Paced, Settings};
use serde_json::json;
use std::io::Write;
use tokio::time::{Instant, sleep_until};

/// What `rsvp tc` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp tc flow --interface eth0 --rate 2mbit --filter \"protocol udp destination-port 5000\"\n  \
    rsvp tc filter --interface eth0 --dscp ef --filter \"protocol udp destination-port 5060\"\n  \
    rsvp tc query")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one, for as long as the command line is read")]
enum What {
    /// Gives packets that filters select a rate and marks, for as long as this command runs
    Flow(FlowArguments),
    /// Gives packets that filters select marks and no rate, for as long as this command runs
    Filter(FilterArguments),
    /// Shows interfaces and flows, with what is left and what was counted
    Query(QueryArguments),
    /// Sets marks of services and classes by DSCP in the place of the configuration's, until rsvpd ends
    Set(SetArguments),
    /// Shows what happens to interfaces and flows, as it happens
    Watch(WatchArguments),
}

/// What `rsvp tc flow` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp tc flow --interface eth0 --rate 2mbit --filter \"protocol udp destination 10.0.2.2 destination-port 5000\"\n  \
    rsvp tc flow --interface eth0 --service guaranteed --rate 1mbit --mode shape --name backup --filter \"source 10.0.1.0/24\"\n  \
    rsvp tc flow --interface eth0 --rate 5mbit --rule ef=af41/cs1 --rule af11=af12/0")]
struct FlowArguments {
    #[command(flatten)]
    paced: Paced,
    #[command(flatten)]
    common: Common,
}

/// What `rsvp tc filter` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp tc filter --interface eth0 --dscp ef --filter \"protocol udp destination-port 5060\"\n  \
    rsvp tc filter --interface eth0 --dscp cs6 --filter \"protocol icmp icmp-type 8\"\n  \
    rsvp tc filter --interface eth0 --dscp af41 --filter \"protocol esp spi 0x1234\"")]
struct FilterArguments {
    #[command(flatten)]
    common: Common,
}

/// What both have.
#[derive(Clone, Debug, Args)]
struct Common {
    /// The interface by which the packets leave, by name
    #[arg(long, value_name = "NAME")]
    interface: String,
    /// Packets of the flow, by words and values: destination and source (10.0.2.2, 10.0.2.0/24, 10.0.0.2/255.0.0.255), protocol,
    /// destination-port and source-port (5000, 0x1000/0xf000), icmp-type, icmp-code, spi; may be given more than once
    #[arg(long, value_name = "WORDS")]
    filter: Vec<FilterWords>,
    #[command(flatten)]
    marked: Marked,
    /// What the flow is called in listings
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Ends after so long
    #[arg(long, value_name = "TIME", value_parser = span)]
    r#for: Option<Duration>,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// What `rsvp tc query` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp tc query\n  \
    rsvp tc query --interface eth0 --json | jq '.interfaces[].remaining_bps'")]
struct QueryArguments {
    /// Only this interface
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    /// Only this flow, by its number
    #[arg(long, value_name = "NUMBER")]
    flow: Option<u64>,
    /// As one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// What `rsvp tc set` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp tc set --marks controlled-load=af41/cs1\n  \
    rsvp tc set --interface eth0 --marks guaranteed=ef/keep --class cs1=non-conforming\n  \
    rsvp tc set --interface eth0 --reset")]
struct SetArguments {
    /// Only this interface [default: all that have nothing set for themselves]
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
    #[command(flatten)]
    settings: Settings,
    /// Before anything else is set, forgets what was set, so that the configuration holds again
    #[arg(long)]
    reset: bool,
    /// As one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// What `rsvp tc watch` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  rsvp tc watch\n  rsvp tc watch --json | jq .tc")]
struct WatchArguments {
    /// One JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// `rsvp tc`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    match arguments.what {
        What::Flow(FlowArguments { paced, common }) => {
            let flow = paced.over(common.flow()).map_err(Failure::Asked)?;
            hold(flow, &common).await
        }
        What::Filter(FilterArguments { common }) => {
            if common.filter.is_empty() {
                let why =
                    "say which packets with --filter, as in --filter \"protocol udp destination-port 5060\"";
                return Err(Failure::Asked(why.to_owned()));
            }
            hold(common.flow(), &common).await
        }
        What::Query(QueryArguments { interface, flow, json, daemon }) => {
            let client = look(&daemon).await?;
            let report = answered(&daemon.socket, client.query_flows(Query { interface, flow })).await?;
            let text =
                if json { serde_json::to_string(&report).unwrap_or_default() } else { shown::table(&report) };
            writeln!(std::io::stdout().lock(), "{text}").map_err(Failure::at("standard output"))
        }
        What::Set(SetArguments { interface, settings, reset, json, daemon }) => {
            let set = Set { interface, reset, ..settings.set() };
            let client = look(&daemon).await?;
            answered(&daemon.socket, client.set_marks(set)).await?;
            Output::new(json).note("set", "set; it holds until rsvpd ends", json!({}))
        }
        What::Watch(WatchArguments { json, daemon }) => watch(&daemon, json).await,
    }
}

impl Common {
    /// A flow with marks and without a rate.
    fn flow(&self) -> Flow {
        Flow { interface: Some(self.interface.clone()), name: self.name.clone(), ..self.marked.flow() }
    }
}

/// Makes a flow with filters, and holds it.
async fn hold(flow: Flow, common: &Common) -> Result<(), Failure> {
    let output = Output::new(common.json);
    let client = look(&common.daemon).await?;
    let socket = &common.daemon.socket;
    let mut events = client.own_flows();
    let flow = answered(socket, client.add_flow(flow)).await?;
    for words in &common.filter {
        answered(socket, client.add_filter(Filter { flow, ..words.0.clone() })).await?;
    }
    let filters = common.filter.len();
    let made = format!("flow {flow} is made, with {filters} filters");
    output.note("flow-made", &made, json!({ "flow": flow, "filters": filters }))?;
    let done = wait(&mut events, common.r#for).await;
    if let Some(event) = &done {
        output.flow_event(&shown::event(event), event)?;
        return Err(Failure::Asked("the flow has ended".to_owned()));
    }
    answered(socket, end(&client, flow)).await?;
    output.note("ends", "ends; the flow is given up", json!({ "flow": flow }))
}

async fn end(client: &Client, flow: u64) -> Result<(), ClientError> {
    match client.delete_flow(flow).await {
        Err(ClientError::Disconnected) => Ok(()),
        done => done,
    }
}

/// Waits until it is time to end, or the flow has ended.
async fn wait(events: &mut rsvp_client::FlowWatch, length: Option<Duration>) -> Option<Event> {
    let end = Instant::now() + length.unwrap_or_default();
    let mut interrupted = core::pin::pin!(interrupted());
    tokio::select! {
        biased;
        () = &mut interrupted => None,
        () = sleep_until(end), if length.is_some() => None,
        event = events.next() => event,
    }
}

async fn watch(daemon: &Daemon, json: bool) -> Result<(), Failure> {
    let client = look(daemon).await?;
    let output = Output::new(json);
    let mut events = answered(&daemon.socket, client.watch_flows()).await?;
    let watching = format!("watching flows and interfaces of {}", client.daemon());
    output.note("watching", &watching, json!({ "daemon": client.daemon() }))?;
    let mut interrupted = core::pin::pin!(interrupted());
    loop {
        tokio::select! {
            () = &mut interrupted => return Ok(()),
            event = events.next() => match event {
                Some(event) => output.flow_event(&shown::event(&event), &event)?,
                None => return Err(ClientError::Disconnected.into()),
            },
        }
    }
}
