//! Policies: what is asked of them and listed of them.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What a daemon can do that has these requests.
pub const CAN_POLICY: &str = "policy";

/// Where a policy is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// With the connection of the client that has put it; it is in no file.
    Connection,
    /// Until the machine starts anew, or the daemon is ended.
    #[default]
    Active,
    /// The administrator's.
    Persistent,
    /// What packages have brought.
    Vendor,
    /// A user's own.
    User,
}

impl Store {
    /// What it is called.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Active => "active",
            Self::Persistent => "persistent",
            Self::Vendor => "vendor",
            Self::User => "user",
        }
    }
}

/// A policy to be kept, in the place of one of this name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Put {
    /// The policy, as a file has it: TOML with one `[[policy]]`.
    pub text: String,
    /// Where.
    #[serde(default)]
    pub store: Store,
}

/// A policy that is not to be kept any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// Its name.
    pub name: String,
    /// Its user, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where it is; else wherever it is in force from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<Store>,
}

/// Of which sockets it is to be said what they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Explain {
    /// Those that this process has made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Those with this address on either side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<SocketAddr>,
    /// Those, too, that are closed.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub closed: bool,
}

/// What an HTTP server is about to answer for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matching {
    /// The URL that was asked for: `http://host:port/path`.
    pub url: String,
    /// The server's own address and port.
    pub local: SocketAddr,
    /// The client's.
    pub remote: SocketAddr,
}

/// Settings of the computer's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The inbound throughput level, 0 to 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbound_level: Option<u8>,
    /// Whether DSCPs that sockets set themselves are not left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dscp_override: Option<bool>,
    /// Whether those of flows that programs have asked for are not left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_override: Option<bool>,
}

/// A policy in a listing, the strongest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRow {
    /// Its name.
    pub name: String,
    /// Its user; the computer's without.
    pub user: Option<String>,
    /// The store.
    pub store: Store,
    /// The file; none where it is in no file.
    pub file: Option<String>,
    /// The line there.
    pub line: usize,
    /// Its precedence number.
    pub precedence: u8,
    /// Its network profile.
    pub profile: Option<String>,
    /// Its conditions, as words and values.
    pub conditions: Vec<(String, String)>,
    /// The DSCP.
    pub dscp: Option<u8>,
    /// The rate, in bits per second.
    pub rate_bps: Option<u64>,
    /// The IEEE 802.1p priority.
    pub pcp: Option<u8>,
    /// The weight.
    pub weight: Option<u8>,
    /// Why it is not in force, if it is not.
    pub fault: Option<String>,
    /// Packets that it was applied to.
    pub packets: u64,
    /// And their octets.
    pub octets: u64,
}

/// A policy by its name and place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its user.
    pub user: Option<String>,
    /// The file.
    pub file: Option<String>,
    /// The line there.
    pub line: usize,
    /// By what it lost, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_by: Option<String>,
}

/// What a socket was given, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The socket's address.
    pub local: SocketAddr,
    /// Its peer.
    pub remote: SocketAddr,
    /// The process that made it, if that is known.
    pub pid: Option<u32>,
    /// The program that the process runs now.
    pub program: Option<String>,
    /// The user, by number.
    pub uid: u32,
    /// The interface.
    pub interface: Option<String>,
    /// The policy that it was given when its traffic began.
    pub policy: Option<Named>,
    /// What that gives: DSCP, rate, priority, weight.
    pub action: Option<PolicyRow>,
    /// Others in force that match it, the 32 strongest, with what they lose by; new traffic like it would be given the policy or the first.
    pub others: Vec<Named>,
    /// Whether it is closed.
    pub closed: bool,
}

/// What was left out of a store, or what has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyEvent {
    /// The number that Windows has for it.
    pub number: u32,
    /// The policy, if it is about one.
    pub policy: Option<String>,
    /// What has happened, with file, line and column where there is a place.
    pub message: String,
}

/// What is said of policies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<PolicyRow>>,
    /// Settings in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// What was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complaints: Option<Vec<PolicyEvent>>,
    /// Sockets with what they were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sockets: Option<Vec<Explained>>,
    /// The policy for a URL; none where no policy is for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<PolicyRow>,
}
