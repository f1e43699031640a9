//! Marks that a Resv asks for: DCLASS (RFC 2996) and TCLASS (RFC 2814) take the place of the tables', by what arrives on the far
//! side.

use super::super::capture::{Capture, frames};
use super::super::client::Client;
use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{at, burst, from};
use super::{SENDER, SESSION, controlled_load, kernel, traffic};
use serde_json::{Value, json};

/// DSCP and priority (of a tag, if there is one) of the datagrams to port 5000, in their order.
fn marks(capture: &Capture) -> Vec<(u8, Option<u8>)> {
    let mut found = Vec::new();
    for (.., frame) in frames(&capture.file) {
        let is_tagged = frame[12..14] == [0x81, 0x00];
        let packet = &frame[if is_tagged { 18 } else { 14 }..];
        if packet[0] == 0x45 && packet[9] == 17 && packet[22..24] == 5000_u16.to_be_bytes() {
            found.push((packet[1] >> 2, is_tagged.then(|| frame[14] >> 5)));
        }
    }
    found
}

fn expect(capture: &Capture, expected: &[(u8, Option<u8>)]) {
    let found =
        eventually("the packets", || Some(marks(capture)).filter(|found| found.len() >= expected.len()));
    assert_eq!(found, expected);
}

/// Reserves with marks, and waits until the request has gone all the way.
fn ask(b: &mut Client, marks: &Value) {
    let flows = json!([{"filters": [SENDER], "flowspec": controlled_load(8, 4_000)}]);
    let mut request =
        json!({"request": "reserve", "session": SESSION, "style": "ff", "flows": flows, "confirm": true});
    for (key, value) in marks.as_object().expect("marks") {
        request[key] = value.clone();
    }
    b.ask(request).expect("a reservation");
    b.event("resv-confirm");
}

/// Waits until a node's data plane has done what came before: it lists flows afterwards.
fn settled(net: &Net) {
    for node in ["a", "r"] {
        net.client(node).until("flows", 1);
    }
}

/// `a` - `r` - `b`, the router with a configuration of its own, captures behind `a` and behind `r`, and a sender on `a` of which
/// `b` has heard.
fn announced(test: &str, config: &str, own: &str) -> Option<(Net, [Capture; 2], [Client; 2])> {
    let mut net = Net::three_in_a_row(test)?;
    for (node, config) in [("a", config), ("r", own), ("b", config)] {
        net.daemon(node, config);
    }
    let captures = [("r", "to-a"), ("b", "to-r")].map(|(node, on)| net.capture_of(node, on, "udp or vlan"));
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.announce(SESSION, SENDER, &traffic(8, 4_000));
    b.hears(SESSION);
    Some((net, captures, [a, b]))
}

#[test]
fn marks_of_a_resv_take_the_place_of_the_tables_for_what_conforms() {
    let config = kernel("auto", "priority_tags = true\n");
    let own = kernel("auto", "priority_tags = true\n[interface.to-b]\nbandwidth = \"10mbit\"\n");
    let Some((net, [near, far], [_a, mut b])) = announced("marks of a Resv", &config, &own) else { return };
    let sender = from(&net, "a", SENDER, "10.0.2.2:5000", 0);
    let _receiver = at(&net, "b", "10.0.2.2:5000");
    // EF first, and what else the network names; priority 6.
    ask(&mut b, &json!({"dclass": [46, 10], "tclass": 6}));
    settled(&net);
    burst(&sender, 1_000, 1);
    // DCLASS goes to the sender and is its mark, too; TCLASS is for the last hop, the one before has the table's.
    expect(&near, &[(46, Some(4))]);
    expect(&far, &[(46, Some(6))]);
    // Another mark alone is a change.
    ask(&mut b, &json!({"dclass": [34]}));
    settled(&net);
    burst(&sender, 1_000, 1);
    expect(&near, &[(46, Some(4)), (34, Some(4))]);
    expect(&far, &[(46, Some(6)), (34, Some(4))]);
    // None any more: those of the table. What does not conform keeps the marks of that.
    ask(&mut b, &json!({}));
    settled(&net);
    burst(&sender, 1_000, 1);
    ask(&mut b, &json!({"dclass": [46], "tclass": 6}));
    settled(&net);
    burst(&sender, 1_000, 3);
    let after = [(24, Some(4)), (46, Some(4)), (0, Some(1)), (0, Some(1))];
    expect(&near, &[&[(46, Some(4)), (34, Some(4))][..], &after].concat());
    let after = [(24, Some(4)), (46, Some(6)), (0, Some(1)), (0, Some(1))];
    expect(&far, &[&[(46, Some(6)), (34, Some(4))][..], &after].concat());
}

#[test]
fn an_interface_without_tags_gets_none_and_one_that_takes_no_marks_keeps_its_own() {
    let config = kernel("auto", "");
    let own = kernel("auto", "received_marks = false\nmarks.controlled_load = { dscp = \"af21\" }\n");
    let Some((net, [near, far], [_a, mut b])) = announced("marks that are not taken", &config, &own) else {
        return;
    };
    ask(&mut b, &json!({"dclass": [46], "tclass": 6}));
    settled(&net);
    let sender = from(&net, "a", SENDER, "10.0.2.2:5000", 0);
    let _receiver = at(&net, "b", "10.0.2.2:5000");
    burst(&sender, 1_000, 1);
    expect(&near, &[(46, None)]);
    expect(&far, &[(18, None)]);
}
