//! What a lab needs that has no safe wrapper: socket options of multicast routing (linux/mroute.h, linux/mroute6.h), which
//! take structures that no crate declares, the wish of a child to die with its parent, and waiting for a packet socket.
//!
//! Everything else goes through `nix` and netlink crates; nothing here decides anything.

#![allow(unsafe_code, reason = "system calls without a safe wrapper, kept in this one small module")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Sets a socket option to these octets.
pub(super) fn set_option(socket: &impl AsFd, level: i32, option: i32, octets: &[u8]) -> io::Result<()> {
    let length = nix::libc::socklen_t::try_from(octets.len()).map_err(io::Error::other)?;
    // SAFETY: the pointer and the length are those of a live slice, which the kernel only reads.
    let result = unsafe {
        nix::libc::setsockopt(socket.as_fd().as_raw_fd(), level, option, octets.as_ptr().cast(), length)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Lets a descriptor be waited for.
pub(super) fn await_readable(socket: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: what is registered owns its descriptor, gives out no other, and keeps it open until it is dropped, which is
    // after it has been deregistered.
    let registered = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
    registered.map_err(io::Error::from)
}

/// Has the kernel kill the child when the thread that starts it ends, for whatever reason.
pub(super) fn die_with_parent(command: &mut Command) {
    let ask = || nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).map_err(io::Error::from);
    // SAFETY: between fork and exec the closure makes one system call, which is async-signal-safe, and allocates nothing.
    unsafe { command.pre_exec(ask) };
}
