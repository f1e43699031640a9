//! The arithmetic of integrated services: how flowspecs are ordered, merged, summed and limited, and which values are
//! refused (RFC 2211 sections 5 and 8, RFC 2212 "Invocation Information" and "Ordering and Merging", RFC 2210
//! sections 2.3.2 and 3, RFC 2215 section 3). The ADSPEC hop by hop is in `adspec`, the budget in `admission`.

use super::adspec::full;
use super::bench::Bench;
use super::message::{Arriving, object, written};
use super::words::{controlled, interface};
use rsvp_node::{Discard, Event, EventKind};
use rsvp_wire::{AdspecSummary, ErrorSpec, Flowspec, GeneralParams, MsgType, Rspec, Tspec};

const T: Tspec = Tspec { rate: 2e3, bucket: 2e3, peak: 4e3, min_policed_unit: 100, max_packet_size: 1000 };
const R: Rspec = Rspec { rate: 3e3, slack: 20 };

/// A message whose flow descriptors all ask for this.
fn asking(b: &Bench, text: &str, flowspec: Flowspec) -> Arriving {
    b.message(text)
        .with(|m| m.flows.as_mut().expect("a Resv").flows.iter_mut().for_each(|f| f.0 = Some(flowspec)))
}

/// A Path of a sender with this traffic.
fn announcing(b: &Bench, text: &str, tspec: Tspec) -> Arriving {
    b.message(text).with(|m| m.tspec = Some(tspec.into()))
}

/// The flowspec of the one reservation on an interface.
#[track_caller]
fn installed(b: &Bench, letter: &str) -> Flowspec {
    let mut on = b.engine.reservations().filter(|(_, on, _)| *on == interface(letter));
    let (_, _, reservation) = on.next().expect("a reservation");
    assert!(on.next().is_none(), "one reservation");
    reservation.flowspec
}

/// Every way to be more than `T` and `R` in one parameter only.
fn greater() -> Vec<(&'static str, Flowspec)> {
    let tspecs = [
        ("r", Tspec { rate: 3e3, ..T }),
        ("b", Tspec { bucket: 3e3, ..T }),
        ("p", Tspec { peak: f32::INFINITY, ..T }),
        ("m", Tspec { min_policed_unit: 99, ..T }),
        ("M", Tspec { max_packet_size: 1001, ..T }),
    ];
    let rspecs = [("R", Rspec { rate: 3.5e3, ..R }), ("S", Rspec { slack: 19, ..R })];
    let controlled = tspecs.map(|(name, t)| (name, Flowspec::ControlledLoad(t)));
    let guaranteed = tspecs.map(|(name, t)| (name, Flowspec::Guaranteed(t, R)));
    let by_rspec = rspecs.map(|(name, r)| (name, Flowspec::Guaranteed(T, r)));
    controlled.into_iter().chain(guaranteed).chain(by_rspec).collect()
}

/// The middle of them all, of the same service.
fn middle(like: &Flowspec) -> Flowspec {
    if like.service() == 5 { Flowspec::ControlledLoad(T) } else { Flowspec::Guaranteed(T, R) }
}

/// Whether a wish for confirmation travels on upstream with `one` where `other` is in place: `one` changes what is asked.
fn goes_on(b: &mut Bench, one: Flowspec, other: Flowspec) -> bool {
    b.route_to("e5", "c").hears("a1 Path S1{9B}");
    b.takes(&asking(b, "d1 Resv WF{1B}", other)).forget();
    b.takes(&asking(b, "c1 Resv WF{1B}", one).confirm("e5"));
    let answered = b.sent.iter().any(|s| s.msg_type() == MsgType::RESV_CONF);
    let passed = b.sent.iter().any(|s| s.msg_type() == MsgType::RESV && !s.objects(15).is_empty());
    assert_ne!(answered, passed, "one of the two");
    b.hears("c1 ResvTear WF").hears("d1 ResvTear WF").forget();
    passed
}

