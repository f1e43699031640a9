//! The fields of an object for people: a line each, by the layout of its body.
//!
//! Names are those of the JSON form, spaces for underscores; a unit at the end of a name is put after the value.

use rsvp_wire::layout::{FieldView, Head, Name, RecordRef, Value, View};

use super::text::Text;
use super::tree::{self, line};

/// Units at the end of names, and how they are shown.
const UNITS: [(&str, &str); 5] =
    [("_bytes_per_s", " bytes/s"), ("_bytes", " bytes"), ("_ms", " ms"), ("_us", " us"), ("_s", " s")];
/// Columns of a name.
const NAME: usize = 24;
/// Octets on a line of those that have no other form.
const ROW: usize = 32;

/// All fields of a body that was found sound; `base` is where the message is.
pub(super) fn all(view: &View<'_>, base: u16, depth: usize, out: &mut Text) {
    // By reference: a field is looked at where it was put.
    let mut fields = view.fields();
    while let Some(Ok(field)) = &fields.next() {
        one(field, base, depth, out);
    }
}

fn one(FieldView { field, at, value }: &FieldView<'_>, base: u16, depth: usize, out: &mut Text) {
    let at = at.saturating_add(base);
    match value {
        Value::Reserved(0) => return,
        Value::Padding(octets) if octets.iter().all(|octet| *octet == 0) => return,
        Value::Records(records) => {
            let mut records = records.iter();
            while let Some(Ok(record)) = &records.next() {
                self::record(record, base, depth, out);
            }
            return;
        }
        Value::Objects(nested) => {
            return nested.objects().for_each(|object| tree::object(&object, false, base, depth, out));
        }
        Value::Octets(octets) if octets.len() > ROW => {
            named(field.name, at, depth, out).number(octets.len()).put(" octets\n");
            return self::octets(octets, at, depth + 1, out);
        }
        Value::Group(view) => {
            named(field.name, at, depth, out).put("\n");
            return all(view, base, depth + 1, out);
        }
        Value::Groups(groups) => {
            named(field.name, at, depth, out).put("\n");
            return groups.clone().map_while(Result::ok).for_each(|view| all(&view, base, depth + 1, out));
        }
        _ => {}
    }
    let (name, unit) = split(field.name);
    named(name, at, depth, out);
    short(unit, value, out);
}

/// A value with its unit, to the end of the line.
#[inline]
fn short(unit: &str, value: &Value<'_>, out: &mut Text) {
    match value {
        // The unit is that of the number, not of its name.
        Value::Code(number, Some(name)) if !unit.is_empty() => {
            out.number(*number).put(unit).put(" (").show(name).put(")");
        }
        _ => {
            plain(value, out);
            out.put(unit);
        }
    }
    if let (Value::Float(rate), " bytes/s") = (value, unit) {
        bits_per_second(*rate, out);
    }
    out.octet(b'\n');
}

fn named<'o>(name: &str, at: u16, depth: usize, out: &'o mut Text) -> &'o mut Text {
    line(at, depth, out).name_column::<NAME>(name)
}

/// A name without its unit, and the unit.
#[inline]
fn split(name: &'static str) -> (&'static str, &'static str) {
    // All units end in `s`.
    if !name.ends_with('s') {
        return (name, "");
    }
    let found = UNITS.iter().find_map(|(end, unit)| name.strip_suffix(end).map(|name| (name, *unit)));
    found.unwrap_or((name, ""))
}

/// A value that fits on a line.
#[inline]
fn plain(value: &Value<'_>, out: &mut Text) {
    match value {
        Value::Uint(number) => out.number(*number),
        Value::Int(number) => out.number(*number),
        Value::Bool(set) => out.put(if *set { "yes" } else { "no" }),
        Value::Float(number) => out.float(*number),
        Value::Ipv4(address) => out.ipv4(*address),
        Value::Ipv6(address) => out.ipv6(*address),
        Value::Flags(word, names) => flags(*word, names, out),
        Value::Code(number, Some(Name::Words(name))) => out.number(*number).put(" (").put(name).put(")"),
        Value::Code(number, Some(name)) => out.number(*number).put(" (").show(name).put(")"),
        Value::Code(number, None) => out.number(*number),
        Value::Reserved(bits) => out.hex_number(*bits, (u64::BITS - bits.leading_zeros()).div_ceil(4)),
        Value::Octets(octets) | Value::Padding(octets) => out.hex(octets),
        Value::Text(octets) => out.show(&format_args!("\"{}\"", octets.escape_ascii())),
        Value::List(items) => {
            for (number, item) in items.clone().enumerate() {
                out.put(if number > 0 { ", " } else { "" });
                plain(&item, out);
            }
            out
        }
        Value::Group(_) | Value::Groups(_) | Value::Records(_) | Value::Objects(_) => out,
    };
}

