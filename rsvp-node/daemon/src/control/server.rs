//! The server: accepts connections on the control socket, checks who is there, and carries lines both ways.
//!
//! Lines and queues are bounded: a client that does not read is cut off and counted, one that sends too long a line is
//! told so, one that sends without end waits for the driver. What the lines mean is the control service's business; owner and mode of
//! the socket are given to it by whoever binds it.

use super::descriptors::{Handed, Octets, Source, WithSockets, Words};
use super::service::{ClientId, ControlService, EngineAccess, Who};
use crate::hooks::Watcher;
use core::time::Duration;
use nix::unistd::{Gid, Uid, User, getgrouplist};
use rsvp_control::sockets::MOST_DESCRIPTORS;
use rsvp_control::{LONGEST_LINE, Line, Problem};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::unix::UCred;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

/// Lines that wait for one client; what it is told at once has room, a client that has stopped reading has not.
const WAITING_LINES: usize = 16_384;

/// A client that takes nothing for as long as this is cut off.
const PATIENCE: Duration = Duration::from_secs(30);

/// Rest after a connection could not be accepted, most likely for want of file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What the server tells the driver.
#[derive(Debug)]
pub enum FromClient {
    /// A client is there; what it is told goes into its box.
    Opened(ClientId, Who, LineSender),
    /// It handed over sockets, in this order, for lines that come next. Their descriptors are closed already.
    Handed(ClientId, Vec<Handed>),
    /// All the lines that sockets came with have been said.
    HandedAll(ClientId),
    /// What it sent cannot be used, for this reason, and its connection ends.
    Unusable(ClientId, Problem),
    /// It sent a line.
    Line(ClientId, String),
    /// It sent a line longer than [`LONGEST_LINE`], which was thrown away.
    Overlong(ClientId),
    /// It is gone.
    Gone(ClientId),
}

/// Who may talk: root, the daemon's own user, and members of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The group's number, when one is configured.
    pub group: Option<u32>,
    /// Everybody may, about QoS sockets and nothing else.
    pub sockets_only: bool,
}

/// Where lines for a client are put. Dropped, the connection ends when the client has taken what is there.
#[derive(Debug)]
pub struct LineSender {
    lines: mpsc::Sender<String>,
    cut: oneshot::Sender<()>,
}

impl Access {
    /// Whether a user with this primary group may talk.
    #[must_use]
    pub fn permits(&self, uid: u32, gid: u32) -> bool {
        let trusted = self.sockets_only || uid == 0 || uid == Uid::effective().as_raw();
        trusted || self.group.is_some_and(|group| group == gid || is_member(uid, gid, group))
    }

    fn refusal(&self, uid: u32) -> Line {
        let who = match self.group {
            Some(group) => format!("root and members of group {}", group_name(group)),
            None => "root".to_owned(),
        };
        let message = format!("user {uid} may not use this control socket, only {who} may");
        Line { error: Some(Problem::new("not-permitted", message)), ..Line::default() }
    }
}

/// Whether the user database has the user in the group.
fn is_member(uid: u32, gid: u32, group: u32) -> bool {
    let Ok(Some(user)) = User::from_uid(Uid::from_raw(uid)) else { return false };
    let Ok(name) = CString::new(user.name) else { return false };
    getgrouplist(&name, Gid::from_raw(gid)).is_ok_and(|groups| groups.contains(&Gid::from_raw(group)))
}

/// The name of a group, or its number when it has none.
pub(crate) fn group_name(group: u32) -> String {
    match nix::unistd::Group::from_gid(Gid::from_raw(group)) {
        Ok(Some(known)) => known.name,
        _ => group.to_string(),
    }
}