/// RFC 2205 section 2.6, RFC 2211 section 8, RFC 2212 "Ordering and Merging": larger r, b, p and R, smaller m and S go on
/// upstream; of M the smaller one does.
#[test]
fn each_parameter_alone_changes_what_is_asked_for() {
    for mut b in Bench::both() {
        for (name, more) in greater() {
            let less = middle(&more);
            assert_eq!(goes_on(&mut b, more, less), name != "M", "{name}");
            assert_eq!(goes_on(&mut b, less, more), name == "M", "{name}, the other way round");
        }
        assert!(!goes_on(&mut b, Flowspec::ControlledLoad(T), Flowspec::ControlledLoad(T)));
    }
}

/// RFC 2205 section 2.6: so does what is more in one parameter and less in another, because the merge is more than both.
#[test]
fn a_flowspec_that_is_more_and_less_goes_on() {
    for mut b in Bench::both() {
        for (n, (one_name, one)) in greater().into_iter().enumerate() {
            for (other_name, other) in greater().into_iter().skip(n + 1) {
                if one.service() == other.service() {
                    let names = format!("{one_name} and {other_name}");
                    assert_eq!(goes_on(&mut b, one, other), one_name != "M", "{names}");
                    assert_eq!(
                        goes_on(&mut b, other, one),
                        other_name != "M",
                        "{names}, the other way round"
                    );
                }
            }
        }
    }
}

/// RFC 2211 section 8, RFC 2212, RFC 2210 section 2.3.2: the largest r, b and p, the smallest m and M; the largest R
/// and the smallest S. In whatever order the requests come, and on one interface as well as upstream.
#[test]
fn a_merge_takes_the_largest_but_the_smallest_packet_size() {
    let one = Tspec { rate: 3e3, bucket: 1e3, peak: 5e3, min_policed_unit: 120, max_packet_size: 1400 };
    let two = Tspec { rate: 1e3, bucket: 3e3, peak: 4e3, min_policed_unit: 80, max_packet_size: 900 };
    let both = Tspec { rate: 3e3, bucket: 3e3, peak: 5e3, min_policed_unit: 80, max_packet_size: 900 };
    let ample =
        Tspec { rate: 9e3, bucket: 9e3, peak: f32::INFINITY, min_policed_unit: 1, max_packet_size: 9000 };
    let rspec = |rate, slack| Rspec { rate, slack };
    let sets = [
        [Flowspec::ControlledLoad(one), Flowspec::ControlledLoad(two), Flowspec::ControlledLoad(both)],
        [
            Flowspec::Guaranteed(one, rspec(4e3, 30)),
            Flowspec::Guaranteed(two, rspec(6e3, 40)),
            Flowspec::Guaranteed(both, rspec(6e3, 30)),
        ],
    ];
    for [one, two, both] in sets {
        for (first, second) in [(one, two), (two, one)] {
            for mut b in Bench::both() {
                b.takes(&announcing(&b, "a1 Path S1{9B}", ample));
                b.takes(&asking(&b, "d1 Resv WF{1B}", first));
                b.takes(&asking(&b, "d2 Resv WF{1B}", second));
                assert_eq!(installed(&b, "d"), both);
                assert_eq!(b.sent.last().expect("a Resv").get::<Flowspec>(), both);
                b.hears("d2 ResvTear WF").forget();
                b.takes(&asking(&b, "c1 Resv WF{1B}", second));
                assert_eq!((installed(&b, "d"), installed(&b, "c")), (first, second));
                assert_eq!(b.sent.last().expect("a Resv").get::<Flowspec>(), both);
            }
        }
    }
}

