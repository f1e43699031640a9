//! The objects of the provider-specific buffer: what a request says beyond the two flowspecs, and what an answer brings.
//!
//! ```text
//! +-------------+-------------+-------------+-------------+
//! |            ObjectType                                 |
//! +-------------+-------------+-------------+-------------+
//! |            ObjectLength (octets, these eight too)     |
//! +-------------+-------------+-------------+-------------+
//! |            the object                                 |
//! ```
//!
//! One after the other until the buffer ends or QOS_OBJECT_END_OF_LIST. Source: the published pages of the objects. Where
//! the layout has a pointer, the octets have the distance in octets from the start of the object, and zero for none; what
//! is pointed to lies within the object, behind what points to it, and nothing lies in two places. That is our decision:
//! pointers mean nothing outside of a process. Whether objects fit a socket is judged in
//! [`Qos::validate`](super::Qos::validate), not here.

pub mod adspec;
pub mod filterspec;
pub(super) mod octets;
pub mod policy;
pub mod reserve_info;
pub mod traffic;

use super::status::{ErrorClass, ErrorValue, Invalid, Status};
use adspec::RsvpAdspec;
use core::net::SocketAddr;
use filterspec::FilterSpec;
use octets::{Cursor, put_count, put_word};
use policy::PolicyElement;
use reserve_info::ReserveInfo;
use traffic::{DiffservRule, SdMode};

/// Octets before what an object says.
pub(super) const HEADER: usize = 8;
const END_OF_LIST: u32 = 2001;

/// One object.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Object {
    /// RSVP_STATUS_INFO, 1000: what an event is about. Comes back only.
    StatusInfo {
        /// StatusCode.
        status: Status,
        /// ExtendedStatus1.
        class: ErrorClass,
        /// ExtendedStatus2.
        value: ErrorValue,
    },
    /// RSVP_RESERVE_INFO, 1001: style, confirmation, policy and flow descriptors of a receiver.
    Reserve(ReserveInfo),
    /// RSVP_ADSPEC, 1002: what the path offers. Comes back only.
    Adspec(RsvpAdspec),
    /// RSVP_POLICY_INFO, 1003: policy elements, there and back.
    Policy(Vec<PolicyElement>),
    /// RSVP_FILTERSPEC_LIST, 1004: the senders of a session. Comes back only.
    FilterspecList(Vec<FilterSpec>),
    /// QOS_SD_MODE, 2002: what becomes of traffic that does not conform.
    SdMode(SdMode),
    /// QOS_SHAPING_RATE, 2003: the rate of the shaper, in octets per second.
    ShapingRate(u32),
    /// QOS_DESTADDR, 2004: where a socket without a peer sends to.
    Destination(SocketAddr),
    /// QOS_DS_CLASS, 4001: the DSCP of conforming packets.
    DsClass(u32),
    /// QOS_TRAFFIC_CLASS, 4002: the IEEE 802.1p priority of conforming packets.
    TrafficClass(u32),
    /// QOS_DIFFSERV, 4003: rules for packets that arrive with a DSCP.
    DiffServ(Vec<DiffservRule>),
    /// QOS_TCP_TRAFFIC, 4004: the marks that all TCP traffic has, whatever the service.
    TcpTraffic,
    /// QOS_FRIENDLY_NAME, 4005: a name for displays, at most 256 UTF-16 units.
    FriendlyName(String),
}

impl Object {
    /// ObjectType.
    #[must_use]
    pub const fn object_type(&self) -> u32 {
        match self {
            Self::StatusInfo { .. } => 1000,
            Self::Reserve(_) => 1001,
            Self::Adspec(_) => 1002,
            Self::Policy(_) => 1003,
            Self::FilterspecList(_) => 1004,
            Self::SdMode(_) => 2002,
            Self::ShapingRate(_) => 2003,
            Self::Destination(_) => 2004,
            Self::DsClass(_) => 4001,
            Self::TrafficClass(_) => 4002,
            Self::DiffServ(_) => 4003,
            Self::TcpTraffic => 4004,
            Self::FriendlyName(_) => 4005,
        }
    }

    /// Whether it is only ever part of an answer.
    #[must_use]
    pub const fn comes_back_only(&self) -> bool {
        matches!(self, Self::StatusInfo { .. } | Self::Adspec(_) | Self::FilterspecList(_))
    }

