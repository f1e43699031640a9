//! The node's interfaces: what the kernel says of them and what the configuration adds, as the engine wants them.
//!
//! The kernel's interface index is the engine's id; logical interface handles are the business of `handles`. An interface that is
//! deleted stays known as one that is down.

use super::config::{DaemonConfig, InterfaceConfig, Reservable, Span, Transport, Udp};
use super::data_plane::tree::TIMER_LATENCY_US;
use super::data_plane::{Facts, Surroundings};
use super::handles::Handles;
use super::netlink::{Address, Link, Netlink};
use super::sys;
use rsvp_node::{Interface, InterfaceId};
use socket2::{Domain, Socket, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;

/// The share of a link that can be reserved when nothing else is configured.
const DEFAULT_SHARE: f64 = 0.75;

/// All interfaces, by index.
pub(super) struct Links {
    /// For questions about interfaces.
    socket: Socket,
    known: BTreeMap<u32, (Link, Interface)>,
    /// Those of them that are not deleted.
    present: BTreeSet<u32>,
    /// Every address of this node, with its interface.
    own: BTreeSet<(IpAddr, u32)>,
    /// Virtual ones whose rate is what their driver says.
    guessed: BTreeSet<u32>,
    handles: Handles,
}

impl Links {
    pub(super) fn new(handles: Handles) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        Ok(Self {
            socket,
            known: BTreeMap::new(),
            present: BTreeSet::new(),
            own: BTreeSet::new(),
            guessed: BTreeSet::new(),
            handles,
        })
    }

    /// Asks the kernel again; returns what has changed for the engine. `enforces` says where reservations are carried out.
    pub(super) fn look(
        &mut self,
        netlink: &mut Netlink,
        config: &DaemonConfig,
        enforces: impl Fn(u32) -> bool,
    ) -> io::Result<Vec<Interface>> {
        let links = netlink.links()?;
        let addresses = netlink.addresses()?;
        self.own = addresses.iter().map(|a| (a.address, a.interface)).collect();
        self.present = links.iter().map(|link| link.index).collect();
        let mut changed = Vec::new();
        for (_, interface) in self.known.values_mut() {
            if interface.up && !links.iter().any(|link| link.index == interface.id.0) {
                interface.up = false;
                changed.push(interface.clone());
            }
        }
        for link in links {
            let Some(mut interface) = self.describe(&link, &addresses, config) else { continue };
            interface.enforces = enforces(link.index);
            say_terms(&mut interface, &config.of_interface(&link.name));
            let is_configured = config.of_interface(&link.name).bandwidth.is_some();
            let is_guessed = link.kind.is_some() && !is_configured && interface.bandwidth_bps > 0;
            if is_guessed {
                self.guessed.insert(link.index)
            } else {
                self.guessed.remove(&link.index)
            };
            let old = self.known.insert(link.index, (link.clone(), interface.clone()));
            if old.as_ref().is_none_or(|(_, old)| *old != interface) {
                say(&link, &interface, old.is_none(), is_configured);
                changed.push(interface);
            }
        }
        Ok(changed)
    }

    /// What has changed for the engine where reservations are carried out now, or no longer.
    pub(super) fn follow(&mut self, config: &DaemonConfig, enforces: impl Fn(u32) -> bool) -> Vec<Interface> {
        let mut changed = Vec::new();
        for (index, (link, interface)) in &mut self.known {
            if interface.enforces != enforces(*index) {
                interface.enforces = !interface.enforces;
                say_terms(interface, &config.of_interface(&link.name));
                changed.push(interface.clone());
            }
        }
        changed
    }

    /// An interface as the engine wants it; `None` for a loopback without addresses that others know.
    fn describe(&self, link: &Link, addresses: &[Address], config: &DaemonConfig) -> Option<Interface> {
        let here = || addresses.iter().filter(|a| a.interface == link.index);
        let before = self.known.get(&link.index).map(|(_, interface)| interface);
        // The first of the best: addresses of more than this link before others, primary before secondary ones. One that the
        // interface has had stays as long as it is as good, for neighbours know the interface by it; the kernel lists the
        // newest of IPv6 first.
        let best = |v6: bool| {
            let family = here().filter(move |a| a.address.is_ipv6() == v6 && !a.secondary);
            let is_kept =
                |a: &&Address| before.is_some_and(|before| before.address_like(a.address) == Some(a.address));
            family.min_by_key(|a| (!a.global, !is_kept(a))).map(|a| (a.address, a.global))
        };
        let (v4, v6) = (best(false), best(true));
        // Addresses of the loopback interface are this node's, but nothing is spoken there.
        let reachable = [v4, v6].into_iter().flatten().any(|(_, global)| global);
        if link.loopback && !reachable {
            return None;
        }
        let said = config.of_interface(&link.name);
        let mut interface = Interface::new(InterfaceId(link.index));
        interface.ipv4 = v4.and_then(|(address, _)| if let IpAddr::V4(a) = address { Some(a) } else { None });
        interface.ipv6 = v6.and_then(|(address, _)| if let IpAddr::V6(a) = address { Some(a) } else { None });
        // By UDP everything comes from the address that answers go to, which has to be the sender's.
        if config.node.transport == Transport::Raw {
            let is_other = |a: &IpAddr| !a.is_loopback() && interface.address_like(*a) != Some(*a);
            let others: BTreeSet<_> = here().map(|a| a.address).filter(is_other).collect();
            interface.others = others.into_iter().collect();
        }
        (interface.lih, interface.earlier_lihs) =
            (self.handles.of(link.index), self.handles.earlier(link.index));
        // A Path in UDP comes from the socket of the hop before (RFC 2205 Appendix C).
        let in_udp = config.node.transport == Transport::Udp || matches!(said.udp, Some(Udp::On | Udp::Auto));
        interface.proxies = said.proxies.unwrap_or(in_udp);
        interface.hop_sources = said.hop_sources.map_or_else(Default::default, |rule| rule.0);
        interface.subnets = here().map(|address| address.subnet).collect();
        interface.subnets.sort_unstable();
        interface.subnets.dedup();
        interface.up = link.up;
        interface.enabled = said.enabled.unwrap_or(true) && !link.loopback;
        interface.mtu = link.mtu.min(65_535);
        let speed = || sys::link_speed_bps(self.socket.as_fd(), &link.name);
        interface.bandwidth_bps = said.bandwidth.map(|rate| rate.bps).or_else(speed).unwrap_or(0);
        let reservable = said.reservable.unwrap_or(Reservable::Share(DEFAULT_SHARE));
        interface.reservable_bps = reservable.of(interface.bandwidth_bps);
        interface.shares = said.shares.of(interface.bandwidth_bps);
        interface.overhead = said.overhead.unwrap_or(link.overhead);
        interface.latency_us = said.latency.map_or(interface.latency_us, microseconds);
        interface.refresh = said.refresh.map_or(interface.refresh, |span| span.0);
        interface.slew_max_percent = said.slew_max.map_or(interface.slew_max_percent, |p| p.0);
        interface.local_repair_wait = said.local_repair_wait.map_or(interface.local_repair_wait, |s| s.0);
        interface.lifetime_multiplier = said.lifetime_multiplier.unwrap_or(interface.lifetime_multiplier);
        interface.non_rsvp_hops = said.non_rsvp_hops.map_or_else(Default::default, |rule| rule.0);
        Some(interface)
    }

    /// Whether what is known of an interface's rate is what the driver of a virtual one says.
    pub(super) fn is_guessed(&self, id: InterfaceId) -> bool {
        self.guessed.contains(&id.0)
    }

    pub(super) fn name(&self, id: InterfaceId) -> Option<&str> {
        self.known.get(&id.0).map(|(link, _)| link.name.as_str())
    }

    pub(super) fn by_name(&self, name: &str) -> Option<InterfaceId> {
        self.known.values().find(|(link, _)| link.name == name).map(|(link, _)| InterfaceId(link.index))
    }

    /// Whether an interface is there, be it down.
    pub(super) fn is_present(&self, id: InterfaceId) -> bool {
        self.present.contains(&id.0)
    }

    /// What the data plane has to know.
    pub(super) fn surroundings(&self, config: &DaemonConfig) -> Surroundings {
        let present = self.known.iter().filter(|(index, _)| self.present.contains(index));
        let facts = |(link, interface): &(Link, Interface)| Facts {
            name: link.name.clone(),
            // Where only what can be reserved is known, that is what the link is taken to have.
            rate: [interface.bandwidth_bps, interface.reservable_bps]
                .into_iter()
                .find(|bps| *bps > 0)
                .unwrap_or(0)
                / 8,
            mtu: interface.mtu,
            overhead: interface.overhead,
            manner: config.manner_of(&link.name),
            // (K + 0.5) · 1.5 · R (RFC 2205 section 3.7).
            keep: interface
                .refresh
                .saturating_mul(interface.lifetime_multiplier.saturating_mul(2).saturating_add(1))
                .saturating_mul(3)
                / 4,
        };
        let interfaces = present.map(|(index, known)| (*index, facts(known))).collect();
        Surroundings { interfaces, own: self.own.iter().map(|(address, _)| *address).collect() }
    }

    /// The interface's own address of the family of `like`.
    pub(super) fn address(&self, id: InterfaceId, like: IpAddr) -> Option<IpAddr> {
        self.known.get(&id.0).and_then(|(_, interface)| interface.address_like(like))
    }

    /// Every address of this node; one that several interfaces have is there as often.
    pub(super) fn own_addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.own.iter().map(|(address, _)| *address)
    }

    /// Whether an address is one of this node's.
    pub(super) fn owns(&self, address: IpAddr) -> bool {
        self.own.range((address, 0)..=(address, u32::MAX)).next().is_some()
    }

    /// Whether an address is one of an interface's.
    pub(super) fn owns_on(&self, id: InterfaceId, address: IpAddr) -> bool {
        self.own.contains(&(address, id.0))
    }

    /// Whether an interface has an address that others than those on its link know.
    pub(super) fn has_global(&self, id: InterfaceId, v6: bool) -> bool {
        let is_global = |address: &IpAddr| match address {
            IpAddr::V4(_) => !v6,
            IpAddr::V6(address) => v6 && !address.is_unicast_link_local(),
        };
        self.own.iter().any(|(address, on)| *on == id.0 && is_global(address))
    }

    /// Whether an address is on the link of an interface, by the interface's own addresses.
    pub(super) fn is_on_link(&self, id: InterfaceId, address: IpAddr) -> bool {
        self.known.get(&id.0).is_some_and(|(_, interface)| interface.is_on_link(address))
    }

    /// Interfaces that are up and on which RSVP is spoken.
    pub(super) fn speaking(&self) -> impl Iterator<Item = InterfaceId> + '_ {
        self.known.values().filter(|(_, i)| i.up && i.enabled).map(|(_, i)| i.id)
    }
}

