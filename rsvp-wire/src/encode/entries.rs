//! The keys of a JSON object, taken one by one: where something is, what is missing, and what nobody asked for.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

use serde_json::{Map, Value};

/// What is wrong with the JSON, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct EncodeError {
    /// Keys and indices from the top: `objects[2].subobjects[0].address`.
    pub path: String,
    /// What is wrong there, and what would be right.
    pub reason: String,
}

/// A place in the JSON.
#[derive(Copy, Clone)]
pub(super) enum Place<'p> {
    Top,
    Key(&'p Self, &'p str),
    Index(&'p Self, usize),
}

impl Place<'_> {
    fn path(&self) -> String {
        match self {
            Self::Top => String::new(),
            Self::Key(Self::Top, key) => (*key).to_owned(),
            Self::Key(parent, key) => format!("{}.{key}", parent.path()),
            Self::Index(parent, index) => format!("{}[{index}]", parent.path()),
        }
    }

    pub(super) fn error<T>(&self, reason: impl ToString) -> Result<T, EncodeError> {
        let path = match self {
            Self::Top => "the message".to_owned(),
            _ => self.path(),
        };
        Err(EncodeError { path, reason: reason.to_string() })
    }
}

/// The keys of one JSON object.
pub(super) struct Entries<'j, 'p> {
    map: &'j Map<String, Value>,
    pub(super) place: Place<'p>,
    asked: RefCell<Vec<&'static str>>,
    /// Keys that may be there too.
    ignored: RefCell<Vec<&'static str>>,
}

impl<'j, 'p> Entries<'j, 'p> {
    pub(super) fn of(value: &'j Value, place: Place<'p>) -> Result<Self, EncodeError> {
        match value {
            Value::Object(map) => {
                Ok(Self { map, place, asked: RefCell::default(), ignored: RefCell::default() })
            }
            _ => place.error("is not an object { … }"),
        }
    }

    /// The value of a key; from now on the key is one that may be there.
    pub(super) fn take(&self, key: &'static str) -> Option<&'j Value> {
        self.asked.borrow_mut().push(key);
        self.map.get(key)
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// Keys that say what follows from the others.
    pub(super) fn ignore(&self, keys: &[&'static str]) {
        self.ignored.borrow_mut().extend(keys);
    }

    /// A number of so many bits.
    pub(super) fn number(&self, key: &'static str, bits: u8) -> Result<Option<u64>, EncodeError> {
        self.take(key).map(|value| number(value, bits, &Place::Key(&self.place, key))).transpose()
    }

    pub(super) fn missing<T>(&self, key: &'static str) -> Result<T, EncodeError> {
        Place::Key(&self.place, key).error("is missing")
    }

    /// Nothing is there that nobody asked for; `outer` are keys that the caller knows.
    pub(super) fn done(&self, outer: &[&str]) -> Result<(), EncodeError> {
        let asked = self.asked.borrow();
        let ignored = self.ignored.borrow();
        let known = |key: &str| asked.contains(&key) || ignored.contains(&key) || outer.contains(&key);
        let Some(unknown) = self.map.keys().find(|key| !known(key)) else { return Ok(()) };
        let near = |known: &str| strsim::jaro_winkler(unknown, known);
        let place = Place::Key(&self.place, unknown);
        let nearest = asked.iter().copied().max_by(|one, other| near(one).total_cmp(&near(other)));
        match nearest.filter(|known| near(known) > 0.8) {
            Some(known) => place.error(format!("is no key here; did you mean `{known}`?")),
            None => place.error(format!("is no key here; there are {}", asked.join(", "))),
        }
    }
}

/// A number of so many bits; `true` and `false` are 1 and 0.
pub(super) fn number(value: &Value, bits: u8, place: &Place<'_>) -> Result<u64, EncodeError> {
    let most = u64::MAX.checked_shr(64u32.saturating_sub(u32::from(bits))).unwrap_or(0);
    match value.as_u64().or_else(|| value.as_bool().map(u64::from)) {
        Some(number) if number <= most => Ok(number),
        _ => place.error(format!("is not a whole number from 0 to {most}")),
    }
}

/// Octets from hexadecimal digits; blanks do not count.
pub(super) fn hex(value: &Value, place: &Place<'_>) -> Result<Vec<u8>, EncodeError> {
    let Some(text) = value.as_str() else { return place.error("is not a string of hexadecimal digits") };
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|digit| !digit.is_ascii_whitespace())
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect();
    let Some(digits) = digits else { return place.error("has something that is no hexadecimal digit") };
    match digits.as_chunks::<2>() {
        (pairs, []) => Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect()),
        _ => place.error("has an odd number of hexadecimal digits"),
    }
}

/// The elements of an array with their places.
pub(super) fn array<'j>(value: &'j Value, place: &Place<'_>) -> Result<&'j Vec<Value>, EncodeError> {
    value.as_array().map_or_else(|| place.error("is not an array [ … ]"), Ok)
}
