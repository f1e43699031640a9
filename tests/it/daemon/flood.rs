//! Bad input: random and mutated protocol-46 packets. Each is accounted for, and none of them matters.

use super::net::Net;
use rsvp_wire::MsgType;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// Packets sent.
const PACKETS: u64 = 100_000;
/// Sessions the router may have.
const SESSIONS: u64 = 500;

/// A small generator of our own: the same packets in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// An IPv4 packet: to the router, or to the host behind it with Router Alert.
fn packet(dice: &mut Dice, message: &[u8]) -> (Vec<u8>, Ipv4Addr) {
    let alert = dice.below(2) == 0;
    let to = if alert { Ipv4Addr::new(10, 0, 2, 2) } else { Ipv4Addr::new(10, 0, 1, 2) };
    let mut octets =
        vec![if alert { 0x46 } else { 0x45 }, 0xc0, 0, 0, 0, 0, 0, 0, 1 + dice.below(255) as u8, 46, 0, 0];
    octets.extend([10, 0, 1, 3 + dice.below(100) as u8]);
    octets.extend(to.octets());
    if alert {
        octets.extend([148, 4, 0, 0]);
    }
    octets.extend(message);
    (octets, to)
}

/// A message that may or may not be one.
fn message(dice: &mut Dice, templates: &[Vec<u8>]) -> Vec<u8> {
    if dice.below(4) == 0 {
        let length = dice.below(200) as usize;
        return (0..length).map(|_| dice.next() as u8).collect();
    }
    let mut octets = templates[dice.below(templates.len() as u64) as usize].clone();
    for _ in 0..dice.below(4) {
        let at = dice.below(octets.len() as u64) as usize;
        octets[at] = dice.next() as u8;
    }
    if dice.below(8) == 0 {
        octets.truncate(dice.below(octets.len() as u64) as usize);
    }
    // Three of four have a checksum that holds.
    if octets.len() >= 8 && dice.below(4) != 0 {
        octets[2..4].fill(0);
        let sum: u32 =
            octets.chunks(2).map(|c| u32::from(c[0]) << 8 | c.get(1).map_or(0, |&o| o.into())).sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        let folded = (folded & 0xffff) + (folded >> 16);
        octets[2..4].copy_from_slice(&(!(folded as u16)).to_be_bytes());
    }
    octets
}

fn counters(client: &mut super::client::Client) -> Value {
    client.ask(json!({"request": "list", "what": "counters"})).expect("counters")["counters"].take()
}

/// Packets the router has accounted for: handled by the engine, or dropped on the way to it.
fn accounted(counters: &Value) -> u64 {
    let ways = ["messages-taken", "messages-discarded", "packets-not-rsvp", "kernel-drops"];
    ways.iter().map(|way| counters["driver"][way].as_u64().expect("a counter")).sum()
}

/// Messages that the engine dropped, by its own count.
fn discarded(counters: &Value) -> u64 {
    counters["discards"].as_object().expect("reasons").values().filter_map(Value::as_u64).sum()
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
}

#[test]
fn a_hundred_thousand_bad_packets_are_accounted_for_and_change_nothing() {
    let Some(mut net) = Net::three_in_a_row("bad packets") else { return };
    let config = "[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"300s\"\n[limits]\nsessions = 500\n";
    let wire = net.capture("r", "to-a");
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, config));
    let (mut a, mut b, mut r) = (net.client("a"), net.client("b"), net.client("r"));
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 2);
    b.reserve("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    b.event("resv-confirm");
    wire.first(MsgType::RESV_CONF);
    // Messages of the session's neighbour in port numbers: strangers know nothing of the session itself.
    let stranger = |octets: Vec<u8>| {
        let end = octets.len();
        (0..end).fold(octets, |mut octets, at| {
            if octets.get(at..at + 2) == Some(&5000u16.to_be_bytes()) {
                octets[at..at + 2].copy_from_slice(&6000u16.to_be_bytes());
            }
            octets
        })
    };
    let templates: Vec<Vec<u8>> = wire.packets().into_iter().map(|p| stranger(p.octets)).collect();
    // The hosts fall silent, without a word: what the router hears from now on is the test.
    for node in ["a", "b"] {
        net.signal(node, nix::sys::signal::Signal::SIGKILL);
        net.ended(node);
    }
    let before = accounted(&counters(&mut r));
    let socket = net.raw("a");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut memory = 0;
    for sent in 0..PACKETS {
        let message = message(&mut dice, &templates);
        let (octets, to) = packet(&mut dice, &message);
        let to = SocketAddr::V4(SocketAddrV4::new(to, 0));
        socket.send_to(&octets, &to.into()).expect("it is sent");
        if sent % 256 == 255 {
            // No faster than the router listens, or nearly everything would be a kernel drop.
            let counters = counters(&mut r);
            assert!(accounted(&counters) <= before + sent + 1, "{counters}");
        }
        if sent == PACKETS / 2 {
            memory = resident_kib(net.pid("r"));
        }
    }
    let after = super::eventually("all packets", || {
        let counters = counters(&mut r);
        (accounted(&counters) >= before + PACKETS).then_some(counters)
    });
    assert_eq!(accounted(&after) - before, PACKETS, "{after}");
    let by_driver = after["driver"]["messages-discarded"].as_u64().expect("a counter");
    assert!(by_driver > PACKETS / 10 && discarded(&after) >= by_driver, "{after}");
    assert!(resident_kib(net.pid("r")) < memory + 4_096, "memory is flat");
    let sessions = r.list("sessions");
    assert!(sessions.len() as u64 <= SESSIONS, "{} sessions", sessions.len());
    let stands = r.list("reservations");
    assert!(stands.iter().any(|row| row["session"] == "udp 10.0.2.2:5000"), "{stands:?}");
}
