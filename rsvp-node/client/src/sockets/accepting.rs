//! Listeners with QoS: a function decides about each caller, and says what its connection needs.

use super::{QosError, QosSocket};
use rsvp_node::qos::Qos;
use socket2::SockRef;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its address.
    pub peer: SocketAddr,
    /// The address that it has called.
    pub local: SocketAddr,
}

/// What becomes of a caller: CF_ACCEPT, CF_REJECT, CF_DEFER.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The connection is taken, with this QoS over the listener's: a direction that says NOCHANGE has the listener's. Objects of it are
    /// not used.
    Accept(Option<Qos>),
    /// It is reset.
    Reject,
    /// It is decided about once more, by the next call.
    Defer,
}

impl QosSocket<TcpListener> {
    /// Waits for a caller and has a function decide. On Linux the handshake is over by then: a caller who is rejected sees a
    /// reset. `None` when the caller was rejected or deferred.
    ///
    /// # Errors
    /// When the system does not accept, or the daemon refuses or is gone; then the connection is ended.
    pub async fn accept_if(
        &self,
        decide: impl FnOnce(&Caller) -> Decision,
    ) -> Result<Option<(QosSocket<TcpStream>, SocketAddr)>, QosError> {
        // Not within `match`: the lock would be held while this waits.
        let deferred = self.handed().deferred().pop_front();
        let (stream, peer) = match deferred {
            Some(waiting) => waiting,
            None => self.accept().await.map_err(QosError::system("accepting a connection"))?,
        };
        let local = stream.local_addr().map_err(QosError::system("the connection's address"))?;
        match decide(&Caller { peer, local }) {
            Decision::Reject => {
                // Nothing waits to be sent: closing it resets it.
                let reset = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                reset.map_err(QosError::system("resetting the connection"))?;
                Ok(None)
            }
            Decision::Defer => {
                self.handed().deferred().push_back((stream, peer));
                Ok(None)
            }
            Decision::Accept(own) => {
                let inherited = self.qos();
                let own = own.map(|own| Qos { objects: Vec::new(), ..own });
                let qos = own.map_or_else(|| inherited.clone(), |own| own.over(inherited.clone()));
                let socket = self.host().attach(stream).await?;
                socket.set(&qos).await?;
                Ok(Some((socket, peer)))
            }
        }
    }
}
