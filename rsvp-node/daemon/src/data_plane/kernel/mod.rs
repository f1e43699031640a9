//! The data plane in the kernel: the egress program on each interface with a reservation, and classes where one needs them.
//!
//! What stands is told apart from what is wanted by `desired`; this module carries the difference out, in an order in which no
//! packet is without a flow or a class that is there: a class before the flow that names it, a flow before its keys, and the
//! other way round when they go. What cannot be carried out whole is taken back, and answered with why.

mod attached;
mod by_hand;
mod clean;
mod contested;
mod cut;
mod policies;
mod refused;
mod root;
mod rows;
mod stale;
mod totals;

pub use clean::clean;
pub use policies::Cgroup;
pub use refused::Unusable;

use super::bpf::{
    Attach, Capacity, Egress, EgressError, FlowId, Key, Pattern, Pins, SocketMarks, SocketPeer,
};
use super::desired::Desired;
use super::policies::WantedPolicies;
use super::tc::Tc;
use super::wishes::{self, OfSenders, Wishes};
use super::{Answer, DataPlane, Facts, Failure, State, Surroundings};
use attached::Interface;
use by_hand::Told;
use policies::Policies;
use refused::{LOOK_AGAIN, Refusal, Refused};
use rsvp_control::rows::FlowRow;
use rsvp_node::{Held, ReservationId, TcChange, TrafficControl};
use rsvp_wire::{FilterSpec, Session};
use stale::{Leftover, Stale};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use totals::Totals;

/// The data plane in the kernel.
pub struct Kernel {
    egress: Egress,
    tc: Tc,
    attach: Attach,
    around: Surroundings,
    interfaces: BTreeMap<u32, Interface>,
    standing: BTreeMap<ReservationId, Standing>,
    /// What applications ask for their packets.
    wishes: OfSenders,
    /// Keys that a reservation has while another wants them, too.
    contested: BTreeSet<Key>,
    /// What an earlier run has left and nobody has asked for again.
    stale: BTreeMap<FlowId, Stale>,
    /// What promises its packets nothing, while what an earlier run has promised them stands.
    waiting: BTreeMap<ReservationId, (u32, Told)>,
    /// What Controlled-Load flows have together.
    totals: Totals,
    /// That it has not been looked for yet: the interfaces have to be known before.
    is_resuming: bool,
    /// Numbers of classes in trees, never given again.
    next_class: u32,
    /// Why an interface could not be used when it was tried last.
    refused: BTreeMap<u32, Refused>,
    /// When interfaces that cannot have classes were looked at last.
    looked_at: Duration,
    policies: Policies,
}

/// A reservation in the kernel.
struct Standing {
    interface: u32,
    told: Told,
    /// What packets are told by, beside its keys.
    filters: BTreeSet<Pattern>,
    /// Sockets whose packets are of it.
    sockets: BTreeSet<SocketPeer>,
    desired: Desired,
    flow: FlowId,
    class: Option<u32>,
    /// Of a flow that was adopted.
    leftover: Leftover,
}

impl Kernel {
    /// Loads the egress program. With pins what stands outlives the process, and what an earlier run has left is gone on with
    /// once the interfaces are known; else it is taken away. Needs `CAP_BPF`, `CAP_PERFMON` and `CAP_NET_ADMIN`; afterwards
    /// `CAP_NET_ADMIN` is enough (before Linux 5.19 with `CAP_BPF`).
    ///
    /// # Errors
    /// When the kernel cannot, or may not.
    pub fn open(attach: Attach, capacity: Capacity, pins: Option<Pins>) -> Result<Self, Unusable> {
        let egress = match pins {
            None => Egress::load(capacity)?,
            Some(pins) => Egress::load_pinned(capacity, pins)?,
        };
        let is_resuming = egress.is_resumed();
        if !is_resuming {
            for found in clean::clean_but(&BTreeSet::new(), None)? {
                tracing::info!("{found} was left by an earlier run and is removed");
            }
        }
        Ok(Self {
            egress,
            tc: Tc::open()?,
            attach,
            around: Surroundings::default(),
            interfaces: BTreeMap::new(),
            standing: BTreeMap::new(),
            wishes: OfSenders::new(),
            contested: BTreeSet::new(),
            stale: BTreeMap::new(),
            waiting: BTreeMap::new(),
            totals: Totals::default(),
            is_resuming,
            next_class: 0,
            refused: BTreeMap::new(),
            looked_at: Duration::ZERO,
            policies: Policies::default(),
        })
    }

