//! EXCLUDE_ROUTE, RFC 4874 3.1, and the Explicit Exclusion Route subobject, RFC 4874 4.1: where a path is not to go;
//! and the registry of their subobjects.
//!
//! ```text
//! prefix        |L|    Type     |     Length    | IPv4 or IPv6 address          |
//!               | address (continued)           | Prefix Length |   Attribute   |
//! unnumbered    |L|    Type     |     Length    |    Reserved   |  Attribute    |
//!               |              TE Router ID and Interface ID, a word each       |
//! AS, 16 bits   |L|    Type     |     Length    |           AS number           |
//! SRLG          |L|    Type     |     Length    |       SRLG Id (4 bytes)       |
//!               |      SRLG Id (continued)      |           Reserved            |
//! switching     |L|    Type     |     Length    |   Attribute   | Switching Cap |
//! EXRS          |L|    Type     |     Length    |           Reserved            |
//!               //                one or more EXRS subobjects                  //
//! ```
//!
//! Label: RFC 6001 4.1.2, as in `route_label`. 32-bit AS numbers and areas: RFC 7898 3.3, as in `route_domain`.
//! Diversity is in `diversity`.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::diversity::{ExcludeIpv4Diversity, ExcludeIpv6Diversity};
use super::explicit_route::EXPLICIT_ROUTE;
use super::label::label_name;
use crate::layout::{Head, Space, object, record, record_rows};

/// The Attribute octet, RFC 4874 3.1.
const ATTRIBUTES: &[(u64, &str)] = &[(0, "Interface"), (1, "Node"), (2, "SRLG")];

/// The Attribute octet of Switching Capability, RFC 6001 4.1.1.
const SWITCHING_ATTRIBUTES: &[(u64, &str)] = &[(0, "reserved"), (1, "Switching Capability")];

/// Switching capabilities, RFC 3471 3.1.1 and RFC 6002 2.
const SWITCHING_CAPABILITIES: &[(u64, &str)] = &[
    (1, "Packet-Switch Capable-1 (PSC-1)"),
    (2, "Packet-Switch Capable-2 (PSC-2)"),
    (3, "Packet-Switch Capable-3 (PSC-3)"),
    (4, "Packet-Switch Capable-4 (PSC-4)"),
    (51, "Layer-2 Switch Capable (L2SC)"),
    (100, "Time-Division-Multiplex Capable (TDM)"),
    (125, "Data Channel Switching Capable (DCSC)"),
    (150, "Lambda-Switch Capable (LSC)"),
    (200, "Fiber-Switch Capable (FSC)"),
];

/// Subobjects of EXCLUDE_ROUTE, and of an Explicit Exclusion Route in an explicit route; the registry of class 232.
pub static EXCLUDE_ROUTE: Space = Space {
    name: "EXCLUDE_ROUTE subobject",
    header: &[Head::Extra(1, "avoid"), Head::Type(7, "type"), Head::Length(8)],
    unit: 1,
    counts_header: true,
    align: 1,
    rows: record_rows! {
        1 "IPv4 prefix" "RFC 4874 3.1.1" typed ExcludeIpv4Prefix;
        2 "IPv6 prefix" "RFC 4874 3.1.2" typed ExcludeIpv6Prefix;
        3 "Label" "RFC 6001 4.1.2" typed ExcludeLabel;
        4 "Unnumbered Interface ID" "RFC 4874 3.1.3" typed ExcludeUnnumberedInterface;
        5 "4-byte AS number" "RFC 7898 3.3.1" typed ExcludeAutonomousSystem32;
        6 "OSPF Area ID" "RFC 7898 3.3.2" typed ExcludeOspfArea;
        7 "IS-IS Area ID" "RFC 7898 3.3.2" typed ExcludeIsisArea;
        32 "Autonomous system number" "RFC 4874 3.1.4" typed ExcludeAutonomousSystem;
        33 "Explicit Exclusion Route" "RFC 4874 4.1" opaque "it must not be in an EXCLUDE_ROUTE";
        34 "SRLG" "RFC 4874 2.1" typed ExcludeSrlg;
        35 "Switching Capability" "RFC 6001 4.1.1" typed ExcludeSwitchingCapability;
        38 "IPv4 Diversity" "RFC 8390 2.1" typed ExcludeIpv4Diversity;
        39 "IPv6 Diversity" "RFC 8390 2.1" typed ExcludeIpv6Diversity;
    },
};

