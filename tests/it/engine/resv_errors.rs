//! Resv messages in error: RFC 2205 sections 1.3, 3.1.8, 3.10 and Appendix B.

use super::bench::Bench;
use super::message::{object, written};
use super::sent::Sent;
use super::words::{controlled, interface};
use rsvp_node::Discard;
use rsvp_wire::{ErrorSpec, Flowspec, Style};

/// A ResvErr says which node found the error: this one, by the address of the interface the reservation is for.
#[track_caller]
fn detected_here(b: &Bench, sent: &Sent) {
    assert_eq!(sent.get::<ErrorSpec>().node, b.family.named("c0"));
}

/// RFC 2205 Appendix B, code 03.
#[test]
fn a_resv_without_any_path_state_is_answered_with_03() {
    for mut b in Bench::both() {
        b.drops(&b.message("c1 Resv WF{4B}"), Discard::Rejected);
        let sent = b.sends_one("c>c1 ResvErr 03/0000 WF{4B}");
        detected_here(&b, &sent);
        b.drops(&b.message("c1 Resv FF S1{4B} S2{1B}"), Discard::Rejected);
        b.sends(&["c>c1 ResvErr 03/0000 FF S1{4B}", "c>c1 ResvErr 03/0000 FF S2{1B}"]);
        b.drops(&b.message("c1 Resv SE S1 S2{4B}"), Discard::Rejected);
        b.sends(&["c>c1 ResvErr 03/0000 SE S1 S2{4B}"]).is_empty();
    }
}

/// RFC 2205 Appendix B, code 04.
#[test]
fn a_resv_for_a_sender_that_is_not_known_is_answered_with_04() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        b.drops(&b.message("c1 Resv FF S2{4B}"), Discard::Rejected);
        let sent = b.sends_one("c>c1 ResvErr 04/0000 FF S2{4B}");
        detected_here(&b, &sent);
        b.drops(&b.message("c1 Resv SE S2 S3{4B}"), Discard::Rejected);
        b.sends(&["c>c1 ResvErr 04/0000 SE S2 S3{4B}"]).installs(&[]);
    }
}

/// RFC 2205 Appendix B, code 04: a sender whose data does not leave through the interface is none for it.
#[test]
fn a_resv_for_a_sender_routed_elsewhere_is_answered_with_04() {
    for mut b in Bench::both() {
        b.route("S1", Some("a"), "d").hears("a1 Path S1{9B}").forget();
        for resv in ["WF{4B}", "FF S1{4B}", "SE S1{4B}"] {
            b.drops(&b.message(&format!("c1 Resv {resv}")), Discard::Rejected);
            b.sends(&[&format!("c>c1 ResvErr 04/0000 {resv}")]);
        }
    }
}

/// RFC 2205 sections 3.6 and 3.9: after a change of routes the hop on the old way may give it up before this node does. What that hop
/// has no path for any more has failed for nobody: data comes from elsewhere. What else it says goes on.
#[test]
fn a_missing_sender_on_a_way_that_routing_has_left_is_no_failure() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("b1 Path S1{9B}").hears("c1 Resv SE S1{4B}").forget();
        b.hears("a1 ResvErr 04/0000 SE S1{4B}").sends(&["c>c1 ResvErr 04/0000 SE S1{4B}"]);
        b.route("S1", Some("b"), "cd").reroutes().forget();
        b.hears("a1 ResvErr 04/0000 SE S1{4B}").hears("a1 ResvErr 03/0000 SE S1{4B}").is_silent();
        b.hears("a1 ResvErr 02/0000 SE S1{4B}").sends(&["c>c1 ResvErr 02/0000 SE S1{4B}"]);
        b.hears("b1 ResvErr 04/0000 SE S1{4B}").sends(&["c>c1 ResvErr 04/0000 SE S1{4B}"]);
    }
}

/// RFC 2205 section 3.6: so it is while local repair waits for the Path on the new way; if none comes, receivers hear that the sender
/// is gone.
#[test]
fn a_missing_sender_is_no_failure_while_local_repair_waits() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv SE S1{4B}").forget();
        b.route("S1", Some("b"), "cd").reroutes().forget();
        b.hears("a1 ResvErr 04/0000 SE S1{4B}").is_silent();
    }
}

/// RFC 2205 section 3.9: the same where both hops are on one link, and routing tells no difference; of senders that only the hop
/// which says so announces, it is said on.
#[test]
fn a_missing_sender_that_another_hop_of_the_link_announces_is_no_failure() {
    for mut b in Bench::both() {
        b.route("S2", Some("a"), "cd");
        b.hears("a1 Path S1{9B}").hears("a1 Path S2{9B}").hears("a2 Path S1{9B}");
        b.hears("c1 Resv SE S1 S2{4B}").forget();
        b.hears("a1 ResvErr 04/0000 SE S1{4B}").is_silent();
        b.hears("a1 ResvErr 04/0000 SE S1 S2{4B}").sends(&["c>c1 ResvErr 04/0000 SE S2{4B}"]);
        b.hears("a2 PathTear S1").forget();
        b.hears("a1 ResvErr 04/0000 SE S1{4B}").sends(&["c>c1 ResvErr 04/0000 SE S1{4B}"]);
    }
}

