//! `rsvp watch`: everything that happens on the node, as it happens.

mod untold;

use super::connection::{answered, look};
use super::options::Daemon;
use super::output::{Output, interrupted};
use super::{Failure, names};
use clap::{Args, ValueEnum};
use core::net::IpAddr;
use core::time::Duration;
use rsvp_client::rows::{Counters, Rows};
use rsvp_client::{Client, ClientError, Watched, What};
use rsvp_wire::Session;
use serde_json::json;
use tokio::time::{sleep, timeout};
use untold::Untold;

/// Time between two looks at how many messages were dropped.
const LOOKS: Duration = Duration::from_secs(1);

/// What `rsvp watch` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp watch\n  \
    rsvp watch --only discards,errors\n  \
    rsvp watch --session \"udp 10.0.2.2:5000\" --peer 10.0.1.1\n  \
    rsvp watch --json | jq .watched\n\n\
    Of what one neighbour sends and is dropped for the same cause, five are shown in ten seconds. How many there were is said with the \
    next that is shown and, without --session and --peer, of each cause once a second has passed without more, and at the end.")]
pub(crate) struct Arguments {
    /// Only these kinds
    #[arg(long, value_name = "KIND", value_enum, value_delimiter = ',')]
    only: Vec<Kind>,
    /// Only what is of this session, such as "udp 10.0.2.2:5000"
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
    let client = look(&arguments.daemon).await?;
    let socket = &arguments.daemon.socket;
    let output = Output::by_the_clock(arguments.json);
    let mut watch = answered(socket, client.watch()).await?;
    let counts = arguments.counts();
    let before = if counts { answered(socket, counters(&client)).await? } else { Counters::default() };
    let mut untold = Untold::since(before);
    output.note(
        "watching",
        &format!("watching {}", client.daemon()),
        json!({ "daemon": client.daemon() }),
    )?;
    let mut interrupted = core::pin::pin!(interrupted());
    // One look at a time: a daemon that is stopped for a while is asked once.
    let mut counted = core::pin::pin!(counters_later(&client));
    loop {
        tokio::select! {
            biased;
            () = &mut interrupted => break,
            watched = watch.next() => match watched {
                Some(watched) if arguments.wants(&watched) => {
                    output.watched(&watched)?;
                    if let Watched::Discarded(discarded) = &watched {
                        untold.shown(discarded);
                    }
                }
                Some(_) => {}
                None => return Err(ClientError::Disconnected.into()),
            },
            now = &mut counted, if counts => {
                say(&untold.quiet(&now?), &output)?;
                counted.set(counters_later(&client));
            }
        }
    }
    // A daemon that does not answer has nothing to add.
    if counts && let Ok(Ok(now)) = timeout(LOOKS, counters(&client)).await {
        say(&untold.all(&now), &output)?;
    }
    Ok(())
}

async fn counters(client: &Client) -> Result<Counters, ClientError> {
    match client.list(What::Counters, None).await? {
        (Rows::Counters(counters), _) => Ok(counters),
        _ => Err(ClientError::Unexpected("counters without any".to_owned())),
    }
}

async fn counters_later(client: &Client) -> Result<Counters, ClientError> {
    sleep(LOOKS).await;
    counters(client).await
}

/// Says of causes how many messages are not shown.
fn say(untold: &[(String, u64)], output: &Output) -> Result<(), Failure> {
    untold.iter().try_for_each(|(cause, left_out)| {
        let words = format!("discarded ({cause}): {left_out} more, which are not shown");
        output.note("more-discards", &words, json!({ "cause": cause, "left_out": left_out }))
    })
}

impl Arguments {
    /// Whether it matters how many messages are dropped; of sessions and neighbours that is not counted.
    fn counts(&self) -> bool {
        let wants = self.only.is_empty() || self.only.contains(&Kind::Discards);
        wants && self.session.is_none() && self.peer.is_none()
    }

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
