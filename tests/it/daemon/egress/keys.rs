//! Which flow a packet is found to belong to.

use super::frame::{Frame, TCP, UDP};
use super::{Bench, addresses, attached, in_class};
use rsvpd::data_plane::bpf::{EgressError, Filter, FlowId, Key, KeyError, Statistics};
use std::net::IpAddr;

const ESP: u8 = 50;
const AH: u8 = 51;

fn v6(address: IpAddr) -> std::net::Ipv6Addr {
    match address {
        IpAddr::V6(address) => address,
        IpAddr::V4(_) => panic!("{address} is not IPv6"),
    }
}

/// Every kind of key that fits a packet from 4000 to 5000 with the flow label 0x12345, most specific first.
fn fitting(bench: &Bench, is_v6: bool) -> Vec<Key> {
    let [from, to, _] = addresses(is_v6);
    let label = |port| bench.key(to, UDP, port, Filter::FlowLabel(v6(from), 0x12345));
    let mut keys = vec![bench.key(to, UDP, 5000, Filter::Sender(from, 4000))];
    keys.extend(is_v6.then(|| label(5000)));
    keys.push(bench.key(to, UDP, 5000, Filter::Sender(from, 0)));
    keys.extend(is_v6.then(|| label(0)));
    keys.push(bench.key(to, UDP, 0, Filter::Sender(from, 0)));
    keys.push(bench.key(to, UDP, 5000, Filter::Any));
    keys.push(bench.key(to, UDP, 0, Filter::Any));
    keys
}

fn fitted(is_v6: bool) -> Frame {
    let [from, to, _] = addresses(is_v6);
    let label = if is_v6 { 0x12345 } else { 0 };
    Frame { label, ..Frame::udp(from, 4000, to, 5000) }
}

/// Packets that differ from [`fitted`] in one thing, with the places in [`fitting`] of the kinds that then still fit.
fn near_misses(is_v6: bool) -> Vec<(Frame, Vec<usize>)> {
    let [from, to, other] = addresses(is_v6);
    let fits = |v4: &[usize], v6: &[usize]| if is_v6 { v6.to_vec() } else { v4.to_vec() };
    let this = fitted(is_v6);
    let mut found = vec![
        (Frame { ports: (4001, 5000), ..this.clone() }, fits(&[1, 2, 3, 4], &[1, 2, 3, 4, 5, 6])),
        (Frame { ports: (4000, 5001), ..this.clone() }, fits(&[2, 4], &[3, 4, 6])),
        (Frame { source: other, ..this.clone() }, fits(&[3, 4], &[5, 6])),
        (Frame { destination: other, ..this.clone() }, vec![]),
        (Frame { protocol: TCP, ..this.clone() }, vec![]),
        (Frame { source: to, destination: from, ports: (5000, 4000), ..this.clone() }, vec![]),
    ];
    if is_v6 {
        found.push((Frame { label: 0x12344, ..this.clone() }, vec![0, 2, 4, 5, 6]));
        found.push((Frame { label: 0, ..this }, vec![0, 2, 4, 5, 6]));
    }
    found
}

#[test]
fn each_kind_of_key_finds_its_packets_and_no_others() {
    attached("kinds of key", |bench| {
        for is_v6 in [false, true] {
            for (place, key) in fitting(bench, is_v6).into_iter().enumerate() {
                let id = bench.flow(&in_class(0x10001), &key);
                assert_eq!(bench.class_of(&fitted(is_v6)), 0x10001, "{key:?}");
                for (frame, fits) in near_misses(is_v6) {
                    let class = bench.class_of(&frame);
                    assert_eq!(class == 0x10001, fits.contains(&place), "{key:?}: {frame:?}");
                }
                bench.egress.remove_flow(id).expect("it was there");
                assert_eq!(bench.class_of(&fitted(is_v6)), 0, "{key:?} is gone");
            }
        }
        assert_eq!(bench.egress.keys().expect("a listing"), []);
    });
}

#[test]
fn of_keys_that_fit_the_most_specific_one_counts() {
    attached("the most specific key", |bench| {
        for is_v6 in [false, true] {
            let keys = fitting(bench, is_v6);
            // The least specific first, so that the order of installation has no say.
            let numbered: Vec<(u32, &Key)> = (1..).zip(&keys).collect();
            let mut flows: Vec<(u32, FlowId)> = Vec::new();
            for (n, key) in numbered.into_iter().rev() {
                flows.push((n, bench.flow(&in_class(0x10000 + n), key)));
            }
            while let Some((n, id)) = flows.pop() {
                assert_eq!(bench.class_of(&fitted(is_v6)), 0x10000 + n, "{is_v6}");
                bench.egress.remove_flow(id).expect("it was there");
            }
            assert_eq!(bench.class_of(&fitted(is_v6)), 0);
        }
    });
}

