//! SESSION, SENDER_TEMPLATE and FILTER_SPEC of LSP tunnels, RFC 3209 4.6.
//!
//! ```text
//! SESSION, C-Type 7 (C-Type 8: addresses of 16 octets)    SENDER_TEMPLATE and FILTER_SPEC, C-Type 7 (8: 16 octets)
//! |           IPv4 tunnel end point address       |       |          IPv4 tunnel sender address           |
//! |  MUST be zero         |      Tunnel ID        |       |  MUST be zero         |        LSP ID         |
//! |               Extended Tunnel ID              |
//! ```

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::object;

object! {
    /// LSP_TUNNEL_IPv4 SESSION, RFC 3209 4.6.1.1.
    pub LspTunnelIpv4Session: SESSION 7 {
        /// Egress node of the tunnel.
        tunnel_end_point(Ipv4Addr);
        /// Must be zero.
        reserved(reserved u16);
        /// The same over the life of the tunnel.
        tunnel_id(u16);
        /// Zero, or an address of the ingress node that narrows the session to it.
        extended_tunnel_id(Ipv4Addr);
    }

    /// LSP_TUNNEL_IPv6 SESSION, RFC 3209 4.6.1.2.
    pub LspTunnelIpv6Session: SESSION 8 {
        /// Egress node of the tunnel.
        tunnel_end_point(Ipv6Addr);
        /// Must be zero.
        reserved(reserved u16);
        /// The same over the life of the tunnel.
        tunnel_id(u16);
        /// Zero, or an address of the ingress node that narrows the session to it.
        extended_tunnel_id(Ipv6Addr);
    }

    /// LSP_TUNNEL_IPv4 SENDER_TEMPLATE, RFC 3209 4.6.2.1.
    pub LspTunnelIpv4SenderTemplate: SENDER_TEMPLATE 7 {
        /// Address of the sender node.
        tunnel_sender(Ipv4Addr);
        /// Must be zero.
        reserved(reserved u16);
        /// Lets a sender share resources with itself.
        lsp_id(u16);
    }

    /// LSP_TUNNEL_IPv6 SENDER_TEMPLATE, RFC 3209 4.6.2.2.
    pub LspTunnelIpv6SenderTemplate: SENDER_TEMPLATE 8 {
        /// Address of the sender node.
        tunnel_sender(Ipv6Addr);
        /// Must be zero.
        reserved(reserved u16);
        /// Lets a sender share resources with itself.
        lsp_id(u16);
    }

    /// LSP_TUNNEL_IPv4 FILTER_SPEC, RFC 3209 4.6.3.1.
    pub LspTunnelIpv4FilterSpec: FILTER_SPEC 7 {
        /// Address of the sender node.
        tunnel_sender(Ipv4Addr);
        /// Must be zero.
        reserved(reserved u16);
        /// As in the SENDER_TEMPLATE.
        lsp_id(u16);
    }

    /// LSP_TUNNEL_IPv6 FILTER_SPEC, RFC 3209 4.6.3.2.
    pub LspTunnelIpv6FilterSpec: FILTER_SPEC 8 {
        /// Address of the sender node.
        tunnel_sender(Ipv6Addr);
        /// Must be zero.
        reserved(reserved u16);
        /// As in the SENDER_TEMPLATE.
        lsp_id(u16);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn ipv4() {
        // wireshark-mpls-te, packets 1 and 2.
        let session = LspTunnelIpv4Session {
            tunnel_end_point: Ipv4Addr::new(16, 2, 2, 2),
            reserved: 0,
            tunnel_id: 1,
            extended_tunnel_id: Ipv4Addr::new(17, 3, 3, 3),
        };
        both_ways(&octets("0010 0107 10020202 0000 0001 11030303"), &session);
        let tunnel_sender = Ipv4Addr::new(17, 3, 3, 3);
        let template = LspTunnelIpv4SenderTemplate { tunnel_sender, reserved: 0, lsp_id: 1 };
        both_ways(&octets("000c 0b07 11030303 0000 0001"), &template);
        let filter = LspTunnelIpv4FilterSpec { tunnel_sender, reserved: 0, lsp_id: 1 };
        both_ways(&octets("000c 0a07 11030303 0000 0001"), &filter);
        refused::<LspTunnelIpv4Session>(&octets("000c 0107 10020202 0000 0001"), 12, Why::BodyLength);
    }

    #[test]
    fn ipv6() {
        // By hand from RFC 3209 4.6.1.2, 4.6.2.2 and 4.6.3.2.
        let address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
        let session = LspTunnelIpv6Session {
            tunnel_end_point: address,
            reserved: 0xffff,
            tunnel_id: 2,
            extended_tunnel_id: Ipv6Addr::UNSPECIFIED,
        };
        let session_octets =
            "0028 0108 fd000000 00000000 00000000 00000001 ffff 0002 00000000 00000000 00000000 00000000";
        both_ways(&octets(session_octets), &session);
        let template = LspTunnelIpv6SenderTemplate { tunnel_sender: address, reserved: 0, lsp_id: 258 };
        both_ways(&octets("0018 0b08 fd000000 00000000 00000000 00000001 0000 0102"), &template);
        let filter = LspTunnelIpv6FilterSpec { tunnel_sender: address, reserved: 0, lsp_id: 258 };
        both_ways(&octets("0018 0a08 fd000000 00000000 00000000 00000001 0000 0102"), &filter);
    }
}