/// RFC 2205 section 3.1.8: each FF flow descriptor is processed on its own, one ResvErr for each that is in error.
#[test]
fn good_ff_descriptors_are_installed_and_each_bad_one_is_answered() {
    for mut b in Bench::both() {
        b.figure_4().reservable("c", 6);
        b.hears("c1 Resv FF S1{4B} S2{5B} S4{1B} S3{2B}");
        b.sends(&[
            "c>c1 ResvErr 01/0002 FF S2{5B}",
            "c>c1 ResvErr 04/0000 FF S4{1B}",
            "a>a1 Resv FF S1{4B}",
            "b>b1 Resv FF S3{2B}",
        ]);
        b.installs(&["c FF S1{4B}", "c FF S3{2B}"]);
    }
}

/// RFC 2205 section 1.3 and Appendix B, code 05: the value is the low 16 bits of the existing Option Vector.
#[test]
fn a_style_beside_another_is_answered_with_05_and_the_existing_option_vector() {
    for (first, second, value) in
        [("WF{4B}", "FF S1{4B}", "0011"), ("FF S1{4B}", "SE S1{4B}", "000a"), ("SE S1{4B}", "WF{4B}", "0012")]
    {
        for mut b in Bench::both() {
            b.figure_4().hears(&format!("c1 Resv {first}")).forget();
            b.drops(&b.message(&format!("d1 Resv {second}")), Discard::Rejected);
            b.sends(&[&format!("d>d1 ResvErr 05/{value} {second}")]).installs(&[&format!("c {first}")]);
        }
    }
}

/// RFC 2205 section 2.3: a receiver changes its request by sending a revised one, in another style too.
#[test]
fn the_only_requester_may_change_its_style() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        b.hears("c1 Resv FF S1{3B}").installs(&["c FF S1{3B}"]);
        assert_eq!(b.reserved("c"), 3.0);
        b.sends(&["a>a1 ResvTear WF{4B}", "b>b1 ResvTear WF{4B}", "a>a1 Resv FF S1{3B}"]);
    }
}

/// RFC 2205 Appendix B, code 06.
#[test]
fn an_unknown_style_is_answered_with_06() {
    for mut b in Bench::both() {
        b.figure_4();
        let unknown = Style { flags: 0, options: 0b01001 };
        let resv = b.message("c1 Resv WF{4B}").with(|m| m.flows.as_mut().unwrap().style = unknown);
        b.drops(&resv, Discard::Rejected);
        let sent = b.sent.remove(0);
        assert_eq!((sent.get::<ErrorSpec>().code.0, sent.destination), (6, b.family.named("c1")));
        assert_eq!(sent.get::<Style>(), unknown, "the STYLE is copied");
        b.is_silent().installs(&[]);
    }
}

/// RFC 2205 section 3.10 and Appendix B, codes 13 and 14.
#[test]
fn unknown_objects_to_reject_are_answered_with_class_and_c_type() {
    for mut b in Bench::both() {
        b.figure_4();
        for (class, ctype, code) in [(0x7f, 5, 13), (15, 9, 14), (7, 3, 14)] {
            b.drops(&b.message("c1 Resv WF{4B}").object(class, ctype, &[0; 4]), Discard::UnknownObject);
            let sent = b.sent.remove(0);
            let error = sent.get::<ErrorSpec>();
            assert_eq!((error.code.0, error.value), (code, u16::from_be_bytes([class, ctype])));
            assert_eq!((sent.destination, sent.interface), (b.family.named("c1"), interface("c")));
            detected_here(&b, &sent);
        }
        b.is_silent().installs(&[]);
    }
}

/// RFC 2205 section 3.10: 10xxxxxx is skipped, 11xxxxxx passed on, also in the ResvErr that results.
#[test]
fn other_unknown_classes_do_not_reject_and_11_goes_into_the_error() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let resv = b.message("c1 Resv FF S2{4B}").object(0x80, 1, &[0; 4]).object(0xff, 1, &[3; 4]);
        b.drops(&resv, Discard::Rejected);
        let sent = b.sends_one("c>c1 ResvErr 04/0000 FF S2{4B}");
        assert_eq!(sent.objects(0xff), [object(0xff, 1, &[3; 4])]);
        assert!(sent.objects(0x80).is_empty());
    }
}

