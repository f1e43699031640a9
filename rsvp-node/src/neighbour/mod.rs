//! What arrives from neighbours, before anything is made of it: whether it is for this node, which kind of message it is,
//! in `hop` who sent it, and in `accounts` what each neighbour has.
//!
//! What a message must have in it is judged afterwards (`process/grammar`), and no state is looked at here.

pub(crate) mod accounts;
mod hop;

pub(crate) use hop::{check_hop, is_host};

use crate::api::{Discard, Rx};
use crate::composer::{Composer, Forwarded};
use crate::node::Node;
use crate::queue::Envelope;
use rsvp_wire::{Message, MsgType};

/// The kinds of messages that this node processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Path,
    PathTear,
    PathErr,
    Resv,
    ResvTear,
    ResvErr,
    ResvConf,
}

impl Kind {
    /// `None` for a type that this node does not process, whether or not a text defines it.
    const fn of(msg_type: MsgType) -> Option<Self> {
        match msg_type {
            MsgType::PATH => Some(Self::Path),
            MsgType::PATH_TEAR => Some(Self::PathTear),
            MsgType::PATH_ERR => Some(Self::PathErr),
            MsgType::RESV => Some(Self::Resv),
            MsgType::RESV_TEAR => Some(Self::ResvTear),
            MsgType::RESV_ERR => Some(Self::ResvErr),
            MsgType::RESV_CONF => Some(Self::ResvConf),
            _ => None,
        }
    }

    /// Whether it is addressed to another node, and diverted to this one by its Router Alert (RFC 2205 section 3.3).
    const fn is_diverted(self) -> bool {
        matches!(self, Self::Path | Self::PathTear | Self::ResvConf)
    }
}

impl Node {
    /// Takes a packet for a message, if it is one that this node is meant to process. Nothing is left to do with one that an
    /// extension has taken.
    pub(crate) fn receive<'a>(&mut self, rx: &Rx<'a>) -> Result<Option<(Kind, Message<'a>)>, Discard> {
        self.handled(rx.octets.len());
        self.answer_room = rx.octets.len();
        let message = Message::parse(rx.octets).map_err(Discard::Malformed)?;
        self.counters.count_received(message.msg_type());
        if self.interfaces.usable(rx.interface).is_none() {
            return Err(Discard::InterfaceDisabled);
        }
        let kind = Kind::of(message.msg_type());
        if !kind.is_some_and(Kind::is_diverted) && !self.is_own(rx.destination) {
            return Err(Discard::NotForThisNode);
        }
        if let Some(kind) = kind {
            return Ok(Some((kind, message)));
        }
        let answer = self.extensions.iter_mut().find_map(|each| each.message_arrives(rx, &message));
        if let Some((msg_type, objects)) = answer.ok_or(Discard::UnknownMessageType)?? {
            let to = Envelope::to_neighbour(rx.interface, rx.source, self.config.ttl);
            let forwarded = Forwarded::Octets(&objects);
            self.send(&Composer { forwarded, ..Composer::new(msg_type, to) });
        }
        Ok(None)
    }
}
