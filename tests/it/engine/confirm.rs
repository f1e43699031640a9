//! Confirmation of reservations: RFC 2205 sections 2.6, 3.1.4 and 3.1.9.

use super::bench::Bench;
use super::message::object;
use super::words::interface;
use rsvp_node::Discard;
use rsvp_wire::{ErrorSpec, ResvConfirm};

/// RFC 2205 section 3.1.4: forwarded with the request that is larger than all others, and once for each time that it is
/// made: a Resv that asks is no mere refresh, though it is equal to the one before (RFC 2209, RESV MESSAGE ARRIVES).
#[test]
fn a_wish_travels_upstream_once_with_the_largest_request() {
    for mut b in Bench::both() {
        b.route_to("e5", "c").hears("a1 Path S1{9B}").hears("d1 Resv WF{3B}").forget();
        b.takes(&b.message("c1 Resv WF{4B}").confirm("e5")).sends(&["a>a1 Resv WF{4B} confirm e5"]);
        b.takes(&b.message("c1 Resv WF{4B}").confirm("e5")).sends(&["a>a1 Resv WF{4B} confirm e5"]);
        b.hears("c1 Resv WF{4B}").is_silent();
        b.seconds(45.1);
        b.sent.retain(|s| s.interface == interface("a"));
        assert!(
            !b.sent.is_empty() && b.sent.iter().all(|s| s.objects(15).is_empty()),
            "refreshes do not ask again"
        );
    }
}

/// RFC 2205 section 2.6: equal or smaller: the request goes no further, and this node confirms.
#[test]
fn a_merge_point_confirms_a_request_that_is_not_larger() {
    for rate in ["4", "3"] {
        for mut b in Bench::both() {
            b.route_to("e5", "c");
            b.hears("a1 Path S1{9B}").hears("d1 Resv WF{4B}").forget();
            b.takes(&b.message(&format!("c1 Resv WF{{{rate}B}}")).confirm("e5"));
            let sent = b.sends_one(&format!("c>e5 ResvConf c0 WF{{{rate}B}}"));
            assert_eq!(sent.get::<ResvConfirm>().address, b.family.named("e5"));
            let error = sent.get::<ErrorSpec>();
            assert_eq!((error.code.0, error.value, error.flags), (0, 0, 0));
        }
    }
}

/// RFC 2205 section 2.6: what changes the merge goes on, and the wish with it, also where it is no greater than others:
/// a smaller M, or more of one component and less of another. Section 3.1.4 would have it confirmed here.
#[test]
fn a_request_that_goes_on_is_not_confirmed_here() {
    for (asked, sent) in [("4B,M1400", "4B,M1400"), ("3B,M1400", "4B,M1400"), ("2B,b9", "4B,b9")] {
        for mut b in Bench::both() {
            b.route_to("e5", "c");
            b.hears("a1 Path S1{9B}").hears("d1 Resv WF{4B}").forget();
            b.takes(&b.message(&format!("c1 Resv WF{{{asked}}}")).confirm("e5"));
            b.sends(&[&format!("a>a1 Resv WF{{{sent}}} confirm e5")]);
        }
    }
}

/// RFC 2205 section 2.6: what stands is what all others ask for together, next hops here or elsewhere and applications.
#[test]
fn what_stands_is_what_all_others_ask_for_together() {
    for others in [["c1 Resv WF{4B}", "d1 Resv WF{1B,b9}"], ["d1 Resv WF{1B,b9}", "d3 Resv WF{4B}"]] {
        for mut b in Bench::both() {
            b.route_to("e5", "d").hears("a1 Path S1{9B}").hears(others[0]).hears(others[1]).forget();
            b.takes(&b.message("d2 Resv WF{3B,b5}").confirm("e5")).sends(&["d>e5 ResvConf d0 WF{3B,b5}"]);
        }
    }
    for mut b in Bench::both() {
        b.route_to("e5", "d").opens(1).hears("a1 Path S1{9B}").reserves(1, "WF{4B}").forget();
        b.takes(&b.message("d2 Resv WF{4B}").confirm("e5")).sends(&["d>e5 ResvConf d0 WF{4B}"]);
    }
}

