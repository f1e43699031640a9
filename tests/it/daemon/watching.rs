//! What can be seen of refusals where they happen: `rsvp watch`, counters, the log, and what senders hear by ICMP.

use super::commands::{CONFIG, Running, run};
use super::eventually;
use super::net::Net;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// A Path with a SESSION of C-Type 7 (RFC 3209 section 4.6.1.1), from 10.0.1.1 for 10.0.2.2: laid out by RFC 2205 sections 3.1.1 to
/// 3.1.3, with a SENDER_TSPEC of RFC 2210 section 3.1.
const UNKNOWN_CTYPE: [u32; 23] = [
    0x1001_0000,
    0x3f00_005c,
    0x0010_0107,
    0x0a00_0202,
    0x0000_0004,
    0x0a00_0101,
    0x000c_0301,
    0x0a00_0101,
    0x0000_0000,
    0x0008_0501,
    0x0000_7530,
    0x000c_0b07,
    0x0a00_0101,
    0x0000_0001,
    0x0024_0c02,
    0x0000_0007,
    0x0100_0006,
    0x7f00_0005,
    0x47f4_2400,
    0x44bb_8000,
    0x4e6e_6b28,
    0x0000_0040,
    0x0000_05dc,
];

/// Sends a message to 10.0.2.2 with Router Alert, as a Path is sent.
fn inject(net: &Net, node: &str, message: &[u8]) {
    let (from, to) = (Ipv4Addr::new(10, 0, 1, 1), Ipv4Addr::new(10, 0, 2, 2));
    let mut packet = vec![0x46, 0xc0, 0, 0, 0, 1, 0, 0, 63, 46, 0, 0];
    packet.extend(from.octets().into_iter().chain(to.octets()).chain([148, 4, 0, 0]));
    packet.extend(message);
    let to = SocketAddr::V4(SocketAddrV4::new(to, 0));
    net.raw(node).send_to(&packet, &to.into()).expect("it is sent");
}

