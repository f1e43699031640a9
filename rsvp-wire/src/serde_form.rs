//! The JSON contract of `rsvp decode`, as `impl Serialize`: messages, objects, sub-objects and TLVs, by their layouts.
//!
//! A body that is not known or not sound is its octets (`bytes`), the latter with an `error`. Numbers are numbers; what
//! they mean stands beside them (`code_name`, `flags_names`, of lists `label_names`). A float that JSON cannot say is a string: `inf`, `-inf`,
//! `nan`, or `nan:` with the bits of any other one. What fills up (`padding`, `fill`) is there only where it is not zero
//! or where the octets end before it does: then it is what there is of it, down to an empty string. [`encode`](crate::encode) is the way back.

use core::cell::Cell;
use core::fmt::Display;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::error::ParseError;
use crate::layout::{FieldView, Head, Items, Name, RecordRef, Records, Value, View};
use crate::message::{Message, ObjectRef};
use crate::registry;
use crate::scan::Scan;
use crate::show::Hex;

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Text<T>(T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A float, also one that JSON has no number for.
struct Float(f32);

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_finite() => serializer.serialize_f32(value),
            f32::INFINITY => serializer.serialize_str("inf"),
            f32::NEG_INFINITY => serializer.serialize_str("-inf"),
            value if value.to_bits() == f32::NAN.to_bits() => serializer.serialize_str("nan"),
            value => serializer.collect_str(&format_args!("nan:{:08x}", value.to_bits())),
        }
    }
}

/// The names of the bits that are set.
struct Names(u64, &'static [(u64, &'static str)]);

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().filter(|(mask, _)| self.0 & mask != 0).map(|(_, name)| name))
    }
}

/// The name of each element of a list, empty for those that have none.
struct ItemNames<'v, 'a>(&'v Items<'a>);

impl Serialize for ItemNames<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone().map(|element| match element {
            Value::Code(_, Some(Name::Words(name))) => name,
            _ => "",
        }))
    }
}

impl Serialize for ParseError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("offset", &self.at)?;
        map.serialize_entry("reason", &Text(self.why))?;
        map.end()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Uint(value) | Self::Flags(value, _) | Self::Code(value, _) | Self::Reserved(value) => {
                serializer.serialize_u64(*value)
            }
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Float(value) => Float(*value).serialize(serializer),
            Self::Ipv4(address) => address.serialize(serializer),
            Self::Ipv6(address) => address.serialize(serializer),
            Self::Octets(octets) | Self::Padding(octets) => Hex(octets).serialize(serializer),
            Self::Text(octets) => match core::str::from_utf8(octets) {
                Ok(text) => serializer.serialize_str(text),
                Err(_) => Hex(octets).serialize(serializer),
            },
            Self::List(items) => serializer.collect_seq(items.clone()),
            Self::Group(view) => view.serialize(serializer),
            Self::Groups(groups) => serializer.collect_seq(groups.clone().filter_map(Result::ok)),
            Self::Records(records) => records.serialize(serializer),
            Self::Objects(nested) => {
                let none = Cell::new(None);
                let objects = nested.objects();
                serializer.collect_seq(objects.map(|object| Shown {
                    object,
                    depth: nested.depth(),
                    error: &none,
                }))
            }
        }
    }
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        entries(self, &mut map)?;
        map.end()
    }
}

/// The fields of a body that was found sound.
fn entries<M: SerializeMap>(view: &View<'_>, map: &mut M) -> Result<(), M::Error> {
    let mut fields = view.fields();
    // By reference: a field is looked at where it was put.
    while let Some(Ok(FieldView { field, value, .. })) = &fields.next() {
        match value {
            Value::Reserved(0) => continue,
            Value::Padding(octets) if whole_and_idle(octets, fields.passed(), 4) => continue,
            Value::Text(octets) if core::str::from_utf8(octets).is_err() => {
                map.serialize_entry(field.bytes_key, &Hex(octets))?;
                continue;
            }
            _ => {}
        }
        map.serialize_entry(field.name, value)?;
        match value {
            Value::Code(_, Some(Name::Words(name))) => map.serialize_entry(field.name_key, name)?,
            Value::Code(_, Some(name)) => map.serialize_entry(field.name_key, &Text(name))?,
            Value::Flags(value, names) if names.iter().any(|(mask, _)| value & mask != 0) => {
                map.serialize_entry(field.names_key, &Names(*value, names))?;
            }
            Value::List(items) if items.have_names() => {
                map.serialize_entry(field.names_key, &ItemNames(items))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether filling octets say nothing: they are zero, and there are as many as it takes to get to a multiple of `align`.
fn whole_and_idle(filling: &[u8], end: usize, align: usize) -> bool {
    end.is_multiple_of(align) && filling.iter().all(|octet| *octet == 0)
}

impl Serialize for Records<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut records = self.iter();
        while let Some(Ok(record)) = &records.next() {
            list.serialize_element(record)?;
        }
        list.end()
    }
}

impl Serialize for RecordRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let row = self.row();
        for head in self.space().header {
            match *head {
                Head::Type(_, name) => map.serialize_entry(name, &self.key)?,
                Head::Length(_) => map.serialize_entry("length", &self.length)?,
                Head::Extra(1, name) => map.serialize_entry(name, &(self.extra != 0))?,
                Head::Extra(_, name) => map.serialize_entry(name, &self.extra)?,
                Head::Flags(_, names) => {
                    map.serialize_entry("flags", &self.extra)?;
                    if names.iter().any(|(mask, _)| self.extra & mask != 0) {
                        map.serialize_entry("flags_names", &Names(self.extra, names))?;
                    }
                }
                Head::Reserved(_) if self.reserved == 0 => {}
                Head::Reserved(_) => map.serialize_entry("header_reserved", &self.reserved)?,
            }
        }
        map.serialize_entry("name", row.map_or("unknown", |row| row.name))?;
        map.serialize_entry("offset", &self.at())?;
        match &self.view() {
            Some(view) => entries(view, &mut map)?,
            None => map.serialize_entry("bytes", &Hex(self.body()))?,
        }
        if self.is_short_of_fill() || self.fill().iter().any(|octet| *octet != 0) {
            map.serialize_entry("fill", &Hex(self.fill()))?;
        }
        map.end()
    }
}

