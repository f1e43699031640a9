//! Path and Resv messages that are rejected as a whole for what this node cannot read: RFC 2205 sections 3.1.8 and 3.10,
//! Appendix B codes 13 and 14. What comes back is what came, octet for octet.

use super::bench::Bench;
use super::message::{Arriving, object};
use super::sent::Sent;
use super::words::{Family, interface};
use rsvp_node::Discard;
use rsvp_wire::{Class, ErrorSpec, MsgType};

/// The objects of a message, whole, in their order.
fn objects(octets: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut found) = (&octets[8..], Vec::new());
    while !rest.is_empty() {
        let (object, after) = rest.split_at(usize::from(u16::from_be_bytes([rest[0], rest[1]])));
        found.push(object);
        rest = after;
    }
    found
}

/// The octets of a message with every object of some classes turned into another C-Type, and no checksum.
fn recast(message: &Arriving, classes: &[Class], ctype: u8) -> Vec<u8> {
    let octets = message.octets();
    let mut recast = octets[..8].to_vec();
    recast[2..4].fill(0);
    for object in objects(&octets) {
        let mut object = object.to_vec();
        if classes.contains(&Class(object[2])) {
            object[3] = ctype;
        }
        recast.extend(object);
    }
    recast
}

fn of_class(octets: &[u8], class: Class) -> Vec<Vec<u8>> {
    objects(octets).into_iter().filter(|o| o[2] == class.0).map(<[u8]>::to_vec).collect()
}

/// It says what is wrong, of which class and C-Type, and that this node found it, by its address there.
#[track_caller]
fn says(b: &Bench, sent: &Sent, on: &str, code: u8, class: Class, ctype: u8) {
    let error = sent.get::<ErrorSpec>();
    assert_eq!((error.code.0, error.value), (code, u16::from_be_bytes([class.0, ctype])));
    assert_eq!(error.node, b.family.named(&format!("{on}0")));
    assert_eq!((sent.destination, sent.interface), (b.family.named(&format!("{on}1")), interface(on)));
}

/// RFC 2205 section 3.10, item 2: whatever the C-Type, and whatever else has an unknown one.
#[test]
fn a_path_with_an_unknown_session_is_answered_with_the_session_as_it_came() {
    for mut b in Bench::both() {
        let path = b.message("a1 Path S1{9B}");
        for ctype in [0].into_iter().chain(5..=255) {
            for also in [&[][..], &[Class::SENDER_TEMPLATE], &[Class::SENDER_TEMPLATE, Class::SENDER_TSPEC]] {
                let octets = recast(&path, &[&[Class::SESSION], also].concat(), ctype);
                b.drops_rx(&path, &octets, Discard::UnknownObject);
                let sent = b.sent.remove(0);
                assert_eq!(sent.msg_type(), MsgType::PATH_ERR);
                says(&b, &sent, "a", 14, Class::SESSION, ctype);
                for class in [Class::SESSION, Class::SENDER_TEMPLATE, Class::SENDER_TSPEC] {
                    assert_eq!(
                        sent.objects(class.0),
                        of_class(&octets, class),
                        "{class:?} of C-Type {ctype}"
                    );
                }
            }
        }
        b.is_silent().is_empty();
    }
}

/// RFC 3209 4.6.1: a SESSION of another length than those of RFC 2205, by hand.
#[test]
fn the_session_of_a_tunnel_is_answered() {
    for mut b in Bench::both() {
        let path = b.message("a1 Path S1{9B}");
        let octets = path.octets();
        let tunnel = object(1, 7, &[10, 0, 2, 2, 0, 0, 0, 4, 10, 0, 1, 1]);
        let rest = &octets[8 + objects(&octets)[0].len()..];
        let mut octets = [&octets[..8], &tunnel, rest].concat();
        let length = octets.len() as u16;
        octets[2..4].fill(0);
        octets[6..8].copy_from_slice(&length.to_be_bytes());
        b.drops_rx(&path, &octets, Discard::UnknownObject);
        let sent = b.sent.remove(0);
        says(&b, &sent, "a", 14, Class::SESSION, 7);
        assert_eq!(sent.objects(1), [tunnel]);
        b.is_silent().is_empty();
    }
}

