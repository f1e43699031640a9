//! Giving up what is not needed once everything is open: all capabilities but two (all of a host that can only send
//! UDP), and the user.
//!
//! CAP_NET_RAW is kept for sources and options of messages, CAP_NET_ADMIN for multicast forwarding and the firewall rule.
//! Capabilities belong to a thread: this has to happen before the program has a second one.

use super::sys;
use caps::{CapSet, Capability, CapsHashSet};
use nix::unistd::{User, setgroups, setresgid, setresuid};
use std::io;

/// Finds a user by name.
pub(super) fn user(name: &str) -> io::Result<User> {
    User::from_name(name)?.ok_or_else(|| io::Error::other("there is no such user"))
}

/// Becomes `user`, if there is one, and gives up all other privileges for good: all but those of `raw` sockets, or all.
pub(super) fn drop(user: Option<&User>, raw: bool) -> io::Result<()> {
    let needed = [Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN];
    let kept: CapsHashSet = needed.into_iter().filter(|_| raw).collect();
    // What cannot be gained by running another program. Without CAP_SETPCAP this is not allowed, nor needed.
    for capability in caps::all().difference(&kept) {
        let _ = caps::drop(None, CapSet::Bounding, *capability);
    }
    if let Some(user) = user {
        caps::securebits::set_keepcaps(true).map_err(io::Error::other)?;
        setgroups(&[user.gid])?;
        setresgid(user.gid, user.gid, user.gid)?;
        setresuid(user.uid, user.uid, user.uid)?;
    }
    let permitted = caps::read(None, CapSet::Permitted).map_err(io::Error::other)?;
    let kept: CapsHashSet = kept.intersection(&permitted).copied().collect();
    caps::set(None, CapSet::Effective, &kept).map_err(io::Error::other)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(io::Error::other)?;
    caps::clear(None, CapSet::Inheritable).map_err(io::Error::other)?;
    // Kernels without ambient capabilities have none to clear.
    let _ = caps::clear(None, CapSet::Ambient);
    sys::set_no_new_privileges()
}
