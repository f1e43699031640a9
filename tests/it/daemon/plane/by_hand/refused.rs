//! Flows that were admitted and that the kernel then has no place for: they are closed, and their client is told why (A51).

use super::{AMPLE, Bed, marked, paced, paced_with, to_port};
use serde_json::json;

#[test]
fn a_flow_that_the_kernel_has_no_place_for_is_closed_with_why() {
    let Some(mut bed) = Bed::new("flows that are refused", "overhead = 0\n") else { return };
    let before = bed.a.remaining("to-r");
    bed.a.subscribe_to_flows();
    let mut owner = bed.net.client("a");
    // One that has only marks needs no classes.
    let light = owner.flow("to-r", &marked(&json!({"dscp": 10, "name": "light"})));
    owner.filter(light, &to_port(5000));
    owner.report();
    bed.send(4000, 5000, 1);
    assert_eq!(bed.dscps(5000, 0, 1), [10]);
    // Somebody else's classes come, and nobody tells the daemon.
    bed.net.exec("a", &["tc", "qdisc", "add", "dev", "to-r", "root", "handle", "1:", "htb"]);
    let flow = owner.flow("to-r", &paced_with(AMPLE, 15_000, &json!({"dscp": 46, "name": "heavy"})));
    for client in [&mut owner, &mut bed.a] {
        let closed = client.flow_event("flow-closed");
        let why = closed["why"].as_str().expect("a cause");
        assert!(why.contains("htb 1:"), "{closed}");
        let expected =
            json!({"event": "flow-closed", "flow": flow, "name": "heavy", "interface": "to-r", "why": why});
        assert_eq!(closed, expected);
    }
    let gone = owner.try_filter(flow, &to_port(5001)).expect_err("it is gone");
    assert_eq!((&gone["code"], bed.a.remaining("to-r")), (&json!("not-found"), before));
    // From here on it is known, and said at once.
    let refused = owner.try_flow("to-r", &paced(AMPLE, 15_000)).expect_err("no place");
    assert!(
        refused["code"] == "data-plane" && refused["message"].as_str().is_some_and(|m| m.contains("htb 1:")),
        "{refused}"
    );
    // The other stands, until it is to have what there is no place for.
    bed.send(4000, 5000, 1);
    assert_eq!(bed.dscps(5000, 1, 1), [10]);
    owner.modify(light, &paced_with(AMPLE, 15_000, &json!({"dscp": 46, "name": "light"}))).expect("a change");
    let closed = owner.flow_event("flow-closed");
    assert!(
        closed["flow"] == light && closed["why"].as_str().is_some_and(|w| w.contains("htb 1:")),
        "{closed}"
    );
    assert_eq!((bed.a.remaining("to-r"), owner.report()["flows"].take()), (before, json!([])));
    assert_eq!((bed.told_by(), bed.live()), ([0; 3], 0));
    bed.send(4000, 5000, 1);
    assert_eq!(bed.dscps(5000, 2, 1), [0]);
}
