//! Puts IPv6 fragments together (RFC 8200 section 4.5): the Router Alert socket gets them one by one.
//!
//! Bounded in packets and time; overlapping pieces spoil the whole packet (RFC 5722). IPv4 is deliberately left to the
//! kernel, which puts packets together before it diverts them.

use super::packet::{Fragment, Stripped};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Packets that may wait for pieces at a time.
const PACKETS: usize = 64;
/// How long a packet waits for its pieces, in microseconds.
const PATIENCE_US: u64 = 60_000_000;
/// Octets that an IPv6 packet can carry without the jumbo option.
const LONGEST: usize = 65_535;

type Key = (u32, IpAddr, IpAddr, u32);

/// Packets of which pieces are missing.
#[derive(Debug, Default)]
pub(super) struct Fragments(BTreeMap<Key, Packet>);

#[derive(Debug)]
struct Packet {
    since_us: u64,
    pieces: BTreeMap<usize, Vec<u8>>,
    length: Option<usize>,
}

impl Fragments {
    /// Takes in a piece; returns the packet's content when it was the last that was missing.
    pub(super) fn add(
        &mut self,
        now_us: u64,
        interface: u32,
        stripped: &Stripped<'_>,
        fragment: Fragment,
    ) -> Option<Vec<u8>> {
        let key = (interface, stripped.source, stripped.destination, fragment.identification);
        if !self.0.contains_key(&key) && self.0.len() >= PACKETS {
            let oldest = self.0.iter().min_by_key(|(_, packet)| packet.since_us).map(|(key, _)| *key);
            oldest.and_then(|key| self.0.remove(&key));
        }
        let packet = self.0.entry(key).or_insert_with(|| Packet {
            since_us: now_us,
            pieces: BTreeMap::new(),
            length: None,
        });
        let end = fragment.offset + stripped.octets.len();
        let broken = end > LONGEST
            || (fragment.more && !stripped.octets.len().is_multiple_of(8))
            || (!fragment.more && packet.length.is_some_and(|length| length != end))
            || packet.overlaps(fragment.offset, end);
        if broken {
            self.0.remove(&key);
            return None;
        }
        if !fragment.more {
            packet.length = Some(end);
        }
        packet.pieces.insert(fragment.offset, stripped.octets.to_vec());
        let have: usize = packet.pieces.values().map(Vec::len).sum();
        // No piece overlaps another, so the sum of their lengths says whether all are there.
        if packet.length != Some(have) {
            return None;
        }
        self.0.remove(&key).map(|packet| packet.pieces.into_values().flatten().collect())
    }

    /// Forgets packets that have waited too long.
    pub(super) fn expire(&mut self, now_us: u64) {
        self.0.retain(|_, packet| now_us.saturating_sub(packet.since_us) < PATIENCE_US);
    }
}

impl Packet {
    fn overlaps(&self, start: usize, end: usize) -> bool {
        let before = self.pieces.range(..end).next_back();
        let beyond = self.length.is_some_and(|length| end > length);
        beyond || before.is_some_and(|(at, piece)| at + piece.len() > start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(fragments: &mut Fragments, at: usize, octets: &[u8], more: bool) -> Option<Vec<u8>> {
        let source = "2001:db8::1".parse().unwrap();
        let destination = "2001:db8::2".parse().unwrap();
        let stripped = Stripped { source, destination, ttl: 1, octets, fragment: None };
        fragments.add(0, 1, &stripped, Fragment { identification: 7, offset: at, more })
    }

    #[test]
    fn pieces_in_any_order_make_the_packet() {
        let mut fragments = Fragments::default();
        assert_eq!(piece(&mut fragments, 16, b"end", false), None);
        assert_eq!(piece(&mut fragments, 0, b"01234567", true), None);
        assert_eq!(piece(&mut fragments, 8, b"89abcdef", true).as_deref(), Some(&b"0123456789abcdefend"[..]));
        assert!(fragments.0.is_empty());
    }

    #[test]
    fn an_overlap_spoils_the_packet() {
        let mut fragments = Fragments::default();
        piece(&mut fragments, 0, b"0123456789abcdef", true);
        assert_eq!(piece(&mut fragments, 8, b"89abcdef", true), None);
        assert!(fragments.0.is_empty(), "nothing of it is kept");
    }

    #[test]
    fn packets_that_wait_are_few_and_not_for_ever() {
        let mut fragments = Fragments::default();
        for id in 0..1_000 {
            let address = "2001:db8::1".parse().unwrap();
            let stripped =
                Stripped { source: address, destination: address, ttl: 1, octets: &[0; 8], fragment: None };
            fragments.add(id.into(), 1, &stripped, Fragment { identification: id, offset: 0, more: true });
        }
        assert_eq!(fragments.0.len(), PACKETS);
        fragments.expire(PATIENCE_US + 1_000);
        assert!(fragments.0.is_empty());
    }
}
