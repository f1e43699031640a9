//! Whose a flow is, and what is told of it (A51): a flow ends with its client, and nobody else changes it.

use super::{AMPLE, Bed, marked, paced, paced_with, to_port};
use serde_json::json;

#[test]
fn a_flow_of_another_client_is_refused_and_ends_with_its_own() {
    let Some(mut bed) = Bed::new("owners of flows", "") else { return };
    let mut owner = bed.net.client("a");
    let flow = owner.flow("to-r", &paced_with(AMPLE, 15_000, &json!({"dscp": 46})));
    let filter = owner.filter(flow, &to_port(5000));
    owner.report();
    let foreign = [
        json!({"request": "tc-flow-modify", "flow": flow, "flowspec": paced(8_000, 1_500)["flowspec"]}),
        json!({"request": "tc-flow-delete", "flow": flow}),
        json!({"request": "tc-filter-add", "flow": flow, "protocol": "udp"}),
        json!({"request": "tc-filter-delete", "filter": filter}),
    ];
    for request in foreign {
        let refused = bed.a.ask(request.clone()).expect_err("it is another's");
        assert_eq!(refused["code"], "not-permitted", "{request}: {refused}");
    }
    // Nor does another have its packets, by the same pattern.
    let own = bed.a.flow("to-r", &marked(&json!({"dscp": 10})));
    assert_eq!(bed.a.try_filter(own, &to_port(5000)).expect_err("it is taken")["code"], "filter-taken");
    bed.send(4000, 5000, 2);
    assert_eq!(bed.dscps(5000, 0, 2), [46; 2]);
    bed.a.subscribe_to_flows();
    drop(owner);
    let ended = bed.a.flow_event("flow-closed");
    assert_eq!((&ended["flow"], &ended["why"]), (&json!(flow), &json!("its client is gone")));
    bed.a.filter(own, &to_port(5000));
    bed.a.report();
    bed.send(4000, 5000, 2);
    assert_eq!(bed.dscps(5000, 2, 2), [10; 2]);
}

/// Whoever asks for it is told of flows that end, of interfaces, and of what is left (A51, A53).
#[test]
fn interfaces_and_parameters_that_change_are_told() {
    let Some(mut bed) = Bed::new("what is told of flows", "overhead = 0\nreservable = \"10mbit\"\n") else {
        return;
    };
    bed.a.subscribe_to_flows();
    let mut owner = bed.net.client("a");
    let flow = owner.flow("to-r", &paced_with(4_000_000, 15_000, &json!({"name": "backup"})));
    let changed = |parameter: &str, value: u64| json!({"event": "parameter-changed", "interface": "to-r", "parameter": parameter, "value": value});
    assert_eq!(bed.a.flow_event("parameter-changed"), changed("remaining-bps", 6_000_000));
    assert_eq!(bed.a.flow_event("parameter-changed"), changed("flows", 1));
    owner.modify(flow, &paced_with(5_000_000, 15_000, &json!({"name": "backup"}))).expect("a change");
    assert_eq!(bed.a.flow_event("parameter-changed"), changed("remaining-bps", 5_000_000));
    let marks = json!({"request": "tc-set", "interface": "to-r", "marks": {"null": {"dscp": "cs1"}}});
    owner.ask(marks).expect("marks");
    let event = bed.a.flow_event("parameter-changed");
    assert_eq!((&event["parameter"], &event["value"]), (&json!("marks"), &json!(null)), "{event}");
    // Down, and up again: the flow stays.
    bed.net.ip("a", "link set to-r down");
    assert_eq!(bed.a.flow_event("interface-down")["interface"], "to-r");
    bed.net.ip("a", "link set to-r up");
    assert_eq!(bed.a.flow_event("interface-up")["interface"], "to-r");
    assert!(owner.report_of(flow)["counted"].is_object());
    // Gone, the flow is closed, and its client is told without having asked for it.
    bed.net.ip("a", "link del to-r");
    let closed = owner.flow_event("flow-closed");
    let expected = json!({"event": "flow-closed", "flow": flow, "name": "backup", "interface": "to-r", "why": "its interface is gone"});
    assert_eq!(closed, expected);
    assert_eq!(bed.a.flow_event("flow-closed"), expected);
    assert_eq!(owner.report()["flows"], json!([]));
    let refused = owner.try_flow("to-r", &paced(8_000, 1_500)).expect_err("nothing is there");
    assert_eq!(refused["code"], "data-plane");
}

