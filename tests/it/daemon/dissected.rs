//! What somebody else's dissector says of everything that routers put on the link between them: tshark finds no packet
//! malformed and no checksum wrong, and it sees as many packets as were captured.

use super::eventually;
use super::net::Net;
use rsvp_wire::MsgType;
use std::process::Command;

/// tshark's full text, a piece per packet, or nothing where there is no tshark; fails where there has to be one.
fn dissect(file: &std::path::Path) -> Option<Vec<String>> {
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-V", "-o", "ip.check_checksum:TRUE", "-r"]).arg(file);
    let Ok(done) = tshark.output() else {
        assert!(std::env::var_os("RSVP_REQUIRE_NAMESPACES").is_none(), "tshark is needed here");
        crate::skipped("daemon dissected: skipped, there is no tshark");
        return None;
    };
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    Some(text.split("\nFrame ").map(str::to_owned).collect())
}

/// Every type of message but PathErr, over the middle link `r` - `q`.
fn check_a_life(family: &str, receiver: &str, sender: &str) {
    let Some(mut net) = Net::four_in_a_row(&format!("tshark, {family}")) else { return };
    let wire = net.capture("r", "to-q");
    for (node, bandwidth) in [("a", "1gbit"), ("r", "10mbit"), ("q", "1gbit"), ("b", "1gbit")] {
        net.daemon(node, &format!("[interfaces]\nbandwidth = \"{bandwidth}\"\nrefresh = \"1s\"\n"));
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    let session = format!("udp {receiver}:5000");
    // What is asked for counts up to what the sender announces, which is more than `r` has.
    a.send(&session, sender, 20);
    b.event_after_reserving(&session, sender, 1, "resv-confirm");
    // A refresh of each kind, then a request that only `r` is too small for, and one that it has room for again.
    let refreshed = |kind| wire.of(kind).len() >= 2;
    eventually("refreshes", || (refreshed(MsgType::PATH) && refreshed(MsgType::RESV)).then_some(()));
    let error = b.event_after_reserving(&session, sender, 100, "resv-error");
    assert_eq!(error["error"]["code"], 1, "{error}");
    b.reserve(&session, sender, 1);
    drop(b);
    a.event("resv-gone");
    drop(a);
    net.client("q").until("senders", 0);
    for kind in [MsgType::PATH_TEAR, MsgType::RESV_TEAR, MsgType::RESV_ERR, MsgType::RESV_CONF] {
        wire.first(kind);
    }
    let Some(packets) = dissect(&wire.file) else { return };
    assert_eq!(packets.len(), wire.packets().len(), "tshark sees what was captured");
    for packet in packets {
        let notes = ["alformed", "incorrect", "Expert Info (Warning", "Expert Info (Error", "unknown object"];
        let noted = notes.into_iter().find(|note| packet.contains(note));
        assert!(noted.is_none(), "{noted:?}: {packet}");
        let sound =
            packet.lines().any(|line| line.contains("Message Checksum: 0x") && line.ends_with("[correct]"));
        assert!(sound, "{packet}");
        assert!(family == "IPv6" || packet.contains("[Header checksum status: Good]"), "{packet}");
    }
}

#[test]
fn tshark_has_nothing_to_say_against_a_routers_packets() {
    check_a_life("IPv4", "10.0.3.2", "10.0.1.1:4000");
}

#[test]
fn tshark_has_nothing_to_say_against_a_routers_packets_in_ipv6() {
    check_a_life("IPv6", "[fd00:3::2]", "[fd00:1::1]:4000");
}
