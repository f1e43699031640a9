//! Serde's data model as compact JSON into [`Text`]: what serde_json writes, octet for octet, for less work per field.
//!
//! Keys are names of fields and have nothing in them to escape; numbers and most texts are copied. What is rare or hard (floats,
//! texts to be escaped) is serde_json's. Only what the forms of `rsvp-wire` use is there: no options, enums or tuples.

use std::fmt::{self, Display};

use serde::ser::{Impossible, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::text::Text;

/// Writes one value.
pub(super) struct Compact<'t> {
    out: &'t mut Text,
    /// Whether it is a key of a map.
    key: bool,
}

impl<'t> Compact<'t> {
    #[inline]
    pub(super) const fn new(out: &'t mut Text) -> Self {
        Self { out, key: false }
    }
}

/// A list or a map that has been begun.
pub(super) struct Begun<'t> {
    out: &'t mut Text,
    empty: bool,
    end: u8,
}

impl<'t> Begun<'t> {
    #[inline]
    fn new(out: &'t mut Text, start: u8, end: u8) -> Self {
        out.octet(start);
        Self { out, empty: true, end }
    }

    #[inline]
    fn next(&mut self, key: bool) -> Compact<'_> {
        if !self.empty {
            self.out.octet(b',');
        }
        self.empty = false;
        Compact { out: self.out, key }
    }
}

/// Whether JSON cannot say a text as it is.
#[inline]
fn to_be_escaped(text: &[u8]) -> bool {
    text.iter().fold(false, |found, &octet| found | (octet < b' ') | (octet == b'"') | (octet == b'\\'))
}

/// What only serde_json says.
#[cold]
fn by_serde_json(value: &(impl Serialize + ?Sized), out: &mut Text) -> fmt::Result {
    serde_json::to_writer(out, value).map_err(|_| fmt::Error)
}

/// Numbers as they are, and what no form has.
macro_rules! methods {
    (numbers $($method:ident $type:ty;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> fmt::Result {
            self.out.number(value);
            Ok(())
        }
    )*};
    (never $($method:ident($($argument:ty),*) -> $result:ty;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$result, fmt::Error> {
            Err(fmt::Error)
        }
    )*};
}

type Never = Impossible<(), fmt::Error>;
type Name = &'static str;

impl<'t> Serializer for Compact<'t> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Begun<'t>;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Begun<'t>;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    methods! { numbers
        serialize_i8 i8; serialize_i16 i16; serialize_i32 i32; serialize_i64 i64;
        serialize_u8 u8; serialize_u16 u16; serialize_u32 u32; serialize_u64 u64;
    }

    methods! { never
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(Name) -> ();
        serialize_unit_variant(Name, u32, Name) -> ();
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(Name, usize) -> Never;
        serialize_tuple_variant(Name, u32, Name, usize) -> Never;
        serialize_struct(Name, usize) -> Never;
        serialize_struct_variant(Name, u32, Name, usize) -> Never;
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> fmt::Result {
        self.out.put(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> fmt::Result {
        by_serde_json(&value, self.out)
    }

    #[inline]
    fn serialize_str(self, value: &str) -> fmt::Result {
        if !self.key && to_be_escaped(value.as_bytes()) {
            return by_serde_json(value, self.out);
        }
        self.out.octet(b'"').put(value).octet(b'"');
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> fmt::Result {
        let start = self.out.len();
        self.out.octet(b'"').show(&value);
        if to_be_escaped(self.out.as_bytes().get(start + 1..).unwrap_or_default()) {
            self.out.truncate(start);
            return by_serde_json(&value.to_string(), self.out);
        }
        self.out.octet(b'"');
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: Name, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: Name,
        _: u32,
        _: Name,
        _: &T,
    ) -> fmt::Result {
        Err(fmt::Error)
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<Begun<'t>, fmt::Error> {
        Ok(Begun::new(self.out, b'[', b']'))
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Begun<'t>, fmt::Error> {
        Ok(Begun::new(self.out, b'{', b'}'))
    }
}

impl SerializeSeq for Begun<'_> {
    type Ok = ();
    type Error = fmt::Error;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        value.serialize(self.next(false))
    }

    #[inline]
    fn end(self) -> fmt::Result {
        self.out.octet(self.end);
        Ok(())
    }
}

impl SerializeMap for Begun<'_> {
    type Ok = ();
    type Error = fmt::Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> fmt::Result {
        key.serialize(self.next(true))
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        self.out.octet(b':');
        value.serialize(Compact::new(self.out))
    }

    #[inline]
    fn end(self) -> fmt::Result {
        self.out.octet(self.end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(value: &(impl Serialize + ?Sized)) {
        let mut text = Text::new();
        value.serialize(Compact::new(&mut text)).unwrap();
        let expected = serde_json::to_string(value).unwrap();
        assert_eq!(std::str::from_utf8(text.as_bytes()).unwrap(), expected);
    }

    /// What says itself by its `Display`.
    struct Collected(&'static str);

    impl Serialize for Collected {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self.0)
        }
    }

    #[test]
    fn as_serde_json_writes_it() {
        for text in ["", "plain", "Ünï", "quo\"te", "back\\slash", "line\n", "\u{1f}", "\u{7f}", " "] {
            same(text);
            same(&Collected(text));
        }
        for number in
            [0.0, -0.0, 0.1, 250_000.0, 1.25e8, 1e9, 1e16, 3.4e38, 1e-7, 16_777_217.0, f32::MIN_POSITIVE]
        {
            same(&number);
        }
        same(&[true, false][..]);
        same(&[u64::MAX, 0][..]);
        same(&i64::MIN);
        same(&Vec::<u8>::new());
        same(&std::collections::BTreeMap::<&str, u8>::new());
        same(&std::collections::BTreeMap::from([("one", vec![1]), ("two", vec![2])]));
        same(&std::net::Ipv4Addr::new(10, 0, 255, 1));
        same(&std::net::Ipv6Addr::LOCALHOST);
    }
}
