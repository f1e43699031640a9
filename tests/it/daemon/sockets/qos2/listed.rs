//! All flows: who sees which, and that nobody changes another's (B20).

use super::{Bed, KERNEL};
use rsvp_client::flows::TrafficType;
use serde_json::json;

#[test]
fn those_who_may_see_all_flows_and_change_none_of_others() {
    let Some(bed) = Bed::new("a list of flows", KERNEL) else { return };
    let (one, other) = (bed.flows(), bed.flows());
    let (first, second) = (bed.connected(), bed.connected());
    let voice = bed.add(&one, &first, TrafficType::Voice);
    let _background = bed.add(&other, &second, TrafficType::Background);
    let all = bed.at(bed.privileged().list()).expect("a listing");
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!((all[0].flow, all[0].traffic, all[0].marks.dscp), (voice.id(), TrafficType::Voice, 56));
    let socket = &all[0].sockets[0];
    assert_eq!(socket.destination.to_string(), super::PEER);
    assert_eq!((socket.interface.as_deref(), socket.on_link), (Some("to-b"), true));
    assert_eq!(socket.local.map(|local| local.port()), first.local_addr().ok().map(|at| at.port()));
    let mut client = bed.net().client("a");
    for (request, members) in [
        ("flow-set", json!({"traffic": "control"})),
        ("flow-remove", json!({})),
        ("flow-query", json!({"what": "packet-priority"})),
        ("flow-notify", json!({"when": "congested"})),
    ] {
        let mut asked = json!({"request": request, "flow": voice.id()});
        asked.as_object_mut().expect("members").extend(members.as_object().expect("members").clone());
        let refused = client.ask(asked).expect_err("it is another's");
        assert_eq!(refused["code"], "not-permitted", "{request}");
        let missing = client.ask(json!({"request": "flow-remove", "flow": 99})).expect_err("there is none");
        assert_eq!(missing["code"], "not-found");
    }
    assert_eq!((bed.mark(&first), bed.mark(&second)), (56, 8));
    // Who asks where any user may sees its own alone: root those of root, and others none of them.
    let seen = super::super::super::client::Client::open(&bed.hosts.qos_socket("a"));
    assert_eq!(seen.expect("a daemon").list_socket_flows().len(), 2, "all of them are root's");
    assert_eq!(users_seen_by(&bed, 1000), [1000]);
}

/// The users of the flows that a user sees who has one.
fn users_seen_by(bed: &Bed, uid: u32) -> Vec<u32> {
    const PROGRAM: &str = "
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect(('10.0.1.2', 5000))
ask({'id': 1, 'request': 'flow-add', 'fd': True, 'traffic': 'voice'}, [udp.fileno()])['ok']
print([row['uid'] for row in ask({'id': 2, 'request': 'flow-list'})['ok']['socket_flows']])
";
    serde_json::from_str(&bed.client_of(Some(uid), PROGRAM, &[])).expect("a list of numbers")
}