/// RFC 2205 Appendix B, code 21, sub-code 03.
#[test]
fn a_bad_flowspec_value_is_answered_with_21_03() {
    for mut b in Bench::both() {
        b.figure_4();
        for style in ["WF{4B}", "FF S1{4B}", "SE S1{4B}"] {
            let resv = b.message(&format!("c1 Resv {style}")).with(|m| {
                let flowspec = &mut m.flows.as_mut().unwrap().flows[0].0;
                let Some(Flowspec::ControlledLoad(tspec)) = flowspec else { panic!("controlled load") };
                tspec.bucket = f32::NAN;
            });
            b.drops(&resv, Discard::Rejected);
            let sent = b.sent.remove(0);
            let error = sent.get::<ErrorSpec>();
            assert_eq!((error.code.0, error.value, sent.destination), (21, 3, b.family.named("c1")));
            assert_eq!(sent.objects(9).len(), 1, "the bad FLOWSPEC comes back");
        }
        b.is_silent().installs(&[]);
    }
}

/// RFC 2205 section 3.1.8: a good FF descriptor beside one with a bad flowspec stands.
#[test]
fn a_bad_flowspec_value_does_not_touch_other_ff_descriptors() {
    for mut b in Bench::both() {
        b.figure_4();
        let resv = b.message("c1 Resv FF S1{4B} S2{5B}").with(|m| {
            let flowspec = &mut m.flows.as_mut().unwrap().flows[1].0;
            let Some(Flowspec::ControlledLoad(tspec)) = flowspec else { panic!("controlled load") };
            tspec.bucket = -1.0;
        });
        b.takes(&resv).installs(&["c FF S1{4B}"]);
    }
}

/// RFC 2210 section 2.2 and RFC 2205 Appendix B, code 21, sub-code 01.
#[test]
fn another_service_than_the_one_in_place_is_answered_with_21_01() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        b.drops(&b.message("d1 Resv WF{3G}"), Discard::Rejected);
        b.sends(&["d>d1 ResvErr 21/0001 WF{3G}"]);
        b.drops(&b.message("c2 Resv WF{3G}"), Discard::Rejected);
        b.sends(&["c>c2 ResvErr 21/0001 WF{3G}"]).installs(&["c WF{4B}"]);
        b.hears("c1 Resv WF{3G}").installs(&["c WF{3G}"]);
    }
}

/// RFC 2205 section 3.1.4 and Appendix B: flow descriptors that do not suit their style are malformed, not answered.
#[test]
fn a_flow_descriptor_list_that_does_not_suit_its_style_is_dropped() {
    for mut b in Bench::both() {
        b.figure_4();
        let change =
            |style: Style| move |m: &mut super::message::Arriving| m.flows.as_mut().unwrap().style = style;
        b.drops(&b.message("c1 Resv FF S1{4B} S2{5B}").with(change(Style::SE)), Discard::BadGrammar);
        b.drops(&b.message("c1 Resv FF S1{4B}").with(change(Style::WF)), Discard::BadGrammar);
        b.drops(&b.message("c1 Resv WF{4B}").with(change(Style::FF)), Discard::BadGrammar);
        b.drops(&b.message("c1 Resv FF S1 S2{4B}"), Discard::BadGrammar);
        b.is_silent().installs(&[]);
    }
}

/// RFC 2205 section 3.1.4: an SE message has one flowspec for all its filters.
#[test]
fn a_second_flowspec_of_shared_explicit_style_is_not_accepted() {
    for mut b in Bench::both() {
        b.figure_4();
        let more = b.message("c1 Resv SE S1{4B}").last(written(&controlled(5.0)));
        b.drops(&more.last(written(&b.family.sender("S2"))), Discard::BadGrammar).is_silent();
    }
}

/// RFC 2205 section 3.10: what an error passes on may be longer than the rest of it.
#[test]
fn a_long_object_is_passed_on_with_an_error() {
    for mut b in Bench::both() {
        let bad = b.message("a1 Path S1{9B}").object(0xc8, 1, &[7; 600]).object(0x7f, 1, &[0; 4]);
        b.drops(&bad, Discard::UnknownObject);
        assert_eq!(b.sent.len(), 1);
        assert_eq!(b.sent[0].objects(0xc8), [object(0xc8, 1, &[7; 600])]);
    }
}

/// RFC 2205 section 3.1.4: a Resv asks for something, and in wildcard style for one thing only.
#[test]
fn a_wildcard_resv_has_one_flowspec() {
    for mut b in Bench::both() {
        b.figure_4();
        let bare = b.message("c1 Resv WF{4B}").with(|m| m.flows.as_mut().expect("flows").flows.clear());
        b.drops(&bare, Discard::BadGrammar).is_silent();
        let twice = b.message("c1 Resv WF{4B}").last(written(&controlled(5.0)));
        b.drops(&twice, Discard::BadGrammar).is_silent();
    }
}
