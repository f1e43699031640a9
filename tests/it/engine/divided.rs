//! What does not fit one message: flow descriptors are divided among several (RFC 2205 section 3.1.4: packing is
//! optional), forwarded objects are bounded (section 3.10).

use super::bench::Bench;
use super::message::{Arriving, object};
use super::sent::Sent;
use super::words::{Family, Flows, controlled, guaranteed, interface};
use core::net::IpAddr;
use core::ops::Range;
use rsvp_node::{Config, Discard};
use rsvp_wire::{FilterSpec, Flowspec, MsgType, ResvConfirm, Style};
use std::collections::BTreeMap;

/// Senders of one host behind a1, told apart by their ports.
fn sender(b: &Bench, n: u16) -> FilterSpec {
    FilterSpec::new(b.family.named("S1"), 20_000 + n)
}

/// A node that knows so many senders behind a1, with room for all they may send.
fn with_senders(family: Family, count: u16) -> Bench {
    let mut b = Bench::new(family, Config { seed: 7, ..Config::default() });
    for letter in ["c", "d"] {
        b.change(letter, |i| (i.bandwidth_bps, i.reservable_bps) = (1 << 40, 1 << 40));
    }
    for n in 0..count {
        let path = b.message("a1 Path S1{9B}").every(3600).with(|m| m.sender = Some(sender(&b, n)));
        b.takes(&path);
    }
    b.forget();
    b
}

fn both(count: u16) -> [Bench; 2] {
    [with_senders(Family::V4, count), with_senders(Family::V6, count)]
}

/// A Resv of c1 for some of the senders.
fn asking(b: &Bench, style: Style, senders: Range<u16>, flowspec: Flowspec) -> Arriving {
    let filters = senders.map(|n| sender(b, n));
    b.message("c1 Resv WF{4B}").with(|m| {
        let flows = m.flows.as_mut().expect("flows");
        flows.style = style;
        flows.flows = match style {
            Style::FF => filters.map(|f| (Some(flowspec), vec![f])).collect(),
            _ => vec![(Some(flowspec), filters.collect())],
        };
    })
}

/// That Resv arrives and is processed.
#[track_caller]
fn asks(b: &mut Bench, style: Style, senders: Range<u16>, flowspec: Flowspec) {
    let resv = asking(b, style, senders, flowspec);
    b.takes(&resv);
}

/// Guaranteed service for each of a thousand senders, asked for in two messages.
fn asks_for_a_thousand(b: &mut Bench) {
    for senders in [0..512, 512..1024] {
        let resv = asking(b, Style::FF, senders, guaranteed(2.0)).every(3600);
        b.takes(&resv);
    }
}

/// The filters of messages, in their order.
fn filters<'a>(messages: impl IntoIterator<Item = &'a Sent>) -> Vec<FilterSpec> {
    let objects = messages.into_iter().flat_map(|sent| sent.message().objects().collect::<Vec<_>>());
    objects.filter_map(|o| o.read::<FilterSpec>().ok()).collect()
}

fn all(senders: Range<u16>, b: &Bench) -> Vec<FilterSpec> {
    senders.map(|n| sender(b, n)).collect()
}

/// Everything sent is of this type, goes to the previous hop and fits a datagram.
#[track_caller]
fn are_sound(b: &Bench, kind: MsgType) {
    let header = if b.family == Family::V4 { 60 } else { 40 };
    for sent in &b.sent {
        assert_eq!((sent.msg_type(), sent.destination), (kind, b.family.named("a1")));
        assert!(sent.octets.len() + header <= 65_535);
    }
}

/// A thousand IPv6 senders of Guaranteed service are more than a datagram: both ways they come in two messages.
#[test]
fn a_thousand_senders_are_asked_for_in_several_messages() {
    for mut b in both(1024) {
        asks(&mut b, Style::FF, 0..512, guaranteed(2.0));
        assert_eq!((b.sent.len(), filters(&b.sent)), (1, all(0..512, &b)));
        b.forget();
        asks(&mut b, Style::FF, 512..1024, guaranteed(2.0));
        assert_eq!(b.engine.reservations().count(), 1024);
        let messages = if b.family == Family::V4 { 1 } else { 2 };
        assert_eq!((b.sent.len(), filters(&b.sent)), (messages, all(0..1024, &b)), "each once, in order");
        are_sound(&b, MsgType::RESV);
    }
}

