//! ResvErr messages and blockade state: RFC 2205 sections 2.5, 3.1.8 and 3.5.

use super::bench::Bench;
use super::message::object;
use super::words::{controlled, interface};
use rsvp_node::{Discard, Instant};
use rsvp_wire::{ErrorSpec, MsgType};

/// The Resv messages sent to one interface.
fn resvs(b: &Bench, letter: &str) -> Vec<(Instant, String)> {
    let of = |s: &&super::sent::Sent| s.interface == interface(letter) && s.msg_type() == MsgType::RESV;
    b.sent.iter().filter(of).map(|s| (s.at, super::words::Flows::of(&s.message()).name())).collect()
}

/// RFC 2205 section 3.5 and Figure 12: the smaller request passes at once, to the hop from which the error came only.
#[test]
fn figure_12_a_smaller_request_passes_a_blockade_at_once() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv WF{2B}").hears("c1 Resv WF{4B}").forget();
        b.hears("a1 ResvErr 01/0002 WF{4B}");
        b.sends(&["a>a1 Resv WF{2B}", "c>c1 ResvErr 01/0002 WF{4B}", "d>d1 ResvErr 01/0002 WF{4B}"]);
        let blockade = b.engine.blockades().next().expect("blockade state");
        let seen = (blockade.sender, blockade.previous_hop, blockade.flowspec);
        assert_eq!(seen, (None, b.family.named("a1"), controlled(4.0)));
        b.installs(&["c WF{4B}", "d WF{2B}"]);
    }
}

/// RFC 2205 section 3.5, rule 5: InPlace off, to all next hops with reservation state; on, to those blockaded only.
#[test]
fn in_place_keeps_the_error_from_those_who_asked_for_less() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv WF{2B}").hears("d2 Resv WF{4B}").hears("c1 Resv WF{4B}").forget();
        b.hears("a1 ResvErr 01/0002 InPlace WF{4B}");
        b.sends(&[
            "a>a1 Resv WF{2B}",
            "c>c1 ResvErr 01/0002 InPlace WF{4B}",
            "d>d2 ResvErr 01/0002 InPlace WF{4B}",
        ]);
    }
}

/// RFC 2205 section 3.1.8: other errors go to everybody, and blockade nothing.
#[test]
fn other_errors_make_no_blockade_and_go_to_all() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv WF{2B}").hears("c1 Resv WF{4B}").forget();
        b.hears("a1 ResvErr 21/0002 WF{4B}");
        b.sends(&["c>c1 ResvErr 21/0002 WF{4B}", "d>d1 ResvErr 21/0002 WF{4B}"]);
        assert_eq!(b.engine.blockades().count(), 0);
    }
}

/// RFC 2205 section 3.1.8: the error keeps the node that found it, and carries the filters of the state here.
#[test]
fn a_forwarded_error_keeps_its_node_and_carries_the_filters_of_the_request() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv SE S2{3B}").hears("c1 Resv SE S1 S2 S3{4B}").forget();
        let far = b.family.named("S2");
        b.takes(&b.message("b1 ResvErr 02/0007 SE S2 S3{4B}").with(|m| m.error.as_mut().unwrap().node = far));
        assert!(b.sent.iter().all(|s| s.get::<ErrorSpec>().node == far));
        b.sends(&["c>c1 ResvErr 02/0007 SE S2 S3{4B}", "d>d1 ResvErr 02/0007 SE S2{4B}"]);
    }
}

/// RFC 2205 section 3.10, rule 1.
#[test]
fn unknown_objects_of_a_resv_err_are_forwarded() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        b.takes(&b.message("a1 ResvErr 02/0000 WF{4B}").object(0xc9, 1, &[1; 4]).object(0x89, 1, &[1; 4]));
        let sent = b.sends_one("c>c1 ResvErr 02/0000 WF{4B}");
        assert_eq!(sent.objects(0xc9), [object(0xc9, 1, &[1; 4])]);
        assert!(sent.objects(0x89).is_empty());
    }
}

