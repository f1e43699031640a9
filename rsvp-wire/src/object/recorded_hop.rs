//! What record routes say of a hop besides its address: shared risks, RFC 8001 4.2, and bypass tunnels, RFC 8271 7.1.
//!
//! ```text
//! SRLG               |      Type     |     Length    |D|          Reserved           |
//!                    |                 SRLG ID n (4 octets)                          |
//! BYPASS_ASSIGNMENT  |      Type     |     Length    |      Bypass Tunnel ID         |
//!                    |           IPv4 or IPv6 Bypass Destination Address             |
//! ```

use core::net::{Ipv4Addr, Ipv6Addr};

use super::record_route::RECORD_ROUTE;
use crate::layout::record;

record! {
    /// SRLG, RFC 8001 4.2.
    pub RecordedSrlg<'a>: RECORD_ROUTE 34 {
        /// Of the upstream direction.
        upstream(bool);
        /// Zero.
        reserved(reserved u16: 15);
        /// The shared risk link groups of the hop.
        srlg_ids(list u32);
    }

    /// BYPASS_ASSIGNMENT IPv4, RFC 8271 7.1.
    pub BypassAssignmentIpv4: RECORD_ROUTE 38 {
        /// The bypass tunnel.
        bypass_tunnel_id(u16);
        /// Where it ends.
        bypass_destination(Ipv4Addr);
    }

    /// BYPASS_ASSIGNMENT IPv6, RFC 8271 7.1.
    pub BypassAssignmentIpv6: RECORD_ROUTE 39 {
        /// The bypass tunnel.
        bypass_tunnel_id(u16);
        /// Where it ends.
        bypass_destination(Ipv6Addr);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{octets, record_both_ways, record_refused};
    use super::*;
    use crate::layout::List;

    #[test]
    fn shared_risks() {
        // By hand from RFC 8001 4.2.
        let srlg = RecordedSrlg { upstream: true, reserved: 1, srlg_ids: List::Values(&[5, 6]) };
        record_both_ways(&octets("22 0c 8001 00000005 00000006"), 0, &srlg);
        record_refused::<RecordedSrlg<'_>>(&octets("22 06 0000 0000"), 4);
    }

    #[test]
    fn bypasses() {
        // By hand from RFC 8271 7.1.
        let bypass =
            BypassAssignmentIpv4 { bypass_tunnel_id: 258, bypass_destination: Ipv4Addr::new(10, 0, 0, 8) };
        record_both_ways(&octets("26 08 0102 0a000008"), 0, &bypass);
        record_refused::<BypassAssignmentIpv4>(&octets("26 04 0102"), 4);
        let bypass_destination = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 8);
        let bypass = BypassAssignmentIpv6 { bypass_tunnel_id: 258, bypass_destination };
        record_both_ways(&octets("27 14 0102 fd000000 00000000 00000000 00000008"), 0, &bypass);
        record_refused::<BypassAssignmentIpv6>(&octets("27 08 0102 0a000008"), 4);
    }
}
