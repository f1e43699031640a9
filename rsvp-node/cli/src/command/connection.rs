//! The way to an engine: the daemon's socket, or an engine started here.

use super::Failure;
use super::options::{Daemon, DaemonOrStandalone};
use core::time::Duration;
use rsvp_client::{Client, ClientError};
use rsvpd::config::Transport;
use rsvpd::control::server::{attend, next_client};
use rsvpd::{DaemonConfig, Standalone, start_standalone};
use std::path::Path;
use tokio::time::timeout;

/// Room for what is on its way between client and engine of one process.
pub(super) const PIPE: usize = 1 << 16;

/// How long a daemon may take to greet: it does so at once, whatever else it is doing.
const PATIENCE: Duration = Duration::from_secs(5);

/// A client, and the engine it talks to when that is in this process.
pub(super) struct Connection {
    pub(super) client: Client,
    standalone: Option<Standalone>,
}

impl Connection {
    /// Connects to the daemon, or starts an engine.
    pub(super) async fn open(options: &DaemonOrStandalone) -> Result<Self, Failure> {
        if !options.standalone {
            let client =
                connect(&options.daemon.socket, PATIENCE).await.map_err(|failure| match failure {
                    Failure::Client(error @ ClientError::NoDaemon { .. }) => Failure::NoDaemon(format!(
                        "{error}; or run this command with --standalone, as root or with --udp"
                    )),
                    other => other,
                })?;
            return Ok(Self { client, standalone: None });
        }
        let standalone = standalone(options).await?;
        let (ours, theirs) = tokio::io::duplex(PIPE);
        tokio::spawn(attend(theirs, next_client(), standalone.driver.clone()));
        Ok(Self { client: Client::over(ours).await?, standalone: Some(standalone) })
    }

    /// Ends the connection; an engine of this process tears down what it has.
    pub(super) async fn close(self) {
        drop(self.client);
        if let Some(standalone) = self.standalone {
            standalone.stop().await;
        }
    }
}

/// Starts an engine in this process.
pub(super) async fn standalone(options: &DaemonOrStandalone) -> Result<Standalone, Failure> {
    let mut config = DaemonConfig::load(options.config.as_deref()).map_err(rsvpd::DaemonError::from)?;
    if options.udp {
        config.node.transport = Transport::Udp;
    }
    Ok(start_standalone(config).await?)
}

/// Connects to the daemon, for commands that only look.
pub(super) async fn look(options: &Daemon) -> Result<Client, Failure> {
    connect(&options.socket, PATIENCE).await
}

async fn connect(socket: &Path, patience: Duration) -> Result<Client, Failure> {
    match timeout(patience, Client::connect(socket)).await {
        Ok(connected) => Ok(connected?),
        Err(_) => Err(Failure::Silent(socket.to_owned())),
    }
}

/// What a daemon is asked for. That may take its time, as long as the daemon greets whoever else comes.
pub(super) async fn answered<T, E>(
    options: &Daemon,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure>
where
    Failure: From<E>,
{
    answered_within(PATIENCE, &options.socket, asked).await
}

async fn answered_within<T, E>(
    patience: Duration,
    socket: &Path,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure>
where
    Failure: From<E>,
{
    let mut asked = core::pin::pin!(asked);
    loop {
        match timeout(patience, &mut asked).await {
            Ok(answer) => return Ok(answer?),
            Err(_) => drop(connect(socket, patience).await?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_daemon_that_does_not_greet_is_not_waited_for() {
        let socket = std::env::temp_dir().join(format!("rsvp-silent-{}.sock", std::process::id()));
        let listener = tokio::net::UnixListener::bind(&socket).expect("a socket");
        let short = Duration::from_millis(1);
        let pending = core::future::pending::<Result<(), Failure>>();
        for failure in [
            connect(&socket, short).await.map(drop).expect_err("nobody greets"),
            answered_within(short, &socket, pending).await.expect_err("nobody answers"),
        ] {
            assert!(matches!(failure, Failure::Silent(_)) && failure.status() == 5, "{failure}");
            assert!(failure.to_string().contains("rsvpd does not answer"), "{failure}");
        }
        let seven = core::future::ready(Ok::<_, Failure>(7));
        assert!(matches!(answered_within(short, &socket, seven).await, Ok(7)));
        drop(listener);
        std::fs::remove_file(&socket).expect("it was there");
    }
}
