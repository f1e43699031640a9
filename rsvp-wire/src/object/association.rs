//! ASSOCIATION, RFC 4872 16, and Extended ASSOCIATION, RFC 6780 4: which LSPs belong together, and why.
//!
//! ```text
//! |       Association Type        |       Association ID          |
//! |             IPv4 or IPv6 Association Source                   |
//! |                   Global Association Source                   |  C-Type 3 and 4
//! :                    Extended Association ID                    :  likewise
//! ```
//!
//! What an Extended Association ID means, its type says: those of RFC 8796 are in `summary_frr`, all others are octets.

use core::net::{Ipv4Addr, Ipv6Addr};

use bytes::BufMut;

use super::Object;
use super::summary_frr::{SfrrActiveIpv4, SfrrActiveIpv6, SfrrReadyIpv4, SfrrReadyIpv6};
use crate::ParseError;
use crate::code::{CType, Class};
use crate::layout::{BitWriter, Cursor, Layout, Sink, ToBuffer, count, layout, object};
use crate::message::ObjectRef;

/// Association Type: RFC 4872 16.1, RFC 4873 3.1, RFC 7551 4.2, RFC 8796 3.1 and 3.2.
const ASSOCIATION_TYPES: &[(u64, &str)] = &[
    (1, "Recovery (R)"),
    (2, "Resource Sharing (R)"),
    (3, "Double-Sided Associated Bidirectional LSP (D)"),
    (4, "Single-Sided Associated Bidirectional LSP (A)"),
    (5, "Bypass Summary FRR Ready Association (B-SFRR-Ready)"),
    (6, "Bypass Summary FRR Active Association (B-SFRR-Active)"),
];

object! {
    /// IPv4 ASSOCIATION, RFC 4872 16.1.
    pub Ipv4Association: ASSOCIATION 1 {
        /// Why.
        association_type(u16 code ASSOCIATION_TYPES);
        /// Together with type and source it says which association.
        association_id(u16);
        /// The node that associates.
        association_source(Ipv4Addr);
    }

    /// IPv6 ASSOCIATION, RFC 4872 16.1.
    pub Ipv6Association: ASSOCIATION 2 {
        /// Why.
        association_type(u16 code ASSOCIATION_TYPES);
        /// Together with type and source it says which association.
        association_id(u16);
        /// The node that associates.
        association_source(Ipv6Addr);
    }
}

layout! {
    /// IPv4 Extended ASSOCIATION, RFC 6780 4.1.
    IPV4_EXTENDED {
        association_type(u16 code ASSOCIATION_TYPES);
        association_id(u16);
        association_source(Ipv4Addr);
        global_association_source(u32);
        extended(choice association_type { 5 => READY_IPV4, 6 => ACTIVE_IPV4, _ => ANYTHING });
    }
    /// IPv6 Extended ASSOCIATION, RFC 6780 4.1.
    IPV6_EXTENDED {
        association_type(u16 code ASSOCIATION_TYPES);
        association_id(u16);
        association_source(Ipv6Addr);
        global_association_source(u32);
        extended(choice association_type { 5 => READY_IPV6, 6 => ACTIVE_IPV6, _ => ANYTHING });
    }
    ANYTHING {
        extended_association_id(octets);
    }
}

const READY_IPV4: Layout = Layout { fields: SfrrReadyIpv4::LAYOUT.fields };
const READY_IPV6: Layout = Layout { fields: SfrrReadyIpv6::LAYOUT.fields };
const ACTIVE_IPV4: Layout = Layout { fields: SfrrActiveIpv4::LAYOUT.fields };
const ACTIVE_IPV6: Layout = Layout { fields: SfrrActiveIpv6::LAYOUT.fields };

/// Association Type and Extended Association ID: `R` and `A` are those of RFC 8796 for a family of addresses.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum ExtendedAssociationId<'a, R, A> {
    /// A protected LSP and its bypass tunnel, RFC 8796 3.1.
    SfrrReady(R),
    /// Groups of LSPs that have moved to a bypass tunnel, RFC 8796 3.2.
    SfrrActive(A),
    /// Any other type, and the octets: a multiple of 4, or none.
    Other(u16, &'a [u8]),
}

impl<R, A> ExtendedAssociationId<'_, R, A> {
    /// Association Type.
    pub const fn association_type(&self) -> u16 {
        match self {
            Self::SfrrReady(_) => 5,
            Self::SfrrActive(_) => 6,
            Self::Other(association_type, _) => *association_type,
        }
    }
}

