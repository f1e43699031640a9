//! SENDER_TEMPLATE, RFC 2205 A.10: the sender of a Path. The body is that of FILTER_SPEC (A.9), where the layout is.

use bytes::BufMut;

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
        <FilterSpec as Object>::read(object).map(Self)
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
