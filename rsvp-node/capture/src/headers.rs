//! What the headers of a packet say, whatever it carries: between whom it goes, by which protocol and ports, and how it is
//! marked.
//!
//! The outermost IP packet of a frame is looked at, for that is the one that the network treats by its mark; what is in a
//! tunnel is deliberately left alone. Fragments are not put together: each is a packet with a mark of its own.

use std::net::IpAddr;

use crate::ip::{self, Fragment};
use crate::{Frame, LinkType, link};

/// Protocols whose header begins with two ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

/// The headers of a packet.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Headers {
    /// IP source address.
    pub source: IpAddr,
    /// IP destination address.
    pub destination: IpAddr,
    /// IPv4's TOS or IPv6's traffic class, the two bits of ECN included.
    pub traffic_class: u8,
    /// The protocol above IP and its extension headers; for a later fragment, what the IP or fragment header says.
    pub protocol: u8,
    /// Source and destination port.
    pub ports: Option<(u16, u16)>,
    /// Set when this is not the whole datagram.
    pub fragment: Option<Fragment>,
    /// Whether the protocol has ports which should be in this packet, but are not: the capture cut them off.
    pub without_its_ports: bool,
}

/// What a frame turned out to be.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Look {
    /// An IP packet.
    Packet(Headers),
    /// Not IP.
    Other,
    /// Something that should be IP and whose headers cannot be read.
    Unreadable,
    /// A link layer that is not known here.
    UnknownLink(LinkType),
}

/// Looks at the headers of a frame.
pub fn look(frame: &Frame<'_>) -> Look {
    match link::network(frame.link, frame.octets) {
        link::Network::Ip(octets) => headers(octets).map_or(Look::Unreadable, Look::Packet),
        link::Network::Part(_) | link::Network::Other => Look::Other,
        link::Network::UnknownLink => Look::UnknownLink(frame.link),
    }
}

/// The headers of an IP packet; `None` if they cannot be read.
pub fn headers(octets: &[u8]) -> Option<Headers> {
    let datagram = ip::datagram(octets)?;
    let later = datagram.fragment.is_some_and(|fragment| fragment.offset > 0);
    let (protocol, payload) = if later { (datagram.protocol, &[][..]) } else { datagram.upper()? };
    let has_ports = !later && WITH_PORTS.contains(&protocol);
    let ports = payload.first_chunk::<4>().filter(|_| has_ports);
    let ports = ports.map(|&[s0, s1, d0, d1]| (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])));
    Some(Headers {
        source: datagram.source,
        destination: datagram.destination,
        traffic_class: datagram.traffic_class,
        protocol,
        ports,
        fragment: datagram.fragment,
        without_its_ports: has_ports && ports.is_none(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 10.0.0.1 to 10.0.0.2, with this much of a TOS, place in its datagram, and payload.
    fn ipv4(tos: u8, protocol: u8, place: u16, payload: &[u8]) -> Vec<u8> {
        let length = (20 + payload.len()) as u16;
        let mut packet = vec![0x45, tos];
        packet.extend(length.to_be_bytes());
        packet.extend([0, 7]);
        packet.extend(place.to_be_bytes());
        packet.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        packet.extend(payload);
        packet
    }

    fn ipv6(class: u8, next: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x60 | class >> 4, class << 4, 0, 0];
        packet.extend((payload.len() as u16).to_be_bytes());
        packet.extend([next, 64]);
        packet.extend([[0xfd; 16], [0xfc; 16]].concat());
        packet.extend(payload);
        packet
    }

    fn read(octets: &[u8]) -> Headers {
        headers(octets).expect("a packet")
    }

    #[test]
    fn both_versions_show_class_protocol_and_ports() {
        let udp = [0x13, 0x88, 0x1f, 0x96, 0, 8, 0, 0];
        for packet in [ipv4(0xb9, 17, 0, &udp), ipv6(0xb9, 17, &udp)] {
            let seen = read(&packet);
            assert_eq!((seen.traffic_class, seen.protocol), (0xb9, 17));
            assert_eq!(
                (seen.ports, seen.fragment, seen.without_its_ports),
                (Some((5_000, 8_086)), None, false)
            );
        }
        assert_eq!(read(&ipv4(0, 1, 0, &udp)).ports, None, "ICMP has none");
    }

    #[test]
    fn ports_are_found_behind_extension_headers_also_in_a_first_fragment() {
        // Hop-by-hop, routing, authentication of 12 octets, destination options, UDP.
        let mut chain = vec![43, 0, 1, 4, 0, 0, 0, 0];
        chain.extend([51, 0, 4, 0, 0, 0, 0, 0]);
        chain.extend([60, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
        chain.extend([17, 0, 1, 4, 0, 0, 0, 0]);
        chain.extend([0, 1, 0, 2, 0, 8, 0, 0]);
        let seen = read(&ipv6(0xb8, 0, &chain));
        assert_eq!((seen.protocol, seen.ports), (17, Some((1, 2))));
        // A fragment header, behind which destination options come first.
        let mut first = vec![60, 0, 0, 1, 0, 0, 0, 9];
        first.extend([17, 0, 1, 4, 0, 0, 0, 0]);
        first.extend([0, 1, 0, 2, 0, 8, 0, 0]);
        let seen = read(&ipv6(0xb8, 44, &first));
        assert_eq!((seen.protocol, seen.ports), (17, Some((1, 2))));
        let fragment = seen.fragment.expect("a fragment");
        assert_eq!((fragment.identification, fragment.protocol, fragment.offset), (9, 60, 0));
    }

    #[test]
    fn later_fragments_have_no_ports_even_if_they_look_so() {
        let seen = read(&ipv4(0, 17, 0x2001, &[0; 16]));
        assert_eq!((seen.ports, seen.without_its_ports), (None, false));
        // In the middle of what is authenticated there is no header to go past.
        let seen = read(&ipv4(0, 51, 1, &[0xff; 4]));
        assert_eq!((seen.protocol, seen.ports), (51, None));
        let seen = read(&ipv6(0, 44, &[17, 0, 0, 9, 0, 0, 0, 9, 1, 2, 3, 4]));
        assert_eq!((seen.protocol, seen.ports), (17, None));
    }

    #[test]
    fn what_is_cut_off_is_told() {
        let whole = ipv6(0xb8, 6, &[0, 1, 0, 2, 0, 0]);
        let cut = read(&whole[..43]);
        assert_eq!((cut.traffic_class, cut.ports, cut.without_its_ports), (0xb8, None, true));
        assert_eq!(headers(&whole[..39]), None);
        assert_eq!(headers(&ipv6(0, 0, &[17, 9, 0, 0])), None, "an extension header that goes on");
        assert_eq!(headers(&[0x55; 40]), None);
        let frame = Frame { number: 1, time: None, link: LinkType(9_999), octets: &whole };
        assert_eq!(look(&frame), Look::UnknownLink(LinkType(9_999)));
        assert_eq!(look(&Frame { link: LinkType::RAW, octets: &[0x45], ..frame }), Look::Unreadable);
        assert!(matches!(look(&Frame { link: LinkType::RAW, ..frame }), Look::Packet(_)));
        let arp = [&[0; 12][..], &[0x08, 0x06], &[0; 28]].concat();
        assert_eq!(look(&Frame { link: LinkType(1), octets: &arp, ..frame }), Look::Other);
    }
}
