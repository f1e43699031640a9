//! The declarations: a figure of an RFC, written down once, becomes a layout and, if wanted, a struct that reads and
//! writes it.
//!
//! ```text
//! name(u8);                          a number of 8, 16, 32 or 64 bits; i16, f32, bool (one bit), Ipv4Addr, Ipv6Addr
//! name(u8: 4);                       one of fewer bits
//! name(u8 flags NAMES);              bits with names; `u8: 4 flags NAMES` too
//! name(u8 code NAMES);               a number with names; `code fn f` names by f(value), `code with g fn f` by f(g, value)
//! name(reserved u16);                kept, shown if not zero
//! @n(u8 of name);                    a length, written for you: octets of the later field; `u16 of name unit 4 plus 8`
//! name(octets); name(text);          to the end; `by n`: as the length says; `octets [6]`: so many
//! name(list u32);                    to the end; `by n`; `count m`: as many as the number m says
//! name(list u32 code fn f);          to the end; numbers with names; `code with g fn f` too
//! name(group T); name(groups T);     a `part!`, and a list of them
//! name(records SPACE);               sub-objects to the end; `by n`
//! name(objects);                     RSVP objects to the end; `by n`
//! name(padding);                     to the next multiple of 4
//! name(choice f { 1 => A, 2 => B, _ => C });   last, layouts only: goes on as the layout that fits the field f
//! name(optional A);                  last, layouts only: goes on as the layout if there is more
//! ```

/// The [`Kind`](super::Kind) of a field.
macro_rules! kind {
    (u8 $($rest:tt)*) => { $crate::layout::declare::number!(8; $($rest)*) };
    (u16 $($rest:tt)*) => { $crate::layout::declare::number!(16; $($rest)*) };
    (u32 $($rest:tt)*) => { $crate::layout::declare::number!(32; $($rest)*) };
    (u64 $($rest:tt)*) => { $crate::layout::declare::number!(64; $($rest)*) };
    (i16) => { $crate::layout::Kind::Int(16) };
    (i32) => { $crate::layout::Kind::Int(32) };
    (bool) => { $crate::layout::Kind::Bool };
    (f32) => { $crate::layout::Kind::Float };
    (Ipv4Addr) => { $crate::layout::Kind::Ipv4 };
    (Ipv6Addr) => { $crate::layout::Kind::Ipv6 };
    (reserved $type:ident) => { $crate::layout::declare::reserved!($type) };
    (reserved $type:ident : $bits:literal) => { $crate::layout::Kind::Reserved($bits) };
    (octets [$n:literal]) => { $crate::layout::Kind::Octets($crate::layout::Extent::Octets($n)) };
    (octets $($by:tt)*) => { $crate::layout::Kind::Octets($crate::layout::declare::extent!($($by)*)) };
    (text $($by:tt)*) => { $crate::layout::Kind::Text($crate::layout::declare::extent!($($by)*)) };
    (list $item:ident code $($names:tt)*) => {
        $crate::layout::Kind::List(
            &$crate::layout::declare::kind!($item code $($names)*),
            $crate::layout::Extent::ToEnd,
        )
    };
    (list $item:ident $($by:tt)*) => {
        $crate::layout::Kind::List(
            &<$item as $crate::layout::Item>::KIND,
            $crate::layout::declare::extent!($($by)*),
        )
    };
    (group $part:ident $($by:tt)*) => {
        $crate::layout::Kind::Group(<$part>::LAYOUT, $crate::layout::declare::extent!($($by)*))
    };
    (groups $part:ident $($by:tt)*) => {
        $crate::layout::Kind::Groups(<$part>::LAYOUT, $crate::layout::declare::extent!($($by)*))
    };
    (records $space:ident $($by:tt)*) => {
        $crate::layout::Kind::Records(|| &$space, $crate::layout::declare::extent!($($by)*))
    };
    (objects $($by:tt)*) => { $crate::layout::Kind::Objects($crate::layout::declare::extent!($($by)*)) };
    (padding) => { $crate::layout::Kind::Padding };
    (choice $on:ident { $($case:literal => $layout:ident,)* _ => $otherwise:ident $(,)? }) => {
        $crate::layout::Kind::Choice {
            on: stringify!($on),
            cases: &[$(($case, &$layout)),*],
            otherwise: &$otherwise,
        }
    };
    (optional $layout:ident) => { $crate::layout::Kind::Optional(&$layout) };
}