/// RFC 2205 section 3.5: where all are blockaded the GLB is asked for, the least of every parameter.
#[test]
fn the_greatest_lower_bound_takes_the_least_of_each_parameter() {
    let one = Tspec { rate: 3e3, bucket: 1e3, peak: 5e3, min_policed_unit: 120, max_packet_size: 1400 };
    let two = Tspec { rate: 1e3, bucket: 3e3, peak: 4e3, min_policed_unit: 80, max_packet_size: 900 };
    let least = Tspec { rate: 1e3, bucket: 1e3, peak: 4e3, min_policed_unit: 120, max_packet_size: 900 };
    let rspec = |rate, slack| Rspec { rate, slack };
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}");
        b.takes(&asking(&b, "d1 Resv WF{1B}", Flowspec::Guaranteed(one, rspec(4e3, 30))));
        b.takes(&asking(&b, "c1 Resv WF{1B}", Flowspec::Guaranteed(two, rspec(6e3, 40)))).forget();
        b.takes(&asking(&b, "a1 ResvErr 01/0002 WF{1B}", Flowspec::Guaranteed(least, rspec(1e3, 40))))
            .forget();
        b.seconds(45.1);
        let mut resvs = b.sent.iter().filter(|s| s.msg_type() == MsgType::RESV).map(|s| s.get::<Flowspec>());
        let first = resvs.next().expect("a refresh");
        assert_eq!(first, Flowspec::Guaranteed(least, rspec(4e3, 40)));
        assert!(resvs.all(|flowspec| flowspec == first));
    }
}

/// RFC 2211 section 8, RFC 2212: the sum adds r, b and p, and takes the smallest m and the largest M.
#[test]
fn the_senders_tspecs_are_summed() {
    let one = Tspec { rate: 1e3, bucket: 2e3, peak: 5e3, min_policed_unit: 120, max_packet_size: 900 };
    let two = Tspec { rate: 3e3, bucket: 1e3, peak: 4e3, min_policed_unit: 80, max_packet_size: 1400 };
    let sum = Tspec { rate: 4e3, bucket: 3e3, peak: 9e3, min_policed_unit: 80, max_packet_size: 1400 };
    let all =
        Tspec { rate: 9e3, bucket: 9e3, peak: f32::INFINITY, min_policed_unit: 40, max_packet_size: 1500 };
    for mut b in Bench::both() {
        b.takes(&announcing(&b, "a1 Path S1{9B}", one));
        b.takes(&announcing(&b, "b1 Path S2{9B}", two));
        b.takes(&asking(&b, "c1 Resv WF{1B}", Flowspec::ControlledLoad(all)));
        assert_eq!(installed(&b, "c"), Flowspec::ControlledLoad(sum));
        // An explicit style sums the senders it names.
        b.hears("c1 ResvTear WF");
        b.takes(&asking(&b, "c1 Resv SE S2{1B}", Flowspec::ControlledLoad(all)));
        assert_eq!(installed(&b, "c"), Flowspec::ControlledLoad(two));
        // A peak that is not known makes that of the sum unknown.
        b.takes(&announcing(&b, "b1 Path S3{9B}", Tspec { peak: f32::INFINITY, ..one }));
        b.takes(&asking(&b, "c1 Resv SE S2 S3{1B}", Flowspec::ControlledLoad(all)));
        assert_eq!(installed(&b, "c"), Flowspec::ControlledLoad(Tspec { peak: f32::INFINITY, ..sum }));
    }
}

