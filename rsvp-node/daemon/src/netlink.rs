//! The kernel's tables by netlink: links, addresses, unicast routes and multicast forwarding entries.
//!
//! Questions are asked and answered on a blocking socket: the kernel answers a route lookup, and each piece of a dump,
//! within the system call that asks, so the answer is there when it is read and nothing waits for another process. What
//! changes arrives elsewhere (`monitor`); what answers mean for RSVP is deliberately the business of `routes` and `links`.

mod no_way;
mod whole;

pub(super) use self::no_way::NoWay;
pub(super) use self::whole::{NLM_F_DUMP_INTR, whole};
use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope};
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use rsvp_node::{FlowKey, RouteQuery};
use std::io;
use std::net::IpAddr;

/// Families of the kernel's multicast forwarding caches, beside the address families (`linux/rtnetlink.h`).
const RTNL_FAMILY_IPMR: u8 = 128;
const RTNL_FAMILY_IP6MR: u8 = 129;

/// A network interface as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) name: String,
    /// Administratively up, and with a carrier.
    pub(super) up: bool,
    pub(super) loopback: bool,
    pub(super) mtu: u32,
    /// What kind of virtual link it is, by the kernel's word; nothing of hardware.
    pub(super) kind: Option<String>,
    /// Octets that a packet has on the wire beyond those of IP.
    pub(super) overhead: u32,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) interface: u32,
    pub(super) address: IpAddr,
    /// The addresses on the link: one of them, and how many bits they share.
    pub(super) subnet: (IpAddr, u8),
    /// Not the first of its subnet (IPv4), or not to be used (yet, or any more).
    pub(super) secondary: bool,
    /// Not of this link only.
    pub(super) global: bool,
}

/// Where the kernel sends a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RouteTo {
    /// It is for this node.
    Local,
    /// It leaves here.
    Out(u32),
    /// Nowhere.
    Nowhere(NoWay),
}

/// Who gets a packet first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FirstHop {
    pub(super) interface: u32,
    /// A gateway, or the destination itself where it is on the link.
    pub(super) to: IpAddr,
}

/// An entry of the multicast forwarding cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forwarding {
    pub(super) source: IpAddr,
    pub(super) group: IpAddr,
    pub(super) incoming: u32,
    pub(super) outgoing: Vec<u32>,
}

/// Asks the kernel.
pub(super) struct Netlink {
    socket: Socket,
    buffer: Vec<u8>,
    sequence: u32,
}

