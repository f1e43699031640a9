//! What the README shows is what happens.

use rsvp_sim::{Look, Report, Scenario};
use std::path::Path;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).expect(name)
}

/// The first fenced block of a language.
fn block(readme: &str, language: &str) -> String {
    let (_, rest) = readme.split_once(&format!("```{language}\n")).expect("the block begins");
    rest.split_once("```").expect("the block ends").0.to_owned()
}

#[test]
fn the_first_command_prints_what_the_readme_says() {
    let file = "rsvp-sim/scenarios/three-routers.toml";
    let readme = read("README.md");
    assert!(readme.contains(&format!("cargo run -p rsvp-sim -- run {file}")));
    let report = Report::of(Scenario::parse(file, read(file).as_bytes()).expect("sound"));
    assert!(report.held());
    let text = report.text(Look::default());
    let (_, messages) = text.split_once("\nMessages\n").expect("a ladder");
    // What is before is marked as left out.
    assert_eq!(format!("…\nMessages\n{messages}").trim_end(), block(&readme, "text").trim_end());
}

#[test]
fn the_example_scenario_holds() {
    let example = block(&read("README.md"), "toml");
    let report = Report::of(Scenario::parse("README.md", example.as_bytes()).expect("sound"));
    assert!(report.held(), "{}", report.text(Look::default()));
}
