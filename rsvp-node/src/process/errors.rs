//! PathErr and ResvErr messages of this node, and the error events of local applications (RFC 2205 sections 3.1.7, 3.1.8
//! and 3.11.1).

use super::read_object;
use super::scope::Addresses;
use super::update_traffic_control::Refused;
use crate::api::Rx;
use crate::carried::is_sent;
use crate::composer::{Composer, Descriptor, Forwarded, Named};
use crate::event::EventKind;
use crate::interface::InterfaceId;
use crate::key::{SenderKey, SessionKey, StyleKind};
use crate::node::Node;
use crate::queue::Envelope;
use crate::state::resv::RequestOrigin;
use crate::unknown;
use core::net::IpAddr;
use rsvp_wire::{
    Class, ErrorCode, ErrorSpec, FlowDescriptor, Message, MsgType, ObjectRef, Scope, Session, Style,
    flow_descriptors,
};
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
        let descriptor = [Class::SENDER_TEMPLATE, Class::SENDER_TSPEC, Class::ADSPEC];
        self.send(&Composer {
            session: session_of(message),
            error: Some(ErrorSpec { node, flags: 0, code: why.0, value: why.1 }),
            forwarded: passed_on(message),
            descriptor: Descriptor::Octets(&descriptor.map(|class| octets_of(message, class))),
            ..Composer::new(MsgType::PATH_ERR, Envelope::to_neighbour(rx.interface, hop, self.config.ttl))
        });
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
        let Some(own) = self.own_hop(interface, hop) else { return };
        let scope = scope_of(message);
        for flow in error_flows(message) {
            let objects = [style].into_iter().chain(flow).map(|object| object.octets());
            self.send(&Composer {
                session: session_of(message),
                hop: Some(own),
                error: Some(ErrorSpec { node: own.address, flags: 0, code: why.0, value: why.1 }),
                scope: &scope,
                forwarded: passed_on(message),
                descriptor: Descriptor::Octets(&objects.collect::<SmallVec<[&[u8]; 3]>>()),
                ..Composer::new(MsgType::RESV_ERR, Envelope::to_neighbour(interface, hop, self.config.ttl))
            });
        }
    }

    /// The message of which a flow descriptor is refused, if objects of it go on in that error: they do in so many of a message, or the
    /// answers would be many times what came.
    pub(crate) fn goes_on_in_refusal<'a>(&mut self, message: Message<'a>) -> Option<Message<'a>> {
        self.refusals += 1;
        (self.refusals <= RESV_ERRORS_MAX).then_some(message)
    }

    /// Reports an error found on this node to whoever made the request.
    pub(crate) fn report_resv_error(
        &mut self,
        to: RequestOrigin,
        session: &SessionKey,
        code: ErrorCode,
        value: u16,
        flags: u8,
        flow: &ErrorFlow<'_>,
    ) {
        let node = match to {
            RequestOrigin::Hop { interface, address } => self.own_address(interface, address),
            RequestOrigin::App { interface, .. } => {
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
        to: RequestOrigin,
        session: &SessionKey,
        error: ErrorSpec,
        flow: &ErrorFlow<'_>,
    ) {
        match to {
            RequestOrigin::App { app, .. } => {
                let kind = EventKind::ResvError {
                    error,
                    style: flow.style,
                    flowspec: flow.flowspec.and_then(read_object),
                    filters: SenderKey::objects(flow.filters),
                };
                self.tell(app, session, kind);
            }
            RequestOrigin::Hop { interface, address } => {
                let to = Envelope::to_neighbour(interface, address, self.config.ttl);
                let Some(own) = self.own_hop(interface, address) else { return };
                self.send(&Composer {
                    session: Named::Key(*session),
                    hop: Some(own),
                    error: Some(error),
                    scope: flow.scope,
                    forwarded: flow.because_of.as_ref().map_or(Forwarded::Nothing, passed_on),
                    descriptor: Descriptor::Flow {
                        style: flow.style,
                        flowspec: flow.flowspec.unwrap_or_default(),
                        filters: flow.filters,
                    },
                    ..Composer::new(MsgType::RESV_ERR, to)
                });
            }
        }
    }
}

/// The SESSION of a message in error, as it came if it cannot be read.
fn session_of<'a>(message: &Message<'a>) -> Named<'a> {
    match message.get::<Session>() {
        Some(Ok(session)) => Named::Key(SessionKey::of(session)),
        _ => Named::AsItCame(octets_of(message, Class::SESSION)),
    }
}

/// An object as it came; nothing where there is none.
fn octets_of<'a>(message: &Message<'a>, class: Class) -> &'a [u8] {
    message.first(class).map(|object| object.octets()).unwrap_or_default()
}

/// The objects that go on in whatever results from a message (RFC 2205 section 3.10); none if they are too many to be
/// taken anywhere.
fn passed_on<'a>(message: &Message<'a>) -> Forwarded<'a> {
    if forwards_too_much(message) { Forwarded::Nothing } else { Forwarded::Of(*message) }
}

/// The same, put together.
pub(crate) fn goes_on(message: &Message<'_>) -> Box<[u8]> {
    if forwards_too_much(message) {
        return Box::default();
    }
    let objects = message.objects().filter(|object| is_sent(object, false));
    objects.flat_map(|object| object.octets().to_vec()).collect()
}

/// Whether a message carries more octets to be forwarded than state can keep.
fn forwards_too_much(message: &Message<'_>) -> bool {
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

/// The SCOPE of a message in error, to be copied into the ResvErr: of a wildcard reservation (RFC 2205 section 3.4). What else names one
/// says nothing by it, and would have it copied for each of its flow descriptors.
pub(crate) fn scope_of(message: &Message<'_>) -> Addresses {
    let wildcard = message
        .get::<Style>()
        .and_then(Result::ok)
        .and_then(StyleKind::of)
        .is_none_or(StyleKind::is_wildcard);
    // It stands before the flow descriptors, of which there may be a thousand.
    match wildcard.then(|| message.get::<Scope<'_>>()) {
        Some(Some(Ok(scope))) => scope.addresses().collect(),
        _ => Addresses::new(),
    }
}
