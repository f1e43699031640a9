//! Bodies by their layouts: the walk of [`View`](crate::layout::View), in the other direction.

use alloc::vec::Vec;
use alloc::{format, vec};
use core::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::entries::{EncodeError, Entries, Place, array, hex, number};
use super::{Lengths, object_at};
use crate::layout::{
    BitWriter, Extent, Field, Head, HeadValues, Kind, Layout, Names, Space, ToBuffer, write_head,
};

type Out<'o> = BitWriter<ToBuffer<'o, Vec<u8>>>;

/// One body on its way.
pub(super) struct Body<'b, 'j, 'p> {
    pub(super) entries: &'b Entries<'j, 'p>,
    pub(super) lengths: Lengths,
    /// What the header before the body says, under its name.
    pub(super) given: Option<(&'static str, u64)>,
    pub(super) layout: &'static Layout,
}

impl Body<'_, '_, '_> {
    /// The octets of all fields; `before` octets precede them where padding is counted from.
    pub(super) fn octets(&self, before: usize) -> Result<Vec<u8>, EncodeError> {
        let mut octets = vec![0; before];
        let mut out = BitWriter::starting_at(ToBuffer(&mut octets), before);
        let mut rest = self.layout.fields;
        while let Some((field, after)) = rest.split_first() {
            rest = match &field.kind {
                Kind::Choice { on, cases, otherwise } => {
                    let value = self.earlier(on)?;
                    let case = cases.iter().find(|(case, _)| Some(*case) == value);
                    case.map_or(otherwise.fields, |(_, layout)| layout.fields)
                }
                Kind::Optional(layout) => {
                    let more = layout.fields.iter().any(|field| self.has(field));
                    if more { layout.fields } else { after }
                }
                _ => {
                    self.field(field, &mut out)?;
                    after
                }
            };
        }
        octets.drain(..before);
        Ok(octets)
    }

    fn has(&self, field: &Field) -> bool {
        [field.name, field.name_key, field.names_key, field.bytes_key].iter().any(|key| self.entries.has(key))
    }

    /// The value of an earlier field, or of what the header says.
    fn earlier(&self, name: &str) -> Result<Option<u64>, EncodeError> {
        if let Some((given, value)) = self.given
            && given == name
        {
            return Ok(Some(value));
        }
        let Some(field) = self.layout.fields.iter().find(|field| field.name == name) else { return Ok(None) };
        match field.kind.bits() {
            Some(bits @ 1..=64) => self.word(field, bits as u8).map(Some),
            _ => Ok(None),
        }
    }

    /// A field that is a number, however the JSON says it.
    fn word(&self, field: &'static Field, bits: u8) -> Result<u64, EncodeError> {
        let Self { entries, lengths, .. } = *self;
        let computed = self.counted(field)?;
        let said = entries.number(field.name, bits)?;
        if let Some(counted) = computed.filter(|_| said.is_none() || lengths == Lengths::Computed) {
            let place = Place::Key(&entries.place, field.name);
            return number(&Value::from(counted), bits, &place);
        }
        let named = match &field.kind {
            Kind::Flags(_, names) => Some(self.flags(field, names)?),
            Kind::Code(_, names) => self.code(field, bits, names)?,
            Kind::Reserved(_) => Some(0),
            _ => None,
        };
        said.or(named).map_or_else(|| entries.missing(field.name), Ok)
    }

    /// What a length or a count has to be.
    fn counted(&self, field: &Field) -> Result<Option<usize>, EncodeError> {
        let fields = self.layout.fields;
        if let Kind::Length { of, unit, plus, .. } = field.kind {
            let Some(counted) = fields.iter().find(|other| other.name == of) else { return Ok(None) };
            let octets = self.alone(counted)?.len().saturating_add(usize::from(plus));
            return Ok(Some(octets.div_ceil(usize::from(unit).max(1))));
        }
        let counted = fields.iter().find_map(|other| match other.kind {
            Kind::Octets(extent)
            | Kind::Text(extent)
            | Kind::List(_, extent)
            | Kind::Groups(_, extent)
            | Kind::Records(_, extent)
            | Kind::Objects(extent)
            | Kind::Group(_, extent) => match extent {
                Extent::Count(name) if name == field.name => Some((other, true)),
                Extent::By(name) if name == field.name => Some((other, false)),
                _ => None,
            },
            _ => None,
        });
        match counted {
            None => Ok(None),
            Some((other, false)) => self.alone(other).map(|octets| Some(octets.len())),
            Some((other, true)) => {
                let elements = self.entries.take(other.name).and_then(Value::as_array);
                Ok(elements.map(Vec::len))
            }
        }
    }

    /// The octets of one field.
    fn alone(&self, field: &'static Field) -> Result<Vec<u8>, EncodeError> {
        let mut octets = Vec::new();
        self.field(field, &mut BitWriter::new(ToBuffer(&mut octets)))?;
        Ok(octets)
    }

    fn flags(&self, field: &Field, names: &[(u64, &str)]) -> Result<u64, EncodeError> {
        let Some(value) = self.entries.take(field.names_key) else { return Ok(0) };
        let place = Place::Key(&self.entries.place, field.names_key);
        array(value, &place)?.iter().enumerate().try_fold(0, |flags, (index, name)| {
            match names.iter().find(|(_, known)| Some(*known) == name.as_str()) {
                Some((mask, _)) => Ok(flags | mask),
                None => Place::Index(&place, index).error("is the name of no bit of this field"),
            }
        })
    }

    fn code(&self, field: &Field, bits: u8, names: &Names) -> Result<Option<u64>, EncodeError> {
        let Some(name) = self.entries.take(field.name_key) else { return Ok(None) };
        if self.entries.has(field.name) {
            return Ok(None);
        }
        let earlier = match names {
            Names::With(on, _) => self.earlier(on)?,
            _ => None,
        };
        let most = u64::MAX.checked_shr(64u32.saturating_sub(u32::from(bits.min(16)))).unwrap_or(0);
        let listed: &[(u64, &str)] = if let Names::Table(names) = names { names } else { &[] };
        let mut values = listed.iter().map(|(value, _)| *value).chain(0..=most);
        let said = name.as_str().unwrap_or_default();
        match values.find(|value| names.name(*value, |_| earlier).is_some_and(|name| name.says(said))) {
            Some(value) => Ok(Some(value)),
            None => {
                Place::Key(&self.entries.place, field.name_key).error("is the name of no value of this field")
            }
        }
    }

    fn field(&self, field: &'static Field, out: &mut Out<'_>) -> Result<(), EncodeError> {
        let entries = self.entries;
        let place = Place::Key(&entries.place, field.name);
        match &field.kind {
            kind if matches!(
                kind,
                Kind::Uint(_) | Kind::Flags(..) | Kind::Code(..) | Kind::Reserved(_) | Kind::Length { .. }
            ) =>
            {
                entries.ignore(&[field.name_key, field.names_key]);
                let bits = kind.bits().unwrap_or_default() as u8;
                out.uint(self.word(field, bits)?, bits);
                return Ok(());
            }
            Kind::Padding => {
                let given = entries.take(field.name).map(|value| hex(value, &place)).transpose()?;
                let missing = out.written().wrapping_neg() % 4;
                let mut padding = given.unwrap_or_else(|| vec![0; missing]);
                padding.truncate(missing);
                out.octets(&padding);
                return Ok(());
            }
            Kind::Text(_) => {
                let octets = match (entries.take(field.name), entries.take(field.bytes_key)) {
                    (Some(Value::String(text)), _) => text.as_bytes().to_vec(),
                    (Some(_), _) => return place.error("is not a string"),
                    (None, Some(octets)) => hex(octets, &Place::Key(&entries.place, field.bytes_key))?,
                    (None, None) => return entries.missing(field.name),
                };
                out.octets(&octets);
                return Ok(());
            }
            Kind::List(..) => entries.ignore(&[field.names_key]),
            _ => {}
        }
        let Some(value) = entries.take(field.name) else { return entries.missing(field.name) };
        self.value(&field.kind, value, &place, out)
    }

    fn value(
        &self,
        kind: &'static Kind,
        value: &Value,
        place: &Place<'_>,
        out: &mut Out<'_>,
    ) -> Result<(), EncodeError> {
        match kind {
            Kind::Octets(extent) => {
                let octets = hex(value, place)?;
                fits(extent, octets.len(), place)?;
                out.octets(&octets);
            }
            Kind::List(kind, _) => {
                for (index, element) in array(value, place)?.iter().enumerate() {
                    self.value(kind, element, &Place::Index(place, index), out)?;
                }
            }
            Kind::Group(layout, extent) => {
                let octets = self.group(layout, value, place)?;
                fits(extent, octets.len(), place)?;
                out.octets(&octets);
            }
            Kind::Groups(layout, _) => {
                for (index, element) in array(value, place)?.iter().enumerate() {
                    out.octets(&self.group(layout, element, &Place::Index(place, index))?);
                }
            }
            Kind::Records(space, _) => {
                let elements = array(value, place)?;
                for (index, element) in elements.iter().enumerate() {
                    let last = index.saturating_add(1) == elements.len();
                    out.octets(&record(space(), element, self.lengths, last, &Place::Index(place, index))?);
                }
            }
            Kind::Objects(_) => {
                for (index, element) in array(value, place)?.iter().enumerate() {
                    out.octets(&object_at(element, self.lengths, Place::Index(place, index))?);
                }
            }
            _ => scalar(kind, value, place, out)?,
        }
        Ok(())
    }

    fn group(
        &self,
        layout: &'static Layout,
        value: &Value,
        place: &Place<'_>,
    ) -> Result<Vec<u8>, EncodeError> {
        let entries = Entries::of(value, *place)?;
        let body = Body { entries: &entries, lengths: self.lengths, given: None, layout };
        let octets = body.octets(0)?;
        entries.done(&[])?;
        Ok(octets)
    }
}

