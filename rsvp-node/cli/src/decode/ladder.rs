//! `--ladder`: a sequence diagram in the terminal, a line per message.
//!
//! Messages are drawn as they come and none is kept. A node gets a lane when it first appears, and the heading is drawn
//! again then; when there are no more lanes, the others share the last one.

use std::net::IpAddr;

use super::lanes;
use super::look::{Colour, Look};
use super::text::Text;
use super::verdict::Judged;
use rsvp_capture::packet::Packet;

/// Columns from lane to lane; room for an IPv4 address or for the name of a message in an arrow.
const LANE: usize = 20;
/// Columns before the first lane: frame and time.
const MARGIN: usize = 34;
/// The same where the output is narrower than `ROOMY`.
const NARROW_MARGIN: usize = 26;
const ROOMY: usize = 80;
/// Columns before what is said of a message, where that is on a line of its own.
const BELOW: usize = 11;
/// Lanes where the width is nobody's concern.
const LANES: usize = 6;
/// Columns after the last lane, before which lanes are left out: room for a session.
const ABOUT: usize = 26;

pub(super) struct Ladder {
    nodes: Vec<IpAddr>,
    most: usize,
    /// Whether nodes share the last lane.
    shared: bool,
    margin: usize,
}

impl Ladder {
    /// So many lanes, or as many of the usual ones as fit.
    pub(super) fn new(lanes: Option<u16>, look: &Look) -> Self {
        let margin = if look.width.is_some_and(|width| width < ROOMY) { NARROW_MARGIN } else { MARGIN };
        let fitting = |width: usize| (width.saturating_sub(margin + ABOUT) / LANE + 1).clamp(2, LANES);
        let most = lanes.map_or_else(|| look.width.map_or(LANES, fitting), usize::from);
        Self { nodes: Vec::new(), most, shared: false, margin }
    }

    pub(super) fn write(&mut self, packet: &Packet<'_>, judged: &Judged<'_>, look: &Look, out: &mut Text) {
        let Some((from, to)) = lanes::ends(packet, judged) else {
            out.right(packet.frame, 7).put("  ");
            lanes::name(packet, judged, out);
            out.put("  (without IP addresses)\n");
            return;
        };
        let before = (self.nodes.len(), self.shared);
        let (start, end) = (self.lane(from), self.lane(to));
        if before != (self.nodes.len(), self.shared) {
            look.paint(Colour::Heading, out.put("\n"), |out| self.heading(out));
            out.put("\n");
        }
        let line = out.len();
        out.right(packet.frame, 7).put("  ");
        if let Some(time) = packet.time {
            out.time_of_day(look.clock(time).0);
        }
        out.column(line, self.margin);
        let lanes = self.nodes.len() + usize::from(self.shared);
        let mut name = Text::new();
        lanes::name(packet, judged, &mut name);
        arrow((start, end), lanes, &name, out);
        let mut about = Text::new();
        if self.shared {
            about.address(from).put(" > ").address(to).put("  ");
        }
        lanes::about(packet, judged, &mut about);
        // What does not fit beside the lanes goes below them.
        let drawn = out.len() - line;
        if look.width.is_some_and(|width| drawn + 2 + about.len() > width) {
            out.trim();
            let below = out.put("\n").len();
            out.spaces(BELOW).bytes(about.as_bytes()).put("\n");
            look.fold(below, BELOW, out);
        } else {
            out.put("  ").bytes(about.as_bytes()).put("\n");
        }
    }

    /// The lane of a node, a new one if there is room.
    fn lane(&mut self, node: IpAddr) -> usize {
        if let Some(lane) = self.nodes.iter().position(|known| *known == node) {
            return lane;
        }
        if self.nodes.len() + 1 < self.most {
            self.nodes.push(node);
            return self.nodes.len() - 1;
        }
        self.shared = true;
        self.nodes.len()
    }

    fn heading(&self, out: &mut Text) {
        let start = out.len();
        out.put("  frame  time").column(start, self.margin - LANE / 2 + 1);
        for node in &self.nodes {
            let label = node.to_string();
            centred(&label, out);
        }
        if self.shared {
            centred("others", out);
        }
    }
}

/// A text in the middle of a lane's columns; the start of one that is too long is left out.
fn centred(label: &str, out: &mut Text) {
    let room = LANE - 1;
    let skipped = label.len().saturating_sub(room - 1);
    let shown = if skipped > 0 { format!("…{}", &label[skipped + 1..]) } else { label.to_owned() };
    let width = shown.chars().count();
    let left = (LANE - width) / 2;
    out.spaces(left).put(&shown).spaces(LANE - width - left);
}

/// The lanes with an arrow from one to another, which carries the name.
fn arrow((start, end): (usize, usize), lanes: usize, name: &Text, out: &mut Text) {
    let (left, right) = (start.min(end), start.max(end));
    for lane in 0..lanes {
        let inside = left <= lane && lane < right;
        let mark = match lane {
            _ if lane == end && start < end => ">",
            _ if lane == end && start > end => "<",
            _ if lane == start => "*",
            _ if left < lane && lane < right => "-",
            _ => "|",
        };
        out.put(mark);
        if lane + 1 == lanes && start != end {
            break;
        }
        if lane == left && inside {
            let length = name.len().min(LANE - 3);
            out.put("-").bytes(&name.as_bytes()[..length]);
            dashes(LANE - 2 - length, out);
        } else if inside {
            dashes(LANE - 1, out);
        } else if lane == start && start == end {
            // To itself: what was seen has no other end.
            let length = name.len().min(LANE - 3);
            out.put(" ").bytes(&name.as_bytes()[..length]).spaces(LANE - 2 - length);
        } else {
            out.spaces(LANE - 1);
        }
    }
}

fn dashes(count: usize, out: &mut Text) {
    (0..count).for_each(|_| _ = out.octet(b'-'));
}
