//! SESSION, FILTER_SPEC and SENDER_TEMPLATE with a generalized port identifier, RFC 2207 3: flows of IPSEC, whose ports
//! cannot be seen.
//!
//! ```text
//! SESSION, C-Type 3 (C-Type 4: an address of 16 octets)   FILTER_SPEC and SENDER_TEMPLATE, C-Type 4 (5: 16 octets)
//! |               IPv4 DestAddress (4 bytes)      |       |               IPv4 SrcAddress (4 bytes)       |
//! | Protocol ID |  Flags  |       vDstPort        |       |     Generalized Port Identifier (GPI)         |
//! ```
//!
//! That vDstPort is not zero (RFC 2207 4.1) is not checked.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::layouts::{PROTOCOLS, SESSION_FLAGS};
use crate::layout::object;

macro_rules! sessions {
    ($($(#[$about:meta])* $name:ident: $ctype:literal $address:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: SESSION $ctype {
                /// Destination of the flow.
                destination($address);
                /// IP protocol: AH or ESP.
                protocol(u8 code PROTOCOLS);
                /// The flags of RFC 2205 A.1.
                flags(u8 flags SESSION_FLAGS);
                /// Virtual destination port: tells sessions apart, and is in no packet.
                vdst_port(u16);
            }
        )*}
    };
}

macro_rules! senders {
    ($($(#[$about:meta])* $name:ident: $class:ident $ctype:literal $address:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: $class $ctype {
                /// Source of the flow.
                source($address);
                /// Generalized port identifier: the SPI of AH or ESP.
                gpi(u32);
            }
        )*}
    };
}

sessions! {
    /// IPv4/GPI SESSION, RFC 2207 3.1.
    GpiIpv4Session: 3 Ipv4Addr;
    /// IPv6/GPI SESSION, RFC 2207 3.1.
    GpiIpv6Session: 4 Ipv6Addr;
}

senders! {
    /// IPv4/GPI FILTER_SPEC, RFC 2207 3.2.
    GpiIpv4FilterSpec: FILTER_SPEC 4 Ipv4Addr;
    /// IPv6/GPI FILTER_SPEC, RFC 2207 3.2.
    GpiIpv6FilterSpec: FILTER_SPEC 5 Ipv6Addr;
    /// IPv4/GPI SENDER_TEMPLATE, RFC 2207 3.3.
    GpiIpv4SenderTemplate: SENDER_TEMPLATE 4 Ipv4Addr;
    /// IPv6/GPI SENDER_TEMPLATE, RFC 2207 3.3.
    GpiIpv6SenderTemplate: SENDER_TEMPLATE 5 Ipv6Addr;
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    const V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);

    #[test]
    fn sessions() {
        // By hand from RFC 2207 3.1.
        let destination = Ipv4Addr::new(192, 0, 2, 9);
        let ipv4 = GpiIpv4Session { destination, protocol: 50, flags: 1, vdst_port: 8192 };
        both_ways(&octets("000c 0103 c0000209 32 01 2000"), &ipv4);
        let ipv6 = GpiIpv6Session { destination: V6, protocol: 51, flags: 0, vdst_port: 11 };
        both_ways(&octets("0018 0104 fd000000 00000000 00000000 00000001 33 00 000b"), &ipv6);
        refused::<GpiIpv4Session>(&octets("0008 0103 c0000209"), 8, Why::BodyLength);
        refused::<GpiIpv4Session>(&octets("0008 0104 c0000209"), 3, Why::UnknownCType);
        refused::<GpiIpv6Session>(&octets("000c 0104 c0000209 32 01 2000"), 4, Why::BodyLength);
    }

    #[test]
    fn senders() {
        // By hand from RFC 2207 3.2 and 3.3.
        let (source, gpi) = (Ipv4Addr::new(192, 0, 2, 1), 0x0102_0304);
        both_ways(&octets("000c 0a04 c0000201 01020304"), &GpiIpv4FilterSpec { source, gpi });
        both_ways(&octets("000c 0b04 c0000201 01020304"), &GpiIpv4SenderTemplate { source, gpi });
        let ipv6 = "fd000000 00000000 00000000 00000001 01020304";
        let (filter, template) = (std::format!("0018 0a05 {ipv6}"), std::format!("0018 0b05 {ipv6}"));
        both_ways(&octets(&filter), &GpiIpv6FilterSpec { source: V6, gpi });
        both_ways(&octets(&template), &GpiIpv6SenderTemplate { source: V6, gpi });
        refused::<GpiIpv4FilterSpec>(&octets("0010 0a04 c0000201 01020304 00000000"), 12, Why::BodyLength);
    }
}
