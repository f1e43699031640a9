//! Flows that an earlier run of the daemon has left in the kernel: found when it starts, kept as they are, adopted by the
//! reservation that has their session, filters and interface, and removed when their time is over.
//!
//! What is in the kernel says everything: a flow's keys name session, filters and interface, its record has the TSpec and the
//! class, and the class says which service it serves. A flow that is *stale* has all of its promise until then: its share
//! of the interface is given to nobody else.

use super::super::bpf::{EgressError, Filter, Flow, FlowId, Found, Key, Session as SessionOfKey};
use super::super::desired::{self, Desired};
use super::super::manner::{Handling, Marks, Reserved};
use super::super::tc::{Class, Handle, Qdisc, Tc};
use super::super::tree::{FlowClass, LeftClass, ROOT, Service, Tree};
use super::super::{Facts, Failure};
use super::attached::Interface;
use super::{Kernel, Standing, Told, clean};
use rsvp_control::rows::FlowRow;
use rsvp_node::{Held, InterfaceId, ReservationId};
use rsvp_wire::{FilterSpec, Session, Style};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

/// A flow that nobody has asked for since the start.
pub(super) struct Stale {
    pub(super) interface: u32,
    /// As a reservation would want it.
    pub(super) as_is: Desired,
    /// The number of its own class in the tree.
    pub(super) class: Option<u32>,
    /// When it goes.
    pub(super) until: Duration,
}

/// Keys that a flow had before the restart and that its reservation has not asked for again yet, because its senders come back
/// one after the other.
#[derive(Default)]
pub(super) struct Leftover {
    pub(super) keys: Vec<Key>,
    pub(super) until: Duration,
}

/// What there is on an interface.
struct Listing {
    qdiscs: Vec<Qdisc>,
    classes: Vec<Class>,
}

impl Kernel {
    /// Takes over what an earlier run has left, interface by interface. What cannot be gone on with is removed.
    pub(super) fn resume(&mut self, now: Duration) {
        let mut left: BTreeMap<u32, Vec<Found>> = BTreeMap::new();
        let mut strays = Vec::new();
        for found in self.egress.found().unwrap_or_default() {
            let on: BTreeSet<u32> = found.keys.iter().map(|key| key.interface).collect();
            match (on.first(), on.len()) {
                (Some(on), 1) => left.entry(*on).or_default().push(found),
                _ => strays.push(found.id),
            }
        }
        for (index, facts) in self.around.interfaces.clone() {
            let found = left.remove(&index).unwrap_or_default();
            let ids: Vec<FlowId> = found.iter().map(|found| found.id).collect();
            let resumed = self.resume_interface(index, &facts, found, now);
            if let Err(why) = resumed {
                tracing::warn!("what an earlier run has left on {} is removed: {why}", facts.name);
                strays.extend(ids);
                self.interfaces.remove(&index);
                let _ = self.egress.detach(index);
            }
        }
        strays.extend(left.into_values().flatten().map(|found| found.id));
        for id in strays.into_iter().filter(|id| !self.stale.contains_key(id)) {
            if let Err(error) = self.egress.remove_flow(id) {
                tracing::debug!(%error, "a flow of an earlier run");
            }
        }
        if let Err(error) = self.egress.end_resuming() {
            tracing::warn!("{error}");
        }
        let kept: BTreeSet<u32> = self.interfaces.keys().copied().collect();
        match clean::clean_but(&kept, None) {
            Ok(found) => found
                .iter()
                .for_each(|what| tracing::info!("{what} was left by an earlier run and is removed")),
            Err(error) => tracing::warn!("what an earlier run has left is not removed: {error}"),
        }
        let flows = self.stale.len();
        if flows > 0 {
            tracing::info!(
                flows,
                "flows of an earlier run are kept until they are asked for again, or their time is over"
            );
        }
    }

