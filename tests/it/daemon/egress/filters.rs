//! Filters of the traffic control interface: patterns with masks, and how what they say goes together with sessions and tables.

use super::frame::{ETHERNET, Frame, TCP, UDP};
use super::{Bench, addresses, attached, in_class};
use rsvpd::data_plane::bpf::{
    AddressBits, Beyond, EgressError, Filter, Flow, FlowId, Limits, MOST_MASKS, Mode, Pattern, PortBits,
    Treatment,
};
use std::net::IpAddr;

const ESP: u8 = 50;
const AH: u8 = 51;

fn port(port: u16) -> Option<PortBits> {
    Some(PortBits { port, mask: 0xffff })
}

fn pattern(
    to: Option<AddressBits>,
    from: Option<AddressBits>,
    protocol: Option<u8>,
    beyond: Beyond,
) -> Pattern {
    Pattern::new(to, from, protocol, beyond).expect("a pattern")
}

/// Patterns that all take UDP from 4000 to 5000, most specific first.
fn fitting(is_v6: bool) -> Vec<Pattern> {
    let [from, to, _] = addresses(is_v6);
    let (to, from) = (Some(AddressBits::whole(to)), Some(AddressBits::whole(from)));
    let both = Beyond::Ports(port(4000), port(5000));
    let net = |bits: Option<AddressBits>| bits.map(|bits| AddressBits::prefix(bits.address, 24));
    vec![
        pattern(to, from, Some(UDP), both),
        pattern(to, from, Some(UDP), Beyond::Ports(None, port(5000))),
        pattern(to, from, None, Beyond::Nothing),
        pattern(to, net(from), None, Beyond::Nothing),
        pattern(to, None, Some(UDP), Beyond::Nothing),
        pattern(None, from, None, Beyond::Nothing),
        pattern(net(to), None, None, Beyond::Nothing),
        pattern(None, None, Some(UDP), Beyond::Ports(None, port(5000))),
        pattern(None, None, Some(UDP), Beyond::Ports(None, Some(PortBits { port: 0x1380, mask: 0xff80 }))),
        pattern(None, None, Some(UDP), Beyond::Nothing),
        pattern(None, None, None, Beyond::Nothing),
    ]
}

fn filtered(bench: &mut Bench, flow: &Flow, pattern: &Pattern) -> FlowId {
    let id = bench.egress.add_flow(flow).expect("a flow");
    bench.egress.add_filter(bench.interface, pattern, id).expect("a filter");
    id
}

#[test]
fn of_filters_that_fit_the_most_specific_one_counts() {
    attached("the most specific filter", |bench| {
        for is_v6 in [false, true] {
            let [from, to, _] = addresses(is_v6);
            let frame = Frame::udp(from, 4000, to, 5000);
            // The least specific comes first, and each that comes takes the packets.
            let patterns = fitting(is_v6);
            for (place, pattern) in patterns.iter().enumerate().rev() {
                filtered(bench, &in_class(0x10001 + place as u32), pattern);
                assert_eq!(bench.class_of(&frame), 0x10001 + place as u32, "{pattern:?}");
            }
            // And each that goes leaves them to the next.
            for (place, pattern) in patterns.iter().enumerate() {
                assert_eq!(bench.class_of(&frame), 0x10001 + place as u32);
                bench.egress.remove_filter(bench.interface, pattern).expect("it was there");
            }
            assert_eq!((bench.class_of(&frame), bench.egress.filters().expect("a listing")), (0, 0));
        }
    });
}

