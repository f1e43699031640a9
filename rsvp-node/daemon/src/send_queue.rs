//! Messages on their way out: collected, sent in batches, and every one that does not leave is counted by its reason.
//!
//! Nothing is sent again: RSVP's refreshes repair what is lost (RFC 2205 section 2.3). The exceptions are a socket
//! whose buffer is full, and a kernel that has no memory: what waits for room is kept, up to a bound.

use super::packet::Parcel;
use super::socket::Which;
use std::io;
use std::net::IpAddr;
use std::ops::Range;

/// Messages that may wait for room in a socket's buffer.
const WAITING: usize = 16_384;
/// Pause before the kernel is asked again that had no memory for a message, and how often it is.
const AGAIN_US: u64 = 20_000;
const TRIES: u32 = 50;
/// From so many on, messages are sent without waiting for the end of the turn.
const FULL: usize = 64;

/// Why messages did not leave.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Failures {
    /// The interface has no address to send from.
    pub(super) no_address: u64,
    /// The destination is an address of this node.
    pub(super) to_self: u64,
    /// Too many messages waited for room.
    pub(super) overflow: u64,
    too_large: u64,
    /// There is no way to the destination.
    pub(super) no_route: u64,
    interface_down: u64,
    no_buffer: u64,
    not_permitted: u64,
    other: u64,
}

impl Failures {
    fn count(&mut self, error: &io::Error) {
        let counter = match error.raw_os_error() {
            Some(libc::EMSGSIZE) => &mut self.too_large,
            Some(libc::ENETUNREACH | libc::EHOSTUNREACH) => &mut self.no_route,
            Some(libc::ENETDOWN | libc::ENXIO | libc::ENODEV) => &mut self.interface_down,
            _ if has_no_memory(error) => &mut self.no_buffer,
            Some(libc::EPERM | libc::EACCES) => &mut self.not_permitted,
            _ => &mut self.other,
        };
        *counter += 1;
    }

    /// By name.
    pub(super) fn named(&self) -> [(&'static str, u64); 9] {
        [
            ("send-no-address", self.no_address),
            ("send-to-self", self.to_self),
            ("send-overflow", self.overflow),
            ("send-too-large", self.too_large),
            ("send-no-route", self.no_route),
            ("send-interface-down", self.interface_down),
            ("send-no-buffer", self.no_buffer),
            ("send-not-permitted", self.not_permitted),
            ("send-other-error", self.other),
        ]
    }
}

struct Waiting {
    octets: Range<usize>,
    interface: u32,
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    router_alert: bool,
    port: Option<u16>,
}

impl Waiting {
    fn way(&self) -> Which {
        Which::to_send(self.destination, self.port)
    }
}

/// Messages that wait to be sent, in order.
#[derive(Default)]
pub(super) struct SendQueue {
    octets: Vec<u8>,
    waiting: Vec<Waiting>,
    /// The socket whose buffer is full.
    pub(super) blocked: Option<Which>,
    /// When the kernel is asked again, in microseconds, and how often it was.
    pub(super) again_at: Option<u64>,
    tries: u32,
    /// How often it was asked again.
    pub(super) retries: u64,
    /// Messages handed to the kernel.
    pub(super) sent: u64,
    /// Those of them that were encapsulated in UDP.
    pub(super) sent_by_udp: u64,
    pub(super) failures: Failures,
}

impl SendQueue {
    /// Takes a message in.
    pub(super) fn put(&mut self, parcel: &Parcel<'_>) {
        if self.waiting.len() >= WAITING {
            self.failures.overflow += 1;
            return;
        }
        let start = self.octets.len();
        self.octets.extend_from_slice(parcel.octets);
        self.waiting.push(Waiting {
            octets: start..self.octets.len(),
            interface: parcel.interface,
            source: parcel.source,
            destination: parcel.destination,
            ttl: parcel.ttl,
            router_alert: parcel.router_alert,
            port: parcel.port,
        });
    }

