//! What the engine asks of the node it runs on: routes, and nothing else (RFC 2205 section 3.11.4).

use crate::interface::InterfaceId;
use core::net::IpAddr;
use rsvp_wire::{FilterSpec, Session};
use smallvec::SmallVec;

/// A question to the routing of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RouteQuery {
    /// Where data of the session goes: a unicast address or a multicast group.
    pub destination: IpAddr,
    /// The address of the flow's sender; `None` when the question does not depend on one (ResvConf).
    pub source: Option<IpAddr>,
    /// What else packets of the flow are told apart by; nothing when the question is not about a flow.
    pub flow: FlowKey,
}

impl RouteQuery {
    /// Where messages to an address go.
    #[must_use]
    pub fn to(destination: IpAddr) -> Self {
        Self { destination, source: None, flow: FlowKey::default() }
    }

    /// Where data of a sender goes that comes in by `incoming`, or is made on this node.
    #[must_use]
    pub fn of_data(session: &Session, sender: &FilterSpec, incoming: Option<InterfaceId>) -> Self {
        let flow_label = match *sender {
            FilterSpec::Ipv6FlowLabel { label, .. } => label,
            _ => 0,
        };
        let flow = FlowKey {
            protocol: session.protocol(),
            source_port: sender.port(),
            // A virtual port is in no packet.
            destination_port: if session.is_gpi() { 0 } else { session.port() },
            flow_label,
            // Of a group, this is what routing is asked for.
            incoming: incoming.filter(|_| !session.is_multicast()),
        };
        Self { destination: session.destination(), source: Some(sender.address()), flow }
    }
}

/// What the packets of one flow have in common beside their addresses. RFC 2205 section 3.11.4 asks by addresses alone;
/// but where several paths are equally good, routers choose by these as well, and the reservation has to be on the one
/// that the data takes. Zero is unknown, as in SESSION and SENDER_TEMPLATE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FlowKey {
    /// IP protocol.
    pub protocol: u8,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// IPv6 flow label.
    pub flow_label: u32,
    /// Unicast: the interface it comes in by, which is where the Path came from; `None` for a sender on this node.
    pub incoming: Option<InterfaceId>,
}

/// Where packets of a flow come from and go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Multicast: the interface on which the flow is expected. Unicast routing does not say: `None`.
    pub incoming: Option<InterfaceId>,
    /// Where the flow leaves. Empty when it ends on this node or nobody downstream wants it.
    pub outgoing: SmallVec<[InterfaceId; 4]>,
}

/// The answer to a [`RouteQuery`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteAnswer {
    /// Routing knows.
    Known(Route),
    /// Routing has no route; local state is kept and the next refresh asks again.
    NoRoute,
    /// Routing will know later and then says so by [`Input::RouteChanged`](crate::Input::RouteChanged).
    Pending,
}

/// The node around the engine. Answers come from memory: an implementation never waits.
pub trait Host {
    /// Answers a route query (RFC 2205 section 3.11.4, `Ucast_Route_Query` and `Mcast_Route_Query`).
    fn route(&mut self, query: RouteQuery) -> RouteAnswer;
}
