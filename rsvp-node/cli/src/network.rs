//! Networks: addresses with the same first bits, as filters name them.

use std::fmt;
use std::net::IpAddr;

/// An address, or all with the same first bits.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// All addresses that begin with the first `bits` of this one, or it alone; `None` if it has not so many.
    pub(crate) fn new(address: IpAddr, bits: Option<u8>) -> Option<Self> {
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(all);
        (bits <= all).then_some(Self { address, bits })
    }

    /// Whether an address is one of them.
    pub(crate) fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u32::from(own) ^ u32::from(other)).checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (u128::from(own) ^ u128::from(other)).checked_shr(128 - u32::from(self.bits)).unwrap_or(0)
                    == 0
            }
            _ => false,
        }
    }
}

/// The address, with the bits where they are not all.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, bits } = self;
        match (address, bits) {
            (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128) => write!(f, "{address}"),
            _ => write!(f, "{address}/{bits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let network = |text: &str, bits| Network::new(address(text), Some(bits)).unwrap();
        assert!(network("10.0.0.0", 8).holds(address("10.255.0.1")));
        assert!(!network("10.0.0.0", 8).holds(address("11.0.0.1")));
        assert!(network("0.0.0.0", 0).holds(address("11.0.0.1")));
        assert!(!network("::", 0).holds(address("11.0.0.1")));
        assert!(network("fd00::1", 128).holds(address("fd00::1")));
        assert!(!network("fd00::1", 128).holds(address("fd00::2")));
        assert_eq!(Network::new(address("10.0.0.0"), Some(33)), None);
        assert_eq!(Network::new(address("fd00::1"), None), Some(network("fd00::1", 128)));
        assert_eq!(network("10.0.0.0", 8).to_string(), "10.0.0.0/8");
        assert_eq!(network("10.0.0.1", 32).to_string(), "10.0.0.1");
    }
}
