//! What was seen and what is expected, in one shape: a few named facts about a message, an event, a reservation.
//!
//! An expected record matches a seen one when every fact it states is so; facts it does not state are free. Deliberately
//! nothing here knows where the facts come from.

use core::fmt;
use rsvp_node::units::show_rate;
use std::collections::{BTreeMap, BTreeSet};

/// The order in which facts are shown: where and who, then what, then how much.
const ORDER: [&str; 38] = [
    "application",
    "event",
    "traffic",
    "from",
    "to",
    "type",
    "node",
    "link",
    "kind",
    "previous_hop",
    "next_hop",
    "direction",
    "session",
    "sender",
    "receiver",
    "dscp",
    "packets",
    "delivered",
    "lost",
    "excess",
    "delay",
    "delay_99",
    "style",
    "filters",
    "flows",
    "service",
    "rate",
    "reserve",
    "charge",
    "break",
    "confirm",
    "scope",
    "code",
    "value",
    "error_node",
    "flags",
    "why",
    "reason",
];

/// One fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A name or one of a few words.
    Word(String),
    /// Bits per second.
    Rate(f64),
    /// A number.
    Number(u64),
    /// A number that has a name.
    Named(u64, &'static str),
    /// A share of a whole.
    Share(f64),
    /// A time, in seconds.
    Seconds(f64),
    /// Expected only: a share or, if not, a time from the first to the second, both included.
    Between(f64, f64, bool),
    /// Yes or no.
    Truth(bool),
    /// Names, in no order.
    Words(BTreeSet<String>),
    /// Records, in no order.
    Records(Vec<Facts>),
}

/// Named facts about one thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts(pub BTreeMap<&'static str, Fact>);

impl Fact {
    /// Whether the seen fact is the expected one.
    #[must_use]
    pub fn is(&self, seen: &Self) -> bool {
        match (self, seen) {
            (Self::Rate(a), Self::Rate(b)) => same_rate(*a, *b),
            (Self::Number(a) | Self::Named(a, _), Self::Number(b) | Self::Named(b, _)) => a == b,
            (Self::Between(least, most, true), Self::Share(seen))
            | (Self::Between(least, most, false), Self::Seconds(seen)) => (*least..=*most).contains(seen),
            (Self::Records(a), Self::Records(b)) => pairing(a, b).is_ok(),
            (a, b) => a == b,
        }
    }
}

/// Rates travel as IEEE single in octets per second, so equality is up to what that keeps.
fn same_rate(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= a.abs().max(b.abs()) * 1e-6
}

impl Facts {
    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, fact: Fact) -> Self {
        self.0.insert(name, fact);
        self
    }

    /// Adds a word.
    #[must_use]
    pub fn word(self, name: &'static str, word: impl Into<String>) -> Self {
        self.with(name, Fact::Word(word.into()))
    }

    /// The word of that name, or nothing.
    #[must_use]
    pub fn word_of(&self, name: &str) -> &str {
        match self.0.get(name) {
            Some(Fact::Word(word)) => word,
            _ => "",
        }
    }

    /// Whether every fact stated here is so in what was seen.
    #[must_use]
    pub fn matches(&self, seen: &Self) -> bool {
        self.0.iter().all(|(name, fact)| seen.0.get(name).is_some_and(|s| fact.is(s)))
    }
}

/// Where expected and seen records differ: those expected that were not seen and those seen that nobody expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Places in the expected list.
    pub missing: Vec<usize>,
    /// Places in the seen list.
    pub surplus: Vec<usize>,
}

/// Pairs every expected record with a seen one of its own, leaving none over on either side.
///
/// # Errors
///
/// The difference, when no such pairing exists.
pub fn pairing(expected: &[Facts], seen: &[Facts]) -> Result<(), Difference> {
    let mut owner: Vec<Option<usize>> = vec![None; seen.len()];
    let mut missing = Vec::new();
    for (place, _) in expected.iter().enumerate() {
        let mut tried = vec![false; seen.len()];
        if !claim(place, expected, seen, &mut owner, &mut tried) {
            missing.push(place);
        }
    }
    let surplus: Vec<usize> = (0..seen.len()).filter(|&n| owner[n].is_none()).collect();
    if missing.is_empty() && surplus.is_empty() { Ok(()) } else { Err(Difference { missing, surplus }) }
}

/// Finds a seen record for an expected one, moving others aside where they have an alternative.
fn claim(
    place: usize,
    expected: &[Facts],
    seen: &[Facts],
    owner: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for n in 0..seen.len() {
        if tried[n] || !expected[place].matches(&seen[n]) {
            continue;
        }
        tried[n] = true;
        if owner[n].is_none_or(|other| claim(other, expected, seen, owner, tried)) {
            owner[n] = Some(place);
            return true;
        }
    }
    false
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Rate(bps) => f.write_str(&show_rate(*bps)),
            Self::Number(n) => write!(f, "{n}"),
            Self::Named(n, name) => write!(f, "{n} ({name})"),
            Self::Share(share) => write!(f, "{}", percent(*share)),
            Self::Seconds(seconds) => write!(f, "{}", milliseconds(*seconds)),
            Self::Between(least, most, is_share) => {
                let show = |value: f64| if *is_share { percent(value) } else { milliseconds(value) };
                match (*least > 0.0, most.is_finite()) {
                    (true, true) => write!(f, "from {} to {}", show(*least), show(*most)),
                    (_, true) => write!(f, "at most {}", show(*most)),
                    _ => write!(f, "at least {}", show(*least)),
                }
            }
            Self::Truth(yes) => f.write_str(if *yes { "yes" } else { "no" }),
            Self::Words(words) if words.is_empty() => f.write_str("none"),
            Self::Words(words) => f.write_str(&words.iter().cloned().collect::<Vec<_>>().join("+")),
            Self::Records(records) => {
                f.write_str("[")?;
                for (n, record) in records.iter().enumerate() {
                    write!(f, "{}{record}", if n == 0 { "" } else { " | " })?;
                }
                f.write_str("]")
            }
        }
    }
}

fn percent(share: f64) -> String {
    format!("{}%", (share * 1e7).round() / 1e5)
}

/// To the nanosecond, which is how exact delays are.
fn milliseconds(seconds: f64) -> String {
    format!("{}ms", (seconds * 1e9).round() / 1e6)
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("anything");
        }
        let mut shown: Vec<(&&str, &Fact)> = self.0.iter().collect();
        shown.sort_by_key(|(name, _)| ORDER.iter().position(|each| each == *name));
        for (n, (name, fact)) in shown.into_iter().enumerate() {
            write!(f, "{}{name} {fact}", if n == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(style: &str, bps: f64) -> Facts {
        Facts::default().word("style", style).with("rate", Fact::Rate(bps))
    }

    #[test]
    fn a_vague_expectation_gives_way_to_a_precise_one() {
        let vague = Facts::default().word("style", "ff");
        let seen = [record("ff", 1e6), record("ff", 2e6)];
        assert_eq!(pairing(&[vague, record("ff", 1e6)], &seen), Ok(()));
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_are_both_named() {
        let difference =
            pairing(&[record("ff", 1e6), record("ff", 3e6)], &[record("ff", 1e6), record("wf", 1e6)]);
        assert_eq!(difference, Err(Difference { missing: vec![1], surplus: vec![1] }));
    }

    #[test]
    fn rates_are_equal_as_far_as_single_precision_goes() {
        assert!(Fact::Rate(3.3e6).is(&Fact::Rate(f64::from(3.3e6f32 / 8.0) * 8.0)));
        assert!(!Fact::Rate(3.3e6).is(&Fact::Rate(3.301e6)));
    }
}
