//! The conformance document held against the RFC texts and against the sources: no sentence that may be a requirement
//! is passed over, and every file, function and test that a row names is there.
//!
//! What a row says about the code is not judged here: that is what the tests it names are for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A line of an RFC text: `rfc2205:1234`.
type Place = (String, u32);

/// A row of a table that has the columns `where` and `test`.
#[derive(Debug)]
struct Row {
    places: Vec<Place>,
    state: String,
    locations: Vec<String>,
    tests: Vec<String>,
    text: String,
}

/// What the documents say.
#[derive(Debug, Default)]
struct Document {
    rows: Vec<Row>,
    /// Lines with a reason why they ask nothing of us.
    reasons: Vec<Place>,
    /// The tests of the rows of `Seen to fail`, with what was disabled.
    seen_to_fail: Vec<(String, String)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The documents there are, by name. The second is a document of its own and may be missing.
fn documents() -> Vec<(&'static str, Document)> {
    let read = |name| Some((name, read_document(&fs::read_to_string(root().join("docs").join(name)).ok()?)));
    let found: Vec<_> = ["conformance.md", "conformance-intserv.md"].into_iter().filter_map(read).collect();
    assert_eq!(found.first().map(|(name, _)| *name), Some("conformance.md"));
    found
}

/// The cells of a row of a table. A bar in code is none between cells.
pub(crate) fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').trim_end_matches('|');
    line.replace("\\|", "\u{1}").split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// What stands between backquotes.
pub(crate) fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The places a text names: `rfc2205:1234, 1240` is two.
fn places(text: &str) -> Vec<Place> {
    let mut found = Vec::new();
    let mut rfc: Option<String> = None;
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == ':'));
    for word in words.filter(|word| !word.is_empty()) {
        let number = match word.split_once(':') {
            Some((text, number)) if is_rfc(text) => {
                rfc = Some(text.to_owned());
                number
            }
            _ => word,
        };
        match (&rfc, number.parse()) {
            (Some(rfc), Ok(line)) => found.push((rfc.clone(), line)),
            _ => rfc = None,
        }
    }
    found
}

fn is_rfc(word: &str) -> bool {
    word.strip_prefix("rfc").is_some_and(|n| n.len() == 4 && n.bytes().all(|b| b.is_ascii_digit()))
}

fn read_document(text: &str) -> Document {
    let mut document = Document::default();
    let mut columns: Vec<String> = Vec::new();
    let mut list = String::new();
    for line in text.lines().chain([""]) {
        let item = line.trim_start().starts_with("- ");
        if item || line.trim().is_empty() || line.starts_with('#') || line.starts_with('|') {
            document.reasons.extend(places(&std::mem::take(&mut list)));
        }
        if !line.starts_with('|') {
            columns.clear();
            if item || !list.is_empty() {
                list.push_str(line);
                list.push(' ');
            }
            continue;
        }
        let row = cells(line);
        if columns.is_empty() {
            columns = row.iter().map(|cell| cell.to_lowercase()).collect();
            continue;
        }
        if row.iter().all(|cell| cell.bytes().all(|b| b == b'-' || b == b':')) {
            continue;
        }
        assert_eq!(row.len(), columns.len(), "cells of a row: {line}");
        let cell = |name: &str| columns.iter().position(|c| c.starts_with(name)).map(|at| row[at].as_str());
        if let (Some(location), Some(test)) = (cell("where"), cell("test")) {
            document.rows.push(Row {
                places: places(&row[0]),
                state: cell("state").unwrap_or_default().to_owned(),
                locations: quoted(location),
                tests: quoted(test),
                text: line.to_owned(),
            });
        } else if let (Some(test), Some(disabled)) = (cell("test"), cell("disabled")) {
            let tests = quoted(test);
            assert_eq!(tests.len(), 1, "one test: {line}");
            document.seen_to_fail.extend(tests.into_iter().map(|test| (test, disabled.to_owned())));
        }
    }
    document
}

/// All Rust files of the workspace, with their text.
pub(crate) fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<_> = ["rsvp-wire", "rsvp-node", "rsvp-sim", "tests"].map(|f| root().join(f)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository") {
            let path = entry.expect("readable").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).expect("below the root").display().to_string();
                found.insert(name, fs::read_to_string(&path).expect("UTF-8"));
            }
        }
    }
    found
}

/// The names of all functions below `#[test]`, bare and behind the name of their file: `path::null_objects_are_ignored`.
pub(crate) fn tests(sources: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (file, text) in sources {
        let stem = Path::new(file).file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        for after in text.split("#[test]").skip(1) {
            let name =
                after.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).map(|(name, _)| name);
            let name = name.unwrap_or_else(|| panic!("{file}: a test without a name"));
            found.insert(name.to_owned());
            found.insert(format!("{stem}::{name}"));
        }
    }
    found
}

/// Whether a text defines something of this name.
fn defines(text: &str, name: &str) -> bool {
    ["fn", "struct", "enum", "const", "trait", "type", "static"].iter().any(|keyword| {
        text.match_indices(&format!("{keyword} {name}")).any(|(at, found)| {
            let after = text[at + found.len()..].chars().next();
            let before = text[..at].chars().next_back();
            !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
                && !before.is_some_and(char::is_alphanumeric)
        })
    })
}