    /// Has a reservation stand, or follow what has changed about it.
    fn install(&mut self, id: ReservationId, on: u32, told: Told, now: Duration) -> Result<(), Failure> {
        let facts = self.around.interfaces.get(&on).cloned();
        let facts = facts.ok_or_else(|| Failure::System(format!("interface {on} is not there")))?;
        let Some(desired) = told.desired(on, &facts, &self.around.own, &self.wishes)? else {
            self.withdraw(id, Some(now));
            return Ok(());
        };
        if self.has_to_wait(id, on, &told, &desired)? {
            return Ok(());
        }
        self.attach(on, &facts).map_err(|failure| self.refuse(on, Refusal::Program, failure))?;
        if desired.needs_classes() {
            self.plant(on, &facts).map_err(|failure| self.refuse(on, Refusal::Classes, failure))?;
        }
        if self.standing.get(&id).is_none_or(|standing| standing.interface != on) {
            self.withdraw(id, None);
            let found = match self.adopt(on, &told, &desired)? {
                Some(adopted) => adopted,
                None => self.add(on, told, &desired)?,
            };
            self.standing.insert(id, found);
        } else if let Some(standing) = self.standing.get_mut(&id) {
            standing.told = told;
        }
        self.change(id, desired, now)
    }

    /// A flow that has nothing yet of what is desired.
    fn add(&mut self, interface: u32, told: Told, desired: &Desired) -> Result<Standing, Failure> {
        let desired = Desired { keys: Vec::new(), class: None, ..desired.clone() };
        let flow = self.egress.add_flow(&desired.flow(false, None))?;
        self.totals.come(interface, &desired);
        let (filters, sockets, leftover) = (BTreeSet::new(), BTreeSet::new(), Leftover::default());
        Ok(Standing { interface, told, filters, sockets, desired, flow, class: None, leftover })
    }

    /// Carries out what is different between what stands and what is desired.
    fn change(&mut self, id: ReservationId, desired: Desired, now: Duration) -> Result<(), Failure> {
        let Self { egress, tc, interfaces, standing, totals, next_class, contested, .. } = self;
        let Some(standing) = standing.get_mut(&id) else { return Ok(()) };
        let Some(here) = interfaces.get_mut(&standing.interface) else { return Ok(()) };
        let mut drained = None;
        let own = match (desired.class, standing.class) {
            (Some(class), had) => {
                let number = had.unwrap_or_else(|| {
                    *next_class = next_class.wrapping_add(1);
                    *next_class
                });
                let handle = here.set_class((tc, egress), number, class)?;
                standing.class = Some(number);
                here.cuts.come(number, standing, now);
                Some(handle)
            }
            (None, had) => {
                drained = had;
                standing.class = None;
                None
            }
        };
        egress.change_flow(standing.flow, &desired.flow(here.tree.is_some(), own))?;
        let difference = standing.desired.difference(&desired);
        totals.go(standing.interface, &standing.desired);
        totals.come(standing.interface, &desired);
        standing.desired = desired;
        for key in &difference.added {
            if egress.set_key(key, standing.flow)?.is_some() {
                contested.insert(*key);
            }
            standing.leftover.keys.retain(|left| left != key);
        }
        for key in &difference.removed {
            // Another flow may have it by now.
            match egress.remove_key_of(key, standing.flow) {
                Ok(()) | Err(EgressError::NoKey) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(number) = drained {
            here.drain(number, now);
        }
        self.hand_on(&difference.removed);
        Ok(())
    }

    /// Takes a reservation away; its class drains from now on, or goes at once where no time is given.
    fn withdraw(&mut self, id: ReservationId, now: Option<Duration>) {
        self.waiting.remove(&id);
        let Some(gone) = self.standing.remove(&id) else { return };
        self.totals.go(gone.interface, &gone.desired);
        self.forget_filters(&gone);
        if let Err(error) = self.egress.remove_flow(gone.flow) {
            tracing::warn!(%error, "a flow is left in the egress program");
        }
        self.hand_on(&gone.desired.keys);
        let (Some(number), Some(here)) = (gone.class, self.interfaces.get_mut(&gone.interface)) else {
            return;
        };
        match now {
            Some(now) => here.drain(number, now),
            None => here.remove_class(&mut self.tc, number),
        }
    }

    /// Has the egress program on an interface.
    fn attach(&mut self, on: u32, facts: &Facts) -> Result<(), Failure> {
        if self.interfaces.contains_key(&on) {
            return Ok(());
        }
        let name = &facts.name;
        let (index, hook) = self.egress.attach(name, self.attach)?;
        if index != on {
            // It was given another number, and this one's end has not been noticed yet.
            let _ = self.egress.detach(index);
            return Err(Failure::System(format!("interface {name} is another one now")));
        }
        tracing::info!(interface = name, %hook, "the egress program is attached");
        self.interfaces.insert(on, Interface::new(on, name, hook, self.egress.link_header(on)?));
        attached::treat_the_rest(&mut self.egress, on, &facts.manner, false)
    }

    /// Has classes on an interface; flows that are there already get theirs.
    fn plant(&mut self, on: u32, facts: &Facts) -> Result<(), Failure> {
        let Some(here) = self.interfaces.get_mut(&on) else { return Ok(()) };
        if !here.plant(&mut self.tc, facts)? {
            return Ok(());
        }
        tracing::info!(interface = here.name, rate_bps = facts.rate * 8, "classes are made");
        attached::treat_the_rest(&mut self.egress, on, &facts.manner, true)?;
        for standing in self.standing.values().filter(|standing| standing.interface == on) {
            self.egress.change_flow(standing.flow, &standing.desired.flow(true, None))?;
        }
        for (flow, stale) in self.stale.iter().filter(|(_, stale)| stale.interface == on) {
            self.egress.change_flow(*flow, &stale.as_is.flow(true, None))?;
        }
        Ok(())
    }

    /// An interface is gone, and with it what was on it.
    fn forget(&mut self, gone: u32) {
        let there = self.standing.iter().filter(|(_, standing)| standing.interface == gone);
        for id in there.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.withdraw(id, None);
        }
        let stale = self.stale.iter().filter(|(_, stale)| stale.interface == gone);
        for id in stale.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.forget_stale(id, None);
        }
        self.waiting.retain(|_, (on, _)| *on != gone);
        self.forget_policies_on(gone);
        self.interfaces.remove(&gone);
        self.refused.remove(&gone);
        if let Err(error) = self.egress.detach(gone) {
            tracing::debug!(%error, "an interface that is gone");
        }
    }

