//! Local applications: commands and events, RFC 2205 sections 3.1.7, 3.9 and 3.11.1.

use super::adspec;
use super::bench::Bench;
use super::words::{controlled, guaranteed, interface, tspec};
use rsvp_node::{AdspecOffer, AppId, Command, Discard, EventKind, FlowRequest, Outcome, Refusal};
use rsvp_wire::{
    AdspecSummary, FilterSpec, Flowspec, GeneralParams, GuaranteedParams, Rspec, SenderTemplate, Session,
    Style, Tspec,
};

const APP: AppId = AppId(1);

fn sender<'a>(b: &Bench, name: &str) -> Command<'a> {
    let sender = SenderTemplate(b.family.sender(name));
    Command::Sender {
        carried: None,
        app: APP,
        session: b.session,
        sender,
        tspec: tspec(9.0),
        adspec: None,
        ttl: 33,
        interface: None,
    }
}

/// RFC 2205 section 3.11.1, SENDER, and 3.9: out of the interface with the sender's address only, with the data's TTL.
#[test]
fn a_local_sender_sends_path_out_of_its_interface_with_the_ttl_of_the_data() {
    for mut b in Bench::both() {
        b.announces(1, "C0");
        let sent = b.sends_one("c>G Path C0{9B}");
        assert_eq!(sent.ttl, 33);
        b.tells(&[]).announces(1, "C0");
        b.seconds(46.0);
        assert!(!b.sent.is_empty() && b.sent.iter().all(|s| s.interface == interface("c")));
    }
}

/// RFC 2205 section 3.9: unless the application names another interface.
#[test]
fn a_local_sender_may_name_its_interface() {
    for mut b in Bench::both() {
        let mut command = sender(&b, "C0");
        if let Command::Sender { interface: on, .. } = &mut command {
            *on = Some(interface("d"));
        }
        b.does(command).sends(&["d>G Path C0{9B}"]);
    }
}

/// RFC 2210 sections 2.2 and 3.3: the first ADSPEC has the values of the sender's own interface.
#[test]
fn a_local_senders_adspec_starts_with_the_values_of_its_interface() {
    for mut b in Bench::both() {
        b.change("c", |i| (i.mtu, i.latency_us, i.error_c, i.error_d_us) = (1400, 7, 10, 20));
        let mut command = sender(&b, "C0");
        if let Command::Sender { adspec, .. } = &mut command {
            *adspec = Some(AdspecOffer { guaranteed: true, ..Default::default() });
        }
        b.does(command);
        let expected = AdspecSummary {
            global: GeneralParams { break_bit: false, hops: 1, bandwidth: 1.25e6, latency_us: 7, mtu: 1400 },
            guaranteed: Some(GuaranteedParams {
                ctot: 10,
                dtot: 20,
                csum: 10,
                dsum: 20,
                ..Default::default()
            }),
            controlled_load: None,
            null: None,
        };
        assert_eq!(b.sends_one("c>G Path C0{9B}").get::<AdspecSummary>(), expected);
    }
}

/// RFC 2205 section 3.11.1: path events on first occurrence and on change, to every application of the session.
#[test]
fn path_events_come_once_and_on_change() {
    for mut b in Bench::both() {
        b.opens(1).hears("a1 Path S1{9B}").tells(&["1 Path S1{9B}"]);
        b.hears("a1 Path S1{9B}").tells(&[]).opens(2).tells(&["2 Path S1{9B}"]).opens(2).tells(&[]);
        b.takes(&b.message("a1 Path S1{9B}").every(20)).tells(&[]);
        b.hears("a1 Path S1{8B}").tells(&["1 Path S1{8B}", "2 Path S1{8B}"]);
        b.takes(&b.message("a1 Path S1{8B}").adspec(&adspec::full()));
        let EventKind::Path { adspec, .. } = &b.events[0].kind else { panic!("{:?}", b.events) };
        assert_eq!(*adspec, Some(adspec::full()));
        b.forget().hears("a1 PathTear S1").tells(&["1 PathGone S1 Torn", "2 PathGone S1 Torn"]);
        b.hears("a1 Path S1{8B}").forget().seconds(158.0);
        b.tells(&["1 PathGone S1 TimedOut", "2 PathGone S1 TimedOut"]);
        b.releases(1).releases(2).is_empty();
    }
}

