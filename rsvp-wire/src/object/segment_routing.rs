//! The SR-ERO and SR-RRO subobjects, RFC 8664 4.3.1 and 4.4: segments of a route.
//!
//! ```text
//! |L|   Type=36   |     Length    |  NT   |     Flags     |F|S|C|M|     in a record route without L
//! |                         SID (optional)                        |
//! //                   NAI (variable, optional)                  //
//! NT 1, 2  an IPv4 or IPv6 address
//! NT 3, 4  a local and a remote IPv4 or IPv6 address
//! NT 5, 6  a local IPv4 or IPv6 address, a local interface ID, a remote address, a remote interface ID
//! ```
//!
//! The registries of RSVP list them, but they are for PCEP. Whether NT, F, S and the length agree (RFC 8664 5.2.1) is
//! not checked beyond what it takes to find the fields.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::explicit_route::EXPLICIT_ROUTE;
use super::record_route::RECORD_ROUTE;
use crate::ParseError;
use crate::layout::{BitWriter, Cursor, Layout, Record, Sink, Space, layout, part};

/// NT, RFC 8664 4.3.1.
const NAI_TYPES: &[(u64, &str)] = &[
    (0, "absent"),
    (1, "IPv4 node ID"),
    (2, "IPv6 node ID"),
    (3, "IPv4 adjacency"),
    (4, "IPv6 adjacency with global IPv6 addresses"),
    (5, "unnumbered adjacency with IPv4 node IDs"),
    (6, "IPv6 adjacency with link-local IPv6 addresses"),
];

/// The F and the S bit.
const ABSENT: &[(u64, &str)] = &[(0b01, "SID (S)"), (0b10, "NAI (F)")];

layout! {
    SEGMENT {
        nai_type(u8: 4 code NAI_TYPES);
        reserved(reserved u8);
        absent(u8: 2 flags ABSENT);
        label_fields(bool);
        mpls_label(bool);
        segment(choice absent { 0 => SID_AND_NAI, 1 => NAI_ONLY, 2 => SID_ONLY, _ => NOTHING });
    }
    SID_AND_NAI {
        sid(u32);
        nai(choice nai_type {
            1 => IPV4, 2 => IPV6, 3 => IPV4_PAIR, 4 => IPV6_PAIR, 5 => IPV4_LINK, 6 => IPV6_LINK, _ => ANY,
        });
    }
    NAI_ONLY {
        nai(choice nai_type {
            1 => IPV4, 2 => IPV6, 3 => IPV4_PAIR, 4 => IPV6_PAIR, 5 => IPV4_LINK, 6 => IPV6_LINK, _ => ANY,
        });
    }
    SID_ONLY {
        sid(u32);
    }
    NOTHING {}
    IPV4 {
        node_id(Ipv4Addr);
    }
    IPV6 {
        node_id(Ipv6Addr);
    }
    ANY {
        nai(octets);
    }
}

const IPV4_PAIR: Layout = Layout { fields: Ipv4Adjacency::LAYOUT.fields };
const IPV6_PAIR: Layout = Layout { fields: Ipv6Adjacency::LAYOUT.fields };
const IPV4_LINK: Layout = Layout { fields: UnnumberedAdjacency::LAYOUT.fields };
const IPV6_LINK: Layout = Layout { fields: LinkLocalAdjacency::LAYOUT.fields };

part! {
    /// IPv4 adjacency, RFC 8664 4.3.2.
    pub Ipv4Adjacency {
        /// On this side.
        local_address(Ipv4Addr);
        /// On the other side.
        remote_address(Ipv4Addr);
    }

    /// IPv6 global adjacency, RFC 8664 4.3.2.
    pub Ipv6Adjacency {
        /// On this side.
        local_address(Ipv6Addr);
        /// On the other side.
        remote_address(Ipv6Addr);
    }

    /// Unnumbered adjacency with IPv4 node IDs, RFC 8664 4.3.2.
    pub UnnumberedAdjacency {
        /// The node on this side.
        local_node_id(Ipv4Addr);
        /// Its interface.
        local_interface_id(u32);
        /// The node on the other side.
        remote_node_id(Ipv4Addr);
        /// Its interface.
        remote_interface_id(u32);
    }

    /// IPv6 link-local adjacency, RFC 8664 4.3.2.
    pub LinkLocalAdjacency {
        /// The node on this side.
        local_address(Ipv6Addr);
        /// Its interface.
        local_interface_id(u32);
        /// The node on the other side.
        remote_address(Ipv6Addr);
        /// Its interface.
        remote_interface_id(u32);
    }
}