/// A field of a fixed number of octets has as many.
fn fits(extent: &Extent, len: usize, place: &Place<'_>) -> Result<(), EncodeError> {
    match extent {
        Extent::Octets(octets) if usize::from(*octets) != len => {
            place.error(format!("has {len} octets: this field has {octets}"))
        }
        _ => Ok(()),
    }
}

fn scalar(kind: &Kind, value: &Value, place: &Place<'_>, out: &mut Out<'_>) -> Result<(), EncodeError> {
    match kind {
        Kind::Int(bits) => {
            let half = 1i64.checked_shl(u32::from(bits.saturating_sub(1))).unwrap_or(i64::MIN);
            match value.as_i64() {
                Some(number) if half == i64::MIN || (half.wrapping_neg()..half).contains(&number) => {
                    out.uint(number as u64, *bits);
                }
                _ => return place.error(format!("is not a whole number of {bits} bits with a sign")),
            }
        }
        Kind::Bool => out.uint(number(value, 1, place)?, 1),
        Kind::Float => match float(value) {
            Some(number) => out.octets(&number.to_be_bytes()),
            None => {
                return place
                    .error("is neither a number nor one of inf, -inf, nan, nan:<8 hexadecimal digits>");
            }
        },
        Kind::Ipv4 => match value.as_str().and_then(|text| text.parse::<Ipv4Addr>().ok()) {
            Some(address) => out.octets(&address.octets()),
            None => return place.error("is not an IPv4 address"),
        },
        Kind::Ipv6 => match value.as_str().and_then(|text| text.parse::<Ipv6Addr>().ok()) {
            Some(address) => out.octets(&address.octets()),
            None => return place.error("is not an IPv6 address"),
        },
        kind => {
            let bits = kind.bits().unwrap_or_default().min(64) as u8;
            out.uint(number(value, bits, place)?, bits);
        }
    }
    Ok(())
}

