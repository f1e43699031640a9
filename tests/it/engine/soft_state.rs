//! Soft state: lifetimes and refreshes, RFC 2205 sections 2.3 and 3.7.

use super::bench::Bench;
use super::words::{Family, interface};
use core::time::Duration;
use rsvp_node::Config;
use rsvp_wire::MsgType;

/// L = (K + 0.5) * 1.5 * R with K = 3.
fn lifetime(r: f64) -> f64 {
    3.5 * 1.5 * r
}

/// RFC 2205 sections 3.7 (rules 2 and 3), 3.1.5: R is the received one; expiry sends PathTear downstream, and neither
/// ResvTear nor ResvErr.
#[test]
fn path_state_lives_for_l_and_then_a_path_tear_goes_downstream() {
    for r in [30, 10] {
        for mut b in Bench::both() {
            b.takes(&b.message("a1 Path S1{9B}").every(r)).hears("c1 Resv WF{4B}");
            for _ in 0..3 {
                b.seconds(lifetime(f64::from(r)) - 0.01).hears("c1 Resv WF{4B}");
                assert_eq!(b.engine.senders().count(), 1);
                b.takes(&b.message("a1 Path S1{9B}").every(r));
            }
            b.seconds(lifetime(f64::from(r)) - 0.001);
            assert_eq!(b.engine.senders().count(), 1);
            b.hears("c1 Resv WF{4B}").forget();
            b.seconds(0.003);
            b.sends(&["c>G PathTear S1", "d>G PathTear S1"]).installs(&[]).is_empty();
        }
    }
}

/// RFC 2205 section 3.7, rule 7: K is the interface's.
#[test]
fn the_lifetime_uses_k_of_the_interface() {
    for mut b in Bench::both() {
        b.change("a", |i| i.lifetime_multiplier = 5);
        b.takes(&b.message("a1 Path S1{9B}").every(10)).seconds(5.5 * 15.0 - 0.001);
        assert_eq!(b.engine.senders().count(), 1);
        b.seconds(0.003);
        assert_eq!(b.engine.senders().count(), 0);
    }
}

/// RFC 2205 section 3.7, rule 3: a refresh with another R moves the end by that R.
#[test]
fn the_latest_refresh_period_counts() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}");
        b.takes(&b.message("a1 Path S1{9B}").every(5));
        b.seconds(lifetime(5.0) - 0.001);
        assert_eq!(b.engine.senders().count(), 1);
        b.seconds(0.003);
        assert_eq!(b.engine.senders().count(), 0);
    }
}

/// RFC 2205 sections 2.3 and 3.1.6: a reservation that times out leaves a ResvTear upstream.
#[test]
fn reservation_state_lives_for_l_and_then_a_resv_tear_goes_upstream() {
    for mut b in Bench::both() {
        b.takes(&b.message("a1 Path S1{9B}").every(3600));
        b.takes(&b.message("c1 Resv WF{4B}").every(10)).seconds(lifetime(10.0) - 0.1);
        b.takes(&b.message("c1 Resv WF{4B}").every(10)).seconds(lifetime(10.0) - 0.001);
        b.installs(&["c WF{4B}"]).forget();
        b.seconds(0.003).sends(&["a>a1 ResvTear WF{4B}"]).installs(&[]);
        assert_eq!(b.reserved("c"), 0.0);
    }
}

/// RFC 2205 section 2.3: each filter spec of an SE reservation has its own life.
#[test]
fn filters_of_a_shared_explicit_reservation_expire_one_by_one() {
    for mut b in Bench::both() {
        for path in ["b1 Path S2{9B}", "b1 Path S3{9B}", "b1 Path S4{9B}"] {
            b.takes(&b.message(path).every(3600));
        }
        b.takes(&b.message("c1 Resv SE S2 S3 S4{4B}").every(10)).seconds(20.0);
        b.takes(&b.message("c1 Resv SE S2 S3{4B}").every(10)).seconds(20.0);
        b.takes(&b.message("c1 Resv SE S2{4B}").every(10)).forget();
        b.installs(&["c SE S2 S3 S4{4B}"]);
        b.seconds(52.5 - 40.0 + 0.002);
        let tears = |b: &Bench| b.sent.iter().filter(|s| s.msg_type() == MsgType::RESV_TEAR).count();
        assert_eq!(tears(&b), 1);
        b.installs(&["c SE S2 S3{4B}"]).seconds(20.0).installs(&["c SE S2{4B}"]);
        b.seconds(20.0).installs(&[]);
        assert_eq!(tears(&b), 3);
    }
}

/// RFC 2205 section 3.7, rule 1: the refresh timer is random in [0.5R, 1.5R], for each interface with its own R.
#[test]
fn refreshes_stay_within_half_and_one_and_a_half_r_over_many_periods() {
    for mut b in Bench::both() {
        b.change("d", |i| i.refresh = Duration::from_secs(8));
        b.change("a", |i| i.refresh = Duration::from_secs(12));
        b.takes(&b.message("a1 Path S1{9B}").every(3_600));
        b.takes(&b.message("c1 Resv WF{4B}").every(3_600));
        b.seconds(6000.0);
        for (letter, kind, r) in [("c", MsgType::PATH, 30), ("d", MsgType::PATH, 8), ("a", MsgType::RESV, 12)]
        {
            let of_kind = |s: &&super::sent::Sent| s.interface == interface(letter) && s.msg_type() == kind;
            let times: Vec<_> = b.sent.iter().filter(of_kind).map(|s| s.at).collect();
            let gaps: Vec<Duration> = times.windows(2).map(|w| w[1] - w[0]).collect();
            let r = Duration::from_secs(r);
            let tick = Duration::from_millis(2);
            assert!(gaps.len() > 150, "{} refreshes on {letter}", gaps.len());
            assert!(gaps.iter().all(|g| *g >= r / 2 && *g <= r * 3 / 2 + tick), "on {letter}: {gaps:?}");
            let spread = gaps.iter().any(|g| *g < r * 7 / 10) && gaps.iter().any(|g| *g > r * 13 / 10);
            assert!(spread, "the whole of the range is used on {letter}");
        }
    }
}

