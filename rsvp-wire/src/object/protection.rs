//! PROTECTION, RFC 3473 6, RFC 4872 14, RFC 4873 6.1 and RFC 8400 4.1: how an LSP and its links are to be protected.
//!
//! ```text
//! C-Type 1  |S|                  Reserved                       | Link Flags|
//!
//! C-Type 2  |S|P|N|O| Reserved  | LSP Flags |     Reserved      | Link Flags|
//!           |I|R|   Reserved    | Seg.Flags |           Reserved            |
//!
//! C-Type 3  |                            Reserved                   |E-Flags|
//!           |                     Optional Subobjects                       |
//! Subobject |      Type     |    Length     |         Reserved (zero)       |
//! ```
//!
//! The text of RFC 4872 14.1 gives the first reserved bits of C-Type 2 as 5, its figure as 6; only the figure fills the
//! word. What a route carries of a PROTECTION is in `route_protection`.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::{Head, Space, object, record, record_rows};

/// Link Flags, RFC 3471 7.1.
pub(crate) const LINK_FLAGS: &[(u64, &str)] = &[
    (0x01, "Extra Traffic"),
    (0x02, "Unprotected"),
    (0x04, "Shared"),
    (0x08, "Dedicated 1:1"),
    (0x10, "Dedicated 1+1"),
    (0x20, "Enhanced"),
];

/// LSP (Protection Type) Flags, RFC 4872 14.1: only one should be set, so they are a number.
const LSP_PROTECTION_TYPES: &[(u64, &str)] = &[
    (0x00, "Unprotected"),
    (0x01, "(Full) Rerouting"),
    (0x02, "Rerouting without Extra-Traffic"),
    (0x04, "1:N Protection with Extra-Traffic"),
    (0x08, "1+1 Unidirectional Protection"),
    (0x10, "1+1 Bidirectional Protection"),
];

/// E-Flags, RFC 8400 4.1.
const EGRESS_FLAGS: &[(u64, &str)] = &[(0x1, "egress local protection"), (0x2, "S2L sub-LSP backup desired")];

/// Subobjects of an Egress Protection; the registry "Subobject types - 37 PROTECTION - C-Type 3".
pub static EGRESS_PROTECTION: Space = Space {
    name: "PROTECTION subobject",
    header: &[Head::Type(8, "type"), Head::Length(8), Head::Reserved(16)],
    unit: 1,
    counts_header: true,
    align: 1,
    rows: record_rows! {
        1 "IPv4_PRIMARY_EGRESS" "RFC 8400 4.1.1" typed PrimaryEgressIpv4;
        2 "IPv6_PRIMARY_EGRESS" "RFC 8400 4.1.1" typed PrimaryEgressIpv6;
        3 "IPv4_P2P_LSP_ID" "RFC 8400 4.1.2.1" typed P2pLspIdIpv4;
        4 "IPv6_P2P_LSP_ID" "RFC 8400 4.1.2.2" typed P2pLspIdIpv6;
    },
};

object! {
    /// PROTECTION of links, RFC 3473 6; its fields are in RFC 3471 7.1.
    pub Protection: PROTECTION 1 {
        /// The LSP is a secondary one.
        secondary(bool);
        /// Zero.
        reserved(reserved u32: 25);
        /// The link protection that is acceptable; 0 is any.
        link_flags(u8: 6 flags LINK_FLAGS);
    }

    /// PROTECTION of an LSP end to end, RFC 4872 14.1, and of its segments, RFC 4873 6.1.
    pub LspProtection: PROTECTION 2 {
        /// The LSP is a secondary one.
        secondary(bool);
        /// The LSP is a protecting one.
        protecting(bool);
        /// Messages during switching only notify.
        notification(bool);
        /// The protecting LSP carries the normal traffic.
        operational(bool);
        /// Zero.
        reserved(reserved u8: 6);
        /// The recovery that is desired end to end.
        lsp_flags(u8: 6 code LSP_PROTECTION_TYPES);
        /// Zero.
        reserved_2(reserved u16: 10);
        /// The link protection that is acceptable; 0 is any.
        link_flags(u8: 6 flags LINK_FLAGS);
        /// The desired segment recovery is in place.
        in_place(bool);
        /// Without the segment recovery the LSP is to fail.
        required(bool);
        /// Zero.
        reserved_3(reserved u8);
        /// The segment recovery that is desired; values as in `lsp_flags`.
        segment_flags(u8: 6 code LSP_PROTECTION_TYPES);
        /// Zero.
        reserved_4(reserved u16);
    }

