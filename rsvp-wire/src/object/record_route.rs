//! RECORD_ROUTE, RFC 3209 4.4: the nodes a path or reservation has taken; and the registry of its subobjects.
//!
//! ```text
//! |      Type     |     Length    | (Subobject contents)          |
//! ```
//!
//! The subobjects of later RFCs are in the files of these; here is their table.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::hop_attributes::{RecordedAttributes, RecordedHopAttributes};
use super::label::label_name;
use super::path_key::{RecordedPathKey32, RecordedPathKey128};
use super::recorded_hop::{BypassAssignmentIpv4, BypassAssignmentIpv6, RecordedSrlg};
use super::route_protection::RecordedProtection;
use super::segment_routing::RecordedSegment;
use super::unnumbered::RecordedUnnumberedInterface;
use crate::layout::{Head, Space, object, record, record_rows};

/// Subobjects of RECORD_ROUTE; the registry "Subobject type - 21 ROUTE_RECORD".
pub static RECORD_ROUTE: Space = Space {
    name: "RECORD_ROUTE subobject",
    header: &[Head::Type(8, "type"), Head::Length(8)],
    unit: 1,
    counts_header: true,
    align: 1,
    rows: record_rows! {
        1 "IPv4 address" "RFC 3209 4.4.1.1" typed RecordedIpv4;
        2 "IPv6 address" "RFC 3209 4.4.1.2" typed RecordedIpv6;
        3 "Label" "RFC 3209 4.4.1.3" typed RecordedLabel;
        4 "Unnumbered Interface ID" "RFC 3477 5" typed RecordedUnnumberedInterface;
        5 "RRO Attributes" "RFC 5420 7.2" typed RecordedAttributes;
        34 "SRLG" "RFC 8001 4.2" typed RecordedSrlg;
        35 "Hop Attributes" "RFC 7570 3.1" typed RecordedHopAttributes;
        36 "SR-RRO" "RFC 8664 4.4" typed RecordedSegment;
        37 "Protection" "RFC 4873 5.1" typed RecordedProtection;
        38 "BYPASS_ASSIGNMENT IPv4" "RFC 8271 7.1" typed BypassAssignmentIpv4;
        39 "BYPASS_ASSIGNMENT IPv6" "RFC 8271 7.1" typed BypassAssignmentIpv6;
        40 "SRv6-RRO" "RFC 9603" opaque "RFC 9603 is not at hand";
        64 "Path Key with 32-bit PCE ID" "RFC 5553 3.2" typed RecordedPathKey32;
        65 "Path Key with 128-bit PCE ID" "RFC 5553 3.2" typed RecordedPathKey128;
    },
};

/// The registry "Record Route Object Sub-object Flags".
pub(crate) const ADDRESS_FLAGS: &[(u64, &str)] = &[
    (0x01, "Local protection available"),
    (0x02, "Local protection in use"),
    (0x04, "Bandwidth protection"),
    (0x08, "Node protection"),
    (0x20, "Node-id"),
];

/// The registry "Label Sub-object Flags", and the U bit that RFC 3473 5.2 puts before them.
pub(crate) const LABEL_FLAGS: &[(u64, &str)] =
    &[(0x01, "Global Label"), (0x02, "TE Link Label"), (0x04, "Delegation Label"), (0x80, "Upstream (U)")];

object! {
    /// RECORD_ROUTE, RFC 3209 4.4.
    pub RecordRoute<'a>: RECORD_ROUTE 1 {
        /// The nodes, the last one first.
        subobjects(records RECORD_ROUTE);
    }
}

record! {
    /// IPv4 address, RFC 3209 4.4.1.1.
    pub RecordedIpv4: RECORD_ROUTE 1 {
        /// An address of the node.
        address(Ipv4Addr);
        /// 32.
        prefix_length(u8);
        /// What protects the link after the node.
        flags(u8 flags ADDRESS_FLAGS);
    }

    /// IPv6 address, RFC 3209 4.4.1.2.
    pub RecordedIpv6: RECORD_ROUTE 2 {
        /// An address of the node.
        address(Ipv6Addr);
        /// 128.
        prefix_length(u8);
        /// What protects the link after the node.
        flags(u8 flags ADDRESS_FLAGS);
    }

    /// Label, RFC 3209 4.4.1.3.
    pub RecordedLabel<'a>: RECORD_ROUTE 3 {
        /// What the label is for.
        flags(u8 flags LABEL_FLAGS);
        /// C-Type of the RSVP_LABEL.
        c_type(u8);
        /// The words of its body.
        label(list u32 code with c_type fn label_name);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets};
    use super::*;
    use crate::layout::{List, RecordsWriter};

    #[test]
    fn subobjects_are_read_and_written() {
        // By hand from RFC 3209 4.4.1: IPv4 with local protection in use, IPv6, a global label of C-Type 1.
        let recorded = octets(
            "0028 1501 01 08 0a000001 20 03 02 14 fd000000 00000000 00000000 00000001 80 00 03 08 01 01 00000011",
        );
        let ipv4 = RecordedIpv4 { address: Ipv4Addr::new(10, 0, 0, 1), prefix_length: 32, flags: 3 };
        let ipv6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
        let ipv6 = RecordedIpv6 { address: ipv6, prefix_length: 128, flags: 0 };
        let label = RecordedLabel { flags: 1, c_type: 1, label: List::Values(&[17]) };
        let mut room = [0; 64];
        let writer = RecordsWriter::new(&RECORD_ROUTE, &mut room).put(&ipv4).put(&ipv6).put(&label);
        both_ways(&recorded, &RecordRoute { subobjects: writer.finish().unwrap() });
    }
}
