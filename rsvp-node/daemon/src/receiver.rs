//! Takes datagrams from the receive queues and IP headers from the datagrams.
//!
//! One look takes a batch of each queue that has something, so that no interface's flood holds up another's messages. Messages are
//! deliberately not looked into.

use super::packet;
use super::queues::{Queue, Sockets};
use super::socket::Which;
use super::sys::{self, Inbox};
use super::udp;
use rsvp_capture::Timestamp;
use rsvp_capture::fragments::{Fragments, Limits};
use rsvp_capture::ip::Datagram;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;

/// A received message and its IP header.
#[derive(Clone, Copy, Debug)]
pub(super) struct IncomingMessage<'a> {
    pub(super) interface: u32,
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ttl: u8,
    /// The UDP port it came to, if it was encapsulated.
    pub(super) port: Option<u16>,
    pub(super) octets: &'a [u8],
}

/// What became of received datagrams that are no messages for the engine.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Received {
    /// Datagrams taken from the sockets.
    pub(super) datagrams: u64,
    /// Those without a sound IP header of an RSVP packet.
    pub(super) not_rsvp: u64,
    /// Fragments that wait for the rest of their packet, or were dropped waiting.
    pub(super) fragments: u64,
    /// Failed receive calls.
    pub(super) errors: u64,
}

/// What a look has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Datagrams.
    pub(super) datagrams: u64,
    /// A queue had as many as fit a batch: there are more.
    pub(super) is_more: bool,
}

/// Takes datagrams from the queues and IP headers from the datagrams.
pub(super) struct Receiver {
    inbox: Inbox,
    /// Of each interface.
    fragments: BTreeMap<u32, Fragments>,
    pub(super) received: Received,
}

/// What is kept of the fragments of one interface, which only the IPv6 Router Alert socket delivers.
const FRAGMENTS: Limits = Limits { datagrams: 64, octets: 4 << 20, seconds: 60, given_up: 0 };

fn timestamp(now_us: u64) -> Timestamp {
    Timestamp { seconds: now_us / 1_000_000, ..Timestamp::default() }
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self { inbox: Inbox::new(), fragments: BTreeMap::new(), received: Received::default() }
    }

    /// Takes a batch from each queue that has something and hands every message to `take`. A queue that has less than a batch is waited
    /// on again, unless it `stays` to be looked at.
    pub(super) fn look(
        &mut self,
        sockets: &Sockets,
        now_us: u64,
        stays: impl Fn() -> bool,
        mut take: impl FnMut(IncomingMessage<'_>),
    ) -> Look {
        self.fragments.retain(|_, fragments| {
            fragments.expire(Some(timestamp(now_us)));
            !fragments.is_empty()
        });
        let mut look = Look::default();
        for queue in sockets.awake() {
            let count = self.receive_batch(sockets, queue);
            for n in 0..count {
                self.read(queue, n, now_us, &mut take);
            }
            look.datagrams += count as u64;
            if count == sys::BATCH {
                look.is_more = true;
            } else if count == 0 || !stays() {
                sockets.sleeps(queue);
            }
        }
        look
    }

    fn receive_batch(&mut self, sockets: &Sockets, queue: Queue) -> usize {
        let inbox = &mut self.inbox;
        match sockets.with(queue, |socket| inbox.receive(socket.as_fd())) {
            Some(Ok(count)) => count,
            Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => {
                tracing::debug!(%error, ?queue, "receiving failed");
                self.received.errors += 1;
                0
            }
            _ => 0,
        }
    }

    fn read(&mut self, queue: Queue, n: usize, now_us: u64, take: &mut impl FnMut(IncomingMessage<'_>)) {
        let datagram = self.inbox.datagram(n);
        // Before it had an interface, a queue has heard what others have as well.
        if queue.interface.is_some() && datagram.interface.is_some_and(|on| Some(on) != queue.interface) {
            return;
        }
        self.received.datagrams += 1;
        let Some(interface) = datagram.interface else {
            self.received.not_rsvp += 1;
            return;
        };
        let (source, octets, destination) = (datagram.source, datagram.octets, datagram.destination);
        let found = match queue.which {
            Which::V4 | Which::V6Alert => {
                let Some(datagram) = packet::strip(octets) else {
                    self.received.not_rsvp += 1;
                    return;
                };
                if datagram.fragment.is_some() {
                    let fragments =
                        self.fragments.entry(interface).or_insert_with(|| Fragments::new(FRAGMENTS));
                    if !keep(fragments, (interface, now_us), &datagram, take) {
                        self.received.fragments += 1;
                    }
                    return;
                }
                Some((datagram.source, datagram.destination, datagram.ttl, datagram.payload))
            }
            Which::V6 => destination.zip(datagram.hop_limit).map(|(to, ttl)| (source, to, ttl, octets)),
            Which::PuV4 | Which::PuV6 | Which::PuPrimeV4 | Which::PuPrimeV6 => {
                destination.map(|to| (source, to, udp::effective_ttl(octets), octets))
            }
        };
        let Some((source, destination, ttl, octets)) = found else {
            self.received.not_rsvp += 1;
            return;
        };
        take(IncomingMessage { interface, source, destination, ttl, port: queue.which.port(), octets });
    }
}

/// Keeps a fragment; hands the message to `take` when it is the last that was missing. The kernel puts packets together
/// before it hands them up, but not what Router Alert diverts in IPv6.
fn keep(
    fragments: &mut Fragments,
    arrived: (u32, u64),
    datagram: &Datagram<'_>,
    take: &mut impl FnMut(IncomingMessage<'_>),
) -> bool {
    let (interface, now_us) = arrived;
    let whole = fragments.add(interface, 0, Some(timestamp(now_us)), datagram);
    let Some((whole, octets)) = whole.and_then(|whole| Some((whole, whole.payload()?))) else { return false };
    let (source, destination, ttl) = (whole.source, whole.destination, whole.ttl);
    take(IncomingMessage { interface, source, destination, ttl, port: None, octets });
    true
}
