//! Building PathErr and ResvErr messages, and the error events of local applications (RFC 2205 sections 3.1.7, 3.1.8
//! and 3.11.1).

use super::{Arrived, scope};
use crate::door::Source;
use crate::event::EventKind;
use crate::interface::InterfaceId;
use crate::merge::unknown;
use crate::node::{Node, compose};
use crate::queue::Envelope;
use crate::state::resv::From;
use core::net::IpAddr;
use rsvp_wire::{
    Class, ErrorCode, ErrorSpec, FilterSpec, Flowspec, Message, MsgType, ObjectRef, RsvpHop, Scope, Session,
    Style,
};
use scope::Addresses;

/// What a ResvErr says beside the error: an error flow descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorFlow<'a> {
    pub(crate) style: Style,
    /// A complete FLOWSPEC object, as it came.
    pub(crate) flowspec: Option<&'a [u8]>,
    pub(crate) filters: &'a [FilterSpec],
    /// Sender addresses of the SCOPE, for a wildcard reservation that has one (RFC 2205 section 3.4).
    pub(crate) scope: &'a [IpAddr],
    /// The message whose objects of unknown class are passed on (RFC 2205 section 3.10).
    pub(crate) because_of: Option<Message<'a>>,
}

impl Node {
    /// Answers a Path message with a PathErr to the previous hop it names; the sender descriptor is copied.
    pub(crate) fn answer_path_err(
        &mut self,
        arrived: &Arrived<'_>,
        hop: IpAddr,
        code: ErrorCode,
        value: u16,
    ) {
        let Some(node) = self.own_address(arrived.rx.interface, hop) else { return };
        let error = ErrorSpec { node, flags: 0, code, value };
        let ttl = self.config.ttl;
        let octets = compose(MsgType::PATH_ERR, ttl, |w| {
            w.put(&arrived.session.with_flags(0)).put(&error);
            unknown::forwarded(&arrived.message).for_each(|object| {
                w.copy(object.octets());
            });
            for class in [Class::SENDER_TEMPLATE, Class::SENDER_TSPEC, Class::ADSPEC] {
                if let Some(object) = arrived.message.first(class) {
                    w.copy(object.octets());
                }
            }
        });
        self.send(own_letter(arrived.rx.interface, hop, ttl), octets);
    }

    /// Answers a Resv message that was rejected as a whole; only its STYLE can be relied on.
    pub(crate) fn answer_resv_err(
        &mut self,
        arrived: &Arrived<'_>,
        hop: &RsvpHop,
        code: ErrorCode,
        value: u16,
    ) {
        let Some(style) = arrived.message.get::<Style>().and_then(Result::ok) else { return };
        let Some(interface) = self.interfaces.by_lih(hop.lih).map(|i| i.config.id) else { return };
        let from = From::Hop { interface, address: hop.address };
        let flow =
            ErrorFlow { style, flowspec: None, filters: &[], scope: &[], because_of: Some(arrived.message) };
        self.report_resv_error(from, &arrived.session, code, value, 0, &flow);
    }

    /// Reports an error found on this node to whoever made the request.
    pub(crate) fn report_resv_error(
        &mut self,
        to: From,
        session: &Session,
        code: ErrorCode,
        value: u16,
        flags: u8,
        flow: &ErrorFlow<'_>,
    ) {
        let node = match to {
            From::Hop { interface, address } => self.own_address(interface, address),
            From::App { interface, .. } => {
                interface.and_then(|i| self.own_address(i, session.destination())).or_else(|| {
                    self.interfaces.iter().find_map(|i| i.config.address_like(session.destination()))
                })
            }
        };
        let Some(node) = node else { return };
        self.pass_resv_error(to, session, ErrorSpec { node, flags, code, value }, flow);
    }

    /// Sends a ResvErr to a next hop, or tells a local application.
    pub(crate) fn pass_resv_error(
        &mut self,
        to: From,
        session: &Session,
        error: ErrorSpec,
        flow: &ErrorFlow<'_>,
    ) {
        match to {
            From::App { app, .. } => {
                let kind = EventKind::ResvError {
                    error,
                    style: flow.style,
                    flowspec: flow.flowspec.and_then(read_flowspec),
                    filters: flow.filters.to_vec(),
                };
                self.tell(app, *session, kind);
            }
            From::Hop { interface, address } => {
                let Some(config) = self.interfaces.find(interface).map(|i| &i.config) else { return };
                let Some(own) = config.address_like(address) else { return };
                let hop = RsvpHop { address: own, lih: config.lih };
                let ttl = self.config.ttl;
                let octets = compose(MsgType::RESV_ERR, ttl, |w| {
                    w.put(&session.with_flags(0)).put(&hop).put(&error);
                    scope::put(w, flow.scope);
                    if let Some(message) = &flow.because_of {
                        unknown::forwarded(message).for_each(|object| {
                            w.copy(object.octets());
                        });
                    }
                    w.put(&flow.style);
                    w.copy(flow.flowspec.unwrap_or_default());
                    for filter in flow.filters {
                        w.put(filter);
                    }
                });
                self.send(own_letter(interface, address, ttl), octets);
            }
        }
    }
}

/// The SCOPE of a message in error, to be copied into the ResvErr.
pub(crate) fn scope_of(message: &Message<'_>) -> Addresses {
    match message.get::<Scope<'_>>() {
        Some(Ok(scope)) => scope.addresses().collect(),
        _ => Addresses::new(),
    }
}

/// Envelope of a message to a neighbour: own source address, no Router Alert.
pub(crate) fn own_letter(interface: InterfaceId, destination: IpAddr, ttl: u8) -> Envelope {
    Envelope { interface, destination, source: Source::Own, ttl, router_alert: false }
}

/// Reads a FLOWSPEC object that stands alone.
pub(crate) fn read_flowspec(object: &[u8]) -> Option<Flowspec> {
    ObjectRef::split_first(object, 0).ok()?.0.read().ok()
}
