//! Policy and marks that messages carry for the other side, over a router.

use super::commands::{CONFIG, Running, is_event};
use super::net::Net;
use serde_json::json;

/// RFC 2996: a DCLASS goes from end to end, policy too. RFC 2814: a TCLASS goes no further than the next hop.
#[test]
fn marks_go_from_end_to_end_and_a_priority_to_the_next_hop() {
    let Some(mut net) = Net::three_in_a_row("policy and marks") else { return };
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    for (to, from) in [("10.0.2.2:5000", "10.0.1.1:4000"), ("[fd00:2::2]:5000", "[fd00:1::1]:4000")] {
        let address = to.rsplit_once(':').expect("a port").0.trim_matches(['[', ']']);
        // An application on the router hears what the first hop is told.
        let mut beside = net.client("r");
        let open = json!({"request": "open-session", "session": format!("udp {to}")});
        beside.ask(open).expect("opened");
        let receiver =
            format!("recv --address {address} --port 5000 --dclass af11,46 --policy 0008d00005060708 --json");
        let receiver = Running::start(&net, "b", &receiver);
        let sender = format!(
            "send --to {to} --from {from} --rate 1mbit --dclass ef --tclass 5 --policy 0008d00001020304 --json"
        );
        let sender = Running::start(&net, "a", &sender);
        let path = receiver.until("path", is_event("path"));
        let path = &path["event"];
        assert_eq!(
            (&path["dclass"], &path["policy"]),
            (&json!([46]), &json!(["0008d00001020304"])),
            "{path}"
        );
        assert!(path.get("tclass").is_none(), "{path}");
        assert_eq!(beside.event("path")["tclass"], 5);
        let resv = sender.until("reservation", is_event("resv"));
        let resv = &resv["event"];
        assert_eq!(
            (&resv["dclass"], &resv["policy"]),
            (&json!([10, 46]), &json!(["0008d00005060708"])),
            "{resv}"
        );
    }
    let (done, _, complaint) = super::commands::run(
        &net,
        "a",
        &["send", "--to", "10.0.2.2:5000", "--rate", "1mbit", "--tclass", "8"],
    );
    assert!(!done && complaint.contains("--tclass <PRIORITY>"), "{complaint}");
}
