//! Resv messages: which interface they are for, and how requests merge (RFC 2205 sections 1.3, 1.4, 2.2, 2.3, 3.1.4).

use super::bench::Bench;
use super::message::{lih, object};
use super::words::interface;
use rsvp_node::{Discard, RouteAnswer};
use rsvp_wire::{Flowspec, Rspec, Tspec};

/// RFC 2205 section 1.4, Figure 5.
#[test]
fn figure_5_wildcard_filter() {
    for mut b in Bench::both() {
        b.figure_4();
        b.hears("c1 Resv WF{4B}").sends(&["a>a1 Resv WF{4B}", "b>b1 Resv WF{4B}"]);
        b.hears("d1 Resv WF{3B}").hears("d2 Resv WF{2B}").is_silent();
        b.installs(&["c WF{4B}", "d WF{3B}"]);
    }
}

/// RFC 2205 section 1.4, Figure 6: descriptors for one previous hop are packed into one message.
#[test]
fn figure_6_fixed_filter() {
    for mut b in Bench::both() {
        b.figure_4();
        b.hears("d2 Resv FF S1{1B}").sends(&["a>a1 Resv FF S1{1B}"]);
        b.hears("d1 Resv FF S1{3B} S3{1B}").sends(&["a>a1 Resv FF S1{3B}", "b>b1 Resv FF S3{1B}"]);
        b.hears("c1 Resv FF S1{4B} S2{5B}").sends(&["a>a1 Resv FF S1{4B}", "b>b1 Resv FF S2{5B} S3{1B}"]);
        b.installs(&["c FF S1{4B}", "c FF S2{5B}", "d FF S1{3B}", "d FF S3{1B}"]);
    }
}

/// RFC 2205 section 1.4, Figure 7: the union of the filters with the largest flowspec.
#[test]
fn figure_7_shared_explicit() {
    for mut b in Bench::both() {
        b.figure_4();
        b.hears("c1 Resv SE S1 S2{1B}").sends(&["a>a1 Resv SE S1{1B}", "b>b1 Resv SE S2{1B}"]);
        b.hears("d2 Resv SE S2{2B}").sends(&["b>b1 Resv SE S2{2B}"]);
        b.hears("d1 Resv SE S1 S3{3B}").sends(&["a>a1 Resv SE S1{3B}", "b>b1 Resv SE S2 S3{3B}"]);
        b.installs(&["c SE S1 S2{1B}", "d SE S1 S2 S3{3B}"]);
    }
}

/// RFC 2205 section 1.4, Figure 8: only reservations on interfaces that the senders' data leaves through.
#[test]
fn figure_8_partial_routing() {
    for mut b in Bench::both() {
        b.route("S2", Some("b"), "d").route("S3", Some("b"), "d").figure_4();
        b.hears("c1 Resv WF{4B}").sends(&["a>a1 Resv WF{4B}"]);
        b.hears("d2 Resv WF{2B}").sends(&["b>b1 Resv WF{2B}"]);
        b.hears("d1 Resv WF{3B}").sends(&["b>b1 Resv WF{3B}"]);
        b.installs(&["c WF{4B}", "d WF{3B}"]);
    }
}

/// RFC 2205 section 2.3, Figure 10: independent reservations in the two directions.
#[test]
fn state_is_never_forwarded_out_of_the_interface_it_came_from() {
    for mut b in Bench::both() {
        b.route("S1", Some("a"), "c").route("S2", Some("c"), "a");
        b.hears("a1 Path S1{9B}").hears("c1 Path S2{9B}").sends(&["c>G Path S1{9B}", "a>G Path S2{9B}"]);
        b.hears("c1 Resv WF{4B}").sends(&["a>a1 Resv WF{4B}"]);
        b.hears("a1 Resv WF{3B}").sends(&["c>c1 Resv WF{3B}"]);
        b.installs(&["a WF{3B}", "c WF{4B}"]);
    }
}

/// RFC 2205 section 3.3: the handle says on which interface the reservation is required.
#[test]
fn the_handle_picks_the_interface_even_when_the_resv_arrives_elsewhere() {
    for mut b in Bench::both() {
        b.figure_4();
        let d = lih(interface("d"));
        b.takes(&b.message("c1 Resv WF{4B}").lih(d)).installs(&["d WF{4B}"]);
        b.drops(&b.message("c1 Resv WF{5B}").lih(0x9999), Discard::BadLih);
        b.drops(&b.message("c1 Resv WF{5B}").lih(3), Discard::BadLih).installs(&["d WF{4B}"]);
    }
}

