//! SCOPE, RFC 2205 A.6: the senders towards which a message with wildcard scope goes.
//!
//! ```text
//! C-Type 1: IPv4 addresses of 4 octets, C-Type 2: IPv6 addresses of 16 octets
//! +-------------+-------------+-------------+-------------+
//! |                     Src Address                       |
//! +-------------+-------------+-------------+-------------+
//! //                                                      //
//! +-------------+-------------+-------------+-------------+
//! ```
//!
//! The list stays in the octets. That it is in ascending order, or not empty, is not checked.

use core::net::IpAddr;

use bytes::BufMut;

use super::Object;
use super::body::whole;
use crate::code::{CType, Class};
use crate::error::{ParseError, Why};
use crate::message::ObjectRef;

/// A list of sender addresses, RFC 2205 A.6, as the octets of the body.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Scope<'a> {
    /// IPv4 SCOPE list, C-Type 1: 4 octets per address.
    Ipv4(&'a [u8]),
    /// IPv6 SCOPE list, C-Type 2: 16 octets per address.
    Ipv6(&'a [u8]),
}

impl<'a> Scope<'a> {
    /// The addresses in the order of the list. Octets that are no whole address are left out; a body that was read
    /// has none.
    pub const fn addresses(&self) -> ScopeAddresses<'a> {
        ScopeAddresses(*self)
    }

    #[inline]
    const fn octets(&self) -> &'a [u8] {
        let (Self::Ipv4(octets) | Self::Ipv6(octets)) = *self;
        octets
    }
}

/// Iterator of [`Scope::addresses`].
#[derive(Clone, Debug)]
pub struct ScopeAddresses<'a>(Scope<'a>);

impl Iterator for ScopeAddresses<'_> {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        match &mut self.0 {
            Scope::Ipv4(octets) => {
                let (address, rest) = octets.split_first_chunk::<4>()?;
                *octets = rest;
                Some(IpAddr::from(*address))
            }
            Scope::Ipv6(octets) => {
                let (address, rest) = octets.split_first_chunk::<16>()?;
                *octets = rest;
                Some(IpAddr::from(*address))
            }
        }
    }
}

impl<'a> Object<'a> for Scope<'a> {
    const CLASS: Class = Class::SCOPE;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        let (address_len, list): (usize, fn(&'a [u8]) -> Self) = match object.ctype.0 {
            1 => (4, Self::Ipv4),
            2 => (16, Self::Ipv6),
            _ => return Err(object.unknown_ctype()),
        };
        whole(object, |body: &'a [u8]| match body.len().checked_rem(address_len) {
            Some(0) => nom::combinator::rest(body),
            over => {
                let whole_addresses = body.len().saturating_sub(over.unwrap_or(0));
                super::body::fault(body.get(whole_addresses..).unwrap_or_default(), Why::BodyLength)
            }
        })
        .map(list)
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(match self {
            Self::Ipv4(_) => 1,
            Self::Ipv6(_) => 2,
        })
    }

    #[inline]
    fn body_len(&self) -> usize {
        self.octets().len()
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        out.put_slice(self.octets());
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::testing::{both_ways, octets, refused};
    use super::*;

    #[test]
    fn ipv4() {
        // By hand from RFC 2205 A.6.
        let octets = octets("000c0701 0a000101 0a000102");
        let scope = Scope::Ipv4(&octets[4..]);
        both_ways(&octets, &scope);
        let addresses: Vec<IpAddr> = scope.addresses().collect();
        assert_eq!(addresses, [IpAddr::from([10, 0, 1, 1]), IpAddr::from([10, 0, 1, 2])]);
    }

    #[test]
    fn ipv6() {
        // By hand from RFC 2205 A.6.
        let octets = octets("00140702 fd000000 00000000 00000000 00000001");
        let scope = Scope::Ipv6(&octets[4..]);
        both_ways(&octets, &scope);
        assert!(scope.addresses().eq(["fd00::1".parse::<IpAddr>().unwrap()]));
    }

    #[test]
    fn only_whole_addresses() {
        refused::<Scope<'_>>(
            &octets("00180702 fd000000 00000000 00000000 00000001 fd000000"),
            20,
            Why::BodyLength,
        );
        refused::<Scope<'_>>(&octets("00080703 0a000101"), 3, Why::UnknownCType);
    }
}
