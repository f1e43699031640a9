//! What each neighbour may have of a node's state, and what those who ask for more hear (docs/limits.md).

use super::bench::Bench;
use super::message::Arriving;
use super::words::Family;
use rsvp_node::{Config, Discard, Input, NeighbourView, Outcome};
use rsvp_wire::Session;

/// Nodes in both families, in unicast sessions to U, that have so many octets for neighbours on four interfaces: a floor of a
/// 1024th for each neighbour, a sixteenth for each interface beside, half of it for whoever comes first.
fn with_octets(octets: u64) -> [Bench; 2] {
    [Family::V4, Family::V6].map(|family| {
        let mut config = Config { seed: 3, ..Config::default() };
        config.limits.state_octets = octets;
        let mut bench = Bench::new(family, config);
        bench.session = Session::new(family.named("U"), 17, 7000);
        for n in 1..10 {
            bench.route(&format!("S{n}"), None, "c");
        }
        bench
    })
}

/// A message in another session.
fn in_session(b: &Bench, text: &str, port: u16) -> Arriving {
    let session = Session::new(b.session.destination(), 17, port);
    b.message(text).with(|m| m.session = session)
}

fn arrives(b: &mut Bench, message: &Arriving) -> Outcome {
    let octets = message.octets();
    b.input(Input::Packet(message.rx(&octets)))
}

/// How many new sessions a neighbour has until it is refused one.
fn fills(b: &mut Bench, path: &str, from: u16) -> usize {
    let full = Outcome::Discarded(Discard::LimitReached);
    (from..).take_while(|port| arrives(b, &in_session(b, path, *port)) != full).count()
}

fn row(b: &Bench, neighbour: &str) -> NeighbourView {
    let (on, address) = (super::words::interface(&neighbour[..1]), b.family.named(neighbour));
    let mut rows = b.engine.neighbours();
    rows.find(|row| row.interface == on && row.address == Some(address)).expect("a neighbour that was heard")
}

/// Whoever comes first takes all that is nobody's, and others have their floor all the same: on the same link, on others, with
/// senders and with requests.
#[test]
fn a_neighbour_that_takes_all_leaves_others_their_floor() {
    for mut b in with_octets(2 << 20) {
        let hog = fills(&mut b, "a1 Path S1{9B}", 1_000);
        assert!(hog > 1_000, "{hog}");
        b.sends_among_others("a>a1 PathErr 23/0007 S1");
        let of_hog = row(&b, "a1");
        assert_eq!((of_hog.senders as usize, of_hog.floor), (hog, 2_048));
        assert_eq!((of_hog.messages, of_hog.refused), (hog as u64 + 1, vec![("state-octets", 1)]));
        assert!(of_hog.octets <= 2_048 + (128 << 10) + (1 << 20), "{}", of_hog.octets);
        let floor = (of_hog.floor / (of_hog.octets / hog as u64)) as usize;
        assert!(floor >= 3);
        // What is left of the rest may do for one more.
        let more = floor..=floor + 1;
        assert!(more.contains(&fills(&mut b, "a2 Path S2{9B}", 9_000)), "on the same link");
        assert!(fills(&mut b, "b1 Path S3{9B}", 10_000) > 100, "another link has what is its own");
        assert!(more.contains(&fills(&mut b, "b2 Path S3{9B}", 11_000)));
        for (n, port) in (9_000..9_003).enumerate() {
            let resv = in_session(&b, &format!("c{} Resv FF S2{{1B}}", n + 1), port);
            b.takes(&resv);
        }
        assert_eq!(b.engine.requests().count(), 3);
        let all: u64 = b.engine.neighbours().map(|row| row.octets).sum();
        assert!(all <= 2 << 20, "{all}");
    }
}

/// What is torn down, times out, or becomes another neighbour's is charged to nobody any more; so there is room again.
#[test]
fn what_goes_is_charged_no_more() {
    for mut b in with_octets(1 << 20) {
        let hog = fills(&mut b, "a1 Path S1{9B}", 1_000);
        assert_eq!(fills(&mut b, "a1 Path S1{9B}", 1_000 + hog as u16), 0);
        for port in 1_000..1_010 {
            b.takes(&in_session(&b, "a1 PathTear S1", port));
        }
        assert_eq!(fills(&mut b, "a1 Path S1{9B}", 1_000 + hog as u16), 10);
        let before = row(&b, "a1").octets;
        b.takes(&in_session(&b, "b1 Path S1{9B}", 1_020));
        let moved = (row(&b, "a1"), row(&b, "b1"));
        assert_eq!((moved.0.senders as usize, moved.1.senders), (hog - 1, 1), "routes change");
        assert_eq!(moved.0.octets + moved.1.octets, before);
        b.takes(&in_session(&b, "c1 Resv FF S1{1B}", 1_020));
        assert!(row(&b, "c1").octets > 0);
        b.seconds(200.0).is_empty();
        assert!(b.engine.neighbours().all(|row| (row.octets, row.senders, row.requests) == (0, 0, 0)));
    }
}

