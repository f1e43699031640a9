//! A file of policies: TOML with any number of `[[policy]]`, and `[settings]`.
//!
//! A policy that cannot be used is left out with its place and why, and the others are used. A file that is not TOML has none.

use super::super::config::{Places, Rate, wrong_in};
use rsvp_control::policy::Settings;
use rsvp_node::qos::Transport;
use rsvp_node::qos::dscp::Dscp;
use rsvp_node::qos::policy::{Action, App, Conditions, DEFAULT_PRECEDENCE, Policy, PolicyFault, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 128;
/// Complaints that are kept of a file, and of all.
pub(super) const MOST_COMPLAINTS: usize = 1_000;

/// A policy with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What it says.
    pub policy: Policy,
    /// The file.
    pub file: PathBuf,
    /// The line.
    pub line: usize,
}

/// Why something of a file is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The number of the event: a pair is the computer's and a user's.
    pub event: u32,
    /// What it is about, if that has a name.
    pub policy: Option<String>,
    /// With file, line and column.
    pub message: String,
}

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Policies that can be used.
    pub policies: Vec<Placed>,
    /// And settings.
    pub settings: Settings,
    /// What is left out.
    pub complaints: Vec<Complaint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with name, match and action")]
struct PolicyWords {
    name: Spanned<String>,
    user: Option<Spanned<String>>,
    precedence: Option<u8>,
    profile: Option<String>,
    r#match: Option<Spanned<MatchWords>>,
    action: Option<Spanned<ActionWords>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: match = { app = \"curl\" }")]
struct MatchWords {
    app: Option<Spanned<String>>,
    cgroup: Option<Spanned<String>>,
    unit: Option<Spanned<String>>,
    url: Option<Spanned<String>>,
    recursive: Option<Spanned<bool>>,
    protocol: Option<Spanned<String>>,
    local: Option<Spanned<String>>,
    remote: Option<Spanned<String>>,
    local_port: Option<Spanned<PortWords>>,
    remote_port: Option<Spanned<PortWords>>,
    port: Option<Spanned<PortWords>>,
    template: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a port such as 5000, or a range such as \"3478:3481\"")]
enum PortWords {
    One(u16),
    Text(String),
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: action = { dscp = \"ef\" }")]
struct ActionWords {
    dscp: Option<Spanned<DscpWords>>,
    rate: Option<Spanned<Rate>>,
    pcp: Option<Spanned<u8>>,
    weight: Option<Spanned<u8>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a DSCP such as \"af41\" or 34")]
enum DscpWords {
    Number(u64),
    Word(String),
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table: [settings]")]
struct SettingsWords {
    inbound_level: Option<Spanned<u8>>,
    dscp_override: Option<bool>,
    flow_override: Option<bool>,
}

/// Something wrong: which event, at which octet, and what.
type Fault = (u32, usize, String);

const BAD_FILE: u32 = 16600;
const NO_ACTION: u32 = 16604;
const BAD_APP: u32 = 16610;
const LONG_NAME: u32 = 16704;
const NO_NAME: u32 = 16706;
const BAD_FIELD: u32 = 16710;

/// Reads a file; `of_user` is whose it is, unless it is the computer's.
#[must_use]
pub fn parse(path: &Path, text: &str, of_user: Option<&str>) -> Contents {
    let mut contents = Contents::default();
    let number = |event: u32| event + u32::from(of_user.is_some());
    let places = Places::new(text);
    let mut complain = |(event, at, message): Fault, policy: Option<String>| {
        if contents.complaints.len() < MOST_COMPLAINTS {
            let message = wrong_in(path, places.of(at), &message).to_string();
            contents.complaints.push(Complaint { event: number(event), policy, message });
        }
    };
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            complain((BAD_FILE, error.span().map_or(0, |span| span.start), error.message().to_owned()), None);
            return contents;
        }
    };
    let (mut policies, mut settings) = (Vec::new(), Settings::default());
    for (key, value) in table {
        let at = key.span().start;
        let is_array = matches!(value.get_ref(), DeValue::Array(_));
        match &**key.get_ref() {
            "policy" if is_array => policies = items(value),
            "policy" => {
                let message =
                    "a policy begins with [[policy]], and has its name in it: name = \"web\"".to_owned();
                complain((BAD_FILE, at, message), None);
            }
            "settings" if of_user.is_some() => {
                let message = "settings are the computer's alone: leave [settings] out".to_owned();
                complain((BAD_FIELD, at, message), None);
            }
            "settings" => match settings_of(value) {
                Ok(read) => settings = read,
                Err(fault) => complain(fault, None),
            },
            other => {
                let message =
                    format!("unknown field `{other}`, expected `policy` (as [[policy]]) or `settings`");
                complain((BAD_FILE, at, message), None);
            }
        }
    }
    let mut placed = Vec::new();
    for item in policies {
        let at = item.span().start;
        match policy_of(item, of_user) {
            Ok(policy) => {
                let (line, _) = places.of(at);
                placed.push(Placed { policy, file: path.to_owned(), line });
            }
            Err((fault, name)) => complain(fault, name),
        }
    }
    (contents.policies, contents.settings) = (placed, settings);
    contents
}

