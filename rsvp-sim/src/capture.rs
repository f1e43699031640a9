//! A run as a capture file: every message once, as it was sent, in raw IP packets.

use crate::world::Record;
use core::net::IpAddr;
use core::time::Duration;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::{DataLink, PcapError};
use rsvp_node::Instant;
use std::io::Write;

/// Internet control, the precedence that RFC 2205 asks for in effect.
const TRAFFIC_CLASS: u8 = 0xc0;
const PROTOCOL: u8 = 46;

/// Writes the capture.
///
/// # Errors
///
/// What the writer says.
pub fn write<W: Write>(record: &Record, to: W) -> Result<(), PcapError> {
    let packets = record.sent.iter().enumerate().map(|(number, sent)| {
        let addresses = (sent.source, sent.destination);
        (sent.at, ip_packet(addresses, sent.ttl, sent.router_alert, number as u16, &sent.octets))
    });
    write_packets(packets, to)
}

/// Writes a capture of whole IP packets.
///
/// # Errors
///
/// What the writer says.
pub fn write_packets<W: Write>(
    packets: impl IntoIterator<Item = (Instant, Vec<u8>)>,
    to: W,
) -> Result<(), PcapError> {
    let header = PcapHeader { datalink: DataLink::RAW, ..PcapHeader::default() };
    let mut writer = PcapWriter::with_header(to, header)?;
    for (at, packet) in packets {
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        let at = Duration::from_micros(at.as_micros());
        writer.write_packet(&PcapPacket::new(at, length, &packet))?;
    }
    Ok(())
}

fn ip_packet(addresses: (IpAddr, IpAddr), ttl: u8, router_alert: bool, id: u16, octets: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(octets.len() + 48);
    match addresses {
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let extension = if router_alert { 8 } else { 0 };
            packet.extend([0x60 | (TRAFFIC_CLASS >> 4), TRAFFIC_CLASS << 4, 0, 0]);
            packet.extend(((octets.len() + extension) as u16).to_be_bytes());
            packet.extend([if router_alert { 0 } else { PROTOCOL }, ttl]);
            packet.extend(source.octets());
            packet.extend(destination.octets());
            if router_alert {
                // Hop-by-hop: Router Alert with value 1, RSVP (RFC 2711), and padding of two octets.
                packet.extend([PROTOCOL, 0, 5, 2, 0, 1, 1, 0]);
            }
        }
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let words = if router_alert { 6 } else { 5 };
            packet.extend([0x40 | words, TRAFFIC_CLASS]);
            packet.extend((u16::from(words) * 4 + octets.len() as u16).to_be_bytes());
            packet.extend(id.to_be_bytes());
            packet.extend([0, 0, ttl, PROTOCOL, 0, 0]);
            packet.extend(source.octets());
            packet.extend(destination.octets());
            if router_alert {
                // RFC 2113.
                packet.extend([0x94, 4, 0, 0]);
            }
            let sum = header_checksum(&packet).to_be_bytes();
            packet[10..12].copy_from_slice(&sum);
        }
        // An engine never mixes families; such a packet is left without a header.
        _ => {}
    }
    packet.extend(octets);
    packet
}

fn header_checksum(header: &[u8]) -> u16 {
    let mut sum: u32 = header.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_header_with_router_alert_sums_to_nothing() {
        let addresses = ("10.0.1.1".parse().unwrap(), "224.1.0.1".parse().unwrap());
        let packet = ip_packet(addresses, 63, true, 7, &[1, 2, 3, 4]);
        assert_eq!(packet[..4], [0x46, 0xc0, 0, 28]);
        assert_eq!(packet[20..24], [0x94, 4, 0, 0]);
        assert_eq!(header_checksum(&packet[..24]), 0);
    }

    #[test]
    fn an_ipv6_packet_carries_router_alert_in_a_hop_by_hop_header() {
        let addresses = ("fd00:1::1".parse().unwrap(), "ff0e::1:1".parse().unwrap());
        let packet = ip_packet(addresses, 63, true, 7, &[1, 2, 3, 4]);
        assert_eq!(packet[..8], [0x6c, 0, 0, 0, 0, 12, 0, 63]);
        assert_eq!(packet[40..48], [46, 0, 5, 2, 0, 1, 1, 0]);
    }
}