/// A change takes room by what it adds, and is refused without an end to what stands; a refresh takes none.
#[test]
fn a_change_is_charged_for_what_it_adds() {
    for mut b in with_octets(1 << 20) {
        let hog = fills(&mut b, "a1 Path S1{9B}", 1_000);
        let longer = |b: &Bench, port| in_session(b, "a1 Path S1{9B}", port).object(0xc8, 1, &[7; 1_024]);
        let (long, other) = (longer(&b, 1_000), in_session(&b, "a1 Path S1{8B}", 1_000));
        assert_eq!(arrives(&mut b, &long), Outcome::Discarded(Discard::LimitReached));
        b.takes(&other).takes(&other);
        assert_eq!(row(&b, "a1").senders as usize, hog);
        for port in 1_001..1_004 {
            b.takes(&in_session(&b, "a1 PathTear S1", port));
        }
        b.takes(&long);
        // Requests, the same; a new neighbour that may have 1024 octets, and what is the interface's.
        b.forget();
        let with =
            |b: &Bench, size| in_session(b, "c1 Resv FF S1{1B}", 1_000).object(0xc8, 1, &vec![7; size]);
        b.takes(&with(&b, 100));
        let small = row(&b, "c1").octets;
        b.takes(&with(&b, 2_000));
        assert_eq!(row(&b, "c1").octets, small + 1_900);
        let less = with(&b, 4);
        b.takes(&less).takes(&less);
        assert_eq!(row(&b, "c1").octets, small - 96);
    }
}

/// Who is not on the link has one account with all others who are not, whatever addresses they invent.
#[test]
fn addresses_that_are_not_on_the_link_have_one_account_together() {
    for mut b in with_octets(2 << 20) {
        for n in 1..100 {
            let path = in_session(&b, "a1 Path S1{9B}", 1_000 + n);
            let invented = b.family.named(&format!("z{n}"));
            b.takes(&path.with(|m| m.hop.as_mut().unwrap().address = invented));
        }
        let rows: Vec<_> = b.engine.neighbours().collect();
        assert_eq!((rows.len(), rows[0].address, rows[0].senders), (1, None, 99));
    }
}

/// Blockade state is charged to whoever reports the failure.
#[test]
fn blockade_state_is_charged_to_whoever_reports_the_failure() {
    for mut b in Bench::both() {
        b.figure_4().hears("c1 Resv FF S1{4B}").hears("a1 ResvErr 01/0002 FF S1{4B}");
        let reporter = row(&b, "a1");
        assert_eq!(reporter.blockades, 1);
        b.hears("c1 ResvTear FF S1").seconds(200.0).is_empty();
        assert_eq!(row(&b, "a1").blockades, 0);
    }
}

/// Limits within a session leave some of what they count to whoever has little of it.
#[test]
fn nobody_takes_all_senders_or_requests_of_a_session() {
    for family in [Family::V4, Family::V6] {
        let mut config = Config { seed: 3, ..Config::default() };
        (config.limits.senders_per_session, config.limits.requests_per_session) = (32, 32);
        let mut b = Bench::new(family, config);
        let path = |b: &Bench, from: &str, port| {
            let text = format!("{from} Path {}{{9B}}", if from == "a1" { "S1" } else { "S2" });
            b.message(&text)
                .with(|m| m.sender = m.sender.map(|s| rsvp_wire::FilterSpec::new(s.address(), port)))
        };
        let taken = |b: &mut Bench, from: &str| {
            (1..100).filter(|port| arrives(b, &path(b, from, *port)) == Outcome::Taken).count()
        };
        assert_eq!((taken(&mut b, "a1"), taken(&mut b, "b1"), taken(&mut b, "b2")), (32, 2, 2));
        b.forget();
        for n in 1..=40 {
            // One neighbour that invents next hops.
            let resv = b.message(&format!("c{n} Resv WF{{1B}}"));
            let source = b.family.named("c1");
            arrives(&mut b, &resv.with(|m| m.source = source));
        }
        assert_eq!(b.engine.requests().count(), 32);
        b.hears("c50 Resv WF{1B}").hears("d1 Resv WF{1B}");
        assert_eq!(b.engine.requests().count(), 34);
    }
}

