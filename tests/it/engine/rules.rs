//! Single rules of RFC 2205 that the other files here do not come by.

use super::bench::Bench;
use super::message::{Arriving, object, written};
use super::sent::Sent;
use super::words::{Family, controlled, interface, tspec};
use core::net::IpAddr;
use core::time::Duration;
use rsvp_node::{AppId, Command, Config, Discard, FlowRequest, Police, Refusal, RouteAnswer};
use rsvp_wire::{ErrorSpec, FilterSpec, MsgType, Scope, SenderTemplate, Session, Style};

/// A bench with another configuration.
fn configured(change: impl Fn(&mut Config)) -> [Bench; 2] {
    [Family::V4, Family::V6].map(|family| {
        let mut config = Config { seed: 5, ..Config::default() };
        change(&mut config);
        Bench::new(family, config)
    })
}

/// RFC 2205 section 3.2: there are no wildcard ports, so zero matches zero only; nor does any other match another.
#[test]
fn a_source_port_of_zero_matches_no_other() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        for port in [0, 5001] {
            let filter = FilterSpec::new(b.family.named("S1"), port);
            let named = |m: &mut Arriving| m.flows.as_mut().unwrap().flows[0].1 = vec![filter];
            b.drops(&b.message("c1 Resv FF S1{4B}").with(named), Discard::Rejected);
            b.sends(&[&format!("c>c1 ResvErr 04/0000 FF S1:{port}{{4B}}")]).installs(&[]);
        }
    }
}

/// RFC 2205 sections 3.1.3 to 3.1.9: created in the order of the figures, with forwarded objects before the STYLE or
/// the sender descriptor.
#[test]
fn what_is_sent_has_its_objects_in_the_order_of_the_rfc() {
    let order = |sent: &Sent| {
        let classes: Vec<u8> = sent.message().objects().map(|o| o.class.0).collect();
        (sent.msg_type(), classes)
    };
    for mut b in Bench::both() {
        b.route_to("e5", "d");
        let path = b.message("a1 Path S1{9B}").object(14, 1, &[1; 4]).adspec(&super::adspec::full());
        b.takes(&path);
        assert_eq!(order(&b.sent[0]), (MsgType::PATH, vec![1, 3, 5, 14, 11, 12, 13]));
        b.forget();
        b.takes(&b.message("c1 Resv FF S1{4B}").object(14, 1, &[2; 4]).confirm("e5"));
        assert_eq!(order(&b.sent[0]), (MsgType::RESV, vec![1, 3, 5, 15, 14, 8, 9, 10]));
        b.forget();
        b.takes(&b.message("a1 ResvErr 02/0000 FF S1{4B}").object(14, 1, &[3; 4]));
        assert_eq!(order(&b.sent[0]), (MsgType::RESV_ERR, vec![1, 3, 6, 14, 8, 9, 10]));
        b.forget();
        b.drops(&b.message("c1 Resv FF S2{4B}"), Discard::Rejected);
        assert_eq!(order(&b.sent[0]), (MsgType::RESV_ERR, vec![1, 3, 6, 8, 9, 10]));
        b.forget();
        b.takes(&b.message("c2 Resv FF S1{4B}").confirm("e5"));
        assert_eq!(order(&b.sent[0]), (MsgType::RESV_CONF, vec![1, 6, 15, 8, 9, 10]));
        b.forget().hears("c1 ResvTear FF S1").hears("c2 ResvTear FF S1");
        let tear = b.sent.iter().rfind(|s| s.interface == interface("a")).expect("a ResvTear");
        assert_eq!(order(tear), (MsgType::RESV_TEAR, vec![1, 3, 8, 9, 10]));
        let bad = b.message("a1 Path S2{9B}").with(|m| m.tspec.iter_mut().for_each(|t| t.0.rate = -1.0));
        b.forget();
        b.drops(&bad, Discard::Rejected);
        assert_eq!(order(&b.sent[0]), (MsgType::PATH_ERR, vec![1, 6, 11, 12]));
        b.forget().hears("a1 PathTear S1");
        assert_eq!(order(&b.sent[0]), (MsgType::PATH_TEAR, vec![1, 3, 11]));
    }
}

