//! `--ladder`: a sequence diagram in the terminal, a line per message.
//!
//! Messages are gathered, so that all nodes stand in one heading and arrows end at the next node; very many in portions, and what
//! is captured live one by one. A heading is drawn again when there are more lanes; when there are no more, the others share the
//! last one.

use std::net::IpAddr;

use super::hops::Joined;
use super::look::{Colour, Look};
use super::rows::{Row, Rows};
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

/// Messages that are gathered before they are drawn.
const GATHERED: usize = 100_000;

pub(super) struct Ladder {
    rows: Rows,
    /// Nodes with a lane, each by one of its addresses.
    nodes: Vec<IpAddr>,
    most: usize,
    /// Whether nodes share the last lane.
    shared: bool,
    margin: usize,
}

impl Ladder {
    /// So many lanes, or as many of the usual ones as fit. `live`: each message is drawn at once; `each`: refreshes, too.
    pub(super) fn new(lanes: Option<u16>, look: &Look, live: bool, each: bool) -> Self {
        let margin = if look.width.is_some_and(|width| width < ROOMY) { NARROW_MARGIN } else { MARGIN };
        let fitting = |width: usize| (width.saturating_sub(margin + ABOUT) / LANE + 1).clamp(2, LANES);
        let most = lanes.map_or_else(|| look.width.map_or(LANES, fitting), usize::from);
        let rows = Rows::new(live || each, if live { 1 } else { GATHERED });
        Self { rows, nodes: Vec::new(), most, shared: false, margin }
    }

    pub(super) fn add(&mut self, packet: &Packet<'_>, judged: &Judged<'_>, look: &Look, out: &mut Text) {
        self.rows.add(packet, judged);
        if self.rows.is_full() {
            self.draw(look, out);
        }
    }

    /// Draws what was gathered.
    pub(super) fn draw(&mut self, look: &Look, out: &mut Text) {
        let before = (self.nodes.len(), self.shared);
        let mut drawn = Vec::new();
        for row in self.rows.take() {
            let ends = self.rows.ends(&row);
            drawn.push((row, ends, ends.map(|(from, to)| (self.lane(from), self.lane(to)))));
        }
        if before != (self.nodes.len(), self.shared) {
            out.put("\n");
            self.heading(look, out);
        }
        for (row, ends, lanes) in drawn {
            self.row(&row, ends.zip(lanes), look, out);
        }
    }

    fn row(&self, row: &Row, ends: Option<((IpAddr, IpAddr), (usize, usize))>, look: &Look, out: &mut Text) {
        let Some(((from, to), ends)) = ends else {
            out.right(row.frame, 7).put("  ").bytes(&row.name).put("  (without IP addresses)\n");
            return;
        };
        let line = out.len();
        out.right(row.frame, 7).put("  ");
        if let Some(time) = row.time {
            out.time_of_day(look.clock(time).0);
        }
        out.column(line, self.margin);
        let lanes = self.nodes.len() + usize::from(self.shared);
        arrow(ends, lanes, &row.name, out);
        let mut about = Text::new();
        if self.shared {
            about.address(from).put(" > ").address(to).put("  ");
        }
        about.bytes(row.about(look).as_bytes());
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

    /// The lane of a node, a new one if there is room. When there are more nodes than lanes, the last lane is that of all others.
    fn lane(&mut self, node: IpAddr) -> usize {
        let joined = self.rows.joined();
        if let Some(lane) = self.nodes.iter().position(|known| joined.node(*known) == node) {
            return lane;
        }
        if !self.shared && self.nodes.len() < self.most {
            self.nodes.push(node);
            return self.nodes.len() - 1;
        }
        if !self.shared {
            self.shared = true;
            self.nodes.pop();
        }
        self.nodes.len()
    }

    /// A line for each address that a node has at most.
    fn heading(&self, look: &Look, out: &mut Text) {
        let labels = labels(&self.nodes, self.rows.joined());
        let lines = labels.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for line in 0..lines {
            look.paint(Colour::Heading, out, |out| {
                let start = out.len();
                out.put(if line == 0 { "  frame  time" } else { "" });
                out.column(start, self.margin - LANE / 2 + 1);
                for addresses in &labels {
                    centred(addresses.get(line).map_or("", String::as_str), out);
                }
                if self.shared && line == 0 {
                    centred("others", out);
                }
                out.trim();
            });
            out.put("\n");
        }
    }
}

/// The addresses of each of some nodes.
pub(super) fn labels(nodes: &[IpAddr], joined: &Joined) -> Vec<Vec<String>> {
    let label = |node: &IpAddr| joined.addresses(*node).iter().map(IpAddr::to_string).collect();
    nodes.iter().map(label).collect()
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
fn arrow((start, end): (usize, usize), lanes: usize, name: &[u8], out: &mut Text) {
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
            out.put("-").bytes(&name[..length]);
            dashes(LANE - 2 - length, out);
        } else if inside {
            dashes(LANE - 1, out);
        } else if lane == start && start == end {
            // To itself: what was seen has no other end.
            let length = name.len().min(LANE - 3);
            out.put(" ").bytes(&name[..length]).spaces(LANE - 2 - length);
        } else {
            out.spaces(LANE - 1);
        }
    }
}

fn dashes(count: usize, out: &mut Text) {
    (0..count).for_each(|_| _ = out.octet(b'-'));
}
