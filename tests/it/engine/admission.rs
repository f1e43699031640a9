//! Admission control by the budget of an interface: RFC 2205 sections 1.2, 2.2, 2.5, 3.1.8, RFC 2211 and RFC 2212.

use super::bench::Bench;
use super::words::{Family, controlled, guaranteed, interface};
use rsvp_node::{Config, Discard, Engine, Held, Input, Instant, InterfaceId};
use rsvp_wire::{Flowspec, MsgType, Rspec, Session};

/// Admission of one message in the family's bench: refused with this error.
#[track_caller]
fn refused(b: &mut Bench, resv: &str, error: &str) {
    b.drops(&b.message(resv), Discard::Rejected);
    let (hop, rest) = resv.split_once(" Resv ").expect("a Resv");
    b.sends(&[&format!("{}>{hop} ResvErr {error} {rest}", &hop[..1])]);
}

/// RFC 2211 and RFC 2212: Controlled-Load takes r, Guaranteed takes R, in bits a second.
#[test]
fn a_reservation_is_charged_r_or_capital_r() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}");
        assert_eq!(b.engine.reservations().map(|(_, _, r)| r.charge_bps).collect::<Vec<_>>(), [32_000]);
        let Flowspec::Guaranteed(tspec, _) = guaranteed(4.0) else { panic!("guaranteed") };
        let flowspec = Flowspec::Guaranteed(tspec, Rspec { rate: 6000.0, slack: 0 });
        b.takes(&b.message("c1 Resv WF{4G}").with(|m| m.flows.as_mut().unwrap().flows[0].0 = Some(flowspec)));
        assert_eq!(b.engine.reservations().map(|(_, _, r)| r.charge_bps).collect::<Vec<_>>(), [48_000]);
    }
}

/// RFC 2205 Appendix B, code 01, sub-code 2: the budget may be used to the last bit and not beyond.
#[test]
fn an_exactly_full_interface_admits_no_more() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 9).hears("c1 Resv FF S1{4B} S2{5B}").forget();
        assert_eq!(b.reserved("c"), 9.0);
        refused(&mut b, "c1 Resv FF S3{0.001B}", "01/0002");
        b.installs(&["c FF S1{4B}", "c FF S2{5B}"]);
        b.hears("d1 Resv FF S3{9B}").installs(&["c FF S1{4B}", "c FF S2{5B}", "d FF S3{9B}"]);
    }
}

/// RFC 2205 section 3.1.8: InPlace when, and only when, a reservation is in place and stays.
#[test]
fn a_refused_increase_leaves_the_reservation_in_place() {
    for (style, unit) in
        [("WF", "B"), ("FF S1", "B"), ("SE S1", "B"), ("WF", "G"), ("FF S1", "G"), ("SE S1", "G")]
    {
        for mut b in Bench::both() {
            let asking = |n: u32| format!("c1 Resv {style}{{{n}{unit}}}");
            b.figure_4().reservable("c", 6);
            refused(&mut b, &asking(7), "01/0002");
            b.hears(&asking(4)).forget();
            refused(&mut b, &asking(7), "01/0002 InPlace");
            b.installs(&[&format!("c {style}{{4{unit}}}")]).hears(&asking(6));
            b.installs(&[&format!("c {style}{{6{unit}}}")]);
            let flows: Vec<_> = b.engine.requests().map(|r| r.flows[0].1).collect();
            assert_eq!(flows, [if unit == "G" { guaranteed(6.0) } else { controlled(6.0) }]);
        }
    }
}

/// RFC 2205 section 3.1.8, RFC 2209 RESV MESSAGE ARRIVES: a next hop that goes on asking for more than there is goes on
/// having what it has; the cleanup timer is restarted before traffic control is asked.
#[test]
fn a_reservation_in_place_lives_on_while_more_is_asked_for_in_vain() {
    for flows in ["WF{4B}", "FF S1{4B}", "SE S1{4B}"] {
        for mut b in Bench::both() {
            b.takes(&b.message("a1 Path S1{9B}").every(600));
            b.reservable("c", 6).hears(&format!("c1 Resv {flows}"));
            for _ in 0..10 {
                b.seconds(30.0);
                b.drops(&b.message(&format!("c1 Resv {}", flows.replace('4', "7"))), Discard::Rejected);
            }
            b.installs(&[&format!("c {flows}")]).seconds(157.4).installs(&[&format!("c {flows}")]);
            b.seconds(0.2).installs(&[]);
        }
    }
}

