//! QOS2: a mark and a rate for a socket, without privileges and without signalling.
//!
//! [`Flows`] is the connection to the daemon. [`Flows::add`] makes a [`Flow`] for a socket: from then on its packets to its peer have the
//! marks of its traffic type, also in the middle of a connection. The socket stays the application's, and is used as before. Dropping a
//! [`Flow`] ends it; so does the end of the connection. What a request means is decided in the daemon.
//!
//! ```no_run
//! use rsvp_client::flows::{FlowOptions, Flows, OutgoingRate, Shaping, TrafficType, Version};
//!
//! # async fn call() -> Result<(), rsvp_client::flows::FlowError> {
//! let flows = Flows::open(Version::V1_0).await?;
//! let socket = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket");
//! socket.connect("10.0.2.2:5004").expect("a route");
//! let call = flows.add(&socket, TrafficType::Voice, FlowOptions::default()).await?;
//! // No more than 256 kbit/s, IP headers included; what is too much waits in the socket.
//! call.set_rate(OutgoingRate::new(256_000, Shaping::ShapeAndMark)).await?;
//! # Ok(())
//! # }
//! ```

use crate::link::Link;
use crate::sockets::{QosError, capable};
use crate::{ClientError, Dscp};
use core::fmt;
use rsvp_control::flows::{Add, CAN_FLOWS, Notify, Query, Remove, Set, Track, What};
use rsvp_control::sockets::{DEFAULT_QOS_SOCKET, QOS_SOCKET_VARIABLE};
use rsvp_control::{Done, Problem, Request};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::UnixStream;

pub use rsvp_control::flows::{
    Fundamentals, OutgoingRate, PacketPriority, Reason, Row, Shaping, SocketRow, TrafficType, When,
};

/// The version of the interface that a program is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// What changes its meaning.
    pub major: u16,
    /// What adds to it.
    pub minor: u16,
}

impl Version {
    /// The only one that there is.
    pub const V1_0: Self = Self { major: 1, minor: 0 };
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Why the daemon did not do what was asked of a flow: the words of the published interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The network has less than what was asked for: the flow is as it was.
    NetworkBusy,
    /// It cannot be had here, for one because nobody at the other end helps to measure.
    NotSupported,
    /// A mistake of the program.
    InvalidParameter,
    /// The socket has a flow for that peer, or a wish of that kind waits already.
    AlreadyExists,
    /// There is no such flow, it has ended, or the socket is not in it.
    NotFound,
    /// The flow is another connection's.
    InvalidHandle,
    /// This user may not.
    AccessDenied,
    /// The flow has ended, or the wish was given up, while it waited.
    Aborted,
    /// No interface leads to the peer.
    HostUnreachable,
    /// What was asked for was never set.
    NoData,
    /// Nothing marks packets on this host.
    ResourceDisabled,
    /// The kernel's traffic control refuses.
    ServiceDependencyFail,
    /// This user, or everybody, has as much as there is.
    NoSystemResources,
    /// Another reason.
    Other,
}

impl Refusal {
    fn of(code: &str) -> Self {
        match code {
            "network-busy" => Self::NetworkBusy,
            "not-supported" => Self::NotSupported,
            "invalid-parameter" | "no-qos-socket" => Self::InvalidParameter,
            "already-exists" => Self::AlreadyExists,
            "not-found" => Self::NotFound,
            "not-permitted" => Self::InvalidHandle,
            "access-denied" => Self::AccessDenied,
            "aborted" => Self::Aborted,
            "host-unreachable" => Self::HostUnreachable,
            "no-data" => Self::NoData,
            "resource-disabled" => Self::ResourceDisabled,
            "service-dependency-fail" => Self::ServiceDependencyFail,
            "no-system-resources" | "quota" => Self::NoSystemResources,
            _ => Self::Other,
        }
    }
}

/// Why something could not be had of a flow.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// Another version than there is was asked for.
    #[error("version {0} of the interface is not known here: ask for {known}", known = Version::V1_0)]
    Version(Version),
    /// The daemon knows no flows.
    #[error("{daemon} has no flows for sockets: install a newer rsvpd")]
    NoFlows {
        /// Name and version of the daemon.
        daemon: String,
    },
    /// The socket is of a kind that has no flows.
    #[error(transparent)]
    Socket(QosError),
    /// The daemon refused, and nothing has changed.
    #[error("{message}")]
    Refused {
        /// Why, in one word.
        why: Refusal,
        /// And in a sentence, with what helps.
        message: String,
    },
    /// The system refuses something about the socket.
    #[error("the descriptor of the socket: {0}")]
    System(#[from] io::Error),
    /// The daemon is gone, or was never there.
    #[error(transparent)]
    Daemon(ClientError),
}

impl FlowError {
    /// Why the daemon refused; nothing where it did not.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { why, .. } => Some(*why),
            _ => None,
        }
    }
}

impl From<ClientError> for FlowError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(Problem { code, message, .. }) => {
                Self::Refused { why: Refusal::of(&code), message }
            }
            other => Self::Daemon(other),
        }
    }
}

