//! Flows that outlive the daemon: killed or told to leave them, it finds them again, keeps them until they are asked for or their
//! time is over, and no packet goes without them meanwhile.

use super::super::client::Client;
use super::super::eventually;
use super::super::net::Net;
use super::datagrams_sent::{arrived, at, burst, from};
use super::ends::{clean, there};
use super::enforced::{number, tos};
use super::{SENDER, SESSION, class_of, classes, compared, controlled_load, pinned, traffic};
use crate::programs;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A node that enforces nothing, so that a mark is the router's.
pub(super) const PLAIN: &str =
    "[data_plane]\nkind = \"none\"\n[interfaces]\nbandwidth = \"100mbit\"\nrefresh = \"1s\"\n";
/// A second session, with Guaranteed service and so a class of its own.
const OWN: &str = "udp 10.0.2.2:6000";
const OWN_SENDER: &str = "10.0.1.1:4001";

fn guaranteed(rate_bps: u64, bucket: u64) -> Value {
    json!({"service": "guaranteed", "traffic": traffic(rate_bps, bucket), "reserve_bps": rate_bps})
}

/// `a` and `b` have one flow of each service over `r`.
fn both(net: &Net) -> [Client; 2] {
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    let wishes =
        [(SESSION, SENDER, controlled_load(800_000, 20_000)), (OWN, OWN_SENDER, guaranteed(800_000, 20_000))];
    for (session, sender, flowspec) in wishes {
        a.announce(session, sender, &traffic(800_000, 20_000));
        b.hears(session);
        b.ask_for(session, "ff", &[sender], &flowspec);
    }
    [a, b]
}

/// The flows of `r` by session: state, class, packets that conformed.
fn flows(net: &Net) -> Vec<(String, String, String, u64)> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let row =
        |row: &Value| (text(row, "session"), text(row, "state"), text(row, "class"), number(row, "packets"));
    let mut rows: Vec<_> = net.client("r").list("flows").iter().map(row).collect();
    rows.sort();
    rows
}

pub(super) fn kill(net: &mut Net, node: &str) {
    net.signal(node, Signal::SIGKILL);
    net.ended(node);
}

/// What is pinned, whatever the folder of the namespace is called.
fn pins(root: &Path) -> Vec<String> {
    let Ok(folders) = std::fs::read_dir(root) else { return Vec::new() };
    let files = folders.flatten().flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten());
    let mut names: Vec<_> =
        files.flatten().map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn no_packet_of_a_flow_goes_without_it_while_the_daemon_is_killed_and_comes_back() {
    for attach in ["tcx", "clsact"] {
        let Some(mut net) = Net::three_in_a_row("flows that outlive the daemon") else { return };
        let root = net.bpffs().join("rsvpd");
        let config = pinned(&root, attach, "refresh = \"1s\"\n");
        let untouched = there(&net, "r", "to-b");
        [("a", PLAIN), ("r", config.as_str()), ("b", PLAIN)]
            .iter()
            .for_each(|(node, config)| net.daemon(node, config));
        let _clients = both(&net);
        net.client("r").until("flows", 2);
        let before = flows(&net);
        assert_eq!(before.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(), ["7276:3", "7276:100"]);
        let capture = net.capture_of("b", "to-r", "udp and (dst port 5000 or dst port 6000)");
        let ends = [("5000", SENDER), ("6000", OWN_SENDER)].map(|(port, sender)| {
            let to = format!("10.0.2.2:{port}");
            (at(&net, "b", &to), from(&net, "a", sender, &to, 0))
        });
        let stop = AtomicBool::new(false);
        let sent = std::thread::scope(|scope| {
            let sending = scope.spawn(|| {
                let mut sent = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    ends.iter().for_each(|(_, sender)| {
                        burst(sender, 100, 1);
                    });
                    sent += 1;
                    std::thread::park_timeout(Duration::from_millis(2));
                }
                sent
            });
            // Each flow's own packets, by the class that they go through.
            let flow = |net: &Net, more: u64| {
                let counted = || [3, 0x100].map(|minor| class_of(net, "r", "to-b", minor).counters.packets);
                let start = counted();
                eventually("packets in the classes", || {
                    let now = counted();
                    now.iter().zip(start).all(|(now, start)| *now >= start + more).then_some(())
                });
            };
            for signal in [Signal::SIGKILL, Signal::SIGUSR2, Signal::SIGKILL] {
                flow(&net, 20);
                net.signal("r", signal);
                assert_eq!(net.ended("r").success(), signal == Signal::SIGUSR2, "{}", net.log("r"));
                assert!(pins(&root).contains(&"flows".to_owned()), "{:?}", pins(&root));
                flow(&net, 20);
                net.daemon("r", &config);
                eventually("flows that are asked for again", || {
                    flows(&net).iter().all(|row| row.1 == "installed").then_some(())
                });
                flow(&net, 20);
                let rows = compared(&net, "r");
                assert_eq!(rows.len(), 2, "{attach}: {rows:#?}");
            }
            stop.store(true, Ordering::Relaxed);
            sending.join().expect("it sends")
        });
        for (port, mark) in [(5_000, 0x60), (6_000, 0xa0)] {
            let marks = eventually("all in the capture", || {
                Some(tos(&capture, port)).filter(|marks| marks.len() as u64 == sent)
            });
            assert!(marks.iter().all(|tos| *tos == mark), "{attach} {port}: {marks:x?}");
        }
        // The same flows, in the same classes, and every packet is counted.
        let after = before.into_iter().map(|(session, state, class, _)| (session, state, class, sent));
        assert_eq!(flows(&net), after.collect::<Vec<_>>(), "{attach}");
        net.signal("r", Signal::SIGTERM);
        assert!(net.ended("r").success(), "{}", net.log("r"));
        assert_eq!((there(&net, "r", "to-b"), pins(&root)), (untouched, Vec::new()), "{attach}");
        assert!(!root.exists(), "a folder of the daemon's own");
    }
}