/// RFC 2205 section 3.1.8: the existing reservation is in place too when another next hop made it.
#[test]
fn a_second_next_hop_that_asks_too_much_hears_that_something_is_in_place() {
    for mut b in Bench::both() {
        b.figure_4().reservable("d", 6).hears("d1 Resv WF{4B}").forget();
        refused(&mut b, "d2 Resv WF{7B}", "01/0002 InPlace");
        assert_eq!(b.engine.requests().count(), 1);
        b.installs(&["d WF{4B}"]);
        refused(&mut b, "d2 Resv WF{8B}", "01/0002 InPlace");
    }
}

/// RFC 2205 section 1.2: an SE request is admitted or refused as a whole, filters and all.
#[test]
fn a_refused_change_of_filters_changes_nothing() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 6).hears("c1 Resv SE S1{4B}").forget();
        refused(&mut b, "c1 Resv SE S1 S2{7B}", "01/0002 InPlace");
        b.installs(&["c SE S1{4B}"]);
        let flows: Vec<_> = b.engine.requests().flat_map(|r| r.flows).collect();
        assert_eq!(flows, [(Some(b.family.sender("S1")), controlled(4.0))]);
    }
}

/// RFC 2205 sections 2.3, 3.1.5 and 3.1.6: what is torn down, timed out or has lost its path is free again.
#[test]
fn the_budget_is_free_again_after_every_end() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 9);
        b.hears("c1 Resv FF S1{9B}").hears("c1 ResvTear FF S1");
        b.hears("c1 Resv FF S2{9B}").hears("b1 PathTear S2");
        b.takes(&b.message("c1 Resv FF S3{9B}").every(10)).forget();
        assert_eq!(b.reserved("c"), 9.0);
        refused(&mut b, "c1 Resv FF S1{9B}", "01/0002");
        b.seconds(52.6);
        assert_eq!(b.reserved("c"), 0.0);
        b.hears("c1 Resv FF S1{9B}").installs(&["c FF S1{9B}"]);
    }
}

/// RFC 2205 section 1.3: a shared reservation is one pipe for all its senders.
#[test]
fn a_shared_reservation_is_charged_once() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 4).hears("c1 Resv SE S1 S2 S3{4B}");
        assert_eq!(b.reserved("c"), 4.0);
        b.hears("c1 ResvTear SE S2");
        assert_eq!(b.reserved("c"), 4.0);
    }
}

/// RFC 2205 section 2.2: the merge of next hops on one interface is one reservation.
#[test]
fn requests_of_next_hops_on_one_interface_are_charged_merged() {
    for mut b in Bench::both() {
        b.figure_4().reservable("d", 4);
        b.hears("d1 Resv FF S1{4B}").hears("d2 Resv FF S1{3B}").installs(&["d FF S1{4B}"]);
        b.hears("d1 ResvTear FF S1").installs(&["d FF S1{3B}"]);
        assert_eq!(b.reserved("d"), 3.0);
    }
}

/// RFC 2205 Appendix B, code 01, sub-code 3.
#[test]
fn packets_larger_than_the_mtu_are_refused() {
    for mut b in Bench::both() {
        b.figure_4().change("c", |i| i.mtu = 1499);
        refused(&mut b, "c1 Resv FF S1{4B}", "01/0003");
        b.change("c", |i| i.mtu = 1500).hears("c1 Resv FF S1{4B}").installs(&["c FF S1{4B}"]);
    }
}

