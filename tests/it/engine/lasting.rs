//! What lasts and what does not: refreshes that must not hide a change, refusals that must not destroy or silence
//! anything, and costs that one peer could force on others.

use super::bench::Bench;
use super::message::Arriving;
use super::words::tspec;
use rsvp_node::{Discard, Input, Outcome};
use rsvp_wire::{Flowspec, MsgType, Rspec};

/// Lets time pass in steps of R, with these messages refreshed at each.
fn keep_alive(b: &mut Bench, seconds: u32, messages: &[&str]) {
    for _ in 0..seconds / 30 {
        b.seconds(30.0);
        for text in messages {
            let message = b.message(text);
            arrives(b, &message);
        }
    }
}

fn arrives(b: &mut Bench, message: &Arriving) -> Outcome {
    let octets = message.octets();
    b.input(Input::Packet(message.rx(&octets)))
}

/// RFC 2205 section 2.3 and RFC 2209: only the filters that a Resv names are refreshed. If a ResvTear is lost, the rest
/// dies of age, however often the smaller Resv comes.
#[test]
fn filters_that_are_no_longer_named_die_of_age() {
    for (first, second, left) in [
        ("c1 Resv FF S1{4B} S2{4B}", "c1 Resv FF S1{4B}", "c FF S1{4B}"),
        ("c1 Resv SE S1 S2{4B}", "c1 Resv SE S1{4B}", "c SE S1{4B}"),
    ] {
        for mut b in Bench::both() {
            b.figure_4().hears(first);
            keep_alive(&mut b, 300, &["a1 Path S1{9B}", "b1 Path S2{9B}", "b1 Path S3{9B}", second]);
            b.installs(&[left]);
        }
    }
}

/// RFC 2205 section 2.5: a refused increase leaves what stands in place, for as long as it is asked for.
#[test]
fn what_a_refused_increase_left_in_place_lives_on() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 6).hears("c1 Resv FF S1{4B}");
        keep_alive(&mut b, 600, &["a1 Path S1{9B}", "c1 Resv FF S1{7B}"]);
        b.installs(&["c FF S1{4B}"]);
    }
}

/// An increase that path state asked for and admission refused is tried again with the next refresh.
#[test]
fn a_refused_increase_is_tried_again() {
    for mut b in Bench::both() {
        b.reservable("c", 6).hears("a1 Path S1{4B}").hears("c1 Resv WF{9B}").installs(&["c WF{4B}"]);
        b.forget().hears("a1 Path S1{9B}");
        assert!(b.sent.iter().any(|s| s.msg_type() == MsgType::RESV_ERR), "the next hop is told");
        b.installs(&["c WF{4B}"]).reservable("c", 20);
        keep_alive(&mut b, 60, &["a1 Path S1{9B}", "c1 Resv WF{9B}"]);
        b.installs(&["c WF{9B}"]);
    }
}

/// RFC 2205 section 1.3 and 2.5: a change of style that is refused leaves the old reservation in place.
#[test]
fn a_refused_change_of_style_leaves_what_stood() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 6).hears("c1 Resv FF S1{4B}").forget();
        let other = b.message("c1 Resv SE S1{7B}");
        assert_eq!(arrives(&mut b, &other), Outcome::Discarded(Discard::Rejected));
        b.installs(&["c FF S1{4B}"]);
        b.sends(&["c>c1 ResvErr 01/0002 SE S1{7B}"]);
    }
}

/// RFC 2205 section 2.5, InPlace: a reservation that shrinks does not stay large because of the packets of another.
#[test]
fn packet_sizes_are_judged_for_each_request() {
    for mut b in Bench::both() {
        let jumbo =
            b.message("a1 Path S1{9B}").with(|m| m.tspec.as_mut().expect("one").0.max_packet_size = 9000);
        b.takes(&jumbo).hears("c1 Resv WF{8B}");
        let large = b.message("c2 Resv WF{1B}").with(|m| {
            let mut t = tspec(1.0);
            t.max_packet_size = 9000;
            m.flows.as_mut().expect("some").flows[0].0 = Some(Flowspec::ControlledLoad(t));
        });
        assert_eq!(arrives(&mut b, &large), Outcome::Discarded(Discard::Rejected));
        b.hears("c1 ResvTear WF").installs(&[]);
        assert!(b.reserved("c") < 0.1);
    }
}

/// RFC 2212: R must be at least r; otherwise the budget would be charged for nothing.
#[test]
fn a_reserved_rate_below_the_token_rate_is_a_bad_flowspec() {
    for mut b in Bench::both() {
        let cheap = b.figure_4().message("c1 Resv WF{4G}").with(|m| {
            let flowspec = Flowspec::Guaranteed(tspec(9.0), Rspec { rate: 1.0, slack: 0 });
            m.flows.as_mut().expect("some").flows[0].0 = Some(flowspec);
        });
        assert_eq!(arrives(&mut b, &cheap), Outcome::Discarded(Discard::Rejected));
        let sent = b.sent.remove(0);
        let error = sent.get::<rsvp_wire::ErrorSpec>();
        assert_eq!((error.code.0, error.value), (21, 3));
        b.installs(&[]);
    }
}

/// RFC 2205 Appendix B, code 03: a reservation whose senders have gone elsewhere is not kept alive by refreshes.
#[test]
fn a_reservation_without_any_path_is_answered_and_dies() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{4B}").route("S1", Some("a"), "d").reroutes();
        b.seconds(5.0).hears("a1 PathTear S1").forget();
        keep_alive(&mut b, 300, &["c1 Resv WF{4B}"]);
        assert!(b.sent.iter().any(|s| s.msg_type() == MsgType::RESV_ERR));
        b.is_empty();
    }
}

