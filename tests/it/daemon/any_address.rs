//! Receivers whose sockets are bound to any address: a session at each address of the host, as addresses come and go.

use super::client::Client;
use super::commands::{Running, is_event};
use super::eventually;
use super::net::Net;
use serde_json::{Value, json};

const CONFIG: &str = "[interfaces]\nbandwidth = \"10mbit\"\n";
/// The sender's address, the receiver's two, and one that it gets later: in IPv4 on one interface, in IPv6 all but the first on the
/// loopback interface, so that none of those that go is the one by which neighbours know the other interface.
const FAMILIES: [Family; 2] = [
    Family {
        sender: "10.0.1.1:4000",
        own: ["10.0.1.2", "10.0.1.3"],
        later: "10.0.1.4",
        bits: 24,
        interface: "to-a",
    },
    Family {
        sender: "[fd00:1::1]:4000",
        own: ["fd00:1::2", "fd00:9::3"],
        later: "fd00:9::4",
        bits: 128,
        interface: "lo",
    },
];

struct Family {
    sender: &'static str,
    own: [&'static str; 2],
    later: &'static str,
    bits: u8,
    interface: &'static str,
}

impl Family {
    fn add(&self, net: &Net, address: &str) {
        let no_detection = if address.contains(':') { " nodad" } else { "" };
        net.ip("b", &format!("addr add {address}/{} dev {}{no_detection}", self.bits, self.interface));
    }

