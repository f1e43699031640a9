//! Fragments of PPP multilink (RFC 1990 3) until their packet is whole, where they come in order, within fixed bounds.
//!
//! Whether sequence numbers have 24 bits or 12 the peers have agreed on and no fragment says; the first one of a packet shows it. A packet
//! of which a fragment is missing waits until it has to make room, and is given up.

use std::collections::VecDeque;

use crate::Timestamp;
use crate::link::ppp;
use crate::packet::Direction;

/// Octets of a header with a sequence number of 24 bits, and of one with 12.
pub(crate) const HEADERS: [usize; 2] = [4, 2];
/// Packets that are waited for at the same time: as many links as a bundle may well have.
const WAITING: usize = 64;
/// The largest packet, with its protocol.
const LARGEST: usize = 65_535 + 2;

/// A fragment.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) begins: bool,
    pub(crate) ends: bool,
    number: u32,
    pub(crate) octets: &'a [u8],
}

impl<'a> Part<'a> {
    /// Behind the protocol field, with a header of so many octets: the bits of beginning and end, others that are zero, and a number.
    pub(crate) fn read(octets: &'a [u8], header: usize) -> Option<Self> {
        let (header, octets) = octets.split_at_checked(header)?;
        let (flags, number) = match *header {
            [flags, a, b, c] if flags & 0x3f == 0 => (flags, u32::from_be_bytes([0, a, b, c])),
            [flags, low] if flags & 0x30 == 0 => (flags, u32::from_be_bytes([0, 0, flags & 0x0f, low])),
            _ => return None,
        };
        Some(Self { begins: flags & 0x80 != 0, ends: flags & 0x40 != 0, number, octets })
    }
}

/// A packet from its protocol field on, as far as its fragments have come.
#[derive(Debug)]
pub(crate) struct Joined {
    header: usize,
    /// The number of the fragment that comes next.
    next: u32,
    pub(crate) direction: Option<Direction>,
    /// When the last fragment came, and in which frame.
    pub(crate) time: Option<Timestamp>,
    pub(crate) frame: u64,
    /// How many fragments have come.
    pub(crate) parts: u32,
    pub(crate) octets: Vec<u8>,
}

impl Joined {
    /// The number after one.
    fn after(&self, number: u32) -> u32 {
        number.wrapping_add(1) & if self.header == 4 { 0x00ff_ffff } else { 0x0fff }
    }
}

/// Packets of which fragments are missing.
#[derive(Debug, Default)]
pub(crate) struct Multilink {
    /// Oldest first.
    waiting: VecDeque<Joined>,
    /// Given up and not yet asked for.
    leaving: VecDeque<Joined>,
    /// What was given out last; packets borrow from it.
    given_out: Option<Joined>,
    pub(crate) given_up: u64,
}

impl Multilink {
    /// Keeps a fragment, behind the protocol field, that came in a frame this way. The packet if that makes it whole.
    pub(crate) fn add(
        &mut self,
        (frame, time): (u64, Option<Timestamp>),
        direction: Option<Direction>,
        octets: &[u8],
    ) -> Option<&Joined> {
        let (at, part) = self.place(direction, octets)?;
        let joined = self.waiting.get_mut(at)?;
        (joined.frame, joined.time, joined.next) = (frame, time, joined.after(part.number));
        joined.parts += 1;
        joined.octets.extend_from_slice(part.octets);
        if joined.octets.len() > LARGEST {
            self.give_up(at);
            return None;
        }
        if part.ends {
            self.given_out = self.waiting.remove(at);
            return self.given_out.as_ref();
        }
        if self.waiting.len() > WAITING {
            self.give_up(0);
        }
        None
    }

