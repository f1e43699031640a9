//! The boundary: everything that enters the engine and everything that leaves it.
//!
//! Every call of [`Engine::handle`](crate::Engine::handle) is followed by draining
//! [`Engine::poll`](crate::Engine::poll) until it answers [`Output::Idle`]. `Input` is closed and time is an argument,
//! so a journal of inputs replays a node.

use crate::carried::Carried;
use crate::claim::{Claim, Held};
use crate::event::{AppId, Event};
use crate::interface::{Interface, InterfaceId};
use crate::time::Instant;
use core::net::IpAddr;
use rsvp_wire::{FilterSpec, Flowspec, ParseError, SenderTemplate, Session, Style, Tspec};
use thiserror::Error;

/// Everything that can happen to a node.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// An RSVP message arrived.
    Packet(Rx<'a>),
    /// A local application asks for something.
    Command(Command<'a>),
    /// An interface appeared or changed. What one that is down has brought and served ends, beginning with the next `Timer`.
    InterfaceChanged(Interface),
    /// Routes changed; path state whose destination is named (all path state for `None`) asks again and is repaired
    /// locally after W (RFC 2205 section 3.6).
    RouteChanged {
        /// The session destination whose routes changed, or `None` for all of them.
        destination: Option<IpAddr>,
    },
    /// An earlier run's reservations still stand in the data plane: their share of an interface is given to nobody but their
    /// session, which takes of it what it is admitted for. Replaces what was said of the session,
    /// interface and service before.
    Held(Held),
    /// The data plane cannot do what it was told in [`Output::TrafficControl`], or no longer.
    TrafficControl(TcAnswer),
    /// Time has passed: the driver calls with this when [`Output::Idle`]'s `until` is reached. Does bounded work;
    /// the next `Idle` says when to come again.
    Timer,
}

/// A received message and what its IP header said.
#[derive(Clone, Copy, Debug)]
pub struct Rx<'a> {
    /// Where it arrived.
    pub interface: InterfaceId,
    /// IP source address.
    pub source: IpAddr,
    /// IP destination address. The driver hands up what is addressed to this node and what Router Alert diverted.
    pub destination: IpAddr,
    /// IP TTL (or hop limit) as received.
    pub ttl: u8,
    /// The message from its common header on.
    pub octets: &'a [u8],
}

/// What an application can ask for (RFC 2205 section 3.11.1).
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub enum Command<'a> {
    /// SESSION: report this session's events to `app`.
    OpenSession {
        /// Who asks.
        app: AppId,
        /// The session.
        session: Session,
    },
    /// SENDER: announce a flow, or change what was announced. Opens the session too.
    Sender {
        /// Who asks.
        app: AppId,
        /// The session.
        session: Session,
        /// Source address and port of the data; the address is one of this node's.
        sender: SenderTemplate,
        /// The traffic the sender will generate.
        tspec: Tspec,
        /// Which services the receivers may choose (RFC 2210 section 2.2); `None` sends no ADSPEC.
        adspec: Option<AdspecOffer>,
        /// IP TTL of the data, and so of the Path messages.
        ttl: u8,
        /// Where the data leaves; `None` for the interface with the sender's address.
        interface: Option<InterfaceId>,
        /// What the Path messages carry for receivers.
        carried: Option<&'a Carried>,
    },
    /// Stops announcing one sender; a PathTear leaves.
    RemoveSender {
        /// Who asks.
        app: AppId,
        /// The session.
        session: Session,
        /// The sender to forget.
        sender: SenderTemplate,
    },
    /// RESERVE: makes a reservation, or replaces the one this application has in the session. Opens the session too.
    /// The request stands until it is replaced or released, whether or not a sender is there yet.
    Reserve {
        /// Who asks.
        app: AppId,
        /// The session.
        session: Session,
        /// WF, FF or SE.
        style: Style,
        /// WF: one, without filters. SE: one, with filters. FF: each with exactly one filter.
        flows: &'a [FlowRequest<'a>],
        /// Asks for a ResvConf.
        confirm: bool,
        /// The interface on which the data is received; `None` for the one routing implies.
        interface: Option<InterfaceId>,
        /// What the Resv messages carry for senders.
        carried: Option<&'a Carried>,
    },
    /// Gives up this application's reservation in the session; a ResvTear leaves.
    ReleaseReservation {
        /// Who asks.
        app: AppId,
        /// The session.
        session: Session,
    },
    /// RELEASE: gives up this application's senders, reservation and interest in the session.
    Release {
        /// Who asks.
        app: AppId,
        /// The session.
        session: Session,
    },
    /// A flow that is not signalled takes its share of an interface, or gives it back.
    Claim(Claim),
}