/// RFC 2205 sections 2.6 and 3.1.9: an SE request that adds a sender is confirmed here for the others only.
#[test]
fn an_added_sender_is_confirmed_further_up_and_the_others_here() {
    for mut b in Bench::both() {
        b.route_to("e5", "d");
        b.figure_4().hears("c1 Resv SE S2{1B}").forget();
        b.takes(&b.message("d1 Resv SE S2 S3{1B}").confirm("e5"));
        b.sends(&["d>e5 ResvConf d0 SE S2{1B}", "b>b1 Resv SE S2 S3{1B} confirm e5"]);
    }
}

/// RFC 2205 section 3.1.4: each FF descriptor is a request of its own.
#[test]
fn each_ff_descriptor_is_confirmed_or_asked_for_on_its_own() {
    for mut b in Bench::both() {
        b.route_to("e5", "c");
        b.figure_4().hears("d1 Resv FF S1{4B}").forget();
        b.takes(&b.message("c1 Resv FF S1{4B} S2{5B}").confirm("e5"));
        b.sends(&["c>e5 ResvConf c0 FF S1{4B}", "b>b1 Resv FF S2{5B} confirm e5"]);
    }
}

/// RFC 2205 section 2.6: the sender's node confirms.
#[test]
fn the_senders_own_node_confirms() {
    for mut b in Bench::both() {
        b.route_to("e5", "c").announces(1, "C0").forget();
        b.takes(&b.message("c1 Resv FF C0{4B}").confirm("e5")).sends(&["c>e5 ResvConf c0 FF C0{4B}"]);
    }
}

/// RFC 2205 section 3.1.4: neither forwarded nor returned when the request is blockaded, though there is a way back.
#[test]
fn the_wish_of_a_blockaded_request_is_dropped() {
    for mut b in Bench::both() {
        b.route_to("e5", "c").hears("a1 Path S1{9B}").hears("d1 Resv WF{2B}").hears("c1 Resv WF{4B}");
        b.hears("a1 ResvErr 01/0002 WF{4B}").forget();
        b.takes(&b.message("c1 Resv WF{5B}").confirm("e5")).is_silent();
        b.takes(&b.message("c2 Resv WF{4B}").confirm("e5")).is_silent();
        b.takes(&b.message("d1 Resv WF{3B}").confirm("e5")).sends(&["a>a1 Resv WF{3B} confirm e5"]);
    }
}

/// RFC 2205 section 3.1.4: a request that is refused is not confirmed.
#[test]
fn a_refused_request_is_not_confirmed() {
    for mut b in Bench::both() {
        b.route_to("e5", "c").hears("a1 Path S1{9B}").reservable("c", 3).forget();
        b.drops(&b.message("c1 Resv WF{4B}").confirm("e5"), Discard::Rejected);
        b.sends(&["c>c1 ResvErr 01/0002 WF{4B}"]);
        b.hears("d1 Resv WF{4B}").hears("c1 Resv WF{2B}").forget();
        b.drops(&b.message("c1 Resv WF{4B}").confirm("e5"), Discard::Rejected);
        b.sends(&["c>c1 ResvErr 01/0002 InPlace WF{4B}"]);
    }
}

/// RFC 2205 sections 3.1.9 and 3.3: hop by hop towards the receiver, with Router Alert (the audit of the bench).
#[test]
fn a_resv_conf_is_forwarded_towards_the_receiver() {
    for mut b in Bench::both() {
        b.route_to("e5", "d");
        let conf = b.message("a1 ResvConf e5 FF S1{4B}").object(0xc9, 1, &[1; 4]).object(0x89, 1, &[1; 4]);
        b.takes(&conf);
        let sent = b.sends_one("d>e5 ResvConf a1 FF S1{4B}");
        assert_eq!(sent.ttl, 59);
        assert_eq!(sent.objects(0xc9), [object(0xc9, 1, &[1; 4])]);
        assert!(sent.objects(0x89).is_empty());
        b.is_empty();
    }
}

