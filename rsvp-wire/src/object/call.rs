//! CALL_OPS and CALL_ID, RFC 3474: calls apart from connections, as ASON wants them; and the SESSION of its E-NNI and
//! UNI, RFC 3474 7 and RFC 3476 3.2.
//!
//! ```text
//! CALL_ID, C-Type 1                                      CALL_ID, C-Type 2
//! |   Type    |               Resv                |      |   Type    |           IS (3 bytes)            |
//! |              Source LSR address               |      |                 NS (12 bytes)                 |
//! |               Local identifier                |      |              Source LSR address               |
//! |           Local identifier (continued)        |      |               Local identifier                |
//!                                                        |           Local identifier (continued)        |
//! CALL_OPS                                               SESSION, C-Type 11 and 15 (12 and 16: 16 octets)
//! |             Reserved              |Call ops fl|      |                 IPv4 Address                  |
//!                                                        |     MUST be zero      |       Tunnel ID       |
//!                                                        |            Extended IPv4 Address              |
//! ```
//!
//! The type says how long the address is. RFC 3474 4.1.1 does not say where the two octets are that make an address of
//! 6 octets end at a word; here they follow the address, because the figure has the local identifier begin with a word.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::{Layout, layout, object};

/// RFC 3474 4.1.1: what the source LSR address is.
const ADDRESS_TYPES: &[(u64, &str)] = &[
    (0x01, "4 octets"),
    (0x02, "16 octets"),
    (0x03, "20 octets"),
    (0x04, "6 octets"),
    (0x7f, "as the vendor has it"),
];

/// RFC 3474 9.1.
const CALL_OPS_FLAGS: &[(u64, &str)] = &[(0x01, "call without connection"), (0x02, "synchronizing a call")];

macro_rules! sessions {
    ($($(#[$about:meta])* $name:ident: $ctype:literal $address:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: SESSION $ctype {
                /// The controller that is next to process the message.
                destination($address);
                /// Must be zero.
                reserved(reserved u16);
                /// The same over the life of the tunnel.
                tunnel_id(u16);
                /// Zero, or an address of the source.
                extended_tunnel_id($address);
            }
        )*}
    };
}

sessions! {
    /// UNI_IPv4_SESSION, RFC 3476 3.2.
    UniIpv4Session: 11 Ipv4Addr;
    /// UNI_IPv6 SESSION, RFC 3474 7.
    UniIpv6Session: 12 Ipv6Addr;
    /// ENNI_IPv4 SESSION, RFC 3474 7.
    EnniIpv4Session: 15 Ipv4Addr;
    /// ENNI_IPv6 SESSION, RFC 3474 7.
    EnniIpv6Session: 16 Ipv6Addr;
}

object! {
    /// CALL_OPS, RFC 3474 9.1.
    pub CallOps: CALL_OPS 1 {
        /// Zero.
        reserved(reserved u32: 24);
        /// What is done with the call.
        flags(u8 flags CALL_OPS_FLAGS);
    }

    /// CALL_ID of a user's first message, RFC 3474 4.3.1: the network is to choose the identifier.
    pub InitialCallId<'a>: CALL_ID 0 {
        /// Zeros.
        call_identifier(octets);
    }

    /// Operator specific CALL_ID, RFC 3474 4.1.1.
    pub OperatorCallId<'a>: CALL_ID 1 {
        /// How long the address is.
        address_type(u8);
        /// Zero.
        reserved(reserved u32: 24);
        /// Address and local identifier: [`call_source`] takes them apart.
        source(octets);
    }

    /// Globally unique CALL_ID, RFC 3474 4.1.1.
    pub GlobalCallId<'a>: CALL_ID 2 {
        /// How long the address is.
        address_type(u8);
        /// IS: a country code of ISO 3166.
        country_code(octets [3]);
        /// NS: the ITU carrier code, filled with NUL.
        carrier_code(octets [6]);
        /// NS: the unique access point code, filled with NUL.
        access_point_code(octets [6]);
        /// Address and local identifier: [`call_source`] takes them apart.
        source(octets);
    }
}

/// The source LSR address of a call and its local identifier, RFC 3474 4.1.1; None if they do not fit the type.
pub fn call_source(address_type: u8, source: &[u8]) -> Option<(&[u8], u64)> {
    let (address, local) = source.split_last_chunk::<8>()?;
    let (len, filled) = match address_type {
        1 => (4, 4),
        2 => (16, 16),
        3 => (20, 20),
        4 => (6, 8),
        0x7f => (address.len(), address.len()),
        _ => return None,
    };
    let address = address.get(..len).filter(|_| address.len() == filled)?;
    Some((address, u64::from_be_bytes(*local)))
}

