//! Ten thousand policies, read and put in force while packets are sent.

use super::super::plane::seen::seen;
use super::*;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn ten_thousand_policies_are_switched_without_a_packet_that_has_no_mark() {
    let Some(mut site) = Site::new("policies_many") else { return };
    let text = |generation: usize| {
        let mut text =
            policy("ours", "remote_port = \"7900:7909\"", &format!("dscp = {}", 10 + 2 * generation));
        for number in 0..9_999 {
            let (high, low) = (number / 250, number % 250);
            write!(
                text,
                "{}",
                policy(
                    &format!("p{number}"),
                    &format!("remote = \"10.{}.{high}.{low}\"", 20 + generation),
                    "dscp = 8"
                )
            )
            .expect("a text");
        }
        text
    };
    let report = site.say("a", "all", &text(0));
    assert_eq!(
        (report["policies"].as_array().map(Vec::len), report["complaints"].clone()),
        (Some(10_000), json!([]))
    );
    let capture = site.net.capture_many("b", "to-a", "udp");
    sends(&site.net, "10.0.1.1:0", &format!("{SERVER}:7899"));
    let is_over = AtomicBool::new(false);
    let sent = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            site.net.within("a", || {
                let mut sent = 0u64;
                // A new endpoint for each datagram: each asks the rules.
                while !is_over.load(Ordering::Relaxed) {
                    let socket = UdpSocket::bind("10.0.1.1:0").expect("a socket");
                    socket.send_to(b"hello", (SERVER, 7900 + (sent % 10) as u16)).expect("sent");
                    sent += 1;
                }
                sent
            })
        });
        for generation in 1..4 {
            site.say("a", "all", &text(generation % 2));
        }
        is_over.store(true, Ordering::Relaxed);
        sender.join().expect("it ends")
    });
    let packets = eventually("all of them", || {
        let all: Vec<Seen> = (7900..7910).flat_map(|port| seen(&capture, port)).collect();
        (all.len() as u64 >= sent).then_some(all)
    });
    let mut marks: Vec<u8> = packets.iter().map(Seen::dscp).collect();
    marks.sort_unstable();
    marks.dedup();
    assert!(sent > 100, "{sent}");
    assert_eq!(marks, [10, 12]);
}
