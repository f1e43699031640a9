//! `rsvpd.toml`: everything the daemon can be told, all of it optional (`docs/rsvpd.md`).
//!
//! Reading is strict: an unknown key is refused with its place and, when one is close, the key that was probably meant.
//! What interfaces there are and what the kernel says of them is deliberately the business of `links`.

mod data_plane;
mod metrics;
mod overrides;
mod per_interface;
mod places;
mod policies;
mod qos;
mod responder;
#[cfg(test)]
mod tests;
mod transport;
mod units;

pub use data_plane::{
    DEFAULT_PINS, DataPlaneConfig, DscpKey, Excess, ExcessConfig, How, Kind, Mark, MarkConfig, MarksConfig,
    SharedClass,
};
pub use metrics::{Listen, MetricsConfig};
pub use overrides::Overrides;
pub use per_interface::{InterfaceConfig, ShareConfig};
pub use policies::{PoliciesConfig, ProfileConfig};
pub use qos::{HooksWanted, QosConfig, UserKey};
pub use responder::ResponderConfig;
pub use transport::{Transport, Udp};
pub use units::{HopRule, HopSourceRule, Percent, Rate, Reservable, Span};

pub(crate) use places::{Places, wrong_at, wrong_in};

use crate::handles::DEFAULT_STATE;
use core::time::Duration;
use places::place_of;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Read;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Where the configuration is looked for when nothing else is said; it need not be there.
pub const DEFAULT_CONFIG: &str = "/etc/rsvp/rsvpd.toml";
/// The example, which has every key.
pub const EXAMPLE: &str = include_str!("../../rsvpd.toml");
/// Where the control socket is when nothing else is said.
pub const DEFAULT_SOCKET: &str = "/run/rsvpd/control.sock";

/// Everything the daemon can be told.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys and tables such as [interfaces]")]
pub struct DaemonConfig {
    /// What is logged: "info", or directives such as "info,rsvpd=debug". The environment variable `RSVP_LOG` wins.
    pub log: Option<String>,
    /// The user to run as once everything is open; as started, when not set.
    pub user: Option<String>,
    /// Where everything that goes into the engine and comes out is written down, for `rsvp-sim replay`; nowhere, when not
    /// set.
    pub journal: Option<PathBuf>,
    /// The control socket.
    pub control: ControlConfig,
    /// Sockets that applications hand over.
    pub qos: QosConfig,
    /// Marks and rates for programs that do not ask for any.
    pub policies: PoliciesConfig,
    /// Whether others are helped to measure the way to this host.
    pub responder: ResponderConfig,
    /// Whether RSVP is spoken.
    pub signalling: SignallingConfig,
    /// Where Prometheus finds what is counted.
    pub metrics: MetricsConfig,
    /// Protocol timers and bounds of the node.
    pub node: NodeConfig,
    /// Upper bounds on state.
    pub limits: LimitsConfig,
    /// What holds for interfaces that do not say otherwise.
    pub interfaces: InterfaceConfig,
    /// What holds for one interface, by its name.
    pub interface: BTreeMap<String, InterfaceConfig>,
    /// What keeps the promises of reservations.
    #[serde(alias = "data-plane")]
    pub data_plane: DataPlaneConfig,
    /// How multicast Path messages are got hold of.
    pub multicast: MulticastConfig,
    /// Where multicast flows go, for nodes whose kernel does not know.
    #[serde(alias = "multicast-route")]
    pub multicast_route: Vec<MulticastRoute>,
}

/// The control socket: where it is and who may talk.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [control]")]
pub struct ControlConfig {
    /// Where it is.
    pub socket: PathBuf,
    /// Members of this group may talk, beside root and the daemon's own user.
    pub group: Option<String>,
    /// File mode, as octal digits.
    pub mode: Mode,
}

/// A file mode, written as octal digits: "0660".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode(pub u32);

impl core::str::FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
        mode.map(Self).ok_or_else(|| format!("\"{text}\" is no file mode: expected one such as \"0660\""))
    }
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self { socket: PathBuf::from(DEFAULT_SOCKET), group: None, mode: Mode(0o660) }
    }
}

/// Whether RSVP is spoken at all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [signalling]")]
pub struct SignallingConfig {
    /// It is, unless this says no: then the daemon is there for the packets of this host's sockets alone.
    pub enabled: bool,
}

impl Default for SignallingConfig {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Bounds and timers that are not an interface's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [node]")]
pub struct NodeConfig {
    /// Blockade multiplier Kb (RFC 2205 section 3.5).
    pub blockade_multiplier: Option<u32>,
    /// IP TTL of messages other than Path and PathTear.
    pub ttl: Option<u8>,
    /// Whether a minimum policed unit of zero is refused (RFC 2215 section 3.6).
    pub strict_tspec: bool,
    /// Seed of the refresh jitter, to repeat a run; a fresh one, when not set.
    pub seed: Option<u64>,
    /// The folder in which the secret of interface handles is kept; `/var/lib/rsvp` when not set, nowhere with "".
    pub state: Option<PathBuf>,
    /// How messages travel.
    pub transport: Transport,
    /// First-hop routers that messages go to by UDP, one of each address family; the gateway, when not set.
    pub udp_routers: Vec<IpAddr>,
    /// The IP TTL that exactly reaches them, when they are not on the link.
    pub udp_ttl: Option<u8>,
}

impl NodeConfig {
    /// Where the secret of interface handles is kept.
    #[must_use]
    pub fn state_folder(&self) -> Option<PathBuf> {
        let folder = self.state.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_STATE));
        Some(folder).filter(|folder| !folder.as_os_str().is_empty())
    }
}

