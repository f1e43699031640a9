//! DIAGNOSTIC, ROUTE, DIAG_RESPONSE and DIAG_SELECT, RFC 2745 3: what a diagnostic request asks, and what the nodes on
//! its way answer.
//!
//! ```text
//! DIAGNOSTIC, C-Type 1                                     DIAG_RESPONSE, C-Type 1
//! |Max-RSVP-hops|RSVP-hop-count|   Reserved       |MF|     |                DREQ Arrival Time              |
//! |                   Request ID                     |     |          Incoming Interface Address           |
//! |        Path MTU         |     Fragment Offset    |     |          Outgoing Interface Address           |
//! |                 LAST-HOP Address                 |     |       Previous-RSVP-Hop Router Address        |
//! |             SENDER_TEMPLATE object               |     |  D-TTL     |M|R-err| K  |     Timer value     |
//! |          Requester FILTER_SPEC object            |     |             (optional) TUNNEL object          |
//!                                                          //               Response objects              //
//! ROUTE, C-Type 1                                          DIAG_SELECT, C-Type 1
//! |              reserved              |  R-pointer  |     |   class    |  C-Type  |   class    |  C-Type  |
//! |                RSVP Node List                    |     //                                             //
//! ```
//!
//! C-Type 2 of the first three has addresses of 16 octets. The embedded objects are whole objects with their headers;
//! which of them are there is not checked. The TUNNEL object is "defined in the RSVP Tunnel Specification", RFC 2746,
//! which calls none so; SESSION_ASSOC is what maps a session to a tunnel's.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::code::Class;
use crate::layout::{object, part};

/// R-error, RFC 2745 3.6. The defined values are bits.
const R_ERRORS: &[(u64, &str)] =
    &[(0x1, "No PATH state"), (0x2, "packet too big"), (0x4, "ROUTE object too big")];

fn class_name(class: u64) -> Option<&'static str> {
    Class(u8::try_from(class).ok()?).name()
}

macro_rules! diagnostics {
    ($ctype:literal $address:ident $diagnostic:ident $route:ident $response:ident $version:literal) => {
        object! {
            #[doc = concat!($version, " DIAGNOSTIC, RFC 2745 3.3.")]
            pub $diagnostic<'a>: DIAGNOSTIC $ctype {
                /// About how many RSVP hops is asked; 0: no limit.
                max_rsvp_hops(u8);
                /// How many RSVP hops it has come.
                rsvp_hop_count(u8);
                /// Zero.
                reserved(reserved u16: 15);
                /// MF: more fragments of the reply follow.
                more_fragments(bool);
                /// The same in request and reply.
                request_id(u32);
                /// Size that requests and replies are to have at most.
                path_mtu_bytes(u16);
                /// Where the fragment lies in the whole reply.
                fragment_offset_bytes(u16);
                /// The node at which the request starts to collect.
                last_hop($address);
                /// SENDER_TEMPLATE of the sender, and FILTER_SPEC of the requester.
                objects(objects);
            }

            #[doc = concat!($version, " ROUTE, RFC 2745 3.5.")]
            pub $route<'a>: ROUTE $ctype {
                /// Zero.
                reserved(reserved u32: 24);
                /// Place in the list, used on the way back.
                r_pointer(u8);
                /// The RSVP nodes that the request has passed since LAST-HOP.
                nodes(list $address);
            }

            #[doc = concat!($version, " DIAG_RESPONSE, RFC 2745 3.6.")]
            pub $response<'a>: DIAG_RESPONSE $ctype {
                /// When the request came: the middle 32 bits of an NTP timestamp.
                dreq_arrival_time(u32);
                /// Interface towards the sender; 0: unknown.
                incoming_interface($address);
                /// Interface on which the request came; 0: unknown.
                outgoing_interface($address);
                /// From where Path messages come; 0: unknown.
                previous_rsvp_hop($address);
                /// IP hops that the request came since the RSVP node before.
                d_ttl(u8);
                /// M: the reservation is merged with others on its way upstream.
                merged(bool);
                /// What went wrong here.
                r_error(u8: 3 flags R_ERRORS);
                /// The refresh timer multiple.
                k(u8: 4);
                /// The refresh timer.
                timer_s(u16);
                /// TUNNEL, if the node is the exit of a tunnel, and what DIAG_SELECT asks for.
                objects(objects);
            }
        }
    };
}

diagnostics!(1 Ipv4Addr Ipv4Diagnostic Ipv4Route Ipv4DiagResponse "IPv4");
diagnostics!(2 Ipv6Addr Ipv6Diagnostic Ipv6Route Ipv6DiagResponse "IPv6");

part! {
    /// A kind of object that is asked for.
    pub SelectedKind {
        /// Class-Num.
        object_class(u8 code fn class_name);
        /// C-Type; 0: any.
        object_ctype(u8);
    }
}

