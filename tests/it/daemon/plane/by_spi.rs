//! Reservations for IPSEC (RFC 2207) over two routers: packets of ESP and AH are told by their security parameter index.

use super::super::capture::{Capture, frames};
use super::super::eventually;
use super::super::net::Net;
use super::enforced::number;
use super::{controlled_load, kernel, traffic};
use serde_json::json;
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
