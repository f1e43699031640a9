//! Guaranteed service: a class of its own at the rate R, in which what is too fast waits.

use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{arrived, at, burst, from};
use super::delays::Cell;
use super::delays::stamped::{self, Flow, Pattern};
use super::{SENDER, SESSION, classes, compared, kernel, traffic};
use crate::skipped;
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn a_guaranteed_flow_is_shaped_where_it_begins_and_loses_nothing() {
    let config = kernel("auto", "");
    let Some(mut net) = Net::three_in_a_row("Guaranteed service") else { return };
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, &config));
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    // 100 kB/s, a bucket of 10 kB.
    let (rate, bucket) = (100_000_u64, 10_000_u64);
    a.announce(SESSION, SENDER, &traffic(rate * 8, bucket));
    b.hears(SESSION);
    let flowspec = json!({"service": "guaranteed", "traffic": traffic(rate * 8, bucket),
                          "reserve_bps": rate * 8});
    b.ask_for(SESSION, "ff", &[SENDER], &flowspec);
    for node in ["a", "r"] {
        let row = net.client(node).until("flows", 1).remove(0);
        assert_eq!((&row["service"], &row["class"]), (&json!("guaranteed"), &json!("7276:100")));
        compared(&net, node);
    }
    let own =
        classes(&net, "r", "to-b").into_iter().find(|(number, _)| number == "7276:100").expect("its class");
    assert!(own.1.contains("rate 800Kbit ceil 800Kbit"), "{}", own.1);

    let receiver = at(&net, "b", "10.0.2.2:5000");
    let sender = from(&net, "a", SENDER, "10.0.2.2:5000", 0);
    // 110 kB as fast as the socket takes them: the bucket's 10 leave as fast as the link has room, the rest in a second.
    let took = burst(&sender, 1_000, 110);
    let mut delivered = 0;
    #[expect(clippy::disallowed_methods, reason = "what is held back takes time")]
    let started = std::time::Instant::now();
    eventually("all of it", || {
        delivered += arrived(&receiver);
        (delivered == 110).then_some(())
    });
    let whole = took + started.elapsed();
    // A timer may be late, never early; the router shapes once more, and gives nothing away. One packet more than the bucket
    // passes at once.
    let least = (110 * 1_000 - bucket - 2 * 1_500) * 1_000 / rate;
    assert!(whole.as_millis() as u64 >= least, "{whole:?}, not {least} ms");
    for node in ["a", "r"] {
        let row = compared(&net, node).remove(0);
        assert_eq!((&row["packets"], &row["dropped_packets"]), (&json!(110), &json!(0)), "{row}");
    }
    // A class goes when nothing waits in it any more.
    burst(&sender, 1_000, 40);
    drop(b);
    net.client("a").until("flows", 0);
    eventually("the class has drained", || {
        (!classes(&net, "a", "to-r").iter().any(|(number, _)| number == "7276:100")).then_some(())
    });
    eventually("what was in it", || {
        delivered += arrived(&receiver);
        (delivered == 150).then_some(())
    });
    drop(a);
}

/// When the packets of a burst of 15 kB are there: 1,500 octets each, 1 Mbit/s reserved, a bucket for all of them.
fn burst_of_ten(test: &str, more: &str, service: &str, peak_bps: Option<u64>) -> Option<Vec<Duration>> {
    let mut net = Net::three_in_a_row(test)?;
    let config = kernel("auto", more);
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, &config));
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    let mut tspec = traffic(1_000_000, 20_000);
    tspec["peak_bps"] = peak_bps.map_or(Value::Null, Value::from);
    a.announce(SESSION, SENDER, &tspec);
    b.hears(SESSION);
    let flowspec = match service {
        "guaranteed" => json!({"service": service, "traffic": tspec, "reserve_bps": 1_000_000}),
        _ => json!({"service": service, "traffic": tspec}),
    };
    b.ask_for(SESSION, "ff", &[SENDER], &flowspec);
    b.event("resv-confirm");
    for node in ["a", "r"] {
        net.client(node).until("flows", 1);
        compared(&net, node);
    }
    let once = Pattern::Bursts { packets: 10, every: Duration::from_secs(60) };
    let flow = Flow::new(&net, [("a", SENDER), ("b", "10.0.2.2:5000")], 1_500, once);
    let mut times = stamped::times(&[&flow], || {
        for (node, on) in [("a", "to-r"), ("r", "to-b")] {
            super::delays::drained(&net, node, on);
        }
    });
    // Where the flow begins: there it is shaped.
    let row = compared(&net, "a").remove(0);
    assert_eq!((&row["excess_packets"], &row["dropped_packets"]), (&json!(0), &json!(0)), "{row}");
    times.pop()
}

#[test]
fn packets_of_a_burst_are_as_far_apart_as_the_peak_rate_says() {
    let shaped = "excess.controlled_load = \"shape\"\n";
    stamped::kernel_times();
    // 2.4 Mbit/s: 5 ms for a packet.
    let apart = Duration::from_millis(5);
    for (service, more) in [("guaranteed", ""), ("controlled-load", shaped)] {
        let measure = || burst_of_ten("the peak rate", more, service, Some(2_400_000));
        let cell = Cell::measured_without(apart / 10, measure);
        let Some(times) = &cell.value else { return };
        assert_eq!(times.len(), 10, "{service}");
        // All of them take far longer than without a peak, however busy the machine is.
        assert!(times[9] - times[0] >= apart * 9 / 2, "{service}: {times:?}");
        // A bucket of one packet: from any packet to any later one it takes the time of those behind the first. What is late on
        // its last way through the kernel is so by less than a tenth of that, unless the machine stalls.
        let mut pairs = (0..10).flat_map(|first| (first + 1..10).map(move |later| (first, later)));
        let least = |first, later| apart * (later - first) as u32 - apart / 10;
        let early = pairs.find(|&(first, later)| times[later] - times[first] < least(first, later));
        match early {
            Some(pair) if cell.is_stalled() => {
                skipped(&format!("the peak rate, {service}: {pair:?} not judged, {}", cell.still()));
            }
            _ => assert_eq!(early, None, "{service}: {times:?}"),
        }
        // Without a peak they are as close to each other as the link has them: 0.12 ms.
        let Some(times) = burst_of_ten("no peak rate", more, service, None) else { return };
        let close = times.windows(2).filter(|pair| pair[1] - pair[0] < apart / 2).count();
        assert!(times.len() == 10 && close >= 5, "{service}: {times:?}");
    }
}
