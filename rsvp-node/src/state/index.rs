//! Indexes of sessions: linear hashing, so that they grow and shrink by one bucket at a time and no insertion ever rehashes the
//! whole. Keys stay in the sessions; a bucket is the head of a chain through them. One index is by the whole key; another
//! by destination and protocol, because the ports of sessions that share those must agree (RFC 2205 section 3.2).
//!
//! The hash is seeded, so that a peer who does not know the seed cannot aim at one bucket. It is no cryptographic hash.

use super::arena::{Arena, Ix};
use super::session::SessionState;
use crate::key::SessionKey;
use crate::rng::mix;
use core::marker::PhantomData;
use core::net::IpAddr;

const CHUNK: usize = 1024;

type Link = Option<Ix<SessionState>>;

/// What an index goes by, and where its chain runs.
pub(crate) trait Order {
    /// Whether two sessions are the same to this index.
    fn same(a: &SessionKey, b: &SessionKey) -> bool;
    /// The part of the hash that destination and protocol do not make.
    fn rest(key: &SessionKey) -> u64;
    fn chain(session: &mut SessionState) -> &mut Link;
    fn next(session: &SessionState) -> Link;
}

/// By destination, protocol and port.
#[derive(Clone, Debug)]
pub(crate) struct ByKey;

/// By destination and protocol.
#[derive(Clone, Debug)]
pub(crate) struct ByDestination;

impl Order for ByKey {
    fn same(a: &SessionKey, b: &SessionKey) -> bool {
        a == b
    }
    fn rest(key: &SessionKey) -> u64 {
        u64::from(key.port())
    }
    fn chain(session: &mut SessionState) -> &mut Link {
        &mut session.chain
    }
    fn next(session: &SessionState) -> Link {
        session.chain
    }
}

impl Order for ByDestination {
    fn same(a: &SessionKey, b: &SessionKey) -> bool {
        a.destination() == b.destination() && a.protocol() == b.protocol()
    }
    fn rest(_: &SessionKey) -> u64 {
        0
    }
    fn chain(session: &mut SessionState) -> &mut Link {
        &mut session.group_chain
    }
    fn next(session: &SessionState) -> Link {
        session.group_chain
    }
}

#[derive(Clone, Debug)]
pub(crate) struct SessionIndex<O> {
    seed: u64,
    buckets: Vec<Vec<Link>>,
    count: u32,
    entries: u32,
    order: PhantomData<O>,
}

impl<O: Order> SessionIndex<O> {
    pub(crate) fn new(seed: u64, expected: u32) -> Self {
        let mut buckets = Vec::with_capacity((expected as usize * 2).div_ceil(CHUNK));
        buckets.push(vec![None]);
        Self { seed: mix(seed ^ 0x5253_5650), buckets, count: 1, entries: 0, order: PhantomData }
    }

    /// Looks a session up.
    pub(crate) fn find(&self, key: &SessionKey, sessions: &Arena<SessionState>) -> Link {
        let mut link = self.bucket(self.place(hash::<O>(self.seed, key)));
        while let Some(ix) = link {
            let session = &sessions[ix];
            if O::same(&session.key, key) {
                return Some(ix);
            }
            link = O::next(session);
        }
        None
    }

    pub(crate) fn insert(&mut self, ix: Ix<SessionState>, sessions: &mut Arena<SessionState>) {
        self.entries += 1;
        // Half as many sessions as buckets: a spare bucket is four octets, a longer chain is a walk through cold memory.
        while self.entries * 2 > self.count {
            self.split(sessions);
        }
        let place = self.place(hash::<O>(self.seed, &sessions[ix].key));
        *O::chain(&mut sessions[ix]) = self.bucket(place);
        *self.bucket_mut(place) = Some(ix);
    }

    /// Takes a session out; false if it was not in.
    pub(crate) fn remove(&mut self, ix: Ix<SessionState>, sessions: &mut Arena<SessionState>) -> bool {
        let place = self.place(hash::<O>(self.seed, &sessions[ix].key));
        let after = O::next(&sessions[ix]);
        let mut link = self.bucket(place);
        let mut found = link == Some(ix);
        if found {
            *self.bucket_mut(place) = after;
        }
        while let Some(at) = link.filter(|_| !found) {
            link = O::next(&sessions[at]);
            if link == Some(ix) {
                *O::chain(&mut sessions[at]) = after;
                found = true;
            }
        }
        if found {
            *O::chain(&mut sessions[ix]) = None;
            self.entries -= 1;
            // Not as soon as it could, so that what comes and goes does not have it grow and shrink.
            while self.count > 1 && self.entries * 8 < self.count {
                self.merge(sessions);
            }
        }
        found
    }

