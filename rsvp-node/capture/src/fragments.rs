//! IP fragments until their datagram is whole: RFC 791 3.2 and RFC 8200 4.5, within fixed bounds.
//!
//! A datagram that waits too long, or has to make room, is given up; so is one whose fragments overlap, as RFC 5722
//! asks for in IPv6 and as is prudent in IPv4. A fragment that comes twice alike is ignored.

use std::collections::VecDeque;
use std::net::IpAddr;

use crate::Timestamp;
use crate::ip::{Datagram, Fragment};

/// The largest payload of a datagram.
const LARGEST: usize = 65_535;
/// Pieces of one datagram that do not touch.
const PIECES: usize = 256;

/// How much is kept.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Datagrams that are waited for at the same time.
    pub datagrams: usize,
    /// Octets that all of them may keep.
    pub octets: usize,
    /// How long a datagram is waited for.
    pub seconds: u64,
    /// Datagrams that were given up and are kept until somebody asks for them.
    pub given_up: usize,
}

/// A datagram that is whole, or as whole as it will be.
#[derive(Debug)]
pub struct Whole {
    /// Where it came in; what that means is the caller's business.
    scope: u32,
    /// IP source address.
    pub source: IpAddr,
    /// IP destination address.
    pub destination: IpAddr,
    /// The protocol of the payload.
    pub protocol: u8,
    identification: u32,
    /// TTL or hop limit of the first fragment.
    pub ttl: u8,
    /// Whether the first fragment has the Router Alert option.
    pub router_alert: bool,
    cut: bool,
    started: Option<Timestamp>,
    /// When the last fragment came.
    pub time: Option<Timestamp>,
    /// Number of the frame in which the last fragment came.
    pub frame: u64,
    /// How many fragments have come.
    pub fragments: u32,
    octets: Vec<u8>,
    /// The octets that are there: start and end of each piece, in order, not touching.
    pieces: Vec<(usize, usize)>,
    /// Where the datagram ends, once known.
    end: Option<usize>,
}

/// Datagrams of which fragments are missing.
#[derive(Debug)]
pub struct Fragments {
    limits: Limits,
    /// Oldest first.
    waiting: VecDeque<Whole>,
    octets: usize,
    /// Given up and not yet asked for.
    leaving: VecDeque<Whole>,
    /// What was given out last; packets borrow from it.
    given_out: Option<Whole>,
    given_up: u64,
}

impl Fragments {
    /// None yet.
    pub fn new(limits: Limits) -> Self {
        let (waiting, leaving) = (VecDeque::new(), VecDeque::new());
        Self { limits, waiting, octets: 0, leaving, given_out: None, given_up: 0 }
    }

