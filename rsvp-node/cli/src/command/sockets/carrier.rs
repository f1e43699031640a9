//! The socket that carries a flow: datagrams to a host or a group, or a stream of records.
//!
//! In a stream each packet has its length in front, four octets: what a receiver reads is not divided as it was written.

use super::super::Failure;
use rsvp_client::qos::{FdQos, Qos};
use rsvp_client::{Leaf, QosHost, QosSocket};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

pub(super) enum Carrier {
    Datagrams(QosSocket<UdpSocket>, SocketAddr),
    Stream(QosSocket<TcpStream>),
}

impl Carrier {
    /// Hands a socket over that sends there.
    pub(super) async fn datagrams(
        host: &QosHost,
        socket: UdpSocket,
        to: SocketAddr,
        qos: &Qos,
    ) -> Result<Self, Failure> {
        let socket = host.attach(socket).await.map_err(|not| not.error)?;
        if to.ip().is_multicast() {
            socket.join(to, Leaf::Sender, Some(qos)).await?;
        } else {
            socket.set(qos).await?;
            socket.connect(to).await?;
        }
        Ok(Self::Datagrams(socket, to))
    }

    /// Connects, and hands the connection over.
    pub(super) async fn stream(
        host: &QosHost,
        from: Option<SocketAddr>,
        to: SocketAddr,
        ttl: u8,
        qos: &Qos,
    ) -> Result<Self, Failure> {
        let unspecified = match to.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let from = from.unwrap_or_else(|| SocketAddr::new(unspecified, 0));
        let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(Failure::at("a TCP socket"))?;
        let options = socket2::SockRef::from(&socket);
        let set = if to.is_ipv4() {
            options.set_ttl_v4(ttl.into())
        } else {
            options.set_unicast_hops_v6(ttl.into())
        };
        set.map_err(Failure::at("the TTL cannot be set"))?;
        socket.set_reuseaddr(true).map_err(Failure::at("a TCP socket"))?;
        socket.bind(from).map_err(Failure::at(format!("cannot send from {from}")))?;
        let stream = socket.connect(to).await.map_err(|error| {
            let remedy = if error.kind() == io::ErrorKind::ConnectionRefused {
                "; start `rsvp recv --tcp` there first"
            } else {
                ""
            };
            Failure::Asked(format!("no connection to {to}: {error}{remedy}"))
        })?;
        stream.set_nodelay(true).map_err(Failure::at("a TCP socket"))?;
        let socket = host.attach(stream).await.map_err(|not| not.error)?;
        socket.set(qos).await?;
        Ok(Self::Stream(socket))
    }

    /// Where the data comes from.
    pub(super) fn source(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Datagrams(socket, _) => socket.local_addr(),
            Self::Stream(socket) => socket.local_addr(),
        }
    }

    /// What the network does next; nothing when the daemon is gone for good.
    pub(super) async fn next(&self) -> Option<FdQos> {
        match self {
            Self::Datagrams(socket, _) => socket.next().await,
            Self::Stream(socket) => socket.next().await,
        }
    }

    /// Sends a packet, or puts what there is no room for behind what waits.
    pub(super) async fn send(&self, packet: &[u8], unsent: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Datagrams(socket, to) if to.ip().is_multicast() => {
                socket.send_to(packet, *to).await.map(drop)
            }
            Self::Datagrams(socket, _) => socket.send(packet).await.map(drop),
            Self::Stream(socket) => {
                unsent.extend(u32::try_from(packet.len()).unwrap_or_default().to_be_bytes());
                unsent.extend(packet);
                write(socket, unsent)
            }
        }
    }

    /// Waits for room, and writes what waits.
    pub(super) async fn flush(&self, unsent: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Datagrams(..) => Ok(()),
            Self::Stream(socket) => {
                socket.writable().await?;
                write(socket, unsent)
            }
        }
    }

    /// Waits until the receiver of a stream has hung up.
    pub(super) async fn hung_up(&self) {
        let Self::Stream(stream) = self else { return core::future::pending().await };
        let mut octets = [0; 64];
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut octets) {
                Ok(length) if length > 0 => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
    }

    /// Ends the QoS, and closes the socket.
    pub(super) async fn close(self) {
        match self {
            Self::Datagrams(socket, _) => drop(socket.end().await),
            Self::Stream(socket) => drop(socket.end().await),
        }
    }
}

fn write(stream: &TcpStream, unsent: &mut Vec<u8>) -> io::Result<()> {
    while !unsent.is_empty() {
        match stream.try_write(unsent) {
            Ok(written) => drop(unsent.drain(..written)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
