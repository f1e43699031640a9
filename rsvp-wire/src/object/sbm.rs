//! The objects of the Subnet Bandwidth Manager, RFC 2814 Appendix B.
//!
//! ```text
//! DSBM IP ADDRESS, LAN_NHOP_L3, LAN_LOOPBACK: C-Type 1   RSVP_HOP_L2 and LAN_NHOP_L2, C-Type 1
//! |         IPv4 address (C-Type 2: IPv6)         |      |        Octets 0-3 of the MAC address          |
//! SBM_PRIORITY                                           | Octets 4-5 of the MAC | ///       | ///       |
//! |   ///     |   ///     |   ///   |SBM priority |      TCLASS
//! DSBM Timer Intervals                                   |    ///    |   ///     |   ///     | /// | PV  |
//! |   ///     |   ///     |DeadInter.|RefreshInter|      NON_RESV_SEND_LIMIT
//!                                                        |           Intserv Sender_TSPEC object         |
//! ```
//!
//! "///" is unused. Class 45, C-Type 1 is NON_RESV_SEND_LIMIT in RFC 2814 B.6; the "Media Type" that IANA still lists
//! is of a draft before. Which object is embedded in it is not checked.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::object;

macro_rules! addresses {
    ($($(#[$about:meta])* $name:ident: $class:ident $ctype:literal $address:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: $class $ctype {
                /// The address.
                address($address);
            }
        )*}
    };
}

macro_rules! mac_addresses {
    ($($(#[$about:meta])* $name:ident: $class:ident;)*) => {
        object! {$(
            $(#[$about])*
            pub $name: $class 1 {
                /// In IEEE 802 canonical format, RFC 2814 B.3.3.
                mac_address(octets [6]);
                /// Zero.
                reserved(reserved u16);
            }
        )*}
    };
}

addresses! {
    /// IPv4 DSBM IP ADDRESS, RFC 2814 B.6.
    Ipv4DsbmAddress: DSBM_IP_ADDRESS 1 Ipv4Addr;
    /// IPv6 DSBM IP ADDRESS, RFC 2814 B.6.
    Ipv6DsbmAddress: DSBM_IP_ADDRESS 2 Ipv6Addr;
    /// IPv4 LAN_NHOP_L3, RFC 2814 B.3.5: the next hop.
    Ipv4LanNextHop: LAN_NHOP_L3 1 Ipv4Addr;
    /// IPv6 LAN_NHOP_L3, RFC 2814 B.3.5: the next hop.
    Ipv6LanNextHop: LAN_NHOP_L3 2 Ipv6Addr;
    /// IPv4 LAN_LOOPBACK, RFC 2814 B.3.6: the interface that sent the Path message.
    Ipv4LanLoopback: LAN_LOOPBACK 1 Ipv4Addr;
    /// IPv6 LAN_LOOPBACK, RFC 2814 B.3.6: the interface that sent the Path message.
    Ipv6LanLoopback: LAN_LOOPBACK 2 Ipv6Addr;
}

mac_addresses! {
    /// RSVP_HOP_L2, RFC 2814 B.3.4: the previous hop.
    HopL2: RSVP_HOP_L2;
    /// LAN_NHOP_L2, RFC 2814 B.3.5: the next hop.
    LanNextHopL2: LAN_NHOP_L2;
}

object! {
    /// SBM_PRIORITY, RFC 2814 B.6.
    pub SbmPriority: SBM_PRIORITY 1 {
        /// Zero.
        reserved(reserved u32: 24);
        /// The highest becomes the DSBM; 0: never.
        priority(u8);
    }

    /// DSBM Timer Intervals, RFC 2814 B.6.
    pub DsbmTimerIntervals: DSBM_TIMER_INTERVALS 1 {
        /// Zero.
        reserved(reserved u16);
        /// After so long without a word the DSBM is taken for dead.
        dead_interval_s(u8);
        /// How often the DSBM says that it lives.
        refresh_interval_s(u8);
    }

    /// NON_RESV_SEND_LIMIT, RFC 2814 B.6.
    pub NonResvSendLimit<'a>: SBM_INFO 1 {
        /// SENDER_TSPEC: what may be sent without a reservation.
        objects(objects);
    }

    /// TCLASS, RFC 2814 B.3.7.
    pub Tclass: TCLASS 1 {
        /// Zero.
        reserved(reserved u32: 29);
        /// PV: the user priority of IEEE 802.1p.
        user_priority(u8: 3);
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn addresses() {
        // By hand from RFC 2814 B.3.5, B.3.6 and B.6.
        let address = Ipv4Addr::new(192, 0, 2, 1);
        both_ways(&octets("0008 2a01 c0000201"), &Ipv4DsbmAddress { address });
        both_ways(&octets("0008 a301 c0000201"), &Ipv4LanNextHop { address });
        both_ways(&octets("0008 a401 c0000201"), &Ipv4LanLoopback { address });
        let (address, hex) =
            (Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1), "fd000000 00000000 00000000 00000001");
        both_ways(&octets(&format!("0014 2a02 {hex}")), &Ipv6DsbmAddress { address });
        both_ways(&octets(&format!("0014 a302 {hex}")), &Ipv6LanNextHop { address });
        both_ways(&octets(&format!("0014 a402 {hex}")), &Ipv6LanLoopback { address });
        refused::<Ipv6LanLoopback>(&octets("0008 a402 c0000201"), 4, Why::BodyLength);
        refused::<Ipv4LanLoopback>(&octets(&format!("0014 a401 {hex}")), 8, Why::BodyLength);
    }

    #[test]
    fn mac_addresses() {
        // By hand from RFC 2814 B.3.4 and B.3.5.
        let mac_address = [0, 0x1b, 0x21, 0xaa, 0xbb, 0xcc];
        both_ways(&octets("000c a101 001b21aa bbcc 0000"), &HopL2 { mac_address, reserved: 0 });
        both_ways(&octets("000c a201 001b21aa bbcc 0102"), &LanNextHopL2 { mac_address, reserved: 0x0102 });
        refused::<HopL2>(&octets("0008 a101 001b21aa"), 4, Why::BodyLength);
    }

    #[test]
    fn words() {
        // By hand from RFC 2814 B.3.7 and B.6.
        both_ways(&octets("0008 2b01 000001 80"), &SbmPriority { reserved: 1, priority: 128 });
        let intervals = DsbmTimerIntervals { reserved: 0, dead_interval_s: 15, refresh_interval_s: 5 };
        both_ways(&octets("0008 2c01 0000 0f 05"), &intervals);
        both_ways(&octets("0008 a501 0000000e"), &Tclass { reserved: 1, user_priority: 6 });
        refused::<Tclass>(&octets("0004 a501"), 4, Why::BodyLength);
    }

    #[test]
    fn limit() {
        // By hand from RFC 2814 B.6: r, b and p 0, m infinity, M 0: nothing at all.
        let tspec = "0024 0c02 00000007 01000006 7f000005 00000000 00000000 00000000 ffffffff 00000000";
        let objects = octets(tspec);
        both_ways(&octets(&format!("0028 2d01 {tspec}")), &NonResvSendLimit { objects: &objects });
    }
}
