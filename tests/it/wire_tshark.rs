//! The JSON of `tshark -T json`, in which a key may appear twice in one object: an order-preserving reader.

use std::fmt;
use std::net::IpAddr;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value of such JSON; numbers are strings there.
#[derive(Debug)]
pub(crate) enum Json {
    /// A string, and everything else that is no container.
    Text(String),
    /// An array.
    Array(Vec<Self>),
    /// Keys and values in order, duplicates kept.
    Object(Vec<(String, Self)>),
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON of tshark")
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.into()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Text(String::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

impl Json {
    /// Reads a whole text.
    pub(crate) fn parse(text: &str) -> Self {
        serde_json::from_str(text).expect("JSON")
    }

    fn entries(&self) -> &[(String, Self)] {
        if let Self::Object(entries) = self { entries } else { &[] }
    }

    /// The first value under a key of this object itself.
    pub(crate) fn child(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Whether this object itself has the key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.child(key).is_some()
    }

    /// All texts under any of the keys, at any depth, in order. `--no-duplicate-keys` makes arrays of duplicates: the
    /// items are then texts under the key.
    pub(crate) fn leaves(&self, keys: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        self.gather(keys, false, &mut found);
        found
    }

    fn gather(&self, keys: &[&str], under_key: bool, found: &mut Vec<String>) {
        match self {
            Self::Text(text) if under_key => found.push(text.clone()),
            Self::Text(_) => {}
            Self::Array(items) => items.iter().for_each(|item| item.gather(keys, under_key, found)),
            Self::Object(entries) => {
                entries
                    .iter()
                    .for_each(|(key, value)| value.gather(keys, keys.contains(&key.as_str()), found));
            }
        }
    }

    /// The first text under a key, at any depth.
    #[track_caller]
    pub(crate) fn text(&self, key: &str) -> String {
        self.leaves(&[key]).into_iter().next().unwrap_or_else(|| panic!("no {key} in {self:?}"))
    }

    /// A number in decimal or with `0x` in hexadecimal.
    #[track_caller]
    pub(crate) fn number(&self, key: &str) -> u64 {
        let text = self.text(key);
        match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).expect(key),
            None => text.parse().expect(key),
        }
    }

    /// A floating-point number.
    #[track_caller]
    pub(crate) fn float(&self, key: &str) -> f32 {
        self.text(key).parse().expect(key)
    }

    /// An IP address.
    #[track_caller]
    pub(crate) fn address(&self, key: &str) -> IpAddr {
        self.text(key).parse().expect(key)
    }

    /// The layers of every packet of a file.
    pub(crate) fn layers(&self) -> Vec<&Self> {
        let Self::Array(packets) = self else { panic!("an array of packets") };
        packets
            .iter()
            .map(|packet| packet.child("_source").and_then(|source| source.child("layers")).expect("layers"))
            .collect()
    }

    /// The RSVP part of every packet of a file.
    pub(crate) fn packets(&self) -> Vec<&Self> {
        self.layers().into_iter().map(|layers| layers.child("rsvp").expect("an RSVP packet")).collect()
    }

    /// All keys under which there is a text, at any depth.
    pub(crate) fn keys(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.gather_keys(&mut found);
        found
    }

    fn gather_keys<'j>(&'j self, found: &mut Vec<&'j str>) {
        match self {
            Self::Text(_) => {}
            Self::Array(items) => items.iter().for_each(|item| item.gather_keys(found)),
            Self::Object(entries) => {
                for (key, value) in entries {
                    let text = match value {
                        Self::Array(items) => matches!(items.first(), Some(Self::Text(_))),
                        value => matches!(value, Self::Text(_)),
                    };
                    if text {
                        found.push(key);
                    }
                    value.gather_keys(found);
                }
            }
        }
    }

    /// The header and the objects of one RSVP part, arrays of duplicates laid out in order.
    pub(crate) fn objects(&self) -> (&Self, Vec<&Self>) {
        let mut values = self.entries().iter().flat_map(|(_, value)| match value {
            Self::Array(items) => items.iter().collect(),
            other => vec![other],
        });
        (values.next().expect("a header"), values.collect())
    }
}
