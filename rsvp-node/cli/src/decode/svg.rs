//! `--svg`: the sequence diagram as a picture.
//!
//! A picture is for looking at, so it has a bound: the first messages and nodes, and it says how many it left out.

use std::net::IpAddr;

use super::ladder::labels;
use super::look::Look;
use super::rows::{Row, Rows};
use super::text::Text;
use super::verdict::Judged;
use rsvp_capture::packet::Packet;

/// Messages and nodes in one picture.
const ROWS: usize = 2000;
const NODES: usize = 24;
/// Distances, in pixels.
const LANE: usize = 220;
const ROW: usize = 34;
const LEFT: usize = 250;
const TOP: usize = 30;
/// Between two addresses of a node.
const LINE: usize = 16;
const ABOUT: usize = 420;

/// The messages so far.
pub(super) struct Picture {
    rows: Rows,
    left_out: u64,
}

/// A message in its picture: from lane to lane.
struct Drawn<'r> {
    row: &'r Row,
    from: usize,
    to: usize,
}

impl Picture {
    /// No message; `each`: refreshes are drawn like others.
    pub(super) fn new(each: bool) -> Self {
        Self { rows: Rows::new(each, ROWS), left_out: 0 }
    }

    pub(super) fn add(&mut self, packet: &Packet<'_>, judged: &Judged<'_>) {
        self.left_out += u64::from(!self.rows.add(packet, judged));
    }

    pub(super) fn draw(&mut self, look: &Look, out: &mut Text) {
        let rows = self.rows.take();
        let mut nodes = Vec::new();
        let mut drawn = Vec::new();
        for row in &rows {
            let ends = self.rows.ends(row);
            match ends.and_then(|(from, to)| Some((lane(&mut nodes, from)?, lane(&mut nodes, to)?))) {
                Some((from, to)) => drawn.push(Drawn { row, from, to }),
                None => self.left_out += 1,
            }
        }
        let labels = labels(&nodes, self.rows.joined());
        let top = TOP + LINE * labels.iter().map(Vec::len).max().unwrap_or(0);
        let width = LEFT + LANE * nodes.len().max(1) + ABOUT;
        let bottom = top + ROW * drawn.len() + 20;
        start(width, bottom + 40, out);
        for (lane, addresses) in labels.iter().enumerate() {
            node(x(lane), addresses, (top, bottom), out);
        }
        for (number, drawn) in drawn.iter().enumerate() {
            drawn.draw(top + ROW * number + ROW / 2, width - ABOUT + 10 - LANE / 2, look, out);
        }
        if self.left_out > 0 {
            out.put("<text x=\"16\" y=\"").number(bottom + 24).put("\" fill=\"#606060\">");
            out.number(self.left_out).put(" more messages are not drawn</text>\n");
        }
        out.put("</svg>\n");
    }
}

/// The lane of a node, a new one if there is room.
fn lane(nodes: &mut Vec<IpAddr>, node: IpAddr) -> Option<usize> {
    if let Some(lane) = nodes.iter().position(|known| *known == node) {
        return Some(lane);
    }
    (nodes.len() < NODES).then(|| {
        nodes.push(node);
        nodes.len() - 1
    })
}

/// The head of the file.
fn start(width: usize, height: usize, out: &mut Text) {
    out.put("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"")
        .number(width)
        .put("\" height=\"")
        .number(height);
    out.put("\" viewBox=\"0 0 ").number(width).put(" ").number(height);
    out.put("\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\">\n<defs>\n");
    for (name, colour) in COLOURS {
        out.put("<marker id=\"")
            .put(name)
            .put("\" markerWidth=\"10\" markerHeight=\"8\" refX=\"9\" refY=\"4\" ");
        out.put("orient=\"auto\"><path d=\"M0,0 L10,4 L0,8 z\" fill=\"").put(colour).put("\"/></marker>\n");
    }
    out.put("</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
}

/// A node: its line, and its addresses above.
fn node(x: usize, addresses: &[String], (top, bottom): (usize, usize), out: &mut Text) {
    out.put("<line x1=\"").number(x).put("\" y1=\"").number(top - 10).put("\" x2=\"").number(x);
    out.put("\" y2=\"")
        .number(bottom)
        .put("\" stroke=\"#c0c0c0\"/>\n<text text-anchor=\"middle\" font-weight=\"bold\">");
    for (line, address) in addresses.iter().enumerate() {
        out.put("<tspan x=\"").number(x).put("\" y=\"").number(TOP + LINE * line).put("\">");
        out.put(address).put("</tspan>");
    }
    out.put("</text>\n");
}

/// Arrows: down from the sender, up to it, and what is malformed.
const COLOURS: [(&str, &str); 3] = [("down", "#1f5fa8"), ("up", "#2c7a3f"), ("bad", "#b3261e")];

fn x(lane: usize) -> usize {
    LEFT + LANE * lane + LANE / 8
}

impl Drawn<'_> {
    fn draw(&self, y: usize, about_x: usize, look: &Look, out: &mut Text) {
        let row = self.row;
        let (marker, colour) = COLOURS[if row.is_malformed { 2 } else { usize::from(row.is_upstream) }];
        let (from, to) = (x(self.from), x(self.to));
        let text = |x: usize, y: usize, anchor: &str, fill: &str, text: &[u8], out: &mut Text| {
            out.put("<text x=\"").number(x).put("\" y=\"").number(y).put("\" text-anchor=\"").put(anchor);
            out.put("\" fill=\"").put(fill).put("\">");
            escaped(text, out);
            out.put("</text>\n");
        };
        let (mut frame, mut time) = (Text::new(), Text::new());
        frame.number(row.frame);
        if let Some(at) = row.time {
            time.time_of_day(look.clock(at).0);
        }
        text(60, y + 4, "end", "#606060", frame.as_bytes(), out);
        text(76, y + 4, "start", "#606060", time.as_bytes(), out);
        text(about_x, y + 4, "start", "#404040", row.about(look).as_bytes(), out);
        if from == to {
            out.put("<circle cx=\"")
                .number(from)
                .put("\" cy=\"")
                .number(y)
                .put("\" r=\"4\" fill=\"")
                .put(colour)
                .put("\"/>\n");
            return text(from + 10, y + 4, "start", colour, &row.name, out);
        }
        out.put("<line x1=\"")
            .number(from)
            .put("\" y1=\"")
            .number(y)
            .put("\" x2=\"")
            .number(to)
            .put("\" y2=\"")
            .number(y);
        out.put("\" stroke=\"")
            .put(colour)
            .put("\" stroke-width=\"1.5\" marker-end=\"url(#")
            .put(marker)
            .put(")\"/>\n");
        text((from + to) / 2, y - 5, "middle", colour, &row.name, out);
    }
}

/// Text as XML takes it.
fn escaped(text: &[u8], out: &mut Text) {
    for &octet in text {
        match octet {
            b'<' => out.put("&lt;"),
            b'>' => out.put("&gt;"),
            b'&' => out.put("&amp;"),
            0..0x20 => out.put(" "),
            _ => out.octet(octet),
        };
    }
}