object! {
    /// EXCLUDE_ROUTE, RFC 4874 3.1.
    pub ExcludeRoute<'a>: EXCLUDE_ROUTE 1 {
        /// What the whole path must not use; the L bit, whether to avoid is enough, is
        /// [`RecordRef::extra`](crate::layout::RecordRef::extra).
        subobjects(records EXCLUDE_ROUTE);
    }
}

record! {
    /// Explicit Exclusion Route (EXRS) in an explicit route, RFC 4874 4.1.
    pub ExplicitExclusion<'a>: EXPLICIT_ROUTE 33 {
        /// Zero.
        reserved(reserved u16);
        /// What the path must not use between the hop before and the hop after.
        subobjects(records EXCLUDE_ROUTE);
    }

    /// IPv4 prefix, RFC 4874 3.1.1.
    pub ExcludeIpv4Prefix: EXCLUDE_ROUTE 1 {
        /// Address; bits after the prefix are ignored.
        address(Ipv4Addr);
        /// Length of the prefix in bits.
        prefix_length(u8);
        /// What of it to exclude.
        attribute(u8 code ATTRIBUTES);
    }

    /// IPv6 prefix, RFC 4874 3.1.2.
    pub ExcludeIpv6Prefix: EXCLUDE_ROUTE 2 {
        /// Address; bits after the prefix are ignored.
        address(Ipv6Addr);
        /// Length of the prefix in bits.
        prefix_length(u8);
        /// What of it to exclude.
        attribute(u8 code ATTRIBUTES);
    }

    /// Label of the interface before, RFC 6001 4.1.2.
    pub ExcludeLabel<'a>: EXCLUDE_ROUTE 3 {
        /// For the upstream direction of a bidirectional LSP.
        upstream(bool);
        /// Zero.
        reserved(reserved u8: 7);
        /// C-Type of the RSVP_LABEL.
        c_type(u8);
        /// The words of its body.
        label(list u32 code with c_type fn label_name);
    }

    /// Unnumbered Interface ID, RFC 4874 3.1.3.
    pub ExcludeUnnumberedInterface: EXCLUDE_ROUTE 4 {
        /// Zero.
        reserved(reserved u8);
        /// What of it to exclude.
        attribute(u8 code ATTRIBUTES);
        /// The node.
        router_id(Ipv4Addr);
        /// Its interface.
        interface_id(u32);
    }

    /// 4-byte AS number, RFC 7898 3.3.1.
    pub ExcludeAutonomousSystem32: EXCLUDE_ROUTE 5 {
        /// Zero.
        reserved(reserved u16);
        /// Number of 32 bits.
        as_number(u32);
    }

    /// OSPF Area ID, RFC 7898 3.3.2.
    pub ExcludeOspfArea: EXCLUDE_ROUTE 6 {
        /// Zero.
        reserved(reserved u16);
        /// The area.
        area_id(Ipv4Addr);
    }

    /// IS-IS Area ID, RFC 7898 3.3.2.
    pub ExcludeIsisArea<'a>: EXCLUDE_ROUTE 7 {
        @area_id_length(u8 of area_id);
        /// Zero.
        reserved(reserved u8);
        /// The area: 1 to 13 octets.
        area_id(octets by area_id_length);
        /// Fills the last word.
        padding(padding);
    }

    /// Autonomous system number, RFC 4874 3.1.4.
    pub ExcludeAutonomousSystem: EXCLUDE_ROUTE 32 {
        /// Number of 16 bits.
        as_number(u16);
    }

    /// SRLG, RFC 4874 2.1.
    pub ExcludeSrlg: EXCLUDE_ROUTE 34 {
        /// The shared risk link group.
        srlg_id(u32);
        /// Zero.
        reserved(reserved u16);
    }

    /// Switching Capability of the interface before, RFC 6001 4.1.1.
    pub ExcludeSwitchingCapability: EXCLUDE_ROUTE 35 {
        /// What of it to exclude.
        attribute(u8 code SWITCHING_ATTRIBUTES);
        /// The switching capability.
        switching_capability(u8 code SWITCHING_CAPABILITIES);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, record_both_ways, record_refused, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::{List, Padding, RecordsWriter};

    #[test]
    fn in_an_object_and_in_an_explicit_route() {
        let prefix =
            ExcludeIpv4Prefix { address: Ipv4Addr::new(10, 0, 0, 0), prefix_length: 24, attribute: 1 };
        let mut room = [0; 8];
        let writer = RecordsWriter::new(&EXCLUDE_ROUTE, &mut room).put_with(&prefix, 1);
        let subobjects = writer.finish().unwrap();
        // By hand from RFC 4874 3.1 and 4.1.
        both_ways(&octets("000c e801 81 08 0a000000 18 01"), &ExcludeRoute { subobjects });
        refused::<ExcludeRoute<'_>>(&octets("0008 e801 01 08 0a00"), 4, Why::BodyLength);
        let exclusion = ExplicitExclusion { reserved: 1, subobjects };
        record_both_ways(&octets("21 0c 0001 81 08 0a000000 18 01"), 0, &exclusion);
        record_refused::<ExplicitExclusion<'_>>(&octets("21 08 0000 01 08 0a00"), 4);
    }

    #[test]
    fn interfaces_and_what_they_have() {
        // By hand from RFC 4874 3.1.2 and 3.1.3.
        let address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
        let prefix = ExcludeIpv6Prefix { address, prefix_length: 128, attribute: 2 };
        record_both_ways(&octets("02 14 fd000000 00000000 00000000 00000001 80 02"), 0, &prefix);
        record_refused::<ExcludeIpv6Prefix>(&octets("02 08 0a000001 20 00"), 2);
        let link = ExcludeUnnumberedInterface {
            reserved: 1,
            attribute: 0,
            router_id: Ipv4Addr::new(10, 0, 0, 9),
            interface_id: 7,
        };
        record_both_ways(&octets("84 0c 01 00 0a000009 00000007"), 1, &link);
        record_refused::<ExcludeUnnumberedInterface>(&octets("04 08 00 00 0a000009"), 8);
        // By hand from RFC 6001 4.1.
        let label = ExcludeLabel { upstream: false, reserved: 1, c_type: 1, label: List::Values(&[17]) };
        record_both_ways(&octets("03 08 01 01 00000011"), 0, &label);
        record_refused::<ExcludeLabel<'_>>(&octets("03 07 01 01 000011"), 4);
        let switching = ExcludeSwitchingCapability { attribute: 1, switching_capability: 150 };
        record_both_ways(&octets("23 04 01 96"), 0, &switching);
        record_refused::<ExcludeSwitchingCapability>(&octets("23 03 01"), 3);
    }

    #[test]
    fn domains_and_shared_risks() {
        // By hand from RFC 7898 3.3, RFC 4874 3.1.4 and 2.1.
        let system = ExcludeAutonomousSystem32 { reserved: 0, as_number: 65536 };
        record_both_ways(&octets("05 08 0000 00010000"), 0, &system);
        let area = ExcludeOspfArea { reserved: 1, area_id: Ipv4Addr::new(0, 0, 0, 1) };
        record_both_ways(&octets("06 08 0001 00000001"), 0, &area);
        let area = ExcludeIsisArea { reserved: 0, area_id: &[0x49, 0, 1, 0, 2], padding: Padding::default() };
        record_both_ways(&octets("07 0c 05 00 4900010002 000000"), 0, &area);
        record_both_ways(&octets("a0 04 fde8"), 1, &ExcludeAutonomousSystem { as_number: 65000 });
        record_both_ways(&octets("22 08 00010002 0003"), 0, &ExcludeSrlg { srlg_id: 65538, reserved: 3 });
        record_refused::<ExcludeAutonomousSystem32>(&octets("05 06 0000 0001"), 4);
        record_refused::<ExcludeOspfArea>(&octets("06 04 0000"), 4);
        record_refused::<ExcludeIsisArea<'_>>(&octets("07 08 05 00 49000100"), 4);
        record_refused::<ExcludeAutonomousSystem>(&octets("20 06 fde8 0000"), 4);
        record_refused::<ExcludeSrlg>(&octets("22 06 00010002"), 6);
    }
}
