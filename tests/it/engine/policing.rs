//! Branch policing beyond the plain case, which is in [`rules`](super::rules): RFC 2205 section 3.8.

use super::bench::Bench;
use super::words::{controlled, interface};
use rsvp_wire::{Flowspec, Tspec};

/// Whether the reservation on an interface is to be policed because a branch elsewhere has more.
fn is_branch(b: &Bench, letter: &str) -> bool {
    let on = b.engine.reservations().find(|(_, on, _)| *on == interface(letter));
    on.expect("a reservation").2.police.branch
}

/// Incomparable is not enough either: then both branches are policed.
#[test]
fn branch_policing_is_on_both_sides_where_flowspecs_are_incomparable() {
    for mut b in Bench::both() {
        b.figure_4();
        let bursty = Flowspec::ControlledLoad(Tspec { bucket: 900.0, ..*controlled(5.0).tspec() });
        b.hears("c1 Resv FF S1{4B}");
        let resv = b.message("d1 Resv FF S1{4B}");
        b.takes(&resv.with(|m| m.flows.as_mut().unwrap().flows[0].0 = Some(bursty)));
        assert_eq!((is_branch(&b, "c"), is_branch(&b, "d")), (true, true));
        b.hears("d1 Resv FF S1{4B}");
        assert_eq!((is_branch(&b, "c"), is_branch(&b, "d")), (false, false));
    }
}

/// In shared styles what counts is a sender in common.
#[test]
fn branch_policing_of_shared_reservations_is_by_senders_in_common() {
    for (on_c, on_d, policed) in [
        ("WF{4B}", "WF{2B}", true),
        ("SE S1 S2{4B}", "SE S2 S3{2B}", true),
        ("SE S1{4B}", "SE S2 S3{2B}", false),
    ] {
        for mut b in Bench::both() {
            b.figure_4().hears(&format!("c1 Resv {on_c}")).hears(&format!("d1 Resv {on_d}"));
            assert_eq!((is_branch(&b, "c"), is_branch(&b, "d")), (false, policed), "{on_c} {on_d}");
        }
    }
}
