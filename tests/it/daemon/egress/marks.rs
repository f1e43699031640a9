//! What is written into packets, and what is left alone.

use super::frame::{ETHERNET, Frame, UDP, checksum};
use super::{Bench, addresses, attached, in_class};
use rsvpd::data_plane::bpf::{
    EgressError, Filter, Flow, FlowError, FlowId, Limits, MOST_RATE, Mode, Treatment,
};

/// Enough for one packet of 100 octets in IPv4, and 120 in IPv6.
const ONE_PACKET: Limits = Limits { rate: 1, bucket: 120, peak: None, max_packet: None, min_policed: 0 };

fn marked(dscp: u8) -> Treatment {
    Treatment { dscp: Some(dscp), ..Treatment::default() }
}

fn to_5000(bench: &mut Bench, is_v6: bool, flow: &Flow) -> FlowId {
    let [from, to, _] = addresses(is_v6);
    let key = bench.key(to, UDP, 5000, Filter::Sender(from, 4000));
    bench.flow(flow, &key)
}

fn frame(is_v6: bool) -> Frame {
    let [from, to, _] = addresses(is_v6);
    Frame::udp(from, 4000, to, 5000)
}

#[test]
fn a_mark_changes_the_dscp_and_keeps_ecn() {
    attached("marks", |bench| {
        for is_v6 in [false, true] {
            for dscp in [0, 1, 46, 63] {
                let flow = Flow { conforming: marked(dscp), ..in_class(1) };
                let id = to_5000(bench, is_v6, &flow);
                for before in [0x00, 0x01, 0x02, 0x03, 0xb8, 0xff, 0x5a] {
                    let frame = Frame { traffic_class: before, label: 0xabcde, ..frame(is_v6) };
                    let expected = Frame { traffic_class: dscp << 2 | before & 3, ..frame.clone() };
                    let after = bench.try_frame(&frame.octets()).frame;
                    assert_eq!(after, expected.octets(), "{before:#x} to {dscp}");
                    assert!(is_v6 || checksum(&after[ETHERNET..ETHERNET + 20]) == 0);
                }
                bench.egress.remove_flow(id).expect("it was there");
            }
        }
    });
}

#[test]
fn a_mark_is_written_behind_tags_and_before_options() {
    attached("marks behind tags", |bench| {
        for is_v6 in [false, true] {
            to_5000(bench, is_v6, &Flow { conforming: marked(46), ..in_class(1) });
            let mut frames = vec![Frame { tags: vec![0x2064, 200], ..frame(is_v6) }];
            if is_v6 {
                frames.push(Frame { extensions: vec![(0, 1)], ..frame(is_v6) });
            } else {
                frames.push(Frame { options: vec![148, 4, 0, 0], ..frame(is_v6) });
            }
            for frame in frames {
                let expected = Frame { traffic_class: 46 << 2, ..frame.clone() };
                assert_eq!(bench.try_frame(&frame.octets()).frame, expected.octets());
            }
        }
    });
}

#[test]
fn a_priority_goes_into_the_outer_tag_that_is_there() {
    attached("priority of a tag", |bench| {
        let conforming = Treatment { pcp: Some(5), ..Treatment::default() };
        to_5000(bench, false, &Flow { conforming, ..in_class(1) });
        let before = Frame { tags: vec![0x2064, 200], ..frame(false) };
        let after = Frame { tags: vec![0xa064, 200], ..frame(false) };
        assert_eq!(bench.try_frame(&before.octets()).frame, after.octets());
    });
}

#[test]
fn what_does_not_conform_is_marked_and_classed_otherwise_or_dropped() {
    attached("excess", |bench| {
        for is_v6 in [false, true] {
            let conforming = Treatment { class: Some(0x10001), ..marked(46) };
            let excess = Treatment { class: Some(0x10002), ..marked(8) };
            let borrow = Flow { mode: Mode::Borrow, limits: ONE_PACKET, conforming, excess };
            let id = to_5000(bench, is_v6, &borrow);
            let seen: Vec<(u32, u8)> = (0..3)
                .map(|_| {
                    let outcome = bench.try_frame(&frame(is_v6).octets());
                    let at = ETHERNET;
                    let class = outcome.frame[at] << 4 | outcome.frame[at + 1] >> 4;
                    (outcome.class, if is_v6 { class } else { outcome.frame[at + 1] } >> 2)
                })
                .collect();
            assert_eq!(seen, [(0x10001, 46), (0x10002, 8), (0x10002, 8)]);
            // Changed in place: the bucket stays empty, and counts go on.
            bench.egress.change_flow(id, &Flow { mode: Mode::Discard, ..borrow }).expect("a change");
            let outcome = bench.try_frame(&frame(is_v6).octets());
            assert!(outcome.dropped && outcome.frame == frame(is_v6).octets(), "{outcome:?}");
            bench.egress.change_flow(id, &Flow { mode: Mode::Shape, ..borrow }).expect("a change");
            let outcome = bench.try_frame(&frame(is_v6).octets());
            assert_eq!((outcome.dropped, outcome.class), (false, 0x10001));
            let counted = bench.egress.remove_flow(id).expect("it was there");
            let packets = [counted.conforming, counted.excess, counted.dropped].map(|count| count.packets);
            assert_eq!(packets, [2, 3, 1]);
            let octets = [counted.conforming, counted.excess, counted.dropped].map(|count| count.octets);
            assert_eq!(octets, packets.map(|packets| packets * if is_v6 { 120 } else { 100 }));
        }
    });
}

