//! Every reason to drop a message, provoked, with its counter raised once; every limit (RFC 2205 sections 3.1, 3.2 and
//! Appendix B).

use super::bench::Bench;
use super::message::{Arriving, object, written};
use super::words::{Family, SENDER_PORT, interface};
use rsvp_node::{AppId, Command, Config, Discard, Input, InterfaceId, Limits, Outcome, Refusal};
use rsvp_wire::{AdspecSummary, Message, MsgType, Session};

/// A bench with one limit lowered.
fn limited(change: impl Fn(&mut Limits)) -> [Bench; 2] {
    [Family::V4, Family::V6].map(|family| {
        let mut config = Config { seed: 3, ..Config::default() };
        change(&mut config.limits);
        Bench::new(family, config)
    })
}

/// RFC 2205 Appendix B: wrong length, version, checksum, object length; logged, never answered.
#[test]
fn malformed_octets_are_dropped() {
    for mut b in Bench::both() {
        let message = b.message("a1 Path S1{9B}");
        let octets = message.octets();
        let mut broken = vec![Vec::new(), octets[..octets.len() - 4].to_vec()];
        for (at, value) in [(0, 0x20), (2, octets[2] ^ 1), (7, 3), (9, 3)] {
            let mut copy = octets.clone();
            copy[at] = value;
            broken.push(copy);
        }
        for copy in broken {
            let why = Message::parse(&copy).expect_err("broken octets");
            b.drops_rx(&message, &copy, Discard::Malformed(why));
        }
        b.is_silent().is_empty();
    }
}

/// RFC 2205 Appendix B: illegal message type.
#[test]
fn unknown_message_types_are_dropped() {
    for mut b in Bench::both() {
        for kind in [0, 8, 20, 255] {
            b.drops(
                &b.message("a1 Path S1{9B}").with(|m| m.msg_type = MsgType(kind)).on("a"),
                Discard::NotForThisNode,
            );
            let own = b.family.named("a0");
            let to_us =
                b.message("a1 Path S1{9B}").with(|m| (m.msg_type, m.destination) = (MsgType(kind), own));
            b.drops(&to_us, Discard::UnknownMessageType);
        }
        b.is_silent().is_empty();
    }
}

/// RFC 2205 section 3.11.4: an interface may have RSVP switched off.
#[test]
fn an_interface_that_is_unknown_down_or_without_rsvp_hears_nothing() {
    for mut b in Bench::both() {
        b.change("a", |i| i.up = false);
        b.drops(&b.message("a1 Path S1{9B}"), Discard::InterfaceDisabled);
        b.change("a", |i| (i.up, i.enabled) = (true, false));
        b.drops(&b.message("a1 Path S1{9B}"), Discard::InterfaceDisabled);
        b.drops(&b.message("a1 Path S1{9B}").with(|m| m.on = InterfaceId(77)), Discard::InterfaceDisabled);
        b.change("a", |i| i.enabled = true).hears("a1 Path S1{9B}");
    }
}

/// RFC 2205 section 3.11.4: no Path leaves where RSVP is off; where the link is down it waits until that is up.
#[test]
fn nothing_leaves_by_an_interface_that_is_down_or_without_rsvp() {
    for mut b in Bench::both() {
        b.change("c", |i| i.enabled = false)
            .change("d", |i| i.up = false)
            .hears("a1 Path S1{9B}")
            .is_silent();
        b.change("d", |i| i.up = true).sends(&["d>G Path S1{9B}"]).seconds(46.0);
        assert!(!b.sent.is_empty() && b.sent.iter().all(|s| s.interface == interface("d")));
        // Until it is noticed that nobody is there any more.
        b.hears("d1 Resv WF{4B}").change("a", |i| i.up = false).forget();
        b.hears("d1 Resv WF{5B}").is_silent();
        b.change("a", |i| i.up = true).hears("d1 Resv WF{6B}").sends(&["a>a1 Resv WF{6B}"]);
    }
}

/// RFC 2205 section 3.3: only Path, PathTear and ResvConf are diverted by Router Alert.
#[test]
fn other_messages_for_another_node_are_dropped() {
    for mut b in Bench::both() {
        b.figure_4();
        let far = b.family.named("e9");
        for text in ["c1 Resv WF{4B}", "c1 ResvTear WF", "a1 ResvErr 02/0000 WF{4B}", "c1 PathErr 02/0000 S1"]
        {
            b.drops(&b.message(text).with(|m| m.destination = far), Discard::NotForThisNode);
        }
        let (interface, own) = (b.message("c1 Resv WF{4B}"), b.family.named("d0"));
        b.takes(&interface.with(|m| m.destination = own));
    }
}

