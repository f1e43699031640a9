//! Errors of ICMP (RFC 792) and ICMPv6 (RFC 4443) about messages of this node: that a host does not speak RSVP, or that there is no way.
//!
//! Sockets of their own hear them, so that no error shows as one of the next message that is sent. They are advice: anybody can forge
//! one, so nothing is decided by them.

use super::socket::SocketError;
use super::sys;
use rsvp_capture::Quoted;
use rsvp_capture::icmp::delivered;
use rsvp_wire::IP_PROTOCOL;
use socket2::{Domain, Protocol, Socket, Type};
use std::future::poll_fn;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::task::Poll;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Errors taken in one turn.
const ERRORS: usize = 64;
/// Octets of an error: routers quote as much as fits 576 (RFC 1812 4.3.2.3) or 1280 (RFC 4443 2.4).
const LONGEST: usize = 2048;

/// `ICMP_FILTER` of raw sockets: which types are not delivered.
const ICMP_FILTER: libc::c_int = 1;
const SOL_RAW: libc::c_int = 255;
const ICMPV6_FILTER: libc::c_int = 1;
/// Destination unreachable, time exceeded and parameter problem.
const ERRORS_V4: u32 = 1 << 3 | 1 << 11 | 1 << 12;
/// Destination unreachable, packet too big, time exceeded and parameter problem.
const ERRORS_V6: u32 = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4;

/// The sockets, before a runtime watches them.
#[derive(Default)]
pub(super) struct Opened(Vec<Socket>);

impl Opened {
    /// A node without IPv6 does without.
    pub(super) fn open() -> io::Result<Self> {
        let v4 = raw(Domain::IPV4, Protocol::ICMPV4)?;
        sys::set_option(v4.as_fd(), SOL_RAW, ICMP_FILTER, &(!ERRORS_V4).to_ne_bytes())?;
        let mut sockets = vec![v4];
        if let Ok(v6) = raw(Domain::IPV6, Protocol::ICMPV6) {
            let mut filter = [0xff; 32];
            filter[..4].copy_from_slice(&(!ERRORS_V6).to_ne_bytes());
            sys::set_option(v6.as_fd(), libc::IPPROTO_ICMPV6, ICMPV6_FILTER, &filter)?;
            sockets.push(v6);
        }
        Ok(Self(sockets))
    }
}

fn raw(domain: Domain, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::RAW, Some(protocol))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// A message of this node that came back, as far as the error quotes it.
pub(super) struct Returned<'a> {
    /// Who says so.
    pub(super) by: IpAddr,
    pub(super) error: Quoted,
    /// Where it came from, and was to go.
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// As much of it as is quoted, which need be no more than 8 octets (RFC 792).
    pub(super) octets: &'a [u8],
}

impl Returned<'_> {
    /// What that means: a word, and a sentence.
    pub(super) fn meaning(&self) -> (&'static str, String) {
        let Self { by, destination, error, .. } = self;
        let said = format!("{} {}", error.protocol(), error.meaning().unwrap_or("error"));
        match (by.is_ipv4(), error.kind, error.code) {
            (true, 3, 2) | (false, 4, 1) => {
                ("no-rsvp", format!("{by} does not speak RSVP ({said}): start rsvpd there"))
            }
            // RSVP has no ports: that one is closed is what firewalls say that reject.
            (true, 3, 3) | (false, 1, 4) => (
                "refused",
                format!(
                    "a firewall at {by} refuses RSVP to {destination} ({said}): let IP protocol 46 through"
                ),
            ),
            (true, 3, 9 | 10 | 13) | (false, 1, 1) => (
                "refused",
                format!(
                    "{by} prohibits RSVP to {destination} ({said}): let its firewall have IP protocol 46 through, or take away its \
                     route of type prohibit"
                ),
            ),
            (false, 1, 5) => (
                "refused",
                format!(
                    "{by} takes nothing to {destination} from {} ({said}): see its policy for sources",
                    self.source
                ),
            ),
            (false, 1, 6) => (
                "refused",
                format!("{by} has a route that rejects what is for {destination} ({said}): take it away"),
            ),
            (false, 1, 2) => (
                "no-way",
                format!(
                    "{} is unknown beyond {by}, on the way to {destination} ({said}): announce from an address of larger scope",
                    self.source
                ),
            ),
            (true, 3, 4) | (false, 2, _) => (
                "too-big",
                format!("the message to {destination} is too big for the way behind {by} ({said})"),
            ),
            (true, 11, 0) | (false, 3, 0) => {
                ("ttl", format!("the TTL was used up at {by} ({said}): say a larger one"))
            }
            (true, 3, 0 | 6 | 11) | (false, 1, 0) => (
                "no-way",
                format!(
                    "{by} has no way to {destination} ({said}): see its routes, or announce to elsewhere"
                ),
            ),
            (true, 3, 1 | 7 | 12) | (false, 1, 3) => (
                "no-way",
                format!(
                    "{by} does not reach {destination} ({said}): see whether that host is up, and that no route of {by} is of type \
                     unreachable"
                ),
            ),
            _ => ("other", format!("{by} complains about the message to {destination} ({said})")),
        }
    }
}

/// The sockets, watched by a runtime.
pub(super) struct IcmpErrors {
    sockets: Vec<AsyncFd<Socket>>,
    buffer: Vec<u8>,
}

