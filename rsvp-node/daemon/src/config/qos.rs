//! `[qos]`: where programs of any user hand over sockets, and how much those of one user may have together.

use super::{DaemonConfig, Rate};
use crate::config::data_plane::DscpKey;
use crate::flow_service;
use crate::qos_service::Limits;
use crate::templates::{DEFAULT_FOLDER, Shelf};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Sockets that applications hand over.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [qos]")]
pub struct QosConfig {
    /// Where programs of any user find the daemon, for that alone; nowhere with "". When not set, beside the control socket.
    pub socket: Option<PathBuf>,
    /// Sockets of one user's programs.
    pub sockets_per_user: Option<usize>,
    /// What is announced and reserved for them together.
    pub rate_per_user: Option<Rate>,
    /// What may be announced or reserved for one of them; without it, only the user's share bounds it.
    pub rate_per_flow: Option<Rate>,
    /// The highest DSCP that a program may ask for, 0 to 63.
    pub highest_dscp: Option<u8>,
    /// The DSCPs that programs of a user may set for their flows, by its name or number; traffic types are for everybody.
    pub flow_dscps: BTreeMap<UserKey, Vec<DscpKey>>,
    /// Whether flows that are only shaped (ShapeOnly) keep their marks.
    pub shape_only_marks: bool,
    /// Whether the kernel tells when such a socket is closed or connected.
    pub hooks: HooksWanted,
    /// At which cgroup, instead of the root of what the daemon can see: at or above those of the programs.
    pub cgroup: Option<PathBuf>,
    /// The folder in which templates are kept; [`DEFAULT_FOLDER`] when not set, nowhere with "".
    pub templates: Option<PathBuf>,
}

/// Whether the kernel tells when a socket that was handed over is closed or connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HooksWanted {
    /// Where the daemon may and the kernel can; else not, and the log says so.
    #[default]
    Auto,
    /// It does not: QoS ends with a request, or with the connection of the client.
    Off,
}

impl QosConfig {
    /// The bounds of each user.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            sockets: self.sockets_per_user.unwrap_or(default.sockets),
            rate_bps: self.rate_per_user.map_or(default.rate_bps, |rate| rate.bps),
            flow_rate_bps: self.rate_per_flow.map(|rate| rate.bps).or(default.flow_rate_bps),
            dscp: self.highest_dscp.unwrap_or(default.dscp),
        }
    }
}

/// A user, by name or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserKey(pub u32);

impl core::str::FromStr for UserKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(uid) = text.parse() {
            return Ok(Self(uid));
        }
        match nix::unistd::User::from_name(text) {
            Ok(Some(user)) => Ok(Self(user.uid.as_raw())),
            _ => Err(format!("\"{text}\" names nobody who has an account on this host")),
        }
    }
}

impl<'de> Deserialize<'de> for UserKey {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl QosConfig {
    /// What users may ask of flows.
    #[must_use]
    pub fn flow_limits(&self) -> flow_service::Limits {
        let dscps = |of: &[DscpKey]| of.iter().map(|DscpKey(dscp)| *dscp).collect();
        flow_service::Limits {
            sockets: self.limits().sockets,
            dscps: self.flow_dscps.iter().map(|(UserKey(uid), of)| (*uid, dscps(of))).collect(),
            shape_only_marks: self.shape_only_marks,
        }
    }

    /// Where templates are kept.
    #[must_use]
    pub fn shelf(&self) -> Shelf {
        let folder = self.templates.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FOLDER));
        Shelf::new(Some(folder).filter(|folder| !folder.as_os_str().is_empty()))
    }
}

impl DaemonConfig {
    /// Where programs of any user hand over sockets: `qos.sock` beside a `control.sock`, `a.qos.sock` beside an `a.sock`.
    #[must_use]
    pub fn qos_socket(&self) -> Option<PathBuf> {
        let beside = |control: &Path| {
            if control.file_name().is_some_and(|name| name == "control.sock") {
                control.with_file_name("qos.sock")
            } else {
                control.with_extension("qos.sock")
            }
        };
        let socket = self.qos.socket.clone().unwrap_or_else(|| beside(&self.control.socket));
        Some(socket).filter(|socket| !socket.as_os_str().is_empty())
    }
}
