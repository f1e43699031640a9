//! A TCP stream by a TSpec: it is written to by one segment at a time.
//!
//! What is counted are the segments with new data: what TCP sends again, and packets without data, are its own. Two options of the
//! socket are set, so that TCP does not hold back what conforms and then sends it in a burst: TCP_NODELAY, and TCP_NOTSENT_LOWAT, so
//! that no more than one segment waits within the kernel for the peer's window or the network.

use super::{Excess, Meter, PaceError, PacedSocket, now};
use crate::Traffic;
use crate::mark::is_ipv4;
use socket2::SockRef;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The TCP header with timestamps (RFC 7323), which every Linux host sends unless told otherwise.
const TCP_HEADER: u64 = 32;

fn header(stream: &TcpStream) -> io::Result<u64> {
    let ip = if is_ipv4(&stream.peer_addr()?) { 20 } else { 40 };
    Ok(ip + TCP_HEADER)
}

impl PacedSocket<TcpStream> {
    /// Paces what is written to a TCP stream; its buckets are full at first. Must be called within a runtime.
    ///
    /// # Errors
    /// When the traffic makes no sense, M has no room for a segment, something other than shaping is asked for, the stream
    /// has no peer any more, or there is no timer to be had.
    pub fn tcp(stream: TcpStream, traffic: Traffic, excess: Excess) -> Result<Self, PaceError> {
        if excess != Excess::Shape {
            return Err(PaceError::Stream);
        }
        let meter = Meter::new(traffic, now()?)?;
        if meter.max_packet <= header(&stream)? {
            return Err(PaceError::Sizes { min: traffic.min_packet, max: traffic.max_packet });
        }
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_notsent_lowat(1)?;
        Self::new(stream, meter, excess)
    }

    /// How much of this goes into the next segment, and how long that is.
    fn segment(&self, octets: usize) -> io::Result<(usize, u64)> {
        let header = header(&self.socket)?;
        let largest = u64::from(SockRef::from(&self.socket).tcp_mss()?).min(self.meter.max_packet - header);
        let octets = octets.min(usize::try_from(largest).unwrap_or(usize::MAX));
        Ok((octets, header + octets as u64))
    }
}

impl AsyncWrite for PacedSocket<TcpStream> {
    /// Writes at most one segment, when it conforms.
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        if octets.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let this = &mut *self;
        let (size, length) = this.segment(octets.len())?;
        let offered = match this.offered {
            Some(offered) => offered,
            None => *this.offered.insert(now()?),
        };
        // A segment is not larger than M, so there is a time.
        let due = this.meter.due(length, offered).unwrap_or(offered);
        ready!(this.alarm.poll(due, context))?;
        // When TCP has no room, time goes on: what is written later counts as of then, or it would be late together with
        // the segment before.
        this.offered = None;
        let written = ready!(Pin::new(&mut this.socket).poll_write(context, &octets[..size]))?;
        this.sent(length - (size - written) as u64, offered, due);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

impl AsyncRead for PacedSocket<TcpStream> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, into)
    }
}
