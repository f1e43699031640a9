//! `[metrics]`: where Prometheus finds what is counted.

use serde::Deserialize;
use std::net::SocketAddr;

/// The endpoint for Prometheus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [metrics]")]
pub struct MetricsConfig {
    /// Where it listens; nowhere, when not set.
    pub listen: Option<SocketAddr>,
}
