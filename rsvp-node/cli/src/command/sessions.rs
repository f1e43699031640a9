//! Where `rsvp recv` receives: a session, or one for each address of this host.

use rsvp_client::{AnyAddress, Client, ClientError, Event, Reservation, Session};
use rsvp_wire::Session as Key;

/// One or several, with the same events.
pub(super) enum Sessions {
    One(Session),
    Any(AnyAddress),
}

impl Sessions {
    pub(super) async fn open(client: &Client, key: Key) -> Result<Self, ClientError> {
        if key.destination().is_unspecified() {
            return client.any_address(key).await.map(Self::Any);
        }
        client.session(key).await.map(Self::One)
    }

    /// What the network does next, and in which session; `None` when the daemon is gone.
    pub(super) async fn next_event(&mut self) -> Option<(Key, Event)> {
        match self {
            Self::One(session) => {
                let event = session.next_event().await?;
                Some((session.key(), event))
            }
            Self::Any(sessions) => sessions.next_event().await,
        }
    }

    /// The session, where there is more than one and it has to be said.
    pub(super) fn named(&self, key: Key) -> Option<Key> {
        matches!(self, Self::Any(_)).then_some(key)
    }

    pub(super) async fn reserve(&self, key: Key, reservation: Reservation) -> Result<(), ClientError> {
        match self {
            Self::One(session) => session.reserve(reservation).await,
            Self::Any(sessions) => sessions.reserve(key, reservation).await,
        }
    }

    /// Gives everything up. The daemon may be gone already.
    pub(super) async fn close(self) {
        let _ = match self {
            Self::One(session) => session.close().await,
            Self::Any(sessions) => sessions.close().await,
        };
    }
}
