//! What the kernel tells of sockets that were handed over: that the last descriptor of one is closed, whoever had it, and that one is
//! connected by its program itself.
//!
//! Programs at a cgroup (`bpf/hooks.bpf.c`) tell of sockets that are marked in a map of this daemon's own, so whatever
//! else happens below the cgroup, in other network namespaces too, is not heard of. They are loaded while there are privileges for it, and
//! hang at the cgroup only while there is a socket to be told of: a cgroup has room for 64 of each kind. Without them QoS ends with
//! `qos-close` or with the client's connection, and a `connect` is known by `qos-moved`. What follows for the QoS of a
//! socket is deliberately the business of `qos_service`; what no hook sees is a `shutdown` and a `connect` to no address.

mod cgroup;
mod follow;
mod names;
mod news;
mod programs;
mod watch;

pub(crate) use names::SocketNames;
pub use watch::{Watch, Watcher};

use super::config::{DaemonConfig, HooksWanted};
use super::sys;
use aya::maps::{MapData, RingBuf};
use follow::Followed;
use news::News;
use programs::Programs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use thiserror::Error;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

/// News that are taken in one turn of the driver.
const NEWS: usize = 256;

/// What has become of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Its last descriptor is closed.
    Released,
    /// It has these names now; a local one that is not known is as it was.
    Moved {
        /// Where it is bound.
        local: Option<SocketAddr>,
        /// Its peer.
        peer: Option<SocketAddr>,
    },
}

/// Why the kernel does not tell of sockets: one line each, with what helps.
#[derive(Debug, Error)]
pub(super) enum HookError {
    #[error(
        "no cgroup of the unified hierarchy (cgroup2) is mounted where this process can see it; `cgroup` in [qos] names one"
    )]
    NoCgroup,
    #[error("{0}, which `cgroup` in [qos] names: {1}")]
    NotACgroup(PathBuf, io::Error),
    #[error(
        "this process may not load the programs ({0}): it needs the capabilities CAP_BPF and CAP_NET_ADMIN"
    )]
    NotAllowed(io::Error),
    #[error("this kernel cannot run the programs, which need Linux 5.9 with eBPF, BTF and cgroups: {0}")]
    Kernel(String),
    #[error(
        "64 programs hang at the cgroup {0} already, and no more fit (E2BIG); `cgroup` in [qos] names another, at or above those of the \
         programs whose sockets are handed over"
    )]
    Full(PathBuf),
    #[error("the programs cannot be attached to the cgroup {0}: {1}")]
    Attach(PathBuf, io::Error),
    #[error("a socket cannot be marked for them: {0}")]
    Mark(io::Error),
}

/// The cgroup where programs hang, by the configuration: its path and its folder; or why there is none.
pub(crate) fn cgroup_of(config: &DaemonConfig) -> Result<(PathBuf, std::fs::File), String> {
    let found = cgroup::open(config.qos.cgroup.as_deref()).map_err(|why| why.to_string())?;
    Ok((found.path, found.folder))
}

/// The root of the hierarchy of cgroups, where one is mounted.
#[must_use]
pub fn hierarchy() -> Option<PathBuf> {
    cgroup::open(None).ok().map(|found| found.path)
}

/// What is missing without them, in the log.
fn say_what_is_missing(why: &HookError) {
    tracing::warn!(
        "the kernel does not tell when a socket with QoS is closed or connected, so its QoS ends with `qos-close` or its client's \
         connection, and `qos-moved` says where it is connected: {why}; `hooks = \"off\"` in [qos] says that this is known"
    );
}

/// The ring of the programs, as one that a runtime can watch.
pub(super) struct Ring(RingBuf<MapData>);

