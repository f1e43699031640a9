//! Parts of filters: addresses and ports with masks, protocols, security parameter indexes. All travel as texts; numbers may be written
//! as numbers, too.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names of protocols that have one here.
const PROTOCOLS: [(&str, u8); 9] = [
    ("icmp", 1),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("esp", 50),
    ("ah", 51),
    ("icmpv6", 58),
    ("sctp", 132),
    ("udplite", 136),
];

/// An address, and which of its bits are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressMask {
    /// The address.
    pub address: IpAddr,
    /// The bits: of 32 in IPv4, of 128 in IPv6.
    pub mask: u128,
}

/// A port, and which of its bits are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortMask {
    /// The port.
    pub port: u16,
    /// The bits.
    pub mask: u16,
}

/// An IP protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol(pub u8);

/// A security parameter index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spi(pub u32);

const fn all(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(_) => (u32::MAX as u128, 32),
        IpAddr::V6(_) => (u128::MAX, 128),
    }
}

impl FromStr for AddressMask {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{text}\" is no address with a mask, such as 10.0.2.2, 10.0.2.0/24 or 10.0.0.2/255.0.0.255"
            )
        };
        let (address, mask) =
            text.split_once('/').map_or((text, None), |(address, mask)| (address, Some(mask)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (whole, length) = all(address);
        let Some(mask) = mask else { return Ok(Self { address, mask: whole }) };
        if let Ok(bits) = mask.parse::<u32>() {
            let shift = length.checked_sub(bits).ok_or_else(wrong)?;
            return Ok(Self { address, mask: whole.checked_shl(shift).unwrap_or(0) & whole });
        }
        let mask = match (address, mask.parse::<IpAddr>().map_err(|_| wrong())?) {
            (IpAddr::V4(_), IpAddr::V4(mask)) => mask.to_bits().into(),
            (IpAddr::V6(_), IpAddr::V6(mask)) => mask.to_bits(),
            _ => return Err(wrong()),
        };
        Ok(Self { address, mask })
    }
}

impl fmt::Display for AddressMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, length) = all(self.address);
        let ones = self.mask.count_ones();
        if self.mask == whole {
            return self.address.fmt(f);
        }
        if whole.checked_shl(length - ones).unwrap_or(0) & whole == self.mask {
            return write!(f, "{}/{ones}", self.address);
        }
        match self.address {
            IpAddr::V4(address) => {
                write!(f, "{address}/{}", core::net::Ipv4Addr::from_bits(self.mask as u32))
            }
            IpAddr::V6(address) => write!(f, "{address}/{}", core::net::Ipv6Addr::from_bits(self.mask)),
        }
    }
}

/// A number, in hexadecimal where it begins so.
fn number<T: TryFrom<u64>>(text: &str) -> Option<T> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    T::try_from(number.ok()?).ok()
}

impl FromStr for PortMask {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (port, mask) = text.split_once('/').map_or((text, "0xffff"), |(port, mask)| (port, mask));
        let read = number(port).zip(number(mask)).map(|(port, mask)| Self { port, mask });
        read.ok_or_else(|| format!("\"{text}\" is no port with a mask, such as 5000 or 0x1000/0xf000"))
    }
}

impl fmt::Display for PortMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mask {
            0xffff => self.port.fmt(f),
            mask => write!(f, "{:#06x}/{mask:#06x}", self.port),
        }
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = PROTOCOLS.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
        let read = named.or_else(|| number(text)).map(Self);
        read.ok_or_else(|| {
            let names = PROTOCOLS.map(|(name, _)| name).join(", ");
            format!("\"{text}\" is no IP protocol: a number from 0 to 255, or one of {names}")
        })
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match PROTOCOLS.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => f.write_str(name),
            None => self.0.fmt(f),
        }
    }
}

impl FromStr for Spi {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = number(text).map(Self);
        read.ok_or_else(|| format!("\"{text}\" is no security parameter index, such as 4660 or 0x1234"))
    }
}

impl fmt::Display for Spi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// A text or a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Text(String),
}

fn read<'de, T: FromStr<Err = String>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let text = match Written::deserialize(from)? {
        Written::Number(number) => number.to_string(),
        Written::Text(text) => text,
    };
    text.parse().map_err(D::Error::custom)
}

macro_rules! written {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                read(from)
            }
        }
    )*};
}

written!(PortMask, Protocol, Spi);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_they_are_read() {
        for (text, mask) in [
            ("10.0.2.2", 0xffff_ffff),
            ("10.0.2.0/24", 0xffff_ff00),
            ("0.0.0.0/0", 0),
            ("10.0.0.2/255.0.0.255", 0xff00_00ff),
            ("fd00::1", u128::MAX),
            ("fd00::/8", 0xff << 120),
            ("::1/::ffff", 0xffff),
        ] {
            let read: AddressMask = text.parse().expect(text);
            assert_eq!((read.mask, read.to_string()), (mask, text.to_owned()));
        }
        for wrong in ["10.0.2", "10.0.2.0/33", "10.0.2.0/ffff::", "fd00::/129", "10.0.2.0/", "eth0"] {
            let why = wrong.parse::<AddressMask>().expect_err(wrong);
            assert!(why.contains(wrong) && why.contains("10.0.2.0/24"), "{why}");
        }
    }

    #[test]
    fn ports_protocols_and_indexes_are_written_as_they_are_read() {
        for text in ["5000", "0x1000/0xf000"] {
            assert_eq!(text.parse::<PortMask>().expect(text).to_string(), text);
        }
        assert_eq!("0x1388".parse(), Ok(PortMask { port: 5000, mask: 0xffff }));
        assert_eq!(["udp", "17"].map(|text| text.parse()), [Ok(Protocol(17)), Ok(Protocol(17))]);
        assert_eq!((Protocol(17).to_string(), Protocol(89).to_string()), ("udp".to_owned(), "89".to_owned()));
        assert_eq!(("4660".parse(), Spi(0x1234).to_string()), (Ok(Spi(0x1234)), "0x1234".to_owned()));
        assert!("65536".parse::<PortMask>().is_err() && "256".parse::<Protocol>().is_err());
        assert!("0x100000000".parse::<Spi>().is_err() && "upd".parse::<Protocol>().is_err());
    }
}
