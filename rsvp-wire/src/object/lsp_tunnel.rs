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
