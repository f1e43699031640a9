//! Reservation requests: what RFC 2209 calls RSBs. One block holds all that one next hop, over one outgoing interface,
//! or one local application asks for in a session; its items are the elementary requests, one per filter.
//!
//! FF items have a flowspec each; SE items share one; WF is a single item without filter.

use super::arena::Ix;
use super::kept::Kept;
use super::numbers::Numbers;
use super::path::PathState;
use super::session::SessionState;
use super::timers::TimerLink;
use super::together;
use super::traffic::Reserved;
use super::wheel::Timer;
use crate::event::AppId;
use crate::interface::InterfaceId;
use crate::key::{SenderKey, StyleKind};
use crate::merge::flowspec::service_bit;
use crate::neighbour::accounts::Owner;
use crate::rate::Seldom;
use crate::time::{Instant, Since};
use core::net::IpAddr;
use rsvp_wire::{Flowspec, Message, Scope, Sharing};
use smallvec::SmallVec;
use std::sync::Arc;

/// One reservation request block.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) session: Ix<SessionState>,
    /// Next request of the session.
    pub(crate) next: Option<Ix<Self>>,
    pub(crate) from: RequestOrigin,
    pub(crate) style: StyleKind,
    /// Changed by methods of [`State`](super::State), where filters come or go.
    pub(crate) items: SmallVec<[Item; 1]>,
    pub(crate) kept: Kept,
    /// There are messages that are in place with all they asked for: a refresh equal to one of them only moves expiry
    /// times.
    pub(crate) refreshable: bool,
    /// What its owner has asked for last.
    pub(crate) asked: Asked,
    pub(crate) timer: Timer<TimerLink>,
    /// Whom it is charged to, and with how many octets.
    pub(crate) owner: Owner,
    pub(crate) charged: u32,
    pub(crate) since: Since,
    /// How often a wish for its confirmation is dealt with that comes with nothing new.
    pub(crate) wishes: Seldom,
    pub(crate) beside: Option<Box<Beside>>,
}

/// What few requests have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// The items by number of their sender, in a crowd.
    index: Option<Index>,
    /// From where it came, if that is not the next hop's address.
    source: Option<IpAddr>,
}

impl Beside {
    pub(super) fn index_mut(&mut self) -> Option<&mut Index> {
        self.index.as_mut()
    }
}

/// Octets of an elementary request in what was last sent to a previous hop: a FLOWSPEC and a FILTER_SPEC.
const ITEM_SENT: usize = 48 + 24;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestOrigin {
    /// A next hop (NHOP) over an outgoing interface (OI).
    Hop { interface: InterfaceId, address: IpAddr },
    /// A local application, receiving on `interface` or where routing says.
    App { app: AppId, interface: Option<InterfaceId>, confirm: Confirm },
}

impl RequestOrigin {
    /// The address of a next hop.
    pub(crate) fn hop(self) -> Option<IpAddr> {
        match self {
            Self::Hop { address, .. } => Some(address),
            Self::App { .. } => None,
        }
    }
}

/// What has become of a local application's wish for confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirm {
    /// There is none, or none any more: it was confirmed.
    Done,
    /// There is no sender yet.
    Waits,
    /// It was passed on, once (RFC 2205 section 2.6).
    Asked,
    /// What was to be confirmed has failed, or its sender was gone: each refresh is another try, and asks again.
    Again,
}

/// What the owner of a request has asked for last. When that is refused, what stood before is left in place; nobody asks
/// for it any more, and so it stands in nobody's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All that the items say.
    Items,
    /// This service; items of another one are left over.
    Service(u8),
    /// Another style: all of it is left over.
    OtherStyle,
}

/// An elementary request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Item {
    /// The sender; `None` for WF.
    pub(crate) filter: Option<SenderKey>,
    pub(crate) flowspec: Flowspec,
    pub(crate) expires: Instant,
}

impl Request {
    /// Octets that are charged for a request with messages of this length together: with what is installed for it, and what is sent
    /// upstream of it.
    pub(crate) const fn charge_for(length: usize, items: usize) -> u32 {
        let item = size_of::<Item>() + size_of::<Reserved>() + ITEM_SENT;
        (size_of::<Self>() + length + items * item) as u32
    }

    pub(super) fn charge(&self) -> u32 {
        Self::charge_for(self.kept.as_octets().len(), self.items.len()) + self.charge_in_crowd()
    }

    /// What is charged beside that in a crowd.
    pub(crate) fn charge_in_crowd(&self) -> u32 {
        self.index().map_or(0, |index| Index::charge_for(index.places.len(), self.items.len()))
    }

