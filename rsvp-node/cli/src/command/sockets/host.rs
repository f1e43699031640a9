//! The way to a daemon that takes sockets: its socket for them, or an engine started here.

use super::super::Failure;
use super::super::connection::{self, PIPE};
use super::super::options::{DaemonOrStandalone, QosSocket};
use rsvp_client::{ClientError, QosError, QosHost};
use rsvpd::Standalone;
use rsvpd::control::server::{attend, next_client};

/// A host, and the engine that it talks to when that is in this process.
pub(in super::super) struct HostConnection {
    pub(in super::super) host: QosHost,
    standalone: Option<Standalone>,
}

impl HostConnection {
    /// Connects to the daemon, or starts an engine.
    pub(in super::super) async fn open(
        options: &DaemonOrStandalone,
        sockets: &QosSocket,
    ) -> Result<Self, Failure> {
        if !options.standalone {
            let path = sockets.path(&options.daemon);
            let host = QosHost::connect(path).await.map_err(|error| match error {
                QosError::Daemon(ClientError::NoQosDaemon { .. }) => Failure::NoDaemon(format!(
                    "{error}; or run this command with --standalone, as root or with --udp"
                )),
                other => other.into(),
            })?;
            return Ok(Self { host, standalone: None });
        }
        let standalone = connection::standalone(options).await?;
        let (ours, theirs) = tokio::io::duplex(PIPE);
        tokio::spawn(attend(theirs, next_client(), standalone.driver.clone()));
        Ok(Self { host: QosHost::over(ours).await?, standalone: Some(standalone) })
    }

    /// Ends the connection; an engine of this process tears down what it has.
    pub(in super::super) async fn close(self) {
        drop(self.host);
        if let Some(standalone) = self.standalone {
            standalone.stop().await;
        }
    }
}
