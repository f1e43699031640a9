//! `docs/wire-coverage.md` held against the registries of `rsvp-wire`, the vectors of `wire_rows` and, where they are at
//! hand, the registries of IANA and the RFC texts: every message type, every assigned pair of class and C-Type, every
//! subobject, TLV, flag and error has a row.
//!
//! `RSVP_BLESS=1` writes the document anew, which needs those texts.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use rsvp_wire::layout::{Space, Status};
use rsvp_wire::{ErrorCode, MsgType, ObjectRef, error_value_name, registry};

use crate::{skipped, wire_rows};

mod iana;
use iana::{Assigned, Registries};

/// The RFC texts, by number.
struct Texts(PathBuf);

impl Texts {
    /// `standards`, `informational`, …, or that the text is not at hand.
    fn track(&self, section: &str) -> String {
        let number = section.strip_prefix("RFC ").and_then(|rest| rest.split([' ', ',']).next());
        let text = number.and_then(|number| fs::read(self.0.join(format!("rfc{number}.txt"))).ok());
        let Some(text) = text else { return "no text at hand".to_owned() };
        let text = String::from_utf8_lossy(&text).into_owned();
        let category = text.lines().take(40).find_map(|line| line.trim().strip_prefix("Category: "));
        let category = category.and_then(|rest| rest.split("  ").next()).unwrap_or("unknown").trim();
        category.to_lowercase()
    }
}

/// How much of everything there is.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    message_types: usize,
    pairs: usize,
    typed: usize,
    standards: usize,
    standards_typed: usize,
    records: usize,
    records_typed: usize,
    flags: usize,
    errors: usize,
    error_values: usize,
}

const COUNTS: Counts = Counts {
    message_types: 20,
    pairs: 233,
    typed: 208,
    standards: 203,
    standards_typed: 194,
    records: 109,
    records_typed: 94,
    flags: 45,
    errors: 37,
    error_values: 186,
};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn head(titles: &[&str]) -> String {
    format!("{}|{}\n", row(titles), "---|".repeat(titles.len()))
}

fn known(status: Status) -> String {
    match status {
        Status::Typed => "typed".to_owned(),
        Status::Opaque(why) => format!("opaque: {why}"),
    }
}

const PAIR: [&str; 7] = ["class", "C-Type", "name", "where", "track", "known", "vector"];

/// The objects, with the track of their RFCs where the texts are at hand.
fn objects(texts: Option<&Texts>) -> (String, [usize; 4]) {
    let mut vectors: BTreeMap<(u8, u8), String> = BTreeMap::new();
    for vector in wire_rows::all() {
        let source = told(&vector.source);
        let kept = vectors.entry(vector.pair).or_insert_with(|| source.clone());
        // Octets of others say more than ours.
        if kept.starts_with("by hand") && !source.starts_with("by hand") {
            *kept = source;
        }
    }
    let (mut table, mut counts) = (head(&PAIR), [0; 4]);
    for known_row in registry::ROWS.iter() {
        let pair = (known_row.class.0, known_row.ctype.0);
        let typed = known_row.status == Status::Typed;
        let track = texts.map_or_else(String::new, |texts| texts.track(known_row.section));
        let standards = usize::from(track == "standards track");
        counts[0] += 1;
        counts[1] += usize::from(typed);
        counts[2] += standards;
        counts[3] += standards * usize::from(typed);
        let vector = vectors.get(&pair).map_or("its octets are kept", String::as_str);
        let ctype =
            if registry::ctype_ignored(known_row.class) { "any".to_owned() } else { pair.1.to_string() };
        table += &row(&[
            &pair.0.to_string(),
            &ctype,
            known_row.name,
            known_row.section,
            &track,
            &known(known_row.status),
            vector,
        ]);
    }
    (table, counts)
}

/// Where a vector is from, without what is in it.
fn told(source: &str) -> String {
    source.split(": ").next().unwrap_or(source).to_owned()
}