/// A number of so many bits.
macro_rules! number {
    ($bits:literal; : $fewer:literal $($rest:tt)*) => { $crate::layout::declare::number!($fewer; $($rest)*) };
    ($bits:literal;) => { $crate::layout::Kind::Uint($bits) };
    ($bits:literal; flags $names:expr) => { $crate::layout::Kind::Flags($bits, $names) };
    ($bits:literal; code fn $name:expr) => { $crate::layout::Kind::Code($bits, $crate::layout::Names::Of($name)) };
    ($bits:literal; code with $earlier:ident fn $name:expr) => {
        $crate::layout::Kind::Code($bits, $crate::layout::Names::With(stringify!($earlier), $name))
    };
    ($bits:literal; code $names:expr) => {
        $crate::layout::Kind::Code($bits, $crate::layout::Names::Table($names))
    };
}

macro_rules! reserved {
    (bool) => {
        $crate::layout::Kind::Reserved(1)
    };
    (u8) => {
        $crate::layout::Kind::Reserved(8)
    };
    (u16) => {
        $crate::layout::Kind::Reserved(16)
    };
    (u32) => {
        $crate::layout::Kind::Reserved(32)
    };
    (u64) => {
        $crate::layout::Kind::Reserved(64)
    };
}

/// The [`Kind`](super::Kind) of a length field, and its bits.
macro_rules! length {
    ($type:ident of $of:ident) => { $crate::layout::declare::length!($type of $of unit 1 plus 0) };
    ($type:ident of $of:ident unit $unit:literal) => {
        $crate::layout::declare::length!($type of $of unit $unit plus 0)
    };
    ($type:ident of $of:ident plus $plus:literal) => {
        $crate::layout::declare::length!($type of $of unit 1 plus $plus)
    };
    ($type:ident of $of:ident unit $unit:literal plus $plus:literal) => {
        $crate::layout::Kind::Length { bits: $type::BITS as u8, of: stringify!($of), unit: $unit, plus: $plus }
    };
}

macro_rules! extent {
    () => {
        $crate::layout::Extent::ToEnd
    };
    (by $name:ident) => {
        $crate::layout::Extent::By(stringify!($name))
    };
    (count $name:ident) => {
        $crate::layout::Extent::Count(stringify!($name))
    };
}

/// One [`Field`](super::Field).
macro_rules! field {
    ($name:ident, $kind:expr) => {
        $crate::layout::Field {
            name: stringify!($name),
            name_key: concat!(stringify!($name), "_name"),
            names_key: concat!(stringify!($name), "_names"),
            bytes_key: concat!(stringify!($name), "_bytes"),
            kind: $kind,
        }
    };
}

/// The fields of a declaration.
macro_rules! fields {
    ($($(@ $length:ident ($($of:tt)*);)* $field:ident ($($kind:tt)*);)*) => {
        &[$(
            $($crate::layout::declare::field!($length, $crate::layout::declare::length!($($of)*)),)*
            $crate::layout::declare::field!($field, $crate::layout::declare::kind!($($kind)*)),
        )*]
    };
}

