//! Real traffic over a link, captured on the far side.

use super::super::capture::{Capture, frames};
use super::super::eventually;
use super::super::net::Net;
use super::frame::{Seen, UDP};
use super::{Bench, WAYS, addresses, in_class, linked};
use rsvpd::data_plane::bpf::{Attach, Filter, Flow, Limits, Mode, Treatment};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};

/// UDP and tagged frames that have arrived.
fn arrived(capture: &Capture) -> Vec<Seen> {
    frames(&capture.file).iter().filter_map(|(.., frame)| Seen::read(frame)).collect()
}

/// The far side sees packets to this port before and after those of a test.
const AROUND: u16 = 9999;

/// Waits for so many packets around those of a test; gives what is between them.
fn until(capture: &Capture, count: usize) -> Vec<Seen> {
    let mut found = eventually("the last packet", || {
        let found = arrived(capture);
        (found.iter().filter(|seen| seen.port == Some(AROUND)).count() == count).then_some(found)
    });
    found.retain(|seen| seen.port != Some(AROUND));
    found
}

fn send(is_v6: bool, octets: usize, ports: &[u16]) {
    let [from, to, _] = addresses(is_v6);
    let socket = UdpSocket::bind(SocketAddr::new(from, 0)).expect("a socket");
    for port in ports {
        socket.send_to(&vec![0; octets], SocketAddr::new(to, *port)).expect("it is sent");
    }
}

/// Runs something within `a`, with the far side captured, by both ways to attach.
fn captured(test: &str, what: impl Fn(&mut Bench) + Sync, check: impl Fn(Attach, Vec<Seen>)) {
    for how in WAYS {
        let Some(mut net) = linked(test) else { return };
        let capture = net.capture_of("b", "to-a", "udp or ip6 or vlan");
        net.within("a", || {
            // Before, so that the hosts know each other and nothing waits for an answer.
            send(false, 0, &[AROUND]);
            send(true, 0, &[AROUND]);
            until(&capture, 2);
            what(&mut Bench::new(how));
            send(false, 0, &[AROUND]);
        });
        check(how, until(&capture, 3));
    }
}

#[test]
fn marks_and_priorities_arrive_and_other_traffic_is_as_it_was() {
    for is_v6 in [false, true] {
        let marks = |bench: &mut Bench| {
            let [_, to, _] = addresses(is_v6);
            let conforming = Treatment { dscp: Some(46), pcp: Some(5), class: Some(0x10001) };
            let key = bench.key(to, UDP, 5000, Filter::Any);
            let id = bench.flow(&Flow { conforming, ..in_class(1) }, &key);
            send(is_v6, 72, &[5000, 5001, 5000]);
            assert_eq!(bench.counted(id).conforming.packets, 2);
            bench.egress.detach(bench.interface).expect("it was attached");
            send(is_v6, 72, &[5000]);
        };
        captured("marks on the wire", marks, |how, seen| {
            let length = if is_v6 { 120 } else { 100 };
            let plain = |port| Seen { tag: None, traffic_class: 0, port: Some(port), length };
            // VLAN 0, priority 5.
            let marked = Seen { tag: Some(0xa000), traffic_class: 46 << 2, ..plain(5000) };
            assert_eq!(seen, [marked.clone(), plain(5001), marked, plain(5000)], "{how:?}");
        });
    }
}

#[test]
fn all_fragments_of_a_datagram_are_marked() {
    for is_v6 in [false, true] {
        let fragments = |bench: &mut Bench| {
            let [_, to, _] = addresses(is_v6);
            let conforming = Treatment { dscp: Some(34), ..Treatment::default() };
            let key = bench.key(to, UDP, 5000, Filter::Any);
            let id = bench.flow(&Flow { conforming, ..in_class(1) }, &key);
            send(is_v6, 4000, &[5000, 5001]);
            assert_eq!(bench.counted(id).conforming.packets, 3);
        };
        captured("fragments on the wire", fragments, |how, seen| {
            let classes: Vec<(u8, bool)> =
                seen.iter().map(|s| (s.traffic_class >> 2, s.port.is_some())).collect();
            let of = |class| [(class, true), (class, false), (class, false)];
            assert_eq!(classes, [of(34), of(0)].concat(), "{how:?}");
        });
    }
}

#[test]
fn what_is_discarded_does_not_arrive() {
    let discard = |bench: &mut Bench| {
        let [_, to, _] = addresses(false);
        let limits = Limits { rate: 1, bucket: 350, ..Limits::default() };
        let flow = Flow { mode: Mode::Discard, limits, ..in_class(1) };
        let key = bench.key(to, UDP, 5000, Filter::Any);
        let id = bench.flow(&flow, &key);
        send(false, 72, &[5000; 10]);
        let counted = bench.counted(id);
        assert_eq!(
            (counted.conforming.packets, counted.dropped.packets, counted.dropped.octets),
            (3, 7, 700)
        );
    };
    captured("discard on the wire", discard, |how, seen| assert_eq!(seen.len(), 3, "{how:?}"));
}

#[test]
fn a_tcp_connection_is_counted_by_its_packets() {
    for how in WAYS {
        let Some(net) = linked("TCP") else { return };
        let net: &Net = &net;
        let listener = net.within("b", || TcpListener::bind("10.0.1.2:5000").expect("a listener"));
        let reader = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a caller");
            let mut octets = Vec::new();
            stream.read_to_end(&mut octets).expect("all of it");
            octets.len()
        });
        let counted = net.within("a", || {
            let mut bench = Bench::new(how);
            let [_, to, _] = addresses(false);
            let key = bench.key(to, super::frame::TCP, 5000, Filter::Any);
            let id = bench.flow(&in_class(1), &key);
            let mut stream = TcpStream::connect("10.0.1.2:5000").expect("it is accepted");
            stream.write_all(&vec![7; 300_000]).expect("it is sent");
            stream.shutdown(std::net::Shutdown::Write).expect("it ends");
            assert_eq!(reader.join().expect("it ends"), 300_000);
            bench.counted(id).conforming
        });
        // 1,448 octets of data behind 52 of headers at most; every packet is counted, whatever the kernel handed down at
        // once. Some may have been sent again.
        let data = 300_000_u64.div_ceil(1448);
        assert!(counted.packets >= data, "{how:?}: {counted:?}");
        let octets = 300_000 + data * 52..=counted.packets * 1500;
        assert!(octets.contains(&counted.octets), "{how:?}: {counted:?}, {octets:?}");
    }
}
