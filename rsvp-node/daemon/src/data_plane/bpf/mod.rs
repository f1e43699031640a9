//! The egress program: finds the flow of each packet that leaves by an interface, polices, marks, classifies and counts it.
//!
//! [`Egress`] loads the program (`bpf/flow.bpf.c`, whose object is part of this one), attaches it, and writes what it goes by:
//! flows, and keys by which packets are told to belong to them. Packets of no flow leave as they came, unless their
//! interface has a table of classes by DSCP. Queues and classes themselves, and what a reservation means, are deliberately
//! not known here.

mod by_hand;
mod error;
mod flow;
mod flow_key;
mod hook;
mod load;
mod maps;
mod pattern;
mod pins;
mod policy;
mod policy_hooks;
mod resume;
mod sockets;
mod sys;
mod trial;

pub use by_hand::Rule;
pub use error::EgressError;
pub(crate) use error::{chain, of_system};
pub use flow::{Count, Flow, FlowError, Limits, MOST_RATE, Mode, Statistics, Treatment};
pub use flow_key::{Filter, Key, KeyError, Session};
pub use pattern::{AddressBits, Beyond, MOST_MASKS, Mask, Pattern, PatternError, PortBits};
pub use pins::{NoPins, Pins};
pub use policy::{
    Decision, FRAMES, LEVELS, MOST_POLICIES, MOST_PROFILES, PolicyRule, PolicySettings, PolicyTables,
    Program, hash_of,
};
pub use policy_hooks::NotHooked;
pub use resume::{Found, remove_left_behind};
pub use sockets::{SocketMarks, SocketPeer};
pub use trial::{Outcome, Segments, Trial};

use aya::Ebpf;
use aya::maps::{Array, HashMap, MapData, MapError};
use aya::programs::SchedClassifier;
use flow_key::{Kind, Record};
use hook::{Hooked, Link};
use maps::MAPS;
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use sys::{BY_CLASS, BY_PRIORITY, FlowRecord, InterfaceRecord, KeyRecord, NO_PRIORITY, StateRecord};

const PROGRAM: &str = "rsvp_egress";
/// The program that finds the shard of a class.
const SHARDS: &str = "rsvp_shards";
/// `BPF_F_LOCK`: a record is read or written whole, between two packets.
const LOCKED: u64 = 4;

/// How the program is to be attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attach {
    /// By tcx, or by clsact where the kernel has no tcx.
    #[default]
    Auto,
    /// By tcx alone.
    Tcx,
    /// By clsact alone.
    Clsact,
}

/// How it is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// By tcx.
    Tcx,
    /// As a filter of clsact.
    Clsact,
}

/// What there is room for. Flows take 128 octets each at once; keys are allocated as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Flows.
    pub flows: u32,
    /// Keys of each address family.
    pub keys: u32,
    /// Interfaces.
    pub interfaces: u32,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { flows: 16_384, keys: 65_536, interfaces: 256 }
    }
}

/// A flow by its number. Numbers of removed flows are given again, the longest unused one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowId(u32);

impl FlowId {
    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// The program in the kernel, with all that it knows. Detached and forgotten when this is dropped, unless it was
/// [left](Self::leave).
pub struct Egress {
    flows: Array<MapData, FlowRecord>,
    states: Array<MapData, StateRecord>,
    keys_v4: HashMap<MapData, KeyRecord<4>, u32>,
    keys_v6: HashMap<MapData, KeyRecord<16>, u32>,
    interfaces: HashMap<MapData, u32, InterfaceRecord>,
    by_hand: by_hand::ByHand,
    policy: policy_hooks::ByPolicy,
    sockets: sockets::Sockets,
    program: Ebpf,
    attached: BTreeMap<u32, Interface>,
    /// The keys of each flow.
    known: BTreeMap<FlowId, Vec<Key>>,
    free: VecDeque<u32>,
    capacity: Capacity,
    /// Where all of it is pinned.
    pins: Option<Pins>,
    is_resumed: bool,
}

struct Interface {
    hooked: Hooked,
    record: InterfaceRecord,
    /// How many keys of each kind there are: of IPv4, of IPv6.
    kinds: [[u32; Kind::COUNT]; 2],
}

impl Egress {
    /// Attaches the program to what leaves by an interface of this thread's network namespace; gives the
    /// interface's number and what the program hangs on. Other programs there are asked after it.
    ///
    /// # Errors
    /// [`EgressError::Interface`], [`EgressError::LinkLayer`], [`EgressError::Attached`] and [`EgressError::Attach`].
    pub fn attach(&mut self, interface: &str, how: Attach) -> Result<(u32, Hook), EgressError> {
        let Link { index, header } = Link::find(interface)?;
        if self.attached.contains_key(&index) {
            return Err(EgressError::Attached(interface.to_owned()));
        }
        let record = InterfaceRecord::of(header);
        let refused = |error| EgressError::of_map("to take up an interface", &error);
        self.interfaces.insert(index, record, 0).map_err(refused)?;
        let pin = self.pins.as_ref().map(|pins| pins.link(index));
        let hooked = self.program_mut(PROGRAM).and_then(|program| hook::attach(program, interface, how, pin));
        match hooked {
            Ok(hooked) => {
                let hook = hooked.hook;
                self.attached.insert(index, Interface { hooked, record, kinds: Default::default() });
                Ok((index, hook))
            }
            Err(error) => {
                let _ = self.interfaces.remove(&index);
                Err(error)
            }
        }
    }