/// RFC 2205 section 2.1: Resv messages reach the sender hosts themselves, which admit too.
#[test]
fn the_senders_own_node_admits_on_its_interface() {
    for mut b in Bench::both() {
        b.reservable("c", 5).announces(1, "C0").forget();
        refused(&mut b, "c1 Resv FF C0{6B}", "01/0002");
        b.hears("c1 Resv FF C0{5B}").installs(&["c FF C0{5B}"]).tells(&["1 Resv FF C0{5B}"]);
        b.hears("c1 ResvTear FF C0").installs(&[]).tells(&["1 ResvGone FF C0"]).sends(&[]);
    }
}

/// RFC 2205 sections 2.2 and 3.1.8: what a sender's larger TSpec would cost is refused with the reservation in place.
#[test]
fn a_tspec_that_raises_a_reservation_beyond_the_budget_leaves_it_in_place() {
    for mut b in Bench::both() {
        b.reservable("c", 5).hears("a1 Path S1{4B}").hears("c1 Resv WF{9B}").installs(&["c WF{4B}"]).forget();
        b.hears("a1 Path S1{6B}").installs(&["c WF{4B}"]);
        b.sends(&["c>G Path S1{6B}", "d>G Path S1{6B}", "c>c1 ResvErr 01/0002 InPlace WF{9B}"]);
    }
}

/// RFC 2205 section 3.1.5: less is never refused, even where an interface has shrunk below what is reserved on it.
#[test]
fn a_decrease_is_admitted_on_an_interface_that_shrank() {
    for unit in ["B", "G"] {
        for mut b in Bench::both() {
            let ask = |n: u32| format!("FF S1{{{n}{unit}}}");
            let (stands, other) = (format!("c {}", ask(4)), format!("c FF S2{{5{unit}}}"));
            b.figure_4().hears(&format!("c1 Resv {} S2{{5{unit}}}", ask(4)));
            b.reservable("c", 2).installs(&[&stands, &other]);
            b.hears(&format!("c1 Resv {}", ask(3))).installs(&[&format!("c {}", ask(3)), &other]).forget();
            refused(&mut b, &format!("c1 Resv {}", ask(4)), "01/0002 InPlace");
        }
    }
}

/// Budgets are 64 bits wide and rates are not: the sum may not wrap on an interface without a limit.
#[test]
fn the_largest_rates_on_an_unlimited_interface_do_not_overflow() {
    for mut b in Bench::both() {
        b.change("c", |i| i.reservable_bps = u64::MAX)
            .hears("a1 Path S1{9B}")
            .hears("b1 Path S2{9B}")
            .forget();
        let huge = |m: &mut super::message::Arriving| {
            let Flowspec::Guaranteed(tspec, _) = guaranteed(1.0) else { panic!("guaranteed") };
            let flowspec = Flowspec::Guaranteed(tspec, Rspec { rate: f32::MAX, slack: 0 });
            m.flows.as_mut().unwrap().flows[0].0 = Some(flowspec);
        };
        b.takes(&b.message("c1 Resv FF S1{1G}").with(huge)).forget();
        b.drops(&b.message("c1 Resv FF S2{1G}").with(huge), Discard::Rejected);
        assert_eq!(b.engine.reservations().count(), 1);
    }
}

/// RFC 2205 section 3.11.2: the data plane hears of every installation, change and removal, once each.
#[test]
fn traffic_control_is_told_of_every_change_once() {
    for mut b in Bench::both() {
        b.figure_4();
        b.hears("c1 Resv FF S1{4B}").commands_traffic_control(&["+c FF S1{4B}"]);
        b.hears("c1 Resv FF S1{4B}").commands_traffic_control(&[]);
        let first = b.engine.reservations().next().expect("installed").0;
        b.hears("c1 Resv FF S1{5B}");
        assert_eq!(b.traffic[0].reservation, first, "a change keeps the id");
        b.commands_traffic_control(&["+c FF S1{5B}"]);
        b.hears("c1 ResvTear FF S1").commands_traffic_control(&["-c"]);
        b.hears("c1 Resv FF S1{5B}");
        assert_ne!(b.traffic[0].reservation, first, "ids are not used again");
        assert_eq!(b.traffic[0].interface, interface("c"));
    }
}

