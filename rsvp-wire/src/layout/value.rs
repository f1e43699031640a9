//! The values a walk yields. Those with an inside are walked on when somebody wants to.

use core::fmt::{self, Write};
use core::net::{Ipv4Addr, Ipv6Addr};

use super::field::{Field, Kind, Layout};
use super::record::Records;
use super::view::{View, fixed};
use super::wire::Cursor;
use crate::code::{CType, Class};
use crate::error::ParseError;
use crate::error_name::SubCode;
use crate::message::Objects;

/// A field that was walked over.
#[derive(Clone, Debug)]
pub struct FieldView<'a> {
    /// The field of the layout.
    pub field: &'static Field,
    /// Offset in the message of the octet it starts in.
    pub at: u16,
    /// What it holds.
    pub value: Value<'a>,
}

/// What a number is called.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Name {
    /// These words.
    Words(&'static str),
    /// The kind of an object: an Error Value of the codes 13 and 14 (RFC 2205 Appendix B).
    Object(Class, CType),
    /// An Error Value of the codes 01, 02 and 21 that is not merely a globally defined sub-code.
    SubCode(SubCode),
}

impl Name {
    /// Whether a text is this name.
    pub fn says(&self, text: &str) -> bool {
        /// What is left of a text of which only the beginning has been said.
        struct Left<'t>(&'t str);

        impl Write for Left<'_> {
            fn write_str(&mut self, said: &str) -> fmt::Result {
                self.0 = self.0.strip_prefix(said).ok_or(fmt::Error)?;
                Ok(())
            }
        }
        let mut left = Left(text);
        write!(left, "{self}").is_ok() && left.0.is_empty()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Object(class, ctype) => match class.name() {
                Some(name) => write!(f, "class {} ({name}), C-Type {}", class.0, ctype.0),
                None => write!(f, "class {}, C-Type {}", class.0, ctype.0),
            },
            Self::SubCode(sub_code) => sub_code.fmt(f),
        }
    }
}

/// What a field holds.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// A number.
    Uint(u64),
    /// A signed number.
    Int(i64),
    /// A bit.
    Bool(bool),
    /// A floating point number; any.
    Float(f32),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// A word of bits, and the names of some of them.
    Flags(u64, &'static [(u64, &'static str)]),
    /// A number, and its name.
    Code(u64, Option<Name>),
    /// Bits without a meaning.
    Reserved(u64),
    /// Octets that are not looked into.
    Octets(&'a [u8]),
    /// What should be text.
    Text(&'a [u8]),
    /// What fills up to a multiple of 4.
    Padding(&'a [u8]),
    /// Values of one kind.
    List(Items<'a>),
    /// A structure.
    Group(View<'a>),
    /// Structures of one layout.
    Groups(Groups<'a>),
    /// Sub-objects, TLVs and the like.
    Records(Records<'a>),
    /// Objects within the object.
    Objects(Nested<'a>),
}

/// The elements of a list, each of the same fixed size; none is left over.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    pub(super) kind: &'static Kind,
    pub(super) cursor: Cursor<'a>,
    /// The value of the earlier field that the names of the elements depend on.
    pub(super) earlier: Option<u64>,
}

impl Items<'_> {
    /// Whether any of the elements has a name.
    pub fn have_names(&self) -> bool {
        matches!(self.kind, Kind::Code(..))
            && self.clone().any(|element| matches!(element, Value::Code(_, Some(_))))
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.cursor.left() == 0 {
            return None;
        }
        let earlier = self.earlier;
        fixed(self.kind, &mut self.cursor, |_| earlier, Ok)?.ok()
    }
}

/// Structures one after the other. An element that does not fit is the last one, and an error.
#[derive(Clone, Debug)]
pub struct Groups<'a> {
    pub(super) layout: &'static Layout,
    pub(super) cursor: Cursor<'a>,
    pub(super) depth: u8,
}

impl<'a> Iterator for Groups<'a> {
    type Item = Result<View<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.cursor.left() == 0 {
            return None;
        }
        let rest = View::within(self.layout, self.cursor, self.depth);
        let mut fields = rest.fields();
        let ended = fields.try_for_each(|field| field.map(|_| ()));
        let taken = fields.passed().saturating_sub(self.cursor.passed());
        let element = ended.and_then(|()| {
            let (at, passed) = (self.cursor.at(), taken);
            let octets = self.cursor.take(passed)?;
            // An element without octets would be repeated for ever.
            if octets.is_empty() {
                Err(self.cursor.fault())
            } else {
                Ok(View::part(self.layout, octets, at, self.depth))
            }
        });
        if element.is_err() {
            self.cursor = Cursor::new(&[], self.cursor.at());
        }
        Some(element)
    }
}

/// Objects within an object.
#[derive(Copy, Clone, Debug)]
pub struct Nested<'a> {
    pub(super) octets: &'a [u8],
    pub(super) at: u16,
    pub(super) depth: u8,
}

impl<'a> Nested<'a> {
    /// The objects; ends at the first whose length is unsound.
    pub fn objects(&self) -> Objects<'a> {
        Objects::starting(self.octets, self.at)
    }

    pub(crate) const fn depth(&self) -> u8 {
        self.depth
    }
}