impl Netlink {
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self { socket, buffer: Vec::with_capacity(64 * 1024), sequence: 0 })
    }

    /// Every link.
    pub(super) fn links(&mut self) -> io::Result<Vec<Link>> {
        let answers = self.ask(RouteNetlinkMessage::GetLink(LinkMessage::default()), NLM_F_DUMP)?;
        let links = answers.into_iter().filter_map(|answer| match answer {
            RouteNetlinkMessage::NewLink(link) => Some(read_link(&link)),
            _ => None,
        });
        Ok(links.collect())
    }

    /// Every address.
    pub(super) fn addresses(&mut self) -> io::Result<Vec<Address>> {
        let answers = self.ask(RouteNetlinkMessage::GetAddress(AddressMessage::default()), NLM_F_DUMP)?;
        let addresses = answers.into_iter().filter_map(|answer| match answer {
            RouteNetlinkMessage::NewAddress(address) => read_address(&address),
            _ => None,
        });
        Ok(addresses.collect())
    }

    /// Where a packet goes. With a source, it is the one of this node, or, if the packet comes in somewhere, of another node,
    /// so that rules by source and interface count; with ports, they count where paths are equally good.
    pub(super) fn route(&mut self, query: &RouteQuery) -> io::Result<RouteTo> {
        let route = match self.look_up(query, None)? {
            Ok(route) => route,
            Err(why) => return Ok(RouteTo::Nowhere(why)),
        };
        let out = route.attributes.iter().find_map(|a| match a {
            RouteAttribute::Oif(index) => Some(*index),
            _ => None,
        });
        Ok(match (route.header.kind, out) {
            (RouteType::Local | RouteType::Anycast, _) => RouteTo::Local,
            (RouteType::Unicast | RouteType::Multicast, Some(out)) => RouteTo::Out(out),
            _ => RouteTo::Nowhere(NoWay::NoRoute),
        })
    }

    /// Where packets of this node leave, through `out` if that is given, and who gets them first there.
    pub(super) fn first_hop(&mut self, query: &RouteQuery, out: Option<u32>) -> io::Result<Option<FirstHop>> {
        let unicast = |route: &RouteMessage| route.header.kind == RouteType::Unicast;
        let Some(route) = self.look_up(query, out)?.ok().filter(unicast) else { return Ok(None) };
        let (mut interface, mut to) = (None, Some(query.destination));
        for attribute in &route.attributes {
            match attribute {
                RouteAttribute::Oif(index) => interface = Some(*index),
                RouteAttribute::Gateway(gateway) => to = read(gateway),
                // A gateway of the other family: it has no address that a message of this one could be sent to.
                RouteAttribute::Via(_) => to = None,
                _ => {}
            }
        }
        Ok(interface.zip(to).map(|(interface, to)| FirstHop { interface, to }))
    }

    /// The address that packets of this node to there have as their source, through `out` if that is given.
    pub(super) fn source(&mut self, query: &RouteQuery, out: Option<u32>) -> io::Result<Option<IpAddr>> {
        let route = self.look_up(query, out)?;
        Ok(route.ok().and_then(|route| {
            route.attributes.iter().find_map(|attribute| match attribute {
                RouteAttribute::PrefSource(address) => read(address),
                _ => None,
            })
        }))
    }

    /// The one route that the kernel takes for a packet, or why there is none.
    fn look_up(&mut self, query: &RouteQuery, out: Option<u32>) -> io::Result<Result<RouteMessage, NoWay>> {
        let RouteQuery { destination, source, flow } = *query;
        let mut question = RouteMessage::default();
        question.header.address_family = family(destination);
        question.header.destination_prefix_length = bits(destination);
        question.attributes.push(RouteAttribute::Destination(destination.into()));
        if let Some(source) = source {
            question.header.source_prefix_length = bits(source);
            question.attributes.push(RouteAttribute::Source(source.into()));
        }
        question.attributes.extend(flow.incoming.map(|interface| RouteAttribute::Iif(interface.0)));
        question.attributes.extend(out.map(RouteAttribute::Oif));
        question.attributes.extend(told_apart_by(&flow));
        match self.ask(RouteNetlinkMessage::GetRoute(question), 0) {
            Ok(answers) => Ok(match answers.into_iter().next() {
                Some(RouteNetlinkMessage::NewRoute(route)) => Ok(route),
                _ => Err(NoWay::NoRoute),
            }),
            Err(e) => NoWay::of(&e).map(Err).ok_or(e),
        }
    }

    /// The multicast forwarding entry of a source and a group, when there is one.
    pub(super) fn forwarding(&mut self, source: IpAddr, group: IpAddr) -> io::Result<Option<Forwarding>> {
        let mut question = RouteMessage::default();
        question.header.address_family = multicast_family(group);
        question.header.destination_prefix_length = bits(group);
        question.header.source_prefix_length = bits(source);
        question.attributes =
            vec![RouteAttribute::Destination(group.into()), RouteAttribute::Source(source.into())];
        if group.is_ipv6() {
            // Without it, the kernel (seen on Linux 6.18) looks into a table that IPv6 multicast does not use.
            question.attributes.push(RouteAttribute::Table(RouteHeader::RT_TABLE_MAIN.into()));
        }
        match self.ask(RouteNetlinkMessage::GetRoute(question), 0) {
            Ok(answers) => Ok(answers.iter().find_map(read_forwarding)),
            Err(e) => NoWay::of(&e).map(|_| None).ok_or(e),
        }
    }

    /// Every multicast forwarding entry of IPv6, or of IPv4.
    pub(super) fn forwardings(&mut self, v6: bool) -> io::Result<Vec<Forwarding>> {
        let mut question = RouteMessage::default();
        let family = if v6 { RTNL_FAMILY_IP6MR } else { RTNL_FAMILY_IPMR };
        question.header.address_family = AddressFamily::from(family);
        let answers = self.ask(RouteNetlinkMessage::GetRoute(question), NLM_F_DUMP)?;
        Ok(answers.iter().filter_map(read_forwarding).collect())
    }

    /// Sends a question or a request; gives all that the kernel answers. A listing in which something has changed while the kernel made it is
    /// asked for again.
    pub(super) fn ask(
        &mut self,
        question: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        whole(|| self.ask_once(question.clone(), flags))
    }

    /// What the kernel answers, and whether it is of one moment.
    fn ask_once(
        &mut self,
        question: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<(Vec<RouteNetlinkMessage>, bool)> {
        self.send(question, flags)?;
        let (mut answers, mut is_whole) = (Vec::new(), true);
        loop {
            self.buffer.clear();
            self.socket.recv(&mut self.buffer, 0)?;
            for answer in messages(&self.buffer) {
                if answer.header.sequence_number != self.sequence {
                    continue;
                }
                is_whole &= answer.header.flags & NLM_F_DUMP_INTR == 0;
                match answer.payload {
                    NetlinkPayload::InnerMessage(inner) => answers.push(inner),
                    NetlinkPayload::Error(error) => {
                        return if error.code.is_none() {
                            Ok((answers, is_whole))
                        } else {
                            Err(error.to_io())
                        };
                    }
                    _ => return Ok((answers, is_whole)),
                }
                if flags & NLM_F_DUMP == 0 {
                    return Ok((answers, is_whole));
                }
            }
        }
    }

    /// How many things a listing has, also such as this program does not understand.
    pub(super) fn count(&mut self, question: RouteNetlinkMessage) -> io::Result<usize> {
        whole(|| self.count_once(question.clone()))
    }

    fn count_once(&mut self, question: RouteNetlinkMessage) -> io::Result<(usize, bool)> {
        self.send(question, NLM_F_DUMP)?;
        let (mut found, mut is_whole) = (0, true);
        loop {
            self.buffer.clear();
            self.socket.recv(&mut self.buffer, 0)?;
            let mut rest = self.buffer.as_slice();
            while let Some(&[a, b, c, d, e, f, g, h]) = rest.first_chunk() {
                is_whole &= u16::from_ne_bytes([g, h]) & NLM_F_DUMP_INTR == 0;
                match i32::from(u16::from_ne_bytes([e, f])) {
                    libc::NLMSG_DONE => return Ok((found, is_whole)),
                    libc::NLMSG_ERROR => {
                        let code = rest.get(16..20).and_then(|code| code.try_into().ok());
                        let code = code.map_or(libc::EIO, i32::from_ne_bytes);
                        return Err(io::Error::from_raw_os_error(code.saturating_abs()));
                    }
                    _ => found += 1,
                }
                let length = u32::from_ne_bytes([a, b, c, d]).max(16) as usize;
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            }
        }
    }

    fn send(&mut self, question: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(question));
        message.finalize();
        let mut octets = vec![0; message.buffer_len()];
        message.serialize(&mut octets);
        self.socket.send(&octets, 0).map(|_| ())
    }
}

