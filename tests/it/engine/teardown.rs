//! PathTear and ResvTear: RFC 2205 sections 3.1.5, 3.1.6 and 3.10.

use super::bench::Bench;
use super::message::{lih, object};
use super::words::interface;
use rsvp_node::{Discard, Requester};
use rsvp_wire::Session;

/// RFC 2205 section 3.1.5: forwarded like the Path, with the sender as source (the audit of the bench).
#[test]
fn a_path_tear_deletes_path_state_and_is_forwarded() {
    for mut b in Bench::both() {
        b.figure_4();
        let sent = b.hears("a1 PathTear S1").sent.clone();
        b.sends(&["c>G PathTear S1", "d>G PathTear S1"]);
        assert!(sent.iter().all(|s| s.ttl == 59));
        b.drops(&b.message("a1 PathTear S1"), Discard::NoState).is_silent();
        b.hears("b1 PathTear S2").hears("b1 PathTear S3").is_empty();
    }
}

/// RFC 2205 section 3.1.5: matching state must match SESSION, SENDER_TEMPLATE and PHOP, which is address and handle.
#[test]
fn a_path_tear_from_another_previous_hop_is_discarded() {
    for b in Bench::both().into_iter().chain(Bench::unicast()) {
        let mut b = b;
        b.hears("a1 Path S1{9B}").forget();
        b.drops(&b.message("a2 PathTear S1"), Discard::NoState);
        b.drops(&b.message("a1 PathTear S1").lih(9), Discard::NoState);
        b.drops(&b.message("a1 PathTear S2"), Discard::NoState);
        let other = Session::new(b.session.destination(), 17, 7001);
        b.drops(&b.message("a1 PathTear S1").with(|m| m.session = other), Discard::NoState);
        b.is_silent();
        assert_eq!(b.engine.senders().count(), 1);
    }
}

/// RFC 2205 section 3.1.5: in a multicast session only state of the interface on which it arrived.
#[test]
fn a_multicast_path_tear_matches_the_interface_it_arrived_on() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("b1 Path S1{9B}").forget();
        b.drops(&b.message("a1 PathTear S1").on("b"), Discard::NoState);
        b.hears("b1 PathTear S1").is_silent();
        assert_eq!(b.engine.senders().count(), 1, "Local_Only state goes without a PathTear");
        b.hears("a1 PathTear S1").sends(&["c>G PathTear S1", "d>G PathTear S1"]).is_empty();
    }
}

/// RFC 2205 section 3.1.5: explicit filters of the sender go, no ResvTear, no Resv, no ResvErr.
#[test]
fn a_path_tear_takes_the_explicit_filters_of_its_sender_quietly() {
    for (resv, left) in [("FF S2{4B} S3{2B}", "c FF S3{2B}"), ("SE S2 S3{4B}", "c SE S3{4B}")] {
        for mut b in Bench::both() {
            b.figure_4().hears(&format!("c1 Resv {resv}")).forget();
            b.hears("b1 PathTear S2").sends(&["c>G PathTear S2", "d>G PathTear S2"]).installs(&[left]);
            b.hears("b1 PathTear S3").sends(&["c>G PathTear S3", "d>G PathTear S3"]).installs(&[]);
            assert_eq!(b.engine.requests().count(), 0);
            b.hears("a1 PathTear S1").is_empty();
        }
    }
}

/// RFC 2205 section 3.1.5: nor a ResvTear later: the next refresh just does not name the sender any more.
#[test]
fn the_refresh_after_a_path_tear_does_not_tear_what_is_gone_upstream() {
    for (resv, left) in [("FF S2{4B} S3{2B}", "b>b1 Resv FF S3{2B}"), ("SE S2 S3{4B}", "b>b1 Resv SE S3{4B}")]
    {
        for mut b in Bench::both() {
            b.figure_4().hears(&format!("c1 Resv {resv}")).hears("b1 PathTear S2").forget();
            b.seconds(45.1);
            b.sent.retain(|s| s.interface == interface("b"));
            b.sent.truncate(1);
            b.sends(&[left]);
            b.seconds(60.0);
            assert!(b.sent.iter().all(|s| s.msg_type() != rsvp_wire::MsgType::RESV_TEAR));
        }
    }
}

/// RFC 2205 section 3.1.5: a wildcard reservation goes with the last sender.
#[test]
fn a_wildcard_reservation_goes_with_the_last_sender_only() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        b.hears("a1 PathTear S1").hears("b1 PathTear S3").installs(&["c WF{4B}"]);
        b.hears("b1 PathTear S2").installs(&[]).is_empty();
        b.sends(&[
            "c>G PathTear S1",
            "c>G PathTear S2",
            "c>G PathTear S3",
            "d>G PathTear S1",
            "d>G PathTear S2",
            "d>G PathTear S3",
        ]);
    }
}

