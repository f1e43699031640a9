//! Which objects a message must and may carry (RFC 2205 sections 3.1.3 to 3.1.9), and what to do about objects of
//! unknown class or C-Type (section 3.10).
//!
//! Any order is accepted, except that INTEGRITY must come first and that STYLE and the flow descriptors must be the
//! end of a message that has them. Whether the flow descriptors suit the style is judged where they are processed.

use crate::door::Discard;
use crate::merge::unknown;
use rsvp_wire::{CType, Class, ErrorCode, Message, MsgType, ObjectRef, UnknownClass};

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Discard(Discard),
    /// An object makes us reject the whole message and say so: error 13 or 14 with (Class-Num, C-Type).
    Unknown(ErrorCode, u16),
}

/// Class sets as bits; all classes of RFC 2205 are below 16.
///
/// What the engine recognises is decided here and not by the registry of `rsvp-wire`, which knows how to read objects
/// that this engine does not process.
const fn bits(classes: &[Class]) -> u16 {
    let (mut set, mut i) = (0, 0);
    while i < classes.len() {
        set |= 1 << classes[i].0;
        i += 1;
    }
    set
}

const RESV_END: u16 = bits(&[Class::FLOWSPEC, Class::FILTER_SPEC]);
const REPEATED: u16 = RESV_END | bits(&[Class::POLICY_DATA, Class::NULL]);
const ALWAYS: u16 = bits(&[Class::NULL, Class::INTEGRITY, Class::SESSION]);
const DESCRIPTOR: u16 = bits(&[Class::SENDER_TEMPLATE, Class::SENDER_TSPEC, Class::ADSPEC]);

/// (required, also allowed) for each message type.
const fn rules(msg_type: MsgType) -> Option<(u16, u16)> {
    let session = bits(&[Class::SESSION]);
    let template = bits(&[Class::SENDER_TEMPLATE]);
    let hop = bits(&[Class::RSVP_HOP]);
    let time = bits(&[Class::TIME_VALUES]);
    let error = bits(&[Class::ERROR_SPEC]);
    let style = bits(&[Class::STYLE]);
    let confirm = bits(&[Class::RESV_CONFIRM]);
    let policy = bits(&[Class::POLICY_DATA]);
    let scope = bits(&[Class::SCOPE]);
    Some(match msg_type {
        MsgType::PATH => {
            (session | hop | time | template | bits(&[Class::SENDER_TSPEC]), policy | bits(&[Class::ADSPEC]))
        }
        MsgType::PATH_TEAR => (session | hop | template, DESCRIPTOR),
        MsgType::PATH_ERR => (session | error | template, policy | DESCRIPTOR),
        MsgType::RESV => (session | hop | time | style, confirm | scope | policy | RESV_END),
        MsgType::RESV_TEAR => (session | hop | style, scope | RESV_END),
        MsgType::RESV_ERR => (session | hop | error | style, scope | policy | RESV_END),
        MsgType::RESV_CONF => (session | error | confirm | style, RESV_END),
        _ => return None,
    })
}

/// Checks a message whose framing is sound.
pub(crate) fn check(message: &Message<'_>) -> Result<(), Fault> {
    let Some((required, allowed)) = rules(message.msg_type()) else {
        return Err(Fault::Discard(Discard::UnknownMessageType));
    };
    let allowed = required | allowed | ALWAYS;
    let mut seen = 0;
    for object in message.objects() {
        if !unknown::is_recognised(object.class) {
            match object.class.when_unknown() {
                UnknownClass::Reject => return Err(unknown_object(ErrorCode::UNKNOWN_CLASS, &object)),
                UnknownClass::Ignore | UnknownClass::Forward => continue,
            }
        }
        if !has_known_ctype(&object) {
            return Err(unknown_object(ErrorCode::UNKNOWN_CTYPE, &object));
        }
        let bit = 1 << object.class.0;
        let repeated = seen & bit & !REPEATED != 0;
        let late_integrity = object.class == Class::INTEGRITY && seen != 0;
        let style_seen = seen & bits(&[Class::STYLE]) != 0;
        let misplaced = object.class != Class::NULL && (bit & RESV_END != 0) != style_seen;
        if allowed & bit == 0 || repeated || late_integrity || (misplaced && object.class != Class::STYLE) {
            return Err(Fault::Discard(Discard::BadGrammar));
        }
        seen |= bit;
    }
    if seen & required == required { Ok(()) } else { Err(Fault::Discard(Discard::BadGrammar)) }
}

/// Whether the engine processes this C-Type of a class that it recognises: those of RFC 2205 and RFC 2210.
fn has_known_ctype(object: &ObjectRef<'_>) -> bool {
    let known: &[u8] = match object.class {
        Class::NULL => return true,
        Class::FILTER_SPEC | Class::SENDER_TEMPLATE => &[1, 2, 3],
        Class::FLOWSPEC | Class::SENDER_TSPEC | Class::ADSPEC => &[2],
        Class::INTEGRITY | Class::TIME_VALUES | Class::STYLE | Class::POLICY_DATA => &[1],
        _ => &[1, 2],
    };
    known.contains(&object.ctype.0)
}

fn unknown_object(code: ErrorCode, object: &ObjectRef<'_>) -> Fault {
    Fault::Unknown(code, unknown_value(object.class, object.ctype))
}

/// Error Value of codes 13 and 14 (RFC 2205 Appendix B).
pub(crate) fn unknown_value(class: Class, ctype: CType) -> u16 {
    u16::from_be_bytes([class.0, ctype.0])
}
