//! What the engine asks of the node it runs on: routes, and nothing else (RFC 2205 section 3.11.4).

use crate::interface::InterfaceId;
use core::net::IpAddr;
use smallvec::SmallVec;

/// A question to the routing of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RouteQuery {
    /// Where data of the session goes: a unicast address or a multicast group.
    pub destination: IpAddr,
    /// The address of the flow's sender; `None` when the question does not depend on one (ResvConf).
    pub source: Option<IpAddr>,
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
