//! Read-only views of the engine's state, for displays, simulators and tests.
//!
//! Views are made on demand and own what they show; nothing here is on the message path.

use crate::event::AppId;
use crate::interface::InterfaceId;
use crate::time::Instant;
use core::net::IpAddr;
use rsvp_wire::{AdspecSummary, FilterSpec, Flowspec, SenderTemplate, Session, Style, Tspec};

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The session.
    pub session: Session,
    /// The local applications that have it open.
    pub applications: Vec<AppId>,
}

/// How much a session has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Path states.
    pub senders: usize,
    /// Reservation requests.
    pub requests: usize,
    /// Installed reservations.
    pub reservations: usize,
    /// What these take of the interfaces, in bits per second.
    pub charge_bps: u64,
}

/// In how many places there is or was state of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Of sessions.
    pub sessions: u32,
    /// Of path state.
    pub senders: u32,
    /// Of requests.
    pub requests: u32,
    /// Of installed reservations.
    pub reservations: u32,
    /// Of blockade state.
    pub blockades: u32,
}

/// One path state.
#[derive(Clone, Debug, PartialEq)]
pub struct SenderView {
    /// The session.
    pub session: Session,
    /// The sender.
    pub sender: SenderTemplate,
    /// Its traffic.
    pub tspec: Tspec,
    /// The previous hop; `None` for a local application's sender.
    pub previous_hop: Option<IpAddr>,
    /// Where it arrives; `None` for a local application's sender.
    pub incoming: Option<InterfaceId>,
    /// Where it is forwarded.
    pub outgoing: Vec<InterfaceId>,
    /// Kept for local applications only, never forwarded (RFC 2205 section 3.9).
    pub local_only: bool,
    /// TTL with which it arrived, or with which a local sender's data leaves.
    pub ttl: u8,
    /// What the path up to this node offers; of a local sender, what it starts with.
    pub adspec: Option<AdspecSummary>,
    /// Since when it is there, to a tenth of a second.
    pub since: Instant,
    /// When it was refreshed and until when it stands; `None` for a local application's sender, which is refreshed by nobody.
    pub life: Option<Life>,
}

/// The life of soft state (RFC 2205 section 3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When the last refresh came.
    pub refreshed: Instant,
    /// When it dies without another one.
    pub expires: Instant,
}

/// One reservation request: what a next hop or a local application asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestView {
    /// The session.
    pub session: Session,
    /// WF, FF or SE.
    pub style: Style,
    /// Who asks.
    pub from: Requester,
    /// What is asked for each filter; `None` as filter for WF.
    pub flows: Vec<(Option<FilterSpec>, Flowspec)>,
    /// Since when its owner asks for something here, to a tenth of a second.
    pub since: Instant,
    /// Of the part that dies first; `None` for a local application's.
    pub life: Option<Life>,
}

/// Who asks for a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester {
    /// A next hop, over an outgoing interface.
    NextHop {
        /// The outgoing interface the reservation is for.
        interface: InterfaceId,
        /// Address of the next hop.
        address: IpAddr,
    },
    /// A local application.
    App(AppId),
}

/// One element of blockade state (RFC 2205 section 3.5).
#[derive(Clone, Debug, PartialEq)]
pub struct BlockadeView {
    /// The session.
    pub session: Session,
    /// The sender it is for; `None` for a wildcard blockade, which is per previous hop.
    pub sender: Option<FilterSpec>,
    /// The previous hop from which the error came.
    pub previous_hop: IpAddr,
    /// The interface that the Paths of that previous hop arrive on.
    pub incoming: InterfaceId,
    /// The blockade flowspec Qb.
    pub flowspec: Flowspec,
}

/// A neighbour, and what it has of this node's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighbourView {
    /// Where it is heard.
    pub interface: InterfaceId,
    /// Its address on the link; `None` for all others who are heard there, who are not told apart.
    pub address: Option<IpAddr>,
    /// Octets of state that are charged to it.
    pub octets: u64,
    /// Octets that it may have whatever others have.
    pub floor: u64,
    /// Path states.
    pub senders: u32,
    /// Reservation requests.
    pub requests: u32,
    /// Elements of blockade state.
    pub blockades: u32,
    /// Messages that were taken for ones of it.
    pub messages: u64,
    /// How often what it asked for was refused, by cause; nothing where that has not happened.
    pub refused: Vec<(&'static str, u64)>,
}
