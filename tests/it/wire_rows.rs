//! A vector for every row of the registries: what its fields read as, and that they are written to the same octets.
//!
//! The vectors are in `wire_rows/*.txt`, a file per family of RFCs, three lines each: class, C-Type and source; the
//! octets of the object; its fields in JSON. The octets come from captures or are laid out by hand from the figure that
//! the source names, never from our own writer.

use std::collections::BTreeSet;
use std::fs;

use rsvp_wire::encode::{self, Lengths};
use rsvp_wire::layout::{RecordRef, Space, Status, Value as Field, View};
use rsvp_wire::{CType, Class, ObjectRef, registry};
use serde_json::Value;

/// One vector.
pub(crate) struct Vector {
    /// Class and C-Type.
    pub(crate) pair: (u8, u8),
    /// Where the octets come from.
    pub(crate) source: String,
    /// The object.
    pub(crate) octets: Vec<u8>,
    /// Its fields.
    fields: Value,
}

/// The vectors of all files.
pub(crate) fn all() -> Vec<Vector> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/it/wire_rows");
    let mut vectors = Vec::new();
    for entry in fs::read_dir(folder).expect(folder) {
        let path = entry.expect(folder).path();
        let text = fs::read_to_string(&path).expect("text");
        let lines: Vec<_> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        for vector in lines.chunks(3) {
            let [head, octets, fields] = vector else {
                panic!("{}: three lines each: {vector:?}", path.display())
            };
            vectors
                .push(parsed(head, octets, fields).unwrap_or_else(|| panic!("{}: {head}", path.display())));
        }
    }
    vectors
}

fn parsed(head: &str, octets: &str, fields: &str) -> Option<Vector> {
    let (class, rest) = head.split_once(' ')?;
    let (ctype, source) = rest.split_once(' ')?;
    let digits: String = octets.split_whitespace().collect();
    let octets = (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok());
    Some(Vector {
        pair: (class.parse().ok()?, ctype.parse().ok()?),
        source: source.trim().to_owned(),
        octets: octets.collect::<Option<_>>()?,
        fields: serde_json::from_str(fields).ok()?,
    })
}

/// The JSON of an object without what every object has; likewise its records.
fn fields(mut json: Value) -> Value {
    match &mut json {
        Value::Object(map) => {
            for key in ["class", "c_type", "name", "length", "offset"] {
                map.remove(key);
            }
            map.values_mut().for_each(|value| *value = fields(value.take()));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| *value = fields(value.take())),
        _ => {}
    }
    json
}

#[test]
fn every_vector_reads_as_its_fields_and_is_written_to_its_octets() {
    for vector in all() {
        let Vector { pair, octets, source, .. } = &vector;
        let (object, rest) = ObjectRef::split_first(octets, 0).expect(source);
        assert_eq!((object.class.0, object.ctype.0, rest.len()), (pair.0, pair.1, 0), "{pair:?} {source}");
        assert_eq!(object.check(), Ok(()), "{pair:?} {source}");
        let json = serde_json::to_value(object).expect(source);
        assert_eq!(fields(json.clone()), fields(vector.fields.clone()), "{pair:?} {source}: {json}");
        for lengths in [Lengths::Computed, Lengths::AsGiven] {
            assert_eq!(encode::object(&json, lengths).as_ref(), Ok(octets), "{pair:?} {source}: {json}");
        }
    }
}

/// What is shown of a sound object is all of it: a type accepts no octets that its layout has no place for. Each octet of
/// each vector in turn becomes what means something to somebody: lengths, services, parameters, all bits.
#[test]
fn what_a_type_accepts_fits_its_layout() {
    const OCTETS: [u8; 14] = [0, 1, 2, 3, 4, 5, 6, 10, 127, 128, 130, 133, 136, 255];
    for Vector { mut octets, pair, source, .. } in all() {
        for (place, octet) in (4..octets.len()).flat_map(|place| OCTETS.map(|octet| (place, octet))) {
            let kept = std::mem::replace(&mut octets[place], octet);
            let (object, _) = ObjectRef::split_first(&octets, 0).expect(&source);
            if object.check().is_ok() {
                let fits = object.view().map_or(Ok(()), |view| view.check());
                assert_eq!(fits, Ok(()), "{pair:?} {source}: {octet} at {place}");
            }
            octets[place] = kept;
        }
    }
}

