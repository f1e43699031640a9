//! Flows of other programs, held by `rsvp announce` and `rsvp reserve`: any protocol, and the data is not theirs.

use super::super::commands::{CONFIG, Running, is_event, rows, run};
use super::super::eventually;
use super::super::net::Net;
use super::kernel;
use nix::sys::signal::Signal;
use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{Read, Write};
use std::net::SocketAddr;

/// `a` - `r` - `b` with daemons, of which the router's enforces.
fn three(test: &str) -> Option<Net> {
    let mut net = Net::three_in_a_row(test)?;
    let router = kernel("auto", "refresh = \"1s\"\n");
    [("a", CONFIG), ("r", router.as_str()), ("b", CONFIG)]
        .iter()
        .for_each(|(node, config)| net.daemon(node, config));
    Some(net)
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Packets of the only flow that the router has.
fn counted(net: &Net) -> u64 {
    rows(net, "r", "flows")[0]["packets"].as_u64().expect("a count")
}

#[test]
fn a_tcp_connection_of_another_program_is_in_its_flow() {
    let Some(net) = three("rsvp announce and reserve for TCP") else { return };
    let listener = net.within("b", || std::net::TcpListener::bind("10.0.2.2:8080").expect("a listener"));
    let reserving = Running::start(&net, "b", "reserve --session tcp|10.0.2.2:8080 --confirm --json");
    let announcing = Running::start(
        &net,
        "a",
        "announce --session tcp|10.0.2.2:8080 --from 10.0.1.1:40000 --rate 2mbit --json",
    );
    announcing.until("a reservation", is_event("resv"));
    reserving.until("a confirmation", is_event("resv-confirm"));
    eventually("the flow", || (rows(&net, "r", "flows").len() == 1).then_some(()));
    assert_eq!(counted(&net), 0, "neither command sends anything of its own");

    let mut there = net.within("a", || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&address("10.0.1.1:40000").into()).expect("bound");
        socket.connect(&address("10.0.2.2:8080").into()).expect("connected");
        std::net::TcpStream::from(socket)
    });
    let (mut here, _) = listener.accept().expect("a caller");
    there.write_all(b"of another program").expect("sent");
    let mut got = [0; 18];
    here.read_exact(&mut got).expect("received");
    // SYN, the ACK of its answer, and the data.
    eventually("three packets of the flow", || (counted(&net) >= 3).then_some(()));

    // What is held goes with the command that holds it.
    reserving.signal(Signal::SIGTERM);
    announcing.until("the end of the reservation", is_event("resv-gone"));
    eventually("no flow", || rows(&net, "r", "flows").is_empty().then_some(()));
    announcing.signal(Signal::SIGINT);
    announcing
        .until("its last word", |line| line["note"].as_str().is_some_and(|note| note.contains("withdrawn")));
    eventually("no sender", || rows(&net, "r", "senders").is_empty().then_some(()));
}

#[test]
fn a_protocol_without_ports_can_be_held() {
    let Some(net) = three("rsvp announce and reserve for GRE") else { return };
    let _announcing = Running::start(
        &net,
        "a",
        "announce --session proto47|10.0.2.2 --from 10.0.1.1 --rate 2mbit --max-packet 1400B --for 5min --json",
    );
    let reserving = Running::start(
        &net,
        "b",
        "reserve --session proto47|10.0.2.2 --style wf --confirm --for 5min --json",
    );
    reserving.until("a confirmation", is_event("resv-confirm"));
    eventually("the flow", || (rows(&net, "r", "flows").len() == 1).then_some(()));
    let raw = net.within("a", || {
        Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(47))).expect("a raw socket")
    });
    for _ in 0..5 {
        raw.send_to(&[0; 100], &address("10.0.2.2:0").into()).expect("sent");
    }
    eventually("five packets of the flow", || (counted(&net) == 5).then_some(()));
}

/// A security association (RFC 2207): ESP of one index is of the flow, and of another is not.
#[test]
fn a_security_association_can_be_held() {
    let Some(net) = three("rsvp announce and reserve for ESP") else { return };
    let session = "--session esp|10.0.2.2:8192";
    let from = "--from 10.0.1.1|spi|0x1234 --rate 2mbit --max-packet 1400B";
    let _announcing = Running::start(&net, "a", &format!("announce {session} {from} --json"));
    let reserving = Running::start(&net, "b", &format!("reserve {session} --confirm --json"));
    reserving.until("a confirmation", is_event("resv-confirm"));
    eventually("the flow", || (rows(&net, "r", "flows").len() == 1).then_some(()));
    assert_eq!(rows(&net, "r", "flows")[0]["filters"], serde_json::json!(["10.0.1.1 spi 0x1234"]));
    let raw = net.within("a", || {
        Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(50))).expect("a raw socket")
    });
    for index in [0x1234_u32, 0x1235, 0x1234] {
        let octets = [&index.to_be_bytes()[..], &[0; 96]].concat();
        raw.send_to(&octets, &address("10.0.2.2:0").into()).expect("sent");
    }
    eventually("two packets of the flow", || (counted(&net) == 2).then_some(()));
}

#[test]
fn what_cannot_be_held_is_said_and_ends_the_command() {
    let Some(net) = three("rsvp announce and reserve that cannot be") else { return };
    let cases: [(&str, &[&str], &str); 4] = [
        (
            "a",
            &["announce", "--session", "udp 10.0.2.2", "--from", "10.0.1.1:4000", "--rate", "2mbit"],
            "a port",
        ),
        (
            "a",
            &["announce", "--session", "udp 10.0.2.2:5000", "--from", "10.9.9.9:4000", "--rate", "2mbit"],
            "10.9.9.9",
        ),
        (
            "a",
            &[
                "announce",
                "--session",
                "udp 10.0.2.2:5000",
                "--from",
                "10.0.1.1:4000",
                "--rate",
                "2mbit",
                "--peak",
                "1mbit",
            ],
            "--peak",
        ),
        (
            "b",
            &["reserve", "--session", "udp 10.0.2.2:5000", "--style", "wf", "--filter", "10.0.1.1:4000"],
            "--style se",
        ),
    ];
    for (node, arguments, words) in cases {
        let (done, _, complaint) = run(&net, node, arguments);
        assert!(!done && complaint.contains(words), "{arguments:?}: {complaint}");
    }
    let none: Vec<Value> = rows(&net, "a", "senders");
    assert!(none.is_empty(), "{none:?}");
}