/// RFC 2205 sections 3.1.7 and 3.1.8: the same for any object of Path and Resv that has a form this node does not know.
#[test]
fn every_unknown_form_of_an_object_is_answered() {
    let of_path = [Class::TIME_VALUES, Class::SENDER_TEMPLATE, Class::SENDER_TSPEC];
    let of_resv = [Class::TIME_VALUES, Class::STYLE, Class::FLOWSPEC, Class::FILTER_SPEC];
    for mut b in Bench::both() {
        b.figure_4();
        for (text, on, classes) in
            [("a1 Path S4{9B}", "a", &of_path[..]), ("c1 Resv SE S1 S2{4B}", "c", &of_resv)]
        {
            for &class in classes {
                let message = b.message(text);
                let octets = recast(&message, &[class], 77);
                b.drops_rx(&message, &octets, Discard::UnknownObject);
                let sent = b.sent.remove(0);
                says(&b, &sent, on, 14, class, 77);
                for copied in [Class::SENDER_TEMPLATE, Class::STYLE, Class::FLOWSPEC, Class::FILTER_SPEC] {
                    assert_eq!(sent.objects(copied.0), of_class(&octets, copied), "{class:?}: {copied:?}");
                }
            }
        }
        b.is_silent().installs(&[]);
    }
}

/// RFC 2205 section 3.1.8: STYLE and error flow descriptor are in every ResvErr, one descriptor in each.
#[test]
fn a_rejected_resv_is_answered_with_its_flow_descriptors() {
    for mut b in Bench::both() {
        b.figure_4();
        let bad = |b: &Bench, resv: &str| b.message(&format!("c1 Resv {resv}")).object(0x7f, 5, &[0; 4]);
        for resv in ["WF{4B}", "SE S1 S2 S3{4G}", "FF S1{4B}"] {
            let message = bad(&b, resv);
            b.drops(&message, Discard::UnknownObject).sends(&[&format!("c>c1 ResvErr 13/7f05 {resv}")]);
        }
        let message = bad(&b, "FF S1{4B} S2{5B} S3{6B}");
        b.drops(&message, Discard::UnknownObject).sends(&[
            "c>c1 ResvErr 13/7f05 FF S1{4B}",
            "c>c1 ResvErr 13/7f05 FF S2{5B}",
            "c>c1 ResvErr 13/7f05 FF S3{6B}",
        ]);
        b.is_silent().installs(&[]);
    }
}

/// RFC 2205 section 3.1.8: up to N messages, and N has a bound.
#[test]
fn one_rejected_resv_does_not_make_any_number_of_errors() {
    for mut b in Bench::both() {
        b.figure_4();
        let flows: Vec<String> = (1..=40).map(|n| format!("S{n}{{1B}}")).collect();
        let message = b.message(&format!("c1 Resv FF {}", flows.join(" "))).object(0x7f, 5, &[0; 4]);
        b.drops(&message, Discard::UnknownObject);
        let sent: Vec<String> = b.sent.drain(..).map(|s| s.name()).collect();
        let expected: Vec<_> =
            flows.iter().take(16).map(|f| format!("c>c1 ResvErr 13/7f05 FF {f}")).collect();
        assert_eq!(sent, expected);
    }
}

/// RFC 2205 section 3.10: a Resv of a session that this node cannot name.
#[test]
fn a_resv_with_an_unknown_session_is_answered_with_the_session_as_it_came() {
    for mut b in Bench::both() {
        b.figure_4();
        for resv in ["WF{4B}", "FF S1{4B}", "SE S1 S2{4B}"] {
            let message = b.message(&format!("c1 Resv {resv}"));
            let octets = recast(&message, &[Class::SESSION, Class::FILTER_SPEC], 9);
            b.drops_rx(&message, &octets, Discard::UnknownObject);
            let sent = b.sent.remove(0);
            assert_eq!(sent.msg_type(), MsgType::RESV_ERR);
            says(&b, &sent, "c", 14, Class::SESSION, 9);
            for class in [Class::SESSION, Class::STYLE, Class::FLOWSPEC, Class::FILTER_SPEC] {
                assert_eq!(sent.objects(class.0), of_class(&octets, class), "{class:?}");
            }
        }
        b.is_silent().installs(&[]);
    }
}

