//! Messages of a neighbour that means harm: whatever is in them, they change no state of others.

use super::bench::Bench;
use super::message::lih;
use super::words::Family;
use core::net::IpAddr;
use rsvp_node::{Config, Engine, Input, Instant, Outcome, Output, Requester, Rx};
use rsvp_wire::{Message, Session};
use std::fmt::Write as _;

/// How many are tried.
const TIMES: u32 = 2_000_000;

/// This node's handle for c.
const HANDLE: u32 = 0x9d3f_77a1;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

/// The state of honest neighbours: what their sessions have, but for what the other has added to them under its own names.
fn honest(b: &Bench, sessions: &[Session], attackers: [IpAddr; 2]) -> String {
    let (engine, mut text) = (&b.engine, String::new());
    let own = |session: &Session| sessions.contains(&session.with_flags(0));
    let own_request =
        |from: &Requester| !matches!(from, Requester::NextHop { address, .. } if attackers.contains(address));
    for s in engine.senders().filter(|s| own(&s.session) && !attackers.contains(&s.sender.0.address())) {
        let (hop, tspec) = (s.previous_hop, s.tspec);
        let _ = writeln!(
            text,
            "{} {} {hop:?} {tspec:?} {:?} {:?} {}",
            s.session, s.sender, s.incoming, s.outgoing, s.ttl
        );
    }
    for r in engine.requests().filter(|r| own(&r.session) && own_request(&r.from)) {
        let _ = writeln!(text, "{} {:?} {:?}", r.session, r.from, r.flows);
    }
    for (id, on, r) in engine.reservations().filter(|(_, on, r)| own(&r.session) && on.0 != 4) {
        let _ = writeln!(text, "{id:?} {on:?} {r:?}");
    }
    // A previous hop that it invents on its own link may be called as one of another; only what it announces itself is behind it.
    let attacked = super::words::interface("d");
    for blockade in engine.blockades().filter(|b| own(&b.session) && b.incoming != attacked) {
        let _ = writeln!(text, "{blockade:?}");
    }
    text
}

/// One of the honest messages, changed: octets, or whole objects, or not at all but in where it comes from.
fn mutate(random: &mut Random, messages: &[Vec<u8>], addresses: &[IpAddr], attacker: IpAddr) -> Vec<u8> {
    let mut octets = messages[random.below(messages.len())].clone();
    if random.below(2) == 0 {
        octets[1] = random.below(9) as u8;
    }
    if random.below(3) == 0 {
        let other = &messages[random.below(messages.len())];
        let cut = 8 + 4 * random.below((octets.len().min(other.len()) - 8) / 4);
        octets.truncate(cut);
        octets.extend_from_slice(&other[cut..]);
    }
    if random.below(2) == 0 {
        replace(&mut octets, addresses[random.below(addresses.len())], attacker);
    }
    for _ in 0..random.below(5) {
        let at = random.below(octets.len());
        octets[at] = match random.below(3) {
            0 => octets[at] ^ (1 << random.below(8)),
            1 => [0, 1, 2, 0x7f, 0x80, 0xc0, 0xff][random.below(7)],
            _ => random.below(256) as u8,
        };
    }
    // A sum that is right, most often, so that it gets further than that.
    if random.below(8) > 0 && octets.len() >= 8 {
        octets[0] = 0x10;
        (octets[2], octets[3]) = (0, 0);
        let length = (octets.len() as u16).to_be_bytes();
        octets[6..8].copy_from_slice(&length);
    }
    octets
}

fn replace(octets: &mut [u8], from: IpAddr, to: IpAddr) {
    let of = |address| match address {
        IpAddr::V4(a) => a.octets().to_vec(),
        IpAddr::V6(a) => a.octets().to_vec(),
    };
    let (from, to): (Vec<u8>, Vec<u8>) = (of(from), of(to));
    let at = (0..octets.len().saturating_sub(from.len())).rfind(|at| octets[*at..].starts_with(&from));
    if let Some(at) = at {
        octets[at..at + to.len()].copy_from_slice(&to);
    }
}

fn drain(engine: &mut Engine, now: Instant, buffer: &mut [u8]) {
    while !matches!(engine.poll(now, buffer), Output::Idle { .. }) {}
}

/// An on-link neighbour on d that sends from its own address, or from that of any other that it can invent on its link, what honest
/// neighbours on a, b and c say, in every way changed.
#[test]
fn mutated_messages_change_no_state_of_others() {
    for family in [Family::V4, Family::V6] {
        let mut b = Bench::new(family, Config { seed: 5, ..Config::default() });
        let (mut sessions, mut messages) = (Vec::new(), Vec::new());
        let attacked = super::words::interface("d");
        let attackers = ["d7", "d9"].map(|name| family.named(name));
        // Handles are secrets of those who are on the link (docs/limits.md): this one is not known on d.
        b.change("c", |i| i.lih = HANDLE);
        for port in 7_000..7_008 {
            b.session = Session::new(family.named("U"), 17, port);
            sessions.push(b.session);
            for (sender, out) in [("S1", "c"), ("S2", "c")] {
                b.route(sender, None, out);
            }
            for text in ["a1 Path S1{9B}", "b1 Path S2{9B}", "c1 Resv FF S1{0.1B} S2{0.2B}"] {
                let (message, is_request) = (b.message(text), text.starts_with('c'));
                let known = message.clone();
                messages.push(if is_request { known.lih(lih(attacked)) } else { known }.octets());
                b.takes(&if is_request { message.lih(HANDLE) } else { message });
            }
            for text in
                ["a1 PathTear S1", "c1 ResvTear FF S1", "a1 ResvErr 01/0002 FF S1{0.1B}", "d7 Resv FF S1{1B}"]
            {
                let message = b.message(text);
                let is_request = text.contains("ResvTear");
                messages.push(if is_request { message.lih(lih(attacked)) } else { message }.octets());
            }
        }
        for message in &messages {
            assert!(Message::parse(message).is_ok());
        }
        let addresses = ["S1", "S2", "a1", "b1", "c1", "U"].map(|name| family.named(name));
        let before = honest(&b, &sessions, attackers);
        assert!(before.lines().count() >= 8 * 5, "{before}");
        let (own, to) = (family.named("d0"), family.named("U"));
        let now = b.now;
        let (mut random, mut buffer) = (Random(11), vec![0; 1 << 17]);
        let mut taken = 0;
        for n in 0..TIMES / 2 {
            let octets = mutate(&mut random, &messages, &addresses, attackers[0]);
            let rx = Rx {
                interface: attacked,
                source: attackers[usize::from(random.below(4) == 3)],
                destination: [own, to][random.below(2)],
                ttl: [60, 60, 1, 255][random.below(4)],
                octets: &octets,
            };
            let (engine, routes) = b.without_journal();
            taken += u32::from(engine.handle(now, Input::Packet(rx), routes) == Outcome::Taken);
            routes.asked.clear();
            drain(engine, now, &mut buffer);
            if n % 997 == 0 || n + 1 == TIMES / 2 {
                assert_eq!(honest(&b, &sessions, attackers), before, "{family:?}, after {n}");
            }
        }
        assert!(taken > TIMES / 2_000, "some of them are taken for the own state of who sends them: {taken}");
    }
}