/// How a flow is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowOptions {
    /// The peer. It has to be said of a socket that is not connected, and may be of one that is about to be.
    pub destination: Option<SocketAddr>,
    /// The flow follows what the network has: it has one socket, its packets are marked once a rate was set that the network has, and
    /// fundamentals and notifications are for such flows alone.
    pub adaptive: bool,
}

/// What a flow can tell of, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// The network has less than the flow's rate.
    Congested,
    /// It has as much, or more.
    Uncongested,
    /// It has so many bits per second.
    Available(u64),
}

/// A connection to the daemon, for flows. Clones are the same connection; its flows end with the last clone and flow.
#[derive(Clone, Debug)]
pub struct Flows {
    link: Arc<Link>,
}

impl Flows {
    /// Connects to the socket that the environment variable `RSVP_QOS_SOCKET` names, or else to the usual one. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// As [`open_at`](Self::open_at).
    pub async fn open(version: Version) -> Result<Self, FlowError> {
        let named = std::env::var_os(QOS_SOCKET_VARIABLE).filter(|name| !name.is_empty());
        Self::open_at(version, named.map_or_else(|| PathBuf::from(DEFAULT_QOS_SOCKET), PathBuf::from)).await
    }

    /// Connects to the daemon that listens on this socket: the one for QoS sockets, or its control socket.
    ///
    /// # Errors
    /// When another version is asked for, nobody listens there, this user may not, or the daemon has no flows.
    pub async fn open_at(version: Version, socket: impl AsRef<Path>) -> Result<Self, FlowError> {
        if version != Version::V1_0 {
            return Err(FlowError::Version(version));
        }
        let path = socket.as_ref();
        let connecting = |error| ClientError::connecting_for_sockets(path, error);
        let stream = UnixStream::connect(path).await.map_err(connecting)?;
        let link = Link::over_unix(stream).await?;
        if !link.can.iter().any(|word| word == CAN_FLOWS) {
            return Err(FlowError::NoFlows { daemon: link.daemon.clone() });
        }
        Ok(Self { link: Arc::new(link) })
    }

    /// Makes a flow for a socket. When this returns its packets are marked. Giving up waiting takes back what was done.
    ///
    /// # Errors
    /// When the socket has no peer, another one, or one of another family; when it has a flow already; when nothing marks
    /// packets here.
    pub async fn add(
        &self,
        socket: &impl AsFd,
        traffic: TrafficType,
        options: FlowOptions,
    ) -> Result<Flow, FlowError> {
        let FlowOptions { destination, adaptive } = options;
        let add = Add { fd: true, destination, flow: None, traffic: Some(traffic), adaptive };
        let done = ask(&self.link, Request::FlowAdd(add), Some(descriptor(socket)?)).await?;
        let id = done.flow.ok_or_else(|| unexpected("a flow without a number"))?;
        Ok(Flow { link: Arc::clone(&self.link), id, is_over: false })
    }

    /// Has the way to a host measured now and then, so that much is known of it when an adaptive flow asks.
    ///
    /// # Errors
    /// When it is no host, or too many are tracked.
    pub async fn track(&self, host: IpAddr) -> Result<Tracking, FlowError> {
        ask(&self.link, Request::Track(Track { host }), None).await?;
        Ok(Tracking { link: Arc::clone(&self.link), host })
    }

    /// All flows of this user; over the daemon's control socket those of all users.
    ///
    /// # Errors
    /// When the daemon is gone.
    pub async fn list(&self) -> Result<Vec<Row>, FlowError> {
        let done = ask(&self.link, Request::FlowList {}, None).await?;
        done.socket_flows.ok_or_else(|| unexpected("a listing without flows"))
    }
}

/// That a host is tracked, until this is dropped.
#[derive(Debug)]
pub struct Tracking {
    link: Arc<Link>,
    host: IpAddr,
}

impl Drop for Tracking {
    fn drop(&mut self) {
        self.link.tell(&Request::Untrack(Track { host: self.host }));
    }
}

/// A flow. Dropping it ends it: marks and rate are gone, whatever waits for it ends with [`Refusal::Aborted`].
#[derive(Debug)]
pub struct Flow {
    link: Arc<Link>,
    id: u64,
    is_over: bool,
}

impl Drop for Flow {
    fn drop(&mut self) {
        if !self.is_over {
            self.link.tell(&Request::FlowRemove(Remove { flow: self.id, fd: false }));
        }
    }
}

impl Flow {
    /// Its number, which is not 0.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Another socket shares the flow and its rate; or the same socket has it for another peer, too.
    ///
    /// # Errors
    /// As [`Flows::add`]; also when the flow is adaptive and has its socket.
    pub async fn attach(&self, socket: &impl AsFd, destination: Option<SocketAddr>) -> Result<(), FlowError> {
        let add = Add { fd: true, destination, flow: Some(self.id), traffic: None, adaptive: false };
        ask(&self.link, Request::FlowAdd(add), Some(descriptor(socket)?)).await.map(drop)
    }

