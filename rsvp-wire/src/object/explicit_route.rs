//! EXPLICIT_ROUTE, RFC 3209 4.3: the nodes a path is to take; and the registry of its subobjects.
//!
//! ```text
//! |L|    Type     |     Length    | (Subobject contents)          |
//! ```
//!
//! The subobjects of later RFCs are in the files of these; here is their table.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::diversity::{IPV4_DIVERSITY, IPV6_DIVERSITY};
use super::exclude_route::ExplicitExclusion;
use super::hop_attributes::HopAttributes;
use super::path_key::{PathKey32, PathKey128};
use super::route_domain::{AutonomousSystem32, IsisArea, OspfArea};
use super::route_label::ExplicitLabel;
use super::route_protection::ExplicitProtection;
use super::segment_routing::ExplicitSegment;
use super::unnumbered::UnnumberedInterface;
use crate::layout::{Head, Space, object, record, record_rows};

/// Subobjects of EXPLICIT_ROUTE; the registry "Subobject type - 20 EXPLICIT_ROUTE".
pub static EXPLICIT_ROUTE: Space = Space {
    name: "EXPLICIT_ROUTE subobject",
    header: &[Head::Extra(1, "loose"), Head::Type(7, "type"), Head::Length(8)],
    unit: 1,
    counts_header: true,
    align: 1,
    rows: record_rows! {
        1 "IPv4 prefix" "RFC 3209 4.3.3.2" typed Ipv4Prefix;
        2 "IPv6 prefix" "RFC 3209 4.3.3.3" typed Ipv6Prefix;
        3 "Label" "RFC 3473 5.1" typed ExplicitLabel;
        4 "Unnumbered Interface ID" "RFC 3477 4" typed UnnumberedInterface;
        5 "4-byte AS number" "RFC 7898 3.2.1" typed AutonomousSystem32;
        6 "OSPF Area ID" "RFC 7898 3.2.2" typed OspfArea;
        7 "IS-IS Area ID" "RFC 7898 3.2.2" typed IsisArea;
        32 "Autonomous system number" "RFC 3209 4.3.3.4" typed AutonomousSystem;
        33 "Explicit Exclusion Route" "RFC 4874 4.1" typed ExplicitExclusion;
        35 "Hop Attributes" "RFC 7570 2.1" typed HopAttributes;
        36 "SR-ERO" "RFC 8664 4.3.1" typed ExplicitSegment;
        37 "Protection" "RFC 4873 4.1.1" typed ExplicitProtection;
        38 "IPv4 Diversity" "RFC 8390 2.2" laid IPV4_DIVERSITY;
        39 "IPv6 Diversity" "RFC 8390 2.2" laid IPV6_DIVERSITY;
        40 "SRv6-ERO" "RFC 9603" opaque "RFC 9603 is not at hand";
        64 "Path Key with 32-bit PCE ID" "RFC 5553 3" typed PathKey32;
        65 "Path Key with 128-bit PCE ID" "RFC 5553 3" typed PathKey128;
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

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::{Records, RecordsWriter};
    use crate::message::ObjectRef;

    /// By hand from RFC 3209 4.3.3: strict IPv4, loose IPv6, strict AS.
    const OCTETS: &str =
        "0024 1401 01 08 0a000001 20 00 82 14 fd000000 00000000 00000000 00000000 40 00 20 04 fde8";

    #[test]
    fn subobjects_are_read_and_written() {
        let hops = octets(OCTETS);
        let mut room = [0; 64];
        let ipv4 = Ipv4Prefix { address: Ipv4Addr::new(10, 0, 0, 1), prefix_length: 32, reserved: 0 };
        let ipv6 = Ipv6Prefix {
            address: Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0),
            prefix_length: 64,
            reserved: 0,
        };
        let system = AutonomousSystem { as_number: 65000 };
        let writer =
            RecordsWriter::new(&EXPLICIT_ROUTE, &mut room).put(&ipv4).put_with(&ipv6, 1).put(&system);
        both_ways(&hops, &ExplicitRoute { subobjects: writer.finish().unwrap() });
        let (object, _) = ObjectRef::split_first(&hops, 0).unwrap();
        let route: ExplicitRoute<'_> = object.read().unwrap();
        let mut subobjects = route.subobjects.iter().map(Result::unwrap);
        assert_eq!(subobjects.next().unwrap().read(), Ok(ipv4));
        let loose = subobjects.next().unwrap();
        assert_eq!((loose.extra, loose.at(), loose.read()), (1, 12, Ok(ipv6)));
        assert_eq!(subobjects.next().unwrap().read(), Ok(system));
        assert!(subobjects.next().is_none());
    }

    #[test]
    fn lengths_that_do_not_fit() {
        refused::<ExplicitRoute<'_>>(&octets("0008 1401 01 08 0a00"), 4, Why::BodyLength);
        refused::<ExplicitRoute<'_>>(&octets("0008 1401 20 02 20 01"), 6, Why::BodyLength);
        refused::<ExplicitRoute<'_>>(&octets("0008 1401 20 00 20 04"), 4, Why::BodyLength);
        both_ways(&octets("0004 1401"), &ExplicitRoute { subobjects: Records::over(&EXPLICIT_ROUTE, &[]) });
    }
}