/// RFC 2205 section 3.1.9 and Appendix B: what cannot be forwarded is dropped.
#[test]
fn a_resv_conf_that_cannot_go_on_is_dropped() {
    for mut b in Bench::both() {
        b.drops(&b.message("a1 ResvConf e5 WF{4B}"), Discard::NoRoute);
        b.route_to("e5", "d");
        b.drops(&b.message("a1 ResvConf e5 WF{4B}").ttl(1), Discard::TtlExhausted);
        let other = b.family.named("e6");
        b.drops(&b.message("a1 ResvConf e5 WF{4B}").with(|m| m.destination = other), Discard::BadAddress);
        b.drops(&b.message("a1 ResvConf a0 WF{4B}"), Discard::NoState);
        b.is_silent();
    }
}

/// RFC 2205 section 3.1.9: the way to the receiver need not be the one that its Resv came on; without one there is no
/// ResvConf, which is counted.
#[test]
fn a_resv_conf_leaves_on_the_way_that_routing_has_to_the_receiver() {
    for mut b in Bench::both() {
        b.announces(1, "C0").forget();
        let before = b.engine.counters().discarded(Discard::NoRoute);
        b.takes(&b.message("c1 Resv FF C0{4B}").confirm("e5")).tells(&["1 Resv FF C0{4B}"]).is_silent();
        assert_eq!(b.engine.counters().discarded(Discard::NoRoute), before + 1);
        b.route_to("e5", "d");
        b.takes(&b.message("c1 Resv FF C0{4B}").confirm("e5"));
        b.sends(&["d>e5 ResvConf c0 FF C0{4B}"]);
    }
}

/// RFC 2205 sections 2.6 and 3.11.1: a local application asks with its own address and hears the answer.
#[test]
fn a_local_application_asks_and_hears_the_confirmation() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        assert_eq!(b.reserve(1, "FF S1{4B}", true), rsvp_node::Outcome::Taken);
        b.sends(&["a>a1 Resv FF S1{4B} confirm a0"]).forget();
        let conf = b.message("a1 ResvConf a0 FF S1{4B}");
        b.takes(&conf).tells(&["1 ResvConfirm a1 FF S1{4B}"]);
        b.takes(&conf).tells(&["1 ResvConfirm a1 FF S1{4B}"]);
    }
}

/// RFC 2205 section 3.1.4: or hears it at once when others have asked for as much.
#[test]
fn a_local_application_is_confirmed_here_when_others_asked_for_as_much() {
    for mut b in Bench::both() {
        b.opens(1).hears("a1 Path S1{9B}").hears("c1 Resv WF{4B}").forget();
        assert_eq!(b.reserve(1, "WF{4B}", true), rsvp_node::Outcome::Taken);
        b.sends(&[]).tells(&["1 ResvConfirm a0 WF{4B}"]);
    }
}

/// RFC 2205 section 3.11.1: a wish made before there is a sender goes out with the first Resv, and no later one.
#[test]
fn a_wish_made_before_a_sender_is_known_waits_for_it() {
    for mut b in Bench::both() {
        assert_eq!(b.reserve(1, "WF{4B}", true), rsvp_node::Outcome::Taken);
        b.forget();
        b.hears("a1 Path S1{9B}");
        b.sends(&["c>G Path S1{9B}", "d>G Path S1{9B}", "a>a1 Resv WF{4B} confirm a0"]);
        b.hears("b1 Path S2{9B}");
        b.sends(&["c>G Path S2{9B}", "d>G Path S2{9B}", "b>b1 Resv WF{4B}"]);
    }
}

