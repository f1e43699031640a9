//! Multicast on routers: getting hold of Path messages, and following the kernel's forwarding entries.
//!
//! IPv4: a Router Alert socket gets multicast packets only where the kernel is a multicast router, so the daemon makes it
//! one when nobody else has, with a virtual interface (VIF) per interface. It installs the configured flows, and
//! otherwise leaves forwarding entries to whoever owns routing. IPv6: the kernel diverts no multicast, so the daemon joins
//! the groups of the forwarding entries where their flows come in; a firewall rule (`firewall`) keeps the kernel from
//! forwarding what the daemon sends on itself.

use super::config::{Intercept, MulticastConfig};
use super::routes::{self, Routes};
use super::sys;
use rsvp_node::InterfaceId;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;

const MRT_INIT: libc::c_int = 200;
const MRT_ADD_VIF: libc::c_int = 202;
const MRT_ADD_MFC: libc::c_int = 204;
const MRT_DEL_MFC: libc::c_int = 205;
/// The kernel's bound on virtual interfaces.
const VIFS: usize = 32;
const VIFF_USE_IFINDEX: u8 = 8;

/// What this daemon does for multicast.
#[derive(Default)]
pub(super) struct Multicast {
    /// IPv4: the socket that makes the kernel a multicast router, and its virtual interfaces, by place.
    router: Option<Socket>,
    vifs: BTreeMap<u32, u16>,
    /// The forwarding entries that were made: the kernel tells of each one that is made, even of one that was there.
    installed: BTreeSet<[u8; 60]>,
    /// IPv6: what holds the memberships, and which.
    member: Option<Socket>,
    joined: Vec<(Ipv6Addr, u32)>,
}

impl Multicast {
    /// Makes the kernel an IPv4 multicast router, if that is wanted and nobody else has.
    pub(super) fn open(config: &MulticastConfig, v6: bool) -> io::Result<Self> {
        let mut this = Self::default();
        if config.intercept == Intercept::Off {
            return Ok(this);
        }
        if routes::is_router(false) {
            let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(libc::IPPROTO_IGMP)))?;
            // What the kernel tells multicast routing programs is not read: let little of it pile up.
            socket.set_recv_buffer_size(1)?;
            match sys::set_option(socket.as_fd(), libc::IPPROTO_IP, MRT_INIT, &1i32.to_ne_bytes()) {
                Ok(()) => this.router = Some(socket),
                Err(e) if e.raw_os_error() == Some(libc::EADDRINUSE) => {
                    tracing::info!("another program routes IPv4 multicast here; its interfaces are used");
                }
                Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => {
                    tracing::warn!(
                        "this kernel cannot route IPv4 multicast: multicast Path messages are not seen"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        if v6 && routes::is_router(true) {
            this.member = Some(Socket::new(Domain::IPV6, Type::DGRAM, None)?);
        }
        Ok(this)
    }

    /// Follows interfaces, forwarding entries and configured flows.
    pub(super) fn follow(&mut self, routes: &mut Routes) {
        self.add_vifs(routes);
        self.install(routes);
        self.join(routes);
    }

    fn add_vifs(&mut self, routes: &Routes) {
        let Some(socket) = &self.router else { return };
        for InterfaceId(index) in routes.links.speaking() {
            if self.vifs.contains_key(&index) || self.vifs.len() >= VIFS {
                continue;
            }
            // struct vifctl: vifi, flags, threshold, rate limit, interface index, remote address.
            let vif = self.vifs.len() as u16;
            let mut request = [0u8; 16];
            request[..2].copy_from_slice(&vif.to_ne_bytes());
            (request[2], request[3]) = (VIFF_USE_IFINDEX, 1);
            request[8..12].copy_from_slice(&index.to_ne_bytes());
            match sys::set_option(socket.as_fd(), libc::IPPROTO_IP, MRT_ADD_VIF, &request) {
                Ok(()) => {
                    self.vifs.insert(index, vif);
                }
                Err(error) => {
                    tracing::warn!(%error, index, "multicast Path messages of this interface are not seen");
                }
            }
        }
    }

    /// Configured flows become forwarding entries, when this daemon is the one to make them.
    fn install(&mut self, routes: &Routes) {
        let Some(socket) = &self.router else { return };
        let mut wanted = BTreeSet::new();
        for flow in &routes.fixed {
            let (IpAddr::V4(group), Some(IpAddr::V4(source))) = (flow.group, flow.source) else { continue };
            let vif = |name: &String| self.vifs.get(&routes.links.by_name(name)?.0).copied();
            let Some(parent) = vif(&flow.incoming) else { continue };
            wanted.insert(mfcctl(source, group, parent, flow.outgoing.iter().filter_map(vif)));
        }
        let set = |name, request: &[u8; 60]| {
            if let Err(error) = sys::set_option(socket.as_fd(), libc::IPPROTO_IP, name, request) {
                tracing::warn!(%error, "a configured multicast flow was not made a forwarding entry");
            }
        };
        self.installed.difference(&wanted).for_each(|gone| set(MRT_DEL_MFC, gone));
        wanted.difference(&self.installed).for_each(|new| set(MRT_ADD_MFC, new));
        self.installed = wanted;
    }

    /// IPv6: joins the groups of forwarding entries and configured flows where they come in.
    fn join(&mut self, routes: &mut Routes) {
        let Some(socket) = &self.member else { return };
        let mut wanted = Vec::new();
        let entries = routes.netlink.forwardings(true).unwrap_or_default();
        let cached = entries.iter().map(|e| (e.group, Some(e.incoming)));
        let links = &routes.links;
        let fixed = routes.fixed.iter().map(|f| (f.group, links.by_name(&f.incoming).map(|id| id.0)));
        for (group, incoming) in cached.chain(fixed) {
            if let (IpAddr::V6(group), Some(incoming)) = (group, incoming)
                && links.speaking().any(|id| id.0 == incoming)
                && !wanted.contains(&(group, incoming))
            {
                wanted.push((group, incoming));
            }
        }
        for (group, interface) in self.joined.iter().filter(|joined| !wanted.contains(joined)) {
            let _ = socket.leave_multicast_v6(group, *interface);
        }
        self.joined.retain(|joined| wanted.contains(joined));
        for (group, interface) in wanted {
            if self.joined.contains(&(group, interface)) {
                continue;
            }
            match socket.join_multicast_v6(&group, interface) {
                Ok(()) => self.joined.push((group, interface)),
                Err(error) => {
                    tracing::warn!(%error, %group, interface, "Path messages to this group are not seen")
                }
            }
        }
    }
}

/// `struct mfcctl`: origin, group, parent, a TTL threshold for each virtual interface, and counters.
fn mfcctl(source: Ipv4Addr, group: Ipv4Addr, parent: u16, outgoing: impl Iterator<Item = u16>) -> [u8; 60] {
    let mut request = [0u8; 60];
    request[..4].copy_from_slice(&source.octets());
    request[4..8].copy_from_slice(&group.octets());
    request[8..10].copy_from_slice(&parent.to_ne_bytes());
    for vif in outgoing.filter(|vif| *vif != parent) {
        request[10 + usize::from(vif)] = 1;
    }
    request
}