/// RFC 2205 section 3.11.1: reservation events at the sender, on first occurrence, change and end; they say what is in effect.
#[test]
fn resv_events_come_once_and_on_change() {
    for mut b in Bench::both() {
        b.announces(1, "C0").forget();
        b.hears("c1 Resv WF{4B}").tells(&["1 Resv WF{4B}"]).hears("c1 Resv WF{4B}").tells(&[]);
        b.hears("c2 Resv WF{3B}").tells(&[]).hears("c1 Resv WF{2B}").tells(&["1 Resv WF{3B}"]);
        b.hears("c2 ResvTear WF").tells(&["1 Resv WF{2B}"]).hears("c1 ResvTear WF").tells(&["1 ResvGone WF"]);
        b.hears("c1 Resv WF{20B}").tells(&["1 Resv WF{9B}"]);
    }
}

/// RFC 2205 section 3.1.7: delivered to the sender that is here, every one of them, and no state changes.
#[test]
fn a_path_err_is_delivered_to_the_local_sender() {
    for mut b in Bench::both() {
        b.announces(1, "C0").opens(2).forget();
        let before = b.state();
        // A SENDER_TSPEC in it is of no account (RFC 2209 PERR MESSAGE ARRIVES).
        for text in ["c1 PathErr 21/0004 C0", "c1 PathErr 21/0004 C0", "c1 PathErr 21/0004 C0{8B}"] {
            b.hears(text).sends(&[]).tells(&["1 PathError 21/0004 C0 at c1"]);
        }
        assert_eq!(b.state(), before);
    }
}

/// RFC 2205 sections 3.1.7 and 3.10: or goes to the previous hop, unchanged, and changes nothing.
#[test]
fn a_path_err_goes_to_the_previous_hop() {
    for mut b in Bench::both() {
        b.figure_4();
        let before = b.state();
        let far = b.family.named("S9");
        let error = b.message("d1 PathErr 02/0009 S2{8B}").object(0xc9, 1, &[1; 4]).object(0x89, 1, &[0; 4]);
        b.takes(&error.with(|m| m.error.as_mut().unwrap().node = far));
        let sent = b.sends_one("b>b1 PathErr 02/0009 S2");
        assert_eq!(sent.get::<rsvp_wire::ErrorSpec>().node, far);
        assert_eq!((sent.objects(0xc9).len(), sent.objects(0x89).len(), sent.objects(12).len()), (1, 0, 1));
        assert_eq!(b.state(), before);
        b.drops(&b.message("d1 PathErr 02/0009 S4{8B}"), Discard::NoState);
        // Two nodes that are each other's previous hop, as after a route change, do not send it to and fro.
        b.drops(&b.message("b1 PathErr 02/0009 S2{8B}"), Discard::ForeignSource).sends(&[]);
    }
}

/// RFC 2205 section 3.11.1, RESERVE: a Resv leaves for every previous hop concerned, and nothing is installed here.
#[test]
fn a_local_reservation_goes_upstream_and_can_be_changed_and_released() {
    for mut b in Bench::both() {
        b.figure_4().reserves(1, "SE S1 S2{4B}").sends(&["a>a1 Resv SE S1{4B}", "b>b1 Resv SE S2{4B}"]);
        b.installs(&[]).reserves(1, "SE S1 S2{4B}").sends(&[]);
        b.reserves(1, "SE S2 S3{5B}").sends(&["a>a1 ResvTear SE S1{4B}", "b>b1 Resv SE S2 S3{5B}"]);
        b.reserves(1, "WF{5B}");
        b.sends(&["a>a1 Resv WF{5B}", "b>b1 ResvTear SE S2 S3{5B}", "b>b1 Resv WF{5B}"]);
        let session = b.session;
        b.does(Command::ReleaseReservation { app: APP, session });
        b.sends(&["a>a1 ResvTear WF{5B}", "b>b1 ResvTear WF{5B}"]);
        b.refuses(Command::ReleaseReservation { app: APP, session }, Refusal::NotFound);
    }
}

