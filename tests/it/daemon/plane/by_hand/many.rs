//! Many flows of one client, and a client that is killed: nothing is left.

use super::super::super::eventually;
use super::super::{classes, maps};
use super::{Bed, paced_with};
use aya::maps::{HashMap, Map, MapData, MapInfo};
use serde_json::json;

const FLOWS: usize = 1_000;
const FILTERS: usize = 5;

/// How many entries a map of a daemon has.
fn entries<const KEY: usize, const VALUE: usize>(bed: &Bed, name: &str) -> usize {
    let found = maps(&bed.net, "a").into_iter();
    let mut found = found.filter(|map| map.info().ok().as_ref().and_then(MapInfo::name_as_str) == Some(name));
    let map = found.next().expect("a map");
    let map: HashMap<MapData, [u8; KEY], [u8; VALUE]> =
        HashMap::try_from(Map::HashMap(map)).expect("its sizes");
    map.keys().filter(Result::is_ok).count()
}

#[test]
fn nothing_is_left_of_a_thousand_flows_when_their_client_is_killed() {
    let Some(mut bed) = Bed::new("many flows by hand", "overhead = 0\n") else { return };
    let before = bed.a.remaining("to-r");
    // A process of its own, so that it can be killed.
    let mut owner = bed.net.client("a");
    for n in 0..FLOWS {
        // Each tenth has a class of its own.
        let mode = if n % 10 == 0 { "shape" } else { "borrow" };
        let flow = owner.flow("to-r", &paced_with(16_000, 3_000, &json!({"mode": mode, "dscp": 46})));
        for port in 0..FILTERS {
            let port = 10_000 + n * FILTERS + port;
            owner.filter(
                flow,
                &json!({"protocol": "udp", "destination": "10.0.2.2", "destination_port": port}),
            );
        }
    }
    let report = owner.report();
    assert_eq!(report["flows"].as_array().map(Vec::len), Some(FLOWS));
    assert!(report["flows"].as_array().is_some_and(|rows| rows.iter().all(|row| row["counted"].is_object())));
    assert_eq!(entries::<44, 4>(&bed, "filters"), FLOWS * FILTERS);
    assert_eq!(bed.a.remaining("to-r"), before - 16_000 * FLOWS as u64);
    for n in [0, 77, FLOWS * FILTERS - 1] {
        let port = 10_000 + n as u16;
        bed.send(4000, port, 1);
        assert_eq!(bed.dscps(port, 0, 1), [46], "filter {n}");
    }
    let own = |bed: &Bed| {
        let all = classes(&bed.net, "a", "to-r");
        all.iter().filter(|(number, _)| number.split(':').nth(1).is_some_and(|minor| minor.len() > 2)).count()
    };
    assert!(own(&bed) >= FLOWS / 10);
    drop(owner);
    eventually("no flow is left", || (bed.a.report()["flows"] == json!([])).then_some(()));
    assert_eq!(bed.a.remaining("to-r"), before);
    assert_eq!((entries::<44, 4>(&bed, "filters"), entries::<4, 644>(&bed, "masks")), (0, 0));
    eventually("no class is left", || (own(&bed) == 0).then_some(()));
    bed.send(4000, 10_000, 1);
    assert_eq!(bed.dscps(10_000, 1, 1), [0]);
}
