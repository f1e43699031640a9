//! The daemon, asked for each request.

use rsvp_client::{Client, ClientError, DEFAULT_QOS_SOCKET, QOS_SOCKET_VARIABLE};
use rsvp_control::policy::Matching;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long an answer waits for the daemon.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long nobody asks again where there was no daemon.
const REST: Duration = Duration::from_secs(1);

/// The policies of the daemon of this host. Clones share one connection to it.
#[derive(Clone, Debug)]
pub struct Policies {
    socket: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    client: Option<Client>,
    /// Until when there is no use in asking.
    rests: Option<Instant>,
}

impl Policies {
    /// Of the daemon that listens on this socket: the one for any user, or its control socket. It is connected to with the first
    /// request, and again when it has started anew.
    #[must_use]
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into(), state: Arc::default() }
    }

    /// Of the daemon that the environment variable `RSVP_QOS_SOCKET` names, or else of the usual one.
    #[must_use]
    pub fn by_default() -> Self {
        let named = std::env::var_os(QOS_SOCKET_VARIABLE).filter(|name| !name.is_empty());
        Self::at(named.unwrap_or_else(|| DEFAULT_QOS_SOCKET.into()))
    }

    /// The DSCP of the policy for what is asked for; none without a policy, a DSCP or a daemon.
    pub(super) async fn dscp_for(&self, asked: Matching) -> Option<u8> {
        // A daemon that has started anew is another connection.
        for _ in 0..2 {
            let client = timeout(PATIENCE, self.client()).await.ok()??;
            match timeout(PATIENCE, client.policy_for(asked.clone())).await {
                Ok(Ok(policy)) => return policy?.dscp,
                Ok(Err(ClientError::Refused(why))) => {
                    tracing::debug!("no policy is known for {}: {why}", asked.url);
                    return None;
                }
                Ok(Err(_)) => *self.state.lock().await = State::default(),
                Err(_) => {
                    tracing::warn!("rsvpd does not answer: nothing is marked by policies for a moment");
                    let rests = Some(Instant::now() + REST);
                    *self.state.lock().await = State { client: None, rests };
                    return None;
                }
            }
        }
        None
    }

    /// The connection, if there is a daemon.
    async fn client(&self) -> Option<Client> {
        let mut state = self.state.lock().await;
        if let Some(client) = &state.client {
            return Some(client.clone());
        }
        if state.rests.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        // Said before it is tried, so that who gives up in between has said it too.
        state.rests = Some(Instant::now() + REST);
        match Client::connect(&self.socket).await {
            Ok(client) => {
                *state = State { client: Some(client.clone()), rests: None };
                Some(client)
            }
            Err(error) => {
                tracing::warn!("answers are not marked by policies: {error}");
                None
            }
        }
    }
}
