//! What `rsvp send` and `recv` make of what the other side says: services, the largest packet, the peak rate
//! (RFC 2210 sections 2.2 and 2.3.2, RFC 2212).

use super::commands::{CONFIG, Running, is_event, rows, run};
use super::net::Net;
use serde_json::Value;

/// Of each family: where data goes, its host at `b`, and where it is from.
const FLOWS: [[&str; 3]; 2] =
    [["10.0.2.2:5000", "10.0.2.2", "10.0.1.1:4000"], ["[fd00:2::2]:5000", "fd00:2::2", "[fd00:1::1]:4000"]];

fn network(test: &str) -> Option<Net> {
    let mut net = Net::three_in_a_row(test)?;
    for node in ["a", "r", "b"] {
        net.daemon(node, CONFIG);
    }
    Some(net)
}

fn says(words: &str) -> impl Fn(&Value) -> bool {
    move |line| line["note"].as_str().is_some_and(|note| note.contains(words))
}

#[test]
fn a_service_that_the_sender_leaves_out_is_not_reserved() {
    let Some(net) = network("a service that is left out") else { return };
    for [to, host, from] in FLOWS {
        for (offered, left_out, wanted) in [
            ("guaranteed", "controlled-load", "guaranteed"),
            ("controlled-load", "guaranteed", "controlled-load"),
        ] {
            let send = format!("send --to {to} --from {from} --rate 1mbit --adspec {offered} --json");
            let _sender = Running::start(&net, "a", &send);
            let insists = ["recv", "--address", host, "--port", "5000", "--service", left_out];
            let (done, _, why) = run(&net, "b", &insists);
            assert!(!done && why.contains("cannot reserve"), "{why}");
            assert!(why.contains(from) && why.contains(&format!("--service {offered}")), "{why}");
            assert!(rows(&net, "r", "reservations").is_empty());
            let receiver =
                Running::start(&net, "b", &format!("recv --address {host} --port 5000 --confirm --json"));
            if wanted == "guaranteed" {
                receiver.until("choice", says("leaves Controlled-Load out"));
            }
            receiver.until("confirmation", is_event("resv-confirm"));
            let reserved = rows(&net, "r", "reservations");
            assert_eq!(reserved[0]["flowspec"]["service"], wanted, "{reserved:?}");
        }
    }
}

#[test]
fn a_sender_says_when_receivers_ask_for_what_it_left_out() {
    let Some(net) = network("a receiver that does not listen") else { return };
    let sender = Running::start(
        &net,
        "a",
        "send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 1mbit --adspec guaranteed --json",
    );
    sender.until("announcement", says("announced"));
    let mut other = net.client("b");
    other.reserve("udp 10.0.2.2:5000", "10.0.1.1:4000", 1);
    sender.until("remark", says("which --adspec leaves out"));
}

/// The octets of the packets that a receiver reports on, with headers.
fn size(receiver: &Running) -> f64 {
    let report = receiver.until("packets", |line| line["report"]["packets"].as_u64() > Some(5));
    let (bps, packets) = (&report["report"]["throughput_bps"], &report["report"]["packets"]);
    // Over about a second: what is sent at a time is of one size, so that the quotient is near it.
    bps.as_f64().expect("bit/s") / 8.0 / packets.as_f64().expect("packets")
}

#[test]
fn packets_fit_what_is_reserved() {
    let Some(net) = network("the largest packet that is reserved for") else { return };
    for [to, host, from] in FLOWS {
        let send = format!("send --to {to} --from {from} --rate 1mbit --json");
        let sender = Running::start(&net, "a", &send);
        let recv = format!("recv --address {host} --port 5000 --max-packet 600B --min-packet 100B --json");
        let receiver = Running::start(&net, "b", &recv);
        sender.until("smaller packets", says("packets have 600B"));
        let size = size(&receiver);
        assert!((500.0..700.0).contains(&size), "{size}");
        drop(receiver);
        sender.until("end of the reservation", is_event("resv-gone"));
        let _whole = Running::start(&net, "b", &format!("recv --address {host} --port 5000 --json"));
        sender.until("larger packets", says("packets have 1500B"));
    }
}

#[test]
fn packets_of_a_size_that_was_given_stay_and_it_is_said_once() {
    let Some(net) = network("a packet size that was given") else { return };
    let send = "send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 1mbit --max-packet 1000B --json";
    let sender = Running::start(&net, "a", send);
    let recv = "recv --address 10.0.2.2 --port 5000 --max-packet 600B --min-packet 100B --json";
    let warning = says("packets of 1000B are larger than the 600B");
    let receiver = Running::start(&net, "b", recv);
    sender.until("warning", &warning);
    let size = size(&receiver);
    assert!((900.0..1100.0).contains(&size), "{size}");
    drop(receiver);
    sender.until("end of the reservation", is_event("resv-gone"));
    let _receiver = Running::start(&net, "b", recv);
    // Nothing is said the second time before the data flows.
    sender.until("data", |line| {
        assert!(!warning(line), "{line}");
        line["packets"].as_u64() > Some(5)
    });
}

#[test]
fn a_peak_below_the_rate_is_refused_as_an_argument() {
    let Some(net) = network("a peak below the rate") else { return };
    for [to, host, from] in FLOWS {
        let send = ["send", "--to", to, "--from", from, "--rate", "2mbit", "--peak", "1mbit", "--for", "1s"];
        let recv = [
            "recv",
            "--address",
            host,
            "--port",
            "5000",
            "--rate",
            "2mbit",
            "--peak",
            "1mbit",
            "--for",
            "1s",
        ];
        for (node, arguments) in [("a", &send), ("b", &recv)] {
            let (done, _, complaint) = run(&net, node, arguments);
            assert!(!done && complaint.contains("1Mbit/s") && complaint.contains("2Mbit/s"), "{complaint}");
        }
    }
    // By the rate that is announced, too.
    let _sender =
        Running::start(&net, "a", "send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 2mbit --json");
    let (done, _, complaint) =
        run(&net, "b", &["recv", "--address", "10.0.2.2", "--port", "5000", "--peak", "1mbit"]);
    assert!(!done && complaint.contains("--peak 1Mbit/s is less than the token rate 2Mbit/s"), "{complaint}");
}
