//! Changes of files: of stores, and of programs and cgroups that policies name. And gateways, by which networks are told apart.

use crate::sys;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Folders, each with what is looked for in it.
pub(super) type Interests = BTreeSet<(PathBuf, Interesting)>;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Interesting {
    /// Files of policies.
    Policies,
    /// Something of this name.
    Named(OsString),
}

impl Interesting {
    /// Something of this name in its folder.
    pub(super) fn named(path: &std::path::Path) -> Option<(PathBuf, Self)> {
        Some((path.parent()?.to_owned(), Self::Named(path.file_name()?.to_owned())))
    }

    fn is(&self, name: &OsString) -> bool {
        match self {
            Self::Policies => {
                let name = name.to_string_lossy();
                name.ends_with(".toml") && !name.starts_with('.')
            }
            Self::Named(wanted) => wanted == name,
        }
    }
}

/// The kernel's queue of events, as one that a runtime can watch.
pub(crate) struct Queue(Inotify);

impl AsRawFd for Queue {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// What is watched.
#[derive(Default)]
pub(super) struct Watched {
    queue: Option<AsyncFd<Queue>>,
    /// What is watched, with which folder that is: another may come in its place.
    interests: BTreeSet<(PathBuf, Interesting, (u64, u64))>,
    by: Vec<(WatchDescriptor, Interesting)>,
}

impl Watched {
    /// Watches this and nothing else. Where a folder is not there yet, its coming is watched for. Whether something is watched that was
    /// not before: what was read until then may have changed in between.
    pub(super) fn follow(&mut self, wanted: &Interests) -> bool {
        let with_number = |(folder, what): (PathBuf, Interesting)| {
            let found = std::fs::metadata(&folder).map(|found| (found.dev(), found.ino()));
            (folder, what, found.unwrap_or_default())
        };
        let interests: BTreeSet<_> =
            wanted.iter().filter_map(|(folder, what)| nearest(folder, what)).map(with_number).collect();
        if interests == self.interests && self.queue.is_some() {
            return false;
        }
        let flags = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF;
        let Ok(inotify) = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC) else {
            return false;
        };
        self.by.clear();
        for (folder, what, _) in &interests {
            match inotify.add_watch(folder, flags) {
                Ok(number) => self.by.push((number, what.clone())),
                Err(error) => {
                    tracing::debug!(folder = %folder.display(), %error, "changes here are not noticed")
                }
            }
        }
        match sys::watch(Queue(inotify), Interest::READABLE) {
            Ok(queue) => (self.queue, self.interests) = (Some(queue), interests),
            Err(error) => {
                tracing::warn!("changes of policies are noticed at a refresh only: {error}");
                return false;
            }
        }
        true
    }

    /// Waits for a change.
    pub(super) async fn changed(&self) {
        match &self.queue {
            Some(queue) => drop(queue.readable().await),
            None => std::future::pending().await,
        }
    }

    /// Whether something that is looked for has changed since.
    pub(super) fn take(&mut self) -> bool {
        let Some(queue) = &mut self.queue else { return false };
        let by = &self.by;
        let mut has_changed = false;
        // Until there is nothing more: then the runtime waits for more.
        let _: std::io::Result<()> = queue.try_io_mut(Interest::READABLE, |queue| {
            loop {
                let events = queue.0.read_events().map_err(std::io::Error::from)?;
                has_changed |= events.iter().any(|event| match &event.name {
                    Some(name) => by.iter().any(|(number, what)| *number == event.wd && what.is(name)),
                    None => true,
                });
            }
        });
        has_changed
    }
}

/// The folder, or the next one above it that is there, with what would have to come to be in it.
fn nearest(folder: &std::path::Path, what: &Interesting) -> Option<(PathBuf, Interesting)> {
    if folder.is_dir() {
        return Some((folder.to_owned(), what.clone()));
    }
    let missing = folder.ancestors().find(|path| path.parent().is_some_and(std::path::Path::is_dir))?;
    Interesting::named(missing)
}

/// The link-layer addresses of the gateways of interfaces, as far as the kernel knows them. (proc_pid_net(5))
pub(super) fn gateways() -> BTreeMap<String, String> {
    let read =
        |name: &str| std::fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap_or_default();
    joined(&read("route"), &read("arp"))
}

fn joined(routes: &str, neighbours: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for route in routes.lines().skip(1) {
        let fields: Vec<&str> = route.split_whitespace().collect();
        let [interface, "00000000", gateway, ..] = fields[..] else { continue };
        let Ok(gateway) = u32::from_str_radix(gateway, 16) else { continue };
        let gateway = std::net::Ipv4Addr::from(gateway.to_ne_bytes()).to_string();
        for neighbour in neighbours.lines().skip(1) {
            let fields: Vec<&str> = neighbour.split_whitespace().collect();
            if let [address, _, _, link, _, on] = fields[..]
                && (address, on) == (gateway.as_str(), interface)
            {
                found.insert(interface.to_owned(), link.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn a_gateway_is_known_by_the_routes_and_by_the_neighbours() {
        let routes = "Iface\tDestination\tGateway\tFlags\neth0\t00000000\t0200000A\t0003\neth0\t0000000A\t00000000\t0001\n";
        let neighbours = "IP address HW type Flags HW address Mask Device\n10.0.0.2 0x1 0x2 02:00:00:00:00:07 * eth0\n10.0.0.2 0x1 0x2 02:00:00:00:00:08 * eth1\n";
        let found = joined(routes, neighbours);
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("eth0".to_owned(), "02:00:00:00:00:07".to_owned())]
        );
    }
}