/// RFC 2205 section 2.2: the effective flowspec follows the senders that remain.
#[test]
fn a_path_tear_lowers_the_limit_of_a_shared_reservation() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{20B}").installs(&["c WF{20B}"]);
        b.hears("a1 PathTear S1").installs(&["c WF{18B,b2}"]);
        assert_eq!(b.reserved("c"), 18.0);
    }
}

/// RFC 2205 section 3.10: forwarded in the same message, as they are.
#[test]
fn unknown_objects_of_a_path_tear_are_forwarded() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        b.takes(&b.message("a1 PathTear S1").object(0xd0, 2, &[5; 8]).object(0x90, 1, &[0; 4]));
        assert_eq!(b.sent.len(), 2);
        for sent in b.sent.drain(..) {
            assert_eq!(sent.objects(0xd0), [object(0xd0, 2, &[5; 8])]);
            assert!(sent.objects(0x90).is_empty());
        }
        b.is_empty();
    }
}

/// RFC 2205 section 3.1.6, the three cases for Figure 6: forwarded, a modified Resv, nothing.
#[test]
fn the_three_fates_of_a_resv_tear() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S1{4B} S2{5B}").hears("d1 Resv FF S1{3B} S3{1B}");
        b.hears("d2 Resv FF S1{1B}").forget();
        b.hears("d1 ResvTear FF S3").sends(&["b>b1 ResvTear FF S3{1B}"]);
        b.hears("c1 ResvTear FF S1").sends(&["a>a1 Resv FF S1{3B}"]);
        b.hears("d2 ResvTear FF S1").is_silent();
        b.installs(&["c FF S2{5B}", "d FF S1{3B}"]);
        b.hears("d1 ResvTear FF S1").sends(&["a>a1 ResvTear FF S1{3B}"]);
        b.hears("c1 ResvTear FF S2").sends(&["b>b1 ResvTear FF S2{5B}"]).installs(&[]);
    }
}

/// RFC 2205 section 3.1.6: SESSION, STYLE, FILTER_SPEC and the handle must match.
#[test]
fn a_resv_tear_that_matches_nothing_is_discarded() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S2{5B}").forget();
        for text in ["c1 ResvTear SE S2", "c1 ResvTear WF", "c1 ResvTear FF S3", "c2 ResvTear FF S2"] {
            b.drops(&b.message(text), Discard::NoState);
        }
        let d = lih(interface("d"));
        b.drops(&b.message("c1 ResvTear FF S2").lih(d), Discard::NoState);
        b.drops(&b.message("c1 ResvTear FF S2").lih(9), Discard::BadLih);
        let other = Session::new(b.session.destination(), 17, 7001);
        b.drops(&b.message("c1 ResvTear FF S2").with(|m| m.session = other), Discard::NoState);
        b.is_silent().installs(&["c FF S2{5B}"]);
    }
}

/// RFC 2205 section 3.1.6: FLOWSPECs may be there and are ignored, and any subset of the filters may be named.
#[test]
fn a_resv_tear_ignores_flowspecs_and_takes_any_subset() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv SE S1 S2 S3{5B}").forget();
        b.hears("c1 ResvTear SE S1 S3{1B}").sends(&["a>a1 ResvTear SE S1{5B}", "b>b1 ResvTear SE S3{5B}"]);
        b.installs(&["c SE S2{5B}"]);
        b.hears("c1 ResvTear SE S2 S4").sends(&["b>b1 ResvTear SE S2{5B}"]).installs(&[]);
        // Whatever a flowspec says, and in the other styles, too.
        for flows in ["FF S2{4B}", "WF{4B}"] {
            b.hears(&format!("c1 Resv {flows}")).forget();
            let tear = b.message(&format!("c1 ResvTear {flows}")).with(|m| {
                m.flows.as_mut().unwrap().flows[0].0 = Some(super::words::controlled(f32::NAN));
            });
            b.takes(&tear).installs(&[]);
            assert!(b.sent.drain(..).all(|s| s.msg_type() == rsvp_wire::MsgType::RESV_TEAR));
        }
    }
}

