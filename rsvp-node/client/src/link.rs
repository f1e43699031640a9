//! The connection below a client: numbers requests, matches answers to them, hands out events.
//!
//! Two tasks, one for each direction, so that neither waits for the other. What requests and events mean is known above.

use super::ClientError;
use super::sockets::Inbox;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use rsvp_control::{Done, Event, EventKind, Line, Problem, Request, VERSION, Watched, session_at, tc};
use rsvp_wire::Session;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::AbortHandle;

/// A connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) daemon: String,
    /// What the daemon can do beside what all of the version can.
    pub(super) can: Vec<String>,
    /// Whether descriptors go along with lines.
    pub(super) carries_descriptors: bool,
    lines: mpsc::UnboundedSender<Outgoing>,
    expected: Arc<Mutex<Expected>>,
    reader: AbortHandle,
}

/// A line, and what goes along.
#[derive(Debug)]
struct Outgoing {
    line: String,
    descriptor: Option<OwnedFd>,
}

/// Who waits for what.
#[derive(Debug, Default)]
struct Expected {
    next_id: u64,
    answers: BTreeMap<u64, oneshot::Sender<Result<Done, Problem>>>,
    sessions: BTreeMap<Session, mpsc::UnboundedSender<EventKind>>,
    /// Of sockets that are bound to any address.
    any: BTreeMap<Session, mpsc::UnboundedSender<(Session, EventKind)>>,
    watch: Option<mpsc::UnboundedSender<Watched>>,
    /// Of flows that are made by hand.
    flows: Option<mpsc::UnboundedSender<tc::Event>>,
    /// Of sockets that were handed over.
    sockets: BTreeMap<u64, Arc<Inbox>>,
    ended: bool,
    end: Arc<Notify>,
}

/// A request with its number.
#[derive(Serialize)]
struct Numbered<'r> {
    id: u64,
    #[serde(flatten)]
    request: &'r Request,
}

impl Link {
    /// Waits for the greeting.
    pub(super) async fn new(
        stream: impl AsyncRead + AsyncWrite + Send + 'static,
    ) -> Result<Self, ClientError> {
        let (reading, writing) = tokio::io::split(stream);
        Self::start(reading, |lines| write(writing, lines), false).await
    }

    /// The same over a UNIX socket, which carries descriptors.
    pub(super) async fn over_unix(stream: UnixStream) -> Result<Self, ClientError> {
        let (reading, writing) = stream.into_split();
        Self::start(reading, |lines| write_descriptors(writing, lines), true).await
    }

