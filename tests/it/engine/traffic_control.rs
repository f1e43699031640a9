//! What the data plane answers: failure, preemption, and reduction in place (RFC 2205 section 3.11.2 and Appendix B, RFC
//! 4495).

use super::bench::Bench;
use super::words::{controlled, tspec};
use rsvp_node::{Discard, Input, Outcome, ReservationId, TcAnswer, TcVerdict};
use rsvp_wire::{Flowspec, MsgType, Rspec, SenderTspec, Tspec};

/// The id of the reservation on an interface.
fn id(b: &Bench, letter: &str) -> ReservationId {
    let on = super::words::interface(letter);
    b.engine.reservations().find(|(_, at, _)| *at == on).expect("a reservation").0
}

fn answer(b: &mut Bench, reservation: ReservationId, verdict: TcVerdict) -> Outcome {
    b.input(Input::TrafficControl(TcAnswer { reservation, verdict }))
}

/// RFC 2205 Appendix B, code 22: what cannot be installed is removed along the path, and its budget is free again.
#[test]
fn what_cannot_be_installed_is_removed_and_reported() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S1{4B} S2{5B}").forget();
        let first = id(&b, "c");
        assert_eq!(answer(&mut b, first, TcVerdict::Failed), Outcome::Taken);
        b.sends(&["a>a1 ResvTear FF S1{4B}", "c>c1 ResvErr 22/0000 FF S1{4B}"]).installs(&["c FF S2{5B}"]);
        assert_eq!(b.reserved("c"), 5.0);
        b.forget().hears("c1 Resv FF S1{4B} S2{5B}").installs(&["c FF S1{4B}", "c FF S2{5B}"]);
    }
}

/// RFC 2205 Appendix B, code 21: the value says what is wrong with the request.
#[test]
fn what_the_data_plane_can_never_do_is_a_traffic_control_error() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        let reservation = id(&b, "c");
        assert_eq!(answer(&mut b, reservation, TcVerdict::Unfit { value: 3 }), Outcome::Taken);
        b.sends(&["a>a1 ResvTear WF{4B}", "b>b1 ResvTear WF{4B}", "c>c1 ResvErr 21/0003 WF{4B}"])
            .installs(&[]);
        assert_eq!(b.reserved("c"), 0.0);
    }
}

/// RFC 2205 Appendix B, code 12.
#[test]
fn what_is_preempted_is_removed_and_reported() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        let reservation = id(&b, "c");
        assert_eq!(answer(&mut b, reservation, TcVerdict::Preempted), Outcome::Taken);
        b.sends(&["a>a1 ResvTear WF{4B}", "b>b1 ResvTear WF{4B}", "c>c1 ResvErr 12/0000 WF{4B}"])
            .installs(&[]);
        assert_eq!(b.reserved("c"), 0.0);
    }
}

/// RFC 4495 sections 5 to 5.2: error 02/102 with the flowspec that can be had, no ResvTear; upstream the smaller request
/// follows. It stays so for as long as the same is asked for, whatever the budget says.
#[test]
fn a_reduced_reservation_stays_with_less() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}").forget();
        let reservation = id(&b, "c");
        assert_eq!(answer(&mut b, reservation, TcVerdict::Reduced { rate: 1000.0 }), Outcome::Taken);
        b.sends(&["a>a1 Resv FF S1{1B}", "c>c1 ResvErr 02/0066 InPlace FF S1{1B}"])
            .installs(&["c FF S1{1B}"]);
        assert_eq!(b.reserved("c"), 1.0);
        for _ in 0..10 {
            b.forget().seconds(30.0).hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}");
            b.sent.retain(|s| s.msg_type() != MsgType::PATH);
            b.sent.iter().for_each(|s| assert_eq!(s.get::<Flowspec>(), controlled(1.0)));
            b.tells(&[]).commands_traffic_control(&[]).installs(&["c FF S1{1B}"]);
        }
    }
}

/// A refresh that says the same in other words is processed in full, and asks for no more than before either.
#[test]
fn a_reduction_outlives_refreshes_in_other_words() {
    for (flows, left) in
        [("FF S1{4B} S2{4B}", "FF S1{1B}"), ("SE S1 S2{4B}", "SE S1 S2{1B}"), ("WF{4B}", "WF{1B}")]
    {
        for mut b in Bench::both() {
            b.figure_4().hears(&format!("c1 Resv {flows}"));
            let on_c =
                b.engine.reservations().find(|(_, _, r)| r.filters.first() != Some(&b.family.sender("S2")));
            let reservation = on_c.expect("a reservation").0;
            answer(&mut b, reservation, TcVerdict::Reduced { rate: 1000.0 });
            let resv = format!("c1 Resv {flows}");
            b.takes(&b.message(&resv).object(0xc1, 1, &[1; 4]));
            b.takes(&b.message(&resv).every(20));
            b.forget().hears("a1 Path S1{8B}");
            b.takes(&b.message(&resv).confirm("c7")).forget();
            b.hears(&resv).commands_traffic_control(&[]);
            let distinct = flows.starts_with("FF");
            let whole = distinct.then_some("c FF S2{4B}");
            let reduced = format!("c {left}");
            b.installs(&whole.into_iter().chain([reduced.as_str()]).collect::<Vec<_>>());
        }
    }
}

