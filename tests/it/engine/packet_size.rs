//! Packets that an interface cannot carry: RFC 2205 Appendix B (01, sub-code 3), RFC 2210 section 2.3.2, RFC 2211 section 5. M
//! is judged whenever it, or the MTU, changes.

use super::bench::Bench;
use super::message::Arriving;
use super::words::interface;
use rsvp_node::Discard;
use rsvp_wire::{Flowspec, MsgType, RsvpHop};

/// A Path whose sender sends packets of up to M octets.
fn path(b: &Bench, text: &str, max_packet_size: u32) -> Arriving {
    b.message(text).with(|p| p.tspec.as_mut().expect("one").0.max_packet_size = max_packet_size)
}

/// A Resv for packets of up to M octets.
fn resv(b: &Bench, text: &str, max_packet_size: u32) -> Arriving {
    b.message(text).with(|m| {
        for (flowspec, _) in &mut m.flows.as_mut().expect("one").flows {
            let (Flowspec::ControlledLoad(t) | Flowspec::Guaranteed(t, _) | Flowspec::Null(t)) =
                flowspec.as_mut().expect("one");
            t.max_packet_size = max_packet_size;
        }
    })
}

/// M of what is installed on an interface.
#[track_caller]
fn installed(b: &Bench, letter: &str) -> u32 {
    let on = b.engine.reservations().find(|(_, on, _)| *on == interface(letter));
    on.expect("a reservation").2.flowspec.tspec().max_packet_size
}

/// The errors that were sent, and nothing else is looked at.
#[track_caller]
fn errs(b: &mut Bench, expected: &[&str]) {
    b.sent.retain(|s| s.msg_type() == MsgType::RESV_ERR);
    b.sends(expected);
}

/// A sender that may send larger packets than before makes a request too large that was harmless.
#[test]
fn a_path_that_makes_packets_too_large_is_answered_to_the_receiver() {
    for (style, services) in [("WF", "B"), ("SE S1", "B"), ("FF S1", "G")] {
        for mut b in Bench::both() {
            let text = format!("{style}{{4{services}}}");
            let ask = |b: &Bench| resv(b, &format!("c1 Resv {text}"), 1500);
            b.change("c", |i| i.mtu = 1400);
            b.takes(&path(&b, "a1 Path S1{9B}", 1000));
            b.takes(&ask(&b)).forget();
            assert_eq!(installed(&b, "c"), 1000);
            b.takes(&path(&b, "a1 Path S1{9B}", 1500));
            errs(&mut b, &[&format!("c>c1 ResvErr 01/0003 InPlace {text}")]);
            assert_eq!(installed(&b, "c"), 1000, "what stands is left in place");
            // Whoever goes on asking goes on being told, and goes on having it.
            for _ in 0..12 {
                let refresh = path(&b, "a1 Path S1{9B}", 1500);
                b.seconds(30.0).takes(&refresh).forget();
                b.drops(&ask(&b), Discard::Rejected);
                errs(&mut b, &[&format!("c>c1 ResvErr 01/0003 InPlace {text}")]);
            }
            assert_eq!(installed(&b, "c"), 1000);
            b.takes(&path(&b, "a1 Path S1{9B}", 1300));
            b.takes(&ask(&b));
            errs(&mut b, &[]);
            assert_eq!(installed(&b, "c"), 1300);
        }
    }
}

/// The same by another sender of a shared reservation.
#[test]
fn a_new_sender_of_larger_packets_makes_a_shared_request_too_large() {
    for mut b in Bench::both() {
        b.change("c", |i| i.mtu = 1400);
        b.takes(&path(&b, "a1 Path S1{2B}", 1000));
        b.takes(&resv(&b, "c1 Resv WF{4B}", 1500));
        b.takes(&resv(&b, "c2 Resv WF{4B}", 1400));
        b.takes(&resv(&b, "d1 Resv WF{4B}", 1500)).forget();
        b.takes(&path(&b, "b1 Path S2{2B}", 1500));
        errs(&mut b, &["c>c1 ResvErr 01/0003 InPlace WF{4B}"]);
        assert_eq!((installed(&b, "c"), installed(&b, "d")), (1000, 1500));
    }
}

