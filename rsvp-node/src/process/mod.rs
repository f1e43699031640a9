//! The procedures of RFC 2209 section 2, a file for each sequence, and what comes before them: MESSAGE ARRIVES.
//!
//! RFC 2209 is informational: where it differs from RFC 2205, RFC 2205 wins and the procedure's file says so.

pub(crate) mod application;
pub(crate) mod blockade;
pub(crate) mod confirm;
pub(crate) mod demands;
pub(crate) mod errors;
pub(crate) mod expiry;
pub(crate) mod grammar;
pub(crate) mod kept;
pub(crate) mod left_out;
pub(crate) mod packet_size;
pub(crate) mod path;
pub(crate) mod path_err;
pub(crate) mod path_refresh;
pub(crate) mod path_tear;
pub(crate) mod policed_unit;
pub(crate) mod reject;
pub(crate) mod remove_path;
pub(crate) mod requests;
pub(crate) mod resv;
pub(crate) mod resv_conf;
pub(crate) mod resv_err;
pub(crate) mod resv_merge;
pub(crate) mod resv_refresh;
pub(crate) mod resv_tear;
pub(crate) mod route_change;
pub(crate) mod scope;
pub(crate) mod traffic_control;
pub(crate) mod update_traffic_control;

use crate::config::Limit;
use crate::door::{Discard, Outcome, Rx};
use crate::host::Host;
use crate::key::SessionKey;
use crate::node::Node;
use crate::time::Instant;
use core::net::IpAddr;
use core::time::Duration;
use grammar::Fault;
use rsvp_wire::{
    Class, FilterSpec, Message, MsgType, Object, ObjectRef, ResvConfirm, RsvpHop, SenderTemplate, TimeValues,
};

/// A message that passed all general checks, with the objects every type has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) rx: Rx<'a>,
    pub(crate) message: Message<'a>,
    pub(crate) session: SessionKey,
}

impl Node {
    /// MESSAGE ARRIVES.
    pub(crate) fn message_arrives(&mut self, rx: Rx<'_>, host: &mut dyn Host) -> Outcome {
        let done = self.accept(rx, host);
        match done {
            Ok(()) => Outcome::Taken,
            Err(why) => {
                tracing::trace!(?why, source = %rx.source, "message discarded");
                self.counters.count_discard(why);
                Outcome::Discarded(why)
            }
        }
    }

    fn accept(&mut self, rx: Rx<'_>, host: &mut dyn Host) -> Result<(), Discard> {
        self.handled(rx.octets.len());
        let message = Message::parse(rx.octets).map_err(Discard::Malformed)?;
        let msg_type = message.msg_type();
        self.counters.count_received(msg_type);
        let usable = self.interfaces.find(rx.interface).is_some_and(|i| i.config.up && i.config.enabled);
        if !usable {
            return Err(Discard::InterfaceDisabled);
        }
        let diverted = matches!(msg_type, MsgType::PATH | MsgType::PATH_TEAR | MsgType::RESV_CONF);
        if !diverted && !self.is_own(rx.destination) {
            return Err(Discard::NotForThisNode);
        }
        if let Err(fault) = grammar::check(&message) {
            return Err(self.faulty(&rx, &message, fault));
        }
        let session = SessionKey::of(read(&message)?);
        if session.destination().is_unspecified() || session.protocol() == 0 {
            return Err(Discard::BadAddress);
        }
        if check_hop(&message, &session, rx.source)?.is_some_and(|hop| self.is_own(hop)) {
            // An answer to it would come back, too.
            return Err(Discard::OwnMessage);
        }
        check_ends(&message, &session, rx.source)?;
        if errors::forwards_too_much(&message) {
            return Err(self.reject_beyond(&rx, &message, Limit::ForwardedOctets));
        }
        let arrived = Arrived { rx, message, session };
        match msg_type {
            MsgType::PATH => self.path_arrives(&arrived, host),
            MsgType::PATH_TEAR => self.path_tear_arrives(&arrived),
            MsgType::PATH_ERR => self.path_err_arrives(&arrived),
            MsgType::RESV => self.resv_arrives(&arrived, host),
            MsgType::RESV_TEAR => self.resv_tear_arrives(&arrived),
            MsgType::RESV_ERR => self.resv_err_arrives(&arrived),
            _ => self.resv_conf_arrives(&arrived, host),
        }
    }

