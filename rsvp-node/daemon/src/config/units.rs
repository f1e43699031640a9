//! Rates, shares and times in configuration files: the values of [`units`](rsvp_node::units) as types that serde reads.

use core::time::Duration;
use rsvp_node::{HopSources, NonRsvpHops, units};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// Bits per second: "10mbit".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Bits per second.
    pub bps: u64,
}

/// A span of time: "30s", "500ms".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// How much of a link may be reserved: "75%" of its bandwidth, or "7500kbit".
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reservable {
    /// A share of the bandwidth, from 0 to 1.
    Share(f64),
    /// So much.
    Rate(Rate),
}

/// A percentage, 100 at most: "30%".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(pub u32);

/// How hops without RSVP are noticed: "by-ttl", "never", "always".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopRule(pub NonRsvpHops);

impl core::str::FromStr for HopRule {
    type Err = <NonRsvpHops as core::str::FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// From which addresses requests are taken: "on-link", "always", "never".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopSourceRule(pub HopSources);

impl core::str::FromStr for HopSourceRule {
    type Err = <HopSources as core::str::FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl core::str::FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self { bps: units::rate(text)?.round() as u64 })
    }
}

impl Reservable {
    /// How much it is of this bandwidth, in bits per second.
    #[must_use]
    pub fn of(self, bandwidth_bps: u64) -> u64 {
        match self {
            Self::Share(share) => (bandwidth_bps as f64 * share).round() as u64,
            Self::Rate(rate) => rate.bps,
        }
    }
}

impl core::str::FromStr for Reservable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim_end().ends_with('%') {
            units::share(text).map(Self::Share)
        } else {
            text.parse().map(Self::Rate)
        }
    }
}

impl core::str::FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self((units::share(text)? * 100.0).round() as u32))
    }
}

impl core::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        units::time(text).map(Self)
    }
}

macro_rules! read_from_text {
    ($($unit:ty => $expected:literal),*) => {$(
        impl<'de> Deserialize<'de> for $unit {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Text;
                impl Visitor<'_> for Text {
                    type Value = $unit;

                    // What the error says of a value that is not text, such as a bare number.
                    fn expecting(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        out.write_str($expected)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                from.deserialize_str(Text)
            }
        }
    )*};
}

read_from_text!(
    Rate => "a rate in quotes, such as \"10mbit\"",
    Reservable => "a share or rate in quotes, such as \"75%\" or \"10mbit\"",
    Percent => "a percentage in quotes, such as \"30%\"",
    Span => "a time in quotes, such as \"30s\"",
    HopRule => "one of \"by-ttl\", \"never\", \"always\"",
    super::metrics::Listen => "an address with a port in quotes, such as \"127.0.0.1:9465\"",
    HopSourceRule => "one of \"on-link\", \"always\", \"never\"",
    super::Mode => "octal digits in quotes, such as \"0660\"",
    super::Mark => "a DSCP in quotes, such as \"ef\" or \"46\", or \"keep\"",
    super::DscpKey => "a DSCP, such as ef or 46"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_their_units() {
        assert_eq!("10mbit".parse(), Ok(Rate { bps: 10_000_000 }));
        assert_eq!("75%".parse(), Ok(Reservable::Share(0.75)));
        assert_eq!("8mbit".parse(), Ok(Reservable::Rate(Rate { bps: 8_000_000 })));
        assert_eq!("30%".parse(), Ok(Percent(30)));
        assert_eq!("500ms".parse(), Ok(Span(Duration::from_millis(500))));
        assert!("101%".parse::<Reservable>().is_err());
        assert!("10".parse::<Reservable>().is_err());
    }
}