impl AsRawFd for Ring {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Programs that are loaded, while there is no runtime yet; or none.
pub(super) struct Opened(Option<(Programs, Ring)>);

impl Opened {
    /// Loads the programs, which takes privileges. What is missing is said in the log, once.
    pub(super) fn open(config: &DaemonConfig) -> Self {
        if config.qos.hooks == HooksWanted::Off {
            tracing::info!(
                "the kernel is not asked when a socket with QoS is closed or connected, as configured: its QoS ends with `qos-close` \
                 or its client's connection, and `qos-moved` says where it is connected"
            );
            return Self(None);
        }
        let loaded = cgroup::open(config.qos.cgroup.as_deref()).and_then(Programs::load);
        if let Err(why) = &loaded {
            say_what_is_missing(why);
        }
        Self(loaded.ok().map(|(programs, ring)| (programs, Ring(ring))))
    }
}

/// What the driver has of them.
pub(super) struct Hooks {
    watcher: Watcher,
    ring: Option<AsyncFd<Ring>>,
    names: Option<SocketNames>,
    followed: Followed,
    /// How often there was no room in the ring: for a release, for a connect.
    untold: [u64; 2],
}

impl Hooks {
    /// Needs a runtime around it.
    pub(super) fn start(opened: Opened) -> io::Result<Self> {
        let Some((programs, ring)) = opened.0 else {
            let (watcher, followed) = (Watcher::default(), Followed::default());
            return Ok(Self { watcher, ring: None, names: None, followed, untold: [0; 2] });
        };
        let names = SocketNames::open();
        if let Err(error) = &names {
            tracing::debug!(%error, "the kernel does not list sockets: where one is connected is what a hook has seen");
        }
        Ok(Self {
            watcher: Watcher::new(programs),
            ring: Some(sys::watch(ring, Interest::READABLE)?),
            names: names.ok(),
            followed: Followed::default(),
            untold: [0; 2],
        })
    }

    /// For those who are handed descriptors.
    pub(super) fn watcher(&self) -> Watcher {
        self.watcher.clone()
    }

    /// Waits until the programs tell something.
    pub(super) async fn told(&self) {
        match &self.ring {
            Some(ring) => drop(ring.readable().await),
            None => std::future::pending().await,
        }
    }

    /// When something is to be looked at again.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.followed.wake_at()
    }

    /// How much the programs could not tell: releases, connects.
    pub(super) const fn untold(&self) -> [u64; 2] {
        self.untold
    }

    /// What has become of which sockets; a bounded piece of it.
    pub(super) fn take(&mut self, now: Instant) -> Vec<(u64, Change)> {
        let mut changes = Vec::new();
        let news = self.news();
        for each in &news {
            match *each {
                News::Released(cookie) => {
                    tracing::debug!(cookie, "the last descriptor of a socket is closed");
                    self.followed.forget(cookie);
                    changes.push((cookie, Change::Released));
                }
                News::Connects { cookie, protocol, to } => {
                    tracing::debug!(cookie, %to, "a socket is about to be connected");
                    self.followed.follow(cookie, protocol, to, now);
                }
            }
        }
        if !news.is_empty() {
            self.look_for_what_was_not_told(now);
        }
        let (names, watcher) = (&mut self.names, &self.watcher);
        self.followed.retain(|cookie| watcher.watches(cookie));
        changes.extend(self.followed.look(now, |protocol, port, cookies| match names {
            Some(names) => names.list(protocol, port, |cookie| cookies.contains(&cookie)),
            None => Err(io::ErrorKind::Unsupported.into()),
        }));
        changes
    }

    /// Nobody speaks for this socket yet: it is kept until somebody does.
    pub(super) fn keep(&self, cookie: u64, change: Change) {
        self.watcher.keep(cookie, change);
    }

    fn news(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        let Some(ring) = &mut self.ring else { return news };
        // Until there is nothing more: then the runtime waits for more.
        let _: io::Result<()> = ring.try_io_mut(Interest::READABLE, |ring| {
            while news.len() < NEWS {
                let Some(octets) = ring.0.next() else { return Err(io::ErrorKind::WouldBlock.into()) };
                news.extend(news::read(&octets));
            }
            Ok(())
        });
        news
    }

    /// The names of all sockets, where a connect had no room. (A release always has.)
    fn look_for_what_was_not_told(&mut self, now: Instant) {
        let untold = self.watcher.untold();
        if untold == core::mem::replace(&mut self.untold, untold) {
            return;
        }
        tracing::debug!(
            releases = untold[0],
            connects = untold[1],
            "not everything could be told of sockets"
        );
        for (cookie, protocol) in self.watcher.sockets() {
            self.followed.look_up(cookie, protocol, now);
        }
    }
}
