//! What a reservation is to be in the kernel, and what has to change for it: functions of their arguments, without a system
//! call.
//!
//! | service | flow | class |
//! |---|---|---|
//! | Controlled-Load | buckets (r, b) and (p, M), with m | one for all of them; shaped, one of its own with r and b |
//! | Guaranteed | as the class of its own shapes it | one of its own with R and b |
//! | Null | marks alone | the one of qualitative traffic, where there are classes |
//! | without a reservation | buckets as above, or marks alone | that of network control or best effort; shaped, one of its own without a promise |
//!
//! Numbers are those of the effective flowspec (RFC 2210 section 3.2), rounded to whole octets.

use super::Failure;
use super::bpf::{Filter, Flow, Key, Limits, MOST_RATE, Mode, Session, Treatment};
use super::manner::{Handling, Manner, Marks, Reserved};
use super::policing::mode_at;
use super::tc::Handle;
use super::tree::{FlowClass, Service};
use super::wishes::Wishes;
use rsvp_node::{Remark, Reservation};
use rsvp_wire::{FilterSpec, Flowspec, Tspec, error_value};
use std::net::IpAddr;

/// What may wait of a flow that begins on this node and is shaped: more than a socket's buffer, so that the sender waits and
/// nothing is lost.
const LOCAL_QUEUE: u32 = 512 * 1024;

/// A reservation as it is to be in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The service.
    pub service: Reserved,
    /// What packets are told by.
    pub keys: Vec<Key>,
    /// What they are held to.
    pub limits: Limits,
    /// What becomes of them.
    pub handling: Handling,
    /// What is reserved: r, or R of Guaranteed service, in octets of IP packets per second; nothing of the Null service.
    pub rate: u64,
    /// That and b, with what packets have on the link beside IP.
    pub on_link: (u64, u32),
    /// The class that it has for itself.
    pub class: Option<FlowClass>,
}

/// What has to be done so that one thing becomes the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Keys that come.
    pub added: Vec<Key>,
    /// Keys that go.
    pub removed: Vec<Key>,
    /// Whether what packets are held to, or what becomes of them, is different.
    pub is_other_flow: bool,
}

impl Desired {
    /// What a reservation on an interface is to be there, where packets have `overhead` octets beyond those of IP. Of flows that begin
    /// on this node nothing is lost by shaping.
    ///
    /// # Errors
    /// [`Failure::Unfit`] for what cannot be: 21/03 for numbers, 21/02 for packets that cannot be told apart.
    pub fn new(
        told: &Reservation,
        interface: u32,
        manner: &Manner,
        overhead: u32,
        begins_here: bool,
    ) -> Result<Self, Failure> {
        Self::wished(told, interface, manner, overhead, begins_here, &Wishes::default())
    }