/// A name for a new connection.
#[must_use]
pub fn next_client() -> ClientId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    ClientId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Accepts connections until the driver is gone. Sockets that are handed over are watched from then on.
pub async fn serve(
    listener: UnixListener,
    access: Access,
    watcher: Watcher,
    driver: mpsc::Sender<FromClient>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = driver.closed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(admit(stream, access.clone(), watcher.clone(), driver.clone()));
            }
            Err(error) => {
                tracing::warn!("control socket: cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Looks at who is there before a word is read.
async fn admit(mut stream: UnixStream, access: Access, watcher: Watcher, driver: mpsc::Sender<FromClient>) {
    let peer = stream.peer_cred().map(|cred: UCred| (cred.uid(), cred.gid()));
    match peer {
        Ok((uid, gid)) if access.permits(uid, gid) => {
            let who = Who { uid, sockets_only: access.sockets_only };
            let (reading, writing) = stream.into_split();
            converse(WithSockets(reading, watcher), writing, who, next_client(), driver).await;
        }
        Ok((uid, _)) => {
            tracing::warn!("control socket: user {uid} is not permitted");
            let mut line = serde_json::to_string(&access.refusal(uid)).unwrap_or_default();
            line.push('\n');
            // It may be gone already; it was to be told nothing but this.
            let _ = tokio::time::timeout(PATIENCE, stream.write_all(line.as_bytes())).await;
        }
        Err(error) => tracing::warn!("control socket: peer credentials cannot be read: {error}"),
    }
}

/// Serves one connection until either side ends it, over any stream: `tokio::io::duplex` within a process. Descriptors do not
/// go along there.
pub async fn attend(
    stream: impl AsyncRead + AsyncWrite + Send,
    id: ClientId,
    driver: mpsc::Sender<FromClient>,
) {
    let (reading, writing) = tokio::io::split(stream);
    let who = Who { uid: Uid::effective().as_raw(), sockets_only: false };
    converse(Words(reading), writing, who, id, driver).await;
}

async fn converse(
    reading: impl Source,
    writing: impl AsyncWrite + Unpin,
    who: Who,
    id: ClientId,
    driver: mpsc::Sender<FromClient>,
) {
    let (lines, waiting) = mpsc::channel(WAITING_LINES);
    let (cut, is_cut) = oneshot::channel();
    if driver.send(FromClient::Opened(id, who, LineSender { lines, cut })).await.is_err() {
        return;
    }
    let mut writing = core::pin::pin!(write_lines(writing, waiting));
    let hung_up = tokio::select! {
        () = read_lines(reading, id, &driver) => true,
        () = &mut writing => false,
        // Dropped without a word, the box only says that no more lines come.
        Ok(()) = is_cut => false,
    };
    // A driver that is gone needs not be told.
    let _ = driver.send(FromClient::Gone(id)).await;
    if hung_up {
        // It asked and closed its side: what was answered before still goes there, if anybody reads it.
        writing.await;
    }
}

/// Reads until the client is gone, or sends what cannot be used. Waits while the driver has more than enough to do.
async fn read_lines(mut source: impl Source, id: ClientId, driver: &mpsc::Sender<FromClient>) {
    let mut unread = Vec::new();
    let mut is_overlong = false;
    // Sockets that came since the lines were last all whole.
    let mut handed = 0;
    loop {
        let Ok(Octets { octets, sockets, were_cut }) = source.read().await else { return };
        handed += sockets.len();
        let mut said = Vec::new();
        if were_cut || handed > MOST_DESCRIPTORS {
            let message = format!(
                "more descriptors came than can be taken, {MOST_DESCRIPTORS} for lines that are sent at once: hand over one socket a line"
            );
            said.push(FromClient::Unusable(id, Problem::new("descriptors", message)));
        } else if octets.is_empty() {
            // The end came in the middle of a line: what is not whole is not done.
            return;
        } else {
            if !sockets.is_empty() {
                said.push(FromClient::Handed(id, sockets));
            }
            lines(&octets, &mut unread, &mut is_overlong, id, &mut said);
            if unread.is_empty() && !is_overlong && core::mem::take(&mut handed) > 0 {
                said.push(FromClient::HandedAll(id));
            }
        }
        for each in said {
            let ends = matches!(each, FromClient::Unusable(..));
            if driver.send(each).await.is_err() || ends {
                return;
            }
        }
    }
}

/// Divides what came into lines; what is not a whole one yet is kept. Of a line that is too long, the rest is thrown away.
fn lines(
    octets: &[u8],
    unread: &mut Vec<u8>,
    is_overlong: &mut bool,
    id: ClientId,
    said: &mut Vec<FromClient>,
) {
    for piece in octets.split_inclusive(|octet| *octet == b'\n') {
        let (piece, is_whole) = match piece.strip_suffix(b"\n") {
            Some(piece) => (piece, true),
            None => (piece, false),
        };
        if !*is_overlong {
            unread.extend(piece);
        }
        if unread.len() > LONGEST_LINE {
            unread.clear();
            *is_overlong = true;
        }
        if is_whole {
            let line = core::mem::take(unread);
            let text = || String::from_utf8_lossy(&line).into_owned();
            let was_overlong = core::mem::take(is_overlong);
            said.push(if was_overlong { FromClient::Overlong(id) } else { FromClient::Line(id, text()) });
        }
    }
}

/// Writes until the driver drops the queue or the client takes no more.
async fn write_lines(mut writer: impl AsyncWrite + Unpin, mut lines: mpsc::Receiver<String>) {
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        for piece in line.as_bytes().chunks(LONGEST_LINE) {
            let written = tokio::time::timeout(PATIENCE, writer.write_all(piece)).await;
            if !matches!(written, Ok(Ok(()))) {
                return;
            }
        }
    }
    // The last words are on their way; whether they arrive is up to the client.
    let _ = tokio::time::timeout(PATIENCE, writer.shutdown()).await;
}

/// The connections of a service, for the driver's loop: `handle` what the server says, hand the engine's events to the service,
/// then `deliver` what it has to say.
#[derive(Debug, Default)]
pub struct Switchboard {
    clients: BTreeMap<ClientId, LineSender>,
    /// Clients that were cut off because they did not read.
    pub cut_off: u64,
}

impl Switchboard {
    /// Passes on to the control service what a client did.
    pub fn handle(&mut self, said: FromClient, service: &mut ControlService, access: &mut dyn EngineAccess) {
        match said {
            FromClient::Opened(client, who, sender) => {
                self.clients.insert(client, sender);
                service.opened(client, who);
            }
            // A client that was cut off may still have had something to say.
            FromClient::Line(client, line) if self.clients.contains_key(&client) => {
                service.request(client, &line, access);
            }
            FromClient::Overlong(client) if self.clients.contains_key(&client) => service.overlong(client),
            FromClient::Handed(client, sockets) if self.clients.contains_key(&client) => {
                service.handed(client, sockets);
            }
            FromClient::HandedAll(client) => service.handed_all(client),
            FromClient::Unusable(client, problem) => service.unusable(client, problem),
            FromClient::Line(..) | FromClient::Overlong(_) | FromClient::Handed(..) => {}
            FromClient::Gone(client) => {
                self.clients.remove(&client);
                service.gone(client, access);
            }
        }
    }

    /// Puts the control service's lines into the queues of the clients. One whose queue is full is cut off, with all that it asked for.
    pub fn deliver(&mut self, service: &mut ControlService, access: &mut dyn EngineAccess) {
        while let Some((client, line)) = service.outgoing() {
            let Some(sender) = self.clients.get(&client) else { continue };
            match sender.lines.try_send(line) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => {
                    tracing::warn!("control socket: client {} does not read and is cut off", client.0);
                    self.cut_off += 1;
                    if let Some(sender) = self.clients.remove(&client) {
                        // A connection that has ended by itself needs no cutting.
                        let _ = sender.cut.send(());
                    }
                    service.gone(client, access);
                }
                // Its connection has ended; the server says so in a moment.
                Err(mpsc::error::TrySendError::Closed(_)) => {}
            }
        }
    }

    /// Connections there are.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.clients.len()
    }
}
