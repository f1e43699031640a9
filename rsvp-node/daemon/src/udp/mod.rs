//! UDP encapsulation (RFC 2205 Appendix C): hosts that cannot send raw IP datagrams (Hu) put RSVP messages into UDP, and raw
//! hosts (Hr) and routers (R) understand and serve them.
//!
//! What Hu sends goes to port Pu, what others send *beside* the raw message goes to Pu', where only Hu listens: so nobody gets
//! a message twice, also where Hu and Hr share a link. Whom to serve is learned (`neighbours`) from their messages, that an
//! interface needs UDP from a Path that the engine took. A raw node's UDP is always an addition, so that nobody can talk a
//! neighbour out of its raw messages. The engine sees what a raw socket would have given it: the destination that the message
//! is for, and Send_TTL for the IP TTL. Messages are deliberately not looked into further. The RFC's relay host is not here.

mod neighbours;
mod sockets;

pub(super) use sockets::{open_v4, open_v6};

use super::config::{DaemonConfig, Transport, Udp};
use super::links::Links;
use super::queues::Sockets;
use super::receiver::IncomingMessage;
use super::routes::Routes;
use super::socket::Which;
use neighbours::Neighbours;
use rsvp_node::{InterfaceId, RouteQuery, Rx, Transmit};
use rsvp_wire::{ErrorSpec, Message, MsgType, ResvConfirm, RsvpHop, SenderTemplate, Session, TimeValues};
use sockets::Member;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where Hu sends to: every node listens.
pub(super) const PU: u16 = rsvp_wire::UDP_PORTS[0];
/// Where Hr and R send to: Hu alone listens.
pub(super) const PU_PRIME: u16 = rsvp_wire::UDP_PORTS[1];
/// G*, which reaches all nodes on the link.
pub(super) const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 14);
/// G* of IPv6, of which the RFC says nothing: our choice is the group that IANA has registered for the same use.
pub(super) const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xe);

/// Copies are for the link, and do not leave it.
const LINK: u8 = 1;
/// K where nothing is configured (RFC 2205 section 3.7).
const MULTIPLIER: u32 = 3;
/// One message is not to be believed for longer, whatever R it claims.
const LIFETIME_MAX_US: u64 = 3_600_000_000;
/// R of a message that does not say it, in milliseconds.
const REFRESH_MS: u32 = 30_000;

/// The Send_TTL field of the common header, which stands for the IP TTL (RFC 2205 Appendix C).
pub(super) fn effective_ttl(message: &[u8]) -> u8 {
    message.get(4).copied().unwrap_or_default()
}

/// Where a message goes in a UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UdpTarget {
    pub(super) to: IpAddr,
    pub(super) port: u16,
    pub(super) ttl: u8,
}

/// What became of datagrams that the engine did not get.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    received: u64,
    not_rsvp: u64,
    ignored: u64,
    off_link: u64,
    forged: u64,
    of_raw: u64,
}

#[derive(Clone, Copy, Debug)]
struct Here {
    mode: Udp,
    /// K of the lifetime rule.
    multiplier: u32,
}

/// The rules, and whom they concern.
pub(super) struct Encapsulation {
    transport: Transport,
    routers: Vec<IpAddr>,
    router_ttl: Option<u8>,
    interfaces: BTreeMap<u32, Here>,
    neighbours: Neighbours,
    /// Those that are heard without UDP.
    raw: Neighbours,
    members: Vec<Member>,
    counts: Counts,
    refused: Refused,
}

/// Datagrams on each interface that were not believed, and who was named for it: once, and not more than so many.
#[derive(Default)]
struct Refused {
    counts: BTreeMap<u32, u64>,
    named: BTreeSet<(u32, IpAddr)>,
}

impl Refused {
    const NAMED: usize = 1024;

    /// One more; the log has the first of each source.
    fn note(&mut self, interface: u32, name: Option<&str>, source: IpAddr, why: &str) {
        *self.counts.entry(interface).or_default() += 1;
        if self.named.len() < Self::NAMED && self.named.insert((interface, source)) {
            tracing::warn!(%source, interface = name, "a message by UDP {why}");
        } else {
            tracing::debug!(%source, interface = name, "a message by UDP {why}");
        }
    }
}

