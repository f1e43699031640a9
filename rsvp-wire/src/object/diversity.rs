//! The Diversity subobjects of EXCLUDE_ROUTE and of an Explicit Exclusion Route, RFC 8390 2: LSPs not to share a path
//! with.
//!
//! ```text
//! |L|  XRO Type   |     Length    |DI Type|A-Flags|E-Flags| Resvd |
//! |        IPv4 or IPv6 Diversity Identifier Source Address       |
//! DI Type 1  |            IPv4 or IPv6 Tunnel Endpoint Address               |
//!            |          Must Be Zero         |     Tunnel ID                 |
//!            |           Extended Tunnel ID, 4 or 16 octets                  |
//!            |          Must Be Zero         |            LSP ID             |
//! DI Type 2  |         Must Be Zero          |           Path Key            |
//! DI Type 3  |             Path Affinity Set (PAS) Identifier                |
//! ```
//!
//! The registry lists the types for EXPLICIT_ROUTE too (RFC 8390 4.2), though they are for an Explicit Exclusion Route
//! within it: their octets are understood there, but they have no Rust type for that place.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::exclude_route::EXCLUDE_ROUTE;
use crate::ParseError;
use crate::layout::{BitWriter, Cursor, Layout, Record, Sink, Space, layout, part};

/// DI Type, RFC 8390 2.1.
const IDENTIFIER_TYPES: &[(u64, &str)] = &[
    (1, "Client-Initiated Identifier"),
    (2, "PCE-Allocated Identifier"),
    (3, "Network-Assigned Identifier"),
];

/// A-Flags, RFC 8390 2.1.
const ATTRIBUTE_FLAGS: &[(u64, &str)] = &[
    (0x1, "Destination node exception"),
    (0x2, "Processing node exception"),
    (0x4, "Penultimate node exception"),
    (0x8, "LSP ID to be ignored"),
];

/// E-Flags, RFC 8390 2.1.
const EXCLUSION_FLAGS: &[(u64, &str)] =
    &[(0x1, "SRLG exclusion"), (0x2, "Node exclusion"), (0x4, "Link exclusion")];

layout! {
    /// IPv4 Diversity, RFC 8390 2.1.
    pub(super) IPV4_DIVERSITY {
        di_type(u8: 4 code IDENTIFIER_TYPES);
        a_flags(u8: 4 flags ATTRIBUTE_FLAGS);
        e_flags(u8: 4 flags EXCLUSION_FLAGS);
        reserved(reserved u8: 4);
        source(Ipv4Addr);
        identifier(choice di_type { 1 => CLIENT_IPV4, 2 => BY_PCE, 3 => BY_NETWORK, _ => BY_OTHERS });
    }
    /// IPv6 Diversity, RFC 8390 2.1.
    pub(super) IPV6_DIVERSITY {
        di_type(u8: 4 code IDENTIFIER_TYPES);
        a_flags(u8: 4 flags ATTRIBUTE_FLAGS);
        e_flags(u8: 4 flags EXCLUSION_FLAGS);
        reserved(reserved u8: 4);
        source(Ipv6Addr);
        identifier(choice di_type { 1 => CLIENT_IPV6, 2 => BY_PCE, 3 => BY_NETWORK, _ => BY_OTHERS });
    }
    BY_NETWORK {
        pas_identifier(u32);
    }
    BY_OTHERS {
        identifier(octets);
    }
}

const CLIENT_IPV4: Layout = Layout { fields: ClientInitiatedIpv4::LAYOUT.fields };
const CLIENT_IPV6: Layout = Layout { fields: ClientInitiatedIpv6::LAYOUT.fields };
const BY_PCE: Layout = Layout { fields: PceAllocated::LAYOUT.fields };

