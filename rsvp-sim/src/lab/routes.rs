//! What routing says, put into kernels: unicast routes to every address, and multicast forwarding entries for every
//! sender, both as the simulator's routing computes them.
//!
//! The plan is arithmetic; only [`Routes::follow`] touches a kernel.

use super::error::{LabError, Trying};
use super::multicast::{Branch, Flow, MulticastRouter};
use super::wiring::{Place, Wiring};
use crate::scenario::model::{Family, LinkId, NodeId, Scenario};
use crate::world::Topology;
use crate::world::routing::{Network, NodeRoutes, Routing};
use core::net::IpAddr;
use netlink_packet_route::route::{RouteMessage, RouteScope, RouteType};
use rsvp_node::{Host, InterfaceId, RouteAnswer, RouteQuery};
use rtnetlink::RouteMessageBuilder;
use std::collections::BTreeMap;

/// Where Linux keeps IPv6's own route to all multicast, which is looked at before all others.
const TABLE_LOCAL: u32 = 255;

/// A unicast route, or where data for a group leaves the host of its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
enum PlannedRoute {
    /// Over an interface, to a router or to the destination itself.
    Out(u32, Option<IpAddr>),
    /// Routing has none, whatever interfaces there are.
    Unreachable,
}

/// All routes of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    ways: BTreeMap<IpAddr, PlannedRoute>,
    branches: BTreeMap<Flow, Branch>,
}

impl Plan {
    /// Works out a node's routes.
    pub(super) fn new(
        scenario: &Scenario,
        topology: &Topology,
        routing: &Routing,
        wiring: &Wiring,
        node: NodeId,
    ) -> Self {
        let mut plan = Self::default();
        let here = &wiring.places[node.0];
        for (n, there) in wiring.places.iter().enumerate().filter(|(n, _)| *n != node.0) {
            let step = routing.next_hop(scenario, node, NodeId(n), None, None);
            for port in &there.ports {
                let way = way(here, wiring, step, NodeId(n), port.link);
                plan.ways.extend(way.map(|way| (port.address, way)));
            }
        }
        plan.add_groups(NodeRoutes { scenario, topology, routing, node }, here);
        plan
    }

    fn add_groups(&mut self, mut routes: NodeRoutes<'_>, here: &Place) {
        let (scenario, topology, node) = (routes.scenario, routes.topology, routes.node);
        for sender in &scenario.senders {
            let group = topology.session(sender.session).destination();
            let Some(source) = topology.attachments(sender.node).first().map(|a| a.address) else { continue };
            if !group.is_multicast() {
                continue;
            }
            let query = RouteQuery { source: Some(source), ..RouteQuery::to(group) };
            let RouteAnswer::Known(route) = routes.route(query) else { continue };
            // The simulator numbers interfaces from 1, in the order of the ports.
            let place = |id: &InterfaceId| (id.0 as usize).checked_sub(1);
            let outgoing: Vec<usize> = route.outgoing.iter().filter_map(place).collect();
            if sender.node == node {
                let way = outgoing.first().map(|&out| PlannedRoute::Out(here.ports[out].index, None));
                self.ways.extend(way.map(|way| (group, way)));
            } else if let (true, Some(incoming)) =
                (scenario.nodes[node.0].router, route.incoming.as_ref().and_then(place))
            {
                self.branches.insert((source, group), Branch { incoming, outgoing });
            }
        }
    }
}

/// The way to the address that a node has on some link; none where being on that link too is enough.
fn way(
    here: &Place,
    wiring: &Wiring,
    step: Option<(LinkId, NodeId)>,
    to: NodeId,
    its_link: LinkId,
) -> Option<PlannedRoute> {
    let Some((link, next)) = step else { return Some(PlannedRoute::Unreachable) };
    if next == to && link == its_link {
        return None;
    }
    let gateway = wiring.places[next.0].port(link).map(|port| port.address);
    here.port(link).map(|port| PlannedRoute::Out(port.index, gateway))
}

/// What is installed, and the sockets that hold it.
#[derive(Debug)]
pub(super) struct Routes {
    installed: Vec<Plan>,
    multicast: Vec<Option<MulticastRouter>>,
}

impl Routes {
    /// Opens the multicast routing sockets of routers.
    pub(super) async fn new(scenario: &Scenario, wiring: &Wiring) -> Result<Self, LabError> {
        let mut multicast = Vec::new();
        for (node, place) in scenario.nodes.iter().zip(&wiring.places) {
            multicast.push(match node.router {
                true => Some(MulticastRouter::new(place, scenario.family == Family::Ipv6).await?),
                false => None,
            });
        }
        Ok(Self { installed: vec![Plan::default(); multicast.len()], multicast })
    }

    /// Makes the kernels' routes what routing says; a kernel has forgotten those of a link that was down.
    pub(super) async fn follow(
        &mut self,
        scenario: &Scenario,
        topology: &Topology,
        wiring: &Wiring,
        network: &Network,
        switched: Option<LinkId>,
    ) -> Result<(), LabError> {
        let routing = Routing::new(scenario, network);
        for (n, place) in wiring.places.iter().enumerate() {
            let plan = Plan::new(scenario, topology, &routing, wiring, NodeId(n));
            let forgotten = switched.is_some_and(|link| place.port(link).is_some());
            let before = core::mem::replace(&mut self.installed[n], plan);
            let now = &self.installed[n];
            let name = &place.namespace.name;
            for (to, way) in before.ways.iter().filter(|(to, _)| !now.ways.contains_key(*to)) {
                // First, since IPv6 takes no gateway that it has another route to. A kernel that has dropped it by itself has nothing to remove.
                let _ = place.netlink.route().del(message(*to, way)?).execute().await;
            }
            for (to, way) in
                now.ways.iter().filter(|(to, way)| forgotten || before.ways.get(*to) != Some(*way))
            {
                install(place, *to, way).await.trying(|| format!("set the route of {name} to {to}"))?;
            }
            if let Some(router) = &mut self.multicast[n] {
                router.follow(&now.branches).trying(|| format!("set the multicast routes of {name}"))?;
            }
        }
        Ok(())
    }
}

async fn install(place: &Place, to: IpAddr, way: &PlannedRoute) -> Result<(), LabError> {
    let request = place.netlink.route().add(message(to, way)?).replace();
    request.execute().await.trying(|| "tell the kernel".to_owned())
}

fn message(to: IpAddr, way: &PlannedRoute) -> Result<RouteMessage, LabError> {
    let prefix = if to.is_ipv4() { 32 } else { 128 };
    let step = || format!("write a route to {to}");
    let mut route = RouteMessageBuilder::<IpAddr>::new().destination_prefix(to, prefix).trying(step)?;
    match way {
        PlannedRoute::Unreachable => route = route.kind(RouteType::Unreachable),
        PlannedRoute::Out(index, Some(gateway)) => {
            route = route.output_interface(*index).gateway(*gateway).trying(step)?.onlink();
        }
        PlannedRoute::Out(index, None) => route = route.output_interface(*index).scope(RouteScope::Link),
    }
    if to.is_ipv6() && to.is_multicast() {
        route = route.table_id(TABLE_LOCAL).kind(RouteType::Multicast);
    }
    Ok(route.build())
}
