//! The senders of a session that has many of them, by number.
//!
//! What a few senders have to do with a few requests is found by looking at each. Many times many would take too long: so in
//! a session of more than a few each sender has a small number, path states and reservations are found by it, and the
//! filters of a request are an index of it ([`Index`](super::resv::Index)). A number lives as long as anything names its sender.

use super::State;
use super::arena::Ix;
use super::column::Column;
use super::numbers::Numbers;
use super::path::{Origin, PathState};
use super::resv::{Index, Item, Request};
use super::session::SessionState;
use super::together::Rows;
use super::traffic::Reserved;
use super::upstream::Upstream;
use crate::interface::InterfaceId;
use crate::key::{SenderKey, StyleKind};
use core::cmp::Reverse;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Items of a request that keep their order when one goes.
const IN_ORDER: usize = 16;

/// The senders of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crowd {
    numbers: BTreeMap<SenderKey, u32>,
    senders: Vec<Known>,
    free: Vec<u32>,
    /// Path states by their previous hop, those of each in the order of the list.
    behind: BTreeMap<(u32, Reverse<u32>), Ix<PathState>>,
    /// Where each path state, by its place, is in the list: the greatest comes first.
    orders: BTreeMap<u32, u32>,
    /// The order of the one that came first to the list last.
    newest: u32,
    /// The requests of next hops.
    pub(super) rows: BTreeMap<InterfaceId, Rows>,
}

/// What belongs to a sender, in the order of the session's lists.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) key: SenderKey,
    /// Path states, items of requests and reservations that name it.
    users: u32,
    pub(crate) paths: SmallVec<[Ix<PathState>; 1]>,
    /// Reservations for it alone (FF).
    pub(crate) reserved: SmallVec<[Ix<Reserved>; 1]>,
    /// What is asked for it, where it is.
    pub(super) asked: Vec<(InterfaceId, Column)>,
}

impl Known {
    fn octets_asked(&self) -> usize {
        let parts = self.asked.iter().map(|(_, column)| column.octets()).sum::<usize>();
        self.asked.capacity() * size_of::<(InterfaceId, Column)>() + parts
    }
}

impl Crowd {
    pub(crate) fn number(&self, key: &SenderKey) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    pub(crate) fn known(&self, number: u32) -> &Known {
        &self.senders[number as usize]
    }

    /// Octets of memory, as good as those of trees are known.
    pub(super) fn octets(&self) -> usize {
        self.numbers.len() * size_of::<(SenderKey, u32)>()
            + self.senders.capacity() * size_of::<Known>()
            + self.behind.len() * size_of::<((u32, u32), Ix<PathState>)>()
            + self.orders.len() * size_of::<(u32, u32)>()
            + self.rows.values().map(Rows::octets).sum::<usize>()
            + self.senders.iter().map(Known::octets_asked).sum::<usize>()
    }

    /// The senders of a set.
    pub(crate) fn keys(&self, numbers: &Numbers) -> impl Iterator<Item = SenderKey> {
        numbers.iter().map(|number| self.known(number).key)
    }

    /// How many numbers there are.
    pub(crate) fn size(&self) -> usize {
        self.senders.len()
    }

    pub(super) fn known_mut(&mut self, number: u32) -> &mut Known {
        &mut self.senders[number as usize]
    }

    /// The number of a sender that is named once more, and whether it is new.
    fn join(&mut self, key: &SenderKey) -> (u32, bool) {
        if let Some(number) = self.number(key) {
            self.known_mut(number).users += 1;
            return (number, false);
        }
        let (paths, reserved) = (SmallVec::new(), SmallVec::new());
        let known = Known { key: *key, users: 1, paths, reserved, asked: Vec::new() };
        let number = match self.free.pop() {
            Some(number) => {
                *self.known_mut(number) = known;
                number
            }
            None => {
                self.senders.push(known);
                self.senders.len() as u32 - 1
            }
        };
        self.numbers.insert(*key, number);
        (number, true)
    }