part! {
    /// Client-Initiated Identifier in an IPv4 Diversity subobject, RFC 8390 2.1: an LSP.
    pub ClientInitiatedIpv4 {
        /// Where the tunnel ends.
        tunnel_end_point(Ipv4Addr);
        /// Zero.
        identifier_reserved(reserved u16);
        /// The tunnel.
        tunnel_id(u16);
        /// Usually where it begins.
        extended_tunnel_id(Ipv4Addr);
        /// Zero.
        identifier_reserved_2(reserved u16);
        /// The LSP of the tunnel.
        lsp_id(u16);
    }

    /// Client-Initiated Identifier in an IPv6 Diversity subobject, RFC 8390 2.1: an LSP.
    pub ClientInitiatedIpv6 {
        /// Where the tunnel ends.
        tunnel_end_point(Ipv6Addr);
        /// Zero.
        identifier_reserved(reserved u16);
        /// The tunnel.
        tunnel_id(u16);
        /// Usually where it begins.
        extended_tunnel_id(Ipv6Addr);
        /// Zero.
        identifier_reserved_2(reserved u16);
        /// The LSP of the tunnel.
        lsp_id(u16);
    }

    /// PCE-Allocated Identifier, RFC 8390 2.1.
    pub PceAllocated {
        /// Zero.
        identifier_reserved(reserved u16);
        /// What stands for the path.
        path_key(u16);
    }
}

/// Diversity Identifier Type and Value; `C` is the client's own.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum DiversityIdentifier<'a, C> {
    /// An LSP.
    ClientInitiated(C),
    /// A path that a PCE knows.
    PceAllocated(PceAllocated),
    /// A path affinity set.
    NetworkAssigned(u32),
    /// Any other type, and the octets.
    Other(u8, &'a [u8]),
}

impl<C> DiversityIdentifier<'_, C> {
    /// DI Type.
    pub const fn di_type(&self) -> u8 {
        match self {
            Self::ClientInitiated(_) => 1,
            Self::PceAllocated(_) => 2,
            Self::NetworkAssigned(_) => 3,
            Self::Other(di_type, _) => *di_type,
        }
    }
}

/// A Diversity subobject for one family of addresses.
macro_rules! diversity {
    ($(#[$about:meta])* $name:ident: $key:literal $address:ident $source:ident $client:ident $layout:ident) => {
        $(#[$about])*
        #[derive(Copy, Clone, PartialEq, Debug)]
        pub struct $name<'a> {
            /// Exceptions; 4 bits.
            pub a_flags: u8,
            /// What must not be shared; 4 bits.
            pub e_flags: u8,
            /// Zero; 4 bits.
            pub reserved: u8,
            /// Who has assigned the identifier.
            pub source: $address,
            /// The LSPs.
            pub identifier: DiversityIdentifier<'a, $client>,
        }

        impl $name<'_> {
            /// The figure, field by field.
            pub const LAYOUT: &'static Layout = &$layout;
        }

        impl<'a> Record<'a> for $name<'a> {
            const SPACE: &'static Space = &EXCLUDE_ROUTE;
            const KEY: u32 = $key;

            fn take(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                let di_type = cursor.uint(4)? as u8;
                let [a_flags, e_flags, reserved] =
                    [cursor.uint(4)? as u8, cursor.uint(4)? as u8, cursor.uint(4)? as u8];
                let source = cursor.$source()?;
                let identifier = match di_type {
                    1 => DiversityIdentifier::ClientInitiated($client::take_from(cursor)?),
                    2 => DiversityIdentifier::PceAllocated(PceAllocated::take_from(cursor)?),
                    3 => DiversityIdentifier::NetworkAssigned(cursor.uint(32)? as u32),
                    other => DiversityIdentifier::Other(other, cursor.take(cursor.left())?),
                };
                Ok(Self { a_flags, e_flags, reserved, source, identifier })
            }

            fn put<S: Sink>(&self, out: &mut BitWriter<S>) {
                for bits in [self.identifier.di_type(), self.a_flags, self.e_flags, self.reserved] {
                    out.uint(u64::from(bits), 4);
                }
                out.octets(&self.source.octets());
                match &self.identifier {
                    DiversityIdentifier::ClientInitiated(client) => client.put_to(out),
                    DiversityIdentifier::PceAllocated(path) => path.put_to(out),
                    DiversityIdentifier::NetworkAssigned(pas) => out.octets(&pas.to_be_bytes()),
                    DiversityIdentifier::Other(_, octets) => out.octets(octets),
                }
            }
        }
    };
}

