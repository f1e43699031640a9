//! Sockets that send no more than a TSpec says, without a daemon and without a privilege.
//!
//! What counts is the IP length of packets: headers of IP and of UDP or TCP included, and at least m. A packet conforms when the buckets
//! (r, b) and (p, M) have room for it; what becomes of one that does not is [`Excess`]. In all modes what conforms fits, where it
//! leaves, a bucket (r, b + one packet), however late the process gets to run; and a sender that always has something to
//! send gets r, as long as it is not kept from running for longer than b/r. Packets that wait are woken by a timer of the
//! kernel's, in real time. Who reserves for such a sender announces a bucket that is one packet deeper than the one it is paced with.
//!
//! ```no_run
//! use rsvp_client::{Dscp, Excess, PacedSocket, Traffic, mark};
//!
//! # async fn send() -> Result<(), Box<dyn std::error::Error>> {
//! let socket = tokio::net::UdpSocket::bind("0.0.0.0:0").await?;
//! mark(&socket, Dscp::EF)?;
//! socket.connect("192.0.2.1:5000").await?;
//! let mut paced = PacedSocket::udp(socket, Traffic { bucket: 3000.0, ..Traffic::of(1e6) }, Excess::Shape)?;
//! for _ in 0..1000 {
//!     paced.send(&[0; 1000]).await?;
//! }
//! # Ok(())
//! # }
//! ```

pub(crate) mod alarm;
mod bucket;
mod tcp;
mod udp;

use super::dscp::Dscp;
use alarm::{Alarm, now};
use bucket::{Meter, Nanos};
use std::io;
use std::time::Duration;

/// What becomes of packets that do not conform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// They wait until they conform.
    Shape,
    /// They are sent at once, with this DSCP instead of the socket's own. Datagrams only.
    Demote(Dscp),
    /// They are not sent. Datagrams only.
    Discard,
}

impl Excess {
    /// Demotes to lower effort (RFC 8622): what is too much takes from nobody, not even from best effort (RFC 2211 section 7
    /// asks for that). CS1, which was used for it before, some networks put above best effort.
    pub const DEMOTE: Self = Self::Demote(Dscp::LE);
}

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It conformed, at once or after a while, and was sent.
    Sent,
    /// It was sent with the other DSCP.
    Demoted,
    /// It was not sent.
    Discarded,
}

/// Packets and their octets, IP headers included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub packets: u64,
    /// Their IP lengths.
    pub octets: u64,
}

impl Tally {
    fn add(&mut self, length: u64) {
        self.packets += 1;
        self.octets += length;
    }
}

/// What a paced socket has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counters {
    /// What conformed and was sent.
    pub sent: Tally,
    /// What was sent with the other DSCP.
    pub demoted: Tally,
    /// What was not sent.
    pub discarded: Tally,
    /// What of `sent` had to wait.
    pub delayed: Tally,
    /// How long it had to wait until it conformed, all of it together; what a late timer adds is not counted.
    pub delay: Duration,
}

/// Why a socket cannot be paced as asked.
#[derive(Debug, thiserror::Error)]
pub enum PaceError {
    /// No rate.
    #[error("a rate of {0} bit/s is too low: a sender needs at least 8 bit/s")]
    Rate(f64),
    /// A peak below the rate.
    #[error("a peak of {peak} bit/s is below the rate of {rate} bit/s: leave it out, or raise it")]
    Peak {
        /// The peak, in bits per second.
        peak: f64,
        /// The rate, in bits per second.
        rate: f64,
    },
    /// A bucket that has no room for the largest packet.
    #[error(
        "a bucket of {bucket} octets has no room for a packet of {packet}: deepen it, or lower the largest packet"
    )]
    Bucket {
        /// The bucket, in octets.
        bucket: f64,
        /// The largest packet, in octets.
        packet: u32,
    },
    /// Sizes that do not go together.
    #[error(
        "packets cannot be {min} to {max} octets long: the largest must have room for the smallest and its headers"
    )]
    Sizes {
        /// The smallest, in octets.
        min: u32,
        /// The largest, in octets.
        max: u32,
    },
    /// TCP, and something other than to wait.
    #[error(
        "a TCP connection can only be shaped: its segments are not marked one by one, and none of its octets can be left out"
    )]
    Stream,
    /// The kernel refuses.
    #[error("the system has no timer for a paced socket, or does not know the socket's family: {0}")]
    System(#[from] io::Error),
}

/// A socket that sends by a TSpec: a UDP socket, or a reference or `Arc` to one, by [`udp`](Self::udp); a TCP stream by
/// [`tcp`](Self::tcp). What it does not send itself, what others write to the same socket, is not counted.
#[derive(Debug)]
pub struct PacedSocket<S> {
    socket: S,
    meter: Meter,
    excess: Excess,
    alarm: Alarm,
    /// Since when the octets that TCP is to write wait to conform.
    offered: Option<Nanos>,
    counters: Counters,
}

impl<S> PacedSocket<S> {
    fn new(socket: S, meter: Meter, excess: Excess) -> Result<Self, PaceError> {
        let alarm = Alarm::new()?;
        Ok(Self { socket, meter, excess, alarm, offered: None, counters: Counters::default() })
    }

    /// What it has done so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// The socket, for everything but sending.
    #[must_use]
    pub const fn socket(&self) -> &S {
        &self.socket
    }

    /// Gives the socket back.
    #[must_use]
    pub fn into_socket(self) -> S {
        self.socket
    }

    /// Counts a packet that was offered, conformed when it was due, and is sent.
    fn sent(&mut self, length: u64, offered: Nanos, due: Nanos) {
        self.meter.take(length, due);
        self.counters.sent.add(length);
        if due > offered {
            self.counters.delayed.add(length);
            self.counters.delay += Duration::from_nanos(due - offered);
        }
    }
}
