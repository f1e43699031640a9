//! What `rsvp show` shows: in order, with ages, of what was asked for, and where there is little room.

use super::commands::{CONFIG, Running, run};
use super::net::Net;
use nix::sys::signal::Signal;
use serde_json::Value;

#[test]
fn listings_are_sorted_filtered_and_know_how_old_things_are() {
    let Some(mut net) = Net::three_in_a_row("rsvp show") else { return };
    ["a", "r"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    let mut a = net.client("a");
    for (session, sender) in [("udp 10.0.2.2:5010", "10.0.1.1:4001"), ("udp 10.0.2.2:5009", "10.0.1.1:4000")]
    {
        a.send(session, sender, 1);
    }
    net.client("r").until("senders", 2);
    let show = |arguments: &[&str]| {
        let (done, said, complaint) = run(&net, "r", &[&["show"], arguments].concat());
        assert!(done, "{complaint}");
        said
    };
    let rows: Vec<Value> = serde_json::from_str(&show(&["senders", "--json"])).expect("rows");
    let sessions: Vec<_> = rows.iter().map(|row| row["session"].as_str().expect("a session")).collect();
    assert_eq!(sessions, ["udp 10.0.2.2:5009", "udp 10.0.2.2:5010"]);
    for row in &rows {
        // R is one second, and L is (3 + 0.5) · 1.5 · R (RFC 2205 section 3.7).
        let (since, left) =
            (row["refreshed_ms"].as_u64().expect("an age"), row["expires_ms"].as_u64().expect("a time"));
        assert!((5_249..=5_250).contains(&(since + left)), "{row}");
        // It is there for as long, or longer; its age begins with a tenth of a second.
        assert!(row["age_ms"].as_u64().is_some_and(|age| (since..60_000).contains(&age)), "{row}");
        assert_eq!((&row["ttl"], &row["adspec"]["hops"]), (&64.into(), &1.into()), "{row}");
    }
    let table = show(&["senders"]);
    assert!(table.contains("REFRESHED") && table.contains("EXPIRES") && !table.contains("TTL"), "{table}");
    let detail = show(&["senders", "--detail", "--sender", "10.0.1.1:4001"]);
    assert!(
        detail.contains("TTL") && detail.contains("path of 1 hops") && !detail.contains("4000"),
        "{detail}"
    );
    assert_eq!(show(&["senders", "--interface", "to-b", "--peer", "10.9.9.9"]).trim(), "none");
    let (done, _, complaint) = run(&net, "r", &["show", "flows", "--detail"]);
    assert!(!done && complaint.contains("rsvp show senders --detail"), "{complaint}");

    for kind in [
        "sessions",
        "senders",
        "requests",
        "reservations",
        "interfaces",
        "neighbours",
        "flows",
        "events",
        "counters",
    ] {
        let narrow = show(&[kind, "--width", "60"]);
        assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    }
    let narrow = show(&["senders", "--width", "60"]);
    assert!(
        narrow.starts_with("udp 10.0.2.2:5009\n  SENDER 10.0.1.1:4000") && narrow.contains("TO to-b"),
        "{narrow}"
    );

    let again = Running::start(&net, "r", "show neighbours --json --watch 50ms");
    for _ in 0..3 {
        let rows = again.until("rows", Value::is_array);
        assert_eq!(rows[0]["address"], "10.0.1.1", "{rows}");
        assert!(rows[0]["heard_ms"].is_u64(), "{rows}");
    }
    again.signal(Signal::SIGINT);
    assert_eq!(again.status(), Some(0));
}