/// RFC 2205 section 3.7: refreshes of all parts come in one go, once in R, and say the same.
#[test]
fn all_parts_are_refreshed_together_and_keep_the_pace() {
    let mut b = with_senders(Family::V6, 1024);
    asks_for_a_thousand(&mut b);
    let said: Vec<_> = b.sent.drain(..).skip(1).map(|s| s.octets).collect();
    let mut last = b.now;
    for _ in 0..2 {
        b.sent.clear();
        while b.sent.is_empty() {
            b.seconds(5.0).sent.retain(|s| s.msg_type() == MsgType::RESV);
        }
        let at = b.sent[0].at;
        assert!(b.sent.iter().all(|s| s.at == at), "in one go");
        let gap = (at - last).as_secs_f64();
        assert!((14.9..=45.1).contains(&gap), "{gap} s");
        last = at;
        assert_eq!(b.sent.iter().map(|s| s.octets.clone()).collect::<Vec<_>>(), said);
    }
}

/// Hands on what a node sends as its next node would get it.
fn pass_on(b: &mut Bench, next: &mut Bench) {
    for sent in b.sent.drain(..) {
        let resv = next.message("c1 Resv WF{4B}").with(|m| {
            m.msg_type = sent.msg_type();
            m.flows = Some(Flows::of(&sent.message()));
            m.refresh_ms = m.refresh_ms.filter(|_| m.msg_type == MsgType::RESV);
        });
        next.takes(&resv);
    }
}

/// What is divided is put together again by the next node; a change of one sender and teardowns are, too.
#[test]
fn what_is_divided_stands_at_the_next_node() {
    let (mut b, mut next) = (with_senders(Family::V6, 1024), with_senders(Family::V6, 1024));
    asks_for_a_thousand(&mut b);
    pass_on(&mut b, &mut next);
    let count =
        |next: &Bench, bps| next.engine.reservations().filter(|(_, _, r)| r.charge_bps == bps).count();
    assert_eq!(count(&next, 16_000), 1024);
    asks(&mut b, Style::FF, 700..701, guaranteed(3.0));
    pass_on(&mut b, &mut next);
    assert_eq!((count(&next, 16_000), count(&next, 24_000)), (1023, 1));
    for senders in [0..512, 512..1024] {
        let tear = asking(&b, Style::FF, senders, guaranteed(2.0));
        b.takes(&tear.with(|m| (m.msg_type, m.refresh_ms) = (MsgType::RESV_TEAR, None)));
        pass_on(&mut b, &mut next);
    }
    next.installs(&[]);
    assert_eq!(next.engine.requests().count(), 0);
}

/// RFC 2205 section 3.1.6: what has timed out is torn down, all of it, each with its FLOWSPEC.
#[test]
fn a_resv_tear_is_divided_too() {
    for mut b in both(1024) {
        for senders in [0..512, 512..1024] {
            let resv = asking(&b, Style::FF, senders, guaranteed(2.0)).every(10);
            b.takes(&resv);
        }
        b.forget().seconds(52.6).sent.retain(|s| s.msg_type() == MsgType::RESV_TEAR);
        assert!(b.sent.len() > 1, "{}", b.sent.len());
        are_sound(&b, MsgType::RESV_TEAR);
        assert_eq!(filters(&b.sent), all(0..1024, &b), "each once");
        assert_eq!(b.sent.iter().map(|s| s.objects(9).len()).sum::<usize>(), 1024);
        b.installs(&[]);
    }
}

/// A Resv for some of a next hop's senders leaves the others alone; each part is refreshed and dies for itself.
#[test]
fn each_part_lives_as_long_as_it_is_refreshed() {
    for mut b in both(4) {
        let parts =
            [asking(&b, Style::FF, 0..2, controlled(2.0)), asking(&b, Style::FF, 2..4, controlled(2.0))];
        b.takes(&parts[0]).takes(&parts[1]).forget();
        let work = |b: &mut Bench, part: &Arriving| {
            let before = b.engine.work().octets_handled;
            b.takes(part);
            (b.engine.work().octets_handled - before) as usize / part.octets().len()
        };
        for _ in 0..10 {
            b.seconds(30.0);
            // An equal refresh is looked at once and stored no more.
            assert_eq!((work(&mut b, &parts[0]), work(&mut b, &parts[1])), (1, 1));
        }
        assert!(b.sent.iter().all(|s| s.msg_type() != MsgType::RESV_TEAR));
        for _ in 0..10 {
            b.seconds(30.0).takes(&parts[1]);
        }
        assert_eq!(b.engine.reservations().count(), 2);
        b.seconds(157.4);
        assert_eq!(b.engine.reservations().count(), 2);
        b.seconds(0.2).installs(&[]);
    }
}

