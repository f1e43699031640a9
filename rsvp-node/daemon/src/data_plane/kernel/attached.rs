//! One interface: the classes that it has, how they come to be there, drain and go.

use super::super::manner::Manner;
use super::super::tc::{Batch, Class, Handle, Qdisc, Tc};
use super::super::tree::{FlowClass, Link, ROOT, Tree};
use super::super::{Facts, Failure};
use super::cut::Cuts;
use super::root::{self, Root};
use crate::data_plane::bpf::{Egress, Hook};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// A class on its way out waits for what is in it no longer than this.
const LONGEST_DRAIN: Duration = Duration::from_secs(5);
/// And is looked at again no sooner than this.
const SHORTEST_LOOK: Duration = Duration::from_millis(5);

/// An interface with the egress program, and perhaps with classes.
pub(super) struct Interface {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) hook: Hook,
    pub(super) tree: Option<Tree>,
    /// Whether packets find their class where that is in a shard.
    finds_shards: bool,
    /// Octets of a frame before IP, as classes count them unless they are told otherwise.
    pub(super) link_header: u32,
    /// Classes that are to have a rate of IP packets.
    pub(super) cuts: Cuts,
    /// What was at the root before, and is to be put back.
    replaced: Option<Qdisc>,
    /// Classes that are on their way out, by their number in the tree.
    draining: BTreeMap<u32, Draining>,
}

/// When a class is looked at next, and when it goes whatever is in it.
#[derive(Clone, Copy)]
struct Draining {
    next: Duration,
    end: Duration,
}

impl Interface {
    pub(super) fn new(index: u32, name: &str, hook: Hook, link_header: u32) -> Self {
        let name = name.to_owned();
        let draining = BTreeMap::new();
        let (tree, finds_shards, cuts, replaced) = (None, false, Cuts::default(), None);
        Self { index, name, hook, tree, finds_shards, link_header, cuts, replaced, draining }
    }

    /// What there is, in a few words.
    pub(super) fn state(&self) -> String {
        match self.tree {
            Some(_) => format!("{}, htb", self.hook),
            None => self.hook.to_string(),
        }
    }

    /// Has the classes made, if they are not there; says whether they were made now.
    pub(super) fn plant(&mut self, tc: &mut Tc, facts: &Facts) -> Result<bool, Failure> {
        if self.tree.is_some() {
            return Ok(false);
        }
        let mut room = Batch::new();
        match self::room(tc, self.index, facts)? {
            Root::Ours => room.remove_qdisc(self.index, Handle::ROOT, ROOT),
            Root::TakenOver(there) => {
                room.remove_qdisc(self.index, Handle::ROOT, there.handle);
                self.replaced = Some(there);
            }
            Root::Default | Root::Foreign(_) => {}
        }
        self.carry_out(tc, &room)?;
        self.finds_shards = false;
        let (tree, batch) = Tree::new(self.index, self.link(facts));
        if let Err(failure) = self.carry_out(tc, &batch) {
            self.tree = Some(tree);
            self.uproot(tc);
            return Err(failure);
        }
        self.tree = Some(tree);
        Ok(true)
    }