/// The folder of RFC texts, which is no part of the repository.
fn texts() -> Option<PathBuf> {
    Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rfc")).filter(|texts| texts.is_dir())
}

/// The sentences that may be requirements, as the script lists them.
fn candidates(texts: &Path) -> Vec<(Place, String)> {
    let script = root().join("docs/conformance/candidates");
    let run = Command::new("python3").arg(script).arg(texts).output().expect("python3 runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let listed = String::from_utf8(run.stdout).expect("UTF-8");
    let candidate = |line: &str| {
        let [place, section, sentence] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let place = places(place).into_iter().next().unwrap_or_else(|| panic!("{line}"));
        (place, format!("section {section}: {sentence}"))
    };
    listed.lines().map(candidate).collect()
}

#[test]
fn every_candidate_has_a_row_or_a_reason() {
    let Some(texts) = texts() else {
        crate::skipped("rfc texts absent: 1 tests skipped");
        return;
    };
    let candidates = candidates(&texts);
    assert!(candidates.len() > 500, "the script lists only {}", candidates.len());
    let documents = documents();
    let rows = documents.iter().flat_map(|(_, d)| d.rows.iter().flat_map(|row| &row.places));
    let told: BTreeSet<&Place> = rows.chain(documents.iter().flat_map(|(_, d)| &d.reasons)).collect();
    let missing: Vec<_> = candidates
        .iter()
        .filter(|(place, _)| (documents.len() > 1 || place.0 == "rfc2205") && !told.contains(place))
        .map(|((rfc, line), sentence)| format!("{rfc}:{line} {sentence}"))
        .collect();
    assert!(missing.is_empty(), "{} without a row or a reason:\n{}", missing.len(), missing.join("\n"));
    // A line that is named has text.
    for (rfc, line) in told {
        let text = fs::read(texts.join(rfc).with_extension("txt")).expect("a text of that name");
        let text = String::from_utf8_lossy(&text);
        let named = text.split('\n').nth(*line as usize - 1).unwrap_or_default().trim();
        assert!(!named.is_empty() && !named.contains("[Page "), "{rfc}:{line} is `{named}`");
    }
}

#[test]
fn no_line_has_both_a_row_and_a_reason() {
    for (name, document) in documents() {
        assert!(document.rows.len() > 20 && !document.reasons.is_empty(), "{name} was not read");
        let rows: BTreeSet<&Place> = document.rows.iter().flat_map(|row| &row.places).collect();
        for place in &document.reasons {
            assert!(!rows.contains(place), "{name}: {place:?} has a row and a reason");
        }
    }
}

#[test]
fn rows_are_whole() {
    for (name, document) in documents() {
        for row in &document.rows {
            assert!(!row.places.is_empty(), "{name}: no line of an RFC: {}", row.text);
            match row.state.split([':', ' ']).next().unwrap_or_default() {
                "yes" => {
                    assert!(!row.locations.is_empty(), "{name}: nowhere implemented: {}", row.text);
                    assert!(!row.tests.is_empty(), "{name}: implemented without a test: {}", row.text);
                }
                "no" | "not" => assert!(row.state.contains(": "), "{name}: no reason: {}", row.text),
                state => panic!("{name}: state `{state}`: {}", row.text),
            }
        }
    }
}

#[test]
fn every_named_test_exists() {
    let tests = tests(&sources());
    for (name, document) in documents() {
        let rows = document.rows.iter().flat_map(|row| row.tests.iter().map(|t| (t, &row.text)));
        let seen = document.seen_to_fail.iter().map(|(test, disabled)| (test, disabled));
        for (test, text) in rows.chain(seen) {
            let bare = test.rsplit("::").take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>();
            assert!(tests.contains(&bare.join("::")), "{name}: there is no test `{test}`: {text}");
        }
    }
}

#[test]
fn every_named_file_and_function_exists() {
    let sources = sources();
    let mut missing = Vec::new();
    for (name, document) in documents() {
        for (location, row) in document.rows.iter().flat_map(|r| r.locations.iter().map(move |l| (l, r))) {
            let (file, function) = location.split_once("::").unwrap_or((location, ""));
            let of_that_name = |path: &str| format!("/{path}").ends_with(&format!("/{file}"));
            let files: Vec<_> = sources.iter().filter(|(path, _)| of_that_name(path)).collect();
            let function = function.rsplit("::").next().unwrap_or_default();
            match files[..] {
                [(_, text)] if function.is_empty() || defines(text, function) => {}
                [_] => missing.push(format!("{name}: no such function: `{location}`: {}", row.text)),
                _ => missing.push(format!("{name}: {} files: `{location}`: {}", files.len(), row.text)),
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_sample_is_large_enough_and_taken_from_the_rows() {
    for (name, document) in documents() {
        let least = if name == "conformance.md" { 20 } else { 1 };
        let sample: BTreeSet<_> = document.seen_to_fail.iter().map(|(test, _)| test).collect();
        assert!(sample.len() >= least, "{name}: {} tests were seen to fail", sample.len());
        let named: BTreeSet<&String> = document.rows.iter().flat_map(|row| &row.tests).collect();
        for (test, disabled) in &document.seen_to_fail {
            assert!(named.contains(test), "{name}: no row names `{test}`");
            assert!(!disabled.is_empty(), "{name}: what was disabled for `{test}`");
        }
    }
}
