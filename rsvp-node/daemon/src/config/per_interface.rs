//! What is said of interfaces: of all, in `[interfaces]`, and of one by its name, which wins.

use super::{
    DaemonConfig, DscpKey, ExcessConfig, HopRule, HopSourceRule, MarksConfig, Percent, Rate, Reservable,
    SharedClass, Span, Udp,
};
use rsvp_node::Shares;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One interface, or what holds for all that do not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "a table: [interfaces], or [interface.eth0] for one of them"
)]
pub struct InterfaceConfig {
    /// Whether RSVP is spoken here (RFC 2205 section 3.11.4).
    pub enabled: Option<bool>,
    /// The link's rate; what the driver says, when not set.
    pub bandwidth: Option<Rate>,
    /// How much of it may be reserved.
    pub reservable: Option<Reservable>,
    /// How much of it one service may have, and one reservation.
    pub shares: ShareConfig,
    /// Octets that a packet has on the link beyond those of IP; by the type of link, when not set.
    pub overhead: Option<u32>,
    /// Minimum packet delay of the link, for ADSPECs (RFC 2215 section 3.4).
    pub latency: Option<Span>,
    /// Guaranteed service error term C, in octets (RFC 2212); that of the scheduler, when not set.
    pub error_c: Option<u32>,
    /// Guaranteed service error term D (RFC 2212); that of the scheduler, when not set.
    pub error_d: Option<Span>,
    /// Refresh period R (RFC 2205 section 3.7).
    pub refresh: Option<Span>,
    /// Slew.Max (RFC 2205 section 3.7, rule 5).
    pub slew_max: Option<Percent>,
    /// Local repair wait W (RFC 2205 section 3.6).
    pub local_repair_wait: Option<Span>,
    /// K of the lifetime rule (RFC 2205 section 3.7).
    pub lifetime_multiplier: Option<u32>,
    /// How hops without RSVP between this interface and its neighbours are noticed (RFC 2205 section 3.8).
    pub non_rsvp_hops: Option<HopRule>,
    /// Whether Paths are taken that do not come from their sender's address.
    pub proxies: Option<bool>,
    /// Where requests and errors have to come from: the hop's address or its link.
    pub hop_sources: Option<HopSourceRule>,
    /// Whether hosts that can only send UDP are served here (RFC 2205 Appendix C).
    pub udp: Option<Udp>,
    /// Whether a queueing discipline that somebody has put there is replaced while the daemon runs.
    pub take_over: Option<bool>,
    /// Whether marks that requests ask for (DCLASS, TCLASS) take the place of `marks`, for packets that conform.
    pub received_marks: Option<bool>,
    /// Whether packets get priority tags (IEEE 802.1Q) with the priority of their service.
    pub priority_tags: Option<bool>,
    /// What becomes of packets beyond the TSpec.
    pub excess: ExcessConfig,
    /// The marks of packets with a reservation.
    pub marks: MarksConfig,
    /// The class of packets without a reservation, by DSCP.
    pub classes: Option<BTreeMap<DscpKey, SharedClass>>,
}

impl DaemonConfig {
    /// What holds for an interface.
    #[must_use]
    pub fn of_interface(&self, name: &str) -> InterfaceConfig {
        let mut all = self.interfaces.clone();
        if !self.signalling.enabled {
            all.enabled = Some(false);
        }
        let Some(one) = self.interface.get(name).cloned() else { return all };
        InterfaceConfig {
            enabled: one.enabled.filter(|_| self.signalling.enabled).or(all.enabled),
            bandwidth: one.bandwidth.or(all.bandwidth),
            reservable: one.reservable.or(all.reservable),
            shares: one.shares.or(all.shares),
            overhead: one.overhead.or(all.overhead),
            latency: one.latency.or(all.latency),
            error_c: one.error_c.or(all.error_c),
            error_d: one.error_d.or(all.error_d),
            refresh: one.refresh.or(all.refresh),
            slew_max: one.slew_max.or(all.slew_max),
            local_repair_wait: one.local_repair_wait.or(all.local_repair_wait),
            lifetime_multiplier: one.lifetime_multiplier.or(all.lifetime_multiplier),
            non_rsvp_hops: one.non_rsvp_hops.or(all.non_rsvp_hops),
            proxies: one.proxies.or(all.proxies),
            hop_sources: one.hop_sources.or(all.hop_sources),
            udp: one.udp.or(all.udp),
            take_over: one.take_over.or(all.take_over),
            received_marks: one.received_marks.or(all.received_marks),
            priority_tags: one.priority_tags.or(all.priority_tags),
            excess: one.excess.or(all.excess),
            marks: one.marks.or(all.marks),
            classes: one.classes.or(all.classes),
        }
    }
}

/// How much one service may have reserved, and one reservation; no less than all, when not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: shares = { guaranteed = \"30%\" }")]
pub struct ShareConfig {
    /// Guaranteed service.
    pub guaranteed: Option<Reservable>,
    /// Controlled-Load service.
    pub controlled_load: Option<Reservable>,
    /// One reservation.
    pub flow: Option<Reservable>,
}

impl ShareConfig {
    fn or(self, other: Self) -> Self {
        Self {
            guaranteed: self.guaranteed.or(other.guaranteed),
            controlled_load: self.controlled_load.or(other.controlled_load),
            flow: self.flow.or(other.flow),
        }
    }

    /// The bounds on a link of this bandwidth.
    #[must_use]
    pub fn of(self, bandwidth_bps: u64) -> Shares {
        let bound = |said: Option<Reservable>| said.map_or(u64::MAX, |said| said.of(bandwidth_bps));
        Shares {
            guaranteed_bps: bound(self.guaranteed),
            controlled_load_bps: bound(self.controlled_load),
            flow_bps: bound(self.flow),
        }
    }
}