fn microseconds(span: Span) -> u32 {
    u32::try_from(span.0.as_micros()).unwrap_or(u32::MAX)
}

/// The error terms of Guaranteed service: those that are configured, else the scheduler's, where there is one.
fn say_terms(interface: &mut Interface, said: &InterfaceConfig) {
    let scheduler = if interface.enforces { terms(interface.mtu, interface.bandwidth_bps) } else { (0, 0) };
    interface.error_c = said.error_c.unwrap_or(scheduler.0);
    interface.error_d_us = said.error_d.map_or(scheduler.1, microseconds);
}

/// The error terms of the scheduler (RFC 2212, Exported Information): a packet of its flow before it at the flow's own rate, which
/// is C = M; and one of another flow on the link, with how late a timer may be, which is D.
fn terms(mtu: u32, bandwidth_bps: u64) -> (u32, u32) {
    let Some(on_link_us) = (u64::from(mtu) * 8_000_000).checked_div(bandwidth_bps) else {
        return (mtu, u32::MAX);
    };
    (mtu, u32::try_from(on_link_us + TIMER_LATENCY_US).unwrap_or(u32::MAX))
}

fn say(link: &Link, interface: &Interface, new: bool, is_configured: bool) {
    let state = match (interface.up, interface.enabled) {
        (false, _) => "down",
        (true, false) => "up, RSVP off",
        (true, true) => "up",
    };
    let name = link.name.as_str();
    let (bandwidth_bps, reservable_bps) = (interface.bandwidth_bps, interface.reservable_bps);
    let text =
        |address: Option<IpAddr>| address.map_or_else(|| "none".to_owned(), |address| address.to_string());
    let (ipv4, ipv6) = (text(interface.ipv4.map(Into::into)), text(interface.ipv6.map(Into::into)));
    tracing::info!(name, state, ipv4, ipv6, bandwidth_bps, reservable_bps, "interface");
    if let Some(kind) =
        link.kind.as_ref().filter(|_| new && interface.enabled && !is_configured && bandwidth_bps > 0)
    {
        tracing::warn!(
            "interface {name}: {bandwidth_bps} bit/s is what a {kind} says, whatever is behind it, and what can be reserved is taken \
             from that; set `bandwidth` in [interface.{name}]"
        );
    }
    if new && interface.enabled && interface.bandwidth_bps == 0 {
        tracing::warn!(
            "interface {name}: its speed is unknown, so no share of it can be reserved; set `bandwidth` in [interface.{name}]"
        );
    }
}