#[test]
fn what_nobody_asks_for_again_has_its_share_until_its_time_is_over() {
    let Some(mut net) = Net::three_in_a_row("flows that are stale") else { return };
    let root = net.bpffs().join("rsvpd");
    // Long enough for all that is asked here; then hardly longer than a refresh.
    let config = |refresh: &str| pinned(&root, "auto", &format!("refresh = \"{refresh}\"\n"));
    [("a", PLAIN), ("r", config("30s").as_str()), ("b", PLAIN)]
        .iter()
        .for_each(|(node, config)| net.daemon(node, config));
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    let large = (60_000_000, 50_000);
    a.announce(SESSION, SENDER, &traffic(large.0, large.1));
    b.hears(SESSION);
    b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(large.0, large.1));
    net.client("r").until("flows", 1);
    let (receiver, sender) = (at(&net, "b", "10.0.2.2:5000"), from(&net, "a", SENDER, "10.0.2.2:5000", 0));
    burst(&sender, 100, 10);
    ["r", "a", "b"].iter().for_each(|node| kill(&mut net, node));
    net.daemon("r", &config("30s"));
    let stale = |packets| (SESSION.to_owned(), "stale".to_owned(), "7276:3".to_owned(), packets);
    eventually("a stale flow that has counted", || (flows(&net) == [stale(10)]).then_some(()));
    compared(&net, "r");
    let socket = net.socket("r").display().to_string();
    let said = net.exec(
        "r",
        &[&programs::folder().join("rsvp").display().to_string(), "show", "flows", "--socket", &socket],
    );
    assert!(said.contains("controlled-load (stale)") && said.contains("10.0.1.1:4000"), "{said}");
    // It is enforced, too.
    burst(&sender, 100, 5);
    eventually("a stale flow that counts", || (flows(&net) == [stale(15)]).then_some(()));
    eventually("packets", || (arrived(&receiver) > 0).then_some(()));
    // 75 Mbit/s can be reserved: what is left of it is too little for another, and the flow's own has room.
    ["a", "b"].iter().for_each(|node| net.daemon(node, PLAIN));
    (a, b) = (net.client("a"), net.client("b"));
    a.announce(OWN, OWN_SENDER, &traffic(30_000_000, 50_000));
    b.hears(OWN);
    b.ask_for(OWN, "ff", &[OWN_SENDER], &controlled_load(30_000_000, 50_000));
    let error = b.event("resv-error");
    assert_eq!((&error["error"]["code"], &error["error"]["value"]), (&json!(1), &json!(2)), "{error}");
    a.announce(SESSION, SENDER, &traffic(large.0, large.1));
    b.hears(SESSION);
    b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(large.0, large.1));
    eventually("the flow is asked for again", || (flows(&net)[0].1 == "installed").then_some(()));
    assert_eq!(flows(&net)[0].3, 15);
    compared(&net, "r");
    // Nobody is there: it goes, and with it all that the kernel has of it.
    ["r", "a", "b"].iter().for_each(|node| kill(&mut net, node));
    net.daemon("r", &config("3s"));
    assert_eq!(flows(&net), [stale(15)]);
    net.client("r").until("flows", 0);
    assert!(super::keys(&net, "r").is_empty());
    assert_eq!(class_of(&net, "r", "to-b", 3).htb.expect("a class of HTB").rate, 1);
    ["a", "b"].iter().for_each(|node| net.daemon(node, PLAIN));
    (a, b) = (net.client("a"), net.client("b"));
    a.announce(OWN, OWN_SENDER, &traffic(30_000_000, 50_000));
    b.hears(OWN);
    b.ask_for(OWN, "ff", &[OWN_SENDER], &controlled_load(30_000_000, 50_000));
    net.client("r").until("flows", 1);
    compared(&net, "r");
}

