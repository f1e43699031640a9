//! What is wrong with a scenario file, and where.
//!
//! Deliberately only the first fault is reported: later ones are often its consequences.

use core::cell::OnceCell;
use core::panic::Location;
use thiserror::Error;

/// A fault in a scenario file, or in a program that says the same; prints as `file:line:column: message`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct ScenarioError {
    /// The file as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, what was expected and, where one is near, what was probably meant.
    pub message: String,
}

impl ScenarioError {
    /// The same fault of what is said in a program, at that place.
    pub(crate) fn at(self, from: &Location<'_>) -> Self {
        let (line, column) = (from.line() as usize, from.column() as usize);
        Self { file: from.file().to_owned(), line, column, ..self }
    }
}

/// A name that there is none of, said in a program.
pub(crate) fn unknown<'n>(
    kind: &str,
    word: &str,
    names: impl Iterator<Item = &'n str>,
    from: &Location<'_>,
) -> ScenarioError {
    let names: Vec<&str> = names.collect();
    let message = format!("unknown {kind} \"{}\", {}", word.escape_debug(), one_of(word, &names));
    ScenarioError { file: String::new(), line: 0, column: 0, message }.at(from)
}

/// A question that only a world with a record can answer.
pub(crate) fn unrecorded(what: &str, from: &Location<'_>) -> ScenarioError {
    let message = format!(
        "this world keeps no record, and so does not know {what}: expected one made by `World::new` or `Builder::build`"
    );
    ScenarioError { file: String::new(), line: 0, column: 0, message }.at(from)
}

/// The text of a scenario file, able to say where an octet of it stands.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    /// Where its lines end.
    ends: OnceCell<Vec<usize>>,
}

impl<'a> Text<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, ends: OnceCell::new() }
    }

    /// A fault at an octet of the text.
    pub(crate) fn error(&self, at: usize, message: impl Into<String>) -> ScenarioError {
        let (line, column) = position(self.text.as_bytes(), at);
        ScenarioError { file: self.file.to_owned(), line, column, message: message.into() }
    }

    /// The line of an octet.
    pub(crate) fn line(&self, at: usize) -> usize {
        let ends = || self.text.match_indices('\n').map(|(at, _)| at).collect();
        self.ends.get_or_init(ends).partition_point(|end| *end < at) + 1
    }
}

/// Line and column of an octet, both from 1; columns count characters.
pub(crate) fn position(text: &[u8], at: usize) -> (usize, usize) {
    let before = &text[..at.min(text.len())];
    let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
    let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    (line, column)
}

/// `expected one of …`, with the nearest of them when one is near.
pub(crate) fn one_of(found: &str, allowed: &[impl AsRef<str>]) -> String {
    if allowed.is_empty() {
        return "there is none".to_owned();
    }
    let list = allowed.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match nearest(found, allowed) {
        Some(near) => format!("expected one of {list}; did you mean \"{near}\"?"),
        None => format!("expected one of {list}"),
    }
}

fn nearest<'n>(found: &str, allowed: &'n [impl AsRef<str>]) -> Option<&'n str> {
    let found = found.to_lowercase();
    let limit = (found.chars().count() / 3).max(1);
    allowed
        .iter()
        .map(AsRef::as_ref)
        .map(|name| (distance(&found, &name.to_lowercase()), name))
        .filter(|&(far, name)| far <= limit || (found.len() > 2 && name.starts_with(&found)))
        .min_by_key(|&(far, _)| far)
        .map(|(_, name)| name)
}

/// Edits (insertion, removal, replacement, exchange of neighbours) between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

impl ScenarioError {
    /// For a file that has an octet which no text has.
    pub(crate) fn not_text(file: &str, octets: &[u8], at: usize) -> Self {
        let (line, column) = position(octets, at);
        let octet = octets.get(at).copied().unwrap_or_default();
        let message =
            format!("this is no text: octet 0x{octet:02x} has no place in one, expected a TOML scenario");
        Self { file: file.to_owned(), line, column, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(
            one_of("rat", &["rate", "bucket"]),
            "expected one of rate, bucket; did you mean \"rate\"?"
        );
        assert!(one_of("hoem", &["home", "studio"]).ends_with("did you mean \"home\"?"));
        assert_eq!(one_of("colour", &["rate", "bucket"]), "expected one of rate, bucket");
    }

    #[test]
    fn positions_count_lines_and_characters() {
        assert_eq!(position("a\nbé = 1".as_bytes(), 5), (2, 3));
        assert_eq!(position(b"", 9), (1, 1));
    }
}
