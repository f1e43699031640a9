//! What the README shows of a flood: its commands are run as they stand there, in a network like the one that it makes.

use super::super::super::commands::Running;
use super::super::super::net::Net;
use super::{Cell, Table, alone};
use serde_json::Value;

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("README.md")
}

/// The commands of `rsvp` in the block with the flood: which host runs it, and its arguments without the socket.
fn commands(readme: &str) -> Vec<(&'static str, String)> {
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let (block, _) =
        blocks.into_iter().find(|(block, _)| block.contains("--rate 30mbit")).expect("the flood");
    let read = |line: &str| {
        let line = line.strip_prefix("ip netns exec ")?.trim_end_matches(" &");
        let (host, rest) = line.split_once(" rsvp ")?;
        let words = rest.replace(&format!(" --socket {host}.sock"), "");
        Some((if host == "h1" { "a" } else { "b" }, words))
    };
    block.lines().filter_map(read).collect()
}

/// Runs the commands; what the receivers say of all packets, the one with the reservation first.
fn flood(net: &Net, commands: &[(&str, String)]) -> [Value; 2] {
    let running: Vec<(&str, Running)> = commands
        .iter()
        .map(|(node, words)| (words.as_str(), Running::start(net, node, &format!("{words} --json"))))
        .collect();
    let summary = |from: &str, port: &str| {
        let receives = |words: &str| words.starts_with("recv") && words.contains(port);
        let (_, receiver) = running.iter().find(|(words, _)| receives(words)).expect("a receiver");
        let line = receiver.until("summary", |line| line["summary"].is_object());
        assert_eq!(line["from"], from, "{line}");
        line["summary"].clone()
    };
    [summary("10.0.1.1:4000", "--port 5000"), summary("10.0.1.1:4001", "--port 5001")]
}

#[test]
fn the_reserved_flow_of_the_readme_survives_its_flood() {
    let _turn = alone();
    let Some(mut net) = Net::three_in_a_row("the README's flood") else { return };
    let readme = readme();
    let config = "[interfaces]\nbandwidth = \"10mbit\"\n";
    assert!(readme.contains(&config.replace('\n', "\\n")), "the README has the same configuration");
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, config));
    let commands = commands(&readme);
    assert_eq!(commands.len(), 5, "{commands:?}");
    let measured = Cell::measured(|| flood(&net, &commands));
    let number = |of: &Value, what: &str| of[what].as_f64().unwrap_or_else(|| panic!("{what} in {of}"));
    let [reserved, without] = &measured.value;
    assert!(number(reserved, "packets") > 400.0, "{reserved}");
    assert!(number(without, "lost_share") >= 0.3, "{without}");
    let mut table = Table::new("The README's flood", &["reserved", "without", "longest stall"]);
    table.row(&[reserved.to_string(), without.to_string(), measured.still()]);
    let (lost, p99) = (number(reserved, "lost_share"), number(reserved, "delay_p99_us"));
    table.expect(lost <= 0.001, measured.is_stalled(), format!("{lost} of the reserved flow is lost"));
    let median = number(without, "delay_median_us");
    table.expect(p99 < median, measured.is_stalled(), format!("{p99} us, and without reservation {median}"));
    table.judge();
    // What people see of it.
    for from in ["10.0.1.1:4000", "10.0.1.1:4001"] {
        assert!(readme.contains(&format!("{from}: in all ")), "{from}");
    }
}
