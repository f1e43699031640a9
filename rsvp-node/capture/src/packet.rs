//! RSVP messages out of frames: the layers below them, and what of those a reader of RSVP wants to know.
//!
//! RSVP is IP protocol 46, 134 within aggregation regions (RFC 3175), or UDP to port 1698 or 1699 (RFC 2205 Appendix C), in
//! IPv4 or IPv6, whole or in fragments, and all of that in what carries IP: link layers, MPLS, GRE, IP in IP, VXLAN, GENEVE.
//! A message in an error of ICMP is given out as what it is, quoted. Checksums of these layers are not verified, nor is
//! anything reported that is no RSVP; what looks like IP and cannot be read is counted.

use std::net::IpAddr;

use crate::fragments::{Fragments, Limits, Whole};
use crate::icmp::{self, ICMP, ICMPV6, Quoted};
use crate::ip::{self, Datagram};
use crate::link::Next;
use crate::multilink::{Joined, Multilink};
use crate::{Frame, LinkType, Timestamp, link, tunnel};
use rsvp_wire::{E2E_IGNORE_PROTOCOL, IP_PROTOCOL, UDP_PORTS};

const UDP: u8 = 17;
/// Octets of a UDP header.
const UDP_HEADER: usize = 8;

/// Which way a frame went, seen from where it was captured.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It came.
    Received,
    /// It left.
    Sent,
}

impl Direction {
    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }
}

/// One RSVP message as it was found.
#[derive(Copy, Clone, Debug)]
pub struct Packet<'a> {
    /// Number of the frame in the capture; for a reassembled datagram of the frame that completed it.
    pub frame: u64,
    /// When that frame was captured.
    pub time: Option<Timestamp>,
    /// Which way the frame went, where its link type says so.
    pub direction: Option<Direction>,
    /// IP addresses; `None` for a message that came without IP (as hex digits).
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Whether the Router Alert option of RFC 2113 or RFC 2711 is there.
    pub router_alert: bool,
    /// The ports, if it is encapsulated in UDP.
    pub ports: Option<(u16, u16)>,
    /// Whether it goes through an aggregation region, where it is to be ignored: IP protocol 134 (RFC 3175 3.1).
    pub e2e_ignore: bool,
    /// The error in which it is quoted: not sent again, but come back. What is above is said of the quoted packet.
    pub quoted: Option<Quoted>,
    /// Fragments that it came in; 1 if it was not fragmented.
    pub fragments: u32,
    /// Whether octets are missing that were sent: the capture cut the frame off, or fragments are missing.
    pub cut: bool,
    /// The message.
    pub octets: &'a [u8],
}

impl Packet<'_> {
    /// The IP source address.
    pub fn source(&self) -> Option<IpAddr> {
        self.addresses.map(|(source, _)| source)
    }

    /// The IP destination address.
    pub fn destination(&self) -> Option<IpAddr> {
        self.addresses.map(|(_, destination)| destination)
    }
}

/// What was met on the way to the messages.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Layers {
    /// Frames looked at.
    pub frames: u64,
    /// Frames whose IP header cannot be read.
    pub unreadable: u64,
    /// Fragments that were kept for others to come.
    pub fragments: u64,
    /// Datagrams that were put together.
    pub reassembled: u64,
    /// Datagrams given up: not all fragments came, or they contradicted each other.
    pub incomplete: u64,
    /// The first link type that was met and is not known here.
    pub unknown_link: Option<LinkType>,
}

/// Finds messages in frames. Keeps fragments, within fixed bounds; nothing else is remembered.
#[derive(Debug)]
pub struct Finder {
    layers: Layers,
    fragments: Fragments,
    multilink: Multilink,
}

/// What a finder keeps of fragments: captures come from everywhere.
const LIMITS: Limits = Limits { datagrams: 256, octets: 4 << 20, seconds: 60, given_up: 256 };

impl Default for Finder {
    fn default() -> Self {
        Self::new()
    }
}

impl Finder {
    /// A finder without fragments.
    pub fn new() -> Self {
        let (fragments, multilink) = (Fragments::new(LIMITS), Multilink::default());
        Self { layers: Layers::default(), fragments, multilink }
    }

    /// What was met so far.
    pub fn layers(&self) -> Layers {
        let incomplete = self.layers.incomplete + self.fragments.given_up() + self.multilink.given_up;
        Layers { incomplete, ..self.layers }
    }

    /// The message in a frame, if there is one, or the message that the frame completes.
    #[inline]
    pub fn find<'a>(&'a mut self, frame: &Frame<'a>) -> Option<Packet<'a>> {
        self.layers.frames += 1;
        let (network, parts) = match link::network(frame.link, frame.octets) {
            link::Network::Ip(octets) => (octets, 1),
            link::Network::Part(part) => {
                self.layers.fragments += 1;
                let way = link::direction(frame.link, frame.octets);
                let joined = self.multilink.add((frame.number, frame.time), way, part)?;
                self.layers.reassembled += 1;
                (link::follow(Next::Ppp(&joined.octets))?, joined.parts)
            }
            link::Network::Other => return None,
            link::Network::UnknownLink => {
                self.layers.unknown_link.get_or_insert(frame.link);
                return None;
            }
        };
        let Some(datagram) = ip::innermost(network) else {
            self.layers.unreadable += 1;
            return None;
        };
        if parts > 1 && datagram.cut {
            // Something is missing at the end of one of them, and what comes behind is not in its place.
            self.layers.incomplete += 1;
            return None;
        }
        let whole = datagram.fragment.is_none();
        match datagram.protocol {
            IP_PROTOCOL | UDP | E2E_IGNORE_PROTOCOL => {}
            ICMP | ICMPV6 if whole => return quoted(frame, &datagram),
            protocol if !whole && tunnel::may_carry(protocol) => {}
            _ => return None,
        }
        if whole {
            return message(datagram.protocol, Packet { fragments: parts, ..unfragmented(frame, &datagram) });
        }
        self.layers.fragments += 1;
        let whole = self.fragments.add(0, frame.number, frame.time, &datagram)?;
        self.layers.reassembled += 1;
        of_whole(whole)
    }

