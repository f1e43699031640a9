//! A minimum policed unit m of zero (RFC 2215 section 3.6), which is illegal and in wide use: taken, and told on as what it
//! is, unless the node is told to be strict.

use super::bench::Bench;
use super::message::{Arriving, written};
use super::words::{Family, controlled, interface, tspec};
use rsvp_node::{AppId, Command, Config, Discard, FlowRequest};
use rsvp_wire::{Flowspec, MsgType, SenderTspec, Style, Tspec};

/// A Path with this m.
fn path(b: &Bench, text: &str, m: u32) -> Arriving {
    b.message(text).with(|p| p.tspec.as_mut().expect("one").0.min_policed_unit = m)
}

/// A Resv whose flow descriptors have these m, in their order.
fn resv(b: &Bench, text: &str, units: &[u32]) -> Arriving {
    b.message(text).with(|m| {
        for ((flowspec, _), unit) in m.flows.as_mut().expect("one").flows.iter_mut().zip(units) {
            let (Flowspec::ControlledLoad(t) | Flowspec::Guaranteed(t, _) | Flowspec::Null(t)) =
                flowspec.as_mut().expect("one");
            t.min_policed_unit = *unit;
        }
    })
}

/// The m of the last Resv that went to a neighbour.
#[track_caller]
fn asked(b: &Bench, letter: &str) -> u32 {
    let sent = b.sent.iter().rfind(|s| s.interface == interface(letter) && s.msg_type() == MsgType::RESV);
    sent.expect("a Resv").get::<Flowspec>().tspec().min_policed_unit
}

/// What an IP header takes.
fn header(b: &Bench) -> u32 {
    if b.family == Family::V4 { 20 } else { 40 }
}

fn strict() -> [Bench; 2] {
    [Family::V4, Family::V6].map(|f| Bench::new(f, Config { strict_tspec: true, ..Config::default() }))
}

#[test]
fn a_path_with_m_zero_is_forwarded_as_it_came_and_counted() {
    for mut b in Bench::both() {
        b.opens(1);
        b.takes(&path(&b, "a1 Path S1{9B}", 0));
        assert!(
            b.sent.iter().all(|s| s.objects(12)
                == [written(&SenderTspec::from(Tspec { min_policed_unit: 0, ..tspec(9.0) }))])
        );
        b.sends(&["c>G Path S1{9B}", "d>G Path S1{9B}"]).tells(&["1 Path S1{9B}"]);
        assert_eq!(b.engine.counters().zero_policed_units(), 1);
        // What changes is looked at again.
        b.takes(&path(&b, "a1 Path S1{8B}", 0)).sends(&["c>G Path S1{8B}", "d>G Path S1{8B}"]);
        b.takes(&path(&b, "a1 Path S1{8B}", 64));
        assert_eq!(b.engine.counters().zero_policed_units(), 2);
        assert_eq!(b.engine.counters().discarded_total(), 0);
    }
}

/// As routers of several releases send it, octet for octet, the hop and the refresh period being those of this bench:
/// r = b = p = 6000, m = 0, M = 1514.
#[test]
fn a_captured_tspec_is_taken() {
    for mut b in Bench::both() {
        let captured = [
            0x00, 0x24, 0x0c, 0x02, 0x00, 0x00, 0x00, 0x07, 0x01, 0x00, 0x00, 0x06, 0x7f, 0x00, 0x00, 0x05,
            0x45, 0xbb, 0x80, 0x00, 0x45, 0xbb, 0x80, 0x00, 0x45, 0xbb, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00,
            0x00, 0x00, 0x05, 0xea,
        ];
        let path = b.message("a1 Path S1{9B}").with(|m| m.tspec = None).last(captured.to_vec());
        b.takes(&path);
        assert_eq!(b.sent.len(), 2);
        assert!(b.sent.iter().all(|s| s.objects(12) == [captured.to_vec()]));
    }
}

/// Nothing else that is wrong is taken with it.
#[test]
fn m_zero_does_not_excuse_anything_else() {
    for mut b in Bench::both() {
        let worse: [fn(&mut Tspec); 4] =
            [|t| t.rate = -1.0, |t| t.max_packet_size = 0, |t| t.peak = 1.0, |t| t.bucket = 0.0];
        for worse in worse {
            let path = path(&b, "a1 Path S1{9B}", 0).with(|m| worse(&mut m.tspec.as_mut().expect("one").0));
            b.drops(&path, Discard::Rejected).sends(&["a>a1 PathErr 21/0004 S1"]);
        }
        assert_eq!(b.engine.counters().zero_policed_units(), 0);
    }
}