#[test]
fn what_is_not_set_stays() {
    attached("nothing set", |bench| {
        for is_v6 in [false, true] {
            let flow = Flow { conforming: Treatment::default(), ..in_class(1) };
            let id = to_5000(bench, is_v6, &flow);
            let frame = Frame { traffic_class: 0xbb, ..frame(is_v6) }.octets();
            let trial = rsvpd::data_plane::bpf::Trial {
                interface: bench.interface,
                frame: &frame,
                class: 7,
                repeat: 1,
                segments: None,
            };
            let outcome = bench.egress.try_packet(&trial).expect("it runs");
            assert_eq!((outcome.class, outcome.frame), (7, frame));
            assert_eq!(bench.counted(id).conforming.packets, 1);
        }
    });
}

#[test]
fn a_table_of_classes_sets_the_class_where_no_flow_does() {
    attached("classes by DSCP", |bench| {
        bench.egress.set_classes(bench.interface, &[(46, 0x10005), (8, 0x10006)]).expect("a table");
        for is_v6 in [false, true] {
            let of_class = |traffic_class| Frame { traffic_class, ..frame(is_v6) };
            let outcome = bench.try_frame(&of_class(0xba).octets());
            // The class only, never a mark.
            assert_eq!((outcome.class, outcome.frame), (0x10005, of_class(0xba).octets()));
            assert_eq!(bench.class_of(&of_class(0x20)), 0x10006);
            assert_eq!(bench.class_of(&of_class(0)), 0);
            // A flow's class is first; a flow without one has that of the DSCP with which its packets leave.
            let id = to_5000(bench, is_v6, &Flow { conforming: marked(46), ..in_class(1) });
            assert_eq!(bench.class_of(&of_class(0x20)), 0x10005);
            let conforming = Treatment { class: Some(0x10007), ..marked(46) };
            bench.egress.change_flow(id, &Flow { conforming, ..in_class(1) }).expect("a change");
            assert_eq!(bench.class_of(&of_class(0x20)), 0x10007);
            bench.egress.remove_flow(id).expect("it was there");
        }
        bench.egress.set_classes(bench.interface, &[]).expect("no table");
        assert_eq!(bench.class_of(&Frame { traffic_class: 0xba, ..frame(false) }), 0);
        for wrong in [(64, 1), (5, 0)] {
            let refused = bench.egress.set_classes(bench.interface, &[wrong]);
            assert!(matches!(refused, Err(EgressError::Classes(dscp, class)) if (dscp, class) == wrong));
        }
    });
}

/// Traffic that waits for an address of the link must not hold up what resolves it.
#[test]
fn what_resolves_addresses_goes_as_network_control() {
    attached("address resolution", |bench| {
        let mut arp = frame(false).octets();
        arp[12..14].copy_from_slice(&[8, 6]);
        let icmp = |kind: u16| Frame { protocol: 58, ports: (kind << 8, 0), ..frame(true) };
        assert_eq!((bench.try_frame(&arp).class, bench.class_of(&icmp(135))), (0, 0), "no table, no class");
        bench.egress.set_classes(bench.interface, &[(48, 0x10005), (0, 0x10006)]).expect("a table");
        let outcome = bench.try_frame(&arp);
        assert_eq!((outcome.class, outcome.frame), (0x10005, arp));
        for kind in 128..=140 {
            // RFC 4861: router and neighbour solicitations and advertisements, redirects.
            let expected = if (133..=137).contains(&kind) { 0x10005 } else { 0x10006 };
            assert_eq!(bench.class_of(&icmp(kind)), expected, "type {kind}");
        }
        let same_in_v4 = Frame { protocol: 58, ports: (135 << 8, 0), ..frame(false) };
        assert_eq!(bench.class_of(&same_in_v4), 0x10006);
    });
}

#[test]
fn flows_that_cannot_be_are_refused() {
    attached("flows that are none", |bench| {
        let limits = |limits| Flow { mode: Mode::Borrow, limits, ..in_class(1) };
        let conforming = |conforming| Flow { conforming, ..in_class(1) };
        let cases = [
            (limits(Limits { rate: 0, ..ONE_PACKET }), FlowError::Rate(0)),
            (limits(Limits { rate: MOST_RATE + 1, ..ONE_PACKET }), FlowError::Rate(MOST_RATE + 1)),
            (limits(Limits { peak: Some(0), max_packet: Some(1500), ..ONE_PACKET }), FlowError::Rate(0)),
            (limits(Limits { bucket: 0, ..ONE_PACKET }), FlowError::Bucket),
            (limits(Limits { peak: Some(1), ..ONE_PACKET }), FlowError::Peak),
            (conforming(marked(64)), FlowError::Dscp(64)),
            (conforming(Treatment { pcp: Some(8), ..Treatment::default() }), FlowError::Pcp(8)),
            (conforming(Treatment { class: Some(0), ..Treatment::default() }), FlowError::Class),
        ];
        for (flow, why) in cases {
            let refused = bench.egress.add_flow(&flow);
            assert!(
                matches!(&refused, Err(EgressError::Flow(said)) if *said == why),
                "{flow:?}: {refused:?}"
            );
        }
        // There is room for 64, and again for 64 when one is gone.
        let ids: Vec<FlowId> = (0..64).map(|_| bench.egress.add_flow(&in_class(1)).expect("room")).collect();
        assert!(matches!(bench.egress.add_flow(&in_class(1)), Err(EgressError::Full(64))));
        bench.egress.remove_flow(ids[10]).expect("it was there");
        assert_eq!(bench.egress.add_flow(&in_class(1)).expect("room"), ids[10]);
    });
}
