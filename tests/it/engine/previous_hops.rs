//! Several previous hops of one sender in multicast: RFC 2205 sections 3.1.3 (two routers that forward to one LAN, or a host
//! that hears a sender on two), 3.6 and 3.9; and this node's own Path, come back.

use super::bench::Bench;
use super::words::interface;
use rsvp_node::{AppId, Command, Discard};
use rsvp_wire::{FilterSpec, MsgType, SenderTemplate};

/// Two routers on the LAN of interface a forward the Path of S1; there is a reservation.
fn two_routers(flows: &str) -> [Bench; 2] {
    Bench::both().map(|mut b| {
        b.hears("a1 Path S1{9B}").hears(&format!("c1 Resv {flows}")).forget();
        b.hears("a2 Path S1{9B}");
        b
    })
}

/// How many Paths left through an interface.
fn paths(b: &Bench, letter: &str) -> usize {
    let on = |s: &&super::sent::Sent| s.interface == interface(letter) && s.msg_type() == MsgType::PATH;
    b.sent.iter().filter(on).count()
}

/// RFC 2205 sections 3.1.3 and 3.6: state of both is kept, and the new one gets a Resv at once.
#[test]
fn a_new_previous_hop_on_the_same_lan_gets_its_resv_at_once() {
    for flows in ["WF{4B}", "FF S1{4B}", "SE S1{4B}"] {
        for mut b in two_routers(flows) {
            b.sends(&["c>G Path S1{9B}", "d>G Path S1{9B}", &format!("a>a2 Resv {flows}")]);
            assert_eq!(b.engine.senders().count(), 2);
        }
    }
}

/// Nothing is new when they take turns: nothing is sent again, and blockade state stands.
#[test]
fn previous_hops_that_alternate_are_not_new() {
    for flows in ["WF{4B}", "FF S1{4B}", "SE S1{4B}"] {
        for mut b in two_routers(flows) {
            b.hears(&format!("a1 ResvErr 01/0002 {flows}")).forget();
            for path in ["a1 Path S1{9B}", "a2 Path S1{9B}"].repeat(5) {
                b.hears(path).is_silent();
            }
            assert_eq!(b.engine.blockades().count(), 1);
            b.seconds(46.0);
            assert_eq!(
                b.sent.iter().filter(|s| s.interface == interface("a")).count(),
                2,
                "a refresh to each"
            );
            assert!(paths(&b, "c") <= 2);
        }
    }
}

/// RFC 2205 section 2.2: a sender counts once, by what it said last.
#[test]
fn a_sender_with_several_previous_hops_counts_once() {
    for mut b in two_routers("WF{40B}") {
        b.reservable("c", 100).hears("c1 Resv WF{40B}").installs(&["c WF{9B}"]).forget();
        b.hears("a1 Path S1{7B}").installs(&["c WF{7B}"]);
        b.sent.retain(|s| s.msg_type() == MsgType::PATH);
        b.sends(&["c>G Path S1{7B}", "d>G Path S1{7B}"]);
        b.hears("a2 Path S1{9B}").installs(&["c WF{7B}"]);
        b.hears("a2 Path S1{6B}").installs(&["c WF{6B}"]);
        let police = b.engine.reservations().next().expect("one").2.police;
        assert!(!police.merge, "nor is it several senders");
        b.hears("b1 Path S2{2B}").installs(&["c WF{8B,b2}"]);
    }
}

/// RFC 2205 section 3.1.5: as long as one announces the sender, nothing is torn down further on.
#[test]
fn the_end_of_one_previous_hop_leaves_the_sender_to_the_other() {
    for (first, last) in [("a1", "a2"), ("a2", "a1")] {
        for mut b in two_routers("FF S1{4B}") {
            b.forget().hears(&format!("{first} PathTear S1"));
            b.sent.retain(|s| s.msg_type() != MsgType::PATH);
            b.is_silent().installs(&["c FF S1{4B}"]);
            assert_eq!(b.engine.senders().count(), 1);
            b.hears("c1 Resv FF S1{5B}").sends(&[&format!("a>{last} Resv FF S1{{5B}}")]);
            b.hears(&format!("{first} Path S1{{9B}}")).forget();
            b.hears(&format!("{first} PathTear S1")).forget();
            b.hears(&format!("{last} PathTear S1")).sends(&["c>G PathTear S1", "d>G PathTear S1"]).is_empty();
        }
    }
}

/// RFC 2205 section 3.6: one that went away without a word is forgotten when its state times out, and nobody notices.
#[test]
fn a_previous_hop_that_falls_silent_is_forgotten() {
    for mut b in two_routers("FF S1{4B}") {
        b.opens(1).forget();
        for _ in 0..8 {
            b.seconds(29.0);
            b.hears("a2 Path S1{9B}").hears("c1 Resv FF S1{4B}");
        }
        assert!(b.sent.iter().all(|s| matches!(s.msg_type(), MsgType::PATH | MsgType::RESV)));
        assert_eq!(b.engine.senders().count(), 1);
        b.tells(&[]).installs(&["c FF S1{4B}"]);
        let left = b.engine.senders().next().expect("one");
        assert_eq!(left.previous_hop, Some(b.family.named("a2")));
        // The sender has something new to say, and says it by the way it has now.
        b.forget().hears("a2 Path S1{8B}").sends(&["c>G Path S1{8B}", "d>G Path S1{8B}"]);
    }
}

