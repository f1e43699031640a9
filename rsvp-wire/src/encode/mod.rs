//! Octets from the JSON that the serde form makes: any message, right or deliberately wrong.
//!
//! Driven by the same layouts. With [`Lengths::Computed`] lengths, counts and checksums follow from the rest, so a JSON
//! can be edited without arithmetic; with [`Lengths::AsGiven`] they are written as they stand, and what was decoded,
//! however malformed, is encoded to the same octets. It judges no value: what fits its field is written.
//!
//! This is the one part of the crate that allocates.

mod body;
mod entries;

use alloc::format;
use alloc::vec::Vec;

use serde_json::Value;

use self::body::Body;
pub use self::entries::EncodeError;
use self::entries::{Entries, Place, array, hex};
use crate::checksum::checksum;
use crate::code::{CType, Class, MsgType};
use crate::message::{HEADER_LEN, OBJECT_HEADER_LEN};
use crate::registry;

/// Where lengths and the checksum come from.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Lengths {
    /// From the content; those in the JSON are ignored. The checksum is right, or absent if `checksum` is `zero`.
    Computed,
    /// From the JSON, right or wrong: `length`, the lengths and counts inside bodies, `checksum_value`. Those that are
    /// absent are computed.
    AsGiven,
}

/// The octets of a message. `outer` are keys of the caller that may be there and say nothing here.
///
/// # Errors
/// The place in the JSON that cannot be written, and why.
pub fn message(json: &Value, lengths: Lengths, outer: &[&str]) -> Result<Vec<u8>, EncodeError> {
    message_at(json, lengths, outer, Place::Top)
}

/// The octets of an object, its header included.
///
/// # Errors
/// The place in the JSON that cannot be written, and why.
pub fn object(json: &Value, lengths: Lengths) -> Result<Vec<u8>, EncodeError> {
    object_at(json, lengths, Place::Top)
}

fn message_at(
    json: &Value,
    lengths: Lengths,
    outer: &[&str],
    place: Place<'_>,
) -> Result<Vec<u8>, EncodeError> {
    let entries = Entries::of(json, place)?;
    entries.ignore(&["truncated", "error", "offset"]);
    let number = |key, bits| entries.number(key, bits);
    let (version, flags) = (number("version", 4)?.unwrap_or(1) as u8, number("flags", 4)?.unwrap_or(0) as u8);
    let (send_ttl, reserved) =
        (number("send_ttl", 8)?.unwrap_or(0) as u8, number("reserved", 8)?.unwrap_or(0) as u8);
    let (length, checksum_value) = (number("length", 16)?, number("checksum_value", 16)?);
    let verdict = entries.take("checksum");
    let msg_type = message_type(&entries)?;
    let mut octets = Vec::new();
    if let Some(msg_type) = msg_type {
        octets.extend([version << 4 | flags, msg_type, 0, 0, send_ttl, reserved, 0, 0]);
    }
    each(&entries, "objects", &mut octets, |object, place| object_at(object, lengths, place))?;
    each(&entries, "messages", &mut octets, |message, place| message_at(message, lengths, &[], place))?;
    match entries.take("bytes") {
        Some(bytes) => octets.extend(hex(bytes, &Place::Key(&place, "bytes"))?),
        None if msg_type.is_none() => return entries.missing("msg_type"),
        None => {}
    }
    entries.done(outer)?;
    if msg_type.is_none() {
        return Ok(octets);
    }
    let given =
        |number: Option<u64>| number.filter(|_| lengths == Lengths::AsGiven).map(|number| number as u16);
    let Some(length) = given(length).or_else(|| u16::try_from(octets.len()).ok()) else {
        return place.error(format!("has {} octets: a message has at most 65535", octets.len()));
    };
    put(&mut octets, 6, length);
    let absent = verdict.and_then(Value::as_str) == Some("zero");
    let right = if absent { 0 } else { checksum(&octets) };
    put(&mut octets, 2, given(checksum_value).unwrap_or(right));
    Ok(octets)
}

/// The message type, by number or by name.
fn message_type(entries: &Entries<'_, '_>) -> Result<Option<u8>, EncodeError> {
    let number = entries.number("msg_type", 8)?.map(|number| number as u8);
    let Some(name) = entries.take("message").filter(|_| number.is_none()) else { return Ok(number) };
    let known = (0..=u8::MAX).find(|number| MsgType(*number).name() == name.as_str());
    match known {
        Some(number) => Ok(Some(number)),
        None => Place::Key(&entries.place, "message").error("is the name of no message type"),
    }
}

/// Appends the octets of all elements of an array, if it is there.
fn each(
    entries: &Entries<'_, '_>,
    key: &'static str,
    octets: &mut Vec<u8>,
    encode: impl Fn(&Value, Place<'_>) -> Result<Vec<u8>, EncodeError>,
) -> Result<(), EncodeError> {
    let Some(elements) = entries.take(key) else { return Ok(()) };
    let place = Place::Key(&entries.place, key);
    for (index, element) in array(elements, &place)?.iter().enumerate() {
        octets.extend(encode(element, Place::Index(&place, index))?);
    }
    Ok(())
}

fn object_at(json: &Value, lengths: Lengths, place: Place<'_>) -> Result<Vec<u8>, EncodeError> {
    let entries = Entries::of(json, place)?;
    entries.ignore(&["name", "offset", "error"]);
    let Some(class) = entries.number("class", 8)? else { return entries.missing("class") };
    let Some(ctype) = entries.number("c_type", 8)? else { return entries.missing("c_type") };
    let given = entries.number("length", 16)?.filter(|_| lengths == Lengths::AsGiven);
    let (class, ctype) = (class as u8, ctype as u8);
    let layout = registry::row(Class(class), CType(ctype)).and_then(|row| row.layout);
    let body = match (entries.take("bytes"), layout) {
        (Some(bytes), _) => hex(bytes, &Place::Key(&place, "bytes"))?,
        (None, Some(layout)) => Body { entries: &entries, lengths, given: None, layout }.octets(0)?,
        (None, None) => return entries.missing("bytes"),
    };
    entries.done(&[])?;
    let len = body.len().saturating_add(OBJECT_HEADER_LEN);
    if given.is_none() && !len.is_multiple_of(4) {
        return place.error(format!("has {len} octets: an object has a multiple of 4"));
    }
    let length = given.map_or_else(|| u16::try_from(len).ok(), |length| Some(length as u16));
    let Some(length) = length else {
        return place.error(format!("has {len} octets: an object has at most 65532"));
    };
    let mut octets = Vec::with_capacity(len);
    octets.extend(length.to_be_bytes());
    octets.extend([class, ctype]);
    octets.extend(body);
    Ok(octets)
}

/// Writes a field of the common header.
fn put(octets: &mut [u8], at: usize, value: u16) {
    debug_assert!(octets.len() >= HEADER_LEN, "the header was written");
    if let Some(field) = octets.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *field = value.to_be_bytes();
    }
}
