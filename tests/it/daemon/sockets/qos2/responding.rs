//! The responder: who asks without a cookie, with a forged one or in any other way gets no more octets than it has sent.

use super::super::super::capture::frames;
use super::{Bed, bound, eventually};
use rsvpd::probe::responder::Responder;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const PORT: u16 = 16_980;
const RESPONDER: &str = "[data_plane]\nkind = \"none\"\n[responder]\nenabled = true\n";

/// A message as the published layout has it: kind, cookie, and so many octets.
fn message(kind: u8, cookie: u64, octets: usize) -> Vec<u8> {
    let mut message = b"rsvp".to_vec();
    message.extend([kind, 0, 0, 0]);
    message.extend(cookie.to_be_bytes());
    message.extend([0, 0, 0, 1, 0, 1, 0, 0]);
    message.resize(octets, 0);
    message
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a responder counts from when it began")]
fn a_question_is_never_shorter_than_its_answer() {
    let now = Instant::now();
    let mut responder = Responder::new(now);
    let from: SocketAddr = "10.0.1.1:4000".parse().expect("an address");
    let mut answer = |octets: &[u8]| responder.answer(octets, from, Duration::ZERO, now);
    assert_eq!(answer(&message(1, 0, 24)), None, "a wish for a cookie that is as short as one");
    let given = answer(&message(1, 0, 64)).expect("a cookie");
    assert_eq!((given.len(), given[4]), (24, 2));
    let cookie = u64::from_be_bytes(given[8..16].try_into().expect("eight octets"));
    assert_eq!(answer(&message(3, cookie ^ 1, 64)), None, "a forged one");
    assert_eq!(answer(&message(3, cookie, 64)).expect("an echo")[4], 4);
    for _ in 0..100 {
        assert_eq!(answer(&message(5, cookie, 1_372)), None, "a packet of a train has no answer");
    }
    assert_eq!(answer(&message(6, cookie, 64)), None, "a question for a train that is too short");
    let came = answer(&message(6, cookie, 1_372)).expect("what came");
    assert!(came.len() > 64 && came.len() <= 1_372, "{} octets", came.len());
}

#[test]
fn nobody_is_sent_more_than_was_sent_in_its_name() {
    let Some(mut net) = super::Hosts::linked("amplification") else { return };
    net.daemon("b", RESPONDER);
    net.daemon("a", super::KERNEL);
    let capture = net.capture_many("b", "to-a", "udp port 16980");
    let receiver = bound(&net, "b", super::PEER);
    let bed = Bed { hosts: super::Hosts::of(net), capture, _receiver: receiver };
    let socket = bound(bed.net(), "a", "0.0.0.0:0");
    socket.connect(SocketAddr::from(([10, 0, 1, 2], PORT))).expect("a route");
    let mut sent = 0;
    for n in 0..4_000_u64 {
        // All kinds, all lengths that there are around the bounds.
        let octets = [23, 24, 63, 64, 65, 400, 1_371, 1_372][(n / 9) as usize % 8];
        let mut probe = message((n % 9) as u8, n, octets.max(24));
        probe.truncate(octets);
        sent += usize::from(socket.send(&probe).is_ok());
    }
    let port = socket.local_addr().expect("a name").port();
    let (there, back) = eventually("all of it", || {
        let (mut there, mut back, mut count) = (0_u64, 0_u64, 0);
        for (.., frame) in frames(&bed.capture.file) {
            let two = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
            if frame.len() >= 38 && two(34) == port {
                there += u64::from(two(16));
                count += 1;
            } else if frame.len() >= 38 && two(36) == port {
                back += u64::from(two(16));
            }
        }
        (count >= sent).then_some((there, back))
    });
    println!("{there} octets asked for {back}");
    assert!(back > 0, "who wishes for a cookie has one");
    assert!(back <= there, "{back} octets for {there}");
}