impl Encapsulation {
    pub(super) fn new(config: &DaemonConfig) -> Self {
        Self {
            transport: config.node.transport,
            routers: config.node.udp_routers.clone(),
            router_ttl: config.node.udp_ttl,
            interfaces: BTreeMap::new(),
            neighbours: Neighbours::default(),
            raw: Neighbours::default(),
            members: Vec::new(),
            counts: Counts::default(),
            refused: Refused::default(),
        }
    }

    /// Whether nothing leaves but by UDP.
    pub(super) fn is_udp_only(&self) -> bool {
        self.transport == Transport::Udp
    }

    /// Follows interfaces and configuration.
    pub(super) fn follow(&mut self, config: &DaemonConfig, links: &Links, sockets: &Sockets) {
        self.interfaces.clear();
        if sockets.socket(Which::PuV4).is_some() {
            for id in links.speaking() {
                let said = links.name(id).map(|name| config.of_interface(name)).unwrap_or_default();
                let mode = match said.udp {
                    None | Some(Udp::Auto) if self.is_udp_only() => Udp::On,
                    mode => mode.unwrap_or_default(),
                };
                let multiplier = said.lifetime_multiplier.unwrap_or(MULTIPLIER);
                self.interfaces.insert(id.0, Here { mode, multiplier });
            }
        }
        let listening: Vec<u32> = self.interfaces.keys().copied().filter(|on| self.listens(*on)).collect();
        sockets::join(&mut self.members, &listening, sockets);
    }

    /// Whether what is sent on an interface is sent by UDP, too.
    pub(super) fn is_on(&self, interface: InterfaceId, now_us: u64) -> bool {
        match self.interfaces.get(&interface.0).map(|here| here.mode) {
            Some(Udp::On) => true,
            Some(Udp::Auto) => self.neighbours.is_on(interface.0, now_us),
            Some(Udp::Off) | None => false,
        }
    }

    fn listens(&self, interface: u32) -> bool {
        self.interfaces.get(&interface).is_some_and(|here| here.mode != Udp::Off)
    }

