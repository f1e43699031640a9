//! A reserved flow between others: it is delivered, held to its TSpec and marked; the rest has what is left.

use super::super::capture::{Capture, frames};
use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{Steady, arrived, at, burst, from, send};
use super::{SENDER, SESSION, class_of, compared, controlled_load, kernel, reserved};
use serde_json::Value;
use std::time::Duration;

/// The TOS octets of datagrams to a port, in their order.
pub(super) fn tos(capture: &Capture, port: u16) -> Vec<u8> {
    let mut found = Vec::new();
    for (.., frame) in frames(&capture.file) {
        let packet = &frame[14..];
        if packet[0] == 0x45 && packet[9] == 17 && packet[22..24] == port.to_be_bytes() {
            found.push(packet[1]);
        }
    }
    found
}

pub(super) fn number(row: &Value, field: &str) -> u64 {
    row[field].as_u64().unwrap_or_else(|| panic!("{field} in {row}"))
}

/// The only flow of a node.
fn flow(net: &Net, node: &str) -> Value {
    net.client(node).until("flows", 1).remove(0)
}

#[test]
fn a_reserved_flow_is_delivered_whole_through_a_flood() {
    let far = kernel("auto", "[interface.to-b]\nbandwidth = \"10mbit\"\n");
    let near = kernel("auto", "");
    // 2.1 Mbit/s for a flow of 2, and a bucket for a machine that is busy now and then.
    let configs = [near.as_str(), far.as_str(), near.as_str()];
    let Some((mut net, _clients)) = reserved("a reserved flow in a flood", configs, 2_100_000, 200_000)
    else {
        return;
    };
    let capture = net.capture_of("b", "to-r", "udp and dst port 5000");
    let (voice, bulk) = (at(&net, "b", "10.0.2.2:5000"), at(&net, "b", "10.0.2.2:6000"));
    let sender = from(&net, "a", SENDER, "10.0.2.2:5000", 0);
    let flooder = from(&net, "a", "10.0.1.1:4001", "10.0.2.2:6000", 0);
    let flows = [
        Steady { socket: &sender, packet: 1_000, rate: 250_000, floods: false },
        // Three times the link behind the router.
        Steady { socket: &flooder, packet: 1_400, rate: 3_750_000, floods: true },
    ];
    let (sent, _) = send(&flows, Duration::from_secs(3));
    assert!(sent[0] >= 740, "{sent:?}");
    eventually("an empty queue", || {
        let idle = |minor| class_of(&net, "r", "to-b", minor).counters.backlog_packets == 0;
        (idle(3) && idle(4)).then_some(())
    });
    let mut delivered = 0;
    eventually("the reserved flow", || {
        delivered += arrived(&voice);
        (delivered >= sent[0]).then_some(())
    });
    assert_eq!(delivered, sent[0]);
    let bulk = arrived(&bulk);
    assert!(bulk * 2 < sent[1], "{bulk} of {} got through", sent[1]);
    // What the kernel says is what was seen, to the packet.
    let load = class_of(&net, "r", "to-b", 3).counters;
    assert_eq!((load.packets, load.drops), (sent[0], 0));
    assert!(class_of(&net, "r", "to-b", 4).counters.drops > 0);
    for node in ["a", "r"] {
        let row = compared(&net, node).remove(0);
        assert_eq!(row["class"], "7276:3", "{row}");
        assert_eq!((number(&row, "packets"), number(&row, "octets")), (sent[0], sent[0] * 1_000), "{row}");
        assert_eq!((number(&row, "excess_packets"), number(&row, "dropped_packets")), (0, 0), "{row}");
    }
    let marks = eventually("all in the capture", || {
        Some(tos(&capture, 5000)).filter(|marks| marks.len() as u64 == sent[0])
    });
    assert!(marks.iter().all(|tos| *tos == 0x60), "CS3");
}

