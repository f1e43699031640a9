//! SENDER_TSPEC, RFC 2205 A.11 and RFC 2210 3.1: the traffic a sender generates.
//!
//! ```text
//! C-Type 2: message header (7 words), service header (service 1, 6 words), parameter 127
//! ```

use bytes::BufMut;
use nom::Parser;
use nom::combinator::verify;

use super::Object;
use super::body::{octet, whole};
use super::tspec::{self, TSPEC_WORDS, Tspec};
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::message::ObjectRef;

/// The Tspec of a Path, RFC 2210 3.1.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct SenderTspec(pub Tspec);

/// Service number of default and global parameters.
pub(super) const GENERAL: u8 = 1;
const OVERALL_WORDS: u16 = TSPEC_WORDS + 1;

impl<'a> Object<'a> for SenderTspec {
    const CLASS: Class = Class::SENDER_TSPEC;

    #[inline]
    fn read(object: ObjectRef<'a>) -> Result<Self, ParseError> {
        if object.ctype != CType(2) {
            return Err(object.unknown_ctype());
        }
        whole(object, |input| {
            let (input, _) = verify(octet, |&first: &u8| first >> 4 == 0).parse(input)?;
            let (input, _) = (octet, tspec::length_of(OVERALL_WORDS)).parse(input)?;
            let (input, _) = verify(octet, |&service: &u8| service == GENERAL).parse(input)?;
            let (input, _) = (octet, tspec::length_of(TSPEC_WORDS)).parse(input)?;
            tspec::tspec.map(Self).parse(input)
        })
    }

    #[inline]
    fn ctype(&self) -> CType {
        CType(2)
    }

    #[inline]
    fn body_len(&self) -> usize {
        32
    }

    #[inline]
    fn write_body(&self, out: &mut impl BufMut) {
        tspec::put_message_header(OVERALL_WORDS, out);
        tspec::put_service_header(GENERAL, false, TSPEC_WORDS, out);
        tspec::put_tspec(&self.0, out);
    }
}
