//! `--ladder`: a sequence diagram in the terminal, a line per message.
//!
//! Messages are drawn as they come and none is kept. A node gets a lane when it first appears, and the heading is drawn
//! again then; when there are no more lanes, the others share the last one.

use std::net::IpAddr;

use super::lanes;
use super::text::Text;
use super::verdict::Judged;
use rsvp_capture::packet::Packet;

/// Columns from lane to lane; room for an IPv4 address or for the name of a message in an arrow.
const LANE: usize = 20;
/// Columns before the first lane: frame and time.
const MARGIN: usize = 34;

pub(super) struct Ladder {
    nodes: Vec<IpAddr>,
    most: usize,
    /// Whether nodes share the last lane.
    shared: bool,
}

impl Ladder {
    pub(super) fn new(lanes: u16) -> Self {
        Self { nodes: Vec::new(), most: lanes.into(), shared: false }
    }

    pub(super) fn write(&mut self, packet: &Packet<'_>, judged: &Judged<'_>, out: &mut Text) {
        let Some((from, to)) = lanes::ends(packet, judged) else {
            out.right(packet.frame, 7).put("  ");
            lanes::name(judged, out);
            out.put("  (without IP addresses)\n");
            return;
        };
        let before = (self.nodes.len(), self.shared);
        let (start, end) = (self.lane(from), self.lane(to));
        if before != (self.nodes.len(), self.shared) {
            self.heading(out);
        }
        let line = out.len();
        out.right(packet.frame, 7).put("  ");
        if let Some(time) = packet.time {
            out.time_of_day(time);
        }
        out.column(line, MARGIN);
        let lanes = self.nodes.len() + usize::from(self.shared);
        let mut name = Text::new();
        lanes::name(judged, &mut name);
        arrow((start, end), lanes, &name, out);
        out.put("  ");
        if self.shared {
            out.address(from).put(" > ").address(to).put("  ");
        }
        lanes::about(judged, out);
        out.put("\n");
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
        let start = out.put("\n").len();
        out.put("  frame  time").column(start, MARGIN - LANE / 2 + 1);
        for node in &self.nodes {
            let label = node.to_string();
            centred(&label, out);
        }
        if self.shared {
            centred("others", out);
        }
        out.put("\n");
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
