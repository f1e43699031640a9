//! Interfaces of the node and what can be reserved on them (RFC 2205 sections 3.7 and 3.11.4, RFC 2215 section 3).
//!
//! Interfaces are fed in by the driver; this module deliberately never discovers them itself.

use crate::budget::{Budget, Charge, Limits, Shares};
use crate::claim::Held;
use crate::key::SessionKey;
use crate::time::Instant;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

/// Names an interface of this node; small numbers, chosen by the driver (an `ifindex` will do).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId(pub u32);

/// One interface, real or virtual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its identity.
    pub id: InterfaceId,
    /// Logical interface handle written into the RSVP_HOP of Path messages that leave here (RFC 2205 section 3.3).
    /// Unique on the node.
    pub lih: u32,
    /// Address used as RSVP_HOP and as source in IPv4 sessions.
    pub ipv4: Option<Ipv4Addr>,
    /// Address used as RSVP_HOP and as source in IPv6 sessions.
    pub ipv6: Option<Ipv6Addr>,
    /// Its further addresses: applications may send from them, and what comes for them is for this node.
    pub others: Vec<IpAddr>,
    /// Prefixes of the link, each an address and the number of its bits that count: who has an address in one of them is a
    /// neighbour here. None on a link whose ends have no addresses of its own.
    pub subnets: Vec<(IpAddr, u8)>,
    /// False while the link is down: nothing is sent here and nothing is accepted.
    pub up: bool,
    /// False when RSVP is switched off here (RFC 2205 section 3.11.4): no Path leaves, and arriving messages are dropped.
    pub enabled: bool,
    /// Largest IP packet, in octets.
    pub mtu: u32,
    /// Link rate in bits per second, advertised as available path bandwidth.
    pub bandwidth_bps: u64,
    /// What reservations may take together, in bits per second.
    pub reservable_bps: u64,
    /// What those of one service may take of it.
    pub shares: Shares,
    /// Octets that a packet has on the link beyond those of IP, such as the headers of a tunnel: they cost like others, in
    /// packets of m (RFC 2212, Guidelines for Implementors).
    pub overhead: u32,
    /// Minimum packet delay of the link, in microseconds (RFC 2215 section 3.4).
    pub latency_us: u32,
    /// Guaranteed service error term C, in octets (RFC 2212).
    pub error_c: u32,
    /// Guaranteed service error term D, in microseconds (RFC 2212).
    pub error_d_us: u32,
    /// Refresh period R of the messages sent here (RFC 2205 section 3.7; default 30 s). When it is raised while the
    /// interface is in use, R follows in steps that Slew.Max allows.
    pub refresh: Duration,
    /// Slew.Max: by how many per cent R may grow from one refresh to the next (RFC 2205 section 3.7, rule 5; default 30).
    pub slew_max_percent: u32,
    /// Wait W between a change of routes to this interface and the Path messages that follow it (RFC 2205 section 3.6;
    /// default 2 s).
    pub local_repair_wait: Duration,
    /// K of the lifetime rule for state that arrives here (RFC 2205 section 3.7; default 3).
    pub lifetime_multiplier: u32,
    /// Whether there are hops without RSVP between this interface and the previous hops of what arrives here.
    pub non_rsvp_hops: NonRsvpHops,
    /// False where nothing carries out what is reserved here. Then the node has neither Guaranteed nor Controlled-Load service
    /// here, and the ADSPECs that leave here say so (RFC 2215 section 3.1); nor can it police, and E_Police goes on (RFC
    /// 2205 section 3.8). Default true.
    pub enforces: bool,
    /// Whether Paths are taken that do not come from the address of their sender: there are proxies that announce others. Default
    /// false.
    pub proxies: bool,
    /// From whom requests for this interface, and errors about those that leave here, are taken.
    pub hop_sources: HopSources,
    /// Handles of earlier runs of this node. Neighbours that have not heard the new one yet find the interface by them.
    pub earlier_lihs: Vec<u32>,
}

/// From which addresses Resv, ResvTear and ResvErr messages are taken: always from the hop that they name, and from other addresses
/// of its link, as routers have several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HopSources {
    /// From these alone where the hop is on the link. What comes from behind routers without RSVP, or by a link without addresses, may
    /// come from any.
    #[default]
    OnLink,
    /// From these alone, wherever the hop is.
    Always,
    /// From any.
    Never,
}

impl HopSources {
    /// How configurations and journals call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::OnLink => "on-link",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl core::str::FromStr for HopSources {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::OnLink, Self::Always, Self::Never].into_iter().find(|each| each.word() == text);
        found.ok_or_else(|| format!("unknown \"{text}\", expected one of on-link, always, never"))
    }
}

/// How a node knows of hops without RSVP just before it. The TTL does not always tell (RFC 2205 section 3.8): a tunnel hides
/// the hops in it, and whatever changes the TTL on the way looks like a hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NonRsvpHops {
    /// There are some when a Path arrives with another TTL than it was sent with.
    #[default]
    ByTtl,
    /// There are none, whatever the TTL says.
    Never,
    /// There always are.
    Always,
}

