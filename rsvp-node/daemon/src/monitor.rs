//! What changes in the kernel's tables, as it says by itself on a netlink socket: links, addresses, routes, rules, multicast
//! forwarding entries. Deliberately only which kind: what there is now is asked for (`netlink`).

use super::netlink::{addresses, is_multicast, messages};
use super::sys;
use libc::EAGAIN;
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, protocols::NETLINK_ROUTE};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, RawFd};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// What kinds of things have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Links or addresses.
    pub(super) links: bool,
    /// Unicast routes or rules.
    pub(super) routes: bool,
    /// Multicast forwarding entries of these groups.
    pub(super) groups: Vec<IpAddr>,
    /// More has happened than could be told: everything may have changed.
    pub(super) lost: bool,
}

/// Hears from the kernel what changes.
pub(super) struct Monitor {
    socket: AsyncFd<Notices>,
    buffer: Vec<u8>,
}

/// The socket of a monitor, as one that a runtime can watch.
pub(super) struct Notices(Socket);

impl AsRawFd for Notices {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Groups of changes (`RTNLGRP_*`): links, IPv4 addresses, multicast routes, routes and rules, then those of IPv6.
const GROUPS: [u32; 9] = [1, 5, 6, 7, 8, 9, 10, 11, 19];

impl Notices {
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.set_non_blocking(true)?;
        socket.set_rx_buf_sz(1 << 20)?;
        for group in GROUPS {
            socket.add_membership(group)?;
        }
        Ok(Self(socket))
    }
}

impl Monitor {
    /// Needs a runtime around it.
    pub(super) fn new(notices: Notices) -> io::Result<Self> {
        let socket = sys::watch(notices, Interest::READABLE)?;
        Ok(Self { socket, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Waits until something has changed.
    pub(super) async fn changed(&self) -> io::Result<()> {
        self.socket.readable().await.map(|_| ())
    }

    /// What has changed since; a bounded number of notices at a time.
    pub(super) fn take(&mut self) -> Changes {
        let mut changes = Changes::default();
        for _ in 0..256 {
            self.buffer.clear();
            let buffer = &mut self.buffer;
            match self.socket.try_io(Interest::READABLE, |notices| notices.0.recv(buffer, 0)) {
                Ok(_) => messages(&self.buffer).iter().for_each(|m| changes.note(m)),
                Err(e) if e.raw_os_error() == Some(EAGAIN) => break,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    tracing::debug!(%error, "notices of changes were lost");
                    changes.lost = true;
                }
            }
        }
        changes
    }
}

impl Changes {
    fn note(&mut self, message: &NetlinkMessage<RouteNetlinkMessage>) {
        use RouteNetlinkMessage as M;
        let NetlinkPayload::InnerMessage(inner) = &message.payload else { return };
        match inner {
            M::NewLink(_) | M::DelLink(_) | M::NewAddress(_) | M::DelAddress(_) => self.links = true,
            M::NewRoute(route) | M::DelRoute(route) if is_multicast(route) => {
                self.groups.extend(addresses(route).0.filter(|group| !self.groups.contains(group)));
            }
            M::NewRoute(_) | M::DelRoute(_) | M::NewRule(_) | M::DelRule(_) => self.routes = true,
            _ => {}
        }
    }

    /// Whether nothing has changed.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
