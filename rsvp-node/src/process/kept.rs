//! The Resv messages that are kept of a next hop: what a refresh is compared with (RFC 2205 section 3.7), and what is
//! forwarded is copied from. A next hop may divide what it asks for among several messages, because packing is optional
//! (section 3.1.4); each is kept until another names one of its filters.
//!
//! What a message asks for is judged in `resv`; whether two say the same is all that is asked here.

use super::Arrived;
use super::soft_state::same_content;
use crate::key::SenderKey;
use crate::node::Node;
use crate::state::arena::Ix;
use crate::state::resv::Request;
use crate::state::store;
use crate::time::Instant;
use crate::unknown;
use rsvp_wire::{Class, Message, Sharing};
use smallvec::SmallVec;

/// Octets of kept messages that one next hop may have; beyond that the oldest go, and their refreshes cost more.
const KEPT_MAX: usize = 4 * 65_535;

impl Node {
    /// Moves the expiry times of what a message names, if it says the same as one whose items stand as it asked for.
    pub(crate) fn refreshes(&mut self, ix: Ix<Request>, arrived: &Arrived<'_>, expires: Instant) -> bool {
        let request = &self.state.requests[ix];
        if !request.refreshable().any(|kept| same_content(kept, &arrived.message)) {
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
        let settled = request.refreshable().map(<[u8]>::len).sum::<usize>();
        let settled_from = request.octets.len() - settled;
        let (mut first, mut last) = (Vec::new(), Vec::new());
        let mut at = 0;
        for kept in request.messages() {
            if !replaced(&kept) {
                if at < settled_from { &mut first } else { &mut last }.extend_from_slice(kept.octets());
            }
            at += kept.octets().len();
        }
        if first.is_empty() && last.is_empty() {
            store(&mut request.octets, octets);
            (request.refreshable, request.refreshable_from) = (refreshable, 0);
            return self.was_kept(ix);
        }
        if refreshable { &mut last } else { &mut first }.extend_from_slice(octets);
        while first.len() + last.len() > KEPT_MAX {
            forget_one(if first.is_empty() { &mut last } else { &mut first });
        }
        (request.refreshable, request.refreshable_from) = (!last.is_empty(), first.len() as u32);
        first.append(&mut last);
        request.octets = first.into();
        self.was_kept(ix);
    }

    fn was_kept(&mut self, ix: Ix<Request>) {
        let request = &mut self.state.requests[ix];
        request.note_carried();
        if request.style.is_wildcard() {
            self.state.index_request(ix);
        }
    }
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
