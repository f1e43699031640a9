//! Scenario files that nobody wrote on purpose: whatever is read is refused with a place or can be run; nothing panics.

use proptest::prelude::*;
use rsvp_sim::{Report, Scenario};
use std::time::Duration;

fn shipped(name: &str) -> Vec<u8> {
    let path = format!("{}/../rsvp-sim/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("a scenario that ships")
}

fn read_and_run(octets: &[u8]) {
    match Scenario::parse("fuzz.toml", octets) {
        Err(fault) => {
            let text = fault.to_string();
            assert!(fault.line > 0 && fault.column > 0 && !fault.message.is_empty(), "{text}");
            assert!(text.starts_with("fuzz.toml:"), "{text}");
        }
        // Longer runs and shorter refresh periods are sound, and too slow here.
        Ok(s) if s.duration <= Duration::from_secs(300) && s.refresh >= Duration::from_secs(5) => {
            let report = Report::of(s);
            assert!(report.fault.is_none(), "{:?}", report.fault);
            assert!(!report.text(Default::default()).is_empty());
        }
        Ok(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn octets_at_random(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_and_run(&octets);
    }

    #[test]
    fn a_shipped_file_with_a_few_octets_changed(
        name in prop::sample::select(vec!["three-routers", "figure-7-se", "link-failure"]),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0x20u8..0x7f), 1..4),
    ) {
        let mut octets = shipped(name);
        for (place, octet) in changes {
            let place = place.index(octets.len());
            octets[place] = octet;
        }
        read_and_run(&octets);
    }

    #[test]
    fn a_shipped_file_with_lines_left_out_doubled_or_exchanged(
        name in prop::sample::select(vec!["three-routers", "figure-6-ff", "admission-failure"]),
        (from, to) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        what in 0..3,
    ) {
        let octets = shipped(name);
        let text = String::from_utf8(octets).expect("text");
        let mut lines: Vec<&str> = text.lines().collect();
        let (from, to) = (from.index(lines.len()), to.index(lines.len()));
        match what {
            0 => drop(lines.remove(from)),
            1 => lines.insert(to, lines[from]),
            _ => lines.swap(from, to),
        }
        read_and_run(lines.join("\n").as_bytes());
    }
}