/// An Extended ASSOCIATION for one family of addresses.
macro_rules! extended_association {
    (
        $(#[$about:meta])* $name:ident: $ctype:literal $address:ident $source:ident
        $ready:ident $active:ident $layout:ident
    ) => {
        $(#[$about])*
        #[derive(Copy, Clone, PartialEq, Debug)]
        pub struct $name<'a> {
            /// Together with type and sources it says which association.
            pub association_id: u16,
            /// The node that associates.
            pub association_source: $address,
            /// Its operator, or 0.
            pub global_association_source: u32,
            /// Why, and what more there is to the association.
            pub extended: ExtendedAssociationId<'a, $ready, $active<'a>>,
        }

        impl<'a> $name<'a> {
            /// The figure, field by field.
            pub const LAYOUT: &'static Layout = &$layout;

            fn take_from(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                let association_type = cursor.uint(16)? as u16;
                Ok(Self {
                    association_id: cursor.uint(16)? as u16,
                    association_source: cursor.$source()?,
                    global_association_source: cursor.uint(32)? as u32,
                    extended: match association_type {
                        5 => ExtendedAssociationId::SfrrReady($ready::take_from(cursor)?),
                        6 => ExtendedAssociationId::SfrrActive($active::take_from(cursor)?),
                        other => ExtendedAssociationId::Other(other, cursor.take(cursor.left())?),
                    },
                })
            }

            fn put_to<S: Sink>(&self, out: &mut BitWriter<S>) {
                out.uint(u64::from(self.extended.association_type()), 16);
                out.uint(u64::from(self.association_id), 16);
                out.octets(&self.association_source.octets());
                out.uint(u64::from(self.global_association_source), 32);
                match &self.extended {
                    ExtendedAssociationId::SfrrReady(ready) => ready.put_to(out),
                    ExtendedAssociationId::SfrrActive(active) => active.put_to(out),
                    ExtendedAssociationId::Other(_, octets) => out.octets(octets),
                }
            }
        }

        impl<'a> Object<'a> for $name<'a> {
            const CLASS: Class = Class::ASSOCIATION;

            fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
                if object.ctype != CType($ctype) {
                    return Err(object.unknown_ctype());
                }
                let mut cursor = object.cursor();
                let value = Self::take_from(&mut cursor)?;
                cursor.end().map(|()| value)
            }

            fn ctype(&self) -> CType {
                CType($ctype)
            }

            fn body_len(&self) -> usize {
                count(|out| self.put_to(out))
            }

            fn write_body(&self, out: &mut impl BufMut) {
                self.put_to(&mut BitWriter::new(ToBuffer(out)));
            }
        }
    };
}

extended_association! {
    /// IPv4 Extended ASSOCIATION, RFC 6780 4.1.
    Ipv4ExtendedAssociation: 3 Ipv4Addr ipv4 SfrrReadyIpv4 SfrrActiveIpv4 IPV4_EXTENDED
}

extended_association! {
    /// IPv6 Extended ASSOCIATION, RFC 6780 4.1.
    Ipv6ExtendedAssociation: 4 Ipv6Addr ipv6 SfrrReadyIpv6 SfrrActiveIpv6 IPV6_EXTENDED
}

#[cfg(test)]
mod tests {
    use super::super::summary_frr::{MessageIdObject, RsvpHopIpv4, RsvpHopIpv6, TimeValuesObject};
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::List;

    const IPV6: &str = "fd000000 00000000 00000000 00000001";