#[test]
fn protected_packets_are_told_apart_by_their_index() {
    attached("SPI", |bench| {
        for is_v6 in [false, true] {
            let [from, to, other] = addresses(is_v6);
            for protocol in [ESP, AH] {
                // ESP begins with the index; AH has it behind next header, length and two reserved octets.
                let with = |spi: [u8; 4]| match protocol {
                    ESP => [spi, [0, 0, 0, 1]].concat(),
                    _ => [[UDP, 4, 0, 0], spi].concat(),
                };
                let packet = |spi| {
                    let octets = with(spi);
                    let word = |at: usize| u16::from_be_bytes([octets[at], octets[at + 1]]);
                    let rest = [&octets[4..], &[0; 24]].concat();
                    Frame { protocol, ports: (word(0), word(2)), rest, ..Frame::udp(from, 0, to, 0) }
                };
                let key = bench.key(to, protocol, 0, Filter::Spi(from, 0xdead_beef));
                let wildcard = bench.key(to, protocol, 0, Filter::Any);
                let all = bench.flow(&in_class(0x10002), &wildcard);
                let one = bench.flow(&in_class(0x10001), &key);
                let frame = packet([0xde, 0xad, 0xbe, 0xef]);
                assert_eq!(bench.class_of(&frame), 0x10001, "{frame:?}");
                assert_eq!(bench.class_of(&packet([0xde, 0xad, 0xbe, 0xee])), 0x10002);
                assert_eq!(bench.class_of(&Frame { source: other, ..frame.clone() }), 0x10002);
                bench.egress.remove_flow(one).expect("it was there");
                assert_eq!(bench.class_of(&frame), 0x10002);
                bench.egress.remove_flow(all).expect("it was there");
            }
        }
    });
}

#[test]
fn ports_are_found_behind_tags_options_and_extension_headers() {
    attached("headers before the ports", |bench| {
        for is_v6 in [false, true] {
            let [from, to, _] = addresses(is_v6);
            let key = bench.key(to, UDP, 5000, Filter::Sender(from, 4000));
            let id = bench.flow(&in_class(0x10001), &key);
            let plain = Frame::udp(from, 4000, to, 5000);
            let mut frames = vec![
                Frame { tags: vec![100], ..plain.clone() },
                Frame { tags: vec![0x2064, 200], ..plain.clone() },
            ];
            if is_v6 {
                for extensions in
                    [vec![(0, 1)], vec![(0, 1), (43, 3)], vec![(60, 2), (43, 1), (60, 32), (135, 1)]]
                {
                    frames.push(Frame { extensions, ..plain.clone() });
                }
                // A fragment that is a whole packet.
                frames.push(Frame { fragment: Some((0, false, 9)), ..plain.clone() });
                frames.push(Frame {
                    extensions: vec![(0, 1)],
                    fragment: Some((0, false, 9)),
                    ..plain.clone()
                });
            } else {
                frames.push(Frame { options: vec![148, 4, 0, 0], ..plain.clone() });
                frames.push(Frame { options: vec![1; 40], ..plain.clone() });
            }
            for frame in &frames {
                assert_eq!(bench.class_of(frame), 0x10001, "{frame:?}");
                let other = Frame { ports: (4000, 5001), ..frame.clone() };
                assert_eq!(bench.class_of(&other), 0, "{other:?}");
            }
            // More headers than are looked behind.
            let many = Frame { extensions: vec![(60, 1); 9], ..plain };
            assert!(!is_v6 || bench.class_of(&many) == 0);
            bench.egress.remove_flow(id).expect("it was there");
        }
    });
}

#[test]
fn later_fragments_belong_to_the_flow_of_their_first() {
    attached("fragments", |bench| {
        for is_v6 in [false, true] {
            let [from, to, other] = addresses(is_v6);
            let flow = bench.flow(&in_class(0x10001), &bench.key(to, UDP, 5000, Filter::Sender(from, 4000)));
            let portless = bench.flow(&in_class(0x10002), &bench.key(to, UDP, 0, Filter::Any));
            let whole = Frame::udp(from, 4000, to, 5000);
            let first = |id| Frame { fragment: Some((0, true, id)), ..whole.clone() };
            let later = |id| Frame { fragment: Some((10, true, id)), ..whole.clone() };
            let last = |id| Frame { fragment: Some((20, false, id)), ..whole.clone() };
            // Nothing is known of its ports yet.
            assert_eq!(bench.class_of(&later(77)), 0x10002);
            assert_eq!(bench.class_of(&first(77)), 0x10001);
            assert_eq!(bench.class_of(&later(77)), 0x10001);
            assert_eq!(bench.class_of(&last(77)), 0x10001);
            // Those of other packets.
            assert_eq!(bench.class_of(&last(78)), 0x10002);
            assert_eq!(bench.class_of(&Frame { source: other, ..last(77) }), 0x10002);
            assert_eq!(bench.class_of(&Frame { protocol: TCP, ..last(77) }), 0);
            // Another flow's packet that has the number again.
            assert_eq!(bench.class_of(&Frame { ports: (4000, 5001), ..first(77) }), 0x10002);
            assert_eq!(bench.class_of(&last(77)), 0x10002);
            assert_eq!(bench.counted(flow).conforming.packets, 3);
            if is_v6 {
                // What is cut begins with an extension header: its number is what later pieces say.
                let cut = |at, more| {
                    let mut frame = Frame { fragment: Some((at, more, 99)), protocol: 60, ..whole.clone() };
                    // Destination options of eight octets, then UDP.
                    frame.rest = vec![0; 4];
                    frame.ports = (u16::from_be_bytes([UDP, 0]), 0x0104);
                    frame.rest.extend([0x0f, 0xa0, 0x13, 0x88, 0, 24, 0, 0]);
                    frame
                };
                assert_eq!(bench.class_of(&cut(0, true)), 0x10001);
                assert_eq!(bench.class_of(&cut(10, false)), 0x10001);
            }
            bench.egress.remove_flow(flow).expect("it was there");
            bench.egress.remove_flow(portless).expect("it was there");
        }
    });
}