    /// The path states that come from a previous hop.
    pub(crate) fn behind(&self, upstream: Ix<Upstream>) -> impl Iterator<Item = Ix<PathState>> + Clone {
        let first = (upstream.place(), Reverse(u32::MAX));
        self.behind.range(first..=(upstream.place(), Reverse(0))).map(|(_, ix)| *ix)
    }

    fn comes_first(&mut self, ix: Ix<PathState>, path: &PathState) {
        self.newest += 1;
        self.orders.insert(ix.place(), self.newest);
        self.takes_place(ix, path);
    }

    fn takes_place(&mut self, ix: Ix<PathState>, path: &PathState) {
        self.behind.extend(self.place_behind(ix, path).map(|place| (place, ix)));
    }

    fn forget_place(&mut self, ix: Ix<PathState>, path: &PathState) {
        if let Some(place) = self.place_behind(ix, path) {
            self.behind.remove(&place);
        }
    }

    fn place_behind(&self, ix: Ix<PathState>, path: &PathState) -> Option<(u32, Reverse<u32>)> {
        Some((path.upstream()?.place(), Reverse(*self.orders.get(&ix.place())?)))
    }

    fn leave(&mut self, number: u32) {
        let known = self.known_mut(number);
        known.users -= 1;
        if known.users == 0 {
            let key = known.key;
            self.numbers.remove(&key);
            self.free.push(number);
        }
    }
}

impl State {
    /// The crowd of a session; `None` where everything is looked at one by one.
    pub(crate) fn crowd(&self, session: Ix<SessionState>) -> Option<&Crowd> {
        self.sessions[session].crowd()
    }

    fn crowd_mut(&mut self, session: Ix<SessionState>) -> Option<&mut Crowd> {
        self.sessions[session].crowd_mut()
    }

    /// Gives the senders of a session numbers.
    fn gather(&mut self, session: Ix<SessionState>) {
        self.sessions[session].beside_mut().crowd = Some(Crowd::default());
        let paths: Vec<_> = self.paths_of(session).map(|(ix, _)| ix).collect();
        let requests: Vec<_> = self.requests_of(session).map(|(ix, _)| ix).collect();
        let reserved: Vec<_> = self.reserved_of(session).map(|(ix, _)| ix).collect();
        // The newest comes first in all lists.
        paths.into_iter().rev().for_each(|ix| self.number_path(ix));
        reserved.into_iter().rev().for_each(|ix| self.number_reserved(ix));
        requests.into_iter().for_each(|ix| self.index_request(ix));
    }

    fn join_crowd(&mut self, session: Ix<SessionState>, key: &SenderKey) -> Option<u32> {
        let (number, is_new) = self.crowd_mut(session)?.join(key);
        if is_new {
            // A SCOPE may have named it before.
            let mut next = self.sessions[session].requests;
            while let Some(ix) = next {
                let request = &mut self.requests[ix];
                next = request.next;
                if !request.style.is_wildcard() {
                    break;
                }
                request.list_in_scope(number, key);
            }
        }
        Some(number)
    }

    /// A path state that has come to its session.
    pub(super) fn number_path(&mut self, ix: Ix<PathState>) {
        let (session, sender) = (self.paths[ix].session, self.paths[ix].sender);
        if self.crowd(session).is_none() {
            if self.sessions[session].path_count as usize > self.few {
                self.gather(session);
            }
            return;
        }
        let Some(number) = self.join_crowd(session, &sender) else { return };
        let path = &mut self.paths[ix];
        path.number = number;
        if let Some(crowd) = self.sessions[session].crowd_mut() {
            crowd.known_mut(number).paths.insert(0, ix);
            crowd.comes_first(ix, path);
        }
    }

