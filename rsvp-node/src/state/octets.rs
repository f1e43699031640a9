//! How much memory state takes, by its own account: what an allocator adds is not in it.

use super::State;
use super::path::Outgoing;
use super::resv::Item;
use super::traffic::Filters;
use core::ops::Range;
use smallvec::{Array, SmallVec};

/// All places.
const ALL: Range<u32> = 0..u32::MAX;

impl State {
    /// Octets of all tables, with the room that they have to spare, and of what their blocks point to.
    pub(crate) fn octets(&self) -> usize {
        self.tables() + self.kept()
    }

    fn tables(&self) -> usize {
        self.index.octets()
            + self.groups.octets()
            + self.sessions.octets()
            + self.paths.octets()
            + self.requests.octets()
            + self.reserved.octets()
            + self.upstreams.octets()
            + self.blockades.octets()
    }

    fn kept(&self) -> usize {
        let sessions = self.sessions.iter_in(ALL).map(|(_, s)| s.octets_beside());
        let paths =
            self.paths.iter_in(ALL).map(|(_, p)| p.octets.len() + spilled::<[Outgoing; 1]>(&p.outgoing));
        let requests = self
            .requests
            .iter_in(ALL)
            .map(|(_, r)| r.kept.as_octets().len() + spilled::<[Item; 1]>(&r.items) + r.octets_beside());
        let reserved = self.reserved.iter_in(ALL).map(|(_, r)| match &r.filters {
            Filters::Many(filters) => size_of_val(&**filters),
            Filters::Wildcard | Filters::One(_) => 0,
        });
        let upstreams = self.upstreams.iter_in(ALL).map(|(_, u)| u.last_sent.len() + u.octets_beside());
        sessions.chain(paths).chain(requests).chain(reserved).chain(upstreams).sum()
    }
}

fn spilled<A: Array>(of: &SmallVec<A>) -> usize {
    if of.spilled() { of.capacity() * size_of::<A::Item>() } else { 0 }
}