    fn resume_interface(
        &mut self,
        index: u32,
        facts: &Facts,
        found: Vec<Found>,
        now: Duration,
    ) -> Result<(), String> {
        let Some((resumed, hook)) = self.egress.resume(&facts.name).map_err(|error| error.to_string())?
        else {
            return if found.is_empty() { Ok(()) } else { Err("its program is gone".to_owned()) };
        };
        if resumed != index || (found.is_empty() && !self.egress.has_policies(index)) {
            // Without flows it is begun anew when there is one.
            let _ = self.egress.detach(resumed);
            return Ok(());
        }
        let link_header = self.egress.link_header(index).map_err(|error| error.to_string())?;
        let mut here = Interface::new(index, &facts.name, hook, link_header);
        let listing = self.listing(index).map_err(|error| error.to_string())?;
        let has_tree =
            listing.qdiscs.iter().any(|q| (q.parent, q.handle) == (Handle::ROOT, ROOT) && q.kind == "htb");
        let mut stale = BTreeMap::new();
        let mut left = Vec::new();
        for Found { id, flow, keys } in found {
            let own = flow.conforming.class.map(Handle).filter(|class| Tree::is_own(*class));
            let class = own.map(|own| listing.class(own, &flow)).transpose()?;
            let number = class.map(|class| {
                self.next_class = self.next_class.wrapping_add(1);
                left.push(LeftClass { flow: self.next_class, handle: own.unwrap_or_default(), class });
                self.next_class
            });
            let as_is = as_it_is(flow, keys, class, facts.overhead, has_tree);
            stale.insert(id, Stale { interface: index, as_is, class: number, until: now + facts.keep });
        }
        let shared = desired::shared_by(stale.values().map(|stale| &stale.as_is));
        if has_tree {
            if !listing.is_whole() {
                return Err("its classes are not all there".to_owned());
            }
            let unowned = listing.unowned(&left);
            let mut gone = Vec::new();
            for (handle, class) in unowned {
                self.next_class = self.next_class.wrapping_add(1);
                left.push(LeftClass { flow: self.next_class, handle, class });
                gone.push(self.next_class);
            }
            here.resume(&mut self.tc, facts, shared, &left).map_err(|why| why.to_string())?;
            gone.into_iter().for_each(|number| here.drain(number, now));
        }
        tracing::info!(interface = facts.name, %hook, flows = stale.len(), "an earlier run's flows are taken over");
        self.interfaces.insert(index, here);
        stale.values().for_each(|stale| self.totals.come(index, &stale.as_is));
        self.stale.extend(stale);
        Ok(())
    }

    fn listing(&mut self, index: u32) -> io::Result<Listing> {
        Ok(Listing { qdiscs: self.tc.qdiscs(index)?, classes: self.tc.classes(index)? })
    }

    /// The reservation's flow, if an earlier run has left one with its session and one of its filters on its interface: from now
    /// on it is the reservation's. Its class, its counts, and what is in its buckets stay.
    pub(super) fn adopt(
        &mut self,
        on: u32,
        told: &Told,
        desired: &Desired,
    ) -> Result<Option<Standing>, Failure> {
        if self.stale.is_empty() {
            return Ok(None);
        }
        for key in &desired.keys {
            let Some(flow) = self.egress.flow_of(key)? else { continue };
            let Some(stale) = self.stale.remove(&flow) else { continue };
            let has = self.egress.keys_of(flow)?.to_vec();
            let (keys, rest) = has.into_iter().partition(|key| desired.keys.contains(key));
            return Ok(Some(Standing {
                interface: on,
                told: told.clone(),
                filters: BTreeSet::new(),
                sockets: BTreeSet::new(),
                desired: Desired { keys, ..stale.as_is },
                flow,
                class: stale.class,
                leftover: Leftover { keys: rest, until: stale.until },
            }));
        }
        Ok(None)
    }