    /// The link's rate, packet size or overhead has changed.
    pub(super) fn follow(&mut self, tc: &mut Tc, facts: &Facts) -> Result<(), Failure> {
        let link = self.link(facts);
        match &mut self.tree {
            Some(tree) if facts.rate > 0 => {
                let batch = tree.set_link(link);
                self.carry_out(tc, &batch)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn link(&self, facts: &Facts) -> Link {
        let octets = |octets: u32| u16::try_from(octets).unwrap_or(u16::MAX);
        let (header, overhead) = (octets(self.link_header), octets(facts.overhead));
        Link { rate: facts.rate, mtu: facts.mtu, header, overhead }
    }

    /// Gives a flow a class of its own, or changes it. Where the kernel refuses, a flow has what it had before.
    pub(super) fn set_class(
        &mut self,
        (tc, egress): (&mut Tc, &Egress),
        id: u32,
        class: FlowClass,
    ) -> Result<Handle, Failure> {
        let full = |why: String| Failure::System(why);
        let Some(tree) = &mut self.tree else { return Err(full("the interface has no classes".to_owned())) };
        let class = self.cuts.correct(id, class);
        let before = tree.standing(id);
        let (handle, mut batch) = tree.set(id, class).map_err(|why| full(why.to_string()))?;
        if Tree::is_in_shard(handle) && !self.finds_shards {
            let (program, name) = egress.shards()?;
            batch.set_program(self.index, ROOT, program, name);
            self.finds_shards = true;
        }
        let Err(failure) = self.carry_out(tc, &batch) else { return Ok(handle) };
        match before.zip(self.tree.as_mut()).map(|(before, tree)| tree.put_back(id, before)) {
            None => self.remove_class(tc, id),
            Some(batch) => {
                if let Err(failure) = self.carry_out(tc, &batch) {
                    tracing::debug!(%failure, "a class is not there any more");
                }
            }
        }
        Err(failure)
    }

    /// Says what weights leave to what has none, in hundredths.
    pub(super) fn leave_to_the_rest(&mut self, tc: &mut Tc, rest: Option<u8>) -> Result<(), Failure> {
        let Some(tree) = &mut self.tree else { return Ok(()) };
        let batch = tree.leave_to_the_rest(rest);
        self.carry_out(tc, &batch)
    }

    /// Says what all Controlled-Load flows have together.
    pub(super) fn share(&mut self, tc: &mut Tc, (rate, bucket): (u64, u32)) -> Result<(), Failure> {
        let Some(tree) = &mut self.tree else { return Ok(()) };
        let batch = tree.controlled_load(rate, bucket);
        self.carry_out(tc, &batch)
    }

    /// A flow's class is to go once it is empty; no packet comes to it any more.
    pub(super) fn drain(&mut self, id: u32, now: Duration) {
        self.cuts.go(id);
        self.draining.insert(id, Draining { next: now, end: now + LONGEST_DRAIN });
    }

    /// When to look at classes that drain.
    pub(super) fn due(&self) -> Option<Duration> {
        self.draining.values().map(|draining| draining.next).min()
    }

    /// Removes classes that have drained, or have had their time.
    pub(super) fn drained(&mut self, tc: &mut Tc, now: Duration) {
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        // Where the kernel does not say what waits, nothing is waited for.
        let waiting = backlogs(&tc.classes(self.index).unwrap_or_default());
        let mut empty = Vec::new();
        for (id, draining) in &mut self.draining {
            let class = self.tree.as_ref().and_then(|tree| tree.class_of(*id));
            let octets = class.and_then(|class| waiting.get(&class)).copied().unwrap_or(0);
            let rate = self.tree.as_ref().and_then(|tree| tree.rate_of(*id)).unwrap_or(1);
            if octets == 0 || now >= draining.end {
                empty.push(*id);
            } else {
                let rest = Duration::from_micros(u64::from(octets).saturating_mul(1_000_000) / rate.max(1));
                draining.next = (now + rest.max(SHORTEST_LOOK)).min(draining.end);
            }
        }
        for id in empty {
            self.draining.remove(&id);
            self.remove_class(tc, id);
        }
    }

    /// Removes a class with whatever is in it.
    pub(super) fn remove_class(&mut self, tc: &mut Tc, id: u32) {
        self.cuts.go(id);
        let Some(batch) = self.tree.as_mut().and_then(|tree| tree.remove(id)) else { return };
        if let Err(failure) = self.carry_out(tc, &batch) {
            tracing::debug!(%failure, "a class is not there any more");
        }
    }

    /// Takes all classes away, and puts back what was there before.
    pub(super) fn uproot(&mut self, tc: &mut Tc) {
        self.draining.clear();
        self.cuts = Cuts::default();
        if self.tree.take().is_none() {
            return;
        }
        let mut batch = Batch::new();
        batch.remove_qdisc(self.index, Handle::ROOT, ROOT);
        if let Err(failure) = self.carry_out(tc, &batch) {
            tracing::debug!(%failure, "the class tree is not there any more");
        }
        if let Some(before) = self.replaced.take() {
            let mut batch = Batch::new();
            batch.restore_qdisc(self.index, before.handle, &before.kind, &before.options);
            if let Err(failure) = self.carry_out(tc, &batch) {
                let (name, kind, handle) = (&self.name, &before.kind, before.handle);
                tracing::warn!(
                    "interface {name}: {kind} {handle} was there before and cannot be put back: {failure}"
                );
            }
        }
    }

    /// Has requests carried out; tells of the first that is refused.
    pub(super) fn carry_out(&self, tc: &mut Tc, batch: &Batch) -> Result<(), Failure> {
        if batch.is_empty() {
            return Ok(());
        }
        let name = &self.name;
        let refused = tc.apply(batch).map_err(|error| {
            Failure::System(format!(
                "interface {name}: the kernel does not answer about traffic control: {error}"
            ))
        })?;
        match refused.first() {
            None => Ok(()),
            Some(why) => Err(Failure::System(format!(
                "interface {name}: the kernel refuses a change of its classes: {why}"
            ))),
        }
    }
}

/// What there is where the classes of an interface would be; why there cannot be any.
pub(super) fn room(tc: &mut Tc, index: u32, facts: &Facts) -> Result<Root, Failure> {
    let name = &facts.name;
    if facts.rate == 0 {
        return Err(Failure::System(format!(
            "interface {name}: its speed is unknown, so it cannot be divided; set `bandwidth` in [interface.{name}]"
        )));
    }
    let asking = |error: io::Error| Failure::System(format!("interface {name}: its queueing: {error}"));
    let listed = tc.qdiscs(index).map_err(asking)?;
    let filters = tc.filters(index).map_err(asking)?;
    match root::judge(&listed, filters, facts.manner.take_over) {
        Root::Foreign(why) => Err(Failure::System(format!("interface {name}: {why}"))),
        root => Ok(root),
    }
}

/// What waits in each class, in octets.
fn backlogs(classes: &[Class]) -> BTreeMap<Handle, u32> {
    classes.iter().map(|class| (class.handle, class.counters.backlog_octets)).collect()
}

/// Tells the egress program what becomes of packets of no flow on an interface: their priority, and their class where there are any.
pub(super) fn treat_the_rest(
    egress: &mut Egress,
    on: u32,
    manner: &Manner,
    has_classes: bool,
) -> Result<(), Failure> {
    egress.set_priorities(on, &manner.priorities.clone().into_iter().collect::<Vec<_>>())?;
    if has_classes {
        let classes = manner.classes.iter().map(|(dscp, service)| (*dscp, service.class().0));
        egress.set_classes(on, &classes.collect::<Vec<_>>())?;
    }
    Ok(())
}
