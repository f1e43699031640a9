//! What is shown where there is little room, few characters or many nodes, and what worlds say that keep no record.

use rsvp_sim::{Builder, Look, Report, Scenario, ScenarioError, World};
use std::process::Command;
use std::time::Duration;

fn shipped(name: &str) -> String {
    format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Standard output of a run with these arguments, in a locale.
fn shown(locale: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rsvp-sim"));
    let output = command.arg("run").args(arguments).env("LC_ALL", locale).output().expect("the command");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// What is left of a text without blanks and marks.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[test]
fn sixty_columns_are_enough_and_nothing_is_lost() {
    for name in ["three-routers", "killer-reservation", "figure-7-se", "reserved-survives", "same-segment"] {
        for options in [&[][..], &["--trace"]] {
            let all = |width: &str| {
                shown("C.UTF-8", &[options, &["--width", width, shipped(name).as_str()]].concat())
            };
            let (narrow, wide) = (all("60"), all("0"));
            for line in narrow.lines() {
                assert!(line.chars().count() <= 60, "{name}: {line}");
            }
            assert!(wide.lines().any(|line| line.chars().count() > 60), "{name} was never too wide");
            // The ladder has another form, all else the same words.
            let after =
                |text: &str| letters(text.rsplit_once("\nReservations\n").map_or(text, |(_, rest)| rest));
            assert_eq!(after(&narrow), after(&wide), "{name}: {narrow}");
        }
    }
}

#[test]
fn a_ladder_has_lanes_where_they_have_room_and_names_where_not() {
    let file = shipped("killer-reservation");
    let at = |width: &str| shown("C.UTF-8", &["--width", width, &file]);
    let (lanes, names) = (at("80"), at("60"));
    // Seven nodes: the lanes go on beside what is too long for its room.
    assert!(lanes.contains("|---------->|     |     |     |     |   Path s1{8Mbit/s}"), "{lanes}");
    let error = lanes.lines().skip_while(|line| !line.contains("ResvErr WF")).nth(1).expect("the rest of it");
    assert!(error.trim_start().starts_with("|     |") && error.contains("admission"), "{error}");
    assert!(names.contains("262 messages; the lanes of 7 nodes are wider than"), "{names}");
    assert!(names.contains("    0.001  up -> a: Path s1{8Mbit/s}"), "{names}");
    assert!(names.contains("    0.002  * greedy on r1: path: s2 sends 8Mbit/s"), "{names}");
}

#[test]
fn a_c_locale_gets_ascii() {
    let file = shipped("killer-reservation");
    for options in [&[][..], &["--width", "60"], &["--trace"]] {
        let text = shown("C", &[options, &[file.as_str()]].concat());
        assert!(text.is_ascii(), "{text}");
    }
    let (plain, usual) = (shown("C", &[&file]), shown("C.UTF-8", &[&file]));
    assert!(plain.contains("killer-reservation - seed 1") && plain.contains("\n  + line "), "{plain}");
    assert!(usual.contains("killer-reservation — seed 1") && usual.contains("\n  ✓ line "), "{usual}");
    assert_eq!(letters(&plain), letters(&usual));
    // What is said of a bad file, too.
    let output = Command::new(env!("CARGO_BIN_EXE_rsvp-sim"))
        .args(["check", "/dev/null"])
        .env("LC_ALL", "C")
        .output()
        .expect("the command");
    assert!(output.status.code() == Some(2) && output.stderr.is_ascii(), "{output:?}");
}

/// A router with so many viewers of one group.
fn group(viewers: usize) -> Builder {
    let mut built = World::builder().name("group").duration("10s").host("studio").router("r");
    built = built.link("studio", "r", |l| l).session("video", |s| s.group("video"));
    built = built.sender("camera", "studio", |s| s.rate("1mbit"));
    for n in 0..viewers {
        let (host, viewer) = (format!("h{n}"), format!("viewer{n}"));
        built = built.host(&host).link("r", &host, |l| l);
        built = built.receiver(&viewer, &host, |r| r.style("wf").rate("1mbit").confirm(true));
    }
    built
}

#[test]
fn every_node_has_its_lane_in_pictures_and_in_text_however_many_there_are() {
    let report = Report::of(group(90).scenario().expect("a world"));
    let picture = report.svg();
    let drawn = roxmltree::Document::parse(&picture).expect("SVG");
    let texts: Vec<&str> =
        drawn.descendants().filter(|node| node.has_tag_name("text")).filter_map(|node| node.text()).collect();
    for node in &report.nodes {
        // In the topology, and above its lane.
        assert_eq!(texts.iter().filter(|text| **text == node.name).count(), 2, "{}", node.name);
    }
    assert!(!texts.iter().any(|text| text.contains("nor ")), "no node and no row is left out");
    let text = report.text(Look::default());
    let head = text.lines().find(|line| line.starts_with("  seconds")).expect("a ladder");
    assert_eq!(head.split_whitespace().filter(|word| word.starts_with('h')).count(), 90);
    let narrow = report.text(Look { width: Some(100), ..Look::default() });
    assert!(narrow.contains("the lanes of 92 nodes are wider than this"), "{narrow}");
    assert!(narrow.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn a_world_without_a_record_knows_who_is_confirmed_and_says_what_it_does_not_know()
-> Result<(), ScenarioError> {
    let expected = "[[expect]]\nwhat = \"events\"\nlist = []\n[[expect]]\nwhat = \"messages\"\nlist = []\n\
                    [[expect]]\nwhat = \"paths\"\nnode = \"h0\"\ncount = 1\n";
    let scenario: Scenario = group(2).toml(expected).scenario()?;
    let mut world = World::unrecorded(scenario.clone());
    let confirmed =
        |world: &World| -> Result<bool, ScenarioError> { Ok(world.application("viewer0")?.is_confirmed()) };
    assert!(!confirmed(&world)?);
    assert!(world.run_until_that(confirmed, Duration::from_secs(9))?);
    assert!(!world.application("camera")?.is_confirmed());
    for fault in [
        world.application("viewer0")?.told().map(drop).expect_err("nothing is kept"),
        world.application("viewer0")?.events().map(drop).expect_err("nothing is kept"),
        world.application("viewer0")?.refusals().map(drop).expect_err("nothing is kept"),
    ] {
        assert!(fault.file == file!() && fault.message.contains("keeps no record"), "{fault}");
    }
    world.run_until(Duration::from_secs(10));
    let skipped: Vec<bool> =
        world.report().expectations.iter().map(|verdict| verdict.skipped.is_some()).collect();
    assert_eq!(skipped, [true, true, false], "nothing seen is not nothing there");
    let mut recorded = World::new(scenario);
    recorded.run_until(Duration::from_secs(10));
    assert!(recorded.application("viewer0")?.events()?.count() > 1);
    assert!(recorded.report().expectations.iter().all(|verdict| verdict.skipped.is_none()));
    Ok(())
}
