//! RSVP_POLICY_INFO, 1003: policy elements as an application gives and gets them.
//!
//! ```text
//! +-------------+-------------+-------------+-------------+
//! |            header: 1003, length                       |
//! +-------------+-------------+-------------+-------------+
//! |            NumPolicyElement                           |
//! +-------------+-------------+-------------+-------------+
//! |  Len (these four octets too)|  Type                   |  each element
//! +-------------+-------------+-------------+-------------+
//! |            its data, as POLICY_DATA carries it        |
//! ```
//!
//! Len is a multiple of four, as RFC 2750 section 2.3 has it. What an element means is not looked at; which types
//! applications may not use is judged in [`Qos::validate`](crate::qos::Qos::validate).

use super::octets::{Cursor, put_count};
use super::{HEADER, TOO_SHORT, word};
use crate::qos::status::{Invalid, Status};

/// The type of the identity of an application.
const AUTH_APP: u16 = 3;
/// Longest name of an application, in octets.
const LONGEST_LOCATOR: usize = 1024;

/// A policy element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyElement {
    /// The type (RFC 2750: P-Type): 1 is a preemption priority, 2 the identity of a user, 3 of an application.
    pub element_type: u16,
    /// What it says; a multiple of four octets.
    pub data: Vec<u8>,
}

impl PolicyElement {
    /// AUTH_APP with a policy locator in ASCII (RFC 3182 section 3.3.1, RFC 2872): what an application is called, such as
    /// `APP=backup,VER=1`. Nothing for one that is empty, no ASCII, or too long.
    ///
    /// ```text
    /// +-------------+-------------+-------------+-------------+
    /// |  length                   | 1: locator  | 1: ASCII_DN |
    /// +-------------+-------------+-------------+-------------+
    /// |  distinguished name, with zeroes up to a whole word   |
    /// +-------------+-------------+-------------+-------------+
    /// ```
    #[must_use]
    pub fn of_application(name: &str) -> Option<Self> {
        if name.is_empty() || !name.is_ascii() || name.len() > LONGEST_LOCATOR {
            return None;
        }
        let length = u16::try_from(4 + name.len()).ok()?;
        let mut data = [&length.to_be_bytes()[..], &[1, 1], name.as_bytes()].concat();
        data.resize(data.len().next_multiple_of(4), 0);
        Some(Self { element_type: AUTH_APP, data })
    }

    /// Octets it has with its four before the data, which is padded where it is none of whole words.
    pub(super) const fn len(&self) -> usize {
        4 + self.data.len().next_multiple_of(4)
    }
}

const BAD: Invalid = Invalid::new(Status::EPOLICYOBJ, "a policy element's length does not fit its object");

/// Appends count and elements.
pub(super) fn write(elements: &[PolicyElement], out: &mut Vec<u8>) {
    put_count(out, elements.len());
    for element in elements {
        let start = out.len();
        out.extend(u16::try_from(element.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend(element.element_type.to_le_bytes());
        out.extend(&element.data);
        out.resize(start + element.len(), 0);
    }
}

/// Reads count and elements.
pub(super) fn read(octets: &mut Cursor<'_>) -> Result<Vec<PolicyElement>, Invalid> {
    let count = word(octets)?;
    let element = |_| {
        let (Some(len), Some(element_type)) = (octets.half(), octets.half()) else { return Err(BAD) };
        let data = usize::from(len).checked_sub(4).filter(|len| len.is_multiple_of(4));
        let data = data.and_then(|len| octets.take(len)).ok_or(BAD)?;
        Ok(PolicyElement { element_type, data: data.to_vec() })
    };
    (0..count).map(element).collect()
}

/// Reads the whole object where another points to it, and leaves the cursor behind it.
pub(super) fn read_object(octets: &mut Cursor<'_>) -> Result<Vec<PolicyElement>, Invalid> {
    let start = octets.place();
    let (object_type, len) = (word(octets)?, octets.count().ok_or(TOO_SHORT)?);
    if object_type != 1003 {
        return Err(Invalid::new(Status::EPOLICYOBJ, "the list of policy elements is no RSVP_POLICY_INFO"));
    }
    let whole = octets.at(start).take(len).ok_or(BAD)?;
    let mut within = Cursor::new(whole).at(HEADER);
    let elements = read(&mut within).map_err(|_| BAD)?;
    if !within.rest().is_empty() {
        return Err(BAD);
    }
    *octets = octets.at(start + len);
    Ok(elements)
}
