//! The report as text.

use super::{Look, MessageReport, Report, UnenforcedReport, UseReport, ladder, shown, topology};
use crate::judge::SEPARATOR;
use std::fmt::Write;

/// Cells of the bar that shows how full a link is.
const BAR: usize = 20;

impl MessageReport {
    /// `lost`, or to whom of several it was; empty if it was not.
    pub(super) fn loss(&self) -> String {
        match (self.lost, self.lost_to.as_slice()) {
            (true, _) => "lost".to_owned(),
            (false, []) => String::new(),
            (false, missed) => format!("lost to {}", missed.join(", ")),
        }
    }

    /// To whom pictures show it: those whom it reached, or was to reach if it reached nobody.
    pub(super) fn shown_to(&self) -> impl Iterator<Item = &str> {
        self.to.iter().filter(|to| self.lost || !self.lost_to.contains(to)).map(String::as_str)
    }
}

impl Report {
    /// The whole report for a reader.
    #[must_use]
    pub fn text(&self, look: Look) -> String {
        let mut out = String::new();
        let _ = write!(out, "{} — seed {}, {}, {}s", self.scenario, self.seed, self.family, self.duration_s);
        out.push_str(&self.lab_speed.map_or_else(
            || "\n".to_owned(),
            |speed| format!(", by real daemons in network namespaces, {speed} times as fast\n"),
        ));
        for each in self.unenforced_lines() {
            let _ = writeln!(out, "  {each}");
        }
        let lines: Vec<&str> = self.description.trim().lines().map(str::trim).collect();
        if !lines.is_empty() {
            // What has to be folded is folded as one.
            let is_wide = |width| lines.iter().any(|line| line.chars().count() + 2 > width);
            let between = if look.width.is_some_and(is_wide) { " " } else { "\n  " };
            let _ = writeln!(out, "  {}", lines.join(between));
        }
        out.push_str("\nTopology\n");
        topology::draw(self, &mut out);
        out.push_str("\nMessages\n");
        ladder::draw(self, look, &mut out);
        out.push_str("\nReservations\n");
        self.reservations(&mut out);
        out.push_str("\nEvents\n");
        self.events(&mut out);
        if !self.data.is_empty() {
            out.push_str("\nData\n");
            self.data(&mut out);
        }
        if !self.traffic.is_empty() {
            out.push_str("\nTraffic\n");
            self.traffic.iter().for_each(|traffic| traffic.line(&mut out));
        }
        if !self.discards.is_empty() {
            out.push_str("\nDropped messages\n");
        }
        for each in &self.discards {
            let _ = writeln!(out, "  {} dropped {} ({})", each.node, each.count, each.reason);
        }
        out.push_str("\nExpectations\n");
        self.verdicts(&mut out, look, false);
        look.fit(&out).into_owned()
    }