#[test]
fn a_filter_takes_what_has_its_bits_and_nothing_else() {
    attached("bits of filters", |bench| {
        let ([from, to, other], [from_v6, to_v6, _]) = (addresses(false), addresses(true));
        let udp = Frame::udp(from, 4000, to, 5000);
        let near = [
            udp.clone(),
            Frame { source: other, ..udp.clone() },
            Frame { destination: other, ..udp.clone() },
            Frame { protocol: TCP, ..udp.clone() },
            Frame { ports: (4001, 5000), ..udp.clone() },
            Frame { ports: (4000, 5001), ..udp.clone() },
            Frame { ports: (4000, 6000), ..udp },
            Frame::udp(from_v6, 4000, to_v6, 5000),
        ];
        let odd = |address: IpAddr| Some(AddressBits { address, mask: 1 });
        let cases: [(Pattern, &[usize]); 7] = [
            (pattern(Some(AddressBits::whole(to)), None, None, Beyond::Nothing), &[0, 1, 3, 4, 5, 6]),
            (pattern(None, Some(AddressBits::whole(from)), None, Beyond::Nothing), &[0, 2, 3, 4, 5, 6]),
            // The last bit of an address alone: .1 and .3 have it, .2 has not.
            (pattern(odd(other), None, None, Beyond::Nothing), &[2]),
            (pattern(None, None, Some(TCP), Beyond::Nothing), &[3]),
            // Of both families, where no address is named.
            (pattern(None, None, Some(UDP), Beyond::Ports(port(4000), None)), &[0, 1, 2, 5, 6, 7]),
            (
                pattern(
                    None,
                    None,
                    Some(UDP),
                    Beyond::Ports(None, Some(PortBits { port: 5000, mask: 0xfffe })),
                ),
                &[0, 1, 2, 4, 5, 7],
            ),
            (pattern(Some(AddressBits::prefix(to_v6, 64)), None, None, Beyond::Nothing), &[7]),
        ];
        for (pattern, fits) in cases {
            let id = filtered(bench, &in_class(0x10001), &pattern);
            let taken: Vec<usize> =
                (0..near.len()).filter(|place| bench.class_of(&near[*place]) == 0x10001).collect();
            assert_eq!(taken, fits, "{pattern:?}");
            bench.egress.remove_filter(bench.interface, &pattern).expect("it was there");
            bench.egress.remove_flow(id).expect("it was there");
        }
    });
}

#[test]
fn filters_tell_types_of_icmp_and_indexes_of_ipsec_apart() {
    attached("types and indexes", |bench| {
        for is_v6 in [false, true] {
            let [from, to, _] = addresses(is_v6);
            let icmp = if is_v6 { 58 } else { 1 };
            let of = |protocol, first, second| Frame { protocol, ..Frame::udp(from, first, to, second) };
            // Type and code are the first two octets; what follows is a checksum.
            let echo = of(icmp, 8 << 8, 0x1234);
            let cases = [
                (Beyond::Icmp(8, None), icmp, [true, false, true, false, false]),
                (Beyond::Icmp(8, Some(0)), icmp, [true, false, false, false, false]),
                (Beyond::Spi(0x1234_5678), ESP, [false, false, false, true, false]),
                // AH has its index in the second word.
                (Beyond::Spi(0x1234_5678), AH, [false, false, false, false, true]),
            ];
            let mut ah = of(AH, 0, 0);
            ah.rest[..4].copy_from_slice(&0x1234_5678_u32.to_be_bytes());
            let frames = [echo, of(icmp, 3 << 8, 0), of(icmp, 8 << 8 | 5, 0), of(ESP, 0x1234, 0x5678), ah];
            for (beyond, protocol, fits) in cases {
                let pattern = pattern(Some(AddressBits::whole(to)), None, Some(protocol), beyond);
                let id = filtered(bench, &in_class(0x10001), &pattern);
                let taken = frames.each_ref().map(|frame| bench.class_of(frame) == 0x10001);
                assert_eq!(taken, fits, "{beyond:?} of {protocol}");
                bench.egress.remove_filter(bench.interface, &pattern).expect("it was there");
                bench.egress.remove_flow(id).expect("it was there");
            }
        }
    });
}

