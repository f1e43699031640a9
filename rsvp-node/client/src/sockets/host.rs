//! The connection to the daemon, which outlives the daemon: sockets are handed over again when it is back.

use super::handed::{Ending, Handed};
use super::{Inbox, NotHandedOver, QosError, QosSocket, capable};
use crate::ClientError;
use crate::link::Link;
use crate::pace::alarm::{Alarm, now};
use rsvp_control::sockets::{CAN_QOS, DEFAULT_QOS_SOCKET, Open, Opened, QOS_SOCKET_VARIABLE};
use rsvp_control::{Done, Request};
use rsvp_node::qos::Transport;
use socket2::SockRef;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::task::AbortHandle;

/// Time between two attempts to reach a daemon that is gone, in nanoseconds.
const AGAIN: u64 = 100_000_000;

/// A connection to the daemon, for sockets. Clones are the same connection; it ends with the last clone and socket.
///
/// ```no_run
/// use rsvp_client::QosHost;
/// use rsvp_client::qos::{Flowspec, Qos, ServiceType};
///
/// # async fn send() -> Result<(), rsvp_client::QosError> {
/// let host = QosHost::connect_default().await?;
/// let socket = tokio::net::UdpSocket::bind("0.0.0.0:0").await.expect("a socket");
/// let socket = host.attach(socket).await?;
/// let voice = Flowspec { token_rate: Some(8_500), minimum_policed_size: Some(340), ..Flowspec::of(ServiceType::ControlledLoad) };
/// socket.set(&Qos { sending: voice, ..Qos::default() }).await?;
/// socket.connect("10.0.2.2:5000").await?;
/// while let Some(told) = socket.next().await {
///     println!("{}", told.status);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct QosHost {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    /// Where the daemon listens; of a stream that was handed in nobody knows.
    path: Option<PathBuf>,
    link: Mutex<Arc<Link>>,
    pub(super) sockets: Mutex<BTreeMap<u64, Weak<Handed>>>,
    keeper: Mutex<Option<AbortHandle>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(keeper) = locked(&self.keeper).take() {
            keeper.abort();
        }
    }
}

impl QosHost {
    /// Connects to the socket that the environment variable `RSVP_QOS_SOCKET` names, or else to the usual one. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_default() -> Result<Self, QosError> {
        let named = std::env::var_os(QOS_SOCKET_VARIABLE).filter(|name| !name.is_empty());
        Self::connect(named.map_or_else(|| PathBuf::from(DEFAULT_QOS_SOCKET), PathBuf::from)).await
    }

    /// Connects to the daemon that listens on this socket: the one for QoS sockets, or its control socket.
    ///
    /// # Errors
    /// When nobody listens there, when this user may not, or when the daemon is of another kind.
    pub async fn connect(socket: impl AsRef<Path>) -> Result<Self, QosError> {
        let path = socket.as_ref();
        let link = Arc::new(reach(path).await?);
        Ok(Self::with(link, Some(path.to_owned())))
    }

    /// Speaks over any stream, for instance one to a daemon in this process. No descriptors go along: the daemon is told of sockets in
    /// words, and believes them. Such a host ends with its stream.
    ///
    /// # Errors
    /// When no greeting comes, or that of a daemon of another kind.
    pub async fn over(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Result<Self, QosError> {
        let link = usable(Link::new(stream).await?)?;
        Ok(Self::with(Arc::new(link), None))
    }

    fn with(link: Arc<Link>, path: Option<PathBuf>) -> Self {
        let (sockets, keeper) = (Mutex::new(BTreeMap::new()), Mutex::new(None));
        let inner = Arc::new(Inner { path, link: Mutex::new(link), sockets, keeper });
        let task = tokio::spawn(keep(Arc::downgrade(&inner)));
        *locked(&inner.keeper) = Some(task.abort_handle());
        Self { inner }
    }

    /// Name and version of the daemon.
    #[must_use]
    pub fn daemon(&self) -> String {
        self.link().daemon.clone()
    }

    /// Hands a socket over. It may be bound and connected already, or be so later by the calls of [`QosSocket`].
    ///
    /// # Errors
    /// When it is of a kind that has no QoS, or the daemon refuses or is gone; then the socket is given back.
    pub async fn attach<S: AsFd>(&self, socket: S) -> Result<QosSocket<S>, NotHandedOver<S>> {
        match self.hand_over(&socket).await {
            Ok(ending) => Ok(QosSocket::new(socket, ending)),
            Err(error) => Err(NotHandedOver { socket, error }),
        }
    }

    async fn hand_over(&self, socket: &impl AsFd) -> Result<Ending, QosError> {
        let transport = capable(socket)?;
        let system = QosError::system("the descriptor of the socket");
        let kept = socket.as_fd().try_clone_to_owned().map_err(system)?;
        let link = self.link();
        let inbox = Arc::new(Inbox::default());
        if !link.carries_descriptors {
            let opened = opened(link.ask(&in_words(transport, &kept)).await?)?;
            link.listen_to_socket(opened.socket, Arc::clone(&inbox))?;
            return Ok(self.keep(opened.socket, transport, kept, inbox));
        }
        let socket = cookie(&kept)?;
        if locked(&self.inner.sockets).contains_key(&socket) {
            return Err(QosError::HandedOverBefore);
        }
        link.listen_to_socket(socket, Arc::clone(&inbox))?;
        // From here on, who gives up waiting gives up the socket's QoS.
        let ending = self.keep(socket, transport, kept, inbox);
        link.ask_with(&BY_DESCRIPTOR, Some(ending.descriptor()?)).await?;
        Ok(ending)
    }

    fn keep(&self, number: u64, transport: Transport, kept: OwnedFd, inbox: Arc<Inbox>) -> Ending {
        let handed = Arc::new(Handed::new(self.clone(), number, transport, kept, inbox));
        locked(&self.inner.sockets).insert(number, Arc::downgrade(&handed));
        Ending(handed)
    }

    pub(super) fn link(&self) -> Arc<Link> {
        Arc::clone(&locked(&self.inner.link))
    }

    /// A socket's QoS has ended.
    pub(super) fn forget(&self, number: u64) {
        locked(&self.inner.sockets).remove(&number);
    }
}

