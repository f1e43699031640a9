//! DSCPs: the upper six bits of the DS field of IPv4 and IPv6 (RFC 2474), with the names that RFCs gave to some of them.
//!
//! The lower two bits of that octet are ECN (RFC 3168) and no part of a mark. A DS field of 0xb8 is the DSCP 46: whoever
//! writes the first where the second is asked for is told so.

use super::marking::{self, Wmm};
use core::fmt;
use core::str::FromStr;

/// A DSCP, 0 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Dscp(u8);

/// A DSCP that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// The DSCP.
    pub dscp: Dscp,
    /// What it is called, in capitals.
    pub name: &'static str,
    /// What it is for: RFC 4594, or the RFC that gave it its name.
    pub meaning: &'static str,
    /// The RFC that defines it.
    pub rfc: u16,
}

impl Dscp {
    /// Default forwarding, best effort; the same as CS0.
    pub const DF: Self = Self(0);
    /// Lower effort: gives way to everything (RFC 8622).
    pub const LE: Self = Self(1);
    /// Class selector 0, which is default forwarding.
    pub const CS0: Self = Self(0);
    /// Class selector 1, once for low-priority data; LE has replaced it.
    pub const CS1: Self = Self(8);
    /// Class selector 2: operation and management.
    pub const CS2: Self = Self(16);
    /// Class selector 3: broadcast video.
    pub const CS3: Self = Self(24);
    /// Class selector 4: real-time interactive.
    pub const CS4: Self = Self(32);
    /// Class selector 5: signalling.
    pub const CS5: Self = Self(40);
    /// Class selector 6: network control.
    pub const CS6: Self = Self(48);
    /// Class selector 7: reserved for the network's own.
    pub const CS7: Self = Self(56);
    /// Assured forwarding, class 1, dropped last.
    pub const AF11: Self = Self(10);
    /// Assured forwarding, class 1, dropped earlier.
    pub const AF12: Self = Self(12);
    /// Assured forwarding, class 1, dropped first.
    pub const AF13: Self = Self(14);
    /// Assured forwarding, class 2, dropped last.
    pub const AF21: Self = Self(18);
    /// Assured forwarding, class 2, dropped earlier.
    pub const AF22: Self = Self(20);
    /// Assured forwarding, class 2, dropped first.
    pub const AF23: Self = Self(22);
    /// Assured forwarding, class 3, dropped last.
    pub const AF31: Self = Self(26);
    /// Assured forwarding, class 3, dropped earlier.
    pub const AF32: Self = Self(28);
    /// Assured forwarding, class 3, dropped first.
    pub const AF33: Self = Self(30);
    /// Assured forwarding, class 4, dropped last.
    pub const AF41: Self = Self(34);
    /// Assured forwarding, class 4, dropped earlier.
    pub const AF42: Self = Self(36);
    /// Assured forwarding, class 4, dropped first.
    pub const AF43: Self = Self(38);
    /// Telephony whose capacity was admitted (RFC 5865).
    pub const VOICE_ADMIT: Self = Self(44);
    /// Expedited forwarding (RFC 3246).
    pub const EF: Self = Self(46);

