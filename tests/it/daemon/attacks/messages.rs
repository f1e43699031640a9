//! Single messages that cost much: many filters, much padding, objects to forward, numbers that are none.

use super::beside::{Beside, EACH, until_heard};
use super::packets::{ACCOMPLICE, ATTACKER, NOBODY, Path, alert, message, object, packet, resv};
use super::{CONFIG, Ground, eventually, send};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::time::Duration;

/// What the log says of a neighbour that was refused something.
const BEYOND: &str = "asks for more than a limit allows";

/// The address of a next hop that node `b` (2) or the accomplice (4) has beside its own.
fn hop(link: u8, n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, link, 100 + n)
}

#[test]
fn requests_for_a_thousand_senders_hold_nobody_up() {
    let Some(mut ground) = Ground::with_accomplice("a merge bomb", 8) else { return };
    let mut beside = Beside::new(&mut ground, CONFIG);
    let paths = ground.net.raw("x");
    let senders: Vec<_> = (1_000..2_024).map(|port| (ATTACKER, port)).collect();
    for (n, sender) in (1..).zip(&senders) {
        send(&paths, &alert(&Path { sender: *sender, ..Path::to_accomplice(7000) }));
        if n % 256 == 0 {
            beside.r.until("senders", n);
        }
    }
    let (lih, to) = (ground.lih("y"), Ipv4Addr::new(10, 0, 4, 2));
    let hops: Vec<_> = (0..8).map(|n| (hop(4, n), ground.plain_from("y", hop(4, n)))).collect();
    let asks = |n: usize, rate: f32, senders: &[(Ipv4Addr, u16)]| {
        let (own, socket) = &hops[n % hops.len()];
        send(socket, &(to, resv((ACCOMPLICE, 7000), (*own, lih), &[], 0x12, rate, senders)));
    };
    let mut worst = Duration::ZERO;
    for n in 0..8 {
        let before = ground.cpu();
        asks(n, 10.0 + n as f32, &senders[..1_010]);
        beside.r.until("requests", n + 1);
        worst = worst.max(ground.cpu() - before);
    }
    // With it what is asked for while one waits.
    println!("a request for 1,010 of 1,024 senders: {worst:?} at most");
    assert!(worst < EACH, "{worst:?}");
    beside.holds(&ground, 50, |round| {
        asks(round as usize, 100.0 + round as f32, &senders[..1_010]);
    });
    // Beyond what a request may name.
    let beyond = [&senders[..], &[(ATTACKER, 9)]].concat();
    asks(3, 10.0, &beyond);
    let own = hop(4, 3).to_string();
    until_heard(&mut beside.r, "to-y", &own, 8);
    beside.names(&ground, ("to-y", &own), "filters-per-request", BEYOND);
    beside.is_bounded(&ground);
}

#[test]
fn objects_to_forward_do_not_push_an_honest_request_out() {
    let Some(mut ground) = Ground::new("objects to forward") else { return };
    let config = CONFIG.replace("[interfaces]", "[interfaces]\nrefresh = \"1s\"");
    for n in 0..17 {
        ground.net.ip("b", &format!("addr add {}/24 dev to-r", hop(2, n)));
    }
    let mut beside = Beside::new(&mut ground, &config);
    assert_eq!(ground.set_ups(&mut beside.hosts, 1, 5000).0, 1);
    let (lih, sender) = (ground.lih("b"), [(Ipv4Addr::new(10, 0, 1, 1), 5000)]);
    let hops: Vec<_> = (0..17).map(|n| (hop(2, n), ground.plain_from("b", hop(2, n)))).collect();
    let asks = |n: usize, octets: usize| {
        let (own, socket) = &hops[n];
        // Class 0xf0: kept and forwarded by whoever does not know it (RFC 2205 section 3.10).
        let more = [object(0xf0, 1, &[[n as u8].as_slice(), &vec![7; octets - 5]].concat())];
        let octets = resv(([10, 0, 2, 2].into(), 5000), (*own, lih), &more, 0x0a, 10_000.0, &sender);
        send(socket, &([10, 0, 2, 1].into(), octets));
    };
    // Each takes the place of the one before among those that are forwarded.
    beside.holds(&ground, 170, |round| asks(16 - round as usize % 17, 4_080));
    // For longer than what is not refreshed would live.
    let before = beside.more("sent", "Path");
    eventually("refreshes", || (beside.more("sent", "Path") > before + 7 * 101).then_some(()));
    for node in ["a", "r"] {
        assert_eq!(ground.net.client(node).list("reservations").len(), 101, "at {node}");
    }
    let told = beside.hosts[1].waiting();
    assert!(told.is_empty(), "{told:?}");
    asks(16, 4_100);
    let own = hop(2, 16).to_string();
    until_heard(&mut beside.r, "to-b", &own, 11);
    beside.names(&ground, ("to-b", &own), "forwarded-octets", BEYOND);
    assert!(beside.more("discards", "objects-left-out") > 0);
    beside.is_bounded(&ground);
}

