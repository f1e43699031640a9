//! `[metrics]`: where Prometheus finds what is counted.

use serde::Deserialize;
use std::net::SocketAddr;

/// The endpoint for Prometheus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [metrics]")]
pub struct MetricsConfig {
    /// Where it listens; nowhere, when not set.
    pub listen: Option<Listen>,
}

/// An address with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

impl core::str::FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!("\"{text}\" is no address with a port: expected one such as \"127.0.0.1:9465\" or \"[::1]:9465\"")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::DaemonConfig;
    use super::*;

    #[test]
    fn it_is_off_unless_an_address_with_a_port_is_there() {
        let read = |text: &str| toml::from_str::<DaemonConfig>(text).map(|config| config.metrics.listen);
        assert_eq!(read(""), Ok(None));
        assert_eq!(
            read("[metrics]\nlisten = \"[::1]:9465\""),
            Ok(Some(Listen("[::1]:9465".parse().unwrap())))
        );
        for wrong in ["\"127.0.0.1\"", "\"localhost:9465\"", "9465"] {
            let error = read(&format!("[metrics]\nlisten = {wrong}")).unwrap_err().to_string();
            assert!(error.contains("127.0.0.1:9465"), "{error}");
        }
    }
}