/// RFC 2205 section 3.5: blockade state per sender for explicit styles.
#[test]
fn an_explicit_blockade_is_per_sender() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv FF S2{2B}").hears("c1 Resv FF S2{4B} S3{4B}").forget();
        b.hears("b1 ResvErr 01/0002 FF S2{4B}");
        b.sends(&[
            "b>b1 Resv FF S2{2B} S3{4B}",
            "c>c1 ResvErr 01/0002 FF S2{4B}",
            "d>d1 ResvErr 01/0002 FF S2{4B}",
        ]);
        let senders: Vec<_> = b.engine.blockades().map(|x| x.sender).collect();
        assert_eq!(senders, [Some(b.family.sender("S2"))]);
    }
}

/// RFC 2209 RERR MESSAGE ARRIVES, step 1: for SE one for each sender that the error names.
#[test]
fn a_shared_explicit_blockade_is_for_each_sender_named() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv SE S2 S3{2B}").hears("c1 Resv SE S1 S2 S3{4B}").forget();
        b.hears("b1 ResvErr 01/0002 SE S2 S3{4B}");
        let mut senders: Vec<_> = b.engine.blockades().map(|x| x.sender).collect();
        senders.sort_unstable();
        assert_eq!(senders, ["S2", "S3"].map(|s| Some(b.family.sender(s))));
        b.sends(&[
            "b>b1 Resv SE S2 S3{2B}",
            "c>c1 ResvErr 01/0002 SE S2 S3{4B}",
            "d>d1 ResvErr 01/0002 SE S2 S3{4B}",
        ]);
    }
}

/// RFC 2205 section 3.5, merging: when all are blockaded the GLB is asked for, at the next refresh.
#[test]
fn when_all_are_blockaded_the_next_refresh_asks_for_the_greatest_lower_bound() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv WF{3B}").hears("c1 Resv WF{4B}").forget();
        b.hears("a1 ResvErr 01/0002 WF{2B}");
        b.sends(&["c>c1 ResvErr 01/0002 WF{2B}", "d>d1 ResvErr 01/0002 WF{2B}"]);
        b.seconds(45.1);
        let sent = resvs(&b, "a");
        assert!(!sent.is_empty() && sent.iter().all(|(_, flows)| flows == "WF{3B}"), "{sent:?}");
        assert!(resvs(&b, "b").iter().all(|(_, flows)| flows == "WF{4B}"));
    }
}

/// RFC 2205 section 3.5: Qb blockades Qi unless strictly greater, so an equal request is blockaded too.
#[test]
fn a_request_equal_to_what_failed_is_blockaded() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv WF{2B}").hears("c1 Resv WF{4B}").forget();
        b.hears("a1 ResvErr 01/0002 WF{4B}").forget();
        b.hears("d2 Resv WF{4B}").is_silent();
        b.hears("d2 Resv WF{3B}").sends(&["a>a1 Resv WF{3B}"]);
        b.hears("d2 Resv WF{5B}").sends(&["a>a1 Resv WF{2B}", "b>b1 Resv WF{5B}"]);
    }
}

