//! UDP at a TSpec, in the three modes.

use super::wire::{Packet, fits};
use super::{Pair, address, port, socket, tokio_udp};
use rsvp_client::pace::{Counters, Outcome, Tally};
use rsvp_client::{Dscp, Excess, PacedSocket, Traffic, mark};
use std::collections::BTreeMap;

/// IP length of the datagrams, in octets.
const LENGTH: u32 = 1000;
/// The largest packet.
const LARGEST: u32 = 1200;

/// A bucket of ten datagrams.
fn traffic(rate_bps: f64) -> Traffic {
    Traffic { bucket: 10_000.0, min_packet: 64, max_packet: LARGEST, ..Traffic::of(rate_bps) }
}

/// What a run has shown: what was said of each datagram, the counters, and the packets on the wire.
struct Run {
    outcomes: Vec<Outcome>,
    counters: Counters,
    packets: Vec<Packet>,
}

/// Sends numbered datagrams as fast as the socket takes them, marked EF.
fn run(pair: &Pair, to: &str, count: u32, traffic: Traffic, excess: Excess) -> Run {
    let receiver = pair.on("b", || socket(socket2::Type::DGRAM, "[::]:0"));
    let to = address(to, port(&receiver));
    let header = if to.is_ipv4() { 28 } else { 48 };
    let (outcomes, counters) = pair.run("a", || async move {
        let own = socket(socket2::Type::DGRAM, if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" });
        mark(&own, Dscp::EF).expect("no privilege is needed");
        let own = tokio_udp(own);
        own.connect(to).await.expect("a peer");
        let mut paced = PacedSocket::udp(own, traffic, excess).expect("sound traffic");
        let mut outcomes = Vec::new();
        for n in 0..count {
            let mut octets = vec![0; LENGTH as usize - header];
            octets[..4].copy_from_slice(&n.to_be_bytes());
            outcomes.push(paced.send(&octets).await.expect("sent"));
        }
        (outcomes, paced.counters())
    });
    let sent = (counters.sent.packets + counters.demoted.packets) as usize;
    let of = |packets: &[Packet]| -> Vec<Packet> {
        packets.iter().filter(|packet| packet.destination == to.port()).cloned().collect()
    };
    let packets = of(&pair.seen("all that was sent", |packets| of(packets).len() >= sent));
    assert!(packets.iter().all(|packet| packet.length == u64::from(LENGTH)));
    Run { outcomes, counters, packets }
}

fn tally(packets: usize) -> Tally {
    Tally { packets: packets as u64, octets: packets as u64 * u64::from(LENGTH) }
}

/// At 1 and 20 Mbit/s: everything comes, in order, with the socket's mark, and the bucket at the far side never overflows.
#[test]
fn shaped_datagrams_fit_the_bucket_and_none_is_lost() {
    let Some(pair) = Pair::new("UDP that is shaped") else { return };
    for (to, rate, count) in [("10.0.1.2", 125_000, 60), ("fd00:1::2", 2_500_000, 1500)] {
        let run = run(&pair, to, count, traffic(rate as f64 * 8.0), Excess::Shape);
        assert_eq!(run.outcomes, vec![Outcome::Sent; count as usize]);
        assert!(run.packets.iter().map(Packet::number).eq(0..count), "all of them");
        assert!(run.packets.iter().all(|packet| packet.dscp() == 46));
        assert!(fits(&run.packets, rate, 10_000 + u64::from(LENGTH), 64), "{rate}");
        assert_eq!((run.counters.sent, run.counters.discarded), (tally(count as usize), tally(0)));
        assert!(run.counters.delayed.packets > 0 && !run.counters.delay.is_zero(), "{:?}", run.counters);
    }
}

/// A peak below what the wire takes: bursts are drawn out.
#[test]
fn the_peak_rate_bounds_what_the_bucket_allows() {
    let Some(pair) = Pair::new("UDP with a peak rate") else { return };
    let traffic = Traffic { peak_bps: Some(4e6), ..traffic(1e6) };
    let run = run(&pair, "10.0.1.2", 40, traffic, Excess::Shape);
    assert!(fits(&run.packets, 500_000, u64::from(LARGEST + LENGTH), 64));
    assert!(fits(&run.packets, 125_000, 10_000 + u64::from(LENGTH), 64));
    assert_eq!(run.packets.len(), 40);
}

/// What is too much has the other mark, what conforms the socket's: each as the caller was told.
#[test]
fn demoted_are_exactly_those_that_do_not_conform() {
    let Some(pair) = Pair::new("UDP that is demoted") else { return };
    for (to, rate, count) in [("fd00:1::2", 125_000, 1000), ("10.0.1.2", 2_500_000, 4000)] {
        let run = run(&pair, to, count, traffic(rate as f64 * 8.0), Excess::DEMOTE);
        // The bucket is full at first, and has less than a datagram after ten but for what came meanwhile.
        assert_eq!(run.outcomes[..10], [Outcome::Sent; 10]);
        let marks: BTreeMap<u32, u8> = run.packets.iter().map(|p| (p.number(), p.dscp())).collect();
        let said = run.outcomes.iter().map(|outcome| match outcome {
            Outcome::Sent => 46,
            Outcome::Demoted => 1,
            Outcome::Discarded => panic!("nothing is"),
        });
        assert!(marks.into_iter().eq((0..).zip(said)), "{rate}");
        let conform: Vec<_> = run.packets.iter().filter(|packet| packet.dscp() == 46).collect();
        assert!(fits(conform.iter().copied(), rate, 10_000 + u64::from(LENGTH), 64), "{rate}");
        let demoted = count as usize - conform.len();
        assert!(demoted > 0, "{rate}: it takes seconds at this rate");
        assert_eq!((run.counters.sent, run.counters.demoted), (tally(conform.len()), tally(demoted)));
        assert_eq!(run.counters.delayed, tally(0));
    }
}

/// What is too much is not on the wire, the caller is told, and it is counted.
#[test]
fn discarded_are_told_and_counted() {
    let Some(pair) = Pair::new("UDP that is discarded") else { return };
    for (to, rate, count) in [("10.0.1.2", 125_000, 1000), ("fd00:1::2", 2_500_000, 20_000)] {
        let run = run(&pair, to, count, traffic(rate as f64 * 8.0), Excess::Discard);
        assert_eq!(run.outcomes[..10], [Outcome::Sent; 10]);
        let sent = (0..count).zip(&run.outcomes).filter(|(_, outcome)| **outcome == Outcome::Sent);
        assert!(run.packets.iter().map(Packet::number).eq(sent.map(|(n, _)| n)), "{rate}");
        assert!(fits(&run.packets, rate, 10_000 + u64::from(LENGTH), 64), "{rate}");
        let discarded = run.outcomes.iter().filter(|outcome| **outcome == Outcome::Discarded).count();
        assert!(discarded > 0, "{rate}: it takes seconds at this rate");
        assert_eq!((run.counters.sent, run.counters.discarded), (tally(run.packets.len()), tally(discarded)));
    }
}

/// A small datagram counts as m; one that is larger than M never conforms.
#[test]
fn sizes_are_those_of_ip_packets() {
    let Some(pair) = Pair::new("sizes of paced UDP") else { return };
    pair.run("a", || async {
        let own = tokio_udp(socket(socket2::Type::DGRAM, "0.0.0.0:0"));
        let to = address("10.0.1.2", 9);
        // A rate at which nothing comes together while this runs.
        let slow = Traffic { bucket: 1500.0, min_packet: 500, max_packet: 1200, ..Traffic::of(8.0) };
        let mut paced = PacedSocket::udp(&own, slow, Excess::Discard).expect("sound traffic");
        for expected in [Outcome::Sent, Outcome::Sent, Outcome::Sent, Outcome::Discarded] {
            assert_eq!(paced.send_to(b"x", to).await.expect("sent"), expected);
        }
        let mut paced = PacedSocket::udp(&own, slow, Excess::Discard).expect("sound traffic");
        for (size, expected) in [(1173, Outcome::Discarded), (1172, Outcome::Sent)] {
            assert_eq!(paced.send_to(&vec![0; size], to).await.expect("sent"), expected);
        }
        let mut paced = PacedSocket::udp(&own, slow, Excess::Shape).expect("sound traffic");
        let error = paced.send_to(&[0; 1173], to).await.expect_err("it would wait for ever");
        assert!(error.to_string().contains("1201 octets") && error.to_string().contains("1200"), "{error}");
    });
}
