//! Fields by their layouts, in one line: `LABEL_REQUEST[l3pid=IPv4]`, `RSVP_LABEL[16]`.
//!
//! What follows from the rest (lengths) or says nothing (reserved bits, padding and flags that are zero) is left out.

use core::fmt::{self, Display, Formatter};

use super::opaque;
use crate::layout::{Field, FieldView, Head, Kind, RecordRef, Value, View};
use crate::message::ObjectRef;

/// Octets as hexadecimal digits.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
        for octets in self.0.chunks(32) {
            let mut text = [0; 64];
            let (pairs, _) = text.as_chunks_mut::<2>();
            for (pair, octet) in pairs.iter_mut().zip(octets) {
                *pair = [digit(octet >> 4), digit(octet & 15)];
            }
            let digits = text.get(..octets.len().saturating_mul(2)).unwrap_or_default();
            f.write_str(core::str::from_utf8(digits).unwrap_or_default())?;
        }
        Ok(())
    }
}

/// How an object is shown that is read by its layout only.
pub(super) fn by_layout(object: &ObjectRef<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    let Some(view) = object.view() else { return opaque(object, f) };
    match view.check() {
        Ok(()) => {
            write!(f, "{}[", object.class)?;
            named(&view, f)?;
            f.write_str("]")
        }
        Err(error) => write!(f, "{}/{}[{error}]", object.class, object.ctype),
    }
}

/// Whether a field has nothing to say to a reader in a hurry.
pub(super) fn idle(field: &Field, value: &Value<'_>) -> bool {
    match value {
        Value::Reserved(value) => *value == 0,
        Value::Padding(octets) => octets.iter().all(|octet| *octet == 0),
        Value::Flags(value, _) => *value == 0,
        _ => matches!(field.kind, Kind::Length { .. }),
    }
}

/// The fields that have something to say.
fn telling<'a>(view: &View<'a>) -> impl Iterator<Item = FieldView<'a>> {
    view.fields().filter_map(Result::ok).filter(|field| !idle(field.field, &field.value))
}

/// `name=value name=value`; a single field goes without its name.
fn named(view: &View<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    let several =
        view.fields().filter_map(Result::ok).filter(|field| !idle(field.field, &field.value)).count() > 1;
    telling(view).enumerate().try_for_each(|(place, field)| {
        f.write_str(if place > 0 { " " } else { "" })?;
        if several {
            write!(f, "{}=", field.field.name)?;
        }
        write!(f, "{}", Shown(&field.value))?;
        match &field.value {
            Value::Flags(value, names) => words(*value, names, f),
            _ => Ok(()),
        }
    })
}

/// The names of the bits that are set, of those that are a word: `(Handshake)`.
fn words(value: u64, names: &[(u64, &str)], f: &mut Formatter<'_>) -> fmt::Result {
    let set = || names.iter().filter(|(mask, name)| value & mask != 0 && !name.contains(' '));
    if set().next().is_none() {
        return Ok(());
    }
    f.write_str("(")?;
    set()
        .enumerate()
        .try_for_each(|(place, (_, name))| write!(f, "{}{name}", if place > 0 { "+" } else { "" }))?;
    f.write_str(")")
}

/// A value in one line.
pub(super) struct Shown<'v, 'a>(pub(super) &'v Value<'a>);

impl Display for Shown<'_, '_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Code(_, Some(name)) => write!(f, "{name}"),
            Value::Uint(value) | Value::Code(value, None) => write!(f, "{value}"),
            Value::Flags(value, _) | Value::Reserved(value) => write!(f, "{value:#x}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value}"),
            Value::Ipv4(address) => write!(f, "{address}"),
            Value::Ipv6(address) => write!(f, "{address}"),
            Value::Octets(octets) | Value::Padding(octets) => write!(f, "{}", Hex(octets)),
            Value::Text(octets) => write!(f, "\"{}\"", octets.escape_ascii()),
            Value::List(items) => separated(items.clone(), f, |value, f| match &value {
                // What the names depend on is not always known: the numbers stay.
                Value::Code(number, Some(name)) => write!(f, "{number} ({name})"),
                value => write!(f, "{}", Shown(value)),
            }),
            Value::Group(view) => braced(view, f),
            Value::Groups(groups) => {
                separated(groups.clone().filter_map(Result::ok), f, |view, f| braced(&view, f))
            }
            Value::Records(records) => {
                separated(records.iter().filter_map(Result::ok), f, |record, f| self::record(&record, f))
            }
            Value::Objects(nested) => {
                separated(nested.objects(), f, |object, f| write!(f, "{}", super::object(&object)))
            }
        }
    }
}

fn separated<T>(
    items: impl Iterator<Item = T>,
    f: &mut Formatter<'_>,
    show: impl Fn(T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    items.enumerate().try_for_each(|(place, item)| {
        f.write_str(if place > 0 { ", " } else { "" })?;
        show(item, f)
    })
}

fn braced(view: &View<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str("{")?;
    named(view, f)?;
    f.write_str("}")
}

/// `loose IPv4 prefix 10.0.0.1/32`.
fn record(record: &RecordRef<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    for head in record.space().header {
        match head {
            Head::Extra(1, name) if record.extra != 0 => write!(f, "{name} ")?,
            Head::Extra(bits, name) if *bits > 1 && record.extra != 0 => {
                write!(f, "{name}={} ", record.extra)?
            }
            Head::Flags(_, names) if record.extra != 0 => {
                write!(f, "flags={:#x}", record.extra)?;
                words(record.extra, names, f)?;
                f.write_str(" ")?;
            }
            _ => {}
        }
    }
    match record.row() {
        Some(row) => f.write_str(row.name)?,
        None => write!(f, "type {}", record.key)?,
    }
    match record.view() {
        Some(view) => telling(&view).enumerate().try_for_each(|(place, field)| {
            f.write_str(if place > 0 { "/" } else { " " })?;
            write!(f, "{}", Shown(&field.value))
        }),
        None => write!(f, " [{} octets]", record.body().len()),
    }
}
