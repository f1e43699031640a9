//! Reservations for IPSEC (RFC 2207) over two routers: packets of ESP and AH are told by their security parameter index.

use super::super::capture::{Capture, frames};
use super::super::client::Client;
use super::super::eventually;
use super::super::net::Net;
use super::enforced::number;
use super::outlived::{PLAIN, kill};
use super::{controlled_load, kernel, pinned, traffic};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::SocketAddr;

const INDEX: u32 = 0x0102_0304;

/// Sends what begins with an ESP or an AH header of this index, and nothing behind it that anybody reads.
fn send(net: &Net, protocol: u8, to: &str, index: u32) {
    net.within("a", || {
        let to: SocketAddr = to.parse().expect("an address");
        let domain = if to.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let socket =
            Socket::new(domain, Type::RAW, Some(Protocol::from(i32::from(protocol)))).expect("a socket");
        let before: &[u8] = if protocol == 51 { &[59, 4, 0, 0] } else { &[] };
        let octets = [before, &index.to_be_bytes(), &[0; 84]].concat();
        socket.send_to(&octets, &to.into()).expect("a route");
    });
}

/// DSCP and index of the packets of a protocol.
fn arrived(capture: &Capture, protocol: u8) -> Vec<(u8, u32)> {
    let read = |frame: &[u8]| {
        let packet = frame.get(14..)?;
        let (dscp, found, header) = match packet.first()? >> 4 {
            4 => (packet[1] >> 2, packet[9], usize::from(packet[0] & 15) * 4),
            6 => ((packet[0] << 4 | packet[1] >> 4) >> 2, packet[6], 40),
            _ => return None,
        };
        let at = header + if protocol == 51 { 4 } else { 0 };
        let index = packet.get(at..at + 4)?.try_into().ok()?;
        (found == protocol).then(|| (dscp, u32::from_be_bytes(index)))
    };
    frames(&capture.file).iter().filter_map(|(.., frame)| read(frame)).collect()
}

#[test]
fn raw_esp_of_the_reserved_index_has_the_class_and_other_esp_has_not() {
    let Some(mut net) = Net::four_in_a_row("reservations by index") else { return };
    let config = kernel("auto", "");
    ["a", "r", "q", "b"].into_iter().for_each(|node| net.daemon(node, &config));
    let capture = net.capture_of("b", "to-q", "ip or ip6");
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    let families = [("10.0.3.2", "10.0.1.1", "10.0.3.2:0"), ("[fd00:3::2]", "fd00:1::1", "[fd00:3::2]:0")];
    let mut flows = 0;
    for (word, protocol) in [("esp", 50), ("ah", 51)] {
        for (to, from, address) in families {
            let (session, sender) = (format!("{word} {to}:8192"), format!("{from} spi {INDEX:#x}"));
            a.announce(&session, &sender, &traffic(800_000, 15_000));
            b.hears(&session);
            b.ask_for(&session, "ff", &[&sender], &controlled_load(800_000, 15_000));
            b.event("resv-confirm");
            flows += 1;
            for node in ["a", "r", "q"] {
                let rows = net.client(node).until("flows", flows);
                let row = rows.iter().find(|row| row["session"] == session.as_str()).expect("the flow");
                assert_eq!((&row["filters"], &row["class"]), (&json!([sender]), &json!("7276:3")), "{row}");
            }
            let before = arrived(&capture, protocol).len();
            send(&net, protocol, address, INDEX);
            send(&net, protocol, address, INDEX + 1);
            let found = eventually("both packets", || {
                Some(arrived(&capture, protocol).split_off(before)).filter(|found| found.len() == 2)
            });
            assert!(found.contains(&(24, INDEX)) && found.contains(&(0, INDEX + 1)), "{session}: {found:?}");
            for node in ["a", "r", "q"] {
                let rows = net.client(node).list("flows");
                let row = rows.iter().find(|row| row["session"] == session.as_str()).expect("the flow");
                assert_eq!(number(row, "packets"), 1, "{node}: {row}");
            }
        }
    }
    // What cannot be is refused with what could.
    let wrong = json!({"request": "sender", "session": "esp 10.0.3.2:8193", "sender": "10.0.1.1:4000",
                       "traffic": traffic(8_000, 1_500)});
    assert_eq!(a.ask(wrong).expect_err("no index")["code"], "conflicting-c-type");
    let wrong = json!({"request": "open-session", "session": "esp 10.0.3.2"});
    assert_eq!(a.ask(wrong).expect_err("no port")["code"], "bad-session");
}