/// The registries of subobjects and TLVs that any vector goes through, by name, with the first vector of each kind.
fn spaces() -> BTreeMap<&'static str, (&'static Space, BTreeMap<u32, String>)> {
    let mut found: BTreeMap<_, (_, BTreeMap<u32, String>)> = BTreeMap::new();
    for vector in wire_rows::all() {
        let (object, _) = ObjectRef::split_first(&vector.octets, 0).expect("an object");
        let (mut spaces, mut seen) = (Vec::new(), Default::default());
        object.view().into_iter().for_each(|view| wire_rows::gather(&view, &mut spaces, &mut seen));
        for space in spaces {
            let (_, kinds) = found.entry(space.name).or_insert_with(|| (space, BTreeMap::new()));
            for (_, key) in seen.iter().filter(|(name, _)| *name == space.name) {
                kinds.entry(*key).or_insert_with(|| told(&vector.source));
            }
        }
    }
    found
}

fn records() -> (String, [usize; 2]) {
    let (mut text, mut counts) = (String::new(), [0; 2]);
    for (name, (space, vectors)) in spaces().into_iter().filter(|(_, (space, _))| !space.rows.is_empty()) {
        let _ = write!(text, "\n### {name}\n\n{}", head(&["type", "name", "where", "known", "vector"]));
        for kind in space.rows {
            counts[0] += 1;
            counts[1] += usize::from(kind.status == Status::Typed);
            let vector = vectors.get(&kind.key).map_or("its octets are kept", String::as_str);
            let key = kind.key.to_string();
            text += &row(&[&key, kind.name, kind.section, &known(kind.status), vector]);
        }
    }
    (text, counts)
}

fn message_types() -> (String, usize) {
    let mut table = head(&["type", "name"]);
    let named: Vec<_> = (0..=u8::MAX).filter_map(|number| Some((number, MsgType(number).name()?))).collect();
    named.iter().for_each(|(number, name)| table += &row(&[&number.to_string(), name]));
    (table, named.len())
}

/// Codes that have a name, and the values of each.
fn errors() -> (String, [usize; 2]) {
    let (mut table, mut counts) = (head(&["code", "name", "named values"]), [0; 2]);
    for code in (0..=u8::MAX).map(ErrorCode) {
        let Some(name) = code.name() else { continue };
        let values = (0..=u16::MAX).filter(|value| error_value_name(code, *value).is_some()).count();
        counts[0] += 1;
        counts[1] += values;
        table += &row(&[&code.0.to_string(), name, &values.to_string()]);
    }
    (table, counts)
}

fn document(texts: &Texts, flags: usize) -> (String, Counts) {
    let (types, message_types) = message_types();
    let (objects, [pairs, typed, standards, standards_typed]) = objects(Some(texts));
    let (subobjects, [records, records_typed]) = records();
    let (codes, [errors, error_values]) = errors();
    let counts = Counts {
        message_types,
        pairs,
        typed,
        standards,
        standards_typed,
        records,
        records_typed,
        flags,
        errors,
        error_values,
    };
    let share = 100.0 * standards_typed as f64 / standards as f64;
    let text = format!(
        "# Wire coverage

What `rsvp-wire` knows. Made by `tests/it/wire_coverage.rs` from its registries, the vectors in `tests/it/wire_rows` and
the IANA registries \"RSVP Parameters\" and \"RSVP-TE Parameters\"; the test fails when they differ. After a change,
`RSVP_BLESS=1 cargo test --workspace --test it wire_coverage` writes it anew.

- 100 % of the pairs of class and C-Type that are assigned have a row, those of the defining RFC where IANA lists none:
  {pairs} rows, {typed} of them typed.
- {share:.1} % of the rows of standards-track RFCs whose text is at hand are typed: {standards_typed} of {standards}. The
  others are reserved or deprecated, and NULL, whose contents are ignored.
- Of {records} subobjects, TLVs and parameters {records_typed} are typed. All {message_types} message types, {errors}
  error codes, {error_values} error values and {flags} flags and codes of other registries have names.

*Typed*: every field of the figure is an accessor, printed, in the JSON, and written back. *Opaque*: the octets are kept
and written back. *Vector*: whose octets the tests read, show and write; by hand means laid out from the figures of the
RFC, never by our own writer.

## Message types

{types}
## Objects

{objects}
## Subobjects, TLVs, attributes and parameters
{subobjects}
## Error codes

{codes}"
    );
    (text, counts)
}