/// RFC 2205 section 2.3: a change is forwarded at once; an equal refresh, or what merging swallows, is not.
#[test]
fn propagation_stops_where_merging_changes_nothing() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        b.hears("c1 Resv WF{4B}").is_silent().commands_traffic_control(&[]);
        b.hears("d1 Resv WF{4B}").is_silent().commands_traffic_control(&["+d WF{4B}"]);
        b.hears("d1 Resv WF{2B}").is_silent().commands_traffic_control(&["+d WF{2B}"]);
        b.hears("c1 Resv WF{1B}").sends(&["a>a1 Resv WF{2B}", "b>b1 Resv WF{2B}"]);
        b.hears("c1 Resv WF{6B}").sends(&["a>a1 Resv WF{6B}", "b>b1 Resv WF{6B}"]);
    }
}

/// What RFC 2205 section 3.1.4 does not forbid: a sender that is named twice has what is said last, and no more when that
/// is refused.
#[test]
fn of_a_sender_that_is_named_twice_the_last_counts() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{99B}").hears("c1 Resv FF S1{4B} S1{5B} S1{2B}").installs(&["c FF S1{2B}"]);
        b.hears("c1 ResvTear FF S1").installs(&[]);
        b.reservable("c", 8).forget();
        b.drops(&b.message("c1 Resv FF S1{4B} S1{9B}"), Discard::Rejected);
        b.sends(&["c>c1 ResvErr 01/0002 FF S1{9B}"]).installs(&[]);
        assert_eq!(b.engine.requests().count(), 0);
        b.hears("c1 Resv SE S1 S1{4B}").installs(&["c SE S1{4B}"]);
        b.drops(&b.message("c1 Resv SE S1 S1{9B}"), Discard::Rejected).installs(&["c SE S1{4B}"]);
        b.hears("c1 ResvTear SE S1 S1").installs(&[]);
        assert_eq!((b.engine.requests().count(), b.reserved("c")), (0, 0.0));
    }
}

/// RFC 2205 section 3.1.4: a FLOWSPEC that is identical to the one before may be left out.
#[test]
fn an_omitted_flowspec_is_the_one_before() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S2{4B} S3").sends(&["b>b1 Resv FF S2{4B} S3{4B}"]);
        b.installs(&["c FF S2{4B}", "c FF S3{4B}"]);
    }
}

/// RFC 2205 sections 3.1.4 and 2.3: the sender that appears later is asked at once by a standing wildcard request.
#[test]
fn a_new_sender_behind_a_new_previous_hop_is_asked_at_once() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{4B}").forget();
        b.hears("b1 Path S2{9B}").sends(&["c>G Path S2{9B}", "d>G Path S2{9B}", "b>b1 Resv WF{4B}"]);
        // S3 is behind the same previous hop as S2; only the SCOPE of what is asked there grows (section 3.4).
        b.hears("b1 Path S3{9B}").sends(&["c>G Path S3{9B}", "d>G Path S3{9B}", "b>b1 Resv WF{4B}"]);
    }
}

/// RFC 2205 sections 2.2 and 2.3: reservations only for interfaces to which Path messages are forwarded.
#[test]
fn a_resv_is_not_forwarded_to_a_hop_whose_path_has_no_route() {
    for mut b in Bench::both() {
        b.route_answer("S2", RouteAnswer::NoRoute).figure_4();
        b.hears("c1 Resv SE S1 S2{4B}").sends(&["a>a1 Resv SE S1{4B}"]);
        b.route("S2", Some("b"), "c").reroutes();
        b.hears("c1 Resv SE S1 S2{4B}");
        assert!(b.sent.iter().any(|s| s.interface == interface("b")), "now the request reaches S2");
    }
}

