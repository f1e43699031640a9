//! An interface goes down: what it has brought and what it serves leaves at once, with tears, but not before routing has had its say
//! (RFC 2205 sections 2.3, 3.6 and 3.11.4).

use super::bench::Bench;
use rsvp_node::Input;

/// Path state dies as it would without refreshes: PathTears follow the data, and reservations go without a word upstream.
#[test]
fn path_state_that_came_in_by_an_interface_leaves_with_it() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv SE S1 S2{4B}").hears("d1 Resv SE S3{1B}").forget();
        b.change("b", |i| i.up = false).is_silent().seconds(0.0);
        b.sends(&["c>G PathTear S2", "d>G PathTear S2", "c>G PathTear S3", "d>G PathTear S3"]);
        b.installs(&["c SE S1{4B}"]);
        b.change("a", |i| i.up = false).seconds(0.0);
        b.sends(&["c>G PathTear S1", "d>G PathTear S1"]).is_empty();
    }
}

/// Reservations on it are removed, and upstream it is said what is left.
#[test]
fn what_is_asked_for_on_an_interface_leaves_with_it() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").hears("d1 Resv WF{1B}").forget();
        b.change("c", |i| i.up = false).is_silent().seconds(0.0);
        b.sends(&["a>a1 Resv WF{1B}", "b>b1 Resv WF{1B}"]).installs(&["d WF{1B}"]);
        // The same where RSVP is switched off and not the link.
        b.change("d", |i| i.enabled = false).seconds(0.0);
        b.sends(&["a>a1 ResvTear WF{1B}", "b>b1 ResvTear WF{1B}"]).installs(&[]);
        assert_eq!((b.engine.senders().count(), b.engine.requests().count()), (3, 0));
    }
}

/// Paths leave at once when it is back: the other end may have lost the same.
#[test]
fn an_interface_that_is_back_hears_all_paths_at_once() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        b.change("c", |i| i.up = false).seconds(1.0).forget();
        b.change("c", |i| i.up = true);
        b.sends(&["c>G Path S1{9B}", "c>G Path S2{9B}", "c>G Path S3{9B}"]);
        b.hears("c1 Resv WF{4B}").sends(&["a>a1 Resv WF{4B}", "b>b1 Resv WF{4B}"]);
    }
}

/// Where routing has another way, told right after or known already, local repair has its time: reservations are made on the new
/// way before those of the old are given up.
#[test]
fn reservations_stand_while_local_repair_finds_another_way() {
    for mut b in Bench::both() {
        b.route("S1", Some("a"), "c").hears("a1 Path S1{9B}").hears("c1 Resv WF{4B}").forget();
        b.change("c", |i| i.up = false).route("S1", Some("a"), "d");
        b.input(Input::RouteChanged { destination: None });
        b.is_silent().seconds(1.9).is_silent().seconds(0.2).sends(&["d>G Path S1{9B}"]);
        b.hears("d1 Resv WF{4B}").seconds(1.7).is_silent().installs(&["c WF{4B}", "d WF{4B}"]);
        b.seconds(0.3).is_silent().installs(&["d WF{4B}"]);
        assert_eq!(b.engine.requests().count(), 1, "what is left behind goes when local repair ends");
    }
}

/// The same for path state that multicast routing expects from elsewhere now: the data may be on its way from there.
#[test]
fn path_state_stands_while_local_repair_waits_for_it_from_elsewhere() {
    for mut b in Bench::both() {
        b.route("S1", Some("a"), "c").hears("a1 Path S1{9B}").hears("c1 Resv WF{4B}").forget();
        b.change("a", |i| i.up = false).route("S1", Some("b"), "c");
        b.input(Input::RouteChanged { destination: None });
        b.seconds(1.0).installs(&["c WF{4B}"]);
        b.hears("b1 Path S1{9B}").sends_among_others("b>b1 Resv WF{4B}");
        b.forget().seconds(10.0).installs(&["c WF{4B}"]);
    }
}
