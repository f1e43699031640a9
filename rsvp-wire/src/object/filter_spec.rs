//! FILTER_SPEC, RFC 2205 A.9: the packets of one sender. SENDER_TEMPLATE has the same body.
//!
//! ```text
//! C-Type 1                                                 C-Type 2: the same with an
//! +-------------+-------------+-------------+-------------+ IPv6 SrcAddress of 16 octets
//! |               IPv4 SrcAddress (4 bytes)               |
//! +-------------+-------------+-------------+-------------+
//! |    //////   |    //////   |          SrcPort          |
//! +-------------+-------------+-------------+-------------+
//! C-Types 4 and 5: an address of IPv4 or IPv6, then a Generalized Port Identifier, the SPI of IPSEC (RFC 2207 3.2)
//! C-Type 3: an IPv6 SrcAddress, then
//! +-------------+-------------+-------------+-------------+
//! |   ///////   |         Flow Label (24 bits)            |
//! +-------------+-------------+-------------+-------------+
//! ```
//!
//! That the address is not zero, and a port there only if the session has one (RFC 2205 3.2), is not checked here.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::BufMut;
use nom::Parser;

use super::Object;
use super::body::{address_len, ipv4, ipv6, put_address, whole, word};
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// A sender, RFC 2205 A.9. The text form is `10.0.1.1:4000`, `[fd00::1]:4000`, `fd00::1 label 5`,
/// `10.0.1.1 spi 0x1234`; a port of zero is left out.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FilterSpec {
    /// IPv4 FILTER_SPEC, C-Type 1.
    Ipv4 {
        /// Source address.
        address: Ipv4Addr,
        /// Unused octets before the port, kept as received.
        reserved: u16,
        /// Source port; 0 is "none".
        port: u16,
    },
    /// IPv6 FILTER_SPEC, C-Type 2.
    Ipv6 {
        /// Source address.
        address: Ipv6Addr,
        /// Unused octets before the port, kept as received.
        reserved: u16,
        /// Source port; 0 is "none".
        port: u16,
    },
    /// IPv6 Flow-label FILTER_SPEC, C-Type 3.
    Ipv6FlowLabel {
        /// Source address.
        address: Ipv6Addr,
        /// Unused octet before the label, kept as received.
        reserved: u8,
        /// Flow label, the low 24 bits.
        label: u32,
    },
    /// IPv4/GPI FILTER_SPEC, C-Type 4.
    Ipv4Gpi {
        /// Source address.
        address: Ipv4Addr,
        /// Generalized port identifier: the SPI of ESP or AH.
        gpi: u32,
    },
    /// IPv6/GPI FILTER_SPEC, C-Type 5.
    Ipv6Gpi {
        /// Source address.
        address: Ipv6Addr,
        /// Generalized port identifier: the SPI of ESP or AH.
        gpi: u32,
    },
}

impl FilterSpec {
    /// A sender by address and port.
    pub const fn new(address: IpAddr, port: u16) -> Self {
        match address {
            IpAddr::V4(address) => Self::Ipv4 { address, reserved: 0, port },
            IpAddr::V6(address) => Self::Ipv6 { address, reserved: 0, port },
        }
    }

    /// A sender by address and generalized port identifier (RFC 2207).
    pub const fn gpi(address: IpAddr, gpi: u32) -> Self {
        match address {
            IpAddr::V4(address) => Self::Ipv4Gpi { address, gpi },
            IpAddr::V6(address) => Self::Ipv6Gpi { address, gpi },
        }
    }

    /// Whether it has a generalized port identifier, and no port: its session has a virtual port.
    #[inline]
    pub const fn is_gpi(&self) -> bool {
        matches!(self, Self::Ipv4Gpi { .. } | Self::Ipv6Gpi { .. })
    }

    /// Source address.
    #[inline]
    pub const fn address(&self) -> IpAddr {
        match *self {
            Self::Ipv4 { address, .. } | Self::Ipv4Gpi { address, .. } => IpAddr::V4(address),
            Self::Ipv6 { address, .. }
            | Self::Ipv6FlowLabel { address, .. }
            | Self::Ipv6Gpi { address, .. } => IpAddr::V6(address),
        }
    }

    /// Source port; 0 is "none", as in a filter with a flow label or an SPI.
    #[inline]
    pub const fn port(&self) -> u16 {
        match *self {
            Self::Ipv4 { port, .. } | Self::Ipv6 { port, .. } => port,
            Self::Ipv6FlowLabel { .. } | Self::Ipv4Gpi { .. } | Self::Ipv6Gpi { .. } => 0,
        }
    }
}

