//! Frames as the tests want them, written by hand, and what is read back of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const UDP: u8 = 17;
pub(super) const TCP: u8 = 6;

/// Octets of an Ethernet header.
pub(super) const ETHERNET: usize = 14;

/// A packet in an Ethernet frame.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    /// Source and destination.
    pub(super) ports: (u16, u16),
    pub(super) traffic_class: u8,
    /// IPv6 alone.
    pub(super) label: u32,
    /// Octets behind the ports.
    pub(super) rest: Vec<u8>,
    /// Options of IPv4, a multiple of four octets.
    pub(super) options: Vec<u8>,
    /// Extension headers of IPv6: their numbers, and how many units of eight octets each is long.
    pub(super) extensions: Vec<(u8, u8)>,
    /// A fragment: its offset in units of eight octets, whether there are more, its identification. Not with a
    /// transport header where the offset is not 0.
    pub(super) fragment: Option<(u16, bool, u32)>,
    /// In-line VLAN tags: their control information.
    pub(super) tags: Vec<u16>,
}

impl Frame {
    /// UDP from one address to another, 100 octets of IP packet in IPv4.
    pub(super) fn udp(source: IpAddr, source_port: u16, destination: IpAddr, port: u16) -> Self {
        Self {
            source,
            destination,
            protocol: UDP,
            ports: (source_port, port),
            traffic_class: 0,
            label: 0,
            rest: vec![0x55; 76],
            options: vec![],
            extensions: vec![],
            fragment: None,
            tags: vec![],
        }
    }

    /// As long as this, from the IP header on.
    pub(super) fn of_length(mut self, octets: usize) -> Self {
        self.rest.clear();
        let headers = self.octets().len() - ETHERNET;
        self.rest = vec![0x55; octets - headers];
        self
    }

    pub(super) fn octets(&self) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        for tag in &self.tags {
            frame.extend([0x81, 0]);
            frame.extend(tag.to_be_bytes());
        }
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => self.v4(&mut frame, source, destination),
            (IpAddr::V6(source), IpAddr::V6(destination)) => self.v6(&mut frame, source, destination),
            other => panic!("two families: {other:?}"),
        }
        frame
    }

    fn transport(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        if self.fragment.is_none_or(|(offset, ..)| offset == 0) {
            octets.extend(self.ports.0.to_be_bytes());
            octets.extend(self.ports.1.to_be_bytes());
        }
        octets.extend(&self.rest);
        octets
    }

    fn v4(&self, frame: &mut Vec<u8>, source: Ipv4Addr, destination: Ipv4Addr) {
        let transport = self.transport();
        let words = 5 + self.options.len() / 4;
        let (offset, more, id) = self.fragment.unwrap_or((0, false, 7));
        let mut header = vec![0x40 | words as u8, self.traffic_class];
        header.extend(((words * 4 + transport.len()) as u16).to_be_bytes());
        header.extend((id as u16).to_be_bytes());
        header.extend((offset | u16::from(more) << 13).to_be_bytes());
        header.extend([64, self.protocol, 0, 0]);
        header.extend(source.octets());
        header.extend(destination.octets());
        header.extend(&self.options);
        let sum = checksum(&header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        frame.extend([8, 0]);
        frame.extend(header);
        frame.extend(transport);
    }

    fn v6(&self, frame: &mut Vec<u8>, source: Ipv6Addr, destination: Ipv6Addr) {
        let (mut next, mut behind) = (self.protocol, self.transport());
        if let Some((offset, more, id)) = self.fragment {
            let mut header = vec![next, 0];
            header.extend((offset << 3 | u16::from(more)).to_be_bytes());
            header.extend(id.to_be_bytes());
            header.append(&mut behind);
            (next, behind) = (44, header);
        }
        for (number, units) in self.extensions.iter().rev() {
            let mut header = vec![next, units - 1];
            // Padding options.
            header.extend(vec![0; usize::from(*units) * 8 - 2]);
            header.append(&mut behind);
            (next, behind) = (*number, header);
        }
        let start = 6 << 28 | u32::from(self.traffic_class) << 20 | self.label;
        frame.extend([0x86, 0xdd]);
        frame.extend(start.to_be_bytes());
        frame.extend((behind.len() as u16).to_be_bytes());
        frame.extend([next, 64]);
        frame.extend(source.octets());
        frame.extend(destination.octets());
        frame.extend(behind);
    }
}

/// The Internet checksum (RFC 1071) of a header whose checksum is zero; 0 of one whose checksum is right.
pub(super) fn checksum(header: &[u8]) -> u16 {
    let mut sum = 0u32;
    for word in header.chunks(2) {
        sum += u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !sum as u16
}

/// What of a captured frame is compared: its VLAN tag, its traffic class, and the destination port of a UDP packet. A
/// checksum of IPv4 that is wrong fails the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) tag: Option<u16>,
    pub(super) traffic_class: u8,
    /// Of a packet, or of its first fragment.
    pub(super) port: Option<u16>,
    /// From the IP header on.
    pub(super) length: usize,
}

impl Seen {
    /// Nothing if it is no UDP.
    pub(super) fn read(frame: &[u8]) -> Option<Self> {
        let word = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
        let (tag, at) = if word(12) == 0x8100 { (Some(word(14)), 18) } else { (None, 14) };
        let packet = &frame[at..];
        let (traffic_class, protocol, ports) = match word(at - 2) {
            0x0800 => {
                let header = usize::from(packet[0] & 15) * 4;
                assert_eq!(checksum(&packet[..header]), 0, "{packet:?}");
                let later = (u16::from_be_bytes([packet[6], packet[7]]) & 0x1fff) != 0;
                (packet[1], packet[9], (!later).then_some(header))
            }
            0x86dd => {
                let class = packet[0] << 4 | packet[1] >> 4;
                let fragment = packet[6] == 44;
                let later = fragment && (u16::from_be_bytes([packet[42], packet[43]]) & 0xfff8) != 0;
                let at = if fragment { 48 } else { 40 };
                (class, packet[if fragment { 40 } else { 6 }], (!later).then_some(at))
            }
            _ => return None,
        };
        let port = ports.map(|at| u16::from_be_bytes([packet[at + 2], packet[at + 3]]));
        (protocol == UDP).then_some(Self { tag, traffic_class, port, length: packet.len() })
    }
}
