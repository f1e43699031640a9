//! SESSION, RFC 2205 A.1, and of IPSEC RFC 2207 3.1: the data flow the other objects are about.
//!
//! ```text
//! C-Type 1                                                 C-Type 2: the same with an
//! +-------------+-------------+-------------+-------------+ IPv6 DestAddress of 16 octets
//! |             IPv4 DestAddress (4 bytes)                |
//! +-------------+-------------+-------------+-------------+
//! | Protocol Id |    Flags    |          DstPort          |
//! +-------------+-------------+-------------+-------------+
//! C-Types 3 (IPv4) and 4 (IPv6): the same with a vDstPort, which is in no packet of the data
//! ```
//!
//! That DestAddress and Protocol Id are not zero is not checked here.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::BufMut;
use nom::Parser;

use super::Object;
use super::body::{address_len, ipv4, ipv6, put_address, whole, word};
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// A session: destination, protocol and port, RFC 2205 A.1. The text form is `udp 10.0.2.2:5000`, `tcp [fd00::1]:80`,
/// `proto89 224.0.0.5`, and with a virtual port
/// `esp 10.0.2.2:8192`, `ah [fd00::1]:8192`, `gpi99 10.0.2.2:8192`; the flags are not part of it.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Session {
    /// IPv4/UDP SESSION, C-Type 1.
    Ipv4 {
        /// Unicast or multicast destination.
        destination: Ipv4Addr,
        /// IP protocol of the data.
        protocol: u8,
        /// [`Session::E_POLICE`] and unassigned bits.
        flags: u8,
        /// Destination port; 0 is "none".
        port: u16,
    },
    /// IPv6/UDP SESSION, C-Type 2.
    Ipv6 {
        /// Unicast or multicast destination.
        destination: Ipv6Addr,
        /// IP protocol (next header) of the data.
        protocol: u8,
        /// [`Session::E_POLICE`] and unassigned bits.
        flags: u8,
        /// Destination port; 0 is "none".
        port: u16,
    },
    /// IPv4/GPI SESSION, C-Type 3.
    Ipv4Gpi {
        /// Unicast or multicast destination.
        destination: Ipv4Addr,
        /// IP protocol of the data: ESP or AH.
        protocol: u8,
        /// [`Session::E_POLICE`] and unassigned bits.
        flags: u8,
        /// Virtual destination port.
        port: u16,
    },
    /// IPv6/GPI SESSION, C-Type 4.
    Ipv6Gpi {
        /// Unicast or multicast destination.
        destination: Ipv6Addr,
        /// IP protocol (next header) of the data: ESP or AH.
        protocol: u8,
        /// [`Session::E_POLICE`] and unassigned bits.
        flags: u8,
        /// Virtual destination port.
        port: u16,
    },
}

impl Session {
    /// Flag in a Path: no node has policed the traffic yet.
    pub const E_POLICE: u8 = 1;

    /// A session without flags.
    pub const fn new(destination: IpAddr, protocol: u8, port: u16) -> Self {
        match destination {
            IpAddr::V4(destination) => Self::Ipv4 { destination, protocol, flags: 0, port },
            IpAddr::V6(destination) => Self::Ipv6 { destination, protocol, flags: 0, port },
        }
    }

    /// A session with a virtual destination port (RFC 2207), without flags.
    pub const fn gpi(destination: IpAddr, protocol: u8, port: u16) -> Self {
        match destination {
            IpAddr::V4(destination) => Self::Ipv4Gpi { destination, protocol, flags: 0, port },
            IpAddr::V6(destination) => Self::Ipv6Gpi { destination, protocol, flags: 0, port },
        }
    }

    /// Whether its port is a virtual one, which no packet has (RFC 2207): its senders have an SPI.
    #[inline]
    pub const fn is_gpi(&self) -> bool {
        matches!(self, Self::Ipv4Gpi { .. } | Self::Ipv6Gpi { .. })
    }

    /// Unicast or multicast destination.
    #[inline]
    pub const fn destination(&self) -> IpAddr {
        match *self {
            Self::Ipv4 { destination, .. } | Self::Ipv4Gpi { destination, .. } => IpAddr::V4(destination),
            Self::Ipv6 { destination, .. } | Self::Ipv6Gpi { destination, .. } => IpAddr::V6(destination),
        }
    }

    /// IP protocol of the data.
    #[inline]
    pub const fn protocol(&self) -> u8 {
        let (Self::Ipv4 { protocol, .. }
        | Self::Ipv6 { protocol, .. }
        | Self::Ipv4Gpi { protocol, .. }
        | Self::Ipv6Gpi { protocol, .. }) = *self;
        protocol
    }

    /// Flags; see [`Session::E_POLICE`].
    #[inline]
    pub const fn flags(&self) -> u8 {
        let (Self::Ipv4 { flags, .. }
        | Self::Ipv6 { flags, .. }
        | Self::Ipv4Gpi { flags, .. }
        | Self::Ipv6Gpi { flags, .. }) = *self;
        flags
    }

