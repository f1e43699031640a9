//! IP packets around messages, IPv4 or IPv6, with Router Alert if asked for, and UDP (RFC 2205 Appendix C); and pcap files
//! of packets.
//!
//! Messages are deliberately not fragmented.

use crate::LinkType;
use core::time::Duration;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{IpNumber, Ipv4Header, Ipv4Options, Ipv6FlowLabel, Ipv6Header, UdpHeader};
use rsvp_wire::{E2E_IGNORE_PROTOCOL, IP_PROTOCOL};

/// The Router Alert option of IPv4 (RFC 2113 2.1).
const ROUTER_ALERT: [u8; 4] = [0x94, 4, 0, 0];
/// A hop-by-hop header with the Router Alert option of IPv6 for RSVP (RFC 2711 2.1), before RSVP.
const HOP_BY_HOP: [u8; 8] = [IP_PROTOCOL, 0, 5, 2, 0, 1, 1, 0];
/// The traffic class of network control, which RSVP is sent with.
const DSCP: u8 = 48;

/// What is around a message.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Headers {
    /// IP source address.
    pub source: IpAddr,
    /// IP destination address, of the same family.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Whether the Router Alert option is there.
    pub router_alert: bool,
    /// IPv4's Identification.
    pub identification: u16,
    /// UDP ports, if it is encapsulated.
    pub ports: Option<(u16, u16)>,
    /// Whether it is on its way through an aggregation region: its IP protocol is that of RFC 3175 3.1.
    pub e2e_ignore: bool,
}

/// Why a message does not become an IP packet.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WriteError {
    /// One address is of IPv4 and the other of IPv6.
    #[error("src and dst must both be IPv4 or both IPv6")]
    Families,
    /// Longer than an IP packet can be.
    #[error("{0} octets do not fit an IP packet; messages are not fragmented here")]
    TooLong(usize),
}

impl Headers {
    /// The IP packet with the message.
    ///
    /// # Errors
    /// When the addresses are of two families, or the packet would be too long.
    pub fn packet(&self, message: &[u8]) -> Result<Vec<u8>, WriteError> {
        let datagram = match self.ports {
            Some(ports) => &self.udp(ports, message)?,
            None => message,
        };
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => self.ipv4(source, destination, datagram),
            (IpAddr::V6(source), IpAddr::V6(destination)) => self.ipv6(source, destination, datagram),
            _ => Err(WriteError::Families),
        }
    }

    fn protocol(&self) -> IpNumber {
        match self {
            Self { ports: Some(_), .. } => IpNumber::UDP,
            Self { e2e_ignore: true, .. } => IpNumber(E2E_IGNORE_PROTOCOL),
            _ => IpNumber(IP_PROTOCOL),
        }
    }

    fn ipv4(&self, source: Ipv4Addr, destination: Ipv4Addr, datagram: &[u8]) -> Result<Vec<u8>, WriteError> {
        let mut header = Ipv4Header {
            dscp: etherparse::IpDscp::try_new(DSCP).unwrap_or_default(),
            identification: self.identification,
            time_to_live: self.ttl,
            protocol: self.protocol(),
            source: source.octets(),
            destination: destination.octets(),
            dont_fragment: false,
            ..Ipv4Header::default()
        };
        if self.router_alert {
            header.options = Ipv4Options::from(ROUTER_ALERT);
        }
        header.set_payload_len(datagram.len()).map_err(|_| WriteError::TooLong(datagram.len()))?;
        header.header_checksum = header.calc_header_checksum();
        Ok([&header.to_bytes(), datagram].concat())
    }

    fn ipv6(&self, source: Ipv6Addr, destination: Ipv6Addr, datagram: &[u8]) -> Result<Vec<u8>, WriteError> {
        let mut options = HOP_BY_HOP;
        options[0] = self.protocol().0;
        let options: &[u8] = if self.router_alert { &options } else { &[] };
        let length = u16::try_from(options.len() + datagram.len());
        let header = Ipv6Header {
            traffic_class: DSCP << 2,
            flow_label: Ipv6FlowLabel::ZERO,
            payload_length: length.map_err(|_| WriteError::TooLong(datagram.len()))?,
            next_header: if self.router_alert { IpNumber::IPV6_HEADER_HOP_BY_HOP } else { self.protocol() },
            hop_limit: self.ttl,
            source: source.octets(),
            destination: destination.octets(),
        };
        Ok([&header.to_bytes(), options, datagram].concat())
    }

    fn udp(&self, (from, to): (u16, u16), message: &[u8]) -> Result<Vec<u8>, WriteError> {
        let too_long = |_| WriteError::TooLong(message.len());
        let mut header = UdpHeader::without_ipv4_checksum(from, to, message.len()).map_err(too_long)?;
        let sum = match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                header.calc_checksum_ipv4_raw(source.octets(), destination.octets(), message)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                header.calc_checksum_ipv6_raw(source.octets(), destination.octets(), message)
            }
            _ => return Err(WriteError::Families),
        };
        header.checksum = sum.unwrap_or_default();
        Ok([&header.to_bytes(), message].concat())
    }
}