#[test]
fn every_typed_row_has_a_vector() {
    let vectors = all();
    let seen: BTreeSet<_> = vectors.iter().map(|vector| vector.pair).collect();
    let missing: Vec<_> = registry::ROWS
        .iter()
        .filter(|row| row.status == Status::Typed && !seen.contains(&(row.class.0, row.ctype.0)))
        .map(|row| format!("{} {} {}", row.class.0, row.ctype.0, row.name))
        .collect();
    assert!(missing.is_empty(), "rows without a vector in wire_rows/*.txt: {missing:#?}");
}

#[test]
fn every_typed_kind_of_record_has_a_vector() {
    let vectors = all();
    let (mut spaces, mut seen) = (Vec::new(), BTreeSet::new());
    for vector in &vectors {
        let (object, _) = ObjectRef::split_first(&vector.octets, 0).expect("an object");
        object.view().into_iter().for_each(|view| gather(&view, &mut spaces, &mut seen));
    }
    assert!(!spaces.is_empty());
    for space in spaces {
        for row in space.rows.iter().filter(|row| row.status == Status::Typed) {
            let kind = (space.name, row.key);
            assert!(seen.contains(&kind), "{} {} ({}) is in no vector", space.name, row.key, row.name);
        }
    }
}

/// The registries and kinds of all records in a body.
pub(crate) fn gather(
    view: &View<'_>,
    spaces: &mut Vec<&'static Space>,
    seen: &mut BTreeSet<(&'static str, u32)>,
) {
    for field in view.fields() {
        match field.expect("sound").value {
            Field::Group(view) => gather(&view, spaces, seen),
            Field::Groups(groups) => groups.for_each(|view| gather(&view.expect("sound"), spaces, seen)),
            Field::Records(records) => {
                spaces.push(records.space());
                for record in records.iter() {
                    let record: RecordRef<'_> = record.expect("sound");
                    seen.insert((record.space().name, record.key));
                    record.view().into_iter().for_each(|view| gather(&view, spaces, seen));
                }
            }
            Field::Objects(nested) => nested
                .objects()
                .filter_map(|object| object.view())
                .for_each(|view| gather(&view, spaces, seen)),
            _ => {}
        }
    }
}

#[test]
fn no_field_has_a_name_that_the_contract_uses() {
    for row in registry::ROWS.iter() {
        for field in row.layout.into_iter().flat_map(|layout| layout.fields) {
            let taken = ["class", "c_type", "name", "length", "offset", "bytes", "error"];
            assert!(!taken.contains(&field.name), "{} has a field {}", row.name, field.name);
        }
    }
}

#[test]
fn opaque_rows_keep_their_octets() {
    for row in registry::ROWS.iter().filter(|row| row.layout.is_none()) {
        let octets = [0, 8, row.class.0, row.ctype.0, 1, 2, 3, 4];
        let (object, _) = ObjectRef::split_first(&octets, 0).expect("an object");
        let json = serde_json::to_value(object).expect(row.name);
        assert_eq!(json["bytes"], "01020304", "{}", row.name);
        assert_eq!(encode::object(&json, Lengths::Computed), Ok(octets.to_vec()), "{}", row.name);
    }
    let unknown = [0, 8, 254, 7, 1, 2, 3, 4];
    let (object, _) = ObjectRef::split_first(&unknown, 0).expect("an object");
    assert_eq!(registry::row(Class(254), CType(7)).map(|row| row.name), None);
    let json = serde_json::to_value(object).expect("JSON");
    assert_eq!(encode::object(&json, Lengths::Computed), Ok(unknown.to_vec()));
}
