//! What waits to leave: intents that name state, and letters and events that carry their own content.
//!
//! A Path, PathTear, Resv or reservation waits as an intent, at most one for each block, and its octets are made when
//! it is drained; so that part is bounded by the state. Errors, confirmations and events carry their content, and the
//! number of those is bounded by configuration.

use crate::api::{ReservationId, Source};
use crate::copies::ErrorCopy;
use crate::event::Event;
use crate::interface::InterfaceId;
use crate::key::{SenderKey, SessionKey};
use crate::state::arena::Id;
use crate::state::path::PathState;
use crate::state::traffic::Reserved;
use crate::state::upstream::Upstream;
use core::net::IpAddr;
use std::collections::VecDeque;

#[derive(Clone, Debug)]
pub(crate) enum Pending {
    /// Path messages, or the PathTear messages of a tombstone.
    Path(Id<PathState>),
    /// Whatever brings a previous hop up to date: ResvTear, Resv, or nothing.
    Resv(Id<Upstream>),
    Install(Id<Reserved>),
    Remove(ReservationId, InterfaceId),
    Letter(Box<Letter>),
    /// An error of which others get copies, too.
    Copy(Box<ErrorCopy>),
    Event(Box<Event>),
}

/// Everything but the octets of a message to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    pub(crate) interface: InterfaceId,
    pub(crate) destination: IpAddr,
    pub(crate) source: Source,
    pub(crate) ttl: u8,
    pub(crate) router_alert: bool,
}

impl Envelope {
    /// A message to a neighbour: own source address, no Router Alert.
    pub(crate) const fn to_neighbour(interface: InterfaceId, destination: IpAddr, ttl: u8) -> Self {
        Self { interface, destination, source: Source::Own, ttl, router_alert: false }
    }

    /// A message that goes where data of a sender goes.
    pub(crate) const fn with_data(
        interface: InterfaceId,
        session: &SessionKey,
        sender: &SenderKey,
        ttl: u8,
    ) -> Self {
        let source = Source::Foreign(sender.address());
        Self { interface, destination: session.destination(), source, ttl, router_alert: true }
    }
}

/// A message that carries its own content.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) envelope: Envelope,
    pub(crate) octets: Box<[u8]>,
}

/// What became of the front of the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Written {
    /// Nothing (more) to write for it.
    Done,
    /// A message stands at the start of the buffer; there may be more.
    Message(Envelope, usize),
    /// A message stands at the start of the buffer, the last for this intent.
    Last(Envelope, usize),
    NeedSpace(usize),
}

/// What a queue that has been emptied may have room for; more is given back.
const ROOM: usize = 8_192;

#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pending: VecDeque<Pending>,
    contents: u32,
    limit: u32,
}

impl Queue {
    pub(crate) fn new(limit: u32) -> Self {
        Self { pending: VecDeque::new(), contents: 0, limit }
    }

    /// Queues an intent; the state it names remembers that it did.
    pub(crate) fn intend(&mut self, intent: Pending) {
        self.pending.push_back(intent);
    }

    /// Queues something with content. False when the limit is reached; the caller counts the loss.
    #[must_use]
    pub(crate) fn offer(&mut self, content: Pending) -> bool {
        if self.contents >= self.limit {
            return false;
        }
        self.contents += 1;
        self.pending.push_back(content);
        true
    }

    pub(crate) fn front(&self) -> Option<&Pending> {
        self.pending.front()
    }

    pub(crate) fn pop(&mut self) -> Option<Pending> {
        let front = self.pending.pop_front();
        if matches!(front, Some(Pending::Letter(_) | Pending::Copy(_) | Pending::Event(_))) {
            self.contents -= 1;
        }
        if self.pending.is_empty() && self.pending.capacity() > ROOM {
            self.pending = VecDeque::new();
        }
        front
    }

    /// Octets of memory of the queue itself.
    pub(crate) fn octets(&self) -> usize {
        self.pending.capacity() * size_of::<Pending>()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}
