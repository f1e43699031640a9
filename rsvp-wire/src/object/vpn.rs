//! SESSION, SENDER_TEMPLATE, FILTER_SPEC and RSVP_HOP of flows and aggregates in VPNs, RFC 6016 8.
//!
//! ```text
//! SESSION, C-Type 19 (20: VPN-IPv6)                      RSVP_HOP, C-Type 5 (6: IPv6 and VPN-IPv6)
//! |       VPN-IPv4 DestAddress (12 bytes)         |      |     IPv4 Next/Previous Hop Address (4 bytes)  |
//! | Protocol Id |  Flags  |        DstPort        |      |  VPN-IPv4 Next/Previous Hop Address (12 bytes)|
//! SESSION, C-Type 21 (22)                                |            Logical Interface Handle           |
//! |       VPN-IPv4 DestAddress (12 bytes)         |      SENDER_TEMPLATE and FILTER_SPEC, C-Type 14 (15)
//! |  Reserved | Flags |  Reserved |     DSCP      |      |          VPN-IPv4 SrcAddress (12 bytes)       |
//! SESSION, C-Type 23 (24)                                |        Reserved       |        SrcPort        |
//! |       VPN-IPv4 DestAddress (12 bytes)         |      SENDER_TEMPLATE and FILTER_SPEC, C-Type 16 (17)
//! |  Reserved | Flags |        PHB-ID             |      |      VPN-IPv4 AggregatorAddress (12 bytes)    |
//! |       Reserved        |       vDstPort        |
//! |              Extended vDstPort                |
//! ```
//!
//! A VPN-IPv4 address is a Route Distinguisher of 8 octets, which is not taken apart here, and an IPv4 address; a
//! VPN-IPv6 address has an IPv6 address instead. The extended vDstPort of C-Type 24 is one word in the figure, but
//! "identical" to that of RFC 4860, which has 16 octets; both are read.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::dclass::DSCPS;
use super::layouts::{PROTOCOLS, SESSION_FLAGS};
use crate::layout::{object, part};

part! {
    /// An address of the VPN-IPv4 family.
    pub VpnIpv4Addr {
        /// Which VPN.
        route_distinguisher(octets [8]);
        /// The address in it.
        address(Ipv4Addr);
    }

    /// An address of the VPN-IPv6 family.
    pub VpnIpv6Addr {
        /// Which VPN.
        route_distinguisher(octets [8]);
        /// The address in it.
        address(Ipv6Addr);
    }
}

macro_rules! sessions {
    ($($(#[$about:meta])* $name:ident: $ctype:literal $address:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: SESSION $ctype {
                /// Destination of the flow.
                destination(group $address);
                /// IP protocol.
                protocol(u8 code PROTOCOLS);
                /// The flags of RFC 2205 A.1.
                flags(u8 flags SESSION_FLAGS);
                /// Destination port.
                port(u16);
            }
        )*}
    };
}

macro_rules! aggregate_sessions {
    ($($(#[$about:meta])* $name:ident: $ctype:literal $address:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: SESSION $ctype {
                /// The deaggregating router, or a multicast group.
                destination(group $address);
                /// Zero.
                reserved(reserved u8);
                /// The flags of RFC 2205 A.1.
                flags(u8 flags SESSION_FLAGS);
                /// Zero.
                reserved_2(reserved u8);
                /// How the aggregate's packets are marked.
                dscp(u8 code DSCPS);
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
                source(group $address);
                /// Zero.
                reserved(reserved u16);
                /// Source port.
                port(u16);
            }
        )*}
    };
}

macro_rules! aggregators {
    ($($(#[$about:meta])* $name:ident: $class:ident $ctype:literal $address:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: $class $ctype {
                /// The aggregating router.
                aggregator(group $address);
            }
        )*}
    };
}

macro_rules! hops {
    ($($(#[$about:meta])* $name:ident: $ctype:literal $address:ident $vpn:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: RSVP_HOP $ctype {
                /// The next or previous hop, as in RFC 2205 A.2.
                address($address);
                /// The same hop, to be reached by label switching.
                vpn_address(group $vpn);
                /// Logical Interface Handle.
                lih(u32);
            }
        )*}
    };
}

sessions! {
    /// VPN-IPv4 SESSION, RFC 6016 8.1.
    VpnIpv4Session: 19 VpnIpv4Addr;
    /// VPN-IPv6 SESSION, RFC 6016 8.1.
    VpnIpv6Session: 20 VpnIpv6Addr;
}

aggregate_sessions! {
    /// AGGREGATE-VPN-IPv4 SESSION, RFC 6016 8.5.
    AggregateVpnIpv4Session: 21 VpnIpv4Addr;
    /// AGGREGATE-VPN-IPv6 SESSION, RFC 6016 8.5.
    AggregateVpnIpv6Session: 22 VpnIpv6Addr;
}

