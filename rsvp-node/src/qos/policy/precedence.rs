//! Which of the policies that match applies: the most specific, and only that one.
//!
//! The first of these that tells two policies apart decides:
//!
//! 1. any other over one for what no other is for;
//! 2. the higher precedence number;
//! 3. a user's over the computer's;
//! 4. one for a program over one for addresses and ports: URL (ours), path, name, unit (ours), none;
//! 5. of a URL (ours): one host over any, one port over any, the longer path, the path alone over all below it;
//! 6. more conditions on addresses, ports and protocol;
//! 7. one on the source address; on the destination address; on the source port; on the destination port; on a port of
//!    either side (ours); on the protocol;
//! 8. the longer prefix of the source address, then of the destination address;
//! 9. a single port over a range, in the same order;
//! 10. the name that sorts first.
//!
//! Source: the published pages of managing policies and of the questions about them; 2 is from the commands.

use super::condition::{App, Conditions, Ports, Prefix};
use super::{Policy, Traffic};
use core::cmp::Ordering;
use core::fmt;

/// What told two policies apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// One is for what no other is for.
    Default,
    /// The precedence number.
    Precedence,
    /// One is a user's.
    User,
    /// The program.
    App,
    /// How much is said of the URL.
    Url,
    /// How many conditions on addresses, ports and protocol.
    Count,
    /// Which of these conditions.
    Kind,
    /// The length of a prefix.
    Prefix,
    /// One is for a single port.
    SinglePort,
    /// Their names.
    Name,
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "it is for what no other policy is for",
            Self::Precedence => "lower precedence",
            Self::User => "the computer's, not the user's",
            Self::App => "less said of the program",
            Self::Url => "less said of the URL",
            Self::Count => "fewer conditions",
            Self::Kind => "conditions that count for less",
            Self::Prefix => "a shorter prefix",
            Self::SinglePort => "a range of ports, not one",
            Self::Name => "a name that sorts behind",
        })
    }
}

/// How two policies that match the same traffic compare, `Greater` when the first applies, and by what.
#[must_use]
pub fn compare(one: &Policy, other: &Policy) -> (Ordering, Criterion) {
    let by = |criterion, rank: &dyn Fn(&Policy) -> [u8; 6]| (rank(one).cmp(&rank(other)), criterion);
    let first = |value: u8| [value, 0, 0, 0, 0, 0];
    let steps = [
        by(Criterion::Default, &|p| first((!p.conditions.is_default()).into())),
        by(Criterion::Precedence, &|p| first(p.precedence)),
        by(Criterion::User, &|p| first(p.user.is_some().into())),
        by(Criterion::App, &|p| first(program(&p.conditions))),
        by(Criterion::Url, &|p| url(&p.conditions)),
        by(Criterion::Count, &|p| first(kinds(&p.conditions).iter().sum())),
        by(Criterion::Kind, &|p| kinds(&p.conditions)),
        by(Criterion::Prefix, &|p| prefixes(&p.conditions)),
        by(Criterion::SinglePort, &|p| singles(&p.conditions)),
    ];
    let by_name = (other.name.cmp(&one.name), Criterion::Name);
    steps.into_iter().find(|(order, _)| order.is_ne()).unwrap_or(by_name)
}

/// The policy that applies.
pub fn choose<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    traffic: &Traffic<'_>,
) -> Option<&'p Policy> {
    let matching = policies.into_iter().filter(|policy| policy.matches(traffic));
    matching.max_by(|one, other| compare(one, other).0)
}

/// The policy that applies, and of all others that match by what they lost to it.
#[must_use]
pub fn explain<'p>(
    policies: &[&'p Policy],
    traffic: &Traffic<'_>,
) -> Option<(&'p Policy, Vec<(&'p Policy, Criterion)>)> {
    let winner = choose(policies.iter().copied(), traffic)?;
    let others = policies.iter().filter(|policy| policy.matches(traffic) && !core::ptr::eq(**policy, winner));
    Some((winner, others.map(|loser| (*loser, compare(winner, loser).1)).collect()))
}

/// How much is said of the program.
fn program(conditions: &Conditions) -> u8 {
    let of = |said, rank| if said { rank } else { 0 };
    let app = match conditions.app {
        Some(App::Path(_)) => 3,
        Some(App::Name(_)) => 2,
        None => 0,
    };
    of(conditions.url.is_some(), 4).max(app).max(of(conditions.unit.is_some(), 1))
}

/// How much is said of the URL: what counts for most first.
fn url(conditions: &Conditions) -> [u8; 6] {
    let Some(url) = &conditions.url else { return [0; 6] };
    let [high, low] = u16::try_from(url.path.len()).unwrap_or(u16::MAX).to_be_bytes();
    [url.host.is_some().into(), url.port.is_some().into(), high, low, (!url.recursive).into(), 0]
}

/// Which conditions there are, those that count for most first.
fn kinds(conditions: &Conditions) -> [u8; 6] {
    [
        conditions.local.is_some(),
        conditions.remote.is_some(),
        conditions.local_port.is_some(),
        conditions.remote_port.is_some(),
        conditions.either_port().is_some(),
        conditions.protocol.is_some(),
    ]
    .map(u8::from)
}

fn prefixes(conditions: &Conditions) -> [u8; 6] {
    let len = |prefix: Option<Prefix>| prefix.map_or(0, |prefix| prefix.len);
    [len(conditions.local), len(conditions.remote), 0, 0, 0, 0]
}

fn singles(conditions: &Conditions) -> [u8; 6] {
    let single = |ports: Option<Ports>| ports.is_some_and(|ports| ports.is_single()).into();
    let (local, remote) = (conditions.local_port, conditions.remote_port);
    [single(local), single(remote), single(conditions.either_port()), 0, 0, 0]
}
