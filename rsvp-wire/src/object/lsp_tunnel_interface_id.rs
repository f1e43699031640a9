//! LSP_TUNNEL_INTERFACE_ID, RFC 3477 3.1 and RFC 6107 3.1: the link that an LSP becomes.
//!
//! ```text
//! C-Type 1 and 4   |                        LSR's Router ID                        |
//!                  |                    Interface ID (32 bits)                     |
//! C-Type 2 and 3   |               IPv4 or IPv6 Interface Address                  |
//! C-Type 2 to 4    | | | |H|B|R|T|P|                Reserved                       |
//!                  ~                           TLVs                                ~
//! TLV              |             Type              |           Length              |
//! ```

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::{Head, Space, object, record, record_rows};

/// Actions, RFC 6107 3.1.2; the registry "Hierarchy Actions", RFC 6107 5.2.
const ACTIONS: &[(u64, &str)] = &[
    (0x01, "Private (P)"),
    (0x02, "TE link (T)"),
    (0x04, "Routing adjacency (R)"),
    (0x08, "Bundle (B)"),
    (0x10, "Hierarchy/stitching (H)"),
];

/// TLVs of LSP_TUNNEL_INTERFACE_ID, RFC 6107 3.1.2.
pub static LSP_TUNNEL_INTERFACE_ID: Space = Space {
    name: "LSP_TUNNEL_INTERFACE_ID TLV",
    header: &[Head::Type(16, "type"), Head::Length(16)],
    unit: 1,
    counts_header: true,
    align: 4,
    rows: record_rows! {
        1 "IGP Instance Identifier TLV" "RFC 6107 3.2" typed IgpInstance;
        2 "Unnumbered Component Link Identifier TLV" "RFC 6107 3.3.1" typed UnnumberedComponentLink;
        3 "IPv4 Numbered Component Link Identifier TLV" "RFC 6107 3.3.2" typed Ipv4ComponentLink;
        4 "IPv6 Numbered Component Link Identifier TLV" "RFC 6107 3.3.3" typed Ipv6ComponentLink;
    },
};

object! {
    /// LSP_TUNNEL_INTERFACE_ID, RFC 3477 3.1: forward in a Path, reverse in a Resv.
    pub LspTunnelInterfaceId: LSP_TUNNEL_INTERFACE_ID 1 {
        /// The node that numbers the link.
        router_id(Ipv4Addr);
        /// The link at that node.
        interface_id(u32);
    }

    /// LSP_TUNNEL_INTERFACE_ID of an IPv4 numbered link with actions, RFC 6107 3.1.3.
    pub LspTunnelIpv4Interface<'a>: LSP_TUNNEL_INTERFACE_ID 2 {
        /// Address of the interface.
        address(Ipv4Addr);
        /// What the LSP is to be used as.
        actions(u8 flags ACTIONS);
        /// Zero.
        reserved(reserved u32: 24);
        /// Where it is to be advertised, and in which bundle.
        tlvs(records LSP_TUNNEL_INTERFACE_ID);
    }

    /// LSP_TUNNEL_INTERFACE_ID of an IPv6 numbered link with actions, RFC 6107 3.1.4.
    pub LspTunnelIpv6Interface<'a>: LSP_TUNNEL_INTERFACE_ID 3 {
        /// Address of the interface.
        address(Ipv6Addr);
        /// What the LSP is to be used as.
        actions(u8 flags ACTIONS);
        /// Zero.
        reserved(reserved u32: 24);
        /// Where it is to be advertised, and in which bundle.
        tlvs(records LSP_TUNNEL_INTERFACE_ID);
    }

    /// LSP_TUNNEL_INTERFACE_ID of an unnumbered link with actions, RFC 6107 3.1.2.
    pub LspTunnelUnnumberedInterface<'a>: LSP_TUNNEL_INTERFACE_ID 4 {
        /// The node that numbers the link.
        router_id(Ipv4Addr);
        /// The link at that node.
        interface_id(u32);
        /// What the LSP is to be used as.
        actions(u8 flags ACTIONS);
        /// Zero.
        reserved(reserved u32: 24);
        /// Where it is to be advertised, and in which bundle.
        tlvs(records LSP_TUNNEL_INTERFACE_ID);
    }
}