    /// All that have a name, in the order of their numbers. CS0 is listed as DF.
    pub const ALL: [Named; 23] = [
        named(Self::DF, "DF", "default forwarding: best effort; also CS0", 2474),
        named(Self::LE, "LE", "lower effort: gives way to everything", 8622),
        named(Self::CS1, "CS1", "once low-priority data, now LE", 2474),
        named(Self::AF11, "AF11", "high-throughput data, dropped last", 2597),
        named(Self::AF12, "AF12", "high-throughput data, dropped earlier", 2597),
        named(Self::AF13, "AF13", "high-throughput data, dropped first", 2597),
        named(Self::CS2, "CS2", "operation and management", 2474),
        named(Self::AF21, "AF21", "low-latency data, dropped last", 2597),
        named(Self::AF22, "AF22", "low-latency data, dropped earlier", 2597),
        named(Self::AF23, "AF23", "low-latency data, dropped first", 2597),
        named(Self::CS3, "CS3", "broadcast video", 2474),
        named(Self::AF31, "AF31", "multimedia streaming, dropped last", 2597),
        named(Self::AF32, "AF32", "multimedia streaming, dropped earlier", 2597),
        named(Self::AF33, "AF33", "multimedia streaming, dropped first", 2597),
        named(Self::CS4, "CS4", "real-time interactive", 2474),
        named(Self::AF41, "AF41", "multimedia conferencing, dropped last", 2597),
        named(Self::AF42, "AF42", "multimedia conferencing, dropped earlier", 2597),
        named(Self::AF43, "AF43", "multimedia conferencing, dropped first", 2597),
        named(Self::CS5, "CS5", "signalling", 2474),
        named(Self::VOICE_ADMIT, "VOICE-ADMIT", "telephony whose capacity was admitted", 5865),
        named(Self::EF, "EF", "telephony: low delay, jitter and loss", 3246),
        named(Self::CS6, "CS6", "network control", 2474),
        named(Self::CS7, "CS7", "reserved for the network's own", 2474),
    ];

    /// `None` when it is above 63.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value < 64 { Some(Self(value)) } else { None }
    }

    /// The number, 0 to 63.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// Of the octet of the IP header, whatever its ECN bits.
    #[must_use]
    pub const fn of_ds_field(octet: u8) -> Self {
        Self(octet >> 2)
    }

    /// The octet of the IP header, its ECN bits zero.
    #[must_use]
    pub const fn ds_field(self) -> u8 {
        self.0 << 2
    }

    /// What it is called, when it has a name.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Self::ALL.iter().find(|known| known.dscp == self).map(|known| known.name)
    }

    /// The access category that wireless networks give it.
    #[must_use]
    pub const fn wmm(self) -> Wmm {
        marking::wmm(self.0)
    }
}

const fn named(dscp: Dscp, name: &'static str, meaning: &'static str, rfc: u16) -> Named {
    Named { dscp, name, meaning, rfc }
}

/// The name, or the number when there is none.
impl fmt::Display for Dscp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

/// Why something is no DSCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDscp {
    /// The whole octet of the IP header, which is four times the DSCP.
    #[error("a DS field; its DSCP is {}", Numbered(*.0))]
    DsField(Dscp),
    /// A number that is too large.
    #[error("not a DSCP: 0 to 63")]
    Number,
    /// Neither a name nor a number.
    #[error("not a DSCP: 0 to 63, or a name such as EF or AF41")]
    Name,
}

/// A DSCP with its number, and its name when it has one.
struct Numbered(Dscp);

impl fmt::Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(dscp) = self;
        write!(f, "{}", dscp.0)?;
        dscp.name().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

impl TryFrom<u64> for Dscp {
    type Error = NoDscp;

    fn try_from(number: u64) -> Result<Self, NoDscp> {
        match u8::try_from(number) {
            Ok(value @ 0..=63) => Ok(Self(value)),
            Ok(octet) if octet & 3 == 0 => Err(NoDscp::DsField(Self::of_ds_field(octet))),
            _ => Err(NoDscp::Number),
        }
    }
}

/// A name in any case, a decimal number, or a hexadecimal one that begins with `0x`.
impl FromStr for Dscp {
    type Err = NoDscp;

    fn from_str(text: &str) -> Result<Self, NoDscp> {
        let known = Self::ALL.iter().find(|known| known.name.eq_ignore_ascii_case(text));
        if let Some(known) = known {
            return Ok(known.dscp);
        }
        if text.eq_ignore_ascii_case("cs0") {
            return Ok(Self::CS0);
        }
        let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        let (digits, radix) = hexadecimal.map_or((text, 10), |digits| (digits, 16));
        // Numbers alone: the parser of integers would take a sign, too.
        if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
            return Err(NoDscp::Name);
        }
        u64::from_str_radix(digits, radix).map_err(|_| NoDscp::Number).and_then(Self::try_from)
    }
}
