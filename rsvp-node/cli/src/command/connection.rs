//! The way to an engine: the daemon's socket, or an engine started here.

use super::Failure;
use super::options::{Daemon, DaemonOrStandalone, Looking};
use core::time::Duration;
use rsvp_client::{Client, ClientError};
use rsvpd::config::Transport;
use rsvpd::control::server::{attend, next_client};
use rsvpd::{DaemonConfig, Standalone, start_standalone};
use std::path::{Path, PathBuf};
use tokio::time::timeout;

/// Room for what is on its way between client and engine of one process.
pub(super) const PIPE: usize = 1 << 16;

/// How long a daemon may take to greet: it does so at once, whatever else it is doing.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who answers: a daemon at its socket, or an engine of this process.
pub(super) enum Other {
    Daemon(PathBuf),
    Here(Standalone),
}

impl Other {
    /// What it is asked for; of a daemon that has stopped, no longer.
    pub(super) async fn answered<T, E>(&self, asked: impl Future<Output = Result<T, E>>) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        match self {
            Self::Daemon(socket) => answered(socket, asked).await,
            Self::Here(_) => Ok(asked.await?),
        }
    }

    /// An engine of this process tears down what it has.
    pub(super) async fn end(self) {
        if let Self::Here(standalone) = self {
            standalone.stop().await;
        }
    }
}

/// A client, and whom it talks to.
pub(super) struct Connection {
    pub(super) client: Client,
    other: Other,
}

impl Connection {
    /// Connects to the daemon, or starts an engine.
    pub(super) async fn open(options: &DaemonOrStandalone) -> Result<Self, Failure> {
        if !options.standalone {
            let client = look(&options.daemon).await.map_err(|failure| match failure {
                Failure::Client(error @ ClientError::NoDaemon { .. }) => Failure::NoDaemon(format!(
                    "{error}; or run this command with --standalone, as root or with --udp"
                )),
                other => other,
            })?;
            return Ok(Self { client, other: Other::Daemon(options.daemon.socket.clone()) });
        }
        let standalone = standalone(options).await?;
        let (ours, theirs) = tokio::io::duplex(PIPE);
        tokio::spawn(attend(theirs, next_client(), standalone.driver.clone()));
        Ok(Self { client: Client::over(ours).await?, other: Other::Here(standalone) })
    }

    /// What is asked for by its client.
    pub(super) async fn answered<T, E>(&self, asked: impl Future<Output = Result<T, E>>) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        self.other.answered(asked).await
    }

    /// Ends the connection.
    pub(super) async fn close(self) {
        drop(self.client);
        self.other.end().await;
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
    connect(PATIENCE, &options.socket).await
}

async fn connect(patience: Duration, socket: &Path) -> Result<Client, Failure> {
    greeted_within(patience, socket, Client::connect(socket)).await
}

/// Connects by the control socket or, where this user may not, by the socket that any user may use; and says by which.
pub(super) async fn by_either<T, E, C>(
    looking: &Looking,
    connect: impl Fn(PathBuf) -> C,
) -> Result<(T, PathBuf), Failure>
where
    C: Future<Output = Result<T, E>>,
    Failure: From<E>,
{
    let control = looking.daemon.socket.clone();
    let why = match greeted(&control, connect(control.clone())).await {
        Ok(connected) => return Ok((connected, control)),
        Err(silent @ Failure::Silent(_)) => return Err(silent),
        Err(why) => why,
    };
    let anybody = looking.anybody();
    match greeted(&anybody, connect(anybody.clone())).await {
        Ok(connected) => Ok((connected, anybody)),
        Err(silent @ Failure::Silent(_)) => Err(silent),
        // Who wants the socket for sockets is to hear where that is looked for.
        Err(error) if matches!(why, Failure::Client(ClientError::NoQosDaemon { .. })) => Err(error),
        Err(_) => Err(why),
    }
}

/// A connection to a socket of the daemon, if the daemon greets.
pub(super) async fn greeted<T, E>(
    socket: &Path,
    connecting: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure>
where
    Failure: From<E>,
{
    greeted_within(PATIENCE, socket, connecting).await
}

async fn greeted_within<T, E>(
    patience: Duration,
    socket: &Path,
    connecting: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure>
where
    Failure: From<E>,
{
    match timeout(patience, connecting).await {
        Ok(connected) => Ok(connected?),
        Err(_) => Err(Failure::Silent(socket.to_owned())),
    }
}

/// What a daemon is asked for. That may take its time, as long as the daemon greets whoever else comes.
pub(super) async fn answered<T, E>(
    socket: &Path,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure>
where
    Failure: From<E>,
{
    answered_within(PATIENCE, socket, asked).await
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
            Err(_) => drop(connect(patience, socket).await?),
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
            connect(short, &socket).await.map(drop).expect_err("nobody greets"),
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