#[test]
fn packets_beyond_the_tspec_have_the_mark_of_those_and_ecn_stays() {
    for attach in ["tcx", "clsact"] {
        let config = kernel(attach, "");
        // One octet per second: the bucket is all there is.
        let configs = [config.as_str(); 3];
        let Some((mut net, _clients)) = reserved("marks beyond a TSpec", configs, 8, 5_000) else { return };
        let capture = net.capture_of("b", "to-r", "udp and dst port 5000");
        // EF and ECN of the application's own.
        let sender = from(&net, "a", SENDER, "10.0.2.2:5000", 0xb9);
        let _receiver = at(&net, "b", "10.0.2.2:5000");
        burst(&sender, 1_000, 20);
        let marks =
            eventually("twenty packets", || Some(tos(&capture, 5000)).filter(|marks| marks.len() == 20));
        let of = |mark: u8| marks.iter().filter(|tos| **tos == mark).count();
        assert_eq!((of(0x61), of(0x01)), (5, 15), "{attach}: {marks:?}");
        for node in ["a", "r"] {
            let row = flow(&net, node);
            assert_eq!((number(&row, "packets"), number(&row, "excess_packets")), (5, 15), "{row}");
            // Excess leaves, behind everything else.
            assert_eq!(
                class_of(&net, node, if node == "a" { "to-r" } else { "to-b" }, 6).counters.packets,
                15
            );
        }
        let state = net.client("r").list("interfaces");
        let state = state.iter().find(|row| row["name"] == "to-b").expect("an interface");
        assert_eq!(state["data_plane"], format!("{attach}, htb"));
    }
}

#[test]
fn the_tables_of_marks_are_the_interfaces_before_the_systems() {
    let system = "marks.controlled_load = { dscp = \"af41\", excess_dscp = \"le\" }\n";
    let config = kernel("auto", system);
    let own =
        kernel("auto", &format!("{system}[interface.to-b.marks]\ncontrolled_load = {{ dscp = \"ef\" }}\n"));
    let configs = [config.as_str(), own.as_str(), config.as_str()];
    let Some((mut net, _clients)) = reserved("tables of marks", configs, 8, 2_000) else { return };
    let near = net.capture_of("r", "to-a", "udp and dst port 5000");
    let far = net.capture_of("b", "to-r", "udp and dst port 5000");
    let sender = from(&net, "a", SENDER, "10.0.2.2:5000", 0);
    let _receiver = at(&net, "b", "10.0.2.2:5000");
    let expect = |capture: &Capture, expected: &[u8]| {
        let marks = eventually("the packets", || {
            Some(tos(capture, 5000)).filter(|marks| marks.len() >= expected.len())
        });
        let marks: Vec<u8> = marks.into_iter().map(|tos| tos >> 2).collect();
        assert_eq!(marks, expected);
    };
    burst(&sender, 1_000, 3);
    expect(&near, &[34, 34, 1]);
    expect(&far, &[46, 46, 1]);
    // Another table, for what is reserved already.
    let changed = own.replace("\"le\"", "\"cs1\"");
    std::fs::write(net.file("r.toml"), changed).expect("a configuration");
    net.signal("r", nix::sys::signal::Signal::SIGHUP);
    eventually("the new configuration", || net.log("r").contains("was read again").then_some(()));
    // Asked for after the change, so answered after it; and counts go on.
    assert_eq!(number(&flow(&net, "r"), "packets"), 2);
    burst(&sender, 1_000, 1);
    expect(&near, &[34, 34, 1, 1]);
    expect(&far, &[46, 46, 1, 8]);
}