    /// Destination port, be it a virtual one; 0 is "none".
    #[inline]
    pub const fn port(&self) -> u16 {
        let (Self::Ipv4 { port, .. }
        | Self::Ipv6 { port, .. }
        | Self::Ipv4Gpi { port, .. }
        | Self::Ipv6Gpi { port, .. }) = *self;
        port
    }

    /// The same session with other flags.
    #[must_use]
    pub const fn with_flags(self, new: u8) -> Self {
        let mut session = self;
        let (Self::Ipv4 { flags, .. }
        | Self::Ipv6 { flags, .. }
        | Self::Ipv4Gpi { flags, .. }
        | Self::Ipv6Gpi { flags, .. }) = &mut session;
        *flags = new;
        session
    }

    /// Whether the destination is a multicast group.
    #[inline]
    pub const fn is_multicast(&self) -> bool {
        self.destination().is_multicast()
    }
}

impl<'a> Object<'a> for Session {
    const CLASS: Class = Class::SESSION;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        // Protocol, flags and port are one word: taken apart in a register they need not go through memory.
        match object.ctype.0 {
            1 => whole(
                object,
                (ipv4, word).map(|(destination, word)| {
                    let (protocol, flags, port) = ((word >> 24) as u8, (word >> 16) as u8, word as u16);
                    Self::Ipv4 { destination, protocol, flags, port }
                }),
            ),
            2 => whole(
                object,
                (ipv6, word).map(|(destination, word)| {
                    let (protocol, flags, port) = ((word >> 24) as u8, (word >> 16) as u8, word as u16);
                    Self::Ipv6 { destination, protocol, flags, port }
                }),
            ),
            3 => whole(
                object,
                (ipv4, word).map(|(destination, word)| {
                    let (protocol, flags, port) = ((word >> 24) as u8, (word >> 16) as u8, word as u16);
                    Self::Ipv4Gpi { destination, protocol, flags, port }
                }),
            ),
            4 => whole(
                object,
                (ipv6, word).map(|(destination, word)| {
                    let (protocol, flags, port) = ((word >> 24) as u8, (word >> 16) as u8, word as u16);
                    Self::Ipv6Gpi { destination, protocol, flags, port }
                }),
            ),
            _ => Err(object.unknown_ctype()),
        }
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(match self {
            Self::Ipv4 { .. } => 1,
            Self::Ipv6 { .. } => 2,
            Self::Ipv4Gpi { .. } => 3,
            Self::Ipv6Gpi { .. } => 4,
        })
    }

    #[inline]
    fn body_len(&self) -> usize {
        address_len(self.destination()).saturating_add(4)
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        put_address(self.destination(), out);
        let [high, low] = self.port().to_be_bytes();
        out.put_slice(&[self.protocol(), self.flags(), high, low]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn ipv4_as_captured() {
        // kom-real-3hop, packet 1, octet 8.
        let octets = octets("000c0101 0a4d0202 11001b59");
        both_ways(&octets, &Session::new([10, 77, 2, 2].into(), 17, 7001));
    }

    #[test]
    fn ipv6_with_e_police() {
        // By hand from RFC 2205 A.1: fd00::1, TCP, E_Police, port 80.
        let octets = octets("00180102 fd000000 00000000 00000000 00000001 06010050");
        let destination = "fd00::1".parse().unwrap();
        both_ways(&octets, &Session::Ipv6 { destination, protocol: 6, flags: Session::E_POLICE, port: 80 });
    }

    #[test]
    fn with_a_virtual_port() {
        // By hand from RFC 2207 3.1: ESP to 192.0.2.9, AH to fd00::1 with E_Police.
        let session = Session::gpi([192, 0, 2, 9].into(), 50, 8192);
        both_ways(&octets("000c 0103 c0000209 32 00 2000"), &session);
        let session = Session::gpi("fd00::1".parse().unwrap(), 51, 11).with_flags(Session::E_POLICE);
        both_ways(&octets("0018 0104 fd000000 00000000 00000000 00000001 33 01 000b"), &session);
        assert!(session.is_gpi() && (session.protocol(), session.port(), session.flags()) == (51, 11, 1));
        refused::<Session>(&octets("000c 0104 c0000209 32 00 2000"), 4, Why::BodyLength);
    }

    #[test]
    fn only_its_own_length_and_ctypes() {
        refused::<Session>(&octets("00080101 0a4d0202"), 8, Why::BodyLength);
        refused::<Session>(&octets("00100101 0a4d0202 11001b59 00000000"), 12, Why::BodyLength);
        refused::<Session>(&octets("00100107 0a4d0202 11001b59 00000000"), 3, Why::UnknownCType);
        refused::<Session>(&octets("000c0a01 0a4d0202 11001b59"), 2, Why::UnknownClass);
    }

    #[test]
    fn multicast_by_destination() {
        assert!(Session::new([224, 1, 1, 1].into(), 17, 1).is_multicast());
        assert!(!Session::new([10, 1, 1, 1].into(), 17, 1).is_multicast());
        assert_eq!(Session::new([10, 1, 1, 1].into(), 17, 1).with_flags(1).flags(), 1);
    }
}