    /// Whether enough waits for sending to be worth while.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= FULL && self.blocked.is_none()
    }

    /// Sends all that waits, as long as there is room.
    pub(super) fn flush(
        &mut self,
        now_us: u64,
        mut send: impl FnMut(Which, &[Parcel<'_>]) -> io::Result<usize>,
    ) {
        if self.again_at.is_some_and(|at| now_us < at) {
            return;
        }
        self.retries += u64::from(self.again_at.take().is_some());
        self.blocked = None;
        let mut done = 0;
        while let Some(first) = self.waiting.get(done) {
            let way = first.way();
            let rest = self.waiting[done..].iter().take_while(|w| w.way() == way);
            let parcels: Vec<Parcel<'_>> = rest
                .take(super::sys::BATCH)
                .map(|w| Parcel {
                    interface: w.interface,
                    source: w.source,
                    destination: w.destination,
                    ttl: w.ttl,
                    router_alert: w.router_alert,
                    port: w.port,
                    octets: &self.octets[w.octets.clone()],
                })
                .collect();
            match send(way, &parcels) {
                Ok(count) => {
                    self.sent += count as u64;
                    self.sent_by_udp += if first.port.is_some() { count as u64 } else { 0 };
                    done += count;
                    self.tries = 0;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    self.blocked = Some(way);
                    break;
                }
                Err(error) if has_no_memory(&error) && self.tries < TRIES => {
                    self.tries += 1;
                    self.again_at = Some(now_us + AGAIN_US);
                    break;
                }
                Err(error) => {
                    let Parcel { interface, source, destination, .. } = parcels[0];
                    tracing::debug!(%error, interface, %source, %destination, "a message was not sent");
                    self.failures.count(&error);
                    done += 1;
                }
            }
        }
        self.waiting.drain(..done);
        if self.waiting.is_empty() {
            self.octets.clear();
        }
    }
}

fn has_no_memory(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::ENOMEM))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(messages: usize) -> SendQueue {
        let mut queue = SendQueue::default();
        let (source, destination) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let parcel = Parcel {
            interface: 1,
            source,
            destination,
            ttl: 1,
            router_alert: false,
            port: None,
            octets: &[7],
        };
        (0..messages).for_each(|_| queue.put(&parcel));
        queue
    }

    #[test]
    fn a_kernel_without_memory_is_asked_again_after_a_pause() {
        let mut queue = queue(3);
        let (mut asked, mut sent) = (0, 0);
        let mut flush = |queue: &mut SendQueue, now_us, has_memory| {
            queue.flush(now_us, |_, parcels| {
                asked += 1;
                sent += if has_memory { parcels.len() } else { 0 };
                if has_memory { Ok(parcels.len()) } else { Err(io::Error::from_raw_os_error(libc::ENOBUFS)) }
            });
            (asked, sent)
        };
        assert_eq!(flush(&mut queue, 100, false), (1, 0));
        assert_eq!(flush(&mut queue, 100 + AGAIN_US - 1, true), (1, 0), "not before the pause has ended");
        assert_eq!(flush(&mut queue, 100 + AGAIN_US, true), (2, 3));
        assert_eq!((queue.sent, queue.retries, queue.failures.no_buffer, queue.again_at), (3, 1, 0, None));
    }

    #[test]
    fn a_kernel_that_has_no_memory_for_long_costs_messages_that_are_counted() {
        let mut queue = queue(3);
        let nothing = |_, _: &[Parcel<'_>]| Err(io::Error::from_raw_os_error(libc::ENOBUFS));
        for turn in 0..=u64::from(TRIES) {
            assert_eq!(queue.failures.no_buffer, 0, "turn {turn}");
            queue.flush(turn * AGAIN_US, nothing);
        }
        assert_eq!((queue.failures.no_buffer, queue.waiting.len(), queue.again_at), (3, 0, None));
    }
}
