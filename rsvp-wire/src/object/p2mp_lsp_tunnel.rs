//! SESSION, SENDER_TEMPLATE and FILTER_SPEC of point-to-multipoint LSP tunnels, RFC 4875 19.1, 19.2 and 19.4.
//!
//! ```text
//! SESSION, C-Type 13 (C-Type 14: ID of 16 octets)         SENDER_TEMPLATE and FILTER_SPEC, C-Type 12
//! |                    P2MP ID                    |       |          IPv4 tunnel sender address           |
//! |  MUST be zero         |      Tunnel ID        |       |       Reserved        |        LSP ID         |
//! |               Extended Tunnel ID              |       |            Sub-Group Originator ID            |
//!                                                         |       Reserved        |     Sub-Group ID      |
//! ```
//!
//! In C-Type 13 of SENDER_TEMPLATE and FILTER_SPEC the address and the Sub-Group Originator ID have 16 octets. The
//! P2MP ID has 32 bits in both sessions.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::object;

object! {
    /// P2MP_LSP_TUNNEL_IPv4 SESSION, RFC 4875 19.1.1.
    pub P2mpLspTunnelIpv4Session: SESSION 13 {
        /// Identifies the destinations together, unique at the ingress node.
        p2mp_id(u32);
        /// Must be zero.
        reserved(reserved u16);
        /// The same over the life of the tunnel.
        tunnel_id(u16);
        /// Of the ingress node, for an identifier that is globally unique.
        extended_tunnel_id(Ipv4Addr);
    }

    /// P2MP_LSP_TUNNEL_IPv6 SESSION, RFC 4875 19.1.2.
    pub P2mpLspTunnelIpv6Session: SESSION 14 {
        /// Identifies the destinations together, unique at the ingress node.
        p2mp_id(u32);
        /// Must be zero.
        reserved(reserved u16);
        /// The same over the life of the tunnel.
        tunnel_id(u16);
        /// Of the ingress node, for an identifier that is globally unique.
        extended_tunnel_id(Ipv6Addr);
    }
}

/// FILTER_SPEC is the same as SENDER_TEMPLATE: RFC 4875 19.4.
macro_rules! sender {
    ($name:ident, $class:ident, $ctype:literal, $address:ident, $about:literal) => {
        object! {
            #[doc = $about]
            pub $name: $class $ctype {
                /// Address of the sender node.
                tunnel_sender($address);
                /// Zero.
                reserved(reserved u16);
                /// Lets a sender share resources with itself.
                lsp_id(u16);
                /// TE Router ID of the node that originates the Path message.
                sub_group_originator_id($address);
                /// Zero.
                reserved_2(reserved u16);
                /// Tells Path messages for the same LSP from one another.
                sub_group_id(u16);
            }
        }
    };
}

sender!(
    P2mpLspTunnelIpv4SenderTemplate,
    SENDER_TEMPLATE,
    12,
    Ipv4Addr,
    "P2MP_LSP_TUNNEL_IPv4 SENDER_TEMPLATE, RFC 4875 19.2.1."
);
sender!(
    P2mpLspTunnelIpv6SenderTemplate,
    SENDER_TEMPLATE,
    13,
    Ipv6Addr,
    "P2MP_LSP_TUNNEL_IPv6 SENDER_TEMPLATE, RFC 4875 19.2.2."
);
sender!(P2mpLspIpv4FilterSpec, FILTER_SPEC, 12, Ipv4Addr, "P2MP LSP_IPv4 FILTER_SPEC, RFC 4875 19.4.1.");
sender!(P2mpLspIpv6FilterSpec, FILTER_SPEC, 13, Ipv6Addr, "P2MP LSP_IPv6 FILTER_SPEC, RFC 4875 19.4.2.");

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn sessions() {
        // By hand from RFC 4875 19.1.1 and 19.1.2.
        let ipv4 = P2mpLspTunnelIpv4Session {
            p2mp_id: 0x0102_0304,
            reserved: 5,
            tunnel_id: 6,
            extended_tunnel_id: Ipv4Addr::new(10, 0, 0, 1),
        };
        both_ways(&octets("0010 010d 01020304 0005 0006 0a000001"), &ipv4);
        let ipv6 = P2mpLspTunnelIpv6Session {
            p2mp_id: 7,
            reserved: 0,
            tunnel_id: 8,
            extended_tunnel_id: Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1),
        };
        both_ways(&octets("001c 010e 00000007 0000 0008 fd000000 00000000 00000000 00000001"), &ipv6);
        refused::<P2mpLspTunnelIpv4Session>(&octets("000c 010d 01020304 0005 0006"), 12, Why::BodyLength);
        refused::<P2mpLspTunnelIpv6Session>(
            &octets("0010 010e 00000007 0000 0008 0a000001"),
            12,
            Why::BodyLength,
        );
    }

    #[test]
    fn ipv4_senders() {
        // By hand from RFC 4875 19.2.1 and 19.4.1.
        let (tunnel_sender, sub_group_originator_id) =
            (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        let template = P2mpLspTunnelIpv4SenderTemplate {
            tunnel_sender,
            reserved: 1,
            lsp_id: 2,
            sub_group_originator_id,
            reserved_2: 3,
            sub_group_id: 4,
        };
        both_ways(&octets("0014 0b0c 0a000001 0001 0002 0a000002 0003 0004"), &template);
        let filter = P2mpLspIpv4FilterSpec {
            tunnel_sender,
            reserved: 0,
            lsp_id: 2,
            sub_group_originator_id,
            reserved_2: 0,
            sub_group_id: 4,
        };
        both_ways(&octets("0014 0a0c 0a000001 0000 0002 0a000002 0000 0004"), &filter);
        refused::<P2mpLspIpv4FilterSpec>(&octets("000c 0a0c 0a000001 0000 0002"), 12, Why::BodyLength);
    }

    #[test]
    fn ipv6_senders() {
        // By hand from RFC 4875 19.2.2 and 19.4.2.
        let tunnel_sender = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
        let sub_group_originator_id = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
        let body = "fd000000 00000000 00000000 00000001 0000 0102
                    fd000000 00000000 00000000 00000002 ffff 0304";
        let template = P2mpLspTunnelIpv6SenderTemplate {
            tunnel_sender,
            reserved: 0,
            lsp_id: 258,
            sub_group_originator_id,
            reserved_2: 0xffff,
            sub_group_id: 772,
        };
        both_ways(&octets(&std::format!("002c 0b0d {body}")), &template);
        let filter = P2mpLspIpv6FilterSpec {
            tunnel_sender,
            reserved: 0,
            lsp_id: 258,
            sub_group_originator_id,
            reserved_2: 0xffff,
            sub_group_id: 772,
        };
        both_ways(&octets(&std::format!("002c 0a0d {body}")), &filter);
    }
}