/// Only what is asked for that sender.
#[test]
fn a_request_for_other_senders_is_none_of_its_business() {
    for mut b in Bench::both() {
        b.change("c", |i| i.mtu = 1400);
        for text in ["a1 Path S1{9B}", "b1 Path S2{9B}"] {
            b.takes(&path(&b, text, 1000));
        }
        b.takes(&resv(&b, "c1 Resv FF S1{4B} S2{5B}", 1500));
        b.takes(&resv(&b, "c2 Resv FF S1{3B}", 1500)).forget();
        b.takes(&path(&b, "b1 Path S2{9B}", 1500));
        errs(&mut b, &["c>c1 ResvErr 01/0003 InPlace FF S2{5B}"]);
    }
}

/// An interface whose MTU shrinks below what is reserved cannot keep it.
#[test]
fn a_smaller_mtu_ends_what_cannot_be_carried_any_more() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{4B}").hears("d1 Resv WF{4B}").forget();
        b.change("c", |i| i.mtu = 1400);
        b.sends(&["c>c1 ResvErr 01/0003 WF{4B}"]).installs(&["d WF{4B}"]);
        b.drops(&b.message("c1 Resv WF{4B}"), Discard::Rejected).sends(&["c>c1 ResvErr 01/0003 WF{4B}"]);
        b.change("d", |i| i.mtu = 1499);
        b.sends(&["d>d1 ResvErr 01/0003 WF{4B}", "a>a1 ResvTear WF{4B}"]).installs(&[]);
        b.takes(&resv(&b, "c1 Resv WF{4B}", 1400)).installs(&["c WF{4B,M1400}"]);
    }
}

/// A sender on this node counts like any other.
#[test]
fn a_smaller_mtu_is_noticed_where_the_sender_is_here() {
    for mut b in Bench::both() {
        b.announces(1, "C0").hears("c1 Resv WF{4B}").forget();
        b.change("c", |i| i.mtu = 1400);
        b.sends(&["c>c1 ResvErr 01/0003 WF{4B}"]).installs(&[]).tells(&["1 ResvGone WF"]);
    }
}

/// What fits stays, and so does what is smaller than the senders' packets.
#[test]
fn a_smaller_mtu_does_not_touch_what_fits() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}");
        b.takes(&resv(&b, "c1 Resv WF{4B}", 1000));
        b.takes(&resv(&b, "c2 Resv WF{2B}", 1500)).forget();
        b.change("c", |i| i.mtu = 1200);
        b.sends(&["c>c2 ResvErr 01/0003 InPlace WF{2B}"]).installs(&["c WF{4B,M1000}"]);
        b.change("c", |i| i.mtu = 1100).is_silent();
        b.change("c", |i| i.mtu = 1500).is_silent();
        b.hears("c1 ResvTear WF").installs(&["c WF{2B,M1000}"]).forget();
        b.takes(&resv(&b, "c2 Resv WF{2B}", 1500));
        assert_eq!(installed(&b, "c"), 1500);
        assert_eq!(b.sends_one("a>a1 Resv WF{2B}").get::<RsvpHop>().address, b.family.named("a0"));
    }
}

/// There may be more state than is looked at in one go.
#[test]
fn a_smaller_mtu_is_noticed_in_every_session() {
    for mut b in Bench::unicast() {
        for port in 1..=600 {
            b.session = rsvp_wire::Session::new(b.session.destination(), 17, port);
            b.hears("a1 Path S1{0.001B}").hears("c1 Resv FF S1{0.001B}");
        }
        b.forget().change("c", |i| i.mtu = 1400).pass(core::time::Duration::ZERO).installs(&[]);
        assert_eq!(b.sent.iter().filter(|s| s.msg_type() == MsgType::RESV_ERR).count(), 600);
    }
}