/// RFC 2212 "Ordering and Merging", RFC 2211 section 8: incomparable flowspecs merge by the least upper bound; M
/// merges to the smallest (RFC 2210 section 2.3.2).
#[test]
fn incomparable_flowspecs_merge_by_the_least_upper_bound() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let with = |flowspec: Flowspec| {
            move |m: &mut super::message::Arriving| m.flows.as_mut().unwrap().flows[0].0 = Some(flowspec)
        };
        let t = |rate, bucket, m, max| Tspec {
            rate,
            bucket,
            peak: 5e3,
            min_policed_unit: m,
            max_packet_size: max,
        };
        let one = Flowspec::Guaranteed(t(1e3, 3e3, 80, 1500), Rspec { rate: 4e3, slack: 20 });
        let two = Flowspec::Guaranteed(t(2e3, 1e3, 64, 576), Rspec { rate: 3e3, slack: 10 });
        let both = Flowspec::Guaranteed(t(2e3, 3e3, 64, 576), Rspec { rate: 4e3, slack: 10 });
        b.takes(&b.message("d1 Resv WF{1G}").with(with(one)));
        b.takes(&b.message("c1 Resv WF{1G}").with(with(two)));
        assert_eq!(b.sent.last().expect("a Resv").get::<Flowspec>(), both);
        b.takes(&b.message("d2 Resv WF{1G}").with(with(two)));
        let installed = b.engine.reservations().find(|(_, on, _)| *on == interface("d")).expect("on d");
        let Flowspec::Guaranteed(_, rspec) = installed.2.flowspec else { panic!("guaranteed") };
        assert_eq!(rspec, Rspec { rate: 4e3, slack: 10 });
    }
}

/// RFC 2205 section 3.10, rule 3: the union of unknown-class objects of the merged requests, each once.
#[test]
fn unknown_objects_of_merged_requests_are_united() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let (x, y) = (object(0xc1, 1, &[1; 4]), object(0xc1, 1, &[2; 4]));
        b.takes(&b.message("c1 Resv WF{4B}").object(0xc1, 1, &[1; 4]));
        b.takes(&b.message("d1 Resv WF{4B}").object(0xc1, 1, &[1; 4]).object(0xc1, 1, &[2; 4]));
        b.takes(&b.message("d2 Resv WF{4B}").object(0xc1, 1, &[2; 4]));
        let sent: Vec<_> = b.sent.drain(..).map(|s| s.objects(0xc1)).collect();
        assert_eq!(sent.len(), 2, "the third adds nothing new");
        assert_eq!(sent[0], [&x[..]]);
        assert!(sent[1].len() == 2 && sent[1].contains(&x) && sent[1].contains(&y));
        b.seconds(45.0);
        let refresh = b.sent.iter().rfind(|s| s.interface == interface("a")).expect("a refresh");
        assert_eq!(refresh.objects(0xc1).len(), 2);
    }
}

/// RFC 2205 section 3.10, rule 2: saved with the state, also where part of the message was refused or is gone.
#[test]
fn unknown_objects_stay_with_a_request_that_is_granted_or_torn_in_part() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 5);
        let x = object(0xc1, 1, &[1; 4]);
        b.takes(&b.message("c1 Resv FF S2{4B} S3{9B}").object(0xc1, 1, &[1; 4]));
        let resv = b.sent.iter().find(|s| s.interface == interface("b")).expect("a Resv for S2");
        assert_eq!(resv.objects(0xc1), [&x[..]], "granted in part");
        b.reservable("c", 50).forget();
        b.takes(&b.message("c1 Resv FF S2{4B} S3{9B}").object(0xc1, 1, &[1; 4])).forget();
        b.hears("c1 ResvTear FF S3").forget().seconds(46.0);
        let resv = b.sent.iter().find(|s| s.interface == interface("b")).expect("a refresh for S2");
        assert_eq!(resv.objects(0xc1), [x], "torn in part");
    }
}

/// RFC 2205 section 2.2: the effective flowspec is limited by the sum of what the senders announce.
#[test]
fn the_effective_tspec_is_limited_by_the_sum_of_the_senders_tspecs() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{2B}").hears("b1 Path S2{3B}").forget();
        b.hears("c1 Resv WF{7B}").installs(&["c WF{5B,b2}"]);
        b.sends(&["a>a1 Resv WF{7B}", "b>b1 Resv WF{7B}"]);
        assert_eq!(b.reserved("c"), 5.0);
        b.hears("b1 Path S2{4B}").installs(&["c WF{6B,b2}"]).hears("b1 Path S2{6B}").installs(&["c WF{7B}"]);
    }
}

/// RFC 2205 section 2.2: the senders are those that the reservation is for.
#[test]
fn only_the_senders_of_a_reservation_limit_it() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S1{20B} S2{5B}").installs(&["c FF S1{9B}", "c FF S2{5B}"]);
        b.hears("c1 ResvTear FF S1").hears("c1 ResvTear FF S2");
        b.hears("c1 Resv SE S1 S3{30B}").installs(&["c SE S1 S3{18B,b2}"]);
    }
}