/// RFC 2205 sections 2.6 and 3.1.8: an error is an answer to a wish, too. Refreshes try again what has failed, each of them is a request
/// that asks for confirmation, until there is one. A wish that was passed on and has no answer is not passed on again.
#[test]
fn what_has_failed_asks_with_each_refresh_until_it_is_confirmed() {
    for mut b in Bench::both() {
        // Whether refreshes ask, of which there are one to three in this time.
        let asks = |b: &mut Bench| -> Vec<bool> {
            b.forget().seconds(45.1);
            let resvs = b.sent.iter().filter(|s| s.interface == interface("a"));
            let mut asks: Vec<bool> = resvs.map(|s| !s.objects(15).is_empty()).collect();
            asks.dedup();
            asks
        };
        b.hears("a1 Path S1{9B}").forget();
        assert_eq!(b.reserve(1, "FF S1{4B}", true), rsvp_node::Outcome::Taken);
        b.sends(&["a>a1 Resv FF S1{4B} confirm a0"]);
        assert_eq!(asks(&mut b), [false]);
        // By policy: for want of bandwidth it would be blockaded first, and a blockaded wish goes nowhere (section 3.1.4).
        b.hears("a1 ResvErr 02/0000 FF S1{4B}");
        assert_eq!(asks(&mut b), [true]);
        b.hears("a1 Path S1{9B}");
        assert_eq!(asks(&mut b), [true]);
        b.forget().hears("a1 ResvConf a0 FF S1{4B}").tells(&["1 ResvConfirm a1 FF S1{4B}"]);
        assert_eq!(asks(&mut b), [false]);
        // What is confirmed has had its answer.
        b.hears("a1 Path S1{9B}").hears("a1 ResvErr 02/0000 FF S1{4B}");
        assert_eq!(asks(&mut b), [false]);
    }
}

/// RFC 2205 section 3.11.1: a request stands without its sender, and so does a wish that nobody has answered.
#[test]
fn a_sender_that_is_gone_before_the_answer_is_asked_once_more_when_it_is_back() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        assert_eq!(b.reserve(1, "FF S1{4B}", true), rsvp_node::Outcome::Taken);
        b.sends(&["a>a1 Resv FF S1{4B} confirm a0"]);
        b.hears("a1 PathTear S1").forget().hears("a1 Path S1{9B}");
        b.sends(&["c>G Path S1{9B}", "d>G Path S1{9B}", "a>a1 Resv FF S1{4B} confirm a0"]);
        b.takes(&b.message("a1 ResvConf a0 FF S1{4B}"));
        b.hears("a1 PathTear S1").forget().hears("a1 Path S1{9B}");
        b.sends(&["c>G Path S1{9B}", "d>G Path S1{9B}", "a>a1 Resv FF S1{4B}"]);
    }
}

/// A wish that comes with nothing new goes on sixteen times at once, for there may be many applications on a host, and then once in each R, or whoever repeats it would have a message sent to
/// wherever it says for each of its own; one that comes with something new goes on at once.
#[test]
fn a_wish_that_is_repeated_with_nothing_new_goes_on_once_in_each_period() {
    for mut b in Bench::both() {
        b.route_to("e5", "c").hears("a1 Path S1{9B}").forget();
        let goes_up = |b: &mut Bench, rate: u32| {
            let wish = b.message(&format!("c1 Resv WF{{{rate}B}}")).confirm("e5");
            b.forget();
            b.takes(&wish);
            core::mem::take(&mut b.sent).len()
        };
        assert_eq!([4; 17].map(|rate| goes_up(&mut b, rate)), [1; 17], "the first asks for something new");
        assert_eq!([4; 2].map(|rate| goes_up(&mut b, rate)), [0; 2]);
        let row = b.engine.neighbours().find(|row| !row.refused.is_empty()).expect("it is named");
        assert_eq!((row.address, row.refused), (Some(b.family.named("c1")), vec![("repeated-wish", 2)]));
        assert_eq!([5, 5].map(|rate| goes_up(&mut b, rate)), [1, 0], "something new");
        b.seconds(30.0);
        assert_eq!([5, 5].map(|rate| goes_up(&mut b, rate)), [1, 0], "R later");
    }
}
