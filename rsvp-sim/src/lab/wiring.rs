//! Links as the kernel has them: veth pairs between namespaces, a bridge for each LAN, the addresses that the simulator
//! computes, and the kernel parameters of hosts and routers.
//!
//! Loss, delay and damage are deliberately absent: a kernel without netem has none to offer.

use super::error::{LabError, Trying};
use super::namespace::Namespace;
use crate::scenario::model::{Link, LinkId, NodeId, Scenario};
use crate::world::Topology;
use core::net::IpAddr;
use netlink_packet_route::address::AddressHeaderFlags;
use netlink_packet_route::link::{InfoData, InfoVeth};
use rtnetlink::{Handle, LinkBridge, LinkMessageBuilder, LinkUnspec, LinkVeth};
use std::os::fd::AsRawFd;

/// Longest name of an interface, in octets.
const LONGEST_NAME: usize = 15;

/// The loopback interface has the first index; ours come after it.
const FIRST_INDEX: u32 = 2;

/// A node in its namespace.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) namespace: Namespace,
    pub(super) netlink: Handle,
    /// In the order of the simulator's attachments.
    pub(super) ports: Vec<Port>,
}

/// An interface.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) link: LinkId,
    pub(super) name: String,
    pub(super) index: u32,
    pub(super) address: IpAddr,
}

/// Everything that is wired up.
#[derive(Debug)]
pub(super) struct Wiring {
    /// By node.
    pub(super) places: Vec<Place>,
    /// Where the bridges are.
    lans: Option<Namespace>,
}

impl Place {
    pub(super) fn port(&self, link: LinkId) -> Option<&Port> {
        self.ports.iter().find(|port| port.link == link)
    }
}

impl Wiring {
    /// Makes namespaces, links and addresses; everything is up when this returns.
    pub(super) async fn new(scenario: &Scenario, topology: &Topology) -> Result<Self, LabError> {
        let mut places = Vec::new();
        for (n, node) in scenario.nodes.iter().enumerate() {
            let namespace = Namespace::new(&node.name).await?;
            namespace.set(parameters(node.router)).await?;
            let netlink = open(&namespace).await?;
            let attachments = topology.attachments(NodeId(n)).iter().zip(FIRST_INDEX..);
            let port = |(a, index): (&crate::world::topology::Attachment, u32)| Port {
                link: a.link,
                name: interface_name(scenario, a.link),
                index,
                address: a.address,
            };
            places.push(Place { namespace, netlink, ports: attachments.map(port).collect() });
        }
        let lans = if scenario.links.iter().any(|link| link.lan) {
            Some(Namespace::new("the LANs").await?)
        } else {
            None
        };
        let wiring = Self { places, lans };
        for n in 0..scenario.links.len() {
            wiring
                .wire(scenario, LinkId(n))
                .await
                .trying(|| format!("make the link {}", scenario.links[n].name))?;
        }
        for place in &wiring.places {
            place
                .bring_up()
                .await
                .trying(|| format!("bring up the interfaces of {}", place.namespace.name))?;
        }
        for (n, link) in scenario.links.iter().enumerate() {
            wiring.until_running(link, LinkId(n)).await?;
        }
        Ok(wiring)
    }

    /// Waits until a link that is up carries packets, at all of its ends and at the bridge.
    pub(super) async fn until_running(&self, plan: &Link, link: LinkId) -> Result<(), LabError> {
        let lan = self.lans.as_ref().filter(|_| plan.lan);
        if let Some(lans) = lan {
            let names = (0..plan.ends.len()).map(|n| cable_name(link, n)).chain([bridge_name(link)]);
            lans.until_running(names.collect()).await?;
        }
        for end in &plan.ends {
            let place = &self.places[end.0];
            let name = place.port(link).map(|port| port.name.clone());
            place.namespace.until_running(name.into_iter().collect()).await?;
        }
        Ok(())
    }

    async fn wire(&self, scenario: &Scenario, link: LinkId) -> Result<(), LabError> {
        let plan = &scenario.links[link.0];
        if let (Some(lans), true) = (&self.lans, plan.lan) {
            return self.bridge(lans, plan.mtu, &plan.ends, link).await;
        }
        let ends: Vec<&Place> = plan.ends.iter().map(|end| &self.places[end.0]).collect();
        let [near, far] = ends.as_slice() else { return Ok(()) };
        if let (Some(port), Some(other)) = (near.port(link), far.port(link)) {
            near.veth(port, plan.mtu, &far.namespace, (&other.name, other.index)).await?;
        }
        Ok(())
    }

