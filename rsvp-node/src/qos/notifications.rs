//! The notifications of one socket: out of the engine's events, queued until the application asks.
//!
//! They come on change only, because the engine's events do. At most 64 wait, the oldest are kept; what finds no room is
//! counted, and told of by a last one with status 11015. One that equals the one before it says nothing and is left out.
//! A confirmation comes once for each request and session. Source: the published page of QoS events; the number is ours.

use super::events::{FdQos, announced};
use super::flowspec::Flowspec;
use super::status::Status;
use crate::{Event, EventKind};
use rsvp_wire::{FilterSpec, SenderTemplate, Session, Style};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many notifications wait at most.
pub const MOST_WAITING: usize = 64;

/// What has been told of one session.
#[derive(Clone, Debug, Default)]
struct Known {
    senders: BTreeSet<SenderTemplate>,
    reservations: Vec<(Style, Vec<FilterSpec>)>,
    confirmed: bool,
}

/// What a socket has not been told yet, and what it has to know to be told.
#[derive(Clone, Debug, Default)]
pub struct Notifications {
    sessions: BTreeMap<Session, Known>,
    waiting: VecDeque<FdQos>,
    lost: u32,
}

impl Notifications {
    /// A request was made: confirmations are for this one now.
    pub fn requested(&mut self) {
        self.sessions.values_mut().for_each(|known| known.confirmed = false);
    }

    /// Whether the last request is confirmed in this session.
    #[must_use]
    pub fn is_confirmed(&self, session: &Session) -> bool {
        self.sessions.get(session).is_some_and(|known| known.confirmed)
    }

    /// Takes an event of the engine. Gives whether there is something new to tell.
    pub fn happened(&mut self, event: &Event) -> bool {
        self.translated(event).is_some_and(|notification| self.put(notification))
    }

    /// Queues a notification of other origin, under the same rules.
    pub fn put(&mut self, notification: FdQos) -> bool {
        if self.lost == 0 && self.waiting.back() == Some(&notification) {
            return false;
        }
        if self.lost > 0 || self.waiting.len() == MOST_WAITING {
            self.lost = self.lost.saturating_add(1);
            return false;
        }
        self.waiting.push_back(notification);
        true
    }

    /// The next notification. Those that were lost are told of when all that were kept have been taken.
    pub fn take(&mut self) -> Option<FdQos> {
        if let Some(next) = self.waiting.pop_front() {
            return Some(next);
        }
        let lost = std::mem::take(&mut self.lost);
        (lost > 0).then(|| FdQos { lost, ..FdQos::of(None, Status::GENERIC_ERROR) })
    }

    /// How many wait, with the one about those that were lost.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len() + usize::from(self.lost > 0)
    }

    fn translated(&mut self, event: &Event) -> Option<FdQos> {
        let session = event.session;
        let known = self.sessions.entry(session).or_default();
        let of = |status| FdQos::of(Some(session), status);
        match &event.kind {
            EventKind::Path { sender, tspec, adspec, carried } => {
                known.senders.insert(*sender);
                Some(FdQos {
                    receiving: announced(tspec, adspec.as_ref()),
                    adspec: *adspec,
                    carried: carried.clone(),
                    senders: known.senders.iter().copied().collect(),
                    ..of(Status::SENDERS)
                })
            }
            EventKind::PathGone { sender, .. } => {
                let was_there = known.senders.remove(sender);
                (was_there && known.senders.is_empty()).then(|| of(Status::NO_SENDERS))
            }
            EventKind::Resv { style, flowspec, filters, carried } => {
                known.forget(*style, filters);
                known.reservations.push((*style, filters.clone()));
                let sending = Flowspec::of_reservation(flowspec);
                let carried = carried.clone();
                Some(FdQos { sending, senders: senders(filters), carried, ..of(Status::RECEIVERS) })
            }
            EventKind::ResvGone { style, filters } => {
                let was_there = known.forget(*style, filters);
                (was_there && known.reservations.is_empty()).then(|| of(Status::NO_RECEIVERS))
            }
            EventKind::PathError { error, sender } => Some(FdQos::of_error(session, *error, vec![*sender])),
            EventKind::ResvError { error, filters, .. } => {
                Some(FdQos::of_error(session, *error, senders(filters)))
            }
            EventKind::ResvConfirm { flowspec, filters, .. } => {
                let first = !std::mem::replace(&mut known.confirmed, true);
                let receiving = flowspec.as_ref().map(Flowspec::of_reservation).unwrap_or_default();
                first.then(|| FdQos { receiving, senders: senders(filters), ..of(Status::REQUEST_CONFIRMED) })
            }
        }
    }
}

/// The senders of filters.
fn senders(filters: &[FilterSpec]) -> Vec<SenderTemplate> {
    filters.iter().copied().map(SenderTemplate).collect()
}

impl Known {
    /// Takes a reservation out; whether it was there.
    fn forget(&mut self, style: Style, filters: &[FilterSpec]) -> bool {
        let before = self.reservations.len();
        self.reservations.retain(|(of, listed)| *of != style || listed != filters);
        self.reservations.len() < before
    }
}
