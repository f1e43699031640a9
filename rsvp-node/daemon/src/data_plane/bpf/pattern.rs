//! By what packets are told to belong to a flow that is made by hand: patterns and masks, as the traffic control interface of the QoS
//! APIs has them.
//!
//! A pattern looks at bits of the addresses, at the protocol, and at four octets of what follows the IP header: two ports, type and
//! code of ICMP, or an SPI. Which four octets these are follows from the protocol, so whoever looks at them looks at the protocol, too.

use super::sys::{MaskRecord, PatternRecord};
use std::cmp::Reverse;
use std::net::IpAddr;
use thiserror::Error;

/// Most masks that the patterns of an interface can have, all together: a packet is looked up once for each.
pub const MOST_MASKS: usize = 16;

/// Protocols whose header begins with two ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];
/// Those with a security parameter index: ESP, AH.
const WITH_SPI: [u8; 2] = [50, 51];
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// Bits of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressBits {
    /// What they are.
    pub address: IpAddr,
    /// Which of them are looked at, from the first one on as in an address.
    pub mask: u128,
}

impl AddressBits {
    /// The first so many bits of an address.
    #[must_use]
    pub fn prefix(address: IpAddr, length: u8) -> Self {
        let shift = |length: u8| u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
        let mask = match address {
            IpAddr::V4(_) => shift(length.min(32)) >> 96,
            IpAddr::V6(_) => shift(length.min(128)),
        };
        Self { address, mask }
    }

    /// All bits of an address.
    #[must_use]
    pub fn whole(address: IpAddr) -> Self {
        Self::prefix(address, 128)
    }

    fn octets(&self) -> ([u8; 16], [u8; 16]) {
        let (bits, mask) = match self.address {
            IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, self.mask << 96),
            IpAddr::V6(address) => (address.to_bits(), self.mask),
        };
        ((bits & mask).to_be_bytes(), mask.to_be_bytes())
    }
}

/// Bits of a number of 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortBits {
    /// What they are.
    pub port: u16,
    /// Which of them are looked at.
    pub mask: u16,
}

/// What of the four octets behind the IP header is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beyond {
    /// Nothing.
    #[default]
    Nothing,
    /// Source and destination port.
    Ports(Option<PortBits>, Option<PortBits>),
    /// Type of ICMP, and code.
    Icmp(u8, Option<u8>),
    /// The security parameter index of ESP or AH (RFC 2207).
    Spi(u32),
}

/// What cannot be a pattern.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    /// IPv4 and IPv6 in one pattern.
    #[error("source and destination are of different address families")]
    Families,
    /// Ports of a protocol without ports.
    #[error(
        "ports are those of a protocol that has them: 6 (TCP), 17 (UDP), 33 (DCCP), 132 (SCTP) or 136 (UDP-Lite)"
    )]
    NoPorts,
    /// A type or a code of another protocol.
    #[error("type and code are those of ICMP: protocol 1, or 58 in IPv6")]
    NoIcmp,
    /// A security parameter index outside ESP and AH.
    #[error("a security parameter index is for protocol 50 (ESP) and 51 (AH)")]
    NoSpi,
}

/// What a pattern looks at. The order says which of two that take the same packet is more specific: the lesser one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mask {
    /// 4 or 6; 0 for both, and then no addresses are looked at.
    family: u8,
    protocol: u8,
    transport: [u8; 4],
    destination: [u8; 16],
    source: [u8; 16],
}

/// What packets have in common: what is looked at, and what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    mask: Mask,
    protocol: u8,
    transport: [u8; 4],
    destination: [u8; 16],
    source: [u8; 16],
}

impl Mask {
    fn bits(&self) -> u32 {
        let ones = |octets: &[u8]| octets.iter().map(|octet| octet.count_ones()).sum::<u32>();
        let own =
            ones(&self.destination) + ones(&self.source) + ones(&self.transport) + ones(&[self.protocol]);
        // A family alone is looked at, too.
        own + u32::from(self.family != 0)
    }

