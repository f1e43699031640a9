//! A connection whose answers are marked.

use crate::url;
use http::Request;
use rsvp_client::dscp::Dscp;
use rsvp_client::{mark, marked};
use rsvp_control::policy::Matching;
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Mutex;

/// A connection of a server. It has a descriptor of its own, so the socket is closed only when this is dropped too, with the service
/// around which it is.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
    local: SocketAddr,
    remote: SocketAddr,
    is_tls: bool,
    /// The mark that it came with.
    own: Dscp,
    /// The mark that it has.
    has: Mutex<Dscp>,
}

impl Connection {
    /// The connection of a socket, over which plain HTTP is spoken.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn of(socket: &impl AsFd) -> io::Result<Self> {
        let reference = SockRef::from(socket);
        let address = |of: io::Result<socket2::SockAddr>| {
            of?.as_socket().ok_or_else(|| io::Error::other("a server's socket is of IPv4 or IPv6"))
        };
        let (local, remote) = (address(reference.local_addr())?, address(reference.peer_addr())?);
        let own = marked(socket)?;
        let socket = socket.as_fd().try_clone_to_owned()?;
        Ok(Self { socket, local, remote, is_tls: false, own, has: Mutex::new(own) })
    }

    /// The same over which HTTP is spoken in TLS: what is asked for are `https` URLs.
    #[must_use]
    pub fn tls(self) -> Self {
        Self { is_tls: true, ..self }
    }

    /// What the daemon is asked about a request; none where that names no host.
    pub(super) fn asks_for<B>(&self, request: &Request<B>) -> Option<Matching> {
        let url = url::of(request.uri(), request.headers(), self.is_tls, self.local)?;
        Some(Matching { url, local: self.local, remote: self.remote })
    }

    /// Marks what is sent from now on; without a mark it is the one that the socket came with.
    pub(super) fn mark(&self, dscp: Option<u8>) {
        let wanted = dscp.and_then(Dscp::new).unwrap_or(self.own);
        let mut has = self.has.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *has == wanted {
            return;
        }
        match mark(&self.socket, wanted) {
            Ok(()) => *has = wanted,
            Err(error) => tracing::debug!(%error, "an answer is not marked"),
        }
    }
}
