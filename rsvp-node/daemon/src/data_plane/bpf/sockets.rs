//! Flows that applications have given their sockets, in the egress program: step 3 of its look-ups.
//!
//! A socket is marked by its descriptor while that is there ([`SocketMarks`]); which flow its packets to a peer have is said by its cookie,
//! and taken back by it, so that nobody has to keep the descriptor. Whose flows these are is deliberately the caller's business.

use super::sys::SocketPeerRecord;
use super::{Egress, EgressError, FlowId};
use aya::maps::{HashMap, Map, MapData, MapError, SkStorage};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};

/// The bit of `by_hand` in the record of an interface.
const SOCKETS: u32 = 4;

/// A socket, and the peer to which it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketPeer {
    /// What the kernel calls the socket.
    pub cookie: u64,
    /// Address and port of the peer; an IPv4 address that is mapped into IPv6 is that IPv4 address.
    pub peer: SocketAddr,
}

impl SocketPeer {
    fn record(&self, interface: u32) -> SocketPeerRecord {
        let address = match self.peer.ip() {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        SocketPeerRecord {
            cookie: self.cookie,
            address: address.octets(),
            interface,
            port: self.peer.port().to_be_bytes(),
            zero: [0; 2],
        }
    }
}

/// The maps, and what is in them.
pub(super) struct Sockets {
    pub(super) peers: HashMap<MapData, SocketPeerRecord, u32>,
    pub(super) marks: SocketMarks,
    /// How many peers each interface has.
    pub(super) known: BTreeMap<u32, usize>,
}

/// Marks sockets that are handed over, so that the program looks for their flows; or none, where nothing marks packets. Clones are the same.
#[derive(Clone, Default)]
pub struct SocketMarks(Option<Arc<Mutex<SkStorage<MapData, u64>>>>);

impl fmt::Debug for SocketMarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketMarks").field("marks", &self.0.is_some()).finish()
    }
}

impl SocketMarks {
    pub(super) fn new(map: Map) -> Result<Self, EgressError> {
        let marks = SkStorage::try_from(map).map_err(|error| EgressError::of_loading(&error))?;
        Ok(Self(Some(Arc::new(Mutex::new(marks)))))
    }

    /// Has the program know a socket, by a descriptor and what the kernel calls it.
    ///
    /// # Errors
    /// When nothing marks packets here, or the kernel refuses.
    pub fn mark(&self, socket: BorrowedFd<'_>, cookie: u64) -> io::Result<()> {
        let Some(marks) = &self.0 else { return Err(io::ErrorKind::Unsupported.into()) };
        let mut marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
        let marked = marks.insert(&socket.as_fd(), cookie, 0);
        marked.map_err(|error| super::of_system(&error).unwrap_or_else(|| io::Error::other(error)))
    }
}

impl Egress {
    /// What marks sockets for this program.
    #[must_use]
    pub fn socket_marks(&self) -> SocketMarks {
        self.sockets.marks.clone()
    }

    /// From now on packets of a socket to its peer that leave by an interface are of this flow, as far as what comes before it sets
    /// nothing. They are of one such flow at most: the last.
    ///
    /// # Errors
    /// [`EgressError::NoFlow`], [`EgressError::NotAttached`], [`EgressError::Refused`].
    pub fn set_socket(&mut self, interface: u32, of: &SocketPeer, id: FlowId) -> Result<(), EgressError> {
        self.keys_of(id)?;
        if !self.attached.contains_key(&interface) {
            return Err(EgressError::NotAttached(interface));
        }
        let record = of.record(interface);
        let is_new = self.sockets.peers.get(&record, 0).is_err();
        let refused = |error| EgressError::of_map("a flow of a socket", &error);
        self.sockets.peers.insert(record, id.number(), 0).map_err(refused)?;
        if is_new {
            *self.sockets.known.entry(interface).or_default() += 1;
        }
        self.tell_sockets(interface)
    }

    /// They are of this flow no longer.
    ///
    /// # Errors
    /// [`EgressError::NoKey`] where they are not, or are of another by now; [`EgressError::Refused`].
    pub fn remove_socket(&mut self, interface: u32, of: &SocketPeer, id: FlowId) -> Result<(), EgressError> {
        let record = of.record(interface);
        if self.sockets.peers.get(&record, 0).ok() != Some(id.number()) {
            return Err(EgressError::NoKey);
        }
        let refused = |error| EgressError::of_map("to remove a flow of a socket", &error);
        self.sockets.peers.remove(&record).map_err(refused)?;
        self.sockets.known.entry(interface).and_modify(|count| *count = count.saturating_sub(1));
        self.tell_sockets(interface)
    }

    /// An interface is left, and what sockets have there.
    pub(super) fn forget_sockets(&mut self, interface: u32) {
        self.sockets.known.remove(&interface);
        let (mut here, mut failed) = (Vec::new(), None);
        for record in self.sockets.peers.keys() {
            match record {
                Ok(record) if record.interface == interface => here.push(record),
                Ok(_) => {}
                Err(error) => failed = Some(error),
            }
        }
        for record in here {
            match self.sockets.peers.remove(&record) {
                // What is not there any more is what is wanted.
                Ok(()) | Err(MapError::KeyNotFound) => {}
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            tracing::warn!(%error, interface, "flows that sockets had on an interface are left in the egress program");
        }
    }

    /// Tells the program whether sockets have flows on an interface, when the first has come or the last is gone.
    fn tell_sockets(&mut self, interface: u32) -> Result<(), EgressError> {
        let there = self.sockets.known.get(&interface).is_some_and(|count| *count > 0);
        let Some(here) = self.attached.get_mut(&interface) else { return Ok(()) };
        let bits = here.record.by_hand;
        here.record.by_hand = if there { bits | SOCKETS } else { bits & !SOCKETS };
        if here.record.by_hand == bits { Ok(()) } else { self.tell(interface) }
    }
}
