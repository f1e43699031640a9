//! The simulator's own promises: routes, losses, crashes and applications, each shown by a small scenario.

use rsvp_sim::{Report, Scenario};

/// Runs a scenario and wants every expectation to hold.
fn check(text: &str) -> Report {
    let report = run(text);
    assert!(report.held(), "{}", report.text(Default::default()));
    report
}

fn run(text: &str) -> Report {
    Report::of(Scenario::parse("inline.toml", text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}")))
}

fn messages(report: &Report, kind: &str) -> usize {
    report.messages.iter().filter(|m| m.text.split(' ').next() == Some(kind)).count()
}

/// Two hosts with a router between them; what follows is added.
const PAIR: &str = r#"
name = "pair"
duration = "100s"
[nodes]
hosts = ["h1", "h2"]
routers = ["r"]
[[link]]
between = ["h1", "r"]
delay = "20ms"
[[link]]
between = ["r", "h2"]
delay = "20ms"
[[session]]
name = "s"
to = "h2"
[[sender]]
name = "tx"
node = "h1"
rate = "1mbit"
[[receiver]]
name = "rx"
node = "h2"
style = "ff"
rate = "1mbit"
"#;

fn pair(more: &str) -> String {
    format!("{PAIR}{more}")
}

#[test]
fn serialisation_and_delay_add_up() {
    let report = check(&pair(""));
    let first = |from: &str| report.messages.iter().find(|m| m.from == from).expect("a message");
    // A Path with Router Alert: 24 octets of IP header, sent at 10 Mbit/s, then 20 ms of propagation.
    let sent = first("h1");
    let expected = sent.at + ((sent.octets + 24) * 8) as f64 / 10e6 + 0.020;
    assert!((first("r").at - expected).abs() < 2e-6, "{} and {expected}", first("r").at);
}

#[test]
fn packets_underway_are_lost_with_their_link() {
    // The first Path needs 20 ms, the link goes down after 10.
    let report = check(&pair(
        r#"
        [[action]]
        at = "10ms"
        do = "link-down"
        link = "h1-r"
        [[action]]
        at = "15ms"
        do = "link-up"
        link = "h1-r"
        [[expect]]
        what = "paths"
        node = "r"
        at = "30ms"
        list = []
        [[expect]]
        about = "what is said when the link comes up arrives"
        what = "paths"
        node = "h2"
        at = "1s"
        list = [{ sender = "tx", previous_hop = "r" }]
        "#,
    ));
    assert_eq!(messages(&report, "PathErr"), 0);
}

#[test]
fn a_lossy_link_loses_about_its_share_and_state_survives() {
    let text = pair(
        r#"
        [[expect]]
        what = "reservations"
        list = [{ node = "h1", rate = "1mbit" }, { node = "r", rate = "1mbit" }]
        "#,
    );
    let text = text.replace("\"100s\"\n", "\"100min\"\n").replace("delay = \"20ms\"", "loss = \"10%\"");
    let report = run(&text);
    let lost = report.messages.iter().filter(|m| m.lost).count() as f64 / report.messages.len() as f64;
    assert!((0.06..0.14).contains(&lost), "{lost}");
    assert!(report.messages.len() > 500);
}

#[test]
fn a_crashed_router_comes_back_without_state_and_is_told_again() {
    check(&pair(
        r#"
        [[action]]
        at = "10s"
        do = "crash"
        node = "r"
        for = "5s"
        [[expect]]
        what = "paths"
        node = "r"
        at = "9s"
        count = 1
        [[expect]]
        what = "empty"
        node = "r"
        at = "14s"
        [[expect]]
        about = "local repair and refreshes rebuild it"
        what = "reservations"
        at = "100s"
        list = [{ node = "h1", rate = "1mbit" }, { node = "r", rate = "1mbit" }]
        "#,
    ));
}

#[test]
fn applications_of_a_crashed_host_start_again() {
    check(&pair(
        r#"
        [[action]]
        at = "10s"
        do = "crash"
        node = "h2"
        for = "5s"
        [[expect]]
        what = "events"
        application = "rx"
        event = "path"
        count = 2
        [[expect]]
        what = "reservations"
        list = [{ node = "h1", rate = "1mbit" }, { node = "r", rate = "1mbit" }]
        "#,
    ));
}

#[test]
fn a_changed_sender_is_announced_at_once() {
    check(&pair(
        r#"
        [[action]]
        at = "10s"
        do = "change"
        sender = "tx"
        rate = "3mbit"
        [[action]]
        at = "20s"
        do = "change"
        receiver = "rx"
        rate = "2mbit"
        [[expect]]
        what = "events"
        application = "rx"
        within = ["10s", "11s"]
        list = [{ event = "path", sender = "tx", rate = "3mbit" }]
        [[expect]]
        what = "reservations"
        at = "21s"
        list = [{ node = "h1", rate = "2mbit" }, { node = "r", rate = "2mbit" }]
        "#,
    ));
}

#[test]
fn multicast_is_delivered_to_members_only_and_the_lan_replicates() {
    let report = check(
        r#"
        name = "multicast"
        duration = "60s"
        [nodes]
        hosts = ["src", "h1", "h2", "far"]
        routers = ["r1", "r2"]
        [[link]]
        between = ["src", "r1"]
        [[link]]
        between = ["r1", "r2"]
        [[lan]]
        name = "lan"
        nodes = ["r1", "h1", "h2"]
        [[link]]
        between = ["r2", "far"]
        [[session]]
        name = "s"
        group = "g"
        [[sender]]
        name = "tx"
        node = "src"
        rate = "1mbit"
        [[receiver]]
        name = "rx"
        node = "h1"
        style = "wf"
        rate = "1mbit"
        [[receiver]]
        name = "late"
        node = "far"
        start = "20s"
        style = "wf"
        rate = "1mbit"
        [[expect]]
        about = "h2 is on the LAN, but nobody there has joined"
        what = "paths"
        at = "19s"
        list = [{ node = "src" }, { node = "r1" }, { node = "h1", previous_hop = "r1", link = "lan" }]
        [[expect]]
        about = "who joins later is served W later"
        what = "paths"
        at = "23s"
        list = [{ node = "src" }, { node = "r1" }, { node = "h1" }, { node = "r2" }, { node = "far" }]
        [[expect]]
        what = "reservations"
        list = [
          { node = "src", link = "src-r1" },
          { node = "r1", link = "lan" },
          { node = "r1", link = "r1-r2" },
          { node = "r2", link = "r2-far" },
        ]
        "#,
    );
    // One packet on the LAN, two receivers.
    let on_lan = report.messages.iter().find(|m| m.link == "lan").expect("a message");
    assert_eq!(on_lan.to, ["h1", "h2"]);
}

#[test]
fn unicast_on_a_lan_goes_to_the_next_hop_router_and_explicit_routes_override() {
    let text = |route: &str| {
        format!(
            r#"
            name = "lan"
            duration = "10s"
            [nodes]
            hosts = ["src", "dst"]
            routers = ["r1", "r2", "r3"]
            [[lan]]
            name = "lan"
            nodes = ["src", "r1", "r2"]
            [[link]]
            between = ["r1", "dst"]
            [[link]]
            between = ["r2", "r3"]
            [[link]]
            between = ["r3", "dst"]
            [[session]]
            name = "s"
            to = "dst"
            [[sender]]
            name = "tx"
            node = "src"
            rate = "1mbit"
            [[receiver]]
            name = "rx"
            node = "dst"
            style = "ff"
            rate = "1mbit"
            {route}
            "#
        )
    };
    check(&text(
        r#"
        [[expect]]
        what = "messages"
        type = "Path"
        list = [{ from = "src", to = "r1" }, { from = "r1", to = "dst" }]
        "#,
    ));
    // r1 sends what is for dst back to the LAN and round by r3.
    let round = r#"
        [[route]]
        node = "r2"
        to = "dst"
        out = ["r3"]
        [[expect]]
        what = "messages"
        type = "Path"
        list = [{ from = "src", to = "r1" }, { from = "r1", to = "dst" }]
        "#;
    check(&text(round));
}

#[test]
fn a_refused_command_is_an_event_of_its_application() {
    // Two receivers on one host disagree about the style.
    check(&pair(
        r#"
        [[receiver]]
        name = "other"
        node = "h2"
        style = "wf"
        rate = "1mbit"
        [[expect]]
        what = "events"
        application = "other"
        event = "refused"
        count = 1
        "#,
    ));
}

#[test]
fn failures_name_what_was_seen() {
    let report = run(&pair(
        r#"
        [[expect]]
        what = "reservations"
        node = "r"
        list = [{ link = "r-h2", rate = "5mbit" }]
        [[expect]]
        what = "messages"
        type = "ResvErr"
        [[expect]]
        what = "empty"
        "#,
    ));
    let seen: Vec<&str> = report.expectations.iter().map(|v| v.seen.as_str()).collect();
    assert!(report.expectations.iter().all(|v| !v.held));
    assert!(
        seen[0].contains("missing link r-h2, rate 5Mbit/s") && seen[0].contains("rate 1Mbit/s"),
        "{}",
        seen[0]
    );
    assert!(seen[1].starts_with("saw none; nearest of "), "{}", seen[1]);
    assert!(seen[2].contains("kind path state"), "{}", seen[2]);
}
