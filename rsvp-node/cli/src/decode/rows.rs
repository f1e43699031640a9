//! The messages of a sequence diagram: with refreshes folded into what they refresh, and from node to node.
//!
//! Where a message goes is often said only by a later one, so messages are gathered before they are drawn.

use std::collections::HashMap;
use std::net::IpAddr;

use rsvp_capture::Timestamp;
use rsvp_capture::packet::Packet;
use rsvp_wire::{Class, MsgType};

use super::hops::{Hops, Joined, Onward};
use super::lanes;
use super::look::Look;
use super::text::Text;
use super::verdict::Judged;

/// States whose refreshes are looked for.
const STATES: usize = 65_536;

/// A message to be drawn.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) frame: u64,
    pub(super) time: Option<Timestamp>,
    pub(super) name: Vec<u8>,
    pub(super) about: Vec<u8>,
    /// None: it came without IP.
    ends: Option<(IpAddr, IpAddr)>,
    onward: Option<Onward>,
    number: u64,
    pub(super) is_upstream: bool,
    pub(super) is_malformed: bool,
    /// How often it was said again, and when for the last time.
    refreshes: u64,
    until: Option<Timestamp>,
}

/// What tells the states apart that messages refresh: type, the octets of session and sender or hop, from, to.
type State = (MsgType, Vec<u8>, IpAddr, IpAddr);

/// The messages so far.
#[derive(Debug)]
pub(super) struct Rows {
    rows: Vec<Row>,
    hops: Hops,
    /// The message that set up a state, without what differs from refresh to refresh, its row, and whether the last one asked for
    /// confirmation.
    states: HashMap<State, (Vec<u8>, usize, bool)>,
    /// Whether refreshes are drawn as any other message.
    each: bool,
    most: usize,
    count: u64,
}

impl Rows {
    /// No message, and room for so many; `each`: refreshes are not folded.
    pub(super) fn new(each: bool, most: usize) -> Self {
        Self { rows: Vec::new(), hops: Hops::default(), states: HashMap::new(), each, most, count: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= self.most
    }

    /// Takes in a message; says whether there was room for it.
    pub(super) fn add(&mut self, packet: &Packet<'_>, judged: &Judged<'_>) -> bool {
        self.count += 1;
        let ends = lanes::ends(packet, judged);
        let onward = ends.and_then(|ends| self.hops.learn(self.count, packet, judged, ends));
        if !self.each && ends.is_some_and(|ends| self.is_refresh(packet, judged, ends)) {
            return true;
        }
        if self.is_full() {
            return false;
        }
        let (mut name, mut about) = (Text::new(), Text::new());
        lanes::name(packet, judged, &mut name);
        lanes::about(packet, judged, &mut about);
        self.rows.push(Row {
            frame: packet.frame,
            time: packet.time,
            name: name.as_bytes().to_vec(),
            about: about.as_bytes().to_vec(),
            ends,
            onward,
            number: self.count,
            is_upstream: lanes::is_upstream(judged),
            is_malformed: judged.fault.is_some(),
            refreshes: 0,
            until: None,
        });
        true
    }

    /// Whether a message only says again what the last one of its state said; that one counts it.
    fn is_refresh(&mut self, packet: &Packet<'_>, judged: &Judged<'_>, ends: (IpAddr, IpAddr)) -> bool {
        let Some(header) = judged.header.filter(|_| packet.quoted.is_none()) else { return false };
        let state = |kind| -> State {
            let which = [Class::SESSION, Class::SENDER_TEMPLATE, Class::STYLE];
            let named = judged.objects().filter(|object| which.contains(&object.class));
            (kind, named.flat_map(|object| object.body().to_vec()).collect(), ends.0, ends.1)
        };
        match header.msg_type {
            // What was torn is set up anew.
            MsgType::PATH_TEAR => {
                self.states.remove(&state(MsgType::PATH));
                false
            }
            MsgType::RESV_TEAR => {
                self.states.remove(&state(MsgType::RESV));
                false
            }
            MsgType::PATH | MsgType::RESV if judged.fault.is_none() => {
                // MESSAGE_ID and INTEGRITY are new each time. A confirmation is asked for once: later refreshes without it say the same.
                let changing =
                    [Class::INTEGRITY, Class::RESV_CONFIRM, Class::MESSAGE_ID, Class::MESSAGE_ID_ACK];
                let asks = judged.objects().any(|object| object.class == Class::RESV_CONFIRM);
                let said = judged.objects().filter(|object| !changing.contains(&object.class));
                let said: Vec<u8> = said
                    .flat_map(|object| [&[object.class.0, object.ctype.0][..], object.body()].concat())
                    .collect();
                let key = state(header.msg_type);
                if let Some((before, row, asked)) = self.states.get_mut(&key)
                    && *before == said
                    && asks <= *asked
                    && let Some(row) = self.rows.get_mut(*row)
                {
                    *asked = asks;
                    row.refreshes += 1;
                    row.until = packet.time;
                    return true;
                }
                if !self.is_full() && (self.states.len() < STATES || self.states.contains_key(&key)) {
                    self.states.insert(key, (said, self.rows.len(), asks));
                }
                false
            }
            _ => false,
        }
    }

    /// The messages that were gathered; begins to gather anew.
    pub(super) fn take(&mut self) -> Vec<Row> {
        self.states.clear();
        self.hops.join();
        std::mem::take(&mut self.rows)
    }

    /// Which addresses are of one node.
    pub(super) const fn joined(&self) -> &Joined {
        self.hops.joined()
    }

    /// From which node to which a message went, each by one of its addresses: to the next that has the message, as far as the
    /// capture shows that.
    pub(super) fn ends(&self, row: &Row) -> Option<(IpAddr, IpAddr)> {
        let (from, to) = row.ends?;
        let next = row.onward.and_then(|onward| self.hops.next(onward, row.number, to));
        Some((self.joined().node(from), self.joined().node(next.unwrap_or(to))))
    }
}

impl Row {
    /// How often it was refreshed, after what is said of it.
    pub(super) fn about(&self, look: &Look) -> Text {
        let mut out = Text::new();
        out.bytes(&self.about);
        if self.refreshes > 0 {
            out.put(if self.about.is_empty() { "" } else { ", " }).number(self.refreshes);
            out.put(if self.refreshes == 1 { " refresh" } else { " refreshes" });
            if let Some(until) = self.until {
                out.put(" until ").time_of_day(look.clock(until).0);
            }
        }
        out
    }
}