/// RFC 2205 section 3.11.4: an interface on which RSVP is switched on is used at once (after W).
#[test]
fn an_interface_that_is_enabled_is_used() {
    for mut b in Bench::both() {
        b.change("c", |i| i.enabled = false).hears("a1 Path S1{9B}").sends(&["d>G Path S1{9B}"]);
        b.change("c", |i| i.enabled = true).seconds(3.0);
        assert!(b.sent.iter().any(|s| s.interface == super::words::interface("c")));
    }
}

/// RFC 2205 section 3.6: routes that change faster than W do not put off local repair for ever.
#[test]
fn flapping_routes_do_not_stop_local_repair() {
    for mut b in Bench::both() {
        b.figure_4();
        for i in 0..12 {
            b.route("S1", Some("a"), if i % 2 == 0 { "c" } else { "d" }).reroutes().seconds(1.9);
        }
        assert!(b.sent.iter().filter(|s| s.msg_type() == MsgType::PATH).count() > 3);
    }
}

/// RFC 2205 section 3.9: what routing never expected here is Local_Only, also if routing had no answer at first.
#[test]
fn a_late_answer_of_routing_makes_path_state_local_only() {
    for mut b in Bench::both() {
        b.route_answer("S1", rsvp_node::RouteAnswer::NoRoute).hears("a1 Path S1{9B}");
        b.route("S1", Some("b"), "cd").hears("a1 Path S1{9B}");
        b.takes(&b.message("b1 Path S1{9B}"));
        let local: Vec<_> = b.engine.senders().map(|s| (s.incoming, s.local_only)).collect();
        assert!(local.contains(&(Some(super::words::interface("a")), true)), "{local:?}");
        assert!(local.contains(&(Some(super::words::interface("b")), false)), "{local:?}");
    }
}

/// Applications hear that a sender is gone when it is, not when one of two copies of its path state is.
#[test]
fn a_sender_known_from_another_interface_is_not_gone() {
    for mut b in Bench::both() {
        let copy = b.message("b1 Path S1{9B}");
        b.opens(1).hears("a1 Path S1{9B}").takes(&copy).forget();
        b.hears("b1 PathTear S1").tells(&[]);
        b.hears("a1 PathTear S1").tells(&["1 PathGone S1 Torn"]);
    }
}

/// Nothing is sent to an address that no node can have, whatever a message names as its hop or receiver.
#[test]
fn answers_go_to_nodes_only() {
    for mut b in Bench::both() {
        let group = b.session.destination();
        let path = b.message("a1 Path S1{9B}").object(0x20, 1, &[0; 4]);
        let path = path.with(|m| m.hop.as_mut().expect("one").address = group);
        assert_eq!(arrives(&mut b, &path), Outcome::Discarded(Discard::UnknownObject));
        b.announces(1, "C0").forget();
        let resv = b.message("c1 Resv SE C0{4B}").with(|m| m.confirm = Some(group));
        assert_eq!(arrives(&mut b, &resv), Outcome::Discarded(Discard::BadAddress));
        b.is_silent();
    }
}

/// RFC 2205 section 2.6: a merged reservation is confirmed here for whom it stands, and further up for whom it is new.
#[test]
fn a_confirmation_names_what_is_granted_and_is_not_given_twice() {
    for mut b in Bench::both() {
        b.route_to("c7", "c").announces(1, "C0").forget();
        b.takes(&b.message("c1 Resv SE C0 S9{4B}").confirm("c7"));
        b.sends(&["c>c7 ResvConf c0 SE C0{4B}"]);
    }
    for mut b in Bench::both() {
        b.route_to("c7", "c");
        b.figure_4().hears("d1 Resv SE S3{9B}").forget();
        b.takes(&b.message("c1 Resv SE S2 S3{7B}").confirm("c7"));
        b.sends(&["c>c7 ResvConf c0 SE S3{7B}", "b>b1 Resv SE S2 S3{9B} confirm c7"]);
    }
}

/// What a message may have forwarded is bounded, so that state of one next hop cannot silence another.
#[test]
fn forwarded_objects_are_bounded() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv WF{4B}").forget();
        let greedy = b.message("c1 Resv WF{4B}").object(0xc1, 1, &[0; 40_000]);
        assert_eq!(arrives(&mut b, &greedy), Outcome::Discarded(Discard::LimitReached));
        keep_alive(&mut b, 120, &["a1 Path S1{9B}", "b1 Path S2{9B}", "b1 Path S3{9B}", "d1 Resv WF{4B}"]);
        assert!(b.sent.iter().filter(|s| s.msg_type() == MsgType::RESV).count() >= 4, "refreshes go on");
    }
}

/// RFC 2205 section 3.6: W after a change the new way hears of the flow, and until another W the request on the way that
/// data has left still stands upstream. If nobody asks on the new one, it ends then.
#[test]
fn the_reservation_stays_while_routing_moves_a_sender() {
    for follows in [true, false] {
        for mut b in Bench::unicast() {
            b.hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}").forget();
            b.route("S1", None, "d").reroutes().seconds(2.1).sends(&["d>U Path S1{9B}"]);
            if follows {
                b.hears("d1 Resv FF S1{4B}");
            }
            b.seconds(1.8).sends(&[]).seconds(0.2);
            b.sends(if follows { &[] } else { &["a>a1 ResvTear FF S1{4B}"] });
        }
    }
}
