//! Domains in an explicit route, RFC 7898 3.2: autonomous systems and areas. RFC 7897 has the same for PCEP.
//!
//! ```text
//! AS number and OSPF  |L|    Type     |     Length    |         Reserved              |
//!                     |           AS Number or OSPF Area ID (4 bytes)                 |
//! IS-IS               |L|    Type     |     Length    |  Area-Len     |  Reserved     |
//!                     //                        IS-IS Area ID                        //
//! ```

use core::net::Ipv4Addr;

use super::explicit_route::EXPLICIT_ROUTE;
use crate::layout::record;

record! {
    /// 4-byte AS number, RFC 7898 3.2.1.
    pub AutonomousSystem32: EXPLICIT_ROUTE 5 {
        /// Zero.
        reserved(reserved u16);
        /// Number of 32 bits.
        as_number(u32);
    }

    /// OSPF Area ID, RFC 7898 3.2.2.
    pub OspfArea: EXPLICIT_ROUTE 6 {
        /// Zero.
        reserved(reserved u16);
        /// The area.
        area_id(Ipv4Addr);
    }

    /// IS-IS Area ID, RFC 7898 3.2.2.
    pub IsisArea<'a>: EXPLICIT_ROUTE 7 {
        @area_id_length(u8 of area_id);
        /// Zero.
        reserved(reserved u8);
        /// The area: 1 to 13 octets.
        area_id(octets by area_id_length);
        /// Fills the last word.
        padding(padding);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{octets, record_both_ways, record_refused};
    use super::*;
    use crate::layout::Padding;

    #[test]
    fn domains() {
        // By hand from RFC 7898 3.2; the IS-IS area is 49.0001.
        let system = AutonomousSystem32 { reserved: 1, as_number: 65536 };
        record_both_ways(&octets("05 08 0001 00010000"), 0, &system);
        let area = OspfArea { reserved: 1, area_id: Ipv4Addr::new(0, 0, 0, 1) };
        record_both_ways(&octets("86 08 0001 00000001"), 1, &area);
        let area = IsisArea { reserved: 2, area_id: &[0x49, 0, 1], padding: Padding::default() };
        record_both_ways(&octets("07 08 03 02 490001 00"), 0, &area);
        record_refused::<AutonomousSystem32>(&octets("05 04 0000"), 4);
        record_refused::<OspfArea>(&octets("06 0c 0000 00000001 00000000"), 8);
        record_refused::<IsisArea<'_>>(&octets("07 08 05 00 49000100"), 4);
        record_refused::<IsisArea<'_>>(&octets("07 0c 03 00 49000100 00000000"), 8);
    }
}