/// RFC 2205 section 2.3: refreshes end with the state.
#[test]
fn nothing_is_refreshed_that_is_gone() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").hears("c1 ResvTear WF").forget();
        b.seconds(100.0);
        assert!(b.sent.drain(..).all(|s| s.msg_type() == MsgType::PATH));
        b.seconds(100.0).forget().is_empty();
        b.seconds(1000.0).is_silent();
    }
}

/// RFC 2205 section 2.3: a refresh keeps all of the request alive, not only the first of its filters.
#[test]
fn a_refresh_keeps_every_filter_alive() {
    for flows in ["FF S1{4B} S2{5B}", "SE S1 S2{4B}"] {
        for mut b in Bench::both() {
            b.takes(&b.message("a1 Path S1{9B}").every(600));
            b.takes(&b.message("b1 Path S2{9B}").every(600));
            for _ in 0..12 {
                b.hears(&format!("c1 Resv {flows}")).seconds(30.0);
            }
            assert_eq!(b.engine.requests().map(|r| r.flows.len()).collect::<Vec<_>>(), [2]);
        }
    }
}

/// RFC 2205 section 3.7, rule 7: Slew.Max is the interface's.
#[test]
fn the_refresh_period_grows_by_slew_max_of_the_interface() {
    for mut b in Bench::both() {
        b.change("c", |i| i.slew_max_percent = 50);
        b.takes(&b.message("a1 Path S1{9B}").every(3_600));
        b.change("c", |i| i.refresh = Duration::from_secs(60));
        b.change("d", |i| i.refresh = Duration::from_secs(60)).forget().seconds(300.0);
        let second = |letter: &str| {
            let of = |s: &&super::sent::Sent| s.interface == interface(letter);
            b.sent.iter().find(of).map(|s| s.get::<rsvp_wire::TimeValues>().refresh_ms)
        };
        assert_eq!((second("c"), second("d")), (Some(45_000), Some(39_000)));
    }
}

/// RFC 2205 section 2.5: blockade state neither removes the reservations it blocks nor keeps them from being refreshed. They
/// stand as long as their next hops refresh them, and end like any other when those do not.
#[test]
fn what_is_blockaded_stays_reserved_as_long_as_it_is_refreshed() {
    for mut b in Bench::both() {
        b.takes(&b.message("a1 Path S1{9B}").every(3600));
        b.hears("c1 Resv WF{4B}").hears("d1 Resv WF{2B}");
        for _ in 0..12 {
            b.hears("a1 ResvErr 01/0002 WF{4B}").seconds(30.0);
            assert_eq!(b.engine.blockades().count(), 1);
            b.hears("c1 Resv WF{4B}").hears("d1 Resv WF{2B}").installs(&["c WF{4B}", "d WF{2B}"]);
        }
        b.seconds(157.4).installs(&["c WF{4B}", "d WF{2B}"]).seconds(0.2).installs(&[]);
    }
}

/// RFC 2205 section 3.7, rule 6: what is new is sent again early, once, where the node is told to; then as often as any other.
#[test]
fn what_is_new_is_sent_again_early_and_then_as_any_other() {
    for family in [Family::V4, Family::V6] {
        let mut b = Bench::new(family, Config { seed: 5, repeats_new: true, ..Config::default() });
        b.takes(&b.message("a1 Path S1{9B}").every(3_600));
        b.takes(&b.message("c1 Resv WF{4B}").every(3_600));
        let early = Duration::from_secs(30) / 16;
        let sent = |b: &Bench, letter: &str, kind| {
            let of_kind = |s: &&super::sent::Sent| s.interface == interface(letter) && s.msg_type() == kind;
            b.sent.iter().filter(of_kind).map(|s| s.at).collect::<Vec<_>>()
        };
        b.seconds(100.0);
        for (letter, kind) in [("c", MsgType::PATH), ("d", MsgType::PATH), ("a", MsgType::RESV)] {
            let gaps: Vec<Duration> = sent(&b, letter, kind).windows(2).map(|w| w[1] - w[0]).collect();
            let tick = Duration::from_millis(2);
            assert!(gaps[0] >= early / 2 && gaps[0] <= early * 3 / 2 + tick, "on {letter}: {gaps:?}");
            assert!(gaps[1..].iter().all(|gap| *gap >= Duration::from_secs(15)), "on {letter}: {gaps:?}");
        }
        // What is changed is no new state; what is asked for anew is.
        b.forget();
        b.takes(&b.message("c1 Resv WF{5B}").every(3_600));
        b.seconds(10.0);
        assert_eq!(sent(&b, "a", MsgType::RESV).len(), 1);
        b.hears("c1 ResvTear WF{5B}").forget();
        b.takes(&b.message("c1 Resv WF{4B}").every(3_600));
        b.seconds(10.0);
        assert_eq!(sent(&b, "a", MsgType::RESV).len(), 2);
    }
}
