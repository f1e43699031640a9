//! The command as a user meets it: what it prints, what it exits with, and what it says about bad files.

use std::path::PathBuf;
use std::process::{Command, Output};

fn shipped(name: &str) -> String {
    format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rsvp-sim"));
    command.args(arguments).env("LC_ALL", "C.UTF-8").output().expect("the command")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// A scratch file of this test's own.
fn file(name: &str, octets: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, octets).expect("a scratch file");
    path
}

/// Runs a bad file: exit 2, and a message that names file, place and fault.
fn refused(name: &str, octets: &[u8], says: &[&str]) {
    let path = file(name, octets);
    let path = path.to_str().expect("a name");
    for command in ["run", "check"] {
        let output = run(&[command, path]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{command} {name}: {said}");
        assert_eq!(stdout(&output), "", "{command} {name}");
        assert!(said.starts_with(&format!("rsvp-sim: {path}:")), "{said}");
        for each in says {
            assert!(said.contains(each), "{command} {name}: no {each:?} in {said}");
        }
        assert!(!said.contains("panicked"), "{said}");
    }
}

fn three_routers() -> String {
    std::fs::read_to_string(shipped("three-routers")).expect("a shipped scenario")
}

#[test]
fn the_first_command_shows_everything_and_exits_0() {
    let output = run(&["run", &shipped("three-routers")]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for part in [
        "(studio)----[r1]----[r2]----[r3]----(home)",
        "Resv FF camera{2Mbit/s GS}",
        "refreshes, unchanged",
        "50%  2Mbit/s of 4Mbit/s",
        "resv confirmed: FF camera{2Mbit/s GS} by studio",
        "✓",
        "all 6 held",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert!(text.lines().count() < 100, "too long for a screen or two");
    assert!(!text.contains('\u{1b}'), "no colours where no terminal is");
}

#[test]
fn a_middle_link_that_is_too_small_exits_1_and_says_where() {
    let text = three_routers().replacen(
        "delay = \"10ms\"\nreservable = \"80%\"",
        "delay = \"10ms\"\nreservable = \"30%\"",
        1,
    );
    let path = file("small-link.toml", text.as_bytes());
    let output = run(&["run", path.to_str().expect("a name")]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.contains("resv error: FF camera{2Mbit/s GS} admission-control/bandwidth at r2"), "{text}");
    assert!(text.contains('✗') && text.contains("saw "), "{text}");
    let quiet = run(&["run", "--quiet", path.to_str().expect("a name")]);
    assert_eq!(quiet.status.code(), Some(1));
    assert!(!stdout(&quiet).contains('✓'));
}

#[test]
fn quiet_says_nothing_when_all_is_well() {
    let output = run(&["run", "--quiet", &shipped("three-routers")]);
    assert_eq!(
        (output.status.code(), stdout(&output), stderr(&output)),
        (Some(0), String::new(), String::new())
    );
}

#[test]
fn json_is_one_document_with_the_same_content_and_the_same_for_the_same_seed() {
    let json = |seed: &str| stdout(&run(&["run", "--json", "--seed", seed, &shipped("figure-6-ff")]));
    let first = json("5");
    let value: serde_json::Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(value["scenario"], "figure-6-ff");
    assert_eq!(value["seed"], 5);
    for part in ["nodes", "links", "messages", "reservations", "events", "expectations"] {
        assert!(value[part].as_array().is_some_and(|list| !list.is_empty()), "{part}");
    }
    assert_eq!(first, json("5"));
    assert_ne!(first, json("6"));
}

#[test]
fn trace_gives_one_line_per_message() {
    let scenario = shipped("three-routers");
    let traced = stdout(&run(&["run", "--trace", &scenario]));
    let json = stdout(&run(&["run", "--json", &scenario]));
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let messages = value["messages"].as_array().expect("messages").len();
    assert_eq!(traced.lines().filter(|line| line.contains(" -> ")).count(), messages);
}

#[test]
fn the_family_can_be_chosen() {
    let text = stdout(&run(&["run", "--family", "ipv6", &shipped("three-routers")]));
    assert!(text.contains("fd00:1::1") && !text.contains("10.0.1.1"), "{text}");
}

/// tshark is asked where it is installed; its verdict is the one that counts for captures.
#[test]
fn captures_open_as_rsvp_without_complaints() {
    for family in ["ipv4", "ipv6"] {
        for name in ["three-routers", "killer-reservation", "teardown", "figure-7-se"] {
            let path = file(&format!("{name}-{family}.pcap"), b"");
            let path = path.to_str().expect("a name");
            let output = run(&["run", "--quiet", "--family", family, "--pcap", path, &shipped(name)]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            let capture = std::fs::read(path).expect("a capture");
            assert_eq!(capture[20..24], 101u32.to_be_bytes(), "raw IP");
            let tshark = |filter: &str| Command::new("tshark").args(["-r", path, "-Y", filter]).output();
            let Ok(all) = tshark("rsvp") else { return };
            let packets = stdout(&all).lines().count();
            assert!(packets > 10, "{name}: {packets} packets; {}", stderr(&all));
            let other =
                stdout(&tshark("!rsvp || _ws.malformed || _ws.expert.severity >= 6291456").expect("tshark"));
            assert_eq!(other, "", "{name}, {family}");
        }
    }
}

#[test]
fn an_unwritable_capture_is_reported() {
    let output = run(&["run", "--quiet", "--pcap", "/nonexistent/out.pcap", &shipped("three-routers")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("/nonexistent/out.pcap: cannot write the capture"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn check_counts_what_a_sound_file_has() {
    let output = run(&["check", &shipped("three-routers"), &shipped("teardown")]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(text.contains("ok: 5 nodes, 4 links, 1 senders, 1 receivers, 6 expectations"), "{text}");
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn check_reports_every_bad_file_and_still_checks_the_others() {
    let bad = file("check-bad.toml", b"name = 5");
    let output = run(&["check", bad.to_str().expect("a name"), &shipped("teardown")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).contains("teardown.toml: ok"));
    assert!(
        stderr(&output)
            .contains("check-bad.toml:1:8: name: expected a string in quotes, found a bare number")
    );
}

#[test]
fn a_missing_file_or_a_directory_is_reported() {
    for path in ["/nonexistent/scenario.toml", "/"] {
        let output = run(&["run", path]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("cannot read it"), "{}", stderr(&output));
    }
}

#[test]
fn a_typo_in_a_key_is_met_with_what_was_meant() {
    let text = three_routers().replacen("rate = \"2mbit\"\nbucket", "rat = \"2mbit\"\nbucket", 1);
    let line = text.lines().position(|l| l.starts_with("rat ")).expect("the typo") + 1;
    let place = format!(":{line}:1: ");
    refused(
        "typo.toml",
        text.as_bytes(),
        &[
            &place,
            "unknown key \"rat\" in [[sender]]",
            "expected one of name, node",
            "did you mean \"rate\"?",
        ],
    );
}

#[test]
fn a_typo_in_an_expectation_is_met_likewise() {
    let text =
        three_routers().replacen("sender = \"camera\", previous_hop", "sendr = \"camera\", previous_hop", 1);
    refused(
        "typo-expect.toml",
        text.as_bytes(),
        &["unknown key \"sendr\" in a path", "did you mean \"sender\"?"],
    );
}

#[test]
fn an_unknown_node_is_named() {
    let text = three_routers().replacen("[\"r2\", \"r3\"]", "[\"r2\", \"r33\"]", 1);
    refused(
        "node.toml",
        text.as_bytes(),
        &["unknown node \"r33\"", "expected one of studio, home", "did you mean \"r3\"?"],
    );
}

#[test]
fn a_negative_rate_is_refused() {
    let text = three_routers().replacen("rate = \"5mbit\"", "rate = \"-5mbit\"", 1);
    refused(
        "negative.toml",
        text.as_bytes(),
        &["rate: \"-5mbit\" is negative, expected a rate such as \"2mbit\""],
    );
}

#[test]
fn an_empty_file_and_a_binary_file_are_refused() {
    refused("empty.toml", b"", &[":1:1: the scenario is empty, expected `name"]);
    refused("comment.toml", b"# nothing\n", &["the scenario is empty"]);
    refused(
        "binary.toml",
        &[0x7f, b'E', b'L', b'F', 2, 1, 0, 0xff, 0xfe],
        &[":1:8: this is no text: octet 0xff"],
    );
    refused("zeros.toml", &[0; 64], &[":1:1: "]);
}

#[test]
fn other_nonsense_is_refused_with_its_place() {
    let cases: [(&str, &str, &str); 17] = [
        ("rate = \"5mbit\"", "rate = 5000000", "expected a rate such as \"2mbit\", found a bare number"),
        ("rate = \"5mbit\"", "rate = \"5\"", "has no unit"),
        ("delay = \"10ms\"", "delay = \"10m\"", "unknown unit \"m\""),
        ("reservable = \"80%\"", "reservable = \"180%\"", "out of range"),
        ("to = \"home\"", "to = \"hoem\"", "did you mean \"home\"?"),
        ("to = \"home\"", "group = \"10.1.1.1\"", "no multicast address"),
        ("style = \"ff\"", "style = \"fff\"", "expected one of wf, ff, se"),
        ("style = \"ff\"", "style = \"wf\"", "filters: wf takes none"),
        ("filters = [\"camera\"]\nconfirm", "filters = []\nconfirm", "expected one sender at least"),
        ("confirm = true", "confirm = \"yes\"", "confirm: expected true or false, found a string"),
        ("duration = \"100s\"", "duration = \"0s\"", "expected more than no time"),
        ("at = \"5s\"", "at = \"500s\"", "after the end of the run"),
        ("count = 4", "count = -4", "expected a whole number from 0"),
        ("[nodes]", "[nodes", "expected"),
        ("[nodes]", "[nodes]\nplian = [\"p\"]", "did you mean \"plain\"?"),
        ("[nodes]", "[nodes]\nplain = [\"r1\"]", "there are two nodes \"r1\""),
        (
            "hosts = [\"studio\", \"home\"]",
            "hosts = [\"home\"]\nplain = [\"studio\"]",
            "\"studio\" is a plain router",
        ),
    ];
    for (n, (good, bad, says)) in cases.into_iter().enumerate() {
        let text = three_routers();
        assert!(text.contains(good), "{good}");
        refused(&format!("nonsense-{n}.toml"), text.replacen(good, bad, 1).as_bytes(), &[says]);
    }
}

#[test]
fn what_a_qos_socket_cannot_be_is_refused_with_its_place_and_what_could() {
    let sender = |rest: &str| {
        format!(
            "[[sender]]\nname = \"second\"\nsession = \"film\"\nrate = \"1.28mbit\"\nsocket = true\n{rest}"
        )
    };
    let twin = sender("node = \"studio\"\nport = 4000\n[[receiver]]");
    let sends = sender("node = \"home\"\nport = 5000\n[[receiver]]");
    let receives =
        "socket = true\n[[receiver]]\nname = \"second\"\nsession = \"video\"\nnode = \"home\"\nsocket = true";
    let guaranteed = "do = \"change\"\nservice = \"guaranteed\"\nrate = \"1.28mbit\"";
    let cases: [(&str, &str, &str); 14] = [
        ("to = \"home\"", "to = \"home\"\nprotocol = \"tcp\"", "socket: a QoS socket of a lab is of UDP"),
        ("to = \"home\"", "to = \"home\"\nprotocol = 46", "is not: leave it out"),
        (
            "socket = true",
            "socket = true\nadspec = \"none\"",
            "adspec: a QoS socket always says what it offers",
        ),
        ("socket = true", "socket = true\nmin_packet = \"40B\"", "expected \"64B\" at least"),
        ("socket = true", "socket = true\nbucket = \"2kB\"", "bucket: a socket sends packets of 1500B"),
        ("rate = \"2mbit\"\nsocket", "rate = \"60mbit\"\nsocket", "rate: a lab sends 2000 packets a second"),
        (
            "rate = \"2mbit\"\nsocket",
            "rate = \"1mbit\"\nsocket",
            "rate: a QoS socket says whole octets per second",
        ),
        (
            "socket = true",
            "socket = true\npeak = \"2500001bit\"",
            "peak: a QoS socket says whole octets per second",
        ),
        ("[[receiver]]", &twin, "port: \"camera\" has a socket with this port there"),
        ("[[receiver]]", &sends, "node: \"second\" has a socket with the session's port there"),
        (
            "socket = true\n\n[[action]]",
            &format!("{receives}\n\n[[action]]"),
            "node: \"viewer\" has a socket with",
        ),
        (
            "confirm = true\nsocket",
            "wait_for_path = false\nconfirm = true\nsocket",
            "reserves once there is a Path",
        ),
        (
            "style = \"ff\"",
            "style = \"ff\"\nservice = \"guaranteed\"\nbucket = \"9kB\"",
            "max_packet of \"camera\"",
        ),
        ("do = \"leave\"", guaranteed, "rate: a QoS socket asks for Guaranteed service"),
    ];
    let path = shipped("a-router-between");
    let good = std::fs::read_to_string(&path).expect("a shipped scenario");
    for (n, (from, to, says)) in cases.into_iter().enumerate() {
        assert!(good.contains(from), "{from}");
        refused(&format!("socket-{n}.toml"), good.replacen(from, to, 1).as_bytes(), &[says]);
    }
    let no_dscp = good.replacen("dscp = \"CS3\"", "dscp = 184", 1);
    refused("dscp.toml", no_dscp.as_bytes(), &["dscp: a DS field; its DSCP is 46 (EF)"]);
}

#[test]
fn bad_arguments_exit_2_and_help_has_an_example() {
    assert_eq!(run(&["run"]).status.code(), Some(2));
    assert_eq!(run(&["run", "--family", "ipv5", "x"]).status.code(), Some(2));
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(stdout(&help).contains("rsvp-sim run rsvp-sim/scenarios/three-routers.toml"));
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let bash = run(&["completions", "bash"]);
    let fish = run(&["completions", "fish"]);
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("man");
    assert!(run(&["man", folder.to_str().expect("a name")]).status.success());
    for command in ["run", "search", "bench", "replay", "check", "completions", "man"] {
        assert!(
            stdout(&bash).contains(command) && stdout(&fish).contains(&format!("-a \"{command}\"")),
            "{command}"
        );
        let page = std::fs::read_to_string(folder.join(format!("man1/rsvp-sim-{command}.1"))).expect(command);
        assert!(page.contains(".SH SYNOPSIS") && !page.contains("EXTRA"), "{page}");
        assert!(page.contains(".SH \"EXIT STATUS\"\n.nf\n"), "{page}");
        let (_, examples) = page.split_once(".SH EXAMPLES\n.nf\n").expect(command);
        let (examples, _) = examples.split_once("\n.fi").expect("an end");
        let own = format!("  rsvp\\-sim {command} ");
        assert!(examples.lines().any(|line| line.starts_with(&own)), "{own}: {examples}");
    }
    let search = std::fs::read_to_string(folder.join("man1/rsvp-sim-search.1")).expect("a page");
    assert!(search.contains("large") && search.contains("Draw worlds of 300 nodes"), "{search}");
    assert_eq!(run(&["man", "/dev/null"]).status.code(), Some(2));
}

#[test]
fn the_scenario_in_the_documentation_is_sound_and_holds() {
    let text =
        std::fs::read_to_string(format!("{}/SCENARIOS.md", env!("CARGO_MANIFEST_DIR"))).expect("the text");
    let (_, after) = text.split_once("```toml\n").expect("an example");
    let (example, _) = after.split_once("```").expect("its end");
    let path = file("documented.toml", example.as_bytes());
    let output = run(&["run", path.to_str().expect("a name")]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stderr(&output), stdout(&output));
}

#[test]
fn a_search_ends_with_the_digest_of_its_seeds() {
    let digest = |more: &[&str]| {
        let output = run(&[&["search", "--digest", "--seeds"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let said = stdout(&output);
        let line = said
            .lines()
            .find(|line| line.contains("digest of") || line.contains("\"worlds\""))
            .expect("a line");
        line.rsplit(|c: char| !c.is_ascii_hexdigit())
            .find(|word| word.len() == 64)
            .expect("SHA-256")
            .to_owned()
    };
    assert_eq!(digest(&["0..3"]), digest(&["0..3", "--json"]));
    assert_ne!(digest(&["0..3"]), digest(&["0..4"]));
    assert_ne!(digest(&["0..3"]), digest(&["1..4"]));
}
