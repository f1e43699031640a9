//! `[policies]`: where policies are, whose count, and what profiles of interfaces are.

use super::Span;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

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
    pub refresh: Option<Span>,
    /// Profiles of interfaces, by name.
    pub profile: BTreeMap<String, ProfileConfig>,
}

/// Which interfaces are of a profile: those that are named, and those whose gateway is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [policies.profile.NAME]")]
pub struct ProfileConfig {
    /// Interfaces by name; a `*` at the end stands for anything.
    pub interfaces: Vec<String>,
    /// Link-layer addresses of gateways: "02:00:00:00:00:01".
    pub gateways: Vec<String>,
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
