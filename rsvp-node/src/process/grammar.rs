//! Which objects a message must and may carry (RFC 2205 sections 3.1.3 to 3.1.9), and what to do about objects of
//! unknown class or C-Type (section 3.10).
//!
//! Any order is accepted, except that INTEGRITY must come first and that STYLE and the flow descriptors must be the
//! end of a message that has them. Whether the flow descriptors suit the style is judged where they are processed.

use crate::api::Discard;
use crate::key::{SenderKey, SessionKey};
use crate::neighbour::Kind;
use crate::unknown;
use rsvp_wire::{CType, Class, ErrorCode, Message, Object, ObjectRef, UnknownClass};

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Discard(Discard),
    /// An object makes us reject the whole message and say so: error 13 or 14 with (Class-Num, C-Type).
    Unknown(ErrorCode, u16),
}

/// A set of classes: a bit for each of the 256 that there can be.
///
/// What the engine recognises is decided here and not by the registry of `rsvp-wire`, which knows how to read objects
/// that this engine does not process.
#[derive(Clone, Copy, Debug)]
struct Classes([u64; 4]);

impl Classes {
    const NONE: Self = Self([0; 4]);

    const fn of(classes: &[Class]) -> Self {
        let (mut set, mut i) = (Self::NONE, 0);
        while i < classes.len() {
            set = set.with(classes[i]);
            i += 1;
        }
        set
    }

    const fn with(mut self, class: Class) -> Self {
        self.0[(class.0 >> 6) as usize] |= 1 << (class.0 & 63);
        self
    }

    const fn has(&self, class: Class) -> bool {
        self.0[(class.0 >> 6) as usize] & (1 << (class.0 & 63)) != 0
    }

    fn has_all(&self, wanted: &Self) -> bool {
        self.0.iter().zip(&wanted.0).all(|(has, wanted)| wanted & !has == 0)
    }
}

/// What a message of a kind must have, and what it may have.
struct Rule {
    required: Classes,
    allowed: Classes,
}

const fn rule(required: &[Class], also: &[Class]) -> Rule {
    let (required, also) = (Classes::of(required), Classes::of(also));
    let always = Classes::of(&[Class::NULL, Class::INTEGRITY]);
    let (mut allowed, mut i) = (Classes::NONE, 0);
    while i < 4 {
        allowed.0[i] = required.0[i] | also.0[i] | always.0[i];
        i += 1;
    }
    Rule { required, allowed }
}

const RESV_END: Classes = Classes::of(&[Class::FLOWSPEC, Class::FILTER_SPEC]);
const REPEATED: Classes = RESV_END.with(Class::POLICY_DATA).with(Class::NULL);

/// The rule for each kind of message.
const fn rules(kind: Kind) -> &'static Rule {
    use Class as C;
    const PATH: Rule = rule(
        &[C::SESSION, C::RSVP_HOP, C::TIME_VALUES, C::SENDER_TEMPLATE, C::SENDER_TSPEC],
        &[C::POLICY_DATA, C::ADSPEC],
    );
    const PATH_TEAR: Rule =
        rule(&[C::SESSION, C::RSVP_HOP, C::SENDER_TEMPLATE], &[C::SENDER_TSPEC, C::ADSPEC]);
    const PATH_ERR: Rule =
        rule(&[C::SESSION, C::ERROR_SPEC, C::SENDER_TEMPLATE], &[C::POLICY_DATA, C::SENDER_TSPEC, C::ADSPEC]);
    const RESV: Rule = rule(
        &[C::SESSION, C::RSVP_HOP, C::TIME_VALUES, C::STYLE],
        &[C::RESV_CONFIRM, C::SCOPE, C::POLICY_DATA, C::FLOWSPEC, C::FILTER_SPEC],
    );
    const RESV_TEAR: Rule =
        rule(&[C::SESSION, C::RSVP_HOP, C::STYLE], &[C::SCOPE, C::FLOWSPEC, C::FILTER_SPEC]);
    const RESV_ERR: Rule = rule(
        &[C::SESSION, C::RSVP_HOP, C::ERROR_SPEC, C::STYLE],
        &[C::SCOPE, C::POLICY_DATA, C::FLOWSPEC, C::FILTER_SPEC],
    );
    const RESV_CONF: Rule =
        rule(&[C::SESSION, C::ERROR_SPEC, C::RESV_CONFIRM, C::STYLE], &[C::FLOWSPEC, C::FILTER_SPEC]);
    match kind {
        Kind::Path => &PATH,
        Kind::PathTear => &PATH_TEAR,
        Kind::PathErr => &PATH_ERR,
        Kind::Resv => &RESV,
        Kind::ResvTear => &RESV_TEAR,
        Kind::ResvErr => &RESV_ERR,
        Kind::ResvConf => &RESV_CONF,
    }
}

