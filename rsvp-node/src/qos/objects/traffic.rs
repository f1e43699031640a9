//! The objects that a sender and traffic control have: shape/discard mode, shaping rate, destination, and the 4000s.
//!
//! ```text
//! QOS_SD_MODE 2002        header, ShapeDiscardMode (0 to 3)
//! QOS_SHAPING_RATE 2003   header, ShapingRate (octets per second)
//! QOS_DESTADDR 2004       header, SocketAddress: where (see the objects' module), SocketAddressLength, and there:
//!     16 octets: family 2 (16 bits), port, IPv4 address, eight of zero
//!     28 octets: family 23, port, flow information, IPv6 address, scope
//! QOS_DS_CLASS 4001       header, DSField (0 to 63)
//! QOS_TRAFFIC_CLASS 4002  header, TrafficClass (0 to 7)
//! QOS_DIFFSERV 4003       header, DSFieldCount, and of five octets each: inbound DSCP, outbound DSCP of conforming and of
//!                         other packets, their priorities in the same order
//! QOS_TCP_TRAFFIC 4004    header
//! QOS_FRIENDLY_NAME 4005  header, 256 UTF-16 units, filled up with zero
//! ```

use super::octets::{Cursor, put_count, put_word};
use super::{HEADER, TOO_SHORT};
use crate::qos::status::{Invalid, Status};
use core::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

/// What becomes of traffic that does not conform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdMode {
    /// TC_NONCONF_BORROW, 0: it leaves at once, below best effort and marked as non-conforming.
    Borrow,
    /// TC_NONCONF_SHAPE, 1: it waits until it conforms.
    Shape,
    /// TC_NONCONF_DISCARD, 2: it is dropped.
    Discard,
    /// TC_NONCONF_BORROW_PLUS, 3: defined, and "not supported".
    BorrowPlus,
}

impl SdMode {
    /// The number of the mode.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The mode of a number.
    #[must_use]
    pub const fn of_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Borrow),
            1 => Some(Self::Shape),
            2 => Some(Self::Discard),
            3 => Some(Self::BorrowPlus),
            _ => None,
        }
    }
}

/// QOS_DIFFSERV_RULE: what happens to packets that arrive with a DSCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiffservRule {
    /// The DSCP they arrive with.
    pub inbound_dscp: u8,
    /// The DSCP with which they leave when they conform.
    pub conforming_dscp: u8,
    /// The DSCP with which others leave.
    pub nonconforming_dscp: u8,
    /// The IEEE 802.1p priority of those that conform.
    pub conforming_priority: u8,
    /// The priority of others.
    pub nonconforming_priority: u8,
}

/// Units of a friendly name.
pub(in crate::qos) const NAME_UNITS: usize = 256;
const FAMILY_V4: u16 = 2;
const FAMILY_V6: u16 = 23;
const LEN_V4: usize = 16;
const LEN_V6: usize = 28;

pub(super) fn write_destination(address: SocketAddr, out: &mut Vec<u8>) {
    put_count(out, HEADER + 8);
    match address {
        SocketAddr::V4(address) => {
            put_count(out, LEN_V4);
            out.extend(FAMILY_V4.to_le_bytes());
            out.extend(address.port().to_be_bytes());
            out.extend(address.ip().octets());
            out.extend([0; 8]);
        }
        SocketAddr::V6(address) => {
            put_count(out, LEN_V6);
            out.extend(FAMILY_V6.to_le_bytes());
            out.extend(address.port().to_be_bytes());
            put_word(out, address.flowinfo());
            out.extend(address.ip().octets());
            put_word(out, address.scope_id());
        }
    }
}

/// Reads the destination; the cursor is over all of the object, behind its header.
pub(super) fn read_destination(octets: &mut Cursor<'_>) -> Result<SocketAddr, Invalid> {
    let (Some(at), Some(len)) = (octets.count(), octets.count()) else { return Err(TOO_SHORT) };
    let bad = Invalid::new(Status::EPROVSPECBUF, "the destination is no address of IPv4 or IPv6");
    if at < octets.place() {
        return Err(bad.with_value(56816));
    }
    let mut octets = octets.at(at);
    if octets.rest().len() != len {
        return Err(bad.with_value(56819));
    }
    let (Some(family), Some(port)) = (octets.half(), octets.port()) else {
        return Err(bad.with_value(56819));
    };
    let address = match (family, len) {
        (FAMILY_V4, LEN_V4) => octets.ipv4().map(|ip| SocketAddrV4::new(ip, port).into()),
        (FAMILY_V6, LEN_V6) => {
            let parts = (octets.word(), octets.ipv6(), octets.word());
            let (Some(flow), Some(ip), Some(scope)) = parts else { return Err(bad.with_value(56819)) };
            Some(SocketAddrV6::new(ip, port, flow, scope).into())
        }
        (FAMILY_V4 | FAMILY_V6, _) => return Err(bad.with_value(56819)),
        _ => None,
    };
    address.ok_or_else(|| bad.with_value(56816))
}

pub(super) fn write_rules(rules: &[DiffservRule], out: &mut Vec<u8>) {
    put_count(out, rules.len());
    for rule in rules {
        out.extend([
            rule.inbound_dscp,
            rule.conforming_dscp,
            rule.nonconforming_dscp,
            rule.conforming_priority,
            rule.nonconforming_priority,
        ]);
    }
}

pub(super) fn read_rules(octets: &mut Cursor<'_>) -> Option<Vec<DiffservRule>> {
    let count = octets.word()?;
    let rule = |_| {
        let [inbound_dscp, conforming_dscp, nonconforming_dscp, conforming_priority, nonconforming_priority] =
            octets.array()?;
        Some(DiffservRule {
            inbound_dscp,
            conforming_dscp,
            nonconforming_dscp,
            conforming_priority,
            nonconforming_priority,
        })
    };
    (0..count).map(rule).collect()
}

/// A name that is too long is cut; [`Qos::validate`](crate::qos::Qos::validate) refuses it before.
pub(super) fn write_name(name: &str, out: &mut Vec<u8>) {
    let units = name.encode_utf16().chain(core::iter::repeat(0)).take(NAME_UNITS);
    units.for_each(|unit| out.extend(unit.to_le_bytes()));
}

pub(super) fn read_name(octets: &mut Cursor<'_>) -> Result<String, Invalid> {
    let octets = octets.take(2 * NAME_UNITS).ok_or(TOO_SHORT)?;
    let (units, _) = octets.as_chunks::<2>();
    let units: Vec<u16> =
        units.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units)
        .map_err(|_| Invalid::new(Status::EPROVSPECBUF, "a friendly name is no UTF-16").with_value(56834))
}
