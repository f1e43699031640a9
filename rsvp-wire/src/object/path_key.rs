//! Path Key subobjects of explicit and record routes, RFC 5553 3; RFC 5520 3.1 has the same for PCEP.
//!
//! ```text
//! |L|    Type     |     Length    |           Path Key            |     in a record route without L
//! |                 PCE-ID (4 or 16 bytes)                        |
//! ```
//!
//! A PCE-ID may be an address or not; it is shown as one, as the figures' captions have it.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::explicit_route::EXPLICIT_ROUTE;
use super::record_route::RECORD_ROUTE;
use crate::layout::record;

record! {
    /// Path Key with 32-bit PCE ID, RFC 5553 3.
    pub PathKey32: EXPLICIT_ROUTE 64 {
        /// What stands for the hidden part of the route.
        path_key(u16);
        /// Who can say what it is.
        pce_id(Ipv4Addr);
    }

    /// Path Key with 128-bit PCE ID, RFC 5553 3.
    pub PathKey128: EXPLICIT_ROUTE 65 {
        /// What stands for the hidden part of the route.
        path_key(u16);
        /// Who can say what it is.
        pce_id(Ipv6Addr);
    }

    /// Path Key with 32-bit PCE ID of a record route, RFC 5553 3.2.
    pub RecordedPathKey32: RECORD_ROUTE 64 {
        /// What stands for the hidden part of the route.
        path_key(u16);
        /// Who can say what it is.
        pce_id(Ipv4Addr);
    }

    /// Path Key with 128-bit PCE ID of a record route, RFC 5553 3.2.
    pub RecordedPathKey128: RECORD_ROUTE 65 {
        /// What stands for the hidden part of the route.
        path_key(u16);
        /// Who can say what it is.
        pce_id(Ipv6Addr);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{octets, record_both_ways, record_refused};
    use super::*;

    #[test]
    fn keys() {
        // By hand from RFC 5553 3.
        let pce_id = Ipv4Addr::new(10, 0, 0, 7);
        record_both_ways(&octets("40 08 0102 0a000007"), 0, &PathKey32 { path_key: 258, pce_id });
        record_both_ways(&octets("40 08 0102 0a000007"), 0, &RecordedPathKey32 { path_key: 258, pce_id });
        let pce_id = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 7);
        let hex = "41 14 0102 fd000000 00000000 00000000 00000007";
        record_both_ways(&octets(hex), 0, &PathKey128 { path_key: 258, pce_id });
        record_both_ways(&octets(hex), 0, &RecordedPathKey128 { path_key: 258, pce_id });
        record_refused::<PathKey32>(&octets("40 0c 0102 0a000007 00000000"), 8);
        record_refused::<RecordedPathKey128>(&octets("41 08 0102 fd000000"), 4);
    }
}
