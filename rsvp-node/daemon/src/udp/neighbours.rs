//! Who was heard by UDP, for as long as the state that they made would live: soft state of the transport (RFC 2205
//! Appendix C, "keeps track of which previous hops and which interfaces need UDP encapsulation").
//!
//! Bounded: whoever is on a link can claim to be many. Where messages go is deliberately not decided here.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// Neighbours that are remembered on each interface: whoever fills the table does so on a link of their own.
const NEIGHBOURS: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Neighbours {
    /// Until when an interface is on, in microseconds.
    interfaces: BTreeMap<u32, u64>,
    /// Until when a neighbour gets UDP.
    neighbours: BTreeMap<(u32, IpAddr), u64>,
    /// Neighbours for whom there was no room.
    pub(super) full: u64,
}

impl Neighbours {
    /// A Path arrived here.
    pub(super) fn path(&mut self, interface: u32, until_us: u64) {
        let until = self.interfaces.entry(interface).or_default();
        *until = until_us.max(*until);
    }

    /// A neighbour has spoken.
    pub(super) fn neighbour(&mut self, interface: u32, address: IpAddr, now_us: u64, until_us: u64) {
        let key = (interface, address);
        if let Some(until) = self.neighbours.get_mut(&key) {
            *until = until_us.max(*until);
            return;
        }
        if self.on(interface) >= NEIGHBOURS {
            self.neighbours.retain(|_, until| *until > now_us);
        }
        if self.on(interface) >= NEIGHBOURS {
            self.full += 1;
        } else {
            self.neighbours.insert(key, until_us);
        }
    }

    fn on(&self, interface: u32) -> usize {
        let least = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        self.neighbours.range((interface, least)..).take_while(|((on, _), _)| *on == interface).count()
    }

    pub(super) fn is_on(&self, interface: u32, now_us: u64) -> bool {
        self.interfaces.get(&interface).is_some_and(|until| *until > now_us)
    }

    pub(super) fn is_neighbour(&self, interface: u32, address: IpAddr, now_us: u64) -> bool {
        self.neighbours.get(&(interface, address)).is_some_and(|until| *until > now_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heard_lives_as_long_as_it_is_refreshed() {
        let mut known = Neighbours::default();
        let neighbour = IpAddr::from([10, 0, 0, 1]);
        known.path(1, 100);
        known.neighbour(1, neighbour, 0, 100);
        assert!(known.is_on(1, 99) && known.is_neighbour(1, neighbour, 99));
        assert!(!known.is_on(1, 100) && !known.is_neighbour(1, neighbour, 100));
        assert!(!known.is_on(2, 0) && !known.is_neighbour(2, neighbour, 0));
        known.path(1, 200);
        known.neighbour(1, neighbour, 50, 200);
        // A shorter one does not cut a longer one off.
        known.path(1, 120);
        known.neighbour(1, neighbour, 50, 120);
        assert!(known.is_on(1, 199) && known.is_neighbour(1, neighbour, 199));
    }

    #[test]
    fn there_is_room_for_so_many_and_the_dead_make_room() {
        let mut known = Neighbours::default();
        let address = |n: usize| IpAddr::from(Ipv4Addr::from(n as u32));
        (0..NEIGHBOURS + 5).for_each(|n| known.neighbour(1, address(n), 0, 100));
        assert_eq!((known.neighbours.len(), known.full), (NEIGHBOURS, 5));
        assert!(!known.is_neighbour(1, address(NEIGHBOURS), 50));
        known.neighbour(2, address(NEIGHBOURS), 0, 60);
        assert!(known.is_neighbour(2, address(NEIGHBOURS), 50), "another link has room of its own");
        known.neighbour(1, address(NEIGHBOURS), 100, 200);
        assert!(known.is_neighbour(1, address(NEIGHBOURS), 150));
        assert_eq!(known.neighbours.len(), 1);
    }
}
