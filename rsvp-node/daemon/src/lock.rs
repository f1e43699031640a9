//! One daemon per network namespace: two Router Alert sockets would both get every packet, and answer it twice.
//!
//! The lock is an abstract UNIX socket name: such names belong to a network namespace, and go with the process.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

/// Held as long as the daemon runs.
#[derive(Debug)]
pub(super) struct Lock {
    _name: UnixListener,
}

impl Lock {
    /// Takes the lock; `AddrInUse` when another daemon has it.
    pub(super) fn take() -> io::Result<Self> {
        let address = SocketAddr::from_abstract_name("rsvpd: one per network namespace")?;
        UnixListener::bind_addr(&address).map(|name| Self { _name: name })
    }
}