/// A message takes the place of those that name one of its senders; what is left of those is asked for anew.
#[test]
fn parts_may_be_cut_another_way() {
    for mut b in both(4) {
        let rates = |b: &Bench| {
            let all = b.engine.reservations().map(|(_, _, r)| (r.filters[0], r.charge_bps / 8000));
            let sorted: BTreeMap<_, _> = all.collect();
            sorted.into_values().collect::<Vec<_>>()
        };
        for (senders, rate, now) in [
            (0..2, 2.0, vec![2, 2]),
            (2..4, 2.0, vec![2, 2, 2, 2]),
            (1..3, 3.0, vec![2, 3, 3, 2]),
            // The first again is no refresh: something of what it asked for had been replaced.
            (0..2, 2.0, vec![2, 2, 3, 2]),
            (1..3, 3.0, vec![2, 3, 3, 2]),
            (2..4, 2.0, vec![2, 3, 2, 2]),
        ] {
            asks(&mut b, Style::FF, senders, controlled(rate));
            assert_eq!(rates(&b), now);
        }
    }
}

/// A part of which something was refused is judged in full each time; the others are not.
#[test]
fn a_part_that_is_refused_in_part_is_tried_again() {
    for mut b in both(4) {
        b.reservable("c", 7);
        asks(&mut b, Style::FF, 2..4, controlled(2.0));
        asks(&mut b, Style::FF, 0..2, controlled(2.0));
        assert_eq!(b.engine.reservations().count(), 3);
        b.forget();
        asks(&mut b, Style::FF, 2..4, controlled(2.0));
        b.is_silent().reservable("c", 8);
        asks(&mut b, Style::FF, 0..2, controlled(2.0));
        assert_eq!(b.engine.reservations().count(), 4);
    }
}

/// RFC 2205 section 3.1.4: SE has one flowspec for all its senders, and filters can be added message by message.
#[test]
fn shared_explicit_filters_may_come_in_several_messages() {
    for mut b in both(4) {
        let installed = |b: &Bench| {
            b.engine.reservations().map(|(_, _, r)| (r.filters.len(), r.flowspec)).collect::<Vec<_>>()
        };
        let both = |rate| -> Vec<(usize, Flowspec)> { vec![(4, controlled(rate))] };
        for _ in 0..10 {
            asks(&mut b, Style::SE, 0..2, controlled(2.0));
            asks(&mut b, Style::SE, 2..4, controlled(2.0));
            assert_eq!(installed(&b), both(2.0));
            b.seconds(30.0);
        }
        assert_eq!(b.traffic.len(), 2, "installed and changed, once");
        asks(&mut b, Style::SE, 0..2, controlled(3.0));
        assert_eq!(installed(&b), both(3.0));
        asks(&mut b, Style::SE, 2..4, controlled(2.0));
        assert_eq!(installed(&b), both(2.0), "the old is no refresh");
    }
}

/// RFC 2205 section 2.6: a wish for confirmation is in every part; the parts are those of the refreshes.
#[test]
fn a_wish_for_confirmation_goes_with_every_part() {
    let mut b = with_senders(Family::V6, 1024);
    asks(&mut b, Style::FF, 0..512, guaranteed(2.0));
    b.forget();
    let resv = asking(&b, Style::FF, 512..1024, guaranteed(2.0)).confirm("c7");
    b.takes(&resv);
    let wished: Vec<IpAddr> = b.sent.iter().map(|s| s.get::<ResvConfirm>().address).collect();
    assert_eq!(wished, [b.family.named("c7"); 2]);
    are_sound(&b, MsgType::RESV);
    let parts: Vec<_> = b.sent.drain(..).map(|s| filters(&[s])).collect();
    b.seconds(45.1).sent.retain(|s| s.msg_type() == MsgType::RESV);
    assert_eq!(b.sent.drain(..2).map(|s| filters(&[s])).collect::<Vec<_>>(), parts);
}

