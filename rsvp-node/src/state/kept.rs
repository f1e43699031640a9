//! What is kept of the Resv messages of a request: their octets, or a digest of the only one where it says nothing but what the
//! request does. Whether a message is a refresh of what is kept is asked in `process/kept`.

use super::resv::split;
use crate::carried::{is_carried, is_sent};
use crate::digest::Digest;
use rsvp_wire::{Message, ObjectRef, Scan, TimeValues};

/// The Resv messages that were accepted last, in full or in part.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    Octets {
        /// One after the other: one, unless the next hop divides what it asks for. What they forward is copied out of here.
        octets: Box<[u8]>,
        /// Where those begin that are in place with all they asked for; they are the last.
        settled_from: u32,
        /// There is something in them that is forwarded, or told to senders.
        carries: bool,
    },
    /// Of one that asks for the only item of its request and carries nothing: the item says the rest.
    Digest { content: Digest, refresh_ms: u32 },
}

impl Kept {
    /// Messages of a next hop, or the one of an application that carries something.
    pub(crate) fn octets(octets: Box<[u8]>, settled_from: u32, own: bool) -> Self {
        let carries = split(&octets).map(Message::trusted).any(|message| carries(&message, own));
        Self::Octets { octets, settled_from, carries }
    }

    /// None.
    pub(crate) fn nothing() -> Self {
        Self::octets(Box::default(), 0, false)
    }

    pub(crate) fn as_octets(&self) -> &[u8] {
        match self {
            Self::Octets { octets, .. } => octets,
            Self::Digest { .. } => &[],
        }
    }

    /// R of the first; 0 where there is none.
    pub(crate) fn refresh_ms(&self) -> u32 {
        match self {
            Self::Octets { octets, .. } => refresh_ms(octets),
            Self::Digest { refresh_ms, .. } => *refresh_ms,
        }
    }

    /// Whether there is something in them that is forwarded, or told to senders.
    pub(crate) fn carries(&self) -> bool {
        matches!(self, Self::Octets { carries: true, .. })
    }
}

/// Whether there is something in a message that is forwarded, or told to senders; of an application of this node if it is `own`.
pub(crate) fn carries(message: &Message<'_>, own: bool) -> bool {
    message.objects().any(|object: ObjectRef<'_>| is_sent(&object, own) || is_carried(&object))
}

/// R of the first message, or of the only one; 0 where there is none.
pub(crate) fn refresh_ms(octets: &[u8]) -> u32 {
    let objects = Scan::new(octets).objects().map_while(Result::ok);
    let mut refresh = objects.filter_map(|object| object.read::<TimeValues>().ok());
    refresh.next().map_or(0, |values| values.refresh_ms)
}