fn flags<'o>(word: u64, names: &[(u64, &str)], out: &'o mut Text) -> &'o mut Text {
    out.hex_number(word, (u64::BITS - word.leading_zeros()).div_ceil(4).max(1));
    let mut before = " (";
    for (_, name) in names.iter().filter(|(mask, _)| word & mask != 0) {
        out.put(before).put(name);
        before = ", ";
    }
    out.put(if before == " (" { "" } else { ")" })
}

/// A rate once more, in what networks are measured in.
fn bits_per_second(rate: f32, out: &mut Text) {
    const UNITS: [(f64, &str); 3] = [(1e9, " Gbit/s)"), (1e6, " Mbit/s)"), (1e3, " kbit/s)")];
    let bits = f64::from(rate) * 8.0;
    let Some((size, unit)) = UNITS.iter().find(|(size, _)| bits >= *size).filter(|_| bits < 1e15) else {
        return;
    };
    let hundredths = (bits / size * 100.0).round() as u64;
    out.put(" (").number(hundredths / 100);
    match hundredths % 100 {
        0 => out,
        part if part % 10 == 0 => out.octet(b'.').number(part / 10),
        part => out.octet(b'.').octet(b'0' + (part / 10) as u8).octet(b'0' + (part % 10) as u8),
    }
    .put(unit);
}

/// A sub-object, TLV or the like.
fn record(record: &RecordRef<'_>, base: u16, depth: usize, out: &mut Text) {
    let at = record.at().saturating_add(base);
    line(at, depth, out).put(record.row().map_or("unknown", |row| row.name));
    let mut before = " (";
    for head in record.space().header {
        match *head {
            Head::Type(_, name) => out.put(before).spaced(name).put(" ").number(record.key),
            Head::Extra(1, name) if record.extra != 0 => out.put(before).spaced(name),
            Head::Extra(1, _) => continue,
            Head::Extra(_, name) => out.put(before).spaced(name).put(" ").number(record.extra),
            Head::Flags(..) if record.extra == 0 => out.put(before).put("flags 0"),
            Head::Flags(_, names) => flags(record.extra, names, out.put(before).put("flags ")),
            Head::Reserved(_) if record.reserved != 0 => {
                out.put(before).put("reserved ").number(record.reserved)
            }
            Head::Length(_) | Head::Reserved(_) => continue,
        };
        before = ", ";
    }
    out.put(if before == " (" { "" } else { ")" }).put(", ").number(record.octets().len()).put(" octets");
    match &record.view() {
        Some(view) => contents(view, base, depth + 1, out),
        None => {
            let header = record.space().header_len() as u16;
            octets(record.body(), at.saturating_add(header), depth + 1, out.put("\n"));
        }
    }
}

/// The fields of a record. If it has only one and that is plain, it goes on the record's own line, which names it.
fn contents(view: &View<'_>, base: u16, depth: usize, out: &mut Text) {
    let mut fields = view.fields();
    if let Some(Ok(FieldView { field, value, .. })) = &fields.next()
        && matches!(
            value,
            Value::Uint(_) | Value::Code(..) | Value::Float(_) | Value::Ipv4(_) | Value::Ipv6(_)
        )
        && !matches!(fields.next(), Some(Ok(_)))
    {
        return short(split(field.name).1, value, out.put(": "));
    }
    all(view, base, depth, out.put("\n"));
}

/// Octets that have no other form, some on a line.
pub(super) fn octets(octets: &[u8], at: u16, depth: usize, out: &mut Text) {
    let mut at = at;
    for row in octets.chunks(ROW) {
        line(at, depth, out);
        for (number, word) in row.chunks(4).enumerate() {
            out.put(if number > 0 { " " } else { "" }).hex(word);
        }
        out.put("\n");
        at = at.saturating_add(ROW as u16);
    }
}