/// RFC 2205 sections 3.1.3, 3.1.4 and 2.7: any number of POLICY_DATA objects, which RSVP itself does not read.
#[test]
fn policy_data_passes_through() {
    for mut b in Bench::both() {
        let policies = [object(14, 1, &[1; 4]), object(14, 1, &[2; 8])];
        b.takes(&b.message("a1 Path S1{9B}").object(14, 1, &[1; 4]).object(14, 1, &[2; 8]));
        assert!(b.sent.len() == 2 && b.sent.drain(..).all(|s| s.objects(14) == policies));
        b.takes(&b.message("c1 Resv WF{4B}").object(14, 1, &[1; 4]).object(14, 1, &[2; 8]));
        assert_eq!(b.sent[0].objects(14), policies);
        b.forget();
        b.takes(&b.message("c2 Resv WF{4B}").object(14, 1, &[3; 8]));
        assert_eq!(b.sent[0].objects(14).len(), 3, "what merged requests carry goes on unmerged");
        b.hears("c2 ResvTear WF").forget();
        b.takes(&b.message("a1 ResvErr 02/0000 WF{4B}").object(14, 1, &[1; 4]));
        assert_eq!(b.sends_one("c>c1 ResvErr 02/0000 WF{4B}").objects(14), policies[..1]);
        b.takes(&b.message("c1 PathErr 02/0000 S1").object(14, 1, &[1; 4]));
        assert_eq!(b.sends_one("a>a1 PathErr 02/0000 S1").objects(14), policies[..1]);
    }
}

/// RFC 2205 sections 3.1.3 and 2.8: INTEGRITY follows the common header, and is between neighbours.
#[test]
fn integrity_may_only_come_first_and_goes_no_further() {
    for mut b in Bench::both() {
        for (text, sent) in [("a1 Path S1{9B}", 2), ("c1 Resv WF{4B}", 1)] {
            let message = b.message(text);
            let integrity = object(4, 1, &[7; 36]);
            let mut octets = message.octets();
            octets[2..4].fill(0);
            let length = (octets.len() + integrity.len()) as u16;
            octets[6..8].copy_from_slice(&length.to_be_bytes());
            let after = |at: usize| [&octets[..at], &integrity, &octets[at..]].concat();
            let session = if b.family == Family::V4 { 12 } else { 24 };
            b.drops_rx(&message, &after(8 + session), Discard::BadGrammar);
            let octets = after(8);
            assert_eq!(b.input(rsvp_node::Input::Packet(message.rx(&octets))), rsvp_node::Outcome::Taken);
            assert!(b.sent.len() == sent && b.sent.drain(..).all(|s| s.objects(4).is_empty()), "{text}");
            // It has another sequence number in each message, and whatever nobody knows may stand before it.
            let plain = message.octets();
            let strange = object(130, 1, &[9; 4]);
            let sealed = |before: &[u8], number: u8| {
                let mut octets = [&plain[..8], before, &object(4, 1, &[number; 36]), &plain[8..]].concat();
                octets[2..4].fill(0);
                let length = octets.len() as u16;
                octets[6..8].copy_from_slice(&length.to_be_bytes());
                octets
            };
            for before in [&[][..], &strange] {
                for number in 0..3 {
                    let octets = sealed(before, number);
                    let taken = b.input(rsvp_node::Input::Packet(message.rx(&octets)));
                    assert_eq!(taken, rsvp_node::Outcome::Taken);
                    if number == 0 {
                        b.forget();
                    }
                }
                b.is_silent();
            }
            b.input(rsvp_node::Input::Packet(message.rx(&plain)));
            b.forget();
        }
    }
}