impl NonRsvpHops {
    /// How configurations and journals call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ByTtl => "by-ttl",
            Self::Never => "never",
            Self::Always => "always",
        }
    }
}

impl core::str::FromStr for NonRsvpHops {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::ByTtl, Self::Never, Self::Always].into_iter().find(|each| each.word() == text);
        found.ok_or_else(|| format!("unknown \"{text}\", expected one of by-ttl, never, always"))
    }
}

impl Interface {
    /// An interface with the defaults of RFC 2205: R = 30 s, K = 3, LIH equal to the id, MTU 1500, up and enabled,
    /// no address and no bandwidth yet.
    #[must_use]
    pub fn new(id: InterfaceId) -> Self {
        Self {
            id,
            lih: id.0,
            ipv4: None,
            ipv6: None,
            others: Vec::new(),
            subnets: Vec::new(),
            up: true,
            enabled: true,
            mtu: 1500,
            bandwidth_bps: 0,
            reservable_bps: 0,
            shares: Shares::default(),
            overhead: 0,
            latency_us: 0,
            error_c: 0,
            error_d_us: 0,
            refresh: Duration::from_secs(30),
            slew_max_percent: 30,
            local_repair_wait: Duration::from_secs(2),
            lifetime_multiplier: 3,
            non_rsvp_hops: NonRsvpHops::default(),
            enforces: true,
            proxies: false,
            hop_sources: HopSources::default(),
            earlier_lihs: Vec::new(),
        }
    }

    /// The address of the same family as `other`.
    #[must_use]
    pub fn address_like(&self, other: IpAddr) -> Option<IpAddr> {
        match other {
            IpAddr::V4(_) => self.ipv4.map(IpAddr::V4),
            IpAddr::V6(_) => self.ipv6.map(IpAddr::V6),
        }
    }

    /// Whether `address` is on the link: in one of its prefixes, or one that is only on links (RFC 4291 section 2.5.6).
    #[must_use]
    pub fn is_on_link(&self, address: IpAddr) -> bool {
        let local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
        local || self.subnets.iter().any(|(prefix, bits)| same_front(*prefix, address, *bits))
    }

    /// Whether `address` is one of this interface's own.
    #[must_use]
    pub fn owns(&self, address: IpAddr) -> bool {
        self.address_like(address) == Some(address) || self.others.contains(&address)
    }
}

/// Whether two addresses share so many bits.
fn same_front(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            (one.to_bits() ^ other.to_bits()).leading_zeros() >= bits.into()
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            (one.to_bits() ^ other.to_bits()).leading_zeros() >= bits.into()
        }
        _ => false,
    }
}

/// An interface and what is reserved on it.
#[derive(Clone, Debug)]
pub(crate) struct InterfaceState {
    pub(crate) config: Interface,
    /// What is reserved on it.
    pub(crate) budget: Budget,
    /// R as it is now, on its way to the configured one.
    pub(crate) refresh: Duration,
    /// Not before then may R grow again.
    grows_at: Instant,
}

impl InterfaceState {
    /// Admission control: has `session` take `wanted` in the place of `now`, or says with which Error Value that is refused.
    pub(crate) fn admit(&mut self, session: &SessionKey, now: Charge, wanted: Charge) -> Result<(), u16> {
        let limits = Limits { total_bps: self.config.reservable_bps, shares: self.config.shares };
        self.budget.admit(&limits, session, now, wanted)
    }

    /// Whether it would.
    pub(crate) fn admits(&self, session: &SessionKey, now: Charge, wanted: Charge) -> bool {
        let limits = Limits { total_bps: self.config.reservable_bps, shares: self.config.shares };
        self.budget.with(&limits, session, now, wanted).is_ok()
    }

    /// The same for a flow that is not signalled, in the place of what it has.
    pub(crate) fn claim(&mut self, flow: u32, wanted: Charge) -> Result<(), u16> {
        let limits = Limits { total_bps: self.config.reservable_bps, shares: self.config.shares };
        self.budget.claim(&limits, flow, wanted)
    }

    /// Takes R one step towards what is configured: down at once, up by Slew.Max. Steps are as far apart as two
    /// refreshes of the same state can be, so that no state sees two of them at once.
    pub(crate) fn slew(&mut self, now: Instant) -> Duration {
        if self.config.refresh <= self.refresh {
            self.refresh = self.config.refresh;
        } else if now >= self.grows_at {
            let step =
                self.refresh.saturating_mul(100_u32.saturating_add(self.config.slew_max_percent)) / 100;
            self.refresh = step.max(Duration::from_millis(1)).min(self.config.refresh);
            self.grows_at = now + self.refresh * 3 / 2;
        }
        self.refresh
    }
}

/// What has to be looked at again after a change of an interface.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Change {
    /// Routes may lead there now that were of no use before.
    pub(crate) routes: bool,
    /// Packets that it could carry are too large for it now.
    pub(crate) packet_sizes: bool,
    /// It enforces what it did not, or no longer: Paths say something else, and policing is elsewhere.
    pub(crate) enforcement: bool,
    /// It is of no use any more: what came in by it, or was asked for on it, has nobody left to refresh it.
    pub(crate) down: bool,
    /// It is of use again: what could not be sent there is sent.
    pub(crate) up: bool,
}

