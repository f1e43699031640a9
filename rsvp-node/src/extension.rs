//! What an extension of RFC 2205 may add to what the engine does.
//!
//! An extension knows its own objects and message types, and keeps what it has to remember in tables of its own, by the ids of
//! blocks: the blocks of `state` do not grow for it. The procedures know this trait alone; which extensions there are is
//! known to the engine, which makes them (`ext`). A hook does nothing unless an extension says otherwise.
//!
//! Deliberately no extension changes state: what it wants done it answers, and the engine does it.

use crate::api::{Discard, ReservationId, Rx};
use crate::event::EventKind;
use crate::queue::Envelope;
use crate::state::State;
use crate::state::arena::Ix;
use crate::state::resv::RequestOrigin;
use crate::state::session::SessionState;
use crate::state::traffic::Reserved;
use core::fmt::Debug;
use rsvp_wire::{Message, MessageWriter, MsgType};

/// A message without SESSION for the neighbour that sent one: its type, and its objects, one after the other.
pub(crate) type Reply = (MsgType, Vec<u8>);

/// The same extension once more, for an engine that is cloned.
pub(crate) trait Again {
    fn again(&self) -> Box<dyn Extension>;
}

impl<T: Extension + Clone + 'static> Again for T {
    fn again(&self) -> Box<dyn Extension> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Extension> {
    fn clone(&self) -> Self {
        (**self).again()
    }
}

pub(crate) trait Extension: Again + Debug + Send + Sync {
    /// Adds objects to a message that leaves, before its STYLE or sender descriptor.
    fn add_objects(&self, _: MsgType, _: &Envelope, _: &mut MessageWriter<'_>) {}

    /// Takes a message of a type that RFC 2205 does not have, which a neighbour has sent to this node. `None` if the type is not
    /// the extension's own.
    fn message_arrives(&mut self, _: &Rx<'_>, _: &Message<'_>) -> Option<Result<Option<Reply>, Discard>> {
        None
    }

    /// A Resv is about to be judged. It is not kept yet, and local senders may hear of what it reserves before it is.
    fn resv_arrives(&mut self, _: &State, _: Ix<SessionState>, _: RequestOrigin, _octets: &[u8]) {}

    /// It is judged, and kept if something of it was granted.
    fn resv_was_judged(&mut self) {}

    /// Collects the objects that local senders are told with a reservation.
    fn tell<'s>(&'s self, _: &'s State, _: &Reserved, _objects: &mut Vec<&'s [u8]>) {}

    /// Whether local senders have to be told of a reservation again, though it is installed as it was.
    fn has_news(&self, _: &State, _: Ix<Reserved>) -> bool {
        false
    }

    /// Local senders are told of a reservation.
    fn was_told(&mut self, _: ReservationId, _: &EventKind) {}

    /// A reservation is no more.
    fn reservation_ends(&mut self, _: ReservationId) {}
}

/// The extensions of a node.
pub(crate) type Extensions = Vec<Box<dyn Extension>>;