#[test]
fn later_fragments_belong_to_the_filter_of_the_first() {
    attached("fragments and filters", |bench| {
        for is_v6 in [false, true] {
            let [from, to, _] = addresses(is_v6);
            let whole =
                pattern(Some(AddressBits::whole(to)), None, Some(UDP), Beyond::Ports(None, port(5000)));
            let id = filtered(bench, &in_class(0x10001), &whole);
            let cut = |at, more, number| Frame {
                fragment: Some((at, more, number)),
                ..Frame::udp(from, 4000, to, 5000)
            };
            assert_eq!(bench.class_of(&cut(10, false, 7)), 0, "its first was not seen");
            assert_eq!(bench.class_of(&cut(0, true, 7)), 0x10001);
            assert_eq!(bench.class_of(&cut(10, false, 7)), 0x10001);
            bench.egress.remove_filter(bench.interface, &whole).expect("it was there");
            bench.egress.remove_flow(id).expect("it was there");
        }
    });
}

/// Room for one packet of those that are tried here.
const ONE_PACKET: Limits = Limits { rate: 1, bucket: 120, peak: None, max_packet: None, min_policed: 0 };

/// Classes by DSCP.
const TABLE: [(u8, u32); 3] = [(46, 0x10046), (10, 0x10010), (8, 0x10008)];

/// A flow that says some of DSCP, rate and class.
fn saying(dscp: Option<u8>, has_rate: bool, class: Option<u32>) -> Flow {
    let treatment = Treatment { dscp, pcp: None, class };
    let (mode, limits) =
        if has_rate { (Mode::Discard, ONE_PACKET) } else { (Mode::Shape, Limits::default()) };
    Flow { mode, limits, conforming: treatment, excess: treatment }
}

/// Class and DSCP of a packet, and whether the second of two is dropped.
fn treated(bench: &Bench, frame: &Frame) -> (u32, u8, bool) {
    let first = bench.try_frame(&frame.octets());
    let start = u16::from_be_bytes([first.frame[ETHERNET], first.frame[ETHERNET + 1]]);
    let traffic_class = if frame.source.is_ipv4() { start as u8 } else { (start >> 4) as u8 };
    (first.class, traffic_class >> 2, bench.try_frame(&frame.octets()).dropped)
}

#[test]
fn dscp_rate_and_class_each_come_from_the_first_that_sets_them() {
    attached("pairs of a session and a filter", |bench| {
        bench.egress.set_classes(bench.interface, &TABLE).expect("a table");
        let choices = (0..8_u8).map(|bits| (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0));
        for is_v6 in [false, true] {
            let [from, to, _] = addresses(is_v6);
            // The application's own mark, CS1.
            let frame = Frame { traffic_class: 8 << 2, ..Frame::udp(from, 4000, to, 5000) };
            let key = bench.key(to, UDP, 5000, Filter::Sender(from, 4000));
            let by_address = pattern(Some(AddressBits::whole(to)), None, None, Beyond::Nothing);
            for (one, other) in choices.clone().flat_map(|one| choices.clone().map(move |other| (one, other)))
            {
                let (dscp, rate, class) = one;
                let session = bench.flow(&saying(dscp.then_some(46), rate, class.then_some(0x10001)), &key);
                let (dscp, rate, class) = other;
                let filter =
                    filtered(bench, &saying(dscp.then_some(10), rate, class.then_some(0x10002)), &by_address);
                let dscp = if one.0 {
                    46
                } else if other.0 {
                    10
                } else {
                    8
                };
                // Where nobody says a class, the table does, by the DSCP with which the packet leaves.
                let by_dscp = TABLE.into_iter().find(|(of, _)| *of == dscp).map_or(0, |(_, class)| class);
                let class = if one.2 {
                    0x10001
                } else if other.2 {
                    0x10002
                } else {
                    by_dscp
                };
                assert_eq!(treated(bench, &frame), (class, dscp, one.1 || other.1), "{one:?} {other:?}");
                // Both count the packet that left; the excess is dropped, and counted by the flow whose rate it is.
                let counted = [session, filter].map(|id| bench.counted(id));
                let dropped = [one.1, other.1 && !one.1].map(u64::from);
                assert_eq!(counted.map(|count| count.dropped.packets), dropped, "{one:?} {other:?}");
                let passed = if one.1 || other.1 { 1 } else { 2 };
                assert_eq!(counted.map(|count| count.conforming.packets), [passed; 2], "{one:?} {other:?}");
                bench.egress.remove_filter(bench.interface, &by_address).expect("it was there");
                bench.egress.remove_flow(filter).expect("it was there");
                bench.egress.remove_flow(session).expect("it was there");
            }
        }
    });
}