fn items(value: Spanned<DeValue<'_>>) -> Vec<Spanned<DeValue<'_>>> {
    match value.into_inner() {
        DeValue::Array(items) => items.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Reads a value into its words.
fn read<T: DeserializeOwned>(value: Spanned<DeValue<'_>>) -> Result<T, Fault> {
    let at = value.span().start;
    T::deserialize(ValueDeserializer::from(value))
        .map_err(|error| (BAD_FIELD, error.span().map_or(at, |span| span.start), error.message().to_owned()))
}

fn settings_of(value: Spanned<DeValue<'_>>) -> Result<Settings, Fault> {
    let SettingsWords { inbound_level, dscp_override, flow_override } = read(value)?;
    if let Some(level) = inbound_level.as_ref().filter(|level| *level.get_ref() > 3) {
        return Err((
            16712,
            level.span().start,
            format!("an inbound level is 0 to 3, not {}", level.get_ref()),
        ));
    }
    Ok(Settings { inbound_level: inbound_level.map(Spanned::into_inner), dscp_override, flow_override })
}

fn policy_of(value: Spanned<DeValue<'_>>, of_user: Option<&str>) -> Result<Policy, (Fault, Option<String>)> {
    let at = value.span().start;
    let words: PolicyWords = read(value).map_err(|fault| (fault, None))?;
    let name = words.name.get_ref().clone();
    build(words, at, of_user).map_err(|fault| (fault, Some(name)))
}

fn build(words: PolicyWords, at: usize, of_user: Option<&str>) -> Result<Policy, Fault> {
    let PolicyWords { name, user, precedence, profile, r#match, action } = words;
    let name_at = name.span().start;
    let name = name.into_inner();
    if name.chars().count() > LONGEST_NAME {
        return Err((LONG_NAME, name_at, format!("a name has {LONGEST_NAME} characters at most")));
    }
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err((NO_NAME, name_at, "a policy has a name, without control characters".to_owned()));
    }
    let user = match (user, of_user) {
        (None, of_user) => of_user.map(str::to_owned),
        (Some(user), Some(own)) if user.get_ref() != own => {
            let message = format!("a store of {own}'s has policies for {own} alone");
            return Err((BAD_FIELD, user.span().start, message));
        }
        (Some(user), _) => Some(user.into_inner()),
    };
    let match_at = r#match.as_ref().map_or(at, |r#match| r#match.span().start);
    let conditions =
        r#match.map_or_else(|| Ok(Conditions::default()), |words| conditions(words.into_inner()))?;
    if conditions.url.is_some() && of_user.is_some() {
        let message = "a policy for a URL is for what a server answers, which is no user's: the computer's stores have those";
        return Err((BAD_FIELD, match_at, message.to_owned()));
    }
    let action_at = action.as_ref().map_or(at, |action| action.span().start);
    let action = action.map_or_else(|| Ok(Action::default()), |words| self::action(words.into_inner()))?;
    let policy = Policy {
        name,
        user,
        precedence: precedence.unwrap_or(DEFAULT_PRECEDENCE),
        profile,
        conditions,
        action,
    };
    policy.check().map_err(|fault| match fault {
        PolicyFault::NoAction => (
            NO_ACTION,
            action_at,
            "a policy without an action does nothing: say action = { dscp = … }, rate, pcp or weight"
                .to_owned(),
        ),
        PolicyFault::MixedFamilies
        | PolicyFault::TwoPorts
        | PolicyFault::DefaultWithConditions
        | PolicyFault::Frames
        | PolicyFault::Url
        | PolicyFault::App => (BAD_FIELD, match_at, fault.to_string()),
        other => (BAD_FIELD, action_at, other.to_string()),
    })?;
    Ok(policy)
}

/// Reads a text, or says what is wrong with it and where.
fn text<T: FromStr>(words: Option<Spanned<String>>, event: u32) -> Result<Option<T>, Fault>
where
    T::Err: std::fmt::Display,
{
    let Some(words) = words else { return Ok(None) };
    let read = words.get_ref().parse();
    read.map(Some)
        .map_err(|why: T::Err| (event, words.span().start, format!("\"{}\": {why}", words.get_ref())))
}

fn ports<T: FromStr>(words: Option<Spanned<PortWords>>) -> Result<Option<T>, Fault>
where
    T::Err: std::fmt::Display,
{
    let of = |words: Spanned<PortWords>| {
        let span = words.span();
        let text = match words.into_inner() {
            PortWords::One(port) => port.to_string(),
            PortWords::Text(text) => text,
        };
        Spanned::new(span, text)
    };
    text(words.map(of), BAD_FIELD)
}

fn conditions(words: MatchWords) -> Result<Conditions, Fault> {
    let protocol = match &words.protocol {
        None => None,
        Some(word) => match word.get_ref().as_str() {
            "tcp" => Some(Transport::Tcp),
            "udp" => Some(Transport::Udp),
            other => {
                return Err((
                    BAD_FIELD,
                    word.span().start,
                    format!("\"{other}\" is not a protocol that a policy can be for: tcp or udp"),
                ));
            }
        },
    };
    let unit = unit_of(words.cgroup, words.unit)?;
    let url: Option<Url> = text(words.url, BAD_FIELD)?;
    if let Some(recursive) = words.recursive.as_ref().filter(|_| url.is_none()) {
        let message = "`recursive` is about a `url`: without one there is nothing below it".to_owned();
        return Err((BAD_FIELD, recursive.span().start, message));
    }
    let recursive = words.recursive.is_some_and(Spanned::into_inner);
    let url = url.map(|url| Url { recursive, ..url });
    Ok(Conditions {
        app: text::<App>(words.app, BAD_APP)?,
        unit,
        url,
        protocol,
        local: text(words.local, BAD_FIELD)?,
        remote: text(words.remote, BAD_FIELD)?,
        local_port: ports(words.local_port)?,
        remote_port: ports(words.remote_port)?,
        port: ports(words.port)?,
        template: text(words.template, BAD_FIELD)?,
    })
}

/// The cgroup by its path, or the unit by its name.
fn unit_of(cgroup: Option<Spanned<String>>, unit: Option<Spanned<String>>) -> Result<Option<String>, Fault> {
    let is_below = |path: &str| {
        let mut parts = Path::new(path).components();
        parts.next() == Some(Component::RootDir) && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    match (cgroup, unit) {
        (Some(cgroup), Some(_)) => {
            Err((BAD_FIELD, cgroup.span().start, "a cgroup or a unit, not both".to_owned()))
        }
        (Some(cgroup), None) if !is_below(cgroup.get_ref()) => {
            let message =
                "a cgroup is a path below the root of the hierarchy, such as \"/system.slice\", without `..`";
            Err((BAD_FIELD, cgroup.span().start, message.to_owned()))
        }
        (None, Some(unit)) if unit.get_ref().contains('/') || unit.get_ref().is_empty() => {
            let message = "a unit is a name, such as \"nginx.service\"; a path is a cgroup".to_owned();
            Err((BAD_FIELD, unit.span().start, message))
        }
        (cgroup, unit) => Ok(cgroup.or(unit).map(Spanned::into_inner)),
    }
}

fn action(words: ActionWords) -> Result<Action, Fault> {
    let dscp = match words.dscp {
        None => None,
        Some(words) => {
            let at = words.span().start;
            let text = match words.into_inner() {
                DscpWords::Number(number) => number.to_string(),
                DscpWords::Word(word) => word,
            };
            let read: Result<Dscp, _> = text.parse();
            Some(read.map_err(|why| (BAD_FIELD, at, format!("\"{text}\": {why}")))?.value())
        }
    };
    Ok(Action {
        dscp,
        rate_bps: words.rate.map(|rate| rate.into_inner().bps),
        priority: words.pcp.map(Spanned::into_inner),
        weight: words.weight.map(Spanned::into_inner),
    })
}
