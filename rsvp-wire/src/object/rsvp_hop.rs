//! RSVP_HOP, RFC 2205 A.2: the interface through which the last RSVP node forwarded the message.
//!
//! ```text
//! C-Type 1                                                 C-Type 2: the same with an
//! +-------------+-------------+-------------+-------------+ IPv6 address of 16 octets
//! |             IPv4 Next/Previous Hop Address            |
//! +-------------+-------------+-------------+-------------+
//! |                 Logical Interface Handle              |
//! +-------------+-------------+-------------+-------------+
//! ```
//!
//! Whether the address is a legal one for a hop is not checked here.

use core::net::IpAddr;

use bytes::BufMut;

use super::Object;
use super::body::{address_ctype, address_len, addressed, put_address, word};
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// Previous hop (PHOP) of downstream, next hop (NHOP) of upstream messages, RFC 2205 A.2.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct RsvpHop {
    /// Address of the interface.
    pub address: IpAddr,
    /// Logical Interface Handle; 0 if there is none.
    pub lih: u32,
}

impl<'a> Object<'a> for RsvpHop {
    const CLASS: Class = Class::RSVP_HOP;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        addressed(object, word, |address, lih| Self { address, lih })
    }

    #[inline]
    fn ctype(&self) -> CType {
        address_ctype(self.address)
    }

    #[inline]
    fn body_len(&self) -> usize {
        address_len(self.address).saturating_add(4)
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        put_address(self.address, out);
        out.put_u32(self.lih);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn ipv4_as_captured() {
        // kom-real-3hop, packet 1, octet 20.
        let octets = octets("000c0301 0a4d0101 00000001");
        both_ways(&octets, &RsvpHop { address: [10, 77, 1, 1].into(), lih: 1 });
    }

    #[test]
    fn ipv6() {
        // By hand from RFC 2205 A.2: fe80::2, LIH 0x01020304.
        let octets = octets("00180302 fe800000 00000000 00000000 00000002 01020304");
        both_ways(&octets, &RsvpHop { address: "fe80::2".parse().unwrap(), lih: 0x0102_0304 });
    }

    #[test]
    fn length_follows_the_ctype() {
        refused::<RsvpHop>(&octets("000c0302 0a4d0101 00000001"), 4, Why::BodyLength);
        refused::<RsvpHop>(&octets("000c0303 0a4d0101 00000001"), 3, Why::UnknownCType);
    }
}
