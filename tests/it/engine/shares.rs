//! Bounds within an interface's budget: a share for each service, and for each reservation (RFC 2205 sections 1.2 and 2.5); and
//! what packets have on the link beside IP (RFC 2212, Guidelines for Implementors).

use super::admission::another;
use super::bench::Bench;
use super::words::interface;
use rsvp_node::{Discard, Held, Input, Shares};

/// Sets what may be had on c, in multiples of B: by Guaranteed service, by Controlled-Load, by one reservation.
fn shares(b: &mut Bench, [guaranteed, load, flow]: [u64; 3]) {
    let of = |n: u64| n.saturating_mul(8_000);
    b.change("c", |i| {
        i.shares =
            Shares { guaranteed_bps: of(guaranteed), controlled_load_bps: of(load), flow_bps: of(flow) };
    });
}

const ALL: u64 = u64::MAX;

#[track_caller]
fn refused(b: &mut Bench, resv: &str, error: &str) {
    b.forget();
    b.drops(&b.message(resv), Discard::Rejected);
    let (hop, rest) = resv.split_once(" Resv ").expect("a Resv");
    b.sends(&[&format!("{}>{hop} ResvErr {error} {rest}", &hop[..1])]);
}

/// One session has one service; another has what is left to the other.
#[test]
fn each_service_has_its_share_and_the_total_counts_for_both() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 12);
        shares(&mut b, [4, 8, ALL]);
        refused(&mut b, "c1 Resv FF S1{5G}", "01/0002");
        b.hears("c1 Resv FF S1{4G}").installs(&["c FF S1{4G}"]);
        refused(&mut b, "c1 Resv FF S2{0.001G}", "01/0002");
        // What is given back can be had again.
        b.hears("c1 Resv FF S1{2G}").hears("c1 Resv FF S2{2G}").installs(&["c FF S1{2G}", "c FF S2{2G}"]);
        b.hears("c1 ResvTear FF S1 S2").installs(&[]);
        refused(&mut b, "c1 Resv FF S1{8.5B}", "01/0002");
        b.hears("c1 Resv FF S1{8B}").installs(&["c FF S1{8B}"]);
        assert_eq!(b.reserved("c"), 8.0);
        // Less than now is had whatever the share has become; more is not.
        shares(&mut b, [4, 3, ALL]);
        b.hears("c1 Resv FF S1{7B}").installs(&["c FF S1{7B}"]);
        refused(&mut b, "c1 Resv FF S1{7.5B}", "01/0002 InPlace");
        b.hears("c1 ResvTear FF S1");
        assert_eq!(b.reserved("c"), 0.0);
    }
}

/// The total is the smaller bound where it is.
#[test]
fn shares_do_not_make_the_total_larger() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 6);
        shares(&mut b, [ALL, 9, ALL]);
        b.hears("c1 Resv FF S1{4B}");
        refused(&mut b, "c1 Resv FF S2{3B}", "01/0002");
        b.hears("c1 Resv FF S2{2B}");
        assert_eq!(b.reserved("c"), 6.0);
    }
}

/// An organization-specific sub-code: RFC 2205 Appendix B, ss = 10.
#[test]
fn one_reservation_may_have_so_much() {
    for mut b in Bench::both() {
        b.figure_4();
        shares(&mut b, [ALL, ALL, 3]);
        refused(&mut b, "c1 Resv FF S1{4B}", "01/8002");
        refused(&mut b, "c1 Resv FF S1{4G}", "01/8002");
        b.hears("c1 Resv FF S1{3B}").hears("c1 Resv FF S2{3B}").installs(&["c FF S1{3B}", "c FF S2{3B}"]);
        // A rate is what failed: who asks for less of it is not held up by those who do not (RFC 2205 section 3.5).
        refused(&mut b, "c2 Resv FF S1{4B}", "01/8002 InPlace");
    }
}

/// What is charged has the headers of as many packets as can be, of m octets each.
#[test]
fn headers_on_the_link_are_charged() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 9);
        b.change("c", |i| i.overhead = 64);
        // m is 64 in all flowspecs of the bench: twice as much.
        b.hears("c1 Resv FF S1{4B}");
        let on_c = b.engine.reservations().find(|(_, on, _)| *on == interface("c")).expect("a reservation").2;
        assert_eq!((on_c.charge_bps, b.reserved("c")), (64_000, 8.0));
        refused(&mut b, "c1 Resv FF S2{1B}", "01/0002");
        b.hears("c1 Resv FF S2{0.5B}");
        assert_eq!(b.reserved("c"), 9.0);
    }
}

/// What stands from an earlier run is of the total and of its service's share, until its session has asked for it.
#[test]
fn what_stands_from_an_earlier_run_is_of_its_service() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 12);
        shares(&mut b, [4, 9, ALL]);
        let (mine, other) = (b.session, another(b.session));
        let held = |session, guaranteed, n: u64| {
            Input::Held(Held { interface: interface("c"), session, guaranteed, bps: n * 8_000 })
        };
        b.input(held(other, true, 3));
        refused(&mut b, "c1 Resv FF S1{2G}", "01/0002");
        b.hears("c1 Resv FF S1{1G}").hears("c1 ResvTear FF S1");
        // Controlled-Load's share is whole, but more than 8 of all are not there.
        b.input(held(other, true, 4));
        refused(&mut b, "c1 Resv FF S1{8.5B}", "01/0002");
        b.hears("c1 Resv FF S1{8B}").hears("c1 ResvTear FF S1");
        b.input(held(other, false, 3));
        refused(&mut b, "c1 Resv FF S1{5.5B}", "01/0002");
        b.input(held(other, true, 0));
        b.input(held(other, false, 0));
        // Its own is nobody else's, of either service, and what it takes it has no more beside.
        b.input(held(mine, true, 4));
        b.input(held(mine, false, 5));
        b.hears("c1 Resv FF S1{8B}").hears("c1 Resv FF S2{3G}");
        refused(&mut b, "c1 Resv FF S3{2G}", "01/0002");
        assert_eq!(b.reserved("c"), 11.0);
    }
}