    /// A LAN: a bridge that floods, and a cable to it from everybody.
    async fn bridge(
        &self,
        lans: &Namespace,
        mtu: u32,
        ends: &[NodeId],
        link: LinkId,
    ) -> Result<(), LabError> {
        let netlink = open(lans).await?;
        let number = link.0 as u32 + 1;
        let (name, index) = (bridge_name(link), FIRST_INDEX + number * 1000);
        // Snooping would keep multicast from routers that never join.
        let bridge = LinkBridge::new(&name).index(index).mcast_snooping(false).mtu(mtu).up().build();
        netlink.link().add(bridge).execute().await.trying(|| "make a bridge".to_owned())?;
        for (n, end) in ends.iter().enumerate() {
            let place = &self.places[end.0];
            let Some(port) = place.port(link) else { continue };
            let (cable, at) = (cable_name(link, n), index + n as u32 + 1);
            place.veth(port, mtu, lans, (&cable, at)).await?;
            let plug = LinkUnspec::new_with_index(at).controller(index).up().build();
            netlink.link().set(plug).execute().await.trying(|| "plug in a cable".to_owned())?;
        }
        Ok(())
    }
}

impl Place {
    /// A pair of interfaces: one here, one elsewhere.
    async fn veth(
        &self,
        port: &Port,
        mtu: u32,
        elsewhere: &Namespace,
        (name, index): (&str, u32),
    ) -> Result<(), LabError> {
        let other = LinkMessageBuilder::<LinkUnspec>::new()
            .name(name)
            .index(index)
            .mtu(mtu)
            .setns_by_fd(elsewhere.file.as_raw_fd())
            .build();
        let pair = LinkVeth::new(&port.name, name)
            .index(port.index)
            .mtu(mtu)
            .set_info_data(InfoData::Veth(InfoVeth::Peer(other)))
            .build();
        self.netlink.link().add(pair).execute().await.trying(|| "make a veth pair".to_owned())
    }

    async fn bring_up(&self) -> Result<(), rtnetlink::Error> {
        self.switch(1, true).await?;
        for port in &self.ports {
            let prefix = if port.address.is_ipv4() { 24 } else { 64 };
            let mut request = self.netlink.address().add(port.index, port.address, prefix);
            // It is needed at once: also without detection of duplicates the kernel calls an address tentative for a moment.
            request.message_mut().header.flags |= AddressHeaderFlags::Nodad;
            request.execute().await?;
            self.switch(port.index, true).await?;
        }
        Ok(())
    }

    /// Sets an interface administratively up or down.
    pub(super) async fn switch(&self, index: u32, up: bool) -> Result<(), rtnetlink::Error> {
        let change = LinkUnspec::new_with_index(index);
        let change = if up { change.up() } else { change.down() };
        self.netlink.link().set(change.build()).execute().await
    }
}

/// A netlink connection that stays in the namespace.
async fn open(namespace: &Namespace) -> Result<Handle, LabError> {
    let runtime = tokio::runtime::Handle::current();
    let made = namespace
        .run(move || {
            let _inside = runtime.enter();
            rtnetlink::new_connection()
        })
        .await?;
    let (connection, handle, _) = made.trying(|| format!("open netlink for {}", namespace.name))?;
    tokio::spawn(connection);
    Ok(handle)
}

/// What the kernel of a node is told before it has interfaces.
fn parameters(router: bool) -> Vec<(String, &'static str)> {
    let forward = if router { "1" } else { "0" };
    let mut parameters = vec![("ipv4/ip_forward".to_owned(), forward)];
    for which in ["all", "default"] {
        // Paths arrive with the flow sender's source address, over any interface.
        parameters.push((format!("ipv4/conf/{which}/rp_filter"), "0"));
        parameters.push((format!("ipv4/conf/{which}/send_redirects"), "0"));
        parameters.push((format!("ipv4/conf/{which}/accept_redirects"), "0"));
        parameters.push((format!("ipv6/conf/{which}/accept_dad"), "0"));
        // Addresses come back when their link does.
        parameters.push((format!("ipv6/conf/{which}/keep_addr_on_down"), "1"));
        parameters.push((format!("ipv6/conf/{which}/accept_ra"), "0"));
        parameters.push((format!("ipv6/conf/{which}/forwarding"), forward));
    }
    parameters
}

fn bridge_name(link: LinkId) -> String {
    format!("lan{}", link.0 + 1)
}

/// What plugs the end at this place into the bridge.
fn cable_name(link: LinkId, place: usize) -> String {
    format!("lan{}.{place}", link.0 + 1)
}

/// Interfaces are called like their links where the kernel takes such a name.
fn interface_name(scenario: &Scenario, link: LinkId) -> String {
    let name = &scenario.links[link.0].name;
    let sound = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if sound && name.len() <= LONGEST_NAME && !["lo", "all", "default"].contains(&name.as_str()) {
        return name.clone();
    }
    format!("link{}", link.0 + 1)
}
