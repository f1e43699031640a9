//! `--svg`: the sequence diagram as a picture.
//!
//! A picture is for looking at, so it has a bound: the first messages and nodes, and it says how many it left out.

use std::net::IpAddr;

use super::lanes;
use super::look::Look;
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
const TOP: usize = 70;
const ABOUT: usize = 420;

/// What is drawn of a message.
struct Row {
    frame: Vec<u8>,
    time: Vec<u8>,
    name: Vec<u8>,
    about: Vec<u8>,
    from: usize,
    to: usize,
    upstream: bool,
    malformed: bool,
}

/// The messages so far.
pub(super) struct Picture {
    nodes: Vec<IpAddr>,
    rows: Vec<Row>,
    left_out: u64,
}

impl Picture {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), rows: Vec::new(), left_out: 0 }
    }

    pub(super) fn add(&mut self, packet: &Packet<'_>, judged: &Judged<'_>, look: &Look) {
        let ends = lanes::ends(packet, judged).filter(|_| self.rows.len() < ROWS);
        let Some((from, to)) = ends.and_then(|(from, to)| Some((self.lane(from)?, self.lane(to)?))) else {
            self.left_out += 1;
            return;
        };
        let (mut frame, mut time, mut name, mut about) = (Text::new(), Text::new(), Text::new(), Text::new());
        frame.number(packet.frame);
        if let Some(at) = packet.time {
            time.time_of_day(look.clock(at).0);
        }
        lanes::name(packet, judged, &mut name);
        lanes::about(packet, judged, &mut about);
        self.rows.push(Row {
            frame: frame.as_bytes().to_vec(),
            time: time.as_bytes().to_vec(),
            name: name.as_bytes().to_vec(),
            about: about.as_bytes().to_vec(),
            from,
            to,
            upstream: lanes::is_upstream(judged),
            malformed: judged.fault.is_some(),
        });
    }

    fn lane(&mut self, node: IpAddr) -> Option<usize> {
        if let Some(lane) = self.nodes.iter().position(|known| *known == node) {
            return Some(lane);
        }
        (self.nodes.len() < NODES).then(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        })
    }

    pub(super) fn draw(&self, out: &mut Text) {
        let width = LEFT + LANE * self.nodes.len().max(1) + ABOUT;
        let bottom = TOP + ROW * self.rows.len() + 20;
        let height = bottom + 40;
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
            out.put("orient=\"auto\"><path d=\"M0,0 L10,4 L0,8 z\" fill=\"")
                .put(colour)
                .put("\"/></marker>\n");
        }
        out.put("</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        for (lane, node) in self.nodes.iter().enumerate() {
            let at = x(lane);
            out.put("<line x1=\"")
                .number(at)
                .put("\" y1=\"46\" x2=\"")
                .number(at)
                .put("\" y2=\"")
                .number(bottom);
            out.put("\" stroke=\"#c0c0c0\"/>\n<text x=\"")
                .number(at)
                .put("\" y=\"34\" text-anchor=\"middle\" ");
            out.put("font-weight=\"bold\">").address(*node).put("</text>\n");
        }
        for (number, row) in self.rows.iter().enumerate() {
            row.draw(TOP + ROW * number + ROW / 2, width - ABOUT + 10 - LANE / 2, out);
        }
        if self.left_out > 0 {
            out.put("<text x=\"16\" y=\"").number(bottom + 24).put("\" fill=\"#606060\">");
            out.number(self.left_out).put(" more messages are not drawn</text>\n");
        }
        out.put("</svg>\n");
    }
}

/// Arrows: down from the sender, up to it, and what is malformed.
const COLOURS: [(&str, &str); 3] = [("down", "#1f5fa8"), ("up", "#2c7a3f"), ("bad", "#b3261e")];

fn x(lane: usize) -> usize {
    LEFT + LANE * lane + LANE / 8
}

impl Row {
    fn draw(&self, y: usize, about_x: usize, out: &mut Text) {
        let (marker, colour) = COLOURS[if self.malformed { 2 } else { usize::from(self.upstream) }];
        let (from, to) = (x(self.from), x(self.to));
        let text = |x: usize, y: usize, anchor: &str, fill: &str, text: &[u8], out: &mut Text| {
            out.put("<text x=\"").number(x).put("\" y=\"").number(y).put("\" text-anchor=\"").put(anchor);
            out.put("\" fill=\"").put(fill).put("\">");
            escaped(text, out);
            out.put("</text>\n");
        };
        text(60, y + 4, "end", "#606060", &self.frame, out);
        text(76, y + 4, "start", "#606060", &self.time, out);
        text(about_x, y + 4, "start", "#404040", &self.about, out);
        if from == to {
            out.put("<circle cx=\"")
                .number(from)
                .put("\" cy=\"")
                .number(y)
                .put("\" r=\"4\" fill=\"")
                .put(colour)
                .put("\"/>\n");
            return text(from + 10, y + 4, "start", colour, &self.name, out);
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
        text((from + to) / 2, y - 5, "middle", colour, &self.name, out);
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