/// RFC 2211 section 8, RFC 2212: of two TSpecs that are ordered the smaller is the minimum, with all its parameters;
/// of two that are not, the smaller of each parameter but the larger bucket. R and S stay what was asked for.
#[test]
fn what_is_installed_is_the_minimum_of_request_and_senders() {
    let path = Tspec { rate: 4e3, bucket: 3e3, peak: 9e3, min_policed_unit: 80, max_packet_size: 1400 };
    let smaller = Tspec { rate: 3e3, bucket: 2e3, peak: 8e3, min_policed_unit: 100, max_packet_size: 1300 };
    let larger = Tspec { rate: 5e3, bucket: 4e3, peak: 1e4, min_policed_unit: 70, max_packet_size: 1500 };
    let unordered = [
        (
            Tspec { rate: 3e3, bucket: 5e3, peak: 1e4, min_policed_unit: 70, max_packet_size: 1500 },
            Tspec { rate: 3e3, bucket: 5e3, peak: 9e3, min_policed_unit: 70, max_packet_size: 1400 },
        ),
        (
            Tspec { rate: 5e3, bucket: 1e3, peak: 8e3, min_policed_unit: 100, max_packet_size: 1300 },
            Tspec { rate: 4e3, bucket: 3e3, peak: 8e3, min_policed_unit: 80, max_packet_size: 1300 },
        ),
    ];
    let cases = [(smaller, smaller), (larger, path), (path, path)].into_iter().chain(unordered);
    for (asked, effective) in cases {
        for mut b in Bench::both() {
            b.takes(&announcing(&b, "a1 Path S1{9B}", path));
            b.takes(&asking(&b, "c1 Resv WF{1B}", Flowspec::ControlledLoad(asked)));
            assert_eq!(installed(&b, "c"), Flowspec::ControlledLoad(effective));
            assert_eq!(b.sent.last().expect("a Resv").get::<Flowspec>(), Flowspec::ControlledLoad(asked));
            b.hears("c1 ResvTear WF");
            let rspec = Rspec { rate: 7e3, slack: 5 };
            b.takes(&asking(&b, "c1 Resv WF{1B}", Flowspec::Guaranteed(asked, rspec)));
            assert_eq!(installed(&b, "c"), Flowspec::Guaranteed(effective, rspec));
            assert_eq!(b.reserved("c"), 7.0);
        }
    }
}

/// RFC 2212 "Ordering and Merging": a node that uses no slack passes R and S on as they came.
#[test]
fn slack_is_not_used_and_passes_on() {
    for mut b in Bench::both() {
        let asked = Flowspec::Guaranteed(T, Rspec { rate: 5e3, slack: u32::MAX });
        b.takes(&announcing(&b, "a1 Path S1{9B}", T));
        b.takes(&asking(&b, "c1 Resv WF{1B}", asked));
        assert_eq!(b.sent.last().expect("a Resv").get::<Flowspec>(), asked);
        assert_eq!(installed(&b, "c"), asked);
    }
}

/// RFC 2211 section 5: the peak rate is no part of what Controlled-Load takes, nor is it of Guaranteed service.
#[test]
fn the_peak_rate_costs_nothing() {
    for mut b in Bench::both() {
        b.reservable("c", 2).hears("a1 Path S1{9B}");
        b.takes(&asking(&b, "c1 Resv WF{1B}", Flowspec::ControlledLoad(Tspec { peak: f32::INFINITY, ..T })));
        assert_eq!(b.reserved("c"), 2.0);
        b.takes(&asking(&b, "c1 Resv WF{1B}", Flowspec::ControlledLoad(Tspec { peak: 2e3, ..T })));
        assert_eq!(b.reserved("c"), 2.0);
        let rspec = Rspec { rate: 2e3, slack: 0 };
        b.hears("c1 ResvTear WF");
        b.takes(&asking(&b, "c1 Resv WF{1B}", Flowspec::Guaranteed(T, rspec)));
        assert_eq!(b.reserved("c"), 2.0);
    }
}

