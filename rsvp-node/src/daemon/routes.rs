//! Answers the engine's route queries from the kernel (RFC 2205 section 3.11.4).
//!
//! Unicast by a route lookup as for a forwarded packet of the flow, so that rules by source and input interface count
//! where the kernel allows it. Multicast from the configuration, then from the kernel's forwarding cache. Nothing is
//! cached here: the kernel answers within the call.

use super::config::MulticastRoute;
use super::links::Links;
use super::netlink::{Netlink, Way};
use crate::{Host, InterfaceId, Route, RouteAnswer, RouteQuery};
use std::io;
use std::net::IpAddr;

/// The kernel's routes and what the configuration says of multicast.
pub(super) struct Routes {
    pub(super) netlink: Netlink,
    pub(super) links: Links,
    pub(super) fixed: Vec<MulticastRoute>,
    /// Lookups that failed for other reasons than that there is no route.
    pub(super) failed: u64,
}

impl Routes {
    fn unicast(&mut self, destination: IpAddr, source: Option<IpAddr>) -> io::Result<Way> {
        let Some(source) = source else { return self.netlink.route(destination, None, None) };
        if self.links.owns(source) {
            return self.netlink.route(destination, Some(source), None);
        }
        // As if a packet of the flow had come in where packets to its sender would leave.
        if let Way::Out(incoming) = self.netlink.route(source, None, None)? {
            let way = self.netlink.route(destination, Some(source), Some(incoming))?;
            if way != Way::Nowhere {
                return Ok(way);
            }
        }
        // A host does not forward, and a filter on the reverse path may refuse: the destination alone then decides.
        self.netlink.route(destination, None, None)
    }

    fn multicast(&mut self, group: IpAddr, source: IpAddr) -> io::Result<RouteAnswer> {
        let fixed = self.fixed.iter().find(|r| r.group == group && r.source.is_none_or(|s| s == source));
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
        Ok(match self.netlink.route(source, None, None)? {
            Way::Out(incoming) => RouteAnswer::Known(Route {
                incoming: Some(InterfaceId(incoming)),
                outgoing: Default::default(),
            }),
            Way::Local => RouteAnswer::Known(Route::default()),
            Way::Nowhere => RouteAnswer::NoRoute,
        })
    }

    fn answer(&mut self, query: RouteQuery) -> io::Result<RouteAnswer> {
        if query.destination.is_multicast() {
            return match query.source {
                Some(source) => self.multicast(query.destination, source),
                None => Ok(RouteAnswer::NoRoute),
            };
        }
        Ok(match self.unicast(query.destination, query.source)? {
            Way::Local => RouteAnswer::Known(Route::default()),
            Way::Out(out) => RouteAnswer::Known(Route {
                incoming: None,
                outgoing: [InterfaceId(out)].into_iter().collect(),
            }),
            Way::Nowhere => RouteAnswer::NoRoute,
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