    /// What stands on an interface follows what is known of it now.
    fn follow(&mut self, on: u32, facts: &Facts, now: Duration) -> Vec<Answer> {
        let Some(here) = self.interfaces.get_mut(&on) else { return Vec::new() };
        here.name.clone_from(&facts.name);
        let has_classes = here.tree.is_some();
        let followed = here
            .follow(&mut self.tc, facts)
            .and_then(|()| attached::treat_the_rest(&mut self.egress, on, &facts.manner, has_classes));
        for stale in self.stale.values_mut().filter(|stale| stale.interface == on) {
            self.totals.go(on, &stale.as_is);
            stale.as_is.count_headers(facts.overhead);
            self.totals.come(on, &stale.as_is);
        }
        let there = self.standing.iter().filter(|(_, standing)| standing.interface == on);
        let there: Vec<_> = there.map(|(id, standing)| (*id, standing.told.clone())).collect();
        let mut answers = Vec::new();
        for (reservation, told) in there {
            let done = followed.clone().and_then(|()| self.install(reservation, on, told, now));
            answers.extend(done.err().map(|failure| Answer {
                reservation,
                interface: on,
                failure: Some(failure),
            }));
        }
        if let Err(failure) = self.share(on) {
            tracing::warn!("{failure}");
        }
        answers
    }
}

impl DataPlane for Kernel {
    fn look(&mut self, surroundings: Surroundings, now: Duration) -> Vec<Answer> {
        let before = std::mem::replace(&mut self.around, surroundings);
        if std::mem::take(&mut self.is_resuming) {
            self.resume(now);
        }
        let gone: Vec<u32> = self
            .interfaces
            .keys()
            .filter(|index| !self.around.interfaces.contains_key(index))
            .copied()
            .collect();
        gone.into_iter().for_each(|index| self.forget(index));
        let mut answers = Vec::new();
        self.refused.retain(|index, _| self.around.interfaces.contains_key(index));
        for (index, facts) in self.around.interfaces.clone() {
            if before.interfaces.get(&index) != Some(&facts) {
                // It may be another interface by that number, or have what it lacked.
                self.refused.remove(&index);
                answers.extend(self.follow(index, &facts, now));
            }
            self.probe(index);
        }
        self.looked_at = now;
        self.look_at_policies(now);
        answers
    }

