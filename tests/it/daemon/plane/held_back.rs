//! Shaping with the far side as judge: all of the rate and no more, super-packets included, and nothing is lost.

use super::super::client::Client;
use super::super::eventually;
use super::super::net::Net;
use super::connection::{connect, is_over, listen};
use super::datagrams_sent::{arrived, at, burst, from};
use super::enforced::number;
use super::seen::{amount, beyond, seen};
use super::{SENDER, SESSION, compared, controlled_load, kernel, traffic};
use serde_json::{Value, json};
use std::io::{Read, Write};

/// The largest packet of the links.
const MTU: f64 = 1_500.0;

fn guaranteed(rate: u64, bucket: u64) -> Value {
    json!({"service": "guaranteed", "traffic": traffic(rate * 8, bucket), "reserve_bps": rate * 8})
}

/// `a` - `r` - `b` with daemons and a reservation for what `a` sends.
fn reserved(
    test: &str,
    config: &str,
    session: &str,
    traffic: &Value,
    flowspec: &Value,
) -> Option<(Net, [Client; 2])> {
    let mut net = Net::three_in_a_row(test)?;
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, config));
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.announce(session, SENDER, traffic);
    b.hears(session);
    b.ask_for(session, "ff", &[SENDER], flowspec);
    for node in ["a", "r"] {
        net.client(node).until("flows", 1);
    }
    Some((net, [a, b]))
}

/// Sends so many octets from `a` to `b` by TCP, and waits until they are there.
fn transfer(net: &Net, octets: usize) {
    let listener = listen(net, "b", "10.0.2.2:5000");
    let mut sending = connect(net, "a", SENDER, "10.0.2.2:5000");
    let (mut receiving, _) = listener.accept().expect("a connection");
    std::thread::scope(|scope| {
        scope.spawn(move || sending.write_all(&vec![0; octets]).expect("it is open"));
        let mut got = Vec::new();
        receiving.read_to_end(&mut got).expect("an orderly end");
        assert_eq!(got.len(), octets);
    });
}

#[test]
fn what_is_shaped_has_all_of_its_rate_and_no_more() {
    let config = kernel("auto", "");
    let (rate, bucket) = (250_000_u64, 25_000_u64);
    let flowspec = guaranteed(rate, bucket);
    let reserved = reserved("all of a rate", &config, SESSION, &traffic(rate * 8, bucket), &flowspec);
    let Some((mut net, _clients)) = reserved else { return };
    let capture = net.capture_many("r", "to-a", "udp and dst port 5000");
    let receiver = at(&net, "b", "10.0.2.2:5000");
    let sender = from(&net, "a", SENDER, "10.0.2.2:5000", 0);
    // As fast as the socket takes them: what five seconds take, and the bucket.
    let count = (5 * rate + bucket) / 1_000;
    burst(&sender, 1_000, count as usize);
    let mut delivered = 0;
    eventually("all of it", || {
        delivered += arrived(&receiver);
        (delivered == count).then_some(())
    });
    let packets = eventually("all in the capture", || {
        Some(seen(&capture, 5000)).filter(|packets| packets.len() as u64 == count)
    });
    let excess = beyond(&packets, rate, bucket);
    assert!(excess <= MTU, "{excess} octets more than the bucket");
    // What the bucket held is gone with the first packets: from then on it is the rate.
    let first = bucket as usize / 1_000;
    let (octets, took) = amount(&packets[first..]);
    let share = (octets - packets[first].octets) as f64 / took / rate as f64;
    println!("shaped: {share:.4} of the rate in {took:.3} s, {excess:.0} octets beyond the bucket");
    assert!((4.5..5.5).contains(&took) && (0.95..=1.05).contains(&share), "{share} of the rate in {took} s");
    for node in ["a", "r"] {
        let row = compared(&net, node).remove(0);
        assert_eq!((number(&row, "packets"), number(&row, "dropped_packets")), (count, 0), "{row}");
    }
}

#[test]
fn super_packets_are_shaped_by_what_they_are_cut_into() {
    let config = kernel("auto", "");
    let session = "tcp 10.0.2.2:5000";
    let (rate, bucket) = (250_000_u64, 15_000_u64);
    let flowspec = guaranteed(rate, bucket);
    let reserved = reserved("shaped super-packets", &config, session, &traffic(rate * 8, bucket), &flowspec);
    let Some((mut net, _clients)) = reserved else { return };
    let far = net.capture_many("r", "to-a", "tcp port 5000");
    transfer(&net, 4 * rate as usize);
    let packets = eventually("the end", || Some(seen(&far, 5000)).filter(|packets| is_over(packets)));
    let packets: Vec<_> = packets.into_iter().filter(|packet| packet.ports.1 == 5000).collect();
    let largest = packets.iter().map(|packet| packet.octets).max().expect("packets");
    let excess = beyond(&packets, rate, bucket);
    let (octets, took) = amount(&packets);
    println!(
        "TCP shaped: {:.4} of r t + b in {took:.3} s, {excess:.0} octets beyond the bucket, packets up to {largest}",
        octets as f64 / (rate as f64 * took + bucket as f64)
    );
    assert!(excess <= MTU, "{excess} octets more than the bucket; packets up to {largest} octets");
    assert!(largest <= 1_500, "a super-packet of {largest} octets");
    let row = compared(&net, "a").remove(0);
    assert_eq!(number(&row, "dropped_packets"), 0, "{row}");
}

/// A policer that charged super-packets by their whole size would let none through that is larger than its bucket.
#[test]
fn tcp_under_a_policer_keeps_most_of_its_rate() {
    let config = kernel("auto", "excess.controlled_load = \"discard\"\n");
    let session = "tcp 10.0.2.2:5000";
    let (rate, bucket) = (125_000_u64, 15_000_u64);
    let load = controlled_load(rate * 8, bucket);
    let Some((mut net, _clients)) =
        reserved("TCP under a policer", &config, session, &load["traffic"], &load)
    else {
        return;
    };
    let far = net.capture_many("r", "to-a", "tcp port 5000");
    transfer(&net, 6 * rate as usize);
    let packets = eventually("the end", || Some(seen(&far, 5000)).filter(|packets| is_over(packets)));
    let packets: Vec<_> = packets.into_iter().filter(|packet| packet.ports.1 == 5000).collect();
    let largest = packets.iter().map(|packet| packet.octets).max().expect("packets");
    assert!(largest > 1_500, "GSO is on: {largest}");
    let (octets, took) = amount(&packets);
    let share = octets as f64 / took / rate as f64;
    println!("TCP policed: {share:.4} of its rate in {took:.3} s, packets up to {largest} octets");
    assert!(share >= 0.7, "{share} of its rate");
    let row = compared(&net, "a").remove(0);
    assert!(number(&row, "dropped_packets") > 0, "it was policed: {row}");
}