    /// Whether what is wanted promises packets nothing, and an earlier run has promised them something: that stands until its
    /// reservation is there again, or its time is over, and no packet goes without it meanwhile.
    pub(super) fn has_to_wait(
        &mut self,
        id: ReservationId,
        on: u32,
        told: &Told,
        desired: &Desired,
    ) -> Result<bool, Failure> {
        if self.stale.is_empty() || desired.service != Reserved::BestEffort {
            return Ok(false);
        }
        for key in desired.keys.iter().flat_map(no_more_specific) {
            let found = self.egress.flow_of(&key)?.and_then(|flow| self.stale.get(&flow));
            if found.is_some_and(|stale| stale.as_is.service != Reserved::BestEffort) {
                self.waiting.insert(id, (on, told.clone()));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// When the next flow or key that nobody has asked for is to go.
    pub(super) fn stale_due(&self) -> Option<Duration> {
        let leftover = |standing: &Standing| {
            Some(standing.leftover.until).filter(|_| !standing.leftover.keys.is_empty())
        };
        let flows = self.stale.values().map(|stale| stale.until);
        flows.chain(self.standing.values().filter_map(leftover)).min()
    }

    /// Removes flows and keys whose time is over, and flows that have lost their last key to others.
    pub(super) fn expire(&mut self, now: Duration) {
        let mut touched = BTreeSet::new();
        let is_over = |id: &FlowId, stale: &Stale| {
            stale.until <= now || self.egress.keys_of(*id).is_ok_and(|keys| keys.is_empty())
        };
        let over: Vec<FlowId> =
            self.stale.iter().filter(|(id, stale)| is_over(id, stale)).map(|(id, _)| *id).collect();
        for id in over {
            touched.extend(self.forget_stale(id, Some(now)));
        }
        if !touched.is_empty() {
            for (id, (on, told)) in std::mem::take(&mut self.waiting) {
                if let Err(failure) = self.install(id, on, told, now) {
                    tracing::warn!("a flow that has waited is not there: {failure}");
                    self.withdraw(id, None);
                }
            }
        }
        for standing in self.standing.values_mut().filter(|standing| standing.leftover.until <= now) {
            for key in std::mem::take(&mut standing.leftover.keys) {
                // Another flow may have it by now.
                let _ = self.egress.remove_key_of(&key, standing.flow);
            }
        }
        for on in touched {
            if let Err(failure) = self.share(on) {
                tracing::warn!("{failure}");
            }
        }
    }

    /// Takes a flow of an earlier run away; gives the interface that it was on.
    pub(super) fn forget_stale(&mut self, id: FlowId, now: Option<Duration>) -> Option<u32> {
        let gone = self.stale.remove(&id)?;
        self.totals.go(gone.interface, &gone.as_is);
        tracing::info!(flow = id.number(), "a flow of an earlier run that nobody has asked for is removed");
        if let Err(error) = self.egress.remove_flow(id) {
            tracing::warn!(%error, "a flow is left in the egress program");
        }
        if let (Some(number), Some(here)) = (gone.class, self.interfaces.get_mut(&gone.interface)) {
            match now {
                Some(now) => here.drain(number, now),
                None => here.remove_class(&mut self.tc, number),
            }
        }
        Some(gone.interface)
    }

    /// What each session still has of an interface, as admission charges it.
    pub(super) fn held_from_before(&self) -> Vec<Held> {
        let mut held: Vec<Held> = Vec::new();
        let mut places = BTreeMap::new();
        for (id, stale) in &self.stale {
            let bps = stale.as_is.on_link.0.saturating_mul(8);
            let guaranteed = stale.as_is.service == Reserved::Guaranteed;
            let Some(key) = self.egress.keys_of(*id).ok().and_then(|keys| keys.first()) else { continue };
            if bps == 0 {
                continue;
            }
            let at = *places.entry((stale.interface, key.session, guaranteed)).or_insert_with(|| {
                // As packets show it: where it had a virtual port, whichever has the same packets may take it.
                let SessionOfKey { destination, protocol, port } = key.session;
                let session = Session::new(destination, protocol, port);
                let interface = InterfaceId(stale.interface);
                held.push(Held { interface, session, guaranteed, bps: 0 });
                held.len() - 1
            });
            held[at].bps = held[at].bps.saturating_add(bps);
        }
        held
    }

    /// A flow of an earlier run as it is listed.
    pub(super) fn stale_row(
        &self,
        id: FlowId,
        stale: &Stale,
        classes: &[Class],
    ) -> Result<FlowRow, EgressError> {
        let keys = self.egress.keys_of(id)?;
        let row = self.counted(id, stale.interface, &stale.as_is, stale.class, classes)?;
        let Some(first) = keys.first() else { return Ok(row) };
        let style = match (first.filter, keys.len()) {
            (Filter::Any, _) => Style::WF,
            (_, 1) => Style::FF,
            _ => Style::SE,
        };
        Ok(FlowRow {
            id: format!("stale.{}", id.number()),
            state: "stale".to_owned(),
            session: session_of(first),
            style: style.into(),
            filters: keys.iter().filter_map(filter_of).collect(),
            ..row
        })
    }
}

impl Interface {
    /// Goes on with the tree that is there.
    fn resume(
        &mut self,
        tc: &mut Tc,
        facts: &Facts,
        controlled_load: (u64, u32),
        left: &[LeftClass],
    ) -> Result<(), Failure> {
        if facts.rate == 0 {
            return Err(Failure::System("its speed is unknown".to_owned()));
        }
        let (tree, batch) = Tree::resumed(self.index, self.link(facts), controlled_load, left);
        self.tree = Some(tree);
        self.carry_out(tc, &batch)
    }
}

impl Listing {
    fn is_whole(&self) -> bool {
        let classes = self.classes.iter().map(|class| class.handle).collect();
        Tree::is_whole(&classes, &self.qdiscs.iter().map(|qdisc| qdisc.handle).collect())
    }

    /// The class of a flow.
    fn class(&self, own: Handle, flow: &Flow) -> Result<FlowClass, String> {
        let listed = self.classes.iter().find(|class| class.handle == own).and_then(|class| class.htb);
        let htb = listed.ok_or_else(|| format!("class {own} of a flow is gone"))?;
        let queue = Tree::queue_of(own);
        let waiting = self.qdiscs.iter().find(|qdisc| qdisc.handle == queue).and_then(Qdisc::limit);
        let class = desired::class_found(&flow.limits, htb.rate, htb.min_policed);
        let promised = htb.rate == htb.ceil;
        let class =
            if promised { class } else { desired::class_found(&flow.limits, htb.ceil, htb.min_policed) };
        Ok(FlowClass { guaranteed: htb.priority == 1, promised, queue: waiting, ..class })
    }

    /// Classes of flows that are none of these: they were draining, or had no flow yet.
    fn unowned(&self, left: &[LeftClass]) -> Vec<(Handle, FlowClass)> {
        let owned: BTreeSet<Handle> = left.iter().map(|left| left.handle).collect();
        let theirs = self.classes.iter().filter(|c| Tree::is_own(c.handle) && !owned.contains(&c.handle));
        let class = |class: &Class| {
            let htb = class.htb?;
            let (rate, bucket) = (htb.rate, htb.cburst);
            let own = FlowClass {
                guaranteed: false,
                promised: true,
                rate,
                peak: None,
                bucket,
                max_packet: 0,
                min_policed: 0,
                overhead: htb.overhead,
                queue: None,
                weight: None,
            };
            Some((class.handle, own))
        };
        theirs.filter_map(class).collect()
    }
}

/// What a flow that was found would be asked for as.
fn as_it_is(flow: Flow, keys: Vec<Key>, class: Option<FlowClass>, overhead: u32, has_tree: bool) -> Desired {
    let shared = flow.conforming.class.map(Handle);
    let service = match class {
        Some(own) if !own.promised => Reserved::BestEffort,
        Some(own) if own.guaranteed => Reserved::Guaranteed,
        Some(_) => Reserved::ControlledLoad,
        None if has_tree && shared == Some(Service::ControlledLoad.class()) => Reserved::ControlledLoad,
        None => Reserved::Qualitative,
    };
    let marks = |of: super::super::bpf::Treatment| Marks { dscp: of.dscp, pcp: of.pcp };
    let handling =
        Handling { mode: flow.mode, conforming: marks(flow.conforming), excess: marks(flow.excess) };
    let rate = match (service, class) {
        // Nothing is held for what was not promised.
        (Reserved::Qualitative | Reserved::BestEffort, _) => 0,
        (Reserved::Guaranteed, Some(own)) => desired::rate_found(&flow.limits, &own),
        _ => flow.limits.rate,
    };
    let mut as_is = Desired { service, keys, limits: flow.limits, handling, rate, on_link: (0, 0), class };
    as_is.count_headers(overhead);
    as_is
}

/// The session of a key.
fn session_of(key: &Key) -> Session {
    let SessionOfKey { destination, protocol, port } = key.session;
    // Which virtual port it had, the kernel does not know.
    match key.filter {
        Filter::Spi(..) => Session::gpi(destination, protocol, port),
        _ => Session::new(destination, protocol, port),
    }
}

/// The filter of a key; nothing for a wildcard.
fn filter_of(key: &Key) -> Option<FilterSpec> {
    match key.filter {
        Filter::Sender(address, port) => Some(FilterSpec::new(address, port)),
        Filter::FlowLabel(address, label) => Some(FilterSpec::Ipv6FlowLabel { address, reserved: 0, label }),
        Filter::Spi(address, spi) => Some(FilterSpec::gpi(address, spi)),
        Filter::Any => None,
    }
}

/// The keys by which packets of a key may be another's as well: itself, and those that look at less of where they come from.
fn no_more_specific(key: &Key) -> impl Iterator<Item = Key> + use<> {
    let key = *key;
    let any_port = match key.filter {
        Filter::Sender(address, _) => Some(Filter::Sender(address, 0)),
        _ => None,
    };
    [Some(key.filter), any_port, Some(Filter::Any)]
        .into_iter()
        .flatten()
        .map(move |filter| Key { filter, ..key })
}