fn float(value: &Value) -> Option<f32> {
    match value {
        Value::String(text) => match text.as_str() {
            "inf" => Some(f32::INFINITY),
            "-inf" => Some(f32::NEG_INFINITY),
            "nan" => Some(f32::NAN),
            other => u32::from_str_radix(other.strip_prefix("nan:")?, 16).ok().map(f32::from_bits),
        },
        number => number.as_f64().map(|number| number as f32),
    }
}

/// A record with its header and what fills it up; only behind the last one there may be less of that.
fn record(
    space: &'static Space,
    value: &Value,
    lengths: Lengths,
    last: bool,
    place: &Place<'_>,
) -> Result<Vec<u8>, EncodeError> {
    let entries = Entries::of(value, *place)?;
    let mut head = HeadValues { key: 0, extra: 0, reserved: 0, length: None };
    let mut given = None;
    for part in space.header {
        match *part {
            Head::Type(bits, name) => head.key = record_type(space, &entries, bits, name)?,
            Head::Length(bits) => {
                let said = entries.number("length", bits)?;
                head.length = said.filter(|_| lengths == Lengths::AsGiven);
            }
            Head::Extra(bits, name) => {
                head.extra = entries.number(name, bits)?.unwrap_or(0);
                given = Some((name, head.extra));
            }
            Head::Flags(bits, _) => {
                head.extra = entries.number("flags", bits)?.unwrap_or(0);
                entries.ignore(&["flags_names"]);
            }
            Head::Reserved(bits) => head.reserved = entries.number("header_reserved", bits)?.unwrap_or(0),
        }
    }
    entries.ignore(&["name", "offset", "error"]);
    let header_len = space.header_len();
    let layout = space.row(head.key).and_then(|row| row.layout);
    let body = match (entries.take("bytes"), layout) {
        (Some(bytes), _) => hex(bytes, &Place::Key(place, "bytes"))?,
        (None, Some(layout)) => Body { entries: &entries, lengths, given, layout }.octets(header_len)?,
        (None, None) => return entries.missing("bytes"),
    };
    let len = header_len.saturating_add(body.len());
    let unit = usize::from(space.unit).max(1);
    if lengths == Lengths::Computed && !len.is_multiple_of(unit) {
        return place.error(format!("has {len} octets: its length counts in {unit}"));
    }
    let mut octets = Vec::new();
    let mut out = BitWriter::new(ToBuffer(&mut octets));
    write_head(space, &head, len, &mut out);
    out.octets(&body);
    let given = entries.take("fill").map(|fill| hex(fill, &Place::Key(place, "fill"))).transpose()?;
    let whole = given.is_none() || lengths == Lengths::Computed && !last;
    let missing = out.written().wrapping_neg().checked_rem(usize::from(space.align)).unwrap_or(0);
    let mut fill = given.unwrap_or_default();
    if lengths == Lengths::Computed {
        fill.truncate(missing);
    }
    out.octets(&fill);
    if whole {
        out.align(space.align);
    }
    entries.done(&[])?;
    Ok(octets)
}

/// The type of a record, by number or by name.
fn record_type(
    space: &Space,
    entries: &Entries<'_, '_>,
    bits: u8,
    key: &'static str,
) -> Result<u32, EncodeError> {
    if let Some(number) = entries.number(key, bits)? {
        return Ok(number as u32);
    }
    let name = entries.take("name").and_then(Value::as_str);
    let row = space.rows.iter().find(|row| Some(row.name) == name);
    row.map_or_else(|| entries.missing(key), |row| Ok(row.key))
}