    fn remove(&self, net: &Net, address: &str) {
        net.ip("b", &format!("addr del {address}/{} dev {}", self.bits, self.interface));
    }
}

fn session(address: &str) -> String {
    if address.contains(':') { format!("udp [{address}]:5000") } else { format!("udp {address}:5000") }
}

/// `a` - `b`, where `b` has two addresses of each family.
fn two_addresses(test: &str) -> Option<Net> {
    let mut net = Net::new(test)?;
    net.host("a");
    net.host("b");
    net.link("a", "b");
    for family in &FAMILIES {
        family.add(&net, family.own[1]);
    }
    net.ip("a", "-6 route add fd00:9::/64 via fd00:1::2");
    net.daemon("a", CONFIG);
    net.daemon("b", CONFIG);
    Some(net)
}

fn open(client: &mut Client, any: &str) -> Result<Value, Value> {
    client.ask(json!({"request": "open-session", "session": any}))
}

fn close(client: &mut Client, any: &str) -> Result<Value, Value> {
    client.ask(json!({"request": "close-session", "session": any}))
}

/// Waits for an event of this session; those before it are dropped.
fn event_of(client: &mut Client, kind: &str, session: &str) -> Value {
    loop {
        let event = client.event(kind);
        if event["session"] == session {
            return event;
        }
    }
}

fn sessions_opened(client: &mut Client) -> Vec<String> {
    let opened = client.waiting().into_iter().filter(|event| event["event"] == "session-opened");
    opened.map(|event| event["session"].as_str().expect("a session").to_owned()).collect()
}

#[test]
fn a_path_to_any_own_address_is_told_with_its_session_and_reserved_there() {
    let Some(net) = two_addresses("any address") else { return };
    let (mut sender, mut receiver) = (net.client("a"), net.client("b"));
    open(&mut receiver, "udp *:5000").expect("opened");
    for Family { sender: from, own, .. } in &FAMILIES {
        for address in own {
            let session = session(address);
            sender.send(&session, from, 1);
            let path = event_of(&mut receiver, "path", &session);
            assert_eq!(path["sender"], *from);
            receiver.reserve(&session, from, 1);
            assert_eq!(event_of(&mut sender, "resv", &session)["filters"], json!([from]));
            event_of(&mut receiver, "resv-confirm", &session);
        }
    }
    // One reservation each, and another port is nobody's.
    net.client("a").until("reservations", 4);
    sender.send("udp 10.0.1.2:5001", FAMILIES[0].sender, 1);
    net.client("b").until("senders", 5);
    assert!(receiver.waiting().iter().all(|event| event["event"] != "path"));
    // A reservation is of one session.
    let flows = json!([{"flowspec": {"service": "controlled-load", "traffic": {"rate_bps": 1_000_000}}}]);
    let all = json!({"request": "reserve", "session": "udp 0.0.0.0:5000", "style": "wf", "flows": flows});
    let refused = receiver.ask(all).expect_err("it names no address");
    let said = refused["message"].as_str().expect("a sentence");
    assert!(refused["code"] == "bad-session" && said.contains("name the address"), "{refused}");
}

#[test]
fn addresses_that_come_and_go_open_and_close_sessions() {
    let Some(net) = two_addresses("any address that changes") else { return };
    let (mut sender, mut receiver) = (net.client("a"), net.client("b"));
    open(&mut receiver, "udp [::]:5000").expect("opened");
    for family in &FAMILIES {
        let Family { sender: from, own, later, .. } = family;
        let [_, goes] = own.map(session);
        sender.send(&goes, from, 1);
        event_of(&mut receiver, "path", &goes);
        receiver.reserve(&goes, from, 1);
        event_of(&mut sender, "resv", &goes);
        let comes = session(later);
        sender.send(&comes, from, 1);
        family.add(&net, later);
        event_of(&mut receiver, "session-opened", &comes);
        // Said again, in case that it was said to nobody before.
        sender.send(&comes, from, 2);
        event_of(&mut receiver, "path", &comes);
        receiver.reserve(&comes, from, 1);
        event_of(&mut sender, "resv", &comes);
        family.remove(&net, own[1]);
        event_of(&mut receiver, "session-closed", &goes);
        // The reservation of the address that is gone is torn down, the other stands.
        event_of(&mut sender, "resv-gone", &goes);
        let rows = net.client("a").list("reservations");
        assert!(rows.iter().any(|row| row["session"] == *comes), "{rows:?}");
        assert!(rows.iter().all(|row| row["session"] != *goes), "{rows:?}");
    }
}

#[test]
fn what_is_at_any_address_is_of_one_family_or_both_and_is_given_up_as_a_whole() {
    let Some(net) = two_addresses("any address of a family") else { return };
    let mut receiver = net.client("b");
    open(&mut receiver, "udp 0.0.0.0:5000").expect("opened");
    assert_eq!(sessions_opened(&mut receiver), ["udp 10.0.1.2:5000", "udp 10.0.1.3:5000"]);
    open(&mut receiver, "udp *:5000").expect("opened");
    let opened = sessions_opened(&mut receiver);
    assert!(opened.iter().all(|session| session.contains('[')), "those of IPv4 were there: {opened:?}");
    assert!(!opened.iter().any(|session| session.contains("[::1]")), "nobody else can send there");
    let (mut sender, to) = (net.client("a"), session("10.0.1.3"));
    sender.send(&to, "10.0.1.1:4000", 1);
    event_of(&mut receiver, "path", &to);
    receiver.reserve(&to, "10.0.1.1:4000", 1);
    event_of(&mut sender, "resv", &to);
    // It is open as long as one of the two is.
    close(&mut receiver, "udp *:5000").expect("closed");
    assert_eq!(net.client("a").list("reservations").len(), 1);
    close(&mut receiver, "udp 0.0.0.0:5000").expect("closed");
    event_of(&mut sender, "resv-gone", &to);
    assert_eq!(close(&mut receiver, "udp *:5000").expect_err("it is closed")["code"], "not-found");
    eventually("nothing is open", || {
        let rows = net.client("b").list("sessions");
        rows.iter().all(|row| row["applications"] == 0).then_some(())
    });
    // A process that dies leaves nothing either.
    open(&mut receiver, "udp *:5000").expect("opened");
    receiver.reserve(&to, "10.0.1.1:4000", 1);
    event_of(&mut sender, "resv", &to);
    drop(receiver);
    event_of(&mut sender, "resv-gone", &to);
}

#[test]
fn a_session_that_was_opened_by_name_outlives_its_address() {
    let Some(net) = two_addresses("any address and a name") else { return };
    let mut receiver = net.client("b");
    let named = session("10.0.1.3");
    open(&mut receiver, &named).expect("opened");
    open(&mut receiver, "udp *:5000").expect("opened");
    FAMILIES[0].remove(&net, "10.0.1.3");
    event_of(&mut receiver, "session-closed", &named);
    let is_open = |net: &Net| net.client("b").list("sessions").iter().any(|row| row["session"] == *named);
    assert!(is_open(&net));
    close(&mut receiver, &named).expect("closed");
    assert!(!is_open(&net));
    // And one that is closed by name stays open for the socket at any address.
    let other = session("10.0.1.2");
    open(&mut receiver, &other).expect("opened");
    close(&mut receiver, &other).expect("closed");
    net.client("a").send(&other, "10.0.1.1:4000", 1);
    event_of(&mut receiver, "path", &other);
}

#[test]
fn recv_at_any_address_reserves_and_measures_at_each() {
    let Some(net) = two_addresses("rsvp recv at any address") else { return };
    let watch = Running::start(&net, "b", "watch --json");
    watch.until("beginning", |line| line["note"].is_string());
    let receiver = Running::start(&net, "b", "recv --address any --port 5000 --confirm --json");
    watch.until("session", |line| line["watched"]["event"] == "session-opened");
    for (to, from) in [("10.0.1.3:5000", "10.0.1.1:4000"), ("[fd00:1::2]:5000", "[fd00:1::1]:4000")] {
        let _sender = Running::start(&net, "a", &format!("send --to {to} --from {from} --rate 1mbit --json"));
        let confirmed = receiver.until("confirmation", is_event("resv-confirm"));
        assert_eq!(confirmed["session"], format!("udp {to}"));
        receiver.until("data", |line| line["from"] == from && line["report"]["packets"].as_u64() > Some(5));
    }
    let several = super::commands::run(&net, "b", &["recv", "--address", "anywhere", "--port", "5000"]);
    assert!(!several.0 && several.2.contains("`any` stands for each address of this host"), "{}", several.2);
}