object! {
    /// DIAG_SELECT, RFC 2745 3.4.
    pub DiagSelect<'a>: DIAG_SELECT 1 {
        /// The kinds of objects that are asked for. An odd number of them is followed by one of zeros.
        kinds(groups SelectedKind);
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::List;

    const V6: &str = "fd000000 00000000 00000000 00000001";
    const V6_ADDRESS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
    /// SENDER_TEMPLATE and FILTER_SPEC.
    const OBJECTS: &str = "000c 0b01 0a000101 0000 1389 000c 0a01 0a000909 0000 0fa0";

    #[test]
    fn diagnostics() {
        // By hand from RFC 2745 3.3.
        let objects = octets(OBJECTS);
        let ipv4 = Ipv4Diagnostic {
            max_rsvp_hops: 8,
            rsvp_hop_count: 3,
            reserved: 1,
            more_fragments: true,
            request_id: 0x0001_0002,
            path_mtu_bytes: 1500,
            fragment_offset_bytes: 64,
            last_hop: Ipv4Addr::new(10, 0, 2, 1),
            objects: &objects,
        };
        both_ways(&octets(&format!("002c 1e01 08 03 0003 00010002 05dc 0040 0a000201 {OBJECTS}")), &ipv4);
        let ipv6 = Ipv6Diagnostic {
            max_rsvp_hops: 0,
            rsvp_hop_count: 1,
            reserved: 0,
            more_fragments: false,
            request_id: 7,
            path_mtu_bytes: 1280,
            fragment_offset_bytes: 0,
            last_hop: V6_ADDRESS,
            objects: &[],
        };
        both_ways(&octets(&format!("0020 1e02 00 01 0000 00000007 0500 0000 {V6}")), &ipv6);
        refused::<Ipv4Diagnostic<'_>>(&octets("0010 1e01 08030001 00010002 05dc0040"), 16, Why::BodyLength);
    }

    #[test]
    fn routes() {
        // By hand from RFC 2745 3.5.
        let nodes = [Ipv4Addr::new(10, 0, 1, 1), Ipv4Addr::new(10, 0, 2, 1)];
        let ipv4 = Ipv4Route { reserved: 5, r_pointer: 2, nodes: List::Values(&nodes) };
        both_ways(&octets("0010 1f01 000005 02 0a000101 0a000201"), &ipv4);
        let ipv6 = Ipv6Route { reserved: 0, r_pointer: 1, nodes: List::Values(&[V6_ADDRESS]) };
        both_ways(&octets(&format!("0018 1f02 000000 01 {V6}")), &ipv6);
        refused::<Ipv6Route<'_>>(&octets(&format!("001c 1f02 000000 01 {V6} 0a000101")), 24, Why::BodyLength);
    }

    #[test]
    fn responses() {
        // By hand from RFC 2745 3.6: M set, R-error 2, K 3.
        let style = octets("0008 0801 00000012");
        let ipv4 = Ipv4DiagResponse {
            dreq_arrival_time: 0x0102_8000,
            incoming_interface: Ipv4Addr::new(10, 0, 1, 1),
            outgoing_interface: Ipv4Addr::new(10, 0, 2, 1),
            previous_rsvp_hop: Ipv4Addr::new(10, 0, 1, 2),
            d_ttl: 4,
            merged: true,
            r_error: 2,
            k: 3,
            timer_s: 30,
            objects: &style,
        };
        let hex = "0020 2001 01028000 0a000101 0a000201 0a000102 04 a3 001e 0008 0801 00000012";
        both_ways(&octets(hex), &ipv4);
        let ipv6 = Ipv6DiagResponse {
            dreq_arrival_time: 1,
            incoming_interface: V6_ADDRESS,
            outgoing_interface: V6_ADDRESS,
            previous_rsvp_hop: Ipv6Addr::UNSPECIFIED,
            d_ttl: 1,
            merged: false,
            r_error: 0,
            k: 15,
            timer_s: 256,
            objects: &[],
        };
        let none = "00000000 00000000 00000000 00000000";
        both_ways(&octets(&format!("003c 2002 00000001 {V6} {V6} {none} 01 0f 0100")), &ipv6);
        refused::<Ipv4DiagResponse<'_>>(&octets("000c 2001 01028000 0a000101"), 12, Why::BodyLength);
    }

    #[test]
    fn selection() {
        // By hand from RFC 2745 3.4: three kinds, and zeros.
        let kinds = [(9, 2), (8, 0), (12, 2), (0, 0)]
            .map(|(object_class, object_ctype)| SelectedKind { object_class, object_ctype });
        let select = DiagSelect { kinds: List::Values(&kinds) };
        both_ways(&octets("000c 2101 09 02 08 00 0c 02 00 00"), &select);
        refused::<DiagSelect<'_>>(&octets("0008 2102 09 02 08 00"), 3, Why::UnknownCType);
    }
}