    fn order(&self) -> impl Ord {
        let Self { family, protocol, transport, destination, source } = *self;
        (Reverse(self.bits()), Reverse((destination, source, transport, protocol, family)))
    }

    /// As it is in its map, under a number.
    pub(super) fn record(&self, number: u8) -> MaskRecord {
        let Self { family, protocol, transport, .. } = *self;
        MaskRecord {
            number,
            family,
            protocol,
            zero: 0,
            transport,
            addresses: addresses(self.family, self.destination, self.source),
        }
    }
}

impl Ord for Mask {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Mask {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Pattern {
    /// A pattern of what is said; what is not said is not looked at.
    ///
    /// # Errors
    /// When no packet could have it.
    pub fn new(
        destination: Option<AddressBits>,
        source: Option<AddressBits>,
        protocol: Option<u8>,
        beyond: Beyond,
    ) -> Result<Self, PatternError> {
        let family_of = |bits: AddressBits| if bits.address.is_ipv4() { 4 } else { 6 };
        let families = [destination.map(family_of), source.map(family_of)];
        let family = match families {
            [Some(one), Some(other)] if one != other => return Err(PatternError::Families),
            [one, other] => one.or(other).unwrap_or(0),
        };
        let (transport, transport_mask) = transport_of(protocol, family, beyond)?;
        let octets = |bits: Option<AddressBits>| bits.map_or(([0; 16], [0; 16]), |bits| bits.octets());
        let ((destination, destination_mask), (source, source_mask)) = (octets(destination), octets(source));
        let mask = Mask {
            family,
            protocol: if protocol.is_some() { 0xff } else { 0 },
            transport: transport_mask,
            destination: destination_mask,
            source: source_mask,
        };
        Ok(Self { mask, protocol: protocol.unwrap_or(0), transport, destination, source })
    }

    /// What it looks at.
    #[must_use]
    pub const fn mask(&self) -> Mask {
        self.mask
    }