/// A socket that goes along as a descriptor.
pub(super) const BY_DESCRIPTOR: Request =
    Request::QosOpen(Open { fd: true, transport: None, local: None, peer: None });

/// A socket in words.
fn in_words(transport: Transport, socket: &OwnedFd) -> Request {
    let socket = SockRef::from(socket);
    let name = |name: std::io::Result<socket2::SockAddr>| name.ok()?.as_socket().filter(|at| at.port() != 0);
    let (local, peer) = (name(socket.local_addr()), name(socket.peer_addr()));
    Request::QosOpen(Open { fd: false, transport: Some(transport.into()), local, peer })
}

fn opened(done: Done) -> Result<Opened, ClientError> {
    done.opened.ok_or_else(|| ClientError::Unexpected("a socket was opened without a number".to_owned()))
}

pub(super) fn cookie(socket: &OwnedFd) -> Result<u64, QosError> {
    SockRef::from(socket).cookie().map_err(QosError::system("the cookie of the socket"))
}

async fn reach(path: &Path) -> Result<Link, QosError> {
    let stream =
        UnixStream::connect(path).await.map_err(|error| ClientError::connecting_for_sockets(path, error))?;
    usable(Link::over_unix(stream).await?)
}

fn usable(link: Link) -> Result<Link, QosError> {
    if link.can.iter().any(|word| word == CAN_QOS) {
        return Ok(link);
    }
    Err(QosError::NoSockets { daemon: link.daemon.clone() })
}

/// Waits for the end of the connection, again and again, and makes another one.
async fn keep(inner: Weak<Inner>) {
    loop {
        let Some(link) = inner.upgrade().map(|inner| Arc::clone(&locked(&inner.link))) else { return };
        link.ended().await;
        let Some(path) = inner.upgrade().and_then(|inner| inner.path.clone()) else { break };
        let Some(link) = reach_again(&path, &inner).await else { return };
        let Some(host) = inner.upgrade().map(|inner| QosHost { inner }) else { return };
        *locked(&host.inner.link) = Arc::new(link);
        host.hand_over_again().await;
    }
    let Some(inner) = inner.upgrade() else { return };
    locked(&inner.sockets).values().filter_map(Weak::upgrade).for_each(|handed| handed.inbox.end());
}

/// Tries until there is a daemon, or nobody wants one.
async fn reach_again(path: &Path, inner: &Weak<Inner>) -> Option<Link> {
    let mut alarm = Alarm::new().ok()?;
    loop {
        if let Ok(link) = reach(path).await {
            return Some(link);
        }
        let at = now().ok()? + AGAIN;
        core::future::poll_fn(|context| alarm.poll(at, context)).await.ok()?;
        if inner.strong_count() == 0 {
            return None;
        }
    }
}

impl QosHost {
    /// What was asked for the sockets is asked again, of a daemon that knows nothing of it. One that is refused stays without QoS.
    async fn hand_over_again(&self) {
        let sockets: Vec<_> = locked(&self.inner.sockets).values().filter_map(Weak::upgrade).collect();
        for handed in sockets {
            if let Err(error) = handed.hand_over_again().await {
                tracing::warn!("a socket could not be handed over again: {error}");
            }
        }
    }
}
