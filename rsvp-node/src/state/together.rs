//! What all that ask for a sender on an interface ask for together, in a crowd: merged as requests come, and kept.
//!
//! The requests of an interface have places. A sender has a [`Column`] of what those of its places ask for, so that where somebody asks for
//! something else no request is looked at again. What a Resv changes for a thousand senders costs as much for each, however many others ask
//! for them.

use super::State;
use super::arena::Ix;
use super::column::{Column, Group, Joint, Part, SIDE_BY_SIDE, Together};
use super::crowd::Crowd;
use super::resv::{Beside, Index, Request};
use super::session::SessionState;
use super::traffic::Branch;
use crate::interface::InterfaceId;
use crate::key::{Flow, SenderKey};
use rsvp_wire::{Flowspec, Sharing};

/// Octets that are charged for what one request asks for one sender: as if nobody else did.
pub(super) const CHARGE: usize = size_of::<(InterfaceId, Column)>();

impl Index {
    /// The part that a request of a next hop stands in, and its bit there.
    pub(crate) fn part(&self) -> Option<(usize, u16)> {
        self.row.map(|row| ((row / SIDE_BY_SIDE) as usize, 1 << (row % SIDE_BY_SIDE)))
    }
}

/// The requests of an interface.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    requests: Vec<Option<Ix<Request>>>,
    free: Vec<u32>,
    /// What they ask for, whomever it is for; in FF nothing.
    any: Column,
    /// How many have a SCOPE.
    scoped: u32,
}

impl Rows {
    fn join(&mut self, ix: Ix<Request>) -> u32 {
        let row = self.free.pop().unwrap_or(self.requests.len() as u32);
        match self.requests.get_mut(row as usize) {
            Some(place) => *place = Some(ix),
            None => self.requests.push(Some(ix)),
        }
        row
    }

    fn leave(&mut self, row: u32) {
        self.requests[row as usize] = None;
        self.free.push(row);
    }

    fn is_empty(&self) -> bool {
        self.free.len() == self.requests.len()
    }

    pub(super) fn octets(&self) -> usize {
        let place = size_of::<Option<Ix<Request>>>();
        size_of::<Self>() + place * self.requests.capacity() + 4 * self.free.capacity() + self.any.octets()
    }
}

impl Crowd {
    /// What next hops on an interface ask for a sender.
    pub(crate) fn asked_on(&self, interface: InterfaceId, number: u32) -> Together {
        self.column(interface, number).map_or(Together::Nothing, |column| column.all)
    }

    /// The same on each interface.
    pub(crate) fn asked_anywhere(&self, number: u32) -> impl Iterator<Item = Together> {
        self.known(number).asked.iter().map(|(_, column)| column.all)
    }

    /// What next hops on an interface ask for, whomever it is for; nothing in FF.
    pub(crate) fn any_on(&self, interface: InterfaceId) -> Together {
        self.rows.get(&interface).map_or(Together::Nothing, |rows| rows.any.all)
    }

    /// The same on all interfaces.
    pub(crate) fn any(&self) -> Together {
        self.rows.values().map(|rows| rows.any.all).collect()
    }

    /// What they ask for a sender, part by part.
    pub(crate) fn parts_on(&self, interface: InterfaceId, number: u32) -> &[Part] {
        self.column(interface, number).map_or(&[], |column| &column.parts)
    }