/// One element of a reservation request: a QoS and the senders it is for.
#[derive(Clone, Copy, Debug)]
pub struct FlowRequest<'a> {
    /// The service and its parameters.
    pub flowspec: Flowspec,
    /// The senders; empty for WF.
    pub filters: &'a [FilterSpec],
}

/// Which service fragments a new ADSPEC carries beside the default one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdspecOffer {
    /// Guaranteed service (RFC 2212).
    pub guaranteed: bool,
    /// Controlled-Load service (RFC 2211).
    pub controlled_load: bool,
    /// Null service (RFC 2997); when it is the only one, of the sender's Tspec only M is announced.
    pub null: bool,
}

/// What became of an input.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was processed.
    Taken,
    /// A message was dropped; the counter of the reason was raised.
    Discarded(Discard),
    /// A command was refused and changed nothing.
    Refused(Refusal),
}

/// Why a received message was dropped. One counter per reason, see [`Counters`](crate::Counters).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Discard {
    /// Framing, checksum or an object body is broken.
    #[error("malformed message: {0}")]
    Malformed(ParseError),
    /// The common header's message type is none we speak.
    #[error("unknown message type")]
    UnknownMessageType,
    /// It arrived on an interface that does not exist, is down, or has RSVP switched off.
    #[error("interface unknown, down or disabled for RSVP")]
    InterfaceDisabled,
    /// It is addressed to another node, and is not of a type that Router Alert diverts.
    #[error("addressed to another node")]
    NotForThisNode,
    /// An object that the message type requires is missing, repeated, or out of order.
    #[error("required object missing or misplaced")]
    BadGrammar,
    /// An object of unknown class that asks for rejection, or of unknown C-Type; an error was sent where one can be.
    #[error("unknown object class or C-Type")]
    UnknownObject,
    /// Address families of the objects disagree, or an address is zero or no unicast address where one is needed.
    #[error("illegal address")]
    BadAddress,
    /// SrcPort set although DstPort is zero (RFC 2205 section 3.2, rule 2).
    #[error("source port without destination port")]
    BadSourcePort,
    /// A refresh period of zero.
    #[error("refresh period is zero")]
    BadTimeValues,
    /// The logical interface handle names no interface of this node.
    #[error("logical interface handle unknown")]
    BadLih,
    /// A teardown, error or confirmation for state that is not here.
    #[error("no matching state")]
    NoState,
    /// The message asks for something in error; a PathErr or ResvErr was sent to say so.
    #[error("rejected with an error message")]
    Rejected,
    /// It is our own message come back.
    #[error("own message looped back")]
    OwnMessage,
    /// A configured limit on sessions, senders, requests or filters is reached.
    #[error("a configured limit is reached")]
    LimitReached,
    /// An error, confirmation or event could not be queued.
    #[error("output queue full")]
    QueueFull,
    /// The IP TTL is used up.
    #[error("TTL exhausted")]
    TtlExhausted,
    /// Routing has no way to forward a confirmation.
    #[error("no route")]
    NoRoute,
    /// An error about a limit was not sent, because the interface has had its share of them; or one did not go on to a next hop, because too
    /// many have because of one neighbour.
    #[error("too many errors")]
    ErrorSuppressed,
    /// A message to send found its interface down or disabled.
    #[error("interface of a message to send is down")]
    NotSendable,
    /// Objects to be forwarded were left out of a message: all that its requests bring along is more than a neighbour
    /// accepts.
    #[error("too many objects to forward in one message")]
    ObjectsLeftOut,
    /// It does not come from the sender or the hop that it names, nor from whoever has made the state.
    #[error("from another address than the sender or hop that it names")]
    ForeignSource,
    /// A message to send would exceed the largest IP datagram.
    #[error("message to send exceeds 65535 octets")]
    TooLarge,
}

