//! Where packets leave a node by a link: a queue for each reservation and one for everything else, and which packet goes next.
//!
//! With the priority scheduler flows of Guaranteed service come first, each packet with the time by which its flow's R promises
//! that it has left (its virtual clock: that of the packet before it or its arrival, whichever is later, and L/R), the earliest
//! first; then Controlled-Load; then best effort. A packet that leaves is not interrupted. So a flow of Guaranteed service that keeps
//! to its bucket is never later than with a link of R for itself and one more packet of the link's MTU, for C = M and
//! D = MTU / link rate (RFC 2212, "Exported Information"), as long as the sum of R is within the link's rate.
//!
//! Where the engine says that a reservation is policed, what does not conform to its TSpec is best effort from there on.

use super::Parcel;
use super::police::Policer;
use rsvp_node::{InterfaceId, Reservation, ReservationId};
use rsvp_wire::{FilterSpec, Flowspec, Session};
use std::collections::{BTreeMap, VecDeque};

/// Classes of data, in their order at a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Guaranteed service.
    Guaranteed,
    /// Controlled-Load.
    ControlledLoad,
    /// Everything else.
    BestEffort,
}

impl Class {
    /// How reports call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Guaranteed => "guaranteed",
            Self::ControlledLoad => "controlled-load",
            Self::BestEffort => "best-effort",
        }
    }
}

/// A packet that waits: since when, and its time among those of its class.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    parcel: Parcel,
    since: u64,
    key: u64,
}

#[derive(Clone, Debug)]
struct Queue {
    /// None: best effort.
    reservation: Option<(ReservationId, Reservation)>,
    class: Class,
    /// R, in octets per second.
    rate: u64,
    policer: Option<Policer>,
    waiting: VecDeque<Waiting>,
    octets: u64,
    limit: u64,
    /// The time of the last packet.
    clock: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Outlet {
    /// Best effort first.
    queues: Vec<Queue>,
    /// The packet that is leaving, its class and since when it was here.
    leaving: Option<(Parcel, Class, u64)>,
    /// Whether reservations have changed.
    pub(super) is_stale: bool,
    /// Which queue a load has; none: best effort.
    places: BTreeMap<usize, usize>,
    limit: u64,
}

impl Outlet {
    pub(super) fn new(limit: u64) -> Self {
        let best_effort = Queue {
            reservation: None,
            class: Class::BestEffort,
            rate: 0,
            policer: None,
            waiting: VecDeque::new(),
            octets: 0,
            limit,
            clock: 0,
        };
        Self { queues: vec![best_effort], leaving: None, is_stale: true, places: BTreeMap::new(), limit }
    }

    /// Takes over the reservations that there are now. What waits for one that is gone waits with everything else.
    pub(super) fn renew(
        &mut self,
        now: u64,
        reservations: impl Iterator<Item = (ReservationId, InterfaceId, Reservation)>,
    ) {
        self.is_stale = false;
        self.places.clear();
        let mut before: BTreeMap<(u32, u32), Queue> = BTreeMap::new();
        for queue in self.queues.drain(1..) {
            if let Some((id, _)) = &queue.reservation {
                before.insert((id.index, id.generation), queue);
            }
        }
        for (id, _, reservation) in reservations {
            let old = before.remove(&(id.index, id.generation));
            if let Some(queue) = Queue::of(id, reservation, old, now, self.limit) {
                self.queues.push(queue);
            }
        }
        for waiting in before.into_values().flat_map(|queue| queue.waiting) {
            self.queues[0].octets += u64::from(waiting.parcel.octets);
            self.queues[0].waiting.push_back(Waiting { key: now, ..waiting });
        }
    }