/// RFC 2205 section 3.5, rule 3 and Figure 12: it ends after Kb * R, and the larger request is tried again then, and not
/// with the next refresh, in which everything that failed together would meet again.
#[test]
fn a_blockade_ends_after_kb_times_r_and_the_request_is_tried_again() {
    for mut b in Bench::both() {
        for path in ["a1 Path S1{9B}", "b1 Path S2{9B}"] {
            b.takes(&b.message(path).every(600));
        }
        b.takes(&b.message("d1 Resv WF{2B}").every(600));
        b.takes(&b.message("c1 Resv WF{4B}").every(600)).forget();
        b.hears("a1 ResvErr 01/0002 WF{4B}").seconds(80.0).hears("a1 ResvErr 01/0002 WF{4B}");
        let restarted = b.now;
        b.seconds(89.99);
        assert_eq!(b.engine.blockades().count(), 1, "restarted by the second error");
        assert!(resvs(&b, "a").iter().all(|(_, flows)| flows == "WF{2B}"));
        b.forget().seconds(0.02);
        assert_eq!(b.engine.blockades().count(), 0);
        let sent = resvs(&b, "a");
        let [(at, flows)] = sent.as_slice() else { panic!("once: {sent:?}") };
        assert!(*at > restarted && flows == "WF{4B}", "{sent:?}");
        b.forget().seconds(45.1);
        let sent = resvs(&b, "a");
        assert!(!sent.is_empty() && sent.iter().all(|(_, flows)| flows == "WF{4B}"), "{sent:?}");
    }
}

/// RFC 2205 section 3.5, rule 3: each failure ends in its own time. Two requests that fail in turn would let each other
/// through without end, if the failure of more lifted the blockade of less.
#[test]
fn a_failure_of_more_does_not_lift_a_blockade_nor_make_it_last() {
    for mut b in Bench::both() {
        b.takes(&b.message("a1 Path S1{9B}").every(600));
        b.takes(&b.message("d1 Resv WF{2B}").every(600));
        b.takes(&b.message("c1 Resv WF{4B}").every(600)).forget();
        b.hears("a1 ResvErr 01/0002 WF{4B}").seconds(80.0).forget();
        b.hears("a1 ResvErr 01/0002 WF{5B}").seconds(9.99);
        assert!(resvs(&b, "a").iter().all(|(_, flows)| flows == "WF{2B}"), "{:?}", resvs(&b, "a"));
        assert_eq!(b.engine.blockades().count(), 2);
        b.forget().seconds(0.02);
        assert_eq!(resvs(&b, "a").len(), 1, "the first ends in its own time, and 4B is less than 5B");
        assert_eq!(b.engine.blockades().count(), 1);
        b.forget().seconds(80.0);
        assert_eq!(b.engine.blockades().count(), 0, "and the second in its own");
    }
}

/// RFC 2205 section 3.5, rule 3: the same failure again restarts its own timer, and that of no other.
#[test]
fn the_same_failure_again_restarts_its_own_element_only() {
    for mut b in Bench::both() {
        b.takes(&b.message("a1 Path S1{9B}").every(600));
        b.takes(&b.message("c1 Resv WF{4B}").every(600)).forget();
        b.hears("a1 ResvErr 01/0002 WF{4B}").hears("a1 ResvErr 01/0002 WF{5B}").seconds(80.0);
        b.hears("a1 ResvErr 01/0002 WF{5B}").seconds(10.01);
        let left: Vec<f32> = b.engine.blockades().map(|b| b.flowspec.tspec().rate).collect();
        assert_eq!(left, [5000.0]);
        b.seconds(79.98);
        assert_eq!(b.engine.blockades().count(), 1);
        b.seconds(0.02);
        assert_eq!(b.engine.blockades().count(), 0);
    }
}

/// Blockade state for one sender or previous hop is bounded, and what is joined holds back what it did.
#[test]
fn elements_beyond_the_bound_are_joined() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{99B}").hears("d1 Resv WF{1B}").hears("c1 Resv WF{90B}").forget();
        for rate in (20..60).rev() {
            b.hears(&format!("a1 ResvErr 01/0002 WF{{{rate}B}}"));
        }
        assert_eq!(b.engine.blockades().count(), 8);
        b.forget().hears("c1 Resv WF{20B}").is_silent();
        b.hears("c1 Resv WF{19B}").sends(&["a>a1 Resv WF{19B}"]);
    }
}