    /// What a request has beside it that came from another address than its next hop's.
    pub(crate) fn from_source(source: Option<IpAddr>) -> Option<Box<Beside>> {
        source.map(|source| Box::new(Beside { index: None, source: Some(source) }))
    }

    /// From where it came, if that is not the next hop's address.
    pub(crate) fn source(&self) -> Option<IpAddr> {
        self.beside.as_ref()?.source
    }

    /// The items by number of their sender, in a crowd.
    pub(crate) fn index(&self) -> Option<&Index> {
        self.beside.as_ref()?.index.as_ref()
    }

    pub(super) fn index_mut(&mut self) -> Option<&mut Index> {
        self.beside.as_mut()?.index.as_mut()
    }

    pub(super) fn set_index(&mut self, index: Option<Index>) -> Option<Index> {
        if index.is_none() && self.beside.is_none() {
            return None;
        }
        core::mem::replace(&mut self.beside.get_or_insert_default().index, index)
    }

    /// Octets of memory of what few have.
    pub(super) fn octets_beside(&self) -> usize {
        let size = if self.beside.is_some() { size_of::<Beside>() } else { 0 };
        size + self.index().map_or(0, Index::octets)
    }

    /// The outgoing interface; `None` for a local application.
    pub(crate) fn interface(&self) -> Option<InterfaceId> {
        match self.from {
            RequestOrigin::Hop { interface, .. } => Some(interface),
            RequestOrigin::App { .. } => None,
        }
    }

    pub(crate) fn app(&self) -> Option<AppId> {
        match self.from {
            RequestOrigin::Hop { .. } => None,
            RequestOrigin::App { app, .. } => Some(app),
        }
    }

    /// What has become of its wish for confirmation, if it is a local application's.
    pub(crate) fn set_confirm(&mut self, to: Confirm) {
        if let RequestOrigin::App { confirm, .. } = &mut self.from {
            *confirm = to;
        }
    }

    /// Whether an item is asked for, and not left over from before a change that was refused.
    pub(crate) fn asks_for(&self, item: &Item) -> bool {
        match self.asked {
            Asked::Items => true,
            Asked::Service(service) => item.flowspec.service() == service,
            Asked::OtherStyle => false,
        }
    }

    /// The services that are asked for, as a set.
    pub(crate) fn asked_services(&self) -> u32 {
        let bit = |service: u8| 1 << (u32::from(service) % u32::BITS);
        if self.style.sharing() == Sharing::Shared {
            // The first says it for all.
            let first = self.items.first().filter(|item| self.asks_for(item));
            return first.map_or(0, |item| service_bit(&item.flowspec));
        }
        match (self.index(), self.asked) {
            (_, Asked::OtherStyle) => 0,
            (Some(index), asked) => {
                let there = index.services.iter().filter(|(_, count)| *count > 0);
                let all = there.fold(0, |all, (service, _)| all | bit(*service));
                if let Asked::Service(service) = asked { all & bit(service) } else { all }
            }
            (None, _) => {
                let asked = self.items.iter().filter(|item| self.asks_for(item));
                asked.fold(0, |all, item| all | service_bit(&item.flowspec))
            }
        }
    }

    /// The item that selects the sender of a path state of its session.
    pub(crate) fn item_of(&self, path: &PathState) -> Option<&Item> {
        match self.index() {
            Some(index) if !self.style.is_wildcard() => Some(&self.items[index.place(path.number)?]),
            _ => self.items.iter().find(|item| item.filter.is_none_or(|f| f == path.sender)),
        }
    }

    /// Where the item of a filter stands, whose sender has this number in the crowd.
    pub(crate) fn place_of(&self, filter: &Option<SenderKey>, number: Option<u32>) -> Option<usize> {
        match (self.index(), filter) {
            (Some(index), Some(_)) => index.place(number?),
            _ => self.items.iter().position(|item| item.filter == *filter),
        }
    }

    /// The SCOPE of a wildcard request that came with one.
    pub(crate) fn scope(&self) -> Option<Scope<'_>> {
        if !self.style.is_wildcard() {
            return None;
        }
        self.messages().next()?.get::<Scope<'_>>()?.ok()
    }

    /// A sender of the crowd has got a number, which may have been another's before.
    pub(super) fn list_in_scope(&mut self, number: u32, sender: &SenderKey) {
        let listed = self.scope().map(|scope| scope.addresses().any(|a| a == sender.address()));
        let set = self.index_mut().and_then(|index| index.senders.as_mut());
        match set.zip(listed) {
            Some((set, true)) => set.insert(number),
            Some((set, false)) => set.remove(number),
            None => {}
        }
    }

    /// The stored Resv messages; none where a digest stands for the only one.
    pub(crate) fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        split(self.kept.as_octets()).map(Message::trusted)
    }

    /// Those whose refreshes only move expiry times.
    pub(crate) fn settled(&self) -> impl Iterator<Item = &[u8]> {
        let settled = match &self.kept {
            Kept::Octets { octets, settled_from, .. } if self.refreshable => {
                octets.get(*settled_from as usize..)
            }
            _ => None,
        };
        split(settled.unwrap_or_default())
    }

    /// The earliest of its deadlines.
    pub(crate) fn deadline(&self) -> Instant {
        self.items.iter().map(|item| item.expires).fold(Instant::NEVER, Instant::min)
    }
}

