//! Rates, shares and times as configuration files write them: always with a unit, for `2` is no rate.

use core::time::Duration;
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

/// A percentage: "30%".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(pub u32);

const RATE: &str = "expected a rate such as \"10mbit\" (bit, kbit, mbit or gbit per second)";
const SHARE: &str = "expected a share such as \"75%\" or a rate such as \"10mbit\"";

impl core::str::FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no rate: {RATE}");
        let (number, unit) = split(text).ok_or_else(wrong)?;
        let scale = match unit.to_ascii_lowercase().trim_end_matches("/s") {
            "bit" => 1.0,
            "kbit" => 1e3,
            "mbit" => 1e6,
            "gbit" => 1e9,
            _ => return Err(wrong()),
        };
        let bps = number * scale;
        if (0.0..=1e15).contains(&bps) { Ok(Self { bps: bps.round() as u64 }) } else { Err(wrong()) }
    }
}

impl core::str::FromStr for Reservable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is neither share nor rate: {SHARE}");
        match split(text) {
            Some((number, "%")) if (0.0..=100.0).contains(&number) => Ok(Self::Share(number / 100.0)),
            Some(_) => text.parse().map(Self::Rate).map_err(|_| wrong()),
            None => Err(wrong()),
        }
    }
}

impl core::str::FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match split(text) {
            Some((number, "%")) if (0.0..=1000.0).contains(&number) => Ok(Self(number.round() as u32)),
            _ => Err(format!("\"{text}\" is no percentage: expected one such as \"30%\"")),
        }
    }
}

impl core::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map(Self)
            .map_err(|_| format!("\"{text}\" is no time: expected one such as \"30s\" (us, ms, s, min or h)"))
    }
}

fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let number = text[..end].replace('_', "").parse().ok()?;
    Some((number, text[end..].trim_start()))
}

macro_rules! read_from_text {
    ($($unit:ty => $expected:literal),*) => {$(
        impl<'de> Deserialize<'de> for $unit {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Text;
                impl Visitor<'_> for Text {
                    type Value = $unit;

                    // What the error says of a value that is no text, such as a bare number.
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
    super::Mode => "octal digits in quotes, such as \"0660\""
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_need_their_unit() {
        assert_eq!("10mbit".parse(), Ok(Rate { bps: 10_000_000 }));
        assert_eq!("2.5 Gbit/s".parse(), Ok(Rate { bps: 2_500_000_000 }));
        assert_eq!("75%".parse(), Ok(Reservable::Share(0.75)));
        assert_eq!("8mbit".parse(), Ok(Reservable::Rate(Rate { bps: 8_000_000 })));
        assert_eq!("500ms".parse(), Ok(Span(Duration::from_millis(500))));
        for wrong in ["10", "10 mb", "mbit", "-1mbit", "1e9mbit", ""] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
        assert!("101%".parse::<Reservable>().is_err());
        assert!("30".parse::<Span>().is_err());
    }
}