/// RFC 2205 Appendix A.8 and section 3.10: the first FLOWSPEC type is obsolete, and so unknown.
#[test]
fn an_obsolete_flowspec_is_answered_with_14() {
    for mut b in Bench::both() {
        b.figure_4();
        let resv = b.message("c1 Resv WF").last(object(9, 1, &[0; 28]));
        b.drops(&resv, Discard::UnknownObject);
        let error = b.sent.remove(0).get::<ErrorSpec>();
        assert_eq!((error.code.0, error.value), (14, 0x0901));
        b.is_silent().installs(&[]);
    }
}

/// The same filter with its unused field in use.
fn in_use(filter: FilterSpec) -> FilterSpec {
    match filter {
        FilterSpec::Ipv4 { address, port, .. } => FilterSpec::Ipv4 { address, reserved: 7, port },
        FilterSpec::Ipv6 { address, port, .. } => FilterSpec::Ipv6 { address, reserved: 7, port },
        label => label,
    }
}

/// RFC 2205 Appendix A: unused fields are ignored on receipt; those of the common header and of STYLE leave as zero.
#[test]
fn unused_fields_are_ignored_on_receipt() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let path = b.message("a1 Path S1{8B}").with(|m| m.sender = m.sender.map(in_use));
        let mut octets = path.octets();
        (octets[0], octets[5]) = (0x1f, 0xff);
        octets[2..4].fill(0);
        assert_eq!(b.input(rsvp_node::Input::Packet(path.rx(&octets))), rsvp_node::Outcome::Taken);
        assert_eq!(b.engine.senders().count(), 1, "the same sender of the same session");
        assert_eq!(b.sent.len(), 2);
        for sent in &b.sent {
            assert_eq!((sent.octets[0], sent.octets[5]), (0x10, 0));
        }
        b.sends(&["c>G Path S1{8B}", "d>G Path S1{8B}"]);
        let (style, filter) = (Style { flags: 0xff, ..Style::SE }, in_use(b.family.sender("S1")));
        let resv = b.message("c1 Resv SE S1{4B}").with(|m| {
            let flows = m.flows.as_mut().unwrap();
            (flows.style, flows.flows[0].1) = (style, vec![filter]);
        });
        let sent = b.takes(&resv).sends_one("a>a1 Resv SE S1{4B}");
        assert_eq!(sent.objects(8), [written(&Style::SE)]);
        assert_eq!(sent.objects(10), [written(&b.family.sender("S1"))]);
        b.hears("c1 ResvTear SE S1").installs(&[]);
    }
}

/// RFC 2205 section 3.1.6: a SCOPE object may be there, and is ignored.
#[test]
fn a_resv_tear_ignores_scope() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").forget();
        let scope = match b.family {
            Family::V4 => written(&Scope::Ipv4(&[10, 9, 9, 9])),
            Family::V6 => written(&Scope::Ipv6(&[0x20; 16])),
        };
        b.takes(&b.message("c1 ResvTear WF").with(|m| m.objects.push(scope)));
        b.sends(&["a>a1 ResvTear WF{4B}", "b>b1 ResvTear WF{4B}"]).installs(&[]);
    }
}

/// RFC 2205 section 3.1.5: SENDER_TSPEC and ADSPEC may be there, and are ignored whatever they say.
#[test]
fn a_path_tear_ignores_tspec_and_adspec() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let tear = b.message("a1 PathTear S1").with(|m| m.tspec = Some(tspec(-1.0).into()));
        b.takes(&tear.adspec(&super::adspec::full()));
        assert!(b.sent.iter().all(|s| s.objects(12).is_empty() && s.objects(13).is_empty()));
        b.sends(&["c>G PathTear S1", "d>G PathTear S1"]).is_empty();
    }
}

/// RFC 2205 section 3.11.4: without a route state is updated all the same, and nothing can be forwarded.
#[test]
fn a_path_tear_without_a_route_deletes_what_is_here() {
    for mut b in Bench::both() {
        b.route_answer("S1", RouteAnswer::NoRoute).hears("a1 Path S1{9B}");
        b.hears("a1 PathTear S1").is_silent().is_empty();
    }
}