/// RFC 2205 section 3.5 and RFC 2210 section 2.3.2: a smaller rate passes, whichever of the two has the smaller M.
#[test]
fn the_packet_size_does_not_count_when_bandwidth_has_failed() {
    for (large, small) in [("1500", "1492"), ("1492", "1500"), ("1492", "1492")] {
        for mut b in Bench::both() {
            b.hears("a1 Path S1{9B}").hears(&format!("c1 Resv WF{{4B,M{large}}}")).forget();
            b.hears(&format!("a1 ResvErr 01/0002 WF{{4B,M{large}}}")).forget();
            b.hears(&format!("d1 Resv WF{{2B,M{small}}}"));
            b.sends(&[&format!("a>a1 Resv WF{{2B{}}}", if small == "1500" { "" } else { ",M1492" })]);
        }
    }
}

/// RFC 2205 Appendix B, 01/03: what failed is M, so whoever has a smaller one passes with any rate, and nobody else.
#[test]
fn the_packet_size_alone_counts_when_it_has_failed() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{2B}").forget();
        b.hears("a1 ResvErr 01/0003 WF{2B}").forget();
        b.hears("d1 Resv WF{1B}").sends(&["a>a1 Resv WF{1B}"]);
        b.hears("d2 Resv WF{4B,M1400}").sends(&["a>a1 Resv WF{4B,M1400}"]);
        b.hears("d1 Resv WF{9B}").is_silent();
    }
}

/// RFC 2211 section 8: a merge can be greater than each of its members. Then who asks for the most of what failed is left
/// out, and of who is left again.
#[test]
fn of_members_that_are_not_ordered_the_one_that_asks_for_most_of_what_failed_is_left_out() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{4B,b50}").hears("c2 Resv WF{5B,b20}");
        b.hears("d1 Resv WF{1B,b2}").forget();
        b.hears("a1 ResvErr 01/0002 WF{5B,b50}").sends_among_others("a>a1 Resv WF{4B,b50}");
        b.forget().hears("a1 ResvErr 01/0002 WF{4B,b50}").sends_among_others("a>a1 Resv WF{1B,b2}");
    }
}

/// A router that is limited in something else may say that bandwidth is missing; who asks for less of that is let through.
#[test]
fn a_refusal_for_the_bucket_that_names_bandwidth_does_not_starve_the_smaller_bucket() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{2B,b50}").hears("d1 Resv WF{2B,b10}");
        b.forget().hears("a1 ResvErr 01/0002 WF{2B,b50}").sends_among_others("a>a1 Resv WF{2B,b10}");
    }
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{1B,b50}").hears("d1 Resv WF{2B,b10}");
        b.forget().hears("a1 ResvErr 01/0002 WF{2B,b50}").sends_among_others("a>a1 Resv WF{1B,b50}");
        b.forget().hears("a1 ResvErr 01/0002 WF{1B,b50}").sends_among_others("a>a1 Resv WF{2B,b10}");
    }
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{1B,b50}").hears("d1 Resv WF{2B,b10}");
        b.hears("d2 Resv WF{1B,b5}");
        b.forget().hears("a1 ResvErr 01/0002 WF{2B,b50}").sends_among_others("a>a1 Resv WF{1B,b50}");
        b.forget().hears("a1 ResvErr 01/0002 WF{1B,b50}").sends_among_others("a>a1 Resv WF{2B,b10}");
    }
}

/// What others asked for further up may have failed for their larger bucket. Smaller requests here, which that would blockade
/// one and all, are merged as before.
#[test]
fn a_larger_bucket_of_others_does_not_starve_smaller_ones() {
    for mut b in Bench::both() {
        b.takes(&b.message("a1 Path S1{9B}").every(600));
        b.takes(&b.message("d1 Resv WF{2B,b10}").every(600));
        b.hears("a1 ResvErr 01/0002 WF{2B,b50}").forget();
        b.takes(&b.message("c1 Resv WF{2B,b5}").every(600)).seconds(50.0);
        b.hears("a1 ResvErr 01/0002 WF{2B,b50}").seconds(50.0);
        let asked = resvs(&b, "a");
        assert!(!asked.is_empty() && asked.iter().all(|(_, flows)| flows == "WF{2B,b10}"), "{asked:?}");
    }
}

