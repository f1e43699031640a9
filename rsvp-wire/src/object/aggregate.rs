//! SESSION, FILTER_SPEC and SENDER_TEMPLATE of aggregate reservations, RFC 3175 3.3 to 3.5; SESSION of generic ones,
//! RFC 4860 2.1, and SESSION-OF-INTEREST, 2.2.
//!
//! ```text
//! SESSION, C-Type 9 (10: 16 octets)                      SESSION, C-Type 17, and SESSION-OF-INTEREST, C-Type 1
//! |        IPv4 Session Address (4 bytes)         |      (18, 2: address and extended vDstPort of 16 octets)
//! | /////////// |  Flags | ///////// |   DSCP     |      |          IPv4 DestAddress (4 bytes)           |
//!                                                        |  Reserved   |  Flags  |        PHB-ID         |
//! FILTER_SPEC and SENDER_TEMPLATE, C-Type 9 (10)         |        Reserved       |       vDstPort        |
//! |       IPv4 Aggregator Address (4 bytes)       |      |               Extended vDstPort               |
//! ```
//!
//! The PHB-ID is encoded as RFC 3140 says, which is not taken apart here.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::dclass::DSCPS;
use super::layouts::SESSION_FLAGS;
use crate::layout::object;

macro_rules! sessions {
    ($($(#[$about:meta])* $name:ident: $ctype:literal $address:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: SESSION $ctype {
                /// The deaggregating router, or a multicast group.
                destination($address);
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

macro_rules! aggregators {
    ($($(#[$about:meta])* $name:ident: $class:ident $ctype:literal $address:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: $class $ctype {
                /// The aggregating router.
                aggregator($address);
            }
        )*}
    };
}

macro_rules! generic_sessions {
    ($($(#[$about:meta])* $name:ident: $class:ident $ctype:literal $address:ident $port:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: $class $ctype {
                /// The receiver, or the deaggregating router.
                destination($address);
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
                extended_vdst_port($port);
            }
        )*}
    };
}

sessions! {
    /// RSVP-AGGREGATE-IP4 SESSION, RFC 3175 3.3.
    AggregateIpv4Session: 9 Ipv4Addr;
    /// RSVP-AGGREGATE-IP6 SESSION, RFC 3175 3.3.
    AggregateIpv6Session: 10 Ipv6Addr;
}

aggregators! {
    /// RSVP-AGGREGATE-IP4 FILTER_SPEC, RFC 3175 3.5.
    AggregateIpv4FilterSpec: FILTER_SPEC 9 Ipv4Addr;
    /// RSVP-AGGREGATE-IP6 FILTER_SPEC, RFC 3175 3.5.
    AggregateIpv6FilterSpec: FILTER_SPEC 10 Ipv6Addr;
    /// RSVP-AGGREGATE-IP4 SENDER_TEMPLATE, RFC 3175 3.4.
    AggregateIpv4SenderTemplate: SENDER_TEMPLATE 9 Ipv4Addr;
    /// RSVP-AGGREGATE-IP6 SENDER_TEMPLATE, RFC 3175 3.4.
    AggregateIpv6SenderTemplate: SENDER_TEMPLATE 10 Ipv6Addr;
}

generic_sessions! {
    /// GENERIC-AGGREGATE-IP4 SESSION, RFC 4860 2.1.
    GenericAggregateIpv4Session: SESSION 17 Ipv4Addr Ipv4Addr;
    /// GENERIC-AGGREGATE-IP6 SESSION, RFC 4860 2.1.
    GenericAggregateIpv6Session: SESSION 18 Ipv6Addr Ipv6Addr;
    /// GENERIC-AGG-IP4-SOI, RFC 4860 2.2: what is in the SESSION of the reservation of interest.
    Ipv4SessionOfInterest: SESSION_OF_INTEREST 1 Ipv4Addr Ipv4Addr;
    /// GENERIC-AGG-IP6-SOI, RFC 4860 2.2: what is in the SESSION of the reservation of interest.
    Ipv6SessionOfInterest: SESSION_OF_INTEREST 2 Ipv6Addr Ipv6Addr;
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    const V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
    const HEX_V6: &str = "fd000000 00000000 00000000 00000001";

    #[test]
    fn aggregates() {
        // By hand from RFC 3175 3.3 to 3.5.
        let ipv4 = AggregateIpv4Session { destination: V4, reserved: 2, flags: 1, reserved_2: 3, dscp: 46 };
        both_ways(&octets("000c 0109 c0000201 02 01 03 2e"), &ipv4);
        let ipv6 = AggregateIpv6Session { destination: V6, reserved: 0, flags: 0, reserved_2: 0, dscp: 10 };
        both_ways(&octets(&format!("0018 010a {HEX_V6} 00 00 00 0a")), &ipv6);
        both_ways(&octets("0008 0a09 c0000201"), &AggregateIpv4FilterSpec { aggregator: V4 });
        both_ways(&octets("0008 0b09 c0000201"), &AggregateIpv4SenderTemplate { aggregator: V4 });
        both_ways(&octets(&format!("0014 0a0a {HEX_V6}")), &AggregateIpv6FilterSpec { aggregator: V6 });
        both_ways(&octets(&format!("0014 0b0a {HEX_V6}")), &AggregateIpv6SenderTemplate { aggregator: V6 });
        refused::<AggregateIpv4Session>(&octets("0008 0109 c0000201"), 8, Why::BodyLength);
        refused::<AggregateIpv4FilterSpec>(&octets("000c 0a09 c0000201 00000fa0"), 8, Why::BodyLength);
    }

    #[test]
    fn generic_aggregates() {
        // By hand from RFC 4860 2.1 and 2.2.
        let ipv4 = GenericAggregateIpv4Session {
            destination: V4,
            reserved: 5,
            flags: 1,
            phb_id: 0xb800,
            reserved_2: 6,
            vdst_port: 7,
            extended_vdst_port: Ipv4Addr::new(10, 0, 0, 1),
        };
        let hex = "c0000201 05 01 b800 0006 0007 0a000001";
        both_ways(&octets(&format!("0014 0111 {hex}")), &ipv4);
        let interest = Ipv4SessionOfInterest {
            destination: V4,
            reserved: 5,
            flags: 1,
            phb_id: 0xb800,
            reserved_2: 6,
            vdst_port: 7,
            extended_vdst_port: Ipv4Addr::new(10, 0, 0, 1),
        };
        both_ways(&octets(&format!("0014 8401 {hex}")), &interest);
        refused::<GenericAggregateIpv4Session>(
            &octets("0010 0111 c0000201 00000000 00000000"),
            16,
            Why::BodyLength,
        );
    }

    #[test]
    fn generic_aggregates_of_ipv6() {
        // By hand from RFC 4860 2.1 and 2.2.
        let ipv6 = GenericAggregateIpv6Session {
            destination: V6,
            reserved: 0,
            flags: 0,
            phb_id: 0x2800,
            reserved_2: 0,
            vdst_port: 7,
            extended_vdst_port: V6,
        };
        let hex = format!("{HEX_V6} 00 00 2800 0000 0007 {HEX_V6}");
        both_ways(&octets(&format!("002c 0112 {hex}")), &ipv6);
        let interest = Ipv6SessionOfInterest {
            destination: V6,
            reserved: 0,
            flags: 0,
            phb_id: 0x2800,
            reserved_2: 0,
            vdst_port: 7,
            extended_vdst_port: V6,
        };
        both_ways(&octets(&format!("002c 8402 {hex}")), &interest);
        refused::<Ipv6SessionOfInterest>(&octets(&format!("0014 8402 {HEX_V6}")), 20, Why::BodyLength);
    }
}
