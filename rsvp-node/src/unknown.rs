//! Objects that are kept and forwarded without being understood: classes of the form `11bbbbbb` (RFC 2205
//! section 3.10), and POLICY_DATA, which is for policy control and passes through a node that has none.

use crate::carried::is_carried;
use rsvp_wire::{Class, Message, ObjectRef, UnknownClass};
use std::borrow::Cow;

/// Whether the engine knows what to do with a class: those of RFC 2205 Appendix A.
pub(crate) const fn is_recognised(class: Class) -> bool {
    class.0 <= Class::RESV_CONFIRM.0 && class.0 != 2
}

/// Whether an object goes into every message that results from the one it came in.
pub(crate) fn is_forwarded(object: &ObjectRef<'_>) -> bool {
    object.class == Class::POLICY_DATA
        || (!is_recognised(object.class) && object.class.when_unknown() == UnknownClass::Forward)
}

/// Whether an object is of any use once its message was processed: it is processed again or goes on. INTEGRITY is between two
/// neighbours and another in each message (RFC 2205 section 2.8), a NULL object says nothing, and what a class of the form `10bbbbbb`
/// says is ignored, unless somebody here knows it.
pub(crate) fn is_kept(object: &ObjectRef<'_>) -> bool {
    let padding = matches!(object.class, Class::INTEGRITY | Class::NULL);
    (is_recognised(object.class) && !padding) || is_forwarded(object) || is_carried(object)
}

/// A message without what is not kept of it.
pub(crate) fn kept<'a>(message: &Message<'a>) -> Cow<'a, [u8]> {
    let octets = message.octets();
    if message.objects().all(|object| is_kept(&object)) {
        return Cow::Borrowed(octets);
    }
    let mut kept = octets[..HEADER].to_vec();
    message.objects().filter(is_kept).for_each(|object| kept.extend_from_slice(object.octets()));
    let length = (kept.len() as u16).to_be_bytes();
    kept[6..HEADER].copy_from_slice(&length);
    Cow::Owned(kept)
}

/// Octets of the common header, the last two of which are the length of the message.
pub(crate) const HEADER: usize = 8;

/// Whether an object passes through with an error or a confirmation, which are forwarded as they came.
pub(crate) fn passes(object: &ObjectRef<'_>) -> bool {
    let hop_by_hop = matches!(object.class, Class::INTEGRITY | Class::NULL);
    !hop_by_hop && (is_recognised(object.class) || object.class.when_unknown() == UnknownClass::Forward)
}

/// The objects of a message that are forwarded, in their order.
pub(crate) fn forwarded<'a>(message: &Message<'a>) -> impl Iterator<Item = ObjectRef<'a>> + use<'a> {
    message.objects().filter(is_forwarded)
}

/// Octets of forwarded objects that one message may carry; more is refused, because state keeps and sends them again. What
/// is sent keeps to it too, or a neighbour with the same bound would refuse what it is sent for.
pub(crate) const FORWARDED_MAX: usize = 4096;

/// Each unique object once, in an order that does not depend on where it came from; and how many are left out because
/// together they would be more than a message may carry. The shortest are taken, which are the most.
pub(crate) fn union(mut objects: Vec<&[u8]>) -> (Vec<u8>, usize) {
    // An object begins with its length, so that this is also the order of their lengths.
    objects.sort_unstable();
    objects.dedup();
    let mut length = 0;
    let fits = |object: &&&[u8]| {
        length += object.len();
        length <= FORWARDED_MAX
    };
    let taken = objects.iter().take_while(fits).count();
    (objects[..taken].concat(), objects.len() - taken)
}

/// Splits octets that were put together from whole objects.
pub(crate) fn objects(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = octets;
    core::iter::from_fn(move || {
        let length = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])).max(4);
        let (object, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(object)
    })
}
