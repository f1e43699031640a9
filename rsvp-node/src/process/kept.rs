//! The Resv messages that are kept of a next hop: what a refresh is compared with (RFC 2205 section 3.7), and what is
//! forwarded is copied from. A next hop may divide what it asks for among several messages, because packing is optional
//! (section 3.1.4); each is kept until another names one of its filters. Of the only one that says no more than its request a
//! digest is enough; when another comes beside it, it is spelled out, and its next refresh is processed as a change.
//!
//! What a message asks for is judged in `resv`; whether two say the same is all that is asked here.

use super::Arrived;
use super::soft_state::{content_of, same_content};
use crate::composer::{Composer, Descriptor, Forwarded, Named};
use crate::extension::Extensions;
use crate::interface::InterfaceId;
use crate::key::{Flow, SenderKey, SessionKey, StyleKind};
use crate::node::Node;
use crate::queue::Envelope;
use crate::state::arena::Ix;
use crate::state::kept::{Kept, carries, refresh_ms};
use crate::state::resv::{Item, Request};
use crate::time::Instant;
use crate::unknown;
use core::time::Duration;
use rsvp_wire::{Class, Flowspec, Message, MsgType, Sharing};
use smallvec::SmallVec;

/// Octets of kept messages that one next hop may have; beyond that the oldest go, and their refreshes cost more.
const KEPT_MAX: usize = 4 * 65_535;

impl Node {
    /// Moves the expiry times of what a message names, if it says the same as one whose items stand as it asked for.
    pub(crate) fn refreshes(&mut self, ix: Ix<Request>, arrived: &Arrived<'_>, expires: Instant) -> bool {
        let request = &self.state.requests[ix];
        let same = match &request.kept {
            Kept::Octets { .. } => request.settled().any(|kept| same_content(kept, &arrived.message)),
            Kept::Digest { content, .. } => {
                request.refreshable && *content == content_of(&arrived.message, self.digest_key)
            }
        };
        if !same {
            return false;
        }
        let request = &mut self.state.requests[ix];
        if let [item] = request.items.as_mut_slice() {
            item.expires = expires;
            self.state.accounts.heard(request.owner, self.now);
            return true;
        }
        self.state.accounts.heard(request.owner, self.now);
        // Filters come in the order in which they came before, so it is most often the next.
        let mut at = 0;
        let mut items = &mut self.state.requests[ix].items;
        for filter in filters(&arrived.message) {
            if items.get(at).is_none_or(|item| item.filter != Some(filter)) {
                let found = self.state.place_of(ix, &Some(filter));
                items = &mut self.state.requests[ix].items;
                let Some(found) = found else { continue };
                at = found;
            }
            items[at].expires = expires;
            at += 1;
        }
        true
    }