    /// What has to be said of a lab in which reservations are not enforced, whatever else is shown: a line for each node.
    pub fn unenforced_lines(&self) -> impl Iterator<Item = String> + '_ {
        let line = |of: &UnenforcedReport| {
            format!("{}: reservations are signalled and admitted, but not enforced: {}", of.node, of.reason)
        };
        self.unenforced.iter().map(line)
    }

    /// Only what did not hold, for `--quiet`.
    #[must_use]
    pub fn brief(&self, look: Look) -> String {
        let mut out = String::new();
        self.verdicts(&mut out, look, true);
        look.fit(&out).into_owned()
    }

    /// What is reserved and what applications were told.
    pub(crate) fn state_text(&self) -> String {
        let mut out = String::from("Reservations\n");
        self.reservations(&mut out);
        out.push_str("Events\n");
        self.events(&mut out);
        out
    }

    /// One line for each message.
    #[must_use]
    pub fn trace(&self) -> String {
        let mut out = String::new();
        for message in &self.messages {
            let lost = message.loss();
            let _ = writeln!(
                out,
                "{:>11.6} {} -> {} on {} [{} > {} ttl {} len {}]{} {}",
                message.at,
                message.from,
                if message.to.is_empty() { "nobody".to_owned() } else { message.to.join(",") },
                message.link,
                message.source,
                message.destination,
                message.ttl,
                message.octets,
                if lost.is_empty() { lost } else { format!(" ({lost})") },
                message.text
            );
        }
        out
    }

    fn reservations(&self, out: &mut String) {
        if self.reservations.is_empty() {
            out.push_str("  none at any time\n");
        }
        for used in &self.reservations {
            let _ = write!(out, "  {} -> {}", used.from, used.to.join(", "));
            if self.links.iter().any(|l| l.name == used.link && l.kind == "lan") {
                let _ = write!(out, " on {}", used.link);
            }
            out.push('\n');
            if used.reserved_bps == 0 && used.reservations.is_empty() {
                let _ = writeln!(out, "    nothing at the end; at {:.3}s, when it was most:", used.peak_at);
                bar(used, used.peak_bps, &used.peak_reservations, out);
                continue;
            }
            bar(used, used.reserved_bps, &used.reservations, out);
            if used.peak_bps > used.reserved_bps {
                let _ = writeln!(out, "    at {:.3}s, when it was most:", used.peak_at);
                bar(used, used.peak_bps, &used.peak_reservations, out);
            }
        }
    }

    fn events(&self, out: &mut String) {
        let mut names: Vec<(&str, &str)> = Vec::new();
        for event in &self.events {
            if !names.contains(&(&event.application, &event.node)) {
                names.push((&event.application, &event.node));
            }
        }
        if names.is_empty() {
            out.push_str("  none\n");
        }
        for (application, node) in names {
            let _ = writeln!(out, "  {application} on {node}");
            for event in self.events.iter().filter(|e| e.application == application) {
                let _ = writeln!(out, "    {:>9.3}s  {}", event.at, event.text);
            }
        }
    }

    fn data(&self, out: &mut String) {
        let streams: Vec<String> =
            self.data.iter().map(|stream| format!("{} -> {}", stream.sender, stream.receiver)).collect();
        let wide = streams.iter().map(|stream| stream.chars().count()).max().unwrap_or_default();
        let _ = writeln!(out, "  {:wide$}  {:>8} {:>8} {:>8}  by DSCP", "", "sent", "received", "lost");
        for (stream, name) in self.data.iter().zip(&streams) {
            let came: Vec<String> =
                stream.dscp.iter().map(|(dscp, packets)| format!("{dscp} {packets}")).collect();
            let (sent, received, lost) = (stream.sent, stream.received, stream.lost);
            let _ = writeln!(out, "  {name:wide$}  {sent:>8} {received:>8} {lost:>8}  {}", came.join(", "));
        }
    }

    fn verdicts(&self, out: &mut String, look: Look, only_failed: bool) {
        let paint = |mark: &str, colour: u8| match look.colours {
            true => format!("\u{1b}[{colour}m{mark}\u{1b}[0m"),
            false => mark.to_owned(),
        };
        for verdict in self.expectations.iter().filter(|v| !(only_failed && v.held)) {
            let mark = match (verdict.held, &verdict.skipped) {
                (_, Some(_)) => paint("–", 33),
                (true, None) => paint("✓", 32),
                (false, None) => paint("✗", 31),
            };
            let title = if verdict.about.is_empty() { &verdict.expected } else { &verdict.about };
            let _ = writeln!(out, "  {mark} line {:<3} {title}", verdict.line);
            if let Some(why) = &verdict.skipped {
                let _ = writeln!(out, "      skipped: {why}");
            } else if !verdict.held {
                if !verdict.about.is_empty() {
                    let _ = writeln!(out, "      expected {}", verdict.expected);
                }
                for part in verdict.seen.split(SEPARATOR) {
                    let _ = writeln!(out, "      {part}");
                }
            }
        }
        if let Some(fault) = &self.fault {
            let _ = writeln!(out, "  {} the run was cut short {fault}", paint("✗", 31));
        }
        let skipped = self.expectations.iter().filter(|v| v.skipped.is_some()).count();
        let failed = self.expectations.iter().filter(|v| !v.held).count() - skipped;
        let all = self.expectations.len();
        let _ = match (all, failed, skipped) {
            (0, ..) => writeln!(out, "  nothing was expected"),
            (_, 0, 0) => writeln!(out, "  all {all} held"),
            (_, 0, _) => writeln!(out, "  {} of {all} held, {skipped} skipped", all - skipped),
            (_, _, 0) => writeln!(out, "  {failed} of {all} did not hold"),
            _ => writeln!(out, "  {failed} of {all} did not hold, {skipped} skipped"),
        };
    }
}

fn bar(used: &UseReport, bps: u64, reservations: &[String], out: &mut String) {
    let share = if used.reservable_bps == 0 { 0.0 } else { bps as f64 / used.reservable_bps as f64 };
    let full = ((share * BAR as f64).round() as usize).min(BAR);
    let _ = writeln!(
        out,
        "    [{}{}] {:.0}%  {} of {}",
        "#".repeat(full),
        ".".repeat(BAR - full),
        share * 100.0,
        shown(bps),
        shown(used.reservable_bps)
    );
    for reservation in reservations {
        let _ = writeln!(out, "      {reservation}");
    }
}