/// One alone, or all of them: as they say it.
#[test]
fn where_all_say_zero_the_merged_flowspec_says_so() {
    for mut b in Bench::both() {
        b.takes(&path(&b, "a1 Path S1{9B}", 0));
        for resv_text in ["c1 Resv WF{4B}", "c2 Resv WF{5B}", "d1 Resv WF{6B}"] {
            b.takes(&resv(&b, resv_text, &[0]));
            assert_eq!(asked(&b, "a"), 0);
        }
        assert_eq!(b.engine.counters().zero_policed_units(), 4);
    }
}

/// One that is lax would get everybody a refusal from a node upstream that is strict.
#[test]
fn beside_others_zero_is_the_size_of_an_ip_header() {
    for (zero_first, style) in [(true, "WF"), (false, "WF"), (true, "SE S1"), (false, "FF S1")] {
        for mut b in Bench::both() {
            b.hears("a1 Path S1{9B}");
            let units = if zero_first { [0, 64, 0] } else { [64, 0, 128] };
            for (text, unit) in ["c1", "c2", "d1"].iter().zip(units) {
                b.takes(&resv(&b, &format!("{text} Resv {style}{{4B}}"), &[unit]));
            }
            assert_eq!(asked(&b, "a"), header(&b), "{style}");
            let on_c = b.engine.reservations().find(|(_, on, _)| *on == interface("c")).expect("one").2;
            assert_eq!(on_c.flowspec.tspec().min_policed_unit, header(&b));
        }
    }
}

/// RFC 2210 section 3.1: m is at most M, also then.
#[test]
fn the_size_of_a_header_is_no_more_than_m() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}");
        b.takes(&resv(&b, "c1 Resv WF{4B}", &[0]));
        let tiny = resv(&b, "c2 Resv WF{4B}", &[12]).with(|m| {
            let Some(Flowspec::ControlledLoad(t)) = &mut m.flows.as_mut().expect("one").flows[0].0 else {
                panic!()
            };
            t.max_packet_size = 16;
        });
        b.takes(&tiny);
        assert_eq!(asked(&b, "a"), 12);
    }
}

/// The service decides how a flowspec looks, not whether m = 0 is taken.
#[test]
fn guaranteed_service_is_as_liberal() {
    for mut b in Bench::both() {
        b.takes(&path(&b, "a1 Path S1{9B}", 0));
        b.takes(&resv(&b, "c1 Resv WF{4G}", &[0]));
        assert_eq!(asked(&b, "a"), 0);
        b.takes(&resv(&b, "c2 Resv WF{4G}", &[100]));
        assert_eq!(asked(&b, "a"), header(&b));
    }
}

/// What an application here copies from a sender that says zero leaves by the letter.
#[test]
fn an_application_that_copies_zero_asks_for_a_header() {
    for mut b in Bench::both() {
        b.takes(&path(&b, "a1 Path S1{9B}", 0)).forget();
        let flowspec = Flowspec::ControlledLoad(Tspec { min_policed_unit: 0, ..tspec(4.0) });
        let (app, session, style) = (AppId(1), b.session, Style::WF);
        let flows = &[FlowRequest { flowspec, filters: &[] }];
        b.does(Command::Reserve {
            carried: None,
            app,
            session,
            style,
            flows,
            confirm: false,
            interface: None,
        });
        assert_eq!(asked(&b, "a"), header(&b));
    }
}

/// RFC 2205 Appendix B, code 21, sub-codes 03 and 04: by the letter, where that is configured.
#[test]
fn a_strict_node_refuses_m_zero() {
    for mut b in strict() {
        b.drops(&path(&b, "a1 Path S1{9B}", 0), Discard::Rejected).sends(&["a>a1 PathErr 21/0004 S1"]);
        b.hears("a1 Path S1{9B}").hears("b1 Path S2{9B}").forget();
        for text in ["WF{4B}", "SE S1 S2{4B}", "FF S1{4G}"] {
            b.drops(&resv(&b, &format!("c1 Resv {text}"), &[0]), Discard::Rejected);
            b.sends(&[&format!("c>c1 ResvErr 21/0003 {text}")]);
        }
        b.takes(&resv(&b, "c1 Resv FF S1{4B} S2{5B}", &[64, 0])).installs(&["c FF S1{4B}"]);
        assert_eq!(b.engine.counters().zero_policed_units(), 0);
        assert_eq!(controlled(4.0).tspec().min_policed_unit, 64);
    }
}
