//! The procedures of RFC 2209 section 2, a file for each sequence, and what comes before them: MESSAGE ARRIVES.
//!
//! RFC 2209 is informational: where it differs from RFC 2205, RFC 2205 wins and the procedure's file says so.

pub(crate) mod application;
pub(crate) mod behind;
pub(crate) mod blockade;
pub(crate) mod claim;
pub(crate) mod confirm;
pub(crate) mod demands;
pub(crate) mod errors;
pub(crate) mod expiry;
pub(crate) mod grammar;
pub(crate) mod in_crowd;
pub(crate) mod interface_down;
pub(crate) mod kept;
pub(crate) mod left_out;
pub(crate) mod packet_size;
pub(crate) mod path;
pub(crate) mod path_err;
pub(crate) mod path_refresh;
pub(crate) mod path_tear;
pub(crate) mod policed_unit;
pub(crate) mod reject;
pub(crate) mod remark;
pub(crate) mod remove_path;
pub(crate) mod requests;
pub(crate) mod resv;
pub(crate) mod resv_conf;
pub(crate) mod resv_err;
pub(crate) mod resv_event;
pub(crate) mod resv_merge;
pub(crate) mod resv_refresh;
pub(crate) mod resv_tear;
pub(crate) mod room;
pub(crate) mod route_change;
pub(crate) mod scope;
pub(crate) mod soft_state;
pub(crate) mod traffic_control;
pub(crate) mod update_traffic_control;

use crate::api::{Discard, Outcome, Rx};
use crate::config::Limit;
use crate::host::Host;
use crate::key::SessionKey;
use crate::neighbour::accounts::{Cause, Owner};
use crate::neighbour::{Kind, check_hop, is_host};
use crate::node::Node;
use crate::unknown::FORWARDED_MAX;
use core::net::IpAddr;
use grammar::{Fault, Found};
use rsvp_wire::{Class, FilterSpec, Message, Object, ObjectRef, ParseError, ResvConfirm, SenderTemplate};

/// A message that passed all general checks, with the objects every type has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) rx: Rx<'a>,
    pub(crate) message: Message<'a>,
    pub(crate) session: SessionKey,
    found: Found,
}

impl<'a> Arrived<'a> {
    /// Reads an object that the grammar requires.
    #[inline]
    pub(crate) fn read<T: Object<'a>>(&self) -> Result<T, Discard> {
        self.found.read(&self.message)
    }
}

impl Node {
    /// MESSAGE ARRIVES.
    pub(crate) fn message_arrives(&mut self, rx: Rx<'_>, host: &mut dyn Host) -> Outcome {
        let Err(why) = self.accept(rx, host) else { return Outcome::Taken };
        tracing::trace!(?why, source = %rx.source, "message discarded");
        self.counters.count_discard(why);
        if why.is_unsound() && self.cause == Owner::NODE {
            self.blame_for_unsound(&rx);
        } else if why.is_unsound() {
            self.blame(self.cause, Cause::Unsound);
        }
        Outcome::Discarded(why)
    }

    fn accept(&mut self, rx: Rx<'_>, host: &mut dyn Host) -> Result<(), Discard> {
        let Some((kind, message)) = self.receive(&rx)? else { return Ok(()) };
        let found = match grammar::check(kind, &message) {
            Ok(found) => found,
            Err(Fault::Discard(why)) => return Err(why),
            // Path and Resv with unknown objects are answered.
            Err(Fault::Unknown(code, value)) => {
                return Err(self.reject(&rx, &message, (code, value), Discard::UnknownObject));
            }
        };
        let session = SessionKey::of(found.read(&message)?);
        if session.destination().is_unspecified() || session.protocol() == 0 {
            return Err(Discard::BadAddress);
        }
        if check_hop(&message, &session, rx.source)?.is_some_and(|hop| self.is_own(hop)) {
            // An answer to it would come back, too.
            return Err(Discard::OwnMessage);
        }
        check_ends(&message, &found, &session, rx.source)?;
        if found.forwarded > FORWARDED_MAX {
            return Err(self.reject_beyond(&rx, &message, Limit::ForwardedOctets));
        }
        let arrived = Arrived { rx, message, session, found };
        if !matches!(kind, Kind::Path | Kind::Resv) {
            self.owner_of(&rx, &message);
        }
        match kind {
            Kind::Path => self.path_arrives(&arrived, host),
            Kind::PathTear => self.path_tear_arrives(&arrived),
            Kind::PathErr => self.path_err_arrives(&arrived),
            Kind::Resv => self.resv_arrives(&arrived, host),
            Kind::ResvTear => self.resv_tear_arrives(&arrived),
            Kind::ResvErr => self.resv_err_arrives(&arrived),
            Kind::ResvConf => self.resv_conf_arrives(&arrived, host),
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

/// Receivers that want confirmation and senders must be nodes of the session's family, as the hop must; and ports follow RFC
/// 2205 section 3.2 rule 2. With a virtual port, which is never 0, all senders have an SPI, and without none has (RFC 2207 section 4.1).
fn check_ends(
    message: &Message<'_>,
    found: &Found,
    session: &SessionKey,
    source: IpAddr,
) -> Result<(), Discard> {
    let family = session.destination().is_ipv4();
    if source.is_ipv4() != family {
        return Err(Discard::BadAddress);
    }
    if session.is_gpi() && session.port() == 0 {
        return Err(Discard::BadGrammar);
    }
    if let Some(confirm) = found.first(message, Class::RESV_CONFIRM) {
        let address = confirm.read::<ResvConfirm>().map_err(Discard::Malformed)?.address;
        if address.is_ipv4() != family || !is_host(address, source) {
            return Err(Discard::BadAddress);
        }
    }
    let check = |filter: Result<FilterSpec, ParseError>| {
        let filter = filter.map_err(Discard::Malformed)?;
        if filter.address().is_ipv4() != family || !is_host(filter.address(), source) {
            return Err(Discard::BadAddress);
        }
        if filter.is_gpi() != session.is_gpi() {
            return Err(Discard::BadGrammar);
        }
        if session.port() == 0 && filter.port() != 0 {
            return Err(Discard::BadSourcePort);
        }
        Ok(())
    };
    if let Some(template) = found.first(message, Class::SENDER_TEMPLATE) {
        check(template.read::<SenderTemplate>().map(|t| t.0))?;
    }
    if found.first(message, Class::FILTER_SPEC).is_some() {
        let mut filters = message.objects().filter(|object| object.class == Class::FILTER_SPEC);
        filters.try_for_each(|object| check(object.read()))?;
    }
    Ok(())
}
