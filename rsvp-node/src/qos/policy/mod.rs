//! Policies: marks and rates for programs that do not ask for any themselves.
//!
//! A policy says which traffic it is for, and what happens to it. Of all that match a flow exactly one applies
//! ([`precedence`]); a flow is looked at once, when it begins. Source: the published pages of Policy-based QoS and of its
//! commands. Reading files, resolving variables and links in paths, and keeping policies in force are left to the daemon.

mod condition;
pub mod precedence;
mod traffic;

pub use condition::{App, Conditions, Ports, Prefix, Url, WellKnown};
pub use traffic::{Request, Traffic};

use thiserror::Error;

/// The precedence of a policy that does not say.
pub const DEFAULT_PRECEDENCE: u8 = 127;

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name, unique among those of a user, or of the computer.
    pub name: String,
    /// The user whose traffic it is for; the computer's when it says none.
    pub user: Option<String>,
    /// 0 to 255: the higher number wins.
    pub precedence: u8,
    /// The network profile it is for; all when it says none.
    pub profile: Option<String>,
    /// Which traffic it is for.
    pub conditions: Conditions,
    /// What happens to it.
    pub action: Action,
}

/// What happens to traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Action {
    /// The DSCP, 0 to 63.
    pub dscp: Option<u8>,
    /// The most that is sent, in bits per second.
    pub rate_bps: Option<u64>,
    /// The IEEE 802.1p priority, 0 to 7.
    pub priority: Option<u8>,
    /// The share of the link that it has for sure, from 1 to 100.
    pub weight: Option<u8>,
}

/// Why a policy is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PolicyFault {
    /// It has no name.
    #[error("a policy has a name")]
    NoName,
    /// It does nothing (events 16604 and 16605).
    #[error("a policy without an action does nothing")]
    NoAction,
    /// The DSCP is above 63.
    #[error("a DSCP is 0 to 63")]
    Dscp,
    /// The rate is zero.
    #[error("a rate is not zero")]
    Rate,
    /// The priority is above 7.
    #[error("an IEEE 802.1p priority is 0 to 7")]
    Priority,
    /// The weight is outside of 1 to 100.
    #[error("a weight is 1 to 100")]
    Weight,
    /// Local and remote address are of different families.
    #[error("local and remote address are of one family")]
    MixedFamilies,
    /// A port on either side, and one on a certain side.
    #[error("a port on either side leaves no room for one on a certain side")]
    TwoPorts,
    /// A policy for everything that nothing else is for, with conditions.
    #[error("the default template has no other conditions")]
    DefaultWithConditions,
    /// The path of a program is not absolute (events 16610 and 16611).
    #[error("a program is a file name, an absolute path, or one that begins with a variable such as $HOME")]
    App,
    /// It is not the URL of an HTTP server, or says more than its path.
    #[error(
        "a URL is http:// or https://, a host or `*` (an IPv6 address in brackets), perhaps a port or `*`, and a path without `*`, `?` and `#`"
    )]
    UrlForm,
    /// A URL's policy names whose program it is for, or a local address: all that is the server's.
    #[error(
        "a URL is for what a server answers, whoever runs it: it leaves no room for a user, a profile, a program, a cgroup or unit, a local address or a protocol"
    )]
    Url,
    /// A URL's policy does what a server cannot do to its answers.
    #[error(
        "what a server answers for a URL has a DSCP alone: a rate, a pcp or a weight belongs in a policy without a URL"
    )]
    UrlAction,
    /// A policy for frames without IP has conditions that only IP meets.
    #[error("the fcoe template has no other conditions")]
    Frames,
    /// Frames without IP have no DSCP, and are of no user.
    #[error("a policy for frames of FCoE has no user and no DSCP: say a pcp, a rate or a weight")]
    FramesAction,
}

impl Policy {
    /// A policy of the computer's that matches everything and does nothing yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            user: None,
            precedence: DEFAULT_PRECEDENCE,
            profile: None,
            conditions: Conditions::default(),
            action: Action::default(),
        }
    }

    /// Whether it can be put in force.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn check(&self) -> Result<(), PolicyFault> {
        let action = &self.action;
        let fault = if self.name.is_empty() {
            PolicyFault::NoName
        } else if *action == Action::default() {
            PolicyFault::NoAction
        } else if action.dscp.is_some_and(|dscp| dscp > 63) {
            PolicyFault::Dscp
        } else if action.rate_bps == Some(0) {
            PolicyFault::Rate
        } else if action.priority.is_some_and(|priority| priority > 7) {
            PolicyFault::Priority
        } else if action.weight.is_some_and(|weight| !(1..=100).contains(&weight)) {
            PolicyFault::Weight
        } else if self.conditions.is_of_frames() && (action.dscp.is_some() || self.user.is_some()) {
            PolicyFault::FramesAction
        } else if self.conditions.url.is_some()
            && *action != (Action { dscp: action.dscp, ..Action::default() })
        {
            PolicyFault::UrlAction
        } else if self.conditions.url.is_some() && (self.user.is_some() || self.profile.is_some()) {
            PolicyFault::Url
        } else {
            return self.conditions.check();
        };
        Err(fault)
    }

    /// Whether it is for this traffic.
    #[must_use]
    pub fn matches(&self, traffic: &Traffic<'_>) -> bool {
        self.user.as_deref().is_none_or(|user| traffic.user == Some(user))
            && self.profile.as_ref().is_none_or(|profile| traffic.profiles.contains(&profile.as_str()))
            && self.conditions.match_all(traffic)
    }
}

/// The policies in force out of stores, the strongest first: of equal names of one user, or of the computer, the first is.
pub fn in_force<'p>(stores: &[&'p [Policy]]) -> Vec<&'p Policy> {
    let mut found: Vec<&Policy> = Vec::new();
    for policy in stores.iter().copied().flatten() {
        if !found.iter().any(|earlier| (&earlier.name, &earlier.user) == (&policy.name, &policy.user)) {
            found.push(policy);
        }
    }
    found
}

/// A DSCP that a program has asked for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnDscp {
    /// The DSCP.
    pub dscp: u8,
    /// Whether it came by a QoS interface; what a plain socket option sets is never overridden.
    pub by_qos: bool,
}

/// The DSCP of a packet: a policy's wins over the program's own, and where marks are overridden no other is left.
#[must_use]
pub fn dscp(policy: Option<&Policy>, own: Option<OwnDscp>, dscp_override: bool) -> u8 {
    let of_program = own.filter(|own| !(dscp_override && own.by_qos)).map_or(0, |own| own.dscp);
    policy.and_then(|policy| policy.action.dscp).unwrap_or(of_program)
}

/// The largest receive window of TCP at an inbound throughput level from 0 to 3, in octets: 64 KB, 256 KB, 1 MB, 16 MB less
/// what the window scale cuts off.
#[must_use]
pub const fn inbound_window(level: u8) -> Option<u32> {
    match level {
        0 => Some(65_535),
        1 => Some(65_535 << 2),
        2 => Some(65_535 << 4),
        3 => Some(65_535 << 8),
        _ => None,
    }
}
