//! A receiver changes what it asks for: service, style, and how much for which sender (RFC 2205 sections 2.3, 2.5 and
//! 3.1.8, RFC 2210 section 2.2). What it had asked for before is in nobody's way.

use super::bench::Bench;
use rsvp_node::{Discard, Outcome, Refusal};

/// A Resv is refused with this error, which is all that is sent.
#[track_caller]
fn refused(b: &mut Bench, resv: &str, error: &str) {
    b.drops(&b.message(resv), Discard::Rejected);
    let (hop, rest) = resv.split_once(" Resv ").expect("a Resv");
    b.sends(&[&format!("{}>{hop} ResvErr {error} {rest}", &hop[..1])]);
}

/// RFC 2205 section 2.3: all that a message names is replaced before it is judged.
#[test]
fn the_only_receiver_of_several_senders_changes_its_service() {
    for (before, after, now) in [
        ("FF S2{2B} S3{2B}", "FF S2{2G} S3{2G}", &["c FF S2{2G}", "c FF S3{2G}"][..]),
        ("FF S2{2G} S3{2G}", "FF S3{3B} S2{1B}", &["c FF S2{1B}", "c FF S3{3B}"]),
        ("SE S2 S3{2B}", "SE S2 S3{2G}", &["c SE S2 S3{2G}"]),
        ("SE S2 S3{2G}", "SE S2{2B}", &["c SE S2 S3{2B}"]),
        ("WF{2B}", "WF{2G}", &["c WF{2G}"]),
    ] {
        for mut b in Bench::both() {
            b.figure_4().hears(&format!("c1 Resv {before}")).forget();
            b.hears(&format!("c1 Resv {after}")).installs(now);
            let errors = b.sent.iter().filter(|s| s.msg_type() == rsvp_wire::MsgType::RESV_ERR);
            assert_eq!(errors.count(), 0);
        }
    }
}

/// A next hop merges what others ask for, who do not change in the same moment: in FF nothing of one sender is merged
/// with what is for another, so both services of one next hop stand until the last has changed.
#[test]
fn a_next_hop_may_change_one_sender_after_the_other() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S2{2B} S3{2B}").forget();
        b.hears("c1 Resv FF S2{2B} S3{2G}").sends(&["b>b1 Resv FF S2{2B} S3{2G}"]);
        b.installs(&["c FF S2{2B}", "c FF S3{2G}"]);
        b.hears("c1 Resv FF S2{3G} S3{2G}").sends(&["b>b1 Resv FF S2{3G} S3{2G}"]);
        b.installs(&["c FF S2{3G}", "c FF S3{2G}"]);
    }
}

/// A Resv that names some of the senders leaves the others as they are, whatever their service.
#[test]
fn what_a_change_does_not_name_stays() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S2{2B} S3{2B}").forget();
        b.hears("c1 Resv FF S3{2G}").sends(&["b>b1 Resv FF S2{2B} S3{2G}"]);
        b.installs(&["c FF S2{2B}", "c FF S3{2G}"]);
    }
}

/// RFC 2210 section 2.2: all receivers of a session use one service, in FF too.
#[test]
fn another_receiver_may_not_choose_another_service_for_another_sender() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S1{2B}").forget();
        refused(&mut b, "d1 Resv FF S2{2G}", "21/0001");
        b.installs(&["c FF S1{2B}"]);
    }
}

/// RFC 2205 section 2.5 (KR-I): a change of service that is refused leaves what stood, for each FF descriptor.
#[test]
fn a_refused_change_of_service_leaves_each_descriptor_in_place() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 6).hears("c1 Resv FF S2{2B} S3{2B}").forget();
        b.hears("c1 Resv FF S2{9G} S3{3G}");
        b.sends(&["c>c1 ResvErr 01/0002 InPlace FF S2{9G}", "b>b1 Resv FF S2{2B} S3{3G}"]);
        b.installs(&["c FF S2{2B}", "c FF S3{3G}"]);
        b.hears("c1 Resv FF S2{3G} S3{3G}").sends(&["b>b1 Resv FF S2{3G} S3{3G}"]);
    }
}