/// RFC 2205 section 3.5, rule 3: Kb is configured.
#[test]
fn a_blockade_lives_for_the_configured_kb() {
    for mut b in configured(|c| c.blockade_multiplier = 1) {
        b.figure_4().hears("c1 Resv WF{4B}").hears("a1 ResvErr 01/0002 WF{4B}").seconds(29.99);
        assert_eq!(b.engine.blockades().count(), 1);
        b.seconds(0.02);
        assert_eq!(b.engine.blockades().count(), 0);
    }
}

/// RFC 2205 section 3.6: W is configured.
#[test]
fn local_repair_waits_for_the_configured_w() {
    for mut b in Bench::both() {
        b.change("b", |i| i.local_repair_wait = Duration::from_secs(5));
        b.hears("a1 Path S1{9B}").forget().route("S1", Some("a"), "b").reroutes();
        b.seconds(4.99).is_silent().seconds(0.02).sends(&["b>G Path S1{9B}"]);
    }
}

/// RFC 2205 section 3.1.8: the flags of the ERROR_SPEC reach the application.
#[test]
fn the_application_hears_the_flags_of_an_error() {
    for mut b in Bench::both() {
        b.figure_4().reserves(1, "SE S1{4B}").forget();
        b.hears("a1 ResvErr 01/0002 InPlace SE S1{4B}");
        b.tells(&["1 ResvError 01/0002 InPlace SE S1{4B} at a1"]);
    }
}

/// RFC 2205 section 3.11.1: each FF flow descriptor is an event of its own for the senders here.
#[test]
fn each_ff_descriptor_is_a_resv_event_of_its_own() {
    for mut b in Bench::both() {
        b.announces(1, "C0");
        let (session, sender) = (b.session, SenderTemplate(FilterSpec::new(b.family.named("C0"), 5001)));
        let app = AppId(1);
        b.does(Command::Sender {
            carried: None,
            app,
            session,
            sender,
            tspec: tspec(9.0),
            adspec: None,
            ttl: 9,
            interface: None,
        });
        let resv = b.message("c1 Resv FF C0{4B} C0{2B}");
        b.forget().takes(&resv.with(|m| m.flows.as_mut().unwrap().flows[1].1 = vec![sender.0]));
        b.tells(&["1 Resv FF C0{4B}", "1 Resv FF C0:5001{2B}"]);
    }
}

/// RFC 2205 section 3.1.3: a session is its address, protocol and port.
#[test]
fn sessions_differ_by_address_protocol_and_port() {
    for mut b in Bench::both() {
        let (group, unicast) = (b.session.destination(), b.family.named("U"));
        b.hears("a1 Path S1{9B}");
        for other in
            [Session::new(unicast, 17, 7000), Session::new(group, 6, 7000), Session::new(group, 17, 7001)]
        {
            b.takes(&b.message("a1 Path S1{9B}").with(|m| m.session = other));
        }
        assert_eq!(b.engine.senders().count(), 4);
    }
}

/// RFC 2205 section 3.1.2: SESSION is required in every message.
#[test]
fn a_message_without_session_is_dropped() {
    for mut b in Bench::both() {
        b.figure_4();
        let texts =
            ["a1 Path S1{9B}", "c1 Resv WF{4B}", "c1 PathErr 02/0000 S1", "a1 ResvErr 02/0000 WF{4B}"];
        for text in texts.into_iter().chain(["a1 PathTear S1", "c1 ResvTear WF", "a1 ResvConf a0 WF{4B}"]) {
            let message = b.message(text);
            let mut octets = message.octets();
            let session = usize::from(octets[9]);
            octets.drain(8..8 + session);
            octets[2..4].fill(0);
            octets[7] -= session as u8;
            b.drops_rx(&message, &octets, Discard::BadGrammar);
        }
        b.is_silent();
    }
}

