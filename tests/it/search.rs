//! The world search: a slice of it, what it does when something fails, and the recorder beside it.

use rsvp_sim::World;
use rsvp_sim::journal::{self, ReplayError};
use rsvp_sim::scenario::model::{Deed, LinkId, Scenario};
use rsvp_sim::search::{self, Summary};
use serde_json::Value;
use std::collections::BTreeSet;

/// The same slice in every run; continuous integration searches new seeds besides.
const SLICE: std::ops::Range<u64> = 0..150;

#[test]
fn a_slice_of_drawn_worlds_keeps_all_promises() {
    let mut summary = Summary::default();
    for seed in SLICE {
        let outcome = search::try_world(&search::world_of(seed));
        if let Some(failure) = &outcome.failure {
            panic!("seed {seed} at {}: not so: {}: {}", failure.at, failure.promise, failure.seen);
        }
        summary.add(&outcome);
    }
    assert!(summary.missing().is_empty(), "{}", summary.text());
    let (nodes, reservations) = summary.mean_size();
    assert!(nodes >= 8.0 && reservations >= 6.0, "{}", summary.text());
    assert!(summary.features["must equal the reference"] > SLICE.end / 3, "{}", summary.text());
}

/// Worlds that broke a promise once, the rarer kinds, of which a slice has none.
const BROKEN_ONCE: [u64; 22] = [
    77, 452, 914, 4453, 15821, 18031, 23472, 38394, 42887, 51127, 53043, 53078, 58217, 58796, 60877, 68514,
    70679, 71525, 73176, 85905, 96657, 97113,
];

#[test]
fn worlds_that_broke_a_promise_once_keep_all_of_them() {
    for seed in BROKEN_ONCE {
        let outcome = search::try_world(&search::world_of(seed));
        assert_eq!(outcome.failure, None, "seed {seed}");
    }
}

/// Worlds that the search found when the engine was wrong in what each says in its first line (see `docs/mutants.md`).
#[test]
fn worlds_that_showed_how_the_engine_was_wrong_keep_all_promises() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("worlds");
    let files: BTreeSet<_> =
        std::fs::read_dir(folder).expect("worlds").map(|entry| entry.expect("a file").path()).collect();
    assert_eq!(files.len(), 9, "{files:?}");
    for file in files {
        let (name, text) = (file.display().to_string(), std::fs::read(&file).expect("a world"));
        let world = Scenario::parse(&name, &text).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(search::try_world(&world).failure, None, "{name}");
    }
}

#[test]
fn a_world_is_the_same_when_it_is_written_and_read() {
    for seed in SLICE {
        let drawn = search::world_of(seed);
        let text = drawn.to_toml();
        let mut read =
            Scenario::parse("drawn.toml", text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}\n{text}"));
        read.file.clear();
        assert_eq!(format!("{read:?}"), format!("{drawn:?}"), "{text}");
    }
}

#[test]
fn a_failing_world_becomes_small_and_still_fails_in_the_same_way() {
    // What nothing can live with: an engine's messages are all damaged to the end, for the world claims to be calm.
    let (mut whole, failure) = (0..100)
        .find_map(|seed| {
            let mut scenario = search::world_of(seed);
            scenario.faults_until = None;
            scenario.links.iter_mut().for_each(|link| link.corrupt = 1.0);
            let failure = search::try_world(&scenario).failure?;
            Some((scenario, failure))
        })
        .expect("a world cannot equal the reference when no message arrives");
    whole
        .actions
        .push(rsvp_sim::scenario::model::Action { at: whole.refresh, deed: Deed::LinkUp(LinkId(0)) });
    let (small, still) = search::shrink(&whole, &failure);
    assert_eq!(still.promise, failure.promise);
    assert_eq!(search::try_world(&small).failure, Some(still));
    assert!(small.actions.is_empty(), "{}", small.to_toml());
    assert!(small.nodes.len() < whole.nodes.len(), "{}", small.to_toml());
    assert_eq!((small.senders.len(), small.receivers.len()), (1, 1), "{}", small.to_toml());
}