    /// The same in groups.
    pub(crate) fn groups_on(&self, interface: InterfaceId, number: u32) -> impl Iterator<Item = Group<'_>> {
        self.column(interface, number).into_iter().flat_map(Column::groups)
    }

    fn column(&self, interface: InterfaceId, number: u32) -> Option<&Column> {
        self.known(number).asked.iter().find(|(on, _)| *on == interface).map(|(_, column)| column)
    }

    /// The requests of an interface that stand side by side, of those that are meant.
    pub(crate) fn requests_in(
        &self,
        interface: InterfaceId,
        part: usize,
        meant: u16,
    ) -> impl Iterator<Item = Ix<Request>> {
        let from = part * SIDE_BY_SIDE as usize;
        let rows = self.rows.get(&interface).and_then(|rows| rows.requests.get(from..)).unwrap_or_default();
        let rows = rows.iter().take(SIDE_BY_SIDE as usize).enumerate();
        rows.filter(move |(row, _)| meant & (1 << row) != 0).filter_map(|(_, request)| *request)
    }

    /// Whether some requests of next hops are for the senders of a SCOPE only.
    pub(crate) fn has_scopes(&self) -> bool {
        self.rows.values().any(|rows| rows.scoped > 0)
    }

    /// The request of a row asks for something else for a sender, or for any, or for nothing.
    fn ask(&mut self, (interface, row): (InterfaceId, u32), number: Option<u32>, asked: Option<Flowspec>) {
        let Some(number) = number else {
            return self.rows.entry(interface).or_default().any.set(row, asked);
        };
        let columns = &mut self.known_mut(number).asked;
        let known = columns.iter().position(|(on, _)| *on == interface);
        let at = match known {
            Some(at) => at,
            None if asked.is_none() => return,
            None => {
                columns.reserve_exact(1);
                columns.push((interface, Column::default()));
                columns.len() - 1
            }
        };
        columns[at].1.set(row, asked);
        if columns[at].1.parts.is_empty() {
            columns.swap_remove(at);
        }
    }
}

impl State {
    /// What next hops on an interface ask for a sender, where that is known; `None` where it is to be looked for.
    pub(crate) fn asked_together(
        &self,
        session: Ix<SessionState>,
        interface: InterfaceId,
        sender: &SenderKey,
    ) -> Option<Together> {
        let crowd = self.crowd(session)?;
        let number = crowd.number(sender);
        let asked = number.map_or(Together::Nothing, |number| crowd.asked_on(interface, number));
        (asked != Together::Services).then_some(asked)
    }

    /// The requests on an interface that ask for something, for a sender or for all together, that does not keep within a bound; of what lies
    /// between two ends all does if the higher one does.
    pub(crate) fn asking_beyond(
        &self,
        branch: Branch,
        sender: Flow,
        keeps_within: impl Fn(&Flowspec) -> bool,
    ) -> Vec<Ix<Request>> {
        if let Some((crowd, sender)) = self.crowd(branch.session).zip(sender) {
            let Some(number) = crowd.number(&sender) else { return Vec::new() };
            let keeps = |joint: &Joint| joint.span.is_some_and(|span| keeps_within(&span.high));
            let groups = crowd.groups_on(branch.interface, number);
            let groups = groups.filter(|group| !group.block.is_some_and(|block| keeps(&block.joint)));
            let parts = groups.flat_map(|group| group.parts).filter(|part| !keeps(&part.joint));
            let beyond = parts.flat_map(|part| {
                let meant = part.each().filter(|(_, asked)| !keeps_within(asked));
                crowd.requests_in(branch.interface, part.at(), meant.fold(0, |all, (bit, _)| all | bit))
            });
            return beyond.collect();
        }
        let is_beyond = |ix: &Ix<Request>| {
            let place = if sender.is_none() { Some(0) } else { self.place_of(*ix, &sender) };
            let item = place.and_then(|place| self.requests[*ix].items.get(place));
            item.is_some_and(|item| !keeps_within(&item.flowspec))
        };
        self.requests_on(branch).into_iter().filter(is_beyond).collect()
    }

