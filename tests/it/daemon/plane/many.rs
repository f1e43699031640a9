//! Many flows with classes of their own on one interface: those beyond the first are in shards, and nobody can tell.

use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{arrived, at, burst, from};
use super::enforced::number;
use super::{classes, keys, pinned, traffic};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

const FLOWS: usize = 300;
/// Classes that every tree has.
const SHARED: usize = 6;

/// Session and sender of a flow.
fn named(n: usize) -> (String, String) {
    (format!("udp 10.0.2.2:{}", 7_000 + n), format!("10.0.1.1:{}", 7_000 + n))
}

/// The flows of the router by their session's port.
fn row(net: &Net, n: usize) -> Value {
    let session = named(n).0;
    let rows = net.client("r").list("flows");
    rows.into_iter().find(|row| row["session"] == session.as_str()).expect("a flow")
}

/// What `tc` says was sent in a class of the router.
fn sent(net: &Net, class: &str) -> u64 {
    let said = net.exec("r", &["tc", "-s", "class", "show", "dev", "to-b"]);
    let lines: Vec<&str> = said.lines().collect();
    let at = lines.iter().position(|line| line.starts_with(&format!("class htb {class} "))).expect("a class");
    let words: Vec<&str> = lines[at + 1].split_whitespace().collect();
    words[3].parse().expect("a number of packets")
}

#[test]
fn flows_beyond_the_first_are_in_shards_with_all_that_they_have() {
    let Some(mut net) = Net::three_in_a_row("shards") else { return };
    let root = net.bpffs().join("rsvpd");
    let plain = "[data_plane]\nkind = \"none\"\n[interfaces]\nbandwidth = \"100mbit\"\nrefresh = \"2s\"\n";
    let config = pinned(&root, "auto", "refresh = \"2s\"\n");
    for (node, config) in [("a", plain), ("r", &config), ("b", plain)] {
        net.daemon(node, config);
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    // The last has more than the others, so that its packets need not wait for long.
    let rate = |n: usize| if n < FLOWS - 1 { 8_000 } else { 320_000 };
    for n in 0..FLOWS {
        let (session, sender) = named(n);
        a.announce(&session, &sender, &traffic(rate(n), 4_000));
    }
    net.client("b").until("senders", FLOWS);
    for n in 0..FLOWS {
        let (session, sender) = named(n);
        let flowspec =
            json!({"service": "guaranteed", "traffic": traffic(rate(n), 4_000), "reserve_bps": rate(n)});
        b.ask_for(&session, "ff", &[&sender], &flowspec);
        b.waiting();
        if n == FLOWS - 2 {
            net.client("r").until("flows", FLOWS - 1);
        }
    }
    net.client("r").until("flows", FLOWS);
    // 256 beside each other, and one shard with the rest.
    let (first, last) = (row(&net, 0), row(&net, FLOWS - 1));
    assert_eq!(first["class"].as_str().map(|class| &class[..5]), Some("7276:"), "{first}");
    assert_eq!(last["class"], "7277:2c", "{last}");
    let shard = |net: &Net| classes(net, "r", "to-b").into_iter().find(|(number, _)| number == "7276:8000");
    let of_shard = shard(&net).expect("its class").1;
    assert!(of_shard.contains("rate 664Kbit ceil 664Kbit"), "43 of 8 and one of 320 kbit/s: {of_shard}");
    passes(&net, 20);
    // Another run goes on with it.
    net.signal("r", Signal::SIGKILL);
    net.ended("r");
    net.daemon("r", &config);
    eventually("all of them", || {
        let rows = net.client("r").list("flows");
        (rows.len() == FLOWS && rows.iter().all(|row| row["state"] == "installed")).then_some(())
    });
    assert_eq!(row(&net, FLOWS - 1)["class"], "7277:2c");
    passes(&net, 40);
    // When all are gone so are the shards, and what is in them.
    drop((a, b));
    net.client("r").until("flows", 0);
    eventually("classes that have drained", || (classes(&net, "r", "to-b").len() == SHARED).then_some(()));
    assert_eq!(keys(&net, "r"), []);
}

/// Twenty packets of the last flow are shaped in the class that it has in its shard, and all arrive; it has had so many then.
fn passes(net: &Net, had: u64) {
    let (session, sender) = named(FLOWS - 1);
    let to = session.trim_start_matches("udp ");
    let receiver = at(net, "b", to);
    let socket = from(net, "a", &sender, to, 0);
    // No more at once than a queue of the router's holds.
    for _ in 0..5 {
        burst(&socket, 1_000, 4);
        let mut delivered = 0;
        eventually("four of them", || {
            delivered += arrived(&receiver);
            (delivered == 4).then_some(())
        });
    }
    let last = row(net, FLOWS - 1);
    assert_eq!((number(&last, "packets"), number(&last, "dropped_packets")), (had, 0), "{last}");
    assert_eq!(
        (sent(net, "7277:2c"), sent(net, "7276:8000")),
        (had, had),
        "in its class, and in its shard's"
    );
}