    /// Takes the last bucket away; its chain goes to its sibling.
    fn merge(&mut self, sessions: &mut Arena<SessionState>) {
        let mut link = self.bucket(self.count - 1);
        self.count -= 1;
        if let Some(chunk) = self.buckets.last_mut() {
            chunk.pop();
            if chunk.is_empty() {
                self.buckets.pop();
            }
        }
        while let Some(ix) = link {
            link = O::next(&sessions[ix]);
            let place = self.place(hash::<O>(self.seed, &sessions[ix].key));
            *O::chain(&mut sessions[ix]) = self.bucket(place);
            *self.bucket_mut(place) = Some(ix);
        }
    }

    /// Octets of memory of the buckets.
    pub(crate) fn octets(&self) -> usize {
        let buckets: usize = self.buckets.iter().map(Vec::capacity).sum();
        self.buckets.capacity() * size_of::<Vec<Link>>() + buckets * size_of::<Link>()
    }

    /// Adds one bucket and moves to it the half of its sibling's chain that belongs there.
    fn split(&mut self, sessions: &mut Arena<SessionState>) {
        let new = self.count;
        let sibling = new - (1 << new.ilog2());
        if self.buckets.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.buckets.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.buckets.last_mut() {
            chunk.push(None);
        }
        self.count += 1;
        let mut link = self.bucket_mut(sibling).take();
        while let Some(ix) = link {
            link = O::next(&sessions[ix]);
            let place = self.place(hash::<O>(self.seed, &sessions[ix].key));
            *O::chain(&mut sessions[ix]) = self.bucket(place);
            *self.bucket_mut(place) = Some(ix);
        }
    }

    fn place(&self, hash: u64) -> u32 {
        let top = self.count.next_power_of_two();
        let place = hash as u32 & (top - 1);
        if place < self.count { place } else { place & (top / 2 - 1) }
    }

    fn bucket(&self, place: u32) -> Link {
        self.buckets[place as usize / CHUNK][place as usize % CHUNK]
    }

    fn bucket_mut(&mut self, place: u32) -> &mut Link {
        &mut self.buckets[place as usize / CHUNK][place as usize % CHUNK]
    }
}

fn hash<O: Order>(seed: u64, key: &SessionKey) -> u64 {
    let (high, low) = match key.destination() {
        IpAddr::V4(a) => (0, u64::from(u32::from(a))),
        IpAddr::V6(a) => ((u128::from(a) >> 64) as u64, u128::from(a) as u64),
    };
    let rest = u64::from(key.protocol()) << 16 | O::rest(key);
    mix(mix(mix(seed ^ high).wrapping_add(low)).wrapping_add(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn session(n: u32) -> SessionKey {
        SessionKey::Ipv4 { destination: Ipv4Addr::from(0x0a00_0000 + n), protocol: 17, port: 5000 }
    }

    #[test]
    fn everything_inserted_is_found_until_removed_and_chains_stay_short() {
        let mut arena = Arena::new(0);
        let mut index = SessionIndex::<ByKey>::new(1, 0);
        let all: Vec<_> = (0..5_000)
            .map(|n| {
                let ix = arena.insert(SessionState::new(session(n)));
                index.insert(ix, &mut arena);
                ix
            })
            .collect();
        let before = arena.visits();
        for (n, ix) in all.iter().enumerate() {
            assert_eq!(index.find(&session(n as u32), &arena), Some(*ix));
        }
        let visits = arena.visits() - before;
        assert!(visits < 2 * 5_000, "{visits} blocks looked at to find 5000");
        for ix in all.iter().step_by(2) {
            assert!(index.remove(*ix, &mut arena));
            assert!(!index.remove(*ix, &mut arena));
        }
        for (n, ix) in all.iter().enumerate() {
            let expected = (n % 2 == 1).then_some(*ix);
            assert_eq!(index.find(&session(n as u32), &arena), expected);
        }
        let before = index.octets();
        for (n, ix) in all.iter().enumerate().filter(|(n, _)| n % 2 == 1) {
            assert_eq!(index.find(&session(n as u32), &arena), Some(*ix));
            assert!(index.remove(*ix, &mut arena));
        }
        assert_eq!(index.count, 1);
        assert!(index.octets() < before / 2, "buckets go with what they were for");
        index.insert(all[0], &mut arena);
        assert_eq!(index.find(&session(0), &arena), Some(all[0]));
    }
}