object! {
    /// GENERIC-AGGREGATE-VPN-IPv4 SESSION, RFC 6016 8.5.
    pub GenericAggregateVpnIpv4Session: SESSION 23 {
        /// The receiver, or the deaggregating router.
        destination(group VpnIpv4Addr);
        /// Zero.
        reserved(reserved u8);
        /// The flags of RFC 2205 A.1.
        flags(u8 flags SESSION_FLAGS);
        /// The per-hop behaviours from which resources are reserved.
        phb_id(u16);
        /// Zero.
        reserved_2(reserved u16);
        /// Virtual destination port.
        vdst_port(u16);
        /// Zero, or an address of the sender that narrows the session to it.
        extended_vdst_port(Ipv4Addr);
    }

    /// GENERIC-AGGREGATE-VPN-IPv6 SESSION, RFC 6016 8.5.
    pub GenericAggregateVpnIpv6Session<'a>: SESSION 24 {
        /// The receiver, or the deaggregating router.
        destination(group VpnIpv6Addr);
        /// Zero.
        reserved(reserved u8);
        /// The flags of RFC 2205 A.1.
        flags(u8 flags SESSION_FLAGS);
        /// The per-hop behaviours from which resources are reserved.
        phb_id(u16);
        /// Zero.
        reserved_2(reserved u16);
        /// Virtual destination port.
        vdst_port(u16);
        /// Zero, or what narrows the session to a sender: 4 octets by the figure, 16 by the words.
        extended_vdst_port(octets);
    }
}

senders! {
    /// VPN-IPv4 FILTER_SPEC, RFC 6016 8.3.
    VpnIpv4FilterSpec: FILTER_SPEC 14 VpnIpv4Addr;
    /// VPN-IPv6 FILTER_SPEC, RFC 6016 8.3.
    VpnIpv6FilterSpec: FILTER_SPEC 15 VpnIpv6Addr;
    /// VPN-IPv4 SENDER_TEMPLATE, RFC 6016 8.2.
    VpnIpv4SenderTemplate: SENDER_TEMPLATE 14 VpnIpv4Addr;
    /// VPN-IPv6 SENDER_TEMPLATE, RFC 6016 8.2.
    VpnIpv6SenderTemplate: SENDER_TEMPLATE 15 VpnIpv6Addr;
}

aggregators! {
    /// AGGREGATE-VPN-IPv4 FILTER_SPEC, RFC 6016 8.7.
    AggregateVpnIpv4FilterSpec: FILTER_SPEC 16 VpnIpv4Addr;
    /// AGGREGATE-VPN-IPv6 FILTER_SPEC, RFC 6016 8.7.
    AggregateVpnIpv6FilterSpec: FILTER_SPEC 17 VpnIpv6Addr;
    /// AGGREGATE-VPN-IPv4 SENDER_TEMPLATE, RFC 6016 8.6.
    AggregateVpnIpv4SenderTemplate: SENDER_TEMPLATE 16 VpnIpv4Addr;
    /// AGGREGATE-VPN-IPv6 SENDER_TEMPLATE, RFC 6016 8.6.
    AggregateVpnIpv6SenderTemplate: SENDER_TEMPLATE 17 VpnIpv6Addr;
}

