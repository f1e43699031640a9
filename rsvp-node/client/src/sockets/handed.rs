//! A socket that was handed over.

use super::host::{BY_DESCRIPTOR, QosHost};
use super::{FdQosEvents, Inbox, QosError};
use core::fmt;
use core::ops::Deref;
use rsvp_control::sockets::{Check, Checks, How, Join, Moved, Set, Shutdown};
use rsvp_control::{Done, Request};
use rsvp_node::qos::get::{Direction, may_get};
use rsvp_node::qos::{Endpoint, FdQos, Qos, ServiceType, Transport};
use socket2::{Domain, SockRef, Type};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpStream;

/// Whether a socket is of a kind that has QoS, and of which protocol: stream and datagram sockets of IPv4 and IPv6.
///
/// # Errors
/// [`QosError::NotCapable`] for all others.
pub fn capable(socket: &impl AsFd) -> Result<Transport, QosError> {
    let socket = SockRef::from(socket);
    let system = || QosError::system("the kind of the socket");
    let (domain, kind) = (socket.domain().map_err(system())?, socket.r#type().map_err(system())?);
    let protocol = socket.protocol().map_err(system())?;
    match (domain, kind, protocol) {
        (Domain::IPV4 | Domain::IPV6, Type::STREAM, Some(socket2::Protocol::TCP)) => Ok(Transport::Tcp),
        (Domain::IPV4 | Domain::IPV6, Type::DGRAM, Some(socket2::Protocol::UDP)) => Ok(Transport::Udp),
        _ => Err(QosError::NotCapable(format!("a socket of domain {domain:?}, type {kind:?}"))),
    }
}

/// What a socket and all its streams of notifications share.
#[derive(Debug)]
pub(super) struct Handed {
    host: QosHost,
    number: u64,
    transport: Transport,
    pub(super) inbox: Arc<Inbox>,
    asked: Mutex<Asked>,
    /// Of a listener: connections that were deferred. The kernel has no place to put one back.
    deferred: Mutex<VecDeque<(TcpStream, SocketAddr)>>,
}

/// What was asked for a socket, so that it can be asked for again.
#[derive(Debug)]
struct Asked {
    /// Another descriptor of the socket, until its QoS ends.
    descriptor: Option<OwnedFd>,
    qos: Qos,
    joined: Vec<Join>,
    shut: Vec<How>,
}

/// Ends the QoS of a socket when it is dropped.
#[derive(Debug)]
pub(super) struct Ending(pub(super) Arc<Handed>);

impl Drop for Ending {
    fn drop(&mut self) {
        if self.0.forget() {
            self.0.host.link().close_socket(self.0.number);
        }
    }
}

impl Ending {
    pub(super) fn descriptor(&self) -> Result<OwnedFd, QosError> {
        self.0.descriptor()
    }
}

impl Handed {
    pub(super) fn new(
        host: QosHost,
        number: u64,
        transport: Transport,
        descriptor: OwnedFd,
        inbox: Arc<Inbox>,
    ) -> Self {
        let asked = Asked { descriptor: Some(descriptor), qos: Qos::default(), joined: vec![], shut: vec![] };
        Self { host, number, transport, inbox, asked: Mutex::new(asked), deferred: Mutex::default() }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn deferred(&self) -> MutexGuard<'_, VecDeque<(TcpStream, SocketAddr)>> {
        self.deferred.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more is wanted; whether that is news.
    fn forget(&self) -> bool {
        self.inbox.end();
        self.host.forget(self.number);
        self.asked().descriptor.take().is_some()
    }

    pub(super) fn descriptor(&self) -> Result<OwnedFd, QosError> {
        let again = match &self.asked().descriptor {
            Some(descriptor) => descriptor.try_clone(),
            None => Err(io::Error::from(io::ErrorKind::NotConnected)),
        };
        again.map_err(QosError::system("the descriptor of the socket"))
    }

    async fn ask(&self, request: &Request) -> Result<Done, QosError> {
        Ok(self.host.link().ask(request).await?)
    }

    /// The daemon reads the socket's names again.
    pub(super) async fn moved(&self) -> Result<(), QosError> {
        let link = self.host.link();
        let descriptor = self.descriptor()?;
        let socket = self.number;
        if link.carries_descriptors {
            let moved = Request::QosMoved(Moved { socket, fd: true, local: None, peer: None });
            link.ask_with(&moved, Some(descriptor)).await?;
            return Ok(());
        }
        let (local, peer) = names(&descriptor);
        link.ask(&Request::QosMoved(Moved { socket, fd: false, local, peer })).await?;
        Ok(())
    }

    pub(super) async fn join(&self, join: Join) -> Result<(), QosError> {
        self.ask(&Request::QosJoin(join.clone())).await?;
        let mut asked = self.asked();
        asked.joined.retain(|other| other.group != join.group);
        asked.joined.push(join);
        Ok(())
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Everything, once more, to a daemon that knows nothing.
    pub(super) async fn hand_over_again(&self) -> Result<(), QosError> {
        let link = self.host.link();
        let descriptor = self.descriptor()?;
        link.listen_to_socket(self.number, Arc::clone(&self.inbox))?;
        link.ask_with(&BY_DESCRIPTOR, Some(descriptor)).await?;
        let (qos, joined, shut) = {
            let asked = self.asked();
            (asked.qos.clone(), asked.joined.clone(), asked.shut.clone())
        };
        for how in shut {
            self.ask(&Request::QosShutdown(Shutdown { socket: self.number, how })).await?;
        }
        if qos != Qos::default() {
            self.ask(&set(self.number, &qos)?).await?;
        }
        for join in joined {
            self.ask(&Request::QosJoin(join)).await?;
        }
        Ok(())
    }
}

fn set(socket: u64, qos: &Qos) -> Result<Request, QosError> {
    Ok(Request::QosSet(Set { socket, qos: qos.try_into()? }))
}

/// The names of a socket; a port of zero is none.
fn names(socket: &impl AsFd) -> (Option<SocketAddr>, Option<SocketAddr>) {
    let socket = SockRef::from(socket);
    let name = |name: io::Result<socket2::SockAddr>| name.ok()?.as_socket().filter(|at| at.port() != 0);
    (name(socket.local_addr()), name(socket.peer_addr()))
}

/// A socket with QoS: used as the socket that it is made of, and asked for QoS besides. To the network each is an application of its
/// own. Dropping it ends its QoS and closes the socket; [`end`](Self::end) gives the socket back.
pub struct QosSocket<S> {
    socket: S,
    ending: Ending,
}

impl<S: fmt::Debug> fmt::Debug for QosSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QosSocket").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl<S> Deref for QosSocket<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.socket
    }
}

impl<S: AsFd> QosSocket<S> {
    pub(super) const fn new(socket: S, ending: Ending) -> Self {
        Self { socket, ending }
    }

    pub(super) fn handed(&self) -> &Handed {
        &self.ending.0
    }

    pub(super) fn host(&self) -> &QosHost {
        &self.handed().host
    }

    /// The socket, for calls that need it whole.
    pub(super) const fn inner(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Says what the traffic needs (SIO_SET_QOS). A direction that says NOCHANGE stays as it is; objects stay where the request has
    /// none. What it leads to depends on what is known of the socket: a Path once there is a peer or a destination, a Resv once
    /// there is a Path.
    ///
    /// # Errors
    /// When the request makes no sense, or the daemon is gone.
    pub async fn set(&self, qos: &Qos) -> Result<(), QosError> {
        let handed = self.handed();
        handed.ask(&set(handed.number, qos)?).await?;
        let mut asked = handed.asked();
        let before = core::mem::take(&mut asked.qos);
        asked.qos = qos.clone().over(before);
        if let Some(now) = Some(asked.qos.clone()).filter(|_| !asked.joined.is_empty()) {
            let said = (&now).try_into().ok();
            asked.joined.iter_mut().for_each(|join| join.qos.clone_from(&said));
        }
        Ok(())
    }

    /// What was set.
    #[must_use]
    pub fn qos(&self) -> Qos {
        self.handed().asked().qos.clone()
    }

    /// The QoS of the group that the socket is in (SIO_GET_GROUP_QOS). There are no groups: nothing is specified.
    #[must_use]
    pub fn group_qos(&self) -> Qos {
        Qos::of_group()
    }

    /// What the network has said last of a direction (SIO_GET_QOS), with RSVP_STATUS_INFO first; what was set for it, while the
    /// network has said nothing. The other direction says NOCHANGE.
    ///
    /// # Errors
    /// When it is too early: a sender is asked once it is connected, a receiver once it is bound.
    pub fn get(&self, direction: Direction) -> Result<Qos, QosError> {
        may_get(&self.endpoint(), direction)?;
        let handed = self.handed();
        if let Some(said) = handed.inbox.last(direction) {
            return Ok(said);
        }
        let Qos { sending, receiving, .. } = self.qos();
        Ok(match direction {
            Direction::Sending => Qos { sending, ..Qos::default() },
            Direction::Receiving => Qos { receiving, ..Qos::default() },
        })
    }

    /// What the host can do for it (SIO_CHK_QOS).
    ///
    /// # Errors
    /// When the daemon is gone.
    pub async fn check(&self) -> Result<Checks, QosError> {
        self.checks(None).await
    }

    /// The same for traffic that was not set, and is not because of this.
    ///
    /// # Errors
    /// When the request makes no sense, or the daemon is gone.
    pub async fn check_for(&self, qos: &Qos) -> Result<Checks, QosError> {
        self.checks(Some(qos.try_into()?)).await
    }

    async fn checks(&self, qos: Option<rsvp_control::sockets::values::Qos>) -> Result<Checks, QosError> {
        let done = self.handed().ask(&Request::QosCheck(Check { socket: self.handed().number, qos })).await?;
        Ok(done.checks.unwrap_or_default())
    }

    /// What the network does next (FD_QOS); `None` when there will be no more, because the daemon is gone for good.
    pub async fn next(&self) -> Option<FdQos> {
        core::future::poll_fn(|context| self.handed().inbox.poll(context)).await
    }

    /// What waits already.
    #[must_use]
    pub fn try_next(&self) -> Option<FdQos> {
        self.handed().inbox.take()
    }

    /// The same as a stream that lives by itself.
    #[must_use]
    pub fn events(&self) -> FdQosEvents {
        FdQosEvents { inbox: Arc::clone(&self.handed().inbox) }
    }

    /// A descriptor that is readable while notifications wait, for loops that poll. It is never read: taking the notifications
    /// ([`try_next`](Self::try_next)) makes it so no longer.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    pub fn event_fd(&self) -> io::Result<OwnedFd> {
        self.handed().inbox.event_fd()
    }

    /// Has notifications handed to a function from now on, beginning with those that wait. It is called by the task that reads from
    /// the daemon, which waits for it.
    pub fn on_event(&self, call: impl FnMut(FdQos) + Send + 'static) {
        self.handed().inbox.set_callback(Some(Box::new(call)));
    }

    /// Has notifications wait again.
    pub fn no_event_call(&self) {
        self.handed().inbox.set_callback(None);
    }

    /// The socket was bound, connected or disconnected by other means than the calls here: the daemon reads its names again.
    /// (That it was connected the daemon hears from the kernel, where that tells.)
    ///
    /// # Errors
    /// When the daemon refuses, or is gone.
    pub async fn moved(&self) -> Result<(), QosError> {
        self.handed().moved().await
    }

    /// Shuts a direction down, of the socket where that has directions, and ends its QoS in that direction alone.
    ///
    /// # Errors
    /// When the daemon is gone. The socket is shut down then, too.
    pub async fn shutdown(&self, how: How) -> Result<(), QosError> {
        let of_socket = match how {
            How::Sending => std::net::Shutdown::Write,
            How::Receiving => std::net::Shutdown::Read,
            How::Both => std::net::Shutdown::Both,
        };
        // A socket without a peer has nothing to shut down; its QoS has.
        let _ = SockRef::from(&self.socket).shutdown(of_socket);
        let handed = self.handed();
        handed.asked().shut.push(how);
        handed.ask(&Request::QosShutdown(Shutdown { socket: handed.number, how })).await.map(drop)
    }

    /// Ends the QoS, waits until the daemon has done so, and gives the socket back, as it is.
    pub async fn end(self) -> S {
        let Self { socket, ending } = self;
        if ending.0.forget() {
            let link = ending.0.host.link();
            // When the daemon is gone, there is no QoS either.
            let _ = link.ask(&Request::QosClose { socket: ending.0.number }).await;
            link.forget_socket(ending.0.number);
        }
        socket
    }

    /// What is known of the socket.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        let (local, peer) = names(&self.socket);
        let groups = self.handed().asked().joined.iter().map(|join| join.group).collect();
        Endpoint { transport: self.handed().transport, local, peer, groups }
    }

    /// Whether a QoS is asked for in any direction.
    #[must_use]
    pub fn asks(&self) -> bool {
        let Qos { sending, receiving, .. } = self.qos();
        let asks = |service: ServiceType| service.is_signalled();
        asks(sending.service.service_type) || asks(receiving.service.service_type)
    }
}