/// Why a command was refused.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The session's address or protocol is zero, or a port is missing for UDP or TCP, or a virtual one for ESP or AH.
    #[error("the session needs a destination address, a protocol and, for UDP, TCP, ESP and AH, a port")]
    BadSession,
    /// The sender's address is not one of this node's, or of the wrong family, or it has a port in a session without.
    #[error("the sender's address and port do not fit this node and session")]
    BadSender,
    /// A sender has an SPI and its session no virtual port, or the other way round (RFC 2207 section 4.1).
    #[error(
        "sender and session are of different kinds: a session of ESP or AH with a virtual port has senders with an SPI, no other has"
    )]
    ConflictingCType,
    /// A TSpec or flowspec value is negative, not a number, or contradicts itself.
    #[error("a traffic parameter is out of range")]
    BadTrafficParameter,
    /// The style is none of WF, FF, SE, or the filters do not fit it.
    #[error("the style is unknown or its filters do not fit it")]
    BadStyle,
    /// Sessions with the same destination and protocol exist with a port where this one has none, or without where it
    /// has one (RFC 2205 section 3.2, rule 1), or the sender's address is announced with a port and without (rule 3).
    #[error("ports conflict with those of other sessions or senders")]
    ConflictingPorts,
    /// Another application of this node already announces that sender.
    #[error("this sender is announced by another application")]
    SenderTaken,
    /// The reservation conflicts in style with one that stands in the session.
    #[error("the style conflicts with a reservation that stands")]
    ConflictingStyle,
    /// The reservation asks for another service than one that stands in the session (RFC 2210 section 2.2).
    #[error("the service conflicts with a reservation that stands")]
    ConflictingService,
    /// The named interface does not exist or has no address of the session's family.
    #[error("no such interface for this session")]
    NoInterface,
    /// The interface has not so much left to be reserved.
    #[error("the interface has not so much bandwidth left")]
    BandwidthUnavailable,
    /// There is nothing of that kind to change or release.
    #[error("nothing there to change")]
    NotFound,
    /// A configured limit is reached.
    #[error("a configured limit is reached")]
    LimitReached,
}

impl Refusal {
    /// The word for it in journals and on the control socket.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadSession => "bad-session",
            Self::BadSender => "bad-sender",
            Self::ConflictingCType => "conflicting-c-type",
            Self::BadTrafficParameter => "bad-traffic-parameter",
            Self::BadStyle => "bad-style",
            Self::ConflictingPorts => "conflicting-ports",
            Self::SenderTaken => "sender-taken",
            Self::ConflictingStyle => "conflicting-style",
            Self::ConflictingService => "conflicting-service",
            Self::NoInterface => "no-interface",
            Self::BandwidthUnavailable => "bandwidth-unavailable",
            Self::NotFound => "not-found",
            Self::LimitReached => "limit-reached",
        }
    }
}

/// Everything that leaves the engine.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Output<'b> {
    /// Send a message.
    Transmit(Transmit<'b>),
    /// Set up, change or remove a reservation in the data plane.
    TrafficControl(TrafficControl),
    /// Tell an application.
    Event(Event),
    /// The buffer is too small for the next message: call again with at least that many octets.
    NeedSpace(usize),
    /// Nothing more to do until then (`None`: until the next input), and what will happen. Mass work is done a piece at a time: then
    /// this is now, and work is left.
    Idle {
        /// When to call [`Engine::handle`](crate::Engine::handle) with [`Input::Timer`].
        until: Option<Instant>,
        /// What is due then.
        why: Why,
    },
}

/// Why the engine wants to be woken.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No timer runs.
    Nothing,
    /// Path state is to be refreshed, repaired or found dead.
    Path,
    /// A reservation request may have died.
    Resv,
    /// A Resv refresh is due.
    ResvRefresh,
    /// Blockade state ends.
    Blockade,
    /// Work was cut into pieces (routes to look up again, timers to sort): the next piece can run at once.
    Housekeeping,
}