/// Writes a classic pcap file.
#[derive(Debug)]
pub struct PcapWriter<W> {
    to: W,
    fine: bool,
}

impl<W: Write> PcapWriter<W> {
    /// Longest packet that a file says it has.
    const SNAPLEN: u32 = 262_144;

    /// Writes the header of a file whose times are in microseconds, or in nanoseconds where `fine`.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(mut to: W, link: LinkType, fine: bool) -> io::Result<Self> {
        let magic: u32 = if fine { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        to.write_all(&magic.to_be_bytes())?;
        // Version 2.4; no correction of times, no accuracy of them.
        to.write_all(&[0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0])?;
        to.write_all(&Self::SNAPLEN.to_be_bytes())?;
        to.write_all(&link.0.to_be_bytes())?;
        Ok(Self { to, fine })
    }

    /// Writes a packet that was captured at a time since 1970.
    ///
    /// # Errors
    /// What the system says; that the packet is too long.
    pub fn write(&mut self, at: Duration, octets: &[u8]) -> io::Result<()> {
        let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "a packet of more than 4 GiB");
        let length = u32::try_from(octets.len()).map_err(too_long)?;
        let fraction = if self.fine { at.subsec_nanos() } else { at.subsec_micros() };
        // Seconds are of 32 bits in this format: they begin anew in 2106.
        for word in [at.as_secs() as u32, fraction, length, length] {
            self.to.write_all(&word.to_be_bytes())?;
        }
        self.to.write_all(octets)
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "read")]
    #[test]
    fn a_file_is_read_as_it_was_written() {
        use crate::{Capture, Timestamp};
        for fine in [false, true] {
            let mut writer = PcapWriter::new(Vec::new(), LinkType(101), fine).expect("memory");
            writer.write(Duration::new(7, 8_009), &[1, 2, 3]).expect("memory");
            let file = writer.into_inner();
            let mut capture = Capture::open(file.as_slice()).expect("a capture");
            let frame = capture.next_frame().expect("sound").expect("a frame");
            let nanos = if fine { 8_009 } else { 8_000 };
            assert_eq!((frame.link, frame.octets), (LinkType(101), &[1, 2, 3][..]));
            assert_eq!(frame.time, Some(Timestamp { seconds: 7, nanos, fine }));
        }
    }

    fn headers(source: &str, destination: &str) -> Headers {
        Headers {
            source: source.parse().expect("an address"),
            destination: destination.parse().expect("an address"),
            ttl: 63,
            router_alert: true,
            identification: 7,
            ports: None,
            e2e_ignore: false,
        }
    }

    #[test]
    fn an_ipv4_header_with_router_alert_sums_to_nothing() {
        let packet = headers("10.0.1.1", "224.1.0.1").packet(&[1, 2, 3, 4]).expect("a packet");
        assert_eq!(packet[..9], [0x46, 0xc0, 0, 28, 0, 7, 0, 0, 63]);
        assert_eq!(packet[20..24], [0x94, 4, 0, 0]);
        let words = packet[..24].chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
        let sum: u32 = words.sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    }

    #[test]
    fn an_ipv6_packet_carries_router_alert_in_a_hop_by_hop_header() {
        let packet = headers("fd00:1::1", "ff0e::1:1").packet(&[1, 2, 3, 4]).expect("a packet");
        assert_eq!(packet[..8], [0x6c, 0, 0, 0, 0, 12, 0, 63]);
        assert_eq!(packet[40..48], [46, 0, 5, 2, 0, 1, 1, 0]);
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        let mixed = headers("10.0.1.1", "ff0e::1:1");
        assert_eq!(mixed.packet(&[0; 8]), Err(WriteError::Families));
        assert_eq!(Headers { ports: Some((1, 2)), ..mixed }.packet(&[0; 8]), Err(WriteError::Families));
        assert_eq!(headers("10.0.1.1", "10.0.1.2").packet(&[0; 65_536]), Err(WriteError::TooLong(65_536)));
        assert_eq!(headers("fd00::1", "fd00::2").packet(&[0; 65_536]), Err(WriteError::TooLong(65_536)));
    }
}