/// NT and NAI: the node or adjacency of a segment, RFC 8664 4.3.2.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum Nai<'a> {
    /// The NAI is absent (F); NT should be 0.
    Absent(u8),
    /// NT 1.
    Ipv4Node(Ipv4Addr),
    /// NT 2.
    Ipv6Node(Ipv6Addr),
    /// NT 3.
    Ipv4Adjacency(Ipv4Adjacency),
    /// NT 4.
    Ipv6Adjacency(Ipv6Adjacency),
    /// NT 5.
    Unnumbered(UnnumberedAdjacency),
    /// NT 6.
    LinkLocal(LinkLocalAdjacency),
    /// Any other NT, and the octets.
    Other(u8, &'a [u8]),
}

impl<'a> Nai<'a> {
    fn take_from(nai_type: u8, cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        Ok(match nai_type {
            1 => Self::Ipv4Node(cursor.ipv4()?),
            2 => Self::Ipv6Node(cursor.ipv6()?),
            3 => Self::Ipv4Adjacency(Ipv4Adjacency::take_from(cursor)?),
            4 => Self::Ipv6Adjacency(Ipv6Adjacency::take_from(cursor)?),
            5 => Self::Unnumbered(UnnumberedAdjacency::take_from(cursor)?),
            6 => Self::LinkLocal(LinkLocalAdjacency::take_from(cursor)?),
            other => Self::Other(other, cursor.take(cursor.left())?),
        })
    }

    /// NT.
    pub const fn nai_type(&self) -> u8 {
        match self {
            Self::Ipv4Node(_) => 1,
            Self::Ipv6Node(_) => 2,
            Self::Ipv4Adjacency(_) => 3,
            Self::Ipv6Adjacency(_) => 4,
            Self::Unnumbered(_) => 5,
            Self::LinkLocal(_) => 6,
            Self::Absent(nai_type) | Self::Other(nai_type, _) => *nai_type,
        }
    }

    fn put_to(&self, out: &mut BitWriter<impl Sink>) {
        match self {
            Self::Absent(_) => {}
            Self::Ipv4Node(address) => out.octets(&address.octets()),
            Self::Ipv6Node(address) => out.octets(&address.octets()),
            Self::Ipv4Adjacency(adjacency) => adjacency.put_to(out),
            Self::Ipv6Adjacency(adjacency) => adjacency.put_to(out),
            Self::Unnumbered(adjacency) => adjacency.put_to(out),
            Self::LinkLocal(adjacency) => adjacency.put_to(out),
            Self::Other(_, octets) => out.octets(octets),
        }
    }
}

/// The same subobject in two registries.
macro_rules! subobject {
    ($(#[$about:meta])* $name:ident: $space:ident) => {
        $(#[$about])*
        #[derive(Copy, Clone, PartialEq, Debug)]
        pub struct $name<'a> {
            /// Zero.
            pub reserved: u8,
            /// Of a label, TC, S and TTL matter too (C).
            pub label_fields: bool,
            /// The SID is an MPLS label stack entry, not an index (M).
            pub mpls_label: bool,
            /// The segment identifier, unless it is absent (S).
            pub sid: Option<u32>,
            /// The node or adjacency.
            pub nai: Nai<'a>,
        }

        impl $name<'_> {
            /// The figure, field by field.
            pub const LAYOUT: &'static Layout = &SEGMENT;
        }

        impl<'a> Record<'a> for $name<'a> {
            const SPACE: &'static Space = &$space;
            const KEY: u32 = 36;

            fn take(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                let nai_type = cursor.uint(4)? as u8;
                let reserved = cursor.uint(8)? as u8;
                let [no_nai, no_sid] = [cursor.uint(1)? != 0, cursor.uint(1)? != 0];
                let [label_fields, mpls_label] = [cursor.uint(1)? != 0, cursor.uint(1)? != 0];
                let sid = if no_sid { None } else { Some(cursor.uint(32)? as u32) };
                let nai = if no_nai { Nai::Absent(nai_type) } else { Nai::take_from(nai_type, cursor)? };
                Ok(Self { reserved, label_fields, mpls_label, sid, nai })
            }

            fn put<S: Sink>(&self, out: &mut BitWriter<S>) {
                out.uint(u64::from(self.nai.nai_type()), 4);
                out.uint(u64::from(self.reserved), 8);
                for bit in [
                    matches!(self.nai, Nai::Absent(_)),
                    self.sid.is_none(),
                    self.label_fields,
                    self.mpls_label,
                ] {
                    out.uint(u64::from(bit), 1);
                }
                if let Some(sid) = self.sid {
                    out.octets(&sid.to_be_bytes());
                }
                self.nai.put_to(out);
            }
        }
    };
}

