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
        addressed(object, (octet, octet, half), |node, (flags, code, value)| Self {
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

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn ipv4_as_captured() {
        // wireshark-rsvp-PATH-RESV, packet 8, octet 20: the confirmation in a ResvConf.
        let octets = octets("000c0601 0a011804 00000000");
        let node = [10, 1, 24, 4].into();
        both_ways(&octets, &ErrorSpec { node, flags: 0, code: ErrorCode::CONFIRMATION, value: 0 });
    }

    #[test]
    fn ipv6() {
        // By hand from RFC 2205 A.5 and B: fd00::9, InPlace, Admission Control failure, bandwidth unavailable.
        let octets = octets("00180602 fd000000 00000000 00000000 00000009 01010002");
        let (flags, code) = (ErrorSpec::IN_PLACE, ErrorCode::ADMISSION_CONTROL);
        both_ways(&octets, &ErrorSpec { node: "fd00::9".parse().unwrap(), flags, code, value: 2 });
        assert_eq!(crate::error_value_name(code, 2), Some("Requested bandwidth unavailable"));
    }

    #[test]
    fn length_follows_the_ctype() {
        refused::<ErrorSpec>(&octets("00080601 0a011804"), 8, Why::BodyLength);
        refused::<ErrorSpec>(&octets("00080603 0a011804"), 3, Why::UnknownCType);
    }
}