/// RFC 2205 section 3.1.4: packing is optional. What came in a message of its own, and of which no octets were kept until another came
/// beside it, asks for no more than before either.
#[test]
fn a_reduction_outlives_refreshes_of_what_came_in_several_messages() {
    for (parts, left) in [
        (["FF S1{4B}", "FF S2{5B}"], ["c FF S1{1B}", "c FF S2{5B}"].as_slice()),
        (["SE S1{4B}", "SE S2{4B}"], &["c SE S1 S2{1B}"]),
    ] {
        for mut b in Bench::both() {
            b.figure_4();
            for part in parts {
                b.hears(&format!("c1 Resv {part}"));
            }
            let of_s1 = |b: &Bench| {
                let s1 = b.family.sender("S1");
                b.engine.reservations().find(|(_, _, r)| r.filters.contains(&s1)).expect("a reservation").0
            };
            let reservation = of_s1(&b);
            answer(&mut b, reservation, TcVerdict::Reduced { rate: 1000.0 });
            b.installs(left);
            for _ in 0..3 {
                b.hears("a1 Path S1{8B}").hears("b1 Path S2{8B}");
                for part in parts {
                    b.hears(&format!("c1 Resv {part}")).installs(left);
                }
            }
        }
    }
}

/// Whoever asks for something else is judged anew, and what has been removed since can be had as it is asked for.
#[test]
fn a_reduction_ends_with_a_change_of_the_request_or_with_the_reservation() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}");
        let reservation = id(&b, "c");
        answer(&mut b, reservation, TcVerdict::Reduced { rate: 1000.0 });
        b.forget().hears("c1 Resv FF S1{3B}").sends(&["a>a1 Resv FF S1{3B}"]).installs(&["c FF S1{3B}"]);
        b.hears("c1 Resv FF S1{4B}").installs(&["c FF S1{4B}"]);
        answer(&mut b, reservation, TcVerdict::Reduced { rate: 1000.0 });
        b.reservable("c", 2).forget();
        b.drops(&b.message("c1 Resv FF S1{3B}"), Discard::Rejected);
        b.sends(&["c>c1 ResvErr 01/0002 InPlace FF S1{3B}"]).installs(&["c FF S1{1B}"]);
        b.reservable("c", 9).hears("c1 ResvTear FF S1").hears("c1 Resv FF S1{4B}").installs(&["c FF S1{4B}"]);
    }
}

/// RFC 4495 section 4, requirement 4: an indication that comes again reduces nothing further.
#[test]
fn a_reduction_that_is_repeated_changes_nothing() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}");
        let reservation = id(&b, "c");
        answer(&mut b, reservation, TcVerdict::Reduced { rate: 1000.0 });
        b.forget();
        assert_eq!(answer(&mut b, reservation, TcVerdict::Reduced { rate: 1000.0 }), Outcome::Taken);
        b.is_silent().installs(&["c FF S1{1B}"]);
    }
}

/// Of Guaranteed service R is reduced with r; of the Null service there is nothing to reduce.
#[test]
fn a_reduction_is_of_the_rate_that_the_service_has() {
    let (tspec, null) = (tspec(4.0), Tspec::null(1500));
    for (asked, left) in [
        (
            Flowspec::Guaranteed(tspec, Rspec { rate: 5000.0, slack: 7 }),
            Flowspec::Guaranteed(Tspec { rate: 1000.0, ..tspec }, Rspec { rate: 1000.0, slack: 7 }),
        ),
        (Flowspec::Null(null), Flowspec::Null(null)),
    ] {
        for mut b in Bench::both() {
            let mut path = b.message("a1 Path S1{9B}");
            if matches!(asked, Flowspec::Null(_)) {
                path.tspec = Some(SenderTspec::null(1500));
            }
            b.takes(&path);
            let resv = b.message("c1 Resv FF S1");
            b.takes(&resv.with(|m| m.flows.as_mut().expect("a Resv").flows[0].0 = Some(asked)));
            let reservation = id(&b, "c");
            assert_eq!(answer(&mut b, reservation, TcVerdict::Reduced { rate: 1000.0 }), Outcome::Taken);
            assert_eq!(b.engine.reservations().next().expect("one").2.flowspec, left);
        }
    }
}

/// Only those who asked for more than is left are told.
#[test]
fn a_reduction_is_told_to_those_who_asked_for_more() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{1B}").hears("c2 Resv WF{4B}").forget();
        let reservation = id(&b, "c");
        answer(&mut b, reservation, TcVerdict::Reduced { rate: 2000.0 });
        b.sends(&["a>a1 Resv WF{2B}", "c>c2 ResvErr 02/0066 InPlace WF{2B}"]);
        let left = b.engine.reservations().next().expect("one").2.flowspec;
        assert!(matches!(left, Flowspec::ControlledLoad(t) if t.rate == 2000.0));
    }
}

/// An answer that is late is about a reservation that is gone.
#[test]
fn an_answer_about_a_reservation_that_is_gone_is_discarded() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}");
        let reservation = id(&b, "c");
        b.hears("c1 ResvTear FF S1").hears("c1 Resv FF S1{2B}").forget();
        assert_eq!(answer(&mut b, reservation, TcVerdict::Failed), Outcome::Discarded(Discard::NoState));
        let nowhere = ReservationId { index: 9999, generation: 0 };
        assert_eq!(answer(&mut b, nowhere, TcVerdict::Preempted), Outcome::Discarded(Discard::NoState));
        b.is_silent().installs(&["c FF S1{2B}"]);
    }
}
