//! Tables and values of a scenario file, read with their place, so that every refusal can name it.
//!
//! Nothing here knows what a scenario contains; that is the business of the modules beside it.

use super::error::{ScenarioError, Text, one_of};
use core::time::Duration;
use rsvp_node::units;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table all of whose keys are allowed ones.
#[derive(Clone, Debug)]
pub(crate) struct Section<'a> {
    pub(crate) text: &'a Text<'a>,
    table: &'a DeTable<'a>,
    /// Where it starts, and where a missing key is reported.
    pub(crate) at: usize,
    /// How to call it, as in `[[link]]`.
    what: String,
}

/// A value and the key it was found under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) text: &'a Text<'a>,
    key: &'a str,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Section<'a> {
    /// Refuses keys that are not allowed.
    pub(crate) fn new(
        text: &'a Text<'a>,
        table: &'a DeTable<'a>,
        at: usize,
        what: impl Into<String>,
        allowed: &[impl AsRef<str>],
    ) -> Result<Self, ScenarioError> {
        let what = what.into();
        // The first in the file, not the first in the alphabet.
        let unknown = table
            .iter()
            .map(|(key, _)| key)
            .filter(|key| !allowed.iter().any(|a| a.as_ref() == key.get_ref().as_ref()))
            .min_by_key(|key| key.span().start);
        if let Some(key) = unknown {
            let name = key.get_ref();
            return Err(text.error(
                key.span().start,
                format!("unknown key \"{name}\" in {what}, {}", one_of(name, allowed)),
            ));
        }
        Ok(Self { text, table, at, what })
    }

    /// The value of a key, when it is there.
    pub(crate) fn find(&self, key: &str) -> Option<Item<'a>> {
        self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(name, value)| Item {
            text: self.text,
            key: name.get_ref().as_ref(),
            value,
        })
    }

    /// The value of a key that has to be there.
    pub(crate) fn need(&self, key: &str, expected: &str) -> Result<Item<'a>, ScenarioError> {
        self.find(key).ok_or_else(|| self.error(format!("{} needs `{key} = {expected}`", self.what)))
    }

    /// A fault of the table as a whole.
    pub(crate) fn error(&self, message: impl Into<String>) -> ScenarioError {
        self.text.error(self.at, message)
    }

    /// A fault of the value of a key where it is there, and else of the table.
    pub(crate) fn error_at(&self, key: &str, message: impl Into<String>) -> ScenarioError {
        match self.find(key) {
            Some(item) => item.error(format!("{key}: {}", message.into())),
            None => self.error(message),
        }
    }

    /// Whether any of these keys is there.
    pub(crate) fn any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.find(key).is_some())
    }

    /// The value read by `read`, or `otherwise` when the key is not there.
    pub(crate) fn read_or<T>(
        &self,
        key: &str,
        otherwise: T,
        read: impl FnOnce(Item<'a>) -> Result<T, ScenarioError>,
    ) -> Result<T, ScenarioError> {
        self.find(key).map_or(Ok(otherwise), read)
    }

    /// The tables of an array of tables; none when the key is not there.
    pub(crate) fn sections(
        &self,
        key: &str,
        allowed: &[impl AsRef<str>],
    ) -> Result<Vec<Self>, ScenarioError> {
        let Some(item) = self.find(key) else { return Ok(Vec::new()) };
        item.list("tables")?.into_iter().map(|each| each.section(&format!("[[{key}]]"), allowed)).collect()
    }
}

impl<'a> Item<'a> {
    /// Where it stands.
    pub(crate) fn at(&self) -> usize {
        self.value.span().start
    }

    /// A fault of this value.
    pub(crate) fn error(&self, message: impl Into<String>) -> ScenarioError {
        self.text.error(self.at(), message)
    }

    fn wrong(&self, expected: &str) -> ScenarioError {
        let found = match self.value.get_ref() {
            DeValue::Table(_) => "a table",
            DeValue::Array(_) => "a list",
            DeValue::String(_) => "a string",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Integer(_) | DeValue::Float(_) => "a bare number",
        };
        self.error(format!("{}: expected {expected}, found {found}", self.key))
    }