    fn policies(&mut self, wanted: Arc<WantedPolicies>, now: Duration) -> Vec<String> {
        self.follow_policies(wanted, now)
    }

    fn unhooked(&self) -> Option<String> {
        self.policies.unhooked.clone()
    }

    fn wish(&mut self, wishes: Vec<((Session, FilterSpec), Option<Wishes>)>) {
        wishes::follow(&mut self.wishes, wishes);
    }

    fn apply(&mut self, mut changes: Vec<TrafficControl>, now: Duration) -> Vec<Answer> {
        // What goes makes room, and gives up keys that may be another's now.
        changes.sort_by_key(|change| matches!(change.change, TcChange::Install(_)));
        let mut answers = Vec::new();
        let mut touched = BTreeSet::new();
        for TrafficControl { reservation, interface, change } in changes {
            touched.insert(interface.0);
            match change {
                TcChange::Remove => self.withdraw(reservation, Some(now)),
                TcChange::Install(told) => {
                    let is_new = !self.standing.contains_key(&reservation);
                    let done = self.install(reservation, interface.0, Told::Signalled(told), now);
                    match &done {
                        Ok(()) => self.works(interface.0),
                        Err(failure) => {
                            self.refuse(interface.0, Refusal::Reservation, failure.clone());
                            if is_new {
                                self.withdraw(reservation, None);
                            }
                        }
                    }
                    answers.push(Answer { reservation, interface: interface.0, failure: done.err() });
                }
            }
        }
        for on in touched {
            let Err(failure) = self.share(on) else { continue };
            by_hand::fail_all(&mut answers, on, &failure);
        }
        self.tick(now);
        answers
    }

    fn by_hand(&mut self, changes: by_hand::Changes, now: Duration) -> Vec<Answer> {
        self.change_by_hand(changes, now)
    }

    fn flows_by_hand(&mut self) -> Result<BTreeMap<ReservationId, FlowRow>, String> {
        self.rows_by_hand()
    }

    fn socket_marks(&self) -> SocketMarks {
        self.egress.socket_marks()
    }

    fn flows(&mut self) -> Result<Vec<FlowRow>, String> {
        self.rows()
    }

    fn held(&self) -> Vec<Held> {
        self.held_from_before()
    }

    fn states(&self) -> BTreeMap<u32, State> {
        let refused = self.refused.iter().map(|(index, Refused { what, why })| {
            let enforces = *what == Refusal::Reservation;
            (*index, State { enforces, words: format!("refused: {why}") })
        });
        let standing = self.interfaces.iter();
        let standing = standing.map(|(index, here)| (*index, State { enforces: true, words: here.state() }));
        standing.chain(refused).collect()
    }

    fn due(&self) -> Option<Duration> {
        let draining = self.interfaces.values().filter_map(Interface::due);
        let again = self.without_classes().next().map(|_| self.looked_at + LOOK_AGAIN);
        let cuts = self.interfaces.values().filter_map(|here| here.cuts.due());
        draining.chain(self.stale_due()).chain(again).chain(cuts).min()
    }

    fn tick(&mut self, now: Duration) {
        self.expire(now);
        if now >= self.looked_at + LOOK_AGAIN {
            self.looked_at = now;
            self.without_classes().collect::<Vec<_>>().into_iter().for_each(|on| self.probe(on));
        }
        for here in self.interfaces.values_mut() {
            here.drained(&mut self.tc, now);
        }
        self.follow_cuts(now);
    }

    fn end(&mut self) {
        self.egress.unhook_policies();
        self.policies = Policies::default();
        self.standing.clear();
        self.stale.clear();
        self.totals = Totals::default();
        for (index, mut here) in std::mem::take(&mut self.interfaces) {
            here.uproot(&mut self.tc);
            if let Err(error) = self.egress.detach(index) {
                tracing::warn!(interface = here.name, %error, "the egress program is left behind");
            }
        }
    }

    fn leave(&mut self) {
        self.end_by_hand();
        if !self.egress.leave() {
            tracing::warn!(
                "without pins nothing can be left to the next run: the kernel's traffic control is cleared"
            );
            return self.end();
        }
        // What is in the kernel stays; what is known of it here goes.
        self.standing.clear();
        self.stale.clear();
        self.totals = Totals::default();
        self.interfaces.clear();
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.end();
    }
}