    /// Whether nothing is waited for, nor kept.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.leaving.is_empty()
    }

    /// How many datagrams were given up.
    pub const fn given_up(&self) -> u64 {
        self.given_up
    }

    /// The datagram that was given out last.
    pub const fn last(&self) -> Option<&Whole> {
        self.given_out.as_ref()
    }

    /// Keeps a fragment that came in `frame` at `time`. The datagram if that makes it whole. Fragments of different
    /// scopes (interfaces, say) never belong together.
    pub fn add(
        &mut self,
        scope: u32,
        frame: u64,
        time: Option<Timestamp>,
        datagram: &Datagram<'_>,
    ) -> Option<&Whole> {
        let fragment = datagram.fragment?;
        self.expire(time);
        let at = self.waiting.iter().position(|whole| whole.is_of(scope, datagram, fragment));
        let at = at.unwrap_or_else(|| {
            self.waiting.push_back(Whole::new(scope, time, datagram, fragment));
            self.waiting.len() - 1
        });
        let whole = self.waiting.get_mut(at)?;
        let before = whole.octets.len();
        let kept = whole.keep(frame, time, datagram, fragment);
        let grown = whole.octets.len().saturating_sub(before);
        self.octets += grown;
        if !kept {
            self.give_up(at);
            return None;
        }
        if whole_is_there(self.waiting.get(at)?) {
            let whole = self.waiting.remove(at)?;
            self.octets = self.octets.saturating_sub(whole.octets.len());
            return Some(self.given_out.insert(whole));
        }
        while self.waiting.len() > self.limits.datagrams || self.octets > self.limits.octets {
            self.give_up(0);
        }
        None
    }

    /// Gives up what has waited too long.
    pub fn expire(&mut self, now: Option<Timestamp>) {
        let Some(now) = now else { return };
        let most = self.limits.seconds;
        let too_old = |whole: &Whole| {
            whole.started.is_some_and(|started| now.seconds.saturating_sub(started.seconds) > most)
        };
        while self.waiting.front().is_some_and(too_old) {
            self.give_up(0);
        }
    }

    fn give_up(&mut self, at: usize) {
        let Some(whole) = self.waiting.remove(at) else { return };
        self.octets = self.octets.saturating_sub(whole.octets.len());
        self.given_up += 1;
        // Who does not ask for them loses the oldest.
        self.leaving.push_back(whole);
        if self.leaving.len() > self.limits.given_up {
            self.leaving.pop_front();
        }
    }

    /// The next of those that were given up; with `all`, those that still wait are given up, too.
    pub fn next_given_up(&mut self, all: bool) -> Option<&Whole> {
        if self.leaving.is_empty() && all {
            self.give_up(0);
        }
        let whole = self.leaving.pop_front()?;
        Some(self.given_out.insert(whole))
    }
}

fn whole_is_there(whole: &Whole) -> bool {
    matches!(whole.pieces.as_slice(), [(0, there)] if whole.end == Some(*there))
}

impl Whole {
    fn new(scope: u32, time: Option<Timestamp>, datagram: &Datagram<'_>, fragment: Fragment) -> Self {
        Self {
            scope,
            source: datagram.source,
            destination: datagram.destination,
            protocol: datagram.protocol,
            identification: fragment.identification,
            ttl: 0,
            router_alert: false,
            cut: false,
            started: time,
            time,
            frame: 0,
            fragments: 0,
            octets: Vec::new(),
            pieces: Vec::new(),
            end: None,
        }
    }

    fn is_of(&self, scope: u32, datagram: &Datagram<'_>, fragment: Fragment) -> bool {
        self.scope == scope
            && self.identification == fragment.identification
            && self.protocol == datagram.protocol
            && (self.source, self.destination) == (datagram.source, datagram.destination)
    }

    /// Puts a fragment in its place; `false` if it contradicts the others or goes too far.
    fn keep(
        &mut self,
        frame: u64,
        time: Option<Timestamp>,
        datagram: &Datagram<'_>,
        fragment: Fragment,
    ) -> bool {
        let (start, payload) = (fragment.offset, datagram.payload);
        let end = start + payload.len();
        let past_end = self.end.is_some_and(|known| end > known || !fragment.more && end != known);
        let before_there = !fragment.more && self.pieces.last().is_some_and(|&(_, there)| there > end);
        // All but the last have a multiple of 8 octets, unless the capture cut them off.
        let crooked = fragment.more && !end.is_multiple_of(8) && !datagram.cut;
        if end > LARGEST || past_end || before_there || crooked {
            return false;
        }
        if self.pieces.iter().any(|&(from, to)| from <= start && end <= to)
            && self.octets.get(start..end) == Some(payload)
        {
            return true;
        }
        if self.pieces.iter().any(|&(from, to)| start < to && from < end) || self.pieces.len() >= PIECES {
            return false;
        }
        if !fragment.more {
            self.end = Some(end);
        }
        if start == 0 {
            (self.ttl, self.router_alert) = (datagram.ttl, datagram.router_alert());
        }
        self.cut |= datagram.cut;
        (self.time, self.frame) = (time, frame);
        self.fragments += 1;
        if self.octets.len() < end {
            self.octets.resize(end, 0);
        }
        if let Some(place) = self.octets.get_mut(start..end) {
            place.copy_from_slice(payload);
        }
        self.join(start, end);
        true
    }

