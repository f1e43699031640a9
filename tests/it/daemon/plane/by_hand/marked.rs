//! Marks: other tables while the daemon runs (A39), and those of TCP traffic (A55).

use super::super::super::eventually;
use super::{AMPLE, Bed, paced, paced_with, to_port};
use serde_json::{Value, json};

/// `tc-set` holds for the next packets of flows that stand; what was said of an interface holds before what was said of all.
#[test]
fn a_table_that_changes_marks_the_next_packets_and_the_interfaces_wins() {
    let Some(mut bed) = Bed::new("tables that change", "") else { return };
    let flow = bed.a.flow("to-r", &paced(AMPLE, 60_000));
    bed.a.filter(flow, &to_port(5000));
    let mut sent = 0;
    let mut marked = |bed: &mut Bed, set: Option<Value>| {
        if let Some(mut set) = set {
            set["request"] = json!("tc-set");
            bed.a.ask(set).expect("it is set");
        }
        bed.a.report();
        bed.send(4000, 5000, 1);
        sent += 1;
        bed.dscps(5000, sent - 1, 1)[0]
    };
    let of = |dscp: &str| json!({"controlled-load": {"dscp": dscp}});
    assert_eq!(marked(&mut bed, None), 24, "that of the service");
    assert_eq!(marked(&mut bed, Some(json!({"marks": of("af21")}))), 18);
    assert_eq!(marked(&mut bed, Some(json!({"interface": "to-r", "marks": of("ef")}))), 46);
    assert_eq!(marked(&mut bed, Some(json!({"marks": of("cs1")}))), 46, "the interface's");
    assert_eq!(marked(&mut bed, Some(json!({"interface": "to-r", "reset": true}))), 8, "the system's");
    assert_eq!(
        marked(&mut bed, Some(json!({"interface": "to-r", "marks": of("keep")}))),
        0,
        "the application's"
    );
    assert_eq!(marked(&mut bed, Some(json!({"reset": true, "marks": of("af11")}))), 0);
    let wrong = json!({"request": "tc-set", "marks": of("64")});
    assert!(bed.a.ask(wrong).expect_err("no DSCP")["message"].as_str().is_some_and(|m| m.contains("64")));
    assert_eq!(marked(&mut bed, Some(json!({"interface": "to-r", "reset": true}))), 10);
}

/// DSCP to class: packets of no flow go to the class that is said, from then on.
#[test]
fn a_class_by_dscp_is_that_of_the_next_packets() {
    let Some(mut bed) = Bed::new("classes that change", "") else { return };
    bed.a.flow("to-r", &paced(8_000, 1_500));
    bed.a.report();
    let sent = |bed: &Bed, class: &str| -> u64 {
        let said = bed.net.exec("a", &["tc", "-s", "class", "show", "dev", "to-r", "classid", class]);
        let words: Vec<&str> = said.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "bytes").expect("a count");
        words[at + 1].parse().expect("packets")
    };
    let through = |bed: &Bed, class: &str, before: u64| {
        eventually("packets in the class", || (sent(bed, class) >= before + 5).then_some(()));
    };
    for (class, word) in
        [("7276:5", "qualitative"), ("7276:6", "non-conforming"), ("7276:2", "network-control")]
    {
        bed.a
            .ask(json!({"request": "tc-set", "interface": "to-r", "classes": {"0": word}}))
            .expect("it is set");
        bed.a.report();
        let before = sent(&bed, class);
        bed.send(4000, 5000, 5);
        through(&bed, class, before);
    }
    bed.a.ask(json!({"request": "tc-set", "interface": "to-r", "reset": true})).expect("it is set");
    bed.a.report();
    let before = sent(&bed, "7276:4");
    bed.send(4000, 5000, 5);
    through(&bed, "7276:4", before);
}

/// QOS_TCP_TRAFFIC: the marks of best effort, whatever else is said; QOS_FRIENDLY_NAME: what enumerations show (A55).
#[test]
fn tcp_traffic_has_its_own_marks_and_a_name_is_shown() {
    let Some(mut bed) = Bed::new("TCP traffic", "") else { return };
    let members = json!({"dscp": 46, "excess_dscp": 34, "name": "a TCP \u{fc}bertragung"});
    let flow = bed.a.flow("to-r", &paced_with(800, 2_000, &members));
    bed.a.filter(flow, &to_port(5000));
    bed.a.report();
    bed.send(4000, 5000, 3);
    assert_eq!(bed.dscps(5000, 0, 3), [46, 46, 34]);
    let mut members = members;
    members["tcp_traffic"] = json!(true);
    bed.a.modify(flow, &paced_with(800, 2_000, &members)).expect("a change");
    let report = bed.a.report_of(flow);
    assert_eq!(report["said"]["name"], "a TCP \u{fc}bertragung");
    // Nothing is left in the bucket: these are beyond it.
    bed.send(4000, 5000, 2);
    assert_eq!(bed.dscps(5000, 3, 2), [0, 0]);
    // Nor have those a mark that conform.
    let flow = bed.a.flow("to-r", &paced_with(800, 2_000, &members));
    bed.a.filter(flow, &to_port(5001));
    bed.a.report();
    bed.send(4000, 5001, 3);
    assert_eq!(bed.dscps(5001, 0, 3), [0; 3]);
    let counted = bed.a.report_of(flow)["counted"].take();
    assert_eq!((&counted["packets"], &counted["excess_packets"]), (&json!(2), &json!(1)), "{counted}");
}
