//! PRIMARY_PATH_ROUTE, RFC 4872 15, SECONDARY_EXPLICIT_ROUTE and SECONDARY_RECORD_ROUTE, RFC 4873 4 and 5, RFC 4875
//! 19.5 and 19.6: the routes of LSPs that protect each other, and of the sub-LSPs of a tree.
//!
//! ```text
//! //                        (Subobjects)                         //
//! ```
//!
//! The subobjects are those of EXPLICIT_ROUTE and RECORD_ROUTE. RFC 4872 15.2 names four for PRIMARY_PATH_ROUTE, taken
//! from either; they are read here as those of RECORD_ROUTE, which say the same and more (flags). RFC 4875 19.6 calls
//! the secondary record route "identical to the ERO" and its subobjects those of the RRO; the second is what it means.

use super::explicit_route::EXPLICIT_ROUTE;
use super::record_route::RECORD_ROUTE;
use crate::layout::object;

object! {
    /// PRIMARY_PATH_ROUTE, RFC 4872 15.1: what an LSP to be protected uses.
    pub PrimaryPathRoute<'a>: PRIMARY_PATH_ROUTE 1 {
        /// Nodes, links and labels.
        subobjects(records RECORD_ROUTE);
    }

    /// SECONDARY_EXPLICIT_ROUTE, RFC 4873 4.1: the route of a recovery LSP, from its branch node to its merge node.
    pub SecondaryExplicitRoute<'a>: SECONDARY_EXPLICIT_ROUTE 1 {
        /// The abstract nodes in order, and how they protect.
        subobjects(records EXPLICIT_ROUTE);
    }

    /// P2MP SECONDARY_EXPLICIT_ROUTE, RFC 4875 19.5: the route of a sub-LSP.
    pub P2mpSecondaryExplicitRoute<'a>: SECONDARY_EXPLICIT_ROUTE 2 {
        /// The abstract nodes in order.
        subobjects(records EXPLICIT_ROUTE);
    }

    /// SECONDARY_RECORD_ROUTE, RFC 4873 5.1: the route that a recovery LSP has taken.
    pub SecondaryRecordRoute<'a>: SECONDARY_RECORD_ROUTE 1 {
        /// The nodes, the last one first.
        subobjects(records RECORD_ROUTE);
    }

    /// P2MP SECONDARY_RECORD_ROUTE, RFC 4875 19.6: the route that a sub-LSP has taken.
    pub P2mpSecondaryRecordRoute<'a>: SECONDARY_RECORD_ROUTE 2 {
        /// The nodes, the last one first.
        subobjects(records RECORD_ROUTE);
    }
}

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::super::explicit_route::Ipv4Prefix;
    use super::super::record_route::RecordedIpv4;
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::RecordsWriter;

    #[test]
    fn routes_of_explicit_route_subobjects() {
        let hop = Ipv4Prefix { address: Ipv4Addr::new(10, 0, 0, 1), prefix_length: 24, reserved: 0 };
        let mut room = [0; 8];
        let subobjects = RecordsWriter::new(&EXPLICIT_ROUTE, &mut room).put_with(&hop, 1).finish().unwrap();
        // By hand from RFC 4873 4.1 and RFC 4875 19.5: a loose hop.
        both_ways(&octets("000c c801 8108 0a000001 1800"), &SecondaryExplicitRoute { subobjects });
        both_ways(&octets("000c c802 8108 0a000001 1800"), &P2mpSecondaryExplicitRoute { subobjects });
        refused::<SecondaryExplicitRoute<'_>>(&octets("0008 c801 0108 0a00"), 4, Why::BodyLength);
        refused::<P2mpSecondaryExplicitRoute<'_>>(&octets("0008 c802 0101 0a00"), 4, Why::BodyLength);
    }

    #[test]
    fn routes_of_record_route_subobjects() {
        let hop = RecordedIpv4 { address: Ipv4Addr::new(10, 0, 0, 1), prefix_length: 32, flags: 1 };
        let mut room = [0; 8];
        let subobjects = RecordsWriter::new(&RECORD_ROUTE, &mut room).put(&hop).finish().unwrap();
        // By hand from RFC 4872 15.1, RFC 4873 5.1 and RFC 4875 19.6.
        both_ways(&octets("000c 2601 0108 0a000001 2001"), &PrimaryPathRoute { subobjects });
        both_ways(&octets("000c c901 0108 0a000001 2001"), &SecondaryRecordRoute { subobjects });
        both_ways(&octets("000c c902 0108 0a000001 2001"), &P2mpSecondaryRecordRoute { subobjects });
        refused::<PrimaryPathRoute<'_>>(&octets("0008 2601 0108 0a00"), 4, Why::BodyLength);
        refused::<SecondaryRecordRoute<'_>>(&octets("0008 c901 0100 0a00"), 4, Why::BodyLength);
        refused::<P2mpSecondaryRecordRoute<'_>>(&octets("0008 c902 01ff 0a00"), 4, Why::BodyLength);
    }
}
