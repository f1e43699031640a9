//! Policing to the letter, with the far side as judge: what is let through is what a token bucket holds, r t + b, whatever
//! the packets' size, wherever the excess goes, and also where several processors send at once. The normal run does two of the
//! four combinations; `RSVP_EXACT=full`, which `.ci/long` sets, all.

use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{Steady, at, from, send};
use super::enforced::number;
use super::seen::{amount, by_dscp, seen};
use super::{SENDER, SESSION, controlled_load, kernel, traffic};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use std::time::Duration;

const OTHER: &str = "10.0.1.1:4001";
/// The mark of Controlled-Load service: CS3.
const CONFORMS: u8 = 24;

/// Two senders, each on a processor of its own and each as fast as the reservation that they share.
fn twice_the_rate(net: &Net, packet: usize, rate: u64) -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, usize::from).min(2);
    std::thread::scope(|scope| {
        let start = |processor: usize, address: &'static str| {
            let socket = from(net, "a", address, "10.0.2.2:5000", 0);
            scope.spawn(move || {
                let mut only = CpuSet::new();
                only.set(processor % processors).expect("a processor");
                sched_setaffinity(Pid::from_raw(0), &only).expect("a thread of our own");
                send(&[Steady { socket: &socket, packet, rate, floods: true }], Duration::from_secs(4)).0[0]
            })
        };
        let sending = [start(0, SENDER), start(1, OTHER)];
        sending.map(|thread| thread.join().expect("it sends")).iter().sum()
    })
}

/// What the far side gets of that is r t + b, to one in a hundred.
fn is_exact(excess: &str, packet: usize, rate: u64) {
    let test = format!("policing {packet} octets by {excess}");
    let Some(mut net) = Net::three_in_a_row(&test) else { return };
    let config = kernel("auto", &format!("excess.controlled_load = \"{excess}\"\n"));
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, &config));
    // The bucket is that of a second, so that nothing is lost where both senders have to wait for a busy machine: they send
    // later what they were late with, and the bucket has not been full meanwhile.
    let bucket = rate;
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    for sender in [SENDER, OTHER] {
        a.announce(SESSION, sender, &traffic(rate * 8, bucket));
    }
    net.client("b").until("senders", 2);
    b.ask_for(SESSION, "se", &[SENDER, OTHER], &controlled_load(rate * 8, bucket));
    for node in ["a", "r"] {
        net.client(node).until("flows", 1);
    }
    let capture = net.capture_many("r", "to-a", "udp and dst port 5000");
    let _receiver = at(&net, "b", "10.0.2.2:5000");
    let sent = twice_the_rate(&net, packet, rate);
    let row = net.client("a").list("flows").remove(0);
    let (good, beyond, dropped) =
        (number(&row, "packets"), number(&row, "excess_packets"), number(&row, "dropped_packets"));
    assert_eq!(good + beyond, sent, "{row}");
    assert_eq!(dropped, if excess == "discard" { beyond } else { 0 }, "{row}");
    let all = eventually("all that leaves the host", || {
        Some(seen(&capture, 5000)).filter(|packets| packets.len() as u64 == sent - dropped)
    });
    let conforming: Vec<_> = all.iter().filter(|packet| packet.dscp() == CONFORMS).copied().collect();
    assert_eq!(conforming.len() as u64, good, "{:?}", by_dscp(&all));
    assert!(conforming.iter().all(|p| p.octets == packet as u64), "octets from the IP header on");
    let ((octets, _), (_, took)) = (amount(&conforming), amount(&all));
    assert!(took >= 3.9, "{took} s are no four");
    let share = octets as f64 / (rate as f64 * took + bucket as f64);
    println!("{test}: {octets} octets in {took:.3} s at {rate} octets/s, {share:.4} of r t + b");
    assert!((0.99..=1.01).contains(&share), "{test}: {share} of r t + b: {octets} octets in {took} s");
}

#[test]
fn what_is_let_through_is_what_the_bucket_holds() {
    let is_full = std::env::var("RSVP_EXACT").is_ok_and(|much| much == "full");
    let slice = [("borrow", 100, 200_000), ("discard", 1_400, 1_000_000)];
    let rest = [("discard", 100, 200_000), ("borrow", 1_400, 1_000_000)];
    for (excess, packet, rate) in slice.into_iter().chain(rest.into_iter().filter(|_| is_full)) {
        is_exact(excess, packet, rate);
    }
}