subobject! {
    /// SR-ERO, RFC 8664 4.3.1.
    ExplicitSegment: EXPLICIT_ROUTE
}

subobject! {
    /// SR-RRO, RFC 8664 4.4.
    RecordedSegment: RECORD_ROUTE
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::super::testing::{octets, record_both_ways, record_refused};
    use super::*;

    const IPV6: &str = "fd000000 00000000 00000000 00000001";

    fn explicit(sid: Option<u32>, nai: Nai<'_>) -> ExplicitSegment<'_> {
        ExplicitSegment { reserved: 0, label_fields: false, mpls_label: sid.is_some(), sid, nai }
    }

    #[test]
    fn segments() {
        // By hand from RFC 8664 4.3.1: label 16 without NAI; with reserved bits and C; loose.
        let segment = ExplicitSegment {
            reserved: 0x81,
            label_fields: true,
            ..explicit(Some(0x1_0000), Nai::Absent(0))
        };
        record_both_ways(&octets("a4 08 081b 00010000"), 1, &segment);
        let node = Nai::Ipv4Node(Ipv4Addr::new(10, 0, 0, 1));
        record_both_ways(&octets("24 08 1004 0a000001"), 0, &explicit(None, node));
        record_both_ways(&octets("24 0c 1001 00010000 0a000001"), 0, &explicit(Some(0x1_0000), node));
        let recorded =
            RecordedSegment { reserved: 0, label_fields: false, mpls_label: false, sid: Some(7), nai: node };
        record_both_ways(&octets("24 0c 1000 00000007 0a000001"), 0, &recorded);
        record_refused::<ExplicitSegment<'_>>(&octets("24 08 1001 00010000"), 8);
        record_refused::<ExplicitSegment<'_>>(&octets("24 0c 0009 00010000 00000000"), 8);
        record_refused::<RecordedSegment<'_>>(&octets("24 03 10"), 2);
    }

    #[test]
    fn nodes_and_adjacencies() {
        let ipv6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1);
        let ipv4 = Ipv4Addr::new(10, 0, 0, 1);
        // By hand from RFC 8664 4.3.2, without SID.
        record_both_ways(&octets(&format!("24 14 2004 {IPV6}")), 0, &explicit(None, Nai::Ipv6Node(ipv6)));
        let pair = Ipv4Adjacency { local_address: ipv4, remote_address: [10, 0, 0, 2].into() };
        let segment = explicit(None, Nai::Ipv4Adjacency(pair));
        record_both_ways(&octets("24 0c 3004 0a000001 0a000002"), 0, &segment);
        let pair = Ipv6Adjacency { local_address: ipv6, remote_address: ipv6 };
        let segment = explicit(None, Nai::Ipv6Adjacency(pair));
        record_both_ways(&octets(&format!("24 24 4004 {IPV6} {IPV6}")), 0, &segment);
        let link = UnnumberedAdjacency {
            local_node_id: ipv4,
            local_interface_id: 5,
            remote_node_id: [10, 0, 0, 2].into(),
            remote_interface_id: 6,
        };
        let segment = explicit(None, Nai::Unnumbered(link));
        record_both_ways(&octets("24 14 5004 0a000001 00000005 0a000002 00000006"), 0, &segment);
        let link = LinkLocalAdjacency {
            local_address: ipv6,
            local_interface_id: 5,
            remote_address: ipv6,
            remote_interface_id: 6,
        };
        let segment = explicit(None, Nai::LinkLocal(link));
        record_both_ways(&octets(&format!("24 2c 6004 {IPV6} 00000005 {IPV6} 00000006")), 0, &segment);
        let segment = explicit(None, Nai::Other(9, &[1, 2, 3, 4]));
        record_both_ways(&octets("24 08 9004 01020304"), 0, &segment);
    }
}