/// What a message has that has been checked, so that nobody need look for it again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    /// By class, where its first object stands; 0 where there is none. All that are recognised are below 16.
    first: [u16; 16],
    /// Octets of objects that are kept and forwarded.
    pub(crate) forwarded: usize,
}

impl Found {
    /// The first object of a class that is recognised.
    #[inline]
    pub(crate) fn first<'a>(&self, message: &Message<'a>, class: Class) -> Option<ObjectRef<'a>> {
        let at = *self.first.get(usize::from(class.0)).filter(|at| **at > 0)?;
        let (object, _) = ObjectRef::split_first(message.octets().get(usize::from(at)..)?, at).ok()?;
        Some(object)
    }

    /// The same, of an object that the grammar requires.
    #[inline]
    pub(crate) fn read<'a, T: Object<'a>>(&self, message: &Message<'a>) -> Result<T, Discard> {
        self.first(message, T::CLASS).ok_or(Discard::BadGrammar)?.read().map_err(Discard::Malformed)
    }

    fn note(&mut self, object: &ObjectRef<'_>) {
        if let Some(first) = self.first.get_mut(usize::from(object.class.0)).filter(|at| **at == 0) {
            *first = object.at();
        }
        if object.class == Class::POLICY_DATA {
            self.forwarded += object.octets().len();
        }
    }
}

/// Checks a message whose framing is sound.
pub(crate) fn check(kind: Kind, message: &Message<'_>) -> Result<Found, Fault> {
    let Rule { required, allowed } = rules(kind);
    let (mut seen, mut first) = (Classes::NONE, true);
    let mut found = Found::default();
    for object in message.objects() {
        if !unknown::is_recognised(object.class) {
            match object.class.when_unknown() {
                UnknownClass::Reject => return Err(unknown_object(ErrorCode::UNKNOWN_CLASS, &object)),
                UnknownClass::Forward => found.forwarded += object.octets().len(),
                UnknownClass::Ignore => {}
            }
            continue;
        }
        if !has_known_ctype(&object) {
            return Err(unknown_object(ErrorCode::UNKNOWN_CTYPE, &object));
        }
        let class = object.class;
        let repeated = seen.has(class) && !REPEATED.has(class);
        let late_integrity = class == Class::INTEGRITY && !first;
        let misplaced = RESV_END.has(class) != seen.has(Class::STYLE);
        let misplaced = misplaced && !matches!(class, Class::NULL | Class::STYLE);
        if !allowed.has(class) || repeated || late_integrity || misplaced {
            return Err(Fault::Discard(Discard::BadGrammar));
        }
        seen = seen.with(class);
        found.note(&object);
        first = false;
    }
    if seen.has_all(required) { Ok(found) } else { Err(Fault::Discard(Discard::BadGrammar)) }
}

/// Whether the engine processes this C-Type of a class that it recognises: those of RFC 2205 and RFC 2210.
fn has_known_ctype(object: &ObjectRef<'_>) -> bool {
    let known: &[u8] = match object.class {
        Class::NULL => return true,
        Class::SESSION => SessionKey::CTYPES,
        Class::FILTER_SPEC | Class::SENDER_TEMPLATE => SenderKey::CTYPES,
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
