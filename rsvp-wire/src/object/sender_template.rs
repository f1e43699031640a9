//! SENDER_TEMPLATE, RFC 2205 A.10: the sender of a Path. The body is that of FILTER_SPEC (A.9), where the layout is.

use bytes::BufMut;

use super::filter_spec::read_as;
use super::{FilterSpec, Object};
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// The sender that a Path describes, RFC 2205 A.10.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SenderTemplate(pub FilterSpec);

impl<'a> Object<'a> for SenderTemplate {
    const CLASS: Class = Class::SENDER_TEMPLATE;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        read_as(object, Self)
    }

    #[inline]
    fn ctype(&self) -> CType {
        self.0.ctype()
    }

    #[inline]
    fn body_len(&self) -> usize {
        self.0.body_len()
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        self.0.write_body(out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn all_ctypes() {
        // IPv4: kom-real-3hop, packet 1, octet 40. IPv6: by hand from RFC 2205 A.9 and A.10.
        let ipv4 = octets("000c0b01 0a4d0101 00001389");
        both_ways(&ipv4, &SenderTemplate(FilterSpec::new([10, 77, 1, 1].into(), 5001)));
        let ipv6 = octets("00180b02 fd000000 00000000 00000000 00000001 00000fa0");
        both_ways(&ipv6, &SenderTemplate(FilterSpec::new("fd00::1".parse().unwrap(), 4000)));
        let label = octets("00180b03 fd000000 00000000 00000000 00000001 00000005");
        let address = "fd00::1".parse().unwrap();
        both_ways(&label, &SenderTemplate(FilterSpec::Ipv6FlowLabel { address, reserved: 0, label: 5 }));
    }

    #[test]
    fn is_not_a_filter_spec() {
        refused::<FilterSpec>(&octets("000c0b01 0a4d0101 00001389"), 2, Why::UnknownClass);
        refused::<SenderTemplate>(&octets("00080b01 0a4d0101"), 8, Why::BodyLength);
    }
}
