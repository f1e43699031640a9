//! What is kept merged where a session has many senders changes nothing but what it costs: histories of small sessions that are taken for
//! large ones go as those that are looked at one by one.

use histories::{Plan, compare};
use rsvp_wire::Style;

#[path = "../../tests/histories.rs"]
mod histories;

const SEEDS: u64 = 10;

#[test]
fn a_session_that_is_taken_for_a_large_one_goes_as_a_small_one() {
    for style in [Style::WF, Style::SE, Style::FF] {
        for (senders, next_hops, previous_hops, services) in
            [(5, 3, 2, 0), (6, 8, 2, 300), (6, 40, 1, 20), (24, 10, 3, 0), (24, 10, 3, 20)]
        {
            let plan = Plan { style, senders, next_hops, previous_hops, services, steps: 400 };
            (0..SEEDS).for_each(|seed| compare(seed, plan));
        }
    }
}
