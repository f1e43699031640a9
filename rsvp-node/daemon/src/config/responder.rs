//! `[responder]`: whether other hosts are helped to measure the way to this one.

use crate::probe::DEFAULT_PORT;
use serde::Deserialize;

/// Who helps to measure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [responder]")]
pub struct ResponderConfig {
    /// Whether this host answers those who measure the way to it.
    pub enabled: bool,
    /// The UDP port of responders: of this host's own, and of those that it asks; [`DEFAULT_PORT`] when not set.
    pub port: Option<u16>,
}

impl ResponderConfig {
    /// The UDP port of responders.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(DEFAULT_PORT)
    }
}
