//! What all that ask for a sender on an interface ask for together, in a crowd: merged as requests come, and kept.
//!
//! The requests of an interface have places, and what those of [`SIDE_BY_SIDE`] places ask for is merged by itself, and all of that once more.
//! So who asks for more is merged with what there is, and where somebody asks for less, a few others are looked at again, and not all. What a
//! Resv changes for a thousand senders costs as much for each, however many others ask for them.

use super::State;
use super::arena::{Arena, Ix};
use super::crowd::Crowd;
use super::resv::{Beside, Index, Request};
use super::session::SessionState;
use crate::interface::InterfaceId;
use crate::key::{Flow, SenderKey};
use crate::merge::flowspec;
use crate::merge::span::Span;
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

/// What is asked for one sender by those that stand side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    /// Which of them ask, a bit for each.
    pub(crate) rows: u16,
    pub(crate) together: Together,
    /// Between what and what it lies, in FF; there is none where nothing is asked for, or several services are.
    pub(crate) span: Option<Span>,
}

impl Part {
    fn add(&mut self, row: u32, asked: Flowspec) {
        let one = Span::of(asked);
        self.span = match (self.rows, &self.span) {
            (0, _) => Some(one),
            (_, span) => span.as_ref().and_then(|span| span.join(&one)),
        };
        self.rows |= 1 << (row % SIDE_BY_SIDE);
        self.together.add(Together::Flowspec(asked));
    }
}

/// What is asked for one sender on an interface.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// By those that stand side by side.
    parts: SmallVec<[Part; 1]>,
    all: Together,
}

impl Column {
    fn part(&mut self, row: u32) -> &mut Part {
        let at = (row / SIDE_BY_SIDE) as usize;
        if self.parts.len() <= at {
            self.parts.resize(at + 1, Part::default());
        }
        &mut self.parts[at]
    }

    /// One of a row asks for the first time; or for more, where it is of no interest for how little.
    fn grows(&mut self, row: u32, by: Flowspec) {
        self.part(row).add(row, by);
        self.all.add(Together::Flowspec(by));
    }

    /// What is asked for side by side with a row has been found anew.
    fn set(&mut self, row: u32, to: Part) {
        let part = self.part(row);
        if *part != to {
            let is_other = part.together != to.together;
            *part = to;
            if is_other {
                self.all = self.parts.iter().map(|part| part.together).collect();
            }
        }
    }

    pub(super) fn octets(&self) -> usize {
        if self.parts.spilled() { self.parts.capacity() * size_of::<Part>() } else { 0 }
    }
}

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

    /// The requests that stand side by side with a row, with theirs.
    fn beside(&self, row: u32) -> impl Iterator<Item = (u32, Ix<Request>)> {
        let from = row - row % SIDE_BY_SIDE;
        let places = (from..).zip(&self.requests[from as usize..]).take(SIDE_BY_SIDE as usize);
        places.filter_map(|(row, request)| Some((row, (*request)?)))
    }

    pub(super) fn octets(&self) -> usize {
        let place = size_of::<Option<Ix<Request>>>();
        size_of::<Self>() + place * (self.requests.capacity() + self.free.capacity()) + self.any.octets()
    }
}

/// What a request asks for a sender; for any, where it is the same for all.
fn asked_by(request: &Request, number: Option<u32>) -> Option<Flowspec> {
    let place = match number {
        Some(number) => request.index()?.place(number)?,
        None => 0,
    };
    Some(request.items.get(place)?.flowspec)
}

impl Crowd {
    /// What next hops on an interface ask for a sender.
    pub(crate) fn asked_on(&self, interface: InterfaceId, number: u32) -> Together {
        let mut columns = self.known(number).asked.iter();
        columns.find(|(on, _)| *on == interface).map_or(Together::Nothing, |(_, column)| column.all)
    }

    /// What next hops on an interface ask for, whomever it is for; nothing in FF.
    pub(crate) fn any_on(&self, interface: InterfaceId) -> Together {
        self.rows.get(&interface).map_or(Together::Nothing, |rows| rows.any.all)
    }

    /// The same on all interfaces.
    pub(crate) fn any(&self) -> Together {
        self.rows.values().map(|rows| rows.any.all).collect()
    }

    /// The same for a sender, part by part.
    pub(crate) fn parts_on(&self, interface: InterfaceId, number: u32) -> &[Part] {
        let mut columns = self.known(number).asked.iter();
        columns.find(|(on, _)| *on == interface).map_or(&[], |(_, column)| &column.parts)
    }

    /// The requests of an interface that stand side by side, of those that are meant.
    pub(crate) fn requests_in(
        &self,
        interface: InterfaceId,
        part: usize,
        meant: u16,
    ) -> impl Iterator<Item = (u16, Ix<Request>)> {
        let rows = self.rows.get(&interface).into_iter();
        let all = rows.flat_map(move |rows| rows.beside(part as u32 * SIDE_BY_SIDE));
        all.map(|(row, ix)| (1 << (row % SIDE_BY_SIDE), ix)).filter(move |(bit, _)| meant & bit != 0)
    }

