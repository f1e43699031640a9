//! The Protection subobject of SECONDARY_EXPLICIT_ROUTE and SECONDARY_RECORD_ROUTE, RFC 4873 4.1.1 and 5.1.
//!
//! ```text
//! |L|    Type     |     Length    |    Reserved   |   C-Type      |     in a record route without L
//! |                  PROTECTION Object Contents                   |
//! ```
//!
//! Explicit and record routes proper must not have it (RFC 4873 4.1.1); that is not checked here.

use super::explicit_route::EXPLICIT_ROUTE;
use super::protection::{EgressProtection, LspProtection, Protection};
use super::record_route::RECORD_ROUTE;
use crate::ParseError;
use crate::layout::{BitWriter, Cursor, Layout, Record, Sink, Space, layout};

layout! {
    SUBOBJECT {
        subobject_reserved(reserved u8);
        c_type(u8);
        protection(choice c_type { 1 => OF_LINKS, 2 => OF_AN_LSP, 3 => OF_AN_EGRESS, _ => OF_ANYTHING });
    }
    OF_ANYTHING {
        protection(octets);
    }
}

const OF_LINKS: Layout = Layout { fields: Protection::LAYOUT.fields };
const OF_AN_LSP: Layout = Layout { fields: LspProtection::LAYOUT.fields };
const OF_AN_EGRESS: Layout = Layout { fields: EgressProtection::LAYOUT.fields };

/// The contents of a PROTECTION in a route.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum RouteProtection<'a> {
    /// C-Type 1.
    Links(Protection),
    /// C-Type 2.
    Lsp(LspProtection),
    /// C-Type 3.
    Egress(EgressProtection<'a>),
    /// Any other C-Type, and the octets.
    Other(u8, &'a [u8]),
}

impl<'a> RouteProtection<'a> {
    fn take_from(c_type: u8, cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        Ok(match c_type {
            1 => Self::Links(Protection::take_from(cursor)?),
            2 => Self::Lsp(LspProtection::take_from(cursor)?),
            3 => Self::Egress(EgressProtection::take_from(cursor)?),
            other => Self::Other(other, cursor.take(cursor.left())?),
        })
    }

    /// The C-Type of the PROTECTION.
    pub const fn c_type(&self) -> u8 {
        match self {
            Self::Links(_) => 1,
            Self::Lsp(_) => 2,
            Self::Egress(_) => 3,
            Self::Other(c_type, _) => *c_type,
        }
    }

    fn put_to(&self, out: &mut BitWriter<impl Sink>) {
        match self {
            Self::Links(protection) => protection.put_to(out),
            Self::Lsp(protection) => protection.put_to(out),
            Self::Egress(protection) => protection.put_to(out),
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
            /// The PROTECTION.
            pub protection: RouteProtection<'a>,
        }

        impl $name<'_> {
            /// The figure, field by field.
            pub const LAYOUT: &'static Layout = &SUBOBJECT;
        }

        impl<'a> Record<'a> for $name<'a> {
            const SPACE: &'static Space = &$space;
            const KEY: u32 = 37;

            fn take(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                let reserved = cursor.uint(8)? as u8;
                let c_type = cursor.uint(8)? as u8;
                Ok(Self { reserved, protection: RouteProtection::take_from(c_type, cursor)? })
            }

            fn put<S: Sink>(&self, out: &mut BitWriter<S>) {
                out.octets(&[self.reserved, self.protection.c_type()]);
                self.protection.put_to(out);
            }
        }
    };
}

subobject! {
    /// Protection in a SECONDARY_EXPLICIT_ROUTE, RFC 4873 4.1.1.
    ExplicitProtection: EXPLICIT_ROUTE
}

subobject! {
    /// Protection in a SECONDARY_RECORD_ROUTE, RFC 4873 5.1.
    RecordedProtection: RECORD_ROUTE
}

#[cfg(test)]
mod tests {
    use super::super::protection::EGRESS_PROTECTION;
    use super::super::testing::{octets, record_both_ways, record_refused};
    use super::*;
    use crate::layout::Records;

    #[test]
    fn of_every_kind() {
        // By hand from RFC 4873 4.1.1.
        let links = Protection { secondary: false, reserved: 0, link_flags: 4 };
        let protection = ExplicitProtection { reserved: 7, protection: RouteProtection::Links(links) };
        record_both_ways(&octets("25 08 07 01 00000004"), 0, &protection);
        record_refused::<ExplicitProtection<'_>>(&octets("25 04 00 01"), 4);
        record_refused::<ExplicitProtection<'_>>(&octets("25 0c 00 01 00000004 00000000"), 8);
        let other = RouteProtection::Other(9, &[1, 2, 3, 4]);
        record_both_ways(
            &octets("25 08 00 09 01020304"),
            0,
            &RecordedProtection { reserved: 0, protection: other },
        );
        let lsp = LspProtection {
            secondary: false,
            protecting: true,
            notification: false,
            operational: false,
            reserved: 0,
            lsp_flags: 1,
            reserved_2: 0,
            link_flags: 0,
            in_place: true,
            required: false,
            reserved_3: 0,
            segment_flags: 0,
            reserved_4: 0,
        };
        let protection = RecordedProtection { reserved: 0, protection: RouteProtection::Lsp(lsp) };
        record_both_ways(&octets("25 0c 00 02 40010000 80000000"), 0, &protection);
        let subobjects = Records::over(&EGRESS_PROTECTION, &[]);
        let egress = EgressProtection { reserved: 0, e_flags: 1, subobjects };
        let protection = ExplicitProtection { reserved: 0, protection: RouteProtection::Egress(egress) };
        record_both_ways(&octets("25 08 00 03 00000001"), 0, &protection);
    }
}