#[test]
fn policing_lets_through_what_the_bucket_has_and_no_more() {
    let config = kernel("auto", "excess.controlled_load = \"discard\"\n");
    let plain = kernel("auto", "");
    let configs = [config.as_str(), plain.as_str(), plain.as_str()];
    let (rate, bucket) = (250_000_u64, 20_000_u64);
    let Some((net, _clients)) = reserved("policing", configs, rate * 8, bucket) else { return };
    let receiver = at(&net, "b", "10.0.2.2:5000");
    let sender = from(&net, "a", SENDER, "10.0.2.2:5000", 0);
    // The first packet of all, and from then on four times the rate.
    burst(&sender, 1_000, 1);
    let flows = [Steady { socket: &sender, packet: 1_000, rate: 4 * rate, floods: false }];
    let (sent, took) = send(&flows, Duration::from_secs(2));
    let row = flow(&net, "a");
    let (passed, dropped) = (number(&row, "octets"), number(&row, "dropped_packets"));
    assert_eq!(number(&row, "packets") + dropped, sent[0] + 1, "every packet is counted");
    assert_eq!(number(&row, "excess_packets"), dropped);
    let most = rate * took.as_micros() as u64 / 1_000_000 + bucket;
    // The bucket is never full again after the first packets, so that nothing of the rate is lost but the part of a packet; what
    // a busy machine did not send for a while could not use it.
    assert!(passed <= most + most / 100, "{passed} of {most}");
    assert!(passed + most / 100 + 1_000 >= rate * 2 + bucket, "{passed} of {most}");
    let mut delivered = 0;
    eventually("what was let through", || {
        delivered += arrived(&receiver);
        (delivered == number(&row, "packets")).then_some(())
    });
}

#[test]
fn a_reservation_changes_in_place_and_goes_whole() {
    let config = kernel("auto", "");
    let Some((net, [mut a, mut b])) = reserved("changes in place", [&config; 3], 800_000, 20_000) else {
        return;
    };
    let receiver = at(&net, "b", "10.0.2.2:5000");
    let sender = from(&net, "a", SENDER, "10.0.2.2:5000", 0);
    burst(&sender, 1_000, 10);
    // They are on their way while the router is asked.
    let before = eventually("ten packets", || {
        Some(compared(&net, "r").remove(0)).filter(|row| number(row, "packets") == 10)
    });
    assert_eq!(number(&before, "rate_bps"), 800_000);
    a.announce(SESSION, SENDER, &super::traffic(1_600_000, 20_000));
    b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(1_600_000, 20_000));
    let changed = |node: &str| {
        eventually("the new rate", || {
            let row = flow(&net, node);
            (number(&row, "rate_bps") == 1_600_000).then_some(row)
        })
    };
    for node in ["a", "r"] {
        let row = changed(node);
        assert_eq!(number(&row, "packets"), 10, "counts go on");
        compared(&net, node);
    }
    burst(&sender, 1_000, 5);
    eventually("five more", || (number(&flow(&net, "r"), "packets") == 15).then_some(()));
    drop(b);
    for node in ["a", "r"] {
        net.client(node).until("flows", 0);
        compared(&net, node);
    }
    // The kernel has nothing of it: the class of all such flows is empty-handed, and no key is left.
    assert_eq!(class_of(&net, "r", "to-b", 3).htb.expect("a class").rate, 1);
    let mut delivered = 0;
    eventually("everything that was sent", || {
        delivered += arrived(&receiver);
        (delivered == 15).then_some(())
    });
    drop(a);
}

#[test]
fn senders_that_share_a_reservation_share_its_bucket() {
    let config = kernel("auto", "");
    for (style, filters) in [("wf", &[][..]), ("se", &[SENDER, "10.0.1.1:4001"][..])] {
        let Some(mut net) = Net::three_in_a_row("a shared reservation") else { return };
        ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, &config));
        let (mut a, mut b) = (net.client("a"), net.client("b"));
        for sender in [SENDER, "10.0.1.1:4001"] {
            a.announce(SESSION, sender, &super::traffic(8, 6_000));
        }
        net.client("b").until("senders", 2);
        b.ask_for(SESSION, style, filters, &controlled_load(8, 6_000));
        for node in ["a", "r"] {
            net.client(node).until("flows", 1);
        }
        let _receiver = at(&net, "b", "10.0.2.2:5000");
        let one = from(&net, "a", SENDER, "10.0.2.2:5000", 0);
        let other = from(&net, "a", "10.0.1.1:4001", "10.0.2.2:5000", 0);
        burst(&one, 1_000, 4);
        burst(&other, 1_000, 4);
        let row = eventually("eight packets", || {
            let row = compared(&net, "r").remove(0);
            (number(&row, "packets") + number(&row, "excess_packets") == 8).then_some(row)
        });
        assert_eq!(number(&row, "packets"), 6, "{style}: {row}");
        drop((a, b));
    }
}