/// A message to send. TOS 0xc0; IP protocol 46.
#[derive(Clone, Copy, Debug)]
pub struct Transmit<'b> {
    /// The interface to send it out of.
    pub interface: InterfaceId,
    /// IP destination address.
    pub destination: IpAddr,
    /// IP source address.
    pub source: Source,
    /// IP TTL, equal to Send_TTL.
    pub ttl: u8,
    /// Whether the Router Alert option is on (Path, PathTear, ResvConf; RFC 2205 section 3.3).
    pub router_alert: bool,
    /// The message from its common header on.
    pub octets: &'b [u8],
}

/// Source address of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The outgoing interface's own.
    Own,
    /// The flow sender's (Path and PathTear, RFC 2205 section 3.1.3).
    Foreign(IpAddr),
}

/// Names an installed reservation for as long as it stands; ids are not reused while their generation lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReservationId {
    /// Place in the table.
    pub index: u32,
    /// Tells successive users of the place apart.
    pub generation: u32,
}

/// A change for the data plane (RFC 2205 section 3.11.2).
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficControl {
    /// The reservation.
    pub reservation: ReservationId,
    /// The interface it is on.
    pub interface: InterfaceId,
    /// What to do.
    pub change: TcChange,
}

/// What to do with a reservation in the data plane.
#[derive(Clone, Debug, PartialEq)]
pub enum TcChange {
    /// Install, or modify what is installed under the same id.
    Install(Reservation),
    /// Remove it.
    Remove,
}

/// What the data plane says of a reservation that it was told to install.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TcAnswer {
    /// The reservation; an answer about one that is gone is discarded.
    pub reservation: ReservationId,
    /// What became of it.
    pub verdict: TcVerdict,
}

/// What became of a reservation in the data plane. Whoever asked for it is told by an error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TcVerdict {
    /// It could not be installed or changed: it is removed, error 22 (RFC 2205 Appendix B).
    Failed,
    /// What it asks for is nothing that the data plane can do, today or ever: it is removed, error 21 with this value (RFC 2205
    /// Appendix B: 2 for the service, 3 for the flowspec's numbers).
    Unfit {
        /// The Error Value.
        value: u16,
    },
    /// Something more important has taken its place: it is removed, error 12 (RFC 2205 Appendix B).
    Preempted,
    /// It stays with less: error 02/102 says with how much (RFC 4495).
    Reduced {
        /// The rate that is left, in octets per second.
        rate: f32,
    },
}

/// A reservation as it is installed on an outgoing interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservation {
    /// The session.
    pub session: Session,
    /// WF, FF or SE.
    pub style: Style,
    /// The senders whose packets may use it; empty for WF: all of them.
    pub filters: Vec<FilterSpec>,
    /// The effective flowspec: the merged request, its TSpec limited by what the senders announce (RFC 2205 section 2.2).
    pub flowspec: Flowspec,
    /// What it takes of the interface's budget, in bits per second.
    pub charge_bps: u64,
    /// Why its traffic may have to be policed here.
    pub police: Police,
    /// The marks that receivers, or the network behind this node, ask for.
    pub remark: Remark,
}

/// The marks that packets which conform are to have, as the requests of a reservation say; nothing where they do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remark {
    /// The first DSCP of the DCLASS (RFC 2996). Where requests have different ones, of those with the fewest DSCPs the lowest.
    pub dscp: Option<u8>,
    /// The user priority of the TCLASS (RFC 2814 section 4.2.2.8), the highest where requests have different ones.
    pub priority: Option<u8>,
}

/// The policing flags of a reservation (RFC 2205 section 3.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Police {
    /// E_Police_Flag: this is the first node on the way that can police.
    pub entry: bool,
    /// M_Police_Flag: a shared reservation merges the flows of several senders.
    pub merge: bool,
    /// B_Police_Flag: less is installed here than on another interface for the same flow, or something incomparable.
    pub branch: bool,
}
