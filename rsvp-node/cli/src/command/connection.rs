//! The way to an engine: the daemon's socket, or an engine started here.

use super::Failure;
use super::options::{Daemon, DaemonOrStandalone};
use rsvp_client::{Client, ClientError};
use rsvpd::config::Transport;
use rsvpd::control::server::{attend, next_client};
use rsvpd::{DaemonConfig, Standalone, start_standalone};

/// Room for what is on its way between client and engine of one process.
pub(super) const PIPE: usize = 1 << 16;

/// A client, and the engine it talks to when that is in this process.
pub(super) struct Connection {
    pub(super) client: Client,
    standalone: Option<Standalone>,
}

impl Connection {
    /// Connects to the daemon, or starts an engine.
    pub(super) async fn open(options: &DaemonOrStandalone) -> Result<Self, Failure> {
        if !options.standalone {
            let client = Client::connect(&options.daemon.socket).await.map_err(|error| match error {
                ClientError::NoDaemon { .. } => Failure::NoDaemon(format!(
                    "{error}; or run this command with --standalone, as root or with --udp"
                )),
                other => other.into(),
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
    Ok(Client::connect(&options.socket).await?)
}