    /// Whether an address is one of this node's.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        self.interfaces.by_address(address).is_some()
    }

    /// Deals with a message that does not follow the grammar: Path and Resv with unknown objects are answered.
    fn faulty(&mut self, rx: &Rx<'_>, message: &Message<'_>, fault: Fault) -> Discard {
        match fault {
            Fault::Discard(why) => why,
            Fault::Unknown(code, value) => self.reject(rx, message, (code, value), Discard::UnknownObject),
        }
    }
}

/// Reads an object that the grammar requires.
pub(crate) fn read<'a, T: Object<'a>>(message: &Message<'a>) -> Result<T, Discard> {
    message.get::<T>().ok_or(Discard::BadGrammar)?.map_err(Discard::Malformed)
}

/// Reads an object that stands alone.
pub(crate) fn read_object<'a, T: Object<'a>>(octets: &'a [u8]) -> Option<T> {
    ObjectRef::split_first(octets, 0).ok()?.0.read().ok()
}

/// The hop, which answers go to, must be a node's address of the session's family. `None` where the message has none.
pub(crate) fn check_hop(
    message: &Message<'_>,
    session: &SessionKey,
    source: IpAddr,
) -> Result<Option<IpAddr>, Discard> {
    let Some(hop) = message.get::<RsvpHop>() else { return Ok(None) };
    let hop = hop.map_err(Discard::Malformed)?.address;
    let usable = hop.is_ipv4() == session.destination().is_ipv4() && is_host(hop, source);
    if usable { Ok(Some(hop)) } else { Err(Discard::BadAddress) }
}

/// So must receivers that want confirmation and senders; and ports follow RFC 2205 section 3.2 rule 2.
fn check_ends(message: &Message<'_>, session: &SessionKey, source: IpAddr) -> Result<(), Discard> {
    let family = session.destination().is_ipv4();
    if let Some(confirm) = message.get::<ResvConfirm>() {
        let address = confirm.map_err(Discard::Malformed)?.address;
        if address.is_ipv4() != family || !is_host(address, source) {
            return Err(Discard::BadAddress);
        }
    }
    for object in message.objects() {
        let filter = match object.class {
            Class::SENDER_TEMPLATE => object.read::<SenderTemplate>().map(|t| t.0),
            Class::FILTER_SPEC => object.read::<FilterSpec>(),
            _ => continue,
        };
        let filter = filter.map_err(Discard::Malformed)?;
        if filter.address().is_ipv4() != family || !is_host(filter.address(), source) {
            return Err(Discard::BadAddress);
        }
        if session.port() == 0 && filter.port() != 0 {
            return Err(Discard::BadSourcePort);
        }
    }
    Ok(())
}

/// Whether an address in a message can be that of a node. Loopback addresses are those of whoever uses them: in what
/// comes from elsewhere they would be this node's own.
pub(crate) fn is_host(address: IpAddr, source: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(a) if a.is_broadcast());
    let foreign = address.is_loopback() && !source.is_loopback();
    !address.is_unspecified() && !address.is_multicast() && !broadcast && !foreign
}

/// Whether two messages say the same: all octets but the common header's flags and checksum (and its Send_TTL, which
/// is compared with the received TTL elsewhere).
pub(crate) fn same_content(stored: &[u8], received: &[u8]) -> bool {
    stored.len() == received.len() && stored.get(5..) == received.get(5..)
}

/// Lifetime of received state: L = (K + 0.5) * 1.5 * R (RFC 2205 section 3.7, rule 2).
pub(crate) fn lifetime(lifetime_multiplier: u32, refresh_ms: u32) -> Duration {
    let quarters = (2 * u64::from(lifetime_multiplier) + 1).saturating_mul(3);
    Duration::from_micros((u64::from(refresh_ms) * 250).saturating_mul(quarters))
}

impl Node {
    /// When state that arrived now with these TIME_VALUES dies.
    pub(crate) fn expiry_of(&self, arrived: &Arrived<'_>) -> Result<Instant, Discard> {
        let TimeValues { refresh_ms } = read(&arrived.message)?;
        if refresh_ms == 0 {
            return Err(Discard::BadTimeValues);
        }
        let k = self.interfaces.find(arrived.rx.interface).map_or(3, |i| i.config.lifetime_multiplier);
        Ok(self.now + lifetime(k, refresh_ms))
    }
}
