//! `rsvp watch`: everything that happens on the node, as it happens.

use super::options::Daemon;
use super::output::{Output, interrupted};
use super::{Failure, connection};
use clap::Args;
use rsvp_client::ClientError;

/// What `rsvp watch` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  rsvp watch\n  rsvp watch --json | jq .watched")]
pub(crate) struct Arguments {
    /// One JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// `rsvp watch`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let client = connection::look(&arguments.daemon).await?;
    let output = Output::new(arguments.json);
    let mut watch = client.watch().await?;
    output.note(&format!("watching {}", client.daemon()))?;
    let mut interrupted = core::pin::pin!(interrupted());
    loop {
        tokio::select! {
            () = &mut interrupted => return Ok(()),
            watched = watch.next() => match watched {
                Some(watched) => output.watched(&watched)?,
                None => return Err(ClientError::Disconnected.into()),
            },
        }
    }
}
