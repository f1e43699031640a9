//! One session of a client: senders, a reservation, and what the network does about them.

use super::{Adspec, Carried, Client, ClientError, Event, Flow, Service, Style, Traffic};
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_core::Stream;
use rsvp_control::{Request, Reserve, Sender};
use rsvp_wire::{FilterSpec, SenderTemplate};
use tokio::sync::mpsc;

/// A flow to announce.
#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    /// Source address and port of the data.
    pub sender: FilterSpec,
    /// The traffic.
    pub traffic: Traffic,
    /// Which services receivers may choose from.
    pub adspec: Adspec,
    /// IP TTL of the data.
    pub ttl: u8,
    /// The interface it leaves through, by name; otherwise the one with the sender's address.
    pub interface: Option<String>,
    /// Policy and marks for receivers.
    pub carried: Carried,
}

impl Announcement {
    /// A flow from this source, offering both services, with a TTL of 64.
    #[must_use]
    pub fn new(sender: FilterSpec, traffic: Traffic) -> Self {
        Self { sender, traffic, adspec: Adspec::Both, ttl: 64, interface: None, carried: Carried::default() }
    }
}

/// A reservation to make.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservation {
    /// WF, FF or SE.
    pub style: Style,
    /// WF: one, without filters. SE: one, with filters. FF: each with exactly one filter.
    pub flows: Vec<Flow>,
    /// Whether to ask for a confirmation.
    pub confirm: bool,
    /// The interface on which the data is received, by name; otherwise the one routing implies.
    pub interface: Option<String>,
    /// Policy and marks for senders.
    pub carried: Carried,
}

impl Reservation {
    /// WF: one reservation that all senders of the session share.
    #[must_use]
    pub fn wildcard(service: Service) -> Self {
        Self::new(Style::Wf, vec![Flow { filters: Vec::new(), flowspec: service }])
    }

    /// FF: a reservation for one sender.
    #[must_use]
    pub fn fixed(sender: FilterSpec, service: Service) -> Self {
        Self::new(Style::Ff, vec![Flow { filters: vec![sender], flowspec: service }])
    }

    /// SE: one reservation that these senders share.
    #[must_use]
    pub fn shared(senders: impl IntoIterator<Item = FilterSpec>, service: Service) -> Self {
        Self::new(Style::Se, vec![Flow { filters: senders.into_iter().collect(), flowspec: service }])
    }

    /// Any style, flow by flow.
    #[must_use]
    pub fn new(style: Style, flows: Vec<Flow>) -> Self {
        Self { style, flows, confirm: false, interface: None, carried: Carried::default() }
    }

    /// And a confirmation is asked for.
    #[must_use]
    pub fn confirmed(self) -> Self {
        Self { confirm: true, ..self }
    }

    pub(super) fn request(self, session: rsvp_wire::Session) -> Request {
        let Self { style, flows, confirm, interface, carried } = self;
        let Carried { policy, dclass, tclass } = carried;
        Request::Reserve(Reserve { session, style, flows, confirm, interface, policy, dclass, tclass })
    }
}

/// An open session. It is a stream of events; they wait until they are read. Dropping it gives up its senders and its
/// reservation.
#[derive(Debug)]
pub struct Session {
    client: Client,
    session: rsvp_wire::Session,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Session {
    pub(super) fn new(
        client: Client,
        session: rsvp_wire::Session,
        events: mpsc::UnboundedReceiver<Event>,
    ) -> Self {
        Self { client, session, events }
    }

    /// Destination, protocol and port.
    #[must_use]
    pub fn key(&self) -> rsvp_wire::Session {
        self.session
    }

    /// Announces a flow, or changes what was announced.
    ///
    /// # Errors
    /// When the daemon refuses, or is gone.
    pub async fn announce(&self, announcement: Announcement) -> Result<(), ClientError> {
        let Announcement { sender, traffic, adspec, ttl, interface, carried } = announcement;
        let Carried { policy, dclass, tclass } = carried;
        let (session, sender) = (self.session, SenderTemplate(sender));
        let sender = Sender { session, sender, traffic, adspec, ttl, interface, policy, dclass, tclass };
        self.client.ask(&Request::Sender(sender)).await.map(drop)
    }

    /// Stops announcing a flow.
    ///
    /// # Errors
    /// When it was not announced, or the daemon is gone.
    pub async fn remove_sender(&self, sender: FilterSpec) -> Result<(), ClientError> {
        let request = Request::RemoveSender { session: self.session, sender: SenderTemplate(sender) };
        self.client.ask(&request).await.map(drop)
    }

    /// Makes the reservation, or changes it. It stands until it is changed or given up; what becomes of it in the
    /// network is told by events.
    ///
    /// # Errors
    /// When the daemon refuses, or is gone.
    pub async fn reserve(&self, reservation: Reservation) -> Result<(), ClientError> {
        self.client.ask(&reservation.request(self.session)).await.map(drop)
    }

    /// Gives the reservation up.
    ///
    /// # Errors
    /// When there is none, or the daemon is gone.
    pub async fn release(&self) -> Result<(), ClientError> {
        self.client.ask(&Request::Release { session: self.session }).await.map(drop)
    }

    /// What the network does next; `None` when the daemon is gone.
    pub async fn next_event(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Gives up everything in the session, and returns when the daemon has done so.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub async fn close(self) -> Result<(), ClientError> {
        self.client.ask(&Request::CloseSession { session: self.session }).await.map(drop)
    }
}

impl Stream for Session {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.events.poll_recv(context)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.client.link.close(self.session);
    }
}
