//! One flow: what was asked for it, its sockets, and what the data plane is to do for them. Functions of what is known, without a system
//! call.
//!
//! | shaping | what is too much | DSCP of what conforms, of what does not |
//! |---|---|---|
//! | none | there is no such thing | the mark, - |
//! | ShapeOnly | waits in a class of the flow | 0 (the mark with `shape_only_marks`), - |
//! | ShapeAndMark | waits in a class of the flow | the mark, - |
//! | UseNonConformantMarkings | leaves at once | the mark, 0 |
//!
//! The mark is that of the traffic type, or the DSCP that was set. An IEEE 802.1p priority other than 0 is for adaptive flows to peers on
//! the link alone, where the interface writes priorities at all.

use crate::control::service::ClientId;
use crate::data_plane::bpf::{Mode, SocketPeer};
use crate::data_plane::by_hand::FlowByHand;
use crate::data_plane::manner::Reserved;
use crate::data_plane::wishes::Wishes;
use crate::hooks::Watch;
use rsvp_control::flows::{OutgoingRate, PacketPriority, Shaping, TrafficType};
use rsvp_node::InterfaceId;
use rsvp_node::qos::{Transport, traffic_type};
use rsvp_wire::{Flowspec, Tspec};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Octets that may wait of a shaped flow, at the least: what its sockets hold back is more.
const LEAST_WAITING: u32 = 512 * 1024;
/// And at the most.
const MOST_WAITING: u32 = 64 * 1024 * 1024;
/// The bucket of a rate is what it sends in this time, in milliseconds, and two packets at the least.
const BUCKET_MS: u64 = 2;
/// An IP header: no packet counts as less.
const SMALLEST: u32 = 20;
/// What is said for no rate.
pub(super) const NO_RATE: u64 = OutgoingRate::NO_RATE_BPS;

/// How packets of a socket leave to its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// By which interface.
    pub interface: InterfaceId,
    /// Whether the peer is on that link.
    pub on_link: bool,
}

/// What was asked for a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) traffic: TrafficType,
    pub(super) dscp: Option<u8>,
    pub(super) rate: Option<OutgoingRate>,
    /// Whether the flow gets its marks: one that is adaptive does once its rate was admitted.
    pub(super) admitted: bool,
}

/// A socket of a flow.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) local: Option<SocketAddr>,
    pub(super) transport: Transport,
    /// Octets that its buffer for sending has.
    pub(super) sending: u32,
    pub(super) way: Option<Way>,
    /// The request that has added it.
    pub(super) request: u64,
    /// What becomes of it is told while this is there.
    pub(super) _watch: Watch,
}

/// A flow.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) client: ClientId,
    pub(super) uid: u32,
    pub(super) adaptive: bool,
    pub(super) settings: Settings,
    /// By cookie and peer.
    pub(super) members: BTreeMap<(u64, SocketAddr), Member>,
    /// The request that has made it.
    pub(super) request: u64,
}

/// The words of the control protocol, and what they mean.
pub(super) const fn meaning(traffic: TrafficType) -> traffic_type::TrafficType {
    match traffic {
        TrafficType::BestEffort => traffic_type::TrafficType::BestEffort,
        TrafficType::Background => traffic_type::TrafficType::Background,
        TrafficType::ExcellentEffort => traffic_type::TrafficType::ExcellentEffort,
        TrafficType::AudioVideo => traffic_type::TrafficType::AudioVideo,
        TrafficType::Voice => traffic_type::TrafficType::Voice,
        TrafficType::Control => traffic_type::TrafficType::Control,
    }
}

const fn shaping(shaping: Shaping) -> traffic_type::Shaping {
    match shaping {
        Shaping::ShapeOnly => traffic_type::Shaping::ShapeOnly,
        Shaping::ShapeAndMark => traffic_type::Shaping::ShapeAndMark,
        Shaping::UseNonConformantMarkings => traffic_type::Shaping::UseNonConformantMarkings,
    }
}

