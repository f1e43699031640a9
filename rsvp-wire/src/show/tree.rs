//! Messages as a tree: a line per object and per field, each with its offset in the message.
//!
//! What is damaged is shown as far as it goes, then what is wrong with it, then the octets that are left.

use core::fmt::{self, Formatter, Write};

use super::fields::{Hex, Shown, idle};
use super::{Rate, object as described};
use crate::error::ParseError;
use crate::layout::{FieldView, Head, RecordRef, Status, Value, View};
use crate::message::ObjectRef;
use crate::registry;
use crate::scan::Scan;

/// Units at the end of a field's name, and how they are said.
const UNITS: &[(&str, &str)] = &[
    ("_bytes_per_s", " bytes/s"),
    ("_bits_per_s", " bit/s"),
    ("_bytes", " bytes"),
    ("_words", " words"),
    ("_ms", " ms"),
    ("_us", " us"),
    ("_s", " s"),
];

/// The header and what follows it.
pub(super) fn message(scan: &Scan<'_>, indent: usize, f: &mut Formatter<'_>) -> fmt::Result {
    match scan.header() {
        Some(header) => write!(
            f,
            "{}: version {} flags {:#x} checksum {:#06x} ({}) Send_TTL {} length {}",
            header.msg_type,
            header.version,
            header.flags,
            header.checksum,
            scan.checksum().word(),
            header.send_ttl,
            header.length
        )?,
        None => f.write_str("no header")?,
    }
    for object in scan.objects().filter_map(Result::ok) {
        self::object(&object, indent, 0, f)?;
    }
    for (at, inner) in scan.messages().filter_map(Result::ok) {
        line(at, indent, f)?;
        let deeper = indent.saturating_add(2);
        message(&inner, deeper, f)?;
    }
    if let Some(error) = scan.error() {
        malformed(&error, indent, f)?;
    }
    if !scan.unread().is_empty() {
        write!(f, "\n{:7}{:indent$}octets not read: {}", "", "", Hex(scan.unread()))?;
    }
    Ok(())
}

fn line(at: u16, indent: usize, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "\n{at:5}  {:indent$}", "")
}

fn malformed(error: &ParseError, indent: usize, f: &mut Formatter<'_>) -> fmt::Result {
    line(error.at, indent, f)?;
    write!(f, "malformed: {}", error.why)
}

fn object(object: &ObjectRef<'_>, indent: usize, depth: u8, f: &mut Formatter<'_>) -> fmt::Result {
    line(object.at(), indent, f)?;
    write!(f, "{:3} octets  ", object.octets().len())?;
    let row = registry::row(object.class, object.ctype);
    let deeper = indent.saturating_add(4);
    let Some(view) = object.view_nested(depth) else {
        write!(f, "{}", described(object))?;
        if let Some(Status::Opaque(why)) = row.map(|row| row.status) {
            write!(f, " ({why})")?;
        }
        return bytes(object.body(), object.at().saturating_add(4), deeper, f);
    };
    match row {
        // What is shown by its layout is about to be.
        Some(row) if row.show.is_none() => f.write_str(row.name)?,
        _ => write!(f, "{}", described(object))?,
    }
    fields(&view, deeper, f)?;
    match view.check() {
        Ok(()) => object.check().map_or_else(|error| malformed(&error, deeper, f), |()| Ok(())),
        Err(_) => bytes(object.body(), object.at().saturating_add(4), deeper, f),
    }
}

fn bytes(octets: &[u8], at: u16, indent: usize, f: &mut Formatter<'_>) -> fmt::Result {
    if octets.is_empty() {
        return Ok(());
    }
    line(at, indent, f)?;
    write!(f, "bytes: {}", Hex(octets))
}

fn fields(view: &View<'_>, indent: usize, f: &mut Formatter<'_>) -> fmt::Result {
    view.fields().try_for_each(|field| match field {
        Ok(field) => self::field(&field, indent, f),
        Err(error) => malformed(&error, indent, f),
    })
}

fn field(field: &FieldView<'_>, indent: usize, f: &mut Formatter<'_>) -> fmt::Result {
    let FieldView { field, at, value } = field;
    if matches!(value, Value::Reserved(_) | Value::Padding(_)) && idle(field, value) {
        return Ok(());
    }
    let unit = UNITS.iter().find_map(|(end, said)| Some((field.name.strip_suffix(end)?, *said)));
    let (name, unit) = unit.unwrap_or((field.name, ""));
    line(*at, indent, f)?;
    name.chars().try_for_each(|letter| f.write_char(if letter == '_' { ' ' } else { letter }))?;
    f.write_str(":")?;
    let deeper = indent.saturating_add(2);
    match value {
        Value::Group(view) => fields(view, deeper, f),
        Value::Groups(groups) => groups.clone().enumerate().try_for_each(|(place, view)| match view {
            Ok(view) => {
                line(view.at(), deeper, f)?;
                write!(f, "{place}:")?;
                fields(&view, deeper.saturating_add(2), f)
            }
            Err(error) => malformed(&error, deeper, f),
        }),
        Value::Records(records) => records.iter().try_for_each(|record| match record {
            Ok(record) => self::record(&record, deeper, f),
            Err(error) => malformed(&error, deeper, f),
        }),
        Value::Objects(nested) => {
            nested.objects().try_for_each(|object| self::object(&object, deeper, nested.depth(), f))
        }
        value => {
            write!(f, " {}", Shown(value))?;
            said(value, f)?;
            f.write_str(unit)?;
            match value {
                Value::Float(rate) if unit == " bytes/s" => write!(f, " ({})", Rate(*rate)),
                _ => Ok(()),
            }
        }
    }
}

/// The number of a code that was shown by name, and the names of bits that were shown as a number.
fn said(value: &Value<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    match value {
        Value::Code(value, Some(_)) => write!(f, " ({value})"),
        Value::Flags(value, names) => {
            let set = names.iter().filter(|(mask, _)| value & mask != 0);
            set.enumerate()
                .try_for_each(|(place, (_, name))| write!(f, "{}{name}", if place > 0 { ", " } else { " " }))
        }
        _ => Ok(()),
    }
}

fn record(record: &RecordRef<'_>, indent: usize, f: &mut Formatter<'_>) -> fmt::Result {
    line(record.at(), indent, f)?;
    match record.row() {
        Some(row) => write!(f, "{} (", row.name)?,
        None => f.write_str("unknown (")?,
    }
    for (place, head) in record.space().header.iter().enumerate() {
        let comma = if place > 0 { ", " } else { "" };
        match head {
            Head::Type(_, name) => write!(f, "{comma}{name} {}", record.key)?,
            Head::Length(_) => write!(f, "{comma}length {}", record.length)?,
            Head::Extra(_, name) => write!(f, "{comma}{name} {}", record.extra)?,
            Head::Flags(_, names) => {
                write!(f, "{comma}flags {:#x}", record.extra)?;
                said(&Value::Flags(record.extra, names), f)?;
            }
            Head::Reserved(_) if record.reserved == 0 => {}
            Head::Reserved(_) => write!(f, "{comma}reserved {:#x}", record.reserved)?,
        }
    }
    f.write_str(")")?;
    let deeper = indent.saturating_add(2);
    match record.view() {
        Some(view) => fields(&view, deeper, f),
        None => {
            bytes(record.body(), record.at().saturating_add(record.space().header_len() as u16), deeper, f)
        }
    }
}