/// An object of a message, and where to leave word of what is wrong with it.
struct Shown<'a, 'e> {
    object: ObjectRef<'a>,
    depth: u8,
    error: &'e Cell<Option<ParseError>>,
}

impl Serialize for Shown<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let object = &self.object;
        let row = registry::row(object.class, object.ctype);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("class", &object.class.0)?;
        map.serialize_entry("c_type", &object.ctype.0)?;
        let name = row.map(|row| row.name).or_else(|| object.class.name());
        map.serialize_entry("name", name.unwrap_or("unknown"))?;
        map.serialize_entry("length", &object.octets().len())?;
        map.serialize_entry("offset", &object.at())?;
        let view = object.view_nested(self.depth);
        let found = object.check();
        // The fields of a body can be in their places although its type does not allow their values.
        match view {
            Some(view) if found.is_ok() || view.check().is_ok() => entries(&view, &mut map)?,
            _ => map.serialize_entry("bytes", &Hex(object.body()))?,
        }
        if let Err(error) = found {
            map.serialize_entry("error", &error)?;
            self.error.set(self.error.get().or(Some(error)));
        }
        map.end()
    }
}

impl Serialize for ObjectRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shown { object: *self, depth: 0, error: &Cell::new(None) }.serialize(serializer)
    }
}

/// The objects of a scan, up to the first that is unsound.
struct Objects<'a, 'e>(&'e Scan<'a>, &'e Cell<Option<ParseError>>);

impl Serialize for Objects<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let objects = self.0.objects().filter_map(Result::ok);
        serializer.collect_seq(objects.map(|object| Shown { object, depth: 0, error: self.1 }))
    }
}

/// The messages of a Bundle.
struct Inner<'a, 'e>(&'e Scan<'a>);

impl Serialize for Inner<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for (at, scan) in self.0.messages().filter_map(Result::ok) {
            list.serialize_element(&Placed(at, scan))?;
        }
        list.end()
    }
}

struct Placed<'a>(u16, Scan<'a>);

impl Serialize for Placed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("offset", &self.0)?;
        scanned(&self.1, &mut map)?;
        map.end()
    }
}

fn scanned<M: SerializeMap>(scan: &Scan<'_>, map: &mut M) -> Result<(), M::Error> {
    let error = Cell::new(None);
    if let Some(header) = scan.header() {
        map.serialize_entry("version", &header.version)?;
        if header.flags != 0 {
            map.serialize_entry("flags", &header.flags)?;
        }
        map.serialize_entry("msg_type", &header.msg_type.0)?;
        map.serialize_entry("message", &Text(header.msg_type))?;
        map.serialize_entry("length", &header.length)?;
        map.serialize_entry("checksum", scan.checksum().word())?;
        map.serialize_entry("checksum_value", &header.checksum)?;
        map.serialize_entry("send_ttl", &header.send_ttl)?;
        if header.reserved != 0 {
            map.serialize_entry("reserved", &header.reserved)?;
        }
    } else {
        map.serialize_entry("checksum", scan.checksum().word())?;
    }
    map.serialize_entry("truncated", &scan.truncated())?;
    map.serialize_entry("objects", &Objects(scan, &error))?;
    if scan.is_bundle() {
        map.serialize_entry("messages", &Inner(scan))?;
    }
    let rest = scan.unread();
    // Of a message that ends before its type, what is left is all there is, be it nothing.
    if !rest.is_empty() || scan.header().is_none() {
        map.serialize_entry("bytes", &Hex(rest))?;
    }
    match scan.error().or_else(|| error.get()) {
        Some(error) => map.serialize_entry("error", &error),
        None => Ok(()),
    }
}

impl Serialize for Scan<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        scanned(self, &mut map)?;
        map.end()
    }
}

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Scan::new(self.octets()).serialize(serializer)
    }
}