    /// A path state that speaks for its sender from now on.
    pub(super) fn number_first(&mut self, ix: Ix<PathState>) {
        let path = &self.paths[ix];
        if let Some(crowd) = self.sessions[path.session].crowd_mut() {
            let paths = &mut crowd.known_mut(path.number).paths;
            paths.retain(|p| *p != ix);
            paths.insert(0, ix);
            crowd.forget_place(ix, path);
            crowd.comes_first(ix, path);
        }
    }

    /// Has a path state come from another previous hop, or by another interface.
    pub(crate) fn set_origin(&mut self, ix: Ix<PathState>, origin: Origin) {
        let path = &mut self.paths[ix];
        let crowd = self.sessions[path.session].crowd_mut();
        match crowd {
            Some(crowd) if path.origin != origin => {
                crowd.forget_place(ix, path);
                path.origin = origin;
                crowd.takes_place(ix, path);
            }
            _ => path.origin = origin,
        }
    }

    /// A path state that leaves its session.
    pub(super) fn unnumber_path(&mut self, ix: Ix<PathState>) {
        let path = &self.paths[ix];
        if let Some(crowd) = self.sessions[path.session].crowd_mut() {
            crowd.known_mut(path.number).paths.retain(|p| *p != ix);
            crowd.forget_place(ix, path);
            crowd.orders.remove(&ix.place());
            crowd.leave(path.number);
        }
    }

    /// A reservation that has come to its session.
    pub(super) fn number_reserved(&mut self, ix: Ix<Reserved>) {
        if let Some((session, sender)) = self.only_sender(ix)
            && let Some(number) = self.join_crowd(session, &sender)
            && let Some(crowd) = self.crowd_mut(session)
        {
            crowd.known_mut(number).reserved.insert(0, ix);
        }
    }

    /// A reservation that leaves its session.
    pub(super) fn unnumber_reserved(&mut self, ix: Ix<Reserved>) {
        if let Some((session, sender)) = self.only_sender(ix)
            && let Some(crowd) = self.crowd_mut(session)
            && let Some(number) = crowd.number(&sender)
        {
            crowd.known_mut(number).reserved.retain(|r| *r != ix);
            crowd.leave(number);
        }
    }

    /// The sender that an FF reservation is for.
    fn only_sender(&self, ix: Ix<Reserved>) -> Option<(Ix<SessionState>, SenderKey)> {
        let reserved = &self.reserved[ix];
        let only = reserved.filters.as_slice().first().filter(|_| reserved.style == StyleKind::FixedFilter);
        only.map(|sender| (reserved.session, *sender))
    }

    /// Makes the index of a request anew, after its items or its SCOPE have changed in another way than by the methods
    /// below; nothing in a session of few.
    pub(crate) fn index_request(&mut self, ix: Ix<Request>) {
        let session = self.requests[ix].session;
        if self.crowd(session).is_none() {
            let request = &self.requests[ix];
            let scope = request.scope().map_or(0, |scope| scope.addresses().count());
            if request.items.len().max(scope) > self.few {
                self.gather(session);
            }
            return;
        }
        let filters: Vec<SenderKey> = self.requests[ix].items.iter().filter_map(|i| i.filter).collect();
        let before = self.requests[ix].set_index(None);
        let numbers: Vec<u32> = filters.iter().filter_map(|f| self.join_crowd(session, f)).collect();
        let scope = self.requests[ix].scope();
        let scoped = scope.zip(self.crowd(session)).map(|(scope, crowd)| {
            let listed: std::collections::BTreeSet<_> = scope.addresses().collect();
            let named = crowd.numbers.iter().filter(|(key, _)| listed.contains(&key.address()));
            named.map(|(_, number)| *number).collect()
        });
        let wildcard = self.requests[ix].style.is_wildcard();
        let index = if wildcard { Index::wildcard(scoped) } else { Index::of(numbers) };
        self.requests[ix].set_index(Some(index));
        self.merge_request(ix, before.as_ref());
        self.leave_crowd(session, before.as_ref());
        self.charge_request(ix);
    }

