//! The client library: what an application links for the quality of service of its packets.
//!
//! Without a daemon and without a privilege, it marks sockets ([`mark`](fn@mark)) and single datagrams ([`send_marked`]) with a
//! [`Dscp`], and sends by a TSpec ([`PacedSocket`]).
//!
//! Through `rsvpd` it reserves (RFC 2205 section 3.11.1, `docs/control.md`). A [`Client`] is a connection to the daemon and, to the
//! network, one application. A [`Session`] of it announces senders, makes and changes a reservation, and says what the network
//! did: it is a stream of [`Event`]s. Dropping a session gives up what it asked for; dropping the client, or the end of the process,
//! gives up everything. The library decides nothing about the protocol; sockets for the data, and joining groups, are the
//! application's.
//!
//! ```no_run
//! use rsvp_client::{Client, Event, Reservation, Service, Traffic};
//!
//! # async fn receive() -> Result<(), rsvp_client::ClientError> {
//! let client = Client::connect_default().await?;
//! let mut session = client.session("udp 10.0.2.2:5000".parse().expect("a session")).await?;
//! while let Some(event) = session.next_event().await {
//!     if let Event::Path { sender, traffic, .. } = event {
//!         session.reserve(Reservation::fixed(sender.0, Service::ControlledLoad { traffic })).await?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

mod any_address;
mod by_hand;
pub mod dscp;
mod error;
pub mod flows;
#[doc = include_str!("../GUIDE.md")]
pub mod guide {}
mod link;
pub mod mark;
pub mod pace;
mod policies;
mod session;
mod sockets;

pub use any_address::AnyAddress;
pub use by_hand::FlowWatch;
pub use dscp::{Dscp, Media, Priority, Wmm, class_of, wmm};
pub use error::ClientError;
pub use flows::Flows;
pub use mark::{mark, marked, send_marked};
pub use pace::{Excess, PacedSocket};
pub use rsvp_control::metrics;
pub use rsvp_control::policy;
pub use rsvp_control::qos::{GuaranteedOffer, Offer, OfferOverrides, Service, ServiceOffer, Style, Traffic};
pub use rsvp_control::rows;
pub use rsvp_control::sockets::values as words;
pub use rsvp_control::sockets::{
    Checks, DEFAULT_QOS_SOCKET, FdQos as Told, QOS_SOCKET_VARIABLE, TemplateRow,
};
pub use rsvp_control::tc;
pub use rsvp_control::{
    Adspec, Carried, DEFAULT_SOCKET, Direction, Discarded, EventKind as Event, Fault, Flow, Gone, MessageRow,
    Octets, Problem, SOCKET_VARIABLE, Undelivered, Watched, What, session_or_any,
};
/// What an application says of its traffic, and what it is told: Generic QoS.
pub use rsvp_node::qos;
pub use session::{Announcement, Reservation, Session};
pub use sockets::{
    Caller, Decision, FdQosEvents, HandingOver, Leaf, NotHandedOver, QosError, QosHost, QosSocket, capable,
};

use link::Link;
use rsvp_control::rows::Rows;
use rsvp_control::{Done, Request, is_any_address};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

/// A connection to the daemon. Clones are the same connection; it ends with the last clone and session.
#[derive(Clone, Debug)]
pub struct Client {
    link: Arc<Link>,
}

impl Client {
    /// Connects to the daemon that listens on this socket. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When nobody listens there, when this user may not, or when the daemon speaks another version.
    pub async fn connect(socket: impl AsRef<Path>) -> Result<Self, ClientError> {
        let socket = socket.as_ref();
        let stream = UnixStream::connect(socket).await.map_err(|e| ClientError::connecting(socket, e))?;
        Self::over(stream).await
    }

    /// Connects to the socket that the environment variable `RSVP_SOCKET` names, or else to the usual one.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_default() -> Result<Self, ClientError> {
        let named = std::env::var_os(SOCKET_VARIABLE).filter(|name| !name.is_empty());
        Self::connect(named.map_or_else(|| PathBuf::from(DEFAULT_SOCKET), PathBuf::from)).await
    }

    /// Speaks the control protocol over any stream, for instance one to an engine in this process.
    ///
    /// # Errors
    /// When no greeting comes, or that of another version.
    pub async fn over(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Result<Self, ClientError> {
        Ok(Self { link: Arc::new(Link::new(stream).await?) })
    }

    /// Name and version of the daemon.
    #[must_use]
    pub fn daemon(&self) -> &str {
        &self.link.daemon
    }

    /// Opens a session: from now on its events are delivered. A client has each session open once at most.
    ///
    /// # Errors
    /// When the session is open already, when the daemon refuses it, or is gone.
    pub async fn session(&self, session: rsvp_wire::Session) -> Result<Session, ClientError> {
        if is_any_address(&session) {
            return Err(ClientError::OtherCall(session));
        }
        let events = self.link.listen(session)?;
        let session = Session::new(self.clone(), session, events);
        self.ask(&Request::OpenSession { session: session.key() }).await?;
        Ok(session)
    }

    /// Opens the sessions of a receiver whose socket is bound to any address, as `[::]:5000` (both families) or `0.0.0.0:5000`:
    /// one for each address of the host, also those that it gets later.
    ///
    /// # Errors
    /// When the session has an address, is open already, when the daemon refuses it, or is gone.
    pub async fn any_address(&self, session: rsvp_wire::Session) -> Result<AnyAddress, ClientError> {
        if !is_any_address(&session) {
            return Err(ClientError::OtherCall(session));
        }
        let events = self.link.listen_at_any_address(session)?;
        let sessions = AnyAddress::new(self.clone(), session, events);
        self.ask(&Request::OpenSession { session }).await?;
        Ok(sessions)
    }

    /// Lists state of the node; the second is how much there is in all.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub async fn list(
        &self,
        what: What,
        session: Option<rsvp_wire::Session>,
    ) -> Result<(Rows, usize), ClientError> {
        let done = self.ask(&Request::List { what, session, at_most: None }).await?;
        let rows = done.rows.ok_or_else(|| ClientError::Unexpected("a listing without rows".to_owned()))?;
        Ok((rows, done.total.unwrap_or_default()))
    }

    /// How many rows there are of a listing, which is not fetched.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub async fn count(&self, what: What) -> Result<usize, ClientError> {
        let done = self.ask(&Request::List { what, session: None, at_most: Some(0) }).await?;
        Ok(done.total.unwrap_or_default())
    }

    /// Subscribes to everything that happens on the node. One watch at a time per connection.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub async fn watch(&self) -> Result<Watch, ClientError> {
        let watched = self.link.watch();
        self.ask(&Request::Subscribe {}).await?;
        Ok(Watch { watched, _client: self.clone() })
    }

    async fn ask(&self, request: &Request) -> Result<Done, ClientError> {
        self.link.ask(request).await
    }
}

/// Everything that happens on the node.
#[derive(Debug)]
pub struct Watch {
    watched: mpsc::UnboundedReceiver<Watched>,
    _client: Client,
}

impl Watch {
    /// What happens next; `None` when the daemon is gone.
    pub async fn next(&mut self) -> Option<Watched> {
        self.watched.recv().await
    }
}