#[test]
fn numbers_that_are_none_and_addresses_that_are_nobodys_change_nothing() {
    let Some(mut ground) = Ground::with_accomplice("odd packets", 0) else { return };
    let mut beside = Beside::new(&mut ground, CONFIG);
    assert_eq!(ground.set_ups(&mut beside.hosts, 1, 5000).0, 1);
    let socket = ground.net.raw("x");
    send(&socket, &alert(&Path::to_accomplice(7000)));
    beside.r.until("senders", 2);
    let lih = ground.lih("y");
    let odd: Vec<_> = (odd().into_iter().map(|(what, octets)| (what, ("x", ATTACKER, NOBODY, true), octets)))
        .chain(
            odd_requests(lih)
                .into_iter()
                .map(|(what, octets)| (what, ("y", ACCOMPLICE, Ipv4Addr::new(10, 0, 4, 2), false), octets)),
        )
        .collect();
    let sockets = [("x", socket), ("y", ground.net.raw("y"))];
    let sends =
        |(_, (node, from, to, has_alert), octets): &(String, (&str, Ipv4Addr, Ipv4Addr, bool), Vec<u8>)| {
            let socket = &sockets.iter().find(|(of, _)| of == node).expect("a socket").1;
            send(socket, &packet(*from, *to, *has_alert, octets));
        };
    for one in &odd {
        let (taken, discarded) = taken(&mut beside);
        let before = ground.cpu();
        sends(one);
        let after = eventually(&one.0, || {
            Some(self::taken(&mut beside)).filter(|after| after.0 + after.1 > taken + discarded)
        });
        let cost = ground.cpu() - before;
        assert_eq!(after.0, taken, "{} was taken", one.0);
        assert!(cost < EACH, "{}: {cost:?}", one.0);
    }
    beside.holds(&ground, 400, |round| sends(&odd[round as usize % odd.len()]));
    assert_eq!(beside.r.list("senders").len(), 102);
    assert_eq!(beside.r.list("reservations").len(), 101);
    for (on, address) in [("to-x", ATTACKER), ("to-y", ACCOMPLICE)] {
        beside.names(&ground, (on, &address.to_string()), "unsound", "sends what is no sound message");
    }
    beside.names(&ground, ("to-x", &ATTACKER.to_string()), "refresh-period", BEYOND);
    beside.is_bounded(&ground);
}

/// Messages that the router has taken, and that it has discarded.
fn taken(beside: &mut Beside) -> (u64, u64) {
    (beside.more("driver", "messages-taken"), beside.more("driver", "messages-discarded"))
}

/// Requests of the accomplice, who is a next hop with the right handle, in each of which one thing is odd.
fn odd_requests(lih: u32) -> Vec<(String, Vec<u8>)> {
    let sender = [(ATTACKER, 1000)];
    let asks = |hop: Ipv4Addr, more: &[Vec<u8>], rate| {
        resv((ACCOMPLICE, 7000), (hop, lih), more, 0x0a, rate, &sender)
    };
    let mut odd = Vec::new();
    for (name, rate) in [("NaN", f32::NAN), ("-1", -1.0), ("infinite", f32::INFINITY)] {
        odd.push((format!("a request for a rate of {name}"), asks(ACCOMPLICE, &[], rate)));
    }
    for address in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.1", "10.0.4.2"] {
        let hop = address.parse().expect("an address");
        odd.push((format!("the next hop {address}"), asks(hop, &[], 10_000.0)));
    }
    for address in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, Ipv4Addr::new(224, 0, 0, 1)] {
        let confirm = [object(15, 1, &address.octets())];
        odd.push((format!("a confirmation for {address}"), asks(ACCOMPLICE, &confirm, 10_000.0)));
    }
    let wrong = resv((ACCOMPLICE, 7000), (ACCOMPLICE, lih + 1_000), &[], 0x0a, 10_000.0, &sender);
    odd.push(("a handle that was never given".to_owned(), wrong));
    let nothing = resv((ACCOMPLICE, 7000), (ACCOMPLICE, lih), &[], 0x0a, 10_000.0, &[]);
    odd.push(("no filter".to_owned(), nothing));
    odd
}