#[test]
fn the_excess_of_one_flow_has_the_marks_of_excess_of_both() {
    attached("excess of a pair", |bench| {
        let [from, to, _] = addresses(false);
        let marks = |dscp, class| Treatment { dscp, pcp: None, class };
        // A session that has a mark and no rate, a filter that has the rate.
        let session = Flow {
            mode: Mode::Shape,
            limits: Limits::default(),
            conforming: marks(Some(46), None),
            excess: marks(Some(12), None),
        };
        let filter = Flow {
            mode: Mode::Borrow,
            limits: ONE_PACKET,
            conforming: marks(Some(10), Some(0x10001)),
            excess: marks(Some(8), Some(0x10002)),
        };
        let key = bench.key(to, UDP, 5000, Filter::Sender(from, 4000));
        let one = bench.flow(&session, &key);
        filtered(bench, &filter, &pattern(Some(AddressBits::whole(to)), None, None, Beyond::Nothing));
        let frame = Frame::udp(from, 4000, to, 5000);
        let seen = [(); 2].map(|()| {
            let outcome = bench.try_frame(&frame.octets());
            (outcome.class, outcome.frame[ETHERNET + 1] >> 2)
        });
        assert_eq!(seen, [(0x10001, 46), (0x10002, 12)]);
        let counted = bench.counted(one);
        assert_eq!((counted.conforming.packets, counted.excess.packets), (1, 1));
    });
}

#[test]
fn an_interface_has_sixteen_masks_and_each_pattern_once() {
    attached("many masks", |bench| {
        let [_, to, _] = addresses(false);
        let id = bench.egress.add_flow(&in_class(0x10001)).expect("a flow");
        let prefix = |length| pattern(Some(AddressBits::prefix(to, length)), None, None, Beyond::Nothing);
        for length in 1..=MOST_MASKS as u8 {
            bench.egress.add_filter(bench.interface, &prefix(length), id).expect("room");
        }
        let one_more = prefix(MOST_MASKS as u8 + 1);
        let refused = bench.egress.add_filter(bench.interface, &one_more, id);
        assert!(matches!(refused, Err(EgressError::Masks(MOST_MASKS))), "{refused:?}");
        // Another pattern of a mask that is there finds room, the same one does not.
        let other = pattern(Some(AddressBits::prefix([192, 0, 2, 1].into(), 8)), None, None, Beyond::Nothing);
        bench.egress.add_filter(bench.interface, &other, id).expect("room");
        let refused = bench.egress.add_filter(bench.interface, &other, id);
        assert!(matches!(refused, Err(EgressError::FilterTaken)), "{refused:?}");
        bench.egress.remove_filter(bench.interface, &prefix(3)).expect("it was there");
        bench.egress.add_filter(bench.interface, &one_more, id).expect("room again");
        assert!(matches!(bench.egress.remove_filter(bench.interface, &prefix(3)), Err(EgressError::NoKey)));
        bench.egress.detach(bench.interface).expect("it was there");
        assert_eq!(bench.egress.filters().expect("a listing"), 0);
        let elsewhere = bench.egress.add_filter(bench.interface, &other, id);
        assert!(matches!(elsewhere, Err(EgressError::NotAttached(_))), "{elsewhere:?}");
    });
}