hops! {
    /// VPN-IPv4 RSVP_HOP, RFC 6016 8.4.
    VpnIpv4Hop: 5 Ipv4Addr VpnIpv4Addr;
    /// VPN-IPv6 RSVP_HOP, RFC 6016 8.4.
    VpnIpv6Hop: 6 Ipv6Addr VpnIpv6Addr;
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    const RD: [u8; 8] = [0, 0, 0xfd, 0xe8, 0, 0, 0, 7];
    const V4: VpnIpv4Addr = VpnIpv4Addr { route_distinguisher: RD, address: Ipv4Addr::new(10, 1, 1, 1) };
    const V6: VpnIpv6Addr =
        VpnIpv6Addr { route_distinguisher: RD, address: Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1) };
    const HEX_V4: &str = "0000fde8 00000007 0a010101";
    const HEX_V6: &str = "0000fde8 00000007 fd000000 00000000 00000000 00000001";

    #[test]
    fn sessions() {
        // By hand from RFC 6016 8.1 and 8.5.
        let ipv4 = VpnIpv4Session { destination: V4, protocol: 17, flags: 1, port: 5004 };
        both_ways(&octets(&format!("0014 0113 {HEX_V4} 11 01 138c")), &ipv4);
        let ipv6 = VpnIpv6Session { destination: V6, protocol: 6, flags: 0, port: 80 };
        both_ways(&octets(&format!("0020 0114 {HEX_V6} 06 00 0050")), &ipv6);
        let ipv4 =
            AggregateVpnIpv4Session { destination: V4, reserved: 1, flags: 0, reserved_2: 2, dscp: 46 };
        both_ways(&octets(&format!("0014 0115 {HEX_V4} 01 00 02 2e")), &ipv4);
        let ipv6 =
            AggregateVpnIpv6Session { destination: V6, reserved: 0, flags: 1, reserved_2: 0, dscp: 10 };
        both_ways(&octets(&format!("0020 0116 {HEX_V6} 00 01 00 0a")), &ipv6);
        refused::<VpnIpv4Session>(&octets("000c 0113 0000fde8 00000007"), 12, Why::BodyLength);
        refused::<VpnIpv6Session>(&octets(&format!("001c 0114 {HEX_V6}")), 28, Why::BodyLength);
    }

    #[test]
    fn generic_aggregates() {
        // By hand from RFC 6016 8.5.
        let ipv4 = GenericAggregateVpnIpv4Session {
            destination: V4,
            reserved: 1,
            flags: 0,
            phb_id: 0xb800,
            reserved_2: 2,
            vdst_port: 9,
            extended_vdst_port: Ipv4Addr::new(192, 0, 2, 1),
        };
        both_ways(&octets(&format!("001c 0117 {HEX_V4} 01 00 b800 0002 0009 c0000201")), &ipv4);
        let figure = GenericAggregateVpnIpv6Session {
            destination: V6,
            reserved: 0,
            flags: 1,
            phb_id: 0x2800,
            reserved_2: 0,
            vdst_port: 9,
            extended_vdst_port: &[0xc0, 0, 2, 1],
        };
        both_ways(&octets(&format!("0028 0118 {HEX_V6} 00 01 2800 0000 0009 c0000201")), &figure);
        let address = V6.address.octets();
        let words = GenericAggregateVpnIpv6Session { extended_vdst_port: &address, ..figure };
        let address = "fd000000 00000000 00000000 00000001";
        both_ways(&octets(&format!("0034 0118 {HEX_V6} 00 01 2800 0000 0009 {address}")), &words);
        refused::<GenericAggregateVpnIpv4Session>(
            &octets(&format!("0010 0117 {HEX_V4}")),
            16,
            Why::BodyLength,
        );
    }

    #[test]
    fn senders() {
        // By hand from RFC 6016 8.2, 8.3, 8.6 and 8.7.
        let (ipv4, ipv6) = (format!("{HEX_V4} 0003 1389"), format!("{HEX_V6} 0003 1389"));
        let (source, reserved, port) = (V4, 3, 5001);
        both_ways(&octets(&format!("0014 0a0e {ipv4}")), &VpnIpv4FilterSpec { source, reserved, port });
        both_ways(&octets(&format!("0014 0b0e {ipv4}")), &VpnIpv4SenderTemplate { source, reserved, port });
        let source = V6;
        both_ways(&octets(&format!("0020 0a0f {ipv6}")), &VpnIpv6FilterSpec { source, reserved, port });
        both_ways(&octets(&format!("0020 0b0f {ipv6}")), &VpnIpv6SenderTemplate { source, reserved, port });
        let aggregator = V4;
        both_ways(&octets(&format!("0010 0a10 {HEX_V4}")), &AggregateVpnIpv4FilterSpec { aggregator });
        both_ways(&octets(&format!("0010 0b10 {HEX_V4}")), &AggregateVpnIpv4SenderTemplate { aggregator });
        let aggregator = V6;
        both_ways(&octets(&format!("001c 0a11 {HEX_V6}")), &AggregateVpnIpv6FilterSpec { aggregator });
        both_ways(&octets(&format!("001c 0b11 {HEX_V6}")), &AggregateVpnIpv6SenderTemplate { aggregator });
        refused::<AggregateVpnIpv4FilterSpec>(&octets(&format!("0014 0a10 {ipv4}")), 16, Why::BodyLength);
    }

    #[test]
    fn hops() {
        // By hand from RFC 6016 8.4.
        let address = Ipv4Addr::new(192, 0, 2, 1);
        let ipv4 = VpnIpv4Hop { address, vpn_address: V4, lih: 5 };
        both_ways(&octets(&format!("0018 0305 c0000201 {HEX_V4} 00000005")), &ipv4);
        let address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
        let ipv6 = VpnIpv6Hop { address, vpn_address: V6, lih: 6 };
        let hex = "fd000000 00000000 00000000 00000002";
        both_ways(&octets(&format!("0030 0306 {hex} {HEX_V6} 00000006")), &ipv6);
        refused::<VpnIpv4Hop>(&octets("000c 0305 c0000201 00000005"), 8, Why::BodyLength);
    }
}