fn octets(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn watched(kind: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["watched"]["what"] == kind
}

fn counter(net: &Net, node: &str, group: &str, name: &str) -> u64 {
    let counters = net.client(node).ask(json!({"request": "list", "what": "counters"})).expect("counters");
    counters["counters"][group][name].as_u64().unwrap_or_else(|| panic!("{name} in {counters}"))
}

#[test]
fn what_a_router_drops_is_seen_with_cause_peer_and_session() {
    let Some(mut net) = Net::three_in_a_row("discards that are told") else { return };
    net.daemon("r", &format!("log = \"debug\"\n{CONFIG}"));
    let watch = Running::start(&net, "r", "watch --only discards,errors --json");
    watch.until("beginning", |line| line["type"] == "watching");
    // A C-Type that the router does not process is answered (RFC 2205 section 3.10), which is seen, too.
    inject(&net, "a", &octets(&UNKNOWN_CTYPE));
    let sent = watch.until("the answer", watched("message"))["watched"].clone();
    assert_eq!(
        (&sent["direction"], &sent["message"], &sent["peer"]),
        (&json!("sent"), &json!("PathErr"), &json!("10.0.1.1"))
    );
    assert_eq!((&sent["error"]["code"], &sent["error"]["value"]), (&json!(14), &json!(0x0107)), "{sent}");
    let dropped = watch.until("the discard", watched("discarded"));
    let said = &dropped["watched"];
    assert_eq!(
        (&said["cause"], &said["message"], &said["peer"]),
        (&json!("unknown-object"), &json!("Path"), &json!("10.0.1.1"))
    );
    assert_eq!(said["interface"], "to-a");
    assert!(said["answer"]["meaning"].as_str().is_some_and(|words| words.contains("SESSION")), "{said}");
    assert!(dropped["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{dropped}");

    // Each way of being malformed has a counter of its own, and whatever can be read is told.
    let mut damaged = octets(&UNKNOWN_CTYPE);
    damaged[2..4].copy_from_slice(&[1, 2]);
    inject(&net, "a", &damaged);
    damaged[0] = 0x20;
    inject(&net, "a", &damaged);
    for cause in ["malformed-checksum", "malformed-version"] {
        let said = watch.until(cause, watched("discarded"))["watched"].clone();
        assert_eq!(said["cause"], cause, "{said}");
        assert_eq!(counter(&net, "r", "driver", cause), 1);
    }
    // The same from there is soon only counted.
    damaged[0] = 0x10;
    for _ in 0..20 {
        inject(&net, "a", &damaged);
    }
    eventually("all of them", || (counter(&net, "r", "driver", "malformed-checksum") == 21).then_some(()));
    let log = net.log("r");
    let lines = log.lines().filter(|line| line.contains("discarded (malformed-checksum)")).count();
    // Five in ten seconds, in which all of this usually happens.
    assert!((5..=10).contains(&lines), "{lines} of 21: {log}");
    let line = log.lines().find(|line| line.contains("discarded (unknown-object)")).expect("a line");
    assert!(line.contains("Path, 10.0.1.1 on to-a") && line.contains("answered: "), "{line}");
    // How many are not shown is said when no more come, unless ten seconds have passed and one that is shown has said it.
    let more = watch.until("a number", |line| {
        line["type"] == "more-discards" || line["watched"]["left_out"].as_u64() > Some(0)
    });
    let found = more["left_out"].as_u64().or_else(|| more["watched"]["left_out"].as_u64());
    assert!((1..=16).contains(&found.expect("a number")), "{more}");
    assert!(
        more["cause"] == "malformed-checksum" || more["watched"]["cause"] == "malformed-checksum",
        "{more}"
    );
    watch.signal(Signal::SIGINT);
    assert_eq!(watch.status(), Some(0));
}

#[test]
fn what_happened_before_anybody_looked_can_be_asked_for() {
    let Some(mut net) = Net::three_in_a_row("earlier events") else { return };
    net.daemon("r", CONFIG);
    net.client("r").until("interfaces", 2);
    inject(&net, "a", &octets(&UNKNOWN_CTYPE));
    let events = |arguments: &[&str]| -> Vec<Value> {
        let (done, said, complaint) = run(&net, "r", &[&["show", "events", "--json"], arguments].concat());
        assert!(done, "{complaint}");
        serde_json::from_str(&said).expect("rows")
    };
    // No RSVP is spoken where the answer goes to, which the kernel there may say by ICMP.
    let rows = eventually("both", || Some(events(&[])).filter(|rows| rows.len() >= 2));
    assert_eq!(
        (&rows[0]["watched"]["what"], &rows[0]["watched"]["message"]),
        (&json!("message"), &json!("PathErr"))
    );
    assert_eq!(
        (&rows[1]["watched"]["what"], &rows[1]["watched"]["cause"]),
        (&json!("discarded"), &json!("unknown-object"))
    );
    assert!(rows.iter().all(|row| row["ago_ms"].as_u64().is_some_and(|ms| ms < 60_000)), "{rows:?}");
    assert!(events(&["--peer", "10.0.1.1"]).len() >= 2);
    assert_eq!(events(&["--peer", "10.0.1.9"]), Vec::<Value>::new());
    assert_eq!(events(&["--session", "udp 10.9.9.9:1"]), Vec::<Value>::new());

    let table = run(&net, "r", &["show", "events"]).1;
    assert!(table.trim_start().starts_with("AGO") && table.contains("discarded (unknown-object)"), "{table}");
    // They stand in what `rsvp top` shows first, before its own beginning.
    let top = super::screens::Screen::of(&net, "r", "top");
    let seen = eventually("the past", || Some(top.seen()).filter(|seen| seen.contains("discarded (")));
    let line = seen.lines().find(|line| line.contains("discarded (")).expect("it is there");
    assert!(line.trim_start_matches(['|', ' ']).starts_with('-'), "{seen}");
}

#[test]
fn state_is_seen_arriving_and_leaving_with_the_errors_between() {
    let Some(mut net) = Net::three_in_a_row("state that is watched") else { return };
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    let watch = Running::start(&net, "r", "watch --session udp|10.0.2.2:5000 --json");
    let other = Running::start(&net, "r", "watch --peer 10.9.9.9 --json");
    for watch in [&watch, &other] {
        watch.until("beginning", |line| line["type"] == "watching");
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.send("udp 10.0.2.2:5000", "10.0.1.1:4000", 20);
    let path = watch.until("path state", watched("sender-arrived"))["watched"].clone();
    assert_eq!(
        (&path["sender"], &path["previous_hop"], &path["outgoing"]),
        (&json!("10.0.1.1:4000"), &json!("10.0.1.1"), &json!(["to-b"]))
    );
    b.reserve("udp 10.0.2.2:5000", "10.0.1.1:4000", 20);
    let refused = watch.until("a refusal", watched("message"))["watched"].clone();
    assert_eq!(
        (&refused["direction"], &refused["message"], &refused["error"]["code"]),
        (&json!("sent"), &json!("ResvErr"), &json!(1))
    );
    b.reserve("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    let asked = watch.until("a request", watched("request-arrived"))["watched"].clone();
    assert_eq!((&asked["next_hop"], &asked["interface"]), (&json!("10.0.2.2"), &json!("to-b")));
    drop(b);
    let tear = watch.until("a teardown", |line| line["watched"]["message"] == "ResvTear")["watched"].clone();
    assert_eq!((&tear["direction"], &tear["peer"]), (&json!("received"), &json!("10.0.2.2")));
    watch.until("the end of the request", watched("request-gone"));
    drop(a);
    watch.until("the end of the path state", watched("sender-gone"));
    assert!(!other.said("watched"), "nothing is from there");
}

#[test]
fn a_host_without_rsvp_is_named_to_the_sender() {
    for (to, from, family) in [("10.0.2.2", "10.0.1.1", "ipv4"), ("[fd00:2::2]", "[fd00:1::1]", "ipv6")] {
        let Some(mut net) = Net::three_in_a_row(&format!("a host without RSVP, {family}")) else { return };
        ["a", "r"].into_iter().for_each(|node| net.daemon(node, CONFIG));
        let watch = Running::start(&net, "a", "watch --only errors --json");
        watch.until("beginning", |line| line["type"] == "watching");
        let sending = format!("send --to {to}:5000 --from {from}:4000 --rate 1mbit --json");
        let sender = Running::start(&net, "a", &sending);
        let told =
            sender.until("what came back", |line| line["event"]["event"] == "undelivered")["event"].clone();
        let node = to.trim_matches(['[', ']']);
        assert_eq!((&told["cause"], &told["node"]), (&json!("no-rsvp"), &json!(node)), "{told}");
        let words = told["meaning"].as_str().expect("words");
        assert!(
            words.starts_with(&format!("{node} does not speak RSVP")) && words.contains("start rsvpd there"),
            "{words}"
        );
        let seen = watch.until("the same", watched("undelivered"))["watched"].clone();
        assert_eq!((&seen["message"], &seen["session"]), (&json!("Path"), &json!(format!("udp {to}:5000"))));
        assert!(counter(&net, "a", "driver", "messages-undelivered") > 0);
        sender.signal(Signal::SIGINT);
        assert_eq!(sender.status(), Some(4));

        // A socket that is handed over hears the same words.
        let sending = format!("send --to {to}:5001 --from {from}:4001 --template G711 --json");
        let sender = Running::start(&net, "a", &sending);
        let told =
            sender.until("it of a socket", |line| line["qos"]["undelivered"].is_string())["qos"].clone();
        let words = told["undelivered"].as_str().expect("words");
        assert!(words.starts_with(&format!("{node} does not speak RSVP")), "{told}");
        assert_eq!(
            (&told["name"], &told["senders"]),
            (&json!("WSA_QOS_GENERIC_ERROR"), &json!([format!("{from}:4001")]))
        );
        sender.signal(Signal::SIGINT);
        assert_eq!(sender.status(), Some(4));
    }
}

#[test]
fn who_does_not_forward_says_why() {
    let Some(mut net) = Net::three_in_a_row("path state that is not forwarded") else { return };
    ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]
        .into_iter()
        .for_each(|name| net.sysctl("r", name, "0"));
    ["a", "r"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    let log = net.log("r");
    assert!(log.contains("WARN") && log.contains("net.ipv4.ip_forward is 0"), "{log}");
    assert!(!net.log("a").contains("forward"), "a host with one interface is none: {}", net.log("a"));
    let mut a = net.client("a");
    // What is for the node itself needs no reason.
    a.send("udp 10.0.1.2:6000", "10.0.1.1:4000", 1);
    let row = net.client("r").until("senders", 1).remove(0);
    assert!(row["not_forwarded"].is_null(), "{row}");
}

#[test]
fn a_sender_hears_at_once_what_is_amiss_on_its_own_host() {
    let Some(mut net) = Net::three_in_a_row("senders that are told") else { return };
    net.daemon("a", CONFIG);
    let sender = Running::start(&net, "a", "send --to 10.0.2.2:5000 --rate 20mbit --json");
    let remark = sender.until("a remark", |line| line["type"] == "remark");
    assert_eq!(
        (&remark["interface"], &remark["reservable_bps"]),
        (&json!("to-r"), &json!(7_500_000)),
        "{remark}"
    );
    drop(sender);
    net.client("a").until("senders", 0);
}

#[test]
fn reasons_are_those_of_the_kernel() {
    let Some(mut net) = Net::three_in_a_row("reasons not to forward") else { return };
    ["a", "r"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    // Where a router has no way at all, its kernel does not even hand the Path up, but says so.
    let mut lost = net.client("a");
    lost.send("udp 10.9.9.9:5000", "10.0.1.1:4000", 1);
    let told = lost.event("undelivered");
    assert_eq!((&told["cause"], &told["node"]), (&json!("no-way"), &json!("10.0.1.2")), "{told}");
    drop(lost);
    // Where it had one, its daemon knows the sender.
    net.ip("r", "route add 10.9.9.0/24 via 10.0.2.2");
    let mut a = net.client("a");
    a.send("udp 10.9.9.9:5000", "10.0.1.1:4000", 1);
    net.client("r").until("senders", 1);
    net.ip("r", "route del 10.9.9.0/24");
    eventually("a reason", || {
        let row = net.client("r").list("senders").remove(0);
        row["not_forwarded"].as_str().filter(|why| *why == "no route to 10.9.9.9").map(drop)
    });
    drop(a);
    net.client("r").until("senders", 0);
    let mut a = net.client("a");
    let mut reason_of = |session: &str, ttl: u8, words: &str| {
        let traffic =
            json!({"rate_bps": 1e6, "bucket": 15000, "peak_bps": null, "min_packet": 64, "max_packet": 1500});
        let (sender, request) = ("10.0.1.1:4000", "sender");
        a.ask(
            json!({"request": request, "session": session, "sender": sender, "traffic": traffic, "ttl": ttl}),
        )
        .expect("a sender");
        let row = net.client("r").until("senders", 1).remove(0);
        let why = row["not_forwarded"].as_str().unwrap_or_else(|| panic!("no reason in {row}"));
        assert!(why.contains(words), "{why}");
        let (_, table, _) = run(&net, "r", &["show", "senders"]);
        assert!(
            table.contains("nowhere:") && table.contains(words.split(' ').next().expect("a word")),
            "{table}"
        );
        a.ask(json!({"request": "remove-sender", "session": session, "sender": sender}))
            .expect("it is withdrawn");
        net.client("r").until("senders", 0);
    };
    reason_of("udp 10.0.2.2:5000", 1, "TTL is used up");
    net.ip("r", "route add 10.8.0.0/16 via 10.0.1.1");
    reason_of("udp 10.8.8.8:5000", 64, "the only way to 10.8.8.8 is the one by which it came, to-a");
    reason_of("udp 239.1.2.3:5000", 64, "no multicast route for 239.1.2.3 from 10.0.1.1");
}
