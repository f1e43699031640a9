//! Which classes an interface's scheduler has: the tree of an HTB, as requests to the kernel and as it should then stand.
//!
//! ```text
//! 7276:      root, default 7276:4
//! 7276:1       the link
//! 7276:2         network control        priority 0
//! 7276:100…      a class per flow       priority 1 for Guaranteed service, 2 for shaped Controlled-Load; many in shards;
//!                                       3 for what is shaped without a reservation
//! 7276:3         Controlled-Load        priority 2, one class for all its flows
//! 7276:4         best effort            priority 3, whatever is not classified
//! 7276:5         qualitative            priority 4
//! 7276:6         what does not conform  priority 5
//! ```
//!
//! The root's number, "rv" in ASCII, is what tells this tree from others: whatever has it is taken away when nobody runs.
//!
//! The priorities are the order in which classes get what others leave; that the rates of all flows fit the link is the
//! business of admission. Which packet belongs into which class is decided elsewhere; this module does not speak with the
//! kernel.
//!
//! A class within its own rate is served whatever its parent has left. So no class has a burst of more than a packet or a late
//! timer of that: all buckets of an interface at once would be far more than the link takes, and would wait behind it, where
//! nobody's order holds and what one flow sends is another's delay. The rest of a bucket is borrowed from the link, in the order
//! of priorities. What a flow has beyond (R, b) waits: that is its ceiling, of which the burst is b - M, because HTB lets
//! one packet more pass. A peak rate p is kept by the class's queue, which has a bucket of M for it. The queue holds all that a
//! conforming flow can have waiting.
//!
//! At the root a packet counts as its IP octets, which a size table says; what it has on the link beside those each class adds: the kernel
//! takes a size table at the root alone, and classes that add less than nothing nowhere. A class that is to have a rate of IP packets adds
//! nothing.
//!
//! Super-packets are cut into packets before they wait: HTB lets any packet pass whole while its bucket is not empty, and would let
//! 64 KiB pass at once.

mod class;
mod places;

use super::tc::{Batch, Handle, HtbClass, Queue};
pub use class::FlowClass;
use class::turn;
use places::{Place, Places};
use std::collections::{BTreeMap, BTreeSet};

/// The root's major number.
const MAJOR: u16 = 0x7276;
/// The number of the root: no other queueing discipline has it.
pub const ROOT: Handle = Handle::new(MAJOR, 0);
const LINK: Handle = Handle::new(MAJOR, 1);
/// The share of the link that network control has for itself: one in so many.
const CONTROL_SHARE: u64 = 50;
/// What waits of traffic without a rate of its own is at most what the link sends in this time, in milliseconds.
const PATIENCE_MS: u64 = 50;
/// Bursts are at least what a rate sends in this time, in microseconds: timers are not more exact.
const TIMER_US: u64 = 100;
/// What a flow is served at once of its rate: as much as it is owed by a timer that is so late, in microseconds. It is the part
/// of D, the error term of Guaranteed service, that is for timers.
pub(crate) const TIMER_LATENCY_US: u64 = 1_000;
/// The rate of a token bucket that is there for cutting super-packets: it holds up nothing.
const CUTS_ONLY: u64 = 1_000_000_000_000;
/// What a packet has at most before its IP header, two VLAN tags included, with something to spare.
const LINK_HEADERS: u32 = 32;

/// A link that is scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Octets per second.
    pub rate: u64,
    /// The largest packet, in octets.
    pub mtu: u32,
    /// Octets of a frame before its IP header, as the kernel hands it to the link: 14 of Ethernet.
    pub header: u16,
    /// Octets that a packet has on the link beside those of IP.
    pub overhead: u16,
}

impl Link {
    /// What a packet counts as at the root beyond the octets of its frame: so it counts as those of IP.
    fn size(&self) -> i16 {
        i16::try_from(self.header).map_or(i16::MIN, |header| -header)
    }

    /// A flow's queue: it keeps the peak rate, if there is one. What is longer than a packet is a super-packet, and is cut.
    fn queue_for(&self, class: &FlowClass) -> Queue {
        let beside = LINK_HEADERS.saturating_add(class.overhead.into());
        let (rate, largest) = class.peak.map_or((CUTS_ONLY, self.mtu), |peak| (peak, class.max_packet));
        let (burst, limit) = (largest.saturating_add(beside), class.limit());
        Queue::Tbf { rate, burst, limit, overhead: class.overhead }
    }
}