impl<'a> Object<'a> for FilterSpec {
    const CLASS: Class = Class::FILTER_SPEC;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        read_as(object, |filter| filter)
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(match self {
            Self::Ipv4 { .. } => 1,
            Self::Ipv6 { .. } => 2,
            Self::Ipv6FlowLabel { .. } => 3,
            Self::Ipv4Gpi { .. } => 4,
            Self::Ipv6Gpi { .. } => 5,
        })
    }

    #[inline]
    fn body_len(&self) -> usize {
        address_len(self.address()).saturating_add(4)
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        put_address(self.address(), out);
        out.put_u32(match *self {
            Self::Ipv4 { reserved, port, .. } | Self::Ipv6 { reserved, port, .. } => {
                u32::from(reserved) << 16 | u32::from(port)
            }
            Self::Ipv6FlowLabel { reserved, label, .. } => u32::from(reserved) << 24 | label & 0x00ff_ffff,
            Self::Ipv4Gpi { gpi, .. } | Self::Ipv6Gpi { gpi, .. } => gpi,
        });
    }
}

/// The body as a FILTER_SPEC inside something else: wrapped before it leaves the parser, not copied into it after.
#[inline]
pub(super) fn read_as<T>(object: ObjectRef<'_>, wrap: impl Fn(FilterSpec) -> T) -> Result<T, ParseError> {
    match object.ctype.0 {
        1 => whole(
            object,
            (ipv4, word).map(|(address, word)| {
                wrap(FilterSpec::Ipv4 { address, reserved: (word >> 16) as u16, port: word as u16 })
            }),
        ),
        2 => whole(
            object,
            (ipv6, word).map(|(address, word)| {
                wrap(FilterSpec::Ipv6 { address, reserved: (word >> 16) as u16, port: word as u16 })
            }),
        ),
        3 => whole(
            object,
            (ipv6, word).map(|(address, word)| {
                let (reserved, label) = ((word >> 24) as u8, word & 0x00ff_ffff);
                wrap(FilterSpec::Ipv6FlowLabel { address, reserved, label })
            }),
        ),
        4 => whole(object, (ipv4, word).map(|(address, gpi)| wrap(FilterSpec::Ipv4Gpi { address, gpi }))),
        5 => whole(object, (ipv6, word).map(|(address, gpi)| wrap(FilterSpec::Ipv6Gpi { address, gpi }))),
        _ => Err(object.unknown_ctype()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn ipv4_as_captured() {
        // wireshark-rsvp-PATH-RESV, packet 7, octet 92.
        both_ways(&octets("000c0a01 0a011804 00004004"), &FilterSpec::new([10, 1, 24, 4].into(), 16388));
    }

    #[test]
    fn ipv6_and_reserved_octets() {
        // By hand from RFC 2205 A.9.
        let octets = octets("00180a02 fd000000 00000000 00000000 00000001 beef0fa0");
        let address = "fd00::1".parse().unwrap();
        both_ways(&octets, &FilterSpec::Ipv6 { address, reserved: 0xbeef, port: 4000 });
    }

    #[test]
    fn flow_label() {
        // By hand from RFC 2205 A.9.
        let octets = octets("00180a03 fd000000 00000000 00000000 00000001 7f012345");
        let address = "fd00::1".parse().unwrap();
        let filter = FilterSpec::Ipv6FlowLabel { address, reserved: 0x7f, label: 0x01_2345 };
        both_ways(&octets, &filter);
        assert_eq!((filter.address(), filter.port()), (address.into(), 0));
    }

    #[test]
    fn generalized_port_identifier() {
        // By hand from RFC 2207 3.2.
        let filter = FilterSpec::gpi([192, 0, 2, 1].into(), 0x0102_0304);
        both_ways(&octets("000c 0a04 c0000201 01020304"), &filter);
        let filter = FilterSpec::gpi("fd00::1".parse().unwrap(), 0x0102_0304);
        both_ways(&octets("0018 0a05 fd000000 00000000 00000000 00000001 01020304"), &filter);
        assert!(filter.is_gpi() && filter.port() == 0);
        refused::<FilterSpec>(&octets("000c 0a05 c0000201 01020304"), 4, Why::BodyLength);
    }

    #[test]
    fn length_follows_the_ctype() {
        refused::<FilterSpec>(&octets("000c0a03 0a011804 00004004"), 4, Why::BodyLength);
        refused::<FilterSpec>(&octets("000c0a07 0a011804 00004004"), 3, Why::UnknownCType);
    }
}