/// RFC 2205 section 3.2, rule 1, and Appendix B, code 07: for one address and protocol, ports everywhere or nowhere.
#[test]
fn destination_ports_are_all_zero_or_all_set() {
    for mut b in Bench::both() {
        let (group, other) = (b.session.destination(), Session::new(b.session.destination(), 17, 7001));
        let portless = Session::new(group, 17, 0);
        b.hears("a1 Path S1{9B}").forget();
        let path = b.message("b1 Path S2{9B}").with(|m| {
            m.session = portless;
            m.sender = m.sender.map(|s| FilterSpec::new(s.address(), 0));
        });
        b.drops(&path, Discard::Rejected).sends(&["b>b1 PathErr 07/0000 S2:0"]);
        let resv = b.message("c1 Resv WF{4B}").with(|m| m.session = portless);
        b.drops(&resv, Discard::Rejected).sends(&["c>c1 ResvErr 07/0000 WF{4B}"]);
        b.takes(&b.message("a1 Path S1{9B}").with(|m| m.session = other));
        b.takes(&path.clone().with(|m| m.session = Session::new(group, 89, 0)));
        let app = AppId(1);
        b.does(Command::OpenSession { app, session: Session::new(group, 88, 7) });
        b.refuses(
            Command::OpenSession { app, session: Session::new(group, 88, 0) },
            Refusal::ConflictingPorts,
        );
    }
}

/// RFC 2205 section 3.2, rule 3, and Appendix B, code 08: a sender's port is zero in all its Paths or in none.
#[test]
fn a_sender_port_is_not_both_zero_and_set() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let zero = |m: &mut Arriving| m.sender = m.sender.map(|s| FilterSpec::new(s.address(), 0));
        let path = b.message("a1 Path S1{9B}").with(zero);
        b.drops(&path, Discard::Rejected).sends(&["a>a1 PathErr 08/0000 S1:0"]);
        b.takes(&b.message("b1 Path S2{9B}").with(zero));
        b.announces(1, "C0");
        let (session, sender) = (b.session, SenderTemplate(FilterSpec::new(b.family.named("C0"), 0)));
        let (app, tspec) = (AppId(1), tspec(9.0));
        let announce = Command::Sender {
            carried: None,
            app,
            session,
            sender,
            tspec,
            adspec: None,
            ttl: 9,
            interface: None,
        };
        b.refuses(announce, Refusal::ConflictingPorts);
    }
}

/// The policing flags of what is installed on an interface.
fn police(b: &Bench, letter: &str) -> Police {
    let on = b.engine.reservations().find(|(_, on, _)| *on == interface(letter));
    on.expect("a reservation").2.police
}

/// RFC 2205 section 3.8: the first node that can police does, for a sender of its own or one that nobody policed.
#[test]
fn entry_policing_is_at_the_first_node_that_can() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{4B}");
        assert!(!police(&b, "c").entry);
        let flagged = b.session.with_flags(Session::E_POLICE);
        b.takes(&b.message("b1 Path S2{9B}").with(|m| m.session = flagged)).hears("c1 Resv WF{4B}");
        assert!(police(&b, "c").entry);
        b.hears("b1 PathTear S2");
        assert!(!police(&b, "c").entry);
        b.announces(1, "C0");
        assert!(police(&b, "c").entry);
    }
}

/// RFC 2205 section 3.8: a shared reservation for more than one sender.
#[test]
fn merge_policing_is_for_shared_reservations_of_several_senders() {
    for (resv, merges) in
        [("WF{4B}", true), ("SE S1 S2{4B}", true), ("SE S1{4B}", false), ("FF S1{4B}", false)]
    {
        for mut b in Bench::both() {
            b.figure_4().hears(&format!("c1 Resv {resv}"));
            assert_eq!(police(&b, "c").merge, merges, "{resv}");
        }
    }
}

/// RFC 2205 section 3.8: where less is installed than on another interface for the same flow.
#[test]
fn branch_policing_is_where_less_is_installed_than_elsewhere() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S1{4B}").hears("d1 Resv FF S1{2B}");
        assert_eq!((police(&b, "c").branch, police(&b, "d").branch), (false, true));
        b.hears("d1 Resv FF S1{4B}");
        assert!(!police(&b, "d").branch);
        b.hears("d1 Resv FF S1{6B}");
        assert_eq!((police(&b, "c").branch, police(&b, "d").branch), (true, false));
        b.hears("d1 ResvTear FF S1");
        assert!(!police(&b, "c").branch);
        b.hears("d1 Resv FF S2{6B}");
        assert!(!police(&b, "c").branch, "another sender");
    }
}

