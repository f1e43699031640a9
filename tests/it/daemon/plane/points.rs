//! What Paths say of nodes that enforce and of such that do not (RFC 2215 section 3.1; RFC 2205 section 3.8 and Appendix A.1),
//! and where policing is for it (RFC 2211 section 7, RFC 2212).

use super::super::capture::Capture;
use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{arrived, at, burst, from};
use super::{SENDER, SESSION, classes, controlled_load, kernel, traffic};
use rsvp_wire::{AdspecSummary, Message, MsgType, Session};
use serde_json::{Value, json};

/// Whether the last Path on a wire has E_Police, and its break bits: of all, of Guaranteed service, of Controlled-Load.
fn last_path(capture: &Capture) -> Option<(bool, [bool; 3])> {
    let seen = capture.of(MsgType::PATH).pop()?;
    let message = Message::parse(&seen.octets).expect("a sound message");
    let session = message.get::<Session>()?.ok()?;
    let adspec = message.get::<AdspecSummary>()?.ok()?;
    let (guaranteed, load) = (adspec.guaranteed?, adspec.controlled_load?);
    let breaks = [adspec.global.break_bit, guaranteed.break_bit, load.break_bit];
    Some((session.flags() & Session::E_POLICE != 0, breaks))
}

fn until(capture: &Capture, expected: (bool, [bool; 3])) {
    eventually(&format!("a Path with {expected:?}"), || (last_path(capture)? == expected).then_some(()));
}

const WHOLE: [bool; 3] = [false; 3];
const BROKEN: [bool; 3] = [false, true, true];

/// Why the only reservation of a node is policed there.
fn police(net: &Net, node: &str) -> Value {
    net.client(node).until("reservations", 1).remove(0)["police"].take()
}

/// What arrives of ten packets, for a bucket of five; with how many the router has counted as dropped.
fn ten_of_five(net: &Net) -> (u64, u64) {
    let receiver = at(net, "b", "10.0.2.2:5000");
    let sender = from(net, "a", SENDER, "10.0.2.2:5000", 0);
    burst(&sender, 1_000, 10);
    let row = eventually("ten packets", || {
        let row = net.client("r").list("flows").pop()?;
        let number = |field: &str| row[field].as_u64().expect("a number");
        let (conforming, excess) = (number("packets"), number("excess_packets"));
        (conforming + excess == 10).then(|| number("dropped_packets"))
    });
    let mut delivered = 0;
    eventually("what the router lets through", || {
        delivered += arrived(&receiver);
        (delivered + row == 10).then_some((delivered, row))
    })
}

#[test]
fn behind_a_host_that_does_not_police_the_router_does() {
    let none = kernel("auto", "").replace("\"kernel\"", "\"none\"");
    let strict = kernel("auto", "excess.controlled_load = \"discard\"\n");
    let Some(mut net) = Net::three_in_a_row("a host that does not police") else { return };
    let (near, far) = (net.capture("r", "to-a"), net.capture("b", "to-r"));
    for (node, config) in [("a", &none), ("r", &strict), ("b", &none)] {
        net.daemon(node, config);
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.announce(SESSION, SENDER, &traffic(8, 5_000));
    b.hears(SESSION);
    until(&near, (true, BROKEN));
    // The router takes E_Police off; that the host bounds nothing stays true.
    until(&far, (false, BROKEN));
    b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(8, 5_000));
    net.client("r").until("flows", 1);
    assert_eq!((police(&net, "a"), police(&net, "r")), (json!([]), json!(["entry"])));
    assert_eq!(ten_of_five(&net), (5, 5), "the edge is the router");
}

