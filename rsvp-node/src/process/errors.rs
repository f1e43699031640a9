//! Building PathErr and ResvErr messages, and the error events of local applications (RFC 2205 sections 3.1.7, 3.1.8
//! and 3.11.1).

use super::scope;
use super::update_traffic_control::Refused;
use crate::door::{Rx, Source};
use crate::event::EventKind;
use crate::interface::InterfaceId;
use crate::key::{SenderKey, SessionKey, StyleKind};
use crate::merge::unknown;
use crate::node::{Node, compose};
use crate::queue::Envelope;
use crate::state::resv::From;
use core::net::IpAddr;
use rsvp_wire::{
    Class, ErrorCode, ErrorSpec, FlowDescriptor, Flowspec, Message, MessageWriter, MsgType, ObjectRef,
    RsvpHop, Scope, Session, Style, flow_descriptors,
};
use scope::Addresses;
use smallvec::SmallVec;

/// Flow descriptors of one rejected Resv that are answered; each takes a ResvErr of its own (RFC 2205 section 3.1.8: "up to
/// N"), and whoever can name a thousand senders in a message shall not make a thousand of it.
const RESV_ERRORS_MAX: usize = 16;

/// A flow descriptor as it came.
type ErrorFlowObjects<'a> = SmallVec<[ObjectRef<'a>; 2]>;

/// What a ResvErr says beside the error: an error flow descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorFlow<'a> {
    pub(crate) style: Style,
    /// A complete FLOWSPEC object, as it came.
    pub(crate) flowspec: Option<&'a [u8]>,
    pub(crate) filters: &'a [SenderKey],
    /// Sender addresses of the SCOPE, for a wildcard reservation that has one (RFC 2205 section 3.4).
    pub(crate) scope: &'a [IpAddr],
    /// The message whose objects of unknown class are passed on (RFC 2205 section 3.10).
    pub(crate) because_of: Option<Message<'a>>,
}

impl Node {
    /// Answers a Path message with a PathErr to the previous hop it names. What is copied is copied as it came, since it
    /// may be what cannot be read.
    pub(crate) fn answer_path_err(&mut self, rx: &Rx<'_>, message: &Message<'_>, hop: IpAddr, why: Refused) {
        let Some(node) = self.own_address(rx.interface, hop) else { return };
        let error = ErrorSpec { node, flags: 0, code: why.0, value: why.1 };
        let ttl = self.config.ttl;
        let octets = compose(MsgType::PATH_ERR, ttl, |w| {
            put_session(w, message);
            w.put(&error);
            pass_on(w, message);
            for class in [Class::SENDER_TEMPLATE, Class::SENDER_TSPEC, Class::ADSPEC] {
                if let Some(object) = message.first(class) {
                    w.copy(object.octets());
                }
            }
        });
        self.send(own_letter(rx.interface, hop, ttl), octets);
    }

    /// Answers a Resv message that is rejected as a whole with a ResvErr for each of its flow descriptors, which are copied
    /// as they came.
    pub(crate) fn answer_resv_err(
        &mut self,
        message: &Message<'_>,
        interface: InterfaceId,
        hop: IpAddr,
        why: Refused,
    ) {
        let Some(style) = message.first(Class::STYLE) else { return };
        let Some(config) = self.interfaces.find(interface).map(|i| &i.config) else { return };
        let Some(node) = config.address_like(hop) else { return };
        let own = RsvpHop { address: node, lih: config.lih };
        let error = ErrorSpec { node, flags: 0, code: why.0, value: why.1 };
        let ttl = self.config.ttl;
        for flow in error_flows(message) {
            let octets = compose(MsgType::RESV_ERR, ttl, |w| {
                put_session(w, message);
                w.put(&own).put(&error);
                scope::put(w, &scope_of(message));
                pass_on(w, message);
                w.copy(style.octets());
                flow.iter().for_each(|object| {
                    w.copy(object.octets());
                });
            });
            self.send(own_letter(interface, hop, ttl), octets);
        }
    }

    /// Reports an error found on this node to whoever made the request.
    pub(crate) fn report_resv_error(
        &mut self,
        to: From,
        session: &SessionKey,
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
        session: &SessionKey,
        error: ErrorSpec,
        flow: &ErrorFlow<'_>,
    ) {
        match to {
            From::App { app, .. } => {
                let kind = EventKind::ResvError {
                    error,
                    style: flow.style,
                    flowspec: flow.flowspec.and_then(read_flowspec),
                    filters: SenderKey::objects(flow.filters),
                };
                self.tell(app, session, kind);
            }
            From::Hop { interface, address } => {
                let Some(config) = self.interfaces.find(interface).map(|i| &i.config) else { return };
                let Some(own) = config.address_like(address) else { return };
                let hop = RsvpHop { address: own, lih: config.lih };
                let ttl = self.config.ttl;
                let octets = compose(MsgType::RESV_ERR, ttl, |w| {
                    w.put(&session.object()).put(&hop).put(&error);
                    scope::put(w, flow.scope);
                    if let Some(message) = &flow.because_of {
                        pass_on(w, message);
                    }
                    w.put(&flow.style);
                    w.copy(flow.flowspec.unwrap_or_default());
                    for filter in flow.filters {
                        w.put(&filter.object());
                    }
                });
                self.send(own_letter(interface, address, ttl), octets);
            }
        }
    }
}

/// The SESSION of a message in error, as it came if it cannot be read.
fn put_session(w: &mut MessageWriter<'_>, message: &Message<'_>) {
    match (message.get::<Session>(), message.first(Class::SESSION)) {
        (Some(Ok(session)), _) => w.put(&SessionKey::of(session).object()),
        (_, object) => w.copy(object.map(|o| o.octets()).unwrap_or_default()),
    };
}

/// The objects that go on in whatever results from a message (RFC 2205 section 3.10); none if they are too many to be
/// taken anywhere.
fn pass_on(w: &mut MessageWriter<'_>, message: &Message<'_>) {
    if !forwards_too_much(message) {
        unknown::forwarded(message).for_each(|object| {
            w.copy(object.octets());
        });
    }
}

/// Whether a message carries more octets to be forwarded than state can keep.
pub(crate) fn forwards_too_much(message: &Message<'_>) -> bool {
    unknown::forwarded(message).map(|o| o.octets().len()).sum::<usize>() > unknown::FORWARDED_MAX
}

/// The error flow descriptors of a Resv that is rejected as a whole (RFC 2205 section 3.1.8): in FF each by itself, in WF
/// and SE the only one, and the first where the style is none that is known.
fn error_flows<'a>(message: &Message<'a>) -> SmallVec<[ErrorFlowObjects<'a>; 1]> {
    let style = message.get::<Style>().and_then(Result::ok).and_then(StyleKind::of);
    let distinct = style == Some(StyleKind::FixedFilter);
    let mut flows: SmallVec<[ErrorFlowObjects<'a>; 1]> = SmallVec::new();
    for FlowDescriptor { flowspec, filter } in flow_descriptors(message) {
        let own = |first: &ErrorFlowObjects<'_>| first.first().map(|o| o.at()) == flowspec.map(|o| o.at());
        if flows.is_empty() || (distinct && flows.len() < RESV_ERRORS_MAX) {
            flows.push(flowspec.into_iter().chain(filter).collect());
        } else if let Some(first) = flows.first_mut().filter(|first| !distinct && own(first)) {
            first.extend(filter);
        }
    }
    if flows.is_empty() {
        // A STYLE and nothing else: the descriptor of a ResvErr may be missing, too.
        flows.push(SmallVec::new());
    }
    flows
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