/// RFC 2205 section 3.1: a hop is another node. What names this one, on whichever interface, is not answered: the answer would
/// come back.
#[test]
fn a_hop_that_is_this_node_is_not_answered() {
    for mut b in Bench::both() {
        b.figure_4();
        for text in
            ["a1 Path S1{9B}", "c1 Resv WF{4B}", "c1 Resv FF S9{4B}", "c1 ResvTear WF", "a1 PathTear S1"]
        {
            for own in ["a0", "d0"].map(|name| b.family.named(name)) {
                let message = b.message(text).with(|m| m.hop.as_mut().expect("one").address = own);
                b.drops(&message, Discard::OwnMessage).is_silent();
            }
        }
    }
}

/// RFC 2205 sections 3.1.3 to 3.1.9 and Appendix B: required objects, one each, allowed ones only, in their order.
#[test]
fn messages_that_break_the_grammar_are_dropped() {
    type Breakage = (&'static str, fn(&mut Arriving));
    let broken: [Breakage; 14] = [
        ("a1 Path S1{9B}", |m| m.hop = None),
        ("a1 Path S1{9B}", |m| m.refresh_ms = None),
        ("a1 Path S1{9B}", |m| m.sender = None),
        ("a1 Path S1{9B}", |m| m.tspec = None),
        ("a1 Path S1{9B}", |m| m.last.push(written(&m.session))),
        ("a1 Path S1{9B}", |m| m.last.push(object(4, 1, &[0; 36]))),
        ("a1 Path S1{9B}", |m| m.confirm = Some(m.source)),
        ("c1 Resv WF{4B}", |m| m.flows = None),
        ("c1 Resv WF{4B}", |m| m.last.push(object(14, 1, &[0; 4]))),
        ("c1 Resv WF{4B}", |m| m.hop = None),
        ("c1 Resv WF{4B}", |m| m.refresh_ms = None),
        ("a1 PathTear S1", |m| m.hop = None),
        ("a1 ResvErr 02/0000 WF{4B}", |m| m.error = None),
        ("a1 ResvConf a0 WF{4B}", |m| m.confirm = None),
    ];
    for mut b in Bench::both() {
        b.figure_4();
        for (text, change) in broken {
            b.drops(&b.message(text).with(change), Discard::BadGrammar);
        }
        b.is_silent();
    }
}

/// RFC 2205 sections 3.1.3 and 3.1.4: no requirements on order but those named.
#[test]
fn objects_may_come_in_another_order() {
    for mut b in Bench::both() {
        let path = b.message("a1 Path S1{9B}").with(|m| {
            let hop = written(&m.hop.take().unwrap());
            let time = written(&rsvp_wire::TimeValues { refresh_ms: m.refresh_ms.take().unwrap() });
            m.last.extend([time, hop]);
        });
        b.takes(&path).sends(&["c>G Path S1{9B}", "d>G Path S1{9B}"]);
        let resv = b.message("c1 Resv WF{4B}").object(14, 1, &[1; 4]).with(|m| {
            m.objects.push(written(&rsvp_wire::ResvConfirm { address: m.source }));
            m.objects.push(written(&rsvp_wire::TimeValues { refresh_ms: m.refresh_ms.take().unwrap() }));
            m.objects.push(written(&m.hop.take().unwrap()));
        });
        b.takes(&resv).sends(&["a>a1 Resv WF{4B} confirm c1"]);
    }
}

/// RFC 2205 Appendix A and B: illegal hop, sender and session addresses; families that disagree.
#[test]
fn illegal_addresses_are_dropped() {
    for mut b in Bench::both() {
        let group = b.family.named("G");
        let none = if b.family == Family::V4 { "0.0.0.0" } else { "::" }.parse().unwrap();
        let other = if b.family == Family::V4 { Family::V6 } else { Family::V4 };
        // This node's own, if anybody answered there.
        let loopback = if b.family == Family::V4 { "127.0.1.1" } else { "::1" }.parse().unwrap();
        // Of class E, and one of IPv4 in IPv6.
        let never = if b.family == Family::V4 { "240.0.0.1" } else { "::ffff:192.0.2.1" }.parse().unwrap();
        for bad in [group, none, loopback, never, other.named("a1")] {
            b.drops(
                &b.message("a1 Path S1{9B}").with(|m| m.hop.as_mut().unwrap().address = bad),
                Discard::BadAddress,
            );
            let sender = rsvp_wire::FilterSpec::new(bad, SENDER_PORT);
            b.drops(&b.message("a1 Path S1{9B}").with(|m| m.sender = Some(sender)), Discard::BadAddress);
        }
        b.hears("a1 Path S1{9B}").forget();
        for bad in [group, none, loopback, never, other.named("S1")] {
            let filter = rsvp_wire::FilterSpec::new(bad, SENDER_PORT);
            let named = |m: &mut Arriving| m.flows.as_mut().unwrap().flows[0].1 = vec![filter];
            b.drops(&b.message("c1 Resv FF S1{4B}").with(named), Discard::BadAddress);
        }
        b.hears("a1 PathTear S1").forget();
        for bad in [Session::new(none, 17, 7), Session::new(group, 0, 7)] {
            b.drops(&b.message("a1 Path S1{9B}").with(|m| m.session = bad), Discard::BadAddress);
        }
        b.is_silent().is_empty();
    }
}

/// RFC 2205 section 3.2, rule 2.
#[test]
fn a_source_port_needs_a_destination_port() {
    for mut b in Bench::both() {
        b.session = Session::new(b.session.destination(), 89, 0);
        b.drops(&b.message("a1 Path S1{9B}"), Discard::BadSourcePort);
        let portless = |m: &mut Arriving| m.sender = Some(rsvp_wire::FilterSpec::new(m.source, 0));
        b.takes(&b.message("a1 Path S1{9B}").with(portless));
        b.drops(&b.message("c1 Resv FF S1{9B}"), Discard::BadSourcePort);
    }
}

/// RFC 2205 section 3.7: a period of zero would be no period.
#[test]
fn a_refresh_period_of_zero_is_dropped() {
    for mut b in Bench::both() {
        b.drops(&b.message("a1 Path S1{9B}").every(0), Discard::BadTimeValues).is_empty();
        b.hears("a1 Path S1{9B}").forget();
        b.drops(&b.message("c1 Resv WF{9B}").every(0), Discard::BadTimeValues).is_silent();
    }
}

/// RFC 2205 section 3.4: this node's own Path, come back.
#[test]
fn an_own_message_that_comes_back_is_dropped() {
    for mut b in Bench::both() {
        let own = b.family.named("c0");
        b.drops(
            &b.message("d1 Path S1{9B}").with(|m| m.hop.as_mut().unwrap().address = own),
            Discard::OwnMessage,
        );
        b.is_silent().is_empty();
    }
}

/// A limit on sessions, for messages and commands.
#[test]
fn sessions_are_limited() {
    for mut b in limited(|l| l.sessions = 1) {
        b.hears("a1 Path S1{9B}").forget();
        let other = Session::new(b.session.destination(), 17, 7001);
        b.drops(&b.message("a1 Path S1{9B}").with(|m| m.session = other), Discard::LimitReached);
        b.sends(&["a>a1 PathErr 23/0001 S1"]);
        b.refuses(Command::OpenSession { app: AppId(1), session: other }, Refusal::LimitReached);
        b.hears("a1 PathTear S1");
        b.takes(&b.message("a1 Path S1{9B}").with(|m| m.session = other));
    }
}

/// A limit on the senders of a session.
#[test]
fn senders_are_limited() {
    for mut b in limited(|l| l.senders_per_session = 2) {
        b.hears("a1 Path S1{9B}").hears("b1 Path S2{9B}").forget();
        b.drops(&b.message("b1 Path S3{9B}"), Discard::LimitReached).sends(&["b>b1 PathErr 23/0002 S3"]);
        let sender = rsvp_wire::SenderTemplate(b.family.sender("C0"));
        let (session, tspec) = (b.session, super::words::tspec(1.0));
        let announce = Command::Sender {
            carried: None,
            app: AppId(1),
            session,
            sender,
            tspec,
            adspec: None,
            ttl: 9,
            interface: None,
        };
        b.refuses(announce, Refusal::LimitReached);
        b.hears("b1 PathTear S2")
            .hears("b1 Path S3{9B}")
            .hears("a1 PathTear S1")
            .hears("b1 PathTear S3")
            .is_empty();
    }
}

/// A limit on the requests of a session.
#[test]
fn requests_are_limited() {
    for mut b in limited(|l| l.requests_per_session = 1) {
        b.hears("a1 Path S1{9B}").hears("c1 Resv WF{4B}").forget();
        b.drops(&b.message("c2 Resv WF{4B}"), Discard::LimitReached).sends(&["c>c2 ResvErr 23/0003 WF"]);
        assert_eq!(b.reserve(1, "WF{4B}", false), Outcome::Refused(Refusal::LimitReached));
        b.hears("c1 ResvTear WF").hears("c2 Resv WF{4B}").installs(&["c WF{4B}"]);
    }
}

/// A limit on the filters of a request, also when they come in several messages.
#[test]
fn filters_are_limited() {
    for mut b in limited(|l| l.filters_per_request = 2) {
        b.figure_4();
        b.drops(&b.message("c1 Resv SE S1 S2 S3{4B}"), Discard::LimitReached);
        b.sends(&["c>c1 ResvErr 23/0004 SE S1 S2 S3"]);
        assert_eq!(b.reserve(1, "SE S1 S2 S3{4B}", false), Outcome::Refused(Refusal::LimitReached));
        b.hears("c1 Resv FF S1{4B} S2{4B}").forget();
        b.drops(&b.message("c1 Resv FF S3{4B}"), Discard::LimitReached);
        b.sends(&["c>c1 ResvErr 23/0004 FF S3"]);
        b.installs(&["c FF S1{4B}", "c FF S2{4B}"]).hears("c1 Resv FF S1{5B}");
    }
}

/// A limit on the refresh period of neighbours, whose state would else stand for months.
#[test]
fn refresh_periods_are_limited() {
    for mut b in Bench::both() {
        b.figure_4().forget();
        b.drops(&b.message("a1 Path S1{8B}").every(3601), Discard::LimitReached);
        b.sends(&["a>a1 PathErr 23/0006 S1"]);
        b.drops(&b.message("c1 Resv FF S1{4B}").every(3601), Discard::LimitReached);
        b.sends(&["c>c1 ResvErr 23/0006 FF S1"]).installs(&[]);
        b.takes(&b.message("c1 Resv FF S1{4B}").every(3600)).installs(&["c FF S1{4B}"]);
    }
}

/// A limit on what a message asks to be kept and passed on; nothing of it is in the answer, which else nobody would take.
#[test]
fn forwarded_octets_are_limited() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S1{4B}").forget();
        let much =
            |b: &Bench, text: &str| b.message(text).object(0xc8, 1, &[7; 2048]).object(14, 1, &[7; 2048]);
        b.drops(&much(&b, "a1 Path S1{8B}"), Discard::LimitReached);
        let sent = b.sends_one("a>a1 PathErr 23/0005 S1");
        assert!(sent.objects(0xc8).is_empty() && sent.objects(14).is_empty());
        b.drops(&much(&b, "c1 Resv FF S1{5B} S2{1B}"), Discard::LimitReached);
        b.sends(&["c>c1 ResvErr 23/0005 FF S1{5B}", "c>c1 ResvErr 23/0005 FF S2{1B}"]);
        b.drops(&much(&b, "a1 ResvErr 02/0000 FF S1{4B}"), Discard::LimitReached).is_silent();
        b.installs(&["c FF S1{4B}"]);
    }
}