/// Upper bounds on what peers and applications can make grow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [limits]")]
pub struct LimitsConfig {
    /// Sessions on this node.
    pub sessions: Option<u32>,
    /// Senders of one session.
    pub senders_per_session: Option<u32>,
    /// Reservation requests of one session.
    pub requests_per_session: Option<u32>,
    /// Filter specs in one request.
    pub filters_per_request: Option<u32>,
    /// Neighbours of one interface that are told apart.
    pub neighbours_per_interface: Option<u32>,
    /// Octets of state that neighbours may have together.
    pub state_octets: Option<u64>,
    /// Errors, confirmations and events that wait.
    pub queue: Option<u32>,
}

/// How multicast Path messages are got hold of on routers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [multicast]")]
pub struct MulticastConfig {
    /// Whether the daemon makes the kernel a multicast router when nobody else does.
    pub intercept: Intercept,
    /// Whether the daemon keeps the kernel from forwarding multicast protocol-46 packets, by a firewall rule of its own.
    pub firewall: bool,
}

/// Whether the daemon makes the kernel a multicast router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intercept {
    /// On a router, unless another program has.
    Auto,
    /// Never.
    Off,
}

impl Default for MulticastConfig {
    fn default() -> Self {
        Self { intercept: Intercept::Auto, firewall: true }
    }
}

/// Where a multicast flow comes from and goes to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table: [[multicast_route]]")]
pub struct MulticastRoute {
    /// The group.
    pub group: IpAddr,
    /// The sender; any, when not set.
    pub source: Option<IpAddr>,
    /// Name of the interface it comes in by.
    pub incoming: String,
    /// Names of the interfaces it leaves through.
    pub outgoing: Vec<String>,
}

impl MulticastRoute {
    /// Whether it is for what this source sends to this group.
    pub(super) fn is_of(&self, group: IpAddr, source: IpAddr) -> bool {
        self.group == group && self.source.is_none_or(|only| only == source)
    }
}

/// Why a configuration is not usable.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        error: std::io::Error,
    },
    /// Its content is wrong.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong, and what was expected.
        message: String,
    },
}

/// The shortest refresh period that is taken, and the largest multiplier of one.
const LEAST_REFRESH: Duration = Duration::from_millis(100);
const MOST_MULTIPLIER: u32 = 64;

/// The least that neighbours may be given for their state.
const LEAST_STATE: u64 = 1 << 20;
/// The most: 1 TiB.
const MOST_STATE: u64 = 1 << 40;
/// The most of what is counted, such as sessions: they would take more than 10 GB.
const MOST_COUNTED: u64 = 1 << 24;
/// The most neighbours of an interface that are told apart.
const MOST_NEIGHBOURS: u64 = 1 << 16;

/// Reads a text file. Another kind, such as a FIFO, may have no end, or no beginning while nobody writes into it.
fn read_file(path: &Path) -> std::io::Result<String> {
    let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("this is no regular file"));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

