//! What an application's messages carry for others: policy, and the marks that packets are to have.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// Policy and marks that go with a Path or a Resv.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// POLICY_DATA (RFC 2750): the policy elements of each, as hexadecimal digits. Nothing is decided by them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<Octets>,
    /// DCLASS (RFC 2996): DSCPs with which packets of the flow are to be marked, 0 to 63.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dclass: Vec<u8>,
    /// TCLASS (RFC 2814): the IEEE 802.1p priority of the flow's frames, 0 to 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tclass: Option<u8>,
}

impl Carried {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Octets that travel as hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Octets(pub Vec<u8>);

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// Why a text is no octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("octets are pairs of hexadecimal digits, such as 00080001a0b0c0d0")]
pub struct NoOctets;

impl FromStr for Octets {
    type Err = NoOctets;

    fn from_str(text: &str) -> Result<Self, NoOctets> {
        let digit = |octet: u8| char::from(octet).to_digit(16).ok_or(NoOctets);
        let pair = |pair: &[u8]| match *pair {
            [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).map_err(|_| NoOctets),
            _ => Err(NoOctets),
        };
        text.as_bytes().chunks(2).map(pair).collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for Octets {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}