#[test]
fn senders_of_a_shared_flow_come_back_one_after_the_other() {
    let Some(mut net) = Net::three_in_a_row("a shared flow that is stale") else { return };
    let root = net.bpffs().join("rsvpd");
    let config = |refresh: &str| pinned(&root, "auto", &format!("refresh = \"{refresh}\"\n"));
    [("a", PLAIN), ("r", config("30s").as_str()), ("b", PLAIN)]
        .iter()
        .for_each(|(node, config)| net.daemon(node, config));
    let senders = [SENDER, "10.0.1.1:4002"];
    let ask = |net: &Net, announced: &[&str]| {
        let (mut a, mut b) = (net.client("a"), net.client("b"));
        announced.iter().for_each(|sender| a.announce(SESSION, sender, &traffic(800_000, 20_000)));
        b.hears(SESSION);
        b.ask_for(SESSION, "se", &senders, &controlled_load(800_000, 20_000));
        [a, b]
    };
    let _clients = ask(&net, &senders);
    eventually("both senders", || (super::keys(&net, "r").len() == 2).then_some(()));
    let there = super::keys(&net, "r");
    ["r", "a", "b"].iter().for_each(|node| kill(&mut net, node));
    net.daemon("r", &config("30s"));
    ["a", "b"].iter().for_each(|node| net.daemon(node, PLAIN));
    let [mut a, _b] = ask(&net, &senders[..1]);
    let installed = || {
        let rows = net.client("r").list("flows");
        (rows.len() == 1 && rows[0]["state"] == "installed").then(|| rows[0]["filters"].clone())
    };
    // The one that is not back is still of the flow.
    assert_eq!(eventually("the flow is asked for again", installed), json!([SENDER]));
    assert_eq!(super::keys(&net, "r"), there);
    a.announce(SESSION, senders[1], &traffic(800_000, 20_000));
    eventually("both again", || (installed()?.as_array()?.len() == 2).then_some(()));
    assert_eq!(compared(&net, "r").len(), 1);
    assert_eq!(super::keys(&net, "r"), there);
}

/// What packets have on the link beside IP is in the classes before and after; where it is configured anew, it is changed in place.
#[test]
fn classes_that_outlive_the_daemon_have_room_for_headers() {
    let Some(mut net) = Net::three_in_a_row("classes with headers") else { return };
    let root = net.bpffs().join("rsvpd");
    let config = |overhead: u64| pinned(&root, "auto", &format!("refresh = \"1s\"\noverhead = {overhead}\n"));
    [("a", PLAIN), ("r", config(64).as_str()), ("b", PLAIN)]
        .iter()
        .for_each(|(node, config)| net.daemon(node, config));
    let _clients = both(&net);
    net.client("r").until("flows", 2);
    let htb = |net: &Net| [3, 0x100].map(|minor| class_of(net, "r", "to-b", minor).htb.expect("of HTB"));
    let rates = |net: &Net| {
        let rows = net.client("r").list("flows");
        rows.iter().map(|row| number(row, "rate_bps")).collect::<Vec<_>>()
    };
    let (_receiver, sender) = (at(&net, "b", "10.0.2.2:5000"), from(&net, "a", SENDER, "10.0.2.2:5000", 0));
    let made = htb(&net);
    for overhead in [64, 0, 64] {
        kill(&mut net, "r");
        net.daemon("r", &config(overhead));
        assert_eq!(rates(&net), [800_000; 2], "of IP, whatever is on the link");
        eventually("flows that are asked for again", || {
            flows(&net).iter().all(|row| row.1 == "installed").then_some(())
        });
        assert_eq!(rates(&net), [800_000; 2]);
        // m is 64: as many packets as there can be have as much again.
        let now = htb(&net);
        assert_eq!(now.map(|class| class.rate), [100_000 + 100_000 * overhead / 64; 2]);
        assert_eq!(u64::from(now[1].min_policed), 64 + overhead);
        assert_eq!(now.map(|class| u64::from(class.overhead)), [overhead; 2]);
        assert_eq!(now == made, overhead == 64, "{now:?} {made:?}");
        let counted = || class_of(&net, "r", "to-b", 3).counters;
        let before = counted();
        burst(&sender, 100, 10);
        let after = eventually("ten packets in the class", || {
            Some(counted()).filter(|after| after.packets == before.packets + 10)
        });
        assert_eq!(after.octets - before.octets, 10 * 100, "counted as IP packets, to which the class adds");
    }
}

