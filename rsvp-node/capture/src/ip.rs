//! IPv4 and IPv6 headers: addresses, options and extension headers, fragments; and the innermost packet of those in tunnels.
//!
//! Only what leads to RSVP is followed; the header checksum is not verified, and options are looked at when asked about.

use std::net::IpAddr;

use etherparse::{IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice};

use crate::tunnel;

/// Encapsulations within each other that are followed.
const DEPTH: usize = 8;
/// Extension headers of one packet that are followed.
const EXTENSIONS: usize = 16;

/// A fragment's place in its datagram.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Fragment {
    /// Identification, the same in all fragments of a datagram.
    pub identification: u32,
    /// The protocol as the header with the offset has it: with the addresses and the identification it tells IPv4's
    /// datagrams apart (RFC 791 3.2).
    pub protocol: u8,
    /// In octets.
    pub offset: usize,
    /// Whether others follow it.
    pub more: bool,
}

/// The innermost IP packet of a frame.
#[derive(Copy, Clone, Debug)]
pub struct Datagram<'a> {
    /// IP source address.
    pub source: IpAddr,
    /// IP destination address.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// IPv4's TOS or IPv6's traffic class: six bits of DS field (RFC 2474 3) and two of ECN (RFC 3168 5).
    pub traffic_class: u8,
    /// IPv4 options, or those of IPv6's hop-by-hop header.
    options: Options<'a>,
    /// The protocol of the payload.
    pub protocol: u8,
    /// Set when this is not the whole datagram.
    pub fragment: Option<Fragment>,
    /// Whether the capture has fewer octets than the packet had.
    pub cut: bool,
    /// What follows the headers.
    pub payload: &'a [u8],
}

#[derive(Copy, Clone, Debug)]
enum Options<'a> {
    Ipv4(&'a [u8]),
    Ipv6(&'a [u8]),
}

impl Datagram<'_> {
    /// Whether the Router Alert option of RFC 2113 or RFC 2711 is there.
    pub fn router_alert(&self) -> bool {
        match self.options {
            Options::Ipv4(options) => ipv4_router_alert(options),
            Options::Ipv6(options) => ipv6_router_alert(options),
        }
    }

    /// The protocol above IP and its octets, as far as they are in this packet. Extension headers that a first fragment
    /// has behind its fragment header (RFC 8200 4.5) are gone past, too. `None` when those are cut off, and for later
    /// fragments, which begin in the middle of something.
    pub fn upper(&self) -> Option<(u8, &[u8])> {
        if self.fragment.is_some_and(|fragment| fragment.offset > 0) {
            return None;
        }
        let mut datagram = *self;
        if let Options::Ipv6(_) = self.options {
            for _ in 0..EXTENSIONS {
                match IpNumber(datagram.protocol) {
                    IpNumber::IPV6_ROUTE_HEADER | IpNumber::IPV6_DESTINATION_OPTIONS => {
                        extension(&mut datagram)?;
                    }
                    IpNumber::AUTHENTICATION_HEADER => {
                        (datagram.protocol, datagram.payload) =
                            past_authentication(datagram.protocol, datagram.payload)?;
                    }
                    _ => break,
                }
            }
        }
        Some((datagram.protocol, datagram.payload))
    }
}

/// The innermost packet of those that are in each other; `None` if a header on the way cannot be read.
#[inline]
pub fn innermost(octets: &[u8]) -> Option<Datagram<'_>> {
    let mut datagram = datagram(octets)?;
    for _ in 0..DEPTH {
        if datagram.fragment.is_some() {
            break;
        }
        let Some(inner) = tunnel::inner(datagram.protocol, datagram.payload) else { break };
        datagram = self::datagram(inner)?;
    }
    Some(datagram)
}

/// The outermost packet; `None` if its headers cannot be read.
#[inline]
pub fn datagram(octets: &[u8]) -> Option<Datagram<'_>> {
    match octets.first()? >> 4 {
        4 => ipv4(octets),
        6 => ipv6(octets),
        _ => None,
    }
}

#[inline]
fn ipv4(octets: &[u8]) -> Option<Datagram<'_>> {
    let header = Ipv4HeaderSlice::from_slice(octets).ok()?;
    let length = header.slice().len();
    // Segmentation offload leaves a total length of 0 in captures of outgoing packets.
    let total = match usize::from(header.total_len()) {
        0 => octets.len(),
        total => total,
    };
    let payload = octets.get(length..total.min(octets.len()))?;
    let offset = usize::from(header.fragments_offset().value()) * 8;
    let more = header.more_fragments();
    let identification = u32::from(header.identification());
    let own = header.protocol().0;
    // What authenticates a datagram is in its first fragment.
    let (protocol, payload) = if offset == 0 { past_authentication(own, payload)? } else { (own, payload) };
    Some(Datagram {
        source: IpAddr::V4(header.source_addr()),
        destination: IpAddr::V4(header.destination_addr()),
        ttl: header.ttl(),
        traffic_class: *octets.get(1)?,
        options: Options::Ipv4(octets.get(20..length)?),
        protocol,
        fragment: (offset > 0 || more).then_some(Fragment { identification, protocol: own, offset, more }),
        cut: total > octets.len(),
        payload,
    })
}

