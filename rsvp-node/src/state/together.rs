//! What all that ask for a sender on an interface ask for together, in a crowd: merged as requests come, and kept.
//!
//! The requests of an interface have places. A sender has a column of what those of its places ask for, and what those of [`SIDE_BY_SIDE`]
//! places ask for is merged by itself, and all of that once more. So where somebody asks for something else, a few others are looked at
//! again, and not all, and no request. What a Resv changes for a thousand senders costs as much for each, however many others ask for them.

use super::State;
use super::arena::Ix;
use super::crowd::Crowd;
use super::resv::{Beside, Index, Request};
use super::session::SessionState;
use super::traffic::Branch;
use crate::interface::InterfaceId;
use crate::key::{Flow, SenderKey};
use crate::merge::flowspec;
use crate::merge::span::{Span, span};
use rsvp_wire::{Flowspec, Sharing};
use smallvec::SmallVec;

/// Places of which the requests are merged by themselves: there are 64 times as many in a session, or twice that.
const SIDE_BY_SIDE: u32 = 16;

/// What several requests ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Together {
    #[default]
    Nothing,
    /// The merge of all.
    Flowspec(Flowspec),
    /// Several services, which are not merged: what gives way to what is to be found out one by one.
    Services,
}

impl Together {
    pub(crate) fn add(&mut self, other: Self) {
        *self = match (*self, other) {
            (Self::Nothing, one) | (one, Self::Nothing) => one,
            (Self::Flowspec(a), Self::Flowspec(b)) => {
                flowspec::merge(&a, &b).map_or(Self::Services, Self::Flowspec)
            }
            _ => Self::Services,
        }
    }
}

impl FromIterator<Self> for Together {
    fn from_iter<I: IntoIterator<Item = Self>>(all: I) -> Self {
        let mut together = Self::Nothing;
        all.into_iter().for_each(|one| together.add(one));
        together
    }
}

/// What is asked for one sender by those that stand side by side; there is none where nobody of them asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    /// Where they stand: that many parts before.
    at: u32,
    /// Which of them ask, a bit for each.
    pub(crate) rows: u16,
    /// What each of these asks for.
    asked: SmallVec<[Flowspec; 1]>,
    pub(crate) together: Together,
    /// Between what and what it lies; there is none where several services are asked for.
    pub(crate) span: Option<Span>,
}

impl Part {
    pub(crate) fn at(&self) -> usize {
        self.at as usize
    }

    /// What each of them asks for, with its bit.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u16, Flowspec)> {
        let bits = (0..SIDE_BY_SIDE).map(|n| 1 << n).filter(|bit| self.rows & bit != 0);
        bits.zip(self.asked.iter().copied())
    }

    fn set(&mut self, row: u32, asked: Option<Flowspec>) {
        let bit: u16 = 1 << (row % SIDE_BY_SIDE);
        let place = (self.rows & (bit - 1)).count_ones() as usize;
        match (self.rows & bit != 0, asked) {
            (true, Some(asked)) => self.asked[place] = asked,
            (true, None) => drop(self.asked.remove(place)),
            (false, Some(asked)) => self.asked.insert(place, asked),
            (false, None) => return,
        }
        self.rows = if asked.is_some() { self.rows | bit } else { self.rows & !bit };
        self.together = self.asked.iter().copied().map(Together::Flowspec).collect();
        let is_one_service = matches!(self.together, Together::Flowspec(_));
        self.span = span(self.asked.iter().copied().filter(|_| is_one_service));
    }
}

/// What is asked for one sender on an interface.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Column {
    /// In the order of their places.
    parts: SmallVec<[Part; 1]>,
    all: Together,
}

impl Column {
    /// One asks for something else, or for nothing.
    fn set(&mut self, row: u32, asked: Option<Flowspec>) {
        let at = row / SIDE_BY_SIDE;
        let place = match self.parts.binary_search_by_key(&at, |part| part.at) {
            Ok(place) => place,
            Err(_) if asked.is_none() => return,
            Err(place) => {
                self.parts.insert(place, Part { at, ..Part::default() });
                place
            }
        };
        let part = &mut self.parts[place];
        let before = part.together;
        part.set(row, asked);
        let now = part.together;
        if part.rows == 0 {
            self.parts.remove(place);
        }
        if now != before {
            self.all = self.parts.iter().map(|part| part.together).collect();
        }
    }

    pub(super) fn octets(&self) -> usize {
        let asked = self.parts.iter().map(|part| &part.asked).filter(|asked| asked.spilled());
        let parts = if self.parts.spilled() { self.parts.capacity() * size_of::<Part>() } else { 0 };
        parts + asked.map(|asked| asked.capacity() * size_of::<Flowspec>()).sum::<usize>()
    }
}

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
            let parts = crowd.parts_on(branch.interface, number).iter();
            let parts = parts.filter(|part| !part.span.is_some_and(|span| keeps_within(&span.high)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use rsvp_wire::{Rspec, Tspec};
    use std::collections::BTreeMap;

    #[test]
    fn a_column_has_what_each_row_asks_for_and_the_merge_of_it() {
        let (mut column, mut asked) = (Column::default(), BTreeMap::new());
        let mut random = 1_u32;
        for _ in 0..5_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [row, rate, service, what] = random.to_be_bytes();
            let rate = f32::from(rate % 8);
            let tspec =
                Tspec { rate, bucket: 9.0 - rate, peak: 1e9, min_policed_unit: 64, max_packet_size: 1500 };
            let flowspec = match service % 64 {
                0 => Flowspec::Guaranteed(tspec, Rspec { rate, slack: 0 }),
                _ => Flowspec::ControlledLoad(tspec),
            };
            // Few of many, so that those who stand side by side come and go, too.
            let now = Some(flowspec).filter(|_| what % 8 == 0);
            column.set(row.into(), now);
            match now {
                Some(now) => drop(asked.insert(u32::from(row), now)),
                None => drop(asked.remove(&u32::from(row))),
            }
            let each = column.parts.iter().flat_map(|part| {
                part.each().map(|(bit, asked)| (part.at * SIDE_BY_SIDE + bit.trailing_zeros(), asked))
            });
            assert!(each.eq(asked.clone()));
            assert_eq!(column.all, asked.values().copied().map(Together::Flowspec).collect());
            assert!(column.parts.iter().all(|part| part.rows != 0));
        }
    }
}