diversity! {
    /// IPv4 Diversity, RFC 8390 2.1.
    ExcludeIpv4Diversity: 38 Ipv4Addr ipv4 ClientInitiatedIpv4 IPV4_DIVERSITY
}

diversity! {
    /// IPv6 Diversity, RFC 8390 2.1.
    ExcludeIpv6Diversity: 39 Ipv6Addr ipv6 ClientInitiatedIpv6 IPV6_DIVERSITY
}

#[cfg(test)]
mod tests {
    use super::super::testing::{octets, record_both_ways, record_refused};
    use super::*;

    fn ipv4(identifier: DiversityIdentifier<'_, ClientInitiatedIpv4>) -> ExcludeIpv4Diversity<'_> {
        ExcludeIpv4Diversity { a_flags: 9, e_flags: 6, reserved: 1, source: [10, 0, 0, 1].into(), identifier }
    }

    #[test]
    fn from_lsps() {
        let client = ClientInitiatedIpv4 {
            tunnel_end_point: Ipv4Addr::new(10, 0, 0, 2),
            identifier_reserved: 1,
            tunnel_id: 3,
            extended_tunnel_id: Ipv4Addr::new(10, 0, 0, 1),
            identifier_reserved_2: 2,
            lsp_id: 4,
        };
        // By hand from RFC 8390 2.1: loose; LSP ID to be ignored, destination exception; link and node exclusion.
        let hex = "a6 18 1961 0a000001 0a000002 0001 0003 0a000001 0002 0004";
        record_both_ways(&octets(hex), 1, &ipv4(DiversityIdentifier::ClientInitiated(client)));
        let address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
        let client = ClientInitiatedIpv6 {
            tunnel_end_point: address,
            identifier_reserved: 0,
            tunnel_id: 3,
            extended_tunnel_id: address,
            identifier_reserved_2: 0,
            lsp_id: 4,
        };
        let identifier = DiversityIdentifier::ClientInitiated(client);
        let diversity =
            ExcludeIpv6Diversity { a_flags: 0, e_flags: 1, reserved: 0, source: address, identifier };
        let address = "fd000000 00000000 00000000 00000002";
        let hex = std::format!("27 3c 1010 {address} {address} 0000 0003 {address} 0000 0004");
        record_both_ways(&octets(&hex), 0, &diversity);
    }

    #[test]
    fn from_paths_and_sets() {
        // By hand from RFC 8390 2.1.
        let path = PceAllocated { identifier_reserved: 1, path_key: 258 };
        record_both_ways(
            &octets("26 0c 2961 0a000001 0001 0102"),
            0,
            &ipv4(DiversityIdentifier::PceAllocated(path)),
        );
        let set = DiversityIdentifier::NetworkAssigned(0x0102_0304);
        record_both_ways(&octets("26 0c 3961 0a000001 01020304"), 0, &ipv4(set));
        let other = DiversityIdentifier::Other(15, &[1, 2, 3, 4]);
        record_both_ways(&octets("26 0c f961 0a000001 01020304"), 0, &ipv4(other));
        record_refused::<ExcludeIpv4Diversity<'_>>(&octets("26 08 3961 0a000001"), 8);
        record_refused::<ExcludeIpv4Diversity<'_>>(&octets("26 10 3961 0a000001 01020304 00000000"), 12);
        record_refused::<ExcludeIpv6Diversity<'_>>(&octets("27 08 1010 0a000001"), 4);
    }
}
