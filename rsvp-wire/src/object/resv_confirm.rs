//! RESV_CONFIRM, RFC 2205 A.14: the receiver that wants a confirmation.
//!
//! ```text
//! C-Type 1                                                 C-Type 2: an IPv6 address of 16 octets
//! +-------------+-------------+-------------+-------------+
//! |            IPv4 Receiver Address (4 bytes)            |
//! +-------------+-------------+-------------+-------------+
//! ```

use core::net::IpAddr;

use bytes::BufMut;

use super::Object;
use super::body::{address_ctype, address_len, addressed, put_address};
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// A request for a confirmation, in a ResvConf the confirmation itself, RFC 2205 A.14.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct ResvConfirm {
    /// Where the ResvConf is sent.
    pub address: IpAddr,
}

impl<'a> Object<'a> for ResvConfirm {
    const CLASS: Class = Class::RESV_CONFIRM;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        addressed(object, nom::combinator::success(()), |address, ()| Self { address })
    }

    #[inline]
    fn ctype(&self) -> CType {
        address_ctype(self.address)
    }

    #[inline]
    fn body_len(&self) -> usize {
        address_len(self.address)
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        put_address(self.address, out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn ipv4_as_captured() {
        // wireshark-rsvp-PATH-RESV, packet 7, octet 40.
        both_ways(&octets("00080f01 0a010c01"), &ResvConfirm { address: [10, 1, 12, 1].into() });
    }

    #[test]
    fn ipv6() {
        // By hand from RFC 2205 A.14.
        let octets = octets("00140f02 fd000000 00000000 00000000 00000002");
        both_ways(&octets, &ResvConfirm { address: "fd00::2".parse().unwrap() });
    }

    #[test]
    fn length_follows_the_ctype() {
        refused::<ResvConfirm>(&octets("00080f02 0a010c01"), 4, Why::BodyLength);
        refused::<ResvConfirm>(&octets("000c0f01 0a010c01 00000000"), 8, Why::BodyLength);
        refused::<ResvConfirm>(&octets("00080f03 0a010c01"), 3, Why::UnknownCType);
    }
}
