//! POLICY_DATA, RFC 2205 A.13: opaque here; RFC 2750 says what is inside.
//!
//! The contents are kept as they are and neither read nor checked.

use bytes::BufMut;

use super::Object;
use super::body::whole;
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// The body of a POLICY_DATA object of C-Type 1, RFC 2205 A.13. A multiple of 4 octets.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct PolicyData<'a>(pub &'a [u8]);

impl<'a> Object<'a> for PolicyData<'a> {
    const CLASS: Class = Class::POLICY_DATA;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        match object.ctype.0 {
            1 => whole(object, nom::combinator::rest).map(Self),
            _ => Err(object.unknown_ctype()),
        }
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(1)
    }

    #[inline]
    fn body_len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        out.put_slice(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn kept_as_it_is() {
        // By hand from RFC 2205 3.1.2: any contents.
        let some = octets("000c0e01 01020304 05060708");
        both_ways(&some, &PolicyData(&[1, 2, 3, 4, 5, 6, 7, 8]));
        both_ways(&octets("00040e01"), &PolicyData(&[]));
        refused::<PolicyData<'_>>(&octets("00040e02"), 3, Why::UnknownCType);
    }
}