/// RFC 2211 section 5, RFC 2212 "Invocation Information", RFC 2215 section 3.6: m and M are positive and m is at most
/// M; r, b, p and R are no negative numbers, p is at least r, and only p may be infinite.
#[test]
fn values_that_no_token_bucket_has_are_answered() {
    let bad = [
        Tspec { min_policed_unit: 0, max_packet_size: 0, ..T },
        Tspec { min_policed_unit: 1001, ..T },
        Tspec { rate: f32::NAN, ..T },
        Tspec { rate: f32::INFINITY, ..T },
        Tspec { rate: -1.0, ..T },
        Tspec { bucket: f32::NAN, ..T },
        Tspec { bucket: f32::INFINITY, ..T },
        Tspec { bucket: -1.0, ..T },
        Tspec { peak: f32::NAN, ..T },
        Tspec { peak: f32::NEG_INFINITY, ..T },
        Tspec { peak: -1.0, ..T },
        Tspec { peak: 1.9e3, ..T },
    ];
    for mut b in Bench::both() {
        for tspec in bad {
            b.drops(&announcing(&b, "a1 Path S1{9B}", tspec), Discard::Rejected);
            b.sends(&["a>a1 PathErr 21/0004 S1"]).is_empty();
        }
        b.hears("a1 Path S1{9B}").forget();
        let rates = [f32::NAN, f32::INFINITY, -1.0];
        let flowspecs = bad
            .map(Flowspec::ControlledLoad)
            .into_iter()
            .chain(bad.map(|t| Flowspec::Guaranteed(t, R)))
            .chain(rates.map(|rate| Flowspec::Guaranteed(T, Rspec { rate, ..R })));
        for flowspec in flowspecs {
            for resv in ["WF{1B}", "FF S1{1B}", "SE S1{1B}"] {
                b.drops(&asking(&b, &format!("c1 Resv {resv}"), flowspec), Discard::Rejected);
                let sent = b.sent.remove(0);
                let error = sent.get::<ErrorSpec>();
                assert_eq!((sent.msg_type(), error.code.0, error.value), (MsgType::RESV_ERR, 21, 3));
                assert_eq!(sent.objects(9), [written(&flowspec)], "it comes back as it was");
            }
        }
        b.is_silent().installs(&[]);
        // The ends of what is allowed.
        let tspec = Tspec { peak: f32::INFINITY, min_policed_unit: 1000, ..T };
        b.takes(&announcing(&b, "a1 Path S1{9B}", tspec));
        b.takes(&asking(&b, "c1 Resv WF{1B}", Flowspec::ControlledLoad(tspec)));
        assert_eq!(installed(&b, "c"), Flowspec::ControlledLoad(tspec));
    }
}

/// RFC 2205 section 3.1.8: a good FF descriptor beside one with an m above M stands.
#[test]
fn an_illegal_m_does_not_touch_other_ff_descriptors() {
    for mut b in Bench::both() {
        b.figure_4();
        let resv = b.message("c1 Resv FF S1{4B} S2{5B}").with(|m| {
            m.flows.as_mut().expect("a Resv").flows[1].0 =
                Some(Flowspec::ControlledLoad(Tspec { min_policed_unit: 1001, ..T }));
        });
        b.takes(&resv).installs(&["c FF S1{4B}"]);
    }
}

/// RFC 2205 Appendix B, code 21, sub-code 02: a service that is none of those known here.
#[test]
fn a_service_that_is_not_known_is_unsupported() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let mut flowspec = written(&controlled(4.0));
        flowspec[8] = 3;
        let resv = b.message("c1 Resv WF").with(|m| m.flows.as_mut().unwrap().flows.clear());
        b.drops(&resv.last(flowspec.clone()), Discard::Rejected);
        let sent = b.sent.remove(0);
        let error = sent.get::<ErrorSpec>();
        assert_eq!((error.code.0, error.value, sent.destination), (21, 2, b.family.named("c1")));
        assert_eq!(sent.objects(9), [flowspec]);
        b.is_silent().installs(&[]);
    }
}

/// RFC 2210 sections 2.2 and 3.2: one service in a FLOWSPEC, one token bucket in a SENDER_TSPEC.
#[test]
fn a_flowspec_of_two_services_is_not_taken() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let one = written(&controlled(4.0));
        let fragment = &one[8..];
        let two = [&[0, 0, 0, 14][..], fragment, fragment].concat();
        let resv = b.message("c1 Resv WF").with(|m| m.flows.as_mut().unwrap().flows.clear());
        b.takes(&resv.clone().last(one.clone())).installs(&["c WF{4B}"]);
        b.hears("c1 ResvTear WF").forget();
        let outcome = resv.last(object(9, 2, &two));
        let octets = outcome.octets();
        let outcome = b.input(rsvp_node::Input::Packet(outcome.rx(&octets)));
        assert!(matches!(outcome, rsvp_node::Outcome::Discarded(Discard::Malformed(_))), "{outcome:?}");
        b.installs(&[]);
    }
}