/// RFC 2205 section 3.11.1 and Appendix B, code 03: told of at once, honoured later.
#[test]
fn a_reservation_before_its_sender_is_reported_and_honoured_later() {
    for mut b in Bench::both() {
        b.reserves(1, "FF S1{4B}").sends(&[]);
        let EventKind::ResvError { error, .. } = &b.events[0].kind else { panic!("{:?}", b.events) };
        assert_eq!((error.code.0, b.events.len()), (3, 1));
        b.forget().hears("b1 Path S2{9B}").hears("a1 Path S1{9B}");
        assert_eq!(b.sent.iter().filter(|s| s.msg_type() == rsvp_wire::MsgType::RESV).count(), 1);
        b.forget().reserves(2, "FF S3{4B}");
        let EventKind::ResvError { error, .. } = &b.events[2].kind else { panic!("{:?}", b.events) };
        assert_eq!(error.code.0, 4);
    }
}

/// RFC 2205 section 3.1.5: the network takes the path away, not what the application asked for.
#[test]
fn a_local_reservation_survives_its_senders() {
    for mut b in Bench::both() {
        b.figure_4().reserves(1, "WF{4B}").forget();
        b.hears("a1 PathTear S1").tells(&["1 PathGone S1 Torn"]).forget();
        b.hears("a1 Path S1{9B}").sends(&["c>G Path S1{9B}", "d>G Path S1{9B}", "a>a1 Resv WF{4B}"]);
    }
}

/// RFC 2205 section 2.2: local and remote requests merge; the smaller hears nothing and costs nothing upstream.
#[test]
fn several_applications_and_next_hops_merge() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        b.reserves(1, "WF{4B}").sends(&["a>a1 Resv WF{4B}"]).reserves(2, "WF{3B}").sends(&[]);
        b.hears("c1 Resv WF{5B}")
            .sends(&["a>a1 Resv WF{5B}"])
            .hears("c1 ResvTear WF")
            .sends(&["a>a1 Resv WF{4B}"]);
        b.releases(1).sends(&["a>a1 Resv WF{3B}"]).releases(2).sends(&["a>a1 ResvTear WF{3B}"]);
        b.hears("a1 PathTear S1").is_empty();
    }
}

/// RFC 2205 section 3.11.1, RELEASE: everything the application has in the session goes, with teardowns.
#[test]
fn release_tears_everything_of_the_application() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").announces(1, "C0").announces(1, "D0").announces(2, "B0");
        b.reserves(1, "WF{4B}").forget();
        b.releases(1).sends(&["c>G PathTear C0", "d>G PathTear D0", "a>a1 ResvTear WF{4B}"]);
        b.tells(&["2 PathGone C0 Torn", "2 PathGone D0 Torn"]);
        let session = b.session;
        b.refuses(Command::Release { app: APP, session }, Refusal::NotFound);
        b.hears("a1 PathTear S1").releases(2).is_empty();
    }
}

/// RFC 2205 section 3.11.1: one sender may go alone.
#[test]
fn a_removed_sender_leaves_by_a_path_tear() {
    for mut b in Bench::both() {
        b.announces(1, "C0").announces(1, "D0").hears("c1 Resv FF C0{4B}").forget();
        let (session, template) = (b.session, SenderTemplate(b.family.sender("C0")));
        b.refuses(Command::RemoveSender { app: AppId(2), session, sender: template }, Refusal::NotFound);
        b.does(Command::RemoveSender { app: APP, session, sender: template })
            .sends(&["c>G PathTear C0"])
            .installs(&[]);
        b.refuses(Command::RemoveSender { app: APP, session, sender: template }, Refusal::NotFound);
        b.releases(1).is_empty();
    }
}

/// RFC 2210 section 2.2: all of a session use one service, the local applications too.
#[test]
fn a_local_reservation_of_another_service_is_refused() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{4B}").forget();
        assert_eq!(b.reserve(1, "WF{5G}", false), Outcome::Refused(Refusal::ConflictingService));
        b.is_silent().hears("c1 ResvTear WF").forget();
        b.reserves(1, "WF{5G}").sends(&["a>a1 Resv WF{5G}"]);
        b.reserves(1, "WF{5B}").sends(&["a>a1 Resv WF{5B}"]);
    }
}

