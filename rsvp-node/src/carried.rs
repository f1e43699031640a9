//! What an application's messages carry for others: policy, and the marks that its packets are to have.
//!
//! | object | class | source | goes |
//! |---|---|---|---|
//! | POLICY_DATA | 14 | RFC 2750 | with Path and Resv from end to end; nothing is decided by it here |
//! | DCLASS | 225 | RFC 2996 | the same: its class is of the form `11bbbbbb` (RFC 2205 section 3.10) |
//! | TCLASS | 165 | RFC 2814 | no further than the next hop, which has to remove it (section 4.2.2.8) |
//!
//! What is sent is kept where everything is kept that is forwarded: in the Path message that stands for a local sender and in a Resv
//! message that stands for a local reservation. So the blocks of state have no place for it, and merging is that of all
//! objects that pass through (RFC 2996 says nothing else): each once. Of several TCLASS the highest priority is asked for. When
//! senders are told of it is the business of `ext/carried_told`. Marks are for the data plane, too: each node on the way is told of
//! them with the reservation ([`Remark`]), so that a flow has them from where it begins.

use crate::api::Remark;
use crate::composer::object_of;
use crate::process::kept::filters;
use crate::state::State;
use crate::state::resv::{Request, RequestOrigin};
use crate::state::traffic::Reserved;
use crate::unknown::{self, FORWARDED_MAX};
use rsvp_wire::layout::List;
use rsvp_wire::object::{Dclass, DscpWord, Tclass};
use rsvp_wire::{CType, Class, Message, ObjectRef};

/// Objects for others, of one application or, where reservations merge, of several: whole, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried(Box<[u8]>);

/// Octets of a POLICY_DATA before its policy elements, when it has no options.
const POLICY_HEADER: usize = 8;

impl Carried {
    /// And these policy elements (RFC 2750 section 3.3) in a POLICY_DATA of their own: whole elements, each with its length in
    /// octets and its type. `None` when they are not, or when there is more than a message may carry.
    #[must_use]
    pub fn with_policy(&self, elements: &[u8]) -> Option<Self> {
        let length = u16::try_from(elements.len() + POLICY_HEADER).ok()?;
        if elements.is_empty() || !are_elements(elements) {
            return None;
        }
        let header = [length.to_be_bytes(), [Class::POLICY_DATA.0, 1], [0, POLICY_HEADER as u8], [0, 0]];
        self.and(&[&header.concat(), elements].concat())
    }

    /// And these DSCPs in a DCLASS (RFC 2996). `None` when one is above 63, when there is none, or too many.
    #[must_use]
    pub fn with_dclass(&self, dscps: &[u8]) -> Option<Self> {
        let word = |dscp: &u8| DscpWord { reserved: 0, dscp: *dscp, reserved_2: 0 };
        let words: Vec<DscpWord> = dscps.iter().map(word).collect();
        let fit = !dscps.is_empty() && dscps.len() < FORWARDED_MAX && dscps.iter().all(|dscp| *dscp < 64);
        fit.then(|| self.and(&object_of(&Dclass { dscps: List::Values(&words) })))?
    }

    /// And this IEEE 802.1p priority in a TCLASS (RFC 2814). `None` when it is above 7.
    #[must_use]
    pub fn with_tclass(&self, priority: u8) -> Option<Self> {
        (priority < 8).then(|| self.and(&object_of(&Tclass { reserved: 0, user_priority: priority })))?
    }

    /// Objects that were written before. `None` when they are not of these three kinds, or more than a message may carry.
    #[must_use]
    pub fn of_objects(octets: &[u8]) -> Option<Self> {
        let whole: usize = unknown::objects(octets).map(<[u8]>::len).sum();
        let is_sound = |object| {
            ObjectRef::split_first(object, 0).is_ok_and(|(o, _)| is_carried(&o) && o.check().is_ok())
        };
        (whole == octets.len() && whole <= FORWARDED_MAX && unknown::objects(octets).all(is_sound))
            .then(|| Self(octets.into()))
    }

    fn and(&self, object: &[u8]) -> Option<Self> {
        (self.0.len() + object.len() <= FORWARDED_MAX).then(|| Self([&self.0, object].concat().into()))
    }