/// The general parameters that leave through c, behind an interface with these local values.
fn general(
    b: &mut Bench,
    arrived: GeneralParams,
    latency_us: u32,
    bandwidth_bps: u64,
    mtu: u32,
) -> GeneralParams {
    b.change("c", |i| (i.latency_us, i.bandwidth_bps, i.mtu) = (latency_us, bandwidth_bps, mtu));
    b.takes(&b.message("a1 Path S1{9B}").adspec(&AdspecSummary { global: arrived, ..full() }));
    let sent = b.sent.drain(..).find(|s| s.interface == interface("c"));
    sent.expect("a Path leaves through c").get::<AdspecSummary>().global
}

/// RFC 2215 section 3.4: sums up to 2^32 - 2 are latencies, anything above is indeterminate, and stays so.
#[test]
fn latency_is_indeterminate_above_its_range() {
    let arrived = full().global;
    for mut b in Bench::both() {
        let mut through = |so_far, local| {
            general(&mut b, GeneralParams { latency_us: so_far, ..arrived }, local, 8000, 1500).latency_us
        };
        assert_eq!(through(u32::MAX - 11, 10), u32::MAX - 1);
        assert_eq!(through(u32::MAX - 10, 10), u32::MAX);
        assert_eq!(through(u32::MAX - 9, 10), u32::MAX);
        assert_eq!(through(u32::MAX, 0), u32::MAX);
        assert_eq!(through(0, u32::MAX), u32::MAX);
    }
}

/// RFC 2215 section 3.3: a bandwidth of zero says that it is not known, and no hop after it knows better.
#[test]
fn an_unknown_bandwidth_stays_unknown() {
    let arrived = full().global;
    for mut b in Bench::both() {
        let unknown = GeneralParams { bandwidth: 0.0, ..arrived };
        assert_eq!(general(&mut b, unknown, 0, 8_000_000, 1500).bandwidth, 0.0);
        assert_eq!(general(&mut b, arrived, 0, 0, 1500).bandwidth, 0.0);
    }
}

/// RFC 2215 sections 3.3 and 3.4: what no node could tell is told as that, and not as a number.
#[test]
fn the_receiver_is_told_what_the_path_does_not_know() {
    for mut b in Bench::both() {
        let known = full().global;
        for (bandwidth, latency_us) in [(0.0, u32::MAX), (known.bandwidth, known.latency_us)] {
            b.opens(1).forget();
            let global = GeneralParams { bandwidth, latency_us, ..known };
            b.takes(&announcing(&b, "a1 Path S1{9B}", T).adspec(&AdspecSummary { global, ..full() }));
            let [Event { kind: EventKind::Path { adspec: Some(told), .. }, .. }] = b.events[..] else {
                panic!("one event: {:?}", b.events)
            };
            let expected = (bandwidth > 0.0).then_some((known.bandwidth, known.latency_us));
            assert_eq!(told.global.known_bandwidth().zip(told.global.known_latency_us()), expected);
        }
    }
}

/// RFC 2210 sections 2.1 and 2.2: TSpec and ADSPEC reach the receiving application as they arrived, not as they leave.
#[test]
fn the_receiver_is_told_what_the_sender_and_the_path_offer() {
    for mut b in Bench::both() {
        b.opens(1);
        b.takes(&announcing(&b, "a1 Path S1{9B}", T).adspec(&full()));
        let [Event { kind: EventKind::Path { tspec, adspec, .. }, .. }] = b.events[..] else {
            panic!("one event: {:?}", b.events)
        };
        assert_eq!((tspec, adspec), (T, Some(full())));
        let other = AdspecSummary { controlled_load: None, ..full() };
        b.forget();
        b.takes(&announcing(&b, "a1 Path S1{9B}", T).adspec(&other));
        assert!(
            matches!(&b.events[..], [Event { kind: EventKind::Path { adspec: Some(a), .. }, .. }] if *a == other)
        );
    }
}

