//! The addresses in the bodies of objects that neighbours and filters are about.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rsvp_wire::{Class, ObjectRef};

/// The address that a body begins with: by C-Type, of the classes that begin with one.
#[inline]
pub(super) fn address(object: &ObjectRef<'_>) -> Option<IpAddr> {
    let ipv6 = match (object.class, object.ctype.0) {
        (Class::RSVP_HOP | Class::ERROR_SPEC | Class::RESV_CONFIRM, 1 | 3) => false,
        (Class::RSVP_HOP | Class::ERROR_SPEC | Class::RESV_CONFIRM, 2 | 4) => true,
        // UDP, GPI (RFC 2207), LSP tunnels (RFC 3209), aggregates (RFC 3175, RFC 4860), UNI and E-NNI (RFC 3474).
        (Class::SESSION, 1 | 3 | 7 | 9 | 11 | 15 | 17) => false,
        (Class::SESSION, 2 | 4 | 8 | 10 | 12 | 16 | 18) => true,
        (Class::SENDER_TEMPLATE | Class::FILTER_SPEC, 1 | 4 | 7 | 9 | 12) => false,
        (Class::SENDER_TEMPLATE | Class::FILTER_SPEC, 2 | 3 | 5 | 8 | 10 | 13) => true,
        _ => return None,
    };
    let body = object.body();
    if ipv6 {
        body.first_chunk::<16>().map(|octets| IpAddr::V6(Ipv6Addr::from(*octets)))
    } else {
        body.first_chunk::<4>().map(|octets| IpAddr::V4(Ipv4Addr::from(*octets)))
    }
}