#[test]
fn behind_a_host_that_polices_the_router_demotes_and_drops_nothing() {
    let plain = kernel("auto", "");
    let strict = kernel("auto", "excess.controlled_load = \"discard\"\n");
    let configs = [plain.as_str(), strict.as_str(), plain.as_str()];
    let Some(mut net) = Net::three_in_a_row("a host that polices") else { return };
    let (near, far) = (net.capture("r", "to-a"), net.capture("b", "to-r"));
    for (node, config) in ["a", "r", "b"].into_iter().zip(configs) {
        net.daemon(node, config);
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.announce(SESSION, SENDER, &traffic(8, 5_000));
    b.hears(SESSION);
    until(&near, (false, WHOLE));
    until(&far, (false, WHOLE));
    b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(8, 5_000));
    net.client("r").until("flows", 1);
    assert_eq!((police(&net, "a"), police(&net, "r")), (json!(["entry"]), json!([])));
    assert_eq!(ten_of_five(&net), (10, 0), "within the network nothing is dropped");
    // The flows of a second sender merge here: that is judged here first.
    a.announce(SESSION, "10.0.1.1:4001", &traffic(8, 5_000));
    net.client("b").until("senders", 2);
    drop(b);
    net.client("r").until("flows", 0);
    let mut b = net.client("b");
    b.hears(SESSION);
    b.ask_for(SESSION, "se", &[SENDER, "10.0.1.1:4001"], &controlled_load(8, 5_000));
    net.client("r").until("flows", 1);
    assert_eq!(police(&net, "r"), json!(["merge"]));
    assert_eq!(ten_of_five(&net), (5, 5), "the merge point is the router");
}

/// RFC 2212: policing is for the edge; within, the flow's class holds it.
#[test]
fn guaranteed_service_is_not_policed_behind_the_edge() {
    let plain = kernel("auto", "");
    let strict = kernel("auto", "excess.guaranteed = \"discard\"\n");
    let Some(mut net) = Net::three_in_a_row("Guaranteed service behind the edge") else { return };
    for (node, config) in [("a", &plain), ("r", &strict), ("b", &plain)] {
        net.daemon(node, config);
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.announce(SESSION, SENDER, &traffic(8_000_000, 5_000));
    b.hears(SESSION);
    let flowspec = json!({"service": "guaranteed", "traffic": traffic(8_000_000, 5_000),
                          "reserve_bps": 8_000_000});
    b.ask_for(SESSION, "ff", &[SENDER], &flowspec);
    net.client("r").until("flows", 1);
    assert_eq!(police(&net, "r"), json!([]));
    assert!(classes(&net, "r", "to-b").iter().any(|(number, _)| number == "7276:100"));
    assert_eq!(ten_of_five(&net), (10, 0));
}

fn data_plane(net: &Net, node: &str, name: &str) -> String {
    let rows = net.client(node).list("interfaces");
    let row = rows.into_iter().find(|row| row["name"] == name).expect("an interface");
    row["data_plane"].as_str().expect("words").to_owned()
}

#[test]
fn an_interface_whose_classes_are_of_others_is_told_of_before_anybody_reserves() {
    let config = kernel("auto", "");
    let none = config.replace("\"kernel\"", "\"none\"");
    let Some(mut net) = Net::three_in_a_row("classes of others in a Path") else { return };
    net.exec("r", &["tc", "qdisc", "add", "dev", "to-b", "root", "handle", "1:", "htb", "default", "1"]);
    let far = net.capture("b", "to-r");
    for (node, config) in [("a", &none), ("r", &config), ("b", &config)] {
        net.daemon(node, config);
    }
    let refused = data_plane(&net, "r", "to-b");
    assert!(refused.starts_with("refused: ") && refused.contains("htb 1:"), "{refused}");
    assert_eq!(data_plane(&net, "r", "to-a"), "ready");
    let mut a = net.client("a");
    a.announce(SESSION, SENDER, &traffic(800_000, 20_000));
    // Nobody has policed yet, and this node cannot either.
    until(&far, (true, BROKEN));
    // Whoever has put it there takes it away: without a reservation and without a word.
    net.exec("r", &["tc", "qdisc", "del", "dev", "to-b", "root"]);
    until(&far, (false, BROKEN));
    assert_eq!(data_plane(&net, "r", "to-b"), "ready");
}

#[test]
fn an_interface_that_is_refused_at_a_reservation_is_told_of_from_then_on() {
    let config = kernel("auto", "");
    let Some(mut net) = Net::three_in_a_row("a refusal in a Path") else { return };
    let far = net.capture("b", "to-r");
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, &config));
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.announce(SESSION, SENDER, &traffic(800_000, 20_000));
    b.hears(SESSION);
    until(&far, (false, WHOLE));
    net.exec("r", &["tc", "qdisc", "add", "dev", "to-b", "root", "handle", "1:", "htb", "default", "1"]);
    b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(800_000, 20_000));
    b.event("resv-error");
    until(&far, (false, BROKEN));
    net.exec("r", &["tc", "qdisc", "del", "dev", "to-b", "root"]);
    until(&far, (false, WHOLE));
}
