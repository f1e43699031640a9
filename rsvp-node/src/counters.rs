//! Counters: one for each way a message is dropped, one for each message type sent and received, and the work done.
//!
//! Rates and history are deliberately left to whoever reads them.

use crate::api::Discard;
use rsvp_wire::MsgType;

const TYPES: usize = 8;

/// All counters of a node. They only grow.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    discards: [u64; Discard::KINDS],
    received: [u64; TYPES],
    sent: [u64; TYPES],
    zero_policed_units: u64,
    proxied_paths: u64,
}

/// How much was touched so far; used to show that the cost of one input does not grow with the number of sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// How often a block of state was looked at: found, passed in a chain or a list, read or changed. One block looked
    /// at twice counts twice.
    pub states_visited: u64,
    /// Octets of messages stored, compared or written.
    pub octets_handled: u64,
}

impl Counters {
    /// Every discard reason by name, with how often it happened.
    pub fn discards(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Discard::NAMES.iter().copied().zip(self.discards.iter().copied())
    }

    /// How often messages were dropped for this reason.
    #[must_use]
    pub fn discarded(&self, why: Discard) -> u64 {
        self.discards[why.kind()]
    }

    /// Messages dropped for any reason.
    #[must_use]
    pub fn discarded_total(&self) -> u64 {
        self.discards.iter().sum()
    }

    /// Messages of this type that arrived with sound framing.
    #[must_use]
    pub fn received(&self, t: MsgType) -> u64 {
        self.received[slot(t)]
    }

    /// Messages of this type that were sent.
    #[must_use]
    pub fn sent(&self, t: MsgType) -> u64 {
        self.sent[slot(t)]
    }

    /// How often a minimum policed unit of zero was taken, in a Path or a flow descriptor that was not a mere refresh.
    #[must_use]
    pub fn zero_policed_units(&self) -> u64 {
        self.zero_policed_units
    }

    /// How often a Path or PathTear was taken that did not come from the address of its sender, because the interface allows proxies.
    #[must_use]
    pub fn proxied_paths(&self) -> u64 {
        self.proxied_paths
    }

    pub(crate) fn count_proxied_path(&mut self) {
        self.proxied_paths += 1;
    }

    pub(crate) fn count_zero_policed_unit(&mut self) {
        self.zero_policed_units += 1;
    }

    pub(crate) fn count_discard(&mut self, why: Discard) {
        self.discards[why.kind()] += 1;
    }

    pub(crate) fn count_received(&mut self, t: MsgType) {
        self.received[slot(t)] += 1;
    }

    pub(crate) fn count_sent(&mut self, t: MsgType) {
        self.sent[slot(t)] += 1;
    }
}

/// Slot 0 holds every type that is none of the seven.
fn slot(t: MsgType) -> usize {
    if (t.0 as usize) < TYPES { t.0 as usize } else { 0 }
}

impl Discard {
    pub(crate) const KINDS: usize = 22;
    const NAMES: [&'static str; Self::KINDS] = [
        "malformed",
        "unknown-message-type",
        "interface-disabled",
        "not-for-this-node",
        "bad-grammar",
        "unknown-object",
        "bad-address",
        "bad-source-port",
        "bad-time-values",
        "bad-lih",
        "no-state",
        "rejected",
        "own-message",
        "limit-reached",
        "queue-full",
        "ttl-exhausted",
        "no-route",
        "too-large",
        "not-sendable",
        "error-suppressed",
        "objects-left-out",
        "foreign-source",
    ];

    /// The name under which it is counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self.kind()]
    }

    /// Whether nobody who keeps to the rules sends it, whatever there is and is not.
    pub(crate) const fn is_unsound(self) -> bool {
        matches!(
            self,
            Self::Malformed(_)
                | Self::BadGrammar
                | Self::BadAddress
                | Self::BadSourcePort
                | Self::BadTimeValues
        )
    }

    const fn kind(self) -> usize {
        match self {
            Self::Malformed(_) => 0,
            Self::UnknownMessageType => 1,
            Self::InterfaceDisabled => 2,
            Self::NotForThisNode => 3,
            Self::BadGrammar => 4,
            Self::UnknownObject => 5,
            Self::BadAddress => 6,
            Self::BadSourcePort => 7,
            Self::BadTimeValues => 8,
            Self::BadLih => 9,
            Self::NoState => 10,
            Self::Rejected => 11,
            Self::OwnMessage => 12,
            Self::LimitReached => 13,
            Self::QueueFull => 14,
            Self::TtlExhausted => 15,
            Self::NoRoute => 16,
            Self::TooLarge => 17,
            Self::NotSendable => 18,
            Self::ErrorSuppressed => 19,
            Self::ObjectsLeftOut => 20,
            Self::ForeignSource => 21,
        }
    }
}
