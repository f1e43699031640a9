//! Whatever octets come, what the program does not know leaves as it came.

use super::frame::{ETHERNET, Frame, UDP};
use super::{Bench, SMALL, addresses, linked};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rsvpd::data_plane::bpf::{Attach, Egress, Filter, Flow, Limits, Mode, Treatment};
use std::net::IpAddr;

/// Keys of all kinds for sessions of one destination in each family, whose packets would be dropped.
fn with_all_kinds() -> Bench {
    let mut egress = Egress::load(SMALL).expect("the program is loaded");
    let (interface, _) = egress.attach("to-b", Attach::Tcx).expect("the program is attached");
    let mut bench = Bench { egress, interface };
    let limits = Limits { rate: 1, bucket: 1, ..Limits::default() };
    let excess = Treatment::default();
    let flow = Flow { mode: Mode::Discard, limits, conforming: excess, excess };
    let id = bench.egress.add_flow(&flow).expect("a flow");
    for is_v6 in [false, true] {
        let [from, to, _] = addresses(is_v6);
        let mut keys = vec![
            bench.key(to, UDP, 5000, Filter::Sender(from, 4000)),
            bench.key(to, UDP, 5000, Filter::Sender(from, 0)),
            bench.key(to, UDP, 0, Filter::Sender(from, 0)),
            bench.key(to, UDP, 5000, Filter::Any),
            bench.key(to, UDP, 0, Filter::Any),
            bench.key(to, 50, 0, Filter::Spi(from, 5)),
        ];
        if let IpAddr::V6(from) = from {
            keys.push(bench.key(to, UDP, 5000, Filter::FlowLabel(from, 9)));
            keys.push(bench.key(to, UDP, 0, Filter::FlowLabel(from, 9)));
        }
        for key in &keys {
            bench.egress.set_key(key, id).expect("a key");
        }
    }
    bench
}

fn runner() -> TestRunner {
    TestRunner::new(Config { cases: 3000, failure_persistence: None, ..Config::default() })
}

/// Octets with an Ethernet type in front that makes the program look at them, mostly.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let types = prop_oneof![
        Just(vec![8, 0]),
        Just(vec![0x86, 0xdd]),
        Just(vec![0x81, 0, 0, 5, 8, 0]),
        Just(vec![0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd]),
        any::<[u8; 2]>().prop_map(Vec::from),
    ];
    let first = prop_oneof![Just(0x45), Just(0x60), 0x40..=0x4f_u8, any::<u8>()];
    let rest = proptest::collection::vec(any::<u8>(), 0..160);
    (types, first, rest).prop_map(|(kind, first, rest)| {
        let mut frame = [vec![0; 12], kind, vec![first], rest].concat();
        // Trials take no packets that end within an IP header that has no tag before it.
        let shortest = if matches!(frame[12..14], [8, 0] | [0x86, 0xdd]) { ETHERNET + 40 } else { 0 };
        frame.resize(frame.len().max(shortest), 0);
        frame
    })
}

#[test]
fn random_octets_leave_as_they_came() {
    let Some(net) = linked("random octets") else { return };
    net.within("a", || {
        let bench = with_all_kinds();
        let done = runner().run(&frames(), |frame| {
            let outcome = bench.try_frame(&frame);
            prop_assert!(!outcome.dropped && outcome.class == 0 && outcome.frame == frame, "{:?}", outcome);
            Ok(())
        });
        done.unwrap_or_else(|error| panic!("{error}"));
    });
}

#[test]
fn packets_with_random_octets_are_only_of_the_flow_if_their_addresses_and_protocol_are() {
    let Some(net) = linked("packets with random octets") else { return };
    let case =
        (any::<bool>(), proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4));
    net.within("a", || {
        let bench = with_all_kinds();
        let done = runner().run(&case, |(is_v6, changes)| {
            let [from, to, _] = addresses(is_v6);
            let mut frame = Frame::udp(from, 4000, to, 5000).of_length(64).octets();
            for (place, octet) in &changes {
                let place = place.index(frame.len());
                frame[place] = *octet;
            }
            let outcome = bench.try_frame(&frame);
            prop_assert_eq!(&outcome.frame, &frame);
            prop_assert_eq!(outcome.class, 0);
            // By the fixed header alone: WF without ports takes everything to the destination that is UDP.
            let packet = &frame[ETHERNET..];
            let kind = [frame[12], frame[13]];
            let fits = match kind {
                [8, 0] => {
                    packet[0] >> 4 == 4
                        && packet[0] & 15 >= 5
                        && IpAddr::from(<[u8; 4]>::try_from(&packet[16..20]).unwrap()) == to
                }
                [0x86, 0xdd] => {
                    packet[0] >> 4 == 6 && IpAddr::from(<[u8; 16]>::try_from(&packet[24..40]).unwrap()) == to
                }
                _ => false,
            };
            let protocol = if kind == [8, 0] { packet[9] } else { packet[6] };
            if !fits || ![UDP, 50, 0, 43, 44, 60, 135].contains(&protocol) {
                prop_assert!(!outcome.dropped, "{:?}", frame);
            }
            if fits && protocol == UDP {
                prop_assert!(outcome.dropped, "{:?}", frame);
            }
            Ok(())
        });
        done.unwrap_or_else(|error| panic!("{error}"));
    });
}
