//! Killed with SIGKILL, which nothing can prepare for: the receiver's program, and a daemon in the middle.

use super::commands::{Running, is_event};
use super::eventually;
use super::net::Net;
use nix::sys::signal::Signal;
use rsvp_wire::MsgType;

const SESSION: &str = "udp 10.0.3.2:5000";
const SENDER: &str = "10.0.1.1:4000";

#[test]
fn a_killed_program_takes_its_reservation_along_the_whole_path() {
    let Some(mut net) = Net::four_in_a_row("a killed receiver") else { return };
    let wires = [net.capture("r", "to-a"), net.capture("r", "to-q"), net.capture("q", "to-b")];
    // R is 30 s: what is not torn down lives for longer than anything here waits (RFC 2205 section 3.7).
    for node in ["a", "r", "q", "b"] {
        net.daemon(node, "[interfaces]\nbandwidth = \"10mbit\"\n");
    }
    let sending = format!("send --to 10.0.3.2:5000 --from {SENDER} --rate 2mbit --json");
    let sender = Running::start(&net, "a", &sending);
    net.client("b").until("senders", 1);
    let receiver = Running::start(&net, "b", "recv --port 5000 --confirm --json");
    receiver.until("confirmation", is_event("resv-confirm"));
    sender.until("reservation", is_event("resv"));
    for node in ["a", "r", "q"] {
        assert_eq!(net.client(node).list("reservations").len(), 1, "{node}");
    }
    assert!(wires.iter().all(|wire| wire.of(MsgType::RESV_TEAR).is_empty()));

    receiver.signal(Signal::SIGKILL);
    sender.until("end of the reservation", is_event("resv-gone"));
    for node in ["a", "r", "q"] {
        assert!(net.client(node).list("reservations").is_empty(), "{node}");
    }
    // From hop to hop, one each; and the sender goes on announcing.
    for (wire, from, to) in [
        (&wires[2], "10.0.3.2", "10.0.3.1"),
        (&wires[1], "10.0.2.2", "10.0.2.1"),
        (&wires[0], "10.0.1.2", "10.0.1.1"),
    ] {
        let tear = wire.first(MsgType::RESV_TEAR);
        assert_eq!((tear.source.to_string(), tear.destination.to_string()), (from.to_owned(), to.to_owned()));
        assert_eq!(wire.of(MsgType::RESV_TEAR).len(), 1);
    }
    assert_eq!(net.client("q").list("senders").len(), 1);
}

/// A daemon without memory needs a Path to know the flow, then a Resv to reserve for it. Neighbours send each at most 1.5 R
/// after the one before (RFC 2205 section 3.7), so it has both within 3 R. How long that takes on a busy machine is no
/// matter of protocol; that neither of the two messages is let pass unused is.
#[test]
fn a_killed_daemon_has_its_reservation_back_within_three_refresh_periods() {
    let config = "[interfaces]\nbandwidth = \"10mbit\"\nrefresh = \"1s\"\n";
    let Some(mut net) = Net::four_in_a_row("a killed daemon in the middle") else { return };
    for node in ["a", "r", "q", "b"] {
        net.daemon(node, config);
    }
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    a.send(SESSION, SENDER, 2);
    b.event_after_reserving(SESSION, SENDER, 1, "resv-confirm");
    net.signal("q", Signal::SIGKILL);
    net.ended("q");
    let (up, down) = (net.capture("r", "to-q"), net.capture("b", "to-q"));
    net.daemon("q", config);
    let answering = up.packets().len();
    let reserved = net.client("q").until("reservations", 1).remove(0);
    assert_eq!((&reserved["session"], &reserved["interface"]), (&SESSION.into(), &"to-b".into()));

    // The first Path that came when it could answer was taken, and went on.
    let paths = || up.packets().into_iter().skip(answering).filter(|p| p.kind == MsgType::PATH);
    let path = eventually("a Path", || down.of(MsgType::PATH).into_iter().next());
    assert!(paths().filter(|p| p.at < path.at).count() <= 1, "a Path was passed over");
    // So was the first Resv after that: it was asked on before there was a third. The second comes soon (R/16) after what is new.
    let resv = eventually("a Resv", || up.of(MsgType::RESV).into_iter().next());
    let heard = || down.of(MsgType::RESV).into_iter().filter(|p| p.at > path.at && p.at < resv.at).count();
    // One that came while it started waited for it: then there is none in between.
    assert!(heard() <= 2, "a Resv was passed over");
}