/// Two next hops that both change: the first is refused because of the second, whose change is not because of the first;
/// with the next refresh of the first both are there.
#[test]
fn two_next_hops_change_one_after_the_other() {
    for (flows, hops) in [
        ("WF{2B}", ["c1", "d1"]),
        ("WF{2B}", ["c1", "c2"]),
        ("SE S1{2B}", ["c1", "d1"]),
        ("FF S1{2B}", ["d1", "d2"]),
    ] {
        for mut b in Bench::both() {
            let changed = flows.replace('B', "G");
            let [first, second] = hops;
            b.figure_4()
                .hears(&format!("{first} Resv {flows}"))
                .hears(&format!("{second} Resv {flows}"))
                .forget();
            refused(&mut b, &format!("{first} Resv {changed}"), "21/0001 InPlace");
            b.hears(&format!("{second} Resv {changed}"));
            assert!(b.sent.iter().all(|s| s.msg_type() == rsvp_wire::MsgType::RESV), "nothing is torn down");
            assert!(b.engine.requests().count() == 2);
            b.hears(&format!("{first} Resv {changed}"));
            let on: std::collections::BTreeSet<_> = hops.iter().map(|h| &h[..1]).collect();
            let now: Vec<_> = on.iter().map(|on| format!("{on} {changed}")).collect();
            b.installs(&now.iter().map(String::as_str).collect::<Vec<_>>());
            b.sent.retain(|s| s.interface == super::words::interface("a"));
            b.sends(&[&format!("a>a1 Resv {changed}")]);
        }
    }
}

/// What is left over from before a refused change serves until it times out, and is merged with nothing else.
#[test]
fn what_is_left_over_serves_where_it_is_and_goes_upstream_with_nothing_else() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").hears("d1 Resv WF{2B}").forget();
        refused(&mut b, "c1 Resv WF{3G}", "21/0001 InPlace");
        b.hears("d1 Resv WF{2G}").installs(&["c WF{4B}", "d WF{2G}"]);
        b.sends(&["a>a1 Resv WF{2G}", "b>b1 Resv WF{2G}"]);
        b.hears("d1 ResvTear WF").installs(&["c WF{4B}"]);
        b.sent.retain(|s| s.interface == super::words::interface("a"));
        b.sends(&["a>a1 Resv WF{4B}"]).seconds(120.0);
        b.seconds(40.0).installs(&[]);
    }
}

/// A receiver whose change fails for want of bandwidth keeps nobody else from the service that it asks for.
#[test]
fn what_was_put_back_conflicts_with_nobody() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 6).hears("c1 Resv WF{4B}").forget();
        refused(&mut b, "c1 Resv WF{9G}", "01/0002 InPlace");
        b.installs(&["c WF{4B}"]).hears("c2 Resv WF{5G}").installs(&["c WF{5G}"]);
        b.hears("d1 Resv WF{7G}").installs(&["c WF{5G}", "d WF{7G}"]);
        b.forget();
        refused(&mut b, "d2 Resv WF{1B}", "21/0001");
        b.reserves(1, "WF{1G}");
    }
}

/// Who goes back to what it had asked for before has it again, and it counts again.
#[test]
fn a_change_that_is_taken_back_is_none() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 6).hears("c1 Resv WF{4B}").forget();
        refused(&mut b, "c1 Resv WF{9G}", "01/0002 InPlace");
        b.hears("c1 Resv WF{4B}").is_silent().installs(&["c WF{4B}"]);
        refused(&mut b, "d1 Resv WF{1G}", "21/0001");
    }
}

