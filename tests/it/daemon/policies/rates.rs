//! Rates and weights (C3, C15, C18): of all sockets of a policy together, by unmodified `iperf3`.

use super::super::plane::seen::{Seen, amount, seen};
use super::*;
use std::process::Child;

impl Site {
    /// An iperf3 server at `b`.
    fn receives(&mut self, port: u16) {
        let mut server = self.net.command("b", "iperf3");
        server.args(["-s", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        self.net.others.push(server.spawn().expect("iperf3 is installed"));
        self.listens_at(port);
    }

    fn sender(&self, port: u16, more: &[&str]) -> Child {
        let mut client = self.net.command("a", "iperf3");
        client.args(["-c", SERVER, "-p", &port.to_string(), "-t", "4"]).args(more);
        client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("iperf3 runs")
    }
}

/// Bits per second of IP from one side, of the middle of a capture.
fn rate_of(packets: &[Seen], is_wanted: impl Fn(&Seen) -> bool) -> f64 {
    let all: Vec<&Seen> = packets.iter().filter(|packet| is_wanted(packet)).collect();
    let (first, last) = (all.first().expect("packets").at, all.last().expect("packets").at);
    let edge = (last - first) / 5;
    let middle: Vec<Seen> =
        all.into_iter().filter(|p| p.at > first + edge && p.at < last - edge).copied().collect();
    let (octets, seconds) = amount(&middle);
    octets as f64 * 8.0 / seconds
}

#[test]
fn four_connections_of_iperf3_have_the_rate_of_their_policy_together() {
    let Some(mut site) = Site::new("policies_rate") else { return };
    site.say("a", "rate", &policy("rate", "app = \"iperf3\"", "rate = \"8mbit\", dscp = \"le\""));
    site.receives(5201);
    let capture = site.captures();
    let mut client = site.sender(5201, &["-P", "4"]);
    assert!(client.wait().expect("it ends").success(), "{}", site.net.log("a"));
    let packets = seen(&capture, 5201);
    let rate = rate_of(&packets, |packet| packet.ports.1 == 5201);
    assert!((7.4e6..8.3e6).contains(&rate), "{rate}");
    assert_eq!(dscps(&packets, 5201), [1]);
    // What comes in is not held to it.
    let capture = site.net.capture_many("a", "to-b", "port 5201");
    let mut client = site.sender(5201, &["-R"]);
    assert!(client.wait().expect("it ends").success());
    let packets = seen(&capture, 5201);
    let rate = rate_of(&packets[..], |packet| packet.ports.0 == 5201);
    assert!(rate > 16e6, "{rate}");
}

#[test]
fn weights_share_a_link_that_is_full() {
    let Some(mut site) = Site::without_daemon("policies_weights") else { return };
    let config = site.config("a", "").replace("100mbit", "20mbit");
    site.net.daemon_with_cgroups("a", &config);
    let text = [
        policy("much", "protocol = \"tcp\", remote_port = 5202", "weight = 60"),
        policy("little", "protocol = \"tcp\", remote_port = 5203", "weight = 20"),
    ];
    site.say("a", "weights", &text.concat());
    site.receives(5202);
    site.receives(5203);
    site.receives(5204);
    // What TCP hands down at once counts as one packet, however large.
    site.net.exec("a", &["ip", "link", "set", "to-b", "gso_max_segs", "1"]);
    let capture = site.net.capture_many("b", "to-a", "tcp");
    let clients = [5202, 5203, 5204].map(|port| site.sender(port, &["-t", "6"]));
    for mut client in clients {
        assert!(client.wait().expect("it ends").success());
    }
    let of = |port: u16| rate_of(&seen(&capture, port), |packet| packet.ports.1 == port);
    let (much, little, rest) = (of(5202), of(5203), of(5204));
    let all = much + little + rest;
    for (found, expected) in [(much / all, 0.6), (little / all, 0.2), (rest / all, 0.2)] {
        assert!((found - expected).abs() < 0.1, "{much} {little} {rest}");
    }
}