#[test]
fn what_cannot_be_is_refused_with_what_could() {
    let Some(mut bed) = Bed::new("flows that cannot be", "") else { return };
    let flows = [
        (json!({"interface": "eth9"}), "no-interface", "to-r"),
        (json!({"flow": 1}), "bad-request", "tc-flow-modify"),
        (json!({"dscp": 64}), "bad-request", "0 to 63"),
        (json!({"priority": 8}), "bad-request", "0 to 7"),
        (json!({"shaping_rate_bps": 7}), "bad-request", "shaping_rate_bps"),
        (json!({"mode": "borrow-plus"}), "bad-request", "borrow-plus"),
        (json!({"name": "x".repeat(257)}), "bad-request", "256"),
        (json!({"color": "red"}), "bad-request", "color"),
        (json!({"rules": [{"inbound": 64, "dscp": 1, "excess_dscp": 2}]}), "bad-request", "0 to 63"),
    ];
    for (members, code, said) in flows {
        let refused = bed.a.try_flow("to-r", &paced_with(8_000, 1_500, &members)).expect_err("it cannot be");
        let message = refused["message"].as_str().expect("a message");
        assert!(refused["code"] == code && message.contains(said), "{members}: {refused}");
    }
    let traffic = json!({"rate_bps": 8_000, "peak_bps": 80});
    let low = json!({"flowspec": {"service": "controlled-load", "traffic": traffic}});
    assert_eq!(bed.a.try_flow("to-r", &low).expect_err("a low peak")["code"], "bad-traffic-parameter");
    let flow = bed.a.flow("to-r", &paced(8_000, 1_500));
    let filters = [
        (json!({"destination": "10.0.2"}), "10.0.2.0/24"),
        (json!({"destination": "10.0.2.2", "source": "fd00::1"}), "families"),
        (json!({"destination_port": 5000}), "17 (UDP)"),
        (json!({"protocol": "udp", "icmp_type": 8}), "ICMP"),
        (json!({"protocol": "icmp", "icmp_code": 8}), "icmp_type"),
        (json!({"protocol": "udp", "spi": 8}), "50 (ESP)"),
        (json!({"protocol": "esp", "spi": 8, "source_port": 1}), "one of these"),
        (json!({"protocol": "upd"}), "udp"),
    ];
    for (members, said) in filters {
        let refused = bed.a.try_filter(flow, &members).expect_err("it cannot be");
        let message = refused["message"].as_str().expect("a message");
        assert!(refused["code"] == "bad-request" && message.contains(said), "{members}: {refused}");
    }
    for length in 1..=16 {
        bed.a.filter(flow, &json!({"destination": format!("10.0.2.2/{length}")}));
    }
    let refused = bed.a.try_filter(flow, &json!({"source": "10.0.1.1"})).expect_err("a mask more");
    assert!(
        refused["code"] == "limit-reached" && refused["message"].as_str().is_some_and(|m| m.contains("16"))
    );
    for (request, number) in [("tc-flow-delete", "flow"), ("tc-filter-delete", "filter")] {
        let refused = bed.a.ask(json!({"request": request, number: 4_711})).expect_err("there is none");
        assert_eq!(refused["code"], "not-found");
    }
    assert_eq!(
        bed.a.report()["flows"].as_array().map(Vec::len),
        Some(1),
        "and nothing was left of what was refused"
    );
}

/// Only root and the group may: a socket where any user may ask takes none of these.
#[test]
fn programs_of_any_user_make_no_flows() {
    let Some(bed) = Bed::new("flows of users", "") else { return };
    let socket = bed.net.file("a.qos.sock");
    let mut user = super::Client::open(&socket).expect("a socket for all");
    for request in [
        json!({"request": "tc-query"}),
        json!({"request": "tc-subscribe"}),
        json!({"request": "list", "what": "flows"}),
    ] {
        assert_eq!(user.ask(request.clone()).expect_err("not here")["code"], "not-permitted", "{request}");
    }
    let refused = user.try_flow("to-r", &paced(8_000, 1_500)).expect_err("not here");
    assert_eq!(refused["code"], "not-permitted");
}
