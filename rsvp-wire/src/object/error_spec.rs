//! ERROR_SPEC, RFC 2205 A.5: an error, or in a ResvConf a confirmation.
//!
//! ```text
//! C-Type 1                                                 C-Type 2: the same with an
//! +-------------+-------------+-------------+-------------+ IPv6 address of 16 octets
//! |            IPv4 Error Node Address (4 bytes)          |
//! +-------------+-------------+-------------+-------------+
//! |    Flags    |  Error Code |        Error Value        |
//! +-------------+-------------+-------------+-------------+
//! ```

use core::net::IpAddr;

use bytes::BufMut;

use super::Object;
use super::body::{address_ctype, address_len, addressed, half, octet, put_address};
use crate::code::{CType, Class, ErrorCode};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// Where an error was detected and which it is, RFC 2205 A.5 and Appendix B.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct ErrorSpec {
    /// The node that detected the error.
    pub node: IpAddr,
    /// [`ErrorSpec::IN_PLACE`], [`ErrorSpec::NOT_GUILTY`] and unassigned bits.
    pub flags: u8,
    /// Error Code.
    pub code: ErrorCode,
    /// Error Value; its meaning depends on the code ([`error_value_name`](crate::error_value_name)).
    pub value: u16,
}

impl ErrorSpec {
    /// Flag in a ResvErr: a reservation was, and still is, in place at the failure point.
    pub const IN_PLACE: u8 = 1;
    /// Flag towards a receiver application: the failed flowspec was greater than the one it asked for.
    pub const NOT_GUILTY: u8 = 2;
}

impl<'a> Object<'a> for ErrorSpec {
    const CLASS: Class = Class::ERROR_SPEC;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        addressed(object, (octet, octet, half)).map(|(node, (flags, code, value))| Self {
            node,
            flags,
            code: ErrorCode(code),
            value,
        })
    }

    #[inline]
    fn ctype(&self) -> CType {
        address_ctype(self.node)
    }

    #[inline]
    fn body_len(&self) -> usize {
        address_len(self.node).saturating_add(4)
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        put_address(self.node, out);
        let [high, low] = self.value.to_be_bytes();
        out.put_slice(&[self.flags, self.code.0, high, low]);
    }
}