/// What the kernel chooses among equal paths by, beside addresses. It takes questions about UDP and TCP only, and labels
/// of 20 bits.
fn told_apart_by(flow: &FlowKey) -> Vec<RouteAttribute> {
    let mut found = Vec::new();
    if [libc::IPPROTO_UDP, libc::IPPROTO_TCP].contains(&i32::from(flow.protocol)) {
        found.push(RouteAttribute::IpProto(flow.protocol));
        found.extend((flow.source_port != 0).then_some(RouteAttribute::Sport(flow.source_port)));
        found.extend((flow.destination_port != 0).then_some(RouteAttribute::Dport(flow.destination_port)));
    }
    let label = flow.flow_label & 0x000f_ffff;
    found.extend((label != 0).then_some(RouteAttribute::Flowlabel(label)));
    found
}

/// The messages in what was received; what this program does not know is left out.
pub(super) fn messages(mut octets: &[u8]) -> Vec<NetlinkMessage<RouteNetlinkMessage>> {
    let mut found = Vec::new();
    while let Some(front) = octets.get(..4) {
        let length = u32::from_ne_bytes([front[0], front[1], front[2], front[3]]) as usize;
        let Some(message) = octets.get(..length).filter(|_| length >= 16) else { break };
        match NetlinkMessage::deserialize(message) {
            Ok(message) => found.push(message),
            Err(error) => tracing::debug!(%error, "a netlink message is not understood"),
        }
        octets = octets.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

fn read_link(link: &LinkMessage) -> Link {
    let name = link.attributes.iter().find_map(|a| match a {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    });
    let mtu = link.attributes.iter().find_map(|a| match a {
        LinkAttribute::Mtu(mtu) => Some(*mtu),
        _ => None,
    });
    let kind = link.attributes.iter().find_map(|a| match a {
        LinkAttribute::LinkInfo(infos) => infos.iter().find_map(|info| match info {
            LinkInfo::Kind(kind) => Some(kind.clone()),
            _ => None,
        }),
        _ => None,
    });
    Link {
        index: link.header.index,
        name: name.unwrap_or_default(),
        up: link.header.flags.contains(LinkFlags::Up | LinkFlags::LowerUp),
        loopback: link.header.flags.contains(LinkFlags::Loopback),
        mtu: mtu.unwrap_or(1500),
        overhead: overhead(kind.as_ref(), link.header.link_layer_type),
        kind: kind.map(|kind| kind.to_string()),
    }
}

/// Octets beyond those of IP, by the type of a link. Tunnels: their headers, outer IPv4 (of IPv6 where that is all there is) and the
/// Ethernet header within. Ethernet hardware: preamble, header, check sequence and gap (IEEE 802.3). Links that are
/// only passed through within this machine have none.
fn overhead(kind: Option<&InfoKind>, link: LinkLayerType) -> u32 {
    match kind {
        None if link == LinkLayerType::Ether => 38,
        Some(InfoKind::Vlan) => 42,
        Some(InfoKind::Vxlan | InfoKind::Geneve) => 50,
        Some(InfoKind::Wireguard) => 60,
        Some(InfoKind::GreTap) => 38,
        Some(InfoKind::GreTun) => 24,
        Some(InfoKind::IpIp | InfoKind::SitTun) => 20,
        Some(InfoKind::Ip6Tnl) => 40,
        Some(InfoKind::GreTun6) => 44,
        Some(InfoKind::GreTap6) => 58,
        _ => 0,
    }
}

fn read_address(message: &AddressMessage) -> Option<Address> {
    let local = message.attributes.iter().find_map(|a| match a {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    let address = message.attributes.iter().find_map(|a| match a {
        AddressAttribute::Address(address) => Some(*address),
        _ => None,
    });
    let flags = message.header.flags;
    let unusable = AddressHeaderFlags::Tentative | AddressHeaderFlags::Dadfailed;
    let lesser = AddressHeaderFlags::Secondary | AddressHeaderFlags::Deprecated | unusable;
    Some(Address {
        interface: message.header.index,
        // Of a point-to-point link, `Address` is the peer's.
        address: local.or(address)?,
        // Of a point-to-point link, that of the peer.
        subnet: (address.or(local)?, message.header.prefix_len),
        secondary: flags.intersects(lesser),
        global: message.header.scope == AddressScope::Universe,
    })
}

pub(super) fn is_multicast(route: &RouteMessage) -> bool {
    [RTNL_FAMILY_IPMR, RTNL_FAMILY_IP6MR].contains(&u8::from(route.header.address_family))
}

fn read_forwarding(answer: &RouteNetlinkMessage) -> Option<Forwarding> {
    let RouteNetlinkMessage::NewRoute(route) = answer else { return None };
    let (group, source) = addresses(route);
    let mut incoming = None;
    let mut outgoing = Vec::new();
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Iif(index) => incoming = Some(*index),
            RouteAttribute::MultiPath(hops) => {
                outgoing = hops.iter().map(|hop| hop.interface_index).collect();
            }
            _ => {}
        }
    }
    // An entry without incoming interface is one that waits to be resolved.
    Some(Forwarding { source: source?, group: group?, incoming: incoming?, outgoing })
}

/// Destination and source of a multicast forwarding entry.
pub(super) fn addresses(route: &RouteMessage) -> (Option<IpAddr>, Option<IpAddr>) {
    let mut found = (None, None);
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Destination(address) => found.0 = read(address),
            RouteAttribute::Source(address) => found.1 = read(address),
            _ => {}
        }
    }
    // Without a destination or source the kernel means the unspecified address.
    found
}

fn read(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some(IpAddr::V4(*address)),
        RouteAddress::Inet6(address) => Some(IpAddr::V6(*address)),
        RouteAddress::Other(octets) => {
            let v4 = || <[u8; 4]>::try_from(octets.as_slice()).map(IpAddr::from).ok();
            <[u8; 16]>::try_from(octets.as_slice()).map(IpAddr::from).ok().or_else(v4)
        }
        _ => None,
    }
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

fn multicast_family(group: IpAddr) -> AddressFamily {
    AddressFamily::from(if group.is_ipv4() { RTNL_FAMILY_IPMR } else { RTNL_FAMILY_IP6MR })
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}