    /// A request that leaves its session.
    pub(super) fn unindex_request(&mut self, ix: Ix<Request>) {
        let (session, index) = (self.requests[ix].session, self.requests[ix].set_index(None));
        if let Some(index) = &index {
            self.unmerge_request(ix, index);
        }
        self.leave_crowd(session, index.as_ref());
    }

    fn leave_crowd(&mut self, session: Ix<SessionState>, index: Option<&Index>) {
        if let Some((index, crowd)) = index.zip(self.crowd_mut(session)) {
            index.numbers().iter().for_each(|number| crowd.leave(*number));
        }
    }

    /// Where the item of a filter stands in a request.
    pub(crate) fn place_of(&self, ix: Ix<Request>, filter: &Option<SenderKey>) -> Option<usize> {
        let request = &self.requests[ix];
        let number = request.index().and_then(|_| self.number_of(request.session, filter));
        request.place_of(filter, number)
    }

    /// The same of a request that is at hand.
    pub(crate) fn place_in(&self, request: &Request, sender: &SenderKey) -> Option<usize> {
        let filter = Some(*sender);
        let number = request.index().and_then(|_| self.number_of(request.session, &filter));
        request.place_of(&filter, number)
    }

    /// The number of a sender in the crowd of its session, to look for it in several requests.
    pub(crate) fn number_of(&self, session: Ix<SessionState>, sender: &Option<SenderKey>) -> Option<u32> {
        self.crowd(session)?.number(sender.as_ref()?)
    }

    /// The item that selects a sender.
    pub(crate) fn item_for(&self, ix: Ix<Request>, sender: &SenderKey) -> Option<&Item> {
        let request = &self.requests[ix];
        let filter = (!request.style.is_wildcard()).then_some(*sender);
        self.place_of(ix, &filter).map(|place| &request.items[place])
    }

    /// Puts an item into a request, in the place of one with the same filter.
    pub(crate) fn put_item(&mut self, ix: Ix<Request>, item: Item) {
        if let Some(place) = self.place_of(ix, &item.filter) {
            let before = core::mem::replace(&mut self.requests[ix].items[place], item);
            return self.merge_item(ix, place, Some(before.flowspec));
        }
        self.requests[ix].items.push(item);
        let session = self.requests[ix].session;
        match item.filter {
            Some(filter) if self.requests[ix].index().is_some() => {
                let number = self.join_crowd(session, &filter);
                if let Some((index, number)) = self.requests[ix].index_mut().zip(number) {
                    index.push(number);
                    self.merge_item(ix, self.requests[ix].items.len() - 1, None);
                }
            }
            _ => self.index_request(ix),
        }
    }

    /// Takes an item out of a request; where there are many, the last comes in its place.
    pub(crate) fn take_item(&mut self, ix: Ix<Request>, place: usize) -> Item {
        let request = &mut self.requests[ix];
        let session = request.session;
        let many = request.items.len() > IN_ORDER;
        let item = if many { request.items.swap_remove(place) } else { request.items.remove(place) };
        if let Some(index) = request.index_mut().filter(|_| item.filter.is_some()) {
            let number = if many { index.swap_remove(place) } else { index.remove(place) };
            self.unmerge_item(ix, number, &item.flowspec);
            if let Some(crowd) = self.crowd_mut(session) {
                crowd.leave(number);
            }
        }
        item
    }

    /// Takes out the items that match.
    pub(crate) fn take_items(
        &mut self,
        ix: Ix<Request>,
        matches: impl Fn(&Item) -> bool,
    ) -> SmallVec<[Item; 1]> {
        // From the end: what comes into the place of one that goes is none of them.
        let mut gone = SmallVec::new();
        for place in (0..self.requests[ix].items.len()).rev() {
            if matches(&self.requests[ix].items[place]) {
                gone.push(self.take_item(ix, place));
            }
        }
        gone.reverse();
        gone
    }
}