#[test]
fn many_keys_share_one_flow_and_move_to_another() {
    attached("keys of one flow", |bench| {
        let [from, to, other] = addresses(false);
        let flow = bench.egress.add_flow(&in_class(0x10001)).expect("a flow");
        let keys = [(from, 4000), (from, 4001), (other, 4000)]
            .map(|(from, port)| bench.key(to, UDP, 5000, Filter::Sender(from, port)));
        for key in &keys {
            bench.egress.set_key(key, flow).expect("a key");
            // Once more changes nothing.
            bench.egress.set_key(key, flow).expect("a key");
        }
        let mut listed = bench.egress.keys().expect("a listing");
        listed.sort();
        let mut expected = keys.map(|key| (key, flow)).to_vec();
        expected.sort();
        assert_eq!(listed, expected);
        for (from, port) in [(from, 4000), (from, 4001), (other, 4000), (other, 4001)] {
            bench.class_of(&Frame::udp(from, port, to, 5000));
        }
        assert_eq!(bench.counted(flow).conforming.packets, 3);

        let second = bench.egress.add_flow(&in_class(0x10002)).expect("a flow");
        bench.egress.set_key(&keys[1], second).expect("a key moves");
        assert_eq!(bench.class_of(&Frame::udp(from, 4001, to, 5000)), 0x10002);
        let gone: Statistics = bench.egress.remove_flow(flow).expect("it was there");
        assert_eq!(gone.conforming.packets, 3);
        assert_eq!(bench.egress.keys().expect("a listing"), [(keys[1], second)]);
        assert_eq!(bench.class_of(&Frame::udp(from, 4001, to, 5000)), 0x10002);
        bench.egress.remove_key(&keys[1]).expect("it was there");
        assert!(matches!(bench.egress.remove_key(&keys[1]), Err(EgressError::NoKey)));
        assert_eq!(bench.class_of(&Frame::udp(from, 4001, to, 5000)), 0);
        assert!(matches!(bench.egress.statistics(flow), Err(EgressError::NoFlow(_))));
    });
}

#[test]
fn what_no_packet_could_match_is_refused() {
    attached("keys that are none", |bench| {
        let ([from, to, _], [from_v6, ..]) = (addresses(false), addresses(true));
        let id = bench.egress.add_flow(&in_class(1)).expect("a flow");
        let key = |protocol, port, filter| bench.key(to, protocol, port, filter);
        let cases = [
            (key(UDP, 5000, Filter::Sender(from_v6, 4000)), KeyError::Families),
            (key(UDP, 5000, Filter::FlowLabel(v6(from_v6), 1)), KeyError::Families),
            (key(1, 5000, Filter::Any), KeyError::NoPorts(1)),
            (key(UDP, 0, Filter::Sender(from, 4000)), KeyError::SourcePort(4000)),
            (key(UDP, 0, Filter::Spi(from, 1)), KeyError::Spi(UDP, 0)),
            (key(ESP, 5000, Filter::Spi(from, 1)), KeyError::Spi(ESP, 5000)),
        ];
        for (key, why) in cases {
            let refused = bench.egress.set_key(&key, id);
            assert!(matches!(&refused, Err(EgressError::Key(said)) if *said == why), "{key:?}: {refused:?}");
        }
        let to = addresses(true)[1];
        for label in [0, 0x10_0000] {
            let key = bench.key(to, UDP, 5000, Filter::FlowLabel(v6(from_v6), label));
            let refused = bench.egress.set_key(&key, id);
            assert!(matches!(refused, Err(EgressError::Key(KeyError::Label(said))) if said == label));
        }
        let elsewhere = Key { interface: 999_999, ..bench.key(to, UDP, 5000, Filter::Any) };
        assert!(matches!(bench.egress.set_key(&elsewhere, id), Err(EgressError::NotAttached(999_999))));
        assert_eq!(bench.egress.keys().expect("a listing"), []);
    });
}