/// An answer is never larger than what it answers, for the address may be forged.
#[test]
fn answers_about_limits_are_no_larger_than_their_cause() {
    for mut b in Bench::both() {
        b.figure_4();
        let mut all = Vec::new();
        for (text, confirm) in [
            ("a1 Path S1{8B}", false),
            ("c1 Resv WF{4B}", false),
            ("c1 Resv WF{4B}", true),
            ("c1 Resv FF S1{4B} S2{4B} S3{4B}", false),
            ("c1 Resv SE S1 S2 S3{4B}", false),
        ] {
            let mut message = b.message(text).every(3_601);
            if confirm {
                message = message.confirm("c1");
            }
            assert_eq!(arrives(&mut b, &message), Outcome::Discarded(Discard::LimitReached));
            let answers: Vec<_> = b.sent.drain(..).collect();
            let size: usize = answers.iter().map(|sent| sent.octets.len()).sum();
            assert!(!answers.is_empty() && size <= message.octets().len(), "{text}: {size}");
            all.extend(answers.iter().map(super::sent::Sent::name));
        }
        let whole = ["a>a1 PathErr 23/0006 S1", "c>c1 ResvErr 23/0006 WF", "c>c1 ResvErr 23/0006 WF{4B}"];
        assert_eq!(all[..3], whole, "the second has no room for its FLOWSPEC");
    }
}

/// What is neither processed nor forwarded is not kept (RFC 2205 section 3.10): it is charged to nobody, and a refresh without it or with
/// other such objects says the same.
#[test]
fn padding_is_not_kept() {
    for mut b in Bench::unicast() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}").forget();
        let had = (row(&b, "a1").octets, row(&b, "c1").octets);
        for (class, ctype) in [(0, 0), (0xb0, 1)] {
            let padded = |b: &Bench, text: &str| {
                b.message(text).object(class, ctype, &[7; 32_760]).object(class, ctype, &[9; 20_000])
            };
            let (path, resv) = (padded(&b, "a1 Path S1{8B}"), padded(&b, "c1 Resv FF S1{3B}"));
            b.takes(&path).takes(&resv);
            assert_eq!((row(&b, "a1").octets, row(&b, "c1").octets), had);
            assert!(b.sent.drain(..).all(|sent| sent.octets.len() < 300), "nor does it go on");
            let visits = b.engine.work().octets_handled;
            b.takes(&path).takes(&resv).hears("a1 Path S1{8B}").hears("c1 Resv FF S1{3B}").is_silent();
            let again = padded(&b, "a1 Path S1{8B}").octets().len() as u64;
            assert!(b.engine.work().octets_handled - visits < 3 * again, "they are refreshes");
            b.hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}").forget();
        }
    }
}

/// One Resv is heard by many previous hops bit by bit: their addresses cost nothing to whoever invents them. What an application of
/// this node asks for goes at once.
#[test]
fn one_message_does_not_become_many_at_once() {
    for mut b in Bench::both() {
        for n in 1..=200 {
            let path = b.message(&format!("b{n} Path S2{{9B}}"));
            let sender = rsvp_wire::FilterSpec::new(b.family.named("S2"), n);
            b.takes(&path.with(|m| m.sender = Some(sender)));
        }
        b.forget();
        let resvs = |b: &mut Bench| {
            b.sent.drain(..).filter(|sent| sent.msg_type() == rsvp_wire::MsgType::RESV).count()
        };
        b.hears("c1 Resv WF{4B}").seconds(0.0);
        // The first of each slice of work is free: there may be two.
        let at_once = resvs(&mut b);
        assert!((1 + 64..=2 + 64).contains(&at_once), "{at_once}");
        b.seconds(0.5);
        let later = resvs(&mut b);
        assert!((45..=55).contains(&later), "{later}");
        b.seconds(1.0);
        assert_eq!(at_once + later + resvs(&mut b), 200, "within two seconds each has heard");
        b.hears("c1 ResvTear WF").seconds(0.0);
        let tears = b.sent.drain(..).count();
        assert!(tears < 170, "{tears}");
        b.seconds(3.0);
        assert_eq!(
            tears + b.sent.drain(..).filter(|s| s.msg_type() == rsvp_wire::MsgType::RESV_TEAR).count(),
            200
        );
        b.reserves(1, "WF{4B}").seconds(0.0);
        assert_eq!(resvs(&mut b), 200);
    }
}

/// What one Resv asks for is confirmed by one ResvConf.
#[test]
fn one_resv_is_answered_by_one_resv_conf() {
    for mut b in Bench::both() {
        b.figure_4().route_to("e5", "c").hears("d1 Resv FF S1{9B} S2{9B}").forget();
        let wish = b.message("c1 Resv FF S1{4B} S2{3B}").confirm("e5");
        b.takes(&wish).sends(&["c>e5 ResvConf c0 FF S1{4B} S2{3B}"]);
    }
}