    /// Takes the program away from an interface, and with it the keys there; flows stay. Has to be called in the
    /// network namespace in which it was attached.
    ///
    /// # Errors
    /// [`EgressError::NotAttached`], [`EgressError::Refused`]; nothing is known of the interface then either.
    pub fn detach(&mut self, interface: u32) -> Result<(), EgressError> {
        let here = self.attached.remove(&interface).ok_or(EgressError::NotAttached(interface))?;
        let detached =
            self.program_mut(PROGRAM).and_then(|program| hook::detach(program, interface, here.hooked));
        let removed = self.interfaces.remove(&interface);
        let mut gone = Vec::new();
        for keys in self.known.values_mut() {
            gone.extend(keys.extract_if(.., |key| key.interface == interface));
        }
        for key in gone {
            let (_, record) = key.record()?;
            self.erase(&record)?;
        }
        self.forget_by_hand(Some(interface))?;
        self.forget_sockets(interface);
        detached?;
        removed.map_err(|error| EgressError::of_map("to forget an interface", &error))
    }

    /// Octets before the IP header on an interface: 14 on Ethernet, else 0.
    ///
    /// # Errors
    /// [`EgressError::NotAttached`].
    pub fn link_header(&self, interface: u32) -> Result<u32, EgressError> {
        let here = self.attached.get(&interface).ok_or(EgressError::NotAttached(interface))?;
        Ok(here.record.link_header)
    }

    /// The class of packets by the DSCP with which they leave an interface, where no flow has chosen one: pairs of a DSCP
    /// and a class. Replaces what was said before; marks nothing.
    ///
    /// # Errors
    /// [`EgressError::Classes`], [`EgressError::NotAttached`], [`EgressError::Refused`].
    pub fn set_classes(&mut self, interface: u32, by_dscp: &[(u8, u32)]) -> Result<(), EgressError> {
        let mut classes = [0; 64];
        for (dscp, class) in by_dscp {
            let place = classes.get_mut(usize::from(*dscp)).filter(|_| *class != 0);
            *place.ok_or(EgressError::Classes(*dscp, *class))? = *class;
        }
        let here = self.attached.get_mut(&interface).ok_or(EgressError::NotAttached(interface))?;
        here.record.classes = classes;
        here.record.set_by_dscp(BY_CLASS, !by_dscp.is_empty());
        self.tell(interface)
    }

    /// The priority code point of packets by the DSCP with which they leave an interface, where no flow has marked them: pairs of a
    /// DSCP and a priority, 0 to 7. Replaces what was said before.
    ///
    /// # Errors
    /// [`EgressError::Priorities`], [`EgressError::NotAttached`], [`EgressError::Refused`].
    pub fn set_priorities(&mut self, interface: u32, by_dscp: &[(u8, u8)]) -> Result<(), EgressError> {
        let mut priorities = [NO_PRIORITY; 64];
        for (dscp, priority) in by_dscp {
            let place = priorities.get_mut(usize::from(*dscp)).filter(|_| *priority < 8);
            *place.ok_or(EgressError::Priorities(*dscp, *priority))? = *priority;
        }
        let here = self.attached.get_mut(&interface).ok_or(EgressError::NotAttached(interface))?;
        if here.record.priorities == priorities {
            return Ok(());
        }
        here.record.priorities = priorities;
        here.record.set_by_dscp(BY_PRIORITY, !by_dscp.is_empty());
        self.tell(interface)
    }

    /// A new flow, with full buckets and without a key.
    ///
    /// # Errors
    /// [`EgressError::Flow`], [`EgressError::Full`], [`EgressError::Refused`].
    pub fn add_flow(&mut self, flow: &Flow) -> Result<FlowId, EgressError> {
        let record = flow.record()?;
        let number = self.free.pop_front().ok_or(EgressError::Full(self.capacity.flows))?;
        let refused = |error| EgressError::of_map("a flow", &error);
        let written =
            self.states.set(number, flow.at_first(), LOCKED).and_then(|()| self.flows.set(number, record, 0));
        if let Err(error) = written {
            self.free.push_front(number);
            return Err(refused(error));
        }
        self.known.insert(FlowId(number), Vec::new());
        Ok(FlowId(number))
    }

