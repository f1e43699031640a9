//! The sessions of a socket that is bound to any address of this host.

use super::{Client, ClientError, Event, Reservation};
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_core::Stream;
use rsvp_control::Request;
use rsvp_wire::Session;
use tokio::sync::mpsc;

/// The sessions of a socket that is bound to any address: one for each address of the host, as addresses come and go. It is a
/// stream of events, each with the session that it is of; [`Event::SessionOpened`] and [`Event::SessionClosed`] say which there
/// are. Reservations are made session by session. Events of a session that the same client has opened by
/// [`Client::session`] go there. Dropping it gives up its reservations.
///
/// ```no_run
/// use rsvp_client::{Client, Event, Reservation, Service};
///
/// # async fn receive() -> Result<(), rsvp_client::ClientError> {
/// let client = Client::connect_default().await?;
/// let mut sessions = client.any_address("udp [::]:5000".parse().expect("a session")).await?;
/// while let Some((session, event)) = sessions.next_event().await {
///     if let Event::Path { sender, traffic, .. } = event {
///         let service = Service::ControlledLoad { traffic };
///         sessions.reserve(session, Reservation::fixed(sender.0, service)).await?;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AnyAddress {
    client: Client,
    any: Session,
    events: mpsc::UnboundedReceiver<(Session, Event)>,
}

impl AnyAddress {
    pub(super) fn new(
        client: Client,
        any: Session,
        events: mpsc::UnboundedReceiver<(Session, Event)>,
    ) -> Self {
        Self { client, any, events }
    }

    /// The unspecified address, with protocol and port.
    #[must_use]
    pub fn key(&self) -> Session {
        self.any
    }

    /// Makes the reservation in one of the sessions, or changes it. It stands until it is changed or given up, or the address is
    /// gone.
    ///
    /// # Errors
    /// When the daemon refuses, or is gone.
    pub async fn reserve(&self, session: Session, reservation: Reservation) -> Result<(), ClientError> {
        self.client.ask(&reservation.request(session)).await.map(drop)
    }

    /// Gives up the reservation in one of the sessions.
    ///
    /// # Errors
    /// When there is none, or the daemon is gone.
    pub async fn release(&self, session: Session) -> Result<(), ClientError> {
        self.client.ask(&Request::Release { session }).await.map(drop)
    }

    /// What happens next, and in which session; `None` when the daemon is gone.
    pub async fn next_event(&mut self) -> Option<(Session, Event)> {
        self.events.recv().await
    }

    /// Gives up everything in all the sessions, and returns when the daemon has done so.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub async fn close(self) -> Result<(), ClientError> {
        self.client.ask(&Request::CloseSession { session: self.any }).await.map(drop)
    }
}

impl Stream for AnyAddress {
    type Item = (Session, Event);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_recv(context)
    }
}

impl Drop for AnyAddress {
    fn drop(&mut self) {
        self.client.link.close(self.any);
    }
}
