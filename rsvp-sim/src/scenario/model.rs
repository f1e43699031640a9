//! A scenario as it is run: names resolved, units read, defaults filled in.
//!
//! Addresses are deliberately absent: they follow from the family, which can be chosen anew for every run.

use super::index::Index;
pub use super::loads::{Load, Pattern, Source};
use crate::facts::Facts;
use core::net::IpAddr;
use core::time::Duration;

macro_rules! place {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub usize);
    )*};
}

place! {
    /// Place of a node in its scenario.
    NodeId
    /// Place of a link or LAN in its scenario.
    LinkId
    /// Place of a session in its scenario.
    SessionId
    /// Place of a sender in its scenario.
    SenderId
    /// Place of a receiver in its scenario.
    ReceiverId
}

/// A world to set up, what happens in it, and what is expected of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file it came from.
    pub file: String,
    /// Its name.
    pub name: String,
    /// What it shows.
    pub description: String,
    /// Everything random comes from this.
    pub seed: u64,
    /// Addresses of this family are given out.
    pub family: Family,
    /// When the run ends.
    pub duration: Duration,
    /// Refresh period R on all interfaces.
    pub refresh: Duration,
    /// K of the lifetime rule.
    pub lifetime_multiplier: u32,
    /// Kb of the blockade timer.
    pub blockade_multiplier: u32,
    /// Octets of state that neighbours of a node may have together, and how many of an interface are told apart.
    pub room: Room,
    /// Wait W after a route change.
    pub local_repair_wait: Duration,
    /// Within which time of a change of routes nodes hear of it, each at a moment of its own; all at once, if zero.
    pub convergence: Duration,
    /// When links stop losing, duplicating, reordering and corrupting packets; never, without.
    pub faults_until: Option<Duration>,
    /// How much faster than this time a lab's real time is; as fast as makes R a second, without.
    pub lab_speed: Option<f64>,
    /// Hosts and routers.
    pub nodes: Vec<Node>,
    /// Links and LANs.
    pub links: Vec<Link>,
    /// Routes that are not the shortest ones.
    pub routes: Vec<ExplicitRoute>,
    /// Sessions.
    pub sessions: Vec<SessionPlan>,
    /// Senders.
    pub senders: Vec<Sender>,
    /// Receivers.
    pub receivers: Vec<Receiver>,
    /// Packets that are sent.
    pub loads: Vec<Load>,
    /// What happens when.
    pub actions: Vec<Action>,
    /// What has to be seen.
    pub expectations: Vec<Expectation>,
    /// Only while it is read, or runs.
    pub(crate) index: Index,
}

/// Address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// The least MTU that a link may have: RFC 791 has hosts take 576 octets, RFC 8200 wants 1280.
    #[must_use]
    pub fn least_mtu(self) -> u32 {
        if self == Self::Ipv4 { 576 } else { 1280 }
    }
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Routers forward, hosts do not.
    pub router: bool,
    /// A router without RSVP: it forwards RSVP messages like any other packet, and keeps no state.
    pub plain: bool,
    /// How much faster than time its clock runs, in millionths; negative for a slow one.
    pub clock_ppm: i32,
    /// An object that its requests carry and that nobody understands: its class, and how many octets it has.
    pub carries: Option<(u8, u16)>,
}

/// A point-to-point link or a broadcast LAN.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Whether it is a LAN.
    pub lan: bool,
    /// Who is attached.
    pub ends: Vec<NodeId>,
    /// Bits per second in each direction.
    pub rate_bps: u64,
    /// Propagation delay.
    pub delay: Duration,
    /// Largest IP packet, in octets.
    pub mtu: u32,
    /// What reservations may take of each direction, in bits per second.
    pub reservable_bps: u64,
    /// What makes other software refuse a request for this link.
    pub refusal: Option<Refusal>,
    /// Share of packets lost.
    pub loss: f64,
    /// Share of packets that arrive twice.
    pub duplicate: f64,
    /// Share of packets that are held up, so that later ones overtake them.
    pub reorder: f64,
    /// How long those are held up at most.
    pub reorder_by: Duration,
    /// Share of packets that arrive damaged: an octet changed, or the end missing.
    pub corrupt: f64,
    /// Which packets of data go first.
    pub scheduler: Scheduler,
    /// Octets that wait in each of its queues at most.
    pub queue: u64,
    /// Cost in shortest paths.
    pub cost: u64,
    /// Error term C, in octets.
    pub error_c: u32,
    /// Error term D, in microseconds.
    pub error_d_us: u32,
}

/// Which packets of data leave first where several wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// Those that came first, whatever is reserved.
    Fifo,
    /// What Guaranteed service has promised, each flow at its rate; then Controlled-Load; then everything else.
    Priority,
}

/// A rule of a router that is not ours: requests for more burst than it has room for are refused, under a value of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Refusal {
    /// The largest bucket that it takes, in octets.
    pub bucket: f64,
    /// The Error Value that it gives with Admission Control failure.
    pub value: u16,
}

/// A route at one node that overrides shortest paths.
#[derive(Clone, Debug)]
pub struct ExplicitRoute {
    /// Where it holds.
    pub node: NodeId,
    /// What it is for.
    pub target: RouteTarget,
    /// Only for data of this sender.
    pub sender: Option<SenderId>,
    /// Where data comes from, when stated.
    pub incoming: Option<LinkId>,
    /// Where data goes.
    pub outgoing: Vec<LinkId>,
}