/// RFC 2205 section 2.5, KR-II: an SE message has one flowspec, so that a large request for another sender must be left
/// out, too; whichever of the two came first.
#[test]
fn what_failed_for_one_sender_is_left_out_for_all_in_the_same_message() {
    for first in [["c1 Resv SE S3{4B}", "d1 Resv SE S2{2B}"], ["d1 Resv SE S2{2B}", "c1 Resv SE S3{4B}"]] {
        for mut b in Bench::both() {
            b.figure_4();
            first.iter().for_each(|resv| {
                b.hears(resv);
            });
            b.forget().hears("b1 ResvErr 01/0002 SE S2{4B}");
            b.sends_among_others("b>b1 Resv SE S2 S3{2B}");
            // Told is who asks for the sender, and who is left out because of it: under its own filters.
            b.sends_among_others("c>c1 ResvErr 01/0002 SE S3{4B}");
            b.sends_among_others("d>d1 ResvErr 01/0002 SE S2{4B}");
        }
    }
}

/// RFC 2205 section 2.5: a sender for which everything is blockaded does not hold the others down; it leaves the message.
/// Who did not ask for it is not told.
#[test]
fn a_sender_all_of_whose_requests_are_blockaded_leaves_the_message() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv SE S2{1B}").hears("d1 Resv SE S2 S3{1B}").forget();
        b.hears("b1 ResvErr 01/0002 SE S3{1B}");
        b.sends(&["d>d1 ResvErr 01/0002 SE S3{1B}", "b>b1 ResvTear SE S3{1B}"]);
    }
}

/// RFC 2205 section 2.5, KR-I: but what is in place for it is not torn down.
#[test]
fn a_sender_for_which_something_is_in_place_stays_in_the_message() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv SE S2{2B}").hears("d1 Resv SE S2 S3{1B}").forget();
        b.hears("d1 Resv SE S2 S3{3B}").forget();
        b.hears("b1 ResvErr 01/0002 InPlace SE S3{3B}");
        b.sends(&["d>d1 ResvErr 01/0002 InPlace SE S3{3B}"]);
    }
}

/// RFC 2205 section 3.1.8: nobody is told of a failure that another has caused and withdrawn.
#[test]
fn a_failure_of_what_was_withdrawn_is_not_for_those_who_ask_for_less() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{4B}").hears("d1 Resv WF{2B}").hears("c1 ResvTear WF");
        b.forget().hears("a1 ResvErr 01/0002 InPlace WF{4B}").is_silent();
    }
}

/// RFC 2205 section 3.1.8: the HOP says whose error it is; the handle and then the interface tell two of one address apart.
#[test]
fn a_resv_err_is_known_by_its_hop_on_whatever_way_it_came() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        b.takes(&b.message("a1 ResvErr 02/0000 WF{4B}").on("d"));
        b.sends(&["c>c1 ResvErr 02/0000 WF{4B}"]);
        b.forget();
        b.takes(&b.message("a1 ResvErr 02/0000 WF{4B}").with(|m| m.hop.as_mut().unwrap().lih = 7));
        b.sends(&["c>c1 ResvErr 02/0000 WF{4B}"]);
    }
}

/// RFC 2205 section 3.5: blockade state goes with what it is for.
#[test]
fn a_blockade_goes_with_its_sender_or_previous_hop() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S2{4B} S3{4B}");
        b.hears("b1 ResvErr 01/0002 FF S2{4B}").hears("b1 PathTear S2");
        assert_eq!(b.engine.blockades().count(), 0);
        b.hears("b1 ResvErr 01/0002 FF S3{4B}").hears("b1 PathTear S3").hears("a1 PathTear S1").is_empty();
    }
}