/// RFC 2205 section 3.1.6: a FLOWSPEC in a ResvTear may be omitted, but not everybody can read it then. It is what was
/// last sent, for each FF filter its own.
#[test]
fn a_resv_tear_says_what_was_last_sent() {
    for (flows, tear, said) in [
        ("FF S2{4B} S3{2B}", "FF S2 S3", "FF S2{4B} S3{2B}"),
        ("FF S2{4G} S3{2G}", "FF S3", "FF S3{2G}"),
        ("SE S2 S3{4B}", "SE S2", "SE S2{4B}"),
        ("SE S2 S3{4G}", "SE S2 S3", "SE S2 S3{4G}"),
        ("WF{4B}", "WF", "WF{4B}"),
    ] {
        for mut b in Bench::both() {
            b.hears("b1 Path S2{9B}").hears("b1 Path S3{9B}").hears(&format!("c1 Resv {flows}")).forget();
            b.hears(&format!("c1 ResvTear {tear}")).sends(&[&format!("b>b1 ResvTear {said}")]);
        }
    }
    // The octets of one, by the figures: SESSION, RSVP_HOP, STYLE, FLOWSPEC (Controlled-Load, r of 4000), FILTER_SPEC.
    let mut b = Bench::both().into_iter().next().expect("IPv4");
    b.hears("b1 Path S2{9B}").hears("c1 Resv FF S2{4B}").forget().hears("c1 ResvTear FF S2");
    let rest = [
        &[0, 8, 8, 1, 0, 0, 0, 10][..],
        &[0, 36, 9, 2, 0, 0, 0, 7, 5, 0, 0, 6, 127, 0, 0, 5],
        &4000f32.to_be_bytes(),
        &1000f32.to_be_bytes(),
        &f32::INFINITY.to_be_bytes(),
        &[0, 0, 0, 64, 0, 0, 5, 220],
        &[0, 12, 10, 1, 10, 0, 100, 2, 0, 0, 19, 136],
    ]
    .concat();
    let octets = &b.sent[0].octets;
    assert_eq!((octets[1], octets.len()), (6, 8 + 12 + 12 + rest.len()), "a ResvTear");
    assert_eq!(octets[32..], rest);
}

/// RFC 2205 section 3.1.6: the handle, not the interface of arrival, says which reservation is meant.
#[test]
fn a_resv_tear_is_matched_by_its_handle_wherever_it_arrives() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        b.takes(&b.message("c1 ResvTear WF").on("d"));
        b.sends(&["a>a1 ResvTear WF{4B}", "b>b1 ResvTear WF{4B}"]).installs(&[]);
    }
}

/// RFC 2205 section 3.10: forwarded in the ResvTears that result.
#[test]
fn unknown_objects_of_a_resv_tear_are_forwarded() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        b.takes(&b.message("c1 ResvTear WF").object(0xd0, 2, &[5; 8]));
        let objects: Vec<_> = b.sent.iter().map(|s| s.objects(0xd0)).collect();
        assert_eq!(objects, vec![vec![object(0xd0, 2, &[5; 8])]; 2]);
        b.sends(&["a>a1 ResvTear WF{4B}", "b>b1 ResvTear WF{4B}"]);
        b.hears("c1 Resv WF{4B}").forget();
        b.hears("c1 ResvTear WF");
        assert!(
            b.sent.len() == 2 && b.sent.iter().all(|s| s.objects(0xd0).is_empty()),
            "and in no later ones"
        );
    }
}

/// RFC 2205 section 3.10: also where that makes it longer than the Resv was.
#[test]
fn a_long_object_is_forwarded_in_a_resv_tear() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        b.takes(&b.message("c1 ResvTear WF").object(0xd0, 2, &[5; 3000]));
        assert_eq!(b.sent.len(), 2);
        assert!(b.sent.iter().all(|s| s.objects(0xd0) == [object(0xd0, 2, &[5; 3000])]));
    }
}

/// RFC 2205 section 3.1.4: NHOP tells requests on one interface apart.
#[test]
fn two_next_hops_on_one_interface_are_two_requests() {
    for mut b in Bench::both() {
        b.figure_4().hears("d1 Resv WF{3B}").hears("d2 Resv WF{2B}").installs(&["d WF{3B}"]);
        let (interface, family) = (interface("d"), b.family);
        let from = |name| Requester::NextHop { interface, address: family.named(name) };
        let held: Vec<_> = b.engine.requests().map(|r| r.from).collect();
        assert!(held.contains(&from("d1")) && held.contains(&from("d2")));
        b.forget().hears("d1 ResvTear WF").sends(&["a>a1 Resv WF{2B}", "b>b1 Resv WF{2B}"]);
        b.hears("d2 ResvTear WF").sends(&["a>a1 ResvTear WF{2B}", "b>b1 ResvTear WF{2B}"]);
    }
}