    /// Egress Protection, RFC 8400 4.1.
    pub EgressProtection<'a>: PROTECTION 3 {
        /// Zero.
        reserved(reserved u32: 28);
        /// What is desired for egress nodes.
        e_flags(u8: 4 flags EGRESS_FLAGS);
        /// The primary egress, or the backup LSP.
        subobjects(records EGRESS_PROTECTION);
    }
}

record! {
    /// IPv4 primary egress, RFC 8400 4.1.1.
    pub PrimaryEgressIpv4: EGRESS_PROTECTION 1 {
        /// Address of the primary egress node.
        address(Ipv4Addr);
    }

    /// IPv6 primary egress, RFC 8400 4.1.1.
    pub PrimaryEgressIpv6: EGRESS_PROTECTION 2 {
        /// Address of the primary egress node.
        address(Ipv6Addr);
    }

    /// IPv4 P2P LSP ID, RFC 8400 4.1.2.1: the backup LSP.
    pub P2pLspIdIpv4: EGRESS_PROTECTION 3 {
        /// Egress node of the tunnel.
        tunnel_egress(Ipv4Addr);
        /// Zero.
        reserved(reserved u16);
        /// The tunnel at its egress node.
        tunnel_id(u16);
        /// Usually an address of the ingress node.
        extended_tunnel_id(Ipv4Addr);
    }

    /// IPv6 P2P LSP ID, RFC 8400 4.1.2.2: the backup LSP.
    pub P2pLspIdIpv6: EGRESS_PROTECTION 4 {
        /// Egress node of the tunnel.
        tunnel_egress(Ipv6Addr);
        /// Zero.
        reserved(reserved u16);
        /// The tunnel at its egress node.
        tunnel_id(u16);
        /// Usually an address of the ingress node.
        extended_tunnel_id(Ipv6Addr);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, record_both_ways, record_refused, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::RecordsWriter;

    #[test]
    fn of_links() {
        // By hand from RFC 3471 7.1: S, a reserved bit, Dedicated 1+1 and Unprotected.
        let protection = Protection { secondary: true, reserved: 1, link_flags: 0x12 };
        both_ways(&octets("0008 2501 80000052"), &protection);
        refused::<Protection>(&octets("0004 2501"), 4, Why::BodyLength);
        refused::<Protection>(&octets("000c 2501 80000052 00000000"), 8, Why::BodyLength);
    }

    #[test]
    fn of_an_lsp() {
        // By hand from RFC 4873 6.1: 1010 000001 000100 0000000010 100000 and 01 00000001 001000 0003.
        let protection = LspProtection {
            secondary: true,
            protecting: false,
            notification: true,
            operational: false,
            reserved: 1,
            lsp_flags: 4,
            reserved_2: 2,
            link_flags: 0x20,
            in_place: false,
            required: true,
            reserved_3: 1,
            segment_flags: 8,
            reserved_4: 3,
        };
        both_ways(&octets("000c 2502 a04400a0 40480003"), &protection);
        refused::<LspProtection>(&octets("0008 2502 a0440082"), 8, Why::BodyLength);
    }

    #[test]
    fn of_an_egress() {
        let mut room = [0; 8];
        let egress = PrimaryEgressIpv4 { address: Ipv4Addr::new(10, 0, 0, 1) };
        let subobjects = RecordsWriter::new(&EGRESS_PROTECTION, &mut room).put(&egress).finish().unwrap();
        // By hand from RFC 8400 4.1.
        let protection = EgressProtection { reserved: 0x800_0001, e_flags: 3, subobjects };
        both_ways(&octets("0010 2503 80000013 01 08 0000 0a000001"), &protection);
        refused::<EgressProtection<'_>>(&octets("000c 2503 00000001 01 03 0000"), 8, Why::BodyLength);
    }

    #[test]
    fn egress_subobjects() {
        let address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
        let hex = "02 14 0000 fd000000 00000000 00000000 00000002";
        record_both_ways(&octets(hex), 0, &PrimaryEgressIpv6 { address });
        let lsp = P2pLspIdIpv4 {
            tunnel_egress: Ipv4Addr::new(10, 0, 0, 3),
            reserved: 1,
            tunnel_id: 2,
            extended_tunnel_id: Ipv4Addr::new(10, 0, 0, 4),
        };
        record_both_ways(&octets("03 10 0000 0a000003 0001 0002 0a000004"), 0, &lsp);
        record_refused::<P2pLspIdIpv4>(&octets("03 0c 0000 0a000003 0001 0002"), 12);
        let lsp =
            P2pLspIdIpv6 { tunnel_egress: address, reserved: 0, tunnel_id: 5, extended_tunnel_id: address };
        let hex =
            "04 28 0000 fd000000 00000000 00000000 00000002 0000 0005 fd000000 00000000 00000000 00000002";
        record_both_ways(&octets(hex), 0, &lsp);
    }
}