/// Paths of the attacker in each of which one thing is odd.
fn odd() -> Vec<(String, Vec<u8>)> {
    let sound = alert(&Path::of_attacker()).1[24..].to_vec();
    // The TSpec is the last object: rate, depth, peak, m and M are its last twenty octets.
    let changed = |at_end: usize, octets: &[u8]| {
        let mut body = sound[8..].to_vec();
        let at = body.len() - at_end;
        body[at..at + octets.len()].copy_from_slice(octets);
        message(1, &[body])
    };
    let mut odd = Vec::new();
    for (name, value) in [("NaN", f32::NAN), ("-1", -1.0), ("infinite", f32::INFINITY)] {
        odd.push((format!("a rate of {name}"), changed(20, &value.to_be_bytes())));
    }
    for (name, value) in [("NaN", f32::NAN), ("-5", -5.0)] {
        odd.push((format!("a depth of {name}"), changed(16, &value.to_be_bytes())));
        odd.push((format!("a peak of {name}"), changed(12, &value.to_be_bytes())));
    }
    odd.push(("m above M".to_owned(), changed(8, &[0, 0, 5, 220, 0, 0, 0, 64])));
    let path = |path: Path| alert(&path).1[24..].to_vec();
    for address in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.1", "10.0.3.2"] {
        let hop = address.parse().expect("an address");
        odd.push((format!("the hop {address}"), path(Path { hop, ..Path::of_attacker() })));
    }
    for refresh_ms in [0, u32::MAX] {
        odd.push((format!("R = {refresh_ms} ms"), path(Path { refresh_ms, ..Path::of_attacker() })));
    }
    for length in [0, 7, 8, 60] {
        odd.push((format!("{length} octets"), sound[..length].to_vec()));
    }
    odd.push(("another version".to_owned(), [&[0x20], &sound[1..]].concat()));
    odd.push(("an unknown type".to_owned(), message(77, &[sound[8..].to_vec()])));
    for (name, class) in [("SESSION", 1), ("SENDER_TSPEC", 12), ("TIME_VALUES", 5)] {
        let own = sound[8..].chunks(4).position(|words| words[2] == class && words[3] != 0);
        let at = 8 + 4 * own.expect("an object");
        let length = usize::from(u16::from_be_bytes([sound[at], sound[at + 1]]));
        odd.push((
            format!("two of {name}"),
            message(1, &[sound[8..].to_vec(), sound[at..at + length].to_vec()]),
        ));
    }
    for length in [0_u16, 3, 5, 0xfffc] {
        let last = [&length.to_be_bytes()[..], &[0xf0, 1]].concat();
        odd.push((format!("an object of {length} octets"), message(1, &[sound[8..].to_vec(), last])));
    }
    let mut damaged = sound.clone();
    damaged[2] ^= 0x55;
    odd.push(("a wrong checksum".to_owned(), damaged));
    odd.push((
        "a class that must be known".to_owned(),
        path(Path { more: vec![object(0x7f, 1, &[0; 4])], ..Path::of_attacker() }),
    ));
    odd
}

#[test]
fn an_honest_request_larger_than_a_datagram_is_made() {
    let Some(mut ground) = Ground::new("a large request") else { return };
    ["a", "r", "b"].into_iter().for_each(|node| ground.net.daemon(node, CONFIG));
    let (mut a, session) = (ground.net.client("a"), "udp [fd00:2::2]:5000");
    let traffic = json!({"rate_bps": 800, "bucket": 1500, "max_packet": 1000});
    let sender = |n: usize| format!("[fd00:1::1]:{}", 1_000 + n);
    const SENDERS: usize = 900;
    for n in 0..SENDERS {
        let request =
            json!({"request": "sender", "session": session, "sender": sender(n), "traffic": traffic});
        a.ask(request).expect("a sender");
    }
    ground.net.client("b").until("senders", SENDERS);
    let mut applications: Vec<_> = (0..4).map(|_| ground.net.client("b")).collect();
    for (k, application) in applications.iter_mut().enumerate() {
        let flowspec = json!({"service": "guaranteed", "traffic": traffic, "reserve_bps": 800});
        let flows: Vec<Value> =
            (k..SENDERS).step_by(4).map(|n| json!({"filters": [sender(n)], "flowspec": flowspec})).collect();
        let request = json!({"request": "reserve", "session": session, "style": "ff", "flows": flows});
        application.ask(request).expect("a reservation");
    }
    ground.net.client("r").until("reservations", SENDERS);
    ground.net.client("a").until("reservations", SENDERS);
}