    /// A string.
    pub(crate) fn word(&self) -> Result<&'a str, ScenarioError> {
        self.value.get_ref().as_str().ok_or_else(|| self.wrong("a string in quotes"))
    }

    /// A string that can name something: not empty, no blanks.
    pub(crate) fn name(&self) -> Result<&'a str, ScenarioError> {
        let word = self.word()?;
        let sound = |c: char| c.is_alphanumeric() || "-_.'".contains(c);
        if word.is_empty() || !word.chars().all(sound) || word.chars().count() > 40 {
            return Err(self.error(format!(
                "{}: \"{}\" cannot be a name, expected up to 40 letters, digits, '-', '_' or '.'",
                self.key,
                word.escape_debug()
            )));
        }
        Ok(word)
    }

    /// One of several words; gives its place in the list.
    pub(crate) fn choice(&self, allowed: &[impl AsRef<str>]) -> Result<usize, ScenarioError> {
        let word = self.word()?;
        allowed.iter().position(|a| a.as_ref() == word).ok_or_else(|| {
            self.error(format!(
                "{}: unknown \"{}\", {}",
                self.key,
                word.escape_debug(),
                one_of(word, allowed)
            ))
        })
    }

    /// `true` or `false`.
    pub(crate) fn truth(&self) -> Result<bool, ScenarioError> {
        self.value.get_ref().as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    /// A whole number in a range.
    pub(crate) fn integer(&self, least: u64, most: u64) -> Result<u64, ScenarioError> {
        let expected = format!("a whole number from {least} to {most}");
        let Some(number) = self.value.get_ref().as_integer() else { return Err(self.wrong(&expected)) };
        let digits = number.as_str();
        match i128::from_str_radix(digits, number.radix()) {
            Ok(n) if (i128::from(least)..=i128::from(most)).contains(&n) => Ok(n as u64),
            _ => Err(self.error(format!("{}: expected {expected}, found {digits}", self.key))),
        }
    }

    /// A seed: a whole number, or a string of its digits where it is larger than TOML's whole numbers.
    pub(crate) fn seed(&self) -> Result<u64, ScenarioError> {
        let most = i64::MAX as u64;
        let remedy = |found: &str| {
            let key = self.key;
            self.error(format!(
                "{key}: expected a whole number from 0 to {most}, or a larger one up to {} in quotes, found {found}",
                u64::MAX
            ))
        };
        match self.value.get_ref() {
            DeValue::String(digits) => digits.parse().map_err(|_| remedy(&format!("{digits:?}"))),
            DeValue::Integer(number) => self.integer(0, most).map_err(|_| remedy(number.as_str())),
            _ => self.integer(0, most),
        }
    }

    /// Whether it is a whole number.
    pub(crate) fn is_integer(&self) -> bool {
        self.value.get_ref().is_integer()
    }

    fn unit<T>(
        &self,
        expected: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ScenarioError> {
        let word = self.value.get_ref().as_str().ok_or_else(|| self.wrong(expected))?;
        read(word).map_err(|why| self.error(format!("{}: {why}", self.key)))
    }

    /// Bits per second.
    pub(crate) fn rate(&self) -> Result<f64, ScenarioError> {
        self.unit("a rate such as \"2mbit\"", units::rate)
    }

    /// Octets.
    pub(crate) fn size(&self) -> Result<f64, ScenarioError> {
        self.unit("a size such as \"15kB\"", units::size)
    }

    /// Time.
    pub(crate) fn time(&self) -> Result<Duration, ScenarioError> {
        self.unit("a time such as \"20ms\"", units::time)
    }

    /// A share from 0 to 1.
    pub(crate) fn share(&self) -> Result<f64, ScenarioError> {
        self.unit("a share such as \"80%\"", units::share)
    }

    /// The elements of a list.
    pub(crate) fn list(&self, of: &str) -> Result<Vec<Self>, ScenarioError> {
        let DeValue::Array(list) = self.value.get_ref() else {
            return Err(self.wrong(&format!("a list of {of}")));
        };
        Ok(list.iter().map(|value| Item { text: self.text, key: self.key, value }).collect())
    }

    /// A table with these keys.
    pub(crate) fn section(
        &self,
        what: &str,
        allowed: &[impl AsRef<str>],
    ) -> Result<Section<'a>, ScenarioError> {
        let DeValue::Table(table) = self.value.get_ref() else { return Err(self.wrong("a table")) };
        Section::new(self.text, table, self.at(), what, allowed)
    }
}