    /// The objects, one after the other.
    #[must_use]
    pub fn objects(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The policy elements of each POLICY_DATA, without its options.
    pub fn policy(&self) -> impl Iterator<Item = &[u8]> {
        self.of_class(Class::POLICY_DATA).filter_map(|object| {
            let offset = u16::from_be_bytes([*object.get(4)?, *object.get(5)?]);
            object.get(usize::from(offset)..)
        })
    }

    /// All DSCPs, each once, in their order.
    #[must_use]
    pub fn dclass(&self) -> Vec<u8> {
        let mut found = Vec::new();
        for object in self.of_class(Class::DCLASS) {
            let Ok((object, _)) = ObjectRef::split_first(object, 0) else { continue };
            let Ok(Dclass { dscps }) = object.read() else { continue };
            for word in dscps.iter().filter(|word| !found.contains(&word.dscp)).collect::<Vec<_>>() {
                found.push(word.dscp);
            }
        }
        found
    }

    /// The IEEE 802.1p priority, the highest if there are several.
    #[must_use]
    pub fn tclass(&self) -> Option<u8> {
        let read = |object| ObjectRef::split_first(object, 0).ok()?.0.read::<Tclass>().ok();
        self.of_class(Class::TCLASS).filter_map(read).map(|tclass| tclass.user_priority).max()
    }

    fn of_class(&self, class: Class) -> impl Iterator<Item = &[u8]> {
        unknown::objects(&self.0).filter(move |object| object.get(2) == Some(&class.0))
    }

    /// The marks that it asks for.
    pub(crate) fn remark(&self) -> Remark {
        Remark { dscp: self.dclass().first().copied(), priority: self.tclass() }
    }

    /// What a message carries.
    pub(crate) fn of(message: &Message<'_>) -> Self {
        Self::union(message.objects().filter(is_carried).map(|object| object.octets()).collect())
    }

    /// What several messages carry together.
    pub(crate) fn union(mut objects: Vec<&[u8]>) -> Self {
        if objects.is_empty() {
            return Self::default();
        }
        one_tclass(&mut objects);
        Self(unknown::union(objects).0.into())
    }
}

/// Whether these are whole policy elements.
fn are_elements(mut octets: &[u8]) -> bool {
    while let [high, low, _, _, ..] = *octets {
        let length = usize::from(u16::from_be_bytes([high, low]));
        match octets.get(length..) {
            Some(rest) if length >= 4 && length.is_multiple_of(4) => octets = rest,
            _ => return false,
        }
    }
    octets.is_empty()
}

/// Whether an application is told of an object that a message carries.
pub(crate) fn is_carried(object: &ObjectRef<'_>) -> bool {
    matches!(object.class, Class::POLICY_DATA | Class::DCLASS | Class::TCLASS) && object.ctype == CType(1)
}

/// The objects that requests on an interface carry to the senders of a reservation there; of one requester also those of a
/// message that is not kept yet.
pub(crate) fn for_senders<'s>(
    state: &'s State,
    reserved: &Reserved,
    arriving: Option<(RequestOrigin, Message<'s>)>,
) -> Vec<&'s [u8]> {
    let mut objects = Vec::new();
    let on = Some(reserved.interface);
    let arrives = |request: &Request| arriving.as_ref().is_some_and(|(from, _)| *from == request.from);
    let here = state.requests_of(reserved.session).filter(|(_, r)| r.interface() == on);
    for (_, request) in here.filter(|(_, r)| r.kept.carries() || arrives(r)) {
        let arriving = arriving.filter(|(from, _)| *from == request.from).map(|(_, message)| message);
        let replaced = |kept: &Message<'_>| arriving.as_ref().is_some_and(|new| name_the_same(kept, new));
        for message in request.messages().filter(|kept| !replaced(kept)).chain(arriving) {
            let mut named = filters(&message).peekable();
            if named.peek().is_none() || named.any(|filter| reserved.filters.selects(&filter)) {
                objects.extend(message.objects().filter(is_carried).map(|object| object.octets()));
            }
        }
    }
    objects
}

/// Whether a message of a requester takes the place of an earlier one.
fn name_the_same(kept: &Message<'_>, new: &Message<'_>) -> bool {
    filters(new).next().is_none() || filters(kept).any(|filter| filters(new).any(|other| other == filter))
}

/// Whether an object says how packets are to be marked.
pub(crate) fn is_mark(object: &ObjectRef<'_>) -> bool {
    matches!(object.class, Class::DCLASS | Class::TCLASS) && is_carried(object)
}

/// Whether an object goes into what is sent because of a message: what is forwarded, and what goes one hop only if it is this
/// node's own.
pub(crate) fn is_sent(object: &ObjectRef<'_>, own: bool) -> bool {
    unknown::is_forwarded(object) || (own && object.class == Class::TCLASS)
}

/// Leaves only the highest of several TCLASS.
pub(crate) fn one_tclass(objects: &mut Vec<&[u8]>) {
    let is_tclass = |object: &&[u8]| object.get(2) == Some(&Class::TCLASS.0);
    let highest = objects.iter().copied().filter(is_tclass).max();
    objects.retain(|object| !is_tclass(object) || Some(*object) == highest);
}