#[test]
fn a_journal_replays_octet_for_octet_and_a_changed_one_does_not() {
    for seed in 0..20 {
        let (_, record, journal) = World::new(search::world_of(seed)).run_recorded();
        let done = journal::replay(journal.text()).unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
        let sent = record.sent.iter().filter(|sent| !sent.forwarded).count() as u64;
        assert!(done.outputs >= sent && done.inputs > 0 && sent > 0, "seed {seed}: {done:?}");
        // The last message sent is another than the one written down.
        let message = "\"transmit\":\"";
        let at = journal.text().rfind(message).expect("a message") + message.len();
        let end = at + journal.text()[at..].find('"').expect("the end of it") - 1;
        let mut changed = journal.text().to_owned();
        let digit = if &changed[end..=end] == "0" { "1" } else { "0" };
        changed.replace_range(end..=end, digit);
        assert!(
            journal::replay(&changed).is_err_and(|fault| fault.to_string().contains("then")),
            "seed {seed}"
        );
    }
}

#[test]
fn a_journal_is_written_in_words_of_its_own() {
    let (_, _, journal) = World::new(search::world_of(3)).run_recorded();
    let mut words = BTreeSet::new();
    for line in journal.text().lines().skip(1) {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let said = line["outputs"].as_array().into_iter().flatten().chain(line.get("outcome"));
        for value in said {
            // Either a word, or an object whose first key says what it is.
            let debug =
                ["(", "{ ", "Some"].iter().any(|form| value.as_str().is_some_and(|s| s.contains(form)));
            assert!(!debug, "not a word: {value}");
            let kinds = ["transmit", "traffic_control", "event", "idle", "discarded", "refused"];
            let kind = kinds.into_iter().find(|kind| value.get(kind).is_some());
            words.insert(
                kind.or(value.as_str()).unwrap_or_else(|| panic!("no kind of output: {value}")).to_owned(),
            );
        }
    }
    for kind in ["taken", "transmit", "traffic_control", "event", "idle"] {
        assert!(words.contains(kind), "no {kind} in {words:?}");
    }
}

#[test]
fn a_journal_of_another_version_is_not_done_again() {
    let (_, _, journal) = World::new(search::world_of(0)).run_recorded();
    let other = journal.text().replacen("\"version\":2", "\"version\":1", 1);
    assert!(journal::replay(&other).is_err_and(|fault| fault.to_string().contains("version 1")));
    assert!(matches!(journal::replay(""), Err(ReplayError::Unsound(_))));
    assert!(journal::replay("").is_err_and(|fault| fault.to_string().contains("no journal")));
    assert!(journal::replay("{\"event\":1}\n").is_err_and(|fault| fault.to_string().contains("no journal")));
}

#[test]
fn a_journal_of_a_whole_run_is_known_to_be_cut_between_lines() {
    let (_, _, journal) = World::new(search::world_of(0)).run_recorded();
    // A run's journal says how long it is; one of a daemon, which does not, is done again as far as it goes.
    let whole = journal.whole();
    assert_eq!(journal::replay(&whole), journal::replay(journal.text()));
    let cut = whole.split_inclusive('\n').take(30).collect::<String>();
    assert!(whole.lines().count() > 30);
    assert_eq!(journal::replay(&cut).map(|done| done.cut), Ok(Some(31)));
    let open = journal.text().split_inclusive('\n').take(30).collect::<String>();
    assert_eq!(journal::replay(&open).map(|done| done.cut), Ok(None));
}

#[test]
fn a_digest_is_of_what_engines_say() {
    let world = search::world_of(5);
    let digest = |scenario: &Scenario| search::digest_world(scenario).digest.expect("a digest");
    assert_eq!(digest(&world), digest(&world));
    assert_eq!(search::try_world(&world).digest, None);
    // Another refresh period is in every message, other names of nodes are in none.
    let mut slower = world.clone();
    slower.refresh += core::time::Duration::from_millis(1);
    assert_ne!(digest(&world), digest(&slower));
    let mut named = world.clone();
    named.nodes.iter_mut().for_each(|node| node.name.push('x'));
    assert_eq!(digest(&world), digest(&named));
}