/// RFC 2210 section 3.3: no fragment is added for a service that the sender left out.
#[test]
fn a_service_that_the_sender_left_out_is_not_added() {
    let variants = [
        AdspecSummary { guaranteed: None, ..full() },
        AdspecSummary { controlled_load: None, ..full() },
        AdspecSummary { guaranteed: None, controlled_load: None, ..full() },
    ];
    for mut b in Bench::both() {
        for arrived in variants {
            b.takes(&b.message("a1 Path S1{9B}").adspec(&arrived));
            let sent = b.sent.drain(..).next().expect("a Path leaves").get::<AdspecSummary>();
            assert_eq!(sent.guaranteed.is_some(), arrived.guaranteed.is_some());
            assert_eq!(sent.controlled_load, arrived.controlled_load, "unchanged");
        }
    }
}

/// RFC 2212 "Invocation Information": R is at least r.
#[test]
fn a_guaranteed_rate_below_the_token_rate_is_answered() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let low_r = Flowspec::Guaranteed(T, Rspec { rate: 1e3, slack: 0 });
        b.drops(&asking(&b, "c1 Resv WF{1B}", low_r), Discard::Rejected);
        b.sends(&["c>c1 ResvErr 21/0003 WF{2/1G,b2,M1000}"]).installs(&[]);
    }
}

/// RFC 2211 section 5: a request with a larger M than the link's MTU is refused, with whatever it would merge.
#[test]
fn a_request_beyond_the_mtu_is_refused_beside_a_smaller_one() {
    for mut b in Bench::both() {
        b.change("d", |i| i.mtu = 1000).hears("a1 Path S1{9B}").forget();
        let small = Flowspec::ControlledLoad(Tspec { rate: 8e3, peak: 9e3, max_packet_size: 576, ..T });
        let large = Flowspec::ControlledLoad(Tspec { rate: 1e3, max_packet_size: 1500, ..T });
        b.takes(&asking(&b, "d1 Resv WF{1B}", small)).forget();
        b.drops(&asking(&b, "d2 Resv WF{1B}", large), Discard::Rejected);
        b.sends(&["d>d2 ResvErr 01/0003 InPlace WF{1B,b2}"]).installs(&["d WF{8B,b2,M576}"]);
    }
}

/// RFC 2211 section 5: less is never refused, also where the request with the smallest M is the one that goes.
#[test]
fn nothing_stays_charged_for_a_request_that_is_gone() {
    for mut b in Bench::both() {
        b.change("d", |i| i.mtu = 1000).hears("a1 Path S1{9B}").forget();
        let small = Flowspec::ControlledLoad(Tspec { rate: 8e3, peak: 9e3, max_packet_size: 576, ..T });
        let large = Flowspec::ControlledLoad(Tspec { rate: 1e3, max_packet_size: 1500, ..T });
        b.takes(&asking(&b, "d1 Resv WF{1B}", small));
        b.drops(&asking(&b, "d2 Resv WF{1B}", large), Discard::Rejected);
        b.hears("d1 ResvTear WF");
        assert_eq!(b.reserved("d"), 0.0);
        // One that was taken while the MTU allowed it counts for itself once the other is gone.
        b.takes(&asking(&b, "d1 Resv WF{1B}", small));
        b.change("d", |i| i.mtu = 1500);
        b.takes(&asking(&b, "d2 Resv WF{1B}", large));
        b.change("d", |i| i.mtu = 1000).hears("d1 ResvTear WF");
        assert_eq!(b.reserved("d"), 1.0);
    }
}