/// What is forwarded of objects of unknown class is as much as a neighbour with the same bound accepts: the shortest,
/// whatever the order in which they came; and the reservation goes up all the same.
#[test]
fn the_union_of_forwarded_objects_is_no_more_than_a_neighbour_accepts() {
    for order in [["c1", "d1", "d2"], ["d2", "d1", "c1"]] {
        for mut b in Bench::both() {
            b.figure_4();
            let brings = |hop| match hop {
                "c1" => (14, vec![1; 2096]),
                "d1" => (0xc1, vec![2; 2100]),
                _ => (0xc1, vec![3; 100]),
            };
            for hop in order {
                let (class, body) = brings(hop);
                b.takes(&b.message(&format!("{hop} Resv WF{{4B}}")).object(class, 1, &body));
            }
            let last = b.sent.iter().rfind(|s| s.interface == interface("a")).expect("a Resv").clone();
            assert_eq!(last.objects(14), [object(14, 1, &[1; 2096])]);
            assert_eq!(last.objects(0xc1), [object(0xc1, 1, &[3; 100])], "the longest is left out");
            assert_eq!(last.get::<Flowspec>(), controlled(4.0));
            assert!(b.engine.counters().discarded(Discard::ObjectsLeftOut) > 0);
            // The next node takes it.
            let mut next = Bench::new(b.family, Config::default());
            let up = [14, 0xc1].into_iter().flat_map(|class| last.objects(class));
            let resv = next.figure_4().message("c1 Resv WF{4B}").with(|m| m.objects = up.collect());
            next.takes(&resv);
            // Refreshes say the same, and count nothing.
            let before = b.engine.counters().discarded(Discard::ObjectsLeftOut);
            b.forget().seconds(45.1);
            assert_eq!(b.engine.counters().discarded(Discard::ObjectsLeftOut), before);
            // What has gone makes room.
            b.hears("c1 ResvTear WF");
            let last = b.sent.iter().rfind(|s| s.interface == interface("a")).expect("a Resv").clone();
            assert_eq!((last.objects(14).len(), last.objects(0xc1).len()), (0, 2));
        }
    }
}

/// However much requests bring along, what is asked for goes up.
#[test]
fn forwarded_objects_never_silence_a_request() {
    for mut b in Bench::both() {
        b.hears("a1 Path S1{9B}");
        for n in 1..=17 {
            b.takes(&b.message(&format!("c{n} Resv FF S1{{4B}}")).object(0xc8, 1, &[n; 4000]));
        }
        assert_eq!(b.engine.counters().discarded(Discard::TooLarge), 0);
        let resv = b.sent.iter().rfind(|s| s.msg_type() == MsgType::RESV).expect("a Resv");
        assert_eq!(resv.objects(0xc8), [object(0xc8, 1, &[1; 4000])]);
        b.forget().seconds(45.1);
        assert!(b.sent.iter().any(|s| s.msg_type() == MsgType::RESV));
    }
}

/// Kept messages of one next hop are bounded, however small the parts and however much each brings along.
#[test]
fn two_hundred_messages_of_one_next_hop_stand() {
    for mut b in both(200) {
        for n in 0..200 {
            let resv = asking(&b, Style::FF, n..n + 1, controlled(1.0)).object(0xc8, 1, &[0; 4000]);
            b.takes(&resv);
        }
        assert_eq!(b.engine.reservations().count(), 200);
        // The oldest are not kept: their refreshes are processed in full, and change nothing either.
        b.forget();
        for (n, looks) in [(0, 2), (199, 1), (1, 2), (198, 1)] {
            let resv = asking(&b, Style::FF, n..n + 1, controlled(1.0)).object(0xc8, 1, &[0; 4000]);
            let before = b.engine.work().octets_handled;
            b.takes(&resv);
            let handled = b.engine.work().octets_handled - before;
            assert_eq!(handled, looks * resv.octets().len() as u64);
        }
        b.is_silent().commands_traffic_control(&[]);
    }
}