/// RFC 2205 section 3.11.2: filters that come and go change a reservation, whatever becomes of its flowspec.
#[test]
fn traffic_control_is_told_of_filters_too() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv SE S1{4B}").commands_traffic_control(&["+c SE S1{4B}"]);
        b.hears("c1 Resv SE S1 S2{4B}").commands_traffic_control(&["+c SE S1 S2{4B}"]);
        b.hears("c1 ResvTear SE S1").commands_traffic_control(&["+c SE S2{4B}"]);
    }
}

/// An engine without interfaces has nothing to admit on, and does not mind.
#[test]
fn an_engine_without_interfaces_drops_everything() {
    let mut engine = Engine::new(Config::default());
    let b = Bench::new(Family::V4, Config::default());
    let message = b.message("a1 Path S1{9B}");
    let octets = message.octets();
    let mut routes = super::bench::Routes::default();
    let outcome = engine.handle(Instant::ZERO, Input::Packet(message.rx(&octets)), &mut routes);
    assert_eq!(outcome, rsvp_node::Outcome::Discarded(Discard::InterfaceDisabled));
    assert!(engine.is_empty());
}

/// RFC 2205 section 2.2: a sender that announces more makes requests larger that were limited by it. If they are too large
/// together, those are told who ask for more than what stands, and nobody else.
#[test]
fn when_a_sender_announces_too_much_those_who_have_what_they_asked_for_hear_nothing() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{2B}").reservable("c", 5).hears("c1 Resv WF{2B}").hears("c2 Resv WF{9B}").forget();
        b.hears("a1 Path S1{9B}").installs(&["c WF{2B}"]);
        b.sent.retain(|s| s.msg_type() == MsgType::RESV_ERR);
        b.sends(&["c>c2 ResvErr 01/0002 InPlace WF{9B}"]);
    }
}

/// RFC 2205 section 2.5: what is left when a request goes may be too large by itself; it keeps what is installed, and is
/// heard again when it is refreshed.
#[test]
fn what_is_left_of_a_reservation_is_content_with_what_stands() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{2B}").reservable("c", 5).hears("c1 Resv WF{2B}").hears("c2 Resv WF{9B}");
        b.hears("a1 Path S1{9B}").hears("c1 ResvTear WF").installs(&["c WF{2B}"]).forget();
        refused(&mut b, "c2 Resv WF{9B}", "01/0002 InPlace");
        b.installs(&["c WF{2B}"]).hears("c2 Resv WF{5B}").installs(&["c WF{5B}"]);
    }
}

/// A session beside this one.
pub(super) fn another(session: Session) -> Session {
    Session::new(session.destination(), session.protocol(), session.port() + 1)
}

/// What stands from an earlier run is its session's: others are admitted to the rest, the session itself to all of it, and what
/// it was admitted for it has no more beside.
#[test]
fn what_a_session_still_has_from_an_earlier_run_is_given_to_no_other() {
    for mut b in Bench::both() {
        let (on, mine) = (interface("c"), b.session);
        let other = another(mine);
        let held =
            |session, n: u64| Input::Held(Held { interface: on, session, guaranteed: false, bps: n * 8_000 });
        b.figure_4().reservable("c", 9);
        b.input(held(other, 5));
        b.input(held(mine, 3));
        refused(&mut b, "c1 Resv FF S1{5B}", "01/0002");
        // Of its own three, two are taken; the other's five are untouched.
        b.hears("c1 Resv FF S1{2B}").hears("c1 Resv FF S2{2B}").forget();
        assert_eq!(b.reserved("c"), 4.0);
        refused(&mut b, "c1 Resv FF S3{1B}", "01/0002");
        // More than nothing is always left of what was given back in the meantime.
        b.input(held(other, 0));
        b.hears("c1 Resv FF S3{5B}");
        assert_eq!(b.reserved("c"), 9.0);
        // An interface that is not there has nothing to hold.
        b.input(Input::Held(Held { interface: InterfaceId(77), session: mine, guaranteed: false, bps: 1 }));
    }
}