    fn ipv6() -> Ipv6Addr {
        Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)
    }

    #[test]
    fn simple_ones() {
        // By hand from RFC 4872 16.1.
        let association = Ipv4Association {
            association_type: 1,
            association_id: 258,
            association_source: [10, 0, 0, 1].into(),
        };
        both_ways(&octets("000c c701 0001 0102 0a000001"), &association);
        let association =
            Ipv6Association { association_type: 2, association_id: 258, association_source: ipv6() };
        both_ways(&octets(&std::format!("0018 c702 0002 0102 {IPV6}")), &association);
        refused::<Ipv4Association>(&octets("0008 c701 0001 0102"), 8, Why::BodyLength);
        refused::<Ipv6Association>(&octets("000c c702 0002 0102 fd000000"), 8, Why::BodyLength);
    }

    #[test]
    fn extended_ones() {
        // By hand from RFC 6780 4.1.
        let association = Ipv4ExtendedAssociation {
            association_id: 258,
            association_source: [10, 0, 0, 1].into(),
            global_association_source: 65000,
            extended: ExtendedAssociationId::Other(4, &[1, 2, 3, 4]),
        };
        both_ways(&octets("0014 c703 0004 0102 0a000001 0000fde8 01020304"), &association);
        refused::<Ipv4ExtendedAssociation<'_>>(&octets("000c c703 0004 0102 0a000001"), 12, Why::BodyLength);
        let association = Ipv6ExtendedAssociation {
            association_id: 258,
            association_source: ipv6(),
            global_association_source: 0,
            extended: ExtendedAssociationId::Other(3, &[]),
        };
        both_ways(&octets(&std::format!("001c c704 0003 0102 {IPV6} 00000000")), &association);
        refused::<Ipv6ExtendedAssociation<'_>>(&octets("000c c704 0003 0102 0a000001"), 8, Why::BodyLength);
    }

    #[test]
    fn ready_for_a_bypass() {
        // By hand from RFC 8796 3.1: a MESSAGE_ID with flag 1, epoch 2, identifier 3.
        let message_id = MessageIdObject {
            object_length: 12,
            class_num: 23,
            object_c_type: 1,
            flags: 1,
            epoch: 2,
            message_identifier: 3,
        };
        let ready = SfrrReadyIpv4 {
            bypass_tunnel_id: 7,
            reserved: 1,
            bypass_source: [10, 0, 0, 1].into(),
            bypass_destination: [10, 0, 0, 2].into(),
            bypass_group_identifier: 9,
            message_id,
        };
        let association = Ipv4ExtendedAssociation {
            association_id: 258,
            association_source: [10, 0, 0, 1].into(),
            global_association_source: 0,
            extended: ExtendedAssociationId::SfrrReady(ready),
        };
        let hex = "002c c703 0005 0102 0a000001 00000000 0007 0001 0a000001 0a000002 00000009
            000c 1701 01000002 00000003";
        both_ways(&octets(hex), &association);
        refused::<Ipv4ExtendedAssociation<'_>>(
            &octets("0014 c703 0005 0102 0a000001 00000000 0007 0001"),
            20,
            Why::BodyLength,
        );
        let ready = SfrrReadyIpv6 {
            bypass_tunnel_id: 7,
            reserved: 0,
            bypass_source: ipv6(),
            bypass_destination: ipv6(),
            bypass_group_identifier: 9,
            message_id,
        };
        let association = Ipv6ExtendedAssociation {
            association_id: 258,
            association_source: ipv6(),
            global_association_source: 0,
            extended: ExtendedAssociationId::SfrrReady(ready),
        };
        let hex = std::format!(
            "0050 c704 0005 0102 {IPV6} 00000000 0007 0000 {IPV6} {IPV6} 00000009 000c 1701 01000002 00000003"
        );
        both_ways(&octets(&hex), &association);
    }

    #[test]
    fn active_on_a_bypass() {
        // By hand from RFC 8796 3.2; the objects in it from RFC 2205 A.2 and A.4.
        let time_values =
            TimeValuesObject { object_length: 8, class_num: 5, object_c_type: 1, refresh_ms: 30_000 };
        let active = SfrrActiveIpv4 {
            bypass_group_count: 2,
            reserved: 1,
            bypass_group_identifiers: List::Values(&[5, 6]),
            rsvp_hop: RsvpHopIpv4 {
                object_length: 12,
                class_num: 3,
                object_c_type: 1,
                address: [10, 0, 0, 1].into(),
                lih: 4,
            },
            time_values,
            tunnel_sender: [10, 0, 0, 3].into(),
        };
        let association = Ipv4ExtendedAssociation {
            association_id: 258,
            association_source: [10, 0, 0, 1].into(),
            global_association_source: 0,
            extended: ExtendedAssociationId::SfrrActive(active),
        };
        let hex = "0034 c703 0006 0102 0a000001 00000000 0002 0001 00000005 00000006
            000c 0301 0a000001 00000004 0008 0501 00007530 0a000003";
        both_ways(&octets(hex), &association);
        let active = SfrrActiveIpv6 {
            bypass_group_count: 1,
            reserved: 0,
            bypass_group_identifiers: List::Values(&[5]),
            rsvp_hop: RsvpHopIpv6 {
                object_length: 24,
                class_num: 3,
                object_c_type: 2,
                address: ipv6(),
                lih: 4,
            },
            time_values,
            tunnel_sender: ipv6(),
        };
        let association = Ipv6ExtendedAssociation {
            association_id: 258,
            association_source: ipv6(),
            global_association_source: 0,
            extended: ExtendedAssociationId::SfrrActive(active),
        };
        let hex = std::format!(
            "0054 c704 0006 0102 {IPV6} 00000000 0001 0000 00000005
            0018 0302 {IPV6} 00000004 0008 0501 00007530 {IPV6}"
        );
        both_ways(&octets(&hex), &association);
    }
}
