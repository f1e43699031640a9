//! Tests of the network that a lab makes, without any daemon: ordinary datagrams take the ways that routing computes.

use super::capture::Captures;
use super::multicast::Flow;
use super::routes::Routes;
use super::wiring::Wiring;
use crate::scenario::Scenario;
use crate::scenario::model::{Family, LinkId, NodeId};
use crate::world::Topology;
use crate::world::routing::{Network, first_members};
use core::net::IpAddr;
use core::time::Duration;
use socket2::{Domain, Socket, Type};
use std::net::{SocketAddr, UdpSocket};

/// How often a datagram is sent, and how long each is waited for.
const TRIES: u32 = 50;
const PATIENCE: Duration = Duration::from_millis(100);
const TTL: u32 = 64;

fn root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        println!("skipped: making network namespaces needs root");
    }
    root
}

fn scenario(name: &str, family: Family) -> Scenario {
    let path = format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let mut scenario = Scenario::parse(&path, &std::fs::read(&path).unwrap()).unwrap();
    scenario.family = family;
    scenario
}

struct Net {
    scenario: Scenario,
    topology: Topology,
    wiring: Wiring,
    routes: Routes,
    network: Network,
}

impl Net {
    async fn new(scenario: Scenario) -> Self {
        let topology = Topology::new(&scenario);
        let wiring = Wiring::new(&scenario, &topology).await.unwrap();
        let routes = Routes::new(&scenario, &wiring).await.unwrap();
        let mut members = first_members(&scenario);
        for receiver in &scenario.receivers {
            members[receiver.session.0].insert(receiver.node);
        }
        let network = Network {
            link_up: vec![true; scenario.links.len()],
            node_up: vec![true; scenario.nodes.len()],
            members,
        };
        let mut net = Self { scenario, topology, wiring, routes, network };
        net.follow(None).await;
        net
    }

    async fn follow(&mut self, switched: Option<LinkId>) {
        let Self { scenario, topology, wiring, routes, network } = self;
        routes.follow(scenario, topology, wiring, network, switched).await.unwrap();
    }

    fn node(&self, name: &str) -> NodeId {
        NodeId(self.scenario.nodes.iter().position(|n| n.name == name).unwrap())
    }

    /// Sends a datagram from the first sender's address to its session, and says which hop limit it has at `to`.
    async fn hops(&self, to: &str) -> Option<u32> {
        let sender = &self.scenario.senders[0];
        let from = &self.wiring.places[sender.node.0];
        let source = from.ports[0].address;
        let destination = self.topology.session(sender.session).destination();
        let place = &self.wiring.places[self.node(to).0];
        let index = place.ports[0].index;
        let receiver =
            place.namespace.run(move || open_receiver((source, destination), index)).await.unwrap();
        let sender = from.namespace.run(move || UdpSocket::bind((source, 0)).unwrap()).await.unwrap();
        if source.is_ipv4() {
            sender.set_ttl(TTL).unwrap();
            sender.set_multicast_ttl_v4(TTL).unwrap();
        } else {
            socket2::SockRef::from(&sender).set_unicast_hops_v6(TTL).unwrap();
            socket2::SockRef::from(&sender).set_multicast_hops_v6(TTL).unwrap();
        }
        // Where a link has just come up, IPv6 groups are not heard for a moment.
        let ask = move || {
            (0..TRIES).find_map(|_| {
                let _ = sender.send_to(b"hello", (destination, 7777));
                hop_limit(&receiver)
            })
        };
        tokio::task::spawn_blocking(ask).await.unwrap()
    }
}

fn open_receiver((_, destination): Flow, index: u32) -> UdpSocket {
    let domain = if destination.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM, None).unwrap();
    socket.bind(&SocketAddr::new(destination, 7777).into()).unwrap();
    match destination {
        IpAddr::V4(group) if group.is_multicast() => {
            socket.join_multicast_v4_n(&group, &socket2::InterfaceIndexOrAddress::Index(index)).unwrap();
        }
        IpAddr::V6(group) if group.is_multicast() => socket.join_multicast_v6(&group, index).unwrap(),
        _ => {}
    }
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    if destination.is_ipv4() {
        nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::Ipv4RecvTtl, &true).unwrap();
    } else {
        nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::Ipv6RecvHopLimit, &true).unwrap();
    }
    socket.into()
}

fn hop_limit(socket: &UdpSocket) -> Option<u32> {
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
    use std::os::fd::AsRawFd;
    let (mut room, mut control) = ([0; 64], nix::cmsg_space!(i32));
    let mut parts = [std::io::IoSliceMut::new(&mut room)];
    let message =
        recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty()).ok()?;
    message.cmsgs().ok()?.find_map(|each| match each {
        ControlMessageOwned::Ipv4Ttl(ttl) | ControlMessageOwned::Ipv6HopLimit(ttl) => u32::try_from(ttl).ok(),
        _ => None,
    })
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn check(name: &str, to: &str, hops: u32) {
    if !root() {
        return;
    }
    for family in [Family::Ipv4, Family::Ipv6] {
        block_on(async {
            let net = Net::new(scenario(name, family)).await;
            assert_eq!(net.hops(to).await, Some(TTL - hops), "{name} {family:?}");
        });
    }
}

#[test]
fn unicast_takes_every_router() {
    check("three-routers", "home", 3);
}

#[test]
fn multicast_reaches_hosts_on_links_and_on_a_lan() {
    check("figure-6-ff", "r1", 1);
    check("figure-6-ff", "r3", 1);
}

#[test]
fn multicast_takes_another_way_when_a_link_fails() {
    if !root() {
        return;
    }
    for family in [Family::Ipv4, Family::Ipv6] {
        block_on(async {
            let mut net = Net::new(scenario("link-failure", family)).await;
            let link = LinkId(1);
            let captures = Captures::default();
            let r3 = net.node("r3");
            captures.watch(r3, &net.wiring.places[r3.0]).await.unwrap();
            for up in [true, false, true] {
                net.network.link_up[link.0] = up;
                for end in net.scenario.links[link.0].ends.clone() {
                    let place = &net.wiring.places[end.0];
                    place.switch(place.port(link).unwrap().index, up).await.unwrap();
                }
                if up {
                    net.wiring.until_running(&net.scenario.links[link.0], link).await.unwrap();
                }
                net.follow(Some(link)).await;
                assert_eq!(net.hops("home").await, Some(TTL - 3), "{family:?}, up: {up}");
            }
            assert!(captures.take().is_empty(), "a datagram is no RSVP message");
        });
    }
}