    /// Whether some requests of next hops are for the senders of a SCOPE only.
    pub(crate) fn has_scopes(&self) -> bool {
        self.rows.values().any(|rows| rows.scoped > 0)
    }

    fn column(&mut self, interface: InterfaceId, number: Option<u32>) -> Option<&mut Column> {
        let Some(number) = number else { return Some(&mut self.rows.get_mut(&interface)?.any) };
        let columns = &mut self.known_mut(number).asked;
        let known = columns.iter().position(|(on, _)| *on == interface);
        let at = known.unwrap_or_else(|| {
            columns.push((interface, Column::default()));
            columns.len() - 1
        });
        Some(&mut columns[at].1)
    }

    /// Merges anew what is asked for a sender side by side with a row.
    fn merge_anew(
        &mut self,
        requests: &Arena<Request>,
        (interface, row): (InterfaceId, u32),
        number: Option<u32>,
    ) {
        let Some(rows) = self.rows.get(&interface) else { return };
        let mut part = Part::default();
        for (row, ix) in rows.beside(row) {
            asked_by(&requests[ix], number).into_iter().for_each(|asked| part.add(row, asked));
        }
        let Some(column) = self.column(interface, number) else { return };
        column.set(row, part);
        if let Some(number) = number.filter(|_| column.all == Together::Nothing) {
            self.known_mut(number).asked.retain(|(on, _)| *on != interface);
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

    /// A request has an index, in the place of the one before: what it asks for is merged with what others do.
    pub(super) fn merge_request(&mut self, ix: Ix<Request>, before: Option<&Index>) {
        let request = &mut self.requests[ix];
        let (interface, session) = (request.interface(), request.session);
        let Some(index) = request.beside.as_deref_mut().and_then(Beside::index_mut) else { return };
        request.items.iter().for_each(|item| index.count_service(None, Some(&item.flowspec)));
        let Some(interface) = interface else { return };
        let Some(crowd) = self.sessions[session].crowd_mut() else { return };
        let rows = crowd.rows.entry(interface).or_default();
        let row = before.and_then(|before| before.row).unwrap_or_else(|| rows.join(ix));
        index.row = Some(row);
        rows.scoped += u32::from(index.scoped);
        rows.scoped -= u32::from(before.is_some_and(|before| before.row.is_some() && before.scoped));
        let request = &self.requests[ix];
        let Some(index) = request.index() else { return };
        let gone = before.map_or(&[][..], Index::numbers).iter().filter(|n| index.place(**n).is_none());
        for number in gone.chain(index.numbers()) {
            crowd.merge_anew(&self.requests, (interface, row), Some(*number));
        }
        if request.style.sharing() == Sharing::Shared {
            crowd.merge_anew(&self.requests, (interface, row), None);
        }
    }

    /// A request has no index any more: it leaves.
    pub(super) fn unmerge_request(&mut self, ix: Ix<Request>, before: &Index) {
        let request = &self.requests[ix];
        let (Some(interface), Some(row)) = (request.interface(), before.row) else { return };
        let Some(crowd) = self.sessions[request.session].crowd_mut() else { return };
        let Some(rows) = crowd.rows.get_mut(&interface) else { return };
        rows.leave(row);
        rows.scoped -= u32::from(before.scoped);
        for number in before.numbers() {
            crowd.merge_anew(&self.requests, (interface, row), Some(*number));
        }
        if request.style.sharing() == Sharing::Shared {
            crowd.merge_anew(&self.requests, (interface, row), None);
        }
        if crowd.rows.get(&interface).is_some_and(Rows::is_empty) {
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
        let interface = request.interface();
        let Some(index) = request.index_mut() else { return };
        index.count_service(before.as_ref(), Some(&now));
        let (Some(interface), Some(row)) = (interface, index.row) else { return };
        let request = &self.requests[ix];
        let Some(index) = request.index() else { return };
        let Some(crowd) = self.sessions[request.session].crowd_mut() else { return };
        let shared = request.style.sharing() == Sharing::Shared;
        let grows = before.is_none_or(|before| shared && flowspec::merge(&before, &now) == Some(now));
        let own = index.numbers().get(place).copied().map(Some);
        let any = (place == 0 && shared).then_some(None);
        for number in own.into_iter().chain(any) {
            match crowd.column(interface, number) {
                Some(column) if grows => column.grows(row, now),
                _ => crowd.merge_anew(&self.requests, (interface, row), number),
            }
        }
    }

    /// An item of a request, for this sender, is gone.
    pub(super) fn unmerge_item(&mut self, ix: Ix<Request>, number: u32, gone: &Flowspec) {
        let request = &mut self.requests[ix];
        if let Some(index) = request.index_mut() {
            index.count_service(Some(gone), None);
        }
        let request = &self.requests[ix];
        let row = request.index().and_then(|index| index.row);
        if let (Some(interface), Some(row)) = (request.interface(), row)
            && let Some(crowd) = self.sessions[request.session].crowd_mut()
        {
            crowd.merge_anew(&self.requests, (interface, row), Some(number));
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