/// What shares a class when it has none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Routing and signalling.
    NetworkControl,
    /// Controlled-Load service (RFC 2211).
    ControlledLoad,
    /// Whatever has not asked for anything.
    BestEffort,
    /// Flows that ask for a mark, but for no rate.
    Qualitative,
    /// What a flow sends beyond its TSpec.
    NonConforming,
}

impl Service {
    const ALL: [Self; 5] = [
        Self::NetworkControl,
        Self::ControlledLoad,
        Self::BestEffort,
        Self::Qualitative,
        Self::NonConforming,
    ];

    /// The class that all of it shares.
    #[must_use]
    pub const fn class(self) -> Handle {
        Handle::new(
            MAJOR,
            match self {
                Self::NetworkControl => 2,
                Self::ControlledLoad => 3,
                Self::BestEffort => 4,
                Self::Qualitative => 5,
                Self::NonConforming => 6,
            },
        )
    }

    const fn priority(self) -> u32 {
        match self {
            Self::NetworkControl => 0,
            Self::ControlledLoad => 2,
            Self::BestEffort => 3,
            Self::Qualitative => 4,
            Self::NonConforming => 5,
        }
    }
}

/// That no class is left for another flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} flows have classes of their own on this interface, and no more can", places::ROOM)]
pub struct Full;

/// The class of a flow.
#[derive(Clone, Copy, Debug)]
struct Own {
    place: Place,
    class: FlowClass,
    /// It stands exactly so. What an earlier run has left is only as the kernel lists it, with bursts in ticks.
    is_exact: bool,
}

/// A flow's class that an earlier run has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftClass {
    /// The number that it has in this tree from now on.
    pub flow: u32,
    /// Its class.
    pub handle: Handle,
    /// What it has, as far as that is known.
    pub class: FlowClass,
}

/// The scheduler of one interface.
#[derive(Clone, Debug)]
pub struct Tree {
    interface: u32,
    link: Link,
    /// The rates and buckets of all Controlled-Load flows together.
    controlled_load: (u64, u32),
    /// What weights leave of best effort to what has none, in hundredths; nothing where there are no weights.
    rest: Option<u8>,
    flows: BTreeMap<u32, Own>,
    places: Places,
}

impl Tree {
    /// The tree of an interface, and what puts it there.
    #[must_use]
    pub fn new(interface: u32, link: Link) -> (Self, Batch) {
        let this = Self {
            interface,
            link,
            controlled_load: (0, 0),
            rest: None,
            flows: BTreeMap::new(),
            places: Places::default(),
        };
        let mut batch = Batch::new();
        let default = Service::BestEffort.class().minor();
        batch.add_qdisc(interface, Handle::ROOT, ROOT, Queue::Htb { default }, link.size());
        batch.add_class(interface, ROOT, LINK, &this.link_class());
        for service in Service::ALL {
            batch.add_class(interface, LINK, service.class(), &this.shared(service));
            let limit = Queue::Bfifo { limit: this.shared_limit(service) };
            batch.add_qdisc(interface, service.class(), leaf(service.class().minor()), limit, 0);
        }
        (this, batch)
    }

    /// The tree that an earlier run has left on an interface, and what makes its counting and its shared classes those of this link and of
    /// Controlled-Load flows with this sum of r and b. Nothing happens to packets that wait in it.
    #[must_use]
    pub fn resumed(
        interface: u32,
        link: Link,
        controlled_load: (u64, u32),
        left: &[LeftClass],
    ) -> (Self, Batch) {
        let own = |left: &LeftClass| {
            let place = Place::of(left.handle)?;
            Some((left.flow, Own { place, class: left.class, is_exact: false }))
        };
        let flows: BTreeMap<u32, Own> = left.iter().filter_map(own).collect();
        let places = Places::taken(flows.values().map(|own| (own.place, &own.class)));
        let this = Self { interface, link, controlled_load, rest: None, flows, places };
        let mut batch = Batch::new();
        batch.change_size_table(interface, Handle::ROOT, ROOT, "htb", link.size());
        this.write_shared(&mut batch);
        this.write_queues(&mut batch);
        (this, batch)
    }

