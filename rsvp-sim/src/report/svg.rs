//! A run as a picture that stands still: the topology, and the ladder below it.

use super::junit::escaped;
use super::layout::layout;
use super::{MessageReport, Report, shown};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Rows that are drawn. Every node has its lane, however many there are.
const ROWS: usize = 1000;
/// Pixels.
const COLUMN: f64 = 130.0;
const ROW: f64 = 22.0;
const MARGIN: f64 = 90.0;
const ABOUT: f64 = 420.0;
/// Characters of a name that have room in a column.
const NAME: usize = 16;

const STYLE: &str = "<style>\
    text{font:12px sans-serif;fill:#222}.name{font-weight:bold;text-anchor:middle}.small{font-size:10px;fill:#666}\
    line,rect,circle{stroke:#888;fill:none}.router{fill:#dce9f8}.host{fill:#e4f3df}.plain{fill:#eee}\
    .down{stroke:#1f5fa8;fill:#1f5fa8}.up{stroke:#2c7a3f;fill:#2c7a3f}.lost{stroke:#b3261e;stroke-dasharray:4 3}</style>";

impl Report {
    /// The picture; what there is no room for is counted at its end.
    #[must_use]
    pub fn svg(&self) -> String {
        let place = layout(&self.nodes, &self.links);
        let names: BTreeMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(n, node)| (node.name.as_str(), n)).collect();
        let mut body = String::new();
        self.topology_svg(&place, &names, &mut body);
        let top = place.height + 60.0;
        let bottom = self.ladder_svg(top, &names, &mut body);
        let width = place.width.max(MARGIN + COLUMN * self.nodes.len() as f64 + ABOUT);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{0:.0}\" viewBox=\"0 0 {width:.0} \
             {0:.0}\">\n<title>{1}</title>\n{STYLE}\n<rect width=\"100%\" height=\"100%\" style=\"fill:#fff\"/>\n{body}</svg>\n",
            bottom + 40.0,
            escaped(&self.scenario)
        )
    }

    fn topology_svg(&self, place: &super::layout::Layout, names: &BTreeMap<&str, usize>, out: &mut String) {
        for (n, link) in self.links.iter().enumerate() {
            let ends = link.ends.iter().filter_map(|end| names.get(end.as_str())).map(|&n| place.nodes[n]);
            let ends: Vec<(f64, f64)> = ends.collect();
            let middle = place.middles[n].unwrap_or_else(|| {
                let sum = ends.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.0, sum.1 + at.1));
                (sum.0 / ends.len().max(1) as f64, sum.1 / ends.len().max(1) as f64)
            });
            for (x, y) in &ends {
                let _ = writeln!(
                    out,
                    "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
                    middle.0, middle.1
                );
            }
            let _ = writeln!(
                out,
                "<text class=\"small\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{} {}</text>",
                middle.0,
                middle.1 - 6.0,
                named(if link.kind == "lan" { &link.name } else { "" }),
                shown(link.rate_bps)
            );
        }
        for (node, (x, y)) in self.nodes.iter().zip(&place.nodes) {
            let (name, kind) = (named(&node.name), node.kind);
            let _ = match kind {
                "host" => writeln!(
                    out,
                    "<rect class=\"host\" x=\"{:.1}\" y=\"{:.1}\" width=\"32\" height=\"24\" rx=\"3\"/>",
                    x - 16.0,
                    y - 12.0
                ),
                _ => writeln!(out, "<circle class=\"{kind}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"14\"/>"),
            };
            let _ = writeln!(out, "<text class=\"name\" x=\"{x:.1}\" y=\"{:.1}\">{name}</text>", y + 28.0);
        }
    }

    /// The ladder; gives the height at which it ends.
    fn ladder_svg(&self, top: f64, names: &BTreeMap<&str, usize>, out: &mut String) -> f64 {
        let x = |n: usize| MARGIN + COLUMN * (n as f64 + 0.5);
        let mut rows: Vec<(usize, f64, Option<&MessageReport>, &str, &str)> = Vec::new();
        let new = self.messages.iter().filter(|m| !m.refresh || m.lost);
        rows.extend(new.map(|m| (m.order, m.at, Some(m), m.from.as_str(), m.text.as_str())));
        rows.extend(self.notes.iter().map(|n| (n.order, n.at, None, "", n.text.as_str())));
        rows.extend(self.events.iter().map(|e| (e.order, e.at, None, e.node.as_str(), e.text.as_str())));
        rows.sort_by_key(|row| row.0);
        let drawn = rows.len().min(ROWS);
        let bottom = top + 30.0 + ROW * drawn as f64;
        for (n, node) in self.nodes.iter().enumerate() {
            let (x, name) = (x(n), named(&node.name));
            let _ = writeln!(out, "<text class=\"name\" x=\"{x:.1}\" y=\"{top:.1}\">{name}</text>");
            let _ = writeln!(
                out,
                "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>",
                top + 8.0
            );
        }
        for (n, (_, at, message, node, text)) in rows.iter().take(ROWS).enumerate() {
            let y = top + 30.0 + ROW * n as f64;
            let _ = writeln!(out, "<text class=\"small\" x=\"8\" y=\"{:.1}\">{at:.3} s</text>", y + 4.0);
            let from = names.get(node).copied();
            if let (Some(message), Some(from)) = (message, from) {
                let class = match (message.lost, message.kind.as_str()) {
                    (true, _) => "lost",
                    (_, "Resv" | "ResvTear" | "PathErr") => "up",
                    _ => "down",
                };
                for to in message.shown_to().filter_map(|to| names.get(to).copied()) {
                    let side = if to > from { 1.0 } else { -1.0 };
                    let end = x(to);
                    let _ = writeln!(
                        out,
                        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{y:.1}\" x2=\"{end:.1}\" y2=\"{y:.1}\"/><path class=\"{class}\" \
                         d=\"M{end:.1} {y:.1} l{:.0} -4 v8 z\"/>",
                        x(from),
                        -8.0 * side
                    );
                }
            } else if let Some(at) = from {
                let _ = writeln!(out, "<circle class=\"down\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4\"/>", x(at));
            }
            let about = MARGIN + COLUMN * self.nodes.len() as f64 + 10.0;
            let _ = writeln!(out, "<text x=\"{about:.1}\" y=\"{:.1}\">{}</text>", y + 4.0, escaped(text));
        }
        let refreshes = self.messages.iter().filter(|m| m.refresh && !m.lost).count();
        let mut left = vec![format!("{refreshes} refreshes that say nothing new are not drawn")];
        left.extend((rows.len() > drawn).then(|| format!("nor {} later rows", rows.len() - drawn)));
        let _ = writeln!(
            out,
            "<text class=\"small\" x=\"8\" y=\"{:.1}\">{}</text>",
            bottom + 20.0,
            left.join(", ")
        );
        bottom + 20.0
    }
}

/// A name as there is room for it between neighbours: of a long one its beginning and its end, and all of it as a title.
fn named(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    if characters.len() <= NAME {
        return escaped(name);
    }
    let half = NAME / 2;
    let ends =
        [&characters[..half], ['…'].as_slice(), &characters[characters.len() + half + 1 - NAME..]].concat();
    let short: String = ends.into_iter().collect();
    format!("{}<title>{}</title>", escaped(&short), escaped(name))
}