impl Flow {
    /// The marks of its packets, to peers on the link or beyond it.
    pub(super) fn marks(&self, on_link: bool, shape_only_marks: bool) -> PacketPriority {
        let Settings { traffic, dscp, rate, admitted } = self.settings;
        if !admitted {
            return PacketPriority::default();
        }
        let mut how = rate.map(|rate| shaping(rate.shaping));
        if shape_only_marks && how == Some(traffic_type::Shaping::ShapeOnly) {
            how = None;
        }
        let traffic = meaning(traffic);
        let (conforming, excess) = how.map_or_else(|| (traffic.marks(), None), |how| how.marks(traffic));
        let is_marked = how != Some(traffic_type::Shaping::ShapeOnly);
        let has_priority = self.adaptive && on_link;
        PacketPriority {
            dscp: dscp.filter(|_| is_marked).unwrap_or(conforming.dscp),
            excess_dscp: excess.map(|marks| marks.dscp),
            priority: if has_priority { conforming.priority } else { 0 },
            excess_priority: excess.map(|marks| if has_priority { marks.priority } else { 0 }),
        }
    }

    /// Whether all its sockets' peers are on their links.
    pub(super) fn is_on_link(&self) -> bool {
        self.members.values().all(|member| member.way.is_some_and(|way| way.on_link))
    }

    /// The interfaces by which its packets leave.
    pub(super) fn interfaces(&self) -> Vec<InterfaceId> {
        let mut all: Vec<_> =
            self.members.values().filter_map(|member| Some(member.way?.interface)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What the data plane is to do on an interface whose packets have so many octets at most; nothing while it was not admitted.
    pub(super) fn carried_out(
        &self,
        on: InterfaceId,
        mtu: u32,
        shape_only_marks: bool,
    ) -> Option<FlowByHand> {
        if !self.settings.admitted {
            return None;
        }
        let here = || self.members.iter().filter(|(_, member)| member.way.is_some_and(|w| w.interface == on));
        let on_link = here().all(|(_, member)| member.way.is_some_and(|way| way.on_link));
        let marks = self.marks(on_link, shape_only_marks);
        let rate = self.settings.rate;
        let is_shaped = rate.is_some_and(|rate| rate.shaping != Shaping::UseNonConformantMarkings);
        let waiting = here().fold(0_u32, |sum, (_, member)| sum.saturating_add(member.sending));
        let sockets = here().map(|((cookie, peer), _)| SocketPeer { cookie: *cookie, peer: *peer });
        Some(FlowByHand {
            interface: on.0,
            flowspec: rate
                .map_or_else(|| Flowspec::Null(Tspec::null(mtu)), |rate| limited(rate.bandwidth_bps, mtu)),
            wishes: Wishes {
                mode: rate.map(|_| if is_shaped { Mode::Shape } else { Mode::Borrow }),
                dscp: Some(marks.dscp),
                priority: Some(marks.priority),
                begins_here: true,
                unreserved: Some(Reserved::BestEffort),
                ..Wishes::default()
            },
            excess: (marks.excess_dscp, marks.excess_priority),
            filters: Default::default(),
            sockets: sockets.collect(),
            waiting: is_shaped.then(|| waiting.clamp(LEAST_WAITING, MOST_WAITING)),
            rules: Vec::new(),
        })
    }
}

/// A rate as traffic control has it.
fn limited(bandwidth_bps: u64, mtu: u32) -> Flowspec {
    let rate = bandwidth_bps / 8;
    let bucket = (rate.saturating_mul(BUCKET_MS) / 1_000).max(u64::from(mtu) * 2);
    Flowspec::ControlledLoad(Tspec {
        rate: rate as f32,
        bucket: bucket as f32,
        peak: f32::INFINITY,
        min_policed_unit: SMALLEST,
        max_packet_size: mtu,
    })
}
