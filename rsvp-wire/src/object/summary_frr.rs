//! Extended Association IDs of Summary Fast Reroute, RFC 8796 3.1 and 3.2: many LSPs move to a bypass tunnel at once.
//!
//! ```text
//! B-SFRR-Ready   |         Bypass_Tunnel_ID      |           Reserved            |
//!                |        Bypass_Source and Bypass_Destination IPv4 or IPv6 Address
//!                |                Bypass_Group_Identifier                        |
//!                |                MESSAGE_ID                                     |
//!
//! B-SFRR-Active  |            Num-BGIDs          |          Reserved             |
//!                |                Bypass_Group_Identifier, Num-BGIDs times       |
//!                //                RSVP_HOP_Object                              //
//!                //                TIME_VALUES                                  //
//!                |                IPv4 or IPv6 tunnel sender address             |
//! ```
//!
//! The objects in the figures have fixed sizes (RFC 2961 4.2, RFC 2205 A.2 and A.4), which is what makes the address
//! after them findable; their headers are kept as they are and not judged.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::layout::declare::structure;
use crate::layout::part;

/// Flags of MESSAGE_ID, RFC 2961 4.2.
const MESSAGE_ID_FLAGS: &[(u64, &str)] = &[(0x01, "ACK_Desired")];

/// Structures that are no objects of their own.
macro_rules! contents {
    ($($(#[$about:meta])* $name:ident { $($fields:tt)* })*) => {
        $(structure! { [$(#[$about])*] pub $name<'a> { $($fields)* } })*
    };
}

contents! {
    /// B-SFRR-Active for IPv4, RFC 8796 3.2.1.
    SfrrActiveIpv4 {
        /// How many groups.
        bypass_group_count(u16);
        /// Zero.
        reserved(reserved u16);
        /// The groups that have moved.
        bypass_group_identifiers(list u32 count bypass_group_count);
        /// For all LSPs of the groups instead of their own.
        rsvp_hop(group RsvpHopIpv4);
        /// For all LSPs of the groups instead of their own.
        time_values(group TimeValuesObject);
        /// The sender address of the LSPs on the bypass.
        tunnel_sender(Ipv4Addr);
    }

    /// B-SFRR-Active for IPv6, RFC 8796 3.2.2.
    SfrrActiveIpv6 {
        /// How many groups.
        bypass_group_count(u16);
        /// Zero.
        reserved(reserved u16);
        /// The groups that have moved.
        bypass_group_identifiers(list u32 count bypass_group_count);
        /// For all LSPs of the groups instead of their own.
        rsvp_hop(group RsvpHopIpv6);
        /// For all LSPs of the groups instead of their own.
        time_values(group TimeValuesObject);
        /// The sender address of the LSPs on the bypass.
        tunnel_sender(Ipv6Addr);
    }
}

part! {
    /// B-SFRR-Ready for IPv4, RFC 8796 3.1.1.
    pub SfrrReadyIpv4 {
        /// The bypass tunnel.
        bypass_tunnel_id(u16);
        /// Zero.
        reserved(reserved u16);
        /// Where it begins.
        bypass_source(Ipv4Addr);
        /// Where it ends.
        bypass_destination(Ipv4Addr);
        /// The group that the LSP is put into.
        bypass_group_identifier(u32);
        /// The message to acknowledge.
        message_id(group MessageIdObject);
    }

    /// B-SFRR-Ready for IPv6, RFC 8796 3.1.2.
    pub SfrrReadyIpv6 {
        /// The bypass tunnel.
        bypass_tunnel_id(u16);
        /// Zero.
        reserved(reserved u16);
        /// Where it begins.
        bypass_source(Ipv6Addr);
        /// Where it ends.
        bypass_destination(Ipv6Addr);
        /// The group that the LSP is put into.
        bypass_group_identifier(u32);
        /// The message to acknowledge.
        message_id(group MessageIdObject);
    }

    /// An IPv4 RSVP_HOP with its header, RFC 2205 A.2.
    pub RsvpHopIpv4 {
        /// 12.
        object_length(u16);
        /// 3.
        class_num(u8);
        /// 1.
        object_c_type(u8);
        /// Address of the hop.
        address(Ipv4Addr);
        /// Logical interface handle.
        lih(u32);
    }

    /// An IPv6 RSVP_HOP with its header, RFC 2205 A.2.
    pub RsvpHopIpv6 {
        /// 24.
        object_length(u16);
        /// 3.
        class_num(u8);
        /// 2.
        object_c_type(u8);
        /// Address of the hop.
        address(Ipv6Addr);
        /// Logical interface handle.
        lih(u32);
    }

    /// A TIME_VALUES with its header, RFC 2205 A.4.
    pub TimeValuesObject {
        /// 8.
        object_length(u16);
        /// 5.
        class_num(u8);
        /// 1.
        object_c_type(u8);
        /// Refresh period.
        refresh_ms(u32);
    }

    /// A MESSAGE_ID with its header, RFC 2961 4.2.
    pub MessageIdObject {
        /// 12.
        object_length(u16);
        /// 23.
        class_num(u8);
        /// 1.
        object_c_type(u8);
        /// What is asked of the receiver.
        flags(u8 flags MESSAGE_ID_FLAGS);
        /// Changes when the sender has lost its numbers.
        epoch(u32: 24);
        /// The message.
        message_identifier(u32);
    }
}