/// Layouts without a struct.
macro_rules! layout {
    ($($(#[$about:meta])* $vis:vis $name:ident { $($fields:tt)* })*) => {
        $(
            $(#[$about])*
            $vis const $name: $crate::layout::Layout =
                $crate::layout::Layout { fields: $crate::layout::declare::fields!($($fields)*) };
        )*
    };
}

/// The Rust type of a field.
macro_rules! field_type {
    (reserved $type:ident $(: $bits:literal)?) => { $type };
    (octets [$n:literal]) => { [u8; $n] };
    (octets $($by:tt)*) => { &'a [u8] };
    (text $($by:tt)*) => { &'a [u8] };
    (list $item:ident $($by:tt)*) => { $crate::layout::List<'a, $item> };
    (groups $item:ident $($by:tt)*) => { $crate::layout::List<'a, $item> };
    (group $part:ident $($by:tt)*) => { $part };
    (records $($space:tt)*) => { $crate::layout::Records<'a> };
    (objects $($by:tt)*) => { &'a [u8] };
    (padding) => { $crate::layout::Padding };
    ($type:ident $($more:tt)*) => { $type };
}

/// Reads a field.
macro_rules! take {
    ($c:ident; reserved $type:ident : $bits:literal) => { $c.uint($bits)? as $type };
    ($c:ident; reserved $type:ident) => { $c.uint($type::BITS as u8)? as $type };
    ($c:ident; octets [$n:literal]) => { $c.array::<$n>()? };
    ($c:ident; octets $($by:tt)*) => { $crate::layout::declare::stretch!($c; 1; $($by)*) };
    ($c:ident; text $($by:tt)*) => { $crate::layout::declare::stretch!($c; 1; $($by)*) };
    ($c:ident; list $item:ident $($by:tt)*) => {{
            let octets = $crate::layout::declare::stretch!($c; $crate::layout::octets_of::<$item>(); $($by)*);
            $crate::layout::List::wire($c.sub(octets))?
    }};
    ($c:ident; groups $item:ident $($by:tt)*) => {
        $crate::layout::declare::take!($c; list $item $($by)*)
    };
    ($c:ident; group $part:ident) => { <$part>::take_from($c)? };
    ($c:ident; records $space:ident $($by:tt)*) => {{
        let at = $c.at();
        $crate::layout::Records::read(&$space, $crate::layout::declare::stretch!($c; 1; $($by)*), at)?
    }};
    ($c:ident; objects $($by:tt)*) => { $crate::layout::declare::stretch!($c; 1; $($by)*) };
    ($c:ident; padding) => { $crate::layout::Padding::read($c.padding()?) };
    ($c:ident; bool) => { $c.uint(1)? != 0 };
    ($c:ident; f32) => { $c.float()? };
    ($c:ident; Ipv4Addr) => { $c.ipv4()? };
    ($c:ident; Ipv6Addr) => { $c.ipv6()? };
    ($c:ident; $type:ident : $bits:literal $($more:tt)*) => { $c.uint($bits)? as $type };
    ($c:ident; $type:ident $($more:tt)*) => { $c.uint($type::BITS as u8)? as $type };
}

/// The octets of a field without a fixed size.
macro_rules! stretch {
    ($c:ident; $each:expr; $(code $($names:tt)*)?) => {
        $c.take($c.left())?
    };
    ($c:ident; $each:expr; by $length:ident) => {
        $c.take($length as usize)?
    };
    ($c:ident; $each:expr; count $count:ident) => {
        $c.take(($count as usize).saturating_mul($each))?
    };
}

/// Reads a length field: the octets it stands for.
macro_rules! take_length {
    ($c:ident; $type:ident of $of:ident) => {
        $c.length($type::BITS as u8, 1, 0)?
    };
    ($c:ident; $type:ident of $of:ident unit $unit:literal) => {
        $c.length($type::BITS as u8, $unit, 0)?
    };
    ($c:ident; $type:ident of $of:ident plus $plus:literal) => {
        $c.length($type::BITS as u8, 1, $plus)?
    };
    ($c:ident; $type:ident of $of:ident unit $unit:literal plus $plus:literal) => {
        $c.length($type::BITS as u8, $unit, $plus)?
    };
}

/// Writes a field.
macro_rules! put {
    ($o:ident, $v:expr; reserved $type:ident : $bits:literal) => {
        $o.uint(u64::from($v), $bits)
    };
    ($o:ident, $v:expr; reserved $type:ident) => {
        $o.uint(u64::from($v), $type::BITS as u8)
    };
    ($o:ident, $v:expr; octets [$n:literal]) => {
        $o.octets(&$v)
    };
    ($o:ident, $v:expr; octets $($by:tt)*) => {
        $o.octets($v)
    };
    ($o:ident, $v:expr; text $($by:tt)*) => {
        $o.octets($v)
    };
    ($o:ident, $v:expr; list $($by:tt)*) => {
        $v.put($o)
    };
    ($o:ident, $v:expr; groups $($by:tt)*) => {
        $v.put($o)
    };
    ($o:ident, $v:expr; group $part:ident) => {
        $v.put_to($o)
    };
    ($o:ident, $v:expr; records $($by:tt)*) => {
        $o.octets($v.octets())
    };
    ($o:ident, $v:expr; objects $($by:tt)*) => {
        $o.octets($v)
    };
    ($o:ident, $v:expr; padding) => {
        $o.padding($v)
    };
    ($o:ident, $v:expr; bool) => {
        $o.uint(u64::from($v), 1)
    };
    ($o:ident, $v:expr; f32) => {
        $o.octets(&$v.to_be_bytes())
    };
    ($o:ident, $v:expr; Ipv4Addr) => {
        $o.octets(&$v.octets())
    };
    ($o:ident, $v:expr; Ipv6Addr) => {
        $o.octets(&$v.octets())
    };
    ($o:ident, $v:expr; i16) => {
        $o.octets(&$v.to_be_bytes())
    };
    ($o:ident, $v:expr; i32) => {
        $o.octets(&$v.to_be_bytes())
    };
    ($o:ident, $v:expr; $type:ident : $bits:literal $($more:tt)*) => {
        $o.uint(u64::from($v), $bits)
    };
    ($o:ident, $v:expr; $type:ident $($more:tt)*) => {
        $o.uint(u64::from($v), $type::BITS as u8)
    };
}

/// Writes a length field.
macro_rules! put_length {
    ($self:ident, $o:ident; $type:ident of $of:ident $(unit $unit:literal)? $(plus $plus:literal)?) => {{
        let octets = $crate::layout::Span::octets_len(&$self.$of) $(.saturating_add($plus))?;
        let length = octets $(.div_ceil($unit))?;
        $o.uint(length as u64, $type::BITS as u8);
    }};
}

/// A struct, its layout, and how it is read and written. The base of `object!`, `record!` and `part!`.
macro_rules! structure {
    (
        [$($about:tt)*] $vis:vis $name:ident $(<$life:lifetime>)?
        { $($(@ $length:ident ($($of:tt)*);)* $(#[$doc:meta])* $field:ident ($($kind:tt)*);)* }
    ) => {
        $($about)*
        #[derive(Copy, Clone, PartialEq, Debug)]
        $vis struct $name $(<$life>)? {
            $($(#[$doc])* pub $field: $crate::layout::declare::field_type!($($kind)*),)*
        }

        impl<'a> $name $(<$life>)? {
            /// The figure, field by field.
            pub const LAYOUT: &'static $crate::layout::Layout = &$crate::layout::Layout {
                fields: $crate::layout::declare::fields!($($(@ $length ($($of)*);)* $field ($($kind)*);)*),
            };

            pub(crate) fn take_from(
                cursor: &mut $crate::layout::Cursor<'a>,
            ) -> Result<Self, $crate::ParseError> {
                $(
                    $(let $length = $crate::layout::declare::take_length!(cursor; $($of)*);)*
                    let $field = $crate::layout::declare::take!(cursor; $($kind)*);
                )*
                Ok(Self { $($field),* })
            }

            pub(crate) fn put_to<S: $crate::layout::Sink>(&self, out: &mut $crate::layout::BitWriter<S>) {
                $(
                    $($crate::layout::declare::put_length!(self, out; $($of)*);)*
                    $crate::layout::declare::put!(out, self.$field; $($kind)*);
                )*
            }
        }
    };
}

/// A typed object: `object! { /// … pub Label: RSVP_LABEL 1 { /// … label(u32); } }`.
macro_rules! object {
    ($($(#[$about:meta])* $vis:vis $name:ident $(<$life:lifetime>)? : $class:ident $ctype:literal { $($fields:tt)* })*) => {
        $(
            $crate::layout::declare::structure! { [$(#[$about])*] $vis $name $(<$life>)? { $($fields)* } }

            impl<'a> $crate::Object<'a> for $name $(<$life>)? {
                const CLASS: $crate::Class = $crate::Class::$class;

                fn read(object: $crate::ObjectRef<'a>) -> Result<Self, $crate::ParseError> {
                    if object.ctype != $crate::CType($ctype)
                        && !$crate::registry::ctype_ignored(Self::CLASS)
                    {
                        return Err(object.unknown_ctype());
                    }
                    let mut cursor = object.cursor();
                    let value = Self::take_from(&mut cursor)?;
                    cursor.end().map(|()| value)
                }

                fn ctype(&self) -> $crate::CType {
                    $crate::CType($ctype)
                }

                fn body_len(&self) -> usize {
                    $crate::layout::count(|out| self.put_to(out))
                }

                fn write_body(&self, out: &mut impl bytes::BufMut) {
                    self.put_to(&mut $crate::layout::BitWriter::new($crate::layout::ToBuffer(out)));
                }
            }
        )*
    };
}

/// A typed sub-object or TLV: `record! { /// … pub Ipv4Hop: EXPLICIT_ROUTE 1 { /// … address(Ipv4Addr); } }`. The
/// fields are those after the header.
macro_rules! record {
    ($($(#[$about:meta])* $vis:vis $name:ident $(<$life:lifetime>)? : $space:ident $key:literal { $($fields:tt)* })*) => {
        $(
            $crate::layout::declare::structure! { [$(#[$about])*] $vis $name $(<$life>)? { $($fields)* } }

            impl<'a> $crate::layout::Record<'a> for $name $(<$life>)? {
                const SPACE: &'static $crate::layout::Space = &$space;
                const KEY: u32 = $key;

                fn take(cursor: &mut $crate::layout::Cursor<'a>) -> Result<Self, $crate::ParseError> {
                    Self::take_from(cursor)
                }

                fn put<S: $crate::layout::Sink>(&self, out: &mut $crate::layout::BitWriter<S>) {
                    self.put_to(out);
                }
            }
        )*
    };
}

/// A structure of fixed size within a body: the elements of `groups`.
#[allow(unused_macros, reason = "a shape that no object outside the tests has yet")]
macro_rules! part {
    ($($(#[$about:meta])* $vis:vis $name:ident { $($fields:tt)* })*) => {
        $(
            $crate::layout::declare::structure! { [$(#[$about])*] $vis $name { $($fields)* } }

            impl $crate::layout::Item for $name {
                const KIND: $crate::layout::Kind =
                    $crate::layout::Kind::Group(Self::LAYOUT, $crate::layout::Extent::ToEnd);

                fn take(cursor: &mut $crate::layout::Cursor<'_>) -> Option<Self> {
                    Self::take_from(cursor).ok()
                }

                fn put<S: $crate::layout::Sink>(self, out: &mut $crate::layout::BitWriter<S>) {
                    self.put_to(out);
                }
            }
        )*
    };
}

/// The table of a registry of records: `TYPE "name" "section"`, then `opaque "why"`, or `typed Type` for one declared
/// with `record!`, or `laid LAYOUT` for one that is only a layout. Sorted by type.
macro_rules! record_rows {
    ($($key:literal $name:literal $section:literal $known:ident $how:tt;)*) => {
        &[$($crate::layout::declare::record_row!($key $name $section $known $how)),*]
    };
}

/// One row of `record_rows!`.
macro_rules! record_row {
    ($key:literal $name:literal $section:literal opaque $why:literal) => {
        $crate::layout::RecordRow {
            key: $key,
            name: $name,
            section: $section,
            layout: None,
            status: $crate::layout::Status::Opaque($why),
        }
    };
    ($key:literal $name:literal $section:literal typed $record:ident) => {
        $crate::layout::RecordRow {
            key: $key,
            name: $name,
            section: $section,
            layout: Some($record::LAYOUT),
            status: $crate::layout::Status::Typed,
        }
    };
    ($key:literal $name:literal $section:literal laid $layout:ident) => {
        $crate::layout::RecordRow {
            key: $key,
            name: $name,
            section: $section,
            layout: Some(&$layout),
            status: $crate::layout::Status::Typed,
        }
    };
}

pub(crate) use {
    extent, field, field_type, fields, kind, layout, length, number, object, part, put, put_length, record,
    record_row, record_rows, reserved, stretch, structure, take, take_length,
};
