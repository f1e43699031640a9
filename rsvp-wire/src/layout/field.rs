//! The vocabulary of layouts: kinds of fields, and registries of sub-objects and TLVs.

use super::value::Name;

/// The fields of a body in the order of the RFC's figure.
#[derive(Debug)]
pub struct Layout {
    /// Fields from the most significant bit of the first octet on.
    pub fields: &'static [Field],
}

/// One field of a figure.
#[derive(Debug)]
pub struct Field {
    /// Name in snake_case, the wire's own unit last: `refresh_ms`.
    pub name: &'static str,
    /// Under what the serde form says the name of its value: `code_name`.
    pub name_key: &'static str,
    /// Under what the serde form says the names of its bits: `flags_names`.
    pub names_key: &'static str,
    /// Under what the serde form says it as octets, when it is no text: `session_name_bytes`.
    pub bytes_key: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What a field is.
#[derive(Debug)]
pub enum Kind {
    /// An unsigned number of 1 to 64 bits.
    Uint(u8),
    /// A signed number (two's complement) of 2 to 64 bits.
    Int(u8),
    /// One bit.
    Bool,
    /// IEEE single.
    Float,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A word of so many bits, some of which have names; masks count from the least significant bit of the field.
    Flags(u8, &'static [(u64, &'static str)]),
    /// A number of so many bits, some values of which have names.
    Code(u8, Names),
    /// Bits without a meaning: kept, shown only if they are not zero.
    Reserved(u8),
    /// The length of a later field: `value * unit - plus` octets.
    Length {
        /// Bits of the length field.
        bits: u8,
        /// Name of the field it is the length of; `""`: of what follows, which is not checked.
        of: &'static str,
        /// Octets per count.
        unit: u8,
        /// Octets that are counted although they are not in the field.
        plus: u8,
    },
    /// Octets that this layout does not look into.
    Octets(Extent),
    /// Text; ASCII or UTF-8, but not trusted to be.
    Text(Extent),
    /// A number of elements of a kind with a fixed size.
    List(&'static Self, Extent),
    /// A structure.
    Group(&'static Layout, Extent),
    /// A number of structures of the same layout.
    Groups(&'static Layout, Extent),
    /// Sub-objects, TLVs or what else has a type and a length. By a function, because records may hold records of
    /// their own registry.
    Records(fn() -> &'static Space, Extent),
    /// Objects in the format of RFC 2205 3.1.2.
    Objects(Extent),
    /// Octets up to the next multiple of 4; kept, shown only if they are not zero.
    Padding,
    /// The layout goes on as an earlier field says. Last in its layout.
    Choice {
        /// Name of the earlier field.
        on: &'static str,
        /// How it goes on for its values.
        cases: &'static [(u64, &'static Layout)],
        /// How it goes on for all others.
        otherwise: &'static Layout,
    },
    /// The layout goes on if there are octets left. Last in its layout.
    Optional(&'static Layout),
}

/// How far a field without a fixed size goes.
#[derive(Copy, Clone, Debug)]
pub enum Extent {
    /// To the end of the body.
    ToEnd,
    /// So many octets.
    Octets(u16),
    /// As the earlier field of this name says: a [`Kind::Length`], or any number that counts octets.
    By(&'static str),
    /// So many elements as the earlier field of this name says.
    Count(&'static str),
}

/// Names of numbers.
#[derive(Copy, Clone, Debug)]
pub enum Names {
    /// As listed.
    Table(&'static [(u64, &'static str)]),
    /// As a function says.
    Of(fn(u64) -> Option<&'static str>),
    /// As a function says of the value of an earlier field and of this one.
    With(&'static str, fn(u64, u64) -> Option<Name>),
}

/// How much is known of a kind that has a row in a registry.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Status {
    /// Every field of the figure has a name.
    Typed,
    /// The octets are kept, and why they are not looked into.
    Opaque(&'static str),
}

/// A registry of things with a type and a length, and the header they have in common.
#[derive(Debug)]
pub struct Space {
    /// What the things are called: `EXPLICIT_ROUTE subobject`.
    pub name: &'static str,
    /// The header, in the order of the figure; whole octets, at most 8.
    pub header: &'static [Head],
    /// Octets per count of the length.
    pub unit: u8,
    /// Whether the length counts the header.
    pub counts_header: bool,
    /// Each ends at a multiple of so many octets; what fills it up is not in the length.
    pub align: u8,
    /// The kinds, sorted by type.
    pub rows: &'static [RecordRow],
}

/// A part of the header of a record.
#[derive(Copy, Clone, Debug)]
pub enum Head {
    /// The type, so many bits, under this name.
    Type(u8, &'static str),
    /// The length.
    Length(u8),
    /// One thing more that matters, under this name. A body can ask for it in a [`Kind::Choice`].
    Extra(u8, &'static str),
    /// The same, as a word of bits called `flags`, and the names of some of them.
    Flags(u8, &'static [(u64, &'static str)]),
    /// Bits without a meaning.
    Reserved(u8),
}

/// One known kind of record.
#[derive(Copy, Clone, Debug)]
pub struct RecordRow {
    /// The type.
    pub key: u32,
    /// What the RFC calls the kind.
    pub name: &'static str,
    /// Where the RFC defines it.
    pub section: &'static str,
    /// Its fields after the header, if it is typed.
    pub layout: Option<&'static Layout>,
    /// How much of it is known.
    pub status: Status,
}

impl Names {
    /// The name of a value; `earlier` looks up the value of an earlier field.
    pub fn name(&self, value: u64, earlier: impl FnOnce(&str) -> Option<u64>) -> Option<Name> {
        match *self {
            Self::Table(names) => {
                names.iter().find(|(number, _)| *number == value).map(|(_, name)| Name::Words(name))
            }
            Self::Of(name) => name(value).map(Name::Words),
            Self::With(field, name) => name(earlier(field)?, value),
        }
    }
}

impl Kind {
    /// Bits of a kind with a fixed size.
    pub const fn bits(&self) -> Option<usize> {
        Some(match self {
            Self::Uint(bits) | Self::Int(bits) | Self::Flags(bits, _) | Self::Code(bits, _) => *bits as usize,
            Self::Reserved(bits) | Self::Length { bits, .. } => *bits as usize,
            Self::Bool => 1,
            Self::Float | Self::Ipv4 => 32,
            Self::Ipv6 => 128,
            Self::Octets(Extent::Octets(octets)) => (*octets as usize).saturating_mul(8),
            Self::Group(layout, Extent::ToEnd) => return layout.bits(),
            _ => return None,
        })
    }
}

impl Layout {
    /// Bits of a layout in which all fields have a fixed size.
    #[expect(clippy::indexing_slicing, reason = "below the length of the slice")]
    pub const fn bits(&self) -> Option<usize> {
        let (mut bits, mut place) = (0usize, 0);
        while place < self.fields.len() {
            let Some(more) = self.fields[place].kind.bits() else { return None };
            bits = bits.saturating_add(more);
            place = place.saturating_add(1);
        }
        Some(bits)
    }
}

impl Space {
    /// The row of a type.
    pub fn row(&self, key: u32) -> Option<&'static RecordRow> {
        self.rows.iter().find(|row| row.key == key)
    }

    /// Octets of the header.
    pub fn header_len(&self) -> usize {
        let bits = |head: &Head| match *head {
            Head::Type(bits, _) | Head::Length(bits) | Head::Reserved(bits) => bits,
            Head::Extra(bits, _) | Head::Flags(bits, _) => bits,
        };
        self.header.iter().map(|head| usize::from(bits(head))).sum::<usize>() / 8
    }
}