    /// A socket leaves the flow.
    ///
    /// # Errors
    /// When it is not in it.
    pub async fn detach(&self, socket: &impl AsFd) -> Result<(), FlowError> {
        let remove = Remove { flow: self.id, fd: true };
        ask(&self.link, Request::FlowRemove(remove), Some(descriptor(socket)?)).await.map(drop)
    }

    /// Ends the flow, and waits until nothing is left of it.
    ///
    /// # Errors
    /// When it has ended, or the daemon is gone.
    pub async fn remove(mut self) -> Result<(), FlowError> {
        self.is_over = true;
        let remove = Remove { flow: self.id, fd: false };
        ask(&self.link, Request::FlowRemove(remove), None).await.map(drop)
    }

    async fn set(&self, set: Set) -> Result<(), FlowError> {
        ask(&self.link, Request::FlowSet(set), None).await.map(drop)
    }

    /// What the flow is for, from now on; its DSCP is that of the type again.
    ///
    /// # Errors
    /// When the flow has ended.
    pub async fn set_traffic(&self, traffic: TrafficType) -> Result<(), FlowError> {
        self.set(Set { flow: self.id, traffic: Some(traffic), ..Set::default() }).await
    }

    /// The rate of the flow, which its sockets share.
    ///
    /// # Errors
    /// When it is none; of an adaptive flow [`Refusal::NetworkBusy`] when the network has less. The flow is then as it was.
    pub async fn set_rate(&self, rate: OutgoingRate) -> Result<(), FlowError> {
        self.set(Set { flow: self.id, rate: Some(rate), ..Set::default() }).await
    }

    /// A DSCP in the place of that of the traffic type.
    ///
    /// # Errors
    /// [`Refusal::AccessDenied`] where this user may not.
    pub async fn set_dscp(&self, dscp: Dscp) -> Result<(), FlowError> {
        self.set(Set { flow: self.id, dscp: Some(dscp.value()), ..Set::default() }).await
    }

    async fn query(&self, what: What, fresh: bool) -> Result<Done, FlowError> {
        ask(&self.link, Request::FlowQuery(Query { flow: self.id, what, fresh }), None).await
    }

    /// What the network has on the flow's way; measured anew if it has to be fresh.
    ///
    /// # Errors
    /// [`Refusal::NotSupported`] where it cannot be measured, and of flows that are not adaptive.
    pub async fn fundamentals(&self, fresh: bool) -> Result<Fundamentals, FlowError> {
        let done = self.query(What::Fundamentals, fresh).await?;
        done.fundamentals.ok_or_else(|| unexpected("an answer without fundamentals"))
    }

    /// The marks of its packets.
    ///
    /// # Errors
    /// When the flow has ended.
    pub async fn priority(&self) -> Result<PacketPriority, FlowError> {
        let done = self.query(What::PacketPriority, false).await?;
        done.marks.ok_or_else(|| unexpected("an answer without marks"))
    }

    /// Its rate as it was set.
    ///
    /// # Errors
    /// [`Refusal::NoData`] where none was.
    pub async fn rate(&self) -> Result<OutgoingRate, FlowError> {
        let done = self.query(What::OutgoingRate, false).await?;
        done.rate.ok_or_else(|| unexpected("an answer without a rate"))
    }

    /// Waits until it is so; one wish of a kind at a time. Asked again, it waits for the next time.
    ///
    /// # Errors
    /// [`Refusal::NotSupported`] as [`fundamentals`](Self::fundamentals), [`Refusal::AlreadyExists`], [`Refusal::Aborted`].
    pub async fn notify(&self, of: Notification) -> Result<(), FlowError> {
        let (when, bandwidth_bps) = match of {
            Notification::Congested => (When::Congested, None),
            Notification::Uncongested => (When::Uncongested, None),
            Notification::Available(bps) => (When::Available, Some(bps)),
        };
        let notify = Notify { flow: self.id, when, bandwidth_bps };
        ask(&self.link, Request::FlowNotify(notify), None).await.map(drop)
    }
}

fn unexpected(what: &str) -> FlowError {
    FlowError::Daemon(ClientError::Unexpected(what.to_owned()))
}

fn descriptor(socket: &impl AsFd) -> Result<OwnedFd, FlowError> {
    capable(socket).map_err(FlowError::Socket)?;
    Ok(socket.as_fd().try_clone_to_owned()?)
}

/// A request that waits for its answer; one that is given up is taken back.
struct Waiting<'l> {
    link: &'l Link,
    id: u64,
    is_answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.link.tell(&Request::FlowCancel { of: self.id });
        }
    }
}

async fn ask(link: &Link, request: Request, descriptor: Option<OwnedFd>) -> Result<Done, FlowError> {
    let (id, answer) = link.begin(&request, descriptor)?;
    let mut waiting = Waiting { link, id, is_answered: false };
    let answered = answer.await;
    waiting.is_answered = true;
    match answered {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(problem)) => Err(ClientError::Refused(problem).into()),
        Err(_) => Err(FlowError::Daemon(ClientError::Disconnected)),
    }
}