/// RFC 2205 sections 3.1.3 and 3.5: and when every sender behind a previous hop flips to another.
#[test]
fn blockades_go_with_a_previous_hop_that_all_senders_left() {
    for mut b in Bench::unicast() {
        b.hears("a1 Path S1{9B}").hears("a1 Path S2{9B}").hears("c1 Resv FF S1{4B} S2{4B}");
        b.hears("a1 ResvErr 01/0002 FF S1{4B}").hears("a1 ResvErr 01/0002 FF S2{4B}");
        assert_eq!(b.engine.blockades().count(), 2);
        b.hears("b1 Path S1{9B}").hears("b1 Path S2{9B}");
        assert_eq!(b.engine.blockades().count(), 0);
        b.hears("b1 PathTear S1").hears("b1 PathTear S2").is_empty();
    }
}

/// RFC 2205 sections 2.5 and 3.1.8: the application hears every error; NotGuilty when it asked for less than failed.
#[test]
fn the_local_application_hears_whether_it_is_guilty() {
    for mut b in Bench::both() {
        b.figure_4().reserves(1, "WF{2B}").hears("c1 Resv WF{4B}").forget();
        b.hears("a1 ResvErr 01/0002 WF{4B}");
        b.tells(&["1 ResvError 01/0002 NotGuilty WF{4B} at a1"]);
        b.hears("a1 ResvErr 01/0002 WF{2B}").tells(&["1 ResvError 01/0002 WF{2B} at a1"]);
        b.hears("a1 ResvErr 02/0002 WF{4B}").tells(&["1 ResvError 02/0002 WF{4B} at a1"]);
        b.hears("a1 ResvErr 02/0002 WF{4B}").tells(&["1 ResvError 02/0002 WF{4B} at a1"]);
    }
}

/// RFC 2209 RERR MESSAGE ARRIVES, step 1: with InPlace the error is for those it blockades.
#[test]
fn the_local_application_that_asked_for_less_is_not_told_when_in_place_is_on() {
    for mut b in Bench::both() {
        b.figure_4().reserves(1, "WF{2B}").hears("c1 Resv WF{4B}").forget();
        b.hears("a1 ResvErr 01/0002 InPlace WF{4B}").tells(&[]);
    }
}

/// RFC 2205 section 3.5: unless it failed only because it was merged. A request that blockade state had left out is not the
/// one that made it fail.
#[test]
fn whoever_failed_by_a_merge_is_told_also_when_a_larger_request_is_blockaded() {
    for mut b in Bench::both() {
        b.figure_4().reserves(1, "SE S2{2B}").reserves(2, "SE S3{4B}").reserves(3, "SE S2 S3{5B}");
        b.hears("b1 ResvErr 01/0002 SE S2 S3{5B}").forget();
        b.hears("b1 ResvErr 01/0002 InPlace SE S2{4B}").tells(&[
            "2 ResvError 01/0002 InPlace SE S3{4B} at b1",
            "3 ResvError 01/0002 InPlace SE S2{4B} at b1",
        ]);
    }
}

/// RFC 2205 section 3.1.8, RFC 2209: an error that concerns no state here is dropped, and none goes back where it
/// came from.
#[test]
fn an_error_without_matching_state_is_dropped() {
    for mut b in Bench::both() {
        b.drops(&b.message("a1 ResvErr 01/0002 WF{4B}"), Discard::NoState);
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        b.drops(&b.message("a2 ResvErr 01/0002 WF{4B}"), Discard::NoState);
        b.is_silent();
        assert_eq!(b.engine.blockades().count(), 0);
    }
}