/// Answers about limits are rare: ten at once and then ten a second to each neighbour; what is not sent is counted.
#[test]
fn limits_are_answered_at_one_rate_to_each_neighbour() {
    for mut b in limited(|l| l.senders_per_session = 1) {
        b.hears("a1 Path S1{9B}").forget();
        let suppressed = |b: &Bench| b.engine.counters().discarded(Discard::ErrorSuppressed);
        let told = |b: &mut Bench, from: &str, times: u32| {
            for n in 1..=times {
                let path = b.message(&format!("{from} Path S{}{{9B}}", n + 1));
                let octets = path.octets();
                let outcome = b.input(Input::Packet(path.rx(&octets)));
                assert_eq!(outcome, Outcome::Discarded(Discard::LimitReached));
            }
            b.sent.drain(..).count()
        };
        assert_eq!((told(&mut b, "a1", 50), suppressed(&b)), (10, 40));
        assert_eq!(told(&mut b, "a2", 50), 10, "another neighbour has its own");
        assert_eq!(told(&mut b, "b1", 50), 10);
        let all: usize = (3..60).map(|n| told(&mut b, &format!("a{n}"), 10)).sum();
        assert_eq!(all, 80, "a hundred for all on one interface, whose addresses can be invented");
        b.seconds(0.35);
        assert_eq!(told(&mut b, "a1", 50), 3);
        b.hears("a1 Path S1{9B}").seconds(60.0).forget();
        assert_eq!(told(&mut b, "a1", 50), 10);
    }
}