/// The fields of [`OperatorCallId`], the address as its type has it.
pub(crate) struct OperatorCallIdFields;

/// The fields of [`GlobalCallId`], the address as its type has it.
pub(crate) struct GlobalCallIdFields;

impl OperatorCallIdFields {
    pub(crate) const LAYOUT: &'static Layout = &OPERATOR;
}

impl GlobalCallIdFields {
    pub(crate) const LAYOUT: &'static Layout = &GLOBAL;
}

layout! {
    OPERATOR {
        address_type(u8 code ADDRESS_TYPES);
        reserved(reserved u32: 24);
        source(choice address_type { 1 => IPV4, 2 => IPV6, 3 => LONG, 4 => SHORT, _ => ANY });
    }
    GLOBAL {
        address_type(u8 code ADDRESS_TYPES);
        country_code(octets [3]);
        carrier_code(octets [6]);
        access_point_code(octets [6]);
        source(choice address_type { 1 => IPV4, 2 => IPV6, 3 => LONG, 4 => SHORT, _ => ANY });
    }
    IPV4 {
        source_lsr_address(Ipv4Addr);
        local_identifier(u64);
    }
    IPV6 {
        source_lsr_address(Ipv6Addr);
        local_identifier(u64);
    }
    LONG {
        source_lsr_address(octets [20]);
        local_identifier(u64);
    }
    SHORT {
        source_lsr_address(octets [6]);
        reserved_2(reserved u16);
        local_identifier(u64);
    }
    ANY {
        source(octets);
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn sessions() {
        // By hand from RFC 3476 3.2 and RFC 3474 7.
        let (destination, extended_tunnel_id) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
        let uni = UniIpv4Session { destination, reserved: 1, tunnel_id: 258, extended_tunnel_id };
        both_ways(&octets("0010 010b c0000201 0001 0102 c0000202"), &uni);
        let enni = EnniIpv4Session { destination, reserved: 0, tunnel_id: 258, extended_tunnel_id };
        both_ways(&octets("0010 010f c0000201 0000 0102 c0000202"), &enni);
        let destination = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
        let extended_tunnel_id = Ipv6Addr::UNSPECIFIED;
        let hex = "fd000000 00000000 00000000 00000001 0000 0003 00000000 00000000 00000000 00000000";
        let uni = UniIpv6Session { destination, reserved: 0, tunnel_id: 3, extended_tunnel_id };
        both_ways(&octets(&format!("0028 010c {hex}")), &uni);
        let enni = EnniIpv6Session { destination, reserved: 0, tunnel_id: 3, extended_tunnel_id };
        both_ways(&octets(&format!("0028 0110 {hex}")), &enni);
        refused::<UniIpv4Session>(&octets("000c 010b c0000201 00000102"), 12, Why::BodyLength);
    }

    #[test]
    fn call_ops() {
        // By hand from RFC 3474 9.1.
        both_ways(&octets("0008 e401 00000102"), &CallOps { reserved: 1, flags: 2 });
        refused::<CallOps>(&octets("0004 e401"), 4, Why::BodyLength);
    }

    #[test]
    fn call_ids() {
        // By hand from RFC 3474 4.1.1 and 4.3.1.
        both_ways(&octets("0008 e600 00000000"), &InitialCallId { call_identifier: &[0; 4] });
        let source = octets("c0000201 0000000000000007");
        let call = OperatorCallId { address_type: 1, reserved: 0, source: &source };
        both_ways(&octets("0014 e601 01 000000 c0000201 0000000000000007"), &call);
        assert_eq!(call_source(1, &source), Some((&[192, 0, 2, 1][..], 7)));
        assert_eq!((call_source(2, &source), call_source(1, &source[..8])), (None, None));
        let source = octets("001b21aabbcc 0000 0000000000000008");
        let call = GlobalCallId {
            address_type: 4,
            country_code: *b"USA",
            carrier_code: *b"ATT\0\0\0",
            access_point_code: *b"AP1\0\0\0",
            source: &source,
        };
        let hex = "0024 e602 04 555341 415454000000 415031000000 001b21aabbcc 0000 0000000000000008";
        both_ways(&octets(hex), &call);
        assert_eq!(call_source(4, &source), Some((&[0, 0x1b, 0x21, 0xaa, 0xbb, 0xcc][..], 8)));
        assert_eq!(call_source(0x7f, &source).map(|(address, _)| address.len()), Some(8));
        refused::<GlobalCallId<'_>>(&octets("000c e602 04 555341 41545400"), 8, Why::BodyLength);
    }
}