    /// The same for packets of sockets of which applications ask more.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn wished(
        told: &Reservation,
        interface: u32,
        manner: &Manner,
        overhead: u32,
        begins_here: bool,
        wishes: &Wishes,
    ) -> Result<Self, Failure> {
        let (asked, rate) = match &told.flowspec {
            Flowspec::ControlledLoad(tspec) => (Reserved::ControlledLoad, tspec.rate),
            Flowspec::Guaranteed(_, rspec) => (Reserved::Guaranteed, rspec.rate),
            Flowspec::Null(_) => (Reserved::Qualitative, 1.0),
        };
        let service = wishes.unreserved.unwrap_or(asked);
        let mut handling = manner.of(service);
        handling.mode = mode_at(told.police, asked, manner.of(asked).mode);
        if manner.received_marks {
            handling.conforming = remarked(handling.conforming, told.remark);
        }
        handling = wishes.over(handling, asked);
        let has_rate = asked != Reserved::Qualitative;
        let mut limits = if has_rate { limits(told.flowspec.tspec())? } else { Limits::default() };
        let mut rate = if has_rate { octets_per_second(rate)? } else { 0 };
        if let Some(shaping) = wishes.shaping_rate.filter(|_| handling.mode == Mode::Shape && has_rate) {
            (rate, limits.rate) = (shaping.clamp(1, MOST_RATE), shaping.clamp(1, MOST_RATE));
        }
        let on_link = on_link(&limits, rate, overhead);
        let shaped = has_rate && handling.mode == Mode::Shape;
        let class = match shaped || service == Reserved::Guaranteed {
            false => None,
            true => Some(FlowClass {
                guaranteed: service == Reserved::Guaranteed,
                promised: wishes.unreserved.is_none(),
                queue: (shaped && begins_here).then(|| LOCAL_QUEUE.max(on_link.1)),
                ..class_of(&limits, on_link.0, overhead)
            }),
        };
        let keys = keys(told, interface);
        for key in &keys {
            key.check().map_err(|why| Failure::Unfit {
                value: error_value::SERVICE_UNSUPPORTED,
                why: why.to_string(),
            })?;
        }
        Ok(Self { service, keys, limits, handling, rate, on_link, class })
    }

    /// Its class has the rate itself, and packets count as their IP octets there, whatever they have on the link. So many octets may wait
    /// in it.
    pub fn count_packets_alone(&mut self, waiting: u32) {
        self.class = self.class.map(|class| FlowClass {
            rate: self.rate,
            bucket: self.limits.bucket,
            min_policed: 0,
            overhead: 0,
            queue: Some(waiting),
            ..class
        });
    }

    /// Whether the interface has to have classes for it.
    #[must_use]
    pub fn needs_classes(&self) -> bool {
        matches!(self.service, Reserved::ControlledLoad | Reserved::Guaranteed) || self.class.is_some()
    }

    /// What it takes of the class of all Controlled-Load flows: octets per second, and octets.
    #[must_use]
    pub fn shares(&self) -> Option<(u64, u32)> {
        let shares = self.service == Reserved::ControlledLoad && self.class.is_none();
        shares.then_some(self.on_link)
    }

    /// Packets have so many octets beyond those of IP from now on.
    pub fn count_headers(&mut self, overhead: u32) {
        self.on_link = on_link(&self.limits, self.rate, overhead);
    }

    /// The flow, where the interface has classes and it has this one for itself.
    #[must_use]
    pub fn flow(&self, has_classes: bool, own: Option<Handle>) -> Flow {
        let shared = match self.service {
            Reserved::ControlledLoad => Service::ControlledLoad,
            Reserved::Guaranteed | Reserved::Qualitative => Service::Qualitative,
            Reserved::NetworkControl => Service::NetworkControl,
            Reserved::BestEffort => Service::BestEffort,
        };
        let class = |class: Handle| has_classes.then_some(class.0);
        let treatment = |marks: Marks, class| Treatment { dscp: marks.dscp, pcp: marks.pcp, class };
        Flow {
            mode: self.handling.mode,
            limits: self.limits,
            conforming: treatment(self.handling.conforming, class(own.unwrap_or_else(|| shared.class()))),
            excess: treatment(self.handling.excess, class(Service::NonConforming.class())),
        }
    }

    /// What has to be done so that this becomes the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Difference {
        let not_in = |these: &[Key], those: &[Key]| -> Vec<Key> {
            these.iter().filter(|key| !those.contains(key)).copied().collect()
        };
        Difference {
            added: not_in(&other.keys, &self.keys),
            removed: not_in(&self.keys, &other.keys),
            is_other_flow: (self.limits, self.handling, self.service)
                != (other.limits, other.handling, other.service),
        }
    }
}

/// Marks with those in their place that requests ask for (RFC 2996; RFC 2814 section 4.2.2.8). A priority is written where packets
/// have one.
fn remarked(marks: Marks, asked: Remark) -> Marks {
    let pcp = marks.pcp.map(|pcp| asked.priority.unwrap_or(pcp));
    Marks { dscp: asked.dscp.or(marks.dscp), pcp }
}

/// What the class of all Controlled-Load flows is to have for these.
pub fn shared_by<'a>(flows: impl Iterator<Item = &'a Desired>) -> (u64, u32) {
    let sum =
        |(rate, bucket): (u64, u32), (r, b): (u64, u32)| (rate.saturating_add(r), bucket.saturating_add(b));
    flows.filter_map(Desired::shares).fold((0, 0), sum)
}

/// The size of a packet where m says nothing: an IP header.
const SMALLEST_PACKET: u32 = 20;

/// A rate and b with what packets have on the link beside IP, as if all were as small as may be (RFC 2212, Guidelines for
/// Implementors): what a class has to have so that the flow has its rate whatever its packets are. Rounded up.
fn on_link(limits: &Limits, rate: u64, overhead: u32) -> (u64, u32) {
    let smallest = limits.min_policed.max(SMALLEST_PACKET);
    let with_headers = |octets: u64| {
        let headers = (u128::from(octets) * u128::from(overhead)).div_ceil(u128::from(smallest));
        octets.saturating_add(u64::try_from(headers).unwrap_or(u64::MAX))
    };
    (with_headers(rate), u32::try_from(with_headers(limits.bucket.into())).unwrap_or(u32::MAX))
}