#[test]
fn what_is_pinned_is_removed_on_demand() {
    for attach in ["tcx", "clsact"] {
        let Some(mut net) = Net::three_in_a_row("pins on demand") else { return };
        let root = net.bpffs().join("rsvpd");
        let config = pinned(&root, attach, "refresh = \"1s\"\n");
        let before = there(&net, "r", "to-b");
        [("a", PLAIN), ("r", config.as_str()), ("b", PLAIN)]
            .iter()
            .for_each(|(node, config)| net.daemon(node, config));
        let _clients = both(&net);
        net.client("r").until("flows", 2);
        let root_text = root.display().to_string();
        assert!(!clean(&net, "r", &root_text).0, "not while a daemon runs");
        kill(&mut net, "r");
        assert_eq!(there(&net, "r", "to-b").2, usize::from(attach == "tcx"));
        let (done, said) = clean(&net, "r", &root_text);
        assert!(done, "{said}");
        for what in
            ["interface to-b: the egress program", "the class tree 7276:", "maps of the egress program"]
        {
            assert!(said.contains(what), "{attach}: {said}");
        }
        assert_eq!((there(&net, "r", "to-b"), root.exists()), (before, false), "{attach}");
        assert_eq!(clean(&net, "r", &root_text), (true, "nothing was left\n".to_owned()));
    }
}

#[test]
fn an_interface_that_goes_while_nobody_runs_takes_its_flows_along() {
    let Some(mut net) = Net::three_in_a_row("a link that goes") else { return };
    let root = net.bpffs().join("rsvpd");
    let config = pinned(&root, "auto", "refresh = \"1s\"\n");
    [("a", PLAIN), ("r", config.as_str()), ("b", PLAIN)]
        .iter()
        .for_each(|(node, config)| net.daemon(node, config));
    let _clients = both(&net);
    net.client("r").until("flows", 2);
    kill(&mut net, "r");
    net.ip("r", "link del to-b");
    net.ip("r", "link add to-b type veth peer name nobody");
    net.ip("r", "link set to-b up");
    net.daemon("r", &config);
    assert!(net.client("r").list("flows").is_empty());
    assert!(super::keys(&net, "r").is_empty() && classes(&net, "r", "to-b").is_empty());
    assert!(!pins(&root).iter().any(|name| name.starts_with("link-")), "{:?}", pins(&root));
}

#[test]
fn another_user_than_the_one_that_starts_finds_and_keeps_flows() {
    let Some(mut net) = Net::three_in_a_row("pins of another user") else { return };
    let root = net.bpffs().join("rsvpd");
    let config = format!("user = \"nobody\"\n{}", pinned(&root, "auto", "refresh = \"1s\"\n"));
    [("a", PLAIN), ("r", config.as_str()), ("b", PLAIN)]
        .iter()
        .for_each(|(node, config)| net.daemon(node, config));
    let _clients = both(&net);
    net.client("r").until("flows", 2);
    assert!(pins(&root).iter().any(|name| name.starts_with("link-")), "{:?}: {}", pins(&root), net.log("r"));
    for _ in 0..2 {
        kill(&mut net, "r");
        net.daemon("r", &config);
        assert_eq!(flows(&net).len(), 2, "{}", net.log("r"));
    }
    eventually("both are asked for again", || {
        flows(&net).iter().all(|row| row.1 == "installed").then_some(())
    });
    compared(&net, "r");
    net.signal("r", Signal::SIGTERM);
    assert!(net.ended("r").success(), "{}", net.log("r"));
    assert!(!root.exists() && !net.log("r").contains("left behind"), "{}", net.log("r"));
}

#[test]
fn without_a_bpffs_one_line_says_that_nothing_outlives_the_daemon() {
    let Some(mut net) = Net::three_in_a_row("no bpffs") else { return };
    let config = pinned(&net.file("pins"), "auto", "");
    net.daemon("r", &config);
    let log = net.log("r");
    assert_eq!(log.matches("do not outlive this daemon").count(), 1, "{log}");
    assert!(log.contains("is not in a bpffs") && !net.file("pins").exists(), "{log}");
    // And who does not want it hears nothing.
    net.signal("r", Signal::SIGTERM);
    net.ended("r");
    net.daemon("r", &pinned(Path::new(""), "auto", ""));
    assert_eq!(net.log("r").matches("outlive").count(), 1, "{}", net.log("r"));
}
