//! The message ladder: one column per node, one row per message that says something new.
//!
//! Refreshes that repeat what was said before are counted, not drawn, so that a run stays on a screen or two.

use super::look::pieces;
use super::{Look, MessageReport, Report};
use std::fmt::Write;

/// Rows drawn before the ladder is cut; a run with more is better read with `--trace`.
const MOST_ROWS: usize = 400;

/// Columns before the lanes, between them and what is said, and least room for that.
const MARGIN: usize = 11;
const GAP: usize = 2;
const LEAST_ROOM: usize = 24;

/// Something drawn, at its time.
enum Row<'r> {
    Message(&'r MessageReport),
    Note(&'r str),
    Event(&'r str, &'r str, &'r str),
}

pub(super) fn draw(report: &Report, look: Look, out: &mut String) {
    let columns = Columns::new(report, look);
    columns.head(report, out);
    let mut rows: Vec<(usize, f64, Row<'_>)> = Vec::new();
    rows.extend(report.messages.iter().map(|m| (m.order, m.at, Row::Message(m))));
    rows.extend(report.notes.iter().map(|n| (n.order, n.at, Row::Note(&n.text))));
    rows.extend(report.events.iter().map(|e| (e.order, e.at, Row::Event(&e.application, &e.node, &e.text))));
    rows.sort_by_key(|row| row.0);
    let mut refreshes = 0;
    let mut drawn = 0;
    for (_, at, row) in &rows {
        if let Row::Message(MessageReport { refresh: true, lost: false, .. }) = row {
            refreshes += 1;
            continue;
        }
        if drawn == MOST_ROWS {
            let _ = writeln!(out, "{:MARGIN$}… cut here; --trace shows every message", "");
            return;
        }
        columns.refreshes(&mut refreshes, out);
        drawn += 1;
        let time = format!("{at:.3}");
        match row {
            Row::Message(message) => columns.message(&time, message, out),
            Row::Note(text) => columns.row(&time, "-".repeat(columns.width()), text, out),
            Row::Event(application, node, text) => {
                let here = if columns.lanes { String::new() } else { format!(" on {node}") };
                columns.row(&time, columns.star(node), &format!("* {application}{here}: {text}"), out);
            }
        }
    }
    columns.refreshes(&mut refreshes, out);
}

struct Columns {
    names: Vec<String>,
    /// Where each column's line stands.
    at: Vec<usize>,
    /// Whether there is room for them; without, rows say by names who sends to whom.
    lanes: bool,
    look: Look,
}

impl Columns {
    fn new(report: &Report, look: Look) -> Self {
        let names: Vec<String> = report.nodes.iter().map(|n| n.name.clone()).collect();
        let mut at = Vec::new();
        let mut place = 0;
        for (n, name) in names.iter().enumerate() {
            // Wide enough for half of both names, and for an arrow to be one.
            let half = name.chars().count() / 2;
            place += match n {
                0 => half,
                n => (names[n - 1].chars().count().div_ceil(2) + half + 1).max(6),
            };
            at.push(place);
        }
        let mut columns = Self { names, at, lanes: true, look };
        columns.lanes = look.width.is_none_or(|all| MARGIN + columns.width() + GAP + LEAST_ROOM <= all);
        columns
    }

    /// A row; what has no room beside the lanes goes on below.
    fn row(&self, time: &str, lanes: String, text: &str, out: &mut String) {
        let before = if self.lanes { MARGIN + self.width() + GAP } else { MARGIN };
        let room = self.look.width.map_or(usize::MAX, |all| all.saturating_sub(before));
        let (mut time, mut lanes) = (time, lanes);
        for piece in pieces(text, room, room) {
            let _ = match self.lanes {
                true => writeln!(out, "{time:>9}  {lanes}  {piece}"),
                false => writeln!(out, "{time:>9}  {piece}"),
            };
            (time, lanes) = ("", self.bars().into_iter().collect());
        }
    }

    fn width(&self) -> usize {
        self.at.last().map_or(0, |last| last + 1 + self.names.last().map_or(0, |n| n.chars().count()) / 2)
    }

    fn head(&self, report: &Report, out: &mut String) {
        let title = format!("{} messages", report.messages.len());
        if !self.lanes {
            let what = format!("{title}; the lanes of {} nodes are wider than this", self.names.len());
            return self.row("seconds", String::new(), &what, out);
        }
        let mut line: Vec<char> = vec![' '; self.width() + 1];
        for (n, name) in self.names.iter().enumerate() {
            let start = self.at[n] - name.chars().count() / 2;
            for (k, c) in name.chars().enumerate() {
                if let Some(cell) = line.get_mut(start + k) {
                    *cell = c;
                }
            }
        }
        let _ =
            writeln!(out, "{:>9}  {}  {title}", "seconds", line.into_iter().collect::<String>().trim_end());
    }

    fn bars(&self) -> Vec<char> {
        let mut line = vec![' '; self.width()];
        for &at in &self.at {
            line[at] = '|';
        }
        line
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name).map(|n| self.at[n])
    }

    fn star(&self, node: &str) -> String {
        let mut line = self.bars();
        if let Some(at) = self.place(node) {
            line[at] = '*';
        }
        line.into_iter().collect()
    }

    fn message(&self, time: &str, message: &MessageReport, out: &mut String) {
        let mut line = self.bars();
        if let Some(from) = self.place(&message.from) {
            for to in message.shown_to().filter_map(|to| self.place(to)) {
                let (low, high) = (from.min(to), from.max(to));
                for cell in &mut line[low + 1..high] {
                    if !matches!(cell, '<' | '>') {
                        *cell = '-';
                    }
                }
                if to > from {
                    line[to - 1] = '>';
                } else {
                    line[to + 1] = '<';
                }
            }
        }
        let line: String = line.into_iter().collect();
        let lost = message.loss();
        let lost = if lost.is_empty() { lost } else { format!("  ({lost})") };
        let names = match (self.lanes, message.to.as_slice()) {
            (true, _) => String::new(),
            (false, []) => format!("{} -> nobody: ", message.from),
            (false, to) => format!("{} -> {}: ", message.from, to.join(", ")),
        };
        self.row(time, line, &format!("{names}{}{lost}", message.text), out);
    }

    fn refreshes(&self, count: &mut usize, out: &mut String) {
        if *count > 0 {
            let plural = if *count == 1 { "" } else { "es" };
            let more = if self.look.ascii { "..." } else { "…" };
            let text = format!("({count} refresh{plural}, unchanged)");
            self.row(more, self.bars().into_iter().collect(), &text, out);
            *count = 0;
        }
    }
}
