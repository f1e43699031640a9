//! One connection: lines from a client to the driver, and what the driver has for it to the client.
//!
//! Both ways are bounded in octets. A client that sends without end waits until what it has sent is done, one that sends too long a
//! line is told so, one that takes nothing for a while is cut off. What the lines mean is the control service's business.

use super::descriptors::{Handed, Octets, Source, Words};
use super::service::{ClientId, Who};
use core::time::Duration;
use nix::unistd::Uid;
use rsvp_control::sockets::MOST_DESCRIPTORS;
use rsvp_control::{LONGEST_LINE, Problem};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// A client that takes nothing for as long as this is cut off.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Octets of what a client has said that may wait for the driver.
const WINDOW: usize = 2 * LONGEST_LINE;

/// What each thing that is said takes of the window beside its own octets.
const EACH: usize = 64;

/// With less than this on its way to a client there is room for more.
pub(super) const ROOM: usize = 256 << 10;

/// What the server tells the driver.
#[derive(Debug)]
pub enum FromClient {
    /// A client is there; what it is told goes into its box.
    Opened(ClientId, Who, LineSender),
    /// It has said something.
    Said(ClientId, Said, Room),
    /// It has taken much of what waited for it: there is room for more.
    HasRoom(ClientId),
    /// It will say nothing more; what it has asked for it may still wait for.
    HungUp(ClientId),
    /// It takes nothing of what it is sent.
    Deaf(ClientId),
    /// It is gone.
    Gone(ClientId),
}

/// What a client says.
#[derive(Debug)]
pub enum Said {
    /// It handed over sockets, in this order, for lines that come next. Their descriptors are closed already.
    Handed(Vec<Handed>),
    /// All the lines that sockets came with have been said.
    HandedAll,
    /// What it sent cannot be used, for this reason, and its connection ends.
    Unusable(Problem),
    /// It sent a line.
    Line(String),
    /// It sent a line longer than [`LONGEST_LINE`], which was thrown away.
    Overlong,
}

impl Said {
    fn size(&self) -> u32 {
        let own = match self {
            Self::Line(line) => line.len(),
            Self::Handed(sockets) => EACH * sockets.len(),
            Self::HandedAll | Self::Unusable(_) | Self::Overlong => 0,
        };
        u32::try_from((own + EACH).min(WINDOW)).unwrap_or(u32::MAX)
    }
}

/// Room in what may wait of a client: given back when what was said is done.
#[derive(Debug)]
pub struct Room(#[expect(dead_code, reason = "gives itself back when it is dropped")] OwnedSemaphorePermit);

/// Where text for a client is put. Dropped, the connection ends when the client has taken what is there.
#[derive(Debug)]
pub struct LineSender {
    texts: mpsc::UnboundedSender<String>,
    /// Octets that the client has not taken.
    waiting: Arc<AtomicUsize>,
    cut: oneshot::Sender<()>,
}

impl LineSender {
    /// Sends text. A connection that has ended says so by itself in a moment.
    pub(super) fn send(&self, text: String) {
        let octets = text.len();
        self.waiting.fetch_add(octets, Ordering::Relaxed);
        if self.texts.send(text).is_err() {
            self.waiting.fetch_sub(octets, Ordering::Relaxed);
        }
    }

    /// Octets that are on their way.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Ends the connection now.
    pub(super) fn cut(self) {
        // One that has ended by itself needs no cutting.
        let _ = self.cut.send(());
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

pub(super) async fn converse(
    reading: impl Source,
    writing: impl AsyncWrite + Unpin,
    who: Who,
    id: ClientId,
    driver: mpsc::Sender<FromClient>,
) {
    let (texts, queue) = mpsc::unbounded_channel();
    let (cut, is_cut) = oneshot::channel();
    let waiting = Arc::default();
    let sender = LineSender { texts, waiting: Arc::clone(&waiting), cut };
    if driver.send(FromClient::Opened(id, who, sender)).await.is_err() {
        return;
    }
    let mut writing = core::pin::pin!(write_texts(writing, queue, &waiting, || {
        // A driver that has no time for this now looks at all that wait anyway.
        let _ = driver.try_send(FromClient::HasRoom(id));
    }));
    // Dropped without a word, the box only says that no more lines come.
    let mut is_cut = core::pin::pin!(async {
        if is_cut.await.is_err() {
            core::future::pending::<()>().await;
        }
    });
    let mut ended = tokio::select! {
        () = read_lines(reading, id, &driver) => None,
        ended = &mut writing => Some(ended),
        () = &mut is_cut => Some(Ended::Otherwise),
    };
    // A driver that is gone needs not be told.
    if ended.is_none() {
        // It asked and closed its side: what it has asked for still goes there, if anybody reads it.
        let _ = driver.send(FromClient::HungUp(id)).await;
        ended = tokio::select! {
            ended = &mut writing => Some(ended),
            () = &mut is_cut => None,
        };
    }
    let is_deaf = matches!(ended, Some(Ended::Deaf));
    let _ = driver.send(if is_deaf { FromClient::Deaf(id) } else { FromClient::Gone(id) }).await;
}

/// Reads until the client is gone, or sends what cannot be used. Waits while the driver has more than enough to do.
async fn read_lines(mut source: impl Source, id: ClientId, driver: &mpsc::Sender<FromClient>) {
    let window = Arc::new(Semaphore::new(WINDOW));
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
            said.push(Said::Unusable(Problem::new("descriptors", message)));
        } else if octets.is_empty() {
            // The end came in the middle of a line: what is not whole is not done.
            return;
        } else {
            if !sockets.is_empty() {
                said.push(Said::Handed(sockets));
            }
            lines(&octets, &mut unread, &mut is_overlong, &mut said);
            if unread.is_empty() && !is_overlong && core::mem::take(&mut handed) > 0 {
                said.push(Said::HandedAll);
            }
        }
        for each in said {
            let ends = matches!(each, Said::Unusable(..));
            let Ok(room) = Arc::clone(&window).acquire_many_owned(each.size()).await else { return };
            if driver.send(FromClient::Said(id, each, Room(room))).await.is_err() || ends {
                return;
            }
        }
    }
}

/// Divides what came into lines; what is not a whole one yet is kept. Of a line that is too long, the rest is thrown away.
fn lines(octets: &[u8], unread: &mut Vec<u8>, is_overlong: &mut bool, said: &mut Vec<Said>) {
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
            said.push(if was_overlong { Said::Overlong } else { Said::Line(text()) });
        }
    }
}

/// Why nothing is written any more.
enum Ended {
    /// The client took nothing.
    Deaf,
    Otherwise,
}

/// Writes until the driver drops the queue or the client takes no more. Says so when there is room again.
async fn write_texts(
    mut writer: impl AsyncWrite + Unpin,
    mut texts: mpsc::UnboundedReceiver<String>,
    waiting: &AtomicUsize,
    has_room: impl Fn(),
) -> Ended {
    while let Some(text) = texts.recv().await {
        for piece in text.as_bytes().chunks(LONGEST_LINE) {
            match tokio::time::timeout(PATIENCE, writer.write_all(piece)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Ended::Otherwise,
                Err(_) => return Ended::Deaf,
            }
            let before = waiting.fetch_sub(piece.len(), Ordering::Relaxed);
            if before >= ROOM && before - piece.len() < ROOM {
                has_room();
            }
        }
    }
    // The last words are on their way; whether they arrive is up to the client.
    let _ = tokio::time::timeout(PATIENCE, writer.shutdown()).await;
    Ended::Otherwise
}