    /// Keeps a message in the place of all that it replaces; `refreshable` if its items stand as it asked for.
    pub(crate) fn keep_message(&mut self, ix: Ix<Request>, arrived: &Arrived<'_>, refreshable: bool) {
        self.judged_again = None;
        let octets = &*unknown::kept(&arrived.message);
        self.handled(octets.len());
        let request = &mut self.state.requests[ix];
        let mut named: SmallVec<[SenderKey; 4]> = filters(&arrived.message).collect();
        named.sort_unstable();
        let shared = request.style.sharing() == Sharing::Shared;
        let flowspec = |m: &Message<'_>| m.first(Class::FLOWSPEC).map(|o| o.octets().to_vec());
        let replaced = |kept: &Message<'_>| {
            let same = || filters(kept).any(|f| named.binary_search(&f).is_ok());
            named.is_empty() || same() || (shared && flowspec(kept) != flowspec(&arrived.message))
        };
        let settled = request.settled().map(<[u8]>::len).sum::<usize>();
        let settled_from = request.kept.as_octets().len() - settled;
        let (mut first, mut last) = (Vec::new(), Vec::new());
        let mut at = 0;
        for kept in request.messages() {
            if !replaced(&kept) {
                if at < settled_from { &mut first } else { &mut last }.extend_from_slice(kept.octets());
            }
            at += kept.octets().len();
        }
        if first.is_empty() && last.is_empty() {
            request.refreshable = refreshable;
            request.kept = match says_no_more(request, &arrived.message) {
                Some(refresh_ms) => {
                    let content = content_of(&arrived.message, self.digest_key);
                    Kept::Digest { content, refresh_ms }
                }
                None => Kept::octets(octets.into(), 0, false),
            };
            return self.was_kept(ix);
        }
        if refreshable { &mut last } else { &mut first }.extend_from_slice(octets);
        while first.len() + last.len() > KEPT_MAX {
            forget_one(if first.is_empty() { &mut last } else { &mut first });
        }
        request.refreshable = !last.is_empty();
        let settled_from = first.len() as u32;
        first.append(&mut last);
        request.kept = Kept::octets(first.into(), settled_from, false);
        self.was_kept(ix);
    }

    /// Keeps what the only item of a request says as a message, before the item becomes less than was asked for, or one of several: what
    /// was asked for is known by what is kept.
    pub(crate) fn spell_out(&mut self, ix: Ix<Request>) {
        let request = &self.state.requests[ix];
        if let Kept::Digest { refresh_ms, .. } = request.kept {
            let (key, flows) = (self.state.key_of(request.session), flows_of(&request.items));
            let refresh = Some(Duration::from_millis(refresh_ms.into()));
            let octets = resv_of(&key, request.style, &flows, &[], refresh);
            let request = &mut self.state.requests[ix];
            (request.kept, request.refreshable) = (Kept::octets(octets, 0, false), false);
            self.state.charge_request(ix);
        }
    }

    /// Spells out what a digest stands for, if a message that comes leaves it as it is: it comes beside it.
    pub(crate) fn spell_out_beside(&mut self, ix: Ix<Request>, arrived: &Arrived<'_>) {
        let [item] = self.state.requests[ix].items.as_slice() else { return };
        if item.filter.is_some_and(|stands| filters(&arrived.message).all(|named| named != stands)) {
            self.spell_out(ix);
        }
    }

    fn was_kept(&mut self, ix: Ix<Request>) {
        if self.state.requests[ix].style.is_wildcard() {
            self.state.index_request(ix);
        }
    }
}

/// Flows as items have them.
pub(crate) fn flows_of(items: &[Item]) -> SmallVec<[(Flow, Flowspec); 1]> {
    items.iter().map(|item| (item.filter, item.flowspec)).collect()
}

/// A Resv of no hop, as what is asked for without a message of a neighbour is kept.
pub(crate) fn resv_of(
    session: &SessionKey,
    style: StyleKind,
    flows: &[(Flow, Flowspec)],
    carried: &[u8],
    refresh: Option<Duration>,
) -> Box<[u8]> {
    let nowhere = Envelope::to_neighbour(InterfaceId(0), session.destination(), 0);
    let message = Composer {
        session: Named::Key(*session),
        refresh,
        forwarded: Forwarded::Octets(carried),
        descriptor: Descriptor::Flows { style, flows },
        ..Composer::new(MsgType::RESV, nowhere)
    };
    message.boxed(&Extensions::default(), &mut vec![0; 512])
}

/// R of a message that says no more than the only item of its request; `None` where it does.
fn says_no_more(request: &Request, message: &Message<'_>) -> Option<u32> {
    let [Item { filter: Some(filter), flowspec, .. }] = request.items.as_slice() else { return None };
    let asks = message.get::<Flowspec>()?.ok()?;
    let same = asks == *flowspec && filters(message).eq([*filter]) && !carries(message, false);
    same.then(|| refresh_ms(message.octets()))
}

/// Takes the first of several messages out.
fn forget_one(messages: &mut Vec<u8>) {
    let length = messages.get(6..8).map_or(8, |l| usize::from(u16::from_be_bytes([l[0], l[1]])));
    messages.drain(..length.clamp(8, messages.len()));
}

/// The filters that a message names, in their order.
pub(crate) fn filters<'a>(message: &Message<'a>) -> impl Iterator<Item = SenderKey> + use<'a> {
    message
        .objects()
        .filter(|o| o.class == Class::FILTER_SPEC)
        .filter_map(|o| o.read().ok())
        .map(SenderKey::of)
}