/// What waits to leave is limited; what does not fit is counted.
#[test]
fn the_queue_is_limited() {
    for mut b in limited(|l| l.queue = 2) {
        b.figure_4();
        let message = b.message("c1 Resv FF S4{1B} S5{1B} S6{1B}");
        let octets = message.octets();
        assert_eq!(b.input(Input::Packet(message.rx(&octets))), Outcome::Discarded(Discard::Rejected));
        assert_eq!(b.sent.len(), 2);
        assert_eq!(b.engine.counters().discarded(Discard::QueueFull), 1);
    }
}

/// RFC 2205 section 3.3: a message may not exceed an IP datagram. Here an empty Guaranteed fragment grows by 32 octets.
#[test]
fn a_message_that_grows_beyond_a_datagram_is_not_sent() {
    for mut b in Bench::both() {
        let summary = AdspecSummary { guaranteed: None, controlled_load: None, ..super::adspec::full() };
        let mut adspec = written(&summary);
        // The empty fragment, and one of a service that nobody knows, as long as the message can be.
        adspec.extend_from_slice(&[2, 0x80, 0, 0, 200, 0, 0, 0]);
        let rest = b.message("a1 Path S1{9B}").octets().len() + adspec.len();
        let words = (65_532 - rest) / 4;
        let at = adspec.len() - 2;
        adspec[at..].copy_from_slice(&(words as u16).to_be_bytes());
        adspec.resize(adspec.len() + 4 * words, 0);
        let length = adspec.len() as u16;
        adspec[0..2].copy_from_slice(&length.to_be_bytes());
        adspec[6..8].copy_from_slice(&(length / 4 - 2).to_be_bytes());
        b.takes(&b.message("a1 Path S1{9B}").last(adspec)).is_silent();
        assert_eq!(b.engine.counters().discarded(Discard::TooLarge), 1, "one for what could not be sent");
        assert_eq!(b.engine.senders().count(), 1);
        b.hears("a1 PathTear S1").is_empty();
    }
}