    /// Changes a flow in place: buckets keep what is in them, counts go on. A packet in the moment of the change may see a
    /// part of what was and a part of what will be.
    ///
    /// # Errors
    /// [`EgressError::NoFlow`], [`EgressError::Flow`], [`EgressError::Refused`].
    pub fn change_flow(&mut self, id: FlowId, flow: &Flow) -> Result<(), EgressError> {
        self.keys_of(id)?;
        self.flows.set(id.0, flow.record()?, 0).map_err(|error| EgressError::of_map("a flow", &error))
    }

    /// Removes a flow with all its keys, and gives what was counted last.
    ///
    /// # Errors
    /// [`EgressError::NoFlow`], [`EgressError::Refused`].
    pub fn remove_flow(&mut self, id: FlowId) -> Result<Statistics, EgressError> {
        for key in self.keys_of(id)?.to_vec() {
            self.remove_key(&key)?;
        }
        let refused = |error| EgressError::of_map("to remove a flow", &error);
        self.flows.set(id.0, FlowRecord::default(), 0).map_err(refused)?;
        let counted = self.statistics(id)?;
        self.known.remove(&id);
        self.free.push_back(id.0);
        Ok(counted)
    }

    /// From now on packets with this key are of this flow; if they were of another, which is given, they are not any more. Many keys
    /// can be of one flow, and share its buckets (SE, and WF with several sessions).
    ///
    /// # Errors
    /// [`EgressError::Key`], [`EgressError::NoFlow`], [`EgressError::NotAttached`], [`EgressError::Refused`].
    pub fn set_key(&mut self, key: &Key, id: FlowId) -> Result<Option<FlowId>, EgressError> {
        let (kind, record) = key.record()?;
        self.keys_of(id)?;
        if !self.attached.contains_key(&key.interface) {
            return Err(EgressError::NotAttached(key.interface));
        }
        let before = self.owner(&record)?;
        if before == Some(id) {
            return Ok(None);
        }
        let written = match &record {
            Record::V4(record) => self.keys_v4.insert(record, id.0, 0),
            Record::V6(record) => self.keys_v6.insert(record, id.0, 0),
        };
        written.map_err(|error| EgressError::of_map("a key", &error))?;
        self.known.entry(id).or_default().push(*key);
        match before {
            Some(before) => self.forget(key, before),
            None => self.recount(key.interface, kind, &record, true)?,
        }
        Ok(before)
    }

    /// Packets with this key are of no flow any more, unless by a less specific key.
    ///
    /// # Errors
    /// [`EgressError::Key`], [`EgressError::NoKey`], [`EgressError::Refused`].
    pub fn remove_key(&mut self, key: &Key) -> Result<(), EgressError> {
        let (kind, record) = key.record()?;
        let id = self.owner(&record)?.ok_or(EgressError::NoKey)?;
        self.erase(&record)?;
        self.forget(key, id);
        self.recount(key.interface, kind, &record, false)
    }

    /// The same, unless the key is another flow's by now.
    ///
    /// # Errors
    /// As above; [`EgressError::NoKey`] also where another flow has it.
    pub fn remove_key_of(&mut self, key: &Key, id: FlowId) -> Result<(), EgressError> {
        let (_, record) = key.record()?;
        if self.owner(&record)? == Some(id) { self.remove_key(key) } else { Err(EgressError::NoKey) }
    }

    /// What was counted of a flow, all in one moment.
    ///
    /// # Errors
    /// [`EgressError::NoFlow`], [`EgressError::Refused`].
    pub fn statistics(&self, id: FlowId) -> Result<Statistics, EgressError> {
        self.keys_of(id)?;
        let refused = |error| EgressError::of_map("to read a flow", &error);
        self.states.get(&id.0, LOCKED).map(Statistics::from).map_err(refused)
    }

    /// Every flow, as it is known here.
    pub fn flows(&self) -> impl Iterator<Item = FlowId> {
        self.known.keys().copied()
    }

