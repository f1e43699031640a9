//! Messages on their way out: collected, sent in batches, and every one that does not leave is counted by its reason.
//!
//! Nothing is sent again: RSVP's refreshes repair what is lost (RFC 2205 section 2.3). The exception is a socket
//! whose buffer is full: what waits for room is kept, up to a bound.

use super::packet::Parcel;
use super::socket::{Sockets, Which};
use std::io;
use std::net::IpAddr;
use std::ops::Range;

/// Messages that may wait for room in a socket's buffer.
const WAITING: usize = 16_384;
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
            Some(libc::ENOBUFS | libc::ENOMEM) => &mut self.no_buffer,
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
    pub(super) fn flush(&mut self, sockets: &Sockets) {
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
            match sockets.send(way, &parcels) {
                Ok(count) => {
                    self.sent += count as u64;
                    self.sent_by_udp += if first.port.is_some() { count as u64 } else { 0 };
                    done += count;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    self.blocked = Some(way);
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
