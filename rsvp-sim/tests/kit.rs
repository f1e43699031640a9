//! The test kit: what its assertions say and leave, and the worlds that it draws.

use proptest::prelude::*;
use rsvp_sim::{Scenario, World, kit};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

fn pair() -> World {
    let built = World::builder()
        .name("pair")
        .seed(77)
        .hosts(["studio", "home"])
        .routers(["r1", "r2"])
        .link("studio", "r1", |l| l)
        .link("r1", "r2", |l| l.cost(3))
        .link("r2", "home", |l| l)
        .session("video", |s| s.to("home"))
        .route("r1", |r| r.to("home").outgoing(["r2"]))
        .sender("camera", "studio", |s| s.rate("2mbit"))
        .receiver("viewer", "home", |r| r.style("ff").rate("2mbit").confirm(true));
    built.build().expect("a world")
}

/// What an assertion says that does not hold.
fn says(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("it does not hold");
    *panic.downcast::<String>().expect("a text")
}

#[test]
fn what_holds_passes_and_what_does_not_says_what_was_seen_and_leaves_it() {
    let mut world = pair();
    kit::assert_by(&mut world, Duration::from_secs(5), "confirmed", |w| {
        Ok(w.application("viewer")?.is_confirmed())
    });
    kit::expect(&mut world, "what = \"reservations\"\nnode = \"r1\"\nlist = [{ rate = \"2mbit\" }]");
    kit::assert_that(&mut world, "one path", |w| Ok(w.node("r2")?.paths().len() == 1));
    world.change("camera", |c| c.rate("3mbit")).expect("an action");
    world.crash("r2", Duration::from_secs(1)).expect("an action");
    world.run_until(Duration::from_secs(200));

    let said = says(|| {
        kit::expect(&mut world, "what = \"reservations\"\nnode = \"r1\"\nlist = [{ rate = \"9mbit\" }]")
    });
    assert!(
        said.contains("missing") && said.contains("rate 9Mbit/s") && said.contains("rate 2Mbit/s"),
        "{said}"
    );
    assert!(said.contains("scenario pair, seed 77, ipv4"), "{said}");
    let said = says(|| kit::assert_that(&mut world, "nothing is reserved", |_| Ok(false)));
    assert!(said.starts_with("at 200") && said.contains("not so: nothing is reserved"), "{said}");
    assert!(said.contains("viewer on home") && said.contains("FF camera{2Mbit/s CL}"), "{said}");

    // The scenario that is left does the same again, with what was done between the steps.
    let left = |kind: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(kind)).expect("a file");
        std::fs::read(line.trim()).expect("it is there")
    };
    let again = Scenario::parse("again.toml", &left("again: ")).expect("a sound scenario");
    let (_, record) = World::new(again).run();
    let labels =
        |sent: &[rsvp_sim::world::Sent]| sent.iter().map(|m| (m.at, m.label.clone())).collect::<Vec<_>>();
    assert_eq!(labels(&record.sent), labels(&world.record().sent));
    let capture = left("capture: ");
    assert!(capture.len() > 24 + world.record().sent.len() * 16, "{} octets", capture.len());
}

/// The file that is left, by the word before its name.
fn left(said: &str, kind: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix(kind)).expect("a file");
    line.trim().to_owned()
}

#[test]
fn files_of_failures_are_apart_and_have_what_failed() {
    let mut world = pair();
    world.run_until(Duration::from_secs(7));
    let first = says(|| {
        kit::expect(&mut world, "what = \"reservations\"\nnode = \"r1\"\nlist = [{ rate = \"9mbit\" }]")
    });
    assert!(!first.contains("not in the scenario file"), "{first}");
    let second = says(|| kit::expect(&mut world, "what = \"messages\"\ntype = \"ResvErr\"\ncount = 3"));
    assert_ne!(left(&first, "again: "), left(&second, "again: "));
    assert_ne!(left(&first, "capture: "), left(&second, "capture: "));
    for (said, expected) in [(&first, "rate 9Mbit/s"), (&second, "ResvErr")] {
        let text = std::fs::read_to_string(left(said, "again: ")).expect("it is there");
        assert!(text.starts_with("# at 7") && text.contains(expected), "{text}");
        let again = Scenario::parse("again.toml", text.as_bytes()).expect("a sound scenario");
        assert_eq!(again.expectations.len(), 1, "{text}");
        assert!(!rsvp_sim::Report::of(again).held(), "{text}");
    }
}

#[test]
fn what_no_scenario_file_can_say_is_said() {
    let mut world = pair();
    world.run_until(Duration::from_secs(3));
    world.partition("r1-r2").expect("a link");
    world.hold("r2-home").expect("a link");
    world.link_down("r1-r2").expect("an action");
    let said = says(|| kit::assert_that(&mut world, "nothing is reserved", |_| Ok(false)));
    let text = std::fs::read_to_string(left(&said, "again: ")).expect("it is there");
    for what in ["link r1-r2 loses everything at 3", "link r2-home is held at 3"] {
        let line = format!("not in the scenario file: {what}");
        assert!(said.contains(&format!("\n{line}")), "no {line:?} in {said}");
        assert!(text.contains(&format!("\n# {line}")), "no {line:?} in {text}");
    }
    assert_eq!(said.matches("not in the scenario file").count(), 2, "{said}");
    Scenario::parse("again.toml", text.as_bytes()).expect("a sound scenario");
}

#[test]
fn an_expectation_that_is_none_is_refused_with_its_line() {
    let mut world = pair();
    let said = says(|| kit::expect(&mut world, "what = \"reservations\"\nnode = \"r3\""));
    assert!(said.starts_with(file!()) && said.contains("unknown node \"r3\""), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn drawn_worlds_run_and_keep_within_what_can_be_reserved(scenario in kit::worlds()) {
        let report = rsvp_sim::Report::of(scenario);
        prop_assert!(report.fault.is_none(), "{:?}", report.fault);
        for used in &report.reservations {
            prop_assert!(used.peak_bps <= used.reservable_bps, "{} on {}", used.from, used.link);
        }
    }
}