/// The same for styles (RFC 2205 section 1.3).
#[test]
fn two_next_hops_change_their_style_one_after_the_other() {
    for (before, after) in [("WF{2B}", "FF S1{2B}"), ("FF S1{2B}", "SE S1{2B}"), ("SE S1{2B}", "WF{2G}")] {
        for mut b in Bench::both() {
            b.hears("a1 Path S1{9B}");
            b.hears(&format!("c1 Resv {before}")).hears(&format!("d1 Resv {before}")).forget();
            b.drops(&b.message(&format!("c1 Resv {after}")), Discard::Rejected);
            assert_eq!(b.sent.drain(..).count(), 1, "code 05");
            b.hears(&format!("d1 Resv {after}")).installs(&[&format!("d {after}")]).forget();
            b.hears(&format!("c1 Resv {after}")).is_silent();
            b.installs(&[&format!("c {after}"), &format!("d {after}")]);
        }
    }
}

/// What is put back of another style conflicts with nobody either, and comes back when nothing takes its place.
#[test]
fn a_style_that_nobody_asks_for_any_more_is_in_nobodys_way() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 6).hears("c1 Resv FF S1{4B}").forget();
        refused(&mut b, "c1 Resv SE S1{7B}", "01/0002");
        refused(&mut b, "c2 Resv SE S1{7B}", "01/0002");
        b.installs(&["c FF S1{4B}"]).hears("c2 Resv SE S1 S2{5B}").installs(&["c SE S1 S2{5B}"]);
        assert_eq!(b.engine.requests().count(), 1);
    }
}

/// RFC 2205 section 2.3: how one message divides what there is among its senders does not depend on their order.
#[test]
fn one_sender_grows_by_what_another_gives_back() {
    for after in ["FF S1{1B} S2{4B} S3{1B}", "FF S2{4B} S3{1B} S1{1B}", "FF S3{1B} S2{4B} S1{1B}"] {
        for mut b in Bench::both() {
            b.figure_4().reservable("c", 6).hears("c1 Resv FF S1{4B} S2{1B} S3{1B}").forget();
            b.hears(&format!("c1 Resv {after}"));
            assert!(b.sent.iter().all(|s| s.msg_type() == rsvp_wire::MsgType::RESV));
            b.installs(&["c FF S1{1B}", "c FF S2{4B}", "c FF S3{1B}"]);
        }
    }
    // Among those that take more, it does.
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 6).hears("c1 Resv FF S1{1B} S2{1B} S3{4B}").forget();
        b.hears("c1 Resv FF S1{4B} S2{3B} S3{1B}").installs(&["c FF S1{4B}", "c FF S2{1B}", "c FF S3{1B}"]);
    }
}

/// The same for applications, whose requests nobody refreshes: one after the other they change their service.
#[test]
fn two_applications_change_one_after_the_other() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").reserves(1, "WF{2B}").reserves(2, "WF{3B}").forget();
        assert_eq!(b.reserve(1, "WF{2G}", false), Outcome::Refused(Refusal::ConflictingService));
        b.is_silent().reserves(2, "WF{3G}").sends(&["a>a1 Resv WF{3G}"]);
        b.reserves(1, "WF{4G}").sends(&["a>a1 Resv WF{4G}"]).tells(&[]);
        // Nor does what a next hop had asked for before stand in their way, or theirs in that of a next hop.
        b.releases(2).hears("c1 Resv WF{2G}").forget();
        refused(&mut b, "c1 Resv WF{2B}", "21/0001 InPlace");
        b.reserves(1, "WF{4B}").hears("c1 Resv WF{2B}").installs(&["c WF{2B}"]);
    }
}

/// An application whose request gives way to another style after it wished for that itself is told that it is gone.
#[test]
fn an_application_is_told_when_its_old_style_is_gone() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").reserves(1, "WF{2B}").hears("c1 Resv WF{2B}").forget();
        assert_eq!(b.reserve(1, "FF S1{2B}", false), Outcome::Refused(Refusal::ConflictingStyle));
        b.hears("c1 Resv FF S1{1B}").tells(&["1 ResvError 05/000a WF{2B} at a0"]);
        b.reserves(1, "FF S1{2B}").tells(&[]);
    }
}
