//! The way to a daemon that takes sockets: its socket for them, or an engine started here.

use super::super::Failure;
use super::super::connection::{self, Other, PIPE, greeted};
use super::super::options::{DaemonOrStandalone, QosSocket};
use rsvp_client::{ClientError, QosError, QosHost};
use rsvpd::control::server::{attend, next_client};

/// A host, and whom it talks to.
pub(in super::super) struct HostConnection {
    pub(in super::super) host: QosHost,
    other: Other,
}

impl HostConnection {
    /// Connects to the daemon, or starts an engine.
    pub(in super::super) async fn open(
        options: &DaemonOrStandalone,
        sockets: &QosSocket,
    ) -> Result<Self, Failure> {
        if !options.standalone {
            let path = sockets.path(&options.daemon);
            let host = greeted(&path, QosHost::connect(&path)).await.map_err(|failure| match failure {
                Failure::Qos(error @ QosError::Daemon(ClientError::NoQosDaemon { .. })) => Failure::NoDaemon(
                    format!("{error}; or run this command with --standalone, as root or with --udp"),
                ),
                other => other,
            })?;
            return Ok(Self { host, other: Other::Daemon(path) });
        }
        let standalone = connection::standalone(options).await?;
        let (ours, theirs) = tokio::io::duplex(PIPE);
        tokio::spawn(attend(theirs, next_client(), standalone.driver.clone()));
        Ok(Self { host: QosHost::over(ours).await?, other: Other::Here(standalone) })
    }

    /// What is asked for by its host, or by a socket of it.
    pub(in super::super) async fn answered<T, E>(
        &self,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        self.other.answered(asked).await
    }

    /// Ends a socket's QoS, if the daemon answers to that. The daemon may be gone already.
    pub(in super::super) async fn without(&self, ending: impl Future) {
        let ending = async {
            drop(ending.await);
            Ok::<_, Failure>(())
        };
        let _ = self.answered(ending).await;
    }

    /// Ends the connection.
    pub(in super::super) async fn close(self) {
        drop(self.host);
        self.other.end().await;
    }
}