    /// Takes in a packet, if there is room; says of which class it is. `known`: how reservations know it.
    pub(super) fn take(
        &mut self,
        now: u64,
        parcel: &mut Parcel,
        known: Option<(Session, FilterSpec)>,
    ) -> (Class, bool) {
        let mut place = match known.filter(|_| !parcel.is_excess) {
            Some(known) => self.place(parcel.load, &known),
            None => 0,
        };
        if let Some(policer) = self.queues[place].policer.as_mut()
            && !policer.conforms(parcel.octets, now)
        {
            parcel.is_excess = true;
            place = 0;
        }
        let queue = &mut self.queues[place];
        if queue.octets + u64::from(parcel.octets) > queue.limit {
            return (queue.class, false);
        }
        queue.octets += u64::from(parcel.octets);
        let key = match queue.class {
            Class::Guaranteed => {
                let takes =
                    (u128::from(parcel.octets) * 1_000_000_000).div_ceil(u128::from(queue.rate.max(1)));
                queue.clock = queue.clock.max(now).saturating_add(takes as u64);
                queue.clock
            }
            _ => now,
        };
        queue.waiting.push_back(Waiting { parcel: *parcel, since: now, key });
        (queue.class, true)
    }

    fn place(&mut self, load: usize, (session, filter): &(Session, FilterSpec)) -> usize {
        let queues = &self.queues;
        *self.places.entry(load).or_insert_with(|| {
            let found = queues.iter().position(|queue| {
                queue.reservation.as_ref().is_some_and(|(_, of)| {
                    of.session.with_flags(0) == *session
                        && (of.filters.is_empty() || of.filters.contains(filter))
                })
            });
            found.unwrap_or(0)
        })
    }

    /// What waits is lost; what is leaving finds its node down.
    pub(super) fn empty(&mut self) -> Vec<Class> {
        self.is_stale = true;
        let mut lost = Vec::new();
        for queue in &mut self.queues {
            lost.extend(queue.waiting.drain(..).map(|_| queue.class));
            queue.octets = 0;
        }
        lost
    }

    pub(super) fn is_idle(&self) -> bool {
        self.leaving.is_none()
    }

    /// The next packet begins to leave; says how large it is.
    pub(super) fn start(&mut self) -> Option<u32> {
        let head = |queue: &Queue| queue.waiting.front().map(|first| (queue.class, first.key));
        let next =
            self.queues.iter().enumerate().filter_map(|(place, queue)| Some((head(queue)?, place))).min()?;
        let queue = &mut self.queues[next.1];
        let Waiting { parcel, since, .. } = queue.waiting.pop_front()?;
        queue.octets -= u64::from(parcel.octets);
        self.leaving = Some((parcel, queue.class, since));
        Some(parcel.octets)
    }

    /// The packet that was leaving has left.
    pub(super) fn finish(&mut self) -> Option<(Parcel, Class, u64)> {
        self.leaving.take()
    }

    /// The packets that are here.
    pub(super) fn parcels(&self) -> impl Iterator<Item = &Parcel> {
        let waiting = self.queues.iter().flat_map(|queue| queue.waiting.iter().map(|each| &each.parcel));
        waiting.chain(self.leaving.iter().map(|(parcel, ..)| parcel))
    }
}

impl Queue {
    /// The queue of a reservation; none for one that promises nothing. What was there before goes on.
    fn of(
        id: ReservationId,
        reservation: Reservation,
        old: Option<Self>,
        now: u64,
        limit: u64,
    ) -> Option<Self> {
        let (class, rate) = match &reservation.flowspec {
            Flowspec::Guaranteed(_, rspec) => (Class::Guaranteed, f64::from(rspec.rate).round() as u64),
            Flowspec::ControlledLoad(_) => (Class::ControlledLoad, 0),
            Flowspec::Null(_) => return None,
        };
        let tspec = *reservation.flowspec.tspec();
        let is_policed = reservation.police.entry || reservation.police.merge || reservation.police.branch;
        let mut policer = is_policed.then(|| Policer::new(&tspec, now));
        if let (Some(new), Some(Self { policer: Some(before), .. })) = (&mut policer, &old) {
            new.go_on(before);
        }
        // Bursts grow on the way, by what the error terms say: there is room for several.
        let limit = limit.max(4 * f64::from(tspec.bucket) as u64);
        let (waiting, octets, clock) =
            old.map_or((VecDeque::new(), 0, 0), |old| (old.waiting, old.octets, old.clock));
        Some(Self {
            reservation: Some((id, reservation)),
            class,
            rate,
            policer,
            waiting,
            octets,
            limit,
            clock,
        })
    }
}
