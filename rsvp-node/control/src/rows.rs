//! What listings of the control protocol consist of: a row for each piece of state.
//!
//! The rows are what the engine's views say, with interfaces by name. How the control service makes them is in `listing`.

use crate::qos::{Offer, Service, Style, Traffic};
use crate::{Flow, Watched};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use rsvp_wire::{FilterSpec, SenderTemplate, Session};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The word for a previous or next hop that is an application of the node itself.
pub const APPLICATION: &str = "application";

/// The rows of one listing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// Sessions.
    Sessions(Vec<SessionRow>),
    /// Path state.
    Senders(Vec<SenderRow>),
    /// Reservation requests.
    Requests(Vec<RequestRow>),
    /// Installed reservations.
    Reservations(Vec<ReservationRow>),
    /// Blockade state.
    Blockades(Vec<BlockadeRow>),
    /// Interfaces.
    Interfaces(Vec<InterfaceRow>),
    /// Neighbours.
    Neighbours(Vec<NeighbourRow>),
    /// What happened of late, the oldest first.
    Events(Vec<EventRow>),
    /// Flows of the data plane.
    Flows(Vec<FlowRow>),
    /// Counters.
    Counters(Counters),
}

/// A session and how much it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionRow {
    /// The session.
    #[serde(with = "crate::text")]
    pub session: Session,
    /// Local applications that have it open.
    pub applications: usize,
    /// Senders known.
    pub senders: usize,
    /// Reservation requests.
    pub requests: usize,
    /// Installed reservations.
    pub reservations: usize,
    /// What these take of the interfaces, in bits per second.
    pub charge_bps: u64,
}

/// Path state of one sender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SenderRow {
    /// The session.
    #[serde(with = "crate::text")]
    pub session: Session,
    /// The sender.
    #[serde(with = "crate::text")]
    pub sender: SenderTemplate,
    /// Its traffic.
    pub traffic: Traffic,
    /// Address of the previous hop, or [`APPLICATION`].
    pub previous_hop: String,
    /// Where it arrives; `None` for a local sender.
    pub interface: Option<String>,
    /// Where it is forwarded.
    pub outgoing: Vec<String>,
    /// Kept for local applications only, never forwarded.
    pub local_only: bool,
    /// Why it is forwarded nowhere, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_forwarded: Option<String>,
    /// What errors of ICMP say of its Path, where that is so and nobody has reserved since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undelivered: Option<String>,
    /// Why its data goes nowhere from here although its Path does, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_not_forwarded: Option<String>,
    /// TTL with which it arrived, or with which a local sender's data leaves.
    #[serde(default)]
    pub ttl: u8,
    /// What the path offers up to here, when the sender asked for that to be collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adspec: Option<Offer>,
    /// Since how many milliseconds it is there, to a tenth of a second.
    #[serde(default)]
    pub age_ms: u64,
    /// How long ago it was refreshed last, in milliseconds; nothing for a local sender, which nobody refreshes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshed_ms: Option<u64>,
    /// In how many milliseconds it dies unless it is refreshed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
}

/// Something that happened of late.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// How long ago, in milliseconds.
    pub ago_ms: u64,
    /// What it was.
    pub watched: Watched,
}

/// What a next hop or a local application asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestRow {
    /// The session.
    #[serde(with = "crate::text")]
    pub session: Session,
    /// Its style.
    pub style: Style,
    /// Address of the next hop, or [`APPLICATION`].
    pub next_hop: String,
    /// Which application, when it is one.
    pub application: Option<u32>,
    /// The interface it is for; `None` for a local application.
    pub interface: Option<String>,
    /// What is asked for which senders.
    pub flows: Vec<Flow>,
    /// Since how many milliseconds its owner asks for something, to a tenth of a second.
    #[serde(default)]
    pub age_ms: u64,
    /// How long ago it was refreshed last, in milliseconds, in the part that dies first; nothing for a local application's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshed_ms: Option<u64>,
    /// In how many milliseconds that part dies unless it is refreshed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
}

/// An installed reservation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReservationRow {
    /// Names it while it stands.
    pub id: String,
    /// The session.
    #[serde(with = "crate::text")]
    pub session: Session,
    /// The interface it is on.
    pub interface: String,
    /// Its style.
    pub style: Style,
    /// The senders whose packets may use it; empty for WF.
    #[serde(with = "crate::text::list")]
    pub filters: Vec<FilterSpec>,
    /// The effective flowspec.
    pub flowspec: Service,
    /// What it takes of the interface, in bits per second.
    pub charge_bps: u64,
    /// Where its traffic may have to be policed: `entry`, `merge`, `branch` (RFC 2205 section 3.8).
    pub police: Vec<String>,
    /// The DSCP that its requests ask for on packets that conform (RFC 2996).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dscp: Option<u8>,
    /// The priority of IEEE 802.1Q that they ask for (RFC 2814).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
}

