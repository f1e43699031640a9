//! Packets of an interface as they pass, each once, with a count of those that were missed (packet(7)).
//!
//! The capture itself is that of `rsvp_capture`; here is what its socket is told before and afterwards.

use rsvp_capture::Frame;
use rsvp_capture::live::Live;
use socket2::{Domain, SockFilter, Socket, Type};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// Octets of packets that may wait to be read.
const QUEUE: i32 = 32 << 20;
/// Octets of each packet that are kept: enough for headers.
const KEPT: u32 = 4_096;

/// Lets the beginning of every packet through; on a loopback interface, which shows each packet on its way out and again on
/// its way in, only what comes in. This is a program of the kernel's packet filter (bpf(4), linux/filter.h).
const ONCE: [SockFilter; 6] = {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    /// Where what the kernel knows about a packet begins: its type and its kind of interface are in there.
    const ABOUT: u32 = 0xffff_f000;
    const PACKET_TYPE: u32 = ABOUT + 4;
    const HARDWARE: u32 = ABOUT + 28;
    /// ARPHRD_LOOPBACK and PACKET_OUTGOING.
    const LOOPBACK: u32 = 772;
    const OUTGOING: u32 = 4;
    [
        SockFilter::new(LOAD_WORD, 0, 0, HARDWARE),
        SockFilter::new(JUMP_IF_EQUAL, 0, 2, LOOPBACK),
        SockFilter::new(LOAD_WORD, 0, 0, PACKET_TYPE),
        SockFilter::new(JUMP_IF_EQUAL, 1, 0, OUTGOING),
        SockFilter::new(RETURN, 0, 0, KEPT),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
};

/// Lets nothing through.
const NEVER: [SockFilter; 1] = [SockFilter::new(0x06, 0, 0, 0)];

/// A capture that is underway.
pub(super) struct Tap {
    live: Live,
    /// The same socket.
    socket: Socket,
}

impl Tap {
    /// Begins to capture.
    ///
    /// # Errors
    /// Why it cannot, in words.
    pub(super) fn open(name: &str) -> Result<Self, String> {
        let at = |error: io::Error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                format!("{name}: {error}; capturing needs the capability CAP_NET_RAW: run it as root")
            }
            _ => format!("{name}: {error}"),
        };
        // With protocol 0 nothing comes in before the filter is there and the interface is said.
        let socket = Socket::new(Domain::PACKET, Type::RAW, None).map_err(at)?;
        socket.attach_filter(&ONCE).map_err(at)?;
        // As much as the system allows where this process may not exceed that: what finds no room is counted.
        let size = QUEUE.to_ne_bytes();
        if rsvpd::set_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &size).is_err() {
            rsvpd::set_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, &size).map_err(at)?;
        }
        let same = socket.try_clone().map_err(at)?;
        let live = Live::on(name, OwnedFd::from(same)).map_err(|error| error.to_string())?;
        Ok(Self { live, socket })
    }

    /// The next packet; `None` when none has come for a while.
    ///
    /// # Errors
    /// When capturing has ended.
    pub(super) fn next_frame(&mut self) -> io::Result<Option<Frame<'_>>> {
        self.live.next_frame()
    }

    /// Lets nothing more in. What waits can still be read.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn close(&self) -> io::Result<()> {
        self.socket.attach_filter(&NEVER)
    }

    /// Packets that found no room.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn dropped(&self) -> io::Result<u64> {
        rsvpd::dropped(self.socket.as_fd()).map(u64::from)
    }
}