    /// Every key with its flow, as the kernel has them, in no order.
    ///
    /// # Errors
    /// [`EgressError::Refused`].
    pub fn keys(&self) -> Result<Vec<(Key, FlowId)>, EgressError> {
        let refused = |error| EgressError::of_map("to list keys", &error);
        let v4 = self.keys_v4.iter().map(|entry| entry.map(|(key, id)| (Record::V4(key), id)));
        let v6 = self.keys_v6.iter().map(|entry| entry.map(|(key, id)| (Record::V6(key), id)));
        let mut found = Vec::new();
        for entry in v4.chain(v6) {
            let (record, id) = entry.map_err(refused)?;
            found.extend(record.key().map(|key| (key, FlowId(id))));
        }
        Ok(found)
    }

    /// The keys of a flow.
    ///
    /// # Errors
    /// [`EgressError::NoFlow`].
    pub fn keys_of(&self, id: FlowId) -> Result<&[Key], EgressError> {
        self.known.get(&id).map(Vec::as_slice).ok_or(EgressError::NoFlow(id.0))
    }

    /// The flow that has a key, if one has.
    ///
    /// # Errors
    /// [`EgressError::Key`], [`EgressError::Refused`].
    pub fn flow_of(&self, key: &Key) -> Result<Option<FlowId>, EgressError> {
        let (_, record) = key.record()?;
        self.owner(&record)
    }

    /// The flow that has a key.
    fn owner(&self, record: &Record) -> Result<Option<FlowId>, EgressError> {
        let found = match record {
            Record::V4(record) => self.keys_v4.get(record, 0),
            Record::V6(record) => self.keys_v6.get(record, 0),
        };
        match found {
            Ok(id) => Ok(Some(FlowId(id))),
            Err(MapError::KeyNotFound) => Ok(None),
            Err(error) => Err(EgressError::of_map("to look up a key", &error)),
        }
    }

    fn erase(&mut self, record: &Record) -> Result<(), EgressError> {
        let erased = match record {
            Record::V4(record) => self.keys_v4.remove(record),
            Record::V6(record) => self.keys_v6.remove(record),
        };
        erased.map_err(|error| EgressError::of_map("to remove a key", &error))
    }

    fn forget(&mut self, key: &Key, id: FlowId) {
        if let Some(keys) = self.known.get_mut(&id) {
            keys.retain(|known| known != key);
        }
    }

    /// Tells the program which kinds of key there are, when one has come or gone.
    fn recount(
        &mut self,
        interface: u32,
        kind: Kind,
        record: &Record,
        came: bool,
    ) -> Result<(), EgressError> {
        let Some(here) = self.attached.get_mut(&interface) else { return Ok(()) };
        let family = usize::from(matches!(record, Record::V6(_)));
        let count = &mut here.kinds[family][kind as usize];
        *count = if came { *count + 1 } else { count.saturating_sub(1) };
        let bits = here.record.kinds[family];
        let bit = 1 << kind as u32;
        here.record.kinds[family] = if *count > 0 { bits | bit } else { bits & !bit };
        if here.record.kinds[family] == bits { Ok(()) } else { self.tell(interface) }
    }

    fn tell(&mut self, interface: u32) -> Result<(), EgressError> {
        let here = self.attached.get(&interface).ok_or(EgressError::NotAttached(interface))?;
        let refused = |error| EgressError::of_map("a change of an interface", &error);
        self.interfaces.insert(interface, here.record, 0).map_err(refused)
    }

    fn program(&self) -> Result<&SchedClassifier, EgressError> {
        self.program.program(PROGRAM).and_then(|program| program.try_into().ok()).ok_or_else(missing)
    }

    /// The program that says, at the root of the classes of an interface, in which shard the class of a packet is: its descriptor, and
    /// what it is called.
    ///
    /// # Errors
    /// None; it is part of this program.
    pub fn shards(&self) -> Result<(RawFd, &'static str), EgressError> {
        let program: &SchedClassifier =
            self.program.program(SHARDS).and_then(|program| program.try_into().ok()).ok_or_else(missing)?;
        let fd = program.fd().map_err(|_| missing())?;
        Ok((fd.as_fd().as_raw_fd(), SHARDS))
    }

    fn program_mut(&mut self, name: &str) -> Result<&mut SchedClassifier, EgressError> {
        self.program.program_mut(name).and_then(|program| program.try_into().ok()).ok_or_else(missing)
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        self.unhook_policies();
        for interface in self.attached.keys().copied().collect::<Vec<_>>() {
            if let Err(error) = self.detach(interface) {
                tracing::warn!(interface, %error, "the egress program is left behind");
            }
        }
        if let Some(Err(error)) = self.pins.take().map(|pins| pins.remove()) {
            tracing::warn!(%error, "maps of the egress program are left behind");
        }
    }
}

/// The object is part of this program, so nobody should ever see this.
fn missing() -> EgressError {
    EgressError::Kernel("the program that was built in lacks a part".to_owned())
}