/// A flow as it is in the data plane, and what was counted of it there since it was installed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowRow {
    /// The reservation's, or `stale.` and a number.
    pub id: String,
    /// `installed`, or `stale`: left by an earlier run of the daemon, and kept until it is asked for again or its time is over.
    /// Its style is then the one that its filters have.
    pub state: String,
    /// The interface by which it leaves.
    pub interface: String,
    /// The session.
    #[serde(with = "crate::text")]
    pub session: Session,
    /// The style of the reservation.
    pub style: Style,
    /// The senders whose packets are of it; empty for WF.
    #[serde(with = "crate::text::list")]
    pub filters: Vec<FilterSpec>,
    /// `guaranteed`, `controlled-load` or `null`; of a flow of this host without a reservation `network-control` or `best-effort`.
    pub service: String,
    /// What the application that sends it calls it (QOS_FRIENDLY_NAME).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The class of packets that conform; nothing where the interface has no classes.
    pub class: Option<String>,
    /// What it is held to or has for itself, in bits per second: r, or R of Guaranteed service; 0 of the Null service.
    pub rate_bps: u64,
    /// Packets that conformed.
    pub packets: u64,
    /// Their octets, from the IP header on.
    pub octets: u64,
    /// Packets that did not conform.
    pub excess_packets: u64,
    /// Their octets.
    pub excess_octets: u64,
    /// Packets that were dropped: of the excess, or because the flow's own class was full.
    pub dropped_packets: u64,
    /// Octets that wait in the flow's own class; nothing where it shares one.
    pub backlog_octets: Option<u32>,
}

/// One element of blockade state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockadeRow {
    /// The session.
    #[serde(with = "crate::text")]
    pub session: Session,
    /// The sender it is for; `None` for a wildcard blockade.
    #[serde(with = "crate::text::option")]
    pub sender: Option<FilterSpec>,
    /// The previous hop from which the error came.
    pub previous_hop: IpAddr,
    /// The interface that the Paths of that previous hop arrive on.
    pub incoming: String,
    /// The blockade flowspec.
    pub flowspec: Service,
}

/// An interface and what is reserved on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InterfaceRow {
    /// Its name.
    pub name: String,
    /// The number the engine knows it by.
    pub index: u32,
    /// Its logical interface handle.
    pub lih: u32,
    /// IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
    /// False while the link is down.
    pub up: bool,
    /// False when RSVP is switched off here.
    pub enabled: bool,
    /// Largest packet, in octets.
    pub mtu: u32,
    /// Rate of the link, in bits per second.
    pub bandwidth_bps: u64,
    /// Whether that is what the driver of a virtual interface says, whatever is behind it, and nobody has said otherwise.
    #[serde(default)]
    pub guessed: bool,
    /// What may be reserved of it, in bits per second.
    pub reservable_bps: u64,
    /// What is reserved, in bits per second.
    pub reserved_bps: u64,
    /// Refresh period R, in milliseconds.
    pub refresh_ms: u64,
    /// Whether hosts that can only send UDP are served here (RFC 2205 Appendix C); on such a host, where it speaks.
    #[serde(default)]
    pub udp: bool,
    /// Messages by UDP here that were none or not believed: in the name of another, of a raw neighbour, or from outside the link.
    #[serde(default)]
    pub udp_refused: u64,
    /// What keeps the promises of reservations here: `none: …` with why, `ready`, what the egress program hangs on (`tcx`,
    /// `clsact`) with `, htb` where there are classes, `refused: …` with why.
    #[serde(default)]
    pub data_plane: String,
}

/// A neighbour, known by the state that came from it, or because it was heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeighbourRow {
    /// The interface it is reached over.
    pub interface: String,
    /// Its address; nothing for all who are heard there and are not on the link, who are not told apart.
    pub address: Option<IpAddr>,
    /// Senders for which it is the previous hop.
    pub senders: usize,
    /// Requests for which it is the next hop.
    pub requests: usize,
    /// How long ago something of it was refreshed, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_ms: Option<u64>,
    /// Octets of state that are charged to it; nothing where it is charged with all others who are not on the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub octets: Option<u64>,
    /// Octets that it may have whatever others have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_octets: Option<u64>,
    /// Path states, requests and elements of blockade state that are charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states: Option<u64>,
    /// Messages that were taken for ones of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// How often what it asked for was refused, by cause; those that have not happened are not there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, u64>,
}

/// Everything that is counted since the daemon started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Messages received with sound framing, by type.
    pub received: BTreeMap<String, u64>,
    /// Messages sent, by type.
    pub sent: BTreeMap<String, u64>,
    /// Messages dropped, by reason.
    pub discards: BTreeMap<String, u64>,
    /// What the daemon counts beside the engine: sockets, kernel, clients.
    pub driver: BTreeMap<String, u64>,
}