impl IcmpErrors {
    /// Needs a runtime around it.
    pub(super) fn new(opened: Opened) -> io::Result<Self> {
        let watched = opened.0.into_iter().map(|socket| sys::watch(socket, Interest::READABLE));
        Ok(Self { sockets: watched.collect::<io::Result<_>>()?, buffer: vec![0; LONGEST] })
    }

    /// Waits until there is one.
    pub(super) async fn readable(&self) {
        poll_fn(|context| {
            let ready = self.sockets.iter().any(|socket| socket.poll_read_ready(context).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Hands each error about a message of RSVP to `take`, a bounded number of them.
    pub(super) fn receive(&mut self, mut take: impl FnMut(Returned<'_>)) {
        let Self { sockets, buffer } = self;
        for socket in sockets.iter() {
            for _ in 0..ERRORS {
                let received = socket.try_io(Interest::READABLE, |socket| {
                    // Of IPv4 it is in the packet, too.
                    let sender = socket.peek_sender()?;
                    let mut reading: &Socket = socket;
                    Ok((sender, reading.read(buffer)?))
                });
                let Ok((sender, length)) = received else { break };
                let by = sender.as_socket().map(|address| address.ip());
                if let (Some(by), Some(octets)) = (by, buffer.get(..length))
                    && let Some((error, packet)) = delivered(by, by, octets)
                    && packet.protocol == IP_PROTOCOL
                {
                    let (source, destination) = (packet.source, packet.destination);
                    take(Returned { by, error, source, destination, octets: packet.payload });
                }
            }
        }
    }
}

/// Opens them; where that cannot be, errors are not told of, and that is said.
pub(super) fn open() -> Opened {
    Opened::open().unwrap_or_else(|error| {
        let error = SocketError { what: "a raw socket for errors of ICMP", error };
        tracing::warn!("{error}; that messages do not arrive is not told");
        Opened::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an error of a router says of a message from a host.
    fn said(v6: bool, kind: u8, code: u8) -> (&'static str, String) {
        let addresses =
            if v6 { ["fd00:1::2", "fd00:1::1", "fd09::9"] } else { ["10.0.1.2", "10.0.1.1", "10.9.9.9"] };
        let [by, source, destination] =
            addresses.map(|address| address.parse::<IpAddr>().expect("an address"));
        let error = Quoted { source: by, destination: source, kind, code, detail: None };
        Returned { by, error, source, destination, octets: &[] }.meaning()
    }

    #[test]
    fn each_code_says_what_it_means() {
        let (way, refused) = ("no-way", "refused");
        for (v6, kind, code, cause, words) in [
            (false, 3, 0, way, "has no way to 10.9.9.9 (ICMP net unreachable)"),
            (false, 3, 6, way, "has no way to 10.9.9.9 (ICMP destination network unknown)"),
            (false, 3, 11, way, "has no way to 10.9.9.9"),
            (false, 3, 1, way, "10.0.1.2 does not reach 10.9.9.9 (ICMP host unreachable)"),
            (false, 3, 7, way, "does not reach 10.9.9.9"),
            (false, 3, 12, way, "does not reach 10.9.9.9"),
            (false, 3, 2, "no-rsvp", "10.0.1.2 does not speak RSVP (ICMP protocol unreachable)"),
            (false, 3, 3, refused, "a firewall at 10.0.1.2 refuses RSVP to 10.9.9.9 (ICMP port unreachable)"),
            (false, 3, 4, "too-big", "is too big"),
            (false, 3, 9, refused, "prohibits RSVP to 10.9.9.9"),
            (false, 3, 10, refused, "prohibits RSVP to 10.9.9.9"),
            (
                false,
                3,
                13,
                refused,
                "10.0.1.2 prohibits RSVP to 10.9.9.9 (ICMP communication administratively prohibited)",
            ),
            (false, 3, 5, "other", "complains about the message to 10.9.9.9 (ICMP source route failed)"),
            (false, 3, 15, "other", "precedence cutoff in effect"),
            (false, 11, 0, "ttl", "the TTL was used up at 10.0.1.2"),
            (false, 11, 1, "other", "fragment reassembly time exceeded"),
            (false, 12, 0, "other", "parameter problem"),
            (true, 1, 0, way, "has no way to fd09::9 (ICMPv6 no route to destination)"),
            (
                true,
                1,
                1,
                refused,
                "fd00:1::2 prohibits RSVP to fd09::9 (ICMPv6 communication with destination",
            ),
            (true, 1, 2, way, "fd00:1::1 is unknown beyond fd00:1::2"),
            (true, 1, 3, way, "fd00:1::2 does not reach fd09::9 (ICMPv6 address unreachable)"),
            (
                true,
                1,
                4,
                refused,
                "a firewall at fd00:1::2 refuses RSVP to fd09::9 (ICMPv6 port unreachable)",
            ),
            (true, 1, 5, refused, "fd00:1::2 takes nothing to fd09::9 from fd00:1::1"),
            (true, 1, 6, refused, "fd00:1::2 has a route that rejects what is for fd09::9"),
            (true, 2, 0, "too-big", "is too big"),
            (true, 3, 0, "ttl", "the TTL was used up at fd00:1::2"),
            (true, 3, 1, "other", "fragment reassembly time exceeded"),
            (true, 4, 1, "no-rsvp", "fd00:1::2 does not speak RSVP"),
        ] {
            let (named, meaning) = said(v6, kind, code);
            assert!(named == cause && meaning.contains(words), "{kind}/{code}: {named}: {meaning}");
            assert_eq!(
                meaning.contains("has no way to"),
                [0, 6, 11].contains(&code) && way == cause,
                "{meaning}"
            );
        }
    }
}
