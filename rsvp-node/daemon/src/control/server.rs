//! The server: accepts connections on the control socket, and checks who is there.
//!
//! How many connections a user has is bounded, and so is what is logged of those that are turned away. What the lines mean is
//! the control service's business; owner and mode of the socket are given to it by whoever binds it.

pub use super::access::Access;
pub use super::connection::{FromClient, LineSender, Room, Said, attend};
pub use super::switchboard::Switchboard;

use super::access::{Connections, groups_of, too_many};
use super::connection::{PATIENCE, converse};
use super::descriptors::{Keepers, WithSockets};
use super::service::{ClientId, Who};
use crate::sys;
use core::time::Duration;
use rsvp_control::Line;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Rest after a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Of those that are turned away one is logged in so long.
const SAID_AGAIN: Duration = Duration::from_secs(1);

/// A name for a new connection.
#[must_use]
pub fn next_client() -> ClientId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    ClientId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What a socket has beside its connections.
#[derive(Clone)]
struct Door {
    access: Access,
    keepers: Keepers,
    driver: mpsc::Sender<FromClient>,
    connections: Connections,
    turned_away: Arc<Mutex<TurnedAway>>,
}

/// Who was turned away and not logged.
#[derive(Default)]
struct TurnedAway {
    said: Option<Instant>,
    unsaid: u64,
}

impl TurnedAway {
    /// How many were not logged since the last that was; nothing if this one is not to be, either.
    fn another(&mut self, now: Instant) -> Option<u64> {
        if self.said.is_some_and(|said| now < said + SAID_AGAIN) {
            self.unsaid += 1;
            return None;
        }
        self.said = Some(now);
        Some(core::mem::take(&mut self.unsaid))
    }
}

/// Accepts connections until the driver is gone. Of sockets that are handed over their keepers are told.
pub async fn serve(
    listener: UnixListener,
    access: Access,
    keepers: Keepers,
    driver: mpsc::Sender<FromClient>,
) {
    let (connections, turned_away) = Default::default();
    let door = Door { access, keepers, driver, connections, turned_away };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = door.driver.closed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(admit(stream, door.clone()));
            }
            Err(error) => {
                tracing::warn!("control socket: cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Looks at who is there before a word is read.
async fn admit(stream: UnixStream, door: Door) {
    let (uid, groups) = match peer(&stream) {
        Ok(peer) => peer,
        Err(error) => {
            tracing::warn!("control socket: peer credentials cannot be read: {error}");
            return;
        }
    };
    if !door.access.permits(uid, &groups) {
        return turn_away(stream, &door, uid, "is not permitted", &door.access.refusal(uid)).await;
    }
    let Some(_counted) = door.connections.another(uid) else {
        return turn_away(stream, &door, uid, "has too many connections", &too_many(uid)).await;
    };
    let who = Who { uid, sockets_only: door.access.sockets_only };
    let (reading, writing) = stream.into_split();
    converse(WithSockets(reading, door.keepers), writing, who, next_client(), door.driver).await;
}

/// The user and the groups of the process that has connected.
fn peer(stream: &UnixStream) -> std::io::Result<(u32, Vec<u32>)> {
    let (uid, gid) = stream.peer_cred().map(|peer| (peer.uid(), peer.gid()))?;
    let groups = match sys::peer_groups(stream.as_fd()) {
        Ok(mut groups) => {
            groups.push(gid);
            groups
        }
        Err(_) => groups_of(uid, gid),
    };
    Ok((uid, groups))
}

/// Says why, to the log as well, if not too often.
async fn turn_away(mut stream: UnixStream, door: &Door, uid: u32, why: &str, line: &Line) {
    let unsaid = door.turned_away.lock().unwrap_or_else(PoisonError::into_inner).another(Instant::now());
    match unsaid {
        Some(0) => tracing::warn!("control socket: user {uid} {why}"),
        Some(more) => {
            tracing::warn!("control socket: user {uid} {why}; {more} more were turned away meanwhile")
        }
        None => {}
    }
    let mut line = serde_json::to_string(line).unwrap_or_default();
    line.push('\n');
    // It may be gone already; it was to be told nothing but this.
    let _ = tokio::time::timeout(PATIENCE, stream.write_all(line.as_bytes())).await;
}