/// Whether the options have a Router Alert (RFC 2113 2.1).
fn ipv4_router_alert(options: &[u8]) -> bool {
    const END: u8 = 0;
    const NO_OPERATION: u8 = 1;
    const ROUTER_ALERT: u8 = 148;
    let mut rest = options;
    while let Some((&kind, after)) = rest.split_first() {
        match kind {
            END => return false,
            ROUTER_ALERT => return true,
            NO_OPERATION => rest = after,
            _ => match after.first().and_then(|&length| rest.get(usize::from(length.max(2))..)) {
                Some(next) => rest = next,
                None => return false,
            },
        }
    }
    false
}

/// Past an authentication header (RFC 4302 2.2), whose length counts words and leaves out two.
fn past_authentication(protocol: u8, payload: &[u8]) -> Option<(u8, &[u8])> {
    if IpNumber(protocol) != IpNumber::AUTHENTICATION_HEADER {
        return Some((protocol, payload));
    }
    let &[next, words] = payload.first_chunk()?;
    Some((next, payload.get((usize::from(words) + 2) * 4..)?))
}

fn ipv6(octets: &[u8]) -> Option<Datagram<'_>> {
    let header = Ipv6HeaderSlice::from_slice(octets).ok()?;
    let start = header.slice().len();
    // A payload length of 0 is a jumbogram, or offloaded segmentation.
    let total = match usize::from(header.payload_length()) {
        0 => octets.len(),
        payload => start + payload,
    };
    let mut datagram = Datagram {
        source: IpAddr::V6(header.source_addr()),
        destination: IpAddr::V6(header.destination_addr()),
        ttl: header.hop_limit(),
        traffic_class: header.traffic_class(),
        options: Options::Ipv6(&[]),
        protocol: header.next_header().0,
        fragment: None,
        cut: total > octets.len(),
        payload: octets.get(start..total.min(octets.len()))?,
    };
    for _ in 0..EXTENSIONS {
        match IpNumber(datagram.protocol) {
            IpNumber::IPV6_HEADER_HOP_BY_HOP => {
                datagram.options = Options::Ipv6(extension(&mut datagram)?);
            }
            IpNumber::IPV6_ROUTE_HEADER | IpNumber::IPV6_DESTINATION_OPTIONS => {
                extension(&mut datagram)?;
            }
            IpNumber::AUTHENTICATION_HEADER => {
                (datagram.protocol, datagram.payload) =
                    past_authentication(datagram.protocol, datagram.payload)?;
            }
            IpNumber::IPV6_FRAGMENTATION_HEADER => {
                let header = Ipv6FragmentHeaderSlice::from_slice(datagram.payload).ok()?;
                let offset = usize::from(header.fragment_offset().value()) * 8;
                let more = header.more_fragments();
                let identification = header.identification();
                datagram.protocol = header.next_header().0;
                datagram.payload = datagram.payload.get(header.slice().len()..)?;
                // A whole datagram may come as its only fragment (RFC 6946).
                if offset > 0 || more {
                    let protocol = datagram.protocol;
                    datagram.fragment = Some(Fragment { identification, protocol, offset, more });
                    break;
                }
            }
            _ => break,
        }
    }
    Some(datagram)
}

/// Goes past an extension header of the usual form, and gives out its options.
fn extension<'a>(datagram: &mut Datagram<'a>) -> Option<&'a [u8]> {
    let &[next, length] = datagram.payload.first_chunk()?;
    let (header, rest) = datagram.payload.split_at_checked((usize::from(length) + 1) * 8)?;
    datagram.protocol = next;
    datagram.payload = rest;
    header.get(2..)
}

/// Whether hop-by-hop options have a Router Alert (RFC 2711 2.1), whatever it is for.
fn ipv6_router_alert(options: &[u8]) -> bool {
    const PAD_1: u8 = 0;
    const ROUTER_ALERT: u8 = 5;
    let mut rest = options;
    while let Some((&kind, after)) = rest.split_first() {
        match kind {
            PAD_1 => rest = after,
            ROUTER_ALERT => return true,
            _ => match after.first().and_then(|&length| rest.get(usize::from(length) + 2..)) {
                Some(next) => rest = next,
                None => return false,
            },
        }
    }
    false
}
