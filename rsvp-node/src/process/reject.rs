//! Path and Resv messages that are rejected as a whole: for objects that this node does not know (RFC 2205 section 3.10,
//! Appendix B codes 13 and 14) and for what it has no room for (code 23).
//!
//! Limits are never answered with code 01: an Admission Control failure would make blockade state on the way to the
//! receiver, against reservations that have nothing to do with it. Teardowns, errors and confirmations are not answered.

use super::update_traffic_control::Refused;
use crate::api::{Discard, Rx};
use crate::config::Limit;
use crate::interface::InterfaceId;
use crate::neighbour::accounts::{Cause, Owner, Party};
use crate::node::Node;
use crate::notice::Notice;
use core::net::{IpAddr, Ipv4Addr};
use rsvp_wire::{ErrorCode, Message, MsgType, RsvpHop};

impl Node {
    /// Answers a message, if its hop can be trusted to be a neighbour. Returns why it is dropped.
    pub(crate) fn reject(
        &mut self,
        rx: &Rx<'_>,
        message: &Message<'_>,
        why: Refused,
        dropped: Discard,
    ) -> Discard {
        let Some(Ok(hop)) = message.get::<RsvpHop>() else { return dropped };
        if !self.is_neighbour(rx, message, &hop) {
            return dropped;
        }
        match message.msg_type() {
            MsgType::PATH => self.answer_path_err(rx, message, hop.address, why),
            MsgType::RESV => match self.outgoing_interface(rx, &hop) {
                Ok(interface) => self.answer_resv_err(message, interface, hop.address, why),
                Err(unknown) => return unknown,
            },
            _ => {}
        }
        dropped
    }

    /// Answers a message that asks for more than a limit allows, as often as limits are answered.
    pub(crate) fn reject_beyond(&mut self, rx: &Rx<'_>, message: &Message<'_>, limit: Limit) -> Discard {
        self.owner_of(rx, message);
        self.refused(limit);
        let is_answered = matches!(message.msg_type(), MsgType::PATH | MsgType::RESV);
        if !is_answered || !self.may_answer_limit() {
            return Discard::LimitReached;
        }
        let why = (ErrorCode::RSVP_SYSTEM, limit.error_value());
        self.reject(rx, message, why, Discard::LimitReached)
    }

    /// Notes that a neighbour has asked for more than a limit allows.
    pub(crate) fn refused(&mut self, limit: Limit) {
        self.blame(self.cause, Cause::Limit(limit));
    }

    /// Counts what was refused beside the neighbour. The log names it once for each kind of cause.
    pub(crate) fn blame(&mut self, owner: Owner, cause: Cause) {
        self.state.accounts.refuse(owner, cause);
        let Party { interface, address } = self.state.accounts.account(owner).party;
        let nobody = IpAddr::V4(Ipv4Addr::from_bits(interface.0));
        let (notice, says) = cause.notice();
        if self.notices.is_new(notice, address.unwrap_or(nobody)) {
            let neighbour = address.map_or_else(|| "not on the link".to_owned(), |a| a.to_string());
            let (interface, cause) = (interface.0, cause.name());
            tracing::warn!(neighbour, interface, cause, "{says}");
        }
    }

    /// Counts a message that is no sound one beside the neighbour on the link that it comes from, or else the one that it names as its
    /// hop.
    pub(crate) fn blame_for_unsound(&mut self, rx: &Rx<'_>) {
        if self.interfaces.usable(rx.interface).is_none() {
            return;
        }
        let hop = || Message::parse(rx.octets).ok()?.get::<RsvpHop>()?.ok();
        let party = match self.party(rx, None) {
            Party { address: None, .. } => self.party(rx, hop().map(|hop| hop.address)),
            party => party,
        };
        let owner = self.state.accounts.of(party);
        self.state.accounts.heard(owner, self.now);
        self.blame(owner, Cause::Unsound);
    }

    /// Whether one more answer about a limit may be given to the neighbour whose message it is.
    pub(crate) fn may_answer_limit(&mut self) -> bool {
        let may = self.state.accounts.may_answer(self.cause, self.now);
        if !may {
            self.counters.count_discard(Discard::ErrorSuppressed);
        }
        may
    }

    /// The interface whose handle a Resv or ResvTear carries (RFC 2205 section 3.3). If this node never gave it, whoever made
    /// the message did not construct it well, which is logged and not answered (Appendix B).
    pub(crate) fn outgoing_interface(&mut self, rx: &Rx<'_>, hop: &RsvpHop) -> Result<InterfaceId, Discard> {
        if let Some(outgoing) = self.interfaces.by_lih(hop.lih) {
            return Ok(outgoing.config.id);
        }
        if self.notices.is_new(Notice::UnknownHandle, rx.source) {
            tracing::warn!(source = %rx.source, "a Resv names a logical interface handle that was never given");
        }
        Err(Discard::BadLih)
    }
}
