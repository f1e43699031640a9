//! Nothing is left: whatever was there and however it ends, in many orders, the node is empty afterwards.

use super::bench::Bench;
use super::words::Family;
use rsvp_node::Config;

/// Numbers that look random, the same in every run (a linear congruential generator, Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// A node with path state from three previous hops, a local sender, next hops on two interfaces, applications, a
/// blockade and wishes for confirmation.
fn full_house(family: Family, style: &str) -> Bench {
    let mut b = Bench::new(family, Config { seed: 11, ..Config::default() });
    b.figure_4().hears("b2 Path S4{9B}").announces(1, "C0").announces(2, "D0");
    let [all, some] = match style {
        "WF" => ["WF{4B}", "WF{3B}"],
        "FF" => ["FF S1{4B} S2{5B} S4{2B}", "FF S1{3B} S3{1B}"],
        _ => ["SE S1 S2 S4{4B}", "SE S2 S3{3B}"],
    };
    b.takes(&b.message(&format!("c1 Resv {all}")).confirm("e5"));
    b.hears(&format!("d1 Resv {some}")).hears(&format!("d2 Resv {all}"));
    assert_eq!(b.reserve(1, some, true), rsvp_node::Outcome::Taken);
    b.hears(&format!("b1 ResvErr 01/0002 {style}{}", if style == "WF" { "{4B}" } else { " S2{4B}" }));
    assert!(b.engine.blockades().count() > 0 && b.engine.reservations().count() > 1);
    b.forget().seconds(1.0);
    b
}

/// RFC 2205 sections 2.3, 3.1.5 and 3.1.6: torn down in any order, by those who made it.
#[test]
fn everything_torn_down_in_any_order_leaves_nothing() {
    for seed in 0..60 {
        for (family, style) in [(Family::V4, "WF"), (Family::V6, "FF"), (Family::V4, "SE")] {
            let mut dice = Dice(seed);
            let mut b = full_house(family, style);
            let (all, some) = match style {
                "WF" => ("WF", "WF"),
                "FF" => ("FF S1 S2 S4", "FF S1 S3"),
                _ => ("SE S1 S2 S4", "SE S2 S3"),
            };
            let mut ends: Vec<String> =
                ["a1 PathTear S1", "b1 PathTear S2", "b1 PathTear S3", "b2 PathTear S4"]
                    .map(String::from)
                    .to_vec();
            ends.extend([
                format!("c1 ResvTear {all}"),
                format!("d1 ResvTear {some}"),
                format!("d2 ResvTear {all}"),
            ]);
            ends.extend(["1".into(), "2".into()]);
            dice.shuffle(&mut ends);
            for end in &ends {
                match end.parse() {
                    Ok(app) => {
                        b.releases(app);
                    }
                    // A ResvTear may come after the PathTears that left it nothing to tear.
                    Err(_) => {
                        let message = b.message(end);
                        let octets = message.octets();
                        b.input(rsvp_node::Input::Packet(message.rx(&octets)));
                    }
                }
                b.seconds(dice.below(3) as f64);
            }
            b.is_empty();
        }
    }
}

/// RFC 2205 section 2.3: some ends are torn down, the rest times out.
#[test]
fn everything_left_alone_times_out_once_the_applications_are_gone() {
    for seed in 0..30 {
        for (family, style) in [(Family::V6, "WF"), (Family::V4, "FF"), (Family::V6, "SE")] {
            let mut dice = Dice(seed);
            let mut b = full_house(family, style);
            for end in ["a1 PathTear S1", "b1 PathTear S3", "b2 PathTear S4"] {
                if dice.below(2) == 0 {
                    b.hears(end);
                }
            }
            let first = 1 + dice.below(2) as u32;
            b.releases(first).seconds(dice.below(200) as f64);
            b.releases(3 - first).seconds(160.0).is_empty();
            assert_eq!(b.engine.senders().count() + b.engine.requests().count(), 0);
        }
    }
}

/// RFC 2205 section 3.6: state on an interface that routing left, and on a previous hop that flipped, ends too.
#[test]
fn state_left_behind_by_routing_ends() {
    for mut b in Bench::unicast() {
        b.hears("a1 Path S1{9B}").hears("c1 Resv FF S1{4B}").route("S1", None, "d").reroutes();
        b.hears("b1 Path S1{9B}").hears("d1 Resv FF S1{3B}").installs(&["c FF S1{4B}", "d FF S1{3B}"]);
        b.hears("b1 PathTear S1").seconds(160.0).is_empty();
    }
}

/// RFC 2205 section 3.11.1: sessions that were only opened go with the last application.
#[test]
fn an_opened_session_goes_with_its_last_application() {
    for mut b in Bench::both() {
        b.opens(1).opens(2).releases(1);
        assert!(!b.engine.is_empty());
        b.releases(2).is_empty();
        b.reserves(1, "WF{4B}").releases(1).is_empty();
    }
}
