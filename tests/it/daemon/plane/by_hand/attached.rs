//! Flows, filters and packets (A50), changes of a flow (A51), and what is said of them (A53).

use super::super::classes;
use super::{AMPLE, Bed, marked, paced, paced_with, to_port};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

/// A flow alone changes nothing; a filter attaches packets to it; without the filter they are as before (A50).
#[test]
fn a_flow_without_filters_changes_nothing_and_a_filter_attaches_its_packets() {
    let Some(mut bed) = Bed::new("a flow and its filter", "") else { return };
    bed.send(4000, 5000, 2);
    let flow = bed.a.flow("to-r", &paced_with(AMPLE, 15_000, &json!({"dscp": 46})));
    let report = bed.a.report_of(flow);
    assert_eq!(report["counted"]["class"], "7276:3", "{report}");
    bed.send(4000, 5000, 2);
    assert_eq!(bed.dscps(5000, 0, 4), [0; 4], "nothing is of the flow");
    let filter = bed.a.filter(flow, &to_port(5000));
    bed.a.report();
    bed.send(4000, 5000, 3);
    // Another port is nobody's.
    bed.send(4000, 5001, 1);
    assert_eq!(bed.dscps(5000, 4, 3), [46; 3]);
    assert_eq!(bed.dscps(5001, 0, 1), [0]);
    let counted = bed.a.report_of(flow)["counted"].take();
    assert_eq!((&counted["packets"], &counted["octets"]), (&json!(3), &json!(3_000)), "{counted}");
    bed.a.remove_filter(filter);
    bed.a.report();
    bed.send(4000, 5000, 2);
    assert_eq!(bed.dscps(5000, 7, 2), [0; 2]);
    // The flow with its filters goes as a whole.
    bed.a.filter(flow, &to_port(5000));
    bed.a.remove_flow(flow);
    let report = bed.a.report();
    assert_eq!(report["flows"], json!([]));
    bed.send(4000, 5000, 2);
    assert_eq!(bed.dscps(5000, 9, 2), [0; 2]);
}

/// Borrowing, discarding and shaping, as for reservations.
#[test]
fn a_flow_is_held_to_its_traffic_in_each_mode() {
    let Some(mut bed) = Bed::new("modes of flows", "") else { return };
    for (place, mode) in ["borrow", "discard", "shape"].into_iter().enumerate() {
        let port = 5_000 + place as u16;
        // 5 kB, and a hundred octets a second; shaped 100 kB/s, which is 150 ms for what is beyond.
        let rate = if mode == "shape" { 800_000 } else { 800 };
        let marks = json!({"mode": mode, "dscp": 34, "excess_dscp": 8});
        let flow = bed.a.flow("to-r", &paced_with(rate, 5_000, &marks));
        bed.a.filter(flow, &to_port(port));
        bed.a.report();
        bed.send(4000, port, 20);
        let expected: Vec<u8> = match mode {
            "borrow" => [[34; 5].as_slice(), &[8; 15]].concat(),
            "discard" => vec![34; 5],
            _ => vec![34; 20],
        };
        let packets = bed.left(port, expected.len());
        let mut dscps: Vec<u8> = packets.iter().map(super::Seen::dscp).collect();
        // What conforms leaves before what does not: another class.
        dscps.sort_unstable_by_key(|dscp| *dscp == 8);
        assert_eq!(dscps, expected, "{mode}");
        let spread = packets[packets.len() - 1].at - packets[0].at;
        assert!(mode != "shape" || spread >= 120_000, "15 kB at 100 kB/s, in {spread} us");
        let counted = bed.a.report_of(flow)["counted"].take();
        let numbers = ["packets", "excess_packets", "dropped_packets"].map(|field| counted[field].as_u64());
        let expected = match mode {
            "borrow" => [5, 15, 0],
            "discard" => [5, 15, 15],
            _ => [20, 0, 0],
        };
        assert_eq!(numbers, expected.map(Some), "{mode}: {counted}");
    }
}

/// A flow is changed in place under traffic: no packet is lost, none leaves without a mark, and counts go on (A51).
#[test]
fn a_flow_that_changes_under_traffic_loses_nothing() {
    let Some(mut bed) = Bed::new("a flow that changes", "") else { return };
    let of = |rate: u64, dscp: u8| paced_with(rate, 60_000, &json!({"dscp": dscp, "mode": "shape"}));
    let flow = bed.a.flow("to-r", &of(AMPLE, 34));
    bed.a.filter(flow, &to_port(5000));
    bed.a.report();
    for round in 0..20_u64 {
        bed.send(4000, 5000, 10);
        bed.a
            .modify(flow, &of(AMPLE + round * 80_000, if round % 2 == 0 { 46 } else { 34 }))
            .expect("a change");
        bed.send(4000, 5000, 10);
    }
    let report = bed.a.report_of(flow);
    let packets = bed.left(5000, 400);
    assert!(packets.iter().all(|packet| [34, 46].contains(&packet.dscp())), "one left without a mark");
    let counted = bed.a.report_of(flow)["counted"].take();
    assert_eq!((&counted["packets"], &counted["dropped_packets"]), (&json!(400), &json!(0)), "{report}");
    assert_eq!(report["rate_bps"], AMPLE + 19 * 80_000);
    // The other way, to what shares a class: what waits in its own leaves.
    bed.a.modify(flow, &paced(AMPLE, 60_000)).expect("a change");
    let report = bed.a.report_of(flow);
    assert_eq!(report["counted"]["class"], "7276:3", "{report}");
    assert_eq!(report["filters"].as_object().map(serde_json::Map::len), Some(1), "filters stay: {report}");
}