/// RFC 2207 section 4.1: a virtual port "is not passed to traffic control", so sessions that differ by it alone and name the same
/// index, or none (section 4.2.2), have the same packets. These are of what was reserved last, and of what is left when that ends.
#[test]
fn packets_of_two_virtual_ports_are_of_the_last_reservation_and_then_of_the_other() {
    let Some(mut net) = Net::three_in_a_row("two virtual ports") else { return };
    let config = kernel("auto", "");
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, &config));
    let capture = net.capture_of("b", "to-r", "ip");
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    let sessions = ["esp 10.0.2.2:8192", "esp 10.0.2.2:8193"];
    let sender = format!("10.0.1.1 spi {INDEX:#x}");
    let mut guaranteed = json!({"service": "guaranteed", "reserve_bps": 800_000});
    guaranteed["traffic"] = traffic(800_000, 15_000);
    let flowspecs = [controlled_load(800_000, 15_000), guaranteed];
    for session in sessions {
        a.announce(session, &sender, &traffic(800_000, 15_000));
        b.hears(session);
    }
    let mark = |count: usize| {
        send(&net, 50, "10.0.2.2:0", INDEX);
        let found = eventually("a packet", || Some(arrived(&capture, 50)).filter(|all| all.len() == count));
        found[count - 1].0
    };
    let mut sent = 0;
    for style in ["ff", "wf"] {
        let filters: &[&str] = if style == "ff" { &[&sender] } else { &[] };
        let ask = |b: &mut Client, n: usize, count: usize| {
            b.ask_for(sessions[n], style, filters, &flowspecs[n]);
            let said = b.next_event();
            assert_eq!(said["event"], "resv-confirm", "{style} {n}: {said}");
            ["a", "r"].iter().for_each(|node| drop(net.client(node).until("flows", count)));
        };
        let release = |b: &mut Client, n: usize, left: usize| {
            b.ask(json!({"request": "release", "session": sessions[n]})).expect("it is given up");
            ["a", "r"].iter().for_each(|node| drop(net.client(node).until("flows", left)));
        };
        let mut marks = Vec::new();
        ask(&mut b, 0, 1);
        marks.push(mark(sent + 1));
        ask(&mut b, 1, 2);
        marks.push(mark(sent + 2));
        release(&mut b, 1, 1);
        marks.push(mark(sent + 3));
        ask(&mut b, 1, 2);
        release(&mut b, 0, 1);
        marks.push(mark(sent + 4));
        release(&mut b, 1, 0);
        marks.push(mark(sent + 5));
        sent += 5;
        assert_eq!(marks, [24, 40, 24, 40, 0], "{style}");
    }
}

/// A flow that outlives its daemon has no virtual port in the kernel: its session has its share again all the same.
#[test]
fn a_reservation_by_index_that_outlives_the_daemon_is_taken_by_its_session_again() {
    let Some(mut net) = Net::three_in_a_row("stale flows by index") else { return };
    let root = net.bpffs().join("rsvpd");
    let config = pinned(&root, "auto", "refresh = \"30s\"\n");
    let sender = format!("10.0.1.1 spi {INDEX:#x}");
    // 75 Mbit/s can be reserved.
    let (rate, bucket) = (60_000_000, 50_000);
    for (style, kept) in [("ff", "esp 10.0.2.2"), ("wf", "proto50 10.0.2.2")] {
        [("a", PLAIN), ("r", config.as_str()), ("b", PLAIN)]
            .iter()
            .for_each(|(node, with)| net.daemon(node, with));
        let reserved = |net: &Net| {
            let (mut a, mut b) = (net.client("a"), net.client("b"));
            a.announce("esp 10.0.2.2:8192", &sender, &traffic(rate, bucket));
            b.hears("esp 10.0.2.2:8192");
            let filters: &[&str] = if style == "ff" { &[&sender] } else { &[] };
            b.ask_for("esp 10.0.2.2:8192", style, filters, &controlled_load(rate, bucket));
            let said = b.next_event();
            assert_eq!(said["event"], "resv-confirm", "{style}: {said}");
            [a, b]
        };
        let only = |net: &Net| -> [Value; 3] {
            let mut rows = net.client("r").until("flows", 1);
            ["session", "state", "packets"].map(|field| rows[0][field].take())
        };
        let clients = reserved(&net);
        assert_eq!(only(&net)[1], "installed");
        send(&net, 50, "10.0.2.2:0", INDEX);
        eventually("its packet", || (only(&net)[2] == 1).then_some(()));
        // Before anybody gives up what it has.
        ["r", "a", "b"].iter().for_each(|node| kill(&mut net, node));
        drop(clients);
        net.daemon("r", &config);
        assert_eq!(only(&net), [json!(kept), json!("stale"), json!(1)]);
        ["a", "b"].iter().for_each(|node| net.daemon(node, PLAIN));
        let _clients = reserved(&net);
        assert_eq!(only(&net), [json!("esp 10.0.2.2:8192"), json!("installed"), json!(1)]);
        for node in ["a", "r", "b"] {
            net.signal(node, Signal::SIGTERM);
            net.ended(node);
        }
    }
}
