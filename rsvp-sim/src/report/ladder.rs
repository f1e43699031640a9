//! The message ladder: one column per node, one row per message that says something new.
//!
//! Refreshes that repeat what was said before are counted, not drawn, so that a run stays on a screen or two.

use super::{MessageReport, Report};
use std::fmt::Write;

/// Rows drawn before the ladder is cut; a run with more is better read with `--trace`.
const MOST_ROWS: usize = 400;

const MARGIN: usize = 11;

/// Something drawn, at its time.
enum Row<'r> {
    Message(&'r MessageReport),
    Note(&'r str),
    Event(&'r str, &'r str, &'r str),
}

pub(super) fn draw(report: &Report, out: &mut String) {
    let columns = Columns::new(report);
    columns.names(report, out);
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
        match row {
            Row::Message(message) => columns.message(message, out),
            Row::Note(text) => {
                let _ = writeln!(out, "{at:>9.3}  {:-<1$}  {text}", "", columns.width());
            }
            Row::Event(application, node, text) => {
                let _ = writeln!(out, "{at:>9.3}  {}  * {application}: {text}", columns.star(node));
            }
        }
    }
    columns.refreshes(&mut refreshes, out);
}

struct Columns {
    names: Vec<String>,
    /// Where each column's line stands.
    at: Vec<usize>,
}

impl Columns {
    fn new(report: &Report) -> Self {
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
        Self { names, at }
    }

    fn width(&self) -> usize {
        self.at.last().map_or(0, |last| last + 1 + self.names.last().map_or(0, |n| n.chars().count()) / 2)
    }

    fn names(&self, report: &Report, out: &mut String) {
        let mut line: Vec<char> = vec![' '; self.width() + 1];
        for (n, name) in self.names.iter().enumerate() {
            let start = self.at[n] - name.chars().count() / 2;
            for (k, c) in name.chars().enumerate() {
                if let Some(cell) = line.get_mut(start + k) {
                    *cell = c;
                }
            }
        }
        let title = format!("{} messages", report.messages.len());
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

    fn message(&self, message: &MessageReport, out: &mut String) {
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
        let _ = writeln!(out, "{:>9.3}  {line}  {}{lost}", message.at, message.text);
    }

    fn refreshes(&self, count: &mut usize, out: &mut String) {
        if *count > 0 {
            let line: String = self.bars().into_iter().collect();
            let plural = if *count == 1 { "" } else { "es" };
            let _ = writeln!(out, "{:>9}  {line}  ({count} refresh{plural}, unchanged)", "…");
            *count = 0;
        }
    }
}