/// RFC 2205 Appendix B, code 21, sub-code 02.
#[test]
fn a_service_this_node_does_not_have_is_answered_with_21_02() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let mut flowspec = written(&controlled(4.0));
        flowspec[8] = 3;
        let resv =
            b.message("c1 Resv WF").with(|m| m.flows.as_mut().expect("a Resv").flows.clear()).last(flowspec);
        b.drops(&resv, Discard::Rejected);
        let error = b.sent[0].get::<ErrorSpec>();
        assert_eq!((error.code.0, error.value), (21, 2));
    }
}

/// RFC 2211 section 5, RFC 2215 section 3.6: r is 1 octet a second to 40 terabytes, b 1 octet to 250 gigabytes, both
/// positive; what is outside is answered. Negative zero is not allowed.
#[test]
fn rates_and_buckets_outside_their_range_are_answered() {
    let bad = [
        Tspec { rate: 0.0, ..T },
        Tspec { rate: 0.5, ..T },
        Tspec { rate: -0.0, ..T },
        Tspec { rate: 4.1e13, peak: 4.1e13, ..T },
        Tspec { bucket: 0.0, ..T },
        Tspec { bucket: -0.0, ..T },
        Tspec { bucket: 2.6e11, ..T },
        Tspec { peak: -0.0, ..T },
        Tspec { peak: 0.5, ..T },
        Tspec { bucket: 0.5, ..T },
        Tspec { peak: 4.1e13, ..T },
    ];
    let mut wrong = Vec::new();
    for mut b in Bench::both() {
        for tspec in bad {
            let path = announcing(&b, "a1 Path S1{9B}", tspec);
            let octets = path.octets();
            let outcome = b.input(rsvp_node::Input::Packet(path.rx(&octets)));
            if outcome != rsvp_node::Outcome::Discarded(Discard::Rejected) {
                wrong.push(("path", tspec));
            }
            b.hears("a1 Path S1{9B}").forget();
            let resv = asking(&b, "c1 Resv WF{1B}", Flowspec::ControlledLoad(tspec));
            let octets = resv.octets();
            let outcome = b.input(rsvp_node::Input::Packet(resv.rx(&octets)));
            if outcome != rsvp_node::Outcome::Discarded(Discard::Rejected) {
                wrong.push(("resv", tspec));
                b.hears("c1 ResvTear WF");
            }
            b.hears("a1 PathTear S1").forget();
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// RFC 2212 "Invocation Information": p is at least r.
#[test]
fn a_guaranteed_peak_below_the_token_rate_is_answered() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}").forget();
        let low_p = Flowspec::Guaranteed(Tspec { peak: 1e3, ..T }, R);
        b.drops(&asking(&b, "c1 Resv WF{1B}", low_p), Discard::Rejected);
        b.sends(&["c>c1 ResvErr 21/0003 WF{2/3G,b2,M1000}"]).installs(&[]);
    }
}

/// RFC 2210 section 3.3.5: parameters 133 to 136 are Guaranteed service's own.
#[test]
fn the_terms_of_guaranteed_are_composed_in_its_fragment_only() {
    for mut b in Bench::both() {
        b.change("c", |i| i.error_c = 100);
        let mut octets = written(&AdspecSummary { guaranteed: None, controlled_load: None, ..full() });
        octets.extend_from_slice(&[5, 0, 0, 2, 133, 0, 0, 1, 1, 2, 3, 4]);
        octets[0..2].copy_from_slice(&56_u16.to_be_bytes());
        octets[6..8].copy_from_slice(&12_u16.to_be_bytes());
        b.takes(&b.message("a1 Path S1{9B}").last(octets));
        let sent = b.sent.drain(..).find(|s| s.interface == interface("c")).unwrap();
        assert_eq!(sent.objects(13)[0][44..], [5, 0, 0, 2, 133, 0, 0, 1, 1, 2, 3, 4]);
    }
}
