//! Giving up what is not needed once everything is open: all capabilities but two (all of a host that can only send
//! UDP), and the user.
//!
//! CAP_NET_RAW is kept for sources and options of messages, CAP_NET_ADMIN for multicast forwarding, the firewall rule and traffic
//! control. Before Linux 5.19 CAP_BPF is, too, which it takes there to write a map of one's own.
//! Capabilities belong to a thread: this has to happen before the program has a second one.

use super::sys;
use caps::{CapSet, Capability, CapsHashSet};
use nix::unistd::{User, setgroups, setresgid, setresuid};
use std::io;

/// Finds a user by name.
pub(super) fn user(name: &str) -> io::Result<User> {
    User::from_name(name)?.ok_or_else(|| io::Error::other("there is no such user"))
}

/// What privileges are kept for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    /// Raw sockets, and what goes with them.
    pub(super) raw: bool,
    /// Maps of programs in the kernel: the egress program's, and those of the hooks, which are attached later, too.
    pub(super) maps: bool,
}

/// Becomes `user`, if there is one, and gives up all privileges for good that are not kept.
pub(super) fn drop(user: Option<&User>, kept: Kept) -> io::Result<()> {
    let needed = [Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN];
    let mut kept_for: CapsHashSet = needed.into_iter().filter(|_| kept.raw).collect();
    if kept.maps && is_before(5, 19) {
        kept_for.insert(Capability::CAP_BPF);
    }
    let kept = kept_for;
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

/// Whether the kernel is older than a version. One that does not say is not.
fn is_before(major: u32, minor: u32) -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    version(&release).is_some_and(|found| found < (major, minor))
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_release_begins_with_its_version() {
        assert_eq!(version("6.18.44-fc-v857\n"), Some((6, 18)));
        assert_eq!(version("5.4-rc1"), Some((5, 4)));
        assert_eq!(version(""), None);
    }
}