    /// Whether these are classes of a whole tree; what was left by a process that was killed while it made one is not.
    #[must_use]
    pub fn is_whole(classes: &BTreeSet<Handle>, queues: &BTreeSet<Handle>) -> bool {
        let shared = Service::ALL.map(Service::class);
        classes.contains(&LINK)
            && shared.iter().all(|class| classes.contains(class) && queues.contains(&leaf(class.minor())))
    }

    /// Whether a class is one of a single flow.
    #[must_use]
    pub fn is_own(class: Handle) -> bool {
        Place::of(class).is_some()
    }

    /// The number of a class's queue.
    #[must_use]
    pub fn queue_of(class: Handle) -> Handle {
        Place::of(class).map_or_else(|| leaf(class.minor()), Place::queue)
    }

    /// Whether a class is in a shard, for which the egress program's filter has to be at the root.
    #[must_use]
    pub const fn is_in_shard(class: Handle) -> bool {
        class.major() != MAJOR
    }

    /// Gives a flow a class, or changes the one that it has, in place.
    ///
    /// # Errors
    /// When there are too many.
    pub fn set(&mut self, flow: u32, class: FlowClass) -> Result<(Handle, Batch), Full> {
        let mut batch = Batch::new();
        let queue = self.link.queue_for(&class);
        if let Some(Own { place, class: standing, is_exact }) = self.flows.get_mut(&flow) {
            let handle = place.class();
            self.places.change(self.interface, *place, (standing, &class), &mut batch);
            if standing.htb() != class.htb() || !*is_exact {
                batch.change_class(self.interface, place.parent(), handle, &place.htb(&class));
            }
            if self.link.queue_for(standing) != queue || !*is_exact {
                batch.change_qdisc(self.interface, handle, place.queue(), queue);
            }
            (*standing, *is_exact) = (class, true);
            return Ok((handle, batch));
        }
        let place = self.places.take(self.interface, &class, &mut batch)?;
        let handle = place.class();
        batch.add_class(self.interface, place.parent(), handle, &place.htb(&class));
        batch.add_qdisc(self.interface, handle, place.queue(), queue, 0);
        self.flows.insert(flow, Own { place, class, is_exact: true });
        Ok((handle, batch))
    }

    /// The class that a flow has, or had before a change that the kernel has refused.
    #[must_use]
    pub fn standing(&self, flow: u32) -> Option<FlowClass> {
        self.flows.get(&flow).map(|own| own.class)
    }

    /// A change of a flow's class was refused, in part or in full: it is again to be what it was, and what comes next is said in full.
    pub fn put_back(&mut self, flow: u32, before: FlowClass) -> Batch {
        self.doubt(flow);
        let batch = self.set(flow, before).map_or_else(|_| Batch::new(), |(_, batch)| batch);
        self.doubt(flow);
        batch
    }

    /// It is not known whether a flow's class stands exactly as it is to be.
    fn doubt(&mut self, flow: u32) {
        if let Some(own) = self.flows.get_mut(&flow) {
            own.is_exact = false;
        }
    }

    /// Takes a flow's class away; what waits in it is lost, so it should have drained.
    pub fn remove(&mut self, flow: u32) -> Option<Batch> {
        let Own { place, class, .. } = self.flows.remove(&flow)?;
        let mut batch = Batch::new();
        batch.remove_class(self.interface, place.parent(), place.class());
        self.places.give_back(self.interface, place, &class, &mut batch);
        Some(batch)
    }

    /// The class that a flow has.
    #[must_use]
    pub fn class_of(&self, flow: u32) -> Option<Handle> {
        self.flows.get(&flow).map(|own| own.place.class())
    }

    /// The rate of the class that a flow has, in octets per second.
    #[must_use]
    pub fn rate_of(&self, flow: u32) -> Option<u64> {
        self.flows.get(&flow).map(|own| own.class.rate)
    }

    /// Says what the weights of classes leave to what has none, in hundredths.
    pub fn leave_to_the_rest(&mut self, rest: Option<u8>) -> Batch {
        let mut batch = Batch::new();
        if core::mem::replace(&mut self.rest, rest) != rest {
            self.write_shared(&mut batch);
        }
        batch
    }