    /// As it is in its map, of a mask with this number.
    pub(super) fn record(&self, interface: u32, mask: u8) -> PatternRecord {
        PatternRecord {
            interface,
            mask,
            family: self.mask.family,
            protocol: self.protocol,
            zero: 0,
            transport: self.transport,
            addresses: addresses(self.mask.family, self.destination, self.source),
        }
    }
}

/// Destination and source: a word each in IPv4, four in IPv6.
fn addresses(family: u8, destination: [u8; 16], source: [u8; 16]) -> [u8; 32] {
    let mut octets = [0; 32];
    let length = if family == 4 { 4 } else { 16 };
    octets[..length].copy_from_slice(&destination[..length]);
    octets[length..2 * length].copy_from_slice(&source[..length]);
    octets
}

/// The four octets behind the IP header, and which bits of them are looked at.
fn transport_of(
    protocol: Option<u8>,
    family: u8,
    beyond: Beyond,
) -> Result<([u8; 4], [u8; 4]), PatternError> {
    let is_one_of = |these: &[u8]| protocol.is_some_and(|protocol| these.contains(&protocol));
    match beyond {
        Beyond::Nothing => Ok(([0; 4], [0; 4])),
        Beyond::Ports(..) if !is_one_of(&WITH_PORTS) => Err(PatternError::NoPorts),
        Beyond::Ports(source, destination) => {
            let bits =
                |port: Option<PortBits>| port.map_or((0, 0), |port| (port.port & port.mask, port.mask));
            let ((source, source_mask), (port, port_mask)) = (bits(source), bits(destination));
            let both = |first: u16, second: u16| (u32::from(first) << 16 | u32::from(second)).to_be_bytes();
            Ok((both(source, port), both(source_mask, port_mask)))
        }
        Beyond::Icmp(..)
            if !is_one_of(&[ICMP, ICMPV6])
                || (is_one_of(&[ICMP]) && family == 6)
                || (is_one_of(&[ICMPV6]) && family == 4) =>
        {
            Err(PatternError::NoIcmp)
        }
        Beyond::Icmp(kind, None) => Ok(([kind, 0, 0, 0], [0xff, 0, 0, 0])),
        Beyond::Icmp(kind, Some(code)) => Ok(([kind, code, 0, 0], [0xff, 0xff, 0, 0])),
        Beyond::Spi(_) if !is_one_of(&WITH_SPI) => Err(PatternError::NoSpi),
        Beyond::Spi(spi) => Ok((spi.to_be_bytes(), [0xff; 4])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const UDP: Option<u8> = Some(17);

    fn net(last: u8, length: u8) -> Option<AddressBits> {
        Some(AddressBits::prefix(Ipv4Addr::new(10, 0, 2, last).into(), length))
    }

    fn port(port: u16, mask: u16) -> Option<PortBits> {
        Some(PortBits { port, mask })
    }

    #[test]
    fn what_looks_at_more_bits_comes_first() {
        let pattern =
            |to, from, protocol, beyond| Pattern::new(to, from, protocol, beyond).expect("a pattern");
        let ordered = [
            pattern(net(2, 32), net(1, 32), UDP, Beyond::Ports(port(4000, 0xffff), port(5000, 0xffff))),
            pattern(net(2, 32), net(1, 32), UDP, Beyond::Ports(None, port(5000, 0xffff))),
            pattern(net(2, 32), None, UDP, Beyond::Ports(None, port(5000, 0xffff))),
            pattern(net(2, 32), None, UDP, Beyond::Ports(None, port(5000, 0xff00))),
            pattern(net(2, 32), None, UDP, Beyond::Nothing),
            // Of two with as many bits the one that looks at the destination.
            pattern(net(2, 24), None, None, Beyond::Nothing),
            pattern(None, net(2, 24), None, Beyond::Nothing),
            pattern(None, None, UDP, Beyond::Nothing),
            pattern(None, None, None, Beyond::Nothing),
        ];
        let mut masks = ordered.map(|pattern| pattern.mask());
        masks.reverse();
        masks.sort();
        assert_eq!(masks, ordered.map(|pattern| pattern.mask()));
    }

    #[test]
    fn bits_that_are_not_looked_at_are_zero() {
        let one = Pattern::new(net(77, 24), None, UDP, Beyond::Ports(None, port(0x13ff, 0xff00)))
            .expect("a pattern");
        let other = Pattern::new(net(2, 24), None, UDP, Beyond::Ports(None, port(0x1300, 0xff00)))
            .expect("a pattern");
        assert_eq!(one, other);
        let record = one.record(7, 3);
        assert_eq!((record.interface, record.mask, record.family, record.protocol), (7, 3, 4, 17));
        assert_eq!(
            (record.transport, &record.addresses[..9]),
            ([0, 0, 0x13, 0], &[10, 0, 2, 0, 0, 0, 0, 0, 0][..])
        );
    }

    #[test]
    fn what_no_packet_could_have_is_refused() {
        let v6 = Some(AddressBits::whole("fd00::1".parse().expect("an address")));
        let ports = Beyond::Ports(None, port(5000, 0xffff));
        let cases = [
            (net(2, 32), v6, UDP, Beyond::Nothing, PatternError::Families),
            (None, None, None, ports, PatternError::NoPorts),
            (None, None, Some(1), ports, PatternError::NoPorts),
            (None, None, UDP, Beyond::Icmp(8, None), PatternError::NoIcmp),
            (v6, None, Some(1), Beyond::Icmp(8, None), PatternError::NoIcmp),
            (net(2, 32), None, Some(58), Beyond::Icmp(128, None), PatternError::NoIcmp),
            (None, None, UDP, Beyond::Spi(1), PatternError::NoSpi),
        ];
        for (to, from, protocol, beyond, why) in cases {
            assert_eq!(Pattern::new(to, from, protocol, beyond), Err(why));
        }
    }
}