/// The class of a flow that has this rate on the link.
fn class_of(limits: &Limits, rate_on_link: u64, overhead: u32) -> FlowClass {
    FlowClass {
        guaranteed: false,
        promised: true,
        rate: rate_on_link,
        peak: limits.peak.map(|peak| on_link(limits, peak, overhead).0),
        bucket: on_link(limits, 0, overhead).1,
        max_packet: limits.max_packet.map_or(0, |most| most.saturating_add(overhead)),
        min_policed: u16::try_from(limits.min_policed.saturating_add(overhead)).unwrap_or(u16::MAX),
        overhead: u16::try_from(overhead).unwrap_or(u16::MAX),
        queue: None,
        weight: None,
    }
}

/// The class that a flow was found with, of the rate and the m that the kernel lists: what it was made for, with the overhead of then.
#[must_use]
pub fn class_found(limits: &Limits, rate: u64, min_policed: u16) -> FlowClass {
    class_of(limits, rate, overhead_then(limits, min_policed))
}

/// R of a flow that was found with this class: the rate of which `on_link` made the class's.
#[must_use]
pub fn rate_found(limits: &Limits, class: &FlowClass) -> u64 {
    let smallest = u128::from(limits.min_policed.max(SMALLEST_PACKET));
    let overhead = u128::from(overhead_then(limits, class.min_policed));
    u64::try_from(u128::from(class.rate) * smallest / (smallest + overhead)).unwrap_or(u64::MAX)
}

/// What a class counts as its smallest packet is m and the overhead.
fn overhead_then(limits: &Limits, min_policed: u16) -> u32 {
    u32::from(min_policed).saturating_sub(limits.min_policed)
}

/// A rate in whole octets per second.
fn octets_per_second(rate: f32) -> Result<u64, Failure> {
    let rounded = f64::from(rate).round();
    if rounded >= 1.0 && rounded <= MOST_RATE as f64 {
        return Ok(rounded as u64);
    }
    let why = format!("a rate of {rate} octets per second cannot be policed: 1 to {MOST_RATE}");
    Err(Failure::Unfit { value: error_value::BAD_FLOWSPEC, why })
}

fn limits(tspec: &Tspec) -> Result<Limits, Failure> {
    let bucket = f64::from(tspec.bucket).round().clamp(1.0, f64::from(u32::MAX)) as u32;
    // A peak that cannot be counted is none: so is infinity.
    let peak = octets_per_second(tspec.peak).ok().filter(|_| tspec.max_packet_size > 0);
    Ok(Limits {
        rate: octets_per_second(tspec.rate)?,
        bucket,
        peak,
        max_packet: Some(tspec.max_packet_size).filter(|most| *most > 0),
        min_policed: tspec.min_policed_unit,
    })
}

/// What the packets of a reservation have in common.
fn keys(told: &Reservation, interface: u32) -> Vec<Key> {
    let session = Session {
        destination: told.session.destination(),
        protocol: told.session.protocol(),
        // A virtual port is in no packet (RFC 2207 section 4.1: "it is not passed to traffic control").
        port: if told.session.is_gpi() { 0 } else { told.session.port() },
    };
    let key = |filter| Key { interface, session, filter };
    if told.filters.is_empty() {
        return vec![key(Filter::Any)];
    }
    let mut keys: Vec<Key> = told.filters.iter().map(|filter| key(of_filter(filter))).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn of_filter(filter: &FilterSpec) -> Filter {
    match *filter {
        FilterSpec::Ipv4 { address, port, .. } => Filter::Sender(IpAddr::V4(address), port),
        FilterSpec::Ipv6 { address, port, .. } => Filter::Sender(IpAddr::V6(address), port),
        // A label of zero is none (RFC 8200 section 6): packets are told by their source alone.
        FilterSpec::Ipv6FlowLabel { address, label: 0, .. } => Filter::Sender(IpAddr::V6(address), 0),
        FilterSpec::Ipv6FlowLabel { address, label, .. } => Filter::FlowLabel(address, label),
        FilterSpec::Ipv4Gpi { address, gpi } => Filter::Spi(IpAddr::V4(address), gpi),
        FilterSpec::Ipv6Gpi { address, gpi } => Filter::Spi(IpAddr::V6(address), gpi),
    }
}

#[cfg(test)]
mod tests;
