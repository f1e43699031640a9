//! `[policies]`: where policies are, whose count, and what profiles of interfaces are.

use super::Span;
use core::time::Duration;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Policies are read again no more often than this: all of them are read whole.
const LEAST_REFRESH: Duration = Duration::from_secs(1);
/// The longest name of an interface, in octets (IFNAMSIZ).
const LONGEST_INTERFACE: usize = 15;

/// Policies: marks and rates for programs that do not ask for any.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [policies]")]
pub struct PoliciesConfig {
    /// Whether there are any.
    pub enabled: bool,
    /// The store that is gone with the next start of the machine.
    pub active: PathBuf,
    /// The administrator's.
    pub persistent: PathBuf,
    /// What packages bring.
    pub vendor: PathBuf,
    /// Users whose own stores count, for their programs alone.
    pub users: Vec<String>,
    /// Where a user's store is, below the home.
    pub user_folder: PathBuf,
    /// How often all is read again, beside whenever a file changes.
    #[serde(deserialize_with = "refresh")]
    pub refresh: Option<Span>,
    /// Profiles of interfaces, by name.
    pub profile: BTreeMap<String, ProfileConfig>,
}

/// Which interfaces are of a profile: those that are named, and those whose gateway is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [policies.profile.NAME]")]
pub struct ProfileConfig {
    /// Interfaces by name; a `*` at the end stands for anything.
    #[serde(deserialize_with = "interfaces")]
    pub interfaces: Vec<String>,
    /// Link-layer addresses of gateways: "02:00:00:00:00:01".
    #[serde(deserialize_with = "gateways")]
    pub gateways: Vec<String>,
}

fn refresh<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Span>, D::Error> {
    let Span(span) = Span::deserialize(from)?;
    if span < LEAST_REFRESH {
        return Err(D::Error::custom(format!("reading all again each {span:?} is too often: 1s at least")));
    }
    Ok(Some(Span(span)))
}

fn interfaces<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let is_one = |pattern: &String| {
        let name = pattern.strip_suffix('*').unwrap_or(pattern);
        !pattern.is_empty() && name.len() <= LONGEST_INTERFACE && !name.contains(['*', '/', ' '])
    };
    all(from, is_one, "is no interface: a name of up to 15 characters, with a `*` at its end alone")
}

fn gateways<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let is_octet = |octet: &str| octet.len() == 2 && octet.chars().all(|c| c.is_ascii_hexdigit());
    let is_one = |text: &String| text.split(':').count() == 6 && text.split(':').all(is_octet);
    all(from, is_one, "is no link-layer address such as \"02:00:00:00:00:01\"")
}

/// Texts, all of a kind.
fn all<'de, D: Deserializer<'de>>(
    from: D,
    is_one: impl Fn(&String) -> bool,
    why: &str,
) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    match texts.iter().find(|text| !is_one(text)) {
        Some(wrong) => Err(D::Error::custom(format!("\"{wrong}\" {why}"))),
        None => Ok(texts),
    }
}

impl Default for PoliciesConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            active: PathBuf::from("/run/rsvp/policies.d"),
            persistent: PathBuf::from("/etc/rsvp/policies.d"),
            vendor: PathBuf::from("/usr/lib/rsvp/policies.d"),
            users: Vec::new(),
            user_folder: PathBuf::from(".config/rsvp/policies.d"),
            refresh: None,
            profile: BTreeMap::new(),
        }
    }
}

impl ProfileConfig {
    /// Whether an interface is of it, with this gateway.
    #[must_use]
    pub fn has(&self, interface: &str, gateway: Option<&str>) -> bool {
        let named = |pattern: &String| match pattern.strip_suffix('*') {
            Some(front) => interface.starts_with(front),
            None => interface == pattern,
        };
        let behind = |known: &String| gateway.is_some_and(|gateway| known.eq_ignore_ascii_case(gateway));
        self.interfaces.iter().any(named) || self.gateways.iter().any(behind)
    }
}