    async fn start<W: Future<Output = ()> + Send + 'static>(
        reading: impl AsyncRead + Unpin + Send + 'static,
        writer: impl FnOnce(mpsc::UnboundedReceiver<Outgoing>) -> W,
        carries_descriptors: bool,
    ) -> Result<Self, ClientError> {
        let mut reading = BufReader::new(reading);
        let greeting = next_line(&mut reading).await?;
        if let Some(problem) = greeting.error {
            return Err(ClientError::Refused(problem));
        }
        match greeting.version {
            Some(VERSION) => {}
            Some(found) => return Err(ClientError::OtherVersion { found }),
            None => return Err(ClientError::Unexpected("it does not greet".to_owned())),
        }
        let expected = Arc::new(Mutex::new(Expected::default()));
        let (lines, waiting) = mpsc::unbounded_channel();
        tokio::spawn(writer(waiting));
        let reader = tokio::spawn(read(reading, Arc::clone(&expected))).abort_handle();
        let (daemon, can) = (greeting.daemon.unwrap_or_default(), greeting.can.unwrap_or_default());
        Ok(Self { daemon, can, carries_descriptors, lines, expected, reader })
    }

    fn expected(&self) -> MutexGuard<'_, Expected> {
        locked(&self.expected)
    }

    /// Where the events of a session will come.
    pub(super) fn listen(&self, session: Session) -> Result<mpsc::UnboundedReceiver<EventKind>, ClientError> {
        let mut expected = self.expected();
        if expected.ended {
            return Err(ClientError::Disconnected);
        }
        if expected.sessions.contains_key(&session) {
            return Err(ClientError::AlreadyOpen(session));
        }
        let (sender, events) = mpsc::unbounded_channel();
        expected.sessions.insert(session, sender);
        Ok(events)
    }

    /// Where the events of all sessions of a socket that is bound to any address will come, but for those that have their own.
    pub(super) fn listen_at_any_address(
        &self,
        any: Session,
    ) -> Result<mpsc::UnboundedReceiver<(Session, EventKind)>, ClientError> {
        let mut expected = self.expected();
        if expected.ended {
            return Err(ClientError::Disconnected);
        }
        if expected.any.contains_key(&any) {
            return Err(ClientError::AlreadyOpen(any));
        }
        let (sender, events) = mpsc::unbounded_channel();
        expected.any.insert(any, sender);
        Ok(events)
    }

    /// Where everything that happens on the node will come.
    pub(super) fn watch(&self) -> mpsc::UnboundedReceiver<Watched> {
        let (sender, watched) = mpsc::unbounded_channel();
        let mut expected = self.expected();
        if !expected.ended {
            expected.watch = Some(sender);
        }
        watched
    }

    /// Where what is told of flows that are made by hand will come.
    pub(super) fn watch_flows(&self) -> mpsc::UnboundedReceiver<tc::Event> {
        let (sender, events) = mpsc::unbounded_channel();
        let mut expected = self.expected();
        if !expected.ended {
            expected.flows = Some(sender);
        }
        events
    }

    /// Where what is told of a socket will come.
    pub(super) fn listen_to_socket(&self, socket: u64, inbox: Arc<Inbox>) -> Result<(), ClientError> {
        let mut expected = self.expected();
        if expected.ended {
            return Err(ClientError::Disconnected);
        }
        expected.sockets.insert(socket, inbox);
        Ok(())
    }

    /// Nothing more is told of a socket.
    pub(super) fn forget_socket(&self, socket: u64) {
        self.expected().sockets.remove(&socket);
    }

    /// Ends a socket's QoS without waiting for what the daemon says to that.
    pub(super) fn close_socket(&self, socket: u64) {
        self.forget_socket(socket);
        self.tell(&Request::QosClose { socket });
    }

    /// Waits until the connection has ended.
    pub(super) async fn ended(&self) {
        let end = Arc::clone(&self.expected().end);
        let notified = end.notified();
        if !self.expected().ended {
            notified.await;
        }
    }

    pub(super) async fn ask(&self, request: &Request) -> Result<Done, ClientError> {
        self.ask_with(request, None).await
    }

    /// Asks with a descriptor that goes along.
    pub(super) async fn ask_with(
        &self,
        request: &Request,
        descriptor: Option<OwnedFd>,
    ) -> Result<Done, ClientError> {
        let (_, answer) = self.begin(request, descriptor)?;
        match answer.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(problem)) => Err(ClientError::Refused(problem)),
            Err(_) => Err(ClientError::Disconnected),
        }
    }

    /// Asks, and does not wait: the number of the request, and where its answer comes.
    pub(super) fn begin(
        &self,
        request: &Request,
        descriptor: Option<OwnedFd>,
    ) -> Result<(u64, oneshot::Receiver<Result<Done, Problem>>), ClientError> {
        let (sender, answer) = oneshot::channel();
        let id = self.send(request, descriptor, sender)?;
        Ok((id, answer))
    }

    /// Asks without caring what the daemon says to that.
    pub(super) fn tell(&self, request: &Request) {
        // Nothing is left to ask when the connection has ended.
        let _ = self.begin(request, None);
    }

    /// Ends a session without waiting for what the daemon says to that.
    pub(super) fn close(&self, session: Session) {
        let mut expected = self.expected();
        expected.sessions.remove(&session);
        expected.any.remove(&session);
        drop(expected);
        self.tell(&Request::CloseSession { session });
    }

    fn send(
        &self,
        request: &Request,
        descriptor: Option<OwnedFd>,
        answer: oneshot::Sender<Result<Done, Problem>>,
    ) -> Result<u64, ClientError> {
        let mut expected = self.expected();
        if expected.ended {
            return Err(ClientError::Disconnected);
        }
        let id = expected.next_id;
        expected.next_id += 1;
        let line = serde_json::to_string(&Numbered { id, request })
            .map_err(|error| ClientError::Unexpected(format!("a request that cannot be written: {error}")))?;
        expected.answers.insert(id, answer);
        self.lines.send(Outgoing { line, descriptor }).map_err(|_| ClientError::Disconnected)?;
        Ok(id)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The writer ends by itself when it has sent what there is; both halves gone, the connection is.
        self.reader.abort();
    }
}