    /// Says what all Controlled-Load flows have together: the sum of r in octets per second, and of b in octets.
    pub fn controlled_load(&mut self, rate: u64, bucket: u32) -> Batch {
        let mut batch = Batch::new();
        if self.controlled_load != (rate, bucket) {
            self.controlled_load = (rate, bucket);
            let service = Service::ControlledLoad;
            let (class, limit) = (service.class(), self.shared_limit(service));
            batch.change_class(self.interface, LINK, class, &self.shared(service));
            batch.change_qdisc(self.interface, class, leaf(class.minor()), Queue::Bfifo { limit });
        }
        batch
    }

    /// Takes over what has changed about the link; flows keep their classes.
    pub fn set_link(&mut self, link: Link) -> Batch {
        let mut batch = Batch::new();
        if link != self.link {
            self.link = link;
            self.write_shared(&mut batch);
            self.write_queues(&mut batch);
        }
        batch
    }

    /// Changes flows' queues in place: a packet that the link takes must not be too large for them.
    fn write_queues(&self, batch: &mut Batch) {
        // What an earlier run has left without a queue is about to go.
        let has_queue = |own: &&Own| own.is_exact || own.class.queue.is_some();
        for Own { place, class, .. } in self.flows.values().filter(has_queue) {
            let queue = self.link.queue_for(class);
            batch.change_qdisc(self.interface, place.class(), place.queue(), queue);
        }
    }

    /// Changes the link's class and those that many share, in place.
    fn write_shared(&self, batch: &mut Batch) {
        batch.change_class(self.interface, ROOT, LINK, &self.link_class());
        for service in Service::ALL {
            let (class, limit) = (service.class(), self.shared_limit(service));
            batch.change_class(self.interface, LINK, class, &self.shared(service));
            batch.change_qdisc(self.interface, class, leaf(class.minor()), Queue::Bfifo { limit });
        }
        for (handle, class) in self.places.classes() {
            batch.change_class(self.interface, LINK, handle, &class);
        }
    }

    /// All classes as they should stand, for comparing with what the kernel lists.
    #[must_use]
    pub fn classes(&self) -> BTreeMap<Handle, HtbClass> {
        let shared = Service::ALL.into_iter().map(|service| (service.class(), self.shared(service)));
        let flows = self.flows.values().map(|own| (own.place.class(), own.place.htb(&own.class)));
        let link = [(LINK, self.link_class())];
        shared.chain(flows).chain(self.places.classes()).chain(link).collect()
    }

    fn link_class(&self) -> HtbClass {
        let burst = self.burst(self.link.rate);
        HtbClass {
            rate: self.link.rate,
            ceil: self.link.rate,
            burst,
            cburst: burst,
            priority: 0,
            quantum: self.link.mtu,
            min_policed: 0,
            overhead: self.link.overhead,
        }
    }

    /// A class that many share. It has a rate of its own only where something was promised, and borrows the rest.
    fn shared(&self, service: Service) -> HtbClass {
        let rate = match service {
            Service::NetworkControl => self.link.rate / CONTROL_SHARE,
            Service::ControlledLoad => self.controlled_load.0,
            _ => 0,
        };
        let rate = rate.max(1);
        HtbClass {
            rate,
            ceil: self.link.rate,
            burst: self.burst(rate),
            cburst: self.burst(self.link.rate),
            priority: service.priority(),
            quantum: match (service, self.rest) {
                (Service::BestEffort, Some(rest)) => turn(self.link.mtu, rest),
                _ => self.link.mtu,
            },
            min_policed: 0,
            overhead: self.link.overhead,
        }
    }

    fn shared_limit(&self, service: Service) -> u32 {
        let waiting = self.link.rate.saturating_mul(PATIENCE_MS) / 1_000;
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX).max(self.link.mtu.saturating_mul(20));
        match service {
            Service::ControlledLoad => waiting.max(self.controlled_load.1.saturating_mul(2)),
            _ => waiting,
        }
    }

    /// The least burst that lets a rate be reached.
    fn burst(&self, rate: u64) -> u32 {
        let octets = rate.saturating_mul(TIMER_US) / 1_000_000;
        u32::try_from(octets).unwrap_or(u32::MAX).max(self.link.mtu)
    }
}

/// The number of a class's queue: the same as the class's, shifted, so that whoever looks at both sees what belongs together.
const fn leaf(minor: u16) -> Handle {
    Handle::new(minor.saturating_add(0x10), 0)
}
