//! The multicast routing socket of a router: it owns the virtual interfaces (VIFs) and the forwarding cache (MFC) of a
//! namespace for as long as it is open (linux/mroute.h, linux/mroute6.h).
//!
//! Requests of the kernel for routes it misses are deliberately left unread: the simulator's routing knows all of them.

use super::error::{LabError, Trying};
use super::sys::set_option;
use super::wiring::Place;
use core::net::{IpAddr, Ipv6Addr};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeMap;
use std::io;

const IPPROTO_IP: i32 = 0;
const IPPROTO_IGMP: i32 = 2;
const IPPROTO_IPV6: i32 = 41;

// The same numbers in both families.
const MRT_INIT: i32 = 200;
const MRT_ADD_VIF: i32 = 202;
const MRT_ADD_MFC: i32 = 204;
const MRT_DEL_MFC: i32 = 205;
const VIFF_USE_IFINDEX: u8 = 0x8;
/// VIFs that an entry has room for.
const MAXVIFS: usize = 32;

/// Source and group.
pub(super) type Flow = (IpAddr, IpAddr);

/// Where a flow comes in and where it goes, as places among the ports of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    pub(super) incoming: usize,
    pub(super) outgoing: Vec<usize>,
}

/// A router's forwarding cache.
#[derive(Debug)]
pub(super) struct MulticastRouter {
    socket: Socket,
    level: i32,
    entries: BTreeMap<Flow, Branch>,
}

impl MulticastRouter {
    /// Makes every port of the node a VIF, numbered by its place.
    pub(super) async fn new(place: &Place, ipv6: bool) -> Result<Self, LabError> {
        let indexes: Vec<u32> = place.ports.iter().map(|port| port.index).collect();
        let name = place.namespace.name.clone();
        let made = place.namespace.run(move || Self::open(&indexes, ipv6)).await?;
        made.trying(|| format!("open the multicast routing socket of {name}"))
    }

    fn open(indexes: &[u32], ipv6: bool) -> io::Result<Self> {
        let (domain, protocol, level) = match ipv6 {
            false => (Domain::IPV4, Protocol::from(IPPROTO_IGMP), IPPROTO_IP),
            true => (Domain::IPV6, Protocol::ICMPV6, IPPROTO_IPV6),
        };
        let socket = Socket::new(domain, Type::RAW, Some(protocol))?;
        set_option(&socket, level, MRT_INIT, &1i32.to_ne_bytes())?;
        for (vif, index) in indexes.iter().enumerate().take(MAXVIFS) {
            set_option(&socket, level, MRT_ADD_VIF, &virtual_interface(vif as u16, *index, ipv6))?;
        }
        Ok(Self { socket, level, entries: BTreeMap::new() })
    }

    /// Makes the cache say just this.
    pub(super) fn follow(&mut self, wanted: &BTreeMap<Flow, Branch>) -> io::Result<()> {
        for (flow, branch) in self.entries.iter().filter(|(flow, _)| !wanted.contains_key(*flow)) {
            set_option(&self.socket, self.level, MRT_DEL_MFC, &entry(*flow, branch))?;
        }
        for (flow, branch) in wanted.iter().filter(|(flow, branch)| self.entries.get(*flow) != Some(*branch))
        {
            set_option(&self.socket, self.level, MRT_ADD_MFC, &entry(*flow, branch))?;
        }
        self.entries = wanted.clone();
        Ok(())
    }
}

/// `struct vifctl` or `struct mif6ctl`.
fn virtual_interface(vif: u16, index: u32, ipv6: bool) -> Vec<u8> {
    let mut octets = Vec::from(vif.to_ne_bytes());
    if ipv6 {
        octets.extend([0, 1]);
        octets.extend((index as u16).to_ne_bytes());
        octets.extend([0; 2]);
        octets.extend(0u32.to_ne_bytes());
    } else {
        // Flags, TTL threshold, rate limit, the index in place of an address, no tunnel.
        octets.extend([VIFF_USE_IFINDEX, 1]);
        octets.extend(0u32.to_ne_bytes());
        octets.extend(index.to_ne_bytes());
        octets.extend([0; 4]);
    }
    octets
}

/// `struct mfcctl` or `struct mf6cctl`.
fn entry((source, group): Flow, branch: &Branch) -> Vec<u8> {
    match (source, group) {
        (IpAddr::V4(source), IpAddr::V4(group)) => {
            let mut octets = Vec::with_capacity(60);
            octets.extend(source.octets());
            octets.extend(group.octets());
            octets.extend((branch.incoming as u16).to_ne_bytes());
            // The TTL that a packet has to exceed to go there; 0 is never.
            octets.extend((0..MAXVIFS).map(|vif| u8::from(branch.outgoing.contains(&vif))));
            octets.resize(60, 0);
            octets
        }
        (IpAddr::V6(source), IpAddr::V6(group)) => {
            let mut octets = Vec::with_capacity(92);
            octets.extend(socket_address(source));
            octets.extend(socket_address(group));
            octets.extend((branch.incoming as u16).to_ne_bytes());
            octets.extend([0; 2]);
            let set = branch.outgoing.iter().fold(0u32, |set, vif| set | 1 << vif);
            octets.extend(set.to_ne_bytes());
            octets.resize(92, 0);
            octets
        }
        _ => Vec::new(),
    }
}

/// `struct sockaddr_in6`.
fn socket_address(address: Ipv6Addr) -> [u8; 28] {
    let mut octets = [0; 28];
    octets[..2].copy_from_slice(&(nix::libc::AF_INET6 as u16).to_ne_bytes());
    octets[8..24].copy_from_slice(&address.octets());
    octets
}
