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
        for (senders, next_hops, previous_hops, services, asked, steps) in [
            (5, 3, 2, 0, 0, 400),
            (6, 8, 2, 300, 0, 400),
            (6, 40, 1, 20, 0, 400),
            (24, 10, 3, 0, 0, 400),
            (24, 10, 3, 20, 0, 400),
            // So many that what they ask for is merged in blocks.
            (4, 100, 1, 0, 300, 400),
        ] {
            let plan = Plan { style, senders, next_hops, previous_hops, services, asked, steps };
            (0..SEEDS).for_each(|seed| compare(seed, plan));
        }
    }
}
