//! Where `rsvp recv` receives: a session, or one for each address of this host.

use super::Failure;
use super::connection::Connection;
use rsvp_client::{AnyAddress, Event, Reservation, Session};
use rsvp_wire::Session as Key;

/// One or several, with the same events.
pub(super) struct Sessions<'c> {
    connection: &'c Connection,
    opened: Opened,
}

enum Opened {
    One(Session),
    Any(AnyAddress),
}

impl<'c> Sessions<'c> {
    pub(super) async fn open(connection: &'c Connection, key: Key) -> Result<Self, Failure> {
        let client = &connection.client;
        let opening = async {
            if key.destination().is_unspecified() {
                return client.any_address(key).await.map(Opened::Any);
            }
            client.session(key).await.map(Opened::One)
        };
        Ok(Self { connection, opened: connection.answered(opening).await? })
    }

    /// What the network does next, and in which session; `None` when the daemon is gone.
    pub(super) async fn next_event(&mut self) -> Option<(Key, Event)> {
        match &mut self.opened {
            Opened::One(session) => {
                let event = session.next_event().await?;
                Some((session.key(), event))
            }
            Opened::Any(sessions) => sessions.next_event().await,
        }
    }

    /// The session, where there is more than one and it has to be said.
    pub(super) fn named(&self, key: Key) -> Option<Key> {
        matches!(self.opened, Opened::Any(_)).then_some(key)
    }

    pub(super) async fn reserve(&self, key: Key, reservation: Reservation) -> Result<(), Failure> {
        let reserving = async {
            match &self.opened {
                Opened::One(session) => session.reserve(reservation).await,
                Opened::Any(sessions) => sessions.reserve(key, reservation).await,
            }
        };
        self.connection.answered(reserving).await
    }

    /// Gives everything up. The daemon may be gone already.
    pub(super) async fn close(self) {
        let Self { connection, opened } = self;
        let closing = async {
            match opened {
                Opened::One(session) => session.close().await,
                Opened::Any(sessions) => sessions.close().await,
            }
        };
        let _ = connection.answered(closing).await;
    }
}