/// Flows take their share in admission as reservations do, and both see what the other has (A53).
#[test]
fn flows_and_reservations_share_what_can_be_reserved() {
    let Some(mut bed) = Bed::new("shares of flows", "overhead = 0\nreservable = \"10mbit\"\n") else {
        return;
    };
    assert_eq!(bed.a.remaining("to-r"), 10_000_000);
    let flow = bed.a.flow("to-r", &paced(6_000_000, 15_000));
    assert_eq!(bed.a.remaining("to-r"), 4_000_000);
    let refused = bed.a.try_flow("to-r", &paced(4_000_001, 15_000)).expect_err("more than is left");
    assert_eq!(refused["code"], "bandwidth-unavailable");
    assert!(
        refused["message"].as_str().is_some_and(|message| message.contains("4000000 bit/s are left")),
        "{refused}"
    );
    // A change that does not fit leaves the flow as it was.
    let refused = bed.a.modify(flow, &paced(10_000_001, 15_000)).expect_err("more than there is");
    assert_eq!((&refused["code"], bed.a.remaining("to-r")), (&json!("bandwidth-unavailable"), 4_000_000));
    assert_eq!(bed.a.report_of(flow)["rate_bps"], 6_000_000);
    bed.a.modify(flow, &paced(3_000_000, 15_000)).expect("less");
    assert_eq!(bed.a.remaining("to-r"), 7_000_000);
    // What has marks alone takes nothing.
    bed.a.flow("to-r", &marked(&json!({"dscp": 46})));
    assert_eq!(bed.a.remaining("to-r"), 7_000_000);
    let row = bed.a.list("interfaces").into_iter().find(|row| row["name"] == "to-r").expect("an interface");
    assert_eq!(row["reserved_bps"], 3_000_000);
    bed.a.remove_flow(flow);
    assert_eq!(bed.a.remaining("to-r"), 10_000_000);
}

/// What is read of an interface and its flows (A53).
#[test]
fn a_query_has_what_is_left_and_what_was_counted() {
    let Some(mut bed) = Bed::new("a query", "") else { return };
    let flow = bed.a.flow("to-r", &paced_with(AMPLE, 15_000, &json!({"name": "backup", "dscp": 34})));
    bed.a.filter(flow, &to_port(5000));
    bed.a.filter(flow, &to_port(5001));
    bed.a.filter(flow, &json!({"source": "10.9.0.0/16"}));
    bed.send(4000, 5000, 2);
    bed.left(5000, 2);
    let report = bed.a.report();
    let on =
        report["interfaces"].as_array().and_then(|all| all.iter().find(|row| row["interface"] == "to-r"));
    let on = on.expect("the interface");
    let numbers = ["flows", "filters", "masks", "bandwidth_bps"].map(|field| on[field].as_u64());
    assert_eq!(numbers, [Some(1), Some(3), Some(2), Some(100_000_000)], "{on}");
    assert_eq!(on["data_plane"], "tcx, htb");
    let row = &report["flows"][0];
    let said = &row["said"];
    assert_eq!(
        (&said["name"], &said["dscp"], &row["own"]),
        (&json!("backup"), &json!(34), &Value::Bool(true))
    );
    let mut other = bed.net.client("a");
    assert_eq!(other.report_of(flow)["own"], false);
    let unknown = other.ask(json!({"request": "tc-query", "flow": 77})).expect_err("none");
    assert_eq!(unknown["code"], "not-found");
    assert!(!classes(&bed.net, "a", "to-r").is_empty());
}

/// All that was asked for before a query stands when it is answered (A53), also where the flows are listed for another client meanwhile.
#[test]
fn a_query_has_what_was_asked_for_before_it_whoever_asks_beside() {
    let Some(mut bed) = Bed::new("queries beside each other", "overhead = 0\n") else { return };
    let stop = AtomicBool::new(false);
    let mut other = bed.net.client("a");
    std::thread::scope(|scope| {
        let (stop, other) = (&stop, &mut other);
        let asking = scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                other.report();
                other.list("flows");
            }
        });
        for round in 0..100_u64 {
            let flow = bed.a.flow("to-r", &paced(8_000 * (1 + round % 2), 15_000));
            let stands = bed.a.report_of(flow)["counted"].is_object();
            let changed = bed.a.modify(flow, &paced(24_000, 15_000)).is_ok();
            let rate = bed.a.report_of(flow)["rate_bps"].take();
            bed.a.remove_flow(flow);
            let gone = bed.a.report()["flows"] == json!([]) && bed.live() == 0;
            if !stands || !changed || rate != 24_000 || !gone {
                stop.store(true, Ordering::Relaxed);
                panic!("round {round}: it stands: {stands}; changed: {changed}, {rate}; gone: {gone}");
            }
        }
        stop.store(true, Ordering::Relaxed);
        asking.join().expect("it asks");
    });
}