/// What an explicit route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteTarget {
    /// Data of a session.
    Session(SessionId),
    /// Everything to a node.
    Node(NodeId),
}

/// A session.
#[derive(Clone, Debug)]
pub struct SessionPlan {
    /// Its name.
    pub name: String,
    /// Where its data goes.
    pub destination: Destination,
    /// IP protocol number.
    pub protocol: u8,
    /// Destination port.
    pub port: u16,
    /// Whether that is a virtual one, and senders have an SPI (RFC 2207).
    pub gpi: bool,
}

/// Destination of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A node's first address.
    Node(NodeId),
    /// A multicast group; the number makes its address.
    Group(u16),
    /// A multicast group with this address.
    Address(IpAddr),
}

/// A sending application.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Its name.
    pub name: String,
    /// Where it runs.
    pub node: NodeId,
    /// What it sends to.
    pub session: SessionId,
    /// Source port.
    pub port: u16,
    /// Security parameter index, in a session with a virtual port.
    pub spi: u32,
    /// What it announces.
    pub traffic: Traffic,
    /// Services whose ADSPEC fragments it sends: Guaranteed, Controlled-Load. None at all without.
    pub adspec: Option<(bool, bool)>,
    /// IP TTL of the data.
    pub ttl: u8,
    /// When it starts.
    pub start: Duration,
    /// In a lab it is a QoS socket, and sends its data.
    pub socket: bool,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Token rate, in bits per second.
    pub rate_bps: f64,
    /// Bucket depth, in octets.
    pub bucket: f64,
    /// Peak rate, in bits per second; may be infinite.
    pub peak_bps: f64,
    /// Minimum policed unit, in octets.
    pub min_packet: u32,
    /// Maximum packet size, in octets.
    pub max_packet: u32,
}

/// A receiving application.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// Where it runs.
    pub node: NodeId,
    /// What it listens to.
    pub session: SessionId,
    /// When it opens the session.
    pub start: Duration,
    /// Not to reserve before this.
    pub reserve_at: Option<Duration>,
    /// Reserves only once a matching sender has been announced.
    pub wait_for_path: bool,
    /// What it asks for; none for a receiver that only listens.
    pub request: Option<Request>,
    /// In a lab it is a QoS socket, and counts the data that it gets.
    pub socket: bool,
}

/// What a receiver asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Style.
    pub style: ReservationStyle,
    /// One flow for WF and SE, one for each sender for FF.
    pub flows: Vec<Flow>,
    /// Whether a confirmation is asked for.
    pub confirm: bool,
}

/// A service, its parameters, and whose packets it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// The senders; none for WF.
    pub filters: Vec<SenderId>,
    /// The token bucket asked for.
    pub traffic: Traffic,
    /// The service.
    pub service: Service,
}

/// A service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Service {
    /// Controlled-Load (RFC 2211).
    ControlledLoad,
    /// Guaranteed (RFC 2212).
    Guaranteed {
        /// R, in bits per second.
        reserve_bps: f64,
        /// Slack S, in microseconds.
        slack_us: u32,
    },
}

/// Reservation style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationStyle {
    /// Wildcard filter.
    Wf,
    /// Fixed filter.
    Ff,
    /// Shared explicit.
    Se,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub struct Action {
    /// When.
    pub at: Duration,
    /// What.
    pub deed: Deed,
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum Deed {
    /// A sender announces something else.
    ChangeSender(SenderId, Traffic),
    /// A receiver asks for something else, or asks again.
    ChangeReceiver(ReceiverId, Request),
    /// A sender stops.
    TearSender(SenderId),
    /// A receiver gives up its reservation, or only that for these senders.
    TearReceiver(ReceiverId, Vec<SenderId>),
    /// A receiver gives up the session.
    Leave(ReceiverId),
    /// A link goes down.
    LinkDown(LinkId),
    /// A link comes up.
    LinkUp(LinkId),
    /// A node loses all its state and stays away for a while.
    Crash(NodeId, Duration),
}

/// Something that has to be seen.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Line in the file.
    pub line: usize,
    /// Why it is expected, for readers of the report.
    pub about: String,
    /// What kind of thing.
    pub what: What,
    /// When.
    pub when: When,
    /// Which of them.
    pub select: Facts,
    /// What has to hold for those.
    pub test: Test,
}

/// Kinds of things that can be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Reservations installed on outgoing interfaces.
    Reservations,
    /// Path state.
    Paths,
    /// Requests that stand at a node.
    Requests,
    /// Blockade state.
    Blockades,
    /// Messages sent.
    Messages,
    /// Events that applications were told.
    Events,
    /// What became of the data of QoS sockets, which only a lab has.
    Data,
    /// Messages dropped by nodes.
    Discards,
    /// That no state is left.
    Empty,
    /// What became of the packets that are sent.
    Traffic,
}

/// When something is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At one point in time.
    At(Duration),
    /// At any time from the first to the second, both included.
    Within(Duration, Duration),
}

/// What has to hold.
#[derive(Clone, Debug)]
pub enum Test {
    /// These and no other; repeated messages count once.
    Exactly(Vec<Facts>),
    /// So many, from the first to the second number.
    Number(u64, u64),
}

/// How much state neighbours may make on each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Octets of all of them together.
    pub state_octets: u64,
    /// Neighbours of one interface that are told apart.
    pub neighbours: u32,
}

impl Default for Room {
    fn default() -> Self {
        let limits = rsvp_node::Limits::default();
        Self { state_octets: limits.state_octets, neighbours: limits.neighbours_per_interface }
    }
}
