//! EXPLICIT_ROUTE, RFC 3209 4.3: the nodes a path is to take; and the registry of its subobjects.
//!
//! ```text
//! |L|    Type     |     Length    | (Subobject contents)          |
//! ```
//!
//! The subobjects of later RFCs are in the files of these; here is their table.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::{Head, Space, object, record, record_rows};

/// Subobjects of EXPLICIT_ROUTE; the registry "Subobject type - 20 EXPLICIT_ROUTE".
pub const EXPLICIT_ROUTE: Space = Space {
    name: "EXPLICIT_ROUTE subobject",
    header: &[Head::Extra(1, "loose"), Head::Type(7, "type"), Head::Length(8)],
    unit: 1,
    counts_header: true,
    align: 1,
    rows: record_rows! {
        1 "IPv4 prefix" "RFC 3209 4.3.3.2" typed Ipv4Prefix;
        2 "IPv6 prefix" "RFC 3209 4.3.3.3" typed Ipv6Prefix;
        3 "Label" "RFC 3473 5.1" opaque "not typed yet";
        4 "Unnumbered Interface ID" "RFC 3477 4" opaque "not typed yet";
        5 "4-byte AS number" "RFC 7898" opaque "not typed yet";
        6 "OSPF Area ID" "RFC 7898" opaque "not typed yet";
        7 "IS-IS Area ID" "RFC 7898" opaque "not typed yet";
        32 "Autonomous system number" "RFC 3209 4.3.3.4" typed AutonomousSystem;
        33 "Explicit Exclusion Route" "RFC 4874 4" opaque "not typed yet";
        35 "Hop Attributes" "RFC 7570" opaque "not typed yet";
        36 "SR-ERO" "RFC 8664" opaque "RFC 8664 is not at hand";
        37 "Protection" "RFC 4873 6.1" opaque "not typed yet";
        38 "IPv4 Diversity" "RFC 8390" opaque "not typed yet";
        39 "IPv6 Diversity" "RFC 8390" opaque "not typed yet";
        40 "SRv6-ERO" "RFC 9603" opaque "RFC 9603 is not at hand";
        64 "Path Key with 32-bit PCE ID" "RFC 5520" opaque "not typed yet";
        65 "Path Key with 128-bit PCE ID" "RFC 5520" opaque "not typed yet";
    },
};

object! {
    /// EXPLICIT_ROUTE, RFC 3209 4.3.
    pub ExplicitRoute<'a>: EXPLICIT_ROUTE 1 {
        /// The abstract nodes in order. The L bit, whether a hop is loose, is [`RecordRef::extra`](crate::layout::RecordRef::extra).
        subobjects(records EXPLICIT_ROUTE);
    }
}

record! {
    /// IPv4 prefix, RFC 3209 4.3.3.2.
    pub Ipv4Prefix: EXPLICIT_ROUTE 1 {
        /// Address; bits after the prefix are ignored.
        address(Ipv4Addr);
        /// Length of the prefix in bits.
        prefix_length(u8);
        /// Zero.
        reserved(reserved u8);
    }

    /// IPv6 prefix, RFC 3209 4.3.3.3.
    pub Ipv6Prefix: EXPLICIT_ROUTE 2 {
        /// Address; bits after the prefix are ignored.
        address(Ipv6Addr);
        /// Length of the prefix in bits.
        prefix_length(u8);
        /// Zero.
        reserved(reserved u8);
    }

    /// Autonomous system number, RFC 3209 4.3.3.4.
    pub AutonomousSystem: EXPLICIT_ROUTE 32 {
        /// Number of 16 bits.
        as_number(u16);
    }
}