record! {
    /// IGP Instance Identifier, RFC 6107 3.2.
    pub IgpInstance: LSP_TUNNEL_INTERFACE_ID 1 {
        /// The instance; all ones: that of the links the LSP goes over.
        igp_instance_id(u32);
    }

    /// Unnumbered Component Link Identifier, RFC 6107 3.3.1.
    pub UnnumberedComponentLink: LSP_TUNNEL_INTERFACE_ID 2 {
        /// The link in its bundle.
        component_link_id(u32);
    }

    /// IPv4 Numbered Component Link Identifier, RFC 6107 3.3.2.
    pub Ipv4ComponentLink: LSP_TUNNEL_INTERFACE_ID 3 {
        /// Address of the link in its bundle.
        address(Ipv4Addr);
    }

    /// IPv6 Numbered Component Link Identifier, RFC 6107 3.3.3.
    pub Ipv6ComponentLink: LSP_TUNNEL_INTERFACE_ID 4 {
        /// Address of the link in its bundle.
        address(Ipv6Addr);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, record_both_ways, record_refused, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::{Records, RecordsWriter};

    #[test]
    fn without_actions() {
        // By hand from RFC 3477 3.1.
        let id = LspTunnelInterfaceId { router_id: Ipv4Addr::new(10, 0, 0, 1), interface_id: 7 };
        both_ways(&octets("000c c101 0a000001 00000007"), &id);
        refused::<LspTunnelInterfaceId>(&octets("0008 c101 0a000001"), 8, Why::BodyLength);
    }

    #[test]
    fn with_actions() {
        let mut room = [0; 8];
        let igp = IgpInstance { igp_instance_id: 9 };
        let tlvs = RecordsWriter::new(&LSP_TUNNEL_INTERFACE_ID, &mut room).put(&igp).finish().unwrap();
        // By hand from RFC 6107 3.1.
        let ipv4 =
            LspTunnelIpv4Interface { address: Ipv4Addr::new(10, 0, 0, 1), actions: 0x12, reserved: 1, tlvs };
        both_ways(&octets("0014 c102 0a000001 12 000001 0001 0008 00000009"), &ipv4);
        let tlvs = Records::over(&LSP_TUNNEL_INTERFACE_ID, &[]);
        let address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
        let ipv6 = LspTunnelIpv6Interface { address, actions: 1, reserved: 0, tlvs };
        both_ways(&octets("0018 c103 fd000000 00000000 00000000 00000001 01 000000"), &ipv6);
        let unnumbered = LspTunnelUnnumberedInterface {
            router_id: Ipv4Addr::new(10, 0, 0, 1),
            interface_id: 7,
            actions: 4,
            reserved: 0,
            tlvs,
        };
        both_ways(&octets("0010 c104 0a000001 00000007 04 000000"), &unnumbered);
        refused::<LspTunnelIpv4Interface<'_>>(
            &octets("0010 c102 0a000001 12 000000 0001 0008"),
            12,
            Why::BodyLength,
        );
        refused::<LspTunnelIpv6Interface<'_>>(&octets("0008 c103 fd000000"), 4, Why::BodyLength);
        refused::<LspTunnelUnnumberedInterface<'_>>(
            &octets("000c c104 0a000001 00000007"),
            12,
            Why::BodyLength,
        );
    }

    #[test]
    fn component_links() {
        // By hand from RFC 6107 3.3.
        record_both_ways(&octets("0002 0008 00000005"), 0, &UnnumberedComponentLink { component_link_id: 5 });
        let address = Ipv4Addr::new(10, 0, 0, 2);
        record_both_ways(&octets("0003 0008 0a000002"), 0, &Ipv4ComponentLink { address });
        let address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
        record_both_ways(
            &octets("0004 0014 fd000000 00000000 00000000 00000002"),
            0,
            &Ipv6ComponentLink { address },
        );
        record_refused::<Ipv6ComponentLink>(&octets("0004 0008 fd000000"), 4);
        record_refused::<IgpInstance>(&octets("0001 000c 00000001 00000002"), 8);
    }
}
