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
        addressed(object, nom::combinator::success(())).map(|(address, ())| Self { address })
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