    /// What the engine is to get of a datagram, if anything. Whom it came from is remembered, for the engine may answer at
    /// once.
    pub(super) fn admit<'a>(
        &mut self,
        arrived: &IncomingMessage<'a>,
        links: &Links,
        now_us: u64,
    ) -> Option<Rx<'a>> {
        self.counts.received += 1;
        let IncomingMessage { interface: index, source, destination, octets, .. } = *arrived;
        let interface = InterfaceId(index);
        let mode = self.interfaces.get(&index).map_or(Udp::Off, |here| here.mode);
        // RFC 2205 Appendix C, note 2: the address is that of the interface through which the message arrived.
        let for_us = links.owns_on(interface, destination)
            || destination.is_multicast() && (arrived.port == Some(PU_PRIME) || is_everyone(destination));
        if mode == Udp::Off || !for_us || links.owns(source) {
            self.counts.ignored += 1;
            return None;
        }
        let Ok(message) = Message::parse(octets) else {
            self.refused.note(index, links.name(interface), source, "that is none");
            self.counts.not_rsvp += 1;
            return None;
        };
        // Figure 14: G* is for groups; the way to a unicast destination leads through one router.
        if destination.is_multicast() && !meant_for(&message).is_some_and(|to| to.is_multicast()) {
            self.counts.ignored += 1;
            return None;
        }
        let far =
            |router: &&IpAddr| router.is_ipv4() == source.is_ipv4() && !links.is_on_link(interface, **router);
        let strangers = match self.transport {
            // A router that is not on the link may answer from any of its addresses.
            Transport::Udp => {
                self.routers.contains(&source) || self.routers.iter().any(|router| far(&router))
            }
            Transport::Raw => mode == Udp::On,
        };
        if !strangers && !links.is_on_link(interface, source) {
            self.refused.note(index, links.name(interface), source, "from outside the link");
            self.counts.off_link += 1;
            return None;
        }
        if speaks_for_another(&message, source, arrived.port) {
            self.refused.note(index, links.name(interface), source, "in the name of another");
            self.counts.forged += 1;
            return None;
        }
        // Whoever sends raw datagrams needs no UDP, which any user of that host could send in its name.
        if self.raw.is_neighbour(index, source, now_us) {
            self.refused.note(index, links.name(interface), source, "in the name of a raw neighbour");
            self.counts.of_raw += 1;
            return None;
        }
        if let Some(until_us) = self.until_us(&message, index, now_us) {
            self.neighbours.neighbour(index, source, now_us, until_us);
        }
        let destination = meant_for(&message).unwrap_or(destination);
        Some(Rx { interface, source, destination, ttl: effective_ttl(octets), octets })
    }

    /// Until when the state of a message would live, and whom it came from is remembered; `None` when it makes no state.
    fn until_us(&self, message: &Message<'_>, interface: u32, now_us: u64) -> Option<u64> {
        let here = self.interfaces.get(&interface).filter(|_| !self.is_udp_only())?;
        if !matches!(message.msg_type(), MsgType::PATH | MsgType::RESV) {
            return None;
        }
        let refresh_ms =
            message.get::<TimeValues>().and_then(Result::ok).map_or(REFRESH_MS, |t| t.refresh_ms);
        // L of RFC 2205 section 3.7: (K + 0.5) * 1.5 * R.
        let lifetime_us = (u64::from(here.multiplier) * 2 + 1) * 3 * 250;
        let lifetime_us = lifetime_us.saturating_mul(refresh_ms.into()).min(LIFETIME_MAX_US);
        Some(now_us.saturating_add(lifetime_us))
    }

    /// The engine has taken a message without UDP: its hop is remembered, where UDP is heard at all.
    pub(super) fn heard_raw(&mut self, rx: &Rx<'_>, links: &Links, now_us: u64) {
        if !self.listens(rx.interface.0) {
            return;
        }
        let Ok(message) = Message::parse(rx.octets) else { return };
        let Some(Ok(RsvpHop { address, .. })) = message.get::<RsvpHop>() else { return };
        if let Some(until_us) = self.until_us(&message, rx.interface.0, now_us)
            && links.is_on_link(rx.interface, address)
        {
            self.raw.neighbour(rx.interface.0, address, now_us, until_us);
        }
    }

    /// The engine has taken a message: a Path shows that its interface needs UDP.
    pub(super) fn taken(&mut self, rx: &Rx<'_>, links: &Links, now_us: u64) {
        let Ok(message) = Message::parse(rx.octets) else { return };
        if message.msg_type() != MsgType::PATH || !links.is_on_link(rx.interface, rx.source) {
            return;
        }
        let Some(until_us) = self.until_us(&message, rx.interface.0, now_us) else { return };
        if !self.is_on(rx.interface, now_us) {
            let name = links.name(rx.interface);
            tracing::info!(interface = name, heard = %rx.source, "UDP encapsulation is on");
        }
        self.neighbours.path(rx.interface.0, until_us);
    }

    /// Where a message goes by UDP: of a raw node beside the raw one, of a UDP-only host instead of it. `None` when
    /// nowhere.
    pub(super) fn envelope(
        &self,
        transmit: &Transmit<'_>,
        routes: &mut Routes,
        now_us: u64,
    ) -> Option<UdpTarget> {
        let kind = transmit.octets.get(1).copied().map_or(MsgType(0), MsgType);
        if self.is_udp_only() {
            self.of_hu(kind, transmit, routes)
        } else {
            self.of_hr(kind, transmit, routes, now_us)
        }
    }

    /// Figures 13 and 14, Hr and R.
    fn of_hr(
        &self,
        kind: MsgType,
        transmit: &Transmit<'_>,
        routes: &Routes,
        now_us: u64,
    ) -> Option<UdpTarget> {
        let Transmit { interface, destination, ttl, .. } = *transmit;
        let on_link = destination.is_multicast() || routes.links.is_on_link(interface, destination);
        let wanted = match kind {
            // A copy to a host that is farther away would die on the link.
            MsgType::PATH | MsgType::PATH_TEAR => on_link && self.is_on(interface, now_us),
            _ => self.listens(interface.0) && self.neighbours.is_neighbour(interface.0, destination, now_us),
        };
        wanted.then_some(UdpTarget { to: destination, port: PU_PRIME, ttl: if on_link { LINK } else { ttl } })
    }

    /// Figures 13 and 14, Hu.
    fn of_hu(&self, kind: MsgType, transmit: &Transmit<'_>, routes: &mut Routes) -> Option<UdpTarget> {
        let Transmit { interface, destination, .. } = *transmit;
        if !self.listens(interface.0) {
            return None;
        }
        let router = self.routers.iter().copied().find(|router| router.is_ipv4() == destination.is_ipv4());
        let to = match kind {
            MsgType::PATH | MsgType::PATH_TEAR | MsgType::RESV_CONF if destination.is_multicast() => {
                let everyone = everyone(destination);
                // A router that is not on the link does not hear the group.
                router.filter(|router| !routes.links.is_on_link(interface, *router)).unwrap_or(everyone)
            }
            MsgType::PATH | MsgType::PATH_TEAR | MsgType::RESV_CONF => match first_hop(transmit, routes) {
                Some(to) if to == destination && routes.links.is_on_link(interface, to) => to,
                gateway => router.or(gateway)?,
            },
            _ => destination,
        };
        let near = to.is_multicast() || routes.links.is_on_link(interface, to);
        let ttl = if near { LINK } else { self.router_ttl.unwrap_or(LINK) };
        Some(UdpTarget { to, port: PU, ttl })
    }

    /// Datagrams on an interface that were no messages, or not believed.
    pub(super) fn refused_on(&self, interface: InterfaceId) -> u64 {
        self.refused.counts.get(&interface.0).copied().unwrap_or(0)
    }

    /// By name.
    pub(super) fn named(&self) -> [(&'static str, u64); 7] {
        let counts = self.counts;
        [
            ("udp-received", counts.received),
            ("udp-not-rsvp", counts.not_rsvp),
            ("udp-ignored", counts.ignored),
            ("udp-off-link", counts.off_link),
            ("udp-forged", counts.forged),
            ("udp-of-raw-neighbours", counts.of_raw),
            ("udp-neighbours-full", self.neighbours.full),
        ]
    }
}

