//! Guaranteed service: a class of its own at the rate R, in which what is too fast waits.

use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{arrived, at, burst, from};
use super::{SENDER, SESSION, classes, compared, kernel, traffic};
use serde_json::json;

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
    // 110 kB as fast as the socket takes them: the bucket's 10 leave at once, the rest in a second.
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
