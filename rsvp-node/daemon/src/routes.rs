//! Answers the engine's route queries from the kernel (RFC 2205 section 3.11.4).
//!
//! Unicast by a route lookup as for a packet of the flow, with the interface where the Path came in, protocol and ports, so
//! that rules by them count, and equal-cost paths are told apart as data is. Multicast from the configuration, then from the kernel's forwarding cache. Nothing is
//! cached here: the kernel answers within the call.

use super::config::MulticastRoute;
use super::flow_service::Way;
use super::links::Links;
use super::netlink::{Netlink, RouteTo};
use rsvp_node::{FlowKey, Host, InterfaceId, Route, RouteAnswer, RouteQuery};
use rsvp_wire::{FilterSpec, Session};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// The kernel's routes and what the configuration says of multicast.
pub(super) struct Routes {
    pub(super) netlink: Netlink,
    pub(super) links: Links,
    pub(super) fixed: Vec<MulticastRoute>,
    /// Lookups that failed for other reasons than that there is no route.
    pub(super) failed: u64,
}

impl Routes {
    fn unicast(&mut self, query: &RouteQuery) -> io::Result<RouteTo> {
        let own = RouteQuery { flow: FlowKey { incoming: None, ..query.flow }, ..*query };
        if query.source.is_none_or(|source| self.links.owns(source)) {
            return self.netlink.route(&own);
        }
        let way = self.netlink.route(query)?;
        if !matches!(way, RouteTo::Nowhere(_)) {
            return Ok(way);
        }
        // A host does not forward, and a filter on the reverse path may refuse: the destination alone then decides.
        self.netlink.route(&RouteQuery { source: None, ..own })
    }

    /// Where data of a sender on this node leaves it, if RSVP is spoken there. Of a group the kernel takes the interface
    /// that has the source.
    pub(super) fn leaves_by(&mut self, session: &Session, sender: &FilterSpec) -> Option<InterfaceId> {
        let query = RouteQuery::of_data(session, sender, None);
        if session.is_multicast() || !self.links.owns(sender.address()) {
            return None;
        }
        match self.route(query) {
            RouteAnswer::Known(route) => {
                let speaks = |by: &InterfaceId| self.links.speaking().any(|id| id == *by);
                let has_address = |by| self.links.address(by, sender.address()).is_some();
                route.outgoing.into_iter().find(|by| speaks(by) && has_address(*by))
            }
            RouteAnswer::NoRoute | RouteAnswer::Pending => None,
        }
    }

    /// How packets of a socket of this node leave to its peer: not those that stay here, or find no route.
    pub(super) fn way_to(
        &mut self,
        protocol: u8,
        local: Option<SocketAddr>,
        peer: SocketAddr,
    ) -> Option<Way> {
        let plain = |at: SocketAddr| (at.ip().to_canonical(), at.port());
        let (address, source_port) = local.map_or((None, 0), |local| {
            let (address, port) = plain(local);
            (Some(address).filter(|address| !address.is_unspecified()), port)
        });
        let (destination, destination_port) = plain(peer);
        let flow = FlowKey { protocol, source_port, destination_port, ..FlowKey::default() };
        let query = RouteQuery { destination, source: address, flow };
        let found = if destination.is_multicast() {
            self.netlink.route(&query).map(|route| match route {
                RouteTo::Out(out) => Some(Way { interface: InterfaceId(out), on_link: true }),
                RouteTo::Local | RouteTo::Nowhere(_) => None,
            })
        } else {
            let hop = self.netlink.first_hop(&query, None);
            hop.map(|hop| {
                hop.map(|hop| Way { interface: InterfaceId(hop.interface), on_link: hop.to == destination })
            })
        };
        found.unwrap_or_else(|error| {
            tracing::warn!(%error, %peer, "a look-up of the way of a socket's packets failed");
            self.failed += 1;
            None
        })
    }

    /// The source address that the kernel gives this node's packets to there.
    pub(super) fn source_for(
        &mut self,
        destination: IpAddr,
        interface: Option<InterfaceId>,
    ) -> Option<IpAddr> {
        let out = interface.map(|id| id.0);
        self.netlink.source(&RouteQuery::to(destination), out).unwrap_or_else(|error| {
            tracing::warn!(%error, %destination, "a look-up of the source address failed");
            self.failed += 1;
            None
        })
    }

    fn multicast(&mut self, group: IpAddr, source: IpAddr) -> io::Result<RouteAnswer> {
        let fixed = self.fixed.iter().find(|route| route.is_of(group, source));
        if let Some(fixed) = fixed {
            let incoming = self.links.by_name(&fixed.incoming);
            let outgoing = fixed.outgoing.iter().filter_map(|name| self.links.by_name(name)).collect();
            let own = self.links.owns(source);
            return Ok(RouteAnswer::Known(Route { incoming: incoming.filter(|_| !own), outgoing }));
        }
        if let Some(entry) = self.netlink.forwarding(source, group)? {
            let incoming = (!self.links.owns(source)).then_some(InterfaceId(entry.incoming));
            let outgoing =
                entry.outgoing.into_iter().filter(|out| *out != entry.incoming).map(InterfaceId).collect();
            return Ok(RouteAnswer::Known(Route { incoming, outgoing }));
        }
        if is_multicast_router(group.is_ipv6()) {
            return Ok(RouteAnswer::NoRoute);
        }
        // A host receives, and does not forward.
        Ok(match self.netlink.route(&RouteQuery::to(source))? {
            RouteTo::Out(incoming) => RouteAnswer::Known(Route {
                incoming: Some(InterfaceId(incoming)),
                outgoing: Default::default(),
            }),
            RouteTo::Local => RouteAnswer::Known(Route::default()),
            RouteTo::Nowhere(_) => RouteAnswer::NoRoute,
        })
    }

    fn answer(&mut self, query: RouteQuery) -> io::Result<RouteAnswer> {
        if query.destination.is_multicast() {
            return match query.source {
                Some(source) => self.multicast(query.destination, source),
                None => Ok(RouteAnswer::NoRoute),
            };
        }
        Ok(match self.unicast(&query)? {
            RouteTo::Local => RouteAnswer::Known(Route::default()),
            RouteTo::Out(out) => RouteAnswer::Known(Route {
                incoming: None,
                outgoing: [InterfaceId(out)].into_iter().collect(),
            }),
            RouteTo::Nowhere(_) => RouteAnswer::NoRoute,
        })
    }
}

impl Host for Routes {
    fn route(&mut self, query: RouteQuery) -> RouteAnswer {
        let answer = self.answer(query).unwrap_or_else(|error| {
            tracing::warn!(%error, destination = %query.destination, "a route lookup failed");
            self.failed += 1;
            RouteAnswer::NoRoute
        });
        tracing::trace!(?query, ?answer, "route");
        answer
    }
}

/// Whether this network namespace forwards packets.
pub(super) fn is_router(v6: bool) -> bool {
    let path =
        if v6 { "/proc/sys/net/ipv6/conf/all/forwarding" } else { "/proc/sys/net/ipv4/conf/all/forwarding" };
    is_set(path)
}

/// Whether some program has made the kernel a multicast router.
pub(super) fn is_multicast_router(v6: bool) -> bool {
    let path = if v6 {
        "/proc/sys/net/ipv6/conf/all/mc_forwarding"
    } else {
        "/proc/sys/net/ipv4/conf/all/mc_forwarding"
    };
    is_set(path)
}

fn is_set(path: &str) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| text.trim() != "0")
}
