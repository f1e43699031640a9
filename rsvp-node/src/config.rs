//! What a node is configured with. Seeds and limits live here so that a run can be repeated octet for octet.

use core::time::Duration;

/// Configuration of one engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Seed of the refresh jitter. Neighbours see what it yields, so it is no secret.
    pub seed: u64,
    /// Seed of the index hashes, and key of digests; a secret on a node that strangers can reach, or they could aim at one bucket.
    pub hash_seed: u64,
    /// Blockade multiplier Kb: blockade state lives `Kb * R` (RFC 2205 section 3.5).
    pub blockade_multiplier: u32,
    /// IP TTL of messages this node originates other than Path and PathTear.
    pub ttl: u8,
    /// Whether a minimum policed unit of zero is refused, as RFC 2215 section 3.6 has it; routers in wide use send it.
    pub strict_tspec: bool,
    /// By how much the driver may be late with [`Input::Timer`](crate::Input::Timer): one that has timers fire together, in ticks. Refreshes
    /// are timed so much earlier that they stay within [0.5 R, 1.5 R].
    pub timer_latency: Duration,
    /// Whether a Path or Resv that is new is sent again early, once: nothing else repairs its loss before the next refresh (RFC 2205
    /// section 3.7, rule 6).
    pub repeats_new: bool,
    /// Whether the lists of all tables are laid out at once for as many sessions as `limits` allows, so that none of them ever moves: for a
    /// million sessions 1.2 MB, which are touched only as they fill. A simulation of very many small nodes does without.
    pub lays_out: bool,
    /// Senders of a session, and filters of a request, that are looked at one by one; more of them are found by number, and what is asked for
    /// them is kept merged. What a node does is the same: tests have it do so with few, too.
    pub few: u32,
    /// Upper bounds on everything a peer or an application can make grow.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 0,
            hash_seed: 0,
            blockade_multiplier: 3,
            ttl: 64,
            strict_tspec: false,
            timer_latency: Duration::ZERO,
            repeats_new: false,
            lays_out: true,
            few: 16,
            limits: Limits::default(),
        }
    }
}

/// Upper bounds; each has a [`Discard`](crate::Discard) or [`Refusal`](crate::Refusal) of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sessions on this node.
    pub sessions: u32,
    /// Path states (senders) of one session.
    pub senders_per_session: u32,
    /// Reservation requests (next hops and local applications) of one session.
    pub requests_per_session: u32,
    /// Filter specs in one reservation request.
    pub filters_per_request: u32,
    /// Refresh period R that a neighbour may announce, in milliseconds: state lives by it, and longer ones would fill a node with
    /// what nobody refreshes.
    pub refresh_ms: u32,
    /// Neighbours of one interface that are told apart, all others among them as one; two at least.
    pub neighbours_per_interface: u32,
    /// Octets of state that neighbours may have together; how they are divided among them is in docs/limits.md.
    pub state_octets: u64,
    /// Errors, confirmations and events that wait to be drained; more are dropped and counted.
    pub queue: u32,
}

/// A limit as it is told to whoever exceeds it: Error Value of code 23, RSVP System error, whose values each
/// implementation chooses (RFC 2205 Appendix B).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Limit {
    /// Sessions on this node.
    Sessions = 1,
    /// Path states of one session.
    SendersPerSession = 2,
    /// Reservation requests of one session.
    RequestsPerSession = 3,
    /// Filter specs in one reservation request.
    FiltersPerRequest = 4,
    /// Octets of objects that a message asks to be kept and forwarded without being understood.
    ForwardedOctets = 5,
    /// The refresh period R of a neighbour.
    RefreshPeriod = 6,
    /// Octets of state of one neighbour.
    NeighbourState = 7,
}

impl Limit {
    /// All of them, in the order of their values.
    pub(crate) const ALL: [Self; 7] = [
        Self::Sessions,
        Self::SendersPerSession,
        Self::RequestsPerSession,
        Self::FiltersPerRequest,
        Self::ForwardedOctets,
        Self::RefreshPeriod,
        Self::NeighbourState,
    ];

    /// The word for it in listings and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::SendersPerSession => "senders-per-session",
            Self::RequestsPerSession => "requests-per-session",
            Self::FiltersPerRequest => "filters-per-request",
            Self::ForwardedOctets => "forwarded-octets",
            Self::RefreshPeriod => "refresh-period",
            Self::NeighbourState => "state-octets",
        }
    }

    /// The Error Value.
    #[must_use]
    pub const fn error_value(self) -> u16 {
        self as u16
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 1 << 20,
            senders_per_session: 1_024,
            requests_per_session: 1_024,
            filters_per_request: 1_024,
            refresh_ms: 3_600_000,
            neighbours_per_interface: 64,
            state_octets: 2 << 30,
            queue: 16_384,
        }
    }
}
