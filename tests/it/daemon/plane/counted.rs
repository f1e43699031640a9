//! What the data plane has counted, beside the reservations it is of.

use super::super::commands::run;
use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{at, burst, from};
use super::{SENDER, kernel, reserved};
use serde_json::{Value, json};

/// The only reservation of a node, with what was counted of it.
fn with_stats(net: &Net, node: &str) -> Value {
    let (done, said, complaint) = run(net, node, &["show", "reservations", "--stats", "--json"]);
    assert!(done, "{complaint}");
    let rows: Vec<Value> = serde_json::from_str(&said).expect("JSON");
    let [row] = rows.try_into().expect("one reservation");
    row
}

#[test]
fn reservations_are_listed_with_what_was_counted_of_them() {
    let (config, strict) = (kernel("auto", ""), kernel("auto", "excess.controlled_load = \"discard\"\n"));
    // One octet per second: the bucket is all there is. The host is the edge.
    let configs = [strict.as_str(), config.as_str(), config.as_str()];
    let Some((net, _clients)) = reserved("reservations with counts", configs, 8, 5_000) else { return };
    let sender = from(&net, "a", SENDER, "10.0.2.2:5000", 0);
    let _receiver = at(&net, "b", "10.0.2.2:5000");
    burst(&sender, 1_000, 8);
    let row = eventually("eight packets", || {
        Some(with_stats(&net, "a")).filter(|row| row["stats"]["excess_packets"] == 3)
    });
    assert_eq!((&row["interface"], &row["charge_bps"]), (&json!("to-r"), &json!(8)), "{row}");
    let expected = json!({"class": "7276:3", "packets": 5, "octets": 5_000, "excess_packets": 3,
                          "excess_octets": 3_000, "dropped_packets": 3, "backlog_octets": null});
    assert_eq!(row["stats"], expected);
    let (done, table, complaint) = run(&net, "a", &["show", "reservations", "--stats"]);
    assert!(done, "{complaint}");
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(lines[0].ends_with(&["PACKETS", "OCTETS", "EXCESS", "DROPPED", "BACKLOG"]), "{table}");
    assert!(lines[1].ends_with(&["5", "5000", "3", "3", "-"]), "{table}");
    let (done, _, complaint) = run(&net, "a", &["show", "senders", "--stats"]);
    assert!(!done && complaint.contains("rsvp show reservations --stats"), "{complaint}");
}

#[test]
fn where_nothing_is_carried_out_nothing_is_counted() {
    let none = kernel("auto", "").replace("\"kernel\"", "\"none\"");
    let config = kernel("auto", "");
    let Some(mut net) = Net::three_in_a_row("reservations without counts") else { return };
    for (node, config) in [("a", &none), ("r", &config), ("b", &config)] {
        net.daemon(node, config);
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.announce(super::SESSION, SENDER, &super::traffic(800_000, 20_000));
    b.hears(super::SESSION);
    b.ask_for(super::SESSION, "ff", &[SENDER], &super::controlled_load(800_000, 20_000));
    net.client("a").until("reservations", 1);
    assert_eq!(with_stats(&net, "a")["stats"], Value::Null);
    let (_, table, _) = run(&net, "a", &["show", "reservations", "--stats"]);
    assert!(table.lines().nth(1).is_some_and(|line| line.ends_with('-')), "{table}");
}