/// RFC 2205 section 3.1.8: only to next hops whose requests apply to senders behind the previous hop.
#[test]
fn an_error_goes_only_where_the_failed_request_came_from() {
    for mut b in Bench::both() {
        b.route("S1", Some("a"), "c").route("S2", Some("b"), "d").figure_4();
        b.hears("c1 Resv WF{4B}").hears("d1 Resv WF{4B}").forget();
        b.hears("a1 ResvErr 01/0002 WF{4B}").sends(&["c>c1 ResvErr 01/0002 WF{4B}"]);
    }
}

/// RFC 2205 section 3.1.8: an error goes to those who asked for the senders it is about.
#[test]
fn an_error_about_one_sender_is_not_for_those_who_asked_for_another() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S2{4B}").hears("d1 Resv FF S3{4B}").forget();
        b.hears("b1 ResvErr 01/0002 FF S2{4B}").sends(&["c>c1 ResvErr 01/0002 FF S2{4B}"]);
    }
}

/// RFC 2205 sections 3.1.8 and 3.5: a request that is left out for other senders than those that failed hears of all.
#[test]
fn whoever_is_left_out_for_more_senders_than_failed_hears_of_all_of_them() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv SE S2{2B}").hears("c1 Resv SE S2 S3{4B}").forget();
        b.hears("b1 ResvErr 01/0002 SE S2{4B}");
        b.sends_among_others("b>b1 Resv SE S2 S3{2B}");
        b.sends_among_others("c>c1 ResvErr 01/0002 SE S2 S3{4B}");
        b.sends_among_others("d>d1 ResvErr 01/0002 SE S2{4B}");
    }
}

/// RFC 2205 section 2.2: shared by fewer senders a flowspec is limited to less, so it has not failed yet.
#[test]
fn what_failed_for_several_senders_is_tried_for_fewer() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv SE S2{4B}").hears("c1 Resv SE S2 S3{6B}").forget();
        b.hears("b1 ResvErr 01/0002 SE S2 S3{4B}");
        b.sends_among_others("b>b1 Resv SE S2{4B}");
        b.sends_among_others("b>b1 ResvTear SE S3{6B}");
        b.forget().hears("b1 ResvErr 01/0002 SE S2{4B}");
        assert!(
            b.sent.iter().all(|s| s.interface != super::words::interface("b")),
            "and then all have failed"
        );
    }
}

/// RFC 2205 section 2.5, KR-I: what is in place stays in the message, so there are no fewer senders to try.
#[test]
fn what_failed_for_several_senders_is_not_tried_for_fewer_while_something_is_in_place() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv SE S2{4B}").hears("c1 Resv SE S2 S3{6B}").forget();
        b.hears("b1 ResvErr 01/0002 InPlace SE S2 S3{4B}");
        assert!(b.sent.iter().all(|s| s.interface != super::words::interface("b")), "{:?}", b.sent);
    }
}

/// RFC 2205 section 3.5: who asks for a part of what failed may not be the cause. Whoever has merged it with the rest tries
/// that anew after Tb; tried together with it this part would fail with the rest each time, and never be granted.
#[test]
fn a_part_of_what_failed_is_tried_after_the_rest() {
    for mut b in Bench::both() {
        b.takes(&b.message("a1 Path S1{9B}").every(600));
        b.takes(&b.message("d1 Resv WF{2B,b10}").every(600));
        b.takes(&b.message("c1 Resv WF{4B,b10}").every(600)).forget();
        b.hears("a1 ResvErr 01/0002 WF{4B,b50}").seconds(104.99);
        assert!(resvs(&b, "a").iter().all(|(_, flows)| flows == "WF{2B,b10}"), "{:?}", resvs(&b, "a"));
        b.forget().seconds(0.02);
        assert_eq!(resvs(&b, "a").last().map(|(_, flows)| &**flows), Some("WF{4B,b10}"));
        b.hears("a1 ResvErr 01/0002 WF{4B,b10}").forget().seconds(90.01);
        assert_eq!(b.engine.blockades().count(), 0, "and all of what failed after Tb");
    }
}
