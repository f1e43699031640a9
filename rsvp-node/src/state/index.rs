//! The index of sessions: linear hashing, so that it grows by one bucket at a time and no insertion ever rehashes the
//! whole. Keys stay in the sessions; a bucket is the head of a chain through them.
//!
//! The hash is seeded, so that a peer who does not know the seed cannot aim at one bucket. It is no cryptographic hash.

use super::arena::{Arena, Ix};
use super::session::SessionState;
use crate::rng::mix;
use core::net::IpAddr;
use rsvp_wire::Session;

const CHUNK: usize = 1024;

type Link = Option<Ix<SessionState>>;

#[derive(Debug)]
pub(crate) struct SessionIndex {
    seed: u64,
    buckets: Vec<Vec<Link>>,
    count: u32,
    entries: u32,
}

impl SessionIndex {
    pub(crate) fn new(seed: u64, expected: u32) -> Self {
        let mut buckets = Vec::with_capacity(expected as usize * 2 / CHUNK + 1);
        let mut first = Vec::with_capacity(CHUNK);
        first.push(None);
        buckets.push(first);
        Self { seed: mix(seed ^ 0x5253_5650), buckets, count: 1, entries: 0 }
    }

    /// Looks a session up.
    pub(crate) fn find(&self, key: &Session, sessions: &Arena<SessionState>) -> Link {
        let mut link = self.bucket(self.place(hash(self.seed, key)));
        while let Some(ix) = link {
            let session = &sessions[ix];
            if session.key == *key {
                return Some(ix);
            }
            link = session.chain;
        }
        None
    }

    pub(crate) fn insert(&mut self, ix: Ix<SessionState>, sessions: &mut Arena<SessionState>) {
        self.entries += 1;
        // Half as many sessions as buckets: a spare bucket is four octets, a longer chain is a walk through cold memory.
        while self.entries * 2 > self.count {
            self.split(sessions);
        }
        let place = self.place(hash(self.seed, &sessions[ix].key));
        sessions[ix].chain = self.bucket(place);
        *self.bucket_mut(place) = Some(ix);
    }

    pub(crate) fn remove(&mut self, ix: Ix<SessionState>, sessions: &mut Arena<SessionState>) {
        let place = self.place(hash(self.seed, &sessions[ix].key));
        let after = sessions[ix].chain.take();
        let mut link = self.bucket(place);
        if link == Some(ix) {
            *self.bucket_mut(place) = after;
        } else {
            while let Some(at) = link {
                link = sessions[at].chain;
                if link == Some(ix) {
                    sessions[at].chain = after;
                    break;
                }
            }
        }
        self.entries -= 1;
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
            link = sessions[ix].chain;
            let place = self.place(hash(self.seed, &sessions[ix].key));
            sessions[ix].chain = self.bucket(place);
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

fn hash(seed: u64, key: &Session) -> u64 {
    let (high, low) = match key.destination() {
        IpAddr::V4(a) => (0, u64::from(u32::from(a))),
        IpAddr::V6(a) => ((u128::from(a) >> 64) as u64, u128::from(a) as u64),
    };
    let rest = u64::from(key.protocol()) << 16 | u64::from(key.port());
    mix(mix(mix(seed ^ high).wrapping_add(low)).wrapping_add(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn session(n: u32) -> Session {
        Session::new(IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n)), 17, 5000)
    }

    #[test]
    fn everything_inserted_is_found_until_removed_and_chains_stay_short() {
        let mut arena = Arena::new(0);
        let mut index = SessionIndex::new(1, 0);
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
            index.remove(*ix, &mut arena);
        }
        for (n, ix) in all.iter().enumerate() {
            let expected = (n % 2 == 1).then_some(*ix);
            assert_eq!(index.find(&session(n as u32), &arena), expected);
        }
    }
}
