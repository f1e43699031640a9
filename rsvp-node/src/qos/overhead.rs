//! What headers add to rates and sizes: an application counts its own octets, the network counts whole packets.
//!
//! `signalled rate = TokenRate * (1 + overhead / MinimumPolicedSize)`, and so for the peak; sizes and the bucket grow by one
//! header. Source: the article on GQoS that the formula is from has IPv4 only, 28 octets for UDP and 40 for TCP; for IPv6
//! the header is 20 octets longer. The figures 8500/340 to 9200, 17000 to 18400, 680 to 708 are those of published samples.

use super::endpoint::Transport;
use core::net::IpAddr;

/// The octets of the headers before an application's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overhead(u32);

impl Overhead {
    /// IP and transport header.
    #[must_use]
    pub const fn of(transport: Transport, destination: IpAddr) -> Self {
        let ip = match destination.to_canonical() {
            IpAddr::V4(_) => 20,
            IpAddr::V6(_) => 40,
        };
        match transport {
            Transport::Tcp => Self(ip + 20),
            Transport::Udp => Self(ip + 8),
        }
    }

    /// How many octets.
    #[must_use]
    pub const fn octets(self) -> u32 {
        self.0
    }

    /// A size with headers.
    #[must_use]
    pub const fn size(self, size: u32) -> u32 {
        size.saturating_add(self.0)
    }

    /// A rate with headers, when no packet counts as smaller than `minimum_policed_size`, which is not zero.
    #[must_use]
    pub fn rate(self, rate: f64, minimum_policed_size: u32) -> f64 {
        rate + rate * f64::from(self.0) / f64::from(minimum_policed_size.max(1))
    }
}
