//! FAST_REROUTE and DETOUR, RFC 4090 4.1 and 4.2: how an LSP is to be repaired locally, and the LSPs that do.
//!
//! ```text
//! FAST_REROUTE  | Setup Prio  | Hold Prio   | Hop-limit   |    Flags    |  C-Type 7: Reserved
//!               |                  Bandwidth                            |
//!               |                  Include-any                          |
//!               |                  Exclude-any                          |
//!               |                  Include-all                          |  not in C-Type 7
//!
//! DETOUR        |                      PLR_ID  n                        |  4 or 16 octets
//!               |                    Avoid_Node_ID  n                   |  likewise
//! ```

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::{object, part};

/// Flags of FAST_REROUTE, RFC 4090 4.1.
const FLAGS: &[(u64, &str)] = &[(0x01, "One-to-One Backup Desired"), (0x02, "Facility Backup Desired")];

object! {
    /// FAST_REROUTE, RFC 4090 4.1.
    pub FastReroute: FAST_REROUTE 1 {
        /// Priority of the backup for taking resources: 0, the highest, to 7.
        setup_priority(u8);
        /// Priority of the backup for keeping them: 0, the highest, to 7.
        holding_priority(u8);
        /// Hops more that the backup may take.
        hop_limit(u8);
        /// The method that is desired.
        flags(u8 flags FLAGS);
        /// Estimate of the bandwidth to be protected.
        bandwidth_bytes_per_s(f32);
        /// Links need any of these attributes, if there are any.
        include_any(u32);
        /// Links with any of these attributes are unacceptable.
        exclude_any(u32);
        /// Links need all of these attributes.
        include_all(u32);
    }

    /// FAST_REROUTE of legacy implementations, RFC 4090 4.1.
    pub LegacyFastReroute: FAST_REROUTE 7 {
        /// Priority of the backup for taking resources: 0, the highest, to 7.
        setup_priority(u8);
        /// Priority of the backup for keeping them: 0, the highest, to 7.
        holding_priority(u8);
        /// Hops more that the backup may take.
        hop_limit(u8);
        /// Zero.
        reserved(reserved u8);
        /// Estimate of the bandwidth to be protected.
        bandwidth_bytes_per_s(f32);
        /// Links need any of these attributes, if there are any.
        include_any(u32);
        /// Links with any of these attributes are unacceptable.
        exclude_any(u32);
    }

    /// DETOUR for IPv4 addresses, RFC 4090 4.2.1.
    pub Ipv4Detour<'a>: DETOUR 7 {
        /// The detours that are merged into one.
        detours(groups DetourIpv4);
    }

    /// DETOUR for IPv6 addresses, RFC 4090 4.2.2.
    pub Ipv6Detour<'a>: DETOUR 8 {
        /// The detours that are merged into one.
        detours(groups DetourIpv6);
    }
}

part! {
    /// Where a detour begins, and what it avoids, RFC 4090 4.2.1.
    pub DetourIpv4 {
        /// An address of the point of local repair.
        plr_id(Ipv4Addr);
        /// An address of the node after it.
        avoid_node_id(Ipv4Addr);
    }

    /// Where a detour begins, and what it avoids, RFC 4090 4.2.2.
    pub DetourIpv6 {
        /// An address of the point of local repair.
        plr_id(Ipv6Addr);
        /// An address of the node after it.
        avoid_node_id(Ipv6Addr);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::List;

    #[test]
    fn fast_reroute() {
        // By hand from RFC 4090 4.1; 49742400 is 1,000,000 as a float.
        let wish = FastReroute {
            setup_priority: 7,
            holding_priority: 6,
            hop_limit: 5,
            flags: 2,
            bandwidth_bytes_per_s: 1e6,
            include_any: 1,
            exclude_any: 2,
            include_all: 4,
        };
        both_ways(&octets("0018 cd01 07 06 05 02 49742400 00000001 00000002 00000004"), &wish);
        refused::<FastReroute>(
            &octets("0014 cd01 07 06 05 02 49742400 00000001 00000002"),
            20,
            Why::BodyLength,
        );
        let legacy = LegacyFastReroute {
            setup_priority: 7,
            holding_priority: 6,
            hop_limit: 5,
            reserved: 9,
            bandwidth_bytes_per_s: 1e6,
            include_any: 1,
            exclude_any: 2,
        };
        both_ways(&octets("0014 cd07 07 06 05 09 49742400 00000001 00000002"), &legacy);
        refused::<LegacyFastReroute>(&octets("0008 cd07 07 06 05 00"), 8, Why::BodyLength);
    }

    #[test]
    fn detours() {
        // By hand from RFC 4090 4.2.
        let detour =
            |last| DetourIpv4 { plr_id: [10, 0, 0, last].into(), avoid_node_id: [10, 0, 1, last].into() };
        both_ways(
            &octets("0014 3f07 0a000001 0a000101 0a000002 0a000102"),
            &Ipv4Detour { detours: List::Values(&[detour(1), detour(2)]) },
        );
        refused::<Ipv4Detour<'_>>(&octets("0010 3f07 0a000001 0a000101 0a000002"), 12, Why::BodyLength);
        let detour = DetourIpv6 {
            plr_id: Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1),
            avoid_node_id: Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2),
        };
        let hex = "0024 3f08 fd000000 00000000 00000000 00000001 fd000000 00000000 00000000 00000002";
        both_ways(&octets(hex), &Ipv6Detour { detours: List::Values(&[detour]) });
        refused::<Ipv6Detour<'_>>(
            &octets("0014 3f08 fd000000 00000000 00000000 00000001"),
            4,
            Why::BodyLength,
        );
    }
}