/// A ResvConf for several flow descriptors is told as what it says of each.
#[test]
fn a_confirmation_of_several_flowspecs_is_told_for_each() {
    for mut b in Bench::both() {
        b.figure_4();
        b.reserve(1, "FF S1{4B} S2{5B}", true);
        b.forget().hears("a1 ResvConf a0 FF S1{4B} S2{5B}");
        b.tells(&["1 ResvConfirm a1 FF S1{4B}", "1 ResvConfirm a1 FF S2{5B}"]);
    }
}

/// RFC 2205 section 3.1.3: Path and PathTear have the address of their sender. Where proxies announce others, they are counted.
#[test]
fn a_path_comes_from_its_sender() {
    for mut b in Bench::unicast() {
        let from = |b: &Bench, text: &str| b.message(text).with(|m| m.source = m.family.named("a1"));
        b.drops(&from(&b, "a1 Path S1{9B}"), Discard::ForeignSource).is_silent().is_empty();
        b.hears("a1 Path S1{9B}").forget();
        b.drops(&from(&b, "a1 PathTear S1"), Discard::ForeignSource).is_silent();
        assert_eq!(row(&b, "a1").refused, [("foreign-source", 2)]);
        b.change("a", |i| i.proxies = true);
        let proxied = from(&b, "a1 Path S1{8B}");
        b.takes(&proxied);
        b.takes(&from(&b, "a1 PathTear S1"));
        assert_eq!(b.engine.counters().proxied_paths(), 2);
    }
}

/// A request comes from its hop or from the link where that is, and afterwards from nobody else than whoever has made it.
#[test]
fn a_request_comes_from_its_next_hop() {
    for mut b in Bench::unicast() {
        b.hears("a1 Path S1{9B}").hears("a1 Path S2{9B}").forget();
        let from =
            |b: &Bench, text: &str, source: &str| b.message(text).with(|m| m.source = m.family.named(source));
        b.drops(&from(&b, "c1 Resv FF S1{4B}", "d1"), Discard::ForeignSource);
        b.drops(&from(&b, "c1 Resv FF S1{4B}", "c0"), Discard::ForeignSource);
        b.takes(&from(&b, "c1 Resv FF S1{4B}", "c9")).installs(&["c FF S1{4B}"]);
        for (message, source) in
            [("c1 Resv FF S1{5B}", "c8"), ("c1 ResvTear FF S1", "c8"), ("c1 ResvTear FF S1", "d1")]
        {
            b.drops(&from(&b, message, source), Discard::ForeignSource).installs(&["c FF S1{4B}"]);
        }
        b.takes(&from(&b, "c1 Resv FF S1{5B}", "c9")).hears("c1 Resv FF S1{6B}").installs(&["c FF S1{6B}"]);
        b.takes(&from(&b, "c1 ResvTear FF S1", "c9")).installs(&[]);
        // A hop behind routers without RSVP may have its messages come from anywhere, but where that is forbidden.
        let far = |b: &Bench, source: &str| {
            let hop = b.family.named("z1");
            from(b, "c1 Resv FF S2{4B}", source).with(|m| m.hop.as_mut().unwrap().address = hop)
        };
        let (first, other, own) = (far(&b, "y1"), far(&b, "y2"), far(&b, "z1"));
        b.takes(&first).drops(&other, Discard::ForeignSource).takes(&own);
        b.change("c", |i| i.hop_sources = rsvp_node::HopSources::Never).takes(&other);
        b.takes(&from(&b, "c2 Resv FF S1{1B}", "d1")).hears("c2 ResvTear FF S1");
        b.change("c", |i| i.hop_sources = rsvp_node::HopSources::Always).seconds(200.0);
        b.hears("a1 Path S2{9B}").forget().drops(&first, Discard::ForeignSource).takes(&own);
    }
}

/// An error comes from the previous hop that it names.
#[test]
fn an_error_comes_from_its_previous_hop() {
    for mut b in Bench::unicast() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}").forget();
        let from = |b: &Bench, source: &str| {
            b.message("a1 ResvErr 01/0002 FF S1{4B}").with(|m| m.source = m.family.named(source))
        };
        b.drops(&from(&b, "d1"), Discard::ForeignSource).is_silent();
        assert_eq!(b.engine.blockades().count(), 0);
        b.takes(&from(&b, "a7"));
        assert_eq!(b.engine.blockades().count(), 1);
    }
}

/// Handles that an earlier run of this node gave find their interface.
#[test]
fn handles_of_earlier_runs_find_their_interface() {
    for mut b in Bench::unicast() {
        b.hears("a1 Path S1{9B}").forget();
        let old = b.message("c1 Resv FF S1{4B}").lih(0x1234);
        b.drops(&old, Discard::BadLih);
        b.change("c", |i| i.earlier_lihs = vec![0x1233, 0x1234]).takes(&old).installs(&["c FF S1{4B}"]);
    }
}
