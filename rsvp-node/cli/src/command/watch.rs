//! `rsvp watch`: everything that happens on the node, as it happens.

use super::options::Daemon;
use super::output::{Output, interrupted};
use super::{Failure, connection, names};
use clap::{Args, ValueEnum};
use core::net::IpAddr;
use rsvp_client::{ClientError, Watched};
use rsvp_wire::Session;
use serde_json::json;

/// What `rsvp watch` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp watch\n  \
    rsvp watch --only discards,errors\n  \
    rsvp watch --session \"udp 10.0.2.2:5000\" --peer 10.0.1.1\n  \
    rsvp watch --json | jq .watched\n\n\
    Of what one neighbour sends and is dropped for the same cause, five are shown in ten seconds, and then how many there were.")]
pub(crate) struct Arguments {
    /// Only these kinds
    #[arg(long, value_name = "KIND", value_enum, value_delimiter = ',')]
    only: Vec<Kind>,
    /// Only of this session
    #[arg(long, value_name = "PROTOCOL HOST:PORT", value_parser = names::session)]
    session: Option<Session>,
    /// Only of this neighbour: who sent a message, or is to get it; the hop from which state came
    #[arg(long, value_name = "HOST", value_parser = names::host)]
    peer: Option<IpAddr>,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// Kinds of what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Path state and requests that arrive, change and leave
    State,
    /// Reservations that are installed and removed
    Reservations,
    /// Errors that are received and sent, and messages that do not get where they are to go
    Errors,
    /// Messages that are dropped, with the cause
    Discards,
    /// Teardowns and confirmations that are received and sent
    Messages,
    /// What local applications are told
    Applications,
    /// Policies that are read again, and those that are left out
    Policies,
}

/// `rsvp watch`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let client = connection::look(&arguments.daemon).await?;
    let output = Output::by_the_clock(arguments.json);
    let mut watch = client.watch().await?;
    output.note(
        "watching",
        &format!("watching {}", client.daemon()),
        json!({ "daemon": client.daemon() }),
    )?;
    let mut interrupted = core::pin::pin!(interrupted());
    loop {
        tokio::select! {
            () = &mut interrupted => return Ok(()),
            watched = watch.next() => match watched {
                Some(watched) if arguments.wants(&watched) => output.watched(&watched)?,
                Some(_) => {}
                None => return Err(ClientError::Disconnected.into()),
            },
        }
    }
}

impl Arguments {
    fn wants(&self, watched: &Watched) -> bool {
        (self.only.is_empty() || self.only.contains(&kind(watched)))
            && self.session.is_none_or(|only| watched.session() == Some(only))
            && self.peer.is_none_or(|only| watched.peer() == Some(only))
    }
}

fn kind(watched: &Watched) -> Kind {
    match watched {
        Watched::Application { .. } => Kind::Applications,
        Watched::Reserved(_) | Watched::Unreserved(_) => Kind::Reservations,
        Watched::SenderArrived(_)
        | Watched::SenderGone(_)
        | Watched::RequestArrived(_)
        | Watched::RequestGone(_) => Kind::State,
        Watched::Message { error: Some(_), .. } | Watched::Undelivered { .. } => Kind::Errors,
        Watched::Message { error: None, .. } => Kind::Messages,
        Watched::Discarded(_) => Kind::Discards,
        Watched::Policy(_) => Kind::Policies,
    }
}