    /// The packet that a fragment belongs to: a new one, or the one that waits for it.
    fn place<'a>(&mut self, direction: Option<Direction>, octets: &'a [u8]) -> Option<(usize, Part<'a>)> {
        let reads = HEADERS.map(|header| Part::read(octets, header).map(|part| (header, part)));
        for (header, part) in reads.into_iter().flatten() {
            if part.begins && ppp::begins_packet(part.octets) {
                let (octets, parts, frame, time) = (Vec::new(), 0, 0, None);
                let next = part.number;
                self.waiting.push_back(Joined { header, next, direction, time, frame, parts, octets });
                return Some((self.waiting.len() - 1, part));
            }
            let goes_on = |joined: &Joined| {
                (joined.header, joined.next, joined.direction) == (header, part.number, direction)
            };
            if !part.begins
                && let Some(at) = self.waiting.iter().position(goes_on)
            {
                return Some((at, part));
            }
        }
        None
    }

    fn give_up(&mut self, at: usize) {
        let Some(joined) = self.waiting.remove(at) else { return };
        self.given_up += 1;
        // Who does not ask for them loses the oldest.
        self.leaving.push_back(joined);
        if self.leaving.len() > WAITING {
            self.leaving.pop_front();
        }
    }

    /// The next of those that were given up; with `all`, those that still wait are given up, too.
    pub(crate) fn next_given_up(&mut self, all: bool) -> Option<&Joined> {
        if self.leaving.is_empty() && all {
            self.give_up(0);
        }
        self.given_out = Some(self.leaving.pop_front()?);
        self.given_out.as_ref()
    }

    /// The packet that was given out last.
    pub(crate) const fn last(&self) -> Option<&Joined> {
        self.given_out.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(multilink: &mut Multilink, octets: &[u8]) -> Option<Vec<u8>> {
        multilink.add((1, None), None, octets).map(|joined| joined.octets.clone())
    }

    #[test]
    fn fragments_in_order_make_the_packet_with_either_number() {
        for [first, middle, last] in [
            [&[0x80, 0, 0, 9, 0x21, 0x45, 1][..], &[0, 0, 0, 10, 2, 3], &[0x40, 0, 0, 11, 4]],
            [&[0x80, 0xff, 0xff, 0xff, 0x21, 0x45, 1][..], &[0, 0, 0, 0, 2, 3], &[0x40, 0, 0, 1, 4]],
            [&[0x80, 9, 0x21, 0x45, 1][..], &[0, 10, 2, 3], &[0x40, 11, 4]],
            [&[0x8f, 0xff, 0x21, 0x45, 1][..], &[0, 0, 2, 3], &[0x40, 1, 4]],
        ] {
            let mut multilink = Multilink::default();
            assert_eq!(add(&mut multilink, first), None);
            // Of another packet, and of one that goes the other way.
            assert_eq!(add(&mut multilink, &[0x40, 0x33, 0x33, 0x33, 7]), None);
            assert!(multilink.add((1, None), Some(Direction::Sent), middle).is_none());
            assert_eq!(add(&mut multilink, middle), None);
            assert_eq!(add(&mut multilink, last).as_deref(), Some(&[0x21, 0x45, 1, 2, 3, 4][..]));
            assert!(multilink.waiting.is_empty() && multilink.given_up == 0);
        }
    }

    #[test]
    fn packets_that_wait_are_few() {
        let mut multilink = Multilink::default();
        for number in 0..200 {
            add(&mut multilink, &[0x80, 0, number, 0, 0x21, 0x45]);
        }
        assert_eq!((multilink.waiting.len(), multilink.leaving.len()), (WAITING, WAITING));
        assert_eq!(multilink.given_up, 200 - WAITING as u64);
        let mut left = 0;
        while multilink.next_given_up(true).is_some() {
            left += 1;
        }
        assert_eq!((left, multilink.given_up), (2 * WAITING, 200));
        // One that grows for ever is given up.
        add(&mut multilink, &[0x80, 0, 0, 0, 0x21, 0x45]);
        let huge = [&[0, 0, 0, 1][..], &vec![0; LARGEST]].concat();
        assert_eq!(add(&mut multilink, &huge), None);
        assert_eq!((multilink.waiting.len(), multilink.given_up), (0, 201));
    }
}