/// Every refusal, each of which changes nothing.
#[test]
fn refusals_change_nothing() {
    for mut b in Bench::both() {
        // What no object can be is in no journal.
        b.without_journal();
        b.figure_4();
        let session = b.session;
        let destination = session.destination();
        for bad in [
            Session::new(destination, 0, 7),
            Session::new(destination, 17, 0),
            Session::new(destination, 6, 0),
        ] {
            b.refuses(Command::OpenSession { app: APP, session: bad }, Refusal::BadSession);
        }
        b.refuses(sender(&b, "S1"), Refusal::BadSender);
        b.announces(2, "C0");
        b.refuses(sender(&b, "C0"), Refusal::SenderTaken);
        let with = |b: &Bench, rate: f32, ttl: u8, on: Option<&str>| Command::Sender {
            carried: None,
            app: APP,
            session,
            sender: SenderTemplate(b.family.sender("D0")),
            tspec: tspec(rate),
            adspec: None,
            ttl,
            interface: on.map(interface),
        };
        b.refuses(with(&b, -1.0, 9, None), Refusal::BadTrafficParameter);
        b.refuses(with(&b, 1.0, 0, None), Refusal::BadTrafficParameter);
        // RFC 2212 "Invocation Information": p is at least r.
        let mut low = with(&b, 2.0, 9, None);
        if let Command::Sender { tspec, .. } = &mut low {
            tspec.peak = 1.9e3;
        }
        b.refuses(low, Refusal::BadTrafficParameter);
        b.refuses(with(&b, 1.0, 9, Some("z")), Refusal::NoInterface);
    }
}

/// The same for reservations.
#[test]
fn refused_reservations_change_nothing() {
    for mut b in Bench::both() {
        b.without_journal();
        b.figure_4().hears("c1 Resv SE S1{4B}");
        let session = b.session;
        let s1 = [b.family.sender("S1")];
        let foreign = [
            FilterSpec::new("192.0.2.1".parse().unwrap(), 1),
            FilterSpec::new("3fff::1".parse().unwrap(), 1),
        ];
        let flow = |filters| FlowRequest { flowspec: controlled(4.0), filters };
        let reserve = |style, flows, interface| Command::Reserve {
            carried: None,
            app: APP,
            session,
            style,
            flows,
            confirm: false,
            interface,
        };
        let (one, none, two, other) = ([flow(&s1)], [flow(&[])], [flow(&s1), flow(&s1)], [flow(&foreign)]);
        b.refuses(reserve(Style::FF, &one, None), Refusal::ConflictingStyle);
        b.refuses(reserve(Style::WF, &one, None), Refusal::BadStyle);
        b.refuses(reserve(Style::SE, &none, None), Refusal::BadStyle);
        b.refuses(reserve(Style::SE, &two, None), Refusal::BadStyle);
        b.refuses(reserve(Style::FF, &[], None), Refusal::BadStyle);
        b.refuses(reserve(Style { flags: 0, options: 9 }, &one, None), Refusal::BadStyle);
        b.refuses(reserve(Style::SE, &one, Some(interface("z"))), Refusal::NoInterface);
        b.refuses(reserve(Style::SE, &other, None), Refusal::BadSender);
        let bad = [FlowRequest { flowspec: controlled(f32::NAN), filters: &s1 }];
        b.refuses(reserve(Style::SE, &bad, None), Refusal::BadTrafficParameter);
        let peak = Tspec { peak: 3.9e3, ..tspec(4.0) };
        let below =
            [Flowspec::ControlledLoad(peak), Flowspec::Guaranteed(peak, Rspec { rate: 4e3, slack: 0 })];
        let below = below.map(|flowspec| [FlowRequest { flowspec, filters: &s1 }]);
        for flows in &below {
            b.refuses(reserve(Style::SE, flows, None), Refusal::BadTrafficParameter);
        }
        let mixed = [flow(&s1), FlowRequest { flowspec: guaranteed(1.0), filters: &foreign[..1] }];
        b.refuses(reserve(Style::FF, &mixed, None), Refusal::BadTrafficParameter);
        assert_eq!(b.reserve(1, "SE S1{4B}", false), Outcome::Taken);
    }
}

/// RFC 2205 section 3.1.3: a Path from elsewhere for a sender that is on this node does not replace it.
#[test]
fn a_path_for_a_sender_on_this_node_does_not_replace_it() {
    for mut b in Bench::unicast() {
        b.announces(1, "C0").forget();
        b.drops(&b.message("a1 Path C0{5B}"), Discard::OwnMessage).is_silent();
        assert_eq!(b.engine.senders().count(), 1);
    }
}

/// RFC 2205 section 3.2, rule 2: a sender has no port in a session without.
#[test]
fn a_sender_has_no_port_where_its_session_has_none() {
    for mut b in Bench::both() {
        b.session = Session::new(b.session.destination(), 89, 0);
        b.refuses(sender(&b, "C0"), Refusal::BadSender);
    }
}