/// RFC 2205 Appendix B, code 06: the style that is not known comes with what it is about.
#[test]
fn an_unknown_style_is_answered_with_its_first_flow_descriptor() {
    for mut b in Bench::both() {
        b.figure_4();
        let unknown = rsvp_wire::Style { flags: 0, options: 0b01001 };
        let resv = b.message("c1 Resv FF S1{4B} S2{5B}").with(|m| m.flows.as_mut().unwrap().style = unknown);
        b.drops(&resv, Discard::Rejected);
        let (sent, octets) = (b.sent.remove(0), resv.octets());
        assert_eq!(sent.get::<ErrorSpec>().code.0, 6);
        assert_eq!(sent.objects(9), of_class(&octets, Class::FLOWSPEC)[..1]);
        assert_eq!(sent.objects(10), of_class(&octets, Class::FILTER_SPEC)[..1]);
        b.is_silent().installs(&[]);
    }
}

/// RFC 2205 Appendix A.2: an answer goes to an address that a neighbour can have, of the family in which it was heard.
#[test]
fn nobody_is_answered_at_an_address_that_no_neighbour_has() {
    for mut b in Bench::both() {
        b.figure_4();
        let other = if b.family == Family::V4 { Family::V6 } else { Family::V4 };
        let none = if b.family == Family::V4 { "0.0.0.0" } else { "::" }.parse().unwrap();
        let mut bad = vec![b.family.named("G"), none, other.named("a1"), b.family.named("d0")];
        if b.family == Family::V4 {
            bad.push("255.255.255.255".parse().unwrap());
        }
        for hop in bad {
            for (text, class) in
                [("a1 Path S4{9B}", Class::SENDER_TEMPLATE), ("c1 Resv WF{4B}", Class::FLOWSPEC)]
            {
                let message = b.message(text).with(|m| m.hop.as_mut().unwrap().address = hop);
                for classes in [&[Class::SESSION][..], &[class]] {
                    let octets = recast(&message, classes, 9);
                    b.drops_rx(&message, &octets, Discard::UnknownObject).is_silent();
                }
            }
        }
        // Nor is anybody where the hop itself cannot be read, or where there is no SESSION to name.
        let path = b.message("a1 Path S4{9B}");
        b.drops_rx(&path, &recast(&path, &[Class::RSVP_HOP], 9), Discard::UnknownObject).is_silent();
        let resv = b.message("c1 Resv WF{4B}");
        b.drops_rx(&resv, &recast(&resv, &[Class::RSVP_HOP], 9), Discard::UnknownObject).is_silent();
    }
}

/// RFC 2205 sections 3.1.5 to 3.1.9: teardowns, errors and confirmations are not answered, whatever is in them.
#[test]
fn only_path_and_resv_are_answered() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        for text in [
            "a1 PathTear S1",
            "c1 ResvTear WF",
            "a1 ResvErr 02/0000 WF{4B}",
            "c1 PathErr 02/0000 S1",
            "a1 ResvConf a0 WF{4B}",
        ] {
            let message = b.message(text);
            b.drops_rx(&message, &recast(&message, &[Class::SESSION], 9), Discard::UnknownObject).is_silent();
        }
        b.installs(&["c WF{4B}"]);
    }
}

/// RFC 2205 sections 3.3 and Appendix B, last paragraph: a handle that this node never gave is the other's mistake, which
/// is counted and not answered.
#[test]
fn a_handle_that_was_never_given_is_counted_and_not_answered() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        for handle in [0, 1, 77] {
            b.drops(&b.message("c1 Resv WF{5B}").lih(handle), Discard::BadLih);
            b.drops(&b.message("c1 ResvTear WF").lih(handle), Discard::BadLih);
            b.drops(&b.message("c1 Resv WF{4B}").lih(handle).object(0x7f, 5, &[0; 4]), Discard::BadLih);
        }
        b.is_silent().installs(&["c WF{4B}"]);
    }
}

/// RFC 2205 Appendix A.2: the handle of a previous hop that has none is zero; it is kept and returned like any other.
#[test]
fn a_handle_of_zero_in_a_path_is_taken_and_returned() {
    for mut b in Bench::both() {
        let path = b.message("a1 Path S1{9B}").lih(0);
        b.handles_of_zero().takes(&path).forget().hears("c1 Resv WF{4B}");
        assert_eq!(b.sends_one("a>a1 Resv WF{4B}").get::<rsvp_wire::RsvpHop>().lih, 0);
    }
}