    /// A request has an index, in the place of the one before: what it asks for is merged with what others do.
    pub(super) fn merge_request(&mut self, ix: Ix<Request>, before: Option<&Index>) {
        let request = &mut self.requests[ix];
        let (interface, session) = (request.interface(), request.session);
        let shared = request.style.sharing() == Sharing::Shared;
        let Some(index) = request.beside.as_deref_mut().and_then(Beside::index_mut) else { return };
        request.items.iter().for_each(|item| index.count_service(None, Some(&item.flowspec)));
        let Some(interface) = interface else { return };
        let Some(crowd) = self.sessions[session].crowd_mut() else { return };
        let rows = crowd.rows.entry(interface).or_default();
        let row = before.and_then(|before| before.row).unwrap_or_else(|| rows.join(ix));
        index.row = Some(row);
        rows.scoped += u32::from(index.scoped);
        rows.scoped -= u32::from(before.is_some_and(|before| before.row.is_some() && before.scoped));
        let gone =
            before.map_or(&[][..], |before| before.numbers()).iter().filter(|n| index.place(**n).is_none());
        gone.for_each(|number| crowd.ask((interface, row), Some(*number), None));
        for (number, item) in index.numbers().iter().zip(&request.items) {
            crowd.ask((interface, row), Some(*number), Some(item.flowspec));
        }
        if shared {
            crowd.ask((interface, row), None, request.items.first().map(|item| item.flowspec));
        }
    }

    /// A request has no index any more: it leaves.
    pub(super) fn unmerge_request(&mut self, ix: Ix<Request>, before: &Index) {
        let request = &self.requests[ix];
        let (Some(interface), Some(row)) = (request.interface(), before.row) else { return };
        let Some(crowd) = self.sessions[request.session].crowd_mut() else { return };
        for number in before.numbers().iter().copied().map(Some).chain([None]) {
            crowd.ask((interface, row), number, None);
        }
        let Some(rows) = crowd.rows.get_mut(&interface) else { return };
        rows.leave(row);
        rows.scoped -= u32::from(before.scoped);
        if rows.is_empty() {
            crowd.rows.remove(&interface);
        }
    }

    /// An item of a request asks for something else than before, or is new.
    pub(super) fn merge_item(&mut self, ix: Ix<Request>, place: usize, before: Option<Flowspec>) {
        let request = &mut self.requests[ix];
        let Some(now) = request.items.get(place).map(|item| item.flowspec) else { return };
        if before == Some(now) {
            return;
        }
        let (interface, session) = (request.interface(), request.session);
        let shared = request.style.sharing() == Sharing::Shared;
        let Some(index) = request.index_mut() else { return };
        index.count_service(before.as_ref(), Some(&now));
        let (number, row) = (index.numbers().get(place).copied(), index.row);
        let Some(crowd) = self.sessions[session].crowd_mut() else { return };
        let Some(row) = interface.zip(row) else { return };
        let any = (place == 0 && shared).then_some(None);
        for number in number.map(Some).into_iter().chain(any) {
            crowd.ask(row, number, Some(now));
        }
    }

    /// An item of a request, for this sender, is gone.
    pub(super) fn unmerge_item(&mut self, ix: Ix<Request>, number: u32, gone: &Flowspec) {
        let request = &mut self.requests[ix];
        let (interface, session) = (request.interface(), request.session);
        let Some(index) = request.index_mut() else { return };
        index.count_service(Some(gone), None);
        let row = index.row;
        if let Some(row) = interface.zip(row)
            && let Some(crowd) = self.sessions[session].crowd_mut()
        {
            crowd.ask(row, Some(number), None);
        }
    }

    /// Has items of a request ask for something else.
    pub(crate) fn change_flowspecs(
        &mut self,
        ix: Ix<Request>,
        filter: &Flow,
        to: impl Fn(&Flowspec) -> Flowspec,
    ) {
        let one = filter.as_ref().map(|_| self.place_of(ix, filter));
        let places = match one {
            Some(place) => place.map_or(0..0, |place| place..place + 1),
            None => 0..self.requests[ix].items.len(),
        };
        for place in places {
            let item = &mut self.requests[ix].items[place];
            let before = item.flowspec;
            item.flowspec = to(&before);
            self.merge_item(ix, place, Some(before));
        }
    }
}