    /// Appends the object with its header.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        put_word(out, self.object_type());
        put_word(out, 0);
        match self {
            Self::StatusInfo { status, class, value } => {
                [status.0, class.0, value.0].into_iter().for_each(|word| put_word(out, word));
            }
            Self::Reserve(info) => info.write(out, start),
            Self::Adspec(adspec) => adspec.write(out),
            Self::Policy(elements) => policy::write(elements, out),
            Self::FilterspecList(senders) => {
                put_count(out, senders.len());
                senders.iter().for_each(|sender| sender.write(out));
            }
            Self::SdMode(mode) => put_word(out, mode.number()),
            Self::ShapingRate(word) | Self::DsClass(word) | Self::TrafficClass(word) => put_word(out, *word),
            Self::Destination(address) => traffic::write_destination(*address, out),
            Self::DiffServ(rules) => traffic::write_rules(rules, out),
            Self::TcpTraffic => {}
            Self::FriendlyName(name) => traffic::write_name(name, out),
        }
        finish(out, start);
    }

    /// Reads what an object of this type says; the cursor is over all of the object, behind its header.
    fn read(object_type: u32, octets: &mut Cursor<'_>) -> Result<Self, Invalid> {
        let read = match object_type {
            1000 => Self::StatusInfo {
                status: Status(word(octets)?),
                class: ErrorClass(word(octets)?),
                value: ErrorValue(word(octets)?),
            },
            1001 => return ReserveInfo::read(octets).map(Self::Reserve),
            1002 => Self::Adspec(RsvpAdspec::read(octets).ok_or(TOO_SHORT)?),
            1003 => Self::Policy(policy::read(octets)?),
            1004 => Self::FilterspecList(filterspec::read_list(octets)?),
            2002 => Self::SdMode(SdMode::of_number(word(octets)?).ok_or(BAD_MODE)?),
            2003 => Self::ShapingRate(word(octets)?),
            2004 => return traffic::read_destination(octets).map(Self::Destination),
            4001 => Self::DsClass(word(octets)?),
            4002 => Self::TrafficClass(word(octets)?),
            4003 => Self::DiffServ(traffic::read_rules(octets).ok_or(TOO_SHORT)?),
            4004 => Self::TcpTraffic,
            4005 => Self::FriendlyName(traffic::read_name(octets)?),
            _ => return Err(Invalid::new(Status::EUNKOWNPSOBJ, "an object of unknown type")),
        };
        if !octets.rest().is_empty() {
            return Err(Invalid::new(Status::EOBJLENGTH, "an object is longer than what it says"));
        }
        Ok(read)
    }
}

const TOO_SHORT: Invalid = Invalid::new(Status::EOBJLENGTH, "an object is shorter than what it says");
const BAD_MODE: Invalid = Invalid::new(Status::ESDMODEOBJ, "the shape/discard mode is none of 0 to 3");

fn word(octets: &mut Cursor<'_>) -> Result<u32, Invalid> {
    octets.word().ok_or(TOO_SHORT)
}

/// Puts the length of what was appended since `start` into its header.
fn finish(out: &mut [u8], start: usize) {
    let len = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start + 4..start + HEADER].copy_from_slice(&len.to_le_bytes());
}

/// Objects as octets, with the end of the list behind them. None make none.
#[must_use]
pub fn to_octets(objects: &[Object]) -> Vec<u8> {
    let mut out = Vec::new();
    objects.iter().for_each(|object| object.write(&mut out));
    if !objects.is_empty() {
        [END_OF_LIST, HEADER as u32].into_iter().for_each(|word| put_word(&mut out, word));
    }
    out
}

/// Objects out of octets, up to their end or to the end of the list; what is behind that is of nobody.
///
/// # Errors
/// 11018 to 11031, for the first thing that is wrong.
pub fn from_octets(octets: &[u8]) -> Result<Vec<Object>, Invalid> {
    let mut objects = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let mut head = Cursor::new(rest);
        let (Some(object_type), Some(len)) = (head.word(), head.count()) else {
            return Err(Invalid::new(Status::EPROVSPECBUF, "the buffer ends within the header of an object"));
        };
        if len < HEADER || len > rest.len() {
            let why = "ObjectLength is less than a header, or more than the buffer has";
            return Err(Invalid::new(Status::EOBJLENGTH, why));
        }
        let (object, behind) = rest.split_at(len);
        if object_type == END_OF_LIST {
            break;
        }
        objects.push(Object::read(object_type, &mut Cursor::new(object).at(HEADER))?);
        rest = behind;
    }
    Ok(objects)
}
