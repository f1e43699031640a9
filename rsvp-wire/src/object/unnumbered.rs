//! Unnumbered links in explicit and record routes, RFC 3477 4 and 5.
//!
//! ```text
//! ERO  |L|    Type     |     Length    |    Reserved (MUST be zero)    |
//! RRO  |      Type     |     Length    |     Flags     | Reserved (MBZ)|
//!      |                           Router ID                           |
//!      |                     Interface ID (32 bits)                    |
//! ```

use core::net::Ipv4Addr;

use super::explicit_route::EXPLICIT_ROUTE;
use super::record_route::{ADDRESS_FLAGS, RECORD_ROUTE};
use crate::layout::record;

record! {
    /// Unnumbered Interface ID of an explicit route, RFC 3477 4.
    pub UnnumberedInterface: EXPLICIT_ROUTE 4 {
        /// Zero.
        reserved(reserved u16);
        /// The node.
        router_id(Ipv4Addr);
        /// Its interface.
        interface_id(u32);
    }

    /// Unnumbered Interface ID of a record route, RFC 3477 5.
    pub RecordedUnnumberedInterface: RECORD_ROUTE 4 {
        /// What protects the link after the node.
        flags(u8 flags ADDRESS_FLAGS);
        /// Zero.
        reserved(reserved u8);
        /// The node.
        router_id(Ipv4Addr);
        /// Its interface.
        interface_id(u32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{octets, record_both_ways, record_refused};
    use super::*;

    #[test]
    fn links() {
        let router_id = Ipv4Addr::new(10, 0, 0, 9);
        // By hand from RFC 3477 4, loose, and 5.
        let link = UnnumberedInterface { reserved: 1, router_id, interface_id: 7 };
        record_both_ways(&octets("84 0c 0001 0a000009 00000007"), 1, &link);
        let link = RecordedUnnumberedInterface { flags: 2, reserved: 1, router_id, interface_id: 7 };
        record_both_ways(&octets("04 0c 02 01 0a000009 00000007"), 0, &link);
        record_refused::<UnnumberedInterface>(&octets("04 08 0000 0a000009"), 8);
        record_refused::<RecordedUnnumberedInterface>(&octets("04 10 0000 0a000009 00000007 00000000"), 12);
    }
}