/// Each reason has a name and a counter of its own; sound messages count as received by type.
#[test]
fn counters_have_names_of_their_own() {
    for mut b in Bench::both() {
        b.figure_4();
        b.drops(&b.message("c1 ResvTear WF"), Discard::NoState);
        let raised: Vec<_> = b.engine.counters().discards().filter(|(_, n)| *n > 0).collect();
        assert_eq!(raised, [("no-state", 1)]);
        let names: std::collections::BTreeSet<_> =
            b.engine.counters().discards().map(|(name, _)| name).collect();
        assert_eq!(names.len(), b.engine.counters().discards().count());
        let counters = b.engine.counters();
        assert_eq!((counters.received(MsgType::PATH), counters.received(MsgType::RESV_TEAR)), (3, 1));
        assert_eq!(counters.sent(MsgType::PATH), 6);
    }
}

/// What waits to be told to applications is limited, too.
#[test]
fn events_are_limited() {
    for mut b in limited(|l| l.queue = 2) {
        b.opens(1).opens(2).opens(3).hears("a1 Path S1{9B}");
        assert_eq!(b.events.len(), 2);
        assert_eq!(b.engine.counters().discarded(Discard::QueueFull), 1);
    }
}

/// RFC 2205 section 3.2: a session's messages travel in packets of its own family; what comes in one of the other was not sent by a
/// node that has an address in the session's.
#[test]
fn a_session_of_another_family_than_its_packet_is_dropped() {
    for mut b in Bench::both() {
        let other = if b.family == Family::V4 { Family::V6 } else { Family::V4 };
        let path = b.message("a1 Path S1{9B}").with(|m| m.source = other.named("S1"));
        b.drops(&path, Discard::BadAddress);
        b.is_silent().is_empty();
        b.takes(&b.message("a1 Path S1{9B}").every(3600)).forget();
        let resv = b.message("c1 Resv WF{4B}").with(|m| m.source = other.named("c1"));
        b.drops(&resv, Discard::BadAddress);
        b.is_silent().installs(&[]);
    }
}