impl DaemonConfig {
    /// Reads a file; the default one may be missing.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let named = path.unwrap_or_else(|| Path::new(DEFAULT_CONFIG));
        match read_file(named) {
            Ok(text) => Self::parse(named, &text),
            Err(error) if path.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(error) => Err(ConfigError::Unreadable { path: named.to_owned(), error }),
        }
    }

    /// Reads a text; `path` is for the error message.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)
            .map_err(|e| wrong_at(path, text, e.span().map_or(0, |s| s.start), e.message()))?;
        config.check().map_err(|(key, message)| wrong_at(path, text, place_of(text, &key), &message))?;
        Ok(config)
    }

    /// Periods, multipliers and bounds with which soft state would not work (RFC 2205 section 3.7).
    fn check_timers(&self) -> Result<(), (String, String)> {
        let wrong = |key: &str, message: String| Err((key.to_owned(), message));
        let multiplier = |key: &str, value: Option<u32>| match value {
            Some(0) => wrong(key, "a multiplier of zero would end state before it is refreshed".into()),
            Some(value) if value > MOST_MULTIPLIER => wrong(
                key,
                format!("{value} periods keep state long after it is gone: 1 to {MOST_MULTIPLIER}"),
            ),
            _ => Ok(()),
        };
        for interface in self.interface.values().chain([&self.interfaces]) {
            if let Some(Span(refresh)) = interface.refresh.filter(|Span(refresh)| *refresh < LEAST_REFRESH) {
                return wrong(
                    "refresh",
                    format!("a refresh period of {refresh:?} is too short: 100ms at least"),
                );
            }
            multiplier("lifetime_multiplier", interface.lifetime_multiplier)?;
        }
        multiplier("blockade_multiplier", self.node.blockade_multiplier)?;
        if self.node.ttl == Some(0) {
            return wrong("ttl", "a TTL of zero reaches nobody".into());
        }
        Ok(())
    }

    /// Bounds that would let nothing happen, or bound nothing: no machine has so much memory.
    fn check_limits(&self) -> Result<(), (String, String)> {
        let LimitsConfig { sessions, neighbours_per_interface: neighbours, state_octets, queue, .. } =
            self.limits;
        let of_session = [
            ("senders_per_session", self.limits.senders_per_session),
            ("requests_per_session", self.limits.requests_per_session),
            ("filters_per_request", self.limits.filters_per_request),
        ];
        let bounds = [
            ("sessions", sessions.map(u64::from), 1..=MOST_COUNTED, "would leave no session for anybody"),
            (
                "neighbours_per_interface",
                neighbours.map(u64::from),
                2..=MOST_NEIGHBOURS,
                "tells nobody apart (one is for all others)",
            ),
            (
                "state_octets",
                state_octets,
                LEAST_STATE..=MOST_STATE,
                "octets, divided among neighbours, are no state for anybody",
            ),
            ("queue", queue.map(u64::from), 1..=MOST_COUNTED, "would send no error and tell no event"),
        ];
        let of_session = of_session.map(|(key, value)| {
            (key, value.map(u64::from), 1..=MOST_COUNTED, "would leave no session with a reservation")
        });
        for (key, value, range, too_few) in bounds.into_iter().chain(of_session) {
            let Some(value) = value.filter(|value| !range.contains(value)) else { continue };
            let (least, most) = (range.start(), range.end());
            let why = if value < *least {
                too_few
            } else {
                "is more than memory could hold, and would bound nothing"
            };
            return Err((key.to_owned(), format!("{value} {why}: {least} to {most}")));
        }
        Ok(())
    }

    /// What the types do not say: values that cannot be. A key to look for in the text, and what is wrong.
    fn check(&self) -> Result<(), (String, String)> {
        self.check_timers()?;
        self.check_limits()?;
        self.check_transport()?;
        self.check_data_plane()?;
        if let Some(dscp) = self.qos.highest_dscp.filter(|dscp| *dscp > 63) {
            return Err(("highest_dscp".into(), format!("{dscp} is no DSCP: 0 to 63")));
        }
        if let Some(Err(message)) = self.log.as_deref().map(check_log) {
            return Err(("log".into(), message));
        }
        if let Some(route) = self.multicast_route.iter().find(|route| !route.group.is_multicast()) {
            let group = route.group.to_string();
            return Err((group.clone(), format!("{group} is no multicast group")));
        }
        Ok(())
    }

    /// The engine's configuration; `seeds` are for what the file leaves open.
    #[must_use]
    pub fn of_engine(&self, seeds: [u64; 2]) -> rsvp_node::Config {
        let default = rsvp_node::Config::default();
        let limits = rsvp_node::Limits {
            sessions: self.limits.sessions.unwrap_or(default.limits.sessions),
            senders_per_session: self
                .limits
                .senders_per_session
                .unwrap_or(default.limits.senders_per_session),
            requests_per_session: self
                .limits
                .requests_per_session
                .unwrap_or(default.limits.requests_per_session),
            filters_per_request: self
                .limits
                .filters_per_request
                .unwrap_or(default.limits.filters_per_request),
            queue: self.limits.queue.unwrap_or(default.limits.queue),
            refresh_ms: default.limits.refresh_ms,
            neighbours_per_interface: self
                .limits
                .neighbours_per_interface
                .unwrap_or(default.limits.neighbours_per_interface),
            state_octets: self.limits.state_octets.unwrap_or(default.limits.state_octets),
        };
        rsvp_node::Config {
            seed: self.node.seed.unwrap_or(seeds[0]),
            // Never from the file: neighbours must not know it.
            hash_seed: seeds[1],
            blockade_multiplier: self.node.blockade_multiplier.unwrap_or(default.blockade_multiplier),
            ttl: self.node.ttl.unwrap_or(default.ttl),
            strict_tspec: self.node.strict_tspec,
            limits,
            ..default
        }
    }
}

/// A word alone that is no level would be taken for the name of a part of the program, and nothing would be logged.
pub(super) fn check_log(directives: &str) -> Result<(), String> {
    let alone = directives.split(',').map(str::trim).filter(|word| !word.contains(['=', ':', '[']));
    for word in alone.filter(|word| !word.starts_with("rsvp_")) {
        if word.parse::<tracing_subscriber::filter::LevelFilter>().is_err() {
            return Err(format!(
                "\"{word}\" is no log level: expected error, warn, info, debug, trace or off, or levels for parts such as \
                 \"info,rsvpd=debug\""
            ));
        }
    }
    Ok(())
}