    /// A message that was given up because fragments are missing, as far as it is there: ask until there is none.
    /// While frames are being read, these are the ones that had to make room; with `all`, all that are left.
    pub fn given_up(&mut self, all: bool) -> Option<Packet<'_>> {
        while let Some(whole) = self.fragments.next_given_up(all) {
            if of_whole(whole).is_some() {
                return self.fragments.last().and_then(of_whole);
            }
        }
        while let Some(joined) = self.multilink.next_given_up(all) {
            if of_joined(joined).is_some() {
                return self.multilink.last().and_then(of_joined);
            }
        }
        None
    }
}

/// The octets of a text, which may be a message or an IP packet: the version says which, as RSVP's is 1.
pub fn from_hex(octets: &[u8], number: u64) -> (Option<Frame<'_>>, Packet<'_>) {
    let bare = Packet {
        frame: number,
        time: None,
        direction: None,
        addresses: None,
        ttl: 0,
        router_alert: false,
        ports: None,
        e2e_ignore: false,
        quoted: None,
        fragments: 1,
        cut: false,
        octets,
    };
    let ip = matches!(octets.first().map(|first| first >> 4), Some(4 | 6));
    (ip.then_some(Frame { number, time: None, link: LinkType::RAW, octets }), bare)
}

/// A datagram that is no fragment, with its payload for octets.
#[inline]
fn unfragmented<'a>(frame: &Frame<'a>, datagram: &Datagram<'a>) -> Packet<'a> {
    Packet {
        frame: frame.number,
        time: frame.time,
        direction: link::direction(frame.link, frame.octets),
        addresses: Some((datagram.source, datagram.destination)),
        ttl: datagram.ttl,
        router_alert: datagram.router_alert(),
        ports: None,
        e2e_ignore: false,
        quoted: None,
        fragments: 1,
        cut: datagram.cut,
        octets: datagram.payload,
    }
}

/// The message in fragments, as far as its octets are there without a gap.
fn of_whole(whole: &Whole) -> Option<Packet<'_>> {
    let datagram = Packet {
        frame: whole.frame,
        time: whole.time,
        direction: None,
        addresses: Some((whole.source, whole.destination)),
        ttl: whole.ttl,
        router_alert: whole.router_alert,
        ports: None,
        e2e_ignore: false,
        quoted: None,
        fragments: whole.fragments,
        cut: whole.is_cut(),
        octets: whole.payload()?,
    };
    let Some(inner) = tunnel::inner(whole.protocol, datagram.octets) else {
        return message(whole.protocol, datagram);
    };
    // What came through a tunnel in fragments is a packet of its own; one that is a fragment again is left alone.
    let inner = ip::innermost(inner).filter(|inner| inner.fragment.is_none())?;
    let frame = Frame { number: whole.frame, time: whole.time, link: LinkType::RAW, octets: &[] };
    message(inner.protocol, Packet { fragments: whole.fragments, ..unfragmented(&frame, &inner) })
}

/// The message in a packet of which parts are missing, as far as those have come that are before them.
fn of_joined(joined: &Joined) -> Option<Packet<'_>> {
    let datagram = ip::innermost(link::follow(Next::Ppp(&joined.octets))?)?;
    if datagram.fragment.is_some() {
        return None;
    }
    let Joined { frame: number, time, direction, parts: fragments, .. } = *joined;
    let frame = Frame { number, time, link: LinkType::RAW, octets: &[] };
    message(datagram.protocol, Packet { direction, fragments, ..unfragmented(&frame, &datagram) })
}

/// The message that a datagram carries.
#[inline]
fn message(protocol: u8, datagram: Packet<'_>) -> Option<Packet<'_>> {
    match protocol {
        IP_PROTOCOL => Some(datagram),
        E2E_IGNORE_PROTOCOL => Some(Packet { e2e_ignore: true, ..datagram }),
        UDP => {
            let (ports, octets) = udp(datagram.octets)?;
            Some(Packet { ports: Some(ports), octets, ..datagram })
        }
        _ => None,
    }
}

/// The message that an error of ICMP quotes, as far as it does.
fn quoted<'a>(frame: &Frame<'a>, error: &Datagram<'a>) -> Option<Packet<'a>> {
    let (quoted, octets) = icmp::quoting(error)?;
    let datagram = ip::innermost(octets)?;
    if datagram.fragment.is_some_and(|fragment| fragment.offset > 0) {
        return None;
    }
    let cut = datagram.cut || datagram.fragment.is_some();
    message(datagram.protocol, Packet { quoted: Some(quoted), cut, ..unfragmented(frame, &datagram) })
}

/// The ports and the payload of a UDP datagram that is for RSVP.
fn udp(octets: &[u8]) -> Option<((u16, u16), &[u8])> {
    let header = etherparse::UdpHeaderSlice::from_slice(octets).ok()?;
    if !UDP_PORTS.contains(&header.destination_port()) {
        return None;
    }
    // A length of 0 is that of a jumbogram; one that is too small is not believed.
    let end = match usize::from(header.length()) {
        length if length < UDP_HEADER => octets.len(),
        length => length.min(octets.len()),
    };
    Some(((header.source_port(), header.destination_port()), octets.get(UDP_HEADER..end)?))
}
