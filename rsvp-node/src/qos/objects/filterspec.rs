//! RSVP_FILTERSPEC: one sender of a session, and the list of them that an answer has (RSVP_FILTERSPEC_LIST).
//!
//! ```text
//! +-------------+-------------+-------------+-------------+
//! |            Type (1 to 5)                              |
//! +-------------+-------------+-------------+-------------+   V4  V4_GPI   V6  V6_FLOW  V6_GPI
//! |            Address: 4 octets (1, 4) or 16             |    1     4      2     3       5
//! +-------------+-------------+-------------+-------------+
//! |            what tells the sender's packets:                                         |
//! |   1, 2: two octets unused, Port        3: one octet unused, FlowLabel of three      |
//! |   4, 5: GeneralPortId (32 bits, RFC 2207)                                           |
//! +-------------+-------------+-------------+-------------+
//! |            1, 4: twelve octets unused, so that all are of 24                        |
//! ```
//!
//! The list is a count and that many of them; no text describes it, so that is ours.

use super::octets::{Cursor, put_word};
use super::{TOO_SHORT, word};
use crate::qos::status::{Invalid, Status};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use rsvp_wire::{FilterSpec as WireFilterSpec, SenderTemplate};

/// A sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterSpec {
    /// An IPv4 address and a port.
    V4 {
        /// Source address.
        address: Ipv4Addr,
        /// Source port.
        port: u16,
    },
    /// An IPv6 address and a port.
    V6 {
        /// Source address.
        address: Ipv6Addr,
        /// Source port.
        port: u16,
    },
    /// An IPv6 address and a flow label.
    V6Flow {
        /// Source address.
        address: Ipv6Addr,
        /// Flow label, 24 bits.
        label: u32,
    },
    /// An IPv4 address and a generalised port: the SPI of IPsec (RFC 2207).
    V4Gpi {
        /// Source address.
        address: Ipv4Addr,
        /// Generalised port.
        general_port_id: u32,
    },
    /// An IPv6 address and a generalised port.
    V6Gpi {
        /// Source address.
        address: Ipv6Addr,
        /// Generalised port.
        general_port_id: u32,
    },
}

/// Octets of any of them.
pub(super) const LEN: usize = 24;

impl FilterSpec {
    /// Source address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        match *self {
            Self::V4 { address, .. } | Self::V4Gpi { address, .. } => IpAddr::V4(address),
            Self::V6 { address, .. } | Self::V6Flow { address, .. } | Self::V6Gpi { address, .. } => {
                IpAddr::V6(address)
            }
        }
    }

    /// As RSVP writes it; a generalised port is no sender of a UDP or TCP session.
    #[must_use]
    pub const fn to_wire(&self) -> Option<WireFilterSpec> {
        match *self {
            Self::V4 { address, port } => Some(WireFilterSpec::new(IpAddr::V4(address), port)),
            Self::V6 { address, port } => Some(WireFilterSpec::new(IpAddr::V6(address), port)),
            Self::V6Flow { address, label } => {
                Some(WireFilterSpec::Ipv6FlowLabel { address, reserved: 0, label })
            }
            Self::V4Gpi { .. } | Self::V6Gpi { .. } => None,
        }
    }

    /// A sender as RSVP names it.
    #[must_use]
    pub const fn of_sender(sender: &SenderTemplate) -> Self {
        match sender.0 {
            WireFilterSpec::Ipv4 { address, port, .. } => Self::V4 { address, port },
            WireFilterSpec::Ipv6 { address, port, .. } => Self::V6 { address, port },
            WireFilterSpec::Ipv6FlowLabel { address, label, .. } => Self::V6Flow { address, label },
            WireFilterSpec::Ipv4Gpi { address, gpi } => Self::V4Gpi { address, general_port_id: gpi },
            WireFilterSpec::Ipv6Gpi { address, gpi } => Self::V6Gpi { address, general_port_id: gpi },
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let (number, tail) = match *self {
            Self::V4 { port, .. } => (1, u32::from(port).to_be_bytes()),
            Self::V6 { port, .. } => (2, u32::from(port).to_be_bytes()),
            Self::V6Flow { label, .. } => (3, (label & 0x00ff_ffff).to_be_bytes()),
            Self::V4Gpi { general_port_id, .. } => (4, general_port_id.to_le_bytes()),
            Self::V6Gpi { general_port_id, .. } => (5, general_port_id.to_le_bytes()),
        };
        put_word(out, number);
        match self.address() {
            IpAddr::V4(address) => out.extend(address.octets()),
            IpAddr::V6(address) => out.extend(address.octets()),
        }
        out.extend(tail);
        out.resize(start + LEN, 0);
    }

    /// Reads one; `None` where there are too few octets.
    pub(super) fn read(octets: &mut Cursor<'_>) -> Option<Result<Self, Invalid>> {
        let mut octets = Cursor::new(octets.take(LEN)?);
        let number = octets.word()?;
        Some(Ok(match number {
            1 => Self::V4 { address: octets.ipv4()?, port: low_half(octets.array()?) },
            2 => Self::V6 { address: octets.ipv6()?, port: low_half(octets.array()?) },
            3 => {
                let address = octets.ipv6()?;
                Self::V6Flow { address, label: u32::from_be_bytes(octets.array()?) & 0x00ff_ffff }
            }
            4 => Self::V4Gpi { address: octets.ipv4()?, general_port_id: octets.word()? },
            5 => Self::V6Gpi { address: octets.ipv6()?, general_port_id: octets.word()? },
            _ => {
                return Some(Err(Invalid::new(
                    Status::EFILTERTYPE,
                    "the type of a filter is none of 1 to 5",
                )));
            }
        }))
    }
}

/// A port behind two unused octets.
const fn low_half([_, _, high, low]: [u8; 4]) -> u16 {
    u16::from_be_bytes([high, low])
}

/// A count and that many.
pub(super) fn read_list(octets: &mut Cursor<'_>) -> Result<Vec<FilterSpec>, Invalid> {
    let count = word(octets)?;
    (0..count).map(|_| FilterSpec::read(octets).unwrap_or(Err(TOO_SHORT))).collect()
}
