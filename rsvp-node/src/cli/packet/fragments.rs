//! IP fragments until their datagram is whole: RFC 791 3.2 and RFC 8200 4.5, within fixed bounds.
//!
//! A datagram that waits too long, or has to make room, is given up; so is one whose fragments overlap, as RFC 5722
//! asks for in IPv6 and as is prudent in IPv4. A fragment that comes twice alike is ignored.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::ip::{Datagram, Fragment};
use super::{Packet, message};
use crate::cli::capture::{Frame, Timestamp};

/// Datagrams that are waited for at the same time.
const DATAGRAMS: usize = 256;
/// Octets that all of them may keep.
const OCTETS: usize = 4 << 20;
/// The largest payload of a datagram.
const LARGEST: usize = 65_535;
/// Pieces of one datagram that do not touch.
const PIECES: usize = 256;
/// How long a datagram is waited for, by the clock of the capture.
const SECONDS: u64 = 60;

/// What tells datagrams apart.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    identification: u32,
}

/// A datagram that is whole, or as whole as it will be.
#[derive(Debug)]
pub(super) struct Whole {
    key: Key,
    ttl: u8,
    router_alert: bool,
    cut: bool,
    /// When the first of its fragments came, and when and in which frame the last.
    started: Option<Timestamp>,
    time: Option<Timestamp>,
    frame: u64,
    fragments: u32,
    octets: Vec<u8>,
    /// The octets that are there: start and end of each piece, in order, not touching.
    pieces: Vec<(usize, usize)>,
    /// Where the datagram ends, once known.
    end: Option<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Fragments {
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
    pub(super) const fn given_up(&self) -> u64 {
        self.given_up
    }

    /// The datagram that was given out last.
    pub(super) const fn last(&self) -> Option<&Whole> {
        self.given_out.as_ref()
    }

    /// Keeps a fragment. The datagram if that makes it whole.
    pub(super) fn add(&mut self, frame: &Frame<'_>, datagram: &Datagram<'_>) -> Option<&Whole> {
        let fragment = datagram.fragment?;
        self.expire(frame.time);
        let key = Key {
            source: datagram.source,
            destination: datagram.destination,
            protocol: datagram.protocol,
            identification: fragment.identification,
        };
        let at = self.waiting.iter().position(|waiting| waiting.key == key).unwrap_or_else(|| {
            self.waiting.push_back(Whole::new(key, frame));
            self.waiting.len() - 1
        });
        let whole = self.waiting.get_mut(at)?;
        let before = whole.octets.len();
        let kept = whole.keep(frame, datagram, fragment);
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
        while self.waiting.len() > DATAGRAMS || self.octets > OCTETS {
            self.give_up(0);
        }
        None
    }

    fn expire(&mut self, now: Option<Timestamp>) {
        let Some(now) = now else { return };
        let too_old = |whole: &Whole| {
            whole.started.is_some_and(|started| now.seconds.saturating_sub(started.seconds) > SECONDS)
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
        if self.leaving.len() > DATAGRAMS {
            self.leaving.pop_front();
        }
    }

    pub(super) fn next_given_up(&mut self, all: bool) -> Option<&Whole> {
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
    fn new(key: Key, frame: &Frame<'_>) -> Self {
        Self {
            key,
            ttl: 0,
            router_alert: false,
            cut: false,
            started: frame.time,
            time: frame.time,
            frame: frame.number,
            fragments: 0,
            octets: Vec::new(),
            pieces: Vec::new(),
            end: None,
        }
    }

    /// Puts a fragment in its place; `false` if it contradicts the others or goes too far.
    fn keep(&mut self, frame: &Frame<'_>, datagram: &Datagram<'_>, fragment: Fragment) -> bool {
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
            (self.ttl, self.router_alert) = (datagram.ttl, datagram.router_alert);
        }
        self.cut |= datagram.cut;
        self.time = frame.time;
        self.frame = frame.number;
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

    /// Whether there is the start of a message in it.
    pub(super) fn is_rsvp(&self) -> bool {
        self.packet().is_some()
    }

    /// The message, as far as its octets are there without a gap.
    pub(super) fn packet(&self) -> Option<Packet<'_>> {
        let Some(&(0, there)) = self.pieces.first() else { return None };
        let datagram = Datagram {
            source: self.key.source,
            destination: self.key.destination,
            ttl: self.ttl,
            router_alert: self.router_alert,
            protocol: self.key.protocol,
            fragment: None,
            cut: self.cut || !whole_is_there(self),
            payload: self.octets.get(..there)?,
        };
        // Only number and time of a frame are looked at.
        let frame = Frame { number: self.frame, time: self.time, link: super::link::RAW, octets: &[] };
        message(&frame, &datagram, self.fragments)
    }
}