impl Change {
    /// Both changes.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            routes: self.routes || other.routes,
            packet_sizes: self.packet_sizes || other.packet_sizes,
            enforcement: self.enforcement || other.enforcement,
            down: self.down || other.down,
            up: self.up || other.up,
        }
    }

    /// Whether there is anything to be looked at.
    pub(crate) fn is_any(self) -> bool {
        self.routes || self.packet_sizes || self.enforcement || self.down || self.up
    }
}

/// The interfaces of the node, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interfaces(Vec<InterfaceState>);

impl Interfaces {
    /// Adds an interface or changes what is known of it; reservations on it stay.
    pub(crate) fn change(&mut self, config: Interface) -> Change {
        match self.0.binary_search_by_key(&config.id, |i| i.config.id) {
            Ok(at) => {
                let state = &mut self.0[at];
                let usable = |config: &Interface| config.up && config.enabled;
                let (was, is) = (usable(&state.config), usable(&config));
                let change = Change {
                    down: was && !is,
                    up: is && !was,
                    routes: config.enabled && !state.config.enabled,
                    packet_sizes: config.mtu < state.config.mtu,
                    enforcement: config.enforces != state.config.enforces,
                };
                state.refresh = state.refresh.min(config.refresh);
                state.config = config;
                change
            }
            Err(at) => {
                let refresh = config.refresh;
                let grows_at = Instant::ZERO;
                let new = InterfaceState { config, budget: Budget::default(), refresh, grows_at };
                self.0.insert(at, new);
                Change { routes: true, ..Change::default() }
            }
        }
    }

    /// Notes what a session still has of an interface.
    pub(crate) fn hold(&mut self, Held { interface, session, guaranteed, bps }: Held) {
        if let Some(on) = self.find_mut(interface) {
            on.budget.hold(SessionKey::of(session), Charge { bps, guaranteed });
        }
    }

    pub(crate) fn find(&self, id: InterfaceId) -> Option<&InterfaceState> {
        self.0.binary_search_by_key(&id, |i| i.config.id).ok().map(|at| &self.0[at])
    }

    pub(crate) fn find_mut(&mut self, id: InterfaceId) -> Option<&mut InterfaceState> {
        self.0.binary_search_by_key(&id, |i| i.config.id).ok().map(|at| &mut self.0[at])
    }

    /// An interface that messages come in by and leave.
    pub(crate) fn usable(&self, id: InterfaceId) -> Option<&InterfaceState> {
        self.find(id).filter(|on| on.config.up && on.config.enabled)
    }

    /// R of an interface, as it is now.
    pub(crate) fn refresh_on(&self, id: InterfaceId) -> Duration {
        self.find(id).map(|on| on.refresh).unwrap_or_default()
    }

    /// The interface a logical interface handle stands for.
    pub(crate) fn by_lih(&self, lih: u32) -> Option<&InterfaceState> {
        let now = self.0.iter().find(|i| i.config.lih == lih);
        now.or_else(|| self.0.iter().find(|i| i.config.earlier_lihs.contains(&lih)))
    }

    pub(crate) fn by_address(&self, address: IpAddr) -> Option<&InterfaceState> {
        self.0.iter().find(|i| i.config.owns(address))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &InterfaceState> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_owns_all_of_its_addresses() {
        let mut interface = Interface::new(InterfaceId(1));
        (interface.ipv4, interface.others) = (Some([10, 0, 1, 1].into()), vec![[10, 0, 1, 7].into()]);
        let owns = |last: u8| interface.owns(IpAddr::from([10, 0, 1, last]));
        assert!(owns(1) && owns(7) && !owns(8));
        assert_eq!(
            interface.address_like([10, 0, 1, 7].into()),
            Some([10, 0, 1, 1].into()),
            "others are no hop"
        );
    }

    #[test]
    fn addresses_are_on_a_link_by_its_prefixes() {
        let on_link = |of: &str, bits, other: &str| {
            let mut interface = Interface::new(InterfaceId(1));
            interface.subnets.push((of.parse().unwrap(), bits));
            interface.is_on_link(other.parse().unwrap())
        };
        assert!(on_link("10.0.1.1", 24, "10.0.1.254") && !on_link("10.0.1.1", 24, "10.0.2.1"));
        assert!(on_link("10.0.1.1", 32, "10.0.1.1") && !on_link("10.0.1.0", 32, "10.0.1.1"));
        assert!(on_link("10.0.1.1", 0, "192.0.2.1") && !on_link("10.0.1.1", 0, "2001:db8::1"));
        assert!(on_link("fd00:1::1", 64, "fd00:1::ffff") && !on_link("fd00:1::1", 64, "fd00:2::1"));
        assert!(on_link("10.0.1.1", 24, "fe80::1"), "such addresses are of every link");
    }
}
