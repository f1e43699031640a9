//! Where in a text something is wrong, by line and column, and what was probably meant.

use super::ConfigError;
use std::path::Path;

/// Where a text gives a key its value: not where the key is a part of another word, or of a comment. What is no key is wherever it stands first.
pub(super) fn place_of(text: &str, key: &str) -> usize {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let gives = |at: &usize| {
        let (before, behind) = (&text[..*at], &text[at + key.len()..]);
        let line = before.rsplit('\n').next().unwrap_or_default();
        !line.contains('#')
            && !before.ends_with(is_of_word)
            && behind.trim_start_matches(['"', '\'', ' ', '\t']).starts_with('=')
    };
    let found = text.match_indices(key).map(|(at, _)| at).find(gives);
    found.or_else(|| text.find(key)).unwrap_or(0)
}

/// What is wrong with a text, at the line and column of an octet.
pub(crate) fn wrong_at(path: &Path, text: &str, at: usize, message: &str) -> ConfigError {
    wrong_in(path, Places::new(text).of(at), message)
}

/// What is wrong at a line and column.
pub(crate) fn wrong_in(path: &Path, (line, column): (usize, usize), message: &str) -> ConfigError {
    ConfigError::Wrong { path: path.to_owned(), line, column, message: with_suggestion(message) }
}

/// Lines and columns in a text, of which many are asked for: each is counted from the next of some that are known.
pub(crate) struct Places<'t> {
    text: &'t str,
    /// An octet with its line and column, for each so many.
    known: Vec<(usize, (usize, usize))>,
}

impl<'t> Places<'t> {
    const EACH: usize = 4_096;

    pub(crate) fn new(text: &'t str) -> Self {
        let mut this = Self { text, known: vec![(0, (1, 1))] };
        for at in (Self::EACH..text.len()).step_by(Self::EACH) {
            let at = text.floor_char_boundary(at);
            let place = this.of(at);
            this.known.push((at, place));
        }
        this
    }

    /// The line and column of an octet.
    pub(crate) fn of(&self, at: usize) -> (usize, usize) {
        let at = self.text.floor_char_boundary(at);
        let before = self.known.partition_point(|(known, _)| *known <= at) - 1;
        let (from, place) = self.known[before];
        self.text[from..at].chars().fold(place, |(line, column), c| match c {
            '\n' => (line + 1, 1),
            _ => (line, column + 1),
        })
    }
}

/// Adds the closest of the expected keys to a message about an unknown one.
fn with_suggestion(message: &str) -> String {
    let mut names = message.split('`').skip(1).step_by(2);
    let (true, Some(found)) = (message.starts_with("unknown field"), names.next()) else {
        return message.to_owned();
    };
    let close = |name: &&str| strsim::jaro_winkler(found, name) > 0.8;
    let closest = names
        .filter(close)
        .max_by(|a, b| strsim::jaro_winkler(found, a).total_cmp(&strsim::jaro_winkler(found, b)));
    match closest {
        Some(closest) => format!("{message}; did you mean `{closest}`?"),
        None => message.to_owned(),
    }
}
