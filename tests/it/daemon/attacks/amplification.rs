//! One message of which many come, or one that is repeated so that others have to be sent for it.

use super::beside::{Beside, EACH, until_heard};
use super::packets::{ACCOMPLICE, ATTACKER, Path, alert, object, resv};
use super::{CONFIG, Ground, eventually, send};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// The router, as the accomplice sees it.
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 4, 2);

/// Senders, each with a previous hop of its own: a hop is an address and a handle, and handles cost nothing.
const SENDERS: u16 = 1_000;

/// What leaves at once, and then in each second (docs/limits.md, Amplification).
const AT_ONCE: u64 = 64;
const EACH_SECOND: f64 = 100.0;

/// A request of the accomplice for all of them, by its style, with a wish for confirmation or without.
fn request(lih: u32, style: u8, rate: f32) -> (Ipv4Addr, Vec<u8>) {
    let senders: Vec<_> = (1..=SENDERS).map(|port| (ATTACKER, port)).collect();
    let named = if style == 0x11 { &[][..] } else { &senders };
    (ROUTER, resv((ACCOMPLICE, 7000), (ACCOMPLICE, lih), &[], style, rate, named))
}

/// A Resv for a thousand previous hops is a thousand messages, but not at once: 64, then a hundred a second, and each of them once
/// more because it is new.
#[test]
#[expect(clippy::disallowed_methods, reason = "what is bounded is a rate")]
fn one_request_for_a_thousand_hops_is_not_a_thousand_messages_at_once() {
    let Some(mut ground) = Ground::with_accomplice("a fan-out", 0) else { return };
    let mut beside = Beside::new(&mut ground, CONFIG);
    let (paths, lih) = (ground.net.raw("x"), ground.lih("y"));
    let requests = ground.plain_from("y", ACCOMPLICE);
    for port in 1..=SENDERS {
        let path = Path { sender: (ATTACKER, port), lih: port.into(), ..Path::to_accomplice(7000) };
        send(&paths, &alert(&path));
        if port % 250 == 0 {
            beside.r.until("senders", port.into());
        }
    }
    let begun = Instant::now();
    let mut worst = Duration::ZERO;
    for (n, style) in [(1, 0x11), (2, 0x12), (3, 0x11)] {
        let before = ground.cpu();
        send(&requests, &request(lih, style, 10_000.0 + n as f32));
        until_heard(&mut beside.r, "to-y", &ACCOMPLICE.to_string(), n);
        worst = worst.max(ground.cpu() - before);
        let sent = eventually("what leaves at once", || {
            Some(beside.more("sent", "Resv")).filter(|sent| *sent > AT_ONCE)
        });
        let most = 2.0 * ((AT_ONCE + n) as f64 + EACH_SECOND * begun.elapsed().as_secs_f64());
        println!("{sent} of at most {most:.0} messages after {n} requests");
        assert!(sent as f64 <= most, "{sent} messages, and there may be {most}");
    }
    println!("a request for 1,000 previous hops: {worst:?} at most");
    assert!(worst < EACH, "{worst:?}");
    beside.holds(&ground, 100, |round| {
        send(&requests, &request(lih, 0x11 + (round % 2) as u8, 20_000.0 + round as f32));
    });
    let most = 2.0 * ((AT_ONCE + 203) as f64 + EACH_SECOND * begun.elapsed().as_secs_f64());
    let sent = beside.more("sent", "Resv") as f64;
    assert!(sent <= most, "{sent} messages, and there may be {most}");
    let named = ACCOMPLICE.to_string();
    beside.names(&ground, ("to-y", &named), "put-off", "has more sent on than is at once because of one");
    beside.is_bounded(&ground);
}

/// Repetitions in one round, and rounds.
const REPEATED: u64 = 100;
const ROUNDS: u32 = 200;

/// A wish for confirmation that comes with nothing new goes on, or is answered, sixteen times at once and then once in each R: it would be
/// a message to wherever it says for each of its own.
#[test]
fn a_wish_for_confirmation_that_is_repeated_without_end_is_dealt_with_once_in_each_period() {
    let Some(mut ground) = Ground::with_accomplice("repeated wishes", 1) else { return };
    let mut beside = Beside::new(&mut ground, CONFIG);
    let (paths, lih) = (ground.net.raw("x"), ground.lih("y"));
    for port in [7000, 7001] {
        send(&paths, &alert(&Path::to_accomplice(port)));
    }
    beside.r.until("senders", 2);
    let [one, another] = [ACCOMPLICE, Ipv4Addr::new(10, 0, 4, 100)];
    let wish = object(15, 1, &one.octets());
    let from = |hop, port, more: &[Vec<u8>], rate| {
        (ROUTER, resv((ACCOMPLICE, port), (hop, lih), more, 0x0a, rate, &[(ATTACKER, 1000)]))
    };
    // In the second session another hop has asked for more: there the router itself confirms.
    send(&ground.plain_from("y", another), &from(another, 7001, &[], 9_000.0));
    beside.r.until("requests", 1);
    let socket = ground.plain_from("y", one);
    let mut watch = ground.net.client("r");
    beside.holds(&ground, ROUNDS, |round| {
        let again = from(one, 7000 + (round % 2) as u16, std::slice::from_ref(&wish), 8_000.0);
        (0..REPEATED).for_each(|_| send(&socket, &again));
        until_heard(&mut watch, "to-y", &one.to_string(), (u64::from(round) + 1) * REPEATED);
    });
    let [up, confirmed] = ["Resv", "ResvConf"].map(|kind| beside.more("sent", kind));
    println!("{up} Resv and {confirmed} ResvConf were sent for 20,000 wishes and 100 honest ones");
    // Of the honest ones each is sent twice at the most, and its confirmation once.
    assert!((100..=250).contains(&up) && (100..=140).contains(&confirmed), "{up}, {confirmed}");
    let says = "has more sent on than is at once because of one";
    let times = beside.names(&ground, ("to-y", &one.to_string()), "repeated-wish", says);
    assert!(times > 19_900, "{times}");
    beside.is_bounded(&ground);
}