    /// Notes a new piece, joined to those it touches.
    fn join(&mut self, start: usize, end: usize) {
        self.pieces.push((start, end));
        self.pieces.sort_unstable();
        self.pieces.dedup_by(|later, earlier| {
            let touch = earlier.1 == later.0;
            if touch {
                earlier.1 = later.1;
            }
            touch
        });
    }

    /// The payload as far as its octets are there without a gap; `None` when the first are missing.
    pub fn payload(&self) -> Option<&[u8]> {
        let &(0, there) = self.pieces.first()? else { return None };
        self.octets.get(..there)
    }

    /// Whether something of the payload is missing.
    pub fn is_cut(&self) -> bool {
        self.cut || !whole_is_there(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { datagrams: 4, octets: 1 << 20, seconds: 60, given_up: 0 };

    /// A fragment of an IPv6 packet, in its octets.
    fn octets(identification: u32, at: u16, octets: &[u8], more: bool) -> Vec<u8> {
        let length = (8 + octets.len()) as u16;
        let mut packet = [&[0x60, 0, 0, 0][..], &length.to_be_bytes(), &[44, 64]].concat();
        packet.extend([[0xfd; 16], [0xfc; 16]].concat());
        packet.extend([46, 0]);
        packet.extend((at | u16::from(more)).to_be_bytes());
        packet.extend(identification.to_be_bytes());
        packet.extend(octets);
        packet
    }

    fn add(fragments: &mut Fragments, seconds: u64, packet: &[u8]) -> Option<Vec<u8>> {
        let datagram = crate::ip::datagram(packet).expect("a packet");
        let time = Timestamp { seconds, ..Timestamp::default() };
        fragments.add(1, 1, Some(time), &datagram)?.payload().map(<[u8]>::to_vec)
    }

    #[test]
    fn pieces_in_any_order_make_the_packet() {
        let mut fragments = Fragments::new(LIMITS);
        assert_eq!(add(&mut fragments, 0, &octets(7, 16, b"end", false)), None);
        assert_eq!(add(&mut fragments, 0, &octets(7, 0, b"01234567", true)), None);
        let whole = add(&mut fragments, 0, &octets(7, 8, b"89abcdef", true));
        assert_eq!(whole.as_deref(), Some(&b"0123456789abcdefend"[..]));
        assert!(fragments.waiting.is_empty());
    }

    #[test]
    fn pieces_of_different_scopes_do_not_meet() {
        let mut fragments = Fragments::new(LIMITS);
        add(&mut fragments, 0, &octets(7, 0, b"01234567", true));
        let last = octets(7, 8, b"end", false);
        let datagram = crate::ip::datagram(&last).expect("a packet");
        assert!(fragments.add(2, 1, None, &datagram).is_none());
        assert_eq!(fragments.waiting.len(), 2);
    }

    #[test]
    fn an_overlap_spoils_the_packet() {
        let mut fragments = Fragments::new(LIMITS);
        add(&mut fragments, 0, &octets(7, 0, b"0123456789abcdef", true));
        assert_eq!(add(&mut fragments, 0, &octets(7, 8, b"another!", true)), None);
        assert!(fragments.waiting.is_empty() && fragments.leaving.is_empty(), "nothing of it is kept");
    }

    #[test]
    fn packets_that_wait_are_few_and_not_for_ever() {
        let mut fragments = Fragments::new(LIMITS);
        for identification in 0..1_000 {
            add(&mut fragments, 0, &octets(identification, 0, &[0; 8], true));
        }
        assert_eq!((fragments.waiting.len(), fragments.given_up()), (LIMITS.datagrams, 996));
        fragments.expire(Some(Timestamp { seconds: 61, ..Timestamp::default() }));
        assert!(fragments.waiting.is_empty() && fragments.leaving.is_empty());
    }
}