/// Where the items of a request stand, by the numbers of their senders.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Of each item. Errors that wait to leave may have them, too, as they were.
    numbers: Arc<Vec<u32>>,
    /// By number, one more than the place.
    places: Vec<u32>,
    /// All it is for; of WF those that its SCOPE lists, and `None` for all senders there are.
    pub(crate) senders: Option<Numbers>,
    /// It is that of WF with a SCOPE.
    pub(super) scoped: bool,
    /// Which of the requests of its interface it is.
    pub(super) row: Option<u32>,
    /// Services that are asked for, each with how often.
    services: SmallVec<[(u8, u32); 1]>,
}

impl Index {
    /// That of WF.
    pub(super) fn wildcard(senders: Option<Numbers>) -> Self {
        Self { scoped: senders.is_some(), senders, ..Self::default() }
    }

    /// That of explicit styles.
    pub(super) fn of(numbers: Vec<u32>) -> Self {
        let mut index = Self { senders: Some(Numbers::default()), ..Self::default() };
        numbers.into_iter().for_each(|number| index.push(number));
        index
    }

    /// Octets that are charged for one, with what is kept merged of so many items.
    pub(crate) const fn charge_for(senders: usize, items: usize) -> u32 {
        (4 * senders + items * (4 + together::CHARGE)) as u32
    }

    /// Octets of memory.
    pub(super) fn octets(&self) -> usize {
        4 * (self.numbers.capacity() + self.places.capacity())
    }

    /// An item is for another service than before, comes or goes.
    pub(super) fn count_service(&mut self, before: Option<&Flowspec>, now: Option<&Flowspec>) {
        let [before, now] = [before, now].map(|flowspec| flowspec.map(Flowspec::service));
        if before == now {
            return;
        }
        for (service, count) in &mut self.services {
            *count -= u32::from(before == Some(*service));
            *count += u32::from(now == Some(*service));
        }
        if let Some(now) = now.filter(|now| self.services.iter().all(|(service, _)| service != now)) {
            self.services.push((now, 1));
        }
    }

    pub(crate) fn numbers(&self) -> &Arc<Vec<u32>> {
        &self.numbers
    }

    pub(crate) fn place(&self, number: u32) -> Option<usize> {
        let place = *self.places.get(number as usize)?;
        (place as usize).checked_sub(1)
    }

    fn set_place(&mut self, number: u32, place: u32) {
        let number = number as usize;
        if self.places.len() <= number {
            self.places.resize(number + 1, 0);
        }
        self.places[number] = place;
    }

    pub(super) fn push(&mut self, number: u32) {
        Arc::make_mut(&mut self.numbers).push(number);
        self.set_place(number, self.numbers.len() as u32);
        self.senders.get_or_insert_default().insert(number);
    }

    /// Takes out what stands at a place, and puts the last there.
    pub(super) fn swap_remove(&mut self, place: usize) -> u32 {
        let gone = Arc::make_mut(&mut self.numbers).swap_remove(place);
        if let Some(moved) = self.numbers.get(place) {
            self.places[*moved as usize] = place as u32 + 1;
        }
        self.is_gone(gone)
    }

    fn is_gone(&mut self, gone: u32) -> u32 {
        self.set_place(gone, 0);
        self.senders.get_or_insert_default().remove(gone);
        gone
    }

    /// Takes out what stands at a place.
    pub(super) fn remove(&mut self, place: usize) -> u32 {
        let gone = Arc::make_mut(&mut self.numbers).remove(place);
        for moved in &self.numbers[place..] {
            self.places[*moved as usize] -= 1;
        }
        self.is_gone(gone)
    }
}

/// Splits octets that were put together from whole messages, each with its length in its header.
pub(super) fn split(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = octets;
    core::iter::from_fn(move || {
        let length = usize::from(u16::from_be_bytes([*rest.get(6)?, *rest.get(7)?])).max(8);
        let (message, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(message)
    })
}