/// What is waited for stays consistent whatever a holder of the lock was doing.
fn locked(expected: &Mutex<Expected>) -> MutexGuard<'_, Expected> {
    expected.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn next_line(reading: &mut (impl AsyncBufReadExt + Unpin)) -> Result<Line, ClientError> {
    let mut line = String::new();
    match reading.read_line(&mut line).await {
        Ok(0) | Err(_) => return Err(ClientError::Disconnected),
        Ok(_) => {}
    }
    serde_json::from_str(&line).map_err(|error| ClientError::Unexpected(error.to_string()))
}

async fn write(mut writing: impl AsyncWrite + Unpin, mut lines: mpsc::UnboundedReceiver<Outgoing>) {
    while let Some(Outgoing { mut line, .. }) = lines.recv().await {
        line.push('\n');
        if writing.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Descriptors go with the first octets of their lines.
async fn write_descriptors(writing: OwnedWriteHalf, mut lines: mpsc::UnboundedReceiver<Outgoing>) {
    let stream = writing.as_ref();
    while let Some(Outgoing { mut line, mut descriptor }) = lines.recv().await {
        line.push('\n');
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            let send = || send(stream, rest, descriptor.as_ref());
            let Ok(sent) = stream.async_io(Interest::WRITABLE, send).await else { return };
            descriptor = None;
            rest = rest.get(sent..).unwrap_or_default();
        }
    }
}

fn send(stream: &UnixStream, octets: &[u8], descriptor: Option<&OwnedFd>) -> io::Result<usize> {
    let descriptors = descriptor.map(|descriptor| [descriptor.as_raw_fd()]);
    let rights = descriptors.as_ref().map(|descriptors| ControlMessage::ScmRights(descriptors));
    let along = rights.as_slice();
    Ok(sendmsg::<()>(stream.as_raw_fd(), &[IoSlice::new(octets)], along, MsgFlags::MSG_NOSIGNAL, None)?)
}

async fn read(mut reading: impl AsyncBufReadExt + Unpin, expected: Arc<Mutex<Expected>>) {
    loop {
        match next_line(&mut reading).await {
            Ok(line) => {
                let told = locked(&expected).take(line);
                // The application's own code may run because of it, which may ask for something in turn.
                if let Some((inbox, notification)) = told {
                    inbox.put(notification);
                }
            }
            // A line of a kind that this version does not know.
            Err(ClientError::Unexpected(why)) => tracing::debug!("control socket: passed over: {why}"),
            Err(_) => break,
        }
    }
    let mut expected = locked(&expected);
    expected.ended = true;
    expected.answers.clear();
    expected.sessions.clear();
    expected.any.clear();
    expected.sockets.clear();
    expected.watch = None;
    expected.flows = None;
    expected.end.notify_waiters();
}

impl Expected {
    /// What addresses do is for those at any address; everything else for whoever has the session itself first.
    fn tell(&self, session: Session, kind: EventKind) {
        let of_address = matches!(kind, EventKind::SessionOpened {} | EventKind::SessionClosed {});
        if let Some(events) = self.sessions.get(&session).filter(|_| !of_address) {
            let _ = events.send(kind);
            return;
        }
        let takes = |any: &Session| session_at(any, session.destination()) == Some(session);
        for (_, events) in self.any.iter().filter(|(any, _)| takes(any)) {
            let _ = events.send((session, kind.clone()));
        }
    }

    /// Whoever does not want to know any more has dropped the other end. What is told of a socket is handed back.
    fn take(&mut self, line: Line) -> Option<(Arc<Inbox>, rsvp_node::qos::FdQos)> {
        if let Some(answer) = line.id.and_then(|id| self.answers.remove(&id)) {
            let said = line.error.map_or_else(|| Ok(line.ok.unwrap_or_default()), Err);
            let _ = answer.send(said);
        } else if let Some(Event { session, kind }) = line.event {
            self.tell(session, kind);
        } else if let Some(told) = line.qos {
            let inbox = self.sockets.get(&told.socket)?;
            return Some((Arc::clone(inbox), told.meaning().ok()?));
        } else if let (Some(event), Some(flows)) = (line.tc, &self.flows) {
            let _ = flows.send(event);
        } else if let (Some(watched), Some(watch)) = (line.watched, &self.watch) {
            let _ = watch.send(watched);
        }
        None
    }
}
