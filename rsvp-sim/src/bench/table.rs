//! The figures as tables, as they are in docs/performance.md.

use super::measured::{CLASSES, Measured, Phase};
use super::messages::{Family, Shape};
use std::fmt::Write as _;

/// All runs.
pub(super) fn text(all: &[Measured]) -> String {
    let mut text = String::new();
    summaries(&mut text, all);
    for measured in all {
        phases(&mut text, measured);
    }
    text
}

/// Kinds of messages, with the phase whose mean is shown.
const KINDS: [(&str, &str); 6] = [
    ("set-up", "new Path"),
    ("set-up", "new Resv"),
    ("refreshes in", "Path refresh"),
    ("refreshes in", "Resv refresh"),
    ("a period of refreshes", "Path out"),
    ("a period of refreshes", "Resv out"),
];

fn summaries(text: &mut String, all: &[Measured]) {
    let kinds: Vec<&str> = KINDS.iter().map(|(_, kind)| *kind).collect();
    let _ = writeln!(
        text,
        "| reservations | set-ups a second | {}, ns | octets each, counted and resident | of a core at R = 30 s | left at the end |",
        kinds.join(", ns | ")
    );
    let _ = writeln!(text, "|{}", "---|".repeat(KINDS.len() + 5));
    for measured in all {
        let means = KINDS.map(|(phase, kind)| mean(measured, phase, kind));
        let octets = &measured.octets;
        let each = |octets: u64| octets / u64::from(measured.reservations.max(1));
        let resident = |octets: Option<u64>| octets.map_or_else(|| "?".to_owned(), |o| each(o).to_string());
        let _ = writeln!(
            text,
            "| {} | {} | {} | {}, {} | {:.2} % | {}, {} |",
            name(measured.shape, measured.family, measured.reservations),
            measured.set_ups_per_second,
            means.join(" | "),
            each(octets.counted),
            resident(octets.resident),
            measured.steady_percent,
            each(octets.counted_at_end),
            resident(octets.resident_at_end),
        );
    }
}

/// What a run is of.
pub(super) fn name(shape: Shape, family: Family, reservations: u32) -> String {
    format!(
        "{reservations} {}, {}",
        format!("{shape:?}").to_uppercase(),
        format!("{family:?}").replace("Ip", "IP")
    )
}

fn mean(measured: &Measured, phase: &str, kind: &str) -> String {
    let phase = measured.phases.iter().find(|p| p.name == phase);
    let mean = phase.and_then(|phase| phase.messages.get(kind));
    mean.map_or_else(String::new, |mean| mean.ns().to_string())
}

fn phases(text: &mut String, measured: &Measured) {
    let classes: Vec<String> = CLASSES.iter().map(|end| format!("{end} µs")).collect();
    let _ = writeln!(
        text,
        "\n{}:\n\n| phase | CPU | longest step | most looks | steps up to {} | more |",
        name(measured.shape, measured.family, measured.reservations),
        classes.join(" | ")
    );
    let _ = writeln!(text, "|{}", "---|".repeat(5 + CLASSES.len()));
    measured.phases.iter().for_each(|phase| row(text, phase));
}

fn row(text: &mut String, phase: &Phase) {
    let steps: Vec<String> = phase.histogram.iter().map(u64::to_string).collect();
    let longest = &phase.longest;
    let _ = writeln!(
        text,
        "| {} | {:.1} ms | {:.3} ms ({}, {} looks) | {} | {} |",
        phase.name,
        phase.ns as f64 / 1e6,
        longest.ns as f64 / 1e6,
        longest.what,
        longest.looks,
        phase.most_looks,
        steps.join(" | ")
    );
}
