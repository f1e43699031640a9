//! TIME_VALUES, RFC 2205 A.4: the refresh period of the node that made the message.
//!
//! ```text
//! +-------------+-------------+-------------+-------------+
//! |                   Refresh Period R                    |
//! +-------------+-------------+-------------+-------------+
//! ```
//!
//! Which periods are acceptable (RFC 2205 3.7) is not decided here.

use bytes::BufMut;
use nom::Parser;

use super::Object;
use super::body::{whole, word};
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// The refresh period R, RFC 2205 A.4.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct TimeValues {
    /// R, in milliseconds.
    pub refresh_ms: u32,
}

impl<'a> Object<'a> for TimeValues {
    const CLASS: Class = Class::TIME_VALUES;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        match object.ctype.0 {
            1 => whole(object, word.map(|refresh_ms| Self { refresh_ms })),
            _ => Err(object.unknown_ctype()),
        }
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(1)
    }

    #[inline]
    fn body_len(&self) -> usize {
        4
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        out.put_u32(self.refresh_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn as_captured() {
        // kom-real-3hop, packet 1, octet 32.
        both_ways(&octets("00080501 00007530"), &TimeValues { refresh_ms: 30_000 });
    }

    #[test]
    fn one_word_only() {
        refused::<TimeValues>(&octets("00040501"), 4, Why::BodyLength);
        refused::<TimeValues>(&octets("000c0501 00007530 00000000"), 8, Why::BodyLength);
        refused::<TimeValues>(&octets("00080502 00007530"), 3, Why::UnknownCType);
    }
}
