//! Datagrams by a TSpec.

use super::{Excess, Meter, Outcome, PaceError, PacedSocket, now};
use crate::Traffic;
use crate::mark::send_marked;
use rsvp_node::qos::{Overhead, Transport};
use std::borrow::Borrow;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use tokio::net::UdpSocket;

impl<S: Borrow<UdpSocket>> PacedSocket<S> {
    /// Paces a UDP socket; its buckets are full at first. Must be called within a runtime.
    ///
    /// # Errors
    /// When the traffic makes no sense, or there is no timer to be had.
    pub fn udp(socket: S, traffic: Traffic, excess: Excess) -> Result<Self, PaceError> {
        Self::new(socket, Meter::new(traffic, now()?)?, excess)
    }

    /// Sends a datagram to the socket's peer. Dropping this before it is done sends nothing and counts nothing. One that is
    /// larger than the path's MTU counts as one packet.
    ///
    /// # Errors
    /// When there is no peer, when the system does not send it, or, while shaping, when it is larger than M with its headers
    /// and would wait for ever.
    pub async fn send(&mut self, octets: &[u8]) -> io::Result<Outcome> {
        let peer = self.socket.borrow().peer_addr()?;
        self.datagram(octets, None, peer).await
    }

    /// Sends a datagram to this address; otherwise as [`send`](Self::send).
    ///
    /// # Errors
    /// As [`send`](Self::send), but for the peer.
    pub async fn send_to(&mut self, octets: &[u8], to: SocketAddr) -> io::Result<Outcome> {
        self.datagram(octets, Some(to), to).await
    }

    async fn datagram(
        &mut self,
        octets: &[u8],
        to: Option<SocketAddr>,
        peer: SocketAddr,
    ) -> io::Result<Outcome> {
        let size = u32::try_from(octets.len()).unwrap_or(u32::MAX);
        let length = u64::from(Overhead::of(Transport::Udp, peer.ip()).size(size));
        let offered = now()?;
        let due = match self.excess {
            Excess::Shape => {
                let due = self.meter.due(length, offered).ok_or_else(|| self.too_large(length))?;
                poll_fn(|context| self.alarm.poll(due, context)).await?;
                due
            }
            Excess::Demote(_) | Excess::Discard if self.meter.conforms(length, offered) => offered,
            Excess::Demote(dscp) => {
                send_marked(self.socket.borrow(), octets, to, dscp).await?;
                self.counters.demoted.add(length);
                return Ok(Outcome::Demoted);
            }
            Excess::Discard => {
                self.counters.discarded.add(length);
                return Ok(Outcome::Discarded);
            }
        };
        match to {
            Some(to) => self.socket.borrow().send_to(octets, to).await?,
            None => self.socket.borrow().send(octets).await?,
        };
        self.sent(length, offered, due);
        Ok(Outcome::Sent)
    }

    fn too_large(&self, length: u64) -> io::Error {
        let most = self.meter.max_packet;
        let why = format!(
            "a packet of {length} octets never conforms to a largest packet of {most}: send less at once, or raise it"
        );
        io::Error::new(io::ErrorKind::InvalidInput, why)
    }
}