/// RFC 2205 section 3.6: what the sender says by the new way goes on although the old one has not timed out.
#[test]
fn the_latest_news_of_a_sender_goes_on() {
    for mut b in two_routers("WF{4B}") {
        b.forget().hears("a2 Path S1{8B}").sends(&["c>G Path S1{8B}", "d>G Path S1{8B}"]);
        b.seconds(46.0).sent.retain(|s| s.msg_type() == MsgType::PATH);
        assert!(b.sent.iter().all(|s| s.name().ends_with("Path S1{8B}")));
    }
}

/// RFC 2205 section 3.11.1: an application hears of a sender once.
#[test]
fn an_application_hears_of_a_sender_once() {
    for mut b in Bench::both() {
        b.opens(1).hears("a1 Path S1{9B}").hears("a2 Path S1{9B}").tells(&["1 Path S1{9B}"]);
        b.hears("a2 Path S1{8B}").tells(&["1 Path S1{8B}"]);
        b.hears("a2 PathTear S1").tells(&["1 Path S1{9B}"]);
        b.hears("a1 PathTear S1").tells(&["1 PathGone S1 Torn"]);
    }
}

/// RFC 2205 section 3.9: where routing does not say where the data of a sender arrives, it may be either of two interfaces:
/// both are asked, and the sender is one all the same.
#[test]
fn a_sender_heard_on_two_interfaces_counts_once_and_is_forwarded_once() {
    for mut b in Bench::both() {
        b.route("S1", None, "cd").reservable("c", 100).hears("a1 Path S1{4B}").forget();
        b.hears("b1 Path S1{4B}").sends(&["c>G Path S1{4B}", "d>G Path S1{4B}"]);
        b.hears("c1 Resv WF{9B}").installs(&["c WF{4B}"]);
        b.sends(&["a>a1 Resv WF{9B}", "b>b1 Resv WF{9B}"]);
        for _ in 0..4 {
            b.seconds(15.0).hears("a1 Path S1{4B}").hears("b1 Path S1{4B}");
        }
        // R is 30 s, and no two refreshes are closer than half of that.
        assert!(paths(&b, "c") <= 4, "{} Paths in a minute", paths(&b, "c"));
        b.forget()
            .hears("b1 PathTear S1")
            .sends(&["c>G Path S1{4B}", "d>G Path S1{4B}"])
            .installs(&["c WF{4B}"]);
        b.hears("a1 PathTear S1").sends(&["c>G PathTear S1", "d>G PathTear S1"]).is_empty();
    }
}

/// RFC 2205 section 3.1.3: a Path for a sender on this node that arrives from outside is its own, whoever passed it on.
#[test]
fn an_own_path_that_loops_back_goes_nowhere() {
    for mut b in Bench::both() {
        b.route("C0", None, "abd").announces(1, "C0").opens(2).forget();
        for from in ["a1", "b1", "c1"] {
            let path = b.message(&format!("{from} Path C0{{9B}}"));
            b.drops(&path, Discard::OwnMessage).is_silent();
            // Nor is another port of this node's any of theirs.
            let other = path.with(|m| m.sender = Some(FilterSpec::new(b.family.named("C0"), 5001)));
            b.drops(&other, Discard::OwnMessage).is_silent();
            b.drops(&b.message(&format!("{from} PathTear C0")), Discard::NoState).is_silent();
        }
        assert_eq!(b.engine.senders().count(), 1);
        let (app, session, sender) = (AppId(1), b.session, SenderTemplate(b.family.sender("C0")));
        b.does(Command::RemoveSender { app, session, sender }).forget();
        b.drops(&b.message("b1 Path C0{9B}"), Discard::OwnMessage).is_silent();
    }
}

/// The same while the interface has lost the address that the sender was announced with.
#[test]
fn an_own_path_is_known_by_its_sender_too() {
    for mut b in Bench::both() {
        b.announces(1, "C0").change("c", |i| (i.ipv4, i.ipv6) = (None, None)).forget();
        b.drops(&b.message("b1 Path C0{9B}"), Discard::OwnMessage).is_silent();
        assert_eq!(b.engine.senders().count(), 1);
    }
}

/// RFC 2205 section 3.11.1: who opens the session later hears of each sender once, from the one it is expected from.
#[test]
fn whoever_opens_a_session_later_hears_of_a_sender_once() {
    for mut b in two_routers("WF{4B}") {
        b.hears("a1 Path S1{7B}").forget().opens(7).tells(&["7 Path S1{7B}"]);
    }
}