/// The next node on the way of a message, which is that of the data where it is about data.
fn first_hop(transmit: &Transmit<'_>, routes: &mut Routes) -> Option<IpAddr> {
    let message = Message::parse(transmit.octets).ok()?;
    let session = message.get::<Session>().and_then(Result::ok);
    let sender = message.get::<SenderTemplate>().and_then(Result::ok);
    let data = session.zip(sender).map(|(session, sender)| RouteQuery::of_data(&session, &sender.0, None));
    let by = transmit.interface.0;
    let mut ask = |query: RouteQuery, out| routes.netlink.first_hop(&query, out).ok().flatten();
    // Told to leave by an interface, IPv4 packets go to its first gateway whatever they are.
    let of_data = data.and_then(|data| ask(data, None)).filter(|first| first.interface == by);
    let first = of_data.or_else(|| ask(RouteQuery::to(transmit.destination), Some(by)))?;
    Some(first.to)
}

/// G* of a family.
fn everyone(like: IpAddr) -> IpAddr {
    if like.is_ipv4() { GROUP_V4.into() } else { GROUP_V6.into() }
}

fn is_everyone(group: IpAddr) -> bool {
    group == everyone(group)
}

/// Whether a message is in the name of another host than it comes from: any user of a host can send UDP, but only from the
/// host's addresses. What comes to Pu is from Hu, which is an end of every flow it speaks of, so that it is the sender that
/// it announces and the node that an error or confirmation is from; what comes to Pu' is from a neighbour, on behalf of others.
fn speaks_for_another(message: &Message<'_>, source: IpAddr, port: Option<u16>) -> bool {
    let hop = message.get::<RsvpHop>().and_then(Result::ok).map(|hop| hop.address);
    let ends = [
        message.get::<SenderTemplate>().and_then(Result::ok).map(|sender| sender.0.address()),
        message.get::<ErrorSpec>().and_then(Result::ok).map(|error| error.node),
    ];
    // A PathErr repeats the sender that the Path was from.
    let ends = if message.msg_type() == MsgType::PATH_ERR { &ends[1..] } else { &ends[..] };
    let ends = if port == Some(PU) { ends } else { &[] };
    [hop].iter().chain(ends).flatten().any(|address| *address != source)
}

/// The destination that the IP header of the raw message would have, where that is not the next node.
fn meant_for(message: &Message<'_>) -> Option<IpAddr> {
    match message.msg_type() {
        MsgType::PATH | MsgType::PATH_TEAR => Some(message.get::<Session>()?.ok()?.destination()),
        MsgType::RESV_CONF => Some(message.get::<ResvConfirm>()?.ok()?.address),
        _ => None,
    }
}