/// RFC 2205 section 3.9, case 2: where multicast routing forwards within the router to the interface on which the
/// application listens, the Resv goes out the interface of the path that leads there.
#[test]
fn a_listener_on_an_outgoing_interface_reserves_on_the_path_that_leads_there() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").opens(1).forget();
        let session = b.session;
        b.does(Command::Reserve {
            carried: None,
            app: AppId(1),
            session,
            style: Style::WF,
            flows: &[FlowRequest { flowspec: controlled(4.0), filters: &[] }],
            confirm: false,
            interface: Some(interface("c")),
        });
        b.sends(&["a>a1 Resv WF{4B}"]);
    }
}

/// RFC 2205 Appendix A: unused fields are sent as zero, also in what is copied out of a Path message.
#[test]
fn unused_fields_of_a_forwarded_sender_template_are_sent_as_zero() {
    for mut b in Bench::both() {
        let path = b.message("a1 Path S1{9B}").with(|m| m.sender = m.sender.map(in_use));
        b.takes(&path.with(|m| m.session = m.session.with_flags(0x06)));
        let template = SenderTemplate(b.family.sender("S1"));
        assert!(b.sent.len() == 2 && b.sent.iter().all(|s| s.get::<SenderTemplate>() == template));
    }
}

/// RFC 2205 section 3.7, rule 5: R grows by at most Slew.Max from one refresh to the next, and shrinks at once.
#[test]
fn a_raised_refresh_period_is_approached_in_steps() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv WF{4B}").seconds(60.0).forget();
        b.change("a", |i| i.refresh = Duration::from_secs(120));
        b.change("c", |i| i.refresh = Duration::from_secs(120));
        for _ in 0..60 {
            b.seconds(30.0);
            for text in ["a1 Path S1{9B}", "b1 Path S2{9B}", "b1 Path S3{9B}", "c1 Resv WF{4B}"] {
                b.hears(text);
            }
        }
        let periods = |on: &str, kind: MsgType| -> Vec<u32> {
            let all = b.sent.iter().filter(|s| s.interface == interface(on) && s.msg_type() == kind);
            let one = all.filter(|s| {
                let path = s.message().get::<SenderTemplate>();
                path.is_none_or(|t| t == Ok(SenderTemplate(b.family.sender("S1"))))
            });
            one.map(|s| s.get::<rsvp_wire::TimeValues>().refresh_ms).collect()
        };
        for periods in [periods("c", MsgType::PATH), periods("a", MsgType::RESV)] {
            assert_eq!((periods.first(), periods.last()), (Some(&39_000), Some(&120_000)), "{periods:?}");
            assert!(periods.windows(2).all(|w| w[1] as f64 <= w[0] as f64 * 1.3 + 1.0), "{periods:?}");
        }
        b.forget().change("a", |i| i.refresh = Duration::from_secs(10)).seconds(200.0);
        let last = b.sent.iter().rev().find(|s| s.msg_type() == MsgType::RESV).expect("a refresh");
        assert_eq!(last.get::<rsvp_wire::TimeValues>().refresh_ms, 10_000);
    }
}

/// RFC 2205 Appendix A.9, A.10: a sender named by flow label is one like any other, its unused field sent as zero.
#[test]
fn a_sender_may_be_named_by_its_flow_label() {
    let mut b = Bench::new(Family::V6, Config::default());
    let IpAddr::V6(address) = b.family.named("S1") else { panic!("an address of IPv6") };
    let label = |reserved| FilterSpec::Ipv6FlowLabel { address, reserved, label: 5 };
    b.takes(&b.message("a1 Path S1{9B}").with(|m| m.sender = Some(label(7))));
    assert_eq!(b.sent.len(), 2);
    assert!(b.sent.iter().all(|s| s.get::<SenderTemplate>() == SenderTemplate(label(0))));
}