/// What is assigned and has no row or name.
fn gaps(registries: &Registries) -> Vec<String> {
    let mut gaps = iana::missing_pairs(registries);
    for Assigned { number, name, .. } in registries.assigned("rsvp-parameters-2") {
        if MsgType(number as u8).name().is_none() {
            gaps.push(format!("message type {number} {name}"));
        }
    }
    gaps.extend(iana::missing_errors(registries));
    let spaces = spaces();
    for (id, name) in iana::RECORDS {
        let (space, _) = spaces.get(name).unwrap_or_else(|| panic!("{name} is in no vector"));
        let missing = registries.assigned(id).into_iter().filter(|kind| space.row(kind.number).is_none());
        gaps.extend(missing.map(|kind| format!("{name} {} {}", kind.number, kind.name)));
    }
    gaps.extend(iana::missing_flags(registries, &|name| spaces.get(name).map(|(space, _)| *space)));
    gaps
}

#[test]
fn the_document_is_what_the_registries_say() {
    let path = root().join("docs/wire-coverage.md");
    let written = fs::read_to_string(&path).unwrap_or_default();
    let shared = root().join("../shared");
    let Some(registries) = Registries::read(&shared.join("iana")) else {
        skipped("the registries of IANA are not at hand: only rows and vectors are compared");
        return compare_without_texts(&written);
    };
    let flags = iana::flags(&registries).len();
    let (text, counts) = document(&Texts(shared.join("rfc")), flags);
    if std::env::var_os("RSVP_BLESS").is_some() {
        fs::write(&path, &text).expect("docs/wire-coverage.md");
    } else {
        let drift = text.lines().zip(written.lines()).find(|(one, other)| one != other);
        assert!(
            text == written,
            "docs/wire-coverage.md has drifted, RSVP_BLESS=1 writes it anew: {drift:#?}"
        );
    }
    assert_eq!(counts, COUNTS);
    assert!(counts.standards_typed * 10 >= counts.standards * 9, "less than 90 % are typed: {counts:?}");
}

/// The rows of the document but for the track of their RFCs.
fn compare_without_texts(written: &str) {
    let without_track = |line: &str| -> Vec<String> {
        let cells = line.split(" | ").map(str::to_owned).enumerate();
        cells.filter(|(place, _)| *place != 4).map(|(_, cell)| cell).collect()
    };
    let written: Vec<_> = written.lines().collect();
    let rows: Vec<_> = written.iter().map(|line| without_track(line)).collect();
    for line in objects(None).0.lines() {
        assert!(rows.contains(&without_track(line)), "docs/wire-coverage.md has drifted, it lacks {line}");
    }
    for line in [records().0, message_types().0, errors().0].iter().flat_map(|table| table.lines()) {
        assert!(written.contains(&line), "docs/wire-coverage.md has drifted, it lacks {line}");
    }
}

#[test]
fn everything_that_is_assigned_has_a_row() {
    let Some(registries) = Registries::read(&root().join("../shared/iana")) else {
        return skipped("the registries of IANA are not at hand");
    };
    let gaps = gaps(&registries);
    assert!(gaps.is_empty(), "assigned, but without a row or a name: {gaps:#?}");
    let unread = iana::unread(&registries);
    assert!(unread.is_empty(), "registries that nothing here is held against: {unread:#?}");
}
