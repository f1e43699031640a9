//! Single messages that cost much: many filters, much padding, objects to forward, numbers that are none.

use super::packets::{ATTACKER, NOBODY, Path, alert, message, object, packet, resv};
use super::{CONFIG, Ground, eventually, send};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Processor time that one message may cost, in a build that is not for release, on a machine that does other work.
const EACH: Duration = Duration::from_millis(40);

/// A next hop on the link of `b`.
fn hop(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 2, n)
}

#[test]
fn requests_for_a_thousand_senders_hold_nobody_up() {
    let Some(mut ground) = Ground::new("a merge bomb") else { return };
    ["a", "r", "b"].into_iter().for_each(|node| ground.net.daemon(node, CONFIG));
    let mut r = ground.net.client("r");
    let paths = ground.net.raw("x");
    let senders: Vec<_> = (1_000..2_024).map(|port| (ATTACKER, port)).collect();
    for (n, sender) in (1..).zip(&senders) {
        send(&paths, &alert(&Path { sender: *sender, ..Path::of_attacker() }));
        if n % 256 == 0 {
            r.until("senders", n);
        }
    }
    let (requests, lih) = (ground.plain("b", false), ground.lih("b"));
    let mut worst = Duration::ZERO;
    for n in 0..8 {
        let own = (hop(100 + n), lih);
        let octets = resv((NOBODY, 7000), own, &[], 0x12, 10.0 + f32::from(n), &senders[..1_010]);
        let before = ground.cpu();
        send(&requests, &("10.0.2.1".parse().expect("an address"), octets));
        r.until("requests", usize::from(n) + 1);
        worst = worst.max(ground.cpu() - before);
    }
    // With it what is asked for while one waits.
    println!("a request for 1,010 of 1,024 senders: {worst:?} at most");
    assert!(worst < EACH, "{worst:?}");
    let mut hosts = ["a", "b"].map(|node| ground.net.client(node));
    let (confirmed, failures) = ground.set_ups(&mut hosts, 100, 20_000);
    assert_eq!(confirmed, 100, "{failures:?}");
}

#[test]
fn objects_to_forward_do_not_push_an_honest_request_out() {
    let Some(mut ground) = Ground::new("objects to forward") else { return };
    let config = CONFIG.replace("[interfaces]", "[interfaces]\nrefresh = \"1s\"");
    ["a", "r", "b"].into_iter().for_each(|node| ground.net.daemon(node, &config));
    let mut hosts = ["a", "b"].map(|node| ground.net.client(node));
    assert_eq!(ground.set_ups(&mut hosts, 1, 5000).0, 1);
    let (socket, lih) = (ground.plain("b", false), ground.lih("b"));
    let receiver = Ipv4Addr::new(10, 0, 2, 2);
    for n in 0..17 {
        // Class 0xf0: kept and forwarded by whoever does not know it (RFC 2205 section 3.10).
        let more = [object(0xf0, 1, &[[n].as_slice(), &[7; 4_075]].concat())];
        let sender = [(Ipv4Addr::new(10, 0, 1, 1), 5000)];
        let octets = resv((receiver, 5000), (hop(100 + n), lih), &more, 0x0a, 10_000.0, &sender);
        send(&socket, &(hop(1), octets));
    }
    // For twice as long as what is not refreshed would live.
    let mut r = ground.net.client("r");
    let sent = |r: &mut crate::daemon::client::Client| {
        let counters = r.ask(json!({"request": "list", "what": "counters"})).expect("counters");
        counters["counters"]["sent"]["Path"].as_u64().expect("a counter")
    };
    let before = sent(&mut r);
    eventually("refreshes", || (sent(&mut r) > before + 12).then_some(()));
    assert_eq!(ground.net.client("a").list("reservations").len(), 1);
    assert_eq!(r.list("reservations").len(), 1);
    assert!(hosts[1].waiting().is_empty());
}

#[test]
fn numbers_that_are_none_and_addresses_that_are_nobodys_change_nothing() {
    let Some(mut ground) = Ground::new("odd packets") else { return };
    ["a", "r", "b"].into_iter().for_each(|node| ground.net.daemon(node, CONFIG));
    let mut hosts = ["a", "b"].map(|node| ground.net.client(node));
    assert_eq!(ground.set_ups(&mut hosts, 1, 5000).0, 1);
    let mut r = ground.net.client("r");
    let socket = ground.net.raw("x");
    let taken = |r: &mut crate::daemon::client::Client| -> (u64, u64) {
        let counters = r.ask(json!({"request": "list", "what": "counters"})).expect("counters");
        let count = |what: &str| counters["counters"]["driver"][what].as_u64().expect("a counter");
        (count("messages-taken"), count("messages-discarded"))
    };
    let odd = odd();
    for (what, octets) in &odd {
        let before = taken(&mut r);
        send(&socket, &packet(ATTACKER, NOBODY, true, octets));
        let after = eventually(what, || {
            let after = taken(&mut r);
            (after.0 + after.1 > before.0 + before.1).then_some(after)
        });
        assert_eq!(after.0, before.0, "{what} was taken");
    }
    assert_eq!(r.list("senders").len(), 1);
    assert_eq!(r.list("reservations").len(), 1);
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
